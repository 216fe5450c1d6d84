//! `lgl2o survey`, end to end: what it writes, that it goes on where it was, and what it says when asked wrongly.

use std::fs;
use std::path::Path;

use lgl2o_tests::program::{Ran, folder, lgl2o, write_idx};
use serde_json::Value;

/// Two optimizers on the synthetic families with one small network.
const SHORT: [&str; 9] = [
    "survey",
    "--quick",
    "--networks",
    "6 tanh",
    "--optimizers",
    "adam:0.03,lgl2o(avg-l2o,sgd:1)",
    "--steps",
    "50,200",
    "--flat",
];

fn survey(dir: &Path, flat: &str, more: &[&str]) -> Ran {
    let out: &[&str] = if more.contains(&"--out") { &[] } else { &["--out", "o"] };
    lgl2o(dir, &[&SHORT[..], &[flat], out, more].concat())
}

fn bytes(path: impl AsRef<Path>) -> Vec<u8> {
    let path = path.as_ref();
    fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn json(path: impl AsRef<Path>) -> Value {
    serde_json::from_slice(&bytes(path)).expect("JSON")
}

/// The numbers of units that were done and that were found finished.
fn counts(ran: &Ran) -> [usize; 2] {
    let line = ran.out.lines().find(|line| line.starts_with("units: ")).expect("a line with the counts");
    let numbers: Vec<usize> = line.split(' ').filter_map(|word| word.parse().ok()).collect();
    [numbers[0], numbers[1]]
}

const FILES: [&str; 5] = ["survey.json", "survey.html", "table.md", "profile.svg", "groups.svg"];

/// Everything that the report consists of is there, and the record has the documented shape.
#[test]
fn a_survey_runs_without_any_file() {
    let dir = folder();
    let ran = survey(dir.path(), "l2o", &["--seeds", "2"]);
    ran.expect(0, &[]);
    assert!(ran.out.contains("| `lgl2o(avg-l2o,sgd:1)` |") && ran.out.contains("training at 20"), "{}", ran.out);
    for file in FILES.iter().chain(&["flat.svg"]) {
        assert!(!bytes(dir.path().join("o").join(file)).is_empty(), "{file}");
    }
    let page = String::from_utf8(bytes(dir.path().join("o/survey.html"))).unwrap();
    assert!(!page.contains("src=\"http") && !page.contains("href=\"http"), "the page needs the network");
    assert_eq!(page.matches("<figure>").count(), 3);
    let record = json(dir.path().join("o/survey.json"));
    assert_eq!((&record["version"], &record["steps"]), (&1.into(), &serde_json::json!([5, 20])));
    let tasks = record["tasks"].as_array().unwrap();
    let names: Vec<&str> = tasks.iter().map(|task| task["data"].as_str().unwrap()).collect();
    assert_eq!(names, ["teachers-1", "mixtures-1", "rings-1", "spirals-1"]);
    for task in tasks {
        // More settings are never worse than fewer of them.
        for step in 0..2 {
            let loss = |oracle: &str| task[oracle][step]["train"].as_f64().expect("finite");
            assert!(loss("strong") <= loss("oracle") && loss("oracle") < task["start"]["train"].as_f64().unwrap());
        }
    }
    let [adam, guarded] = [0, 1].map(|i| record["optimizers"][i].clone());
    assert_eq!((&adam["name"], &adam["cost"], &adam["failed"]), (&"adam:0.03".into(), &1.0.into(), &0.into()));
    assert!(guarded["cost"].as_f64().unwrap() > 1.0);
    // adam:0.03 is one of the 15, so it is never better than the best of them.
    for task in adam["tasks"].as_array().unwrap() {
        assert!(task["train_factors"].as_array().unwrap().iter().all(|factor| factor.as_f64() >= Some(1.0)));
        assert_eq!(task["by_step"], task["by_cost"]);
    }
    assert_eq!(record["flat"]["rates"].as_array().unwrap().len(), 8);
}

/// An oracle of fewer settings is one that is not better, from the same runs.
#[test]
fn an_oracle_of_ones_own() {
    let dir = folder();
    survey(dir.path(), "none", &[]).expect(0, &[]);
    let best = |record: &serde_json::Value| -> Vec<f64> {
        record["tasks"].as_array().unwrap().iter().map(|task| task["oracle"][1]["train"].as_f64().unwrap()).collect()
    };
    let all = best(&json(dir.path().join("o/survey.json")));
    let ran = survey(dir.path(), "none", &["--oracle", "sgd:0.01,adam:0.03"]);
    assert!(ran.out.contains("the best of 2 settings"), "{}", ran.out);
    assert_eq!(counts(ran.expect(0, &[]))[0], 0);
    let record = json(dir.path().join("o/survey.json"));
    assert_eq!(record["oracle"], serde_json::json!(["sgd:0.01", "adam:0.03"]));
    assert!(
        record["command"].as_str().unwrap().ends_with("--oracle sgd:0.01,adam:0.03 --quick"),
        "{}",
        record["command"]
    );
    let some = best(&record);
    assert!(all.iter().zip(&some).all(|(all, some)| all <= some) && all != some);
    let page = String::from_utf8(bytes(dir.path().join("o/survey.html"))).unwrap();
    assert!(page.contains("<code>sgd:0.01</code>, <code>adam:0.03</code>") && !page.contains("of 15 settings"));
    survey(dir.path(), "none", &["--oracle", "adam:0.02"]).expect(2, &["adam:0.02", "adam:0.01, adam:0.03"]);
    survey(dir.path(), "none", &["--oracle", "sgd:1,sgd:1"]).expect(2, &["`sgd:1` is listed twice"]);
}

/// A second call finds every unit and writes the same bytes, whatever the number of threads; a unit that was lost or
/// damaged is done again, and nothing else; other optimizers take the oracle's runs from there.
#[test]
fn a_survey_goes_on_where_it_was() {
    let dir = folder();
    let [done, found] = counts(survey(dir.path(), "none", &["--threads", "2"]).expect(0, &[]));
    assert_eq!([done, found], [4 * 3, 0]);
    let same = |out: &str| {
        for file in FILES {
            assert!(bytes(dir.path().join("o").join(file)) == bytes(dir.path().join(out).join(file)), "{file} differs");
        }
    };
    survey(dir.path(), "none", &["--threads", "1", "--out", "p"]).expect(0, &[]);
    same("p");
    let kept: Vec<_> = fs::read_dir(dir.path().join("p/units")).unwrap().map(|entry| entry.unwrap().path()).collect();
    fs::remove_file(&kept[0]).unwrap();
    fs::write(&kept[1], "{").unwrap();
    let again = survey(dir.path(), "none", &["--out", "p"]);
    assert_eq!(counts(again.expect(0, &[])), [2, 10]);
    same("p");
    let other = survey(dir.path(), "none", &["--optimizers", "adam:0.01"]);
    other.expect(2, &["--optimizers"]);
    let other =
        ["survey", "--quick", "--networks", "6 tanh", "--optimizers", "adam:0.01,adam:0.03", "--steps", "50,200"];
    let other = lgl2o(dir.path(), &[&other[..], &["--flat", "none", "--out", "o"]].concat());
    assert_eq!(counts(other.expect(0, &[])), [4, 8], "the oracle's runs and Adam's are there");
}

/// Folders of data sets are tasks; equal names are told apart, and equal data are run once.
#[test]
fn folders_are_tasks() {
    let dir = folder();
    for (name, classes) in [("a/digits", 3), ("b/digits", 2), ("b/データ", 2), ("b/no data", 0)] {
        fs::create_dir_all(dir.path().join(name)).unwrap();
        if classes > 0 {
            write_idx(&dir.path().join(name), 4, classes, 80, 40);
        }
    }
    let folders = ["--data", "a/digits", "--data", "b", "--synthetic", "0", "--inputs", "plain,x10,inverted,raw"];
    survey(dir.path(), "none", &folders).expect(0, &[]);
    let record = json(dir.path().join("o/survey.json"));
    let tasks = record["tasks"].as_array().unwrap();
    let names: Vec<&str> = tasks.iter().map(|task| task["name"].as_str().unwrap()).collect();
    assert_eq!(names.len(), 3 * 4);
    assert_eq!(names[..3], ["a/digits, 6 tanh", "a/digits x10, 6 tanh", "a/digits inverted, 6 tanh"]);
    assert_eq!((names[4], names[8]), ("b/digits, 6 tanh", "データ, 6 tanh"));
    // b/digits and データ hold the same examples.
    assert_eq!((&tasks[4]["digest"], &tasks[4]["oracle"]), (&tasks[8]["digest"], &tasks[8]["oracle"]));
    assert_ne!(tasks[0]["digest"], tasks[4]["digest"]);
    assert_eq!(counts(survey(dir.path(), "none", &folders).expect(0, &[]))[0], 0);
    // Standardised, a factor for all inputs says nothing any more.
    let standard = ["--data", "a", "--synthetic", "0", "--inputs", "plain,x4,raw", "--standardize", "on", "--out", "s"];
    survey(dir.path(), "none", &standard).expect(0, &[]);
    let record = json(dir.path().join("s/survey.json"));
    let losses = |i: usize| record["optimizers"][0]["tasks"][i]["by_step"][1]["train"].as_f64().unwrap();
    assert!(
        (losses(0) - losses(1)).abs() < 1e-4 && (losses(0) - losses(2)).abs() < 0.05,
        "{} {} {}",
        losses(0),
        losses(1),
        losses(2)
    );
}

/// A run that diverges is a result: it counts as failed, with the largest factor.
#[test]
fn a_run_that_diverges_is_counted() {
    let dir = folder();
    let arguments = "survey --quick --networks 4:relu --optimizers sgd:1e38,sgd:0.1 --flat none --steps 50 --out o";
    lgl2o(dir.path(), &arguments.split(' ').collect::<Vec<_>>()).expect(0, &[]);
    let record = json(dir.path().join("o/survey.json"));
    let [bad, good] = [0, 1].map(|i| record["optimizers"][i].clone());
    assert_eq!((&bad["failed"], &bad["runs"]), (&4.into(), &4.into()));
    assert_eq!(
        (&bad["scores"][0]["factor"].as_f64().unwrap().round(), &bad["scores"][0]["above"]),
        (&1e3, &1.0.into())
    );
    // One of them has left the finite numbers, the others only their start.
    let lost = |task: &Value| task["by_step"][0]["train"].is_null();
    assert!(bad["tasks"].as_array().unwrap().iter().any(lost) && !bad["messages"].as_array().unwrap().is_empty());
    assert_eq!((&good["failed"], good["messages"].as_array().unwrap().len()), (&0.into(), 0));
    assert!(bytes(dir.path().join("o/table.md")).windows(12).any(|part| part == b"failed, of 4"));
}

/// Wrong arguments: exit status 2, what is wrong, and what would be right.
#[test]
fn wrong_arguments_are_explained() {
    let dir = folder();
    let cases: [(&[&str], &[&str]); 15] = [
        (&["--optimizers", "adm:1"], &["unknown optimizer `adm`", "did you mean `adam`"]),
        (&["--optimizers", "adam"], &["no tuned rate", "name:rate"]),
        (&["--optimizers", "sgd:1,sgd:1"], &["listed twice"]),
        (&["--networks", "20 sigmod"], &["did you mean `sigmoid`", "16-16 tanh"]),
        (&["--networks", "0 tanh"], &["`0` is no width"]),
        (&["--networks", "8 relu,8:relu"], &["listed twice"]),
        (&["--inputs", "times10"], &["unknown inputs `times10`", "known: plain"]),
        (&["--standardize", "yes"], &["on, off"]),
        (&["--steps", "300,100"], &["must rise"]),
        (&["--steps", "0"], &["0 is not in 1.."]),
        (&["--floor", "0"], &["1e-30 to 1"]),
        (&["--flat", "lgl2o"], &["--flat"]),
        (&["--synthetic", "0"], &["there are no tasks", "--data"]),
        (&["--quick", "--batch", "5000"], &["larger than the training data"]),
        (&["--sed", "1"], &["--sed", "--seed"]),
    ];
    for (arguments, says) in cases {
        lgl2o(dir.path(), &[&["survey"], arguments].concat()).expect(2, says);
    }
    assert!(lgl2o(dir.path(), &["survey", "--help"]).expect(0, &[]).out.contains("Examples:"));
}

/// Folders without data, and a place that cannot be written to: exit status 1, and what to do.
#[test]
fn missing_data_are_explained() {
    let dir = folder();
    fs::create_dir(dir.path().join("empty")).unwrap();
    survey(dir.path(), "none", &["--data", "empty"]).expect(1, &["empty", "no data set", "four IDX files"]);
    survey(dir.path(), "none", &["--data", "nowhere"]).expect(1, &["nowhere", "cannot read it"]);
    let half = dir.path().join("half/digits");
    fs::create_dir_all(&half).unwrap();
    write_idx(&half, 4, 2, 40, 20);
    fs::remove_file(half.join("t10k-labels-idx1-ubyte")).unwrap();
    survey(dir.path(), "none", &["--data", "half"]).expect(1, &["digits", "t10k-labels-idx1-ubyte", "missing"]);
    fs::write(dir.path().join("taken"), "a file").unwrap();
    survey(dir.path(), "none", &["--out", "taken"]).expect(1, &["output directory", "taken"]);
}
