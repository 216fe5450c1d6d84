//! One run of a device, as it is followed from here.

use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Instant;

use lgl2o_device::cost::Item;
use lgl2o_device::message::{FromDevice, Summary};
use lgl2o_device::record::RoundRecord;

use super::listen::Event;

/// How following a device ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Ended {
    /// The device has said all that it had to say, or its lines are closed.
    #[default]
    Over,
    /// There was no end within the time allowed.
    TimedOut,
}

/// What a device has said in one run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Transcript {
    /// All rounds.
    pub rounds: Vec<RoundRecord>,
    /// Rounds that were lost in a reset: reported, and then made again.
    pub lost: Vec<RoundRecord>,
    /// After how many rounds the device went on when it was started again.
    pub resumed: Vec<u32>,
    /// Hash of the final parameters.
    pub params: Option<u64>,
    /// The summary of the run.
    pub summary: Option<Summary>,
    /// The log.
    pub log: Vec<String>,
    /// Frames that were damaged on their way.
    pub damaged: u32,
    /// How it ended.
    pub ended: Ended,
    /// Whether the run was heard from its beginning, and whether it is one that goes on after a reset.
    begun: bool,
    goes_on: bool,
}

/// Whether a program begins with this message.
fn is_first(message: &FromDevice) -> bool {
    match message {
        FromDevice::Round(round) => round.round == 1,
        FromDevice::Fault(fault) => fault.number == 0,
        FromDevice::Cost(cost) => cost.workload == 0 && cost.item == Item::Gradient,
        _ => false,
    }
}

impl Transcript {
    /// Whether a message belongs to this run, of a board that was not started from here. A run begins with the first
    /// message of its program; what came before is of another run, such as the one that the board was in when somebody
    /// reset it.
    fn belongs(&mut self, message: &FromDevice) -> bool {
        if matches!(message, FromDevice::Resumed { .. }) {
            (self.begun, self.goes_on) = (true, true);
        } else if is_first(message) && !self.goes_on {
            *self = Self { log: std::mem::take(&mut self.log), begun: true, ..Self::default() };
        }
        self.begun
    }

    /// The device was started, and goes on after so many rounds. Rounds that it reported beyond these are lost.
    fn resume(&mut self, rounds: u32) {
        let kept = self.rounds.len().min(rounds as usize);
        if rounds > 0 || !self.rounds.is_empty() {
            self.resumed.push(rounds);
        }
        self.lost.extend(self.rounds.drain(kept..));
    }
}

/// Follows a device until its lines are closed; on a serial port, which never is, until its summary, and from the beginning
/// of a run on. Each event goes to `each` too. What it says is added to what it said before.
pub fn follow(
    mut t: Transcript,
    events: &Receiver<Event>,
    deadline: Instant,
    until_summary: bool,
    mut each: impl FnMut(&Event),
) -> Transcript {
    t.ended = Ended::Over;
    while !(until_summary && t.summary.is_some()) {
        let event = match events.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(event) => event,
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => {
                t.ended = Ended::TimedOut;
                break;
            }
        };
        if let Event::Message(message) = &event
            && until_summary
            && !t.belongs(message)
        {
            continue;
        }
        each(&event);
        match event {
            Event::Log(line) => t.log.push(line),
            Event::Damaged(_) => t.damaged += 1,
            Event::Message(FromDevice::Round(round)) => t.rounds.push(round),
            Event::Message(FromDevice::Done { params, .. }) => t.params = Some(params),
            Event::Message(FromDevice::Summary(summary)) => t.summary = Some(summary),
            Event::Message(FromDevice::Resumed { rounds }) => t.resume(rounds),
            Event::Message(_) => {}
        }
    }
    t
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Sender, channel};
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_silent_device_times_out_and_what_it_said_is_kept() {
        let (sender, receiver) = channel();
        sender.send(Event::Message(FromDevice::Done { rounds: 0, params: 9 })).expect("open");
        sender.send(Event::Log("hello".to_owned())).expect("open");
        let t = follow(Transcript::default(), &receiver, Instant::now() + Duration::from_millis(50), false, |_| {});
        assert_eq!((t.ended, t.params, t.log.len()), (Ended::TimedOut, Some(9), 1));
        drop(sender);
        let later = Instant::now() + Duration::from_secs(60);
        assert_eq!(follow(t, &receiver, later, false, |_| {}).ended, Ended::Over);
    }

    fn message(sender: &Sender<Event>, message: FromDevice) {
        sender.send(Event::Message(message)).expect("open");
    }

    fn round(round: u32) -> FromDevice {
        let record =
            RoundRecord { round, winner: 0, steps: 1, train_loss: 0, fallback_loss: 0, learned_loss: 0, trace: 0 };
        FromDevice::Round(record)
    }

    fn numbers(rounds: &[RoundRecord]) -> Vec<u32> {
        rounds.iter().map(|r| r.round).collect()
    }

    #[test]
    fn on_a_port_a_run_counts_from_its_beginning() {
        let (sender, receiver) = channel();
        let summary = |loss| FromDevice::Summary(Summary { loss, steps: 0, learned: 0, memory: 0, stack: 0 });
        // The end of a run, most of another, and then, after a reset, one from its beginning to its end.
        for said in [round(8), FromDevice::Done { rounds: 8, params: 1 }, summary(1)] {
            message(&sender, said);
        }
        (1..=5).for_each(|n| message(&sender, round(n)));
        (1..=3).for_each(|n| message(&sender, round(n)));
        message(&sender, FromDevice::Done { rounds: 3, params: 2 });
        message(&sender, summary(2));
        let mut seen = 0;
        let later = Instant::now() + Duration::from_secs(60);
        let t = follow(Transcript::default(), &receiver, later, true, |_| seen += 1);
        assert_eq!((numbers(&t.rounds), t.params, t.summary.map(|s| s.loss)), (vec![1, 2, 3], Some(2), Some(2)));
        assert_eq!(seen, 10);
        // A run that goes on after a reset is one run, even if there was no checkpoint yet.
        for said in [FromDevice::Resumed { rounds: 0 }, round(1), FromDevice::Resumed { rounds: 0 }, round(1), round(2)]
        {
            message(&sender, said);
        }
        message(&sender, summary(3));
        let t = follow(Transcript::default(), &receiver, later, true, |_| {});
        assert_eq!((numbers(&t.rounds), numbers(&t.lost), t.resumed), (vec![1, 2], vec![1], vec![0]));
    }

    #[test]
    fn rounds_beyond_the_checkpoint_are_lost_and_come_again() {
        let (sender, receiver) = channel();
        let resumed = |rounds| message(&sender, FromDevice::Resumed { rounds });
        resumed(0);
        (1..=5).for_each(|n| message(&sender, round(n)));
        resumed(3);
        (4..=6).for_each(|n| message(&sender, round(n)));
        drop(sender);
        let t = follow(Transcript::default(), &receiver, Instant::now() + Duration::from_secs(9), false, |_| {});
        assert_eq!((numbers(&t.rounds), numbers(&t.lost), t.resumed), (vec![1, 2, 3, 4, 5, 6], vec![4, 5], vec![3]));
    }
}
