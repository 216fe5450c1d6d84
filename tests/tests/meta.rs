//! `lgl2o meta-train`, end to end: determinism, interruption, damaged checkpoints, wrong configurations.

use std::fs;
use std::path::Path;
use std::process::Command;

use lgl2o_tests::program::{folder, lgl2o};

/// A meta-training of a few seconds, on the built-in task.
const CONFIG: &str = r#"
seed = 7
[optimizer]
kind = "coordinate-mlp"
hidden = 4
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
        assert!(lgl2o::learned::CoordinateMlp::<4>::from_bytes(&weights[0]).is_ok());
    }
}

/// A configuration that is interrupted and resumed gives the weights of one that is not.
///
/// The interruption is a kill at a moment that nobody chose; wherever it falls, the checkpoint is whole.
#[test]
fn an_interrupted_training_resumes_to_the_same_weights() {
    let long = CONFIG.replace("steps = 12", "steps = 600").replace("every = 4", "every = 200");
    let (whole, broken) = (folder(), folder());
    train(whole.path(), &long, &[]).expect(0, &[]);
    fs::write(broken.path().join("c.toml"), &long).unwrap();
    let program = lgl2o_tests::program::command(broken.path(), &["meta-train", "--config", "c.toml"]);
    interrupt(program, &broken.path().join("c.checkpoint"));
    train(broken.path(), &long, &[]).expect(1, &["there is a checkpoint", "--resume", "--restart"]);
    train(broken.path(), &long, &["--resume"]).expect(0, &[]);
    let weights = |dir: &Path| fs::read(dir.join("c.l2o")).unwrap();
    assert_eq!(weights(whole.path()), weights(broken.path()));
}

/// Starts the program and kills it once the checkpoint is there.
fn interrupt(mut program: Command, checkpoint: &Path) {
    let mut child = program.spawn().unwrap();
    while !checkpoint.exists() && child.try_wait().unwrap().is_none() {
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

/// Checkpoints that are damaged, foreign or of another configuration are refused, and say what to do.
#[test]
fn bad_checkpoints_are_refused() {
    let dir = folder();
    let checkpoint = dir.path().join("c.checkpoint");
    fs::write(dir.path().join("c.toml"), CONFIG.replace("steps = 12", "steps = 100000")).unwrap();
    let program = lgl2o_tests::program::command(dir.path(), &["meta-train", "--config", "c.toml"]);
    interrupt(program, &checkpoint);
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
        ("hidden = 4", "hidden = 5", "optimizer.hidden must be 4 or 8"),
        ("kind = \"pes\"", "kind = \"adam\"", "unknown variant `adam`"),
        ("horizon = [5, 20]", "horizon = [20, 5]", "horizon"),
        ("steps = 12", "steps = 0", "outer.steps"),
        ("tasks = [\"small\"]", "tasks = [\"large\"]", "there is no [[task]] of that name"),
        ("data = \"spirals\"", "data = \"cifar\"", "known: mnist, spirals"),
        ("particles = 3", "particles = 0", "at least one [[task]] needs particles"),
        ("seed = 7", "sede = 7", "unknown field `sede`"),
        ("seed = 7", "seed = ", "c.toml"),
    ];
    for (from, to, says) in cases {
        train(dir.path(), &CONFIG.replacen(from, to, 1), &[]).expect(2, &[says]);
    }
    lgl2o(dir.path(), &["meta-train", "--config", "gone.toml"]).expect(2, &["gone.toml"]);
}
