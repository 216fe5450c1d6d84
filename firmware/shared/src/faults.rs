//! Everything that can go wrong with a learned optimizer, one fault after the other, on the device.
//!
//! A network of 2-16-2 learns 16 points of two spirals, all of them in every step, so that losses and gradients are
//! exact and the fallback is gradient descent. So it can be checked after every round that the model is no worse than the
//! fallback's candidate of that round, whatever was proposed; and in the end its loss stands beside that of a run of the
//! fallback alone. (With minibatches the second is not promised: a step that is bad on all points, and that the guard
//! refuses for a better one, may be good in the long run.)

use lgl2o::batch::Batch;
use lgl2o::fault::{Adversary, Flipping, bits, flip_bit, flip_weight};
use lgl2o::guard::{Decision, LossGuard, Unguarded};
use lgl2o::learned::{Learned as _, LearnedNgn};
use lgl2o::objective::mlp::{Loss, Mlp};
use lgl2o::rule::Sgd;
use lgl2o::source::Source;
use lgl2o::{Error, Guard, Memory, Objective, Rng, Trainer, learned};
use serde::{Deserialize, Serialize};

use crate::record::Trace;
use crate::spirals::{self, BATCH, Demo as _, Small};

type Net = Mlp<Small>;
/// The guard of a rule that may be up to anything.
type Guarded<L> = LossGuard<L, Sgd>;
/// The built-in learned optimizer in RAM, where its bits can flip.
type InRam = LearnedNgn;

/// Rounds of each fault.
const ROUNDS: u32 = 200;
const RATE: f32 = 0.5;
const WEIGHTS: usize = InRam::WEIGHTS;
const SEED: u64 = 1;

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing: the fallback alone.
    Fallback,
    /// The rule itself.
    Rule(Adversary),
    /// A bit of the learned optimizer's weights flips every fifth round, and stays so.
    Weights,
    /// A bit of its accumulators flips in every round.
    State,
    /// A bit of its candidate flips in every round, before it is judged.
    Candidate,
}

impl Fault {
    /// How many there are.
    pub const COUNT: usize = Adversary::ALL.len() + 4;

    /// Fault number `i`: first none, then the adversaries, then flipping bits.
    #[must_use]
    pub fn number(i: usize) -> Option<Self> {
        let adversaries = Adversary::ALL.len();
        match i.checked_sub(1) {
            None => Some(Self::Fallback),
            Some(i) if i < adversaries => Adversary::ALL.get(i).map(|&rule| Self::Rule(rule)),
            Some(i) => [Self::Weights, Self::State, Self::Candidate].get(i - adversaries).copied(),
        }
    }

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fallback => "none: the fallback alone",
            Self::Rule(rule) => rule.name(),
            Self::Weights => "bit flips in the weights",
            Self::State => "bit flips in the state",
            Self::Candidate => "bit flips in the candidate",
        }
    }
}

/// What a fault has come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaultRecord {
    /// Its number.
    pub number: u8,
    /// Bits of the loss in the end.
    pub loss: u32,
    /// Rounds that the learned side has won.
    pub learned: u32,
    /// Rounds after which the model was worse than the fallback's candidate of that round.
    pub worse: u32,
    /// Hash of the final parameters.
    pub params: u64,
}

/// All training memory, for one fault at a time.
#[derive(Default)]
pub struct FaultMemory {
    alone: Memory<Net, Unguarded<Sgd>>,
    rule: Memory<Net, Guarded<Adversary>>,
    flips: Memory<Net, Guarded<Flipping<InRam>>>,
}

impl FaultMemory {
    /// All zero.
    #[must_use]
    pub const fn new() -> Self {
        Self { alone: Memory::new(), rule: Memory::new(), flips: Memory::new() }
    }
}

fn guard<L>(rule: L) -> Guarded<L> {
    LossGuard::paper(rule, Sgd::new(RATE)).batches(1, 1).decision(Decision::FullObjective)
}

/// Runs fault number `number`; `None` where there is no such.
///
/// # Errors
/// What [`Trainer::round`] says, which no fault should make it say.
pub fn run(number: u8, memory: &mut FaultMemory) -> Result<Option<FaultRecord>, Error> {
    let mut course = Course { points: Points::new(), worse: 0 };
    let record = match Fault::number(usize::from(number)) {
        None => return Ok(None),
        Some(Fault::Fallback) => {
            memory.alone = Memory::new();
            course.run(&mut memory.alone, &Unguarded::new(Sgd::new(RATE)))
        }
        Some(Fault::Rule(rule)) => {
            memory.rule = Memory::new();
            course.run(&mut memory.rule, &guard(rule))
        }
        Some(fault) => {
            memory.flips = Memory::new();
            course.flips(&mut memory.flips, fault)
        }
    };
    record.map(|record| Some(FaultRecord { number, ..record }))
}

/// One run, round by round.
struct Course {
    points: Points,
    /// Rounds after which the model was worse than the fallback's candidate.
    worse: u32,
}

impl Course {
    fn run<G: Guard>(&mut self, memory: &mut Memory<Net, G>, guard: &G) -> Result<FaultRecord, Error> {
        let net = begin(memory);
        for _ in 0..ROUNDS {
            self.round(&mut Trainer::new(&net, guard, memory))?;
        }
        self.end(&mut Trainer::new(&net, guard, memory))
    }

    /// A run of the built-in learned optimizer, in which bits flip.
    fn flips(
        &mut self,
        memory: &mut Memory<Net, Guarded<Flipping<InRam>>>,
        fault: Fault,
    ) -> Result<FaultRecord, Error> {
        let net = begin(memory);
        let (mut rng, mut room) = (Rng::stream(SEED, 9), [0.0; WEIGHTS]);
        let count = u32::from(fault == Fault::Candidate);
        let mut rule = Flipping { rule: learned::ngn().clone(), count, seed: SEED };
        for round in 0..ROUNDS {
            if fault == Fault::Weights && round.is_multiple_of(5) {
                let bit = rng.below(32 * WEIGHTS as u32) as usize;
                // A flip that makes an infinity or a NaN is found out by whoever loads the weights.
                if let Ok(flipped) = flip_weight(&rule.rule, &mut room, bit) {
                    rule.rule = flipped;
                }
            }
            if fault == Fault::State {
                let state = memory.guard_mut().learned_state_mut();
                flip_bit(state, rng.below(bits(state) as u32) as usize);
            }
            self.round(&mut Trainer::new(&net, &guard(rule.clone()), memory))?;
        }
        self.end(&mut Trainer::new(&net, &guard(rule), memory))
    }

    /// A round, and whether it kept its promise.
    fn round<G: Guard>(&mut self, trainer: &mut Trainer<'_, Net, G>) -> Result<(), Error> {
        let bound = trainer.round(&mut self.points)?.fallback_loss;
        // A rule that runs alone is held against nothing.
        let loss = trainer.loss(self.points.all())?;
        self.worse += u32::from(bound.is_some_and(|bound| bound.is_nan() || loss > bound || loss.is_nan()));
        Ok(())
    }

    fn end<G: Guard>(&self, trainer: &mut Trainer<'_, Net, G>) -> Result<FaultRecord, Error> {
        let loss = trainer.loss(self.points.all())?.to_bits();
        let (learned, params) = (trainer.progress().learned, Trace::of_tensors(trainer.params()));
        Ok(FaultRecord { number: 0, loss, learned, worse: self.worse, params })
    }
}

/// The network, and its initial parameters in the memory, all of which is zero.
fn begin<G: Guard>(memory: &mut Memory<Net, G>) -> Net {
    let net = Mlp::new(Small::new(), Loss::CrossEntropy);
    net.initialize(memory.params_mut(), &mut Rng::stream(SEED, 0));
    net
}

/// The points.
struct Points {
    inputs: [f32; 2 * BATCH],
    labels: [u8; BATCH],
}

impl Points {
    fn new() -> Self {
        let mut points = Self { inputs: [0.0; 2 * BATCH], labels: [0; BATCH] };
        spirals::fill(&mut Rng::stream(SEED, 1), Small::TURNS, &mut points.inputs, &mut points.labels);
        points
    }

    fn all(&self) -> Batch<'_> {
        Batch::classes(&self.inputs, 2, &self.labels)
    }
}

impl<O: for<'a> Objective<Batch<'a> = Batch<'a>>> Source<O> for Points {
    fn train(&mut self) -> Result<Batch<'_>, Error> {
        Ok(self.all())
    }
    fn check(&mut self) -> Result<Batch<'_>, Error> {
        Ok(self.all())
    }
    fn objective(&mut self, i: usize) -> Result<Option<Batch<'_>>, Error> {
        Ok((i == 0).then(|| self.all()))
    }
}

#[cfg(test)]
mod tests {
    use std::boxed::Box;
    use std::vec::Vec;

    use super::*;

    #[test]
    fn no_fault_leaves_the_model_worse_than_the_fallback() {
        let mut memory = Box::<FaultMemory>::default();
        let records: Vec<FaultRecord> =
            (0..Fault::COUNT as u8).map(|i| run(i, &mut memory).expect("a run").expect("a fault")).collect();
        let alone = f32::from_bits(records[0].loss);
        for record in &records {
            let (fault, loss) = (Fault::number(record.number.into()).expect("a fault"), f32::from_bits(record.loss));
            std::println!("{:<28} {loss:.6} {:>4} {:016x}", fault.name(), record.learned, record.params);
        }
        for record in &records {
            let (fault, loss) = (Fault::number(record.number.into()).expect("a fault"), f32::from_bits(record.loss));
            assert_eq!(record.worse, 0, "{fault:?}");
            assert!(loss <= alone, "{fault:?}: {loss} after {alone} of the fallback alone");
        }
        assert_eq!(run(Fault::COUNT as u8, &mut memory), Ok(None));
    }
}
