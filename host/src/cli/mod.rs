//! The command-line interface.

mod bench;
mod compare;
mod doctor;
mod help;
mod playground;
mod survey;
mod train;

use std::path::PathBuf;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use crate::device::board;
use crate::device::programs::of_device;
use crate::reproduce::experiments;

pub use bench::BenchArgs;
pub use compare::CompareArgs;
pub use doctor::{CHECKED, DoctorArgs};
pub use playground::PlaygroundArgs;
pub use survey::SurveyArgs;
pub use train::{EvalArgs, ExportArgs, ImportArgs, PredictArgs, TableArgs, TrainArgs};

/// Train small neural networks with no learning rate to set, for microcontrollers.
///
/// Without a command it compares optimizers on a built-in task, Spirals, which needs no download.
#[derive(Debug, Parser)]
#[command(name = "lgl2o", version, max_term_width = 100, after_help = EXAMPLES)]
pub struct Cli {
    /// What to do; `compare` by default.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Threads to use (under mpirun, in each process); 0 means one per core. Results do not depend on it.
    #[arg(long, global = true, default_value_t = 0, value_name = "N", value_parser = whole::<usize>(0, most_threads()))]
    pub threads: usize,
}

impl Cli {
    /// Reads the command line of this process.
    ///
    /// # Errors
    /// What is wrong with it, or help that was asked for.
    pub fn read() -> Result<Self, clap::Error> {
        // A negative number is told as what it is: out of bounds, and no unknown option.
        let told = |arg: clap::Arg| {
            let takes_numbers = arg.get_action().takes_values() && !arg.is_positional();
            if takes_numbers { arg.allow_negative_numbers(true) } else { arg }
        };
        let command = Self::command().mut_args(told).mut_subcommands(|command| command.mut_args(told));
        let command = help::for_terminal(command);
        Self::from_arg_matches(&command.try_get_matches()?)
    }
}

/// The names of all commands.
#[must_use]
pub fn commands() -> Vec<String> {
    Cli::command().get_subcommands().map(|command| command.get_name().to_owned()).collect()
}

/// What to do after the first comparison; `lgl2o` alone ends with it.
pub const NEXT: &str = "\
What next?
  lgl2o train --data FILE.csv --target COLUMN   a network of your own
  lgl2o playground --open                       optimizers race in your browser
  lgl2o compare --help                          other tasks and optimizers
  lgl2o survey                                  one setting for many tasks
  lgl2o device                                  the same on an emulated board
  lgl2o doctor                                  what this machine lacks for these";

const EXAMPLES: &str = "\
Examples:
  lgl2o                               compare optimizers; report in out/spirals
  lgl2o train --data FILE.csv         a network of your own, in out/train
  lgl2o playground --open             optimizers race in your browser
  lgl2o compare --quick               the comparison on Spirals, short
  lgl2o data fetch mnist              download MNIST and verify it
  lgl2o compare --task mnist          the comparison on MNIST
  lgl2o survey                        many tasks; report in out/survey
  lgl2o device --board mps2-an386     train on an emulated Cortex-M4F
  lgl2o reproduce                     the paper; report in out/reproduce
  lgl2o meta-train --config host/meta/ngn.toml --out out/meta
                                      weights of the learned optimizer
  lgl2o doctor                        what this machine lacks for all of that

Exit status: 0 done; 1 failed; 2 usage error; 128 or more interrupted by a signal (130 by Ctrl-C), and what was computed is kept.

A command that is killed loses at most half a minute of work. Call it again: `bench`, `compare`, `survey` and `reproduce` go on by
themselves, `train` and `meta-train` with --resume.

Only one command at a time can use an output folder. A command refuses a folder with results of another command. It also refuses to
replace a folder, a device, a broken link, an input or a write-protected file with a result.";

/// A whole number from 1 up to a bound.
fn at_most<N: TryFrom<u64>>(bound: u64) -> impl Fn(&str) -> Result<N, String> + Clone {
    whole(1, bound)
}

/// A whole number between two bounds.
fn whole<N: TryFrom<u64>>(least: u64, most: u64) -> impl Fn(&str) -> Result<N, String> + Clone {
    move |text| {
        let digits = text.strip_prefix('-').unwrap_or(text);
        if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
            return Err(format!("a whole number from {least} to {most} is needed"));
        }
        let number = text.parse().ok().filter(|number| (least..=most).contains(number));
        number.and_then(|number| N::try_from(number).ok()).ok_or_else(|| format!("{text} is not in {least}..={most}"))
    }
}

/// The width of a hidden layer.
fn width(text: &str) -> Result<u64, String> {
    whole(1, 65_536)(text).map_err(|problem| format!("{problem}; layers are separated by commas, as in 64,64"))
}

/// Most threads: so many for each core, and a few hundred on any machine. More are slower, and begin to cost seconds.
fn most_threads() -> u64 {
    let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get() as u64);
    (THREADS_FOR_A_CORE * cores).max(FEW_HUNDRED)
}

const THREADS_FOR_A_CORE: u64 = 4;
const FEW_HUNDRED: u64 = 256;

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Train a network on a table of your own.
    Train(TrainArgs),
    /// Predict the rows of a table with a trained network.
    Predict(PredictArgs),
    /// Score a trained network on a table.
    Eval(EvalArgs),
    /// Write a trained network as Rust, C, NumPy arrays or safetensors.
    Export(ExportArgs),
    /// Make a network out of weights from PyTorch, Keras or ONNX.
    Import(ImportArgs),
    /// Write a page on which optimizers race in the browser, and open it.
    Playground(PlaygroundArgs),
    /// Compare several optimizers on one task, over several seeds.
    Compare(CompareArgs),
    /// Run optimizers on many tasks, each with one setting for all, against settings tuned for each task.
    Survey(SurveyArgs),
    /// Train on a board, in an emulator or at a serial port, and compare every bit with this machine.
    Device(DeviceArgs),
    /// Say what this machine has for each part of the program, and how to get what it lacks.
    Doctor(DoctorArgs),
    /// Time training steps on this machine.
    Bench(BenchArgs),
    /// Fetch and verify data sets; say where they are.
    Data(DataArgs),
    /// Run every experiment of the paper, and more; one report.
    Reproduce(ReproduceArgs),
    /// Train the weights of a learned optimizer.
    MetaTrain(MetaTrainArgs),
}

/// Arguments of `reproduce`.
#[derive(Debug, Clone, Args)]
#[command(after_help = reproduce_help())]
pub struct ReproduceArgs {
    /// Data directory (with mnist/ in it). Else $LGL2O_DATA, else the user's cache directory.
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Where the report and the finished runs go; out/reproduce by default.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// A smoke run of a minute or two; without MNIST, experiments that need it are skipped.
    #[arg(long)]
    pub quick: bool,
    /// Experiments to run, by name or number, separated by commas; all by default.
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = experiments::find)]
    pub only: Vec<usize>,
    /// How many seeds each final run gets; at most 2 in a quick one.
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = at_most::<u64>(100))]
    pub seeds: u64,
    /// A folder of IDX files, as one more task of the experiment `data`; may be given several times.
    #[arg(long, value_name = "FOLDER")]
    pub idx: Vec<PathBuf>,
}

fn reproduce_help() -> String {
    format!("Experiments:\n{}\n{REPRODUCE_EXAMPLES}", experiments::help())
}

const REPRODUCE_EXAMPLES: &str = "\
OUT/units keeps finished runs, and long ones half done: an interrupted reproduction continues where it was, with
any number of processes. A program that was built from other sources starts again.

Examples:
  lgl2o reproduce --data ~/data
  lgl2o reproduce --quick --only spirals,guards
  lgl2o reproduce --only data --idx ~/my-digits --idx ~/my-letters
  mpirun -n 4 lgl2o reproduce --data ~/data
                               the same results with four processes, if built with --features mpi";

const META_TRAIN_HELP: &str = "\
Examples:
  lgl2o meta-train --config host/meta/ngn.toml --out out/meta
  lgl2o meta-train --config host/meta/ngn.toml --out out/meta --resume
  lgl2o meta-train --config host/meta/distribution.toml --evaluate 'rnnprop,avg-rnnprop' --tasks 200
  mpirun -n 4 lgl2o meta-train --config host/meta/ngn.toml --out out/meta
                               the same weights with four processes, if built with --features mpi;
                               a run may be resumed with another number of them";

/// Arguments of `meta-train`.
#[derive(Debug, Clone, Args)]
#[command(after_help = META_TRAIN_HELP)]
pub struct MetaTrainArgs {
    /// The configuration file.
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
    /// Data directory. Else $LGL2O_DATA, else the user's cache directory.
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Where weights, logs and checkpoint go; beside the configuration file by default. With `--evaluate`, where
    /// finished runs go; out/evaluate by default.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// How many seeds to train, from the configuration's `seed` on; the best snapshot of all of them is kept. Replaces
    /// `seeds` in the configuration.
    #[arg(long, value_name = "N", value_parser = at_most::<u64>(10_000))]
    pub seeds: Option<u64>,
    /// Go on from the checkpoint of an interrupted run.
    #[arg(long, conflicts_with = "restart")]
    pub resume: bool,
    /// Start again although there is a checkpoint, or a finished run. Its files are kept, with `before.` in front of their names,
    /// until the new run is finished.
    #[arg(long)]
    pub restart: bool,
    /// Train nothing; score these optimizers on fresh tasks of the configuration's distribution and of families that are
    /// never trained on. Optimizers are as in `compare`, but every rate must be given.
    #[arg(long, value_name = "LIST", conflicts_with_all = ["resume", "restart", "seeds"])]
    pub evaluate: Option<String>,
    /// How many tasks of either kind `--evaluate` draws.
    #[arg(long, value_name = "N", default_value_t = 200, requires = "evaluate", value_parser = whole::<u32>(1, 100_000))]
    pub tasks: u32,
}

/// Takes a program, or the task that it is known by.
fn program() -> impl TypedValueParser<Value = String> {
    PossibleValuesParser::new(of_device().map(|program| PossibleValue::new(program.name).aliases(program.alias)))
        .map(|name| of_device().find(|program| program.alias == Some(&name)).map_or(name, |p| p.name.to_owned()))
}

/// Arguments of `device`.
#[derive(Debug, Clone, Args)]
#[command(after_help = device_help())]
pub struct DeviceArgs {
    /// The board; see below.
    #[arg(long, default_value = board::usual().name, value_parser = PossibleValuesParser::new(board::names()), hide_possible_values = true)]
    pub board: String,
    /// The program: `spirals` makes its data itself, `stream` (or `mnist`) is fed with images from here, `sensor` learns
    /// gestures, `imported` trains the heads of two networks from PyTorch, `resume` is `spirals` with checkpoints in flash and
    /// a reset in the middle, `faults` tries everything that can go wrong, `cost` counts instructions, or cycles on real hardware.
    #[arg(long, alias = "task", default_value = "spirals", value_parser = program())]
    pub program: String,
    /// For `stream`: data directory, with mnist/ in it. Else $LGL2O_DATA, else the user's cache directory.
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// For `stream`: training steps, at least, 500 by default; the last round may go beyond.
    #[arg(long, value_name = "N", value_parser = whole::<u32>(1, 10_000_000))]
    pub steps: Option<u32>,
    /// For `stream`: seed of the initial parameters and of the order of the examples, 1 by default.
    #[arg(long, value_name = "N", value_parser = whole::<u32>(0, u64::from(u32::MAX)))]
    pub seed: Option<u32>,
    /// Listen to a board on this serial port instead of running QEMU. probe-rs, where it is installed, flashes
    /// `nrf52840-dk`; any other board must have the program already.
    #[arg(long, value_name = "TTY")]
    pub port: Option<PathBuf>,
    /// Run this ELF file instead of building one.
    #[arg(long, value_name = "FILE")]
    pub elf: Option<PathBuf>,
    /// Features of the firmware, such as `flip-bit`, which the comparison has to catch.
    #[arg(long, value_name = "LIST", value_delimiter = ',', conflicts_with = "elf")]
    pub features: Vec<String>,
    /// With `resume`: cut the board's power this many times, mostly while it writes to its flash.
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = whole::<u32>(0, 1000), conflicts_with = "port")]
    pub power_cuts: u32,
    /// Show the device's log.
    #[arg(long)]
    pub log: bool,
    /// Seconds that the device may take; `stream` may take that long between two requests, and at most 20.
    #[arg(long, value_name = "S", default_value_t = 300, value_parser = at_most::<u64>(86_400))]
    pub timeout: u64,
    /// Where the report goes; out/device by default.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

fn device_help() -> String {
    format!(
        "\
Boards:
{}
Builds the firmware, runs it, and trains here with the same core. Exit status 1 if a single bit differs. Built with
--features micromath, this program builds the firmware with it too, and compares the approximate functions.

Examples:
  lgl2o device                                      the default board, a Cortex-M4F
  lgl2o device --board microbit --log               a Cortex-M0, with its log
  lgl2o device --board mps2-an386 --features flip-bit
                                                    one flipped bit in one weight: this fails, and names the round
  lgl2o device --task mnist --data DIR              sends MNIST to the device, and shows how well it learns
  lgl2o device --board nrf52840-dk --port /dev/ttyACM0
                                                    real hardware",
        board::list()
    )
}

/// Arguments of `data`.
#[derive(Debug, Clone, Args)]
pub struct DataArgs {
    /// Data directory. Else $LGL2O_DATA, else the user's cache directory.
    #[arg(long, value_name = "DIR", global = true)]
    pub data: Option<PathBuf>,
    /// What to do; `status` by default.
    #[command(subcommand)]
    pub action: Option<DataAction>,
}

/// What to do with data.
#[derive(Debug, Clone, Subcommand)]
pub enum DataAction {
    /// Say where the data directory is, and whether what is in it is whole.
    Status,
    /// Download a data set and verify it.
    Fetch {
        /// The data set.
        #[arg(value_parser = PossibleValuesParser::new(["mnist"]))]
        name: String,
    },
}
