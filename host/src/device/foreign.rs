//! Whether what comes over a serial line is this firmware's at all.
//!
//! A good frame says so, whatever came before it: the end of a frame that was under way when the port was opened, the last words of the
//! program that was there before. Until one has come, three things tell that another program is at the other end: a line of
//! text, more bytes without a zero than the longest frame has, several damaged frames in a row. A frame of another version
//! of the format, or with a message that this program does not know, tells it by itself.

use std::fmt;
use std::time::{Duration, Instant};

use lgl2o_device::frame::{FrameError, frame_len};
use lgl2o_device::message::{FROM_DEVICE_LEN, FromDevice};

use super::port::BAUD;
use super::programs::{PROGRAMS, Program, Says, find};

/// How long something foreign is listened to: a boot loader's greeting is over by then.
pub const GRACE: Duration = Duration::from_secs(5);
/// No frame has more bytes.
const LONGEST: usize = frame_len(FROM_DEVICE_LEN);
/// So many letters and a line end are a line of text; a frame has as many in a row once in 200,000.
const LETTERS: usize = 12;
/// Damaged frames that a line may begin with.
const DAMAGED: u32 = 3;
/// So much of a text is shown.
const SHOWN: usize = 60;

/// What tells that another program is at the other end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Foreign {
    /// A line of text.
    Text(String),
    /// Bytes that are no frames.
    Noise,
    /// A frame that is in order, but not for this program.
    Frame(FrameError),
    /// Messages of another program of this firmware, which is named as a text has it.
    Program(String),
}

impl fmt::Display for Foreign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(line) => write!(f, "it sends text (`{line}`)"),
            Self::Noise => write!(f, "it sends bytes that are no frames at {BAUD} baud"),
            Self::Frame(error) => error.fmt(f),
            Self::Program(name) => write!(f, "its messages are those of {name}"),
        }
    }
}

/// Looks at bytes as they come.
#[derive(Debug, Default)]
pub struct Sieve {
    /// Bytes since the last zero.
    run: usize,
    /// The line of text that is under way.
    line: String,
}

impl Sieve {
    /// Takes the next byte; returns what it tells.
    pub fn feed(&mut self, byte: u8) -> Option<Foreign> {
        self.run = if byte == 0 { 0 } else { self.run.saturating_add(1) };
        match byte {
            b' '..=b'~' | b'\t' if self.line.len() < SHOWN => self.line.push(char::from(byte)),
            b' '..=b'~' | b'\t' => {}
            b'\n' | b'\r' if self.line.len() >= LETTERS => return Some(Foreign::Text(std::mem::take(&mut self.line))),
            _ => self.line.clear(),
        }
        (self.run == LONGEST + 1).then(|| match self.line.len() {
            SHOWN.. => Foreign::Text(std::mem::take(&mut self.line)),
            _ => Foreign::Noise,
        })
    }
}

/// Whether a line is in doubt, and since when.
#[derive(Debug, Default)]
pub struct Doubt {
    first: Option<(Foreign, Instant)>,
    damaged: u32,
}

impl Doubt {
    /// Something is foreign; true if it is the first thing since the last good message.
    pub fn raise(&mut self, foreign: Foreign) -> bool {
        let is_new = self.first.is_none();
        self.first.get_or_insert_with(|| (foreign, Instant::now()));
        is_new
    }

    /// A frame was not in order; what that tells, if it is much.
    pub fn damage(&mut self, error: FrameError) -> Option<Foreign> {
        self.damaged += 1;
        match error {
            FrameError::Version(_) | FrameError::UnknownMessage => Some(Foreign::Frame(error)),
            _ => (self.damaged == DAMAGED).then_some(Foreign::Noise),
        }
    }

    /// A good message has come.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// What was foreign first.
    #[must_use]
    pub fn foreign(&self) -> Option<&Foreign> {
        self.first.as_ref().map(|(foreign, _)| foreign)
    }

    /// When patience with it ends.
    #[must_use]
    pub fn end(&self) -> Option<Instant> {
        self.first.as_ref().map(|(_, since)| *since + GRACE)
    }
}

/// Whether a message is not one of this program's, and whose it is.
#[must_use]
pub fn stranger(message: &FromDevice, program: &str) -> Option<Foreign> {
    let said = Says::of(message)?;
    let says = |program: &&Program| program.says.contains(&said);
    if find(program).as_ref().is_some_and(says) {
        return None;
    }
    let names: Vec<String> = PROGRAMS.iter().filter(says).map(|program| format!("`{}`", program.name)).collect();
    Some(Foreign::Program(alternatives(&names)))
}

/// Names with commas between, and "or" before the last.
fn alternatives(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [all @ .., last] => format!("{} or {last}", all.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use lgl2o_device::frame::encode;

    use super::*;

    fn found(bytes: &[u8]) -> Option<Foreign> {
        let mut sieve = Sieve::default();
        bytes.iter().find_map(|byte| sieve.feed(*byte))
    }

    #[test]
    fn text_and_noise_are_told_and_frames_are_not() {
        assert_eq!(found(b"hello, world\r\n"), Some(Foreign::Text("hello, world".to_owned())));
        assert_eq!(found(&[b'.'; 200]), Some(Foreign::Text(".".repeat(SHOWN))));
        assert_eq!(found(&[0xaa; LONGEST]), None);
        assert_eq!(found(&[0xaa; LONGEST + 1]), Some(Foreign::Noise));
        assert_eq!(found(b"\n\n\r\nok\n"), None);
        let mut buffer = [0; 256];
        for rounds in 0..2_000 {
            let done = FromDevice::Done { rounds, params: u64::from(rounds).wrapping_mul(0x9e37_79b9_7f4a_7c15) };
            assert_eq!(found(encode(&done, &mut buffer).expect("fits")), None, "{rounds}");
        }
    }

    #[test]
    fn doubt_ends_with_a_good_message() {
        let mut doubt = Doubt::default();
        assert_eq!(doubt.damage(FrameError::BadCrc), None);
        assert_eq!(doubt.damage(FrameError::Version(9)), Some(Foreign::Frame(FrameError::Version(9))));
        assert_eq!(doubt.damage(FrameError::BadCrc), Some(Foreign::Noise));
        assert!(doubt.raise(Foreign::Noise) && !doubt.raise(Foreign::Frame(FrameError::BadCrc)));
        assert_eq!(doubt.foreign(), Some(&Foreign::Noise));
        assert!(doubt.end().is_some());
        doubt.clear();
        assert_eq!((doubt.foreign(), doubt.end()), (None, None));
    }

    #[test]
    fn messages_of_another_program_are_known() {
        let done = FromDevice::Done { rounds: 1, params: 1 };
        assert_eq!((stranger(&done, "sensor"), stranger(&done, "cost").is_some()), (None, true));
        let resumed = FromDevice::Resumed { rounds: 0 };
        assert_eq!(
            (stranger(&resumed, "resume"), stranger(&resumed, "spirals")),
            (None, Some(Foreign::Program("`resume`".to_owned())))
        );
        let words = stranger(&done, "faults").map(|foreign| foreign.to_string());
        assert_eq!(
            words.as_deref(),
            Some("its messages are those of `spirals`, `sensor`, `imported`, `resume` or `train`"),
            "each program that sends them is named"
        );
        assert_eq!(stranger(&FromDevice::Spent { count: 1 }, "cost"), Some(Foreign::Program("`train`".to_owned())));
    }
}
