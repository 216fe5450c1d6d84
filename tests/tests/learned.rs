//! The coordinatewise learned rule against its formula in double precision, and what it owes to any tensor.

use lgl2o::Rng;
use lgl2o::learned::{self, CoordinateMlp, Learned};
use lgl2o::rule::{Adam, NoProbe, Rule};
use lgl2o::tensors::Tensors;
use lgl2o_tests::bits;
use lgl2o_tests::learned::Coordinate64;
use lgl2o_tests::oracle::{distance, largest, wide, widen};

type Pair = ([f32; 13], [f32; 3]);

fn random(rng: &mut Rng, scale: f32) -> Pair {
    let mut number = || scale * rng.normal();
    (core::array::from_fn(|_| number()), core::array::from_fn(|_| number()))
}

/// Runs both precisions over random gradients of changing size and compares after every step.
///
/// Allowed: 2^-14 of the greatest move so far per step. The linear log2 has a slope of up to 1.5 per octave and the
/// clamped features reach 4, so an input is good to about 2^-20, and two layers of weights of order 1 magnify that.
fn assert_follows<const H: usize>(weights: &[f32], seed: u64) {
    let rule = CoordinateMlp::<H>::from_weights(weights).unwrap();
    let mut rng = Rng::new(seed);
    let mut w = random(&mut rng, 1.0);
    let (mut state, mut double) = (rule.state(&w), widen(&w));
    let mut reference = Coordinate64::new(H, wide(weights), &[13, 3]);
    let mut allowed = 0.0;
    for step in 0..12 {
        let scale = 10f32.powi(step % 4 - 2);
        let gradient = random(&mut rng, scale);
        rule.step(&mut state, &mut w, &gradient, 0.0, &mut NoProbe);
        let before = double.clone();
        reference.step(&mut double, &widen(&gradient));
        allowed += (distance(&double, &before) + largest(&double) / 1024.0) / 16_384.0;
        let error = distance(&widen(&w), &double);
        assert!(error <= allowed, "H = {H}, seed {seed}, step {step}: off by {error:e} where {allowed:e} is allowed");
    }
}

/// Random weights, several sizes.
#[test]
fn the_rule_follows_its_formula() {
    for seed in 0..40 {
        let mut rng = Rng::stream(seed, 1);
        let mut weights = |n: usize| (0..n).map(|_| 0.4 * rng.normal()).collect::<Vec<f32>>();
        assert_follows::<1>(&weights(CoordinateMlp::<1>::WEIGHTS), seed);
        assert_follows::<4>(&weights(CoordinateMlp::<4>::WEIGHTS), seed);
        assert_follows::<8>(&weights(CoordinateMlp::<8>::WEIGHTS), seed);
    }
}

/// The weights that come with the crate.
#[test]
fn the_tiny_rule_follows_its_formula() {
    let mut weights = [0.0; CoordinateMlp::<8>::WEIGHTS];
    learned::tiny().write_weights(&mut weights);
    (0..10).for_each(|seed| assert_follows::<8>(&weights, seed));
}

/// The comparison can fail: a weight that is off by a hundredth is seen.
#[test]
#[should_panic(expected = "off by")]
fn another_weight_is_noticed() {
    let mut rng = Rng::new(1);
    let weights: Vec<f32> = (0..CoordinateMlp::<4>::WEIGHTS).map(|_| 0.4 * rng.normal()).collect();
    let mut other = weights.clone();
    other[18 * 4 + 4] += 0.01;
    let rule = CoordinateMlp::<4>::from_weights(&other).unwrap();
    let (mut w, gradient) = (random(&mut rng, 1.0), random(&mut rng, 1.0));
    let mut double = widen(&w);
    rule.step(&mut rule.state(&w), &mut w, &gradient, 0.0, &mut NoProbe);
    let before = double.clone();
    Coordinate64::new(4, wide(&weights), &[13, 3]).step(&mut double, &widen(&gradient));
    let (error, allowed) = (distance(&widen(&w), &double), distance(&double, &before) / 16_384.0);
    assert!(error <= allowed, "off by {error:e}");
}

/// Where meta-training starts from is Adam with beta1 = 0.9, beta2 = 0.99 and a rate of 0.01, but for rounding and for
/// the clamp of the direction at 4.
#[test]
fn untrained_it_is_adam() {
    let (rule, adam) = (CoordinateMlp::<8>::adam(), Adam { beta2: 0.99, ..Adam::new(0.01) });
    let mut rng = Rng::new(3);
    let mut ours = random(&mut rng, 1.0);
    let mut theirs = ours;
    let (mut state, mut their_state) = (rule.state(&ours), adam.state(&ours));
    for _ in 0..50 {
        let gradient = random(&mut rng, 1.0);
        rule.step(&mut state, &mut ours, &gradient, 0.0, &mut NoProbe);
        adam.step(&mut their_state, &mut theirs, &gradient, 0.0, &mut NoProbe);
    }
    let error = ours.squared_distance(&theirs).sqrt();
    assert!(error < 1e-5, "{error:e}");
}

/// Eight parameters are moved at a time; a tensor's last, incomplete eight are moved as any others: a parameter's step
/// does not depend on where in its tensor it stands.
#[test]
fn the_place_in_a_tensor_does_not_matter() {
    let rule = learned::tiny();
    for shift in 0..13 {
        let mut rng = Rng::new(5);
        // Powers of two: the statistics of a tensor are then sums without rounding, in any order.
        let mut number = || [0.5, -0.25, 1.0, -2.0][rng.below(4) as usize];
        let (mut w, gradient): ([f32; 13], [f32; 13]) =
            (core::array::from_fn(|_| number()), core::array::from_fn(|_| number()));
        let rotated = |a: [f32; 13]| core::array::from_fn(|i| a[(i + shift) % 13]);
        let mut turned: [f32; 13] = rotated(w);
        rule.step(&mut rule.state(&w), &mut w, &gradient, 0.0, &mut NoProbe);
        rule.step(&mut rule.state(&w), &mut turned, &rotated(gradient), 0.0, &mut NoProbe);
        let close = rotated(w).iter().zip(&turned).all(|(a, b): (&f32, &f32)| (a - b).abs() < 1e-5);
        assert!(close, "shift {shift}");
    }
}

/// Parameters that never see a gradient stand still in an untrained rule; no rule makes a NaN of zeros or of denormals.
#[test]
fn zeros_and_denormals_are_harmless() {
    for value in [0.0, -0.0, 1e-45, f32::MIN_POSITIVE] {
        let (mut w, gradient) = (([value; 13], [value; 3]), ([value; 13], [value; 3]));
        let (start, rule) = (w, learned::tiny());
        let mut state = rule.state(&w);
        for _ in 0..20 {
            rule.step(&mut state, &mut w, &gradient, 0.0, &mut NoProbe);
            assert!(w.is_finite(), "{value}");
        }
        let (mut w, untrained) = (start, CoordinateMlp::<8>::adam());
        untrained.step(&mut untrained.state(&w), &mut w, &([0.0; 13], [0.0; 3]), 0.0, &mut NoProbe);
        assert!(w.0.iter().zip(&start.0).all(|(a, b)| a == b));
    }
}

/// A weights file is read back as it was written, and any single damaged byte is noticed.
#[test]
fn damaged_files_are_refused() {
    let rule = learned::tiny();
    let mut buffer = [0; CoordinateMlp::<8>::FILE_LEN];
    let file = rule.write_file(&mut buffer).unwrap().to_vec();
    assert_eq!(CoordinateMlp::<8>::from_bytes(&file).as_ref(), Ok(rule));
    for i in 0..file.len() {
        for bit in 0..8 {
            let mut damaged = file.clone();
            damaged[i] ^= 1 << bit;
            assert!(CoordinateMlp::<8>::from_bytes(&damaged).is_err(), "byte {i}, bit {bit}");
        }
        assert!(CoordinateMlp::<8>::from_bytes(&file[..i]).is_err(), "cut to {i} bytes");
    }
    assert!(CoordinateMlp::<8>::from_bytes(&[&file[..], &[0]].concat()).is_err());
    let mut weights = [0.0; CoordinateMlp::<8>::WEIGHTS];
    rule.write_weights(&mut weights);
    let again = CoordinateMlp::<8>::from_weights(&weights).unwrap();
    assert_eq!(bits::patterns(&weights), {
        let mut back = [1.0; CoordinateMlp::<8>::WEIGHTS];
        again.write_weights(&mut back);
        bits::patterns(&back)
    });
}
