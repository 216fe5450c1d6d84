//! Arguments of `lgl2o train`, `predict`, `eval`, `export` and `import`.

use std::path::PathBuf;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use lgl2o::objective::mlp::Activation;

use super::{at_most, whole, width};
use crate::device::board;
use crate::network::series::ByValue;
use crate::network::{activation, activation_names, expression};

/// A share from 0 up to nine tenths.
fn share(text: &str) -> Result<f64, String> {
    let good = text.parse().ok().filter(|share: &f64| (0.0..=0.9).contains(share));
    good.ok_or_else(|| "a share from 0 to 0.9 is needed, as in 0.2".to_owned())
}

/// A share of a label.
fn smoothing(text: &str) -> Result<f64, String> {
    let good = text.parse().ok().filter(|share: &f64| (0.0..=0.5).contains(share));
    good.ok_or_else(|| "a share from 0 to 0.5 is needed, as in 0.05".to_owned())
}

/// A number.
fn finite(text: &str) -> Result<f32, String> {
    let number = text.trim().parse().ok().filter(|number: &f32| number.is_finite());
    number.ok_or_else(|| "a number below 3.4e38 is needed, as in 20.5".to_owned())
}

/// A standard deviation.
fn deviation(text: &str) -> Result<f32, String> {
    let number = finite(text).ok().filter(|number| *number >= 0.0);
    number.ok_or_else(|| {
        "a number from 0 to 3.4e38 is needed, as in 4.2; 0 is for a feature that never varies".to_owned()
    })
}

/// One character that separates cells.
fn delimiter(text: &str) -> Result<u8, String> {
    match text.as_bytes() {
        b"tab" | b"\\t" => Ok(b'\t'),
        [byte] if byte.is_ascii() && !byte.is_ascii_alphanumeric() && !b"\"\r\n".contains(byte) => Ok(*byte),
        _ => Err("one character that is no letter, digit or quotation mark is needed, or `tab`".to_owned()),
    }
}

/// The activation of hidden layers.
fn activations() -> impl TypedValueParser<Value = Activation> {
    PossibleValuesParser::new(activation_names()).try_map(|name| activation(&name).ok_or("no such activation"))
}

/// The layers of a network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layers(pub Vec<ByValue>);

/// A network in words.
fn network(text: &str) -> Result<Layers, String> {
    expression::read(text).map(Layers)
}

/// Where rows come from.
#[derive(Debug, Clone, Args)]
pub struct TableArgs {
    /// A CSV file (packed by gzip or not), a .npy file, or a folder of IDX files.
    #[arg(long, value_name = "PATH")]
    pub data: PathBuf,
    /// For a .npy file of features alone: the .npy file of the targets.
    #[arg(long, value_name = "FILE")]
    pub labels: Option<PathBuf>,
    /// The character between the cells of a CSV file; detected by default.
    #[arg(long, value_name = "CHAR", value_parser = delimiter)]
    pub delimiter: Option<u8>,
    /// Whether the first line of a CSV file holds names; `auto` detects it.
    #[arg(long, default_value = "auto", value_parser = PossibleValuesParser::new(["auto", "yes", "no"]))]
    pub header: String,
}

/// Arguments of `train`.
#[derive(Debug, Clone, Args)]
#[command(after_help = TRAIN_HELP)]
pub struct TrainArgs {
    /// The rows.
    #[command(flatten)]
    pub table: TableArgs,
    /// The column to predict, by name or by number from 1; the last one by default.
    #[arg(long, value_name = "COLUMN", conflicts_with = "labels")]
    pub target: Option<String>,
    /// The target is a value, not a class.
    #[arg(long)]
    pub regression: bool,
    /// Columns to leave out, by name or number, separated by commas.
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub drop: Vec<String>,
    /// What to do about rows that lack a value.
    #[arg(long, default_value = "refuse", value_parser = PossibleValuesParser::new(["refuse", "drop"]))]
    pub missing: String,
    /// Keep columns that never vary; the network sees 0 there.
    #[arg(long)]
    pub allow_constant: bool,
    /// Widths of the hidden layers, separated by commas; 0 for none.
    #[arg(long, value_name = "LIST", value_delimiter = ',', default_value = "16", value_parser = hidden)]
    pub hidden: Vec<u64>,
    /// Activation of the hidden layers.
    #[arg(long, value_name = "NAME", default_value = "relu", value_parser = activations())]
    pub activation: Activation,
    /// Other layers: the shape of a row and the layers on it, as in '28x28x1 conv2d(8, 3, 2, 1, Relu), max_pool2d(2), dense(10)'.
    #[arg(long, value_name = "LAYERS", value_parser = network, conflicts_with_all = ["hidden", "activation"])]
    pub network: Option<Layers>,
    /// Training steps.
    #[arg(long, value_name = "N", default_value_t = 2000, value_parser = at_most::<u64>(1_000_000_000))]
    pub steps: u64,
    /// Examples in a minibatch; by default 16, 32 or 64, depending on the number of rows.
    #[arg(long, value_name = "N", value_parser = at_most::<u64>(65_536))]
    pub batch: Option<u64>,
    /// Seed of the split, of the initial parameters and of the minibatches.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = whole::<u64>(0, 1_000_000_000))]
    pub seed: u64,
    /// Share of the rows that is held out to decide which parameters are kept; 0 for none.
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = share)]
    pub check_on: f64,
    /// Share of the rows that is kept for the test at the end; 0 for none, 0.2 by default. A folder of IDX files has test
    /// rows of its own.
    #[arg(long, value_name = "SHARE", value_parser = share)]
    pub test_share: Option<f64>,
    /// Let all classes count alike in the training, however many rows each has.
    #[arg(long, conflicts_with = "regression")]
    pub balance: bool,
    /// Share of each label that goes to all classes alike, where some labels are wrong.
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = smoothing, conflicts_with = "regression")]
    pub smoothing: f64,
    /// Train again on this board's emulator, compare every bit, and report what it takes there: RAM, flash, instructions, and
    /// estimates of time and energy. `lgl2o device --help` lists the boards.
    #[arg(long, value_name = "BOARD", value_parser = PossibleValuesParser::new(board::names()), hide_possible_values = true, conflicts_with = "resume")]
    pub emulate: Option<String>,
    /// Where model and report go; out/train by default.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Continue an interrupted training, or a finished one with more --steps.
    #[arg(long, conflicts_with = "restart")]
    pub resume: bool,
    /// Start again, and replace the training that is there; its model stays until the new one is finished.
    #[arg(long)]
    pub restart: bool,
}

/// The width of a hidden layer, or 0.
fn hidden(text: &str) -> Result<u64, String> {
    if text == "0" { Ok(0) } else { width(text) }
}

const TRAIN_HELP: &str = "\
Trains with `auto`, which has no rate to set. Features are standardized over the training rows; the model keeps the means and
deviations, so `predict` takes raw rows.

Classes are text or numbers, at most 256. They are sorted as numbers if all are numbers, else as text. Spaces around a
cell do not count. A whole number is one class however it is written (1, 1.0, 01, 1.000e+00). Everything else is a class as it is
written: Low and low are two classes, and so are 1.1 and 1.10. Labels that are all numbers with a fraction are refused, since they look like
values: use --regression. A folder of IDX files has the classes from 0 to its greatest label.

Layers for --network, behind the inputs (24, 100x6 or 28x28x1): dense(outputs); on times x channels conv1d(channels, kernel, stride,
padding), depthwise(kernel, stride, padding), max_pool(width), average_pool(width), and gru(units), a recurrent layer that returns its last
state; on rows x columns x channels conv2d, depthwise2d, max_pool2d and average_pool2d alike, where a number may be a pair, [rows, columns].
The last argument may be an activation, except for pooling and gru. A row holds all channels of the first time, or of the first pixel,
then those of the second, and so on. The last layer is dense, with one output for each class, or for the value.

OUT is refused if another command writes there; if it has results of another command or, without --resume and --restart, of
another training; or if a result would replace an input, a write-protected file, or something that is not a file.

In OUT: model.lgl2o (the model), report.html with loss.svg, confusion.svg and calibration.svg for classes or values.svg for values,
metrics.json, and train.checkpoint, from which --resume continues with the same bits as an uninterrupted training.

Examples:
  lgl2o train --data iris.csv --target species
  lgl2o train --data pump.csv --target state --drop serial,date --hidden 24,16 --check-on 0.2
  lgl2o train --data rare.csv --target state --balance --smoothing 0.05
  lgl2o train --data house.csv --target price --regression --missing drop
  lgl2o train --data digits/ --network '28x28x1 average_pool2d(2), conv2d(8, 3, 2, 1, Relu), dense(10)'
  lgl2o train --data pump.csv --target state --emulate mps2-an386
  lgl2o train --data x.npy --labels y.npy --steps 5000 --out out/digits
  lgl2o predict --model out/train/model.lgl2o --data new.csv
  lgl2o export --model out/train/model.lgl2o --to rust --out src";

/// Arguments of `predict`.
#[derive(Debug, Clone, Args)]
#[command(after_help = PREDICT_HELP)]
pub struct PredictArgs {
    /// The model.
    #[arg(long, value_name = "FILE")]
    pub model: PathBuf,
    /// The rows.
    #[command(flatten)]
    pub table: TableArgs,
    /// Where the predictions go; standard output by default, or for `-`.
    #[arg(long, value_name = "FILE.csv")]
    pub out: Option<PathBuf>,
}

const PREDICT_HELP: &str = "\
Writes a CSV line for each row: the class and the probability of each class, or the value. Columns are found by name where both
the model and the file have names, else by position. A target column in the file is ignored. A warning
names each column whose values are far from those of the training rows, which mostly means that the unit differs.

Examples:
  lgl2o predict --model out/train/model.lgl2o --data new.csv
  lgl2o predict --model out/train/model.lgl2o --data new.csv --out predictions.csv";

/// Arguments of `eval`.
#[derive(Debug, Clone, Args)]
#[command(after_help = EVAL_HELP)]
pub struct EvalArgs {
    /// The model.
    #[arg(long, value_name = "FILE")]
    pub model: PathBuf,
    /// The rows, with their targets.
    #[command(flatten)]
    pub table: TableArgs,
    /// The column with the targets, by name or by number from 1; the one that the model was trained on by default.
    #[arg(long, value_name = "COLUMN", conflicts_with = "labels")]
    pub target: Option<String>,
    /// What to do about rows that lack a value.
    #[arg(long, default_value = "refuse", value_parser = PossibleValuesParser::new(["refuse", "drop"]))]
    pub missing: String,
    /// Print JSON instead of tables.
    #[arg(long)]
    pub json: bool,
}

const EVAL_HELP: &str = "\
Prints accuracy, balanced accuracy and the confusion matrix of a classifier; mean absolute error, root mean squared error and R2
of a regression.

Examples:
  lgl2o eval --model out/train/model.lgl2o --data test.csv
  lgl2o eval --model out/train/model.lgl2o --data test.csv --json";

/// What a model can be exported to.
const EXPORTS: [&str; 4] = ["rust", "c", "npy", "safetensors"];

/// Arguments of `export`.
#[derive(Debug, Clone, Args)]
#[command(after_help = EXPORT_HELP)]
pub struct ExportArgs {
    /// The model.
    #[arg(long, value_name = "FILE")]
    pub model: PathBuf,
    /// The format.
    #[arg(long, value_name = "FORMAT", value_parser = PossibleValuesParser::new(EXPORTS))]
    pub to: String,
    /// The folder that the files go to; out/export by default.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Replace existing files.
    #[arg(long)]
    pub force: bool,
}

const EXPORT_HELP: &str = "\
Formats:
  rust          model.rs: statics for flash, and a function that makes an lgl2o::Model of them; it predicts the same bits as `lgl2o predict`
  c             model.h: constants and a function in C99
  npy           an array for each tensor, as numpy.load reads it
  safetensors   model.safetensors, which `lgl2o import` reads again

Weights are in PyTorch's order in safetensors, and in this program's in npy: those of convolutions outputs x times x channels, or
rows x columns x channels x outputs. A gru has the names and the order of torch.nn.GRU in safetensors. In npy and c it has four
arrays: weights and bias for its inputs, and weights and bias for its state (state_weights_0.npy, lgl2o_state_weights_0).

Examples:
  lgl2o export --model out/train/model.lgl2o --to rust --out firmware/src
  lgl2o export --model out/train/model.lgl2o --to c";

/// Arguments of `import`.
#[derive(Debug, Clone, Args)]
#[command(after_help = IMPORT_HELP)]
pub struct ImportArgs {
    /// A safetensors file with the weights of layers, or an ONNX file (.onnx) of a chain of layers.
    #[arg(long, value_name = "FILE")]
    pub from: PathBuf,
    /// Activation of the hidden layers, relu by default. Files of PyTorch and Keras do not hold it, files of `lgl2o export` do.
    #[arg(long, value_name = "NAME", value_parser = activations())]
    pub activation: Option<Activation>,
    /// Inputs and layers of a safetensors file with convolutions or a gru, which says neither strides nor how many times, as in
    /// '28x28x1 conv2d(8, 3, 2, 1, Relu), dense(10)'.
    #[arg(long, value_name = "LAYERS", value_parser = network, conflicts_with = "activation")]
    pub network: Option<Layers>,
    /// Names of the classes in the order of the outputs, separated by commas; numbers from 0 by default.
    #[arg(long, value_name = "LIST", value_delimiter = ',', conflicts_with = "regression")]
    pub classes: Vec<String>,
    /// The output is a value.
    #[arg(long)]
    pub regression: bool,
    /// Names of the features, separated by commas.
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub features: Vec<String>,
    /// Names of the layers from input to output, separated by commas; sorted by name by default.
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub order: Vec<String>,
    /// Means that inputs were standardized with, separated by commas.
    #[arg(long, value_name = "LIST", value_delimiter = ',', requires = "deviation", allow_hyphen_values = true, value_parser = finite)]
    pub mean: Vec<f32>,
    /// Standard deviations that inputs were standardized with, separated by commas.
    #[arg(long, value_name = "LIST", value_delimiter = ',', requires = "mean", allow_hyphen_values = true, value_parser = deviation)]
    pub deviation: Vec<f32>,
    /// The folder that model.lgl2o goes to; out/import by default.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Replace an existing model.
    #[arg(long)]
    pub force: bool,
}

const IMPORT_HELP: &str = "\
Reads torch.nn.Linear (NAME.weight, NAME.bias) and Keras' Dense (NAME/kernel, NAME/bias), written by safetensors' save_file, and
what `lgl2o export --to safetensors` writes. With --network it also reads torch.nn.Conv1d and Conv2d, plain or depthwise, and GRU
with one layer and one direction. Layers are sorted by name, with numbers compared as numbers, so net.2 comes before net.10. If the
network has another order, give it with --order: fc comes before gru by name, but after it in the network.

Reads ONNX files, as torch.onnx.export writes them, of dense layers, Conv1d and Conv2d (plain or depthwise) and
pooling, with Relu, Tanh and Sigmoid. A gru is read from safetensors only. A softmax at the end is left out, since `predict` has its
own. A series is times x channels in lgl2o: all channels of the first time, then those of the second, and so on. So transpose
rows of [channels, times]; the import does that to the weights. An image is rows x columns x channels.

Layers for --network, behind the inputs (24, 100x6 or 28x28x1): dense(outputs); on times x channels conv1d(channels, kernel, stride,
padding), depthwise(kernel, stride, padding), max_pool(width), average_pool(width), and gru(units), a recurrent layer that returns its last
state; on rows x columns x channels conv2d, depthwise2d, max_pool2d and average_pool2d alike, where a number may be a pair, [rows, columns].
The last argument may be an activation, except for pooling and gru.

Examples:
  lgl2o import --from net.safetensors --activation tanh --classes idle,running,blocked
  lgl2o import --from net.safetensors --mean 20.5,1013 --deviation 4.2,11 --regression
  lgl2o import --from conv.onnx --classes idle,running,blocked
  lgl2o import --from digits.safetensors --network '28x28x1 conv2d(8, 3, 2, 1, Relu), max_pool2d(2), dense(10)'
  lgl2o import --from gru.safetensors --network '100x6 gru(12), dense(4)' --order gru,fc";
