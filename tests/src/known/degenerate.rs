//! Least squares of deficient rank: convex, but flat in some directions.
//!
//! ```text
//! F(w) = 1/2 |A w - b|^2,   A of M rows and N > M columns
//! ```
//!
//! |grad F|^2 = |A^T r|^2 >= 2 mu F with mu the least eigenvalue of A A^T, r = A w - b (Karimi, Nutini, Schmidt,
//! "Linear convergence of gradient and proximal-gradient methods under the Polyak-Lojasiewicz condition", ECML 2016);
//! F\* = 0, for A has full row rank; L is the greatest eigenvalue.

use lgl2o::source::{Exact, Source};
use lgl2o::{Rng, sum};

use super::{Function, Known, MORE, Plain, UNIT, additions, dot, norm};
use crate::reference::losses::wide;

/// The rows and right-hand sides, in single precision.
#[derive(Debug, Clone)]
pub struct Rows<const M: usize, const N: usize> {
    rows: [[f32; N]; M],
    right: [f32; M],
}

impl<const M: usize, const N: usize> Rows<M, N> {
    fn residuals(&self, w: &[f32; N]) -> [f32; M] {
        core::array::from_fn(|j| sum::dot(&self.rows[j], w) - self.right[j])
    }
}

impl<const M: usize, const N: usize> Function<N> for Rows<M, N> {
    fn value(&self, w: &[f32; N]) -> f32 {
        0.5 * sum::squares(&self.residuals(w))
    }
    fn gradient(&self, w: &[f32; N]) -> [f32; N] {
        let residuals = self.residuals(w);
        core::array::from_fn(|i| self.rows.iter().zip(&residuals).map(|(a, r)| a[i] * r).sum())
    }
}

/// M equations in N unknowns.
#[derive(Debug, Clone)]
pub struct Degenerate<const M: usize, const N: usize> {
    single: Plain<Rows<M, N>, N>,
    rows: Vec<Vec<f64>>,
    right: Vec<f64>,
    mu: f64,
    smoothness: f64,
    start: [f32; N],
}

impl<const M: usize, const N: usize> Degenerate<M, N> {
    /// Rows sqrt(h_j) q_j, h_j from L / condition to L, q_j the first M rows of a random reflection.
    ///
    /// Rounding A to single precision moves its singular values by no more than its own length (Weyl), here a unit of
    /// sqrt(sum h).
    ///
    /// # Panics
    /// If M > N.
    #[must_use]
    pub fn random(seed: u64, smoothness: f64, condition: f64) -> Self {
        assert!(M <= N);
        let mut rng = Rng::new(seed);
        let h: Vec<f64> =
            (0..M).map(|j| smoothness / condition.powf(if j == 0 { 0.0 } else { j as f64 / (M - 1) as f64 })).collect();
        let q: Vec<f64> = (0..N).map(|_| f64::from(rng.normal())).collect();
        let scale = 2.0 / dot(&q, &q);
        let reflected = |i: usize, j: usize| f64::from(u8::from(i == j)) - scale * q[i] * q[j];
        let rows: [[f32; N]; M] =
            core::array::from_fn(|j| core::array::from_fn(|i| (h[j].sqrt() * reflected(i, j)) as f32));
        let right = core::array::from_fn(|_| rng.range(-3.0, 3.0));
        let moved = MORE * UNIT * h.iter().sum::<f64>().sqrt();
        let (least, most) = (h.iter().copied().fold(f64::INFINITY, f64::min), smoothness);
        Self {
            rows: rows.iter().map(|a| wide(a)).collect(),
            right: wide(&right),
            mu: (least.sqrt() - moved).powi(2),
            smoothness: (most.sqrt() + moved).powi(2),
            single: Plain(Rows { rows, right }),
            start: core::array::from_fn(|_| rng.range(-3.0, 3.0)),
        }
    }

    /// r = A w - b, and how far each of its numbers may be off.
    fn residuals(&self, w: &[f64]) -> (Vec<f64>, Vec<f64>) {
        let each = |(a, b): (&Vec<f64>, &f64)| {
            let (r, products) = (dot(a, w) - b, a.iter().zip(w).map(|(a, w)| (a * w).abs()).sum::<f64>());
            (r, UNIT * ((additions(N) + 1.0) * products + r.abs()))
        };
        self.rows.iter().zip(&self.right).map(each).unzip()
    }
}

impl<const M: usize, const N: usize> Known for Degenerate<M, N> {
    type Objective = Plain<Rows<M, N>, N>;

    fn objective(&self) -> &Self::Objective {
        &self.single
    }
    fn source(&self) -> impl Source<Self::Objective> {
        Exact
    }
    fn start(&self) -> [f32; N] {
        self.start
    }
    fn mu(&self) -> f64 {
        self.mu
    }
    fn smoothness(&self) -> f64 {
        self.smoothness
    }
    fn excess(&self, w: &[f64]) -> f64 {
        let (r, _) = self.residuals(w);
        0.5 * dot(&r, &r)
    }
    fn slope(&self, w: &[f64]) -> Vec<f64> {
        let (r, _) = self.residuals(w);
        (0..N).map(|i| self.rows.iter().zip(&r).map(|(a, r)| a[i] * r).sum()).collect()
    }

    /// Each term r^2 / 2 is off by |r| e + e^2 / 2 where r is off by e, and by the square and the sum.
    fn loss_error(&self, w: &[f64]) -> f64 {
        let (r, e) = self.residuals(w);
        let terms = r.iter().zip(&e).map(|(r, e)| r.abs() * e + 0.5 * e * e).sum::<f64>();
        MORE * (terms + (additions(M) + 1.0) * UNIT * 0.5 * dot(&r, &r))
    }

    /// Each row counts by the error of its r and by M + 1 units of itself, for the sum over rows is a running one.
    fn slope_error(&self, w: &[f64], _: &[f64]) -> f64 {
        let (r, e) = self.residuals(w);
        let rows = self.rows.iter().zip(r.iter().zip(&e));
        MORE * rows.map(|(a, (r, e))| norm(a) * (e + (M as f64 + 1.0) * UNIT * r.abs())).sum::<f64>()
    }
}
