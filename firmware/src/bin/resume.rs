//! Learns two spirals with a checkpoint in flash every ten rounds, resets the board in the middle, and goes on.
//!
//! Every round goes to the host over the UART, so that it can see that the run is that of a board that was never reset,
//! bit for bit. Taking the power away instead, as often as one likes, comes to the same.
#![no_std]
#![no_main]

use core::mem::size_of;

use embedded_hal::digital::{OutputPin, PinState};
use embedded_io::Write as _;
use lgl2o::{Error, Memory};
use lgl2o_device::message::{FromDevice, Summary};
use lgl2o_device::resume::{self, Event, RESET_AFTER};
use lgl2o_device::spirals::{self, Demo as _, RunMemory};
use lgl2o_firmware::board::{self, CHECKPOINTS, Flash, entry};
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
    match board::flash() {
        Ok(flash) => match train(&mut board, memory, flash) {
            Ok(()) => board::exit(0),
            Err(error) => defmt::error!("{}", error),
        },
        Err(error) => defmt::error!("no flash: {}", error),
    }
    board::exit(program::FAILED)
}

fn train(Board { uart, led }: &mut Board, memory: &mut RunMemory<Network>, flash: Flash) -> Result<(), Error> {
    let nudge = |params: &mut _| {
        if cfg!(feature = "flip-bit") {
            spirals::flip_bit(params);
        }
    };
    let mut resets = false;
    let outcome = resume::run::<Network>(memory, flash, CHECKPOINTS, nudge, |event| match event {
        Event::Begun(found, rounds) => {
            defmt::info!("goes on after {=u32} rounds; {}", rounds, found);
            resets = found.sequence.is_none();
            program::send(uart, &FromDevice::Resumed { rounds });
        }
        Event::Round(round) => {
            if let Some(learned) = round.learned() {
                let Ok(()) = led.set_state(PinState::from(learned));
            }
            program::send(uart, &FromDevice::Round(round));
            if resets && round.round == RESET_AFTER {
                defmt::info!("reset after {=u32} rounds", round.round);
                let Ok(()) = uart.flush();
                board::reset();
            }
        }
        Event::Saving => {}
        Event::Saved(number) => defmt::info!("checkpoint {=u32}", number),
    })?;
    let summary = Summary {
        loss: outcome.loss.to_bits(),
        steps: outcome.steps,
        learned: outcome.learned,
        memory: size_of::<RunMemory<Network>>() as u32,
        stack: board::high_water(),
    };
    defmt::info!("loss {=f32} after {=u32} steps", outcome.loss, outcome.steps);
    defmt::info!("memory {=u32} bytes, stack {=u32} bytes at most", summary.memory, summary.stack);
    defmt::info!("parameters {=u64:016x}", outcome.params);
    program::send(uart, &FromDevice::Done { rounds: outcome.rounds, params: outcome.params });
    program::send(uart, &FromDevice::Summary(summary));
    let Ok(()) = uart.flush();
    Ok(())
}
