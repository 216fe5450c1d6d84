//! Losses at the top of a network, and their errors: d (mean loss) / d (pre-activation).
//!
//! ```text
//! softmax cross-entropy   loss_s = ln sum_c exp(a_c) - a_t         d loss_s / d a_c = softmax(a)_c - [c = t]
//! mean squared error      loss_s = 1/C sum_c (a_c - t_c)^2         d loss_s / d a_c = 2/C (a_c - t_c)
//! ```
//!
//! [`soft_cross_entropy`](super::soft_cross_entropy) and [`huber`] have their formulas.
//!
//! a is the output of the last layer, C its width. The error is divided by the number of examples, so that everything
//! below sums over examples without further scaling. Goodfellow, Bengio, Courville, "Deep Learning" (2016), 6.2.

use super::activation::Activation;
use super::huber;
use super::kernels::Kernels;
use super::soft_cross_entropy::{LEAST_ERROR, Soft};
use crate::batch::{Labels, Rows, Targets, row, row_mut};
use crate::error::Error;
use crate::math;
use crate::persist::Digest;
use crate::sum;

/// What a network's outputs are compared with, and how.
///
/// ```
/// use lgl2o::objective::mlp::Loss;
/// // One label in twenty may be wrong, and class 1 is rare.
/// let classes = Loss::SoftCrossEntropy { smoothing: 0.05, weights: &[0.6, 3.0] };
/// // Values with outliers.
/// let values = Loss::Huber { delta: 1.0 };
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
pub enum Loss {
    /// Softmax cross-entropy with class labels. The last layer's activation is usually the identity.
    CrossEntropy,
    /// Mean squared error with target values.
    SquaredError,
    /// [Softmax cross-entropy with smoothed labels and a weight for each class](super::soft_cross_entropy).
    // Borrowed for ever, it cannot be read from a file.
    #[cfg_attr(feature = "serde", serde(skip))]
    SoftCrossEntropy {
        /// How much of each label goes to all classes alike, at least 0 and below 1.
        smoothing: f32,
        /// A weight for each class, not negative; empty for all 1.
        weights: &'static [f32],
    },
    /// [Huber's loss](super::huber) with target values.
    Huber {
        /// From which error on it grows in proportion, above 0.
        delta: f32,
    },
}

impl Loss {
    /// Its kind and its settings.
    pub(super) fn describe(self, digest: &mut Digest) {
        match self {
            Self::CrossEntropy => digest.kind("cross-entropy"),
            Self::SquaredError => digest.kind("squared-error"),
            Self::SoftCrossEntropy { smoothing, weights } => {
                digest.kind("soft-cross-entropy");
                digest.numbers([smoothing]);
                digest.numbers(weights.iter().copied());
            }
            Self::Huber { delta } => {
                digest.kind("huber");
                digest.numbers([delta]);
            }
        }
    }

    /// Whether targets are class labels, and not values.
    #[must_use]
    pub const fn has_classes(self) -> bool {
        match self {
            Self::CrossEntropy | Self::SoftCrossEntropy { .. } => true,
            Self::SquaredError | Self::Huber { .. } => false,
        }
    }

    /// Checks that targets are of the kind that the loss needs, and its settings for a network of so many outputs.
    pub(crate) fn check(self, targets: &Targets<'_>, outputs: usize) -> Result<(), Error> {
        let are_classes = match targets {
            Targets::Classes(_) => true,
            Targets::Values(_) => false,
        };
        if are_classes != self.has_classes() {
            return Err(Error::WrongTargets);
        }
        match self {
            Self::CrossEntropy | Self::SquaredError => Ok(()),
            Self::SoftCrossEntropy { smoothing, weights } => Soft { smoothing, weights }.check(outputs),
            Self::Huber { delta } if delta > 0.0 && delta.is_finite() => Ok(()),
            Self::Huber { .. } => {
                Err(Error::InvalidSetting { what: "delta of Huber's loss must be finite and above 0" })
            }
        }
    }

    /// Loss of each of n examples from its row of `width` outputs, which are not kept. Targets of the other kind than the loss
    /// needs, which [`Mlp`](super::Mlp) refuses, are compared by plain cross-entropy or squared error.
    pub fn losses(
        self,
        kernels: &impl Kernels,
        outputs: &mut [f32],
        width: usize,
        targets: &Targets<'_>,
        n: usize,
        losses: &mut [f32],
    ) {
        match (targets, self) {
            (Targets::Classes(labels), Self::SoftCrossEntropy { smoothing, weights }) => {
                let soft = Soft { smoothing, weights };
                for (s, loss) in losses.iter_mut().take(n).enumerate() {
                    *loss = soft.loss(row(outputs, s, width), labels.get(s));
                }
            }
            (Targets::Values(rows), Self::Huber { delta }) => {
                for (s, loss) in losses.iter_mut().take(n).enumerate() {
                    *loss = huber::loss(row(outputs, s, width), rows.row(s), delta);
                }
            }
            (Targets::Classes(labels), Self::CrossEntropy | Self::SquaredError | Self::Huber { .. }) => {
                powers(kernels, outputs, width, labels, n, losses);
                for (s, loss) in losses.iter_mut().take(n).enumerate() {
                    *loss = math::ln(sum::sum(row(outputs, s, width))) - *loss;
                }
            }
            (Targets::Values(rows), Self::SquaredError | Self::CrossEntropy | Self::SoftCrossEntropy { .. }) => {
                squared(outputs, width, rows, n, losses);
            }
        }
    }

    /// Loss of each of n examples as [`losses`](Self::losses) has it; and replaces its row of outputs by the error with
    /// respect to the last layer's pre-activations.
    // No two of them belong together.
    #[allow(clippy::too_many_arguments)]
    pub fn errors(
        self,
        kernels: &impl Kernels,
        outputs: &mut [f32],
        width: usize,
        targets: &Targets<'_>,
        n: usize,
        top: Activation,
        losses: &mut [f32],
    ) {
        let share = 1.0 / n as f32;
        match (targets, self) {
            (Targets::Classes(labels), Self::SoftCrossEntropy { smoothing, weights }) => {
                let soft = Soft { smoothing, weights };
                for (s, loss) in losses.iter_mut().take(n).enumerate() {
                    *loss = soft.error(row_mut(outputs, s, width), labels.get(s), share, top);
                }
            }
            (Targets::Values(rows), Self::Huber { delta }) => {
                for (s, loss) in losses.iter_mut().take(n).enumerate() {
                    let (outputs, targets) = (row_mut(outputs, s, width), rows.row(s));
                    *loss = huber::loss(outputs, targets, delta);
                    huber::error(outputs, targets, delta, share, top);
                }
            }
            // Where the slope does not ask for the outputs, their exponentials are kept in their place.
            (Targets::Classes(labels), Self::CrossEntropy | Self::SquaredError | Self::Huber { .. })
                if top == Activation::Identity =>
            {
                powers(kernels, outputs, width, labels, n, losses);
                for (s, loss) in losses.iter_mut().take(n).enumerate() {
                    let powers = row_mut(outputs, s, width);
                    let total = sum::sum(powers);
                    softmax_error(powers, labels.get(s), share, 1.0 / total);
                    *loss = math::ln(total) - *loss;
                }
            }
            (Targets::Classes(labels), Self::CrossEntropy | Self::SquaredError | Self::Huber { .. }) => {
                for (s, loss) in losses.iter_mut().take(n).enumerate() {
                    *loss = bent_softmax_error(row_mut(outputs, s, width), labels.get(s), share, top);
                }
            }
            (Targets::Values(rows), Self::SquaredError | Self::CrossEntropy | Self::SoftCrossEntropy { .. }) => {
                squared(outputs, width, rows, n, losses);
                let scale = 2.0 * share / width as f32;
                for s in 0..n {
                    for (a, &t) in row_mut(outputs, s, width).iter_mut().zip(rows.row(s)) {
                        *a = scale * (*a - t) * top.slope(*a);
                    }
                }
            }
        }
    }
}

/// 1/C |a - t|^2 of each example.
fn squared(outputs: &[f32], width: usize, targets: &Rows<'_>, n: usize, losses: &mut [f32]) {
    for (s, loss) in losses.iter_mut().take(n).enumerate() {
        *loss = sum::squared_distance(row(outputs, s, width), targets.row(s)) / width as f32;
    }
}

/// exp(a - shift) for every output, with each example's largest output as shift, so that nothing overflows; and in place of
/// its loss a_t - shift. All exponentials are taken in one go, for which a desktop has vectors.
fn powers(
    kernels: &impl Kernels,
    outputs: &mut [f32],
    width: usize,
    labels: &Labels<'_>,
    n: usize,
    losses: &mut [f32],
) {
    for (s, loss) in losses.iter_mut().take(n).enumerate() {
        let outputs = row_mut(outputs, s, width);
        let shift = math::largest(outputs);
        outputs.iter_mut().for_each(|a| *a = math::sub(*a, shift));
        *loss = labels.get(s).and_then(|t| outputs.get(usize::from(t)).copied()).unwrap_or(f32::NAN);
    }
    kernels.exp(outputs.get_mut(..n.saturating_mul(width)).unwrap_or_default());
}

/// In place of each exponential, share (softmax(a)_c - [c = t]).
fn softmax_error(powers: &mut [f32], target: Option<u8>, share: f32, scale: f32) {
    let target = target.map_or(usize::MAX, usize::from);
    for (c, a) in powers.iter_mut().enumerate() {
        let hit = if c == target { 1.0 } else { 0.0 };
        *a = math::flush(math::mul(share, math::sub(math::mul(*a, scale), hit)), LEAST_ERROR);
    }
}

/// The loss, and in place of each output share (softmax(a)_c - [c = t]) act'(a_c).
fn bent_softmax_error(outputs: &mut [f32], target: Option<u8>, share: f32, top: Activation) -> f32 {
    let shift = math::largest(outputs);
    let target = target.map_or(usize::MAX, usize::from);
    let of_target = outputs.get(target).copied().unwrap_or(f32::NAN) - shift;
    let mut lanes = [0.0; sum::LANES];
    for (i, a) in outputs.iter().enumerate() {
        lanes[i % sum::LANES] += math::exp(*a - shift);
    }
    let total = sum::tree(lanes);
    let scale = 1.0 / total;
    for (c, a) in outputs.iter_mut().enumerate() {
        let hit = if c == target { 1.0 } else { 0.0 };
        *a = math::flush(share * (math::exp(*a - shift) * scale - hit) * top.slope(*a), LEAST_ERROR);
    }
    math::ln(total) - of_target
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::Batch;
    use crate::objective::mlp::Portable;

    #[test]
    fn cross_entropy_of_equal_outputs_is_ln_of_their_number() {
        let batch = Batch::classes(&[], 0, &[2]);
        let mut loss = [0.0];
        Loss::CrossEntropy.losses(&Portable, &mut [1000.0; 4], 4, &batch.targets, 1, &mut loss);
        assert!((loss[0] - 4.0f32.ln()).abs() < 2e-3, "{loss:?}");
        let mut outputs = [1000.0; 4];
        let mut same = [0.0];
        Loss::CrossEntropy.errors(&Portable, &mut outputs, 4, &batch.targets, 1, Activation::Identity, &mut same);
        assert_eq!(same, loss);
        assert_eq!(outputs, [0.25, 0.25, -0.75, 0.25]);
    }

    #[test]
    fn squared_error_by_hand() {
        let batch = Batch::values(&[], 0, &[1.0, 0.0], 2);
        let mut loss = [0.0];
        Loss::SquaredError.losses(&Portable, &mut [3.0, 1.0], 2, &batch.targets, 1, &mut loss);
        assert_eq!(loss, [2.5]);
        let mut outputs = [3.0, 1.0];
        let mut same = [0.0];
        Loss::SquaredError.errors(&Portable, &mut outputs, 2, &batch.targets, 1, Activation::Identity, &mut same);
        assert_eq!(same, loss);
        assert_eq!(outputs, [2.0, 1.0]);
    }

    /// With a bent top layer, too, the loss beside the errors is the loss alone.
    #[test]
    fn both_ways_to_the_loss_agree() {
        for top in Activation::ALL {
            let batch = Batch::classes(&[], 0, &[2]);
            let (mut outputs, mut alone, mut beside) = ([0.3, 0.9, 0.0, 0.1, 0.7, 0.2, 0.8, 0.4, 0.6], [0.0], [0.0]);
            Loss::CrossEntropy.losses(&Portable, &mut outputs.clone(), 9, &batch.targets, 1, &mut alone);
            Loss::CrossEntropy.errors(&Portable, &mut outputs, 9, &batch.targets, 1, top, &mut beside);
            assert_eq!(alone, beside);
        }
    }

    #[test]
    fn a_nan_output_gives_a_nan_loss() {
        let batch = Batch::classes(&[], 0, &[0]);
        let mut loss = [0.0];
        Loss::CrossEntropy.losses(&Portable, &mut [1.0, f32::NAN], 2, &batch.targets, 1, &mut loss);
        assert!(loss[0].is_nan());
    }

    /// A class that is ruled out has an error of 0, not a subnormal one; a small probability stays.
    #[test]
    fn errors_are_never_subnormal() {
        let batch = Batch::classes(&[], 0, &[0]);
        for top in [Activation::Identity, Activation::Relu] {
            let (mut outputs, mut loss) = ([100.0, 50.0, 40.0, 1.0], [0.0]);
            Loss::CrossEntropy.errors(&Portable, &mut outputs, 4, &batch.targets, 1, top, &mut loss);
            assert!((1e-22..1e-21).contains(&outputs[1]), "{outputs:?}");
            assert_eq!([outputs[0], outputs[2], outputs[3]], [0.0; 3]);
        }
    }
}
