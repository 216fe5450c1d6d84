//! Depthwise convolution over an image: each channel is filtered by a kernel of its own, and none sees another.
//!
//! For an example x (H x W pixels of C channels), weights W (KH x KW x C), errors e (H' x W' pixels of C channels), and the rest as in
//! [`conv2d`](super::conv2d):
//!
//! ```text
//! forward          z[y][t][c] = sum_kl W[k][l][c] x[y SH + k - PH][t SW + l - PW][c] + b[c]
//! weight gradient  G[k][l][c] = sum_syt e_s[y][t][c] x_s[y SH + k - PH][t SW + l - PW][c]
//! bias gradient    g[c]       = sum_syt e_s[y][t][c]
//! input error      d[i][j][c] = act'(x[i][j][c]) sum_yt e[y][t][c] W[i + PH - y SH][j + PW - t SW][c]
//! ```
//!
//! Sums run in the order of their indices, the last the fastest. (Sifre, "Rigid-Motion Scattering for Image Classification", 2014; before
//! a convolution of kernel 1, as in Howard et al., "MobileNets", 2017, it takes the place of a whole one at a fraction of the products.)
//! Products with padding are in no sum.
//!
//! Memory: KH KW C + C parameters; H' W' C activations for an example. A [`Descent`](super::Descent) through one has its weights'
//! gradient on the stack: 4 KH KW C bytes.

mod kernels;

#[cfg(any(test, feature = "twins"))]
pub use kernels::plain;
pub use kernels::{forward, input_error, weight_gradient};

use core::marker::PhantomData;

use super::activation::{Activate, Activation, Identity};
use super::dense;
use super::kernels::Kernels;
use super::layer::{Inputs, Layer, Motion, Moving, NARROW, Own, OwnMut, Shape, Visitor, initialize, widest_column};
use super::network::{Image, Layers};
use super::patches::{Filter, Patches};
use crate::batch::Rows;
use crate::persist::Digest;
use crate::rng::Rng;
use crate::tensors::{Tensors, Zeroed};

/// Parameters of a depthwise convolution in two dimensions: two tensors, weights and bias.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "alloc", derive(bytemuck::Zeroable))]
pub struct Depthwise2dParams<const KH: usize, const KW: usize, const C: usize> {
    /// For each pixel of the filter, a number per channel.
    pub weights: [[[f32; C]; KW]; KH],
    /// One number per channel.
    pub bias: [f32; C],
}

// Channels do not meet: there is no matrix.
crate::tensors::weights_and_bias!(Depthwise2dParams<KH, KW, C>, [f32; 0], [f32; 0]);

/// A depthwise convolution of one [`Image`] to another of as many channels by a [`Filter`], with an activation, as a type.
/// [`chain!`](crate::chain) counts the pixels: `depthwise2d(K, S, P, A)`.
#[derive(Debug, Clone, Copy)]
pub struct Depthwise2d<I, O, F, A = Identity>(PhantomData<(I, O, F, A)>);

impl<
    const H: usize,
    const W: usize,
    const C: usize,
    const U: usize,
    const V: usize,
    const KH: usize,
    const KW: usize,
    const SH: usize,
    const SW: usize,
    const PH: usize,
    const PW: usize,
    A: Activate,
> Layers for Depthwise2d<Image<H, W, C>, Image<U, V, C>, Filter<KH, KW, SH, SW, PH, PW>, A>
{
    type In = Image<H, W, C>;
    type Out = Image<U, V, C>;
    type Params = Depthwise2dParams<KH, KW, C>;
    type Activations<const B: usize> = [[[[f32; C]; V]; U]; B];
    const DEPTH: usize = {
        assert!(C > 0, "a depthwise convolution needs at least one channel");
        Patches::new([H, W, C], [KH, KW], [SH, SW], [PH, PW]).check([U, V]);
        1
    };
    const TENSORS: usize = 2;
    const LOWEST: usize = 0;

    fn shape(_: usize) -> Shape {
        Shape { inputs: H * W * C, outputs: U * V * C, activation: A::ACTIVATION }
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
    const SH: usize,
    const SW: usize,
    const PH: usize,
    const PW: usize,
    A: Activate,
> Layer for Depthwise2d<Image<H, W, C>, Image<U, V, C>, Filter<KH, KW, SH, SW, PH, PW>, A>
{
    fn shape(&self) -> Shape {
        <Self as Layers>::shape(0)
    }

    fn tensors(&self) -> usize {
        2
    }

    fn parameters(&self) -> usize {
        KH * KW * C + C
    }

    fn describe(&self, digest: &mut Digest) {
        digest.kind("depthwise2d");
        digest.kind(A::ACTIVATION.name());
        [H, W, C, KH, KW, SH, SW, PH, PW].into_iter().for_each(|n| digest.word(n as u32));
    }

    fn initialize<Q: Tensors>(&self, own: OwnMut<'_, Q>, rng: &mut Rng) {
        initialize(own, KH * KW, A::ACTIVATION, rng);
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
        weight_gradient(&patches, errors, inputs, n, gradient.tensor(0));
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
        input_error(&patches, own.tensor(0), errors, n, below, x);
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
        let mut gradient = <[[[f32; C]; KW]; KH]>::ZERO;
        match inputs {
            Inputs::Rows(rows) => weight_gradient(&patches, errors, rows, n, gradient.tensor_mut(0)),
            Inputs::Activations { x, below } => {
                weight_gradient(&patches, errors, Rows::all(x, H * W * C), n, gradient.tensor_mut(0));
                input_error(&patches, own.part(0).weights, errors, n, below, x);
            }
        }
        own.part(0).advance(motion, 0, gradient.tensor(0));
        dense::descend_bias(errors, n * U * V, motion, own.part(1));
    }

    fn terms<Q: Tensors>(&self, _: Own<'_, Q>) -> f32 {
        (U * V) as f32
    }

    /// The largest sum over taps of |W|.
    fn growth<Q: Tensors>(&self, own: Own<'_, Q>) -> f32 {
        widest_column(own.tensor(0), C)
    }
}
