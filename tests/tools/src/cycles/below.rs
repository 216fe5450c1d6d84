//! What runs below a function: in all, and by the functions that it runs in.

use std::collections::HashMap;
use std::ops::Range;

use super::{Block, CycleError, Work};

/// What a call had others do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Call {
    /// All of it.
    pub work: Work,
    /// The same by the number of the function, if the code has one.
    pub(super) functions: HashMap<Option<usize>, Work>,
}

/// Sums what runs below a function.
pub(super) struct Below<'a> {
    function: &'a Range<u32>,
    place: Place,
    all: Vec<Call>,
}

/// Where the program is, seen from the function.
#[derive(Debug)]
enum Place {
    /// Not yet there, or already back from what is measured.
    Elsewhere,
    /// In the function, which has not called anything yet.
    Inside,
    /// In what it has called, which has taken so much.
    Below(Call),
}

impl<'a> Below<'a> {
    /// Below this function.
    pub(super) const fn new(function: &'a Range<u32>) -> Self {
        Self { function, place: Place::Elsewhere, all: Vec::new() }
    }

    /// This block has run, and now it goes on at `next`.
    pub(super) fn add(&mut self, ran: &Block, next: u32) {
        if let Place::Below(call) = &mut self.place {
            call.work += ran.work;
            *call.functions.entry(ran.owner).or_default() += ran.work;
        }
        let inside = self.function.contains(&next);
        match &mut self.place {
            _ if next == self.function.start => self.place = Place::Inside,
            Place::Inside if !inside => self.place = Place::Below(Call::default()),
            Place::Below(call) if inside => {
                self.all.push(core::mem::take(call));
                self.place = Place::Elsewhere;
            }
            Place::Elsewhere | Place::Inside | Place::Below(_) => {}
        }
    }

    /// All calls.
    ///
    /// # Errors
    /// If one has not ended.
    pub(super) fn end(self) -> Result<Vec<Call>, CycleError> {
        match self.place {
            Place::Below(_) => Err(CycleError::Unfinished),
            Place::Elsewhere | Place::Inside => Ok(self.all),
        }
    }
}
