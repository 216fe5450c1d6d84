//! What several learned rules look at: the clock of a step, the sizes of a tensor.

use crate::math::{self, log2_linear};
use crate::rule::layered::LayeredState;
use crate::sum;

/// Decay of the mean of losses.
const LOSS_DECAY: f32 = 0.95;
/// How many parameters are moved at a time.
pub(super) const LANES: usize = sum::LANES;
/// Decay of the mean square.
pub(super) const SQUARE_DECAY: f32 = 0.99;
/// The rate that all steps are multiples of.
pub(super) const STEP: f32 = 0.01;
/// Keeps 1 / sqrt(v) finite, and makes parameters that never see a gradient stand still.
pub(super) const SQUARE_FLOOR: f32 = 1e-16;

/// 1 / (1 - decay^t): what corrects a mean that started from zero.
pub(super) fn unbias(decay: f32, t: u32) -> f32 {
    1.0 / (1.0 - math::powi(decay, t))
}

/// 1 / n, by which a sum over n numbers becomes their mean; 0 for none.
pub(super) fn share(n: usize) -> f32 {
    if n == 0 { 0.0 } else { 1.0 / n as f32 }
}

/// 7 + log2(square) / 2 of a mean square: near 0 for gradients of a usual size.
pub(super) fn level(square: f32) -> f32 {
    7.0 + 0.5 * log2_linear(square)
}

/// What the gradient of one tensor is multiplied by before anything else: 1, but where the squares might overflow 2^-80, by
/// which all of them are finite.
fn factor(gradient: &[f32]) -> f32 {
    let square = share(gradient.len()) * sum::squares(gradient);
    if square < 1e30 { 1.0 } else { f32::from_bits((127 - 80) << 23) }
}

/// Takes a gradient into the accumulators v, m of one tensor, which have these decays; returns its [`factor`].
#[cfg_attr(not(target_os = "none"), inline(always))]
pub(super) fn accumulate([of_square, of_mean]: [f32; 2], [square, mean]: [&mut [f32]; 2], gradient: &[f32]) -> f32 {
    let factor = factor(gradient);
    let take = (1.0 - of_mean) * factor;
    for ((v, m), &g) in square.iter_mut().zip(mean.iter_mut()).zip(gradient) {
        let scaled = factor * g;
        *v = of_square * *v + (1.0 - of_square) * (scaled * scaled);
        *m = of_mean * *m + take * g;
    }
    factor
}

/// Up to eight numbers from position `at`, padded with zeros.
#[cfg_attr(target_os = "none", inline)]
#[cfg_attr(not(target_os = "none"), inline(always))]
pub(super) fn load(from: &[f32], at: usize) -> [f32; LANES] {
    let rest = from.get(at..).unwrap_or(&[]);
    if let Some(block) = rest.first_chunk::<LANES>() {
        return *block;
    }
    let mut block = [0.0; LANES];
    for (to, &from) in block.iter_mut().zip(rest) {
        *to = from;
    }
    block
}

/// sum <- sum + a x, lane by lane.
#[cfg_attr(target_os = "none", inline)]
#[cfg_attr(not(target_os = "none"), inline(always))]
pub(super) fn add<const N: usize>(sum: &mut [f32; N], a: f32, x: &[f32; N]) {
    for (sum, x) in sum.iter_mut().zip(x) {
        *sum += a * x;
    }
}

/// x, or 0 where it is negative.
pub(super) fn positive(x: f32) -> f32 {
    if x > 0.0 { x } else { 0.0 }
}

/// log2 of a ratio, clamped to \[-10, 2\]; -10 where it is not positive, or no number.
pub(super) fn log_ratio(ratio: f32) -> f32 {
    math::clamp(log2_linear(if ratio > 1e-9 { ratio } else { 1e-9 }), -10.0, 2.0)
}

/// Takes the loss of step t into the mean of losses, which is the memo of the layers; the first loss is that of the slots.
/// Returns the ratio of the mean to the first one.
pub(super) fn progress<P, L, const K: usize, const J: usize>(
    state: &mut LayeredState<P, L, K, J>,
    loss: f32,
    t: u32,
) -> f32 {
    let (first, mean) = (&mut state.slots.memo, &mut state.layers.memo);
    if t == 1 {
        *first = loss;
    }
    if loss.is_finite() {
        *mean = LOSS_DECAY * *mean + (1.0 - LOSS_DECAY) * loss;
    }
    *mean * unbias(LOSS_DECAY, t) / *first
}
