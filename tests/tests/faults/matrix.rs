//! Every command with every kind of output folder, input, stream and signal. A new command fails here until it has a line in
//! [`COMMANDS`].

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use lgl2o_host::cli;
use lgl2o_host::data::table::Columns;
use lgl2o_host::saved::{Output, SavedModel};
use lgl2o_tests::program::{command, folder, ran, write_idx};
use rustix::process::Signal;

use crate::{finish, leftovers, names, no_panic, signal, start, wait_for};

/// What a command reads, below the folder `in`.
#[derive(Clone, Copy)]
enum Input {
    /// Nothing.
    None,
    /// The file, whose bytes these are.
    File(&'static str, fn() -> Vec<u8>),
    /// A folder of IDX files.
    Idx,
}

/// How a command is called here.
struct Case {
    name: &'static str,
    /// A call of a second or less; it writes to `out` if `writes`.
    short: &'static str,
    /// A call of hours.
    long: Option<&'static str>,
    writes: bool,
    /// A file that a short call leaves.
    result: Option<&'static str>,
    input: Input,
}

const COMMANDS: [Case; 13] = [
    Case {
        name: "compare",
        short: "compare --task idx --data in --batch 8 --steps 10 --seeds 1 --optimizers sgd:0.1 --out out",
        long: Some("compare --task idx --data in --batch 8 --steps 100000000 --optimizers sgd:0.1,adam:0.1 --out out"),
        writes: true,
        result: Some("out/results.json"),
        input: Input::Idx,
    },
    Case {
        name: "survey",
        short: "survey --steps 2 --seeds 1 --synthetic 0 --networks 4:relu --optimizers sgd:1 --flat none --data in --out out",
        long: Some(
            "survey --steps 10000000 --synthetic 0 --networks 4:relu --optimizers sgd:1 --flat none --data in --out out",
        ),
        writes: true,
        result: Some("out/survey.json"),
        input: Input::Idx,
    },
    Case {
        name: "reproduce",
        short: "reproduce --quick --only 4 --seeds 1 --idx in --out out --data nowhere",
        long: Some("reproduce --quick --only 2,7 --seeds 2 --idx in --out out --data nowhere"),
        writes: true,
        result: Some("out/report.html"),
        input: Input::Idx,
    },
    Case {
        name: "meta-train",
        short: "meta-train --config in/c.toml --out out",
        long: Some("meta-train --config long.toml --out out"),
        writes: true,
        result: Some("out/c.l2o"),
        input: Input::File("c.toml", config),
    },
    Case {
        name: "device",
        short: "device --elf in/p --out out",
        long: Some("device --elf in/p --out out"),
        writes: true,
        result: None,
        input: Input::File("p", elf),
    },
    Case { name: "data", short: "data --data in", long: None, writes: false, result: None, input: Input::None },
    Case {
        name: "bench",
        short: "bench --networks S1 --optimizers sgd:0.3 --rounds 1 --steps 1 --growth out/growth.svg",
        long: Some("bench --networks S1 --optimizers sgd:0.3 --rounds 1000 --steps 1000000 --growth out/growth.svg"),
        writes: true,
        result: Some("out/growth.svg"),
        input: Input::None,
    },
    Case {
        name: "train",
        short: "train --data in/t.csv --hidden 4 --steps 20 --out out",
        long: Some("train --data in/t.csv --hidden 4 --steps 1000000000 --out out"),
        writes: true,
        result: Some("out/model.lgl2o"),
        input: Input::File("t.csv", table),
    },
    Case {
        name: "predict",
        short: "predict --model in/m.lgl2o --data in/t.csv --out out/p.csv",
        long: None,
        writes: true,
        result: Some("out/p.csv"),
        input: Input::File("m.lgl2o", model),
    },
    Case {
        name: "eval",
        short: "eval --data in/t.csv --model in/m.lgl2o",
        long: None,
        writes: false,
        result: None,
        input: Input::File("t.csv", table),
    },
    Case {
        name: "export",
        short: "export --model in/m.lgl2o --to rust --out out",
        long: None,
        writes: true,
        result: Some("out/model.rs"),
        input: Input::File("m.lgl2o", model),
    },
    Case {
        name: "import",
        short: "import --from in/w.safetensors --out out",
        long: None,
        writes: true,
        result: Some("out/model.lgl2o"),
        input: Input::File("w.safetensors", weights),
    },
    Case {
        name: "doctor",
        short: "doctor output --out out",
        long: None,
        writes: false,
        result: None,
        input: Input::None,
    },
];

/// A meta-training of a moment.
fn config() -> Vec<u8> {
    br#"
seed = 7
[optimizer]
kind = "scale-free"
[estimator]
kind = "pes"
sigma = 0.02
unroll = 5
horizon = [5, 20]
objective = "loss"
difference_clip = 0.3
[outer]
steps = 2
rate = 0.003
warmup = 1
betas = [0.9, 0.99]
clip = 2.0
average = 0.9
[validation]
every = 2
steps = [5]
seeds = 1
tasks = ["small"]
[[task]]
name = "small"
data = "spirals"
hidden = [4]
activation = "tanh"
batch = 8
particles = 1
"#
    .to_vec()
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
    use lgl2o::objective::mlp::{Activation, Layer};
    let layers = vec![Layer { inputs: 2, outputs: 2, activation: Activation::Identity }];
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
fn place() -> tempfile::TempDir {
    let dir = folder();
    let input = dir.path().join("in");
    fs::create_dir(&input).expect("made");
    write_idx(&input, 4, 2, 64, 16);
    fs::write(input.join("c.toml"), config()).expect("written");
    let long = String::from_utf8(config()).expect("text").replace("steps = 2\n", "steps = 1000000\n");
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

fn call(dir: &Path, line: &str) -> Command {
    let arguments: Vec<&str> = line.split(' ').collect();
    let mut command = command(dir, &arguments);
    let path = format!("{}:{}", dir.join("bin").display(), std::env::var("PATH").unwrap_or_default());
    command.env("PATH", path).env("BORN", dir.join("born")).env("TMPDIR", dir.join("tmp"));
    command
}

/// The fields of a process in /proc behind its name; none if it is gone.
fn stat(id: u32) -> Option<Vec<String>> {
    let text = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    Some(text.rsplit_once(") ")?.1.split(' ').map(str::to_owned).collect())
}

/// Hundredths of a second that a process has computed for.
fn ticks(id: u32) -> u64 {
    let fields = stat(id).unwrap_or_default();
    fields.get(11..13).map_or(0, |times| times.iter().filter_map(|time| time.parse::<u64>().ok()).sum())
}

/// Whether a process ends that was killed.
fn ends(id: u32) -> bool {
    (0..500).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(10));
        stat(id).is_none_or(|fields| fields[0] == "Z" || fields[0] == "X")
    })
}

#[test]
fn every_command_is_here() {
    for name in cli::commands() {
        assert!(COMMANDS.iter().any(|case| case.name == name), "`{name}` has no line in COMMANDS");
    }
    assert!(COMMANDS.iter().all(|case| case.short.starts_with(case.name)));
}

/// A folder that cannot be written to, is full, in use or no folder: exit status 1 before anything is computed, with its name.
#[test]
fn output_folders() {
    for case in COMMANDS.iter().filter(|case| case.writes) {
        let dir = place();
        fs::write(dir.path().join("file"), "precious").expect("written");
        for out in ["file", "file/below", "/proc/lgl2o"] {
            let line = case.short.replace("out", out).replace(&format!("--{out}"), "--out");
            let ran = ran(&mut call(dir.path(), &line));
            no_panic(&ran);
            ran.expect(1, &["output directory", out]);
            assert_eq!(ran.out, "", "{}: nothing was computed", case.name);
        }
        assert_eq!(fs::read(dir.path().join("file")).expect("there"), b"precious");
        // Nothing larger than 64 kB can be written, as on a disk that is almost full.
        let mut full = Command::new("sh");
        let line = call(dir.path(), case.short);
        full.args(["-c", "trap '' XFSZ; ulimit -f 128; exec \"$@\"", "sh"])
            .arg(line.get_program())
            .args(line.get_args());
        full.current_dir(dir.path()).envs(line.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let ran = ran(&mut full);
        no_panic(&ran);
        ran.expect(1, &["cannot write to the output directory out"]);
        assert_eq!((ran.out.as_str(), names(&dir.path().join("out"))), ("", Vec::new()), "{}", case.name);
    }
}

/// Two of the same into one folder: the second one is refused, and the first one is not disturbed.
#[test]
fn folders_in_use() {
    for case in COMMANDS.iter().filter(|case| case.writes && case.long.is_some() && case.name != "bench") {
        let dir = place();
        let long = case.long.expect("a long call");
        let mut first = start(&mut call(dir.path(), long));
        let out = dir.path().join("out");
        wait_for(&mut first, "its folder was claimed", || names(&out).iter().any(|name| name.ends_with(".lock")));
        let second = ran(&mut call(dir.path(), long));
        no_panic(&second);
        second.expect(1, &["out is in use by another lgl2o", &first.id().to_string()]);
        assert!(first.try_wait().expect("it can be asked").is_none(), "{}: the first one goes on", case.name);
        first.kill().expect("killed");
        first.wait().expect("ended");
    }
}

/// Files and folders that are missing, unreadable, empty, cut off or something else: an error with the file's name, and no
/// result.
#[test]
fn inputs() {
    for case in COMMANDS.iter().filter(|case| !matches!(case.input, Input::None)) {
        for fault in ["missing", "link", "loop", "folder", "empty", "cut", "html"] {
            let dir = place();
            let input = dir.path().join("in");
            let (file, whole): (PathBuf, Vec<u8>) = match case.input {
                Input::File(name, bytes) => (input.join(name), bytes()),
                _ => {
                    let file = input.join("train-labels-idx1-ubyte");
                    let whole = fs::read(&file).expect("there");
                    (file, whole)
                }
            };
            fs::remove_file(&file).expect("removed");
            match fault {
                "missing" => {}
                "link" => symlink("nowhere", &file).expect("linked"),
                "loop" => symlink(&file, &file).expect("linked"),
                "folder" => fs::create_dir(&file).expect("made"),
                "empty" => fs::write(&file, "").expect("written"),
                "cut" => fs::write(&file, &whole[..whole.len() / 2]).expect("written"),
                _ => fs::write(&file, "<!DOCTYPE html><html><body>404</body></html>").expect("written"),
            }
            let ran = ran(&mut call(dir.path(), case.short));
            no_panic(&ran);
            assert!(matches!(ran.status, 1 | 2), "{} {fault}: {ran:#?}", case.name);
            let name = file.file_name().and_then(|name| name.to_str()).expect("a name");
            ran.expect(ran.status, &[name]);
            assert!(!ran.err.contains("swapped") || fault != "html", "{ran:#?}");
            let result = case.result.map(|result| dir.path().join(result));
            assert!(result.is_none_or(|result| !result.exists()), "{} {fault}", case.name);
            assert_eq!(leftovers(dir.path()), [""; 0], "{} {fault}", case.name);
        }
    }
}

/// Nobody reads what is said, or the disk that it goes to is full: the work is done, the exit status says that not all was
/// said. Where there is no terminal, there are no colours.
#[test]
fn streams() {
    for case in COMMANDS.iter().filter(|case| case.name != "device") {
        for (stream, status) in [("open", 0), ("out", 1), ("full", 1), ("err", 0)] {
            let dir = place();
            let mut command = call(dir.path(), case.short);
            command.env("NO_COLOR", "1").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
            if stream == "full" {
                command.stdout(fs::File::options().write(true).open("/dev/full").expect("there"));
            }
            let mut child = command.spawn().expect("started");
            match stream {
                "out" => drop(child.stdout.take()),
                "err" => drop(child.stderr.take()),
                _ => {}
            }
            let ran = finish(child);
            no_panic(&ran);
            assert_eq!(ran.status, status, "{} {stream}: {ran:#?}", case.name);
            assert!(!format!("{}{}", ran.out, ran.err).contains('\u{1b}'), "{ran:#?}");
            if stream == "out" || stream == "full" {
                ran.expect(1, &["standard output"]);
            }
            let result = case.result.map(|result| dir.path().join(result));
            assert!(result.is_none_or(|result| result.exists()), "{} {stream}: the result", case.name);
        }
    }
}

/// Ctrl-C and the request to end, at once and in the middle of work: what is kept is said, nothing is left running or lying
/// about, and the exit status says which signal it was.
#[test]
fn signals() {
    for case in &COMMANDS {
        for (sent, status) in [(Signal::INT, 130), (Signal::TERM, 143)] {
            for late in [false, true] {
                let (Some(long), dir) = (case.long, place()) else { continue };
                let mut child = start(&mut call(dir.path(), long));
                let (out, born) = (dir.path().join("out"), dir.path().join("born"));
                if late {
                    let id = child.id();
                    wait_for(&mut child, "it had begun", || match case.name {
                        "device" => born.exists() && !fs::read(&born).unwrap_or_default().is_empty(),
                        "meta-train" | "train" => names(&out).iter().any(|name| name.ends_with(".checkpoint")),
                        "bench" => out.exists(),
                        "compare" => ticks(id) > 50,
                        _ => {
                            !names(&out.join("units")).is_empty() || case.name == "survey" && out.join("units").exists()
                        }
                    });
                }
                signal(&child, sent);
                let ran = finish(child);
                no_panic(&ran);
                assert_eq!(ran.status, status, "{} {late}: {ran:#?}", case.name);
                assert_eq!(leftovers(dir.path()), [""; 0], "{} {late}", case.name);
                if !late {
                    continue;
                }
                ran.expect(status, &["interrupted:"]);
                let kept: &[&str] = match case.name {
                    "compare" => &["out/report.html"],
                    "meta-train" => &["out/long.checkpoint", "--resume"],
                    "train" => &["out/train.checkpoint", "--resume"],
                    "survey" | "reproduce" => &["out/units"],
                    _ => &["nothing is kept"],
                };
                ran.expect(status, kept);
                if case.name == "device" {
                    let born = fs::read_to_string(&born).expect("a number").trim().parse().expect("a number");
                    assert!(ends(born), "what the emulator has started runs on");
                    assert_eq!(names(&dir.path().join("tmp")), [""; 0], "its folder");
                }
            }
        }
    }
}
