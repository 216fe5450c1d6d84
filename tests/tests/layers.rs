//! `lgl2o train --network`: layers over an image or a series, in words.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use lgl2o::Rng;
use lgl2o_tests::program::{folder, lgl2o};

fn metrics(dir: &Path) -> serde_json::Value {
    serde_json::from_slice(&fs::read(dir.join("metrics.json")).unwrap()).unwrap()
}

/// Images of four rows of five pixels: a bar that lies or stands, under noise.
fn bars(rows: u32) -> String {
    let mut rng = Rng::new(5);
    let mut text = String::new();
    for i in 0..rows {
        let (stands, at) = (i % 2 == 1, rng.below(4) as usize);
        for p in 0..20 {
            let ink = if stands { p % 5 == at } else { p / 5 == at };
            write!(text, "{:.3},", f32::from(u8::from(ink)) + 0.3 * rng.normal()).unwrap();
        }
        writeln!(text, "{}", ["lies", "stands"][usize::from(stands)]).unwrap();
    }
    text
}

/// A network in words is trained, kept, predicts, and goes out; one that does not fit the rows is refused before the work.
#[test]
fn a_network_in_words_is_trained() {
    const NETWORK: &str = "4x5x1 conv2d(4, [2, 3], 1, 0, Tanh), average_pool2d([3, 1]), dense(2)";
    let dir = folder();
    fs::write(dir.path().join("t.csv"), bars(300)).unwrap();
    let train = |more: &[&str]| {
        lgl2o(dir.path(), &[&["train", "--data", "t.csv", "--steps", "300", "--out", "o"], more].concat())
    };
    for (network, status, says) in [
        ("4x6x1 conv2d(4, 2, 1, 0), dense(2)", 2, ["takes 24 numbers", "20 features"]),
        ("4x5x1 conv2d(4, 2, 1, 0), dense(3)", 2, ["must end with dense(2)", "one output for each class"]),
        ("4x5x1 max_pool2d(2)", 2, ["must end with dense(2)", "without an activation"]),
        ("4x5x1 konv2d(4, 2, 1, 0), dense(2)", 2, ["unknown layer `konv2d`", "did you mean `conv2d`?"]),
        ("20 dense(1000000), dense(4096), dense(2)", 2, ["parameters", "that are allowed"]),
    ] {
        train(&["--network", network]).expect(status, &says);
        assert!(!dir.path().join("o/model.lgl2o").exists(), "{network}");
    }
    train(&["--network", NETWORK, "--hidden", "4"]).expect(2, &["--hidden"]);
    train(&["--network", NETWORK]).expect(0, &["20 features, 2 classes"]);
    let found = metrics(&dir.path().join("o"));
    assert_eq!(found["model"], NETWORK);
    assert!(found["command"].as_str().unwrap().contains("--network '4x5x1 conv2d(4, [2, 3], 1, 0, Tanh)"), "{found}");
    assert!(found["parts"][1][1]["accuracy"].as_f64().unwrap() > 0.85, "{found}");
    let predicted = lgl2o(dir.path(), &["predict", "--model", "o/model.lgl2o", "--data", "t.csv"]);
    assert_eq!(predicted.out.lines().count(), 301, "{predicted:#?}");
    train(&["--network", "4x5x1 conv2d(3, 2, 1, 0), dense(2)", "--resume"]).expect(1, &["network was"]);
    lgl2o(dir.path(), &["export", "--model", "o/model.lgl2o", "--to", "safetensors", "--out", "e"]).expect(0, &[]);
    lgl2o(dir.path(), &["import", "--from", "e/model.safetensors", "--out", "i"]).expect(0, &[]);
    let both = ["o/model.lgl2o", "i/model.lgl2o"].map(|path| fs::read(dir.path().join(path)).unwrap());
    assert_eq!(both[0], both[1]);
    // A value is learned by a convolution over time in its own unit.
    let values: String = (0..90).map(|i| format!("{},{},{},{}\n", i % 7, i % 5, i % 3, 1000 * (i % 7))).collect();
    fs::write(dir.path().join("v.csv"), values).unwrap();
    let line = ["train", "--data", "v.csv", "--regression", "--steps", "300", "--out", "v", "--network"];
    lgl2o(dir.path(), &[&line[..], &["3x1 conv1d(4, 3, 1, 0, Tanh), dense(1)"]].concat()).expect(0, &["a value"]);
    let found = metrics(&dir.path().join("v"));
    assert!(found["parts"][1][1]["r2"].as_f64().unwrap() > 0.9, "{found}");
}

/// A recurrent layer in words: which of two pulses came first is learned, and the model goes out as Rust and comes back.
#[test]
fn a_recurrent_network_in_words_is_trained() {
    let (dir, mut rng, mut text) = (folder(), Rng::new(3), String::new());
    for i in 0..400 {
        let (first, late) = (rng.below(6), 1 + rng.below(6));
        let at = if i % 2 == 0 { [first, first + late] } else { [first + late, first] };
        for x in 0..24 {
            write!(text, "{:.3},", f32::from(u8::from(x / 2 == at[x as usize % 2])) + 0.1 * rng.normal()).unwrap();
        }
        writeln!(text, "{}", ["left", "right"][i % 2]).unwrap();
    }
    fs::write(dir.path().join("t.csv"), text).unwrap();
    let network = "12x2 gru(6), dense(2)";
    let train = |more: &[&str]| {
        lgl2o(dir.path(), &[&["train", "--data", "t.csv", "--steps", "800", "--out", "o", "--network"], more].concat())
    };
    train(&["12x2 gru(6, Tanh), dense(2)"]).expect(2, &["no activation"]);
    train(&["12x2 gru(2), gru(2), dense(2)"]).expect(0, &[]);
    train(&[network, "--restart"]).expect(0, &["24 features, 2 classes"]);
    let found = metrics(&dir.path().join("o"));
    assert_eq!(found["model"], network);
    assert!(found["parts"][1][1]["accuracy"].as_f64().unwrap() > 0.9, "{found}");
    let export = |to| lgl2o(dir.path(), &["export", "--model", "o/model.lgl2o", "--to", to, "--out", "e"]);
    export("rust").expect(0, &[]);
    let module = fs::read_to_string(dir.path().join("e/model.rs")).unwrap();
    assert!(module.contains("Fixed<chain![Gru<12, 2, 6>, Dense<6, 2>], 1>"), "{module}");
    export("safetensors").expect(0, &[]);
    lgl2o(dir.path(), &["import", "--from", "e/model.safetensors", "--out", "i"]).expect(0, &[]);
    let both = ["o/model.lgl2o", "i/model.lgl2o"].map(|path| fs::read(dir.path().join(path)).unwrap());
    assert_eq!(both[0], both[1]);
}
