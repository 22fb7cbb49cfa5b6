//! Anchors, and what their use may cost.

use crate::base::{FastMap, Value};
use crate::manifest::resolve::Plain;

/// The node an anchor stands for.
#[derive(Clone, Default)]
pub(super) struct Anchored {
    pub value: Value,
    /// The type of a scalar, which its value no longer shows in full.
    pub kind: Option<Plain>,
    /// Decode steps that one use of it costs.
    pub cost: u64,
    /// Levels of collections in it.
    pub height: usize,
    /// False until its node ends: an alias inside its own anchor.
    pub complete: bool,
    /// Set by [`Anchors`].
    pub serial: u32,
}

/// The anchors of a document; a name may be given again.
#[derive(Default)]
pub(super) struct Anchors<'a> {
    by_name: FastMap<&'a str, Anchored>,
    count: u32,
}

/// An anchor whose node is still being read.
#[derive(Clone, Copy)]
pub(super) struct OpenAnchor<'a> {
    name: &'a str,
    serial: u32,
}

impl<'a> Anchors<'a> {
    pub fn clear(&mut self) {
        self.by_name.clear();
    }

    pub fn get(&self, name: &str) -> Option<&Anchored> {
        self.by_name.get(name)
    }

    pub fn begin(&mut self, name: &'a str) -> OpenAnchor<'a> {
        self.count += 1;
        self.by_name.insert(name, Anchored { serial: self.count, ..Anchored::default() });
        OpenAnchor { name, serial: self.count }
    }

    /// Gives an anchor its node, unless its name was taken again inside it.
    pub fn end(&mut self, anchor: OpenAnchor<'a>, node: Anchored) {
        let known = self.by_name.get_mut(anchor.name);
        if let Some(known) = known.filter(|known| known.serial == anchor.serial) {
            *known = Anchored { serial: anchor.serial, complete: true, ..node };
        }
    }
}

/// Decode steps, by which a document that consists of little but aliases is told from an
/// honest one.
pub(super) struct Budget {
    /// All steps so far, those that aliases repeat included.
    pub steps: u64,
    aliased: u64,
}

impl Budget {
    /// A budget of which the document itself has taken one step.
    pub fn new() -> Self {
        Self { steps: 1, aliased: 0 }
    }

    /// Counts what an alias repeats.
    pub fn repeat(&mut self, cost: u64) {
        self.steps = self.steps.saturating_add(cost);
        self.aliased = self.aliased.saturating_add(cost);
    }

    /// Counts a step; false once aliases cause too many of them.
    pub fn step(&mut self) -> bool {
        self.steps = self.steps.saturating_add(1);
        self.aliased <= 100 || self.steps <= 1000 || self.aliased_share_is_fair()
    }

    /// The share that aliases may cause: 99 % in documents up to 400,000 steps, falling to 10 %
    /// at 4,000,000.
    fn aliased_share_is_fair(&self) -> bool {
        const LOW: f64 = 400_000.0;
        const HIGH: f64 = 4_000_000.0;
        let steps = self.steps as f64;
        let allowed = 0.99 - 0.89 * ((steps.clamp(LOW, HIGH) - LOW) / (HIGH - LOW));
        self.aliased as f64 / steps <= allowed
    }
}
