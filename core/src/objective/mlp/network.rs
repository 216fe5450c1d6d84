//! What a network looks like: its layers, as types or as values.
//!
//! A chain of layers is a type. Neighbours that do not fit together form no chain, so they do not compile:
//!
//! ```compile_fail,E0277
//! use lgl2o::chain;
//! use lgl2o::objective::mlp::{Dense, Fixed, Tanh};
//! // 20 outputs do not fit 21 inputs.
//! type Broken = Fixed<chain![Dense<784, 20, Tanh>, Dense<21, 10>], 128>;
//! let _ = Broken::new();
//! ```

use core::marker::PhantomData;

use super::kernels::{Kernels, Portable};
use super::layer::{Shape, Visitor};
use crate::tensors::{Tensors, Zeroed};

/// What a network looks like, and what memory it needs.
///
/// Parameters are listed layer by layer, each as its type says; activations are listed layer by layer, one tensor of batch x
/// outputs for each, and more behind them for a layer whose way back needs it, such as [`Gru`](super::Gru).
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
    /// What goes into layer number `l` and out of it; the last one's where there is none.
    fn layer(&self, l: usize) -> Shape;
    /// Hands layer number `l` to a visitor; the last one where there is none.
    fn visit<V: Visitor>(&self, l: usize, visitor: V) -> V::Output;
    /// The number of the lowest layer with parameters to train, or any below it: no error is propagated further down.
    fn lowest(&self) -> usize {
        0
    }
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

/// N numbers, as a type: what one layer's outputs and the next layer's inputs must agree in.
#[derive(Debug, Clone, Copy)]
pub struct Width<const N: usize>;

/// A series in time, as a type: T times of C channels, all channels of one time after the other.
#[derive(Debug, Clone, Copy)]
pub struct Series<const T: usize, const C: usize>;

/// An image, as a type: H rows of W pixels of C channels, all channels of one pixel after the other, and row after row.
#[derive(Debug, Clone, Copy)]
pub struct Image<const H: usize, const W: usize, const C: usize>;

/// Which outputs fit which inputs. A series is as many numbers as its times have channels, an image as many as its pixels have, and
/// the other way round.
#[diagnostic::on_unimplemented(
    message = "the outputs of a layer, `{Self}`, do not fit the inputs of the next one, `{Next}`",
    label = "two neighbours in this chain do not fit"
)]
pub trait Feeds<Next> {
    /// Read where a network is made, so that what does not fit is refused at compile time.
    const FITS: ();
}

impl<const N: usize> Feeds<Width<N>> for Width<N> {
    const FITS: () = ();
}

impl<const T: usize, const C: usize> Feeds<Series<T, C>> for Series<T, C> {
    const FITS: () = ();
}

impl<const T: usize, const C: usize, const N: usize> Feeds<Width<N>> for Series<T, C> {
    const FITS: () =
        assert!(T * C == N, "the next layer needs as many inputs as the series has numbers: times x channels");
}

impl<const T: usize, const C: usize, const N: usize> Feeds<Series<T, C>> for Width<N> {
    const FITS: () = assert!(T * C == N, "the series needs as many numbers as the layer below has outputs");
}

impl<const H: usize, const W: usize, const C: usize> Feeds<Image<H, W, C>> for Image<H, W, C> {
    const FITS: () = ();
}

impl<const H: usize, const W: usize, const C: usize, const N: usize> Feeds<Width<N>> for Image<H, W, C> {
    const FITS: () = assert!(
        H * W * C == N,
        "the next layer needs as many inputs as the image has numbers: rows x columns x channels"
    );
}

impl<const H: usize, const W: usize, const C: usize, const N: usize> Feeds<Image<H, W, C>> for Width<N> {
    const FITS: () = assert!(H * W * C == N, "the image needs as many numbers as the layer below has outputs");
}

/// A chain of layers, as a type: one layer, or a pair of chains that fit together.
pub trait Layers {
    /// What comes in: a [`Width`], a [`Series`] or an [`Image`].
    type In;
    /// What goes out.
    type Out;
    /// Memory of the parameters.
    type Params: Tensors + Zeroed;
    /// Memory of the activations of B examples.
    type Activations<const B: usize>: Tensors + Zeroed;
    /// How many layers there are.
    const DEPTH: usize;
    /// How many tensors the parameters are.
    const TENSORS: usize;
    /// The number of the lowest layer with parameters to train; [`DEPTH`](Self::DEPTH) where there is none.
    const LOWEST: usize;

    /// What goes into layer number `l` and out of it; the last one's where there is none.
    fn shape(l: usize) -> Shape;

    /// Hands layer number `l` to a visitor; the last one where there is none. The chain's tensors begin at number `first`.
    fn visit<V: Visitor>(l: usize, first: usize, visitor: V) -> V::Output;
}

impl<A: Layers, B: Layers> Layers for (A, B)
where
    A::Out: Feeds<B::In>,
{
    type In = A::In;
    type Out = B::Out;
    type Params = (A::Params, B::Params);
    type Activations<const N: usize> = (A::Activations<N>, B::Activations<N>);
    const DEPTH: usize = {
        let () = A::Out::FITS;
        A::DEPTH + B::DEPTH
    };
    const TENSORS: usize = A::TENSORS + B::TENSORS;
    const LOWEST: usize = if A::LOWEST < A::DEPTH { A::LOWEST } else { A::DEPTH + B::LOWEST };

    fn shape(l: usize) -> Shape {
        match l.checked_sub(A::DEPTH) {
            None => A::shape(l),
            Some(rest) => B::shape(rest),
        }
    }
    fn visit<V: Visitor>(l: usize, first: usize, visitor: V) -> V::Output {
        match l.checked_sub(A::DEPTH) {
            None => A::visit(l, first, visitor),
            Some(rest) => B::visit(rest, first + A::TENSORS, visitor),
        }
    }
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
        f.debug_list().entries((0..L::DEPTH).map(L::shape)).finish()
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
    fn layer(&self, l: usize) -> Shape {
        L::shape(l)
    }
    fn visit<V: Visitor>(&self, l: usize, visitor: V) -> V::Output {
        L::visit(l, 0, visitor)
    }
    fn lowest(&self) -> usize {
        L::LOWEST
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
