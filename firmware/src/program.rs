//! What programs have in common.

/// Exit status of a program that could not do its work; the log says why.
pub const FAILED: i32 = 1;
