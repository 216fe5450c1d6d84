//! Eight running sums of products with one factor each.

use super::{VMLA, assembly};

/// sums\[k\] <- sums\[k\] + e\[i\] w_i\[k\] for every number i of `e`, in their order, where w_i is the first eight numbers of row i of `w`; rows begin
/// `step` numbers apart. Returns whether there is a number and so many rows; if not, the sums stay as they are.
///
/// 4 cycles for each product on a Cortex-M4F.
#[inline(never)]
#[must_use]
pub fn products(sums: &mut [f32; 8], e: &[f32], w: &[f32], step: usize) -> bool {
    let numbers = e.len().checked_sub(1).and_then(|last| last.checked_mul(step)).and_then(|first| first.checked_add(8));
    if numbers.is_none_or(|numbers| numbers > w.len()) {
        return false;
    }
    // SAFETY: reads all of e, and eight numbers of as many rows of w, the last of which is there, and reads and writes the eight sums. The
    // step in bytes is that within a slice if there are two rows; else nothing is read behind it.
    unsafe {
        assembly!(["s0" "s1" "s2" "s3" "s4" "s5" "s6" "s7" "s8" "s9" "s10" "s11" "s12" "s13" "s14" "s15" "s16"]
            "vldmia {sums}, {{s0-s7}}",
            "2:",
            "vldmia {e}!, {{s16}}",
            "vldmia {w}, {{s8-s15}}",
            "add {w}, {w}, {step}",
            ".if {vmla}",
            "vmla.f32 s0, s8, s16",
            "vmla.f32 s1, s9, s16",
            "vmla.f32 s2, s10, s16",
            "vmla.f32 s3, s11, s16",
            "vmla.f32 s4, s12, s16",
            "vmla.f32 s5, s13, s16",
            "vmla.f32 s6, s14, s16",
            "vmla.f32 s7, s15, s16",
            ".else",
            "vmul.f32 s8, s8, s16",
            "vmul.f32 s9, s9, s16",
            "vmul.f32 s10, s10, s16",
            "vmul.f32 s11, s11, s16",
            "vmul.f32 s12, s12, s16",
            "vmul.f32 s13, s13, s16",
            "vmul.f32 s14, s14, s16",
            "vmul.f32 s15, s15, s16",
            "vadd.f32 s0, s0, s8",
            "vadd.f32 s1, s1, s9",
            "vadd.f32 s2, s2, s10",
            "vadd.f32 s3, s3, s11",
            "vadd.f32 s4, s4, s12",
            "vadd.f32 s5, s5, s13",
            "vadd.f32 s6, s6, s14",
            "vadd.f32 s7, s7, s15",
            ".endif",
            "subs {n}, {n}, #1",
            "bne 2b",
            "vstmia {sums}, {{s0-s7}}",
            e = inout(reg) e.as_ptr() => _,
            w = inout(reg) w.as_ptr() => _,
            n = inout(reg) e.len() => _,
            step = in(reg) step.wrapping_mul(4),
            sums = in(reg) sums.as_mut_ptr(),
            vmla = const VMLA,
        );
    }
    true
}
