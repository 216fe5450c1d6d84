//! nRF52840-DK: Cortex-M4F at 64 MHz, through its HAL, `embassy-nrf`, of which every call here waits for its end. The log
//! goes to the debug probe by RTT (`defmt-rtt`).

use core::convert::Infallible;
use core::ops::Range;
use core::slice;

#[cfg(not(feature = "panic-never"))]
use defmt_rtt as _;
#[cfg(not(feature = "panic-never"))]
use embassy_nrf::config::{Config, HfclkSource};
use embassy_nrf::gpio::{Level, Output, OutputDrive};
use embassy_nrf::nvmc::{FLASH_SIZE, Nvmc};
use embassy_nrf::uarte::{self, InterruptHandler, Uarte};
use embassy_nrf::{Peripherals, bind_interrupts, peripherals};
use embedded_hal::digital::{self, OutputPin};

use super::Board;
use super::hardware::{FlashError, flash_once};
use super::line::{self, Line};

bind_interrupts!(struct Interrupts {
    UARTE0 => InterruptHandler<peripherals::UARTE0>;
});

pub(super) fn board() -> Board {
    let p = start();
    // The pins of the probe's serial port. A new configuration has 115,200 bits per second and no parity.
    let uart = Uarte::new(p.UARTE0, p.P0_08, p.P0_06, Interrupts, uarte::Config::default());
    // LED 1 is on while its pin is low.
    Board { uart: line::Uart(uart), led: Led(Output::new(p.P0_13, Level::High, OutputDrive::Standard)) }
}

/// The peripherals, after the clock was started: the crystal, for the internal oscillator is not exact enough for a UART.
#[cfg(not(feature = "panic-never"))]
fn start() -> Peripherals {
    let mut config = Config::default();
    config.hfclk_source = HfclkSource::ExternalXtal;
    embassy_nrf::init(config)
}

/// The HAL's `init` panics if it is called again, which no compiler can rule out. For the proof that nothing else panics,
/// the peripherals come without.
#[cfg(feature = "panic-never")]
fn start() -> Peripherals {
    // SAFETY: the board is taken once.
    unsafe { Peripherals::steal() }
}

/// The UART that the debug probe passes on by USB.
pub type Uart = line::Uart<Uarte<'static>>;

impl Line for Uarte<'static> {
    fn receive(&mut self) -> Option<u8> {
        let mut byte = 0;
        self.blocking_read(slice::from_mut(&mut byte)).ok().map(|()| byte)
    }
    /// They are copied to the stack first: the hardware sends from RAM only.
    fn send(&mut self, bytes: &[u8]) -> usize {
        let mut piece = [0; 64];
        let n = piece.iter_mut().zip(bytes).map(|(to, from)| *to = *from).count();
        // It is short, and in RAM: nothing else can be wrong with it.
        let _ = self.blocking_write_from_ram(piece.get(..n).unwrap_or_default());
        n
    }
    /// What was written was also sent.
    fn finish(&mut self) {}
}

/// LED 1.
pub struct Led(Output<'static>);

impl digital::ErrorType for Led {
    type Error = Infallible;
}

impl OutputPin for Led {
    fn set_low(&mut self) -> Result<(), Infallible> {
        self.0.set_high();
        Ok(())
    }
    fn set_high(&mut self) -> Result<(), Infallible> {
        self.0.set_low();
        Ok(())
    }
}

/// The chip's flash, all of it.
pub type Flash = Nvmc<'static>;
/// Where checkpoints go: behind the program.
pub const CHECKPOINTS: Range<u32> = super::FLASH_END..FLASH_SIZE as u32;

/// The flash; only once.
///
/// # Errors
/// [`FlashError::Taken`] the second time.
pub fn flash() -> Result<Flash, FlashError> {
    flash_once()?;
    // SAFETY: taken once, and `board` leaves it alone.
    Ok(Nvmc::new(unsafe { peripherals::NVMC::steal() }))
}
