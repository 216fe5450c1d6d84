//! One number in formulas that go over rows of numbers, with the operations of [`soft`](super::soft).

use core::ops::{Add, AddAssign, Div, Mul, Sub, SubAssign};

use super::soft::{add, add_product, mul, sub};
use crate::pair::Number;

/// One number, whose additions and multiplications are those of this crate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct One(pub(crate) f32);

impl Number for One {
    #[inline(always)]
    fn all(x: f32) -> Self {
        Self(x)
    }

    #[inline(always)]
    fn each(self, f: impl Fn(f32) -> f32) -> Self {
        Self(f(self.0))
    }

    #[inline(always)]
    fn with(self, other: Self, f: impl Fn(f32, f32) -> f32) -> Self {
        Self(f(self.0, other.0))
    }

    #[inline(always)]
    fn add_product(self, a: Self, b: Self) -> Self {
        Self(add_product(self.0, a.0, b.0))
    }
}

/// An operator between two such numbers, and between one and a plain number.
macro_rules! operator {
    ($trait:ident, $function:ident, $by:expr) => {
        impl $trait for One {
            type Output = Self;
            #[inline(always)]
            fn $function(self, other: Self) -> Self {
                Self($by(self.0, other.0))
            }
        }
        impl $trait<f32> for One {
            type Output = Self;
            #[inline(always)]
            fn $function(self, other: f32) -> Self {
                Self($by(self.0, other))
            }
        }
        impl $trait<One> for f32 {
            type Output = One;
            #[inline(always)]
            fn $function(self, other: One) -> One {
                One($by(self, other.0))
            }
        }
    };
}
operator!(Add, add, add);
operator!(Sub, sub, sub);
operator!(Mul, mul, mul);
operator!(Div, div, |a: f32, b: f32| a / b);

impl AddAssign for One {
    #[inline(always)]
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl SubAssign for One {
    #[inline(always)]
    fn sub_assign(&mut self, other: Self) {
        *self = *self - other;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operators_are_those_of_plain_numbers() {
        let (x, y) = (One(0.7), One(-3.1));
        assert_eq!([x + y, x - y, x * y, x / y].map(|x| x.0), [0.7 - 3.1, 0.7 + 3.1, 0.7 * -3.1, 0.7 / -3.1]);
        assert_eq!([x + 0.3, x - 0.3, x * 0.3, x / 0.3].map(|x| x.0), [0.7 + 0.3, 0.7 - 0.3, 0.7 * 0.3, 0.7 / 0.3]);
        assert_eq!([0.3 + x, 0.3 - x, 0.3 * x, 0.3 / x].map(|x| x.0), [0.3 + 0.7, 0.3 - 0.7, 0.3 * 0.7, 0.3 / 0.7]);
        assert_eq!(x.add_product(y, One(0.3)).0, 0.7 + -3.1 * 0.3);
        let (mut more, mut less) = (x, x);
        more += y;
        less -= y;
        assert_eq!((more, less), (x + y, x - y));
        assert_eq!((x.each(|x| 2.0 * x), One::all(0.7).with(y, |x, y| x - y)), (One(1.4), x - y));
    }
}
