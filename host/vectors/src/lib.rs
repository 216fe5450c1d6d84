//! The layers' computations with this machine's vectors, chosen when the program runs: SSE2, SSE4.2, AVX2 or AVX-512 on
//! x86, NEON on Arm.
//!
//! Every sum keeps the core's one order of additions, its eight partial sums among them, so every bit is the core's.
//! Multiplication and addition stay two instructions. What they are faster by:
//!
//! | kernel | in registers | sums along |
//! |---|---|---|
//! | `forward` | four outputs of two examples | the inputs, in eight partial sums |
//! | `paired`, of AVX-512 | eight outputs of four examples, two outputs in a register | the same |
//! | `columns`, of few inputs | 8 or 16 outputs of one or two examples | the same |
//! | `backward`, weight gradient | 16 inputs of five outputs | the examples |
//! | `wide`, of AVX-512 where it takes less time | 32 inputs of eight outputs | the examples |
//! | `backward`, input error | 32 inputs of two examples | the outputs |
//! | `functions`: exp | eight or sixteen arguments | |
//! | activations, by the core's loops | as many arguments as the compiler takes | |
//!
//! Shapes are checked by the objective before it comes here; rows that are too short end in a panic.
//!
//! It is a package of its own, apart from the host program, so that tests compile it with full optimization and the program without.
//!
//! ```
//! use lgl2o::batch::Rows;
//! use lgl2o::objective::mlp::Kernels;
//! use lgl2o_vectors::Vectors;
//!
//! let (weights, bias, input) = ([1.0, 2.0, -1.0, 0.5], [0.0, 1.0], [3.0, 4.0]);
//! let mut outputs = [0.0; 2];
//! Vectors::new().forward(&weights, &bias, Rows::all(&input, 2), 1, &mut outputs);
//! assert_eq!(outputs, [11.0, 0.0]);
//! ```

// An index names a register in the loops of these; as iterators, some of them are not unrolled.
#[allow(clippy::needless_range_loop)]
mod backward;
#[allow(clippy::needless_range_loop)]
mod columns;
#[allow(clippy::needless_range_loop)]
mod forward;
mod functions;
#[allow(clippy::needless_range_loop)]
mod paired;
#[allow(clippy::needless_range_loop)]
mod wide;

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use fearless_simd::{Level, Simd, SimdBase, SimdFloat, dispatch, f32x8, f32x16};
use lgl2o::batch::Rows;
use lgl2o::objective::mlp::{Activation, Kernels, dense};
use lgl2o::sum::LANES;

/// Eight numbers.
type Block = [f32; LANES];
/// Eight numbers in a register, or in two.
type Lanes<S> = f32x8<S>;

/// Numbers in the widest register.
const WIDE: usize = 2 * LANES;
/// How often each way is tried to find out which one takes less time.
const TRIALS: usize = 8;

/// Kernels for the vectors of this machine.
#[derive(Debug, Clone, Copy)]
pub struct Vectors {
    level: Level,
    /// Whether the weight gradient is to use registers of sixteen numbers; if that is not said, it is measured.
    is_wide: Option<bool>,
}

impl Vectors {
    /// For the widest vectors that this processor has.
    #[must_use]
    pub fn new() -> Self {
        Self { level: Level::new(), is_wide: None }
    }

    /// For each kind of vectors that this processor has, and each kernel for them: they differ in speed alone.
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
        let ways = |level| [false, true].map(|is_wide| Self { level, is_wide: Some(is_wide) });
        let has_wide = |vectors: &Self| vectors.is_wide == Some(false) || vectors.has_wide();
        levels.into_iter().flatten().flat_map(ways).filter(has_wide).collect()
    }

    /// What the vectors are called.
    #[must_use]
    pub fn name(&self) -> String {
        let name = format!("{:?}", self.level);
        name.split('(').next().unwrap_or_default().to_owned()
    }

    /// Does some work that is compiled, as far as it is inlined, for vectors of sixteen or of eight numbers where there are such: for
    /// the core's loops over parameters, which are the same code.
    #[inline(always)]
    pub fn run<T>(self, work: impl FnOnce() -> T) -> T {
        #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
        if let Some(avx512) = self.level.as_avx512() {
            return avx512.vectorize(work);
        } else if let Some(avx2) = self.level.as_avx2() {
            return avx2.vectorize(work);
        }
        work()
    }

    /// Whether there are registers of sixteen numbers.
    fn has_wide(&self) -> bool {
        #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
        return self.level.as_avx512().is_some();
        #[cfg(not(any(target_arch = "x86", target_arch = "x86_64")))]
        false
    }

    /// Whether the weight gradient is to use them.
    fn is_wide(&self) -> bool {
        self.has_wide() && self.is_wide.unwrap_or_else(|| is_wide_faster(self.level))
    }

    /// Whether the sums of several rows fit into the registers at once. Where they do not, the core's kernels are as good.
    fn has_room(self) -> bool {
        #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
        return self.level.as_avx2().is_some();
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
        dispatch!(self.level, simd => forward_of(simd, weights, bias, &rows, out));
    }

    fn weight_gradient(&self, errors: &[f32], inputs: Rows<'_>, n: usize, outputs: usize, gradient: &mut [f32]) {
        if !self.has_room() || (inputs.width() < LANES && outputs < LANES) {
            return dense::weight_gradient(errors, inputs, n, outputs, gradient);
        }
        let (rows, is_wide) = (rows(inputs, n), self.is_wide());
        let shape = [inputs.width(), outputs];
        dispatch!(self.level, simd => gradient_of(simd, is_wide, errors, &rows, shape, gradient));
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
        dispatch!(self.level, simd => backward::input_error(simd, weights, errors, n, shape, below, x));
    }

    fn activate(&self, activation: Activation, x: &mut [f32]) {
        // Its loops are vectorized for these vectors.
        dispatch!(self.level, _simd => activation.apply(x));
    }

    fn exp(&self, x: &mut [f32]) {
        dispatch!(self.level, simd => functions::exp(simd, x));
    }
}

/// A vector of numbers.
trait Numbers<S: Simd>: SimdFloat<S, Element = f32> {}

impl<S: Simd, V: SimdFloat<S, Element = f32>> Numbers<S> for V {}

/// Inputs of a layer up to which [`columns`] takes less time than the other kernels, in registers of eight numbers and of sixteen.
const FEW_INPUTS: [usize; 2] = [LANES, 64];

/// Whether a register has sixteen numbers.
#[inline(always)]
fn is_wide<S: Simd>(_: S) -> bool {
    <S::f32s as SimdBase<S>>::LEN >= 2 * LANES
}

/// [`Kernels::forward`] by the kernel for these registers and this shape.
#[inline(always)]
fn forward_of<S: Simd>(simd: S, weights: &[f32], bias: &[f32], rows: &[&[f32]], out: &mut [f32]) {
    let (width, outputs, is_wide) = (rows.first().map_or(0, |row| row.len()), bias.len(), is_wide(simd));
    match (is_wide, outputs) {
        (true, WIDE..) if width <= FEW_INPUTS[1] => {
            columns::forward::<S, f32x16<S>, 2>(simd, weights, bias, rows, out);
        }
        (true, LANES..) if width <= FEW_INPUTS[1] => {
            columns::forward::<S, f32x8<S>, 2>(simd, weights, bias, rows, out);
        }
        (false, LANES..) if width <= FEW_INPUTS[0] => {
            columns::forward::<S, f32x8<S>, 1>(simd, weights, bias, rows, out);
        }
        (true, 2..) => paired::forward(simd, weights, bias, rows, out),
        (true | false, _) => forward::forward(simd, weights, bias, rows, out),
    }
}

/// [`Kernels::weight_gradient`] by the kernel for this shape, in registers of sixteen numbers if that is said.
#[inline(always)]
fn gradient_of<S: Simd>(
    simd: S,
    is_wide: bool,
    errors: &[f32],
    rows: &[&[f32]],
    [width, outputs]: [usize; 2],
    gradient: &mut [f32],
) {
    if is_wide && width >= wide::INPUTS && !rows.is_empty() {
        wide::weight_gradient(simd, errors, rows, outputs, gradient);
    } else {
        backward::weight_gradient(simd, errors, rows, width, outputs, gradient);
    }
}

/// Whether this processor takes less time for the weight gradient in registers of sixteen numbers. Some work on both halves
/// of such a register one after the other; those are better off with eight. So it is tried, once; the bits are the same.
fn is_wide_faster(level: Level) -> bool {
    static FASTER: OnceLock<bool> = OnceLock::new();
    *FASTER.get_or_init(|| {
        let (n, width, outputs) = (128, 256, 40);
        let (errors, inputs) = (vec![1.0; n * outputs], vec![1.0; n * width]);
        let (rows, mut gradient) = (rows(Rows::all(&inputs, width), n), vec![0.0; width * outputs]);
        let mut least = [Duration::MAX; 2];
        for _ in 0..TRIALS {
            for (wide, least) in [false, true].into_iter().zip(&mut least) {
                let start = Instant::now();
                dispatch!(level, simd => gradient_of(simd, wide, &errors, &rows, [width, outputs], &mut gradient));
                *least = start.elapsed().min(*least);
            }
        }
        least[1] < least[0]
    })
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
