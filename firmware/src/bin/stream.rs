//! Learns handwritten digits from images that the host sends over the UART: `lgl2o device --task mnist`.
//!
//! The device asks for one batch at a time and waits for it as long as it takes; see `lgl2o_device::stream`. The LED is
//! on while the learned side wins. When the run is over, QEMU ends; real hardware stays on, and tells so. It takes 192 kB
//! of RAM, stack included.
#![no_std]
#![no_main]

use core::mem::size_of;

use embedded_hal::digital::{OutputPin, PinState};
use lgl2o_device::message::{FromDevice, Summary};
use lgl2o_device::spirals::flip_bit;
use lgl2o_device::stream::wire::Closed;
use lgl2o_device::stream::{Inbox, Learner, Memory, Wire};
use lgl2o_firmware::board::{self, Led, Uart, entry};
use lgl2o_firmware::{Board, program};
use static_cell::ConstStaticCell;

/// All training memory.
static MEMORY: ConstStaticCell<Memory> = ConstStaticCell::new(Memory::new());
/// Room for one frame from the host.
static INBOX: ConstStaticCell<Inbox> = ConstStaticCell::new(Inbox::EMPTY);

/// Where the board starts.
#[entry]
fn main() -> ! {
    let (Some(board), Some(memory), Some(inbox)) = (Board::take(), MEMORY.try_take(), INBOX.try_take()) else {
        board::exit(program::FAILED)
    };
    let Board { uart, mut led, .. } = board;
    defmt::info!("196-32-10 sigmoid on {=str}, waiting for the host", board::NAME);
    program::plant_panic();
    match learn(&mut Wire::new(uart, inbox), &mut led, memory) {
        Ok(()) => board::exit(0),
        Err(Closed) => board::exit(program::FAILED),
    }
}

fn learn(wire: &mut Wire<'_, Uart>, led: &mut Led, memory: &mut Memory) -> Result<(), Closed> {
    let mut learner = Learner::start(memory, wire, |params| {
        if cfg!(feature = "flip-bit") {
            flip_bit(params);
        }
    })?;
    while let Some(round) = learner.round(wire)? {
        if let Some(learned) = round.learned() {
            let Ok(()) = led.set_state(PinState::from(learned));
        }
        program::log(&round);
    }
    if let Some(error) = learner.error() {
        defmt::error!("{}", error);
    }
    let summary = Summary {
        loss: learner.check_loss().to_bits(),
        steps: learner.steps(),
        learned: learner.progress().learned,
        memory: (size_of::<Memory>() + size_of::<Inbox>()) as u32,
        stack: board::high_water(),
    };
    defmt::info!("memory {=u32} bytes, stack {=u32} bytes at most", summary.memory, summary.stack);
    wire.tell(&FromDevice::Summary(summary))?;
    learner.finish(wire)?;
    if cfg!(emulated) { Ok(()) } else { Err(wire.stay(&learner.last_word())) }
}
