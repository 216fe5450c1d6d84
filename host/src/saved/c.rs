//! A C header (C99): the numbers as constants, and a function that computes the outputs.
//!
//! Sums run in the order of the inputs and functions are those of the C library, so outputs are those of `lgl2o predict` but for
//! rounding. Who needs the same bits takes the module of Rust.

use std::fmt::Write as _;

use lgl2o::objective::mlp::Activation;
use lgl2o::tensors::Tensors as _;

use super::SavedModel;
use super::rust::features;
use crate::network::image::Area;
use crate::network::series::{ByValue, Kind, Over, Steps};

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
    let layers = model.by_value();
    for l in (0..layers.len()).filter(|&l| layers[l].kind.has_parameters()) {
        for (pair, of) in ["", "state_"].into_iter().enumerate().take(layers[l].kind.pairs()) {
            let [weights, bias] = model.pair(l, pair);
            numbers(&mut out, &format!("lgl2o_{of}weights_{l}"), weights);
            numbers(&mut out, &format!("lgl2o_{of}bias_{l}"), bias);
        }
    }
    functions(&mut out, &layers);
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
    // No compound literal, whose address C++ does not take.
    if let Some(units) = layers.iter().filter(|layer| layer.kind.pairs() > 1).map(ByValue::channels).max() {
        let _ = writeln!(out, "    float room[{}];", 4 * units);
    }
    for (l, layer) in layers.iter().enumerate() {
        let [from, to] = if l % 2 == 0 { ["a", "b"] } else { ["b", "a"] };
        let to = if l + 1 == layers.len() { "outputs" } else { to };
        out.push_str(&call(l, layer, from, to));
    }
    out.push_str("}\n\n#endif\n");
    out
}

const ACTIVATION: &str = "\
static inline float lgl2o_activation(char f, float s) {
    return f == 'r' ? (s < 0.0f ? 0.0f : s) : f == 't' ? tanhf(s) : f == 's' ? 1.0f / (1.0f + expf(-s)) : s;
}

";

const DENSE: &str = "\
static inline void lgl2o_layer(const float *w, const float *bias, int n, int m, char f, const float *x, float *y) {
    for (int o = 0; o < m; o++) {
        float s = bias[o];
        for (int i = 0; i < n; i++) {
            s += w[o * n + i] * x[i];
        }
        y[o] = lgl2o_activation(f, s);
    }
}

";

/// Series are \[time\]\[channels\], weights of a convolution \[filter\]\[tap\]\[channel\].
const CONVOLUTION: &str = "\
/* `times` windows of k taps, `stride` apart, on a series of n times and c channels, `pad` zeros before it and behind; m filters. */
static inline void lgl2o_conv1d(const float *w, const float *bias, int n, int c, int times, int m, int k, int stride,
                                int pad, char f, const float *x, float *y) {
    for (int t = 0; t < times; t++) {
        for (int o = 0; o < m; o++) {
            float s = bias[o];
            for (int j = 0; j < k; j++) {
                int at = t * stride + j - pad;
                for (int i = 0; at >= 0 && at < n && i < c; i++) {
                    s += w[(o * k + j) * c + i] * x[at * c + i];
                }
            }
            y[t * m + o] = lgl2o_activation(f, s);
        }
    }
}

";

/// Weights are \[tap\]\[channel\].
const DEPTHWISE: &str = "\
/* The same, of each channel by itself. */
static inline void lgl2o_depthwise(const float *w, const float *bias, int n, int c, int times, int k, int stride,
                                   int pad, char f, const float *x, float *y) {
    for (int t = 0; t < times; t++) {
        for (int i = 0; i < c; i++) {
            float s = bias[i];
            for (int j = 0; j < k; j++) {
                int at = t * stride + j - pad;
                s += at >= 0 && at < n ? w[j * c + i] * x[at * c + i] : 0.0f;
            }
            y[t * c + i] = lgl2o_activation(f, s);
        }
    }
}

";

const POOLING: &str = "\
/* Of each channel the largest number, or the mean, of `times` windows of k, one behind the other. */
static inline void lgl2o_pool(int largest, int c, int times, int k, const float *x, float *y) {
    for (int t = 0; t < times; t++) {
        for (int i = 0; i < c; i++) {
            float s = x[t * k * c + i];
            for (int j = 1; j < k; j++) {
                float next = x[(t * k + j) * c + i];
                s = !largest ? s + next : next > s ? next : s;
            }
            y[t * c + i] = largest ? s : s / (float)k;
        }
    }
}

";

/// Weights are \[gate\]\[unit\]\[channel\], and for the state \[gate\]\[unit\]\[unit\]; the gates are r, z, n.
const RECURRENT: &str = "\
/* A gated recurrent unit of m units over n times of c channels. `h` becomes the last state; `room` is working memory of 4 m numbers. */
static inline void lgl2o_gru(const float *w, const float *bias, const float *u, const float *state_bias, int n, int c, int m,
                             float *room, const float *x, float *h) {
    for (int j = 0; j < m; j++) {
        h[j] = 0.0f;
    }
    for (int t = 0; t < n; t++) {
        for (int j = 0; j < m; j++) {
            for (int gate = 0; gate < 3; gate++) {
                int o = gate * m + j;
                float s = bias[o], q = state_bias[o];
                for (int i = 0; i < c; i++) {
                    s += w[o * c + i] * x[t * c + i];
                }
                for (int i = 0; i < m; i++) {
                    q += u[o * m + i] * h[i];
                }
                room[o] = gate < 2 ? lgl2o_activation('s', s + q) : tanhf(s + room[j] * q);
            }
            room[3 * m + j] = (1.0f - room[m + j]) * room[2 * m + j] + room[m + j] * h[j];
        }
        for (int j = 0; j < m; j++) {
            h[j] = room[3 * m + j];
        }
    }
}

";

/// Images are \[row\]\[column\]\[channel\], weights of a convolution \[row\]\[column\]\[channel\]\[filter\]. Sides are along rows and along columns.
const CONVOLUTION_2D: &str = "\
/* An image of h x w pixels and c channels, `pad` zeros around it; rows x columns windows of k pixels, `stride` apart; m filters. */
static inline void lgl2o_conv2d(const float *w, const float *bias, const int size[3], const int out[3], const int k[2],
                                const int stride[2], const int pad[2], char f, const float *x, float *y) {
    for (int t = 0; t < out[0] * out[1]; t++) {
        for (int o = 0; o < out[2]; o++) {
            float s = bias[o];
            for (int j = 0; j < k[0] * k[1]; j++) {
                int row = t / out[1] * stride[0] + j / k[1] - pad[0], column = t % out[1] * stride[1] + j % k[1] - pad[1];
                int there = row >= 0 && row < size[0] && column >= 0 && column < size[1];
                for (int i = 0; there && i < size[2]; i++) {
                    s += w[(j * size[2] + i) * out[2] + o] * x[(row * size[1] + column) * size[2] + i];
                }
            }
            y[t * out[2] + o] = lgl2o_activation(f, s);
        }
    }
}

";

/// Weights are \[row\]\[column\]\[channel\].
const DEPTHWISE_2D: &str = "\
/* The same on an image, of each channel by itself. */
static inline void lgl2o_depthwise2d(const float *w, const float *bias, const int size[3], const int out[3], const int k[2],
                                     const int stride[2], const int pad[2], char f, const float *x, float *y) {
    for (int t = 0; t < out[0] * out[1]; t++) {
        for (int i = 0; i < out[2]; i++) {
            float s = bias[i];
            for (int j = 0; j < k[0] * k[1]; j++) {
                int row = t / out[1] * stride[0] + j / k[1] - pad[0], column = t % out[1] * stride[1] + j % k[1] - pad[1];
                int there = row >= 0 && row < size[0] && column >= 0 && column < size[1];
                s += there ? w[j * out[2] + i] * x[(row * size[1] + column) * out[2] + i] : 0.0f;
            }
            y[t * out[2] + i] = lgl2o_activation(f, s);
        }
    }
}

";

const POOLING_2D: &str = "\
/* Of each channel the largest number, or the mean, of windows of k pixels, one beside the other. */
static inline void lgl2o_pool2d(int largest, const int size[3], const int out[3], const int k[2], const float *x, float *y) {
    for (int t = 0; t < out[0] * out[1]; t++) {
        for (int i = 0; i < out[2]; i++) {
            float s = 0.0f;
            for (int j = 0; j < k[0] * k[1]; j++) {
                int row = t / out[1] * k[0] + j / k[1], column = t % out[1] * k[1] + j % k[1];
                float next = x[(row * size[1] + column) * size[2] + i];
                s = !largest ? s + next : j == 0 || next > s ? next : s;
            }
            y[t * out[2] + i] = largest ? s : s / (float)(k[0] * k[1]);
        }
    }
}

";

/// The functions that these layers call.
fn functions(out: &mut String, layers: &[ByValue]) {
    let has = |is: fn(Kind) -> bool| layers.iter().any(|layer| is(layer.kind));
    let all = [
        (has(|kind| kind.has_parameters()), ACTIVATION),
        (has(|kind| kind == Kind::Dense), DENSE),
        (has(|kind| matches!(kind, Kind::Conv1d(_))), CONVOLUTION),
        (has(|kind| matches!(kind, Kind::Depthwise(_))), DEPTHWISE),
        (has(|kind| matches!(kind, Kind::MaxPool(_) | Kind::AveragePool(_))), POOLING),
        (has(|kind| matches!(kind, Kind::Gru(_))), RECURRENT),
        (has(|kind| matches!(kind, Kind::Conv2d(_))), CONVOLUTION_2D),
        (has(|kind| matches!(kind, Kind::Depthwise2d(_))), DEPTHWISE_2D),
        (has(|kind| matches!(kind, Kind::MaxPool2d(_) | Kind::AveragePool2d(_))), POOLING_2D),
    ];
    all.iter().filter(|(is_called, _)| *is_called).for_each(|(_, text)| out.push_str(text));
}

fn call(l: usize, layer: &ByValue, from: &str, to: &str) -> String {
    let f = match layer.shape.activation {
        Activation::Identity => 'i',
        Activation::Relu => 'r',
        Activation::Tanh => 't',
        Activation::Sigmoid => 's',
    };
    let (n, m, own) = (layer.shape.inputs, layer.channels(), format!("lgl2o_weights_{l}, lgl2o_bias_{l}"));
    let times = layer.kind.over().map_or(1, |over| over.count());
    let call = match layer.kind {
        Kind::Dense => format!("lgl2o_layer({own}, {n}, {m}, '{f}'"),
        Kind::Conv1d(Over { time, channels, kernel, stride, padding }) => {
            format!("lgl2o_conv1d({own}, {time}, {channels}, {times}, {m}, {kernel}, {stride}, {padding}, '{f}'")
        }
        Kind::Depthwise(Over { time, channels, kernel, stride, padding }) => {
            format!("lgl2o_depthwise({own}, {time}, {channels}, {times}, {kernel}, {stride}, {padding}, '{f}'")
        }
        Kind::MaxPool(over) => format!("lgl2o_pool(1, {}, {times}, {}", over.channels, over.kernel),
        Kind::AveragePool(over) => format!("lgl2o_pool(0, {}, {times}, {}", over.channels, over.kernel),
        Kind::Gru(Steps { time, channels }) => {
            format!("lgl2o_gru({own}, lgl2o_state_weights_{l}, lgl2o_state_bias_{l}, {time}, {channels}, {m}, room")
        }
        Kind::Conv2d(area) => format!("lgl2o_conv2d({own}, {}, '{f}'", filter(area, m)),
        Kind::Depthwise2d(area) => format!("lgl2o_depthwise2d({own}, {}, '{f}'", filter(area, m)),
        Kind::MaxPool2d(area) => format!("lgl2o_pool2d(1, {}", window(area, m)),
        Kind::AveragePool2d(area) => format!("lgl2o_pool2d(0, {}", window(area, m)),
    };
    format!("    {call}, {from}, {to});\n")
}

/// Whole numbers as an argument.
fn list(numbers: &[usize]) -> String {
    let numbers: Vec<String> = numbers.iter().map(usize::to_string).collect();
    format!("(const int[]){{{}}}", numbers.join(", "))
}

/// The sizes of an image, of what becomes of it, and of a window.
fn window(area: Area, channels: usize) -> String {
    let [rows, columns] = area.outputs();
    let sizes = [list(&[area.height, area.width, area.channels]), list(&[rows, columns, channels]), list(&area.kernel)];
    sizes.join(", ")
}

/// The same of a filter, with stride and padding.
fn filter(area: Area, channels: usize) -> String {
    format!("{}, {}, {}", window(area, channels), list(&area.stride), list(&area.padding))
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
