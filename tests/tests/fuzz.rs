//! What comes from outside, on stable Rust: the corpora of the fuzzing targets, and examples that are damaged by chance.
//!
//! Each input is read by the same function as under a fuzzer, with the memory that it takes on the heap measured. One
//! test does all, since that measure is the process's.

use std::path::{Path, PathBuf};

use lgl2o_tests::cases;
use lgl2o_tests::fuzz::{TARGETS, Target};
use peak_alloc::PeakAlloc;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

#[global_allocator]
static HEAP: PeakAlloc = PeakAlloc;

/// Something that happens to some bytes; places are parts of the length.
#[derive(Debug, Clone)]
enum Damage {
    Flip(f64, u8),
    Set(f64, [u8; 4], usize),
    Cut(f64),
    Remove(f64, f64),
    Repeat(f64, f64),
    Append(Vec<u8>),
}

fn damage() -> impl Strategy<Value = Damage> {
    // Numbers that lengths and counts should not have.
    let word = prop_oneof![any::<[u8; 4]>(), Just([0; 4]), Just([255; 4]), Just([255, 255, 255, 127])];
    prop_oneof![
        4 => (0.0..1.0, any::<u8>()).prop_map(|(at, mask)| Damage::Flip(at, mask)),
        3 => (0.0..1.0, word, 1usize..5).prop_map(|(at, word, n)| Damage::Set(at, word, n)),
        1 => (0.0..1.0).prop_map(Damage::Cut),
        1 => (0.0..1.0, 0.0..0.3).prop_map(|(at, part)| Damage::Remove(at, part)),
        1 => (0.0..1.0, 0.0..0.3).prop_map(|(at, part)| Damage::Repeat(at, part)),
        1 => prop::collection::vec(any::<u8>(), 0..64).prop_map(Damage::Append),
    ]
}

fn hurt(bytes: &mut Vec<u8>, damage: &Damage) {
    let place = |part: f64, length: usize| (part * length as f64) as usize;
    let length = bytes.len();
    let part = |at: f64, part: f64| place(at, length)..(place(at, length) + place(part, length)).min(length);
    match damage {
        Damage::Flip(at, mask) => bytes.get_mut(place(*at, length)).into_iter().for_each(|byte| *byte ^= mask),
        Damage::Set(at, word, n) => {
            bytes.iter_mut().skip(place(*at, length)).zip(&word[..*n]).for_each(|(b, w)| *b = *w);
        }
        Damage::Cut(at) => bytes.truncate(place(*at, length)),
        Damage::Remove(at, p) => drop(bytes.drain(part(*at, *p))),
        Damage::Repeat(at, p) => bytes.extend_from_within(part(*at, *p)),
        Damage::Append(more) => bytes.extend(more),
    }
}

/// Reads some bytes and says whether they were accepted; fails if that took too much memory.
fn within_bounds(target: &Target, bytes: &[u8]) -> Result<bool, String> {
    let (before, most) = (HEAP.current_usage(), (target.memory)(bytes));
    HEAP.reset_peak_usage();
    let accepted = (target.read)(bytes);
    let taken = HEAP.peak_usage().saturating_sub(before);
    if taken <= most {
        Ok(accepted)
    } else {
        Err(format!("{} bytes took {taken} bytes of memory, not {most}", bytes.len()))
    }
}

fn corpus(name: &str) -> Vec<PathBuf> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(name);
    let entries = std::fs::read_dir(&dir).unwrap_or_else(|error| panic!("{}: {error}", dir.display()));
    let mut files: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    files
}

fn damaged(target: &Target, inputs: &[Vec<u8>]) {
    let inputs = inputs.to_vec();
    let mut runner = TestRunner::new(cases!(1500, "fuzz"));
    let which = (prop::sample::select(inputs), prop::collection::vec(damage(), 0..6));
    let end = runner.run(&which, |(mut bytes, damages)| {
        damages.iter().for_each(|damage| hurt(&mut bytes, damage));
        within_bounds(target, &bytes).map(drop).map_err(TestCaseError::fail)
    });
    end.unwrap_or_else(|error| panic!("{}: {error}", target.name));
}

/// The measure measures: what asks for memory is seen to.
fn too_much_is_noticed() {
    let greedy = Target {
        name: "greedy",
        read: |bytes| std::hint::black_box(vec![1u8; 1000 * bytes.len()]).len() > 9,
        examples: Vec::new,
        memory: |bytes| 999 * bytes.len(),
    };
    assert!(within_bounds(&greedy, &[0; 1000]).is_err());
}

#[test]
fn nothing_from_outside_breaks_a_promise() {
    too_much_is_noticed();
    for target in &TARGETS {
        let mut inputs = (target.examples)();
        assert_eq!(within_bounds(target, &inputs[0]), Ok(true), "{}: the first example is good", target.name);
        for file in corpus(target.name) {
            inputs.push(std::fs::read(&file).expect("readable"));
        }
        for bytes in &inputs {
            within_bounds(target, bytes).unwrap_or_else(|error| panic!("{}: {error}", target.name));
        }
        damaged(target, &inputs);
    }
    // Each target is one of cargo-fuzz, too.
    for target in &TARGETS {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("fuzz/fuzz_targets/{}.rs", target.name));
        let text = std::fs::read_to_string(&source).unwrap_or_else(|error| panic!("{}: {error}", source.display()));
        assert!(text.contains(&format!("\"{}\"", target.name)), "{text}");
    }
}
