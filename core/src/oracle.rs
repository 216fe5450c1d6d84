//! The oracle: answers a guard's questions about an objective, and counts what they cost.
//!
//! In the sense of Nemirovski and Yudin (1983): an optimizer learns of an objective only what it asks an oracle for, so
//! the number of answers is its cost. Losses that are not finite come back as infinity here, so that a comparison can
//! never be fooled by a NaN.

use crate::error::Error;
use crate::math::{self, or_infinity};
use crate::objective::{Objective, mean_loss};
use crate::persist::Persist;
use crate::rule::Probe;
use crate::sum;
use crate::tensors::Tensors;

/// What was spent, in examples: a gradient is a forward and a backward pass of one example.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "alloc", derive(bytemuck::Zeroable))]
pub struct Cost {
    /// Examples whose gradient was computed.
    pub gradients: u64,
    /// Examples whose loss alone was computed.
    pub forwards: u64,
}

impl Cost {
    /// Nothing spent.
    pub const ZERO: Self = Self { gradients: 0, forwards: 0 };

    /// The cost in forward passes of one example, a gradient counting as three.
    #[must_use]
    pub const fn in_forwards(&self) -> u64 {
        self.gradients.saturating_mul(3).saturating_add(self.forwards)
    }

    /// Adds another cost; at the end of the range it stays there.
    pub const fn add(&mut self, other: Self) {
        self.gradients = self.gradients.saturating_add(other.gradients);
        self.forwards = self.forwards.saturating_add(other.forwards);
    }
}

impl Persist for Cost {
    crate::persist_fields!(gradients, forwards);
}

/// Mean of a difference over examples, with its spread.
///
/// Means and second moments are merged batch by batch (Chan, Golub, LeVeque 1983), so that no large sums cancel.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Difference {
    examples: u32,
    mean: f32,
    /// Sum of (d - mean d)^2 over the examples.
    scatter: f32,
}

impl Difference {
    /// The mean.
    #[must_use]
    pub const fn mean(&self) -> f32 {
        self.mean
    }

    /// The standard deviation over the examples; 0 where there is one.
    #[must_use]
    pub fn spread(&self) -> f32 {
        if self.examples < 2 { 0.0 } else { math::sqrt(self.scatter / (self.examples as f32 - 1.0)) }
    }

    /// Its standard error; 0 where there is one example, an exact loss.
    #[must_use]
    pub fn standard_error(&self) -> f32 {
        let n = self.examples as f32;
        if self.examples < 2 { 0.0 } else { math::sqrt(self.scatter / ((n - 1.0) * n)) }
    }

    /// Merges the values of one batch. Returns the batch's share of all examples so far.
    fn merge(&mut self, values: &[f32]) -> f32 {
        if values.is_empty() {
            return 0.0;
        }
        let n = values.len() as f32;
        let mean = sum::sum(values) / n;
        let scatter = sum::squares_about(values, mean);
        let before = self.examples as f32;
        let share = n / (before + n);
        let shift = mean - self.mean;
        self.examples = self.examples.saturating_add(values.len() as u32);
        self.mean += shift * share;
        self.scatter += scatter + shift * shift * before * share;
        share
    }
}

/// Losses of two candidates, and perhaps of a third point, on the same examples.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Paired {
    first: Difference,
    second: f32,
    third: Difference,
    to_first: Difference,
    to_third: Difference,
}

impl Paired {
    /// Mean loss of the first candidate; infinite if it is not finite.
    #[must_use]
    pub fn first(&self) -> f32 {
        or_infinity(self.first.mean())
    }

    /// Standard deviation of the first candidate's losses over the examples: a scale of the loss that does not change
    /// when a constant is added to it. 0 where there is one example, an exact loss, or the losses are not finite.
    #[must_use]
    pub fn spread(&self) -> f32 {
        or_zero(self.first.spread())
    }

    /// The same of the third point's losses.
    #[must_use]
    pub fn third_spread(&self) -> f32 {
        or_zero(self.third.spread())
    }

    /// Mean loss of the second candidate; infinite if it is not finite.
    #[must_use]
    pub fn second(&self) -> f32 {
        or_infinity(self.second)
    }

    /// Mean loss of the third point that was evaluated along with them; infinite if it is not finite.
    #[must_use]
    pub fn third(&self) -> f32 {
        or_infinity(self.third.mean())
    }

    /// Mean of second minus first over the examples.
    #[must_use]
    pub const fn difference(&self) -> f32 {
        self.to_first.mean()
    }

    /// Standard error of [`difference`](Self::difference); 0 where there is one example, an exact loss.
    #[must_use]
    pub fn standard_error(&self) -> f32 {
        self.to_first.standard_error()
    }

    /// Second minus first over the examples.
    #[must_use]
    pub const fn to_first(&self) -> &Difference {
        &self.to_first
    }

    /// Second minus third over the examples.
    #[must_use]
    pub const fn to_third(&self) -> &Difference {
        &self.to_third
    }

    /// Merges the losses of one batch; `first` is left holding the differences, `second` as it is.
    fn merge(&mut self, first: &mut [f32], second: &[f32]) {
        if first.is_empty() {
            return;
        }
        let mean_second = sum::sum(second) / second.len() as f32;
        self.first.merge(first);
        subtract_from(second, first);
        let share = self.to_first.merge(first);
        self.second += (mean_second - self.second) * share;
    }
}

/// b <- a - b.
fn subtract_from(a: &[f32], b: &mut [f32]) {
    for (&a, b) in a.iter().zip(b) {
        *b = a - *b;
    }
}

/// x, or 0 where x is not finite.
fn or_zero(x: f32) -> f32 {
    if x.is_finite() { x } else { 0.0 }
}

/// An objective, its scratch memory, and a count of the evaluations so far.
pub struct Oracle<'a, O: Objective> {
    objective: &'a O,
    scratch: &'a mut O::Scratch,
    losses: &'a mut [O::Losses; 2],
    spent: Cost,
}

impl<'a, O: Objective> Oracle<'a, O> {
    /// An oracle that has spent nothing yet.
    pub const fn new(objective: &'a O, scratch: &'a mut O::Scratch, losses: &'a mut [O::Losses; 2]) -> Self {
        Self { objective, scratch, losses, spent: Cost::ZERO }
    }

    /// What was spent so far.
    pub const fn spent(&self) -> Cost {
        self.spent
    }

    /// Mean loss at `params`, and its gradient.
    ///
    /// # Errors
    /// Whatever is wrong with the batch. A gradient that is not finite is no error here.
    pub fn gradient(
        &mut self,
        params: &O::Params,
        batch: O::Batch<'_>,
        gradient: &mut O::Params,
    ) -> Result<f32, Error> {
        let [losses, _] = &mut *self.losses;
        let n = self.objective.gradient(self.scratch, params, batch, losses, gradient)?;
        self.spent.gradients = self.spent.gradients.saturating_add(n as u64);
        Ok(mean_loss(losses, n))
    }

    /// Mean loss at `params`; infinite where it is not finite.
    ///
    /// # Errors
    /// Whatever is wrong with the batch.
    pub fn loss(&mut self, params: &O::Params, batch: O::Batch<'_>) -> Result<f32, Error> {
        let [losses, _] = &mut *self.losses;
        let n = self.objective.losses(self.scratch, params, batch, losses)?;
        self.spent.forwards = self.spent.forwards.saturating_add(n as u64);
        Ok(mean_loss(losses, n))
    }

    /// Adds the losses of two candidates on one batch to a comparison, and those of a third point, if there is one.
    ///
    /// # Errors
    /// Whatever is wrong with the batch.
    pub fn compare(
        &mut self,
        first: &O::Params,
        second: &O::Params,
        third: Option<&O::Params>,
        batch: O::Batch<'_>,
        paired: &mut Paired,
    ) -> Result<(), Error> {
        let [a, b] = &mut *self.losses;
        let n = self.objective.losses(self.scratch, first, batch, a)?;
        self.objective.losses(self.scratch, second, batch, b)?;
        self.spent.forwards = self.spent.forwards.saturating_add(2 * n as u64);
        let (of_first, of_second) = (a.as_mut().get_mut(..n).unwrap_or(&mut []), b.as_ref().get(..n).unwrap_or(&[]));
        paired.merge(of_first, of_second);
        let Some(third) = third else { return Ok(()) };
        // There are two buffers: the third point's losses take the place of the first one's, which are merged already.
        self.loss(third, batch)?;
        let [a, b] = &mut *self.losses;
        let (of_third, of_second) = (a.as_mut().get_mut(..n).unwrap_or(&mut []), b.as_ref().get(..n).unwrap_or(&[]));
        paired.third.merge(of_third);
        subtract_from(of_second, of_third);
        paired.to_third.merge(of_third);
        Ok(())
    }

    /// A probe of one batch, for rules that search along a line.
    pub const fn probe<'o, 'b>(&'o mut self, batch: O::Batch<'b>) -> BatchProbe<'o, 'a, 'b, O> {
        BatchProbe { oracle: self, batch }
    }
}

/// The loss of any point on one batch.
pub struct BatchProbe<'o, 'a, 'b, O: Objective> {
    oracle: &'o mut Oracle<'a, O>,
    batch: O::Batch<'b>,
}

impl<O: Objective> Probe<O::Params> for BatchProbe<'_, '_, '_, O> {
    fn loss(&mut self, params: &O::Params) -> f32 {
        // The batch has just given a gradient, so it is a good one; a point that is not finite has infinite loss.
        if !params.is_finite() {
            return f32::INFINITY;
        }
        self.oracle.loss(params, self.batch).unwrap_or(f32::INFINITY)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A checkpoint whose checksum is right may still hold any count.
    #[test]
    fn a_cost_at_the_end_of_its_range_stays_there() {
        let mut cost = Cost { gradients: u64::MAX - 1, forwards: u64::MAX };
        cost.add(Cost { gradients: 2, forwards: 1 });
        assert_eq!(cost, Cost { gradients: u64::MAX, forwards: u64::MAX });
        assert_eq!(cost.in_forwards(), u64::MAX);
    }

    #[test]
    fn merging_batches_gives_the_moments_of_all_examples() {
        let first = [0.5, 1.0, 0.25, 2.0, 0.75];
        let second = [0.25, 1.5, 0.5, 1.0, 0.5];
        let mut paired = Paired::default();
        for part in [0..2, 2..5] {
            let mut a = [0.0; 3];
            let a = &mut a[..part.len()];
            a.copy_from_slice(&first[part.clone()]);
            paired.merge(a, &second[part]);
        }
        let d: [f64; 5] = core::array::from_fn(|i| f64::from(second[i]) - f64::from(first[i]));
        let mean = d.iter().sum::<f64>() / 5.0;
        let variance = d.iter().map(|d| (d - mean) * (d - mean)).sum::<f64>() / 4.0;
        assert!((f64::from(paired.difference()) - mean).abs() < 1e-7);
        assert!((f64::from(paired.standard_error()) - (variance / 5.0).sqrt()).abs() < 1e-6);
        assert_eq!((paired.first(), paired.second()), (0.9, 0.75));
        let variance = first.iter().map(|&a| (f64::from(a) - 0.9).powi(2)).sum::<f64>() / 4.0;
        assert!((f64::from(paired.spread()) - variance.sqrt()).abs() < 1e-6);
    }

    #[test]
    fn a_loss_that_is_not_finite_counts_as_infinite() {
        let mut paired = Paired::default();
        paired.merge(&mut [1.0], &[f32::NAN]);
        assert_eq!((paired.first(), paired.second()), (1.0, f32::INFINITY));
    }

    /// The third difference is taken from the second point's own losses: a first point that has blown up does not blur it.
    #[test]
    fn a_first_point_that_blew_up_leaves_the_third_difference() {
        let bowl = crate::objective::Quadratic::new([2.0], [0.0]).unwrap();
        let (mut scratch, mut losses) = ([0.0], [[0.0], [0.0]]);
        let mut oracle = Oracle::new(&bowl, &mut scratch, &mut losses);
        for first in [2.7e6, f32::MAX] {
            let mut paired = Paired::default();
            assert_eq!(oracle.compare(&[first], &[27.0], Some(&[0.25]), (), &mut paired), Ok(()));
            assert_eq!((paired.second(), paired.third()), (729.0, 0.0625));
            assert_eq!(paired.to_third().mean(), 729.0 - 0.0625);
        }
    }
}
