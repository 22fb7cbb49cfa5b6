//! PrioritySort: higher priority first, then who has waited longest.
//!
//! Kubernetes compares the moment a pod entered the queue. On a virtual clock many pods share
//! one moment, so the order of entry decides between them, as it would with a finer clock.

use serde::{Deserialize, Serialize};

use crate::base::Time;

/// A pod's place in the queue: the least key comes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SortKey {
    /// The priority, turned round so that the highest comes first.
    descending: u32,
    /// When the pod entered the queue, or came back to it after a failed attempt.
    pub time: Time,
    /// The order of entry.
    pub sequence: u64,
}

impl SortKey {
    /// The key of a pod of this priority.
    pub fn new(priority: i32, time: Time, sequence: u64) -> Self {
        // Flipping the sign bit orders signed numbers as unsigned ones; the complement turns
        // them round.
        Self { descending: !(priority as u32 ^ 1 << 31), time, sequence }
    }
}

#[cfg(test)]
mod tests {
    use super::SortKey;
    use crate::base::Time;

    #[test]
    fn priority_then_time_then_entry() {
        let mut keys = [
            SortKey::new(0, Time(5), 1),
            SortKey::new(-7, Time(0), 2),
            SortKey::new(i32::MAX, Time(9), 3),
            SortKey::new(0, Time(4), 5),
            SortKey::new(0, Time(4), 4),
            SortKey::new(i32::MIN, Time(0), 6),
        ];
        keys.sort_unstable();
        assert_eq!(keys.map(|key| key.sequence), [3, 4, 5, 1, 2, 6]);
    }
}
