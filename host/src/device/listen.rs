//! Listening to a device: its log, and its messages on the UART, as one stream of events.

use std::io::Read;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use anyhow::{Context, Result, bail};
use defmt_decoder::{DecodeError, Table};
use lgl2o_device::frame::{Decoder, FrameError, OVERHEAD};
use lgl2o_device::message::{FROM_DEVICE_LEN, FromDevice};

use super::foreign::{Foreign, Sieve};

/// What a device has said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A line of the log.
    Log(String),
    /// A message.
    Message(FromDevice),
    /// Something on the line that is no message.
    Damaged(FrameError),
    /// Something that no program of this firmware sends.
    Foreign(Foreign),
}

/// A log with the strings that its ELF file holds.
///
/// # Errors
/// If the file has none, or of another version of defmt.
pub fn log_table(elf: &[u8]) -> Result<Table> {
    match Table::parse(elf) {
        Ok(Some(table)) => Ok(table),
        Ok(None) => bail!("the program logs nothing: it has no section .defmt"),
        Err(error) => Err(error).context("the program's log cannot be read"),
    }
}

/// Events of a UART, and of a log if there is one, until both are closed.
#[must_use]
pub fn listen(uart: impl Read + Send + 'static, log: Option<(impl Read + Send + 'static, Table)>) -> Receiver<Event> {
    let (sender, receiver) = channel();
    if let Some((log, table)) = log {
        let sender = sender.clone();
        thread::spawn(move || read_log(log, &table, &sender));
    }
    thread::spawn(move || read_messages(uart, &sender));
    receiver
}

/// Reads until the end; ends early if the receiver is gone.
fn read_all(mut input: impl Read, mut each: impl FnMut(&[u8]) -> bool) {
    let mut buffer = [0; 1024];
    while let Ok(n @ 1..) = input.read(&mut buffer) {
        if !each(&buffer[..n]) {
            break;
        }
    }
}

fn read_log(log: impl Read, table: &Table, sender: &Sender<Event>) {
    let mut decoder = table.new_stream_decoder();
    read_all(log, |bytes| {
        decoder.received(bytes);
        loop {
            let line = match decoder.decode() {
                Ok(frame) => {
                    let level = frame.level().map_or(String::new(), |level| format!("{:<5} ", level.as_str()));
                    format!("{level}{}", frame.display_message())
                }
                Err(DecodeError::UnexpectedEof) => return true,
                Err(DecodeError::Malformed) => "(a line of the log was damaged)".to_owned(),
            };
            if sender.send(Event::Log(line)).is_err() {
                return false;
            }
        }
    });
}

fn read_messages(uart: impl Read, sender: &Sender<Event>) {
    let mut decoder = Decoder::<{ FROM_DEVICE_LEN + OVERHEAD }>::new();
    let mut sieve = Sieve::default();
    read_all(uart, |bytes| {
        bytes.iter().all(|&byte| {
            let foreign = sieve.feed(byte);
            if foreign.is_some_and(|foreign| sender.send(Event::Foreign(foreign)).is_err()) {
                return false;
            }
            let event = match decoder.feed(byte).map(|complete| complete.is_some()) {
                Ok(false) => return true,
                Ok(true) => decoder.message().map_or_else(Event::Damaged, Event::Message),
                Err(error) => Event::Damaged(error),
            };
            sender.send(event).is_ok()
        })
    });
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, empty};

    use lgl2o_device::frame::encode;

    use super::*;

    #[test]
    fn messages_come_through_damage() {
        let done = FromDevice::Done { rounds: 3, params: 5 };
        let mut buffer = [0; 256];
        let frame = encode(&done, &mut buffer).expect("fits").to_vec();
        let mut broken = frame.clone();
        // The last byte before the zero that ends the frame: of the checksum, whatever the message is.
        let last = broken.len() - 2;
        broken[last] ^= 0x40;
        let line = [frame.clone(), broken, frame].concat();
        let events: Vec<Event> = listen(Cursor::new(line), None::<(std::io::Empty, Table)>).into_iter().collect();
        let bad = Event::Damaged(FrameError::BadCrc);
        assert_eq!(events, [Event::Message(done), bad, Event::Message(done)]);
        assert_eq!(listen(empty(), None::<(std::io::Empty, Table)>).into_iter().count(), 0);
    }
}
