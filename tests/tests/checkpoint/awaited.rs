//! Slots over an asynchronous flash: the bytes of those over a blocking one, after every checkpoint and after every power cut.

use std::task::{Context, Poll, Waker};

use embassy_futures::block_on;
use lgl2o::checkpoint::{AsyncSlots, CheckpointError, SlotError, SlotState, Slots};
use lgl2o_tests::flash::{Awaited, Flash, Tear};

use super::{Small, cuts, saved, train};

/// Reads words of 4 bytes, writes words of 8 in sectors of 512; a slot is four of them.
type Chip = Flash<4, 8, 512>;
/// Reads longer words than it writes.
type Other = Flash<32, 2, 512>;
const SECTORS: usize = 8;
const REGION: core::ops::Range<u32> = 0..(SECTORS * 512) as u32;
const TEARS: [Tear; 3] = [Tear::Forward, Tear::Backward, Tear::Noise(7)];

/// Saves this checkpoint in a program that has just been started, both ways; asserts that both come to the same.
fn save<const R: usize, const W: usize>(
    small: &Small,
    flash: &Flash<R, W, 512>,
    checkpoint: &[u8],
) -> (Result<u32, SlotError>, Flash<R, W, 512>) {
    small.fresh(1, |trainer, source| {
        trainer.load(source, &mut &*checkpoint).unwrap();
        let mut slots = Slots::new(flash.clone(), REGION).unwrap();
        let (result, blocking) = (slots.save(trainer, source), slots.release());
        let mut slots = AsyncSlots::new(Awaited(flash.clone()), REGION).unwrap();
        let mut buffer = [0; 2048];
        assert_eq!(block_on(slots.save(trainer, source, &mut buffer)), result);
        let awaited = slots.release().0;
        assert!(awaited.bytes() == blocking.bytes(), "other bytes");
        assert_eq!((awaited.done, &awaited.erasures), (blocking.done, &blocking.erasures));
        (result, blocking)
    })
}

/// Loads both ways in a program that has just been started; asserts that both come to the same.
fn load<const R: usize, const W: usize>(small: &Small, flash: &Flash<R, W, 512>) -> (Option<u32>, Vec<u8>) {
    let blocking = small.fresh(1, |trainer, source| {
        let found = Slots::new(flash.clone(), REGION).unwrap().load(trainer, source);
        (found, saved(trainer, source))
    });
    let awaited = small.fresh(1, |trainer, source| {
        let mut slots = AsyncSlots::new(Awaited(flash.clone()), REGION).unwrap();
        let found = block_on(slots.load(trainer, source, &mut [0; 2048]));
        (found, saved(trainer, source))
    });
    assert!(awaited == blocking, "{:?} and {:?}", awaited.0, blocking.0);
    (blocking.0.unwrap().sequence, blocking.1)
}

fn same_bytes<const R: usize, const W: usize>() {
    let small = Small::new();
    let checkpoints: Vec<Vec<u8>> = (1..=3).map(|k| small.after(2 * k)).collect();
    let mut flash = Flash::<R, W, 512>::new(SECTORS);
    for (k, checkpoint) in (0..).zip(&checkpoints) {
        let cost = save(&small, &flash, checkpoint).1.done - flash.done;
        for (tear, at) in TEARS.into_iter().flat_map(|tear| cuts(cost).map(move |at| (tear, at))) {
            let (result, torn) = save(&small, &flash.clone().cut_after(at, tear), checkpoint);
            assert!(result.is_err());
            let (found, state) = load(&small, &torn.restarted());
            let old = if k == 0 { found.is_none() } else { found == Some(k) && state == checkpoints[k as usize - 1] };
            assert!(old || found == Some(k + 1) && state == *checkpoint, "{k}, {tear:?}, {at}: {found:?}");
        }
        let (result, after) = save(&small, &flash, checkpoint);
        assert_eq!((result, load(&small, &after)), (Ok(k + 1), (Some(k + 1), checkpoint.clone())));
        flash = after;
    }
}

#[test]
fn it_holds_the_same_bytes_wherever_the_power_is_cut() {
    same_bytes::<4, 8>();
}

#[test]
fn it_does_so_with_other_words() {
    same_bytes::<32, 2>();
    assert_eq!(AsyncSlots::<Awaited<Other>>::buffer_len(65), 96);
}

/// One run saves again and again, turn by turn; a future that is dropped in its middle loses nothing.
#[test]
fn a_dropped_future_is_a_power_cut() {
    let small = Small::new();
    let mut dropped = 0;
    for steps in 0.. {
        let ended = small.fresh(3, |trainer, source| {
            let mut buffer = [0; 2048];
            let mut slots = AsyncSlots::new(Awaited(Chip::new(SECTORS)), REGION).unwrap();
            train(trainer, source, 2);
            assert_eq!(block_on(slots.save(trainer, source, &mut buffer)), Ok(1));
            train(trainer, source, 2);
            let ended = {
                let mut future = std::pin::pin!(slots.save(trainer, source, &mut buffer));
                let mut context = Context::from_waker(Waker::noop());
                (0..steps).any(|_| matches!(future.as_mut().poll(&mut context), Poll::Ready(Ok(2))))
            };
            let flash = slots.release().0;
            let (found, state) = load(&small, &flash);
            assert!(found == Some(1) && state == small.after(2) || found == Some(2) && state == small.after(4));
            assert!(!ended || found == Some(2));
            ended
        });
        dropped += 1;
        if ended {
            break;
        }
    }
    assert!(dropped > 10, "it waits for its flash only {dropped} times");
}

#[test]
fn a_short_buffer_is_refused_before_anything_is_erased() {
    Small::new().fresh(1, |trainer, source| {
        let needed = AsyncSlots::<Awaited<Chip>>::buffer_len(trainer.checkpoint_len(source));
        let mut slots = AsyncSlots::new(Awaited(Chip::new(SECTORS)), REGION).unwrap();
        let mut short = vec![0; needed - 1];
        let refused = SlotError::Buffer { needed, found: needed - 1 };
        assert_eq!(block_on(slots.save(trainer, source, &mut short)), Err(refused));
        assert_eq!(block_on(slots.load(trainer, source, &mut short)), Err(refused));
        assert_eq!(slots.release().0.done, 0);
    });
}

/// A checkpoint of a larger run, too long for this run's buffer, is refused, and kept until this run has one of its own.
#[test]
fn a_longer_checkpoint_of_another_run_is_kept() {
    let small = Small::new();
    let flash = save(&small, &Chip::new(SECTORS), &small.after(2)).1;
    let (bowl, guard) = (lgl2o::objective::Quadratic::new([1.0], [3.0]).unwrap(), super::small_guard(0.1));
    let mut memory = lgl2o::Memory::new();
    let mut trainer = lgl2o::Trainer::new(&bowl, &guard, &mut memory);
    let mut slots = AsyncSlots::new(Awaited(flash), REGION).unwrap();
    let mut buffer = [0; 512];
    let refused = block_on(slots.load(&mut trainer, &mut lgl2o::source::Exact, &mut buffer));
    let Err(SlotError::NoneLoads([SlotState::Refused { sequence: 1, why }, SlotState::Blank])) = refused else {
        panic!("{refused:?}");
    };
    assert!(matches!(why, CheckpointError::Length { .. }), "{why}");
    assert_eq!(block_on(slots.save(&trainer, &lgl2o::source::Exact, &mut buffer)), Ok(2));
    assert_eq!(load(&small, &slots.release().0).0, Some(1), "the other run's is gone");
}
