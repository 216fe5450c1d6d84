//! Runs that are kept on disk, each as soon as it is finished, and long ones on their way too: the same command goes on from
//! what is there.

use std::sync::atomic::{AtomicUsize, Ordering};

use lgl2o::objective::Blank as _;
use serde::{Deserialize, Serialize};

use super::halfway::{Halfway, not_kept};
use super::run::{Outcome, run_unless};
use crate::interrupt;
use crate::optimizer::Optimizer;
use crate::record::Run;
use crate::store::{Of, Store};
use crate::task::Task;

/// The format of what is kept; another one is not found.
const FORMAT: u32 = 2;

/// The runs of one task, up to the last of some steps.
#[derive(Debug)]
pub struct KeptRuns<'a> {
    store: &'a Store,
    task: &'a Task,
    points: &'a [u64],
    /// What every key begins with.
    what: String,
    /// A digest of the task's data.
    data: String,
    found: AtomicUsize,
}

/// A finished run on disk.
#[derive(Serialize, Deserialize)]
struct Finished {
    run: Run,
    /// The bits of the parameters at its end, where a picture is drawn of them.
    params: Option<Vec<u32>>,
}

impl<'a> KeptRuns<'a> {
    /// The runs of a task in a store, evaluated at some rising steps.
    #[must_use]
    pub fn new(store: &'a Store, task: &'a Task, points: &'a [u64]) -> Self {
        let (version, sources) = (env!("CARGO_PKG_VERSION"), crate::SOURCES);
        let (model, batch, data) = (&task.model, task.batch, task.data.digest());
        let what = format!("lgl2o {version} {sources} | compare {FORMAT} | {model} | batch {batch} | data {data}");
        Self { store, task, points, what, data, found: AtomicUsize::new(0) }
    }

    /// How many were found finished.
    #[must_use]
    pub fn found(&self) -> usize {
        self.found.load(Ordering::Relaxed)
    }

    /// A run: the one that is there, or the rest of the one that is under way, or all of it. It ends where the program is asked
    /// to end.
    ///
    /// # Errors
    /// As [`run_unless`].
    pub fn run(
        &self,
        optimizer: &Optimizer,
        seed: u64,
        advance: &(dyn Fn(u64) + Sync),
    ) -> Result<Outcome, lgl2o::Error> {
        let (key, of) = (self.key(optimizer, seed)?, self.of(optimizer, seed));
        let last = self.points.last().copied().unwrap_or(0);
        let fits = |finished: &Finished| finished.run.is_of(&optimizer.name, seed, last);
        if let Some(outcome) = self.store.get_of(&key, &of, fits).and_then(|finished| self.outcome(finished)) {
            self.found.fetch_add(1, Ordering::Relaxed);
            advance(last);
            return Ok(outcome);
        }
        let halfway = Halfway::of(self.store, &key);
        let outcome = run_unless(self.task, optimizer, seed, self.points, advance, &halfway, &interrupt::asked)?;
        if outcome.finished {
            let params = outcome.params.as_ref().filter(|_| self.is_plane());
            let params = params.map(|params| params.as_slice().iter().map(|x| x.to_bits()).collect());
            match self.store.put_of(&key, &of, &Finished { run: outcome.run.clone(), params }) {
                Ok(()) => halfway.finish(),
                // It is in the report all the same.
                Err(error) => not_kept(&error),
            }
        }
        Ok(outcome)
    }

    /// A line that says everything that a run's result depends on, the program's sources by their digest.
    fn key(&self, optimizer: &Optimizer, seed: u64) -> Result<String, lgl2o::Error> {
        let (Optimizer { name, method }, Self { what, points, .. }) = (optimizer, self);
        Ok(format!("{what} | {points:?} | {name} {:08x} | seed {seed}", method.fingerprint()?))
    }

    /// What a run's file says of itself.
    fn of(&self, optimizer: &Optimizer, seed: u64) -> Of {
        let Self { task, points, .. } = self;
        Of {
            optimizer: optimizer.name.clone(),
            seed,
            steps: points.to_vec(),
            network: format!("{}, batch {}", task.model, task.batch),
            data: self.data.clone(),
        }
    }

    /// Whether there is a picture of what networks make of the plane.
    fn is_plane(&self) -> bool {
        self.task.train().width() == 2
    }

    /// None if the file is not as it should be.
    fn outcome(&self, Finished { run, params }: Finished) -> Option<Outcome> {
        let params = match params {
            None if self.is_plane() => return None,
            None => None,
            Some(bits) => {
                let mut params = self.task.optimizee().blank_params();
                let numbers: Vec<f32> = bits.into_iter().map(f32::from_bits).collect();
                if numbers.len() != params.as_slice().len() {
                    return None;
                }
                params.as_mut_slice().copy_from_slice(&numbers);
                Some(params)
            }
        };
        Some(Outcome { run, params, finished: true })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optimizer::{Tuned, parse};
    use crate::task::{self, Hidden};

    fn task(batch: usize) -> Task {
        Task::load(task::find("spirals").expect("known"), None, &Hidden::default(), batch).expect("built in")
    }

    fn optimizer(name: &str) -> Optimizer {
        parse(name, &Tuned::default()).expect("an optimizer")
    }

    #[test]
    fn a_finished_run_is_found_whole_and_under_its_settings_only() {
        let home = tempfile::tempdir().expect("temporary directory");
        let store = Store::new(home.path());
        store.open().expect("writable");
        let (task, other, points) = (task(16), task(8), [0, 5, 20]);
        let ran = |task: &Task, points: &[u64], name: &str, seed| {
            let kept = KeptRuns::new(&store, task, points);
            let outcome = kept.run(&optimizer(name), seed, &|_| {}).expect("runs");
            (outcome, kept.found())
        };
        let (first, found) = ran(&task, &points, "sgd:0.1", 1);
        assert_eq!(found, 0);
        let (again, found) = ran(&task, &points, "sgd:0.1", 1);
        assert_eq!((found, &again.run, &again.params), (1, &first.run, &first.params));
        for (task, points, name, seed) in [
            (&other, &points[..], "sgd:0.1", 1),
            (&task, &[0, 5, 21], "sgd:0.1", 1),
            (&task, &points, "sgd:0.2", 1),
            (&task, &points, "sgd:0.1", 2),
        ] {
            assert_eq!(ran(task, points, name, seed).1, 0, "{name} {seed}");
        }
        let standardized = Task { data: crate::data::standardized(task.data.clone()).expect("finite"), ..task.clone() };
        assert_eq!(ran(&standardized, &points, "sgd:0.1", 1).1, 0, "other inputs");
    }

    /// Weights files are told apart by what is in them.
    #[test]
    fn keys_hold_the_fingerprint() {
        let home = tempfile::tempdir().expect("temporary directory");
        let (store, task) = (Store::new(home.path()), task(16));
        let kept = KeptRuns::new(&store, &task, &[0, 5]);
        let named = |method: &str| Optimizer { name: "mine".to_owned(), ..optimizer(method) };
        assert_ne!(kept.key(&named("l2o"), 1).expect("valid"), kept.key(&named("rnnprop"), 1).expect("valid"));
    }
}
