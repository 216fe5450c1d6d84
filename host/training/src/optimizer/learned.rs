//! The learned optimizers: every kind and size that can be meta-trained here or read from a file, and those that come with
//! the core and their names in expressions. One line each; parser, help, messages and tests come from these two lists.

use std::sync::Arc;

use lgl2o::Rng;
use lgl2o::learned::{
    self, CoordinateLstm, LeanScaleFree, Learned, LearnedNgn, LearnedScaleFree, RnnProp, WeightsError,
};

use super::AnyRule;

/// A rule that was read from a file, and its weights.
type Read = (AnyRule, Vec<f32>);

/// A kind of learned optimizer in one size, for code that does not know which.
#[derive(Debug, Clone, Copy)]
pub struct LearnedKind {
    /// The kind, as configurations name it.
    pub name: &'static str,
    /// The kind, as weights files name it.
    pub number: u8,
    /// Its size, see [`Learned::HIDDEN`].
    pub hidden: usize,
    /// How many weights there are.
    pub weights: usize,
    /// Weights to start meta-training from.
    pub initial: fn(&mut Rng) -> Vec<f32>,
    /// The rule with given weights.
    pub rule: fn(&[f32]) -> Result<AnyRule, WeightsError>,
    /// The weights file of given weights.
    pub to_file: fn(&[f32]) -> Result<Vec<u8>, WeightsError>,
    /// The rule and the weights in a file.
    pub from_file: fn(&[u8]) -> Result<Read, WeightsError>,
}

/// A learned rule with its place in [`AnyRule`].
trait Wrap: Learned {
    const NAME: &'static str;
    fn wrap(self) -> AnyRule;
}

impl LearnedKind {
    const fn of<L: Wrap>() -> Self {
        Self {
            name: L::NAME,
            number: L::KIND,
            hidden: L::HIDDEN,
            weights: L::WEIGHTS,
            initial: |rng| flat(&L::initial(rng)),
            rule: |weights| L::from_weights(weights).map(L::wrap),
            to_file: |weights| {
                let mut buffer = vec![0; L::FILE_LEN];
                L::from_weights(weights)?.write_file(&mut buffer)?;
                Ok(buffer)
            },
            from_file: |file| L::read_file(file).map(|rule| (rule.clone().wrap(), flat(&rule))),
        }
    }
}

/// A rule's weights, one after the other.
fn flat<L: Learned>(rule: &L) -> Vec<f32> {
    let mut weights = vec![0.0; L::WEIGHTS];
    rule.write_weights(&mut weights);
    weights
}

/// Says where each learned rule belongs in [`AnyRule`], and lists them all.
macro_rules! kinds {
    ($($variant:ident($rule:ty) = $name:literal,)+) => {
        $(impl Wrap for $rule {
            const NAME: &'static str = $name;
            fn wrap(self) -> AnyRule {
                AnyRule::$variant(Arc::new(self))
            }
        })+

        /// All of them; of several sizes of a kind, the one that is shipped comes first.
        pub static KINDS: &[LearnedKind] = &[$(LearnedKind::of::<$rule>()),+];
    };
}

kinds! {
    LearnedNgn(LearnedNgn) = "ngn",
    LearnedScaleFree(LearnedScaleFree) = "scale-free",
    LeanScaleFree(LeanScaleFree) = "lean",
    Lstm8(CoordinateLstm<8>) = "coordinate-lstm",
    Lstm20(CoordinateLstm<20>) = "coordinate-lstm",
    RnnProp8(RnnProp<8>) = "rnnprop",
    RnnProp20(RnnProp<20>) = "rnnprop",
}

/// A kind by name and size; without a size, the one that is shipped.
#[must_use]
pub fn find(name: &str, hidden: Option<usize>) -> Option<&'static LearnedKind> {
    KINDS.iter().find(|kind| kind.name == name && hidden.is_none_or(|hidden| hidden == kind.hidden))
}

/// A learned optimizer that the core brings along.
#[derive(Debug, Clone, Copy)]
pub struct BuiltIn {
    /// How expressions name it.
    pub name: &'static str,
    /// Other names that expressions may have for it.
    pub aliases: &'static [&'static str],
    /// What it is, for the help.
    pub what: &'static str,
    /// The rule.
    pub rule: fn() -> AnyRule,
    /// The rule with the weights that it has in the eigenbases of the gradients' second moments.
    pub rotated: fn() -> AnyRule,
}

impl BuiltIn {
    /// All names of it, the usual one first.
    pub fn names(&self) -> impl Iterator<Item = &'static str> + use<> {
        std::iter::once(self.name).chain(self.aliases.iter().copied())
    }
}

/// All of them; `l2o` is the default.
pub static BUILT_IN: &[BuiltIn] = &[
    BuiltIn {
        name: "l2o",
        aliases: &["learned-ngn"],
        what: "the learned form of ngn, which auto has",
        rule: || learned::ngn().clone().wrap(),
        rotated: || learned::rotated_ngn().clone().wrap(),
    },
    BuiltIn {
        name: "lean",
        aliases: &["table"],
        what: "the learned form of scale-free, ten hand-made numbers",
        rule: || learned::lean().clone().wrap(),
        rotated: || learned::lean().clone().wrap(),
    },
    BuiltIn {
        name: "lstm",
        aliases: &[],
        what: "an LSTM for each coordinate, as a control",
        rule: || learned::lstm().clone().wrap(),
        rotated: || learned::lstm().clone().wrap(),
    },
    BuiltIn {
        name: "rnnprop",
        aliases: &[],
        what: "RNNProp, as a control",
        rule: || learned::rnnprop().clone().wrap(),
        rotated: || learned::rnnprop().clone().wrap(),
    },
];

/// A learned optimizer that the core brings along, by any of its names.
#[must_use]
pub fn built_in(name: &str) -> Option<&'static BuiltIn> {
    BUILT_IN.iter().find(|rule| rule.names().any(|known| known == name))
}

/// The names of all of them, others included.
pub fn names() -> impl Iterator<Item = &'static str> {
    BUILT_IN.iter().flat_map(BuiltIn::names)
}

/// What a weights file holds.
#[derive(Debug)]
pub struct WeightsFile {
    /// The kind of learned optimizer.
    pub kind: &'static LearnedKind,
    /// The rule with these weights.
    pub rule: AnyRule,
    /// The weights alone.
    pub weights: Vec<f32>,
}

/// Reads a weights file of whichever kind and size.
///
/// # Errors
/// What is wrong with the file.
pub fn read(file: &[u8]) -> Result<WeightsFile, WeightsError> {
    let mut error = WeightsError::Foreign;
    for kind in KINDS {
        match (kind.from_file)(file) {
            Ok((rule, weights)) => return Ok(WeightsFile { kind, rule, weights }),
            Err(WeightsError::OtherOptimizer { kind, hidden }) => {
                error = WeightsError::OtherOptimizer { kind, hidden };
            }
            Err(other) => return Err(other),
        }
    }
    Err(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_as_the_kind_that_wrote_it() {
        for kind in KINDS {
            let weights = (kind.initial)(&mut Rng::new(3));
            assert_eq!(weights.len(), kind.weights);
            let file = (kind.to_file)(&weights).unwrap();
            let WeightsFile { kind: found, rule, weights: back } = read(&file).unwrap();
            assert_eq!((found.name, found.hidden), (kind.name, kind.hidden));
            assert_eq!(rule, (kind.rule)(&weights).unwrap());
            assert_eq!((kind.to_file)(&back).unwrap(), file);
        }
        assert_eq!(read(b"not weights at all").unwrap_err(), WeightsError::Foreign);
    }

    #[test]
    fn no_kind_has_the_number_of_one_that_is_gone() {
        use lgl2o::learned::file::RETIRED;
        for number in RETIRED {
            assert!(KINDS.iter().all(|kind| kind.number != number), "{number}");
            let mut file = (KINDS[0].to_file)(&(KINDS[0].initial)(&mut Rng::new(1))).unwrap();
            file[5] = number;
            let error = read(&file).unwrap_err();
            assert_eq!(error, WeightsError::Retired { kind: number });
            assert!(error.to_string().contains("no longer has"), "{error}");
        }
    }

    #[test]
    fn names_are_unique_and_found() {
        let all: Vec<&str> = names().collect();
        for (i, name) in all.iter().enumerate() {
            assert!(!all[..i].contains(name) && built_in(name).is_some(), "{name}");
            assert!(crate::optimizer::hand_made::find(name).is_none(), "{name}");
        }
        assert!(["mlp", "controller", "adam"].iter().all(|name| built_in(name).is_none()));
        assert_eq!((built_in("l2o").unwrap().rule)(), (built_in("learned-ngn").unwrap().rule)());
    }

    #[test]
    fn without_a_size_the_shipped_one_is_meant() {
        assert_eq!(find("rnnprop", None).unwrap().hidden, 8);
        assert_eq!(find("rnnprop", Some(20)).unwrap().hidden, 20);
        assert!(find("rnnprop", Some(5)).is_none() && find("coordinate-mlp", None).is_none());
    }
}
