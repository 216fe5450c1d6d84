//! `sensor`: gestures from an accelerometer, by a head that is personalised in the field.
//!
//! The device leaves the factory with a head that knows the gestures of a few people. Then somebody wears it who is none
//! of them: turned to the side, slower, more gently. A few labelled windows are enough to learn how: training begins anew
//! from the factory's head, and the guard keeps what is better on windows that the round has not trained on.
//!
//! | module | does |
//! |---|---|
//! | [`window`] | sensor to features, generic over `embedded-hal`'s I2C |
//! | [`replay`] | a synthetic recording behind that trait |
//!
//! A product has [`Windows`] on its own bus, and takes labels from its user.

pub mod replay;
pub mod window;

use embedded_hal::i2c::I2c;
use lgl2o::batch::{Batch, Rows};
use lgl2o::objective::mlp::{Dense, Fixed, Loss, Mlp, Tanh};
use lgl2o::source::Sampler;
use lgl2o::tensors::{Tensors as _, Zeroed};
use lgl2o::trainer::{self, Progress, Trainer};
use lgl2o::{AutoLean, Error, Objective, Rng, chain};

use crate::record::{Outcome, RoundRecord, Trace, guard};
use replay::{GESTURES, Person};
use window::{FEATURES, SensorError, Windows};

/// The network in words.
pub const NAME: &str = "9-12-4 tanh";
/// Labelled windows that are held at a time.
pub const HELD: usize = 48;
/// Windows in a batch.
pub const BATCH: usize = 8;
/// Windows that a head is tested on, none of which it has trained on.
pub const TESTED: u32 = 80;

/// The head: one hidden layer.
pub type Head = Mlp<Fixed<chain![Dense<FEATURES, 12, Tanh>, Dense<12, 4>], BATCH>>;
/// The head's parameters.
pub type Params = <Head as Objective>::Params;

/// The people that the factory knows.
const FACTORY: [Person; 3] = [
    Person { strength: 1.0, tempo: 1.0, angle: 0.0 },
    Person { strength: 1.2, tempo: 1.1, angle: 0.2 },
    Person { strength: 0.8, tempo: 0.9, angle: -0.2 },
];
/// The one who bought it.
const OWNER: Person = Person { strength: 0.6, tempo: 0.7, angle: 1.3 };
/// Training steps at the factory and in the field, at least.
const STEPS: [u64; 2] = [200, 200];
/// Labelled windows in the field.
const LABELLED: usize = 24;
/// Seed of the initial parameters, and of the recording.
pub const SEED: u64 = 1;

/// All memory, zero at the beginning.
pub struct Memory {
    training: trainer::Memory<Head, AutoLean>,
    scratch: <Head as Objective>::Scratch,
    features: [f32; HELD * FEATURES],
    labels: [u8; HELD],
}

impl Memory {
    /// Memory for a `static`.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            training: trainer::Memory::new(),
            scratch: Zeroed::ZERO,
            features: [0.0; HELD * FEATURES],
            labels: [0; HELD],
        }
    }
}

impl Default for Memory {
    fn default() -> Self {
        Self::new()
    }
}

/// What can go wrong: with the sensor, or with training.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// The sensor.
    Sensor(SensorError),
    /// Training.
    Training(Error),
}

impl core::fmt::Display for Trouble {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Sensor(error) => error.fmt(f),
            Self::Training(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for Trouble {}

impl From<SensorError> for Trouble {
    fn from(error: SensorError) -> Self {
        Self::Sensor(error)
    }
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        Self::Training(error)
    }
}

/// What a head is worth to its owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recognised {
    /// Windows of [`TESTED`] that were recognised as the device came from the factory.
    pub before: u32,
    /// After it was personalised.
    pub after: u32,
}

/// The whole demonstration, by the [`script`]: factory, a test by the owner, personalisation, the test again. Gives each
/// round to `each` as it ends; `nudge` may change the initial parameters.
///
/// # Errors
/// If the sensor is gone, or training cannot go on.
pub fn run(
    memory: &mut Memory,
    windows: &mut Windows<impl I2c>,
    nudge: impl FnOnce(&mut Params),
    mut each: impl FnMut(&RoundRecord),
) -> Result<(Outcome, Recognised), Trouble> {
    let head = Head::new(Fixed::new(), Loss::CrossEntropy);
    head.initialize(memory.training.params_mut(), &mut Rng::stream(SEED, 0));
    nudge(memory.training.params_mut());
    let mut course = Course { trace: Trace::EMPTY, rounds: 0, learned: 0, steps: 0 };
    collect(windows, memory, 0, HELD)?;
    course.train(&head, memory, HELD, STEPS[0], &mut each)?;
    let field = HELD as u32;
    let (before, _) = test(&head, memory, windows, field)?;
    collect(windows, memory, field + TESTED, LABELLED)?;
    begin_anew(memory);
    course.train(&head, memory, LABELLED, STEPS[1], &mut each)?;
    let (after, loss) = test(&head, memory, windows, field + TESTED + LABELLED as u32)?;
    let params = Trace::of_tensors(memory.training.params());
    let Course { rounds, learned, steps, .. } = course;
    Ok((Outcome { loss, rounds, learned, steps, params }, Recognised { before, after }))
}

/// Who performs which gesture in a window: the people of the factory, the owner for a test, the owner with labels, and the
/// owner for the second test. Gestures take turns.
#[must_use]
pub fn script(window: u32) -> (Person, u8) {
    let gestures = GESTURES.len() as u32;
    let person = FACTORY.get((window / gestures) as usize % FACTORY.len()).copied();
    let person = if (window as usize) < HELD { person.unwrap_or(OWNER) } else { OWNER };
    (person, (window % gestures) as u8)
}

/// Fills the memory with so many windows and their labels, the first of them window number `first` of the script.
fn collect(windows: &mut Windows<impl I2c>, memory: &mut Memory, first: u32, count: usize) -> Result<(), SensorError> {
    let places = memory.features.chunks_exact_mut(FEATURES).zip(&mut memory.labels).zip(first..);
    for ((place, label), number) in places.take(count) {
        let features = windows.features()?;
        place.iter_mut().zip(features).for_each(|(place, feature)| *place = feature);
        *label = script(number).1;
    }
    Ok(())
}

/// Makes all training memory that of the beginning, but for the parameters: other windows are another task, of which the
/// guard has judged nothing yet.
#[inline(never)]
fn begin_anew(memory: &mut Memory) {
    let head = memory.training.params().clone();
    memory.training = trainer::Memory::new();
    memory.training.params_mut().copy_from(&head);
}

/// What both trainings have come to so far.
struct Course {
    trace: Trace,
    rounds: u32,
    learned: u32,
    steps: u32,
}

impl Course {
    /// Trains on the first `count` windows in memory.
    fn train(
        &mut self,
        head: &Head,
        memory: &mut Memory,
        count: usize,
        steps: u64,
        each: &mut impl FnMut(&RoundRecord),
    ) -> Result<(), Error> {
        let guard = guard();
        let (mut pick, mut used) = ([0; BATCH], [0; HELD.div_ceil(32)]);
        let features = memory.features.get(..count * FEATURES).unwrap_or(&[]);
        let labels = memory.labels.get(..count).unwrap_or(&[]);
        let seed = SEED + count as u64;
        let mut source = Sampler::new(features, FEATURES, labels, seed, &mut pick, &mut used)?;
        let mut trainer = Trainer::new(head, &guard, &mut memory.training);
        while trainer.progress().steps < steps {
            let verdict = trainer.round(&mut source)?;
            each(&RoundRecord::new(self.rounds + trainer.progress().rounds, &verdict, &mut self.trace));
        }
        let Progress { rounds, learned, steps, .. } = *trainer.progress();
        (self.rounds, self.learned, self.steps) =
            (self.rounds + rounds, self.learned + learned, self.steps + steps as u32);
        Ok(())
    }
}

/// Recognises as many windows as are tested, the first of them number `first` of the script. Gives how many are right, and
/// the mean loss.
fn test(head: &Head, memory: &mut Memory, windows: &mut Windows<impl I2c>, first: u32) -> Result<(u32, f32), Trouble> {
    let guard = guard();
    let Memory { training, scratch, .. } = memory;
    let (mut right, mut loss) = (0, 0.0);
    for number in first..first + TESTED {
        let (features, label) = (windows.features()?, script(number).1);
        let outputs = head.outputs(scratch, training.params(), Rows::all(&features, FEATURES))?;
        right += u32::from(greatest(outputs) == usize::from(label));
        let labels = [label];
        loss += Trainer::new(head, &guard, training).loss(Batch::classes(&features, FEATURES, &labels))?;
    }
    Ok((right, loss / TESTED as f32))
}

/// The place of the greatest output.
fn greatest(outputs: &[f32]) -> usize {
    let (mut best, mut most) = (0, f32::NEG_INFINITY);
    for (i, &x) in outputs.iter().enumerate() {
        if x > most {
            (best, most) = (i, x);
        }
    }
    best
}

/// Flips the lowest bit of one weight, that of gravity, which is there in every window.
pub fn flip_bit(params: &mut Params) {
    if let Some(weight) = params.tensor_mut(0).get_mut(6) {
        *weight = f32::from_bits(weight.to_bits() ^ 1);
    }
}

#[cfg(test)]
mod tests {
    use std::boxed::Box;
    use std::vec::Vec;

    use super::replay::Replay;
    use super::*;

    fn done(nudge: fn(&mut Params)) -> (Vec<RoundRecord>, Outcome, Recognised) {
        let mut rounds = Vec::new();
        let mut windows = Windows::new(Replay::new(script, SEED)).expect("a sensor");
        let ran = run(&mut Box::<Memory>::default(), &mut windows, nudge, |round| rounds.push(*round));
        let (outcome, recognised) = ran.expect("a run");
        (rounds, outcome, recognised)
    }

    #[test]
    fn the_owner_is_recognised_after_personalisation_and_not_before() {
        let (rounds, outcome, Recognised { before, after }) = done(|_| {});
        assert!(before < TESTED * 6 / 10, "{before} of {TESTED}");
        assert!(after > TESTED * 9 / 10, "{after} of {TESTED}");
        let judged = rounds.iter().filter(|round| round.learned().is_some()).count();
        assert!(judged > 4 && outcome.learned > 0, "{judged} windows, {} of the learned side", outcome.learned);
    }

    #[test]
    fn a_run_repeats_itself_and_a_flipped_bit_shows() {
        let (rounds, outcome, recognised) = done(|_| {});
        assert_eq!((rounds.clone(), outcome, recognised), done(|_| {}));
        assert_ne!(outcome.params, done(flip_bit).1.params);
    }
}
