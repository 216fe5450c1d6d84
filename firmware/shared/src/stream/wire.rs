//! Asking over a serial line.

use embedded_io::{Read, Write};

use super::{BATCH, Exchange, INPUTS, fits};
use crate::frame::{Decoder, encode_from_device, frame_len};
use crate::message::{Answer, Ask, FROM_DEVICE_LEN, FromDevice, Question, ToDevice};

/// The longest frame from the host before stuffing: a batch, with room for the numbers around it.
const LONGEST: usize = BATCH * (INPUTS + 1) + 32;

/// The line is closed: there is nobody to answer, now or later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Closed;

/// What a line needs in memory: room for one frame. Zero at the beginning.
#[derive(Debug)]
pub struct Inbox {
    decoder: Decoder<LONGEST>,
    /// Bytes that were read and not looked at yet.
    chunk: [u8; 32],
    read: usize,
    used: usize,
}

impl Inbox {
    /// Nothing has come.
    pub const EMPTY: Self = Self { decoder: Decoder::new(), chunk: [0; 32], read: 0, used: 0 };
}

/// A serial line to the host.
#[derive(Debug)]
pub struct Wire<'a, P> {
    port: P,
    inbox: &'a mut Inbox,
    /// The number of the next question, and the run that it belongs to.
    number: u32,
    run: u32,
    damaged: u32,
}

impl<'a, P> Wire<'a, P> {
    /// A line through a port.
    #[must_use]
    pub const fn new(port: P, inbox: &'a mut Inbox) -> Self {
        Self { port, inbox, number: 0, run: 0, damaged: 0 }
    }
}

impl<P: Read + Write> Wire<'_, P> {
    /// Says what the device waits for.
    fn say(&mut self, ask: &Ask) -> Result<(), Closed> {
        let question = Question { run: self.run, number: self.number, damaged: self.damaged, ask: *ask };
        self.tell(&FromDevice::Question(question))
    }

    /// Sends a message, which may get lost.
    ///
    /// # Errors
    /// If the line is closed.
    pub fn tell(&mut self, message: &FromDevice) -> Result<(), Closed> {
        let mut buffer = [0; 2 * frame_len(FROM_DEVICE_LEN)];
        // What does not fit is never sent: no message is that long.
        let frame = encode_from_device(message, &mut buffer).unwrap_or(&[]);
        self.port.write_all(frame).map_err(|_| Closed)?;
        self.port.flush().map_err(|_| Closed)
    }

    /// Says the last question again to whoever says anything, until the line is closed: a host that was gone when it was
    /// answered, and comes back, then finds the end of the run and not a silent device.
    pub fn stay(&mut self, last: &Ask) -> Closed {
        self.number = self.number.wrapping_sub(1);
        loop {
            let said = self.frame().and_then(|()| self.say(last));
            if let Err(closed) = said {
                return closed;
            }
        }
    }

    /// The next byte. A port that reports a broken character has damaged a frame; the checksum will say so.
    fn byte(&mut self) -> Result<u8, Closed> {
        let Inbox { chunk, read, used, .. } = &mut *self.inbox;
        loop {
            if *used < *read
                && let Some(&byte) = chunk.get(*used)
            {
                *used += 1;
                return Ok(byte);
            }
            (*read, *used) = (0, 0);
            match self.port.read(chunk) {
                Ok(0) => return Err(Closed),
                Ok(n) => *read = n,
                Err(_) => self.damaged = self.damaged.saturating_add(1),
            }
        }
    }

    /// Waits for a frame that is in order.
    fn frame(&mut self) -> Result<(), Closed> {
        loop {
            let byte = self.byte()?;
            match self.inbox.decoder.feed(byte) {
                Ok(None) => {}
                Ok(Some(_)) => return Ok(()),
                Err(_) => self.damaged = self.damaged.saturating_add(1),
            }
        }
    }

    /// The answer in the decoder, if it is the one to this question.
    fn answer(&self, ask: &Ask) -> Option<Answer<'_>> {
        match self.inbox.decoder.message() {
            Ok(ToDevice::Answer { run, number, answer }) if run == self.run && number == self.number => {
                fits(ask, &answer).then_some(answer)
            }
            _ => None,
        }
    }
}

impl<P: Read + Write> Exchange for Wire<'_, P> {
    type Error = Closed;

    /// Says the question, and says it again to everything but its answer. Damaged frames it meets with silence: the
    /// host will say what it had to say again, and a question for each would only make the line fuller.
    fn ask(&mut self, ask: &Ask) -> Result<Answer<'_>, Closed> {
        self.say(ask)?;
        loop {
            self.frame()?;
            match self.answer(ask) {
                Some(Answer::Start(order)) => {
                    self.run = order.id();
                    break;
                }
                Some(_) => break,
                None => self.say(ask)?,
            }
        }
        self.number = self.number.wrapping_add(1);
        // The frame is still in the decoder, and was looked at already.
        match self.inbox.decoder.message() {
            Ok(ToDevice::Answer { answer, .. }) => Ok(answer),
            _ => Err(Closed),
        }
    }
}
