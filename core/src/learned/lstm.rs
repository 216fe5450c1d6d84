//! LSTM: the recurrent layer of the recurrent learned rules, for eight parameters at a time.
//!
//! Hochreiter and Schmidhuber ("Long short-term memory", Neural Computation 1997) with the forget gate of Gers et al.
//! ("Learning to forget", 2000). For I inputs x and H units with outputs h and cells c, in every step:
//!
//! ```text
//! i = sigmoid(U_i x + R_i h + b_i)      f = sigmoid(U_f x + R_f h + b_f)
//! g = tanh(U_g x + R_g h + b_g)         o = sigmoid(U_o x + R_o h + b_o)
//! c <- f c + i g                        h <- o tanh(c)
//! ```
//!
//! Nothing is added to b_f here: the 1 that lets a fresh cell remember stands in the weights that training starts from
//! (Jozefowicz et al., ICML 2015). There are 4 H (I + H + 1) weights. In a file they are U, then R, gate by gate in the
//! order i, f, g, o, unit by unit, then b likewise.
//!
//! tanh here is [`tanh`] of this module, and sigmoid(x) = (1 + tanh(x / 2)) / 2: a rational function, because a layer
//! needs 5 H of them for every parameter, and those of `libm` are one call a number. Meta-training goes through the
//! same function, so its distance from the true one costs nothing. With it, a unit takes 93 operations besides one
//! multiplication with addition for each of its weights.

use super::features::{LANES, add};
use crate::math::{self, clamp};
use crate::rng::Rng;

/// Weights of a layer with I inputs and H units.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Lstm<const I: usize, const H: usize> {
    /// U: from the inputs to the units of each gate.
    input: [[[f32; I]; H]; 4],
    /// R: from the outputs of the step before to the units of each gate.
    recurrent: [[[f32; H]; H]; 4],
    /// b.
    bias: [[f32; H]; 4],
}

/// tanh as Lambert's continued fraction, cut after the 13: at most 1e-4 off. Beyond +-4.97, where the fraction comes to
/// 1 within rounding, it stays what it is there. Sixteen operations, one of them a division, and no case that would
/// keep lanes from going together.
#[cfg_attr(target_os = "none", inline)]
#[cfg_attr(not(target_os = "none"), inline(always))]
pub(super) fn tanh(x: f32) -> f32 {
    let x = clamp(x, -4.97, 4.97);
    let y = x * x;
    x * (135_135.0 + y * (17_325.0 + y * (378.0 + y))) / (135_135.0 + y * (62_370.0 + y * (3150.0 + y * 28.0)))
}

/// 1 / (1 + e^-x), by way of [`tanh`]: at most 5e-5 off.
#[cfg_attr(target_os = "none", inline)]
#[cfg_attr(not(target_os = "none"), inline(always))]
fn sigmoid(x: f32) -> f32 {
    0.5 + 0.5 * tanh(0.5 * x)
}

impl<const I: usize, const H: usize> Lstm<I, H> {
    pub(super) const ZERO: Self =
        Self { input: [[[0.0; I]; H]; 4], recurrent: [[[0.0; H]; H]; 4], bias: [[0.0; H]; 4] };
    /// How many weights there are.
    pub(super) const WEIGHTS: usize = 4 * H * (I + H + 1);

    /// Normal weights of variance 1 / (I + H), and a forget bias of 1: cells forget about a quarter in a step.
    pub(super) fn initial(rng: &mut Rng) -> Self {
        let mut layer = Self::ZERO;
        let scale = 1.0 / math::sqrt((I + H) as f32);
        for i in 0..4 * H * (I + H) {
            layer.set(i, scale * rng.normal());
        }
        layer.bias[1] = [1.0; H];
        layer
    }

    /// All weights, in the order of the file.
    pub(super) fn weights(&self) -> impl Iterator<Item = &f32> {
        let matrices =
            self.input.as_flattened().as_flattened().iter().chain(self.recurrent.as_flattened().as_flattened());
        matrices.chain(self.bias.as_flattened())
    }

    /// Sets weight number `i` in the order of the file.
    pub(super) const fn set(&mut self, i: usize, weight: f32) {
        let (input, recurrent) = (4 * H * I, 4 * H * (I + H));
        if i < input {
            self.input.as_flattened_mut().as_flattened_mut()[i] = weight;
        } else if i < recurrent {
            self.recurrent.as_flattened_mut().as_flattened_mut()[i - input] = weight;
        } else if i < Self::WEIGHTS {
            self.bias.as_flattened_mut()[i - recurrent] = weight;
        }
    }

    /// One step of eight parameters: from the inputs x and the h and c of the step before to the new h and c.
    #[cfg_attr(target_os = "none", inline)]
    #[cfg_attr(not(target_os = "none"), inline(always))]
    pub(super) fn advance(&self, x: &[[f32; LANES]; I], h: &mut [[f32; LANES]; H], c: &mut [[f32; LANES]; H]) {
        let mut outputs = [[0.0; LANES]; H];
        for k in 0..H {
            let mut gates: [_; 4] = core::array::from_fn(|gate| [self.bias[gate][k]; LANES]);
            for (j, x) in x.iter().enumerate() {
                gates.iter_mut().zip(&self.input).for_each(|(sum, weights)| add(sum, weights[k][j], x));
            }
            for (j, h) in h.iter().enumerate() {
                gates.iter_mut().zip(&self.recurrent).for_each(|(sum, weights)| add(sum, weights[k][j], h));
            }
            let [i, f, g, o] = &gates;
            for l in 0..LANES {
                c[k][l] = sigmoid(f[l]) * c[k][l] + sigmoid(i[l]) * tanh(g[l]);
                outputs[k][l] = sigmoid(o[l]) * tanh(c[k][l]);
            }
        }
        *h = outputs;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rational_functions_are_as_close_as_documented() {
        let mut worst = [0.0f64; 2];
        for k in -200_000..=200_000 {
            let x = k as f32 * 1e-4;
            let exact = [libm::tanh(f64::from(x)), 1.0 / (1.0 + libm::exp(-f64::from(x)))];
            for ((worst, exact), ours) in worst.iter_mut().zip(exact).zip([tanh(x), sigmoid(x)]) {
                *worst = worst.max((f64::from(ours) - exact).abs());
            }
            assert!(tanh(x).abs() <= 1.0 && (0.0..=1.0).contains(&sigmoid(x)), "{x}");
            assert_eq!(tanh(-x), -tanh(x));
        }
        assert!(worst[0] < 1e-4 && worst[1] < 5e-5, "{worst:?}");
        assert!(tanh(f32::NAN).is_nan() && tanh(f32::INFINITY) == tanh(5.0));
    }

    /// One unit, one input, from h = 0.5 and c = 2: each gate has its own weights, all different.
    #[test]
    fn a_step_by_hand() {
        let mut layer = Lstm::<1, 1>::ZERO;
        // U and R of i, f, g, o, then b.
        let weights = [0.5, -1.0, 2.0, 0.25, 1.0, 3.0, -0.5, -2.0, 0.1, 0.2, 0.3, 0.4];
        weights.iter().enumerate().for_each(|(i, &w)| layer.set(i, w));
        assert!(layer.weights().eq(&weights));
        let (mut h, mut c) = ([[0.5; LANES]], [[2.0; LANES]]);
        layer.advance(&[[1.0; LANES]], &mut h, &mut c);
        let s = |x: f64| 1.0 / (1.0 + libm::exp(-x));
        // i: 0.5 + 0.5 + 0.1; f: -1 + 1.5 + 0.2; g: 2 - 0.25 + 0.3; o: 0.25 - 1 + 0.4.
        let cell = s(0.7) * 2.0 + s(1.1) * libm::tanh(2.05);
        let output = s(-0.35) * libm::tanh(cell);
        assert!(c[0].iter().all(|&c| (f64::from(c) - cell).abs() < 1e-4), "{c:?} {cell}");
        assert!(h[0].iter().all(|&h| (f64::from(h) - output).abs() < 1e-4), "{h:?} {output}");
    }
}
