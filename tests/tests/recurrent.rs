//! The recurrent learned rules against their formulas in double precision, and what they owe to any tensor.

use lgl2o::Rng;
use lgl2o::learned::{CoordinateLstm, Learned, RecurrentState, RnnProp, WeightsError};
use lgl2o::rule::{NoProbe, Rule, RuleState};
use lgl2o::tensors::{Tensors, Zeroed};
#[cfg(feature = "host")]
use lgl2o_host::network::HeapTensors;
use lgl2o_tests::bits;
use lgl2o_tests::reference::losses::{distance, largest, wide, widen};
use lgl2o_tests::reference::recurrent::{Kind, Recurrent64};

type Pair = ([f32; 13], [f32; 3]);

fn kind_of<R: Learned>() -> Kind {
    match R::KIND {
        2 => Kind::CoordinateLstm,
        3 => Kind::RnnProp,
        other => panic!("kind {other} is not recurrent"),
    }
}

fn random<P: Tensors>(like: &P, rng: &mut Rng, scale: f32) -> P {
    let mut params = like.clone();
    for i in 0..params.count() {
        params.tensor_mut(i).iter_mut().for_each(|x| *x = scale * rng.normal());
    }
    params
}

/// Weights with which every part of the network counts.
fn random_weights<R: Learned>(seed: u64) -> Vec<f32> {
    let mut rng = Rng::stream(seed, 1);
    (0..R::WEIGHTS).map(|_| 0.8 * rng.normal()).collect()
}

/// Runs both precisions over random gradients of changing size; returns the error and what is allowed after each step.
///
/// Allowed: 2^-15 of the greatest move so far per step, and one rounding of w. No rule looks at w, so it starts from 0,
/// where small moves are not rounded away.
fn follow<R: Learned, P: Tensors + Zeroed>(ours: &[f32], theirs: &[f32], seed: u64) -> Vec<(f64, f64)> {
    let rule = R::from_weights(ours).unwrap();
    let mut rng = Rng::new(seed);
    let mut w = P::ZERO;
    let (mut state, mut double) = (rule.state(&w), widen(&w));
    let lengths: Vec<usize> = double.iter().map(Vec::len).collect();
    let mut reference = Recurrent64::new(kind_of::<R>(), R::HIDDEN, wide(theirs), &lengths);
    let mut allowed = 0.0;
    let mut step = |k: i32| {
        let gradient = random(&w, &mut rng, 10f32.powi(k % 4 - 4));
        rule.step(&mut state, &mut w, &gradient, 0.0, &mut NoProbe);
        let before = double.clone();
        reference.step(&mut double, &widen(&gradient));
        allowed += (distance(&double, &before) + largest(&double) / 256.0) / 32_768.0;
        (distance(&widen(&w), &double), allowed)
    };
    (0..12).map(&mut step).collect()
}

/// In double precision, too, for random weights.
fn assert_follows<R: Learned, P: Tensors + Zeroed>() {
    for seed in 0..20 {
        let weights = random_weights::<R>(seed);
        for (step, (error, allowed)) in follow::<R, P>(&weights, &weights, seed).into_iter().enumerate() {
            let at = (kind_of::<R>(), R::HIDDEN, seed, step);
            assert!(error <= allowed, "{at:?}: off by {error:e} where {allowed:e} is allowed");
        }
    }
}

#[test]
fn the_rules_follow_their_formulas() {
    assert_follows::<CoordinateLstm<2>, Pair>();
    assert_follows::<CoordinateLstm<8>, Pair>();
    assert_follows::<RnnProp<2>, Pair>();
    assert_follows::<RnnProp<8>, Pair>();
}

/// Eight parameters go together; the last of a tensor that are fewer go as any others.
#[test]
fn tensors_of_any_length_follow_them() {
    fn all<R: Learned>() {
        assert_follows::<R, [f32; 1]>();
        assert_follows::<R, [f32; 7]>();
        assert_follows::<R, [f32; 8]>();
        assert_follows::<R, [f32; 9]>();
        assert_follows::<R, [f32; 17]>();
        assert_follows::<R, ([f32; 9], ([[f32; 3]; 5], [f32; 0]))>();
    }
    all::<CoordinateLstm<2>>();
    all::<RnnProp<2>>();
}

/// Lengths that are known at run time only give the bits that arrays give.
#[cfg(feature = "host")]
#[test]
fn arrays_and_slices_move_alike() {
    fn check<R: Learned, const N: usize>() {
        let rule = R::from_weights(&random_weights::<R>(5)).unwrap();
        let mut rng = Rng::new(1);
        let (mut array, mut slice) = ([1.0; N], HeapTensors::zeros([N]));
        slice.fill(1.0);
        let (mut state, mut slice_state) = (rule.state(&array), rule.state(&slice));
        for _ in 0..5 {
            let gradient = random(&array, &mut rng, 0.1);
            let mut same = HeapTensors::zeros([N]);
            same.as_mut_slice().copy_from_slice(&gradient);
            rule.step(&mut state, &mut array, &gradient, 0.0, &mut NoProbe);
            rule.step(&mut slice_state, &mut slice, &same, 0.0, &mut NoProbe);
            assert_eq!(bits::of(&slice), bits::of(&array), "{N}");
        }
    }
    fn all<R: Learned>() {
        check::<R, 1>();
        check::<R, 7>();
        check::<R, 8>();
        check::<R, 9>();
        check::<R, 17>();
    }
    all::<CoordinateLstm<8>>();
    all::<RnnProp<8>>();
}

/// The comparison can fail: any weight that is off by a tenth is seen, if others do not happen to close its gate.
#[test]
fn another_weight_is_noticed() {
    fn unnoticed<R: Learned>() -> Vec<usize> {
        let noticed = |i: usize, seed: u64| {
            let weights = random_weights::<R>(seed);
            let mut other = weights.clone();
            other[i] += 0.1;
            follow::<R, Pair>(&other, &weights, seed).iter().any(|(error, allowed)| error > allowed)
        };
        (0..R::WEIGHTS).filter(|&i| !(0..8).any(|seed| noticed(i, seed))).collect()
    }
    let missed = [unnoticed::<CoordinateLstm<2>>(), unnoticed::<RnnProp<2>>()];
    assert!(missed.concat().is_empty(), "{missed:?}");
}

/// Two steps of one unit a layer with gates from their biases alone: i and g fully open, f and o half, so that the
/// first layer has c = 1, then 1.5, and h = tanh(c) / 2; the second layer sees only 2 h1 in its g. Then d = 3 h2.
fn network_by_hand(inputs: usize) -> Vec<f32> {
    let bias = [50.0, 0.0, 50.0, 0.0];
    let first = [vec![0.0; 4 * inputs + 4], bias.to_vec()].concat();
    let second = [vec![0.0, 0.0, 2.0, 0.0], vec![0.0; 4], vec![50.0, 0.0, 0.0, 0.0]].concat();
    [first, second, vec![3.0]].concat()
}

/// d of both steps.
fn heads_by_hand() -> [f64; 2] {
    let (h1, later) = (0.5 * 1f64.tanh(), 0.5 * 1.5f64.tanh());
    let c2 = (2.0 * h1).tanh();
    [c2, 0.5 * c2 + (2.0 * later).tanh()].map(|c2| 3.0 * 0.5 * c2.tanh())
}

/// g = 1/2, then -1/2. m / rms(m) = 1 both times, since 0.05 goes to 0.045 - 0.05 = -0.005: with -1 the second time.
/// s = 1, kappa = 1, and v' = 1/4 makes the level 6, which with s would be 7 but for the clamp: the rate is 0.64.
#[test]
fn steps_of_the_coordinatewise_lstm_by_hand() {
    let weights = [network_by_hand(2), vec![0.25, 2.0, 0.5, 1.0, 1.0]].concat();
    let rule = CoordinateLstm::<1>::from_weights(&weights).unwrap();
    let (mut w, mut expected) = ([5.0f32], 5.0);
    let mut state = rule.state(&w);
    for (sign, head) in [1.0, -1.0].into_iter().zip(heads_by_hand()) {
        rule.step(&mut state, &mut w, &[0.5 * sign], 0.0, &mut NoProbe);
        expected -= 0.64 * (head + 0.25 + 2.0 * f64::from(sign) + 0.5 * f64::from(sign));
        assert!((f64::from(w[0]) - expected).abs() < 2e-4, "{} {expected}", w[0]);
    }
}

/// g = 1/2, then -1/2: g r = 1, -1, and m' r = 1, then (0.95 - 1) / 1.95. s = 1, kappa = 1/2: the rate is 0.16.
#[test]
fn steps_of_rnnprop_by_hand() {
    let weights = [vec![0.0; 3], network_by_hand(1), vec![0.25, 2.0, 0.5, 1.0, 0.5]].concat();
    let rule = RnnProp::<1>::from_weights(&weights).unwrap();
    let (mut w, mut expected) = ([5.0f32], 5.0);
    let mut state = rule.state(&w);
    let dirs = [[1.0, 1.0], [-0.05 / 1.95, -1.0]];
    for ([mean, now], head) in dirs.into_iter().zip(heads_by_hand()) {
        rule.step(&mut state, &mut w, &[0.5 * now as f32], 0.0, &mut NoProbe);
        expected -= 0.16 * (head + 0.25 + 2.0 * mean + 0.5 * now).tanh();
        assert!((f64::from(w[0]) - expected).abs() < 1e-4, "{} {expected}", w[0]);
    }
}

/// A state that is reset is a new one, a copied one is the other; slots are listed once each, and in a `static` they
/// are what they are on a heap.
#[test]
fn states_are_reset_copied_and_listed() {
    fn check<R, const H: usize>()
    where
        R: Learned + for<'a> Rule<State<Pair> = RecurrentState<Pair, H>>,
    {
        let rule = R::from_weights(&random_weights::<R>(2)).unwrap();
        let w = random(&Pair::ZERO, &mut Rng::new(1), 1.0);
        let fresh = rule.state(&w);
        assert!(fresh == RecurrentState::ZERO);
        let mut state = fresh.clone();
        (0..3).for_each(|_| rule.step(&mut state, &mut w.clone(), &w, 0.0, &mut NoProbe));
        assert!(state.is_finite() && state.slots().count() == 4 * H + 2);
        let moved = |slot: &Pair| slot.0.iter().chain(&slot.1).all(|&x| x != 0.0);
        assert!(state.slots().all(moved));

        let mut copy = fresh.clone();
        copy.copy_from(&state);
        assert!(copy == state);
        let mut listed = fresh.clone();
        listed.slots_mut().zip(state.slots()).for_each(|(to, from)| to.copy_from(from));
        listed.means.steps = state.means.steps;
        assert!(listed == state);

        for i in 0..4 * H + 2 {
            let mut broken = state.clone();
            broken.slots_mut().nth(i).unwrap().1[2] = f32::NAN;
            assert!(!broken.is_finite(), "slot {i}");
        }
        let again = |state: &mut RecurrentState<Pair, H>, mut w: Pair| {
            let gradient = w;
            rule.step(state, &mut w, &gradient, 0.0, &mut NoProbe);
            bits::of(&w)
        };
        let first = again(&mut fresh.clone(), w);
        assert!(again(&mut state, w) != first);
        state.reset();
        assert!(state == fresh);
        assert_eq!(again(&mut state, w), first);
    }
    check::<CoordinateLstm<2>, 2>();
    check::<CoordinateLstm<8>, 8>();
    check::<RnnProp<2>, 2>();
    check::<RnnProp<8>, 8>();
}

#[test]
fn observing_leaves_the_state_that_stepping_leaves() {
    fn check<R: Learned>()
    where
        R::State<Pair>: PartialEq,
    {
        let rule = R::from_weights(&random_weights::<R>(3)).unwrap();
        let mut rng = Rng::new(1);
        let mut w = random(&Pair::ZERO, &mut rng, 1.0);
        let (mut stepped, mut observed) = (rule.state(&w), rule.state(&w));
        for _ in 0..5 {
            let gradient = random(&w, &mut rng, 0.1);
            let before = w;
            rule.observe(&mut observed, &w, &gradient, 0.0);
            assert_eq!(bits::of(&w), bits::of(&before));
            rule.step(&mut stepped, &mut w, &gradient, 0.0, &mut NoProbe);
            assert_ne!(bits::of(&w), bits::of(&before));
            assert!(stepped == observed);
        }
    }
    check::<CoordinateLstm<2>>();
    check::<CoordinateLstm<8>>();
    check::<RnnProp<2>>();
    check::<RnnProp<8>>();
}

/// A weights file is read back as it was written, and any single damaged bit is noticed.
#[test]
fn weights_survive_the_file_and_damage_does_not() {
    fn check<R: Learned + PartialEq + core::fmt::Debug>() {
        let weights = random_weights::<R>(4);
        let rule = R::from_weights(&weights).unwrap();
        let mut back = vec![0.0; R::WEIGHTS];
        rule.write_weights(&mut back);
        assert_eq!(bits::patterns(&back), bits::patterns(&weights));
        let mut file = vec![0; R::FILE_LEN];
        assert_eq!(rule.write_file(&mut file).unwrap().len(), R::FILE_LEN);
        assert_eq!(R::read_file(&file), Ok(rule.clone()));
        assert!(rule.write_file(&mut vec![0; R::FILE_LEN - 1]).is_err());
        for i in 0..file.len() {
            for bit in 0..8 {
                let mut damaged = file.clone();
                damaged[i] ^= 1 << bit;
                assert!(R::read_file(&damaged).is_err(), "byte {i}, bit {bit}");
            }
            assert!(R::read_file(&file[..i]).is_err(), "cut to {i} bytes");
        }
        assert!(R::read_file(&[&file[..], &[0]].concat()).is_err());
        let length = WeightsError::Length { expected: R::WEIGHTS, found: R::WEIGHTS - 1 };
        assert_eq!(R::from_weights(&weights[1..]), Err(length));
        for i in 0..R::WEIGHTS {
            let mut infinite = weights.clone();
            infinite[i] = f32::INFINITY;
            assert_eq!(R::from_weights(&infinite), Err(WeightsError::NotFinite));
        }
    }
    check::<CoordinateLstm<2>>();
    check::<RnnProp<2>>();
}

/// The shipped size and the papers', as documented; and one rule's file is not the other's.
#[test]
fn there_are_as_many_weights_as_documented() {
    assert_eq!([CoordinateLstm::<8>::WEIGHTS, CoordinateLstm::<20>::WEIGHTS], [909, 5145]);
    assert_eq!([RnnProp::<8>::WEIGHTS, RnnProp::<20>::WEIGHTS], [1125, 6645]);
    // Reading is what a compiler can do.
    const FOREIGN: (Result<CoordinateLstm<8>, WeightsError>, Result<RnnProp<8>, WeightsError>) =
        (CoordinateLstm::from_bytes(b"L2OX"), RnnProp::from_bytes(b"L2OX"));
    assert_eq!(FOREIGN, (Err(WeightsError::Foreign), Err(WeightsError::Foreign)));
    let rule = CoordinateLstm::<8>::initial(&mut Rng::new(1));
    let mut file = [0; CoordinateLstm::<8>::FILE_LEN];
    rule.write_file(&mut file).unwrap();
    let other = WeightsError::OtherOptimizer { kind: 2, hidden: 8 };
    assert_eq!(RnnProp::<8>::from_bytes(&file), Err(other));
    assert_eq!(CoordinateLstm::<20>::from_bytes(&file), Err(other));
}

/// No weights in use make a NaN of any finite gradient.
#[test]
fn extreme_gradients_leave_everything_finite() {
    fn check<R: Learned>() {
        for seed in 0..5 {
            let rule = R::from_weights(&random_weights::<R>(seed)).unwrap();
            for exponent in [-45, -38, -30, -20, -10, 0, 10, 15, 18, 19, 20, 30, 37] {
                let mut rng = Rng::new(seed);
                let mut w = random(&Pair::ZERO, &mut rng, 1.0);
                let mut state = rule.state(&w);
                for k in 0..12 {
                    let scale = if k % 3 == 2 { 1.0 } else { 10f64.powi(exponent) as f32 };
                    let gradient = random(&w, &mut rng, scale);
                    rule.step(&mut state, &mut w, &gradient, 0.0, &mut NoProbe);
                    assert!(w.is_finite() && state.is_finite(), "1e{exponent}, step {k}");
                }
                assert!(w.0.iter().all(|w| w.abs() < 1e3), "1e{exponent}: {w:?}");
            }
        }
    }
    check::<CoordinateLstm<2>>();
    check::<CoordinateLstm<8>>();
    check::<RnnProp<2>>();
    check::<RnnProp<8>>();
}

/// Zeros and denormals are gradients like others; without any, an untrained rule stands still.
#[test]
fn zeros_and_denormals_are_harmless() {
    fn check<R: Learned>() {
        let rule = R::initial(&mut Rng::new(1));
        for value in [0.0, -0.0, 1e-45, f32::MIN_POSITIVE] {
            let mut w = ([1.0f32; 13], [-1.0f32; 3]);
            let (start, mut state) = (w, rule.state(&w));
            for _ in 0..20 {
                rule.step(&mut state, &mut w, &([value; 13], [value; 3]), 0.0, &mut NoProbe);
            }
            assert!(w.is_finite() && state.is_finite(), "{value}");
            assert!(distance(&widen(&w), &widen(&start)) < 1e-6, "{value}");
        }
    }
    check::<CoordinateLstm<8>>();
    check::<RnnProp<8>>();
}

/// Where meta-training starts from descends, whatever the random part of it, on a badly conditioned bowl.
#[test]
fn they_descend_before_any_training() {
    fn check<R: Learned>() {
        for seed in 0..5 {
            let rule = R::initial(&mut Rng::new(seed));
            let mut w = [1.0f32, -2.0, 3.0, -1.0];
            let mut state = rule.state(&w);
            let curvature = [0.02f32, 0.05, 0.1, 0.2];
            for _ in 0..2000 {
                let gradient: [f32; 4] = core::array::from_fn(|i| curvature[i] * w[i]);
                rule.step(&mut state, &mut w, &gradient, 0.0, &mut NoProbe);
            }
            assert!(w.iter().all(|w| w.abs() < 0.05), "{w:?}");
        }
    }
    check::<CoordinateLstm<8>>();
    check::<RnnProp<8>>();
}
