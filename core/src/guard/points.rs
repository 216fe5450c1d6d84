//! The accepted parameters and the candidates of a round: as many points as a guard compares, and which of them is
//! accepted. To accept a candidate is to say so; nothing is copied.

use crate::tensors::{Tensors, Zeroed};

/// Where the learned candidate stands among three points.
pub const LEARNED: usize = 1;
/// Where the fallback's candidate stands among three points.
pub const FALLBACK: usize = 2;

/// N points, 2 or 3; the one that is accepted comes first, whichever it is.
#[derive(Debug, Clone)]
pub struct Points<P, const N: usize> {
    all: [P; N],
    accepted: u8,
}

impl<P: Zeroed, const N: usize> Zeroed for Points<P, N> {
    const ZERO: Self = Self { all: [const { P::ZERO }; N], accepted: 0 };
}

impl<P, const N: usize> Points<P, N> {
    /// All of them, the accepted one first.
    pub fn all(&self) -> [&P; N] {
        let mut all = self.all.each_ref();
        // By one at a time: a rotation by any number is a kilobyte of code.
        (0..self.turn(0)).for_each(|_| all.rotate_left(1));
        all
    }

    /// [`all`](Self::all), to write to.
    pub fn all_mut(&mut self) -> [&mut P; N] {
        let turn = self.turn(0);
        let mut all = self.all.each_mut();
        (0..turn).for_each(|_| all.rotate_left(1));
        all
    }

    /// Accepts candidate number `i`, as [`all`](Self::all) counts them; 0 is the one that is accepted already.
    pub fn accept(&mut self, i: usize) {
        self.accepted = self.turn(i) as u8;
    }

    /// Where point number `i` stands.
    fn turn(&self, i: usize) -> usize {
        usize::from(self.accepted).wrapping_add(i).checked_rem(N).unwrap_or(0)
    }
}

impl<P: Tensors, const N: usize> Points<P, N> {
    /// Points like these parameters, all zero.
    pub(super) fn blank(like: &P) -> Self {
        Self { all: core::array::from_fn(|_| super::blank(like)), accepted: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_accepted_one_comes_first() {
        let mut points = Points { all: ['a', 'b', 'c'], accepted: 0 };
        let order = |points: &Points<char, 3>| points.all().map(|p| *p);
        assert_eq!(order(&points), ['a', 'b', 'c']);
        points.accept(2);
        assert_eq!(order(&points), ['c', 'a', 'b']);
        points.accept(1);
        *points.all_mut()[1] = 'd';
        assert_eq!(order(&points), ['a', 'd', 'c']);
        points.accept(0);
        assert_eq!(order(&points), ['a', 'd', 'c']);
    }
}
