//! The square root by the processor's own instruction, which safe Rust cannot name without the standard library.

/// The square root of x, rounded to the nearest number as IEEE 754 requires: NaN for a negative number, -0.0 for -0.0. It takes 14 cycles
/// on a Cortex-M4F, and some 4 to move the number.
#[inline(always)]
#[must_use]
pub fn sqrt(x: f32) -> f32 {
    let bits: u32;
    // SAFETY: uses no memory and no register but those named.
    unsafe {
        core::arch::asm!(
            "vmov s0, {bits}",
            "vsqrt.f32 s0, s0",
            "vmov {bits}, s0",
            bits = inout(reg) x.to_bits() => bits,
            out("s0") _,
            options(pure, nomem, nostack)
        );
    }
    f32::from_bits(bits)
}
