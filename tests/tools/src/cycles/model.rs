//! What an instruction of Thumb costs on a Cortex-M4 with its floating-point unit, in cycles.
//!
//! | instructions | cycles |
//! |:---|:---|
//! | VMLA, VMLS, VNMLA, VNMLS, VFMA, VFMS, VFNMA, VFNMS | 3 |
//! | VDIV, VSQRT | 14 |
//! | VMUL, VNMUL, VADD, VSUB, VABS, VNEG, VCMP, VCVT, VMRS, VMOV | 1; VMOV of two core registers 2 |
//! | LDR, STR, VLDR, VSTR, LDRD, STRD, LDM, STM, PUSH, POP, VLDM, VSTM, VPUSH, VPOP | 1, and 1 for each word |
//! | SDIV, UDIV | 12 |
//! | all others, among them the integer multiplications, IT, and a branch | 1 |
//!
//! To that come [`REFILL`] cycles whenever the next instruction is not the next one in memory: for a branch that is taken, a
//! call, a return, a jump by a table.
//!
//! And 1 more where an instruction takes the floating-point result of the one before, see `waits.rs`.
//!
//! The figures are those of the Cortex-M4 Technical Reference Manual, tables of instructions and of floating-point
//! instructions. Where it gives a range, these are the choices:
//!
//! - Neighbouring loads and stores do not overlap. Those of single words can, on the processor, and then take 1 cycle, not 2.
//! - A division takes the most, 12 of 2 to 12.
//! - A refill takes 2, of 1 to 3.
//! - IT takes 1. The processor can fold it into the instruction before.
//! - What an IT block skips costs as much as if it ran.
//!
//! And these take no time at all: wait states of the flash, other masters on the bus, interrupts. A division is taken to hold up
//! what follows it, though the processor can go on with instructions that are not of floating point. So it is a model, and no
//! measurement.

use crate::stack::thumb::is_long;

/// Cycles that a jump takes beyond its instruction, to fill the pipeline again.
pub const REFILL: u32 = 2;

/// What a class of instructions costs.
#[derive(Debug, Clone, Copy)]
enum Cost {
    /// So many cycles.
    Cycles(u32),
    /// 1, and 1 for each of these bits that is set: the list of core registers.
    Listed(u32),
    /// 1, and as many as the lowest byte says: the words of floating-point registers.
    Words,
}

use Cost::{Cycles, Listed, Words};

/// Classes: an instruction belongs to the first whose bits, under the mask, are its own. Halfwords stand in the order of
/// memory; those of 16 bits in the upper half. Encodings are those of the Armv7-M Architecture Reference Manual, chapters
/// A5 and A6.
const CLASSES: [(u32, u32, Cost); 24] = [
    // VMLA, VMLS, VNMLA, VNMLS; VFNMA, VFNMS; VFMA, VFMS.
    (0xffa0_0e10, 0xee00_0a00, Cycles(3)),
    (0xffb0_0e10, 0xee90_0a00, Cycles(3)),
    (0xffb0_0e10, 0xeea0_0a00, Cycles(3)),
    // VDIV; VSQRT.
    (0xffb0_0e10, 0xee80_0a00, Cycles(14)),
    (0xffbf_0ed0, 0xeeb1_0ac0, Cycles(14)),
    // VMOV of two core registers.
    (0xffe0_0e00, 0xec40_0a00, Cycles(2)),
    // VLDR and VSTR, of one word and of two.
    (0xff20_0f00, 0xed00_0a00, Cycles(2)),
    (0xff20_0f00, 0xed00_0b00, Cycles(3)),
    // VLDM, VSTM, VPUSH, VPOP.
    (0xfe00_0e00, 0xec00_0a00, Words),
    // LDM, STM, PUSH, POP, of 32 bits.
    (0xfe40_0000, 0xe800_0000, Listed(0xffff)),
    // LDRD and STRD, indexed before and after; what else is there: LDREX, STREX, TBB, TBH.
    (0xff40_0000, 0xe940_0000, Cycles(3)),
    (0xff60_0000, 0xe860_0000, Cycles(3)),
    (0xfe40_0000, 0xe840_0000, Cycles(2)),
    // LDR and STR of 32 bits, of all widths.
    (0xfe00_0000, 0xf800_0000, Cycles(2)),
    // SDIV, UDIV.
    (0xffd0_00f0, 0xfb90_00f0, Cycles(12)),
    // LDR and STR of 16 bits: literal; by register; by immediate, words and bytes; halfwords; by the stack pointer.
    (0xf800_0000, 0x4800_0000, Cycles(2)),
    (0xf000_0000, 0x5000_0000, Cycles(2)),
    (0xe000_0000, 0x6000_0000, Cycles(2)),
    (0xf000_0000, 0x8000_0000, Cycles(2)),
    (0xf000_0000, 0x9000_0000, Cycles(2)),
    // PUSH, POP; STM and LDM.
    (0xfe00_0000, 0xb400_0000, Listed(0x01ff_0000)),
    (0xfe00_0000, 0xbc00_0000, Listed(0x01ff_0000)),
    (0xf000_0000, 0xc000_0000, Listed(0x00ff_0000)),
    // All others.
    (0, 0, Cycles(1)),
];

/// Cycles of an instruction, without a refill. The second half is that of the next instruction where this one has none.
pub(super) fn cycles(first: u32, second: u32) -> u32 {
    let word = first << 16 | if is_long(first) { second } else { 0 };
    let class = CLASSES.iter().find(|(mask, bits, _)| word & mask == *bits);
    match class.map_or(Cycles(1), |(_, _, cost)| *cost) {
        Cycles(n) => n,
        Listed(registers) => 1 + (word & registers).count_ones(),
        Words => 1 + (word & 0xff),
    }
}

/// VFNMA, VFNMS; VFMA, VFMS: they multiply and add with one rounding, not two.
const FUSED: [(u32, u32); 2] = [(0xffb0_0e10, 0xee90_0a00), (0xffb0_0e10, 0xeea0_0a00)];

/// Whether an instruction multiplies and adds with one rounding. No program may: its bits would not be those of other processors.
pub(super) fn is_fused(first: u32, second: u32) -> bool {
    FUSED.iter().any(|(mask, bits)| (first << 16 | second) & mask == *bits)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All of these cost so much; as an assembler has written them.
    fn cost(n: u32, all: &[[u32; 2]]) {
        all.iter().for_each(|&[first, second]| assert_eq!(cycles(first, second), n, "{first:04x} {second:04x}"));
    }

    #[test]
    fn floating_point() {
        cost(
            3,
            &[
                [0xee00, 0x0a81], // vmla.f32 s0, s1, s2
                [0xee40, 0x0ac1], // vmls.f32 s1, s1, s2
                [0xee10, 0x0a81], // vnmls.f32 s0, s1, s2
                [0xeea0, 0x0a81], // vfma.f32 s0, s1, s2
                [0xee90, 0x0ac1], // vfnma.f32 s0, s1, s2
            ],
        );
        cost(14, &[[0xee80, 0x0a81], [0xeeb1, 0x0ae0]]); // vdiv.f32 s0, s1, s2; vsqrt.f32 s0, s1
        cost(
            1,
            &[
                [0xee20, 0x0a81], // vmul.f32 s0, s1, s2
                [0xee30, 0x0a81], // vadd.f32 s0, s1, s2
                [0xee30, 0x0ac1], // vsub.f32 s0, s1, s2
                [0xeeb0, 0x0ae0], // vabs.f32 s0, s1
                [0xeeb1, 0x0a60], // vneg.f32 s0, s1
                [0xeeb4, 0x0a60], // vcmp.f32 s0, s1
                [0xeeb8, 0x0a60], // vcvt.f32.u32 s0, s1
                [0xeeb0, 0x0a60], // vmov.f32 s0, s1
                [0xee00, 0x1a10], // vmov s0, r1
                [0xeef1, 0xfa10], // vmrs APSR_nzcv, fpscr
            ],
        );
        cost(2, &[[0xec41, 0x0b10]]); // vmov d0, r0, r1
    }

    #[test]
    fn one_rounding_is_seen() {
        assert!(is_fused(0xeea0, 0x0a81) && is_fused(0xee90, 0x0ac1)); // vfma.f32 s0, s1, s2; vfnma.f32 s0, s1, s2
        assert!(!is_fused(0xee00, 0x0a81) && !is_fused(0xee10, 0x0a81)); // vmla.f32 s0, s1, s2; vnmls.f32 s0, s1, s2
        assert!(!is_fused(0xee20, 0x0a81) && !is_fused(0xee30, 0x0a81)); // vmul.f32 s0, s1, s2; vadd.f32 s0, s1, s2
    }

    #[test]
    fn loads_and_stores() {
        cost(
            2,
            &[
                [0xed90, 0x0a01], // vldr s0, [r0, #4]
                [0xed80, 0x0a01], // vstr s0, [r0, #4]
                [0xf8d0, 0x8004], // ldr.w r8, [r0, #4]
                [0xf84d, 0xbd04], // str r11, [sp, #-4]!
                [0xe8df, 0xf001], // tbb [pc, r1]
                [0x4801, 0],      // ldr r0, [pc, #4]
                [0x5840, 0],      // ldr r0, [r0, r1]
                [0x6840, 0],      // ldr r0, [r0, #4]
                [0x7800, 0],      // ldrb r0, [r0]
                [0x8800, 0],      // ldrh r0, [r0]
                [0x9001, 0],      // str r0, [sp, #4]
            ],
        );
        cost(3, &[[0xed90, 0x0b02], [0xe9d0, 0x0102], [0xe8f0, 0x0102]]); // vldr d0; ldrd r0, r1, before and after
        cost(5, &[[0xecb0, 0x0a04], [0xec80, 0x0a04]]); // vldmia r0!, {s0-s3}; vstmia r0, {s0-s3}
        cost(9, &[[0xed2d, 0x8b08], [0xecbd, 0x8b08]]); // vpush and vpop {d8-d11}
        cost(6, &[[0xb5f0, 0], [0xbdf0, 0]]); // push {r4-r7, lr}; pop {r4-r7, pc}
        cost(5, &[[0xe92d, 0x0f00], [0xe8bd, 0x0f00], [0xe890, 0x000f]]); // push.w and pop.w {r8-r11}; ldm.w r0, {r0-r3}
        cost(4, &[[0xc00e, 0], [0xc80e, 0]]); // stm r0!, {r1-r3}; ldm
    }

    #[test]
    fn the_rest() {
        cost(12, &[[0xfb90, 0xf0f1], [0xfbb0, 0xf0f1]]); // sdiv and udiv r0, r0, r1
        cost(
            1,
            &[
                [0xfb00, 0xf001], // mul r0, r0, r1
                [0xfb00, 0x2011], // mls r0, r0, r1, r2
                [0xfba0, 0x0101], // umull r0, r1, r0, r1
                [0xf000, 0xf800], // bl
                [0xf1a0, 0x0001], // sub.w r0, r0, #1
                [0x4348, 0],      // muls r0, r1
                [0xbf08, 0],      // it eq
                [0xb082, 0],      // sub sp, #8
                [0x4770, 0],      // bx lr
                [0xd1fd, 0],      // bne
                [0xb108, 0],      // cbz
                [0xe7fe, 0],      // b
            ],
        );
        // What stands behind an instruction of 16 bits is not part of it.
        cost(2, &[[0xb401, 0xffff]]); // push {r0}
    }
}
