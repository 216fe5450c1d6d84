//! The step in candle, on its CPU.

use candle_core::{DType, Device, Result, Tensor, Var};
use candle_nn::optim::{AdamW, Optimizer, ParamsAdamW, SGD};

use crate::{Act, BATCH, Rule, inputs, time, weights};

/// Microseconds a step.
pub fn run(widths: &[usize], act: Act, rule: Rule) -> Result<f64> {
    let device = Device::Cpu;
    let mut vars = Vec::new();
    for pair in widths.windows(2) {
        let w = Tensor::from_vec(weights(pair[0], pair[1]), (pair[0], pair[1]), &device)?;
        vars.push(Var::from_tensor(&w)?);
        vars.push(Var::zeros(pair[1], DType::F32, &device)?);
    }
    let x = Tensor::from_vec(inputs(widths[0]), (BATCH, widths[0]), &device)?;
    let classes = widths[widths.len() - 1];
    let labels: Vec<u32> = (0..BATCH).map(|s| (s % classes) as u32).collect();
    let y = Tensor::from_vec(labels, BATCH, &device)?;
    let loss = || -> Result<Tensor> {
        let mut a = x.clone();
        let layers = vars.len() / 2;
        for (l, pair) in vars.chunks(2).enumerate() {
            a = a.matmul(pair[0].as_tensor())?.broadcast_add(pair[1].as_tensor())?;
            if l + 1 < layers {
                a = match act {
                    Act::Tanh => a.tanh()?,
                    Act::Sigmoid => candle_nn::ops::sigmoid(&a)?,
                    Act::Relu => a.relu()?,
                };
            }
        }
        candle_nn::loss::cross_entropy(&a, &y)
    };
    match rule {
        Rule::Sgd => {
            let mut rule = SGD::new(vars.clone(), 0.3)?;
            time(|| rule.backward_step(&loss()?))
        }
        Rule::Adam => {
            let settings = ParamsAdamW { lr: 0.01, weight_decay: 0.0, ..ParamsAdamW::default() };
            let mut rule = AdamW::new(vars.clone(), settings)?;
            time(|| rule.backward_step(&loss()?))
        }
    }
}
