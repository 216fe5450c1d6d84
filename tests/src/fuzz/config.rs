//! Configurations of meta-training.

use lgl2o_host::meta::config::Config;

use super::Target;

pub(super) const TARGET: Target = Target { name: "config", read, examples, memory };

/// A reader of TOML keeps a value of some hundred bytes for two bytes of text, and the text several times.
fn memory(bytes: &[u8]) -> usize {
    (1 << 18) + 2048 * bytes.len()
}

/// What is accepted comes back the same after being written.
fn read(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    let Ok(config) = Config::parse(text) else { return false };
    let written = toml::to_string(&config).expect("a configuration is TOML");
    assert_eq!(Config::parse(&written).expect("what is written can be read"), config, "{written}");
    true
}

fn examples() -> Vec<Vec<u8>> {
    vec![include_bytes!("../../tests/faults/pes.toml").to_vec()]
}
