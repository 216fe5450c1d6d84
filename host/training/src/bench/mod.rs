//! Step times on this machine: five networks, some optimizers, run after run in turn, on one thread.
//!
//! | name | optimizee | data |
//! |---|---|---|
//! | S1 | 2-32-32-2 tanh | the built-in spirals |
//! | S2 | 784-20-10 sigmoid | noisy prototypes of ten classes, a third of the labels wrong |
//! | S3 | 784-128-10 ReLU | the same |
//! | S4 | 2-32-32-2 tanh, batches of 32 | the spirals |
//! | S5 | 40-16-16-10 ReLU, batches of 32 | prototypes of 40 inputs |
//!
//! or S2 and S3 on MNIST: what a guard costs hangs on who wins, and only there does the learned side win. S4 and S5 are of
//! the size of the tasks of surveys and meta-training, where a step is more than its gradient.
//!
//! with batches of 128 where the table names no other, drawn as in any run. A figure is a run's time on the processor, in
//! which other programs do not count, over its steps; so what a guard spends on races and checks is in it. The optimizers
//! take turns, so that a disturbance meets all of them, and the median over the rounds leaves it out.

mod kept;

use std::path::Path;
use std::time::Duration;

use lgl2o::checkpoint::{Fingerprint, Persist};
use lgl2o::guard::Guard;
use lgl2o::objective::Blank as _;
use lgl2o::objective::mlp::Activation;
use lgl2o::rule::{NoProbe, Rule as _};
use lgl2o::source::Sampler;
use lgl2o::{Memory, Rng, Trainer, Winner};
use serde::Serialize;

use crate::data::{DataError, DataSets, Dataset, load_mnist, spirals_sets};
use crate::experiment::Halfway;
use crate::experiment::halfway::checkpoint;
use crate::network::HeapTensors;
use crate::optimizer::{GuardVisitor, Method, Optimizer};
use crate::task::{BATCH, Task};

pub use kept::Kept;

use self::kept::{Half, Ran, key, of};

/// A network that is timed.
#[derive(Debug)]
pub struct Workload {
    /// Its name.
    pub name: &'static str,
    hidden: &'static [usize],
    activation: Activation,
    /// What it learns.
    source: Source,
    batch: usize,
}

/// What a network learns.
#[derive(Debug, Clone, Copy)]
enum Source {
    /// The built-in spirals.
    Spirals,
    /// Images, or prototypes of their size.
    Images,
    /// Prototypes of so many inputs.
    Prototypes(usize),
}

/// All of them.
pub static WORKLOADS: [Workload; 5] = [
    Workload::new("S1", &[32, 32], Activation::Tanh, Source::Spirals, BATCH),
    Workload::new("S2", &[20], Activation::Sigmoid, Source::Images, BATCH),
    Workload::new("S3", &[128], Activation::Relu, Source::Images, BATCH),
    Workload::new("S4", &[32, 32], Activation::Tanh, Source::Spirals, SMALL_BATCH),
    Workload::new("S5", &[16, 16], Activation::Relu, Source::Prototypes(40), SMALL_BATCH),
];

/// Examples in a batch of the small networks.
const SMALL_BATCH: usize = 32;
/// Inputs of an image.
pub const IMAGE: usize = 784;

impl Workload {
    const fn new(
        name: &'static str,
        hidden: &'static [usize],
        activation: Activation,
        source: Source,
        batch: usize,
    ) -> Self {
        Self { name, hidden, activation, source, batch }
    }

    /// Whether it learns images, MNIST's where there are some.
    #[must_use]
    pub const fn has_images(&self) -> bool {
        matches!(self.source, Source::Images)
    }
}

/// Median and extremes over the rounds, in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Time {
    /// The middle one.
    pub median: f64,
    /// The shortest.
    pub least: f64,
    /// The longest.
    pub greatest: f64,
}

impl Time {
    /// Of some times, at least one.
    fn of(mut times: Vec<f64>) -> Self {
        times.sort_by(f64::total_cmp);
        Self { median: times[times.len() / 2], least: times[0], greatest: times[times.len() - 1] }
    }
}

/// One figure.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Measurement {
    /// The name of one of [`WORKLOADS`].
    pub workload: &'static str,
    /// The network in words.
    pub model: String,
    /// Numbers that are trained.
    pub parameters: usize,
    /// The optimizer's name.
    pub optimizer: String,
    /// A training step, all included.
    pub step: Time,
    /// The update alone, where a rule runs alone.
    pub update: Option<Time>,
    /// Share of the steps that are the learned side's.
    pub learned_steps_share: f64,
}

/// A network and its data; with a data directory the images of MNIST in it, in place of prototypes.
///
/// # Errors
/// Whatever is wrong with the directory.
pub fn task(workload: &Workload, directory: Option<&Path>) -> Result<Task, DataError> {
    let Workload { name, hidden, activation, source, batch } = *workload;
    let sets = match source {
        Source::Spirals => spirals_sets(),
        Source::Images => directory.map_or_else(|| prototypes(IMAGE), load_mnist)?,
        Source::Prototypes(width) => prototypes(width)?,
    };
    Ok(Task::new(name, sets, hidden, activation, batch))
}

/// Ten classes of so many inputs in \[0, 1\]: a prototype each, and noise. A third of the labels are wrong, so that no run comes
/// to errors so small that the processor has to take its time over them. There are so few examples that they stay in
/// its caches, as the one batch does with which other frameworks are timed.
///
/// # Errors
/// Those of [`Dataset::new`]; none for a width of 1 or more.
pub fn prototypes(width: usize) -> Result<DataSets, DataError> {
    let (classes, mut rng) = (10, Rng::new(3));
    let centers: Vec<f32> = (0..width * classes).map(|_| rng.range(0.0, 1.0)).collect();
    let mut set = |n: usize| {
        let mut labels: Vec<u8> = (0..n).map(|i| (i % classes) as u8).collect();
        let row = |label: &u8| &centers[usize::from(*label) * width..][..width];
        let inputs = labels.iter().flat_map(row).map(|x| 0.3 * x + rng.range(0.0, 0.7)).collect();
        labels.iter_mut().step_by(3).for_each(|label| *label = rng.below(classes as u32) as u8);
        Dataset::new(inputs, labels, width, classes, None)
    };
    Ok(DataSets { name: "prototypes".to_owned(), train: set(256)?, test: set(128)? })
}

/// Times a run of each optimizer on a network, so many rounds in turn; tells each run to `advance`.
///
/// # Errors
/// Settings out of range.
pub fn measure(
    workload: &'static str,
    task: &Task,
    optimizers: &[Optimizer],
    [rounds, steps]: [u32; 2],
    kept: &Kept,
    advance: &dyn Fn(),
) -> anyhow::Result<Vec<Measurement>> {
    let mut runs: Vec<Vec<Ran>> = vec![Vec::new(); optimizers.len()];
    for round in 0..rounds.max(1) {
        for (optimizer, runs) in optimizers.iter().zip(&mut runs) {
            let (key, of) =
                (key(workload, task, optimizer, [round, steps])?, of(workload, task, optimizer, [round, steps]));
            runs.push(kept.run((&key, &of), |halfway| {
                let mut ran = optimizer.method.visit(Timer { task, steps, halfway })??;
                if let Method::Alone { rule, .. } = &optimizer.method {
                    ran.update = Some(update(task, rule, steps));
                }
                Ok::<_, lgl2o::Error>(ran)
            })?);
            advance();
        }
    }
    let parameters = task.optimizee().parameters();
    let figure = |(optimizer, runs): (&Optimizer, Vec<Ran>)| Measurement {
        workload,
        model: task.model.clone(),
        parameters,
        optimizer: optimizer.name.clone(),
        step: Time::of(runs.iter().map(|ran| ran.step).collect()),
        update: runs.iter().map(|ran| ran.update).collect::<Option<Vec<f64>>>().map(Time::of),
        learned_steps_share: runs.first().map_or(0.0, |ran| ran.learned),
    };
    Ok(optimizers.iter().zip(runs).map(figure).collect())
}

/// This process's time by the clock, where that on the processor is not to be had.
#[cfg(not(unix))]
fn now() -> Duration {
    static BEGUN: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
    BEGUN.get_or_init(std::time::Instant::now).elapsed()
}

/// This process's time on the processor so far.
#[cfg(unix)]
fn now() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::try_from(time).unwrap_or_default()
}

/// Microseconds since then.
fn since(start: Duration) -> f64 {
    now().saturating_sub(start).as_secs_f64() * 1e6
}

/// Rounds between two looks at whether a run is to be kept: a look takes time too.
const ROUNDS: u32 = 32;

/// Times a run.
struct Timer<'a> {
    task: &'a Task,
    steps: u32,
    /// Where it is kept on its way; what that takes is no part of its time.
    halfway: &'a Halfway,
}

impl GuardVisitor for Timer<'_> {
    type Output = Result<Ran, lgl2o::Error>;

    fn visit<G: Guard + Fingerprint>(self, guard: &G) -> Self::Output
    where
        G::Memory<HeapTensors>: Persist,
    {
        let (optimizee, train) = (self.task.optimizee(), self.task.train());
        let (mut pick, mut used) = (vec![0; self.task.batch], vec![0; train.len().div_ceil(32)]);
        let mut source = Sampler::new(train.inputs(), train.width(), train.labels(), 1, &mut pick, &mut used)?;
        let mut memory = Memory::blank(&optimizee, guard);
        optimizee.initialize(memory.params_mut(), &mut Rng::new(1));
        let mut trainer = Trainer::new(&optimizee, guard, &mut memory);
        let found = self.halfway.found::<Half>();
        let found = found.filter(|(_, checkpoint)| trainer.load(&mut source, &mut &**checkpoint).is_ok());
        let Half { mut time, mut learned } = found.map_or(Half::default(), |(half, _)| half);
        let mut start = now();
        while trainer.progress().steps < u64::from(self.steps) {
            if trainer.progress().rounds % ROUNDS == ROUNDS - 1 && self.halfway.is_due() {
                time += since(start);
                self.halfway.keep(&Half { time, learned }, &checkpoint(&trainer, &source));
                start = now();
            }
            let verdict = trainer.round(&mut source)?;
            learned += if verdict.winner == Winner::Learned { u64::from(verdict.steps) } else { 0 };
        }
        let (time, steps) = (time + since(start), trainer.progress().steps as f64);
        Ok(Ran { step: time / steps, update: None, learned: learned as f64 / steps })
    }
}

/// Times a rule's updates from one gradient.
fn update(task: &Task, rule: &crate::optimizer::AnyRule, steps: u32) -> f64 {
    let optimizee = task.optimizee();
    let (mut params, mut gradient) = (optimizee.blank_params(), optimizee.blank_params());
    optimizee.initialize(&mut params, &mut Rng::new(1));
    let mut rng = Rng::new(2);
    gradient.as_mut_slice().iter_mut().for_each(|g| *g = 1e-3 * rng.normal());
    let mut state = rule.state(&params);
    let start = now();
    (0..steps).for_each(|_| rule.step(&mut state, &mut params, &gradient, 1.0, &mut NoProbe));
    std::hint::black_box(&params);
    since(start) / f64::from(steps)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optimizer::tuned::TunedOn;
    use crate::optimizer::{Tuned, parse_list};

    #[test]
    fn every_optimizer_has_its_figures() {
        let task = task(&WORKLOADS[0], None).expect("built in");
        let list = parse_list("sgd:1,lgl2o(avg-lean,sgd:1)", &Tuned::built_in(TunedOn::Spirals)).expect("a list");
        let figures = measure("S1", &task, &list, [3, 30], &Kept::nowhere(), &|| {}).expect("measured");
        assert_eq!(figures.len(), 2);
        for figure in &figures {
            let Time { median, least, greatest } = figure.step;
            assert!(0.0 < least && least <= median && median <= greatest);
        }
        assert!(figures[0].update.is_some() && figures[1].update.is_none());
        assert_eq!((figures[0].parameters, figures[0].learned_steps_share), (1_218, 0.0));
    }
}
