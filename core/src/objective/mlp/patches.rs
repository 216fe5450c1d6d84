//! Windows on an image: which numbers each output of a convolution in two dimensions is made of.
//!
//! An image is \[row\]\[column\]\[channels\], all channels of one pixel after the other. It is a series of rows, each of
//! which is a series of pixels, so a patch is a window on the rows, and on each of them the same [window](super::windows)
//! on the pixels: one slice for each row. Inputs that are not there count as zero (padding), and their products are left
//! out of the sum.

use core::ops::Range;

use super::windows::Windows;

/// The sides of a filter, the steps between two patches, and the zeros around an image, as a type: KH x KW, SH x SW, PH x PW.
#[derive(Debug, Clone, Copy)]
pub struct Filter<const KH: usize, const KW: usize, const SH: usize, const SW: usize, const PH: usize, const PW: usize>;

/// Windows on the two sides of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patches {
    /// Those on its rows, each of which counts as one time of as many channels as it has numbers.
    pub rows: Windows,
    /// Those on the pixels of a row.
    pub columns: Windows,
}

impl Patches {
    /// Those of an image of rows x columns x channels; kernel, stride and padding along rows and along columns.
    #[must_use]
    pub const fn new(
        [height, width, channels]: [usize; 3],
        kernel: [usize; 2],
        stride: [usize; 2],
        padding: [usize; 2],
    ) -> Self {
        let rows = Windows {
            time: height,
            channels: width * channels,
            kernel: kernel[0],
            stride: stride[0],
            padding: padding[0],
        };
        let columns = Windows { time: width, channels, kernel: kernel[1], stride: stride[1], padding: padding[1] };
        Self { rows, columns }
    }

    /// Refuses, while a program is compiled, what does not fit its inputs or its rows and columns of outputs.
    pub(super) const fn check(&self, [rows, columns]: [usize; 2]) {
        self.rows.check(rows);
        self.columns.check(columns);
    }

    /// How many there are: the pixels of the outputs.
    #[must_use]
    pub const fn count(&self) -> usize {
        self.rows.count() * self.columns.count()
    }

    /// Inputs to a patch, of one channel.
    #[must_use]
    pub const fn taps(&self) -> usize {
        self.rows.kernel * self.columns.kernel
    }

    /// The channels of a pixel.
    #[must_use]
    pub const fn channels(&self) -> usize {
        self.columns.channels
    }

    /// The numbers of one example.
    #[must_use]
    pub const fn numbers(&self) -> usize {
        self.rows.numbers()
    }

    /// The inputs of patch (y, t) that are there, in the order of their taps: tap and pixel.
    pub fn below(&self, y: usize, t: usize) -> impl Iterator<Item = (usize, usize)> {
        let Self { rows, columns } = *self;
        let line = move |k| {
            columns
                .taps(t)
                .map(move |l| (k * columns.kernel + l, rows.below(y, k) * columns.time + columns.below(t, l)))
        };
        rows.taps(y).flat_map(line)
    }

    /// The patches that lie on the pixel of row i and column j, in their order; each with the tap that does.
    pub fn over(&self, i: usize, j: usize) -> impl Iterator<Item = (usize, usize)> {
        let Self { rows, columns } = self;
        let line = move |(y, k): (usize, usize)| {
            columns.over(j).map(move |(t, l)| (y * columns.count() + t, k * columns.kernel + l))
        };
        rows.over(i).flat_map(line)
    }

    /// Whether a window lies on the pixel of row i and column j, where windows neither overlap nor are padded.
    #[must_use]
    pub const fn is_pooled(&self, i: usize, j: usize) -> bool {
        i < self.rows.count() * self.rows.kernel && j < self.columns.count() * self.columns.kernel
    }

    /// The pixels of window (y, t) where windows neither overlap nor are padded, as in pooling: one range for each row.
    pub fn whole(&self, y: usize, t: usize) -> impl Iterator<Item = Range<usize>> {
        let Self { rows, columns } = *self;
        (y * rows.kernel..(y + 1) * rows.kernel).map(move |i| {
            let first = i * columns.time + t * columns.kernel;
            first..first + columns.kernel
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    /// Every patch of some small shapes, tap by tap.
    #[test]
    fn taps_lie_where_they_should() {
        let sides = [(5, 3, 1, 1), (4, 2, 2, 0), (6, 3, 2, 2), (1, 1, 1, 0)];
        for (a, b) in sides.iter().flat_map(|&a| sides.map(|b| (a, b))) {
            let p = Patches::new([a.0, b.0, 2], [a.1, b.1], [a.2, b.2], [a.3, b.3]);
            let on = |y: usize, t: usize, k: usize, l: usize| {
                let (i, j) = ((y * a.2 + k).checked_sub(a.3)?, (t * b.2 + l).checked_sub(b.3)?);
                (i < a.0 && j < b.0).then_some(i * b.0 + j)
            };
            let taps = || (0..a.1).flat_map(|k| (0..b.1).map(move |l| (k, l)));
            let all = || (0..p.rows.count()).flat_map(|y| (0..p.columns.count()).map(move |t| (y, t)));
            for (y, t) in all() {
                let expected: Vec<_> = taps().filter_map(|(k, l)| Some((k * b.1 + l, on(y, t, k, l)?))).collect();
                assert_eq!(p.below(y, t).collect::<Vec<_>>(), expected, "{p:?}");
            }
            for pixel in 0..a.0 * b.0 {
                let tap = |(y, t)| {
                    taps()
                        .filter(move |&(k, l)| on(y, t, k, l) == Some(pixel))
                        .map(move |(k, l)| (y * p.columns.count() + t, k * b.1 + l))
                };
                let expected: Vec<_> = all().flat_map(tap).collect();
                assert_eq!(p.over(pixel / b.0, pixel % b.0).collect::<Vec<_>>(), expected, "{p:?}");
            }
        }
    }
}
