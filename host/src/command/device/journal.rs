//! What a device says, in a file, line by line as it comes: of a run that is killed, that much is kept.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crate::device::listen::Event;
use crate::interrupt;
use crate::say;

/// The file's name.
pub(super) const NAME: &str = "device.log";

/// The file of one run. It is made when there is something to write.
#[derive(Debug, Clone)]
pub(super) struct Journal {
    path: PathBuf,
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
enum State {
    /// Nothing has been said.
    Silent,
    Open(File),
    /// It cannot be written: the run goes on.
    Failed,
}

impl Journal {
    /// That of a run whose report goes to a folder.
    pub(super) fn within(out: &Path) -> Self {
        Self { path: out.join(NAME), state: Arc::new(Mutex::new(State::Silent)) }
    }

    /// Writes what the device has said.
    pub(super) fn note(&self, event: &Event) {
        match event {
            Event::Log(line) => self.line(&say::in_a_line(line)),
            Event::Message(message) => self.line(&format!("{message:?}")),
            Event::Damaged(error) => self.line(&format!("damaged: {error:?}")),
            Event::Foreign(foreign) => self.line(&format!("of another program: {foreign}")),
        }
    }

    fn line(&self, text: &str) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let mut tell = |error: std::io::Error| {
            say::note(format_args!("cannot write {}: {error}; the run goes on", self.path.display()));
            State::Failed
        };
        if matches!(*state, State::Silent) {
            *state = File::create(&self.path).map_or_else(&mut tell, State::Open);
            if matches!(*state, State::Open(_)) {
                interrupt::last_words(format!("what the device has said is kept in {}", self.path.display()));
            }
        }
        if let State::Open(file) = &mut *state
            && let Err(error) = writeln!(file, "{text}")
        {
            *state = tell(error);
        }
    }
}

#[cfg(test)]
mod tests {
    use lgl2o_device::message::FromDevice;

    use super::*;

    #[test]
    fn what_was_said_is_there_at_once() {
        let home = tempfile::tempdir().expect("temporary directory");
        let path = home.path().join(NAME);
        std::fs::write(&path, "of the run before").expect("written");
        let journal = Journal::within(home.path());
        let text = || std::fs::read_to_string(&path).expect("there");
        assert_eq!(text(), "of the run before");
        journal.note(&Event::Log("INFO  one\u{1b}".to_owned()));
        assert_eq!(text(), "INFO  one \n");
        journal.clone().note(&Event::Message(FromDevice::Done { rounds: 3, params: 5 }));
        assert_eq!(text(), "INFO  one \nDone { rounds: 3, params: 5 }\n");
    }

    #[test]
    fn a_run_goes_on_where_nothing_can_be_written() {
        let home = tempfile::tempdir().expect("temporary directory");
        let journal = Journal::within(&home.path().join("gone"));
        (0..2).for_each(|_| journal.note(&Event::Log("one".to_owned())));
        assert!(matches!(*journal.state.lock().expect("not poisoned"), State::Failed));
    }
}
