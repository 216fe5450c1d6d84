//! Two networks from PyTorch's ONNX files, with their weights in flash: predicts, trains their heads, predicts again.
//!
//! Every round goes to the log, and as a record to the host over the UART, and so do all outputs; the LED is on while the
//! learned side wins.
#![no_std]
#![no_main]

use core::mem::size_of;

use embedded_hal::digital::{OutputPin, PinState};
use embedded_io::Write as _;
use lgl2o::Error;
use lgl2o_device::imported::{self, Memory};
use lgl2o_device::message::{FromDevice, Summary};
use lgl2o_firmware::board::{self, entry};
use lgl2o_firmware::{Board, program};
use static_cell::ConstStaticCell;

/// All training memory, and the rows that are trained on.
static MEMORY: ConstStaticCell<Memory> = ConstStaticCell::new(Memory::new());

/// Where the board starts.
#[entry]
fn main() -> ! {
    let (Some(mut board), Some(memory)) = (Board::take(), MEMORY.try_take()) else { board::exit(program::FAILED) };
    defmt::info!("{=str} on {=str}", imported::NAME, board::NAME);
    match learn(&mut board, memory) {
        Ok(()) => board::exit(0),
        Err(error) => defmt::error!("{}", error),
    }
    board::exit(program::FAILED)
}

fn learn(Board { uart, led, .. }: &mut Board, memory: &mut Memory) -> Result<(), Error> {
    let nudge = |params: &mut _| {
        if cfg!(feature = "flip-bit") {
            imported::flip_bit(params);
        }
    };
    let (outcome, outputs) = imported::run(memory, nudge, |round| {
        if let Some(learned) = round.learned() {
            let Ok(()) = led.set_state(PinState::from(learned));
        }
        program::log(round);
        program::send(uart, &FromDevice::Round(*round));
    })?;
    for said in outputs {
        program::send(uart, &FromDevice::Outputs(said));
    }
    let right = outputs.iter().filter(|said| said.tuned && said.has_learned()).count();
    defmt::info!("the heads have learned {=usize} of {=usize} rows", right, outputs.len() / 2);
    let summary = Summary {
        loss: outcome.loss.to_bits(),
        steps: outcome.steps,
        learned: outcome.learned,
        memory: size_of::<Memory>() as u32,
        stack: board::high_water(),
    };
    program::send(uart, &FromDevice::Done { rounds: outcome.rounds, params: outcome.params });
    program::send(uart, &FromDevice::Summary(summary));
    let Ok(()) = uart.flush();
    Ok(())
}
