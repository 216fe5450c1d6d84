//! Adam whose two means share the memory of one number, each in 16 bits (bfloat16), rounded at random.
//!
//! ```text
//! (m, v) <- slot      Adam's step (Kingma and Ba, ICLR 2015, algorithm 1) in f32      slot <- (round m, round v)
//! round x = the bfloat16 below x, or the one above, with the probability that leaves x as the mean
//! ```
//!
//! A bfloat16 is the upper half of an f32: its range, and 8 bits of mantissa. Rounded to the nearest, v would never fall:
//! 0.001 v, what beta2 takes from it in a step, is less than half the distance to the next value. Rounded at random it falls on the
//! average (stochastic rounding; Zamirai et al., "Revisiting BFloat16 Training", 2020, arXiv 2010.06192). Chance is a hash
//! of both means and the step's number here, so a run is still the same everywhere.
//!
//! State: one slot, m in the upper half of each number's bits and v in the lower.

use super::{Adam, Coordinatewise, Rate, Rule, coordinatewise::step_by_motion};
use crate::error::Error;
use crate::persist::{Digest, Fingerprint};
use crate::tensors::Tensors;

/// Adam in half the memory.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Adam16 {
    /// The step, and how long means last.
    pub adam: Adam,
}

impl Adam16 {
    /// With this rate and Adam's constants.
    #[must_use]
    pub fn new(rate: impl Into<Rate>) -> Self {
        Self { adam: Adam::new(rate) }
    }
}

/// Both means in one number; a NaN if either is not finite, so that a state that is lost shows.
#[inline]
fn pack(mean: f32, square: f32, key: u32) -> f32 {
    if !(mean.is_finite() && square.is_finite()) {
        return f32::from_bits(0x7fc0_0000);
    }
    let chance = hash(mean.to_bits() ^ square.to_bits().rotate_left(16) ^ key);
    let upper = mean.to_bits().wrapping_add(chance & 0xffff) & 0xffff_0000;
    let lower = square.to_bits().wrapping_add(chance >> 16) >> 16;
    f32::from_bits(upper | lower)
}

/// The two means of a number.
#[inline]
fn unpack(slot: f32) -> (f32, f32) {
    let bits = slot.to_bits();
    (f32::from_bits(bits & 0xffff_0000), f32::from_bits(bits << 16))
}

/// 32 bits in which every bit of x has a part (two rounds of xor, shift and multiply, as in MurmurHash3's finaliser).
#[inline]
fn hash(x: u32) -> u32 {
    let x = (x ^ (x >> 16)).wrapping_mul(0x85eb_ca6b);
    let x = (x ^ (x >> 13)).wrapping_mul(0xc2b2_ae35);
    x ^ (x >> 16)
}

/// What makes the chance of a step another than that of the last one.
fn key(steps: u32) -> u32 {
    hash(steps.wrapping_add(1))
}

impl Coordinatewise<1> for Adam16 {
    /// Two numbers in one.
    const IS_PACKED: bool = true;

    fn motion(&self, steps: u32) -> impl Fn(&mut [f32], [&mut [f32]; 1], &[f32]) {
        let (key, rate, direction) = (key(steps), self.adam.rate.at(steps), self.adam.direction(steps));
        #[cfg_attr(not(any(target_os = "none", target_family = "wasm")), inline(always))]
        move |w, [slot], g| {
            for ((w, slot), &g) in w.iter_mut().zip(slot).zip(g) {
                let (m, v) = unpack(*slot);
                let (mean, square, along) = direction.of(m, v, g);
                *slot = pack(mean, square, key);
                *w -= rate * along;
            }
        }
    }
}

impl Fingerprint for Adam16 {
    fn describe(&self, digest: &mut Digest) {
        digest.kind("adam16");
        self.adam.describe(digest);
    }
}

impl Rule for Adam16 {
    step_by_motion!(1);

    fn check(&self) -> Result<(), Error> {
        self.adam.check()
    }

    fn observe<P: Tensors>(&self, state: &mut Self::State<P>, _: &P, gradient: &P, _: f32) {
        let key = key(state.steps);
        state.count();
        let [slot] = &mut state.slots;
        for i in 0..gradient.count() {
            for (slot, &g) in slot.tensor_mut(i).iter_mut().zip(gradient.tensor(i)) {
                let (m, v) = unpack(*slot);
                let (mean, square) = self.adam.mixed(m, v, g);
                *slot = pack(mean, square, key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;
    use crate::rule::{NoProbe, RuleState as _};

    /// Either neighbour in 16 bits, and on the average the number itself: over 4,096 steps within 2^-12 of it, where the
    /// distance of the neighbours is 2^-8 or more and chance alone is off by 2^-14 or so.
    #[test]
    fn rounding_keeps_the_mean() {
        let mut rng = Rng::new(1);
        for _ in 0..50 {
            let (m, v) = (rng.normal(), rng.range(1e-6, 2.0));
            let mut sums = [0.0f64; 2];
            for steps in 0..4096 {
                let (mean, square) = unpack(pack(m, v, key(steps)));
                for ((x, rounded), sum) in [(m, mean), (v, square)].into_iter().zip(&mut sums) {
                    let below = f32::from_bits(x.to_bits() & 0xffff_0000);
                    let above = f32::from_bits((x.to_bits() & 0xffff_0000).wrapping_add(0x1_0000));
                    assert!(rounded == below || rounded == above, "{x}: {rounded}");
                    *sum += f64::from(rounded);
                }
            }
            for (x, sum) in [m, v].into_iter().zip(sums) {
                let error = sum / 4096.0 / f64::from(x) - 1.0;
                assert!(error.abs() < 1.0 / 4096.0, "{x}: {error}");
            }
        }
    }

    /// What fits into 16 bits is kept as it is, zeros and signs too.
    #[test]
    fn what_fits_is_kept() {
        for (m, v) in [(0.0f32, 0.0f32), (-0.0, 1.0), (1.5, 0.25), (-3.0, 1e30), (f32::MIN_POSITIVE, 0.0)] {
            let (m, v) = (f32::from_bits(m.to_bits() & 0xffff_0000), f32::from_bits(v.to_bits() & 0xffff_0000));
            for steps in 0..100 {
                let (mean, square) = unpack(pack(m, v, key(steps)));
                assert_eq!((mean.to_bits(), square.to_bits()), (m.to_bits(), v.to_bits()));
            }
        }
    }

    #[test]
    fn a_mean_that_is_lost_shows_in_the_state() {
        for bad in [f32::NAN, f32::INFINITY, 1e22] {
            let rule = Adam16::new(0.1);
            let mut state = rule.state(&[0.0f32]);
            let mut w = [1.0f32];
            rule.step(&mut state, &mut w, &[bad], 0.0, &mut NoProbe);
            assert!(!state.is_finite(), "{bad}");
            state.reset();
            assert_eq!(state, rule.state(&[0.0]));
        }
    }

    /// v rises to 1 - 0.999^1000 = 0.632 in 1,000 gradients of 1, and falls to 0.368 of that in 1,000 of 0, which it could
    /// not if it were rounded to the nearest: on the average of 256 runs, whose chances differ by their steps' numbers.
    #[test]
    fn the_mean_square_rises_and_falls() {
        let (rule, w) = (Adam16::new(0.1), [0.0f32]);
        let mut means = [0.0f32; 2];
        for run in 0..256 {
            let mut state = rule.state(&w);
            state.steps = 10_000 * run;
            for (gradient, mean) in [1.0, 0.0].into_iter().zip(&mut means) {
                (0..1000).for_each(|_| rule.observe(&mut state, &w, &[gradient], 0.0));
                *mean += unpack(state.slots[0][0]).1 / 256.0;
            }
        }
        let [risen, fallen] = means;
        assert!((risen - 0.632).abs() < 0.01 && (fallen / risen - 0.368).abs() < 0.01, "{risen} {fallen}");
    }
}
