//! Reserve: which GPUs of the chosen node a pod gets.

use super::devices::Devices;
use super::request::{GpuRequest, Numbers};
use super::{MILLI, Selection};
use crate::base::Stream;

/// How GPUs are chosen in one cycle.
pub enum Choice<'a> {
    /// The one with the least left.
    Best,
    /// The one with the most left.
    Worst,
    /// Any of them.
    Random(&'a mut Stream),
    /// The one with the highest score, the first of several.
    Scored(&'a dyn Fn(usize) -> i64),
}

impl<'a> Choice<'a> {
    /// The choice a configuration names; `score` is that of fragmentation.
    pub fn new(
        selection: Selection,
        stream: &'a mut Stream,
        score: &'a dyn Fn(usize) -> i64,
    ) -> Self {
        match selection {
            Selection::Best => Self::Best,
            Selection::Worst => Self::Worst,
            Selection::Random => Self::Random(stream),
            Selection::Fragmentation => Self::Scored(score),
        }
    }
}

/// The GPUs a pod gets. Those it insists on, the first free ones when it asks for whole ones,
/// and otherwise the one of choice.
///
/// None when the node does not have enough, which its filter would have found.
pub fn choose(devices: &Devices, request: &GpuRequest, choice: Choice) -> Numbers {
    if !request.devices.is_empty() {
        return request.devices.clone();
    }
    let enough = |number: &usize| devices.left_of(*number) >= request.milli.max(1);
    let mut able = (0..devices.count()).filter(enough);
    if !request.shares() {
        let free = able.filter(|number| devices.left_of(*number) == MILLI);
        return free.take(request.count as usize).map(|number| number as u16).collect();
    }
    let left = |number: &usize| devices.left_of(*number);
    let chosen = match choice {
        Choice::Best => able.min_by_key(left),
        // Of equals the first: `max_by_key` would take the last.
        Choice::Worst => able.min_by_key(|number| -left(number)),
        Choice::Scored(score) => able.min_by_key(|number| -score(*number)),
        Choice::Random(stream) => match able.clone().count() as u64 {
            0 => None,
            count => able.nth(stream.below(count) as usize),
        },
    };
    chosen.into_iter().map(|number| number as u16).collect()
}
