//! What a state policy makes of the loser's state.
//!
//! Both sides are rules that record what their accumulators have seen. The test scripts who wins which round, reads the
//! gradients of both trajectories off the records, and computes from the policy's words what each side must know at the
//! beginning of the next round.

use lgl2o::guard::{Decision, Follow, KeepOwn, LossGuard, Reset, Rewind, StatePolicy};
use lgl2o::objective::Quadratic;
use lgl2o::source::Exact;
use lgl2o::{Trainer, Winner};
use lgl2o_tests::task::{BOWL_START, bowl};
use lgl2o_tests::trail::{Call, Move, Trail};
use lgl2o_tests::{cases, run};
use proptest::prelude::*;

/// A policy, named by a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Name {
    KeepOwn,
    Rewind,
    Reset,
    Follow,
}

/// One side in one round: what it knew at the start, and the gradients of its trajectory.
#[derive(Debug, Clone, Default)]
struct Side {
    start: Vec<u64>,
    gradients: Vec<u64>,
    poisoned: bool,
}

impl Side {
    /// What the side knows after the round, by the words of the policy.
    fn after(&self, policy: Name, me: Winner, winner: Winner, other: &Self) -> Vec<u64> {
        let own = [&self.start[..], &self.gradients].concat();
        let (state, poisoned) = match policy {
            _ if winner == me => (own, self.poisoned),
            Name::KeepOwn => (own, self.poisoned),
            Name::Rewind => (self.start.clone(), false),
            Name::Reset => (Vec::new(), false),
            // With no winner there is nobody to follow.
            Name::Follow if winner == Winner::Neither => (own, self.poisoned),
            Name::Follow => ([&self.start[..], &other.gradients].concat(), false),
        };
        // Accumulators that are not finite after all that start afresh.
        if poisoned { Vec::new() } else { state }
    }

    /// Checks the records of a round: every step knew the start and the gradients before it.
    fn record(&mut self, calls: &[Call], poisoned: bool, what: &str) {
        self.gradients.clear();
        for call in calls {
            let known = [&self.start[..], &self.gradients].concat();
            assert_eq!(call.before.gradients, known, "{what}");
            assert!(!call.before.poisoned, "{what}: poison goes with the step that brought it");
            self.gradients.push(call.gradient);
        }
        self.poisoned = poisoned;
    }
}

/// Runs a script of moves of both sides and checks every state on the way.
fn assert_policy<S: StatePolicy>(policy: Name, script: &[(Move, Move)], steps: u32) {
    // Eigenvalues are 1 to 10, so the learned side's good step is better than the fallback's and its bad one worse; a
    // bad step stretches by at most 4, so 18 of them overflow nothing.
    let (learned, fallback) = (Trail::new(0.1, 0.3), Trail::new(0.01, 0.1));
    let guard = LossGuard::paper(&learned, &fallback).batches(steps, 1).policy::<S>();
    let objective = bowl();
    let mut memory = run::memory(&objective, &guard, &BOWL_START);
    let (mut l, mut f) = (Side::default(), Side::default());
    for (round, &(left, right)) in script.iter().enumerate() {
        learned.next.set(left);
        fallback.next.set(right);
        let verdict = Trainer::new(&objective, &guard, &mut memory).round(&mut Exact).unwrap();
        let what = format!("{policy:?}, {script:?}, n_t = {steps}, round {round}");
        l.record(&learned.take(), left == Move::Poison, &format!("{what}, learned"));
        f.record(&fallback.take(), right == Move::Poison, &format!("{what}, fallback"));
        assert_eq!(verdict.winner, expected_winner(left, right), "{what}");
        let next = l.after(policy, Winner::Learned, verdict.winner, &f);
        f.start = f.after(policy, Winner::Fallback, verdict.winner, &l);
        l.start = next;
    }
}

fn expected_winner(learned: Move, fallback: Move) -> Winner {
    let lost = |side| matches!(side, Move::Nan | Move::Poison);
    match (learned, fallback) {
        (l, f) if lost(l) && lost(f) => Winner::Neither,
        (l, _) if lost(l) => Winner::Fallback,
        (_, f) if lost(f) => Winner::Learned,
        (Move::Good, _) => Winner::Learned,
        _ => Winner::Fallback,
    }
}

fn side() -> impl Strategy<Value = Move> {
    prop_oneof![4 => Just(Move::Good), 4 => Just(Move::Bad), 1 => Just(Move::Nan), 1 => Just(Move::Poison)]
}

proptest! {
    #![proptest_config(cases!(400, "guard_laws/policies"))]

    /// Every policy, for every script of wins, losses, NaNs and broken accumulators.
    #[test]
    fn the_losers_state_is_what_the_policy_says(
        script in prop::collection::vec((side(), side()), 1..7),
        steps in 1u32..4,
    ) {
        assert_policy::<KeepOwn>(Name::KeepOwn, &script, steps);
        assert_policy::<Rewind>(Name::Rewind, &script, steps);
        assert_policy::<Reset>(Name::Reset, &script, steps);
        assert_policy::<Follow>(Name::Follow, &script, steps);
    }
}

/// The comparison can fail: keeping one's own state is not rewinding it.
#[test]
#[should_panic(expected = "Rewind")]
fn another_policy_is_noticed() {
    assert_policy::<KeepOwn>(Name::Rewind, &[(Move::Bad, Move::Good), (Move::Good, Move::Good)], 2);
}

/// With n_t = 1 both sides see one gradient, so following is keeping one's own, as long as all is finite.
#[test]
fn following_is_keeping_own_for_one_step() {
    let script = [(Move::Good, Move::Good), (Move::Bad, Move::Good), (Move::Good, Move::Bad)];
    assert_policy::<Follow>(Name::KeepOwn, &script, 1);
}

/// Under *sufficient decrease* with n_t = 1 the fallback's step may never be made; its state is what it would be
/// anyway: it has seen every round's gradient, won or lost.
#[test]
fn a_postponed_fallback_sees_every_gradient() {
    let (learned, fallback) = (Trail::new(0.1, 10.0), Trail::new(0.01, 1.0));
    let decision = Decision::SufficientDecrease { kappa: 1e-3 };
    let guard = LossGuard::paper(&learned, &fallback).batches(1, 1).decision(decision);
    let objective: Quadratic<4> = bowl();
    let mut memory = run::memory(&objective, &guard, &BOWL_START);
    let mut seen = Vec::new();
    for side in [Move::Good, Move::Good, Move::Bad, Move::Good, Move::Nan] {
        learned.next.set(side);
        let verdict = Trainer::new(&objective, &guard, &mut memory).round(&mut Exact).unwrap();
        let (asked, postponed) = (learned.take(), fallback.take());
        assert_eq!(verdict.winner == Winner::Learned, side == Move::Good);
        assert_eq!(postponed.is_empty(), side == Move::Good, "made only when the learned step is refused");
        for call in postponed {
            assert_eq!(call.before.gradients, seen);
        }
        seen.push(asked[0].gradient);
    }
}
