//! Boards at a serial port: a pseudo-terminal stands for it.

use std::fs;
use std::io::{BufRead, BufReader, Write as _};
use std::path::Path;

use lgl2o_host::device::board::{Runner, usual};
use lgl2o_host::device::emulator::Emulator;
use lgl2o_host::device::{Uart, firmware, port};
use lgl2o_tests::program::{command, folder, lgl2o, ran};
use serde_json::Value;

use crate::{built_for, elf_for, hardware, learned_over, left_out, programs};

/// A pseudo-terminal: its end that stands for a board, and the name of the other, which stands for a serial port.
pub(crate) fn pseudo_terminal() -> (fs::File, String) {
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
    let board = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).expect("a pseudo-terminal");
    grantpt(&board).and_then(|()| unlockpt(&board)).expect("open to us");
    let name = ptsname(&board, Vec::new()).expect("a name").into_string().expect("in Unicode");
    (board.into(), name)
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

/// A port on which nothing comes is told long before the time is up, and is still waited for.
#[cfg(unix)]
#[test]
fn a_silent_port_is_told() {
    use lgl2o_device::frame::encode;
    use lgl2o_device::message::FromDevice;
    let (dir, (mut board, name)) = (folder(), pseudo_terminal());
    let child = command(dir.path(), &["device", "--port", &name]).stderr(std::process::Stdio::piped()).spawn();
    let mut child = child.expect("started");
    let mut words = BufReader::new(child.stderr.take().expect("piped"));
    said(&mut words, "reset the board now");
    said(&mut words, "nothing was heard from the board yet; waiting for 29");
    assert!(child.try_wait().expect("it can be asked").is_none());
    let mut buffer = [0; 256];
    board.write_all(encode(&FromDevice::Resumed { rounds: 0 }, &mut buffer).expect("fits")).expect("sent");
    said(&mut words, "this is not `spirals` of this firmware");
    drop(board);
    assert_eq!(child.wait().expect("an end").code(), Some(1));
}

/// Another program at the port is told with its first bytes, and the call ends long before its time is up.
#[cfg(unix)]
#[test]
fn another_program_is_told_at_once() {
    use lgl2o_device::frame::encode;
    use lgl2o_device::message::FromDevice;
    let mut buffer = [0; 256];
    let resumed = encode(&FromDevice::Resumed { rounds: 0 }, &mut buffer).expect("fits");
    let damaged: Vec<u8> = [0, 1, 7, 7, 0].repeat(3);
    let cases: [(&[u8], &str); 4] = [
        (b"Hello from another program\r\n", "it sends text (`Hello from another program`)"),
        (&[0xaa; 200], "it sends bytes that are no frames at 115200 baud"),
        (&damaged, "it sends bytes that are no frames"),
        (resumed, "its messages are those of `resume`"),
    ];
    for (bytes, says) in cases {
        let (dir, (mut board, name)) = (folder(), pseudo_terminal());
        let child = command(dir.path(), &["device", "--port", &name]).stderr(std::process::Stdio::piped()).spawn();
        let mut child = child.expect("started");
        let mut words = BufReader::new(child.stderr.take().expect("piped"));
        said(&mut words, "reset the board now");
        board.write_all(bytes).expect("sent");
        // At once.
        said(&mut words, &format!("this is not `spirals` of this firmware: {says}"));
        let rest = words.lines().map_while(Result::ok).collect::<Vec<_>>().join(" ");
        let rest = rest.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(child.wait().expect("an end").code(), Some(1));
        assert!(
            rest.contains(&format!("the device at {name} does not run `spirals` of this firmware: {says}")),
            "{rest}"
        );
        assert!(!dir.path().join("out/device/results.json").exists());
    }
}

/// Reads lines until one has this in it.
pub(crate) fn said(lines: &mut impl BufRead, text: &str) {
    let mut line = String::new();
    while !line.contains(text) {
        line.clear();
        assert_ne!(lines.read_line(&mut line).expect("text"), 0, "`{text}` was not said");
    }
}

#[cfg(unix)]
#[test]
fn real_hardware_needs_a_port_and_what_probe_rs_says_is_told() {
    let (dir, (_board, name)) = (folder(), pseudo_terminal());
    let real = hardware().next().expect("a board");
    let alone = ["device", "--board", real.name];
    lgl2o(dir.path(), &alone).expect(2, &[&format!("QEMU does not have {}", real.name), "--port"]);
    // A program that says which board it is for, and a probe-rs that finds none.
    fs::write(dir.path().join("program"), elf_for(real.name)).expect("written");
    let arguments = [&alone[..], &["--port", &name, "--elf", "program", "--timeout", "1"]].concat();
    let run = |script| {
        let path = programs(dir.path(), &[("probe-rs", script)]);
        ran(command(dir.path(), &arguments).env("PATH", path))
    };
    let none =
        "echo \"$@\" >> calls; [ $1 = --version ] || { echo 'Error: No connected probes were found.' >&2; exit 1; }";
    run(none).expect(1, &["probe-rs cannot write the program into the board", "No connected probes"]);
    // One that writes and resets: the board is silent all the same.
    fs::remove_file(dir.path().join("calls")).expect("called");
    run("echo \"$@\" >> calls").expect(1, &["did not finish within 1 seconds"]);
    let calls = fs::read_to_string(dir.path().join("calls")).expect("called");
    let Runner::Hardware { chip } = real.runner else { panic!("no real hardware") };
    let chip = format!("--chip {chip}");
    assert_eq!(
        calls,
        format!("--version\ndownload {chip} --disable-progressbars program\nreset {chip}\n"),
        "written first, and then reset"
    );
    // None at all: whoever has the board is asked.
    let asked = ran(command(dir.path(), &arguments).env("PATH", dir.path()));
    asked.expect(1, &["probe-rs is not installed: write program into the board", "reset the board now"]);
    fs::write(dir.path().join("program"), elf_for(usual().name)).expect("written");
    run("exit 0").expect(1, &[&format!("program is for the board {}, not for {}", usual().name, real.name)]);
}

/// Carries bytes between a board under QEMU and what stands for a serial port.
pub(crate) fn join(uart: &Uart, board: &fs::File) {
    let uart = || uart.try_clone().expect("a UART");
    let pty = || board.try_clone().expect("a pseudo-terminal");
    let (mut from_board, mut to_port) = (uart(), pty());
    std::thread::spawn(move || std::io::copy(&mut from_board, &mut to_port));
    let (mut from_port, mut to_board) = (pty(), uart());
    std::thread::spawn(move || std::io::copy(&mut from_port, &mut to_board));
}

/// A board under QEMU stands for real hardware.
#[test]
#[ignore = "needs QEMU and a compiler for the boards"]
fn a_board_at_a_serial_port_has_this_machines_bits() {
    let board = usual();
    for program in ["spirals", "resume", "faults"] {
        let elf = built_for(board, program, &[]);
        let (dir, (pty, name)) = (folder(), pseudo_terminal());
        let arguments = ["device", "--board", board.name, "--program", program, "--port", &name, "--out", "."];
        let child = command(dir.path(), &arguments).stderr(std::process::Stdio::piped()).spawn();
        let mut child = child.expect("started");
        let mut words = BufReader::new(child.stderr.take().expect("piped"));
        said(&mut words, "reset the board now");
        let emulator = Emulator::start(board, &elf).expect("an emulator");
        join(&emulator.uart, &pty);
        let rest = words.lines().map_while(Result::ok).collect::<Vec<_>>().join(" ");
        assert_eq!(child.wait().expect("an end").code(), Some(0), "{program}: {rest}");
        let json = fs::read(dir.path().join("results.json")).expect("a record");
        let record: Value = serde_json::from_slice(&json).expect("a record");
        assert_eq!((&record["equal"], &record["board"]), (&true.into(), &board.name.into()), "{program}");
    }
    let (pty, name) = pseudo_terminal();
    let port = port::open(Path::new(&name)).expect("a port");
    let emulator = Emulator::start(board, &built_for(board, "stream", &[])).expect("an emulator");
    join(&emulator.uart, &pty);
    assert!(learned_over(port).failure.is_none());
}

/// It has not been run; but it is built, and fits.
#[test]
#[ignore = "needs a compiler for the boards"]
fn every_program_fits_real_hardware() {
    if left_out("real hardware") {
        return;
    }
    for board in hardware() {
        let size = |key| u64::from(board.entry.region(key).expect("a memory").size) * 1024;
        for program in board.entry.get("tried").expect("programs").split(' ') {
            let bytes = firmware::read(&built_for(board, program, &[]), board).expect("a program of this board");
            let sizes = firmware::sizes(&bytes, board).expect("sizes");
            println!("{}, {program}: {sizes:?}", board.name);
            // The linker holds the flash, with what is left to checkpoints; the stack is more than it holds.
            assert!(sizes.flash < size("flash") && sizes.ram + 8192 < size("ram"), "{program}: {sizes:?}");
            if board.entry.get("linker").is_none() {
                let flash = board.entry.region("flash").map(|flash| u64::from(flash.begin));
                assert_eq!(begins(&bytes, ".vector_table"), flash);
            }
            // What the boot loaders in ROM look for, by the chips' data sheets: in the first 256 bytes, and in the first 4 kB.
            match board.name {
                "pico" => assert_eq!(begins(&bytes, ".boot2"), Some(0x1000_0000)),
                "esp32-c3" => assert_eq!(begins(&bytes, ".flash.appdesc"), Some(0x3c00_0020)),
                "pico2" => assert!(begins(&bytes, ".start_block").is_some_and(|at| at < 0x1000_1000)),
                _ => {}
            }
        }
    }
}

/// The address of a section that is not empty.
fn begins(bytes: &[u8], name: &str) -> Option<u64> {
    use object::{Object as _, ObjectSection as _};
    let file = object::File::parse(bytes).expect("an ELF file");
    file.section_by_name(name).filter(|section| section.size() > 0).map(|section| section.address())
}
