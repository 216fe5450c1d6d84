//! Fingerprints: a number that tells one configuration from another.
//!
//! A checkpoint makes sense only to the network, optimizer and source that it was made with. Each of them describes
//! itself, by its kind and its settings, to a [`Digest`], whose CRC-32 the checkpoint holds. Two configurations that
//! differ by accident have the same one with a probability of 2^-32.

use crate::checksum::{CRC32, Running, update};

/// Takes in a description.
pub struct Digest(Running);

impl Default for Digest {
    fn default() -> Self {
        Self::new()
    }
}

impl Digest {
    /// Nothing taken in yet.
    #[must_use]
    pub const fn new() -> Self {
        Self(CRC32.digest())
    }

    /// A name of a kind. Its length is taken in too, so that no two lists of kinds run together.
    pub fn kind(&mut self, name: &str) {
        self.word(name.len() as u32);
        update(&mut self.0, name.as_bytes());
    }

    /// A count, a choice or a switch.
    pub fn word(&mut self, word: u32) {
        update(&mut self.0, &word.to_le_bytes());
    }

    /// Settings, bit for bit.
    pub fn numbers(&mut self, numbers: impl IntoIterator<Item = f32>) {
        numbers.into_iter().for_each(|number| self.word(number.to_bits()));
    }

    /// The fingerprint of all that was taken in.
    #[must_use]
    pub fn finish(self) -> u32 {
        self.0.finalize()
    }
}

/// A configuration that can be told from another.
pub trait Fingerprint {
    /// Describes itself: its kind, then whatever a resumed run depends on.
    fn describe(&self, digest: &mut Digest);

    /// The fingerprint.
    fn fingerprint(&self) -> u32 {
        let mut digest = Digest::new();
        self.describe(&mut digest);
        digest.finish()
    }
}

impl<T: Fingerprint> Fingerprint for &T {
    fn describe(&self, digest: &mut Digest) {
        (**self).describe(digest);
    }
}
