//! Bits that flip, as those of a memory hit by radiation, or of a flash that wears out.

use core::convert::Infallible;

use crate::error::Error;
use crate::error::WeightsError;
use crate::learned::Learned;
use crate::persist::{Digest, Fingerprint, Origin, Persist, Sink};
use crate::rng::Rng;
use crate::rule::{Probe, Rule};
use crate::tensors::Tensors;

/// How many bits a state has, as a checkpoint sees it.
pub fn bits(state: &impl Persist) -> usize {
    struct Count(usize);
    impl Sink for Count {
        type Error = Infallible;
        fn put(&mut self, bytes: &[u8]) -> Result<(), Infallible> {
            self.0 += bytes.len();
            Ok(())
        }
    }
    let mut count = Count(0);
    let Ok(()) = state.save(&mut count);
    8 * count.0
}

/// Flips bit number `bit` of a state where it is; nothing happens beyond its [`bits`].
///
/// ```
/// use lgl2o::fault::flip_bit;
/// let mut numbers = [1.0f32, 2.0];
/// flip_bit(&mut numbers, 32 + 31);
/// assert_eq!(numbers, [1.0, -2.0]);
/// ```
pub fn flip_bit(state: &mut impl Persist, bit: usize) {
    /// Returns each byte as it is, except one.
    struct Flip {
        at: usize,
        byte: usize,
        mask: u8,
    }
    impl Origin for Flip {
        type Error = Infallible;
        fn take(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
            if let Some(byte) = self.byte.checked_sub(self.at).and_then(|i| bytes.get_mut(i)) {
                *byte ^= self.mask;
            }
            self.at += bytes.len();
            Ok(())
        }
    }
    let Ok(()) = state.load(&mut Flip { at: 0, byte: bit / 8, mask: 1 << (bit % 8) });
}

/// The rule with one bit of its weights flipped, counted through in the order of its file. `room` must hold
/// [`Learned::WEIGHTS`] numbers.
///
/// # Errors
/// [`WeightsError::NotFinite`] where the flip makes an infinity or a NaN, which no learned rule takes;
/// [`WeightsError::Length`] for another room.
pub fn flip_weight<R: Learned>(rule: &R, room: &mut [f32], bit: usize) -> Result<R, WeightsError> {
    rule.write_weights(room);
    if let Some(weight) = room.get_mut(bit / 32) {
        *weight = f32::from_bits(weight.to_bits() ^ (1 << (bit % 32)));
    }
    R::from_weights(room)
}

/// A rule in whose candidate random bits flip after each step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Flipping<R> {
    /// The rule.
    pub rule: R,
    /// How many bits.
    pub count: u32,
    /// Seed of the places.
    pub seed: u64,
}

impl<R: Fingerprint> Fingerprint for Flipping<R> {
    fn describe(&self, digest: &mut Digest) {
        digest.kind("flipping");
        self.rule.describe(digest);
        [self.count, self.seed as u32, (self.seed >> 32) as u32].iter().for_each(|&word| digest.word(word));
    }
}

impl<R: Rule> Rule for Flipping<R> {
    type State<P: Tensors> = R::State<P>;

    fn check(&self) -> Result<(), Error> {
        self.rule.check()
    }

    fn probes(&self) -> bool {
        self.rule.probes()
    }

    fn has_gradient_point(&self) -> bool {
        self.rule.has_gradient_point()
    }

    fn gradient_point<'s, P: Tensors>(&self, state: &'s Self::State<P>) -> Option<&'s P> {
        self.rule.gradient_point(state)
    }

    fn moved<P: Tensors>(&self, state: &mut Self::State<P>) {
        self.rule.moved(state);
    }

    fn shorten<P: Tensors>(&self, state: &mut Self::State<P>) {
        self.rule.shorten(state);
    }

    fn state<P: Tensors>(&self, like: &P) -> Self::State<P> {
        self.rule.state(like)
    }

    /// The places depend on the seed and on the gradient, whose bits are others in every step.
    fn step<P: Tensors>(
        &self,
        state: &mut Self::State<P>,
        params: &mut P,
        gradient: &P,
        loss: f32,
        probe: &mut impl Probe<P>,
    ) {
        self.rule.step(state, params, gradient, loss, probe);
        let salt = gradient.tensor(0).first().map_or(0, |g| g.to_bits());
        let mut rng = Rng::stream(self.seed, u64::from(salt));
        for _ in 0..self.count {
            flip_bit(params, rng.below(32 * params.len() as u32) as usize);
        }
    }

    fn observe<P: Tensors>(&self, state: &mut Self::State<P>, params: &P, gradient: &P, loss: f32) {
        self.rule.observe(state, params, gradient, loss);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learned::{self, LearnedNgn};
    use crate::rule::State;
    use crate::shuffle::Shuffle;
    use std::vec::Vec;

    struct Bytes(Vec<u8>);

    impl Sink for Bytes {
        type Error = Infallible;
        fn put(&mut self, bytes: &[u8]) -> Result<(), Infallible> {
            self.0.extend_from_slice(bytes);
            Ok(())
        }
    }

    fn bytes(state: &impl Persist) -> Vec<u8> {
        let mut bytes = Bytes(Vec::new());
        let Ok(()) = state.save(&mut bytes);
        bytes.0
    }

    fn assert_flips(state: &mut impl Persist) {
        let before = bytes(state);
        assert_eq!(bits(state), 8 * before.len());
        for bit in 0..bits(state) {
            let mut expected = before.clone();
            expected[bit / 8] ^= 1 << (bit % 8);
            flip_bit(state, bit);
            assert_eq!(bytes(state), expected, "bit {bit}");
            flip_bit(state, bit);
        }
        flip_bit(state, 8 * before.len());
        assert_eq!(bytes(state), before);
    }

    #[test]
    fn every_bit_flips_alone_and_back() {
        let mut rng = Rng::new(1);
        assert_flips(&mut core::array::from_fn::<f32, 40, _>(|_| rng.normal()));
        let slots = [[1.0, 2.0, 3.0], [4.0, f32::NAN, 6.0]];
        assert_flips(&mut State { slots, steps: 7, memo: 8.0 });
        assert_flips(&mut Shuffle::new(100, &mut rng));
        assert_flips(&mut rng);
    }

    #[test]
    fn a_flipped_weight_is_another_rule_or_refused() {
        let rule = learned::ngn();
        let mut room = [0.0; LearnedNgn::WEIGHTS];
        for bit in 0..32 * room.len() {
            let expected = WeightsError::NotFinite;
            match flip_weight(rule, &mut room, bit) {
                Ok(flipped) => assert_ne!(flipped, *rule, "bit {bit}"),
                Err(error) => assert_eq!((error, bit % 32 >= 23), (expected, true), "bit {bit}"),
            }
        }
        assert!(matches!(flip_weight(rule, &mut room[..LearnedNgn::WEIGHTS - 1], 0), Err(WeightsError::Length { .. })));
    }
}
