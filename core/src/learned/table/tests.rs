//! The weights file, the nodes of the tables, hand-computed steps, oddness, and `observe` beside `step`.

use super::*;
use crate::rule::NoProbe;

const LEN: usize = Table::FILE_LEN;

/// Tables of which no two entries nearby are equal, and numbers.
fn some() -> Table {
    let mut rng = Rng::new(1);
    let weights: [f32; Table::WEIGHTS] = core::array::from_fn(|_| 0.5 * rng.normal());
    Table::from_weights(&weights).unwrap()
}

fn file(rule: &Table) -> [u8; LEN] {
    let mut bytes = [0; LEN];
    assert_eq!(rule.write_file(&mut bytes).unwrap().len(), LEN);
    bytes
}

#[test]
fn weights_survive_the_file_after_rounding() {
    let rule = some();
    assert_eq!((Table::WEIGHTS, LEN), (99, 142));
    assert_eq!(Table::from_bytes(&file(&rule)).as_ref(), Ok(&rule));
    let mut weights = [0.0; Table::WEIGHTS];
    rule.write_weights(&mut weights);
    assert_eq!(Table::from_weights(&weights).as_ref(), Ok(&rule));
    assert!(rule.write_file(&mut [0; LEN - 1]).is_err());
}

#[test]
fn entries_are_rounded_to_64ths_within_their_bounds() {
    let mut weights = [0.0; Table::WEIGHTS];
    weights[..7].copy_from_slice(&[0.49 / 64.0, 0.51 / 64.0, -0.51 / 64.0, 1.0, -2.0, 9e9, -9e9]);
    let rule = Table::from_weights(&weights).unwrap();
    assert_eq!(rule.agreement[0][..7], [0, 1, -1, 64, -128, 127, -128]);
    assert_eq!(Table::from_bytes(&file(&rule)), Ok(rule));
}

#[test]
fn bad_files_are_refused() {
    let good = file(&some());
    assert_eq!(Table::from_bytes(b"L2O"), Err(WeightsError::Foreign));
    assert_eq!(Table::from_bytes(&good[..100]), Err(WeightsError::Length { expected: 142, found: 100 }));
    let other = super::super::CoordinateMlp::<8>::from_bytes(&good);
    assert_eq!(other, Err(WeightsError::OtherOptimizer { kind: 5, hidden: 9 }));
    let mut infinite = some();
    infinite.numbers[8] = f32::INFINITY;
    assert_eq!(Table::from_bytes(&file(&infinite)), Err(WeightsError::NotFinite));
    for bit in 0..8 * LEN {
        let mut damaged = good;
        damaged[bit / 8] ^= 1 << (bit % 8);
        assert!(Table::from_bytes(&damaged).is_err(), "bit {bit}");
    }
    assert_eq!(Table::from_weights(&[0.0; 98]), Err(WeightsError::Length { expected: Table::WEIGHTS, found: 98 }));
    assert_eq!(Table::from_weights(&[f32::NAN; 99]), Err(WeightsError::NotFinite));
}

/// |m| / rms(m) at the nodes.
const Y: [f32; NODES] = [0.0, 0.5, 1.0, 2.0, 3.0, 5.0, 7.0, 11.0, 15.0];
/// g / sqrt(v) at the nodes; that of the middle one may be less.
const X: [f32; NODES] = [-4.0, -2.0, -1.0, -0.5, 0.25, 0.5, 1.0, 2.0, 4.0];

const UNIT: Scales = Scales { factor: 1.0, inverse_rms: 1.0, rates: [1.0; 2], unbias: 1.0, mean_square: 1.0 };

/// The factor for g / sqrt(v), |m| / rms(m), and sqrt(v).
fn factor(rule: &Table, x: f32, y: f32, size: f32) -> f32 {
    let [x, y, z] = places(&UNIT, [&[x * size; 8], &[size * size; 8], &[y; 8]]);
    rule.factor([x[0], y[3], z[7]])
}

#[test]
fn entries_are_hit_exactly_at_the_nodes() {
    let rule = some();
    for (row, y) in rule.agreement.iter().zip(Y) {
        for (&entry, x) in row.iter().zip(X) {
            for (k, &size) in rule.size.iter().enumerate() {
                let found = factor(&rule, x, y, exp2_linear(k as f32 - 6.0));
                let sum = i32::from(entry) + i32::from(size);
                let expected = exp2_linear(sum as f32 / 16.0);
                if [-4.0, 4.0].contains(&x) || y == 15.0 || k == 8 {
                    // The last nodes are reached but for a 2048th of the way, of at most 16 octaves an axis.
                    assert!((found / expected - 1.0).abs() < 0.02, "{x} {y} {k}: {found} {expected}");
                } else {
                    assert_eq!(found, expected, "{x} {y} {k}");
                }
            }
        }
    }
}

/// Halfway between nodes stands the mean of their exponents; beyond the last ones, what stands at these.
#[test]
fn between_nodes_lies_a_plane() {
    let rule = some();
    let entry = |y: usize, x: usize| f32::from(rule.agreement[y][x]);
    let at = |x, y| log2_linear(factor(&rule, x, y, 1.0)) * 16.0 - f32::from(rule.size[6]);
    assert_eq!(at(1.0, 0.25), 0.5 * (entry(0, 6) + entry(1, 6)));
    assert_eq!(at(-2.0, 4.0), 0.5 * (entry(4, 1) + entry(5, 1)));
    assert_eq!(at(0.0, 1.0), entry(2, 4));
    assert_eq!(at(-0.0, 1.0), entry(2, 4));
    // 1.5^2 = 2.25 is an eighth of the way from 2 to 4, and x counts the square's octaves.
    let eighth = 0.5 + 0.5 * 0.125;
    assert!((at(1.5, 1.0) - entry(2, 6) - eighth * (entry(2, 7) - entry(2, 6))).abs() < 0.1);
    for y in [16.0, 1e9, 1e30] {
        assert!((at(1.0, y) - entry(8, 6)).abs() < 0.1);
    }
    assert!(
        (factor(&rule, 1e15, 1.0, 1.0) / exp2_linear((entry(2, 8) + f32::from(rule.size[6])) / 16.0) - 1.0).abs()
            < 0.01
    );
}

/// The first step of one parameter with g = 1/2: m / rms(m) = 1, v' = 1/4, so level = 6 and the rate is 0.64.
#[test]
fn a_step_by_hand() {
    let step = |rule: &Table| {
        let mut w = [2.0f32];
        rule.step(&mut rule.state(&w), &mut w, &[0.5], 0.0, &mut NoProbe);
        2.0 - w[0]
    };
    let mut rule = Table::momentum();
    assert!((step(&rule) - 0.64).abs() < 1e-5);
    // The gradient is as great as usual and along the mean: x is at node 6, y at node 2, z at node 6.
    (rule.agreement[2][6], rule.size[6]) = (24, -8);
    assert!((step(&rule) - 1.28).abs() < 2e-3);
    // nu g / rms(g) = 0.5 comes on top of m / rms(m) = 1.
    rule.numbers[8] = 0.5;
    assert!((step(&rule) - 1.92).abs() < 3e-3);
    // kappa = 0 and o = 1: the rate is 0.02.
    (rule.numbers[6], rule.numbers[7]) = (1.0, 0.0);
    assert!((step(&rule) - 0.06).abs() < 1e-4);
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
    let mut w = [0.3f32; 9];
    let (mut stepped, mut observed) = (rule.state(&w), rule.state(&w));
    for k in 0..5 {
        let gradient = [k as f32 - 1.7; 9];
        rule.observe(&mut observed, &w, &gradient, 0.0);
        rule.step(&mut stepped, &mut w, &gradient, 0.0, &mut NoProbe);
        assert_eq!(stepped, observed);
    }
}

/// The greatest and the least entries side by side: no sum of integers overflows, and the factor stays within 16
/// octaves.
#[test]
fn the_steepest_table_stays_within_its_bounds() {
    let mut rng = Rng::new(11);
    for first in [-128, 127] {
        let mut rule = Table::ZERO;
        (0..ENTRIES).for_each(|i| rule.set_entry(i, if i % 2 == 0 { first } else { -1 - first }));
        for _ in 0..2000 {
            let mut wild = || exp2_linear(rng.range(-126.0, 127.0)) * rng.range(-1.0, 1.0);
            let block = [[wild()], [abs(wild())], [wild()]];
            let [x, y, z] = places(&UNIT, block.each_ref());
            let factor = rule.factor([x[0], y[0], z[0]]);
            assert!((exp2_linear(-16.0)..exp2_linear(16.0)).contains(&factor), "{block:?}: {factor}");
        }
    }
}

/// However many parameters are moved at a time, each is moved alike.
#[test]
fn blocks_change_no_bit() {
    let (rule, mut rng) = (some(), Rng::new(12));
    for n in 0..20 {
        let [g, v, m, w] = core::array::from_fn(|_| core::array::from_fn::<f32, 20, _>(|_| rng.normal()));
        let v = v.map(abs);
        let (mut ones, mut eights) = (w, w);
        rule.move_tensor::<1>(&UNIT, [&v[..n], &m[..n]], &mut ones[..n], &g[..n]);
        rule.move_tensor::<8>(&UNIT, [&v[..n], &m[..n]], &mut eights[..n], &g[..n]);
        assert_eq!(ones.map(f32::to_bits), eights.map(f32::to_bits));
        assert!(n == 0 || ones != w);
    }
}
