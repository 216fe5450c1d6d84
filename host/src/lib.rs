//! The host program of lgl2o: experiments, meta-training, data and reports, with the core that the device runs.
//!
//! # The tour, along the way of the data
//!
//! **Tasks and data.** [`data`] reads, verifies and fetches data sets; a [`task`] is data with an optimizee.
//! [`network`] gives the core memory whose sizes are known at run time only, [`lgl2o_vectors`] the vectors of this machine.
//!
//! **Optimizers.** [`optimizer`] reads expressions such as `lgl2o(l2o,sgd:1)` and knows the tuned rates.
//!
//! **Experiments.** An [`experiment`] runs optimizers over seeds, in parallel, with the same results for any number of
//! threads. What it finds out is a [`record`]; a [`report`] draws it.
//!
//! **Reproduction.** [`reproduce`] is the paper's experiments and more, each run a unit that is kept on disk, with the
//! claims that they support or do not.
//!
//! **Survey.** A [`survey`] runs each optimizer with one setting on many tasks, against settings tuned for each task.
//!
//! **Meta-training.** [`meta`] trains the weights of learned optimizers.
//!
//! **Networks of your own.** [`train`] trains one on a [table](data::table); [`saved`] is the model as a file, and what it is exported
//! to and imported from.
//!
//! **Devices.** [`device`] runs a demonstration on a board and holds it against the same core here.
//!
//! **In the browser.** The [`playground`] is a page that has the same core.
//!
//! **Times.** [`mod@bench`] times training steps on this machine.
//!
//! **Ranks.** [`ranks`] spreads work over the processes that `mpirun` starts.
//!
//! **Commands.** [`cli`] is the command-line interface, [`command`] runs the commands; what they write, they write as [`files`]
//! does, into an [`output`] folder that is theirs; finished units of long work are kept in a [`store`]. What they tell,
//! they [`say`]; when they are interrupted, [`interrupt`] keeps what was computed and leaves nothing running.
//!
//! # Floors
//!
//! A module imports only from those before it in this list. No two files import each other, but for a file that has what is
//! beneath it in a folder of its name:
//!
//! ```text
//! say, record, names, lock, first_bytes, memory
//! interrupt, network
//! files, ranks, container, store
//! data, optimizer, output, report
//! saved, task
//! experiment
//! bench
//! device, meta, playground, reproduce, survey, train
//! cli
//! command
//! ```

pub mod bench;
pub mod cli;
pub mod command;
pub mod container;
pub mod data;
pub mod device;
pub mod experiment;
pub mod files;
pub mod first_bytes;
pub mod interrupt;
pub mod lock;
pub mod memory;
pub mod meta;
pub mod names;
pub mod network;
pub mod optimizer;
pub mod output;
pub mod playground;
pub mod ranks;
pub mod record;
pub mod report;
pub mod reproduce;
pub mod saved;
pub mod say;
pub mod store;
pub mod survey;
pub mod task;
pub mod train;
