//! The inner loops that take the most time, for a processor with a floating-point unit for one number at a time. `lgl2o-vfp` has the same in assembly.

use super::{SIDE, Tile, add_products, add_row, cut};
use crate::sum::{self, LANES};

/// The sums of a row that has not begun.
const NOTHING: [f32; SIDE] = [0.0; SIDE];
/// Numbers of each lane to one turn of the loop over them: its eight pointers move once for all of them.
const BLOCKS: usize = 2;
/// Numbers of each row to one turn of the loop in [`add_four_rows`].
const TURN: usize = 4;

/// The dot product of each of four rows w with each of four rows x, in the order of [`sum::tree`]; \[o\]\[k\] is that of w_o and x_k. They
/// are zero if a row is shorter than the first one.
#[inline]
pub(crate) fn dots_of_tile(w: [&[f32]; SIDE], x: [&[f32]; SIDE]) -> Tile {
    let mut sums = [[NOTHING; SIDE]; LANES];
    lanes(w, x, &mut sums);
    let [s0, s1, s2, s3, s4, s5, s6, s7] = &sums;
    core::array::from_fn(|o| {
        core::array::from_fn(|k| {
            sum::tree([s0[o][k], s1[o][k], s2[o][k], s3[o][k], s4[o][k], s5[o][k], s6[o][k], s7[o][k]])
        })
    })
}

/// The eight partial sums of each product of one of four rows w and one of four rows x, lane by lane. Rows that are
/// shorter than the first one leave the sums as they are.
// A function of its own, so that the sums have the registers for themselves.
#[inline(never)]
fn lanes(w: [&[f32]; SIDE], x: [&[f32]; SIDE], sums: &mut [Tile; LANES]) {
    let width = w[0].len();
    // Cut once, so that no access below is checked.
    let (Some(w), Some(x)) = (cut(w, width), cut(x, width)) else { return };
    let w = of_four!(w in w => w.as_chunks::<{ BLOCKS * LANES }>());
    let x = of_four!(x in x => x.as_chunks::<{ BLOCKS * LANES }>());
    let turns = width / (BLOCKS * LANES);
    for (l, sums) in sums.iter_mut().enumerate() {
        let mut tile = [NOTHING, NOTHING, NOTHING, NOTHING];
        for i in 0..turns {
            add_tile!(tile, w of w => w.0[i][l], of_four!(x in x => x.0[i][l]));
            add_tile!(tile, w of w => w.0[i][LANES + l], of_four!(x in x => x.0[i][LANES + l]));
        }
        let mut i = l;
        // What is left is as long for all rows.
        while i < w[0].1.len() {
            add_tile!(tile, w of w => w.1[i], of_four!(x in x => x.1[i]));
            i += LANES;
        }
        *sums = tile;
    }
}

/// sums\[o\] <- (((sums\[o\] + e\[0\]\[o\] x\[0\]) + e\[1\]\[o\] x\[1\]) + e\[2\]\[o\] x\[2\]) + e\[3\]\[o\] x\[3\].
#[inline(always)]
fn add_examples(sums: &mut [f32; SIDE], e: &Tile, x: [f32; SIDE]) {
    add_row(sums, x[0], e[0]);
    add_row(sums, x[1], e[1]);
    add_row(sums, x[2], e[2]);
    add_row(sums, x[3], e[3]);
}

/// One number of each of four rows g, at place j of turn i.
macro_rules! column {
    ($zero:expr, $g:expr, $e:expr, $x:expr, $i:expr, $j:expr) => {{
        let mut sums = if $zero { NOTHING } else { [$g[0][$i][$j], $g[1][$i][$j], $g[2][$i][$j], $g[3][$i][$j]] };
        add_examples(&mut sums, $e, of_four!(x in $x => x[$i][$j]));
        $g[0][$i][$j] = sums[0];
        $g[1][$i][$j] = sums[1];
        $g[2][$i][$j] = sums[2];
        $g[3][$i][$j] = sums[3];
    }};
}

/// g\[o\] <- (((g\[o\] + e\[0\]\[o\] x\[0\]) + e\[1\]\[o\] x\[1\]) + e\[2\]\[o\] x\[2\]) + e\[3\]\[o\] x\[3\] for rows
/// g\[o\] that are as long as those of x; the sums begin with zero, not with g\[o\], if ZERO. Rows that are shorter than
/// x\[0\] stay as they are.
// A function of its own: inlined, the errors no longer stay in registers.
// i names a place in four rows.
#[allow(clippy::needless_range_loop)]
#[inline(never)]
pub(crate) fn add_four_rows<const ZERO: bool>(g: [&mut [f32]; SIDE], e: [&[f32; SIDE]; SIDE], x: [&[f32]; SIDE]) {
    let n = x[0].len();
    // Cut once, so that no access below is checked.
    let (Some(x), [Some(a), Some(b), Some(c), Some(d)]) = (cut(x, n), of_four!(g in g => g.get_mut(..n))) else {
        return;
    };
    let g = [a, b, c, d];
    let e = &of_four!(e in e => *e);
    let x = of_four!(x in x => x.as_chunks::<TURN>());
    let g = of_four!(g in g => g.as_chunks_mut::<TURN>());
    let (turns, rest) = {
        let [(a, p), (b, q), (c, r), (d, s)] = g;
        ([a, b, c, d], [p, q, r, s])
    };
    let whole = of_four!(x in x => x.0);
    for i in 0..n / TURN {
        column!(ZERO, turns, e, whole, i, 0);
        column!(ZERO, turns, e, whole, i, 1);
        column!(ZERO, turns, e, whole, i, 2);
        column!(ZERO, turns, e, whole, i, 3);
    }
    for i in 0..n % TURN {
        let mut sums = if ZERO { NOTHING } else { [rest[0][i], rest[1][i], rest[2][i], rest[3][i]] };
        add_examples(&mut sums, e, of_four!(x in x => x.1[i]));
        rest[0][i] = sums[0];
        rest[1][i] = sums[1];
        rest[2][i] = sums[2];
        rest[3][i] = sums[3];
    }
}

/// sums\[k\] <- sums\[k\] + e\[i\] w_i\[k\] for every number i of `e`, in their order, where w_i is the first eight numbers of row i of `w`; rows begin
/// `step` numbers apart. Returns whether there are so many rows; if not, the sums stay as they are.
#[inline(always)]
pub(crate) fn products(sums: &mut [f32; 8], e: &[f32], w: &[f32], step: usize) -> bool {
    let (mut all, mut rest) = (*sums, w);
    for &e in e {
        let Some(row) = rest.first_chunk() else { return false };
        add_products(&mut all, e, row);
        rest = rest.get(step..).unwrap_or_default();
    }
    *sums = all;
    true
}
