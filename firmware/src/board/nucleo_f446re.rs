//! STM32 Nucleo-F446RE: Cortex-M4F through its HAL, `stm32f4xx-hal`. The clock is the one after reset, 16 MHz from the internal
//! oscillator: then the same program runs on QEMU's STM32F405, which has no PLL. The log goes to the debug probe by RTT (`defmt-rtt`).

use core::convert::Infallible;
use core::ops::Range;

#[cfg(not(feature = "panic-never"))]
use defmt_rtt as _;
use embedded_hal::digital::{self, OutputPin};
use static_cell::StaticCell;
use stm32f4xx_hal::flash::{FlashExt, LockedFlash, UnlockedFlash};
use stm32f4xx_hal::gpio::{Output, PA5};
use stm32f4xx_hal::pac::{self, Peripherals, USART2};
use stm32f4xx_hal::prelude::*;
use stm32f4xx_hal::serial::{Config, Serial};

use super::Board;
use super::hardware::{FlashError, flash_once};
use super::line::{self, Line};

/// USART 2, which the debug probe passes on by USB.
pub type Uart = line::Uart<Serial<USART2>>;

/// LED LD2.
pub struct Led(PA5<Output>);

// The HAL's pin has this trait in two versions, of which a method's name does not say which one is meant.
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

pub(super) fn board() -> Board {
    // SAFETY: the board is taken once.
    let p = unsafe { Peripherals::steal() };
    let mut clocks = p.RCC.constrain();
    let pins = p.GPIOA.split(&mut clocks);
    // A new configuration has 115,200 bits per second and no parity.
    let uart = Serial::new(p.USART2, (pins.pa2, pins.pa3), Config::default(), &mut clocks);
    // 115,200 bits per second can be had of 16 MHz; a HAL that says no has changed.
    let Ok(uart) = uart else { super::exit(super::FAULTED) };
    Board { uart: line::Uart(uart), led: Led(pins.pa5.into_push_pull_output()) }
}

impl Line for Serial<USART2> {
    fn receive(&mut self) -> Option<u8> {
        stm32f4xx_hal::block!(self.read()).ok()
    }
    fn send(&mut self, bytes: &[u8]) -> usize {
        let Some(&first) = bytes.first() else { return 0 };
        // The hardware has nothing to say against it.
        let _ = stm32f4xx_hal::block!(self.write(first));
        1
    }
    fn finish(&mut self) {
        let _ = stm32f4xx_hal::block!(self.flush());
    }
}

/// The chip's flash, all of it. Its HAL erases 128 kB at a time.
pub type Flash = UnlockedFlash<'static>;
/// Where checkpoints go: the last two sectors, 128 kB each, behind the program.
pub const CHECKPOINTS: Range<u32> = super::FLASH_END - 0x0800_0000..512 << 10;

/// The flash; only once.
///
/// # Errors
/// [`FlashError::Taken`] the second time.
pub fn flash() -> Result<Flash, FlashError> {
    static FLASH: StaticCell<LockedFlash> = StaticCell::new();
    flash_once()?;
    // SAFETY: taken once, and `board` leaves it alone.
    Ok(FLASH.init(LockedFlash::new(unsafe { pac::FLASH::steal() })).unlocked())
}
