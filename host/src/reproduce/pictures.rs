//! The pictures of a finding that are not of one experiment alone.

use anyhow::Result;

use super::finding::Finding;
use crate::report;

/// A picture with the name of its file and its caption.
#[derive(Debug)]
pub struct Picture {
    /// The name of its file.
    pub file: String,
    /// The picture.
    pub svg: String,
    /// What it shows.
    pub caption: String,
}

/// Loss by step and by cost, and verdicts; `suffix` tells the files of several selections apart.
///
/// # Errors
/// A picture that cannot be drawn.
pub fn curves(finding: &Finding, shown: impl Fn(&str) -> bool, suffix: &str) -> Result<Vec<Picture>> {
    let drawn = report::pictures(&finding.shown(shown))?;
    let all = [
        ("loss-by-step", Some(drawn.by_step), "Held-out loss by training step; both axes are logarithmic."),
        ("loss-by-cost", Some(drawn.by_cost), "The same losses by cost: what the guard's checks add counts here."),
        ("verdicts", drawn.verdicts, "Which side the guard kept, along the training."),
    ];
    let picture = |(name, svg, caption): (&str, Option<String>, &str)| {
        Some(Picture { file: format!("{name}{suffix}.svg"), svg: svg?, caption: caption.to_owned() })
    };
    Ok(all.into_iter().filter_map(picture).collect())
}
