//! The step in burn, on its `flex` backend, the one for processors.

use burn::module::Module;
use burn::nn::loss::CrossEntropyLossConfig;
use burn::nn::{Linear, LinearConfig};
use burn::optim::{AdamConfig, GradientsParams, ModuleOptimizer, SgdConfig};
use burn::tensor::activation::{relu, sigmoid, tanh};
use burn::tensor::{Device, Int, Tensor, TensorData};

use crate::{Act, BATCH, Rule, inputs, time};

/// Dense layers.
#[derive(Module, Debug)]
struct Net {
    layers: Vec<Linear>,
}

/// Microseconds a step.
pub fn run(widths: &[usize], act: Act, rule: Rule) -> f64 {
    match rule {
        Rule::Sgd => steps(widths, act, SgdConfig::new().init(), 0.3),
        Rule::Adam => steps(widths, act, AdamConfig::new().init(), 0.01),
    }
}

fn steps(widths: &[usize], act: Act, mut optimizer: ModuleOptimizer, rate: f64) -> f64 {
    let device = Device::flex().autodiff();
    let layers = widths.windows(2).map(|pair| LinearConfig::new(pair[0], pair[1]).init(&device)).collect();
    let mut net = Some(Net { layers });
    let x = Tensor::<2>::from_data(TensorData::new(inputs(widths[0]), [BATCH, widths[0]]), &device);
    let classes = widths[widths.len() - 1];
    let labels: Vec<i64> = (0..BATCH).map(|s| (s % classes) as i64).collect();
    let y = Tensor::<1, Int>::from_data(TensorData::new(labels, [BATCH]), &device);
    let criterion = CrossEntropyLossConfig::new().init(&device);
    let step = || {
        let model = net.take().expect("put back by the step before");
        let mut a = x.clone();
        for (l, layer) in model.layers.iter().enumerate() {
            a = layer.forward(a);
            if l + 1 < model.layers.len() {
                a = match act {
                    Act::Tanh => tanh(a),
                    Act::Sigmoid => sigmoid(a),
                    Act::Relu => relu(a),
                };
            }
        }
        let gradients = criterion.forward(a, y.clone()).backward();
        let gradients = GradientsParams::from_grads(gradients, &model);
        net = Some(optimizer.step(rate, model, gradients));
        Ok::<(), std::convert::Infallible>(())
    };
    time(step).unwrap_or_else(|never| match never {})
}
