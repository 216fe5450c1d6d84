//! `lgl2o data`: where data sets are, and fetching them.

use super::Failure;
use crate::cli::{DataAction, DataArgs};
use crate::data::{self, Progress};
use crate::say;

/// Runs the command.
pub(super) fn run(args: &DataArgs) -> Result<(), Failure> {
    let dir = data::data_dir(args.data.as_deref());
    match &args.action {
        Some(DataAction::Fetch { .. }) => {
            for file in data::fetch_mnist(&dir, Progress::Bar)? {
                say::line(format_args!("{file}"));
            }
        }
        None | Some(DataAction::Status) => {
            say::line(format_args!("data directory: {}", dir.display()));
            say::line(format_args!("spirals: built in"));
            match data::load_mnist(&dir) {
                Ok(sets) => say::line(format_args!(
                    "mnist: whole, {} training and {} test images, checksums as published",
                    sets.train.len(),
                    sets.test.len()
                )),
                Err(error) => say::line(format_args!("mnist: {error}")),
            }
        }
    }
    Ok(())
}
