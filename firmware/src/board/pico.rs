//! Raspberry Pi Pico and Pico 2: RP2040 with Cortex-M0+ and RP2350 with Cortex-M33, through their HAL, `embassy-rp`, of which every
//! call here waits for its end. The log goes to the debug probe by RTT (`defmt-rtt`). One core is used.

use core::ops::Range;

#[cfg(not(feature = "panic-never"))]
use defmt_rtt as _;
use embassy_rp::gpio::{Level, Output};
use embassy_rp::uart::{self, Blocking};
use embassy_rp::{Peripherals, peripherals};

use super::Board;
use super::hardware::{FlashError, flash_once};
use super::line;

pub(super) fn board() -> Board {
    let p = start();
    // Pins 1 and 2 of the board. A new configuration has 115,200 bits per second and no parity.
    let uart = uart::Uart::new_blocking(p.UART0, p.PIN_0, p.PIN_1, uart::Config::default());
    Board { uart: line::Uart(uart), led: Output::new(p.PIN_25, Level::Low) }
}

/// The peripherals, after the clocks were started.
#[cfg(not(feature = "panic-never"))]
fn start() -> Peripherals {
    embassy_rp::init(embassy_rp::config::Config::default())
}

/// The same without what panics if it is called again. Other parts of this HAL panic too, so that nothing is proven of its boards.
#[cfg(feature = "panic-never")]
fn start() -> Peripherals {
    // SAFETY: the board is taken once.
    unsafe { Peripherals::steal() }
}

/// UART 0.
pub type Uart = line::Uart<uart::Uart<'static, Blocking>>;

line::by_blocking_calls!(uart::Uart<'static, Blocking>);

/// The LED beside the USB socket; on a Pico W it is not there.
pub type Led = Output<'static>;

/// Bytes of the flash chip.
const SIZE: usize = if cfg!(feature = "pico2") { 4 << 20 } else { 2 << 20 };
/// The board's flash chip, all of it.
pub type Flash = embassy_rp::flash::Flash<'static, peripherals::FLASH, embassy_rp::flash::Blocking, SIZE>;
/// Where checkpoints go: the last 256 kB, behind the program.
pub const CHECKPOINTS: Range<u32> = SIZE as u32 - (256 << 10)..SIZE as u32;
const _: () = assert!(super::FLASH_END - 0x1000_0000 <= CHECKPOINTS.start);

/// The flash; only once.
///
/// # Errors
/// [`FlashError::Taken`] the second time.
pub fn flash() -> Result<Flash, FlashError> {
    flash_once()?;
    // SAFETY: taken once, and `board` leaves it alone.
    Ok(Flash::new_blocking(unsafe { peripherals::FLASH::steal() }))
}
