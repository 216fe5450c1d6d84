//! Losses by what they promise: special cases of each other, by hand, and settings that are refused. Their gradients
//! are in `gradients.rs`.

use lgl2o::Error;
use lgl2o::batch::Batch;
use lgl2o::objective::mlp::{Activation, Dense, Fixed, Loss, Mlp, Portable, balanced_weights};
use lgl2o::objective::{Blank, Objective};
use lgl2o_tests::bits;

const OUTPUTS: [f32; 9] = [0.3, 0.9, 0.0, 0.1, 0.7, 0.2, 0.8, 0.4, 0.6];

/// Loss and errors of one example, both ways to the loss compared.
fn evaluate(loss: Loss, outputs: &[f32], batch: &Batch<'_>, top: Activation) -> (f32, Vec<f32>) {
    let (mut alone, mut beside, mut errors) = ([0.0], [0.0], outputs.to_vec());
    loss.losses(&Portable, &mut outputs.to_vec(), outputs.len(), &batch.targets, 1, &mut alone);
    loss.errors(&Portable, &mut errors, outputs.len(), &batch.targets, 1, top, &mut beside);
    assert_eq!(bits::patterns(&alone), bits::patterns(&beside), "{loss:?}");
    (alone[0], errors)
}

/// Without smoothing and weights soft cross-entropy is cross-entropy; a weight is a factor.
#[test]
fn soft_cross_entropy_has_the_plain_one_as_a_case() {
    static TWICE: [f32; 9] = [2.0; 9];
    let batch = Batch::classes(&[], 0, &[2]);
    let near = |a: f32, b: f32| (a - b).abs() <= 1e-6;
    for top in Activation::ALL {
        let (plain, errors) = evaluate(Loss::CrossEntropy, &OUTPUTS, &batch, top);
        for (weights, factor) in [(&[][..], 1.0), (&TWICE[..], 2.0)] {
            let (soft, soft_errors) =
                evaluate(Loss::SoftCrossEntropy { smoothing: 0.0, weights }, &OUTPUTS, &batch, top);
            assert!(near(soft, factor * plain), "{soft} {plain}");
            assert!(soft_errors.iter().zip(&errors).all(|(s, e)| near(*s, factor * e)), "{soft_errors:?} {errors:?}");
        }
    }
    // Equal outputs: ln 4 whatever the label is; errors 1/4 - q.
    let smooth = Loss::SoftCrossEntropy { smoothing: 0.4, weights: &[] };
    let (loss, errors) = evaluate(smooth, &[1000.0; 4], &batch, Activation::Identity);
    assert!((loss - 4.0f32.ln()).abs() < 1e-5);
    assert!(errors.iter().zip([0.15, 0.15, -0.45, 0.15]).all(|(e, x)| near(*e, x)), "{errors:?}");
    let (loss, _) = evaluate(smooth, &[1.0, f32::NAN], &Batch::classes(&[], 0, &[0]), Activation::Identity);
    assert!(loss.is_nan());
}

/// Huber's loss is half the squared error near the target, and grows in proportion far from it, however far.
#[test]
fn huber_by_hand() {
    let batch = Batch::values(&[], 0, &[1.0, 0.0, 0.0, 5.0], 4);
    let (loss, errors) = evaluate(Loss::Huber { delta: 2.0 }, &[2.0, 0.0, -10.0, 7.0], &batch, Activation::Identity);
    assert_eq!((loss, errors), ((0.5 + 0.0 + 18.0 + 2.0) / 4.0, vec![0.25, 0.0, -0.5, 0.5]));
    let batch = Batch::values(&[], 0, &OUTPUTS, 9);
    let outputs = OUTPUTS.map(|x| 1.5 - 2.0 * x);
    for top in Activation::ALL {
        let (squared, squared_errors) = evaluate(Loss::SquaredError, &outputs, &batch, top);
        let (huber, errors) = evaluate(Loss::Huber { delta: 1e3 }, &outputs, &batch, top);
        assert!((2.0 * huber - squared).abs() < 1e-6);
        assert!(errors.iter().zip(squared_errors).all(|(e, s)| (2.0 * e - s).abs() < 1e-6));
    }
    let (loss, errors) = evaluate(Loss::Huber { delta: 1.0 }, &[f32::NAN; 9], &batch, Activation::Identity);
    assert!(loss.is_nan() && errors.iter().all(|e| e.is_nan()), "a NaN does not hide");
}

#[test]
fn settings_out_of_range_are_refused() {
    let refusal = |loss, classes: bool| {
        let net = Mlp::new(Fixed::<Dense<1, 2>, 4>::new(), loss);
        let (mut scratch, mut losses) = (net.blank_scratch(), net.blank_losses());
        let batch = if classes { Batch::classes(&[1.0], 1, &[1]) } else { Batch::values(&[1.0], 1, &[1.0, 2.0], 2) };
        net.losses(&mut scratch, &net.blank_params(), batch, &mut losses).err()
    };
    let soft = |smoothing, weights| refusal(Loss::SoftCrossEntropy { smoothing, weights }, true);
    assert_eq!(soft(0.0, &[]), None);
    assert_eq!(soft(0.9, &[0.0, 3.0]), None);
    for smoothing in [-0.1, 1.0, f32::NAN] {
        assert!(matches!(soft(smoothing, &[]), Some(Error::InvalidSetting { .. })));
    }
    assert!(matches!(soft(0.1, &[1.0]), Some(Error::ShapeMismatch { expected: 2, found: 1, .. })));
    for weights in [&[1.0, -1.0], &[f32::NAN, 1.0], &[1.0, f32::INFINITY]] {
        assert!(matches!(soft(0.1, weights), Some(Error::InvalidSetting { .. })));
    }
    assert_eq!(refusal(Loss::Huber { delta: 1.0 }, false), None);
    for delta in [0.0, -1.0, f32::NAN, f32::INFINITY] {
        assert!(matches!(refusal(Loss::Huber { delta }, false), Some(Error::InvalidSetting { .. })));
    }
    assert_eq!(refusal(Loss::Huber { delta: 1.0 }, true), Some(Error::WrongTargets));
    assert_eq!(refusal(Loss::SoftCrossEntropy { smoothing: 0.1, weights: &[] }, false), Some(Error::WrongTargets));
}

/// With balanced weights each class has the same share of a batch's loss, and the weights' mean over the examples is 1.
#[test]
fn balanced_weights_balance() {
    let labels = [0, 0, 0, 0, 0, 0, 1, 2, 2, 2];
    let mut weights = [0.0; 3];
    balanced_weights(&labels, &mut weights);
    let share = |c: u8| labels.iter().filter(|&&l| l == c).map(|&l| weights[usize::from(l)]).sum::<f32>();
    assert!([0, 1, 2].iter().all(|&c| (share(c) - 10.0 / 3.0).abs() < 1e-5), "{weights:?}");
    balanced_weights(&[], &mut weights);
    assert_eq!(weights, [0.0; 3]);
}
