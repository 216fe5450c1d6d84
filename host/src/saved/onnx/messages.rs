//! The messages of an ONNX file, as far as a chain of layers needs them; fields that are not declared are skipped.
//!
//! (`onnx.proto3` of ONNX, <https://github.com/onnx/onnx/blob/main/onnx/onnx.proto3>; the numbers are its fields'.)

/// The file.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Model {
    /// The network.
    #[prost(message, optional, tag = "7")]
    pub(super) graph: Option<Graph>,
}

/// A network.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Graph {
    /// What is computed, in an order in which it can be.
    #[prost(message, repeated, tag = "1")]
    pub(super) node: Vec<Node>,
    /// Weights, and other constants.
    #[prost(message, repeated, tag = "5")]
    pub(super) initializer: Vec<Tensor>,
    /// What comes in.
    #[prost(message, repeated, tag = "11")]
    pub(super) input: Vec<Value>,
    /// What goes out.
    #[prost(message, repeated, tag = "12")]
    pub(super) output: Vec<Value>,
}

/// An operator with its arguments.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Node {
    /// Names of values; an empty one is an optional argument that is left out.
    #[prost(string, repeated, tag = "1")]
    pub(super) input: Vec<String>,
    /// Names of values.
    #[prost(string, repeated, tag = "2")]
    pub(super) output: Vec<String>,
    /// What it is called.
    #[prost(string, tag = "3")]
    pub(super) name: String,
    /// The operator.
    #[prost(string, tag = "4")]
    pub(super) op_type: String,
    /// Its settings.
    #[prost(message, repeated, tag = "5")]
    pub(super) attribute: Vec<Attribute>,
    /// Whose operator it is; empty for ONNX's own.
    #[prost(string, tag = "7")]
    pub(super) domain: String,
}

/// A setting.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Attribute {
    /// What it is called.
    #[prost(string, tag = "1")]
    pub(super) name: String,
    /// Its value, if it is a number.
    #[prost(float, tag = "2")]
    pub(super) f: f32,
    /// Its value, if it is a whole number.
    #[prost(int64, tag = "3")]
    pub(super) i: i64,
    /// Its value, if it is text.
    #[prost(bytes = "vec", tag = "4")]
    pub(super) s: Vec<u8>,
    /// Its value, if it is a tensor.
    #[prost(message, optional, tag = "5")]
    pub(super) t: Option<Tensor>,
    /// Its value, if it is whole numbers.
    #[prost(int64, repeated, tag = "8")]
    pub(super) ints: Vec<i64>,
}

/// Numbers with a shape.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Tensor {
    /// Its shape.
    #[prost(int64, repeated, tag = "1")]
    pub(super) dims: Vec<i64>,
    /// What it holds: see [`Dtype`](super::numbers::Dtype).
    #[prost(int32, tag = "2")]
    pub(super) data_type: i32,
    /// Floats of 32 bits, unless they are raw.
    #[prost(float, repeated, tag = "4")]
    pub(super) float_data: Vec<f32>,
    /// Numbers of 32 bits and fewer, unless they are raw.
    #[prost(int32, repeated, tag = "5")]
    pub int32_data: Vec<i32>,
    /// Whole numbers of 64 bits, unless they are raw.
    #[prost(int64, repeated, tag = "7")]
    pub int64_data: Vec<i64>,
    /// What it is called.
    #[prost(string, tag = "8")]
    pub(super) name: String,
    /// Its bytes, little-endian.
    #[prost(bytes = "vec", tag = "9")]
    pub(super) raw_data: Vec<u8>,
    /// Floats of 64 bits, unless they are raw.
    #[prost(double, repeated, tag = "10")]
    pub(super) double_data: Vec<f64>,
    /// Where its bytes are, if they are in another file.
    #[prost(message, repeated, tag = "13")]
    pub(super) external_data: Vec<Entry>,
    /// 1 if they are.
    #[prost(int32, tag = "14")]
    pub(super) data_location: i32,
}

/// A key with its value.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Entry {
    /// The key.
    #[prost(string, tag = "1")]
    pub(super) key: String,
    /// The value.
    #[prost(string, tag = "2")]
    pub(super) value: String,
}

/// A value's name and type.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Value {
    /// Its name.
    #[prost(string, tag = "1")]
    pub(super) name: String,
    /// Its type.
    #[prost(message, optional, tag = "2")]
    pub(super) kind: Option<Type>,
}

/// A type.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Type {
    /// That of a tensor.
    #[prost(message, optional, tag = "1")]
    pub(super) tensor: Option<TensorType>,
}

/// The type of a tensor.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct TensorType {
    /// Its shape.
    #[prost(message, optional, tag = "2")]
    pub(super) shape: Option<Shape>,
}

/// A shape.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Shape {
    /// Its sides.
    #[prost(message, repeated, tag = "1")]
    pub(super) dim: Vec<Dimension>,
}

/// A side of a shape.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Dimension {
    /// How long it is; 0 where that is not fixed.
    #[prost(int64, tag = "1")]
    pub(super) value: i64,
}
