//! The template for a firmware of one's own: what it says of itself, and that it runs, outside this repository.

use std::fs;
use std::io::{BufRead as _, BufReader, Lines};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use lgl2o_host::device::board::{Board, Runner, board};
use lgl2o_tests::program::folder;

use crate::left_out;

/// Its program may have so many lines beyond imports, model and sensor.
const LINES: usize = 25;
/// The emulated board that it has.
const BOARD: &str = "mps2-an386";

fn template() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../firmware/template")
}

fn text(file: &str) -> String {
    fs::read_to_string(template().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// The boards that its manifest has as features.
fn features() -> Vec<&'static Board> {
    let manifest: toml::Table = text("Cargo.toml").parse().expect("a manifest");
    let features = manifest["features"].as_table().expect("features");
    let names = features.keys().filter(|name| *name != "default");
    names.map(|name| board(name).unwrap_or_else(|| panic!("the table has no board {name}"))).collect()
}

/// A line that is not only brackets.
fn says_something(line: &&str) -> bool {
    line.chars().any(|c| !c.is_whitespace() && !"{}()[],;".contains(c))
}

#[test]
fn the_program_is_short() {
    let program = text("src/main.rs");
    assert!(program.lines().count() <= 80, "{} lines", program.lines().count());
    let (_, monitor) = program.split_once("fn monitor(").expect("the loop");
    let lines = monitor.lines().skip(1).filter(says_something).count();
    assert!((10..=LINES).contains(&lines), "{lines} lines beyond model and sensor");
}

/// `cargo generate` takes the manifest with a placeholder, a copy the one without: they differ in the name.
#[test]
fn a_generated_manifest_differs_in_its_name_alone() {
    let generated = text("Cargo.toml.liquid");
    assert_eq!(generated.matches("{{project-name}}").count(), 2, "{generated}");
    assert_eq!(generated.replace("{{project-name}}", "monitor"), text("Cargo.toml"));
}

/// The same memory as in the table of boards, and a file for each.
#[test]
fn its_boards_are_those_of_the_table() {
    let boards = features();
    assert_eq!(boards.len(), 2, "{boards:?}");
    for board in boards {
        let map = text(&format!("memory/{}.x", board.name));
        for key in ["flash", "ram"] {
            let region = board.entry.region(key).expect("a region");
            let line = format!("{} : ORIGIN = {:#010x}, LENGTH = {}K", key.to_uppercase(), region.begin, region.size);
            assert!(map.contains(&line), "{}: no `{line}` in {map}", board.name);
        }
        let file = format!("src/board/{}.rs", board.name.replace('-', "_"));
        assert!(template().join(&file).is_file(), "{file}");
        assert!(text("build.rs").contains(&format!("\"{}\"", board.name)), "{}", board.name);
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder").map(|entry| entry.expect("an entry")) {
        let (name, path) = (entry.file_name(), entry.path());
        if name == "target" || name == "Cargo.lock" || name == "flash.bin" {
            continue;
        }
        if path.is_dir() {
            copy(&path, &to.join(name));
        } else {
            fs::copy(&path, to.join(name)).expect("copied");
        }
    }
}

/// Builds a copy of it outside the repository, with the core of this one; returns its program.
fn built(board: &Board, copied: &Path) -> PathBuf {
    let firmware = template().join("..").canonicalize().expect("a path");
    let core = firmware.join("../core").canonicalize().expect("a path");
    copy(&template(), copied);
    // The same versions of everything else.
    fs::copy(firmware.join("Cargo.lock"), copied.join("Cargo.lock")).expect("copied");
    let target = firmware.join("target");
    let mut build = Command::new("bash");
    build.arg(firmware.join("build")).args([board.name, "--bin", "monitor"]);
    build.args(["--config", &format!("patch.crates-io.lgl2o.path={core:?}")]);
    build.env("LGL2O_PACKAGE", copied).env("CARGO_TARGET_DIR", &target).env_remove("CARGO");
    build.env_remove("RUSTFLAGS").env_remove("CARGO_ENCODED_RUSTFLAGS");
    // The program's file is the next build's, too; `lgl2o device` holds the same lock.
    fs::create_dir_all(&target).expect("a folder");
    let lock = fs::File::create(target.join("lgl2o.lock")).expect("a file");
    lock.lock().expect("a lock");
    let output = build.output().expect("bash");
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && !words.contains("`monitor` (bin"), "{}: {words}", board.name);
    let built = target.join(board.target).join("release/monitor");
    let program = copied.join(board.name);
    fs::copy(built, &program).expect("copied");
    program
}

/// QEMU in a folder, with what it prints.
struct Run(Child, Lines<BufReader<ChildStdout>>);

impl Run {
    fn start(program: &Path, dir: &Path) -> Self {
        let Runner::Qemu { program: qemu, machine } = board(BOARD).expect("a board").runner else { panic!("no QEMU") };
        let mut command = Command::new(qemu);
        command.args(machine.split(' ')).args(["-nographic", "-monitor", "none", "-serial", "none"]);
        command.args(["-semihosting-config", "enable=on,target=native", "-kernel"]).arg(program).current_dir(dir);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().expect("QEMU");
        let lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        Self(child, lines)
    }

    /// What it prints, up to a line that begins with these words, or to its end.
    fn until(&mut self, words: &str) -> Vec<String> {
        let mut said = Vec::new();
        for line in self.1.by_ref().map(|line| line.expect("text")) {
            said.push(line);
            if said.last().is_some_and(|line| line.starts_with(words)) {
                return said;
            }
        }
        panic!("no line begins with `{words}`: {said:#?}")
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The balanced accuracies that it says.
fn accuracies(said: &[String]) -> Vec<f32> {
    let percents = said.iter().filter_map(|line| line.strip_prefix("balanced accuracy: ")?.strip_suffix(" %"));
    percents.map(|percent| percent.parse::<f32>().expect("a number") / 100.0).collect()
}

/// It speaks in sentences: no name of an enum, no brackets of a debug form.
fn assert_are_sentences(said: &[String]) {
    for line in said {
        assert!(!line.contains(['(', '{', '[']), "{line}");
    }
}

#[test]
#[ignore = "needs QEMU and a compiler for the boards"]
fn a_copy_outside_the_repository_trains_survives_a_cut_and_predicts() {
    if left_out("the template on a board") {
        return;
    }
    let dir = folder();
    let program = built(board(BOARD).expect("a board"), &dir.path().join("copy"));
    let mut first = Run::start(&program, dir.path());
    let before = first.until("checkpoint 4 is written");
    assert_eq!(before[0], "begins: there is no checkpoint in flash");
    // The power is cut some time after the checkpoint was written.
    drop(first);
    let mut second = Run::start(&program, dir.path());
    let after = second.until("no more windows");
    [&before, &after].into_iter().for_each(|said| assert_are_sentences(said));
    let rounds = after[0].strip_prefix("goes on after ").and_then(|rest| rest.split(' ').next());
    let rounds: u32 = rounds.and_then(|rounds| rounds.parse().ok()).unwrap_or_else(|| panic!("{after:?}"));
    assert!(rounds >= 400 && rounds.is_multiple_of(100), "{}", after[0]);
    let states = after.iter().filter(|line| line.strip_prefix("state ").is_some_and(|state| state.len() == 1));
    assert_eq!(states.count(), 150);
    // A network that has learned nothing has 0.25; one that began anew would have the first figure again.
    let [before, after] = [accuracies(&before), accuracies(&after)];
    let mean = after.iter().sum::<f32>() / after.len() as f32;
    assert!(before[0] < 0.6 && after[0] > before[0] + 0.2 && mean > 0.8, "{before:?}, then {after:?}");
}

/// Without warnings, for real hardware too.
#[test]
#[ignore = "needs a compiler for the boards"]
fn a_copy_builds_for_every_board_that_it_has() {
    if left_out("the template for real hardware") {
        return;
    }
    for board in features().into_iter().filter(|board| !board.is_emulated()) {
        let dir = folder();
        built(board, &dir.path().join("copy"));
    }
}
