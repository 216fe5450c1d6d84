//! A learned side that sees the check batches and overfits them: what is promised then, and what is not.
//!
//! Every promise on check batches rests on their being drawn apart from what the candidates were made of. Where they are
//! not, a proposal may win every round and ruin all that no check shows. What is left is the *full objective*: it holds
//! all examples, so there is nothing to overfit.

use lgl2o::fault::Adversary;
use lgl2o::guard::{Decision, LossGuard, Unguarded};
use lgl2o::objective::{Blank, Objective};
use lgl2o::rule::{Probe, Rule, Sgd, State};
use lgl2o::source::Source;
use lgl2o::tensors::Tensors;
use lgl2o::{Error, Rng, Winner};
use lgl2o_tests::cloud::Fresh;
use lgl2o_tests::{bits, run};

use crate::stochastic::{errors, fallback, fresh, law};

/// On checks that it has not seen, whoever overfits keeps to the rate (`stochastic`). On those that it has seen, no
/// margin helps: it stays above a floor, where the *full objective* still has the rate.
#[test]
fn seen_checks_leave_a_floor() {
    let (learned, looks) = (Adversary::Overfit(16), [1000, 4000]);
    let leaking = |seed| Fresh::leaking(fresh(seed));
    let guard = |decision| LossGuard::paper(learned, fallback()).batches(1, 8).decision(decision);
    for decision in [Decision::Lower, Decision::Margin { z: 2.0 }] {
        let seen = errors(&guard(decision), &looks, 40, leaking);
        println!("{decision:?}, seen: {seen:?}; promised without: {:?}", looks.map(law));
        assert!(seen[1].0 > 5.0 * law(4000), "{decision:?}: {seen:?}");
        assert!(seen[1].0 > 0.67 * seen[0].0, "{decision:?}: {seen:?}");
    }
    let full = errors(&guard(Decision::FullObjective), &looks, 40, leaking);
    assert!(full.iter().zip(looks).all(|((mean, error), i)| mean - 4.0 * error <= law(i)), "{full:?}");
}

/// One number for each of 32 examples: loss_s(w) = (w_s - 1)^2 / 2. What is learned from some says nothing about others.
#[derive(Debug, Clone, Copy)]
struct Table;

const EXAMPLES: usize = 32;
type Numbers = [f32; EXAMPLES];

impl Objective for Table {
    type Params = Numbers;
    type Batch<'a> = &'a [usize];
    type Scratch = ();
    type Losses = Numbers;

    fn losses(&self, (): &mut (), w: &Numbers, batch: &[usize], losses: &mut Numbers) -> Result<usize, Error> {
        losses.iter_mut().zip(batch).for_each(|(loss, &s)| *loss = 0.5 * (w[s] - 1.0) * (w[s] - 1.0));
        Ok(batch.len())
    }

    fn gradient(
        &self,
        (): &mut (),
        w: &Numbers,
        batch: &[usize],
        losses: &mut Numbers,
        gradient: &mut Numbers,
    ) -> Result<usize, Error> {
        gradient.fill(0.0);
        batch.iter().for_each(|&s| gradient[s] = (w[s] - 1.0) / batch.len() as f32);
        self.losses(&mut (), w, batch, losses)
    }
}

impl Blank for Table {
    fn blank_params(&self) -> Numbers {
        [0.0; EXAMPLES]
    }
    fn blank_scratch(&self) {}
    fn blank_losses(&self) -> Numbers {
        [0.0; EXAMPLES]
    }
}

/// Batches of 4: training goes round, checks are drawn from the other examples, or leak.
#[derive(Debug)]
struct Draws {
    rng: Rng,
    next: usize,
    train: [usize; 4],
    check: [usize; 4],
    all: [usize; EXAMPLES],
    leaks: bool,
}

impl Draws {
    fn new(leaks: bool) -> Self {
        let all = core::array::from_fn(|s| s);
        Self { rng: Rng::new(1), next: 0, train: [0; 4], check: [0; 4], all, leaks }
    }
}

impl Source<Table> for Draws {
    fn train(&mut self) -> Result<&[usize], Error> {
        self.train = core::array::from_fn(|k| (self.next + k) % EXAMPLES);
        self.next += 4;
        Ok(&self.train)
    }
    fn check(&mut self) -> Result<&[usize], Error> {
        if self.leaks {
            return Ok(&self.train);
        }
        let other = EXAMPLES as u32 - 4;
        self.check = self.check.map(|_| (self.next + self.rng.below(other) as usize) % EXAMPLES);
        Ok(&self.check)
    }
    fn objective(&mut self, i: usize) -> Result<Option<&[usize]>, Error> {
        Ok((i == 0).then_some(&self.all))
    }
}

/// Fits the examples of the batch perfectly, and ruins all others: they are those without a gradient.
#[derive(Debug, Clone, Copy)]
struct Forger;

impl Rule for Forger {
    type State<P: Tensors> = State<P, 0>;
    fn state<P: Tensors>(&self, like: &P) -> State<P, 0> {
        State::like(like)
    }
    fn step<P: Tensors>(&self, _: &mut State<P, 0>, params: &mut P, gradient: &P, _: f32, _: &mut impl Probe<P>) {
        for (w, &g) in params.tensor_mut(0).iter_mut().zip(gradient.tensor(0)) {
            *w = if g == 0.0 && *w != 1.0 { *w + 10.0 } else { 1.0 };
        }
    }
    fn observe<P: Tensors>(&self, _: &mut State<P, 0>, _: &P, _: &P, _: f32) {}
}

fn objective(w: &Numbers) -> f32 {
    w.iter().map(|w| 0.5 * (w - 1.0) * (w - 1.0)).sum::<f32>() / EXAMPLES as f32
}

/// On checks that it has seen, a forger wins every round, by any decision, veto and all, and F grows without bound; on
/// others it wins none, and under *full objective* it never does.
#[test]
fn nothing_is_promised_on_checks_that_were_seen() {
    let (start, fallback) = ([0.5; EXAMPLES], Sgd::new(0.5));
    let alone = run::rounds(&Table, &Unguarded::new(fallback), &mut Draws::new(false), &start, 40).unwrap();
    let guard = |decision| LossGuard::paper(Forger, fallback).batches(1, 4).decision(decision);
    for decision in [Decision::Lower, Decision::Margin { z: 2.0 }, Decision::GrowingMargin] {
        for guard in [guard(decision), guard(decision).veto(true), guard(decision).stay(true)] {
            // Seven batches: none of them has been ruined before it is trained on for the first time.
            let seen = run::rounds(&Table, &guard, &mut Draws::new(true), &start, 7).unwrap();
            assert!(seen.verdicts.iter().all(|v| v.winner == Winner::Learned), "{decision:?}: {:?}", seen.verdicts);
            assert!(objective(&seen.params) > 100.0 * objective(&start), "{decision:?}: {}", objective(&seen.params));
        }
        let fresh = run::rounds(&Table, &guard(decision), &mut Draws::new(false), &start, 40).unwrap();
        assert_eq!(bits::of(&fresh.params), bits::of(&alone.params), "{decision:?}");
    }
    let full = guard(Decision::FullObjective);
    let full = run::rounds(&Table, &full, &mut Draws::new(true), &start, 40).unwrap();
    assert_eq!(bits::of(&full.params), bits::of(&alone.params));
}
