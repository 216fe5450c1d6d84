//! The power is cut at every byte of an erasure and a write; one checkpoint is left, old or new.

use lgl2o::checkpoint::{SlotError, SlotState, Slots};
use lgl2o_tests::cases;
use lgl2o_tests::flash::{Flash, Tear};
use proptest::prelude::*;

use super::{Small, cuts, saved};

/// Words of 4 bytes to read and 8 to write, sectors of 512; a slot is four of them.
type Chip = Flash<4, 8, 512>;
const SECTORS: usize = 8;
const REGION: core::ops::Range<u32> = 0..(SECTORS * 512) as u32;
const TEARS: [Tear; 3] = [Tear::Forward, Tear::Backward, Tear::Noise(7)];

/// Runs of two rounds, each of which ends with a checkpoint.
struct History {
    small: Small,
    /// Checkpoints after 2, 4, 6, ... rounds.
    checkpoints: Vec<Vec<u8>>,
}

impl History {
    fn new(length: u32) -> Self {
        let small = Small::new();
        let checkpoints = (1..=length).map(|k| small.after(2 * k)).collect();
        Self { small, checkpoints }
    }

    /// Writes checkpoint number `k` as a program does that has just been started.
    fn save(&self, flash: Chip, k: usize) -> (Result<u32, SlotError>, Chip) {
        self.small.fresh(1, |trainer, source| {
            trainer.load(source, &mut &self.checkpoints[k][..]).unwrap();
            let mut slots = Slots::new(flash, REGION).unwrap();
            (slots.save(trainer, source), slots.release())
        })
    }

    /// What a program that has just been started finds: the number of the checkpoint, `None` for none. Panics if it is
    /// not one of those that were written, bit for bit.
    fn load(&self, flash: Chip) -> (Option<usize>, [SlotState; 2]) {
        self.small.fresh(1, |trainer, source| {
            let before = saved(trainer, source);
            let resumed = Slots::new(flash, REGION).unwrap().load(trainer, source).unwrap();
            let now = saved(trainer, source);
            let found = self.checkpoints.iter().position(|checkpoint| *checkpoint == now);
            assert_eq!(found.is_some(), resumed.sequence.is_some());
            assert!(found.is_some() || now == before, "something else was loaded");
            (found, resumed.slots)
        })
    }

    /// A flash after so many checkpoints, from the first on.
    fn written(&self, count: usize) -> Chip {
        (0..count).fold(Chip::new(SECTORS), |flash, k| {
            let (result, flash) = self.save(flash, k);
            assert_eq!(result, Ok(k as u32 + 1));
            flash
        })
    }

    /// Bytes that saving checkpoint number `k` erases and writes.
    fn cost(&self, flash: &Chip, k: usize) -> usize {
        let before = flash.done;
        self.save(flash.clone(), k).1.done - before
    }
}

/// After 0, 1 and 2 checkpoints, at every byte of the next one, in every way: the one before is there, or the new one;
/// and the program that finds it can save again.
#[test]
fn a_cut_at_any_byte_leaves_the_old_one_or_the_new_one() {
    let history = History::new(4);
    for k in 0..3 {
        let flash = history.written(k);
        let cost = history.cost(&flash, k);
        assert!(cost > 1500, "{cost}");
        for tear in TEARS {
            let mut new = 0;
            for at in cuts(cost) {
                let (result, torn) = history.save(flash.clone().cut_after(at, tear), k);
                let torn = torn.restarted();
                assert!(result.is_err());
                let (found, states) = history.load(torn.clone());
                new += usize::from(found == Some(k));
                assert!(found == Some(k) || found == k.checked_sub(1), "{k}, {tear:?}, {at}: {found:?}, {states:?}");
                let (result, mended) = history.save(torn, k + 1);
                assert!(result.is_ok());
                assert_eq!(history.load(mended).0, Some(k + 1), "{k}, {tear:?}, {at}");
            }
            // Before the last byte is written the checkpoint is not committed, unless its last word is padding.
            assert!(new <= 1, "{k}, {tear:?}: {new}");
            let (result, whole) = history.save(flash.clone().cut_after(cost, tear), k);
            assert_eq!(result, Ok(k as u32 + 1));
            assert_eq!(history.load(whole).0, Some(k));
        }
    }
}

proptest! {
    #![proptest_config(cases!(300, "checkpoint/power"))]

    /// The power goes again and again, at any byte, in any way; the newest checkpoint that was saved is never lost, and
    /// never an older one comes back.
    #[test]
    fn cut_after_cut_loses_nothing(cuts in prop::collection::vec((0usize..6000, any::<u64>(), 0u8..3), 1..8)) {
        let history = History::new(8);
        let (mut flash, mut latest) = (Chip::new(SECTORS), None);
        for (k, (at, seed, way)) in cuts.into_iter().enumerate() {
            let tear = [Tear::Forward, Tear::Backward, Tear::Noise(seed)][usize::from(way)];
            let (result, after) = history.save(flash.cut_after(at, tear), k);
            flash = after.restarted();
            let found = history.load(flash.clone()).0;
            if result.is_ok() {
                prop_assert_eq!(found, Some(k));
            } else {
                prop_assert!(found == latest || found == Some(k), "{found:?} after {latest:?}");
            }
            latest = found;
        }
    }
}

/// The test can fail: a store of one slot loses the checkpoint.
#[test]
fn one_slot_would_lose_it() {
    let history = History::new(2);
    let (result, torn) = history.save(history.written(1).cut_after(700, Tear::Forward), 1);
    assert!(result.is_err());
    let mut torn = torn.restarted();
    assert_eq!(history.load(torn.clone()).0, Some(0));
    // Without the slot that was left alone there is nothing.
    torn.bytes_mut()[..2048].fill(0xff);
    assert_eq!(history.load(torn).0, None);
}
