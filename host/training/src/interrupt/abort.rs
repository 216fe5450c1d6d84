//! Aborts: an allocation that fails ends the process by SIGABRT, and by itself that leaves locks and temporary files behind.
//!
//! A signal handler may do very little. This one sets a flag, and then waits, in a write to a pipe that is full. The thread that looks
//! out for signals sees the flag, gives back some memory that is kept for this, removes what is [`Ours`](super::Ours), says what is
//! kept, and ends the process with the exit status of a failure. Another thread ends it some seconds later if that comes to a stop.

use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, TryLockError};
use std::thread::{self, Thread};
use std::time::Duration;

use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use signal_hook::consts::SIGABRT;
use signal_hook::low_level;

use super::{EVERY, LAST_WORDS, OURS, WRITING};
use crate::say;

/// The exit status of a failure.
const FAILED: i32 = 1;
/// Bytes that are kept for the end.
const RESERVE: usize = 1 << 20;
/// So long the end may take.
const LAST: Duration = Duration::from_secs(10);

/// So often it is asked whether all files are written.
const TRIES: u32 = 50;

/// What the end needs.
#[derive(Debug)]
pub(super) struct Abort {
    flag: Arc<AtomicBool>,
    reserve: Mutex<Vec<u8>>,
    /// Ends the process when it is woken.
    last: Thread,
    /// The pipe stays open, and nobody reads it.
    _pipe: [OwnedFd; 2],
}

impl Abort {
    /// Looks out for aborts from now on.
    ///
    /// # Errors
    /// If the system does not allow it.
    pub(super) fn listen() -> io::Result<Self> {
        let flag = Arc::new(AtomicBool::new(false));
        let asked = Arc::clone(&flag);
        let last = thread::Builder::new().name("last".to_owned()).spawn(move || {
            while !asked.load(Ordering::SeqCst) {
                thread::park();
            }
            thread::sleep(LAST);
            low_level::exit(FAILED);
        })?;
        let pipe = full_pipe()?;
        signal_hook::flag::register(SIGABRT, Arc::clone(&flag))?;
        low_level::pipe::register(SIGABRT, pipe[1].try_clone()?)?;
        // Registering has made it one that does not wait.
        let flags = fcntl_getfl(&pipe[1])?;
        fcntl_setfl(&pipe[1], flags - OFlags::NONBLOCK)?;
        Ok(Self { flag, reserve: Mutex::new(vec![1; RESERVE]), last: last.thread().clone(), _pipe: pipe })
    }

    /// Ends the process if it has aborted.
    pub(super) fn look(&self) {
        if self.flag.load(Ordering::SeqCst) {
            self.end()
        }
    }

    fn end(&self) -> ! {
        if let Ok(mut reserve) = self.reserve.try_lock() {
            *reserve = Vec::new();
        }
        self.last.unpark();
        // Files that are being written come to their end, but for one of the thread that has aborted.
        let _writing = (0..TRIES).find_map(|_| {
            WRITING.try_write().ok().or_else(|| {
                thread::sleep(EVERY);
                None
            })
        });
        // The thread that has aborted may hold it, and waits for ever.
        match OURS.try_lock() {
            Ok(mut ours) => ours.drain(..).rev().for_each(|(_, thing)| thing.remove()),
            Err(TryLockError::Poisoned(ours)) => {
                ours.into_inner().drain(..).rev().for_each(|(_, thing)| thing.remove());
            }
            Err(TryLockError::WouldBlock) => {}
        }
        let words = LAST_WORDS.try_lock().ok().and_then(|mut words| words.take());
        say::note(format_args!(
            "error: the program cannot go on; the lines above say why. Where memory was too little, use smaller batches, narrower \
             layers, fewer rows, or fewer threads with --threads N{}{}",
            if words.is_some() { ". It ends here: " } else { "" },
            words.unwrap_or_default()
        ));
        low_level::exit(FAILED)
    }
}

/// A pipe into which nothing more goes.
fn full_pipe() -> io::Result<[OwnedFd; 2]> {
    let (reader, writer) = io::pipe()?;
    let (reader, writer) = (OwnedFd::from(reader), OwnedFd::from(writer));
    let flags = fcntl_getfl(&writer)?;
    fcntl_setfl(&writer, flags | OFlags::NONBLOCK)?;
    let mut end = File::from(writer.try_clone()?);
    // In pieces, then byte by byte: a pipe takes a piece only as a whole.
    for piece in [&[0; 4096][..], &[0]] {
        while end.write(piece).is_ok() {}
    }
    Ok([reader, writer])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_pipe_takes_no_byte() {
        let [_reader, writer] = full_pipe().expect("a pipe");
        let error = File::from(writer).write(&[0]).expect_err("it is full");
        assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
    }
}
