//! The networks that a survey crosses its data sets with: hidden widths and an activation, such as `16-16 tanh`.

use lgl2o::objective::mlp::Activation;

use crate::names::unknown;
use crate::network::{activation, activation_names};

/// Hidden layers, without the inputs and classes, which a data set decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shape {
    /// Widths of the hidden layers.
    pub hidden: Vec<usize>,
    /// Activation of all of them.
    pub activation: Activation,
}

/// A text that names no network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no network: {problem}; write widths and an activation, as in `20 sigmoid` or `16-16 tanh`")]
pub struct NoShape {
    text: String,
    problem: String,
}

/// The widest hidden layer.
const WIDEST: usize = 65_536;

impl Shape {
    /// Reads `16-16 tanh`; a colon may stand for the blank.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, NoShape> {
        let wrong = |problem: String| NoShape { text: text.to_owned(), problem };
        let (widths, name) =
            text.trim().rsplit_once([' ', ':']).ok_or_else(|| wrong("widths or activation are missing".to_owned()))?;
        let hidden = widths.trim().split('-').map(|width| {
            let good = width.parse().ok().filter(|width| (1..=WIDEST).contains(width));
            good.ok_or_else(|| wrong(format!("`{width}` is no width from 1 to {WIDEST}")))
        });
        let activation = activation(name).ok_or_else(|| wrong(unknown("activation", name, &activation_names())))?;
        Ok(Self { hidden: hidden.collect::<Result<_, _>>()?, activation })
    }

    /// Its name, which [`parse`](Self::parse) reads.
    #[must_use]
    pub fn name(&self) -> String {
        let widths: Vec<String> = self.hidden.iter().map(ToString::to_string).collect();
        format!("{} {}", widths.join("-"), self.activation_name())
    }

    /// The name of its activation.
    #[must_use]
    pub fn activation_name(&self) -> &'static str {
        self.activation.name()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        for name in activation_names().map(|activation| format!("16-4 {activation}")) {
            assert_eq!(Shape::parse(&name).unwrap().name(), name);
        }
        assert_eq!(Shape::parse(" 16-16:tanh ").unwrap().name(), "16-16 tanh");
    }

    #[test]
    fn what_is_wrong_is_said() {
        let error = |text: &str| Shape::parse(text).unwrap_err().to_string();
        assert!(error("20 sigmod").contains("did you mean `sigmoid`"), "{}", error("20 sigmod"));
        assert!(error("20 softplus").contains(&format!("known: {}", activation_names().join(", "))));
        assert!(error("20").contains("missing") && error("").contains("missing"));
        assert!(error("0 tanh").contains("`0` is no width") && error("16--16 tanh").contains("`` is no width"));
    }
}
