//! Learns two spirals from a generator on the device, and says in each round who has won it.
//!
//! Every round goes to the log, and as a record to the host over the UART; the LED is on while the learned side wins.
#![no_std]
#![no_main]

use core::mem::size_of;

use embedded_hal::digital::{OutputPin, PinState};
use embedded_io::Write as _;
use lgl2o::{Error, Memory};
use lgl2o_device::message::{FromDevice, Summary};
use lgl2o_device::spirals::{self, Demo as _, RunMemory};
use lgl2o_firmware::board::{self, entry};
use lgl2o_firmware::{Board, program};
use static_cell::ConstStaticCell;

#[cfg(not(fits = "large"))]
type Network = spirals::Small;
#[cfg(fits = "large")]
type Network = spirals::Large;

/// All training memory.
static MEMORY: ConstStaticCell<RunMemory<Network>> = ConstStaticCell::new(Memory::new());

/// Where the board starts.
#[entry]
fn main() -> ! {
    let (Some(mut board), Some(memory)) = (Board::take(), MEMORY.try_take()) else { board::exit(program::FAILED) };
    defmt::info!("{=str} on {=str}", Network::NAME, board::NAME);
    program::plant_panic();
    match train(&mut board, memory) {
        Ok(()) => board::exit(0),
        Err(error) => {
            defmt::error!("{}", error);
            board::exit(program::FAILED)
        }
    }
}

fn train(Board { uart, led }: &mut Board, memory: &mut RunMemory<Network>) -> Result<(), Error> {
    let nudge = |params: &mut _| {
        if cfg!(feature = "flip-bit") {
            spirals::flip_bit(params);
        }
    };
    let outcome = spirals::run::<Network>(memory, nudge, |round| {
        if let Some(learned) = round.learned() {
            let Ok(()) = led.set_state(PinState::from(learned));
        }
        program::log(round);
        program::send(uart, &FromDevice::Round(*round));
        program::stall();
    })?;
    let summary = Summary {
        loss: outcome.loss.to_bits(),
        steps: outcome.steps,
        learned: outcome.learned,
        memory: size_of::<RunMemory<Network>>() as u32,
        stack: board::high_water(),
    };
    defmt::info!("loss {=f32} after {=u32} steps", outcome.loss, outcome.steps);
    defmt::info!("the learned side has won {=u32} of {=u32} rounds", outcome.learned, outcome.rounds);
    defmt::info!("memory {=u32} bytes, stack {=u32} bytes at most", summary.memory, summary.stack);
    defmt::info!("parameters {=u64:016x}", outcome.params);
    program::send(uart, &FromDevice::Done { rounds: outcome.rounds, params: outcome.params });
    program::send(uart, &FromDevice::Summary(summary));
    let Ok(()) = uart.flush();
    Ok(())
}
