//! Meta-training on a distribution of tasks.

use std::fs;
use std::path::Path;

use lgl2o_host::meta::full_horizon;
use lgl2o_tests::program::{DISTRIBUTION, command, folder};

use super::{CONFIG, interrupt, lines, train};

/// On a distribution, too, weights and logs depend on the seed alone, not on threads.
#[test]
fn a_distribution_gives_the_same_weights_with_any_number_of_threads() {
    let found = [("1", "seed = 7"), ("2", "seed = 7"), ("2", "seed = 8")].map(|(threads, seed)| {
        let dir = folder();
        let config = DISTRIBUTION.replace("seed = 7", seed);
        train(dir.path(), &config, &["--threads", threads]).expect(0, &[]);
        assert!(!dir.path().join("c.checkpoint").exists());
        let logs = ["c.log.csv", "c.validation.csv"].map(|name| lines(dir.path(), name));
        assert_eq!(logs.each_ref().map(Vec::len), [7, 4]);
        (fs::read(dir.path().join("c.l2o")).unwrap(), logs)
    });
    assert_eq!(found[0], found[1]);
    assert_ne!(found[0].1, found[2].1);
}

/// Killed and resumed, a training on a distribution ends where it would have ended.
#[test]
fn a_training_on_a_distribution_resumes_to_the_same_weights() {
    let long = DISTRIBUTION.replace("steps = 6", "steps = 10").replace("seed = 7", "seed = 7\nseeds = 2");
    let (whole, broken) = (folder(), folder());
    train(whole.path(), &long, &[]).expect(0, &[]);
    fs::write(broken.path().join("c.toml"), &long).unwrap();
    for (seed, more) in [(7, "--restart"), (8, "--resume")] {
        let program = command(broken.path(), &["meta-train", "--config", "c.toml", more]);
        let reached = |saved: &full_horizon::Checkpoint| saved.seed == seed && saved.done > 0;
        interrupt(program, &broken.path().join("c.checkpoint"), reached);
        train(broken.path(), &long, &[]).expect(1, &["there is a checkpoint", "--resume", "--restart"]);
    }
    let other = long.replace("sigma = 0.05", "sigma = 0.06");
    train(broken.path(), &other, &["--resume"]).expect(1, &["another configuration"]);
    train(broken.path(), &long, &["--resume"]).expect(0, &[]);
    let weights = |dir: &Path| fs::read(dir.join("c.l2o")).unwrap();
    assert_eq!(weights(whole.path()), weights(broken.path()));
    for name in ["c.log.csv", "c.validation.csv"] {
        assert_eq!(lines(whole.path(), name), lines(broken.path(), name));
    }
}

/// Optimizers are compared on the same fresh tasks, guards among them.
#[test]
fn optimizers_are_evaluated_on_a_distribution() {
    let dir = folder();
    let list = "adam:0.03,adam:0.03,lgl2o(adam:0.01,sgd:0.1)";
    let ran = train(dir.path(), DISTRIBUTION, &["--evaluate", list, "--tasks", "6"]);
    ran.expect(0, &[]);
    let rows: Vec<&str> = ran.out.lines().filter(|line| line.ends_with("adam:0.03")).collect();
    assert_eq!(rows.len(), 4, "{}", ran.out);
    assert_eq!((rows[0], rows[2]), (rows[1], rows[3]), "the same optimizer, the same line");
    assert!(ran.out.contains("6 tasks of unseen families") && ran.out.contains("lgl2o(adam:0.01,sgd:0.1)"));
    train(dir.path(), CONFIG, &["--evaluate", "adam:0.03"]).expect(2, &["needs a configuration with a [distribution]"]);
    train(dir.path(), DISTRIBUTION, &["--evaluate", "adem:0.03"]).expect(2, &["adem"]);
}

/// What is wrong with a configuration of a distribution is said with its name: exit status 2.
#[test]
fn wrong_distributions_are_explained() {
    let dir = folder();
    let cases = [
        ("sigma = 0.05", "sigma = 0.0", "estimator.sigma must be positive"),
        ("pairs = 3", "pairs = 0", "estimator.pairs"),
        ("horizon = [8, 60]", "horizon = [4, 60]", "estimator.horizon"),
        ("work = 1e8", "work = 0.0", "estimator.work"),
        ("held_out_weight = 1.0", "held_out_weight = -1.0", "estimator.held_out_weight"),
        ("kind = \"full-horizon\"", "kind = \"pes\"", "unknown variant `pes`"),
        ("rate = 0.01", "rate = 0.0", "outer.rate"),
        ("schedule = \"linear\"", "schedule = \"steps\"", "unknown variant `steps`"),
        ("rows = [100, 200]", "rows = [10, 200]", "distribution.rows"),
        ("\"sparse\"", "\"spirals\"", "distribution.families names `spirals`; known: digits,"),
        ("horizons = [8, 16]", "horizons = [1, 16]", "validation.horizons"),
        ("[distribution]", "[[task]]\n[distribution]", "leave one of them out"),
    ];
    for (from, to, says) in cases {
        train(dir.path(), &DISTRIBUTION.replacen(from, to, 1), &[]).expect(2, &[says]);
    }
    let digits = DISTRIBUTION.replace("\"sparse\"", "\"digits\"");
    train(dir.path(), &digits, &["--data", "nowhere"]).expect(1, &["nowhere"]);
}
