//! The most stack that a program for a Cortex-M can take, read from the program itself: the compiler's own frame sizes, summed
//! along the deepest path of calls.
//!
//! - *Frames* are those of the section `.stack_sizes`, which the compiler writes with `-Z emit-stack-sizes`. What the
//!   function's own instructions take off the stack pointer is added up, too, and the larger of the two is taken. Functions
//!   that the compiler did not size (assembly, and the precompiled `compiler_builtins`) have the latter alone; each
//!   instruction counts once, so assembly must not push in a loop.
//! - *Calls* are decoded from the machine code, of the instruction sets v6-M and v7E-M: `BL`, and branches that leave the
//!   function, which count as calls although their frame may be gone by then.
//! - *What cannot be bounded* is an error on the path where it stands, never a guess: a call through a register, a stack
//!   pointer that is computed in a function without a size, recursion.
//!
//! A jump through a table that stands right behind it is a `match`, and stays in its function. Exceptions are not counted:
//! an interrupt handler needs its own bound, and its frame of 32 bytes (104 with floating-point registers), on top.

pub(crate) mod thumb;

use std::collections::BTreeMap;
use std::fmt;

use object::elf::EM_ARM;
use object::read::elf::{ElfFile32, FileHeader as _};
use object::{Object as _, ObjectSection as _, ObjectSymbol as _, SectionKind, SymbolKind};

use thumb::{Code, Flow};

/// Why there is no bound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StackError {
    /// No ELF file for Arm, or a damaged one; with what is wrong.
    NotArm(String),
    /// The compiler has left no sizes in the file.
    NoSizes,
    /// No function has this name.
    NoFunction(String),
    /// A call or jump to an address that the code does not tell.
    Indirect {
        /// In which function.
        function: String,
        /// The instruction's address.
        at: u32,
    },
    /// The stack pointer is computed, in a function that the compiler gave no size.
    Computed {
        /// In which function.
        function: String,
        /// The instruction's address.
        at: u32,
    },
    /// A call or jump to where no function begins.
    Astray {
        /// In which function.
        function: String,
        /// Where it leads.
        to: u32,
    },
    /// A function that calls itself, through these.
    Recursion(Vec<String>),
}

impl fmt::Display for StackError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotArm(why) => write!(f, "this is no ELF file for Arm: {why}"),
            Self::NoSizes => write!(f, "there is no section .stack_sizes; build with RUSTFLAGS=-Zemit-stack-sizes"),
            Self::NoFunction(name) => write!(f, "there is no function {name}"),
            Self::Indirect { function, at } => write!(f, "{function} calls through a register at {at:#x}"),
            Self::Computed { function, at } => write!(f, "{function} computes its stack pointer at {at:#x}"),
            Self::Astray { function, to } => write!(f, "{function} goes to {to:#x}, where no function begins"),
            Self::Recursion(path) => write!(f, "there is a recursion: {}", path.join(" -> ")),
        }
    }
}

impl std::error::Error for StackError {}

/// A path of calls that no other exceeds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Bound {
    /// Its stack, in bytes: that of all frames, the first function's included.
    pub bytes: u32,
    /// Its functions, outermost first, as the linker names them, with the bytes of their frames.
    pub path: Vec<(String, u32)>,
}

/// The functions of a program, by address.
#[derive(Debug, Default)]
pub struct Program {
    functions: BTreeMap<u32, Function>,
}

#[derive(Debug)]
struct Function {
    name: String,
    /// What else the linker calls it.
    aliases: Vec<String>,
    frame: u32,
    calls: Vec<u32>,
    /// What keeps it from having a bound.
    trouble: Option<StackError>,
}

impl Program {
    /// Reads a linked program, with its symbols and sizes.
    ///
    /// # Errors
    /// If it is none, or was built without sizes.
    pub fn read(elf: &[u8]) -> Result<Self, StackError> {
        let file = parse(elf).map_err(StackError::NotArm)?;
        let sizes = file.section_by_name(".stack_sizes").ok_or(StackError::NoSizes)?;
        let sizes = sizes.data().ok().and_then(sizes_in).ok_or(StackError::NotArm("bad .stack_sizes".to_owned()))?;
        let mut program = Self::default();
        for section in file.sections().filter(|section| section.kind() == SectionKind::Text) {
            let bytes = section.data().map_err(|error| StackError::NotArm(error.to_string()))?;
            let symbols = file.symbols().filter(|symbol| symbol.section_index() == Some(section.index()));
            let symbols: Vec<Symbol<'_>> = symbols
                .filter_map(|symbol| {
                    let (start, function) = (symbol.address() as u32, symbol.kind() == SymbolKind::Text);
                    Some(Symbol { name: symbol.name().ok()?, start, size: symbol.size() as u32, function })
                })
                .collect();
            let code = Code { bytes, start: section.address() as u32, data: &data_marks(&symbols) };
            program.add(&code, &symbols, &sizes);
        }
        Ok(program)
    }

    /// Adds the functions of a section.
    fn add(&mut self, code: &Code<'_>, symbols: &[Symbol<'_>], sizes: &BTreeMap<u32, u32>) {
        let mut named: BTreeMap<u32, (Vec<&Symbol<'_>>, u32)> = BTreeMap::new();
        for symbol in symbols.iter().filter(|symbol| symbol.function) {
            let (names, size) = named.entry(symbol.start & !1).or_default();
            *size = symbol.size.max(*size);
            names.push(symbol);
        }
        let starts: Vec<u32> = named.keys().copied().collect();
        for (start, (names, size)) in named {
            // Assembly need not say how long it is.
            let next = starts.iter().copied().find(|&next| next > start).unwrap_or(code.end());
            let end = if size == 0 { next } else { start.saturating_add(size) };
            let mut names = names.into_iter().map(|symbol| symbol.name.to_owned());
            let name = names.next().unwrap_or_default();
            let size = sizes.get(&start).copied();
            self.functions.insert(start, function(code, name, names.collect(), start..end, size));
        }
    }

    /// The names of all functions, as the linker has them.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.functions.values().flat_map(|function| function.names())
    }

    /// The most stack that a call of a function takes.
    ///
    /// # Errors
    /// If there is no such function, or no bound.
    pub fn bound(&self, name: &str) -> Result<Bound, StackError> {
        let found = self.functions.iter().find(|(_, function)| function.names().any(|its| its == name));
        let (&start, _) = found.ok_or_else(|| StackError::NoFunction(name.to_owned()))?;
        let mut known = BTreeMap::new();
        self.deepest(start, &mut Vec::new(), &mut known)?;
        let (mut bound, mut at) = (Bound { bytes: known[&start].0, path: Vec::new() }, Some(start));
        while let Some(start) = at {
            let function = &self.functions[&start];
            bound.path.push((function.name.clone(), function.frame));
            at = known[&start].1;
        }
        Ok(bound)
    }

    /// Finds the bound of a function and of all below it: bytes, and the callee on the deepest path. `above` are the
    /// functions that are being looked at.
    fn deepest(
        &self,
        start: u32,
        above: &mut Vec<u32>,
        known: &mut BTreeMap<u32, (u32, Option<u32>)>,
    ) -> Result<u32, StackError> {
        if let Some((bytes, _)) = known.get(&start) {
            return Ok(*bytes);
        }
        let function = &self.functions[&start];
        if let Some(first) = above.iter().position(|&at| at == start) {
            let circle = above[first..].iter().chain([&start]);
            return Err(StackError::Recursion(circle.map(|at| self.functions[at].name.clone()).collect()));
        }
        if let Some(trouble) = &function.trouble {
            return Err(trouble.clone());
        }
        above.push(start);
        let mut most = (0, None);
        for &to in &function.calls {
            if !self.functions.contains_key(&to) {
                return Err(StackError::Astray { function: function.name.clone(), to });
            }
            let bytes = self.deepest(to, above, known)?;
            if bytes > most.0 {
                most = (bytes, Some(to));
            }
        }
        above.pop();
        let bytes = most.0 + function.frame;
        known.insert(start, (bytes, most.1));
        Ok(bytes)
    }
}

impl Function {
    fn names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&self.name).chain(&self.aliases).map(String::as_str)
    }
}

/// What the linker says of an address.
#[derive(Debug)]
struct Symbol<'a> {
    name: &'a str,
    start: u32,
    size: u32,
    function: bool,
}

pub(crate) fn parse(elf: &[u8]) -> Result<ElfFile32<'_>, String> {
    let file = ElfFile32::parse(elf).map_err(|error| error.to_string())?;
    let machine = file.elf_header().e_machine(file.endian());
    if machine == EM_ARM { Ok(file) } else { Err(format!("it is for machine {machine}")) }
}

/// Where constants stand between instructions, by the symbols `$d` and `$t` that every compiler for Arm leaves.
fn data_marks(symbols: &[Symbol<'_>]) -> Vec<(u32, bool)> {
    let is = |name: &str, kind: &str| name == kind || name.strip_prefix(kind).is_some_and(|rest| rest.starts_with('.'));
    let marks = symbols.iter().filter(|symbol| ["$a", "$d", "$t"].iter().any(|kind| is(symbol.name, kind)));
    let mut marks: Vec<(u32, bool)> = marks.map(|symbol| (symbol.start, is(symbol.name, "$d"))).collect();
    // Where data of no length and code begin at the same place, it is code.
    marks.sort_by_key(|&(start, data)| (start, !data));
    marks
}

/// Sizes by the function's address: a word, and a number of seven bits a byte, lowest first.
fn sizes_in(mut bytes: &[u8]) -> Option<BTreeMap<u32, u32>> {
    let mut sizes = BTreeMap::new();
    while let Some((word, mut rest)) = bytes.split_first_chunk::<4>() {
        let (mut size, mut shift) = (0u32, 0);
        loop {
            let (&byte, after) = rest.split_first()?;
            size |= u32::from(byte & 0x7f).checked_shl(shift)?;
            (rest, shift) = (after, shift + 7);
            if byte < 0x80 {
                break;
            }
        }
        sizes.insert(u32::from_le_bytes(*word) & !1, size);
        bytes = rest;
    }
    bytes.is_empty().then_some(sizes)
}

/// Looks at all instructions of a function.
fn function(
    code: &Code<'_>,
    name: String,
    aliases: Vec<String>,
    range: std::ops::Range<u32>,
    size: Option<u32>,
) -> Function {
    let (mut taken, mut calls, mut trouble) = (0, Vec::new(), None);
    for (at, flow) in code.flows(&range) {
        match flow {
            // Into its own middle: v6-M has no other far jump than BL.
            Flow::Call(to) if to != range.start && range.contains(&to) => {}
            Flow::Jump(to) if range.contains(&to) => {}
            Flow::Call(to) | Flow::Jump(to) => calls.push(to),
            Flow::Push(bytes) => taken += bytes,
            Flow::Table { .. } if code.has_table(&range, at, flow) => {}
            Flow::Table { .. } | Flow::Indirect => {
                trouble = trouble.or(Some(StackError::Indirect { function: name.clone(), at }));
            }
            Flow::Computed if size.is_some() => {}
            Flow::Computed => trouble = trouble.or(Some(StackError::Computed { function: name.clone(), at })),
        }
    }
    calls.sort_unstable();
    calls.dedup();
    Function { name, aliases, frame: taken.max(size.unwrap_or(0)), calls, trouble }
}

#[cfg(test)]
mod tests;
