//! Runs under way on several ranks, of which some may not see the first one's folder: what those would keep is posted to the first
//! rank, and what that has found is told to them.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::Result;

use super::halfway::{Halfway, not_kept};
use crate::container::bytes_of;
use crate::files::write_atomically;
use crate::ranks::{Post, Ranks};
use crate::store::Store;

/// Where runs are kept while they are under way, as one of several ranks sees it.
#[derive(Debug)]
pub struct Apart<'a> {
    store: &'a Store,
    is_there: bool,
    post: Arc<Post>,
    /// What the first rank has found, by key; nothing where every rank sees its folder.
    found: BTreeMap<String, Vec<u8>>,
}

impl<'a> Apart<'a> {
    /// Asks the first rank for what it has kept under some keys, if a rank needs it. Every rank must call this.
    ///
    /// # Errors
    /// If a rank cannot be asked.
    pub fn new(ranks: &Ranks, store: &'a Store, keys: &[&str]) -> Result<Self> {
        let is_there = store.is_there();
        let read = |key: &&str| Some(((*key).to_owned(), bytes_of(&store.half(key)).ok()?));
        let found = if ranks.all(is_there)? {
            BTreeMap::new()
        } else {
            ranks.lead(|| Ok(keys.iter().filter_map(read).collect()))?
        };
        Ok(Self { store, is_there, post: Arc::default(), found })
    }

    /// Where the run with a key is kept here.
    #[must_use]
    pub fn halfway(&self, key: &str) -> Halfway {
        if self.is_there {
            Halfway::of(self.store, key)
        } else {
            Halfway::posted(&self.post, key, self.found.get(key).cloned())
        }
    }

    /// A run has come to its end here: what is posted of it is not sent any more. Its file stays until the first rank has the result.
    pub fn ended(&self, key: &str) {
        self.post.take_back(key);
    }

    /// What is posted, and what the first rank does with it.
    pub fn mail(&self) -> (&Post, impl FnMut(&str, &[u8])) {
        let keep = |key: &str, bytes: &[u8]| {
            write_atomically(&self.store.half(key), bytes).unwrap_or_else(|error| not_kept(&error));
        };
        (&self.post, keep)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As on a machine that does not have the first one's disk.
    #[test]
    fn what_is_posted_is_found_by_the_next_call() {
        let home = tempfile::tempdir().expect("temporary directory");
        let store = Store::new(home.path());
        store.open().expect("writable");
        let ranks = Ranks::start().expect("one rank");
        let elsewhere = Store::new(&home.path().join("elsewhere"));
        let away = Apart::new(&ranks, &elsewhere, &["a"]).expect("asked");
        let halfway = away.halfway("a");
        assert!(halfway.found::<u32>().is_none());
        halfway.keep(&7, b"body");
        let first = Apart::new(&ranks, &store, &["a"]).expect("asked");
        let (mut keep, sent) = (first.mail().1, away.post.collect());
        sent.iter().for_each(|(key, bytes)| keep(key, bytes));
        assert_eq!(Halfway::of(&store, "a").found(), Some((7, b"body".to_vec())));
        // The next call: the first rank reads its file for the other one.
        let bytes = bytes_of(&store.half("a")).expect("there");
        let next = Apart { found: BTreeMap::from([("a".to_owned(), bytes)]), ..away };
        assert_eq!(next.halfway("a").found(), Some((7, b"body".to_vec())));
        assert!(next.halfway("b").found::<u32>().is_none());
        next.halfway("a").keep(&8, b"");
        next.ended("a");
        assert!(next.post.collect().is_empty());
    }
}
