//! One meta-training: antithetic evolution strategies on whole episodes.
//!
//! ```text
//! g = mean over pairs of clip(f(theta + sigma e) - f(theta - sigma e), -c, c) / (2 sigma) e,    e normal
//! ```
//!
//! Both runs of a pair share the task, its length, the minibatches and the initial weights; f is the
//! [score](super::episode) of a run. A whole run has no truncation bias (Metz, Maheswaran, Nixon, Freeman and
//! Sohl-Dickstein, "Understanding and correcting pathologies in the training of learned optimizers", ICML 2019); antithetic
//! pairs are Salimans, Ho, Chen, Sidor and Sutskever, "Evolution strategies as a scalable alternative to reinforcement
//! learning", arXiv 1703.03864, 2017. The iterates are averaged with eta = 8, as a user's are.

use std::time::Instant;

use anyhow::{Result, ensure};
use lgl2o::Rng;
use lgl2o::rule::Averaged;
use rayon::prelude::*;

use super::super::distribution::Sources;
use super::super::distribution::task::{DrawnTask, Space};
use super::super::outer::{Outer, OuterStep};
use super::super::theta::Theta;
use super::super::training::initial;
use super::episode::{self, Score};
use super::{Checkpoint, Config, config::EstimatorConfig};
use crate::optimizer::{AnyRule, Method};
use crate::ranks::Ranks;

/// Weight of late iterates in averages.
const ETA: f32 = 8.0;

/// A learned rule as it is scored: alone, its iterates averaged.
#[must_use]
pub fn method(rule: AnyRule) -> Method {
    Method::Alone { rule: AnyRule::Averaged(Box::new(Averaged { rule, eta: ETA })), learned: true }
}

/// A meta-training between two outer steps.
#[derive(Debug)]
pub struct Training {
    /// Seed of everything random in it.
    pub seed: u64,
    /// The weights.
    pub theta: Theta,
    /// Running mean of the weights (Polyak and Juditsky 1992): it has less of the estimator's noise.
    pub average: Vec<f32>,
    /// What moves them.
    pub outer: Outer,
    /// Outer steps done.
    pub done: u32,
    /// Inner steps done, validation not counted.
    pub inner: u64,
    /// Minutes that it took before it was resumed.
    earlier: f64,
    started: Instant,
}

/// An outer step, for the log.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Line {
    outer_step: u32,
    inner_steps: u64,
    minutes: f64,
    /// Means over all episodes of the step.
    pub score: Score,
    /// Share of the episodes that were broken.
    broken: f64,
    step: OuterStep,
}

impl Line {
    /// The columns of the log: outer steps and inner steps done, minutes, mean f and its three parts, share of broken
    /// episodes, length of the gradient before clipping, rate.
    #[must_use]
    pub fn columns(&self, weights: &EstimatorConfig) -> String {
        let Self { outer_step, inner_steps, minutes, score, broken, step: OuterStep { length, rate } } = self;
        let Score { train, held_out, held_out_loss, .. } = score;
        let mean = score.total(weights);
        format!(
            "{outer_step},{inner_steps},{minutes:.3},{mean:.5},{train:.5},{held_out:.5},{held_out_loss:.5},{broken:.3},{length:.4},{rate:.6}"
        )
    }
}

/// A pair: a perturbation and what its two runs have in common.
struct Pair {
    eps: Vec<f32>,
    task: DrawnTask,
    horizon: u32,
}

impl Pair {
    /// The pair of a number.
    fn draw(config: &EstimatorConfig, space: &Space<'_>, weights: usize, rng: &mut Rng) -> Result<Self> {
        let eps = (0..weights).map(|_| config.sigma * rng.normal()).collect();
        let place = rng.uniform();
        let task = space.draw(rng, None)?;
        let horizon = horizon(config, task.work(), place);
        Ok(Self { eps, task, horizon })
    }

    fn work(&self) -> f64 {
        self.task.work() * f64::from(self.horizon)
    }
}

/// Log-uniform between the shortest and the longest horizon, the latter cut to what the work allows.
#[must_use]
pub fn horizon(config: &EstimatorConfig, step_work: f64, place: f32) -> u32 {
    let [low, high] = config.horizon.map(f64::from);
    let high = high.min(config.work / step_work).max(low);
    let horizon = libm::exp(libm::log(low) + f64::from(place) * libm::log(high / low));
    (horizon as u32).clamp(config.horizon[0], config.horizon[1])
}

impl Training {
    /// A training at its beginning.
    ///
    /// # Errors
    /// If the weights to start from cannot be read.
    pub fn new(config: &Config, seed: u64, ranks: &Ranks) -> Result<Self> {
        let theta = initial(&config.optimizer, &config.dir, seed, ranks)?;
        Ok(Self {
            seed,
            outer: Outer::new(theta.weights.len()),
            average: theta.weights.clone(),
            theta,
            done: 0,
            inner: 0,
            earlier: 0.0,
            started: Instant::now(),
        })
    }

    /// Puts it where a checkpoint was.
    ///
    /// # Errors
    /// If the sizes are not the configuration's.
    pub fn restore(&mut self, saved: &Checkpoint) -> Result<()> {
        ensure!(saved.weights.len() == self.theta.weights.len(), "weights of another size");
        ensure!(saved.outer.len() == self.outer.len(), "an outer optimizer of another size");
        ensure!(saved.average.len() == self.average.len(), "a mean of another size");
        self.theta = self.theta.with(saved.weights.clone());
        self.average.clone_from(&saved.average);
        self.outer = saved.outer.clone();
        (self.done, self.inner, self.earlier) = (saved.done, saved.inner, saved.minutes);
        Ok(())
    }

    /// Minutes by the clock that it took so far, time between interruption and resumption left out.
    #[must_use]
    pub fn minutes(&self) -> f64 {
        self.earlier + self.started.elapsed().as_secs_f64() / 60.0
    }

    /// The pairs of the next outer step.
    fn pairs(&self, config: &Config, sources: &Sources) -> Result<Vec<Pair>> {
        let estimator = &config.estimator;
        let families = config.distribution.families()?;
        let space = Space { families: &families, rows: config.distribution.rows, sources };
        let first = u64::from(self.done) * u64::from(estimator.pairs);
        let number = |i: u32| Rng::stream(self.seed, first + u64::from(i));
        let weights = self.theta.weights.len();
        (0..estimator.pairs).into_par_iter().map(|i| Pair::draw(estimator, &space, weights, &mut number(i))).collect()
    }

    /// One outer step.
    ///
    /// # Errors
    /// Those of [`Ranks::try_map`].
    pub fn step(&mut self, config: &Config, sources: &Sources, ranks: &Ranks) -> Result<Line> {
        let pairs = self.pairs(config, sources)?;
        // The longest runs first, so that the threads end together.
        let mut runs: Vec<(usize, usize)> = (0..pairs.len()).flat_map(|pair| [(pair, 0), (pair, 1)]).collect();
        runs.sort_by(|a, b| pairs[b.0].work().total_cmp(&pairs[a.0].work()));
        let theta = &self.theta;
        let may_begin = ranks.unless_interrupted();
        let found = ranks.try_map(&runs, |&(number, sign)| {
            may_begin()?;
            let pair = &pairs[number];
            let [plus, minus] = theta.perturbed(&pair.eps);
            episode::run(&pair.task, &method(if sign == 0 { plus } else { minus }), pair.horizon)
        })?;
        let mut scores: Vec<_> = runs.into_iter().zip(found).collect();
        scores.sort_by_key(|(run, _)| *run);
        let scores: Vec<Score> = scores.into_iter().map(|(_, score)| score).collect();
        let mut gradient = gradient(&config.estimator, &pairs, &scores);
        let step = self.outer.step(&config.outer, &mut self.theta.weights, &mut gradient);
        let stay = config.outer.average;
        for (mean, w) in self.average.iter_mut().zip(&self.theta.weights) {
            *mean = stay * *mean + (1.0 - stay) * w;
        }
        self.done += 1;
        self.inner += pairs.iter().map(|pair| 2 * u64::from(pair.horizon)).sum::<u64>();
        let mean = |part: fn(&Score) -> f64| scores.iter().map(part).sum::<f64>() / scores.len() as f64;
        Ok(Line {
            outer_step: self.done,
            inner_steps: self.inner,
            minutes: self.minutes(),
            score: Score {
                train: mean(|s| s.train),
                held_out: mean(|s| s.held_out),
                held_out_loss: mean(|s| s.held_out_loss),
                broken: false,
            },
            broken: mean(|s| f64::from(u8::from(s.broken))),
            step,
        })
    }
}

/// The estimate, from the scores of both runs of each pair, one pair after the other.
fn gradient(config: &EstimatorConfig, pairs: &[Pair], scores: &[Score]) -> Vec<f32> {
    let mut gradient = vec![0.0; pairs.first().map_or(0, |pair| pair.eps.len())];
    let scale = 1.0 / (2.0 * config.sigma * config.sigma * pairs.len() as f32);
    for (pair, signs) in pairs.iter().zip(scores.chunks_exact(2)) {
        let total = |sign: usize| signs[sign].total(config);
        let difference = (total(0) - total(1)) as f32;
        let difference = difference.clamp(-config.difference_clip, config.difference_clip);
        gradient.iter_mut().zip(&pair.eps).for_each(|(sum, eps)| *sum += scale * difference * eps);
    }
    gradient
}

#[cfg(test)]
mod tests {
    use super::super::config::EstimatorKind;
    use super::*;

    fn config() -> EstimatorConfig {
        EstimatorConfig {
            kind: EstimatorKind::FullHorizon,
            sigma: 0.1,
            pairs: 2,
            horizon: [50, 5000],
            work: 1e9,
            difference_clip: 0.5,
            held_out_weight: 1.0,
            held_out_loss_weight: 0.5,
        }
    }

    #[test]
    fn horizons_are_log_uniform_and_cut_by_work() {
        let at = |work, place| horizon(&config(), work, place);
        assert_eq!((at(1.0, 0.0), at(1e12, 0.9)), (50, 50));
        assert!((499..=500).contains(&at(1.0, 0.5)) && at(1.0, 0.999_999) > 4990);
        assert!((990..=1000).contains(&at(1e6, 0.999_999)));
    }

    /// Differences of 0.2 and, clipped, -0.5, against eps of (0.1, 0) and (0, 0.1): divided by 2 sigma^2 and the pairs.
    #[test]
    fn a_gradient_by_hand() {
        let families = [super::super::super::distribution::UNSEEN[1]];
        let space = Space { families: &families, rows: [100, 100], sources: &Sources::default() };
        let pair =
            |eps: [f32; 2]| Pair { eps: eps.to_vec(), task: space.draw(&mut Rng::new(1), None).unwrap(), horizon: 50 };
        let pairs = [pair([0.1, 0.0]), pair([0.0, 0.1])];
        let score = |train, held_out, held_out_loss| Score { train, held_out, held_out_loss, broken: false };
        let scores = [score(0.1, 0.2, 0.2), score(0.2, 0.1, -0.2), score(0.0, 0.0, 0.0), score(3.0, 0.0, 0.0)];
        let found = gradient(&config(), &pairs, &scores);
        assert!((found[0] - 0.5).abs() < 1e-5 && (found[1] + 1.25).abs() < 1e-5, "{found:?}");
    }
}
