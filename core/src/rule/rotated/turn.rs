//! Matrices into the eigenbases and back, and the bases after the moments.

use super::jacobi::sweep;
use crate::lanes::by_lanes;
use crate::math::flush;
use crate::rule::LEAST;
use crate::sum::{dot, dot4};
use crate::tensors::Tensors;

/// The longest side of a matrix that is turned.
pub const LONGEST: usize = 128;

/// The matrix of a layer that is turned: its tensor, its shape, and the number of the basis of its rows; that of its columns is the next.
#[derive(Debug, Clone, Copy)]
pub(super) struct Matrix {
    pub(super) tensor: usize,
    /// Rows and columns.
    shape: [usize; 2],
    basis: usize,
    /// Whether rows and columns are turned.
    turns: [bool; 2],
}

impl Matrix {
    /// All of them: weights of layers of two tensors with a basis.
    pub(super) fn all<P: Tensors, B: Tensors>(params: &P, bases: &B) -> impl Iterator<Item = Self> {
        let mut next = 0;
        (0..params.layers()).filter_map(move |l| {
            let tensors = params.layer(l);
            if tensors.len() != 2 {
                return None;
            }
            let basis = next;
            next += 2;
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
        })
    }

    /// The vectors of rows and columns, where they are turned.
    fn vectors<B: Tensors>(self, vectors: &B) -> [Option<&[f32]>; 2] {
        [0, 1].map(|side| self.turns[side].then(|| vectors.tensor(self.basis + side)))
    }

    /// `to` = Q from P^T, by way of `spare`.
    fn enter<B: Tensors>(self, from: &[f32], vectors: &B, spare: &mut [f32], to: &mut [f32]) {
        let ([left, right], [rows, columns]) = (self.vectors(vectors), self.shape);
        match left {
            None => spare.copy_from_slice(from),
            Some(basis) => {
                for (coefficients, out) in basis.chunks_exact(rows).zip(spare.chunks_exact_mut(columns)) {
                    combine(coefficients.iter(), from, out);
                }
            }
        }
        match right {
            None => to.copy_from_slice(spare),
            Some(basis) => {
                for (row, out) in spare.chunks_exact(columns).zip(to.chunks_exact_mut(columns)) {
                    project(row, basis, out);
                }
            }
        }
    }

    /// `change` becomes Q^T change P, by way of `spare`.
    fn leave<B: Tensors>(self, change: &mut [f32], vectors: &B, spare: &mut [f32]) {
        let ([left, right], [rows, columns]) = (self.vectors(vectors), self.shape);
        match right {
            None => spare.copy_from_slice(change),
            Some(basis) => {
                for (row, out) in change.chunks_exact(columns).zip(spare.chunks_exact_mut(columns)) {
                    combine(row.iter(), basis, out);
                }
            }
        }
        match left {
            None => change.copy_from_slice(spare),
            Some(basis) => {
                for (i, out) in change.chunks_exact_mut(columns).enumerate() {
                    combine(basis.iter().skip(i).step_by(rows), spare, out);
                }
            }
        }
    }

    /// Takes a gradient into the moments of both sides: L <- kept (L + G G^T), R <- kept (R + G^T G).
    pub(super) fn take<P: Tensors, B: Tensors>(self, gradient: &P, moments: &mut B, kept: f32) {
        let (g, [rows, n]) = (gradient.tensor(self.tensor), self.shape);
        if self.turns[0] {
            for (a, moments) in g.chunks_exact(n).zip(moments.tensor_mut(self.basis).chunks_exact_mut(rows)) {
                for (b, moment) in g.chunks_exact(n).zip(moments) {
                    *moment = flush(kept * (*moment + dot(a, b)), LEAST);
                }
            }
        }
        if self.turns[1] {
            for (a, moments) in moments.tensor_mut(self.basis + 1).chunks_exact_mut(n).enumerate() {
                add_combination(g.iter().skip(a).step_by(n), g, moments);
                moments.iter_mut().for_each(|moment| *moment = flush(kept * *moment, LEAST));
            }
        }
    }

    /// Turns the bases towards the eigenvectors of the moments, and velocities along.
    pub(super) fn follow<P: Tensors, B: Tensors>(self, vectors: &mut B, moments: &mut B, velocities: &mut [P]) {
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

/// `out` = sum of c_k times row k.
fn combine<'c>(coefficients: impl Iterator<Item = &'c f32>, rows: &[f32], out: &mut [f32]) {
    out.fill(0.0);
    add_combination(coefficients, rows, out);
}

/// `out` += sum of c_k times row k, in the order of the rows. Each number is its own sum.
fn add_combination<'c>(mut coefficients: impl Iterator<Item = &'c f32>, rows: &[f32], out: &mut [f32]) {
    let n = out.len();
    // Four rows at a time: what they are added to is loaded and stored once.
    let (fours, rest) = {
        let whole = rows.len() - rows.len() % (4 * n);
        rows.split_at(whole)
    };
    for four in fours.chunks_exact(4 * n) {
        let mut rows = four.chunks_exact(n);
        let mut next = || coefficients.next().zip(rows.next());
        let (Some((&c0, r0)), Some((&c1, r1)), Some((&c2, r2)), Some((&c3, r3))) = (next(), next(), next(), next())
        else {
            return;
        };
        by_lanes!([out] [r0, r1, r2, r3] => {
            *out = *out + r0 * c0 + r1 * c1 + r2 * c2 + r3 * c3;
        });
    }
    for (&c, row) in coefficients.zip(rest.chunks_exact(n)) {
        by_lanes!([out] [row] => {
            *out += row * c;
        });
    }
}

/// `out`\[k\] = the dot product of `row` and row k of a basis.
fn project(row: &[f32], basis: &[f32], out: &mut [f32]) {
    let n = row.len();
    let (fours, rest) = out.as_chunks_mut::<4>();
    let (of_fours, of_rest) = basis.split_at(fours.len() * 4 * n);
    for (out, four) in fours.iter_mut().zip(of_fours.chunks_exact(4 * n)) {
        let mut rows = four.chunks_exact(n);
        let mut next = || rows.next().unwrap_or(&[]);
        *out = dot4(row, [next(), next(), next(), next()]);
    }
    for (out, vector) in rest.iter_mut().zip(of_rest.chunks_exact(n)) {
        *out = dot(row, vector);
    }
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
pub(super) fn enter<P: Tensors, B: Tensors>(from: &P, vectors: &B, spare: &mut P, to: &mut P) {
    copy_others(from, vectors, to);
    for matrix in Matrix::all(from, vectors) {
        let i = matrix.tensor;
        matrix.enter(from.tensor(i), vectors, spare.tensor_mut(i), to.tensor_mut(i));
    }
}

/// The tensors that are not turned.
pub(super) fn copy_others<P: Tensors, B: Tensors>(from: &P, vectors: &B, to: &mut P) {
    for i in (0..from.count()).filter(|&i| Matrix::all(from, vectors).all(|matrix| matrix.tensor != i)) {
        to.tensor_mut(i).iter_mut().zip(from.tensor(i)).for_each(|(to, &from)| *to = from);
    }
}

/// Moves `params` as a rule has moved `inside` from `before`, which are in the bases. `before` and `spare` are overwritten.
pub(super) fn move_by<P: Tensors, B: Tensors>(params: &mut P, inside: &P, before: &mut P, spare: &mut P, vectors: &B) {
    copy_others(inside, vectors, params);
    for matrix in Matrix::all(inside, vectors) {
        let i = matrix.tensor;
        let (change, before) = (spare.tensor_mut(i), before.tensor_mut(i));
        for (to, (&now, &before)) in change.iter_mut().zip(inside.tensor(i).iter().zip(&*before)) {
            *to = now - before;
        }
        matrix.leave(change, vectors, before);
        params.tensor_mut(i).iter_mut().zip(&*change).for_each(|(w, &change)| *w += change);
    }
}
