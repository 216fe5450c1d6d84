//! The oracle: what can be had with settings that are tuned for each task.
//!
//! | | settings | of them the best, for each task and step |
//! |---|---|---|
//! | plain | SGD .01 .03 .1 .3 1 3, momentum .03 .1 .3 1, Adam .001 .003 .01 .03 .1 | 15 |
//! | strong | these; the same with averaged iterates, eta = 8; Adam and `NAdam` .001 .003 .01 .03 .1 with a rate that falls to the scored step T as rate (1 + cos(pi i / T)) / 2 | 40 |
//!
//! An averaged rule has its gradient at its front, where the plain one is, so both come from one run. Only the cosine is
//! told the horizon: it has a run of its own for each scored step.

use lgl2o::Rule as _;
use lgl2o::checkpoint::Persist as _;
use lgl2o::objective::{Blank, Mlp, Objective};
use lgl2o::rule::averaged::AveragedState;
use lgl2o::rule::{Adam, Averaged, Momentum, NAdam, NoProbe, Sgd};
use lgl2o::source::{Sampler, Source};
use lgl2o::tensors::Tensors;
use serde::{Deserialize, Serialize};

use super::run::{Losses, losses};
use super::task::SurveyTask;
use crate::experiment::halfway::{Bytes, Rest};
use crate::experiment::{Evaluator, Halfway};
use crate::network::{HeapNetwork, HeapTensors};
use crate::optimizer::AnyRule;
use crate::optimizer::rule::AnyState;

/// Weight of the latest iterates in the averages of the strong oracle.
const ETA: f32 = 8.0;
/// Rates of Adam and NAdam.
const ADAM: [f32; 5] = [0.001, 0.003, 0.01, 0.03, 0.1];

/// A rule of the oracle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Sgd,
    Momentum,
    Adam,
    NAdam,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Sgd => "sgd",
            Self::Momentum => "momentum",
            Self::Adam => "adam",
            Self::NAdam => "nadam",
        }
    }

    fn rule(self, rate: f32) -> AnyRule {
        match self {
            Self::Sgd => AnyRule::Sgd(Sgd::new(rate)),
            Self::Momentum => AnyRule::Momentum(Momentum::new(rate)),
            Self::Adam => AnyRule::Adam(Adam::new(rate)),
            Self::NAdam => AnyRule::NAdam(NAdam::new(rate)),
        }
    }
}

/// Rules with their rates: those of the plain oracle, and those with a cosine.
const PLAIN: [(Kind, &[f32]); 3] =
    [(Kind::Sgd, &[0.01, 0.03, 0.1, 0.3, 1.0, 3.0]), (Kind::Momentum, &[0.03, 0.1, 0.3, 1.0]), (Kind::Adam, &ADAM)];
const COSINE: [(Kind, &[f32]); 2] = [(Kind::Adam, &ADAM), (Kind::NAdam, &ADAM)];

fn settings(of: &'static [(Kind, &'static [f32])]) -> impl Iterator<Item = (Kind, f32)> {
    of.iter().flat_map(|(kind, rates)| rates.iter().map(|rate| (*kind, *rate)))
}

/// The name of a setting, an optimizer as the command line has it.
fn named(kind: Kind, rate: f32) -> String {
    format!("{}:{rate}", kind.name())
}

/// The settings of the plain oracle, by name.
#[must_use]
pub fn names() -> Vec<String> {
    settings(&PLAIN).map(|(kind, rate)| named(kind, rate)).collect()
}

/// A setting and its losses at the scored steps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Tried {
    /// The setting in words, such as `adam:0.01` or `sgd:1, averaged`.
    pub name: String,
    /// Whether it is one of the plain oracle's, too.
    pub plain: bool,
    /// Losses at each scored step.
    pub at: Vec<Losses>,
}

/// A rule with a rate, which falls to nothing at the horizon if there is one.
struct Setting {
    kind: Kind,
    rate: f32,
    horizon: Option<u64>,
}

impl Setting {
    fn rule(&self, i: u64) -> AnyRule {
        self.kind.rule(self.horizon.map_or(self.rate, |horizon| falling(self.rate, i, horizon)))
    }
}

/// How far the runs have come.
#[derive(Default, Serialize, Deserialize)]
struct Kept {
    /// Losses of the runs that have come to their end: of the iterates and of their average.
    done: Vec<[Vec<Losses>; 2]>,
    /// Steps of the next one.
    steps: u64,
    /// Its losses so far.
    seen: [Vec<Losses>; 2],
}

/// Runs every setting with one seed. The runs are kept on their way, and go on from what was kept of them.
///
/// # Errors
/// If the batch does not fit the data.
pub fn run(task: &SurveyTask, seed: u64, steps: &[u64], halfway: &Halfway) -> Result<Vec<Tried>, lgl2o::Error> {
    let plain = settings(&PLAIN).map(|(kind, rate)| Setting { kind, rate, horizon: None });
    let cosine = settings(&COSINE)
        .flat_map(|(kind, rate)| steps.iter().map(move |&step| Setting { kind, rate, horizon: Some(step) }));
    let all: Vec<Setting> = plain.chain(cosine).collect();
    let (mut kept, mut body) = halfway.found::<Kept>().unwrap_or_default();
    while let Some(setting) = all.get(kept.done.len()) {
        let horizon = setting.horizon.map(|horizon| [horizon]);
        let scored = horizon.as_ref().map_or(steps, |horizon| horizon.as_slice());
        let seen = Trajectory { task, seed, steps: scored, halfway }.run(setting, &mut kept, &body)?;
        body.clear();
        kept.done.push(seen);
    }
    let mut done = kept.done.into_iter();
    let mut tried = Vec::new();
    for ((kind, rate), [front, average]) in settings(&PLAIN).zip(done.by_ref()) {
        let name = named(kind, rate);
        tried.push(Tried { name: format!("{name}, averaged"), plain: false, at: average });
        tried.push(Tried { name, plain: true, at: front });
    }
    for (kind, rate) in settings(&COSINE) {
        let at = done.by_ref().take(steps.len()).flat_map(|[front, _]| front).collect();
        tried.push(Tried { name: format!("{}, cosine", named(kind, rate)), plain: false, at });
    }
    Ok(tried)
}

/// How many training steps that is.
#[must_use]
pub fn work(steps: &[u64]) -> u64 {
    let last = steps.last().copied().unwrap_or(0);
    settings(&PLAIN).count() as u64 * last + settings(&COSINE).count() as u64 * steps.iter().sum::<u64>()
}

/// rate (1 + cos(pi i / T)) / 2.
fn falling(rate: f32, i: u64, horizon: u64) -> f32 {
    let share = i as f64 / horizon as f64;
    (f64::from(rate) * 0.5 * (1.0 + libm::cos(std::f64::consts::PI * share))) as f32
}

/// A run of one setting up to the last of some rising steps.
struct Trajectory<'a> {
    task: &'a SurveyTask,
    seed: u64,
    steps: &'a [u64],
    halfway: &'a Halfway,
}

type State = AveragedState<HeapTensors, AnyState<HeapTensors>>;

impl Trajectory<'_> {
    /// The losses at the steps, of the rule's iterates and of their average, from what was kept on.
    fn run(&self, setting: &Setting, kept: &mut Kept, body: &[u8]) -> Result<[Vec<Losses>; 2], lgl2o::Error> {
        let (task, steps) = (self.task, self.steps);
        let (optimizee, train) = (task.optimizee(), task.train());
        let mut evaluator = Evaluator::new(&task.network);
        let (mut pick, mut used) = (vec![0; task.batch], vec![0; train.len().div_ceil(32)]);
        let mut source = Sampler::new(train.inputs(), train.width(), train.labels(), self.seed, &mut pick, &mut used)?;
        let (mut scratch, mut batch_losses) = (optimizee.blank_scratch(), optimizee.blank_losses());
        let (mut params, mut gradient) = (evaluator.initial(self.seed), optimizee.blank_params());
        let mut averaged = Averaged { rule: setting.rule(0), eta: ETA };
        let mut state: State = averaged.state(&params);
        let (begin, seen) = (std::mem::take(&mut kept.steps), std::mem::take(&mut kept.seen));
        let (begin, mut seen) =
            if go_on(body, &mut source, &mut params, &mut state) { (begin, seen) } else { Default::default() };
        for i in begin..steps.last().copied().unwrap_or(0) {
            if self.halfway.is_due() {
                (kept.steps, kept.seen) = (i, seen.clone());
                self.halfway.keep(&*kept, &bytes(&source, &params, &state));
                (kept.steps, kept.seen) = Default::default();
            }
            averaged.rule = setting.rule(i);
            Source::<Mlp<HeapNetwork>>::begin_round(&mut source);
            let batch = Source::<Mlp<HeapNetwork>>::train(&mut source)?;
            let point = averaged.gradient_point(&state).unwrap_or(&params);
            optimizee.gradient(&mut scratch, point, batch, &mut batch_losses, &mut gradient)?;
            averaged.step(&mut state, &mut params, &gradient, 0.0, &mut NoProbe);
            if !gradient.is_finite() || !state.front.is_finite() {
                break;
            }
            if steps.contains(&(i + 1)) {
                seen[0].push(losses(task, &mut evaluator, &state.front));
                seen[1].push(losses(task, &mut evaluator, &params));
            }
        }
        seen.iter_mut().for_each(|seen| seen.resize(steps.len(), Losses::default()));
        Ok(seen)
    }
}

/// The state of a run as bytes.
fn bytes(source: &Sampler<'_>, params: &HeapTensors, state: &State) -> Vec<u8> {
    let mut bytes = Bytes::default();
    // Nothing can go wrong in memory.
    let _ = source.save(&mut bytes).and_then(|()| params.save(&mut bytes)).and_then(|()| state.save(&mut bytes));
    bytes.0
}

/// Takes the state of a run in, if there is one. Its file has a checksum and the key of this run, so it fits.
fn go_on(body: &[u8], source: &mut Sampler<'_>, params: &mut HeapTensors, state: &mut State) -> bool {
    let mut rest = Rest(body);
    body.len() == bytes(source, params, state).len()
        && source.load(&mut rest).is_ok()
        && params.load(&mut rest).is_ok()
        && state.load(&mut rest).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optimizer::{Method, Tuned, parse};
    use crate::survey::inputs::Inputs;
    use crate::survey::run;
    use crate::survey::shape::Shape;
    use crate::survey::task::Material;

    fn task() -> SurveyTask {
        let sets = crate::data::synthetic::FAMILIES[2].draw(4);
        let material = Material::new("rings", &sets, Inputs::Plain, false).expect("treated");
        SurveyTask::new(&material, &Shape::parse("6 relu").expect("a network"), None)
    }

    /// The oracle's runs are those of the optimizers that its settings name, bit for bit.
    #[test]
    fn settings_are_the_optimizers_that_they_name() {
        let (task, steps) = (task(), [3, 10, 40]);
        let tried = super::run(&task, 2, &steps, &Halfway::nowhere()).expect("runs");
        assert_eq!(tried.len(), 40);
        assert_eq!(tried.iter().filter(|tried| tried.plain).count(), 15);
        for one in tried.iter().filter(|tried| tried.plain) {
            let optimizer = parse(&one.name, &Tuned::default()).expect("an optimizer");
            assert_eq!(
                run::run(&task, &optimizer.method, 2, &steps, &Halfway::nowhere()).expect("runs").by_step,
                one.at,
                "{}",
                one.name
            );
        }
        let averaged = AnyRule::Averaged(Box::new(Averaged { rule: Kind::Adam.rule(0.03), eta: ETA }));
        let method = Method::Alone { rule: averaged, learned: false };
        let named = tried.iter().find(|tried| tried.name == "adam:0.03, averaged").expect("tried");
        assert_eq!(run::run(&task, &method, 2, &steps, &Halfway::nowhere()).expect("runs").by_step, named.at);
    }

    #[test]
    fn a_killed_oracle_goes_on_from_where_it_was_kept() {
        let home = tempfile::tempdir().expect("temporary directory");
        let store = crate::store::Store::new(home.path());
        store.open().expect("writable");
        let (task, steps) = (task(), [3, 8]);
        let ran = |halfway: &Halfway| super::run(&task, 2, &steps, halfway).expect("runs");
        let whole = ran(&Halfway::nowhere());
        // In the first run; in a later one; among those with a cosine, which begin after 15 runs of 8 steps.
        for times in [5, 50, 137] {
            let key = times.to_string();
            assert_eq!(ran(&Halfway::killed(&store, &key, times)), whole);
            let half = Halfway::of(&store, &key);
            let (kept, _) = half.found::<Kept>().expect("kept");
            assert_eq!(kept.done.len() >= 15, times > 120);
            assert_eq!(ran(&half), whole, "{times}");
        }
    }

    #[test]
    fn the_cosine_falls_from_the_rate_to_nothing() {
        assert_eq!(falling(0.1, 0, 100), 0.1);
        assert!((falling(0.1, 50, 100) - 0.05).abs() < 1e-8);
        assert!(falling(0.1, 99, 100) < 0.1 * 3e-4 && falling(0.1, 99, 100) > 0.0);
        assert_eq!(work(&[100, 300]), 15 * 300 + 10 * 400);
    }
}
