//! `lgl2o reproduce`, end to end: what it writes, that it goes on where it was, and what it says when data are missing.

use std::fs;
use std::path::Path;

use lgl2o_tests::program::{Ran, folder, lgl2o, write_idx};

fn reproduce(dir: &Path, more: &[&str]) -> Ran {
    let out: &[&str] = if more.contains(&"--out") { &[] } else { &["--out", "o"] };
    let arguments = [&["reproduce", "--quick", "--data", "nowhere"], out, more].concat();
    lgl2o(dir, &arguments)
}

fn text(path: impl AsRef<Path>) -> String {
    let path = path.as_ref();
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The numbers of runs that were done and that were found finished.
fn counts(ran: &Ran) -> [usize; 2] {
    let line = ran.out.lines().find(|line| line.starts_with("runs: ")).expect("a line with the counts");
    let numbers: Vec<usize> = line.split(' ').filter_map(|word| word.parse().ok()).collect();
    [numbers[0], numbers[1]]
}

/// Without MNIST a quick run does without it and says so; a second one finds every run, and writes the same bytes.
#[test]
fn a_quick_run_works_without_mnist_and_resumes() {
    let dir = folder();
    let first = reproduce(dir.path(), &["--only", "1,2,7", "--seeds", "1"]);
    first.expect(0, &["Left out: everything on MNIST"]);
    let [done, found] = counts(&first);
    assert!(done > 40, "{done}");
    let page = text(dir.path().join("o/report.html"));
    assert!(!page.contains("src=\"http") && !page.contains("href=\"http"), "the page needs the network");
    for part in ["A quick run", "everything on MNIST", "2. Other data, another network", "7. Every learned", "claims"] {
        assert!(page.contains(part), "{part}");
    }
    for file in ["2-spirals/spirals/loss-by-cost.svg", "7-pairs/spirals/pairs.svg", "report.md"] {
        assert!(!text(dir.path().join("o").join(file)).is_empty(), "{file}");
    }
    let json: serde_json::Value =
        serde_json::from_str(&text(dir.path().join("o/2-spirals/spirals/results.json"))).unwrap();
    assert_eq!((&json["version"], &json["task"]), (&1.into(), &"spirals".into()));
    let guarded = |run: &&serde_json::Value| run["optimizer"].as_str().unwrap().starts_with("lgl2o(");
    let guarded = json["runs"].as_array().unwrap().iter().find(guarded).expect("a guarded run");
    let steps = |run: &serde_json::Value| -> Vec<u64> {
        run["curve"].as_array().unwrap().iter().map(|point| point["step"].as_u64().unwrap()).collect()
    };
    assert!(steps(guarded).ends_with(&[25, 50, 100]), "{:?}", steps(guarded));

    let second = reproduce(dir.path(), &["--only", "1,2,7", "--seeds", "1"]);
    second.expect(0, &[]);
    assert_eq!(counts(&second), [0, done + found], "everything was there");
    assert_eq!(text(dir.path().join("o/report.html")), page);

    // Neither the number of threads nor what is there decides anything.
    reproduce(dir.path(), &["--only", "1,2,7", "--seeds", "1", "--threads", "1", "--out", "p"]).expect(0, &[]);
    assert_eq!(text(dir.path().join("p/report.html")), page);

    // A run that was lost, or damaged, is done again, and nothing else.
    let units: Vec<_> = fs::read_dir(dir.path().join("o/units")).unwrap().map(|entry| entry.unwrap().path()).collect();
    fs::remove_file(&units[0]).unwrap();
    fs::write(&units[1], "{").unwrap();
    let third = reproduce(dir.path(), &["--only", "1,2,7", "--seeds", "1"]);
    assert_eq!(counts(third.expect(0, &[])), [2, done + found - 2]);
    assert_eq!(text(dir.path().join("o/report.html")), page);
}

/// Folders of one's own are tasks of the experiment `data`.
#[test]
fn idx_folders_are_tasks() {
    let dir = folder();
    let digits = dir.path().join("my digits");
    fs::create_dir(&digits).unwrap();
    write_idx(&digits, 5, 3, 240, 40);
    let ran = reproduce(dir.path(), &["--only", "data", "--seeds", "1", "--idx", "my digits"]);
    // There is no terminal here: each stage is a line.
    ran.expect(0, &["idx-my-digits: searching rates", "idx-my-digits: final runs"]);
    let json = text(dir.path().join("o/4-data/idx-my-digits/results.json"));
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&json["model"], &json["batch"]), (&"25-20-3 sigmoid, softmax cross-entropy".into(), &10.into()));
    reproduce(dir.path(), &["--only", "4", "--idx", "no such folder"]).expect(1, &["no such folder"]);
}

/// A full run asks for MNIST before it does anything; so does a quick one that has nothing else to do.
#[test]
fn missing_mnist_is_explained() {
    let dir = folder();
    let full = lgl2o(dir.path(), &["reproduce", "--data", "nowhere", "--out", "o"]);
    full.expect(1, &["nowhere", "lgl2o data fetch mnist"]);
    reproduce(dir.path(), &["--only", "1"]).expect(1, &["nothing is left to run without MNIST"]);
    fs::write(dir.path().join("taken"), "a file").unwrap();
    lgl2o(dir.path(), &["reproduce", "--quick", "--out", "taken"]).expect(1, &["output directory", "taken"]);
}
