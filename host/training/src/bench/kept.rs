//! Runs that are kept on disk until all of them are finished: a measurement that is killed goes on where it was. One that has
//! come to its end keeps nothing, since another call is to measure anew.

use std::cell::{Cell, RefCell};

use anyhow::Result;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::experiment::Halfway;
use crate::experiment::halfway::not_kept;
use crate::optimizer::Optimizer;
use crate::store::{Of, Store};
use crate::task::Task;

/// The format of what is kept; another one is not found.
const FORMAT: u32 = 2;

/// The runs of a measurement.
#[derive(Debug)]
pub struct Kept {
    /// None if nothing is kept.
    store: Option<Store>,
    keys: RefCell<Vec<String>>,
    found: Cell<usize>,
}

/// What one run has shown: microseconds, and the share of the learned side's steps.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Ran {
    pub(super) step: f64,
    pub(super) update: Option<f64>,
    pub(super) learned: f64,
}

/// A run on its way, beside the core's checkpoint of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Half {
    /// Microseconds so far.
    pub(super) time: f64,
    /// Steps of the learned side.
    pub(super) learned: u64,
}

impl Kept {
    /// Runs that are kept in a store.
    #[must_use]
    pub fn within(store: Store) -> Self {
        Self { store: Some(store), keys: RefCell::default(), found: Cell::new(0) }
    }

    /// Runs that are not kept.
    #[must_use]
    pub fn nowhere() -> Self {
        Self { store: None, keys: RefCell::default(), found: Cell::new(0) }
    }

    /// How many were found finished.
    #[must_use]
    pub fn found(&self) -> usize {
        self.found.get()
    }

    /// A run: the one that is there, or else what `work` makes of it, which is kept.
    ///
    /// # Errors
    /// Those of the work.
    pub(super) fn run<R, E>(&self, (key, of): (&str, &Of), work: impl FnOnce(&Halfway) -> Result<R, E>) -> Result<R>
    where
        R: Serialize + DeserializeOwned,
        E: std::error::Error + Send + Sync + 'static,
    {
        let Some(store) = &self.store else { return Ok(work(&Halfway::nowhere())?) };
        // Sizes of the growth meet each other: the second time this call has made it itself.
        let is_own = self.keys.borrow().iter().any(|own| own == key);
        self.keys.borrow_mut().push(key.to_owned());
        if let Some(ran) = store.get_of(key, of, |_| true) {
            self.found.set(self.found.get() + usize::from(!is_own));
            return Ok(ran);
        }
        let halfway = Halfway::of(store, key);
        let ran = work(&halfway)?;
        match store.put_of(key, of, &ran) {
            Ok(()) => halfway.finish(),
            // It is in the figures all the same.
            Err(error) => not_kept(&error),
        }
        Ok(ran)
    }

    /// All runs are finished, and told: none is kept any more.
    pub fn finish(&self) {
        for key in self.keys.take() {
            self.store.iter().for_each(|store| store.forget(&key));
        }
    }
}

/// A line that says everything that a run depends on, but for the machine.
pub(super) fn key(
    workload: &str,
    task: &Task,
    optimizer: &Optimizer,
    [round, steps]: [u32; 2],
) -> Result<String, lgl2o::Error> {
    let (version, sources) = (env!("CARGO_PKG_VERSION"), crate::SOURCES);
    let Task { model, batch, data, .. } = task;
    let Optimizer { name, method } = optimizer;
    Ok(format!(
        "lgl2o {version} {sources} | bench {FORMAT} | {workload} {model} | batch {batch} | data {} | {steps} steps | {name} {:08x} | \
         run {round}",
        data.digest(),
        method.fingerprint()?
    ))
}

/// What a run's file says of itself.
pub(super) fn of(workload: &str, task: &Task, optimizer: &Optimizer, [round, steps]: [u32; 2]) -> Of {
    Of {
        optimizer: optimizer.name.clone(),
        seed: u64::from(round),
        steps: vec![u64::from(steps)],
        network: format!("{workload} {}, batch {}", task.model, task.batch),
        data: task.data.digest(),
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    #[test]
    fn a_finished_run_is_found_until_all_are_finished() {
        let home = tempfile::tempdir().expect("temporary directory");
        let count = Cell::new(0);
        let call = || {
            let store = Store::new(home.path());
            store.open().expect("writable");
            Kept::within(store)
        };
        let run = |kept: &Kept, key: &str| {
            let work = |_: &Halfway| {
                count.set(count.get() + 1);
                Ok::<_, Infallible>(Ran { step: f64::from(count.get()), update: None, learned: 0.5 })
            };
            let of = Of {
                optimizer: "sgd:1".to_owned(),
                seed: 0,
                steps: vec![5],
                network: "S1".to_owned(),
                data: String::new(),
            };
            kept.run((key, &of), work).expect("it runs").step
        };
        let first = call();
        assert_eq!((run(&first, "a"), run(&first, "b")), (1.0, 2.0));
        // As after a kill.
        let second = call();
        assert_eq!((run(&second, "a"), run(&second, "b"), run(&second, "c")), (1.0, 2.0, 3.0));
        // What this call has made itself is not found.
        assert_eq!(run(&second, "c"), 3.0);
        assert_eq!((first.found(), second.found()), (0, 2));
        second.finish();
        assert_eq!(std::fs::read_dir(home.path().join("units")).expect("there").count(), 0);
        assert_eq!(run(&call(), "a"), 4.0, "measured anew");
        assert_eq!(run(&Kept::nowhere(), "a"), 5.0);
    }
}
