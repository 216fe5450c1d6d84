//! `lgl2o playground`: the page in headless Chromium, from disk and without a network, and the module that it holds.
//!
//! Where its address ends in `#test` the page tries itself, by its own controls, and leaves what it found in its text
//! (`host/src/playground/test.js`). The tests that need Chromium or a compiler for WebAssembly are ignored unless asked for:
//!
//! ```text
//! cargo test -p lgl2o-tests --test playground -- --ignored
//! ```

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use lgl2o::source::Sampler;
use lgl2o::{Auto, Memory, Rng, Trainer, auto};
use lgl2o_device::spirals::BATCH;
use lgl2o_host::playground::MODULE;
use lgl2o_tests::bits;
use lgl2o_tests::browser::{chromium, quiet, skipped};
use lgl2o_tests::program::{folder, lgl2o};
use lgl2o_web::lane::{Guarded, Lane, Net, Runner as _, Stop, net};
use lgl2o_web::points::{MOST, Points};
use lgl2o_web::race::Settings;
use serde_json::Value;

/// How the module is renewed; also in CONTRIBUTING.
const RENEW: &str = "if that is meant, renew it: firmware/renew-web";

fn firmware() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../firmware")
}

#[test]
fn the_command_writes_one_page_and_needs_no_browser() {
    let dir = folder();
    let ran = lgl2o(dir.path(), &["playground"]);
    ran.expect(0, &[]);
    assert!(ran.out.contains("out/playground.html"), "{}", ran.out);
    let page = fs::read_to_string(dir.path().join("out/playground.html")).expect("a page");
    assert!(page.len() < 200_000 && !page.contains("src=\"") && !page.contains("@import"), "{} bytes", page.len());
    let names: Vec<_> = fs::read_dir(dir.path().join("out")).expect("there").collect();
    assert_eq!(names.len(), 1, "{names:?}");
    // No program that could open it: that is no failure.
    let mut command = lgl2o_tests::program::command(dir.path(), &["playground", "--open"]);
    let ran = lgl2o_tests::program::ran(command.env("PATH", "/nowhere").env("DISPLAY", ":99"));
    ran.expect(0, &["by hand"]);
}

/// The accepted parameters of a run, as a hash, at the end of each round.
type Trail = Vec<u64>;

/// The page's lane `auto`, as native code.
fn trail_of_the_lane(points: &Points, seed: u64, batches: u32) -> Trail {
    let mut lane: Box<Lane<Guarded>> = Box::new(Lane::new());
    lane.restart(seed);
    let mut trail = Trail::new();
    while lane.batches() < batches {
        // One batch more at a time: each call makes one round.
        let stop = lane.advance(&Settings::default(), points, lane.batches() + 1);
        assert_ne!(stop, Stop::Broken);
        trail.push(bits::fingerprint(lane.params()));
    }
    trail
}

/// So many rounds of a guard, with the network, the data and the seeds of the lane.
fn trail_of_the_core(points: &Points, seed: u64, guard: &Auto, rounds: usize) -> Trail {
    let (net, mut memory) = (net(), Box::new(Memory::<Net, Auto>::new()));
    net.initialize(memory.params_mut(), &mut Rng::stream(seed, 0));
    let (mut pick, mut used) = ([0; BATCH], [0; MOST / 32]);
    let mut source = Sampler::new(points.inputs(), 2, points.labels(), seed, &mut pick, &mut used).expect("points");
    let mut trainer = Trainer::new(&net, guard, &mut memory);
    let round = |_| {
        trainer.round(&mut source).expect("good data");
        bits::fingerprint(trainer.params())
    };
    (0..rounds).map(round).collect()
}

#[test]
fn the_lane_auto_has_the_bits_of_auto() {
    let mut points = Points::NONE;
    for (seed, is_rings) in [(1, false), (7, false), (3, true)] {
        if is_rings {
            points.rings(seed);
        } else {
            points.spirals(seed).expect("points");
        }
        let lane = trail_of_the_lane(&points, seed, 600);
        // The lane's rounds are short, so that the page answers at once; round by round it is `auto` with rounds as short.
        let short = trail_of_the_core(&points, seed, &auto().longest_round(2), lane.len());
        assert!(lane == short, "seed {seed}: round {:?}", lane.iter().zip(&short).position(|(a, b)| a != b));
        // `auto` itself has longer rounds; the parameters that it accepts, one after the other, are the lane's.
        let mut accepted = trail_of_the_core(&points, seed, &auto(), 10);
        accepted.dedup();
        let mut rest = lane.iter();
        let in_order = accepted.iter().filter(|one| rest.any(|other| other == *one)).count();
        assert!(in_order == accepted.len() && in_order > 5, "seed {seed}: {in_order} of {}", accepted.len());
        // Another seed has other bits.
        assert_ne!(lane.last(), trail_of_the_lane(&points, seed + 1, 600).last());
    }
}

/// What the page found out about itself.
fn tried(program: &Path, page: &Path, dir: &Path) -> Value {
    let output = quiet(program, &dir.join("profile"))
        .arg("--dump-dom")
        .arg(format!("file://{}#test", page.display()))
        .output()
        .expect("Chromium runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let found = text.split_once("<pre id=\"selftest\" hidden=\"\">").and_then(|(_, rest)| rest.split_once("</pre>"));
    let (json, _) = found.unwrap_or_else(|| panic!("no report: {} {output:?}", text.len()));
    serde_json::from_str(json).expect("a report")
}

/// The final loss of an optimizer, by its number: 0 `auto`, 1 the learned rule, 2 the fallback, 3 guarded SGD, 4 SGD, 5 Adam.
#[track_caller]
fn loss(lanes: &Value, lane: usize) -> f64 {
    lanes[lane]["loss"].as_f64().unwrap_or_else(|| panic!("lane {lane} of {lanes} has no loss"))
}

#[test]
#[ignore = "needs Chromium"]
fn the_page_trains_is_sabotaged_and_recovers() {
    let Some(program) = chromium() else { return skipped("the playground in a browser: it needs Chromium") };
    let dir = folder();
    let page = dir.path().join("page.html");
    lgl2o(dir.path(), &["playground", "--out", "page.html"]).expect(0, &[]);
    let found = tried(&program, &page, dir.path());
    assert_eq!(found["errors"], serde_json::json!([]));
    assert_eq!(found["wide"], 0, "something is wider than the window");
    assert_learned(&found);
    for kind in ["nan", "ascent", "inflation"] {
        let (before, lanes) = (found[kind]["before"].as_f64().expect("a loss"), &found[kind]["lanes"]);
        let handed = lanes[0]["handed"].as_u64().unwrap_or_else(|| panic!("{kind}: not caught"));
        assert!((300..=450).contains(&handed), "{kind}: caught at {handed}");
        assert!(loss(lanes, 0) < 1.5 * before, "{kind}: {} after {before}", loss(lanes, 0));
        let is_ruined = lanes[1]["broken"] == true || loss(lanes, 1) > 100.0;
        assert!(is_ruined, "{kind}: without a guard nothing happened");
        assert!(found[kind]["news"].as_str().is_some_and(|news| news.starts_with("Caught at batch")), "{kind}");
    }
    assert_same_bits(&found, &page);
}

/// The race, another rate, and points that were painted by the keyboard.
fn assert_learned(found: &Value) {
    let (race, other) = (&found["race"], &found["other_rate"]);
    assert!(loss(race, 0) < 0.2 && race[0]["right"].as_f64() > Some(0.9), "{race}");
    for lane in 0..6 {
        // A round has two steps at most, so that the last one may go beyond by one.
        let batches = race[lane]["batches"].as_u64().expect("a number");
        assert!((1200..=1201).contains(&batches) && race[lane]["broken"] == false, "lane {lane}: {batches}");
    }
    // The rate is nothing to `auto`, bit for bit, little to a guarded run, and everything to plain SGD.
    assert_eq!(race[0], other[0]);
    assert!(loss(other, 3) < 1.5 * loss(race, 3) && loss(other, 4) > 2.0 * loss(race, 4), "{race} {other}");
    assert!(found["painted"][0]["right"] == 1.0, "{}", found["painted"]);
}

/// The boards' program: its hashes are those that `lgl2o device` holds every board against.
fn assert_same_bits(found: &Value, page: &Path) {
    let board = lgl2o_host::device::board::usual();
    let here = lgl2o_host::device::spirals::reference(board).expect("a run here");
    let trace = here.rounds.last().expect("rounds").trace;
    assert_eq!(found["trace"], format!("{trace:016x}"));
    assert_eq!(found["params"], format!("{:016x}", here.outcome.params));
    assert!(
        found["verdict"].as_str().is_some_and(|verdict| verdict.starts_with("The same bits")),
        "{}",
        found["verdict"]
    );
    // The page can find a difference.
    let text = fs::read_to_string(page).expect("a page");
    assert!(text.contains(&format!("{trace:016x} {:016x}", here.outcome.params)));
}

/// The compiler that the pinned figures are by.
fn pinned_compiler() -> String {
    let json = fs::read(firmware().join("counts.json")).expect("counts.json");
    let counts: Value = serde_json::from_slice(&json).expect("counts.json");
    counts["compiler"].as_str().expect("a compiler").to_owned()
}

/// Whatever compiler there is: a module that could panic would import what is missing, and so not load in the page. By the pinned
/// one it is the committed module, byte for byte.
#[test]
#[ignore = "needs a compiler for WebAssembly"]
fn the_module_is_what_its_sources_make() {
    let ours = Command::new("/usr/bin/rustc").arg("--version").output();
    let ours = ours.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default();
    let pinned = pinned_compiler();
    if ours != pinned {
        return skipped(&format!("the bytes of the playground's module: they are by {pinned}"));
    }
    let built =
        Command::new(firmware().join("build")).arg("web").env("LGL2O_COMPILER", "debian").output().expect("bash");
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    let bytes = fs::read(firmware().join("target/wasm32-unknown-unknown/web/lgl2o_web.wasm")).expect("a module");
    assert!(bytes == MODULE, "{} bytes, and other ones than the {} committed; {RENEW}", bytes.len(), MODULE.len());
}
