//! The guide: how to use this crate, in short chapters. Every example in it is compiled and run.
//!
//! | if you want to | read |
//! |---|---|
//! | train a first network | [start] |
//! | choose layers, loss and size | [own_network] |
//! | feed measurements | [data_and_units] |
//! | know what to use instead of `auto` | [which_optimizer] |
//! | survive resets | [power_cuts] |
//! | adapt a trained network to its user | [head] |
//! | notice what is unusual | [anomaly] |
//! | meta-train weights | [own_learned_optimizer] |
//! | know how a guard works | [how_the_guard_decides] |
//! | know what you can rely on | [what_is_promised] |
//! | run it on a board | [porting] |
//! | have a quick answer | [questions] |
//!
//! The chapters are in `core/guide`; they are part of the documentation only, not of a program.

/// A chapter: its name, its drawing if there is one, and its text.
macro_rules! chapters {
    ($($(#[doc = $title:expr])+ $name:ident: $($part:expr),+;)+) => {
        $(
            $(#[doc = $title])+
            $(#[doc = ""] #[doc = $part])+
            pub mod $name {}
        )+
    };
}

chapters! {
    /// Start here: a first network, trained and used.
    start: include_str!("../guide/start.md");
    /// Your own network: layers, losses, and how much memory they take.
    own_network: include_str!("../guide/memory.svg"), include_str!("../guide/own_network.md");
    /// Your data and its units: standardize, keep, hold out.
    data_and_units: include_str!("../guide/data_and_units.md");
    /// Which optimizer: `auto`, lean, or by hand.
    which_optimizer: include_str!("../guide/which_optimizer.md");
    /// Power cuts: checkpoints, and two slots in flash.
    power_cuts: include_str!("../guide/slots.svg"), include_str!("../guide/power_cuts.md");
    /// A head on a frozen backbone: learn one user's habits.
    head: include_str!("../guide/head.md");
    /// Anomaly detection: learn what is normal, without labels.
    anomaly: include_str!("../guide/anomaly.md");
    /// Your own learned optimizer: from meta-training to flash.
    own_learned_optimizer: include_str!("../guide/own_learned_optimizer.md");
    /// How the guard decides: rounds, races, relays.
    how_the_guard_decides: include_str!("../guide/round.svg"), include_str!("../guide/how_the_guard_decides.md");
    /// What is promised, and what is not.
    what_is_promised: include_str!("../guide/what_is_promised.md");
    /// Porting to a board: statics, flags, and a check of the bits.
    porting: include_str!("../guide/porting.md");
    /// Questions and answers.
    questions: include_str!("../guide/questions.md");
}
