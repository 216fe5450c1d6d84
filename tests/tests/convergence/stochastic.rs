//! The 1/i rate on minibatches, and the noise floor of *lower*.
//!
//! SGD with lambda_i = c / (i0 + i), mu c > 1, c / i0 <= 1/L, on unbiased gradients of variance at most s^2 has
//!
//! ```text
//! E[e_{i+1}] <= (1 - mu lambda_i) E[e_i] + L lambda_i^2 s^2 / 2,    e = F - F*
//! E[e_i] <= nu / (i0 + i),    nu = max(c^2 L s^2 / (2 (mu c - 1)), i0 e_0)
//! ```
//!
//! (Bottou, Curtis, Nocedal, "Optimization methods for large-scale machine learning", 2018, theorem 4.7), and a guard that
//! keeps nothing above F(u) inherits both. One that judges on n fresh examples adds, in expectation, what wrong
//! acceptances cost: D with a chance of at most exp(-(z + D/SE)^2 / 2) / 2 for D = F(v) - F(u) > 0, if the paired
//! differences are normal. With d = |v - u|, SE <= L sigma d / sqrt(n), and D >= mu d^2 / 4 where d is more than
//! 4 sqrt(2 L e) / mu, that is in either case at most
//!
//! ```text
//! exp(-z^2 / 2) max(0.304 (L sigma / sqrt(n)) 4 sqrt(2 L e) / mu, 0.368 (4 L^2 sigma^2 / (mu n)))
//! ```
//!
//! and the *growing margin* has exp(-z_i^2 / 2) = 1 / (i + 1)^2: added to the recursion, it leaves the 1/i rate.
//! *Lower* has z = 0.

use lgl2o::guard::{Decision, LossGuard, Unguarded};
use lgl2o::rule::{Rate, Sgd};
use lgl2o::{Guard, Trainer};
use lgl2o_tests::adversary::Attack;
use lgl2o_tests::cloud::{Cloud, Fresh, Point};
use lgl2o_tests::run;
use lgl2o_tests::strategy::{is_all, seeds};

/// Examples in a batch, and batches in a check.
const BATCH: usize = 8;
const CHECKS: u32 = 8;

/// c and i0: mu c = 2, c / i0 = 1/L.
const C: f64 = 2.0;
const I0: f64 = 8.0;

const START: Point = [1.0; 4];

/// When the error is looked at.
const LOOKS: [u32; 6] = [3, 10, 30, 100, 300, 1000];

pub(crate) fn fallback() -> Sgd {
    Sgd::new(Rate::Harmonic { c: C as f32, i0: I0 as f32 })
}

/// L s^2 lambda_i^2 / 2 at the step number i.
fn noise(i: u32) -> f64 {
    let rate = C / (I0 + f64::from(i));
    0.5 * Cloud::SMOOTHNESS * rate * rate * Cloud::VARIANCE / BATCH as f64
}

/// nu / (i0 + i).
pub(crate) fn law(i: u32) -> f64 {
    let spread = C * C * Cloud::SMOOTHNESS * Cloud::VARIANCE / BATCH as f64 / (2.0 * (Cloud::MU * C - 1.0));
    spread.max(I0 * Cloud::excess(&START)) / (I0 + f64::from(i))
}

/// The recursion with what wrong acceptances cost under the growing margin, on n examples.
fn law_with_margin(looks: &[u32], n: f64) -> Vec<f64> {
    let mut error = Cloud::excess(&START);
    let last = looks.iter().copied().max().unwrap_or(0);
    let mut bounds = vec![error];
    for i in 0..last {
        let kept = (1.0 - Cloud::MU * C / (I0 + f64::from(i))) * error + noise(i);
        let l = Cloud::SMOOTHNESS;
        let near = 0.304 * l / n.sqrt() * 4.0 * (2.0 * l * kept).sqrt() / Cloud::MU;
        let far = 0.368 * 4.0 * l * l / (Cloud::MU * n);
        error = kept + near.max(far) / f64::from(i + 2).powi(2);
        bounds.push(error);
    }
    looks.iter().map(|&i| bounds[i as usize]).collect()
}

/// Mean of F - F* after so many rounds each, and its standard error, over so many runs from different seeds (see [`seeds`]).
pub(crate) fn errors(guard: &impl Guard, looks: &[u32], runs: u64, source: impl Fn(u64) -> Fresh) -> Vec<(f64, f64)> {
    let mut sums = vec![(0.0, 0.0); looks.len()];
    let seeds = seeds(runs, is_all());
    for seed in 0..seeds {
        let (mut memory, mut source, mut done) = (run::memory(&Cloud, guard, &START), source(seed), 0);
        for (look, sum) in looks.iter().zip(&mut sums) {
            for _ in done..*look {
                Trainer::new(&Cloud, guard, &mut memory).round(&mut source).unwrap();
            }
            done = *look;
            let error = Cloud::excess(memory.params());
            *sum = (sum.0 + error, sum.1 + error * error);
        }
    }
    let n = seeds as f64;
    sums.into_iter().map(|(sum, squares)| (sum / n, ((squares / n - (sum / n).powi(2)) / n).max(0.0).sqrt())).collect()
}

pub(crate) fn fresh(seed: u64) -> Fresh {
    Fresh::new(seed, BATCH)
}

fn guard(learned: Attack, decision: Decision) -> LossGuard<Attack, Sgd> {
    LossGuard::paper(learned, fallback()).batches(1, CHECKS).decision(decision)
}

fn assert_below(what: &str, errors: &[(f64, f64)], bounds: impl IntoIterator<Item = f64>) {
    for ((look, (mean, error)), bound) in LOOKS.iter().zip(errors).zip(bounds) {
        assert!(mean - 4.0 * error <= bound, "{what}: {mean} +- {error} after {look} rounds, {bound} promised");
    }
}

/// *Full objective*: E[e_i] <= nu / (i0 + i), against all attacks, in races and in strides of up to 8; four standard
/// errors of the mean over 100 runs are allowed for.
#[test]
fn the_full_objective_keeps_the_rate() {
    for learned in Attack::all(0.05) {
        let guard = guard(learned, Decision::FullObjective);
        let bounds = || LOOKS.into_iter().map(law);
        assert_below(&format!("{learned:?}"), &errors(&guard, &LOOKS, 100, fresh), bounds());
        let strides = LossGuard::new(learned, fallback()).batches(1, CHECKS).decision(Decision::FullObjective);
        let strides = strides.veto(false).stride(8).stretch(0);
        assert_below(&format!("strides, {learned:?}"), &errors(&strides, &LOOKS, 100, fresh), bounds());
    }
}

/// *Growing margin*, without trust: E[e_i] follows the recursion above, which is O(1/i), against all attacks.
#[test]
fn a_growing_margin_keeps_the_rate() {
    let bounds = law_with_margin(&LOOKS, f64::from(CHECKS) * BATCH as f64);
    for learned in Attack::all(0.05) {
        let errors = errors(&guard(learned, Decision::GrowingMargin), &LOOKS, 100, fresh);
        assert_below(&format!("{learned:?}"), &errors, bounds.iter().copied());
    }
    let [tenth, last] = [3, 5].map(|k| bounds[k] * (I0 + f64::from(LOOKS[k])));
    assert!(last < 1.2 * tenth, "the recursion is O(1/i): {tenth} after 100 rounds, {last} after 1000");
}

/// The laws are about something: SGD alone ends at a twentieth of the bound, whose constants serve all objectives, and
/// at a constant rate it breaks it, as *lower* does (see below).
#[test]
fn the_rate_can_be_missed() {
    let alone = errors(&Unguarded::new(fallback()), &LOOKS, 100, fresh);
    assert!(alone[5].0 > 0.03 * law(1000), "{} where {} is promised", alone[5].0, law(1000));
    let constant = errors(&Unguarded::new(Sgd::new(0.25)), &LOOKS, 100, fresh);
    assert!(constant[5].0 > 2.0 * law(1000), "{} where {} is promised", constant[5].0, law(1000));
}

/// Prints the errors of one guard, and returns the last.
fn measure(what: &str, guard: &impl Guard, looks: &[u32; 3]) -> [(f64, f64); 3] {
    let errors = errors(guard, looks, 40, fresh);
    println!("{what:<50} {:.4?}", errors.iter().map(|e| e.0).collect::<Vec<_>>());
    [errors[0], errors[1], errors[2]]
}

/// The noise floor of *lower*: against proposals that are no better than chance F - F* does not go to 0. At a falling
/// rate it even climbs, for the fallback makes up for ever less of it; at a constant one it stays near the floor that
/// the fallback has anyway. Prints it for all attacks: run with `--nocapture`.
#[test]
fn lower_has_a_noise_floor() {
    let looks = [100, 1000, 4000];
    println!("mean F - F* after {looks:?} rounds; nu / (i0 + i) is {:.4?}", looks.map(law));
    let rates = [(true, fallback()), (false, Sgd::new(0.1))];
    let checks = if is_all() { &[1, CHECKS][..] } else { &[1] };
    for ((falling, fallback), checks) in rates.into_iter().flat_map(|rate| checks.iter().map(move |&n| (rate, n))) {
        let rate = if falling { "falling" } else { "constant" };
        let what = format!("{rate} rate, checks on {} examples", checks * BATCH as u32);
        let [.., (alone, _)] = measure(&format!("{what}: fallback alone"), &Unguarded::new(fallback), &looks);
        let mut worst = (0.0, 0.0);
        for learned in Attack::all(0.05) {
            let guard = LossGuard::paper(learned, fallback).batches(1, checks);
            let [_, (before, _), (after, _)] = measure(&format!("  {learned:?}"), &guard, &looks);
            worst = if after > worst.0 { (after, before) } else { worst };
        }
        println!("{what}: at worst {:.2}, the fallback alone {alone:.4}", worst.0);
        if falling {
            assert!(worst.0 > 10.0 * law(4000) && worst.0 > worst.1, "{what}: {worst:?} comes down");
        } else {
            assert!(worst.0 < 3.0 * alone, "{what}: {worst:?} where the fallback alone has {alone}");
        }
    }
}

/// A margin that does not grow lowers the floor and does not end it: *margin 2*, without trust, at the falling rate.
#[test]
fn a_fixed_margin_lowers_the_floor() {
    let looks = [100, 1000, 4000];
    let [.., (alone, _)] = measure("fallback alone", &Unguarded::new(fallback()), &looks);
    for (checks, most) in [(1, 0.3), (CHECKS, 0.03)].into_iter().take(if is_all() { 2 } else { 1 }) {
        let mut worst = 0.0f64;
        for learned in Attack::all(0.05) {
            let guard = guard(learned, Decision::Margin { z: 2.0 }).batches(1, checks);
            let [.., (after, _)] = measure(&format!("  {learned:?}"), &guard, &looks);
            worst = worst.max(after);
        }
        println!("margin 2, checks on {} examples: at worst {worst:.4}", checks * BATCH as u32);
        assert!(worst < most && worst > 5.0 * alone, "{checks} check batches: {worst}");
    }
}
