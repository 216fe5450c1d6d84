//! Units of work whose results the first rank is told of while the others are still under way.
//!
//! Threads work; the thread that speaks to MPI collects what they have finished. Every so often, or when a rank has finished all of
//! its units, the ranks exchange what is new. So a result is with the first rank some seconds after its unit has ended, however long
//! the other units take. So is what a rank without the first one's disk [posts](Post) of a unit on its way.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use rayon::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Ranks, catch};

/// Shortest and longest time from one exchange to the next; it doubles from each to the next.
const PAUSES: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(16)];

/// What a rank has finished since it last said so, and whether that is all.
type Fresh<R> = (Vec<(usize, R)>, bool);
/// Most bytes that a rank posts in one exchange; what is beyond waits for the next one.
const MOST: usize = 64 << 20;

/// What units on their way are to have kept by the first rank: under each name, the newest only.
#[derive(Debug, Default)]
pub struct Post(Mutex<BTreeMap<String, Vec<u8>>>);

impl Post {
    /// Posts something, in the place of what has not been sent yet under that name.
    pub fn put(&self, name: &str, bytes: Vec<u8>) {
        self.all().insert(name.to_owned(), bytes);
    }

    /// Takes something back that has not been sent yet.
    pub fn take_back(&self, name: &str) {
        self.all().remove(name);
    }

    /// Takes what is to be sent now.
    pub(crate) fn collect(&self) -> Vec<(String, Vec<u8>)> {
        let (mut all, mut taken, mut size) = (self.all(), Vec::new(), 0);
        while let Some(entry) = all.first_entry() {
            size += entry.get().len();
            if size > MOST && !taken.is_empty() {
                break;
            }
            taken.push(entry.remove_entry());
        }
        taken
    }

    fn all(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Vec<u8>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ranks {
    /// [`try_map`](Self::try_map) that calls `told` on the first rank with each result and its unit's place, and `kept` with what is
    /// posted, both within some seconds.
    ///
    /// # Errors
    /// As [`try_map`](Self::try_map), and what `told` returns.
    pub fn try_map_told<U, R>(
        &self,
        units: &[U],
        work: impl Fn(&U) -> Result<R> + Sync,
        mut told: impl FnMut(usize, &R) -> Result<()>,
        (post, mut kept): (&Post, impl FnMut(&str, &[u8])),
    ) -> Result<Vec<R>>
    where
        U: Sync,
        R: Serialize + DeserializeOwned + Send,
    {
        let (sender, receiver) = channel();
        let is_over = AtomicBool::new(false);
        let own = (self.world.rank()..units.len()).step_by(self.count());
        thread::scope(|scope| {
            let (work, is_over) = (&work, &is_over);
            scope.spawn(move || {
                own.par_bridge().for_each_with(sender, |sender, i| {
                    if !is_over.load(Ordering::Relaxed) {
                        // Nobody listens once another rank has failed.
                        let _ = sender.send((i, catch(|| work(&units[i]))));
                    }
                });
            });
            let mut all: Vec<Option<R>> = units.iter().map(|_| None).collect();
            let done = self.exchange_all(&receiver, &mut all, &mut told, (post, &mut kept));
            // No unit is begun any more.
            is_over.store(true, Ordering::Relaxed);
            done?;
            all.into_iter().collect::<Option<Vec<R>>>().context("ranks do not agree about the units of work")
        })
    }

    /// Exchanges what is finished until all ranks have finished.
    fn exchange_all<R: Serialize + DeserializeOwned>(
        &self,
        receiver: &Receiver<(usize, Result<R>)>,
        all: &mut [Option<R>],
        told: &mut impl FnMut(usize, &R) -> Result<()>,
        (post, kept): (&Post, &mut impl FnMut(&str, &[u8])),
    ) -> Result<()> {
        let mut pause = PAUSES[0];
        loop {
            // What is posted comes after: nothing is of a unit that is finished.
            let own = fresh(receiver, pause).map(|fresh| (fresh, post.collect()));
            let parts = self.share(own)?;
            let is_done = parts.iter().all(|((_, is_done), _)| *is_done);
            let (parts, posted): (Vec<Fresh<R>>, Vec<_>) = parts.into_iter().unzip();
            let fresh: Vec<(usize, R)> = parts.into_iter().flat_map(|(fresh, _)| fresh).collect();
            if self.is_first() {
                posted.iter().flatten().for_each(|(name, bytes)| kept(name, bytes));
            }
            if !fresh.is_empty() {
                self.lead(|| fresh.iter().try_for_each(|(i, result)| told(*i, result)))?;
            }
            for (i, result) in fresh {
                *all.get_mut(i).context("a unit of work that nobody has")? = Some(result);
            }
            if is_done {
                return Ok(());
            }
            pause = (2 * pause).min(PAUSES[1]);
        }
    }
}

/// What has been finished when the time is over, or all is; or the first failure, at once.
fn fresh<R>(receiver: &Receiver<(usize, Result<R>)>, pause: Duration) -> Result<Fresh<R>> {
    let (end, mut finished) = (Instant::now() + pause, Vec::new());
    loop {
        match receiver.recv_timeout(end.saturating_duration_since(Instant::now())) {
            Ok((i, result)) => finished.push((i, result?)),
            Err(RecvTimeoutError::Timeout) => return Ok((finished, false)),
            Err(RecvTimeoutError::Disconnected) => return Ok((finished, true)),
        }
    }
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;

    #[test]
    fn what_is_finished_is_told_before_the_rest() {
        let (sender, receiver) = channel();
        sender.send((3, Ok(7))).expect("sent");
        assert_eq!(fresh(&receiver, Duration::from_millis(1)).expect("no failure"), (vec![(3, 7)], false));
        sender.send((4, Ok(8))).expect("sent");
        let other = sender.clone();
        drop(sender);
        assert_eq!(fresh(&receiver, Duration::from_millis(1)).expect("no failure"), (vec![(4, 8)], false));
        other.send((5, Err(anyhow!("no")))).expect("sent");
        assert_eq!(fresh(&receiver, Duration::from_secs(600)).expect_err("at once").to_string(), "no");
        drop(other);
        assert_eq!(fresh(&receiver, Duration::from_secs(600)).expect("no failure"), (Vec::<(usize, i32)>::new(), true));
    }

    #[test]
    fn every_result_is_told_of_and_returned_in_its_place() {
        let ranks = Ranks::start().expect("one rank");
        let units: Vec<u32> = (0..40).collect();
        let mut seen = Vec::new();
        let told = |i, result: &u32| {
            seen.push((i, *result));
            Ok(())
        };
        let all = ranks
            .try_map_told(&units, |unit| Ok(2 * unit), told, (&Post::default(), |_: &str, _: &[u8]| {}))
            .expect("no failure");
        assert_eq!(all, units.iter().map(|unit| 2 * unit).collect::<Vec<_>>());
        seen.sort_unstable();
        assert_eq!(seen, units.iter().map(|unit| (*unit as usize, 2 * unit)).collect::<Vec<_>>());
        let fails = |unit: &u32| if *unit == 20 { Err(anyhow!("unit 20")) } else { Ok(*unit) };
        assert!(
            ranks
                .try_map_told(&units, fails, |_, _| Ok(()), (&Post::default(), |_: &str, _: &[u8]| {}))
                .unwrap_err()
                .to_string()
                .contains("unit 20")
        );
        let full = ranks.try_map_told(
            &units,
            |unit| Ok(*unit),
            |_, _| Err(anyhow!("disk full")),
            (&Post::default(), |_: &str, _: &[u8]| {}),
        );
        assert!(full.unwrap_err().to_string().contains("disk full"));
    }

    #[test]
    fn what_is_posted_is_kept_before_its_unit_is_finished() {
        let ranks = Ranks::start().expect("one rank");
        let post = Post::default();
        let mut seen = Vec::new();
        let work = |unit: &u32| {
            post.put(&format!("unit {unit}"), vec![1]);
            post.put(&format!("unit {unit}"), vec![2]);
            if *unit == 1 {
                post.take_back("unit 1");
            }
            Ok(*unit)
        };
        let kept = |name: &str, bytes: &[u8]| seen.push((name.to_owned(), bytes.to_vec()));
        ranks.try_map_told(&[0, 1, 2], work, |_, _| Ok(()), (&post, kept)).expect("no failure");
        assert_eq!(seen, [("unit 0".to_owned(), vec![2]), ("unit 2".to_owned(), vec![2])]);
        post.put("a", vec![0; MOST - 1]);
        post.put("b", vec![0; 2]);
        let sizes = [post.collect(), post.collect(), post.collect()].map(|taken| taken.len());
        assert_eq!(sizes, [1, 1, 0]);
    }
}
