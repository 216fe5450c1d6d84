//! Windows on a series in time: which numbers each output of a convolution is made of.
//!
//! A series is \[time\]\[channels\], all channels of one time after the other, as a sensor delivers it: one sample of all axes after the
//! other, and so a window is one slice, K C numbers from number (t S - P) C on. The k-th *tap* of a window lies on the input
//! t S + k - P; where there is none, the input counts as zero (padding) and its product is left out of the sum.

use core::ops::Range;

use crate::batch::{Matrix, row, several};

/// The times that a window of `kernel` inputs can stand at, `stride` apart, on `time` inputs and `padding` zeros on either side:
/// (T + 2 P - K) / S + 1, rounded down; 0 where it fits nowhere.
#[must_use]
pub const fn times(time: usize, kernel: usize, stride: usize, padding: usize) -> usize {
    let padded = time + 2 * padding;
    if kernel == 0 || stride == 0 || padded < kernel { 0 } else { (padded - kernel) / stride + 1 }
}

/// Windows on the inputs of one example.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Windows {
    /// Times of the inputs, T.
    pub time: usize,
    /// Numbers of each time, C.
    pub channels: usize,
    /// Inputs to a window, K.
    pub kernel: usize,
    /// Inputs between the beginnings of two windows, S.
    pub stride: usize,
    /// Zeros before the first input and after the last, P, fewer than K.
    pub padding: usize,
}

impl Windows {
    /// Those of a convolution whose numbers are types.
    pub(super) const fn of<const T: usize, const C: usize, const K: usize, const S: usize, const P: usize>() -> Self {
        Self { time: T, channels: C, kernel: K, stride: S, padding: P }
    }

    /// Refuses, while a program is compiled, a convolution that does not fit its inputs or its times of outputs.
    pub(super) const fn check(&self, outputs: usize) {
        let Self { time, kernel, stride, padding, .. } = *self;
        assert!(kernel > 0 && stride > 0, "a convolution needs a kernel and a stride of at least 1");
        assert!(
            padding < kernel,
            "the padding of a convolution must be below its kernel, or windows would lie on padding alone"
        );
        assert!(
            time + 2 * padding >= kernel,
            "the kernel of a convolution is longer than its inputs with their padding"
        );
        assert!(outputs == self.count(), "a convolution has (T + 2 P - K) / S + 1 times of outputs");
    }

    /// How many windows there are: the times of the outputs.
    #[must_use]
    pub const fn count(&self) -> usize {
        times(self.time, self.kernel, self.stride, self.padding)
    }

    /// The numbers of one example.
    #[must_use]
    pub const fn numbers(&self) -> usize {
        self.time * self.channels
    }

    /// The taps of window `t` that lie on inputs.
    #[must_use]
    pub fn taps(&self, t: usize) -> Range<usize> {
        let start = t * self.stride;
        let first = self.padding.saturating_sub(start);
        let end = (self.time + self.padding).saturating_sub(start).min(self.kernel);
        first..end
    }

    /// The input below tap `k` of window `t`, which lies on one.
    #[must_use]
    pub fn below(&self, t: usize, k: usize) -> usize {
        (t * self.stride + k).saturating_sub(self.padding)
    }

    /// The windows that lie wholly on inputs.
    #[must_use]
    pub fn whole(&self) -> Range<usize> {
        let first = self.padding.div_ceil(self.stride.max(1));
        let fit = times(self.time + self.padding, self.kernel, self.stride, 0).min(self.count());
        first.min(fit)..fit
    }

    /// The windows that are not [whole](Self::whole), at both ends.
    pub fn padded(&self) -> [Range<usize>; 2] {
        let Range { start, end } = self.whole();
        [0..start, end..self.count()]
    }

    /// The windows that lie on input `i`; each with the tap that does.
    pub fn over(&self, i: usize) -> impl Iterator<Item = (usize, usize)> {
        let (i, stride) = (i + self.padding, self.stride.max(1));
        let first = (i + 1).saturating_sub(self.kernel).div_ceil(stride);
        let end = (i / stride + 1).min(self.count());
        (first..end).map(move |t| (t, i - t * stride))
    }

    /// The inputs of an example below some taps of window `t`, from its numbers.
    #[must_use]
    pub fn part<'a>(&self, x: &'a [f32], t: usize, taps: &Range<usize>) -> &'a [f32] {
        let first = self.below(t, taps.start);
        x.get(first * self.channels..(first + taps.len()) * self.channels).unwrap_or_default()
    }

    /// The [whole](Self::whole) windows of an example, from its numbers.
    #[must_use]
    pub fn rows<'a>(&self, x: &'a [f32]) -> Overlapping<'a> {
        let first = self.below(self.whole().start, 0) * self.channels;
        let data = x.get(first..).unwrap_or_default();
        Overlapping { data, width: self.kernel * self.channels, step: self.stride * self.channels }
    }
}

/// Rows that begin `step` numbers apart, so that they may overlap.
#[derive(Debug, Clone, Copy)]
pub struct Overlapping<'a> {
    data: &'a [f32],
    width: usize,
    step: usize,
}

impl<'a> Matrix<'a> for Overlapping<'a> {
    #[inline]
    fn width(&self) -> usize {
        self.width
    }
    #[inline]
    fn row(&self, s: usize) -> &'a [f32] {
        row(self.data.get(s.saturating_mul(self.step)..).unwrap_or_default(), 0, self.width)
    }
    #[inline]
    fn several<const S: usize>(&self, s: usize, column: usize, wide: usize) -> Option<[&'a [f32]; S]> {
        several(self.data.get(column..)?, s, self.step, wide)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every window of every small shape, tap by tap.
    #[test]
    fn taps_lie_where_they_should() {
        for (time, kernel, stride) in (0..11 * 6 * 4).map(|i| (1 + i % 11, 1 + i / 11 % 6, 1 + i / 66)) {
            for padding in 0..kernel {
                let w = Windows { time, channels: 2, kernel, stride, padding };
                let on = |t: usize, k: usize| (t * stride + k).checked_sub(padding).filter(|i| *i < time);
                let last = (0..).take_while(|t| t * stride + kernel <= time + 2 * padding).count();
                assert_eq!(w.count(), last, "{w:?}");
                for t in 0..w.count() {
                    let taps: Vec<usize> = (0..kernel).filter(|&k| on(t, k).is_some()).collect();
                    assert_eq!(w.taps(t).collect::<Vec<_>>(), taps, "{w:?}");
                    assert_eq!(w.whole().contains(&t), taps.len() == kernel, "{w:?}");
                    taps.iter().for_each(|&k| assert_eq!(Some(w.below(t, k)), on(t, k)));
                }
                for i in 0..time {
                    let all = (0..w.count()).flat_map(|t| (0..kernel).map(move |k| (t, k)));
                    let over: Vec<_> = all.filter(|&(t, k)| on(t, k) == Some(i)).collect();
                    assert_eq!(w.over(i).collect::<Vec<_>>(), over, "{w:?}");
                }
            }
        }
    }

    use std::vec::Vec;
}
