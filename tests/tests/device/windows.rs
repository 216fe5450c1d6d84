//! What small products ask for, held to its aims on a Cortex-M4F with 128 kB of RAM: the program `windows`.

use std::fs::File;
use std::path::Path;
use std::time::{Duration, Instant};

use lgl2o_device::cost::{Cost, Item};
use lgl2o_device::message::{FromDevice, Summary};
use lgl2o_host::device::board::{Board, board};
use lgl2o_host::device::emulator::Emulator;
use lgl2o_host::device::firmware;
use lgl2o_host::device::listen::{Event, listen};
use lgl2o_host::device::session::{Transcript, follow};

use crate::{built_for, left_out};

const BOARD: &str = "netduinoplus2";

/// Runs a program to its end, its clock by instructions; returns its summary and what it has counted.
fn ran(board: &Board, elf: &Path) -> (Summary, Vec<Cost>) {
    let mut emulator = Emulator::counting(board, elf).expect("an emulator");
    let events = listen(emulator.uart.try_clone().expect("a UART"), None::<(File, _)>);
    let (late, mut costs) = (Instant::now() + Duration::from_secs(500), Vec::new());
    let transcript = follow(Transcript::default(), &events, late, None, |event| {
        if let Event::Message(FromDevice::Cost(cost)) = event {
            costs.push(*cost);
        }
    });
    assert!(emulator.end().expect("an end").success(), "the program failed");
    (transcript.summary.expect("a summary"), costs)
}

#[test]
#[ignore = "needs QEMU and a compiler for the boards"]
fn an_inference_takes_6_000_instructions_and_3_kb_at_most() {
    if left_out("windows") {
        return;
    }
    let board = board(BOARD).expect("a board");
    let (summary, costs) = ran(board, &built_for(board, "windows", &["predicts".to_owned()]));
    let cost = costs.first().expect("a figure");
    println!("24-16-4: {} instructions, model {} bytes, stack {}", cost.instructions, summary.memory, summary.stack);
    assert!(cost.item == Item::Inference && (500..=6000).contains(&cost.instructions), "{}", cost.instructions);
    assert!(summary.memory + summary.stack <= 3000, "{} + {} bytes", summary.memory, summary.stack);
}

/// The board has no more RAM; six classes that are guessed have a loss of 1.79.
#[test]
#[ignore = "needs QEMU and a compiler for the boards"]
fn windows_are_learned_in_128_kb() {
    if left_out("windows") {
        return;
    }
    let board = board(BOARD).expect("a board");
    let elf = built_for(board, "windows", &[]);
    let sizes = firmware::sizes(&firmware::read(&elf, board).expect("a program"), board).expect("sizes");
    let (summary, _) = ran(board, &elf);
    let loss = f32::from_bits(summary.loss);
    println!("loss {loss} after {} steps; memory and batch {} bytes", summary.steps, summary.memory);
    println!("stack {}, static RAM {}, flash {}", summary.stack, sizes.ram, sizes.flash);
    assert!(sizes.ram + u64::from(summary.stack) <= 128 << 10);
    assert!(loss < 0.3, "{loss}");
}
