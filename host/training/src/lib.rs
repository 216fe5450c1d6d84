//! Training with lgl2o on a desktop: what the program `lgl2o` computes, by the core that the device runs.
//!
//! # The tour, along the way of the data
//!
//! **Tasks and data.** [`data`] reads, verifies and fetches data sets; a [`task`] is data with an optimizee.
//! [`network`] gives the core memory whose sizes are known at run time only, [`lgl2o_vectors`] the vectors of this machine.
//!
//! **Optimizers.** [`optimizer`] reads expressions such as `lgl2o(l2o,sgd:1)` and knows the tuned rates.
//!
//! **Experiments.** An [`experiment`] runs optimizers over seeds, in parallel, with the same results for any number of
//! threads. What it finds out is a [`record`].
//!
//! **Survey.** A [`survey`] runs each optimizer with one setting on many tasks, against settings tuned for each task.
//!
//! **Meta-training.** [`meta`] trains the weights of learned optimizers.
//!
//! **Networks of your own.** [`train`] trains one on a [table](data::table); a [`model`] is what comes of it.
//!
//! **Times.** [`mod@bench`] times training steps on this machine.
//!
//! **Ranks.** [`ranks`] spreads work over the processes that `mpirun` starts.
//!
//! **Files.** All that is written, is written as [`files`] does; finished units of long work are kept in a [`store`]. What is told, is
//! told as [`say`] does; when work is interrupted, [`interrupt`] keeps what was computed and leaves nothing running.
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
//! data, optimizer
//! model, task
//! experiment
//! bench, meta, survey, train
//! ```

pub mod bench;
pub mod container;
pub mod data;
pub mod experiment;
pub mod files;
pub mod first_bytes;
pub mod interrupt;
pub mod lock;
pub mod memory;
pub mod meta;
pub mod model;
pub mod names;
pub mod network;
pub mod optimizer;
pub mod ranks;
pub mod record;
pub mod say;
pub mod store;
pub mod survey;
pub mod task;
pub mod train;

/// A digest of the sources that results depend on (`build.rs`): what another program has kept is not taken for this one's.
pub const SOURCES: &str = env!("LGL2O_SOURCES");
