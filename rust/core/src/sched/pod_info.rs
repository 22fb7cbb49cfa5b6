//! What the scheduler needs of a pod, compiled once per body and shared by equal pods.
//!
//! Two pods of one [`PodInfo`] are interchangeable to every plugin: the same namespace, labels,
//! owner and every part of the spec that scheduling looks at. Names, uids and times are not in
//! it, and neither is anything that changes while the pod runs.

use std::sync::Arc;

use smallvec::SmallVec;

use super::node_selector::NodeAffinity;
use super::plugins::gpu_share::request::GpuRequest;
use super::pod_affinity::PodAffinity;
use super::pod_volumes::PodVolume;
use super::requests::{Requests, is_sidecar};
use super::spread_constraint::{Owner, SpreadConstraint};
use super::taints::Toleration;
use crate::base::{CowIndex, CowVec, StrId, Text, Value, hash_of};
use crate::define_id;
use crate::labels::LabelSetId;
use crate::store::Body;

/// The scheduler of pods that name none.
pub const DEFAULT_SCHEDULER: &str = "default-scheduler";

/// A port of the node that a pod takes for itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct HostPort {
    /// `hostIP`; `0.0.0.0` stands for every address.
    pub ip: Text,
    /// `protocol`.
    pub protocol: Text,
    /// `hostPort`.
    pub port: i64,
}

/// What the scheduler needs of a pod; see the module header.
#[derive(Clone, Debug, PartialEq)]
pub struct PodInfo {
    /// `metadata.namespace`.
    pub namespace: Option<StrId>,
    /// `metadata.labels`.
    pub labels: LabelSetId,
    /// `spec.schedulerName`.
    pub scheduler_name: Text,
    /// `spec.priority`.
    pub priority: i32,
    /// Whether `spec.preemptionPolicy` lets it take the place of others.
    pub preempts: bool,
    /// Names of `spec.schedulingGates`.
    pub gates: SmallVec<[Text; 0]>,
    /// Amounts of resources.
    pub requests: Requests,
    /// `spec.tolerations`.
    pub tolerations: Vec<Toleration>,
    /// What the spec says about nodes.
    pub node_affinity: Option<NodeAffinity>,
    /// `spec.topologySpreadConstraints`.
    pub spread: Vec<SpreadConstraint>,
    /// `podAffinity` and `podAntiAffinity`.
    pub affinity: Option<Box<PodAffinity>>,
    /// Its controller, if of a kind that says which pods belong together.
    pub owner: Option<Owner>,
    /// Ports it takes on its node.
    pub host_ports: SmallVec<[HostPort; 0]>,
    /// Volumes that scheduling asks about.
    pub volumes: SmallVec<[PodVolume; 0]>,
    /// Images of its containers, init containers and volumes, as nodes list them; one that is
    /// used twice is here twice.
    pub images: SmallVec<[Text; 2]>,
    /// How many containers and init containers it has.
    pub containers: u32,
    /// What its annotations ask of GPUs.
    pub gpu: Option<Box<GpuRequest>>,
    hash: u64,
    kind_hash: u64,
}

impl PodInfo {
    /// What is needed of the pod with this body, compiled at first use.
    pub fn of(body: &Body) -> Arc<Self> {
        let compiled = body.compiled.get_or_init(|| Arc::new(Self::compile(body)));
        let info = Arc::clone(compiled).downcast();
        info.expect("the bodies of pods are compiled to what the scheduler needs of pods")
    }

    /// Compiles a body; a pure function of its content.
    fn compile(body: &Body) -> Self {
        let none = Value::Null;
        let spec = body.doc.get("spec").unwrap_or(&none);
        let spread = spec.list_at(&["topologySpreadConstraints"]);
        let mut info = Self {
            namespace: body.namespace,
            labels: body.labels,
            scheduler_name: spec.str_at(&["schedulerName"]).unwrap_or(DEFAULT_SCHEDULER).into(),
            priority: spec.int_at(&["priority"]).unwrap_or(0) as i32,
            preempts: spec.str_at(&["preemptionPolicy"]) != Some("Never"),
            gates: gates(spec),
            requests: Requests::compile(spec, &body.status),
            tolerations: Toleration::read_list(spec),
            node_affinity: NodeAffinity::read(spec),
            spread: spread.iter().map(SpreadConstraint::read).collect(),
            affinity: PodAffinity::read(spec, body.namespace),
            owner: Owner::read(&body.meta),
            host_ports: host_ports(spec),
            volumes: PodVolume::read_list(spec),
            images: images(spec),
            containers: (spec.list_at(&["containers"]).len()
                + spec.list_at(&["initContainers"]).len()) as u32,
            gpu: GpuRequest::read(body),
            hash: 0,
            kind_hash: 0,
        };
        // Pods of a DaemonSet differ in their node affinity alone, those of a StatefulSet in
        // their volumes.
        let hash_at = |path: &[&str]| spec.at(path).map_or(0, Value::content_hash);
        info.kind_hash = hash_of(&(
            (&info.scheduler_name, &info.requests, &info.tolerations),
            (&info.host_ports, &info.images, info.containers, &info.gpu),
            (hash_at(&["nodeSelector"]), hash_at(&["affinity", "nodeAffinity"])),
        ));
        info.hash = hash_of(&(
            (info.namespace, info.labels, info.priority, &info.owner),
            (info.kind_hash, hash_at(&["volumes"])),
        ));
        info
    }

    /// Whether two pods are the same to every plugin that looks at one node and nothing else,
    /// whoever they belong to.
    pub fn is_same_kind(&self, other: &Self) -> bool {
        self.kind_hash == other.kind_hash
            && self.scheduler_name == other.scheduler_name
            && self.requests == other.requests
            && self.tolerations == other.tolerations
            && self.node_affinity == other.node_affinity
            && self.host_ports == other.host_ports
            && self.images == other.images
            && self.containers == other.containers
            && self.gpu == other.gpu
    }

    /// The same for pods of the same kind; see [`Self::is_same_kind`].
    pub fn kind_hash(&self) -> u64 {
        self.kind_hash
    }

    /// The topology keys it names.
    pub fn topology_keys(&self) -> impl Iterator<Item = &Text> {
        let affinity = self.affinity.iter().flat_map(|affinity| affinity.topology_keys());
        self.spread.iter().map(|constraint| &constraint.key).chain(affinity)
    }
}

fn gates(spec: &Value) -> SmallVec<[Text; 0]> {
    let gates = spec.list_at(&["schedulingGates"]).iter();
    gates.filter_map(|gate| gate.str_at(&["name"])).map(Text::from).collect()
}

/// Host ports of what runs as long as the pod does: containers and sidecars.
fn host_ports(spec: &Value) -> SmallVec<[HostPort; 0]> {
    let sidecars = spec.list_at(&["initContainers"]).iter().filter(|c| is_sidecar(c));
    let containers = sidecars.chain(spec.list_at(&["containers"]));
    let ports = containers.flat_map(|container| container.list_at(&["ports"]));
    let word = |port: &Value, key: &str, default: &str| {
        Text::from(port.str_at(&[key]).filter(|word| !word.is_empty()).unwrap_or(default))
    };
    ports
        .filter_map(|port| {
            Some(HostPort {
                ip: word(port, "hostIP", "0.0.0.0"),
                protocol: word(port, "protocol", "TCP"),
                port: port.int_at(&["hostPort"]).filter(|number| *number > 0)?,
            })
        })
        .collect()
}

fn images(spec: &Value) -> SmallVec<[Text; 2]> {
    let containers = spec.list_at(&["initContainers"]).iter().chain(spec.list_at(&["containers"]));
    let images = containers.map(|container| container.str_at(&["image"]).unwrap_or_default());
    let volumes = spec.list_at(&["volumes"]).iter();
    let mounted = volumes
        .filter_map(|volume| Some(volume.get("image")?.str_at(&["reference"]).unwrap_or_default()));
    images.chain(mounted).map(normalized_image).collect()
}

/// An image's name with its tag: `:latest` when it has none.
pub fn normalized_image(name: &str) -> Text {
    let tagged = match (name.rfind(':'), name.rfind('/')) {
        (Some(colon), Some(slash)) => colon > slash,
        (colon, _) => colon.is_some(),
    };
    if tagged { name.into() } else { format!("{name}:latest").into() }
}

define_id! {
    /// A distinct [`PodInfo`] of one scheduler.
    InfoId
}

/// Every distinct [`PodInfo`] in use, numbered. A number lives as long as a pod uses it.
#[derive(Clone, Debug, Default)]
pub struct PodInfos {
    entries: CowVec<Option<Entry>>,
    index: CowIndex,
    free: CowVec<u32>,
    serials: u32,
    version: u64,
}

#[derive(Clone, Debug)]
struct Entry {
    info: Arc<PodInfo>,
    uses: u32,
    serial: u32,
}

/// A content for good: numbers are given to others once they are free, this is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Content {
    info: InfoId,
    serial: u32,
}

impl PodInfos {
    /// The number of an info, counting one more use of it.
    pub fn acquire(&mut self, info: &Arc<PodInfo>) -> InfoId {
        self.version += 1;
        if let Some(id) = self.find(info) {
            self.entry_mut(id).uses += 1;
            return id;
        }
        let at = match self.free.len().checked_sub(1) {
            Some(last) => {
                let at = self.free[last];
                self.free.resize(last);
                at
            }
            None => self.entries.push(None) as u32,
        };
        self.serials += 1;
        let entry = Entry { info: Arc::clone(info), uses: 1, serial: self.serials };
        self.entries.set(at as usize, Some(entry));
        self.index.insert(info.hash, at);
        InfoId::new(at as usize)
    }

    /// Ends one use of a number.
    pub fn release(&mut self, id: InfoId) {
        self.version += 1;
        let entry = self.entry_mut(id);
        entry.uses -= 1;
        if entry.uses == 0 {
            let hash = entry.info.hash;
            self.index.remove(hash, id.index() as u32);
            self.entries.set(id.index(), None);
            self.free.push(id.index() as u32);
        }
    }

    /// The info behind a number in use.
    pub fn get(&self, id: InfoId) -> &Arc<PodInfo> {
        &self.entry(id).info
    }

    /// The content behind a number in use, for good.
    pub fn content(&self, id: InfoId) -> Content {
        Content { info: id, serial: self.entry(id).serial }
    }

    /// A content, if any pod still has it.
    pub fn of(&self, content: Content) -> Option<&Arc<PodInfo>> {
        let entry = self.entries[content.info.index()].as_ref();
        entry.filter(|entry| entry.serial == content.serial).map(|entry| &entry.info)
    }

    /// The number of an info that is in use.
    pub fn find(&self, info: &Arc<PodInfo>) -> Option<InfoId> {
        let same = |number: u32| {
            let entry = self.entries[number as usize].as_ref();
            entry.is_some_and(|entry| Arc::ptr_eq(&entry.info, info) || entry.info == *info)
        };
        self.index.find(info.hash, same).map(|number| InfoId::new(number as usize))
    }

    /// One past the highest number ever used.
    pub fn numbers(&self) -> usize {
        self.entries.len()
    }

    /// How many distinct infos are in use.
    pub fn len(&self) -> usize {
        self.index.len()
    }

    /// Every info in use, and how many uses it has.
    pub fn iter(&self) -> impl Iterator<Item = (&Arc<PodInfo>, u32)> {
        self.entries.iter().flatten().map(|entry| (&entry.info, entry.uses))
    }

    /// A number that grows whenever a use begins or ends.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Whether none is in use.
    pub fn is_empty(&self) -> bool {
        self.index.is_empty()
    }

    fn entry(&self, id: InfoId) -> &Entry {
        self.entries[id.index()].as_ref().expect("the number is in use")
    }

    fn entry_mut(&mut self, id: InfoId) -> &mut Entry {
        self.entries.get_mut(id.index()).as_mut().expect("the number is in use")
    }
}

#[cfg(test)]
mod tests {
    use super::normalized_image;

    #[test]
    fn an_image_without_a_tag_is_the_latest() {
        for (name, normalized) in [
            ("web", "web:latest"),
            ("web:1", "web:1"),
            ("registry:5000/web", "registry:5000/web:latest"),
            ("registry:5000/web:1", "registry:5000/web:1"),
            ("", ":latest"),
        ] {
            assert_eq!(normalized_image(name), normalized);
        }
    }
}
