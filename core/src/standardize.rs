//! Standardized inputs: each column with mean 0 and variance 1, so that inputs of any unit train alike.
//!
//! ```text
//! n <- n + 1      e = x - mean      mean <- mean + e / n      scatter <- scatter + e (x - mean)      column by column
//! x <- (x - mean) / sqrt(scatter / n)      0 in a column that does not vary
//! ```
//!
//! (Welford 1962.) The first N rows are observed; then mean and variance are frozen, so that a network never sees the same
//! row as two different inputs. A column counts as one that does not vary while its deviation is at most a millionth of its
//! mean, which is what rounding leaves of a constant.
//!
//! Standardize rows where they come in, before they are kept: rows to train on, rows to check with and rows to predict alike.
//! [`Standardized`] joins a standardizer to a source of minibatches, so that a checkpoint holds both, and a
//! [`Model`](crate::Model) finds it there.
//!
//! ```
//! use lgl2o::standardize::Standardizer;
//! // Two sensors: a pressure in pascals and a temperature in degrees.
//! let mut rows = [[101_300.0f32, 21.0], [101_500.0, 25.0], [100_900.0, 20.0], [101_100.0, 22.0]];
//! let mut standardizer = Standardizer::<[f32; 2]>::new(256);
//! for row in &rows {
//!     standardizer.observe(row)?;
//! }
//! standardizer.freeze();
//! for row in &mut rows {
//!     standardizer.apply(row)?;
//! }
//! assert!(rows.as_flattened().iter().all(|x| x.abs() < 2.0));
//! # Ok::<(), lgl2o::Error>(())
//! ```

use crate::error::Error;
use crate::math;
use crate::objective::Objective;
use crate::persist::{Digest, Fingerprint, Persist};
use crate::source::Source;
use crate::tensors::{Tensors, Zeroed};

/// The deviation of a column that does not vary, as a share of its mean.
const CONSTANT: f32 = 1e-6;

/// Mean and variance of the columns of inputs; M is memory for one number a column, such as `[f32; COLUMNS]`.
///
/// Memory: 2 numbers a column, and 12 bytes.
#[derive(Debug, Clone, PartialEq)]
pub struct Standardizer<M> {
    mean: M,
    /// Sum of the squared differences to the mean.
    scatter: M,
    rows: u32,
    limit: u32,
    is_frozen: bool,
}

impl<M: Zeroed> Standardizer<M> {
    /// A standardizer that observes up to `limit` rows and then freezes. 256 rows are enough for most sensors.
    #[must_use]
    pub const fn new(limit: u32) -> Self {
        Self { mean: M::ZERO, scatter: M::ZERO, rows: 0, limit, is_frozen: false }
    }
}

impl<M: Tensors> Standardizer<M> {
    /// The same in memory that is sized at run time: one tensor of a number for each column, all zero.
    #[must_use]
    pub fn blank(columns: &M, limit: u32) -> Self {
        let mut zero = columns.clone();
        zero.fill(0.0);
        Self { scatter: zero.clone(), mean: zero, rows: 0, limit, is_frozen: false }
    }

    /// A frozen standardizer with known means and standard deviations.
    ///
    /// # Errors
    /// [`Error::InvalidSetting`] unless all of them are finite and no deviation is negative;
    /// [`Error::ShapeMismatch`] unless there are as many means as deviations.
    pub fn given(mean: M, mut deviation: M) -> Result<Self, Error> {
        check_width("the deviations", mean.len(), deviation.len())?;
        for d in deviation.tensor_mut(0) {
            if d.is_nan() || *d < 0.0 {
                return Err(Error::InvalidSetting { what: "a standard deviation must be 0 or more, and finite" });
            }
            *d *= *d;
        }
        if !mean.is_finite() || !deviation.is_finite() {
            return Err(Error::InvalidSetting { what: "means and standard deviations must be finite" });
        }
        Ok(Self { mean, scatter: deviation, rows: 1, limit: 1, is_frozen: true })
    }

    /// Takes a row into mean and variance, unless they are frozen.
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] for a row of another width and [`Error::NonFiniteInput`] for one with a NaN or an infinity;
    /// nothing is taken in then.
    pub fn observe(&mut self, row: &[f32]) -> Result<(), Error> {
        check_width("an input row", self.mean.len(), row.len())?;
        if !crate::tensors::all_finite(row) {
            return Err(Error::NonFiniteInput);
        }
        if self.is_frozen() {
            return Ok(());
        }
        self.rows += 1;
        let share = 1.0 / self.rows as f32;
        let columns = self.mean.tensor_mut(0).iter_mut().zip(self.scatter.tensor_mut(0));
        for ((mean, scatter), &x) in columns.zip(row) {
            let error = x - *mean;
            *mean += share * error;
            *scatter += error * (x - *mean);
        }
        Ok(())
    }

    /// Freezes mean and variance as they are.
    pub const fn freeze(&mut self) {
        self.is_frozen = true;
    }

    /// Whether mean and variance stay as they are from now on.
    #[must_use]
    pub const fn is_frozen(&self) -> bool {
        self.is_frozen || self.rows >= self.limit
    }

    /// How many columns there are.
    #[must_use]
    pub fn columns(&self) -> usize {
        self.mean.len()
    }

    /// Memory for a row.
    pub(crate) fn blank_row(&self) -> M {
        self.mean.clone()
    }

    /// Rows that were observed.
    #[must_use]
    pub const fn rows(&self) -> u32 {
        self.rows
    }

    /// Standardizes a row in place. Before any row was observed every number becomes 0.
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] for a row of another width.
    pub fn apply(&self, row: &mut [f32]) -> Result<(), Error> {
        check_width("an input row", self.mean.len(), row.len())?;
        let share = if self.rows == 0 { 0.0 } else { 1.0 / self.rows as f32 };
        let columns = self.mean.tensor(0).iter().zip(self.scatter.tensor(0));
        for ((&mean, &scatter), x) in columns.zip(row) {
            let deviation = math::sqrt(scatter * share);
            let varies = deviation > CONSTANT * math::abs(mean) && deviation > 0.0;
            *x = if varies { (*x - mean) / deviation } else { 0.0 };
        }
        Ok(())
    }
}

fn check_width(what: &'static str, expected: usize, found: usize) -> Result<(), Error> {
    if expected == found { Ok(()) } else { Err(Error::ShapeMismatch { what, expected, found }) }
}

impl<M: Persist> Persist for Standardizer<M> {
    crate::persist_fields!(mean, scatter, rows, limit, is_frozen);
}

/// A source of minibatches with the standardizer that its rows went through, for a checkpoint to hold both.
#[derive(Debug, Clone)]
pub struct Standardized<S, M> {
    /// The source, whose rows are standardized already.
    pub source: S,
    /// What they were standardized with.
    pub standardizer: Standardizer<M>,
}

impl<S: Persist, M: Persist> Persist for Standardized<S, M> {
    crate::persist_fields!(source, standardizer);

    fn standardizer_len(&self) -> usize {
        crate::persist::length(&self.standardizer)
    }
}

impl<S: Fingerprint, M: Tensors> Fingerprint for Standardized<S, M> {
    fn describe(&self, digest: &mut Digest) {
        digest.kind("standardized");
        digest.word(self.standardizer.mean.len() as u32);
        self.source.describe(digest);
    }
}

impl<O: Objective, S: Source<O>, M> Source<O> for Standardized<S, M> {
    fn begin_round(&mut self) {
        self.source.begin_round();
    }
    fn room(&self) -> u32 {
        self.source.room()
    }
    fn left(&self) -> u32 {
        self.source.left()
    }
    fn epoch(&self) -> u32 {
        self.source.epoch()
    }
    fn train(&mut self) -> Result<O::Batch<'_>, Error> {
        self.source.train()
    }
    fn check(&mut self) -> Result<O::Batch<'_>, Error> {
        self.source.check()
    }
    fn objective(&mut self, i: usize) -> Result<Option<O::Batch<'_>>, Error> {
        self.source.objective(i)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkpoint::Buffer;

    const ROWS: [[f32; 3]; 4] = [[1.0, 1e4, 7.0], [3.0, 1.1e4, 7.0], [1.0, 1e4, 7.0], [3.0, 1.1e4, 7.0]];

    fn observed(limit: u32) -> Standardizer<[f32; 3]> {
        let mut standardizer = Standardizer::new(limit);
        ROWS.iter().for_each(|row| standardizer.observe(row).unwrap());
        standardizer
    }

    #[test]
    fn columns_get_mean_0_and_variance_1_and_a_constant_one_is_0() {
        let standardizer = observed(10);
        for (row, sign) in ROWS.iter().zip([-1.0f32, 1.0, -1.0, 1.0]) {
            let mut row = *row;
            standardizer.apply(&mut row).unwrap();
            assert!((row[0] - sign).abs() < 1e-5 && (row[1] - sign).abs() < 1e-5 && row[2] == 0.0, "{row:?}");
        }
    }

    #[test]
    fn what_comes_after_the_limit_changes_nothing() {
        let mut standardizer = observed(4);
        assert!(standardizer.is_frozen() && !observed(5).is_frozen());
        let before = standardizer.clone();
        standardizer.observe(&[1e6; 3]).unwrap();
        assert_eq!(standardizer, before);
        assert_eq!(observed(2).rows(), 2);
    }

    #[test]
    fn bad_rows_are_refused_and_leave_no_trace() {
        let mut standardizer = observed(10);
        let before = standardizer.clone();
        assert_eq!(standardizer.observe(&[1.0, f32::NAN, 2.0]), Err(Error::NonFiniteInput));
        assert!(matches!(standardizer.observe(&[1.0]), Err(Error::ShapeMismatch { expected: 3, found: 1, .. })));
        assert!(standardizer.apply(&mut [1.0]).is_err());
        assert_eq!(standardizer, before);
    }

    #[test]
    fn known_means_and_deviations_are_used_as_they_are() {
        let standardizer = Standardizer::given([1.0f32, -2.0], [2.0, 0.5]).unwrap();
        let mut row = [5.0, -1.0];
        standardizer.apply(&mut row).unwrap();
        // Roots are approximate with micromath.
        assert!(row.iter().all(|x| (x - 2.0).abs() < 1e-5) && standardizer.is_frozen(), "{row:?}");
        assert!(Standardizer::given([0.0f32], [f32::NAN]).is_err());
        assert!(Standardizer::given([0.0f32], [-1.0]).is_err());
        assert!(Standardizer::given([f32::INFINITY], [1.0]).is_err());
    }

    #[test]
    fn it_survives_a_restart() {
        let saved = observed(10);
        let mut bytes = [0; 64];
        let mut buffer = Buffer::new(&mut bytes);
        saved.save(&mut buffer).unwrap();
        let mut loaded = Standardizer::<[f32; 3]>::new(1);
        loaded.load(&mut Bytes(buffer.written())).unwrap();
        assert_eq!(loaded, saved);
    }

    /// Bytes, one after the other.
    struct Bytes<'a>(&'a [u8]);

    impl crate::persist::Origin for Bytes<'_> {
        type Error = ();
        fn take(&mut self, bytes: &mut [u8]) -> Result<(), ()> {
            let (first, rest) = self.0.split_at_checked(bytes.len()).ok_or(())?;
            bytes.copy_from_slice(first);
            self.0 = rest;
            Ok(())
        }
    }
}
