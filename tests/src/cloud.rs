//! A strongly convex objective on minibatches without end, whose constants are known.
//!
//! ```text
//! loss_x(w) = 1/2 sum_j h_j (w_j - x_j)^2,   x_j uniform with mean 0 and variance 1,   h = 1, 2, 3, 4
//! F(w) = E loss_x(w) = 1/2 sum_j h_j w_j^2 + const
//! ```
//!
//! mu = 1, L = 4, and the gradient on B examples is unbiased, with variance sum_j h_j^2 / B = 30 / B everywhere.

use lgl2o::objective::{Blank, Objective};
use lgl2o::source::Source;
use lgl2o::{Error, Rng};

/// One example.
pub type Point = [f32; 4];

const SPECTRUM: [f32; 4] = [1.0, 2.0, 3.0, 4.0];

/// The most examples in a batch.
pub const LARGEST: usize = 16;

/// The objective.
#[derive(Debug, Clone, Copy)]
pub struct Cloud;

impl Cloud {
    /// mu.
    pub const MU: f64 = 1.0;
    /// L.
    pub const SMOOTHNESS: f64 = 4.0;
    /// The variance of the gradient on one example.
    pub const VARIANCE: f64 = 30.0;

    /// F - F\*.
    #[must_use]
    pub fn excess(w: &Point) -> f64 {
        w.iter().zip(SPECTRUM).map(|(&w, h)| 0.5 * f64::from(h) * f64::from(w) * f64::from(w)).sum()
    }
}

impl Objective for Cloud {
    type Params = Point;
    type Batch<'a> = &'a [Point];
    type Scratch = ();
    type Losses = [f32; LARGEST];

    fn losses(&self, (): &mut (), w: &Point, batch: &[Point], losses: &mut [f32; LARGEST]) -> Result<usize, Error> {
        for (loss, x) in losses.iter_mut().zip(batch) {
            *loss = (0..4).map(|j| 0.5 * SPECTRUM[j] * (w[j] - x[j]) * (w[j] - x[j])).sum();
        }
        Ok(batch.len())
    }

    fn gradient(
        &self,
        scratch: &mut (),
        w: &Point,
        batch: &[Point],
        losses: &mut [f32; LARGEST],
        gradient: &mut Point,
    ) -> Result<usize, Error> {
        let mean = |j: usize| batch.iter().map(|x| x[j]).sum::<f32>() / batch.len() as f32;
        *gradient = core::array::from_fn(|j| SPECTRUM[j] * (w[j] - mean(j)));
        self.losses(scratch, w, batch, losses)
    }
}

impl Blank for Cloud {
    fn blank_params(&self) -> Point {
        [0.0; 4]
    }
    fn blank_scratch(&self) {}
    fn blank_losses(&self) -> [f32; LARGEST] {
        [0.0; LARGEST]
    }
}

/// Fresh batches for training and for checks.
#[derive(Debug)]
pub struct Fresh {
    train: Rng,
    check: Rng,
    batch: Vec<Point>,
    other: Vec<Point>,
    leaks: bool,
}

impl Fresh {
    /// Batches of `size`, drawn from a seed.
    #[must_use]
    pub fn new(seed: u64, size: usize) -> Self {
        let batch = vec![[0.0; 4]; size];
        Self { train: Rng::stream(seed, 1), check: Rng::stream(seed, 2), other: batch.clone(), batch, leaks: false }
    }

    /// The same source, which breaks its promise: it checks on the batch that was last trained on.
    #[must_use]
    pub fn leaking(self) -> Self {
        Self { leaks: true, ..self }
    }
}

fn fill(batch: &mut [Point], rng: &mut Rng) {
    // The square root of 3 is half the width of a uniform distribution of variance 1.
    batch.iter_mut().flatten().for_each(|x| *x = rng.range(-1.732_050_8, 1.732_050_8));
}

impl Source<Cloud> for Fresh {
    fn train(&mut self) -> Result<&[Point], Error> {
        fill(&mut self.batch, &mut self.train);
        Ok(&self.batch)
    }
    fn check(&mut self) -> Result<&[Point], Error> {
        if self.leaks {
            return Ok(&self.batch);
        }
        fill(&mut self.other, &mut self.check);
        Ok(&self.other)
    }
    /// F itself, but for a constant: one example at the mean.
    fn objective(&mut self, i: usize) -> Result<Option<&[Point]>, Error> {
        Ok((i == 0).then_some(&[[0.0; 4]]))
    }
}
