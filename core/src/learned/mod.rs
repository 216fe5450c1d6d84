//! Learned optimizers: update rules whose own weights ("meta-parameters") were trained.
//!
//! A learned optimizer is an ordinary [`Rule`](crate::rule::Rule) whose settings are its weights; they are immutable,
//! shared by reference, and on a device they stay in flash. [`tiny`] gives the one that this crate brings along; its
//! weights were made by this project's `lgl2o meta-train`, whose configuration, seed and log stand in `host/meta/`.

pub mod coordinate;
pub mod file;

pub use coordinate::CoordinateMlp;
pub use file::WeightsError;

/// The built-in learned optimizer's file: 150 weights, 616 bytes.
const TINY_FILE: &[u8] = include_bytes!("tiny.l2o");

static TINY: CoordinateMlp<8> = match CoordinateMlp::from_bytes(TINY_FILE) {
    Ok(rule) => rule,
    // Evaluated by the compiler: a damaged file does not build.
    Err(_) => panic!("core/src/learned/tiny.l2o is not a weights file of a coordinate MLP with 8 hidden units"),
};

/// The built-in learned optimizer: a coordinatewise MLP with 150 weights, meta-trained on small MNIST classifiers.
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
        const { assert!(CoordinateMlp::<8>::WEIGHTS <= 150) };
        let mut flat = [0.0; CoordinateMlp::<8>::WEIGHTS];
        tiny().write_weights(&mut flat);
        assert!(flat.iter().all(|w| w.is_finite()) && flat.iter().any(|&w| w != 0.0));
    }
}
