//! Ranks: the processes that a run is spread over by MPI.
//!
//! ```text
//! mpirun -n 4 lgl2o meta-train --config host/meta/ngn.toml
//! ```
//!
//! starts the program four times, as ranks 0 to 3. All of them do the same, except for units of work ([`Ranks::map`]):
//! unit i is done by rank i mod 4, with threads inside the rank, and everyone then has the results of all units, in
//! their order. Random numbers belong to units and sums run in the units' order, so results do not depend on the number
//! of ranks. Files are written, and things said, by the first rank ([`Ranks::lead`]).
//!
//! What fails on one rank, even by a panic, fails on all, with the rank in the message. A rank that is killed takes
//! `mpirun` and the other ranks with it.
//!
//! Each rank has as many threads as it may use cores, so where ranks share a machine, bind them to cores of their own
//! (`mpirun --bind-to core`, or `--map-by slot:PE=4` for four each), or say `--threads`. Every rank reads the
//! configuration and the data itself; only the first one needs the output directory.
//!
//! Without the feature `mpi` there is one rank. With it, the program needs an MPI library (Open MPI, MPICH) and
//! libclang when it is built.

#[cfg(not(feature = "mpi"))]
mod alone;
#[cfg(feature = "mpi")]
mod mpi;
mod told;

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use anyhow::{Context, Result, anyhow};
use rayon::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::interrupt::{self, Interrupted};
use crate::say;

pub use told::Post;

#[cfg(not(feature = "mpi"))]
use alone::World;
#[cfg(feature = "mpi")]
use mpi::World;

/// The processes of this run, seen by one of them.
#[derive(Debug)]
pub struct Ranks {
    world: World,
}

/// A failure that every rank knows of, so that one of them can say it for all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Agreed(String);

impl Ranks {
    /// Joins the others. To be called once in a process, by the thread that makes all later calls.
    ///
    /// # Errors
    /// If MPI cannot be started.
    pub fn start() -> Result<Self> {
        Ok(Self { world: World::start()? })
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.world.count()
    }

    /// Whether this is the one that writes files and speaks.
    #[must_use]
    pub fn is_first(&self) -> bool {
        self.world.rank() == 0
    }

    /// Runs units of work, each on one rank; returns the results of all to everyone, in the units' order.
    ///
    /// Every rank must call this, with the same units.
    ///
    /// # Errors
    /// If the work panics on another rank, or here while there are other ranks.
    pub fn map<U, R>(&self, units: &[U], work: impl Fn(&U) -> R + Sync) -> Result<Vec<R>>
    where
        U: Sync,
        R: Serialize + DeserializeOwned + Send,
    {
        self.try_map(units, |unit| Ok(work(unit)))
    }

    /// [`map`](Self::map) for work that changes its unit. Units of other ranks stay as they are, so what is needed of
    /// all of them must be in the results.
    ///
    /// # Errors
    /// Those of [`map`](Self::map).
    pub fn map_mut<U, R>(&self, units: &mut [U], work: impl Fn(&mut U) -> R + Sync) -> Result<Vec<R>>
    where
        U: Send,
        R: Serialize + DeserializeOwned + Send,
    {
        let count = units.len();
        let own = units.iter_mut().skip(self.world.rank()).step_by(self.count()).collect();
        self.spread(count, own, |unit| Ok(work(unit)))
    }

    /// [`map`](Self::map) for work that may fail.
    ///
    /// # Errors
    /// The first error of the first rank that has one.
    pub fn try_map<U, R>(&self, units: &[U], work: impl Fn(&U) -> Result<R> + Sync) -> Result<Vec<R>>
    where
        U: Sync,
        R: Serialize + DeserializeOwned + Send,
    {
        let own = units.iter().skip(self.world.rank()).step_by(self.count()).collect();
        self.spread(units.len(), own, work)
    }

    fn spread<T, R>(&self, count: usize, own: Vec<T>, work: impl Fn(T) -> Result<R> + Sync) -> Result<Vec<R>>
    where
        T: Send,
        R: Serialize + DeserializeOwned + Send,
    {
        // Threads take units one by one, in their order: callers put the long ones first.
        let all = || {
            let units = own.into_iter().enumerate().par_bridge();
            let mut done: Vec<_> = units.map(|(i, unit)| (i, work(unit))).collect();
            done.sort_unstable_by_key(|(i, _)| *i);
            done.into_iter().map(|(_, result)| result).collect::<Result<Vec<R>>>()
        };
        if self.count() == 1 {
            return all();
        }
        let parts = self.share(catch(all))?;
        interleave(parts, count).context("ranks do not agree about the units of work")
    }

    /// Runs something on the first rank only; returns its result to everyone.
    ///
    /// # Errors
    /// What fails there.
    pub fn lead<R: Serialize + DeserializeOwned>(&self, work: impl FnOnce() -> Result<R>) -> Result<R> {
        if self.count() == 1 {
            return work();
        }
        let own = if self.is_first() { catch(work).map(Some) } else { Ok(None) };
        self.share(own)?.swap_remove(0).context("the first rank says nothing")
    }

    /// Whether something holds on every rank.
    ///
    /// # Errors
    /// If a rank cannot be asked.
    pub fn all(&self, own: bool) -> Result<bool> {
        Ok(self.share(Ok(own))?.into_iter().all(|holds| holds))
    }

    /// Makes a failure of one rank, in something that all of them do for themselves, a failure of all.
    ///
    /// # Errors
    /// What failed here or elsewhere.
    pub fn agree<T>(&self, own: Result<T>) -> Result<T> {
        if self.count() == 1 {
            return own;
        }
        let (value, said) = match own {
            Ok(value) => (Some(value), Ok(())),
            Err(error) => (None, Err(error)),
        };
        self.share(said)?;
        value.context("a failure that was not told")
    }

    /// Runs the whole program on this rank, so that none is left waiting for one that failed alone: that one says so
    /// and ends all of them.
    ///
    /// Gives the result back if every rank has the same, and this one is to say it.
    pub fn run<E>(&self, work: impl FnOnce() -> Result<(), E>, of: impl Fn(&E) -> (&anyhow::Error, u8)) -> Ended<E> {
        if self.count() == 1 {
            return Ended::Here(work());
        }
        let (message, status) = match catch_unwind(AssertUnwindSafe(work)) {
            Ok(Ok(())) => return Ended::Here(Ok(())),
            Ok(Err(error)) => {
                let (inner, status) = of(&error);
                if inner.chain().any(|cause| cause.is::<Agreed>()) {
                    return if self.is_first() { Ended::Here(Err(error)) } else { Ended::Elsewhere(status) };
                }
                (say::told(inner), status)
            }
            Err(panic) => (format!("panicked: {}", text(&*panic)), 1),
        };
        say::note(format_args!("error: {}: {message}", self.name(self.world.rank())));
        self.world.abort(status)
    }

    /// What a unit of work asks before it begins, in any thread: it may be left out once the program is asked to end. Where there
    /// are several ranks, the signal may have reached only some of them, so they go on. It returns an error if the unit need not
    /// begin.
    pub fn unless_interrupted(&self) -> impl Fn() -> Result<()> + Sync + use<> {
        let is_alone = self.count() == 1;
        move || {
            if is_alone && interrupt::asked() {
                return Err(Interrupted::new("a unit of work was left out").into());
            }
            Ok(())
        }
    }

    fn name(&self, rank: usize) -> String {
        format!("rank {rank} of {}", self.count())
    }

    /// Gives what each rank has to everyone, in the order of the ranks; or the failure of those that have one.
    fn share<T: Serialize + DeserializeOwned>(&self, own: Result<T>) -> Result<Vec<T>> {
        let own = own.map_err(|error| say::told(&error));
        let parts = self.world.exchange(&postcard::to_stdvec(&own)?)?;
        let parts = parts.iter().map(|bytes| postcard::from_bytes(bytes)).collect::<postcard::Result<Vec<_>>>();
        Ok(together(parts.context("ranks do not understand each other")?, |rank| self.name(rank))?)
    }
}

/// How the program ended on a rank.
#[derive(Debug)]
pub enum Ended<E> {
    /// This rank is to say how.
    Here(Result<(), E>),
    /// It failed, with this exit status, and another rank says why.
    Elsewhere(u8),
}

/// A panic as an error.
fn catch<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    // What the work changed is not used any more after a panic: it fails the run.
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| Err(anyhow!("panicked: {}", text(&*panic))))
}

/// What a panic said.
fn text(panic: &(dyn Any + Send)) -> &str {
    let owned = panic.downcast_ref::<String>().map(String::as_str);
    owned.or(panic.downcast_ref::<&str>().copied()).unwrap_or("without a message")
}

/// All values, or what the first rank that failed says; a failure of all ranks alike is not pinned on one.
fn together<T>(parts: Vec<Result<T, String>>, name: impl Fn(usize) -> String) -> Result<Vec<T>, Agreed> {
    let failures: Vec<_> = parts.iter().enumerate().filter_map(|(i, part)| Some((i, part.as_ref().err()?))).collect();
    if let Some((rank, message)) = failures.first() {
        let alike = failures.len() == parts.len() && failures.iter().all(|(_, other)| other == message);
        return Err(Agreed(if alike { (*message).clone() } else { format!("{}: {message}", name(*rank)) }));
    }
    Ok(parts.into_iter().filter_map(Result::ok).collect())
}

/// Results in the order of the units, from those of each rank; `None` if they are not `count`, dealt out in turn.
fn interleave<R>(parts: Vec<Vec<R>>, count: usize) -> Option<Vec<R>> {
    let ranks = parts.len();
    let mut parts: Vec<_> = parts.into_iter().map(Vec::into_iter).collect();
    let all = (0..count).map(|unit| parts[unit % ranks].next()).collect::<Option<Vec<_>>>()?;
    parts.iter().all(|rest| rest.len() == 0).then_some(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_the_order_of_the_units() {
        assert_eq!(interleave(vec![vec![0, 3, 6], vec![1, 4], vec![2, 5]], 7), Some(vec![0, 1, 2, 3, 4, 5, 6]));
        assert_eq!(interleave(vec![vec![0], vec![1], vec![]], 2), Some(vec![0, 1]));
        assert_eq!(interleave(vec![vec![0, 2], vec![]], 2), None);
        assert_eq!(interleave(vec![vec![0, 1], vec![1]], 2), None);
    }

    #[test]
    fn a_failure_is_pinned_on_its_rank() {
        let name = |rank| format!("rank {rank}");
        let fails = |message: &str| Err::<u8, _>(message.to_owned());
        assert_eq!(together(vec![Ok(1), Ok(2)], name), Ok(vec![1, 2]));
        assert_eq!(together(vec![Ok(1), fails("no"), fails("no")], name), Err(Agreed("rank 1: no".to_owned())));
        assert_eq!(together(vec![fails("a"), fails("b")], name), Err(Agreed("rank 0: a".to_owned())));
        assert_eq!(together(vec![fails("no"), fails("no")], name), Err(Agreed("no".to_owned())));
    }

    #[test]
    fn a_panic_becomes_an_error() {
        let error = catch(|| -> Result<()> { panic!("unit {} is broken", 3) }).expect_err("a panic");
        assert_eq!(error.to_string(), "panicked: unit 3 is broken");
    }
}
