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
/// outputs for each.
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

/// Which outputs fit which inputs. A series is as many numbers as its times have channels, and the other way round.
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

/// A chain of layers, as a type: one layer, or a pair of chains that fit together.
pub trait Layers {
    /// What comes in: a [`Width`] or a [`Series`].
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

/// The type of a chain of layers, by their types or by their names.
///
/// By types, `chain![A, B, C]` is `(A, (B, C))`. By names, the inputs come first, as times x channels, and the macro counts what
/// each layer makes of them; an activation is the last argument, the identity where there is none:
///
/// ```
/// use lgl2o::chain;
/// use lgl2o::objective::mlp::{AveragePool1d, Conv1d, Dense, Depthwise, Fixed, Loss, Mlp, Relu, Tanh};
///
/// // Windows of 100 samples of an accelerometer and a gyroscope, 3 axes each; batches of 16.
/// type Layers = chain![100 x 6 => conv1d(8, 5, 2, 0, Relu), depthwise(3, 1, 1, Relu), average_pool(4), dense(10, Tanh), dense(4)];
/// // The same by types.
/// type Same = chain![
///     Conv1d<100, 6, 48, 8, 5, 2, 0, Relu>,
///     Depthwise<48, 8, 48, 3, 1, 1, Relu>,
///     AveragePool1d<48, 8, 12, 4>,
///     Dense<96, 10, Tanh>,
///     Dense<10, 4>,
/// ];
/// let net = Mlp::new(Fixed::<Layers, 16>::new(), Loss::CrossEntropy);
/// let same = Mlp::new(Fixed::<Same, 16>::new(), Loss::CrossEntropy);
/// assert_eq!([net.parameters(), same.parameters()], [8 * 5 * 6 + 8 + 3 * 8 + 8 + 96 * 10 + 10 + 10 * 4 + 4; 2]);
/// ```
///
/// | name | layer |
/// |---|---|
/// | `dense(outputs)` | [`Dense`](crate::objective::mlp::Dense) |
/// | `conv1d(channels, kernel, stride, padding)` | [`Conv1d`](crate::objective::mlp::Conv1d) |
/// | `depthwise(kernel, stride, padding)` | [`Depthwise`](crate::objective::mlp::Depthwise) |
/// | `max_pool(width)` | [`MaxPool1d`](crate::objective::mlp::MaxPool1d) |
/// | `average_pool(width)` | [`AveragePool1d`](crate::objective::mlp::AveragePool1d) |
/// | `frozen(any of these, weights)` | [`Frozen`](crate::objective::mlp::Frozen) |
#[macro_export]
macro_rules! chain {
    ($time:tt x $channels:tt => $($layers:tt)+) => { $crate::__named!([$time] [$channels] $($layers)+) };
    ($layer:ty $(,)?) => { $layer };
    ($layer:ty, $($rest:ty),+ $(,)?) => { ($layer, $crate::chain![$($rest),+]) };
}

/// A chain of named layers, whose inputs are so many times of so many channels.
#[doc(hidden)]
#[macro_export]
macro_rules! __named {
    ($t:tt $c:tt $name:ident($($of:tt)*) $(,)?) => { $crate::__layer!($t $c $name($($of)*)) };
    ($t:tt $c:tt $name:ident($($of:tt)*), $($rest:tt)+) => {
        ($crate::__layer!($t $c $name($($of)*)), $crate::__rest!($t $c $name($($of)*) $($rest)+))
    };
}

/// The type of a named layer.
#[doc(hidden)]
#[macro_export]
macro_rules! __layer {
    ([$t:expr] [$c:expr] dense($o:expr $(, $act:ty)?)) => { $crate::objective::mlp::Dense<{ $t * $c }, { $o } $(, $act)?> };
    ([$t:expr] [$c:expr] conv1d($o:expr, $k:expr, $s:expr, $p:expr $(, $act:ty)?)) => {
        $crate::objective::mlp::Conv1d<
            { $t }, { $c }, { $crate::objective::mlp::windows::times($t, $k, $s, $p) }, { $o }, { $k }, { $s }, { $p } $(, $act)?
        >
    };
    ([$t:expr] [$c:expr] depthwise($k:expr, $s:expr, $p:expr $(, $act:ty)?)) => {
        $crate::objective::mlp::Depthwise<
            { $t }, { $c }, { $crate::objective::mlp::windows::times($t, $k, $s, $p) }, { $k }, { $s }, { $p } $(, $act)?
        >
    };
    ([$t:expr] [$c:expr] max_pool($w:expr)) => { $crate::objective::mlp::MaxPool1d<{ $t }, { $c }, { $t / $w }, { $w }> };
    ([$t:expr] [$c:expr] average_pool($w:expr)) => { $crate::objective::mlp::AveragePool1d<{ $t }, { $c }, { $t / $w }, { $w }> };
    ($t:tt $c:tt frozen($name:ident($($of:tt)*), $weights:ty)) => {
        $crate::objective::mlp::Frozen<$crate::__layer!($t $c $name($($of)*)), $weights>
    };
}

/// The named layers behind one, with the shape that it leaves.
#[doc(hidden)]
#[macro_export]
macro_rules! __rest {
    ([$t:expr] [$c:expr] dense($o:expr $(, $act:ty)?) $($rest:tt)+) => { $crate::__named!([1] [$o] $($rest)+) };
    ([$t:expr] [$c:expr] conv1d($o:expr, $k:expr, $s:expr, $p:expr $(, $act:ty)?) $($rest:tt)+) => {
        $crate::__named!([$crate::objective::mlp::windows::times($t, $k, $s, $p)] [$o] $($rest)+)
    };
    ([$t:expr] [$c:expr] depthwise($k:expr, $s:expr, $p:expr $(, $act:ty)?) $($rest:tt)+) => {
        $crate::__named!([$crate::objective::mlp::windows::times($t, $k, $s, $p)] [$c] $($rest)+)
    };
    ([$t:expr] [$c:expr] max_pool($w:expr) $($rest:tt)+) => { $crate::__named!([$t / $w] [$c] $($rest)+) };
    ([$t:expr] [$c:expr] average_pool($w:expr) $($rest:tt)+) => { $crate::__named!([$t / $w] [$c] $($rest)+) };
    ($t:tt $c:tt frozen($name:ident($($of:tt)*), $weights:ty) $($rest:tt)+) => {
        $crate::__rest!($t $c $name($($of)*) $($rest)+)
    };
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
