//! What the host program writes: `model.lgl2o` and `survey.json`.

use std::fs;
use std::path::Path;

use lgl2o_host::saved::SavedModel;
use lgl2o_host::survey::record::{Survey, VERSION};
use lgl2o_host::survey::score::Score;
use lgl2o_tests::program::{folder, lgl2o};
use serde_json::Value;

use crate::{VERSIONS, keep, read};

const MODEL: &str = "model.lgl2o";
/// The rows that the model was asked, and what it said.
const ROWS: &str = "rows.csv";
const SAID: &str = "predictions.csv";
const SURVEY: &str = "survey.json";

/// What the program says about rows, by a model of a file.
fn predicted(dir: &Path) -> String {
    let ran = lgl2o(dir, &["predict", "--model", MODEL, "--data", ROWS]);
    ran.expect(0, &[]);
    ran.out
}

#[test]
fn models_of_every_version_predict_the_same() {
    for version in VERSIONS {
        let bytes = read(version, MODEL);
        let model = SavedModel::from_bytes(&bytes).unwrap_or_else(|error| panic!("{version}: {error}"));
        assert_eq!(model.classes(), ["above", "below"]);
        let dir = folder();
        fs::write(dir.path().join(MODEL), bytes).unwrap();
        fs::write(dir.path().join(ROWS), read(version, ROWS)).unwrap();
        assert_eq!(predicted(dir.path()), String::from_utf8(read(version, SAID)).unwrap(), "{version}");
    }
}

/// Whether all that an older record says stands in a newer one, which may have more.
fn holds(new: &Value, old: &Value) -> bool {
    match (new, old) {
        (Value::Object(new), Value::Object(old)) => {
            old.iter().all(|(key, old)| new.get(key).is_some_and(|new| holds(new, old)))
        }
        (Value::Array(new), Value::Array(old)) => {
            new.len() == old.len() && new.iter().zip(old).all(|(new, old)| holds(new, old))
        }
        (Value::Number(new), Value::Number(old)) => new.as_f64() == old.as_f64(),
        _ => new == old,
    }
}

#[test]
fn surveys_of_every_version_are_read() {
    for version in VERSIONS {
        let mut old: Value = serde_json::from_slice(&read(version, SURVEY)).unwrap();
        assert!(old["version"].as_u64().unwrap() <= u64::from(VERSION));
        // With the feature `arbitrary_precision`, which a package of the host brings along, serde_json cannot read numbers of a
        // flattened struct: scores are read by themselves.
        for optimizer in old["optimizers"].as_array_mut().unwrap() {
            let scores = optimizer["scores"].as_array_mut().unwrap();
            assert!(!scores.is_empty());
            for score in std::mem::take(scores) {
                let read: Score = serde_json::from_value(score.clone()).unwrap_or_else(|e| panic!("{e}: {score}"));
                let read = serde_json::to_value(read).unwrap();
                assert!(read.as_object().unwrap().iter().all(|(key, new)| holds(new, &score[key])), "{score}");
            }
        }
        let survey: Survey = serde_json::from_value(old.clone()).unwrap_or_else(|error| panic!("{version}: {error}"));
        assert!(survey.flat.is_some() && !survey.tasks.is_empty());
        assert!(holds(&serde_json::to_value(&survey).unwrap(), &old), "{version}");
    }
}

#[test]
fn what_is_missing_or_changed_in_a_record_is_found() {
    let old: Value = serde_json::from_str(r#"{"a": 1, "b": [{"c": null}, 2.5]}"#).unwrap();
    let new = |text: &str| holds(&serde_json::from_str(text).unwrap(), &old);
    assert!(new(r#"{"b": [{"c": null, "d": 4}, 2.5], "a": 1.0}"#));
    for wrong in [r#"{"b": [{"c": null}, 2.5]}"#, r#"{"a": 1, "b": [{}, 2.5]}"#, r#"{"a": 1, "b": [{"c": null}]}"#] {
        assert!(!new(wrong), "{wrong}");
    }
}

#[test]
#[ignore = "makes the files of a version: LGL2O_FIXTURES=VERSION"]
fn make() {
    let dir = folder();
    let rows: String = (0..40).map(|i| format!("{},{}\n", (i * 7) % 13, (i * 5) % 11)).collect();
    fs::write(dir.path().join(ROWS), format!("x,y\n{rows}")).unwrap();
    let is_above = |row: &str| row.split_once(',').is_some_and(|(x, y)| y.parse::<u8>().ok() > x.parse().ok());
    let told = rows.lines().map(|row| format!("{row},{}\n", if is_above(row) { "above" } else { "below" }));
    fs::write(dir.path().join("told.csv"), format!("x,y,side\n{}", told.collect::<String>())).unwrap();
    let train = ["train", "--data", "told.csv", "--target", "side", "--hidden", "4", "--steps", "100", "--out", "o"];
    lgl2o(dir.path(), &train).expect(0, &[]);
    fs::copy(dir.path().join("o").join(MODEL), dir.path().join(MODEL)).unwrap();
    let survey = ["survey", "--synthetic", "1", "--seeds", "1", "--steps", "20", "--optimizers", "auto", "--out", "s"];
    lgl2o(dir.path(), &survey).expect(0, &[]);
    keep(MODEL, &fs::read(dir.path().join(MODEL)).unwrap());
    keep(ROWS, &fs::read(dir.path().join(ROWS)).unwrap());
    keep(SAID, predicted(dir.path()).as_bytes());
    keep(SURVEY, &fs::read(dir.path().join("s").join(SURVEY)).unwrap());
}
