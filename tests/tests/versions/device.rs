//! What the core writes: checkpoints, slots, weights.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;

use lgl2o::checkpoint::{Fingerprint, Persist, Resumed, Sink, Slots};
use lgl2o::guard::{Blend, LossGuard, MuRule, ResidualGuard, Unguarded};
use lgl2o::learned::{Learned, LearnedScaleFree};
use lgl2o::model::AsIs;
use lgl2o::objective::Objective;
use lgl2o::objective::mlp::{Dense, Fixed, Loss, Mlp, Tanh};
use lgl2o::rule::{Adam, Momentum, Sgd};
use lgl2o::source::Sampler;
use lgl2o::{Guard, Memory, Model, Rng, Rule as _, Trainer, auto, auto_lean, chain, learned};
use lgl2o_tests::bits;
use lgl2o_tests::flash::Flash;

use crate::{VERSIONS, folder, keep, read};

type Layers = chain![Dense<2, 5, Tanh>, Dense<5, 2>];
type Net = Mlp<Fixed<Layers, 8>>;
type Params = <Net as Objective>::Params;
/// Rounds before the checkpoint, and after it.
const ROUNDS: [u32; 2] = [5, 3];
/// The file that says which parameters each run had at its checkpoint, and after the rounds that followed.
const RUNS: &str = "runs.txt";
const SLOTS: &str = "slots.bin";

/// Does something with each guard.
trait Visit {
    fn on<G: Guard + Fingerprint>(&mut self, name: &str, guard: &G)
    where
        G::Memory<Params>: Persist;
}

/// One of each kind. None may change: a kept checkpoint belongs to these settings.
fn guards(visit: &mut impl Visit) {
    visit.on("unguarded", &Unguarded::new(Adam::new(0.01)));
    visit.on("learned", &Unguarded::learned(learned::lean().averaged()));
    visit.on("blend", &Blend::new(learned::lean(), Sgd::new(0.1), 0.3).unwrap());
    visit.on("paper", &LossGuard::paper(learned::ngn().averaged(), Momentum::new(0.1).averaged()).batches(2, 1));
    visit.on("loss", &LossGuard::new(learned::lstm(), Sgd::new(0.1)));
    visit.on(
        "residual",
        &ResidualGuard::new(learned::rnnprop(), Sgd::new(0.1)).with(0.9, MuRule::ArithmeticAverage).unwrap(),
    );
    visit.on("auto", &auto());
    visit.on("auto-lean", &auto_lean());
    visit.on("auto-held-out", &auto().held_out(true));
}

fn net() -> Net {
    Mlp::new(Fixed::new(), Loss::CrossEntropy)
}

/// A run of so many rounds, and what is done with it then. Points in the plane; those above the diagonal are of the one class.
fn run<G: Guard, T>(
    guard: &G,
    seed: u64,
    rounds: u32,
    then: impl FnOnce(&mut Trainer<'_, Net, G>, &mut Sampler<'_>) -> T,
) -> T {
    let mut rng = Rng::new(2);
    let points: [f32; 64] = std::array::from_fn(|_| rng.range(-1.0, 1.0));
    let labels: [u8; 32] = std::array::from_fn(|i| u8::from(points[2 * i + 1] > points[2 * i]));
    let (mut pick, mut used) = ([0; 8], [0; 1]);
    let mut source = Sampler::new(&points, 2, &labels, seed, &mut pick, &mut used).unwrap();
    let net = net();
    let mut memory = Memory::blank(&net, guard);
    net.initialize(memory.params_mut(), &mut Rng::new(seed));
    let mut trainer = Trainer::new(&net, guard, &mut memory);
    for _ in 0..rounds {
        trainer.round(&mut source).unwrap();
    }
    then(&mut trainer, &mut source)
}

/// All parameters, bit for bit.
fn params(params: &Params) -> String {
    bits::of(params).iter().fold(String::new(), |mut all, bits| {
        write!(all, "{bits:08x}").unwrap();
        all
    })
}

/// What a run has at its checkpoint and some rounds later, as a line of [`RUNS`].
fn line<G: Guard>(name: &str, trainer: &mut Trainer<'_, Net, G>, source: &mut Sampler<'_>) -> String {
    let before = params(trainer.params());
    for _ in 0..ROUNDS[1] {
        trainer.round(source).unwrap();
    }
    format!("{name} {before} {}\n", params(trainer.params()))
}

struct Bytes(Vec<u8>);

impl Sink for Bytes {
    type Error = std::convert::Infallible;
    fn put(&mut self, bytes: &[u8]) -> Result<(), Self::Error> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }
}

/// Makes the checkpoints, and gathers the lines.
struct Make(String);

impl Visit for Make {
    fn on<G: Guard + Fingerprint>(&mut self, name: &str, guard: &G)
    where
        G::Memory<Params>: Persist,
    {
        self.0 += &run(guard, 1, ROUNDS[0], |trainer, source| {
            let mut bytes = Bytes(Vec::new());
            let Ok(()) = trainer.save(source, &mut bytes);
            keep(&format!("{name}.checkpoint"), &bytes.0);
            line(name, trainer, source)
        });
    }
}

/// Loads the checkpoints of a version over a run of another seed, and gathers the lines.
struct Load<'a> {
    version: &'a str,
    lines: String,
    runs: String,
}

impl Visit for Load<'_> {
    fn on<G: Guard + Fingerprint>(&mut self, name: &str, guard: &G)
    where
        G::Memory<Params>: Persist,
    {
        // Guards that a version did not have yet.
        if !self.runs.lines().any(|line| line.starts_with(&format!("{name} "))) {
            return;
        }
        let bytes = read(self.version, &format!("{name}.checkpoint"));
        let line = run(guard, 7, 2, |trainer, source| {
            trainer.load(source, &mut &bytes[..]).unwrap_or_else(|error| panic!("{name}: {error}"));
            line(name, trainer, source)
        });
        // What predicts has the same parameters.
        let mut model = Model::new(Mlp::new(Fixed::<Layers, 1>::new(), Loss::CrossEntropy), net_params(), AsIs);
        model.load(&mut &bytes[..]).unwrap_or_else(|error| panic!("{name}, as a model: {error}"));
        assert_eq!(line.split(' ').nth(1), Some(params(model.params()).as_str()), "{name}");
        self.lines += &line;
    }
}

/// Parameters that are all zero.
fn net_params() -> Params {
    lgl2o::objective::Blank::blank_params(&net())
}

type Chip = Flash<4, 4, 1024>;

#[test]
fn checkpoints_of_every_version_go_on_with_the_same_bits() {
    for version in VERSIONS {
        let runs = String::from_utf8(read(version, RUNS)).unwrap();
        assert!(runs.lines().count() >= 8, "{runs}");
        let mut load = Load { version, lines: String::new(), runs };
        guards(&mut load);
        assert_eq!(load.lines, load.runs, "runs of {version}");
    }
}

#[test]
fn slots_of_every_version_load() {
    for version in VERSIONS {
        let runs = String::from_utf8(read(version, RUNS)).unwrap();
        let kept = runs.lines().find(|line| line.starts_with("auto ")).unwrap().split(' ').nth(1).unwrap().to_owned();
        let flash = Chip::holding(&read(version, SLOTS));
        run(&auto(), 7, 0, |trainer, source| {
            let Resumed { sequence, .. } = Slots::new(flash, 0..12 * 1024).unwrap().load(trainer, source).unwrap();
            assert_eq!((sequence, params(trainer.params())), (Some(2), kept));
        });
    }
}

/// Does something with each kind of learned rule.
trait VisitKinds {
    fn on<L: Learned>(&mut self, name: &str, rule: &L);
}

/// One of each kind.
fn kinds(visit: &mut impl VisitKinds) {
    visit.on("ngn", learned::ngn());
    visit.on("lean", learned::lean());
    visit.on("scale-free", &LearnedScaleFree::hand_made());
    visit.on("coordinate-lstm", learned::lstm());
    visit.on("rnnprop", learned::rnnprop());
}

/// Reads the files of weights of a version; those that were read.
struct LoadWeights<'a> {
    version: &'a str,
    read: BTreeSet<String>,
}

impl VisitKinds for LoadWeights<'_> {
    /// The file, written again, is the same.
    fn on<L: Learned>(&mut self, name: &str, _: &L) {
        let name = format!("{name}.l2o");
        // Kinds that a version did not have yet.
        if !folder(self.version).join(&name).exists() {
            return;
        }
        let file = read(self.version, &name);
        let rule = L::read_file(&file).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(rule.write_file(&mut vec![0; L::FILE_LEN]).unwrap(), file, "{name}");
        self.read.insert(name);
    }
}

#[test]
fn weights_of_every_version_load() {
    for version in VERSIONS {
        let mut load = LoadWeights { version, read: BTreeSet::new() };
        kinds(&mut load);
        let there =
            fs::read_dir(folder(version)).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let there: BTreeSet<String> = there.filter(|name| name.ends_with(".l2o")).collect();
        assert_eq!(load.read, there, "files of weights of {version}");
        assert!(there.len() >= 5, "{there:?}");
    }
}

/// Makes the files of weights.
struct MakeWeights;

impl VisitKinds for MakeWeights {
    fn on<L: Learned>(&mut self, name: &str, rule: &L) {
        keep(&format!("{name}.l2o"), rule.write_file(&mut vec![0; L::FILE_LEN]).unwrap());
    }
}

#[test]
#[ignore = "makes the files of a version: LGL2O_FIXTURES=VERSION"]
fn make() {
    let mut make = Make(String::new());
    guards(&mut make);
    keep(RUNS, make.0.as_bytes());
    run(&auto(), 1, ROUNDS[0] - 1, |trainer, source| {
        let mut slots = Slots::new(Chip::new(12), 0..12 * 1024).unwrap();
        slots.save(trainer, source).unwrap();
        trainer.round(source).unwrap();
        slots.save(trainer, source).unwrap();
        keep(SLOTS, slots.release().bytes());
    });
    kinds(&mut MakeWeights);
}
