//! Inner loops for a processor with a single-precision floating-point unit, such as a Cortex-M4F: sixteen sums in its registers.
//!
//! Every product is written out, and no loop runs over an array of sums: so the sums stay in registers, and a program that is
//! built for size is about as fast as one that is built for speed. All products of a row stand before their additions, for a
//! Cortex-M4F waits where an addition takes the product of the instruction before.

use crate::SMALL;

/// Whether the processor has a single-precision floating-point unit, and registers of one number each.
pub(crate) const SINGLE: bool = cfg!(all(target_arch = "arm", target_abi = "eabihf"));
/// Whether the dense layer uses these loops.
pub(crate) const TILED: bool = SINGLE && !SMALL;
/// Rows, and columns, of a tile.
pub(crate) const SIDE: usize = 4;
/// A sum for each pair of one of four rows and one of four columns.
pub(crate) type Tile = [[f32; SIDE]; SIDE];
// The inner loops that take the most time: in assembly where the target can run it, else in Rust, with the same bits.
#[cfg(all(target_arch = "arm", target_abi = "eabihf", target_os = "none"))]
pub(super) use lgl2o_vfp::{add_examples, dots_of_tile, products};
#[cfg(not(all(target_arch = "arm", target_abi = "eabihf", target_os = "none")))]
pub(super) use singles::{add_examples, dots_of_tile, products};

/// The same of each of four.
macro_rules! of_four {
    ($one:ident in $four:expr => $value:expr) => {{
        let [a, b, c, d] = $four;
        [
            {
                let $one = a;
                $value
            },
            {
                let $one = b;
                $value
            },
            {
                let $one = c;
                $value
            },
            {
                let $one = d;
                $value
            },
        ]
    }};
}

/// sums\[k\] <- sums\[k\] + a x\[k\].
#[inline(always)]
fn add_row(sums: &mut [f32; SIDE], a: f32, x: [f32; SIDE]) {
    let products = of_four!(x in x => a * x);
    sums[0] += products[0];
    sums[1] += products[1];
    sums[2] += products[2];
    sums[3] += products[3];
}

/// tile\[o\]\[k\] <- tile\[o\]\[k\] + w_o x\[k\], where w_o is loaded no earlier than it is needed.
macro_rules! add_tile {
    ($tile:expr, $row:ident of $w:expr => $value:expr, $x:expr) => {{
        let x = $x;
        let [w0, w1, w2, w3] = $w;
        {
            let $row = w0;
            add_row(&mut $tile[0], $value, x)
        };
        {
            let $row = w1;
            add_row(&mut $tile[1], $value, x)
        };
        {
            let $row = w2;
            add_row(&mut $tile[2], $value, x)
        };
        {
            let $row = w3;
            add_row(&mut $tile[3], $value, x)
        };
    }};
}

#[cfg(not(all(target_arch = "arm", target_abi = "eabihf", target_os = "none")))]
mod singles;

/// The first `n` numbers of each row, where all have so many.
#[inline(always)]
fn cut(rows: [&[f32]; SIDE], n: usize) -> Option<[&[f32]; SIDE]> {
    let [a, b, c, d] = rows;
    Some([a.get(..n)?, b.get(..n)?, c.get(..n)?, d.get(..n)?])
}

/// tile\[k\] <- tile\[k\] + x_k\[i\] w_i for every i below `n`, in their order, where w_i is the first four numbers of row i of W,
/// `width` long. It ends where there are no more of them.
// A function of its own, so that the sums have the registers for themselves.
#[inline(never)]
pub(crate) fn outer(tile: &mut Tile, x: [&[f32]; SIDE], w: &[f32], width: usize, n: usize) {
    let Some(x) = cut(x, n) else { return };
    let (mut sums, mut rest) = (*tile, w);
    for i in 0..n {
        let Some(w) = rest.first_chunk::<SIDE>() else { break };
        add_tile!(sums, x of x => x[i], *w);
        rest = rest.get(width..).unwrap_or_default();
    }
    *tile = sums;
}

/// tile\[k\] <- tile\[k\] + x_i\[k\] w_i for every i below `n`, in their order, where x_i and w_i are the first four numbers of row i of
/// X and of W, rows that begin so many numbers apart. It ends where there are no more of them.
#[inline(never)]
pub(crate) fn outer_rows(tile: &mut Tile, [x, w]: [&[f32]; 2], [x_step, w_step]: [usize; 2], n: usize) {
    let (mut sums, mut x, mut w) = (*tile, x, w);
    for _ in 0..n {
        let (Some(xs), Some(ws)) = (x.first_chunk::<SIDE>(), w.first_chunk::<SIDE>()) else { break };
        add_tile!(sums, x of *xs => x, *ws);
        x = x.get(x_step..).unwrap_or_default();
        w = w.get(w_step..).unwrap_or_default();
    }
    *tile = sums;
}

/// Outputs whose sums over the examples stay in registers, for points of a plane.
pub(super) const POINTS: usize = 4;

/// sums\[2 o + k\] <- sums\[2 o + k\] + e\[o\] x\[k\].
#[inline(always)]
pub(super) fn add_point(sums: &mut [f32; 8], e: &[f32; POINTS], [x, y]: [f32; 2]) {
    let [e0, e1, e2, e3] = *e;
    add_eight(sums, &[e0 * x, e0 * y, e1 * x, e1 * y, e2 * x, e2 * y, e3 * x, e3 * y]);
}

/// sums\[k\] <- sums\[k\] + x\[k\].
#[inline(always)]
pub(super) fn add_eight(sums: &mut [f32; 8], x: &[f32; 8]) {
    sums[0] += x[0];
    sums[1] += x[1];
    sums[2] += x[2];
    sums[3] += x[3];
    sums[4] += x[4];
    sums[5] += x[5];
    sums[6] += x[6];
    sums[7] += x[7];
}

/// sums\[k\] <- sums\[k\] + a x\[k\].
#[inline(always)]
pub(super) fn add_products(sums: &mut [f32; 8], a: f32, x: &[f32; 8]) {
    let [x0, x1, x2, x3, x4, x5, x6, x7] = x;
    add_eight(sums, &[a * x0, a * x1, a * x2, a * x3, a * x4, a * x5, a * x6, a * x7]);
}

#[cfg(test)]
mod tests {
    use super::singles::EXAMPLES;
    use super::*;
    use crate::rng::Rng;

    /// What a processor with such a unit runs has the bits of one number after the other, on every processor.
    #[test]
    fn rows_of_a_gradient_are_those_of_single_numbers() {
        const WIDE: usize = 11;
        const STEP: usize = 5;
        let mut rng = Rng::new(5);
        let mut numbers = [0.0f32; WIDE * (EXAMPLES + 1 + SIDE) + STEP * (EXAMPLES + 1)];
        numbers.iter_mut().for_each(|x| *x = rng.normal());
        let (x, rest) = numbers.split_at(WIDE * (EXAMPLES + 1));
        let (before, e) = rest.split_at(WIDE * SIDE);
        for (n, width, zero) in (0..=EXAMPLES + 1).flat_map(|n| (0..2 * WIDE).map(move |k| (n, k / 2, k % 2 == 0))) {
            let mut g: [[f32; WIDE]; SIDE] = core::array::from_fn(|o| core::array::from_fn(|i| before[o * WIDE + i]));
            let rows = g.each_mut().map(|g| &mut g[..width]);
            let added = add_examples(rows, e, STEP, x.chunks(WIDE).take(n), zero);
            assert_eq!(added, if width == 0 { 0 } else { n.min(EXAMPLES) });
            for (o, i) in (0..SIDE).flat_map(|o| (0..WIDE).map(move |i| (o, i))) {
                let first = if zero && i < width && n > 0 { 0.0 } else { before[o * WIDE + i] };
                let examples = if i < width { added } else { 0 };
                let sum = (0..examples).fold(first, |sum, s| sum + e[s * STEP + o] * x[s * WIDE + i]);
                assert_eq!(g[o][i].to_bits(), sum.to_bits(), "{n} {o} {i}");
            }
        }
    }

    /// What is too short changes nothing.
    #[test]
    fn rows_that_are_missing_are_not_added() {
        let (x, e) = ([1.0f32; 12], [1.0f32; 11]);
        let mut g = [[7.0f32; 4]; SIDE];
        // Errors of three examples need 4 + 2 * 4 numbers; and an example of three numbers is shorter than the rows.
        assert_eq!(add_examples(g.each_mut().map(|g| &mut g[..]), &e, 4, x.chunks(4), false), 0);
        assert_eq!(add_examples(g.each_mut().map(|g| &mut g[..]), &e, 4, x.chunks(3), false), 0);
        let [a, b, c, d] = g.each_mut().map(|g| &mut g[..]);
        assert_eq!(add_examples([a, b, c, &mut d[..3]], &e, 4, x.chunks(4).take(1), false), 0);
        assert_eq!(g, [[7.0; 4]; SIDE]);
    }

    /// Products of four numbers with four are those of single numbers, however far apart their rows are.
    #[test]
    fn outer_products_are_those_of_single_numbers() {
        let mut rng = Rng::new(6);
        let mut numbers = [0.0f32; 2 * 11 * 6 + 16];
        numbers.iter_mut().for_each(|x| *x = rng.normal());
        let (x, rest) = numbers.split_at(66);
        let (w, before) = rest.split_at(66);
        let start: Tile = core::array::from_fn(|k| core::array::from_fn(|o| before[k * SIDE + o]));
        for n in 0..=9 {
            let (mut by_columns, mut by_rows, mut plain) = (start, start, [start; 2]);
            outer(&mut by_columns, core::array::from_fn(|k| &x[k * 11..]), w, 6, n);
            outer_rows(&mut by_rows, [x, w], [5, 6], n);
            for (i, k, o) in (0..n).flat_map(|i| (0..16).map(move |ko| (i, ko / 4, ko % 4))) {
                plain[0][k][o] += x[k * 11 + i] * w[i * 6 + o];
                plain[1][k][o] += x[i * 5 + k] * w[i * 6 + o];
            }
            assert_eq!(
                [by_columns, by_rows].map(|t| t.map(|t| t.map(f32::to_bits))),
                plain.map(|t| t.map(|t| t.map(f32::to_bits))),
                "{n}"
            );
        }
    }

    #[test]
    fn eight_sums_are_those_of_single_numbers() {
        let (mut sums, x) = ([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8f32], [1.5, -2.5, 3.1, -4.7, 5.3, -6.1, 7.7, -8.9]);
        let mut plain = sums;
        add_products(&mut sums, 0.3, &x);
        add_eight(&mut sums, &x);
        plain.iter_mut().zip(x).for_each(|(sum, x)| *sum = (*sum + 0.3 * x) + x);
        assert_eq!(sums, plain);
    }
}
