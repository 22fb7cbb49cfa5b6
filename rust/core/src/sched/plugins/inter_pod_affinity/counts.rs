//! Numbers per domain of several topologies.

use std::sync::Arc;

use smallvec::SmallVec;

use crate::base::StrId;
use crate::sched::nodes::NodeId;
use crate::sched::topologies::{KeyId, Topologies};

/// A number per domain of each topology that was counted in. A clone shares the numbers until
/// one of the two changes.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    columns: SmallVec<[(KeyId, Arc<Vec<i64>>); 2]>,
    /// How many of the numbers are not zero.
    present: usize,
}

impl Counts {
    /// Whether every number is zero.
    pub fn is_empty(&self) -> bool {
        self.present == 0
    }

    /// How many numbers are kept.
    pub fn size(&self) -> usize {
        self.columns.iter().map(|(_, numbers)| numbers.len()).sum()
    }

    /// Adds to the domain a node lies in, if it lies in any; says which it is, and whether the
    /// number began or ceased to be above zero.
    pub fn add(
        &mut self,
        topologies: &Topologies,
        key: KeyId,
        node: NodeId,
        amount: i64,
    ) -> Option<(StrId, bool)> {
        let topology = topologies.get(key);
        let domain = topology.of(node)?;
        let at = self.columns.iter().position(|(have, _)| *have == key).unwrap_or_else(|| {
            self.columns.push((key, Arc::default()));
            self.columns.len() - 1
        });
        let numbers = Arc::make_mut(&mut self.columns[at].1);
        if domain.index() >= numbers.len() {
            numbers.resize(topology.domains(), 0);
        }
        let number = &mut numbers[domain.index()];
        let before = *number;
        *number += amount;
        self.present = self.present + usize::from(*number != 0) - usize::from(before != 0);
        Some((domain, (before > 0) != (*number > 0)))
    }

    /// The number of the domain a node lies in; nothing when the node lacks the label.
    #[inline]
    pub fn of(&self, topologies: &Topologies, key: KeyId, node: NodeId) -> Option<i64> {
        let domain = topologies.get(key).of(node)?;
        let column = self.columns.iter().find(|(have, _)| *have == key);
        let number = column.and_then(|(_, numbers)| numbers.get(domain.index()));
        Some(number.copied().unwrap_or(0))
    }

    /// The numbers of all domains a node lies in, one per topology.
    #[inline]
    pub fn all_of(&self, topologies: &Topologies, node: NodeId) -> impl Iterator<Item = i64> {
        self.columns.iter().filter_map(move |(key, numbers)| {
            let domain = topologies.get(*key).of(node)?;
            Some(numbers.get(domain.index()).copied().unwrap_or(0))
        })
    }
}
