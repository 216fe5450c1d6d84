//! Weights of other programs that are damaged, incomplete or say something twice: told by name, and nothing is lost.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use lgl2o_tests::program::ran;
use serde_json::{Map, Value, json};

use crate::commands::{call, place};
use crate::{leftovers, no_panic};

/// A tensor: its name, its shape, its numbers.
type Tensor<'a> = (&'a str, &'a [usize], &'a [f32]);

const WEIGHTS: Tensor<'_> = ("a.weight", &[2, 3], &[0.5, -0.25, 1.0, 0.75, -0.5, 0.125]);
const BIAS: Tensor<'_> = ("a.bias", &[2], &[0.5, -1.0]);
const MEAN: Tensor<'_> = ("standardizer.mean", &[3], &[1.0, 2.0, 3.0]);

/// A file of safetensors, written by hand: the length of the header, the header, the numbers. `kind` is what the numbers are said to be,
/// `order` how each is written.
fn file(tensors: &[Tensor<'_>], metadata: Option<&str>, kind: &str, order: fn(f32) -> [u8; 4]) -> Vec<u8> {
    let (mut header, mut body) = (Map::new(), Vec::<u8>::new());
    if let Some(text) = metadata {
        header.insert("__metadata__".to_owned(), json!({ "lgl2o": text }));
    }
    for (name, shape, numbers) in tensors {
        let from = body.len();
        body.extend(numbers.iter().flat_map(|&number| order(number)));
        header.insert((*name).to_owned(), json!({ "dtype": kind, "shape": shape, "data_offsets": [from, body.len()] }));
    }
    let header = Value::Object(header).to_string();
    [&(header.len() as u64).to_le_bytes(), header.as_bytes(), &body].concat()
}

/// The same in its usual form.
fn plain(tensors: &[Tensor<'_>]) -> Vec<u8> {
    file(tensors, None, "F32", f32::to_le_bytes)
}

/// A file, what more is on the command line, the exit status, and words of what is said.
type Fault = (&'static str, Vec<u8>, &'static str, i32, &'static [&'static str]);

/// What is wrong with the numbers, the standardizer or the metadata of a file, or said twice.
fn spoiled() -> Vec<Fault> {
    let own = |text| file(&[WEIGHTS], Some(text), "F32", f32::to_le_bytes);
    vec![
        (
            "big-endian",
            file(&[WEIGHTS], None, "F32", f32::to_be_bytes),
            "",
            1,
            &["`a.weight`", "big-endian", "little-endian"],
        ),
        ("huge", plain(&[("a.weight", &[2, 1], &[3e31, 1.0])]), "", 1, &["`a.weight` holds 3e31", "big-endian"]),
        (
            "two-weights",
            plain(&[WEIGHTS, ("a.kernel", &[3, 2], WEIGHTS.2)]),
            "",
            1,
            &["second tensor", "layer `a`", "leave one"],
        ),
        ("two-biases", plain(&[WEIGHTS, BIAS, ("a.vars/1", &[2], BIAS.2)]), "", 1, &["second tensor", "layer `a`"]),
        ("half-mean", plain(&[WEIGHTS, MEAN]), "", 1, &["only one of standardizer.mean", "write both"]),
        (
            "half-deviation",
            plain(&[WEIGHTS, ("standardizer.deviation", &[3], MEAN.2)]),
            "",
            1,
            &["only one of", "--deviation"],
        ),
        (
            "other-standardizer",
            plain(&[WEIGHTS, ("standardizer.mean", &[2], &[0.0; 2]), ("standardizer.deviation", &[2], &[1.0; 2])]),
            "",
            1,
            &["standardizer is for 2 inputs", "the network has 3"],
        ),
        ("metadata-text", own("no JSON"), "", 1, &["metadata `lgl2o`", "damaged", "export the model again"]),
        ("metadata-unknown", own(r#"{"activations":["Swish"]}"#), "", 1, &["metadata `lgl2o`", "damaged"]),
        ("metadata-half", own(r#"{"activations":["Identity"]}"#), "", 1, &["metadata `lgl2o`", "damaged"]),
    ]
}

/// Layers and names that do not go together, and flags that do not go with the file.
fn misplaced() -> Vec<Fault> {
    let cut = |mut bytes: Vec<u8>| {
        bytes.pop();
        bytes
    };
    let second: Tensor<'_> = ("b.weight", &[2, 2], &[1.0, 2.0, 3.0, 4.0]);
    vec![
        ("left-out", plain(&[WEIGHTS, second]), "--order b", 1, &["--order leaves out `a`", "name all layers"]),
        ("not-there", plain(&[WEIGHTS]), "--order c", 1, &["no layer `c`", "name one of a"]),
        (
            "no-weights",
            plain(&[WEIGHTS, ("b.bias", &[2], &[0.0; 2])]),
            "",
            1,
            &["layer `b` has a bias, but no weights"],
        ),
        ("no-chain", plain(&[WEIGHTS, ("b.weight", &[2, 4], &[0.5; 8])]), "", 1, &["`b` takes 4 inputs", "--order"]),
        (
            "other-bias",
            plain(&[WEIGHTS, ("a.bias", &[3], &[0.5; 3])]),
            "",
            1,
            &["bias of `a` has 3 numbers", "2 outputs"],
        ),
        (
            "conv",
            plain(&[("conv.weight", &[2, 1, 3], &[0.5; 6])]),
            "",
            1,
            &["`conv.weight`", "convolutions", "ONNX file"],
        ),
        ("other-name", plain(&[WEIGHTS, ("table", &[2, 3], WEIGHTS.2)]), "", 1, &["`table`", "Leave it out"]),
        ("nothing", plain(&[]), "", 1, &["no dense layer"]),
        ("empty-side", plain(&[("a.weight", &[2, 0], &[])]), "", 1, &["`a.weight` of shape [2, 0]"]),
        ("nan", plain(&[("a.weight", &[2, 1], &[1.0, f32::NAN])]), "", 1, &["number 1 of `a.weight` is NaN"]),
        (
            "whole-numbers",
            file(&[WEIGHTS], None, "I32", f32::to_le_bytes),
            "",
            1,
            &["`a.weight` holds I32", "t.float()"],
        ),
        ("cut", cut(plain(&[WEIGHTS])), "", 1, &["no whole file of safetensors", "save_file"]),
        ("one-output", plain(&[("a.weight", &[1, 3], &[0.5; 3])]), "", 1, &["one output", "--regression"]),
        ("value", plain(&[WEIGHTS]), "--regression", 1, &["2 outputs", "leave --regression out"]),
        ("names", plain(&[WEIGHTS]), "--classes x,y,z", 1, &["--classes has 3", "2"]),
        ("means", plain(&[WEIGHTS]), "--mean 1,2 --deviation 1,1", 1, &["--mean has 2", "3"]),
    ]
}

/// All files below a folder.
fn contents(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut all = BTreeMap::new();
    for entry in fs::read_dir(dir).expect("a folder").map(|entry| entry.expect("an entry").path()) {
        if entry.is_dir() {
            all.extend(contents(&entry));
        } else {
            let bytes = fs::read(&entry).expect("readable");
            all.insert(entry, bytes);
        }
    }
    all
}

/// One import with `--force` over a model that is there: text and exit status are right, and not a byte of any file has changed.
fn refused(dir: &Path, name: &str, more: &str, status: i32, words: &[&str]) {
    let before = contents(dir);
    let line = format!("import --from {name} --out kept --force {more}");
    let ran = ran(&mut call(dir, line.trim_end()));
    no_panic(&ran);
    // What is wrong with the command line is so whatever the file is.
    let file: &[&str] = if status == 1 { &[name] } else { &[] };
    ran.expect(status, &[file, words].concat());
    assert!(ran.out.is_empty(), "{line}: {ran:#?}");
    assert_eq!(contents(dir), before, "{line}");
    assert_eq!(leftovers(dir), [""; 0], "{line}");
}

/// A folder in which `kept` holds a model already.
fn kept() -> tempfile::TempDir {
    let dir = place();
    fs::write(dir.path().join("good.safetensors"), plain(&[WEIGHTS, BIAS])).expect("written");
    ran(&mut call(dir.path(), "import --from good.safetensors --out kept")).expect(0, &[]);
    assert!(dir.path().join("kept/model.lgl2o").exists());
    dir
}

#[test]
fn damaged_tensors_are_told_and_nothing_is_lost() {
    let dir = kept();
    for (name, bytes, more, status, words) in spoiled().into_iter().chain(misplaced()) {
        let name = format!("{name}.safetensors");
        fs::write(dir.path().join(&name), bytes).expect("written");
        refused(dir.path(), &name, more, status, words);
    }
    // Small weights in the right order are none of these.
    ran(&mut call(dir.path(), "import --from good.safetensors --out kept --force")).expect(0, &[]);
}

/// ONNX files that no model can be made of, as `tests/fixtures/onnx/make.py` has written them.
#[test]
fn other_networks_of_onnx_are_told_and_nothing_is_lost() {
    let (dir, fixtures) = (kept(), Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/onnx"));
    let told: BTreeMap<&str, &str> = [
        ("bad-bias", "bias has 3 numbers for 2 outputs"),
        ("bad-branch", "one chain of layers"),
        ("bad-dilation", "dilation 2"),
        ("bad-endian", "big-endian"),
        ("bad-gru", "--network '100x6 gru(12), dense(4)'"),
        ("bad-int8", "before it is quantized"),
        ("bad-missing", "`b` is not in the file"),
        ("bad-nan", "number 2 of `w` is NaN"),
        ("bad-operator", "the operator `Elu`"),
        ("bad-shape", "Export it again"),
    ]
    .into();
    let names = crate::names(&fixtures).into_iter().filter_map(|name| name.strip_suffix(".onnx").map(str::to_owned));
    let bad: Vec<String> = names.filter(|name| name.starts_with("bad-")).collect();
    assert_eq!(bad.iter().map(String::as_str).collect::<Vec<_>>(), told.keys().copied().collect::<Vec<_>>());
    for name in &bad {
        let file = format!("{name}.onnx");
        fs::copy(fixtures.join(&file), dir.path().join(&file)).expect("copied");
        refused(dir.path(), &file, "", 1, &[told[name.as_str()]]);
    }
    let whole = fs::read(fixtures.join("conv.onnx")).expect("there");
    for cut in [whole.len() / 3, whole.len() - 1] {
        fs::write(dir.path().join("cut.onnx"), &whole[..cut]).expect("written");
        refused(dir.path(), "cut.onnx", "", 1, &[]);
    }
    fs::copy(fixtures.join("mlp-external.onnx"), dir.path().join("e.onnx")).expect("copied");
    refused(dir.path(), "e.onnx", "", 1, &["mlp-external.onnx.data", "beside the ONNX file"]);
    fs::copy(fixtures.join("conv.onnx"), dir.path().join("c.onnx")).expect("copied");
    refused(dir.path(), "c.onnx", "--order a", 2, &["Leave --order out"]);
}
