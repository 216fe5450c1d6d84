//! What the core computes, in double precision and written a second time.
//!
//! - [`losses`]: losses, and their gradients by central differences.
//! - [`rules`]: the update rules.
//! - [`learned`], [`scale_free`], [`recurrent`]: the learned NGN, the rules without a scale and the recurrent rules.
//! - [`series`], [`image`]: networks over a series in time, and over an image.

pub mod image;
pub mod learned;
pub mod losses;
pub mod recurrent;
pub mod rules;
pub mod scale_free;
pub mod series;
