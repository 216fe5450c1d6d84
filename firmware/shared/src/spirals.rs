//! Two interleaved spirals, made on the device: a demonstration that needs neither host nor data.
//!
//! For every point the class c is a random bit, and with t uniform in [0, 1) and two noises e1, e2
//!
//! ```text
//! radius r   = 0.1 + 0.9 t + 0.05 e1
//! angle  phi = 2 pi (turns t + c / 2) + 0.02 e2
//! inputs     = (r cos phi, r sin phi)
//! ```
//!
//! as the host's task Spirals has it, but in single precision and without end: no point comes twice. A noise is a sum
//! of four uniform numbers, shifted and scaled to mean 0 and variance 1. Training batches, check batches and held-out
//! batches come from three streams of one seed.

use core::f32::consts::TAU;

use lgl2o::batch::Batch;
use lgl2o::checkpoint::{Digest, Fingerprint, Persist};
use lgl2o::objective::mlp::{Dense, Fixed, Loss, Mlp, Network, Tanh};
use lgl2o::source::Source;
use lgl2o::tensors::Tensors;
use lgl2o::trainer::Progress;
use lgl2o::{AutoLean, Error, Memory, Objective, Rng, Trainer, Verdict, chain, math};

pub use crate::record::Outcome;
use crate::record::{RoundRecord, Trace, guard};

/// All memory of a run with the network N.
pub type RunMemory<N> = Memory<Mlp<N>, AutoLean>;

/// 2-16-2 for batches of 16: fits into 16 kB of RAM.
pub type Small = Fixed<chain![Dense<2, 16, Tanh>, Dense<16, 2>], 16>;

/// 2-32-32-2 for batches of 16: fits into 64 kB of RAM.
pub type Large = Fixed<chain![Dense<2, 32, Tanh>, Dense<32, 32, Tanh>, Dense<32, 2>], 16>;

/// Examples in a batch.
pub const BATCH: usize = 16;

/// A demonstration: how hard it is, and how long it takes.
pub trait Demo: Network + Default {
    /// The network in words.
    const NAME: &'static str;
    /// Turns of each spiral.
    const TURNS: f32;
    /// Training steps, at least: the run ends with the window of the guard in which they are reached.
    const STEPS: u64;
}

impl Demo for Small {
    const NAME: &'static str = "2-16-2 tanh";
    const TURNS: f32 = 0.6;
    const STEPS: u64 = 600;
}

impl Demo for Large {
    const NAME: &'static str = "2-32-32-2 tanh";
    const TURNS: f32 = 0.45;
    const STEPS: u64 = 600;
}

/// The seed of everything.
const SEED: u64 = 1;
/// Batches that the held-out loss is a mean of.
const HELD_OUT: u32 = 16;

/// Trains in `memory`, all of which is zero; returns each round to `each` as it ends. `nudge` may change the initial
/// parameters.
///
/// # Errors
/// What [`Trainer::round`] says.
pub fn run<N: Demo>(
    memory: &mut RunMemory<N>,
    nudge: impl FnOnce(&mut N::Params),
    mut each: impl FnMut(&RoundRecord),
) -> Result<Outcome, Error> {
    let (net, guard, mut source) = begin::<N>(memory, nudge);
    let mut trainer = Trainer::new(&net, &guard, memory);
    let mut trace = Trace::EMPTY;
    while trainer.progress().steps < N::STEPS {
        let verdict = step(&mut trainer, &mut source)?;
        each(&RoundRecord::new(trainer.progress().rounds, &verdict, &mut trace));
    }
    finish(&mut trainer, &mut source)
}

/// A round. Not inlined, so that the stack of a training step can be told apart from that of the program; which makes the
/// program smaller, too.
#[inline(never)]
fn step<N: Demo>(trainer: &mut Trainer<'_, Mlp<N>, AutoLean>, source: &mut Spirals) -> Result<Verdict, Error> {
    trainer.round(source)
}

/// Network, guard and data of a demonstration, and initial parameters in the memory: for whoever makes the rounds of [`run`] one
/// by one.
pub fn begin<N: Demo>(memory: &mut RunMemory<N>, nudge: impl FnOnce(&mut N::Params)) -> (Mlp<N>, AutoLean, Spirals) {
    let net = Mlp::new(N::default(), Loss::CrossEntropy);
    net.initialize(memory.params_mut(), &mut Rng::stream(SEED, 0));
    nudge(memory.params_mut());
    (net, guard(), Spirals::new(SEED, N::TURNS))
}

/// What a run has come to.
///
/// # Errors
/// What [`Trainer::loss`] says.
pub fn finish<N: Demo>(trainer: &mut Trainer<'_, Mlp<N>, AutoLean>, source: &mut Spirals) -> Result<Outcome, Error> {
    let mut loss = 0.0;
    for _ in 0..HELD_OUT {
        loss += trainer.loss(source.held_out())? / HELD_OUT as f32;
    }
    let Progress { rounds, learned, steps, .. } = *trainer.progress();
    Ok(Outcome { loss, rounds, learned, steps: steps as u32, params: Trace::of_tensors(trainer.params()) })
}

/// Batches of points on two spirals.
#[derive(Debug, Clone)]
pub struct Spirals {
    turns: f32,
    train: Rng,
    check: Rng,
    held_out: Rng,
    inputs: [f32; 2 * BATCH],
    labels: [u8; BATCH],
}

impl Spirals {
    /// Spirals of a seed, with so many turns.
    #[must_use]
    pub const fn new(seed: u64, turns: f32) -> Self {
        Self {
            turns,
            train: Rng::stream(seed, 1),
            check: Rng::stream(seed, 2),
            held_out: Rng::stream(seed, 3),
            inputs: [0.0; 2 * BATCH],
            labels: [0; BATCH],
        }
    }

    /// The next batch of points that a run neither trains nor checks on.
    pub fn held_out(&mut self) -> Batch<'_> {
        fill(&mut self.held_out, self.turns, &mut self.inputs, &mut self.labels)
    }
}

impl Fingerprint for Spirals {
    fn describe(&self, digest: &mut Digest) {
        digest.kind("spirals");
        digest.numbers([self.turns]);
        digest.word(BATCH as u32);
    }
}

/// The three streams; a batch is made anew each time.
impl Persist for Spirals {
    lgl2o::persist_fields!(train, check, held_out);
}

impl<O: for<'a> Objective<Batch<'a> = Batch<'a>>> Source<O> for Spirals {
    fn train(&mut self) -> Result<Batch<'_>, Error> {
        Ok(fill(&mut self.train, self.turns, &mut self.inputs, &mut self.labels))
    }
    fn check(&mut self) -> Result<Batch<'_>, Error> {
        Ok(fill(&mut self.check, self.turns, &mut self.inputs, &mut self.labels))
    }
}

/// Fills a batch.
pub(crate) fn fill<'a>(
    rng: &mut Rng,
    turns: f32,
    inputs: &'a mut [f32; 2 * BATCH],
    labels: &'a mut [u8; BATCH],
) -> Batch<'a> {
    for (row, label) in inputs.chunks_exact_mut(2).zip(labels.iter_mut()) {
        *label = (rng.next_u32() >> 31) as u8;
        let point = point(rng, turns, *label);
        row.iter_mut().zip(point).for_each(|(x, value)| *x = value);
    }
    Batch::classes(inputs, 2, labels)
}

/// One point of one arm.
fn point(rng: &mut Rng, turns: f32, class: u8) -> [f32; 2] {
    let t = rng.uniform();
    let radius = 0.1 + 0.9 * t + 0.05 * noise(rng);
    let angle = TAU * (turns * t + 0.5 * f32::from(class)) + 0.02 * noise(rng);
    [radius * math::cos(angle), radius * math::sin(angle)]
}

/// Nearly normal noise of mean 0 and variance 1, bounded by 2 sqrt 3 (Irwin-Hall).
fn noise(rng: &mut Rng) -> f32 {
    const SQRT_3: f32 = 1.732_050_8;
    let sum = rng.uniform() + rng.uniform() + rng.uniform() + rng.uniform();
    SQRT_3 * (sum - 2.0)
}

/// Flips a bit in the middle of the first weight's mantissa: what a comparison of two runs has to notice. (The lowest one
/// may be rounded away by the steps of the first round.)
pub fn flip_bit(params: &mut impl Tensors) {
    if let Some(weight) = params.tensor_mut(0).first_mut() {
        *weight = f32::from_bits(weight.to_bits() ^ (1 << 12));
    }
}

#[cfg(test)]
mod tests {
    use std::boxed::Box;
    use std::vec::Vec;

    use super::*;

    fn trained<N: Demo>() -> (Vec<RoundRecord>, Outcome)
    where
        RunMemory<N>: Default,
    {
        let mut rounds = Vec::new();
        let outcome = run::<N>(&mut Box::<RunMemory<N>>::default(), |_| {}, |round| rounds.push(*round));
        (rounds, outcome.expect("a run"))
    }

    #[test]
    fn both_networks_learn_the_spirals() {
        let (small, large) = (trained::<Small>().1, trained::<Large>().1);
        std::println!("{small:?} {large:?}");
        assert!(small.loss < 0.3 && large.loss < 0.3, "{small:?} {large:?}");
    }

    #[test]
    fn a_run_repeats_itself_and_a_flipped_bit_shows_in_the_first_round() {
        let (rounds, _) = trained::<Small>();
        assert_eq!(rounds, trained::<Small>().0);
        let mut flipped = Vec::new();
        run::<Small>(&mut RunMemory::new(), flip_bit, |round| flipped.push(*round)).expect("a run");
        assert_ne!(rounds[0].trace, flipped[0].trace);
    }
}
