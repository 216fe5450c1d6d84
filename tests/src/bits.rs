//! Equality bit for bit. Any NaN equals any other: which one a machine gives is not promised.

use lgl2o::tensors::Tensors;

/// The bits of a number, one pattern for all NaNs.
#[must_use]
pub fn pattern(x: f32) -> u32 {
    if x.is_nan() { f32::NAN.to_bits() } else { x.to_bits() }
}

/// The bits of some numbers.
#[must_use]
pub fn patterns(a: &[f32]) -> Vec<u32> {
    a.iter().map(|&x| pattern(x)).collect()
}

/// The bits of all tensors, one after the other.
#[must_use]
pub fn of<P: Tensors>(params: &P) -> Vec<u32> {
    (0..params.count()).flat_map(|i| patterns(params.tensor(i))).collect()
}

/// A short name for all bits of some tensors, for logs (FNV-1a, 64 bits).
#[must_use]
pub fn fingerprint<P: Tensors>(params: &P) -> u64 {
    let step = |hash: u64, x: u32| (hash ^ u64::from(x)).wrapping_mul(0x0000_0100_0000_01b3);
    of(params).into_iter().fold(0xcbf2_9ce4_8422_2325, step)
}
