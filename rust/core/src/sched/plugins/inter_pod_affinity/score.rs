//! Preferred terms, on either side: nodes near wanted pods, and far from unwanted ones.

use super::relation::{Own, Tally};
use crate::sched::nodes::NodeId;
use crate::sched::plugins::{Context, MAX_SCORE, Scorer};

/// The raw score of each feasible node.
#[derive(Clone, Debug, Default)]
pub struct AffinityScores {
    raw: Vec<i64>,
}

/// The scorer, unless no wish concerns the pod.
pub fn scorer<'a>(context: &Context<'a>, feasible: &[NodeId]) -> Option<Scorer<'a>> {
    let pod = context.pod;
    if pod.affinity.is_none() && context.cache.affinity.is_empty() {
        return None;
    }
    let counted;
    let tally = match context.kept.affinity {
        Some(kept) => &kept.tally,
        None => {
            counted = Tally::of(&Own::new(context), context.cache);
            &counted
        }
    };
    if tally.granted == 0 {
        return None;
    }
    let topologies = &context.nodes.topologies;
    let raw = |node: &NodeId| tally.wishes.all_of(topologies, *node).sum();
    let raw = feasible.iter().map(raw).collect();
    Some(Scorer::InterPodAffinity(AffinityScores { raw }))
}

/// Appends the normalised scores: the lowest becomes nothing, the highest a hundred.
pub fn score(affinity: &AffinityScores, scores: &mut Vec<i64>) {
    let least = affinity.raw.iter().copied().min().unwrap_or(0);
    let most = affinity.raw.iter().copied().max().unwrap_or(0);
    let scaled = |raw: &i64| {
        let share = (raw - least) as f64 / (most - least) as f64;
        (MAX_SCORE as f64 * share) as i64
    };
    scores.extend(affinity.raw.iter().map(|raw| if most > least { scaled(raw) } else { 0 }));
}
