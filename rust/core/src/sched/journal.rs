//! What happened to nodes lately, for those who remember what they found out about them.
//!
//! A reader keeps the position it has read to and asks what came after. When nodes come, go or
//! change, or when a reader falls too far behind, the answer is that it must begin anew.

use super::nodes::NodeId;
use super::pod_info::Content;

/// How many changes are kept at least.
const KEPT: usize = 8192;

/// One change to what runs on a node, or is meant to.
#[derive(Clone, Copy, Debug)]
pub struct Change {
    /// The node.
    pub node: NodeId,
    /// Pods of one content that are not on their way out: how many more.
    pub pods: Option<(Content, i32)>,
}

/// The changes; see the module header.
#[derive(Debug, Default)]
pub struct Journal {
    /// The position of the first change kept.
    start: u64,
    changes: Vec<Change>,
}

/// A fork's readers begin anew, so its journal is empty.
impl Clone for Journal {
    fn clone(&self) -> Self {
        Self { start: self.position() + 1, changes: Vec::new() }
    }
}

impl Journal {
    /// Notes a change.
    pub fn note(&mut self, node: NodeId, pods: Option<(Content, i32)>) {
        if self.changes.len() == 2 * KEPT {
            self.changes.drain(..KEPT);
            self.start += KEPT as u64;
        }
        self.changes.push(Change { node, pods });
    }

    /// Makes every reader begin anew.
    pub fn forget(&mut self) {
        self.start = self.position() + 1;
        self.changes.clear();
    }

    /// Where a reader is that has read everything.
    pub fn position(&self) -> u64 {
        self.start + self.changes.len() as u64
    }

    /// What came after a position; nothing when the reader must begin anew.
    pub fn since(&self, position: u64) -> Option<&[Change]> {
        let read = position.checked_sub(self.start)?;
        self.changes.get(read as usize..)
    }
}

#[cfg(test)]
mod tests {
    use super::{Journal, KEPT};
    use crate::sched::nodes::NodeId;

    #[test]
    fn a_reader_reads_on_or_begins_anew() {
        let mut journal = Journal::default();
        let start = journal.position();
        journal.note(NodeId::new(3), None);
        let nodes = |journal: &Journal, position| {
            let changes = journal.since(position)?;
            Some(changes.iter().map(|change| change.node.index()).collect::<Vec<usize>>())
        };
        assert_eq!(nodes(&journal, start), Some(vec![3]));
        let read = journal.position();
        assert_eq!(nodes(&journal, read), Some(vec![]));
        assert_eq!(nodes(&journal.clone(), read), None, "a fork's readers begin anew");
        for node in 0..2 * KEPT {
            journal.note(NodeId::new(node), None);
        }
        assert_eq!(nodes(&journal, start), None, "it fell behind");
        let read = journal.position();
        journal.forget();
        assert_eq!(nodes(&journal, read), None);
        assert_eq!(nodes(&journal, journal.position()), Some(vec![]));
    }
}
