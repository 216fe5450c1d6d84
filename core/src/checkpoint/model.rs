//! A model out of a checkpoint: the accepted parameters at the front of the state and the standardizer at its end, and
//! no memory for what is between them.

use core::borrow::BorrowMut;

use super::format::{self, Header, Reader, Store};
use crate::error::CheckpointError;
use crate::model::{AsIs, Inputs, Model};
use crate::objective::mlp::Network;
use crate::persist::{self, Fingerprint, Persist};

/// Nothing to keep.
impl Persist for AsIs {
    crate::persist_fields!();
}

impl<N: Network, P: BorrowMut<N::Params>, S: Inputs + Persist> Model<N, P, S> {
    /// Takes the accepted parameters out of a checkpoint, and the standardizer if the model has one. It may be of any
    /// guard, with any rules and settings, and of any source.
    ///
    /// What is compared: both checksums; layers and loss; the lengths of the parameters and of the standardizer.
    ///
    /// ```
    /// use lgl2o::source::Sampler;
    /// use lgl2o::checkpoint::Buffer;
    /// use lgl2o::model::AsIs;
    /// use lgl2o::objective::mlp::{Dense, DenseParams, Fixed, Loss, Mlp};
    /// use lgl2o::tensors::Zeroed;
    /// use lgl2o::{Auto, Memory, Model, Rng, Trainer, auto};
    ///
    /// // On the machine that trains.
    /// let net = Mlp::new(Fixed::<Dense<1, 2>, 4>::new(), Loss::CrossEntropy);
    /// let guard = auto();
    /// let mut memory = Memory::<_, Auto>::new();
    /// net.initialize(memory.params_mut(), &mut Rng::new(1));
    /// let mut trainer = Trainer::new(&net, &guard, &mut memory);
    /// let (rows, labels) = ([-2.0, -1.0, 1.0, 2.0, -3.0, 3.0, -1.5, 1.5], [0, 0, 1, 1, 0, 1, 0, 1]);
    /// let (mut pick, mut used) = ([0; 4], [0; 1]);
    /// let mut batches = Sampler::new(&rows, 1, &labels, 1, &mut pick, &mut used)?;
    /// for _ in 0..100 {
    ///     trainer.round(&mut batches)?;
    /// }
    /// let mut bytes = [0; 1024];
    /// let mut checkpoint = Buffer::new(&mut bytes);
    /// trainer.save(&batches, &mut checkpoint).expect("1024 bytes are enough");
    ///
    /// // On the machine that predicts: no guard, no trainer.
    /// let net = Mlp::new(Fixed::<Dense<1, 2>, 1>::new(), Loss::CrossEntropy);
    /// let mut model = Model::new(net, DenseParams::ZERO, AsIs);
    /// model.load(&mut checkpoint.written())?;
    /// assert_eq!(model.predict(&[-1.2])?.class, 0);
    /// assert_eq!(model.predict(&[2.5])?.class, 1);
    /// # Ok::<(), lgl2o::Error>(())
    /// ```
    ///
    /// # Errors
    /// Whatever is wrong with the checkpoint; the model is then as it was, except for [`CheckpointError::Interrupted`].
    pub fn load<R: Store>(&mut self, store: &mut R) -> Result<(), CheckpointError> {
        let Header { marks, length, standardizer } = format::verify(store)?;
        if marks.objective != self.net.fingerprint() {
            return Err(CheckpointError::OtherObjective);
        }
        let (expected, found) = (persist::length(&self.inputs), standardizer as usize);
        if expected != found {
            return Err(CheckpointError::OtherStandardizer { expected, found });
        }
        let params = self.params.borrow_mut();
        let (expected, found) = (persist::length(params).saturating_add(expected), length as usize);
        let Some(between) = found.checked_sub(expected) else {
            return Err(CheckpointError::Length { expected, found });
        };
        let mut reader = Reader::new(store);
        let mut take_in = || {
            reader.header()?;
            params.load(&mut reader)?;
            reader.skip(between)?;
            self.inputs.load(&mut reader)?;
            reader.close()
        };
        take_in().map_err(|_: CheckpointError| CheckpointError::Interrupted)
    }
}
