//! The program `imported`: networks out of PyTorch's ONNX files, fine-tuned on boards.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::{boards, check_equal, device, left_out};

/// The numbers of an array of `tests/fixtures/onnx`, floats of 32 bits behind a header of 128 bytes.
fn numbers(name: &str) -> Vec<f32> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/onnx").join(name);
    let bytes = fs::read(path).expect("an array");
    bytes[128..].as_chunks().0.iter().map(|four| f32::from_le_bytes(*four)).collect()
}

/// What a side says that a network returns for its rows, before or after training.
fn outputs(side: &Value, network: u64, tuned: bool) -> Vec<f32> {
    let all = side["outputs"].as_array().expect("outputs").iter();
    let of_network = all.filter(|said| said["network"] == network && said["tuned"] == tuned);
    let numbers = of_network.flat_map(|said| said["outputs"].as_array().expect("numbers"));
    numbers.map(|x| x.as_f64().expect("a finite number") as f32).collect()
}

/// Outputs are PyTorch's to 1e-5 before training; after it they are this machine's, bit for bit, and of the classes to learn.
#[test]
#[ignore = "needs QEMU and a compiler for the boards"]
fn networks_of_pytorch_are_fine_tuned_with_this_machines_bits() {
    for board in boards("imported") {
        let run = device(None, board, &["--program", "imported"]);
        check_equal(board, &run);
        let (ran, record) = run;
        let (device, host) = (&record["device"], &record["host"]);
        for (network, file) in [(0, "conv.4.npy"), (1, "mlp-relu.2.npy")] {
            let (found, expected) = (outputs(device, network, false), numbers(file));
            assert_eq!(found.len(), expected.len(), "{}: {file}", board.name);
            for (found, expected) in found.iter().zip(&expected) {
                assert!((found - expected).abs() <= 1e-5, "{}, {file}: {found}, not {expected}", board.name);
            }
            assert_ne!(outputs(device, network, true), found, "{}: nothing was learned", board.name);
        }
        assert_eq!((device["outputs"].as_array().map(Vec::len), &device["outputs"]), (Some(12), &host["outputs"]));
        assert_eq!(host["accuracy"], 1.0, "{}", board.name);
        let words = ["of the outputs for 12 rows", "largest difference from PyTorch's outputs"];
        words.iter().for_each(|words| assert!(ran.out.contains(words), "no `{words}` in {}", ran.out));
    }
    if left_out("a flipped bit of an imported network") {
        return;
    }
    let (flipped, _) = device(None, boards("imported")[0], &["--program", "imported", "--features", "flip-bit"]);
    flipped.expect(1, &["device and host differ"]);
}
