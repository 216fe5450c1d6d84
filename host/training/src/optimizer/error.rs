//! What can be wrong with an optimizer expression.

use crate::names;

/// What is wrong with an expression.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ExpressionError {
    /// It does not follow the grammar.
    #[error(
        "cannot read the optimizer expression `{expression}` at `{rest}`; \
         examples: sgd:0.3   l2o   lgl2o(l2o,sgd)   gl2o(l2o,adam:0.01,alpha=0.9)   l2o:\"a file, of any name\""
    )]
    Syntax {
        /// The whole expression.
        expression: String,
        /// What was left when reading stopped.
        rest: String,
    },
    /// A name is not known.
    #[error("{}", names::unknown(.what, .name, .known))]
    Unknown {
        /// What the name should name.
        what: &'static str,
        /// The name.
        name: String,
        /// All that there are.
        known: Vec<&'static str>,
    },
    /// An argument is missing, superfluous or out of range.
    #[error("`{name}`: {problem}")]
    Argument {
        /// What the argument belongs to.
        name: String,
        /// What is wrong.
        problem: String,
    },
    /// A file of learned weights cannot be used.
    #[error("`{path}`: {problem}")]
    Weights {
        /// The file.
        path: String,
        /// What is wrong.
        problem: String,
    },
}

pub(super) fn unknown(what: &'static str, name: &str, known: &[&'static str]) -> ExpressionError {
    ExpressionError::Unknown { what, name: name.to_owned(), known: known.to_vec() }
}

pub(super) fn argument(name: &str, problem: impl Into<String>) -> ExpressionError {
    ExpressionError::Argument { name: name.to_owned(), problem: problem.into() }
}
