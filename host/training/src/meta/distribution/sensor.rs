//! Windows of synthetic sensor signals: 16 to 96 samples, 2 to 6 classes.
//!
//! A class is one to three sines, each of a frequency and an amplitude, and perhaps a burst. An example has phases,
//! amplitudes, a place of the burst, an offset and noise of its own.

use core::f32::consts::TAU;

use lgl2o::Rng;

use super::random::{chance, log_uniform, whole};
use super::{Examples, Sources};

/// What the signals of a class have in common.
struct Class {
    /// Frequency, in turns a window, and amplitude.
    sines: Vec<(f32, f32)>,
    /// Amplitude of the burst; 0 for none.
    burst: f32,
    /// Its standard deviation, in windows.
    duration: f32,
}

/// Draws so many examples.
pub fn draw(rng: &mut Rng, rows: usize, _: &Sources) -> Examples {
    let (width, classes) = (whole(rng, 16, 96), whole(rng, 2, 6));
    let noise = log_uniform(rng, 0.05, 0.8);
    // Whether windows begin at the same place of a signal, as behind a trigger.
    let jitter = if chance(rng, 0.5) { rng.range(0.02, 0.2) } else { 1.0 };
    let offset = if chance(rng, 0.3) { rng.range(0.0, 1.0) } else { 0.0 };
    let classes: Vec<Class> = (0..classes).map(|_| class(rng, width)).collect();
    let mut examples = Examples::new(width);
    let mut window = vec![0.0; width];
    for _ in 0..rows {
        let label = rng.below(classes.len() as u32) as usize;
        fill(&mut window, &classes[label], jitter, rng);
        let shift = offset * rng.normal();
        examples.inputs.extend(window.iter().map(|x| x + shift + noise * rng.normal()));
        examples.labels.push(label as u8);
    }
    examples
}

fn class(rng: &mut Rng, width: usize) -> Class {
    let highest = 0.3 * width as f32;
    let sines = (0..whole(rng, 1, 3)).map(|_| (log_uniform(rng, 0.5, highest), rng.range(0.3, 1.2))).collect();
    let burst = if chance(rng, 0.5) { rng.range(0.5, 2.5) } else { 0.0 };
    Class { sines, burst, duration: log_uniform(rng, 0.03, 0.3) }
}

/// The signal of one window, without noise.
fn fill(window: &mut [f32], class: &Class, jitter: f32, rng: &mut Rng) {
    let step = 1.0 / window.len() as f32;
    window.fill(0.0);
    for &(frequency, amplitude) in &class.sines {
        let phase = TAU * jitter * rng.uniform();
        let amplitude = amplitude * rng.range(0.7, 1.3);
        for (x, i) in window.iter_mut().zip(0u16..) {
            *x += amplitude * libm::sinf(TAU * frequency * step * f32::from(i) + phase);
        }
    }
    if class.burst > 0.0 {
        let centre = 0.5 + jitter * rng.range(-0.4, 0.4);
        let height = class.burst * rng.range(0.7, 1.3);
        for (x, i) in window.iter_mut().zip(0u16..) {
            let away = (step * f32::from(i) - centre) / class.duration;
            *x += height * libm::expf(-0.5 * away * away);
        }
    }
}
