//! Activation functions, and their derivatives as functions of the value, not of the argument.
//!
//! ```text
//! identity y = x        y' = 1          ReLU     y = x if x > 0, else 0   y' = 1 if y > 0, else 0
//! tanh     y = tanh x   y' = 1 - y^2    sigmoid  y = 1 / (1 + e^-x)       y' = y (1 - y)
//! ```

use crate::lanes::alone;
use crate::math::{self, One};
use crate::pair::Number;

/// An activation function, named by a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "lowercase"))]
pub enum Activation {
    /// y = x.
    Identity,
    /// y = x where x is positive, else 0. A NaN stays a NaN, so that it cannot hide.
    Relu,
    /// y = tanh x.
    Tanh,
    /// y = 1 / (1 + e^-x).
    Sigmoid,
}

impl Activation {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Sigmoid, Self::Tanh, Self::Relu, Self::Identity];

    /// Its name, such as `relu`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Relu => "relu",
            Self::Tanh => "tanh",
            Self::Sigmoid => "sigmoid",
        }
    }

    /// The variance of initial weights below it, times the numbers that an output is made of.
    pub(super) const fn variance(self) -> f32 {
        match self {
            Self::Relu => 2.0,
            Self::Identity | Self::Tanh | Self::Sigmoid => 1.0,
        }
    }

    /// Applies the function to every number: plain loops without a branch, which vectors can run.
    // By force: in a program for wide vectors the loops are to be compiled for them.
    #[inline(always)]
    pub fn apply(self, x: &mut [f32]) {
        match self {
            Self::Identity => {}
            Self::Relu => alone!(x => *x = (*x).each(|x| if x < 0.0 { 0.0 } else { x })),
            Self::Tanh => alone!(x => *x = math::tanhs(*x)),
            Self::Sigmoid => alone!(x => *x = math::sigmoids(*x)),
        }
    }

    /// The derivative where the function has the value y.
    #[must_use]
    #[inline]
    pub fn slope(self, y: f32) -> f32 {
        self.slopes(One(y)).0
    }

    /// [`slope`](Self::slope) of one number or of several.
    #[inline]
    pub(super) fn slopes<T: Number>(self, y: T) -> T {
        match self {
            Self::Identity => T::all(1.0),
            Self::Relu => y.each(|y| if y > 0.0 { 1.0 } else { 0.0 }),
            Self::Tanh => T::all(1.0) - y * y,
            Self::Sigmoid => y * (T::all(1.0) - y),
        }
    }
}

/// An activation function, named by a type, for a layer whose shape is a type.
pub trait Activate {
    /// The function's value-level name.
    const ACTIVATION: Activation;
}

macro_rules! activation_type {
    ($name:ident, $doc:literal) => {
        #[doc = $doc]
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub struct $name;
        impl Activate for $name {
            const ACTIVATION: Activation = Activation::$name;
        }
    };
}
activation_type!(Identity, "The type-level name of [`Activation::Identity`].");
activation_type!(Relu, "The type-level name of [`Activation::Relu`].");
activation_type!(Tanh, "The type-level name of [`Activation::Tanh`].");
activation_type!(Sigmoid, "The type-level name of [`Activation::Sigmoid`].");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relu_keeps_a_nan() {
        let mut x = [-1.0, 2.0, f32::NAN];
        Activation::Relu.apply(&mut x);
        assert_eq!(x[..2], [0.0, 2.0]);
        assert!(x[2].is_nan());
    }
}
