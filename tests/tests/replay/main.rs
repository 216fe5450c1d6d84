//! Data that grows: examples that come one by one.
//!
//! - `kept`: which examples are kept.
//! - `draws`: batches of them, disjoint and uniform.
//! - `held`: examples that are only checked on.
//! - `restart`: runs that go on after a restart, with other data, too.

mod draws;
mod held;
mod kept;
mod restart;

use lgl2o::Error;
use lgl2o::batch::{Batch, Targets};
use lgl2o::checkpoint::{Origin, Persist, Sink};
use lgl2o::objective::Logistic;
use lgl2o::objective::mlp::{Dense, Fixed, Mlp, Tanh};
use lgl2o::replay::{Answers, Classes, Keep, Replay, Reservoir, Ring};
use lgl2o::source::Source;
use lgl2o::{Rng, chain};

/// An objective of the right kind; it is never evaluated.
type Any = Logistic<1, 1>;

/// All that a ring or reservoir is in: rows of one number, the example's own.
struct Room {
    inputs: Vec<f32>,
    labels: Vec<u8>,
    seen: Vec<u32>,
    pick: Vec<u32>,
    used: Vec<u32>,
}

const CLASSES: usize = 7;

impl Room {
    fn new(capacity: usize, size: usize) -> Self {
        Self {
            inputs: vec![f32::NAN; capacity],
            labels: vec![255; capacity],
            seen: vec![9; CLASSES],
            pick: vec![77; size],
            used: vec![u32::MAX; capacity.div_ceil(32)],
        }
    }

    fn ring(&mut self, seed: u64) -> Ring<'_, Classes<'_>> {
        let labels = Classes::new(&mut self.labels, CLASSES);
        Ring::new(&mut self.inputs, 1, labels, seed, &mut self.pick, &mut self.used).unwrap()
    }

    fn reservoir(&mut self, seed: u64) -> Reservoir<'_, Classes<'_>> {
        let labels = Classes::new(&mut self.labels, CLASSES);
        Reservoir::new(&mut self.inputs, 1, labels, &mut self.seen, seed, &mut self.pick, &mut self.used).unwrap()
    }
}

/// The label of example number `i` where nothing else is said.
const fn label(i: usize) -> u8 {
    (i % CLASSES) as u8
}

fn push<K: Keep>(replay: &mut Replay<'_, Classes<'_>, K>, i: usize) -> bool {
    replay.push(&[i as f32], label(i)).unwrap()
}

/// The numbers and labels of a batch's examples.
fn examples(batch: &Batch<'_>) -> Vec<(usize, u8)> {
    let Targets::Classes(labels) = batch.targets else { panic!("labels") };
    (0..batch.examples()).map(|s| (batch.inputs.row(s)[0] as usize, labels.get(s).unwrap())).collect()
}

/// The numbers alone, after a look at the labels.
fn numbers(batch: &Batch<'_>) -> Vec<usize> {
    let all = examples(batch);
    assert!(all.iter().all(|&(i, l)| l == label(i)), "inputs and labels belong together");
    all.into_iter().map(|(i, _)| i).collect()
}

fn train<T: Answers, K: Keep>(replay: &mut Replay<'_, T, K>) -> Vec<usize> {
    numbers(&Source::<Any>::train(replay).unwrap())
}

fn check<T: Answers, K: Keep>(replay: &mut Replay<'_, T, K>) -> Result<Vec<usize>, Error> {
    Source::<Any>::check(replay).map(|batch| numbers(&batch))
}

/// All examples that there are, in the parts of the full objective.
fn stored<K: Keep>(replay: &mut Replay<'_, Classes<'_>, K>) -> Vec<(usize, u8)> {
    let mut all = Vec::new();
    for i in 0.. {
        match Source::<Any>::objective(replay, i).unwrap() {
            Some(batch) => all.extend(examples(&batch)),
            None => break,
        }
    }
    assert_eq!(all.len(), replay.len());
    assert!(Source::<Any>::objective(replay, usize::MAX).unwrap().is_none());
    all
}

#[derive(Default)]
struct Bytes(Vec<u8>);

impl Sink for Bytes {
    type Error = core::convert::Infallible;
    fn put(&mut self, bytes: &[u8]) -> Result<(), Self::Error> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }
}

fn saved(state: &impl Persist) -> Vec<u8> {
    let mut bytes = Bytes::default();
    let Ok(()) = state.save(&mut bytes);
    bytes.0
}

/// Bytes, one after the other.
struct From<'a>(&'a [u8]);

impl Origin for From<'_> {
    type Error = ();
    fn take(&mut self, bytes: &mut [u8]) -> Result<(), ()> {
        let (first, rest) = self.0.split_at_checked(bytes.len()).ok_or(())?;
        bytes.copy_from_slice(first);
        self.0 = rest;
        Ok(())
    }
}

fn load(state: &mut impl Persist, bytes: &[u8]) {
    let mut origin = From(bytes);
    state.load(&mut origin).unwrap();
    assert!(origin.0.is_empty());
}

type Net = Mlp<Fixed<chain![Dense<2, 6, Tanh>, Dense<6, 2>], 8>>;

/// The plane's points, inside and outside of the unit circle.
fn point(i: usize) -> ([f32; 2], u8) {
    let mut rng = Rng::new(i as u64);
    let point = [rng.range(-1.25, 1.25), rng.range(-1.25, 1.25)];
    (point, u8::from(point[0] * point[0] + point[1] * point[1] < 1.0))
}
