//! A task of the survey: a data set after its treatment, a network, a batch size.

use std::sync::Arc;

use lgl2o::Rng;
use lgl2o::objective::mlp::{Loss, Mlp};
use lgl2o::shuffle::Shuffle;

use super::inputs::Inputs;
use super::shape::Shape;
use crate::data::{DataError, DataSets, Dataset, standardized};
use crate::network::HeapNetwork;

/// Seed of the one order that training rows are brought into, so that the first ones are a sample of all.
const ORDER_SEED: u64 = 2027;
/// Training examples below which the batch is the first of [`BATCHES`], then the second.
const BATCH_BOUNDS: [usize; 2] = [256, 2048];
/// Batch sizes unless one is given.
const BATCHES: [usize; 3] = [16, 32, 64];
/// At least so many batches fit into the training data.
const FEWEST_BATCHES: usize = 4;

/// A data set, treated.
#[derive(Debug, Clone)]
pub struct Material {
    /// Its name in the report.
    pub name: String,
    /// The treatment.
    pub inputs: Inputs,
    /// Whether it was standardized.
    pub standardized: bool,
    /// The data; training rows in an order by chance.
    pub data: Arc<DataSets>,
    /// A digest of the data.
    pub digest: String,
}

impl Material {
    /// Treats a data set.
    ///
    /// # Errors
    /// If an input is not finite any more.
    pub fn new(name: &str, sets: &DataSets, inputs: Inputs, standardize: bool) -> Result<Self, DataError> {
        let mut sets = sets.clone();
        sets.train = shuffled(&sets.train)?;
        let seed = u64::from_str_radix(&sets.digest()[..15], 16).unwrap_or(0);
        let mut sets = inputs.of(sets, seed)?;
        if standardize {
            sets = standardized(sets)?;
        }
        let digest = sets.digest();
        Ok(Self { name: name.to_owned(), inputs, standardized: standardize, data: Arc::new(sets), digest })
    }
}

/// The same rows in an order by chance, always the same one.
fn shuffled(data: &Dataset) -> Result<Dataset, DataError> {
    let order = Shuffle::new(data.len() as u32, &mut Rng::new(ORDER_SEED));
    let rows = (0..data.len() as u32).map(|i| data.row(order.at(i) as usize));
    let (inputs, labels): (Vec<&[f32]>, Vec<u8>) = rows.unzip();
    Dataset::new(inputs.concat(), labels, data.width(), data.classes(), None)
}

/// A task.
#[derive(Debug, Clone)]
pub struct SurveyTask {
    /// The data.
    pub material: Material,
    /// The hidden layers.
    pub shape: Shape,
    /// The optimizee's layers, for batches of this size.
    pub network: HeapNetwork,
    /// Examples in a minibatch.
    pub batch: usize,
}

impl SurveyTask {
    /// A task of a data set and hidden layers; the batch is by the size of the data unless it is given.
    #[must_use]
    pub fn new(material: &Material, shape: &Shape, batch: Option<usize>) -> Self {
        let train = &material.data.train;
        let batch = batch.unwrap_or_else(|| batch_for(train.len()));
        let widths = [&[train.width()], shape.hidden.as_slice(), &[train.classes()]].concat();
        let network = HeapNetwork::new(&widths, shape.activation, batch);
        Self { material: material.clone(), shape: shape.clone(), network, batch }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> String {
        let inputs = match self.material.inputs {
            Inputs::Plain => String::new(),
            other => format!(" {}", other.name()),
        };
        format!("{}{inputs}, {}", self.material.name, self.shape.name())
    }

    /// What is trained on.
    #[must_use]
    pub fn train(&self) -> &Dataset {
        &self.material.data.train
    }

    /// What is held out.
    #[must_use]
    pub fn test(&self) -> &Dataset {
        &self.material.data.test
    }

    /// The optimizee.
    #[must_use]
    pub fn optimizee(&self) -> Mlp<HeapNetwork> {
        Mlp::new(self.network.clone(), Loss::CrossEntropy)
    }

    /// Everything that a run's result depends on here, on one line: the data by their content, not by their name.
    #[must_use]
    pub fn identity(&self) -> String {
        let Self { material, shape, batch, .. } = self;
        format!("{} | {} | batch {batch}", material.digest, shape.name())
    }

    /// About how much work a step is, for the progress bar.
    #[must_use]
    pub fn weight(&self) -> u64 {
        2_000 + (self.optimizee().parameters() * self.batch / 8) as u64
    }
}

/// The batch for so many training examples.
fn batch_for(examples: usize) -> usize {
    let place = BATCH_BOUNDS.iter().filter(|bound| examples >= **bound).count();
    BATCHES[place].min(examples / FEWEST_BATCHES).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_grow_with_the_data() {
        let cases = [(3, 1), (40, 10), (133, 16), (255, 16), (256, 32), (2047, 32), (2048, 64), (60_000, 64)];
        for (examples, batch) in cases {
            assert_eq!(batch_for(examples), batch, "{examples}");
        }
    }

    fn sets(labels: &[u8]) -> DataSets {
        let inputs = (0..labels.len()).map(|i| i as f32).collect();
        let train = Dataset::new(inputs, labels.to_vec(), 1, 3, None).unwrap();
        DataSets { name: "x".to_owned(), test: train.clone(), train }
    }

    #[test]
    fn rows_keep_their_labels_when_they_are_shuffled() {
        let before = sets(&[0, 1, 2, 0, 1, 2, 0, 1, 2, 0]);
        let after = Material::new("a", &before, Inputs::Plain, false).unwrap();
        let rows = |data: &Dataset| (0..10).map(|i| (data.row(i).0[0] as usize, data.row(i).1)).collect::<Vec<_>>();
        let mut sorted = rows(&after.data.train);
        assert_ne!(sorted, rows(&before.train));
        sorted.sort_unstable();
        assert_eq!(sorted, rows(&before.train));
        assert_eq!(after.data.test, before.test);
    }

    #[test]
    fn data_are_known_by_their_content() {
        let shape = Shape::parse("4 relu").unwrap();
        let identity = |name: &str, labels: &[u8], inputs: Inputs, batch| {
            SurveyTask::new(&Material::new(name, &sets(labels), inputs, false).unwrap(), &shape, batch).identity()
        };
        let one = identity("a", &[0, 1, 2, 1], Inputs::Plain, Some(2));
        assert_eq!(one, identity("b", &[0, 1, 2, 1], Inputs::Plain, Some(2)));
        assert_ne!(one, identity("a", &[0, 1, 2, 0], Inputs::Plain, Some(2)));
        assert_ne!(one, identity("a", &[0, 1, 2, 1], Inputs::Inverted, Some(2)));
        assert_ne!(one, identity("a", &[0, 1, 2, 1], Inputs::Plain, Some(1)));
    }
}
