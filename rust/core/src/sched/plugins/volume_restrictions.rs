//! VolumeRestrictions: some disks cannot be used by two pods of a node, and a claim that only
//! one pod may use by no second pod anywhere.

use smallvec::SmallVec;

use super::{Context, Filter, PluginId, PreFilter};
use crate::base::Text;
use crate::sched::events::{Actions, Event, Interest, Resource, Subject};
use crate::sched::nodes::NodeView;
use crate::sched::pod_info::{PodInfo, PodInfos};
use crate::sched::pod_volumes::{Disk, PodVolume};
use crate::sched::status::Rejection;
use crate::sched::storage::{Storage, not_found};

/// The reasons in words, by their numbers.
pub const REASONS: [&str; 2] = [
    "node(s) had no available disk",
    "node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode already \
     in-use by another pod",
];

/// Events after which a pod it rejected may fit.
pub const INTERESTS: &[Interest] = &[
    Interest { resource: Resource::Pod, actions: Actions::DELETE },
    Interest { resource: Resource::Node, actions: Actions::ADD },
    Interest { resource: Resource::Claim, actions: Actions::ADD },
];

/// What a pod's disks and claims leave.
#[derive(Clone)]
pub struct RestrictionsFilter<'a> {
    infos: &'a PodInfos,
    pod: &'a PodInfo,
    /// The pod's claims that only one pod may use.
    exclusive: SmallVec<[Text; 1]>,
    /// How often those are in use.
    uses: i64,
}

/// Prepares the filter.
pub fn pre_filter<'a>(context: &Context<'a>) -> PreFilter<'a> {
    let (pod, infos) = (context.pod, &context.cache.infos);
    if pod.volumes.is_empty() {
        return PreFilter::Skip;
    }
    let storage = Storage::new(context.store);
    let mut exclusive: SmallVec<[Text; 1]> = SmallVec::new();
    for name in claims(pod) {
        let Some(claim) = storage.claim(pod.namespace, name) else {
            return PreFilter::Reject(not_found("persistentvolumeclaim", name).into());
        };
        let mut modes = claim.texts(&["spec", "accessModes"]);
        if modes.any(|mode| mode == "ReadWriteOncePod") && !exclusive.contains(name) {
            exclusive.push(name.clone());
        }
    }
    let used = |name: &&Text| {
        context.cache.on_nodes.contents().any(|content| {
            let other = infos.get(content);
            other.namespace == pod.namespace && claims(other).any(|claim| claim == *name)
        })
    };
    let uses = exclusive.iter().filter(used).count() as i64;
    if uses == 0 && disks(pod).next().is_none() {
        return PreFilter::Skip;
    }
    let filter = RestrictionsFilter { infos, pod, exclusive, uses };
    PreFilter::Ready { filter: Some(Filter::VolumeRestrictions(filter)), only: None }
}

impl RestrictionsFilter<'_> {
    /// Judges a node.
    pub fn check(&self, node: NodeView) -> Result<(), Rejection> {
        let rejection =
            |reason| Err(Rejection::unschedulable(PluginId::VOLUME_RESTRICTIONS, reason));
        let others = || node.info.pods.iter().map(|pod| self.infos.get(pod.info));
        if disks(self.pod).next().is_some() && others().any(|other| conflict(self.pod, other)) {
            return rejection(0);
        }
        if self.uses > 0 {
            return rejection(1);
        }
        Ok(())
    }

    /// Follows a pod being put on a node, or taken off it. As in Kubernetes its namespace does
    /// not matter here.
    pub fn follow(&mut self, pod: &PodInfo, sign: i64) {
        let uses = claims(pod).filter(|name| self.exclusive.contains(*name)).count() as i64;
        self.uses += sign * uses;
    }
}

/// The claims a pod names.
fn claims(pod: &PodInfo) -> impl Iterator<Item = &Text> {
    pod.volumes.iter().filter_map(|volume| match volume {
        PodVolume::Claim(name) => Some(name),
        _ => None,
    })
}

fn disks(pod: &PodInfo) -> impl Iterator<Item = &Disk> {
    pod.volumes.iter().filter_map(|volume| match volume {
        PodVolume::Disk(disk) => Some(disk),
        _ => None,
    })
}

fn conflict(pod: &PodInfo, other: &PodInfo) -> bool {
    disks(pod).any(|disk| disks(other).any(|other| disk.conflicts(other)))
}

/// Whether an event could let a pod in that it rejected.
pub fn hint(event: &Event, pod: &PodInfo) -> bool {
    match event.subject {
        Subject::Node { .. } => true,
        Subject::AssignedPod { old: Some(gone), new: None } => {
            let same = |name: &Text| claims(gone).any(|other| other == name);
            gone.namespace == pod.namespace && (conflict(pod, gone) || claims(pod).any(same))
        }
        Subject::Storage { namespace, name, .. } => {
            namespace == pod.namespace && claims(pod).any(|claim| claim == name)
        }
        _ => false,
    }
}

/// Whether a pod names a claim, or has a volume whose claim is called like this.
pub fn uses_claim(pod: &PodInfo, namespace: Option<crate::base::StrId>, name: &str) -> bool {
    namespace == pod.namespace
        && pod.volumes.iter().any(|volume| match volume {
            PodVolume::Claim(claim) => claim == name,
            // The pod's name is not known here.
            PodVolume::Ephemeral(own) => {
                name.strip_suffix(own.as_str()).is_some_and(|pod| pod.ends_with('-'))
            }
            PodVolume::Disk(_) => false,
        })
}
