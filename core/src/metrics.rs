//! How good predictions are, counted one by one, without allocation: a confusion matrix for classes, errors for values.
//!
//! ```text
//! n_tp      examples of class t that were predicted as class p         recall_c = n_cc / sum_p n_cp
//! accuracy  sum_c n_cc / n                                             precision_c = n_cc / sum_t n_tc
//! balanced accuracy     mean recall of the classes that occur
//! mean absolute error   sum |y - p| / n                                R^2 = 1 - sum (y - p)^2 / sum (y - mean y)^2
//! ```
//!
//! ```
//! use lgl2o::metrics::{Confusion, Regression};
//! let mut confusion = Confusion::<2>::new();
//! for (label, predicted) in [(0, 0), (0, 0), (0, 1), (1, 1)] {
//!     confusion.count(label, predicted)?;
//! }
//! assert_eq!(confusion.accuracy(), Some(0.75));
//! assert_eq!(confusion.recall(1), Some(1.0));
//! assert_eq!(confusion.precision(1), Some(0.5));
//!
//! let mut errors = Regression::new();
//! for (value, predicted) in [(1.0, 1.5), (2.0, 2.0), (3.0, 2.5)] {
//!     errors.count(value, predicted)?;
//! }
//! assert_eq!(errors.r2(), Some(0.75));
//! # Ok::<(), lgl2o::Error>(())
//! ```
//!
//! What cannot be said yet, such as the recall of a class without an example, is `None`, not 0 and not NaN.

use crate::error::Error;
use crate::math;
use crate::tensors::Zeroed;

/// A confusion matrix of C classes: how often each of them was predicted as which.
///
/// Memory: 4 C^2 bytes. A count stays at its end after 2^32 - 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Confusion<const C: usize> {
    counts: [[u32; C]; C],
}

impl<const C: usize> Zeroed for Confusion<C> {
    const ZERO: Self = Self::new();
}

impl<const C: usize> Default for Confusion<C> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const C: usize> Confusion<C> {
    /// Nothing counted.
    #[must_use]
    pub const fn new() -> Self {
        Self { counts: [[0; C]; C] }
    }

    /// Counts an example.
    ///
    /// # Errors
    /// [`Error::LabelOutOfRange`] where one of both is no class; nothing is counted then.
    pub fn count(&mut self, label: u8, predicted: u8) -> Result<(), Error> {
        let row = self.counts.get_mut(usize::from(label)).ok_or(Error::LabelOutOfRange { label, classes: C })?;
        let refused = Error::LabelOutOfRange { label: predicted, classes: C };
        let count = row.get_mut(usize::from(predicted)).ok_or(refused)?;
        *count = count.saturating_add(1);
        Ok(())
    }

    /// All counts: one row per label, in it one count per predicted class.
    #[must_use]
    pub const fn counts(&self) -> &[[u32; C]; C] {
        &self.counts
    }

    /// How many examples were counted.
    #[must_use]
    pub fn examples(&self) -> u64 {
        self.counts.as_flattened().iter().map(|&n| u64::from(n)).sum()
    }

    fn right(&self, c: usize) -> u64 {
        self.counts.get(c).and_then(|row| row.get(c)).map_or(0, |&n| n.into())
    }

    /// The share of the examples that were predicted as what they are.
    #[must_use]
    pub fn accuracy(&self) -> Option<f32> {
        share((0..C).map(|c| self.right(c)).sum(), self.examples())
    }

    /// The mean recall of the classes that occur: what accuracy would be if they were equally frequent.
    #[must_use]
    pub fn balanced_accuracy(&self) -> Option<f32> {
        let recalls = (0..=u8::MAX).take(C).filter_map(|c| self.recall(c));
        let (sum, classes) = recalls.fold((0.0, 0u32), |(sum, classes), recall| (sum + recall, classes + 1));
        if classes == 0 { None } else { Some(sum / classes as f32) }
    }

    /// The share of a class's examples that were predicted as it; `None` for a class that does not occur.
    #[must_use]
    pub fn recall(&self, class: u8) -> Option<f32> {
        let c = usize::from(class);
        share(self.right(c), self.counts.get(c)?.iter().map(|&n| u64::from(n)).sum())
    }

    /// The share of the examples predicted as a class that belong to it; `None` for a class that was never predicted.
    #[must_use]
    pub fn precision(&self, class: u8) -> Option<f32> {
        let c = usize::from(class);
        share(self.right(c), self.counts.iter().filter_map(|row| row.get(c)).map(|&n| u64::from(n)).sum())
    }
}

/// part / whole; `None` of nothing.
fn share(part: u64, whole: u64) -> Option<f32> {
    if whole == 0 { None } else { Some(part as f32 / whole as f32) }
}

/// Errors of predicted values: mean absolute error and R^2, of values of any offset.
///
/// The sums of squares run by Welford's formula (1962), so that values far from 0 lose no digits. Errors of several
/// outputs may be counted together or in a value each.
///
/// Memory: 20 bytes.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Regression {
    examples: u32,
    /// Mean of |y - p|.
    absolute: f32,
    /// Mean of (y - p)^2.
    squared: f32,
    /// Mean of y.
    mean: f32,
    /// Mean of (y - mean y)^2.
    variance: f32,
}

impl Zeroed for Regression {
    const ZERO: Self = Self::new();
}

impl Default for Regression {
    fn default() -> Self {
        Self::new()
    }
}

impl Regression {
    /// Nothing counted.
    #[must_use]
    pub const fn new() -> Self {
        Self { examples: 0, absolute: 0.0, squared: 0.0, mean: 0.0, variance: 0.0 }
    }

    /// Counts a value and what was predicted.
    ///
    /// # Errors
    /// [`Error::NonFiniteInput`] for a value that is a NaN or infinite, [`Error::NonFiniteOutput`] for such a
    /// prediction; nothing is counted then.
    pub const fn count(&mut self, value: f32, predicted: f32) -> Result<(), Error> {
        if !value.is_finite() {
            return Err(Error::NonFiniteInput);
        }
        if !predicted.is_finite() {
            return Err(Error::NonFiniteOutput);
        }
        self.examples = self.examples.saturating_add(1);
        let share = 1.0 / self.examples as f32;
        let error = value - predicted;
        self.absolute += share * (math::abs(error) - self.absolute);
        self.squared += share * (error * error - self.squared);
        let off = value - self.mean;
        self.mean += share * off;
        self.variance += share * (off * (value - self.mean) - self.variance);
        Ok(())
    }

    /// How many values were counted.
    #[must_use]
    pub const fn examples(&self) -> u32 {
        self.examples
    }

    /// The mean absolute error, in the values' unit.
    #[must_use]
    pub const fn mean_absolute_error(&self) -> Option<f32> {
        if self.examples == 0 { None } else { Some(self.absolute) }
    }

    /// The mean squared error.
    #[must_use]
    pub const fn mean_squared_error(&self) -> Option<f32> {
        if self.examples == 0 { None } else { Some(self.squared) }
    }

    /// The share of the values' variance that the predictions explain: 1 for perfect ones, 0 for their mean, negative
    /// for worse. `None` where the values do not vary.
    #[must_use]
    pub const fn r2(&self) -> Option<f32> {
        if self.variance > 0.0 { Some(1.0 - self.squared / self.variance) } else { None }
    }
}
