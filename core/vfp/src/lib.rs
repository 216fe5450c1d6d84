//! The inner loops of [`lgl2o`](https://docs.rs/lgl2o)'s layers, and the square root, in assembly, for Arm's single-precision
//! floating-point unit (FPv4-SP and later) without an operating system: Cortex-M4F, M7, M33 and M55. The same code builds for Cortex-R, in
//! Arm state. On targets that do not end in `none-eabihf` this crate is empty.
//!
//! The compiler keeps sixteen sums in registers, but it loads their factors one by one, and keeps the addresses of rows in memory. Here
//! the addresses stay in registers, or are loaded four at a time, and one `vldm` loads the numbers that follow each other where a tile needs
//! them together. Products are rounded, then added: `vmul`, then `vadd`, four products before the additions that take them, since a Cortex-M4 waits for the result of the instruction before. So
//! bits are those of one number after the other, in the order that each function states.
//!
//! With the feature `vmla`, one instruction multiplies and adds, and still rounds twice. LLVM chooses it for a Cortex-M7, and two
//! instructions for the M4, the M33 and the M55; by Arm's manual, `vmla` takes 3 cycles on the M4.
//!
//! Every function is safe to call. If a slice is too short, it writes nothing, but for `add_scaled`, which takes what both have; its
//! documentation says what it returns then.

#![no_std]
#![cfg(all(target_arch = "arm", target_abi = "eabihf", target_os = "none"))]

mod dots;
mod gradient;
mod products;
mod root;
mod scaled;
mod tile;

pub use dots::dots;
pub use gradient::add_examples;
pub use products::products;
pub use root::sqrt;
pub use scaled::add_scaled;
pub use tile::dots_of_tile;

/// Rows, and columns, of a tile.
pub const SIDE: usize = 4;
/// Partial sums of a dot product: number i of a row belongs to sum i mod 8.
pub const LANES: usize = 8;
/// A number for each pair of one of four rows and one of four others.
pub type Tile = [[f32; SIDE]; SIDE];

/// Whether a product and its addition are one instruction.
const VMLA: u32 = cfg!(feature = "vmla") as u32;

/// `asm!` that may change the registers in brackets; "all" are those of the floating-point unit.
macro_rules! assembly {
    (["all" $($more:tt)*] $($body:tt)*) => {
        assembly!([$($more)* "s0" "s1" "s2" "s3" "s4" "s5" "s6" "s7" "s8" "s9" "s10" "s11" "s12" "s13" "s14" "s15" "s16" "s17" "s18" "s19" "s20"
            "s21" "s22" "s23" "s24" "s25" "s26" "s27" "s28" "s29" "s30" "s31"] $($body)*)
    };
    ([$($free:tt)*] $($body:tt)*) => {
        core::arch::asm!($($body)* $(out($free) _,)* options(nostack))
    };
}
use assembly;
