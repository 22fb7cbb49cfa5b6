//! VolumeZone: a volume that is in some zone or region can only be used there.

use std::rc::Rc;

use super::{Context, Filter, PluginId, PreFilter};
use crate::base::{Text, Value};
use crate::labels::{LabelSets, Labels};
use crate::sched::events::{Actions, Event, Interest, Resource, Subject};
use crate::sched::nodes::NodeView;
use crate::sched::pod_info::PodInfo;
use crate::sched::pod_volumes::PodVolume;
use crate::sched::status::Rejection;
use crate::sched::storage::{Object, Storage, not_found};
use crate::store::object::Body;

/// The reason in words.
pub const REASON: &str = "node(s) had no available volume zone";

/// Events after which a pod it rejected may fit.
pub const INTERESTS: &[Interest] = &[
    Interest { resource: Resource::Node, actions: Actions::ADD.or(Actions::UPDATE_NODE_LABEL) },
    Interest { resource: Resource::Class, actions: Actions::ADD },
    Interest { resource: Resource::Claim, actions: Actions::ADD.or(Actions::UPDATE) },
    Interest { resource: Resource::Volume, actions: Actions::ADD.or(Actions::UPDATE) },
];

/// The labels that say where a volume or a node is, with the name each has now.
const LABELS: [(&str, &str); 4] = [
    ("failure-domain.beta.kubernetes.io/zone", "topology.kubernetes.io/zone"),
    ("failure-domain.beta.kubernetes.io/region", "topology.kubernetes.io/region"),
    ("topology.kubernetes.io/zone", "topology.kubernetes.io/zone"),
    ("topology.kubernetes.io/region", "topology.kubernetes.io/region"),
];

/// Where a volume is.
#[derive(PartialEq)]
struct Place {
    label: &'static str,
    label_now: &'static str,
    values: Vec<Text>,
}

/// Where all of a pod's volumes are.
#[derive(Clone)]
pub struct ZoneFilter<'a> {
    sets: &'a LabelSets,
    places: Rc<Vec<Place>>,
}

/// Prepares the filter.
pub fn pre_filter<'a>(context: &Context<'a>) -> PreFilter<'a> {
    if context.pod.volumes.is_empty() {
        return PreFilter::Skip;
    }
    let storage = Storage::new(context.store);
    let mut places = Vec::new();
    for volume in &context.pod.volumes {
        let PodVolume::Claim(name) = volume else { continue };
        match volume_of(&storage, context.pod, name) {
            Err(why) => return PreFilter::Reject(why.into()),
            Ok(Some(volume)) => places.extend(places_of(volume.body, &context.store.sets)),
            Ok(None) => {}
        }
    }
    if places.is_empty() {
        return PreFilter::Skip;
    }
    let filter = ZoneFilter { sets: &context.store.sets, places: Rc::new(places) };
    PreFilter::Ready { filter: Some(Filter::VolumeZone(filter)), only: None }
}

/// The volume of a claim; nothing when it is chosen with the node.
fn volume_of<'a>(
    storage: &Storage<'a>,
    pod: &PodInfo,
    name: &str,
) -> Result<Option<Object<'a>>, String> {
    if name.is_empty() {
        return Err("PersistentVolumeClaim had no name".to_owned());
    }
    let claim = storage.claim(pod.namespace, name);
    let claim = claim.ok_or_else(|| not_found("persistentvolumeclaim", name))?;
    let volume = claim.volume_name();
    if !volume.is_empty() {
        let found = storage.volume(volume);
        return found.map(Some).ok_or_else(|| not_found("persistentvolume", volume));
    }
    let class = claim.class();
    if class.is_empty() {
        return Err("PersistentVolumeClaim had no pv name and storageClass name".to_owned());
    }
    let found = storage.class(class);
    let found = found.ok_or_else(|| not_found("storageclass.storage.k8s.io", class))?;
    if found.waits_for_consumer() {
        return Ok(None);
    }
    Err("PersistentVolume had no name".to_owned())
}

/// Where a volume is. A label may name several zones; one that names nothing in between does
/// not count.
fn places_of(volume: &Body, sets: &LabelSets) -> Vec<Place> {
    let labels = sets.get(volume.labels);
    let place = |(label, label_now): (&'static str, &'static str)| {
        let values: Vec<Text> =
            labels.value_of(label)?.split("__").map(|value| value.trim().into()).collect();
        let whole = values.iter().all(|value: &Text| !value.is_empty());
        whole.then_some(Place { label, label_now, values })
    };
    LABELS.into_iter().filter_map(place).collect()
}

impl ZoneFilter<'_> {
    /// Judges a node. One that does not say where it is is anywhere.
    pub fn check(&self, node: NodeView) -> Result<(), Rejection> {
        let spec = node.info.spec.as_ref().expect("only nodes that exist are tried");
        let labels = self.sets.get(spec.labels);
        if LABELS.iter().all(|(label, _)| labels.value_of(label).is_none()) {
            return Ok(());
        }
        let is_there = |place: &Place| {
            let value = labels.value_of(place.label).or_else(|| labels.value_of(place.label_now));
            value.is_some_and(|value| place.values.iter().any(|have| have == value))
        };
        if self.places.iter().all(is_there) {
            return Ok(());
        }
        Err(Rejection::unresolvable(PluginId::VOLUME_ZONE, 0))
    }
}

/// Whether an event could let a pod in that it rejected.
pub fn hint(event: &Event, pod: &PodInfo, sets: &LabelSets) -> bool {
    match event.subject {
        Subject::Storage { resource: Resource::Claim, namespace, name, .. } => {
            let named = |volume: &PodVolume| matches!(volume, PodVolume::Claim(own) if own == name);
            namespace == pod.namespace && pod.volumes.iter().any(named)
        }
        Subject::Storage { resource: Resource::Class, new: Some(class), .. } => {
            class.at(&["volumeBindingMode"]).and_then(Value::as_str) == Some("WaitForFirstConsumer")
        }
        Subject::Storage { resource: Resource::Volume, old: Some(old), new: Some(new), .. } => {
            places_of(old, sets) != places_of(new, sets)
        }
        _ => true,
    }
}
