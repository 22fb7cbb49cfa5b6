//! NodeVolumeLimits: a node can have only so many volumes of a driver attached.

use std::collections::BTreeSet;

use super::{Context, Filter, PluginId, PreFilter};
use crate::base::{Text, Value};
use crate::sched::cache::Cache;
use crate::sched::events::{Actions, Event, Interest, Resource, Subject};
use crate::sched::nodes::{NodeInfo, NodeView};
use crate::sched::pod_info::PodInfo;
use crate::sched::pod_volumes::{DiskKind, PodVolume};
use crate::sched::status::Rejection;
use crate::sched::storage::{Object, Storage};
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

/// The pod's volumes against what is attached to a node.
#[derive(Clone)]
pub struct LimitsFilter<'a> {
    storage: Storage<'a>,
    cache: &'a Cache,
    pod: &'a PodInfo,
    slot: u32,
}

/// Prepares the filter.
pub fn pre_filter<'a>(context: &Context<'a>) -> PreFilter<'a> {
    let counts = |volume: &PodVolume| match volume {
        PodVolume::Claim(_) | PodVolume::Ephemeral(_) => true,
        PodVolume::Disk(disk) => matches!(disk.kind, DiskKind::Gce | DiskKind::Ebs),
    };
    if !context.pod.volumes.iter().any(counts) {
        return PreFilter::Skip;
    }
    let filter = LimitsFilter {
        storage: Storage::new(context.store),
        cache: context.cache,
        pod: context.pod,
        slot: context.slot,
    };
    PreFilter::Ready { filter: Some(Filter::NodeVolumeLimits(filter)), only: None }
}

impl LimitsFilter<'_> {
    /// Judges a node.
    pub fn check(&self, node: NodeView) -> Result<(), Rejection> {
        let Some(csi_node) = self.storage.csi_node(&node.info.name) else { return Ok(()) };
        let limits = limits_of(csi_node.body);
        let least = limits.iter().map(|(_, limit)| *limit).min();
        if least.is_none_or(|least| self.volumes_at_most(node.info) <= least) {
            return Ok(());
        }
        let mut new = Attached::new();
        self.add_volumes(self.pod, self.slot, &csi_node, &mut new);
        if new.is_empty() {
            return Ok(());
        }
        let mut attached = Attached::new();
        for pod in &node.info.pods {
            let info = self.cache.infos.get(pod.info);
            self.add_volumes(info, pod.slot, &csi_node, &mut attached);
        }
        new.retain(|volume| !attached.contains(volume));
        self.add_attachments(node.info, &mut attached);
        for (driver, limit) in limits {
            let of_driver = |volumes: &Attached| {
                volumes.iter().filter(|(name, _)| name == driver).count() as i64
            };
            let more = of_driver(&new);
            if more > 0 && of_driver(&attached) + more > limit {
                return Err(Rejection::unschedulable(PluginId::NODE_VOLUME_LIMITS, 0));
            }
        }
        Ok(())
    }

    /// No fewer volumes than the node would have with the pod, of whatever driver: counted
    /// without looking any of them up.
    fn volumes_at_most(&self, node: &NodeInfo) -> i64 {
        let here = node.pods.iter().map(|pod| self.cache.infos.get(pod.info).volumes.len());
        let attachments = self.storage.count(self.storage.kinds.attachment);
        (here.sum::<usize>() + self.pod.volumes.len() + attachments) as i64
    }

    /// Adds the volumes of a pod that a driver attaches.
    fn add_volumes(&self, pod: &PodInfo, slot: u32, csi_node: &Object, volumes: &mut Attached) {
        if pod.volumes.is_empty() {
            return;
        }
        let store = self.storage.store;
        let row = store.table(store.kinds.pod).row(slot);
        let name = row.map(|row| row.name.text(&store.strings)).unwrap_or_default();
        for volume in &pod.volumes {
            let found = if let PodVolume::Disk(disk) = volume {
                let driver = inline(disk.kind, csi_node);
                driver.map(|driver| (Text::from(driver), disk.name.clone()))
            } else {
                let claim = volume.claim_of(&name).unwrap_or_default();
                let claim = self.storage.claim(pod.namespace, &claim);
                claim.and_then(|claim| self.driver_and_handle(&claim, csi_node))
            };
            volumes.extend(found);
        }
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
    fn driver_and_handle(&self, claim: &Object, csi_node: &Object) -> Option<(Text, Text)> {
        let volume = Some(claim.volume_name()).filter(|name| !name.is_empty());
        let Some(volume) = volume.and_then(|name| self.storage.volume(name)) else {
            let class = self.storage.class(claim.class())?;
            let provisioner = class.text(&["provisioner"]);
            let driver = match csi_name(provisioner) {
                Some(driver) => migrated(provisioner, csi_node).then_some(driver)?,
                None => provisioner,
            };
            let handle = format!("claim {}/{}", claim.namespace(), claim.name());
            return (!driver.is_empty()).then(|| (driver.into(), handle.into()));
        };
        if volume.body.at(&["spec", "csi"]).is_some() {
            let field = |field| volume.text(&["spec", "csi", field]);
            let (driver, handle) = (field("driver"), field("volumeHandle"));
            let whole = !driver.is_empty() && !handle.is_empty();
            return whole.then(|| (driver.into(), handle.into()));
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
            let driver = migrated(plugin, csi_node).then(|| csi_name(plugin))??;
            Some((driver.into(), volume.text(&["spec", source, key]).into()))
        })
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

fn csi_name(plugin: &str) -> Option<&'static str> {
    MIGRATED.iter().find(|(old, _)| *old == plugin).map(|(_, driver)| *driver)
}

/// Whether a node leaves the work of an old plugin to a driver.
fn migrated(plugin: &str, csi_node: &Object) -> bool {
    let list = csi_node.body.annotation(MIGRATED_ON_NODE).unwrap_or_default();
    list.split(',').any(|name| name == plugin)
}

/// The driver that attaches a disk named in a pod.
fn inline(kind: DiskKind, csi_node: &Object) -> Option<&'static str> {
    let plugin = match kind {
        DiskKind::Gce => "kubernetes.io/gce-pd",
        DiskKind::Ebs => "kubernetes.io/aws-ebs",
        DiskKind::Iscsi | DiskKind::Rbd => return None,
    };
    csi_name(plugin).filter(|_| migrated(plugin, csi_node))
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
