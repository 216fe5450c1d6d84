//! A small seeded generator, the same on every target: xoshiro128++ 1.0.
//!
//! Blackman and Vigna, "Scrambled linear pseudorandom number generators", ACM TOMS 2021: 32-bit operations only, so it
//! is as cheap on a Cortex-M0 as elsewhere. The state is filled by SplitMix64, so that any seed is a good seed. It is
//! not for secrets.

use crate::math;
use crate::persist::Persist;

/// The generator. [`Rng::new`] for one stream, [`Rng::stream`] for several independent ones from one seed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Rng {
    s: [u32; 4],
}

impl Persist for Rng {
    crate::persist_fields!(s);
}

const fn split_mix(state: u64) -> (u64, u64) {
    let state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (state, z ^ (z >> 31))
}

impl Rng {
    /// The generator of a seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        let (state, a) = split_mix(seed);
        let (_, b) = split_mix(state);
        // An all-zero state would stay zero. SplitMix64 never returns two zeros in a row, but to set this bit is free.
        Self { s: [a as u32, (a >> 32) as u32, b as u32, (b >> 32) as u32 | 1] }
    }

    /// The generator number `stream` of a seed: streams of one seed are independent of each other.
    #[must_use]
    pub const fn stream(seed: u64, stream: u64) -> Self {
        let (_, mixed) = split_mix(seed ^ 0x6c67_6c32_6f5f_7631);
        Self::new(mixed.wrapping_add(stream.wrapping_mul(0xd1b5_4a32_d192_ed03)))
    }

    /// 32 random bits.
    pub const fn next_u32(&mut self) -> u32 {
        let [s0, s1, s2, s3] = self.s;
        let result = s0.wrapping_add(s3).rotate_left(7).wrapping_add(s0);
        let (s2, s3) = (s2 ^ s0, s3 ^ s1);
        let (t1, t0) = (s1 ^ s2, s0 ^ s3);
        self.s = [t0, t1, s2 ^ (s1 << 9), s3.rotate_left(11)];
        result
    }

    /// 64 random bits.
    pub const fn next_u64(&mut self) -> u64 {
        let high = self.next_u32() as u64;
        (high << 32) | self.next_u32() as u64
    }

    /// Uniform in \[0, 1), a multiple of 2^-24.
    pub const fn uniform(&mut self) -> f32 {
        (self.next_u32() >> 8) as f32 * (1.0 / 16_777_216.0)
    }

    /// Uniform in \[low, high).
    pub const fn range(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.uniform()
    }

    /// Uniform in 0..n by multiplication (Lemire 2019, without the rejection step: the bias is below n / 2^32). 0 for
    /// n = 0.
    pub const fn below(&mut self, n: u32) -> u32 {
        ((self.next_u32() as u64 * n as u64) >> 32) as u32
    }

    /// Standard normal, by Box and Muller; the second value of each pair is thrown away to keep the state small.
    pub fn normal(&mut self) -> f32 {
        let radius = math::sqrt(-2.0 * math::ln(1.0 - self.uniform()));
        radius * math::cos(2.0 * core::f32::consts::PI * self.uniform())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_answers() {
        // From the published C program, started at the state 1, 2, 3, 4.
        let mut rng = Rng { s: [1, 2, 3, 4] };
        let first: [u32; 5] = core::array::from_fn(|_| rng.next_u32());
        assert_eq!(first, [641, 1_573_767, 3_222_811_527, 3_517_856_514, 836_907_274]);
    }

    #[test]
    fn moments_and_bounds() {
        let mut rng = Rng::new(0);
        let n = 100_000;
        let (mut mean, mut square) = (0.0f64, 0.0f64);
        for _ in 0..n {
            let x = f64::from(rng.normal());
            mean += x / f64::from(n);
            square += x * x / f64::from(n);
            assert!((0.0..1.0).contains(&rng.uniform()));
            assert!(rng.below(7) < 7);
        }
        assert!(mean.abs() < 0.02 && (square - 1.0).abs() < 0.03, "{mean} {square}");
    }

    #[test]
    fn streams_differ() {
        assert_ne!(Rng::stream(1, 0).next_u64(), Rng::stream(1, 1).next_u64());
        assert_ne!(Rng::stream(1, 0).next_u64(), Rng::stream(2, 0).next_u64());
    }
}
