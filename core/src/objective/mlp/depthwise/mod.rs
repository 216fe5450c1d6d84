//! Depthwise convolution over a series in time: each channel is filtered by a kernel of its own, and none sees another.
//!
//! For an example x (T times x C channels), weights W (K x C), errors e (T' times x C channels), and the rest as in
//! [`conv1d`](super::conv1d):
//!
//! ```text
//! forward          z[t][c]  = sum_k W[k][c] x[t S + k - P][c] + b[c]              in the order of the taps
//! weight gradient  G[k][c]  = sum_st e_s[t][c] x_s[t S + k - P][c]                in the order of the examples, then of t
//! bias gradient    g[c]     = sum_st e_s[t][c]                                    in the order of the examples, then of t
//! input error      d[i][c]  = act'(x[i][c]) sum_t e[t][c] W[i + P - t S][c]       in the order of t
//! ```
//!
//! (Sifre, "Rigid-Motion Scattering for Image Classification", 2014; before a convolution of kernel 1, as in Howard et al.,
//! "MobileNets", 2017, it takes the place of a whole one at a fraction of the products.) Products with padding are in no sum.
//!
//! Memory: K C + C parameters; T' C activations for an example. A [`Descent`](super::Descent) through one has its weights'
//! gradient on the stack: 4 K C bytes.

mod kernels;

pub(super) use kernels::by_channels;
#[cfg(any(test, feature = "twins"))]
pub use kernels::plain;
pub use kernels::{forward, input_error, weight_gradient};

use core::marker::PhantomData;

use super::activation::{Activate, Activation, Identity};
use super::dense;
use super::kernels::Kernels;
use super::layer::{Inputs, Layer, Motion, Moving, NARROW, Own, OwnMut, Shape, Visitor, initialize, widest_column};
use super::network::{Layers, Series};
use super::windows::Windows;
use crate::batch::Rows;
use crate::persist::Digest;
use crate::rng::Rng;
use crate::tensors::{Tensors, Zeroed};

/// Parameters of a depthwise convolution: two tensors, weights and bias.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "alloc", derive(bytemuck::Zeroable))]
pub struct DepthwiseParams<const C: usize, const K: usize> {
    /// K times of C channels.
    pub weights: [[f32; C]; K],
    /// One number per channel.
    pub bias: [f32; C],
}

// Channels do not meet: there is no matrix.
crate::tensors::weights_and_bias!(DepthwiseParams<C, K>, [f32; 0], [f32; 0]);

/// A depthwise convolution of C channels, of T times to U, as a type: kernels of K times, stride S, P zeros of padding on either
/// side, and an activation. [`chain!`](crate::chain) counts the times: `depthwise(K, S, P, A)`.
#[derive(Debug, Clone, Copy)]
pub struct Depthwise<
    const T: usize,
    const C: usize,
    const U: usize,
    const K: usize,
    const S: usize,
    const P: usize,
    A = Identity,
>(PhantomData<A>);

impl<const T: usize, const C: usize, const U: usize, const K: usize, const S: usize, const P: usize, A: Activate> Layers
    for Depthwise<T, C, U, K, S, P, A>
{
    type In = Series<T, C>;
    type Out = Series<U, C>;
    type Params = DepthwiseParams<C, K>;
    type Activations<const B: usize> = [[[f32; C]; U]; B];
    const DEPTH: usize = {
        assert!(C > 0, "a depthwise convolution needs at least one channel");
        Windows::of::<T, C, K, S, P>().check(U);
        1
    };
    const TENSORS: usize = 2;
    const LOWEST: usize = 0;

    fn shape(_: usize) -> Shape {
        Shape { inputs: T * C, outputs: U * C, activation: A::ACTIVATION }
    }
    fn visit<V: Visitor>(_: usize, first: usize, visitor: V) -> V::Output {
        visitor.visit(&Self(PhantomData), first)
    }
}

impl<const T: usize, const C: usize, const U: usize, const K: usize, const S: usize, const P: usize, A: Activate> Layer
    for Depthwise<T, C, U, K, S, P, A>
{
    fn shape(&self) -> Shape {
        <Self as Layers>::shape(0)
    }

    fn tensors(&self) -> usize {
        2
    }

    fn parameters(&self) -> usize {
        K * C + C
    }

    fn describe(&self, digest: &mut Digest) {
        digest.kind("depthwise");
        digest.kind(A::ACTIVATION.name());
        [T, C, K, S, P].into_iter().for_each(|n| digest.word(n as u32));
    }

    fn initialize<Q: Tensors>(&self, own: OwnMut<'_, Q>, rng: &mut Rng) {
        initialize(own, K, A::ACTIVATION, rng);
    }

    fn forward<Q: Tensors>(&self, _: &impl Kernels, own: Own<'_, Q>, inputs: Rows<'_>, n: usize, out: &mut [f32]) {
        forward(&Windows::of::<T, C, K, S, P>(), own.tensor(0), own.tensor(1), inputs, n, out);
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
        weight_gradient(&Windows::of::<T, C, K, S, P>(), errors, inputs, n, gradient.tensor(0));
        kernels.bias_gradient(errors, n * U, gradient.tensor(1));
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
        input_error(&Windows::of::<T, C, K, S, P>(), own.tensor(0), errors, n, below, x);
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
        let (windows, mut gradient) = (Windows::of::<T, C, K, S, P>(), <[[f32; C]; K]>::ZERO);
        match inputs {
            Inputs::Rows(rows) => weight_gradient(&windows, errors, rows, n, gradient.tensor_mut(0)),
            Inputs::Activations { x, below } => {
                weight_gradient(&windows, errors, Rows::all(x, T * C), n, gradient.tensor_mut(0));
                input_error(&windows, own.part(0).weights, errors, n, below, x);
            }
        }
        own.part(0).advance(motion, 0, gradient.tensor(0));
        dense::descend_bias(errors, n * U, motion, own.part(1));
    }

    fn terms<Q: Tensors>(&self, _: Own<'_, Q>) -> f32 {
        U as f32
    }

    /// The largest sum over taps of |W|.
    fn growth<Q: Tensors>(&self, own: Own<'_, Q>) -> f32 {
        widest_column(own.tensor(0), C)
    }
}
