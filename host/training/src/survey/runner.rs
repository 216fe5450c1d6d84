//! Runs the survey's units of work: in parallel, spread over ranks, each kept on disk as soon as it is done.
//!
//! A unit is one optimizer, or all settings of the oracle, on one task with one seed.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use anyhow::{Context, Result};
use indicatif::{ProgressBar, ProgressStyle};
use serde::{Deserialize, Serialize};

use super::oracle::{self, Tried};
use super::run::{Trail, run};
use super::task::SurveyTask;
use crate::experiment::{Apart, Halfway};
use crate::optimizer::Optimizer;
use crate::ranks::Ranks;
use crate::say;
use crate::store::{Of, Store};

/// The format of what is kept; another one is not found.
const FORMAT: u32 = 2;

/// What stands for all settings of the oracle in the place of an optimizer.
const ORACLE: &str = "oracle";

/// What is done in a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Work {
    /// Every setting of the oracle.
    Oracle,
    /// The optimizer with this place in the list.
    Run(usize),
}

/// A unit of work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unit {
    /// The place of the task.
    pub task: usize,
    /// The seed of initial parameters and minibatches.
    pub seed: u64,
    /// What is done.
    pub work: Work,
}

/// The result of a unit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Done {
    /// All settings of the oracle.
    Oracle(Vec<Tried>),
    /// One run.
    Run(Trail),
}

/// Runs units.
#[derive(Debug)]
pub struct Runner<'a> {
    /// The processes to spread them over.
    pub ranks: &'a Ranks,
    /// What they are run with.
    pub setup: Setup<'a>,
}

/// What a unit is run with; every thread sees it.
#[derive(Debug)]
pub struct Setup<'a> {
    /// Where units are kept; the first rank's.
    pub store: Store,
    /// The tasks.
    pub tasks: &'a [SurveyTask],
    /// The optimizers.
    pub optimizers: &'a [Optimizer],
    /// The scored steps, rising.
    pub steps: &'a [u64],
}

impl Runner<'_> {
    /// Runs units; returns their results in their order, and how many of them were found done.
    ///
    /// # Errors
    /// An optimizer that cannot run on a task, or a unit that cannot be kept.
    pub fn run(&self, units: &[Unit]) -> Result<(Vec<Done>, usize)> {
        let keys = units.iter().map(|unit| self.setup.key(unit)).collect::<Result<Vec<_>>>()?;
        let mut all: Vec<Option<Done>> =
            self.ranks.lead(|| Ok(units.iter().zip(&keys).map(|(unit, key)| self.setup.kept(unit, key)).collect()))?;
        let missing: Vec<usize> = (0..units.len()).filter(|&i| all[i].is_none()).collect();
        let found = units.len() - missing.len();
        let progress =
            Progress::new(missing.iter().map(|&i| self.setup.weight(&units[i])).sum(), self.ranks.is_first())?;
        let done = if self.ranks.count() == 1 {
            self.alone(&missing, units, &keys, &progress)?
        } else {
            self.spread(&missing, units, &keys, &progress)?
        };
        for (i, done) in missing.iter().zip(done) {
            all[*i] = Some(done);
        }
        progress.end();
        Ok((all.into_iter().flatten().collect(), found))
    }

    /// Runs some units, and keeps each as soon as it is done.
    fn alone(&self, some: &[usize], units: &[Unit], keys: &[String], progress: &Progress) -> Result<Vec<Done>> {
        let setup = &self.setup;
        self.ranks.try_map(some, |&i| {
            let halfway = Halfway::of(&setup.store, &keys[i]);
            let done = setup.unit(&units[i], &halfway)?;
            setup.store.put_of(&keys[i], &setup.of(&units[i]), &done)?;
            halfway.finish();
            progress.advance(setup.weight(&units[i]));
            Ok(done)
        })
    }

    /// Runs some units on several ranks; the first one keeps each some seconds after it is done.
    fn spread(&self, some: &[usize], units: &[Unit], keys: &[String], progress: &Progress) -> Result<Vec<Done>> {
        let setup = &self.setup;
        let asked: Vec<&str> = some.iter().map(|&i| keys[i].as_str()).collect();
        let apart = Apart::new(self.ranks, &setup.store, &asked)?;
        let work = |&i: &usize| {
            let done = setup.unit(&units[i], &apart.halfway(&keys[i]))?;
            apart.ended(&keys[i]);
            Ok(done)
        };
        let told = |place: usize, done: &Done| {
            let i = some[place];
            setup.store.put_of(&keys[i], &setup.of(&units[i]), done)?;
            Halfway::of(&setup.store, &keys[i]).finish();
            progress.advance(setup.weight(&units[i]));
            Ok(())
        };
        self.ranks.try_map_told(some, work, told, apart.mail())
    }
}

impl Setup<'_> {
    /// A unit that is kept, if it is this one in everything, of the right kind, and has as many scored steps as are asked for.
    fn kept(&self, unit: &Unit, key: &str) -> Option<Done> {
        self.store.get_of(key, &self.of(unit), |done| match (unit.work, done) {
            (Work::Oracle, Done::Oracle(tried)) => tried.iter().all(|one| one.at.len() == self.steps.len()),
            (Work::Run(_), Done::Run(trail)) => trail.by_step.len() == self.steps.len(),
            (Work::Oracle, Done::Run(_)) | (Work::Run(_), Done::Oracle(_)) => false,
        })
    }

    fn unit(&self, unit: &Unit, halfway: &Halfway) -> Result<Done> {
        let task = &self.tasks[unit.task];
        let on = |what: &str| format!("{what} on {}", task.name());
        match unit.work {
            Work::Oracle => {
                let tried = oracle::run(task, unit.seed, self.steps, halfway).with_context(|| on("the oracle"))?;
                Ok(Done::Oracle(tried))
            }
            Work::Run(place) => {
                let Optimizer { name, method } = &self.optimizers[place];
                Ok(Done::Run(run(task, method, unit.seed, self.steps, halfway).with_context(|| on(name))?))
            }
        }
    }

    /// What a unit's file says of itself.
    fn of(&self, unit: &Unit) -> Of {
        let SurveyTask { material, network, batch, .. } = &self.tasks[unit.task];
        let optimizer = match unit.work {
            Work::Oracle => ORACLE,
            Work::Run(place) => &self.optimizers[place].name,
        };
        Of {
            optimizer: optimizer.to_owned(),
            seed: unit.seed,
            steps: self.steps.to_vec(),
            network: format!("{:?}, batch {batch}", network.layers()),
            data: material.digest.clone(),
        }
    }

    /// A line that says everything a unit's result depends on, the program's sources by their digest.
    fn key(&self, unit: &Unit) -> Result<String> {
        let (version, sources) = (env!("CARGO_PKG_VERSION"), crate::SOURCES);
        let what = match unit.work {
            Work::Oracle => ORACLE.to_owned(),
            Work::Run(place) => {
                let Optimizer { name, method } = &self.optimizers[place];
                format!("{name} {:08x}", method.fingerprint()?)
            }
        };
        let (task, seed, steps) = (self.tasks[unit.task].identity(), unit.seed, self.steps);
        Ok(format!("lgl2o {version} {sources} | survey {FORMAT} | {task} | seed {seed} | {steps:?} | {what}"))
    }

    /// About how much work a unit is.
    fn weight(&self, unit: &Unit) -> u64 {
        let steps = match unit.work {
            Work::Oracle => oracle::work(self.steps),
            Work::Run(_) => self.steps.last().copied().unwrap_or(0),
        };
        steps * self.tasks[unit.task].weight()
    }
}

/// How far the work is: a bar, or, where there is no terminal to draw it on, a line now and then.
struct Progress {
    bar: ProgressBar,
    begun: Instant,
    speaks: bool,
    /// When a line was last written, in seconds since the beginning.
    spoken: AtomicU64,
}

/// Seconds between two lines that say how far the work is.
const EVERY: u64 = 10;

impl Progress {
    fn new(all: u64, first: bool) -> Result<Self> {
        let style = ProgressStyle::with_template("surveying {bar:30} {percent:>3} % {elapsed} left {eta}")?;
        let bar = if first { ProgressBar::new(all.max(1)) } else { ProgressBar::hidden() };
        let bar = bar.with_style(style.progress_chars("=> "));
        let speaks = first && bar.is_hidden() && all > 0;
        Ok(Self { bar, begun: Instant::now(), speaks, spoken: AtomicU64::new(0) })
    }

    fn advance(&self, work: u64) {
        self.bar.inc(work);
        let (now, last) = (self.begun.elapsed().as_secs(), self.spoken.load(Ordering::Relaxed));
        let due = self.speaks && now >= last + EVERY;
        if due && self.spoken.compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
            let (done, all) = (self.bar.position().max(1) as f64, self.bar.length().unwrap_or(1) as f64);
            let left = now as f64 * (all / done - 1.0).max(0.0);
            say::note(format_args!("surveying: {:>3.0} %, about {left:.0} s left", 100.0 * done / all));
        }
    }

    fn end(&self) {
        self.bar.finish_and_clear();
    }
}
