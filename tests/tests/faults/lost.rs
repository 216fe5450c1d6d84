//! Nothing that was computed is lost.

use std::fs;
use std::path::Path;

use lgl2o_host::meta::checkpoint::{Checkpoint, Saved as _};
use lgl2o_tests::program::{command, folder, lgl2o, ran, write_idx};
use rustix::process::Signal;

use crate::commands::{call, place};
use crate::{CONFIG, finish, leftovers, names, no_panic, signal, start, ticks, wait_for};

const META: [&str; 5] = ["meta-train", "--config", "c.toml", "--out", "o"];

fn meta(dir: &Path, config: &str, more: &[&str]) -> lgl2o_tests::program::Ran {
    fs::write(dir.join("c.toml"), config).unwrap();
    lgl2o(dir, &[&META[..], more].concat())
}

/// Weights and logs of a finished run are replaced on request only.
#[test]
fn a_finished_meta_training_is_not_begun_anew_by_itself() {
    let dir = folder();
    meta(dir.path(), CONFIG, &[]).expect(0, &[]);
    let read =
        || ["c.l2o", "c.log.csv", "c.validation.csv"].map(|name| fs::read(dir.path().join("o").join(name)).unwrap());
    let first = read();
    let other = CONFIG.replace("seed = 7", "seed = 8");
    meta(dir.path(), &other, &[]).expect(1, &["of a finished run", "--restart", "--out"]);
    assert_eq!(read(), first);
    meta(dir.path(), &other, &["--resume"]).expect(1, &["nothing to go on with", "o/c.l2o"]);
    assert_eq!(read(), first);
    // Its logs alone count too.
    fs::remove_file(dir.path().join("o/c.l2o")).unwrap();
    meta(dir.path(), &other, &[]).expect(1, &["o/c.log.csv of a finished run"]);
    meta(dir.path(), &other, &["--restart"]).expect(0, &[]);
    assert_ne!(read()[1], first[1]);
}

/// A run that is begun anew and interrupted does not cost the weights of the one that was finished.
#[test]
fn finished_weights_outlive_a_new_run_that_is_not_finished() {
    let dir = folder();
    meta(dir.path(), CONFIG, &[]).expect(0, &[]);
    let weights = fs::read(dir.path().join("o/c.l2o")).unwrap();
    let old = || fs::read(dir.path().join("o/before.c.l2o")).unwrap();
    let long = CONFIG.replace("steps = 4", "steps = 1000000");
    fs::write(dir.path().join("c.toml"), &long).unwrap();
    // Twice: what the first has come to does not take the place of what was finished.
    for sent in [Signal::INT, Signal::KILL] {
        let mut child = start(&mut command(dir.path(), &[&META[..], &["--restart"]].concat()));
        let checkpoint = dir.path().join("o/c.checkpoint");
        wait_for(&mut child, "it had done a step", || Checkpoint::read(&checkpoint).is_ok_and(|saved| saved.done > 0));
        signal(&child, sent);
        let ran = finish(child);
        no_panic(&ran);
        if sent == Signal::INT {
            ran.expect(130, &["the weights of the run before are o/before.c.l2o"]);
        }
        assert_eq!(old(), weights);
    }
    // A new one that fails costs nothing either; one that is finished replaces it.
    meta(dir.path(), &CONFIG.replace("rate = 0.003", "rate = 1e6"), &["--restart"]).expect(1, &["diverged"]);
    assert_eq!(old(), weights);
    meta(dir.path(), CONFIG, &["--restart"]).expect(0, &[]);
    assert_eq!(fs::read(dir.path().join("o/c.l2o")).unwrap(), weights);
    assert!(!names(&dir.path().join("o")).iter().any(|name| name.starts_with("before.")));
}

/// The same of a trained network: the model that was finished stays until the new one is.
#[test]
fn a_finished_model_outlives_a_new_training_that_is_not_finished() {
    let dir = place();
    let line = "train --data in/t.csv --hidden 4 --out out --steps";
    ran(&mut call(dir.path(), &format!("{line} 50"))).expect(0, &[]);
    let read =
        || ["model.lgl2o", "metrics.json", "report.html"].map(|f| fs::read(dir.path().join("out").join(f)).unwrap());
    let first = read();
    for (sent, option) in [(Signal::INT, "--restart"), (Signal::INT, "--resume"), (Signal::KILL, "--restart")] {
        let mut child = start(&mut call(dir.path(), &format!("{line} 1000000000 --seed 2 {option}")));
        let id = child.id();
        wait_for(&mut child, "it had trained", || ticks(id) > 30);
        signal(&child, sent);
        let ran = finish(child);
        no_panic(&ran);
        if sent == Signal::INT {
            ran.expect(130, &["the model that was there before is as it was", "--resume continues"]);
            assert!(dir.path().join("out/interrupted/model.lgl2o").exists());
        }
        assert_eq!(read(), first, "{option}");
    }
    ran(&mut call(dir.path(), &format!("{line} 20 --seed 2 --restart"))).expect(0, &[]);
    assert_ne!(read()[0], first[0]);
    // What a training has come to itself is replaced by what it comes to.
    fs::remove_dir_all(dir.path().join("out")).unwrap();
    for option in ["", " --resume"] {
        let mut child = start(&mut call(dir.path(), &format!("{line} 1000000000{option}")));
        let id = child.id();
        wait_for(&mut child, "it had trained", || ticks(id) > 30);
        signal(&child, Signal::TERM);
        finish(child).expect(143, &["--resume continues"]);
        assert!(!dir.path().join("out/interrupted").exists());
    }
}

/// A place that is taken shows at once, not after the training.
#[test]
fn a_place_that_is_taken_shows_before_the_training() {
    let dir = folder();
    fs::create_dir_all(dir.path().join("o/c.l2o")).unwrap();
    for more in [&[][..], &["--restart"]] {
        let long = CONFIG.replace("steps = 4", "steps = 1000000");
        meta(dir.path(), &long, more).expect(1, &["cannot write o/c.l2o", "not a file"]);
    }
    assert_eq!(names(&dir.path().join("o")), ["c.l2o"]);
}

/// A training that has gone nowhere is a failure, and says so.
#[test]
fn a_meta_training_that_diverges_fails() {
    let dir = folder();
    meta(dir.path(), &CONFIG.replace("rate = 0.003", "rate = 1e6"), &[])
        .expect(1, &["diverged", "untrained", "outer.rate"]);
    assert!(dir.path().join("o/c.l2o").exists());
}

/// A checkpoint of another configuration: which settings are others.
#[test]
fn settings_that_do_not_fit_a_checkpoint_are_named() {
    let dir = folder();
    let long = CONFIG.replace("steps = 4", "steps = 1000000");
    fs::write(dir.path().join("c.toml"), &long).unwrap();
    let mut child = start(&mut command(dir.path(), &META));
    let checkpoint = dir.path().join("o/c.checkpoint");
    wait_for(&mut child, "it had done a step", || Checkpoint::read(&checkpoint).is_ok_and(|saved| saved.done > 0));
    signal(&child, Signal::INT);
    finish(child).expect(130, &["outer steps of seed 7 are kept in o/c.checkpoint"]);
    let other = long.replace("steps = 1000000", "steps = 2000000").replace("hidden = [4]", "hidden = [5]");
    meta(dir.path(), &other, &["--resume"])
        .expect(1, &["outer.steps was 1000000 and is 2000000", "task[0].hidden was [4] and is [5]"]);
}

/// An interrupted training goes on to the bits that it would have had.
#[test]
fn an_interrupted_meta_training_goes_on() {
    let (whole, parts) = (folder(), folder());
    let config = CONFIG.replace("steps = 4", "steps = 300");
    meta(whole.path(), &config, &[]);
    fs::write(parts.path().join("c.toml"), &config).unwrap();
    let mut child = start(&mut command(parts.path(), &META));
    let checkpoint = parts.path().join("o/c.checkpoint");
    wait_for(&mut child, "it had done a step", || Checkpoint::read(&checkpoint).is_ok_and(|saved| saved.done > 0));
    signal(&child, Signal::TERM);
    let ran = finish(child);
    ran.expect(143, &["--resume"]);
    meta(parts.path(), &config, &["--resume"]);
    let weights = |dir: &Path| fs::read(dir.join("o/c.l2o")).unwrap();
    assert_eq!(weights(whole.path()), weights(parts.path()));
}

/// A search of rates that is interrupted keeps what it has found.
#[test]
fn an_interrupted_search_of_rates_is_kept() {
    let dir = folder();
    write_idx(dir.path(), 4, 3, 60, 30);
    let line =
        "compare --task idx --data . --batch 8 --steps 60000 --seeds 1 --tune --optimizers sgd --threads 1 --out o";
    for kept in [false, true] {
        let mut child = start(&mut command(dir.path(), &line.split(' ').collect::<Vec<_>>()));
        let out = dir.path().join("o");
        wait_for(&mut child, "its folder was claimed", || names(&out).iter().any(|name| name.ends_with(".lock")));
        // A rate has three runs, which come one after the other.
        let runs = || names(&out.join("units")).iter().filter(|name| name.ends_with(".json")).count();
        wait_for(&mut child, "a rate was tried to its end", || !kept || runs() > 3);
        signal(&child, Signal::INT);
        let ran = finish(child);
        no_panic(&ran);
        assert_eq!(ran.status, 130, "{ran:#?}");
        ran.expect(130, &["interrupted:"]);
        if !kept {
            continue;
        }
        ran.expect(130, &["runs of the search for rates were finished", "o/interrupted/tuned.toml", "o/units"]);
        assert!(ran.out.contains("the best rates so far: "), "{ran:#?}");
        let text = fs::read_to_string(out.join("interrupted/tuned.toml")).unwrap();
        assert!(text.contains("[best]") && text.contains("rate = "), "{text}");
        assert!(!out.join("tuned.toml").exists(), "only a whole search is taken for one");
    }
    assert_eq!(leftovers(dir.path()), [""; 0]);
}

/// A place that becomes unwritable while the work goes on: the table is printed, and the report is elsewhere.
#[test]
fn a_report_whose_place_is_gone_is_written_elsewhere() {
    let dir = folder();
    fs::create_dir(dir.path().join("tmp")).unwrap();
    let arguments = "compare --steps 2000 --seeds 1 --optimizers sgd:0.1,adam:0.01 --out o";
    let mut command = command(dir.path(), &arguments.split(' ').collect::<Vec<_>>());
    let mut child = start(command.env("TMPDIR", dir.path().join("tmp")));
    let out = dir.path().join("o");
    let id = child.id();
    // By then the folder has been tried.
    wait_for(&mut child, "it computed", || ticks(id) > 20);
    fs::rename(&out, dir.path().join("moved")).unwrap();
    fs::write(&out, "a file").unwrap();
    let ran = finish(child);
    no_panic(&ran);
    ran.expect(1, &["cannot write the report to o", "the report is in another place"]);
    assert!(ran.out.contains("sgd:0.1") && ran.out.contains("adam:0.01"), "{ran:#?}");
    let saved = names(&dir.path().join("tmp"));
    assert_eq!(saved.len(), 1, "{saved:?}");
    assert!(dir.path().join("tmp").join(&saved[0]).join("results.json").exists());
}

/// A name of a report that is taken by a folder shows before the work.
#[test]
fn a_name_that_is_taken_shows_at_once() {
    let dir = folder();
    fs::create_dir_all(dir.path().join("o/table.md")).unwrap();
    let ran = lgl2o(dir.path(), &["compare", "--steps", "100000000", "--out", "o"]);
    ran.expect(1, &["o/table.md", "not a file"]);
    assert_eq!(names(&dir.path().join("o")), ["table.md"]);
}

/// The rest of an interrupted comparison does not replace a whole one.
#[test]
fn a_whole_report_outlives_an_interruption() {
    let dir = folder();
    let line = |steps: &str| format!("compare --steps {steps} --seeds 1 --optimizers sgd:0.1 --out o");
    let run = |steps: &str| {
        let line = line(steps);
        command(dir.path(), &line.split(' ').collect::<Vec<_>>())
    };
    finish(start(&mut run("10"))).expect(0, &[]);
    let results = dir.path().join("o/results.json");
    let whole = fs::read(&results).unwrap();
    // Whether it had trained yet is chance; in the end it has.
    let mut waited = 200;
    let ran = loop {
        let child = start(&mut run("100000000"));
        std::thread::sleep(std::time::Duration::from_millis(waited));
        signal(&child, Signal::INT);
        let ran = finish(child);
        if ran.err.contains("The report is") {
            break ran;
        }
        waited *= 2;
    };
    ran.expect(130, &["0 of 1 runs were finished", "o/interrupted/report.html"]);
    assert_eq!(fs::read(&results).unwrap(), whole);
    assert!(dir.path().join("o/interrupted/results.json").exists());
}

/// What a killed program leaves is removed by the next one.
#[test]
fn what_was_killed_leaves_nothing_for_long() {
    let dir = folder();
    let line = "compare --steps 10 --seeds 1 --optimizers sgd:0.1 --out o";
    let run = |line: &str| command(dir.path(), &line.split(' ').collect::<Vec<_>>());
    let mut child = start(&mut run(&line.replace("10", "100000000")));
    wait_for(&mut child, "its folder was claimed", || !names(&dir.path().join("o")).is_empty());
    child.kill().unwrap();
    let id = child.id();
    finish(child);
    fs::create_dir_all(dir.path().join("o")).unwrap();
    fs::write(dir.path().join(format!("o/.lgl2o-{id}-abc123")), "half of a file").unwrap();
    finish(start(&mut run(line))).expect(0, &[]);
    assert_eq!(leftovers(dir.path()), [""; 0]);
}

/// Folders of one name are tasks of their own, and a folder that is named twice is one.
#[test]
fn folders_of_one_name_are_told_apart() {
    let dir = folder();
    for (name, side) in [("x/digits", 4), ("y/digits", 5)] {
        fs::create_dir_all(dir.path().join(name)).unwrap();
        write_idx(&dir.path().join(name), side, 2, 48, 12);
    }
    let line =
        "reproduce --quick --only 4 --seeds 1 --data nowhere --out o --idx x/digits --idx y/digits --idx x/../x/digits";
    lgl2o(dir.path(), &line.split(' ').collect::<Vec<_>>()).expect(0, &[]);
    let model = |key: &str| {
        let json = fs::read_to_string(dir.path().join(format!("o/4-data/{key}/results.json"))).unwrap();
        serde_json::from_str::<serde_json::Value>(&json).unwrap()["model"].as_str().unwrap().to_owned()
    };
    assert!(model("idx-digits").starts_with("16-20-2") && model("idx-digits-2").starts_with("25-20-2"));
    assert_eq!(names(&dir.path().join("o/4-data")), ["idx-digits", "idx-digits-2"]);
}

/// A picture of growth that cannot be written costs none of the measurements before it.
#[test]
fn a_growth_that_fails_keeps_the_figures() {
    let dir = place();
    fs::create_dir(dir.path().join("g")).unwrap();
    let line = "bench --networks S1 --optimizers sgd:0.3 --rounds 2 --steps 4 --growth g/growth.svg --out out";
    let mut child = start(&mut call(dir.path(), line));
    let units = dir.path().join("out/units");
    wait_for(&mut child, "it had measured something", || !names(&units).is_empty());
    fs::rename(dir.path().join("g"), dir.path().join("moved")).unwrap();
    let ran = finish(child);
    no_panic(&ran);
    ran.expect(1, &["g/growth.svg"]);
    assert!(ran.out.contains("S1") && dir.path().join("out/results.json").exists(), "{ran:#?}");
    assert!(names(&units).len() > 2, "finished runs stay");
    // The next call takes them from there.
    let again = lgl2o_tests::program::ran(&mut call(dir.path(), line));
    again.expect(0, &["runs are of a call that was interrupted"]);
    assert!(dir.path().join("g/growth.svg").exists() && names(&units).is_empty());
    // Nothing was interrupted before this one, though sizes of the growth meet each other.
    let fresh = lgl2o_tests::program::ran(&mut call(dir.path(), line));
    assert!(!fresh.expect(0, &[]).err.contains("interrupted"), "{fresh:#?}");
}

/// A training that is to be compared with a board's is not compared in parts, and says so.
#[test]
fn an_interrupted_training_for_a_board_says_how_to_go_on() {
    let dir = place();
    let line = "train --data in/t.csv --hidden 4 --steps 1000000000 --emulate mps2-an386 --out out";
    let mut child = start(&mut call(dir.path(), line));
    let id = child.id();
    wait_for(&mut child, "it had trained", || ticks(id) > 30);
    signal(&child, Signal::TERM);
    let ran = finish(child);
    no_panic(&ran);
    ran.expect(
        143,
        &["steps are kept in out/train.checkpoint", "--resume continues without --emulate", "--restart starts over"],
    );
    assert!(dir.path().join("out/model.lgl2o").exists() && !dir.path().join("out/emulated.json").exists());
    let both = format!("{line} --resume").replace("1000000000", "20");
    lgl2o_tests::program::ran(&mut call(dir.path(), &both)).expect(2, &["--emulate", "--resume"]);
    assert_eq!(leftovers(dir.path()), [""; 0]);
}
