//! The relay's suspicion: a learned side that ended badly may have led to where the fallback cannot go on from, and the fallback's
//! own run from the beginning, which it has never touched, may be the better one.
//!
//! Two valleys, and a start between them. The learned side goes into the left one at once, and the fallback walks down the right
//! one, step by step, from where the run began; from the left one it does not come back.

use lgl2o::guard::RelayGuard;
use lgl2o::objective::{Blank, Objective};
use lgl2o::rule::Sgd;
use lgl2o::source::Source;
use lgl2o::{Error, Rule, Trainer, Winner};
use lgl2o_tests::run;

use crate::decisions::GoTo;

/// loss_s(w) = f(w) + a_s w over a batch of a's whose mean is 0; f falls from 1 at 0 to 0.8 at -1, and to `depth` on the right,
/// both by 0.2 a unit, and rises beyond.
#[derive(Debug, Clone, Copy)]
struct Valleys {
    depth: f32,
}

impl Valleys {
    /// f and its slope.
    fn at(&self, w: f32) -> (f32, f32) {
        let end = 5.0 * (1.0 - self.depth);
        match w {
            w if w < -1.0 => (0.8 - 0.2 * (w + 1.0), -0.2),
            w if w < 0.0 => (1.0 + 0.2 * w, 0.2),
            w if w < end => (1.0 - 0.2 * w, -0.2),
            w => (self.depth + 0.2 * (w - end), 0.2),
        }
    }
}

impl Objective for Valleys {
    type Params = [f32; 1];
    type Batch<'a> = &'a [f32];
    type Scratch = ();
    type Losses = [f32; 16];

    fn losses(&self, (): &mut (), w: &[f32; 1], batch: &[f32], losses: &mut [f32; 16]) -> Result<usize, Error> {
        let (f, _) = self.at(w[0]);
        losses.iter_mut().zip(batch).for_each(|(loss, a)| *loss = f + a * w[0]);
        Ok(batch.len())
    }

    fn gradient(
        &self,
        scratch: &mut (),
        w: &[f32; 1],
        batch: &[f32],
        losses: &mut [f32; 16],
        gradient: &mut [f32; 1],
    ) -> Result<usize, Error> {
        (_, gradient[0]) = self.at(w[0]);
        self.losses(scratch, w, batch, losses)
    }
}

impl Blank for Valleys {
    fn blank_params(&self) -> [f32; 1] {
        [0.0]
    }
    fn blank_scratch(&self) {}
    fn blank_losses(&self) -> [f32; 16] {
        [0.0; 16]
    }
}

/// One batch for everything.
struct Same([f32; 16]);

impl Source<Valleys> for Same {
    fn train(&mut self) -> Result<&[f32], Error> {
        Ok(&self.0)
    }
    fn check(&mut self) -> Result<&[f32], Error> {
        Ok(&self.0)
    }
    fn objective(&mut self, i: usize) -> Result<Option<&[f32]>, Error> {
        Ok((i == 0).then_some(&self.0))
    }
}

/// What a run has come to.
#[derive(Debug)]
struct End {
    w: f32,
    /// The points that were accepted from the right valley, and the step of the run at which the first was.
    right: Vec<f32>,
    first: u64,
    /// Gradients, for each step that was counted.
    share: f64,
}

/// 300 steps: the race is won, both windows after it are not, and the fallback begins in the left valley.
fn run(depth: f32, noise: f32, guard: &RelayGuard<GoTo, impl Rule>) -> End {
    let objective = Valleys { depth };
    let mut source = Same(std::array::from_fn(|i| if i % 2 == 0 { noise } else { -noise }));
    let mut memory = run::memory(&objective, guard, &[0.0]);
    let mut trainer = Trainer::new(&objective, guard, &mut memory);
    let (mut right, mut first) = (Vec::new(), 0);
    let won = trainer.round(&mut source).unwrap();
    assert_eq!((won.winner, trainer.params()[0]), (Winner::Learned, -1.0), "the race");
    while trainer.progress().steps < 300 {
        let verdict = trainer.round(&mut source).unwrap();
        assert_ne!(verdict.winner, Winner::Learned);
        let w = trainer.params()[0];
        if w > 0.0 {
            if right.is_empty() {
                first = trainer.progress().steps;
                assert_eq!(verdict.winner, Winner::Fallback);
                let found = verdict.fallback_loss.unwrap();
                assert!((found - objective.at(w).0).abs() < 1e-5, "the loss of the fallback's own run: {verdict:?}");
            }
            right.push(w);
        } else {
            assert!(right.is_empty(), "it does not come back: {right:?}, {w}");
        }
    }
    let progress = trainer.progress();
    let share = progress.spent.gradients as f64 / (16 * progress.steps) as f64;
    End { w: trainer.params()[0], right, first, share }
}

const FALLBACK: Sgd = Sgd { rate: lgl2o::rule::Rate::Constant(1.0) };

fn guard() -> RelayGuard<GoTo, Sgd> {
    RelayGuard::new(GoTo(-1.0), FALLBACK).race(9)
}

/// The fallback's own run is the better one: it is taken up, where it stands, and goes on by itself, without steps in between.
#[test]
fn the_fallbacks_own_run_is_taken_up_where_it_is_better() {
    for (guard, noise) in [(guard().exact(true), 0.0), (guard().exact(true), 5.0), (guard(), 0.0), (guard(), 0.01)] {
        let end = run(0.0, noise, &guard);
        assert!((end.w - 5.0).abs() < 0.3 && end.right.len() > 1, "{noise}: {end:?}");
        // It takes more than 5 steps to be below 0.8, and it makes one for two, up to a fifth of all.
        assert!(end.right[0] > 1.0 && end.right[0] <= 0.2 * end.first as f32 / 5.0 + 0.2, "{noise}: {end:?}");
        assert!((25..=80).contains(&end.first), "{noise}: {end:?}");
        // All accepted points are whole steps from where the run began.
        let is_own = |w: &f32| (w / 0.2 - (w / 0.2).round()).abs() < 1e-3;
        assert!(end.right.iter().all(is_own), "{noise}: {end:?}");
        assert!(end.share < 1.1, "its own steps end where it is taken up: {end:?}");
    }
}

/// It is not the better one, or not by a standard error: the left valley is kept. Its steps cost
/// a fifth.
#[test]
fn the_fallbacks_own_run_is_left_where_it_is_not() {
    for (depth, noise, guard) in [(0.9, 0.0, guard().exact(true)), (0.81, 0.0, guard()), (0.0, 9.0, guard())] {
        let end = run(depth, noise, &guard);
        assert!(end.right.is_empty() && end.w < 0.0, "{depth}, {noise}: {end:?}");
        assert!((1.15..1.22).contains(&end.share), "{depth}, {noise}: {end:?}");
    }
}

/// A learned side that did not end badly leaves no suspicion: the fallback's own run makes no steps after the race.
#[test]
fn without_a_bad_end_there_is_no_suspicion() {
    let end = run(0.0, 0.0, &guard().exact(true).hand_over(9));
    assert!(end.right.is_empty() && end.w == -1.0 && end.share < 1.05, "{end:?}");
}
