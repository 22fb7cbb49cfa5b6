//! Soft constraints: prefer domains that have few pods, each topology weighed by how many
//! domains it has.

use super::count::Counter;
use super::kept::{ScoresByKey, wants_all};
use super::tallies::{self, Tallies};
use super::{Inclusion, constraints};
use crate::base::StrId;
use crate::base::float::go_log;
use crate::sched::nodes::{NodeId, Nodes};
use crate::sched::plugins::{Context, MAX_SCORE, Scorer};
use crate::sched::spread_constraint::SpreadConstraint;
use crate::sched::topologies::Topology;

/// What the feasible nodes score.
#[derive(Clone, Debug)]
pub enum SpreadScores {
    /// Each node's raw score; nothing for one that is in none of the topologies.
    Each(Vec<Option<i64>>),
    /// From counts that were kept.
    ByKey(ScoresByKey),
}

/// One constraint with what was counted for it.
struct Counted<'a> {
    constraint: &'a SpreadConstraint,
    topology: &'a Topology,
    counter: Counter<'a>,
    /// Pods per domain, for domains some feasible node lies in.
    pods: Vec<Option<i64>>,
    weight: f64,
}

/// The scorer, unless the pod has no soft constraints.
pub fn scorer<'a>(context: &Context<'a>, feasible: &[NodeId]) -> Option<Scorer<'a>> {
    if let Some(kept) = context.kept.by_key {
        let scores = kept.score(feasible);
        debug_assert_eq!(appended(&SpreadScores::ByKey(scores.clone())), {
            let plain = plain_scores(context, feasible).expect("the pod has soft constraints");
            appended(&plain)
        });
        return Some(Scorer::PodTopologySpread(SpreadScores::ByKey(scores)));
    }
    plain_scores(context, feasible).map(Scorer::PodTopologySpread)
}

/// The scores from pods counted now, node by node.
fn plain_scores(context: &Context, feasible: &[NodeId]) -> Option<SpreadScores> {
    if !tallies::has_constraints(context, false) {
        return None;
    }
    let soft = constraints(context, false);
    let labels = context.store.sets.get(context.pod.labels);
    let selectors: Vec<_> = soft.iter().map(|constraint| constraint.selector(&labels)).collect();
    let nodes = context.nodes;
    let mut counted: Vec<Counted> = soft
        .iter()
        .zip(&selectors)
        .map(|(constraint, selector)| {
            let key = nodes.topologies.find(&constraint.key).expect("keys in use are known");
            let topology = nodes.topologies.get(key);
            let (sets, infos) = (&context.store.sets, &context.cache.infos);
            Counted {
                counter: Counter::new(sets, infos, context.pod.namespace, selector),
                pods: vec![None; topology.domains()],
                weight: 0.0,
                constraint,
                topology,
            }
        })
        .collect();
    let wants_all = wants_all(context.pod, &context.args.spread);
    let scored: Vec<bool> =
        feasible.iter().map(|id| !wants_all || has_all_labels(&counted, *id)).collect();
    weigh(&mut counted, feasible, &scored);
    match context.kept.soft {
        Some(kept) => take_over(&mut counted, kept),
        None => count_all(context, &mut counted, wants_all),
    }
    let raw = feasible
        .iter()
        .zip(&scored)
        .map(|(id, scored)| scored.then(|| raw_score(&counted, nodes, *id)));
    Some(SpreadScores::Each(raw.collect()))
}

fn has_all_labels(counted: &[Counted], node: NodeId) -> bool {
    counted.iter().all(|counted| counted.topology.of(node).is_some())
}

/// Notes the domains feasible nodes lie in, and weighs each constraint by their number. A node
/// that lacks the label adds one more, nameless domain.
fn weigh(counted: &mut [Counted], feasible: &[NodeId], scored: &[bool]) {
    let scored = || feasible.iter().zip(scored).filter(|(_, scored)| **scored).map(|(id, _)| *id);
    for counted in counted {
        let mut size = 0;
        if counted.topology.is_hostname() {
            size = scored().count();
        } else {
            let mut nameless = false;
            for id in scored() {
                match counted.topology.of(id) {
                    Some(domain) => {
                        let seen = counted.pods[domain.index()].replace(0).is_some();
                        size += usize::from(!seen);
                    }
                    None => nameless = true,
                }
            }
            size += usize::from(nameless);
        }
        counted.weight = go_log(size as f64 + 2.0);
    }
}

/// Takes over the pods of those domains from counts that were kept.
fn take_over(counted: &mut [Counted], kept: &Tallies) {
    for (counted, tally) in counted.iter_mut().zip(&kept.list) {
        for (pods, kept) in counted.pods.iter_mut().zip(tally.pods.iter()) {
            if let Some(pods) = pods {
                *pods = kept.unwrap_or(0);
            }
        }
    }
}

/// Counts the pods of those domains over all nodes that count.
fn count_all(context: &Context, counted: &mut [Counted], wants_all: bool) {
    let inclusion = Inclusion::new(context);
    for id in context.nodes.order() {
        if wants_all && !has_all_labels(counted, *id) {
            continue;
        }
        let info = context.nodes.info(*id);
        let spec = info.spec.as_ref().expect("a node in the order exists");
        for counted in &mut *counted {
            let domain = counted.topology.of(*id).map(StrId::index);
            let Some(pods) = domain.and_then(|at| counted.pods[at].as_mut()) else { continue };
            if inclusion.includes(counted.constraint, spec, &info.name) {
                *pods += counted.counter.on(info);
            }
        }
    }
}

fn raw_score(counted: &[Counted], nodes: &Nodes, node: NodeId) -> i64 {
    let mut score = 0.0;
    for counted in counted {
        let Some(domain) = counted.topology.of(node) else { continue };
        let pods = if counted.topology.is_hostname() {
            counted.counter.on(nodes.info(node))
        } else {
            counted.pods[domain.index()].unwrap_or(0)
        };
        score += pods as f64 * counted.weight + (counted.constraint.max_skew - 1) as f64;
    }
    // Half away from zero, as Go's math.Round.
    f64::round(score) as i64
}

/// Appends the normalised scores: the fewer pods the better.
pub fn score(spread: &SpreadScores, scores: &mut Vec<i64>) {
    let raw = match spread {
        SpreadScores::Each(raw) => raw,
        SpreadScores::ByKey(by_key) => return by_key.append_to(scores),
    };
    let known = || raw.iter().flatten().copied();
    let (least, most) = (known().min().unwrap_or(0), known().max().unwrap_or(0));
    scores.extend(raw.iter().map(|raw| match raw {
        None => 0,
        Some(_) if most == 0 => MAX_SCORE,
        Some(raw) => MAX_SCORE * (most + least - raw) / most,
    }));
}

fn appended(spread: &SpreadScores) -> Vec<i64> {
    let mut scores = Vec::new();
    score(spread, &mut scores);
    scores
}
