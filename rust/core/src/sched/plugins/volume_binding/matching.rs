//! Finding volumes for claims that wait for their first consumer.

use super::{Chosen, NO_MATCH, NO_SPACE, Node};
use crate::base::{Quantity, Value};
use crate::labels::{LabelSetId, LabelSets, Selector};
use crate::sched::node_selector::{Matcher, NodeSelector};
use crate::sched::storage::{Object, SELECTED_NODE, Storage};

/// Claims without a volume, with the volumes there are of their classes.
pub struct Unbound<'a> {
    storage: Storage<'a>,
    claims: Vec<Wanted<'a>>,
    volumes: Vec<Offered<'a>>,
}

/// A claim.
struct Wanted<'a> {
    claim: Object<'a>,
    class: &'a str,
    size: Quantity,
    selector: Option<Selector>,
    /// The node a volume is already being made for.
    node: Option<&'a str>,
}

/// A volume.
struct Offered<'a> {
    volume: Object<'a>,
    class: &'a str,
    size: Quantity,
    affinity: Option<NodeSelector>,
    has_claim: bool,
    is_available: bool,
}

/// Where a volume can be used; nothing for anywhere.
pub fn affinity(volume: &Object) -> Option<NodeSelector> {
    let required = volume.body.at(&["spec", "nodeAffinity", "required"])?;
    (!required.is_null()).then(|| NodeSelector::read(required))
}

/// Whether a volume can be used on a node with these labels.
pub fn admits(sets: &LabelSets, affinity: Option<&NodeSelector>, labels: LabelSetId) -> bool {
    affinity.is_none_or(|required| Matcher::of_selector(sets, Some(required)).matches(labels, ""))
}

impl<'a> Unbound<'a> {
    /// No claims yet.
    pub fn new(storage: Storage<'a>) -> Self {
        Self { storage, claims: Vec::new(), volumes: Vec::new() }
    }

    /// Whether there are no claims.
    pub fn is_empty(&self) -> bool {
        self.claims.is_empty()
    }

    /// Adds a claim, and the volumes of its class.
    pub fn push(&mut self, claim: Object<'a>) {
        let class = claim.class();
        if !self.claims.iter().any(|wanted| wanted.class == class) {
            let all = self.storage.all(self.storage.kinds.volume);
            let of_class = all.filter(|volume| volume.class() == class);
            self.volumes.extend(of_class.filter(|volume| !volume.is_deleted()).map(Offered::new));
        }
        let selector = claim.body.at(&["spec", "selector"]).filter(|value| !value.is_null());
        let read = |value| Selector::from_label_selector(value).unwrap_or(Selector::nothing());
        let node = claim.body.annotation(SELECTED_NODE);
        let (size, selector) = (claim.requested(), selector.map(read));
        self.claims.push(Wanted { claim, class, size, selector, node });
        // The smallest claim chooses first.
        self.claims.sort_by_key(|wanted| wanted.size);
    }

    /// What is chosen on a node, or the bits of what is wrong with it.
    pub fn choose(&self, node: Node) -> Result<Chosen<'a>, u64> {
        let mut chosen = Chosen::default();
        let (fixed, free): (Vec<_>, Vec<_>) =
            self.claims.iter().partition(|wanted| wanted.node.is_some());
        if fixed.iter().any(|wanted| wanted.node != Some(node.name)) {
            return Err(NO_MATCH);
        }
        let mut made: Vec<&Wanted> = fixed;
        for wanted in free {
            match self.best_volume(wanted, &chosen, node) {
                Some(volume) => chosen.volumes.push((volume, wanted.claim)),
                None => made.push(wanted),
            }
        }
        for wanted in made {
            self.check_making(wanted, node)?;
            chosen.made.push(wanted.claim);
        }
        Ok(chosen)
    }

    /// The volume somebody meant for the claim, or the smallest that fits.
    fn best_volume(&self, wanted: &Wanted<'a>, chosen: &Chosen, node: Node) -> Option<Object<'a>> {
        let sets = &self.storage.store.sets;
        let mut smallest: Option<&Offered> = None;
        for offered in self.volumes.iter().filter(|offered| offered.class == wanted.class) {
            let taken = chosen.volumes.iter().any(|(volume, _)| volume.id == offered.volume.id);
            let is_ours = offered.has_claim && offered.volume.is_bound_to(&wanted.claim);
            if taken || (offered.has_claim && !is_ours) || !offered.suits(wanted) {
                continue;
            }
            let usable = || admits(sets, offered.affinity.as_ref(), node.labels);
            if is_ours {
                return usable().then_some(offered.volume);
            }
            let smaller = smallest.is_none_or(|have| have.size > offered.size);
            if smaller && offered.is_available && offered.is_selected(wanted, sets) && usable() {
                smallest = Some(offered);
            }
        }
        smallest.map(|offered| offered.volume)
    }

    /// Whether a volume can be made for a claim on a node.
    fn check_making(&self, wanted: &Wanted, node: Node) -> Result<(), u64> {
        let class = self.storage.class(wanted.class).ok_or(NO_MATCH)?;
        let provisioner = class.provisioner().ok_or(NO_MATCH)?;
        if !class.allows_topology(&self.storage.store.sets, node.labels) {
            return Err(NO_MATCH);
        }
        let enough = self.has_capacity(provisioner, wanted, node);
        enough.then_some(()).ok_or(NO_SPACE)
    }

    /// Whether there is storage enough near a node, if the driver says how much there is.
    fn has_capacity(&self, provisioner: &str, wanted: &Wanted, node: Node) -> bool {
        let driver = self.storage.driver(provisioner);
        let tells = driver.and_then(|driver| driver.body.at(&["spec", "storageCapacity"]));
        if wanted.size == Quantity::ZERO || tells.and_then(Value::as_bool) != Some(true) {
            return true;
        }
        let sets = &self.storage.store.sets;
        let mut all = self.storage.all(self.storage.kinds.capacity);
        all.any(|capacity| {
            let limit = capacity
                .quantity(&["maximumVolumeSize"])
                .or_else(|| capacity.quantity(&["capacity"]));
            let near = capacity.body.at(&["nodeTopology"]).filter(|value| !value.is_null());
            let near = near.and_then(|value| Selector::from_label_selector(value).ok());
            capacity.text(&["storageClassName"]) == wanted.class
                && limit.is_some_and(|limit| limit.value() >= wanted.size.value())
                && near.is_some_and(|near| near.matches(&sets.get(node.labels)))
        })
    }
}

impl<'a> Offered<'a> {
    fn new(volume: Object<'a>) -> Self {
        Self {
            class: volume.class(),
            size: volume.quantity(&["spec", "capacity", "storage"]).unwrap_or(Quantity::ZERO),
            affinity: affinity(&volume),
            has_claim: volume.body.at(&["spec", "claimRef"]).is_some_and(|claim| !claim.is_null()),
            is_available: volume.phase() == "Available",
            volume,
        }
    }

    /// Whether size and mode are right, whoever the volume is meant for.
    fn suits(&self, wanted: &Wanted) -> bool {
        let word =
            |field| (self.volume.text(&["spec", field]), wanted.claim.text(&["spec", field]));
        let is_filesystem = |mode: &str| mode != "Block";
        let (own_mode, wanted_mode) = word("volumeMode");
        let (own_attributes, wanted_attributes) = word("volumeAttributesClassName");
        self.size >= wanted.size
            && own_attributes == wanted_attributes
            && is_filesystem(own_mode) == is_filesystem(wanted_mode)
    }

    /// Whether the claim's selector and ways of access let a volume nobody is meant for be
    /// taken.
    fn is_selected(&self, wanted: &Wanted, sets: &LabelSets) -> bool {
        let labels = sets.get(self.volume.body.labels);
        let offers =
            |mode: &str| self.volume.texts(&["spec", "accessModes"]).any(|offered| offered == mode);
        wanted.selector.as_ref().is_none_or(|selector| selector.matches(&labels))
            && wanted.claim.texts(&["spec", "accessModes"]).all(offers)
    }
}
