//! A configuration file of either form of meta-training.

use std::path::Path;

use anyhow::{Context, Result, bail};

use super::config::Config;
use super::full_horizon;
use crate::files::{read_small, unreadable};
use crate::first_bytes;

/// A configuration of either form.
#[derive(Debug, Clone, PartialEq)]
pub enum AnyConfig {
    /// One with `[[task]]` tables.
    Tasks(Config),
    /// One with a `[distribution]`.
    Distribution(full_horizon::Config),
}

impl AnyConfig {
    /// Reads and checks a configuration.
    ///
    /// # Errors
    /// What is wrong with the file, with its name.
    pub fn read(path: &Path) -> Result<Self> {
        let bytes = read_small(path).map_err(|error| unreadable(path, &error))?;
        if let Some([what, _]) = first_bytes::of(&bytes).filter(|[what, _]| *what != first_bytes::TEXT) {
            bail!(
                "{} is no configuration: it is {what}. Name a file in TOML, as host/meta/ngn.toml is",
                path.display()
            );
        }
        let text = String::from_utf8(bytes).with_context(|| {
            format!("{} is not text: name a file in TOML, as host/meta/ngn.toml is", path.display())
        })?;
        let config = Self::parse(&text).with_context(|| format!("in {}", path.display()))?;
        let dir = path.parent().unwrap_or(Path::new("")).to_owned();
        Ok(match config {
            Self::Tasks(config) => Self::Tasks(Config { dir, ..config }),
            Self::Distribution(config) => Self::Distribution(full_horizon::Config { dir, ..config }),
        })
    }

    fn parse(text: &str) -> Result<Self> {
        let table: toml::Table = toml::from_str(text)?;
        match (table.contains_key("task"), table.contains_key("distribution")) {
            (true, true) => bail!("there are [[task]] tables and a [distribution]; leave one of them out"),
            (false, true) => full_horizon::Config::parse(text).map(Self::Distribution),
            (_, false) => Config::parse(text).map(Self::Tasks),
        }
    }
}
