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
    // One value, whether its row is trained on or only tested on.
    let far: String = (0..60).map(|i| format!("{},{}\n", if i == 3 { 3e38 } else { f64::from(i) }, i % 2)).collect();
    fs::write(dir.path().join("far.csv"), format!("t,y\n{far}")).expect("written");
    for (file, says) in [
        ("wide.csv", "the text is not UTF-8"),
        ("t.json", "it is JSON"),
        ("in/train-labels-idx1-ubyte", "it is an IDX file of images or labels"),
        ("in/m.lgl2o", "it is a model"),
        ("time.csv", "Subtract a constant from the column"),
        ("far.csv", "column 1 (`t`): its values spread too far to be standardized"),
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

/// What is odd about labels is said by every command that reads a folder, and no command fails for it.
#[test]
fn odd_labels_are_told() {
    use lgl2o_host::data::idx::{Encoding, write_labels};
    let commands =
        ["compare", "survey", "reproduce"].map(|name| COMMANDS.iter().find(|case| case.name == name).unwrap().short);
    let train = "train --data in --hidden 4 --steps 20 --out out";
    for (labels, says) in [
        ([1; 16], "all 16 rows that are tested on are `1`, so the test says nothing of the other classes"),
        ([0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2, 0], "no row that is trained on is `2`"),
        ([0, 1, 9, 0, 1, 9, 0, 1, 9, 0, 1, 9, 0, 1, 9, 0], "of the 10 classes that the labels count, 3 occur"),
        ([0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1], ""),
    ] {
        for line in commands.iter().chain([&train]) {
            let dir = place();
            write_labels(&dir.path().join("in/t10k-labels-idx1-ubyte"), &labels, Encoding::Plain).unwrap();
            let ran = ran(&mut call(dir.path(), line));
            ran.expect(0, &[says]);
            let told = ["tested on are", "no row that is trained on", "that the labels count"];
            assert!(!says.is_empty() || !told.iter().any(|words| ran.err.contains(words)), "{line}: {ran:#?}");
        }
    }
}

/// Folders and files of data that are named beside what the calls of the matrix read.
#[test]
fn data_that_are_not_there_are_told() {
    let dir = place();
    let config = crate::CONFIG.replace("data = \"spirals\"", "data = \"mnist\"");
    fs::write(dir.path().join("in/mnist.toml"), config).unwrap();
    fs::write(
        dir.path().join("in/x.npy"),
        lgl2o_host::data::table::npy::write(&[4, 2], &[1.0, 2.0, 3.0, 1.0, 2.0, 5.0, 1.0, 0.0]),
    )
    .unwrap();
    for (line, status, says) in [
        ("meta-train --config in/mnist.toml --data nowhere --out out", 1, "no data set `mnist`"),
        ("device --program stream --data nowhere --elf in/p --out out", 1, "no data set `mnist`"),
        ("train --data in/x.npy --labels nowhere --out out", 1, "cannot read nowhere"),
        ("train --data in/x.npy --labels in/t.csv --out out", 1, "in/t.csv"),
        ("predict --model in/m.lgl2o --data in/x.npy --labels nowhere", 1, "cannot read nowhere"),
        ("eval --model in/m.lgl2o --data in/x.npy --labels nowhere", 1, "cannot read nowhere"),
        ("data status --data nowhere", 0, ""),
    ] {
        let ran = ran(&mut call(dir.path(), line));
        no_panic(&ran);
        ran.expect(status, &[says]);
        assert!(!dir.path().join("out").exists() && (status != 0 || ran.out.contains("nowhere")), "{line}: {ran:#?}");
    }
}

/// A file of weights of another kind is told by what it is, with what would be right.
#[test]
fn other_files_are_no_weights() {
    let dir = place();
    ran(&mut call(dir.path(), "meta-train --config in/c.toml --out w")).expect(0, &[]);
    ran(&mut call(dir.path(), "train --data in/t.csv --hidden 3 --steps 5 --out m")).expect(0, &[]);
    fs::write(dir.path().join("empty"), "").unwrap();
    let compare = |file: &str| format!("compare --steps 5 --seeds 1 --optimizers l2o:{file} --out out");
    for (line, says) in [
        (compare("in/m.lgl2o"), "it is a model, for `--model`, and no file of weights"),
        (compare("m/train.checkpoint"), "lgl2o train --resume"),
        (compare("in/w.safetensors"), "safetensors, which `lgl2o import` reads, and no file of weights"),
        (compare("in/train-labels-idx1-ubyte"), "an IDX file"),
        (compare("empty"), "it is empty"),
        ("predict --model w/c.l2o --data in/t.csv".to_owned(), "it is weights of a learned optimizer"),
        ("predict --model in/w.safetensors --data in/t.csv".to_owned(), "safetensors, which `lgl2o import` reads"),
        ("import --from w/c.l2o --out out".to_owned(), "it is weights of a learned optimizer"),
        ("import --from in/m.lgl2o --out out".to_owned(), "it is a model"),
        ("meta-train --config w/c.l2o --out out".to_owned(), "it is weights of a learned optimizer"),
        ("train --data w/c.l2o --out out".to_owned(), "it is weights of a learned optimizer"),
    ] {
        let ran = ran(&mut call(dir.path(), &line));
        no_panic(&ran);
        assert!(matches!(ran.status, 1 | 2), "{ran:#?}");
        ran.expect(ran.status, &[says]);
        assert!(!dir.path().join("out").exists(), "{line}");
    }
}

/// Writes a unit's file, with the checksum that it then has.
fn forge(file: &Path, unit: &serde_json::Value) {
    let bytes = serde_json::to_vec(unit).unwrap();
    fs::write(file, &bytes).unwrap();
    let output = std::process::Command::new("sha256sum").arg(file).output().expect("it is there");
    let sum = String::from_utf8(output.stdout).unwrap();
    let sum = sum.split(' ').next().unwrap_or_default();
    fs::write(file, [&bytes, &b"\n"[..], sum.as_bytes()].concat()).unwrap();
}

/// A kept unit is held against all that it is of: the result of another seed, optimizer, horizon, network or data set is computed
/// again, though it stands under the right key with a good checksum.
#[test]
fn a_unit_with_the_result_of_another_is_computed_again() {
    for (line, other) in [
        (
            "compare --task idx --data in --batch 8 --steps 10 --seeds 2 --optimizers sgd:0.1,adam:0.1 --out out",
            ("--batch 8", "--batch 7"),
        ),
        (
            "survey --steps 2 --seeds 2 --synthetic 0 --networks 4:relu --optimizers sgd:1,adam:0.1 --flat none --data in --out out",
            ("--seeds 2", "--seeds 2 --seed 5"),
        ),
        ("reproduce --quick --only 4 --seeds 2 --idx in --out out --data nowhere", ("", "")),
    ] {
        let (dir, other) = (place(), line.replace(other.0, other.1));
        ran(&mut call(dir.path(), line)).expect(0, &[]);
        // Of another network, or of other seeds, too.
        ran(&mut call(dir.path(), &other)).expect(0, &[]);
        let units = dir.path().join("out/units");
        let all: Vec<String> = names(&units).into_iter().filter(|name| name.ends_with(".json")).collect();
        let read = |name: &str| -> serde_json::Value {
            let text = fs::read_to_string(units.join(name)).unwrap();
            serde_json::from_str(text.lines().next().unwrap()).unwrap()
        };
        let whole = files(&units);
        assert!(all.len() > 3, "{all:?}");
        // Each file gets the result of the next one.
        for (name, next) in all.iter().zip(all.iter().cycle().skip(1)) {
            let (mut unit, result) =
                (read(name), serde_json::from_slice(whole[next].split(|b| *b == b'\n').next().unwrap()));
            let result: serde_json::Value = result.unwrap();
            unit["result"] = result["result"].clone();
            forge(&units.join(name), &unit);
        }
        let again = ran(&mut call(dir.path(), line));
        again.expect(0, &["is damaged, or another unit: it is computed again"]);
        assert!(again.out.contains(" 0 found finished"), "{again:#?}");
        ran(&mut call(dir.path(), &other)).expect(0, &[]);
        assert!(files(&units) == whole, "{line}: units are as they were");
        // One that is as it should be is found, forged or not.
        let name = &all[0];
        forge(&units.join(name), &read(name));
        assert!(ran(&mut call(dir.path(), line)).expect(0, &[]).out.contains(" 0 done, "), "{line}");
    }
}
