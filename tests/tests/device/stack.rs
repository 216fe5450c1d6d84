//! The most stack that training can take, from the compiler's own sizes, held against `firmware/counts.json`.

use std::fs;

use lgl2o_host::device::{board, firmware};
use lgl2o_tests::stack::{Bound, Program};

use crate::built_with;
use crate::counts::{Counts, RENEW, StackBound, commit, committed, grown, of_compiler, to_be_renewed};

/// What is bounded: board, program, and a part of the name that the linker has for the function of a training step.
const BOUNDED: [(&str, &str, Option<&str>); 3] = [
    ("mps2-an386", "spirals", Some("lgl2o_device7spirals4step")),
    ("microbit", "spirals", Some("lgl2o_device7spirals4step")),
    // There the step is part of `main`.
    ("mps2-an386", "stream", None),
];
/// Where the processor begins, with an empty stack.
const ENTRY: &str = "Reset";

/// Builds a program that says the sizes of its frames, apart from those that do not.
fn sized(name: &str, program: &str) -> Vec<u8> {
    // The flag is one of unstable Rust; what it is to change is a section of the file that no board ever loads.
    let board = board::board(name).expect("a board");
    let environment = [("RUSTFLAGS", "-Zemit-stack-sizes"), ("RUSTC_BOOTSTRAP", "1")];
    fs::read(built_with(board, program, "stack-sizes", &environment)).expect("a program")
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
#[ignore = "needs a compiler for the boards"]
fn no_stack_bound_has_grown() {
    let mut counts = committed();
    for (board, program, step) in BOUNDED {
        let elf = sized(board, program);
        let compiler = firmware::compiler(&elf);
        let then = of_compiler(counts.entry(board.to_owned()).or_default(), compiler.as_deref());
        let now = bounds(&elf, program, step);
        println!("{board}, {compiler:?}: {now:?}, seen {:?}", then.stack(program));
        // No less than what was seen, or something was overlooked; nor so much more that it says nothing.
        if let Some(seen) = then.stack(program) {
            let near = (seen..=seen + seen / 4).contains(&now.whole);
            assert!(near, "{board}: {now:?}, but in firmware/counts.json {seen} bytes were in use; {RENEW}");
        }
        let same = |bound: &&mut StackBound| bound.program == program;
        match then.bounds.iter_mut().find(same) {
            Some(bound) if to_be_renewed() => *bound = now,
            None if to_be_renewed() => then.bounds.push(now),
            None => eprintln!("{board}: {program} is not compared, there is no bound by {compiler:?}"),
            Some(bound) => {
                let grown = bounds_grown(&[now], std::slice::from_ref(bound));
                assert!(grown.is_empty(), "{board}: more than in firmware/counts.json; {RENEW}\n{grown:#?}");
            }
        }
    }
    if to_be_renewed() {
        commit(&counts);
    }
}

#[test]
fn growth_of_a_bound_is_noticed() {
    let counts: Counts = committed();
    for (board, program, step) in BOUNDED {
        let all = counts[board].iter().flat_map(|found| &found.bounds);
        let then = all.into_iter().find(|bound| bound.program == program).expect("a bound");
        assert_eq!(then.step.is_some(), step.is_some());
        let then = std::slice::from_ref(then);
        let of = |whole, step| StackBound { program: program.to_owned(), step, whole };
        let more = |n: u32| n + n / 9;
        assert!(bounds_grown(then, then).is_empty());
        assert_eq!(bounds_grown(&[of(more(then[0].whole), then[0].step)], then).len(), 1, "{board}: {program}");
        let step = then[0].step.map(more);
        assert_eq!(bounds_grown(&[of(then[0].whole, step)], then).len(), usize::from(step.is_some()));
        assert_eq!(bounds_grown(&[of(1, None)], &[]).len(), 2, "one that was not there");
    }
}
