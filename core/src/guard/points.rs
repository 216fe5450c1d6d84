//! The accepted parameters and the candidates of a round: as many points as a guard compares, and which of them is
//! accepted. Accepting one changes which comes first; nothing is copied.

use crate::tensors::{Tensors, Zeroed};

/// Where the learned candidate stands among three points.
pub const LEARNED: usize = 1;
/// Where the fallback's candidate stands among three points.
pub const FALLBACK: usize = 2;

/// Which candidate's place holds an earlier accepted point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "alloc", derive(bytemuck::Zeroable))]
pub(super) struct Back {
    /// 0 for none.
    pub(super) place: u8,
    /// Whether it is the point that a fallback was left alone at.
    pub(super) alone: bool,
}

impl Back {
    pub(super) const NONE: Self = Self { place: 0, alone: false };
}

/// N points, 2 or 3; the one that is accepted comes first, whichever it is.
#[derive(Debug, Clone)]
#[cfg_attr(feature = "alloc", derive(bytemuck::Zeroable))]
pub struct Points<P, const N: usize> {
    all: [P; N],
    accepted: u8,
    /// Whether the candidates are counted from the last one.
    turned: bool,
    /// Where a guard may go back to.
    pub(super) back: Back,
}

impl<P: Zeroed, const N: usize> Zeroed for Points<P, N> {
    const ZERO: Self = Self { all: [const { P::ZERO }; N], accepted: 0, turned: false, back: Back::NONE };
}

impl<P, const N: usize> Points<P, N> {
    /// All of them, the accepted one first.
    pub fn all(&self) -> [&P; N] {
        let mut all = self.all.each_ref();
        sort(&mut all, self.accepted, self.turned);
        all
    }

    /// [`all`](Self::all), to write to.
    pub fn all_mut(&mut self) -> [&mut P; N] {
        let (accepted, turned) = (self.accepted, self.turned);
        let mut all = self.all.each_mut();
        sort(&mut all, accepted, turned);
        all
    }

    /// Accepts candidate number `i`, as [`all`](Self::all) counts them; it changes places with the one that was accepted,
    /// which is candidate number `i` from then on. 0 is the one that is accepted already.
    pub fn accept(&mut self, i: usize) {
        let from = if self.turned { N.saturating_sub(i) } else { i };
        self.accepted = usize::from(self.accepted).wrapping_add(from).checked_rem(N).unwrap_or(0) as u8;
        self.turned ^= i > 0;
    }
}

/// The accepted one first, and the others as they are counted.
fn sort<T, const N: usize>(all: &mut [T; N], accepted: u8, turned: bool) {
    // By one at a time: a rotation by any number is a kilobyte of code.
    (0..accepted).for_each(|_| all.rotate_left(1));
    if turned && let [_, others @ ..] = all.as_mut_slice() {
        others.reverse();
    }
}

impl<P: Tensors, const N: usize> Points<P, N> {
    /// Points like these parameters, all zero.
    pub(super) fn blank(like: &P) -> Self {
        Self { all: core::array::from_fn(|_| super::blank(like)), accepted: 0, turned: false, back: Back::NONE }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::String;

    #[test]
    fn the_accepted_one_comes_first_and_changes_places() {
        let mut points = Points { all: ['a', 'b', 'c'], accepted: 0, turned: false, back: Back::NONE };
        let mut order = |i: usize| {
            points.accept(i);
            points.all().map(|p| *p)
        };
        let found = [0, 2, 1, 1, 0, 1, 2, 2, 1].map(&mut order);
        let expected = ["abc", "cba", "bca", "cba", "cba", "bca", "acb", "bca", "cba"];
        assert_eq!(found.map(String::from_iter), expected);
        *points.all_mut()[1] = 'd';
        assert_eq!(points.all(), [&'c', &'d', &'a']);
        let mut two = Points { all: ['a', 'b'], accepted: 0, turned: false, back: Back::NONE };
        for expected in [['b', 'a'], ['a', 'b'], ['b', 'a']] {
            two.accept(1);
            assert_eq!(two.all().map(|p| *p), expected);
        }
    }
}
