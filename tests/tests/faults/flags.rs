//! Arguments that contradict each other, say the same twice, or would be ignored: a usage error that says what to do.

use std::fs;

use lgl2o_tests::program::{command, folder, lgl2o, ran};

use crate::commands::{call, place};
use crate::leftovers;

/// What was asked for in vain is told, and not ignored.
#[test]
fn nothing_that_is_asked_for_is_ignored() {
    let dir = place();
    fs::write(dir.path().join("in/m.html"), "<html><body>Not found</body></html>").unwrap();
    let cases: [(&str, &[&str]); 28] = [
        ("compare --steps 5 --optimizers sgd:0.1 --data in --out out", &["--data", "`spirals` is built in"]),
        ("compare --task idx --steps 5 --optimizers sgd:0.1 --out out", &["`--task idx`", "--data DIR"]),
        ("compare --optimizers lgl2o(l2o,sgd,nt=5,nt=6) --out out", &["`nt`", "both set the same"]),
        ("compare --optimizers lgl2o(l2o,sgd,trust,no-trust) --out out", &["`no-trust`: `trust` stands before it"]),
        ("compare --optimizers lgl2o(l2o,sgd,full,margin=2) --out out", &["`margin`: `full` stands before it"]),
        ("compare --optimizers lgl2o(l2o,sgd,nt=5,paper) --out out", &["`paper`", "write it first"]),
        ("compare --optimizers relay(l2o,sgd,race=5,race=6) --out out", &["`race`", "both set the same"]),
        ("reproduce --quick --only 2 --idx in --data nowhere --out out", &["--idx", "`data`", "--only"]),
        ("device --steps 7 --out out", &["--steps is for `--program stream`"]),
        ("device --program sensor --seed 1 --out out", &["--seed is for `--program stream`"]),
        ("device --program cost --data in --out out", &["--data is for `--program stream`"]),
        ("device --power-cuts 3 --out out", &["--program resume"]),
        ("import --from in/w.safetensors --classes 1,01 --out out", &["`1` and `01` are the same number"]),
        ("device --features flip-bit --port /dev/null --out out", &["--features: nothing is built"]),
        ("bench --networks S1 --data in --out out", &["--data: only S2 and S3 train on MNIST"]),
        ("bench --networks S1,S1 --out out", &["`S1` is listed twice"]),
        ("bench --optimizers sgd:1,sgd:1 --out out", &["`sgd:1` is listed twice"]),
        ("doctor output --board microbit", &["--board is for firmware and emulator"]),
        ("doctor compiler --data in", &["--data is for data"]),
        ("doctor data --out out", &["--out is for output"]),
        ("import --from in/w.safetensors --classes a,a --out out", &["--classes: `a` is listed twice"]),
        ("import --from in/w.safetensors --features a,,b --out out", &["--features: name 2 is empty"]),
        ("import --from in/w.safetensors --mean 1,nan --deviation 1,1 --out out", &["a number below 3.4e38"]),
        ("import --from in/w.safetensors --mean 1,2 --deviation 1,-1 --out out", &["a number from 0 to 3.4e38"]),
        ("compare --optimizers l2o:in/t.csv --out out", &["in/t.csv", "it is text", ".l2o"]),
        ("meta-train --config in/m.html --out out", &["m.html is no configuration: it is a web page"]),
        (
            "survey --data in --synthetic 0 --networks 4:relu --batch 60 --steps 9 --flat none --optimizers auto(held-out) --out out",
            &["`auto(held-out)` trains on", "fewer than a batch of 60"],
        ),
        ("compare --seed -1 --out out", &["-1 is not in 0..=1000000000"]),
    ];
    for (line, says) in cases {
        ran(&mut call(dir.path(), line)).expect(2, says);
        assert!(!dir.path().join("out").exists(), "{line}: nothing was begun");
    }
}

/// The same where only the input shows it.
#[test]
fn nothing_that_an_input_contradicts_is_ignored() {
    let dir = place();
    for (name, bytes) in numpy() {
        fs::write(dir.path().join("in").join(name), bytes).unwrap();
    }
    let cases: [(&str, &[&str]); 13] = [
        ("train --data in --header no --out out", &["a folder of IDX files", "--header and --delimiter"]),
        ("train --data in --delimiter ; --out out", &["a folder of IDX files", "--header and --delimiter"]),
        ("train --data in/x.npy --header yes --out out", &["a .npy file", "--header and --delimiter"]),
        ("predict --model in/m.lgl2o --data in --header no", &["a folder of IDX files", "--header and --delimiter"]),
        ("import --from in/t.csv --out out", &["t.csv is no file of safetensors: it is text"]),
        ("train --data in/t.csv --target level --drop 3 --out out", &["`3`", "which is also the target"]),
        ("train --data in/t.csv --drop a,1 --out out", &["`1`", "which is also --drop a"]),
        ("import --from in/w.safetensors --activation tanh --out out", &["--activation", "Leave --activation out"]),
        ("import --from in/w.safetensors --regression --out out", &["holds 2 classes", "Leave --regression out"]),
        ("import --from in/w.safetensors --mean 1 --deviation 1 --out out", &["--mean has 1", "2 inputs"]),
        ("import --from in/w.safetensors --mean 1,2 --deviation 1 --out out", &["--deviation has 1", "2 inputs"]),
        ("import --from in/w.safetensors --classes a,b,c --out out", &["--classes has 3", "2 outputs"]),
        ("meta-train --config in/c.toml --resume --out out", &["nothing to go on with", "c.checkpoint is not there"]),
    ];
    for (line, says) in cases {
        // The sample has no hidden layer, whose activation could differ.
        if line.contains("--activation") {
            ran(&mut call(dir.path(), "train --data in/t.csv --hidden 3 --steps 5 --out m")).expect(0, &[]);
            ran(&mut call(dir.path(), "export --model m/model.lgl2o --to safetensors --out e")).expect(0, &[]);
            fs::copy(dir.path().join("e/model.safetensors"), dir.path().join("in/w.safetensors")).unwrap();
        }
        ran(&mut call(dir.path(), line)).expect(1, says);
        assert!(!dir.path().join("out").exists(), "{line}: nothing was written");
    }
    assert_eq!(leftovers(dir.path()), [""; 0]);
}

/// An array of three columns, as numpy.save writes it.
fn numpy() -> Vec<(String, Vec<u8>)> {
    let header = "{'descr': '|u1', 'fortran_order': False, 'shape': (4, 3), }\n";
    let length = u16::try_from(header.len()).unwrap().to_le_bytes();
    let bytes = [&b"\x93NUMPY\x01\0"[..], &length, header.as_bytes(), &[1, 2, 0, 2, 3, 1, 5, 1, 0, 0, 2, 1]].concat();
    vec![("x.npy".to_owned(), bytes)]
}

/// Help that could not be written is a failure.
#[test]
fn help_that_nobody_could_read_has_failed() {
    let dir = folder();
    for line in ["--help", "--version", "compare --help", "help train"] {
        let mut command = command(dir.path(), &line.split(' ').collect::<Vec<_>>());
        command.stdout(fs::File::options().write(true).open("/dev/full").unwrap());
        let output = command.stderr(std::process::Stdio::piped()).spawn().unwrap().wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{line}");
        assert!(String::from_utf8_lossy(&output.stderr).contains("standard output"), "{line}: {output:?}");
        lgl2o(dir.path(), &line.split(' ').collect::<Vec<_>>()).expect(0, &[]);
    }
}
