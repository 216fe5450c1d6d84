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
    let by_step = "Held-out loss by training step; both axes are logarithmic. A guarded optimizer has the colour of its \
                   fallback; controls are grey.";
    let by_step = std::iter::once(by_step.to_owned()).chain(drawn.coincide).collect::<Vec<_>>().join(" ");
    let by_cost = "The same losses by cost: what the guard's checks add counts here.".to_owned();
    let (verdicts, why) = match drawn.verdicts {
        Ok(picture) => (Some(picture), None),
        Err(why) => (None, Some(why)),
    };
    let by_cost = std::iter::once(by_cost).chain(why).collect::<Vec<_>>().join(" ");
    let all = [
        ("loss-by-step", Some(drawn.by_step), by_step),
        ("loss-by-cost", Some(drawn.by_cost), by_cost),
        ("verdicts", verdicts, "Which side the guard kept, along the training.".to_owned()),
    ];
    let picture = |(name, svg, caption): (&str, Option<String>, String)| {
        Some(Picture { file: format!("{name}{suffix}.svg"), svg: svg?, caption })
    };
    Ok(all.into_iter().filter_map(picture).collect())
}
