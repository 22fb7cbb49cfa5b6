//! What happened to nodes lately, for those who remember what they found out about them.
//!
//! A reader keeps the position it has read to and asks what came after. When nodes come, go or
//! change, or when a reader falls too far behind, the answer is that it must begin anew.

use super::nodes::NodeId;
use super::pod_info::Content;

/// How many changes are kept at least.
const KEPT: usize = 8192;

/// One change to a node, to what runs on it, or is meant to.
#[derive(Clone, Copy, Debug)]
pub struct Change {
    /// The node.
    pub node: NodeId,
    /// What happened.
    pub what: What,
}

/// What happened to a node.
#[derive(Clone, Copy, Debug)]
pub enum What {
    /// Neither its pods nor the node object changed.
    Room,
    /// Pods of one content came or went.
    Pods {
        /// The content.
        content: Content,
        /// How many more there are.
        all: i8,
        /// How many more there are that are not on their way out.
        staying: i8,
    },
    /// The node object came or changed, or went; the pods on it are in the domains they were in
    /// before.
    Object,
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
    pub fn note(&mut self, node: NodeId, what: What) {
        if self.changes.len() == 2 * KEPT {
            self.changes.drain(..KEPT);
            self.start += KEPT as u64;
        }
        self.changes.push(Change { node, what });
    }

    /// Notes that a node object came, changed or went. Readers find the node in the domains it is
    /// in now; when `moved` says that those are others than before, they must not have to ask
    /// where a pod was that came or went before.
    pub fn note_object(&mut self, node: NodeId, moved: bool) {
        let of_node = |change: &Change| change.node == node;
        if moved && self.changes.iter().any(of_node) {
            self.forget();
        } else {
            self.note(node, What::Object);
        }
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
    use super::{Journal, KEPT, What};
    use crate::sched::nodes::NodeId;

    #[test]
    fn a_reader_reads_on_or_begins_anew() {
        let mut journal = Journal::default();
        let start = journal.position();
        journal.note(NodeId::new(3), What::Room);
        let nodes = |journal: &Journal, position| {
            let changes = journal.since(position)?;
            Some(changes.iter().map(|change| change.node.index()).collect::<Vec<usize>>())
        };
        assert_eq!(nodes(&journal, start), Some(vec![3]));
        let read = journal.position();
        assert_eq!(nodes(&journal, read), Some(vec![]));
        assert_eq!(nodes(&journal.clone(), read), None, "a fork's readers begin anew");
        for node in 0..2 * KEPT {
            journal.note(NodeId::new(node), What::Room);
        }
        assert_eq!(nodes(&journal, start), None, "it fell behind");
        let read = journal.position();
        journal.forget();
        assert_eq!(nodes(&journal, read), None);
        assert_eq!(nodes(&journal, journal.position()), Some(vec![]));
    }
}
