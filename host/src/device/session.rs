//! One run of a device, as it is followed from here.

use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Instant;

use lgl2o_device::cost::Item;
use lgl2o_device::imported::Outputs;
use lgl2o_device::message::{FromDevice, Summary};
use lgl2o_device::record::RoundRecord;

use super::foreign::{Doubt, Foreign, stranger};
use super::listen::Event;
use super::silence::Silence;
use crate::say;

/// How following a device ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Ended {
    /// The device has said all that it had to say, or its lines are closed.
    #[default]
    Over,
    /// There was no end within the time allowed.
    TimedOut,
    /// Another program is at the other end.
    Foreign,
}

/// A serial port that a device is followed on, which nobody has started from here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AtPort<'a> {
    /// The program that is expected.
    pub program: &'a str,
    /// Whether it is still to be written into the board, so that another one may be there until then.
    pub awaited: bool,
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
    /// What networks return, where the program tells of it.
    pub outputs: Vec<Outputs>,
    /// The summary of the run.
    pub summary: Option<Summary>,
    /// The log.
    pub log: Vec<String>,
    /// Frames that were damaged on their way.
    pub damaged: u32,
    /// How it ended.
    pub ended: Ended,
    /// What came, on a port, from another program, if nothing good has come since.
    pub foreign: Option<Foreign>,
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
/// of a run on, or until it is clear that another program is there. Each event goes to `each` too. What it says is added to
/// what it said before.
pub fn follow(
    mut t: Transcript,
    events: &Receiver<Event>,
    deadline: Instant,
    port: Option<AtPort<'_>>,
    mut each: impl FnMut(&Event),
) -> Transcript {
    t.ended = Ended::Over;
    let mut doubt = Doubt::default();
    let mut silence = port.map(|port| Silence::begin(port.program));
    while !(port.is_some() && t.summary.is_some()) {
        let foreign_end = doubt.end().filter(|_| port.is_some_and(|port| !port.awaited));
        let end = foreign_end.map_or(deadline, |end| end.min(deadline));
        let now = Instant::now();
        let quiet = silence.as_ref().and_then(Silence::end).map_or(end, |quiet| quiet.min(end));
        let event = match events.recv_timeout(quiet.saturating_duration_since(now)) {
            // However much of it comes.
            Ok(_) if foreign_end.is_some_and(|end| end <= now) => {
                t.ended = Ended::Foreign;
                break;
            }
            Ok(event) => event,
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) if quiet < end => {
                silence.as_mut().map(|silence| silence.tell(deadline));
                continue;
            }
            Err(RecvTimeoutError::Timeout) => {
                t.ended = if end < deadline { Ended::Foreign } else { Ended::TimedOut };
                break;
            }
        };
        silence.as_mut().map(Silence::heard);
        if let Some(port) = port
            && !is_ours(&event, port, &mut doubt, &mut t)
        {
            continue;
        }
        each(&event);
        match event {
            Event::Log(line) => t.log.push(line),
            Event::Damaged(_) => t.damaged += 1,
            Event::Message(FromDevice::Round(round)) => t.rounds.push(round),
            Event::Message(FromDevice::Done { params, .. }) => t.params = Some(params),
            Event::Message(FromDevice::Outputs(outputs)) => t.outputs.push(outputs),
            Event::Message(FromDevice::Summary(summary)) => t.summary = Some(summary),
            Event::Message(FromDevice::Resumed { rounds }) => t.resume(rounds),
            Event::Message(_) | Event::Foreign(_) => {}
        }
    }
    t.foreign = doubt.foreign().cloned();
    t
}

/// Whether an event on a port is of the run that is followed, or of the log. Tells at once of a program that is not the
/// expected one.
fn is_ours(event: &Event, port: AtPort<'_>, doubt: &mut Doubt, t: &mut Transcript) -> bool {
    let (foreign, is_ours) = match event {
        Event::Log(_) => (None, true),
        Event::Damaged(error) => (doubt.damage(*error), true),
        Event::Foreign(foreign) => (Some(foreign.clone()), true),
        Event::Message(message) => match stranger(message, port.program) {
            Some(foreign) => (Some(foreign), false),
            None => {
                doubt.clear();
                (None, t.belongs(message))
            }
        },
    };
    // In the middle of a run it is damage to the line.
    if let Some(foreign) = foreign.filter(|_| !t.begun)
        && doubt.raise(foreign.clone())
    {
        say::note(format_args!("this is not `{}` of this firmware: {foreign}", port.program));
    }
    is_ours
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Sender, channel};
    use std::time::Duration;

    use super::*;

    const PORT: AtPort<'static> = AtPort { program: "resume", awaited: false };

    #[test]
    fn a_silent_device_times_out_and_what_it_said_is_kept() {
        let (sender, receiver) = channel();
        sender.send(Event::Message(FromDevice::Done { rounds: 0, params: 9 })).expect("open");
        sender.send(Event::Log("hello".to_owned())).expect("open");
        let t = follow(Transcript::default(), &receiver, Instant::now() + Duration::from_millis(50), None, |_| {});
        assert_eq!((t.ended, t.params, t.log.len()), (Ended::TimedOut, Some(9), 1));
        drop(sender);
        let later = Instant::now() + Duration::from_secs(60);
        assert_eq!(follow(t, &receiver, later, None, |_| {}).ended, Ended::Over);
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
        let t = follow(Transcript::default(), &receiver, later, Some(PORT), |_| seen += 1);
        assert_eq!((numbers(&t.rounds), t.params, t.summary.map(|s| s.loss)), (vec![1, 2, 3], Some(2), Some(2)));
        assert_eq!(seen, 10);
        // A run that goes on after a reset is one run, even if there was no checkpoint yet.
        for said in [FromDevice::Resumed { rounds: 0 }, round(1), FromDevice::Resumed { rounds: 0 }, round(1), round(2)]
        {
            message(&sender, said);
        }
        message(&sender, summary(3));
        let t = follow(Transcript::default(), &receiver, later, Some(PORT), |_| {});
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
        let t = follow(Transcript::default(), &receiver, Instant::now() + Duration::from_secs(9), None, |_| {});
        assert_eq!((numbers(&t.rounds), numbers(&t.lost), t.resumed), (vec![1, 2, 3, 4, 5, 6], vec![4, 5], vec![3]));
    }

    #[test]
    fn another_program_ends_the_wait_long_before_the_deadline() {
        let (sender, receiver) = channel();
        sender.send(Event::Foreign(Foreign::Text("hello".to_owned()))).expect("open");
        let spirals = AtPort { program: "spirals", ..PORT };
        let later = Instant::now() + Duration::from_secs(600);
        let t = follow(Transcript::default(), &receiver, later, Some(spirals), |_| {});
        assert_eq!((t.ended, t.foreign), (Ended::Foreign, Some(Foreign::Text("hello".to_owned()))));
        // One that is still to be written is waited for; a good message takes the doubt away.
        sender.send(Event::Foreign(Foreign::Noise)).expect("open");
        let soon = Instant::now() + super::super::foreign::GRACE + Duration::from_millis(200);
        let t = follow(Transcript::default(), &receiver, soon, Some(AtPort { awaited: true, ..spirals }), |_| {});
        assert_eq!((t.ended, t.foreign), (Ended::TimedOut, Some(Foreign::Noise)));
        sender.send(Event::Foreign(Foreign::Noise)).expect("open");
        message(&sender, round(1));
        drop(sender);
        let t = follow(Transcript::default(), &receiver, later, Some(spirals), |_| {});
        assert_eq!((t.ended, t.foreign, numbers(&t.rounds)), (Ended::Over, None, vec![1]));
    }
}
