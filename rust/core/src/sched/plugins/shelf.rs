//! Where plugins keep what they counted for pods of one sort, for the next pod like them.

use smallvec::SmallVec;

use crate::base::{FastMap, StrId};
use crate::labels::LabelSetId;
use crate::sched::pod_info::PodInfo;

/// What is compared first when something is looked for.
type Sort = (Option<StrId>, LabelSetId);

fn sort_of(pod: &PodInfo) -> Sort {
    (pod.namespace, pod.labels)
}

/// Things kept for pods, by namespace and labels; see the module header. When there are too
/// many, the one that was put there first makes room.
#[derive(Debug)]
pub struct Shelf<T> {
    places: FastMap<Sort, SmallVec<[usize; 1]>>,
    things: Vec<(Sort, T)>,
    oldest: usize,
}

impl<T> Default for Shelf<T> {
    fn default() -> Self {
        Self { places: FastMap::default(), things: Vec::new(), oldest: 0 }
    }
}

impl<T> Shelf<T> {
    /// Whether nothing is kept.
    pub fn is_empty(&self) -> bool {
        self.things.is_empty()
    }

    /// The place of what serves a pod, if anything does.
    pub fn find(&self, pod: &PodInfo, serves: impl Fn(&T) -> bool) -> Option<usize> {
        let places = self.places.get(&sort_of(pod))?;
        places.iter().copied().find(|at| serves(&self.things[*at].1))
    }

    /// What is at a place.
    pub fn at(&mut self, place: usize) -> &mut T {
        &mut self.things[place].1
    }

    /// Keeps something for pods like this one, `most` things at the most.
    pub fn insert(&mut self, pod: &PodInfo, thing: T, most: usize) -> usize {
        let sort = sort_of(pod);
        let at = if self.things.len() < most {
            self.things.push((sort, thing));
            self.things.len() - 1
        } else {
            self.oldest = (self.oldest + 1) % self.things.len();
            let at = self.oldest;
            let (old, _) = std::mem::replace(&mut self.things[at], (sort, thing));
            let places = self.places.get_mut(&old).expect("it had a place");
            places.retain(|place| *place != at);
            if places.is_empty() {
                self.places.remove(&old);
            }
            at
        };
        match self.places.get_mut(&sort) {
            Some(places) => places.push(at),
            None => drop(self.places.insert(sort, SmallVec::from_elem(at, 1))),
        }
        at
    }

    /// Drops everything.
    pub fn clear(&mut self) {
        *self = Self::default();
    }
}
