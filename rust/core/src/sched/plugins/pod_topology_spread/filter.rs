//! Hard constraints: no domain may have many more pods than the one that has fewest.

use std::sync::Arc;

use super::count::Counter;
use super::kept::Kept;
use super::{Inclusion, MISSING_LABEL, constraints};
use crate::base::{StrId, Text};
use crate::labels::{LabelSets, Selector};
use crate::sched::nodes::{NodeId, NodeView};
use crate::sched::plugins::{Context, Filter, PluginId, PreFilter};
use crate::sched::pod_info::PodInfo;
use crate::sched::spread_constraint::SpreadConstraint;
use crate::sched::status::Rejection;
use crate::sched::topologies::Topology;

/// The hard constraints of a pod with the pods counted per domain.
#[derive(Clone)]
pub struct SpreadFilter<'a> {
    sets: &'a LabelSets,
    pod: &'a PodInfo,
    constraints: Vec<Counted>,
    inclusion: Arc<Inclusion<'a>>,
}

/// One constraint with the pods counted per domain.
#[derive(Clone)]
struct Counted {
    constraint: Arc<SpreadConstraint>,
    selector: Arc<Selector>,
    topology: Arc<Topology>,
    /// Whether the pod itself would be counted.
    counts_itself: i64,
    /// Pods per domain; none for a domain in which no node counts.
    pods: Vec<Option<i64>>,
    least: i64,
}

/// Prepares the filter: counts pods on every node that counts.
pub fn pre_filter<'a>(context: &Context<'a>) -> PreFilter<'a> {
    let hard = constraints(context, true);
    if hard.is_empty() {
        return PreFilter::Skip;
    }
    let (sets, pod) = (&context.store.sets, context.pod);
    let labels = sets.get(pod.labels);
    let counted = |constraint: SpreadConstraint| {
        let selector = constraint.selector(&labels);
        let key = context.nodes.topologies.find(&constraint.key).expect("keys in use are known");
        let topology = Arc::clone(context.nodes.topologies.get(key));
        Counted {
            counts_itself: i64::from(selector.matches(&labels)),
            pods: vec![None; topology.domains()],
            least: 0,
            topology,
            selector: Arc::new(selector),
            constraint: Arc::new(constraint),
        }
    };
    let mut filter = SpreadFilter {
        sets,
        pod,
        constraints: hard.into_iter().map(counted).collect(),
        inclusion: Arc::new(Inclusion::new(context)),
    };
    match context.kept_hard {
        Some(kept) => filter.take_counts(kept, context),
        None => filter.count_all(context),
    }
    PreFilter::Ready { filter: Some(Filter::PodTopologySpread(Box::new(filter))), only: None }
}

impl SpreadFilter<'_> {
    /// Takes over counts that were kept.
    fn take_counts(&mut self, kept: &Kept, context: &Context) {
        for (at, counted) in self.constraints.iter_mut().enumerate() {
            counted.pods = kept.pods(at);
            counted.find_least();
        }
        if cfg!(debug_assertions) {
            let taken: Vec<_> = self.constraints.iter().map(|one| one.pods.clone()).collect();
            for counted in &mut self.constraints {
                counted.pods.fill(None);
            }
            self.count_all(context);
            assert!(self.constraints.iter().map(|one| &one.pods).eq(&taken));
        }
    }

    fn count_all(&mut self, context: &Context) {
        let selectors: Vec<Arc<Selector>> =
            self.constraints.iter().map(|counted| Arc::clone(&counted.selector)).collect();
        let infos = &context.cache.infos;
        let namespace = self.pod.namespace;
        let counters: Vec<Counter> = selectors
            .iter()
            .map(|selector| Counter::new(self.sets, infos, namespace, selector))
            .collect();
        for id in context.nodes.order() {
            if !self.has_all_labels(*id) {
                continue;
            }
            let info = context.nodes.info(*id);
            let spec = info.spec.as_ref().expect("a node in the order exists");
            for (counted, counter) in self.constraints.iter_mut().zip(&counters) {
                if self.inclusion.includes(&counted.constraint, spec, &info.name)
                    && let Some(domain) = counted.topology.of(*id)
                {
                    *counted.pods[domain.index()].get_or_insert(0) += counter.on(info);
                }
            }
        }
        self.constraints.iter_mut().for_each(Counted::find_least);
    }

    /// Only nodes in all of the topologies count for any of them.
    fn has_all_labels(&self, node: NodeId) -> bool {
        self.constraints.iter().all(|counted| counted.topology.of(node).is_some())
    }

    /// The topology key and `maxSkew` of each constraint.
    pub fn constraints(&self) -> impl Iterator<Item = (&Text, i64)> {
        self.constraints.iter().map(|one| (&one.constraint.key, one.constraint.max_skew))
    }

    /// What the skew of each constraint would be with the pod on a node; nothing where the node
    /// lacks the label.
    pub fn skews(&self, node: NodeId) -> impl Iterator<Item = Option<i64>> {
        self.constraints.iter().map(move |one| Some(one.skew(one.topology.of(node)?)))
    }

    /// Judges a node.
    pub fn check(&self, node: NodeView) -> Result<(), Rejection> {
        for counted in &self.constraints {
            let Some(domain) = counted.topology.of(node.id) else {
                let plugin = PluginId::POD_TOPOLOGY_SPREAD;
                return Err(Rejection::unresolvable(plugin, MISSING_LABEL));
            };
            if counted.skew(domain) > counted.constraint.max_skew {
                return Err(Rejection::unschedulable(PluginId::POD_TOPOLOGY_SPREAD, 0));
            }
        }
        Ok(())
    }

    /// Follows a pod being put on a node, or taken off it. Unlike the first count this one
    /// takes terminating pods and empty selectors at their word, as Kubernetes does.
    pub fn follow(&mut self, pod: &PodInfo, node: NodeView, sign: i64) {
        let spec = node.info.spec.as_ref().expect("only nodes that exist are tried");
        if pod.namespace != self.pod.namespace || !self.has_all_labels(node.id) {
            return;
        }
        let labels = self.sets.get(pod.labels);
        for counted in &mut self.constraints {
            if counted.selector.matches(&labels)
                && self.inclusion.includes(&counted.constraint, spec, &node.info.name)
                && let Some(domain) = counted.topology.of(node.id)
            {
                *counted.pods[domain.index()].get_or_insert(0) += sign;
                counted.find_least();
            }
        }
    }
}

impl Counted {
    /// The fewest pods any domain has; nothing as long as there are too few domains.
    fn find_least(&mut self) {
        let domains = self.pods.iter().flatten();
        let enough = domains.clone().count() as i64 >= self.constraint.min_domains;
        self.least = if enough { domains.copied().min().unwrap_or(0) } else { 0 };
    }

    fn skew(&self, domain: StrId) -> i64 {
        self.pods[domain.index()].unwrap_or(0) + self.counts_itself - self.least
    }
}
