//! Hard constraints: no domain may have many more pods than the one that has fewest.

use std::rc::Rc;
use std::sync::Arc;

use smallvec::SmallVec;

use super::count::Counter;
use super::tallies::{self, Tallies};
use super::{Inclusion, MISSING_LABEL, constraints};
use crate::base::{StrId, Text};
use crate::labels::{LabelSets, Selector};
use crate::sched::nodes::{NodeId, NodeView};
use crate::sched::plugins::members::Places;
use crate::sched::plugins::{Context, Filter, PluginId, PreFilter};
use crate::sched::pod_info::PodInfo;
use crate::sched::spread_constraint::SpreadConstraint;
use crate::sched::status::Rejection;
use crate::sched::topologies::{KeyId, Topologies};

/// The hard constraints of a pod with the pods counted per domain.
#[derive(Clone)]
pub struct SpreadFilter<'a> {
    sets: &'a LabelSets,
    pod: &'a PodInfo,
    topologies: &'a Topologies,
    constraints: SmallVec<[Counted; 1]>,
    inclusion: Rc<Inclusion<'a>>,
    /// Where it lets the pod go, if that is kept.
    allowed: Option<&'a Places>,
}

/// One constraint with the pods counted per domain.
#[derive(Clone)]
struct Counted {
    constraint: Arc<SpreadConstraint>,
    selector: Arc<Selector>,
    topology: KeyId,
    /// Whether the pod itself would be counted.
    counts_itself: i64,
    /// Pods per domain; none for a domain in which no node counts.
    pods: Arc<Vec<Option<i64>>>,
    least: i64,
}

/// Prepares the filter: counts pods on every node that counts.
pub fn pre_filter<'a>(context: &Context<'a>) -> PreFilter<'a> {
    if !tallies::has_constraints(context, true) {
        return PreFilter::Skip;
    }
    let mut filter = SpreadFilter {
        sets: &context.store.sets,
        pod: context.pod,
        topologies: &context.nodes.topologies,
        constraints: SmallVec::new(),
        inclusion: Rc::new(Inclusion::new(context)),
        allowed: context.kept.hard.map(|kept| &kept.allowed),
    };
    match context.kept.hard {
        Some(kept) => filter.take_over(kept),
        None => filter.count_all(context),
    }
    PreFilter::Ready { filter: Some(Filter::PodTopologySpread(Box::new(filter))), only: None }
}

impl SpreadFilter<'_> {
    /// Takes over counts that were kept.
    fn take_over(&mut self, kept: &Tallies) {
        self.constraints.extend(kept.list.iter().map(|tally| Counted {
            constraint: Arc::clone(&tally.constraint),
            selector: Arc::clone(&tally.selector),
            topology: tally.topology,
            counts_itself: tally.counts_itself,
            pods: Arc::clone(&tally.pods),
            least: tally.least(),
        }));
    }

    /// The constraints with nothing counted yet.
    fn prepare(&mut self, context: &Context) {
        let labels = self.sets.get(self.pod.labels);
        for constraint in constraints(context, true) {
            let key = self.topologies.find(&constraint.key).expect("keys in use are known");
            let selector = constraint.selector(&labels);
            self.constraints.push(Counted {
                counts_itself: i64::from(selector.matches(&labels)),
                pods: Arc::new(vec![None; self.topologies.get(key).domains()]),
                least: 0,
                topology: key,
                selector: Arc::new(selector),
                constraint: Arc::new(constraint),
            });
        }
    }

    fn count_all(&mut self, context: &Context) {
        self.prepare(context);
        let topologies = self.topologies;
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
                    && let Some(domain) = topologies.get(counted.topology).of(*id)
                {
                    counted.add(domain, counter.on(info));
                }
            }
        }
        self.constraints.iter_mut().for_each(Counted::find_least);
    }

    /// Only nodes in all of the topologies count for any of them.
    fn has_all_labels(&self, node: NodeId) -> bool {
        let in_it = |counted: &Counted| self.topologies.get(counted.topology).of(node).is_some();
        self.constraints.iter().all(in_it)
    }

    /// Where it lets the pod go, if it knows.
    pub fn allowed(&self) -> Option<&[u64]> {
        self.allowed.map(Places::bits)
    }

    /// The topology key and `maxSkew` of each constraint.
    pub fn constraints(&self) -> impl Iterator<Item = (&Text, i64)> {
        self.constraints.iter().map(|one| (&one.constraint.key, one.constraint.max_skew))
    }

    /// What the skew of each constraint would be with the pod on a node; nothing where the node
    /// lacks the label.
    pub fn skews(&self, node: NodeId) -> impl Iterator<Item = Option<i64>> {
        let domain = move |one: &Counted| self.topologies.get(one.topology).of(node);
        self.constraints.iter().map(move |one| Some(one.skew(domain(one)?)))
    }

    /// Judges a node.
    pub fn check(&self, node: NodeView) -> Result<(), Rejection> {
        for counted in &self.constraints {
            let Some(domain) = self.topologies.get(counted.topology).of(node.id) else {
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
        self.allowed = None;
        let spec = node.info.spec.as_ref().expect("only nodes that exist are tried");
        if pod.namespace != self.pod.namespace || !self.has_all_labels(node.id) {
            return;
        }
        let labels = self.sets.get(pod.labels);
        for counted in &mut self.constraints {
            if counted.selector.matches(&labels)
                && self.inclusion.includes(&counted.constraint, spec, &node.info.name)
                && let Some(domain) = self.topologies.get(counted.topology).of(node.id)
            {
                counted.add(domain, sign);
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

    fn add(&mut self, domain: StrId, pods: i64) {
        let column = Arc::make_mut(&mut self.pods);
        if domain.index() >= column.len() {
            column.resize(domain.index() + 1, None);
        }
        *column[domain.index()].get_or_insert(0) += pods;
    }

    #[inline]
    fn skew(&self, domain: StrId) -> i64 {
        self.pods.get(domain.index()).copied().flatten().unwrap_or(0) + self.counts_itself
            - self.least
    }
}
