//! Does nothing: what others are compared with, for their size and their stack.
#![no_std]
#![no_main]

use embedded_io::Write as _;
use lgl2o_device::message::{FromDevice, Summary};
use lgl2o_firmware::board::{self, entry};
use lgl2o_firmware::{Board, program};

/// Where the board starts.
#[entry]
fn main() -> ! {
    let Some(mut board) = Board::take() else { board::exit(program::FAILED) };
    let summary = Summary { loss: 0, steps: 0, learned: 0, memory: 0, stack: board::high_water() };
    defmt::info!("nothing to do");
    program::send(&mut board.uart, &FromDevice::Summary(summary));
    let Ok(()) = board.uart.flush();
    board::exit(0)
}
