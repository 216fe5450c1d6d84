//! Bounds on the stack of small programs, written by hand.

use object::write::{Object, Symbol as ElfSymbol, SymbolSection};
use object::{Architecture, BinaryFormat, Endianness, SymbolFlags, SymbolScope};

use super::*;

const PUSH_LR: u16 = 0xb500;
const POP_PC: u16 = 0xbd00;
const BX_LR: u16 = 0x4770;
const NOP: u16 = 0xbf00;

/// A function: its name, its code, and its size by the compiler.
type Part<'a> = (&'a str, &'a [u16], Option<u8>);

fn to_bytes(code: &[u16]) -> Vec<u8> {
    code.iter().flat_map(|half| half.to_le_bytes()).collect()
}

/// The file of a program of these functions, one behind the other from address 0.
fn file(parts: &[Part<'_>]) -> Vec<u8> {
    let mut file = Object::new(BinaryFormat::Elf, Architecture::Arm, Endianness::Little);
    let text = file.add_section(Vec::new(), b".text".to_vec(), SectionKind::Text);
    let mut sizes = Vec::new();
    for (name, code, size) in parts {
        let start = file.append_section_data(text, &to_bytes(code), 2);
        file.add_symbol(ElfSymbol {
            name: name.as_bytes().to_vec(),
            value: start | 1,
            size: 2 * code.len() as u64,
            kind: SymbolKind::Text,
            scope: SymbolScope::Compilation,
            weak: false,
            section: SymbolSection::Section(text),
            flags: SymbolFlags::None,
        });
        sizes.extend(size.iter().flat_map(|&size| [&(start as u32).to_le_bytes()[..], &[size]].concat()));
    }
    let section = file.add_section(Vec::new(), b".stack_sizes".to_vec(), SectionKind::Other);
    file.append_section_data(section, &sizes, 1);
    file.write().expect("an ELF file")
}

/// The bound of `main` in a program of these functions.
fn bound(parts: &[Part<'_>]) -> Result<Bound, StackError> {
    Program::read(&file(parts))?.bound("main")
}

fn bytes(parts: &[Part<'_>]) -> Result<u32, StackError> {
    bound(parts).map(|bound| bound.bytes)
}

/// The bound of `main` in code with these symbols, each with its address; functions end where the next begins.
fn bytes_marked(code: &[u16], symbols: &[(&'static str, u32)]) -> Result<u32, StackError> {
    let symbol = |&(name, start): &(&'static str, u32)| {
        let function = !name.starts_with('$');
        Symbol { name, start: start | u32::from(function), size: 0, function }
    };
    let symbols: Vec<Symbol<'_>> = symbols.iter().map(symbol).collect();
    let mut program = Program::default();
    let code = Code { bytes: &to_bytes(code), start: 0, data: &data_marks(&symbols) };
    program.add(&code, &symbols, &BTreeMap::new());
    program.bound("main").map(|bound| bound.bytes)
}

/// BL from an address to another.
fn bl(at: u32, to: u32) -> [u16; 2] {
    let distance = to.wrapping_sub(at + 4);
    [0xf000 | (distance >> 12 & 0x7ff) as u16, 0xf800 | (distance >> 1 & 0x7ff) as u16]
}

#[test]
fn the_deepest_path_is_the_bound() {
    let [first, second] = [bl(2, 12), bl(6, 16)];
    let main = [PUSH_LR, first[0], first[1], second[0], second[1], POP_PC];
    let small: Part<'_> = ("small", &[PUSH_LR, POP_PC], None);
    // Subtracts 8, and goes on to the other by a branch.
    let large: Part<'_> = ("large", &[0xb082, 0xe7fb], Some(100));
    let path = [("main", 40), ("large", 100), ("small", 4)].map(|(name, bytes)| (name.to_owned(), bytes));
    let parts = [("main", &main[..], Some(40)), small, large];
    assert_eq!(bound(&parts), Ok(Bound { bytes: 144, path: path.to_vec() }));
    // Where the compiler says less than the code does, the code is right.
    assert_eq!(bytes(&[("main", &main[..], Some(2)), small, large]), Ok(108));
    let other = Program::read(&file(&parts)).expect("a program").bound("mane");
    assert_eq!(other, Err(StackError::NoFunction("mane".to_owned())));
}

#[test]
fn constants_are_no_code() {
    // What stands at 6 looks like a call of itself.
    let [call, constant] = [bl(0, 12), bl(6, 0)];
    let code = [call[0], call[1], BX_LR, constant[0], constant[1], NOP, PUSH_LR, POP_PC];
    let symbols = [("main", 0), ("$t", 0), ("$d.3", 6), ("$t.4", 10), ("leaf", 12)];
    assert_eq!(bytes_marked(&code, &symbols), Ok(4));
    let unmarked = symbols.map(|(name, start)| (if name == "$d.3" { "$t" } else { name }, start));
    assert!(matches!(bytes_marked(&code, &unmarked), Err(StackError::Recursion(_))));
}

#[test]
fn a_match_by_a_table_stays_in_its_function() {
    let with = |jump, entry| {
        let symbols = [("main", 0), ("$t", 0), ("$d", 4), ("$t", 8), ("other", 12)];
        bytes_marked(&[jump, NOP, entry, 0, BX_LR, BX_LR, BX_LR], &symbols)
    };
    let [by_address, by_distance] = [0x468f, 0x4487];
    let indirect = Err(StackError::Indirect { function: "main".to_owned(), at: 0 });
    assert_eq!(with(by_address, 9), Ok(0));
    assert_eq!(with(by_address, 13), indirect, "to another function");
    assert_eq!(with(by_distance, 1), Ok(0));
    assert_eq!(bytes_marked(&[by_distance, NOP, NOP, NOP], &[("main", 0)]), indirect, "without a table");
}

#[test]
fn a_recursion_has_no_bound() {
    let recursion = |path: &[&str]| Err(StackError::Recursion(path.iter().map(|&name| name.to_owned()).collect()));
    let itself = bl(2, 0);
    assert_eq!(bytes(&[("main", &[PUSH_LR, itself[0], itself[1], POP_PC], Some(4))]), recursion(&["main", "main"]));
    let [there, back] = [bl(2, 8), bl(10, 0)];
    let main: Part<'_> = ("main", &[PUSH_LR, there[0], there[1], POP_PC], Some(8));
    let other: Part<'_> = ("other", &[PUSH_LR, back[0], back[1], POP_PC], Some(8));
    assert_eq!(bytes(&[main, other]), recursion(&["main", "other", "main"]));
    // A loop is none, nor is a far jump in a function by BL.
    assert_eq!(bytes(&[("main", &[0xe7fe], Some(8))]), Ok(8));
    let far = bl(0, 4);
    assert_eq!(bytes(&[("main", &[far[0], far[1], BX_LR], Some(8))]), Ok(8));
}

#[test]
fn what_the_code_does_not_tell_has_no_bound() {
    let call = bl(2, 8);
    let main: Part<'_> = ("main", &[PUSH_LR, call[0], call[1], POP_PC], None);
    let other = |code: &[u16], size| bytes(&[main, ("other", code, size)]);
    let (function, by_register) = ("other".to_owned(), [0xb082, 0x449d]);
    assert_eq!(other(&[0x4798], Some(8)), Err(StackError::Indirect { function: function.clone(), at: 8 }));
    assert_eq!(other(&by_register, None), Err(StackError::Computed { function: function.clone(), at: 10 }));
    assert_eq!(other(&by_register, Some(88)), Ok(92), "the compiler knows");
    assert_eq!(other(&[0xe002], Some(8)), Err(StackError::Astray { function, to: 16 }));
    // Not on the path: no matter.
    assert_eq!(bytes(&[("main", &[BX_LR], None), ("other", &[0x4798], None)]), Ok(0));
}

#[test]
fn a_file_without_sizes_is_refused() {
    let empty = |kind| Object::new(BinaryFormat::Elf, kind, Endianness::Little).write().expect("a file");
    assert_eq!(Program::read(&empty(Architecture::Arm)).err(), Some(StackError::NoSizes));
    assert!(matches!(Program::read(&empty(Architecture::Riscv32)), Err(StackError::NotArm(_))));
    assert!(matches!(Program::read(b"no ELF"), Err(StackError::NotArm(_))));
    // A size of two bytes, and one that breaks off.
    let sizes = |size: &[u8]| sizes_in(&[&0x101_u32.to_le_bytes(), size].concat());
    assert_eq!(sizes(&[0x98, 0x12]), Some(BTreeMap::from([(0x100, 0x918)])));
    assert_eq!(sizes(&[0x98]), None);
}
