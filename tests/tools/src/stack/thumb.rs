//! As much of Thumb code, of v6-M and v7E-M, as says where it goes and what it takes off the stack pointer.
//!
//! Encodings and their names (T1 to T4) are those of the Armv7-M Architecture Reference Manual, chapter A7.

use std::ops::Range;

const SP: u32 = 13;
const LR: u32 = 14;
const PC: u32 = 15;

/// What an instruction does, if it matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flow {
    /// Calls a function.
    Call(u32),
    /// Goes to an address and does not come back.
    Jump(u32),
    /// Goes to where a table says: of addresses, or of distances.
    Table {
        /// Whether it holds addresses.
        absolute: bool,
    },
    /// Goes, or calls, to where only a register or the memory says.
    Indirect,
    /// Takes bytes off the stack pointer.
    Push(u32),
    /// Makes a stack pointer by a register, which may take off anything.
    Computed,
}

/// The bytes of a section.
#[derive(Debug, Clone, Copy)]
pub(super) struct Code<'a> {
    pub(super) bytes: &'a [u8],
    /// The address of the first.
    pub(super) start: u32,
    /// Where data begins (`true`) and where code does, in order.
    pub(super) data: &'a [(u32, bool)],
}

impl Code<'_> {
    /// Behind the last byte.
    pub(super) fn end(&self) -> u32 {
        self.start.saturating_add(self.bytes.len() as u32)
    }

    fn is_data(&self, at: u32) -> bool {
        let marks = self.data.partition_point(|&(start, _)| start <= at);
        marks.checked_sub(1).is_some_and(|last| self.data[last].1)
    }

    fn half(&self, at: u32) -> Option<u32> {
        let from = at.checked_sub(self.start)? as usize;
        let bytes = self.bytes.get(from..from + 2)?;
        Some(u32::from(u16::from_le_bytes([bytes[0], bytes[1]])))
    }

    /// All that matters in a range, with addresses.
    pub(super) fn flows(&self, range: &Range<u32>) -> Vec<(u32, Flow)> {
        let (mut flows, mut at) = (Vec::new(), range.start);
        while at < range.end {
            let Some(first) = self.half(at) else { break };
            let long = !self.is_data(at) && is_long(first);
            if !self.is_data(at) {
                let second = if long { self.half(at + 2).unwrap_or(0) } else { 0 };
                let flow = if long { wide(at, first, second) } else { narrow(at, first) };
                flows.extend(flow.map(|flow| (at, flow)));
            }
            at += if long { 4 } else { 2 };
        }
        flows
    }

    /// Whether the table of a jump at `at` stands right behind it, and leads into the function, as far as that can be seen.
    pub(super) fn has_table(&self, function: &Range<u32>, at: u32, flow: Flow) -> bool {
        let Flow::Table { absolute } = flow else { return false };
        let behind = at + if self.half(at).is_some_and(is_long) { 4 } else { 2 };
        let table = if self.is_data(behind) { behind } else { behind.next_multiple_of(4) };
        let address = || Some(self.half(table)? | self.half(table + 2)? << 16);
        let inside = || address().is_some_and(|to| to & 1 == 1 && function.contains(&(to & !1)));
        self.is_data(table) && (!absolute || inside())
    }
}

/// Whether an instruction that begins with this halfword has a second.
pub(crate) fn is_long(first: u32) -> bool {
    first >> 11 >= 0b11101
}

/// The bits `low` to `low + count - 1`.
fn bits(word: u32, low: u32, count: u32) -> u32 {
    word >> low & ((1 << count) - 1)
}

/// `base + offset`, a number with sign of so many bits.
fn offset(base: u32, value: u32, count: u32) -> u32 {
    let unused = 32 - count;
    base.wrapping_add(((value << unused) as i32 >> unused) as u32)
}

/// An instruction of 16 bits.
fn narrow(at: u32, code: u32) -> Option<Flow> {
    let (target, source) = (bits(code, 0, 3) | bits(code, 7, 1) << 3, bits(code, 3, 4));
    match code {
        // PUSH T1: registers, and LR.
        _ if code & 0xfe00 == 0xb400 => Some(Flow::Push(4 * bits(code, 0, 9).count_ones())),
        // SUB SP, #imm T1.
        _ if code & 0xff80 == 0xb080 => Some(Flow::Push(4 * bits(code, 0, 7))),
        // B T1, but for UDF and SVC; B T2.
        _ if code & 0xf000 == 0xd000 && bits(code, 8, 4) < 14 => Some(Flow::Jump(offset(at + 4, code << 1, 9))),
        _ if code & 0xf800 == 0xe000 => Some(Flow::Jump(offset(at + 4, code << 1, 12))),
        // BX T1 to LR is a return; any other, and BLX T1, is not.
        _ if code & 0xff00 == 0x4700 => (code & 0x80 != 0 || source != LR).then_some(Flow::Indirect),
        // ADD T2 and MOV T1 of high registers.
        _ if code & 0xff00 == 0x4400 && target == PC => Some(Flow::Table { absolute: false }),
        _ if code & 0xff00 == 0x4600 && target == PC => (source != LR).then_some(Flow::Table { absolute: true }),
        _ if matches!(code & 0xff00, 0x4400 | 0x4600) && target == SP => Some(Flow::Computed),
        _ => None,
    }
}

/// An instruction of 32 bits.
fn wide(at: u32, first: u32, second: u32) -> Option<Flow> {
    match first {
        _ if first & 0xf800 == 0xf000 && second & 0x8000 != 0 => branch(at, first, second),
        // PUSH T2 (STMDB SP!), PUSH T3 (STR to [SP, #-imm]!), STRD to [SP, #-imm]!, VPUSH.
        0xe92d => Some(Flow::Push(4 * second.count_ones())),
        0xf84d if bits(second, 8, 4) == 0b1101 => Some(Flow::Push(bits(second, 0, 8))),
        0xe96d => Some(Flow::Push(4 * bits(second, 0, 8))),
        _ if first & 0xffbf == 0xed2d && matches!(bits(second, 8, 4), 10 | 11) => {
            Some(Flow::Push(4 * bits(second, 0, 8)))
        }
        // LDR, and LDM, of the PC are a return if they pop, else a jump.
        _ if first & 0xff70 == 0xf850 && second >> 12 == PC => {
            ((first, second) != (0xf85d, 0xfb04)).then_some(Flow::Indirect)
        }
        _ if matches!(first & 0xffd0, 0xe890 | 0xe910) && second & 0x8000 != 0 => {
            (first != 0xe8bd).then_some(Flow::Indirect)
        }
        // TBB, TBH: only with the PC as base does the table stand right behind.
        _ if first & 0xfff0 == 0xe8d0 && second & 0xffe0 == 0xf000 => {
            Some(if first & 15 == PC { Flow::Table { absolute: false } } else { Flow::Indirect })
        }
        _ => subtraction(first, second),
    }
}

/// B T3 and T4, BL T1, BLX T2, and what shares their space: writing the stack pointer by MSR.
fn branch(at: u32, first: u32, second: u32) -> Option<Flow> {
    let sign = bits(first, 10, 1);
    let [one, two] = [bits(second, 13, 1), bits(second, 11, 1)];
    let low = bits(second, 0, 11) << 1;
    // T4 and the calls: bits of the distance are stored as they differ from the sign.
    let far = sign << 24 | (one ^ sign ^ 1) << 23 | (two ^ sign ^ 1) << 22 | bits(first, 0, 10) << 12 | low;
    let near = sign << 20 | two << 19 | one << 18 | bits(first, 0, 6) << 12 | low;
    match (bits(second, 14, 1), bits(second, 12, 1)) {
        (1, 1) => Some(Flow::Call(offset(at + 4, far, 25))),
        (1, _) => Some(Flow::Call(offset((at + 4) & !3, far & !3, 25))),
        (_, 1) => Some(Flow::Jump(offset(at + 4, far, 25))),
        _ if bits(first, 7, 3) != 0b111 => Some(Flow::Jump(offset(at + 4, near, 21))),
        _ => (first & 0xffe0 == 0xf380 && matches!(bits(second, 0, 8), 8 | 9)).then_some(Flow::Computed),
    }
}

/// ADD and SUB with the stack pointer as the result.
fn subtraction(first: u32, second: u32) -> Option<Flow> {
    if bits(second, 8, 4) != SP {
        return None;
    }
    let (from_itself, immediate) =
        (first & 15 == SP, bits(first, 10, 1) << 11 | bits(second, 12, 3) << 8 | bits(second, 0, 8));
    match first & 0xfbf0 {
        // Immediate: SUB T2 and T3 (from SP), ADD T3 and T4.
        0xf1a0 | 0xf1b0 if from_itself => Some(Flow::Push(expanded(immediate))),
        0xf2a0 if from_itself => Some(Flow::Push(immediate)),
        0xf100 | 0xf110 | 0xf200 if from_itself => None,
        0xf100 | 0xf110 | 0xf200 | 0xf1a0 | 0xf1b0 | 0xf2a0 => Some(Flow::Computed),
        // Register: ADD T3, SUB T1; MOV T3 is ORR without a first operand.
        0xeb00 | 0xeb10 | 0xeba0 | 0xebb0 => Some(Flow::Computed),
        0xea40 | 0xea50 if first & 15 == PC => Some(Flow::Computed),
        _ => None,
    }
}

/// ThumbExpandImm: a byte, repeated or rotated.
fn expanded(immediate: u32) -> u32 {
    let byte = immediate & 0xff;
    match immediate >> 8 {
        0 => byte,
        1 => byte * 0x0001_0001,
        2 => byte * 0x0100_0100,
        3 => byte * 0x0101_0101,
        _ => (byte & 0x7f | 0x80).rotate_right(immediate >> 7),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: u32 = 0x64;

    /// What instructions do that stand at 0x64; as an assembler has written them.
    fn flows(halves: &[u16]) -> Vec<Flow> {
        let bytes: Vec<u8> = halves.iter().flat_map(|half| half.to_le_bytes()).collect();
        let code = Code { bytes: &bytes, start: AT, data: &[] };
        code.flows(&(AT..code.end())).into_iter().map(|(_, flow)| flow).collect()
    }

    #[test]
    fn what_is_taken_off_the_stack_pointer_is_seen() {
        for (bytes, halves) in [
            (20, &[0xb5f0][..]),       // push {r4, r5, r6, r7, lr}
            (12, &[0xb083]),           // sub sp, #12
            (16, &[0xe92d, 0x0f00]),   // push.w {r8, r9, r10, r11}
            (4, &[0xf84d, 0xbd04]),    // str r11, [sp, #-4]!
            (16, &[0xe96d, 0x0104]),   // strd r0, r1, [sp, #-16]!
            (16, &[0xed2d, 0x8b04]),   // vpush {d8, d9}
            (4, &[0xed2d, 0x8a01]),    // vpush {s16}
            (712, &[0xf5ad, 0x7d32]),  // sub.w sp, sp, #712
            (2393, &[0xf6ad, 0x1d59]), // subw sp, sp, #2393
        ] {
            assert_eq!(flows(halves), [Flow::Push(bytes)], "{halves:x?}");
        }
        for halves in [
            &[0xebad, 0x0d01][..], // sub.w sp, sp, r1
            &[0x449d],             // add sp, r3
            &[0x46b5],             // mov sp, r6
            &[0xea4f, 0x0d03],     // mov.w sp, r3
            &[0xf380, 0x8808],     // msr msp, r0
            &[0xf1a7, 0x0d10],     // sub.w sp, r7, #16
        ] {
            assert_eq!(flows(halves), [Flow::Computed], "{halves:x?}");
        }
    }

    #[test]
    fn targets_are_computed() {
        for (flow, halves) in [
            (Flow::Call(0x64), &[0xf7ff, 0xfffe][..]),
            (Flow::Call(0x1064), &[0xf000, 0xfffe]),
            (Flow::Jump(0x5c), &[0xe7fa]),
            (Flow::Jump(0x6e), &[0xf000, 0xb803]),
            (Flow::Jump(0x56), &[0xd1f7]),
            (Flow::Jump(0x54_u32.wrapping_sub(0x10_0000)), &[0xf6ff, 0xbff6]),
            (Flow::Jump(0x10_0050), &[0xf0ff, 0xbff4]),
            // beq.w and bne.w, seen at 0x488 to 0xc32 and at 0xc10 to 0x50e.
            (Flow::Jump(AT + 0xc32 - 0x488), &[0xf000, 0x83d3]),
            (Flow::Jump((AT + 0x50e).wrapping_sub(0xc10)), &[0xf47f, 0xac7d]),
            // blx to 0x68, which no Cortex-M has.
            (Flow::Call(0x68), &[0xf000, 0xe800]),
        ] {
            assert_eq!(flows(halves), [flow], "{halves:x?}");
        }
    }

    #[test]
    fn a_return_is_no_jump_and_a_register_is_no_target() {
        for halves in [
            &[0x4770][..],     // bx lr
            &[0x46f7],         // mov pc, lr
            &[0xbd10],         // pop {r4, pc}
            &[0xe8bd, 0x8100], // pop.w {r8, pc}
            &[0xf85d, 0xfb04], // ldr pc, [sp], #4
            &[0xb004],         // add sp, #16
            &[0xf10d, 0x0d08], // add.w sp, sp, #8
            &[0xf380, 0x8810], // msr primask, r0
            &[0xf1b0, 0x0f00], // cmp.w r0, #0
            &[0xbeab],         // bkpt #0xab
            &[0xdf01],         // svc #1
            &[0xde00],         // udf #0
        ] {
            assert_eq!(flows(halves), [], "{halves:x?}");
        }
        for halves in [
            &[0x4718][..],     // bx r3
            &[0x4798],         // blx r3
            &[0xf850, 0xf021], // ldr.w pc, [r0, r1, lsl #2]
            &[0xf8d2, 0xf000], // ldr.w pc, [r2]
            &[0xe890, 0x8002], // ldm.w r0, {r1, pc}
            &[0xe8d1, 0xf000], // tbb [r1, r0]
        ] {
            assert_eq!(flows(halves), [Flow::Indirect], "{halves:x?}");
        }
        for (absolute, halves) in [
            (false, &[0xe8df, 0xf000][..]), // tbb [pc, r0]
            (false, &[0xe8df, 0xf010]),     // tbh [pc, r0, lsl #1]
            (false, &[0x4487]),             // add pc, r0
            (true, &[0x468f]),              // mov pc, r1
        ] {
            assert_eq!(flows(halves), [Flow::Table { absolute }], "{halves:x?}");
        }
    }
}
