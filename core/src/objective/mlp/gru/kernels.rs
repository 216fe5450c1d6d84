//! Kernels of the gated recurrent unit: those of the dense layer, once for each time of each example.

use crate::batch::{Rows, row, row_mut};
use crate::math;
use crate::objective::mlp::activation::Activation;
use crate::objective::mlp::kernels::Kernels;
use crate::objective::mlp::layer::{Inputs, Own, OwnMut, larger};
use crate::sum::add_scaled;
use crate::tensors::Tensors;

/// How many times as large as the largest error from above an error on its way through time can be.
pub const MOST: f32 = 1024.0;

/// Numbers of working memory for each unit.
pub const ROOM: usize = 8;

/// Sizes of a recurrent layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sizes {
    /// Times of the inputs, T, at least one.
    pub time: usize,
    /// Numbers of each time, C.
    pub channels: usize,
    /// Numbers of the state, H.
    pub units: usize,
}

/// A layer with its parameters, and what computes it.
#[derive(Debug)]
pub struct Recurrence<'a, K, P> {
    /// Its sizes.
    pub sizes: Sizes,
    /// What computes the products and the activations.
    pub kernels: &'a K,
    /// Its parameters.
    pub own: Own<'a, P>,
}

/// Working memory.
struct Room<'a> {
    /// For the gates what comes from the inputs, then r, z, n, then d.
    input: &'a mut [f32],
    /// For the gates what comes from the state, with q at its end, then f.
    hidden: &'a mut [f32],
    /// The error of the state.
    error: &'a mut [f32],
    /// A state of zeros, or what comes to the error from behind it in time.
    spare: &'a mut [f32],
}

impl<'a> Room<'a> {
    /// The parts of 8 H numbers.
    fn of(room: &'a mut [f32], units: usize) -> Option<Self> {
        let (input, rest) = room.split_at_mut_checked(3 * units)?;
        let (hidden, rest) = rest.split_at_mut_checked(3 * units)?;
        let (error, rest) = rest.split_at_mut_checked(units)?;
        Some(Self { input, hidden, error, spare: rest.get_mut(..units)? })
    }
}

/// Three parts of so many numbers.
fn gates(numbers: &[f32], units: usize) -> [&[f32]; 3] {
    [0, 1, 2].map(|gate| row(numbers, gate, units))
}

/// A number within +-most; a NaN stays one.
fn cut(x: f32, most: f32) -> f32 {
    if x > most {
        most
    } else if x < -most {
        -most
    } else {
        x
    }
}

impl<K: Kernels, P: Tensors> Recurrence<'_, K, P> {
    /// The states of n examples: in `out` all last ones, and behind them for each example those before, T H numbers in all.
    /// `room` is [`ROOM`] H numbers of working memory.
    pub fn forward(&self, inputs: Rows<'_>, n: usize, out: &mut [f32], room: &mut [f32]) {
        let Sizes { time, channels, units } = self.sizes;
        let Some(mut room) = Room::of(room, units) else { return };
        let Some((last, states)) = out.split_at_mut_checked(n * units) else { return };
        for s in 0..n {
            let (x, states) = (inputs.row(s), row_mut(states, s, (time - 1) * units));
            for t in 0..time {
                let Some((done, ahead)) = states.split_at_mut_checked(t * units) else { return };
                let before = t.checked_sub(1).map(|t| row(done, t, units));
                self.gates(row(x, t, channels), before, &mut room);
                let next = if t + 1 == time { row_mut(last, s, units) } else { row_mut(ahead, 0, units) };
                room.spare.fill(0.0);
                let (before, [_, z, n]) = (before.unwrap_or(room.spare), gates(room.input, units));
                for (((next, h), z), n) in next.iter_mut().zip(before).zip(z).zip(n) {
                    *next = (1.0 - z) * n + z * h;
                }
            }
        }
    }

    /// r, z and n of a time, and q; the first time has no state before it.
    fn gates(&self, x: &[f32], before: Option<&[f32]>, room: &mut Room<'_>) {
        let Self { sizes: Sizes { channels, units, .. }, kernels, own } = *self;
        kernels.forward(own.tensor(0), own.tensor(1), Rows::all(x, channels), 1, room.input);
        match before {
            Some(h) => kernels.forward(own.tensor(2), own.tensor(3), Rows::all(h, units), 1, room.hidden),
            None => room.hidden.iter_mut().zip(own.tensor(3)).for_each(|(q, c)| *q = *c),
        }
        let Some((rz, n)) = room.input.split_at_mut_checked(2 * units) else { return };
        rz.iter_mut().zip(&*room.hidden).for_each(|(a, b)| *a += b);
        kernels.activate(Activation::Sigmoid, rz);
        for ((n, r), q) in n.iter_mut().zip(&*rz).zip(row(room.hidden, 2, units)) {
            *n += r * q;
        }
        kernels.activate(Activation::Tanh, n);
    }

    /// The gradient of n examples, if one is wanted, and the errors of the layer below over its activations, if they are the inputs.
    /// `errors` has those of the last states, and behind them the states before, as [`forward`](Self::forward) left them.
    pub fn backward<G: Tensors>(
        &self,
        errors: &[f32],
        mut inputs: Inputs<'_>,
        n: usize,
        mut gradient: Option<&mut OwnMut<'_, G>>,
        room: &mut [f32],
    ) {
        let Sizes { time, units, .. } = self.sizes;
        let Some(mut room) = Room::of(room, units) else { return };
        let Some((errors, states)) = errors.split_at_checked(n * units) else { return };
        if let Some(gradient) = &mut gradient {
            (0..4).for_each(|i| gradient.tensor(i).fill(0.0));
        }
        for s in 0..n {
            let states = row(states, s, (time - 1) * units);
            room.error.iter_mut().zip(row(errors, s, units)).for_each(|(to, e)| *to = *e);
            let most = MOST * room.error.iter().fold(0.0, |most, &e| larger(most, math::abs(e)));
            for t in (0..time).rev() {
                let before = t.checked_sub(1).map(|t| row(states, t, units));
                self.back(&mut inputs, [s, t], before, &mut gradient, (&mut room, most));
            }
        }
    }

    /// One time of one example.
    fn back<G: Tensors>(
        &self,
        inputs: &mut Inputs<'_>,
        [s, t]: [usize; 2],
        before: Option<&[f32]>,
        gradient: &mut Option<&mut OwnMut<'_, G>>,
        (room, most): (&mut Room<'_>, f32),
    ) {
        let Self { sizes: Sizes { time, channels, units }, kernels, own } = *self;
        let x = match inputs {
            Inputs::Rows(rows) => row(rows.row(s), t, channels),
            Inputs::Activations { x, .. } => row(x, s * time + t, channels),
        };
        self.gates(x, before, room);
        room.spare.fill(0.0);
        deltas(room, before, most);
        if let Some(gradient) = gradient {
            learn(gradient, 0, room.input, x);
            learn(gradient, 2, room.hidden, before.unwrap_or_default());
        }
        if let Inputs::Activations { x, below } = inputs {
            let x = row_mut(x, s * time + t, channels);
            kernels.input_error(own.tensor(0), room.input, 1, [channels, 3 * units], *below, x);
        }
        if before.is_some() {
            kernels.input_error(own.tensor(2), room.hidden, 1, [units, 3 * units], Activation::Identity, room.spare);
            room.error.iter_mut().zip(&*room.spare).for_each(|(e, more)| *e = cut(*e + more, most));
        }
    }
}

/// d in the place of the gates, f in that of what came from the state, and e z in that of the error.
fn deltas(room: &mut Room<'_>, before: Option<&[f32]>, most: f32) {
    let units = room.error.len();
    let before = before.unwrap_or(room.spare);
    let Some((rs, zn)) = room.input.split_at_mut_checked(units) else { return };
    let Some((zs, ns)) = zn.split_at_mut_checked(units) else { return };
    let Some((frs, fzn)) = room.hidden.split_at_mut_checked(units) else { return };
    let Some((fzs, qs)) = fzn.split_at_mut_checked(units) else { return };
    let gates = rs.iter_mut().zip(zs).zip(ns).zip(frs.iter_mut().zip(fzs).zip(qs));
    for ((((r, z), n), ((fr, fz), q)), (e, h)) in gates.zip(room.error.iter_mut().zip(before)) {
        let d_n = *e * (1.0 - *z) * Activation::Tanh.slope(*n);
        let d_z = *e * (h - *n) * Activation::Sigmoid.slope(*z);
        let d_r = cut(d_n * *q * Activation::Sigmoid.slope(*r), most);
        *e *= *z;
        (*fr, *fz, *q) = (d_r, d_z, d_n * *r);
        (*r, *z, *n) = (d_r, d_z, d_n);
    }
}

/// Adds errors times inputs to the gradient of weights, and errors to that of their bias, whose numbers are `first` and the next.
fn learn<G: Tensors>(gradient: &mut OwnMut<'_, G>, first: usize, errors: &[f32], x: &[f32]) {
    let weights = gradient.tensor(first);
    errors.iter().enumerate().for_each(|(o, &e)| add_scaled(row_mut(weights, o, x.len()), e, x));
    gradient.tensor(first + 1).iter_mut().zip(errors).for_each(|(g, e)| *g += e);
}

/// The slow, obvious twins for one example: one number after the other.
#[cfg(any(test, feature = "twins"))]
pub mod plain {
    use super::{MOST, Sizes, cut};
    use crate::math;
    use crate::objective::mlp::activation::Activation;
    use crate::sum::plain::dot;

    /// Weights and bias from the inputs, weights and bias from the state.
    pub type Params<'a> = [&'a [f32]; 4];

    /// r, z, n and q of unit j.
    fn gates(sizes: &Sizes, [w, b, u, c]: Params<'_>, x: &[f32], h: Option<&[f32]>, j: usize) -> [f32; 4] {
        let Sizes { channels, units, .. } = *sizes;
        let of_input = |o: usize| dot(&w[o * channels..(o + 1) * channels], x) + b[o];
        let of_state = |o: usize| h.map_or(c[o], |h| dot(&u[o * units..(o + 1) * units], h) + c[o]);
        let r = math::sigmoid(of_input(j) + of_state(j));
        let z = math::sigmoid(of_input(units + j) + of_state(units + j));
        let q = of_state(2 * units + j);
        [r, z, math::tanh(of_input(2 * units + j) + r * q), q]
    }

    /// Twin of [`forward`](super::Recurrence::forward): the states of all times, one after the other.
    pub fn forward(sizes: &Sizes, params: Params<'_>, x: &[f32], states: &mut [f32]) {
        let Sizes { time, channels, units } = *sizes;
        for t in 0..time {
            let (done, next) = states.split_at_mut(t * units);
            let (x, h) = (&x[t * channels..(t + 1) * channels], (t > 0).then(|| &done[(t - 1) * units..]));
            for j in 0..units {
                let [_, z, n, _] = gates(sizes, params, x, h, j);
                next[j] = (1.0 - z) * n + z * h.map_or(0.0, |h| h[j]);
            }
        }
    }

    /// Twin of [`backward`](super::Recurrence::backward): adds to the gradient, and writes the errors of the activations `below` over them.
    /// `e` is the error of the last state, and then working memory, as `df`, 6 H numbers, is.
    pub fn backward(
        (sizes, params, states): (&Sizes, Params<'_>, &[f32]),
        below: Activation,
        x: &mut [f32],
        [e, df]: [&mut [f32]; 2],
        [gw, gb, gu, gc]: [&mut [f32]; 4],
    ) {
        let Sizes { time, channels, units } = *sizes;
        let most = MOST * e.iter().fold(0.0, |most, &e| if math::abs(e) > most { math::abs(e) } else { most });
        let (d, f) = df.split_at_mut(3 * units);
        for t in (0..time).rev() {
            let x = &mut x[t * channels..(t + 1) * channels];
            let h = (t > 0).then(|| &states[(t - 1) * units..t * units]);
            for j in 0..units {
                let [r, z, n, q] = gates(sizes, params, x, h, j);
                let d_n = e[j] * (1.0 - z) * (1.0 - n * n);
                let d_z = e[j] * (h.map_or(0.0, |h| h[j]) - n) * (z * (1.0 - z));
                let d_r = cut(d_n * q * (r * (1.0 - r)), most);
                (d[j], d[units + j], d[2 * units + j]) = (d_r, d_z, d_n);
                (f[j], f[units + j], f[2 * units + j]) = (d_r, d_z, d_n * r);
                e[j] *= z;
            }
            for o in 0..3 * units {
                (0..channels).for_each(|c| gw[o * channels + c] += d[o] * x[c]);
                gb[o] += d[o];
                h.into_iter().for_each(|h| (0..units).for_each(|j| gu[o * units + j] += f[o] * h[j]));
                gc[o] += f[o];
            }
            for (c, x) in x.iter_mut().enumerate() {
                let sum = (0..3 * units).fold(0.0, |sum, o| sum + d[o] * params[0][o * channels + c]);
                *x = sum * below.slope(*x);
            }
            for (j, e) in e.iter_mut().enumerate().filter(|_| t > 0) {
                *e = cut(*e + (0..3 * units).fold(0.0, |sum, o| sum + f[o] * params[2][o * units + j]), most);
            }
        }
    }
}
