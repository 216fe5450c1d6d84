//! Files of learned weights, of every kind and size.

use lgl2o::Rng;
use lgl2o::learned::file::TRAILER;
use lgl2o_host::optimizer::learned::{KINDS, WeightsFile, read as read_weights};

use super::{Target, put_right};

pub(super) const TARGET: Target = Target { name: "weights", read, examples, memory };

/// What the largest kind takes, several times over.
fn memory(bytes: &[u8]) -> usize {
    (1 << 18) + 4 * bytes.len()
}

fn read(bytes: &[u8]) -> bool {
    let accepted = one(bytes);
    let mut right = bytes.to_vec();
    let end = right.len().saturating_sub(TRAILER);
    put_right(&mut right, 0..end, end);
    one(&right);
    accepted
}

/// What is accepted is finite, and writes the same file again.
fn one(bytes: &[u8]) -> bool {
    let Ok(WeightsFile { kind, rule, weights }) = read_weights(bytes) else { return false };
    assert!(weights.len() == kind.weights && weights.iter().all(|weight| weight.is_finite()));
    assert_eq!((kind.to_file)(&weights).expect("good weights"), bytes);
    assert_eq!((kind.rule)(&weights).expect("good weights"), rule);
    true
}

fn examples() -> Vec<Vec<u8>> {
    KINDS.iter().map(|kind| (kind.to_file)(&(kind.initial)(&mut Rng::new(1))).expect("initial weights")).collect()
}
