//! What all Cortex-M boards have in common.

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
    ::cortex_m::peripheral::SCB::sys_reset()
}
