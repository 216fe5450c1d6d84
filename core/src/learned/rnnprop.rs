//! RNNProp: two small recurrent layers that look at Adam's direction, applied to every parameter alike.
//!
//! Lv et al. ("Learning gradient descent: better generalization and longer horizons", ICML 2017, section 4), with a
//! bypass. Per parameter w with gradient g, in step t = 1, 2, ...:
//!
//! ```text
//! v      <- 0.95 v + 0.05 g^2      m <- 0.95 m + 0.05 g      ' = corrected for the start from zero
//! dirs    = m' r, g r              r = 1 / sqrt(v' + 1e-16)
//! x       = elu(E dirs + e)        elu(z) = z if z > 0, else e^z - 1
//! h1, c1 <- LSTM(x; h1, c1)        h2, c2 <- LSTM(h1; h2, c2)
//! d       = O h2 + o + skip . dirs
//! w      <- w - 0.01 tanh(d) 2^clamp(s + kappa level, -12, 6)         level = 7 + log2(mean v') / 2
//! ```
//!
//! Neither direction passes sqrt(20), whatever the gradients, and with kappa = 0 the rule does not see their size at
//! all. The paper's step is w + 0.1 tanh(O h2 + o); skip, s and kappa are [ours](super::recurrent), and tanh and elu
//! are rational functions. The mean runs over the tensor.
//!
//! There are 16 H^2 + 12 H + 5 weights: 1125 for 8 units in a layer, and 6645 for the paper's 20, of which 6641 are the
//! paper's. In a file they are E, e, the two LSTM layers, each gate by gate as the head of `lstm.rs` says, then O, o,
//! skip, s, kappa. RAM: 4 H + 2 floats per parameter, 34 or 82, in the order of [`RecurrentState::slots`]. A parameter
//! costs 32 H^2 + 225 H + 70 operations, 3900 for 8 units and 17,400 for 20: two for each weight, 186 H for the gates,
//! 15 H for elu, the rest around them.

use super::Learned;
use super::features::{LANES, SQUARE_FLOOR, add};
use super::file::{self, WeightsError};
use super::lstm::tanh;
use super::recurrent::{self, Cells, Network, Recurrent, RecurrentState, Scales};
use crate::math::{clamp, inverse_sqrt};
use crate::persist::{Digest, Fingerprint};
use crate::rng::Rng;
use crate::rule::{Probe, Rule};
use crate::tensors::Tensors;

/// Number of this kind in a weights file.
pub const KIND: u8 = 3;

const DECAY: f32 = 0.95;
const INPUTS: usize = 2;

/// The rule: weights of a network with two layers of H units, and H units before them.
#[derive(Debug, Clone, PartialEq)]
pub struct RnnProp<const H: usize> {
    /// E: from the directions to the inputs of the layers.
    input: [[f32; INPUTS]; H],
    /// e.
    bias: [f32; H],
    network: Network<H, H>,
}

/// x if it is positive, else e^x - 1: at most 1e-5 off. The 16th root of e^x is a Pade approximant, and four squarings
/// make up for it; below -16 it stays what it is there.
#[inline]
fn elu(x: f32) -> f32 {
    let y = clamp(x, -16.0, 0.0) * (1.0 / 16.0);
    let mut power = (12.0 + y * (6.0 + y)) / (12.0 - y * (6.0 - y));
    power *= power;
    power *= power;
    power *= power;
    power *= power;
    if x > 0.0 { x } else { power - 1.0 }
}

impl<const H: usize> RnnProp<H> {
    const ZERO: Self = Self { input: [[0.0; INPUTS]; H], bias: [0.0; H], network: Network::ZERO };

    file::from_bytes!();

    /// All weights, in the order of the file: E, e, the two layers, O, o, skip, s, kappa.
    fn weights(&self) -> impl Iterator<Item = f32> {
        self.input.as_flattened().iter().chain(&self.bias).chain(self.network.weights()).copied()
    }

    /// Sets weight number `i` in the order of the file.
    const fn set(&mut self, i: usize, weight: f32) {
        let (input, bias) = (INPUTS * H, (INPUTS + 1) * H);
        if i < input {
            self.input.as_flattened_mut()[i] = weight;
        } else if i < bias {
            self.bias[i - input] = weight;
        } else {
            self.network.set(i - bias, weight);
        }
    }
}

/// m' r and g r of eight parameters; `block` holds g, v, m.
#[cfg_attr(target_os = "none", inline)]
#[cfg_attr(not(target_os = "none"), inline(always))]
fn directions(scales: &Scales, block: &[[f32; LANES]; 3]) -> [[f32; LANES]; INPUTS] {
    let ([g, v, m], [u_square, u_mean]) = (block, scales.unbias);
    let mut dirs = [[0.0; LANES]; INPUTS];
    for l in 0..LANES {
        let r = inverse_sqrt(v[l] * u_square + SQUARE_FLOOR);
        dirs[0][l] = m[l] * u_mean * r;
        dirs[1][l] = scales.factor * g[l] * r;
    }
    dirs
}

impl<const H: usize> Recurrent<H> for RnnProp<H> {
    const DECAYS: [f32; 2] = [DECAY; 2];

    fn rate(&self, level: f32) -> f32 {
        self.network.rate(level)
    }

    #[cfg_attr(target_os = "none", inline)]
    #[cfg_attr(not(target_os = "none"), inline(always))]
    fn directions(&self, scales: &Scales, block: &[[f32; LANES]; 3], cells: &mut Cells<H>) -> [f32; LANES] {
        let dirs = directions(scales, block);
        let mut x = self.bias.map(|bias| [bias; LANES]);
        for (x, weights) in x.iter_mut().zip(&self.input) {
            weights.iter().zip(&dirs).for_each(|(&weight, dir)| add(x, weight, dir));
            *x = x.map(elu);
        }
        self.network.advance(&x, &dirs, cells).map(tanh)
    }
}

impl<const H: usize> Learned for RnnProp<H> {
    const KIND: u8 = KIND;
    const HIDDEN: usize = H;
    const WEIGHTS: usize = (INPUTS + 1) * H + Network::<H, H>::WEIGHTS;

    /// The bypass alone steps, 0.01 tanh(m' r): Adam with its greatest steps held back. The layers run, with normal
    /// weights of variance 1 / (number of inputs of a unit) and a forget bias of 1, but O and o are zero.
    fn initial(rng: &mut Rng) -> Self {
        let input = core::array::from_fn(|_| core::array::from_fn(|_| core::f32::consts::FRAC_1_SQRT_2 * rng.normal()));
        Self { input, bias: [0.0; H], network: Network::initial(rng, [1.0, 0.0], 0.0, 0.0) }
    }

    file::weights_and_files!();
}

impl<const H: usize> Fingerprint for RnnProp<H> {
    fn describe(&self, digest: &mut Digest) {
        digest.kind("rnnprop");
        digest.word(H as u32);
        digest.numbers(self.weights());
    }
}

impl<const H: usize> Rule for RnnProp<H> {
    type State<P: Tensors> = RecurrentState<P, H>;

    fn state<P: Tensors>(&self, like: &P) -> Self::State<P> {
        RecurrentState::like(like)
    }

    #[cfg_attr(not(target_os = "none"), inline(always))]
    fn step<P: Tensors>(
        &self,
        state: &mut Self::State<P>,
        params: &mut P,
        gradient: &P,
        _: f32,
        _: &mut impl Probe<P>,
    ) {
        recurrent::advance(self, state, gradient, Some(params));
    }

    fn observe<P: Tensors>(&self, state: &mut Self::State<P>, _: &P, gradient: &P, _: f32) {
        recurrent::advance(self, state, gradient, None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exponential_is_as_close_as_documented() {
        for k in -300_000..=30_000 {
            let x = k as f32 * 1e-4;
            let exact = if x > 0.0 { f64::from(x) } else { libm::expm1(f64::from(x)) };
            assert!((f64::from(elu(x)) - exact).abs() < 1e-5, "{x}: {} {exact}", elu(x));
        }
        assert!(elu(f32::NAN).is_nan() && elu(1e30) == 1e30 && elu(-1e30) > -1.000_01);
    }
}
