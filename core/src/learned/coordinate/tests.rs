//! The weights file, Adam as a special case, oddness, and `observe` beside `step`.

use super::*;
use crate::rng::Rng;
use crate::rule::NoProbe;

type Rule8 = CoordinateMlp<8>;

fn file(weights: &[f32; 151]) -> [u8; 620] {
    let mut bytes = [0; 620];
    let mut rule = Rule8::ZERO;
    // Not `from_weights`: a file with a weight that is not finite is wanted, too.
    weights.iter().enumerate().for_each(|(i, &w)| rule.set(i, w));
    assert_eq!(rule.write_file(&mut bytes).unwrap().len(), Rule8::FILE_LEN);
    bytes
}

#[test]
fn weights_survive_the_file() {
    let mut rng = Rng::new(1);
    let weights: [f32; 151] = core::array::from_fn(|_| rng.normal());
    let rule = Rule8::from_bytes(&file(&weights)).unwrap();
    let mut back = [0.0; 151];
    rule.write_weights(&mut back);
    assert_eq!(back, weights);
    assert_eq!(Rule8::from_weights(&weights), Ok(rule));
}

#[test]
fn bad_files_are_refused() {
    let good = file(&[0.5; 151]);
    assert_eq!(Rule8::from_bytes(b"L2O"), Err(WeightsError::Foreign));
    assert_eq!(Rule8::from_bytes(&[0; 620]), Err(WeightsError::Foreign));
    assert_eq!(Rule8::from_bytes(&good[..600]), Err(WeightsError::Length { expected: 620, found: 600 }));
    assert_eq!(CoordinateMlp::<4>::from_bytes(&good), Err(WeightsError::OtherOptimizer { kind: 1, hidden: 8 }));
    let mut newer = good;
    newer[4] = 9;
    assert_eq!(Rule8::from_bytes(&newer), Err(WeightsError::Version(9)));
    let mut infinite = [0.5; 151];
    infinite[7] = f32::INFINITY;
    assert_eq!(Rule8::from_bytes(&file(&infinite)), Err(WeightsError::NotFinite));
    for bit in 0..8 * good.len() {
        let mut damaged = good;
        damaged[bit / 8] ^= 1 << (bit % 8);
        // Byte 7 is reserved, but under the checksum like all others.
        assert!(Rule8::from_bytes(&damaged).is_err(), "bit {bit}");
    }
}

#[test]
fn untrained_it_steps_like_adam() {
    let rule = Rule8::adam();
    let adam = crate::rule::Adam { beta2: 0.99, ..crate::rule::Adam::new(0.01) };
    let (mut a, mut b) = ([0.5f32; 11], [0.5f32; 11]);
    let (mut state_a, mut state_b) = (rule.state(&a), adam.state(&b));
    let mut rng = Rng::new(5);
    for _ in 0..20 {
        let gradient: [f32; 11] = core::array::from_fn(|i| rng.normal() * (i as f32 + 0.1));
        rule.step(&mut state_a, &mut a, &gradient, 0.0, &mut NoProbe);
        adam.step(&mut state_b, &mut b, &gradient, 0.0, &mut NoProbe);
    }
    for (a, b) in a.iter().zip(b) {
        assert!((a - b).abs() < 1e-5, "{a} {b}");
    }
}

#[test]
fn it_is_odd_in_gradients_and_parameters_together() {
    let mut rng = Rng::new(7);
    let weights: [f32; 151] = core::array::from_fn(|_| rng.normal());
    let rule = Rule8::from_weights(&weights).unwrap();
    let mut w: [f32; 13] = core::array::from_fn(|_| rng.normal());
    let mut mirrored = w.map(|w| -w);
    let (mut state, mut mirrored_state) = (rule.state(&w), rule.state(&mirrored));
    for _ in 0..10 {
        let gradient: [f32; 13] = core::array::from_fn(|_| rng.normal());
        rule.step(&mut state, &mut w, &gradient, 0.0, &mut NoProbe);
        rule.step(&mut mirrored_state, &mut mirrored, &gradient.map(|g| -g), 0.0, &mut NoProbe);
        assert_eq!(w, mirrored.map(|w| -w));
    }
}

#[test]
fn observing_leaves_the_state_that_stepping_leaves() {
    let rule = crate::learned::tiny();
    let mut w = [0.3f32; 9];
    let (mut stepped, mut observed) = (rule.state(&w), rule.state(&w));
    for k in 0..5 {
        let gradient = [k as f32 - 1.7; 9];
        rule.observe(&mut observed, &w, &gradient, 0.0);
        rule.step(&mut stepped, &mut w, &gradient, 0.0, &mut NoProbe);
        assert_eq!(stepped, observed);
    }
}

/// However many parameters are moved at a time, each is moved alike.
#[test]
fn blocks_change_no_bit() {
    let (rule, clock, mut rng) = (crate::learned::tiny(), Clock::new(3), Rng::new(12));
    for n in 0..20 {
        let [g, mut v, mut m5, mut m9, mut m99, w] =
            core::array::from_fn(|_| core::array::from_fn::<f32, 20, _>(|_| rng.normal()));
        v.iter_mut().for_each(|v| *v *= *v);
        let slots = Slots { square: &mut v[..n], means: [&mut m5[..n], &mut m9[..n], &mut m99[..n]] };
        let (mut ones, mut twos, mut eights) = (w, w, w);
        rule.move_tensor::<1>(&clock, &slots, &mut ones[..n], &g[..n]);
        rule.move_tensor::<2>(&clock, &slots, &mut twos[..n], &g[..n]);
        rule.move_tensor::<8>(&clock, &slots, &mut eights[..n], &g[..n]);
        assert_eq!(ones.map(f32::to_bits), eights.map(f32::to_bits));
        assert_eq!(ones.map(f32::to_bits), twos.map(f32::to_bits));
        assert!(n == 0 || ones != w);
    }
}
