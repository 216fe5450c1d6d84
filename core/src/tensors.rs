//! Memory with a shape: an ordered list of tensors, each seen as a slice.
//!
//! Parameters, gradients, accumulators and activations are all values of some type that is [`Tensors`]. On a device the
//! type fixes every length, and the value of all zeros is a constant ([`Zeroed`]), so it can stand in a `static`
//! without ever passing over the stack. Arrays are one tensor; a [`DenseParams`](crate::objective::mlp::DenseParams)
//! is two; a pair is its first half's tensors followed by its second half's. On a desktop the lengths may be known at
//! run time only; then the memory implements the same trait over a heap.

use core::ops::Range;

/// An ordered list of tensors, each seen as a slice.
///
/// An index past the end returns an empty slice instead of a panic. Tensors of two values of one type that belong to
/// one objective always have equal lengths.
pub trait Tensors: Clone {
    /// One number for each layer, as tensors of one number.
    type Layers: Tensors;

    /// Two tensors for each layer of two tensors: where the first of these is a matrix, a square as wide as the matrix has rows and one as wide as
    /// it has columns; empty ones for sides that are not turned by a [rule in eigenbases](crate::rule::Rotated).
    type Bases: Tensors;

    /// How many tensors there are.
    fn count(&self) -> usize;

    /// How many layers there are: groups of neighbouring tensors that belong together, such as weights and bias.
    fn layers(&self) -> usize;

    /// Which tensors belong to layer number `l`; none past the end.
    fn layer(&self, l: usize) -> Range<usize>;

    /// One number for each layer, all zero.
    fn zero_layers(&self) -> Self::Layers;

    /// All zero.
    fn zero_bases(&self) -> Self::Bases;

    /// Tensor number `i`, row-major.
    fn tensor(&self, i: usize) -> &[f32];

    /// Tensor number `i` to write to.
    fn tensor_mut(&mut self, i: usize) -> &mut [f32];

    /// Tensors number `i` and `i + 1`, both to write to.
    fn neighbours_mut(&mut self, i: usize) -> (&mut [f32], &mut [f32]);

    /// How many numbers there are in all tensors.
    fn len(&self) -> usize {
        (0..self.count()).map(|i| self.tensor(i).len()).sum()
    }

    /// Whether there is no number at all.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Sets every number to `value`.
    fn fill(&mut self, value: f32) {
        for i in 0..self.count() {
            fill(self.tensor_mut(i), value);
        }
    }

    /// Copies every number of another value of the same shape, without a temporary on the stack.
    fn copy_from(&mut self, other: &Self) {
        for i in 0..self.count() {
            copy(self.tensor_mut(i), other.tensor(i));
        }
    }

    /// Whether no number is a NaN or an infinity.
    fn is_finite(&self) -> bool {
        self.is_below(f32::INFINITY)
    }

    /// Whether the absolute value of every number is below a positive limit; that of a NaN is not.
    fn is_below(&self, limit: f32) -> bool {
        (0..self.count()).all(|i| all_below(self.tensor(i), limit))
    }

    /// Sum of the squares of all numbers, tensor by tensor.
    fn squares(&self) -> f32 {
        (0..self.count()).fold(0.0, |sum, i| sum + crate::sum::squares(self.tensor(i)))
    }

    /// Sum of the squared differences to another value of the same shape.
    fn squared_distance(&self, other: &Self) -> f32 {
        (0..self.count()).fold(0.0, |sum, i| sum + crate::sum::squared_distance(self.tensor(i), other.tensor(i)))
    }
}

// The loops over a tensor are functions of their own on a device, or they would be in the program once for every caller.

#[cfg_attr(target_os = "none", inline(never))]
fn fill(to: &mut [f32], value: f32) {
    to.fill(value);
}

#[cfg_attr(target_os = "none", inline(never))]
fn copy(to: &mut [f32], from: &[f32]) {
    to.iter_mut().zip(from).for_each(|(to, &from)| *to = from);
}

/// Whether no number is a NaN or an infinity.
#[must_use]
#[cfg_attr(not(any(target_os = "none", target_family = "wasm")), inline(always))]
pub fn all_finite(a: &[f32]) -> bool {
    all_below(a, f32::INFINITY)
}

/// Whether the absolute value of every number is below a positive limit; that of a NaN is not.
///
/// No early exit: the loop without one runs over whole vectors, and the answer is nearly always yes.
#[must_use]
#[cfg_attr(target_os = "none", inline(never))]
#[cfg_attr(not(any(target_os = "none", target_family = "wasm")), inline(always))]
pub fn all_below(a: &[f32], limit: f32) -> bool {
    const SIZE: u32 = 0x7fff_ffff;
    // As integers, the bits of absolute values have the same order, and those of NaNs come last.
    !a.iter().fold(false, |bad, x| bad | (x.to_bits() & SIZE >= limit.to_bits()))
}

/// A type whose value of all zeros is a constant, so that a `static` of it lies in zero-initialised memory and costs
/// no flash.
pub trait Zeroed {
    /// All zeros.
    const ZERO: Self;
}

/// An array, or an array of arrays, is one tensor of all its numbers: row-major, the last index the fastest.
macro_rules! array {
    ([$($length:ident),+], $type:ty, $zero:expr $(, $flattened:ident, $flattened_mut:ident)*) => {
        impl<$(const $length: usize),+> Zeroed for $type {
            const ZERO: Self = $zero;
        }

        impl<$(const $length: usize),+> Tensors for $type {
            type Layers = [f32; 1];
            type Bases = Nothing;

            fn count(&self) -> usize {
                1
            }
            fn layers(&self) -> usize {
                1
            }
            fn layer(&self, l: usize) -> Range<usize> {
                if l == 0 { 0..1 } else { 1..1 }
            }
            fn zero_layers(&self) -> [f32; 1] {
                [0.0]
            }
            fn zero_bases(&self) -> Nothing {
                Nothing
            }
            fn tensor(&self, i: usize) -> &[f32] {
                if i == 0 { self$(.$flattened())* } else { &[] }
            }
            fn tensor_mut(&mut self, i: usize) -> &mut [f32] {
                if i == 0 { self$(.$flattened_mut())* } else { &mut [] }
            }
            fn neighbours_mut(&mut self, i: usize) -> (&mut [f32], &mut [f32]) {
                (self.tensor_mut(i), &mut [])
            }
        }
    };
}

array!([N], [f32; N], [0.0; N]);
array!([R, C], [[f32; C]; R], [[0.0; C]; R], as_flattened, as_flattened_mut);
array!(
    [Q, R, C],
    [[[f32; C]; R]; Q],
    [[[0.0; C]; R]; Q],
    as_flattened,
    as_flattened_mut,
    as_flattened,
    as_flattened_mut
);
array!(
    [S, Q, R, C],
    [[[[f32; C]; R]; Q]; S],
    [[[[0.0; C]; R]; Q]; S],
    as_flattened,
    as_flattened_mut,
    as_flattened,
    as_flattened_mut,
    as_flattened,
    as_flattened_mut
);

/// No tensor at all, for what has no parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "alloc", derive(bytemuck::Zeroable))]
pub struct Nothing;

impl Zeroed for Nothing {
    const ZERO: Self = Self;
}

impl Tensors for Nothing {
    type Layers = Self;
    type Bases = Self;

    fn count(&self) -> usize {
        0
    }
    fn layers(&self) -> usize {
        0
    }
    fn layer(&self, _: usize) -> Range<usize> {
        0..0
    }
    fn zero_layers(&self) -> Self {
        Self
    }
    fn zero_bases(&self) -> Self {
        Self
    }
    fn tensor(&self, _: usize) -> &[f32] {
        &[]
    }
    fn tensor_mut(&mut self, _: usize) -> &mut [f32] {
        &mut []
    }
    fn neighbours_mut(&mut self, _: usize) -> (&mut [f32], &mut [f32]) {
        (&mut [], &mut [])
    }
}

/// [`Tensors`] and [`Zeroed`] of a struct of arrays `weights` and `bias`: two tensors that are one layer. After the type come the squares
/// of the weights' rows and columns.
macro_rules! weights_and_bias {
    ($type:ident<$($length:ident),+>, $rows:ty, $columns:ty) => {
        impl<$(const $length: usize),+> $crate::tensors::Zeroed for $type<$($length),+> {
            const ZERO: Self =
                Self { weights: $crate::tensors::Zeroed::ZERO, bias: $crate::tensors::Zeroed::ZERO };
        }

        impl<$(const $length: usize),+> $crate::tensors::Tensors for $type<$($length),+> {
            type Layers = [f32; 1];
            type Bases = ($rows, $columns);

            fn count(&self) -> usize {
                2
            }
            fn layers(&self) -> usize {
                1
            }
            fn layer(&self, l: usize) -> ::core::ops::Range<usize> {
                if l == 0 { 0..2 } else { 2..2 }
            }
            fn zero_layers(&self) -> [f32; 1] {
                [0.0]
            }
            fn zero_bases(&self) -> Self::Bases {
                $crate::tensors::Zeroed::ZERO
            }
            fn tensor(&self, i: usize) -> &[f32] {
                match i {
                    0 => self.weights.tensor(0),
                    1 => self.bias.tensor(0),
                    _ => &[],
                }
            }
            fn tensor_mut(&mut self, i: usize) -> &mut [f32] {
                match i {
                    0 => self.weights.tensor_mut(0),
                    1 => self.bias.tensor_mut(0),
                    _ => &mut [],
                }
            }
            fn neighbours_mut(&mut self, i: usize) -> (&mut [f32], &mut [f32]) {
                match i {
                    0 => (self.weights.tensor_mut(0), self.bias.tensor_mut(0)),
                    i => (self.tensor_mut(i), &mut []),
                }
            }
        }
    };
}

pub(crate) use weights_and_bias;

impl<A: Zeroed, B: Zeroed> Zeroed for (A, B) {
    const ZERO: Self = (A::ZERO, B::ZERO);
}

impl<A: Tensors, B: Tensors> Tensors for (A, B) {
    type Layers = (A::Layers, B::Layers);
    type Bases = (A::Bases, B::Bases);

    fn count(&self) -> usize {
        self.0.count() + self.1.count()
    }
    fn layers(&self) -> usize {
        self.0.layers() + self.1.layers()
    }
    fn layer(&self, l: usize) -> Range<usize> {
        match l.checked_sub(self.0.layers()) {
            None => self.0.layer(l),
            Some(rest) => {
                let (first, of) = (self.0.count(), self.1.layer(rest));
                first + of.start..first + of.end
            }
        }
    }
    fn zero_layers(&self) -> Self::Layers {
        (self.0.zero_layers(), self.1.zero_layers())
    }
    fn zero_bases(&self) -> Self::Bases {
        (self.0.zero_bases(), self.1.zero_bases())
    }
    fn tensor(&self, i: usize) -> &[f32] {
        match i.checked_sub(self.0.count()) {
            None => self.0.tensor(i),
            Some(rest) => self.1.tensor(rest),
        }
    }
    fn tensor_mut(&mut self, i: usize) -> &mut [f32] {
        match i.checked_sub(self.0.count()) {
            None => self.0.tensor_mut(i),
            Some(rest) => self.1.tensor_mut(rest),
        }
    }
    fn neighbours_mut(&mut self, i: usize) -> (&mut [f32], &mut [f32]) {
        match (i + 1).checked_sub(self.0.count()) {
            None => self.0.neighbours_mut(i),
            Some(0) => (self.0.tensor_mut(i), self.1.tensor_mut(0)),
            Some(rest) => self.1.neighbours_mut(rest - 1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Three = ([f32; 2], ([[f32; 2]; 2], [f32; 3]));

    #[test]
    fn pairs_list_their_tensors_in_order() {
        let mut t = Three::ZERO;
        assert_eq!((t.count(), t.len()), (3, 9));
        for i in 0..3 {
            t.tensor_mut(i).fill(i as f32 + 1.0);
        }
        assert_eq!(t, ([1.0; 2], ([[2.0; 2]; 2], [3.0; 3])));
        assert!(t.tensor(3).is_empty());
        for i in 0..3 {
            let lengths = |(a, b): (&mut [f32], &mut [f32])| (a.len(), b.len());
            assert_eq!(lengths(t.neighbours_mut(i)), [(2, 4), (4, 3), (3, 0)][i]);
        }
        assert_eq!(t.squares(), 2.0 + 16.0 + 27.0);
    }

    #[test]
    fn sizes_are_told_from_a_limit_and_from_nan() {
        for (x, finite, below) in [
            (0.0, true, true),
            (-1.999, true, true),
            (2.0, true, false),
            (-2.0, true, false),
            (f32::MAX, true, false),
            (f32::NEG_INFINITY, false, false),
            (f32::NAN, false, false),
            (-f32::NAN, false, false),
        ] {
            let mut t = Three::ZERO;
            t.tensor_mut(1)[3] = x;
            assert_eq!((t.is_finite(), t.is_below(2.0)), (finite, below), "{x}");
        }
    }

    #[test]
    fn pairs_list_their_layers_in_order() {
        let t = Three::ZERO;
        assert_eq!((t.layers(), t.zero_layers().count()), (3, 3));
        assert_eq!([0, 1, 2].map(|l| t.layer(l)), [0..1, 1..2, 2..3]);
        assert!(t.layer(3).is_empty());
    }

    #[test]
    fn finite_means_no_nan_and_no_infinity() {
        let mut t = Three::ZERO;
        assert!(t.is_finite());
        for bad in [f32::NAN, -f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            t.1.1[2] = bad;
            assert!(!t.is_finite());
        }
        t.1.1[2] = f32::MIN_POSITIVE / 2.0;
        assert!(t.is_finite());
    }
}
