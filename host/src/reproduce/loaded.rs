//! A task of the plan with its data in memory, for final runs and for selection.

use std::path::PathBuf;

use super::steps;
use super::tasks::{QUICK_EXAMPLES, Source, TaskPlan};
use super::unit::{Split, Unit};
use crate::data::{self, DataError, DataSets};
use crate::store::Of;
use crate::task::{BATCH, Task};

/// At least so many batches must fit into a folder of one's own: ten to train and ten to check with in a round, and some
/// to spare. Where there are fewer, batches are smaller.
const BATCHES: usize = 24;

/// Data that many tasks begin with, read once.
#[derive(Debug)]
pub struct DataCache {
    dir: PathBuf,
    mnist: Option<DataSets>,
}

impl DataCache {
    /// An empty cache for a data directory.
    #[must_use]
    pub fn new(dir: PathBuf) -> Self {
        Self { dir, mnist: None }
    }

    /// MNIST.
    ///
    /// # Errors
    /// Whatever is wrong with its files.
    pub fn mnist(&mut self) -> Result<&DataSets, DataError> {
        let loaded = match self.mnist.take() {
            Some(loaded) => loaded,
            None => data::load_mnist(&self.dir)?,
        };
        Ok(self.mnist.insert(loaded))
    }
}

/// A task, ready to be run on.
#[derive(Debug)]
pub struct LoadedTask {
    task: Task,
    selection: Task,
    /// What the task is, with a digest of its data.
    pub identity: String,
    /// The digest alone.
    pub digest: String,
}

impl LoadedTask {
    /// Makes a task of data from the cache. A quick one has fewer examples.
    ///
    /// # Errors
    /// Whatever is wrong with the data.
    pub fn load(plan: &TaskPlan, cache: &mut DataCache, quick: bool) -> Result<Self, DataError> {
        let mut sets = match &plan.source {
            Source::Spirals => data::spirals_sets(),
            Source::Mnist(variant) => variant.of(cache.mnist()?.clone())?,
            Source::Folder(folder) => data::load_folder(folder)?,
        };
        if quick {
            let [train, test] = QUICK_EXAMPLES;
            sets.train = sets.train.subset(0..train.min(sets.train.len()))?;
            sets.test = sets.test.subset(0..test.min(sets.test.len()))?;
        }
        let digest = sets.digest();
        let batch = match plan.source {
            Source::Folder(_) => BATCH.min(sets.train.len() / BATCHES).max(1),
            Source::Spirals | Source::Mnist(_) => BATCH,
        };
        let task = Task::new(&plan.key, sets, &plan.hidden, plan.activation, batch);
        let selection = task.for_selection()?;
        let identity = format!("{} | batch {batch} | data {digest}", task.model);
        Ok(Self { task, selection, identity, digest })
    }

    /// What the result of a unit says of itself.
    #[must_use]
    pub fn of(&self, unit: &Unit) -> Of {
        let task = self.task(unit.split);
        Of {
            optimizer: unit.expression.clone(),
            seed: unit.seed,
            steps: steps::points(unit.steps),
            network: format!("{}, batch {}", task.model, task.batch),
            data: format!("{}, {:?}", self.digest, unit.split),
        }
    }

    /// The task that units of a split run on.
    #[must_use]
    pub fn task(&self, split: Split) -> &Task {
        match split {
            Split::Selection => &self.selection,
            Split::Test => &self.task,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reproduce::tasks::{Scale, mnist_for_all, spirals};

    #[test]
    fn spirals_are_loaded_for_both_splits() {
        let scale = Scale { seeds: 1, quick: true };
        let mut cache = DataCache::new(PathBuf::from("nowhere"));
        let loaded = LoadedTask::load(&spirals(&scale), &mut cache, true).unwrap();
        assert_eq!(loaded.task(Split::Test).test().len(), 1000);
        let selection = loaded.task(Split::Selection);
        assert_eq!((selection.train().len(), selection.test().len()), (1667, 333));
        assert!(loaded.identity.starts_with("2-32-32-2 tanh"), "{}", loaded.identity);
        assert_eq!((loaded.task(Split::Test).batch, selection.batch), (BATCH, BATCH));
        let missing = LoadedTask::load(&mnist_for_all(&scale), &mut cache, true).unwrap_err();
        assert!(matches!(missing, DataError::NotFound { .. }));
    }
}
