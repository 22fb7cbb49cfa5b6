//! Whoever looks on while the engine works: how a caller with a clock of its own learns when a
//! decision begins and ends. The core has no such clock, and nothing that is seen here comes
//! back into it.

use crate::sched::Decision;
use crate::store::Store;

/// Is told what the scheduler is about to do and what it did.
pub trait Watcher {
    /// The scheduler begins to take in what was written.
    fn observing(&mut self) {}

    /// It has taken it in.
    fn observed(&mut self) {}

    /// The scheduler takes the next pod from its queue.
    fn deciding(&mut self) {}

    /// What became of the pod is written.
    fn decided(&mut self, _store: &Store, _decision: &Decision) {}
}

/// Nobody looks on.
impl Watcher for () {}
