//! What boards of real hardware have in common: a counter of cycles, a flash that is taken
//! once, and how a program ends.

#[cfg(all(target_arch = "arm", not(armv6m)))]
use cortex_m::peripheral::DWT;
#[cfg(armv6m)]
use cortex_m::peripheral::SYST;
#[cfg(target_arch = "arm")]
use cortex_m::peripheral::{DCB, syst::SystClkSource};
use lgl2o_device::cost;
use static_cell::ConstStaticCell;

/// Why there is no flash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, defmt::Format)]
pub enum FlashError {
    /// It was taken before.
    Taken,
}

/// Returns `Ok` the first time, and [`FlashError::Taken`] after that.
pub(super) fn flash_once() -> Result<(), FlashError> {
    static THERE: ConstStaticCell<()> = ConstStaticCell::new(());
    if THERE.try_take().is_some() { Ok(()) } else { Err(FlashError::Taken) }
}

/// Counts cycles of the processor: with its own counter of them, which is 32 bits long, or, where there is none, with SysTick of 24.
pub struct Meter {
    last: u32,
    laps: u64,
}

impl Meter {
    /// What is counted.
    pub const UNIT: &str = "cycles";

    /// Switches the counter on.
    pub fn start() -> Self {
        start();
        Self { last: now(), laps: 0 }
    }

    /// Counts what has come since the last lap, if the counter has not gone round.
    pub fn lap(&mut self) {
        let now = now();
        self.laps += u64::from(between(self.last, now));
        self.last = now;
    }

    /// Does not count what has come since the last lap.
    pub fn skip(&mut self) {
        self.last = now();
    }

    /// Cycles of all laps.
    pub fn total(&self) -> u64 {
        self.laps
    }
}

impl cost::Counter for Meter {
    fn count(&mut self, work: &mut dyn FnMut()) -> u32 {
        let before = now();
        work();
        between(before, now())
    }
}

#[cfg(target_arch = "arm")]
fn start() {
    if let Some(mut peripherals) = cortex_m::Peripherals::take() {
        #[cfg(not(armv6m))]
        {
            peripherals.DCB.enable_trace();
            peripherals.DWT.enable_cycle_counter();
        }
        peripherals.SYST.set_clock_source(SystClkSource::Core);
        peripherals.SYST.set_reload(0x00ff_ffff);
        peripherals.SYST.clear_current();
        peripherals.SYST.enable_counter();
    }
}

/// The counter of Espressif's processors, which have none of the standard ones: it counts cycles (`mpcer` 1) while `mpcmr` is 1.
#[cfg(target_arch = "riscv32")]
fn start() {
    // SAFETY: changes these two registers alone, which nobody else uses.
    unsafe { core::arch::asm!("csrw 0x7e0, {one}", "csrw 0x7e1, {one}", one = in(reg) 1) };
}

#[cfg(target_arch = "riscv32")]
fn now() -> u32 {
    let cycles;
    // SAFETY: reads the register `mpccr`.
    unsafe { core::arch::asm!("csrr {cycles}, 0x7e2", cycles = out(reg) cycles) };
    cycles
}

#[cfg(all(target_arch = "arm", not(armv6m)))]
fn now() -> u32 {
    DWT::cycle_count()
}

#[cfg(not(armv6m))]
fn between(before: u32, after: u32) -> u32 {
    after.wrapping_sub(before)
}

#[cfg(armv6m)]
fn now() -> u32 {
    SYST::get_current()
}

/// It counts down.
#[cfg(armv6m)]
fn between(before: u32, after: u32) -> u32 {
    before.wrapping_sub(after) & 0x00ff_ffff
}

/// Ends the program: `probe-rs run` ends with this status. Without a probe that listens, the processor sleeps.
#[cfg(target_arch = "arm")]
pub fn exit(status: i32) -> ! {
    if DCB::is_debugger_attached() {
        semihosting::process::exit(status)
    }
    loop {
        cortex_m::asm::wfi();
    }
}

/// Ends the program: the processor sleeps.
#[cfg(target_arch = "riscv32")]
pub fn exit(_: i32) -> ! {
    loop {
        // SAFETY: waits for an interrupt, and changes nothing.
        unsafe { core::arch::asm!("wfi", options(nomem, nostack)) };
    }
}
