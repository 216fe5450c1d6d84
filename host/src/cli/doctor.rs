//! The arguments of `doctor`.

use std::path::PathBuf;

use clap::Args;
use clap::builder::PossibleValuesParser;

use crate::device::board;

/// What `doctor` looks at.
pub const CHECKED: [&str; 7] = ["output", "compiler", "data", "firmware", "emulator", "ports", "mpi"];

/// Arguments of `doctor`.
#[derive(Debug, Clone, Args)]
#[command(after_help = DOCTOR_HELP)]
pub struct DoctorArgs {
    /// What to look at; everything by default.
    #[arg(value_name = "WHAT", value_parser = PossibleValuesParser::new(CHECKED))]
    pub what: Vec<String>,
    /// For `firmware` and `emulator`: only what this board needs.
    #[arg(long, value_parser = PossibleValuesParser::new(board::names()), hide_possible_values = true)]
    pub board: Option<String>,
    /// For `data`: data directory. Else $LGL2O_DATA, else the user's cache directory.
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// For `output`: the folder; out by default.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

const DOCTOR_HELP: &str = "\
Nothing is installed, built or run. With a name, the exit status is 1 if something is missing; without one it is 0.

Examples:
  lgl2o doctor                               everything
  lgl2o doctor firmware --board mps2-an386   whether programs can be built for a board
  lgl2o doctor data --data DIR               whether MNIST is whole";
