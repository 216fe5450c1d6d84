//! The host's shadow of a device: the same learner, whose every question must be the device's.

use lgl2o_device::message::{Answer, Ask, Order, Question, ToDevice};
use lgl2o_device::record::RoundRecord;
use lgl2o_device::stream::Exchange;

use super::{ExampleServer, Line, LineError, Unfit};
use crate::device::Transport;
use crate::device::compare::different_in;

/// One round on both sides; the device's is unknown where the host came later.
pub type Pair = (Option<RoundRecord>, RoundRecord);

/// Why a device and its shadow do not go on.
#[derive(Debug, thiserror::Error)]
pub enum StreamError {
    /// Device and host are not equal.
    #[error("round {round}: {what}")]
    Differs {
        /// The first round that differs, from 1.
        round: u32,
        /// What differs.
        what: String,
    },
    /// The line failed.
    #[error(transparent)]
    Line(#[from] LineError),
    /// The data are not for this network.
    #[error(transparent)]
    Unfit(#[from] Unfit),
    /// Both sides agree that a round could not be carried out.
    #[error("on both sides: {0}")]
    Training(lgl2o::Error),
}

/// Answers the shadow and the device, and compares what they ask.
pub struct Lockstep<'a, T> {
    line: Line<T>,
    server: ExampleServer<'a>,
    order: Order,
    /// The number of the shadow's next question.
    number: u32,
    /// The question at which the device stood when the host came.
    ahead: Option<Question>,
    /// All rounds so far.
    pub rounds: Vec<Pair>,
    /// Frames that the device says arrived damaged.
    pub damaged_there: u32,
}

impl<'a, T: Transport> Lockstep<'a, T> {
    /// A shadow's answers, from a server, to a device at the other end of a line.
    pub const fn new(line: Line<T>, server: ExampleServer<'a>, order: Order) -> Self {
        Self { line, server, order, number: 0, ahead: None, rounds: Vec::new(), damaged_there: 0 }
    }

    /// The line, for its counts.
    pub const fn line(&self) -> &Line<T> {
        &self.line
    }

    /// Questions that the host must answer to itself until it is where the device is.
    #[must_use]
    pub fn behind(&self) -> u32 {
        self.ahead.map_or(0, |question| question.number.saturating_sub(self.number))
    }

    /// The device's question of the shadow's number; `None` if the device is past it.
    fn theirs(&mut self) -> Result<Option<Question>, LineError> {
        if self.number == 0 {
            self.line.say(&ToDevice::Repeat)?;
            self.ahead = Some(self.line.wait(self.order, 0)?);
        }
        match self.ahead {
            Some(question) if question.number > self.number => Ok(None),
            Some(question) => {
                self.ahead = None;
                Ok(Some(question))
            }
            None => self.line.wait(self.order, self.number).map(Some),
        }
    }

    /// Compares both questions, and keeps rounds.
    fn compare(&mut self, theirs: Option<Question>, ours: &Ask) -> Result<(), StreamError> {
        if let Some(question) = theirs {
            self.damaged_there = question.damaged;
        }
        let last = self.rounds.last().map_or(0, |(_, round)| round.round);
        let asked = theirs.map(|question| question.ask);
        if let Ask::Round(ours) = ours {
            let theirs = if let Some(Ask::Round(theirs)) = asked { Some(theirs) } else { None };
            self.rounds.push((theirs, *ours));
        }
        match asked {
            Some(theirs) if theirs != *ours => {
                let (round, what) = difference(last, &theirs, ours);
                Err(StreamError::Differs { round, what })
            }
            _ => Ok(()),
        }
    }
}

/// The first round that differs, and what differs.
fn difference(last: u32, theirs: &Ask, ours: &Ask) -> (u32, String) {
    match (theirs, ours) {
        (Ask::Round(theirs), Ask::Round(ours)) => (ours.round, different_in(theirs, ours).unwrap_or_default()),
        (Ask::Done { params: theirs, .. }, Ask::Done { params: ours, .. }) if theirs != ours => {
            (last, format!("final parameters {theirs:016x} on the device, {ours:016x} here"))
        }
        _ => (last + 1, format!("the device asks {theirs:?}, and here it is {ours:?}")),
    }
}

impl<T: Transport> Exchange for Lockstep<'_, T> {
    type Error = StreamError;

    fn ask(&mut self, ask: &Ask) -> Result<Answer<'_>, StreamError> {
        let theirs = self.theirs()?;
        self.compare(theirs, ask)?;
        let number = self.number;
        self.number += 1;
        let answer = self.server.answer(ask);
        if let Some(question) = theirs {
            self.line.say(&ToDevice::Answer { run: question.run, number, answer })?;
        }
        if matches!(ask, Ask::Done { .. }) {
            // Nobody will ask for the last word again.
            self.line.repeat()?;
            self.line.repeat()?;
        }
        Ok(answer)
    }
}
