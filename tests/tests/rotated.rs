//! Rules in the eigenbases of the gradients' second moments.

use lgl2o::batch::Batch;
use lgl2o::fault::Flipping;
use lgl2o::guard::Unguarded;
use lgl2o::objective::mlp::{Dense, Fixed, Loss, Mlp, Tanh};
use lgl2o::objective::{Blank, Objective};
use lgl2o::rule::{
    Adam, Armijo, Clipped, Decayed, Momentum, Nesterov, Ngn, NoProbe, Penalized, Rotated, Rule, RuleState, Sgd,
};
use lgl2o::source::Sampler;
use lgl2o::tensors::Tensors;
use lgl2o::{Error, Rng, chain, learned};
use lgl2o_tests::task::{Data, Whole, small_mlp, start};
use lgl2o_tests::{bits, cases, run};
use proptest::prelude::*;

/// Where some steps on minibatches lead, and the state.
fn walk<R: Rule>(rule: &R, seed: u64, steps: usize) -> (Params, R::State<Params>) {
    let objective = small_mlp();
    let (mut params, data) = (start(&objective, seed), Data::disk(64, seed));
    let (mut state, mut gradient) = (rule.state(&params), objective.blank_params());
    let (mut scratch, mut losses) = (objective.blank_scratch(), objective.blank_losses());
    for i in 0..steps {
        let at = 8 * (i % 8);
        let batch = Batch::classes(&data.inputs[2 * at..2 * at + 16], 2, &data.labels[at..at + 8]);
        objective.gradient(&mut scratch, &params, batch, &mut losses, &mut gradient).unwrap();
        rule.step(&mut state, &mut params, &gradient, 0.5, &mut NoProbe);
    }
    (params, state)
}

type Params = <lgl2o_tests::task::SmallMlp as Objective>::Params;

proptest! {
    #![proptest_config(cases!(40, "rotated"))]

    /// What moves by sums of gradients does not see the bases: gradient descent and both momenta go where they go without them. So the way in,
    /// the way back and the turn of the velocities fit together.
    #[test]
    fn linear_rules_go_where_they_go_without(seed in 0u64..10_000, steps in 1usize..200) {
        fn compare<R: Rule + Copy>(rule: R, seed: u64, steps: usize) -> Result<(), TestCaseError> {
            let ((plain, _), (rotated, _)) = (walk(&rule, seed, steps), walk(&Rotated::new(rule), seed, steps));
            let apart = plain.squared_distance(&rotated).sqrt();
            prop_assert!(apart < 2e-4, "{apart} apart after {steps} steps");
            Ok(())
        }
        compare(Sgd::new(0.1), seed, steps)?;
        compare(Momentum::new(0.05), seed, steps)?;
        compare(Nesterov::new(0.05), seed, steps)?;
    }

    /// Vectors stay orthonormal.
    #[test]
    fn bases_stay_orthonormal(seed in 0u64..10_000) {
        let (_, state) = walk(&Rotated::new(Adam::new(0.03)), seed, 2000);
        let vectors = &state.bases.slots[0];
        let mut turned = 0;
        for i in 0..vectors.count() {
            let (basis, side) = (vectors.tensor(i), vectors.tensor(i).len().isqrt());
            turned += usize::from(basis.iter().enumerate().any(|(j, &x)| x != f32::from(u8::from(j % (side + 1) == 0))));
            for (a, row) in basis.chunks(side).enumerate() {
                for (b, other) in basis.chunks(side).enumerate() {
                    let product: f32 = row.iter().zip(other).map(|(x, y)| x * y).sum();
                    prop_assert!((product - f32::from(u8::from(a == b))).abs() < 1e-4, "{a} {b} {product}");
                }
            }
        }
        prop_assert!(turned >= 2, "only {turned} bases have turned");
    }

    /// A copy of a state goes on as the state does, bit for bit.
    #[test]
    fn a_copy_goes_on_alike(seed in 0u64..10_000, steps in 1usize..40) {
        let rule = Rotated::new(learned::ngn());
        let (params, mut state) = walk(&rule, seed, steps);
        let mut copy = rule.state(&params);
        copy.copy_from(&state);
        let (mut a, mut b) = (params.clone(), params.clone());
        for _ in 0..20 {
            rule.step(&mut state, &mut a, &params, 0.7, &mut NoProbe);
            rule.step(&mut copy, &mut b, &params, 0.7, &mut NoProbe);
        }
        prop_assert_eq!(bits::of(&a), bits::of(&b));
    }
}

/// To observe a gradient is to step without moving: the same bases, and the same state of the inner rule.
#[test]
fn to_observe_is_to_step_without_moving() {
    let (rule, w) = (Rotated::new(learned::ngn()), start(&small_mlp(), 1));
    let (mut stepped, mut observed) = (rule.state(&w), rule.state(&w));
    for seed in 2..40 {
        let gradient = start(&small_mlp(), seed);
        rule.step(&mut stepped, &mut w.clone(), &gradient, 0.5, &mut NoProbe);
        rule.observe(&mut observed, &w, &gradient, 0.5);
        assert_eq!((&stepped.bases, &stepped.inner), (&observed.bases, &observed.inner), "gradient {seed}");
    }
}

/// In the first step the bases are the parameters' own: the step is the inner rule's.
#[test]
fn the_first_step_is_the_inner_rules() {
    let (plain, rotated) = (walk(&Adam::new(0.1), 1, 1).0, walk(&Rotated::new(Adam::new(0.1)), 1, 1).0);
    assert!(plain.squared_distance(&rotated).sqrt() < 1e-6);
    let (plain, rotated) = (walk(&Adam::new(0.1), 1, 9).0, walk(&Rotated::new(Adam::new(0.1)), 1, 9).0);
    assert!(plain.squared_distance(&rotated).sqrt() > 1e-2, "and then it is another one");
}

/// Inputs that nearly agree make a valley across the coordinates of the weights, which lies along those of the eigenbasis.
#[test]
fn it_is_fast_where_inputs_nearly_agree() {
    type Net = Mlp<Fixed<chain![Dense<8, 8, Tanh>, Dense<8, 2>], 16>>;
    let net = Net::new(Fixed::new(), Loss::CrossEntropy);
    let (mut rng, mut inputs, mut labels) = (Rng::new(3), Vec::new(), Vec::new());
    for _ in 0..256 {
        let common = rng.normal();
        let row: [f32; 8] = core::array::from_fn(|_| common + 0.2 * rng.normal());
        labels.push(u8::from((row[0] - row[1]) * (row[2] - row[3]) > 0.0));
        inputs.extend(row);
    }
    let (mut pick, mut used) = ([0; 16], [0; 8]);
    let mut loss_after = |steps, rotated: bool| -> f32 {
        let mut total = 0.0;
        for seed in 1..4 {
            let mut source = Sampler::new(&inputs, 8, &labels, seed, &mut pick, &mut used).unwrap();
            let mut from = net.blank_params();
            net.initialize(&mut from, &mut Rng::new(seed));
            let params = if rotated {
                let guard = Unguarded::new(Rotated::new(Ngn::new()).averaged());
                run::rounds(&net, &guard, &mut source, &from, steps).unwrap().params
            } else {
                run::rounds(&net, &Unguarded::new(Ngn::new().averaged()), &mut source, &from, steps).unwrap().params
            };
            let (mut scratch, mut losses) = (net.blank_scratch(), net.blank_losses());
            for (inputs, labels) in inputs.chunks(8 * 16).zip(labels.chunks(16)) {
                let rows = net.losses(&mut scratch, &params, Batch::classes(inputs, 8, labels), &mut losses).unwrap();
                total += losses.iter().take(rows).sum::<f32>() / 256.0 / 3.0;
            }
        }
        total
    };
    for (steps, share) in [(300, 0.9), (600, 0.8)] {
        let (plain, rotated) = (loss_after(steps, false), loss_after(steps, true));
        assert!(rotated < share * plain, "after {steps} steps {rotated} and {plain}");
    }
}

/// A state that has seen a NaN says so, and is as new after a reset.
#[test]
fn what_is_not_finite_shows_and_goes() {
    let rule = Rotated::new(Adam::new(0.1));
    let (mut params, mut state) = walk(&rule, 5, 20);
    assert!(state.is_finite());
    let mut bad = params.clone();
    bad.tensor_mut(0)[3] = f32::NAN;
    for _ in 0..4 {
        rule.step(&mut state, &mut params, &bad, 0.5, &mut NoProbe);
    }
    assert!(!state.is_finite());
    state.reset();
    let (mut a, mut b, gradient) = (start(&small_mlp(), 6), start(&small_mlp(), 6), start(&small_mlp(), 7));
    let mut fresh = rule.state(&a);
    for _ in 0..20 {
        rule.step(&mut state, &mut a, &gradient, 0.5, &mut NoProbe);
        rule.step(&mut fresh, &mut b, &gradient, 0.5, &mut NoProbe);
    }
    assert_eq!(bits::of(&a), bits::of(&b));
}

/// What the guard says of a rotated rule.
fn refusal(rule: impl Rule) -> Option<Error> {
    let (objective, data) = (small_mlp(), Data::disk(8, 1));
    let batch = Batch::classes(&data.inputs, 2, &data.labels);
    let guard = Unguarded::new(Rotated::new(rule));
    run::rounds(&objective, &guard, &mut Whole(batch), &start(&objective, 1), 1).err()
}

/// A search compares losses at parameters that are not those that it moves.
#[test]
fn a_rule_that_searches_is_refused() {
    let refused = refusal(Armijo::new(1.0).unwrap());
    assert!(matches!(refused, Some(Error::InvalidSetting { .. })), "{refused:?}");
}

/// The gradient is taken at the parameters, and a rule with an average needs it elsewhere. Nor does a wrapper around the average help.
#[test]
fn an_average_inside_is_refused() {
    let average = Ngn::new().averaged();
    let flipping = Flipping { rule: average, count: 1, seed: 1 };
    for refused in [
        refusal(average),
        refusal(Clipped::new(average, 1.0)),
        refusal(Decayed::new(average, 0.01)),
        refusal(Penalized::new(average, 0.01)),
        refusal(flipping),
    ] {
        let Some(Error::InvalidSetting { what }) = refused else { panic!("{refused:?}") };
        assert!(what.contains("average"), "{what}");
    }
    assert_eq!(refusal(Ngn::new()), None);
}
