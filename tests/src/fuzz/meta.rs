//! Checkpoints of meta-training.

use std::path::Path;

use lgl2o_host::meta::checkpoint::{Checkpoint, ParticleState, Saved as _, Snapshot};
use lgl2o_host::meta::config::Config;
use lgl2o_host::meta::outer::Outer;
use lgl2o_host::meta::particle::Particle;
use lgl2o_host::meta::problem::load;
use lgl2o_host::meta::theta::Theta;

use super::{Target, put_right};

pub(super) const TARGET: Target = Target { name: "meta", read, examples, memory };

/// Sequences are taken on trust up to a megabyte at a time, and a number of four bytes may have one in the file.
fn memory(bytes: &[u8]) -> usize {
    (1 << 23) + 256 * bytes.len()
}

/// What is accepted comes back as the same bytes once it has been written.
fn read(bytes: &[u8]) -> bool {
    let accepted = one(bytes);
    let mut right = bytes.to_vec();
    let end = right.len();
    put_right(&mut right, 9..end.max(9), 5);
    one(&right);
    accepted
}

fn one(bytes: &[u8]) -> bool {
    let Ok(checkpoint) = Checkpoint::from_bytes(bytes) else { return false };
    let written = checkpoint.to_bytes().expect("it was read");
    let again = Checkpoint::from_bytes(&written).expect("it was written");
    assert_eq!(again.to_bytes().expect("it was read"), written);
    true
}

/// A checkpoint with a particle, and one without.
fn examples() -> Vec<Vec<u8>> {
    let config = Config::parse(CONFIG).expect("a configuration");
    let theta = Theta::initial(&config.optimizer, 1).expect("initial weights");
    let problems = load(&config, Path::new("")).expect("spirals need no data");
    let particle = Particle::new(&problems[0], &theta, &config.estimator, 1, 0);
    let snapshot = Snapshot { score: 0.5, seed: 1, step: 7, weights: theta.weights.clone() };
    let whole = Checkpoint {
        config: CONFIG.to_owned(),
        seed: 1,
        done: 7,
        inner: 280,
        minutes: 0.5,
        weights: theta.weights.clone(),
        average: theta.weights.clone(),
        outer: Outer::new(theta.weights.len()),
        best: Some(snapshot),
        pending: (1.5, 2),
        logs: ["outer\n".to_owned(), "score\n".to_owned()],
        particles: vec![ParticleState::of(&particle)],
    };
    let without = Checkpoint { best: None, particles: Vec::new(), ..whole.clone() };
    [whole, without].map(|checkpoint| checkpoint.to_bytes().expect("it can be written")).to_vec()
}

const CONFIG: &str = r#"
seed = 1
[optimizer]
kind = "lean"
[estimator]
kind = "pes"
sigma = 0.01
unroll = 20
horizon = [40, 80]
objective = "loss"
difference_clip = 1.0
[outer]
steps = 10
rate = 0.001
warmup = 1
betas = [0.9, 0.99]
clip = 3.0
average = 0.9
[validation]
every = 5
steps = [20]
seeds = 1
tasks = ["spirals"]
[[task]]
name = "spirals"
data = "spirals"
hidden = [2]
activation = "tanh"
batch = 4
particles = 1
"#;
