//! Unique ids in eight bytes.
//!
//! A generated uid is a sequence number. Its text is a version 4 UUID computed from (seed,
//! number) by an invertible mix, so the text can be read back without a table of a million
//! strings. A uid that came from outside (a dump of a real cluster) is interned text.

use std::num::NonZeroU64;

use serde::{Deserialize, Serialize};

use crate::base::{Interner, random::mix};

/// A uid: a sequence number of this run, or interned foreign text. `Option<Uid>` is free.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Uid(NonZeroU64);

const FOREIGN: u64 = 1 << 63;

/// Hands out uids, and turns them into text and back.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Uids {
    seed: u64,
    next: u64,
    foreign: Interner,
}

impl Uids {
    /// The uids of a run with this seed.
    pub fn new(seed: u64) -> Self {
        Self { seed: mix(seed ^ 0x5EED), next: 1, foreign: Interner::new() }
    }

    /// The next uid.
    pub fn issue(&mut self) -> Uid {
        self.issue_range(1)
    }

    /// The uid that will be issued next.
    pub fn peek(&self) -> Uid {
        Uid(NonZeroU64::new(self.next).expect("starts at one"))
    }

    /// The first of `count` consecutive uids; see [`Uid::nth`].
    pub fn issue_range(&mut self, count: usize) -> Uid {
        let first = Uid(NonZeroU64::new(self.next).expect("starts at one"));
        self.next += count as u64;
        first
    }

    /// The uid written as `text`, remembering it when it is not one of this run's.
    pub fn intern(&mut self, text: &str) -> Uid {
        self.own(text).unwrap_or_else(|| {
            let number = self.foreign.intern(text).index() as u64;
            Uid(NonZeroU64::new(number | FOREIGN).expect("the top bit is set"))
        })
    }

    /// The uid written as `text`, if this run ever saw it.
    pub fn find(&self, text: &str) -> Option<Uid> {
        self.own(text).filter(|uid| uid.0.get() < self.next).or_else(|| {
            let number = self.foreign.find(text)?.index() as u64;
            NonZeroU64::new(number | FOREIGN).map(Uid)
        })
    }

    /// The uid as text.
    pub fn text(&self, uid: Uid) -> String {
        let number = uid.0.get();
        if number & FOREIGN != 0 {
            let index = (number & !FOREIGN) as usize;
            return self.foreign.text(crate::base::StrId::new(index)).to_owned();
        }
        let head = mix(number ^ self.seed);
        let tail = self.check(head);
        format!(
            "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
            head >> 32,
            head >> 16 & 0xFFFF,
            head >> 4 & 0xFFF,
            0x8000 | (head & 0xF) << 10 | tail >> 48 & 0x3FF,
            tail & 0xFFFF_FFFF_FFFF,
        )
    }

    /// A number that depends on the run's seed only.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// A number that depends on the uid and the run only: derived identifiers start from it.
    pub fn identity(&self, uid: Uid) -> u64 {
        mix(uid.0.get() ^ self.seed)
    }

    /// The redundant half of a uid's text, by which ours are told from others.
    fn check(&self, head: u64) -> u64 {
        mix(head ^ self.seed.rotate_left(17))
    }

    /// Reads the text of a generated uid of this seed.
    fn own(&self, text: &str) -> Option<Uid> {
        let parts: Vec<&str> = text.split('-').collect();
        let [a, b, c, d, e] = parts[..] else { return None };
        if (a.len(), b.len(), c.len(), d.len(), e.len()) != (8, 4, 4, 4, 12) {
            return None;
        }
        let word = |part: &str| u64::from_str_radix(part, 16).ok();
        let (c, d) = (word(c)?, word(d)?);
        let head = word(a)? << 32 | word(b)? << 16 | (c & 0xFFF) << 4 | d >> 10 & 0xF;
        let number = unmix(head) ^ self.seed;
        let uid = Uid(NonZeroU64::new(number).filter(|number| number.get() & FOREIGN == 0)?);
        (self.text(uid) == text).then_some(uid)
    }
}

impl Uid {
    /// The uid `n` places after this one in a range handed out together.
    pub fn nth(self, n: usize) -> Self {
        Self(self.0.saturating_add(n as u64))
    }
}

/// The inverse of [`mix`]: each of its steps is a bijection on 64 bits.
fn unmix(value: u64) -> u64 {
    let unshift = |z: u64, by: u32| {
        let mut x = z;
        let mut shift = by;
        while shift < 64 {
            x = z ^ (x >> by);
            shift += by;
        }
        x
    };
    let z = unshift(value, 31).wrapping_mul(0x3196_42B2_D24D_8EC3);
    let z = unshift(z, 27).wrapping_mul(0x96DE_1B17_3F11_9089);
    unshift(z, 30)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Uids, mix, unmix};

    #[test]
    fn a_generated_uid_is_a_version_4_uuid_and_reads_back() {
        let mut uids = Uids::new(7);
        let (first, second) = (uids.issue(), uids.issue());
        let text = uids.text(first);
        assert_eq!((text.len(), &text[14..15]), (36, "4"));
        assert!(matches!(&text[19..20], "8" | "9" | "a" | "b"), "{text}");
        assert_ne!(text, uids.text(second));
        assert_eq!(uids.find(&text), Some(first));
        assert_eq!(uids.intern(&text), first);
        assert_ne!(Uids::new(8).intern(&text), first, "another seed's uid is foreign");
    }

    #[test]
    fn foreign_text_is_kept_to_the_letter() {
        let mut uids = Uids::new(7);
        for text in ["uid-1", "", "6f6a4e4e-8d1c-4e0e-9d8e-111111111111"] {
            assert_eq!(uids.find(text), None);
            let uid = uids.intern(text);
            assert_eq!((uids.text(uid).as_str(), uids.find(text)), (text, Some(uid)));
        }
    }

    #[test]
    fn a_uid_not_yet_issued_is_not_found() {
        let mut ahead = Uids::new(7);
        let text = {
            ahead.issue();
            let uid = ahead.issue();
            ahead.text(uid)
        };
        assert_eq!(Uids::new(7).find(&text), None);
    }

    proptest! {
        #[test]
        fn unmix_inverts_mix(value: u64) {
            prop_assert_eq!(unmix(mix(value)), value);
        }
    }
}
