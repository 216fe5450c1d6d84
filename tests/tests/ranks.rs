//! `lgl2o meta-train`, `reproduce` and `survey` spread over ranks by `mpirun`: the same bytes for any number of them, and failures
//! that end all.
//!
//! Ignored unless asked for, since they need Open MPI and libclang:
//!
//! ```text
//! cargo test -p lgl2o-tests --test ranks -- --ignored
//! ```

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use lgl2o_host::meta::checkpoint::{Checkpoint, Saved as _};
use lgl2o_tests::program::{build, folder, ran, write_idx};
use tempfile::TempDir;

/// Five particles, so that they are dealt out unevenly, and two seeds, on built-in data.
const CONFIG: &str = r#"
seed = 3
seeds = 2
[optimizer]
kind = "scale-free"
[estimator]
kind = "pes"
sigma = 0.02
unroll = 5
horizon = [5, 20]
objective = "log-loss"
difference_clip = 0.3
[outer]
steps = 60
rate = 0.003
warmup = 2
betas = [0.9, 0.99]
clip = 2.0
average = 0.9
[validation]
every = 15
steps = [5, 20]
seeds = 3
tasks = ["plain"]
[[task]]
name = "rescaled"
data = "spirals"
hidden = [8]
activation = "tanh"
batch = 8
particles = 3
rescale = [0.1, 10.0]
[[task]]
name = "plain"
data = "spirals"
hidden = [8]
activation = "relu"
batch = 16
particles = 2
"#;

fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| build("mpi"))
}

/// `mpirun` in a directory, which may start more ranks than there are cores, and as any user.
fn mpirun(dir: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new("mpirun");
    command.current_dir(dir).arg("--oversubscribe").args(arguments).env_remove("LGL2O_DATA");
    command.env("XDG_CACHE_HOME", dir.join("no-cache"));
    command.env("OMPI_ALLOW_RUN_AS_ROOT", "1").env("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1");
    command
}

/// A meta-training of `config` by some ranks.
fn train(dir: &Path, config: &str, ranks: usize, more: &[&str]) -> Command {
    fs::write(dir.join("c.toml"), config).unwrap();
    let (ranks, program) = (ranks.to_string(), program().to_str().unwrap());
    let fixed = ["-n", &ranks, program, "meta-train", "--config", "c.toml", "--threads", "1"];
    mpirun(dir, &fixed.iter().chain(more).copied().collect::<Vec<_>>())
}

/// Weights and logs, without the column of minutes.
fn results(dir: &Path) -> (Vec<u8>, Vec<String>, String) {
    let log = fs::read_to_string(dir.join("c.log.csv")).unwrap();
    assert!(log.starts_with("seed,outer_step,inner_steps,minutes,"));
    let line =
        |line: &str| line.split(',').enumerate().filter(|(i, _)| *i != 3).map(|(_, x)| format!("{x},")).collect();
    let validation = fs::read_to_string(dir.join("c.validation.csv")).unwrap();
    assert!(!dir.join("c.checkpoint").exists());
    (fs::read(dir.join("c.l2o")).unwrap(), log.lines().map(line).collect(), validation)
}

#[test]
#[ignore = "needs Open MPI and libclang"]
fn weights_do_not_depend_on_ranks() {
    let alone = folder();
    fs::write(alone.path().join("c.toml"), CONFIG).unwrap();
    let mut command = Command::new(program());
    ran(command.current_dir(&alone).args(["meta-train", "--config", "c.toml"])).expect(0, &[]);
    for ranks in [1, 2, 4] {
        let dir = folder();
        let said = ran(&mut train(dir.path(), CONFIG, ranks, &[]));
        assert_eq!(said.expect(0, &[]).out.matches("chosen weights").count(), 1, "{said:?}");
        assert_eq!(results(alone.path()), results(dir.path()), "{ranks} ranks");
    }
}

/// What `reproduce` writes, with one rank and with two; these go on from what one has left half done, too.
#[test]
#[ignore = "needs Open MPI and libclang"]
fn experiments_do_not_depend_on_ranks() {
    let reproduce = |dir: &Path, ranks: &str| {
        let fixed = ["--quick", "--data", "nowhere", "--out", "o", "--only", "2", "--seeds", "1", "--threads", "1"];
        let start = ["-n", ranks, program().to_str().unwrap(), "reproduce"];
        let said = ran(&mut mpirun(dir, &[&start[..], &fixed].concat()));
        assert_eq!(said.expect(0, &[]).out.matches("report: ").count(), 1, "{said:?}");
        let read = |name: &str| fs::read(dir.join("o").join(name)).unwrap();
        let count = said.out.lines().find(|line| line.starts_with("runs: ")).unwrap().to_owned();
        ((read("2-spirals/spirals/results.json"), read("report.html")), count)
    };
    let (one, two) = (folder(), folder());
    let (written, count) = reproduce(one.path(), "1");
    let (same, same_count) = reproduce(two.path(), "2");
    assert!(written == same, "one rank and two");
    assert_eq!(count, same_count);
    let units = |dir: &Path| -> Vec<PathBuf> {
        let mut all: Vec<_> = fs::read_dir(dir.join("o/units")).unwrap().map(|entry| entry.unwrap().path()).collect();
        all.sort();
        all
    };
    let stored = units(one.path());
    assert_eq!(stored.len(), units(two.path()).len());
    let lost = stored.len() / 2;
    stored[..lost].iter().for_each(|unit| fs::remove_file(unit).unwrap());
    let (again, count) = reproduce(one.path(), "2");
    assert!(again == written, "two ranks that go on");
    assert!(count.starts_with(&format!("runs: {lost} done, {} found", stored.len() - lost)), "{count}");
}

/// What `survey` writes, with one rank and with three, and with two that go on from what one has left half done.
#[test]
#[ignore = "needs Open MPI and libclang"]
fn surveys_do_not_depend_on_ranks() {
    let survey = |dir: &Path, ranks: &str| {
        let fixed =
            ["--quick", "--networks", "6 tanh", "--optimizers", "adam:0.03,l2o", "--flat", "none", "--out", "o"];
        let start = ["-n", ranks, program().to_str().unwrap(), "survey", "--threads", "1"];
        let said = ran(&mut mpirun(dir, &[&start[..], &fixed].concat()));
        assert_eq!(said.expect(0, &[]).out.matches("report: ").count(), 1, "{said:?}");
        ["survey.json", "survey.html", "table.md"].map(|name| fs::read(dir.join("o").join(name)).unwrap())
    };
    let (one, three) = (folder(), folder());
    let written = survey(one.path(), "1");
    assert!(survey(three.path(), "3") == written, "one rank and three");
    let units: Vec<_> = fs::read_dir(one.path().join("o/units")).unwrap().map(|entry| entry.unwrap().path()).collect();
    units[..units.len() / 2].iter().for_each(|unit| fs::remove_file(unit).unwrap());
    assert!(survey(one.path(), "2") == written, "two ranks that go on");
    let wrong = ["-n", "2", program().to_str().unwrap(), "survey", "--optimizers", "adm:1"];
    let said = ran(&mut mpirun(one.path(), &wrong));
    assert_eq!(said.expect(2, &["did you mean `adam`"]).err.matches("did you mean").count(), 1, "{said:?}");
}

/// A rank that is killed ends the others; what was saved goes on, with another number of ranks, to the same end.
#[test]
#[ignore = "needs Open MPI and libclang"]
fn a_killed_rank_ends_all_and_the_checkpoint_goes_on() {
    let long = CONFIG.replace("steps = 60", "steps = 600").replace("every = 15", "every = 50");
    let (whole, broken) = (folder(), folder());
    ran(&mut train(whole.path(), &long, 2, &[])).expect(0, &[]);
    for (seed, ranks, more) in [(3, 3, "--restart"), (4, 2, "--resume")] {
        let mut child = train(broken.path(), &long, ranks, &[more]).stderr(Stdio::null()).spawn().unwrap();
        let checkpoint = broken.path().join("c.checkpoint");
        while !Checkpoint::read(&checkpoint).is_ok_and(|saved| saved.seed == seed && saved.done > 0) {
            assert!(child.try_wait().unwrap().is_none(), "it ended before a rank was killed");
            std::thread::sleep(Duration::from_millis(1));
        }
        let last = *children(&child).last().unwrap();
        assert!(Command::new("kill").args(["-KILL", &last.to_string()]).status().unwrap().success());
        assert!(!child.wait().unwrap().success());
        assert!(checkpoint.exists());
    }
    ran(&mut train(broken.path(), &long, 4, &["--resume"])).expect(0, &[]);
    assert_eq!(results(whole.path()), results(broken.path()));
}

/// A survey of long units for one rank, of [`tasks`]: for each the oracle, which takes fifteen times as many steps as a run, and then a
/// run. Unit i is done by rank i modulo their number, so that of three ranks the first and the last begin with an oracle.
fn long(steps: &str) -> Vec<&str> {
    let fixed = ["--synthetic", "0", "--seeds", "1", "--networks", "6 tanh", "--optimizers", "sgd:1", "--flat", "none"];
    let own = ["survey", "--data", "tasks", "--steps", steps, "--threads", "1", "--out", "o"];
    [&[program().to_str().unwrap()][..], &own, &fixed].concat()
}

/// A directory with its two tasks, for a rank to run in.
fn tasks() -> TempDir {
    let home = folder();
    for (name, classes) in [("two", 2), ("three", 3)] {
        let dir = home.path().join("tasks").join(name);
        fs::create_dir_all(&dir).unwrap();
        write_idx(&dir, 4, classes, 400, 100);
    }
    home
}

/// `mpirun` of such a survey by some ranks in a directory.
fn survey(dir: &Path, ranks: &str, long: &[&str]) -> Command {
    let mut command = mpirun(dir, &["-n", ranks]);
    command.args(long);
    command
}

/// So many steps that the oracle's units take several times the five seconds after which they are kept; what is posted is exchanged
/// after seven seconds, and then after fifteen.
const STEPS: &str = "30000";

/// What one rank writes that is not interrupted.
fn written_alone() -> &'static [u8] {
    static WRITTEN: OnceLock<Vec<u8>> = OnceLock::new();
    WRITTEN.get_or_init(|| {
        let dir = tasks();
        ran(&mut survey(dir.path(), "1", &long(STEPS))).expect(0, &[]);
        fs::read(dir.path().join("o/survey.json")).unwrap()
    })
}

/// How many files of a survey's units have an ending.
fn units(dir: &Path, ending: &str) -> usize {
    let entries = fs::read_dir(dir.join("o/units")).into_iter().flatten().flatten();
    entries.filter(|entry| entry.file_name().to_string_lossy().ends_with(ending)).count()
}

/// Starts a survey, waits until it has kept enough, and kills all of its ranks.
fn killed(mut command: Command, what: &str, enough: impl Fn() -> bool) {
    let mut child = command.stderr(Stdio::null()).spawn().unwrap();
    while !enough() {
        assert!(child.try_wait().unwrap().is_none(), "it ended before {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
    kill_ranks(&mut child);
}

/// What a rank has finished is with the first one while another rank is still at a long unit; what is under way is kept, too. All of
/// it outlives a kill.
#[test]
#[ignore = "needs Open MPI and libclang"]
fn finished_units_do_not_wait_for_long_ones() {
    let dir = tasks();
    let dir = dir.path();
    // Hours.
    let hours = survey(dir, "2", &long("10000000"));
    killed(hours, "each rank had kept what is under way", || units(dir, ".half") == 2);
    fs::remove_dir_all(dir.join("o")).unwrap();
    let long = long(STEPS);
    killed(survey(dir, "2", &long), "a finished unit was kept", || units(dir, ".json") > 0);
    let kept = units(dir, ".json");
    let said = ran(&mut survey(dir, "3", &long));
    assert!(said.expect(0, &[]).out.contains(&format!("{kept} found finished")), "{said:?}");
    assert!(fs::read(dir.join("o/survey.json")).unwrap() == written_alone());
    assert_eq!(units(dir, ".half"), 0);
}

/// A rank that does not see the first one's folder, as on another machine, loses nothing of a long unit either: the first rank keeps
/// it, and tells it what is there when the program is called again.
#[test]
#[ignore = "needs Open MPI and libclang"]
fn what_is_under_way_is_kept_for_a_rank_without_the_folder() {
    let (home, away, long) = (tasks(), tasks(), long(STEPS));
    let (home, away) = (home.path(), away.path());
    let apart = || {
        let mut command = survey(home, "1", &long);
        command.args([":", "-n", "2", "-wdir", away.to_str().unwrap()]).args(&long);
        command
    };
    killed(apart(), "both oracles were kept while they were under way", || units(home, ".half") == 2);
    assert!(!away.join("o").exists(), "it is the first rank's");
    ran(&mut apart()).expect(0, &[]);
    assert!(!away.join("o").exists() && units(home, ".half") == 0);
    let written = fs::read(home.join("o/survey.json")).unwrap();
    assert!(written == written_alone(), "what was kept is what it goes on with");
}

/// Kills all ranks that a process has started.
fn kill_ranks(parent: &mut Child) {
    for id in children(parent) {
        // Open MPI may have ended it by then.
        let _ = Command::new("kill").args(["-KILL", &id.to_string()]).status().unwrap();
    }
    assert!(!parent.wait().unwrap().success());
}

/// The processes that a process has started, as Linux lists them.
fn children(parent: &Child) -> Vec<u32> {
    let tasks = fs::read_dir(format!("/proc/{}/task", parent.id())).unwrap();
    let lists = tasks.map(|task| fs::read_to_string(task.unwrap().path().join("children")).unwrap());
    lists.flat_map(|list| list.split_whitespace().map(|id| id.parse().unwrap()).collect::<Vec<u32>>()).collect()
}

/// What one rank cannot do, none of them does: one message, which names the rank, and its exit status.
#[test]
#[ignore = "needs Open MPI and libclang"]
fn a_rank_that_fails_ends_all() {
    let dir = folder();
    let program = program().to_str().unwrap();
    fs::write(dir.path().join("c.toml"), CONFIG).unwrap();
    fs::write(dir.path().join("mnist.toml"), CONFIG.replace("data = \"spirals\"", "data = \"mnist\"")).unwrap();
    let good = ["-n", "1", program, "meta-train", "--config", "c.toml", ":"];
    let mixed = |config: &'static str| [&good[..], &["-n", "1", program, "meta-train", "--config", config]].concat();
    let once = |command: &mut Command, status: i32, says: &[&str]| {
        let said = ran(command);
        said.expect(status, says);
        assert_eq!(said.err.matches("error: ").count(), 1, "{said:?}");
        assert_eq!(said.out, "");
    };
    once(&mut mpirun(dir.path(), &mixed("gone.toml")), 2, &["error: rank 1 of 2: cannot read gone.toml"]);
    once(&mut mpirun(dir.path(), &mixed("mnist.toml")), 1, &["error: rank 1 of 2: ", "mnist"]);
    assert!(!dir.path().join("c.checkpoint").exists());
    // The same on all ranks, and on the first one only: no rank to blame, or the first.
    once(&mut train(dir.path(), &CONFIG.replace("seed = 3", "sede = 3"), 2, &[]), 2, &["unknown field `sede`"]);
    fs::write(dir.path().join("file"), "").unwrap();
    once(
        &mut train(dir.path(), CONFIG, 2, &["--out", "file/x"]),
        1,
        &["rank 0 of 2: cannot create the output directory file/x"],
    );
    fs::create_dir(dir.path().join("c.l2o")).unwrap();
    once(&mut train(dir.path(), CONFIG, 2, &[]), 1, &["rank 0 of 2: cannot write", "c.l2o"]);
    once(
        &mut mpirun(dir.path(), &["-n", "2", program, "data", "status"]),
        2,
        &["mpirun spreads `survey`, `meta-train` and `reproduce` only"],
    );
}
