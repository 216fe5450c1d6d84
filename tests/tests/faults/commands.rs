//! The commands as they are called here, with what they read.

use std::fs;
use std::path::Path;
use std::process::Command;

use lgl2o_host::data::table::Columns;
use lgl2o_host::saved::{Output, SavedModel};
use lgl2o_tests::program::{command, folder, write_idx};

use crate::CONFIG;

/// What an option reads, below the folder `in`.
#[derive(Clone, Copy)]
pub(super) enum Input {
    /// The file, whose bytes these are.
    File(&'static str, fn() -> Vec<u8>),
    /// A folder of IDX files.
    Idx,
}

/// How a command is called here.
pub(super) struct Case {
    pub(super) name: &'static str,
    /// A call of a second or less; it writes to `out` if `writes`.
    pub(super) short: &'static str,
    /// A call of hours.
    pub(super) long: Option<&'static str>,
    pub(super) writes: bool,
    /// A file that a short call leaves.
    pub(super) result: Option<&'static str>,
    /// The options that name what it reads, each with what that is.
    pub(super) inputs: &'static [(&'static str, Input)],
    /// The options that name where it writes.
    pub(super) outputs: &'static [&'static str],
    /// The other options that name a path, each with the test that tries it: a file of `tests/tests`, and a word of it.
    pub(super) elsewhere: &'static [(&'static str, &'static str, &'static str)],
}

pub(super) const COMMANDS: [Case; 14] = [
    Case {
        name: "compare",
        short: "compare --task idx --data in --batch 8 --steps 10 --seeds 1 --optimizers sgd:0.1 --out out",
        long: Some("compare --task idx --data in --batch 8 --steps 100000000 --optimizers sgd:0.1,adam:0.1 --out out"),
        writes: true,
        result: Some("out/results.json"),
        inputs: &[("data", Input::Idx)],
        outputs: &["out"],
        elsewhere: &[],
    },
    Case {
        name: "survey",
        short: "survey --steps 2 --seeds 1 --synthetic 0 --networks 4:relu --optimizers sgd:1 --flat none --data in --out out",
        long: Some(
            "survey --steps 10000000 --synthetic 0 --networks 4:relu --optimizers sgd:1 --flat none --data in --out out",
        ),
        writes: true,
        result: Some("out/survey.json"),
        inputs: &[("data", Input::Idx)],
        outputs: &["out"],
        elsewhere: &[],
    },
    Case {
        name: "reproduce",
        short: "reproduce --quick --only 4 --seeds 1 --idx in --out out --data nowhere",
        long: Some("reproduce --quick --only 2,7 --seeds 2 --out out --data nowhere"),
        writes: true,
        result: Some("out/report.html"),
        inputs: &[("idx", Input::Idx)],
        outputs: &["out"],
        elsewhere: &[("data", "faults/places.rs", "reproduce --only 1 --data nowhere")],
    },
    Case {
        name: "meta-train",
        short: "meta-train --config in/c.toml --out out",
        long: Some("meta-train --config long.toml --out out"),
        writes: true,
        result: Some("out/c.l2o"),
        inputs: &[("config", Input::File("c.toml", config))],
        outputs: &["out"],
        elsewhere: &[("data", "faults/others.rs", "meta-train --config in/mnist.toml --data nowhere")],
    },
    Case {
        name: "device",
        short: "device --elf in/p --out out",
        long: Some("device --elf in/p --out out"),
        writes: true,
        result: None,
        inputs: &[("elf", Input::File("p", elf))],
        outputs: &["out"],
        elsewhere: &[
            ("data", "faults/others.rs", "device --program stream --data nowhere"),
            ("port", "faults/flags.rs", "--port /dev/null"),
        ],
    },
    Case {
        name: "data",
        short: "data --data in",
        long: None,
        writes: false,
        result: None,
        inputs: &[],
        outputs: &[],
        elsewhere: &[("data", "faults/others.rs", "data status --data nowhere")],
    },
    Case {
        name: "bench",
        short: "bench --networks S1 --optimizers sgd:0.3 --rounds 1 --steps 1 --growth out/growth.svg --out out",
        long: Some(
            "bench --networks S1 --optimizers sgd:0.3 --rounds 1000 --steps 2000 --growth out/growth.svg --out out",
        ),
        writes: true,
        result: Some("out/growth.svg"),
        inputs: &[],
        outputs: &["growth", "out"],
        elsewhere: &[("data", "faults/places.rs", "bench --networks S2 --data nowhere")],
    },
    Case {
        name: "train",
        short: "train --data in/t.csv --hidden 4 --steps 20 --out out",
        long: Some("train --data in/t.csv --hidden 4 --steps 1000000000 --out out"),
        writes: true,
        result: Some("out/model.lgl2o"),
        inputs: &[("data", Input::File("t.csv", table))],
        outputs: &["out"],
        elsewhere: &[("labels", "faults/others.rs", "--labels nowhere")],
    },
    Case {
        name: "predict",
        short: "predict --model in/m.lgl2o --data in/t.csv --out out/p.csv",
        long: None,
        writes: true,
        result: Some("out/p.csv"),
        inputs: &[("model", Input::File("m.lgl2o", model)), ("data", Input::File("t.csv", table))],
        outputs: &["out"],
        elsewhere: &[("labels", "faults/others.rs", "--labels nowhere")],
    },
    Case {
        name: "eval",
        short: "eval --data in/t.csv --model in/m.lgl2o",
        long: None,
        writes: false,
        result: None,
        inputs: &[("model", Input::File("m.lgl2o", model)), ("data", Input::File("t.csv", table))],
        outputs: &[],
        elsewhere: &[("labels", "faults/others.rs", "--labels nowhere")],
    },
    Case {
        name: "export",
        short: "export --model in/m.lgl2o --to rust --out out",
        long: None,
        writes: true,
        result: Some("out/model.rs"),
        inputs: &[("model", Input::File("m.lgl2o", model))],
        outputs: &["out"],
        elsewhere: &[],
    },
    Case {
        name: "import",
        short: "import --from in/w.safetensors --out out",
        long: None,
        writes: true,
        result: Some("out/model.lgl2o"),
        inputs: &[("from", Input::File("w.safetensors", weights))],
        outputs: &["out"],
        elsewhere: &[],
    },
    Case {
        name: "doctor",
        short: "doctor output --out out",
        long: None,
        writes: false,
        result: None,
        inputs: &[],
        outputs: &[],
        elsewhere: &[
            ("data", "faults/told.rs", "doctor data --data nowhere"),
            ("out", "faults/told.rs", "doctor output --out file"),
        ],
    },
    Case {
        name: "playground",
        short: "playground --out out/p.html",
        long: None,
        writes: true,
        result: Some("out/p.html"),
        inputs: &[],
        outputs: &["out"],
        elsewhere: &[],
    },
];

/// A meta-training of a moment.
fn config() -> Vec<u8> {
    CONFIG.into()
}

/// An ELF file that says that it is for the default board.
fn elf() -> Vec<u8> {
    use object::write::{Object, Symbol, SymbolSection};
    use object::{Architecture, BinaryFormat, Endianness, SectionKind, SymbolFlags, SymbolKind, SymbolScope};
    let mut file = Object::new(BinaryFormat::Elf, Architecture::Arm, Endianness::Little);
    let section = file.add_section(Vec::new(), b".data".to_vec(), SectionKind::Data);
    let name = b"mps2-an386";
    file.append_section_data(section, name, 1);
    file.add_symbol(Symbol {
        name: b"LGL2O_BOARD".to_vec(),
        value: 0,
        size: name.len() as u64,
        kind: SymbolKind::Data,
        scope: SymbolScope::Dynamic,
        weak: false,
        section: SymbolSection::Section(section),
        flags: SymbolFlags::None,
    });
    file.write().expect("an ELF file")
}

/// A table of two classes; half of it ends in the middle of a row.
fn table() -> Vec<u8> {
    let row = |i: u32| format!("{},{},{}\n", i % 7, i % 5, if i % 7 > 3 { "high" } else { "low" });
    let text: String = (0..60).map(row).collect();
    format!("a,b,level\n{text}").into_bytes()
}

/// A model of that table.
fn sample() -> SavedModel {
    use lgl2o::objective::mlp::{Activation, Shape};
    let layers = vec![Shape { inputs: 2, outputs: 2, activation: Activation::Identity }];
    let classes = Output::Classes(["high", "low"].map(str::to_owned).to_vec());
    let standardizer = [&[0.0, 0.0][..], &[1.0, 1.0]];
    SavedModel::new(layers, &[1.0, 0.0, -1.0, 0.0, 0.0, 7.0], standardizer, classes, Columns::plain(2))
        .expect("a model")
}

fn model() -> Vec<u8> {
    sample().to_bytes()
}

fn weights() -> Vec<u8> {
    lgl2o_host::saved::tensors::bytes(&sample())
}

/// A folder with good inputs, and an emulator that never comes up.
pub(super) fn place() -> tempfile::TempDir {
    let dir = folder();
    let input = dir.path().join("in");
    fs::create_dir(&input).expect("made");
    write_idx(&input, 4, 2, 64, 16);
    fs::write(input.join("c.toml"), config()).expect("written");
    let long = CONFIG.replace("steps = 4\n", "steps = 1000000\n");
    fs::write(dir.path().join("long.toml"), long).expect("written");
    fs::write(input.join("p"), elf()).expect("written");
    for (name, bytes) in [("t.csv", table()), ("m.lgl2o", model()), ("w.safetensors", weights())] {
        fs::write(input.join(name), bytes).expect("written");
    }
    let bin = dir.path().join("bin");
    fs::create_dir(&bin).expect("made");
    fs::create_dir(dir.path().join("tmp")).expect("made");
    let script = "#!/bin/sh\n[ \"$1\" != --version ] || { echo QEMU emulator version 9.0; exit; }\nsleep 600 &\necho $! > \"$BORN\"\nwait\n";
    fs::write(bin.join("qemu-system-arm"), script).expect("written");
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(bin.join("qemu-system-arm"), fs::Permissions::from_mode(0o755)).expect("set");
    dir
}

pub(super) fn call(dir: &Path, line: &str) -> Command {
    let arguments: Vec<&str> = line.split(' ').collect();
    let mut command = command(dir, &arguments);
    let path = format!("{}:{}", dir.join("bin").display(), std::env::var("PATH").unwrap_or_default());
    command.env("PATH", path).env("BORN", dir.join("born")).env("TMPDIR", dir.join("tmp"));
    command
}
