//! The host program of lgl2o: commands, reports, exports and devices, around what [`lgl2o_training`] computes.
//!
//! Nothing here trains: a release optimizes [`lgl2o_training`] and not this package, so loops over steps or parameters belong there.
//!
//! # The tour, along the way of the data
//!
//! **Reports.** What was found out is a [`record`]; a [`report`] draws it. [`survey`], [`train`] and [`mod@bench`] have a page each.
//!
//! **Reproduction.** [`reproduce`] is the paper's experiments and more, each run a unit that is kept on disk, with the
//! claims that they support or do not.
//!
//! **Models.** [`saved`] is what a trained model is exported to and imported from.
//!
//! **Devices.** [`device`] runs a demonstration on a board and holds it against the same core here.
//!
//! **In the browser.** The [`playground`] is a page that has the same core.
//!
//! **Commands.** [`cli`] is the command-line interface, [`command`] runs the commands; what they write, they write into an
//! [`output`] folder that is theirs.
//!
//! # Floors
//!
//! The modules of [`lgl2o_training`] can be named as if they were this package's, and every module here may import them. Of its own
//! modules, one imports only from those before it in this list. No two files import each other, but for a file that has what is
//! beneath it in a folder of its name:
//!
//! ```text
//! output, report
//! saved
//! bench, device, playground, reproduce, survey, train
//! cli
//! command
//! ```

pub mod bench;
pub mod cli;
pub mod command;
pub mod device;
pub mod output;
pub mod playground;
pub mod report;
pub mod reproduce;
pub mod saved;
pub mod survey;
pub mod train;

pub use lgl2o_training::{
    container, data, experiment, files, first_bytes, interrupt, lock, memory, meta, names, network, optimizer, ranks,
    record, say, store, task,
};
