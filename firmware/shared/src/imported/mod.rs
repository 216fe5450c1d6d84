//! `imported`: two networks from PyTorch's ONNX files, whose heads are trained on the device.
//!
//! `lgl2o import` has read the files, and `lgl2o export --to rust` has written the modules [`conv`] and [`mlp_relu`]: weights in flash.
//! Each network predicts the [`rows`] that PyTorch has predicted. Then its first layers are frozen, and its head learns, from copies of
//! these rows with noise, the class with the lowest output. Then it predicts the rows without noise again.
//!
//! The outputs before training are held against PyTorch's own, those after it against the same run on another machine, bit for bit.

#[allow(missing_docs, unreachable_pub, clippy::all)]
pub mod conv;
#[allow(missing_docs, unreachable_pub, clippy::all)]
pub mod mlp_relu;
pub mod rows;

use core::borrow::Borrow;

use lgl2o::batch::Batch;
use lgl2o::model::{AsIs, Inputs, Model};
use lgl2o::objective::mlp::frozen::Weights;
use lgl2o::objective::mlp::{
    Conv1d, Conv1dParams, Dense, DenseParams, Fixed, Frozen, Loss, MaxPool1d, Mlp, Network, Relu, Sigmoid, Tanh,
};
use lgl2o::source::Sampler;
use lgl2o::tensors::Tensors;
use lgl2o::trainer::{self, Progress, Trainer};
use lgl2o::{AutoLean, Error, Objective, Rng, chain};
use serde::{Deserialize, Serialize};

use crate::record::{Outcome, RoundRecord, Trace, bits, guard};

/// The networks in words.
pub const NAME: &str = "a convolution and an MLP from PyTorch";
/// Rows of each network that PyTorch has predicted.
pub const ROWS: usize = 3;
/// Outputs of each network, one for each class.
pub const CLASSES: usize = 3;
/// Networks.
pub const NETWORKS: usize = 2;
/// What is said of outputs: those of each row of each network, before training and after it.
pub const SAID: usize = 2 * NETWORKS * ROWS;

/// Numbers of the longest row.
const WIDEST: usize = 60;
/// Copies of each row that a head learns from.
const COPIES: usize = 4;
/// The standard deviation of their noise; inputs have about 1.
const NOISE: f32 = 0.1;
/// Rows in a batch.
const BATCH: usize = 4;
/// Training steps of each head, at least.
const STEPS: u64 = 200;
const SEED: u64 = 1;

/// The first convolution, in flash.
#[derive(Debug, Clone, Copy)]
pub struct Conv1;
impl Weights<Conv1dParams<3, 5, 6>> for Conv1 {
    fn weights() -> &'static Conv1dParams<3, 5, 6> {
        &conv::PARAMS.0
    }
}

/// The second convolution, in flash.
#[derive(Debug, Clone, Copy)]
pub struct Conv2;
impl Weights<Conv1dParams<6, 3, 4>> for Conv2 {
    fn weights() -> &'static Conv1dParams<6, 3, 4> {
        &conv::PARAMS.1.1.0
    }
}

/// The first layer of the MLP, in flash.
#[derive(Debug, Clone, Copy)]
pub struct Mlp1;
impl Weights<DenseParams<4, 8>> for Mlp1 {
    fn weights() -> &'static DenseParams<4, 8> {
        &mlp_relu::PARAMS.0
    }
}

/// The second layer of the MLP, in flash.
#[derive(Debug, Clone, Copy)]
pub struct Mlp2;
impl Weights<DenseParams<8, 6>> for Mlp2 {
    fn weights() -> &'static DenseParams<8, 6> {
        &mlp_relu::PARAMS.1.0
    }
}

/// The network of [`conv`] with a head of two dense layers, for batches of B.
pub type ConvHead<const B: usize> = Fixed<
    chain![
        Frozen<Conv1d<20, 3, 10, 6, 5, 2, 2, Relu>, Conv1>,
        MaxPool1d<10, 6, 5, 2>,
        Frozen<Conv1d<5, 6, 3, 4, 3, 1, 0, Tanh>, Conv2>,
        Dense<12, 8, Relu>,
        Dense<8, 3>
    ],
    B,
>;

/// The network of [`mlp_relu`] with a head of one dense layer, for batches of B.
pub type MlpHead<const B: usize> =
    Fixed<chain![Frozen<Dense<4, 8, Relu>, Mlp1>, Frozen<Dense<8, 6, Sigmoid>, Mlp2>, Dense<6, 3>], B>;

/// The head of the convolution.
pub type ConvParams = <Mlp<ConvHead<BATCH>> as Objective>::Params;

/// All memory, zero at the beginning.
pub struct Memory {
    conv: trainer::Memory<Mlp<ConvHead<BATCH>>, AutoLean>,
    mlp: trainer::Memory<Mlp<MlpHead<BATCH>>, AutoLean>,
    /// Copies of the rows, those of one network at a time.
    inputs: [f32; COPIES * ROWS * WIDEST],
}

impl Memory {
    /// Memory for a `static`.
    #[must_use]
    pub const fn new() -> Self {
        Self { conv: trainer::Memory::new(), mlp: trainer::Memory::new(), inputs: [0.0; COPIES * ROWS * WIDEST] }
    }
}

impl Default for Memory {
    fn default() -> Self {
        Self::new()
    }
}

/// What a network returns for a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outputs {
    /// 0 for the convolution, 1 for the MLP.
    pub network: u8,
    /// The row's number.
    pub row: u8,
    /// Whether the head was trained.
    pub tuned: bool,
    /// [`bits`] of the outputs.
    pub bits: [u32; CLASSES],
}

impl Outputs {
    /// What PyTorch returns for this row; `None` after training, and where there is no such row.
    #[must_use]
    pub fn of_pytorch(&self) -> Option<[f32; CLASSES]> {
        let all = match self.network {
            0 => &rows::CONV_OUTPUTS,
            1 => &rows::MLP_OUTPUTS,
            _ => return None,
        };
        all.as_chunks().0.get(usize::from(self.row)).copied().filter(|_| !self.tuned)
    }

    /// Whether the largest output is that of the class that the head was to learn, by what PyTorch returns for the row.
    #[must_use]
    pub fn has_learned(&self) -> bool {
        let before = Self { tuned: false, ..*self }.of_pytorch();
        before.is_some_and(|before| largest(&self.bits.map(f32::from_bits)) == least(&before))
    }
}

/// The whole demonstration. Gives each round to `each` as it ends; `nudge` may change the head of the convolution before it is trained.
///
/// # Errors
/// If training cannot go on.
pub fn run(
    memory: &mut Memory,
    nudge: impl FnOnce(&mut ConvParams),
    each: impl FnMut(&RoundRecord),
) -> Result<(Outcome, [Outputs; SAID]), Error> {
    let Memory { conv, mlp, inputs } = memory;
    let mut course = Course { trace: Trace::EMPTY, rounds: 0, learned: 0, steps: 0, each };
    let conv_before = predicted(&mut conv::model()?, &rows::CONV_INPUTS)?;
    let mlp_before = predicted(&mut mlp_relu::model()?, &rows::MLP_INPUTS)?;

    conv.params_mut().1.1.1.copy_from(&conv::PARAMS.1.1.1);
    nudge(conv.params_mut());
    let net = Mlp::new(ConvHead::new(), Loss::CrossEntropy);
    let conv_loss = course.train(&net, conv, &rows::CONV_INPUTS, inputs, &conv_before)?;
    let one = Mlp::new(ConvHead::<1>::new(), Loss::CrossEntropy);
    let conv_after = predicted(&mut Model::new(one, conv.params(), AsIs), &rows::CONV_INPUTS)?;

    mlp.params_mut().1.1.copy_from(&mlp_relu::PARAMS.1.1);
    let net = Mlp::new(MlpHead::new(), Loss::CrossEntropy);
    let mlp_loss = course.train(&net, mlp, &rows::MLP_INPUTS, inputs, &mlp_before)?;
    let one = Mlp::new(MlpHead::<1>::new(), Loss::CrossEntropy);
    let mlp_after = predicted(&mut Model::new(one, mlp.params(), AsIs), &rows::MLP_INPUTS)?;

    let mut params = Trace::EMPTY;
    params.add_tensors(conv.params());
    params.add_tensors(mlp.params());
    let Course { rounds, learned, steps, .. } = course;
    let outcome = Outcome { loss: (conv_loss + mlp_loss) / 2.0, rounds, learned, steps, params: params.value() };
    Ok((outcome, said([[&conv_before, &mlp_before], [&conv_after, &mlp_after]])))
}

/// Outputs of all rows of a network.
type Found = [[f32; CLASSES]; ROWS];

/// What is said of outputs: of both networks, before and after.
fn said(found: [[&Found; NETWORKS]; 2]) -> [Outputs; SAID] {
    core::array::from_fn(|i| {
        let (tuned, network, row) = (i / (NETWORKS * ROWS), i / ROWS % NETWORKS, i % ROWS);
        let of_network = found.get(tuned).and_then(|both| both.get(network));
        let outputs = of_network.and_then(|all| all.get(row)).copied().unwrap_or([f32::NAN; CLASSES]);
        Outputs { network: network as u8, row: row as u8, tuned: tuned == 1, bits: outputs.map(bits) }
    })
}

/// The outputs of a model for all rows.
fn predicted<N: Network, P: Borrow<N::Params>, S: Inputs>(
    model: &mut Model<N, P, S>,
    rows: &[f32],
) -> Result<Found, Error> {
    let mut found = [[0.0; CLASSES]; ROWS];
    for (row, to) in rows.chunks_exact(rows.len() / ROWS).zip(&mut found) {
        to.iter_mut().zip(model.values(row)?).for_each(|(to, &output)| *to = output);
    }
    Ok(found)
}

/// What both trainings have come to so far.
struct Course<F> {
    trace: Trace,
    rounds: u32,
    learned: u32,
    steps: u32,
    each: F,
}

impl<F: FnMut(&RoundRecord)> Course<F> {
    /// Trains on copies of the rows, each labelled with the class of its lowest output before; returns the mean loss of the rows.
    fn train<O: for<'b> Objective<Batch<'b> = Batch<'b>>>(
        &mut self,
        head: &O,
        memory: &mut trainer::Memory<O, AutoLean>,
        rows: &[f32],
        copies: &mut [f32],
        before: &Found,
    ) -> Result<f32, Error> {
        let (width, wanted) = (rows.len() / ROWS, before.each_ref().map(least));
        let labels: [u8; COPIES * ROWS] = core::array::from_fn(|i| wanted.get(i % ROWS).copied().unwrap_or(0));
        let mut rng = Rng::stream(SEED, 1);
        let copies = copies.get_mut(..COPIES * rows.len()).unwrap_or(&mut []);
        copies.iter_mut().zip(rows.iter().cycle()).for_each(|(copy, x)| *copy = x + NOISE * rng.normal());
        let (mut pick, mut used) = ([0; BATCH], [0; (COPIES * ROWS).div_ceil(32)]);
        let mut source = Sampler::new(copies, width, &labels, SEED, &mut pick, &mut used)?;
        let guard = guard();
        let mut trainer = Trainer::new(head, &guard, memory);
        while trainer.progress().steps < STEPS {
            let verdict = trainer.round(&mut source)?;
            (self.each)(&RoundRecord::new(self.rounds + trainer.progress().rounds, &verdict, &mut self.trace));
        }
        let Progress { rounds: more, learned, steps, .. } = *trainer.progress();
        (self.rounds, self.learned, self.steps) =
            (self.rounds + more, self.learned + learned, self.steps + steps as u32);
        trainer.loss(Batch::classes(rows, width, &wanted))
    }
}

/// The class of the largest output, the first of several.
fn largest(outputs: &[f32; CLASSES]) -> u8 {
    (0..).zip(outputs).fold((0, f32::NEG_INFINITY), |most, (c, &x)| if x > most.1 { (c, x) } else { most }).0
}

/// The class of the least output, the first of several.
fn least(outputs: &[f32; CLASSES]) -> u8 {
    (0..).zip(outputs).fold((0, f32::INFINITY), |least, (c, &x)| if x < least.1 { (c, x) } else { least }).0
}

/// Flips the lowest bit of one number of the convolution's head, the bias of its last output.
pub fn flip_bit(params: &mut ConvParams) {
    let [.., bias] = &mut params.1.1.1.1.bias;
    *bias = f32::from_bits(bias.to_bits() ^ 1);
}

#[cfg(test)]
mod tests {
    use std::boxed::Box;
    use std::vec::Vec;

    use super::*;

    fn done(nudge: fn(&mut ConvParams)) -> (Vec<RoundRecord>, Outcome, [Outputs; SAID]) {
        let mut rounds = Vec::new();
        let ran = run(&mut Box::<Memory>::default(), nudge, |round| rounds.push(*round));
        let (outcome, outputs) = ran.expect("a run");
        (rounds, outcome, outputs)
    }

    #[test]
    fn outputs_are_pytorchs_before_and_the_wanted_classes_after() {
        let (rounds, outcome, outputs) = done(|_| {});
        let (before, after) = outputs.split_at(SAID / 2);
        for said in before {
            let expected = said.of_pytorch().expect("a row of PyTorch's");
            for (found, expected) in said.bits.map(f32::from_bits).into_iter().zip(expected) {
                assert!((found - expected).abs() <= 1e-5, "{said:?}: {found}, and PyTorch has {expected}");
            }
            assert!(!said.has_learned(), "{said:?}");
        }
        assert!(after.iter().all(|said| said.tuned && said.has_learned()), "{after:?}");
        assert!(outcome.loss < 0.2, "{}", outcome.loss);
        assert!(rounds.iter().any(|round| round.learned() == Some(true)));
        assert_eq!(rounds.len(), outcome.rounds as usize);
    }

    #[test]
    fn a_run_repeats_itself_and_a_flipped_bit_shows() {
        assert_eq!(done(|_| {}), done(|_| {}));
        assert_ne!(done(|_| {}).1.params, done(flip_bit).1.params);
    }
}
