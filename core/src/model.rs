//! A model: a network with its parameters and its standardizer, to predict with.
//!
//! ```text
//! x <- standardized row      a = the network's outputs for x      p_c = exp(a_c - max a) / sum_k exp(a_k - max a)
//! class = the c with the largest a_c, the first of several
//! ```
//!
//! (Softmax: Bridle 1990.) No trainer and no guard is in memory. Parameters and standardizer are the model's own, or
//! borrowed: from a trainer between two rounds, or from flash. Where they are its own, [`Model::load`] takes them out
//! of a checkpoint of any guard, without memory for the rest of it.
//!
//! ```
//! use lgl2o::objective::mlp::{Dense, DenseParams, Fixed, Loss, Mlp};
//! use lgl2o::standardize::Standardizer;
//! use lgl2o::{Error, Model};
//!
//! // One row at a time: a batch of one, whatever the network was trained with.
//! type Net = Fixed<Dense<2, 3>, 1>;
//! static TRAINED: DenseParams<2, 3> =
//!     DenseParams { weights: [[1.0, 0.0], [0.0, 1.0], [-1.0, -1.0]], bias: [0.0; 3] }; // in flash
//! let standardizer = Standardizer::given([20.0, 1000.0], [5.0, 50.0])?;
//!
//! let mut model = Model::new(Mlp::new(Net::new(), Loss::CrossEntropy), &TRAINED, standardizer);
//! let prediction = model.predict(&[21.0, 1100.0])?;
//! assert_eq!(prediction.class, 1);
//! assert!(prediction.probability() > 0.8);
//! assert_eq!(model.values(&[15.0, 1000.0])?, [-1.0, 0.0, 1.0]);
//! assert!(matches!(model.predict(&[21.0]), Err(Error::ShapeMismatch { expected: 2, found: 1, .. })));
//! # Ok::<(), Error>(())
//! ```
//!
//! Memory beside the parameters: the outputs of all layers for a batch of the network's type, of one row if it is
//! `Fixed<_, 1>`; and three numbers a column for a standardizer.

use core::borrow::{Borrow, BorrowMut};

use crate::batch::Rows;
use crate::error::Error;
use crate::math;
use crate::objective::mlp::network::BlankNetwork;
use crate::objective::mlp::{Mlp, Network};
use crate::standardize::Standardizer;
use crate::sum;
use crate::tensors::{Tensors, Zeroed, all_finite};

/// What a row goes through before the network sees it.
pub trait Inputs {
    /// Memory of one row.
    type Row;

    /// Memory of one row, where its size is known at run time only.
    fn blank_row(&self) -> Self::Row;

    /// What the network sees of a row.
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] for a row of another width.
    fn prepare<'r>(&self, raw: &'r [f32], row: &'r mut Self::Row) -> Result<&'r [f32], Error>;
}

/// The network sees rows as they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AsIs;

impl Inputs for AsIs {
    type Row = [f32; 0];

    fn blank_row(&self) -> [f32; 0] {
        []
    }
    fn prepare<'r>(&self, raw: &'r [f32], _: &'r mut [f32; 0]) -> Result<&'r [f32], Error> {
        Ok(raw)
    }
}

impl<M: Tensors> Inputs for Standardizer<M> {
    type Row = M;

    fn blank_row(&self) -> M {
        Self::blank_row(self)
    }
    fn prepare<'r>(&self, raw: &'r [f32], row: &'r mut M) -> Result<&'r [f32], Error> {
        let row = row.tensor_mut(0);
        if raw.len() != row.len() {
            return Err(Error::ShapeMismatch { what: "an input row", expected: row.len(), found: raw.len() });
        }
        row.iter_mut().zip(raw).for_each(|(to, &from)| *to = from);
        self.apply(row)?;
        Ok(row)
    }
}

impl<T: Inputs> Inputs for &T {
    type Row = T::Row;

    fn blank_row(&self) -> T::Row {
        (**self).blank_row()
    }
    fn prepare<'r>(&self, raw: &'r [f32], row: &'r mut T::Row) -> Result<&'r [f32], Error> {
        (**self).prepare(raw, row)
    }
}

/// A class, and how probable each of them is.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Prediction<'a> {
    /// The most probable class; the first of several.
    pub class: u8,
    /// The probability of each class.
    pub probabilities: &'a [f32],
}

impl Prediction<'_> {
    /// The probability of the class.
    #[must_use]
    pub fn probability(&self) -> f32 {
        self.probabilities.get(usize::from(self.class)).copied().unwrap_or(0.0)
    }
}

/// A network with parameters P, its own or borrowed, and what rows go through first: see the [module](self).
pub struct Model<N: Network, P, S: Inputs = AsIs> {
    pub(crate) net: Mlp<N>,
    pub(crate) params: P,
    pub(crate) inputs: S,
    row: S::Row,
    activations: N::Activations,
}

impl<N: Network, P, S: Inputs> Model<N, P, S>
where
    N::Activations: Zeroed,
    S::Row: Zeroed,
{
    /// A model whose sizes are types. Inputs are a [`Standardizer`], or [`AsIs`].
    pub const fn new(net: Mlp<N>, params: P, inputs: S) -> Self {
        Self { net, params, inputs, row: Zeroed::ZERO, activations: Zeroed::ZERO }
    }
}

impl<N: BlankNetwork, P, S: Inputs> Model<N, P, S> {
    /// A model whose sizes are known at run time only.
    pub fn blank(net: Mlp<N>, params: P, inputs: S) -> Self {
        let (row, activations) = (inputs.blank_row(), net.network().blank_activations());
        Self { net, params, inputs, row, activations }
    }
}

impl<N: Network, P: Borrow<N::Params>, S: Inputs> Model<N, P, S> {
    /// The parameters.
    pub fn params(&self) -> &N::Params {
        self.params.borrow()
    }

    /// What rows go through first.
    pub const fn inputs(&self) -> &S {
        &self.inputs
    }

    /// The network's outputs for a row.
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] for a row of another width, [`Error::NonFiniteInput`] for one with a NaN or an
    /// infinity, [`Error::NonFiniteOutput`] where an output is one.
    pub fn values(&mut self, row: &[f32]) -> Result<&[f32], Error> {
        self.outputs(row).map(|outputs| &*outputs)
    }

    /// The class of a row, with all probabilities.
    ///
    /// # Errors
    /// As [`values`](Self::values), and [`Error::NoClasses`] for a network whose loss compares values.
    pub fn predict(&mut self, row: &[f32]) -> Result<Prediction<'_>, Error> {
        if !self.net.loss().has_classes() {
            return Err(Error::NoClasses);
        }
        let outputs = self.outputs(row)?;
        let (class, most) = largest(outputs);
        outputs.iter_mut().for_each(|a| *a = math::exp(*a - most));
        // At least exp(0).
        let total = sum::sum(outputs);
        outputs.iter_mut().for_each(|a| *a /= total);
        Ok(Prediction { class, probabilities: outputs })
    }

    fn outputs(&mut self, row: &[f32]) -> Result<&mut [f32], Error> {
        if !all_finite(row) {
            return Err(Error::NonFiniteInput);
        }
        let row = self.inputs.prepare(row, &mut self.row)?;
        let outputs = self.net.outputs(&mut self.activations, self.params.borrow(), Rows::all(row, row.len()))?;
        if all_finite(outputs) { Ok(outputs) } else { Err(Error::NonFiniteOutput) }
    }
}

impl<N: Network, P: BorrowMut<N::Params>, S: Inputs> Model<N, P, S> {
    /// The parameters, to write to.
    pub fn params_mut(&mut self) -> &mut N::Params {
        self.params.borrow_mut()
    }
}

/// The largest output, the first of several, and its number. Labels are bytes, so no class is above 255.
fn largest(outputs: &[f32]) -> (u8, f32) {
    let classes = (0..=u8::MAX).zip(outputs);
    classes.fold((0, f32::NEG_INFINITY), |most, (c, &a)| if a > most.1 { (c, a) } else { most })
}
