//! What was said of nodes, remembered from one cycle to the next.
//!
//! Most plugins look at the pod and at one node and nothing else: they are *local*. Pods of one
//! kind get the same answer from them as long as the node stays as it is, so a column of
//! answers is kept per kind of pod, and a cycle asks again only about nodes that changed.
//! Whether a node passes the local filters, and the sum of its local scores, is one number.
//!
//! ```text
//!   answers   in the order nodes are looked at   7 7 - 9 ? 7 ...
//!   blocks    of 64 answers each                 which pass, and the highest sum
//!   rows      of 8 blocks each                   how many pass, and the highest sum
//! ```
//!
//! Nothing here is state: a column can be dropped at any time and no decision changes.

use std::sync::Arc;

use smallvec::SmallVec;

use crate::base::FastMap;
use crate::sched::nodes::{NodeId, Nodes};
use crate::sched::plugins::user::asking::Bounds;
use crate::sched::pod_info::PodInfo;
use crate::sched::status::Rejection;

/// Nothing is known of the node.
const UNKNOWN: i32 = -1;
/// How many answers are remembered in all columns together, about.
const ANSWERS: usize = 1 << 24;
/// How many columns there may be.
const COLUMNS: usize = 1024;
/// How many answers are in a block.
pub const BLOCK: usize = 64;
/// How many blocks are in a row.
pub const ROW: usize = 8;

/// What is known of some nodes that stand together.
#[derive(Clone, Copy, Debug)]
pub struct Block {
    /// The highest sum; below zero when none passes.
    pub most: i32,
    /// Which pass, a bit for each.
    pub passing: u64,
    /// Whether nothing is known of one of them.
    pub unknown: bool,
    /// Whether an answer has changed since.
    pub stale: bool,
}

const STALE: Block = Block { most: UNKNOWN, passing: 0, unknown: true, stale: true };

/// What is known of some blocks that stand together.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The highest sum; below zero when none passes.
    pub most: i32,
    /// How many nodes pass.
    pub count: usize,
    /// Whether an answer has changed since.
    pub stale: bool,
}

/// The answers about one kind of pod.
#[derive(Debug)]
pub struct Column {
    pod: Arc<PodInfo>,
    /// What a user's own expressions took from it.
    bounds: Bounds,
    /// Up to where the nodes' journal was read.
    read: u64,
    used: u64,
    /// The nodes the answers are about.
    order: Arc<Vec<NodeId>>,
    /// Per node the sum of scores, or [`UNKNOWN`], or the place of a rejection below that.
    answers: Vec<i32>,
    blocks: Vec<Block>,
    rows: Vec<Row>,
    rejections: Vec<Rejection>,
    /// Places whose answers hold for one cycle only.
    passing_by: Vec<usize>,
}

/// Columns by kind of pod; see the module header.
#[derive(Debug, Default)]
pub struct Verdicts {
    columns: Vec<Column>,
    places: FastMap<u64, SmallVec<[usize; 1]>>,
    uses: u64,
}

impl Verdicts {
    /// The answers about pods like this one, as far as they still hold.
    pub fn of(&mut self, pod: &Arc<PodInfo>, bounds: &Bounds, nodes: &Nodes) -> &mut Column {
        self.uses += 1;
        let at =
            self.find(pod, bounds).unwrap_or_else(|| self.insert(pod, bounds, nodes.numbers()));
        let column = &mut self.columns[at];
        column.used = self.uses;
        column.catch_up(nodes);
        column
    }

    fn find(&self, pod: &Arc<PodInfo>, bounds: &Bounds) -> Option<usize> {
        let mine = |at: &usize| {
            let have = &self.columns[*at];
            (Arc::ptr_eq(&have.pod, pod) || have.pod.is_same_kind(pod)) && have.bounds == *bounds
        };
        self.places.get(&pod.kind_hash())?.iter().copied().find(mine)
    }

    /// Begins a column; the one that was not used for longest makes room if need be.
    fn insert(&mut self, pod: &Arc<PodInfo>, bounds: &Bounds, nodes: usize) -> usize {
        let column = Column::new(pod, bounds);
        let most = (ANSWERS / nodes.max(1)).clamp(4, COLUMNS);
        let at = if self.columns.len() < most {
            self.columns.push(column);
            self.columns.len() - 1
        } else {
            let oldest = (0..self.columns.len()).min_by_key(|at| self.columns[*at].used);
            let oldest = oldest.expect("there are columns");
            let old = std::mem::replace(&mut self.columns[oldest], column);
            let places = self.places.get_mut(&old.pod.kind_hash()).expect("it had a place");
            places.retain(|at| *at != oldest);
            if places.is_empty() {
                self.places.remove(&old.pod.kind_hash());
            }
            oldest
        };
        self.places.get_or_insert_with(pod.kind_hash(), SmallVec::new).push(at);
        at
    }
}

impl Column {
    fn new(pod: &Arc<PodInfo>, bounds: &Bounds) -> Self {
        Self {
            pod: Arc::clone(pod),
            bounds: bounds.clone(),
            read: 0,
            used: 0,
            order: Arc::default(),
            answers: Vec::new(),
            blocks: Vec::new(),
            rows: Vec::new(),
            rejections: Vec::new(),
            passing_by: Vec::new(),
        }
    }

    /// Forgets what was said for one cycle only.
    fn forget_passing(&mut self) {
        while let Some(place) = self.passing_by.pop() {
            self.put(place, UNKNOWN);
        }
    }

    fn catch_up(&mut self, nodes: &Nodes) {
        self.forget_passing();
        let changes = nodes.journal.since(self.read).filter(|_| !self.answers.is_empty());
        if changes.is_none() {
            self.answers.clear();
            self.rejections.clear();
            self.order = Arc::default();
        }
        if !Arc::ptr_eq(&self.order, nodes.shared_order()) {
            self.reorder(nodes);
        }
        for change in changes.unwrap_or_default() {
            if let Some(place) = nodes.place(change.node) {
                self.put(place, UNKNOWN);
            }
        }
        self.read = nodes.journal.position();
    }

    /// Takes the answers along when nodes stand in another order.
    fn reorder(&mut self, nodes: &Nodes) {
        let order = nodes.shared_order();
        let mut answers = vec![UNKNOWN; order.len()];
        for (id, answer) in self.order.iter().zip(&self.answers) {
            if let Some(place) = nodes.place(*id) {
                answers[place] = *answer;
            }
        }
        self.answers = answers;
        self.blocks = vec![STALE; order.len().div_ceil(BLOCK)];
        let row = Row { most: UNKNOWN, count: 0, stale: true };
        self.rows = vec![row; self.blocks.len().div_ceil(ROW)];
        self.order = Arc::clone(order);
    }

    /// Forgets everything: an answer was none.
    pub fn forget(&mut self) {
        self.answers.clear();
        self.passing_by.clear();
    }

    /// What is known of the node at a place: the sum of its scores, or why it was rejected.
    #[inline]
    pub fn get(&self, place: usize) -> Option<Result<i64, Rejection>> {
        match self.answers[place] {
            UNKNOWN => None,
            sum @ 0.. => Some(Ok(i64::from(sum))),
            rejection => Some(Err(self.rejections[(UNKNOWN - 1 - rejection) as usize])),
        }
    }

    /// The sum of a node's scores if it is known to pass.
    #[inline]
    pub fn sum(&self, place: usize) -> Option<i64> {
        let answer = self.answers[place];
        (answer >= 0).then_some(i64::from(answer))
    }

    /// The answers: a sum where a node passes, less than zero where it does not.
    #[inline]
    pub fn answers(&self) -> &[i32] {
        &self.answers
    }

    /// Remembers what was said of a node. A sum that is out of the ordinary is not remembered.
    pub fn set(&mut self, place: usize, answer: Result<i64, Rejection>) {
        let answer = match answer {
            Ok(sum) => i32::try_from(sum).ok().filter(|sum| *sum >= 0).unwrap_or(UNKNOWN),
            Err(rejection) => UNKNOWN - 1 - self.number(rejection) as i32,
        };
        self.put(place, answer);
    }

    /// [`Self::set`] for this cycle.
    pub fn set_for_now(&mut self, place: usize, answer: Result<i64, Rejection>) {
        self.set(place, answer);
        self.passing_by.push(place);
    }

    fn put(&mut self, place: usize, answer: i32) {
        self.answers[place] = answer;
        self.blocks[place / BLOCK].stale = true;
        self.rows[place / (BLOCK * ROW)].stale = true;
    }

    /// A block, up to date unless it says otherwise.
    #[inline]
    pub fn block(&self, number: usize) -> &Block {
        &self.blocks[number]
    }

    /// A row, up to date unless it says otherwise.
    #[inline]
    pub fn row(&self, number: usize) -> &Row {
        &self.rows[number]
    }

    /// Brings a row up to date with its blocks.
    pub fn sum_up_row(&mut self, number: usize) {
        let to = self.blocks.len().min((number + 1) * ROW);
        let mut row = Row { most: i32::MIN, count: 0, stale: false };
        for block in &self.blocks[number * ROW..to] {
            row.most = row.most.max(block.most);
            row.count += block.passing.count_ones() as usize;
        }
        self.rows[number] = row;
    }

    /// Places in a block of which nothing is known.
    pub fn unknown(&self, number: usize) -> SmallVec<[usize; BLOCK]> {
        let from = number * BLOCK;
        let to = self.answers.len().min(from + BLOCK);
        (from..to).filter(|place| self.answers[*place] == UNKNOWN).collect()
    }

    /// Brings a block up to date with its answers.
    pub fn sum_up(&mut self, number: usize) {
        let from = number * BLOCK;
        let to = self.answers.len().min(from + BLOCK);
        let (mut most, mut passing, mut unknown) = (i32::MIN, 0, false);
        for (bit, answer) in self.answers[from..to].iter().enumerate() {
            most = most.max(*answer);
            passing |= u64::from(*answer >= 0) << bit;
            unknown |= *answer == UNKNOWN;
        }
        self.blocks[number] = Block { most, passing, unknown, stale: false };
    }

    fn number(&mut self, rejection: Rejection) -> usize {
        let known = self.rejections.iter().position(|have| *have == rejection);
        known.unwrap_or_else(|| {
            self.rejections.push(rejection);
            self.rejections.len() - 1
        })
    }
}
