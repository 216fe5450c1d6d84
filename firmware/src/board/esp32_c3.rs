//! ESP32-C3-DevKitM-1: RV32IMC at 160 MHz, through its HAL, `esp-hal`, of which every call here waits for its end. The log goes to a
//! debug probe by RTT (`defmt-rtt`).

use core::ops::Range;
use core::slice;

use defmt_rtt as _;
use esp_hal::Blocking;
use esp_hal::clock::CpuClock;
use esp_hal::gpio::{Level, Output, OutputConfig};
use esp_hal::{peripherals, uart};
use esp_storage::FlashStorage;

use super::Board;
use super::hardware::{FlashError, flash_once};
use super::line::{self, Line};

// What the boot loader looks for.
esp_bootloader_esp_idf::esp_app_desc!();

pub(super) fn board() -> Board {
    let p = esp_hal::init(esp_hal::Config::default().with_cpu_clock(CpuClock::max()));
    // A new configuration has 115,200 bits per second and no parity.
    let uart = uart::Uart::new(p.UART0, uart::Config::default());
    // 115,200 bits per second can be had of its clock; a HAL that says no has changed.
    let Ok(uart) = uart else { super::exit(super::FAULTED) };
    let uart = uart.with_tx(p.GPIO21).with_rx(p.GPIO20);
    Board { uart: line::Uart(uart), led: Output::new(p.GPIO3, Level::Low, OutputConfig::default()) }
}

/// UART 0, which the board passes on by USB.
pub type Uart = line::Uart<uart::Uart<'static, Blocking>>;

impl Line for uart::Uart<'static, Blocking> {
    fn receive(&mut self) -> Option<u8> {
        let mut byte = 0;
        self.read(slice::from_mut(&mut byte)).ok().filter(|&read| read > 0).map(|_| byte)
    }
    fn send(&mut self, bytes: &[u8]) -> usize {
        // The hardware has nothing to say against it.
        self.write(bytes).unwrap_or(bytes.len())
    }
    fn finish(&mut self) {
        let _ = self.flush();
    }
}

/// An LED between GPIO 3 and ground: the board's own takes more than on and off.
pub type Led = Output<'static>;

/// The flash chip, all of it.
pub type Flash = FlashStorage<'static>;
/// Where checkpoints go: the last 256 kB of 4 MB, behind the program.
pub const CHECKPOINTS: Range<u32> = (4 << 20) - (256 << 10)..4 << 20;

/// The flash; only once.
///
/// # Errors
/// [`FlashError::Taken`] the second time.
pub fn flash() -> Result<Flash, FlashError> {
    flash_once()?;
    // SAFETY: taken once, and `board` leaves it alone.
    Ok(FlashStorage::new(unsafe { peripherals::FLASH::steal() }))
}

/// Resets the chip, as the button does.
pub fn reset() -> ! {
    esp_hal::system::software_reset()
}
