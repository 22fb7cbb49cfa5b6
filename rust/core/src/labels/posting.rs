//! A sorted set of numbers that is small when it holds little.
//!
//! Most label pairs and most label sets stand for one object or a handful; some stand for a
//! million. One number lives inline, up to a few thousand are a sorted list of four bytes each,
//! more are a roaring bitmap. The contents sit behind a reference count, so a clone is cheap
//! and the first write after it copies this posting only.

use std::ops::Range;
use std::sync::Arc;

use roaring::{MultiOps, RoaringBitmap};

/// The most numbers kept as a list. An insertion moves at most as many bytes as a page of
/// [`crate::base::CowVec`] has; scattered numbers cost less here than in a bitmap.
const LIST_LIMIT: usize = 4096;

/// A set of numbers; see the module header.
#[derive(Clone, Debug, Default)]
pub enum Posting {
    /// No number.
    #[default]
    Empty,
    /// One number.
    One(u32),
    /// Two to [`LIST_LIMIT`] numbers in order.
    List(Arc<Vec<u32>>),
    /// More.
    Bitmap(Arc<RoaringBitmap>),
}

impl Posting {
    /// The posting of these numbers, which ascend.
    pub fn from_sorted(numbers: Vec<u32>) -> Self {
        debug_assert!(numbers.is_sorted_by(|a, b| a < b), "numbers ascend");
        match numbers.as_slice() {
            [] => Self::Empty,
            [only] => Self::One(*only),
            list if list.len() <= LIST_LIMIT => Self::List(Arc::new(numbers)),
            _ => Self::Bitmap(Arc::new(RoaringBitmap::from_sorted_iter(numbers).expect("sorted"))),
        }
    }

    /// How many numbers it holds.
    pub fn len(&self) -> u64 {
        match self {
            Self::Empty => 0,
            Self::One(_) => 1,
            Self::List(list) => list.len() as u64,
            Self::Bitmap(bitmap) => bitmap.len(),
        }
    }

    /// Whether it holds no number.
    pub fn is_empty(&self) -> bool {
        matches!(self, Self::Empty)
    }

    /// Whether it holds `number`.
    pub fn contains(&self, number: u32) -> bool {
        match self {
            Self::Bitmap(bitmap) => bitmap.contains(number),
            _ => self.as_slice().binary_search(&number).is_ok(),
        }
    }

    /// The numbers in order.
    pub fn iter(&self) -> impl Iterator<Item = u32> {
        let bitmap = if let Self::Bitmap(bitmap) = self { Some(bitmap.iter()) } else { None };
        self.as_slice().iter().copied().chain(bitmap.into_iter().flatten())
    }

    /// Adds `number`; true when it was not there yet.
    pub fn insert(&mut self, number: u32) -> bool {
        match self {
            Self::Empty => *self = Self::One(number),
            Self::One(only) if *only == number => return false,
            Self::One(only) => {
                let pair = if *only < number { [*only, number] } else { [number, *only] };
                *self = Self::List(Arc::new(pair.to_vec()));
            }
            Self::List(list) => {
                // Numbers mostly arrive in order.
                let at = match list.last() {
                    Some(last) if *last < number => Err(list.len()),
                    _ => list.binary_search(&number),
                };
                let Err(at) = at else { return false };
                if list.len() == LIST_LIMIT {
                    self.bitmap_mut().insert(number);
                } else {
                    insert_at(Arc::make_mut(list), at, number);
                }
            }
            Self::Bitmap(bitmap) => {
                // Only a shared bitmap is worth asking first whether it must be copied.
                return match Arc::get_mut(bitmap) {
                    Some(bitmap) => bitmap.insert(number),
                    None => !bitmap.contains(number) && Arc::make_mut(bitmap).insert(number),
                };
            }
        }
        true
    }

    /// Adds every number of `range`.
    pub fn insert_range(&mut self, range: Range<u32>) {
        if range.is_empty() {
            return;
        }
        let is_bitmap = matches!(self, Self::Bitmap(_));
        if is_bitmap || self.as_slice().len() + range.len() > LIST_LIMIT {
            self.bitmap_mut().insert_range(range);
        } else if range.len() == 1 {
            self.insert(range.start);
        } else {
            let mut numbers: Vec<u32> = Vec::with_capacity(self.as_slice().len() + range.len());
            let (before, after) =
                self.as_slice().split_at(self.as_slice().partition_point(|n| *n < range.start));
            numbers.extend(before);
            numbers.extend(range.clone());
            numbers.extend(after.iter().filter(|number| **number >= range.end));
            *self = Self::List(Arc::new(numbers));
        }
    }

    /// Removes `number`; true when it was there.
    pub fn remove(&mut self, number: u32) -> bool {
        match self {
            Self::Empty => false,
            Self::One(only) => {
                let found = *only == number;
                if found {
                    *self = Self::Empty;
                }
                found
            }
            Self::List(list) => {
                let Ok(at) = list.binary_search(&number) else { return false };
                if let [first, second] = list[..] {
                    *self = Self::One(if at == 0 { second } else { first });
                } else {
                    Arc::make_mut(list).remove(at);
                }
                true
            }
            Self::Bitmap(bitmap) => {
                let found = bitmap.contains(number) && Arc::make_mut(bitmap).remove(number);
                // Half the limit, so that a posting at the limit does not flip to and fro.
                if found && bitmap.len() <= LIST_LIMIT as u64 / 2 {
                    *self = Self::List(Arc::new(bitmap.iter().collect()));
                }
                found
            }
        }
    }

    /// The numbers as a bitmap.
    pub fn to_bitmap(&self) -> RoaringBitmap {
        match self {
            Self::Bitmap(bitmap) => RoaringBitmap::clone(bitmap),
            _ => bitmap_of(self.as_slice()),
        }
    }

    /// The numbers, unless they are a bitmap.
    fn as_slice(&self) -> &[u32] {
        match self {
            Self::One(only) => std::slice::from_ref(only),
            Self::List(list) => list,
            Self::Empty | Self::Bitmap(_) => &[],
        }
    }

    /// The bitmap for writing, made of the list if it was one.
    fn bitmap_mut(&mut self) -> &mut RoaringBitmap {
        if !matches!(self, Self::Bitmap(_)) {
            *self = Self::Bitmap(Arc::new(bitmap_of(self.as_slice())));
        }
        let Self::Bitmap(bitmap) = self else { unreachable!("just made a bitmap") };
        Arc::make_mut(bitmap)
    }
}

/// Grows the list by a quarter instead of doubling it: lists are many and mostly stay small.
fn insert_at(list: &mut Vec<u32>, at: usize, number: u32) {
    if list.len() == list.capacity() {
        list.reserve_exact(list.len() / 4 + 2);
    }
    list.insert(at, number);
}

fn bitmap_of(sorted: &[u32]) -> RoaringBitmap {
    RoaringBitmap::from_sorted_iter(sorted.iter().copied()).expect("postings are sorted")
}

/// The union of postings that share no number.
#[derive(Default)]
pub struct DisjointUnion<'a> {
    listed: Vec<u32>,
    bitmaps: Vec<&'a RoaringBitmap>,
}

impl<'a> DisjointUnion<'a> {
    /// Adds all numbers of a posting.
    pub fn add(&mut self, posting: &'a Posting) {
        match posting {
            Posting::Bitmap(bitmap) => self.bitmaps.push(bitmap),
            _ => self.listed.extend_from_slice(posting.as_slice()),
        }
    }

    /// All numbers added.
    pub fn finish(mut self) -> RoaringBitmap {
        // A stable sort merges runs that are in order already, and lists are such runs.
        #[allow(clippy::stable_sort_primitive)]
        self.listed.sort();
        let listed = bitmap_of(&self.listed);
        match self.bitmaps[..] {
            [] => listed,
            [only] => only | listed,
            _ => self.bitmaps.union() | listed,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::{DisjointUnion, LIST_LIMIT, Posting};

    #[test]
    fn a_posting_takes_two_words() {
        assert_eq!(size_of::<Posting>(), 16);
    }

    #[test]
    fn grows_to_a_bitmap_and_shrinks_back_to_nothing() {
        let mut posting = Posting::default();
        let numbers = 0..LIST_LIMIT as u32 + 10;
        assert!(numbers.clone().rev().all(|number| posting.insert(number * 3)));
        assert!(matches!(posting, Posting::Bitmap(_)));
        assert!(posting.iter().eq(numbers.clone().map(|number| number * 3)));
        assert!(numbers.clone().all(|number| posting.remove(number * 3)));
        assert!(posting.is_empty());
    }

    #[test]
    fn a_range_that_overlaps_a_bitmap_adds_only_what_is_new() {
        let mut posting = Posting::default();
        posting.insert_range(0..3_072);
        posting.insert_range(0..1_025);
        posting.insert_range(5..7);
        assert!(matches!(posting, Posting::Bitmap(_)));
        assert!(posting.iter().eq(0..3_072));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn behaves_as_a_set_and_never_disturbs_a_clone(
            ops in prop::collection::vec((0..4u8, 0..3_000u32, 0..6_000u32), 1..25),
        ) {
            let (mut model, mut posting) = (BTreeSet::new(), Posting::default());
            let mut forks = Vec::new();
            for (op, number, length) in ops {
                match op {
                    0 => prop_assert_eq!(posting.insert(number), model.insert(number)),
                    1 => prop_assert_eq!(posting.remove(number), model.remove(&number)),
                    2 => {
                        // Whole and partial overlaps, across the list limit.
                        posting.insert_range(number..number + length);
                        model.extend(number..number + length);
                    }
                    _ => forks.push((model.clone(), posting.clone())),
                }
            }
            forks.push((model, posting));
            for (model, posting) in forks {
                prop_assert!(posting.iter().eq(model.iter().copied()));
                prop_assert_eq!(posting.len(), model.len() as u64);
                prop_assert!(posting.to_bitmap().iter().eq(model.iter().copied()));
                prop_assert!((0..9_000).step_by(97).all(|n| posting.contains(n) == model.contains(&n)));
                let mut union = DisjointUnion::default();
                let far = Posting::One(20_000);
                union.add(&far);
                union.add(&posting);
                prop_assert_eq!(union.finish().len(), model.len() as u64 + 1);
            }
        }
    }
}
