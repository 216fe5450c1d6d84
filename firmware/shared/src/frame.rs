//! Frames: messages on a serial line that may lose, damage or invent bytes.
//!
//! ```text
//! 0   COBS( version | message in postcard | CRC-32 of both, little-endian )   0
//! ```
//!
//! COBS (Cheshire and Baker, "Consistent overhead byte stuffing", 1999) leaves no zero inside a frame, so that a reader
//! that has lost its way finds the next frame at the next zero. The zero in front cuts off what a sender that vanished
//! has left on the line; empty frames are no frames. The CRC is that of Ethernet, whose Hamming distance is 5 or more
//! at these lengths (Koopman 2002): up to four flipped bits are always found.
//!
//! Nothing here allocates, panics or waits. Buffers belong to the caller.

use cobs::{DecodeResult, DecoderState};
use crc::{CRC_32_ISO_HDLC, Crc, Table};
use serde::{Deserialize, Serialize};

use crate::message::FromDevice;

/// Number of this format; a device and a host of different numbers refuse each other.
pub const VERSION: u8 = 1;

/// Bytes of a frame besides the message: version, CRC, two zeros, and COBS's one in 254.
pub const OVERHEAD: usize = 1 + 4 + 2;

static CRC: Crc<u32, Table<1>> = Crc::<u32, Table<1>>::new(&CRC_32_ISO_HDLC);

/// What is wrong with a frame. The next one is not affected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum FrameError {
    /// It is longer than the buffer.
    TooLong,
    /// It ends where COBS says that it goes on.
    BadStuffing,
    /// Its CRC is not that of its bytes, or it is too short to have one.
    BadCrc,
    /// It is of another version of this format, and otherwise in order.
    Version(u8),
    /// It is in order, but no message that the reader knows.
    UnknownMessage,
}

impl core::fmt::Display for FrameError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::TooLong => f.write_str("a frame is longer than its buffer"),
            Self::BadStuffing => f.write_str("a frame is cut short or damaged"),
            Self::BadCrc => f.write_str("a frame's checksum is wrong: it was damaged on its way"),
            Self::Version(found) => write!(
                f,
                "a frame is of version {found} and this program reads version {VERSION}: build firmware and host \
                 program from the same sources"
            ),
            Self::UnknownMessage => f.write_str("a frame holds no message that this program knows"),
        }
    }
}

impl core::error::Error for FrameError {}

/// The longest frame that a message of `message` bytes in postcard can make.
#[must_use]
pub const fn frame_len(message: usize) -> usize {
    let body = message + OVERHEAD - 2;
    body + body / 254 + 1 + 2
}

/// Writes a message as a frame, zeros included, to the first half of a buffer; returns the frame. The second half is
/// scratch, so that twice the frame's length is enough.
///
/// # Errors
/// [`FrameError::TooLong`] if the buffer is too short.
///
/// ```
/// use lgl2o_device::frame::{Decoder, encode};
/// let mut buffer = [0; 64];
/// let frame = encode(&(7u32, "seven"), &mut buffer)?;
/// let mut decoder = Decoder::<32>::new();
/// let body = frame.iter().find_map(|&byte| decoder.feed(byte).ok().flatten().map(<[u8]>::len));
/// assert_eq!(body, Some(7));
/// assert_eq!(decoder.message(), Ok((7u32, "seven")));
/// # Ok::<(), lgl2o_device::frame::FrameError>(())
/// ```
pub fn encode<'b, M: Serialize>(message: &M, buffer: &'b mut [u8]) -> Result<&'b [u8], FrameError> {
    let (frame, body) = buffer.split_at_mut_checked(buffer.len() / 2).ok_or(FrameError::TooLong)?;
    let written = postcard::to_slice(&(VERSION, message), body).map_err(|_| FrameError::TooLong)?.len();
    let checksum = CRC.checksum(body.get(..written).unwrap_or(&[])).to_le_bytes();
    body.get_mut(written..written + checksum.len()).ok_or(FrameError::TooLong)?.copy_from_slice(&checksum);
    let body = body.get(..written + checksum.len()).unwrap_or(&[]);
    *frame.first_mut().ok_or(FrameError::TooLong)? = 0;
    let stuffed = cobs::try_encode(body, frame.get_mut(1..).unwrap_or(&mut []));
    let end = 1 + stuffed.map_err(|_| FrameError::TooLong)?;
    *frame.get_mut(end).ok_or(FrameError::TooLong)? = 0;
    frame.get(..=end).ok_or(FrameError::TooLong)
}

/// [`encode`] for messages to the host. It is in this package as machine code, so that a program that is built for size has it
/// as this package is built: for speed, without a check of bounds that could panic.
///
/// # Errors
/// As [`encode`].
#[inline(never)]
pub fn encode_from_device<'b>(message: &FromDevice, buffer: &'b mut [u8]) -> Result<&'b [u8], FrameError> {
    encode(message, buffer)
}

/// Finds frames of up to N bytes (version, message and CRC, before stuffing) in a stream of bytes.
#[derive(Debug)]
pub struct Decoder<const N: usize> {
    body: [u8; N],
    len: usize,
    state: DecoderState,
    /// Whether the frame under way no longer fits; it is then read to its end and refused.
    overflow: bool,
    /// Length of the message in the last good frame; 0 if there is none in the buffer.
    message: usize,
}

impl<const N: usize> Decoder<N> {
    /// A decoder at the start of a stream. It is all zero.
    #[must_use]
    pub const fn new() -> Self {
        Self { body: [0; N], len: 0, state: DecoderState::Idle, overflow: false, message: 0 }
    }

    /// Takes the next byte. Gives the bytes of a message with the zero that ends its frame, which
    /// [`message`](Self::message) reads until the next byte is fed.
    ///
    /// # Errors
    /// What is wrong with the frame that ends here.
    pub fn feed(&mut self, byte: u8) -> Result<Option<&[u8]>, FrameError> {
        self.message = 0;
        match self.state.feed(byte) {
            Ok(DecodeResult::NoData) => {}
            Ok(DecodeResult::DataStart) => (self.len, self.overflow) = (0, false),
            Ok(DecodeResult::DataContinue(byte)) => match self.body.get_mut(self.len) {
                Some(place) => (*place, self.len) = (byte, self.len + 1),
                None => self.overflow = true,
            },
            Ok(DecodeResult::DataComplete) => return self.check().map(Some),
            Err(_) if self.overflow => return Err(FrameError::TooLong),
            Err(_) => return Err(FrameError::BadStuffing),
        }
        Ok(None)
    }

    /// The message of the frame that the last byte has ended.
    ///
    /// # Errors
    /// [`FrameError::UnknownMessage`] if it is none of this type, or if there is none.
    pub fn message<'a, M: Deserialize<'a>>(&'a self) -> Result<M, FrameError> {
        let bytes = self.body.get(1..1 + self.message).unwrap_or(&[]);
        match postcard::take_from_bytes(bytes) {
            Ok((message, [])) if self.message > 0 => Ok(message),
            _ => Err(FrameError::UnknownMessage),
        }
    }

    /// Checks the frame that is complete.
    fn check(&mut self) -> Result<&[u8], FrameError> {
        if self.overflow {
            return Err(FrameError::TooLong);
        }
        let frame = self.body.get(..self.len).unwrap_or(&[]);
        let (body, checksum) = frame.split_last_chunk::<4>().ok_or(FrameError::BadCrc)?;
        if CRC.checksum(body).to_le_bytes() != *checksum {
            return Err(FrameError::BadCrc);
        }
        match body.split_first() {
            Some((&VERSION, message)) => {
                self.message = message.len();
                Ok(message)
            }
            Some((&other, _)) => Err(FrameError::Version(other)),
            None => Err(FrameError::BadCrc),
        }
    }
}

impl<const N: usize> Default for Decoder<N> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    type Message = (u32, [u8; 5]);
    const MESSAGES: [Message; 2] = [(7, [1, 0, 0, 255, 3]), (u32::MAX, [0; 5])];

    fn frame(message: &impl Serialize) -> Vec<u8> {
        let mut buffer = [0; 2048];
        encode(message, &mut buffer).unwrap().to_vec()
    }

    /// Everything that a decoder makes of some bytes.
    fn decode<const N: usize>(bytes: &[u8]) -> Vec<Result<Message, FrameError>> {
        let mut decoder = Decoder::<N>::new();
        let mut all = Vec::new();
        for &byte in bytes {
            match decoder.feed(byte) {
                Ok(None) => {}
                Ok(Some(_)) => all.push(decoder.message()),
                Err(error) => all.push(Err(error)),
            }
        }
        all
    }

    #[test]
    fn messages_come_back_one_after_the_other() {
        let stream: Vec<u8> = MESSAGES.iter().flat_map(frame).collect();
        assert_eq!(decode::<16>(&stream), MESSAGES.map(Ok));
    }

    #[test]
    fn every_length_comes_back_and_fits() {
        for len in 0..600 {
            let message: Vec<u8> = (0..len).map(|i| (i % 256) as u8 | u8::from(len % 2 == 0)).collect();
            let frame = frame(&message.as_slice());
            assert!(frame.len() <= frame_len(len + 2), "{len}");
            let mut decoder = Decoder::<700>::new();
            let complete = frame.iter().filter(|&&byte| decoder.feed(byte).unwrap().is_some()).count();
            assert_eq!((complete, decoder.message()), (1, Ok(message.as_slice())));
        }
    }

    #[test]
    fn every_flipped_bit_is_found_and_the_next_frame_is_read() {
        let (first, second) = (frame(&MESSAGES[0]), frame(&MESSAGES[1]));
        // The zero in front may go: the frame still begins where the stream does.
        for bit in 8..8 * first.len() {
            let mut stream = [&first[..], &second[..]].concat();
            stream[bit / 8] ^= 1 << (bit % 8);
            let all = decode::<16>(&stream);
            assert_eq!(all.last(), Some(&Ok(MESSAGES[1])), "bit {bit}");
            assert!(!all.contains(&Ok(MESSAGES[0])), "bit {bit}");
        }
    }

    #[test]
    fn every_cut_is_found_and_the_next_frame_is_read() {
        let (first, second) = (frame(&MESSAGES[0]), frame(&MESSAGES[1]));
        for kept in 0..first.len() - 1 {
            let all = decode::<16>(&[&first[..kept], &second[..]].concat());
            assert_eq!(all.last(), Some(&Ok(MESSAGES[1])), "{kept} bytes");
            assert!(all.len() <= 2 && !all.contains(&Ok(MESSAGES[0])), "{kept} bytes");
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        let two = |bad: Vec<u8>| decode::<16>(&[bad, frame(&MESSAGES[0])].concat());
        assert_eq!(two(frame(&[1u8; 90].as_slice())), [Err(FrameError::TooLong), Ok(MESSAGES[0])]);
        assert_eq!(two([0, 9, 1, 0].to_vec()), [Err(FrameError::BadStuffing), Ok(MESSAGES[0])]);
        assert_eq!(two([0, 2, 1, 0].to_vec()), [Err(FrameError::BadCrc), Ok(MESSAGES[0])]);
        assert_eq!(two(frame(&1u8)), [Err(FrameError::UnknownMessage), Ok(MESSAGES[0])]);
        assert_eq!(two(frame(&(MESSAGES[0], 1u8))), [Err(FrameError::UnknownMessage), Ok(MESSAGES[0])]);
        let mut buffer = [0; 64];
        let body = [VERSION + 1, 5];
        let whole = [&body[..], &CRC.checksum(&body).to_le_bytes()].concat();
        let n = cobs::encode(&whole, &mut buffer);
        assert_eq!(two([&buffer[..n], &[0]].concat()), [Err(FrameError::Version(2)), Ok(MESSAGES[0])]);
    }

    #[test]
    fn a_buffer_that_is_too_short_is_no_panic() {
        let whole = frame(&MESSAGES[0]).len();
        for len in 0..2 * whole {
            assert_eq!(encode(&MESSAGES[0], &mut std::vec![0; len]), Err(FrameError::TooLong));
        }
        assert!(encode(&MESSAGES[0], &mut std::vec![0; 2 * whole]).is_ok());
    }
}
