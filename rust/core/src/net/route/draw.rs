//! Random numbers that are looked up, not drawn: the one of a connection depends on the seed, the
//! epoch and the connection's number alone. So it is the same whatever the size of a batch and
//! however many threads share it.

use crate::base::random::mix;

const STEP: u64 = 0x9E37_79B9_7F4A_7C15;

/// The random numbers of one epoch: a sequence of SplitMix that can be entered anywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dice {
    state: u64,
}

impl Dice {
    /// The numbers of an epoch of a run.
    pub fn new(seed: u64, epoch: u64) -> Self {
        Self { state: mix(mix(seed ^ 0x726F_7574_6573).wrapping_add(mix(!epoch))) }
    }

    /// 64 uniform bits for a connection.
    #[inline]
    pub fn of(self, connection: u64) -> u64 {
        mix(self.state.wrapping_add(connection.wrapping_mul(STEP)))
    }

    /// Further ones for the same connection.
    pub fn more(self, connection: u64) -> impl FnMut() -> u64 {
        let mut state = mix(self.of(connection) ^ STEP);
        move || {
            state = state.wrapping_add(STEP);
            mix(state)
        }
    }
}

/// A place below `count`, all equally likely but for one part in 2^64 over `count`.
#[inline]
pub fn place(random: u64, count: u32) -> u32 {
    ((u128::from(random) * u128::from(count)) >> 64) as u32
}
