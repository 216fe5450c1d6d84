//! Which loads and stores take less, since they overlap with the load before, and which have to wait for their address.
//!
//! Arm's description of the load and store timings of this processor (Technical Reference Manual, "Load/store timings"; Texas Instruments
//! has the same text in the manual of its CC13x2 and CC26x2, SWCU185):
//!
//! - If the instruction behind an LDR is an LDR or STR whose address does not depend on what the first one loads, the second one takes a
//!   cycle less. More than two can follow each other so. It holds for loads and stores of one word or less.
//! - A load or store whose address is the result of the data processing right before it waits a cycle.
//!
//! The manual does not say that VLDR and VSTR of a single number are such a load and store. The GNU compiler's description of the processor
//! (`cortex-m4-fpu.md`) has it so for VLDR, and the model follows it.

use crate::stack::thumb::is_long;

/// A load or store of one word or less.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Access {
    /// The core register that is written, if one is.
    loads: Option<u32>,
    /// Whether memory is read.
    is_load: bool,
    /// Core registers that the address is made of; the same one twice if it is one.
    address: [u32; 2],
}

/// The four bits of a word from one on.
fn four(word: u32, low: u32) -> u32 {
    word >> low & 0xf
}

/// The three bits of the halfword from one on.
fn three(word: u32, low: u32) -> u32 {
    word >> (16 + low) & 7
}

/// An instruction, its first halfword in the upper half, as a load or store of one word or less, if it is one.
fn access(word: u32) -> Option<Access> {
    let of = |is_load: bool, register: u32, address: [u32; 2]| {
        Some(Access { loads: is_load.then_some(register), is_load, address })
    };
    if is_long(word >> 16) {
        let (is_load, base) = (word >> 20 & 1 != 0, four(word, 16));
        // VLDR, VSTR.
        if word & 0xff20_0f00 == 0xed00_0a00 {
            return Some(Access { loads: None, is_load, address: [base; 2] });
        }
        if word & 0xfe00_0000 != 0xf800_0000 {
            return None;
        }
        let by_register = word & 0x0080_0fc0 == 0 && base != 15;
        return of(is_load, four(word, 12), [base, if by_register { four(word, 0) } else { base }]);
    }
    let is_load = word >> 27 & 1 != 0;
    match word >> 28 {
        4 if is_load => of(true, three(word, 8), [15; 2]),
        5 => of(three(word, 9) >= 3, three(word, 0), [three(word, 3), three(word, 6)]),
        6..=8 => of(is_load, three(word, 0), [three(word, 3); 2]),
        9 => of(is_load, three(word, 8), [13; 2]),
        _ => None,
    }
}

/// The core registers that data processing writes, the same one twice if it is one.
fn processed(word: u32) -> Option<[u32; 2]> {
    if is_long(word >> 16) {
        return match word >> 24 {
            // Long products.
            0xfb if word & 0x0080_0000 != 0 => Some([four(word, 12), four(word, 8)]),
            0xea | 0xeb | 0xfa | 0xfb => Some([four(word, 8); 2]),
            0xf0..=0xf7 if word & 0x8000 == 0 => Some([four(word, 8); 2]),
            _ => None,
        };
    }
    let (low, operation) = ([three(word, 0); 2], word >> 22 & 0xf);
    match word >> 26 {
        0..=7 => Some(low),
        // Comparisons of a register and a number.
        10 | 11 => None,
        8..=15 => Some([three(word, 8); 2]),
        // TST, CMP, CMN.
        16 if [8, 10, 11].contains(&operation) => None,
        16 => Some(low),
        // ADD, MOV of all registers.
        17 if operation < 4 || (8..12).contains(&operation) => Some([word >> 20 & 8 | three(word, 0); 2]),
        40..=43 => Some([three(word, 8); 2]),
        // ADD and SUB of the stack pointer; extensions; REV.
        44 if word >> 24 == 0xb0 => Some([13; 2]),
        44 if word >> 24 == 0xb2 => Some(low),
        46 if word >> 24 == 0xba => Some(low),
        _ => None,
    }
}

/// Whether `word` is a load or store that overlaps with the load `before`.
pub(super) fn overlaps(before: u32, word: u32) -> bool {
    let (Some(before), Some(word)) = (access(before), access(word)) else { return false };
    before.is_load && !before.loads.is_some_and(|register| word.address.contains(&register))
}

/// Whether `word` is a load or store that waits for its address, the result of `before`.
pub(super) fn stalls(before: u32, word: u32) -> bool {
    let (Some(results), Some(word)) = (processed(before), access(word)) else { return false };
    results.iter().any(|register| word.address.contains(register))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LDR: u32 = 0x6808_0000; // ldr r0, [r1]

    #[test]
    fn loads_and_stores_behind_a_load_overlap() {
        for next in [
            0x6811_0000, // ldr r1, [r2]
            0x6158_0000, // str r0, [r3, #20]
            0x5099_0000, // str r1, [r3, r2]
            0x7811_0000, // ldrb r1, [r2]
            0x8811_0000, // ldrh r1, [r2]
            0x4901_0000, // ldr r1, [pc, #4]
            0x9901_0000, // ldr r1, [sp, #4]
            0xf8d2_1004, // ldr.w r1, [r2, #4]
            0xf852_1022, // ldr.w r1, [r2, r2, lsl #2]
            0xed92_0a01, // vldr s0, [r2, #4]
            0xed82_0a01, // vstr s0, [r2, #4]
        ] {
            assert!(overlaps(LDR, next) && !stalls(LDR, next), "{next:08x}");
        }
        // Behind VLDR, whose number is in no address.
        assert!(overlaps(0xed90_0a01, LDR) && overlaps(0xed90_0a01, 0xed90_1a02));
    }

    #[test]
    fn an_address_that_was_just_loaded_does_not() {
        for next in [
            0x6801_0000, // ldr r1, [r0]
            0x5810_0000, // ldr r0, [r2, r0]
            0x6001_0000, // str r1, [r0]
            0xf8d0_1004, // ldr.w r1, [r0, #4]
            0xf852_1020, // ldr.w r1, [r2, r0, lsl #2]
            0xed90_0a01, // vldr s0, [r0, #4]
        ] {
            assert!(!overlaps(LDR, next), "{next:08x}");
        }
    }

    #[test]
    fn nothing_else_does() {
        // Of several words: ldrd, ldm, vldm, pop, vldr of two; and what does no access.
        for other in
            [0xe9d2_1302, 0xc90c_0000, 0xecb2_0a04, 0xbc06_0000, 0xed92_0b02, 0x1c49_0000, 0xee30_0a81, 0x4770_0000]
        {
            assert!(!overlaps(LDR, other) && !overlaps(other, LDR), "{other:08x}");
        }
        // Behind a store: str r0, [r1]; vstr s0, [r1].
        assert!(!overlaps(0x6008_0000, LDR) && !overlaps(0xed81_0a00, LDR));
    }

    #[test]
    fn an_address_that_was_just_computed_is_waited_for() {
        for before in [
            0x1c49_0000, // adds r1, r1, #1
            0x3104_0000, // adds r1, #4
            0x2104_0000, // movs r1, #4
            0x4011_0000, // ands r1, r2
            0x4411_0000, // add r1, r2
            0x4611_0000, // mov r1, r2
            0xa901_0000, // add r1, sp, #4
            0xb291_0000, // uxth r1, r2
            0xf101_0104, // add.w r1, r1, #4
            0xeb01_0182, // add.w r1, r1, r2, lsl #2
            0xfa01_f102, // lsl.w r1, r1, r2
            0xfb01_f102, // mul r1, r1, r2
            0xfba2_1304, // umull r1, r3, r2, r4
            0xfba2_3104, // umull r3, r1, r2, r4
        ] {
            assert!(stalls(before, LDR), "{before:08x}");
            assert!(stalls(before, 0xed91_0a00) && !stalls(before, 0xed92_0a00), "{before:08x}");
        }
        assert!(stalls(0xb082_0000, 0x9901_0000)); // sub sp, #8; ldr r1, [sp, #4]
        assert!(stalls(0x4489_0000, 0xf8d9_1004)); // add r9, r1; ldr.w r1, [r9, #4]
        for before in [
            0x2901_0000, // cmp r1, #1
            0x4291_0000, // cmp r1, r2
            0x4591_0000, // cmp r9, r2
            0x4211_0000, // tst r1, r2
            0xf1b1_0f04, // cmp.w r1, #4
            0x4708_0000, // bx r1
            0xd1fd_0000, // bne
            0xf000_f801, // bl
            0xee11_1a10, // vmov r1, s2
            0xbf08_0000, // it eq
        ] {
            assert!(!stalls(before, LDR), "{before:08x}");
        }
    }
}
