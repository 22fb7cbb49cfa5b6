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
    /// Whether the local scores decide: all others are the same for every node.
    pub(super) fn scores_are_local(&self) -> bool {
        let context = self.context();
        let decides =
            |id: PluginId| !context.scores_locally(id) && !plugins::scores_alike(id, &context);
        !self.profile.score.iter().any(|(id, _)| decides(*id))
    }

    /// Adds the scores that are not local to the sums of those that are, which the search for
    /// feasible nodes left in the totals.
    pub(super) fn score(&self, findings: &mut Findings) {
        let Findings { feasible, scores, .. } = findings;
        let context = self.context();
        for (id, weight) in &self.profile.score {
            let local = context.scores_locally(*id);
            if local && !scores.keep {
                continue;
            }
            let Some(scorer) = plugins::pre_score(*id, &context, feasible) else { continue };
            // What is the same for every node decides nothing.
            if matches!(scorer, Scorer::Constant(0)) && !scores.keep {
                continue;
            }
            scores.buffer.clear();
            scorer.score(&self.cache.nodes, feasible, &mut scores.buffer);
            scores.buffer.iter_mut().for_each(|score| *score *= weight);
            if !local {
                for (total, score) in scores.totals.iter_mut().zip(&scores.buffer) {
                    *total += score;
                }
            }
            if scores.keep {
                scores.by_plugin.push((*id, scores.buffer.clone()));
            }
        }
    }
}
