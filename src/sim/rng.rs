//! The randomness of a world: one small generator, the same numbers for the same seed on every machine.

use std::ops::RangeInclusive;
use std::time::Duration;

/// xoshiro256** by Blackman and Vigna, seeded through their splitmix64. Not for secrets.
#[derive(Clone, Debug)]
pub struct Rng([u64; 4]);

impl Rng {
    /// A generator whose whole sequence follows from `seed`.
    pub fn new(seed: u64) -> Self {
        let mut x = seed;
        Self(std::array::from_fn(|_| {
            x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let z = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            z ^ (z >> 31)
        }))
    }

    /// The next 64 bits.
    pub fn next_u64(&mut self) -> u64 {
        let s = &mut self.0;
        let result = s[1].wrapping_mul(5).rotate_left(7).wrapping_mul(9);
        let t = s[1] << 17;
        s[2] ^= s[0];
        s[3] ^= s[1];
        s[1] ^= s[2];
        s[0] ^= s[3];
        s[2] ^= t;
        s[3] = s[3].rotate_left(45);
        result
    }

    /// A number of `range`, each equally likely (but for a bias below 2⁻³² in the ranges used here).
    pub fn pick(&mut self, range: RangeInclusive<u64>) -> u64 {
        let (low, high) = range.into_inner();
        let Some(span) = high.checked_sub(low).and_then(|d| d.checked_add(1)) else {
            return low;
        };
        low + ((u128::from(self.next_u64()) * u128::from(span)) >> 64) as u64
    }

    /// True with a probability of `per_million` in a million.
    pub fn chance(&mut self, per_million: u32) -> bool {
        per_million > 0 && self.pick(1..=1_000_000) <= u64::from(per_million)
    }

    /// A duration of `range`, in whole microseconds.
    pub fn duration(&mut self, range: &RangeInclusive<Duration>) -> Duration {
        let [low, high] = [range.start(), range.end()].map(|d| d.as_micros() as u64);
        Duration::from_micros(self.pick(low..=high.max(low)))
    }

    /// One of `items`, which must not be empty.
    ///
    /// # Panics
    /// If there are none.
    pub fn one_of<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        assert!(!items.is_empty(), "nothing to choose from");
        &items[self.pick(0..=items.len() as u64 - 1) as usize]
    }

    /// Puts `items` into a random order.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            items.swap(i, self.pick(0..=i as u64) as usize);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_seed_same_numbers_and_ranges_are_kept() {
        let (mut a, mut b, mut c) = (Rng::new(7), Rng::new(7), Rng::new(8));
        let numbers: Vec<u64> = (0..100).map(|_| a.next_u64()).collect();
        assert!(numbers.iter().all(|n| *n == b.next_u64()));
        assert!(numbers.iter().any(|n| *n != c.next_u64()));
        let picked: Vec<u64> = (0..1000).map(|_| a.pick(3..=5)).collect();
        assert!((3..=5).all(|n| picked.contains(&n)) && picked.iter().all(|n| (3..=5).contains(n)));
        assert!((0..1000).all(|_| !a.chance(0) && a.chance(1_000_000)));
    }
}
