//! Sums in one fixed order: eight partial sums, combined in one fixed tree.
//!
//! Floating-point addition is not associative, so a sum has the same bits everywhere only if its order is the same
//! everywhere. Element i goes to partial sum i mod 8; at the end
//!
//! ```text
//! s4[i] = s[i] + s[i + 4]      s2[i] = s4[i] + s4[i + 2]      sum = s2[0] + s2[1]
//! ```
//!
//! That is what four lanes (SSE2, NEON, Helium) or eight lanes (AVX2) compute anyway, and a scalar core computes it at
//! no loss. Multiplication and addition stay two operations, never fused. The functions have slow, obvious twins in the
//! module `plain` (feature `twins`), which return the same bits; several dot products at once have that of one.
//!
//! On a device no loop is inlined: a loop that is unrolled for every caller is most of a program.
//!
//! Sums over the *examples* of a minibatch, as in a weight gradient, are plain running sums in the order of the
//! examples: each element of the result is its own lane there.

use crate::SMALL;
use crate::math::{add, add_product, sub};

/// How many partial sums there are.
pub const LANES: usize = 8;

/// Combines eight partial sums in the fixed tree.
#[must_use]
#[inline]
pub fn tree(s: [f32; LANES]) -> f32 {
    let [s0, s1, s2, s3, s4, s5, s6, s7] = s;
    let (even, odd) = (add(add(s0, s4), add(s2, s6)), add(add(s1, s5), add(s3, s7)));
    add(even, odd)
}

/// The first n elements as whole blocks of eight and a tail.
#[inline]
fn blocks(a: &[f32], n: usize) -> (&[[f32; LANES]], &[f32]) {
    a.get(..n).unwrap_or(&[]).as_chunks()
}

/// Sum of terms over the elements of two slices; the longer one's tail is ignored. `more` is the sum so far and a term.
#[inline]
fn reduce(a: &[f32], b: &[f32], more: impl Fn(f32, f32, f32) -> f32) -> f32 {
    let mut lanes = [0.0; LANES];
    if SMALL {
        for (i, (&x, &y)) in a.iter().zip(b).enumerate() {
            if let Some(s) = lanes.get_mut(i % LANES) {
                *s = more(*s, x, y);
            }
        }
        return tree(lanes);
    }
    let n = if a.len() < b.len() { a.len() } else { b.len() };
    let ((a_blocks, a_tail), (b_blocks, b_tail)) = (blocks(a, n), blocks(b, n));
    for (x, y) in a_blocks.iter().zip(b_blocks) {
        for ((s, &x), &y) in lanes.iter_mut().zip(x).zip(y) {
            *s = more(*s, x, y);
        }
    }
    for ((s, &x), &y) in lanes.iter_mut().zip(a_tail).zip(b_tail) {
        *s = more(*s, x, y);
    }
    tree(lanes)
}

/// Sum of the elements.
#[must_use]
#[cfg_attr(target_os = "none", inline(never))]
pub fn sum(a: &[f32]) -> f32 {
    reduce(a, a, |s, x, _| add(s, x))
}

/// Sum of the products a\[i\] b\[i\].
#[must_use]
#[cfg_attr(target_os = "none", inline(never))]
pub fn dot(a: &[f32], b: &[f32]) -> f32 {
    reduce(a, b, add_product)
}

/// Sum of the squares, |a|^2.
#[must_use]
#[cfg_attr(target_os = "none", inline(never))]
pub fn squares(a: &[f32]) -> f32 {
    reduce(a, a, add_product)
}

/// Sum of the squared differences, |a - b|^2.
#[must_use]
#[cfg_attr(target_os = "none", inline(never))]
pub fn squared_distance(a: &[f32], b: &[f32]) -> f32 {
    reduce(a, b, |s, x, y| add_product(s, sub(x, y), sub(x, y)))
}

/// Sum of (a\[i\] - center)^2, the second moment about a value.
#[must_use]
#[cfg_attr(target_os = "none", inline(never))]
pub fn squares_about(a: &[f32], center: f32) -> f32 {
    reduce(a, a, |s, x, _| add_product(s, sub(x, center), sub(x, center)))
}

/// Four dot products with one shared operand, in one pass: `[dot(w, x0), ..., dot(w, x3)]`, bit for bit. The shared
/// operand is loaded once; all five slices must be equally long, else the common length counts.
#[must_use]
// Inlined into a caller's loop, the eight lanes of the four sums no longer stay in vector registers.
#[inline(never)]
pub fn dot4(w: &[f32], x: [&[f32]; 4]) -> [f32; 4] {
    let [x0, x1, x2, x3] = x;
    let mut n = w.len();
    for other in x {
        n = if other.len() < n { other.len() } else { n };
    }
    let ((wb, wt), (b0, t0), (b1, t1)) = (blocks(w, n), blocks(x0, n), blocks(x1, n));
    let ((b2, t2), (b3, t3)) = (blocks(x2, n), blocks(x3, n));
    let mut lanes = [[0.0; LANES]; 4];
    for ((((w, x0), x1), x2), x3) in wb.iter().zip(b0).zip(b1).zip(b2).zip(b3) {
        for l in 0..LANES {
            lanes[0][l] += w[l] * x0[l];
            lanes[1][l] += w[l] * x1[l];
            lanes[2][l] += w[l] * x2[l];
            lanes[3][l] += w[l] * x3[l];
        }
    }
    for (lanes, tail) in lanes.iter_mut().zip([t0, t1, t2, t3]) {
        for ((s, &w), &x) in lanes.iter_mut().zip(wt).zip(tail) {
            *s += w * x;
        }
    }
    lanes.map(tree)
}

/// lanes\[k\] <- lanes\[k\] + w x_k, for both k.
#[cfg(not(all(target_arch = "arm", target_abi = "eabihf", target_os = "none")))]
#[inline(always)]
fn add_block2(lanes: &mut [[f32; LANES]; 2], w: &[f32; LANES], x: [&[f32; LANES]; 2]) {
    // Written out, so that the sums stay in registers where a program is built for size.
    macro_rules! lane {
        ($l:literal) => {
            lanes[0][$l] = add_product(lanes[0][$l], w[$l], x[0][$l]);
            lanes[1][$l] = add_product(lanes[1][$l], w[$l], x[1][$l]);
        };
    }
    lane!(0);
    lane!(1);
    lane!(2);
    lane!(3);
    lane!(4);
    lane!(5);
    lane!(6);
    lane!(7);
}

/// [`dot4`] of two: for processors with fewer registers.
#[must_use]
#[cfg_attr(not(all(target_arch = "arm", target_abi = "eabihf", target_os = "none")), inline(never))]
pub fn dot2(w: &[f32], [x0, x1]: [&[f32]; 2]) -> [f32; 2] {
    let mut n = w.len();
    for other in [x0, x1] {
        n = if other.len() < n { other.len() } else { n };
    }
    let [w, x0, x1] = [w, x0, x1].map(|row| row.get(..n).unwrap_or(&[]));
    dots(w, [x0, x1])
}

// In assembly where the target can run it, with the same bits.
#[cfg(all(target_arch = "arm", target_abi = "eabihf", target_os = "none"))]
pub use lgl2o_vfp::add_scaled;
#[cfg(all(target_arch = "arm", target_abi = "eabihf", target_os = "none"))]
use lgl2o_vfp::dots;

/// y\[i\] <- y\[i\] + a x\[i\] for each i that both have.
#[cfg(not(all(target_arch = "arm", target_abi = "eabihf", target_os = "none")))]
#[cfg_attr(target_os = "none", inline(never))]
#[cfg_attr(not(any(target_os = "none", target_family = "wasm")), inline(always))]
pub fn add_scaled(y: &mut [f32], a: f32, x: &[f32]) {
    // On a device four at a time, written out: a program that is built for size would have a jump for each number.
    let fours = if cfg!(target_os = "none") { y.len().min(x.len()) & !3 } else { 0 };
    let ((y4, y), (x4, x)) =
        (y.split_at_mut_checked(fours).unwrap_or_default(), x.split_at_checked(fours).unwrap_or_default());
    for ([y0, y1, y2, y3], &[x0, x1, x2, x3]) in y4.as_chunks_mut::<4>().0.iter_mut().zip(x4.as_chunks::<4>().0) {
        *y0 = add_product(*y0, a, x0);
        *y1 = add_product(*y1, a, x1);
        *y2 = add_product(*y2, a, x2);
        *y3 = add_product(*y3, a, x3);
    }
    y.iter_mut().zip(x).for_each(|(y, &x)| *y = add_product(*y, a, x));
}

/// [`dot2`] of rows that are equally long.
#[cfg(not(all(target_arch = "arm", target_abi = "eabihf", target_os = "none")))]
#[inline(always)]
fn dots(w: &[f32], [x0, x1]: [&[f32]; 2]) -> [f32; 2] {
    let ((wb, wt), (b0, t0), (b1, t1)) = (w.as_chunks(), x0.as_chunks(), x1.as_chunks());
    // Each on its own: an array of arrays would be filled by a loop, and stay in memory.
    const NOTHING: [f32; LANES] = [0.0; LANES];
    let mut lanes = [NOTHING, NOTHING];
    // Two blocks to a turn: the three pointers move once for both.
    let ((w2, wb), (d0, b0), (d1, b1)) = (wb.as_chunks::<2>(), b0.as_chunks::<2>(), b1.as_chunks::<2>());
    for ((w, x0), x1) in w2.iter().zip(d0).zip(d1) {
        add_block2(&mut lanes, &w[0], [&x0[0], &x1[0]]);
        add_block2(&mut lanes, &w[1], [&x0[1], &x1[1]]);
    }
    for ((w, x0), x1) in wb.iter().zip(b0).zip(b1) {
        add_block2(&mut lanes, w, [x0, x1]);
    }
    // Others than the sums above, which no loop runs over, so that those stay in registers.
    let [mut first, mut second] = lanes;
    for (((a, b), &w), (&x0, &x1)) in first.iter_mut().zip(&mut second).zip(wt).zip(t0.iter().zip(t1)) {
        *a = add_product(*a, w, x0);
        *b = add_product(*b, w, x1);
    }
    [tree(first), tree(second)]
}

/// The slow, obvious twins: one element after the other, in the same order of additions.
#[cfg(any(test, feature = "twins"))]
pub mod plain {
    use super::{LANES, tree};

    /// Twin of [`add_scaled`](super::add_scaled).
    pub fn add_scaled(y: &mut [f32], a: f32, x: &[f32]) {
        y.iter_mut().zip(x).for_each(|(y, x)| *y += a * x);
    }

    /// Twin of [`sum`](super::sum).
    #[must_use]
    pub fn sum(a: &[f32]) -> f32 {
        let mut lanes = [0.0; LANES];
        for (i, &x) in a.iter().enumerate() {
            lanes[i % LANES] += x;
        }
        tree(lanes)
    }

    /// Twin of [`dot`](super::dot).
    #[must_use]
    pub fn dot(a: &[f32], b: &[f32]) -> f32 {
        let mut lanes = [0.0; LANES];
        for (i, (&x, &y)) in a.iter().zip(b).enumerate() {
            lanes[i % LANES] += x * y;
        }
        tree(lanes)
    }

    /// Twin of [`squares`](super::squares).
    #[must_use]
    pub fn squares(a: &[f32]) -> f32 {
        dot(a, a)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;

    #[test]
    fn fast_and_plain_agree_bit_for_bit() {
        let mut rng = Rng::new(3);
        let mut data = [[0.0f32; 41]; 5];
        data.as_flattened_mut().iter_mut().for_each(|x| *x = rng.normal());
        for n in 0..=41 {
            let [w, x0, x1, x2, x3] = data.each_ref().map(|row| &row[..n]);
            assert_eq!(sum(w).to_bits(), plain::sum(w).to_bits());
            assert_eq!(squares(w).to_bits(), plain::squares(w).to_bits());
            let [mut fast, mut slow] = [*data.last().unwrap(); 2];
            add_scaled(&mut fast[..n], w.first().copied().unwrap_or(0.0), x0);
            plain::add_scaled(&mut slow[..n], w.first().copied().unwrap_or(0.0), x0);
            assert_eq!(fast.map(f32::to_bits), slow.map(f32::to_bits));
            let four = dot4(w, [x0, x1, x2, x3]);
            assert_eq!(four[..2], dot2(w, [x0, x1]));
            for (x, y) in [x0, x1, x2, x3].into_iter().zip(four) {
                assert_eq!(dot(w, x).to_bits(), plain::dot(w, x).to_bits());
                assert_eq!(dot(w, x).to_bits(), y.to_bits());
            }
        }
    }

    #[test]
    fn order_is_the_documented_one() {
        // 1e8 absorbs a 1 that is added to it directly; the tree adds lanes 0 and 4 first.
        let a = [1e8, 0.0, 0.0, 0.0, -1e8, 0.0, 1.0, 0.0];
        assert_eq!(sum(&a), 1.0);
        let b = [1e8, 0.0, 1.0, 0.0, 0.0, -1e8, 0.0, 0.0];
        assert_eq!(sum(&b), 0.0);
    }
}
