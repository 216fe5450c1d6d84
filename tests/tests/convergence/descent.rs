//! Objectives that are only Polyak-Lojasiewicz, and some that are not even that.
//!
//! Whatever is proposed, F never rises, and summing F(w_{i+1}) <= F(w_i) - kappa |grad F(w_i)|^2 over a run gives
//!
//! ```text
//! sum_i |grad F(w_i)|^2 <= (F(w_0) - F_inf) / (lambda (1 - lambda L / 2))
//! ```
//!
//! for any L-smooth F that is bounded below (Nesterov 2018, section 1.2.3): the smallest gradient falls as 1/sqrt(k).

use lgl2o::batch::Batch;
use lgl2o::guard::{Decision, LossGuard, Unguarded};
use lgl2o::objective::Objective;
use lgl2o::objective::mlp::{Activation, Shape};
use lgl2o::rule::Armijo;
use lgl2o_tests::adversary::Attack;
use lgl2o_tests::known::{self, Degenerate, Known, Rosenbrock, UNIT, Wells, flat, norm};
use lgl2o_tests::reference::losses::{Mlp64, Oracle, Targets64, widen};
use lgl2o_tests::task::{BATCH, Data, SmallMlp, Whole, small_mlp, start};
use lgl2o_tests::{cases, run};
use proptest::prelude::*;

use crate::law::{Setting, setting};

proptest! {
    #![proptest_config(cases!(2000, "convergence/descent"))]

    /// The theorem on least squares of deficient rank, 6 equations in 10 unknowns, conditions up to 1000.
    #[test]
    fn every_round_contracts_on_a_degenerate_quadratic(
        seed: u64,
        smoothness in -2f64..2.0,
        condition in 0f64..3.0,
        setting in setting(),
    ) {
        let problem = Degenerate::<6, 10>::random(seed, 10f64.powf(smoothness), 10f64.powf(condition));
        assert_theorem_and_sum(&problem, setting, 15);
    }

    /// The theorem on w^2 + 3 sin^2 w, which is not convex.
    #[test]
    fn every_round_contracts_where_nothing_is_convex(seed: u64, setting in setting()) {
        let problem = Wells::<3>::random(seed);
        assert_theorem_and_sum(&problem, setting, 15);
    }

    /// Descent, and the sum of the squared gradients, in Rosenbrock's valley.
    #[test]
    fn every_round_descends_in_rosenbrocks_valley(x in -1.5f32..1.5, off in -0.5f32..0.5, setting in setting()) {
        let problem = Rosenbrock::from([x, x * x + off]);
        assert_theorem_and_sum(&problem, setting, 15);
    }
}

/// The theorem in every round of a run, that no round climbs, and the sum over all of them, against all attacks.
fn assert_theorem_and_sum(problem: &impl Known, setting: Setting, rounds: u32) {
    let kappa = known::kappa(problem, setting.rate(problem));
    for learned in Attack::all(1.0 / problem.smoothness() as f32) {
        let (mut squares, mut rounding, mut first, mut last) = (0.0, 0.0, None, 0.0);
        setting.run(problem, learned, rounds, |round, _| {
            assert!(round.excess() <= 0.0, "{learned:?}, {setting:?}: {:e}, {round:?}", round.excess());
            assert!(round.after <= round.before + round.rounding, "{learned:?}, {setting:?} climbs: {round:?}");
            squares += round.decrease / kappa;
            rounding += round.rounding;
            first.get_or_insert(round.before);
            last = round.after;
            true
        });
        let bound = (first.unwrap_or(0.0) - last + rounding) / kappa;
        assert!(squares <= bound, "{learned:?}, {setting:?}: {squares} above {bound}");
    }
}

/// Karimi, Nutini and Schmidt's constant: |F'|^2 >= 2 F / 32 on a grid that is fine for a function of this curvature,
/// and not with 2 F / 2.
#[test]
fn the_wells_have_the_stated_constant() {
    let problem = Wells::<1>::random(0);
    let grid = || (-80_000..=80_000).map(|i| f64::from(i) * 1e-4);
    let ratio = |w: f64| problem.slope(&[w])[0].powi(2) / (2.0 * problem.excess(&[w]));
    let least = grid().filter(|w| *w != 0.0).map(ratio).fold(f64::INFINITY, f64::min);
    assert!(least >= problem.mu() && least < 0.5, "{least}");
}

/// The loss of [`small_mlp`] on a batch in double precision.
fn network64(data: &Data) -> Mlp64 {
    let layer = |inputs, outputs, activation| Shape { inputs, outputs, activation };
    Mlp64 {
        layers: vec![layer(2, 8, Activation::Tanh), layer(8, 2, Activation::Identity)],
        inputs: data.inputs.chunks(2).map(|x| x.iter().map(|&x| f64::from(x)).collect()).collect(),
        targets: Targets64::Classes(data.labels.clone()),
    }
}

/// A perceptron with tanh units, whose L nobody knows: with Armijo backtracking from the largest rate in every round,
/// F(w') <= F(w) - slope t |grad F(w)|^2, t the rate that is accepted at w, so F never rises and
/// sum slope t_i |grad F(w_i)|^2 <= F(w_0). Losses are right within 64 units (`gradients.rs`).
#[test]
fn a_perceptron_descends_as_armijo_promises() {
    let (objective, data) = (small_mlp(), Data::disk(BATCH, 4));
    let double = network64(&data);
    let mut source = Whole(Batch::classes(&data.inputs, 2, &data.labels));
    let fallback = Armijo { growth: 1e30, ..Armijo::new(8.0).unwrap() };
    for (learned, seed) in Attack::all(0.3).flat_map(|a| [1, 2, 3].map(|s| (a, s))) {
        let initial = start(&objective, seed);
        let guard = LossGuard::paper(learned, fallback).batches(1, 1).decision(Decision::FullObjective);
        let mut memory = run::memory(&objective, &guard, &initial);
        let (mut sum, first) = (0.0, double.loss(&widen(&initial)));
        for _ in 0..40 {
            let w = memory.params().clone();
            lgl2o::Trainer::new(&objective, &guard, &mut memory).round(&mut source).unwrap();
            let (before, after) = (double.loss(&widen(&w)), double.loss(&widen(memory.params())));
            let gradient = double.gradient(&widen(&w)).concat();
            let rate = accepted_rate(&objective, fallback, &w, &mut source, norm(&gradient));
            let decrease = f64::from(fallback.slope) * rate * gradient.iter().map(|g| g * g).sum::<f64>();
            let rounding = 4.0 * 64.0 * UNIT * (1.0 + before) + 1e-4 * decrease;
            assert!(after <= before - decrease + rounding, "{learned:?}: {after} from {before}, {decrease} promised");
            sum += decrease - rounding;
        }
        assert!(sum <= first, "{learned:?}: {sum} above {first}");
    }
}

/// The rate that the search accepts at w: the length of its step over that of the gradient.
fn accepted_rate(
    objective: &SmallMlp,
    fallback: Armijo,
    w: &<SmallMlp as Objective>::Params,
    source: &mut Whole<'_>,
    gradient: f64,
) -> f64 {
    let u = run::rounds(objective, &Unguarded::new(fallback), source, w, 1).unwrap().params;
    let step: Vec<f64> = flat(&u).iter().zip(flat(w)).map(|(u, w)| u - w).collect();
    norm(&step) / gradient
}
