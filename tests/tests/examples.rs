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
