//! The learned rules: the built-in one against its formula in double precision, and what every one of them owes to any
//! tensor and any file.

use core::fmt::Debug;

use lgl2o::Rng;
use lgl2o::learned::file::{RETIRED, crc32};
use lgl2o::learned::{self, Learned, LearnedNgn, LearnedScaleFree, WeightsError};
use lgl2o::rule::{NoProbe, Rule, RuleState};
use lgl2o::tensors::Tensors;
use lgl2o_tests::bits;
use lgl2o_tests::reference::learned::LearnedNgn64;
use lgl2o_tests::reference::losses::{wide, widen};

type Pair = ([f32; 13], [f32; 3]);

/// Every kind of learned rule, with the weights that are shipped; the one that is not, with those that meta-training
/// starts from.
macro_rules! every_kind {
    ($check:ident) => {
        $check("l2o", learned::ngn());
        $check("lean", learned::lean());
        $check("scale-free", &LearnedScaleFree::hand_made());
        $check("lstm", learned::lstm());
        $check("rnnprop", learned::rnnprop());
    };
}

fn random(rng: &mut Rng, scale: f32) -> Pair {
    let mut number = || scale * rng.normal();
    (core::array::from_fn(|_| number()), core::array::from_fn(|_| number()))
}

fn weights_of<R: Learned>(rule: &R) -> Vec<f32> {
    let mut weights = vec![0.0; R::WEIGHTS];
    rule.write_weights(&mut weights);
    weights
}

/// Weights around the hand-made ones, with which every term of the formula counts.
fn random_weights(rng: &mut Rng) -> Vec<f32> {
    let mut weights = weights_of(&LearnedNgn::hand_made());
    weights.iter_mut().for_each(|weight| *weight += 0.2 * rng.normal());
    // Those that count as 0 where they are negative.
    [11, 14, 15, 16].into_iter().for_each(|i| weights[i] = 0.2 + weights[i].abs());
    weights
}

/// Runs both precisions over random gradients of changing size; returns the error and what is allowed, after each step.
///
/// Allowed: 3e-4 of a layer's size. Roots and decays in single precision are good to about 1e-5 of a step.
fn follow(ours: &[f32], theirs: &[f32], seed: u64) -> Vec<(f64, f64)> {
    let rule = LearnedNgn::from_weights(ours).unwrap();
    let mut rng = Rng::new(seed);
    let mut w = random(&mut rng, 1.0);
    let (mut state, mut double) = (rule.state(&w), widen(&w));
    let mut reference = LearnedNgn64::new(&wide(theirs), &[13, 3]);
    let mut step = |k: i32| {
        let gradient = random(&mut rng, 10f32.powi(k % 3 - 1));
        let loss = rng.range(0.2, 2.0);
        rule.step(&mut state, &mut w, &gradient, loss, &mut NoProbe);
        reference.step(&mut double, &widen(&gradient), f64::from(loss));
        let (found, mut worst) = (widen(&w), (0.0, 1.0));
        for (found, double) in found.iter().zip(&double) {
            let length = |a: &mut dyn Iterator<Item = f64>| a.map(|x| x * x).sum::<f64>().sqrt();
            let error = length(&mut found.iter().zip(double).map(|(a, b)| a - b));
            let allowed = 3e-4 * length(&mut double.iter().copied()).max(0.01);
            worst = if error / allowed > worst.0 / worst.1 { (error, allowed) } else { worst };
        }
        worst
    };
    (0..12).map(&mut step).collect()
}

fn assert_follows(weights: &[f32], seed: u64) {
    for (step, (error, allowed)) in follow(weights, weights, seed).into_iter().enumerate() {
        assert!(error <= allowed, "seed {seed}, step {step}: off by {error:e} where {allowed:e} is allowed");
    }
}

#[test]
fn the_built_in_rule_follows_its_formula() {
    (0..20).for_each(|seed| assert_follows(&weights_of(learned::ngn()), seed));
    (0..200).for_each(|seed| assert_follows(&random_weights(&mut Rng::stream(seed, 1)), seed));
}

/// The comparison can fail: any weight that is off by a tenth is seen; by more, where so few steps depend on it that little.
#[test]
fn another_weight_is_noticed() {
    let noticed = |i: usize, seed: u64| {
        let weights = random_weights(&mut Rng::stream(seed, 1));
        let mut other = weights.clone();
        other[i] += match i {
            4 => -1.0,
            11 => 1.0,
            14 | 16 => 10.0,
            _ => 0.1,
        };
        follow(&other, &weights, seed).iter().any(|(error, allowed)| error > allowed)
    };
    let missed: Vec<usize> = (0..LearnedNgn::WEIGHTS).filter(|&i| !(0..8).any(|seed| noticed(i, seed))).collect();
    assert!(missed.is_empty(), "{missed:?}");
}

/// Several parameters are moved at a time; the last ones of a tensor are moved as any others: a parameter's step does not
/// depend on where in its tensor it stands.
#[test]
fn the_place_in_a_tensor_does_not_matter() {
    fn check<R: Learned>(name: &str, rule: &R) {
        for shift in 0..13 {
            let mut rng = Rng::new(5);
            // Powers of two: most of the statistics of a tensor are then sums without rounding, in any order.
            let mut number = || [0.5, -0.25, 1.0, -2.0][rng.below(4) as usize];
            let (mut w, gradient): ([f32; 13], [f32; 13]) =
                (core::array::from_fn(|_| number()), core::array::from_fn(|_| number()));
            let rotated = |a: [f32; 13]| core::array::from_fn(|i| a[(i + shift) % 13]);
            let mut turned: [f32; 13] = rotated(w);
            rule.step(&mut rule.state(&w), &mut w, &gradient, 0.7, &mut NoProbe);
            rule.step(&mut rule.state(&w), &mut turned, &rotated(gradient), 0.7, &mut NoProbe);
            let close = rotated(w).iter().zip(&turned).all(|(a, b): (&f32, &f32)| (a - b).abs() < 1e-5);
            assert!(close, "{name}, shift {shift}");
        }
    }
    every_kind!(check);
}

/// A run, in the bits of the parameters after each step; gradients are of changing size.
fn run<R: Rule>(rule: &R, state: &mut R::State<Pair>, seed: u64) -> Vec<u32> {
    let mut rng = Rng::new(seed);
    let mut w = random(&mut rng, 1.0);
    let mut all = Vec::new();
    for k in 0..5 {
        let gradient = random(&mut rng, 10f32.powi(k - 3));
        rule.step(state, &mut w, &gradient, 0.5, &mut NoProbe);
        all.extend(bits::of(&w));
    }
    all
}

/// `observe` takes a gradient in as `step` does and moves nothing; a state that is reset is a new one, a copied one is the
/// other. States are told apart by what the rule does next.
#[test]
fn observing_resetting_and_copying() {
    fn check<R: Learned>(name: &str, rule: &R) {
        let mut rng = Rng::new(1);
        let mut w = random(&mut rng, 1.0);
        let (mut stepped, mut observed) = (rule.state(&w), rule.state(&w));
        for _ in 0..5 {
            let (gradient, before) = (random(&mut rng, 0.1), w);
            rule.observe(&mut observed, &w, &gradient, 0.5);
            assert_eq!(bits::of(&w), bits::of(&before), "{name}: observing moves nothing");
            rule.step(&mut stepped, &mut w, &gradient, 0.5, &mut NoProbe);
            assert_ne!(bits::of(&w), bits::of(&before), "{name}");
        }
        let fresh = run(rule, &mut rule.state(&w), 2);
        let mut copy = rule.state(&w);
        copy.copy_from(&stepped);
        let mut reset = stepped.clone();
        reset.reset();
        assert!(stepped.is_finite(), "{name}");
        let after = run(rule, &mut stepped, 2);
        assert_ne!(after, fresh, "{name}: a state is noticed");
        assert_eq!(run(rule, &mut observed, 2), after, "{name}: observing is not what stepping does");
        assert_eq!(run(rule, &mut copy, 2), after, "{name}: copying");
        assert_eq!(run(rule, &mut reset, 2), fresh, "{name}: reset is the beginning");
    }
    every_kind!(check);
}

/// Zeros and denormals are gradients like others.
#[test]
fn zeros_and_denormals_are_harmless() {
    fn check<R: Learned>(name: &str, rule: &R) {
        for value in [0.0, -0.0, 1e-45, f32::MIN_POSITIVE] {
            let (mut w, gradient) = (([value; 13], [value; 3]), ([value; 13], [value; 3]));
            let mut state = rule.state(&w);
            for _ in 0..20 {
                rule.step(&mut state, &mut w, &gradient, 0.5, &mut NoProbe);
                assert!(w.is_finite() && state.is_finite(), "{name}: {value}");
            }
        }
    }
    every_kind!(check);
}

/// Gradients of any size leave everything finite, and so do losses that are none.
#[test]
fn extreme_gradients_and_losses_leave_everything_finite() {
    fn check<R: Learned>(name: &str, rule: &R) {
        for exponent in [-45, -38, -20, -10, 0, 10, 18, 19, 20, 30, 37] {
            for odd in [0.0, -1.0, f32::NAN, f32::INFINITY, 1e-38, 1e38] {
                let mut rng = Rng::new(1);
                let mut w = random(&mut rng, 1.0);
                let mut state = rule.state(&w);
                for k in 0..12 {
                    let scale = if k % 3 == 2 { 1.0 } else { 10f64.powi(exponent) as f32 };
                    let gradient = random(&mut rng, scale);
                    rule.step(&mut state, &mut w, &gradient, if k % 4 == 3 { odd } else { 0.5 }, &mut NoProbe);
                    assert!(w.is_finite(), "{name}: 1e{exponent}, {odd}, step {k}");
                }
            }
        }
    }
    every_kind!(check);
}

/// The rules that have no scale: the loss and its gradients in another unit, by a power of two, are the same run.
#[test]
fn the_unit_of_the_loss_does_not_matter() {
    fn path<R: Learned>(rule: &R, unit: f32) -> Vec<f32> {
        let mut rng = Rng::new(4);
        let mut w = random(&mut rng, 1.0);
        let (mut state, mut all) = (rule.state(&w), Vec::new());
        for _ in 0..20 {
            let (gradient, loss) = (random(&mut rng, 0.3 * unit), unit * rng.range(0.2, 2.0));
            rule.step(&mut state, &mut w, &gradient, loss, &mut NoProbe);
            all.extend(w.0.iter().chain(&w.1));
        }
        all
    }
    fn check<R: Learned>(name: &str, rule: &R) {
        for power in [-20, -3, 5, 20] {
            for (a, b) in path(rule, 1.0).iter().zip(path(rule, 2f32.powi(power))) {
                assert!((a - b).abs() <= 1e-5 * a.abs().max(0.1), "{name}, 2^{power}: {a} {b}");
            }
        }
    }
    check("l2o", learned::ngn());
    check("lean", learned::lean());
    check("scale-free", &LearnedScaleFree::hand_made());
}

/// A weights file is read back as it was written, and any single damaged bit is noticed.
#[test]
fn damaged_files_are_refused() {
    fn check<R: Learned + PartialEq + Debug>(name: &str, rule: &R) {
        let mut file = vec![0; R::FILE_LEN];
        assert_eq!(rule.write_file(&mut file).unwrap().len(), R::FILE_LEN, "{name}");
        assert_eq!(R::read_file(&file).as_ref(), Ok(rule), "{name}");
        assert!(rule.write_file(&mut vec![0; R::FILE_LEN - 1]).is_err(), "{name}");
        for i in 0..file.len() {
            for bit in 0..8 {
                let mut damaged = file.clone();
                damaged[i] ^= 1 << bit;
                assert!(R::read_file(&damaged).is_err(), "{name}: byte {i}, bit {bit}");
            }
            assert!(R::read_file(&file[..i]).is_err(), "{name}: cut to {i} bytes");
        }
        assert!(R::read_file(&[&file[..], &[0]].concat()).is_err(), "{name}");
    }
    every_kind!(check);
}

/// Weights are what they were, in their order; too few of them are refused, and any that is not finite, in a file too.
#[test]
fn weights_are_kept_and_checked() {
    fn check<R: Learned + PartialEq + Debug>(name: &str, rule: &R) {
        let weights = weights_of(rule);
        let again = R::from_weights(&weights).unwrap();
        assert_eq!(bits::patterns(&weights_of(&again)), bits::patterns(&weights), "{name}");
        let length = WeightsError::Length { expected: R::WEIGHTS, found: R::WEIGHTS - 1 };
        assert_eq!(R::from_weights(&weights[1..]), Err(length), "{name}");
        let mut file = vec![0; R::FILE_LEN];
        rule.write_file(&mut file).unwrap();
        for i in 0..R::WEIGHTS {
            for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
                let mut other = weights.clone();
                other[i] = bad;
                assert_eq!(R::from_weights(&other), Err(WeightsError::NotFinite), "{name}: weight {i}");
                let mut other = file.clone();
                other[12 + 4 * i..][..4].copy_from_slice(&bad.to_le_bytes());
                reseal(&mut other);
                assert_eq!(R::read_file(&other), Err(WeightsError::NotFinite), "{name}: weight {i}");
            }
        }
    }
    every_kind!(check);
}

/// Puts the checksum of a weights file right.
fn reseal(file: &mut [u8]) {
    let (content, trailer) = file.split_at_mut(file.len() - 4);
    trailer.copy_from_slice(&crc32(content).to_le_bytes());
}

/// No kind reads another's file; one of a kind that is gone is told so.
#[test]
fn files_of_other_kinds_are_refused() {
    fn check<R: Learned + PartialEq + Debug>(name: &str, rule: &R) {
        let mut file = vec![0; R::FILE_LEN];
        rule.write_file(&mut file).unwrap();
        for kind in 0..=u8::MAX {
            file[5] = kind;
            reseal(&mut file);
            let expected = match kind {
                kind if kind == R::KIND => Ok(rule.clone()),
                kind if RETIRED.contains(&kind) => Err(WeightsError::Retired { kind }),
                kind => Err(WeightsError::OtherOptimizer { kind, hidden: R::HIDDEN as u8 }),
            };
            assert_eq!(R::read_file(&file), expected, "{name}: kind {kind}");
        }
    }
    every_kind!(check);
    let text = WeightsError::Retired { kind: 1 }.to_string();
    assert!(text.contains("weights of kind 1, which this version no longer has"), "{text}");
}

/// The sizes that the documentation names.
#[test]
fn files_are_as_long_as_documented() {
    fn check<R: Learned>(_: &str, rule: &R) {
        assert_eq!(weights_of(rule).len(), R::WEIGHTS);
        assert_eq!(R::FILE_LEN, 16 + 4 * R::WEIGHTS);
    }
    every_kind!(check);
    assert_eq!((LearnedNgn::FILE_LEN, lgl2o::learned::LeanScaleFree::FILE_LEN), (84, 56));
}
