//! What is left of the GPUs of one node.

use smallvec::SmallVec;

use super::request::{GpuRequest, MOST_DEVICES, Numbers};
use super::{GPU_COUNT, GPU_MILLI, MILLI};
use crate::base::Text;
use crate::sched::node_spec::NodeSpec;

/// The GPUs of a node, and what its pods have of them. Pods may name GPUs the node does not
/// have, and may have more of one than there is: who binds them decides that.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Devices {
    /// How many GPUs the node has.
    count: u16,
    /// Their model; empty when the node does not say.
    model: Text,
    /// Thousandths taken of each, by number.
    used: SmallVec<[i64; 8]>,
    /// How many of its pods ask for so many whole GPUs, or under zero for a part of one; sorted.
    kinds: SmallVec<[(u32, u32); 2]>,
}

/// How many GPUs a node object offers. One that offers thousandths and no number has one per
/// thousand.
pub fn count_of(spec: &NodeSpec) -> u16 {
    let (count, milli) = (spec.allocatable.get(GPU_COUNT), spec.allocatable.get(GPU_MILLI));
    let count = if count > 0 { count } else { milli / MILLI };
    count.clamp(0, MOST_DEVICES as i64) as u16
}

impl Devices {
    /// Takes in what a node object says.
    pub fn set(&mut self, count: u16, model: &str) {
        self.count = count;
        self.model = model.into();
        if self.used.len() < usize::from(count) {
            self.used.resize(usize::from(count), 0);
        }
    }

    /// Whether the node has no GPU and no pod has one of it.
    pub fn is_empty(&self) -> bool {
        self.count == 0 && self.kinds.is_empty() && self.used.iter().all(|used| *used == 0)
    }

    /// How many GPUs the node has.
    pub fn count(&self) -> usize {
        usize::from(self.count)
    }

    /// The model of its GPUs; empty when it does not say.
    pub fn model(&self) -> &str {
        &self.model
    }

    /// Thousandths taken of each GPU, those that pods have and the node has not included.
    pub fn used(&self) -> &[i64] {
        &self.used
    }

    /// Thousandths left of each GPU, by number.
    #[inline]
    pub fn left(&self) -> impl Iterator<Item = i64> + Clone {
        self.used[..self.count()].iter().map(|used| (MILLI - used).max(0))
    }

    /// Thousandths left of one GPU; nothing of one the node does not have.
    pub fn left_of(&self, number: usize) -> i64 {
        if number < self.count() { (MILLI - self.used[number]).max(0) } else { 0 }
    }

    /// Thousandths left of all GPUs together.
    #[inline]
    pub fn total_left(&self) -> i64 {
        self.left().sum()
    }

    /// How many GPUs nobody has any of.
    #[inline]
    pub fn free(&self) -> usize {
        self.left().filter(|left| *left == MILLI).count()
    }

    /// How many kinds of requests its pods make, and how many of them make one of this kind.
    pub fn kinds(&self, like: &GpuRequest) -> (usize, u32) {
        let of = self.kinds.iter().find(|(kind, _)| *kind == kind_of(like));
        (self.kinds.len(), of.map_or(0, |(_, pods)| *pods))
    }

    /// Counts a pod on the node.
    pub fn add(&mut self, request: &GpuRequest) {
        self.take(request, &request.devices, 1);
        self.count_kind(request, 1);
    }

    /// Takes a pod off the node.
    pub fn remove(&mut self, request: &GpuRequest) {
        self.take(request, &request.devices, -1);
        self.count_kind(request, -1);
    }

    /// Takes the room of a pod that has no GPUs yet: those it would get that have least left.
    pub fn promise(&mut self, request: &GpuRequest) {
        if request.devices.is_empty()
            && let Some(devices) = self.tightest(request)
        {
            self.take(request, &devices, 1);
        }
    }

    /// The GPUs with the least left that have enough for a pod; nothing when there are too few.
    pub fn tightest(&self, request: &GpuRequest) -> Option<Numbers> {
        let fits = |number: &u16| self.left_of(usize::from(*number)) >= request.milli;
        let mut numbers: Numbers = (0..self.count).filter(fits).collect();
        numbers.sort_by_key(|number| self.left_of(usize::from(*number)));
        let enough = numbers.len() >= request.count as usize;
        numbers.truncate(request.count as usize);
        enough.then_some(numbers)
    }

    fn take(&mut self, request: &GpuRequest, devices: &[u16], times: i64) {
        for number in devices {
            let at = usize::from(*number);
            if self.used.len() <= at {
                self.used.resize(at + 1, 0);
            }
            self.used[at] += times * request.milli;
        }
    }

    fn count_kind(&mut self, request: &GpuRequest, times: i32) {
        if request.count == 0 {
            return;
        }
        let kind = kind_of(request);
        match self.kinds.binary_search_by_key(&kind, |(kind, _)| *kind) {
            Ok(at) => {
                let pods = self.kinds[at].1.saturating_add_signed(times);
                self.kinds[at].1 = pods;
                if pods == 0 {
                    self.kinds.remove(at);
                }
            }
            Err(at) => self.kinds.insert(at, (kind, 1)),
        }
    }
}

/// Zero for a part of a GPU, otherwise the number of whole ones.
fn kind_of(request: &GpuRequest) -> u32 {
    if request.shares() { 0 } else { request.count }
}
