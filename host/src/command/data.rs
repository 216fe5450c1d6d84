//! `lgl2o data`: where data sets are, and fetching them.

use super::Failure;
use crate::cli::{DataAction, DataArgs};
use crate::data::{self, Progress};

/// Does it.
pub(super) fn run(args: &DataArgs) -> Result<(), Failure> {
    let dir = data::data_dir(args.data.as_deref());
    match &args.action {
        Some(DataAction::Fetch { .. }) => {
            for file in data::fetch_mnist(&dir, Progress::Bar)? {
                println!("{file}");
            }
        }
        None | Some(DataAction::Status) => {
            println!("data directory: {}", dir.display());
            println!("spirals: built in");
            match data::load_mnist(&dir) {
                Ok(sets) => println!(
                    "mnist: whole, {} training and {} test images, checksums as published",
                    sets.train.len(),
                    sets.test.len()
                ),
                Err(error) => println!("mnist: {error}"),
            }
        }
    }
    Ok(())
}
