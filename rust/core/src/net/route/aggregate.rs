//! Many connections at once, as counts: how many of them each endpoint gets.
//!
//! The counts of independent connections to `n` endpoints are one draw from a multinomial
//! distribution: the first endpoint gets a binomial share of all, the next of what is left. It
//! costs the number of endpoints, whatever the number of connections.

use std::convert::Infallible;

use rand::TryRng;
use rand_distr::{Binomial, Distribution};

/// Random bits from anywhere, for distributions.
pub struct Bits<F>(pub F);

impl<F: FnMut() -> u64> TryRng for Bits<F> {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok((self.0() >> 32) as u32)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.0())
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&self.0().to_le_bytes()[..chunk.len()]);
        }
        Ok(())
    }
}

/// Adds to each count its share of `connections`, all places equally likely.
///
/// # Panics
/// Never: one in so many is a probability.
pub fn spread(connections: u64, counts: &mut [u64], random: &mut impl FnMut() -> u64) {
    let mut bits = Bits(random);
    let (mut left, places) = (connections, counts.len());
    for (at, count) in counts.iter_mut().enumerate() {
        let share = match places - at {
            _ if left == 0 => break,
            1 => left,
            rest => {
                let binomial = Binomial::new(left, 1.0 / rest as f64).expect("a probability");
                binomial.sample(&mut bits)
            }
        };
        *count += share;
        left -= share;
    }
}

#[cfg(test)]
mod tests {
    use super::spread;
    use crate::net::route::Dice;

    #[test]
    fn every_connection_arrives_and_shares_are_as_even_as_chance_has_them() {
        let dice = Dice::new(7, 0);
        for connections in [0, 1, 5, 1_000, 1_000_000, 1 << 40] {
            let mut counts = [0; 10];
            spread(connections, &mut counts, &mut dice.more(connections));
            assert_eq!(counts.iter().sum::<u64>(), connections);
        }
        // Chi-square of 100 draws of 10 places each: 900 degrees of freedom, alpha 1e-6.
        let mut sum = 0.0;
        for draw in 0..100 {
            let mut counts = [0; 10];
            spread(100_000, &mut counts, &mut dice.more(draw));
            sum += counts.iter().map(|count| (*count as f64 - 1e4).powi(2) / 1e4).sum::<f64>();
        }
        assert!((714.0..1115.0).contains(&sum), "{sum}");
    }
}
