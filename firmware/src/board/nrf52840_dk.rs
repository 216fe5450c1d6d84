//! nRF52840-DK: Cortex-M4F at 64 MHz, through its HAL, `embassy-nrf`, of which every call here waits for its end. The log
//! goes to the debug probe by RTT (`defmt-rtt`).

use core::convert::Infallible;
use core::ops::Range;

use cortex_m::peripheral::{DCB, DWT};
#[cfg(not(feature = "panic-never"))]
use defmt_rtt as _;
use embassy_futures::block_on;
use embassy_nrf::buffered_uarte::{BufferedUarte, InterruptHandler};
use embassy_nrf::config::{Config, HfclkSource};
use embassy_nrf::gpio::{Level, Output, OutputDrive};
use embassy_nrf::nvmc::{FLASH_SIZE, Nvmc};
use embassy_nrf::{Peripherals, bind_interrupts, peripherals, uarte};
use embedded_hal::digital::{self, OutputPin};
use embedded_io::{Read, ReadReady, Write};
use lgl2o_device::cost;
use static_cell::ConstStaticCell;

use super::Board;

bind_interrupts!(struct Interrupts {
    UARTE0 => InterruptHandler<peripherals::UARTE0>;
});

/// Bytes that come in while the program does something else; those that go out.
static RECEIVED: ConstStaticCell<[u8; 512]> = ConstStaticCell::new([0; 512]);
static SENT: ConstStaticCell<[u8; 256]> = ConstStaticCell::new([0; 256]);

pub(super) fn board() -> Option<Board> {
    let (received, sent) = (RECEIVED.try_take()?, SENT.try_take()?);
    let p = start();
    // The pins of the probe's serial port. 115,200 bits per second, no parity, is what a new configuration has.
    let uart = BufferedUarte::new(
        p.UARTE0,
        p.TIMER1,
        p.PPI_CH0,
        p.PPI_CH1,
        p.PPI_GROUP0,
        p.P0_08,
        p.P0_06,
        Interrupts,
        uarte::Config::default(),
        received,
        sent,
    );
    // LED 1 is on while its pin is low.
    Some(Board { uart: Uart(uart), led: Led(Output::new(p.P0_13, Level::High, OutputDrive::Standard)) })
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
    let _ = (HfclkSource::ExternalXtal, Config::default);
    // SAFETY: the board is taken once.
    unsafe { Peripherals::steal() }
}

/// The UART that the debug probe passes on by USB.
pub struct Uart(BufferedUarte<'static>);

impl embedded_io::ErrorType for Uart {
    type Error = Infallible;
}

impl Read for Uart {
    /// Bytes that were lost because nobody took them are missing in a frame, which the frame's checksum shows.
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Infallible> {
        loop {
            if let Ok(n) = block_on(self.0.read(buffer)) {
                return Ok(n);
            }
        }
    }
}

impl ReadReady for Uart {
    fn read_ready(&mut self) -> Result<bool, Infallible> {
        Ok(embedded_io_async::ReadReady::read_ready(&mut self.0).unwrap_or(false))
    }
}

impl Write for Uart {
    /// Sending knows no errors: a full buffer is waited for.
    fn write(&mut self, buffer: &[u8]) -> Result<usize, Infallible> {
        Ok(block_on(self.0.write(buffer)).unwrap_or(buffer.len()))
    }
    fn flush(&mut self) -> Result<(), Infallible> {
        let _ = block_on(self.0.flush());
        Ok(())
    }
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
/// What can go wrong with it.
pub type FlashError = embassy_nrf::nvmc::Error;
/// Where checkpoints go: what `memory/nrf52840-dk.x` leaves to them.
pub const CHECKPOINTS: Range<u32> = 896 * 1024..FLASH_SIZE as u32;

/// The flash; only once.
///
/// # Errors
/// [`FlashError::OutOfBounds`] the second time.
pub fn flash() -> Result<Flash, FlashError> {
    static THERE: ConstStaticCell<()> = ConstStaticCell::new(());
    THERE.try_take().ok_or(FlashError::OutOfBounds)?;
    // SAFETY: taken once, and `board` leaves it alone.
    Ok(Nvmc::new(unsafe { peripherals::NVMC::steal() }))
}

/// Counts cycles of the processor, with its own counter of them.
pub struct Meter(());

impl Meter {
    /// What is counted.
    pub const UNIT: &str = "cycles";

    /// Switches the counter on.
    pub fn start() -> Self {
        if let Some(mut peripherals) = cortex_m::Peripherals::take() {
            peripherals.DCB.enable_trace();
            peripherals.DWT.enable_cycle_counter();
        }
        Self(())
    }
}

impl cost::Counter for Meter {
    fn count(&mut self, work: &mut dyn FnMut()) -> u32 {
        let before = DWT::cycle_count();
        work();
        DWT::cycle_count().wrapping_sub(before)
    }
}

/// Ends the program: `probe-rs run` ends with this status. Without a probe that listens, the processor sleeps, and the
/// UART sends what it still has to.
pub fn exit(status: i32) -> ! {
    if DCB::is_debugger_attached() {
        semihosting::process::exit(status)
    }
    loop {
        cortex_m::asm::wfi();
    }
}
