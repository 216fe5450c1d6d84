//! What a processor with a single-precision floating-point unit runs, beside single numbers.

use super::*;
use crate::objective::mlp::dense::plain;

/// The code for a processor with a single-precision floating-point unit has the bits of one number after the other.
#[test]
fn single_rows_are_those_of_single_numbers() {
    const WIDE: usize = 19;
    let numbers: [f32; 7 * (WIDE + 3)] = core::array::from_fn(|i| ((i * 7919) % 101) as f32 * 0.13 - 6.1);
    let (inputs, errors) = numbers.split_at(7 * WIDE);
    for (n, column, start) in
        (0..=7).flat_map(|n| (0..WIDE).flat_map(move |c| [(n, c, Start::Zero), (n, c, Start::Given)]))
    {
        let before: [f32; WIDE] = core::array::from_fn(|i| 0.7 * i as f32 - 3.0);
        let mut g = before;
        add_row(&mut g[column..], errors, [1, 3], Rows::all(inputs, WIDE), [column, n], start);
        for (i, g) in g.into_iter().enumerate() {
            let first = if start == Start::Zero { 0.0 } else { before[i] };
            let sum = (0..n).fold(first, |sum, s| sum + errors[3 * s + 1] * inputs[WIDE * s + i]);
            let expected = if i < column { before[i] } else { sum };
            assert_eq!(g.to_bits(), expected.to_bits(), "{n} {column} {i} {start:?}");
        }
    }
}

/// The same of four rows at a time, for more examples than are added at once, and up to the first that is missing.
#[test]
fn tiles_of_rows_are_those_of_single_numbers() {
    const WIDE: usize = 7;
    const OUTPUTS: usize = 6;
    let numbers: [f32; 34 * (WIDE + OUTPUTS)] = core::array::from_fn(|i| ((i * 7919) % 101) as f32 * 0.13 - 6.1);
    let (inputs, errors) = numbers.split_at(34 * WIDE);
    let mut pick: [u32; 34] = core::array::from_fn(|s| (s as u32 * 5) % 34);
    for (n, missing, start) in
        (0..=34).flat_map(|n| [33, 20, 3].into_iter().flat_map(move |m| [(n, m, Start::Zero), (n, m, Start::Given)]))
    {
        pick[missing] += 1000;
        let mut g: [[f32; WIDE]; SIDE] =
            core::array::from_fn(|o| core::array::from_fn(|i| (o * WIDE + i) as f32 - 3.5));
        let before = g;
        let rows = g.each_mut().map(|g| &mut g[1..]);
        add_tiles(rows, errors, [2, OUTPUTS], Rows::picked(inputs, WIDE, &pick), [1, n], start);
        for (o, i) in (0..SIDE).flat_map(|o| (1..WIDE).map(move |i| (o, i))) {
            let first = if start == Start::Zero { 0.0 } else { before[o][i] };
            let sum = (0..n.min(missing))
                .fold(first, |sum, s| sum + errors[OUTPUTS * s + 2 + o] * inputs[WIDE * pick[s] as usize + i]);
            assert_eq!(g[o][i].to_bits(), sum.to_bits(), "{n} {missing} {o} {i} {start:?}");
        }
        pick[missing] -= 1000;
    }
}

/// The code for a processor with a single-precision floating-point unit has the bits of one number after the other.
#[test]
fn gradients_of_points_are_those_of_single_numbers() {
    let numbers: [f32; 90] = core::array::from_fn(|i| ((i * 7919) % 101) as f32 * 0.13 - 6.1);
    let (inputs, errors) = numbers.split_at(PLANE * 7);
    for (n, outputs) in (0..=7).flat_map(|n| (1..=10).map(move |outputs| (n, outputs))) {
        let (mut fast, mut slow) = ([9.0; PLANE * 10], [9.0; PLANE * 10]);
        let width = PLANE * outputs;
        by_points(errors, Rows::all(inputs, PLANE), n, outputs, &mut fast[..width]);
        plain::weight_gradient(errors, Rows::all(inputs, PLANE), n, outputs, &mut slow[..width]);
        assert_eq!(fast.map(f32::to_bits), slow.map(f32::to_bits), "{n} {outputs}");
    }
}
