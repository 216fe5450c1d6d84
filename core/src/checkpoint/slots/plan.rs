//! Where the two slots are, which of them is read first and which is written next. There is no flash in it, so what waits for its
//! flash and what is asynchronous share it.

use core::ops::Range;

use super::flash::{MARK, Mark, PAGE};
use super::report::{SlotError, SlotState};
use crate::persist::CHUNK;

/// One of the two slots.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Slot {
    First,
    Second,
}

impl Slot {
    pub(super) const BOTH: [Self; 2] = [Self::First, Self::Second];

    const fn other(self) -> Self {
        match self {
            Self::First => Self::Second,
            Self::Second => Self::First,
        }
    }

    /// What belongs to this slot, of a pair.
    pub(super) const fn of<T>(self, pair: &mut [T; 2]) -> &mut T {
        let [first, second] = pair;
        match self {
            Self::First => first,
            Self::Second => second,
        }
    }
}

/// The slots that are committed, the newest first.
pub(super) type Order = [Option<(Slot, Mark)>; 2];

/// The number of the newest committed slot; 0 where there is none.
pub(super) fn newest(order: &Order) -> u32 {
    order.iter().flatten().next().map_or(0, |(_, mark)| mark.sequence)
}

/// What the bytes of a mark say, where they could be read: a mark, none yet, or what is there instead.
pub(super) fn read_mark(bytes: Option<[u8; MARK]>) -> Result<Option<Mark>, SlotState> {
    let bytes = bytes.ok_or(SlotState::Unreadable)?;
    match Mark::parse(bytes) {
        Some(mark) => Ok(Some(mark)),
        None if bytes == [0xff; MARK] => Ok(None),
        None => Err(SlotState::Uncommitted),
    }
}

/// What is in both slots, and those that are committed, the newest first.
pub(super) fn sort(found: [Result<Option<Mark>, SlotState>; 2]) -> ([SlotState; 2], Order) {
    let states = found.map(|mark| match mark {
        Ok(Some(Mark { sequence, .. })) => SlotState::Committed { sequence },
        Ok(None) => SlotState::Blank,
        Err(state) => state,
    });
    let [first, second] = found.map(|mark| mark.ok().flatten());
    let second_is_newer = match (first, second) {
        (Some(a), Some(b)) => b.is_newer_than(a),
        (first, _) => first.is_none(),
    };
    let (first, second) = (first.map(|mark| (Slot::First, mark)), second.map(|mark| (Slot::Second, mark)));
    (states, if second_is_newer { [second, first] } else { [first, second] })
}

/// The words and sectors of a flash, in bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Words {
    longest: usize,
    sector: usize,
}

impl Words {
    /// Panics at compile time where a flash cannot hold slots.
    pub(super) const fn new(read: usize, write: usize, sector: usize) -> Self {
        assert!(read > 0 && CHUNK.is_multiple_of(read), "the words that a flash reads must divide 64 bytes");
        assert!(write > 0 && PAGE.is_multiple_of(write), "the words that a flash writes must divide 256 bytes");
        assert!(sector > 0 && sector.is_multiple_of(write) && sector.is_multiple_of(read));
        // Both are powers of two, so the larger one is a multiple of the smaller.
        Self { longest: if read > write { read } else { write }, sector }
    }

    /// Where the checkpoint begins in a slot.
    const fn content(self) -> usize {
        MARK.next_multiple_of(self.longest)
    }

    /// Bytes of whole words that hold so many bytes.
    pub(super) const fn whole(self, length: usize) -> usize {
        length.next_multiple_of(self.longest)
    }

    /// Bytes of a slot that a checkpoint of so many bytes needs.
    pub(super) const fn needed(self, length: usize) -> usize {
        self.content() + self.whole(length)
    }
}

/// What saving does, in this order: it erases, writes the checkpoint, reads it back, and writes the mark.
#[derive(Debug)]
pub(super) struct Save {
    pub(super) target: Slot,
    pub(super) erase: Range<u32>,
    pub(super) content: u32,
    pub(super) mark: Mark,
}

/// Where the slots are.
#[derive(Debug)]
pub(super) struct Region {
    start: u32,
    /// Bytes of one slot, whole sectors.
    pub(super) size: u32,
}

impl Region {
    /// The two halves of a region of a flash of so many bytes.
    pub(super) fn new(words: Words, capacity: usize, region: Range<u32>) -> Result<Self, SlotError> {
        let sector = words.sector;
        let (start, end) = (region.start as usize, region.end as usize);
        let sectors = end.saturating_sub(start) / sector;
        let aligned = start.is_multiple_of(sector) && end.is_multiple_of(sector);
        if end > capacity || !aligned || sectors < 2 {
            return Err(SlotError::Region { sector, capacity });
        }
        Ok(Self { start: region.start, size: (sectors / 2 * sector) as u32 })
    }

    /// Where a slot begins, and with it its mark.
    pub(super) const fn offset(&self, slot: Slot) -> u32 {
        match slot {
            Slot::First => self.start,
            Slot::Second => self.start + self.size,
        }
    }

    /// Where the checkpoint in a committed slot begins, and how long it is: not longer than the slot, whatever its mark says.
    pub(super) const fn content(&self, words: Words, slot: Slot, mark: Mark) -> (u32, usize) {
        let (length, room) = (mark.length as usize, self.size as usize - words.content());
        (self.offset(slot) + words.content() as u32, if length < room { length } else { room })
    }

    /// Whether a checkpoint of so many bytes fits.
    pub(super) const fn fits(&self, words: Words, length: usize) -> Result<(), SlotError> {
        let (needed, slot) = (words.needed(length), self.size as usize);
        if needed > slot { Err(SlotError::TooSmall { needed, slot }) } else { Ok(()) }
    }

    /// How to save a checkpoint that fits, where this slot is to be kept and this number is the latest.
    pub(super) const fn save(&self, words: Words, (kept, latest): (Slot, u32), length: usize) -> Save {
        let target = kept.other();
        let start = self.offset(target);
        let end = start + words.needed(length).next_multiple_of(words.sector) as u32;
        let mark = Mark { sequence: latest.wrapping_add(1), length: length as u32 };
        Save { target, erase: start..end, content: start + words.content() as u32, mark }
    }
}
