//! What is wrong is said exactly, and changes nothing: parameters stay as they were, bit for bit, and where the first
//! batch was refused, so do all states: the run goes on as if the round had never been asked for.

use lgl2o::batch::Batch;
use lgl2o::fault::Adversary;
use lgl2o::guard::{Decision, Follow, KeepOwn, LossGuard, MuRule, RelayGuard, ResidualGuard, Unguarded};
use lgl2o::objective::{Logistic, Objective};
use lgl2o::rule::{Adam, Sgd};
use lgl2o::source::{Exact, Source};
use lgl2o::{Error, Guard, Rule, Trainer, Winner};
use lgl2o_tests::task::{BATCH, BOWL_START, Data, Whole, bowl, small_mlp, start};
use lgl2o_tests::{bits, run, with_every_guard};

/// What a bad batch is refused with.
fn refusals<'a>() -> Vec<(Batch<'a>, Error)> {
    const ZEROS: [f32; 64] = [0.0; 64];
    const LABELS: [u8; 32] = [1; 32];
    const HIGH: [u8; 2] = [0, 2];
    let nan: &'static [f32] = &[0.5, f32::NAN];
    let infinite: &'static [f32] = &[f32::INFINITY, 0.5];
    let mismatch = |what, expected, found| Error::ShapeMismatch { what, expected, found };
    vec![
        (Batch::classes(&[], 2, &[]), Error::EmptyBatch),
        (Batch::picked_classes(&ZEROS, 2, &LABELS, &[]), Error::EmptyBatch),
        (Batch::classes(&ZEROS[..18], 2, &LABELS[..9]), Error::BatchTooLarge { examples: 9, capacity: 8 }),
        (Batch::picked_classes(&ZEROS, 2, &LABELS, &[0; 11]), Error::BatchTooLarge { examples: 11, capacity: 8 }),
        (Batch::classes(&ZEROS[..6], 3, &LABELS[..2]), mismatch("an input row", 2, 3)),
        (Batch::picked_classes(&ZEROS, 2, &LABELS, &[1, 32]), mismatch("an input row", 2, 0)),
        (Batch::classes(&ZEROS[..6], 2, &LABELS[..2]), mismatch("the list of targets", 3, 2)),
        (Batch::classes(&ZEROS[..4], 2, &LABELS[..3]), mismatch("the list of targets", 2, 3)),
        (Batch::classes(&ZEROS[..4], 2, &HIGH), Error::LabelOutOfRange { label: 2, classes: 2 }),
        (Batch::values(&ZEROS[..4], 2, &ZEROS[..4], 2), Error::WrongTargets),
        (Batch::classes(nan, 2, &LABELS[..1]), Error::NonFiniteGradient),
        (Batch::classes(infinite, 2, &LABELS[..1]), Error::NonFiniteGradient),
    ]
}

/// Every bad batch against one guard: refused, nothing changed, and the rounds before and after are those of a run that
/// never met it.
fn assert_refused<G: Guard>(name: &str, guard: &G) {
    let (objective, data) = (small_mlp(), Data::disk(256, 1));
    let initial = start(&objective, 2);
    let undisturbed = data.sampling(BATCH, 3, |s| run::rounds(&objective, guard, s, &initial, 8)).unwrap();
    for (batch, expected) in refusals() {
        let mut memory = run::memory(&objective, guard, &initial);
        let mut trainer = Trainer::new(&objective, guard, &mut memory);
        data.sampling(BATCH, 3, |sampler| {
            for round in 0..8 {
                let before = (bits::of(trainer.params()), trainer.progress().rounds);
                if round == 4 {
                    assert_eq!(trainer.round(&mut Whole(batch)), Err(expected), "{name}");
                    assert_eq!((bits::of(trainer.params()), trainer.progress().rounds), before, "{name}, {expected}");
                }
                trainer.round(sampler).unwrap();
            }
        });
        assert_eq!(bits::of(trainer.params()), bits::of(&undisturbed.params), "{name}, {expected}");
    }
}

/// Every guard refuses every bad batch, and goes on as if nothing had been.
#[test]
fn bad_batches_are_refused_and_leave_nothing_behind() {
    let (learned, fallback) = (Adam::new(0.01), Adam::new(0.02));
    with_every_guard!(assert_refused, learned, fallback);
    assert_refused("loss, one batch", &LossGuard::paper(learned, fallback).batches(1, 1));
    assert_refused(
        "loss, growing",
        &LossGuard::paper(learned, fallback).decision(Decision::GrowingMargin).batches(1, 1),
    );
    let decision = Decision::SufficientDecrease { kappa: 0.1 };
    assert_refused("loss, armijo", &LossGuard::paper(learned, fallback).decision(decision).policy::<Follow>());
    assert_refused("relay, short", &RelayGuard::new(learned, fallback).race(9).longest_round(4));
    assert_refused("relay, handed over", &RelayGuard::new(learned, fallback).race(1).hand_over(1).longest_round(1));
}

/// Good training batches and a bad check batch.
struct BadCheck<'a>(Whole<'a>, Result<Batch<'a>, Error>);

impl<O: for<'b> Objective<Batch<'b> = Batch<'b>>> Source<O> for BadCheck<'_> {
    fn train(&mut self) -> Result<Batch<'_>, Error> {
        Ok(self.0.0)
    }
    fn check(&mut self) -> Result<Batch<'_>, Error> {
        self.1
    }
}

/// A check batch that is bad, or missing, ends the round with its error and leaves the parameters.
#[test]
fn bad_checks_leave_the_parameters() {
    let (objective, data) = (small_mlp(), Data::disk(BATCH, 1));
    let good = Whole(Batch::classes(&data.inputs, 2, &data.labels));
    let initial = start(&objective, 2);
    let empty = BadCheck(good, Ok(Batch::classes(&[], 2, &[])));
    for (mut source, expected) in [(empty, Error::EmptyBatch), (BadCheck(good, Err(Error::NoBatch)), Error::NoBatch)] {
        for steps in [1, 2] {
            let guard = LossGuard::paper(Adam::new(0.01), Sgd::new(0.1)).batches(steps, 1);
            let mut memory = run::memory(&objective, &guard, &initial);
            assert_eq!(Trainer::new(&objective, &guard, &mut memory).round(&mut source), Err(expected));
            assert_eq!(bits::of(memory.params()), bits::of(&initial));
        }
        let guard = ResidualGuard::new(Adam::new(0.01), Sgd::new(0.1));
        let mut memory = run::memory(&objective, &guard, &initial);
        assert_eq!(Trainer::new(&objective, &guard, &mut memory).round(&mut source), Err(expected));
        assert_eq!(bits::of(memory.params()), bits::of(&initial));
    }
    let mut no_number = BadCheck(good, Ok(Batch::classes(&[0.5, f32::NAN], 2, &[1])));
    let guard = RelayGuard::new(Adam::new(0.01), Sgd::new(0.1)).race(2);
    let mut memory = run::memory(&objective, &guard, &initial);
    let mut trainer = Trainer::new(&objective, &guard, &mut memory);
    assert_eq!(trainer.round(&mut no_number), Err(Error::NonFiniteLoss));
    let bad = || BadCheck(good, Ok(Batch::classes(&[0.5, f32::NAN], 2, &[1])));
    let paper = LossGuard::paper(Adam::new(0.01), Sgd::new(0.1));
    let decrease = Decision::SufficientDecrease { kappa: 0.1 };
    for guard in [paper, LossGuard::new(Adam::new(0.01), Sgd::new(0.1)), paper.stay(true), paper.decision(decrease)] {
        let mut memory = run::memory(&objective, &guard, &initial);
        let outcome = Trainer::new(&objective, &guard, &mut memory).round(&mut bad());
        assert_eq!(outcome, Err(Error::NonFiniteLoss), "{guard:?}");
        assert_eq!(bits::of(memory.params()), bits::of(&initial));
    }
    // The relay's steps are not lost: the next round makes up for the check.
    assert_eq!(trainer.round(&mut { good }).map(|verdict| verdict.steps), Ok(2));
    // This source has no full objective to offer.
    let guard = LossGuard::paper(Adam::new(0.01), Sgd::new(0.1)).decision(Decision::FullObjective);
    let outcome = run::rounds(&objective, &guard, &mut BadCheck(good, Err(Error::NoBatch)), &initial, 1);
    assert_eq!(outcome.err(), Some(Error::NoObjective));
}

/// Logistic regression needs class labels, whatever the width of the values that it is given.
#[test]
fn logistic_regression_needs_labels() {
    let objective = Logistic::<2, 8>::new(0.1).unwrap();
    let refusal = |batch: Batch<'_>| objective.losses(&mut [0.0; 8], &([0.0; 2], [0.0]), batch, &mut [0.0; 8]).err();
    for outputs in [1, 2, 3] {
        let targets = vec![0.0; 2 * outputs];
        assert_eq!(refusal(Batch::values(&[0.0; 4], 2, &targets, outputs)), Some(Error::WrongTargets), "{outputs}");
    }
    assert_eq!(refusal(Batch::classes(&[0.0; 4], 2, &[0, 1])), None);
}

/// Settings out of range end a round before anything is asked for.
#[test]
fn settings_out_of_range_are_refused() {
    let guard = LossGuard::paper(Sgd::new(0.1), Sgd::new(0.1));
    let refused = |guard: LossGuard<Sgd, Sgd, KeepOwn>| {
        let outcome = run::rounds(&bowl(), &guard, &mut Exact, &BOWL_START, 1);
        matches!(outcome, Err(Error::InvalidSetting { .. }))
    };
    assert!(!refused(guard.batches(1, 1)));
    assert!(refused(guard.batches(0, 1)) && refused(guard.batches(1, 0)));
    for bad in [-1.0, f32::NAN, f32::INFINITY] {
        assert!(refused(guard.decision(Decision::Margin { z: bad })), "z = {bad}");
        assert!(refused(guard.decision(Decision::SufficientDecrease { kappa: bad })), "kappa = {bad}");
        assert!(refused(guard.early_stop(bad)), "early stop at {bad}");
    }
    for guard in [guard, LossGuard::new(Sgd::new(0.1), Sgd::new(0.1))] {
        assert!(refused(guard.gaps(0, 5)) && refused(guard.gaps(5, 4)) && !refused(guard.gaps(1, 1)));
        assert!(refused(guard.stride(0).audits(false)) && !refused(guard.stride(1).audits(false)));
    }
    let residual = ResidualGuard::new((), ());
    for alpha in [-0.1, 1.0, f32::NAN] {
        assert!(matches!(residual.with(alpha, MuRule::RecentTerm), Err(Error::InvalidSetting { .. })));
    }
    for rule in [MuRule::Geometric(0.0), MuRule::Geometric(1.0), MuRule::RecentMax(0), MuRule::RecentMax(33)] {
        assert!(residual.with(0.5, rule).is_err(), "{rule:?}");
    }
}

/// A batch without a finite gradient, wherever in a round it comes, is an error that names it, and no lost race.
#[test]
fn a_bad_batch_in_the_middle_of_a_round_is_named() {
    /// Good batches, but for one.
    struct Bad<'a>(Whole<'a>, u32);
    impl<O: for<'b> Objective<Batch<'b> = Batch<'b>>> Source<O> for Bad<'_> {
        fn train(&mut self) -> Result<Batch<'_>, Error> {
            self.1 = self.1.wrapping_sub(1);
            Ok(if self.1 == 0 { Batch::classes(&[f32::NAN, 0.5], 2, &[1]) } else { self.0.0 })
        }
        fn check(&mut self) -> Result<Batch<'_>, Error> {
            Ok(self.0.0)
        }
    }
    fn outcome(guard: &impl Guard, at: u32) -> Option<Error> {
        let (objective, data) = (small_mlp(), Data::disk(BATCH, 1));
        let good = Whole(Batch::classes(&data.inputs, 2, &data.labels));
        run::rounds(&objective, guard, &mut Bad(good, at), &start(&objective, 2), 1).err()
    }
    let (learned, fallback) = (Adam::new(0.01), Sgd::new(0.1));
    for at in [1, 2, 5] {
        assert_eq!(outcome(&LossGuard::paper(learned, fallback).batches(5, 2), at), Some(Error::NonFiniteGradient));
        assert_eq!(outcome(&RelayGuard::new(learned, fallback).race(6), at), Some(Error::NonFiniteGradient));
    }
    assert_eq!(outcome(&LossGuard::paper(learned, fallback).batches(5, 2), 6), None);
}

/// If nobody is finite, nobody wins, the parameters stay, and the run can go on.
#[test]
fn if_nobody_is_finite_nobody_wins() {
    fn assert_neither(guard: &impl Guard) {
        let run = run::rounds(&bowl(), guard, &mut Exact, &BOWL_START, 5).unwrap();
        assert!(run.verdicts.iter().all(|v| v.winner == Winner::Neither), "{:?}", run.verdicts);
        assert_eq!(bits::of(&run.params), bits::of(&BOWL_START));
    }
    for (learned, steps) in [(Adversary::Nan, 1), (Adversary::OneNan, 3), (Adversary::Infinite, 2)] {
        assert_neither(&LossGuard::paper(learned, Adversary::Infinite).batches(steps, 2));
        assert_neither(&LossGuard::paper(learned, Adversary::Nan).batches(steps, 2).policy::<Follow>());
        let decision = Decision::SufficientDecrease { kappa: 0.1 };
        assert_neither(&LossGuard::paper(learned, Sgd::new(f32::MAX)).batches(steps, 2).decision(decision));
        assert_neither(&ResidualGuard::new(learned, Adversary::Nan));
    }
}

/// A rule that runs alone has nobody to fall back on: a step that is not finite is an error, and is not taken.
#[test]
fn a_rule_alone_that_diverges_says_so() {
    fn outcome(rule: impl Rule) -> Option<Error> {
        let (objective, guard) = (bowl(), Unguarded::new(rule));
        let mut memory = run::memory(&objective, &guard, &BOWL_START);
        let error = Trainer::new(&objective, &guard, &mut memory).round(&mut Exact).err();
        assert!(error.is_none() || bits::of(memory.params()) == bits::of(&BOWL_START));
        error
    }
    assert_eq!(outcome(Adversary::OneNan), Some(Error::Diverged));
    assert_eq!(outcome(Sgd::new(f32::MAX)), Some(Error::Diverged));
    assert_eq!(outcome(Sgd::new(0.1)), None);
}
