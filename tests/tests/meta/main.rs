//! `lgl2o meta-train`, end to end: determinism, interruption, damaged checkpoints, wrong configurations.

mod distribution;

use std::fs;
use std::path::Path;
use std::process::Command;

use lgl2o::Rng;
use lgl2o::rule::{NoProbe, Rule as _};
use lgl2o_host::meta::checkpoint::{Checkpoint, Saved};
use lgl2o_host::optimizer::learned::{self, KINDS, WeightsFile};
use lgl2o_host::optimizer::parts::Parts as _;
use lgl2o_tests::bits;
use lgl2o_tests::program::{command, folder, lgl2o};

/// A meta-training of a few seconds, on the built-in task.
const CONFIG: &str = r#"
seed = 7
[optimizer]
kind = "scale-free"
[estimator]
kind = "pes"
sigma = 0.02
unroll = 5
horizon = [5, 20]
objective = "loss"
difference_clip = 0.3
[outer]
steps = 12
rate = 0.003
warmup = 2
betas = [0.9, 0.99]
clip = 2.0
average = 0.9
[validation]
every = 4
steps = [5, 20]
seeds = 1
tasks = ["small"]
[[task]]
name = "small"
data = "spirals"
hidden = [4]
activation = "tanh"
batch = 8
particles = 3
"#;

fn train(dir: &Path, config: &str, more: &[&str]) -> lgl2o_tests::program::Ran {
    fs::write(dir.join("c.toml"), config).unwrap();
    let arguments: Vec<&str> = ["meta-train", "--config", "c.toml"].into_iter().chain(more.iter().copied()).collect();
    lgl2o(dir, &arguments)
}

/// The same configuration gives the same weights, whatever the number of threads; the checkpoint goes away at the end.
#[test]
fn weights_do_not_depend_on_threads() {
    for kind in ["pes", "es-single"] {
        let config = CONFIG.replace("\"pes\"", &format!("\"{kind}\""));
        let weights = ["1", "2"].map(|threads| {
            let dir = folder();
            train(dir.path(), &config, &["--threads", threads]).expect(0, &[]);
            assert!(!dir.path().join("c.checkpoint").exists());
            assert!(fs::read_to_string(dir.path().join("c.validation.csv")).unwrap().lines().count() == 5);
            fs::read(dir.path().join("c.l2o")).unwrap()
        });
        assert_eq!(weights[0], weights[1], "{kind}");
        assert!(lgl2o::learned::LearnedScaleFree::from_bytes(&weights[0]).is_ok());
    }
}

/// Lines of a log, without the column of minutes.
fn lines(dir: &Path, name: &str) -> Vec<String> {
    let text = fs::read_to_string(dir.join(name)).unwrap();
    let minutes = text.lines().next().unwrap().split(',').position(|column| column == "minutes");
    let others = |line: &str| -> Vec<String> {
        line.split(',').enumerate().filter(|(i, _)| Some(*i) != minutes).map(|(_, column)| column.to_owned()).collect()
    };
    text.lines().map(|line| others(line).join(",")).collect()
}

/// Every kind and size can be trained: there is a meta-gradient, snapshots can be scored, and the file is of that kind.
///
/// Whether so few outer steps make a rule better is chance, so nothing is said about that.
#[test]
fn every_kind_can_be_trained() {
    for kind in KINDS {
        let (name, hidden) = (kind.name, kind.hidden);
        let config = CONFIG.replace("\"scale-free\"", &format!("\"{name}\"\nhidden = {hidden}"));
        let config = config.replace("steps = 12", "steps = 20").replace("every = 4", "every = 20");
        let dir = folder();
        train(dir.path(), &config, &[]).expect(0, &[]);
        let WeightsFile { kind: found, weights, .. } =
            learned::read(&fs::read(dir.path().join("c.l2o")).unwrap()).unwrap();
        assert_eq!((found.name, found.hidden, weights.len()), (name, hidden, kind.weights));
        let column = |file: &str, header: &str| -> Vec<f64> {
            let text = fs::read_to_string(dir.path().join(file)).unwrap();
            let mut lines = text.lines();
            let at = lines.next().unwrap().split(',').position(|h| h == header).unwrap();
            lines.map(|line| line.split(',').nth(at).unwrap().parse().unwrap()).collect()
        };
        let scores = column("c.validation.csv", "score");
        assert!(scores.len() == 2 && scores.iter().all(|s| s.is_finite()), "{name} {hidden}: {scores:?}");
        assert_ne!(scores[0], scores[1], "{name} {hidden}: the weights did not move");
        let lengths = column("c.log.csv", "gradient_length");
        assert!(lengths.iter().all(|&l| l > 0.0 && l.is_finite()), "{name} {hidden}: {lengths:?}");
    }
}

/// What a checkpoint keeps of a state is all of it: put together again, it goes on as if nothing had happened.
#[test]
fn every_state_survives_being_taken_apart() {
    type Pair = ([f32; 11], [f32; 3]);
    for kind in KINDS {
        let mut rng = Rng::new(5);
        // Not the initial weights: behind those of some kinds, part of the state has no effect yet.
        let weights: Vec<f32> = (0..kind.weights).map(|_| 0.3 * rng.normal()).collect();
        let rule = (kind.rule)(&weights).unwrap();
        let mut number = || rng.normal();
        let mut random = || -> Pair { (std::array::from_fn(|_| number()), std::array::from_fn(|_| number())) };
        let mut w = random();
        let mut state = rule.state(&w);
        (0..7).for_each(|_| rule.step(&mut state, &mut w, &random(), 0.0, &mut NoProbe));
        let mut again = rule.state(&w);
        assert!(again.set_numbers(state.steps(), &state.numbers()));
        let slots: Vec<Pair> = state.slot_list().into_iter().copied().collect();
        assert_eq!(again.slot_list_mut().len(), slots.len());
        again.slot_list_mut().into_iter().zip(&slots).for_each(|(to, from)| *to = *from);
        let goes_on = |mut state| {
            let mut w = w;
            let mut gradients = Rng::new(6);
            for _ in 0..5 {
                let gradient: Pair = (std::array::from_fn(|_| gradients.normal()), [gradients.normal(); 3]);
                rule.step(&mut state, &mut w, &gradient, 0.7, &mut NoProbe);
            }
            bits::of(&w)
        };
        let (name, hidden, expected) = (kind.name, kind.hidden, goes_on(state));
        assert_eq!(goes_on(again), expected, "{name} {hidden}");
        assert_ne!(goes_on(rule.state(&w)), expected, "{name} {hidden}: a fresh state is noticed");
    }
}

/// The same of a rule in eigenbases, which has turned by then.
#[test]
fn a_rotated_state_survives_being_taken_apart() {
    use lgl2o::objective::mlp::DenseParams;
    use lgl2o::rule::Rotated;
    use lgl2o_host::optimizer::AnyRule;
    let rule =
        AnyRule::Rotated(Box::new(Rotated::new((KINDS[0].rule)(&(KINDS[0].initial)(&mut Rng::new(1))).unwrap())));
    let mut rng = Rng::new(5);
    let mut random = || DenseParams::<3, 4> {
        weights: std::array::from_fn(|_| std::array::from_fn(|_| rng.normal())),
        bias: std::array::from_fn(|_| rng.normal()),
    };
    let mut w = random();
    let mut state = rule.state(&w);
    (0..7).for_each(|_| rule.step(&mut state, &mut w, &random(), 0.7, &mut NoProbe));
    let mut again = rule.state(&w);
    assert!(again.set_numbers(state.steps(), &state.numbers()));
    again.slot_list_mut().into_iter().zip(state.slot_list()).for_each(|(to, from)| to.clone_from(from));
    let gradients: [_; 20] = std::array::from_fn(|_| random());
    let goes_on = |mut state| {
        let mut w = w.clone();
        gradients.iter().for_each(|gradient| rule.step(&mut state, &mut w, gradient, 0.7, &mut NoProbe));
        bits::of(&w)
    };
    assert_eq!(goes_on(again), goes_on(state));
}

/// A configuration that is interrupted and resumed gives the weights and logs of one that is not: two seeds, on a task
/// with rescaling.
///
/// The interruptions are kills at moments that nobody chose, some time into the first and the second seed; wherever
/// they fall, the checkpoint is whole.
#[test]
fn an_interrupted_training_resumes_to_the_same_weights() {
    let long = CONFIG.replace("steps = 12", "steps = 600").replace("every = 4", "every = 40");
    let long = format!("seeds = 2\n{long}rescale = [0.1, 10.0]\nrescale_per_tensor = true\n");
    let (whole, broken) = (folder(), folder());
    train(whole.path(), &long, &[]).expect(0, &[]);
    fs::write(broken.path().join("c.toml"), &long).unwrap();
    for (seed, more) in [(7, "--restart"), (8, "--resume")] {
        let program = command(broken.path(), &["meta-train", "--config", "c.toml", more]);
        interrupt(program, &broken.path().join("c.checkpoint"), |saved: &Checkpoint| {
            saved.seed == seed && saved.done > 0
        });
        train(broken.path(), &long, &[]).expect(1, &["there is a checkpoint", "--resume", "--restart"]);
    }
    train(broken.path(), &long, &["--resume"]).expect(0, &[]);
    let weights = |dir: &Path| fs::read(dir.join("c.l2o")).unwrap();
    assert_eq!(weights(whole.path()), weights(broken.path()));
    for name in ["c.log.csv", "c.validation.csv"] {
        assert_eq!(lines(whole.path(), name), lines(broken.path(), name));
    }
}

/// Starts the program and kills it once there is a checkpoint of some kind.
fn interrupt<C: Saved>(mut program: Command, checkpoint: &Path, reached: impl Fn(&C) -> bool) {
    let mut child = program.spawn().unwrap();
    while !C::read(checkpoint).is_ok_and(|saved| reached(&saved)) {
        assert!(child.try_wait().unwrap().is_none(), "it ended before it was interrupted");
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

/// Several seeds are the trainings that each of them is alone; the weights are the best one's.
#[test]
fn the_best_of_several_seeds_is_kept() {
    let dir = folder();
    let said = train(dir.path(), CONFIG, &["--seeds", "3"]);
    said.expect(0, &[]);
    let weights = fs::read(dir.path().join("c.l2o")).unwrap();
    let (log, validation) = (lines(dir.path(), "c.log.csv"), lines(dir.path(), "c.validation.csv"));
    assert!(log[0].starts_with("seed,outer_step") && validation[0].starts_with("seed,outer_step,score"));
    let mut best = (f64::INFINITY, 0, Vec::new());
    for (i, seed) in [7, 8, 9].into_iter().enumerate() {
        let one = CONFIG.replace("seed = 7", &format!("seed = {seed}"));
        train(dir.path(), &one, &["--restart"]).expect(0, &[]);
        let alone = lines(dir.path(), "c.validation.csv");
        let scores = alone[1..].iter().map(|line| line.split(',').nth(1).unwrap().parse::<f64>().unwrap());
        let score = scores.fold(f64::INFINITY, f64::min);
        if score < best.0 {
            best = (score, seed, fs::read(dir.path().join("c.l2o")).unwrap());
        }
        for (together, alone) in [(&validation, alone), (&log, lines(dir.path(), "c.log.csv"))] {
            let stretch = together.iter().skip(1 + i * (alone.len() - 1));
            let expected = alone[1..].iter().map(|line| format!("{seed},{line}"));
            assert!(expected.eq(stretch.take(alone.len() - 1).cloned()), "seed {seed}: {alone:?} in {together:?}");
        }
    }
    assert_eq!(weights, best.2);
    assert!(said.out.contains(&format!("seed {}, ", best.1)), "{}", said.out);
}

/// `rotated = true` trains the rule in eigenbases: the same weights have other scores there, and other meta-gradients.
#[test]
fn a_rule_is_trained_in_eigenbases() {
    let [plain, rotated] = ["", "\nrotated = true"].map(|more| {
        let dir = folder();
        train(dir.path(), &CONFIG.replace("\"scale-free\"", &format!("\"scale-free\"{more}")), &[]).expect(0, &[]);
        ["c.validation.csv", "c.log.csv"].map(|name| lines(dir.path(), name)[1].clone())
    });
    assert_ne!(plain[0], rotated[0], "scores of the start");
    assert_ne!(plain[1], rotated[1], "the first outer step");
}

/// A training may start from a weights file beside its configuration, and from nothing that is not one.
#[test]
fn a_training_starts_from_a_file() {
    let dir = folder();
    train(dir.path(), CONFIG, &[]).expect(0, &[]);
    let file = fs::read(dir.path().join("c.l2o")).unwrap();
    let config = CONFIG.replace("\"scale-free\"", "\"scale-free\"\nstart = \"start.l2o\"");
    train(dir.path(), &config, &["--restart"]).expect(1, &["weights to start from", "start.l2o"]);
    let mut damaged = file.clone();
    damaged[20] ^= 1;
    let other: &[u8] = include_bytes!("../../../core/src/learned/lean.l2o");
    let cases = [
        (&damaged[..], "damaged"),
        (&file[..file.len() - 4], "cut off"),
        (&[], "not a weights file"),
        (other, "holds a lean of size 3"),
    ];
    for (bad, why) in cases {
        fs::write(dir.path().join("start.l2o"), bad).unwrap();
        train(dir.path(), &config, &["--restart"]).expect(1, &["start.l2o", why]);
    }
    fs::write(dir.path().join("start.l2o"), &file).unwrap();
    // So small a rate that the first snapshot, the start itself, is as good as any other.
    let still = config.replace("rate = 0.003", "rate = 1e-30");
    fs::create_dir(dir.path().join("elsewhere")).unwrap();
    fs::write(dir.path().join("c.toml"), still).unwrap();
    lgl2o(&dir.path().join("elsewhere"), &["meta-train", "--config", "../c.toml", "--restart"]).expect(0, &[]);
    assert_eq!(fs::read(dir.path().join("c.l2o")).unwrap(), file);
}

/// With several tasks to validate on, each has a score of its own, and the score is their mean.
#[test]
fn tasks_are_scored_one_by_one() {
    let dir = folder();
    let config = CONFIG.replace("[\"small\"]", "[\"small\", \"wide\"]");
    let wide = r#"
[[task]]
name = "wide"
data = "spirals"
hidden = [8]
activation = "relu"
batch = 16
particles = 0
"#;
    train(dir.path(), &format!("{config}{wide}"), &[]).expect(0, &[]);
    let lines = lines(dir.path(), "c.validation.csv");
    assert_eq!(lines[0], "outer_step,score,loss_5,loss_20,score_small,score_wide");
    for line in &lines[1..] {
        let columns: Vec<f64> = line.split(',').map(|x| x.parse().unwrap()).collect();
        assert!((columns[1] - 0.5 * (columns[4] + columns[5])).abs() < 2e-5, "{line}");
        assert_ne!(columns[4], columns[5]);
    }
}

/// Checkpoints that are damaged, foreign or of another configuration are refused, and say what to do.
#[test]
fn bad_checkpoints_are_refused() {
    let dir = folder();
    let checkpoint = dir.path().join("c.checkpoint");
    fs::write(dir.path().join("c.toml"), CONFIG.replace("steps = 12", "steps = 100000")).unwrap();
    let program = command(dir.path(), &["meta-train", "--config", "c.toml"]);
    interrupt(program, &checkpoint, |_: &Checkpoint| true);
    let good = fs::read(&checkpoint).unwrap();
    train(dir.path(), CONFIG, &["--resume"]).expect(1, &["another configuration", "--restart"]);
    let mut damaged = good.clone();
    damaged[good.len() / 2] ^= 4;
    fs::write(&checkpoint, &damaged).unwrap();
    train(dir.path(), CONFIG, &["--resume"]).expect(1, &["c.checkpoint", "damaged"]);
    fs::write(&checkpoint, &good[..good.len() / 2]).unwrap();
    train(dir.path(), CONFIG, &["--resume"]).expect(1, &["c.checkpoint", "damaged"]);
    fs::write(&checkpoint, b"a letter to a friend").unwrap();
    train(dir.path(), CONFIG, &["--resume"]).expect(1, &["is not a checkpoint"]);
    assert_eq!(fs::read(&checkpoint).unwrap(), b"a letter to a friend", "a refused file is left alone");
    train(dir.path(), CONFIG, &["--restart"]).expect(0, &[]);
}

/// What is wrong with a configuration is said with its name: exit status 2.
#[test]
fn wrong_configurations_are_explained() {
    let dir = folder();
    let cases = [
        ("sigma = 0.02", "sigma = 0.0", "estimator.sigma must be positive"),
        (
            "kind = \"scale-free\"",
            "kind = \"scale-free\"\nhidden = 5",
            "no kind `scale-free` of size 5; known kinds and sizes: ngn 17, scale-free 6,",
        ),
        ("kind = \"scale-free\"", "kind = \"coordinate-mlp\"", "no kind `coordinate-mlp`;"),
        ("kind = \"pes\"", "kind = \"adam\"", "unknown variant `adam`"),
        ("horizon = [5, 20]", "horizon = [20, 5]", "horizon"),
        ("steps = 12", "steps = 0", "outer.steps"),
        ("tasks = [\"small\"]", "tasks = [\"large\"]", "there is no [[task]] of that name"),
        ("data = \"spirals\"", "data = \"cifar\"", "known: spirals, mnist"),
        ("particles = 3", "particles = 0", "at least one [[task]] needs particles"),
        ("seed = 7", "seed = 7\nseeds = 0", "seeds is 0, but must be in 1..=10000"),
        ("particles = 3", "particles = 3\nrescale = [0.0, 1.0]", "task `small`: rescale"),
        ("particles = 3", "particles = 3\nrescale = [2.0, 1.0]", "task `small`: rescale"),
        ("seed = 7", "sede = 7", "unknown field `sede`"),
        ("seed = 7", "seed = ", "c.toml"),
    ];
    for (from, to, says) in cases {
        train(dir.path(), &CONFIG.replacen(from, to, 1), &[]).expect(2, &[says]);
    }
    lgl2o(dir.path(), &["meta-train", "--config", "gone.toml"]).expect(2, &["gone.toml"]);
}
