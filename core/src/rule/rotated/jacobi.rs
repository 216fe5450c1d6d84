//! A sweep of Jacobi rotations, which brings a symmetric matrix nearer to a diagonal one.
//!
//! ```text
//! for p < q where |a_pq| > 0.1 sqrt(a_pp a_qq):
//!     theta = (a_qq - a_pp) / (2 a_pq)      t = sign(theta) / (|theta| + sqrt(theta^2 + 1))
//!     c = 1 / sqrt(t^2 + 1)                 s = t c
//!     rows p and q:     r_p <- c r_p - s r_q     r_q <- s r_p + c r_q       the columns likewise
//! ```
//!
//! (Golub and Van Loan, Matrix Computations, section 8.5.) No rotation is by more than 45 degrees, so that each vector stays nearest to the
//! one that it was: a mean that was taken along it keeps its meaning. That a sweep leaves small numbers off the diagonal costs nothing here:
//! the matrix changes before the next one.

use crate::math::{One, abs, sqrt};

/// Numbers off the diagonal up to this share of the diagonal's stay.
const NEGLIGIBLE: f32 = 0.1;

/// A rotation in the plane of two vectors, by its cosine and sine.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Rotation {
    cos: f32,
    sin: f32,
}

impl Rotation {
    /// The rotation after which a_pq is 0; `None` where it is negligible already, or not a number.
    fn of(pp: f32, pq: f32, qq: f32) -> Option<Self> {
        let diagonal = sqrt(abs(pp)) * sqrt(abs(qq));
        // False where one of them is a NaN, too.
        let counts = abs(pq) > NEGLIGIBLE * diagonal;
        if !counts {
            return None;
        }
        let theta = (qq - pp) / (2.0 * pq);
        let size = 1.0 / (abs(theta) + sqrt(theta * theta + 1.0));
        let tan = if theta < 0.0 { -size } else { size };
        let cos = 1.0 / sqrt(tan * tan + 1.0);
        Some(Self { cos, sin: tan * cos })
    }

    /// Both numbers turned.
    #[inline(always)]
    fn of_pair(self, a: f32, b: f32) -> (f32, f32) {
        let (cos, sin, a, b) = (One(self.cos), One(self.sin), One(a), One(b));
        ((cos * a - sin * b).0, (sin * a + cos * b).0)
    }

    /// Turns rows p and q, p < q, of a matrix with rows of some length.
    #[cfg_attr(not(any(target_os = "none", target_family = "wasm")), inline(always))]
    pub(super) fn rows(self, matrix: &mut [f32], length: usize, [p, q]: [usize; 2]) {
        let Some((upper, lower)) = matrix.split_at_mut_checked(q * length) else { return };
        let upper = upper.iter_mut().skip(p * length).take(length);
        for (a, b) in upper.zip(lower.iter_mut().take(length)) {
            (*a, *b) = self.of_pair(*a, *b);
        }
    }

    /// Turns columns p and q of such a matrix.
    #[cfg_attr(not(any(target_os = "none", target_family = "wasm")), inline(always))]
    pub(super) fn columns(self, matrix: &mut [f32], length: usize, [p, q]: [usize; 2]) {
        for row in matrix.chunks_exact_mut(length) {
            let Ok([a, b]) = row.get_disjoint_mut([p, q]) else { return };
            (*a, *b) = self.of_pair(*a, *b);
        }
    }
}

/// One sweep over a symmetric matrix of `side` rows; the rows of `vectors` turn along, and what else `also` turns.
#[cfg_attr(not(any(target_os = "none", target_family = "wasm")), inline(always))]
pub(super) fn sweep(matrix: &mut [f32], vectors: &mut [f32], side: usize, mut also: impl FnMut(Rotation, [usize; 2])) {
    for p in 0..side {
        for q in p + 1..side {
            let at = |i: usize, j: usize| matrix.get(i * side + j).copied().unwrap_or(0.0);
            let Some(rotation) = Rotation::of(at(p, p), at(p, q), at(q, q)) else { continue };
            rotation.rows(matrix, side, [p, q]);
            rotation.columns(matrix, side, [p, q]);
            rotation.rows(vectors, side, [p, q]);
            also(rotation, [p, q]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// ((2, 1), (1, 2)) has the eigenvalues 1 and 3, and eigenvectors at 45 degrees.
    #[test]
    fn two_by_hand() {
        let (mut a, mut vectors) = ([2.0, 1.0, 1.0, 2.0], [1.0, 0.0, 0.0, 1.0]);
        let mut turned = 0;
        sweep(&mut a, &mut vectors, 2, |_, pair| {
            assert_eq!(pair, [0, 1]);
            turned += 1;
        });
        let half = 0.5f32.sqrt();
        let near = |a: [f32; 4], b: [f32; 4]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-6);
        assert_eq!(turned, 1);
        assert!(near(a, [1.0, 0.0, 0.0, 3.0]) && near(vectors, [half, -half, half, half]), "{a:?} {vectors:?}");
    }

    #[test]
    fn what_is_negligible_or_no_number_stays() {
        for matrix in [[1.0, 0.05, 0.05, 1.0], [f32::NAN, 1.0, 1.0, 1.0], [1.0, f32::NAN, f32::NAN, 1.0], [0.0; 4]] {
            let (mut a, mut vectors) = (matrix, [1.0, 0.0, 0.0, 1.0]);
            sweep(&mut a, &mut vectors, 2, |_, _| panic!("nothing to turn"));
            assert_eq!(a.map(f32::to_bits), matrix.map(f32::to_bits));
        }
    }
}
