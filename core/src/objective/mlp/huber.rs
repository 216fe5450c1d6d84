//! Huber's loss: squared error near the target, absolute error far from it, so that an outlier pulls no harder than
//! delta.
//!
//! ```text
//! h(e) = e^2 / 2 where |e| <= delta, else delta (|e| - delta / 2)      h'(e) = e, cut to [-delta, delta]
//! loss_s = 1/C sum_c h(a_c - t_c)                                     d loss_s / d a_c = 1/C h'(a_c - t_c)
//! ```
//!
//! (Huber 1964.) With a large delta it is half the mean squared error.

use super::activation::Activation;
use crate::math;
use crate::sum;

/// The loss of an example.
pub(super) fn loss(outputs: &[f32], targets: &[f32], delta: f32) -> f32 {
    let mut lanes = [0.0; sum::LANES];
    for (i, (&a, &t)) in outputs.iter().zip(targets).enumerate() {
        let far = math::abs(a - t);
        // A NaN is far.
        let h = if far <= delta { 0.5 * far * far } else { delta * (far - 0.5 * delta) };
        if let Some(lane) = lanes.get_mut(i % sum::LANES) {
            *lane += h;
        }
    }
    sum::tree(lanes) / outputs.len() as f32
}

/// In place of each output share / C h'(a_c - t_c) act'(a_c).
pub(super) fn error(outputs: &mut [f32], targets: &[f32], delta: f32, share: f32, top: Activation) {
    let scale = share / outputs.len() as f32;
    for (a, &t) in outputs.iter_mut().zip(targets) {
        *a = scale * math::clamp(*a - t, -delta, delta) * top.slope(*a);
    }
}
