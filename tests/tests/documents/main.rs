//! Documents hold what they say: figures, links, and how long they are.
//!
//! - `commands`: what is to be typed is accepted by the program.
//! - `figures`: blocks that are made from files of the repository and from types.
//! - `links`: relative links and anchors lead somewhere.
//! - `packages`: what is published is whole, and says what it is.
//! - `sizes`: README, guide and examples are as short as they should be, and name each other.

mod commands;
mod figures;
mod links;
mod packages;
mod sizes;
