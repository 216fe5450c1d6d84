//! The `lgl2o` program as its users have it: a process with arguments, streams and an exit status.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// What a call of the program left behind.
#[derive(Debug)]
pub struct Ran {
    /// Exit status; -1 if a signal ended it.
    pub status: i32,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Ran {
    /// Checks the exit status, and that standard error holds all of some texts.
    ///
    /// # Panics
    /// If not; with everything that the program said.
    #[track_caller]
    pub fn expect(&self, status: i32, says: &[&str]) -> &Self {
        assert_eq!(self.status, status, "{self:#?}");
        // Long messages are wrapped to the width of the terminal.
        let err = self.err.split_whitespace().collect::<Vec<_>>().join(" ");
        for text in says {
            assert!(err.contains(text), "`{text}` is not in {self:#?}");
        }
        self
    }
}

/// The program, built once per process with the profile of the tests.
///
/// # Panics
/// If it cannot be built.
fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| build(""))
}

/// Builds the program with some features of its package; without any, as all other tests have it.
///
/// # Panics
/// If it cannot be built.
#[must_use]
pub fn build(features: &str) -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.toml");
    // Of the whole workspace, and with an example, which is for development alone: so the features of all packages are those that
    // tests are built with, and nothing is compiled a second time but what the features asked for change.
    let build = escargot::CargoBuild::new().manifest_path(manifest).args(["--workspace", "--example", "xor"]);
    let names = features.split(',').filter(|name| !name.is_empty());
    let build = names.fold(build, |build, name| build.args(["--features", &format!("lgl2o-host/{name}")]));
    kept(build.bin("lgl2o"), features)
}

/// Builds the program; returns its path, which is one of its own: the next build, with other features, replaces the program
/// where Cargo puts it.
fn kept(mut build: escargot::CargoBuild, features: &str) -> PathBuf {
    // What Cargo tells this test about its own package would look to some build scripts like a change of theirs.
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("CARGO_PKG_") || name.to_string_lossy().starts_with("CARGO_MANIFEST_") {
            build = build.env_remove(name);
        }
    }
    let run = build.run().expect("the program can be built");
    let kept = run.path().with_file_name(format!("lgl2o-tested-{features}{}", std::env::consts::EXE_SUFFIX));
    let fresh = kept.with_extension(format!("{}", std::process::id()));
    let linked = std::fs::hard_link(run.path(), &fresh).or_else(|_| std::fs::copy(run.path(), &fresh).map(drop));
    linked.and_then(|()| std::fs::rename(&fresh, &kept)).expect("the program can be kept");
    // Where both names were the same file already, renaming has done nothing.
    let _ = std::fs::remove_file(&fresh);
    kept
}

/// Starts a program that hears Ctrl-C, also where the tests run with it ignored, as `&` in a script has it.
fn hearing(program: &Path) -> Command {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).unwrap_or("0");
    let interrupt = 1 << 1;
    if u64::from_str_radix(ignored.trim(), 16).is_ok_and(|ignored| ignored & interrupt == 0) {
        return Command::new(program);
    }
    let mut command = Command::new("/usr/bin/env"); // found also where a test empties PATH
    command.arg("--default-signal=INT").arg(program);
    command
}

/// A call of the program in a directory; no data directory is known unless an argument names one.
#[must_use]
pub fn command(dir: &Path, arguments: &[&str]) -> Command {
    let mut command = hearing(program());
    command.current_dir(dir).args(arguments).env_remove("LGL2O_DATA").env("XDG_CACHE_HOME", dir.join("no-cache"));
    command
}

/// Runs the program in a directory.
///
/// # Panics
/// If it cannot be started.
#[must_use]
pub fn lgl2o(dir: &Path, arguments: &[&str]) -> Ran {
    ran(&mut command(dir, arguments))
}

/// Runs a command to its end.
///
/// # Panics
/// If it cannot be started.
#[must_use]
pub fn ran(command: &mut Command) -> Ran {
    let output = command.output().expect("the program can be started");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ran { status: output.status.code().unwrap_or(-1), out: text(&output.stdout), err: text(&output.stderr) }
}

/// A directory that goes away with the value.
///
/// # Panics
/// If it cannot be made.
pub fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary directory")
}

/// Writes a folder of IDX files: `train` and `test` square images of the given side in `classes` classes that can be
/// told apart.
///
/// # Panics
/// If they cannot be written.
pub fn write_idx(dir: &Path, side: u32, classes: u8, train: usize, test: usize) {
    use lgl2o_host::data::idx::{Encoding, write_images, write_labels};
    for (name, count) in [("train", train), ("t10k", test)] {
        let labels: Vec<u8> = (0..count).map(|i| (i % usize::from(classes)) as u8).collect();
        let pixels = (side * side) as usize;
        let image = |(i, label): (usize, &u8)| -> Vec<u8> {
            let stripe = usize::from(*label) * pixels / usize::from(classes);
            (0..pixels).map(|p| if p == stripe { 255 } else { ((i * 31 + p * 7) % 40) as u8 }).collect()
        };
        let images: Vec<u8> = labels.iter().enumerate().flat_map(image).collect();
        let path = |kind: &str| dir.join(format!("{name}-{kind}-ubyte"));
        write_images(&path("images-idx3"), (side, side), &images, Encoding::Plain).expect("images are written");
        write_labels(&path("labels-idx1"), &labels, Encoding::Plain).expect("labels are written");
    }
}

/// A meta-training of a few seconds on a distribution of tasks, without the families that need data.
pub const DISTRIBUTION: &str = r#"
seed = 7
[optimizer]
kind = "scale-free"
[estimator]
kind = "full-horizon"
sigma = 0.05
pairs = 3
horizon = [8, 60]
work = 1e8
difference_clip = 0.6
held_out_weight = 1.0
[outer]
steps = 6
rate = 0.01
warmup = 2
betas = [0.9, 0.98]
clip = 2.0
average = 0.5
schedule = "linear"
[validation]
every = 3
horizons = [8, 16]
seeds = 1
[distribution]
rows = [100, 200]
families = ["teacher", "mixture", "plane", "sensor", "sparse"]
"#;
