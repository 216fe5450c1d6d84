//! Random orders of 0..n that need no memory: a Feistel network with cycle-walking.
//!
//! Four rounds of (l, r) <- (r, l xor f(r, key)) permute the numbers of 2 h bits, where 4^h is the smallest such power
//! that n fits in; a number that falls outside 0..n is sent through again until one falls inside (Black and Rogaway,
//! "Ciphers with arbitrary finite domains", 2002). At most four rounds of walking are expected per number. It is not
//! for secrets.

use crate::persist::{Origin, Persist, Sink};
use crate::rng::Rng;

/// A random order of 0..n.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shuffle {
    n: u32,
    /// Bits of each half.
    bits: u32,
    keys: [u32; 4],
}

impl Shuffle {
    /// An order drawn from a generator; of n = 0, the empty one.
    #[must_use]
    pub const fn new(n: u32, rng: &mut Rng) -> Self {
        let keys = [rng.next_u32(), rng.next_u32(), rng.next_u32(), rng.next_u32()];
        Self { n, bits: Self::bits(n), keys }
    }

    /// Bits of each half for numbers below n.
    const fn bits(n: u32) -> u32 {
        (u32::BITS - n.saturating_sub(1).leading_zeros()).div_ceil(2)
    }

    /// How many numbers the order has.
    #[must_use]
    pub const fn len(&self) -> u32 {
        self.n
    }

    /// Whether it has none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.n == 0
    }

    /// The number at place `i` of the order, i below n; other places give some number below n, or 0 for n = 0.
    #[must_use]
    pub fn at(&self, i: u32) -> u32 {
        if self.n == 0 {
            return 0;
        }
        let mut x = i % self.n;
        // A permutation's cycle comes back to where it started, which is inside, so this ends.
        loop {
            x = self.permute(x);
            if x < self.n {
                return x;
            }
        }
    }

    /// The permutation of all numbers of 2 h bits.
    fn permute(&self, x: u32) -> u32 {
        // Up to 16 bits in each half: neither shift reaches 32.
        let mask = (1 << self.bits) - 1;
        let (mut left, mut right) = (x >> self.bits, x & mask);
        for key in self.keys {
            (left, right) = (right, left ^ (mix(right ^ key) & mask));
        }
        left << self.bits | right
    }
}

/// n and the keys; the rest follows from n.
impl Persist for Shuffle {
    fn save<S: Sink>(&self, sink: &mut S) -> Result<(), S::Error> {
        self.n.save(sink)?;
        self.keys.save(sink)
    }
    fn load<O: Origin>(&mut self, origin: &mut O) -> Result<(), O::Error> {
        self.n.load(origin)?;
        self.bits = Self::bits(self.n);
        self.keys.load(origin)
    }
}

/// Spreads every bit over all bits (the finaliser of MurmurHash3, Appleby 2011).
const fn mix(mut x: u32) -> u32 {
    x = (x ^ (x >> 16)).wrapping_mul(0x85eb_ca6b);
    x = (x ^ (x >> 13)).wrapping_mul(0xc2b2_ae35);
    x ^ (x >> 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_comes_once() {
        for n in [1, 2, 3, 4, 5, 16, 17, 100, 255, 256, 257, 1000] {
            let shuffle = Shuffle::new(n, &mut Rng::new(u64::from(n)));
            let mut seen = [false; 1000];
            for i in 0..n {
                let x = shuffle.at(i) as usize;
                assert!(x < n as usize && !seen[x], "{x} of {n}");
                seen[x] = true;
            }
        }
    }

    #[test]
    fn orders_are_random() {
        // Where number 0 comes in orders of 0..10: 10,000 draws, chi-square with 9 degrees of freedom, 0.1 % at 27.9.
        let mut rng = Rng::new(1);
        let mut count = [0u32; 10];
        for _ in 0..10_000 {
            let shuffle = Shuffle::new(10, &mut rng);
            let place = (0..10).find(|&i| shuffle.at(i) == 0);
            count[place.map_or(0, |p| p as usize)] += 1;
        }
        let chi: f32 = count.iter().map(|&c| (c as f32 - 1000.0) * (c as f32 - 1000.0) / 1000.0).sum();
        assert!(chi < 27.9, "{count:?}");
    }

    #[test]
    fn sizes_at_the_ends() {
        assert_eq!(Shuffle::new(0, &mut Rng::new(1)).at(7), 0);
        assert!(Shuffle::new(u32::MAX, &mut Rng::new(1)).at(5) < u32::MAX);
    }
}
