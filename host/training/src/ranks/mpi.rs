//! The processes that `mpirun` started; one, if it did not.

use std::fmt;

use anyhow::{Context, Result, ensure};
use mpi::Threading;
use mpi::datatype::PartitionMut;
use mpi::environment::Universe;
use mpi::topology::SimpleCommunicator;
use mpi::traits::{Communicator, CommunicatorCollectives};

pub(super) struct World {
    world: SimpleCommunicator,
    /// MPI ends when this goes away: last of all.
    _universe: Universe,
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("World").field("rank", &self.rank()).field("count", &self.count()).finish()
    }
}

impl World {
    pub(super) fn start() -> Result<Self> {
        // Other threads compute, but only this one talks to MPI.
        let (universe, threading) =
            mpi::initialize_with_threading(Threading::Funneled).context("MPI has been started already")?;
        ensure!(threading >= Threading::Funneled, "this MPI library does not allow threads");
        Ok(Self { world: universe.world(), _universe: universe })
    }

    pub(super) fn rank(&self) -> usize {
        self.world.rank() as usize
    }

    pub(super) fn count(&self) -> usize {
        self.world.size() as usize
    }

    /// What every rank says, in their order.
    pub(super) fn exchange(&self, own: &[u8]) -> Result<Vec<Vec<u8>>> {
        // Every rank comes to the same decision here, since all of them see all lengths.
        let mut lengths = vec![0u64; self.count()];
        self.world.all_gather_into(&(own.len() as u64), &mut lengths[..]);
        let (mut counts, mut starts, mut total) = (Vec::new(), Vec::new(), 0i32);
        for length in lengths {
            let count = i32::try_from(length).ok();
            let next = count.and_then(|count| total.checked_add(count));
            let (count, next) = count.zip(next).context("ranks exchange at most 2 GiB at once")?;
            counts.push(count);
            starts.push(total);
            total = next;
        }
        let mut all = vec![0u8; total as usize];
        self.world.all_gather_varcount_into(own, &mut PartitionMut::new(&mut all[..], &counts[..], &starts[..]));
        let part = |(start, count): (&i32, &i32)| all[*start as usize..(*start + *count) as usize].to_vec();
        Ok(starts.iter().zip(&counts).map(part).collect())
    }

    /// Ends all ranks at once.
    pub(super) fn abort(&self, status: u8) -> ! {
        self.world.abort(i32::from(status))
    }
}
