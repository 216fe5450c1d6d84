//! Not convex, but every stationary point is a minimum: the sum of w^2 + 3 sin^2 w.
//!
//! The second derivative 2 + 6 cos 2w lies between -4 and 8, so L = 8, and |grad F|^2 >= 2 F / 32 (Karimi, Nutini,
//! Schmidt, ECML 2016, section 2.2), number by number and so for the sum.

use lgl2o::source::{Exact, Source};
use lgl2o::{Rng, math, sum};

use super::{Function, Known, MORE, Plain, UNIT, additions};

/// The function in single precision.
#[derive(Debug, Clone, Copy)]
pub struct Waves;

impl<const N: usize> Function<N> for Waves {
    fn value(&self, w: &[f32; N]) -> f32 {
        sum::sum(&w.map(|w| w * w + 3.0 * math::sin(w) * math::sin(w)))
    }
    fn gradient(&self, w: &[f32; N]) -> [f32; N] {
        w.map(|w| 2.0 * w + 6.0 * math::sin(w) * math::cos(w))
    }
}

/// N numbers in such wells.
#[derive(Debug, Clone)]
pub struct Wells<const N: usize> {
    single: Plain<Waves, N>,
    start: [f32; N],
}

impl<const N: usize> Wells<N> {
    /// A start between -6 and 6.
    #[must_use]
    pub fn random(seed: u64) -> Self {
        let mut rng = Rng::new(seed);
        Self { single: Plain(Waves), start: [(); N].map(|()| rng.range(-6.0, 6.0)) }
    }
}

impl<const N: usize> Known for Wells<N> {
    type Objective = Plain<Waves, N>;

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
        1.0 / 32.0
    }
    fn smoothness(&self) -> f64 {
        8.0
    }
    fn excess(&self, w: &[f64]) -> f64 {
        w.iter().map(|w| w * w + 3.0 * w.sin().powi(2)).sum()
    }
    fn slope(&self, w: &[f64]) -> Vec<f64> {
        w.iter().map(|w| 2.0 * w + 3.0 * (2.0 * w).sin()).collect()
    }

    /// Nine units for a square, two sines, two products and a sum of positive terms, and those of the sum.
    fn loss_error(&self, w: &[f64]) -> f64 {
        MORE * (additions(N) + 9.0) * UNIT * self.excess(w)
    }

    /// Eight units of each term.
    fn slope_error(&self, w: &[f64], _: &[f64]) -> f64 {
        let terms = w.iter().map(|w| 2.0 * w.abs() + 6.0 * (w.sin() * w.cos()).abs());
        MORE * 8.0 * UNIT * terms.map(|t| t * t).sum::<f64>().sqrt()
    }
}
