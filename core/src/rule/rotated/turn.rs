//! Matrices into the eigenbases and back, and the bases after the moments.

use core::ops::Range;

use super::jacobi::sweep;
use super::products::{add_sums, dots};
use super::tiles::LONGEST;
use crate::math::{add, flush, mul, sub};
use crate::rule::LEAST;
use crate::tensors::Tensors;

/// The matrix of a layer that is turned: its tensor, its shape, and the number of the basis of its rows; that of its columns is the next.
#[derive(Debug, Clone, Copy)]
struct Matrix {
    tensor: usize,
    /// Rows and columns.
    shape: [usize; 2],
    basis: usize,
    /// Whether rows and columns are turned.
    turns: [bool; 2],
}

impl Matrix {
    /// That of some tensors: weights of a layer of two tensors with a basis.
    fn of<P: Tensors, B: Tensors>(params: &P, bases: &B, tensors: &Range<usize>, basis: usize) -> Option<Self> {
        // The side of a square; of a matrix with one square, the other side is what is left.
        let [rows, columns] = [0, 1].map(|side| bases.tensor(basis + side).len().isqrt());
        let weights = params.tensor(tensors.start).len();
        let shape = [
            if rows > 0 { rows } else { weights.checked_div(columns)? },
            if columns > 0 { columns } else { weights.checked_div(rows)? },
        ];
        let turns = [rows, columns].map(|side| (2..=LONGEST).contains(&side));
        let is_whole = weights > 0 && shape[0] * shape[1] == weights;
        (is_whole && turns != [false; 2]).then_some(Self { tensor: tensors.start, shape, basis, turns })
    }

    /// The vectors of rows and columns, where they are turned.
    fn vectors<B: Tensors>(self, vectors: &B) -> [Option<&[f32]>; 2] {
        [0, 1].map(|side| self.turns[side].then(|| vectors.tensor(self.basis + side)))
    }

    /// `to` = Q from P^T, by way of `spare`.
    #[cfg_attr(not(any(target_os = "none", target_family = "wasm")), inline(always))]
    fn enter<B: Tensors>(self, from: &[f32], vectors: &B, spare: &mut [f32], to: &mut [f32]) {
        let ([left, right], [rows, n]) = (self.vectors(vectors), self.shape);
        let turned = match left {
            None => from,
            Some(basis) => {
                spare.fill(0.0);
                add_sums(basis, [rows, 1], from, n, spare);
                spare
            }
        };
        match right {
            None => copy(to, turned),
            Some(basis) => dots(turned, basis, n, to, |to, dot| *to = dot),
        }
    }

    /// `change` becomes Q^T change P, by way of `spare`.
    #[cfg_attr(not(any(target_os = "none", target_family = "wasm")), inline(always))]
    fn leave<B: Tensors>(self, change: &mut [f32], vectors: &B, spare: &mut [f32]) {
        let ([left, right], [rows, n]) = (self.vectors(vectors), self.shape);
        match right {
            None => copy(spare, change),
            Some(basis) => {
                spare.fill(0.0);
                add_sums(change, [n, 1], basis, n, spare);
            }
        }
        match left {
            None => copy(change, spare),
            Some(basis) => {
                change.fill(0.0);
                add_sums(basis, [1, rows], spare, n, change);
            }
        }
    }

    /// Takes a gradient into the moments of both sides: L <- kept (L + G G^T), R <- kept (R + G^T G).
    #[cfg_attr(not(any(target_os = "none", target_family = "wasm")), inline(always))]
    fn take<P: Tensors, B: Tensors>(self, gradient: &P, moments: &mut B, kept: f32) {
        let (g, [_, n]) = (gradient.tensor(self.tensor), self.shape);
        if self.turns[0] {
            dots(g, g, n, moments.tensor_mut(self.basis), |moment, dot| {
                *moment = flush(mul(kept, add(*moment, dot)), LEAST);
            });
        }
        if self.turns[1] {
            let moments = moments.tensor_mut(self.basis + 1);
            add_sums(g, [1, n], g, n, moments);
            moments.iter_mut().for_each(|moment| *moment = flush(mul(kept, *moment), LEAST));
        }
    }

    /// Turns the bases towards the eigenvectors of the moments, and velocities along.
    #[cfg_attr(not(any(target_os = "none", target_family = "wasm")), inline(always))]
    fn follow<P: Tensors, B: Tensors>(self, vectors: &mut B, moments: &mut B, velocities: &mut [P]) {
        let [rows, columns] = self.shape;
        if self.turns[0] {
            let (moments, vectors) = (moments.tensor_mut(self.basis), vectors.tensor_mut(self.basis));
            sweep(moments, vectors, rows, |rotation, pair| {
                velocities.iter_mut().for_each(|q| rotation.rows(q.tensor_mut(self.tensor), columns, pair));
            });
        }
        if self.turns[1] {
            let (moments, vectors) = (moments.tensor_mut(self.basis + 1), vectors.tensor_mut(self.basis + 1));
            sweep(moments, vectors, columns, |rotation, pair| {
                velocities.iter_mut().for_each(|q| rotation.columns(q.tensor_mut(self.tensor), columns, pair));
            });
        }
    }
}

/// Goes through the layers of some parameters. A layer whose matrix is turned comes with that matrix.
#[derive(Debug, Default)]
struct Layers {
    next: usize,
    basis: usize,
}

impl Layers {
    fn next<P: Tensors, B: Tensors>(&mut self, params: &P, bases: &B) -> Option<(Range<usize>, Option<Matrix>)> {
        if self.next >= params.layers() {
            return None;
        }
        let tensors = params.layer(self.next);
        self.next += 1;
        if tensors.len() != 2 {
            return Some((tensors, None));
        }
        let matrix = Matrix::of(params, bases, &tensors, self.basis);
        self.basis += 2;
        Some((tensors, matrix))
    }
}

#[cfg_attr(not(any(target_os = "none", target_family = "wasm")), inline(always))]
fn copy(to: &mut [f32], from: &[f32]) {
    to.iter_mut().zip(from).for_each(|(to, &from)| *to = from);
}

/// Both bases of each matrix become the parameters' own.
pub(super) fn begin<B: Tensors>(vectors: &mut B) {
    vectors.fill(0.0);
    for i in 0..vectors.count() {
        let vectors = vectors.tensor_mut(i);
        let side = vectors.len().isqrt();
        vectors.iter_mut().step_by(side + 1).for_each(|x| *x = 1.0);
    }
}

/// Everything of `from` as it is in the bases.
#[cfg_attr(not(any(target_os = "none", target_family = "wasm")), inline(always))]
pub(super) fn enter<P: Tensors, B: Tensors>(from: &P, vectors: &B, spare: &mut P, to: &mut P) {
    let mut layers = Layers::default();
    while let Some((tensors, matrix)) = layers.next(from, vectors) {
        if let Some(matrix) = matrix {
            let i = matrix.tensor;
            matrix.enter(from.tensor(i), vectors, spare.tensor_mut(i), to.tensor_mut(i));
        }
        copy_others(from, tensors, matrix, to);
    }
}

/// The tensors that are not turned.
#[cfg_attr(not(any(target_os = "none", target_family = "wasm")), inline(always))]
pub(super) fn enter_others<P: Tensors, B: Tensors>(from: &P, vectors: &B, to: &mut P) {
    let mut layers = Layers::default();
    while let Some((tensors, matrix)) = layers.next(from, vectors) {
        copy_others(from, tensors, matrix, to);
    }
}

/// Those of a layer.
#[cfg_attr(not(any(target_os = "none", target_family = "wasm")), inline(always))]
fn copy_others<P: Tensors>(from: &P, tensors: Range<usize>, matrix: Option<Matrix>, to: &mut P) {
    for i in tensors.filter(|&i| matrix.is_none_or(|matrix| matrix.tensor != i)) {
        copy(to.tensor_mut(i), from.tensor(i));
    }
}

/// Takes a gradient that is in the bases into all moments.
#[cfg_attr(not(any(target_os = "none", target_family = "wasm")), inline(always))]
pub(super) fn take<P: Tensors, B: Tensors>(gradient: &P, moments: &mut B, kept: f32) {
    let mut layers = Layers::default();
    while let Some((_, matrix)) = layers.next(gradient, moments) {
        if let Some(matrix) = matrix {
            matrix.take(gradient, moments, kept);
        }
    }
}

/// Turns all bases towards the eigenvectors of the moments, and velocities along.
#[cfg_attr(not(any(target_os = "none", target_family = "wasm")), inline(always))]
pub(super) fn follow<P: Tensors, B: Tensors>(like: &P, [vectors, moments]: &mut [B; 2], velocities: &mut [P]) {
    let mut layers = Layers::default();
    while let Some((_, matrix)) = layers.next(like, vectors) {
        if let Some(matrix) = matrix {
            matrix.follow(vectors, moments, velocities);
        }
    }
}

/// Moves `params` as a rule has moved `inside` from `before`, which are in the bases. `before` and `spare` are overwritten.
#[cfg_attr(not(any(target_os = "none", target_family = "wasm")), inline(always))]
pub(super) fn move_by<P: Tensors, B: Tensors>(params: &mut P, inside: &P, before: &mut P, spare: &mut P, vectors: &B) {
    let mut layers = Layers::default();
    while let Some((tensors, matrix)) = layers.next(inside, vectors) {
        if let Some(matrix) = matrix {
            let i = matrix.tensor;
            let (change, before) = (spare.tensor_mut(i), before.tensor_mut(i));
            for (to, (&now, &before)) in change.iter_mut().zip(inside.tensor(i).iter().zip(&*before)) {
                *to = sub(now, before);
            }
            matrix.leave(change, vectors, before);
            params.tensor_mut(i).iter_mut().zip(&*change).for_each(|(w, &change)| *w = add(*w, change));
        }
        copy_others(inside, tensors, matrix, params);
    }
}
