//! `stream` from the host's side: deals examples to a device that learns them, and learns along.
//!
//! | module | does |
//! |---|---|
//! | [`server`] | examples in the order of a seed |
//! | [`line`](mod@line) | questions and answers on a bad line |
//! | [`lockstep`] | the shadow: the device's learner on the host, compared question by question |
//! | [`run`](mod@run) | a whole run, and its accuracy on the way |

pub mod line;
pub mod lockstep;
pub mod run;
pub mod server;

pub use line::{Line, LineError, Patience};
pub use lockstep::{Lockstep, Pair, StreamError};
pub use run::{Data, Glance, Outcome, run};
pub use server::{ExampleServer, Examples, Unfit};
