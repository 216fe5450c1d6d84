#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| lgl2o_tests::fuzz::read("onnx", bytes));
