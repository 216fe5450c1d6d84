//! Training with no number to set.
//!
//! ```
//! use lgl2o::source::Sampler;
//! use lgl2o::objective::mlp::{Dense, Fixed, Loss, Mlp, Relu};
//! use lgl2o::{Auto, Memory, Rng, Trainer, auto, chain};
//!
//! type Net = Mlp<Fixed<chain![Dense<2, 16, Relu>, Dense<16, 2>], 16>>;
//! static GUARD: Auto = auto(); // in flash
//!
//! let net = Net::new(Fixed::new(), Loss::CrossEntropy);
//! let mut memory = Memory::<Net, Auto>::new(); // on a device, in a static
//! net.initialize(memory.params_mut(), &mut Rng::new(1));
//!
//! // Is a point above the diagonal?
//! let mut rng = Rng::new(2);
//! let points: [f32; 512] = core::array::from_fn(|_| rng.range(-1.0, 1.0));
//! let labels: [u8; 256] = core::array::from_fn(|i| u8::from(points[2 * i + 1] > points[2 * i]));
//! let (mut pick, mut used) = ([0; 16], [0; 8]);
//! let mut batches = Sampler::new(&points, 2, &labels, 3, &mut pick, &mut used)?;
//!
//! let mut trainer = Trainer::new(&net, &GUARD, &mut memory);
//! while trainer.progress().steps < 300 {
//!     trainer.round(&mut batches)?;
//! }
//! # use lgl2o::batch::Batch;
//! assert!(trainer.loss(Batch::classes(&points[..32], 2, &labels[..16]))? < 0.1);
//! # Ok::<(), lgl2o::Error>(())
//! ```
//!
//! The learned side is [`LearnedNgn`], the fallback [`Ngn`], both [averaged](crate::rule::Averaged); the guard is
//! [`RelayGuard`]. The loss must not be negative; cross-entropy and squared error are not. Inputs may have any unit if they
//! go through a [`Standardizer`](crate::standardize::Standardizer) first. Where there are few examples, hold some out:
//! [`HeldOut`](crate::held_out::HeldOut).
//!
//! Memory beside activations, in numbers for P parameters: 10 P for [`Auto`], 6 P for [`AutoLean`], which cannot return to a
//! run of the fallback that the learned side never touched. [`AutoRotated`] has the learned side in the
//! [eigenbases](crate::rule::Rotated) of the gradients' second moments: it reaches a lower training loss in as many steps, and takes more
//! memory and time for each.

use crate::guard::RelayGuard;
use crate::guard::relay::layout::{Layout, One, Shared};
use crate::learned::{self, LearnedNgn};
use crate::rule::{Averaged, Ngn, Rotated, Rule};
use crate::tensors::Tensors;

/// The guarded optimizer with no number to set.
pub type Auto = RelayGuard<Averaged<&'static LearnedNgn>, Averaged<Ngn>, 1, Shared>;

/// [`Auto`] in less memory.
pub type AutoLean = RelayGuard<Averaged<&'static LearnedNgn>, Averaged<Ngn>, 0, Shared>;

/// [`Auto`] with the learned side in the eigenbases of the gradients' second moments.
pub type AutoRotated = RelayGuard<Averaged<Rotated<&'static LearnedNgn>>, Averaged<Ngn>>;

/// The guarded optimizer with no number to set: see the [module](self).
#[must_use]
pub const fn auto() -> Auto {
    RelayGuard::with_defaults(Averaged::new(learned::ngn()), Averaged::new(Ngn::new()))
}

/// [`auto`] in less memory: see [`RelayGuard::lean`].
#[must_use]
pub const fn auto_lean() -> AutoLean {
    RelayGuard::with_defaults(Averaged::new(learned::ngn()), Averaged::new(Ngn::new()))
}

/// [`auto`] with the learned side in the [eigenbases](crate::rule::Rotated) of the gradients' second moments: fewer steps, each of which takes
/// 2 (rows + columns) multiply-adds more for each weight of a layer, and more memory: 6 P more, and 2 (rows^2 + columns^2)
/// for each layer. A side longer than [128](crate::rule::rotated::LONGEST) is not turned, but takes its memory in a static all the same. The
/// learned side has [weights of its own](crate::learned::rotated_ngn).
#[must_use]
pub const fn auto_rotated() -> AutoRotated {
    RelayGuard::new(Averaged::new(Rotated::new(learned::rotated_ngn())), Averaged::new(Ngn::new()))
}

/// The state of both rules is the same.
impl Layout<Averaged<&'static LearnedNgn>, Averaged<Ngn>> for Shared {
    type States<P: Tensors> = One<<Averaged<Ngn> as Rule>::State<P>>;

    fn states<P: Tensors>(_: &Averaged<&'static LearnedNgn>, fallback: &Averaged<Ngn>, like: &P) -> Self::States<P> {
        One(fallback.state(like))
    }
}
