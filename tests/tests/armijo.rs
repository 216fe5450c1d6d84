//! Armijo backtracking: by hand, and its promises on quadratics whatever their constants are.

use lgl2o::objective::Quadratic;
use lgl2o::rule::{Armijo, NoProbe, Probe, Rule};
use lgl2o::tensors::Tensors;
use lgl2o_tests::reference::losses::{Quadratic64, wide};
use lgl2o_tests::{bits, cases, strategy};
use proptest::prelude::*;

type Pair = ([f32; 1], [f32; 1]);

/// F(a, b) = (4 a^2 + b^2) / 2, counting how often it is asked.
#[derive(Default)]
struct Counting {
    asked: u32,
}

impl Probe<Pair> for Counting {
    fn loss(&mut self, &([a], [b]): &Pair) -> f32 {
        self.asked += 1;
        0.5 * (4.0 * a * a + b * b)
    }
}

/// One step from w; returns how often F was asked.
fn step(rule: &Armijo, state: &mut <Armijo as Rule>::State<Pair>, w: &mut Pair) -> u32 {
    let mut probe = Counting::default();
    let loss = probe.loss(w);
    probe.asked = 0;
    let gradient = ([4.0 * w.0[0]], [w.1[0]]);
    rule.step(state, w, &gradient, loss, &mut probe);
    probe.asked
}

/// largest = 1, slope = 1/4, shrink = 1/2, growth = 2, from (1, 2):
///
/// 1. F = 4, g = (4, 2), |g|^2 = 20. Rate 1: F(-3, 0) = 18 > 4 - 5. Rate 1/2: F(-1, 1) = 5/2 > 4 - 5/2. Rate 1/4:
///    F(0, 3/2) = 9/8 <= 4 - 5/4.
/// 2. First rate 2 / 4 = 1/2: F(0, 3/4) = 9/32 <= 9/8 - 9/32.
/// 3. First rate 1, no more than the largest: F(0, 0) = 0 <= 9/32 - 9/64.
#[test]
fn three_searches_by_hand() {
    let rule = Armijo { slope: 0.25, growth: 2.0, ..Armijo::new(1.0).unwrap() };
    let mut w = ([1.0], [2.0]);
    let mut state = rule.state(&w);
    assert_eq!((step(&rule, &mut state, &mut w), w, state.memo), (3, ([0.0], [1.5]), 0.25));
    assert_eq!((step(&rule, &mut state, &mut w), w, state.memo), (1, ([0.0], [0.75]), 0.5));
    assert_eq!((step(&rule, &mut state, &mut w), w, state.memo), (1, ([0.0], [0.0]), 1.0));
}

/// With the budget spent the step is zero, bit for bit, negative zeros and all; the next search begins as this one did.
#[test]
fn a_spent_budget_is_a_zero_step() {
    for trials in [0, 1, 2] {
        let rule = Armijo { slope: 0.25, trials, ..Armijo::new(1.0).unwrap() };
        let start = ([1.0], [2.0]);
        let (mut w, mut state) = (start, rule.state(&start));
        assert_eq!(step(&rule, &mut state, &mut w), trials);
        assert_eq!((bits::of(&w), state.memo, state.steps), (bits::of(&start), 0.0, 1));
    }
    let start = ([-0.0], [1e-45]);
    let (mut w, rule) = (start, Armijo::new(1.0).unwrap());
    rule.step(&mut rule.state(&start), &mut w, &([1.0], [1.0]), 0.0, &mut NoProbe);
    assert_eq!(bits::of(&w), bits::of(&start));
}

/// A probe that finds no finite loss anywhere.
struct Cliff;

impl Probe<Pair> for Cliff {
    fn loss(&mut self, _: &Pair) -> f32 {
        f32::INFINITY
    }
}

/// A point whose loss is infinite is never accepted, not even from one whose loss is infinite as well: "not more than
/// infinity" is no decrease.
#[test]
fn an_infinite_loss_is_no_decrease() {
    let start = ([1.0], [2.0]);
    for loss in [4.0, f32::MAX, f32::INFINITY] {
        let (mut w, rule) = (start, Armijo::new(1.0).unwrap());
        rule.step(&mut rule.state(&start), &mut w, &([1.0], [1.0]), loss, &mut Cliff);
        assert_eq!(bits::of(&w), bits::of(&start), "from a loss of {loss}");
    }
}

/// Settings out of range are refused.
#[test]
fn the_largest_rate_is_positive_and_finite() {
    for largest in [0.0, -1.0, f32::NAN, f32::INFINITY] {
        assert!(Armijo::new(largest).is_err());
    }
}

/// A quadratic as probe, asked like the crate's own: infinite where it is not finite.
struct Ask<'a>(&'a Quadratic64, u32);

impl Probe<[f32; 4]> for Ask<'_> {
    fn loss(&mut self, w: &[f32; 4]) -> f32 {
        self.1 += 1;
        let loss = self.0.value(&wide(w)) as f32;
        if loss.is_finite() { loss } else { f32::INFINITY }
    }
}

proptest! {
    #![proptest_config(cases!(400, "armijo"))]

    /// On quadratics with L from 1e-3 to 1e3, unknown to the rule: an accepted step satisfies
    /// F(w - rate g) <= F(w) - slope rate |g|^2, it moves along -g, its rate is within the bounds of the search, at
    /// least shrink 2 (1 - slope) / L or the first one tried (Armijo 1966), and at most `trials` points are asked for.
    #[test]
    fn accepted_steps_decrease_enough(
        scale in -3f32..3.0,
        spectrum in prop::array::uniform4(0.01f32..1.0),
        normal in prop::array::uniform4(strategy::number()),
        start in prop::array::uniform4(-4f32..4.0),
    ) {
        let spectrum = spectrum.map(|h| h * 10f32.powf(scale));
        let smoothness = Quadratic::new(spectrum, [0.0; 4]).unwrap().smoothness();
        let oracle = Quadratic64 { spectrum: wide(&spectrum), minimiser: vec![0.0; 4], normal: wide(&normal) };
        let (mut w, rule) = (start, Armijo::new(10.0).unwrap());
        let mut state = rule.state(&w);
        for _ in 0..8 {
            let (before, first) = (w, if state.memo > 0.0 { (1.1 * state.memo).min(10.0) } else { 10.0 });
            let gradient: [f32; 4] = core::array::from_fn(|i| oracle.slope(&wide(&before))[i] as f32);
            let mut probe = Ask(&oracle, 0);
            let loss = probe.loss(&before);
            rule.step(&mut state, &mut w, &gradient, loss, &mut probe);
            // F - F* below the rounding of F(w): nothing can be told any more.
            if oracle.value(&wide(&before)) < 1e-12 {
                break;
            }
            let (rate, square) = (state.memo, gradient.squares());
            prop_assert!(probe.1 - 1 <= rule.trials);
            let least = 0.999 * rule.shrink * 2.0 * (1.0 - rule.slope) / smoothness;
            prop_assert!(rate <= first && rate >= first.min(least));
            let moved: [f32; 4] = core::array::from_fn(|i| before[i] - rate * gradient[i]);
            prop_assert_eq!(bits::of(&w), bits::of(&moved));
            prop_assert!(oracle.value(&wide(&w)) as f32 <= loss - rule.slope * rate * square);
        }
    }
}
