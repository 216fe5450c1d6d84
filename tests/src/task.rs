//! Small objectives, data and sources.

use lgl2o::batch::Batch;
use lgl2o::objective::mlp::{Dense, Fixed, Loss, Mlp, Tanh};
use lgl2o::objective::{Blank, Objective, Quadratic};
use lgl2o::source::{Sampler, Source};
use lgl2o::{Error, Rng, chain};
#[cfg(feature = "host")]
use lgl2o_device::stream::{CLASSES, INPUTS};
#[cfg(feature = "host")]
use lgl2o_host::data::Dataset;

use crate::reference::losses::{Quadratic64, wide};

/// 2-8-2 with tanh units, for batches of up to 8 examples.
pub type SmallMlp = Mlp<Fixed<chain![Dense<2, 8, Tanh>, Dense<8, 2>], 8>>;

/// The batch size of [`SmallMlp`].
pub const BATCH: usize = 8;

/// A classifier of points in the plane.
#[must_use]
pub fn small_mlp() -> SmallMlp {
    Mlp::new(Fixed::new(), Loss::CrossEntropy)
}

/// Initial parameters of an optimizee that starts at random.
#[must_use]
pub fn start(objective: &SmallMlp, seed: u64) -> <SmallMlp as Objective>::Params {
    let mut params = objective.blank_params();
    objective.initialize(&mut params, &mut Rng::new(seed));
    params
}

/// Labelled points in the plane.
#[derive(Debug, Clone)]
pub struct Data {
    /// Two numbers per point.
    pub inputs: Vec<f32>,
    /// 1 inside the unit circle, else 0.
    pub labels: Vec<u8>,
}

impl Data {
    /// n points, drawn uniformly from a square so large that about half lie inside the circle.
    #[must_use]
    pub fn disk(n: usize, seed: u64) -> Self {
        let mut rng = Rng::new(seed);
        let inputs: Vec<f32> = (0..2 * n).map(|_| rng.range(-1.25, 1.25)).collect();
        let labels = inputs.chunks(2).map(|p| u8::from(p[0] * p[0] + p[1] * p[1] < 1.0)).collect();
        Self { inputs, labels }
    }

    /// Calls with a sampler of batches of `size`.
    pub fn sampling<T>(&self, size: usize, seed: u64, then: impl FnOnce(&mut Sampler<'_>) -> T) -> T {
        let (mut pick, mut used) = (vec![0; size], vec![0; self.labels.len().div_ceil(32)]);
        let mut sampler = Sampler::new(&self.inputs, 2, &self.labels, seed, &mut pick, &mut used).unwrap();
        then(&mut sampler)
    }
}

/// A source whose every batch is one and the same.
#[derive(Debug, Clone, Copy)]
pub struct Whole<'a>(pub Batch<'a>);

impl<O: for<'b> Objective<Batch<'b> = Batch<'b>>> Source<O> for Whole<'_> {
    fn train(&mut self) -> Result<Batch<'_>, Error> {
        Ok(self.0)
    }
    fn check(&mut self) -> Result<Batch<'_>, Error> {
        Ok(self.0)
    }
    fn objective(&mut self, i: usize) -> Result<Option<Batch<'_>>, Error> {
        Ok((i == 0).then_some(self.0))
    }
}

/// Eigenvalues from 1 to 10, reflected at a slanting plane, with its minimum at (1, -1, 2, -2).
#[must_use]
pub fn bowl() -> Quadratic<4> {
    let (spectrum, minimiser, normal) = BOWL;
    Quadratic::new(spectrum, minimiser).and_then(|q| q.reflected(normal)).unwrap()
}

/// [`bowl`] in double precision.
#[must_use]
pub fn bowl64() -> Quadratic64 {
    let (spectrum, minimiser, normal) = BOWL;
    Quadratic64 { spectrum: wide(&spectrum), minimiser: wide(&minimiser), normal: wide(&normal) }
}

const BOWL: ([f32; 4], [f32; 4], [f32; 4]) = ([1.0, 2.0, 5.0, 10.0], [1.0, -1.0, 2.0, -2.0], [1.0, -2.0, 0.5, 1.0]);

/// Where runs on [`bowl`] start.
pub const BOWL_START: [f32; 4] = [3.0, 2.0, -1.0, 0.5];

/// Images of 14 x 14 whose class shows in a band of bright pixels, under noise.
///
/// # Panics
/// Never: they are a data set.
#[cfg(feature = "host")]
#[must_use]
pub fn images(count: usize) -> Dataset {
    let mut rng = Rng::new(5);
    let labels: Vec<u8> = (0..count).map(|_| rng.below(CLASSES as u32) as u8).collect();
    let mut pixel = |label: u8, i: usize| {
        let grey = if i / 19 == usize::from(label) { 155 } else { 0 };
        (grey + rng.below(101)) as f32 / 255.0
    };
    let inputs = labels.iter().flat_map(|&label| (0..INPUTS).map(|i| pixel(label, i)).collect::<Vec<f32>>()).collect();
    Dataset::new(inputs, labels, INPUTS, CLASSES, Some((14, 14))).expect("a data set")
}
