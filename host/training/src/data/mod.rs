//! Data: where the examples of a task come from.
//!
//! The tour, in the order of the data's way:
//!
//! | module | does |
//! |---|---|
//! | [`error`] | [`DataError`]: everything that can be wrong with data, in words that say what to do |
//! | [`dataset`] | [`Dataset`] and [`DataSets`]: checked examples in memory, splits and pooling |
//! | [`mod@spirals`] | the built-in task: two interleaved spirals, no download |
//! | [`synthetic`] | families of tasks that are drawn from a seed, no download |
//! | [`idx`] | reads and writes IDX files, gzipped or not |
//! | [`folder`] | finds the data directory, loads MNIST (with checksums) or any folder of IDX files |
//! | [`table`] | CSV, `.npy` and IDX as tables of features with a target |
//! | [`variant`] | shifts a data set: permuted, inverted, wrongly labelled |
//! | [`standard`] | standardizes the inputs, as a device does |
//! | [`remarks`] | what is to be said of labels that are read without an error |
//! | [`fetch`] | downloads MNIST, verifies it, puts it in place |
//!
//! A *data directory* holds one folder per data set, and each folder holds four IDX files:
//!
//! ```text
//! DIR/mnist/train-images-idx3-ubyte.gz    DIR/mnist/train-labels-idx1-ubyte.gz
//! DIR/mnist/t10k-images-idx3-ubyte.gz     DIR/mnist/t10k-labels-idx1-ubyte.gz
//! ```
//!
//! or under other names that are in use, such as EMNIST's and QMNIST's; see [`folder`].

pub mod dataset;
pub mod error;
pub mod fetch;
pub mod folder;
pub mod idx;
pub mod remarks;
pub mod spirals;
pub mod standard;
pub mod synthetic;
pub mod table;
pub mod variant;
pub mod words;

pub use dataset::{DataSets, Dataset, digest_of};
pub use error::DataError;
pub use fetch::{Fetched, Outcome, Progress, fetch_mnist};
pub use folder::{data_dir, is_folder, is_named, load_all, load_folder, load_mnist, load_named};
pub use spirals::{spirals, spirals_sets};
pub use standard::standardized;
pub use variant::Variant;
