//! Lookup table: momentum whose every step is scaled by a factor that is looked up.
//!
//! What a coordinatewise network learns is a function of a few numbers, and a function of two numbers is a table of
//! some dozens of bytes. Per parameter w with gradient g, in step t = 1, 2, ...:
//!
//! ```text
//! v   <- 0.99 v + 0.01 g^2      m <- 0.9 m + 0.1 g      ' = corrected for the start from zero
//! x    = g sign(m) / sqrt(v' + 1e-16)       nodes: -4, -2, -1, -1/2, -1/4 to 1/4, 1/2, 1, 2, 4
//! y    = |m| / rms(m)                       nodes: 0, 1/2, 1, 2, 3, 5, 7, 11, 15
//! z    = log2(v' / mean v')                 nodes: -12, -10, ..., 4
//! c    = log2 rms(w) / 8, rms(m') r', level / 8, log2(n) / 16, tanh(t / 30), tanh(t / 300)
//! level = 7 + log2(mean v') / 2
//! w   <- w - 0.01 (m / rms(m) + nu g / rms(g)) 2^(T(x, y) + Z(z)) 2^clamp(C c + o + kappa level, -12, 6)
//! ```
//!
//! rms and mean run over the tensor of n parameters, r' = 1 / sqrt(mean v'); c, kappa and level are those of the
//! [coordinatewise MLP](super::coordinate). x tells whether the gradient still agrees with its mean, and how unusual it
//! is; y how this parameter compares with the others of its tensor, z how its gradients do: Z(z) = 0 is momentum,
//! Z(z) = -z / 2 is Adam, T(x, y) = -log2 y takes steps of one length. T is bilinear between 9 x 9 nodes, Z linear
//! between 9, and both stay constant beyond the outermost. What is linear is the way from node to node in
//! log2 g^2 - log2 v', log2(1 + y) and z, each logarithm a straight line within an octave, like [`log2_linear`]: the
//! bits of a float read as an integer are such a logarithm already. So a place in the table is found by integer
//! subtractions and shifts, to a 2048th of the way from node to node, and the power of two that stands there is put
//! together likewise. A step costs no root and no division per parameter.
//!
//! The factor is positive, and it depends on signs only through g m: the rule is odd, f(-g, -w) = -f(g, w), and a
//! parameter that never sees a gradient stands still, whatever the table.
//!
//! There are 99 weights, 90 of them entries of the tables. An entry is an i8, in 16ths of an octave. As a weight it
//! is counted in four octaves, so that a change that matters is about as great as that of any other weight; and
//! [`from_weights`](Learned::from_weights) rounds it to the 64th that the i8 keeps, so that what is trained is what is
//! shipped. In a file the weights take 126 bytes:
//!
//! ```text
//! offset 12   T, 81 i8: nine rows of nine along x, y = 0 first
//!        93   Z, 9 i8
//!       102   C, 6 f32, then o, kappa, nu
//! ```
//!
//! with header and trailer 142 bytes of flash. RAM: two floats per parameter; slot 0 is v, slot 1 is m. A parameter
//! costs about 75 operations, loads and stores not counted: 8 for m and v, 7 for sums over the tensor, and 60 to find
//! the factor and to step, two thirds of them on integers. The MLP with 8 hidden units needs about 270.

use super::Learned;
use super::features::{self, Gradient, SQUARE_DECAY, SQUARE_FLOOR, STEP, WEIGHT_FLOOR};
use super::file::{self, WeightsError};
use crate::checkpoint::{Digest, Fingerprint};
use crate::math::{self, abs, clamp, exp2_linear, inverse_sqrt, log2_linear};
use crate::rng::Rng;
use crate::rule::{Probe, Rule, State};
use crate::sum;
use crate::tensors::Tensors;

/// Number of this kind in a weights file.
pub const KIND: u8 = 5;

const MEAN_DECAY: f32 = 0.9;
/// Decays of v and m.
const DECAYS: [f32; 2] = [SQUARE_DECAY, MEAN_DECAY];
/// Nodes along each axis.
const NODES: usize = 9;
const CONTEXT: usize = 6;
/// Numbers behind the tables: C, o, kappa, nu.
const NUMBERS: usize = CONTEXT + 3;
const ENTRIES: usize = NODES * NODES + NODES;
/// Bytes of all weights.
const BODY: usize = ENTRIES + 4 * NUMBERS;
/// Steps of an entry in a weight's unit of four octaves.
const GRID: f32 = 64.0;
/// Parameters that are moved at a time: as many as vector units like, or one where there are none. It changes no bit.
const BLOCK: usize = if cfg!(any(target_arch = "arm", target_arch = "riscv32")) { 1 } else { 8 };
/// Bits of a place on an axis below the number of its node.
const FRACTION: u32 = 11;
/// The last place on an axis: as good as the last node.
const END: i32 = 8 * (1 << FRACTION) - 1;
/// Bit pattern of 1.
const ONE: i32 = 127 << 23;

/// The rule: tables, and the few numbers that size up a tensor.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// T: a row along x for each node of y.
    agreement: [[i8; NODES]; NODES],
    /// Z.
    size: [i8; NODES],
    /// C, o, kappa, nu.
    numbers: [f32; NUMBERS],
}

/// A place on an axis: the node before it, and how far behind that node it is.
#[derive(Debug, Clone, Copy)]
struct Place {
    node: usize,
    fraction: i32,
}

impl Place {
    #[inline]
    const fn new(at: i32) -> Self {
        // The mask is there for the compiler, which then knows that there is a node behind this one.
        Self { node: (at >> FRACTION) as usize & (NODES - 2), fraction: at & ((1 << FRACTION) - 1) }
    }

    /// The value here between those at the nodes on both sides, in units finer by FRACTION bits.
    #[inline]
    const fn between(self, before: i32, behind: i32) -> i32 {
        (before << FRACTION) + (behind - before) * self.fraction
    }

    /// The value here of a table along this axis.
    #[inline]
    const fn of(self, table: &[i8; NODES]) -> i32 {
        self.between(table[self.node] as i32, table[self.node + 1] as i32)
    }
}

#[inline]
const fn bits(x: f32) -> i32 {
    x.to_bits() as i32
}

/// What a tensor's statistics give to its parameters.
#[derive(Debug, Clone, Copy)]
struct Scales {
    /// What the gradient is multiplied by, see [`Gradient`].
    factor: f32,
    /// 1 / rms(m).
    inverse_rms: f32,
    /// What m and g are multiplied by, but for the factor from the tables.
    rates: [f32; 2],
    /// Of v.
    unbias: f32,
    /// Mean of v'.
    mean_square: f32,
}

/// What the clock of a step gives to all tensors.
#[derive(Debug, Clone, Copy)]
struct Clock {
    /// 1 / (1 - decay^t) of v and m.
    unbias: [f32; 2],
    /// tanh(t / 30), tanh(t / 300).
    time: [f32; 2],
}

impl Clock {
    fn new(t: u32) -> Self {
        Self { unbias: [SQUARE_DECAY, MEAN_DECAY].map(|b| features::unbias(b, t)), time: features::time(t) }
    }
}

/// x, y, z of some parameters, each in 2048ths of the way from node to node; `block` holds their g, v, m.
#[cfg_attr(target_os = "none", inline)]
#[cfg_attr(not(target_os = "none"), inline(always))]
fn places<const B: usize>(scales: &Scales, [g, v, m]: [&[f32; B]; 3]) -> [[i32; B]; 3] {
    let mut places = [[0; B]; 3];
    for l in 0..B {
        let (scaled, square) = (scales.factor * g[l], v[l] * scales.unbias + SQUARE_FLOOR);
        // An octave of g^2 is half a node, near the middle one and away from it on the side that the signs say.
        // Moved before it is cut, so that cutting is one instruction on Arm; neither difference comes near an overflow.
        let log = bits(scaled * scaled).wrapping_sub(bits(square)).wrapping_add(2 << 24) >> (24 - FRACTION);
        let (near, sign) = (log.clamp(0, END >> 1), (bits(g[l]) ^ bits(m[l])) >> 31);
        places[0][l] = (4 << FRACTION) + ((near ^ sign) - sign);
        // Two nodes for each octave of 1 + y.
        let share = bits(1.0 + abs(m[l]) * scales.inverse_rms).wrapping_sub(ONE) >> (22 - FRACTION);
        places[1][l] = share.clamp(0, END);
        let size = bits(square).wrapping_sub(bits(scales.mean_square)).wrapping_add(6 << 24) >> (24 - FRACTION);
        places[2][l] = size.clamp(0, END);
    }
    places
}

impl Table {
    const ZERO: Self = Self { agreement: [[0; NODES]; NODES], size: [0; NODES], numbers: [0.0; NUMBERS] };

    /// Momentum with beta = 0.9, in whose place the mean gradient is brought to the length of the root mean square
    /// gradient of its tensor; its rate is about 0.15. But for a clamp it is
    /// [`CoordinateMlp::momentum`](super::CoordinateMlp::momentum), and meta-training starts from it, too.
    #[must_use]
    pub const fn momentum() -> Self {
        let mut rule = Self::ZERO;
        rule.numbers[CONTEXT + 1] = 1.0;
        rule
    }

    /// Reads a weights file.
    ///
    /// # Errors
    /// Whatever is wrong with the file, as a [`WeightsError`].
    pub const fn from_bytes(file: &[u8]) -> Result<Self, WeightsError> {
        let bytes = match file::body(file, KIND, NODES, Self::WEIGHTS, BODY) {
            Ok(bytes) => bytes,
            Err(error) => return Err(error),
        };
        let (entries, mut numbers) = bytes.split_at(ENTRIES);
        let mut rule = Self::ZERO;
        let mut i = 0;
        while i < ENTRIES {
            rule.set_entry(i, entries[i] as i8);
            i += 1;
        }
        while let [b0, b1, b2, b3, rest @ ..] = numbers {
            let number = f32::from_bits(u32::from_le_bytes([*b0, *b1, *b2, *b3]));
            if !number.is_finite() {
                return Err(WeightsError::NotFinite);
            }
            rule.numbers[i - ENTRIES] = number;
            (numbers, i) = (rest, i + 1);
        }
        Ok(rule)
    }

    /// All entries, in the order of the file.
    fn entries(&self) -> impl Iterator<Item = i8> {
        self.agreement.as_flattened().iter().chain(&self.size).copied()
    }

    /// Sets entry number `i` in the order of the file.
    const fn set_entry(&mut self, i: usize, entry: i8) {
        if i < NODES * NODES {
            self.agreement.as_flattened_mut()[i] = entry;
        } else if i < ENTRIES {
            self.size[i - NODES * NODES] = entry;
        }
    }

    /// What the parameters of a tensor need to know of it, once its accumulators have taken the gradient in.
    fn scales(&self, clock: &Clock, sized: &Gradient, [square, mean]: [&[f32]; 2], w: &[f32]) -> Scales {
        let share = features::share(w.len());
        let [u_square, u_mean] = clock.unbias;
        let mean_square = share * sum::sum(square) * u_square + SQUARE_FLOOR;
        let mean = share * sum::squares(mean);
        let level = features::level(mean_square);
        let context = [
            log2_linear(share * sum::squares(w) + WEIGHT_FLOOR) * (0.5 / 8.0),
            math::sqrt(mean) * u_mean * inverse_sqrt(mean_square),
            level * 0.125,
            log2_linear(w.len() as f32) * (1.0 / 16.0),
            clock.time[0],
            clock.time[1],
        ];
        let [weights @ .., bias, kappa, nu] = &self.numbers;
        let log = weights.iter().zip(&context).fold(bias + kappa * level, |sum, (w, c)| sum + w * c);
        let rate = STEP * exp2_linear(clamp(log, -12.0, 6.0));
        let inverse_rms = inverse_sqrt(mean + SQUARE_FLOOR);
        let of_gradient = nu * sized.factor * inverse_sqrt(sized.square + SQUARE_FLOOR);
        let rates = [rate * inverse_rms, rate * of_gradient];
        Scales { factor: sized.factor, inverse_rms, rates, unbias: u_square, mean_square }
    }

    /// 2^(T + Z) at a place.
    #[cfg_attr(target_os = "none", inline)]
    #[cfg_attr(not(target_os = "none"), inline(always))]
    fn factor(&self, at: [i32; 3]) -> f32 {
        let [x, y, z] = at.map(Place::new);
        let along = y.between(x.of(&self.agreement[y.node]), x.of(&self.agreement[y.node + 1])) >> FRACTION;
        // A 16th of an octave is 2^19 in the exponent of a float, of which there are FRACTION bits already. |T + Z| is
        // at most 16 octaves.
        f32::from_bits((ONE + ((along + z.of(&self.size)) << (19 - FRACTION))) as u32)
    }

    /// Moves one tensor, whose accumulators v, m have taken the gradient in already, B parameters at a time.
    #[cfg_attr(not(target_os = "none"), inline(always))]
    fn move_tensor<const B: usize>(&self, scales: &Scales, slots: [&[f32]; 2], w: &mut [f32], gradient: &[f32]) {
        let (blocks, tail) = w.as_chunks_mut::<B>();
        let [g, v, m] = [gradient, slots[0], slots[1]].map(|from| from.as_chunks::<B>());
        for (((w, g), v), m) in blocks.iter_mut().zip(g.0).zip(v.0).zip(m.0) {
            self.move_block(scales, w, [g, v, m]);
        }
        let [g, v, m] = [g, v, m].map(|(_, tail)| tail.as_chunks::<1>().0);
        let tail = tail.as_chunks_mut::<1>().0;
        for (((w, g), v), m) in tail.iter_mut().zip(g).zip(v).zip(m) {
            self.move_block(scales, w, [g, v, m]);
        }
    }

    /// Moves some parameters; `block` holds their g, v, m.
    #[cfg_attr(target_os = "none", inline)]
    #[cfg_attr(not(target_os = "none"), inline(always))]
    fn move_block<const B: usize>(&self, scales: &Scales, w: &mut [f32; B], block: [&[f32; B]; 3]) {
        let [x, y, z] = places(scales, block);
        let ([of_mean, of_gradient], [g, _, m]) = (scales.rates, block);
        for l in 0..B {
            w[l] -= (of_mean * m[l] + of_gradient * g[l]) * self.factor([x[l], y[l], z[l]]);
        }
    }
}

/// The accumulators v, m of tensor number `i`.
fn slots_of<P: Tensors>(state: &mut State<P, 2>, i: usize) -> [&mut [f32]; 2] {
    state.slots.each_mut().map(|slot| slot.tensor_mut(i))
}

impl Learned for Table {
    const KIND: u8 = KIND;
    const HIDDEN: usize = NODES;
    const WEIGHTS: usize = ENTRIES + NUMBERS;
    const FILE_LEN: usize = file::HEADER + BODY + file::TRAILER;

    /// [`momentum`](Table::momentum); nothing in it is random.
    fn initial(_: &mut Rng) -> Self {
        Self::momentum()
    }

    /// In the order of the file: T, Z, both in units of four octaves and rounded to 64ths of it within \[-2, 2), then
    /// C, o, kappa, nu.
    fn from_weights(weights: &[f32]) -> Result<Self, WeightsError> {
        let mut rule = Self::ZERO;
        let Some((entries, numbers)) = weights.split_at_checked(ENTRIES).filter(|parts| parts.1.len() == NUMBERS)
        else {
            return Err(WeightsError::Length { expected: Self::WEIGHTS, found: weights.len() });
        };
        if weights.iter().any(|weight| !weight.is_finite()) {
            return Err(WeightsError::NotFinite);
        }
        for (i, &weight) in entries.iter().enumerate() {
            let scaled = GRID * weight;
            // The conversion cuts towards zero, and what an i8 does not hold down to its bounds.
            rule.set_entry(i, (scaled + if scaled < 0.0 { -0.5 } else { 0.5 }) as i8);
        }
        rule.numbers.iter_mut().zip(numbers).for_each(|(to, &from)| *to = from);
        Ok(rule)
    }

    /// The entries as they are, after rounding.
    fn write_weights(&self, weights: &mut [f32]) {
        let entries = self.entries().map(|entry| f32::from(entry) / GRID);
        for (to, from) in weights.iter_mut().zip(entries.chain(self.numbers)) {
            *to = from;
        }
    }

    fn read_file(file: &[u8]) -> Result<Self, WeightsError> {
        Self::from_bytes(file)
    }

    fn write_file<'a>(&self, buffer: &'a mut [u8]) -> Result<&'a [u8], WeightsError> {
        let entries = self.entries().map(|entry| entry as u8);
        let body = entries.chain(self.numbers.into_iter().flat_map(f32::to_le_bytes));
        file::write_body(KIND, NODES, Self::WEIGHTS, BODY, body, buffer)
    }
}

impl Fingerprint for Table {
    fn describe(&self, digest: &mut Digest) {
        digest.kind("table");
        let entries = self.agreement.as_flattened().iter().chain(&self.size);
        entries.for_each(|&entry| digest.word(entry as u32));
        digest.numbers(self.numbers);
    }
}

impl Rule for Table {
    type State<P: Tensors> = State<P, 2>;

    fn state<P: Tensors>(&self, like: &P) -> Self::State<P> {
        State::like(like)
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
        let clock = Clock::new(state.count());
        for i in 0..params.count() {
            let gradient = gradient.tensor(i);
            let sized = features::accumulate(DECAYS, slots_of(state, i), gradient);
            let [square, mean] = state.slots.each_ref().map(|slot| slot.tensor(i));
            let scales = self.scales(&clock, &sized, [square, mean], params.tensor(i));
            self.move_tensor::<BLOCK>(&scales, [square, mean], params.tensor_mut(i), gradient);
        }
    }

    fn observe<P: Tensors>(&self, state: &mut Self::State<P>, _: &P, gradient: &P, _: f32) {
        state.count();
        for i in 0..gradient.count() {
            features::accumulate(DECAYS, slots_of(state, i), gradient.tensor(i));
        }
    }
}

#[cfg(test)]
mod tests;
