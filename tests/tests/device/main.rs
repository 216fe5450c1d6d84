//! `lgl2o device`: what it says when something is missing, and, where QEMU and a compiler are at hand, that every board
//! has this machine's bits.
//!
//! The latter are ignored unless asked for:
//!
//! ```text
//! cargo test -p lgl2o-tests --test device -- --ignored --test-threads 2
//! ```
//!
//! They run `spirals` on every board, and each of the other programs on some, of all families of processors. With
//! `LGL2O_BOARDS=all` in the environment every program runs on every board that it fits; with `LGL2O_BOARDS=few`
//! `spirals` on one board of each instruction set, most of the others on the usual one, `least`, `windows` and the template on none;
//! nothing is built with `micromath` or for real hardware, nothing is traced, and the figures of the usual board alone are held.

mod boards;
mod counts;
mod cycles;
mod emulator;
mod imported;
mod kernels;
mod least;
mod own;
mod pinned;
mod port;
#[cfg(unix)]
mod relative;
mod stack;
mod template;
mod windows;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use lgl2o_device::boards::need;
use lgl2o_device::message::{Order, Summary};
use lgl2o_host::device::Transport;
use lgl2o_host::device::board::{BOARDS, Board, usual};
use lgl2o_host::device::emulator::Emulator;
use lgl2o_host::device::firmware::{self, Build};
use lgl2o_host::device::listen::listen;
use lgl2o_host::device::session::{Transcript, follow};
use lgl2o_host::device::stream::{Data, Examples, Line, Outcome, Patience, run};
use lgl2o_tests::program::{Ran, folder, lgl2o, ran};
use lgl2o_tests::task::images;
use serde_json::Value;

/// Programs in a directory that is to be the path: each a script.
#[cfg(unix)]
fn programs(dir: &Path, scripts: &[(&str, &str)]) -> PathBuf {
    use std::os::unix::fs::PermissionsExt;
    let bin = dir.join("bin");
    fs::create_dir_all(&bin).expect("a directory");
    for (name, script) in scripts {
        fs::write(bin.join(name), format!("#!/bin/sh\n{script}\n")).expect("written");
        fs::set_permissions(bin.join(name), fs::Permissions::from_mode(0o755)).expect("made a program");
    }
    bin
}

/// The least ELF file that says which board it is for.
fn elf_for(board: &str) -> Vec<u8> {
    use object::write::{Object, Symbol, SymbolSection};
    use object::{Architecture, BinaryFormat, Endianness, SectionKind, SymbolFlags, SymbolKind, SymbolScope};
    let mut file = Object::new(BinaryFormat::Elf, Architecture::Arm, Endianness::Little);
    let section = file.add_section(Vec::new(), b".rodata".to_vec(), SectionKind::ReadOnlyData);
    let value = file.append_section_data(section, board.as_bytes(), 1);
    file.add_symbol(Symbol {
        name: b"LGL2O_BOARD".to_vec(),
        value,
        size: board.len() as u64,
        kind: SymbolKind::Data,
        scope: SymbolScope::Dynamic,
        weak: false,
        section: SymbolSection::Section(section),
        flags: SymbolFlags::None,
    });
    file.write().expect("an ELF file")
}

/// Runs `lgl2o device` as `program` on a board; returns what it said and its record.
fn device(program: Option<&Path>, board: &Board, more: &[&str]) -> (Ran, Value) {
    let dir = folder();
    let firmware = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let out = dir.path().to_str().expect("a path in Unicode");
    let arguments: Vec<&str> = ["device", "--board", board.name, "--out", out].iter().chain(more).copied().collect();
    let ran = match program {
        None => lgl2o(&firmware, &arguments),
        Some(program) => ran(Command::new(program).current_dir(&firmware).args(&arguments)),
    };
    let json = fs::read(dir.path().join("results.json")).ok();
    (ran, json.map_or(Value::Null, |json| serde_json::from_slice(&json).expect("a record")))
}

/// Which boards are tried.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Extent {
    /// One for each instruction set, for most programs only one.
    Few,
    /// For each program some, of several families.
    Some,
    /// All that it fits.
    All,
}

/// What `LGL2O_BOARDS` in the environment asks for.
fn extent() -> Extent {
    match std::env::var("LGL2O_BOARDS").as_deref() {
        Ok("few") => Extent::Few,
        Err(std::env::VarError::NotPresent) => Extent::Some,
        Ok("all") => Extent::All,
        other => panic!("LGL2O_BOARDS is {other:?}; it may be `few`, `all`, or not be there"),
    }
}

/// Whether only few boards are tried, so that a test that has no part for them ends; says so.
fn left_out(what: &str) -> bool {
    let few = extent() == Extent::Few;
    if few {
        println!("left out with LGL2O_BOARDS=few: {what}");
    }
    few
}

/// The boards under QEMU that a program is tried on: the usual one, those that the table names, or all that have the RAM.
fn boards(program: &str) -> Vec<&'static Board> {
    let fits = |b: &Board| need(program).is_none() || b.fits(program);
    let wanted = |b: &&Board| match extent() {
        Extent::Few => *b == usual(),
        Extent::Some => is_tried(b, program),
        Extent::All => fits(b),
    };
    BOARDS.iter().filter(|b| b.is_emulated()).filter(wanted).collect()
}

/// Whether the table has the program among those that are tried on the board.
fn is_tried(board: &Board, program: &str) -> bool {
    board.entry.get("tried").is_some_and(|programs| programs.split(' ').any(|tried| tried == program))
}

/// The boards whose figures are pinned.
fn pinned_boards() -> impl Iterator<Item = &'static Board> {
    BOARDS.iter().filter(|b| b.entry.get("pinned").is_some())
}

/// The pinned boards whose programs are built and held against their figures: all of them, or of few boards the usual one.
fn held_boards() -> impl Iterator<Item = &'static Board> {
    pinned_boards().filter(|board| extent() != Extent::Few || *board == usual())
}

/// The boards of real hardware.
fn hardware() -> impl Iterator<Item = &'static Board> {
    BOARDS.iter().filter(|b| !b.is_emulated())
}

/// Checks the record of a run whose sides are the same; returns the hash of the trace.
fn check_equal(board: &Board, (ran, record): &(Ran, Value)) -> String {
    ran.expect(0, &[]);
    assert_eq!((&record["version"], &record["board"]), (&1.into(), &board.name.into()));
    assert_eq!((&record["equal"], &record["first_difference"]), (&true.into(), &Value::Null));
    let [device, host] = [&record["device"], &record["host"]];
    assert!(device["rounds"].as_array().is_some_and(|rounds| rounds.len() > 100), "{}: few rounds", board.name);
    for key in ["rounds", "trace", "params", "loss_bits", "steps", "learned"] {
        assert_eq!(device[key], host[key], "{}: {key}", board.name);
    }
    for key in ["flash", "static_ram", "memory", "stack"] {
        assert!(device[key].as_u64().is_some_and(|bytes| bytes > 0), "{}: {key}", board.name);
    }
    assert_eq!(device["damaged_frames"], 0);
    device["trace"].as_str().expect("a hash").to_owned()
}

/// Sends images over a line, and learns along.
fn learned_over(line: impl Transport) -> Outcome {
    let patience = Patience { retry: Duration::from_secs(2), stall: Duration::from_secs(60) };
    let test = images(400);
    let train = Examples::new(&test).expect("they fit");
    let data = Data { train: &train, test: &test };
    run(Line::new(line, patience), data, Order { seed: 1, steps: 60 }, |_| {}).expect("it begins")
}

/// Runs a program to its end; returns what it says of itself, or nothing if it has failed.
fn summary(board: &Board, elf: &Path) -> Option<Summary> {
    let mut emulator = Emulator::start(board, elf).expect("an emulator");
    let events = listen(emulator.uart.try_clone().expect("a UART"), None::<(File, _)>);
    let late = Instant::now() + Duration::from_secs(300);
    let summary = follow(Transcript::default(), &events, late, None, |_| {}).summary;
    emulator.end().expect("an end").success().then(|| summary.expect("a summary"))
}

/// The file of a program for a board.
fn built_for(board: &Board, program: &str, features: &[String]) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../firmware");
    firmware::build(&Build { folder: &folder, board, program, features }, |_| {}).expect("a program")
}

/// The file of a program that is built with more in the environment.
fn built_with(board: &Board, program: &str, name: &str, environment: &[(&str, &str)]) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../firmware");
    firmware::build_with(&Build { folder: &folder, board, program, features: &[] }, name, environment, |_| {})
        .expect("a program")
}
