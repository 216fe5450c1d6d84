//! Log-sum-exp with L2, the smooth maximum of some planes.
//!
//! ```text
//! F(w) = ln sum_j exp(a_j.w + b_j) + l2/2 |w|^2
//! ```
//!
//! mu = l2, and L <= l2 + max_j |a_j|^2: the Hessian of the first term is A^T (diag(p) - p p^T) A.

use lgl2o::source::{Exact, Source};
use lgl2o::{Rng, math, sum};

use super::{Function, Known, MORE, Plain, UNIT, additions, dot, norm};
use crate::reference::losses::{minimiser, wide};

/// How many planes there are.
const PLANES: usize = 12;

/// The planes, in single precision.
#[derive(Debug, Clone)]
pub struct Planes<const N: usize> {
    normals: [[f32; N]; PLANES],
    heights: [f32; PLANES],
    l2: f32,
}

impl<const N: usize> Planes<N> {
    /// ln sum_j exp(a_j.w + b_j), and the shares p_j.
    fn soft_maximum(&self, w: &[f32; N]) -> (f32, [f32; PLANES]) {
        let scores: [f32; PLANES] = core::array::from_fn(|j| sum::dot(&self.normals[j], w) + self.heights[j]);
        let top = scores.iter().fold(f32::NEG_INFINITY, |m, &s| if s > m { s } else { m });
        let powers = scores.map(|s| math::exp(s - top));
        let total = sum::sum(&powers);
        (top + math::ln(total), powers.map(|p| p / total))
    }
}

impl<const N: usize> Function<N> for Planes<N> {
    fn value(&self, w: &[f32; N]) -> f32 {
        self.soft_maximum(w).0 + 0.5 * self.l2 * sum::squares(w)
    }
    fn gradient(&self, w: &[f32; N]) -> [f32; N] {
        let (_, shares) = self.soft_maximum(w);
        let column = |i: usize| self.normals.iter().zip(&shares).map(|(a, p)| a[i] * p).sum::<f32>();
        core::array::from_fn(|i| column(i) + self.l2 * w[i])
    }
}

/// Log-sum-exp of 12 planes in N dimensions, with F\*.
#[derive(Debug, Clone)]
pub struct Softmax<const N: usize> {
    single: Plain<Planes<N>, N>,
    normals: Vec<Vec<f64>>,
    heights: Vec<f64>,
    l2: f64,
    minimum: f64,
    start: [f32; N],
}

impl<const N: usize> Softmax<N> {
    /// Planes drawn from a seed, `l2` as strength of the quadratic.
    #[must_use]
    pub fn random(seed: u64, l2: f32) -> Self {
        let mut rng = Rng::new(seed);
        let normals: [[f32; N]; PLANES] = core::array::from_fn(|_| core::array::from_fn(|_| rng.range(-1.0, 1.0)));
        let (heights, start) = ([(); PLANES].map(|()| rng.normal()), [(); N].map(|()| rng.range(-3.0, 3.0)));
        let rows = normals.iter().map(|a| wide(a)).collect();
        let single = Plain(Planes { normals, heights, l2 });
        let mut problem = Self { single, normals: rows, heights: wide(&heights), l2: l2.into(), minimum: 0.0, start };
        let best = minimiser(|w| problem.slope(w), N, problem.mu(), problem.smoothness());
        problem.minimum = problem.excess(&best);
        problem
    }

    fn scores(&self, w: &[f64]) -> Vec<f64> {
        self.normals.iter().zip(&self.heights).map(|(a, b)| dot(a, w) + b).collect()
    }

    fn longest(&self) -> f64 {
        self.normals.iter().map(|a| norm(a)).fold(0.0, f64::max)
    }

    /// How far any score may be off: (additions + 3) units of what is added up in it.
    fn score_error(&self, w: &[f64]) -> f64 {
        let products = |a: &[f64]| a.iter().zip(w).map(|(a, w)| (a * w).abs()).sum::<f64>();
        let sums = self.normals.iter().zip(&self.heights).map(|(a, b)| products(a) + b.abs());
        UNIT * (additions(N) + 3.0) * sums.fold(0.0, f64::max)
    }
}

impl<const N: usize> Known for Softmax<N> {
    type Objective = Plain<Planes<N>, N>;

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
        self.l2
    }
    fn smoothness(&self) -> f64 {
        self.l2 + self.longest() * self.longest()
    }
    fn excess(&self, w: &[f64]) -> f64 {
        let scores = self.scores(w);
        let top = scores.iter().fold(f64::NEG_INFINITY, |m, &s| m.max(s));
        let soft = top + scores.iter().map(|s| (s - top).exp()).sum::<f64>().ln();
        soft + 0.5 * self.l2 * dot(w, w) - self.minimum
    }
    fn slope(&self, w: &[f64]) -> Vec<f64> {
        let scores = self.scores(w);
        let top = scores.iter().fold(f64::NEG_INFINITY, |m, &s| m.max(s));
        let powers: Vec<f64> = scores.iter().map(|s| (s - top).exp()).collect();
        let total: f64 = powers.iter().sum();
        let column = |i: usize| self.normals.iter().zip(&powers).map(|(a, p)| a[i] * p / total).sum::<f64>();
        (0..N).map(|i| column(i) + self.l2 * w[i]).collect()
    }

    /// The soft maximum is off by no more than the scores, by the rounding of s - top in each exponential, of which a
    /// share of at most 1/e counts, and by 8 units for exponential, sum and logarithm of numbers up to 12; then come the
    /// penalty's rounding and that of two sums.
    fn loss_error(&self, w: &[f64]) -> f64 {
        let penalty = 0.5 * self.l2 * dot(w, w);
        let soft = (self.excess(w) + self.minimum - penalty).abs();
        let rest = PLANES as f64 / core::f64::consts::E + 8.0 + additions(PLANES);
        MORE * (self.score_error(w) + UNIT * (rest + 2.0 * soft + (additions(N) + 4.0) * penalty))
    }

    /// The shares are off, in sum, by twice what the scores are, and by as many units as there are planes and ten more;
    /// the sum over planes is a running one.
    fn slope_error(&self, w: &[f64], slope: &[f64]) -> f64 {
        let shares = 2.0 * self.score_error(w) + (2.0 * PLANES as f64 + 10.0) * UNIT;
        MORE * (self.longest() * shares + UNIT * (3.0 * self.l2 * norm(w) + norm(slope)))
    }
}
