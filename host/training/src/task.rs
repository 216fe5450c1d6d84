//! Tasks: an optimizee, its data, and a batch size.

use std::path::Path;

use lgl2o::objective::mlp::{Activation, Loss, Mlp};

use crate::data::{self, DataError, DataSets, Dataset, standardized};
use crate::names::unknown;
use crate::network::{self, HeapNetwork, TooLarge};
use crate::optimizer::tuned::TunedOn;

/// A task that the command line names.
#[derive(Debug)]
pub struct KnownTask {
    /// Its name.
    pub name: &'static str,
    /// Its data, from a data directory.
    pub data: fn(&Path) -> Result<DataSets, DataError>,
    /// Widths of the hidden layers.
    pub hidden: &'static [usize],
    /// Their activation.
    pub activation: Activation,
    /// The task whose tuned rates it has.
    pub rates: TunedOn,
    /// Whether it reads a data directory.
    pub needs_data: bool,
    /// Whether the data directory is a folder of one's own; its inputs are standardized.
    pub is_folder: bool,
}

/// All of them.
pub static TASKS: [KnownTask; 3] = [
    KnownTask {
        name: "spirals",
        data: |_| Ok(data::spirals_sets()),
        hidden: &[32, 32],
        activation: Activation::Tanh,
        rates: TunedOn::Spirals,
        needs_data: false,
        is_folder: false,
    },
    KnownTask {
        name: "mnist",
        data: data::load_mnist,
        hidden: &[20],
        activation: Activation::Sigmoid,
        rates: TunedOn::Mnist,
        needs_data: true,
        is_folder: false,
    },
    KnownTask {
        name: "idx",
        data: data::load_folder,
        hidden: &[20],
        activation: Activation::Sigmoid,
        rates: TunedOn::Mnist,
        needs_data: true,
        is_folder: true,
    },
];

/// A task by name.
///
/// # Errors
/// If there is none, with the nearest name.
pub fn find(name: &str) -> Result<&'static KnownTask, String> {
    let known = || TASKS.each_ref().map(|task| task.name);
    TASKS.iter().find(|task| task.name == name).ok_or_else(|| unknown("task", name, &known()))
}

/// A task whose data are no folder of one's own, by name.
///
/// # Errors
/// If there is none, with the nearest name.
pub fn find_data(name: &str) -> Result<&'static KnownTask, String> {
    let known = || TASKS.iter().filter(|task| !task.is_folder);
    let names = || known().map(|task| task.name).collect::<Vec<_>>();
    known().find(|task| task.name == name).ok_or_else(|| unknown("data", name, &names()))
}

/// Examples in a minibatch unless said otherwise.
pub const BATCH: usize = 128;

/// Hidden layers other than a task's own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hidden {
    /// Their widths.
    pub widths: Option<Vec<usize>>,
    /// Their activation.
    pub activation: Option<Activation>,
}

/// A task, with its data in memory.
#[derive(Debug, Clone)]
pub struct Task {
    /// Its name.
    pub name: String,
    /// The optimizee in words, such as `2-32-32-2 tanh, softmax cross-entropy`.
    pub model: String,
    /// The optimizee's layers, for batches of [`Task::batch`].
    pub network: HeapNetwork,
    /// Examples in a minibatch.
    pub batch: usize,
    /// What is trained on, and what the losses on the curves are measured on.
    pub data: DataSets,
    /// Whether each column of inputs has mean 0 and variance 1.
    pub standardized: bool,
}

impl Task {
    /// Loads a task. `data` is the `--data` argument; hidden widths and activation are the task's own unless given.
    ///
    /// # Errors
    /// Whatever is wrong with the data.
    pub fn load(known: &KnownTask, data: Option<&Path>, hidden: &Hidden, batch: usize) -> Result<Self, DataError> {
        let sets = (known.data)(&data::data_dir(data))?;
        let widths = hidden.widths.as_deref().unwrap_or(known.hidden);
        Ok(Self::new(known.name, sets, widths, hidden.activation.unwrap_or(known.activation), batch))
    }

    /// A task with these hidden widths over some data.
    #[must_use]
    pub fn new(name: &str, data: DataSets, hidden: &[usize], activation: Activation, batch: usize) -> Self {
        let mut widths = vec![data.train.width()];
        widths.extend_from_slice(hidden);
        widths.push(data.train.classes());
        let shape: Vec<String> = widths.iter().map(ToString::to_string).collect();
        let activation_name = activation.name();
        Self {
            name: name.to_owned(),
            model: format!("{} {activation_name}, softmax cross-entropy", shape.join("-")),
            network: HeapNetwork::new(&widths, activation, batch),
            batch,
            data,
            standardized: false,
        }
    }

    /// Checks that its network and batches are not too large.
    ///
    /// # Errors
    /// If they are, with the bound.
    pub fn check_size(&self) -> Result<(), TooLarge> {
        let layers = self.network.layers();
        let inputs = layers.first().map_or(0, |layer| layer.inputs);
        let widths: Vec<usize> = std::iter::once(inputs).chain(layers.iter().map(|layer| layer.outputs)).collect();
        network::check_size(&widths, self.batch)
    }

    /// The same task with [standardized] inputs.
    ///
    /// # Errors
    /// If an input is not finite.
    pub fn standardized(self) -> Result<Self, DataError> {
        Ok(Self { data: standardized(self.data)?, standardized: true, ..self })
    }

    /// The same task over [`DataSets::for_selection`].
    ///
    /// # Errors
    /// [`DataError`] if there is too little training data to split.
    pub fn for_selection(&self) -> Result<Self, DataError> {
        let task = self.clone();
        Ok(Self { data: task.data.for_selection()?, ..task })
    }

    /// The optimizee.
    #[must_use]
    pub fn optimizee(&self) -> Mlp<HeapNetwork> {
        Mlp::new(self.network.clone(), Loss::CrossEntropy)
    }

    /// What is trained on.
    #[must_use]
    pub fn train(&self) -> &Dataset {
        &self.data.train
    }

    /// What is held out.
    #[must_use]
    pub fn test(&self) -> &Dataset {
        &self.data.test
    }
}
