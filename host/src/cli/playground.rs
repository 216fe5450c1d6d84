//! The arguments of `playground`.

use std::path::PathBuf;

use clap::Args;

/// Arguments of `playground`.
#[derive(Debug, Clone, Args)]
#[command(after_help = PLAYGROUND_HELP)]
pub struct PlaygroundArgs {
    /// The page; out/playground.html by default.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Open the page in a browser.
    #[arg(long)]
    pub open: bool,
}

const PLAYGROUND_HELP: &str = "\
The page is one file and needs no network. It holds the core that runs on devices, compiled for the browser.

Examples:
  lgl2o playground --open
  lgl2o playground --out ~/playground.html";
