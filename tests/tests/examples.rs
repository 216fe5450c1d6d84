//! The core's examples run, and print what they are there to show.

use std::process::Command;

/// What an example prints.
fn printed(name: &str) -> String {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../core/Cargo.toml");
    let example = escargot::CargoBuild::new().manifest_path(manifest).example(name).run().expect("an example");
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

/// The three classes overlap; guessing would be a third.
#[test]
fn classes_are_told_apart() {
    assert!(behind(&printed("classify"), "accuracy Some(") > 0.85);
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
