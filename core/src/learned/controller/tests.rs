//! The weights file, hand-computed steps, oddness, memories, and `observe` beside `step`.

use super::*;
use crate::rule::{NoProbe, RuleState};

const LEN: usize = TensorController::FILE_LEN;
type Weights = [f32; TensorController::WEIGHTS];

fn some() -> TensorController {
    let mut rng = Rng::new(1);
    let weights: Weights = core::array::from_fn(|_| 0.3 * rng.normal());
    TensorController::from_weights(&weights).unwrap()
}

fn file(rule: &TensorController) -> [u8; LEN] {
    let mut bytes = [0; LEN];
    assert_eq!(rule.write_file(&mut bytes).unwrap().len(), LEN);
    bytes
}

#[test]
fn weights_survive_the_file() {
    assert_eq!((TensorController::WEIGHTS, LEN), (296, 1200));
    let mut rng = Rng::new(2);
    let weights: Weights = core::array::from_fn(|_| rng.normal());
    let rule = TensorController::from_weights(&weights).unwrap();
    let mut back = [0.0; TensorController::WEIGHTS];
    rule.write_weights(&mut back);
    assert_eq!(back, weights);
    assert_eq!(TensorController::from_bytes(&file(&rule)), Ok(rule));
}

/// Two floats per parameter, steps and memo, and 320 bytes.
#[test]
fn the_state_is_as_large_as_documented() {
    assert_eq!(size_of::<ControllerState<[f32; 100]>>(), 800 + 8 + 320);
    assert_eq!(ControllerState::<[f32; 3]>::ZERO, some().state(&[1.0; 3]));
}

#[test]
fn bad_files_are_refused() {
    let good = file(&some());
    assert_eq!(TensorController::from_bytes(b"L2O"), Err(WeightsError::Foreign));
    let cut = Err(WeightsError::Length { expected: LEN, found: 100 });
    assert_eq!(TensorController::from_bytes(&good[..100]), cut);
    let mut infinite = some();
    infinite.kappa = f32::INFINITY;
    assert_eq!(TensorController::from_bytes(&file(&infinite)), Err(WeightsError::NotFinite));
    for bit in 0..8 * LEN {
        let mut damaged = good;
        damaged[bit / 8] ^= 1 << (bit % 8);
        assert!(TensorController::from_bytes(&damaged).is_err(), "bit {bit}");
    }
    let short = Err(WeightsError::Length { expected: TensorController::WEIGHTS, found: 3 });
    assert_eq!(TensorController::from_weights(&[0.0; 3]), short);
    assert_eq!(TensorController::from_weights(&[f32::NAN; 296]), Err(WeightsError::NotFinite));
}

/// Two parameters with g = 1/2 and 1/4 at first: m' = g and v' = g^2, whose mean is 5/32, so that
/// log2(mean v') = -3 + 1/4 on its line, and level = 5.625, of which 2^ is 2^5 1.625.
#[test]
fn a_first_step_by_hand() {
    let step = |rule: &TensorController| {
        let mut w = [2.0f32, 2.0];
        rule.step(&mut rule.state(&w), &mut w, &[0.5, 0.25], 0.0, &mut NoProbe);
        w.map(|w| 2.0 - w)
    };
    let close = |found: [f32; 2], expected: [f32; 2]| {
        assert!(found.iter().zip(expected).all(|(f, e)| (f / e - 1.0).abs() < 1e-4), "{found:?}, not {expected:?}");
    };
    let mut rule = TensorController { kappa: 1.0, ..TensorController::ZERO };
    let (rate, root) = (0.01 * 32.0 * 1.625, libm::sqrtf(5.0 / 32.0));
    close(step(&rule), [rate * 0.5 / root, rate * 0.25 / root]);
    // The last weight in each row of the output is o: a rate four times as great, another beta, which the correction
    // hides in the first step, and Adam's exponent. v' is 2^0.75 and 2^-1.25 times its mean on the line, its root
    // 2^0.375 and 2^-0.625, whose inverses are 2^-0.375 = 1.625 / 2 and 2^0.625 = 1.625 on theirs.
    for (row, o) in rule.output.iter_mut().zip([2.0, -3.0, 1.0]) {
        row[HIDDEN + INPUTS] = o;
    }
    let rate = 0.64;
    close(step(&rule), [rate * 0.5 / root * 0.8125, rate * 0.25 / root * 1.625]);
}

/// The network sets beta for the very gradient that it saw: after two steps with beta = 1 - 0.1 2^p, m is as expected.
#[test]
fn momentum_is_what_the_network_says() {
    let mut rule = TensorController::momentum();
    rule.output[1][HIDDEN + INPUTS] = 1.0;
    let mut w = [1.0f32];
    let mut state = rule.state(&w);
    rule.step(&mut state, &mut w, &[1.0], 0.0, &mut NoProbe);
    rule.step(&mut state, &mut w, &[-2.0], 0.0, &mut NoProbe);
    let [mean, _] = state.means.slots;
    assert!((mean[0] - (0.8 * 0.2 - 0.2 * 2.0)).abs() < 1e-6);
    assert!((state.tensors[0].filled - 0.36).abs() < 1e-6);
    // The second gradient was against the first.
    let [fast, slow] = state.tensors[0].agreement;
    assert!((fast + 0.1).abs() < 1e-5 && (slow + 0.01).abs() < 1e-5, "{fast} {slow}");
}

#[test]
fn it_is_odd_in_gradients_and_parameters_together() {
    let mut rng = Rng::new(7);
    let rule = some();
    let mut w: [f32; 13] = core::array::from_fn(|_| rng.normal());
    let mut mirrored = w.map(|w| -w);
    let (mut state, mut mirrored_state) = (rule.state(&w), rule.state(&mirrored));
    for _ in 0..20 {
        let gradient: [f32; 13] = core::array::from_fn(|_| rng.normal());
        rule.step(&mut state, &mut w, &gradient, 0.0, &mut NoProbe);
        rule.step(&mut mirrored_state, &mut mirrored, &gradient.map(|g| -g), 0.0, &mut NoProbe);
        assert_eq!(w.map(f32::to_bits), mirrored.map(|w| (-w).to_bits()));
    }
}

#[test]
fn observing_leaves_the_state_that_stepping_leaves() {
    let rule = some();
    let mut w = ([0.3f32; 9], [0.1f32; 2]);
    let (mut stepped, mut observed) = (rule.state(&w), rule.state(&w));
    for k in 0..5 {
        let gradient = ([k as f32 - 1.7; 9], [0.5 * k as f32 - 1.1; 2]);
        rule.observe(&mut observed, &w, &gradient, 0.0);
        rule.step(&mut stepped, &mut w, &gradient, k as f32, &mut NoProbe);
        assert_eq!(stepped, observed);
        assert!(stepped.tensors[0] != stepped.tensors[1] && stepped.tensors[2] == TensorMemory::ZERO);
    }
    let mut other = rule.state(&w);
    other.copy_from(&stepped);
    assert_eq!(other, stepped);
    other.reset();
    assert_eq!(other, rule.state(&w));
    stepped.tensors[1].agreement[1] = f32::NAN;
    assert!(observed.is_finite() && !stepped.is_finite());
}

/// Of seventeen tensors the last one moves, and leaves all memories as sixteen leave them.
#[test]
fn tensors_past_the_last_memory_only_read_it() {
    type Pair = ([f32; 3], [f32; 3]);
    type Eight = ((Pair, Pair), (Pair, Pair));
    type Seventeen = ((Eight, Eight), [f32; 3]);
    const P: Pair = ([1.0, 2.0, 3.0], [1.0, 2.0, 3.0]);
    const E: Eight = ((P, P), (P, P));
    let (mut w, gradient): (Seventeen, Seventeen) = (((E, E), P.0), ((E, E), P.0));
    let rule = some();
    let (mut state, mut few) = (rule.state(&w), rule.state(&w.0));
    rule.step(&mut few, &mut w.0.clone(), &gradient.0, 0.0, &mut NoProbe);
    rule.step(&mut state, &mut w, &gradient, 0.0, &mut NoProbe);
    assert_eq!(state.tensors, few.tensors);
    assert!(w.1.iter().all(|x| x.is_finite()) && w.1 != P.0);
}
