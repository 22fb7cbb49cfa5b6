//! A growable array in copy-on-write pages: the storage under every column.
//!
//! ```text
//!   original ──► root ─┬─► page 0 ◄─┬─ root' ◄── fork        clone: one reference count
//!                      ├─► page 1 ◄─┤
//!                      └─► page 2   └─► page 2'              first write copies root and page
//! ```
//!
//! `clone` is one atomic increment whatever the length. The first write after a clone copies
//! the root (one pointer per page) and the page it touches, about 16 KiB; later writes to the
//! same page are in place.

use std::sync::Arc;

use serde::de::{Deserialize, Deserializer, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeSeq, Serializer};

/// About how many bytes a page holds.
const PAGE_BYTES: usize = 16 * 1024;

/// A growable array whose clones share unchanged pages.
#[derive(Debug)]
pub struct CowVec<T> {
    pages: Arc<Vec<Arc<[T]>>>,
    len: usize,
}

impl<T> Clone for CowVec<T> {
    fn clone(&self) -> Self {
        Self { pages: Arc::clone(&self.pages), len: self.len }
    }
}

impl<T> Default for CowVec<T> {
    fn default() -> Self {
        Self { pages: Arc::new(Vec::new()), len: 0 }
    }
}

impl<T> CowVec<T> {
    /// log2 of the number of elements in a page: a power of two near [`PAGE_BYTES`].
    const SHIFT: u32 = {
        let size = if size_of::<T>() == 0 { 1 } else { size_of::<T>() };
        let count = PAGE_BYTES / size;
        if count < 16 { 4 } else { count.ilog2() }
    };
    const PAGE: usize = 1 << Self::SHIFT;
    const MASK: usize = Self::PAGE - 1;

    /// An empty array.
    pub fn new() -> Self {
        Self::default()
    }

    /// The number of elements.
    #[inline]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are no elements.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Element `index`, or `None` past the end.
    #[inline]
    pub fn get(&self, index: usize) -> Option<&T> {
        (index < self.len).then(|| &self.pages[index >> Self::SHIFT][index & Self::MASK])
    }

    /// All elements in order.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.pages.iter().flat_map(|page| page.iter()).take(self.len)
    }

    /// The elements as contiguous runs, in order.
    pub fn chunks(&self) -> impl Iterator<Item = &[T]> {
        let len = self.len;
        self.pages.iter().enumerate().filter_map(move |(number, page)| {
            let start = number * Self::PAGE;
            (start < len).then(|| &page[..Self::PAGE.min(len - start)])
        })
    }

    /// How many pages `self` and `other` share: what a fork has not yet paid for.
    pub fn shared_pages(&self, other: &Self) -> usize {
        self.pages.iter().zip(other.pages.iter()).filter(|(a, b)| Arc::ptr_eq(a, b)).count()
    }

    /// The number of pages, used or in reserve.
    pub fn pages(&self) -> usize {
        self.pages.len()
    }
}

impl<T: Clone + Default> CowVec<T> {
    /// `len` default elements.
    pub fn with_len(len: usize) -> Self {
        let mut vec = Self::default();
        vec.resize(len);
        vec
    }

    /// Element `index` for writing; copies its page when a clone shares it.
    ///
    /// # Panics
    /// Past the end: callers hold ids of existing elements only.
    #[inline]
    pub fn get_mut(&mut self, index: usize) -> &mut T {
        assert!(index < self.len, "index {index} past the end of {}", self.len);
        let pages = Arc::make_mut(&mut self.pages);
        &mut Arc::make_mut(&mut pages[index >> Self::SHIFT])[index & Self::MASK]
    }

    /// Sets element `index`.
    #[inline]
    pub fn set(&mut self, index: usize, value: T) {
        *self.get_mut(index) = value;
    }

    /// Appends one element and returns its index.
    pub fn push(&mut self, value: T) -> usize {
        let index = self.len;
        self.resize(index + 1);
        *self.get_mut(index) = value;
        index
    }

    /// Grows with default elements, or forgets those past `len`.
    pub fn resize(&mut self, len: usize) {
        let wanted = len.div_ceil(Self::PAGE);
        if len < self.len {
            self.clear_range(len, self.len);
        }
        if wanted != self.pages.len() {
            let pages = Arc::make_mut(&mut self.pages);
            pages.truncate(wanted);
            while pages.len() < wanted {
                pages.push(std::iter::repeat_with(T::default).take(Self::PAGE).collect());
            }
        }
        self.len = len;
    }

    /// Visits `start..end` for writing, one page check per page instead of one per element.
    pub fn for_range_mut(
        &mut self,
        start: usize,
        end: usize,
        mut visit: impl FnMut(usize, &mut T),
    ) {
        assert!(start <= end && end <= self.len, "range {start}..{end} past {}", self.len);
        let pages = Arc::make_mut(&mut self.pages);
        let mut index = start;
        while index < end {
            let page = Arc::make_mut(&mut pages[index >> Self::SHIFT]);
            let stop = ((index | Self::MASK) + 1).min(end);
            for slot in &mut page[index & Self::MASK..=(stop - 1) & Self::MASK] {
                visit(index, slot);
                index += 1;
            }
        }
    }

    /// Drops whole pages in front of `index` and returns how many elements went; the rest move
    /// down by that many. For logs that forget their beginning.
    pub fn drop_pages_before(&mut self, index: usize) -> usize {
        let pages = index.min(self.len) >> Self::SHIFT;
        if pages > 0 {
            Arc::make_mut(&mut self.pages).drain(..pages);
            self.len -= pages << Self::SHIFT;
        }
        pages << Self::SHIFT
    }

    /// Empties the array.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// Resets `start..end` to the default so that what they owned is freed.
    fn clear_range(&mut self, start: usize, end: usize) {
        let kept_pages = start.div_ceil(Self::PAGE) * Self::PAGE;
        self.for_range_mut(start, end.min(kept_pages).max(start), |_, slot| *slot = T::default());
    }
}

impl<T> std::ops::Index<usize> for CowVec<T> {
    type Output = T;

    #[inline]
    fn index(&self, index: usize) -> &T {
        debug_assert!(index < self.len, "index {index} past the end of {}", self.len);
        &self.pages[index >> Self::SHIFT][index & Self::MASK]
    }
}

impl<T: Clone + Default> FromIterator<T> for CowVec<T> {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        let mut pages = Vec::new();
        let mut items = items.into_iter();
        let mut len = 0;
        loop {
            let mut page: Vec<T> = items.by_ref().take(Self::PAGE).collect();
            if page.is_empty() {
                break;
            }
            len += page.len();
            page.resize_with(Self::PAGE, T::default);
            pages.push(page.into());
        }
        Self { pages: Arc::new(pages), len }
    }
}

impl<T: Serialize> Serialize for CowVec<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut seq = serializer.serialize_seq(Some(self.len))?;
        for item in self.iter() {
            seq.serialize_element(item)?;
        }
        seq.end()
    }
}

impl<'de, T: Deserialize<'de> + Clone + Default> Deserialize<'de> for CowVec<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Elements<T>(std::marker::PhantomData<T>);
        impl<'de, T: Deserialize<'de> + Clone + Default> Visitor<'de> for Elements<T> {
            type Value = CowVec<T>;

            fn expecting(&self, formatter: &mut std::fmt::Formatter) -> std::fmt::Result {
                formatter.write_str("a sequence")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<CowVec<T>, A::Error> {
                let mut failure = None;
                let items = std::iter::from_fn(|| match seq.next_element() {
                    Ok(item) => item,
                    Err(error) => {
                        failure = Some(error);
                        None
                    }
                });
                let vec = items.collect();
                failure.map_or(Ok(vec), Err)
            }
        }
        deserializer.deserialize_seq(Elements(std::marker::PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::CowVec;

    #[test]
    fn a_clone_shares_every_page_until_one_side_writes() {
        let original: CowVec<u64> = (0..100_000).collect();
        let mut fork = original.clone();
        assert_eq!(original.shared_pages(&fork), original.pages());
        fork.set(50_000, 7);
        assert_eq!(original.shared_pages(&fork), original.pages() - 1);
        assert_eq!((original[50_000], fork[50_000]), (50_000, 7));
    }

    #[test]
    fn shrinking_frees_what_the_elements_owned() {
        let owned = std::sync::Arc::new(());
        let mut vec: CowVec<Option<std::sync::Arc<()>>> = CowVec::new();
        for _ in 0..3 {
            vec.push(Some(owned.clone()));
        }
        vec.resize(1);
        assert_eq!(std::sync::Arc::strong_count(&owned), 2);
    }

    proptest! {
        #[test]
        fn behaves_as_a_vector_and_never_disturbs_a_clone(
            ops in prop::collection::vec((0..4u8, 0..5_000usize, any::<u32>()), 1..200),
        ) {
            let (mut plain, mut cow) = (Vec::new(), CowVec::new());
            let mut forks: Vec<(Vec<u32>, CowVec<u32>)> = Vec::new();
            for (op, at, value) in ops {
                match op {
                    0 => { plain.push(value); cow.push(value); }
                    1 if !plain.is_empty() => {
                        let at = at % plain.len();
                        plain[at] = value;
                        cow.set(at, value);
                    }
                    2 => { plain.resize(at, 0); cow.resize(at); }
                    _ => forks.push((plain.clone(), cow.clone())),
                }
            }
            forks.push((plain, cow));
            for (plain, cow) in forks {
                prop_assert_eq!(&plain, &cow.iter().copied().collect::<Vec<_>>());
                prop_assert_eq!(&plain, &cow.chunks().flatten().copied().collect::<Vec<_>>());
            }
        }
    }
}
