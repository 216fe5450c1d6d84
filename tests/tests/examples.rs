//! The core's examples run, and print what they are there to show.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use lgl2o_tests::strategy::is_all;

/// What an example prints.
fn printed(name: &str) -> String {
    let build = escargot::CargoBuild::new().example(name);
    let core = concat!(env!("CARGO_MANIFEST_DIR"), "/../core/Cargo.toml");
    let workspace = concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml");
    // As somebody has it who is in `core/`; or with the core that all other tests have, which is built already.
    let build = if is_all() { build.manifest_path(core) } else { build.manifest_path(workspace).arg("--workspace") };
    let example = build.run().expect("an example");
    let output = Command::new(example.path()).output().expect("a run");
    assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    let printed = String::from_utf8(output.stdout).expect("text");
    println!("{name}: {printed}");
    printed
}

/// The share that stands behind some words.
fn behind(printed: &str, words: &str) -> f32 {
    let (_, rest) = printed.split_once(words).unwrap_or_else(|| panic!("no `{words}` in `{printed}`"));
    rest.trim().trim_end_matches(')').parse().unwrap_or_else(|_| panic!("no number in `{rest}`"))
}

#[test]
fn a_pump_is_monitored() {
    assert!(behind(&printed("pump"), "balanced accuracy Some(") > 0.8);
}

#[test]
fn a_convolution_learns_gestures() {
    assert!(behind(&printed("windows"), "balanced accuracy Some(") > 0.9);
}

#[test]
fn a_convolution_learns_digits() {
    assert!(behind(&printed("digits"), "balanced accuracy Some(") > 0.9);
}

/// The sensor breaks at window 1,800.
#[test]
fn an_alarm_comes_with_the_fault_and_not_before() {
    let printed = printed("anomaly");
    let window = printed.strip_prefix("alarm at window ").and_then(|rest| rest.split(':').next()).expect("an alarm");
    assert!((1802..1850).contains(&window.parse::<u32>().expect("a window")), "{printed}");
}

#[test]
fn a_head_learns_on_a_frozen_backbone() {
    let printed = printed("head");
    let (right, rest) = printed.split_once(' ').expect("words");
    assert!(rest.contains("by 26 parameters"), "{rest}");
    assert!(right.parse::<u32>().expect("a count") >= 270, "{printed}");
}

#[test]
fn xor_is_learned() {
    assert!(behind(&printed("xor"), "XOR is learned: loss ") < 0.01);
}

/// Guessing would be right for two of five.
#[test]
fn growers_of_wine_are_told_apart() {
    assert!(behind(&printed("classify"), "accuracy Some(") > 0.9);
}

fn data(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../core/examples/data").join(file)
}

/// The recorded rows are those of the source, as its own description has them: 59, 71 and 48 wines of each grower,
/// alcohol of 11.03 to 14.83 and proline of 278 to 1,680.
#[test]
fn the_recorded_rows_are_whole() {
    let text = fs::read_to_string(data("wine.csv")).expect("the rows");
    let row = |line: &str| line.split(',').map(|cell| cell.parse().expect("a number")).collect::<Vec<f32>>();
    let rows: Vec<Vec<f32>> = text.lines().skip(1).map(row).collect();
    assert!(rows.len() == 178 && rows.iter().all(|row| row.len() == 14));
    let count = |grower| rows.iter().filter(|row| row[13] == grower).count();
    assert_eq!([0.0, 1.0, 2.0].map(count), [59, 71, 48]);
    let range = |column: usize| {
        let values = rows.iter().map(|row| row[column]);
        [values.clone().fold(f32::INFINITY, f32::min), values.fold(0.0, f32::max)]
    };
    assert_eq!((range(0), range(12)), ([11.03, 14.83], [278.0, 1680.0]));
}

/// Where scikit-learn's wheel is at hand, the script makes the committed file of it, byte for byte.
#[test]
fn the_script_makes_the_recorded_rows() {
    let Some(wheel) = std::env::var_os("LGL2O_SKLEARN_WHEEL") else {
        println!("left out: LGL2O_SKLEARN_WHEEL names no wheel of scikit-learn 1.7.2");
        return;
    };
    let dir = tempfile::tempdir().expect("a folder");
    let made = dir.path().join("wine.csv");
    let script = Command::new("python3").arg(data("make.py")).arg(wheel).arg(&made).status().expect("Python");
    assert!(script.success());
    assert_eq!(fs::read(made).expect("made"), fs::read(data("wine.csv")).expect("committed"));
}

/// Lines of an example beyond its imports, its network and guard, and its sensor.
#[test]
fn a_pump_monitor_is_25_lines_beyond_model_and_sensor() {
    let text = fs::read_to_string(data("../pump.rs")).expect("the example");
    let (_, main) = text.split_once("fn main()").expect("a program");
    let (main, sensor) = main.split_once("\n}\n").expect("an end");
    assert!(sensor.contains("fn measure("), "{sensor}");
    let says = |line: &&str| line.chars().any(|c| !c.is_whitespace() && !"{}()[],;".contains(c));
    let lines = main.lines().skip(1).filter(|line| !line.trim().starts_with("//")).filter(says).count();
    println!("{lines} lines");
    assert!((10..=25).contains(&lines), "{lines} lines beyond model and sensor");
}

#[test]
fn values_are_predicted() {
    let printed = printed("regression");
    let (error, _) = printed.split_once(", R^2").expect("two figures");
    assert!(behind(error, "mean absolute error Some(") < 0.03, "{printed}");
    assert!(behind(&printed, "R^2 Some(") > 0.98, "{printed}");
}

#[test]
fn a_reset_changes_no_bit() {
    assert!(printed("save_and_resume").ends_with("the same bits after the reset: true\n"));
}

#[test]
fn imported_weights_predict_and_go_on_learning() {
    let printed = printed("import_weights");
    assert!(printed.starts_with("4 of 4 right as imported"), "{printed}");
    let (before, after) = printed.split_once(", after").expect("two losses");
    assert!(behind(&format!("after{after}"), "after 200 steps ") < 0.1 * behind(before, "loss "), "{printed}");
}

/// Alone, its steps never get shorter.
#[test]
fn a_rule_of_ones_own_is_guarded() {
    let printed = printed("own_rule");
    let (alone, guarded) = printed.split_once(';').expect("two losses");
    let (alone, guarded) = (behind(alone, "alone: loss "), behind(guarded, "guarded: loss "));
    assert!(guarded < 0.01 && guarded < 0.1 * alone, "{printed}");
}

/// The readings are those of 60 exp(-t / 4), rounded and disturbed.
#[test]
fn an_objective_of_ones_own_is_fitted() {
    let printed = printed("own_objective");
    let (a, rest) = printed.split_once(" exp(-").expect("a formula");
    let (b, loss) = rest.split_once(" t)").expect("a formula");
    let number = |text: &str| text.parse::<f32>().expect("a number");
    assert!((number(a) - 60.0).abs() < 1.0 && (number(b) - 0.25).abs() < 0.01, "{printed}");
    assert!(behind(loss, "loss ") < 0.1, "{printed}");
}
