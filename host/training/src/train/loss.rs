//! What outputs are compared with: cross-entropy or squared error, classes weighted and labels smoothed where that is asked for.

use lgl2o::objective::mlp::Loss;

use super::Settings;
use crate::data::table::{Table, Target};

/// The loss of a training on these rows.
///
/// With [`Settings::balance`] a class with n_c of N rows has the weight N / (C n_c), C being the number of classes that occur, so that all
/// of them count alike and the mean weight of a row is 1. A class without a row has the weight 1.
#[must_use]
pub fn loss(settings: &Settings, train: &Table) -> Loss {
    let Target::Classes { labels, names } = &train.target else { return Loss::SquaredError };
    if !settings.balance && settings.smoothing == 0.0 {
        return Loss::CrossEntropy;
    }
    let weights = if settings.balance { weights(labels, names.len()) } else { Vec::new() };
    // A program trains once, and a loss borrows its weights for ever.
    Loss::SoftCrossEntropy { smoothing: settings.smoothing as f32, weights: weights.leak() }
}

fn weights(labels: &[u8], classes: usize) -> Vec<f32> {
    let mut rows = vec![0usize; classes];
    labels.iter().for_each(|&label| rows[usize::from(label)] += 1);
    let occur = rows.iter().filter(|n| **n > 0).count();
    let weight = |n: &usize| if *n == 0 { 1.0 } else { (labels.len() as f64 / (occur * n) as f64) as f32 };
    rows.iter().map(weight).collect()
}

/// The loss as an expression of Rust that gives the same bits.
#[must_use]
pub fn expression(loss: Loss) -> String {
    match loss {
        Loss::CrossEntropy => "Loss::CrossEntropy".to_owned(),
        Loss::SquaredError => "Loss::SquaredError".to_owned(),
        Loss::Huber { delta } => format!("Loss::Huber {{ delta: {delta:?} }}"),
        Loss::SoftCrossEntropy { smoothing, weights } => {
            format!("Loss::SoftCrossEntropy {{ smoothing: {smoothing:?}, weights: &{weights:?} }}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_count_alike_whatever_rows_they_have() {
        let labels = [0, 0, 0, 0, 0, 0, 2, 2];
        let weights = weights(&labels, 3);
        assert_eq!(weights, [8.0 / 12.0, 1.0, 2.0]);
        let sum: f32 = labels.iter().map(|&label| weights[usize::from(label)]).sum();
        assert_eq!(sum, 8.0);
    }

    #[test]
    fn what_a_board_gets_is_the_same_loss() {
        let loss = Loss::SoftCrossEntropy { smoothing: 0.1, weights: &[0.6666667, 1.0, 2.0] };
        assert_eq!(expression(loss), "Loss::SoftCrossEntropy { smoothing: 0.1, weights: &[0.6666667, 1.0, 2.0] }");
        assert_eq!(expression(Loss::Huber { delta: 1.0 }), "Loss::Huber { delta: 1.0 }");
    }
}
