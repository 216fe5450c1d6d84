//! A multiple of one row, added to another.

use super::{VMLA, assembly};

/// y\[i\] <- y\[i\] + a x\[i\] for each i that both have.
///
/// 6 cycles for each number on a Cortex-M4F.
#[inline(never)]
pub fn add_scaled(y: &mut [f32], a: f32, x: &[f32]) {
    let n = y.len().min(x.len());
    // SAFETY: reads n numbers of both, which both have, n / 8 blocks of eight and what is left of n, and writes as many to y.
    unsafe {
        assembly!(["s0" "s1" "s2" "s3" "s4" "s5" "s6" "s7" "s8" "s9" "s10" "s11" "s12" "s13" "s14" "s15" "s16"]
            "vmov s16, {a}",
            "subs {n}, {n}, #8",
            "blo 3f",
            "2:",
            "vldmia {x}!, {{s0-s7}}",
            "vldmia {y}, {{s8-s15}}",
            ".if {vmla}",
            "vmla.f32 s8, s0, s16",
            "vmla.f32 s9, s1, s16",
            "vmla.f32 s10, s2, s16",
            "vmla.f32 s11, s3, s16",
            "vmla.f32 s12, s4, s16",
            "vmla.f32 s13, s5, s16",
            "vmla.f32 s14, s6, s16",
            "vmla.f32 s15, s7, s16",
            ".else",
            ".irp s, 0, 1, 2, 3, 4, 5, 6, 7\nvmul.f32 s\\s, s\\s, s16\n.endr",
            "vadd.f32 s8, s8, s0",
            "vadd.f32 s9, s9, s1",
            "vadd.f32 s10, s10, s2",
            "vadd.f32 s11, s11, s3",
            "vadd.f32 s12, s12, s4",
            "vadd.f32 s13, s13, s5",
            "vadd.f32 s14, s14, s6",
            "vadd.f32 s15, s15, s7",
            ".endif",
            "subs {n}, {n}, #8",
            "vstmia {y}!, {{s8-s15}}",
            "bhs 2b",
            "3:",
            "adds {n}, {n}, #8",
            "beq 5f",
            "4:",
            "vldmia {x}!, {{s0}}",
            "vldr s8, [{y}]",
            "vmul.f32 s0, s0, s16",
            "subs {n}, {n}, #1",
            "vadd.f32 s8, s8, s0",
            "vstmia {y}!, {{s8}}",
            "bne 4b",
            "5:",
            a = in(reg) a.to_bits(),
            x = inout(reg) x.as_ptr() => _,
            y = inout(reg) y.as_mut_ptr() => _,
            n = inout(reg) n => _,
            vmla = const VMLA,
        );
    }
}
