//! One number, or two at once, for formulas that go over rows of numbers.
//!
//! A processor whose floating-point unit takes single numbers, such as a Cortex-M4F, waits a cycle where an instruction
//! needs the result of the one before. Each operation on a [`Pair`] is done for both numbers before the next one begins,
//! so the processor seldom waits. The bits are those of one number after the other.

use core::ops::{Add, AddAssign, Div, Mul, Sub, SubAssign};

/// One number, or several that are all treated alike.
pub(crate) trait Number:
    Copy
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Add<f32, Output = Self>
    + Mul<f32, Output = Self>
{
    /// The same number in every place.
    fn all(x: f32) -> Self;

    /// f of each.
    fn each(self, f: impl Fn(f32) -> f32) -> Self;

    /// f of each number and its counterpart in `other`.
    fn with(self, other: Self, f: impl Fn(f32, f32) -> f32) -> Self;

    /// The sum with a product, rounded twice.
    #[inline(always)]
    fn add_product(self, a: Self, b: Self) -> Self {
        self + a * b
    }
}

impl Number for f32 {
    #[inline(always)]
    fn all(x: f32) -> Self {
        x
    }

    #[inline(always)]
    fn each(self, f: impl Fn(f32) -> f32) -> Self {
        f(self)
    }

    #[inline(always)]
    fn with(self, other: Self, f: impl Fn(f32, f32) -> f32) -> Self {
        f(self, other)
    }
}

/// Two numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Pair(pub(crate) f32, pub(crate) f32);

impl Number for Pair {
    #[inline(always)]
    fn all(x: f32) -> Self {
        Self(x, x)
    }

    #[inline(always)]
    fn each(self, f: impl Fn(f32) -> f32) -> Self {
        Self(f(self.0), f(self.1))
    }

    #[inline(always)]
    fn with(self, other: Self, f: impl Fn(f32, f32) -> f32) -> Self {
        Self(f(self.0, other.0), f(self.1, other.1))
    }
}

/// An operator between two pairs, and between a pair and one number.
macro_rules! operator {
    ($trait:ident, $function:ident, $sign:tt) => {
        impl $trait for Pair {
            type Output = Self;
            #[inline(always)]
            fn $function(self, other: Self) -> Self {
                Self(self.0 $sign other.0, self.1 $sign other.1)
            }
        }
        impl $trait<f32> for Pair {
            type Output = Self;
            #[inline(always)]
            fn $function(self, other: f32) -> Self {
                Self(self.0 $sign other, self.1 $sign other)
            }
        }
        impl $trait<Pair> for f32 {
            type Output = Pair;
            #[inline(always)]
            fn $function(self, other: Pair) -> Pair {
                Pair(self $sign other.0, self $sign other.1)
            }
        }
    };
}
operator!(Add, add, +);
operator!(Sub, sub, -);
operator!(Mul, mul, *);
operator!(Div, div, /);

impl AddAssign for Pair {
    #[inline(always)]
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl SubAssign for Pair {
    #[inline(always)]
    fn sub_assign(&mut self, other: Self) {
        *self = *self - other;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;

    /// Every operation has the bits of its two single ones.
    #[test]
    fn a_pair_is_two_numbers() {
        let mut rng = Rng::new(9);
        for _ in 0..1000 {
            let [a, b, c, d] = core::array::from_fn(|_| rng.normal());
            let (x, y) = (Pair(a, b), Pair(c, d));
            assert_eq!([x + y, x - y, x * y], [Pair(a + c, b + d), Pair(a - c, b - d), Pair(a * c, b * d)]);
            assert_eq!([x / y, x / c, c / x], [Pair(a / c, b / d), Pair(a / c, b / c), Pair(c / a, c / b)]);
            assert_eq!(x.with(y, |x, y| x - 2.0 * y), Pair(a - 2.0 * c, b - 2.0 * d));
            assert_eq!([x + c, x - c, x * c], [Pair(a + c, b + c), Pair(a - c, b - c), Pair(a * c, b * c)]);
            assert_eq!([c + x, c - x, c * x], [Pair(c + a, c + b), Pair(c - a, c - b), Pair(c * a, c * b)]);
            let (mut sum, mut rest) = (x, x);
            sum += y;
            rest -= y;
            assert_eq!((sum, rest), (x + y, x - y));
            assert_eq!((x.each(|x| 2.0 * x), Pair::all(c)), (Pair(2.0 * a, 2.0 * b), Pair(c, c)));
        }
    }
}
