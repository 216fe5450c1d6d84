//! A model that must not get worse does not: with *stay* and an exact objective no round ends above where it began,
//! whatever is proposed and whatever the fallback does.

use std::fmt::Debug;

use lgl2o::fault::Adversary;
use lgl2o::guard::{Decision, LossGuard};
use lgl2o::rule::{Adam, Sgd};
use lgl2o::source::Exact;
use lgl2o::{Rule, Trainer, Winner};
use lgl2o_tests::task::{BOWL_START, bowl};
use lgl2o_tests::{bits, run};

use crate::rounds::{SWITCHES, Switches, scheduled};

/// Rounds that the fallback won, that the learned side won, and that nobody won.
fn assert_never_worse(learned: impl Rule + Debug, rate: f32, switches: Switches, veto: bool) -> [u32; 3] {
    let what = format!("{learned:?}, rate {rate}, {switches:?}");
    let guard = LossGuard::new(learned, Sgd::new(rate)).batches(3, 1).decision(Decision::FullObjective).gaps(4, 16);
    let guard = scheduled(guard, switches).veto(veto).stay(true);
    let objective = bowl();
    let mut memory = run::memory(&objective, &guard, &BOWL_START);
    let mut wins = [0; 3];
    for _ in 0..80 {
        let mut trainer = Trainer::new(&objective, &guard, &mut memory);
        let (before, from) = (trainer.loss(()).unwrap(), bits::of(trainer.params()));
        let verdict = trainer.round(&mut Exact).unwrap();
        let (after, to) = (trainer.loss(()).unwrap(), bits::of(trainer.params()));
        if verdict.winner == Winner::Neither {
            assert_eq!(from, to, "{what}: nobody has won");
        } else {
            assert!(after < before, "{what}: {after} after {before}, {verdict:?}");
        }
        wins[verdict.winner as usize] += 1;
    }
    wins
}

/// At rates below and above 2/L = 0.2 of the fallback, for every proposal and every schedule.
#[test]
fn no_round_ends_above_its_beginning() {
    for (rate, switches) in [0.15, 0.21, 0.5, 1e30].into_iter().flat_map(|r| SWITCHES.map(|s| (r, s))) {
        for veto in [false, true] {
            for learned in Adversary::ALL {
                assert_never_worse(learned, rate, switches, veto);
            }
            assert_never_worse(Adam::new(0.2), rate, switches, veto);
        }
    }
}

/// Nobody wins where both sides climb; the learned side still wins where it alone descends, and the fallback where it
/// does.
#[test]
fn who_descends_wins() {
    for switches in SWITCHES {
        assert_eq!(assert_never_worse(Adversary::Ascent, 0.5, switches, false), [0, 0, 80], "{switches:?}");
        let [_, learned, _] = assert_never_worse(Sgd::new(0.01), 0.5, switches, false);
        assert!(learned > 20, "{switches:?}: {learned}");
        let [fallback, learned, _] = assert_never_worse(Adversary::Nan, 0.01, switches, false);
        assert!(fallback > 40 && learned == 0, "{switches:?}: {fallback}");
    }
}

/// The law can fail: without staying a fallback above 2/L climbs.
#[test]
fn without_staying_a_run_may_climb() {
    let guard = LossGuard::new(Adversary::Nan, Sgd::new(0.3)).batches(3, 1).decision(Decision::FullObjective);
    let guard = guard.veto(false);
    let run = run::rounds(&bowl(), &guard, &mut Exact, &BOWL_START, 10).unwrap();
    assert!(run.verdicts[9].train_loss > run.verdicts[0].train_loss);
}
