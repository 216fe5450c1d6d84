//! Two-dimensional convolution over an image: a dense layer of few inputs, the same at every place.
//!
//! For an example x (H x W pixels of C channels), weights W (KH x KW x C x O), errors e = d loss / d pre-activation (H' x W' pixels of O
//! channels), a filter of KH x KW pixels, strides SH and SW, PH rows and PW columns of zeros on either side,
//! H' = (H + 2 PH - KH) / SH + 1, and W' alike:
//!
//! ```text
//! forward          z[y][t][o]    = sum_klc W[k][l][c][o] x[y SH + k - PH][t SW + l - PW][c] + b[o]
//! weight gradient  G[k][l][c][o] = sum_syt e_s[y][t][o] x_s[y SH + k - PH][t SW + l - PW][c]
//! bias gradient    g[o]          = sum_syt e_s[y][t][o]
//! input error      d[i][j][c]    = act'(x[i][j][c]) sum_yt sum_o e[y][t][o] W[i + PH - y SH][j + PW - t SW][c][o]
//! ```
//!
//! Sums run in the order of their indices, the last the fastest; only that over the outputs in the input error has eight partial sums,
//! for each patch anew.
//!
//! (LeCun et al., "Backpropagation Applied to Handwritten Zip Code Recognition", 1989. The form: Goodfellow, Bengio, Courville, "Deep
//! Learning" (2016), 9.1, without the flip.) Products with padding are in no sum. How an image lies in memory, [`patches`](super::patches)
//! says. In the weights the outputs lie side by side, as those of Keras' `Conv2D` do, so that each is a lane of its own.
//!
//! Memory: O KH KW C + O parameters; H' W' O activations for an example. A [`Descent`](super::Descent) through one has its weights'
//! gradient on the stack: 4 O KH KW C bytes.

mod kernels;

#[cfg(any(test, feature = "twins"))]
pub use kernels::plain;
pub use kernels::{forward, input_error, weight_gradient};

use core::marker::PhantomData;

use super::activation::{Activate, Activation, Identity};
use super::dense;
use super::kernels::Kernels;
use super::layer::{Inputs, Layer, Motion, Moving, NARROW, Own, OwnMut, Shape, Visitor, initialize, larger};
use super::network::{Image, Layers};
use super::patches::{Filter, Patches};
use crate::batch::Rows;
use crate::math;
use crate::persist::Digest;
use crate::rng::Rng;
use crate::tensors::{Tensors, Zeroed};

/// Parameters of a convolution in two dimensions: two tensors, weights and bias.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "alloc", derive(bytemuck::Zeroable))]
pub struct Conv2dParams<const KH: usize, const KW: usize, const C: usize, const O: usize> {
    /// For each pixel of the filter and each channel of inputs, a number per output channel.
    pub weights: [[[[f32; O]; C]; KW]; KH],
    /// One number per output channel.
    pub bias: [f32; O],
}

crate::tensors::weights_and_bias!(Conv2dParams<KH, KW, C, O>, [f32; 0], [[f32; O]; O]);

/// A convolution of one [`Image`] to another by a [`Filter`], with an activation, as a type. [`chain!`](crate::chain) counts the pixels:
/// `conv2d(O, K, S, P, A)`, where a square filter has one number, and another two, `[KH, KW]`.
///
/// ```compile_fail,E0080
/// use lgl2o::objective::mlp::{Conv2d, Filter, Fixed, Image};
/// // 28 rows, 3 to a patch, 2 apart: that makes 13 rows, not 14.
/// let _ = Fixed::<Conv2d<Image<28, 28, 1>, Image<14, 13, 8>, Filter<3, 3, 2, 2, 0, 0>>, 16>::new();
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Conv2d<I, O, F, A = Identity>(PhantomData<(I, O, F, A)>);

impl<
    const H: usize,
    const W: usize,
    const C: usize,
    const U: usize,
    const V: usize,
    const O: usize,
    const KH: usize,
    const KW: usize,
    const SH: usize,
    const SW: usize,
    const PH: usize,
    const PW: usize,
    A: Activate,
> Layers for Conv2d<Image<H, W, C>, Image<U, V, O>, Filter<KH, KW, SH, SW, PH, PW>, A>
{
    type In = Image<H, W, C>;
    type Out = Image<U, V, O>;
    type Params = Conv2dParams<KH, KW, C, O>;
    type Activations<const B: usize> = [[[[f32; O]; V]; U]; B];
    const DEPTH: usize = {
        assert!(C > 0 && O > 0, "a convolution needs at least one channel of inputs and one of outputs");
        Patches::new([H, W, C], [KH, KW], [SH, SW], [PH, PW]).check([U, V]);
        1
    };
    const TENSORS: usize = 2;
    const LOWEST: usize = 0;

    fn shape(_: usize) -> Shape {
        Shape { inputs: H * W * C, outputs: U * V * O, activation: A::ACTIVATION }
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
    const O: usize,
    const KH: usize,
    const KW: usize,
    const SH: usize,
    const SW: usize,
    const PH: usize,
    const PW: usize,
    A: Activate,
> Layer for Conv2d<Image<H, W, C>, Image<U, V, O>, Filter<KH, KW, SH, SW, PH, PW>, A>
{
    fn shape(&self) -> Shape {
        <Self as Layers>::shape(0)
    }

    fn tensors(&self) -> usize {
        2
    }

    fn parameters(&self) -> usize {
        O * KH * KW * C + O
    }

    fn describe(&self, digest: &mut Digest) {
        digest.kind("conv2d");
        digest.kind(A::ACTIVATION.name());
        [H, W, C, O, KH, KW, SH, SW, PH, PW].into_iter().for_each(|n| digest.word(n as u32));
    }

    fn initialize<Q: Tensors>(&self, own: OwnMut<'_, Q>, rng: &mut Rng) {
        initialize(own, KH * KW * C, A::ACTIVATION, rng);
    }

    fn forward<Q: Tensors>(&self, _: &impl Kernels, own: Own<'_, Q>, inputs: Rows<'_>, n: usize, out: &mut [f32]) {
        let patches = Patches::new([H, W, C], [KH, KW], [SH, SW], [PH, PW]);
        forward(&patches, own.tensor(0), own.tensor(1), inputs, n, out);
    }

    fn gradient<Q: Tensors>(
        &self,
        kernels: &impl Kernels,
        _: Own<'_, Q>,
        errors: &[f32],
        inputs: Rows<'_>,
        n: usize,
        mut gradient: OwnMut<'_, Q>,
    ) {
        let patches = Patches::new([H, W, C], [KH, KW], [SH, SW], [PH, PW]);
        weight_gradient(&patches, errors, inputs, n, O, gradient.tensor(0));
        kernels.bias_gradient(errors, n * U * V, gradient.tensor(1));
    }

    fn input_error<Q: Tensors>(
        &self,
        _: &impl Kernels,
        own: Own<'_, Q>,
        errors: &[f32],
        n: usize,
        below: Activation,
        x: &mut [f32],
    ) {
        let patches = Patches::new([H, W, C], [KH, KW], [SH, SW], [PH, PW]);
        input_error(&patches, own.tensor(0), errors, n, O, below, x);
    }

    // On a device, its gradient is on the stack only while it runs.
    #[cfg_attr(target_os = "none", inline(never))]
    fn descend<Q: Tensors, const N: usize>(
        &self,
        errors: &[f32],
        inputs: Inputs<'_>,
        n: usize,
        motion: &impl Motion<N>,
        mut own: Moving<'_, Q, N>,
        _: &mut [impl AsMut<[f32]>; NARROW],
    ) {
        let patches = Patches::new([H, W, C], [KH, KW], [SH, SW], [PH, PW]);
        let mut gradient = <[[[[f32; O]; C]; KW]; KH]>::ZERO;
        match inputs {
            Inputs::Rows(rows) => weight_gradient(&patches, errors, rows, n, O, gradient.tensor_mut(0)),
            Inputs::Activations { x, below } => {
                weight_gradient(&patches, errors, Rows::all(x, H * W * C), n, O, gradient.tensor_mut(0));
                input_error(&patches, own.part(0).weights, errors, n, O, below, x);
            }
        }
        own.part(0).advance(motion, 0, gradient.tensor(0));
        dense::descend_bias(errors, n * U * V, motion, own.part(1));
    }

    fn terms<Q: Tensors>(&self, _: Own<'_, Q>) -> f32 {
        (U * V) as f32
    }

    fn growth<Q: Tensors>(&self, own: Own<'_, Q>) -> f32 {
        growth(own.tensor(0), C, O)
    }
}

/// The largest sum over outputs and taps of |W|, for taps of so many channels of so many outputs.
#[must_use]
pub fn growth(weights: &[f32], channels: usize, outputs: usize) -> f32 {
    let taps = |channel: usize| weights.chunks(outputs.max(1)).skip(channel).step_by(channels.max(1)).flatten();
    (0..channels)
        .fold(0.0, |most, channel| larger(most, math::abs(taps(channel).fold(0.0, |sum, &w| sum + math::abs(w)))))
}
