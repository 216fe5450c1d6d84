//! `lgl2o device`: what it says when something is missing, and, where QEMU and a compiler are at hand, that every board
//! has this machine's bits.
//!
//! The latter are ignored unless asked for, and share one folder of built firmware, so one at a time:
//!
//! ```text
//! cargo test -p lgl2o-tests --test device -- --ignored --test-threads 1
//! ```
//!
//! They run `spirals` on every board, and each of the other programs on some, of all families of processors. With
//! `LGL2O_BOARDS=all` in the environment every program runs on every board that it fits.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use lgl2o_device::cost::Cost;
use lgl2o_device::message::Order;
use lgl2o_host::device::Transport;
use lgl2o_host::device::board::{BOARDS, Board, NAMES, board};
use lgl2o_host::device::emulator::Emulator;
use lgl2o_host::device::firmware::{self, Build};
use lgl2o_host::device::port;
use lgl2o_host::device::stream::{Data, Examples, Line, Outcome, Patience, StreamError, run};
use lgl2o_tests::program::{Ran, build, command, folder, lgl2o, ran};
use lgl2o_tests::task::images;
use serde_json::Value;

/// A directory with a program in it that stands for QEMU and says this version, to be the only one on the path.
#[cfg(unix)]
fn emulator_of(version: &str, dir: &Path) -> PathBuf {
    programs(dir, &[("qemu-system-arm", &format!("echo 'QEMU emulator version {version} (Debian)'"))])
}

#[test]
fn an_unknown_board_is_refused_and_a_near_one_named() {
    let dir = folder();
    lgl2o(dir.path(), &["device", "--board", "mps2-an368"]).expect(2, &["mps2-an386"]);
    lgl2o(dir.path(), &["device", "--program", "spiral"]).expect(2, &["spirals"]);
    lgl2o(dir.path(), &["device", "--timeout", "0"]).expect(2, &["--timeout"]);
}

#[test]
fn the_help_lists_every_board() {
    let help = lgl2o(folder().path(), &["device", "--help"]);
    help.expect(0, &[]);
    assert!(NAMES.iter().all(|name| help.out.contains(name)), "{}", help.out);
}

#[cfg(unix)]
#[test]
fn a_missing_or_old_emulator_is_named() {
    let dir = folder();
    let arguments = ["device", "--elf", "program"];
    let with_path = |path: &Path| ran(command(dir.path(), &arguments).env("PATH", path));
    with_path(dir.path()).expect(1, &["qemu-system-arm is not installed", "apt-get install"]);
    with_path(&emulator_of("5.2.0", dir.path())).expect(1, &["version 5.2", "at least 6.0"]);
    with_path(&emulator_of("7.2.22", dir.path())).expect(1, &["cannot read program"]);
    let odd = programs(dir.path(), &[("qemu-system-arm", "echo 'hello'")]);
    with_path(&odd).expect(1, &["qemu-system-arm --version does not say its version: hello"]);
    // Another emulator for another processor; and one that breaks off instead of starting the machine.
    let riscv = ["device", "--board", "riscv-virt", "--elf", "program"];
    ran(command(dir.path(), &riscv).env("PATH", dir.path()))
        .expect(1, &["qemu-system-riscv32 is not installed", "qemu-system-misc"]);
    fs::write(dir.path().join("program"), elf_for("mps2-an386")).expect("written");
    let broken =
        "case $1 in --version) echo 'QEMU emulator version 9.0' ;; *) echo 'no such machine' >&2; exit 1 ;; esac";
    with_path(&programs(dir.path(), &[("qemu-system-arm", broken)]))
        .expect(1, &["qemu-system-arm does not start: no such machine"]);
}

#[cfg(unix)]
#[test]
fn a_file_that_is_no_program_is_refused() {
    let dir = folder();
    fs::write(dir.path().join("program"), b"\x7fELF, nearly").expect("written");
    let path = emulator_of("7.2.22", dir.path());
    let arguments = ["device", "--elf", "program"];
    ran(command(dir.path(), &arguments).env("PATH", path)).expect(1, &["program is no program of this firmware"]);
}

#[cfg(unix)]
#[test]
fn a_failed_build_shows_its_last_lines() {
    let dir = folder();
    fs::create_dir(dir.path().join("firmware")).expect("a directory");
    fs::write(dir.path().join("firmware/build"), "seq 1 99 >&2; echo 'install the compiler' >&2; exit 1\n")
        .expect("ok");
    let failed = lgl2o(dir.path(), &["device"]);
    failed.expect(1, &["cannot build `spirals` for mps2-an386", "99", "install the compiler"]);
    assert!(!failed.err.contains("\n50\n"), "{}", failed.err);
}

#[test]
fn a_serial_port_that_is_not_there_is_named() {
    let dir = folder();
    lgl2o(dir.path(), &["device", "--port", "/dev/ttyNone"]).expect(1, &["there is no serial port /dev/ttyNone"]);
}

/// A pseudo-terminal: its end that stands for a board, and the name of the other, which stands for a serial port.
fn pseudo_terminal() -> (fs::File, String) {
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
    let board = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).expect("a pseudo-terminal");
    grantpt(&board).and_then(|()| unlockpt(&board)).expect("open to us");
    let name = ptsname(&board, Vec::new()).expect("a name").into_string().expect("in Unicode");
    (board.into(), name)
}

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

#[cfg(unix)]
#[test]
fn a_port_that_another_program_has_open_is_busy() {
    use rustix::fs::{FlockOperation, flock};
    let (dir, (_board, name)) = (folder(), pseudo_terminal());
    let other = fs::OpenOptions::new().read(true).write(true).open(&name).expect("a port");
    flock(&other, FlockOperation::NonBlockingLockExclusive).expect("ours");
    let busy = lgl2o(dir.path(), &["device", "--port", &name]);
    busy.expect(1, &[&format!("{name} is busy: another program has it open")]);
}

#[cfg(unix)]
#[test]
fn a_port_that_closes_is_told_as_such() {
    let (dir, (board, name)) = (folder(), pseudo_terminal());
    let child = command(dir.path(), &["device", "--port", &name]).stderr(std::process::Stdio::piped()).spawn();
    let mut child = child.expect("started");
    let mut words = BufReader::new(child.stderr.take().expect("piped"));
    said(&mut words, "reset the board now");
    drop(board);
    let rest = words.lines().map_while(Result::ok).collect::<Vec<_>>().join(" ");
    assert_eq!(child.wait().expect("an end").code(), Some(1));
    assert!(rest.contains("the serial port was closed after 0 rounds"), "{rest}");
}

/// Reads lines until one has this in it.
fn said(lines: &mut impl BufRead, text: &str) {
    let mut line = String::new();
    while !line.contains(text) {
        line.clear();
        assert_ne!(lines.read_line(&mut line).expect("text"), 0, "`{text}` was not said");
    }
}

#[cfg(unix)]
#[test]
fn a_board_of_metal_needs_a_port_and_what_probe_rs_says_is_told() {
    let (dir, (_board, name)) = (folder(), pseudo_terminal());
    let metal = ["device", "--board", "nrf52840-dk"];
    lgl2o(dir.path(), &metal).expect(2, &["QEMU does not have nrf52840-dk", "--port"]);
    // A program that says which board it is for, and a probe-rs that finds none.
    fs::write(dir.path().join("program"), elf_for("nrf52840-dk")).expect("written");
    let arguments = [&metal[..], &["--port", &name, "--elf", "program", "--timeout", "1"]].concat();
    let run = |script| {
        let path = programs(dir.path(), &[("probe-rs", script)]);
        ran(command(dir.path(), &arguments).env("PATH", path))
    };
    let none =
        "echo \"$@\" >> calls; [ $1 = --version ] || { echo 'Error: No connected probes were found.' >&2; exit 1; }";
    run(none).expect(1, &["probe-rs cannot write the program into the board", "No connected probes"]);
    // One that writes and resets: the board is silent all the same.
    fs::remove_file(dir.path().join("calls")).expect("called");
    run("echo \"$@\" >> calls").expect(1, &["did not come to an end within 1 seconds"]);
    let calls = fs::read_to_string(dir.path().join("calls")).expect("called");
    let chip = "--chip nRF52840_xxAA";
    assert_eq!(
        calls,
        format!("--version\ndownload {chip} --disable-progressbars program\nreset {chip}\n"),
        "written first, and then reset"
    );
    // None at all: whoever has the board is asked.
    let asked = ran(command(dir.path(), &arguments).env("PATH", dir.path()));
    asked.expect(1, &["probe-rs is not installed: write program into the board", "reset the board now"]);
    fs::write(dir.path().join("program"), elf_for("mps2-an386")).expect("written");
    run("exit 0").expect(1, &["program is for the board mps2-an386, not for nrf52840-dk"]);
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

/// Runs `lgl2o device` as `program` on a board; gives what it said and its record.
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

/// The boards that a program is tried on: these, or all that have so much RAM.
fn boards(some: &[&str], ram: u32) -> Vec<&'static Board> {
    let all = std::env::var_os("LGL2O_BOARDS").is_some_and(|boards| boards == "all");
    BOARDS.iter().filter(|b| b.is_emulated() && b.ram >= ram && (all || some.contains(&b.name))).collect()
}

/// Checks the record of a run whose sides are the same; gives the hash of the trace.
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

#[test]
#[ignore = "needs QEMU and a compiler for the boards"]
fn every_board_has_this_machines_bits() {
    let emulated = || BOARDS.iter().filter(|b| b.is_emulated());
    let libm: Vec<String> = emulated().map(|b| check_equal(b, &device(None, b, &[]))).collect();
    // Among boards too, where the network is the same one.
    let large = |b: &Board| !b.small;
    let traces: Vec<&String> = emulated().zip(&libm).filter(|(b, _)| large(b)).map(|(_, trace)| trace).collect();
    assert!(traces.windows(2).all(|pair| pair[0] == pair[1]), "{traces:?}");
    let micromath = build("micromath");
    for (board, other) in emulated().zip(libm) {
        let run = device(Some(&micromath), board, &[]);
        assert_ne!(check_equal(board, &run), other, "micromath has libm's bits");
        assert_eq!(run.1["math"], "micromath");
    }
}

#[test]
#[ignore = "needs QEMU and a compiler for the boards"]
fn a_flipped_bit_a_foreign_program_and_a_stall_are_caught() {
    let board = |name: &str| BOARDS.iter().find(|b| b.name == name).expect("a board");
    let m4 = board("mps2-an386");
    let (flipped, record) = device(None, m4, &["--features", "flip-bit"]);
    flipped.expect(1, &["device and host differ", "DIFFERENT from round 1 on"]);
    assert_eq!((&record["equal"], &record["first_difference"]["round"]), (&false.into(), &1.into()));

    let elf = "firmware/target/programs/mps2-an386/spirals-flip-bit";
    device(None, board("mps2-an500"), &["--elf", elf]).0.expect(1, &["is for the board mps2-an386"]);
    // No build ends, and no board trains, within a second of nothing; what was received is kept.
    let (slow, record) = device(None, board("mps2-an385"), &["--timeout", "1"]);
    slow.expect(1, &["did not come to an end within 1 seconds"]);
    assert_eq!(record["equal"], false);
}

#[test]
#[ignore = "needs QEMU and a compiler for the boards"]
fn gestures_are_learned_with_this_machines_bits() {
    for board in boards(&["mps2-an386", "microbit", "lm3s6965evb", "mps2-an505"], 0) {
        let run = device(None, board, &["--program", "sensor"]);
        check_equal(board, &run);
        assert!(run.1["host"]["accuracy"].as_f64().is_some_and(|share| share > 0.9), "{}", board.name);
        assert!(run.0.out.contains("held-out accuracy"), "{}", run.0.out);
    }
}

#[test]
#[ignore = "needs QEMU and a compiler for the boards"]
fn images_from_here_are_learned_with_this_machines_bits() {
    for Board { name, .. } in boards(&["mps2-an386", "mps2-an500", "riscv-virt"], 192) {
        let outcome = streamed(name, &[]);
        assert!(outcome.failure.is_none(), "{name}: {:?}", outcome.failure);
        assert!(outcome.rounds.iter().all(|(theirs, ours)| theirs.as_ref() == Some(ours)), "{name}");
        let summary = outcome.device.expect("what the device says of itself");
        // All of its memory but a few words of the log and of the board.
        assert!(summary.memory + summary.stack < 192_000 - 1000, "{summary:?}");
    }
    let flipped = streamed("mps2-an386", &["flip-bit".to_owned()]).failure.expect("a difference");
    assert!(matches!(flipped, StreamError::Differs { round: 1, .. }), "{flipped}");
}

/// Sends images to `stream` on a board.
fn streamed(name: &str, features: &[String]) -> Outcome {
    let board = board(name).expect("a board");
    let emulator = Emulator::start(board, &built_for(board, "stream", features)).expect("an emulator");
    learned_over(emulator.uart.try_clone().expect("a UART"))
}

/// Sends images over a line, and learns along.
fn learned_over(line: impl Transport) -> Outcome {
    let patience = Patience { retry: Duration::from_secs(2), stall: Duration::from_secs(60) };
    let test = images(400);
    let train = Examples::new(&test).expect("they fit");
    let data = Data { train: &train, test: &test };
    run(Line::new(line, patience), data, Order { seed: 1, steps: 60 }, |_| {}).expect("it begins")
}

/// The file of a program for a board.
fn built_for(board: &Board, program: &str, features: &[String]) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../firmware");
    firmware::build(&Build { folder: &folder, board, program, features }, |_| {}).expect("a program")
}

/// Builds a program; gives what the build said, and whether it went well.
fn built(board: &str, program: &str, features: &str) -> (bool, String) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../firmware/build");
    let mut build = Command::new("bash");
    build.arg(script).args([board, "--bin", program, "--features", features]).env_remove("CARGO_TARGET_DIR");
    let output = build.output().expect("bash");
    (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
#[ignore = "needs a compiler for the boards"]
fn programs_that_train_cannot_panic() {
    let metal = ["spirals", "stream"].map(|program| ("nrf52840-dk", program));
    for (board, program) in
        [("mps2-an386", "spirals"), ("microbit", "spirals"), ("mps2-an386", "stream")].into_iter().chain(metal)
    {
        let (links, words) = built(board, program, "panic-never");
        assert!(links, "{program} on {board} has a panic: {words}");
        let (links, words) = built(board, program, "panic-never,planted-panic");
        assert!(
            !links && words.contains("panic-never"),
            "{program} on {board}: the planted panic is not seen: {words}"
        );
    }
}

/// The program resets the board, and QEMU is killed in the middle, most often while a checkpoint is written.
#[test]
#[ignore = "needs QEMU and a compiler for the boards"]
fn a_run_goes_on_after_resets_and_power_cuts() {
    for board in boards(&["mps2-an386", "microbit", "mps2-an385", "riscv-virt"], 0) {
        let name = board.name;
        let run = device(None, board, &["--program", "resume"]);
        check_equal(board, &run);
        assert_eq!(run.1["device"]["resumed"], serde_json::json!([20]), "{name}: reset after 25 rounds");
        let run = device(None, board, &["--program", "resume", "--power-cuts", "12"]);
        check_equal(board, &run);
        assert!(run.1["device"]["resumed"].as_array().is_some_and(|resumed| resumed.len() > 5), "{name}");
    }
}

#[test]
#[ignore = "needs QEMU and a compiler for the boards"]
fn no_fault_leaves_the_model_worse_than_the_fallback() {
    for board in boards(&["mps2-an386", "microbit", "netduinoplus2", "mps3-an547"], 0) {
        let (ran, record) = device(None, board, &["--program", "faults"]);
        ran.expect(0, &[]);
        assert_eq!((&record["equal"], &record["kept"]), (&true.into(), &true.into()), "{}", board.name);
    }
}

#[test]
#[ignore = "needs QEMU and a compiler for the boards"]
fn costs_are_counted_and_sizes_told() {
    for board in boards(&["mps2-an386"], 0) {
        let (ran, record) = device(None, board, &["--program", "cost"]);
        ran.expect(0, &[]);
        let [costs, sizes] = ["costs", "sizes"].map(|key| record[key].as_array().expect("a list"));
        // Ten figures of each workload that the memory holds.
        assert!(!costs.is_empty() && costs.len() % 10 == 0, "{}: {}", board.name, costs.len());
        assert!(costs.iter().all(|cost| cost["instructions"].as_u64().is_some_and(|n| n > 100)), "{}", board.name);
        assert_eq!((&record["unit"], sizes.len()), (&"instructions".into(), if board.ram < 192 { 5 } else { 6 }));
        for size in sizes {
            let (ram, name) = (size["static_ram"].as_u64().expect("bytes"), &size["program"]);
            assert!(ram < u64::from(board.ram) * 1024, "{}: {name} has {ram} bytes of static RAM", board.name);
            assert_eq!(size["stack"].is_null(), *name == "stream", "{}: {name}", board.name);
        }
    }
}

/// Carries bytes between a board under QEMU and what stands for a serial port.
fn join(emulator: &Emulator, board: &fs::File) {
    let uart = || emulator.uart.try_clone().expect("a UART");
    let pty = || board.try_clone().expect("a pseudo-terminal");
    let (mut from_board, mut to_port) = (uart(), pty());
    std::thread::spawn(move || std::io::copy(&mut from_board, &mut to_port));
    let (mut from_port, mut to_board) = (pty(), uart());
    std::thread::spawn(move || std::io::copy(&mut from_port, &mut to_board));
}

/// A board under QEMU stands for one of metal.
#[test]
#[ignore = "needs QEMU and a compiler for the boards"]
fn a_board_at_a_serial_port_has_this_machines_bits() {
    let board = board("mps2-an386").expect("a board");
    for program in ["spirals", "resume", "faults"] {
        let elf = built_for(board, program, &[]);
        let (dir, (pty, name)) = (folder(), pseudo_terminal());
        let arguments = ["device", "--board", board.name, "--program", program, "--port", &name, "--out", "."];
        let child = command(dir.path(), &arguments).stderr(std::process::Stdio::piped()).spawn();
        let mut child = child.expect("started");
        let mut words = BufReader::new(child.stderr.take().expect("piped"));
        said(&mut words, "reset the board now");
        let emulator = Emulator::start(board, &elf).expect("an emulator");
        join(&emulator, &pty);
        let rest = words.lines().map_while(Result::ok).collect::<Vec<_>>().join(" ");
        assert_eq!(child.wait().expect("an end").code(), Some(0), "{program}: {rest}");
        let json = fs::read(dir.path().join("results.json")).expect("a record");
        let record: Value = serde_json::from_slice(&json).expect("a record");
        assert_eq!((&record["equal"], &record["board"]), (&true.into(), &board.name.into()), "{program}");
    }
    let (pty, name) = pseudo_terminal();
    let port = port::open(Path::new(&name)).expect("a port");
    let emulator = Emulator::start(board, &built_for(board, "stream", &[])).expect("an emulator");
    join(&emulator, &pty);
    assert!(learned_over(port).failure.is_none());
}

/// It has not been run; but it is built, and fits.
#[test]
#[ignore = "needs a compiler for the boards"]
fn every_program_fits_the_board_of_metal() {
    let board = board("nrf52840-dk").expect("a board");
    for program in ["empty", "spirals", "stream", "sensor", "resume", "faults", "cost"] {
        let bytes = firmware::read(&built_for(board, program, &[]), board).expect("a program of this board");
        let sizes = firmware::sizes(&bytes).expect("sizes");
        println!("{program}: {sizes:?}");
        // 128 kB are for checkpoints. The linker holds that; the stack is more than it holds.
        assert!(sizes.flash < 896 * 1024 && sizes.ram + 8192 < 256 * 1024, "{program}: {sizes:?}");
    }
}

/// The committed counts of instructions, of one compiler, by board.
#[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
struct Counts {
    compiler: String,
    boards: std::collections::BTreeMap<String, Vec<Cost>>,
}

/// How much a count may grow before it is an error.
const GROWTH: f64 = 1.03;

/// The counts repeat exactly; what another compiler makes of the same sources is another matter.
#[test]
#[ignore = "needs QEMU and a compiler for the boards"]
fn no_count_of_instructions_has_grown() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../firmware/counts.json");
    let table: Counts = serde_json::from_slice(&fs::read(&path).expect("counts.json")).expect("counts");
    let mut found = Counts::default();
    for name in ["mps2-an386", "mps2-an385", "microbit"] {
        let (ran, record) = device(None, board(name).expect("a board"), &["--program", "cost"]);
        ran.expect(0, &[]);
        found.compiler = record["compiler"].as_str().unwrap_or("unknown").to_owned();
        found.boards.insert(name.to_owned(), serde_json::from_value(record["costs"].clone()).expect("costs"));
    }
    if std::env::var_os("LGL2O_RENEW").is_some() {
        let json = serde_json::to_string(&found).expect("written").replace("},{", "},\n{").replace("[{", "[\n{");
        fs::write(&path, json + "\n").expect("written");
        return;
    }
    if found.compiler != table.compiler {
        eprintln!("SKIPPED: firmware/counts.json is {}'s, and this is {}", table.compiler, found.compiler);
        return;
    }
    let grown = found.boards.iter().flat_map(|(name, costs)| {
        let before = table.boards.get(name).map_or(&[][..], Vec::as_slice);
        costs.iter().filter_map(move |now| {
            let then = before.iter().find(|then| (then.workload, then.item) == (now.workload, now.item));
            let most = then.map_or(0.0, |then| GROWTH * f64::from(then.instructions));
            (f64::from(now.instructions) > most).then(|| format!("{name}: {now:?}, before {then:?}"))
        })
    });
    let grown: Vec<String> = grown.collect();
    let renew = "LGL2O_RENEW=1 cargo test -p lgl2o-tests --test device -- --ignored no_count";
    assert!(grown.is_empty(), "more instructions than in firmware/counts.json; if that is meant: {renew}\n{grown:#?}");
}
