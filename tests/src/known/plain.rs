//! Functions of a few numbers as objectives: one batch, one loss, exact.

use lgl2o::objective::{Blank, Objective};
use lgl2o::{Error, tensors::Zeroed};

/// A function of N numbers in single precision.
pub trait Function<const N: usize> {
    /// Its value.
    fn value(&self, w: &[f32; N]) -> f32;
    /// Its gradient.
    fn gradient(&self, w: &[f32; N]) -> [f32; N];
}

/// A function as an objective.
#[derive(Debug, Clone)]
pub struct Plain<F, const N: usize>(pub F);

impl<F: Function<N>, const N: usize> Objective for Plain<F, N> {
    type Params = [f32; N];
    type Batch<'a> = ();
    type Scratch = ();
    type Losses = [f32; 1];

    fn losses(&self, (): &mut (), w: &[f32; N], (): (), losses: &mut [f32; 1]) -> Result<usize, Error> {
        *losses = [self.0.value(w)];
        Ok(1)
    }

    fn gradient(
        &self,
        (): &mut (),
        w: &[f32; N],
        (): (),
        losses: &mut [f32; 1],
        gradient: &mut [f32; N],
    ) -> Result<usize, Error> {
        *losses = [self.0.value(w)];
        *gradient = self.0.gradient(w);
        Ok(1)
    }
}

impl<F: Function<N>, const N: usize> Blank for Plain<F, N> {
    fn blank_params(&self) -> [f32; N] {
        Zeroed::ZERO
    }
    fn blank_scratch(&self) {}
    fn blank_losses(&self) -> [f32; 1] {
        Zeroed::ZERO
    }
}
