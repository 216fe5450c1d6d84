//! What goes wrong around the program: folders, disks, inputs, streams and signals, for every command.

mod commands;
mod flags;
mod imports;
mod killed;
mod lost;
mod matrix;
mod memory;
mod options;
mod others;
mod places;
mod told;

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use lgl2o_tests::program::Ran;
use rustix::process::{Pid, Signal, kill_process};

/// A meta-training of a moment.
const CONFIG: &str = r#"
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
steps = 4
rate = 0.003
warmup = 1
betas = [0.9, 0.99]
clip = 2.0
average = 0.0
[validation]
every = 2
steps = [5, 20]
seeds = 1
tasks = ["small"]
[[task]]
name = "small"
data = "spirals"
hidden = [4]
activation = "tanh"
batch = 8
particles = 2
"#;

/// Sends a signal to a process.
fn signal(child: &Child, signal: Signal) {
    let pid = Pid::from_raw(i32::try_from(child.id()).expect("a number")).expect("not 0");
    kill_process(pid, signal).expect("sent");
}

/// Starts a command whose streams are kept.
fn start(command: &mut Command) -> Child {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("started")
}

/// Waits for the end of a process; a status is that of a shell.
fn finish(child: Child) -> Ran {
    use std::os::unix::process::ExitStatusExt as _;
    let output = child.wait_with_output().expect("ended");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let status = output.status.code().or(output.status.signal().map(|signal| 128 + signal)).unwrap_or(-1);
    Ran { status, out: text(&output.stdout), err: text(&output.stderr) }
}

/// Waits until something holds, which the process is to bring about.
fn wait_for(child: &mut Child, what: &str, mut holds: impl FnMut() -> bool) {
    while !holds() {
        assert!(child.try_wait().expect("it can be asked").is_none(), "it ended before {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Names in a folder, sorted; none where it is not there.
fn names(dir: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// Files of this program that are to be gone at its end.
fn leftovers(dir: &Path) -> Vec<String> {
    let below = names(dir).into_iter().filter(|name| dir.join(name).is_dir());
    let inner = below.flat_map(|name| leftovers(&dir.join(name)));
    let own = names(dir).into_iter().filter(|name| name.starts_with(".lgl2o"));
    own.chain(inner.collect::<Vec<_>>()).collect()
}

/// The fields of a process in /proc behind its name; none if it is gone.
fn stat(id: u32) -> Option<Vec<String>> {
    let text = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    Some(text.rsplit_once(") ")?.1.split(' ').map(str::to_owned).collect())
}

/// Whether a process ends that was killed.
fn ends(id: u32) -> bool {
    (0..6000).any(|_| {
        std::thread::sleep(Duration::from_millis(10));
        stat(id).is_none_or(|fields| fields[0] == "Z" || fields[0] == "X")
    })
}

/// Whether this process has a signal ignored, and so what it starts.
fn is_ignored(signal: Signal) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let bits = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).unwrap_or("0");
    u64::from_str_radix(bits.trim(), 16).is_ok_and(|bits| bits & (1 << (signal.as_raw() - 1)) != 0)
}

/// Hundredths of a second that a process has computed for.
fn ticks(id: u32) -> u64 {
    let fields = stat(id).unwrap_or_default();
    fields.get(11..13).map_or(0, |times| times.iter().filter_map(|time| time.parse::<u64>().ok()).sum())
}

/// No panic, whatever the status.
#[track_caller]
fn no_panic(ran: &Ran) {
    assert!(ran.status != 101 && !ran.err.contains("panicked") && !ran.err.contains("RUST_BACKTRACE"), "{ran:#?}");
}
