//! The residual guard GL2O (Heaton, Chen, Wang, Yin, "Safeguarded learned convex optimization", AAAI 2023, arXiv
//! 2003.01880), for comparison with [`LossGuard`](super::LossGuard).
//!
//! ```text
//! T = the fallback's step, S = Id - T      y = the learned step from w
//! accept y iff |S(y)| <= alpha mu;  then mu <- rule(mu, |S(y)|);  else w <- T(w)
//! mu starts as |S(w_0)|
//! ```
//!
//! For gradient descent |S(y)| = rate |gradient at y|: the test is one on the gradient norm at the proposal. The paper's
//! five rules for mu, after an acceptance with residual r:
//!
//! ```text
//! geometric sequence theta    mu <- theta mu
//! recent term                 mu <- r
//! arithmetic average          mu <- (r + m mu) / (m + 1),  m = acceptances before this one
//! exponential average theta   mu <- theta r + (1 - theta) mu
//! recent maximum k            mu <- greatest of the k latest accepted residuals
//! ```
//!
//! The gradient at y is taken on a check batch: on the batch that y was built from, it would favour a proposal that fits that
//! batch. With fresh minibatches a round, one step, so costs two gradients (one, if the proposal is not finite). The paper's
//! setting is convex and exact; under minibatch noise |S| has a floor, and once alpha mu falls below it nothing is accepted.

use super::points::{self, Points};
use super::{Guard, Verdict, Winner, blank, step};
use crate::error::Error;
use crate::math;
use crate::objective::Objective;
use crate::oracle::Oracle;
use crate::persist::{Digest, Fingerprint, Origin, Persist, Sink};
use crate::rule::{Rule, RuleState};
use crate::source::Source;
use crate::tensors::{Tensors, Zeroed};

/// The longest memory of [`MuRule::RecentMax`].
pub const RECENT: usize = 32;

/// How the bound mu follows the accepted residuals.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
pub enum MuRule {
    /// mu <- theta mu, theta in (0, 1).
    Geometric(f32),
    /// mu <- the latest accepted residual.
    RecentTerm,
    /// mu <- the mean of all accepted residuals.
    ArithmeticAverage,
    /// mu <- theta r + (1 - theta) mu, theta in (0, 1].
    ExponentialAverage(f32),
    /// mu <- the greatest of the k latest accepted residuals, k in 1..=32.
    RecentMax(usize),
}

impl MuRule {
    fn is_valid(self) -> bool {
        match self {
            Self::Geometric(theta) => theta > 0.0 && theta < 1.0,
            Self::ExponentialAverage(theta) => theta > 0.0 && theta <= 1.0,
            Self::RecentMax(k) => (1..=RECENT).contains(&k),
            Self::RecentTerm | Self::ArithmeticAverage => true,
        }
    }
}

impl Fingerprint for MuRule {
    fn describe(&self, digest: &mut Digest) {
        let (name, number) = match *self {
            Self::Geometric(theta) => ("geometric", theta),
            Self::RecentTerm => ("recent-term", 0.0),
            Self::ArithmeticAverage => ("arithmetic-average", 0.0),
            Self::ExponentialAverage(theta) => ("exponential-average", theta),
            Self::RecentMax(k) => ("recent-max", k as f32),
        };
        digest.kind(name);
        digest.numbers([number]);
    }
}

/// The bound and what it remembers.
#[derive(Debug, Clone)]
pub struct Bound {
    mu: f32,
    accepted: u32,
    started: bool,
    recent: heapless::Deque<f32, RECENT>,
}

impl Zeroed for Bound {
    const ZERO: Self = Self { mu: 0.0, accepted: 0, started: false, recent: heapless::Deque::new() };
}

/// mu, acceptances, whether there is a bound, and 32 places for the recent residuals, as many of them filled as the
/// number before them says.
impl Persist for Bound {
    fn save<S: Sink>(&self, sink: &mut S) -> Result<(), S::Error> {
        self.mu.save(sink)?;
        self.accepted.save(sink)?;
        self.started.save(sink)?;
        (self.recent.len() as u32).save(sink)?;
        self.places().save(sink)
    }
    fn load<O: Origin>(&mut self, origin: &mut O) -> Result<(), O::Error> {
        self.mu.load(origin)?;
        self.accepted.load(origin)?;
        self.started.load(origin)?;
        let (mut count, mut places) = (self.recent.len() as u32, self.places());
        count.load(origin)?;
        places.load(origin)?;
        self.recent.clear();
        for residual in places.into_iter().take(count as usize) {
            // There is room for all places.
            let _ = self.recent.push_back(residual);
        }
        Ok(())
    }
}

impl Bound {
    /// The bound mu.
    #[must_use]
    pub const fn mu(&self) -> f32 {
        self.mu
    }

    /// Records an accepted residual.
    pub fn accept(&mut self, rule: MuRule, residual: f32) {
        self.mu = match rule {
            MuRule::Geometric(theta) => theta * self.mu,
            MuRule::RecentTerm => residual,
            MuRule::ArithmeticAverage => {
                let m = self.accepted as f32;
                (residual + m * self.mu) / (m + 1.0)
            }
            MuRule::ExponentialAverage(theta) => theta * residual + (1.0 - theta) * self.mu,
            MuRule::RecentMax(k) => self.recent_max(k, residual),
        };
        self.accepted = self.accepted.saturating_add(1);
    }

    /// The recent residuals, and zeros behind them.
    fn places(&self) -> [f32; RECENT] {
        let mut places = [0.0; RECENT];
        places.iter_mut().zip(&self.recent).for_each(|(place, &residual)| *place = residual);
        places
    }

    fn recent_max(&mut self, k: usize, residual: f32) -> f32 {
        while self.recent.len() >= k.min(RECENT) && self.recent.pop_front().is_some() {}
        // There is room: at most RECENT - 1 are left.
        let _ = self.recent.push_back(residual);
        self.recent.iter().fold(0.0, |most, &r| if r > most { r } else { most })
    }
}

/// GL2O: a learned rule whose steps must bring the fallback's residual down.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ResidualGuard<L, F> {
    learned: L,
    fallback: F,
    alpha: f32,
    rule: MuRule,
}

impl<L, F> ResidualGuard<L, F> {
    /// The guard with alpha = 0.99 and an exponential average of theta = 0.25.
    pub const fn new(learned: L, fallback: F) -> Self {
        Self { learned, fallback, alpha: 0.99, rule: MuRule::ExponentialAverage(0.25) }
    }

    /// The same guard with another factor alpha and another rule for mu.
    ///
    /// # Errors
    /// [`Error::InvalidSetting`] unless 0 <= alpha < 1 and the rule's number is in its range.
    pub fn with(self, alpha: f32, rule: MuRule) -> Result<Self, Error> {
        if !(0.0..1.0).contains(&alpha) {
            return Err(Error::InvalidSetting { what: "alpha of the residual guard must be in [0, 1)" });
        }
        if !rule.is_valid() {
            return Err(Error::InvalidSetting { what: "theta of a mu rule must be in (0, 1), its memory in 1..=32" });
        }
        Ok(Self { alpha, rule, ..self })
    }
}

/// The parameters, the learned candidate and the fallback's; gradient, both rule states, a trial for residuals, and the bound.
#[derive(Debug, Clone)]
pub struct ResidualMemory<P, L, F> {
    points: Points<P, 3>,
    gradient: P,
    trial: P,
    learned_state: L,
    fallback_state: F,
    trial_state: F,
    bound: Bound,
}

impl<P: Zeroed, L: Zeroed, F: Zeroed> Zeroed for ResidualMemory<P, L, F> {
    const ZERO: Self = Self {
        points: Zeroed::ZERO,
        gradient: P::ZERO,
        trial: P::ZERO,
        learned_state: L::ZERO,
        fallback_state: F::ZERO,
        trial_state: F::ZERO,
        bound: Bound::ZERO,
    };
}

/// Both rules' states and the bound; the rest is computed again in each round.
impl<P, L: Persist, F: Persist> Persist for ResidualMemory<P, L, F> {
    crate::persist_fields!(learned_state, fallback_state, bound);
}

impl<L: Fingerprint, F: Fingerprint> Fingerprint for ResidualGuard<L, F> {
    fn describe(&self, digest: &mut Digest) {
        digest.kind("residual-guard");
        self.learned.describe(digest);
        self.fallback.describe(digest);
        digest.numbers([self.alpha]);
        self.rule.describe(digest);
    }
}

impl<P, L, F> ResidualMemory<P, L, F> {
    /// The bound and what it remembers.
    pub const fn bound(&self) -> &Bound {
        &self.bound
    }
}

impl<P, L: RuleState, F: RuleState> ResidualMemory<P, L, F> {
    /// Accumulators that are not finite, and those of a side that is not, are reset.
    fn mend_states(&mut self, [is_learned_finite, is_fallback_finite]: [bool; 2]) {
        if !is_learned_finite || !self.learned_state.is_finite() {
            self.learned_state.reset();
        }
        if !is_fallback_finite || !self.fallback_state.is_finite() {
            self.fallback_state.reset();
        }
    }
}

impl<L: Rule, F: Rule> ResidualGuard<L, F> {
    /// |S(y)| for the learned candidate y, on a check batch; infinite if it is not finite. The fallback's state is
    /// copied, for the step at y is a trial, and its average starts again there.
    fn residual<O: Objective>(
        &self,
        memory: &mut <Self as Guard>::Memory<O::Params>,
        oracle: &mut Oracle<'_, O>,
        source: &mut impl Source<O>,
    ) -> Result<f32, Error> {
        let [_, learned, _] = memory.points.all();
        let batch = source.check()?;
        let loss = oracle.gradient(learned, batch, &mut memory.gradient)?;
        if !memory.gradient.is_finite() {
            return Ok(f32::INFINITY);
        }
        memory.trial.copy_from(learned);
        memory.trial_state.copy_from(&memory.fallback_state);
        self.fallback.moved(&mut memory.trial_state);
        self.fallback.step(
            &mut memory.trial_state,
            &mut memory.trial,
            &memory.gradient,
            loss,
            &mut oracle.probe(batch),
        );
        Ok(math::or_infinity(math::sqrt(learned.squared_distance(&memory.trial))))
    }
}

impl<L: Rule, F: Rule> Guard for ResidualGuard<L, F> {
    type Memory<P: Tensors> = ResidualMemory<P, L::State<P>, F::State<P>>;

    fn memory<P: Tensors>(&self, like: &P) -> Self::Memory<P> {
        ResidualMemory {
            points: Points::blank(like),
            gradient: blank(like),
            trial: blank(like),
            learned_state: self.learned.state(like),
            fallback_state: self.fallback.state(like),
            trial_state: self.fallback.state(like),
            bound: Bound::ZERO,
        }
    }

    fn params<P: Tensors>(memory: &Self::Memory<P>) -> &P {
        let [params, ..] = memory.points.all();
        params
    }

    fn params_mut<P: Tensors>(memory: &mut Self::Memory<P>) -> &mut P {
        let [params, ..] = memory.points.all_mut();
        params
    }

    fn round<O: Objective>(
        &self,
        memory: &mut Self::Memory<O::Params>,
        oracle: &mut Oracle<'_, O>,
        source: &mut impl Source<O>,
    ) -> Result<Verdict, Error> {
        self.learned.check()?;
        self.fallback.check()?;
        source.begin_round();
        let [params, learned, fallback] = memory.points.all_mut();
        let batch = source.train()?;
        let train_loss = oracle.gradient(params, batch, &mut memory.gradient)?;
        if !memory.gradient.is_finite() {
            return Err(Error::NonFiniteGradient);
        }
        learned.copy_from(params);
        fallback.copy_from(params);
        let gradient = &mut memory.gradient;
        step(&self.fallback, &mut memory.fallback_state, fallback, gradient, train_loss, oracle, batch)?;
        step(&self.learned, &mut memory.learned_state, learned, gradient, train_loss, oracle, batch)?;
        // No finite step of the fallback yet, no bound.
        let first = math::sqrt(params.squared_distance(fallback));
        if !memory.bound.started && first.is_finite() {
            (memory.bound.mu, memory.bound.started) = (first, true);
        }
        let limit = self.alpha * memory.bound.mu;
        let (is_learned_finite, is_fallback_finite) = (learned.is_finite(), fallback.is_finite());
        let residual = if is_learned_finite { self.residual(memory, oracle, source)? } else { f32::INFINITY };
        let winner = if residual.is_finite() && residual <= limit {
            memory.bound.accept(self.rule, residual);
            memory.points.accept(points::LEARNED);
            Winner::Learned
        } else if is_fallback_finite {
            memory.points.accept(points::FALLBACK);
            Winner::Fallback
        } else {
            Winner::Neither
        };
        memory.mend_states([is_learned_finite, is_fallback_finite]);
        if winner != Winner::Learned {
            self.learned.moved(&mut memory.learned_state);
        }
        // S is one step from where it is asked for.
        self.fallback.moved(&mut memory.fallback_state);
        Ok(Verdict {
            winner,
            steps: 1,
            accepted: u32::from(winner != Winner::Neither),
            train_loss,
            fallback_loss: Some(limit),
            learned_loss: Some(residual),
            kept_loss: None,
            standard_error: 0.0,
            spent: oracle.spent(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(rule: MuRule, residuals: &[f32]) -> f32 {
        let mut bound = Bound { mu: 8.0, ..Bound::ZERO };
        residuals.iter().for_each(|&r| bound.accept(rule, r));
        bound.mu()
    }

    #[test]
    fn five_rules_by_hand() {
        let residuals = [4.0, 1.0, 2.0];
        assert_eq!(after(MuRule::Geometric(0.5), &residuals), 1.0);
        assert_eq!(after(MuRule::RecentTerm, &residuals), 2.0);
        // 8 counts for nothing once there is an acceptance: (4 + 0 8) / 1, then (1 + 4) / 2, then (2 + 2 2.5) / 3.
        assert!((after(MuRule::ArithmeticAverage, &residuals) - 7.0 / 3.0).abs() < 1e-6);
        assert_eq!(after(MuRule::ExponentialAverage(0.5), &residuals), 2.75);
        assert_eq!(after(MuRule::RecentMax(2), &residuals), 2.0);
        assert_eq!(after(MuRule::RecentMax(3), &residuals), 4.0);
    }

    #[test]
    fn settings_out_of_range_are_refused() {
        let takes = |alpha, rule| ResidualGuard::new((), ()).with(alpha, rule).is_ok();
        for (alpha, good) in [(-0.5, false), (0.0, true), (0.9, true), (1.0, false), (f32::NAN, false)] {
            assert_eq!(takes(alpha, MuRule::RecentTerm), good, "{alpha}");
        }
        for (theta, [geometric, average]) in [
            (-0.5, [false, false]),
            (0.0, [false, false]),
            (0.5, [true, true]),
            (1.0, [false, true]),
            (1.5, [false, false]),
            (f32::NAN, [false, false]),
        ] {
            assert_eq!(takes(0.9, MuRule::Geometric(theta)), geometric, "{theta}");
            assert_eq!(takes(0.9, MuRule::ExponentialAverage(theta)), average, "{theta}");
        }
        let lengths = [0, 1, RECENT, RECENT + 1].map(|k| takes(0.9, MuRule::RecentMax(k)));
        assert_eq!(lengths, [false, true, true, false]);
    }
}
