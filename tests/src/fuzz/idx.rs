//! IDX files of images and labels, gzipped or not.

use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use lgl2o_host::data::idx::{Images, Values, join, parse_images, parse_labels};
use std::io::Write as _;

use super::Target;

pub(super) const TARGET: Target = Target { name: "idx", read, examples, memory };

/// A deflated byte can stand for 1,032 (a match of 258 bytes in 2 bits); a vector that grows has room for twice as much.
fn memory(bytes: &[u8]) -> usize {
    const RATIO: usize = 1032;
    let ratio = if bytes.starts_with(&[0x1f, 0x8b]) { RATIO } else { 1 };
    // The decoder's own buffers, the values, and as many inputs of four bytes.
    (1 << 17) + 7 * ratio * bytes.len()
}

fn read(bytes: &[u8]) -> bool {
    let file = Path::new("a file");
    let (images, labels) = (parse_images(bytes, file), parse_labels(bytes, file));
    if let Ok(images) = &images {
        consistent(images);
        assert!(labels.is_err() || images.dims().len() == 2, "images are no labels; a table may hold them");
    }
    let accepted = images.is_ok() || labels.is_ok();
    if let Ok(labels) = labels {
        // As many images of one pixel, with the labels as grey values.
        let count = (labels.count() as u32).to_be_bytes();
        let table = [&[0, 0, 8, 2][..], &count, &[0, 0, 0, 1], labels.values()].concat();
        let images = parse_images(&table, file).expect("a table");
        let highest = usize::from(labels.values().iter().copied().max().unwrap_or(0));
        assert!(join(&images, &labels, highest + 1).is_ok());
        assert!(join(&images, &labels, highest).is_err(), "a label too high");
    }
    accepted
}

fn consistent(array: &Images) {
    assert_eq!(array.dims().iter().product::<usize>(), array.values().len());
    assert!(array.count() > 0 && (2..=3).contains(&array.dims().len()));
    let Values::Numbers(numbers) = array.values() else { return };
    assert!(numbers.iter().all(|x| x.is_finite()));
}

fn examples() -> Vec<Vec<u8>> {
    let images = [&[0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 3][..], &[7; 12]].concat();
    let table = [&[0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3][..], &[9; 6]].concat();
    let labels = [0, 0, 8, 1, 0, 0, 0, 4, 2, 0, 1, 2].to_vec();
    let floats = [0, 0, 0x0d, 2, 0, 0, 0, 1, 0, 0, 0, 1, 0x3f, 0x80, 0, 0].to_vec();
    let qmnist = [&[0, 0, 0x0c, 2, 0, 0, 0, 1, 0, 0, 0, 8][..], &[0, 0, 0, 3], &[0; 28]].concat();
    let mut all = vec![images, table, labels, floats, qmnist];
    for i in 0..5 {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
        gzip.write_all(&all[i]).expect("memory");
        all.push(gzip.finish().expect("memory"));
    }
    all
}
