//! NodeResourcesBalancedAllocation: prefer nodes whose resources the pod leaves evenly used.
//!
//! Since 1.36 the score is about the change the pod makes: 75 when it makes none, towards 100
//! when it evens the node out, towards 50 when it tilts it.

use smallvec::SmallVec;

use super::resource_allocation::{Demands, Level, Used};
use super::{Context, MAX_SCORE, Scorer};
use crate::base::Text;
use crate::sched::nodes::{NodeRow, NodeView};

/// `NodeResourcesBalancedAllocationArgs`.
#[derive(Clone, Debug, PartialEq)]
pub struct Args {
    /// `resources`: names; every weight is one.
    pub resources: Vec<(Text, i64)>,
}

impl Default for Args {
    fn default() -> Self {
        Self { resources: vec![("cpu".into(), 1), ("memory".into(), 1)] }
    }
}

/// One thing per resource.
type Levels<T> = SmallVec<[T; 4]>;

/// The scorer, unless the pod asks for none of the resources.
pub fn scorer<'a>(context: &Context<'a>) -> Option<Scorer<'a>> {
    let list = &context.args.balanced_allocation.resources;
    let asked = &context.pod.requests.asked;
    if list.iter().all(|(name, _)| asked.get(name) == 0) {
        return None;
    }
    Some(Scorer::BalancedAllocation(Demands::new(list, asked, &context.nodes.resources)))
}

/// The score of a node.
pub fn score(demands: &Demands, node: NodeView) -> i64 {
    if let Some((cpu, memory)) = demands.cpu_and_memory() {
        return score_of_two(node.row, cpu.amount, memory.amount);
    }
    let levels: Levels<Level> = demands.levels(node, Used::Asked).collect();
    let evenness = |used: fn(&Level) -> i64| {
        let fractions: Levels<f64> =
            levels.iter().map(|level| fraction(used(level), level.allocatable)).collect();
        evenness(&fractions)
    };
    gain(evenness(|level| level.requested), evenness(|level| level.used))
}

/// The usual case, cpu and memory, without a loop.
fn score_of_two(row: &NodeRow, cpu: i64, memory: i64) -> i64 {
    if row.cpu_milli == 0 || row.memory_bytes == 0 {
        return gain(MAX_SCORE, MAX_SCORE);
    }
    let even = |cpu: i64, memory: i64| {
        let gap = fraction(cpu, row.cpu_milli) - fraction(memory, row.memory_bytes);
        to_score((gap / 2.0).abs())
    };
    let with = even(row.used_cpu_milli + cpu, row.used_memory_bytes + memory);
    gain(with, even(row.used_cpu_milli, row.used_memory_bytes))
}

fn gain(with: i64, without: i64) -> i64 {
    MAX_SCORE / 2 + (MAX_SCORE / 2 + with - without) / 2
}

fn fraction(used: i64, allocatable: i64) -> f64 {
    (used as f64 / allocatable as f64).min(1.0)
}

/// A hundred when all fractions are the same, less by their standard deviation.
fn evenness(fractions: &[f64]) -> i64 {
    match *fractions {
        [] | [_] => MAX_SCORE,
        [first, second] => to_score(((first - second) / 2.0).abs()),
        _ => {
            // Sums run in the order of the list: floats do not add up the same in another.
            let count = fractions.len() as f64;
            let mean = fractions.iter().fold(0.0, |sum, fraction| sum + fraction) / count;
            let square = |fraction: &f64| (fraction - mean) * (fraction - mean);
            let squares = fractions.iter().fold(0.0, |sum, fraction| sum + square(fraction));
            to_score((squares / count).sqrt())
        }
    }
}

fn to_score(deviation: f64) -> i64 {
    ((1.0 - deviation) * MAX_SCORE as f64) as i64
}
