//! A selector in the numbers of one [`LabelSets`], good for as long as nothing changes there.
//!
//! Level one of a query: which label sets satisfy the selector. A selector that asks for a rare
//! label looks at the few sets that have it, one by one; one that asks for common labels only
//! is bitmap algebra over the postings.

use std::borrow::Cow;

use roaring::{MultiOps, RoaringBitmap};
use smallvec::SmallVec;

use super::posting::Posting;
use super::{LabelSetId, LabelSets, Labels, Operator, Requirement, Selector};

/// Up to how many candidate sets are looked at one by one rather than by algebra.
const ONE_BY_ONE: u64 = 4096;

/// A selector ready to be asked about sets of one [`LabelSets`].
pub struct Resolved<'a> {
    sets: &'a LabelSets,
    /// None when no set can match.
    tests: Option<SmallVec<[Test<'a>; 4]>>,
}

/// One requirement in numbers. Values no set has are left out.
struct Test<'a> {
    requirement: &'a Requirement,
    key: Option<u32>,
    pairs: SmallVec<[u32; 2]>,
}

impl LabelSets {
    /// Looks the selector's words up once, to be asked about many sets.
    pub fn resolve<'a>(&'a self, selector: &'a Selector) -> Resolved<'a> {
        let tests = selector.requirements().map(|requirements| {
            requirements.iter().map(|requirement| Test::new(self, requirement)).collect()
        });
        let mut resolved = Resolved { sets: self, tests };
        if resolved.tests().iter().any(Test::never_matches) {
            resolved.tests = None;
        }
        resolved
    }
}

impl Resolved<'_> {
    /// Whether a set satisfies the selector.
    pub fn matches(&self, set: LabelSetId) -> bool {
        self.tests.is_some() && self.tests().iter().all(|test| test.matches(self.sets, set))
    }

    /// At most how many sets match, as far as can be told without looking at them.
    pub(super) fn bound(&self, live: &RoaringBitmap) -> u64 {
        match (&self.tests, self.rarest()) {
            (None, _) => 0,
            (Some(_), Some((bound, _))) => bound,
            (Some(_), None) => live.len(),
        }
    }

    /// Visits the matching sets among `live`, and perhaps matching ones that are not live, in
    /// order.
    pub(super) fn each(&self, live: &RoaringBitmap, visit: impl FnMut(LabelSetId)) {
        self.each_within(live, ONE_BY_ONE, visit);
    }

    /// [`Self::each`], looking at up to `one_by_one` sets one by one.
    fn each_within(
        &self,
        live: &RoaringBitmap,
        one_by_one: u64,
        mut visit: impl FnMut(LabelSetId),
    ) {
        if self.tests.is_none() {
            return;
        }
        let mut visit = |set: u32| visit(LabelSetId::new(set as usize));
        let matching = |set: &u32| self.matches(LabelSetId::new(*set as usize));
        let rarest = self.rarest();
        if live.len() <= one_by_one && rarest.as_ref().is_none_or(|(bound, _)| live.len() <= *bound)
        {
            return live.iter().filter(matching).for_each(visit);
        }
        match rarest {
            Some((bound, test)) if bound <= one_by_one => {
                let mut candidates: SmallVec<[u32; 16]> =
                    test.postings(self.sets).flat_map(Posting::iter).collect();
                candidates.sort_unstable();
                candidates.into_iter().filter(matching).for_each(visit);
            }
            Some((_, test)) => {
                let start = test.union(self.sets);
                self.narrow(start, Some(test)).iter().for_each(&mut visit);
            }
            None => self.narrow(Cow::Borrowed(live), None).iter().for_each(&mut visit),
        }
    }

    /// The sets of `start` that pass every test but the one they passed already.
    fn narrow<'b>(
        &self,
        start: Cow<'b, RoaringBitmap>,
        passed: Option<&Test>,
    ) -> Cow<'b, RoaringBitmap> {
        let mut sets = start;
        for test in self.tests() {
            let is_range =
                matches!(test.requirement.operator(), Operator::GreaterThan | Operator::LessThan);
            if passed.is_some_and(|passed| std::ptr::eq(passed, test)) && !is_range {
                continue;
            }
            match test.requirement.operator() {
                Operator::GreaterThan | Operator::LessThan => {
                    let passing = sets
                        .iter()
                        .filter(|set| test.matches(self.sets, LabelSetId::new(*set as usize)));
                    sets = Cow::Owned(passing.collect());
                }
                operator if operator.needs_label() => *sets.to_mut() &= &*test.union(self.sets),
                _ => *sets.to_mut() -= &*test.union(self.sets),
            }
        }
        sets
    }

    /// The test for a label that is there which the fewest sets can pass, and how many.
    fn rarest(&self) -> Option<(u64, &Test<'_>)> {
        let needed = self.tests().iter().filter(|test| test.requirement.operator().needs_label());
        needed
            .map(|test| (test.postings(self.sets).map(Posting::len).sum(), test))
            .min_by_key(|(bound, _)| *bound)
    }

    fn tests(&self) -> &[Test<'_>] {
        self.tests.as_deref().unwrap_or_default()
    }
}

impl<'a> Test<'a> {
    fn new(sets: &LabelSets, requirement: &'a Requirement) -> Self {
        let key = sets.find_key(requirement.key());
        let pair = |value| sets.find_pair(key?, value);
        let mut pairs: SmallVec<[u32; 2]> = requirement.values().filter_map(pair).collect();
        pairs.sort_unstable();
        pairs.dedup();
        Self { requirement, key, pairs }
    }

    /// Whether it asks for a label that no set has.
    fn never_matches(&self) -> bool {
        match self.requirement.operator() {
            Operator::In | Operator::Equals | Operator::DoubleEquals => self.pairs.is_empty(),
            operator => operator.needs_label() && self.key.is_none(),
        }
    }

    fn matches(&self, sets: &LabelSets, set: LabelSetId) -> bool {
        let pairs = sets.pairs_of(set.number());
        let has_pair = || pairs.iter().any(|pair| self.pairs.contains(pair));
        let has_key = || pairs.iter().any(|pair| Some(sets.pair(*pair).key) == self.key);
        match self.requirement.operator() {
            Operator::In | Operator::Equals | Operator::DoubleEquals => has_pair(),
            Operator::NotIn | Operator::NotEquals => !has_pair(),
            Operator::Exists => has_key(),
            Operator::DoesNotExist => !has_key(),
            Operator::GreaterThan | Operator::LessThan => {
                let labels = sets.get(set);
                self.requirement.matches_value(labels.value_of(self.requirement.key()))
            }
        }
    }

    /// The postings of the sets that have what the requirement names: the values, or the key.
    fn postings<'b>(&self, sets: &'b LabelSets) -> impl Iterator<Item = &'b Posting> {
        let by_value = matches!(
            self.requirement.operator(),
            Operator::In
                | Operator::Equals
                | Operator::DoubleEquals
                | Operator::NotIn
                | Operator::NotEquals
        );
        let key = self.key.filter(|_| !by_value);
        let pairs = self.pairs.iter().filter(move |_| by_value);
        let by_key = key.map(|key| sets.sets_with_key(key));
        by_key.into_iter().chain(pairs.map(|pair| sets.sets_with_pair(*pair)))
    }

    /// The union of [`Self::postings`].
    fn union<'b>(&self, sets: &'b LabelSets) -> Cow<'b, RoaringBitmap> {
        let mut postings = self.postings(sets);
        match (postings.next(), postings.next()) {
            (Some(Posting::Bitmap(only)), None) => Cow::Borrowed(only),
            (first, second) => {
                let all = first.into_iter().chain(second).chain(postings);
                Cow::Owned(all.map(Posting::to_bitmap).union())
            }
        }
    }
}

#[cfg(test)]
mod tests;
