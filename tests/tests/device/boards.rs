//! Every board under QEMU has this machine's bits.

use std::collections::BTreeSet;
use std::path::Path;

use lgl2o_host::device::board::{BOARDS, Board, board};
use lgl2o_host::device::emulator::Emulator;
use lgl2o_host::device::firmware::{self, Build, Sizes};
use lgl2o_host::device::stream::{Outcome, StreamError};
use lgl2o_tests::program::build;

use crate::{boards, built_for, check_equal, device, learned_over, left_out};

/// A board of each instruction set: Armv6-M, Armv7-M, Armv7E-M, Armv8-M, RV32IMAC.
const ONE_EACH: [&str; 5] = ["microbit", "lm3s6965evb", "mps2-an386", "mps2-an505", "riscv-virt"];

#[test]
fn one_board_of_each_instruction_set_is_among_the_few() {
    let targets = |all: &mut dyn Iterator<Item = &'static Board>| -> BTreeSet<&str> { all.map(|b| b.target).collect() };
    let few = targets(&mut BOARDS.iter().filter(|b| ONE_EACH.contains(&b.name)));
    assert_eq!((few.len(), few), (ONE_EACH.len(), targets(&mut BOARDS.iter())));
}

#[test]
#[ignore = "needs QEMU and a compiler for the boards"]
fn every_board_has_this_machines_bits() {
    let few = left_out("micromath, and boards of the same instruction set");
    let emulated = || BOARDS.iter().filter(|b| b.is_emulated() && (!few || ONE_EACH.contains(&b.name)));
    let libm: Vec<String> = emulated().map(|b| check_equal(b, &device(None, b, &[]))).collect();
    // Among boards too, where the network is the same one.
    let large = |b: &Board| !b.small;
    let traces: Vec<&String> = emulated().zip(&libm).filter(|(b, _)| large(b)).map(|(_, trace)| trace).collect();
    assert!(traces.windows(2).all(|pair| pair[0] == pair[1]), "{traces:?}");
    if few {
        return;
    }
    let micromath = build("micromath");
    for (board, other) in emulated().zip(libm) {
        let run = device(Some(&micromath), board, &[]);
        assert_ne!(check_equal(board, &run), other, "micromath has libm's bits");
        assert_eq!(run.1["math"], "micromath");
    }
}

#[test]
#[ignore = "needs QEMU and a compiler for the boards"]
fn a_flipped_bit_a_foreign_program_and_a_stall_are_caught() {
    let board = |name: &str| BOARDS.iter().find(|b| b.name == name).expect("a board");
    let m4 = board("mps2-an386");
    let (flipped, record) = device(None, m4, &["--features", "flip-bit"]);
    flipped.expect(1, &["device and host differ", "DIFFERENT from round 1 on"]);
    assert_eq!((&record["equal"], &record["first_difference"]["round"]), (&false.into(), &1.into()));

    let elf = "firmware/target/programs/mps2-an386/spirals-flip-bit";
    device(None, board("mps2-an500"), &["--elf", elf]).0.expect(1, &["is for the board mps2-an386"]);
    // No build ends, and no board trains, within a second of nothing; what was received is kept.
    let (slow, record) = device(None, board("mps2-an385"), &["--timeout", "1"]);
    slow.expect(1, &["did not come to an end within 1 seconds"]);
    assert_eq!(record["equal"], false);
}

#[test]
#[ignore = "needs QEMU and a compiler for the boards"]
fn gestures_are_learned_with_this_machines_bits() {
    for board in boards(&["mps2-an386", "microbit", "lm3s6965evb", "mps2-an505"], 0) {
        let run = device(None, board, &["--program", "sensor"]);
        check_equal(board, &run);
        assert!(run.1["host"]["accuracy"].as_f64().is_some_and(|share| share > 0.9), "{}", board.name);
        assert!(run.0.out.contains("held-out accuracy"), "{}", run.0.out);
    }
}

#[test]
#[ignore = "needs QEMU and a compiler for the boards"]
fn images_from_here_are_learned_with_this_machines_bits() {
    for Board { name, .. } in boards(&["mps2-an386", "mps2-an500", "riscv-virt"], 192) {
        let outcome = streamed(name, &[]);
        assert!(outcome.failure.is_none(), "{name}: {:?}", outcome.failure);
        assert!(outcome.rounds.iter().all(|(theirs, ours)| theirs.as_ref() == Some(ours)), "{name}");
        let summary = outcome.device.expect("what the device says of itself");
        // All of its memory but a few words of the log and of the board.
        assert!(summary.memory + summary.stack < 192_000 - 1000, "{summary:?}");
    }
    let flipped = streamed("mps2-an386", &["flip-bit".to_owned()]).failure.expect("a difference");
    assert!(matches!(flipped, StreamError::Differs { round: 1, .. }), "{flipped}");
}

/// Sends images to `stream` on a board.
fn streamed(name: &str, features: &[String]) -> Outcome {
    let board = board(name).expect("a board");
    let emulator = Emulator::start(board, &built_for(board, "stream", features)).expect("an emulator");
    learned_over(emulator.uart.try_clone().expect("a UART"))
}

/// Builds a program; gives what the build said, and whether it went well.
fn built(name: &str, program: &str, features: &[&str]) -> (bool, String) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../firmware");
    let features: Vec<String> = features.iter().map(|&feature| feature.to_owned()).collect();
    let board = board(name).expect("a board");
    match firmware::build(&Build { folder: &folder, board, program, features: &features }, |_| {}) {
        Ok(_) => (true, String::new()),
        Err(error) => (false, format!("{error:#}")),
    }
}

#[test]
#[ignore = "needs a compiler for the boards"]
fn programs_that_train_cannot_panic() {
    let few = [("mps2-an386", "spirals"), ("microbit", "spirals")];
    let more = [("mps2-an386", "stream"), ("nrf52840-dk", "spirals"), ("nrf52840-dk", "stream")];
    let more = if left_out("real hardware, and `stream`") { &[][..] } else { &more };
    for &(board, program) in few.iter().chain(more) {
        let (links, words) = built(board, program, &["panic-never"]);
        assert!(links, "{program} on {board} has a panic: {words}");
        let (links, words) = built(board, program, &["panic-never", "planted-panic"]);
        assert!(
            !links && words.contains("panic-never"),
            "{program} on {board}: the planted panic is not seen: {words}"
        );
    }
}

/// The program resets the board, and QEMU is killed in the middle, most often while a checkpoint is written.
#[test]
#[ignore = "needs QEMU and a compiler for the boards"]
fn a_run_goes_on_after_resets_and_power_cuts() {
    for board in boards(&["mps2-an386", "microbit", "mps2-an385", "riscv-virt"], 0) {
        let name = board.name;
        let run = device(None, board, &["--program", "resume"]);
        check_equal(board, &run);
        assert_eq!(run.1["device"]["resumed"], serde_json::json!([20]), "{name}: reset after 25 rounds");
        let run = device(None, board, &["--program", "resume", "--power-cuts", "12"]);
        check_equal(board, &run);
        assert!(run.1["device"]["resumed"].as_array().is_some_and(|resumed| resumed.len() > 5), "{name}");
    }
}

#[test]
#[ignore = "needs QEMU and a compiler for the boards"]
fn no_fault_leaves_the_model_worse_than_the_fallback() {
    for board in boards(&["mps2-an386", "microbit", "netduinoplus2", "mps3-an547"], 0) {
        let (ran, record) = device(None, board, &["--program", "faults"]);
        ran.expect(0, &[]);
        assert_eq!((&record["equal"], &record["kept"]), (&true.into(), &true.into()), "{}", board.name);
    }
}

#[test]
#[ignore = "needs QEMU and a compiler for the boards"]
fn costs_are_counted_and_sizes_told() {
    for board in boards(&["mps2-an386"], 0) {
        let (ran, record) = device(None, board, &["--program", "cost"]);
        ran.expect(0, &[]);
        let [costs, sizes] = ["costs", "sizes"].map(|key| record[key].as_array().expect("a list"));
        // Fifteen figures of each workload that the memory holds.
        assert!(!costs.is_empty() && costs.len() % 15 == 0, "{}: {}", board.name, costs.len());
        assert!(costs.iter().all(|cost| cost["instructions"].as_u64().is_some_and(|n| n > 100)), "{}", board.name);
        assert_eq!((&record["unit"], sizes.len()), (&"instructions".into(), if board.ram < 192 { 5 } else { 6 }));
        for size in sizes {
            let (ram, name) = (size["static_ram"].as_u64().expect("bytes"), &size["program"]);
            assert!(ram < u64::from(board.ram) * 1024, "{}: {name} has {ram} bytes of static RAM", board.name);
            assert_eq!(size["stack"].is_null(), *name == "stream", "{}: {name}", board.name);
        }
    }
}

/// On RISC-V the linker's script has sections for heap and stack, which fill the memory.
#[test]
fn what_is_set_aside_for_the_stack_is_no_static_ram() {
    use object::SectionKind::{Data, ReadOnlyData, Text, UninitializedData};
    use object::{Architecture, BinaryFormat, Endianness};
    let mut file = object::write::Object::new(BinaryFormat::Elf, Architecture::Riscv32, Endianness::Little);
    for (name, kind, bytes) in [(".text", Text, 40), (".rodata", ReadOnlyData, 8), (".data", Data, 4)] {
        let section = file.add_section(Vec::new(), name.into(), kind);
        file.append_section_data(section, &vec![1; bytes], 4);
    }
    for (name, bytes) in [(".bss", 100), (".heap", 16), (".stack", 1 << 24)] {
        let section = file.add_section(Vec::new(), name.into(), UninitializedData);
        file.append_section_bss(section, bytes, 4);
    }
    let sizes = firmware::sizes(&file.write().expect("an ELF file")).expect("sizes");
    assert_eq!(sizes, Sizes { flash: 52, ram: 104 });
}
