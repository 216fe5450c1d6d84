//! Comparisons that stop early: when they stop, and how often they are wrong.
//!
//! On loss_s(w) = a_s w with the fallback's candidate at 0 and the learned one at 1, so that a_s is the paired
//! difference of example s.

use lgl2o::guard::{Decision, LossGuard};
use lgl2o::source::Source;
use lgl2o::{Error, Rng, Trainer, Verdict, Winner};
use lgl2o_tests::{cases, run};
use proptest::prelude::*;

use crate::decisions::{Batches, GoTo, Lines};

/// Both candidates under a decision, with n_c check batches at most.
fn guard(decision: Decision, looks: usize, early_stop: f32) -> LossGuard<GoTo, GoTo> {
    let guard = LossGuard::paper(GoTo(1.0), GoTo(0.0)).batches(1, looks as u32).decision(decision);
    guard.early_stop(early_stop)
}

/// A round on these check batches, and how many of them it has drawn.
fn judged(guard: &LossGuard<GoTo, GoTo>, checks: &[Vec<f32>]) -> (Verdict, usize) {
    let mut source = Batches { train: &[1.0], checks, next: 0 };
    let mut memory = run::memory(&Lines, guard, &[0.0]);
    let verdict = Trainer::new(&Lines, guard, &mut memory).round(&mut source).unwrap();
    (verdict, source.next)
}

/// A distribution of differences.
type Shape = fn(&mut Rng) -> f32;

/// Differences drawn at random.
struct Draws {
    rng: Rng,
    shape: Shape,
    mean: f32,
    spread: f32,
    batch: Vec<f32>,
}

impl Source<Lines> for Draws {
    fn train(&mut self) -> Result<&[f32], Error> {
        Ok(&[1.0])
    }
    fn check(&mut self) -> Result<&[f32], Error> {
        for a in &mut self.batch {
            *a = self.mean + self.spread * (self.shape)(&mut self.rng);
        }
        Ok(&self.batch)
    }
}

const TRIALS: u32 = 4000;

impl Draws {
    fn new(size: usize, shape: Shape, mean: f32, spread: f32) -> Self {
        Self { rng: Rng::new(11), shape, mean, spread, batch: vec![0.0; size] }
    }

    /// In which share of the trials the learned candidate is accepted.
    fn accepted(mut self, guard: &LossGuard<GoTo, GoTo>) -> f64 {
        let mut memory = run::memory(&Lines, guard, &[0.0]);
        for _ in 0..TRIALS {
            Trainer::new(&Lines, guard, &mut memory).round(&mut self).unwrap();
        }
        f64::from(memory.progress().learned) / f64::from(TRIALS)
    }
}

/// P(T > z) for Student's t with these degrees of freedom: the density's integral from z on by midpoints, over that
/// from 0 on, halved.
fn tail(z: f64, freedom: f64) -> f64 {
    const STEP: f64 = 1e-3;
    let density = |t: f64| (1.0 + t * t / freedom).powf(-0.5 * (freedom + 1.0));
    let from = |z: f64| (0..40_000).map(|i| density(z + (f64::from(i) + 0.5) * STEP)).sum::<f64>();
    0.5 * from(z) / from(0.0)
}

/// Four standard deviations of a share that is p in truth.
fn noise(p: f64) -> f64 {
    4.0 * (p * (1.0 - p) / f64::from(TRIALS)).sqrt()
}

/// The chance of accepting a proposal that is not better, with looks after every batch of n examples.
///
/// At look j the guard has N = j n differences of mean 0 (or above), and D / SE is Student's t with N - 1 degrees of
/// freedom if they are normal. Accepting needs D < -z SE at some look, the one that it stops at, so the chance is at
/// most the sum over all looks of P(t_{j n - 1} < -z); and at least that of the first look, since there it stops if
/// D < -z SE. With one look both are the same. For z = 2 and ten looks the sum is 0.24, for z = 3 it is 0.018; without
/// a margin the chance is 1/2 whatever the looks.
fn bounds(z: f32, size: usize, looks: usize) -> [f64; 2] {
    let at = |look: usize| tail(z.into(), (look * size) as f64 - 1.0);
    let (first, all) = (at(1), (1..=looks).map(at).sum::<f64>());
    [first - noise(first), all + noise(all)]
}

/// Normal differences, whatever their spread.
#[test]
fn wrong_acceptances_stay_below_the_sum_over_looks() {
    for (size, looks, z) in
        [32, 128].into_iter().flat_map(|s| [(s, 1), (s, 3), (s, 10)]).flat_map(|(s, l)| [2.0, 3.0].map(|z| (s, l, z)))
    {
        let [low, high] = bounds(z, size, looks);
        for spread in if size > 32 { &[1.0][..] } else { &[0.01, 1.0, 300.0] } {
            let share =
                |mean: f32, decision| Draws::new(size, Rng::normal, mean, *spread).accepted(&guard(decision, looks, z));
            let what = format!("{looks} looks at {size}, z = {z}, spread {spread}");
            let equal = share(0.0, Decision::Margin { z });
            assert!((low..=high).contains(&equal), "{what}: {equal}, not from {low} to {high}");
            let worse = share(0.1 * spread, Decision::Margin { z });
            assert!(worse < high, "{what}: a worse one in {worse}, above {high}");
            let careless = share(0.0, Decision::Lower);
            assert!(careless > high, "{what}: without a margin {careless}, and {high} would not notice");
        }
    }
}

/// Differences that are not normal: flat ones; heavy tails; and mostly none, as where two candidates answer most
/// examples alike. The bound is that of the normal ones, which holds for symmetric differences but for a rest that
/// vanishes with the size of the batch; the looks, far from independent, leave room for it.
#[test]
fn wrong_acceptances_are_rare_whatever_the_shape() {
    let shapes: [(&str, Shape); 3] = [
        ("flat", |rng| rng.range(-1.0, 1.0)),
        ("heavy", |rng| rng.normal() * rng.normal() * rng.normal()),
        ("sparse", |rng| if rng.below(4) == 0 { rng.normal() } else { 0.0 }),
    ];
    for ((name, shape), z) in shapes.into_iter().flat_map(|s| [2.0, 3.0].map(|z| (s, z))) {
        let share = Draws::new(32, shape, 0.0, 1.0).accepted(&guard(Decision::Margin { z }, 10, z));
        let [_, high] = bounds(z, 32, 10);
        assert!(share > 0.0 && share < high, "{name}, z = {z}: {share}, above {high}");
    }
}

/// What no margin sees: a proposal that is a little better on most examples and ruins the others. It is accepted where
/// the first batch holds none of those, whatever z; where all batches are drawn, all of them must hold none.
#[test]
fn a_rare_ruin_is_overlooked_by_whom_it_does_not_meet() {
    // One example in ten is ruined: 0.9^32 = 0.034 where the first batch decides, 0.9^320 = 2e-15 where ten do.
    let ruin: Shape = |rng| if rng.below(10) == 0 { 1000.0 } else { rng.range(-2.0, -1.0) };
    let unseen = 0.9f64.powi(32);
    for z in [2.0, 3.0] {
        let decision = Decision::Margin { z };
        let early = Draws::new(32, ruin, 0.0, 1.0).accepted(&guard(decision, 10, z));
        assert!((early - unseen).abs() < noise(unseen), "z = {z}: {early} where {unseen} is due");
        assert_eq!(Draws::new(32, ruin, 0.0, 1.0).accepted(&guard(decision, 10, 0.0)), 0.0, "z = {z}");
    }
}

/// n / 2 differences of mean - 1 and of mean + 1: their standard error is 1 / sqrt(n - 1).
fn pairs(mean: f32, n: usize) -> Vec<f32> {
    (0..n).map(|s| if s % 2 == 0 { mean - 1.0 } else { mean + 1.0 }).collect()
}

/// A difference of several standard errors, either way, is seen in the first batch; one of just less than z takes two,
/// since two batches have a smaller standard error; none at all takes all of them.
#[test]
fn clear_differences_stop_at_once() {
    let decisions = |z| [Decision::Lower, Decision::Margin { z }];
    for (z, decision) in [1.0f32, 2.0, 3.0].into_iter().flat_map(|z| decisions(z).map(|d| (z, d))) {
        let error = 1.0 / 31f32.sqrt();
        for (errors, drawn) in [(4.0, 1), (1.01 * z, 1), (0.99 * z, 2), (0.0, 10)] {
            for sign in [-1.0, 1.0] {
                let checks = vec![pairs(sign * errors * error, 32); 10];
                let (verdict, found) = judged(&guard(decision, 10, z), &checks);
                let what = format!("{decision:?}, z = {z}, {sign} times {errors} standard errors");
                assert_eq!((found, verdict.spent.forwards), (drawn, 2 * 32 * drawn as u64), "{what}");
                let better = sign < 0.0 && errors > 0.0;
                assert_eq!(verdict.winner, if better { Winner::Learned } else { Winner::Fallback }, "{what}");
            }
        }
    }
}

/// What never stops early: a guard that is told not to, the decisions that are not about a difference of samples, and a
/// comparison whose spread is not known yet: of one example, or of differences that are all the same.
#[test]
fn some_comparisons_draw_everything() {
    let clear = vec![pairs(-8.0, 32); 5];
    assert_eq!(judged(&guard(Decision::Margin { z: 2.0 }, 5, 2.0), &clear).1, 1, "the witness");
    assert_eq!(judged(&guard(Decision::Margin { z: 2.0 }, 5, 0.0), &clear).1, 5);
    assert_eq!(judged(&guard(Decision::SufficientDecrease { kappa: 0.0 }, 5, 2.0), &clear).1, 5);
    let (verdict, _) = judged(&guard(Decision::FullObjective, 1, 2.0), &clear);
    assert_eq!(verdict.spent.forwards, 2 * 32 * 5);
    assert_eq!(judged(&guard(Decision::Lower, 5, 2.0), &vec![vec![-0.5; 4]; 5]).1, 5);
    let single = [vec![-8.0], vec![-8.5], vec![-7.5]];
    assert_eq!(judged(&guard(Decision::Lower, 3, 2.0), &single).1, 2);
    // Of 0 and 2 the mean is 1, and so is its standard error: not beyond it.
    for difference in [-2.0, 2.0] {
        assert_eq!(judged(&guard(Decision::Lower, 3, 1.0), &vec![vec![0.0, difference]; 3]).1, 2);
    }
}

proptest! {
    #![proptest_config(cases!(500, "guard_laws/early_stop"))]

    /// A comparison stops at the first batch after which |D| > z SE(D) over all examples so far, and not before; what
    /// it then says is about those examples.
    #[test]
    fn it_stops_at_the_first_clear_difference(
        shift in -0.5f32..0.5,
        checks in prop::collection::vec(prop::collection::vec(-1f32..1.0, 2..=8), 1..9),
        z in 0.1f32..4.0,
    ) {
        let checks: Vec<Vec<f32>> = checks.iter().map(|b| b.iter().map(|a| a + shift).collect()).collect();
        let (mut seen, mut drawn, mut moments) = (Vec::new(), 0, (0.0, 0.0));
        for batch in &checks {
            seen.extend(batch.iter().map(|&a| f64::from(a)));
            drawn += 1;
            let n = seen.len() as f64;
            let mean = seen.iter().sum::<f64>() / n;
            let scatter = seen.iter().map(|a| (a - mean) * (a - mean)).sum::<f64>();
            moments = (mean, (scatter / ((n - 1.0) * n)).sqrt());
            let spare = mean.abs() - f64::from(z) * moments.1;
            prop_assume!(spare.abs() > 1e-5 && moments.1 > 1e-3);
            if spare > 0.0 {
                break;
            }
        }
        let (verdict, found) = judged(&guard(Decision::Margin { z }, checks.len(), z), &checks);
        prop_assert_eq!(found, drawn);
        prop_assert_eq!(verdict.winner == Winner::Learned, moments.0 < -f64::from(z) * moments.1);
        prop_assert!((f64::from(verdict.learned_loss.unwrap()) - moments.0).abs() < 1e-5);
        prop_assert!((f64::from(verdict.standard_error) - moments.1).abs() < 1e-5);
    }
}
