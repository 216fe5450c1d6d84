//! The bytes of a checkpoint: written through `Summing`, read back through `Reader`.

use crate::checksum::{CRC32, Running, update};
use crate::error::CheckpointError;
use crate::persist::{CHUNK, Origin, Persist, Sink};

/// First bytes of every checkpoint.
pub const MAGIC: [u8; 4] = *b"L2OR";
/// The version that this crate reads and writes.
pub const VERSION: u8 = 1;
/// Bytes before the state.
pub const HEADER: usize = 28;
/// Bytes after the state.
pub const TRAILER: usize = 4;

/// A place that a checkpoint is read from.
///
/// A checkpoint is read twice: once to verify it, and once to load it.
pub trait Store {
    /// How many bytes there are.
    fn len(&self) -> usize;

    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Fills `bytes`, at most [`CHUNK`] of them, from position `at`, a multiple of [`CHUNK`]; returns whether it could.
    fn read(&mut self, at: usize, bytes: &mut [u8]) -> bool;
}

impl Store for &[u8] {
    fn len(&self) -> usize {
        <[u8]>::len(self)
    }
    fn read(&mut self, at: usize, bytes: &mut [u8]) -> bool {
        match self.get(at..at.saturating_add(bytes.len())) {
            Some(from) => {
                bytes.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
                true
            }
            None => false,
        }
    }
}

/// A slice to write a checkpoint into.
///
/// Its error, a full buffer, is `()`: ask [`checkpoint_len`](crate::Trainer::checkpoint_len) before.
#[derive(Debug)]
pub struct Buffer<'a> {
    bytes: &'a mut [u8],
    used: usize,
}

impl<'a> Buffer<'a> {
    /// An empty buffer over these bytes.
    pub const fn new(bytes: &'a mut [u8]) -> Self {
        Self { bytes, used: 0 }
    }

    /// What was written so far.
    #[must_use]
    pub fn written(&self) -> &[u8] {
        self.bytes.get(..self.used).unwrap_or(&[])
    }
}

impl Sink for Buffer<'_> {
    type Error = ();
    fn put(&mut self, bytes: &[u8]) -> Result<(), ()> {
        let end = self.used.saturating_add(bytes.len());
        let to = self.bytes.get_mut(self.used..end).ok_or(())?;
        to.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
        self.used = end;
        Ok(())
    }
}

/// Passes bytes on and updates their checksum.
pub(super) struct Summing<'a, S> {
    sink: &'a mut S,
    sum: Running,
}

impl<'a, S: Sink> Summing<'a, S> {
    pub(super) const fn new(sink: &'a mut S) -> Self {
        Self { sink, sum: CRC32.digest() }
    }

    /// Writes the checksum of all bytes so far, and starts a new one.
    pub(super) fn close(&mut self) -> Result<(), S::Error> {
        let sum = core::mem::replace(&mut self.sum, CRC32.digest()).finalize();
        self.sink.put(&sum.to_le_bytes())
    }
}

impl<S: Sink> Sink for Summing<'_, S> {
    type Error = S::Error;
    #[inline(never)]
    fn put(&mut self, bytes: &[u8]) -> Result<(), S::Error> {
        update(&mut self.sum, bytes);
        self.sink.put(bytes)
    }
}

/// What a checkpoint belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Marks {
    pub(super) objective: u32,
    pub(super) optimizer: u32,
    pub(super) source: u32,
}

/// What stands before the state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) marks: Marks,
    /// Bytes of the state.
    pub(super) length: u32,
    /// Bytes at the end of the state that are a standardizer's.
    pub(super) standardizer: u32,
}

impl Header {
    /// Writes the header with its checksum.
    pub(super) fn write<S: Sink>(&self, sink: &mut Summing<'_, S>) -> Result<(), S::Error> {
        sink.put(&MAGIC)?;
        // Three bytes that were 0 before they had a meaning.
        let [a, b, c, over] = self.standardizer.to_le_bytes();
        sink.put(&if over == 0 { [VERSION, a, b, c] } else { [VERSION, 0, 0, 0] })?;
        let Marks { objective, optimizer, source } = self.marks;
        [objective, optimizer, source, self.length].save(sink)?;
        sink.close()
    }

    /// How long the whole is by the header.
    pub(super) const fn total(&self) -> usize {
        HEADER.saturating_add(self.length as usize).saturating_add(TRAILER)
    }
}

/// Reads a store from its beginning to its end, and updates a checksum.
pub(super) struct Reader<'a, S> {
    store: &'a mut S,
    buffer: [u8; CHUNK],
    /// The position in the store; what is left of the buffer begins there.
    at: usize,
    sum: Running,
}

impl<'a, S: Store> Reader<'a, S> {
    pub(super) const fn new(store: &'a mut S) -> Self {
        Self { store, buffer: [0; CHUNK], at: 0, sum: CRC32.digest() }
    }

    /// Reads a header and sees whether the store is as long as it says.
    pub(super) fn header(&mut self) -> Result<Header, CheckpointError> {
        let found = self.store.len();
        if found < HEADER {
            return Err(CheckpointError::Length { expected: HEADER, found });
        }
        let (mut magic, mut version, mut words) = ([0; 4], [0; 4], [0u32; 4]);
        self.take(&mut magic)?;
        if magic != MAGIC {
            return Err(CheckpointError::Foreign);
        }
        self.take(&mut version)?;
        let [version, a, b, c] = version;
        if version != VERSION {
            return Err(CheckpointError::Version { found: version, known: VERSION });
        }
        words.load(self)?;
        self.close()?;
        let [objective, optimizer, source, length] = words;
        let standardizer = u32::from_le_bytes([a, b, c, 0]);
        let header = Header { marks: Marks { objective, optimizer, source }, length, standardizer };
        if header.total() == found {
            Ok(header)
        } else {
            Err(CheckpointError::Length { expected: header.total(), found })
        }
    }

    /// Reads over so many bytes.
    pub(super) fn skip(&mut self, mut length: usize) -> Result<(), CheckpointError> {
        let mut bytes = [0; CHUNK];
        while length > 0 {
            let part = length.min(CHUNK);
            self.take(bytes.get_mut(..part).unwrap_or(&mut []))?;
            length -= part;
        }
        Ok(())
    }

    /// Compares the checksum that comes next with that of all bytes so far, and starts a new one.
    pub(super) fn close(&mut self) -> Result<(), CheckpointError> {
        let sum = core::mem::replace(&mut self.sum, CRC32.digest()).finalize();
        let mut expected = 0u32;
        expected.load(self)?;
        self.sum = CRC32.digest();
        if sum == expected { Ok(()) } else { Err(CheckpointError::Damaged) }
    }

    /// Fills the buffer with the chunk that begins at the position.
    fn fill(&mut self) -> Result<(), CheckpointError> {
        let length = self.store.len().saturating_sub(self.at).min(CHUNK);
        let bytes = self.buffer.get_mut(..length).unwrap_or(&mut []);
        if length > 0 && self.store.read(self.at, bytes) { Ok(()) } else { Err(CheckpointError::Unreadable) }
    }
}

impl<S: Store> Origin for Reader<'_, S> {
    type Error = CheckpointError;

    #[inline(never)]
    fn take(&mut self, bytes: &mut [u8]) -> Result<(), CheckpointError> {
        if self.at.saturating_add(bytes.len()) > self.store.len() {
            return Err(CheckpointError::Length { expected: self.at + bytes.len(), found: self.store.len() });
        }
        for to in &mut *bytes {
            let place = self.at % CHUNK;
            if place == 0 {
                self.fill()?;
            }
            *to = self.buffer.get(place).copied().unwrap_or(0);
            self.at += 1;
        }
        update(&mut self.sum, bytes);
        Ok(())
    }
}

/// Verifies length and checksum of any checkpoint and returns its header.
#[inline(never)]
pub(super) fn verify(store: &mut impl Store) -> Result<Header, CheckpointError> {
    let mut reader = Reader::new(store);
    let header = reader.header()?;
    reader.skip(header.length as usize)?;
    reader.close()?;
    Ok(header)
}
