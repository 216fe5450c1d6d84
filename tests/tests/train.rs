//! `lgl2o train`, `predict`, `eval`, `export` and `import` from end to end.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use lgl2o::Rng;
use lgl2o_host::saved::SavedModel;
use lgl2o_tests::program::{Ran, command, folder, lgl2o, ran, write_idx};

/// Gestures of three classes in four units, some of them hard to tell apart, with a column of text.
fn gestures(rows: u32) -> String {
    let mut rng = Rng::new(3);
    let mut text = "device;x;\"y; raw\";z;kind\n".to_owned();
    for i in 0..rows {
        let class = i % 3;
        let shift = class as f32;
        let name = ["rest", "tap", "\"wave; long\""][class as usize];
        let (x, y, z) =
            (1e-3 * (shift + 0.3 * rng.normal()), 1e4 - 50.0 * shift * shift + 20.0 * rng.normal(), rng.normal());
        writeln!(text, "d{};{x};{y};{z};{name}", i % 9).unwrap();
    }
    text
}

const TRAIN: [&str; 13] = [
    "train", "--data", "t.csv", "--target", "kind", "--drop", "device", "--hidden", "8,6", "--steps", "300", "--out",
    "o",
];

fn train(dir: &Path, more: &[&str]) -> Ran {
    fs::write(dir.join("t.csv"), gestures(300)).unwrap();
    lgl2o(dir, &[&TRAIN[..], more].concat())
}

/// What `predict` says of each row, without the names above it.
fn predicted(dir: &Path, model: &str, data: &str) -> Vec<Vec<String>> {
    let ran = lgl2o(dir, &["predict", "--model", model, "--data", data]);
    ran.expect(0, &[]);
    ran.out.lines().skip(1).map(|line| line.split(',').map(str::to_owned).collect()).collect()
}

fn metrics(dir: &Path) -> serde_json::Value {
    serde_json::from_slice(&fs::read(dir.join("o/metrics.json")).unwrap()).unwrap()
}

#[test]
fn a_network_is_trained_scored_and_asked() {
    let dir = folder();
    let ran = train(dir.path(), &["--check-on", "0.2"]);
    ran.expect(0, &["3 features, 3 classes from column 5 (`kind`)", "180 to train on, 60 to check on, 60 to test on"]);
    let found = metrics(dir.path());
    let tested = &found["parts"][2];
    assert_eq!(tested[0], "tested on");
    assert!(tested[1]["balanced_accuracy"].as_f64().unwrap() > 0.85, "{tested}");
    for file in ["model.lgl2o", "train.checkpoint", "loss.svg", "confusion.svg", "report.html"] {
        assert!(dir.path().join("o").join(file).metadata().unwrap().len() > 100, "{file}");
    }
    // What eval says of all rows is what predict says, counted.
    let rows = predicted(dir.path(), "o/model.lgl2o", "t.csv");
    let names = ["rest", "tap", "wave; long"];
    let right = rows.iter().enumerate().filter(|(i, row)| row[0] == names[i % 3]).count();
    let evaluated = lgl2o(dir.path(), &["eval", "--model", "o/model.lgl2o", "--data", "t.csv", "--json"]);
    let evaluated: serde_json::Value = serde_json::from_str(&evaluated.out).unwrap();
    assert_eq!((rows.len(), evaluated["rows"].as_u64()), (300, Some(300)));
    let accuracy = evaluated["accuracy"].as_f64().unwrap();
    assert!((accuracy - right as f64 / 300.0).abs() < 1e-6, "{accuracy} {right}");
    // The parts are counted apart, and make the whole.
    let parts = found["parts"].as_array().unwrap().iter();
    let counted: f64 =
        parts.map(|part| part[1]["accuracy"].as_f64().unwrap() * part[1]["rows"].as_f64().unwrap()).sum();
    assert!((counted - right as f64).abs() < 1e-3, "{counted} {right}");
    // Columns are found by their names, in any order, without the target.
    fs::write(dir.path().join("new.csv"), "z,\"y; raw\",x\n0.1,1e4,0\n0.1,9800,0.002\n").unwrap();
    let new = predicted(dir.path(), "o/model.lgl2o", "new.csv");
    assert_eq!([new[0][0].as_str(), new[1][0].as_str()], ["rest", "wave; long"]);
    let sum: f64 = new[0][1..].iter().map(|share| share.parse::<f64>().unwrap()).sum();
    assert!((sum - 1.0).abs() < 1e-5);
}

/// A class in a hundred of which the network finds none or few counts like the others, if that is asked for.
#[test]
fn rare_classes_can_count_like_the_others() {
    let dir = folder();
    let mut rng = Rng::new(9);
    let mut text = "x,y,kind\n".to_owned();
    for i in 0..600 {
        let is_rare = i % 20 == 0;
        let shift = if is_rare { 1.2 } else { 0.0 };
        writeln!(text, "{},{},{}", rng.normal() + shift, rng.normal() + shift, if is_rare { "rare" } else { "usual" })
            .unwrap();
    }
    fs::write(dir.path().join("r.csv"), text).unwrap();
    let recall = |more: &str| {
        let line = format!("train --data r.csv --hidden 4 --steps 300 --test-share 0 --restart --out o{more}");
        lgl2o(dir.path(), &line.split(' ').collect::<Vec<_>>()).expect(0, &[]);
        let found = metrics(dir.path());
        assert_eq!(found["command"].as_str().unwrap().contains("--balance"), more.contains("--balance"), "{found}");
        let classes = found["parts"][0][1]["classes"].as_array().unwrap().clone();
        classes.iter().find(|class| class["name"] == "rare").unwrap()["recall"].as_f64().unwrap()
    };
    let (usual, balanced) = (recall(""), recall(" --balance --smoothing 0.05"));
    assert!(balanced > 0.7 && balanced > usual + 0.2, "{usual} {balanced}");
    let refused = |more: &str, status, says: &str| {
        let line = format!("train --data r.csv --out p {more}");
        lgl2o(dir.path(), &line.split(' ').collect::<Vec<_>>()).expect(status, &[says]);
    };
    refused("--regression --balance", 2, "cannot be used with");
    refused("--smoothing 1", 2, "from 0 to 0.5");
    let line = "train --data r.csv --hidden 4 --steps 400 --test-share 0 --resume --out o --balance";
    lgl2o(dir.path(), &line.split(' ').collect::<Vec<_>>()).expect(1, &["smoothing was 0.05"]);
}

#[test]
fn rows_far_from_those_of_training_are_told() {
    let dir = folder();
    train(dir.path(), &[]).expect(0, &[]);
    let asked = |data: &str| {
        fs::write(dir.path().join("new.csv"), format!("x,\"y; raw\",z\n{data}")).unwrap();
        let ran = lgl2o(dir.path(), &["predict", "--model", "o/model.lgl2o", "--data", "new.csv"]);
        ran.expect(0, &[]);
        ran
    };
    // In thousands, where training had units.
    let ran = asked("0.001,9.9,0\n0.002,10.1,1\n");
    ran.expect(0, &["warning: column 3 (`y; raw`) is far from the rows", "its mean is 10.0 here", "check its unit"]);
    assert!(!ran.err.contains("other column") && ran.out.lines().count() == 3, "{ran:?}");
    asked("1,9.9,0\n").expect(0, &["so is 1 other column"]);
    // One row far off among many near ones is no mistaken unit.
    let ran = asked(&format!("0.001,9900,9\n{}", "0.001,9900,0.5\n".repeat(20)));
    assert!(!ran.err.contains("warning"), "{ran:?}");
}

#[test]
fn the_same_call_makes_the_same_model_and_another_seed_another_one() {
    let [one, two, three] = [folder(), folder(), folder()];
    for (dir, seed) in [(&one, "5"), (&two, "5"), (&three, "6")] {
        train(dir.path(), &["--seed", seed]).expect(0, &[]);
    }
    let model = |dir: &tempfile::TempDir| fs::read(dir.path().join("o/model.lgl2o")).unwrap();
    assert_eq!(model(&one), model(&two));
    assert_ne!(model(&one), model(&three));
}

#[test]
fn values_are_learned_in_their_own_unit() {
    let dir = folder();
    let mut rng = Rng::new(4);
    let mut text = String::new();
    for _ in 0..300 {
        let (a, b) = (rng.range(0.0, 10.0), rng.normal());
        writeln!(text, "{a},{},{b}", 1e5 + 2e4 * a + 5e3 * b * b).unwrap();
    }
    fs::write(dir.path().join("v.csv"), text).unwrap();
    let line = "train --data v.csv --target 2 --regression --steps 500 --out o";
    lgl2o(dir.path(), &line.split(' ').collect::<Vec<_>>()).expect(0, &["2 features, a value from column 2"]);
    let tested = &metrics(dir.path())["parts"][1][1];
    assert!(tested["r2"].as_f64().unwrap() > 0.98, "{tested}");
    assert!(tested["mean_absolute_error"].as_f64().unwrap() > 1.0, "in the unit of the values: {tested}");
    let rows = predicted(dir.path(), "o/model.lgl2o", "v.csv");
    let first: f64 = rows[0][0].parse().unwrap();
    assert!((1e5..4e5).contains(&first), "{first}");
}

#[test]
fn a_folder_of_idx_files_is_trained_on() {
    let dir = folder();
    fs::create_dir(dir.path().join("in")).unwrap();
    write_idx(&dir.path().join("in"), 4, 3, 90, 30);
    let line = "train --data in --steps 200 --out o";
    lgl2o(dir.path(), &line.split(' ').collect::<Vec<_>>())
        .expect(0, &["16 features, 3 classes", "90 to train on", "30 to test on"]);
    assert_eq!(metrics(dir.path())["parts"][1][1]["rows"], 30);
    assert_eq!(predicted(dir.path(), "o/model.lgl2o", "in").len(), 30);
    lgl2o(dir.path(), &["eval", "--model", "o/model.lgl2o", "--data", "in"]).expect(0, &[]);
    let other = format!("{line} --test-share 0.1");
    lgl2o(dir.path(), &other.split(' ').collect::<Vec<_>>()).expect(2, &["test examples of its own"]);
}

/// What a training leaves that gets Ctrl-C once it has kept something; its folder is fresh.
fn interrupted(mut training: Command, out: &Path) -> Output {
    let _ = fs::remove_dir_all(out);
    let mut child = training.stderr(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let pid = rustix::process::Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    while child.try_wait().unwrap().is_none() {
        if out.join("train.checkpoint").exists() {
            rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
            break;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    child.wait_with_output().unwrap()
}

/// Interrupted in the middle, gone on with: the bits of an uninterrupted training.
#[test]
fn an_interrupted_training_goes_on() {
    let [whole, parts] = [folder(), folder()];
    let steps = "60000";
    let more = ["--steps", steps, "--check-on", "0.2"];
    let with = |more: &[&str]| -> Vec<String> {
        let line = TRAIN.iter().filter(|word| !["--steps", "300"].contains(word));
        line.chain(more).map(|word| (*word).to_owned()).collect()
    };
    let call = |dir: &Path, more: &[&str]| {
        fs::write(dir.join("t.csv"), gestures(60)).unwrap();
        let arguments = with(more);
        command(dir, &arguments.iter().map(String::as_str).collect::<Vec<_>>())
    };
    // Where this thread had to wait, the training may have come to its end: then it begins again.
    let mut outputs = (0..50).map(|_| interrupted(call(parts.path(), &more), &parts.path().join("o")));
    let output = outputs.find(|output| !output.status.success()).expect("one that is interrupted in time");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(130), "{said}");
    assert!(said.contains("of 60000 steps are kept in o/train.checkpoint; --resume"), "{said}");
    // What there is by then is a model that predicts.
    assert!(!predicted(parts.path(), "o/model.lgl2o", "t.csv").is_empty());
    // Not without a word, not with other settings, not with other data.
    ran(&mut call(parts.path(), &more)).expect(1, &["o/model.lgl2o of another training", "--resume", "--restart"]);
    ran(&mut call(parts.path(), &[&more[..], &["--resume", "--seed", "9"]].concat()))
        .expect(1, &["seed was 1 and is 9"]);
    ran(&mut call(parts.path(), &[&more[..], &["--resume", "--drop", "z"]].concat()))
        .expect(1, &["the data are others"]);
    ran(&mut call(parts.path(), &[&more[..], &["--resume"]].concat())).expect(0, &[]);
    ran(&mut call(whole.path(), &more)).expect(0, &[]);
    let files = |dir: &tempfile::TempDir| {
        ["model.lgl2o", "loss.svg"].map(|name| fs::read(dir.path().join("o").join(name)).unwrap())
    };
    assert_eq!(files(&whole), files(&parts));
    // A damaged one is refused, and stays.
    let checkpoint = parts.path().join("o/train.checkpoint");
    let mut bytes = fs::read(&checkpoint).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&checkpoint, &bytes).unwrap();
    ran(&mut call(parts.path(), &[&more[..], &["--resume"]].concat()))
        .expect(1, &["o/train.checkpoint", "damaged", "--restart"]);
    assert_eq!(fs::read(&checkpoint).unwrap(), bytes);
}

/// A finished training is not replaced by accident, and goes on with more steps.
#[test]
fn a_finished_training_is_kept() {
    let dir = folder();
    train(dir.path(), &[]).expect(0, &[]);
    let model = || fs::read(dir.path().join("o/model.lgl2o")).unwrap();
    let first = model();
    train(dir.path(), &["--seed", "2"])
        .expect(1, &["o/model.lgl2o of another training is there", "--restart", "--out"]);
    assert_eq!(model(), first);
    let line = "train --data t.csv --target kind --drop device --hidden 8,6 --steps 1000 --out o --resume";
    lgl2o(dir.path(), &line.split(' ').collect::<Vec<_>>()).expect(0, &[]);
    assert_ne!(model(), first);
    assert!(metrics(dir.path())["steps"].as_u64().unwrap() >= 1000);
    train(dir.path(), &["--restart"]).expect(0, &[]);
    assert_eq!(model(), first);
}

#[test]
fn bad_tables_are_refused_with_their_place() {
    let dir = folder();
    let refused = |text: &str, more: &[&str], says: &[&str]| {
        fs::write(dir.path().join("b.csv"), text).unwrap();
        lgl2o(dir.path(), &[&["train", "--data", "b.csv", "--steps", "1", "--out", "b"], more].concat())
            .expect(1, says);
        assert!(!dir.path().join("b").exists(), "nothing is left of it");
    };
    let rows = |row: &str| format!("a,b,y\n{}", row.repeat(10));
    refused(&format!("{}3,,q\n", rows("1,2,p\n")), &[], &["b.csv, line 12, column 2 (`b`)", "--missing drop"]);
    refused(&rows("1,2,p\n"), &["--allow-constant"], &["b.csv, column 3 (`y`): all targets are `p`"]);
    refused(
        &rows("1,2,p\n3,2,q\n"),
        &[],
        &["b.csv, column 2 (`b`): all 20 rows have the value 2", "--drop b", "--allow-constant"],
    );
    refused(&rows("1,2,p\n3,4,q\n"), &["--target", "z"], &["b.csv", "no column `z`", "`a`, `b`, `y`"]);
    refused("a,b,y\n1,2,p\n3,4,q\n", &[], &["b.csv: 2 rows are too few", "--test-share"]);
    refused(&rows("1,2\n"), &[], &["b.csv, line 2", "2 cells", "first line has 3"]);
}

/// The exported module, compiled as firmware would, predicts what `predict` says, bit for bit.
#[test]
fn the_module_of_rust_gives_the_same_bits() {
    let dir = folder();
    train(dir.path(), &["--activation", "tanh"]).expect(0, &[]);
    lgl2o(dir.path(), &["export", "--model", "o/model.lgl2o", "--to", "rust", "--out", "c/src"]).expect(0, &[]);
    lgl2o(dir.path(), &["export", "--model", "o/model.lgl2o", "--to", "rust", "--out", "c/src"])
        .expect(1, &["--force"]);
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap();
    let manifest = format!(
        "[package]\nname = \"exported\"\nversion = \"0.0.0\"\nedition = \"2024\"\n[workspace]\n[dependencies]\nlgl2o = {{ path = {:?} }}\n",
        root.join("core")
    );
    fs::write(dir.path().join("c/Cargo.toml"), manifest).unwrap();
    fs::copy(root.join("Cargo.lock"), dir.path().join("c/Cargo.lock")).unwrap();
    let main = "mod model;\nfn main() {\n    let mut model = model::model().expect(\"good\");\n    \
        for line in std::io::stdin().lines() {\n        let row: Vec<f32> = line.expect(\"text\").split(' ').map(|x| x.parse().expect(\"a number\")).collect();\n        \
        let p = model.predict(&row).expect(\"finite\");\n        let shares: Vec<String> = p.probabilities.iter().map(|x| format!(\"{x:?}\")).collect();\n        \
        println!(\"{},{}\", model::CLASSES[p.class as usize], shares.join(\",\"));\n    }\n    assert_eq!(model::FEATURES.len(), 3);\n}\n";
    fs::write(dir.path().join("c/src/main.rs"), main).unwrap();
    let build = escargot::CargoBuild::new()
        .manifest_path(dir.path().join("c/Cargo.toml"))
        .target_dir(dir.path().join("target"))
        .arg("--offline");
    let program = build.run().expect("the module compiles");
    let rows = gestures(300);
    let features: Vec<String> =
        rows.lines().skip(1).map(|line| line.split(';').skip(1).take(3).collect::<Vec<_>>().join(" ")).collect();
    fs::write(dir.path().join("rows"), features.join("\n")).unwrap();
    let ran = ran(program.command().stdin(fs::File::open(dir.path().join("rows")).unwrap()));
    ran.expect(0, &[]);
    let expected: Vec<String> =
        predicted(dir.path(), "o/model.lgl2o", "t.csv").iter().map(|row| row.join(",")).collect();
    assert_eq!(ran.out.lines().collect::<Vec<_>>(), expected);
}

/// The header in C, where there is a compiler: the same outputs but for rounding.
#[test]
fn the_header_of_c_gives_the_same_outputs() {
    let dir = folder();
    train(dir.path(), &["--activation", "sigmoid"]).expect(0, &[]);
    lgl2o(dir.path(), &["export", "--model", "o/model.lgl2o", "--to", "c", "--out", "c"]).expect(0, &[]);
    let main = "#include <stdio.h>\n#include \"c/model.h\"\nint main(void) {\n    float x[LGL2O_INPUTS] = {0.001f, 9950.0f, 0.5f}, y[LGL2O_OUTPUTS];\n    \
        lgl2o_run(x, y);\n    for (int i = 0; i < LGL2O_OUTPUTS; i++) printf(\"%.9g %s\\n\", y[i], lgl2o_classes[i]);\n    return lgl2o_features[0][0] != 'x';\n}\n";
    fs::write(dir.path().join("main.c"), main).unwrap();
    let mut compiler = Command::new("cc");
    compiler
        .current_dir(dir.path())
        .args(["-std=c99", "-Wall", "-Wextra", "-Werror", "-O1", "main.c", "-o", "main", "-lm"]);
    let Ok(built) = compiler.output() else {
        eprintln!("no C compiler: not tested");
        return;
    };
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    let ran = ran(&mut Command::new(dir.path().join("main")));
    ran.expect(0, &[]);
    let model = SavedModel::read(&dir.path().join("o/model.lgl2o")).unwrap();
    let mut core = model.model().unwrap();
    let expected = core.values(&[0.001, 9950.0, 0.5]).unwrap();
    assert_eq!(ran.out.lines().count(), 3);
    for ((line, expected), name) in ran.out.lines().zip(expected).zip(model.classes()) {
        let (value, class) = line.split_once(' ').unwrap();
        assert!((value.parse::<f32>().unwrap() - expected).abs() < 1e-5 * (1.0 + expected.abs()), "{line} {expected}");
        assert_eq!(class, name);
    }
}

/// Out to safetensors and in again: the same file. Arrays are there as well.
#[test]
fn a_model_goes_out_and_comes_back() {
    let dir = folder();
    train(dir.path(), &[]).expect(0, &[]);
    for format in ["safetensors", "npy"] {
        lgl2o(dir.path(), &["export", "--model", "o/model.lgl2o", "--to", format, "--out", "e"]).expect(0, &[]);
    }
    lgl2o(dir.path(), &["import", "--from", "e/model.safetensors", "--out", "i"]).expect(0, &[]);
    let read = |path: &str| fs::read(dir.path().join(path)).unwrap();
    assert_eq!(read("i/model.lgl2o"), read("o/model.lgl2o"));
    assert!(read("e/weights_0.npy").starts_with(b"\x93NUMPY"));
    lgl2o(dir.path(), &["import", "--from", "e/model.safetensors", "--out", "i"]).expect(1, &["--force"]);
    lgl2o(dir.path(), &["import", "--from", "o/model.lgl2o", "--out", "j"])
        .expect(1, &["o/model.lgl2o", "safetensors"]);
}
