//! Arguments of `lgl2o bench`.

use std::path::PathBuf;

use clap::Args;
use clap::builder::PossibleValuesParser;

use super::whole;
use crate::bench::WORKLOADS;

/// Arguments of `bench`.
#[derive(Debug, Clone, Args)]
#[command(after_help = BENCH_HELP)]
pub struct BenchArgs {
    /// Networks, separated by commas; all of them by default.
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = PossibleValuesParser::new(WORKLOADS.iter().map(|w| w.name)))]
    pub networks: Vec<String>,
    /// Optimizers, separated by commas, as `compare` has them, with their rates.
    #[arg(
        long,
        value_name = "LIST",
        default_value = "sgd:0.3,adam:0.01,ngn,lean,l2o,avg-l2o,auto,lgl2o(avg-l2o,sgd:0.3)"
    )]
    pub optimizers: String,
    /// Train S2 and S3 on MNIST, in the folder `mnist` of this directory, in place of noisy prototypes.
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Runs of each optimizer.
    #[arg(long, value_name = "N", default_value_t = 7, value_parser = whole::<u32>(1, 1000))]
    pub rounds: u32,
    /// Training steps of a run.
    #[arg(long, value_name = "N", default_value_t = 300, value_parser = whole::<u32>(1, 1_000_000))]
    pub steps: u32,
    /// Print JSON instead of a table.
    #[arg(long)]
    pub json: bool,
    /// Also measure how the time of a step grows with width, depth and batch, and draw it.
    #[arg(long, value_name = "FILE.svg")]
    pub growth: Option<PathBuf>,
    /// Where the report goes, and finished runs until all are finished; out/bench by default.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

impl BenchArgs {
    /// Whether a network is asked for.
    #[must_use]
    pub fn includes(&self, network: &str) -> bool {
        self.networks.is_empty() || self.networks.iter().any(|name| name == network)
    }
}

const BENCH_HELP: &str = "\
Networks, with batches of 128, S4 and S5 of 32:
  S1  2-32-32-2 tanh, on the built-in spirals
  S2  784-20-10 sigmoid, on noisy prototypes of ten classes
  S3  784-128-10 ReLU, on the same
  S4  2-32-32-2 tanh, on the spirals
  S5  40-16-16-10 ReLU, on prototypes of 40 inputs

A figure is the processor time of a run divided by its steps, so it includes what a guard spends on races and checks. An update
alone is timed with one gradient. Everything runs on one thread. The optimizers take turns, and each figure is a median over the
runs. Times depend on the machine and drift: compare only ratios within one call.

OUT/units keeps finished runs, and long ones half done, until all are finished: an interrupted measurement continues where it
was.

Examples:
  lgl2o bench                               the table and the report
  lgl2o bench --networks S2 --json          one network, for a program to read
  lgl2o bench --networks S2 --data DIR --optimizers 'avg-l2o,lgl2o(avg-l2o,sgd:3)' --steps 3000
                                            what guarding costs where the learned side wins
  lgl2o bench --networks S2 --rounds 3 --growth growth.svg
                                            a picture of width, depth and batch";
