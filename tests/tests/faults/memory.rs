//! Too little memory: a message and the exit status of a failure, with nothing left behind.

use std::process::Command;

use lgl2o_tests::program::{Ran, ran};
use rustix::process::Signal;

use crate::commands::{call, place};
use crate::{finish, leftovers, names, signal, start, ticks, wait_for};

/// A call that may take so many kilobytes of address space.
fn within(kilobytes: u32, dir: &std::path::Path, line: &str) -> Ran {
    let line = call(dir, line);
    let mut bounded = Command::new("sh");
    bounded.args(["-c", &format!("ulimit -v {kilobytes}; exec \"$@\""), "sh"]);
    bounded.arg(line.get_program()).args(line.get_args()).current_dir(dir);
    bounded.envs(line.get_envs().filter_map(|(name, value)| Some((name, value?)))).env("RUST_BACKTRACE", "0");
    let ran = ran(&mut bounded);
    assert!(ran.status != 101 && !ran.err.contains("panicked"), "{ran:#?}");
    ran
}

/// What cannot fit, whatever it is trained with, is refused before anything is computed.
#[test]
fn a_network_that_cannot_fit_is_refused() {
    for line in [
        "compare --hidden 8000,6000 --steps 5 --seeds 1 --optimizers sgd:0.1 --threads 2 --out out",
        "train --data in/t.csv --hidden 8000,6000 --steps 5 --threads 2 --out out",
        "survey --networks 8000-6000:relu --steps 5 --seeds 1 --synthetic 0 --flat none --optimizers sgd:1 --data in --threads 2 --out out",
    ] {
        let dir = place();
        within(500_000, dir.path(), line).expect(2, &["takes more than", "MB of memory", "MB are free", "narrower"]);
        assert!(!dir.path().join("out").exists(), "{line}");
    }
}

/// What turns out to be too much while it is computed ends as a failure does.
#[test]
fn a_failed_allocation_is_a_failure() {
    for line in [
        "compare --hidden 3000,3000 --steps 5 --seeds 1 --optimizers auto --threads 2 --out out",
        "train --data in/t.csv --hidden 3000,3000 --steps 5 --threads 2 --out out",
        "survey --networks 3000-3000:relu --steps 5 --seeds 1 --synthetic 0 --flat none --optimizers auto --data in --threads 2 --out out",
    ] {
        let dir = place();
        let ran = within(500_000, dir.path(), line);
        ran.expect(1, &["memory allocation of", "error: the program cannot go on", "--threads N"]);
        assert_eq!(leftovers(dir.path()), [""; 0], "{line}");
        assert!(!ran.err.contains("core dumped"));
    }
}

/// The same of an abort that comes at any other moment, with what is kept.
#[test]
fn an_abort_says_what_is_kept() {
    for (line, kept) in [
        (
            "survey --steps 10000000 --synthetic 0 --networks 4:relu --optimizers sgd:1 --flat none --data in --out out",
            "finished runs are kept in out/units",
        ),
        (
            "train --data in/t.csv --hidden 4 --steps 1000000000 --out out",
            "what was kept is in out/train.checkpoint; --resume",
        ),
        ("meta-train --config long.toml --out out", "what was kept is in out/long.checkpoint; go on with --resume"),
    ] {
        let dir = place();
        let mut child = start(&mut call(dir.path(), line));
        let (id, out) = (child.id(), dir.path().join("out"));
        let begun = || names(&out).iter().any(|name| name == "units" || name.ends_with(".checkpoint"));
        wait_for(&mut child, "it computed", || ticks(id) > 30 && begun());
        signal(&child, Signal::ABORT);
        finish(child).expect(1, &["the program cannot go on", "It ends here: ", kept]);
        assert_eq!(leftovers(dir.path()), [""; 0], "{line}");
        assert_eq!(names(&dir.path().join("tmp")), [""; 0]);
    }
}
