//! The most stack that training can take, from the compiler's own sizes: no less than the very same program was seen to use,
//! and held against `firmware/counts.json`.

use std::fs;
use std::path::{Path, PathBuf};

use lgl2o_host::device::board::Board;
use lgl2o_host::device::emulator::Emulator;
use lgl2o_host::device::firmware;
use lgl2o_tools::stack::{Bound, Program, StackError};

use crate::pinned::{Figures, StackBound, committed, grown, hold};
use crate::{built_for, built_with, check_equal, device, held_boards, is_tried, learned_over};

/// What is bounded: program, and a part of the name that the linker has for the function of a training step.
const BOUNDED: [(&str, Option<&str>); 2] = [
    ("spirals", Some("lgl2o_device7spirals4step")),
    // There the step is part of `main`.
    ("stream", None),
];
/// The same with the boards that are held to figures and that these programs are tried on.
fn bounded() -> impl Iterator<Item = (&'static Board, &'static str, Option<&'static str>)> {
    held_boards()
        .flat_map(|board| BOUNDED.map(|(program, step)| (board, program, step)).into_iter())
        .filter(|(board, program, _)| is_tried(board, program))
}

/// Where the processor begins, with an empty stack.
const ENTRY: &str = "Reset";

/// Builds a program that says the sizes of its frames: any by Debian's compiler; by another one apart from those that do not.
fn sized(board: &Board, program: &str) -> PathBuf {
    let built = built_for(board, program, &[]);
    let elf = fs::read(&built).expect("a program");
    if !matches!(Program::read(&elf), Err(StackError::NoSizes)) {
        return built;
    }
    // The flag is one of unstable Rust; what it is to change is a section of the file that no board ever loads.
    let environment = [("RUSTFLAGS", "-Zemit-stack-sizes"), ("RUSTC_BOOTSTRAP", "1")];
    built_with(board, program, "stack-sizes", &environment)
}

/// The most stack that is in use when a program runs, in bytes.
fn seen(board: &Board, program: &str, elf: &Path) -> u32 {
    if program == "stream" {
        let emulator = Emulator::start(board, elf).expect("an emulator");
        let outcome = learned_over(emulator.uart.try_clone().expect("a UART"));
        assert!(outcome.failure.is_none(), "{}: {:?}", board.name, outcome.failure);
        return outcome.device.expect("what the device says of itself").stack;
    }
    let run = device(None, board, &["--program", program, "--elf", elf.to_str().expect("a path in Unicode")]);
    check_equal(board, &run);
    run.1["device"]["stack"].as_u64().and_then(|bytes| u32::try_from(bytes).ok()).expect("bytes")
}

/// Whether a bound is no less than what was in use, or something was overlooked; nor so much more that it says nothing.
fn bounds_what_is_seen(bound: &StackBound, seen: u32) -> bool {
    (seen..=seen + seen / 4).contains(&bound.whole)
}

/// The bounds of a program; prints the deepest paths.
fn bounds(elf: &[u8], program: &str, step: Option<&str>) -> StackBound {
    let functions = Program::read(elf).unwrap_or_else(|error| panic!("{program}: {error}"));
    let bound = |name: &str| {
        let bound = functions.bound(name).unwrap_or_else(|error| panic!("{program} has no bound: {error}"));
        print(name, &bound);
        bound.bytes
    };
    let step = step.map(|part| {
        let name = functions.names().find(|name| name.contains(part));
        bound(name.unwrap_or_else(|| panic!("{program}: no function has {part} in its name")))
    });
    StackBound { program: program.to_owned(), step, whole: bound(ENTRY) }
}

fn print(name: &str, bound: &Bound) {
    println!("{} bytes by {name}:", bound.bytes);
    bound.path.iter().for_each(|(function, frame)| println!("{frame:6} {function}"));
}

/// Bounds that have grown by more than 10 %.
fn bounds_grown(now: &[StackBound], then: &[StackBound]) -> Vec<String> {
    let same = |a: &StackBound, b: &StackBound| a.program == b.program;
    let mut all = grown(now, then, same, |bound| bound.whole, 1.1);
    all.extend(grown(now, then, same, |bound| bound.step.unwrap_or(0), 1.1));
    all
}

#[test]
#[ignore = "needs QEMU and a compiler for the boards"]
fn no_stack_bound_has_grown() {
    for board in held_boards() {
        let name = board.name;
        let (mut now, mut compiler) = (Vec::new(), None);
        for (_, program, step) in bounded().filter(|(bounded, ..)| *bounded == board) {
            let path = sized(board, program);
            let elf = fs::read(&path).expect("a program");
            let (bound, seen) = (bounds(&elf, program, step), seen(board, program, &path));
            compiler = firmware::compiler(&elf);
            println!("{name}, {compiler:?}: {bound:?}, seen {seen}");
            assert!(bounds_what_is_seen(&bound, seen), "{name}: {bound:?}, and {seen} bytes were in use");
            now.push(bound);
        }
        let write = |figures: &mut Figures| figures.bounds.clone_from(&now);
        hold(name, compiler.as_deref(), |then| bounds_grown(&now, &then.bounds), write);
    }
}

#[test]
fn a_bound_is_held_against_what_is_seen() {
    let bound = StackBound { program: "spirals".to_owned(), step: None, whole: 2712 };
    assert!([2712, 2600, 2200].iter().all(|&seen| bounds_what_is_seen(&bound, seen)));
    assert!([2736, 2000].iter().all(|&seen| !bounds_what_is_seen(&bound, seen)));
}

#[test]
fn growth_of_a_bound_is_noticed() {
    let pinned = committed();
    for (board, program, step) in bounded() {
        let then = pinned.boards[board.name].bounds.iter().find(|bound| bound.program == program).expect("a bound");
        assert_eq!(then.step.is_some(), step.is_some());
        let then = std::slice::from_ref(then);
        let of = |whole, step| StackBound { program: program.to_owned(), step, whole };
        let more = |n: u32| n + n / 9;
        assert!(bounds_grown(then, then).is_empty());
        assert_eq!(bounds_grown(&[of(more(then[0].whole), then[0].step)], then).len(), 1, "{}: {program}", board.name);
        let step = then[0].step.map(more);
        assert_eq!(bounds_grown(&[of(then[0].whole, step)], then).len(), usize::from(step.is_some()));
        assert_eq!(bounds_grown(&[of(1, None)], &[]).len(), 2, "one that was not there");
    }
}
