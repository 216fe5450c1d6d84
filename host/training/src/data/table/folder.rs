//! A folder of IDX files as two tables: what is trained on, and what is tested on. Its classes are its labels.

use std::path::Path;

use super::{Columns, Table, Target};
use crate::data::{DataError, Dataset, load_folder};

/// Reads both halves of a folder.
///
/// # Errors
/// Whatever is wrong with the folder.
pub fn read(folder: &Path) -> Result<[Table; 2], DataError> {
    let sets = load_folder(folder)?;
    let classes: Vec<String> = (0..sets.train.classes()).map(|class| class.to_string()).collect();
    let table = |data: &Dataset| Table {
        columns: Columns::beside(data.width()),
        inputs: data.inputs().to_vec(),
        target: Target::Classes { labels: data.labels().to_vec(), names: classes.clone() },
        dropped: 0,
    };
    Ok([table(&sets.train), table(&sets.test)])
}
