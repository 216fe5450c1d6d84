//! Arguments of `lgl2o survey`.

use std::path::PathBuf;

use clap::Args;
use clap::builder::PossibleValuesParser;

use super::{at_most, whole};

/// Arguments of `survey`.
#[derive(Debug, Clone, Args)]
#[command(after_help = SURVEY_HELP)]
pub struct SurveyArgs {
    /// A folder of data sets, or one data set, in IDX files; may be given several times.
    #[arg(long, value_name = "DIR")]
    pub data: Vec<PathBuf>,
    /// Tasks of each synthetic family (teachers, mixtures, rings, spirals); 0 for none.
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = whole::<u64>(0, 1000))]
    pub synthetic: u64,
    /// Networks, separated by commas: hidden widths and an activation.
    #[arg(long, value_name = "LIST", value_delimiter = ',', default_value = "20 sigmoid,32 relu,16-16 tanh")]
    pub networks: Vec<String>,
    /// What is done to the inputs, separated by commas: plain, xF for a factor F, inverted, raw. Each makes further tasks.
    #[arg(long, value_name = "LIST", value_delimiter = ',', default_value = "plain")]
    pub inputs: Vec<String>,
    /// Whether inputs are standardized after that: mean 0 and variance 1 over the first 256 training examples.
    #[arg(long, default_value = "on", value_parser = PossibleValuesParser::new(["on", "off"]))]
    pub standardize: String,
    /// Optimizers, separated by commas, as `compare` has them, with their rates.
    #[arg(long, value_name = "LIST", default_value = SURVEYED)]
    pub optimizers: String,
    /// Learned rule for the picture of loss against the rate of SGD, alone and guarded. `none` leaves the picture out.
    #[arg(long, value_name = "RULE", default_value = "avg-l2o")]
    pub flat: String,
    /// Steps at which losses are scored, in rising order; the last one ends a run.
    #[arg(long, value_name = "LIST", value_delimiter = ',', default_value = "100,300,1000", value_parser = at_most::<u64>(10_000_000))]
    pub steps: Vec<u64>,
    /// How many seeds each run gets.
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = at_most::<u64>(1000))]
    pub seeds: u64,
    /// The first seed; the others follow it.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = whole::<u64>(0, 1_000_000_000))]
    pub seed: u64,
    /// Examples in a minibatch; by default 16, with 256 training examples or more 32, with 2,048 or more 64.
    #[arg(long, value_name = "N", value_parser = at_most::<u64>(65_536))]
    pub batch: Option<u64>,
    /// Smaller losses count as this one, so that no factor compares two losses that are practically 0.
    #[arg(long, value_name = "LOSS", default_value_t = 1e-3, value_parser = floor)]
    pub floor: f64,
    /// Settings for the oracle to choose from, separated by commas; by default all 15 that are named below.
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub oracle: Vec<String>,
    /// Where the report and the finished runs go; out/survey by default.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// A smoke run of seconds: a tenth of the steps, one seed, one task of each synthetic family.
    #[arg(long)]
    pub quick: bool,
}

/// A loss that others are held against: no larger than what a run without one counts as, by far.
fn floor(text: &str) -> Result<f64, String> {
    let good = text.parse().ok().filter(|x: &f64| (1e-30..=1.0).contains(x));
    good.ok_or_else(|| "a number from 1e-30 to 1 is needed, as in 0.001".to_owned())
}

/// What `survey` runs by default.
const SURVEYED: &str = "auto,avg-l2o,avg-lean,avg-ngn,avg-scale-free,rnnprop,adam:0.03,adam:0.01,nadam:0.03,\
    avg-nesterov:0.3,sgd:1,lgl2o(avg-l2o,sgd:1)";

const SURVEY_HELP: &str = "\
Each optimizer has one setting for all tasks. A score is a geometric mean over the tasks: of the optimizer's loss, which is a mean over the
seeds, divided by the oracle's loss. The oracle is the best of 15 settings, chosen for each task and step by the same loss that is
scored (SGD .01 .03 .1 .3 1 3, momentum .03 .1 .3 1, Adam .001 .003 .01 .03 .1). A stronger oracle has 40: the same 15
with averaged iterates too, and Adam and NAdam with a cosine that is told the horizon. With --oracle,
the oracle is the best of the settings that you name; the stronger oracle stays as it is.

Inputs are standardized for all optimizers, the oracle's too, so that columns of any unit train alike; with
--standardize off they are as --inputs leaves them.

OUT/units keeps finished runs, and long ones half done: an interrupted survey continues where it was, and one with other
optimizers takes the oracle's runs from there. A program that was built from other sources starts again.

Examples:
  lgl2o survey                                the synthetic families
  lgl2o survey --data ~/sets --synthetic 0    every folder of IDX files in ~/sets
  lgl2o survey --quick --optimizers 'adam:0.03,lgl2o(avg-l2o,adam:0.03)' --flat none
  lgl2o survey --oracle adam:0.001,adam:0.01  against the better of two settings
  lgl2o survey --data ~/sets --inputs plain,x0.1,x10,inverted --networks '64-64 relu'
  mpirun -n 4 lgl2o survey --data ~/sets      the same results with four processes, if built with --features mpi";
