//! Raspberry Pi Pico and Pico 2: RP2040 with Cortex-M0+ and RP2350 with Cortex-M33, through their HAL, `embassy-rp`, of which every
//! call here waits for its end. The log goes to the debug probe by RTT (`defmt-rtt`). One core is used.

use core::convert::Infallible;
use core::ops::Range;
use core::slice;

#[cfg(not(feature = "panic-never"))]
use defmt_rtt as _;
use embassy_rp::gpio::{Level, Output};
use embassy_rp::uart::{self, Blocking};
use embassy_rp::{Peripherals, peripherals};
use embedded_hal::digital::{self, OutputPin};
use embedded_io::{Read, Write};
use static_cell::ConstStaticCell;

use super::Board;

pub(super) fn board() -> Board {
    let p = start();
    // Pins 1 and 2 of the board. A new configuration has 115,200 bits per second and no parity.
    let uart = uart::Uart::new_blocking(p.UART0, p.PIN_0, p.PIN_1, uart::Config::default());
    Board { uart: Uart(uart), led: Led(Output::new(p.PIN_25, Level::Low)) }
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
pub struct Uart(uart::Uart<'static, Blocking>);

impl embedded_io::ErrorType for Uart {
    type Error = Infallible;
}

impl Read for Uart {
    /// One byte; the few that come in meanwhile wait in the hardware. A byte that was damaged or came too early is missing in
    /// its frame, whose checksum shows it.
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Infallible> {
        let Some(first) = buffer.first_mut() else { return Ok(0) };
        while self.0.blocking_read(slice::from_mut(first)).is_err() {}
        Ok(1)
    }
}

impl Write for Uart {
    fn write(&mut self, buffer: &[u8]) -> Result<usize, Infallible> {
        // The hardware has nothing to say against it.
        let _ = self.0.blocking_write(buffer);
        Ok(buffer.len())
    }
    fn flush(&mut self) -> Result<(), Infallible> {
        let _ = self.0.blocking_flush();
        Ok(())
    }
}

/// The LED beside the USB socket; on a Pico W it is not there.
pub struct Led(Output<'static>);

impl digital::ErrorType for Led {
    type Error = Infallible;
}

impl OutputPin for Led {
    fn set_low(&mut self) -> Result<(), Infallible> {
        self.0.set_low();
        Ok(())
    }
    fn set_high(&mut self) -> Result<(), Infallible> {
        self.0.set_high();
        Ok(())
    }
}

/// Bytes of the flash chip.
const SIZE: usize = if cfg!(feature = "pico2") { 4 << 20 } else { 2 << 20 };
/// The board's flash chip, all of it.
pub type Flash = embassy_rp::flash::Flash<'static, peripherals::FLASH, embassy_rp::flash::Blocking, SIZE>;
/// Why there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, defmt::Format)]
pub enum FlashError {
    /// It was taken before.
    Taken,
}
/// Where checkpoints go: the last 256 kB, behind the program.
pub const CHECKPOINTS: Range<u32> = SIZE as u32 - (256 << 10)..SIZE as u32;
const _: () = assert!(super::FLASH_END - 0x1000_0000 <= CHECKPOINTS.start);

/// The flash; only once.
///
/// # Errors
/// [`FlashError::Taken`] the second time.
pub fn flash() -> Result<Flash, FlashError> {
    static THERE: ConstStaticCell<()> = ConstStaticCell::new(());
    THERE.try_take().ok_or(FlashError::Taken)?;
    // SAFETY: taken once, and `board` leaves it alone.
    Ok(Flash::new_blocking(unsafe { peripherals::FLASH::steal() }))
}
