//! A run that is saved and taken up again has the bits of one that was not interrupted.

use lgl2o::batch::Batch;
use lgl2o::checkpoint::{Digest, Fingerprint, Origin, Persist, Sink};
use lgl2o::guard::{Blend, Decision, LossGuard, MuRule, ResidualGuard, Unguarded};
use lgl2o::objective::mlp::{Activation, Loss, Mlp};
use lgl2o::objective::{Blank, Logistic, Objective};
use lgl2o::rule::{Adam, Armijo, Rate, Sgd};
use lgl2o::source::{Exact, Source};
use lgl2o::tensors::Tensors;
use lgl2o::{Guard, Memory, Rng, Trainer, learned};
use lgl2o_host::network::{HeapNetwork, HeapTensors};
use lgl2o_host::optimizer::{GuardVisitor, Tuned, parse};
use lgl2o_tests::task::{BATCH, Data, SmallMlp, bowl, small_mlp, start};
use lgl2o_tests::{bits, cases, with_every_guard};
use proptest::prelude::*;

use super::saved;

/// What the rest of a run has come to: verdicts, final parameters, final checkpoint.
type Rest = (Vec<String>, Vec<u32>, Vec<u8>);

/// So many rounds. NaN in a verdict has a name like any number; a round that fails is part of the run.
fn rest<O, G, S>(trainer: &mut Trainer<'_, O, G>, source: &mut S, rounds: u32) -> Rest
where
    O: Objective + Fingerprint,
    G: Guard + Fingerprint,
    G::Memory<O::Params>: Persist,
    S: Source<O> + Persist + Fingerprint,
{
    let verdicts = (0..rounds).map(|_| format!("{:?}", trainer.round(source))).collect();
    (verdicts, bits::of(trainer.params()), saved(trainer, source))
}

/// One run of `before` and `after` rounds, and the same with a restart in between: new memory, full of something else,
/// and another source of the same kind.
fn assert_resumes<O, G, S, T>(
    objective: &O,
    guard: &G,
    start: &O::Params,
    source: &mut S,
    other: &mut T,
    [before, after]: [u32; 2],
) where
    O: Blank + Fingerprint,
    G: Guard + Fingerprint,
    G::Memory<O::Params>: Persist,
    S: Source<O> + Persist + Fingerprint,
    T: Source<O> + Persist + Fingerprint,
{
    let mut memory = Memory::blank(objective, guard);
    memory.params_mut().copy_from(start);
    let mut trainer = Trainer::new(objective, guard, &mut memory);
    rest(&mut trainer, source, before);
    let checkpoint = saved(&trainer, source);
    let uninterrupted = rest(&mut trainer, source, after);

    let mut memory = Memory::blank(objective, guard);
    memory.params_mut().copy_from(start);
    let mut trainer = Trainer::new(objective, guard, &mut memory);
    rest(&mut trainer, other, 3);
    trainer.load(other, &mut &checkpoint[..]).unwrap();
    assert_eq!(saved(&trainer, other), checkpoint, "what was loaded is what was saved");
    assert_eq!(rest(&mut trainer, other, after), uninterrupted);
}

/// [`assert_resumes`] on a network of the heap, with minibatches.
struct Case {
    seed: u64,
    rounds: [u32; 2],
}

impl GuardVisitor for Case {
    type Output = ();

    fn visit<G: Guard + Fingerprint>(self, guard: &G)
    where
        G::Memory<HeapTensors>: Persist,
    {
        let network = HeapNetwork::new(&[2, 5, 2], Activation::Tanh, BATCH);
        let objective = Mlp::new(network, Loss::CrossEntropy);
        let mut params = objective.blank_params();
        objective.initialize(&mut params, &mut Rng::new(self.seed));
        let data = Data::disk(100, self.seed);
        data.sampling(BATCH, self.seed, |source| {
            data.sampling(BATCH, self.seed + 1, |other| {
                assert_resumes(&objective, guard, &params, source, other, self.rounds);
            });
        });
    }
}

fn resumes(expression: &str, seed: u64, rounds: [u32; 2]) {
    let optimizer = parse(expression, &Tuned::default()).unwrap();
    optimizer.method.visit(Case { seed, rounds }).unwrap();
}

const LEARNED: [&str; 8] = ["l2o", "lean", "lstm", "rnnprop", "adam:0.1", "armijo", "avg-l2o", "avg-lean"];
const FALLBACKS: [&str; 16] = [
    "sgd:0.5",
    "sgd:5/(10+i)",
    "momentum:0.1",
    "nesterov:0.1",
    "rmsprop:0.01",
    "adam:0.01",
    "adam16:0.01",
    "adamw:0.01",
    "nadam:0.01",
    "lion:0.01",
    "armijo",
    "plain-ngn",
    "scale-free",
    "scale-free-momentum",
    "avg-ngn",
    "avg-momentum:0.1",
];
const SCHEDULES: [&str; 6] = [
    "nt=1,nc=1",
    "nt=3,nc=2",
    "nt=3,stride=8,stretch=3,trust,gaps=6:24",
    "nt=2,budget,gaps=3:6",
    "nt=2,stride=4,no-audit",
    "nt=2",
];
const POLICIES: [&str; 4] = ["keep", "rewind", "reset", "follow"];
const DECISIONS: [&str; 6] = ["lower", "margin=1", "growing-margin", "full", "decrease=0.01", "lower,stay"];
const RELAYS: [&str; 5] = ["race=3,hand-over=6", "race=9,hand-over=20,lean", "race=6,full", "race=4,latest", "nc=2"];
const MUS: [&str; 5] = ["gs:0.5", "rt", "aa", "ema:0.25", "rm:4"];

fn any_guard() -> impl Strategy<Value = String> {
    let pick = |from: &'static [&'static str]| prop::sample::select(from);
    let sides = || (pick(&LEARNED), pick(&FALLBACKS));
    prop_oneof![
        6 => (sides(), pick(&SCHEDULES), pick(&POLICIES), pick(&DECISIONS)).prop_map(|((l, f), schedule, policy, decision)| {
            format!("lgl2o({l},{f},paper,{schedule},{policy},{decision})")
        }),
        2 => sides().prop_map(|(l, f)| format!("lgl2o({l},{f})")),
        3 => (sides(), pick(&RELAYS)).prop_map(|((l, f), options)| format!("relay({l},{f},{options})")),
        2 => (sides(), pick(&MUS)).prop_map(|((l, f), mu)| format!("gl2o({l},{f},mu={mu})")),
        1 => sides().prop_map(|(l, f)| format!("blend({l},{f},share=0.3)")),
        1 => pick(&LEARNED).prop_map(str::to_owned),
        1 => pick(&FALLBACKS).prop_map(str::to_owned),
    ]
}

proptest! {
    #![proptest_config(cases!(200, "checkpoint/resume"))]

    /// Every rule on either side, every guard, policy, decision and schedule, for any round to be interrupted after.
    #[test]
    fn a_resumed_run_is_the_uninterrupted_one(
        expression in any_guard(),
        seed in 0u64..1000,
        before in 0u32..40,
        after in 1u32..40,
    ) {
        resumes(&expression, seed, [before, after]);
    }
}

/// The comparison can fail: a source that does not get its position back gives another run.
#[test]
#[should_panic(expected = "what was loaded is what was saved")]
fn a_forgotten_position_is_noticed() {
    /// Makes up points, and keeps no position.
    struct Forgetful(Rng, [f32; 2]);
    impl Fingerprint for Forgetful {
        fn describe(&self, digest: &mut Digest) {
            digest.kind("forgetful");
        }
    }
    impl Persist for Forgetful {
        fn save<S: Sink>(&self, sink: &mut S) -> Result<(), S::Error> {
            self.0.save(sink)
        }
        fn load<O: Origin>(&mut self, origin: &mut O) -> Result<(), O::Error> {
            origin.take(&mut [0; 16])
        }
    }
    impl<O: for<'b> Objective<Batch<'b> = Batch<'b>>> Source<O> for Forgetful {
        fn train(&mut self) -> Result<Batch<'_>, lgl2o::Error> {
            self.1 = [self.0.normal(), self.0.normal()];
            Ok(Batch::classes(&self.1, 2, &[0]))
        }
        fn check(&mut self) -> Result<Batch<'_>, lgl2o::Error> {
            Source::<O>::train(self)
        }
    }
    let objective = small_mlp();
    let guard = Unguarded::new(Sgd::new(0.1));
    let (source, other) = (&mut Forgetful(Rng::new(1), [0.0; 2]), &mut Forgetful(Rng::new(2), [0.0; 2]));
    assert_resumes(&objective, &guard, &start(&objective, 1), source, other, [4, 4]);
}

/// Each guard of the table, over minibatches.
#[test]
fn every_guard_resumes() {
    fn assert_guard_resumes<G: Guard + Fingerprint>(name: &str, guard: &G)
    where
        G::Memory<<SmallMlp as Objective>::Params>: Persist,
    {
        println!("{name}");
        let (objective, data) = (small_mlp(), Data::disk(100, 5));
        data.sampling(BATCH, 1, |source| {
            data.sampling(BATCH, 2, |other| {
                assert_resumes(&objective, guard, &start(&objective, 1), source, other, [7, 30]);
            });
        });
    }
    with_every_guard!(assert_guard_resumes, learned::ngn(), Adam::new(0.01));
    with_every_guard!(assert_guard_resumes, Adam::new(0.02), Sgd::new(0.1));
}

/// The convex objectives too, with types for shapes, and rules behind references.
#[test]
fn convex_runs_resume() {
    let start = [3.0, 2.0, -1.0, 0.5];
    let rate = Rate::Harmonic { c: 5.0, i0: 60.0 };
    let full = LossGuard::new(learned::lstm(), Sgd::new(rate)).decision(Decision::FullObjective);
    assert_resumes(&bowl(), &full, &start, &mut Exact, &mut Exact, [30, 30]);
    let residual = ResidualGuard::new(learned::lean(), Sgd::new(0.1)).with(0.9, MuRule::RecentMax(5)).unwrap();
    assert_resumes(&bowl(), &residual, &start, &mut Exact, &mut Exact, [30, 30]);
    let blend = Blend::new(learned::ngn(), Armijo::new(1.0).unwrap(), 0.5).unwrap();
    assert_resumes(&bowl(), &blend, &start, &mut Exact, &mut Exact, [30, 30]);
    let logistic = Logistic::<2, BATCH>::new(0.1).unwrap();
    let guard = LossGuard::new(learned::rnnprop(), Adam::new(0.01));
    let data = Data::disk(100, 5);
    data.sampling(BATCH, 1, |source| {
        data.sampling(BATCH, 2, |other| {
            assert_resumes(&logistic, &guard, &([0.3, -0.2], [0.1]), source, other, [12, 30]);
        });
    });
}
