//! Networks whose shape is known at run time only: the core's traits over memory on the heap.
//!
//! The [kernels](lgl2o_vectors) are those for this machine's vectors. They see the same slices as the core's do in a
//! network whose shape is a type, and give the same bits.

pub mod expression;
pub mod image;
pub mod series;

use std::ops::Range;

use lgl2o::objective::mlp::layer::Visitor;
use lgl2o::objective::mlp::network::BlankNetwork;
use lgl2o::objective::mlp::{Activation, Network, Shape};
use lgl2o::tensors::{Tensors, all_below};
use lgl2o_vectors::Vectors;

use crate::memory;
use series::{ByValue, Kind};

/// The names of the activations that a hidden layer may have.
#[must_use]
pub fn activation_names() -> [&'static str; Activation::ALL.len()] {
    Activation::ALL.map(Activation::name)
}

/// An activation by name.
#[must_use]
pub fn activation(name: &str) -> Option<Activation> {
    Activation::ALL.into_iter().find(|known| known.name() == name)
}

/// Most parameters of a network: 256 MB.
pub const MOST_PARAMETERS: usize = 1 << 26;
/// Most numbers that a batch may take in a network: 1 GB for each thread.
const MOST_ACTIVATIONS: usize = 1 << 28;

/// A network that is too large for this program.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TooLarge {
    /// It has too many parameters.
    #[error("the network has {0} parameters, more than the {most} that are allowed: make hidden layers narrower", most = MOST_PARAMETERS)]
    Parameters(usize),
    /// Its activations are too many.
    #[error(
        "a batch takes {0} numbers in the network, more than the {most} that are allowed: use smaller batches with --batch N, \
         or narrower hidden layers",
        most = MOST_ACTIVATIONS
    )]
    Activations(usize),
    /// The machine has too little memory for it.
    #[error(
        "training this network takes more than {} MB of memory, and {} MB are free: make hidden layers narrower, use smaller \
         batches with --batch N, or another machine",
        .needed / 1_000_000,
        .room / 1_000_000
    )]
    Memory {
        /// Bytes that it takes at least.
        needed: u64,
        /// Bytes that there are.
        room: u64,
    },
}

/// Checks that a network of these widths, input first, and its batches are not too large.
///
/// # Errors
/// If they are, with the bound.
pub fn check_size(widths: &[usize], batch: usize) -> Result<(), TooLarge> {
    let layer = |pair: &[usize]| pair[0].saturating_add(1).saturating_mul(pair[1]);
    let parameters = widths.windows(2).map(layer).fold(0, usize::saturating_add);
    check_numbers(parameters, widths, batch)?;
    check_memory(
        parameters,
        widths.iter().fold(0, |sum: usize, width| sum.saturating_add(*width)).saturating_mul(batch),
    )
}

/// Refuses what this machine has too little memory for, whatever it is trained with: parameters, gradient and accepted parameters,
/// and a batch on its way.
fn check_memory(parameters: usize, activations: usize) -> Result<(), TooLarge> {
    let needed = 4 * (3 * parameters + activations) as u64;
    match memory::room() {
        Some(room) if needed > room => Err(TooLarge::Memory { needed, room }),
        _ => Ok(()),
    }
}

/// Checks that so many parameters, and batches of networks of these widths, are not too many.
///
/// # Errors
/// If they are, with the bound.
pub fn check_numbers(parameters: usize, widths: &[usize], batch: usize) -> Result<(), TooLarge> {
    let activations = widths.iter().fold(0, |sum: usize, width| sum.saturating_add(*width)).saturating_mul(batch);
    if parameters > MOST_PARAMETERS {
        return Err(TooLarge::Parameters(parameters));
    }
    if activations > MOST_ACTIVATIONS { Err(TooLarge::Activations(activations)) } else { Ok(()) }
}

/// A list of tensors in one allocation.
#[derive(Debug, Clone, PartialEq)]
pub struct HeapTensors {
    data: Vec<f32>,
    /// Where each tensor ends.
    ends: Vec<usize>,
    /// After how many tensors each layer ends.
    layers: Vec<usize>,
    /// For each layer of two tensors, rows and columns of its matrix; 0 where there is none.
    matrices: Vec<[usize; 2]>,
}

impl HeapTensors {
    /// Tensors of these lengths, all zero, each a layer of its own.
    #[must_use]
    pub fn zeros(lengths: impl IntoIterator<Item = usize>) -> Self {
        Self::layered(lengths.into_iter().map(|length| [length]))
    }

    /// Layers of tensors of these lengths each, all zero.
    #[must_use]
    pub fn layered<L: IntoIterator<Item = usize>>(lengths: impl IntoIterator<Item = L>) -> Self {
        let (mut end, mut ends, mut layers) = (0, Vec::new(), Vec::new());
        for layer in lengths {
            for length in layer {
                end += length;
                ends.push(end);
            }
            layers.push(ends.len());
        }
        Self { data: vec![0.0; end], ends, layers, matrices: Vec::new() }
    }

    /// The same with rows and columns of the matrix of each layer of two tensors; 0 where there is none.
    #[must_use]
    pub fn with_matrices(self, matrices: Vec<[usize; 2]>) -> Self {
        Self { matrices, ..self }
    }

    /// All numbers, tensor after tensor.
    #[must_use]
    pub fn as_slice(&self) -> &[f32] {
        &self.data
    }

    /// All numbers, to write to.
    pub fn as_mut_slice(&mut self) -> &mut [f32] {
        &mut self.data
    }

    fn range(&self, i: usize) -> Range<usize> {
        let start = if i == 0 { 0 } else { self.ends.get(i - 1).copied().unwrap_or(self.data.len()) };
        start..self.ends.get(i).copied().unwrap_or(start)
    }
}

impl Tensors for HeapTensors {
    type Layers = Self;
    type Bases = Self;

    fn count(&self) -> usize {
        self.ends.len()
    }
    fn layers(&self) -> usize {
        self.layers.len()
    }
    fn layer(&self, l: usize) -> Range<usize> {
        let end = self.layers.get(l).copied().unwrap_or(self.ends.len());
        let start = if l == 0 { 0 } else { self.layers.get(l - 1).copied().unwrap_or(end) };
        start..end
    }
    fn zero_layers(&self) -> Self {
        Self::zeros(self.layers.iter().map(|_| 1))
    }
    /// As in static memory, but for a side that is too long to be turned: its square stays empty.
    fn zero_bases(&self) -> Self {
        let sides = self.matrices.iter().flatten();
        Self::zeros(sides.map(|&side| if side > lgl2o::rule::rotated::LONGEST { 0 } else { side * side }))
    }
    fn tensor(&self, i: usize) -> &[f32] {
        self.data.get(self.range(i)).unwrap_or(&[])
    }
    fn tensor_mut(&mut self, i: usize) -> &mut [f32] {
        let range = self.range(i);
        self.data.get_mut(range).unwrap_or(&mut [])
    }
    fn neighbours_mut(&mut self, i: usize) -> (&mut [f32], &mut [f32]) {
        let (first, second) = (self.range(i), self.range(i + 1));
        let Some(both) = self.data.get_mut(first.start..second.end.max(first.end)) else {
            return (&mut [], &mut []);
        };
        both.split_at_mut(first.len())
    }
    // Asked in every step.
    fn is_below(&self, limit: f32) -> bool {
        Vectors::new().run(
            #[inline(always)]
            || all_below(&self.data, limit),
        )
    }
}

/// A network's layers, and the largest batch that it takes at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeapNetwork {
    layers: Vec<Shape>,
    kinds: Vec<Kind>,
    capacity: usize,
    kernels: Vectors,
}

impl HeapNetwork {
    /// A network of these widths, input first, with one activation for all hidden layers and linear outputs.
    ///
    /// There must be at least two widths, all of them and the capacity positive; what reads configurations checks that.
    #[must_use]
    pub fn new(widths: &[usize], hidden: Activation, capacity: usize) -> Self {
        let last = widths.len().saturating_sub(2);
        let layers = widths
            .windows(2)
            .enumerate()
            .map(|(l, pair)| Shape {
                inputs: pair[0],
                outputs: pair[1],
                activation: if l == last { Activation::Identity } else { hidden },
            })
            .collect();
        Self::from_layers(layers, capacity)
    }

    /// A network of these dense layers, at least one, each of which takes what the one before gives.
    #[must_use]
    pub fn from_layers(layers: Vec<Shape>, capacity: usize) -> Self {
        let kinds = vec![Kind::Dense; layers.len()];
        Self { layers, kinds, capacity, kernels: Vectors::new() }
    }

    /// A network of these [sound](ByValue::is_sound) layers, at least one, each of which takes what the one before returns.
    #[must_use]
    pub fn of(layers: &[ByValue], capacity: usize) -> Self {
        let kinds = layers.iter().map(|layer| layer.kind).collect();
        Self { layers: layers.iter().map(|layer| layer.shape).collect(), kinds, capacity, kernels: Vectors::new() }
    }

    /// The layers.
    #[must_use]
    pub fn layers(&self) -> &[Shape] {
        &self.layers
    }

    /// The layers with what they compute.
    #[must_use]
    pub fn by_value(&self) -> Vec<ByValue> {
        self.layers.iter().zip(&self.kinds).map(|(&shape, &kind)| ByValue { kind, shape }).collect()
    }

    /// How many parameters it has; no more than a `usize` holds.
    #[must_use]
    pub fn parameters(&self) -> usize {
        self.by_value().iter().map(ByValue::parameters).fold(0, usize::saturating_add)
    }

    /// Checks that it, and a batch in it, are not too large.
    ///
    /// # Errors
    /// If they are, with the bound.
    pub fn check(&self) -> Result<(), TooLarge> {
        let activations = self.by_value().into_iter().map(|layer| layer.activations());
        let widths: Vec<usize> = self.layers.iter().take(1).map(|layer| layer.inputs).chain(activations).collect();
        check_numbers(self.parameters(), &widths, self.capacity)?;
        check_memory(self.parameters(), widths.iter().sum::<usize>().saturating_mul(self.capacity))
    }

    /// The number of each layer's first tensor.
    #[must_use]
    pub fn first_tensor(&self, l: usize) -> usize {
        self.kinds.iter().take(l).map(Kind::tensors).sum()
    }

    /// The same layers for batches of another size.
    #[must_use]
    pub fn with_capacity(&self, capacity: usize) -> Self {
        Self { capacity, ..self.clone() }
    }
}

impl Network for HeapNetwork {
    type Params = HeapTensors;
    type Activations = HeapTensors;
    type Losses = Vec<f32>;
    type Kernels = Vectors;

    fn kernels(&self) -> &Vectors {
        &self.kernels
    }
    fn depth(&self) -> usize {
        self.layers.len()
    }
    fn layer(&self, l: usize) -> Shape {
        self.layers[l.min(self.layers.len() - 1)]
    }
    fn visit<V: Visitor>(&self, l: usize, visitor: V) -> V::Output {
        let l = l.min(self.layers.len() - 1);
        ByValue { kind: self.kinds[l], shape: self.layers[l] }.visit(self.first_tensor(l), visitor)
    }
    fn capacity(&self) -> usize {
        self.capacity
    }
}

impl BlankNetwork for HeapNetwork {
    fn blank_params(&self) -> HeapTensors {
        let layers = self.by_value();
        let trained = || layers.iter().filter(|layer| layer.kind.has_parameters());
        let lengths = trained().flat_map(ByValue::lengths).collect::<Vec<_>>();
        HeapTensors::layered(lengths.chunks(2).map(<[_]>::to_vec))
            .with_matrices(trained().flat_map(ByValue::matrices).collect())
    }
    fn blank_activations(&self) -> HeapTensors {
        HeapTensors::zeros(self.by_value().into_iter().map(|layer| layer.activations() * self.capacity))
    }
    fn blank_losses(&self) -> Vec<f32> {
        vec![0.0; self.capacity]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lgl2o::batch::Batch;
    use lgl2o::objective::mlp::{Dense, Fixed, Loss, Mlp, Tanh};
    use lgl2o::objective::{Blank, Objective};
    use lgl2o::{Rng, chain};

    #[test]
    fn sizes_are_bounded() {
        assert_eq!(check_size(&[784, 1024, 10], 128), Ok(()));
        let large = check_size(&[2, 65_536, 65_536, 2], 1).unwrap_err();
        assert!(large.to_string().contains("67108864"), "{large}");
        assert_eq!(check_size(&[2, 65_536, 2], 65_536), Err(TooLarge::Activations(65_540 * 65_536)));
        assert_eq!(check_size(&[usize::MAX; 3], 2), Err(TooLarge::Parameters(usize::MAX)));
    }

    #[test]
    fn heap_and_static_networks_give_the_same_bits() {
        let heap = Mlp::new(HeapNetwork::new(&[3, 10, 5, 4], Activation::Tanh, 6), Loss::CrossEntropy);
        type Same = Fixed<chain![Dense<3, 10, Tanh>, Dense<10, 5, Tanh>, Dense<5, 4>], 6>;
        let fixed = Mlp::new(Same::new(), Loss::CrossEntropy);
        let mut rng = Rng::new(1);
        let inputs: Vec<f32> = (0..18).map(|_| rng.normal()).collect();
        let batch = Batch::classes(&inputs, 3, &[0, 1, 2, 3, 0, 1]);
        let (mut a, mut b) = (heap.blank_params(), fixed.blank_params());
        heap.initialize(&mut a, &mut Rng::new(2));
        fixed.initialize(&mut b, &mut Rng::new(2));
        let (mut ga, mut gb) = (heap.blank_params(), fixed.blank_params());
        let (mut la, mut lb) = (heap.blank_losses(), fixed.blank_losses());
        heap.gradient(&mut heap.blank_scratch(), &a, batch, &mut la, &mut ga).unwrap();
        fixed.gradient(&mut fixed.blank_scratch(), &b, batch, &mut lb, &mut gb).unwrap();
        assert_eq!(la, lb);
        for i in 0..6 {
            assert_eq!(ga.tensor(i), gb.tensor(i));
        }
        assert_eq!([a.layers(), a.zero_layers().count()], [b.layers(), b.zero_layers().count()]);
        (0..4).for_each(|l| assert_eq!(a.layer(l), b.layer(l)));
        assert_eq!(heap.parameters(), ga.as_slice().len());
    }

    #[test]
    fn neighbours_are_disjoint_and_in_order() {
        let mut t = HeapTensors::zeros([2, 3, 1]);
        let lengths = |(a, b): (&mut [f32], &mut [f32])| (a.len(), b.len());
        assert_eq!(lengths(t.neighbours_mut(0)), (2, 3));
        assert_eq!(lengths(t.neighbours_mut(1)), (3, 1));
        assert_eq!(lengths(t.neighbours_mut(2)), (1, 0));
        assert_eq!(t.tensor(3), &[] as &[f32]);
    }
}
