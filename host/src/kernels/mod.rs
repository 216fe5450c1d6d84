//! The layers' computations with this machine's vectors, chosen when the program runs: SSE2, SSE4.2, AVX2 or AVX-512 on
//! x86, NEON on Arm.
//!
//! A vector has eight numbers, whatever the machine's own have: those are the eight partial sums of the core's one order of
//! additions, so every bit is the core's. Multiplication and addition stay two instructions. What they are faster by:
//!
//! | kernel | in registers | sums along |
//! |---|---|---|
//! | forward | four outputs of two examples | the inputs, in eight partial sums |
//! | weight gradient | 16 inputs of five outputs | the examples |
//! | input error | 32 inputs of two examples | the outputs |
//! | exp, tanh, the logistic function | eight arguments | |
//!
//! Shapes are checked by the objective before it comes here; rows that are too short end in a panic.

// An index names a register in the loops of these; as iterators, some of them are not unrolled.
#[allow(clippy::needless_range_loop)]
mod backward;
#[allow(clippy::needless_range_loop)]
mod forward;
mod functions;

use fearless_simd::{Level, Simd as _, dispatch, f32x8};
use lgl2o::batch::Rows;
use lgl2o::objective::mlp::{Activation, Kernels, dense};
use lgl2o::sum::LANES;

/// Eight numbers.
type Block = [f32; LANES];
/// Eight numbers in a register, or in two.
type Lanes<S> = f32x8<S>;

/// Kernels for the vectors of this machine.
#[derive(Debug, Clone, Copy)]
pub struct Vectors(Level);

impl Vectors {
    /// For the widest vectors that this processor has.
    #[must_use]
    pub fn new() -> Self {
        Self(Level::new())
    }

    /// For each kind of vectors that this processor has: they differ in speed alone.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let best = Level::new();
        #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
        let levels = {
            let sse2 = best.as_sse2().map(Level::Sse2);
            let sse4 = best.as_sse4_2().map(Level::Sse4_2);
            let avx2 = best.as_avx2().map(Level::Avx2);
            [sse2, sse4, avx2, best.as_avx512().map(Level::Avx512)]
        };
        #[cfg(not(any(target_arch = "x86", target_arch = "x86_64")))]
        let levels = [Some(best)];
        levels.into_iter().flatten().map(Self).collect()
    }

    /// What the vectors are called.
    #[must_use]
    pub fn name(&self) -> String {
        let name = format!("{:?}", self.0);
        name.split('(').next().unwrap_or_default().to_owned()
    }

    /// Does some work that is compiled, as far as it is inlined, for vectors of eight numbers where there are such: for the
    /// core's loops over parameters, which are the same code.
    #[inline(always)]
    pub fn run<T>(self, work: impl FnOnce() -> T) -> T {
        #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
        if let Some(avx2) = self.0.as_avx2() {
            return avx2.vectorize(work);
        }
        work()
    }

    /// Whether the sums of several rows fit into the registers at once. Where they do not, the core's kernels are as good.
    fn has_room(self) -> bool {
        #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
        return self.0.as_avx2().is_some();
        #[cfg(not(any(target_arch = "x86", target_arch = "x86_64")))]
        true
    }
}

impl Default for Vectors {
    fn default() -> Self {
        Self::new()
    }
}

impl PartialEq for Vectors {
    /// They have the same bits.
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Vectors {}

impl Kernels for Vectors {
    fn forward(&self, weights: &[f32], bias: &[f32], inputs: Rows<'_>, n: usize, out: &mut [f32]) {
        if !self.has_room() {
            return dense::forward(weights, bias, inputs, n, out);
        }
        let rows = rows(inputs, n);
        dispatch!(self.0, simd => forward::forward(simd, weights, bias, &rows, out));
    }

    fn weight_gradient(&self, errors: &[f32], inputs: Rows<'_>, n: usize, outputs: usize, gradient: &mut [f32]) {
        if !self.has_room() || (inputs.width() < LANES && outputs < LANES) {
            return dense::weight_gradient(errors, inputs, n, outputs, gradient);
        }
        let rows = rows(inputs, n);
        dispatch!(self.0, simd => backward::weight_gradient(simd, errors, &rows, inputs.width(), outputs, gradient));
    }

    fn input_error(
        &self,
        weights: &[f32],
        errors: &[f32],
        n: usize,
        shape: [usize; 2],
        below: Activation,
        x: &mut [f32],
    ) {
        if shape[0] < LANES {
            return dense::input_error(weights, errors, n, shape, below, x);
        }
        dispatch!(self.0, simd => backward::input_error(simd, weights, errors, n, shape, below, x));
    }

    fn activate(&self, activation: Activation, x: &mut [f32]) {
        match activation {
            Activation::Tanh => dispatch!(self.0, simd => functions::tanh(simd, x)),
            Activation::Sigmoid => dispatch!(self.0, simd => functions::sigmoid(simd, x)),
            Activation::Identity | Activation::Relu => dispatch!(self.0, _simd => activation.apply(x)),
        }
    }

    fn exp(&self, x: &mut [f32]) {
        dispatch!(self.0, simd => functions::exp(simd, x));
    }
}

/// The first n rows.
fn rows<'a>(inputs: Rows<'a>, n: usize) -> Vec<&'a [f32]> {
    (0..n).map(|s| inputs.row(s)).collect()
}

/// Whole blocks of a row, B of them from a number on.
#[inline(always)]
fn blocks<const B: usize>(row: &[f32], start: usize) -> &[Block; B] {
    let blocks = row[start..start + B * LANES].as_chunks().0;
    blocks.first_chunk().expect("B blocks")
}
