//! A quadratic, rotated: `lgl2o::objective::Quadratic` with a spectrum drawn at random.

use lgl2o::Rng;
use lgl2o::objective::Quadratic;
use lgl2o::source::{Exact, Source};

use super::{Known, MORE, UNIT, additions, norm};
use crate::reference::losses::{Quadratic64, wide};

/// A quadratic of dimension N, and a place to start.
#[derive(Debug, Clone)]
pub struct Bowl<const N: usize> {
    single: Quadratic<N>,
    double: Quadratic64,
    start: [f32; N],
}

impl<const N: usize> Bowl<N> {
    /// Eigenvalues from L / condition to L, both of which occur (for N > 1), reflected at a random plane; minimiser and
    /// start between -3 and 3.
    ///
    /// # Panics
    /// Unless L and the condition are positive and finite.
    #[must_use]
    pub fn random(seed: u64, smoothness: f32, condition: f32) -> Self {
        let mut rng = Rng::new(seed);
        let spectrum: [f32; N] = core::array::from_fn(|i| match i {
            0 => smoothness,
            1 => smoothness / condition,
            _ => smoothness / condition.powf(rng.uniform()),
        });
        let mut random = || core::array::from_fn(|_| rng.range(-3.0, 3.0));
        let (minimiser, normal): ([f32; N], [f32; N]) = (random(), random());
        let single = Quadratic::new(spectrum, minimiser).and_then(|q| q.reflected(normal)).unwrap();
        let double = Quadratic64 { spectrum: wide(&spectrum), minimiser: wide(&minimiser), normal: wide(&normal) };
        Self { single, double, start: random() }
    }

    /// z = Q (w - w\*), and how far each of its numbers may be off.
    ///
    /// The dot product q.(w - w\*) is off by (additions + 2) units of |q| |z|, 2 / |q|^2 by (additions + 2) units of
    /// itself, so their product, and that with q_i, by (2 additions + 6) units of 2 |z| |q_i| / |q|. The differences w -
    /// w\* and z_i are off by a unit each.
    fn offset(&self, w: &[f64]) -> (Vec<f64>, Vec<f64>) {
        let normal = &self.double.normal;
        let z = self.double.offset(w);
        let (length, reach) = (norm(&z), norm(normal).max(f64::MIN_POSITIVE));
        let dot = 2.0 * (2.0 * additions(N) + 6.0) * length / reach;
        let error = |i: usize| UNIT * (dot * normal[i].abs() + (w[i] - self.double.minimiser[i]).abs() + z[i].abs());
        let errors = (0..N).map(error).collect();
        (z, errors)
    }
}

impl<const N: usize> Known for Bowl<N> {
    type Objective = Quadratic<N>;

    fn objective(&self) -> &Quadratic<N> {
        &self.single
    }
    fn source(&self) -> impl Source<Quadratic<N>> {
        Exact
    }
    fn start(&self) -> [f32; N] {
        self.start
    }
    fn mu(&self) -> f64 {
        self.single.mu().into()
    }
    fn smoothness(&self) -> f64 {
        self.single.smoothness().into()
    }
    fn excess(&self, w: &[f64]) -> f64 {
        self.double.value(w)
    }
    fn slope(&self, w: &[f64]) -> Vec<f64> {
        self.double.slope(w)
    }

    /// Each term h z^2 / 2 is off by h (|z| e + e^2 / 2) where z is off by e, and by two products and the sum.
    fn loss_error(&self, w: &[f64]) -> f64 {
        let (z, e) = self.offset(w);
        let terms = z.iter().zip(&e).zip(&self.double.spectrum).map(|((z, e), h)| h * (z.abs() * e + 0.5 * e * e));
        MORE * (terms.sum::<f64>() + (additions(N) + 2.0) * UNIT * self.double.value(w))
    }

    /// h z is off by h e and a unit, and reflecting it back adds (4 additions + 14) units of its length.
    fn slope_error(&self, w: &[f64], _: &[f64]) -> f64 {
        let (z, e) = self.offset(w);
        let scaled = |a: &[f64]| a.iter().zip(&self.double.spectrum).map(|(a, h)| a * h).collect::<Vec<_>>();
        MORE * (norm(&scaled(&e)) + (4.0 * additions(N) + 14.0) * UNIT * norm(&scaled(&z)))
    }
}
