//! What the two resource scores have in common: the resources a profile lists, each with what
//! the pod asks of it, against what a node has and has given away.

use smallvec::SmallVec;

use crate::base::{Interner, Text};
use crate::sched::nodes::{NodeView, Rare};
use crate::sched::requests::is_scalar;
use crate::store::shape::Resources;

/// One resource of the profile's list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Cpu,
    Memory,
    Other(Rare),
}

/// What the pod asks of one resource.
#[derive(Clone, Copy, Debug)]
pub struct Demand {
    kind: Kind,
    /// The resource's weight in the score.
    pub weight: i64,
    /// What the pod asks for.
    pub amount: i64,
}

/// What the pod asks of every resource that counts for its score.
#[derive(Clone, Debug)]
pub struct Demands(SmallVec<[Demand; 2]>);

/// One resource of one node: what there is, what is taken, and what would be taken.
#[derive(Clone, Copy, Debug)]
pub struct Level {
    /// Allocatable; never zero.
    pub allocatable: i64,
    /// Taken without the pod.
    pub used: i64,
    /// Taken with the pod.
    pub requested: i64,
    /// The resource's weight.
    pub weight: i64,
}

impl Demands {
    /// The resources of a list that count for a pod: a scalar it does not ask for, or that no
    /// node has, is left out.
    pub fn new(list: &[(Text, i64)], asked: &Resources, resources: &Interner) -> Self {
        let demand = |(name, weight): &(Text, i64)| {
            let amount = asked.get(name);
            let kind = match name.as_str() {
                "cpu" => Kind::Cpu,
                "memory" => Kind::Memory,
                "ephemeral-storage" => Kind::Other(Rare::EphemeralStorage),
                _ if amount == 0 && is_scalar(name) => return None,
                _ => Kind::Other(Rare::Named(resources.find(name)?)),
            };
            Some(Demand { kind, weight: *weight, amount })
        };
        Self(list.iter().filter_map(demand).collect())
    }

    /// The two demands when they are for cpu and memory.
    pub fn cpu_and_memory(&self) -> Option<(&Demand, &Demand)> {
        match &self.0[..] {
            [cpu, memory] if cpu.kind == Kind::Cpu && memory.kind == Kind::Memory => {
                Some((cpu, memory))
            }
            _ => None,
        }
    }

    /// Each resource the node has, with cpu and memory as `used` says.
    pub fn levels<'a>(
        &'a self,
        node: NodeView<'a>,
        used: Used,
    ) -> impl Iterator<Item = Level> + 'a {
        self.0.iter().filter_map(move |demand| {
            let row = node.row;
            let (allocatable, used) = match (demand.kind, used) {
                (Kind::Cpu, Used::Scored) => (row.cpu_milli, row.scored_cpu_milli),
                (Kind::Cpu, Used::Asked) => (row.cpu_milli, row.used_cpu_milli),
                (Kind::Memory, Used::Scored) => (row.memory_bytes, row.scored_memory_bytes),
                (Kind::Memory, Used::Asked) => (row.memory_bytes, row.used_memory_bytes),
                (Kind::Other(resource), _) => {
                    let amount = node.info.amount(resource);
                    (amount.allocatable, amount.used)
                }
            };
            (allocatable != 0).then(|| Level {
                allocatable,
                used,
                requested: used + demand.amount,
                weight: demand.weight,
            })
        })
    }

    /// The weighted mean of a score per resource, whole numbers throughout.
    pub fn mean(&self, node: NodeView, score: impl Fn(i64, i64) -> i64) -> i64 {
        let (mut sum, mut weights) = (0, 0);
        for level in self.levels(node, Used::Scored) {
            sum += score(level.requested, level.allocatable) * level.weight;
            weights += level.weight;
        }
        if weights == 0 { 0 } else { sum / weights }
    }

    /// The weighted mean of a shape's scores; resources that score nothing do not count.
    pub fn mean_by_shape(&self, node: NodeView, shape: &Shape) -> i64 {
        let (mut sum, mut weights) = (0, 0);
        for level in self.levels(node, Used::Scored) {
            let score = shape.score(level.requested, level.allocatable);
            if score > 0 {
                sum += score * level.weight;
                weights += level.weight;
            }
        }
        // Rounded half away from zero, as Go's math.Round does.
        if weights == 0 { 0 } else { (sum as f64 / weights as f64).round() as i64 }
    }
}

/// Which reading of cpu and memory in use a score goes by.
#[derive(Clone, Copy, Debug)]
pub enum Used {
    /// Pods without requests count the defaults.
    Scored,
    /// Only what was asked for.
    Asked,
}

/// Points of a piecewise linear function from utilization (0 to 100) to score.
#[derive(Clone, Debug, PartialEq)]
pub struct Shape(Vec<(i64, i64)>);

impl Shape {
    /// A shape of points (utilization, score from 0 to 10), by rising utilization.
    pub fn new(points: impl IntoIterator<Item = (i64, i64)>) -> Self {
        Self(points.into_iter().map(|(at, score)| (at, score * 10)).collect())
    }

    fn score(&self, requested: i64, capacity: i64) -> i64 {
        let full = requested > capacity;
        self.at(if full { 100 } else { requested.wrapping_mul(100) / capacity })
    }

    fn at(&self, utilization: i64) -> i64 {
        let next = self.0.iter().position(|(at, _)| utilization <= *at);
        match next {
            Some(0) => self.0[0].1,
            Some(next) => {
                let ((low, from), (high, to)) = (self.0[next - 1], self.0[next]);
                from + (to - from) * (utilization - low) / (high - low)
            }
            None => self.0.last().map_or(0, |(_, score)| *score),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Shape;

    #[test]
    fn a_shape_is_linear_between_its_points_and_flat_outside() {
        let shape = Shape::new([(10, 0), (60, 10), (90, 3)]);
        let at = [0, 10, 11, 35, 60, 75, 90, 100].map(|utilization| shape.at(utilization));
        assert_eq!(at, [0, 0, 2, 50, 100, 65, 30, 30]);
        assert_eq!(shape.score(200, 100), 30);
    }
}
