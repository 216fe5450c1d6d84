//! What RISC-V boards have in common.

// Its critical section is asked for by the linker.
use riscv as _;

use super::register::Registers;

/// A fault ends the program; it would stand still otherwise.
#[riscv_rt::exception(riscv::interrupt::Exception::IllegalInstruction)]
fn illegal_instruction() -> ! {
    defmt::error!("illegal instruction at {=usize:#x}", riscv::register::mepc::read());
    super::exit(super::FAULTED)
}

/// Resets the processor and everything on the board, as the button does.
pub fn reset() -> ! {
    // SAFETY: the test device of QEMU's `virt` (its memory map); nobody else uses it, and this number resets the machine.
    unsafe { Registers::<u32, 1>::at(0x10_0000) }.write::<0>(0x7777);
    loop {
        core::hint::spin_loop();
    }
}

/// Starts the clock that [`elapsed`] reads. The processor's own counter of instructions always runs.
pub(super) fn start_clock() {}

/// Instructions that the work takes.
pub(super) fn elapsed(work: impl FnOnce()) -> u32 {
    let before = now();
    work();
    since(before)
}

/// The counter's lower half.
pub(super) fn now() -> u32 {
    riscv::register::minstret::read() as u32
}

/// Instructions since it showed this.
pub(super) fn since(before: u32) -> u32 {
    now().wrapping_sub(before)
}

/// Executes 2 n instructions, and some.
#[inline(never)]
pub(super) fn spin(n: u32) {
    // SAFETY: changes nothing but its own register.
    unsafe { core::arch::asm!("2: addi {0}, {0}, -1", "bnez {0}, 2b", inout(reg) n => _, options(nomem, nostack)) };
}
