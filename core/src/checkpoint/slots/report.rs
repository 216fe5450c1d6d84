//! What is said about slots: what became of loading.

pub use crate::error::{SlotError, SlotState};

/// What became of loading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[must_use]
pub struct Resumed {
    /// Sequence number of the checkpoint that was loaded; `None` where no slot was ever committed, or could be read:
    /// then the run starts from the beginning.
    pub sequence: Option<u32>,
    /// Both slots. Anything here but one that is loaded and one that is committed or blank is worth a line in a log.
    pub slots: [SlotState; 2],
}
