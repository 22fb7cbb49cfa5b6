//! Score: every plugin's opinion of the feasible nodes, weighted and added up.

use super::{Cycle, Findings};
use crate::sched::plugins::{self, PluginId, Scorer};

/// The scores of the feasible nodes of one cycle.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scores {
    /// The sum per feasible node.
    pub totals: Vec<i64>,
    /// Per plugin that had a say, normalised score times weight for each feasible node; kept
    /// on request only.
    pub by_plugin: Vec<(PluginId, Vec<i64>)>,
    /// Whether to keep scores per plugin.
    pub keep: bool,
    buffer: Vec<i64>,
}

impl Scores {
    pub(super) fn clear(&mut self) {
        self.totals.clear();
        self.by_plugin.clear();
    }
}

impl Cycle<'_> {
    /// Scores the feasible nodes.
    pub(super) fn score(&self, findings: &mut Findings) {
        let Findings { feasible, scores, .. } = findings;
        scores.totals.resize(feasible.len(), 0);
        for (id, weight) in &self.profile.score {
            let Some(scorer) = plugins::pre_score(*id, &self.context(), feasible) else { continue };
            // What is the same for every node decides nothing.
            if matches!(scorer, Scorer::Constant(0)) && !scores.keep {
                continue;
            }
            scores.buffer.clear();
            scorer.score(&self.cache.nodes, feasible, &mut scores.buffer);
            for (total, score) in scores.totals.iter_mut().zip(&mut scores.buffer) {
                *score *= weight;
                *total += *score;
            }
            if scores.keep {
                scores.by_plugin.push((*id, scores.buffer.clone()));
            }
        }
    }
}
