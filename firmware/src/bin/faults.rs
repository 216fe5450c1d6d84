//! Lets everything go wrong that a learned optimizer and its memory can do, one fault after the other, and shows that the
//! model is never worse for it than the fallback would have left it.
#![no_std]
#![no_main]

use core::mem::size_of;

use embedded_io::Write as _;
use lgl2o_device::faults::{self, Fault, FaultMemory};
use lgl2o_device::message::{FromDevice, Summary};
use lgl2o_firmware::board::{self, entry};
use lgl2o_firmware::{Board, program};
use static_cell::ConstStaticCell;

/// All training memory.
static MEMORY: ConstStaticCell<FaultMemory> = ConstStaticCell::new(FaultMemory::new());

/// Where the board starts.
#[entry]
fn main() -> ! {
    let (Some(Board { mut uart, .. }), Some(memory)) = (Board::take(), MEMORY.try_take()) else {
        board::exit(program::FAILED)
    };
    let mut worse = 0;
    for number in 0..Fault::COUNT as u8 {
        match faults::run(number, memory) {
            Ok(Some(record)) => {
                worse += record.worse;
                let name = Fault::number(number.into()).map_or("", Fault::name);
                let loss = f32::from_bits(record.loss);
                defmt::info!("{=str}: loss {=f32}, {=u32} rounds won", name, loss, record.learned);
                program::send(&mut uart, &FromDevice::Fault(record));
            }
            Ok(None) => {}
            Err(error) => {
                defmt::error!("fault {=u8}: {}", number, error);
                board::exit(program::FAILED)
            }
        }
    }
    let (memory, stack) = (size_of::<FaultMemory>() as u32, board::high_water());
    defmt::info!("memory {=u32} bytes, stack {=u32} bytes at most", memory, stack);
    program::send(&mut uart, &FromDevice::Summary(Summary { loss: 0, steps: 0, learned: 0, memory, stack }));
    let Ok(()) = uart.flush();
    board::exit(if worse == 0 { 0 } else { program::FAILED })
}
