//! When the relay asks its fallback for shorter steps, and what a rule makes of that.

use std::cell::Cell;

use lgl2o::fault::Flipping;
use lgl2o::guard::RelayGuard;
use lgl2o::objective::Quadratic;
use lgl2o::rule::{Clipped, Decayed, Ngn, NoProbe, Penalized, Probe, Sgd, State};
use lgl2o::source::Exact;
use lgl2o::tensors::Tensors;
use lgl2o::{Rule, Trainer};
use lgl2o_tests::{bits, run};

use crate::decisions::GoTo;

/// Gradient descent that counts how often it is asked for shorter steps.
struct Asked<'a> {
    rule: Sgd,
    times: &'a Cell<u32>,
}

impl Rule for Asked<'_> {
    type State<P: Tensors> = State<P, 0>;
    fn state<P: Tensors>(&self, like: &P) -> State<P, 0> {
        self.rule.state(like)
    }
    fn step<P: Tensors>(&self, state: &mut State<P, 0>, w: &mut P, g: &P, loss: f32, probe: &mut impl Probe<P>) {
        self.rule.step(state, w, g, loss, probe);
    }
    fn observe<P: Tensors>(&self, state: &mut State<P, 0>, w: &P, g: &P, loss: f32) {
        self.rule.observe(state, w, g, loss);
    }
    fn shorten<P: Tensors>(&self, _: &mut State<P, 0>) {
        self.times.set(self.times.get() + 1);
    }
}

/// A rule that keeps its steps as they are.
#[derive(Clone, Copy)]
pub(crate) struct Unmoved<R>(pub(crate) R);

impl<R: Rule> Rule for Unmoved<R> {
    type State<P: Tensors> = R::State<P>;
    fn has_gradient_point(&self) -> bool {
        self.0.has_gradient_point()
    }
    fn gradient_point<'s, P: Tensors>(&self, state: &'s R::State<P>) -> Option<&'s P> {
        self.0.gradient_point(state)
    }
    fn moved<P: Tensors>(&self, state: &mut R::State<P>) {
        self.0.moved(state);
    }
    fn state<P: Tensors>(&self, like: &P) -> R::State<P> {
        self.0.state(like)
    }
    fn step<P: Tensors>(&self, state: &mut R::State<P>, w: &mut P, g: &P, loss: f32, probe: &mut impl Probe<P>) {
        self.0.step(state, w, g, loss, probe);
    }
    fn observe<P: Tensors>(&self, state: &mut R::State<P>, w: &P, g: &P, loss: f32) {
        self.0.observe(state, w, g, loss);
    }
}

/// How often the fallback was asked, and how many windows it had: on w^2 / 2 from 1, after a learned side that goes to a point
/// and stands there.
fn asked(stands_at: f32, rate: f32, rounds: u32) -> (u32, u32) {
    let (objective, times) = (Quadratic::new([1.0], [0.0]).unwrap(), Cell::new(0));
    let fallback = Asked { rule: Sgd::new(rate), times: &times };
    let guard = RelayGuard::new(GoTo(stands_at), fallback).race(3).hand_over(6).exact(true);
    let mut memory = run::memory(&objective, &guard, &[1.0]);
    while !memory.guard().is_handed_over() {
        Trainer::new(&objective, &guard, &mut memory).round(&mut Exact).unwrap();
    }
    assert_eq!(times.get(), 0, "before the hand-over");
    let windows = (0..rounds).filter(|_| {
        let verdict = Trainer::new(&objective, &guard, &mut memory).round(&mut Exact).unwrap();
        verdict.fallback_loss.is_some()
    });
    (windows.count() as u32, times.get())
}

/// As long as the loss falls, nobody is asked; a fallback that stands, climbs, or has solved its task is asked after each window.
#[test]
fn a_fallback_that_gains_nothing_is_asked_for_shorter_steps() {
    assert_eq!(asked(0.9, 1e-3, 12), (12, 0), "gains");
    assert_eq!(asked(0.9, 1e-30, 12), (12, 12), "stands");
    assert_eq!(asked(0.9, 2.01, 5), (5, 5), "climbs");
    let (windows, times) = asked(0.03, 1e-3, 12);
    assert!(windows > 5 && times == windows, "solved: {times} of {windows}");
}

/// Told k times, NGN steps as if the loss were 2^k times smaller, bit for bit; 20 times are the most, and a reset forgets them.
#[test]
fn shorter_steps_of_ngn_are_those_of_half_the_loss() {
    let (rule, start, gradient) = (Ngn::new(), [0.5f32, -1.0], [0.25f32, 0.75]);
    let end = |rule: &Ngn, times: u32, loss: f32| {
        let (mut w, mut state) = (start, rule.state(&start));
        (0..times).for_each(|_| rule.shorten(&mut state));
        (0..3).for_each(|_| rule.step(&mut state, &mut w, &gradient, loss, &mut NoProbe));
        bits::of(&w)
    };
    for times in 0..=20 {
        assert_eq!(end(&rule, times, 0.7), end(&rule, 0, 0.7 / 2f32.powi(times as i32)), "{times}");
    }
    assert_eq!(end(&rule, 21, 0.7), end(&rule, 20, 0.7));
    assert_ne!(end(&rule, 1, 0.7), end(&rule, 0, 0.7), "a loss that does not bound the step shows nothing");
}

/// Whatever is around a rule passes the request on.
#[test]
fn a_rule_around_another_passes_the_request_on() {
    fn each<R: Rule>(what: &str, rule: R) {
        let start = [0.5f32, -1.0];
        let end = |times: u32| {
            let (mut w, mut state) = (start, rule.state(&start));
            (0..times).for_each(|_| rule.shorten(&mut state));
            rule.step(&mut state, &mut w, &[0.25, 0.75], 0.7, &mut NoProbe);
            (w[0] - start[0]).abs()
        };
        assert!(end(3) < end(0), "{what}: {} after {}", end(3), end(0));
    }
    each("itself", Ngn::new());
    each("averaged", Ngn::new().averaged());
    each("clipped", Clipped::new(Ngn::new(), 1.0));
    each("decayed", Decayed::new(Ngn::new(), 0.0));
    each("penalized", Penalized::new(Ngn::new(), 0.0));
    each("flipping", Flipping { rule: Ngn::new(), count: 0, seed: 1 });
    each::<&Ngn>("reference", &Ngn::new());
}
