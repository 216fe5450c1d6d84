//! No false refusal, no false label, and words that say what is wrong.

use std::fs;
use std::path::Path;

use lgl2o_tests::program::{Ran, folder, lgl2o, write_idx};

use crate::no_panic;

fn run(dir: &Path, line: &str) -> Ran {
    let ran = lgl2o(dir, &line.split(' ').collect::<Vec<_>>());
    no_panic(&ran);
    ran
}

fn idx(rows: usize) -> tempfile::TempDir {
    let dir = folder();
    write_idx(dir.path(), 4, 3, rows, 30);
    dir
}

/// The guarantee's own case: the whole of the data as one batch, decided by the exact loss.
#[test]
fn exact_decisions_need_no_batch_to_check_with() {
    let dir = idx(60);
    let line = "compare --task idx --data . --batch 60 --steps 20 --seeds 1 --out o --optimizers";
    for one in ["lgl2o(l2o,sgd:0.1,full)", "lgl2o(l2o,sgd:0.1,paper,nt=1,nc=1,full)", "relay(l2o,sgd:0.1,full)"] {
        run(dir.path(), &format!("{line} {one}")).expect(0, &[]);
    }
    run(dir.path(), &format!("{line} lgl2o(l2o,sgd:0.1)")).expect(2, &["no batch would be left to check with"]);
    let survey = "survey --synthetic 0 --data . --networks 4:relu --steps 5 --seeds 1 --flat none --batch 60 --out s --optimizers";
    run(dir.path(), &format!("{survey} lgl2o(l2o,sgd:0.1,full)")).expect(0, &[]);
}

/// Rates are searched on five sixths of the rows, which may be fewer than a batch.
#[test]
fn rates_are_searched_on_few_rows() {
    let dir = idx(40);
    run(dir.path(), "compare --task idx --data . --batch 40 --steps 5 --seeds 1 --tune --optimizers sgd --out o")
        .expect(0, &[]);
    assert!(fs::read_to_string(dir.path().join("o/tuned.toml")).unwrap().contains("[best]"));
    let few = idx(3);
    run(few.path(), "compare --task idx --data . --batch 2 --steps 5 --tune --optimizers sgd --out o")
        .expect(1, &["no rates can be searched on so few examples"]);
}

/// Labels that are all the same, whichever they are.
#[test]
fn one_class_is_refused() {
    use lgl2o_host::data::idx::{Encoding, write_labels};
    for label in [0, 1, 255] {
        let dir = idx(40);
        write_labels(&dir.path().join("train-labels-idx1-ubyte"), &[label; 40], Encoding::Plain).unwrap();
        run(dir.path(), "compare --task idx --data . --batch 8 --steps 5 --optimizers sgd:0.1 --out o")
            .expect(1, &["train-labels-idx1-ubyte", &format!("all labels are {label}")]);
        assert!(!dir.path().join("o").exists(), "nothing was written");
    }
}

/// A weights file of any name, from the command line to the report's own command line and back.
#[test]
fn any_file_can_be_named() {
    let dir = folder();
    let weights = include_bytes!("../../../core/src/learned/ngn.l2o");
    for name in ["my weights, 2.l2o", "it's.l2o", "(.l2o"] {
        fs::write(dir.path().join(name), weights).unwrap();
        let expression = format!("l2o:\"{name}\"");
        let arguments = ["compare", "--quick", "--steps", "10", "--seeds", "1", "--out", "o", "--optimizers"];
        let ran = lgl2o(dir.path(), &[&arguments[..], &[&expression]].concat());
        ran.expect(0, &[]);
        assert!(ran.out.contains(&expression), "{ran:#?}");
        let json: serde_json::Value =
            serde_json::from_str(&fs::read_to_string(dir.path().join("o/results.json")).unwrap()).unwrap();
        assert_eq!(json["runs"][0]["optimizer"], expression);
    }
}

/// The report's command line has its paths in quotation marks.
#[test]
fn command_lines_can_be_typed() {
    let dir = folder();
    let digits = dir.path().join("my digits");
    fs::create_dir(&digits).unwrap();
    write_idx(&digits, 4, 2, 48, 12);
    let arguments = "reproduce --quick --only 4 --seeds 1 --data nowhere --out o --idx";
    let arguments: Vec<&str> = arguments.split(' ').chain(["my digits"]).collect();
    lgl2o(dir.path(), &arguments).expect(0, &[]);
    assert!(fs::read_to_string(dir.path().join("o/report.md")).unwrap().contains("--idx 'my digits'"));
}

/// Wrong arguments: the bound, and what would be right.
#[test]
fn numbers_are_bounded_before_they_cost_anything() {
    let dir = folder();
    write_idx(dir.path(), 4, 3, 200, 30);
    let cases: [(&str, &[&str]); 14] = [
        ("compare --hidden 16x4", &["16x4", "a whole number from 1 to 65536", "commas, as in 64,64"]),
        ("compare --steps ten", &["a whole number from 1 to 100000000"]),
        ("compare --seeds 99999999999999999999999", &["not in 1..=10000"]),
        ("compare --threads 4000000", &["4000000 is not in 0..="]),
        ("--threads -1", &["-1"]),
        ("compare --hidden 65536,65536 --out o", &["more than the 67108864 that are allowed"]),
        ("compare --task idx --data . --hidden 65536 --batch 60000 --out o", &["larger", "that are allowed"]),
        ("compare --optimizers lgl2o(l2o,sgd,nc=4000000000)", &["`nc`", "from 1 to 10000"]),
        ("compare --optimizers lgl2o(l2o,sgd,nt=0)", &["`nt`", "from 1 to 100000000"]),
        ("compare --optimizers lgl2o(lgl2o,sgd)", &["`lgl2o`: it is a guard"]),
        ("compare --optimizers avg-auto", &["`auto`: it is a guard"]),
        ("compare --optimizers l2o:'open", &["cannot read the optimizer expression"]),
        ("survey --networks 65536-65536:relu --out s", &["more than the 67108864 that are allowed"]),
        ("doctor kitchen", &["kitchen", "firmware"]),
    ];
    for (line, says) in cases {
        let ran = run(dir.path(), line);
        assert_eq!(ran.status, 2, "{line}: {ran:#?}");
        // Of two bounds either may be met first.
        assert!(says.iter().any(|text| ran.err.contains(text)), "{line}: {ran:#?}");
    }
    for file in ["/dev/zero", "."] {
        run(dir.path(), &format!("device --elf {file} --out o")).expect(1, &[file, "it is not a file"]);
    }
}

const CONFIG: &str = include_str!("pes.toml");

/// The same of configurations.
#[test]
fn configurations_are_bounded() {
    let dir = folder();
    let change = |key: &str, value: &str| -> String {
        let replaced = |line: &str| {
            let name = line.split('=').next().unwrap_or("").trim();
            if name == key { format!("{key} = {value}\n") } else { format!("{line}\n") }
        };
        CONFIG.lines().map(replaced).collect()
    };
    let huge = "9000000000000000000";
    for (key, value, bound) in [
        ("particles", huge, "1..=65536"),
        ("batch", huge, "1..=65536"),
        ("unroll", "4000000000", "1..=10000000"),
        ("horizon", "[1, 4000000000]", "1..=10000000"),
        ("steps", "4000000000", "1..=100000000"),
        ("hidden", "[9000000]", "1..=4096"),
    ] {
        fs::write(dir.path().join("c.toml"), change(key, value)).unwrap();
        let ran = run(dir.path(), "meta-train --config c.toml --out o");
        assert_eq!(ran.status, 2, "{key}: {ran:#?}");
        assert!(ran.err.contains(bound) || ran.err.contains("invalid type"), "{key}: {ran:#?}");
        assert!(!dir.path().join("o").exists());
    }
}

/// A file of another kind is told by what it is.
#[test]
fn files_are_told_by_what_they_are() {
    let float = [0, 0, 0x0d, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0x7f, 0xc0, 0, 0];
    let colour = [0, 0, 8, 4, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 3, 1, 2, 3];
    let cases: [(&[u8], &[&str]); 8] = [
        (b"<html><body>Not found</body></html>", &["a web page"]),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:1\n", &["a Git LFS pointer", "git lfs pull"]),
        (b"PK\x03\x04\x14\0\0\0", &["a zip archive", "Unpack it"]),
        (b"\x89PNG\r\n\x1a\n\0\0", &["a PNG picture"]),
        (b"1,2,3\n4,5,6\n", &["it is text"]),
        (&float, &["NaN in row 0", "finite number"]),
        (&colour, &["4 dimensions", "colour images"]),
        (b"", &["truncated", "found 0"]),
    ];
    for (bytes, says) in cases {
        let dir = idx(40);
        fs::write(dir.path().join("train-images-idx3-ubyte"), bytes).unwrap();
        let ran = run(dir.path(), "compare --task idx --data . --batch 8 --steps 5 --optimizers sgd:0.1 --out o");
        ran.expect(1, &[&["train-images-idx3-ubyte"], says].concat());
        assert!(!ran.err.contains("swapped"), "{ran:#?}");
    }
    // What was swapped is still told so.
    let dir = idx(40);
    fs::rename(dir.path().join("train-labels-idx1-ubyte"), dir.path().join("train-images-idx3-ubyte")).unwrap();
    fs::copy(dir.path().join("t10k-labels-idx1-ubyte"), dir.path().join("train-labels-idx1-ubyte")).unwrap();
    run(dir.path(), "compare --task idx --data . --batch 8 --steps 5 --optimizers sgd:0.1 --out o")
        .expect(1, &["swapped"]);
}

/// Sets in one folder, as EMNIST has them: the message names each, and what it names works.
#[test]
fn one_of_several_sets_is_named() {
    let (dir, one) = (folder(), idx(40));
    for file in fs::read_dir(one.path()).unwrap().map(|entry| entry.unwrap().path()) {
        let name = file.file_name().unwrap().to_str().unwrap().replace("t10k", "test");
        for set in ["emnist-letters", "emnist-digits"] {
            fs::copy(&file, dir.path().join(format!("{set}-{name}"))).unwrap();
        }
    }
    let compare =
        |data: &str| format!("compare --task idx --data {data} --batch 8 --steps 5 --optimizers sgd:0.1 --out o");
    run(dir.path(), &compare(".")).expect(1, &["several data sets", "./emnist-digits", "./emnist-letters"]);
    run(dir.path(), &compare("./emnist-letters")).expect(0, &[]);
    let ran = run(dir.path(), "train --data ./emnist-digits --steps 5 --out t");
    ran.expect(0, &[]);
    run(dir.path(), "predict --model t/model.lgl2o --data ./emnist-digits").expect(0, &[]);
}

/// What cannot be read is not called absent: links that lead nowhere, a file in the place of the folder.
#[test]
fn unreadable_is_not_absent() {
    let dir = idx(40);
    let line = "compare --task idx --batch 8 --steps 5 --optimizers sgd:0.1 --out o --data";
    std::os::unix::fs::symlink("gone/away", dir.path().join("linked")).unwrap();
    run(dir.path(), &format!("{line} linked")).expect(1, &["linked", "it is a link to gone/away"]);
    std::os::unix::fs::symlink("loop", dir.path().join("loop")).unwrap();
    run(dir.path(), &format!("{line} loop")).expect(1, &["loop", "cannot read it"]);
    run(dir.path(), &format!("{line} t10k-labels-idx1-ubyte")).expect(1, &["t10k-labels-idx1-ubyte", "cannot read it"]);
    run(dir.path(), &format!("{line} nowhere")).expect(1, &["no data set", "nowhere"]);
    // Each cause has its own advice.
    let survey =
        "survey --synthetic 0 --networks 4:relu --steps 2 --seeds 1 --flat none --optimizers sgd:1 --out s --data";
    for (place, says) in [("nowhere", "Correct the path."), ("t10k-labels-idx1-ubyte", "is a file, and no folder")] {
        let ran = run(dir.path(), &format!("{survey} {place}"));
        ran.expect(1, &[place, "cannot read it", says]);
        assert!(!ran.err.contains("space") && !ran.err.contains("permissions"), "{ran:#?}");
    }
    let labels = dir.path().join("train-labels-idx1-ubyte");
    fs::remove_file(&labels).unwrap();
    std::os::unix::fs::symlink("gone", &labels).unwrap();
    run(dir.path(), &format!("{line} .")).expect(1, &["train-labels-idx1-ubyte", "it is a link to gone"]);
}

/// What is read is never what is written.
#[test]
fn no_input_is_replaced_by_an_output() {
    let dir = crate::commands::place();
    let input = dir.path().join("in");
    for (name, copy) in
        [("t.csv", "metrics.json"), ("m.lgl2o", "model.rs"), ("w.safetensors", "model.lgl2o"), ("c.toml", "c.log.csv")]
    {
        fs::copy(input.join(name), input.join(copy)).unwrap();
    }
    std::os::unix::fs::symlink("in", dir.path().join("same")).unwrap();
    fs::copy(input.join("c.toml"), input.join("n.l2o")).unwrap();
    let whole = |dir: &Path| crate::names(dir).iter().map(|name| fs::read(dir.join(name)).unwrap()).collect::<Vec<_>>();
    let before = whole(&input);
    for line in [
        "predict --model in/m.lgl2o --data in/t.csv --out in/t.csv",
        "predict --model in/m.lgl2o --data in/t.csv --out same/m.lgl2o",
        "train --data in/metrics.json --hidden 2 --steps 5 --out same --restart",
        "export --model in/model.rs --to rust --out in --force",
        "import --from in/model.lgl2o --out in --force",
        "meta-train --config in/n.l2o --out same --restart",
    ] {
        run(dir.path(), line).expect(1, &["is read here, and would be replaced", "--out"]);
        assert!(whole(&input) == before, "{line}");
    }
}

/// Why there is no folder.
#[test]
fn places_that_are_no_folders_are_told_as_what_they_are() {
    let dir = folder();
    let link = |to: &str, name: &str| std::os::unix::fs::symlink(to, dir.path().join(name)).unwrap();
    link("nowhere", "gone");
    link("loop", "loop");
    fs::write(dir.path().join("file"), "x").unwrap();
    for (out, says) in [
        ("gone", "it is a link to nowhere, which leads nowhere"),
        ("loop", "a link to loop"),
        ("file", "it is a file, and no folder"),
    ] {
        run(dir.path(), &format!("compare --steps 5 --seeds 1 --optimizers sgd:0.1 --out {out}"))
            .expect(1, &["output directory", out, says]);
    }
    let mut command = lgl2o_tests::program::command(dir.path(), &["device", "--out", "o"]);
    let ran = lgl2o_tests::program::ran(command.env("TMPDIR", dir.path().join("nowhere")));
    ran.expect(1, &["cannot make a temporary folder in", "nowhere", "Set TMPDIR"]);
}

/// A comment in a table is told as one, wherever it stands.
#[test]
fn comments_in_a_table_are_told_as_such() {
    let dir = folder();
    let rows: String = (0..30).map(|i| format!("{},{},{}\n", i % 7, i % 5, i % 2)).collect();
    let cases = [
        (format!("# made by hand\na,b,c\n{rows}"), Some("line 1")),
        (format!("# made, by, hand\na,b,c\n{rows}"), Some("line 1")),
        (format!("# one\n# two\na,b,c\n{rows}"), Some("line 1")),
        (format!("a,b,c\n{rows}# the end\n"), Some("line 32")),
        (format!("#a,b,c\n{rows}"), None),
    ];
    for (text, line) in cases {
        fs::write(dir.path().join("t.csv"), &text).unwrap();
        let ran = run(dir.path(), "train --data t.csv --steps 5 --hidden 2 --out o --restart");
        match line {
            Some(line) => drop(ran.expect(1, &["t.csv", line, "it looks like a comment", "Take such lines out"])),
            None => drop(ran.expect(0, &[])),
        }
    }
}

/// A whole data set in MNIST's place is left alone, and nobody is told to delete it.
#[test]
fn another_data_set_in_the_place_of_mnist_is_left_alone() {
    let dir = folder();
    fs::create_dir(dir.path().join("mnist")).unwrap();
    write_idx(&dir.path().join("mnist"), 28, 10, 40, 20);
    let file = dir.path().join("mnist/train-images-idx3-ubyte");
    let before = fs::read(&file).unwrap();
    let ran = run(dir.path(), "compare --task mnist --data . --quick --out o");
    ran.expect(1, &["a whole IDX file, but not MNIST's", "--task idx"]);
    assert!(!ran.err.contains("Delete it"), "{ran:#?}");
    // Before anything is downloaded.
    run(dir.path(), "data fetch mnist --data .").expect(1, &["train-images-idx3-ubyte", "a whole IDX file"]);
    assert_eq!(fs::read(&file).unwrap(), before);
}

/// What is asked for by name decides the exit status.
#[test]
fn the_doctor_says_what_is_missing() {
    let dir = folder();
    let all = run(dir.path(), "doctor");
    all.expect(0, &[]);
    for name in ["output", "compiler", "data", "firmware", "emulator", "ports", "mpi"] {
        assert!(all.out.contains(&format!("{name}: ")), "{}", all.out);
    }
    assert!(!dir.path().join("out").exists(), "it only looks");
    run(dir.path(), "doctor output").expect(0, &[]);
    let data = run(dir.path(), "doctor data --data nowhere");
    data.expect(1, &["something is missing for data"]);
    assert!(data.out.contains("MISSING  mnist") && data.out.contains("lgl2o data fetch mnist"), "{}", data.out);
    let mut command = lgl2o_tests::program::command(dir.path(), &["doctor", "output"]);
    let ran = lgl2o_tests::program::ran(command.env("TMPDIR", dir.path().join("gone")));
    ran.expect(1, &["something is missing for output"]);
    assert!(ran.out.contains("MISSING  temporary files") && ran.out.contains("export TMPDIR="), "{}", ran.out);
    fs::write(dir.path().join("file"), "x").unwrap();
    run(dir.path(), "doctor output --out file").expect(1, &["something is missing for output"]);
    // No compiler on the path, and none of rustup's.
    let mut command = lgl2o_tests::program::command(dir.path(), &["doctor", "firmware", "emulator"]);
    let ran = lgl2o_tests::program::ran(command.env("PATH", dir.path()).env("RUSTC", "no-such-compiler"));
    ran.expect(1, &["something is missing for"]);
    assert!(ran.out.contains("MISSING  qemu-system-arm") && ran.out.contains("apt-get install"), "{}", ran.out);
}
