//! Rows to train on, to check on and to test on, drawn by a seed.
//!
//! Rows are gone through in a random order. Of the rows of each class, one after the other,
//! each part takes its share, rounded down: so a class has in each part the share that it has in the whole, but for a row or two, and
//! the first of its rows is trained on.

use std::path::Path;

use lgl2o::Rng;
use lgl2o::shuffle::Shuffle;

use crate::data::table::{Table, TableError, Target};

/// Numbers of rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// Rows to train on.
    pub train: Vec<usize>,
    /// Rows to check on.
    pub check: Vec<usize>,
    /// Rows to test on.
    pub test: Vec<usize>,
}

/// Splits a table; shares are of all rows, and together below 1.
///
/// # Errors
/// If a part that is asked for would be empty, or fewer than two rows would be left to train on.
pub fn split(file: &Path, table: &Table, [check_on, test_on]: [f64; 2], seed: u64) -> Result<Split, TableError> {
    let rows = table.rows();
    let order = Shuffle::new(u32::try_from(rows).unwrap_or(u32::MAX), &mut Rng::stream(seed, 3));
    let classes = crate::data::table::target::MOST_CLASSES;
    let (mut seen, mut kept) = (vec![0; classes], vec![0; classes]);
    let rest = if test_on < 1.0 { check_on / (1.0 - test_on) } else { 0.0 };
    let mut split = Split { train: Vec::new(), check: Vec::new(), test: Vec::new() };
    for i in 0..order.len() {
        let row = order.at(i) as usize;
        let class = match &table.target {
            Target::Classes { labels, .. } => usize::from(labels[row]),
            Target::Values(_) | Target::Unknown => 0,
        };
        // Of those that are not tested on, some are checked on.
        let part = if takes(test_on, &mut seen[class]) {
            &mut split.test
        } else if takes(rest, &mut kept[class]) {
            &mut split.check
        } else {
            &mut split.train
        };
        part.push(row);
    }
    let [train, check, test] = [&split.train, &split.check, &split.test].map(Vec::len);
    if train < 2 || check_on > 0.0 && check == 0 || test_on > 0.0 && test == 0 {
        return Err(TableError::TooFew { file: file.to_owned(), rows, train, check, test });
    }
    Ok(split)
}

/// Whether the count of a part, rounded down, grows with the next row.
fn takes(share: f64, seen: &mut u64) -> bool {
    let before = (share * *seen as f64).floor();
    *seen += 1;
    (share * *seen as f64).floor() > before
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::table::Columns;

    fn table(labels: Vec<u8>) -> Table {
        let names = (0..3).map(|class: u8| class.to_string()).collect();
        let inputs = (0..labels.len()).map(|i| i as f32).collect();
        Table { columns: Columns::plain(1), inputs, target: Target::Classes { labels, names }, dropped: 0 }
    }

    #[test]
    fn every_row_is_in_one_part_and_each_class_has_its_share() {
        let labels: Vec<u8> = (0..1000)
            .map(|i| {
                if i < 800 {
                    0
                } else if i < 990 {
                    1
                } else {
                    2
                }
            })
            .collect();
        let table = table(labels.clone());
        let one = split(Path::new("t"), &table, [0.1, 0.2], 1).expect("split");
        let mut all = [one.train.as_slice(), &one.check, &one.test].concat();
        all.sort_unstable();
        assert_eq!(all, (0..1000).collect::<Vec<_>>());
        let count = |rows: &[usize], class| rows.iter().filter(|&&row| labels[row] == class).count();
        for (class, rows) in [(0, 800), (1, 190), (2, 10)] {
            assert_eq!(count(&one.test, class), rows / 5);
            assert!(count(&one.check, class).abs_diff(rows / 10) <= 1, "class {class}");
        }
        assert_eq!(one, split(Path::new("t"), &table, [0.1, 0.2], 1).expect("split"));
        assert_ne!(one.test, split(Path::new("t"), &table, [0.1, 0.2], 2).expect("split").test);
    }

    #[test]
    fn a_part_that_would_be_empty_is_refused() {
        let of = |rows: u8, shares| split(Path::new("t.csv"), &table((0..rows).map(|i| i % 2).collect()), shares, 1);
        assert!(of(10, [0.2, 0.2]).is_ok() && of(4, [0.0, 0.0]).is_ok());
        let error = of(4, [0.0, 0.2]).expect_err("no row to test on").to_string();
        assert!(error.contains("t.csv: 4 rows are too few") && error.contains("--test-share"), "{error}");
        assert!(of(1, [0.0, 0.0]).is_err());
    }
}
