//! Learns its owner's gestures from an accelerometer: a head from the factory, personalised with a few labelled windows.
//!
//! The sensor on the I2C bus is a recording here; a product puts its own bus in its place (`lgl2o_device::sensor`). Every
//! round goes to the log, and as a record to the host over the UART; the LED is on while the learned side wins.
#![no_std]
#![no_main]

use core::mem::size_of;

use embedded_hal::digital::{OutputPin, PinState};
use embedded_io::Write as _;
use lgl2o_device::message::{FromDevice, Summary};
use lgl2o_device::sensor::replay::Replay;
use lgl2o_device::sensor::window::Windows;
use lgl2o_device::sensor::{self, Memory, TESTED, Trouble};
use lgl2o_firmware::board::{self, entry};
use lgl2o_firmware::{Board, program};
use static_cell::ConstStaticCell;

/// All training memory.
static MEMORY: ConstStaticCell<Memory> = ConstStaticCell::new(Memory::new());

/// Where the board starts.
#[entry]
fn main() -> ! {
    let (Some(mut board), Some(memory)) = (Board::take(), MEMORY.try_take()) else { board::exit(program::FAILED) };
    defmt::info!("{=str} on {=str}", sensor::NAME, board::NAME);
    match learn(&mut board, memory) {
        Ok(()) => board::exit(0),
        Err(Trouble::Training(error)) => defmt::error!("{}", error),
        Err(Trouble::Sensor(error)) => defmt::error!("{}", defmt::Display2Format(&error)),
    }
    board::exit(program::FAILED)
}

fn learn(Board { uart, led, .. }: &mut Board, memory: &mut Memory) -> Result<(), Trouble> {
    let mut windows = Windows::new(Replay::new(sensor::script, sensor::SEED))?;
    let nudge = |params: &mut _| {
        if cfg!(feature = "flip-bit") {
            sensor::flip_bit(params);
        }
    };
    let (outcome, recognised) = sensor::run(memory, &mut windows, nudge, |round| {
        if let Some(learned) = round.learned() {
            let Ok(()) = led.set_state(PinState::from(learned));
        }
        program::log(round);
        program::send(uart, &FromDevice::Round(*round));
    })?;
    defmt::info!(
        "recognises {=u32} of {=u32} of its owner's gestures; {=u32} as it came",
        recognised.after,
        TESTED,
        recognised.before
    );
    let summary = Summary {
        loss: outcome.loss.to_bits(),
        steps: outcome.steps,
        learned: outcome.learned,
        memory: size_of::<Memory>() as u32,
        stack: board::high_water(),
    };
    defmt::info!("memory {=u32} bytes, stack {=u32} bytes at most", summary.memory, summary.stack);
    program::send(uart, &FromDevice::Done { rounds: outcome.rounds, params: outcome.params });
    program::send(uart, &FromDevice::Summary(summary));
    let Ok(()) = uart.flush();
    Ok(())
}
