//! Every board under QEMU has this machine's bits.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use lgl2o_device::boards::{UnknownBoard, need};
use lgl2o_host::device::board::{BOARDS, Board, names, usual};
use lgl2o_host::device::emulator::Emulator;
use lgl2o_host::device::firmware::{self, Build, Sizes};
use lgl2o_host::device::programs::PROGRAMS;
use lgl2o_host::device::stream::{Outcome, StreamError};
use lgl2o_tests::program::build;

use crate::pinned::committed;
use crate::{
    Extent, boards, built_for, check_equal, device, extent, hardware, held_boards, is_tried, learned_over, left_out,
    pinned_boards,
};

/// The first board of each instruction set.
fn one_each() -> impl Iterator<Item = &'static Board> {
    let mut sets = BTreeSet::new();
    BOARDS.iter().filter(move |board| sets.insert(board.entry.get("isa")))
}

#[test]
fn every_board_has_its_code_and_a_feature_and_programs_that_are_tried() {
    let firmware = Path::new(env!("CARGO_MANIFEST_DIR")).join("../firmware");
    let manifest = fs::read_to_string(firmware.join("Cargo.toml")).expect("a manifest");
    let manifest: toml::Table = manifest.parse().expect("a manifest");
    for board in BOARDS.iter() {
        let code = board.entry.get("code").expect("code");
        assert!(firmware.join("src/board").join(code).is_file(), "{}: {code}", board.name);
        assert!(manifest["features"].get(board.name).is_some(), "{} is no feature", board.name);
        let cpu = [("Cortex-M4F", "cortex-m4"), ("Cortex-M7", "cortex-m7")];
        let cpu = cpu.into_iter().find(|(core, _)| board.entry.get("core") == Some(core)).map(|(_, cpu)| cpu);
        assert_eq!(board.entry.get("cpu"), cpu, "{}", board.name);
        let programs = board.entry.get("tried").expect("programs");
        for program in programs.split(' ') {
            assert!(firmware.join(format!("src/bin/{program}.rs")).is_file(), "{}: {program}", board.name);
            assert!(need(program).is_none() || board.fits(program), "{} is too small for {program}", board.name);
        }
    }
    let pinned: Vec<&str> = pinned_boards().map(|b| b.name).collect();
    assert!(committed().boards.keys().all(|name| pinned.contains(&name.as_str())), "{pinned:?}");
    assert_eq!(pinned.len(), committed().boards.len(), "{pinned:?}");
    let sets: Vec<_> = one_each().map(|board| (board.is_emulated(), board.entry.get("isa"))).collect();
    assert_eq!(sets, ["Thumb-2", "Thumb", "RV32"].map(|set| (true, Some(set))), "QEMU has a board of each");
}

/// The table is read by programs and by scripts; both read the same.
#[test]
fn scripts_read_the_same_table_and_name_the_boards_that_there_are() {
    let run = |script: &str, arguments: &[&str]| {
        let firmware = Path::new(env!("CARGO_MANIFEST_DIR")).join("../firmware");
        let output = Command::new("bash").arg(firmware.join(script)).args(arguments).output().expect("bash");
        let [out, err] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).expect("Unicode"));
        (output.status.code(), out.trim_end().to_owned(), err)
    };
    let said = |words: Vec<&str>| (Some(0), words.join("\n"), String::new());
    assert_eq!(run("boards", &[]), said(names()));
    assert_eq!(run("boards", &["--each", "isa"]), said(one_each().map(|b| b.name).collect()));
    assert_eq!(run("boards", &["--with", "pinned"]), said(pinned_boards().map(|b| b.name).collect()));
    for board in BOARDS.iter() {
        for key in [
            "core", "about", "target", "isa", "flash", "ram", "clock", "code", "script", "panics", "emulator",
            "machine", "package", "chip", "relative", "linker", "tried", "pinned",
        ] {
            assert_eq!(run("boards", &[board.name, key]), said(board.entry.get(key).into_iter().collect()), "{key}");
        }
    }
    let unknown = format!("{}\n", UnknownBoard("arduino"));
    assert_eq!(run("build", &["arduino"]), (Some(2), String::new(), unknown));
}

/// The table, the files and the manifest have the same programs.
#[test]
fn every_program_of_the_firmware_is_known() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../firmware");
    let files = fs::read_dir(folder.join("src/bin")).expect("a folder").map(|entry| entry.expect("an entry").path());
    let files: BTreeSet<String> =
        files.map(|p| p.file_stem().expect("a name").to_string_lossy().into_owned()).collect();
    let known: BTreeSet<String> = PROGRAMS.iter().map(|program| program.name.to_owned()).collect();
    assert_eq!(files, known);
    let manifest = fs::read_to_string(folder.join("Cargo.toml")).expect("a manifest");
    let manifest: toml::Table = manifest.parse().expect("a manifest");
    let bins = manifest["bin"].as_array().expect("programs").iter();
    let bins: BTreeSet<String> = bins.map(|bin| bin["name"].as_str().expect("a name").to_owned()).collect();
    assert_eq!(bins, known);
}

/// No program is linked for it; all of them are looked at, and what is denied fails.
#[test]
#[ignore = "needs a compiler for the boards"]
fn lints_reach_the_library_and_every_program() {
    let firmware = Path::new(env!("CARGO_MANIFEST_DIR")).join("../firmware");
    let lint = |lints: &[&str]| {
        let mut build = Command::new("bash");
        build.arg(firmware.join("build")).args([usual().name, "clippy", "--"]).args(lints);
        build.env("CARGO_TARGET_DIR", firmware.canonicalize().expect("a folder").join("target"));
        build.env_remove("CARGO").env_remove("RUSTFLAGS").env_remove("CARGO_ENCODED_RUSTFLAGS");
        let output = build.output().expect("bash");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    // Every file has something against one of these.
    let (status, words) = lint(&["-W", "clippy::restriction"]);
    if status == Some(3) {
        assert!(words.contains("there is no Clippy for this compiler"), "{words}");
        return;
    }
    assert_eq!(status, Some(0), "{words}");
    // `train` needs a feature, and somebody's training.
    let programs = PROGRAMS.iter().map(|program| program.name).filter(|program| *program != "train");
    let files = programs.map(|program| format!("src/bin/{program}.rs")).chain(["src/lib.rs".to_owned()]);
    files.for_each(|file| assert!(words.contains(&format!("--> {file}")), "{file} is not looked at: {words}"));
    let (status, words) = lint(&["-D", "clippy::implicit_return"]);
    assert!(status == Some(101) && words.contains("clippy::implicit-return"), "{words}");
}

#[test]
#[ignore = "needs QEMU and a compiler for the boards"]
fn every_board_has_this_machines_bits() {
    let few = left_out("micromath, and boards of the same instruction set");
    let all: Vec<&Board> = if few { one_each().collect() } else { BOARDS.iter().collect() };
    let emulated = || all.iter().copied().filter(|b| b.is_emulated());
    let libm: Vec<String> = emulated().map(|b| check_equal(b, &device(None, b, &[]))).collect();
    // Among boards too, where the network is the same one.
    let large = |b: &Board| b.fits("large");
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
    let board = usual();
    let (flipped, record) = device(None, board, &["--features", "flip-bit"]);
    flipped.expect(1, &["device and host differ", "DIFFERENT from round 1 on"]);
    assert_eq!((&record["equal"], &record["first_difference"]["round"]), (&false.into(), &1.into()));

    let elf = format!("firmware/target/programs/{}/spirals-flip-bit", board.name);
    let other = BOARDS.iter().find(|b| b.target == board.target && b.name != board.name).expect("a board like it");
    device(None, other, &["--elf", &elf]).0.expect(1, &[&format!("is for the board {}", board.name)]);
    // What was received before the board fell silent is kept.
    let (stalled, record) = device(None, board, &["--features", "stall", "--timeout", "5"]);
    stalled.expect(1, &["did not finish within 5 seconds"]);
    assert_eq!(record["equal"], false);
}

#[test]
#[ignore = "needs QEMU and a compiler for the boards"]
fn gestures_are_learned_with_this_machines_bits() {
    for board in boards("sensor") {
        let run = device(None, board, &["--program", "sensor"]);
        check_equal(board, &run);
        assert!(run.1["host"]["accuracy"].as_f64().is_some_and(|share| share > 0.9), "{}", board.name);
        assert!(run.0.out.contains("held-out accuracy"), "{}", run.0.out);
    }
}

#[test]
#[ignore = "needs QEMU and a compiler for the boards"]
fn images_from_here_are_learned_with_this_machines_bits() {
    for board in boards("stream") {
        let (name, outcome) = (board.name, streamed(board, &[]));
        assert!(outcome.failure.is_none(), "{name}: {:?}", outcome.failure);
        assert!(outcome.rounds.iter().all(|(theirs, ours)| theirs.as_ref() == Some(ours)), "{name}");
        let summary = outcome.device.expect("what the device says of itself");
        // All of its memory but a few words of the log and of the board.
        assert!(summary.memory + summary.stack < 128_000 - 1000, "{summary:?}");
    }
    if left_out("a flipped bit of images") {
        return;
    }
    let flipped = streamed(usual(), &["flip-bit".to_owned()]).failure.expect("a difference");
    assert!(matches!(flipped, StreamError::Differs { round: 1, .. }), "{flipped}");
}

/// Sends images to `stream` on a board.
fn streamed(board: &Board, features: &[String]) -> Outcome {
    let emulator = Emulator::start(board, &built_for(board, "stream", features)).expect("an emulator");
    learned_over(emulator.uart.try_clone().expect("a UART"))
}

/// Builds a program; returns what the build said, and whether it went well.
fn built(board: &Board, program: &str, features: &[&str]) -> (bool, String) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../firmware");
    let features: Vec<String> = features.iter().map(|&feature| feature.to_owned()).collect();
    match firmware::build(&Build { folder: &folder, board, program, features: &features }, |_| {}) {
        Ok(_) => (true, String::new()),
        Err(error) => (false, format!("{error:#}")),
    }
}

#[test]
#[ignore = "needs a compiler for the boards"]
fn programs_that_train_cannot_panic() {
    let mut all: Vec<_> = held_boards().map(|board| (board, "spirals")).collect();
    if !left_out("real hardware, and `stream`") {
        all.push((usual(), "stream"));
        let proven = hardware().filter(|board| board.entry.get("panics").is_none());
        let programs = proven.flat_map(|board| [(board, "spirals"), (board, "stream")]);
        all.extend(programs.filter(|(board, program)| is_tried(board, program)));
    }
    for (board, program) in all {
        let name = board.name;
        let (links, words) = built(board, program, &["panic-never"]);
        assert!(links, "{program} on {name} has a panic: {words}");
        let (links, words) = built(board, program, &["panic-never", "planted-panic"]);
        assert!(!links && words.contains("panic-never"), "{program} on {name}: the planted panic is not seen: {words}");
    }
    for program in ["spirals", "stream"] {
        let (links, words) = built(usual(), program, &["panic-never", "small"]);
        assert!(links, "{program} with small kernels has a panic: {words}");
    }
}

/// The program resets the board, and QEMU is killed in the middle, most often while a checkpoint is written.
#[test]
#[ignore = "needs QEMU and a compiler for the boards"]
fn a_run_goes_on_after_resets_and_power_cuts() {
    for board in boards("resume") {
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
    for board in boards("faults") {
        let (ran, record) = device(None, board, &["--program", "faults"]);
        ran.expect(0, &[]);
        assert_eq!((&record["equal"], &record["kept"]), (&true.into(), &true.into()), "{}", board.name);
    }
}

#[test]
#[ignore = "needs QEMU and a compiler for the boards"]
fn costs_are_counted_and_sizes_told() {
    // The pinned figures have the others counted, too.
    let all = boards("cost");
    for board in if extent() == Extent::All { &all } else { &all[..1] } {
        let (ran, record) = device(None, board, &["--program", "cost"]);
        ran.expect(0, &[]);
        let [costs, sizes] = ["costs", "sizes"].map(|key| record[key].as_array().expect("a list"));
        // Seventeen figures of each workload that the memory holds.
        assert!(!costs.is_empty() && costs.len() % 17 == 0, "{}: {}", board.name, costs.len());
        assert!(costs.iter().all(|cost| cost["instructions"].as_u64().is_some_and(|n| n > 100)), "{}", board.name);
        assert_eq!((&record["unit"], sizes.len()), (&"instructions".into(), if board.fits("stream") { 6 } else { 5 }));
        for size in sizes {
            let (ram, name) = (size["static_ram"].as_u64().expect("bytes"), &size["program"]);
            assert!(ram < u64::from(board.ram.size) * 1024, "{}: {name} has {ram} bytes of static RAM", board.name);
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
    let board = |name| BOARDS.iter().find(|b| b.name == name).expect("a board");
    let elf = file.write().expect("an ELF file");
    let sizes = firmware::sizes(&elf, board("riscv-virt")).expect("sizes");
    assert_eq!(sizes, Sizes { flash: 52, ram: 104 });
    // Sections of the ESP32-C3's script that only leave addresses out: of flash, which is not RAM, and of RAM that code stands in under
    // other addresses. Some linkers say that they are written to (3: that, and in memory), others do not (2).
    for flags in [2, 3] {
        let ram =
            |address| firmware::sizes(&moved(&elf, ".bss", address, flags), board("esp32-c3")).expect("sizes").ram;
        assert_eq!((ram(0x4200_0020), ram(0x3fc8_0000)), (4, 104), "{flags}");
    }
}

/// An ELF file of 32 bits with a section at another address, and with other flags.
fn moved(elf: &[u8], name: &str, address: u32, flags: u32) -> Vec<u8> {
    use object::{Object as _, ObjectSection as _};
    let file = object::File::parse(elf).expect("an ELF file");
    let index = file.section_by_name(name).expect("a section").index().0;
    let word = |at: usize| u32::from_le_bytes(*elf[at..].first_chunk().expect("a word")) as usize;
    // `e_shoff`, headers of 40 bytes, and in them `sh_flags` and `sh_addr`.
    let at = word(0x20) + 40 * index + 8;
    let mut moved = elf.to_vec();
    moved[at..at + 4].copy_from_slice(&flags.to_le_bytes());
    moved[at + 4..at + 8].copy_from_slice(&address.to_le_bytes());
    moved
}
