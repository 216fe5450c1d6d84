//! The numbers of an ONNX tensor.

use std::path::{Component, Path};

use super::OnnxError;
use super::messages::Tensor;
use crate::files::read_bounded;
use crate::saved::tensors::check_numbers;

/// The largest file of numbers beside an ONNX file, in bytes: 1 GB.
const LARGEST: u64 = 1 << 30;

/// What a tensor holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dtype {
    F32,
    I64,
    F16,
    F64,
    Bf16,
}

impl Dtype {
    const fn of(code: i32) -> Option<Self> {
        match code {
            1 => Some(Self::F32),
            7 => Some(Self::I64),
            10 => Some(Self::F16),
            11 => Some(Self::F64),
            16 => Some(Self::Bf16),
            _ => None,
        }
    }

    const fn bytes(self) -> usize {
        match self {
            Self::F32 => 4,
            Self::I64 | Self::F64 => 8,
            Self::F16 | Self::Bf16 => 2,
        }
    }
}

/// The names of ONNX's types, by their codes.
const NAMES: [&str; 17] = [
    "UNDEFINED",
    "FLOAT",
    "UINT8",
    "INT8",
    "UINT16",
    "INT16",
    "INT32",
    "INT64",
    "STRING",
    "BOOL",
    "FLOAT16",
    "DOUBLE",
    "UINT32",
    "UINT64",
    "COMPLEX64",
    "COMPLEX128",
    "BFLOAT16",
];

/// The shape, if its sides are none below zero and their product can be counted.
fn shape(tensor: &Tensor) -> Option<(Vec<usize>, usize)> {
    let sides: Option<Vec<usize>> = tensor.dims.iter().map(|&side| usize::try_from(side).ok()).collect();
    let sides = sides?;
    let count = sides.iter().try_fold(1usize, |n, &side| n.checked_mul(side))?;
    Some((sides, count))
}

/// Weights: their shape, and as many numbers as it says, all of them finite.
pub(super) fn weights(tensor: &Tensor, folder: &Path) -> Result<(Vec<usize>, Vec<f32>), OnnxError> {
    let name = || tensor.name.clone();
    let kind = Dtype::of(tensor.data_type).filter(|kind| *kind != Dtype::I64).ok_or_else(|| {
        let code = usize::try_from(tensor.data_type).ok();
        let kind = code
            .and_then(|code| NAMES.get(code))
            .map_or_else(|| format!("type {}", tensor.data_type), |n| (*n).to_owned());
        OnnxError::Type { name: name(), kind }
    })?;
    let external = external(tensor, folder)?;
    let raw = external.as_deref().unwrap_or(&tensor.raw_data);
    let numbers = if raw.is_empty() { listed(tensor, kind) } else { from_bytes(raw, kind) };
    let (shape, _) = shape(tensor).filter(|(_, count)| *count == numbers.len()).ok_or_else(|| OnnxError::Damaged {
        name: name(),
        shape: tensor.dims.clone(),
        found: numbers.len(),
    })?;
    check_numbers(&tensor.name, &numbers)?;
    Ok((shape, numbers))
}

/// Whole numbers, such as the shape that something takes; none if it holds others.
pub(super) fn whole(tensor: &Tensor) -> Option<Vec<i64>> {
    let is_whole = Dtype::of(tensor.data_type) == Some(Dtype::I64) && tensor.data_location == 0;
    is_whole.then(|| match tensor.raw_data.is_empty() {
        true => tensor.int64_data.clone(),
        false => tensor.raw_data.as_chunks().0.iter().map(|eight| i64::from_le_bytes(*eight)).collect(),
    })
}

/// Numbers that are no bytes.
fn listed(tensor: &Tensor, kind: Dtype) -> Vec<f32> {
    let halves = |wide: fn(u16) -> f32| tensor.int32_data.iter().map(|&x| wide(x as u16)).collect();
    match kind {
        Dtype::F32 => tensor.float_data.clone(),
        Dtype::F64 => tensor.double_data.iter().map(|&x| x as f32).collect(),
        Dtype::F16 => halves(from_half),
        Dtype::Bf16 => halves(from_bfloat),
        Dtype::I64 => Vec::new(),
    }
}

fn from_bytes(bytes: &[u8], kind: Dtype) -> Vec<f32> {
    // What is left over makes one number more than there should be.
    let rest = !bytes.len().is_multiple_of(kind.bytes());
    let halves = |wide: fn(u16) -> f32| bytes.as_chunks().0.iter().map(|two| wide(u16::from_le_bytes(*two))).collect();
    let mut numbers: Vec<f32> = match kind {
        Dtype::F32 => bytes.as_chunks().0.iter().map(|four| f32::from_le_bytes(*four)).collect(),
        Dtype::F64 => bytes.as_chunks().0.iter().map(|eight| f64::from_le_bytes(*eight) as f32).collect(),
        Dtype::F16 => halves(from_half),
        Dtype::Bf16 => halves(from_bfloat),
        Dtype::I64 => Vec::new(),
    };
    numbers.extend(rest.then_some(0.0));
    numbers
}

/// A float of 16 bits (IEEE 754, binary16), exactly.
fn from_half(bits: u16) -> f32 {
    let (sign, exponent, fraction) = (u32::from(bits >> 15) << 31, u32::from(bits >> 10 & 31), u32::from(bits & 1023));
    let size = match exponent {
        // Subnormal: a multiple of 2^-24.
        0 => (fraction as f32 / 16_777_216.0).to_bits(),
        31 => 0x7f80_0000 | fraction << 13,
        _ => (exponent + 112) << 23 | fraction << 13,
    };
    f32::from_bits(sign | size)
}

/// The upper half of a float of 32 bits.
fn from_bfloat(bits: u16) -> f32 {
    f32::from_bits(u32::from(bits) << 16)
}

/// The bytes of a tensor that are in another file; none if they are in this one.
fn external(tensor: &Tensor, folder: &Path) -> Result<Option<Vec<u8>>, OnnxError> {
    if tensor.data_location == 0 {
        return Ok(None);
    }
    let entry =
        |key: &str| tensor.external_data.iter().find(|entry| entry.key == key).map(|entry| entry.value.as_str());
    let place = entry("location").unwrap_or_default();
    let wrong = |why: String| OnnxError::External { name: tensor.name.clone(), place: place.to_owned(), why };
    // Nothing but a file of the folder, wherever the ONNX file is from.
    let is_plain = matches!(Path::new(place).components().collect::<Vec<_>>()[..], [Component::Normal(_)]);
    if !is_plain {
        return Err(wrong("that is not the name of a file beside it".to_owned()));
    }
    let bytes = read_bounded(&folder.join(place), LARGEST).map_err(|error| wrong(format!("{error:#}")))?;
    let number = |key: &str, unsaid: usize| entry(key).map_or(Some(unsaid), |text| text.parse().ok());
    let part = || {
        let offset: usize = number("offset", 0)?;
        let length: usize = number("length", bytes.len().checked_sub(offset)?)?;
        bytes.get(offset..offset.checked_add(length)?)
    };
    part().map(|part| Some(part.to_vec())).ok_or_else(|| wrong("the file is too short".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_are_exact() {
        let known =
            [(0x3c00, 1.0), (0xc000, -2.0), (0x3555, 0.333_251_95), (0x0001, 5.960_464_5e-8), (0x7bff, 65504.0)];
        known.iter().for_each(|&(bits, value)| assert_eq!(from_half(bits), value, "{bits:x}"));
        assert_eq!((from_half(0x8000).to_bits(), from_half(0x7c00)), (1 << 31, f32::INFINITY));
        assert!(from_half(0x7e00).is_nan());
        assert_eq!(from_bfloat(0x3f80), 1.0);
    }

    #[test]
    fn a_place_outside_the_folder_is_refused() {
        for place in ["/etc/passwd", "../w", "a/b", "", "."] {
            let entry = super::super::messages::Entry { key: "location".to_owned(), value: place.to_owned() };
            let tensor = Tensor { data_type: 1, data_location: 1, external_data: vec![entry], ..Tensor::default() };
            let error = weights(&tensor, Path::new(".")).expect_err("refused").to_string();
            assert!(error.contains("not the name of a file beside it"), "{place}: {error}");
        }
    }
}
