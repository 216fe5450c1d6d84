//! Every kind and size of learned optimizer that can be meta-trained here or read from a file: one line each.

use std::sync::Arc;

use lgl2o::Rng;
use lgl2o::learned::{
    self, CoordinateLstm, CoordinateMlp, LeanScaleFree, Learned, LearnedNgn, LearnedScaleFree, RnnProp, Table,
    TensorController, WeightsError,
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
    ($count:literal: $($variant:ident($rule:ty) = $name:literal,)+) => {
        $(impl Wrap for $rule {
            const NAME: &'static str = $name;
            fn wrap(self) -> AnyRule {
                AnyRule::$variant(Arc::new(self))
            }
        })+

        /// All of them; of several sizes of a kind, the one that is shipped comes first.
        pub static KINDS: [LearnedKind; $count] = [$(LearnedKind::of::<$rule>()),+];
    };
}

kinds! { 12:
    LearnedNgn(LearnedNgn) = "ngn",
    LearnedScaleFree(LearnedScaleFree) = "scale-free",
    LeanScaleFree(LeanScaleFree) = "lean",
    Coordinate8(CoordinateMlp<8>) = "coordinate-mlp",
    Coordinate4(CoordinateMlp<4>) = "coordinate-mlp",
    Coordinate16(CoordinateMlp<16>) = "coordinate-mlp",
    Controller(TensorController) = "controller",
    Table(Table) = "table",
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

/// Names by which optimizer expressions call the learned optimizers that the core brings along; `l2o` is the one that
/// stands for all, the MLP.
pub const BUILT_IN: [&str; 7] = ["l2o", "mlp", "learned-ngn", "lstm", "rnnprop", "controller", "table"];

/// A learned optimizer that the core brings along.
#[must_use]
pub fn built_in(name: &str) -> Option<AnyRule> {
    Some(match name {
        "l2o" | "mlp" => learned::tiny().clone().wrap(),
        "learned-ngn" => learned::ngn().clone().wrap(),
        "lstm" => learned::lstm().clone().wrap(),
        "rnnprop" => learned::rnnprop().clone().wrap(),
        "controller" => learned::controller().clone().wrap(),
        "table" => learned::table().clone().wrap(),
        _ => return None,
    })
}

/// Reads a weights file of whichever kind and size.
///
/// # Errors
/// What is wrong with the file.
pub fn read(file: &[u8]) -> Result<(&'static LearnedKind, AnyRule, Vec<f32>), WeightsError> {
    let mut error = WeightsError::Foreign;
    for kind in &KINDS {
        match (kind.from_file)(file) {
            Ok((rule, weights)) => return Ok((kind, rule, weights)),
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
        for kind in &KINDS {
            let weights = (kind.initial)(&mut Rng::new(3));
            assert_eq!(weights.len(), kind.weights);
            let file = (kind.to_file)(&weights).unwrap();
            let (found, rule, back) = read(&file).unwrap();
            assert_eq!((found.name, found.hidden), (kind.name, kind.hidden));
            assert_eq!(rule, (kind.rule)(&weights).unwrap());
            assert_eq!((kind.to_file)(&back).unwrap(), file);
        }
        assert_eq!(read(b"not weights at all").unwrap_err(), WeightsError::Foreign);
    }

    #[test]
    fn every_name_has_an_optimizer() {
        assert!(BUILT_IN.iter().all(|name| built_in(name).is_some()));
        assert!(built_in("adam").is_none());
    }

    #[test]
    fn without_a_size_the_shipped_one_is_meant() {
        assert_eq!(find("coordinate-mlp", None).unwrap().hidden, 8);
        assert_eq!(find("coordinate-mlp", Some(4)).unwrap().hidden, 4);
        assert!(find("coordinate-mlp", Some(5)).is_none() && find("mlp", None).is_none());
    }
}
