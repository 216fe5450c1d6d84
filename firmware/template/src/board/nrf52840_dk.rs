//! nRF52840-DK: what is logged goes to the debug probe by RTT, the flash is the chip's own.

use core::ops::Range;

use defmt_rtt as _;
use embassy_nrf::nvmc::{FLASH_SIZE, Nvmc};

pub(crate) use defmt::info as log;

/// The board's flash.
pub type Flash = Nvmc<'static>;
/// Where checkpoints go: behind the program (memory/nrf52840-dk.x).
pub const CHECKPOINTS: Range<u32> = 896 * 1024..FLASH_SIZE as u32;

/// Starts the board. A sensor gets its pins and its bus here.
pub fn start() -> Flash {
    let p = embassy_nrf::init(embassy_nrf::config::Config::default());
    Nvmc::new(p.NVMC)
}

/// There is nothing more to do.
pub fn end() -> ! {
    loop {
        cortex_m::asm::wfi();
    }
}

#[panic_handler]
fn panic(info: &core::panic::PanicInfo<'_>) -> ! {
    defmt::error!("{}", defmt::Display2Format(info));
    cortex_m::peripheral::SCB::sys_reset()
}
