//! The lookup table against its formula in double precision, and what it owes to any tensor.

use lgl2o::Rng;
use lgl2o::learned::{Learned, Table};
use lgl2o::rule::{Adam, NoProbe, Rule, RuleState};
use lgl2o::tensors::Tensors;
use lgl2o_tests::bits;
use lgl2o_tests::oracle::{distance, largest, wide, widen};
use lgl2o_tests::table::Table64;

type Pair = ([f32; 13], [f32; 3]);

fn random(rng: &mut Rng, scale: f32) -> Pair {
    let mut number = || scale * rng.normal();
    (core::array::from_fn(|_| number()), core::array::from_fn(|_| number()))
}

/// Weights that differ by up to some octaves from entry to entry, rounded as the rule has them.
fn random_weights(seed: u64) -> Vec<f32> {
    let mut rng = Rng::stream(seed, 1);
    let weights: Vec<f32> = (0..Table::WEIGHTS).map(|_| 0.25 * rng.normal()).collect();
    weights_of(&Table::from_weights(&weights).unwrap())
}

fn weights_of(rule: &Table) -> Vec<f32> {
    let mut weights = vec![0.0; Table::WEIGHTS];
    rule.write_weights(&mut weights);
    weights
}

/// Runs both precisions over random gradients of changing size; gives the error and what is allowed after each step.
///
/// Allowed: 2^-8 of the greatest move so far per step. A place on an axis is cut to a 2048th of the way between nodes
/// whose entries differ by some four octaves, which on three axes is up to 0.6 % of a step.
fn follow(ours: &[f32], theirs: &[f32], seed: u64) -> Vec<(f64, f64)> {
    let rule = Table::from_weights(ours).unwrap();
    let mut rng = Rng::new(seed);
    let mut w = random(&mut rng, 4.0);
    let (mut state, mut double) = (rule.state(&w), widen(&w));
    let mut reference = Table64::new(&wide(theirs), &[13, 3]);
    let mut allowed = 0.0;
    let mut step = |k: i32| {
        let gradient = random(&mut rng, 10f32.powi(k % 4 - 2));
        rule.step(&mut state, &mut w, &gradient, 0.0, &mut NoProbe);
        let before = double.clone();
        reference.step(&mut double, &widen(&gradient));
        allowed += (distance(&double, &before) + largest(&double) / 1024.0) / 256.0;
        (distance(&widen(&w), &double), allowed)
    };
    (0..30).map(&mut step).collect()
}

#[test]
fn the_rule_follows_its_formula() {
    for seed in 0..40 {
        let weights = random_weights(seed);
        for (step, (error, allowed)) in follow(&weights, &weights, seed).into_iter().enumerate() {
            assert!(error <= allowed, "seed {seed}, step {step}: off by {error:e} where {allowed:e} is allowed");
        }
    }
}

/// The comparison can fail: an entry of a usual place, one of Z, and each of the other numbers are noticed.
#[test]
fn another_weight_is_noticed() {
    let weights = random_weights(1);
    let noticed = |i: usize| {
        let mut other = weights.clone();
        other[i] += if i < 90 { 0.25 } else { 1.0 };
        follow(&other, &weights, 1).iter().any(|(error, allowed)| error > allowed)
    };
    let unnoticed: Vec<usize> =
        [9 + 6, 9 + 2, 18 + 6, 81 + 5, 81 + 6].into_iter().chain(90..99).filter(|&i| !noticed(i)).collect();
    assert!(unnoticed.is_empty(), "{unnoticed:?}");
}

/// With Z = -z / 2 the steps of a tensor are Adam's but for one factor, within the straight lines of logarithm and
/// power, 13 %, as long as no gradient is 4 times or a 64th of the usual.
#[test]
fn a_tilted_table_is_adam() {
    let mut weights = vec![0.0; Table::WEIGHTS];
    (0..9).for_each(|k| weights[81 + k] = (6.0 - k as f32) / 4.0);
    let (rule, adam) = (Table::from_weights(&weights).unwrap(), Adam { beta2: 0.99, ..Adam::new(0.01) });
    let mut rng = Rng::new(3);
    let sizes = [0.05, 0.1, 0.3, 0.5, 1.0, 2.0, 3.0, 4.0];
    let (mut ours, mut theirs) = ([0.0f32; 8], [0.0f32; 8]);
    let (mut state, mut their_state) = (rule.state(&ours), adam.state(&theirs));
    for _ in 0..30 {
        let gradient: [f32; 8] = sizes.map(|size| size * (0.5 + rng.uniform()));
        let (before, their_before) = (ours, theirs);
        rule.step(&mut state, &mut ours, &gradient, 0.0, &mut NoProbe);
        adam.step(&mut their_state, &mut theirs, &gradient, 0.0, &mut NoProbe);
        let ratio: [f32; 8] = core::array::from_fn(|i| (before[i] - ours[i]) / (their_before[i] - theirs[i]));
        let (least, most) = ratio.iter().fold((f32::MAX, 0.0f32), |(l, m), &r| (l.min(r), m.max(r)));
        assert!(least > 0.0 && most / least < 1.13, "{ratio:?}");
    }
}

/// Oddness with several tensors and an arbitrary table, bit for bit, over gradients of any size.
#[test]
fn it_is_odd_bit_for_bit() {
    for seed in 0..20 {
        let rule = Table::from_weights(&random_weights(seed)).unwrap();
        let mut rng = Rng::new(seed);
        let mut w = random(&mut rng, 1.0);
        let negated = |p: Pair| (p.0.map(|x| -x), p.1.map(|x| -x));
        let mut mirrored = negated(w);
        let (mut state, mut mirrored_state) = (rule.state(&w), rule.state(&mirrored));
        for k in 0..30 {
            let gradient = random(&mut rng, 10f32.powi(k % 9 - 4));
            rule.step(&mut state, &mut w, &gradient, 0.0, &mut NoProbe);
            rule.step(&mut mirrored_state, &mut mirrored, &negated(gradient), 0.0, &mut NoProbe);
            assert_eq!(bits::of(&w), bits::of(&negated(mirrored)));
        }
    }
}

/// No table makes a NaN of any finite gradient.
#[test]
fn extreme_gradients_leave_everything_finite() {
    for seed in 0..10 {
        let rule = Table::from_weights(&random_weights(seed)).unwrap();
        for exponent in [-45, -38, -30, -20, -10, 0, 10, 18, 19, 20, 30, 38] {
            let mut rng = Rng::new(seed);
            let mut w = random(&mut rng, 1.0);
            let mut state = rule.state(&w);
            for k in 0..20 {
                let scale = if k % 3 == 2 { 1.0 } else { 10f64.powi(exponent) as f32 };
                let (a, b) = random(&mut rng, 1.0);
                let gradient = (a.map(|x| x.clamp(-3.0, 3.0) * scale), b.map(|x| x.clamp(-3.0, 3.0) * scale));
                rule.step(&mut state, &mut w, &gradient, 0.0, &mut NoProbe);
                assert!(w.is_finite() && state.is_finite(), "1e{exponent}, step {k}");
            }
        }
    }
}

/// Parameters that never see a gradient stand still, whatever the table.
#[test]
fn without_a_gradient_nothing_moves() {
    let rule = Table::from_weights(&random_weights(4)).unwrap();
    let mut w = random(&mut Rng::new(1), 1.0);
    let start = w;
    let mut state = rule.state(&w);
    for k in 0..30 {
        let mut gradient = Pair::default();
        gradient.0[3] = k as f32 - 9.5;
        rule.step(&mut state, &mut w, &gradient, 0.0, &mut NoProbe);
    }
    assert!(w.0[3] != start.0[3]);
    w.0[3] = start.0[3];
    assert_eq!(bits::of(&w), bits::of(&start));
}

/// What is trained is what is shipped: weights pass through the rounding of the file.
#[test]
fn rounding_happens_before_the_file() {
    let mut rng = Rng::new(9);
    let weights: Vec<f32> = (0..Table::WEIGHTS).map(|_| 3.0 * rng.normal()).collect();
    let rule = Table::from_weights(&weights).unwrap();
    let mut buffer = [0; Table::FILE_LEN];
    let file = rule.write_file(&mut buffer).unwrap();
    assert_eq!(file.len(), 142);
    assert_eq!(Table::read_file(file).as_ref(), Ok(&rule));
    for (i, (&given, kept)) in weights.iter().zip(weights_of(&rule)).enumerate() {
        if i < 90 {
            let nearest = (64.0 * given).round().clamp(-128.0, 127.0) / 64.0;
            assert_eq!(kept, nearest);
        } else {
            assert_eq!(kept.to_bits(), given.to_bits());
        }
    }
}
