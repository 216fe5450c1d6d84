//! Runs the plan: task by task, first the grid search, then every run that any experiment asks for on that task.

use anyhow::{Context, Result};
use indicatif::{ProgressBar, ProgressStyle};
use std::collections::BTreeMap;

use super::bench::{Bench, Shelf};
use super::finding::{Choice, Finding};
use super::grid::{self, Grid};
use super::plan::{self, Experiment, Part, Scale, TaskPlan};
use super::unit::{Split, Unit};
use crate::experiment::compare::summarise;
use crate::optimizer::parse;
use crate::ranks::Ranks;
use crate::record::{Results, Run, VERSION};
use crate::say;
use crate::store::Store;

/// Units that each of several ranks does before they share the results and the first one stores them: few enough that
/// a killed run loses little, and many enough that ranks wait little for each other.
const UNITS_BETWEEN_SHARING: usize = 16;

/// What all runs share.
#[derive(Debug)]
pub struct Lab<'a> {
    ranks: &'a Ranks,
    shelf: Shelf,
    scale: Scale,
    store: Store,
    bar: ProgressBar,
    /// Units done, and units found finished.
    counts: [usize; 2],
}

/// An experiment's number with one of its parts.
type Asked<'a> = (u8, &'a Part);

impl<'a> Lab<'a> {
    /// A laboratory that takes data from a shelf, spreads units over ranks, and keeps finished ones in a store, which
    /// is the first rank's.
    ///
    /// # Errors
    /// None, unless the progress bar's template is wrong.
    pub fn new(ranks: &'a Ranks, shelf: Shelf, store: Store, scale: Scale) -> Result<Self> {
        let style = ProgressStyle::with_template("reproducing {bar:30} {percent:>3} % {elapsed} left {eta}  {msg}")?;
        let bar = if ranks.is_first() { ProgressBar::new(1) } else { ProgressBar::hidden() };
        let bar = bar.with_style(style.progress_chars("=> "));
        Ok(Self { ranks, shelf, scale, store, bar, counts: [0, 0] })
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
    pub fn run(&mut self, experiments: &[Experiment]) -> Result<Vec<Finding>> {
        let parts = || experiments.iter().flat_map(|e| e.parts.iter().map(move |part| (e.number, part)));
        let mut tasks: Vec<&TaskPlan> = Vec::new();
        for (_, part) in parts() {
            if !tasks.iter().any(|task| task.key == part.task.key) {
                tasks.push(&part.task);
            }
        }
        let mut findings = Vec::new();
        for (i, task) in tasks.iter().enumerate() {
            let later = tasks[i + 1..].iter().map(|later| self.estimate(later, parts())).sum();
            let asked: Vec<Asked<'_>> = parts().filter(|(_, part)| part.task.key == task.key).collect();
            findings.extend(self.task(task, &asked, later)?);
        }
        self.bar.finish_and_clear();
        let place =
            |finding: &Finding| parts().position(|(n, p)| n == finding.experiment && p.task.key == finding.task);
        findings.sort_by_key(place);
        Ok(findings)
    }

    /// One task: `later` is the work of the tasks after it.
    fn task(&mut self, task: &TaskPlan, asked: &[Asked<'_>], later: u64) -> Result<Vec<Finding>> {
        let bench = self.ranks.agree(Bench::load(task, &mut self.shelf, self.scale.quick).map_err(Into::into))?;
        let finals = self.estimate(task, asked.iter().copied()) - work(task, &grid::trials(task));
        let grid = Grid::new(&self.units(&bench, task, &grid::trials(task), finals + later)?);
        let wanted: Vec<Wanted> = asked.iter().map(|(_, part)| Wanted::new(part, &grid)).collect::<Result<_>>()?;
        let mut units: Vec<Unit> = wanted.iter().flat_map(|wanted| wanted.units(self.scale.seeds)).collect();
        units.sort_unstable();
        units.dedup();
        let runs = self.units(&bench, task, &units, later)?;
        let runs: BTreeMap<&Unit, &Run> = units.iter().zip(&runs).collect();
        let finding = |(asked, wanted): (&Asked<'_>, Wanted)| wanted.finding(asked, &bench, self.scale.seeds, &runs);
        Ok(asked.iter().zip(wanted).map(finding).collect())
    }

    /// The runs of some units, from the store where they are there; `after` is the work that follows.
    fn units(&mut self, bench: &Bench, task: &TaskPlan, units: &[Unit], after: u64) -> Result<Vec<Run>> {
        let keys: Vec<String> = units.iter().map(|unit| unit.key(&bench.identity)).collect();
        let mut runs: Vec<Option<Run>> =
            self.ranks.lead(|| Ok(keys.iter().map(|key| self.store.get(key)).collect()))?;
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
        let done = self.do_all(bench, task, &todo, &missing.iter().map(|&i| keys[i].as_str()).collect::<Vec<_>>())?;
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

    /// Does units and stores them under their keys: one rank stores each as soon as it is done, several share theirs
    /// every so often.
    fn do_all(&self, bench: &Bench, task: &TaskPlan, units: &[Unit], keys: &[&str]) -> Result<Vec<Run>> {
        let (bar, store, weight) = (&self.bar, &self.store, weight(task));
        let alone = self.ranks.count() == 1;
        let size = if alone { units.len().max(1) } else { UNITS_BETWEEN_SHARING * self.ranks.count() };
        let jobs: Vec<(&Unit, &str)> = units.iter().zip(keys.iter().copied()).collect();
        let mut done = Vec::new();
        for chunk in jobs.chunks(size) {
            let before = bar.position();
            let runs = self.ranks.try_map(chunk, |(unit, key)| {
                let run = unit.work(bench.task(unit.split), &|steps| bar.inc(steps * weight))?;
                if alone {
                    store.put(key, &run)?;
                }
                Ok(run)
            })?;
            if !alone {
                self.ranks.lead(|| chunk.iter().zip(&runs).try_for_each(|((_, key), run)| store.put(key, run)))?;
                bar.set_position(before + chunk.iter().map(|(unit, _)| unit.steps * weight).sum::<u64>());
            }
            done.extend(runs);
        }
        Ok(done)
    }

    /// About how much work a task is, as far as one knows before its grid search.
    fn estimate<'p>(&self, task: &TaskPlan, parts: impl Iterator<Item = Asked<'p>>) -> u64 {
        let own = parts.filter(|(_, part)| part.task.key == task.key);
        let runs: u64 = own.map(|(_, part)| part.steps * (part.optimizers.len() + task.rules.len()) as u64).sum();
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
    let inputs = if task.source == plan::Source::Spirals { 2 } else { 784 };
    let widths: Vec<usize> = std::iter::once(inputs).chain(task.hidden.iter().copied()).chain([10]).collect();
    let weights: usize = widths.windows(2).map(|pair| pair[0] * pair[1]).sum();
    1 + weights as u64 / 1000
}

/// What an experiment wants of a task, with every rate written out.
struct Wanted {
    /// The plan's expressions with their names.
    names: Vec<(String, String)>,
    choices: Vec<Choice>,
    /// All names with their number of steps, in the order of the results.
    runs: Vec<(String, u64)>,
}

impl Wanted {
    fn new(part: &Part, grid: &Grid) -> Result<Self> {
        let tuned = grid.tuned(part.steps);
        let name = |expression: &String| {
            let optimizer = parse(expression, &tuned).with_context(|| format!("in the plan for {}", part.task.key))?;
            Ok((expression.clone(), optimizer.name))
        };
        let names: Vec<(String, String)> = part.optimizers.iter().map(name).collect::<Result<_>>()?;
        let choices = if part.baselines { choices(part, grid) } else { Vec::new() };
        let mut runs: Vec<(String, u64)> = Vec::new();
        let baselines = choices.iter().map(|choice| (&choice.name, choice.step));
        for (name, steps) in baselines.chain(names.iter().map(|(_, name)| (name, part.steps))) {
            match runs.iter_mut().find(|(other, _)| other == name) {
                Some((_, most)) => *most = steps.max(*most),
                None => runs.push((name.clone(), steps)),
            }
        }
        Ok(Self { names, choices, runs })
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

    fn finding(self, asked: &Asked<'_>, bench: &Bench, seeds: u64, done: &BTreeMap<&Unit, &Run>) -> Finding {
        let units = self.units(seeds);
        let runs: Vec<Run> = units.iter().filter_map(|unit| done.get(unit).map(|run| (*run).clone())).collect();
        let task = bench.task(Split::Test);
        let results = Results {
            version: VERSION,
            task: task.name.clone(),
            model: task.model.clone(),
            parameters: task.optimizee().parameters(),
            batch: task.batch,
            summary: summarise(&runs),
            runs,
        };
        let Self { names, choices, .. } = self;
        let (experiment, part) = asked;
        let (task, steps) = (part.task.key.clone(), part.steps);
        Finding { experiment: *experiment, task, steps, results, choices, names }
    }
}

/// For each rule that was searched and each checkpoint, the best rate.
fn choices(part: &Part, grid: &Grid) -> Vec<Choice> {
    let pairs =
        part.task.rules.iter().flat_map(|rule| plan::checkpoints(part.steps).into_iter().map(move |s| (rule, s)));
    let choice = |(rule, step): (&&str, u64)| {
        let name = format!("{rule}:{}", grid.best(rule, step)?);
        Some(Choice { rule: (*rule).to_owned(), step, name })
    };
    pairs.filter_map(choice).collect()
}
