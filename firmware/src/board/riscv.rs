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
