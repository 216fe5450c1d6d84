//! Convex quadratic with a given spectrum, optionally rotated.
//!
//! ```text
//! F(w) = 1/2 sum_i h_i z_i^2,   z = Q (w - w*),   Q = I - 2 q q^T / |q|^2   (Householder reflection, or I)
//! ```
//!
//! The eigenvalues h_i are given, so mu = min h and L = max h are known exactly, F* = 0 and the minimiser is w*.
//! Nesterov, "Lectures on Convex Optimization" (2018), section 2.1, for what these constants mean.

use super::{Blank, Objective};
use crate::error::Error;
use crate::persist::{Digest, Fingerprint};
use crate::sum;
use crate::tensors::Zeroed;

/// A convex quadratic of dimension N. Its one batch is `()`: loss and gradient are exact.
#[derive(Debug, Clone, PartialEq)]
pub struct Quadratic<const N: usize> {
    spectrum: [f32; N],
    minimiser: [f32; N],
    normal: [f32; N],
    /// 2 / |q|^2, or 0 for no rotation.
    reflect: f32,
}

impl<const N: usize> Quadratic<N> {
    /// The quadratic with these eigenvalues along the coordinate axes and this minimiser.
    ///
    /// # Errors
    /// [`Error::InvalidSetting`] unless all eigenvalues are positive and finite and the minimiser is finite.
    pub fn new(spectrum: [f32; N], minimiser: [f32; N]) -> Result<Self, Error> {
        let good = |h: &f32| *h > 0.0 && h.is_finite();
        if N == 0 || !spectrum.iter().all(good) {
            return Err(Error::InvalidSetting { what: "eigenvalues must be positive and finite, at least one" });
        }
        if !minimiser.iter().all(|w| w.is_finite()) {
            return Err(Error::InvalidSetting { what: "the minimiser must be finite" });
        }
        Ok(Self { spectrum, minimiser, normal: [0.0; N], reflect: 0.0 })
    }

    /// The same spectrum with its axes reflected at the hyperplane normal to `normal`; the zero vector means none.
    ///
    /// # Errors
    /// [`Error::InvalidSetting`] if the normal is not finite, or so long or short that its squared length is not.
    pub fn reflected(mut self, normal: [f32; N]) -> Result<Self, Error> {
        let length = sum::squares(&normal);
        let reflect = if length > 0.0 { 2.0 / length } else { 0.0 };
        if !(length.is_finite() && reflect.is_finite()) {
            return Err(Error::InvalidSetting { what: "the normal must have a finite, normal squared length" });
        }
        (self.normal, self.reflect) = (normal, reflect);
        Ok(self)
    }

    /// The constant of strong convexity, the least eigenvalue.
    #[must_use]
    pub fn mu(&self) -> f32 {
        self.spectrum.iter().fold(f32::INFINITY, |m, &h| if h < m { h } else { m })
    }

    /// The constant of smoothness, the greatest eigenvalue.
    #[must_use]
    pub fn smoothness(&self) -> f32 {
        self.spectrum.iter().fold(0.0, |m, &h| if h > m { h } else { m })
    }

    /// The minimiser w*.
    #[must_use]
    pub const fn minimiser(&self) -> &[f32; N] {
        &self.minimiser
    }

    /// z <- Q z.
    fn rotate(&self, z: &mut [f32; N]) {
        let along = self.reflect * sum::dot(&self.normal, z);
        for (z, &q) in z.iter_mut().zip(&self.normal) {
            *z -= along * q;
        }
    }

    /// Leaves z = Q (w - w*) in `z` and returns F(w).
    fn value(&self, w: &[f32; N], z: &mut [f32; N]) -> f32 {
        for ((z, &w), &best) in z.iter_mut().zip(w).zip(&self.minimiser) {
            *z = w - best;
        }
        self.rotate(z);
        let mut lanes = [0.0; sum::LANES];
        for (i, (&z, &h)) in z.iter().zip(&self.spectrum).enumerate() {
            lanes[i % sum::LANES] += h * z * z;
        }
        0.5 * sum::tree(lanes)
    }
}

impl<const N: usize> Fingerprint for Quadratic<N> {
    fn describe(&self, digest: &mut Digest) {
        digest.kind("quadratic");
        digest.word(N as u32);
        [self.spectrum, self.minimiser, self.normal].iter().for_each(|numbers| digest.numbers(*numbers));
    }
}

impl<const N: usize> Objective for Quadratic<N> {
    type Params = [f32; N];
    type Batch<'a> = ();
    type Scratch = [f32; N];
    type Losses = [f32; 1];

    fn losses(&self, z: &mut [f32; N], w: &[f32; N], (): (), losses: &mut [f32; 1]) -> Result<usize, Error> {
        *losses = [self.value(w, z)];
        Ok(1)
    }

    fn gradient(
        &self,
        z: &mut [f32; N],
        w: &[f32; N],
        (): (),
        losses: &mut [f32; 1],
        gradient: &mut [f32; N],
    ) -> Result<usize, Error> {
        *losses = [self.value(w, z)];
        for ((g, &z), &h) in gradient.iter_mut().zip(z.iter()).zip(&self.spectrum) {
            *g = h * z;
        }
        // Q is its own transpose.
        self.rotate(gradient);
        Ok(1)
    }
}

impl<const N: usize> Blank for Quadratic<N> {
    fn blank_params(&self) -> [f32; N] {
        Zeroed::ZERO
    }
    fn blank_scratch(&self) -> [f32; N] {
        Zeroed::ZERO
    }
    fn blank_losses(&self) -> [f32; 1] {
        Zeroed::ZERO
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn value_and_gradient_by_hand() {
        let q = Quadratic::new([1.0, 4.0], [1.0, 0.0]).unwrap();
        assert_eq!((q.mu(), q.smoothness()), (1.0, 4.0));
        let (mut z, mut loss, mut g) = ([0.0; 2], [0.0], [0.0; 2]);
        q.gradient(&mut z, &[3.0, 1.0], (), &mut loss, &mut g).unwrap();
        assert_eq!((loss, g), ([4.0], [2.0, 4.0]));
        // Reflecting at the diagonal swaps the axes.
        let q = q.reflected([1.0, -1.0]).unwrap();
        q.gradient(&mut z, &[3.0, 1.0], (), &mut loss, &mut g).unwrap();
        assert_eq!((loss, g), ([8.5], [8.0, 1.0]));
    }

    #[test]
    fn refuses_what_is_not_convex() {
        assert!(Quadratic::new([1.0, 0.0], [0.0; 2]).is_err());
        assert!(Quadratic::new([f32::NAN], [0.0]).is_err());
        assert!(Quadratic::new([1.0], [0.0]).unwrap().reflected([1e30]).is_err());
    }
}
