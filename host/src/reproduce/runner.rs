//! Runs the plan: task by task, first the grid search, then every run that any experiment asks for on that task.

use anyhow::{Context, Result};
use indicatif::{ProgressBar, ProgressStyle};
use std::collections::BTreeMap;

use super::experiment::Planned;
use super::finding::{Finding, TunedRule};
use super::grid::{self, Grid};
use super::loaded::{DataCache, LoadedTask};
use super::steps;
use super::tasks::{Part, Scale, Source, TaskPlan};
use super::unit::{Split, Unit};
use crate::experiment::compare::results;
use crate::experiment::{Apart, Halfway};
use crate::optimizer::parse;
use crate::ranks::Ranks;
use crate::record::Run;
use crate::say;
use crate::store::Store;

/// Runs the experiments of a plan; what all runs share.
#[derive(Debug)]
pub struct Runner<'a> {
    ranks: &'a Ranks,
    cache: DataCache,
    scale: Scale,
    store: Store,
    bar: ProgressBar,
    /// Units done, and units found finished.
    counts: [usize; 2],
}

/// One task of an experiment, with the experiment's number.
#[derive(Debug, Clone, Copy)]
struct NumberedPart<'a> {
    experiment: usize,
    part: &'a Part,
}

impl<'a> Runner<'a> {
    /// A runner that takes data from a cache, spreads units over ranks, and keeps finished ones in a store, which
    /// is the first rank's.
    ///
    /// # Errors
    /// None, unless the progress bar's template is wrong.
    pub fn new(ranks: &'a Ranks, cache: DataCache, store: Store, scale: Scale) -> Result<Self> {
        let style = ProgressStyle::with_template("reproducing {bar:30} {percent:>3} % {elapsed} left {eta}  {msg}")?;
        let bar = if ranks.is_first() { ProgressBar::new(1) } else { ProgressBar::hidden() };
        let bar = bar.with_style(style.progress_chars("=> "));
        Ok(Self { ranks, cache, scale, store, bar, counts: [0, 0] })
    }

    /// How many units were done, and how many were found finished.
    #[must_use]
    pub fn counts(&self) -> [usize; 2] {
        self.counts
    }

    /// Runs everything; findings stand in the order of the experiments and their parts.
    ///
    /// # Errors
    /// What is wrong with the data or with an expression of the plan, or a unit that cannot be stored.
    pub fn run<'p>(&mut self, experiments: &'p [Planned]) -> Result<Vec<Finding>> {
        let parts = || {
            let numbered = |p: &'p Planned| p.parts.iter().map(|part| NumberedPart { experiment: p.number, part });
            experiments.iter().flat_map(numbered)
        };
        let mut tasks: Vec<&TaskPlan> = Vec::new();
        for NumberedPart { part, .. } in parts() {
            if !tasks.iter().any(|task| task.key == part.task.key) {
                tasks.push(&part.task);
            }
        }
        let mut findings = Vec::new();
        for (i, task) in tasks.iter().enumerate() {
            let later = tasks[i + 1..].iter().map(|later| self.estimate(later, parts())).sum();
            let own: Vec<NumberedPart<'_>> = parts().filter(|p| p.part.task.key == task.key).collect();
            findings.extend(self.task(task, &own, later)?);
        }
        self.bar.finish_and_clear();
        let place = |f: &Finding| parts().position(|p| p.experiment == f.experiment && p.part.task.key == f.task);
        findings.sort_by_key(place);
        Ok(findings)
    }

    /// One task: `later` is the work of the tasks after it.
    fn task(&mut self, task: &TaskPlan, parts: &[NumberedPart<'_>], later: u64) -> Result<Vec<Finding>> {
        let loaded = self.ranks.agree(LoadedTask::load(task, &mut self.cache, self.scale.quick).map_err(Into::into))?;
        let finals = self.estimate(task, parts.iter().copied()) - work(task, &grid::trials(task));
        let grid = Grid::new(&self.units(&loaded, task, &grid::trials(task), finals + later)?);
        let runs_of: Vec<PartRuns> = parts.iter().map(|p| PartRuns::new(p.part, &grid)).collect::<Result<_>>()?;
        let mut units: Vec<Unit> = runs_of.iter().flat_map(|runs| runs.units(self.scale.seeds)).collect();
        units.sort_unstable();
        units.dedup();
        let runs = self.units(&loaded, task, &units, later)?;
        let runs: BTreeMap<&Unit, &Run> = units.iter().zip(&runs).collect();
        let finding = |(part, own): (&NumberedPart<'_>, PartRuns)| own.finding(*part, &loaded, self.scale.seeds, &runs);
        Ok(parts.iter().zip(runs_of).map(finding).collect())
    }

    /// A run that is kept, if it is this unit's in everything.
    fn kept(&self, loaded: &LoadedTask, unit: &Unit, key: &str) -> Option<Run> {
        let of = loaded.of(unit);
        self.store.get_of(key, &of, |run: &Run| run.is_of(&of.optimizer, of.seed, unit.steps))
    }

    /// The runs of some units, from the store where they are there; `after` is the work that follows.
    fn units(&mut self, loaded: &LoadedTask, task: &TaskPlan, units: &[Unit], after: u64) -> Result<Vec<Run>> {
        let keys: Vec<String> = units.iter().map(|unit| unit.key(&loaded.identity)).collect();
        let mut runs: Vec<Option<Run>> = self
            .ranks
            .lead(|| Ok(units.iter().zip(&keys).map(|(unit, key)| self.kept(loaded, unit, key)).collect()))?;
        let missing: Vec<usize> = (0..units.len()).filter(|&i| runs[i].is_none()).collect();
        let todo: Vec<Unit> = missing.iter().map(|&i| units[i].clone()).collect();
        self.bar.set_length(self.bar.position() + work(task, &todo) + after);
        let what = if units.iter().any(|u| u.split == Split::Selection) { "searching rates" } else { "final runs" };
        self.say(&format!(
            "{}: {what}, {} runs, {} of them done before",
            task.key,
            units.len(),
            units.len() - todo.len()
        ));
        let done = self.do_all(loaded, task, &todo, &missing.iter().map(|&i| keys[i].as_str()).collect::<Vec<_>>())?;
        self.counts[0] += todo.len();
        self.counts[1] += units.len() - todo.len();
        for (i, run) in missing.into_iter().zip(done) {
            runs[i] = Some(run);
        }
        Ok(runs.into_iter().flatten().collect())
    }

    /// Says what comes next: beside the bar, or, where there is no terminal to draw it on, in a line for the log.
    fn say(&self, what: &str) {
        self.bar.set_message(what.to_owned());
        if self.ranks.is_first() && self.bar.is_hidden() {
            let share = 100 * self.bar.position() / self.bar.length().unwrap_or(0).max(1);
            say::note(format_args!("{share:>3} %  {what}"));
        }
    }

    /// Runs units and stores them under their keys: one rank stores each as soon as it is done, the first of several some seconds
    /// after that.
    fn do_all(&self, loaded: &LoadedTask, task: &TaskPlan, units: &[Unit], keys: &[&str]) -> Result<Vec<Run>> {
        let (bar, store, weight) = (&self.bar, &self.store, weight(task));
        let jobs: Vec<(&Unit, &str)> = units.iter().zip(keys.iter().copied()).collect();
        if self.ranks.count() == 1 {
            return self.ranks.try_map(&jobs, |(unit, key)| {
                let halfway = Halfway::of(store, key);
                let run = unit.work(loaded.task(unit.split), &halfway, &|steps| bar.inc(steps * weight))?;
                store.put_of(key, &loaded.of(unit), &run)?;
                halfway.finish();
                Ok(run)
            });
        }
        let apart = Apart::new(self.ranks, store, keys)?;
        let work = |(unit, key): &(&Unit, &str)| {
            let run = unit.work(loaded.task(unit.split), &apart.halfway(key), &|_| {})?;
            apart.ended(key);
            Ok(run)
        };
        let told = |place: usize, run: &Run| {
            let (unit, key) = jobs[place];
            store.put_of(key, &loaded.of(unit), run)?;
            Halfway::of(store, key).finish();
            bar.inc(unit.steps * weight);
            Ok(())
        };
        self.ranks.try_map_told(&jobs, work, told, apart.mail())
    }

    /// About how much work a task is, as far as one knows before its grid search.
    fn estimate<'p>(&self, task: &TaskPlan, parts: impl Iterator<Item = NumberedPart<'p>>) -> u64 {
        let own = parts.map(|p| p.part).filter(|part| part.task.key == task.key);
        let runs: u64 = own.map(|part| part.steps * (part.optimizers.len() + task.rules.len()) as u64).sum();
        work(task, &grid::trials(task)) + runs * self.scale.seeds * weight(task)
    }
}

/// The work of some units, in the units of the progress bar.
fn work(task: &TaskPlan, units: &[Unit]) -> u64 {
    units.iter().map(|unit| unit.steps * weight(task)).sum()
}

/// How much a step counts on a task: about proportional to its time, with MNIST's images wherever the sizes of the data
/// are not known yet.
fn weight(task: &TaskPlan) -> u64 {
    let inputs = if task.source == Source::Spirals { 2 } else { 784 };
    let widths: Vec<usize> = std::iter::once(inputs).chain(task.hidden.iter().copied()).chain([10]).collect();
    let weights: usize = widths.windows(2).map(|pair| pair[0] * pair[1]).sum();
    1 + weights as u64 / 1000
}

/// The runs of one task of an experiment, with every rate written out.
struct PartRuns {
    /// The plan's expressions with their names.
    names: Vec<(String, String)>,
    baselines: Vec<TunedRule>,
    /// All names with their number of steps, in the order of the results.
    runs: Vec<(String, u64)>,
}

impl PartRuns {
    fn new(part: &Part, grid: &Grid) -> Result<Self> {
        let tuned = grid.tuned(part.steps);
        let name = |expression: &String| {
            let optimizer = parse(expression, &tuned).with_context(|| format!("in the plan for {}", part.task.key))?;
            Ok((expression.clone(), optimizer.name))
        };
        let names: Vec<(String, String)> = part.optimizers.iter().map(name).collect::<Result<_>>()?;
        let baselines = if part.baselines { baselines(part, grid) } else { Vec::new() };
        let mut runs: Vec<(String, u64)> = Vec::new();
        let tuned = baselines.iter().map(|rule| (&rule.name, rule.step));
        for (name, steps) in tuned.chain(names.iter().map(|(_, name)| (name, part.steps))) {
            match runs.iter_mut().find(|(other, _)| other == name) {
                Some((_, most)) => *most = steps.max(*most),
                None => runs.push((name.clone(), steps)),
            }
        }
        Ok(Self { names, baselines, runs })
    }

    fn units(&self, seeds: u64) -> Vec<Unit> {
        let unit = |(name, steps): &(String, u64), seed| Unit {
            split: Split::Test,
            expression: name.clone(),
            seed,
            steps: *steps,
        };
        self.runs.iter().flat_map(|run| (1..=seeds).map(move |seed| unit(run, seed))).collect()
    }

    fn finding(
        self,
        numbered: NumberedPart<'_>,
        loaded: &LoadedTask,
        seeds: u64,
        done: &BTreeMap<&Unit, &Run>,
    ) -> Finding {
        let units = self.units(seeds);
        let runs: Vec<Run> = units.iter().filter_map(|unit| done.get(unit).map(|run| (*run).clone())).collect();
        let results = results(loaded.task(Split::Test), runs);
        let Self { names, baselines, .. } = self;
        let NumberedPart { experiment, part } = numbered;
        let (task, steps) = (part.task.key.clone(), part.steps);
        Finding { experiment, task, steps, results, baselines, names }
    }
}

/// For each rule that was searched and each checkpoint, the best rate.
fn baselines(part: &Part, grid: &Grid) -> Vec<TunedRule> {
    let pairs =
        part.task.rules.iter().flat_map(|rule| steps::checkpoints(part.steps).into_iter().map(move |s| (rule, s)));
    let tuned = |(rule, step): (&&str, u64)| {
        let name = format!("{rule}:{}", grid.best(rule, step)?);
        Some(TunedRule { rule: (*rule).to_owned(), step, name })
    };
    pairs.filter_map(tuned).collect()
}
