//! One-dimensional convolution over a series in time: a dense layer of few inputs, the same at every time.
//!
//! For an example x (T times x C channels), weights W (O x K x C), errors e = d loss / d pre-activation (T' times x O channels), a
//! kernel of K times, stride S and P zeros of padding on either side, T' = (T + 2 P - K) / S + 1:
//!
//! ```text
//! forward          z[t][o]    = sum_kc W[o][k][c] x[t S + k - P][c] + b[o]        eight partial sums over (k, c)
//! weight gradient  G[o][k][c] = sum_st e_s[t][o] x_s[t S + k - P][c]              in the order of the examples, then of t
//! bias gradient    g[o]       = sum_st e_s[t][o]                                  in the order of the examples, then of t
//! input error      d[i][c]    = act'(x[i][c]) sum_to e[t][o] W[o][i + P - t S][c] in the order of t, then of the outputs
//! ```
//!
//! (LeCun et al., "Backpropagation Applied to Handwritten Zip Code Recognition", 1989; over time: Waibel et al. 1989. The form:
//! Goodfellow, Bengio, Courville, "Deep Learning" (2016), 9.1, without the flip.) Products with padding are in no sum. Why a series
//! is \[time\]\[channels\], [`windows`](super::windows) says.
//!
//! Memory: O K C + O parameters; T' O activations for an example. A [`Descent`](super::Descent) through a convolution below which
//! there are layers to train, or of one, has its weights' gradient on the stack: 4 O K C bytes.

mod kernels;

#[cfg(any(test, feature = "twins"))]
pub use kernels::plain;
#[cfg(any(test, feature = "twins"))]
pub(super) use kernels::triples;
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

/// Parameters of a convolution: two tensors, weights and bias.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "alloc", derive(bytemuck::Zeroable))]
pub struct Conv1dParams<const C: usize, const K: usize, const O: usize> {
    /// For each output channel, K times of C channels.
    pub weights: [[[f32; C]; K]; O],
    /// One number per output channel.
    pub bias: [f32; O],
}

crate::tensors::weights_and_bias!(Conv1dParams<C, K, O>, [[f32; O]; O], [[[[f32; C]; K]; C]; K]);

/// A convolution of T times of C channels to U times of O channels, as a type: a kernel of K times, stride S, P zeros of padding
/// on either side, and an activation. [`chain!`](crate::chain) counts the times: `conv1d(O, K, S, P, A)`.
///
/// ```compile_fail,E0080
/// use lgl2o::objective::mlp::{Conv1d, Fixed};
/// // 100 times, 5 to a window, 2 apart: that makes 48 times, not 50.
/// let _ = Fixed::<Conv1d<100, 6, 50, 8, 5, 2, 0>, 16>::new();
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Conv1d<
    const T: usize,
    const C: usize,
    const U: usize,
    const O: usize,
    const K: usize,
    const S: usize,
    const P: usize,
    A = Identity,
>(PhantomData<A>);

impl<
    const T: usize,
    const C: usize,
    const U: usize,
    const O: usize,
    const K: usize,
    const S: usize,
    const P: usize,
    A: Activate,
> Layers for Conv1d<T, C, U, O, K, S, P, A>
{
    type In = Series<T, C>;
    type Out = Series<U, O>;
    type Params = Conv1dParams<C, K, O>;
    type Activations<const B: usize> = [[[f32; O]; U]; B];
    const DEPTH: usize = {
        assert!(C > 0 && O > 0, "a convolution needs at least one channel of inputs and one of outputs");
        Windows::of::<T, C, K, S, P>().check(U);
        1
    };
    const TENSORS: usize = 2;
    const LOWEST: usize = 0;

    fn shape(_: usize) -> Shape {
        Shape { inputs: T * C, outputs: U * O, activation: A::ACTIVATION }
    }
    fn visit<V: Visitor>(_: usize, first: usize, visitor: V) -> V::Output {
        visitor.visit(&Self(PhantomData), first)
    }
}

impl<
    const T: usize,
    const C: usize,
    const U: usize,
    const O: usize,
    const K: usize,
    const S: usize,
    const P: usize,
    A: Activate,
> Layer for Conv1d<T, C, U, O, K, S, P, A>
{
    fn shape(&self) -> Shape {
        <Self as Layers>::shape(0)
    }

    fn tensors(&self) -> usize {
        2
    }

    fn parameters(&self) -> usize {
        O * K * C + O
    }

    fn describe(&self, digest: &mut Digest) {
        digest.kind("conv1d");
        digest.kind(A::ACTIVATION.name());
        [T, C, O, K, S, P].into_iter().for_each(|n| digest.word(n as u32));
    }

    fn initialize<Q: Tensors>(&self, own: OwnMut<'_, Q>, rng: &mut Rng) {
        initialize(own, K * C, A::ACTIVATION, rng);
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
        weight_gradient(&Windows::of::<T, C, K, S, P>(), errors, inputs, n, O, gradient.tensor(0));
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
        input_error(&Windows::of::<T, C, K, S, P>(), own.tensor(0), errors, n, O, below, x);
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
        let (windows, mut gradient) = (Windows::of::<T, C, K, S, P>(), <[[[f32; C]; K]; O]>::ZERO);
        match inputs {
            Inputs::Rows(rows) => weight_gradient(&windows, errors, rows, n, O, gradient.tensor_mut(0)),
            Inputs::Activations { x, below } => {
                weight_gradient(&windows, errors, Rows::all(x, T * C), n, O, gradient.tensor_mut(0));
                input_error(&windows, own.part(0).weights, errors, n, O, below, x);
            }
        }
        own.part(0).advance(motion, 0, gradient.tensor(0));
        dense::descend_bias(errors, n * U, motion, own.part(1));
    }

    fn terms<Q: Tensors>(&self, _: Own<'_, Q>) -> f32 {
        U as f32
    }

    /// The largest sum over outputs and taps of |W|.
    fn growth<Q: Tensors>(&self, own: Own<'_, Q>) -> f32 {
        widest_column(own.tensor(0), C)
    }
}
