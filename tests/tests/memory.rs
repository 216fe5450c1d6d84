//! Memory is a compile-time fact: it stands in a `static`, it is all zero, and its size is the documented formula.

use core::mem::{align_of, size_of};
use std::sync::Mutex;

use bytemuck::Zeroable;
use lgl2o::checkpoint::{Buffer, Persist};
use lgl2o::guard::{Blend, Follow, LossGuard, Rewind, Unguarded};
use lgl2o::learned::{self, LeanScaleFree, LearnedNgn};
use lgl2o::objective::mlp::{Dense, Descent, Fixed, Loss, Mlp, Relu};
use lgl2o::objective::{Blank, Objective};
use lgl2o::oracle::Cost;
use lgl2o::rule::{Adam, Adam16, Averaged, Clipped, Momentum, Ngn, Penalized, Sgd};
use lgl2o::source::Sampler;
use lgl2o::tensors::{Tensors, Zeroed};
use lgl2o::trainer::Progress;
use lgl2o::{Auto, AutoLean, AutoRotated, Guard, Memory, Rng, Trainer, auto, chain};
use lgl2o_device::cost::W3;
use lgl2o_tests::task::{BATCH, Data, SmallMlp, small_mlp, start};
use lgl2o_tests::{bits, documents};

type L2o = &'static LearnedNgn;
type Guarded = LossGuard<L2o, Sgd>;

/// A constant expression, so a `static` of it costs neither code nor stack.
const NEW: Memory<SmallMlp, Guarded> = Memory::new();

static STATIC: Mutex<Memory<SmallMlp, Guarded>> = Mutex::new(Memory::new());

/// Parameters of 2-8-2.
const P: usize = 2 * 8 + 8 + 8 * 2 + 2;
/// Activations of a batch.
const A: usize = BATCH * (8 + 2);

/// Parameters, activations, two batches of losses, and the guard's P-sized slots, in numbers of four bytes; then
/// progress, and what else stands in the guard's memory.
const fn formula(slots: usize, extra: usize) -> usize {
    let bytes = 4 * (P + A + 2 * BATCH + slots * P) + ACCEPTED + extra + size_of::<Progress>();
    bytes.next_multiple_of(align_of::<Progress>())
}

/// Which of the points is accepted: a byte, and what aligns it.
const ACCEPTED: usize = 4;
/// Steps and memo of a rule's state.
const STATE: usize = 8;
/// The same of the learned rule, which remembers layers: three numbers of each of the two, and steps and memo of those.
const LAYERED: usize = STATE + 4 * 2 * 3 + STATE;
/// The count of rounds of the loss guard, and its schedule.
const ROUNDS: usize = 4 + 20;

/// (4 + learned slots + fallback slots) P numbers for a loss guard that keeps states, as `trainer` says: parameters, gradient and
/// two candidates, q and v of the learned rule, nothing of gradient descent.
#[test]
fn the_size_is_the_documented_formula() {
    assert_eq!(size_of::<Memory<SmallMlp, Guarded>>(), formula(3 + 2, LAYERED + STATE + ROUNDS));
    assert_eq!(size_of::<Memory<SmallMlp, LossGuard<L2o, Adam>>>(), formula(3 + 2 + 2, LAYERED + STATE + ROUNDS));
    assert_eq!(size_of::<Memory<SmallMlp, LossGuard<Sgd, Sgd>>>(), formula(3, 2 * STATE + ROUNDS));
}

/// Rewinding and following cost a copy of both states; a rule alone needs a gradient, a candidate and its state.
#[test]
fn policies_cost_what_their_table_says() {
    type Rewinding = LossGuard<L2o, Momentum, Rewind>;
    type Following = LossGuard<L2o, Momentum, Follow>;
    let twice = formula(3 + 2 * (2 + 1), 2 * (LAYERED + STATE) + ROUNDS);
    assert_eq!(size_of::<Memory<SmallMlp, Rewinding>>(), twice);
    assert_eq!(size_of::<Memory<SmallMlp, Following>>(), twice);
    assert_eq!(size_of::<Memory<SmallMlp, Unguarded<Adam>>>(), formula(2 + 2, STATE));
}

/// The table of memory in `firmware/COSTS.md`, whose lines this prints: bytes by rule and guard, for 196-32-10 and batches of 16.
#[test]
fn the_table_of_memory_holds() {
    type Lean = &'static LeanScaleFree;
    type Net = Mlp<W3>;
    type Alone<R> = Memory<Net, Unguarded<R>>;
    type Fallback<L> = Memory<Net, LossGuard<L, Sgd>>;
    let alone = [
        size_of::<Alone<Sgd>>(),
        size_of::<Alone<Momentum>>(),
        size_of::<Alone<Adam16>>(),
        size_of::<Alone<Adam>>(),
        size_of::<Alone<Ngn>>(),
        size_of::<Alone<Lean>>(),
        size_of::<Alone<L2o>>(),
        size_of::<Alone<Averaged<L2o>>>(),
    ];
    let guarded = [
        size_of::<Fallback<Sgd>>(),
        size_of::<Fallback<Momentum>>(),
        size_of::<Fallback<Adam16>>(),
        size_of::<Fallback<Adam>>(),
        size_of::<Fallback<Ngn>>(),
        size_of::<Fallback<Lean>>(),
        size_of::<Fallback<L2o>>(),
        size_of::<Fallback<Averaged<L2o>>>(),
    ];
    // Momentum and Adam16 have one slot.
    let descent = [
        size_of::<Descent<W3, 0>>(),
        size_of::<Descent<W3, 1>>(),
        size_of::<Descent<W3, 1>>(),
        size_of::<Descent<W3, 2>>(),
    ];
    let rows: [(&str, &[usize]); 3] =
        [("`Descent`", &descent), ("`Unguarded`", &alone), ("`LossGuard`, with SGD as fallback", &guarded)];
    let rows = rows.map(|(name, sizes)| {
        let cells = sizes.iter().map(|size| format!(" {size} |")).chain((sizes.len()..8).map(|_| " - |".to_owned()));
        format!("| {name} |{}", cells.collect::<String>())
    });
    let automatic =
        [size_of::<Memory<Net, Auto>>(), size_of::<Memory<Net, AutoLean>>(), size_of::<Memory<Net, AutoRotated>>()];
    let automatic = automatic.map(|size| size.to_string());
    let automatic =
        format!("`auto` {} bytes, `auto_lean` {}, `auto_rotated` {}", automatic[0], automatic[1], automatic[2]);
    let rules = ["SGD", "momentum", "Adam16", "Adam", "`ngn`", "`lean`", "`l2o`", "`l2o`, averaged"];
    let head = documents::row(["training by"].into_iter().chain(rules).map(str::to_owned));
    let table = format!("{head}\n|:---|{}\n{}", "---:|".repeat(rules.len()), rows.join("\n"));
    let figures = format!("{table}\n\nWith no number to set: {automatic}.");
    println!("{figures}");
    documents::hold("firmware/COSTS.md", "memory", &figures);
}

/// New memory is all zero: parameters, and what has been done so far.
#[test]
fn new_memory_is_zero() {
    let memory = NEW;
    assert!(bits::of(memory.params()).iter().all(|&bits| bits == 0));
    let nothing = Progress { rounds: 0, steps: 0, accepted: 0, learned: 0, neither: 0, spent: Cost::ZERO };
    assert_eq!(*memory.progress(), nothing);
    assert_eq!(memory.progress().learned_share(), 0.0);
}

/// A run in a `static` and a run in memory that was made at run time have the same bits, verdicts and all.
#[test]
fn a_static_and_a_heap_run_alike() {
    let (objective, data) = (small_mlp(), Data::disk(64, 1));
    let guard = LossGuard::paper(learned::ngn(), Sgd::new(0.5)).batches(2, 2);
    let initial: <SmallMlp as Objective>::Params = start(&objective, 3);
    let run = |memory: &mut Memory<SmallMlp, Guarded>| {
        memory.params_mut().copy_from(&initial);
        data.sampling(BATCH, 5, |sampler| {
            let mut trainer = Trainer::new(&objective, &guard, memory);
            let verdicts: Vec<String> = (0..20).map(|_| format!("{:?}", trainer.round(sampler).unwrap())).collect();
            (bits::of(trainer.params()), verdicts, *trainer.progress())
        })
    };
    let blank = run(&mut Memory::blank(&objective, &guard));
    assert_eq!(run(&mut STATIC.lock().unwrap()), blank);
    assert_eq!(blank.2.rounds, 20);
    assert_eq!(blank.2.steps, 40);
    assert_eq!(objective.blank_params().len(), P);
}

/// On the heap, without a stack that could hold it: 10 numbers for each of 265,226 parameters, in a thread with 64 kB.
#[test]
fn boxed_memory_never_passes_over_the_stack() {
    type Net = Mlp<Fixed<chain![Dense<1024, 256, Relu>, Dense<256, 10>], 4>>;
    static GUARD: Auto = auto();
    let run = || {
        let net = Net::new(Fixed::new(), Loss::CrossEntropy);
        let mut memory = Memory::<Net, Auto>::boxed();
        assert!(size_of_val(&*memory) > 10_000_000 && memory.params().is_finite() && memory.params().squares() == 0.0);
        net.initialize(memory.params_mut(), &mut Rng::new(1));
        let rows: Vec<f32> = (0..8 * 1024).map(|i| (i % 7) as f32 / 7.0).collect();
        let (mut pick, mut used) = ([0; 4], [0; 1]);
        let mut source = Sampler::new(&rows, 1024, &[0, 1, 2, 3, 4, 5, 6, 7], 1, &mut pick, &mut used).unwrap();
        let mut trainer = Trainer::new(&net, &GUARD, &mut memory);
        trainer.round(&mut source).unwrap();
        trainer.progress().rounds
    };
    let thread = std::thread::Builder::new().stack_size(64 << 10).spawn(run).expect("a thread");
    assert_eq!(thread.join().expect("no overflow"), 1);
}

/// What a guard's memory is when zeroed is what its constant is, for every guard that has memory on the heap, with every kind of
/// state that a rule has, by their checkpoints.
#[test]
fn boxed_memory_is_new_memory() {
    fn same<G: Guard>(what: &str)
    where
        G::Memory<<SmallMlp as Objective>::Params>: Zeroed + Zeroable + Persist,
    {
        let saved = |memory: &Memory<SmallMlp, G>| {
            let mut bytes = vec![0; 1 << 16];
            let mut buffer = Buffer::new(&mut bytes);
            memory.save(&mut buffer).expect("room");
            buffer.written().to_vec()
        };
        assert_eq!(saved(&Memory::boxed()), saved(&Memory::new()), "{what}");
    }
    same::<Auto>("auto");
    same::<AutoLean>("auto, lean");
    same::<AutoRotated>("auto, rotated");
    same::<LossGuard<Averaged<L2o>, Adam, Rewind>>("rewind");
    same::<LossGuard<&'static LeanScaleFree, Momentum, Follow>>("follow");
    same::<LossGuard<Sgd, Adam16>>("adam in 16 bits");
    same::<Blend<L2o, Clipped<Adam>>>("blend");
    same::<Unguarded<Clipped<Adam>>>("alone");
    same::<Unguarded<Penalized<Adam>>>("penalized");
}
