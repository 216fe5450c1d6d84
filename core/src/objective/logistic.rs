//! Binary logistic regression with L2 regularisation.
//!
//! ```text
//! F(w, b) = 1/n sum_s ln(1 + exp(-y_s (w.x_s + b))) + l2/2 (|w|^2 + b^2),   y_s = -1 for label 0, +1 for label 1
//! ```
//!
//! Strongly convex with mu = l2 and smooth with L <= l2 + max_s (|x_s|^2 + 1) / 4 (Nesterov 2018, section 2.1; the
//! second derivative of the logistic loss is at most 1/4). The bias is regularised too, so that the whole is strongly
//! convex.

use super::{Blank, Objective};
use crate::batch::{Batch, Targets};
use crate::error::Error;
use crate::math;
use crate::persist::{Digest, Fingerprint};
use crate::sum;
use crate::tensors::Zeroed;

/// Logistic regression on I inputs, for batches of up to B examples. Parameters are the weights and the bias.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Logistic<const I: usize, const B: usize> {
    l2: f32,
}

impl<const I: usize, const B: usize> Logistic<I, B> {
    /// The objective with regularisation strength l2, which is its mu.
    ///
    /// # Errors
    /// [`Error::InvalidSetting`] unless l2 is finite and not negative.
    pub fn new(l2: f32) -> Result<Self, Error> {
        if l2 >= 0.0 && l2.is_finite() {
            Ok(Self { l2 })
        } else {
            Err(Error::InvalidSetting { what: "l2 must be finite and not negative" })
        }
    }

    /// The constant of strong convexity.
    #[must_use]
    pub const fn mu(&self) -> f32 {
        self.l2
    }

    /// An upper bound on the constant of smoothness over the examples of a batch.
    #[must_use]
    pub fn smoothness(&self, batch: &Batch<'_>) -> f32 {
        let longest = (0..batch.examples()).fold(0.0, |most, s| {
            let length = sum::squares(batch.inputs.row(s));
            if length > most { length } else { most }
        });
        self.l2 + 0.25 * (longest + 1.0)
    }

    /// Loss of each example into `losses` and d loss / d score, not yet divided by n, into `slopes`.
    fn evaluate(&self, params: &([f32; I], [f32; 1]), batch: &Batch<'_>, losses: &mut [f32], slopes: &mut [f32]) {
        let (w, [b]) = params;
        let penalty = 0.5 * self.l2 * (sum::squares(w) + b * b);
        let Targets::Classes(labels) = batch.targets else { return };
        for (s, (loss, slope)) in losses.iter_mut().zip(slopes).take(batch.examples()).enumerate() {
            let sign = if labels.get(s) == Some(1) { 1.0 } else { -1.0 };
            let margin = sign * (sum::dot(w, batch.inputs.row(s)) + b);
            *loss = softplus(-margin) + penalty;
            *slope = -sign * math::sigmoid(-margin);
        }
    }

    fn check(batch: &Batch<'_>) -> Result<usize, Error> {
        match batch.targets {
            Targets::Classes(_) => batch.check(I, 2, B),
            Targets::Values(_) => Err(Error::WrongTargets),
        }
    }
}

/// ln(1 + e^x) without overflow.
fn softplus(x: f32) -> f32 {
    let positive = if x > 0.0 { x } else { 0.0 };
    positive + math::ln(1.0 + math::exp(-math::abs(x)))
}

impl<const I: usize, const B: usize> Fingerprint for Logistic<I, B> {
    fn describe(&self, digest: &mut Digest) {
        digest.kind("logistic");
        digest.word(I as u32);
        digest.numbers([self.l2]);
    }
}

impl<const I: usize, const B: usize> Objective for Logistic<I, B> {
    type Params = ([f32; I], [f32; 1]);
    type Batch<'a> = Batch<'a>;
    type Scratch = [f32; B];
    type Losses = [f32; B];

    fn losses(
        &self,
        slopes: &mut [f32; B],
        params: &Self::Params,
        batch: Batch<'_>,
        losses: &mut [f32; B],
    ) -> Result<usize, Error> {
        let n = Self::check(&batch)?;
        self.evaluate(params, &batch, losses, slopes);
        Ok(n)
    }

    fn gradient(
        &self,
        slopes: &mut [f32; B],
        params: &Self::Params,
        batch: Batch<'_>,
        losses: &mut [f32; B],
        (weights, bias): &mut Self::Params,
    ) -> Result<usize, Error> {
        let n = Self::check(&batch)?;
        self.evaluate(params, &batch, losses, slopes);
        weights.fill(0.0);
        let share = 1.0 / n as f32;
        for (s, slope) in slopes.iter_mut().take(n).enumerate() {
            *slope *= share;
            for (g, &x) in weights.iter_mut().zip(batch.inputs.row(s)) {
                *g += *slope * x;
            }
        }
        *bias = [sum::sum(slopes.get(..n).unwrap_or(&[])) + self.l2 * params.1[0]];
        for (g, &w) in weights.iter_mut().zip(&params.0) {
            *g += self.l2 * w;
        }
        Ok(n)
    }
}

impl<const I: usize, const B: usize> Blank for Logistic<I, B> {
    fn blank_params(&self) -> Self::Params {
        Zeroed::ZERO
    }
    fn blank_scratch(&self) -> [f32; B] {
        Zeroed::ZERO
    }
    fn blank_losses(&self) -> [f32; B] {
        Zeroed::ZERO
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_parameters_lose_ln_2() {
        let objective = Logistic::<2, 4>::new(0.1).unwrap();
        let batch = Batch::classes(&[1.0, 0.0, 0.0, 1.0], 2, &[0, 1]);
        let (mut slopes, mut losses, mut g) = ([0.0; 4], [0.0; 4], ([0.0; 2], [0.0; 1]));
        let n = objective.gradient(&mut slopes, &([0.0; 2], [0.0]), batch, &mut losses, &mut g).unwrap();
        assert_eq!(n, 2);
        assert!((losses[0] - core::f32::consts::LN_2).abs() < 1e-3);
        assert_eq!(g, ([0.25, -0.25], [0.0]));
        assert_eq!(objective.smoothness(&batch), 0.6);
    }

    #[test]
    fn a_label_of_two_is_refused() {
        let objective = Logistic::<1, 4>::new(0.0).unwrap();
        let error = objective.losses(&mut [0.0; 4], &([0.0], [0.0]), Batch::classes(&[1.0], 1, &[2]), &mut [0.0; 4]);
        assert_eq!(error, Err(Error::LabelOutOfRange { label: 2, classes: 2 }));
    }
}
