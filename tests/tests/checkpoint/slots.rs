//! Which slot is written, which is loaded, what is said of both, and which flashes do.

use lgl2o::checkpoint::{CheckpointError, Resumed, SlotError, SlotState, Slots};
use lgl2o::guard::Unguarded;
use lgl2o::rule::Sgd;
use lgl2o::{Memory, Trainer};
use lgl2o_tests::flash::Flash;
use lgl2o_tests::task::SmallMlp;

use super::{Small, saved, small_guard};

type Chip = Flash<4, 4, 1024>;
const REGION: core::ops::Range<u32> = 1024..5 * 1024;

fn chip() -> Chip {
    Flash::new(6)
}

/// Saves after each so many rounds, one more each time; returns the flash.
fn save(small: &Small, flash: Chip, times: u32) -> Chip {
    small.fresh(3, |trainer, source| {
        let mut slots = Slots::new(flash, REGION).unwrap();
        for _ in 0..times {
            trainer.round(source).unwrap();
            slots.save(trainer, source).unwrap();
        }
        slots.release()
    })
}

fn load(small: &Small, flash: Chip) -> (Result<Resumed, SlotError>, u32) {
    small.fresh(4, |trainer, source| {
        let before = saved(trainer, source);
        let result = Slots::new(flash, REGION).unwrap().load(trainer, source);
        if !matches!(result, Ok(Resumed { sequence: Some(_), .. })) {
            assert_eq!(saved(trainer, source), before);
        }
        (result, trainer.progress().rounds)
    })
}

const FIRST: usize = 1024;
const SECOND: usize = 3 * 1024;

#[test]
fn slots_are_written_in_turn_and_the_newest_is_loaded() {
    let small = Small::new();
    for times in 0..6 {
        let flash = save(&small, chip(), times);
        let erased: Vec<u32> = flash.erasures.clone();
        let (first, second) = (times.div_ceil(2), times / 2);
        assert_eq!(erased, [0, first, first, second, second, 0], "both wear alike, nothing else is touched");
        let (resumed, rounds) = load(&small, flash);
        let Resumed { sequence, slots } = resumed.unwrap();
        assert_eq!((sequence, rounds), ((times > 0).then_some(times), times));
        let state = |sequence: u32| match sequence {
            0 => SlotState::Blank,
            n if n == times => SlotState::Loaded { sequence },
            _ => SlotState::Committed { sequence },
        };
        let (odd, even) = if times % 2 == 1 { (times, times - 1) } else { (times.saturating_sub(1), times) };
        assert_eq!(slots, [state(odd), state(even)]);
    }
}

/// Every byte of the newer slot, damaged: the older one is loaded, and it is said why.
#[test]
fn a_damaged_newer_slot_is_reported_and_the_older_one_loaded() {
    let small = Small::new();
    let good = save(&small, chip(), 2);
    let length = small.fresh(1, |trainer, source| trainer.checkpoint_len(source));
    for at in 0..16 + length {
        let mut bad = good.clone();
        bad.bytes_mut()[SECOND + at] ^= 0x10;
        let (resumed, rounds) = load(&small, bad.clone());
        let Resumed { sequence, slots: [first, second] } = resumed.unwrap();
        assert_eq!((sequence, rounds, first), (Some(1), 1, SlotState::Loaded { sequence: 1 }));
        match second {
            SlotState::Uncommitted => assert!(at < 16),
            SlotState::Refused { sequence: 2, why } => assert!(at >= 16 && why != CheckpointError::Unreadable),
            other => panic!("{other:?} at {at}"),
        }
        // And the damaged one is the one to be written over.
        let (result, rounds) = load(&small, save(&small, bad, 3));
        assert_eq!((result.map(|r| r.sequence.is_some()), rounds), (Ok(true), 3));
    }
}

/// With both damaged nothing is loaded, it is an error, and the next save begins anew.
#[test]
fn with_both_damaged_nothing_is_loaded() {
    let small = Small::new();
    let mut bad = save(&small, chip(), 2);
    bad.bytes_mut()[FIRST + 100] ^= 1;
    bad.bytes_mut()[SECOND + 100] ^= 1;
    let (result, rounds) = load(&small, bad.clone());
    let why = CheckpointError::Damaged;
    let states = [SlotState::Refused { sequence: 1, why }, SlotState::Refused { sequence: 2, why }];
    assert_eq!((result, rounds), (Err(SlotError::NoneLoads(states)), 0));
    let text = SlotError::NoneLoads(states).to_string();
    assert!(text.contains("second slot: number 2, refused: damaged"), "{text}");
    let (resumed, rounds) = load(&small, save(&small, bad, 1));
    assert_eq!((resumed.unwrap().sequence, rounds), (Some(3), 1));
}

/// Anything at all in a flash that was never used for checkpoints: a run begins anew, and takes it.
#[test]
fn a_region_that_was_never_used_is_no_error() {
    let small = Small::new();
    for fill in [0xff, 0x00, 0x4c] {
        let mut flash = chip();
        flash.bytes_mut().fill(fill);
        let (resumed, _) = load(&small, flash.clone());
        let state = if fill == 0xff { SlotState::Blank } else { SlotState::Uncommitted };
        assert_eq!(resumed, Ok(Resumed { sequence: None, slots: [state; 2] }));
        let (resumed, rounds) = load(&small, save(&small, flash, 1));
        assert_eq!((resumed.unwrap().sequence, rounds), (Some(1), 1));
    }
}

/// A program with another guard refuses both slots, and can still take the parameters; once it saves, it writes over the
/// older one first.
#[test]
fn another_program_is_refused_and_can_take_the_parameters() {
    let small = Small::new();
    let flash = save(&small, chip(), 2);
    let guard = Unguarded::new(Sgd::new(0.1));
    let mut memory: Memory<SmallMlp, _> = Memory::new();
    let mut other = Trainer::new(&small.objective, &guard, &mut memory);
    let mut slots = Slots::new(flash, REGION).unwrap();
    small.data.sampling(8, 1, |source| {
        let why = CheckpointError::OtherOptimizer;
        let states = [SlotState::Refused { sequence: 1, why }, SlotState::Refused { sequence: 2, why }];
        assert_eq!(slots.load(&mut other, source), Err(SlotError::NoneLoads(states)));
        assert_eq!(slots.load_params(&mut other), Ok(2));
        assert_eq!(slots.save(&other, source), Ok(3));
        // The old program still finds its newest one, though the slots hold a newer one of another program.
        let (resumed, rounds) = load(&small, slots.release());
        let slots = [SlotState::Refused { sequence: 3, why }, SlotState::Loaded { sequence: 2 }];
        assert_eq!((resumed, rounds), (Ok(Resumed { sequence: Some(2), slots }), 2));
    });
}

/// Going back to an older program does not write over the only checkpoint that it can load, with or without loading it
/// first.
#[test]
fn what_can_be_loaded_is_kept_rather_than_what_is_newest() {
    let small = Small::new();
    let guard = small_guard(0.2);
    let mut memory: Memory<SmallMlp, _> = Memory::new();
    let other = Trainer::new(&small.objective, &guard, &mut memory);
    let mut slots = Slots::new(save(&small, chip(), 1), REGION).unwrap();
    small.data.sampling(8, 1, |source| slots.save(&other, source)).unwrap();
    let flash = slots.release();
    for loads in [false, true] {
        small.fresh(3, |trainer, source| {
            let mut slots = Slots::new(flash.clone(), REGION).unwrap();
            if loads {
                assert_eq!(slots.load(trainer, source).unwrap().sequence, Some(1));
            }
            assert_eq!(slots.save(trainer, source), Ok(3));
            let flash = slots.release();
            assert_eq!(flash.erasures, [0, 1, 1, 2, 2, 0]);
        });
    }
}

/// Neither a slot that is too small nor a bad region costs anything.
#[test]
fn what_does_not_fit_is_refused_before_anything_is_erased() {
    let small = Small::new();
    small.fresh(1, |trainer, source| {
        let needed = Slots::<Chip>::needed(trainer.checkpoint_len(source));
        assert!(needed > 1024);
        let mut slots = Slots::new(chip(), 0..3 * 1024).unwrap();
        assert_eq!(slots.slot_size(), 1024, "with three sectors, one is left unused");
        let error = slots.save(trainer, source).unwrap_err();
        assert_eq!(error, SlotError::TooSmall { needed, slot: 1024 });
        assert!(error.to_string().contains("make the region larger"), "{error}");
        assert_eq!(slots.release().done, 0);
    });
    // To the byte: what just fits, fits.
    small.fresh(1, |trainer, source| {
        let needed = Slots::<Flash<1, 1, 1>>::needed(trainer.checkpoint_len(source));
        for (slot, result) in [(needed - 1, Err(SlotError::TooSmall { needed, slot: needed - 1 })), (needed, Ok(1))] {
            let mut slots = Slots::new(Flash::<1, 1, 1>::new(2 * slot), 0..2 * slot as u32).unwrap();
            assert_eq!(slots.save(trainer, source), result);
        }
    });
    let error = SlotError::Region { sector: 1024, capacity: 6 * 1024 };
    let backwards = core::ops::Range { start: 4096, end: 0 };
    for region in [0..1024, 0..7 * 1024, 512..4096, 0..4095, backwards, 6 * 1024..8 * 1024, 0..0, 0..u32::MAX] {
        assert_eq!(Slots::new(chip(), region.clone()).map(drop), Err(error), "{region:?}");
    }
}

/// A flash that does not take what is written is found out before the slot is committed, and the other slot is kept.
#[test]
fn a_worn_flash_is_found_out() {
    let small = Small::new();
    let mut flash = save(&small, chip(), 1);
    flash.worn = true;
    small.fresh(3, |trainer, source| {
        let mut slots = Slots::new(&mut flash, REGION).unwrap();
        assert_eq!(slots.save(trainer, source), Err(SlotError::NotWritten));
    });
    assert_eq!(load(&small, flash).1, 1);
}

/// A flash that cannot be read is no panic and no lie.
#[test]
fn a_flash_that_cannot_be_read_is_reported() {
    let small = Small::new();
    let mut flash = save(&small, chip(), 2);
    flash.reads = Some(0);
    let (resumed, _) = load(&small, flash.clone());
    assert_eq!(resumed, Ok(Resumed { sequence: None, slots: [SlotState::Unreadable; 2] }));
    flash.reads = Some(4);
    let (resumed, _) = load(&small, flash);
    let why = CheckpointError::Unreadable;
    let states = [SlotState::Refused { sequence: 1, why }, SlotState::Refused { sequence: 2, why }];
    assert_eq!(resumed, Err(SlotError::NoneLoads(states)));
}

/// Words and sectors of real chips.
#[test]
fn all_words_and_sectors_do() {
    fn round_trip<const R: usize, const W: usize, const E: usize>() {
        let small = Small::new();
        small.fresh(5, |trainer, source| {
            let sectors = 2 * 4096usize.div_ceil(E);
            let region = 0..(sectors * E) as u32;
            let mut slots = Slots::new(Flash::<R, W, E>::new(sectors), region.clone()).unwrap();
            for k in 1..4 {
                trainer.round(source).unwrap();
                assert_eq!(slots.save(trainer, source), Ok(k));
            }
            let expected = saved(trainer, source);
            let flash = slots.release();
            small.fresh(6, |trainer, source| {
                let mut slots = Slots::new(flash, region).unwrap();
                assert_eq!(slots.load(trainer, source).unwrap().sequence, Some(3));
                assert_eq!(saved(trainer, source), expected);
            });
        });
    }
    round_trip::<1, 1, 1>();
    round_trip::<1, 4, 4096>(); // nRF52
    round_trip::<4, 4, 4096>();
    round_trip::<1, 8, 2048>(); // STM32L4, G4
    round_trip::<1, 16, 8192>(); // STM32U5
    round_trip::<1, 32, 131_072>(); // STM32H7
    round_trip::<1, 256, 4096>(); // RP2040 by whole pages
    round_trip::<64, 2, 64>();
}
