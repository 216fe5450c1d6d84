//! Eight running sums of products with one factor each.

use super::{VMLA, assembly};

/// sums\[k\] <- sums\[k\] + e_i w_i\[k\] for every i below n, in their order: e_i are numbers of `e` that are `steps[0]` apart, w_i the
/// first eight numbers of rows of `w` that begin `steps[1]` numbers apart. If there are not so many, the sums stay as they are.
///
/// 4.1 cycles for each product on a Cortex-M4F.
#[inline(never)]
pub fn products(sums: &mut [f32; 8], [e, w]: [&[f32]; 2], steps: [usize; 2], n: usize) {
    let reaches = |numbers: &[f32], step: usize, wide: usize| {
        let last = n.checked_sub(1)?.checked_mul(step)?.checked_add(wide)?;
        (last <= numbers.len()).then_some(())
    };
    if reaches(e, steps[0], 1).is_none() || reaches(w, steps[1], 8).is_none() {
        return;
    }
    // SAFETY: reads n numbers of e and n times eight of w, whose last ones are there, and reads and writes the eight sums. Steps in bytes
    // are those within a slice if n is above 1; else they are not used to read.
    unsafe {
        assembly!(["s0" "s1" "s2" "s3" "s4" "s5" "s6" "s7" "s8" "s9" "s10" "s11" "s12" "s13" "s14" "s15" "s16"]
            "vldmia {sums}, {{s0-s7}}",
            "2:",
            "vldr s16, [{e}]",
            "vldmia {w}, {{s8-s15}}",
            "add {e}, {e}, {e_step}",
            "add {w}, {w}, {w_step}",
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
            n = inout(reg) n => _,
            e_step = in(reg) steps[0].wrapping_mul(4),
            w_step = in(reg) steps[1].wrapping_mul(4),
            sums = in(reg) sums.as_mut_ptr(),
            vmla = const VMLA,
        );
    }
}
