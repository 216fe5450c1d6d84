//! What the sides of a value mean, from the input of a network to its output.

/// A side of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Axis {
    /// Examples.
    Batch,
    /// A side of length 1 that was put in.
    One,
    /// A side of the input, by its place there, which no layer has given a meaning yet.
    Raw(usize, usize),
    /// Times of a series.
    Time(usize),
    /// Rows of an image.
    Height(usize),
    /// Columns of an image.
    Width(usize),
    /// Numbers of each time, or of each pixel.
    Channel(usize),
    /// Numbers in the order of this program.
    Flat(usize),
    /// Numbers that were times x channels, in the order channels x times. The pixels of an image are times here.
    Turned {
        /// Times.
        time: usize,
        /// Channels.
        channels: usize,
    },
}

impl Axis {
    /// How long it is.
    pub(super) const fn length(self) -> Option<usize> {
        match self {
            Self::Batch => None,
            Self::One => Some(1),
            Self::Raw(_, n) | Self::Time(n) | Self::Height(n) | Self::Width(n) | Self::Channel(n) | Self::Flat(n) => {
                Some(n)
            }
            Self::Turned { time, channels } => time.checked_mul(channels),
        }
    }
}

/// The sides of a value in words, such as `[batch, 3, 20]`.
pub(super) fn words(axes: &[Axis]) -> String {
    let word = |axis: &Axis| axis.length().map_or_else(|| "batch".to_owned(), |n| n.to_string());
    format!("[{}]", axes.iter().map(word).collect::<Vec<_>>().join(", "))
}

/// All sides behind the batch as one; none where they are in an order that has none here.
pub(super) fn flat(axes: &[Axis]) -> Option<Axis> {
    let [Axis::Batch, rest @ ..] = axes else { return None };
    let count = rest.iter().try_fold(1usize, |n, axis| n.checked_mul(axis.length()?))?;
    let long: Vec<Axis> = rest.iter().copied().filter(|axis| !is_one(*axis)).collect();
    match long[..] {
        [one @ (Axis::Flat(_) | Axis::Turned { .. })] => Some(one),
        [] | [_] | [Axis::Time(_), Axis::Channel(_)] => Some(Axis::Flat(count)),
        [Axis::Channel(channels), Axis::Time(time) | Axis::Height(time) | Axis::Width(time)] => {
            Some(Axis::Turned { time, channels })
        }
        [Axis::Height(_), Axis::Width(_)]
        | [Axis::Height(_) | Axis::Width(_), Axis::Channel(_)]
        | [Axis::Height(_), Axis::Width(_), Axis::Channel(_)] => Some(Axis::Flat(count)),
        [Axis::Channel(channels), Axis::Height(height), Axis::Width(width)] => {
            Some(Axis::Turned { time: height.checked_mul(width)?, channels })
        }
        _ => {
            let place = |axis: &Axis| if let Axis::Raw(place, _) = axis { Some(*place) } else { None };
            let places: Option<Vec<usize>> = long.iter().map(place).collect();
            places.is_some_and(|places| places.is_sorted()).then_some(Axis::Flat(count))
        }
    }
}

fn is_one(axis: Axis) -> bool {
    match axis {
        Axis::One | Axis::Time(1) | Axis::Height(1) | Axis::Width(1) | Axis::Channel(1) | Axis::Raw(_, 1) => true,
        Axis::Batch
        | Axis::Raw(..)
        | Axis::Time(_)
        | Axis::Height(_)
        | Axis::Width(_)
        | Axis::Channel(_)
        | Axis::Flat(_)
        | Axis::Turned { .. } => false,
    }
}

/// Times and channels of a batch of series, channels first as operators take them.
pub(super) fn series(axes: &[Axis]) -> Option<[usize; 2]> {
    match axes {
        [Axis::Batch, channels, time] => match (channels, time) {
            (Axis::Channel(channels), Axis::Time(time)) | (Axis::Raw(_, channels), Axis::Raw(_, time)) => {
                Some([*time, *channels])
            }
            _ => None,
        },
        _ => None,
    }
}

/// Rows, columns and channels of a batch of images, channels first as operators take them.
pub(super) fn image(axes: &[Axis]) -> Option<[usize; 3]> {
    match *axes {
        [Axis::Batch, Axis::Channel(channels), Axis::Height(height), Axis::Width(width)]
        | [Axis::Batch, Axis::Raw(_, channels), Axis::Raw(_, height), Axis::Raw(_, width)] => {
            Some([height, width, channels])
        }
        // A side that was put in is one channel.
        [Axis::Batch, Axis::One, Axis::Raw(_, height), Axis::Raw(_, width)] => Some([height, width, 1]),
        _ => None,
    }
}
