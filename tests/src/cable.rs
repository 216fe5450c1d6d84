//! A serial cable in memory, good or bad.
//!
//! The device's end reads and writes as a UART does; the host's end is a [`Transport`]. Either side may go away and
//! another take its place. A bad cable works on whole writes, which are frames: it drops, cuts, repeats, flips, holds
//! back, or puts noise between them, as its generator has it.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use embedded_io::{ErrorType, Read, Write};
use lgl2o::Rng;
use lgl2o_host::device::Transport;

/// How often a frame meets which fate, in percent; the rest arrives.
#[derive(Debug, Clone, Copy, Default)]
pub struct Faults {
    /// It does not arrive.
    pub drop: u32,
    /// One to three of its bits are flipped.
    pub flip: u32,
    /// Its end is missing.
    pub cut: u32,
    /// It arrives twice.
    pub twice: u32,
    /// It arrives after the next one.
    pub late: u32,
    /// Noise comes before it, sometimes more than fits any buffer.
    pub noise: u32,
}

/// One direction of a cable.
#[derive(Debug)]
struct Wire {
    bytes: VecDeque<u8>,
    late: Option<Vec<u8>>,
    faults: Faults,
    rng: Rng,
    closed: bool,
}

impl Wire {
    fn new(faults: Faults, seed: u64) -> Self {
        Self { bytes: VecDeque::new(), late: None, faults, rng: Rng::new(seed), closed: false }
    }

    /// Sends a frame on its way.
    fn send(&mut self, frame: &[u8]) {
        let Faults { drop, flip, cut, twice, late, noise } = self.faults;
        let mut dice = self.rng.below(100);
        let mut is = |percent: u32| {
            let hit = dice < percent;
            dice = if hit { u32::MAX } else { dice - percent };
            hit
        };
        let held = self.late.take();
        if is(drop) {
        } else if is(flip) {
            let mut frame = frame.to_vec();
            for _ in 0..=self.rng.below(3) {
                let bit = self.rng.below(8 * frame.len() as u32);
                frame[bit as usize / 8] ^= 1 << (bit % 8);
            }
            self.bytes.extend(frame);
        } else if is(cut) {
            self.bytes.extend(&frame[..self.rng.below(frame.len() as u32) as usize]);
        } else if is(twice) {
            self.bytes.extend(frame.iter().chain(frame));
        } else if is(late) {
            self.late = Some(frame.to_vec());
        } else {
            if is(noise) {
                let longest = if self.rng.below(4) == 0 { 8000 } else { 100 };
                for _ in 0..self.rng.below(longest) {
                    self.bytes.push_back(self.rng.next_u32() as u8);
                }
            }
            self.bytes.extend(frame);
        }
        self.bytes.extend(held.unwrap_or_default());
    }
}

#[derive(Debug)]
struct Ends {
    to_device: Wire,
    to_host: Wire,
}

/// A cable. Clones are the same cable.
#[derive(Debug, Clone)]
pub struct Cable(Arc<(Mutex<Ends>, Condvar)>);

impl Cable {
    /// A cable that treats frames to the device and to the host so.
    #[must_use]
    pub fn new(to_device: Faults, to_host: Faults, seed: u64) -> Self {
        let ends = Ends { to_device: Wire::new(to_device, seed), to_host: Wire::new(to_host, seed + 1) };
        Self(Arc::new((Mutex::new(ends), Condvar::new())))
    }

    /// A cable on which everything arrives.
    #[must_use]
    pub fn good() -> Self {
        Self::new(Faults::default(), Faults::default(), 0)
    }

    /// The device's end.
    #[must_use]
    pub fn device(&self) -> DeviceEnd {
        DeviceEnd(self.clone())
    }

    /// The host's end, which breaks after it has sent so many frames.
    #[must_use]
    pub fn host(&self, frames: usize) -> HostEnd {
        HostEnd { cable: self.clone(), frames }
    }

    /// Closes it: the device's end has nothing to read any more.
    pub fn close(&self) {
        self.ends().to_device.closed = true;
        self.0.1.notify_all();
    }

    /// Opens it again, with nothing on it.
    pub fn open(&self) {
        let mut ends = self.ends();
        (ends.to_device.closed, ends.to_device.late) = (false, None);
        ends.to_device.bytes.clear();
    }

    /// Puts bytes on the line to the host.
    pub fn write_to_host(&self, bytes: &[u8]) {
        self.ends().to_host.bytes.extend(bytes);
        self.0.1.notify_all();
    }

    fn ends(&self) -> MutexGuard<'_, Ends> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes what is there.
fn take(bytes: &mut VecDeque<u8>, buffer: &mut [u8]) -> usize {
    let n = bytes.len().min(buffer.len());
    buffer.iter_mut().zip(bytes.drain(..n)).for_each(|(to, from)| *to = from);
    n
}

/// The device's end of a cable.
#[derive(Debug)]
pub struct DeviceEnd(Cable);

impl ErrorType for DeviceEnd {
    type Error = Infallible;
}

impl Read for DeviceEnd {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Infallible> {
        let mut ends = self.0.ends();
        loop {
            if ends.to_device.closed {
                return Ok(0);
            }
            match take(&mut ends.to_device.bytes, buffer) {
                0 => ends = self.0.0.1.wait(ends).unwrap_or_else(PoisonError::into_inner),
                n => return Ok(n),
            }
        }
    }
}

impl Write for DeviceEnd {
    fn write(&mut self, frame: &[u8]) -> Result<usize, Infallible> {
        self.0.ends().to_host.send(frame);
        self.0.0.1.notify_all();
        Ok(frame.len())
    }

    fn flush(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

/// The host's end of a cable.
#[derive(Debug)]
pub struct HostEnd {
    cable: Cable,
    frames: usize,
}

impl Transport for HostEnd {
    fn send(&mut self, frame: &[u8]) -> io::Result<()> {
        self.frames = self.frames.checked_sub(1).ok_or(io::ErrorKind::BrokenPipe)?;
        self.cable.ends().to_device.send(frame);
        self.cable.0.1.notify_all();
        Ok(())
    }

    fn receive(&mut self, buffer: &mut [u8], patience: Duration) -> io::Result<Option<usize>> {
        let end = Instant::now() + patience;
        let mut ends = self.cable.ends();
        loop {
            match take(&mut ends.to_host.bytes, buffer) {
                0 => {}
                n => return Ok(Some(n)),
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(None);
            }
            ends = self.cable.0.1.wait_timeout(ends, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}
