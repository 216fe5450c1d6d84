//! Every command with every kind of output folder, input, stream and signal. A new command fails here until it has a line in
//! [`COMMANDS`].

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use lgl2o_host::cli;
use lgl2o_tests::program::{Ran, ran};
use rustix::process::Signal;

use crate::commands::{COMMANDS, Case, Input, call, place};
use crate::{ends, finish, is_ignored, leftovers, names, no_panic, signal, start, ticks, wait_for};

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
        // Something else is where a file would go.
        if let Some(result) = case.result {
            fs::create_dir_all(dir.path().join(result)).expect("made");
            let ran = ran(&mut call(dir.path(), case.short));
            no_panic(&ran);
            ran.expect(1, &["cannot write", result, "not a file"]);
            fs::remove_dir_all(dir.path().join("out")).expect("removed");
        }
        // Nothing larger than 64 kB can be written, as on a disk that is almost full. The signal for it must not end the program.
        let mut full = Command::new("sh");
        let line = call(dir.path(), case.short);
        full.args(["-c", "ulimit -f 128; exec \"$@\"", "sh"]).arg(line.get_program()).args(line.get_args());
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
    for case in COMMANDS.iter().filter(|case| case.writes && case.long.is_some()) {
        let dir = place();
        let long = case.long.expect("a long call");
        let mut first = start(&mut call(dir.path(), long));
        let out = dir.path().join("out");
        wait_for(&mut first, "its folder was claimed", || names(&out).iter().any(|name| name.ends_with(".lock")));
        let second = ran(&mut call(dir.path(), long));
        no_panic(&second);
        second.expect(1, &["out is in use by another lgl2o", &first.id().to_string()]);
        // Nor may any other command write there.
        for other in COMMANDS.iter().filter(|other| other.writes && case.name == "train") {
            let ran = ran(&mut call(dir.path(), other.short));
            no_panic(&ran);
            ran.expect(1, &["out is in use by another lgl2o", &first.id().to_string()]);
        }
        assert!(first.try_wait().expect("it can be asked").is_none(), "{}: the first one goes on", case.name);
        first.kill().expect("killed");
        first.wait().expect("ended");
    }
}

/// What is in the place of a file that is read, and a word that it is told by; none where the name of the file is enough.
const FAULTS: [(&str, &str); 19] = [
    ("missing", ""),
    ("link", ""),
    ("loop", ""),
    ("folder", ""),
    ("pipe", ""),
    ("locked", ""),
    ("empty", ""),
    ("cut", ""),
    ("huge", ""),
    ("<!DOCTYPE html><html><body>404</body></html>", "web page"),
    ("version https://git-lfs.github.com/spec/v1\noid sha256:1\n", "Git LFS pointer"),
    ("PK\u{3}\u{4}\u{14}\0\0\0", "zip archive"),
    ("[\n {\"a\": 1}]", "JSON"),
    ("a\0,\0b\0\n\0", "UTF-"),
    ("%PDF-1.7\n", "PDF"),
    ("L2OW\u{1}\0\0\0", "weights"),
    ("L2OT\u{1}\0\0\0", "--resume"),
    ("L2OC\u{1}\0\0\0", "checkpoint"),
    ("gzip", "gzip"),
];

/// Puts something else in the place of a file; whether that could be done.
fn spoil(file: &Path, whole: &[u8], fault: &str) -> bool {
    fs::remove_file(file).expect("removed");
    match fault {
        "missing" => {}
        "link" => symlink("nowhere", file).expect("linked"),
        "loop" => symlink(file, file).expect("linked"),
        "folder" => fs::create_dir(file).expect("made"),
        "pipe" => assert!(Command::new("mkfifo").arg(file).status().expect("it is there").success()),
        "locked" => {
            fs::write(file, whole).expect("written");
            fs::set_permissions(file, fs::Permissions::from_mode(0o000)).expect("set");
            // The administrator reads everything.
            return fs::read(file).is_err();
        }
        "huge" => fs::File::create(file).and_then(|file| file.set_len(1 << 36)).expect("written"),
        "empty" => fs::write(file, "").expect("written"),
        "cut" => fs::write(file, &whole[..whole.len() / 2]).expect("written"),
        // Whole once, or half of a file twice: some commands unpack once.
        "gzip" => {
            let packed = |bytes: &[u8]| {
                let mut packer = flate2::read::GzEncoder::new(bytes, flate2::Compression::fast());
                let mut all = Vec::new();
                std::io::Read::read_to_end(&mut packer, &mut all).expect("packed");
                all
            };
            fs::write(file, packed(&packed(whole))).expect("written");
        }
        bytes => fs::write(file, bytes).expect("written"),
    }
    true
}

/// Files and folders that are missing, unreadable, empty, cut off or something else: an error with the file's name, which says what it
/// is, and no result.
#[test]
fn inputs() {
    let all = COMMANDS.iter().flat_map(|case| case.inputs.iter().map(move |(option, input)| (case, *option, *input)));
    for (case, option, input) in all {
        for (fault, what) in FAULTS {
            let dir = place();
            let (file, whole): (PathBuf, Vec<u8>) = match input {
                Input::File(name, bytes) => (dir.path().join("in").join(name), bytes()),
                Input::Idx => {
                    let file = dir.path().join("in/train-labels-idx1-ubyte");
                    let whole = fs::read(&file).expect("there");
                    (file, whole)
                }
            };
            if !spoil(&file, &whole, fault) {
                continue;
            }
            let ran = ran(&mut call(dir.path(), case.short));
            no_panic(&ran);
            assert!(matches!(ran.status, 1 | 2), "{} --{option} {fault}: {ran:#?}", case.name);
            let name = file.file_name().and_then(|name| name.to_str()).expect("a name");
            ran.expect(ran.status, &[name, what]);
            if fault == "missing" && matches!(input, Input::File(..)) {
                ran.expect(ran.status, &["Correct the path."]);
            }
            assert!(!ran.err.contains("swapped") || what.is_empty(), "{ran:#?}");
            let result = case.result.map(|result| dir.path().join(result));
            assert!(result.is_none_or(|result| !result.exists()), "{} --{option} {fault}", case.name);
            assert_eq!(leftovers(dir.path()), [""; 0], "{} --{option} {fault}", case.name);
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

/// On a terminal of 20 columns, and on one that can do nothing, the work is done, and colours are not forced on anybody.
#[test]
fn terminals() {
    for case in COMMANDS.iter().filter(|case| case.name != "device") {
        for (term, columns) in [("xterm", 20), ("dumb", 20), ("xterm", 0)] {
            let dir = place();
            let (mut board, name) = terminal(columns);
            let mut command = call(dir.path(), case.short);
            command.env("TERM", term).env("NO_COLOR", "1").stdin(Stdio::null()).stdout(Stdio::piped());
            let end = fs::File::options().read(true).write(true).open(&name).expect("a terminal");
            command.stderr(end);
            let child = command.spawn().expect("started");
            drop(command);
            let reader = std::thread::spawn(move || {
                let mut words = Vec::new();
                // It ends with an error once nobody has the other end.
                let _ = std::io::Read::read_to_end(&mut board, &mut words);
                String::from_utf8_lossy(&words).into_owned()
            });
            let ran = Ran { err: String::new(), ..finish(child) };
            let ran = Ran { err: reader.join().expect("no panic"), ..ran };
            no_panic(&ran);
            assert_eq!(ran.status, 0, "{} {term} {columns}: {ran:#?}", case.name);
            let ends = |code: &str| code.chars().find(char::is_ascii_alphabetic);
            let colours = ran.err.split("\u{1b}[").skip(1).any(|code| ends(code) == Some('m'));
            assert!(!colours, "{}: colours: {ran:#?}", case.name);
        }
    }
}

/// A terminal of so many columns: its far end, and the name of the near one.
fn terminal(columns: u16) -> (fs::File, String) {
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
    use rustix::termios::{Winsize, tcsetwinsize};
    let far = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).expect("a pseudo-terminal");
    grantpt(&far).and_then(|()| unlockpt(&far)).expect("open to us");
    let name = ptsname(&far, Vec::new()).expect("a name").into_string().expect("in Unicode");
    let size = Winsize { ws_row: 5, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
    tcsetwinsize(&far, size).expect("set");
    (far.into(), name)
}

/// What ends a program, with the exit status: a user, the system, a terminal that closes, the end of the allowed processor time.
const SIGNALS: [(Signal, i32); 5] =
    [(Signal::INT, 130), (Signal::TERM, 143), (Signal::HUP, 129), (Signal::XCPU, 152), (Signal::KILL, 137)];

/// Ctrl-C and the request to end, at once and in the middle of work: what is kept is said, nothing is left running or lying
/// about, and the exit status says which signal it was. What is killed leaves nothing that the next call does not clear away.
#[test]
fn signals() {
    for case in &COMMANDS {
        for (sent, status) in SIGNALS {
            for late in [false, true] {
                let (Some(long), dir) = (case.long, place()) else { continue };
                // Those are told apart by their number alone. One that is ignored where the tests run ends nothing.
                if !late && matches!(sent, Signal::HUP | Signal::XCPU) || is_ignored(sent) && sent == Signal::HUP {
                    continue;
                }
                let mut child = start(&mut call(dir.path(), long));
                let (out, born) = (dir.path().join("out"), dir.path().join("born"));
                if late {
                    let id = child.id();
                    wait_for(&mut child, "it had begun", || match case.name {
                        "device" => born.exists() && !fs::read(&born).unwrap_or_default().is_empty(),
                        "meta-train" | "train" => names(&out).iter().any(|name| name.ends_with(".checkpoint")),
                        "compare" => ticks(id) > 50,
                        _ => {
                            !names(&out.join("units")).is_empty() || case.name == "survey" && out.join("units").exists()
                        }
                    });
                }
                signal(&child, sent);
                // What comes before the program looks out for it is lost where a shell has it ignored.
                while !late && child.try_wait().expect("it can be asked").is_none() {
                    std::thread::sleep(std::time::Duration::from_millis(50));
                    signal(&child, sent);
                }
                let ran = finish(child);
                no_panic(&ran);
                assert_eq!(ran.status, status, "{} {late}: {ran:#?}", case.name);
                if sent == Signal::KILL {
                    after_a_kill(case, dir.path());
                    continue;
                }
                assert_eq!(leftovers(dir.path()), [""; 0], "{} {late}", case.name);
                if !late {
                    continue;
                }
                ran.expect(status, &["interrupted:"]);
                let kept: &[&str] = match case.name {
                    "compare" => &["out/report.html", "out/units", "the same command goes on"],
                    "meta-train" => &["out/long.checkpoint", "--resume"],
                    "train" => &["out/train.checkpoint", "--resume"],
                    "bench" | "survey" | "reproduce" => &["out/units", "the same command goes on"],
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

/// What is to outlive its terminal, or Ctrl-C, does so: `nohup` and `&` in a script have the signals ignored.
#[test]
fn work_outlives_its_terminal_where_that_is_asked_for() {
    for sent in [Signal::HUP, Signal::INT].into_iter().filter(|sent| !is_ignored(*sent)) {
        let dir = place();
        let line = call(dir.path(), "train --data in/t.csv --hidden 4 --steps 1000000000 --out out");
        let mut deaf = Command::new("sh");
        deaf.args(["-c", "trap '' HUP INT; exec \"$@\"", "sh"]).arg(line.get_program()).args(line.get_args());
        let mut child = start(deaf.current_dir(dir.path()));
        let id = child.id();
        wait_for(&mut child, "it trained", || ticks(id) > 20);
        signal(&child, sent);
        let then = ticks(id);
        wait_for(&mut child, "it trained on", || ticks(id) > then + 20);
        signal(&child, Signal::TERM);
        finish(child).expect(143, &["--resume continues"]);
    }
}

/// The system sends the signal for the end of the processor time again and again: it is no request to stop at once.
#[test]
fn a_repeated_signal_of_the_system_does_not_cut_the_end_short() {
    let dir = place();
    let mut child = start(&mut call(dir.path(), "train --data in/t.csv --hidden 4 --steps 1000000000 --out out"));
    let id = child.id();
    wait_for(&mut child, "it trained", || ticks(id) > 20);
    (0..20).for_each(|_| {
        signal(&child, Signal::XCPU);
        std::thread::sleep(std::time::Duration::from_millis(5));
    });
    finish(child).expect(152, &["steps are kept", "--resume continues"]);
    assert!(dir.path().join("out/model.lgl2o").exists());
}

/// A short call into the folder of one that was killed.
fn after_a_kill(case: &Case, dir: &Path) {
    // It needs an emulator.
    if case.name == "device" {
        return;
    }
    // A training that is there is replaced on request only.
    let anew = if case.name == "train" { " --restart" } else { "" };
    let again = ran(&mut call(dir, &format!("{}{anew}", case.short)));
    no_panic(&again);
    again.expect(0, &[]);
    assert!(case.result.is_none_or(|result| dir.join(result).exists()), "{}: the result", case.name);
    // A lock that nobody holds is in nobody's way; the next call of its name takes it.
    let left: Vec<String> = leftovers(dir).into_iter().filter(|name| !name.ends_with(".lock")).collect();
    assert_eq!(left, [""; 0], "{}", case.name);
}
