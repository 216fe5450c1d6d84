//! A C header (C99): the numbers as constants, and a function that computes the outputs.
//!
//! Sums run in the order of the inputs and functions are those of the C library, so outputs are those of `lgl2o predict` but for
//! rounding. Who needs the same bits takes the module of Rust.

use std::fmt::Write as _;

use lgl2o::objective::mlp::{Activation, Shape};
use lgl2o::tensors::Tensors as _;

use super::SavedModel;
use super::rust::features;

/// Numbers in a line.
const IN_A_LINE: usize = 8;

/// The header.
#[must_use]
pub fn header(model: &SavedModel) -> String {
    let layers = model.layers();
    let (first, last) = (layers[0].inputs, layers[layers.len() - 1].outputs);
    let widest = layers.iter().map(|layer| layer.outputs).fold(first, usize::max);
    let mut out = format!(
        "/* A model, written by `lgl2o export --to c`: {}, {} parameters. */\n\
         #ifndef LGL2O_MODEL_H\n#define LGL2O_MODEL_H\n\n#include <math.h>\n\n\
         #define LGL2O_INPUTS {first}\n#define LGL2O_OUTPUTS {last}\n\n",
        model.shape(),
        model.params.len()
    );
    strings(&mut out, "lgl2o_features", "LGL2O_INPUTS", &features(model));
    if !model.classes().is_empty() {
        strings(&mut out, "lgl2o_classes", "LGL2O_OUTPUTS", model.classes());
    }
    numbers(&mut out, "lgl2o_mean", &model.mean);
    numbers(&mut out, "lgl2o_deviation", &model.deviation);
    for l in 0..layers.len() {
        numbers(&mut out, &format!("lgl2o_weights_{l}"), model.params.tensor(2 * l));
        numbers(&mut out, &format!("lgl2o_bias_{l}"), model.params.tensor(2 * l + 1));
    }
    out.push_str(LAYER);
    let what = if model.classes().is_empty() {
        "the value"
    } else {
        "one output for each class; the largest one is the answer"
    };
    let _ = write!(
        out,
        "/* From LGL2O_INPUTS raw features to LGL2O_OUTPUTS outputs: {what}. */\n\
         static inline void lgl2o_run(const float *row, float *outputs) {{\n    float a[{widest}], b[{widest}];\n    (void)b;\n    \
         for (int i = 0; i < LGL2O_INPUTS; i++) {{\n        float d = lgl2o_deviation[i];\n        \
         a[i] = d > 1e-6f * fabsf(lgl2o_mean[i]) && d > 0.0f ? (row[i] - lgl2o_mean[i]) / d : 0.0f;\n    }}\n"
    );
    for (l, layer) in layers.iter().enumerate() {
        let [from, to] = if l % 2 == 0 { ["a", "b"] } else { ["b", "a"] };
        let to = if l + 1 == layers.len() { "outputs" } else { to };
        out.push_str(&call(l, layer, from, to));
    }
    out.push_str("}\n\n#endif\n");
    out
}

const LAYER: &str = "\
static inline void lgl2o_layer(const float *w, const float *bias, int n, int m, char f, const float *x, float *y) {
    for (int o = 0; o < m; o++) {
        float s = bias[o];
        for (int i = 0; i < n; i++) {
            s += w[o * n + i] * x[i];
        }
        y[o] = f == 'r' ? (s < 0.0f ? 0.0f : s) : f == 't' ? tanhf(s) : f == 's' ? 1.0f / (1.0f + expf(-s)) : s;
    }
}

";

fn call(l: usize, layer: &Shape, from: &str, to: &str) -> String {
    let f = match layer.activation {
        Activation::Identity => 'i',
        Activation::Relu => 'r',
        Activation::Tanh => 't',
        Activation::Sigmoid => 's',
    };
    let (n, m) = (layer.inputs, layer.outputs);
    format!("    lgl2o_layer(lgl2o_weights_{l}, lgl2o_bias_{l}, {n}, {m}, '{f}', {from}, {to});\n")
}

fn numbers(out: &mut String, name: &str, numbers: &[f32]) {
    let line = |line: &[f32]| line.iter().map(|x| format!("{x:?}f")).collect::<Vec<_>>().join(", ");
    let lines: Vec<String> = numbers.chunks(IN_A_LINE).map(line).collect();
    let _ = writeln!(out, "static const float {name}[{}] = {{\n    {}\n}};\n", numbers.len(), lines.join(",\n    "));
}

fn strings(out: &mut String, name: &str, size: &str, names: &[String]) {
    let quoted: Vec<String> = names.iter().map(|name| quoted(name)).collect();
    let _ = writeln!(out, "static const char *const {name}[{size}] = {{{}}};\n", quoted.join(", "));
}

/// A string of C, in bytes of UTF-8.
fn quoted(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b' '..=b'~' if !matches!(byte, b'"' | b'\\' | b'?') => char::from(byte).to_string(),
        other => format!("\\{other:03o}"),
    };
    format!("\"{}\"", text.bytes().map(byte).collect::<String>())
}
