//! Counting the pods on a node that a constraint is about.

use std::cell::Cell;

use crate::base::StrId;
use crate::labels::{LabelSets, Resolved, Selector};
use crate::sched::nodes::NodeInfo;
use crate::sched::pod_info::{InfoId, PodInfo, PodInfos};

/// Pods of one namespace with certain labels. Pods of one content are compared once.
pub struct Counter<'a> {
    infos: &'a PodInfos,
    namespace: Option<StrId>,
    selector: Resolved<'a>,
    /// An empty selector counts nobody, though it would match everybody.
    counts_nobody: bool,
    known: Vec<Cell<Option<bool>>>,
}

impl<'a> Counter<'a> {
    /// Counts pods of a namespace.
    pub fn new(
        sets: &'a LabelSets,
        infos: &'a PodInfos,
        namespace: Option<StrId>,
        selector: &'a Selector,
    ) -> Self {
        Self {
            infos,
            namespace,
            selector: sets.resolve(selector),
            counts_nobody: selector.is_everything(),
            known: vec![Cell::new(None); infos.numbers()],
        }
    }

    /// How many pods on a node count: those that are not on their way out.
    pub fn on(&self, node: &NodeInfo) -> i64 {
        if self.counts_nobody {
            return 0;
        }
        let counts = |id: InfoId| {
            let known = &self.known[id.index()];
            known.get().unwrap_or_else(|| {
                let counts = self.matches(self.infos.get(id));
                known.set(Some(counts));
                counts
            })
        };
        node.pods.iter().filter(|pod| !pod.terminating && counts(pod.info)).count() as i64
    }

    fn matches(&self, pod: &PodInfo) -> bool {
        pod.namespace == self.namespace && self.selector.matches(pod.labels)
    }
}
