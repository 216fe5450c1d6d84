//! The kernels of [`products`](super::products) for a desktop: sums stay in vector registers.
//!
//! Everything is inlined, so that it is compiled for the same vectors as its caller.

use crate::sum::LANES;

/// The longest side of a matrix that is turned.
pub const LONGEST: usize = 128;
/// Rows of sums that are in registers at a time.
const ROWS: usize = 4;
/// Numbers of two vectors.
const WIDE: usize = 2 * LANES;

/// `to`\[i\]\[j\] += sum over k of c_ik `from`\[k\]\[j\]; see [`add_sums`](super::products::add_sums).
#[inline(always)]
pub(super) fn add_sums(coefficients: &[f32], strides: [usize; 2], from: &[f32], n: usize, to: &mut [f32]) {
    let (wide, whole) = (n - n % WIDE, n - n % LANES);
    for j in (0..wide).step_by(WIDE) {
        columns::<WIDE>(coefficients, strides, from, [n, j], to);
    }
    for j in (wide..whole).step_by(LANES) {
        columns::<LANES>(coefficients, strides, from, [n, j], to);
    }
    if whole < n {
        last_columns(coefficients, strides, from, [n, whole], to);
    }
}

/// The columns from j on, C of them.
#[inline(always)]
fn columns<const C: usize>(
    coefficients: &[f32],
    strides: [usize; 2],
    from: &[f32],
    [n, j]: [usize; 2],
    to: &mut [f32],
) {
    let block = |row: &[f32]| row.get(j..).and_then(|row| row.first_chunk().copied()).unwrap_or([0.0; C]);
    for (first, rows) in (0..).step_by(ROWS).zip(to.chunks_mut(ROWS * n)) {
        let mut sums = [[0.0; C]; ROWS];
        for (sums, row) in sums.iter_mut().zip(rows.chunks_exact(n)) {
            *sums = block(row);
        }
        tile(&mut sums, coefficients, first * strides[0], strides, from.chunks_exact(n).map(block));
        for (sums, row) in sums.iter().zip(rows.chunks_exact_mut(n)) {
            if let Some(row) = row.get_mut(j..).and_then(|row| row.first_chunk_mut()) {
                *row = *sums;
            }
        }
    }
}

/// The columns from j on, fewer than a vector has: they are copied into whole vectors.
#[inline(always)]
fn last_columns(coefficients: &[f32], strides: [usize; 2], from: &[f32], [n, j]: [usize; 2], to: &mut [f32]) {
    let mut panel = [[0.0; LANES]; LONGEST];
    for (part, from) in (0..).step_by(LONGEST).zip(from.chunks(LONGEST * n)) {
        let length = from.len() / n;
        for (block, row) in panel.iter_mut().zip(from.chunks_exact(n)) {
            copy(block, row.get(j..).unwrap_or_default());
        }
        for (first, rows) in (0..).step_by(ROWS).zip(to.chunks_mut(ROWS * n)) {
            let mut sums = [[0.0; LANES]; ROWS];
            for (sums, row) in sums.iter_mut().zip(rows.chunks_exact(n)) {
                copy(sums, row.get(j..).unwrap_or_default());
            }
            let start = first * strides[0] + part * strides[1];
            tile(&mut sums, coefficients, start, strides, panel.iter().copied().take(length));
            for (sums, row) in sums.iter().zip(rows.chunks_exact_mut(n)) {
                copy(row.get_mut(j..).unwrap_or_default(), sums);
            }
        }
    }
}

/// sums\[r\] += sum over k of the coefficient at `start` + r `across` + k `along`, times block k. A row past the last has others'
/// coefficients, or 0, and is not used.
#[inline(always)]
fn tile<const C: usize>(
    sums: &mut [[f32; C]; ROWS],
    coefficients: &[f32],
    start: usize,
    [across, along]: [usize; 2],
    blocks: impl ExactSizeIterator<Item = [f32; C]>,
) {
    if along == 1 {
        let length = blocks.len();
        let row = |r: usize| coefficients.get(start + r * across..).and_then(|row| row.get(..length));
        let Some(r0) = row(0) else { return };
        let [r1, r2, r3] = [row(1), row(2), row(3)].map(|row| row.unwrap_or(r0));
        let four = r0.iter().zip(r1).zip(r2.iter().zip(r3)).map(|((&a, &b), (&c, &d))| [a, b, c, d]);
        add_products(sums, four.zip(blocks));
    } else {
        // Side by side: `across` is 1. The last ones of all may be fewer than four.
        let mut at = start;
        let four = core::iter::from_fn(|| {
            let next = coefficients.get(at..)?;
            at += along;
            let number = |r: usize| next.get(r).copied().unwrap_or(0.0);
            Some(next.first_chunk().copied().unwrap_or([number(0), number(1), number(2), 0.0]))
        });
        add_products(sums, blocks.zip(four).map(|(x, a)| (a, x)));
    }
}

/// sums\[r\] += sum of a\[r\] x, for all a and x.
#[inline(always)]
fn add_products<const C: usize>(sums: &mut [[f32; C]; ROWS], products: impl Iterator<Item = ([f32; ROWS], [f32; C])>) {
    // Each on its own: sums in an array that a loop runs over would stay in memory.
    let [mut s0, mut s1, mut s2, mut s3] = *sums;
    for (a, x) in products {
        s0 = more(s0, a[0], &x);
        s1 = more(s1, a[1], &x);
        s2 = more(s2, a[2], &x);
        s3 = more(s3, a[3], &x);
    }
    *sums = [s0, s1, s2, s3];
}

/// sums + a x.
#[inline(always)]
fn more<const C: usize>(mut sums: [f32; C], a: f32, x: &[f32; C]) -> [f32; C] {
    for (sum, x) in sums.iter_mut().zip(x) {
        *sum += x * a;
    }
    sums
}

/// `put` gets each number of `to`, and the dot product of the row of a and the row of b that belong to it; see
/// [`dots`](super::products::dots).
#[inline(always)]
pub(super) fn dots(a: &[f32], b: &[f32], n: usize, to: &mut [f32], put: impl Fn(&mut f32, f32)) {
    let side = b.len() / n;
    // Eight rows of b by columns, so that no sum runs across a vector.
    let mut panel = [[0.0; LANES]; LONGEST];
    for (j, rows) in (0..).step_by(LANES).zip(b.chunks(LANES * n)) {
        for (lane, row) in rows.chunks_exact(n).enumerate() {
            for (block, &x) in panel.iter_mut().zip(row) {
                if let Some(to) = block.get_mut(lane) {
                    *to = x;
                }
            }
        }
        for (row, to) in a.chunks_exact(n).zip(to.chunks_exact_mut(side)) {
            let sums = eight(row, panel.as_chunks::<LANES>().0);
            let to = to.get_mut(j..).unwrap_or_default();
            if let Some(to) = to.first_chunk_mut::<LANES>() {
                to.iter_mut().zip(sums).for_each(|(to, sum)| put(to, sum));
            } else {
                to.iter_mut().zip(sums).for_each(|(to, sum)| put(to, sum));
            }
        }
    }
}

/// The dot products of a row with eight rows in blocks of eight columns, which are zeros past the last. Zeros leave a sum as it is.
#[inline(always)]
fn eight(row: &[f32], blocks: &[[[f32; LANES]; LANES]]) -> [f32; LANES] {
    const NOTHING: [f32; LANES] = [0.0; LANES];
    let [mut s0, mut s1, mut s2, mut s3] = [NOTHING; 4];
    let [mut s4, mut s5, mut s6, mut s7] = [NOTHING; 4];
    // A macro, since a closure that is called twice is not inlined.
    macro_rules! add {
        ($x:expr, $block:expr) => {
            s0 = more(s0, $x[0], &$block[0]);
            s1 = more(s1, $x[1], &$block[1]);
            s2 = more(s2, $x[2], &$block[2]);
            s3 = more(s3, $x[3], &$block[3]);
            s4 = more(s4, $x[4], &$block[4]);
            s5 = more(s5, $x[5], &$block[5]);
            s6 = more(s6, $x[6], &$block[6]);
            s7 = more(s7, $x[7], &$block[7]);
        };
    }
    let (whole, rest) = row.as_chunks::<LANES>();
    for (x, block) in whole.iter().zip(blocks) {
        add!(x, block);
    }
    if let (false, Some(block)) = (rest.is_empty(), blocks.get(whole.len())) {
        let mut last = NOTHING;
        copy(&mut last, rest);
        add!(last, block);
    }
    // `sum::tree`, of eight at a time.
    let (even, odd) = (both(both(s0, s4), both(s2, s6)), both(both(s1, s5), both(s3, s7)));
    both(even, odd)
}

/// a + b.
#[inline(always)]
fn both(mut a: [f32; LANES], b: [f32; LANES]) -> [f32; LANES] {
    a.iter_mut().zip(b).for_each(|(a, b)| *a += b);
    a
}

#[inline(always)]
fn copy(to: &mut [f32], from: &[f32]) {
    to.iter_mut().zip(from).for_each(|(to, &from)| *to = from);
}
