//! Which registers a floating-point instruction writes and reads, and so whether the next one has to wait for its result.
//!
//! The Cortex-M4 Technical Reference Manual, below its table of floating-point instructions: an arithmetic instruction (add,
//! subtract, multiply, divide, square root, multiply-accumulate, conversion) takes one cycle longer if the next instruction
//! consumes its result; a multiply-accumulate consumes its addend one cycle later, and does not wait for that.
//! Encodings are those of the Armv7-M Architecture Reference Manual, chapter A6.

/// The register S number `field`, whose last bit stands elsewhere.
const fn register(word: u32, field: u32, last: u32) -> u32 {
    (word >> field & 0xf) << 1 | word >> last & 1
}

const fn destination(word: u32) -> u32 {
    register(word, 12, 22)
}

const fn first_operand(word: u32) -> u32 {
    register(word, 16, 7)
}

const fn second_operand(word: u32) -> u32 {
    register(word, 0, 5)
}

/// What an instruction of the floating-point unit is, as far as waiting goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// VMUL, VNMUL, VADD, VSUB, VDIV, and all that multiply and accumulate: two operands, and a result.
    Two,
    /// VSQRT, VCVT: one operand, and a result.
    One,
    /// VABS, VNEG, VMOV: one operand; the result is no arithmetic one.
    Move,
    /// VCMP of two registers.
    Compare,
    /// VCMP with zero.
    CompareZero,
    /// VMOV of a constant.
    Constant,
}

/// The kind of a data-processing instruction on single precision.
fn kind(word: u32) -> Option<Kind> {
    if word & 0xff00_0f10 != 0xee00_0a00 {
        return None;
    }
    if word & 0x00b0_0000 != 0x00b0_0000 {
        return Some(Kind::Two);
    }
    let (other, high) = (word >> 16 & 0xf, word & 0x80 != 0);
    Some(match (word & 0x40 != 0, other) {
        (false, _) => Kind::Constant,
        (true, 0) => Kind::Move,
        (true, 1) if high => Kind::One,
        (true, 1) => Kind::Move,
        (true, 4) => Kind::Compare,
        (true, 5) => Kind::CompareZero,
        (true, _) => Kind::One,
    })
}

/// The register that the result of an arithmetic instruction is in.
fn result(word: u32) -> Option<u32> {
    matches!(kind(word)?, Kind::Two | Kind::One).then(|| destination(word))
}

/// Whether an instruction reads a register at once.
fn reads(word: u32, s: u32) -> bool {
    let (d, n, m) = (destination(word), first_operand(word), second_operand(word));
    match kind(word) {
        Some(Kind::Two) => [n, m].contains(&s),
        Some(Kind::One | Kind::Move) => m == s,
        Some(Kind::Compare) => [d, m].contains(&s),
        Some(Kind::CompareZero) => d == s,
        Some(Kind::Constant) => false,
        None => stored(word).contains(&s) || word & 0xfff0_0f7f == 0xee10_0a10 && n == s,
    }
}

/// The registers that VSTR, VSTM, VPUSH, or VMOV to two core registers takes, of single or of double precision.
fn stored(word: u32) -> std::ops::Range<u32> {
    let double = word & 0xf00 == 0xb00;
    let first = if double { (word >> 22 & 1) << 5 | (word >> 12 & 0xf) << 1 } else { destination(word) };
    let of = |first: u32, words: u32| first..first + words;
    match word & 0xfff0_0e00 {
        0xec50_0a00 if double => of((word >> 5 & 1) << 5 | (word & 0xf) << 1, 2),
        0xec50_0a00 => of(second_operand(word), 2),
        // The same to floating-point registers.
        0xec40_0a00 => 0..0,
        _ if word & 0xff30_0e00 == 0xed00_0a00 => of(first, if double { 2 } else { 1 }),
        _ if word & 0xfe10_0e00 == 0xec00_0a00 => of(first, word & 0xff),
        _ => 0..0,
    }
}

/// Whether `next`, the instruction behind `word`, waits a cycle for its result.
pub(super) fn waits(word: u32, next: u32) -> bool {
    result(word).is_some_and(|s| reads(next, s))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MUL: u32 = 0xee20_0a81; // vmul.f32 s0, s1, s2

    #[test]
    fn who_takes_the_result_at_once_waits() {
        for next in [
            0xee30_1a80, // vadd.f32 s2, s1, s0
            0xee30_1a20, // vadd.f32 s2, s0, s1
            0xeeb0_1ac0, // vabs.f32 s2, s0
            0xeebc_1ac0, // vcvt.u32.f32 s2, s0
            0xeeb4_0a60, // vcmp.f32 s0, s1
            0xeeb5_0a40, // vcmp.f32 s0, #0
            0xed80_0a01, // vstr s0, [r0, #4]
            0xec80_0a04, // vstmia r0, {s0-s3}
            0xed80_0b02, // vstr d0, [r0, #8]
            0xed2d_0b08, // vpush {d0-d3}
            0xee10_1a10, // vmov r1, s0
            0xec51_0b10, // vmov r0, r1, d0
        ] {
            assert!(waits(MUL, next), "{next:08x}");
        }
    }

    #[test]
    fn nobody_else_does() {
        for next in [
            0xee31_0aa0, // vadd.f32 s0, s3, s1
            0xee00_0aa0, // vmla.f32 s0, s1, s1: its addend comes later
            0xed90_0a01, // vldr s0, [r0, #4]
            0xec90_0a04, // vldmia r0, {s0-s3}
            0xedc0_0a01, // vstr s1, [r0, #4]
            0xee00_1a10, // vmov s0, r1
            0xeeb7_0a00, // vmov.f32 s0, #1.0
            0xec41_0b10, // vmov d0, r0, r1
            0xed2d_8b08, // vpush {d8-d11}
            0xeef1_fa10, // vmrs APSR_nzcv, fpscr
            0x4281_0000, // cmp r1, r0
        ] {
            assert!(!waits(MUL, next), "{next:08x}");
        }
        // What is loaded or moved is there.
        for first in [0xed90_0a01, 0xeeb0_0a60, 0xeeb1_0a60, 0xee00_1a10] {
            assert!(!waits(first, 0xee30_1a80), "{first:08x}");
        }
    }

    #[test]
    fn odd_registers_are_told_from_even_ones() {
        let odd = 0xee60_0a81; // vmul.f32 s1, s1, s2
        assert!(waits(odd, 0xee31_0aa0) && waits(odd, 0xee31_1a20)); // vadd s0, s3, s1; vadd.f32 s2, s2, s1
        assert!(!waits(odd, 0xee31_1a00)); // vadd.f32 s2, s2, s0
    }
}
