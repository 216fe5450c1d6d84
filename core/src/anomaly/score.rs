//! How far a window is from what is normal: by a network that reproduces its input, or by means and deviations alone.
//!
//! ```text
//! reconstruction error   sum_i (y_i - x_i)^2 / n     x the standardized row, y the network's outputs for it, n columns
//! distance               sum_i x_i^2 / n
//! ```
//!
//! The first is that of an autoencoder (Japkowicz, Myers and Gluck 1995); the second the squared Mahalanobis distance with a
//! diagonal covariance (Mahalanobis 1936), divided by the number of columns: about 1 for what is normal.

use core::borrow::Borrow;

use crate::error::Error;
use crate::model::{Inputs, Model};
use crate::objective::mlp::Network;
use crate::standardize::Standardizer;
use crate::sum;
use crate::tensors::Tensors;

impl<N: Network, P: Borrow<N::Params>, S: Inputs> Model<N, P, S> {
    /// The mean squared error of a network that is trained to reproduce its inputs: see
    /// [`Reconstruction`](crate::replay::Reconstruction). It may be infinite.
    ///
    /// # Errors
    /// As [`values`](Self::values); and [`Error::ShapeMismatch`] for a network whose outputs are not as many as its inputs.
    pub fn reconstruction_error(&mut self, row: &[f32]) -> Result<f32, Error> {
        let (expected, (seen, outputs)) = (row.len(), self.seen_and_outputs(row)?);
        if outputs.len() != expected {
            return Err(Error::ShapeMismatch {
                what: "the outputs of a network that reproduces its inputs",
                expected,
                found: outputs.len(),
            });
        }
        Ok(sum::squared_distance(outputs, seen) / expected as f32)
    }
}

impl<M: Tensors> Standardizer<M> {
    /// How far a raw row is from those that were observed: the mean square of its standardized columns, about 1 for a row
    /// like them. A column that did not vary does not count.
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] for a row of another width and [`Error::NonFiniteInput`] for one with a NaN or an infinity.
    pub fn distance(&self, row: &[f32]) -> Result<f32, Error> {
        let mut standardized = self.blank_row();
        let to = standardized.tensor_mut(0);
        if to.len() != row.len() {
            return Err(Error::ShapeMismatch { what: "an input row", expected: to.len(), found: row.len() });
        }
        if !crate::tensors::all_finite(row) {
            return Err(Error::NonFiniteInput);
        }
        to.iter_mut().zip(row).for_each(|(to, &from)| *to = from);
        self.apply(to)?;
        Ok(sum::squares(to) / row.len().max(1) as f32)
    }
}
