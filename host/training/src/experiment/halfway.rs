//! A run under way, on disk: a program that is killed in the middle of a long run goes on in the middle of it.
//!
//! The file stands beside the finished units of a [`Store`], is written anew every few seconds, and goes away when its unit is
//! finished. It holds the unit's key, so that it is never taken for another run's; one that cannot be read counts as not
//! there.

use std::cell::Cell;
use std::convert::Infallible;
use std::path::PathBuf;
use std::sync::{Arc, Once};
use std::time::{Duration, Instant};

use lgl2o::Guard;
use lgl2o::checkpoint::{Buffer, Fingerprint, Origin, Persist, Sink};
use lgl2o::objective::Mlp;
use lgl2o::trainer::Trainer;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::container::{self, Kind};
use crate::files::write_atomically;
use crate::network::{HeapNetwork, HeapTensors};
use crate::ranks::Post;
use crate::say;
use crate::store::Store;

/// The file.
const KIND: Kind = Kind { magic: *b"L2OU", version: 1, name: "a run under way" };
/// Shortest and longest time from one file to the next. In between it is [`SHARE`] times what writing one takes.
const PAUSES: [Duration; 2] = [Duration::from_secs(5), Duration::from_secs(25)];
const SHARE: u32 = 30;

/// Where a run is kept while it is under way.
#[derive(Debug)]
pub struct Halfway {
    /// The key, and where; none if it is kept nowhere.
    place: Option<(String, Place)>,
    pauses: [Duration; 2],
    due: Cell<Instant>,
    /// How often it may still be kept.
    left: Cell<u32>,
}

#[derive(Debug)]
enum Place {
    /// A file.
    File(PathBuf),
    /// The first rank's file, which is not to be seen from here: what is posted to it, and what was found there.
    Post(Arc<Post>, Option<Vec<u8>>),
}

#[derive(Serialize)]
struct Written<'a, T> {
    key: &'a str,
    state: &'a T,
}

#[derive(Deserialize)]
struct Read<T> {
    key: String,
    state: T,
}

impl Halfway {
    /// A run that is not kept.
    #[must_use]
    pub fn nowhere() -> Self {
        Self { place: None, pauses: PAUSES, due: Cell::new(Instant::now()), left: Cell::new(0) }
    }

    /// The run with a key, beside the finished ones of a store.
    #[must_use]
    pub fn of(store: &Store, key: &str) -> Self {
        Self::at(key, Place::File(store.half(key)))
    }

    /// The run with a key that the first rank keeps, with what it has found of it.
    #[must_use]
    pub fn posted(post: &Arc<Post>, key: &str, found: Option<Vec<u8>>) -> Self {
        Self::at(key, Place::Post(Arc::clone(post), found))
    }

    fn at(key: &str, place: Place) -> Self {
        let due = Cell::new(Instant::now() + PAUSES[0]);
        Self { place: Some((key.to_owned(), place)), pauses: PAUSES, due, left: Cell::new(u32::MAX) }
    }

    /// The same that is kept so many times, as soon as there is something, and then left as if the program were killed.
    #[cfg(test)]
    pub(crate) fn killed(store: &Store, key: &str, times: u32) -> Self {
        let due = Cell::new(Instant::now());
        Self { pauses: [Duration::ZERO; 2], due, left: Cell::new(times), ..Self::of(store, key) }
    }

    /// What was kept of it: the state and the bytes that go with it.
    #[must_use]
    pub fn found<T: DeserializeOwned>(&self) -> Option<(T, Vec<u8>)> {
        let (key, place) = self.place.as_ref()?;
        let bytes = match place {
            Place::File(path) => container::bytes_of(path).ok()?,
            Place::Post(_, found) => found.clone()?,
        };
        let (Read { key: found, state }, body) = container::read::<Read<T>>(KIND, &bytes).ok()?;
        (found == *key).then(|| (state, body.to_vec()))
    }

    /// Whether it is time to keep it again.
    #[must_use]
    pub fn is_due(&self) -> bool {
        self.left.get() > 0 && Instant::now() >= self.due.get()
    }

    /// Keeps it. Where that fails, the work goes on: only an interruption would lose something.
    pub fn keep<T: Serialize>(&self, state: &T, body: &[u8]) {
        let Some((key, place)) = &self.place else { return };
        let begun = Instant::now();
        let bytes = container::write(KIND, &Written { key, state }, body);
        match place {
            Place::File(path) => write_atomically(path, &bytes).unwrap_or_else(|error| not_kept(&error)),
            Place::Post(post, _) => post.put(key, bytes),
        }
        let pause = (begun.elapsed() * SHARE).clamp(self.pauses[0], self.pauses[1]);
        self.left.set(self.left.get().saturating_sub(1));
        self.due.set(Instant::now() + pause);
    }

    /// It is finished, and kept as that.
    pub fn finish(&self) {
        match &self.place {
            // Mostly it was too short for a file.
            Some((_, Place::File(path))) => drop(std::fs::remove_file(path)),
            Some((key, Place::Post(post, _))) => post.take_back(key),
            None => {}
        }
    }
}

/// Says once that something cannot be kept.
pub fn not_kept(error: &anyhow::Error) {
    static SAID: Once = Once::new();
    SAID.call_once(|| {
        say::note(format_args!(
            "{}; the work continues, but after an interruption it restarts from what was kept before",
            say::told(error)
        ));
    });
}

/// The core's checkpoint of a run.
#[must_use]
pub fn checkpoint<G, S>(trainer: &Trainer<'_, Mlp<HeapNetwork>, G>, source: &S) -> Vec<u8>
where
    G: Guard + Fingerprint,
    G::Memory<HeapTensors>: Persist,
    S: Persist + Fingerprint,
{
    let mut bytes = vec![0; trainer.checkpoint_len(source)];
    // It has the length that it takes.
    let _ = trainer.save(source, &mut Buffer::new(&mut bytes));
    bytes
}

/// Bytes at the end of a vector.
#[derive(Debug, Default)]
pub struct Bytes(pub Vec<u8>);

impl Sink for Bytes {
    type Error = Infallible;
    fn put(&mut self, bytes: &[u8]) -> Result<(), Infallible> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }
}

/// Bytes that are read one after the other.
#[derive(Debug)]
pub struct Rest<'a>(pub &'a [u8]);

impl Origin for Rest<'_> {
    /// There are too few.
    type Error = ();
    fn take(&mut self, bytes: &mut [u8]) -> Result<(), ()> {
        let (taken, rest) = self.0.split_at_checked(bytes.len()).ok_or(())?;
        bytes.copy_from_slice(taken);
        self.0 = rest;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_kept_is_found_under_its_key_only_until_it_is_finished() {
        let home = tempfile::tempdir().expect("temporary directory");
        let store = Store::new(home.path());
        store.open().expect("writable");
        let one = Halfway::of(&store, "one");
        assert_eq!(one.found::<u32>(), None);
        assert!(!one.is_due(), "short runs are never kept");
        one.keep(&7, b"body");
        assert_eq!(Halfway::of(&store, "one").found(), Some((7, b"body".to_vec())));
        std::fs::copy(store.half("one"), store.half("two")).expect("copied");
        assert_eq!(Halfway::of(&store, "two").found::<u32>(), None, "another run's");
        let mut bytes = std::fs::read(store.half("one")).expect("there");
        bytes[20] ^= 1;
        std::fs::write(store.half("one"), bytes).expect("written");
        assert_eq!(one.found::<u32>(), None, "damaged");
        one.finish();
        assert!(!store.half("one").exists());
        let nowhere = Halfway::nowhere();
        nowhere.keep(&1, b"");
        assert!(!nowhere.is_due() && nowhere.found::<u32>().is_none());
    }
}
