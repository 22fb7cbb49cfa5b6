//! What preemption would do on single nodes, remembered for the next pod of the same content.
//!
//! As long as every filter looks at one node alone, and no disruption budget has a say, who would
//! have to go follows from the pod, the node and those it is promised to; pods that preempt one
//! after the other ask mostly about nodes that are as they were. Nothing here is state: it can be
//! dropped at any time and no decision changes.

use std::sync::{Arc, Mutex, MutexGuard};

use super::{Candidate, Victim};
use crate::base::Time;
use crate::sched::cycle::Cycle;
use crate::sched::nodes::NodeId;
use crate::sched::pod_info::Content;
use crate::sched::status::Rejection;
use crate::store::Store;
use crate::store::pod::ACCEPTED;

/// For how many contents trials are kept.
const CONTENTS: usize = 8;

/// What came of a trial on one node.
#[derive(Debug)]
struct Tried {
    result: Result<Candidate, Rejection>,
    /// The pods that might have had to go, with the times when they started.
    asked: Box<[(u32, Option<Time>)]>,
    now: Time,
}

impl Tried {
    /// Whether the pods started when they did: that decides who goes first. One that has not
    /// counts as starting now, which is another time by and by.
    fn holds(&self, store: &Store) -> bool {
        let started = |(_, started): &(u32, Option<Time>)| started.is_some();
        self.asked.iter().all(|(slot, started)| start_time(store, *slot) == *started)
            && (self.now == store.now
                || self.asked.iter().all(started)
                || !self.asked.iter().any(started))
    }
}

/// Trials for pods of one content.
#[derive(Debug)]
pub struct Trials {
    content: Content,
    /// Up to where the journal of the nodes was read.
    read: u64,
    used: u64,
    nodes: Vec<Option<Arc<Tried>>>,
}

/// The trials that are remembered; see the module header.
#[derive(Debug, Default)]
pub struct KeptTrials(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    list: Vec<Trials>,
    uses: u64,
}

/// Trials for the pod of a cycle, up to date.
pub struct Open<'k>(MutexGuard<'k, Inner>, usize);

impl KeptTrials {
    /// The trials for the pod of a cycle.
    pub fn open(&self, cycle: &Cycle) -> Open<'_> {
        let cache = cycle.cache;
        let content = cache.infos.content(cache.pod(cycle.slot).info.expect("the pod is known"));
        let mut inner = self.0.lock().expect("nobody panics meanwhile");
        inner.uses += 1;
        let uses = inner.uses;
        let list = &mut inner.list;
        let at = list.iter().position(|trials| trials.content == content).unwrap_or_else(|| {
            let trials = Trials { content, read: 0, used: 0, nodes: Vec::new() };
            if list.len() < CONTENTS {
                list.push(trials);
                return list.len() - 1;
            }
            let oldest = (0..list.len()).min_by_key(|at| list[*at].used);
            let oldest = oldest.expect("there are some");
            list[oldest] = trials;
            oldest
        });
        let trials = &mut list[at];
        trials.used = uses;
        let journal = &cache.nodes.journal;
        match journal.since(trials.read) {
            Some(changes) => {
                for change in changes {
                    if let Some(tried) = trials.nodes.get_mut(change.node.index()) {
                        *tried = None;
                    }
                }
            }
            None => trials.nodes.clear(),
        }
        trials.nodes.resize(cache.nodes.numbers(), None);
        trials.read = journal.position();
        Open(inner, at)
    }
}

impl Open<'_> {
    /// What came of the trial on a node, as it would come out now.
    pub fn get(&self, store: &Store, node: NodeId) -> Option<Result<Candidate, Rejection>> {
        let tried = self.0.list[self.1].nodes[node.index()].as_ref()?;
        if !tried.holds(store) {
            return None;
        }
        let mut result = tried.result.clone();
        if let Ok(candidate) = &mut result {
            for victim in &mut candidate.victims {
                victim.started = start_time(store, victim.slot).unwrap_or(store.now);
            }
        }
        Some(result)
    }

    /// Remembers what came of a trial that concerned these pods.
    pub fn set(
        &mut self,
        store: &Store,
        node: NodeId,
        asked: impl Iterator<Item = u32>,
        result: &Result<Candidate, Rejection>,
    ) {
        let asked = asked.map(|slot| (slot, start_time(store, slot))).collect();
        let tried = Tried { result: result.clone(), asked, now: store.now };
        self.0.list[self.1].nodes[node.index()] = Some(Arc::new(tried));
    }
}

/// When a pod started, if it has.
pub fn start_time(store: &Store, slot: u32) -> Option<Time> {
    let pod = store.pod(slot);
    pod.has(ACCEPTED).then_some(pod.accepted_at)
}

/// A pod that might have to go.
pub fn victim(store: &Store, slot: u32, priority: i32) -> Victim {
    Victim { slot, priority, started: start_time(store, slot).unwrap_or(store.now) }
}
