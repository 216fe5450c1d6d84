//! Gated recurrent unit over a series in time. Its state has H numbers; each time changes a part of each. It returns the last state.
//!
//! For an example x (T times x C channels), with weights W (3 H x C) and U (3 H x H), biases b and c, and s the logistic function, in
//! the order t = 0, 1, ..., T - 1 from the state h = 0 on:
//!
//! ```text
//! r  = s(W_r x[t] + b_r + U_r h + c_r)             how much of the state a new one sees
//! z  = s(W_z x[t] + b_z + U_z h + c_z)             how much of the state stays
//! q  = U_n h + c_n      n = tanh(W_n x[t] + b_n + r q)
//! h' = (1 - z) n + z h
//! ```
//!
//! and backwards, in the order t = T - 1, ..., 0, from e = d loss / d h' on:
//!
//! ```text
//! d_n = e (1 - z) (1 - n^2)     d_z = e (h - n) z (1 - z)     d_r = d_n q r (1 - r)     f = (d_r, d_z, r d_n)
//! G_W += d x[t]^T     g_b += d     G_U += f h^T     g_c += f     error of x[t] = act'(x[t]) (W^T d)     e <- e z + U^T f
//! ```
//!
//! (Cho et al., "Learning Phrase Representations using RNN Encoder-Decoder for Statistical Machine Translation", 2014,
//! arXiv 1406.1078; the form in which r multiplies q is that of `torch.nn.GRU`, and so is the order of the gates: r, z, n. The
//! gradient: Werbos, "Backpropagation through time", 1990.) Products have eight partial sums, as in a [dense](super::dense) layer;
//! those with the first state are in no sum.
//!
//! The numbers of d_r and of e are cut at [`MOST`] times the largest error that came from above. What grows by so much on its way through time
//! has exploded (Pascanu, Mikolov, Bengio, "On the difficulty of training recurrent neural networks", 2013, arXiv 1211.5063); up to there the
//! gradient is exact.
//!
//! Memory: 3 H (C + H + 2) parameters; T H activations for an example, which are the states. Gates are not kept but computed again on the
//! way back: that is a third more products, in a fifth of the memory. A pass has 32 H bytes on the stack; a [`Descent`](super::Descent) through
//! one its gradient, too: 12 H (C + H + 2) bytes.

mod kernels;

#[cfg(any(test, feature = "twins"))]
pub use kernels::plain;
pub use kernels::{MOST, ROOM, Recurrence, Sizes};

use core::marker::PhantomData;

use super::activation::Activation;
use super::kernels::{Kernels, Portable};
use super::layer::{Inputs, Layer, Motion, Moving, NARROW, Own, OwnMut, Shape, Visitor, larger, widest_column};
use super::network::{Layers, Series, Width};
use crate::batch::{Rows, row};
use crate::math;
use crate::persist::Digest;
use crate::rng::Rng;
use crate::tensors::{Tensors, Zeroed};

/// What goes to the gates from I numbers: two tensors, weights and bias. The gates are r, z, n.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "alloc", derive(bytemuck::Zeroable))]
pub struct GateParams<const I: usize, const H: usize> {
    /// For each gate H rows of I weights.
    pub weights: [[[f32; I]; H]; 3],
    /// For each gate H numbers.
    pub bias: [[f32; H]; 3],
}

// No side is turned by a rule in eigenbases.
crate::tensors::weights_and_bias!(GateParams<I, H>, [f32; 0], [f32; 0]);

/// Parameters of a gated recurrent unit: four tensors, weights and bias from the inputs, and weights and bias from the state.
/// PyTorch's `weight_ih_l0`, `bias_ih_l0`, `weight_hh_l0` and `bias_hh_l0`.
pub type GruParams<const C: usize, const H: usize> = (GateParams<C, H>, GateParams<H, H>);

/// A gated recurrent unit over T times of C channels that returns its last state, H numbers, as a type.
/// [`chain!`](crate::chain) counts the times: `gru(H)`.
///
/// ```
/// use lgl2o::chain;
/// use lgl2o::objective::mlp::{Fixed, Loss, Mlp};
///
/// // 100 samples of six sensors; batches of 16.
/// let net = Mlp::new(Fixed::<chain![100 x 6 => gru(12), dense(4)], 16>::new(), Loss::CrossEntropy);
/// assert_eq!(net.parameters(), 3 * 12 * (6 + 12 + 2) + 12 * 4 + 4);
/// ```
///
/// ```compile_fail,E0080
/// use lgl2o::objective::mlp::{Fixed, Gru};
/// // A state of no numbers.
/// let _ = Fixed::<Gru<100, 6, 0>, 16>::new();
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Gru<const T: usize, const C: usize, const H: usize>(PhantomData<[[f32; C]; T]>);

impl<const T: usize, const C: usize, const H: usize> Gru<T, C, H> {
    const SIZES: Sizes = Sizes { time: T, channels: C, units: H };
}

impl<const T: usize, const C: usize, const H: usize> Layers for Gru<T, C, H> {
    type In = Series<T, C>;
    type Out = Width<H>;
    type Params = GruParams<C, H>;
    // The last states of all examples first, and then the others.
    type Activations<const B: usize> = [[[f32; H]; T]; B];
    const DEPTH: usize = {
        assert!(
            T > 0 && C > 0 && H > 0,
            "a recurrent layer needs at least one time, one channel of inputs and one unit"
        );
        1
    };
    const TENSORS: usize = 4;
    const LOWEST: usize = 0;

    fn shape(_: usize) -> Shape {
        Shape { inputs: T * C, outputs: H, activation: Activation::Identity }
    }
    fn visit<V: Visitor>(_: usize, first: usize, visitor: V) -> V::Output {
        visitor.visit(&Self(PhantomData), first)
    }
}

impl<const T: usize, const C: usize, const H: usize> Layer for Gru<T, C, H> {
    fn shape(&self) -> Shape {
        <Self as Layers>::shape(0)
    }

    fn tensors(&self) -> usize {
        4
    }

    fn parameters(&self) -> usize {
        Self::SIZES.lengths().iter().sum()
    }

    fn describe(&self, digest: &mut Digest) {
        Self::SIZES.describe(digest);
    }

    fn initialize<P: Tensors>(&self, own: OwnMut<'_, P>, rng: &mut Rng) {
        Self::SIZES.initialize(own, rng);
    }

    fn forward<P: Tensors>(
        &self,
        kernels: &impl Kernels,
        own: Own<'_, P>,
        inputs: Rows<'_>,
        n: usize,
        out: &mut [f32],
    ) {
        let mut room = [[0.0; H]; ROOM];
        Recurrence { sizes: Self::SIZES, kernels, own }.forward(inputs, n, out, room.as_flattened_mut());
    }

    fn gradient<P: Tensors>(
        &self,
        kernels: &impl Kernels,
        own: Own<'_, P>,
        errors: &[f32],
        inputs: Rows<'_>,
        n: usize,
        gradient: OwnMut<'_, P>,
    ) {
        self.backward(kernels, own, errors, Inputs::Rows(inputs), n, gradient);
    }

    fn input_error<P: Tensors>(
        &self,
        kernels: &impl Kernels,
        own: Own<'_, P>,
        errors: &[f32],
        n: usize,
        below: Activation,
        x: &mut [f32],
    ) {
        let mut room = [[0.0; H]; ROOM];
        let pass = Recurrence { sizes: Self::SIZES, kernels, own };
        let gradient = None::<&mut OwnMut<'_, P>>;
        pass.backward(errors, Inputs::Activations { x, below }, n, gradient, room.as_flattened_mut());
    }

    // Both at once, so that the gates are computed again only once.
    fn backward<P: Tensors>(
        &self,
        kernels: &impl Kernels,
        own: Own<'_, P>,
        errors: &[f32],
        inputs: Inputs<'_>,
        n: usize,
        mut gradient: OwnMut<'_, P>,
    ) {
        let mut room = [[0.0; H]; ROOM];
        let pass = Recurrence { sizes: Self::SIZES, kernels, own };
        pass.backward(errors, inputs, n, Some(&mut gradient), room.as_flattened_mut());
    }

    // On a device, its gradient is on the stack only while it runs.
    #[cfg_attr(target_os = "none", inline(never))]
    fn descend<P: Tensors, const K: usize>(
        &self,
        errors: &[f32],
        inputs: Inputs<'_>,
        n: usize,
        motion: &impl Motion<K>,
        mut own: Moving<'_, P, K>,
        _: &mut [impl AsMut<[f32]>; NARROW],
    ) {
        let (mut room, mut gradient) = ([[0.0; H]; ROOM], GruParams::<C, H>::ZERO);
        let pass = Recurrence { sizes: Self::SIZES, kernels: &Portable, own: own.own() };
        pass.backward(errors, inputs, n, Some(&mut OwnMut::new(&mut gradient, 0)), room.as_flattened_mut());
        (0..4).for_each(|i| own.part(i).advance(motion, 0, gradient.tensor(i)));
    }

    fn terms<P: Tensors>(&self, own: Own<'_, P>) -> f32 {
        Self::SIZES.terms(own)
    }

    fn growth<P: Tensors>(&self, own: Own<'_, P>) -> f32 {
        Self::SIZES.growth(own)
    }
}

impl Sizes {
    /// Lengths of the layer's tensors. No length is larger than a `usize`.
    #[must_use]
    pub const fn lengths(&self) -> [usize; 4] {
        let gates = self.units.saturating_mul(3);
        [gates.saturating_mul(self.channels), gates, gates.saturating_mul(self.units), gates]
    }

    /// [`Layer::describe`].
    pub fn describe(&self, digest: &mut Digest) {
        digest.kind("gru");
        [self.time, self.channels, self.units].into_iter().for_each(|n| digest.word(n as u32));
    }

    /// Draws all parameters uniformly in +-1 / sqrt(H), as PyTorch does.
    pub fn initialize<P: Tensors>(&self, mut own: OwnMut<'_, P>, rng: &mut Rng) {
        let bound = 1.0 / math::sqrt(self.units as f32);
        for i in 0..4 {
            own.tensor(i).iter_mut().for_each(|w| *w = rng.range(-bound, bound));
        }
    }

    /// [`Layer::terms`]: an error is at most [`MOST`] times one from above, and what is cut at that at most so many times as large as the largest
    /// sum of |U| over a column, or of |U_n| and |c_n| over a row.
    #[must_use]
    pub fn terms<P: Tensors>(&self, own: Own<'_, P>) -> f32 {
        let (hidden, bias) = (own.tensor(2), own.tensor(3));
        let q = (2 * self.units..3 * self.units).fold(1.0, |most, o| {
            let bias = bias.get(o).map_or(0.0, |&c| math::abs(c));
            larger(most, row(hidden, o, self.units).iter().fold(bias, |sum, &w| sum + math::abs(w)))
        });
        self.time as f32 * MOST * larger(q, widest_column(hidden, self.units))
    }

    /// [`Layer::growth`].
    #[must_use]
    pub fn growth<P: Tensors>(&self, own: Own<'_, P>) -> f32 {
        MOST * widest_column(own.tensor(0), self.channels)
    }
}
