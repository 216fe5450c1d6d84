//! What a training found out: `metrics.json`.

use serde::Serialize;

use super::kept::Point;
use super::score::Metrics;

/// The version of `metrics.json`.
pub const VERSION: u32 = 1;

/// Everything that one training found out.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Findings {
    /// [`VERSION`].
    pub version: u32,
    /// The command line that gives them.
    pub command: String,
    /// The file of the data.
    pub data: String,
    /// The network, such as `4-16-3 relu`.
    pub model: String,
    /// Its parameters.
    pub parameters: usize,
    /// Steps done.
    pub steps: u64,
    /// Share of the rounds that the learned optimizer won.
    pub learned_share: f32,
    /// Share of the rounds that nobody won, or that ended before anybody was judged.
    pub neither_share: f32,
    /// How good the model is on each part of the rows: `trained on`, `checked on`, `tested on`.
    pub parts: Vec<(String, Metrics)>,
    /// Losses along the way.
    pub curve: Vec<Point>,
}
