//! VolumeBinding: the volumes of a pod's claims must be usable on its node, and claims that
//! wait for their first consumer get one there: a volume that exists, or one to be made.
//!
//! What was chosen is written to the API when the pod is bound ([`reserve`]): the volume's
//! claim, or on the claim the node to make a volume for. Completing the bond is the business of
//! whoever watches volumes; the pod's own binding does not wait for it.

mod matching;

use std::rc::Rc;

use self::matching::Unbound;
use super::node_volume_limits::MIGRATED_ON_NODE;
use super::volume_restrictions::uses_claim;
use super::{Context, Filter, PluginId, PreFilter};
use crate::base::{Map, Quantity, StrId, Text, Value};
use crate::labels::LabelSetId;
use crate::sched::events::{Actions, Event, Interest, Resource, Subject};
use crate::sched::node_selector::NodeSelector;
use crate::sched::nodes::NodeView;
use crate::sched::pod_info::PodInfo;
use crate::sched::pod_volumes::PodVolume;
use crate::sched::status::{Reasons, Rejection};
use crate::sched::storage::{Object, SELECTED_NODE, Storage, not_found};
use crate::store::object::Body;
use crate::store::{ObjectId, Store};

/// Events after which a pod it rejected may fit.
pub const INTERESTS: &[Interest] = &[
    Interest { resource: Resource::Class, actions: Actions::ADD.or(Actions::UPDATE) },
    Interest { resource: Resource::Claim, actions: Actions::ADD.or(Actions::UPDATE) },
    Interest { resource: Resource::Volume, actions: Actions::ADD.or(Actions::UPDATE) },
    Interest { resource: Resource::Node, actions: Actions::ADD.or(Actions::UPDATE_NODE_LABEL) },
    Interest { resource: Resource::CsiNode, actions: Actions::ADD.or(Actions::UPDATE) },
    Interest { resource: Resource::Driver, actions: Actions::UPDATE },
    Interest { resource: Resource::Capacity, actions: Actions::ADD.or(Actions::UPDATE) },
];

const NODE_CONFLICT: u64 = 1;
const NO_MATCH: u64 = 1 << 1;
const NO_SPACE: u64 = 1 << 2;
const NO_VOLUME: u64 = 1 << 3;

const BOUND_BY_CONTROLLER: &str = "pv.kubernetes.io/bound-by-controller";

/// A node as volumes see it.
#[derive(Clone, Copy)]
struct Node<'a> {
    name: &'a str,
    labels: LabelSetId,
}

/// A pod's claims, sorted out.
#[derive(Clone)]
pub struct BindingFilter<'a>(Rc<Claims<'a>>);

struct Claims<'a> {
    storage: Storage<'a>,
    bound: Vec<Bound>,
    unbound: Unbound<'a>,
}

/// The volume of a claim that has one.
enum Bound {
    /// There is no such volume.
    Missing,
    /// It can be used anywhere.
    Anywhere,
    /// It can be used on these nodes.
    On(NodeSelector),
}

/// What is chosen for the claims of a pod on a node.
#[derive(Default)]
struct Chosen<'a> {
    /// Volumes with the claims that get them.
    volumes: Vec<(Object<'a>, Object<'a>)>,
    /// Claims to make volumes for.
    made: Vec<Object<'a>>,
}

/// Prepares the filter.
pub fn pre_filter<'a>(context: &Context<'a>) -> PreFilter<'a> {
    if context.pod.volumes.is_empty() {
        return PreFilter::Skip;
    }
    match Claims::of(context.store, context.pod, context.slot) {
        Ok(None) => PreFilter::Skip,
        Ok(Some(claims)) if claims.suit_every_node() => {
            PreFilter::Ready { filter: None, only: None }
        }
        Ok(Some(claims)) => {
            let filter = BindingFilter(Rc::new(claims));
            PreFilter::Ready { filter: Some(Filter::VolumeBinding(filter)), only: None }
        }
        Err(why) => PreFilter::Reject(why.into()),
    }
}

impl<'a> Claims<'a> {
    /// The claims of a pod; nothing when it has none, and an error when one of them keeps it
    /// from running anywhere.
    fn of(store: &'a Store, pod: &PodInfo, slot: u32) -> Result<Option<Self>, String> {
        let row = store.table(store.kinds.pod).row(slot);
        let name = row.map(|row| row.name.text(&store.strings)).unwrap_or_default();
        let storage = Storage::new(store);
        let mut claims = Vec::new();
        for volume in &pod.volumes {
            if let Some(claim) = volume.claim_of(&name) {
                claims.push(usable_claim(&storage, pod.namespace, volume, &claim, slot)?);
            }
        }
        if claims.is_empty() {
            return Ok(None);
        }
        let mut sorted = Self { storage, bound: Vec::new(), unbound: Unbound::new(storage) };
        for claim in claims {
            let waits = || storage.class(claim.class()).is_some_and(|c| c.waits_for_consumer());
            if claim.is_fully_bound() {
                let volume = storage.volume(claim.volume_name());
                sorted.bound.push(match volume.map(|volume| matching::affinity(&volume)) {
                    None => Bound::Missing,
                    Some(None) => Bound::Anywhere,
                    Some(Some(nodes)) => Bound::On(nodes),
                });
            } else if claim.volume_name().is_empty() && waits() {
                sorted.unbound.push(claim);
            } else {
                return Err("pod has unbound immediate PersistentVolumeClaims".to_owned());
            }
        }
        Ok(Some(sorted))
    }

    /// Whether all claims have volumes that can be used anywhere.
    fn suit_every_node(&self) -> bool {
        let anywhere = |volume: &Bound| matches!(volume, Bound::Anywhere);
        self.unbound.is_empty() && self.bound.iter().all(anywhere)
    }

    /// What is chosen on a node, or the bits of what is wrong with it.
    fn choose(&self, node: Node) -> Result<Chosen<'a>, u64> {
        let sets = &self.storage.store.sets;
        let wrong = self.bound.iter().find_map(|volume| match volume {
            Bound::Missing => Some(NO_VOLUME),
            Bound::On(nodes) if !matching::admits(sets, Some(nodes), node.labels) => {
                Some(NODE_CONFLICT)
            }
            Bound::On(_) | Bound::Anywhere => None,
        });
        let wrong = wrong.unwrap_or(0);
        match self.unbound.choose(node) {
            Ok(chosen) if wrong == 0 => Ok(chosen),
            Ok(_) => Err(wrong),
            Err(more) => Err(wrong | more),
        }
    }
}

/// The claim of this name, if a pod can use it at all.
fn usable_claim<'a>(
    storage: &Storage<'a>,
    namespace: Option<StrId>,
    volume: &PodVolume,
    name: &str,
    slot: u32,
) -> Result<Object<'a>, String> {
    let is_ephemeral = matches!(volume, PodVolume::Ephemeral(_));
    let claim = storage.claim(namespace, name).ok_or_else(|| match volume {
        PodVolume::Ephemeral(_) => format!(
            "waiting for ephemeral volume controller to create the persistentvolumeclaim \"{name}\""
        ),
        _ => not_found("persistentvolumeclaim", name),
    })?;
    if claim.phase() == "Lost" {
        let volume = claim.volume_name();
        return Err(format!(
            "persistentvolumeclaim \"{name}\" bound to non-existent persistentvolume \"{volume}\""
        ));
    }
    if claim.is_deleted() {
        return Err(format!("persistentvolumeclaim \"{name}\" is being deleted"));
    }
    let store = storage.store;
    let row = store.table(store.kinds.pod).row(slot);
    if is_ephemeral && claim.body.controller != row.and_then(|row| row.uid) {
        let pod = row.map(|row| row.name.text(&store.strings)).unwrap_or_default();
        let namespace = claim.namespace();
        return Err(format!(
            "PVC {namespace}/{name} was not created for pod {namespace}/{pod} (pod is not owner)"
        ));
    }
    Ok(claim)
}

impl BindingFilter<'_> {
    /// Judges a node.
    pub fn check(&self, node: NodeView) -> Result<(), Rejection> {
        let spec = node.info.spec.as_ref().expect("only nodes that exist are tried");
        let node = Node { name: &node.info.name, labels: spec.labels };
        let wrong = self.0.choose(node).err();
        wrong.map_or(Ok(()), |bits| Err(Rejection::unresolvable(PluginId::VOLUME_BINDING, bits)))
    }
}

/// Reason bits in words.
pub fn reasons(bits: u64) -> Reasons {
    let words = [
        (NODE_CONFLICT, "node(s) didn't match PersistentVolume's node affinity"),
        (NO_MATCH, "node(s) didn't find available persistent volumes to bind"),
        (NO_SPACE, "node(s) did not have enough free storage"),
        (NO_VOLUME, "node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)"),
    ];
    let meant = words.into_iter().filter(|(bit, _)| bits & bit != 0);
    meant.map(|(_, words)| Text::from(words)).collect()
}

/// Writes what was chosen for the claims of a pod on its node.
pub fn reserve(store: &mut Store, pod: &PodInfo, slot: u32, node: &str, labels: LabelSetId) {
    if pod.volumes.is_empty() {
        return;
    }
    let Ok(Some(claims)) = Claims::of(store, pod, slot) else { return };
    let Ok(chosen) = claims.choose(Node { name: node, labels }) else { return };
    let volumes: Vec<(ObjectId, Value)> =
        chosen.volumes.iter().map(|(volume, claim)| (volume.id, reference(claim))).collect();
    let made: Vec<ObjectId> = chosen.made.iter().map(|claim| claim.id).collect();
    for (volume, claim) in volumes {
        let given = store.body(volume).and_then(|body| body.at(&["spec", "claimRef"]).cloned());
        let same = given.as_ref().is_some_and(|given| is_same_claim(given, &claim));
        store.edit(volume, |meta, doc| {
            if given.is_none() {
                annotate(meta, BOUND_BY_CONTROLLER, "yes");
            }
            if !same {
                doc.entry("spec").map_mut().insert("claimRef", claim);
            }
        });
    }
    for claim in made {
        store.edit(claim, |meta, _| annotate(meta, SELECTED_NODE, node));
    }
}

fn annotate(meta: &mut Map, key: &str, value: &str) {
    meta.entry("annotations").map_mut().insert(key, value);
}

fn is_same_claim(given: &Value, claim: &Value) -> bool {
    ["name", "namespace", "uid"].into_iter().all(|field| given.get(field) == claim.get(field))
}

/// What a volume says of its claim.
fn reference(claim: &Object) -> Value {
    Value::map([
        ("apiVersion", Value::from("v1")),
        ("kind", "PersistentVolumeClaim".into()),
        ("namespace", claim.namespace().into()),
        ("name", claim.name().into()),
        ("uid", claim.uid().into()),
    ])
}

/// Whether an event could let a pod in that it rejected.
pub fn hint(event: &Event, pod: &PodInfo) -> bool {
    match event.subject {
        Subject::Storage { resource: Resource::Claim, namespace, name, .. } => {
            uses_claim(pod, namespace, name)
        }
        Subject::Storage { resource, old: Some(old), new: Some(new), .. } => {
            is_better(resource, old, new)
        }
        Subject::Storage { .. } | Subject::Node { .. } => true,
        _ => false,
    }
}

/// Whether a change of something to do with volumes could make a difference.
fn is_better(resource: Resource, old: &Body, new: &Body) -> bool {
    let differs = |path: &[&str]| old.at(path) != new.at(path);
    let limit = |capacity: &Body| {
        let most = capacity.at(&["maximumVolumeSize"]).or_else(|| capacity.at(&["capacity"]))?;
        Quantity::from_value(most).ok()
    };
    let tells = |driver: &Body| {
        driver.at(&["spec", "storageCapacity"]).and_then(Value::as_bool) == Some(true)
    };
    match resource {
        Resource::Class => differs(&["allowedTopologies"]),
        Resource::CsiNode => {
            let list = |node: &Body| node.annotation(MIGRATED_ON_NODE).map(ToOwned::to_owned);
            list(old) != list(new)
        }
        Resource::Driver => tells(old) && !tells(new),
        Resource::Capacity => limit(new).is_some_and(|now| limit(old).is_none_or(|old| now > old)),
        _ => true,
    }
}
