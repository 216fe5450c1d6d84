//! The element types of IDX, from the format's own description.

/// The type code of unsigned bytes.
pub(super) const UNSIGNED_BYTE: u8 = 0x08;

/// A type of elements.
#[derive(Debug)]
pub(super) struct Element {
    /// Its code in the header.
    pub(super) code: u8,
    /// How many bytes an element has.
    pub(super) size: usize,
    /// The number of these bytes, the highest byte first; exact.
    number: fn(&[u8]) -> f64,
}

/// Reads a number of a type out of its bytes; zero where there are fewer.
macro_rules! number {
    ($type:ty) => {
        |bytes| bytes.first_chunk().map_or(0.0, |bytes| f64::from(<$type>::from_be_bytes(*bytes)))
    };
}

/// All types.
pub(super) const ELEMENTS: [Element; 6] = [
    Element { code: UNSIGNED_BYTE, size: 1, number: number!(u8) },
    Element { code: 0x09, size: 1, number: number!(i8) },
    Element { code: 0x0b, size: 2, number: number!(i16) },
    Element { code: 0x0c, size: 4, number: number!(i32) },
    Element { code: 0x0d, size: 4, number: number!(f32) },
    Element { code: 0x0e, size: 8, number: number!(f64) },
];

impl Element {
    /// The type of a code; `None` where there is none.
    pub(super) fn of(code: u8) -> Option<&'static Self> {
        ELEMENTS.iter().find(|element| element.code == code)
    }

    /// The numbers that these bytes are.
    pub(super) fn numbers<'a>(&self, bytes: &'a [u8]) -> impl Iterator<Item = f64> + 'a {
        bytes.chunks_exact(self.size).map(self.number)
    }
}
