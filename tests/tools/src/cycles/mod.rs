//! How many cycles of a Cortex-M4 a piece of a program takes, by a [model] of what each instruction costs, from a trace of the
//! program under QEMU, which itself counts instructions only.
//!
//! The trace is what QEMU writes with `-d in_asm,exec,nochain`: where each block of instructions begins and ends when it is
//! translated, and a line whenever one is about to run. It is read as it comes, for it is a gigabyte long.
//!
//! ```text
//! IN: name
//! 0x0000040a:  4281       cmp      r1, r0
//! 0x0000040c:  d001       beq      #0x412
//!
//! Trace 0: 0x7ff2780008c0 [00800408/0000040a/00000110/ff020200] name
//! ```
//!
//! With `-icount` a block may be given up before its first instruction ("Stopped execution"), or be left at one that reads a
//! device, with which the next block begins ("rewound").

mod below;
pub mod model;
mod waits;

pub use below::Call;

use std::cmp::Reverse;
use std::collections::HashMap;
use std::fmt;
use std::io::{self, BufRead};
use std::ops::{AddAssign, Range};

use object::{Object as _, ObjectSection as _, ObjectSymbol as _, SectionKind, SymbolKind};

use crate::stack::{parse, thumb::is_long};
use below::Below;

/// Why cycles cannot be told.
#[derive(Debug)]
pub enum CycleError {
    /// No ELF file for Arm, or a damaged one; with what is wrong.
    NotArm(String),
    /// Not one function, but none or several, have all of this in their names.
    NoFunction(String),
    /// A line of the trace that is not as expected.
    Line(String),
    /// A block runs that the trace has not shown before.
    Unseen(String),
    /// The program ran where its file has no code.
    NoCode(u32),
    /// An instruction ran that multiplies and adds with one rounding.
    Fused(u32),
    /// The trace ends while the function's callee is still running.
    Unfinished,
    /// The trace cannot be read.
    Io(io::Error),
}

impl fmt::Display for CycleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotArm(why) => write!(f, "this is no ELF file for Arm: {why}"),
            Self::NoFunction(part) => write!(f, "there is not exactly one function with this in its name: {part}"),
            Self::Line(line) => write!(f, "the trace has a line that cannot be read: {line}"),
            Self::Unseen(line) => write!(f, "the trace has a block whose instructions it has not shown: {line}"),
            Self::NoCode(at) => write!(f, "the program ran at {at:#x}, where its file has no code"),
            Self::Fused(at) => write!(f, "the program multiplies and adds with one rounding at {at:#x}"),
            Self::Unfinished => f.write_str("the trace ends in the middle of what is measured"),
            Self::Io(error) => write!(f, "the trace cannot be read: {error}"),
        }
    }
}

impl std::error::Error for CycleError {}

impl From<io::Error> for CycleError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// What ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Work {
    /// Instructions.
    pub instructions: u64,
    /// Cycles that they take, by the model.
    pub cycles: u64,
}

impl AddAssign for Work {
    fn add_assign(&mut self, other: Self) {
        self.instructions += other.instructions;
        self.cycles += other.cycles;
    }
}

/// The code of a program.
#[derive(Debug)]
pub struct Program {
    /// Sections by their first addresses.
    code: Vec<(u32, Vec<u8>)>,
    /// Functions as the linker names them.
    functions: Vec<(String, Range<u32>)>,
}

impl Program {
    /// Reads a linked program, with its symbols.
    ///
    /// # Errors
    /// If it is none.
    pub fn read(elf: &[u8]) -> Result<Self, CycleError> {
        let file = parse(elf).map_err(CycleError::NotArm)?;
        let mut code = Vec::new();
        for section in file.sections().filter(|section| section.kind() == SectionKind::Text) {
            let bytes = section.data().map_err(|error| CycleError::NotArm(error.to_string()))?;
            code.push((section.address() as u32, bytes.to_vec()));
        }
        let functions = file.symbols().filter(|symbol| symbol.kind() == SymbolKind::Text);
        let functions = functions.filter_map(|symbol| {
            let start = symbol.address() as u32 & !1;
            Some((symbol.name().ok()?.to_owned(), start..start + symbol.size() as u32))
        });
        Ok(Self { code, functions: functions.collect() })
    }

    /// Where the one function is that has all of these in its name.
    ///
    /// # Errors
    /// If there is none, or there are several.
    pub fn function(&self, parts: &[&str]) -> Result<Range<u32>, CycleError> {
        let mut found = self.functions.iter().filter(|(name, _)| parts.iter().all(|part| name.contains(part)));
        match (found.next(), found.next()) {
            (Some((_, range)), None) => Ok(range.clone()),
            _ => Err(CycleError::NoFunction(parts.join(", "))),
        }
    }

    fn half(&self, at: u32) -> Option<u32> {
        self.code.iter().find_map(|(start, bytes)| {
            let from = at.checked_sub(*start)? as usize;
            let half = bytes.get(from..from + 2)?;
            Some(u32::from(u16::from_le_bytes([half[0], half[1]])))
        })
    }

    /// Four bytes of code, as two halfwords in the order of memory; zeros where there is none.
    fn word(&self, at: u32) -> u32 {
        self.half(at).unwrap_or(0) << 16 | self.half(at + 2).unwrap_or(0)
    }

    /// How long the instruction at an address is, in bytes.
    fn length(&self, at: u32) -> Result<u32, CycleError> {
        let first = self.half(at).ok_or(CycleError::NoCode(at))?;
        Ok(if is_long(first) { 4 } else { 2 })
    }

    /// What instructions that follow each other in memory take, without a jump at the end. No jump waits or is waited for, so the
    /// instruction behind the last one is the next in memory where it counts.
    fn straight(&self, range: &Range<u32>) -> Result<Work, CycleError> {
        let (mut work, mut at) = (Work::default(), range.start);
        while at < range.end {
            let first = self.half(at).ok_or(CycleError::NoCode(at))?;
            let second = self.half(at + 2).unwrap_or(0);
            if model::is_fused(first, second) {
                return Err(CycleError::Fused(at));
            }
            let cycles = model::cycles(first, second);
            let next = at + self.length(at)?;
            let wait = waits::waits(first << 16 | second, self.word(next));
            work += Work { instructions: 1, cycles: u64::from(cycles) + u64::from(wait) };
            at = next;
        }
        Ok(work)
    }

    /// The number of the function that has the code at an address, in the order of the program's symbols.
    fn owner(&self, at: u32) -> Option<usize> {
        self.functions.iter().position(|(_, range)| range.contains(&at))
    }

    /// What a function has others do: for each of its calls, all that runs from when it is first left until it goes on.
    ///
    /// # Errors
    /// If the trace is not one of this program's, or breaks off.
    pub fn work_below(&self, function: &Range<u32>, mut trace: impl BufRead) -> Result<Vec<Call>, CycleError> {
        let mut reader = Reader { program: self, shown: None, blocks: HashMap::new(), last: None };
        let mut below = Below::new(function);
        let mut line = Vec::new();
        while trace.read_until(b'\n', &mut line)? > 0 {
            let text = String::from_utf8_lossy(&line);
            if let Some((ran, next)) = reader.line(text.trim_end())? {
                below.add(&ran, next);
            }
            line.clear();
        }
        below.end()
    }

    /// The functions in which a call spent its cycles, by the names that the linker has, the longest first.
    #[must_use]
    pub fn functions(&self, call: &Call) -> Vec<(&str, Work)> {
        let name = |owner: Option<usize>| owner.map_or("(no function)", |owner| &*self.functions[owner].0);
        let mut all: Vec<_> = call.functions.iter().map(|(owner, work)| (name(*owner), *work)).collect();
        all.sort_by_key(|(name, work)| (Reverse(work.cycles), *name));
        all
    }
}

/// Instructions that run one after the other.
#[derive(Debug, Clone, Default)]
struct Block {
    range: Range<u32>,
    work: Work,
    /// The number of their function.
    owner: Option<usize>,
}

/// Makes blocks that ran of the lines of a trace.
struct Reader<'a> {
    program: &'a Program,
    /// Instructions that were shown last: the first one's address and the last one's.
    shown: Option<(u32, u32)>,
    /// Blocks by QEMU's address of them: there may be several that begin at one place.
    blocks: HashMap<u64, Block>,
    /// The block that runs, if it does.
    last: Option<Block>,
}

impl Reader<'_> {
    /// Takes a line. If a block begins, gives what the one before has taken, with its jump if it made one, and where this
    /// one is.
    fn line(&mut self, line: &str) -> Result<Option<(Block, u32)>, CycleError> {
        let bad = || CycleError::Line(line.to_owned());
        if let Some(rest) = line.strip_prefix("Trace ") {
            let (pointer, start) = begun(rest).ok_or_else(bad)?;
            let next = self.block(pointer, start)?.ok_or_else(|| CycleError::Unseen(line.to_owned()))?;
            let ran = self.last.replace(next).map_or(Block::default(), |ran| with_jump(ran, start));
            return Ok(Some((ran, start)));
        }
        if line.starts_with("IN:") {
            self.shown = None;
        } else if let Some(rest) = line.strip_prefix("0x") {
            let at = hexadecimal(rest.split(':').next().unwrap_or_default()).ok_or_else(bad)? as u32;
            self.shown = Some((self.shown.map_or(at, |(first, _)| first), at));
        } else if line.starts_with("Stopped execution") {
            self.last = None;
        } else if let Some((_, at)) = line.split_once("rewound execution of TB to ") {
            let end = hexadecimal(at).ok_or_else(bad)? as u32;
            if let Some(last) = &mut self.last {
                last.range.end = end;
                last.work = self.program.straight(&last.range)?;
            }
        }
        Ok(None)
    }

    /// The block at an address of QEMU's: the one that was just shown, or else a known one.
    fn block(&mut self, pointer: u64, start: u32) -> Result<Option<Block>, CycleError> {
        if let Some((first, last)) = self.shown.take()
            && first == start
        {
            let range = first..last + self.program.length(last)?;
            let (work, owner) = (self.program.straight(&range)?, self.program.owner(start));
            self.blocks.insert(pointer, Block { range, work, owner });
        }
        Ok(self.blocks.get(&pointer).filter(|block| block.range.start == start).cloned())
    }
}

/// QEMU's address of a block, and the program's, in "0: 0x7ff2780008c0 [00800408/0000040a/00000110/ff020200] name".
fn begun(rest: &str) -> Option<(u64, u32)> {
    let (pointer, rest) = rest.split_once("0x")?.1.split_once(" [")?;
    Some((hexadecimal(pointer)?, hexadecimal(rest.split('/').nth(1)?)? as u32))
}

fn hexadecimal(digits: &str) -> Option<u64> {
    u64::from_str_radix(digits.trim(), 16).ok()
}

/// The pipeline is filled again unless the next instruction is the next one in memory.
fn with_jump(mut block: Block, next: u32) -> Block {
    if block.range.end != next {
        block.work.cycles += u64::from(model::REFILL);
    }
    block
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `main` is at 0 and calls `work` at 8, which is a loop.
    const CODE: [u16; 8] = [
        0xb500, // 0: push {lr}
        0xf000, 0xf801, // 2: bl 8
        0xbd00, // 6: pop {pc}
        0x3801, // 8: subs r0, #1
        0xd1fd, // a: bne 8
        0xbf00, // c: nop
        0x4770, // e: bx lr
    ];
    /// Translations of its blocks, each with the first run of it.
    const MAIN: &str = "IN: main\n0x00000000:  push\n0x00000002:  bl\n\nTrace 0: 0x7f00 [0/00000000/0/0] main\n";
    const LOOP: &str = "IN: work\n0x00000008:  subs\n0x0000000a:  bne\n\nTrace 0: 0x7f10 [0/00000008/0/0] work\n";
    const AGAIN: &str = "Trace 0: 0x7f10 [0/00000008/0/0] work\n";
    const RETURN: &str = "IN: work\n0x0000000c:  nop\n0x0000000e:  bx\n\nTrace 0: 0x7f20 [0/0000000c/0/0] work\n";
    const BACK: &str = "IN: main\n0x00000006:  pop\n\nTrace 0: 0x7f30 [0/00000006/0/0] main\n";

    fn program() -> Program {
        let bytes = CODE.iter().flat_map(|half| half.to_le_bytes()).collect();
        Program { code: vec![(0, bytes)], functions: vec![("main".to_owned(), 0..8), ("work".to_owned(), 8..16)] }
    }

    fn below(trace: &[&str]) -> Result<Vec<Call>, CycleError> {
        let program = program();
        program.work_below(&program.function(&["main"])?, trace.concat().as_bytes())
    }

    /// Instructions and cycles of the only call.
    fn only(trace: &[&str]) -> [u64; 2] {
        match below(trace).expect("a good trace")[..] {
            [Call { work: Work { instructions, cycles }, .. }] => [instructions, cycles],
            ref all => panic!("{all:?}"),
        }
    }

    #[test]
    fn a_branch_costs_more_when_it_is_taken() {
        // Two instructions in the loop, and two behind it, whose return is always a jump.
        assert_eq!(only(&[MAIN, LOOP, RETURN, BACK]), [4, 6]);
        assert_eq!(only(&[MAIN, LOOP, AGAIN, RETURN, BACK]), [6, 10]);
        assert_eq!(only(&[MAIN, LOOP, AGAIN, AGAIN, RETURN, BACK]), [8, 14]);
    }

    #[test]
    fn every_call_is_a_piece_of_its_own() {
        let more = ["Trace 0: 0x7f00 [0/00000000/0/0] main\n", AGAIN, "Trace 0: 0x7f20 [0/0000000c/0/0] work\n", BACK];
        let all = below(&[&[MAIN, LOOP, AGAIN, RETURN, BACK][..], &more].concat()).expect("a good trace");
        assert_eq!(all.iter().map(|call| call.work.instructions).collect::<Vec<_>>(), [6, 4]);
        // What runs without `main` is not below it.
        assert!(below(&[LOOP, AGAIN, RETURN]).expect("a good trace").is_empty());
    }

    #[test]
    fn a_call_is_told_by_its_functions() {
        let (program, trace) = (program(), [MAIN, LOOP, AGAIN, RETURN, BACK].concat());
        let calls =
            program.work_below(&program.function(&["main"]).expect("there"), trace.as_bytes()).expect("a good trace");
        assert_eq!(program.functions(&calls[0]), [("work", calls[0].work)]);
        let other = Program { functions: vec![program.functions[0].clone(), ("loop".to_owned(), 8..12)], ..program };
        let calls = other.work_below(&(0..8), trace.as_bytes()).expect("a good trace");
        let [(first, most), (second, rest)] = other.functions(&calls[0])[..] else { panic!("two places") };
        assert_eq!([first, second], ["loop", "(no function)"]);
        assert_eq!([most.instructions, rest.instructions, most.cycles + rest.cycles], [4, 2, calls[0].work.cycles]);
    }

    #[test]
    fn what_did_not_run_is_not_counted() {
        let stopped = "Stopped execution of TB chain before 0x7f10 [00000008] work\n";
        assert_eq!(only(&[MAIN, LOOP, AGAIN, stopped, AGAIN, RETURN, BACK]), [6, 10]);
        // The block ends before `bx`, with which another begins; that is no jump.
        let rewound = "cpu_io_recompile: rewound execution of TB to 0000000e\n";
        let rest = "IN: work\n0x0000000e:  bx\n\nTrace 0: 0x7f40 [0/0000000e/0/0] work\n";
        assert_eq!(only(&[MAIN, LOOP, RETURN, rewound, rest, BACK]), [4, 6]);
    }

    #[test]
    fn a_place_translated_anew_has_its_new_length() {
        let short = "IN: work\n0x0000000c:  nop\n\nTrace 0: 0x7f20 [0/0000000c/0/0] work\n";
        let rest = "IN: work\n0x0000000e:  bx\n\nTrace 0: 0x7f40 [0/0000000e/0/0] work\n";
        assert_eq!(only(&[MAIN, LOOP, short, rest, BACK]), [4, 6]);
        assert_eq!(only(&[MAIN, LOOP, short, RETURN, BACK])[0], 5);
    }

    #[test]
    fn a_bad_trace_is_refused() {
        assert!(matches!(below(&[MAIN, LOOP, AGAIN]), Err(CycleError::Unfinished)));
        assert!(matches!(below(&[MAIN, AGAIN]), Err(CycleError::Unseen(_))));
        assert!(matches!(below(&["Trace 0: nothing\n"]), Err(CycleError::Line(_))));
        let outside = "IN:\n0x00000100:  nop\n\nTrace 0: 0x7f50 [0/00000100/0/0]\n";
        assert!(matches!(below(&[outside]), Err(CycleError::NoCode(0x100))));
        let fused = Program { code: vec![(0, vec![0xa0, 0xee, 0x81, 0x0a])], functions: Vec::new() };
        assert!(matches!(fused.straight(&(0..4)), Err(CycleError::Fused(0))));
        for parts in [&[""][..], &["main", "work"]] {
            assert!(matches!(program().function(parts), Err(CycleError::NoFunction(_))), "{parts:?}");
        }
        assert!(matches!(Program::read(b"\x7fELF, nearly"), Err(CycleError::NotArm(_))));
    }
}
