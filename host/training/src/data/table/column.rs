//! A column of a table, and its name in messages.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// Its place, from 0.
    pub place: usize,
    /// Its name, where the table has names.
    pub name: Option<String>,
}

impl Column {
    /// What names it on a command line: its name, or its number from 1.
    #[must_use]
    pub fn reference(&self) -> String {
        self.name.clone().filter(|name| !name.is_empty()).unwrap_or_else(|| (self.place + 1).to_string())
    }
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "column {}", self.place + 1)?;
        match self.name.as_deref() {
            Some("") => f.write_str(" (without a name)"),
            Some(name) => write!(f, " (`{}`)", crate::say::in_a_line(name)),
            None => Ok(()),
        }
    }
}
