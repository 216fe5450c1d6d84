//! What a network looks like: its layers, as types or as values.
//!
//! A chain of [`Dense`] layers is a type; neighbours whose widths differ do not form a chain, so they do not compile:
//!
//! ```compile_fail,E0271
//! use lgl2o::chain;
//! use lgl2o::objective::mlp::{Dense, Fixed, Tanh};
//! // 20 outputs do not fit 21 inputs.
//! type Broken = Fixed<chain![Dense<784, 20, Tanh>, Dense<21, 10>], 128>;
//! let _ = Broken::new();
//! ```

use core::marker::PhantomData;

use super::activation::{Activate, Activation, Identity};
use super::dense::DenseParams;
use super::kernels::{Kernels, Portable};
use crate::math;
use crate::tensors::{Tensors, Zeroed};

/// One dense layer, named by values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Layer {
    /// Numbers that come in.
    pub inputs: usize,
    /// Numbers that go out.
    pub outputs: usize,
    /// What is applied to them on the way out.
    pub activation: Activation,
}

impl Layer {
    /// How many parameters the layer has.
    #[must_use]
    pub const fn parameters(&self) -> usize {
        self.inputs * self.outputs + self.outputs
    }

    /// Bound of the uniform initial weights: LeCun's sqrt(3 / in), or He's sqrt(6 / in) before a ReLU.
    #[must_use]
    pub fn initial_bound(&self) -> f32 {
        let variance = match self.activation {
            Activation::Relu => 2.0,
            _ => 1.0,
        };
        math::sqrt(3.0 * variance / self.inputs as f32)
    }
}

/// What a network looks like, and what memory it needs.
///
/// Parameters are listed layer by layer, each as weights (outputs x inputs, row-major) and then bias; activations are
/// listed layer by layer, each batch x outputs.
pub trait Network {
    /// Memory of the parameters.
    type Params: Tensors;
    /// Memory of one batch's activations.
    type Activations: Tensors;
    /// Memory of one batch's losses.
    type Losses: AsRef<[f32]> + AsMut<[f32]>;
    /// What computes the layers.
    type Kernels: Kernels;

    /// What computes the layers: [`Portable`] on a device, a desktop's own on a desktop.
    fn kernels(&self) -> &Self::Kernels;
    /// How many layers there are, at least one.
    fn depth(&self) -> usize;
    /// Layer number `l`; the last one where there is none.
    fn layer(&self, l: usize) -> Layer;
    /// The largest batch that fits.
    fn capacity(&self) -> usize;
}

/// A network that can make its own zero-filled memory.
pub trait BlankNetwork: Network {
    /// Parameters, all zero.
    fn blank_params(&self) -> Self::Params;
    /// Activations of one batch.
    fn blank_activations(&self) -> Self::Activations;
    /// Losses of one batch.
    fn blank_losses(&self) -> Self::Losses;
}

/// A width, as a type: what one layer's outputs and the next layer's inputs must agree in.
#[derive(Debug, Clone, Copy)]
pub struct Width<const N: usize>;

/// A dense layer of I inputs and O outputs with an activation, as a type.
#[derive(Debug, Clone, Copy)]
pub struct Dense<const I: usize, const O: usize, A = Identity>(PhantomData<A>);

/// A chain of layers, as a type: one [`Dense`], or a pair of chains that fit together.
pub trait Layers {
    /// Width of what comes in.
    type In;
    /// Width of what goes out.
    type Out;
    /// Memory of the parameters.
    type Params: Tensors + Zeroed;
    /// Memory of the activations of B examples.
    type Activations<const B: usize>: Tensors + Zeroed;
    /// How many layers there are.
    const DEPTH: usize;

    /// Layer number `l`; the last one where there is none.
    fn layer(l: usize) -> Layer;
}

impl<const I: usize, const O: usize, A: Activate> Layers for Dense<I, O, A> {
    type In = Width<I>;
    type Out = Width<O>;
    type Params = DenseParams<I, O>;
    type Activations<const B: usize> = [[f32; O]; B];
    const DEPTH: usize = {
        assert!(I > 0 && O > 0, "a dense layer needs at least one input and one output");
        1
    };

    fn layer(_: usize) -> Layer {
        Layer { inputs: I, outputs: O, activation: A::ACTIVATION }
    }
}

impl<A: Layers, B: Layers<In = A::Out>> Layers for (A, B) {
    type In = A::In;
    type Out = B::Out;
    type Params = (A::Params, B::Params);
    type Activations<const N: usize> = (A::Activations<N>, B::Activations<N>);
    const DEPTH: usize = A::DEPTH + B::DEPTH;

    fn layer(l: usize) -> Layer {
        match l.checked_sub(A::DEPTH) {
            None => A::layer(l),
            Some(rest) => B::layer(rest),
        }
    }
}

/// The type of a chain of layers: `chain![A, B, C]` is `(A, (B, C))`.
#[macro_export]
macro_rules! chain {
    ($layer:ty $(,)?) => { $layer };
    ($layer:ty, $($rest:ty),+ $(,)?) => { ($layer, $crate::chain![$($rest),+]) };
}

/// A network whose layers L and batch capacity B are types.
pub struct Fixed<L, const B: usize>(PhantomData<L>);

impl<L: Layers, const B: usize> Fixed<L, B> {
    /// The one value of the type.
    #[must_use]
    pub const fn new() -> Self {
        const { assert!(B > 0, "a batch holds at least one example") };
        // Names the depth, so that an empty layer is refused at compile time.
        let _ = L::DEPTH;
        Self(PhantomData)
    }
}

impl<L: Layers, const B: usize> Default for Fixed<L, B> {
    fn default() -> Self {
        Self::new()
    }
}

impl<L, const B: usize> Clone for Fixed<L, B> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<L, const B: usize> Copy for Fixed<L, B> {}

impl<L: Layers, const B: usize> core::fmt::Debug for Fixed<L, B> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_list().entries((0..L::DEPTH).map(L::layer)).finish()
    }
}

impl<L: Layers, const B: usize> Network for Fixed<L, B> {
    type Params = L::Params;
    type Activations = L::Activations<B>;
    type Losses = [f32; B];
    type Kernels = Portable;

    fn kernels(&self) -> &Portable {
        &Portable
    }
    fn depth(&self) -> usize {
        L::DEPTH
    }
    fn layer(&self, l: usize) -> Layer {
        L::layer(l)
    }
    fn capacity(&self) -> usize {
        B
    }
}

impl<L: Layers, const B: usize> BlankNetwork for Fixed<L, B> {
    fn blank_params(&self) -> L::Params {
        Zeroed::ZERO
    }
    fn blank_activations(&self) -> L::Activations<B> {
        Zeroed::ZERO
    }
    fn blank_losses(&self) -> [f32; B] {
        Zeroed::ZERO
    }
}
