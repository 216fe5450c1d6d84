//! Pooling over a series in time: one number for each channel of every W times, without parameters.
//!
//! T times become T / W, rounded down; what is left at the end is dropped. [`max`] and [`average`] have the formulas.

pub mod average;
pub mod max;

pub use average::Average;
pub use max::Max;

use core::marker::PhantomData;

use super::activation::Activation;
use super::kernels::Kernels;
use super::layer::{Inputs, Layer, Motion, Moving, NARROW, Own, OwnMut, Shape, Visitor};
use super::network::{Layers, Series};
use super::windows::Windows;
use crate::batch::Rows;
use crate::persist::Digest;
use crate::rng::Rng;
use crate::tensors::{Nothing, Tensors};

/// What becomes of the numbers of a channel in a window, as a type.
pub trait Pooling {
    /// Its name in a fingerprint.
    const NAME: &'static str;

    /// Writes the outputs of n examples; windows do not overlap.
    fn forward(windows: &Windows, inputs: Rows<'_>, n: usize, out: &mut [f32]);

    /// Writes the errors of the layer below, whose activation is `below`, over its activations x.
    fn input_error(windows: &Windows, errors: &[f32], n: usize, below: Activation, x: &mut [f32]);
}

/// Pooling of T times of C channels to U times, W to each, as a type.
#[derive(Debug, Clone, Copy)]
pub struct Pool1d<const T: usize, const C: usize, const U: usize, const W: usize, M>(PhantomData<M>);

/// The largest of W numbers. [`chain!`](crate::chain) counts the times: `max_pool(W)`.
///
/// ```compile_fail,E0080
/// use lgl2o::objective::mlp::{Fixed, MaxPool1d};
/// // 100 times, 4 to each: that makes 25 times.
/// let _ = Fixed::<MaxPool1d<100, 6, 24, 4>, 16>::new();
/// ```
pub type MaxPool1d<const T: usize, const C: usize, const U: usize, const W: usize> = Pool1d<T, C, U, W, Max>;
/// The mean of W numbers. [`chain!`](crate::chain) counts the times: `average_pool(W)`.
pub type AveragePool1d<const T: usize, const C: usize, const U: usize, const W: usize> = Pool1d<T, C, U, W, Average>;

/// Its windows.
const fn windows<const T: usize, const C: usize, const W: usize>() -> Windows {
    Windows { time: T, channels: C, kernel: W, stride: W, padding: 0 }
}

impl<const T: usize, const C: usize, const U: usize, const W: usize, M: Pooling> Layers for Pool1d<T, C, U, W, M> {
    type In = Series<T, C>;
    type Out = Series<U, C>;
    type Params = Nothing;
    type Activations<const B: usize> = [[[f32; C]; U]; B];
    const DEPTH: usize = {
        assert!(C > 0 && W > 0, "pooling needs at least one channel, and a width of at least 1");
        assert!(U > 0 && U == T / W, "pooling has T / W times of outputs, at least one");
        1
    };
    const TENSORS: usize = 0;
    const LOWEST: usize = 1;

    fn shape(_: usize) -> Shape {
        Shape { inputs: T * C, outputs: U * C, activation: Activation::Identity }
    }
    fn visit<V: Visitor>(_: usize, first: usize, visitor: V) -> V::Output {
        visitor.visit(&Self(PhantomData), first)
    }
}

impl<const T: usize, const C: usize, const U: usize, const W: usize, M: Pooling> Layer for Pool1d<T, C, U, W, M> {
    fn shape(&self) -> Shape {
        <Self as Layers>::shape(0)
    }

    fn tensors(&self) -> usize {
        0
    }

    fn parameters(&self) -> usize {
        0
    }

    fn describe(&self, digest: &mut Digest) {
        digest.kind(M::NAME);
        [T, C, W].into_iter().for_each(|n| digest.word(n as u32));
    }

    fn initialize<P: Tensors>(&self, _: OwnMut<'_, P>, _: &mut Rng) {}

    fn forward<P: Tensors>(&self, _: &impl Kernels, _: Own<'_, P>, inputs: Rows<'_>, n: usize, out: &mut [f32]) {
        M::forward(&windows::<T, C, W>(), inputs, n, out);
    }

    fn gradient<P: Tensors>(
        &self,
        _: &impl Kernels,
        _: Own<'_, P>,
        _: &[f32],
        _: Rows<'_>,
        _: usize,
        _: OwnMut<'_, P>,
    ) {
    }

    fn input_error<P: Tensors>(
        &self,
        _: &impl Kernels,
        _: Own<'_, P>,
        errors: &[f32],
        n: usize,
        below: Activation,
        x: &mut [f32],
    ) {
        M::input_error(&windows::<T, C, W>(), errors, n, below, x);
    }

    fn descend<P: Tensors, const K: usize>(
        &self,
        errors: &[f32],
        inputs: Inputs<'_>,
        n: usize,
        _: &impl Motion<K>,
        _: Moving<'_, P, K>,
        _: &mut [impl AsMut<[f32]>; NARROW],
    ) {
        match inputs {
            // Nothing to move, and nothing to train below.
            Inputs::Rows(_) => {}
            Inputs::Activations { x, below } => M::input_error(&windows::<T, C, W>(), errors, n, below, x),
        }
    }

    fn terms<P: Tensors>(&self, _: Own<'_, P>) -> f32 {
        0.0
    }

    fn growth<P: Tensors>(&self, _: Own<'_, P>) -> f32 {
        1.0
    }
}
