//! What was said of nodes, remembered from one cycle to the next.
//!
//! Most plugins look at the pod and at one node and nothing else: they are *local*. Pods of one
//! kind get the same answer from them as long as the node stays as it is, so a column of
//! answers is kept per kind of pod, and a cycle asks again only about nodes that changed.
//! Whether a node passes the local filters, and the sum of its local scores, is one number.
//!
//! Nothing here is state: a column can be dropped at any time and no decision changes.

use std::sync::Arc;

use crate::sched::nodes::{NodeId, Nodes};
use crate::sched::plugins::user::asking::Bounds;
use crate::sched::pod_info::PodInfo;
use crate::sched::status::Rejection;

/// Nothing is known of the node.
const UNKNOWN: i32 = -1;
/// How many answers are remembered in all columns together, about.
const ANSWERS: usize = 1 << 21;
/// How many kinds of pods are remembered at most.
const MOST_COLUMNS: usize = 1024;

/// The answers about one kind of pod.
#[derive(Debug)]
pub struct Column {
    pod: Arc<PodInfo>,
    /// What a user's own expressions took from it.
    bounds: Bounds,
    /// Up to where the nodes' journal was read.
    read: u64,
    used: u64,
    /// Per node the sum of scores, or [`UNKNOWN`], or the place of a rejection below that.
    answers: Vec<i32>,
    rejections: Vec<Rejection>,
}

/// Columns by kind of pod; see the module header.
#[derive(Debug, Default)]
pub struct Verdicts {
    columns: Vec<Column>,
    /// The kind of each column, hashed.
    hashes: Vec<u64>,
    uses: u64,
}

impl Verdicts {
    /// The answers about pods like this one, as far as they still hold.
    pub fn of(&mut self, pod: &Arc<PodInfo>, bounds: &Bounds, nodes: &Nodes) -> &mut Column {
        self.uses += 1;
        let at = self.place(pod, bounds, nodes.numbers());
        let column = &mut self.columns[at];
        column.used = self.uses;
        column.catch_up(nodes);
        column
    }

    /// Where the column of this kind of pod is; the one that was not used for longest makes
    /// room if need be.
    fn place(&mut self, pod: &Arc<PodInfo>, bounds: &Bounds, nodes: usize) -> usize {
        let hash = pod.kind_hash();
        let mine = |(at, have): (usize, &u64)| {
            *have == hash
                && self.columns[at].pod.is_same_kind(pod)
                && self.columns[at].bounds == *bounds
        };
        if let Some(at) = self.hashes.iter().enumerate().position(mine) {
            return at;
        }
        let most = (ANSWERS / nodes.max(1)).clamp(4, MOST_COLUMNS);
        if self.columns.len() >= most {
            let oldest = (0..self.columns.len()).min_by_key(|at| self.columns[*at].used);
            let oldest = oldest.expect("there are columns");
            self.columns.swap_remove(oldest);
            self.hashes.swap_remove(oldest);
        }
        self.hashes.push(hash);
        self.columns.push(Column {
            pod: Arc::clone(pod),
            bounds: bounds.clone(),
            read: 0,
            used: 0,
            answers: Vec::new(),
            rejections: Vec::new(),
        });
        self.columns.len() - 1
    }
}

impl Column {
    fn catch_up(&mut self, nodes: &Nodes) {
        let changes = nodes.journal.since(self.read).filter(|_| !self.answers.is_empty());
        if changes.is_none() {
            self.answers.clear();
            self.rejections.clear();
        }
        self.answers.resize(nodes.numbers(), UNKNOWN);
        for change in changes.unwrap_or_default() {
            self.answers[change.node.index()] = UNKNOWN;
        }
        self.read = nodes.journal.position();
    }

    /// Forgets everything: an answer was none.
    pub fn forget(&mut self) {
        self.answers.clear();
    }

    /// What is known of a node: the sum of its scores, or why it was rejected.
    #[inline]
    pub fn get(&self, node: NodeId) -> Option<Result<i64, Rejection>> {
        match self.answers[node.index()] {
            UNKNOWN => None,
            sum @ 0.. => Some(Ok(i64::from(sum))),
            place => Some(Err(self.rejections[(UNKNOWN - 1 - place) as usize])),
        }
    }

    /// The sum of a node's scores if it is known to pass.
    #[inline]
    pub fn sum(&self, node: NodeId) -> Option<i64> {
        let answer = self.answers[node.index()];
        (answer >= 0).then_some(i64::from(answer))
    }

    /// Remembers what was said of a node. A sum that is out of the ordinary is not remembered.
    pub fn set(&mut self, node: NodeId, answer: Result<i64, Rejection>) {
        self.answers[node.index()] = match answer {
            Ok(sum) => i32::try_from(sum).ok().filter(|sum| *sum >= 0).unwrap_or(UNKNOWN),
            Err(rejection) => UNKNOWN - 1 - self.place(rejection) as i32,
        };
    }

    fn place(&mut self, rejection: Rejection) -> usize {
        let known = self.rejections.iter().position(|have| *have == rejection);
        known.unwrap_or_else(|| {
            self.rejections.push(rejection);
            self.rejections.len() - 1
        })
    }
}
