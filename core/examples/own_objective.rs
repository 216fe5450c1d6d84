//! An objective of your own: how fast a tank cools, y = a exp(-b t), from twelve readings.
use lgl2o::source::Exact;
use lgl2o::{Error, Memory, Objective, Trainer, auto, math, sum};

type Twelve = [f32; 12];
/// Degrees above the room's, every half hour.
static READINGS: Twelve = [60.4, 52.6, 46.9, 41.0, 36.6, 31.9, 28.6, 24.7, 22.3, 19.4, 17.3, 15.3];
struct Cooling;

impl Objective for Cooling {
    type Params = [f32; 2]; // ln a and ln b, so that both are positive
    type Batch<'a> = (); // all readings at once: `Exact` is the source
    type Scratch = Twelve;
    type Losses = Twelve; // one for each reading, so that a guard can compare them in pairs
    fn losses(&self, y: &mut Twelve, w: &[f32; 2], (): (), losses: &mut Twelve) -> Result<usize, Error> {
        for (i, (loss, y)) in losses.iter_mut().zip(y).enumerate() {
            *y = math::exp(w[0] - math::exp(w[1]) * 0.5 * i as f32);
            *loss = 0.5 * (*y - READINGS[i]) * (*y - READINGS[i]);
        }
        Ok(12)
    }
    fn gradient(&self, y: &mut Twelve, w: &[f32; 2], (): (), l: &mut Twelve, g: &mut [f32; 2]) -> Result<usize, Error> {
        self.losses(y, w, (), l)?;
        let slope: Twelve = core::array::from_fn(|i| (y[i] - READINGS[i]) * y[i] / 12.0);
        let by_time: Twelve = core::array::from_fn(|i| slope[i] * 0.5 * i as f32);
        *g = [sum::sum(&slope), -math::exp(w[1]) * sum::sum(&by_time)];
        Ok(12)
    }
}

fn main() -> Result<(), Error> {
    let (guard, mut memory) = (auto(), Memory::new());
    *memory.params_mut() = [3.0, -1.0];
    let mut trainer = Trainer::new(&Cooling, &guard, &mut memory);
    (0..100).try_for_each(|_| trainer.round(&mut Exact).map(drop))?;
    let [a, b] = trainer.params().map(math::exp);
    println!("{a:.1} exp(-{b:.3} t), loss {:.3}", trainer.loss(())?);
    Ok(())
}
