//! From finished units to the record: means over seeds, the oracle of each task, factors, scores.

use std::collections::BTreeMap;

use super::bootstrap::geometric_mean;
use super::flat::Flat;
use super::oracle::{self, Tried};
use super::record::{Against, Best, By, Group, Loss, OnTask, OptimizerRecord, Scored, Survey, TaskRecord, VERSION};
use super::run::{Losses, Trail};
use super::runner::{Done, Unit, Work};
use super::score::{Score, factor, mean};
use super::task::SurveyTask;
use crate::optimizer::Optimizer;

/// What a survey runs.
#[derive(Debug, Clone)]
pub struct Request {
    /// The command line that produces its results.
    pub command: String,
    /// The optimizers that are scored, and behind them those of the flat line that are not among them.
    pub optimizers: Vec<Optimizer>,
    /// How many of them are scored.
    pub scored: usize,
    /// The flat line.
    pub flat: Option<Flat>,
    /// The scored steps, rising.
    pub steps: Vec<u64>,
    /// The seeds of each run.
    pub seeds: Vec<u64>,
    /// Losses below this count as this.
    pub floor: f64,
    /// The settings of which the best one is the oracle, some or all of [`oracle::names`].
    pub oracle: Vec<String>,
}

impl Request {
    /// Puts together what is run.
    #[must_use]
    pub fn new(optimizers: Vec<Optimizer>, flat: Option<Flat>) -> Self {
        let (scored, mut optimizers) = (optimizers.len(), optimizers);
        for optimizer in flat.iter().flat_map(|flat| flat.pairs.iter().flatten()) {
            if !optimizers.iter().any(|other| other.name == optimizer.name) {
                optimizers.push(optimizer.clone());
            }
        }
        let (command, oracle) = (String::new(), oracle::names());
        Self { command, optimizers, scored, flat, steps: Vec::new(), seeds: Vec::new(), floor: 0.0, oracle }
    }

    /// The units of work, task by task.
    #[must_use]
    pub fn units(&self, tasks: usize) -> Vec<Unit> {
        let mut units = Vec::new();
        for (task, (place, &seed)) in (0..tasks).flat_map(|task| self.seeds.iter().enumerate().map(move |s| (task, s)))
        {
            // The flat line has the first seed only.
            let count = if place == 0 { self.optimizers.len() } else { self.scored };
            let work = std::iter::once(Work::Oracle).chain((0..count).map(Work::Run));
            units.extend(work.map(|work| Unit { task, seed, work }));
        }
        units
    }

    /// The record of finished units.
    #[must_use]
    pub fn record(&self, tasks: &[SurveyTask], units: &[Unit], done: &[Done]) -> Survey {
        let results = Results { request: self, done: units.iter().zip(done).collect() };
        let records: Vec<TaskRecord> = tasks.iter().enumerate().map(|(i, task)| results.task(i, task)).collect();
        let optimizers = (0..self.scored).map(|place| results.optimizer(place, &records)).collect();
        let seed = self.seeds.first().copied().unwrap_or(0);
        let tried: Vec<&[Tried]> = (0..tasks.len()).filter_map(|task| results.tried(task).first().copied()).collect();
        let flat = self.flat.as_ref().map(|flat| {
            flat.record(&self.optimizers, tasks.len(), seed, self.floor, |unit| results.trail(unit), &tried)
        });
        Survey {
            version: VERSION,
            command: self.command.clone(),
            steps: self.steps.clone(),
            seeds: self.seeds.clone(),
            floor: self.floor,
            oracle: self.oracle.clone(),
            tasks: records,
            optimizers,
            flat,
        }
    }
}

/// Finished units, to be looked up.
struct Results<'a> {
    request: &'a Request,
    done: BTreeMap<&'a Unit, &'a Done>,
}

/// A run that was not asked for: nothing is known of it.
static NOTHING: Trail = Trail {
    start: Losses { train: None, held_out: None },
    by_step: Vec::new(),
    by_cost: Vec::new(),
    cost: 1.0,
    failure: None,
};

impl<'a> Results<'a> {
    fn trail(&self, unit: &Unit) -> &'a Trail {
        match self.done.get(unit) {
            Some(Done::Run(trail)) => trail,
            Some(Done::Oracle(_)) | None => &NOTHING,
        }
    }

    /// The runs of an optimizer on a task, one for each seed.
    fn trails(&self, task: usize, place: usize) -> Vec<&'a Trail> {
        self.request.seeds.iter().map(|&seed| self.trail(&Unit { task, seed, work: Work::Run(place) })).collect()
    }

    /// What the oracle tried on a task, one list for each seed.
    fn tried(&self, task: usize) -> Vec<&'a [Tried]> {
        let of = |&seed: &u64| match self.done.get(&Unit { task, seed, work: Work::Oracle }) {
            Some(Done::Oracle(tried)) => tried.as_slice(),
            Some(Done::Run(_)) | None => &[],
        };
        self.request.seeds.iter().map(of).collect()
    }

    fn task(&self, place: usize, task: &SurveyTask) -> TaskRecord {
        let tried = self.tried(place);
        let plain = |one: &Tried| one.plain && self.request.oracle.contains(&one.name);
        let count = self.request.steps.len();
        TaskRecord {
            name: task.name(),
            data: task.material.name.clone(),
            digest: task.material.digest.clone(),
            network: task.shape.name(),
            activation: task.shape.activation_name().to_owned(),
            inputs: task.material.inputs.name(),
            standardized: task.material.standardized,
            features: task.train().width(),
            classes: task.train().classes(),
            examples: [task.train().len(), task.test().len()],
            batch: task.batch,
            parameters: task.optimizee().parameters(),
            start: means(self.trails(place, 0).iter().map(|trail| trail.start)),
            oracle: (0..count).map(|step| best(&tried, step, plain)).collect(),
            strong: (0..count).map(|step| best(&tried, step, |_| true)).collect(),
        }
    }

    fn optimizer(&self, place: usize, tasks: &[TaskRecord]) -> OptimizerRecord {
        let trails: Vec<Vec<&Trail>> = (0..tasks.len()).map(|task| self.trails(task, place)).collect();
        let all = || trails.iter().flatten();
        let on: Vec<OnTask> = trails.iter().zip(tasks).map(|(trails, task)| self.on_task(trails, task)).collect();
        let mut messages: Vec<[String; 2]> = Vec::new();
        for (trails, task) in trails.iter().zip(tasks) {
            for message in trails.iter().filter_map(|trail| trail.failure.as_ref()) {
                if !messages.iter().any(|[_, other]| other == message) {
                    messages.push([task.name.clone(), message.clone()]);
                }
            }
        }
        OptimizerRecord {
            name: self.request.optimizers[place].name.clone(),
            cost: all().map(|trail| trail.cost).sum::<f64>() / all().count().max(1) as f64,
            failed: all().filter(|trail| trail.has_failed()).count(),
            runs: all().count(),
            messages,
            scores: self.scores(&on, tasks),
            groups: groups(&on, tasks, self.request.steps.len() / 2),
            tasks: on,
        }
    }

    fn on_task(&self, trails: &[&Trail], task: &TaskRecord) -> OnTask {
        let count = self.request.steps.len();
        let at = |of: fn(&Trail) -> &Vec<Losses>| -> Vec<Losses> {
            let one = |i: usize| means(trails.iter().map(|trail| of(trail).get(i).copied().unwrap_or_default()));
            (0..count).map(one).collect()
        };
        let by_step = at(|trail| &trail.by_step);
        let factors = |loss: Loss| (0..count).map(|i| self.factor(&by_step, &task.oracle, i, loss)).collect();
        OnTask {
            train_factors: factors(Loss::Training),
            held_out_factors: factors(Loss::HeldOut),
            by_cost: at(|trail| &trail.by_cost),
            by_step,
            failed: trails.iter().filter(|trail| trail.has_failed()).count(),
        }
    }

    fn factor(&self, losses: &[Losses], oracle: &[Best], step: usize, loss: Loss) -> f64 {
        let (losses, oracle) = (losses.get(step), oracle.get(step));
        let [own, best] = match loss {
            Loss::Training => [losses.and_then(|l| l.train), oracle.and_then(|o| o.train)],
            Loss::HeldOut => [losses.and_then(|l| l.held_out), oracle.and_then(|o| o.held_out)],
        };
        factor(own.unwrap_or(f64::INFINITY), best.unwrap_or(f64::INFINITY), self.request.floor)
    }

    /// Every score: against both oracles, of both losses, by step and by cost, at each scored step.
    fn scores(&self, on: &[OnTask], tasks: &[TaskRecord]) -> Vec<Scored> {
        let mut scores = Vec::new();
        for against in [Against::Oracle, Against::Strong] {
            for loss in [Loss::Training, Loss::HeldOut] {
                for by in [By::Step, By::Cost] {
                    for (i, &step) in self.request.steps.iter().enumerate() {
                        let factor = |(on, task): (&OnTask, &TaskRecord)| {
                            let losses = if by == By::Step { &on.by_step } else { &on.by_cost };
                            let oracle = if against == Against::Oracle { &task.oracle } else { &task.strong };
                            self.factor(losses, oracle, i, loss)
                        };
                        let factors: Vec<f64> = on.iter().zip(tasks).map(factor).collect();
                        scores.push(Scored { against, loss, by, step, score: Score::of(&factors) });
                    }
                }
            }
        }
        scores
    }
}

/// Mean losses over seeds; none where one of them is not there.
fn means(all: impl Iterator<Item = Losses> + Clone) -> Losses {
    let finite = |loss: f64| Some(loss).filter(|loss| loss.is_finite());
    Losses {
        train: finite(mean(all.clone().map(|losses| losses.train))),
        held_out: finite(mean(all.map(|losses| losses.held_out))),
    }
}

/// The lowest mean losses of some settings at one step.
fn best(seeds: &[&[Tried]], step: usize, is_one: impl Fn(&Tried) -> bool) -> Best {
    let first = seeds.first().copied().unwrap_or(&[]);
    let mut best = Best { train: None, train_setting: String::new(), held_out: None, held_out_setting: String::new() };
    for (i, one) in first.iter().enumerate().filter(|(_, one)| is_one(one)) {
        let at = seeds.iter().map(|tried| tried.get(i).and_then(|t| t.at.get(step)).copied().unwrap_or_default());
        let Losses { train, held_out } = means(at);
        lower(&mut best.train, &mut best.train_setting, train, &one.name);
        lower(&mut best.held_out, &mut best.held_out_setting, held_out, &one.name);
    }
    best
}

/// Takes a loss and its setting if it is lower.
fn lower(best: &mut Option<f64>, setting: &mut String, loss: Option<f64>, name: &str) {
    if let Some(loss) = loss.filter(|loss| best.is_none_or(|best| *loss < best)) {
        *best = Some(loss);
        name.clone_into(setting);
    }
}

/// What parts of the tasks differ in.
type NameOf = fn(&TaskRecord) -> String;

/// The factors on parts of the tasks at one of the scored steps.
fn groups(on: &[OnTask], tasks: &[TaskRecord], step: usize) -> Vec<Group> {
    let kinds: [(&str, NameOf); 4] = [
        ("activation", |task| task.activation.clone()),
        ("batch", |task| task.batch.to_string()),
        ("inputs", |task| task.inputs.clone()),
        ("data set", |task| task.data.clone()),
    ];
    let mut groups = Vec::new();
    for (by, name) in kinds {
        let mut names: Vec<String> = Vec::new();
        for name in tasks.iter().map(name) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        if by == "batch" {
            names.sort_by_key(|name| name.parse().unwrap_or(0usize));
        }
        for part in names {
            let own = || on.iter().zip(tasks).filter(|(_, task)| name(task) == part).map(|(on, _)| on);
            let of = |factors: fn(&OnTask) -> &Vec<f64>| {
                geometric_mean(&own().filter_map(|on| factors(on).get(step).copied()).collect::<Vec<_>>())
            };
            let (train, held_out) = (of(|on| &on.train_factors), of(|on| &on.held_out_factors));
            groups.push(Group { by: by.to_owned(), tasks: own().count(), train, held_out, name: part });
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tried(name: &str, plain: bool, train: Option<f64>, held_out: Option<f64>) -> Tried {
        Tried { name: name.to_owned(), plain, at: vec![Losses { train, held_out }] }
    }

    #[test]
    fn the_oracle_is_the_lowest_mean_of_each_loss() {
        let one = [
            tried("a", true, Some(1.0), Some(0.5)),
            tried("b", true, Some(0.2), None),
            tried("c", true, Some(0.4), Some(0.9)),
            tried("d", false, Some(0.1), Some(0.1)),
        ];
        let other = [
            tried("a", true, Some(1.0), Some(0.7)),
            tried("b", true, Some(0.9), Some(0.1)),
            tried("c", true, Some(0.6), Some(0.1)),
            tried("d", false, Some(0.3), Some(0.1)),
        ];
        let plain = best(&[&one, &other], 0, |one| one.plain);
        assert_eq!((plain.train, plain.train_setting.as_str()), (Some(0.5), "c"));
        assert_eq!((plain.held_out, plain.held_out_setting.as_str()), (Some(0.5), "c"), "b diverged once");
        assert_eq!(best(&[&one, &other], 0, |_| true).train_setting, "d");
        assert_eq!(best(&[&one, &other], 0, |one| one.name == "a").train, Some(1.0));
        assert_eq!(best(&[], 0, |_| true).train, None);
    }

    #[test]
    fn the_flat_line_has_one_seed_and_what_is_scored_all() {
        let read = |text: &str| crate::optimizer::parse(text, &crate::optimizer::Tuned::default()).unwrap();
        let flat = Flat::new("l2o").unwrap();
        let request = Request { seeds: vec![1, 2, 3], ..Request::new(vec![read("sgd:1"), read("l2o")], Some(flat)) };
        // 16 of the flat line, of which sgd:1 is there.
        assert_eq!((request.scored, request.optimizers.len()), (2, 17));
        assert_eq!(request.units(5).len(), 5 * (3 * 3 + 15));
    }
}
