use lgl2o::objective::mlp::{Activation, Shape};
use lgl2o::tensors::Tensors as _;
use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView};

use super::tensors::{ImportError, Unsaid, bytes, import};
use super::*;
use crate::container;
use crate::data::table::Columns;

/// 3-4-2 with tanh, whose numbers differ.
fn sample(output: Output) -> SavedModel {
    let outputs = if output == Output::Value { 1 } else { 2 };
    let layers = vec![
        Shape { inputs: 3, outputs: 4, activation: Activation::Tanh },
        Shape { inputs: 4, outputs, activation: Activation::Identity },
    ];
    let count: usize = layers.iter().map(|l| (l.inputs + 1) * l.outputs).sum();
    let params: Vec<f32> = (0..count).map(|i| (i as f32 * 0.37).sin() / 3.0).collect();
    let standardizer = [&[1.0f32, -2.0, 1e-7][..], &[0.5, 3.0, 0.0]];
    SavedModel::new(layers, &params, standardizer, output, Columns::plain(3)).expect("a model")
}

fn classes() -> Output {
    Output::Classes(vec!["off".to_owned(), "it's \"on\"".to_owned()])
}

const UNSAID: Unsaid<'static> = Unsaid {
    hidden: Activation::Relu,
    classes: None,
    regression: false,
    order: &[],
    standardizer: None,
    network: None,
};

#[test]
fn a_model_comes_back_the_same() {
    for output in [classes(), Output::Value] {
        let model = sample(output);
        assert_eq!(SavedModel::from_bytes(&model.to_bytes()), Ok(model.clone()));
        assert_eq!(import(&bytes(&model), &UNSAID), Ok(model), "by safetensors, too");
    }
}

#[test]
fn a_bit_that_flips_and_a_cut_are_found() {
    let whole = sample(classes()).to_bytes();
    for at in 0..whole.len() {
        let mut hurt = whole.clone();
        hurt[at] ^= 0x10;
        assert!(SavedModel::from_bytes(&hurt).is_err(), "byte {at}");
        assert!(SavedModel::from_bytes(&whole[..at]).is_err(), "{at} bytes");
    }
    let later = container::write(container::Kind { version: 2, ..model::KIND }, &serde_json::json!({}), &[]);
    assert_eq!(SavedModel::from_bytes(&later), Err(FileError::Version { found: 2, known: 1 }));
    let other = SavedModel::from_bytes(b"<html></html>, a page that is longer than a header").unwrap_err().to_string();
    assert!(other.contains("web page"), "{other}");
    let training = container::write(crate::train::kept::KIND, &serde_json::json!({}), &[]);
    assert!(SavedModel::from_bytes(&training).unwrap_err().to_string().contains("model.lgl2o beside it"));
}

#[test]
fn a_good_checksum_does_not_make_a_model() {
    let good = sample(classes());
    let wrong = |change: fn(&mut serde_json::Value)| {
        let (mut header, body): (serde_json::Value, _) = {
            let bytes = good.to_bytes();
            let (header, body) = container::read(model::KIND, &bytes).expect("whole");
            (header, body.to_vec())
        };
        change(&mut header);
        SavedModel::from_bytes(&container::write(model::KIND, &header, &body)).expect_err("refused")
    };
    let changes: [fn(&mut serde_json::Value); 6] = [
        |header| header["layers"][0]["outputs"] = 5.into(),
        |header| header["layers"][0]["inputs"] = u64::MAX.into(),
        |header| header["layers"] = serde_json::json!([]),
        |header| header["output"] = serde_json::json!({ "classes": ["one"] }),
        |header| header["output"] = "value".into(),
        |header| header["columns"]["features"] = serde_json::json!([]),
    ];
    for change in changes {
        assert!(matches!(wrong(change), FileError::Content(_)));
    }
}

#[test]
fn arrays_hold_the_parameters() {
    let model = sample(classes());
    let files = arrays::files(&model);
    let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["weights_0.npy", "bias_0.npy", "weights_1.npy", "bias_1.npy", "mean.npy", "deviation.npy"]);
    let text = String::from_utf8_lossy(&files[0].1).into_owned();
    assert!(text.contains("'shape': (4, 3,)"), "{text}");
    assert!(files[0].1.ends_with(&container::bytes(model.params.tensor(0))));
}

/// A file of tensors: names, shapes, numbers.
fn file(tensors: &[(&str, &[usize], Vec<f32>)]) -> Vec<u8> {
    let all: Vec<_> = tensors.iter().map(|(name, shape, numbers)| (*name, *shape, container::bytes(numbers))).collect();
    let views =
        all.iter().map(|(name, shape, bytes)| (*name, TensorView::new(Dtype::F32, shape.to_vec(), bytes).unwrap()));
    safetensors::serialize(views, None).unwrap()
}

#[test]
fn linear_layers_of_pytorch_are_read_in_the_order_of_their_numbers() {
    let ramp = |n: usize| (0..n).map(|i| i as f32).collect::<Vec<f32>>();
    let bytes = file(&[
        ("net.10.weight", &[2, 3], ramp(6)),
        ("net.10.bias", &[2], vec![7.0, 8.0]),
        ("net.2.weight", &[3, 4], ramp(12)),
        ("net.2.bias", &[3], vec![0.5; 3]),
        ("net.0.weight", &[4, 1], ramp(4)),
    ]);
    let model = import(&bytes, &Unsaid { hidden: Activation::Sigmoid, ..UNSAID }).expect("a model");
    assert_eq!(model.shape(), "1-4-3-2 sigmoid");
    assert_eq!(model.params.tensor(1), [0.0; 4], "no bias is 0");
    assert_eq!((model.params.tensor(4), model.params.tensor(5)), (&ramp(6)[..], &[7.0, 8.0][..]));
    assert_eq!(model.classes(), ["0", "1"]);
}

#[test]
fn dense_layers_of_keras_are_transposed() {
    for names in [
        ["dense/kernel:0", "dense/bias:0", "dense_1/kernel:0", "dense_1/bias:0"],
        ["d/vars/0", "d/vars/1", "d_1/vars/0", "d_1/vars/1"],
    ] {
        let bytes = file(&[
            (names[0], &[2, 3], vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]),
            (names[1], &[3], vec![0.0; 3]),
            (names[2], &[3, 1], vec![1.0, 1.0, 1.0]),
            (names[3], &[1], vec![10.0]),
        ]);
        let scale = Some([vec![0.0, 1.0], vec![1.0, 2.0]]);
        let unsaid = Unsaid { regression: true, standardizer: scale, ..UNSAID };
        let mut core = import(&bytes, &unsaid).expect("a model").model().expect("a model");
        // By hand: x = (1, (5 - 1) / 2) = (1, 2); the hidden layer is (1 + 8, 2 + 10, 3 + 12) = (9, 12, 15).
        assert_eq!(core.values(&[1.0, 5.0]), Ok(&[46.0][..]));
    }
}

#[test]
fn other_numbers_are_converted_or_refused() {
    let view = |kind: Dtype, bytes: &[u8]| {
        let bias = [0u8; 8];
        let weights = TensorView::new(kind, vec![2, 1], bytes).unwrap();
        let bias = TensorView::new(Dtype::F32, vec![2], &bias).unwrap();
        let bytes = safetensors::serialize([("a.weight", weights), ("a.bias", bias)], None).unwrap();
        import(&bytes, &UNSAID).map(|model| model.params.tensor(0).to_vec())
    };
    let wide = [1.5f64, -2.0].map(f64::to_le_bytes).concat();
    assert_eq!(view(Dtype::F64, &wide), Ok(vec![1.5, -2.0]));
    assert_eq!(view(Dtype::BF16, &[0xc0, 0x3f, 0x00, 0xc0]), Ok(vec![1.5, -2.0]));
    assert!(matches!(view(Dtype::F16, &[0; 4]), Err(ImportError::Type { .. })));
}

#[test]
fn what_is_no_chain_of_dense_layers_is_refused() {
    let refused = |tensors: &[(&str, &[usize], Vec<f32>)], order: &[String]| {
        import(&file(tensors), &Unsaid { order, ..UNSAID }).expect_err("refused").to_string()
    };
    let (a, b) = (("a.weight", &[2usize, 3][..], vec![1.0; 6]), ("b.weight", &[3usize, 4][..], vec![1.0; 12]));
    let error = refused(&[a.clone(), b.clone()], &[]);
    assert!(error.contains("`b` takes 4 inputs") && error.contains("--order"), "{error}");
    let order = ["b", "a"].map(str::to_owned);
    assert!(import(&file(&[a.clone(), b]), &Unsaid { order: &order, ..UNSAID }).is_ok());
    let error = refused(std::slice::from_ref(&a), &["c".to_owned()]);
    assert!(error.contains("no layer `c`") && error.contains("name one of a"), "{error}");
    assert!(refused(&[a.clone(), ("a.bias", &[3], vec![0.0; 3])], &[]).contains("bias of `a` has 3"));
    assert!(refused(&[("conv.weight", &[2, 1, 3], vec![0.0; 6])], &[]).contains("`conv.weight`"));
    assert!(refused(&[("table", &[2, 3], vec![0.0; 6])], &[]).contains("`table`"));
    assert!(refused(&[], &[]).contains("no dense layer"));
    assert!(refused(&[("a.weight", &[2, 1], vec![1.0, f32::NAN])], &[]).contains("number 1 of `a.weight` is NaN"));
    assert!(refused(&[("a.weight", &[2, 1], vec![3e31; 2])], &[]).contains("big-endian"));
    assert!(refused(&[("a.weight", &[1, 2], vec![1.0; 2])], &[]).contains("--regression"));
    assert!(matches!(import(b"no such file", &UNSAID), Err(ImportError::Format(_))));
}

/// A recurrent layer is told from others by its tensors: where they stand in the wrong place, or by half, it is said what to do.
#[test]
fn a_recurrent_layer_is_no_other_one() {
    let network = crate::network::expression::read("4x1 gru(2), dense(2)").unwrap();
    let with = Unsaid { network: Some(&network), ..UNSAID };
    let gru = [("gru.weight_ih_l0", &[6usize, 1][..], vec![0.5f32; 6]), ("gru.weight_hh_l0", &[6, 2], vec![0.5; 12])];
    let [of_inputs, of_state] = gru.each_ref().map(std::slice::from_ref);
    let dense = [("fc.weight", &[2usize, 2][..], vec![0.5f32; 4])];
    let order = ["gru", "fc"].map(str::to_owned);
    let said = [Unsaid { order: &order, ..with.clone() }, with, UNSAID];
    assert!(import(&file(&[&gru[..], &dense].concat()), &said[0]).is_ok());
    for (tensors, unsaid, words) in [
        ([&gru[..], &dense].concat(), &said[1], ["`fc`", "--order"]),
        ([of_state, &dense].concat(), &said[0], ["`gru`", "weight_ih_l0"]),
        ([of_inputs, &dense].concat(), &said[2], ["`gru` is recurrent", "--network"]),
        ([&dense[..], &[("fc.bias_hh_l0", &[6], vec![0.0; 6])], &gru].concat(), &said[0], ["`fc`", "dense(2)"]),
    ] {
        let error = import(&file(&tensors), unsaid).expect_err(words[0]).to_string();
        assert!(words.iter().all(|word| error.contains(word)), "{error}");
    }
}

/// A file of small tensors, with an entry of metadata.
fn with_own(tensors: &[(&str, &[usize], Vec<f32>)], own: &str) -> Vec<u8> {
    let all: Vec<_> = tensors.iter().map(|(name, shape, numbers)| (*name, *shape, container::bytes(numbers))).collect();
    let views =
        all.iter().map(|(name, shape, bytes)| (*name, TensorView::new(Dtype::F32, shape.to_vec(), bytes).unwrap()));
    let metadata = std::collections::HashMap::from([("lgl2o".to_owned(), own.to_owned())]);
    safetensors::serialize(views, Some(metadata)).unwrap()
}

/// What a file says twice, by half or unreadably is told, and not guessed.
#[test]
fn nothing_in_a_file_is_passed_over() {
    let weights = ("a.weight", &[2usize, 3][..], vec![0.5f32; 6]);
    let refused = |more: &[(&str, &[usize], Vec<f32>)]| {
        let all: Vec<_> = std::iter::once(weights.clone()).chain(more.iter().cloned()).collect();
        import(&file(&all), &UNSAID).expect_err("refused").to_string()
    };
    let mean = ("standardizer.mean", &[3usize][..], vec![1.0; 3]);
    let deviation = ("standardizer.deviation", &[3usize][..], vec![1.0; 3]);
    assert!(import(&file(&[weights.clone(), mean.clone(), deviation.clone()]), &UNSAID).is_ok());
    for half in [&mean, &deviation] {
        assert!(refused(std::slice::from_ref(half)).contains("write both"));
    }
    let wide = ("standardizer.mean", &[4usize][..], vec![1.0; 4]);
    assert!(refused(&[wide, deviation]).contains("for 4 inputs, and the network has 3"));
    assert!(refused(&[("a.kernel", &[3, 2], vec![0.5; 6])]).contains("second tensor of its kind in layer `a`"));
    let biases = [("a.bias", &[2usize][..], vec![0.0; 2]), ("a.vars/1", &[2], vec![1.0; 2])];
    assert!(refused(&biases).contains("second tensor"));
    assert!(refused(&[("b.bias", &[2], vec![0.0; 2])]).contains("layer `b` has a bias, but no weights"));
    assert!(refused(&[("b.weight", &[3, 0], Vec::new())]).contains("`b.weight` of shape [3, 0]"));
    for own in ["no JSON", r#"{"activations":["Swish"]}"#] {
        let error = import(&with_own(std::slice::from_ref(&weights), own), &UNSAID).expect_err(own).to_string();
        assert!(error.contains("metadata `lgl2o`") && error.contains("damaged"), "{error}");
    }
    let model = sample(classes());
    let layers = SafeTensors::deserialize(&bytes(&model)).map(|file| file.len()).expect("its own file");
    assert_eq!(layers, 6);
}

/// Small weights whose bytes are in the other order are not huge, but none of them is a plain weight.
#[test]
fn bytes_in_the_other_order_are_told() {
    let plain: Vec<f32> = (0..6).map(|i| i as f32 * 0.1 - 0.3).collect();
    let swapped: Vec<f32> = plain.iter().map(|x| f32::from_bits(x.to_bits().swap_bytes())).collect();
    assert!(swapped.iter().all(|x| x.abs() < 1e18), "{swapped:?}");
    let read = |numbers: &[f32]| import(&file(&[("a.weight", &[2, 3], numbers.to_vec())]), &UNSAID);
    assert!(read(&plain).is_ok());
    assert!(read(&swapped).expect_err("refused").to_string().contains("big-endian"));
    // Weights that have nearly vanished are weights, and zeros are in no order.
    assert!(read(&[1e-20, -3e-21, 2e-20, 1e-19, 4e-20, -1e-20]).is_ok() && read(&[0.0; 6]).is_ok());
}

/// A model with layers over an image or a series, whose numbers differ.
fn convolutions(text: &str) -> SavedModel {
    let layers = crate::network::expression::read(text).expect("a network");
    let count: usize = layers.iter().map(|layer| layer.parameters()).sum();
    let params: Vec<f32> = (0..count).map(|i| (i as f32 * 0.37).sin() / 3.0).collect();
    let inputs = layers[0].shape.inputs;
    let (mean, deviation) = (vec![0.5; inputs], vec![2.0; inputs]);
    SavedModel::of(&layers, &params, [&mean, &deviation], classes(), Columns::plain(inputs)).expect("a model")
}

const CONVOLUTIONS: [&str; 3] = [
    "4x5x2 conv2d(3, [3, 2], 1, [1, 0], Relu), depthwise2d(3, 1, 1, Tanh), max_pool2d(2), dense(2)",
    "9x2 conv1d(3, 4, 1, 0, Relu), depthwise(3, 1, 1), average_pool(2), dense(2)",
    "9x2 conv1d(3, 4, 1, 0, Relu), gru(4), dense(2)",
];

/// A network with convolutions is in a file of its own and in one of tensors, whose weights are in PyTorch's order.
#[test]
fn convolutions_come_back_the_same() {
    for text in CONVOLUTIONS {
        let model = convolutions(text);
        assert_eq!(model.shape(), text);
        assert_eq!(SavedModel::from_bytes(&model.to_bytes()), Ok(model.clone()));
        assert_eq!(import(&bytes(&model), &UNSAID), Ok(model.clone()));
        assert_eq!(rust::module(&model).contains("(GateParams<3, 4>, GateParams<4, 4>)"), text.contains("gru"));
        let other = crate::network::expression::read("40 dense(2)").expect("a network");
        let asked = import(&bytes(&model), &Unsaid { network: Some(&other), ..UNSAID });
        assert!(asked.expect_err("another network").to_string().contains("leave --network out"));
    }
    let own = r#"{"activations":[],"output":"value","columns":{"features":[],"target":null},"network":"1024x1024x1 max_pool2d(1024), dense(1)"}"#;
    let weights = [("layers.1.weight", &[1usize, 1][..], vec![0.5f32])];
    let error = import(&with_own(&weights, own), &UNSAID).expect_err("no columns").to_string();
    assert!(error.contains("metadata `lgl2o`"), "{error}");
    let model = convolutions(CONVOLUTIONS[0]);
    let all = bytes(&model);
    let file = SafeTensors::deserialize(&all).expect("its own file");
    let weights = file.tensor("layers.0.weight").expect("weights");
    assert_eq!(weights.shape(), [3, 2, 3, 2]);
    // Output 2, channel 1, row 2, column 1: number ((2 * 2 + 1) * 3 + 2) * 2 + 1 there, and ((2 * 2 + 1) * 2 + 1) * 3 + 2 here.
    assert_eq!(container::numbers(weights.data())[35], model.tensors(0)[0][35]);
    // Output 1, channel 0, row 2, column 0: number ((1 * 2 + 0) * 3 + 2) * 2 there, and ((2 * 2 + 0) * 2 + 0) * 3 + 1 here.
    assert_eq!(container::numbers(weights.data())[16], model.tensors(0)[0][25]);
    assert_eq!(file.tensor("layers.1.weight").expect("weights").shape(), [3, 1, 3, 3]);
    let names: Vec<String> = arrays::files(&model).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names[4..], ["weights_3.npy", "bias_3.npy", "mean.npy", "deviation.npy"]);
    let text = String::from_utf8_lossy(&arrays::files(&model)[0].1).into_owned();
    assert!(text.contains("'shape': (3, 2, 2, 3,)"), "{text}");
    let module = rust::module(&model);
    for part in [
        "Conv2d<Image<4, 5, 2>, Image<4, 4, 3>, Filter<3, 2, 1, 1, 1, 0>, Relu>",
        "MaxPool2d<Image<4, 4, 3>, Image<2, 2, 3>, 2, 2>",
        "(Conv2dParams<3, 2, 2, 3>, (Depthwise2dParams<3, 3, 3>, (Nothing, DenseParams<12, 2>)))",
    ] {
        assert!(module.contains(part), "{part} is not in {module}");
    }
}

/// Weights of convolutions need the layers, which fit them or are told apart.
#[test]
fn convolutions_of_others_need_their_layers() {
    let ramp = |n: usize| (0..n).map(|i| i as f32 / 10.0).collect::<Vec<f32>>();
    let tensors = [("0.weight", &[2usize, 1, 2, 2][..], ramp(8)), ("3.weight", &[2, 2], ramp(4))];
    let read = |text: &str| {
        let network = crate::network::expression::read(text).expect("a network");
        import(&file(&tensors), &Unsaid { network: Some(&network), ..UNSAID }).map_err(|error| error.to_string())
    };
    let model = read("2x2x1 conv2d(2, 2, 1, 0, Relu), dense(2)").expect("a model");
    assert_eq!(model.tensors(0)[0], [0.0, 0.4, 0.1, 0.5, 0.2, 0.6, 0.3, 0.7]);
    assert_eq!(model.tensors(0)[1], [0.0; 2]);
    let refused = |text: &str| read(text).expect_err(text);
    assert!(
        refused("2x2x1 conv2d(2, 2, 1, 0)").contains("2 layers with weights, and the network that was asked for has 1")
    );
    let error = refused("2x3x1 conv2d(2, [2, 3], 1, 0), dense(2)");
    assert!(error.contains("`0.weight` has the shape [2, 1, 2, 2]") && error.contains("[2, 1, 2, 3]"), "{error}");
    let error = import(&file(&tensors), &UNSAID).expect_err("no layers").to_string();
    assert!(error.contains("`0.weight`") && error.contains("--network"), "{error}");
}

/// Weights of PyTorch's GRU need the layers; what is another recurrent layer, or more than one, is told.
#[test]
fn recurrent_layers_of_others_need_their_layers() {
    let ramp = |n: usize| (0..n).map(|i| i as f32 / 10.0).collect::<Vec<f32>>();
    let gru = [
        ("rnn.weight_ih_l0", &[6usize, 3][..], ramp(18)),
        ("rnn.weight_hh_l0", &[6, 2], ramp(12)),
        ("rnn.bias_ih_l0", &[6], ramp(6)),
        ("rnn.bias_hh_l0", &[6], vec![0.5; 6]),
        ("top.weight", &[2, 2], ramp(4)),
    ];
    let network = crate::network::expression::read("5x3 gru(2), dense(2)").expect("a network");
    let read = |tensors: &[_]| import(&file(tensors), &Unsaid { network: Some(&network), ..UNSAID });
    let model = read(&gru).expect("a model");
    assert_eq!((model.pair(0, 0), model.pair(0, 1)), ([&ramp(18)[..], &ramp(6)], [&ramp(12)[..], &[0.5; 6]]));
    let names: Vec<String> = arrays::files(&model).into_iter().map(|(name, _)| name).take(4).collect();
    assert_eq!(names, ["weights_0.npy", "bias_0.npy", "state_weights_0.npy", "state_bias_0.npy"]);
    // Without biases they are 0.
    let bare = read(&[gru[0].clone(), gru[1].clone(), gru[4].clone()]).expect("a model");
    assert_eq!((bare.pair(0, 0)[1], bare.pair(0, 1)[1]), (&[0.0; 6][..], &[0.0; 6][..]));
    let refused = |tensors: &[_]| read(tensors).expect_err("refused").to_string();
    let with = |more| refused(&[&gru[..], &[more]].concat());
    assert!(with(("rnn.weight_ih_l1", &[6, 2], ramp(12))).contains("several layers"));
    assert!(with(("rnn.weight_hh_l0_reverse", &[6, 2], ramp(12))).contains("bidirectional=False"));
    let lstm = refused(&[("rnn.weight_ih_l0", &[8, 3], ramp(24)), ("rnn.weight_hh_l0", &[8, 2], ramp(16))]);
    assert!(lstm.contains("8 rows for 2 units") && lstm.contains("LSTM"), "{lstm}");
    assert!(refused(&[gru[0].clone(), gru[4].clone()]).contains("`rnn` has no `weight_hh_l0`"));
    let error = import(&file(&gru), &UNSAID).expect_err("no layers").to_string();
    assert!(error.contains("`rnn` is recurrent") && error.contains("--network"), "{error}");
}
