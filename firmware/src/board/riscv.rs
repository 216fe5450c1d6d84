//! What RISC-V boards have in common.

// Its critical section is asked for by the linker.
use riscv as _;

/// A fault ends the program; it would stand still otherwise.
#[riscv_rt::exception(riscv::interrupt::Exception::IllegalInstruction)]
fn illegal_instruction() -> ! {
    defmt::error!("illegal instruction at {=usize:#x}", riscv::register::mepc::read());
    super::exit(super::FAULTED)
}
