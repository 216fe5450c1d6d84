//! The loss guard LGL2O ("A Simple Guard for Learned Optimizers", ICML 2022, arXiv 2201.12426).
//!
//! ```text
//! u = the fallback's n_t steps from w      v = the learned rule's n_t steps from w, on the same training batches
//! w <- v if v's check loss is lower than u's, else u
//! ```
//!
//! Check batches are fresh and disjoint from the training batches, and both candidates see the same ones. Ties, NaN and
//! infinity go to the fallback. With gradient descent at 0 < rate < 2/L as fallback and *full objective* as decision,
//! F(w_{i+1}) - F* <= rho (F(w_i) - F*) with rho = 1 - 2 mu rate (1 - rate L / 2) on a mu-strongly convex, L-smooth F,
//! whatever the learned rule does: F(w_{i+1}) <= F(u), and u has made the fallback's progress from w.
//!
//! The premise is rate < 2/L *where the run is*. With a fixed rate on a network it can fail for a while: then the
//! fallback climbs, and a bad proposal may still be the lesser evil. The [veto](LossGuard::veto) refuses a proposal
//! that does not beat the current parameters either; [`Armijo`](crate::rule::Armijo) as fallback keeps the premise by
//! its own line search.
//!
//! What the paper leaves open is decided here: the first gradient of a round, at w, is computed once and shared; the
//! two sides take turns, so that one training batch at a time is enough.
//!
//! [`LossGuard::paper`] is the paper's guard. [`LossGuard::new`] is the one to use:
//!
//! | part | what it is for | what it costs |
//! |---|---|---|
//! | races of n_t = 20 steps, the first one at once | a learned rule that does not fit the task is found out before it moves anything | n_t - 1 gradients a race |
//! | [strides](LossGuard::stride) of up to 32 steps | guarding a learned rule that does fit | 3 n_c forwards a stride |
//! | [audits](LossGuard::audits), a race at growing gaps | a learned rule that has become slower than the fallback is found out | n_t - 1 gradients a race |
//! | [budget](LossGuard::budget) | a rule that never wins is asked ever less often | nothing |
//! | *margin 2*, [early stop](LossGuard::early_stop) at 2 | ties go to the fallback, clear cases take one check batch | saves check batches |
//! | [veto](LossGuard::veto) | see above | n_c forwards a check |
//!
//! A race comes first because some harm shows in no loss: one long stride can leave rectified units dead or sigmoids
//! saturated at a loss that is lower than before, and no fallback repairs that. In n_t steps of its own the fallback
//! shows what it would have come to.

use core::marker::PhantomData;

use super::pace::{Pace, PaceState, Round};
use super::policy::{KeepOwn, Sides, StatePolicy};
use super::{Decision, Guard, Verdict, Winner, blank};
use crate::batch::Source;
use crate::checkpoint::{Digest, Fingerprint, Persist};
use crate::error::Error;
use crate::objective::Objective;
use crate::oracle::{Oracle, Paired};
use crate::rule::{NoProbe, Rule, RuleState};
use crate::tensors::{Tensors, Zeroed};

/// LGL2O: a learned rule, a fallback, and a comparison of losses between them.
///
/// ```
/// use lgl2o::guard::{Decision, LossGuard};
/// use lgl2o::learned;
/// use lgl2o::rule::Sgd;
/// let guard = LossGuard::new(learned::tiny(), Sgd::new(1.0)).decision(Decision::Margin { z: 2.0 }).batches(10, 10);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LossGuard<L, F, S = KeepOwn> {
    learned: L,
    fallback: F,
    train_batches: u32,
    check_batches: u32,
    decision: Decision,
    /// Standard errors at which a comparison stops early; 0 for never.
    early_stop: f32,
    veto: bool,
    stay: bool,
    pace: Pace,
    policy: PhantomData<S>,
}

impl<L, F> LossGuard<L, F> {
    /// The guard that is safe and cheap: races of n_t = 20 steps at growing gaps; between them strides of up to 32
    /// steps, or the fallback alone; *margin 2* on up to n_c = 10 check batches, drawn until the difference is 2 standard
    /// errors; veto; the loser keeps its state.
    pub const fn new(learned: L, fallback: F) -> Self {
        Self {
            learned,
            fallback,
            train_batches: 20,
            check_batches: 10,
            decision: Decision::Margin { z: 2.0 },
            early_stop: 2.0,
            veto: true,
            stay: false,
            pace: Pace { stride: 32, budget: true, ..Pace::RACES },
            policy: PhantomData,
        }
    }

    /// The paper's guard, with n_t = n_c = 10 and *lower*: every round is a race; the loser keeps its state; no veto.
    pub const fn paper(learned: L, fallback: F) -> Self {
        Self {
            learned,
            fallback,
            train_batches: 10,
            check_batches: 10,
            decision: Decision::Lower,
            early_stop: 0.0,
            veto: false,
            stay: false,
            pace: Pace::RACES,
            policy: PhantomData,
        }
    }
}

impl<L, F, S> LossGuard<L, F, S> {
    /// The same guard with n_t training batches and n_c check batches a round, both at least 1.
    #[must_use]
    pub fn batches(self, train: u32, check: u32) -> Self {
        Self { train_batches: train, check_batches: check, ..self }
    }

    /// The same guard with another way to decide.
    #[must_use]
    pub fn decision(self, decision: Decision) -> Self {
        Self { decision, ..self }
    }

    /// The same guard with or without the veto: the learned candidate must also beat the current parameters. It costs
    /// n_c more forwards a round (one more of every example under *full objective*).
    #[must_use]
    pub fn veto(self, veto: bool) -> Self {
        Self { veto, ..self }
    }

    /// The same guard, whose check batches are drawn one by one until the difference is `z` standard errors; n_c is
    /// then the most that are drawn. 0 draws all of them always. *Full objective* and *sufficient decrease* do not
    /// stop early.
    ///
    /// A proposal that is a little better on most examples and ruins a share p of them is accepted if the first batch
    /// of B holds none of those, with probability (1 - p)^B whatever z is: with small batches, do without.
    #[must_use]
    pub fn early_stop(self, z: f32) -> Self {
        Self { early_stop: z, ..self }
    }

    /// The same guard with or without staying: if neither candidate beats the current parameters on the check batches,
    /// they stay, and nobody has won. For a deployed model that must never get worse. It costs what the veto costs, and
    /// the fallback is checked in every round, also where it goes on alone. Not with *sufficient decrease*, which does
    /// not look at the fallback's candidate.
    #[must_use]
    pub fn stay(self, stay: bool) -> Self {
        Self { stay, ..self }
    }

    /// The same guard with strides of at most `limit` learned steps between races; 0 for no strides. See
    /// [`pace`](super::pace).
    #[must_use]
    pub fn stride(self, limit: u32) -> Self {
        Self { pace: Pace { stride: limit, ..self.pace }, ..self }
    }

    /// The same guard with or without races that interrupt strides. Without them the learned side is only ever compared
    /// with single steps of the fallback.
    #[must_use]
    pub fn audits(self, audits: bool) -> Self {
        Self { pace: Pace { audits, ..self.pace }, ..self }
    }

    /// The same guard with or without a budget for a learned side that loses: the fallback goes on alone between races.
    #[must_use]
    pub fn budget(self, budget: bool) -> Self {
        Self { pace: Pace { budget, ..self.pace }, ..self }
    }

    /// The same guard with other gaps between races, in steps: the shortest, at least 1, and the longest.
    #[must_use]
    pub fn gaps(self, shortest: u32, longest: u32) -> Self {
        Self { pace: Pace { gap: [shortest, longest], ..self.pace }, ..self }
    }

    /// The same guard with another state policy.
    pub fn policy<T>(self) -> LossGuard<L, F, T> {
        LossGuard {
            learned: self.learned,
            fallback: self.fallback,
            train_batches: self.train_batches,
            check_batches: self.check_batches,
            decision: self.decision,
            early_stop: self.early_stop,
            veto: self.veto,
            stay: self.stay,
            pace: self.pace,
            policy: PhantomData,
        }
    }
}

/// Gradient, both candidates, both rule states, and what the policy needs.
#[derive(Debug, Clone)]
pub struct LossMemory<P, L, F, E> {
    gradient: P,
    learned: P,
    fallback: P,
    learned_state: L,
    fallback_state: F,
    extra: E,
    rounds: u32,
    pace: PaceState,
}

impl<P: Zeroed, L: Zeroed, F: Zeroed, E: Zeroed> Zeroed for LossMemory<P, L, F, E> {
    const ZERO: Self = Self {
        gradient: P::ZERO,
        learned: P::ZERO,
        fallback: P::ZERO,
        learned_state: L::ZERO,
        fallback_state: F::ZERO,
        extra: E::ZERO,
        rounds: 0,
        pace: PaceState::ZERO,
    };
}

/// Both rules' states, the count of rounds and the pace; the rest is made anew in each round.
impl<P, L: Persist, F: Persist, E> Persist for LossMemory<P, L, F, E> {
    crate::persist_fields!(learned_state, fallback_state, rounds, pace);
}

#[cfg(feature = "fault")]
impl<P, L, F, E> LossMemory<P, L, F, E> {
    /// The learned rule's state, to be disturbed.
    pub const fn learned_state_mut(&mut self) -> &mut L {
        &mut self.learned_state
    }
}

impl<L: Fingerprint, F: Fingerprint, S: StatePolicy> Fingerprint for LossGuard<L, F, S> {
    fn describe(&self, digest: &mut Digest) {
        digest.kind("loss-guard");
        self.learned.describe(digest);
        self.fallback.describe(digest);
        self.decision.describe(digest);
        self.pace.describe(digest);
        digest.kind(S::NAME);
        digest.numbers([self.early_stop]);
        let words = [self.train_batches, self.check_batches, u32::from(self.veto), u32::from(self.stay)];
        words.iter().for_each(|&word| digest.word(word));
    }
}

/// The memory of a guard over parameters of type P.
type MemoryOf<L, F, S, P> = <LossGuard<L, F, S> as Guard>::Memory<P>;

/// What the proposals of a round have come to.
#[derive(Debug, Clone, Copy)]
struct Proposals {
    train_loss: f32,
    /// |g(w)|^2 of the first, shared gradient; 0 where the decision does not ask for it.
    square: f32,
    /// Whether each side still stands at a finite point.
    learned: bool,
    fallback: bool,
    /// Whether the fallback's step is still to be made, from the first gradient.
    postponed: bool,
}

/// What the check batches have come to.
#[derive(Debug, Clone, Copy)]
struct Judgement {
    accept: bool,
    /// Whether the current parameters are to be kept.
    stay: bool,
    fallback_loss: f32,
    learned_loss: f32,
    standard_error: f32,
}

impl<L: Rule, F: Rule, S: StatePolicy> LossGuard<L, F, S> {
    fn check_settings(&self) -> Result<(), Error> {
        if self.train_batches == 0 || self.check_batches == 0 {
            return Err(Error::InvalidSetting { what: "n_t and n_c of the loss guard must be at least 1" });
        }
        if !(self.decision.is_valid() && self.early_stop >= 0.0 && self.early_stop.is_finite()) {
            return Err(Error::InvalidSetting { what: "z and kappa must be finite and not negative" });
        }
        if self.stay && matches!(self.decision, Decision::SufficientDecrease { .. }) {
            return Err(Error::InvalidSetting { what: "to stay, a guard must look at the fallback's candidate too" });
        }
        if !self.pace.is_valid() {
            return Err(Error::InvalidSetting {
                what: "gaps of the loss guard must rise from 1; no strides, no audits",
            });
        }
        Ok(())
    }

    /// Whether the fallback's step can wait until the learned one is refused.
    fn postpones(&self, learned_steps: u32) -> bool {
        matches!(self.decision, Decision::SufficientDecrease { .. }) && learned_steps == 1 && !self.fallback.probes()
    }

    /// Both candidates, so many steps from `params`; at least one step each, but the learned side may make none.
    fn propose<O: Objective>(
        &self,
        [learned_steps, fallback_steps]: [u32; 2],
        memory: &mut MemoryOf<L, F, S, O::Params>,
        params: &O::Params,
        oracle: &mut Oracle<'_, O>,
        source: &mut impl Source<O>,
    ) -> Result<Proposals, Error> {
        let batch = source.train()?;
        let train_loss = oracle.gradient(params, batch, &mut memory.gradient)?;
        if !memory.gradient.is_finite() {
            return Err(Error::NonFiniteGradient);
        }
        let LossMemory { gradient, learned, fallback, learned_state, fallback_state, extra, .. } = &mut *memory;
        S::begin(extra, &Sides { learned: learned_state, fallback: fallback_state });
        learned.copy_from(params);
        fallback.copy_from(params);
        S::learned_gradient::<L::State<O::Params>, F, O::Params>(extra, &self.fallback, params, gradient);
        S::fallback_gradient::<L, F::State<O::Params>, O::Params>(extra, &self.learned, params, gradient);
        if learned_steps > 0 {
            self.learned.step(learned_state, learned, gradient, train_loss, &mut oracle.probe(batch));
        }
        let mut proposals = Proposals {
            train_loss,
            square: if self.decision.asks_for_gradient() { gradient.squares() } else { 0.0 },
            learned: learned.is_finite(),
            fallback: true,
            postponed: self.postpones(learned_steps),
        };
        if !proposals.postponed {
            self.fallback.step(fallback_state, fallback, gradient, train_loss, &mut oracle.probe(batch));
            proposals.fallback = fallback.is_finite();
        }
        for done in 1..learned_steps.max(fallback_steps) {
            let turn = [done < learned_steps, done < fallback_steps];
            self.advance(turn, memory, &mut proposals, oracle, source)?;
        }
        Ok(proposals)
    }

    /// One more step of the sides whose turn it is, each with a gradient of its own. A side that is no longer finite
    /// stands still.
    fn advance<O: Objective>(
        &self,
        [learned_turn, fallback_turn]: [bool; 2],
        memory: &mut MemoryOf<L, F, S, O::Params>,
        proposals: &mut Proposals,
        oracle: &mut Oracle<'_, O>,
        source: &mut impl Source<O>,
    ) -> Result<(), Error> {
        let LossMemory { gradient, learned, fallback, learned_state, fallback_state, extra, .. } = memory;
        let batch = source.train()?;
        if fallback_turn && proposals.fallback {
            let loss = oracle.gradient(fallback, batch, gradient)?;
            proposals.fallback = gradient.is_finite();
            if proposals.fallback {
                S::fallback_gradient::<L, F::State<O::Params>, O::Params>(extra, &self.learned, fallback, gradient);
                self.fallback.step(fallback_state, fallback, gradient, loss, &mut oracle.probe(batch));
                proposals.fallback = fallback.is_finite();
            }
        }
        if learned_turn && proposals.learned {
            let loss = oracle.gradient(learned, batch, gradient)?;
            proposals.learned = gradient.is_finite();
            if proposals.learned {
                S::learned_gradient::<L::State<O::Params>, F, O::Params>(extra, &self.fallback, learned, gradient);
                self.learned.step(learned_state, learned, gradient, loss, &mut oracle.probe(batch));
                proposals.learned = learned.is_finite();
            }
        }
        Ok(())
    }

    /// Compares two points, and a third one where the veto asks for it, on the check batches or the full objective.
    fn compare<O: Objective>(
        &self,
        first: &O::Params,
        second: &O::Params,
        third: Option<&O::Params>,
        oracle: &mut Oracle<'_, O>,
        source: &mut impl Source<O>,
    ) -> Result<Paired, Error> {
        let mut paired = Paired::default();
        if self.decision == Decision::FullObjective {
            let mut part = 0;
            while let Some(batch) = source.objective(part)? {
                oracle.compare(first, second, third, batch, &mut paired)?;
                part += 1;
            }
            if part == 0 {
                return Err(Error::NoObjective);
            }
        } else {
            for _ in 0..self.check_batches {
                let batch = source.check()?;
                oracle.compare(first, second, third, batch, &mut paired)?;
                if self.is_clear(&paired) {
                    break;
                }
            }
        }
        Ok(paired)
    }

    /// Whether no more check batches are needed.
    fn is_clear(&self, paired: &Paired) -> bool {
        let error = self.early_stop * paired.standard_error();
        // A standard error of 0 is that of one example or of equal losses, which says nothing.
        let stops = error > 0.0 && !matches!(self.decision, Decision::SufficientDecrease { .. });
        stops && crate::math::abs(paired.difference()) > error
    }

    /// Whether v may be kept, and both losses.
    fn judge<O: Objective>(
        &self,
        memory: &MemoryOf<L, F, S, O::Params>,
        params: &O::Params,
        proposals: &Proposals,
        oracle: &mut Oracle<'_, O>,
        source: &mut impl Source<O>,
    ) -> Result<Judgement, Error> {
        let (u, v) = (&memory.fallback, &memory.learned);
        if let Decision::SufficientDecrease { kappa } = self.decision {
            let paired = self.compare(params, v, None, oracle, source)?;
            let enough = paired.second() <= paired.first() - kappa * proposals.square;
            return Ok(Judgement {
                accept: proposals.learned && paired.second().is_finite() && enough,
                stay: false,
                fallback_loss: f32::NAN,
                learned_loss: if proposals.learned { paired.second() } else { f32::INFINITY },
                standard_error: crate::oracle::or_infinity(paired.standard_error()),
            });
        }
        let third = (self.veto || self.stay).then_some(params);
        let paired = self.compare(u, v, third, oracle, source)?;
        let fallback_loss = if proposals.fallback { paired.first() } else { f32::INFINITY };
        let learned_loss = if proposals.learned { paired.second() } else { f32::INFINITY };
        let margin = self.decision.margin(memory.rounds.saturating_add(1));
        let ahead = if margin > 0.0 && fallback_loss.is_finite() {
            paired.difference() < -margin * paired.standard_error()
        } else {
            learned_loss < fallback_loss
        };
        let allowed = !(self.veto || self.stay) || learned_loss < paired.third();
        let accept = learned_loss.is_finite() && ahead && allowed;
        Ok(Judgement {
            accept,
            stay: self.stay && !accept && fallback_loss >= paired.third(),
            fallback_loss,
            learned_loss,
            standard_error: crate::oracle::or_infinity(paired.standard_error()),
        })
    }

    /// Whether the fallback's candidate may be kept where it stands alone: always, unless it should not be worse than
    /// the current parameters.
    fn judge_alone<O: Objective>(
        &self,
        memory: &MemoryOf<L, F, S, O::Params>,
        params: &O::Params,
        proposals: &Proposals,
        oracle: &mut Oracle<'_, O>,
        source: &mut impl Source<O>,
    ) -> Result<Judgement, Error> {
        let mut judgement = Judgement {
            accept: false,
            stay: false,
            fallback_loss: f32::NAN,
            learned_loss: f32::NAN,
            standard_error: 0.0,
        };
        if self.stay {
            let paired = self.compare(params, &memory.fallback, None, oracle, source)?;
            judgement.fallback_loss = if proposals.fallback { paired.second() } else { f32::INFINITY };
            judgement.stay = judgement.fallback_loss >= paired.first();
            judgement.standard_error = crate::oracle::or_infinity(paired.standard_error());
        }
        Ok(judgement)
    }
}

impl<L: Rule, F: Rule, S: StatePolicy> LossGuard<L, F, S> {
    /// Keeps one candidate and settles the states.
    fn commit<P: Tensors>(
        &self,
        memory: &mut MemoryOf<L, F, S, P>,
        params: &mut P,
        proposals: &mut Proposals,
        judgement: &Judgement,
    ) -> Winner {
        let accept = judgement.accept;
        let LossMemory { gradient, learned, fallback, learned_state, fallback_state, extra, .. } = memory;
        if proposals.postponed && accept {
            self.fallback.observe(fallback_state, params, gradient);
        } else if proposals.postponed {
            self.fallback.step(fallback_state, fallback, gradient, proposals.train_loss, &mut NoProbe);
            proposals.fallback = fallback.is_finite();
        }
        let winner = match (accept, proposals.fallback && !judgement.stay) {
            (true, _) => Winner::Learned,
            (false, true) => Winner::Fallback,
            (false, false) => Winner::Neither,
        };
        match winner {
            Winner::Learned => params.copy_from(learned),
            Winner::Fallback => params.copy_from(fallback),
            Winner::Neither => {}
        }
        S::settle(extra, &mut Sides { learned: learned_state, fallback: fallback_state }, winner);
        if !proposals.learned && !learned_state.is_finite() {
            learned_state.reset();
        }
        if !proposals.fallback && !fallback_state.is_finite() {
            fallback_state.reset();
        }
        winner
    }
}

impl<L: Rule, F: Rule, S: StatePolicy> Guard for LossGuard<L, F, S> {
    type Memory<P: Tensors> = LossMemory<P, L::State<P>, F::State<P>, S::Extra<L::State<P>, F::State<P>>>;

    fn memory<P: Tensors>(&self, like: &P) -> Self::Memory<P> {
        let (learned_state, fallback_state) = (self.learned.state(like), self.fallback.state(like));
        LossMemory {
            gradient: blank(like),
            learned: blank(like),
            fallback: blank(like),
            extra: S::extra(&learned_state, &fallback_state),
            learned_state,
            fallback_state,
            rounds: 0,
            pace: PaceState::ZERO,
        }
    }

    fn round<O: Objective>(
        &self,
        memory: &mut Self::Memory<O::Params>,
        params: &mut O::Params,
        oracle: &mut Oracle<'_, O>,
        source: &mut impl Source<O>,
    ) -> Result<Verdict, Error> {
        self.check_settings()?;
        source.begin_round();
        let room = source.room().max(1);
        let round = memory.pace.next(&self.pace, self.train_batches, room);
        let steps @ [learned_steps, fallback_steps] = match round {
            Round::Race => [self.train_batches.min(room); 2],
            Round::Stride(k) => [k, 1],
            Round::Alone => [0, 1],
        };
        let mut proposals = self.propose(steps, memory, params, oracle, source)?;
        let judgement = match round {
            Round::Alone => self.judge_alone(memory, params, &proposals, oracle, source)?,
            _ => self.judge(memory, params, &proposals, oracle, source)?,
        };
        let winner = self.commit(memory, params, &mut proposals, &judgement);
        let won = winner == Winner::Learned;
        memory.rounds = memory.rounds.saturating_add(1);
        memory.pace.settle(&self.pace, round, self.train_batches, won);
        Ok(Verdict {
            winner,
            steps: if won { learned_steps } else { fallback_steps },
            train_loss: proposals.train_loss,
            fallback_loss: judgement.fallback_loss,
            learned_loss: judgement.learned_loss,
            standard_error: judgement.standard_error,
            spent: oracle.spent(),
        })
    }
}
