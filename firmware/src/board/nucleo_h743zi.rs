//! STM32 Nucleo-H743ZI2: Cortex-M7 at 64 MHz, the clock after reset, through its HAL, `embassy-stm32`, of which every call here
//! waits for its end. The log goes to the debug probe by RTT (`defmt-rtt`).

use core::ops::Range;

#[cfg(not(feature = "panic-never"))]
use defmt_rtt as _;
use embassy_stm32::flash;
use embassy_stm32::gpio::{Level, Output, Speed};
use embassy_stm32::mode::Blocking;
use embassy_stm32::peripherals;
use embassy_stm32::usart;

use super::Board;
use super::hardware::{FlashError, flash_once};
use super::line;

pub(super) fn board() -> Board {
    let p = embassy_stm32::init(embassy_stm32::Config::default());
    // The pins of the probe's serial port. A new configuration has 115,200 bits per second and no parity.
    let uart = usart::Uart::new_blocking(p.USART3, p.PD9, p.PD8, usart::Config::default());
    // 64 MHz can be divided to 115,200 bits per second, so an error means that the HAL has changed.
    let Ok(uart) = uart else { super::exit(super::FAULTED) };
    Board { uart: line::Uart(uart), led: Output::new(p.PB0, Level::Low, Speed::Low) }
}

/// USART 3, which the debug probe passes on by USB.
pub type Uart = line::Uart<usart::Uart<'static, Blocking>>;

line::by_blocking_calls!(usart::Uart<'static, Blocking>);

/// LED LD1.
pub type Led = Output<'static>;

/// The chip's flash, all of it. Its HAL erases 128 kB at a time, and writes words of 32 bytes.
pub type Flash = flash::Flash<'static, flash::Blocking>;
/// Where checkpoints go: the last two sectors, behind the program.
pub const CHECKPOINTS: Range<u32> = super::FLASH_END - flash::FLASH_BASE as u32..flash::FLASH_SIZE as u32;

/// The flash; only once.
///
/// # Errors
/// [`FlashError::Taken`] the second time.
pub fn flash() -> Result<Flash, FlashError> {
    flash_once()?;
    // SAFETY: taken once, and `board` leaves it alone.
    Ok(Flash::new_blocking(unsafe { peripherals::FLASH::steal() }))
}
