//! Features with mean 0 and variance 1 over the rows that are trained on, by the core's standardizer; values that are to be learned
//! too, and the network's last layer takes them back to their own unit afterwards.

use std::path::Path;

use lgl2o::checkpoint::{Origin, Persist as _, Sink};
use lgl2o::standardize::Standardizer;
use lgl2o::tensors::Tensors as _;

use super::split::Split;
use crate::data::table::{Column, Table, TableError, Target};
use crate::network::{HeapNetwork, HeapTensors};

/// Mean and standard deviation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scale {
    /// The mean.
    pub mean: f32,
    /// The standard deviation, above 0.
    pub deviation: f32,
}

/// What is trained on.
#[derive(Debug, Clone, PartialEq)]
pub struct Prepared {
    /// Standardized rows to train on.
    pub train: Table,
    /// Standardized rows to check on.
    pub check: Option<Table>,
    /// Standardized rows to test on.
    pub test: Option<Table>,
    /// The features' means.
    pub mean: Vec<f32>,
    /// The features' standard deviations; 0 for one that does not vary.
    pub deviation: Vec<f32>,
    /// That of the values, if values are learned.
    pub scale: Option<Scale>,
}

/// So many standard deviations from the mean of the rows that are trained on is no measurement, and the network's outputs would overflow.
const FAR: f32 = 1e12;

/// Standardizes the parts of a table; a part may stand in a table of its own.
///
/// # Errors
/// If a column spreads too far, or there is only one class or one value.
pub fn prepare(file: &Path, table: &Table, split: &Split, test: Option<&Table>) -> Result<Prepared, TableError> {
    let mut train = table.pick(&split.train);
    check_target(file, &train)?;
    let columns = train.columns.features.clone();
    let [mean, deviation] = moments(file, &columns, &train.inputs)?;
    let scale = match (&train.target, &table.columns.target) {
        (Target::Values(values), Some(column)) => {
            let [mean, deviation] = moments(file, std::slice::from_ref(column), values)?;
            if deviation[0] <= 0.0 {
                let value = mean[0].to_string();
                return Err(TableError::OneValue { file: file.to_owned(), column: column.clone(), value });
            }
            Some(Scale { mean: mean[0], deviation: deviation[0] })
        }
        _ => None,
    };
    let standardize = |table: &mut Table| apply(&mean, &deviation, scale, table);
    let part = |rows: &[usize]| (!rows.is_empty()).then(|| table.pick(rows));
    let (mut check, mut test) = (part(&split.check), test.cloned().or_else(|| part(&split.test)));
    standardize(&mut train);
    check.as_mut().map(standardize);
    test.as_mut().map(standardize);
    for held in [&check, &test].into_iter().flatten() {
        if let Some(place) = held.inputs.iter().position(|x| x.abs() > FAR) {
            let column = columns[place % columns.len()].clone();
            return Err(TableError::Spread { file: file.to_owned(), column });
        }
    }
    Ok(Prepared { train, check, test, mean, deviation, scale })
}

/// Refuses targets that are all the same.
fn check_target(file: &Path, train: &Table) -> Result<(), TableError> {
    let nameless = || Column { place: train.width(), name: None };
    let (file, column) = (file.to_owned(), train.columns.target.clone().unwrap_or_else(nameless));
    match &train.target {
        Target::Classes { labels, names } if labels.iter().all(|label| *label == labels[0]) => {
            let class = names.get(usize::from(labels[0])).cloned().unwrap_or_default();
            Err(TableError::OneClass { file, column, class })
        }
        Target::Values(values) if values.iter().all(|value| *value == values[0]) => {
            Err(TableError::OneValue { file, column, value: values[0].to_string() })
        }
        _ => Ok(()),
    }
}

/// Means and standard deviations of columns, as the core's standardizer finds them; a deviation that it takes for none is 0.
fn moments(file: &Path, columns: &[Column], numbers: &[f32]) -> Result<[Vec<f32>; 2], TableError> {
    let width = columns.len();
    let row = HeapTensors::zeros([width]);
    let mut standardizer = Standardizer::blank(&row, u32::MAX);
    for one in numbers.chunks_exact(width) {
        // Rows are finite and of that width.
        let _ = standardizer.observe(one);
    }
    // Mean and scatter come first of what it keeps.
    let mut bytes = Bytes::default();
    let _ = standardizer.save(&mut bytes);
    let (mut mean, mut scatter) = (row.clone(), row);
    let _ = mean.load(&mut bytes).and_then(|()| scatter.load(&mut bytes));
    let rows = standardizer.rows().max(1) as f32;
    let deviation: Vec<f32> = scatter.tensor(0).iter().map(|scatter| (scatter / rows).sqrt()).collect();
    let mean = mean.tensor(0).to_vec();
    // The core squares deviations.
    let fits = |mean: f32, deviation: f32| mean.is_finite() && (deviation * deviation).is_finite();
    if let Some(place) = (0..width).find(|&i| !fits(mean[i], deviation[i])) {
        return Err(TableError::Spread { file: file.to_owned(), column: columns[place].clone() });
    }
    Ok([mean, deviation])
}

#[derive(Debug, Default)]
struct Bytes {
    all: Vec<u8>,
    read: usize,
}

impl Sink for Bytes {
    type Error = ();
    fn put(&mut self, bytes: &[u8]) -> Result<(), ()> {
        self.all.extend(bytes);
        Ok(())
    }
}

impl Origin for Bytes {
    type Error = ();
    fn take(&mut self, bytes: &mut [u8]) -> Result<(), ()> {
        let end = self.read + bytes.len();
        bytes.copy_from_slice(self.all.get(self.read..end).ok_or(())?);
        self.read = end;
        Ok(())
    }
}

fn apply(mean: &[f32], deviation: &[f32], scale: Option<Scale>, table: &mut Table) {
    let row = |numbers: &[f32]| {
        let mut row = HeapTensors::zeros([numbers.len()]);
        row.as_mut_slice().copy_from_slice(numbers);
        row
    };
    let (width, standardizer) = (table.width(), Standardizer::given(row(mean), row(deviation)));
    if let Ok(standardizer) = standardizer {
        for row in table.inputs.chunks_exact_mut(width) {
            let _ = standardizer.apply(row);
        }
    }
    if let (Target::Values(values), Some(Scale { mean, deviation })) = (&mut table.target, scale) {
        values.iter_mut().for_each(|value| *value = (*value - mean) / deviation);
    }
}

/// Takes the outputs of a network back to the unit of the values: the last layer, which is linear, is scaled and shifted.
pub fn rescale(network: &HeapNetwork, params: &mut HeapTensors, scale: Scale) {
    let top = network.first_tensor(network.layers().len() - 1);
    params.tensor_mut(top).iter_mut().for_each(|w| *w *= scale.deviation);
    params.tensor_mut(top + 1).iter_mut().for_each(|b| *b = *b * scale.deviation + scale.mean);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::table::Columns;

    fn table(inputs: Vec<f32>, values: Vec<f32>) -> Table {
        let columns = Columns::plain(inputs.len() / values.len());
        Table { columns, inputs, target: Target::Values(values), dropped: 0 }
    }

    fn all(rows: usize) -> Split {
        Split { train: (0..rows).collect(), check: Vec::new(), test: Vec::new() }
    }

    #[test]
    fn features_and_values_are_standardized() {
        let table = table(vec![1.0, 7.0, 3.0, 7.0, 1.0, 7.0, 3.0, 7.0], vec![1e5, 3e5, 1e5, 3e5]);
        let prepared = prepare(Path::new("t.csv"), &table, &all(4), None).expect("prepared");
        assert_eq!((prepared.mean, prepared.deviation), (vec![2.0, 7.0], vec![1.0, 0.0]));
        assert_eq!(prepared.train.inputs, [-1.0, 0.0, 1.0, 0.0, -1.0, 0.0, 1.0, 0.0]);
        assert_eq!(prepared.train.target, Target::Values(vec![-1.0, 1.0, -1.0, 1.0]));
        let scale = prepared.scale.expect("values");
        assert_eq!(scale, Scale { mean: 2e5, deviation: 1e5 });
        // Outputs -1 and 1 become 1e5 and 3e5.
        let network = HeapNetwork::new(&[2, 1], lgl2o::objective::mlp::Activation::Relu, 1);
        let mut params = lgl2o::objective::mlp::network::BlankNetwork::blank_params(&network);
        params.as_mut_slice().copy_from_slice(&[1.0, 0.0, 0.0]);
        rescale(&network, &mut params, scale);
        assert_eq!(params.as_slice(), [1e5, 0.0, 2e5]);
    }

    #[test]
    fn what_cannot_be_standardized_is_refused() {
        let refused = |inputs: Vec<f32>, values: Vec<f32>| {
            let table = table(inputs, values);
            prepare(Path::new("t.csv"), &table, &all(table.rows()), None).expect_err("refused").to_string()
        };
        let error = refused(vec![1.0, -2e38, 2.0, 3e38], vec![1.0, 2.0]);
        assert!(error.contains("t.csv, column 2") && error.contains("Divide"), "{error}");
        // In a row that is only tested on, too.
        let far = table(vec![1.0, 2.0, 3.0, 3e38], vec![1.0, 2.0, 3.0, 4.0]);
        let split = Split { train: vec![0, 1, 2], check: Vec::new(), test: vec![3] };
        let error = prepare(Path::new("t.csv"), &far, &split, None).expect_err("refused").to_string();
        assert!(error.contains("t.csv, column 1") && error.contains("far from all others"), "{error}");
        let error = refused(vec![1.0, 2.0], vec![3.0, 3.0]);
        assert!(error.contains("t.csv, column 2: all targets are 3"), "{error}");
    }
}
