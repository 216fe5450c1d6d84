//! Checkpoints of a run, alone and in two slots of a flash.

use core::convert::Infallible;

use lgl2o::checkpoint::format::{HEADER, TRAILER};
use lgl2o::checkpoint::{Resumed, Sink, Slots};
use lgl2o::guard::LossGuard;
use lgl2o::learned::{self, LearnedNgn};
use lgl2o::rule::Momentum;
use lgl2o::source::Sampler;
use lgl2o::{Memory, Trainer};

use super::{Target, put_right};
use crate::flash::Flash;
use crate::task::{BATCH, Data, SmallMlp, small_mlp, start};

pub(super) const TARGET: Target = Target { name: "checkpoint", read, examples, memory };

type Guard = LossGuard<&'static LearnedNgn, Momentum>;
type Run<'a> = Trainer<'a, SmallMlp, Guard>;
/// Two slots of two sectors.
type Chip = Flash<4, 4, 1024>;
const SLOT: usize = 2 * 1024;

/// The run itself, its checkpoints, and a flash: nothing in the reader allocates.
fn memory(bytes: &[u8]) -> usize {
    (1 << 17) + 8 * bytes.len()
}

fn read(bytes: &[u8]) -> bool {
    let accepted = over_a_run(bytes);
    let mut right = bytes.to_vec();
    put_right(&mut right, 0..HEADER - 4, HEADER - 4);
    let end = right.len().saturating_sub(TRAILER);
    put_right(&mut right, HEADER..end.max(HEADER), end);
    over_a_run(&right);
    in_a_slot(bytes);
    accepted
}

/// What is refused changes nothing. What is accepted can be saved again, and the run goes on or ends in an error.
fn over_a_run(bytes: &[u8]) -> bool {
    fresh(2, |run, source| {
        let before = saved(run, source);
        if run.load(source, &mut &*bytes).is_err() {
            assert_eq!(saved(run, source), before, "something has changed");
            return false;
        }
        assert_eq!(saved(run, source).len(), bytes.len());
        _ = run.round(source);
        true
    })
}

/// Anything at all in the slot that the newer checkpoint would have: the older one is loaded, unless what is there is a
/// good one.
fn in_a_slot(bytes: &[u8]) {
    fresh(3, |run, source| {
        let mut slots = Slots::new(Chip::new(4), 0..2 * SLOT as u32).expect("a region");
        slots.save(run, source).expect("it fits");
        let older = saved(run, source);
        let mut flash = slots.release();
        let newer = &mut flash.bytes_mut()[SLOT..];
        newer.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
        fresh(4, |run, source| {
            let mut slots = Slots::new(flash, 0..2 * SLOT as u32).expect("a region");
            let Resumed { sequence, .. } = slots.load(run, source).expect("one slot is good");
            assert!(sequence.is_some());
            assert!(sequence != Some(1) || saved(run, source) == older);
        });
    });
}

/// Calls something with a run at its beginning.
fn fresh<T>(seed: u64, then: impl FnOnce(&mut Run<'_>, &mut Sampler<'_>) -> T) -> T {
    let objective = small_mlp();
    let guard = LossGuard::paper(learned::ngn(), Momentum::new(0.1)).batches(2, 1);
    let mut memory = Memory::new();
    *memory.params_mut() = start(&objective, seed);
    let mut trainer = Trainer::new(&objective, &guard, &mut memory);
    Data::disk(64, 1).sampling(BATCH, seed, |source| then(&mut trainer, source))
}

/// Bytes on the heap.
struct Bytes(Vec<u8>);

impl Sink for Bytes {
    type Error = Infallible;
    fn put(&mut self, bytes: &[u8]) -> Result<(), Infallible> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }
}

fn saved(run: &Run<'_>, source: &Sampler<'_>) -> Vec<u8> {
    let mut bytes = Bytes(Vec::new());
    let Ok(()) = run.save(source, &mut bytes);
    bytes.0
}

/// Checkpoints alone, and a slot with what is before them.
fn examples() -> Vec<Vec<u8>> {
    fresh(1, |run, source| {
        let mut slots = Slots::new(Chip::new(4), 0..2 * SLOT as u32).expect("a region");
        let mut all = vec![saved(run, source)];
        for _ in 0..2 {
            run.round(source).expect("good batches");
            slots.save(run, source).expect("it fits");
            all.push(saved(run, source));
        }
        all.push(slots.release().bytes()[SLOT..].to_vec());
        all
    })
}
