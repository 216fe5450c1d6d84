//! Killed without a word (SIGKILL) at a moment by chance, early and late: what was kept is whole, the next call goes on from it, and
//! nothing is left running or lying about.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use lgl2o_tests::program::{DISTRIBUTION, ran};
use rustix::process::Signal;

use crate::commands::{call, place};
use crate::{CONFIG, ends, finish, leftovers, names, no_panic, signal, start, ticks, wait_for};

/// When a program is killed.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Moment {
    /// While it begins.
    Early,
    /// Once it has kept something.
    Late,
}

/// So many milliseconds after the moment, other ones in each run.
fn chance(most: u32) -> Duration {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    Duration::from_millis(u64::from(now.subsec_micros() % most))
}

/// All files of a folder that are no temporary ones, with what is in them.
fn kept(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut all = BTreeMap::new();
    for name in names(dir).into_iter().filter(|name| !name.starts_with(".lgl2o")) {
        let path = dir.join(name);
        if path.is_dir() {
            all.extend(kept(&path));
        } else {
            all.insert(path.clone(), fs::read(path).expect("readable"));
        }
    }
    all
}

/// Starts a call and kills it; returns what it has kept.
fn kill(dir: &Path, line: &str, moment: Moment, has_kept: impl Fn(u32) -> bool) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut child = start(&mut call(dir, line));
    let id = child.id();
    if moment == Moment::Late {
        wait_for(&mut child, "it had kept something", || has_kept(id));
    }
    let delay = chance(200);
    eprintln!("{line}: killed {moment:?}, {delay:?} after that");
    std::thread::sleep(delay);
    // It may have ended by then.
    let _ = child.kill();
    no_panic(&finish(child));
    kept(&dir.join("out"))
}

/// Files are those of a call that was not killed, and nothing else is there.
#[track_caller]
fn same(dir: &Path, whole: &Path, files: &[&str]) {
    for file in files {
        let [one, other] = [dir, whole].map(|dir| fs::read(dir.join("out").join(file)).expect("written"));
        assert!(one == other, "{file}: its bytes are others");
    }
    assert_eq!(leftovers(dir), [""; 0]);
}

/// What keeps a checkpoint goes on from it, to the bits of a call that was never killed.
fn goes_on_from_its_checkpoint(line: &str, checkpoint: &str, files: &[&str]) {
    let prepared = || {
        let dir = place();
        fs::write(dir.path().join("c.toml"), CONFIG.replace("steps = 4\n", "steps = 400\n")).expect("written");
        dir
    };
    let whole = prepared();
    ran(&mut call(whole.path(), line)).expect(0, &[]);
    for moment in [Moment::Early, Moment::Late] {
        let dir = prepared();
        let path = dir.path().join("out").join(checkpoint);
        let found = kill(dir.path(), line, moment, |_| path.exists());
        // On a fast machine it may have ended before it was killed.
        let has_ended = found.contains_key(&dir.path().join("out").join(files[0]));
        let anew = if has_ended { " --restart" } else { "" };
        let option = if found.contains_key(&path) && !has_ended { " --resume" } else { anew };
        let again = ran(&mut call(dir.path(), &format!("{line}{option}")));
        no_panic(&again);
        again.expect(0, &[]);
        same(dir.path(), whole.path(), files);
    }
}

#[test]
fn a_training_that_was_killed_goes_on() {
    let line = "train --data in/t.csv --hidden 8,6 --steps 40000 --check-on 0.2 --out out";
    goes_on_from_its_checkpoint(line, "train.checkpoint", &["model.lgl2o", "loss.svg", "metrics.json"]);
}

#[test]
fn a_meta_training_that_was_killed_goes_on() {
    goes_on_from_its_checkpoint("meta-train --config c.toml --out out", "c.checkpoint", &["c.l2o"]);
}

/// A place with the configuration of a distribution of tasks.
fn prepared() -> tempfile::TempDir {
    let dir = place();
    fs::write(dir.path().join("d.toml"), DISTRIBUTION).expect("written");
    dir
}

/// What keeps finished units finds them again, and leaves them as they are.
fn finds_its_units(line: &str, files: &[&str]) {
    let whole = prepared();
    ran(&mut call(whole.path(), line)).expect(0, &[]);
    for moment in [Moment::Early, Moment::Late] {
        let dir = prepared();
        let units = dir.path().join("out/units");
        let has_some = |_| names(&units).iter().any(|name| name.ends_with(".json"));
        let found = kill(dir.path(), line, moment, has_some);
        let before = names(&units).iter().filter(|name| name.ends_with(".json")).count();
        let again = ran(&mut call(dir.path(), line));
        no_panic(&again);
        again.expect(0, &[]);
        assert!(before > 0 || moment == Moment::Early);
        let counted = format!("{before} found finished");
        assert!(again.out.contains(&counted), "`{counted}` is not in {again:#?}");
        let after = kept(&dir.path().join("out"));
        for (path, bytes) in found.iter().filter(|(path, _)| path.starts_with(&units)) {
            assert!(after.get(path) == Some(bytes), "{}: it was whole, and was made again", path.display());
        }
        same(dir.path(), whole.path(), files);
    }
}

#[test]
fn a_survey_that_was_killed_goes_on() {
    let line = "survey --steps 20,400 --seeds 2 --synthetic 0 --networks 4:relu,6:tanh --optimizers sgd:1,adam:0.1 --flat none \
                --data in --out out";
    finds_its_units(line, &["survey.json"]);
}

#[test]
fn a_reproduction_that_was_killed_goes_on() {
    finds_its_units("reproduce --quick --only 4 --seeds 2 --idx in --out out --data nowhere", &["report.md"]);
}

#[test]
fn a_comparison_that_was_killed_goes_on() {
    let line = "compare --task idx --data in --batch 8 --steps 3000 --seeds 3 --optimizers sgd:0.1,lgl2o(l2o,sgd:0.1),auto --out out";
    finds_its_units(line, &["results.json", "table.md", "report.html"]);
}

#[test]
fn an_evaluation_that_was_killed_goes_on() {
    finds_its_units("meta-train --config d.toml --evaluate avg-ngn,adam:0.03 --tasks 15 --out out", &[]);
}

/// A measurement goes on from its finished runs, and a finished one keeps nothing: the next call measures anew.
#[test]
fn a_measurement_that_was_killed_goes_on() {
    // Long enough that even a fast machine has not finished by the time of the kill: a finished one keeps nothing.
    let line = "bench --networks S1 --optimizers sgd:0.3,adam:0.01 --rounds 12 --steps 400 --out out";
    let dir = place();
    let units = dir.path().join("out/units");
    let count = || names(&units).iter().filter(|name| name.ends_with(".json")).count();
    kill(dir.path(), line, Moment::Late, |_| count() > 2);
    let before = count();
    assert!((3..24).contains(&before), "{before}");
    for (found, is_told) in [(before, true), (0, false)] {
        let again = ran(&mut call(dir.path(), line));
        again.expect(0, &[]);
        let told = format!("{found} runs are of a call that was interrupted");
        assert_eq!(again.err.contains(&told), is_told, "{again:#?}");
        assert!(dir.path().join("out/results.json").exists() && names(&units).is_empty());
    }
    assert_eq!(leftovers(dir.path()), [""; 0]);
}

/// A search of rates is kept as the runs are.
#[test]
fn a_search_of_rates_that_was_killed_goes_on() {
    let line = "compare --task idx --data in --batch 8 --steps 200 --seeds 1 --tune --optimizers sgd,adam --out out";
    let whole = place();
    ran(&mut call(whole.path(), line)).expect(0, &[]);
    let dir = place();
    let units = dir.path().join("out/units");
    let found = kill(dir.path(), line, Moment::Late, |_| names(&units).len() > 3);
    ran(&mut call(dir.path(), line)).expect(0, &[]);
    let after = kept(&dir.path().join("out"));
    for (path, bytes) in found.iter().filter(|(path, _)| path.starts_with(&units)) {
        assert!(after.get(path) == Some(bytes), "{}: it was whole, and was made again", path.display());
    }
    same(dir.path(), whole.path(), &["tuned.toml", "results.json"]);
}

/// What was found out with other settings, or other data, is never taken for this call's.
#[test]
fn a_changed_comparison_finds_nothing_of_the_one_before() {
    let dir = place();
    let line = "compare --task idx --data in --batch 8 --steps 10 --seeds 1 --optimizers sgd:0.1 --out out";
    let found = |line: &str| {
        let ran = ran(&mut call(dir.path(), line));
        ran.expect(0, &[]);
        ran.out.contains("0 done, 1 found finished")
    };
    assert!(!found(line) && found(line));
    for (from, to) in
        [("--batch 8", "--batch 7"), ("--steps 10", "--steps 11"), ("sgd:0.1", "sgd:0.2"), ("--out", "--seed 2 --out")]
    {
        assert!(!found(&line.replace(from, to)), "{to}");
    }
    for more in ["--hidden 5", "--activation tanh", "--standardize off"] {
        assert!(!found(&format!("{line} {more}")), "{more}");
    }
    let labels = dir.path().join("in/train-labels-idx1-ubyte");
    let mut bytes = fs::read(&labels).expect("there");
    *bytes.last_mut().expect("a label") ^= 1;
    fs::write(&labels, bytes).expect("written");
    assert!(!found(line), "one label is another");
    // What is no unit, or a damaged one, counts as not there.
    for path in names(&dir.path().join("out/units")) {
        fs::write(dir.path().join("out/units").join(path), "{\"key\":\"x\"").expect("written");
    }
    assert!(!found(line) && found(line));
}

/// Files of the report, without the runs that are kept beside it.
fn report(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut all = kept(&dir.join("out"));
    all.retain(|path, _| !path.starts_with(dir.join("out/units")));
    all
}

/// The report of the call before is left alone.
#[test]
fn a_comparison_that_was_killed_leaves_the_one_before() {
    let line = |steps: u32| {
        format!("compare --task idx --data in --batch 8 --steps {steps} --seeds 1 --optimizers sgd:0.1 --out out")
    };
    let dir = place();
    ran(&mut call(dir.path(), &line(10))).expect(0, &[]);
    let before = report(dir.path());
    assert!(before.contains_key(&dir.path().join("out/results.json")));
    for moment in [Moment::Early, Moment::Late] {
        kill(dir.path(), &line(100_000_000), moment, |id| ticks(id) > 20);
        assert!(report(dir.path()) == before, "{moment:?}: the report before is not as it was");
    }
    ran(&mut call(dir.path(), &line(10))).expect(0, &[]);
    assert!(report(dir.path()) == before);
    assert_eq!(leftovers(dir.path()), [""; 0]);
}

/// A build, and an emulator, end with everything that they have started, however this program ends.
#[test]
fn children_end_with_the_program() {
    for (line, script) in [("device --out out", true), ("device --elf in/p --out out", false)] {
        for (sent, status) in [(Signal::INT, 130), (Signal::TERM, 143), (Signal::KILL, 137)] {
            let dir = place();
            if script {
                fs::create_dir(dir.path().join("firmware")).expect("made");
                let build = "sleep 600 &\necho $! > \"$BORN\"\nwait\n";
                fs::write(dir.path().join("firmware/build"), build).expect("written");
            }
            let mut child = start(&mut call(dir.path(), line));
            let born = dir.path().join("born");
            let number = || fs::read_to_string(&born).ok()?.trim().parse::<u32>().ok();
            wait_for(&mut child, "it had started something", || number().is_some());
            signal(&child, sent);
            let ran = finish(child);
            no_panic(&ran);
            assert_eq!(ran.status, status, "{line}: {ran:#?}");
            assert!(ends(number().expect("a number")), "{line}, {sent:?}: what it has started runs on");
        }
    }
}
