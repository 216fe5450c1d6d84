//! Learns two spirals from a generator on the device, and says in each round who has won it.
//!
//! Every round goes to the log, and as a record to the host over the UART; the LED is on while the learned side wins.
#![no_std]
#![no_main]

use core::mem::size_of;

use embedded_hal::digital::{OutputPin, PinState};
use lgl2o::Memory;
use lgl2o_device::spirals::{self, Demo as _};
use lgl2o_device::trace::Round;
use lgl2o_firmware::board::{self, entry};
use lgl2o_firmware::{Board, program};
use static_cell::ConstStaticCell;

#[cfg(board = "microbit")]
type Network = spirals::Small;
#[cfg(not(board = "microbit"))]
type Network = spirals::Large;

/// All training memory.
static MEMORY: ConstStaticCell<spirals::RunMemory<Network>> = ConstStaticCell::new(Memory::new());

#[entry]
fn main() -> ! {
    let (Some(Board { uart, mut led }), Some(memory)) = (Board::take(), MEMORY.try_take()) else {
        board::exit(program::FAILED)
    };
    defmt::info!("{=str} on {=str}", Network::NAME, board::NAME);
    let nudge = |params: &mut _| {
        if cfg!(feature = "flip-bit") {
            spirals::flip_bit(params);
        }
    };
    let _ = uart;
    let outcome = spirals::run::<Network>(memory, nudge, |round| {
        let Ok(()) = led.set_state(PinState::from(round.winner == 1));
        log(round);
    });
    match outcome {
        Ok(outcome) => defmt::info!(
            "loss {=f32}, learned share {=f32}, {=u32} steps",
            outcome.loss,
            outcome.learned_share,
            outcome.steps
        ),
        Err(error) => defmt::error!("{}", error),
    }
    defmt::info!("memory {=usize} bytes, stack {=u32} bytes", size_of::<spirals::RunMemory<Network>>(), board::high_water());
    board::exit(if outcome.is_ok() { 0 } else { program::FAILED })
}

fn log(round: &Round) {
    let winner = match round.winner {
        0 => "fallback",
        1 => "learned",
        _ => "neither",
    };
    defmt::info!(
        "round {=u32}: {=str}, {=u32} steps, loss {=f32}, fallback {=f32}, learned {=f32}",
        round.round,
        winner,
        round.steps,
        f32::from_bits(round.train_loss),
        f32::from_bits(round.fallback_loss),
        f32::from_bits(round.learned_loss)
    );
}
