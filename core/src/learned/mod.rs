//! Learned optimizers: update rules whose own weights ("meta-parameters") were trained.
//!
//! A learned optimizer is an ordinary [`Rule`] whose settings are its weights; they are immutable,
//! shared by reference, and on a device they stay in flash. [`ngn()`] is the one behind [`auto`](crate::auto()),
//! [`rotated_ngn()`] has other weights for eigenbases, [`lean()`] has fewer numbers. None of them has an absolute scale. [`lstm()`] and [`rnnprop()`] are the papers'. The weights were made
//! by this project's `lgl2o meta-train`, whose configurations, seeds and logs stand in `host/meta/`; those of [`lean()`] are
//! hand-made.
//!
//! | rule | weights | flash, bytes | RAM, floats a parameter | operations a parameter |
//! |---|---|---|---|---|
//! | [`LearnedNgn`] | 17 | 84 | 2 | 60 |
//! | [`LeanScaleFree`] | 10 | 56 | 2 | 60 |
//! | [`LearnedScaleFree`] | 18 | 88 | 3 | 115 |
//! | [`CoordinateLstm<8>`] | 909 | 3,652 | 34 | 3,400 |
//! | [`RnnProp<8>`] | 1,125 | 4,516 | 34 | 3,900 |
//! | the papers' sizes, [`CoordinateLstm<20>`] and [`RnnProp<20>`] | 5,145 and 6,645 | 20,596 and 26,596 | 82 | 14,100 and 17,400 |
//!
//! Operations are arithmetic ones, counted by hand in each rule's formula; Adam has 16.
//!
//! Off devices the loops over parameters are always inlined. Whoever calls a rule from a function that is compiled for wider
//! vectors than the target's then has the rule in such vectors, with the same bits; `lgl2o-host` does.

pub mod coordinate_lstm;
mod features;
pub mod file;
pub mod gauss_newton;
pub mod lean;
mod lstm;
pub mod recurrent;
pub mod rnnprop;
pub mod scale_free;

pub use coordinate_lstm::CoordinateLstm;
pub use file::WeightsError;
pub use gauss_newton::LearnedNgn;
pub use lean::LeanScaleFree;
pub use recurrent::RecurrentState;
pub use rnnprop::RnnProp;
pub use scale_free::LearnedScaleFree;

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

    /// Writes a weights file of [`FILE_LEN`](Self::FILE_LEN) bytes into a longer or equally long buffer; returns the
    /// file.
    ///
    /// # Errors
    /// [`WeightsError::Length`] if the buffer is too short.
    fn write_file<'a>(&self, buffer: &'a mut [u8]) -> Result<&'a [u8], WeightsError>;
}

/// Embeds a weights file and returns the rule in it. A program that never asks for it does not carry it.
macro_rules! built_in {
    ($($(#[$doc:meta])* $name:ident: $rule:ty = $file:literal,)+) => {
        $(
            $(#[$doc])*
            #[must_use]
            pub const fn $name() -> &'static $rule {
                static RULE: $rule = match <$rule>::from_bytes(include_bytes!($file)) {
                    Ok(rule) => rule,
                    // Evaluated by the compiler: a damaged file does not build.
                    Err(_) => panic!("a weights file in core/src/learned is damaged, or of another kind or size"),
                };
                &RULE
            }
        )+
    };
}

built_in! {
    /// The built-in learned optimizer: the learned form of NGN, meta-trained on a distribution of tasks; 17 weights.
    ///
    /// ```
    /// use lgl2o::learned;
    /// use lgl2o::rule::{NoProbe, Rule};
    /// let rule = learned::ngn();
    /// let (mut w, gradient) = ([1.0f32, -2.0], [0.3f32, 0.1]);
    /// let (mut state, loss) = (rule.state(&w), 0.5);
    /// rule.step(&mut state, &mut w, &gradient, loss, &mut NoProbe);
    /// assert!(w[0] < 1.0 && w[1] < -2.0);
    /// ```
    ngn: LearnedNgn = "ngn.l2o",
    /// The same rule with weights for the eigenbases of the gradients' second moments, where it belongs inside of
    /// [`Rotated`](crate::rule::Rotated): the learned side of [`auto_rotated`](crate::auto_rotated()); 17 weights.
    rotated_ngn: LearnedNgn = "rotated.l2o",
    /// The learned rule without a scale in its lean form: 10 weights. They are the hand-made ones,
    /// [`LeanScaleFree::hand_made`]: meta-training has gained nothing on kinds of tasks that it had not seen.
    lean: LeanScaleFree = "lean.l2o",
    /// A coordinatewise LSTM with 8 units in a layer, meta-trained on small MNIST classifiers: 909 weights.
    lstm: CoordinateLstm<8> = "lstm.l2o",
    /// RNNProp with 8 units in a layer, meta-trained likewise: 1125 weights.
    rnnprop: RnnProp<8> = "rnnprop.l2o",
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lean_rule_is_the_hand_made_one() {
        assert_eq!(*lean(), LeanScaleFree::hand_made());
    }

    /// How the weights for eigenbases were made: the sixteenth number, decay, is four times that of `ngn`. With LGL2O_RENEW in the
    /// environment, this test writes the file.
    #[test]
    fn the_weights_for_eigenbases_decay_four_times_as_fast() {
        let mut weights = [0.0; LearnedNgn::WEIGHTS];
        ngn().write_weights(&mut weights);
        weights[15] *= 4.0;
        let rule = LearnedNgn::from_weights(&weights).unwrap();
        if std::env::var_os("LGL2O_RENEW").is_some() {
            let mut file = [0; LearnedNgn::FILE_LEN];
            let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/learned/rotated.l2o");
            std::fs::write(path, rule.write_file(&mut file).unwrap()).unwrap();
        } else {
            assert_eq!(&rule, rotated_ngn());
        }
    }
}
