//! One run of a device, as it is followed from here.

use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Instant;

use lgl2o_device::message::{FromDevice, Summary};
use lgl2o_device::record::RoundRecord;

use super::listen::Event;

/// How following a device came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// The device has said all that it had to say, or its lines are closed.
    Over,
    /// There was no end within the time allowed.
    TimedOut,
}

/// What a device has said in one run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transcript {
    /// All rounds.
    pub rounds: Vec<RoundRecord>,
    /// Hash of the final parameters.
    pub params: Option<u64>,
    /// What the run has come to.
    pub summary: Option<Summary>,
    /// The log.
    pub log: Vec<String>,
    /// Frames that were damaged on their way.
    pub damaged: u32,
    /// How it ended.
    pub ended: Ended,
}

/// Follows a device until its lines are closed; where they never are, until its summary. Each event goes to `each` too.
pub fn follow(
    events: &Receiver<Event>,
    deadline: Instant,
    until_summary: bool,
    mut each: impl FnMut(&Event),
) -> Transcript {
    let mut t =
        Transcript { rounds: Vec::new(), params: None, summary: None, log: Vec::new(), damaged: 0, ended: Ended::Over };
    while !(until_summary && t.summary.is_some()) {
        let event = match events.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(event) => event,
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => {
                t.ended = Ended::TimedOut;
                break;
            }
        };
        each(&event);
        match event {
            Event::Log(line) => t.log.push(line),
            Event::Damaged(_) => t.damaged += 1,
            Event::Message(FromDevice::Round(round)) => t.rounds.push(round),
            Event::Message(FromDevice::Done { params, .. }) => t.params = Some(params),
            Event::Message(FromDevice::Summary(summary)) => t.summary = Some(summary),
            Event::Message(_) => {}
        }
    }
    t
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_silent_device_times_out_and_what_it_said_is_kept() {
        let (sender, receiver) = channel();
        sender.send(Event::Message(FromDevice::Done { rounds: 0, params: 9 })).expect("open");
        sender.send(Event::Log("hello".to_owned())).expect("open");
        let t = follow(&receiver, Instant::now() + Duration::from_millis(50), false, |_| {});
        assert_eq!((t.ended, t.params, t.log.len()), (Ended::TimedOut, Some(9), 1));
        drop(sender);
        assert_eq!(follow(&receiver, Instant::now(), false, |_| {}).ended, Ended::Over);
    }
}
