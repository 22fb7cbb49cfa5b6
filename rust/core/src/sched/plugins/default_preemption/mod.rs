//! DefaultPreemption: when no node has room, find one where pods of lower priority could make
//! room, harming as few and as unimportant ones as possible.

pub mod kept;

use std::cmp::Reverse;
use std::ops::ControlFlow;

use crate::base::{Map, StrId, Text, Time, Value};
use crate::labels::Selector;
use crate::sched::cycle::message::FitError;
use crate::sched::cycle::post_filter::{PostFilter, Trial};
use crate::sched::cycle::{Absent, Cycle, Filters, Findings, Nominate};
use crate::sched::nodes::{NodeId, PodOnNode};
use crate::sched::plugins::user::asking::is_pending;
use crate::sched::plugins::{Filter, PluginId};
use crate::sched::status::{Code, Rejection};
use crate::store::Store;
use crate::store::pod::PREEMPTED;

/// The reason of a node without pods of lower priority, in words.
pub const REASON_NO_VICTIMS: &str = "No preemption victims found for incoming pod";
const REASON_NOT_HELPFUL: &str = "Preemption is not helpful for scheduling";

/// `DefaultPreemptionArgs`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Args {
    /// `minCandidateNodesPercentage`.
    pub candidates_percentage: i64,
    /// `minCandidateNodesAbsolute`.
    pub candidates_absolute: i64,
}

impl Default for Args {
    fn default() -> Self {
        Self { candidates_percentage: 10, candidates_absolute: 100 }
    }
}

impl Args {
    /// How many candidates are enough among `nodes`.
    fn enough(self, nodes: usize) -> usize {
        let nodes = nodes as i64;
        let wanted = nodes * self.candidates_percentage / 100;
        wanted.max(self.candidates_absolute).min(nodes) as usize
    }
}

/// A node where preemption would help.
#[derive(Clone, Debug)]
pub struct Candidate {
    node: NodeId,
    /// Most important first; never empty.
    victims: Vec<Victim>,
    budget_violations: usize,
}

/// A pod that might have to go.
#[derive(Clone, Copy, Debug)]
pub struct Victim {
    slot: u32,
    priority: i32,
    /// When it started; a pod that has not counts as starting now.
    started: Time,
}

/// Looks for pods to preempt.
pub fn post_filter<'a>(
    cycle: &Cycle<'a>,
    filters: &Filters<'a>,
    absent: &Absent,
    findings: &Findings,
) -> PostFilter {
    if let Some(why) = ineligible(cycle, absent, findings) {
        return PostFilter { message: why.into(), ..PostFilter::default() };
    }
    let potential = potential_nodes(cycle, absent, findings);
    let (candidates, rejected) = dry_run(cycle, filters, &potential);
    let Some(best) = pick(candidates) else {
        let error = FitError {
            nodes: cycle.cache.nodes.order().len(),
            own: cycle.own,
            pre_filter: "",
            rejected: &rejected,
            absent: REASON_NOT_HELPFUL,
            post_filter: "",
        };
        let message = format!("preemption: {}", error.to_text(cycle.pod)).into();
        return PostFilter { message, nominate: Nominate::Clear, victims: Vec::new() };
    };
    PostFilter {
        message: Text::default(),
        nominate: Nominate::Node(cycle.cache.nodes.info(best.node).name.clone()),
        victims: best.victims.iter().map(|victim| victim.slot).collect(),
    }
}

/// Why a pod may not preempt at all.
fn ineligible(cycle: &Cycle, absent: &Absent, findings: &Findings) -> Option<&'static str> {
    if !cycle.pod.preempts {
        return Some("preemption: not eligible due to preemptionPolicy=Never.");
    }
    let nominated = cycle.store.pod(cycle.slot).nominated?;
    let node = cycle.cache.nodes.find(cycle.store.strings.text(nominated))?;
    let said = findings.rejected.iter().find(|(id, _)| *id == node).map(|(_, no)| no.code);
    if said.or(absent.code) != Some(Code::Unschedulable) {
        return None;
    }
    let victims = &cycle.cache.nodes.info(node).pods;
    let waits = victims.iter().any(|pod| {
        pod.priority < cycle.pod.priority && is_terminating_by_preemption(cycle.store, pod.slot)
    });
    waits.then_some("preemption: not eligible due to a terminating pod on the nominated node.")
}

fn is_terminating_by_preemption(store: &Store, slot: u32) -> bool {
    let row = store.table(store.kinds.pod).row(slot);
    row.is_some_and(|row| row.deletion.is_some()) && store.pod(slot).has(PREEMPTED)
}

/// The nodes that said no in a way that preemption may change.
fn potential_nodes(cycle: &Cycle, absent: &Absent, findings: &Findings) -> Vec<NodeId> {
    if absent.code == Some(Code::Unschedulable) {
        return cycle.cache.nodes.order().to_vec();
    }
    let maybe = findings.rejected.iter().filter(|(_, no)| no.code == Code::Unschedulable);
    maybe.map(|(id, _)| *id).collect()
}

/// Tries preemption on one node after the other until there are candidates enough, one of them
/// without breaking a disruption budget. Nodes where it does not help say why.
fn dry_run<'a>(
    cycle: &Cycle<'a>,
    filters: &Filters<'a>,
    potential: &[NodeId],
) -> (Vec<Candidate>, Vec<(NodeId, Rejection)>) {
    if cycle.cache.lowest_priority().is_none_or(|lowest| lowest >= cycle.pod.priority) {
        let nobody = Rejection::unresolvable(PluginId::DEFAULT_PREEMPTION, 0);
        return (Vec::new(), potential.iter().map(|node| (*node, nobody)).collect());
    }
    let enough = cycle.profile.args.preemption.enough(potential.len());
    let (mut budgets, mut waiting) = (None, 0);
    let kept = cycle.kept.trials.filter(|_| {
        filters.iter().all(Filter::is_local)
            && !cycle.profile.has_user_plugins()
            && cycle.store.pod(cycle.slot).nominated.is_none()
            && budgets.get_or_insert_with(|| Budget::list(cycle.store)).is_empty()
    });
    let mut kept = kept.map(|kept| kept.open(cycle));
    let (mut kind, mut violating, mut rejected) = (Vec::new(), Vec::new(), Vec::new());
    for node in potential {
        let known = kept.as_ref().and_then(|kept| kept.get(cycle.store, *node));
        let tried = known.unwrap_or_else(|| {
            let tried = select_victims(cycle, filters, *node, &mut budgets);
            if let Some(kept) = &mut kept {
                let slots = lower(cycle, *node).map(|pod| pod.slot);
                kept.set(cycle.store, *node, slots, &tried);
            }
            tried
        });
        match tried {
            // Asking about this node as well saves asking again.
            Err(rejection) if is_pending(rejection) => {
                waiting += 1;
                if waiting >= enough {
                    break;
                }
            }
            Ok(candidate) if candidate.budget_violations == 0 => kind.push(candidate),
            Ok(candidate) => violating.push(candidate),
            Err(rejection) => rejected.push((*node, rejection)),
        }
        if !kind.is_empty() && kind.len() + violating.len() >= enough {
            break;
        }
    }
    kind.append(&mut violating);
    (kind, rejected)
}

/// The least harm that makes room on one node: everybody of lower priority goes, then as many
/// as possible come back, the most important first.
fn select_victims<'a>(
    cycle: &Cycle<'a>,
    filters: &Filters<'a>,
    node: NodeId,
    budgets: &mut Option<Vec<Budget>>,
) -> Result<Candidate, Rejection> {
    let view = cycle.cache.nodes.view(node);
    let mut potential: Vec<Victim> =
        lower(cycle, node).map(|pod| kept::victim(cycle.store, pod.slot, pod.priority)).collect();
    if potential.is_empty() {
        return Err(Rejection::unresolvable(PluginId::DEFAULT_PREEMPTION, 0));
    }
    let mut trial = Trial::new(cycle, filters, view);
    for victim in &potential {
        trial.remove(victim.slot);
    }
    trial.check()?;
    potential.sort_by_key(|victim| (Reverse(victim.priority), victim.started));
    let budgets = budgets.get_or_insert_with(|| Budget::list(cycle.store));
    let (violating, others) = split_by_budget(cycle, &potential, budgets);
    let mut victims = Vec::new();
    reprieve(&mut trial, &violating, &mut victims)?;
    let budget_violations = victims.len();
    reprieve(&mut trial, &others, &mut victims)?;
    if victims.is_empty() {
        // Everybody may stay and yet the node said no: a filter contradicts itself.
        return Err(Rejection::unresolvable(PluginId::DEFAULT_PREEMPTION, 0));
    }
    victims.sort_by_key(|victim| (Reverse(victim.priority), victim.started));
    Ok(Candidate { node, victims, budget_violations })
}

/// Lets pods come back that leave room; the rest become victims. An error is a question that
/// must be answered first.
fn reprieve(
    trial: &mut Trial,
    pods: &[Victim],
    victims: &mut Vec<Victim>,
) -> Result<(), Rejection> {
    for pod in pods {
        trial.add(pod.slot);
        match trial.check() {
            Err(rejection) if is_pending(rejection) => return Err(rejection),
            Err(_) => {
                trial.remove(pod.slot);
                victims.push(*pod);
            }
            Ok(()) => {}
        }
    }
    Ok(())
}

/// The pods of lower priority on a node.
fn lower<'a>(cycle: &Cycle<'a>, node: NodeId) -> impl Iterator<Item = &'a PodOnNode> {
    let priority = cycle.pod.priority;
    cycle.cache.nodes.info(node).pods.iter().filter(move |pod| pod.priority < priority)
}

/// A PodDisruptionBudget that selects something.
struct Budget {
    namespace: Option<StrId>,
    selector: Selector,
    allowed: i64,
    /// Names of pods whose disruption was already counted.
    disrupted: Vec<Text>,
}

impl Budget {
    fn list(store: &Store) -> Vec<Self> {
        let Some(kind) = store.registry.kind_id("policy", "PodDisruptionBudget") else {
            return Vec::new();
        };
        let rows = store.table(kind).iter();
        rows.filter_map(|(_, row)| {
            let body = row.body.as_ref()?;
            let selector = body.at(&["spec", "selector"]).unwrap_or(&Value::Null);
            let selector = Selector::from_label_selector(selector).ok()?;
            let disrupted = body.status.get("disruptedPods").and_then(Value::as_map);
            let selects = !selector.is_nothing() && !selector.is_everything();
            selects.then(|| Self {
                namespace: body.namespace,
                selector,
                allowed: body.status.int_at(&["disruptionsAllowed"]).unwrap_or(0),
                disrupted: disrupted.into_iter().flat_map(Map::keys).map(Text::from).collect(),
            })
        })
        .collect()
    }
}

/// Those whose eviction a budget would not allow, and the others, each in the order given.
fn split_by_budget(
    cycle: &Cycle,
    pods: &[Victim],
    budgets: &[Budget],
) -> (Vec<Victim>, Vec<Victim>) {
    let store = cycle.store;
    let mut allowed: Vec<i64> = budgets.iter().map(|budget| budget.allowed).collect();
    pods.iter().partition(|victim| {
        let pod = cycle.cache.info(victim.slot);
        let labels = store.sets.get(pod.labels);
        if labels.is_empty() {
            return false;
        }
        let row = store.table(store.kinds.pod).row(victim.slot);
        let name = row.map(|row| row.name.text(&store.strings)).unwrap_or_default();
        let mut violates = false;
        for (budget, allowed) in budgets.iter().zip(&mut allowed) {
            let applies = budget.namespace == pod.namespace
                && budget.selector.matches(&labels)
                && !budget.disrupted.contains(&name);
            if applies {
                *allowed -= 1;
                violates |= *allowed < 0;
            }
        }
        violates
    })
}

/// The candidate that harms least: each rule decides only among those the rules before left.
/// Where Kubernetes goes by the order of a hash table, we take the first candidate.
fn pick(candidates: Vec<Candidate>) -> Option<Candidate> {
    let rules: [fn(&Candidate) -> i64; 5] = [
        |candidate| candidate.budget_violations as i64,
        |candidate| i64::from(candidate.victims[0].priority),
        |candidate| {
            let weight = |victim: &Victim| i64::from(victim.priority) + (1 << 31);
            candidate.victims.iter().map(weight).sum()
        },
        |candidate| candidate.victims.len() as i64,
        |candidate| -earliest_of_most_important(&candidate.victims).0,
    ];
    let mut left = candidates;
    let _ = rules.iter().try_for_each(|rule| {
        let least = left.iter().map(rule).min();
        left.retain(|candidate| Some(rule(candidate)) == least);
        if left.len() > 1 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    left.into_iter().next()
}

/// The earliest start among the victims of the highest priority.
fn earliest_of_most_important(victims: &[Victim]) -> Time {
    let highest = victims[0].priority;
    let most_important = victims.iter().take_while(|victim| victim.priority == highest);
    most_important.map(|victim| victim.started).min().expect("a candidate has victims")
}
