//! A configuration file of either form of meta-training.

use std::path::Path;

use anyhow::{Context, Result, anyhow, bail};

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
        let what = first_bytes::name(&bytes);
        if what != first_bytes::TEXT {
            bail!(
                "{} is no configuration: it is {what}. Name a file in TOML, as host/meta/ngn.toml is",
                path.display()
            );
        }
        let text = String::from_utf8(bytes).with_context(|| {
            format!("{} is not text: name a file in TOML, as host/meta/ngn.toml is", path.display())
        })?;
        let config = Self::parse(&text).map_err(|error| anyhow!("in {}: {}", path.display(), short(&error)))?;
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

/// An error in words, without the rest of very long lines of the file.
fn short(error: &anyhow::Error) -> String {
    const LONGEST: usize = 160;
    let line = |line: &str| match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{} ...", line[..end].trim_end()),
        None => line.to_owned(),
    };
    crate::say::told(error).trim_end().lines().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_configuration_is_told_in_a_few_lines() {
        let home = tempfile::tempdir().expect("temporary directory");
        let path = home.path().join("c.toml");
        let read = |text: &[u8]| {
            std::fs::write(&path, text).expect("written");
            AnyConfig::read(&path).expect_err("refused").to_string()
        };
        let long = read("D".repeat(100_000).as_bytes());
        assert!(long.contains("c.toml") && long.contains("DDD ...") && long.len() < 1000, "{long}");
        for (text, what) in [(&b""[..], "empty"), (b"{\"seed\": 1}", "JSON"), (b"L2OM\x01\0", "a model")] {
            assert!(read(text).contains(what), "{}", read(text));
        }
        assert!(read(b"seed = 1\n").contains("missing field"));
    }
}
