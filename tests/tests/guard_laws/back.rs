//! A loss guard does not follow a fallback that climbs: it keeps w, goes back to where the fallback was left alone, or to the
//! last point with a finite gradient, and judges the fallback from then on.

use std::fmt::Debug;

use lgl2o::checkpoint::Sink;
use lgl2o::fault::Adversary;
use lgl2o::guard::{Decision, LossGuard};
use lgl2o::rule::{Adam, Sgd};
use lgl2o::source::Exact;
use lgl2o::tensors::Tensors;
use lgl2o::{Rule, Trainer, Verdict, Winner};
use lgl2o_tests::task::{BOWL_START, bowl};
use lgl2o_tests::{bits, run};

/// Fallbacks that descend and then climb, to infinity in the end, however they are guarded: no round is an error, everything
/// stays finite, and no round that is checked ends far above where the last one that was checked did.
#[test]
fn a_fallback_that_climbs_alone_is_taken_back() {
    let objective = bowl();
    let fallbacks = [Adversary::Betray(10), Adversary::Betray(30), Adversary::Swell(5), Adversary::Swell(40)];
    for (fallback, veto) in fallbacks.into_iter().flat_map(|f| [(f, true), (f, false)]) {
        let guard = LossGuard::new(Adversary::Nan, fallback).batches(3, 1).gaps(20, 80).veto(veto);
        for guard in [guard, guard.decision(Decision::FullObjective)] {
            let mut memory = run::memory(&objective, &guard, &BOWL_START);
            let mut trainer = Trainer::new(&objective, &guard, &mut memory);
            let first = trainer.loss(()).unwrap();
            let (mut checked, mut backs) = (first, 0);
            for _ in 0..600 {
                let before = bits::of(trainer.params());
                let verdict = trainer.round(&mut Exact).unwrap();
                let went_back = verdict.winner == Winner::Neither && bits::of(trainer.params()) != before;
                backs += u32::from(went_back);
                assert!(trainer.params().is_finite(), "{guard:?}");
                let after = trainer.loss(()).unwrap();
                if went_back || verdict.kept_loss.is_some() {
                    assert!(after <= 2.0 * checked, "{guard:?}: {after} after {checked}: {verdict:?}");
                    checked = after;
                }
            }
            assert!(backs > 0 && checked < first, "{guard:?}: {backs} times to {checked}");
        }
    }
}

/// Parameters that were accepted and have no finite gradient are given up for those before, where these have one: no error.
#[test]
fn parameters_without_a_gradient_are_given_up() {
    let guard = LossGuard::paper(Adversary::Nan, Sgd::new(3e36)).batches(1, 1);
    let run = run::rounds(&bowl(), &guard, &mut Exact, &BOWL_START, 20).unwrap();
    // The paper's guard does not look at where it stands, until it has once gone back.
    let winners = run.verdicts.iter().map(|v| v.winner).collect::<Vec<_>>();
    assert_eq!(winners[0], Winner::Fallback);
    assert!(winners[1..].iter().all(|&winner| winner == Winner::Neither), "{winners:?}");
    assert_eq!(bits::of(&run.params), bits::of(&BOWL_START));
}

/// Bytes on the heap.
struct Bytes(Vec<u8>);

impl Sink for Bytes {
    type Error = core::convert::Infallible;
    fn put(&mut self, bytes: &[u8]) -> Result<(), Self::Error> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }
}

/// A run that is saved and taken up again after any of its rounds goes on as it would have: the schedule with its count of steps,
/// the point to go back to, and the suspicion.
#[test]
fn what_a_loss_guard_remembers_outlives_a_restart() {
    fn assert_resumes<L: Rule + Debug, F: Rule + Debug>(guard: &LossGuard<L, F>, rounds: u32) -> Vec<Verdict>
    where
        LossGuard<L, F>: lgl2o::checkpoint::Fingerprint,
        L::State<[f32; 4]>: lgl2o::checkpoint::Persist,
        F::State<[f32; 4]>: lgl2o::checkpoint::Persist,
    {
        let objective = bowl();
        let whole = run::rounds(&objective, guard, &mut Exact, &BOWL_START, rounds + 2).unwrap().verdicts;
        let mut memory = run::memory(&objective, guard, &BOWL_START);
        for (i, expected) in whole.iter().take(rounds as usize).enumerate() {
            let mut bytes = Bytes(Vec::new());
            let Ok(()) = Trainer::new(&objective, guard, &mut memory).save(&Exact, &mut bytes);
            memory = run::memory(&objective, guard, &[9.0; 4]);
            let mut trainer = Trainer::new(&objective, guard, &mut memory);
            trainer.load(&mut Exact, &mut &bytes.0[..]).unwrap();
            assert_eq!(trainer.round(&mut Exact), Ok(*expected), "round {i} of {guard:?}");
        }
        whole
    }
    let stretched = LossGuard::new(Sgd::new(0.01), Sgd::new(0.001)).batches(3, 1).gaps(20, 500).stride(4);
    let found = assert_resumes(&stretched, 60);
    assert!(found.iter().any(|v| v.steps > 8), "strides stretch: {found:?}");
    for fallback in [Adversary::Betray(30), Adversary::Swell(40)] {
        let guard = LossGuard::new(Adversary::Nan, fallback).batches(3, 1).gaps(20, 80);
        let found = assert_resumes(&guard, 200);
        assert!(found.iter().any(|v| v.winner == Winner::Neither));
    }
    let found = assert_resumes(&LossGuard::paper(Adversary::Nan, Sgd::new(3e36)).batches(1, 1), 6);
    assert!(found[0].winner == Winner::Fallback && found[1].winner == Winner::Neither, "{found:?}");
}

/// A model that must not get worse is judged in each round, so that there is nowhere to go back to.
#[test]
fn staying_needs_no_way_back() {
    let guard = LossGuard::new(Adversary::Nan, Adam::new(5.0)).batches(3, 1).gaps(4, 16).stay(true);
    let objective = bowl();
    let mut memory = run::memory(&objective, &guard, &BOWL_START);
    for _ in 0..100 {
        let before = bits::of(memory.params());
        let verdict = Trainer::new(&objective, &guard, &mut memory).round(&mut Exact).unwrap();
        assert_eq!(verdict.winner == Winner::Neither, bits::of(memory.params()) == before, "{verdict:?}");
    }
}
