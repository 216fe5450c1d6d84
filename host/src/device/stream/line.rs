//! Questions and answers over a line that may lose or damage them.

use std::io;
use std::time::{Duration, Instant};

use lgl2o_device::frame::{Decoder, FrameError, encode, frame_len};
use lgl2o_device::message::{FROM_DEVICE_LEN, FromDevice, Order, Question, Summary, ToDevice};
use lgl2o_device::stream::{BATCH, INPUTS};

use crate::device::Transport;
use crate::device::foreign::{Doubt, Foreign, Sieve, stranger};
use crate::device::silence::Silence;

/// How long to wait for a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// Before what was said last is said again.
    pub retry: Duration,
    /// Before the device is given up.
    pub stall: Duration,
}

/// So often in a row a device says that it stands at its beginning before it is believed: one such question may be an
/// old one.
const RESTARTS: u32 = 5;

/// Why a line failed.
#[derive(Debug, thiserror::Error)]
pub enum LineError {
    /// The device says nothing new.
    #[error(
        "the device has not gone on for {0:?}: see that the firmware is `stream`, that the line is free of other programs, \
         and start again; a device that was not reset goes on where it stands"
    )]
    Stalled(Duration),
    /// The other side is gone.
    #[error("the device has closed the line: see what the firmware or the emulator says")]
    Closed,
    /// The line is broken.
    #[error("the line to the device is broken")]
    Broken(#[source] io::Error),
    /// Firmware and host program are of different versions.
    #[error(transparent)]
    Frame(FrameError),
    /// Another program is at the other end.
    #[error(
        "the device does not run `stream` of this firmware: {0}. Write that into the board, reset it, and start again"
    )]
    Foreign(Foreign),
    /// The device is in another run.
    #[error(
        "the device is in another run, or at its end, and its model was left alone: reset it, or go on with that run's \
         --seed and --steps"
    )]
    Busy,
    /// The device has lost its run.
    #[error("the device has started over in the middle of the run: its power failed, or it was reset; start again")]
    Restarted,
    /// The device is ahead of what it can know.
    #[error("the device has received answers from another program: close every other program that uses the line")]
    OutOfStep,
}

/// A line to a device that asks questions.
#[derive(Debug)]
pub struct Line<T> {
    transport: T,
    decoder: Box<Decoder<{ FROM_DEVICE_LEN + 16 }>>,
    patience: Patience,
    sieve: Sieve,
    doubt: Doubt,
    /// At a serial port.
    silence: Option<Silence>,
    /// Whether a question has come.
    begun: bool,
    /// Bytes that came and were not looked at yet.
    waiting: std::collections::VecDeque<u8>,
    /// What was said last, as a frame.
    said: Vec<u8>,
    buffer: Vec<u8>,
    /// What the device has said of itself.
    pub summary: Option<Summary>,
    /// Frames that arrived damaged.
    pub damaged: u32,
    /// How often something had to be said again.
    pub repeats: u32,
}

impl<T: Transport> Line<T> {
    /// A line on which nothing was said yet.
    pub fn new(transport: T, patience: Patience) -> Self {
        Self {
            transport,
            decoder: Box::new(Decoder::new()),
            patience,
            sieve: Sieve::default(),
            doubt: Doubt::default(),
            silence: None,
            begun: false,
            waiting: std::collections::VecDeque::new(),
            said: Vec::new(),
            buffer: vec![0; 2 * frame_len(BATCH * (INPUTS + 1) + 32)],
            summary: None,
            damaged: 0,
            repeats: 0,
        }
    }

    /// The same at a serial port, where silence is told of.
    #[must_use]
    pub fn at_port(self) -> Self {
        Self { silence: Some(Silence::begin("stream")), ..self }
    }

    /// Sends a message, and remembers it.
    ///
    /// # Errors
    /// If the line is broken.
    pub fn say(&mut self, message: &ToDevice<'_>) -> Result<(), LineError> {
        let frame = encode(message, &mut self.buffer).map_err(LineError::Frame)?;
        self.said.clear();
        self.said.extend_from_slice(frame);
        self.send()
    }

    /// Sends the last message again.
    ///
    /// # Errors
    /// If the line is broken.
    pub fn repeat(&mut self) -> Result<(), LineError> {
        self.repeats += 1;
        self.send()
    }

    fn send(&mut self) -> Result<(), LineError> {
        self.transport.send(&self.said).map_err(broken)
    }

    /// Waits for question `number` of the run, however often what was said must be repeated for it. Before anything was
    /// answered (`number` 0) the device may be further on in the same run; it is then its question that is given.
    ///
    /// # Errors
    /// If it does not come.
    pub fn wait(&mut self, order: Order, number: u32) -> Result<Question, LineError> {
        let end = Instant::now() + self.patience.stall;
        let mut beginnings = 0;
        loop {
            let again = Instant::now() + self.patience.retry;
            while let Some(message) = self.receive(again)? {
                let question = match message {
                    FromDevice::Question(question) => question,
                    FromDevice::Summary(summary) => {
                        self.summary = Some(summary);
                        continue;
                    }
                    _ => continue,
                };
                let beginning = question.number == 0 && question.run == 0;
                let expected = if number == 0 { 0 } else { order.id() };
                match question {
                    Question { run, number: n, .. } if run == expected && n == number => return Ok(question),
                    Question { run, .. } if number == 0 && run == order.id() => return Ok(question),
                    _ if beginning && number > 1 => beginnings += 1,
                    _ if beginning => {}
                    Question { run, .. } if run != order.id() => return Err(LineError::Busy),
                    Question { number: n, .. } if n > number => return Err(LineError::OutOfStep),
                    // One that was answered already.
                    _ => {}
                }
                if beginnings >= RESTARTS {
                    return Err(LineError::Restarted);
                }
            }
            self.silence.as_mut().map(|silence| silence.tell(end));
            if Instant::now() >= end {
                return Err(LineError::Stalled(self.patience.stall));
            }
            self.repeat()?;
        }
    }

    /// The next message that arrives in order; `None` if none does until the given time.
    fn receive(&mut self, until: Instant) -> Result<Option<FromDevice>, LineError> {
        loop {
            while let Some(byte) = self.waiting.pop_front() {
                let foreign = self.sieve.feed(byte);
                self.doubts(foreign);
                let read = match self.decoder.feed(byte) {
                    Ok(None) => continue,
                    Ok(Some(_)) => self.decoder.message(),
                    Err(error) => Err(error),
                };
                match read {
                    Ok(message) => match stranger(&message, "stream") {
                        None => {
                            self.begun = true;
                            return Ok(Some(message));
                        }
                        foreign => self.doubts(foreign),
                    },
                    Err(error @ FrameError::Version(_)) => return Err(LineError::Frame(error)),
                    Err(error) => {
                        self.damaged += 1;
                        let foreign = self.doubt.damage(error);
                        self.doubts(foreign);
                    }
                }
            }
            let now = Instant::now();
            if let (Some(end), Some(foreign)) = (self.doubt.end(), self.doubt.foreign())
                && end <= now
                && !self.begun
            {
                return Err(LineError::Foreign(foreign.clone()));
            }
            let left = until.saturating_duration_since(now);
            if left.is_zero() {
                return Ok(None);
            }
            let mut chunk = [0; 256];
            if let Some(n) = self.transport.receive(&mut chunk, left).map_err(broken)? {
                self.waiting.extend(&chunk[..n]);
                self.silence.as_mut().map(Silence::heard);
            }
        }
    }

    /// Something foreign on a line that no question has come on.
    fn doubts(&mut self, foreign: Option<Foreign>) {
        if let Some(foreign) = foreign.filter(|_| !self.begun) {
            self.doubt.raise(foreign);
        }
    }
}

fn broken(error: io::Error) -> LineError {
    use io::ErrorKind::{BrokenPipe, ConnectionReset, UnexpectedEof};
    match error.kind() {
        BrokenPipe | ConnectionReset | UnexpectedEof => LineError::Closed,
        _ => LineError::Broken(error),
    }
}
