//! Products of matrices: running sums over rows, and dot products in the order of [`sum`](crate::sum).
//!
//! Each has one order of additions, and two kernels: one in vector registers ([`tiles`](super::tiles)), and one that is small.

use super::tiles::{self, LONGEST};
use crate::lanes::by_lanes;
use crate::sum::{dot, dot2, dot4};

/// Whether programs are for a small processor without vectors.
const NO_VECTORS: bool = cfg!(any(target_os = "none", target_family = "wasm"));

/// `to`\[i\]\[j\] += sum over k of c_ik `from`\[k\]\[j\], one k after the other, in matrices of n columns. c_ik is number `across` i + `along` k
/// of the coefficients.
#[cfg_attr(not(any(target_os = "none", target_family = "wasm")), inline(always))]
pub(super) fn add_sums(coefficients: &[f32], [across, along]: [usize; 2], from: &[f32], n: usize, to: &mut [f32]) {
    if !NO_VECTORS {
        return tiles::add_sums(coefficients, [across, along], from, n, to);
    }
    small::add_sums(coefficients, [across, along], from, n, to);
}

/// `put` gets number `to`\[i\]\[k\] and the dot product of row i of a and row k of b, which have n columns.
#[cfg_attr(not(any(target_os = "none", target_family = "wasm")), inline(always))]
pub(super) fn dots(a: &[f32], b: &[f32], n: usize, to: &mut [f32], put: impl Fn(&mut f32, f32)) {
    if NO_VECTORS || n > LONGEST {
        small::dots(a, b, n, to, put);
    } else {
        tiles::dots(a, b, n, to, put);
    }
}

/// The kernels that are small.
mod small {
    use super::{by_lanes, dot, dot2, dot4};

    /// See [`add_sums`](super::add_sums).
    pub(super) fn add_sums(coefficients: &[f32], [across, along]: [usize; 2], from: &[f32], n: usize, to: &mut [f32]) {
        for (i, out) in to.chunks_exact_mut(n.max(1)).enumerate() {
            let own = coefficients.get(i * across..).unwrap_or_default();
            add_row(own.iter().step_by(along.max(1)), from, out);
        }
    }

    /// `out` += sum of c_k times row k, in the order of the rows.
    #[cfg_attr(any(target_os = "none", target_family = "wasm"), inline(never))]
    fn add_row<'c>(mut coefficients: impl Iterator<Item = &'c f32>, rows: &[f32], out: &mut [f32]) {
        // Four rows at a time: what they are added to is loaded and stored once.
        let (n, four) = (out.len().max(1), (4 * out.len()).max(1));
        let (fours, rest) = rows.split_at_checked(rows.len() / four * four).unwrap_or_default();
        for four in fours.chunks_exact(four) {
            let mut rows = four.chunks_exact(n);
            let mut next = || coefficients.next().zip(rows.next());
            let (Some((&c0, r0)), Some((&c1, r1)), Some((&c2, r2)), Some((&c3, r3))) = (next(), next(), next(), next())
            else {
                return;
            };
            by_lanes!([out] [r0, r1, r2, r3] => {
                *out = *out + r0 * c0 + r1 * c1 + r2 * c2 + r3 * c3;
            });
        }
        for (&c, row) in coefficients.zip(rest.chunks_exact(n)) {
            by_lanes!([out] [row] => {
                *out += row * c;
            });
        }
    }

    /// See [`dots`](super::dots).
    pub(super) fn dots(a: &[f32], b: &[f32], n: usize, to: &mut [f32], put: impl Fn(&mut f32, f32)) {
        let n = n.max(1);
        let side = (b.len() / n).max(1);
        // Not zipped: that would divide by both lengths, and the linker does not see that none of them is 0.
        let mut rows = a.chunks_exact(n);
        for to in to.chunks_exact_mut(side) {
            let Some(row) = rows.next() else { return };
            // By the kernel of the dense layer's forward pass.
            if cfg!(target_arch = "arm") {
                row_of_dots(dot2, row, b, to, &put);
            } else {
                row_of_dots(dot4, row, b, to, &put);
            }
        }
    }

    /// The dot products of one row and all rows of b, K at a time.
    fn row_of_dots<const K: usize>(
        several: impl Fn(&[f32], [&[f32]; K]) -> [f32; K],
        row: &[f32],
        b: &[f32],
        to: &mut [f32],
        put: &impl Fn(&mut f32, f32),
    ) {
        let mut vectors = b.chunks_exact(row.len().max(1));
        let (whole, rest) = to.as_chunks_mut::<K>();
        for to in whole {
            let sums = several(row, core::array::from_fn(|_| vectors.next().unwrap_or_default()));
            to.iter_mut().zip(sums).for_each(|(to, sum)| put(to, sum));
        }
        for (to, vector) in rest.iter_mut().zip(vectors) {
            put(to, dot(row, vector));
        }
    }
}

/// The slow, obvious twins.
#[cfg(test)]
mod plain {
    /// Twin of [`add_sums`](super::add_sums).
    pub(super) fn add_sums(coefficients: &[f32], [across, along]: [usize; 2], from: &[f32], n: usize, to: &mut [f32]) {
        for (i, to) in to.chunks_mut(n).enumerate() {
            for (k, row) in from.chunks(n).enumerate() {
                for (to, x) in to.iter_mut().zip(row) {
                    *to += x * coefficients[i * across + k * along];
                }
            }
        }
    }

    /// Twin of [`dots`](super::dots).
    pub(super) fn dots(a: &[f32], b: &[f32], n: usize, to: &mut [f32], put: impl Fn(&mut f32, f32)) {
        for (row, to) in a.chunks(n).zip(to.chunks_mut(b.len() / n)) {
            for (to, vector) in to.iter_mut().zip(b.chunks(n)) {
                put(to, crate::sum::plain::dot(row, vector));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::*;
    use crate::rng::Rng;

    /// Rows, columns: less than a vector, whole ones, ends of all lengths, more than a basis has.
    const SHAPES: [[usize; 2]; 12] = [
        [1, 1],
        [2, 2],
        [3, 5],
        [32, 2],
        [2, 32],
        [10, 16],
        [16, 40],
        [7, 23],
        [33, 31],
        [128, 128],
        [4, 140],
        [140, 9],
    ];

    fn normals(n: usize, seed: u64) -> Vec<f32> {
        let mut rng = Rng::new(seed);
        (0..n).map(|_| rng.normal()).collect()
    }

    fn bits(numbers: &[f32]) -> Vec<u32> {
        numbers.iter().map(|x| x.to_bits()).collect()
    }

    /// Both kernels of running sums have the bits of the twin: for a matrix from the left, transposed from the left, from the right, and for
    /// its own transpose times it.
    #[test]
    fn sums_have_the_bits_of_their_twin() {
        for [rows, n] in SHAPES {
            let x = normals(rows * n, 1);
            let (left, right) = (normals(rows * rows, 2), normals(n * n, 3));
            let uses = [
                (&left[..], [rows, 1], &x[..], rows),
                (&left, [1, rows], &x, rows),
                (&x, [n, 1], &right, rows),
                (&x, [1, n], &x, n),
            ];
            for (coefficients, strides, from, results) in uses {
                let start = normals(results * n, 4);
                macro_rules! by {
                    ($f:path) => {{
                        let mut to = start.clone();
                        $f(coefficients, strides, from, n, &mut to);
                        bits(&to)
                    }};
                }
                let twin = by!(plain::add_sums);
                assert_eq!(by!(small::add_sums), twin, "{rows} x {n}, {strides:?}");
                assert_eq!(by!(tiles::add_sums), twin, "{rows} x {n}, {strides:?}");
            }
        }
    }

    #[test]
    fn dots_have_the_bits_of_their_twin() {
        for [rows, n] in SHAPES {
            let a = normals(rows * n, 5);
            for side in [1, 2, 7, 8, 9, 32] {
                let (b, start) = (normals(side * n, 6), normals(rows * side, 7));
                macro_rules! by {
                    ($f:path) => {{
                        let mut to = start.clone();
                        $f(&a, &b, n, &mut to, |to, dot| *to = 0.5 * *to + dot);
                        bits(&to)
                    }};
                }
                let twin = by!(plain::dots);
                assert_eq!(by!(small::dots), twin, "{rows} x {n}, {side}");
                assert_eq!(by!(dots), twin, "{rows} x {n}, {side}");
            }
        }
    }
}
