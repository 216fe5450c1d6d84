//! The kernels of a board's processor, some of them in assembly, against their slow twins.

use std::fs::File;
use std::time::{Duration, Instant};

use lgl2o_host::device::emulator::Emulator;
use lgl2o_host::device::listen::listen;
use lgl2o_host::device::session::{Transcript, follow};

use crate::{boards, built_for};

/// Inputs, outputs and examples of the shapes that the program goes through.
const SHAPES: u32 = 41 * 9 * 13;

/// The program ends with a failure at the first shape whose bits are others, and counts those that it has gone through.
#[test]
#[ignore = "needs QEMU and a compiler for the boards"]
fn kernels_have_the_bits_of_their_twins() {
    for board in boards("kernels") {
        let elf = built_for(board, "kernels", &[]);
        let mut emulator = Emulator::start(board, &elf).expect("an emulator");
        let events = listen(emulator.uart.try_clone().expect("a UART"), None::<(File, _)>);
        let late = Instant::now() + Duration::from_secs(300);
        let summary = follow(Transcript::default(), &events, late, None, |_| {}).summary;
        assert!(emulator.end().expect("an end").success(), "{}: other bits, as its log says", board.name);
        assert_eq!(summary.expect("a summary").steps, SHAPES, "{}", board.name);
    }
}
