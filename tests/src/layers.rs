//! Parameters of two layers, and runs on them: what the rules that look at layers are tested with.

use lgl2o::rule::{NoProbe, Rule};
use proptest::collection::vec;
use proptest::prelude::*;

/// Two layers, of 9 and of 3 numbers, so that a block of lanes and a tail occur.
pub type Two = ([f32; 9], [f32; 3]);
/// A start of 12 numbers, and gradients with losses.
pub type Steps = (Vec<f32>, Vec<(Vec<f32>, f32)>);

/// Both layers from 12 numbers.
#[must_use]
pub fn params(w: &[f32]) -> Two {
    (std::array::from_fn(|i| w[i]), std::array::from_fn(|i| w[9 + i]))
}

/// Runs of up to 7 steps; no gradient is next to zero, where directions say nothing.
pub fn runs() -> impl Strategy<Value = Steps> {
    let number = || prop_oneof![0.01f32..3.0, -3.0f32..-0.01];
    (vec(number(), 12), vec((vec(number(), 12), 0.05f32..4.0), 1..8))
}

/// The parameters along a run whose loss is multiplied by a factor, and whose layers' weights are by others; in the units of
/// the original.
pub fn path<R: Rule>(rule: &R, run: &Steps, loss_factor: f32, units: [f32; 2]) -> Vec<f32> {
    let (mut w, mut all) = (params(&run.0), Vec::new());
    w.0.iter_mut().for_each(|w| *w *= units[0]);
    w.1.iter_mut().for_each(|w| *w *= units[1]);
    let mut state = rule.state(&w);
    for (g, loss) in &run.1 {
        let mut g = params(g);
        g.0.iter_mut().for_each(|g| *g *= loss_factor / units[0]);
        g.1.iter_mut().for_each(|g| *g *= loss_factor / units[1]);
        rule.step(&mut state, &mut w, &g, loss * loss_factor, &mut NoProbe);
        all.extend(w.0.iter().map(|w| w / units[0]).chain(w.1.iter().map(|w| w / units[1])));
    }
    all
}
