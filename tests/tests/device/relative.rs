//! Programs for real hardware on an emulator of a chip like theirs: the very file that is written into the board, over a serial port
//! that a pseudo-terminal stands for.

use std::io::{BufRead, BufReader};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{fs, thread};

use lgl2o_host::device::board::{Board, usual};
use lgl2o_tests::program::{command, folder};
use serde_json::Value;

use crate::port::{join, pseudo_terminal, said};
use crate::{built_for, hardware, left_out};

/// Runs until it goes away: a program for hardware does not end the emulator.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts the emulator with a program; returns the board's UART, too.
fn start(relative: &str, elf: &Path, dir: &Path) -> (Running, UnixStream) {
    let socket = dir.join("uart");
    let _ = fs::remove_file(&socket);
    let (program, machine) = relative.split_once(' ').expect("arguments");
    let child = Command::new(program)
        .args(machine.split(' '))
        .args(["-nographic", "-monitor", "none", "-chardev"])
        .arg(format!("socket,id=uart,path={},server=on,wait=on", socket.display()))
        .args(["-serial", "chardev:uart", "-kernel"])
        .arg(elf)
        .stdin(Stdio::null())
        .spawn();
    let running = Running(child.expect("an emulator"));
    let begun = Instant::now();
    let uart = loop {
        match UnixStream::connect(&socket) {
            Ok(uart) => break uart,
            Err(error) if begun.elapsed() > Duration::from_secs(20) => panic!("{program}: {error}"),
            Err(_) => thread::sleep(Duration::from_millis(10)),
        }
    };
    (running, uart)
}

/// What `lgl2o device` records of a program on a board that is an emulator.
fn record(board: &Board, relative: &str, program: &str) -> Value {
    let elf = built_for(board, program, &[]);
    let (dir, (pty, name)) = (folder(), pseudo_terminal());
    let file = elf.to_str().expect("a path in Unicode");
    let arguments =
        ["device", "--board", board.name, "--program", program, "--port", &name, "--elf", file, "--out", "."];
    // Without a path there is no probe-rs.
    let child = command(dir.path(), &arguments).env("PATH", dir.path()).stderr(Stdio::piped()).spawn();
    let mut child = child.expect("started");
    let mut words = BufReader::new(child.stderr.take().expect("piped"));
    said(&mut words, "reset the board now");
    let (_running, uart) = start(relative, &elf, dir.path());
    join(&uart, &pty);
    let rest = words.lines().map_while(Result::ok).collect::<Vec<_>>().join(" ");
    assert_eq!(child.wait().expect("an end").code(), Some(0), "{program}: {rest}");
    let json = fs::read(dir.path().join("results.json")).expect("a record");
    serde_json::from_slice(&json).expect("a record")
}

#[test]
#[ignore = "needs QEMU and a compiler for the boards"]
fn programs_for_real_hardware_have_this_machines_bits_on_a_chip_like_its() {
    if left_out("real hardware") {
        return;
    }
    let relatives = hardware().filter_map(|board| Some((board, board.entry.get("relative")?)));
    let mut tried = 0;
    for (board, relative) in relatives {
        let spirals = record(board, relative, "spirals");
        assert_eq!((&spirals["equal"], &spirals["board"]), (&true.into(), &board.name.into()));
        assert!(spirals["device"]["rounds"].as_array().is_some_and(|rounds| rounds.len() > 100));
        let (_, other) = crate::device(None, usual(), &[]);
        assert_eq!(spirals["device"]["trace"], other["device"]["trace"], "not the bits of {}", usual().name);
        for program in ["sensor", "faults"] {
            assert_eq!(record(board, relative, program)["equal"], true, "{}: {program}", board.name);
        }
        tried += 1;
    }
    assert!(tried > 0, "no board has a relative");
}
