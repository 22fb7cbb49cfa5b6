//! PostFilter: what is tried when no node passed. DynamicResources looks for claims to give
//! up, DefaultPreemption for pods that could make room.

use super::{Absent, Cycle, Filters, Findings, Nominate};
use crate::base::Text;
use crate::sched::nodes::{NodeCopy, NodeView};
use crate::sched::plugins::{Filter, PluginId, default_preemption};
use crate::sched::status::Rejection;

/// What PostFilter came to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PostFilter {
    /// Its part of the message.
    pub message: Text,
    /// What becomes of the pod's nomination.
    pub nominate: Nominate,
    /// Rows of the pods that are to make room.
    pub victims: Vec<u32>,
}

impl<'a> Cycle<'a> {
    /// Runs PostFilter of every plugin until one finds a way out.
    pub(super) fn post_filter(
        &self,
        filters: &Filters<'a>,
        absent: &Absent,
        saw_dynamic_resources: bool,
        findings: &Findings,
    ) -> PostFilter {
        if self.profile.post_filter.is_empty() {
            return PostFilter { nominate: Nominate::Clear, ..PostFilter::default() };
        }
        let mut reasons: Vec<Text> = Vec::new();
        let mut nominate = Nominate::Keep;
        for id in &self.profile.post_filter {
            match *id {
                PluginId::DYNAMIC_RESOURCES if !saw_dynamic_resources => {
                    // PreFilter ended before this plugin noted that the pod has no claims; not
                    // finding the note is an error, and an error ends PostFilter.
                    let message = "not found".into();
                    return PostFilter { message, ..PostFilter::default() };
                }
                PluginId::DYNAMIC_RESOURCES => reasons.push("no new claims to deallocate".into()),
                PluginId::DEFAULT_PREEMPTION => {
                    let said = default_preemption::post_filter(self, filters, absent, findings);
                    if !said.victims.is_empty() {
                        return said;
                    }
                    if said.nominate != Nominate::Keep {
                        nominate = said.nominate;
                    }
                    reasons.push(said.message);
                }
                _ => {}
            }
        }
        PostFilter { message: reasons.join(", ").into(), nominate, victims: Vec::new() }
    }
}

/// A node on which pods come and go on trial, with the filters that follow them.
pub struct Trial<'c, 'a> {
    cycle: &'c Cycle<'a>,
    /// The node.
    pub node: NodeCopy,
    /// The filters, in the state the trial put them in.
    pub filters: Vec<Filter<'a>>,
}

impl<'c, 'a> Trial<'c, 'a> {
    /// A trial that begins with the node as it is.
    pub fn new(cycle: &'c Cycle<'a>, filters: &Filters<'a>, node: NodeView) -> Self {
        Self { cycle, node: cycle.cache.nodes.copy(node.id), filters: filters.to_vec() }
    }

    /// Puts a pod on the node.
    pub fn add(&mut self, slot: u32) {
        let cache = self.cycle.cache;
        let on_node = cache.on_node(slot, false);
        let pod = cache.infos.get(on_node.info);
        cache.nodes.try_add(&mut self.node, on_node, pod);
        for filter in &mut self.filters {
            filter.add_pod(pod, self.node.view());
        }
    }

    /// Takes a pod off the node.
    pub fn remove(&mut self, slot: u32) {
        let pod = self.cycle.cache.info(slot);
        self.cycle.cache.nodes.try_remove(&mut self.node, slot, pod);
        for filter in &mut self.filters {
            filter.remove_pod(pod, self.node.view());
        }
    }

    /// Judges the node as the trial has it, with the pods it is promised to and without.
    pub fn check(&self) -> Result<(), Rejection> {
        if let Some(full) = self.with_promised() {
            super::search::run(&full.filters, full.node.view())?;
        }
        super::search::run(&self.filters, self.node.view())
    }

    /// The node with the pods of no lower priority that it is promised to, if there are any.
    pub fn with_promised(&self) -> Option<Self> {
        let cycle = self.cycle;
        let name = &self.node.info.name;
        let promised = cycle.cache.nominations.on(name).iter().filter(|slot| {
            **slot != cycle.slot && cycle.cache.info(**slot).priority >= cycle.pod.priority
        });
        let mut promised = promised.peekable();
        promised.peek()?;
        let mut full = Self { cycle, node: self.node.clone(), filters: self.filters.clone() };
        promised.for_each(|slot| full.add(*slot));
        Some(full)
    }
}
