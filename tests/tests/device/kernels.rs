//! The kernels of a board's processor, some of them in assembly, against their slow twins.

use lgl2o_host::device::board::Board;

use crate::{boards, built_for, summary, usual};

/// Inputs, outputs and examples of the shapes that the program goes through.
const SHAPES: u32 = 41 * 9 * 13;

/// The program ends with a failure at the first shape whose bits are others, and counts those that it has gone through.
#[test]
#[ignore = "needs QEMU and a compiler for the boards"]
fn kernels_have_the_bits_of_their_twins() {
    for board in boards("kernels") {
        hold(board, &[]);
    }
}

/// The same of the smaller ones.
#[test]
#[ignore = "needs QEMU and a compiler for the boards"]
fn small_kernels_have_the_bits_of_their_twins() {
    hold(usual(), &["small".to_owned()]);
}

/// Runs the program with these features, and holds what it counted.
fn hold(board: &Board, features: &[String]) {
    let shapes = summary(board, &built_for(board, "kernels", features)).map(|summary| summary.steps);
    assert_eq!(shapes, Some(SHAPES), "{} {features:?}: if None, other bits, as its log says", board.name);
}
