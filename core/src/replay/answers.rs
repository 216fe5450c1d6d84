//! What examples are compared with, in the caller's memory: class labels, rows of values, or the inputs themselves.

use core::ops::Range;

use crate::batch::{Batch, Rows, Targets, row_mut};
use crate::error::Error;
use crate::persist::{CHUNK, Digest, Fingerprint, Origin, Persist, Sink};
use crate::persist::{load_numbers, save_numbers};
use crate::tensors::all_finite;

/// Memory of one answer per example.
pub trait Answers: Fingerprint + Persist {
    /// One answer.
    type One<'b>: Copy;

    /// For how many answers there is room, beside so many rows of inputs.
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] where the last one has no whole place.
    fn capacity(&self, rows: usize) -> Result<usize, Error>;

    /// How many classes there are; 1 for values.
    fn classes(&self) -> usize;

    /// The class of an answer; 0 where there are no classes.
    ///
    /// # Errors
    /// Whatever is wrong with the answer.
    fn class(&self, one: Self::One<'_>) -> Result<u8, Error>;

    /// The class of the answer at a place.
    fn class_at(&self, i: usize) -> u8;

    /// Writes an answer to a place.
    fn put(&mut self, i: usize, one: Self::One<'_>);

    /// Examples at these places; inputs are with the width of a row.
    fn picked<'b>(&'b self, inputs: (&'b [f32], usize), pick: &'b [u32]) -> Batch<'b>;

    /// Examples at neighbouring places.
    fn part<'b>(&'b self, inputs: (&'b [f32], usize), places: Range<usize>) -> Batch<'b>;
}

/// Class labels, one byte each.
#[derive(Debug)]
pub struct Classes<'a> {
    labels: &'a mut [u8],
    classes: usize,
}

impl<'a> Classes<'a> {
    /// Room for as many labels as there are bytes, all of them below `classes`.
    pub const fn new(labels: &'a mut [u8], classes: usize) -> Self {
        Self { labels, classes }
    }
}

impl Fingerprint for Classes<'_> {
    fn describe(&self, digest: &mut Digest) {
        digest.kind("classes");
        digest.word(self.classes as u32);
    }
}

impl Persist for Classes<'_> {
    fn save<S: Sink>(&self, sink: &mut S) -> Result<(), S::Error> {
        self.labels.chunks(CHUNK).try_for_each(|part| sink.put(part))
    }
    fn load<O: Origin>(&mut self, origin: &mut O) -> Result<(), O::Error> {
        self.labels.chunks_mut(CHUNK).try_for_each(|part| origin.take(part))
    }
}

impl Answers for Classes<'_> {
    type One<'b> = u8;

    fn capacity(&self, _: usize) -> Result<usize, Error> {
        Ok(self.labels.len())
    }
    fn classes(&self) -> usize {
        self.classes
    }
    fn class(&self, label: u8) -> Result<u8, Error> {
        let classes = self.classes;
        if usize::from(label) < classes { Ok(label) } else { Err(Error::LabelOutOfRange { label, classes }) }
    }
    fn class_at(&self, i: usize) -> u8 {
        self.labels.get(i).copied().unwrap_or(0)
    }
    fn put(&mut self, i: usize, label: u8) {
        if let Some(place) = self.labels.get_mut(i) {
            *place = label;
        }
    }
    fn picked<'b>(&'b self, (inputs, width): (&'b [f32], usize), pick: &'b [u32]) -> Batch<'b> {
        Batch::picked_classes(inputs, width, self.labels, pick)
    }
    fn part<'b>(&'b self, (inputs, width): (&'b [f32], usize), places: Range<usize>) -> Batch<'b> {
        let rows = inputs.get(numbers(&places, width)).unwrap_or_default();
        Batch::classes(rows, width, self.labels.get(places).unwrap_or_default())
    }
}

/// Rows of values, for regression.
#[derive(Debug)]
pub struct Values<'a> {
    data: &'a mut [f32],
    width: usize,
}

impl<'a> Values<'a> {
    /// Room for rows of `width` values each.
    pub const fn new(data: &'a mut [f32], width: usize) -> Self {
        Self { data, width }
    }
}

impl Fingerprint for Values<'_> {
    fn describe(&self, digest: &mut Digest) {
        digest.kind("values");
        digest.word(self.width as u32);
    }
}

impl Persist for Values<'_> {
    fn save<S: Sink>(&self, sink: &mut S) -> Result<(), S::Error> {
        save_numbers(self.data, sink)
    }
    fn load<O: Origin>(&mut self, origin: &mut O) -> Result<(), O::Error> {
        load_numbers(self.data, origin)
    }
}

impl Answers for Values<'_> {
    type One<'b> = &'b [f32];

    fn capacity(&self, _: usize) -> Result<usize, Error> {
        let (capacity, found) = (self.data.len().checked_div(self.width).unwrap_or(0), self.data.len());
        let expected = capacity.saturating_mul(self.width);
        let what = "the matrix of values";
        if expected == found { Ok(capacity) } else { Err(Error::ShapeMismatch { what, expected, found }) }
    }
    fn classes(&self) -> usize {
        1
    }
    fn class(&self, values: &[f32]) -> Result<u8, Error> {
        if values.len() != self.width {
            return Err(Error::ShapeMismatch { what: "a target row", expected: self.width, found: values.len() });
        }
        if all_finite(values) { Ok(0) } else { Err(Error::NonFiniteInput) }
    }
    fn class_at(&self, _: usize) -> u8 {
        0
    }
    fn put(&mut self, i: usize, values: &[f32]) {
        row_mut(self.data, i, self.width).iter_mut().zip(values).for_each(|(to, &from)| *to = from);
    }
    fn picked<'b>(&'b self, (inputs, width): (&'b [f32], usize), pick: &'b [u32]) -> Batch<'b> {
        let targets = Targets::Values(Rows::picked(self.data, self.width, pick));
        Batch { inputs: Rows::picked(inputs, width, pick), targets }
    }
    fn part<'b>(&'b self, (inputs, width): (&'b [f32], usize), places: Range<usize>) -> Batch<'b> {
        let rows = inputs.get(numbers(&places, width)).unwrap_or_default();
        let values = self.data.get(numbers(&places, self.width)).unwrap_or_default();
        Batch::values(rows, width, values, self.width)
    }
}

/// The inputs themselves, for a network that reproduces them: an autoencoder. No memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reconstruction;

impl Fingerprint for Reconstruction {
    fn describe(&self, digest: &mut Digest) {
        digest.kind("reconstruction");
    }
}

impl Persist for Reconstruction {
    fn save<S: Sink>(&self, _: &mut S) -> Result<(), S::Error> {
        Ok(())
    }
    fn load<O: Origin>(&mut self, _: &mut O) -> Result<(), O::Error> {
        Ok(())
    }
}

impl Answers for Reconstruction {
    type One<'b> = ();

    fn capacity(&self, rows: usize) -> Result<usize, Error> {
        Ok(rows)
    }
    fn classes(&self) -> usize {
        1
    }
    fn class(&self, (): ()) -> Result<u8, Error> {
        Ok(0)
    }
    fn class_at(&self, _: usize) -> u8 {
        0
    }
    fn put(&mut self, _: usize, (): ()) {}
    fn picked<'b>(&'b self, (inputs, width): (&'b [f32], usize), pick: &'b [u32]) -> Batch<'b> {
        let rows = Rows::picked(inputs, width, pick);
        Batch { inputs: rows, targets: Targets::Values(rows) }
    }
    fn part<'b>(&'b self, (inputs, width): (&'b [f32], usize), places: Range<usize>) -> Batch<'b> {
        let rows = inputs.get(numbers(&places, width)).unwrap_or_default();
        Batch::values(rows, width, rows, width)
    }
}

/// Where the numbers of neighbouring rows are.
const fn numbers(places: &Range<usize>, width: usize) -> Range<usize> {
    places.start.saturating_mul(width)..places.end.saturating_mul(width)
}
