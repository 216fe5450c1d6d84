//! `lgl2o import` of ONNX files that PyTorch has written: every layer against PyTorch's own outputs, and what is refused.
//!
//! `tests/fixtures/onnx/make.py` makes the files.

mod fine_tune;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use lgl2o::batch::Rows;
use lgl2o::objective::Blank as _;
use lgl2o::objective::mlp::{Activation, Loss, Mlp};
use lgl2o::tensors::Tensors as _;
use lgl2o_host::network::HeapNetwork;
use lgl2o_host::saved::SavedModel;
use lgl2o_host::saved::onnx;
use lgl2o_host::saved::tensors::{self, Unsaid};
use lgl2o_tests::program::{Ran, folder, lgl2o, ran};

/// Where the files are.
fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/onnx")
}

/// The numbers of an array of floats of 32 bits.
fn numbers(name: &str) -> Vec<f32> {
    let bytes = fs::read(fixtures().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
    let header = String::from_utf8_lossy(&bytes[10..128]).into_owned();
    assert!(header.contains("'<f4'") && header.contains("'fortran_order': False"), "{name}: {header}");
    bytes[128..].as_chunks().0.iter().map(|four| f32::from_le_bytes(*four)).collect()
}

/// What is not said about a file.
fn unsaid(regression: bool) -> Unsaid<'static> {
    Unsaid { hidden: Activation::Relu, classes: None, regression, order: &[], standardizer: None, network: None }
}

/// A model out of a file.
fn imported(name: &str) -> SavedModel {
    let bytes = fs::read(fixtures().join(format!("{name}.onnx"))).expect("the file");
    onnx::import(&bytes, &fixtures(), &unsaid(name == "mlp-value")).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The outputs of the first layers of a model for some rows.
fn outputs(model: &SavedModel, layers: usize, rows: &[f32]) -> Vec<f32> {
    let all = model.by_value();
    let width = all[0].shape.inputs;
    let net = Mlp::new(HeapNetwork::of(&all[..layers], rows.len() / width), Loss::SquaredError);
    let (mut params, mut scratch) = (net.blank_params(), net.blank_scratch());
    let count = params.len();
    params.as_mut_slice().copy_from_slice(&model.params.as_slice()[..count]);
    net.outputs(&mut scratch, &params, Rows::all(rows, width)).expect("outputs").to_vec()
}

fn assert_near(found: &[f32], expected: &[f32], what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (found, expected) in found.iter().zip(expected) {
        assert!(
            (found - expected).abs() <= 1e-5 * (1.0 + expected.abs()),
            "{what}: {found}, and PyTorch has {expected}"
        );
    }
}

/// Networks by their files, with what they are here.
const NETWORKS: [(&str, &str); 14] = [
    ("mlp-relu", "4-8-6-3 relu+sigmoid"),
    ("mlp-tanh", "4-8-6-3 tanh+sigmoid"),
    ("mlp-value", "4-5-1 sigmoid"),
    ("mlp-external", "4-8-6-3 relu+sigmoid"),
    ("conv", "20x3 conv1d(6, 5, 2, 2, Relu), max_pool(2), conv1d(4, 3, 1, 0, Tanh), dense(8, Relu), dense(3)"),
    ("conv-old", "20x3 conv1d(6, 5, 2, 2, Relu), max_pool(2), conv1d(4, 3, 1, 0, Tanh), dense(8, Relu), dense(3)"),
    ("depthwise", "16x3 depthwise(3, 1, 1, Relu), conv1d(8, 1, 1, 0, Relu), average_pool(4), dense(2)"),
    ("global", "14x2 conv1d(4, 3, 1, 0, Relu), max_pool(3), average_pool(4), dense(2)"),
    ("channels-last", "14x2 conv1d(4, 3, 1, 0, Tanh), average_pool(12), dense(2)"),
    ("image", IMAGE),
    ("image-old", IMAGE),
    (
        "image-depthwise",
        "6x7x3 depthwise2d(3, 2, 1, Relu), conv2d(8, 1, 1, 0, Sigmoid), average_pool2d([3, 2]), dense(2)",
    ),
    ("image-global", "7x5x2 conv2d(4, 3, 1, 0, Relu), max_pool2d([2, 1]), average_pool2d([2, 3]), dense(2)"),
    ("series", SERIES),
];

const IMAGE: &str =
    "8x9x1 conv2d(6, 3, 1, 1, Relu), max_pool2d(2), conv2d(5, [3, 2], [1, 2], [1, 0], Tanh), dense(8, Relu), dense(3)";
const SERIES: &str = "20x3 conv1d(6, 5, 2, 2, Relu), depthwise(3, 1, 0, Tanh), dense(3)";

#[test]
fn every_layer_is_that_of_pytorch() {
    for (name, shape) in NETWORKS {
        let model = imported(name);
        assert_eq!(model.shape(), shape, "{name}");
        let (input, depth) = (numbers(&format!("{name}.input.npy")), model.layers().len());
        let kept = |l: &usize| fixtures().join(format!("{name}.{l}.npy")).exists();
        let layers: Vec<usize> = (0..depth).filter(kept).collect();
        assert_eq!(layers.len(), if name.ends_with("global") { depth - 1 } else { depth }, "{name}");
        for l in layers {
            let expected = numbers(&format!("{name}.{l}.npy"));
            assert_near(&outputs(&model, l + 1, &input), &expected, &format!("{name}, layer {l}"));
        }
    }
}

#[test]
fn a_network_with_convolutions_is_a_file_like_any_other() {
    for (name, _) in NETWORKS {
        let model = imported(name);
        assert_eq!(SavedModel::from_bytes(&model.to_bytes()), Ok(model), "{name}");
    }
    let model = imported("conv");
    let mut core = model.model().expect("a model");
    let (input, expected) = (numbers("conv.input.npy"), numbers("conv.4.npy"));
    for (row, expected) in input.chunks(60).zip(expected.chunks(3)) {
        assert_near(core.values(row).expect("outputs"), expected, "one row at a time");
    }
}

#[test]
fn floats_of_other_widths_are_converted() {
    for name in ["mlp-float16", "mlp-float64"] {
        assert_eq!(imported(name).params.as_slice(), [1.0, 2.0, 3.0, 4.0, 0.5, -0.5], "{name}");
    }
}

/// Files that are no model of this program, with words of what is said about them.
const REFUSED: [(&str, &[&str]); 11] = [
    ("bad-operator", &["`/net/elu`", "the operator `Elu`", "Relu, Tanh, Sigmoid", "Train a network without it"]),
    ("bad-branch", &["`/net/skip` (Add)", "one chain of layers"]),
    ("bad-int8", &["weights `w` are INT8", "before it is quantized"]),
    ("bad-nan", &["number 2 of `w` is NaN", "Train again"]),
    ("bad-endian", &["`w` holds", "big-endian"]),
    ("bad-shape", &["`head` (Gemm)", "take 3 inputs", "[batch, 2]", "Export it again"]),
    ("bad-bias", &["`head` (Gemm)", "bias has 3 numbers for 2 outputs"]),
    ("bad-missing", &["`head` (Gemm)", "`b` is not in the file", "with its weights"]),
    ("bad-dilation", &["`/conv` (Conv)", "dilation 2"]),
    ("bad-gru", &["`/0/layer/GRU` (GRU)", "save_file", "--network '100x6 gru(12), dense(4)'"]),
    ("mlp-value", &["one output", "--regression"]),
];

#[test]
fn what_is_no_chain_of_layers_is_named() {
    for (name, words) in REFUSED {
        let bytes = fs::read(fixtures().join(format!("{name}.onnx"))).expect("the file");
        let error = onnx::import(&bytes, &fixtures(), &unsaid(false)).expect_err(name).to_string();
        words.iter().for_each(|word| assert!(error.contains(word), "{name}: {word}: {error}"));
    }
    let bytes = fs::read(fixtures().join("mlp-relu.onnx")).expect("the file");
    let error = onnx::import(&bytes, &fixtures(), &unsaid(true)).expect_err("three outputs").to_string();
    assert!(error.contains("3 outputs") && error.contains("leave --regression out"), "{error}");
    for cut in [1, 40, bytes.len() / 2, bytes.len() - 1] {
        let error = onnx::import(&bytes[..cut], &fixtures(), &unsaid(false)).expect_err("cut off").to_string();
        assert!(error.contains("no whole ONNX file") || error.contains("damaged"), "{cut}: {error}");
    }
}

/// The command, with what it says, where weights are that are missing, and what it leaves alone.
/// Checks that a call went well, and that its output has these words.
fn tells(ran: &Ran, words: &[&str]) {
    ran.expect(0, &[]);
    words.iter().for_each(|words| assert!(ran.out.contains(words), "`{words}` is not in {ran:#?}"));
}

#[test]
fn the_command_imports_predicts_and_exports() {
    let dir = folder();
    let copy = |name: &str| fs::copy(fixtures().join(name), dir.path().join(name)).expect("copied");
    for name in ["conv.onnx", "mlp-external.onnx", "bad-operator.onnx"] {
        copy(name);
    }
    let import = |arguments: &[&str]| lgl2o(dir.path(), &[&["import", "--from"], arguments].concat());
    let told = ["network 20x3 conv1d", "20 times of 3 channels", "classes idle, running, blocked"];
    tells(&import(&["conv.onnx", "--classes", "idle,running,blocked", "--out", "c"]), &told);
    let before = fs::read(dir.path().join("c/model.lgl2o")).expect("written");
    import(&["bad-operator.onnx", "--out", "c", "--force"]).expect(1, &["bad-operator.onnx", "`/net/elu`"]);
    assert_eq!(fs::read(dir.path().join("c/model.lgl2o")).expect("still there"), before);
    import(&["mlp-external.onnx", "--out", "e"]).expect(1, &["mlp-external.onnx.data", "beside the ONNX file"]);
    copy("mlp-external.onnx.data");
    tells(&import(&["mlp-external.onnx", "--out", "e"]), &["network 4-8-6-3 relu+sigmoid"]);
    import(&["conv.onnx", "--order", "a", "--out", "o"]).expect(2, &["Leave --order out"]);
    import(&["conv.onnx", "--activation", "sigmoid", "--out", "o"]).expect(1, &["Leave --activation out"]);
    fs::write(dir.path().join("t.onnx"), "no model").expect("written");
    import(&["t.onnx", "--out", "o"]).expect(1, &["t.onnx is no ONNX file: it is text"]);

    let rows = numbers("conv.input.npy");
    let line = |row: &[f32]| row.iter().map(|x| format!("{x:?}")).collect::<Vec<_>>().join(",");
    let text: Vec<String> = rows.chunks(60).map(line).collect();
    fs::write(dir.path().join("t.csv"), text.join("\n")).expect("written");
    let ran = lgl2o(dir.path(), &["predict", "--model", "c/model.lgl2o", "--data", "t.csv"]);
    ran.expect(0, &[]);
    let largest = |row: &[f32]| (0..3).max_by(|&a, &b| row[a].total_cmp(&row[b])).expect("three");
    let classes =
        numbers("conv.4.npy").chunks(3).map(|row| ["idle", "running", "blocked"][largest(row)]).collect::<Vec<_>>();
    let said: Vec<&str> = ran.out.lines().skip(1).map(|line| line.split(',').next().unwrap_or_default()).collect();
    assert_eq!(said, classes, "{}", ran.out);

    let export = |to| lgl2o(dir.path(), &["export", "--model", "c/model.lgl2o", "--to", to, "--out", "x"]);
    tells(&export("safetensors"), &["model.safetensors"]);
    tells(&import(&["x/model.safetensors", "--out", "s"]), &["network 20x3 conv1d", "classes idle, running, blocked"]);
    let both = ["c/model.lgl2o", "s/model.lgl2o"].map(|path| fs::read(dir.path().join(path)).expect("written"));
    assert_eq!(both[0], both[1], "by safetensors and back");
    tells(&export("npy"), &["weights_2.npy"]);
    tells(&export("rust"), &["model.rs"]);
    let module = fs::read_to_string(dir.path().join("x/model.rs")).expect("written");
    assert!(module.contains("Conv1d<20, 3, 10, 6, 5, 2, 2, Relu>, MaxPool1d<10, 6, 5, 2>"), "{module}");
}

/// Weights that PyTorch has written to safetensors, with the layers from the command line, are those of its ONNX file.
#[test]
fn safetensors_of_pytorch_are_read_with_their_layers() {
    for (name, network) in [("image", IMAGE), ("series", SERIES)] {
        let dir = folder();
        for end in ["onnx", "safetensors"] {
            let file = format!("{name}.{end}");
            fs::copy(fixtures().join(&file), dir.path().join(file)).expect("copied");
        }
        let (onnx, tensors) = (format!("{name}.onnx"), format!("{name}.safetensors"));
        tells(&lgl2o(dir.path(), &["import", "--from", &onnx, "--out", "o"]), &["all channels of one"]);
        let import = |more: &[&str]| lgl2o(dir.path(), &[&["import", "--from", &tensors, "--out", "t"], more].concat());
        import(&[]).expect(1, &["--network"]);
        tells(&import(&["--network", network]), &[network]);
        import(&["--network", "8x9x1 conv3d(6, 3, 1, 1)", "--force"]).expect(2, &["did you mean `conv1d`?"]);
        import(&["--network", network, "--activation", "tanh", "--force"]).expect(2, &["--activation"]);
        lgl2o(dir.path(), &["import", "--from", &onnx, "--out", "p", "--network", network])
            .expect(2, &["Leave --network out"]);
        let both = ["o/model.lgl2o", "t/model.lgl2o"].map(|path| fs::read(dir.path().join(path)).expect("written"));
        assert_eq!(both[0], both[1], "{name}");
    }
}

/// A convolution, a GRU and a head of PyTorch's, with its weights from safetensors.
const GRU: &str = "15x3 conv1d(4, 3, 2, 1, Relu), gru(6), dense(3)";

fn gru() -> SavedModel {
    let bytes = fs::read(fixtures().join("gru.safetensors")).expect("the file");
    let network = lgl2o_host::network::expression::read(GRU).expect("a network");
    tensors::import(&bytes, &Unsaid { network: Some(&network), ..unsaid(false) }).expect("a model")
}

/// A GRU of PyTorch's has PyTorch's outputs, layer by layer, trained or as a model; it goes out and comes back.
#[test]
fn a_gru_of_pytorch_has_its_states() {
    let (model, input) = (gru(), numbers("gru.input.npy"));
    for l in 0..3 {
        assert_near(&outputs(&model, l + 1, &input), &numbers(&format!("gru.{l}.npy")), &format!("layer {l}"));
    }
    let mut core = model.model().expect("a model");
    for (row, expected) in input.chunks(45).zip(numbers("gru.2.npy").chunks(3)) {
        assert_near(core.values(row).expect("outputs"), expected, "one row at a time");
    }
    assert_eq!(SavedModel::from_bytes(&model.to_bytes()), Ok(model.clone()));
    assert_eq!(tensors::import(&tensors::bytes(&model), &unsaid(false)), Ok(model));
    let dir = folder();
    fs::copy(fixtures().join("gru.safetensors"), dir.path().join("gru.safetensors")).expect("copied");
    let import =
        |more: &[&str]| lgl2o(dir.path(), &[&["import", "--from", "gru.safetensors", "--out", "g"], more].concat());
    import(&[]).expect(1, &["--network"]);
    import(&["--network", "15x3 conv1d(4, 3, 2, 1, Relu), gru(5), dense(3)"]).expect(1, &["[18, 4]", "[15, 4]"]);
    tells(&import(&["--network", GRU]), &[GRU, "15 times of 3 channels"]);
}

/// The header in C of every network of PyTorch's, compiled: its outputs on its rows. A compiler of C++ takes it, too.
#[test]
fn headers_in_c_compute_what_pytorch_does() {
    for name in NETWORKS.iter().map(|(name, _)| *name).chain(["gru"]) {
        let (dir, model) = (folder(), if name == "gru" { gru() } else { imported(name) });
        fs::write(dir.path().join("model.h"), lgl2o_host::saved::c::header(&model)).expect("written");
        fs::write(dir.path().join("main.c"), MAIN).expect("written");
        let mut compiler = Command::new("cc");
        compiler.current_dir(dir.path()).args("-std=c99 -Wall -Wextra -Werror -O1 main.c -o main -lm".split(' '));
        let Ok(built) = compiler.output() else {
            eprintln!("no C compiler: not tested");
            return;
        };
        assert!(built.status.success(), "{name}: {}", String::from_utf8_lossy(&built.stderr));
        let mut compiler = Command::new("c++");
        compiler.current_dir(dir.path()).args("-std=c++11 -Wall -Wextra -fsyntax-only -x c++ main.c".split(' '));
        match compiler.output() {
            Ok(built) => assert!(built.status.success(), "{name}: {}", String::from_utf8_lossy(&built.stderr)),
            Err(_) => eprintln!("no compiler of C++: not tested"),
        }
        let rows = numbers(&format!("{name}.input.npy"));
        let text: Vec<String> = rows.iter().map(|x| format!("{x:?}")).collect();
        fs::write(dir.path().join("rows"), text.join(" ")).expect("written");
        let mut program = Command::new(dir.path().join("main"));
        let ran = ran(program.stdin(fs::File::open(dir.path().join("rows")).expect("there")));
        ran.expect(0, &[]);
        let found: Vec<f32> = ran.out.lines().map(|line| line.parse().expect("a number")).collect();
        assert!(!found.is_empty(), "{name}");
        assert_near(&found, &numbers(&format!("{name}.{}.npy", model.layers().len() - 1)), name);
    }
}

/// Reads rows, writes outputs.
const MAIN: &str = "#include <stdio.h>
#include \"model.h\"
int main(void) {
    float x[LGL2O_INPUTS], y[LGL2O_OUTPUTS];
    int n = 0;
    while (scanf(\"%f\", &x[n]) == 1) {
        if (++n == LGL2O_INPUTS) {
            n = 0;
            lgl2o_run(x, y);
            for (int i = 0; i < LGL2O_OUTPUTS; i++) printf(\"%.9g\\n\", y[i]);
        }
    }
    return n;
}
";
