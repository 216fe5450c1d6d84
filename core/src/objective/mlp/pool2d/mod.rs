//! Pooling over an image: one number for each channel of every KH x KW pixels, without parameters.
//!
//! H rows become H / KH, rounded down, and W columns W / KW; what is left at the end is dropped. [`max`] and [`average`] have the formulas.

pub mod average;
pub mod max;

use core::marker::PhantomData;

use super::activation::Activation;
use super::kernels::Kernels;
use super::layer::{Inputs, Layer, Motion, Moving, NARROW, Own, OwnMut, Shape, Visitor};
use super::network::{Image, Layers};
use super::patches::Patches;
use super::pool::{Average, Max};
use crate::batch::Rows;
use crate::persist::Digest;
use crate::rng::Rng;
use crate::tensors::{Nothing, Tensors};

/// What becomes of the numbers of a channel in a window, as a type.
pub trait Pooling2d {
    /// Its name in a fingerprint.
    const NAME: &'static str;

    /// Writes the outputs of n examples; windows do not overlap.
    fn forward(patches: &Patches, inputs: Rows<'_>, n: usize, out: &mut [f32]);

    /// Writes the errors of the layer below, whose activation is `below`, over its activations x.
    fn input_error(patches: &Patches, errors: &[f32], n: usize, below: Activation, x: &mut [f32]);
}

/// Pooling of one [`Image`] to another of as many channels, KH x KW pixels to each, as a type.
#[derive(Debug, Clone, Copy)]
pub struct Pool2d<I, O, const KH: usize, const KW: usize, M>(PhantomData<(I, O, M)>);

/// The largest of KH x KW numbers. [`chain!`](crate::chain) counts the pixels: `max_pool2d(K)`, or `max_pool2d([KH, KW])`.
///
/// ```compile_fail,E0080
/// use lgl2o::objective::mlp::{Fixed, Image, MaxPool2d};
/// // 28 rows, 4 to each: that makes 7 rows.
/// let _ = Fixed::<MaxPool2d<Image<28, 28, 8>, Image<8, 7, 8>, 4, 4>, 16>::new();
/// ```
pub type MaxPool2d<I, O, const KH: usize, const KW: usize> = Pool2d<I, O, KH, KW, Max>;
/// The mean of KH x KW numbers. [`chain!`](crate::chain) counts the pixels: `average_pool2d(K)`, or `average_pool2d([KH, KW])`.
pub type AveragePool2d<I, O, const KH: usize, const KW: usize> = Pool2d<I, O, KH, KW, Average>;

/// Its windows.
const fn patches(size: [usize; 3], sides: [usize; 2]) -> Patches {
    Patches::new(size, sides, sides, [0, 0])
}

impl<
    const H: usize,
    const W: usize,
    const C: usize,
    const U: usize,
    const V: usize,
    const KH: usize,
    const KW: usize,
    M: Pooling2d,
> Layers for Pool2d<Image<H, W, C>, Image<U, V, C>, KH, KW, M>
{
    type In = Image<H, W, C>;
    type Out = Image<U, V, C>;
    type Params = Nothing;
    type Activations<const B: usize> = [[[[f32; C]; V]; U]; B];
    const DEPTH: usize = {
        assert!(C > 0 && KH > 0 && KW > 0, "pooling needs at least one channel, and sides of at least 1");
        assert!(
            U > 0 && V > 0 && U == H / KH && V == W / KW,
            "pooling has H / KH rows and W / KW columns of outputs, at least one of each"
        );
        1
    };
    const TENSORS: usize = 0;
    const LOWEST: usize = 1;

    fn shape(_: usize) -> Shape {
        Shape { inputs: H * W * C, outputs: U * V * C, activation: Activation::Identity }
    }
    fn visit<Z: Visitor>(_: usize, first: usize, visitor: Z) -> Z::Output {
        visitor.visit(&Self(PhantomData), first)
    }
}

impl<
    const H: usize,
    const W: usize,
    const C: usize,
    const U: usize,
    const V: usize,
    const KH: usize,
    const KW: usize,
    M: Pooling2d,
> Layer for Pool2d<Image<H, W, C>, Image<U, V, C>, KH, KW, M>
{
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
        [H, W, C, KH, KW].into_iter().for_each(|n| digest.word(n as u32));
    }

    fn initialize<P: Tensors>(&self, _: OwnMut<'_, P>, _: &mut Rng) {}

    fn forward<P: Tensors>(&self, _: &impl Kernels, _: Own<'_, P>, inputs: Rows<'_>, n: usize, out: &mut [f32]) {
        M::forward(&patches([H, W, C], [KH, KW]), inputs, n, out);
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
        M::input_error(&patches([H, W, C], [KH, KW]), errors, n, below, x);
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
            Inputs::Activations { x, below } => M::input_error(&patches([H, W, C], [KH, KW]), errors, n, below, x),
        }
    }

    fn terms<P: Tensors>(&self, _: Own<'_, P>) -> f32 {
        0.0
    }

    fn growth<P: Tensors>(&self, _: Own<'_, P>) -> f32 {
        1.0
    }
}
