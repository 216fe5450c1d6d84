//! Learned optimizers: update rules whose own weights ("meta-parameters") were trained.
//!
//! A learned optimizer is an ordinary [`Rule`](crate::rule::Rule) whose settings are its weights; they are immutable,
//! shared by reference, and on a device they stay in flash. [`tiny`] gives the one that this crate brings along; its
//! weights were made by this project's `lgl2o meta-train`, whose configuration, seed and log stand in `host/meta/`.

pub mod controller;
pub mod coordinate;
pub mod coordinate_lstm;
mod features;
pub mod file;
mod lstm;
pub mod recurrent;
pub mod rnnprop;
pub mod table;

pub use controller::TensorController;
pub use coordinate::CoordinateMlp;
pub use coordinate_lstm::CoordinateLstm;
pub use file::WeightsError;
pub use recurrent::RecurrentState;
pub use rnnprop::RnnProp;
pub use table::Table;

use crate::rng::Rng;
use crate::rule::Rule;

/// A rule whose weights are meta-trained: what meta-training and weights files need to know of it.
pub trait Learned: Rule + Clone {
    /// Number of this kind in a weights file.
    const KIND: u8;
    /// Its size, as a weights file names it: hidden units, or whatever its network is measured by.
    const HIDDEN: usize;
    /// How many weights there are.
    const WEIGHTS: usize;
    /// How long a weights file is, in bytes.
    const FILE_LEN: usize = file::HEADER + 4 * Self::WEIGHTS + file::TRAILER;

    /// Where meta-training starts from.
    fn initial(rng: &mut Rng) -> Self;

    /// The rule with these weights.
    ///
    /// # Errors
    /// [`WeightsError::Length`] (counted in numbers here) or [`WeightsError::NotFinite`].
    fn from_weights(weights: &[f32]) -> Result<Self, WeightsError>;

    /// Writes the weights, in the order of [`from_weights`](Self::from_weights); what does not fit is left out.
    fn write_weights(&self, weights: &mut [f32]);

    /// Reads a weights file.
    ///
    /// # Errors
    /// Whatever is wrong with the file, as a [`WeightsError`].
    fn read_file(file: &[u8]) -> Result<Self, WeightsError>;

    /// Writes a weights file of [`FILE_LEN`](Self::FILE_LEN) bytes into a longer or equally long buffer; gives the
    /// file.
    ///
    /// # Errors
    /// [`WeightsError::Length`] if the buffer is too short.
    fn write_file<'a>(&self, buffer: &'a mut [u8]) -> Result<&'a [u8], WeightsError>;
}

/// The built-in learned optimizer's file: 151 weights, 620 bytes.
const TINY_FILE: &[u8] = include_bytes!("tiny.l2o");

static TINY: CoordinateMlp<8> = match CoordinateMlp::from_bytes(TINY_FILE) {
    Ok(rule) => rule,
    // Evaluated by the compiler: a damaged file does not build.
    Err(_) => panic!("core/src/learned/tiny.l2o is not a weights file of a coordinate MLP with 8 hidden units"),
};

/// The built-in learned optimizer: a coordinatewise MLP with 151 weights, meta-trained on small MNIST classifiers.
///
/// ```
/// use lgl2o::learned;
/// use lgl2o::rule::{NoProbe, Rule};
/// let rule = learned::tiny();
/// let (mut w, gradient) = ([1.0f32, -2.0], [0.3f32, 0.1]);
/// let mut state = rule.state(&w);
/// rule.step(&mut state, &mut w, &gradient, 0.0, &mut NoProbe);
/// assert!(w[0] < 1.0 && w[1] < -2.0);
/// ```
#[must_use]
pub fn tiny() -> &'static CoordinateMlp<8> {
    &TINY
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_rule_is_tiny_and_finite() {
        const { assert!(CoordinateMlp::<8>::WEIGHTS <= 151) };
        let mut flat = [0.0; CoordinateMlp::<8>::WEIGHTS];
        tiny().write_weights(&mut flat);
        assert!(flat.iter().all(|w| w.is_finite()) && flat.iter().any(|&w| w != 0.0));
    }
}
