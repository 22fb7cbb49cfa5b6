//! Numbers per domain of several topologies.

use crate::base::Text;
use crate::sched::nodes::NodeId;
use crate::sched::topologies::{KeyId, Topologies};

/// A number per domain of each topology that was counted in.
#[derive(Clone)]
pub struct Counts<'a> {
    topologies: &'a Topologies,
    columns: Vec<(KeyId, Vec<i64>)>,
    /// How many of the numbers are not zero.
    present: usize,
}

impl<'a> Counts<'a> {
    /// Nothing counted.
    pub fn new(topologies: &'a Topologies) -> Self {
        Self { topologies, columns: Vec::new(), present: 0 }
    }

    /// The number of a topology key that a pod names.
    pub fn key(&self, key: &Text) -> KeyId {
        self.topologies.find(key).expect("keys in use are known")
    }

    /// Whether every number is zero.
    pub fn is_empty(&self) -> bool {
        self.present == 0
    }

    /// Adds to the domain a node lies in, if it lies in any; says whether it does.
    pub fn add(&mut self, key: KeyId, node: NodeId, amount: i64) -> bool {
        let topology = self.topologies.get(key);
        let Some(domain) = topology.of(node) else { return false };
        let at = self.columns.iter().position(|(have, _)| *have == key).unwrap_or_else(|| {
            self.columns.push((key, vec![0; topology.domains()]));
            self.columns.len() - 1
        });
        let number = &mut self.columns[at].1[domain.index()];
        let was_present = *number != 0;
        *number += amount;
        self.present = self.present + usize::from(*number != 0) - usize::from(was_present);
        true
    }

    /// The number of the domain a node lies in; nothing when the node lacks the label.
    pub fn of(&self, key: KeyId, node: NodeId) -> Option<i64> {
        let domain = self.topologies.get(key).of(node)?;
        let column = self.columns.iter().find(|(have, _)| *have == key);
        Some(column.map_or(0, |(_, numbers)| numbers[domain.index()]))
    }

    /// The numbers of all domains a node lies in, one per topology.
    pub fn all_of(&self, node: NodeId) -> impl Iterator<Item = i64> {
        self.columns.iter().filter_map(move |(key, numbers)| {
            Some(numbers[self.topologies.get(*key).of(node)?.index()])
        })
    }
}
