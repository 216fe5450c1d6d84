//! A round held against the theorem.

use std::fmt::Debug;

use lgl2o::guard::{Decision, Follow, KeepOwn, LossGuard, Reset, Rewind, StatePolicy};
use lgl2o::rule::Sgd;
use lgl2o::tensors::Tensors;
use lgl2o::{Guard, Rule, Trainer};
use lgl2o_tests::adversary::Attack;
use lgl2o_tests::known::{self, Known, Params, UNIT, descent, flat, norm, rho, step_error};
use lgl2o_tests::run;
use proptest::prelude::*;

/// What becomes of a loser's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Policy {
    KeepOwn,
    Rewind,
    Reset,
    Follow,
}

/// How the two sides meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Schedule {
    /// The paper's guard: races of so many steps.
    Races(u32),
    /// Races of `train` steps, between them strides of up to `limit` steps or a share of those so far.
    Strides { train: u32, limit: u32, stretch: u32, audits: bool, budget: bool, gaps: (u32, u32) },
}

/// A guard for which the theorem is to hold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Setting {
    /// The fallback's rate as a share of 2/L.
    pub(crate) share: f32,
    /// Whether to judge by *sufficient decrease*; else by *full objective*.
    pub(crate) sufficient: bool,
    pub(crate) policy: Policy,
    pub(crate) schedule: Schedule,
    pub(crate) veto: bool,
    pub(crate) stay: bool,
}

/// The paper's guard with n_t = 1, at half of 2/L.
pub(crate) const PAPER: Setting = Setting {
    share: 0.5,
    sufficient: false,
    policy: Policy::KeepOwn,
    schedule: Schedule::Races(1),
    veto: false,
    stay: false,
};

pub(crate) fn policy() -> impl Strategy<Value = Policy> {
    prop::sample::select(vec![Policy::KeepOwn, Policy::Rewind, Policy::Reset, Policy::Follow])
}

pub(crate) fn schedule() -> impl Strategy<Value = Schedule> {
    let gaps = (1u32..8, 0u32..40).prop_map(|(short, more)| (short, short + more));
    let strides = (1u32..6, 1u32..=64, prop::sample::select(vec![0u32, 4]), any::<bool>(), any::<bool>(), gaps);
    prop_oneof![
        (1u32..=3).prop_map(Schedule::Races),
        strides.prop_map(|(train, limit, stretch, audits, budget, gaps)| Schedule::Strides {
            train,
            limit,
            stretch,
            audits,
            budget,
            gaps
        }),
    ]
}

/// Rates from 2 % to 98 % of 2/L, both decisions, all policies, races of 1 to 3 steps or strides of up to 1 to 64 with
/// races of 1 to 5 steps in between, or none.
pub(crate) fn setting() -> impl Strategy<Value = Setting> {
    (0.02f32..0.98, any::<bool>(), policy(), schedule(), any::<bool>(), any::<bool>()).prop_map(
        |(share, sufficient, policy, schedule, veto, stay)| Setting {
            share,
            sufficient,
            policy,
            schedule,
            veto,
            // A guard that does not look at the fallback's candidate cannot stay.
            stay: stay && !sufficient,
        },
    )
}

/// A guard with this schedule, that decides by the full objective.
pub(crate) fn scheduled<L, F>(schedule: Schedule, learned: L, fallback: F) -> LossGuard<L, F> {
    match schedule {
        Schedule::Races(n) => LossGuard::paper(learned, fallback).batches(n, 1),
        Schedule::Strides { train, limit, stretch, audits, budget, gaps: (short, long) } => {
            let guard = LossGuard::new(learned, fallback).batches(train, 1).veto(false);
            guard.stride(limit).stretch(stretch).audits(audits).budget(budget).gaps(short, long)
        }
    }
    .decision(Decision::FullObjective)
}

/// What a round has come to, in units of F.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Round {
    /// F - F* before and after it.
    pub(crate) before: f64,
    pub(crate) after: f64,
    /// kappa |grad F|^2 where it began.
    pub(crate) decrease: f64,
    /// rho^n, n the steps that the fallback is promised to have made.
    pub(crate) factor: f64,
    /// What single precision may have added.
    pub(crate) rounding: f64,
}

impl Round {
    /// How far it ended above what is promised; 0 or less if the theorem holds.
    pub(crate) fn excess(&self) -> f64 {
        let bound = (self.factor * self.before).min(self.before - self.decrease);
        self.after - bound - self.rounding
    }
}

impl Setting {
    /// The fallback's rate.
    pub(crate) fn rate(&self, problem: &impl Known) -> f32 {
        self.share * 2.0 / problem.smoothness() as f32
    }

    /// Steps of the fallback in a race; the promise is that of one step in rounds that may be none.
    const fn steps(&self) -> (u32, u32) {
        match self.schedule {
            Schedule::Races(n) if self.sufficient => (n, 1),
            Schedule::Races(n) => (n, n),
            Schedule::Strides { train, .. } => (train, 1),
        }
    }

    pub(crate) fn guard<K: Known, L>(&self, problem: &K, learned: L) -> LossGuard<L, Sgd> {
        let rate = self.rate(problem);
        let guard = scheduled(self.schedule, learned, Sgd::new(rate)).veto(self.veto).stay(self.stay);
        let kappa = known::kappa(problem, rate) as f32;
        if self.sufficient { guard.decision(Decision::SufficientDecrease { kappa }) } else { guard }
    }

    /// So many rounds against an attack, each handed to `each`, which says whether to go on.
    pub(crate) fn run<K: Known, L: Rule + Debug>(
        &self,
        problem: &K,
        learned: L,
        rounds: u32,
        each: impl FnMut(Round, &Params<K>) -> bool,
    ) {
        let guard = self.guard(problem, learned);
        match self.policy {
            Policy::KeepOwn => self.follow(problem, &guard.policy::<KeepOwn>(), rounds, each),
            Policy::Rewind => self.follow(problem, &guard.policy::<Rewind>(), rounds, each),
            Policy::Reset => self.follow(problem, &guard.policy::<Reset>(), rounds, each),
            Policy::Follow => self.follow(problem, &guard.policy::<Follow>(), rounds, each),
        }
    }

    fn follow<K: Known, L: Rule, S: StatePolicy>(
        &self,
        problem: &K,
        guard: &LossGuard<L, Sgd, S>,
        rounds: u32,
        mut each: impl FnMut(Round, &Params<K>) -> bool,
    ) {
        let mut memory = run::memory(problem.objective(), guard, &problem.start());
        let mut source = problem.source();
        for _ in 0..rounds {
            let w = memory.params().clone();
            Trainer::new(problem.objective(), guard, &mut memory).round(&mut source).unwrap();
            if !each(self.round(problem, &w, memory.params()), memory.params()) {
                return;
            }
        }
    }

    /// A round that has led from `w` to `reached`.
    ///
    /// Rounding: each of the fallback's steps may be off. A candidate that is kept for its loss in single precision may
    /// be above u by the errors of both losses, u the fallback's after one step or after all; one that is kept for its
    /// decrease, above what was asked for by those of both losses and of kappa |g|^2.
    pub(crate) fn round<K: Known>(&self, problem: &K, w: &Params<K>, reached: &Params<K>) -> Round {
        let rate = self.rate(problem);
        let (steps, promised) = self.steps();
        let path = descent(problem, w, rate, steps);
        let (start, end) = (&path[0], flat(reached));
        let gradient = problem.slope(start);
        let slope = norm(&gradient);
        let kappa = known::kappa(problem, rate);
        let error = |w: &[f64]| problem.loss_error(w);
        let walk: f64 = path[..steps as usize].iter().map(|w| step_error(problem, w, rate.into())).sum();
        let mut rounding = walk + error(&path[1]) + error(&path[steps as usize]) + error(&end);
        if self.sufficient {
            let off = problem.slope_error(start, &gradient);
            let square = 2.0 * slope * off + off * off + (w.len() as f64 + 8.0) * UNIT * slope * slope;
            rounding += 2.0 * error(start) + kappa * square;
        }
        Round {
            before: problem.excess(start),
            after: problem.excess(&end),
            decrease: kappa * slope * slope,
            factor: rho(problem, rate).powi(promised as i32),
            rounding,
        }
    }

    /// The theorem in every one of so many rounds, against all attacks.
    pub(crate) fn assert_theorem<K: Known>(&self, problem: &K, rounds: u32) {
        for learned in Attack::all(1.0 / problem.smoothness() as f32) {
            let mut i = 0;
            self.run(problem, learned, rounds, |round, _| {
                assert!(round.excess() <= 0.0, "{learned:?}, {self:?}, round {i}: {:e}, {round:?}", round.excess());
                i += 1;
                true
            });
        }
    }

    /// How far any of some rounds ended above what is promised; the worst, in units of F - F* before it.
    pub(crate) fn worst<K: Known>(&self, problem: &K, learned: impl Rule + Debug, rounds: u32) -> f64 {
        let mut worst = f64::NEG_INFINITY;
        self.run(problem, learned, rounds, |round, _| {
            worst = worst.max(round.excess() / round.before.max(f64::MIN_POSITIVE));
            true
        });
        worst
    }
}

/// Rounds of any guard, for laws of their own.
pub(crate) fn rounds<K: Known, G: Guard>(
    problem: &K,
    guard: &G,
    rounds: u32,
    mut each: impl FnMut(&Params<K>, &Params<K>),
) {
    let mut memory = run::memory(problem.objective(), guard, &problem.start());
    let mut source = problem.source();
    for _ in 0..rounds {
        let w = memory.params().clone();
        Trainer::new(problem.objective(), guard, &mut memory).round(&mut source).unwrap();
        each(&w, memory.params());
    }
}
