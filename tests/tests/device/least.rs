//! What training alone takes of flash and RAM on a Cortex-M4F, held against `firmware/counts.json`.

use std::fs;

use lgl2o_host::device::board::{Board, board};
use lgl2o_host::device::firmware;
use object::{Object as _, ObjectSection as _, ObjectSymbol as _, SymbolKind};

use crate::pinned::{Least, committed, grown, hold};
use crate::{built_for, left_out, summary};

const BOARD: &str = "mps2-an386";
/// How `least` trains, and the features that have it do so.
const WAYS: [(&str, &[&str]); 8] = [
    ("Descent, SGD", &[]),
    ("Descent, Adam", &["by-adam"]),
    ("Unguarded, SGD", &["whole-gradient"]),
    ("the same, `small`", &["whole-gradient", "small"]),
    ("Unguarded, averaged l2o", &["by-l2o"]),
    ("auto_lean", &["by-auto-lean"]),
    ("auto_lean, `small`", &["by-auto-lean", "small"]),
    ("auto_rotated", &["by-auto-rotated"]),
];
/// The loss of ten classes that are guessed is 2.3; so little is left of it in the end.
const LEARNED: f32 = 0.5;

/// The bytes of a program by whose they are.
#[derive(Debug, Default, PartialEq, Eq)]
struct Shares {
    /// The library's own code, with what the compiler has put into it of others'.
    code: u32,
    /// The functions of libm that were left as such.
    libm: u32,
    /// What the compiler has functions of its own for: copies, fills.
    builtins: u32,
    /// Weights, tables and other constants; for `empty` those of the board.
    constants: u32,
}

/// Whose a function is, by its name as the linker has it.
fn share<'a>(all: &'a mut Shares, name: &str) -> Option<&'a mut u32> {
    let has = |parts: &[&str]| parts.iter().any(|part| name.contains(part));
    if has(&["__aeabi_", "compiler_builtins"]) || ["memcpy", "memset", "memmove"].contains(&name) {
        Some(&mut all.builtins)
    } else if has(&["libm"]) {
        Some(&mut all.libm)
    } else if has(&["cortex_m_rt_main", "draw", "lgl2o_firmware", "lgl2o_device"]) {
        None
    } else if has(&["lgl2o", "least"]) {
        Some(&mut all.code)
    } else {
        None
    }
}

fn shares(elf: &[u8]) -> Shares {
    let file = object::File::parse(elf).expect("an ELF file");
    let mut shares = Shares::default();
    let mut seen = std::collections::BTreeSet::new();
    for symbol in file.symbols().filter(|symbol| symbol.kind() == SymbolKind::Text) {
        // Functions whose code is the same are one, with several names.
        if symbol.size() > 0
            && let Some(bytes) = share(&mut shares, symbol.name().expect("a name"))
            && seen.insert(symbol.address())
        {
            *bytes += symbol.size() as u32;
        }
    }
    shares.constants = file.section_by_name(".rodata").map_or(0, |section| section.size() as u32);
    shares
}

/// What is beyond the empty program's.
fn beyond(all: &Shares, empty: &Shares) -> Shares {
    let beyond = |all: u32, empty: u32| all.saturating_sub(empty);
    let (builtins, constants) = (beyond(all.builtins, empty.builtins), beyond(all.constants, empty.constants));
    Shares { builtins, constants, ..*all }
}

/// Runs a program to its end; returns its training memory, the most stack in use, and the bits of its last loss.
fn ran(board: &Board, elf: &std::path::Path) -> (u32, u32, u32) {
    let summary = summary(board, elf).expect("the program failed");
    let loss = f32::from_bits(summary.loss);
    assert!(loss < LEARNED, "{}: the loss is {loss}", elf.display());
    (summary.memory, summary.stack, summary.loss)
}

#[test]
#[ignore = "needs QEMU and a compiler for the boards"]
fn no_least_program_has_grown() {
    if left_out("the least programs") {
        return;
    }
    let board = board(BOARD).expect("a board");
    let read = |elf: &std::path::Path| fs::read(elf).expect("a program");
    let empty = read(&built_for(board, "empty", &[]));
    let compiler = firmware::compiler(&empty);
    println!("{BOARD}, {compiler:?}; bytes\n");
    println!(
        "| training by | flash | of it code | libm | builtins | constants | memory | stack | RAM | beyond `empty` |"
    );
    println!("|:---|{}", "---:|".repeat(9));
    let (mut now, mut before) = (Vec::new(), 0);
    for (way, features) in WAYS {
        let features: Vec<String> = features.iter().map(|&feature| feature.to_owned()).collect();
        let elf = built_for(board, "least", &features);
        let bytes = read(&elf);
        let Shares { code, libm, builtins, constants } = beyond(&shares(&bytes), &shares(&empty));
        let flash = code + libm + builtins + constants;
        let (memory, stack, loss) = ran(board, &elf);
        // Small kernels have the bits of the others, which are the row before.
        assert!(!features.iter().any(|feature| feature == "small") || loss == before, "{way}: other bits");
        before = loss;
        let [whole, without] = [&bytes, &empty].map(|elf| firmware::sizes(elf, board).expect("sizes").flash);
        let (ram, more) = (memory + stack, whole - without);
        println!(
            "| {way} | {flash} | {code} | {libm} | {builtins} | {constants} | {memory} | {stack} | {ram} | {more} |"
        );
        now.push(Least { way: way.to_owned(), flash, code, memory, stack });
    }
    hold(BOARD, compiler.as_deref(), |then| least_grown(&now, &then.least), |figures| figures.least.clone_from(&now));
}

/// Flash that has grown by more than 5 %, or memory or stack by 10 %.
fn least_grown(now: &[Least], then: &[Least]) -> Vec<String> {
    let same = |a: &Least, b: &Least| a.way == b.way;
    let mut all = grown(now, then, same, |least| least.flash, 1.05);
    all.extend(grown(now, then, same, |least| least.code, 1.05));
    all.extend(grown(now, then, same, |least| least.memory, 1.1));
    all.extend(grown(now, then, same, |least| least.stack, 1.1));
    all
}

#[test]
fn growth_of_a_least_program_is_noticed() {
    let then = &committed().boards[BOARD].least;
    assert!(then.iter().map(|least| &*least.way).eq(WAYS.iter().map(|(way, _)| *way)), "{then:?}");
    assert!(least_grown(then, then).is_empty());
    let mut now = then.clone();
    now[0].flash += then[0].flash / 15;
    now[1].stack += then[1].stack / 9;
    assert_eq!(least_grown(&now, then).len(), 2);
}

#[test]
fn a_function_is_told_by_its_name() {
    let of = |name| {
        let mut shares = Shares::default();
        *share(&mut shares, name)? = 1;
        Some([shares.code, shares.libm, shares.builtins])
    };
    assert_eq!(of("_ZN5lgl2o3sum4dot217h7e0278695a35cadfE"), Some([1, 0, 0]));
    assert_eq!(of("_ZN5least5train17hee7e2c076d805f19E"), Some([1, 0, 0]));
    assert_eq!(of("_ZN4libm4math4expf4expf17h0123456789abcdefE"), Some([0, 1, 0]));
    assert_eq!(of("__aeabi_memclr4"), Some([0, 0, 1]));
    for others in
        ["_ZN5least5Noise4draw17hE", "_ZN5least18__cortex_m_rt_main17hE", "_ZN14lgl2o_firmware4sendE", "Reset"]
    {
        assert_eq!(of(others), None);
    }
}
