//! What belongs to somebody else: results of other commands, files of other kinds, folders that are another program's by now.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use lgl2o_tests::program::ran;
use rustix::process::Signal;

use crate::commands::{COMMANDS, call, place};
use crate::{finish, names, no_panic, signal, start, wait_for};

/// The files in a folder, with their bytes.
fn files(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let all = names(dir).into_iter().filter(|name| !name.starts_with(".lgl2o") && dir.join(name).is_file());
    all.map(|name| (name.clone(), fs::read(dir.join(name)).expect("readable"))).collect()
}

/// Whatever command is called next, what a command has left stays as it is: the next one is refused, or writes other files.
#[test]
fn no_command_replaces_results_of_another() {
    for case in COMMANDS.iter().filter(|case| case.writes && case.name != "device") {
        let first = place();
        ran(&mut call(first.path(), case.short)).expect(0, &[]);
        let left = files(&first.path().join("out"));
        assert!(!left.is_empty(), "{}", case.name);
        for other in COMMANDS.iter().filter(|other| other.writes && other.name != case.name) {
            let dir = place();
            let out = dir.path().join("out");
            fs::create_dir(&out).expect("made");
            left.iter().for_each(|(name, bytes)| fs::write(out.join(name), bytes).expect("written"));
            if other.name != "device" {
                let ran = ran(&mut call(dir.path(), other.short));
                no_panic(&ran);
                assert!(ran.status < 2, "{} after {}: {ran:#?}", other.name, case.name);
            }
            let now = files(&out);
            for (name, bytes) in &left {
                assert!(now.get(name) == Some(bytes), "{} after {}: {name}", other.name, case.name);
            }
        }
    }
}

/// A single file takes the place of none of another kind, but of an older one of its own, and of an empty one.
#[test]
fn files_of_other_kinds_are_not_replaced() {
    for (line, result) in [
        ("predict --model in/m.lgl2o --data in/t.csv --out out/p", "out/p"),
        ("playground --out out/p", "out/p"),
        ("bench --networks S1 --optimizers sgd:0.3 --rounds 1 --steps 1 --growth out/p --out out/b", "out/p"),
    ] {
        let dir = place();
        fs::create_dir(dir.path().join("out")).expect("made");
        let file = dir.path().join(result);
        for (other, what) in [("in/m.lgl2o", "a model"), ("in/t.csv", "text"), ("in/p", "a program")] {
            fs::copy(dir.path().join(other), &file).expect("copied");
            let before = fs::read(&file).expect("there");
            let ran = ran(&mut call(dir.path(), line));
            no_panic(&ran);
            ran.expect(1, &["cannot write out/p", what, "name another place"]);
            assert!(fs::read(&file).expect("there") == before, "{line}");
        }
        fs::write(&file, "").expect("written");
        for _ in 0..2 {
            ran(&mut call(dir.path(), line)).expect(0, &[]);
        }
    }
}

/// A folder that is moved away under a run is not written to any more, and what another run has put in its place stays.
#[test]
fn a_folder_that_was_moved_is_another_ones() {
    for case in COMMANDS.iter().filter(|case| ["train", "compare", "bench"].contains(&case.name)) {
        let dir = place();
        let (out, long) = (dir.path().join("out"), case.long.expect("a long call"));
        let mut first = start(&mut call(dir.path(), long));
        wait_for(&mut first, "it had begun", || {
            names(&out).iter().any(|name| name.ends_with(".checkpoint")) || !names(&out.join("units")).is_empty()
        });
        fs::rename(&out, dir.path().join("moved")).expect("moved");
        ran(&mut call(dir.path(), case.short)).expect(0, &[]);
        let left = files(&out);
        // It may have come to its next write by now.
        if first.try_wait().expect("it can be asked").is_none() {
            signal(&first, Signal::TERM);
        }
        let ended = finish(first);
        no_panic(&ended);
        assert!(ended.status != 0, "{ended:#?}");
        assert!(files(&out) == left, "{}: {ended:#?}", case.name);
        if case.name == "train" {
            ended.expect(1, &["out is no longer held by this program", "What was to be written is"]);
        }
    }
}

/// Data of a kind that is none of tables, named for what they are.
#[test]
fn what_is_no_table_is_told_by_name() {
    let dir = place();
    let wide: Vec<u8> = "a,b\n1,2\n".bytes().flat_map(|byte| [byte, 0]).collect();
    fs::write(dir.path().join("wide.csv"), wide).expect("written");
    fs::write(dir.path().join("t.json"), "[\n {\"a\": 1}\n]").expect("written");
    let offset: String = (0..60).map(|i| format!("{},{}\n", 1_700_000_000 + i, i % 2)).collect();
    fs::write(dir.path().join("time.csv"), format!("t,y\n{offset}")).expect("written");
    for (file, says) in [
        ("wide.csv", "the text is not UTF-8"),
        ("t.json", "it is JSON"),
        ("in/train-labels-idx1-ubyte", "it is an IDX file of images or labels"),
        ("in/m.lgl2o", "it is a model"),
        ("time.csv", "Subtract a constant from the column"),
    ] {
        let ran = ran(&mut call(dir.path(), &format!("train --data {file} --hidden 2 --steps 5 --out out")));
        no_panic(&ran);
        ran.expect(1, &[file, says]);
    }
    assert!(std::process::Command::new("mkfifo").arg(dir.path().join("pipe")).status().expect("it is there").success());
    ran(&mut call(dir.path(), "train --data pipe --out out"))
        .expect(1, &["pipe", "Write what comes from it to a file"]);
}

/// No layer is left out without a word.
#[test]
fn an_order_names_all_layers() {
    let dir = place();
    ran(&mut call(dir.path(), "train --data in/t.csv --hidden 4 --steps 20 --out out")).expect(0, &[]);
    ran(&mut call(dir.path(), "export --model out/model.lgl2o --to safetensors --out e")).expect(0, &[]);
    let line = "import --from e/model.safetensors --out i --order";
    ran(&mut call(dir.path(), &format!("{line} layers.0")))
        .expect(1, &["--order leaves out `layers.1`", "layers.0, layers.1"]);
    assert!(!dir.path().join("i").exists());
    ran(&mut call(dir.path(), &format!("{line} layers.0,layers.1"))).expect(0, &[]);
}
