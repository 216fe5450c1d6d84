//! What becomes of the files of a meta-training: at its beginning, when it is interrupted, and where they cannot be written.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

use super::checkpoint::{Saved, Snapshot};
use super::theta::Theta;
use super::{Files, Start};
use crate::files::{check_place, refuge, write_atomically};
use crate::interrupt::{self, Interrupted};
use crate::say;

/// A rise of the score from the beginning to the end beyond which a training counts as diverged: scores are means of
/// logarithms, so that this is a hundredth of the loss.
const RISE: f64 = 0.01;

/// The state to go on from, if it is to be gone on.
///
/// # Errors
/// If there are files that a new run would replace, or none to go on from.
pub(super) fn begin<C: Saved>(files: &Files, start: Start) -> Result<Option<C>> {
    let (checkpoint, weights) = (files.checkpoint.display(), files.weights.display());
    let there = |path: &&PathBuf| path.exists();
    let places = [&files.weights, &files.log, &files.validation, &files.checkpoint];
    places.into_iter().try_for_each(|place| check_place(place))?;
    match start {
        Start::Fresh if files.checkpoint.exists() => {
            bail!("there is a checkpoint at {checkpoint}: go on with --resume, or start again with --restart")
        }
        Start::Fresh => match [&files.weights, &files.log, &files.validation].into_iter().find(there) {
            Some(file) => bail!(
                "there is {} of a finished run: keep it by naming another folder with --out, or replace it with --restart",
                file.display()
            ),
            None => Ok(None),
        },
        Start::Resume if !files.checkpoint.exists() && files.weights.exists() => {
            bail!("there is nothing to go on with: the run is finished, and its weights are {weights}")
        }
        Start::Resume if !files.checkpoint.exists() => {
            bail!("there is nothing to go on with: {checkpoint} is not there. Leave --resume out, or correct --out")
        }
        Start::Resume => C::read(&files.checkpoint).map(Some),
        Start::Restart => Ok(None),
    }
}

/// The files of a finished run, which the new one writes anew.
fn results(files: &Files) -> [&PathBuf; 3] {
    [&files.weights, &files.log, &files.validation]
}

/// Where a file of the run before is kept until the new one is finished.
fn before(path: &Path) -> PathBuf {
    let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    path.with_file_name(format!("before.{name}"))
}

/// Puts the files of a finished run aside, for one that is begun anew. Those of an unfinished run are no loss.
///
/// # Errors
/// If they cannot be moved.
pub(super) fn set_aside(files: &Files) -> Result<()> {
    if files.checkpoint.exists() || results(files).iter().any(|path| before(path).exists()) {
        return Ok(());
    }
    for path in results(files).into_iter().filter(|path| path.exists()) {
        std::fs::rename(path, before(path)).with_context(|| format!("cannot put {} aside", path.display()))?;
    }
    Ok(())
}

/// The new run is finished, and good: the files of the one before are replaced.
fn replaced(files: &Files) {
    // Mostly there are none.
    results(files).iter().for_each(|path| drop(std::fs::remove_file(before(path))));
}

/// The end of a training: writes the weights and, by `write`, the rest; only then the checkpoint goes, and what the run replaced.
///
/// # Errors
/// If a file cannot be written or removed, or if every seed has diverged.
pub(super) fn finish(
    files: &Files,
    theta: &Theta,
    best: &Snapshot,
    courses: &[Course],
    write: impl FnOnce() -> Result<()>,
) -> Result<()> {
    write_weights(files, theta, best)?;
    write()?;
    std::fs::remove_file(&files.checkpoint).context("the finished run's checkpoint cannot be removed")?;
    check(best, courses)?;
    replaced(files);
    Ok(())
}

/// Checks that a checkpoint was written with this configuration; names the settings that differ.
///
/// # Errors
/// If not.
pub(super) fn same_config(saved: &str, now: &str) -> Result<()> {
    if saved == now {
        return Ok(());
    }
    let different = match (toml::from_str(saved), toml::from_str(now)) {
        (Ok(saved), Ok(now)) => differences("", &toml::Value::Table(saved), &toml::Value::Table(now)).join("; "),
        _ => "it cannot be read".to_owned(),
    };
    bail!("it was written with another configuration: {different}")
}

/// Settings that differ, each in words.
fn differences(name: &str, saved: &toml::Value, now: &toml::Value) -> Vec<String> {
    use toml::Value::{Array, Table};
    let tables = |value: &toml::Value| value.as_array().is_some_and(|all| all.iter().all(toml::Value::is_table));
    let below = |key: &str| if name.is_empty() { key.to_owned() } else { format!("{name}.{key}") };
    let part = |key: &str, saved: Option<&toml::Value>, now: Option<&toml::Value>| match (saved, now) {
        (Some(saved), Some(now)) => differences(&below(key), saved, now),
        (Some(_), None) => vec![format!("{} was set and is not", below(key))],
        _ => vec![format!("{} was not set", below(key))],
    };
    match (saved, now) {
        (Table(saved), Table(now)) => {
            let new = now.keys().filter(|key| !saved.contains_key(*key));
            saved.keys().chain(new).flat_map(|key| part(key, saved.get(key), now.get(key))).collect()
        }
        (Array(before), Array(after)) if before.len() == after.len() && tables(saved) && tables(now) => {
            let pairs = before.iter().zip(after).enumerate();
            pairs.flat_map(|(i, (saved, now))| differences(&format!("{name}[{i}]"), saved, now)).collect()
        }
        (saved, now) if saved == now => Vec::new(),
        (Array(before), Array(after)) if tables(saved) && tables(now) => {
            vec![format!("there were {} of {name} and are {}", before.len(), after.len())]
        }
        (saved, now) => vec![format!("{name} was {saved} and is {now}")],
    }
}

/// A checkpoint that cannot be written costs nothing yet.
pub(super) fn unless_full(saved: Result<()>) {
    if let Err(error) = saved {
        say::note(format_args!("warning: {}; the training goes on, and tries again later", say::told(&error)));
    }
}

/// What is to be said from now on at an end that the training has not seen coming, such as that of a second signal.
pub(super) fn under_way(files: &Files) {
    interrupt::last_words(format!("what was kept is in {}; go on with --resume", files.checkpoint.display()));
}

/// The error of a training that has stopped because it was asked to.
pub(super) fn stopped(files: &Files, seed: u64, [kept, steps]: [u32; 2]) -> anyhow::Error {
    let checkpoint = files.checkpoint.display();
    let old = before(&files.weights);
    let old =
        if old.exists() { format!("; the weights of the run before are {}", old.display()) } else { String::new() };
    Interrupted::new(format!(
        "{kept} of {steps} outer steps of seed {seed} are kept in {checkpoint}; go on with --resume{old}"
    ))
    .into()
}

/// Writes the chosen weights; into another place where they cannot be written to theirs.
///
/// # Errors
/// If they could not, with the other place.
fn write_weights(files: &Files, theta: &Theta, best: &Snapshot) -> Result<()> {
    let bytes = theta.with(best.weights.clone()).to_file()?;
    let Err(error) = write_atomically(&files.weights, &bytes) else { return Ok(()) };
    let other = refuge().ok().and_then(|dir| Some(dir.join(files.weights.file_name()?)));
    let saved = other.filter(|path| write_atomically(path, &bytes).is_ok());
    Err(error).with_context(|| match saved {
        Some(path) => format!("the chosen weights are in another place, {}", path.display()),
        None => "no other place takes the chosen weights".to_owned(),
    })
}

/// How a training of one seed has gone: its scores at the beginning and at the end, and whether its weights are numbers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Course {
    pub(super) seed: u64,
    pub(super) first: f64,
    pub(super) last: f64,
    pub(super) finite: bool,
}

/// Notes a validated mean of the weights in the course of its seed, and keeps it if it is the best so far.
pub(super) fn validated(courses: &mut Vec<Course>, best: &mut Option<Snapshot>, now: Snapshot) {
    let (seed, score, finite) = (now.seed, now.score, now.weights.iter().all(|weight| weight.is_finite()));
    match courses.last_mut().filter(|course| course.seed == seed) {
        Some(course) => (course.last, course.finite) = (score, finite),
        None => courses.push(Course { seed, first: score, last: score, finite }),
    }
    if best.as_ref().is_none_or(|best| score < best.score) {
        *best = Some(now);
    }
}

/// What a line of a log begins with where several seeds are trained.
pub(super) fn seed_column(seeds: u64, seed: u64) -> String {
    if seeds > 1 { format!("{seed},") } else { String::new() }
}

impl Course {
    /// Whether it has gone nowhere.
    fn has_diverged(&self) -> bool {
        let rise = self.last - self.first;
        !self.finite || rise.is_nan() || rise > RISE
    }
}

/// What is wrong with the chosen weights: they are untrained.
///
/// # Errors
/// If the trainings have diverged, and what was chosen is where they began.
fn check(best: &Snapshot, courses: &[Course]) -> Result<()> {
    if best.step > 0 {
        return Ok(());
    }
    let diverged = courses.iter().find(|course| course.has_diverged());
    if let Some(Course { seed, first, last, finite }) = diverged {
        let how = if *finite { "a worse score than" } else { "weights that are no numbers any more, from" };
        ensure!(
            courses.iter().any(|course| !course.has_diverged()),
            "the training diverged: that of seed {seed} ended with {how} where it began ({last:.5}, {first:.5}). The \
             weights that were written are untrained; lower outer.rate or estimator.sigma"
        );
    }
    say::note("warning: no snapshot was better than the weights that the training began with; those were written");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_differ_are_named() {
        let saved = "seed = 1\n[outer]\nsteps = 3\nclip = 2.0\n[[task]]\nbatch = 8\nname = \"a\"\n";
        let differ = |now: &str| same_config(saved, now).map_err(|error| error.to_string());
        assert_eq!(differ(saved), Ok(()));
        let now = saved.replace("steps = 3", "steps = 5").replace("batch = 8", "batch = 9");
        let said = differ(&now).unwrap_err();
        assert!(said.ends_with("outer.steps was 3 and is 5; task[0].batch was 8 and is 9"), "{said}");
        let said = differ(&saved.replace("clip = 2.0\n", "")).unwrap_err();
        assert!(said.ends_with("outer.clip was set and is not"), "{said}");
        let said = differ(&format!("{saved}[[task]]\nname = \"b\"\n")).unwrap_err();
        assert!(said.ends_with("there were 1 of task and are 2"), "{said}");
    }

    #[test]
    fn untrained_weights_of_a_diverged_training_are_a_failure() {
        let best = |step| Snapshot { score: 0.0, seed: 1, step, weights: Vec::new() };
        let course = |last, finite| Course { seed: 1, first: -0.5, last, finite };
        assert!(check(&best(0), &[course(-0.2, true)]).unwrap_err().to_string().contains("diverged"));
        assert!(check(&best(0), &[course(-0.5, false)]).unwrap_err().to_string().contains("no numbers"));
        assert!(check(&best(0), &[course(f64::NAN, true)]).is_err());
        assert!(check(&best(4), &[course(-0.2, true)]).is_ok(), "a snapshot on the way was better");
        assert!(check(&best(0), &[course(-0.2, true), course(-0.5, true)]).is_ok(), "a warning does");
    }
}
