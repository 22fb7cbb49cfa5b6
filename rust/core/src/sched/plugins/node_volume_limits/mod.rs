//! NodeVolumeLimits: a node can have only so many volumes of a driver attached.

pub mod kept;

use std::collections::BTreeSet;
use std::rc::Rc;

use self::kept::{KeptVolumes, NodeVolumes};
use super::{Context, Filter, PluginId, PreFilter};
use crate::base::{Text, Value};
use crate::sched::cache::Cache;
use crate::sched::events::{Actions, Event, Interest, Resource, Subject};
use crate::sched::nodes::{NodeInfo, NodeView};
use crate::sched::pod_info::PodInfo;
use crate::sched::pod_volumes::{DiskKind, PodVolume};
use crate::sched::status::Rejection;
use crate::sched::storage::{Object, Storage};
use crate::store::ObjectId;
use crate::store::object::Body;

use super::volume_restrictions::uses_claim;

/// The reason in words.
pub const REASON: &str = "node(s) exceed max volume count";

/// Events after which a pod it rejected may fit.
pub const INTERESTS: &[Interest] = &[
    Interest { resource: Resource::CsiNode, actions: Actions::ADD.or(Actions::UPDATE) },
    Interest { resource: Resource::Pod, actions: Actions::DELETE },
    Interest { resource: Resource::Claim, actions: Actions::ADD },
    Interest { resource: Resource::Attachment, actions: Actions::DELETE },
];

/// Provisioners of old, by the drivers that do their work now.
const MIGRATED: [(&str, &str); 5] = [
    ("kubernetes.io/aws-ebs", "ebs.csi.aws.com"),
    ("kubernetes.io/gce-pd", "pd.csi.storage.gke.io"),
    ("kubernetes.io/azure-disk", "disk.csi.azure.com"),
    ("kubernetes.io/cinder", "cinder.csi.openstack.org"),
    ("kubernetes.io/portworx-volume", "pxd.portworx.com"),
];
/// Where a node says whose work it leaves to drivers.
pub const MIGRATED_ON_NODE: &str = "storage.alpha.kubernetes.io/migrated-plugins";

/// Volumes by driver and handle.
type Attached = BTreeSet<(Text, Text)>;

/// A volume of a pod that a driver attaches.
#[derive(Clone, Debug)]
pub struct VolumeUse {
    /// The old plugin whose work a node must leave to the driver.
    plugin: Option<&'static str>,
    /// Driver and handle.
    volume: (Text, Text),
}

/// What was read to find out about volumes.
#[derive(Default)]
struct Reads {
    objects: Vec<ObjectId>,
    /// Whether something was looked for that is not there.
    missing: bool,
}

/// The pod's volumes against what is attached to a node.
#[derive(Clone)]
pub struct LimitsFilter<'a> {
    storage: Storage<'a>,
    cache: &'a Cache,
    /// The pod's own volumes.
    own: Rc<[VolumeUse]>,
    kept: Option<&'a KeptVolumes>,
}

/// Prepares the filter. Where no node says anything of its drivers, there are no limits.
pub fn pre_filter<'a>(context: &Context<'a>) -> PreFilter<'a> {
    let counts = |volume: &PodVolume| match volume {
        PodVolume::Claim(_) | PodVolume::Ephemeral(_) => true,
        PodVolume::Disk(disk) => matches!(disk.kind, DiskKind::Gce | DiskKind::Ebs),
    };
    if !context.pod.volumes.iter().any(counts) {
        return PreFilter::Skip;
    }
    let storage = Storage::new(context.store);
    if context.store.table(storage.kinds.csi_node).is_empty() {
        return PreFilter::Ready { filter: None, only: None };
    }
    let (cache, kept) = (context.cache, context.kept.volumes);
    let mut filter = LimitsFilter { storage, cache, own: Rc::new([]), kept };
    filter.own = filter.uses(context.pod, context.slot, &mut Reads::default()).into();
    if let Some(kept) = kept {
        kept.catch_up(&filter);
    }
    PreFilter::Ready { filter: Some(Filter::NodeVolumeLimits(filter)), only: None }
}

impl LimitsFilter<'_> {
    /// Judges a node.
    pub fn check(&self, node: NodeView) -> Result<(), Rejection> {
        let too_much = match self.kept {
            Some(kept) => kept.of(self, node).is_too_much(&self.own),
            None => self.read_node(node).0.is_too_much(&self.own),
        };
        if too_much {
            return Err(Rejection::unschedulable(PluginId::NODE_VOLUME_LIMITS, 0));
        }
        Ok(())
    }

    /// Follows a pod being put on a node on trial, or taken off it: what is kept is about the
    /// node as it is.
    pub fn follow(&mut self) {
        self.kept = None;
    }

    /// Finds out what is attached to a node.
    fn read_node(&self, node: NodeView) -> (NodeVolumes, Reads) {
        let (mut volumes, mut reads) = (NodeVolumes::default(), Reads::default());
        let Some(csi_node) = self.storage.csi_node(&node.info.name) else {
            return (volumes, reads);
        };
        let limits = limits_of(csi_node.body);
        volumes.limits = limits.into_iter().map(|(driver, limit)| (driver.into(), limit)).collect();
        volumes.migrated = csi_node.body.annotation(MIGRATED_ON_NODE).unwrap_or_default().into();
        if volumes.limits.is_empty() {
            return (volumes, reads);
        }
        for pod in &node.info.pods {
            let info = self.cache.infos.get(pod.info);
            let uses = self.uses(info, pod.slot, &mut reads).into_iter();
            let here = uses.filter(|VolumeUse { plugin, .. }| {
                plugin.is_none_or(|plugin| migrated(plugin, &volumes.migrated))
            });
            volumes.of_pods.extend(here.map(|VolumeUse { volume, .. }| volume));
        }
        let mut attached = volumes.of_pods.clone();
        self.add_attachments(node.info, &mut attached);
        let count = |(driver, _): &(Text, i64)| {
            attached.iter().filter(|(name, _)| name == driver).count() as i64
        };
        volumes.counts = volumes.limits.iter().map(count).collect();
        (volumes, reads)
    }

    /// The volumes of a pod that a driver attaches.
    fn uses(&self, pod: &PodInfo, slot: u32, reads: &mut Reads) -> Vec<VolumeUse> {
        if pod.volumes.is_empty() {
            return Vec::new();
        }
        let store = self.storage.store;
        let row = store.table(store.kinds.pod).row(slot);
        let name = row.map(|row| row.name.text(&store.strings)).unwrap_or_default();
        let found = pod.volumes.iter().filter_map(|volume| {
            if let PodVolume::Disk(disk) = volume {
                return inline(disk.kind, disk.name.clone());
            }
            let claim = volume.claim_of(&name).unwrap_or_default();
            let claim = reads.note(self.storage.claim(pod.namespace, &claim))?;
            self.use_of_claim(&claim, reads)
        });
        found.collect()
    }

    /// What is attached to a node as far as the API knows.
    fn add_attachments(&self, node: &NodeInfo, volumes: &mut Attached) {
        for attachment in self.storage.all(self.storage.kinds.attachment) {
            let attacher = attachment.text(&["spec", "attacher"]);
            if attachment.text(&["spec", "nodeName"]) != node.name || attacher.is_empty() {
                continue;
            }
            let name = attachment.text(&["spec", "source", "persistentVolumeName"]);
            let Some(volume) = self.storage.volume(name) else { continue };
            if volume.body.at(&["spec", "csi"]).is_some() {
                let handle = volume.text(&["spec", "csi", "volumeHandle"]);
                volumes.insert((attacher.into(), handle.into()));
            }
        }
    }

    /// The driver of a claim's volume and what it knows the volume by. A claim without a volume
    /// counts for the driver that will make it.
    fn use_of_claim(&self, claim: &Object, reads: &mut Reads) -> Option<VolumeUse> {
        let volume = Some(claim.volume_name()).filter(|name| !name.is_empty());
        let Some(volume) = volume.and_then(|name| reads.note(self.storage.volume(name))) else {
            let class = reads.note(self.storage.class(claim.class()))?;
            let provisioner = class.text(&["provisioner"]);
            let old = MIGRATED.iter().find(|(old, _)| *old == provisioner);
            let (plugin, driver) = old.map_or((None, provisioner), |(old, new)| (Some(*old), *new));
            let handle = format!("claim {}/{}", claim.namespace(), claim.name());
            let volume = (driver.into(), handle.into());
            return (!driver.is_empty()).then_some(VolumeUse { plugin, volume });
        };
        if volume.body.at(&["spec", "csi"]).is_some() {
            let field = |field| volume.text(&["spec", "csi", field]);
            let (driver, handle) = (field("driver"), field("volumeHandle"));
            let whole = !driver.is_empty() && !handle.is_empty();
            let volume = (driver.into(), handle.into());
            return whole.then_some(VolumeUse { plugin: None, volume });
        }
        let sources = [
            ("awsElasticBlockStore", "volumeID", "kubernetes.io/aws-ebs"),
            ("gcePersistentDisk", "pdName", "kubernetes.io/gce-pd"),
            ("azureDisk", "diskURI", "kubernetes.io/azure-disk"),
            ("cinder", "volumeID", "kubernetes.io/cinder"),
            ("portworxVolume", "volumeID", "kubernetes.io/portworx-volume"),
        ];
        sources.into_iter().find_map(|(source, key, plugin)| {
            volume.body.at(&["spec", source])?;
            by_plugin(plugin, volume.text(&["spec", source, key]).into())
        })
    }
}

impl Reads {
    /// Notes an object that was looked for.
    fn note<'a>(&mut self, found: Option<Object<'a>>) -> Option<Object<'a>> {
        match &found {
            Some(object) => self.objects.push(object.id),
            None => self.missing = true,
        }
        found
    }
}

/// How many volumes of each driver a node can have.
fn limits_of(csi_node: &Body) -> Vec<(&str, i64)> {
    let drivers = csi_node.at(&["spec", "drivers"]).and_then(Value::as_list).unwrap_or_default();
    let drivers = drivers.iter();
    let limit = drivers.filter_map(|driver| {
        Some((driver.str_at(&["name"])?, driver.int_at(&["allocatable", "count"])?))
    });
    limit.collect()
}

/// A volume of an old plugin.
fn by_plugin(plugin: &'static str, handle: Text) -> Option<VolumeUse> {
    let (_, driver) = MIGRATED.iter().find(|(old, _)| *old == plugin)?;
    Some(VolumeUse { plugin: Some(plugin), volume: ((*driver).into(), handle) })
}

/// Whether a node leaves the work of an old plugin to a driver.
fn migrated(plugin: &str, list: &str) -> bool {
    list.split(',').any(|name| name == plugin)
}

/// A disk named in a pod.
fn inline(kind: DiskKind, name: Text) -> Option<VolumeUse> {
    match kind {
        DiskKind::Gce => by_plugin("kubernetes.io/gce-pd", name),
        DiskKind::Ebs => by_plugin("kubernetes.io/aws-ebs", name),
        DiskKind::Iscsi | DiskKind::Rbd => None,
    }
}

/// Whether an event could let a pod in that it rejected.
pub fn hint(event: &Event, pod: &PodInfo) -> bool {
    match event.subject {
        Subject::AssignedPod { old: Some(gone), new: None } => !gone.volumes.is_empty(),
        Subject::Storage { resource: Resource::Claim, namespace, name, .. } => {
            uses_claim(pod, namespace, name)
        }
        Subject::Storage {
            resource: Resource::CsiNode, old: Some(old), new: Some(new), ..
        } => {
            let before = limits_of(old);
            let limit = |driver: &str| before.iter().find(|(name, _)| *name == driver);
            let raised =
                |(driver, now): &(&str, i64)| *now > limit(driver).map_or(0, |(_, before)| *before);
            limits_of(new).iter().any(raised)
        }
        Subject::Storage { .. } => true,
        _ => false,
    }
}
