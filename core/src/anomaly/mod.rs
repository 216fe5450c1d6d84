//! Anomalies: a score for each window of a sensor, a threshold from held-out scores, and a vote over several windows.
//!
//! ```text
//! score      how far a window is from what is normal; one of
//!            reconstruction error   sum (y - x)^2 / columns    x the standardized row, y an autoencoder's outputs for it
//!            distance               sum x^2 / columns          without a network
//! p          (1 + number of held-out scores >= score) / (1 + number of held-out scores)
//! unusual    p <= 1 / r
//! alarm      while at least k of the last M windows are unusual
//! ```
//!
//! Source of p: conformal prediction (Vovk, Gammerman and Shafer, *Algorithmic Learning in a Random World*, 2005, equation 2.20;
//! as a detector of anomalies, Laxhammar and Falkman 2010). **What it promises:** while the held-out scores and a new one are
//! exchangeable, as those of independent windows of an unchanged machine are, a window is unusual with a probability of at most
//! 1/r, whatever their distribution. No scale, no unit and no shape is assumed, and no threshold is chosen. At r = 50 a vote of 3
//! of 5 independent windows is then a false alarm for fewer than 1 window in 10,000; neighbouring windows of a real machine are
//! not independent, and alarm together.
//!
//! **Held-out scores follow a model that goes on learning.** Each window is scored before it is trained on. Its score joins the
//! held-out ones M windows later, unless there was an alarm in between, and replaces the oldest. So what leads to an alarm does
//! not become normal, but a single unusual window does: if its score were left out, the threshold would sink from window to window.
//!
//! [`Monitor`] holds scores and votes and says in which [`State`] the product is. It knows nothing of networks: scores may come
//! from anywhere.
//!
//! ```
//! use lgl2o::Rng;
//! use lgl2o::anomaly::{Monitor, State};
//! use lgl2o::standardize::Standardizer;
//!
//! let mut rng = Rng::new(1);
//! let mut window = |shift: f32| [20.0 + rng.normal() + shift, 1e5 + 1e3 * rng.normal()];
//! let mut standardizer = Standardizer::<[f32; 2]>::new(100);
//! for _ in 0..100 {
//!     standardizer.observe(&window(0.0))?;
//! }
//! // 128 held-out scores, votes of 5 windows.
//! let mut monitor = Monitor::<128, 5>::new(0);
//! let mut alarms = 0;
//! for _ in 0..1000 {
//!     alarms += u32::from(monitor.watch(standardizer.distance(&window(0.0))?) == State::Alarm);
//! }
//! assert_eq!(alarms, 0);
//! for _ in 0..5 {
//!     monitor.watch(standardizer.distance(&window(6.0))?);
//! }
//! assert_eq!(monitor.state(), State::Alarm);
//! # Ok::<(), lgl2o::Error>(())
//! ```

mod held;
mod score;
mod state;

pub use state::{Monitor, State};
