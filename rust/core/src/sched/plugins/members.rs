//! Which nodes lie in which domain, by their places in the order they are looked at; and sets of
//! such places.

use std::sync::Arc;

use crate::sched::nodes::{NodeId, Nodes};
use crate::sched::topologies::KeyId;

/// The places in each domain of one topology.
#[derive(Debug)]
pub struct Members {
    /// By domain where its places begin; one more than there are domains.
    starts: Vec<u32>,
    places: Vec<u32>,
}

impl Members {
    fn new(nodes: &Nodes, key: KeyId) -> Self {
        let topology = nodes.topologies.get(key);
        let mut starts = vec![0; topology.domains() + 1];
        let domains = || nodes.order().iter().map(|id| topology.of(*id));
        for domain in domains().flatten() {
            starts[domain.index() + 1] += 1;
        }
        for domain in 1..starts.len() {
            starts[domain] += starts[domain - 1];
        }
        let mut next = starts.clone();
        let mut places = vec![0; *starts.last().expect("there is a first one") as usize];
        for (place, domain) in domains().enumerate() {
            if let Some(domain) = domain {
                let at = &mut next[domain.index()];
                places[*at as usize] = place as u32;
                *at += 1;
            }
        }
        Self { starts, places }
    }

    /// The places in a domain.
    pub fn of(&self, domain: usize) -> &[u32] {
        if domain + 1 >= self.starts.len() {
            return &[];
        }
        &self.places[self.starts[domain] as usize..self.starts[domain + 1] as usize]
    }
}

/// What places and domains mean: as long as this is the same, so are they.
#[derive(Clone, Debug, Default)]
pub struct Edition {
    order: Arc<Vec<NodeId>>,
    topologies: u64,
}

impl Edition {
    /// As it is now.
    pub fn of(nodes: &Nodes) -> Self {
        Self { order: Arc::clone(nodes.shared_order()), topologies: nodes.topologies.version() }
    }

    /// Whether nothing has changed.
    pub fn holds(&self, nodes: &Nodes) -> bool {
        self.topologies == nodes.topologies.version()
            && Arc::ptr_eq(&self.order, nodes.shared_order())
    }
}

/// The members of the topologies that were asked for.
#[derive(Debug, Default)]
pub struct MemberLists {
    edition: Edition,
    lists: Vec<Option<Arc<Members>>>,
}

impl MemberLists {
    /// The members of a topology.
    pub fn of(&mut self, nodes: &Nodes, key: KeyId) -> Arc<Members> {
        if !self.edition.holds(nodes) {
            *self = Self { edition: Edition::of(nodes), lists: Vec::new() };
        }
        if key.index() >= self.lists.len() {
            self.lists.resize(key.index() + 1, None);
        }
        let list = &mut self.lists[key.index()];
        Arc::clone(list.get_or_insert_with(|| Arc::new(Members::new(nodes, key))))
    }
}

/// A set of places.
#[derive(Clone, Debug, Default)]
pub struct Places {
    bits: Vec<u64>,
}

impl Places {
    /// The places for which something holds.
    pub fn new(count: usize, mut holds: impl FnMut(usize) -> bool) -> Self {
        let mut places = Self { bits: vec![0; count.div_ceil(64)] };
        (0..count).filter(|place| holds(*place)).for_each(|place| places.set(place, true));
        places
    }

    /// Puts a place in or leaves it out.
    pub fn set(&mut self, place: usize, is_in: bool) {
        let (word, bit) = (&mut self.bits[place / 64], 1 << (place % 64));
        if is_in { *word |= bit } else { *word &= !bit }
    }

    /// The set, a bit per place.
    pub fn bits(&self) -> &[u64] {
        &self.bits
    }
}
