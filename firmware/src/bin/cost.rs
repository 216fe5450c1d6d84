//! Counts what training costs: in instructions under `lgl2o device --program cost`, which has QEMU count them, and in cycles
//! of the processor on real hardware.
#![no_std]
#![no_main]

use embedded_io::Write as _;
use lgl2o::Error;
use lgl2o::batch::Batch;
#[cfg(fits = "w2")]
use lgl2o_device::cost::W2;
#[cfg(fits = "w3")]
use lgl2o_device::cost::W3;
use lgl2o_device::cost::{Bench, Cost, W1, fill, measure};
use lgl2o_device::message::{FromDevice, Summary};
use lgl2o_firmware::board::{self, Meter, entry};
use lgl2o_firmware::{Board, program};
use static_cell::ConstStaticCell;

/// The largest batch: 16 rows of 196 numbers, or on a small board 8 rows of 2.
#[cfg(fits = "w2")]
const NUMBERS: usize = 16 * 196;
#[cfg(not(fits = "w2"))]
const NUMBERS: usize = 8 * 2;

static INPUTS: ConstStaticCell<[f32; NUMBERS]> = ConstStaticCell::new([0.0; NUMBERS]);
static LABELS: ConstStaticCell<[u8; 16]> = ConstStaticCell::new([0; 16]);
static FIRST: ConstStaticCell<Bench<W1>> = ConstStaticCell::new(Bench::new());
#[cfg(fits = "w2")]
static SECOND: ConstStaticCell<Bench<W2>> = ConstStaticCell::new(Bench::new());
#[cfg(fits = "w3")]
static THIRD: ConstStaticCell<Bench<W3>> = ConstStaticCell::new(Bench::new());

/// Where the board starts.
#[entry]
fn main() -> ! {
    let Some(mut board) = Board::take() else { board::exit(program::FAILED) };
    let result = costs(&mut board);
    let summary = Summary { loss: 0, steps: 0, learned: 0, memory: 0, stack: board::high_water() };
    program::send(&mut board.uart, &FromDevice::Summary(summary));
    let Ok(()) = board.uart.flush();
    if let Err(error) = result {
        defmt::error!("{}", error);
    }
    board::exit(if result.is_ok() { 0 } else { program::FAILED })
}

fn costs(Board { uart, .. }: &mut Board) -> Result<(), Error> {
    let (Some(inputs), Some(labels)) = (INPUTS.try_take(), LABELS.try_take()) else { return Ok(()) };
    let mut counter = Meter::start();
    let mut tell = |cost: &Cost| {
        defmt::info!("{}: {=u32} {=str}", defmt::Debug2Format(&cost.item), cost.instructions, Meter::UNIT);
        program::send(uart, &FromDevice::Cost(*cost));
        // What is still being sent would be counted with the next one.
        let Ok(()) = uart.flush();
    };
    if let Some(bench) = FIRST.try_take() {
        measure(0, bench, batch(inputs, labels, [8, 2, 2]), &mut counter, &mut tell)?;
    }
    #[cfg(fits = "w2")]
    if let Some(bench) = SECOND.try_take() {
        measure(1, bench, batch(inputs, labels, [16, 64, 10]), &mut counter, &mut tell)?;
    }
    #[cfg(fits = "w3")]
    if let Some(bench) = THIRD.try_take() {
        measure(2, bench, batch(inputs, labels, [16, 196, 10]), &mut counter, &mut tell)?;
    }
    Ok(())
}

/// So many rows, so wide, of so many classes.
fn batch<'a>(inputs: &'a mut [f32], labels: &'a mut [u8], [rows, width, classes]: [usize; 3]) -> Batch<'a> {
    let inputs = inputs.get_mut(..rows * width).unwrap_or_default();
    let labels = labels.get_mut(..rows).unwrap_or_default();
    fill(inputs, labels, classes as u8);
    Batch::classes(inputs, width, labels)
}
