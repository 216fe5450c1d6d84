//! A serial port on which nothing is heard: told long before patience ends, with what to do.

use std::time::{Duration, Instant};

use crate::say;

/// So long a silence is nothing strange.
pub const USUAL: Duration = Duration::from_secs(4);

/// Waits for the first word of a program.
#[derive(Debug)]
pub struct Silence {
    /// When it is told of; none once something was heard, or it was told.
    end: Option<Instant>,
    program: String,
}

impl Silence {
    /// It begins.
    #[must_use]
    pub fn begin(program: &str) -> Self {
        Self { end: Some(Instant::now() + USUAL), program: program.to_owned() }
    }

    /// Something was heard.
    pub fn heard(&mut self) {
        self.end = None;
    }

    /// When it is to be told of.
    #[must_use]
    pub fn end(&self) -> Option<Instant> {
        self.end
    }

    /// Tells of it once it has lasted; `deadline` is when patience ends. Whether it has told.
    pub fn tell(&mut self, deadline: Instant) -> bool {
        let now = Instant::now();
        if self.end.is_none_or(|end| now < end) {
            return false;
        }
        self.end = None;
        say::note(format_args!(
            "nothing was heard from the board yet; waiting for {} s more. Reset it; see that it has power, that its program is \
             `{}` of this firmware, that this is the right port, and that TX and RX are not swapped",
            deadline.saturating_duration_since(now).as_secs(),
            self.program
        ));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_silence_is_told_once_and_only_if_nothing_was_heard() {
        let now = Instant::now();
        let mut silence = Silence::begin("spirals");
        assert!(!silence.tell(now) && silence.end().is_some());
        silence.end = Some(now);
        assert!(silence.tell(now) && !silence.tell(now));
        let mut silence = Silence { end: Some(now), program: String::new() };
        silence.heard();
        assert!(!silence.tell(now));
    }
}
