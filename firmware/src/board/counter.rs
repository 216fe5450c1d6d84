//! Counting instructions. QEMU has no model of time, but with `-icount shift=0` every instruction takes one virtual
//! nanosecond, by which the board's clock runs. How many of its ticks that is, a loop of known length tells; so nothing
//! depends on the clock's rate.

use lgl2o_device::cost::Counter;

#[cfg(target_arch = "arm")]
use super::cortex_m as arch;
#[cfg(target_arch = "riscv32")]
use super::riscv as arch;

/// Length of the loop, in instructions.
const LOOP: u32 = 4_000_000;

/// Counts instructions.
pub struct Meter {
    /// Ticks that counting nothing takes.
    nothing: u32,
    /// Ticks that the loop takes beyond that.
    ticks: u32,
    /// What the clock showed at the last lap, and ticks of all laps.
    last: u32,
    laps: u64,
}

impl Meter {
    /// What is counted.
    pub const UNIT: &str = "instructions";

    /// Starts the board's clock and learns its rate.
    pub fn start() -> Self {
        arch::start_clock();
        let nothing = arch::elapsed(|| arch::spin(1));
        let ticks = arch::elapsed(|| arch::spin(1 + LOOP / 2)).wrapping_sub(nothing);
        // A clock that stands still would make every figure infinite.
        Self { nothing, ticks: if ticks > 0 { ticks } else { 1 }, last: arch::now(), laps: 0 }
    }

    /// Counts what has come since the last lap; less than half a billion instructions, or the clock has gone round.
    #[inline(never)]
    pub fn lap(&mut self) {
        self.laps += u64::from(arch::since(self.last));
        self.last = arch::now();
    }

    /// Does not count what has come since the last lap.
    pub fn skip(&mut self) {
        self.last = arch::now();
    }

    /// Instructions of all laps.
    pub fn total(&self) -> u64 {
        (u128::from(self.laps) * u128::from(LOOP) / u128::from(self.ticks)) as u64
    }
}

impl Counter for Meter {
    // Never inlined, so that a trace of the program shows where work begins and ends.
    #[inline(never)]
    fn count(&mut self, work: &mut dyn FnMut()) -> u32 {
        let ticks = arch::elapsed(work).saturating_sub(self.nothing);
        (u64::from(ticks) * u64::from(LOOP) / u64::from(self.ticks)) as u32
    }
}
