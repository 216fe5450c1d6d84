//! The theorem: the guard keeps the fallback's convergence, whatever the learned side does.
//!
//! On an L-smooth F with |grad F|^2 >= 2 mu (F - F*), exact losses, gradient descent at 0 < lambda < 2/L as fallback, and
//! *full objective* or *sufficient decrease* with kappa = lambda (1 - lambda L / 2) as decision, in every round
//!
//! ```text
//! F(w_{i+1}) <= F(w_i) - kappa |grad F(w_i)|^2
//! F(w_{i+1}) - F* <= rho (F(w_i) - F*),    rho = 1 - 2 mu lambda (1 - lambda L / 2)
//! ```
//!
//! The descent lemma gives F(u) <= F(w) - kappa |g|^2 for one step of the fallback (Nesterov, "Lectures on Convex
//! Optimization", 2018, section 1.2), mu-strong convexity (section 2.1) or the Polyak-Lojasiewicz condition the second
//! line, and the guard keeps nothing above F(u). F is computed in f64 at the f32 parameters; what single precision may
//! add is bounded round by round from the points that the round has met (`lgl2o_tests::known`).
//!
//! - `law`: a round held against both lines, for any objective, guard and attack.
//! - `strongly_convex`: the theorem on quadratics, logistic regression and log-sum-exp; runs that end at F*.
//! - `limits`: the paper's range of rates, and that the laws can fail.
//! - `descent`: objectives that are only Polyak-Lojasiewicz, and some that are not even that.
//! - `armijo`: the same with L unknown.
//! - `stochastic`: the 1/i rate on minibatches, and the noise floor of *lower*.
//! - `overfit`: who sees the check batches, and what is left of the promises then.
//! - `relay`: the theorem from the hand-over on.
//! - `residual`: GL2O.

mod armijo;
mod descent;
mod law;
mod limits;
mod overfit;
mod relay;
mod residual;
mod stochastic;
mod strongly_convex;
