//! Coordinatewise LSTM: two small recurrent layers, applied to every parameter alike.
//!
//! Andrychowicz et al. ("Learning to learn by gradient descent by gradient descent", NeurIPS 2016, section 2.1 and
//! appendix A for the inputs with p = 10), with a bypass. Per parameter w with gradient g, in step t = 1, 2, ...:
//!
//! ```text
//! v      <- 0.99 v + 0.01 g^2      m <- 0.9 m + 0.1 g      ' = corrected for the start from zero
//! x       = max(ln(|g| + 2^-23) / 10, -1), clamp(e^10 g, -1, 1)
//! h1, c1 <- LSTM(x; h1, c1)        h2, c2 <- LSTM(h1; h2, c2)
//! d       = O h2 + o + skip . (clamp(m / rms(m), -8, 8), x2)
//! w      <- w - 0.01 d 2^clamp(s + kappa level, -12, 6)             level = 7 + log2(mean v') / 2
//! ```
//!
//! The first input tells how large the gradient is down to e^-10, the second its sign, and below e^-10 its value. The
//! paper's step is w + 0.1 (O h2 + o); v, m and all that depends on them is [ours](super::recurrent), and so is the
//! logarithm, a straight line within an octave ([`log2_linear`]). rms and mean run over the tensor.
//!
//! There are 12 H^2 + 17 H + 5 weights: 909 for 8 units in a layer, and 5145 for the paper's 20, of which 5141 are the
//! paper's. In a file they are the two LSTM layers, each gate by gate as the head of `lstm.rs` says, then O, o, skip,
//! s, kappa. RAM: 4 H + 2 floats per parameter, 34 or 82, in the order of [`RecurrentState::slots`]. A parameter costs
//! 24 H^2 + 220 H + 60 operations, 3400 for 8 units and 14,100 for 20: two for each weight, 186 H for the gates, the
//! rest around them.

use super::Learned;
use super::features::{LANES, SQUARE_DECAY};
use super::file::{self, WeightsError};
use super::recurrent::{self, Cells, Network, Recurrent, RecurrentState, Scales};
use crate::math::{abs, clamp, log2_linear};
use crate::persist::{Digest, Fingerprint};
use crate::rng::Rng;
use crate::rule::{Probe, Rule};
use crate::tensors::Tensors;

/// Number of this kind in a weights file.
pub const KIND: u8 = 2;

const MEAN_DECAY: f32 = 0.9;
const INPUTS: usize = 2;
/// p of the paper: gradients are told apart by size down to e^-p.
const RANGE: f32 = 10.0;
/// e^p.
const GAIN: f32 = 22_026.465;
/// Keeps the logarithm finite.
const FLOOR: f32 = f32::EPSILON;

/// The rule: weights of a network with two layers of H units.
#[derive(Debug, Clone, PartialEq)]
pub struct CoordinateLstm<const H: usize> {
    network: Network<INPUTS, H>,
}

/// Sizes and signs of eight gradients.
#[cfg_attr(target_os = "none", inline)]
#[cfg_attr(not(target_os = "none"), inline(always))]
fn log_and_sign(factor: f32, g: &[f32; LANES]) -> [[f32; LANES]; INPUTS] {
    let mut x = [[0.0; LANES]; INPUTS];
    for l in 0..LANES {
        let g = factor * g[l];
        let log = log2_linear(abs(g) + FLOOR) * (core::f32::consts::LN_2 / RANGE);
        x[0][l] = if log < -1.0 { -1.0 } else { log };
        x[1][l] = clamp(GAIN * g, -1.0, 1.0);
    }
    x
}

impl<const H: usize> CoordinateLstm<H> {
    const ZERO: Self = Self { network: Network::ZERO };

    file::from_bytes!();

    /// All weights, in the order of the file: the two layers, O, o, skip, s, kappa.
    fn weights(&self) -> impl Iterator<Item = f32> {
        self.network.weights().copied()
    }

    /// Sets weight number `i` in the order of the file.
    const fn set(&mut self, i: usize, weight: f32) {
        self.network.set(i, weight);
    }
}

impl<const H: usize> Recurrent<H> for CoordinateLstm<H> {
    const DECAYS: [f32; 2] = [SQUARE_DECAY, MEAN_DECAY];

    fn rate(&self, level: f32) -> f32 {
        self.network.rate(level)
    }

    #[cfg_attr(target_os = "none", inline)]
    #[cfg_attr(not(target_os = "none"), inline(always))]
    fn directions(&self, scales: &Scales, block: &[[f32; LANES]; 3], cells: &mut Cells<H>) -> [f32; LANES] {
        let [g, _, m] = block;
        let x = log_and_sign(scales.factor, g);
        let mean = m.map(|m| clamp(m * scales.inverse_rms, -8.0, 8.0));
        self.network.advance(&x, &[mean, x[1]], cells)
    }
}

impl<const H: usize> Learned for CoordinateLstm<H> {
    const KIND: u8 = KIND;
    const HIDDEN: usize = H;
    const WEIGHTS: usize = Network::<INPUTS, H>::WEIGHTS;

    /// The bypass alone steps, along m / rms(m). The layers run, with normal weights of variance 1 / (number of inputs of a
    /// unit) and a forget bias of 1, but O and o are zero.
    fn initial(rng: &mut Rng) -> Self {
        Self { network: Network::initial(rng, [1.0, 0.0], 0.0, 1.0) }
    }

    file::weights_and_files!();
}

impl<const H: usize> Fingerprint for CoordinateLstm<H> {
    fn describe(&self, digest: &mut Digest) {
        digest.kind("coordinate-lstm");
        digest.word(H as u32);
        digest.numbers(self.weights());
    }
}

impl<const H: usize> Rule for CoordinateLstm<H> {
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
