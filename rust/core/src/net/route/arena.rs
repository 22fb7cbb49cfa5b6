//! The endpoints of all service ports of a family, one after the other.
//!
//! A service port has a range of its own with a little room to grow. Those that take connections
//! of any node come first in it, in the order of their texts, then the others.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::base::CowVec;

/// What routing reads of an endpoint.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hot {
    /// The number of its address.
    pub address: u32,
    /// Its port.
    pub port: u16,
}

/// A range of endpoints, and how many it has room for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Range {
    /// The first.
    pub start: u32,
    /// The room.
    pub room: u32,
}

/// The endpoints; see the module header.
#[derive(Clone, Debug, Default)]
pub struct Arena {
    hot: CowVec<Hot>,
    /// The service ports they belong to, by number.
    owners: CowVec<u32>,
    /// Starts of ranges nobody uses, by their room.
    free: Arc<BTreeMap<u32, Vec<u32>>>,
}

impl Arena {
    /// What routing reads of an endpoint.
    #[inline]
    pub fn hot(&self, at: u32) -> Hot {
        self.hot[at as usize]
    }

    /// The numbers of the endpoints whose addresses are wanted; looks at every one.
    pub fn all(&self, is_wanted: impl Fn(u32) -> bool) -> Vec<u32> {
        let mut found = Vec::new();
        let mut first = 0;
        for chunk in self.hot.chunks() {
            // Most chunks have none: that is found out faster without remembering places.
            if chunk.iter().fold(false, |any, hot| any | is_wanted(hot.address)) {
                let here = chunk.iter().zip(first..).filter(|(hot, _)| is_wanted(hot.address));
                found.extend(here.map(|(_, number)| number));
            }
            first += chunk.len() as u32;
        }
        found
    }

    /// The number of the service port it belongs to.
    #[inline]
    pub fn owner(&self, at: u32) -> u32 {
        self.owners[at as usize]
    }

    /// How many endpoints there is room for.
    pub fn len(&self) -> usize {
        self.hot.len()
    }

    /// Whether there is room for none.
    pub fn is_empty(&self) -> bool {
        self.hot.is_empty()
    }

    /// How many bytes it takes.
    pub fn bytes(&self) -> usize {
        self.hot.len() * (size_of::<Hot>() + size_of::<u32>())
    }

    /// Writes an endpoint of a range.
    pub fn set(&mut self, at: u32, hot: Hot, owner: u32) {
        if self.hot[at as usize] != hot || self.owners[at as usize] != owner {
            self.hot.set(at as usize, hot);
            self.owners.set(at as usize, owner);
        }
    }

    /// A range for so many endpoints, the one before if it will do.
    pub fn fit(&mut self, before: Range, count: u32) -> Range {
        if (before.room / 2..=before.room).contains(&count) {
            return before;
        }
        self.release(before);
        let room = room_for(count);
        if room == 0 {
            return Range::default();
        }
        if self.free.contains_key(&room) {
            let free = Arc::make_mut(&mut self.free);
            let starts = free.get_mut(&room).expect("just seen");
            let start = starts.pop().expect("no list is empty");
            if starts.is_empty() {
                free.remove(&room);
            }
            return Range { start, room };
        }
        let start = self.hot.len();
        self.hot.resize(start + room as usize);
        self.owners.resize(start + room as usize);
        Range { start: start as u32, room }
    }

    /// Gives a range back.
    pub fn release(&mut self, range: Range) {
        if range.room > 0 {
            Arc::make_mut(&mut self.free).entry(range.room).or_default().push(range.start);
        }
    }
}

/// Room for so many endpoints: up to a quarter more, in few different sizes.
fn room_for(count: u32) -> u32 {
    let step = (count.next_power_of_two() / 8).max(1);
    count.next_multiple_of(step)
}

#[cfg(test)]
mod tests {
    use super::{Arena, Range, room_for};

    #[test]
    fn there_is_room_for_a_little_more() {
        let rooms: Vec<u32> = [0, 1, 5, 9, 100, 113, 1000].map(room_for).into();
        assert_eq!(rooms, [0, 1, 5, 10, 112, 128, 1024]);
    }

    #[test]
    fn ranges_are_kept_while_they_will_do_and_used_again() {
        let mut arena = Arena::default();
        let first = arena.fit(Range::default(), 100);
        assert_eq!(arena.fit(first, 112), first);
        assert_eq!(arena.fit(first, 56), first);
        let grown = arena.fit(first, 113);
        assert_ne!(grown.start, first.start);
        assert_eq!(arena.fit(Range::default(), 99).start, first.start);
        assert_eq!(arena.len(), 112 + 128);
    }
}
