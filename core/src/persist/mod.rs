//! What outlives a restart: numbers and tensors as bytes, little-endian, in a fixed order.
//!
//! A value writes itself to a [`Sink`] piece by piece and reads itself back from an [`Origin`] the same way, so that
//! no second copy of it is ever in memory.

pub mod fingerprint;

pub use fingerprint::{Digest, Fingerprint};

use crate::tensors::Tensors;

/// How many bytes are handled at a time.
pub const CHUNK: usize = 64;

/// Where bytes go, one after the other.
pub trait Sink {
    /// What can go wrong.
    type Error;

    /// Takes some bytes.
    ///
    /// # Errors
    /// Whatever is wrong with the place that they go to.
    fn put(&mut self, bytes: &[u8]) -> Result<(), Self::Error>;
}

/// Where bytes come from, one after the other.
pub trait Origin {
    /// What can go wrong.
    type Error;

    /// Fills `bytes` with the next ones; they hold what the state has there now, so that an origin may also change a part
    /// of it only.
    ///
    /// # Errors
    /// Whatever is wrong with the place that they come from, its end among it.
    fn take(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error>;
}

/// State that a checkpoint holds.
///
/// How many bytes it takes depends on its shape only, never on its numbers, and any bytes of that number can be read
/// back. Working memory that each round writes before it reads is left out.
///
/// ```
/// use lgl2o::persist::Persist;
/// use lgl2o::{Rng, persist_fields};
///
/// /// A source that computes its examples.
/// struct Stream {
///     rng: Rng,
///     count: u32,
///     last: [f32; 2], // overwritten by every example: nothing to keep
/// }
///
/// impl Persist for Stream {
///     persist_fields!(rng, count);
/// }
/// # let _ = |s: &Stream| s.last;
/// ```
pub trait Persist {
    /// Writes the state.
    ///
    /// # Errors
    /// What the sink says.
    fn save<S: Sink>(&self, sink: &mut S) -> Result<(), S::Error>;

    /// Reads what [`save`](Self::save) wrote.
    ///
    /// # Errors
    /// What the origin says; the state is then partly read.
    fn load<O: Origin>(&mut self, origin: &mut O) -> Result<(), O::Error>;

    /// How many bytes at the end of the state are a [standardizer](crate::standardize)'s, for a [`Model`](crate::Model) to
    /// find; 0 for none.
    fn standardizer_len(&self) -> usize {
        0
    }
}

/// The two functions of a [`Persist`](crate::persist::Persist) that keeps the named fields, in this order.
#[macro_export]
macro_rules! persist_fields {
    ($($field:tt),* $(,)?) => {
        fn save<Into: $crate::persist::Sink>(&self, sink: &mut Into) -> Result<(), Into::Error> {
            let _ = &sink;
            $($crate::persist::Persist::save(&self.$field, sink)?;)*
            Ok(())
        }
        fn load<From: $crate::persist::Origin>(&mut self, origin: &mut From) -> Result<(), From::Error> {
            let _ = &origin;
            $($crate::persist::Persist::load(&mut self.$field, origin)?;)*
            Ok(())
        }
    };
}

macro_rules! persist_numbers {
    ($($number:ty),+) => {
        $(
            impl Persist for $number {
                fn save<S: Sink>(&self, sink: &mut S) -> Result<(), S::Error> {
                    sink.put(&self.to_le_bytes())
                }
                fn load<O: Origin>(&mut self, origin: &mut O) -> Result<(), O::Error> {
                    let mut bytes = self.to_le_bytes();
                    origin.take(&mut bytes)?;
                    *self = <$number>::from_le_bytes(bytes);
                    Ok(())
                }
            }
        )+
    };
}

persist_numbers!(u8, u32, u64, f32);

/// One byte; all but 0 are true.
impl Persist for bool {
    fn save<S: Sink>(&self, sink: &mut S) -> Result<(), S::Error> {
        u8::from(*self).save(sink)
    }
    fn load<O: Origin>(&mut self, origin: &mut O) -> Result<(), O::Error> {
        let mut byte = u8::from(*self);
        byte.load(origin)?;
        *self = byte != 0;
        Ok(())
    }
}

impl<const N: usize> Persist for [u32; N] {
    fn save<S: Sink>(&self, sink: &mut S) -> Result<(), S::Error> {
        self.iter().try_for_each(|word| word.save(sink))
    }
    fn load<O: Origin>(&mut self, origin: &mut O) -> Result<(), O::Error> {
        self.iter_mut().try_for_each(|word| word.load(origin))
    }
}

/// Everything that is a list of tensors, number by number.
impl<T: Tensors> Persist for T {
    fn save<S: Sink>(&self, sink: &mut S) -> Result<(), S::Error> {
        (0..self.count()).try_for_each(|i| save_numbers(self.tensor(i), sink))
    }
    fn load<O: Origin>(&mut self, origin: &mut O) -> Result<(), O::Error> {
        (0..self.count()).try_for_each(|i| load_numbers(self.tensor_mut(i), origin))
    }
}

/// Counts bytes instead of writing them.
#[derive(Debug, Clone, Copy, Default)]
struct Length(usize);

impl Sink for Length {
    type Error = core::convert::Infallible;
    fn put(&mut self, bytes: &[u8]) -> Result<(), Self::Error> {
        self.0 += bytes.len();
        Ok(())
    }
}

/// How many bytes a state takes.
pub(crate) fn length(state: &impl Persist) -> usize {
    let mut length = Length::default();
    match state.save(&mut length) {
        Ok(()) => length.0,
    }
}

/// Numbers as bytes, at the front of the buffer; returns these bytes.
fn encode<'b>(numbers: &[f32], buffer: &'b mut [u8; CHUNK]) -> &'b mut [u8] {
    for (bytes, number) in buffer.as_chunks_mut().0.iter_mut().zip(numbers) {
        *bytes = number.to_le_bytes();
    }
    buffer.get_mut(..4 * numbers.len()).unwrap_or(&mut [])
}

#[inline(never)]
pub(crate) fn save_numbers<S: Sink>(numbers: &[f32], sink: &mut S) -> Result<(), S::Error> {
    let mut buffer = [0; CHUNK];
    numbers.chunks(CHUNK / 4).try_for_each(|part| sink.put(encode(part, &mut buffer)))
}

#[inline(never)]
pub(crate) fn load_numbers<O: Origin>(numbers: &mut [f32], origin: &mut O) -> Result<(), O::Error> {
    let mut buffer = [0; CHUNK];
    for part in numbers.chunks_mut(CHUNK / 4) {
        let bytes = encode(part, &mut buffer);
        origin.take(bytes)?;
        for (number, bytes) in part.iter_mut().zip(bytes.as_chunks().0) {
            *number = f32::from_le_bytes(*bytes);
        }
    }
    Ok(())
}
