//! The inner loops that take the most time, for a processor with a floating-point unit for one number at a time. `lgl2o-vfp` has the same in assembly.

use super::{SIDE, Tile, add_products, add_row, cut};
use crate::sum::{self, LANES};

/// The sums of a row that has not begun.
const NOTHING: [f32; SIDE] = [0.0; SIDE];
/// Numbers of each lane to one turn of the loop over them: its eight pointers move once for all of them.
const BLOCKS: usize = 2;
/// Examples that [`add_examples`] takes, at most.
pub(super) const EXAMPLES: usize = 16;

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

/// g\[o\]\[i\] <- ((g\[o\]\[i\] + e_0\[o\] x_0\[i\]) + e_1\[o\] x_1\[i\]) + ... for each i of `g[0]`, over the rows that `x` gives, at most
/// [`EXAMPLES`]; e_s is the first four numbers of row s of `e`, whose rows begin `step` numbers apart. The sums begin with zero, not
/// with g\[o\]\[i\], if `from_zero`. Returns how many rows that were. If one of the others is shorter than `g[0]`, or an e_s is missing, or there is no row or no number, all stay as they are, and it returns 0.
#[inline(never)]
pub(crate) fn add_examples<'a>(
    g: [&mut [f32]; SIDE],
    e: &[f32],
    step: usize,
    x: impl Iterator<Item = &'a [f32]>,
    from_zero: bool,
) -> usize {
    let [a, b, c, d] = g;
    let columns = a.len();
    if columns == 0 {
        return 0;
    }
    let (mut rows, mut n): ([&[f32]; EXAMPLES], usize) = ([&[]; EXAMPLES], 0);
    for (row, x) in rows.iter_mut().zip(x) {
        let Some(x) = x.get(..columns) else { return 0 };
        *row = x;
        n += 1;
    }
    let errors = |s: usize| e.get(s.checked_mul(step)?..)?.first_chunk::<SIDE>();
    let there = n.checked_sub(1).and_then(errors);
    let all = [&b, &c, &d].iter().all(|g| g.len() >= columns);
    let (Some(rows), Some(_), true) = (rows.get(..n), there, all) else { return 0 };
    for i in 0..columns {
        let mut sums = if from_zero { NOTHING } else { [a[i], b[i], c[i], d[i]] };
        for (e, x) in (0..n).filter_map(errors).zip(rows) {
            add_row(&mut sums, x[i], *e);
        }
        [a[i], b[i], c[i], d[i]] = sums;
    }
    n
}

/// sums\[k\] <- sums\[k\] + e\[i\] w_i\[k\] for every number i of `e`, in their order, where w_i is the first eight numbers of row i of `w`; rows begin
/// `step` numbers apart. Returns whether there is a number and so many rows; if not, the sums stay as they are.
#[inline(always)]
pub(crate) fn products(sums: &mut [f32; 8], e: &[f32], w: &[f32], step: usize) -> bool {
    if e.is_empty() {
        return false;
    }
    let (mut all, mut rest) = (*sums, w);
    for &e in e {
        let Some(row) = rest.first_chunk() else { return false };
        add_products(&mut all, e, row);
        rest = rest.get(step..).unwrap_or_default();
    }
    *sums = all;
    true
}
