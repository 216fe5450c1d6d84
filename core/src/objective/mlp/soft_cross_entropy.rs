//! Softmax cross-entropy with smoothed labels and a weight for each class.
//!
//! ```text
//! q_c = (1 - eps) [c = t] + eps / C
//! loss_s = w_t (ln sum_c exp(a_c) - sum_c q_c a_c)      d loss_s / d a_c = w_t (softmax(a)_c - q_c)
//! ```
//!
//! (Smoothing: Szegedy et al., CVPR 2016, section 7. Weights: an example counts as w_t examples.) The mean of a batch
//! is over its examples, not over their weights; w_c = n / (C n_c) for n_c of n examples, [`balanced_weights`], leaves
//! its size as it is.

use super::activation::Activation;
use crate::error::Error;
use crate::math;
use crate::sum;

/// The least error of a class that is not 0: 2^-80. The probability of a class that is ruled out falls without end in a long
/// run; its products with inputs and weights would be subnormal numbers, see [`math::flush`].
pub(super) const LEAST_ERROR: f32 = f32::from_bits(47 << 23);

/// What labels become.
#[derive(Debug, Clone, Copy)]
pub(super) struct Soft<'a> {
    /// eps.
    pub(super) smoothing: f32,
    /// w; empty for all 1.
    pub(super) weights: &'a [f32],
}

/// An example: its largest output, sum_c exp(a_c - largest), and its loss.
struct Example {
    shift: f32,
    total: f32,
    loss: f32,
}

impl Soft<'_> {
    /// Checks the settings for so many classes.
    pub(super) fn check(&self, classes: usize) -> Result<(), Error> {
        if !(self.smoothing >= 0.0 && self.smoothing < 1.0) {
            return Err(Error::InvalidSetting { what: "label smoothing must be at least 0 and below 1" });
        }
        let (found, expected) = (self.weights.len(), classes);
        if found != 0 && found != expected {
            return Err(Error::ShapeMismatch { what: "the list of class weights", expected, found });
        }
        if self.weights.iter().all(|w| w.is_finite() && *w >= 0.0) {
            Ok(())
        } else {
            Err(Error::InvalidSetting { what: "class weights must be finite and not negative" })
        }
    }

    /// w_t.
    fn weight(&self, target: usize) -> f32 {
        self.weights.get(target).copied().unwrap_or(1.0)
    }

    fn example(&self, outputs: &[f32], target: usize) -> Example {
        let shift = math::largest(outputs);
        let (mut powers, mut all) = ([0.0; sum::LANES], [0.0; sum::LANES]);
        for (i, &a) in outputs.iter().enumerate() {
            let lane = i % sum::LANES;
            if let (Some(power), Some(sum)) = (powers.get_mut(lane), all.get_mut(lane)) {
                *power += math::exp(a - shift);
                *sum += a - shift;
            }
        }
        let total = sum::tree(powers);
        let of_target = outputs.get(target).copied().unwrap_or(f32::NAN) - shift;
        let mean = sum::tree(all) / outputs.len() as f32;
        let expected = (1.0 - self.smoothing) * of_target + self.smoothing * mean;
        Example { shift, total, loss: self.weight(target) * (math::ln(total) - expected) }
    }

    /// The loss of an example.
    pub(super) fn loss(&self, outputs: &[f32], target: Option<u8>) -> f32 {
        self.example(outputs, target.map_or(usize::MAX, usize::from)).loss
    }

    /// The loss, and in place of each output share w_t (softmax(a)_c - q_c) act'(a_c).
    pub(super) fn error(&self, outputs: &mut [f32], target: Option<u8>, share: f32, top: Activation) -> f32 {
        let target = target.map_or(usize::MAX, usize::from);
        let Example { shift, total, loss } = self.example(outputs, target);
        let (scale, share) = (1.0 / total, share * self.weight(target));
        let rest = self.smoothing / outputs.len() as f32;
        for (c, a) in outputs.iter_mut().enumerate() {
            let q = if c == target { 1.0 - self.smoothing + rest } else { rest };
            *a = math::flush(share * (math::exp(*a - shift) * scale - q) * top.slope(*a), LEAST_ERROR);
        }
        loss
    }
}

/// Weights w_c = n / (C n_c) for n_c of n examples in C classes, so that all classes count alike; 0 for a class without
/// an example. C is the number of weights.
///
/// ```
/// use lgl2o::objective::mlp::balanced_weights;
/// let mut weights = [0.0; 3];
/// balanced_weights(&[0, 0, 0, 0, 1, 1], &mut weights);
/// assert_eq!(weights, [0.5, 1.0, 0.0]);
/// ```
pub fn balanced_weights(labels: &[u8], weights: &mut [f32]) {
    let classes = weights.len() as f32;
    for (c, w) in (0..=u8::MAX).zip(&mut *weights) {
        let count = labels.iter().filter(|&&label| label == c).count();
        *w = if count == 0 { 0.0 } else { labels.len() as f32 / (classes * count as f32) };
    }
}
