//! What all Cortex-M boards have in common.

#[cfg(emulated)]
use cortex_m::peripheral::{SYST, syst::SystClkSource};
use cortex_m_rt::{ExceptionFrame, exception};

/// A fault ends the program; it would stand still otherwise.
// SAFETY: replaces the runtime's handler of the same signature, and only logs and stops.
#[exception]
unsafe fn HardFault(frame: &ExceptionFrame) -> ! {
    defmt::error!("fault at {=u32:#x}", frame.pc());
    super::exit(super::FAULTED)
}

/// Resets the processor and everything on the board, as the button does.
pub fn reset() -> ! {
    cortex_m::peripheral::SCB::sys_reset()
}

/// Starts the clock that [`elapsed`] reads: SysTick, 24 bits, at the processor's rate.
#[cfg(emulated)]
pub(super) fn start_clock() {
    if let Some(mut peripherals) = cortex_m::Peripherals::take() {
        peripherals.SYST.set_clock_source(SystClkSource::Core);
        peripherals.SYST.set_reload(0x00ff_ffff);
        peripherals.SYST.clear_current();
        peripherals.SYST.enable_counter();
    }
}

/// Ticks of the clock that the work takes; less than 2^24, or they are too few.
#[cfg(emulated)]
pub(super) fn elapsed(work: impl FnOnce()) -> u32 {
    let before = now();
    work();
    since(before)
}

/// What the clock shows.
#[cfg(emulated)]
pub(super) fn now() -> u32 {
    SYST::get_current()
}

/// Ticks since it showed this; less than 2^24.
#[cfg(emulated)]
pub(super) fn since(before: u32) -> u32 {
    // It counts down.
    before.wrapping_sub(now()) & 0x00ff_ffff
}

/// Executes 2 n instructions, and some.
#[cfg(emulated)]
#[inline(never)]
pub(super) fn spin(n: u32) {
    // SAFETY: changes nothing but its own register and the flags.
    unsafe { core::arch::asm!("2: subs {0}, {0}, #1", "bne 2b", inout(reg) n => _, options(nomem, nostack)) };
}
