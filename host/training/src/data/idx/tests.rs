//! Round trips, and every way in which a file can be wrong.

use super::element::ELEMENTS;
use super::*;
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write as _;
use tempfile::TempDir;

/// A header of the given magic number and dimensions.
fn header(magic: u32, dims: &[u32]) -> Vec<u8> {
    let words = [&[magic], dims].concat();
    words.iter().flat_map(|w| w.to_be_bytes()).collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn save(dir: &TempDir, bytes: &[u8]) -> PathBuf {
    let file = dir.path().join("sample");
    std::fs::write(&file, bytes).unwrap();
    file
}

/// The refusal of a file of these bytes when images are wanted; its message names the file.
fn refusal(bytes: &[u8]) -> DataError {
    let dir = TempDir::new().unwrap();
    let file = save(&dir, bytes);
    let error = read_images(&file).unwrap_err();
    assert!(error.to_string().contains(&file.display().to_string()));
    error
}

/// Two images of 2 x 3: the bytes 0 to 11.
fn two_images() -> Vec<u8> {
    let mut bytes = header(0x803, &[2, 2, 3]);
    bytes.extend(0..12);
    bytes
}

#[test]
fn what_is_written_is_read_back() {
    let dir = TempDir::new().unwrap();
    let pixels: Vec<u8> = (0..60).collect();
    // The names say the opposite of the content: only the content counts.
    for (encoding, suffix) in [(Encoding::Plain, ".gz"), (Encoding::Gzip, "")] {
        let images = dir.path().join(format!("images{suffix}"));
        let labels = dir.path().join(format!("labels{suffix}"));
        write_images(&images, (4, 3), &pixels, encoding).unwrap();
        write_labels(&labels, &[0, 1, 2, 3, 4], encoding).unwrap();
        let images = read_images(&images).unwrap();
        let labels = read_labels(&labels).unwrap();
        assert_eq!((images.count(), images.shape()), (5, &[4, 3][..]));
        assert_eq!(images.values(), &Values::Bytes(pixels.clone()));
        assert_eq!((images.dims(), labels.count()), (&[5, 4, 3][..], 5));
        let data = join(&images, &labels, 5).unwrap();
        assert_eq!((data.len(), data.width(), data.image()), (5, 12, Some((4, 3))));
        assert_eq!(data.row(1).0[3], 15.0 / 255.0);
        assert_eq!(data.labels(), [0, 1, 2, 3, 4]);
    }
}

#[test]
fn a_table_has_rows_but_no_image() {
    let dir = TempDir::new().unwrap();
    let mut bytes = header(0x802, &[2, 3]);
    bytes.extend([0, 51, 102, 153, 204, 255]);
    let table = read_images(&save(&dir, &bytes)).unwrap();
    let labels = dir.path().join("labels");
    write_labels(&labels, &[0, 1], Encoding::Plain).unwrap();
    let data = join(&table, &read_labels(&labels).unwrap(), 2).unwrap();
    assert_eq!((data.width(), data.image()), (3, None));
    assert_eq!(data.inputs(), [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]);
}

#[test]
fn a_missing_file_and_a_folder_are_named() {
    let dir = TempDir::new().unwrap();
    for file in [dir.path().join("absent"), dir.path().to_path_buf()] {
        let error = read_images(&file).unwrap_err();
        assert!(matches!(error, DataError::Io { action: "read", .. }), "{error}");
        assert!(error.to_string().contains(&file.display().to_string()));
    }
}

#[test]
fn a_cut_at_any_byte_is_told_with_both_sizes() {
    let whole = two_images();
    for found in 0..whole.len() {
        let error = refusal(&whole[..found]).to_string();
        let expected = match found {
            0..4 => 4,
            4..16 => 16,
            _ => 28,
        };
        let sizes = format!("expected {expected} bytes (decompressed), found {found}");
        assert!(error.contains(&sizes), "{error}");
    }
}

#[test]
fn a_gzip_stream_cut_at_any_byte_is_refused() {
    let whole = gzip(&two_images());
    for end in 0..whole.len() {
        let error = refusal(&whole[..end]);
        let told = matches!(error, DataError::Truncated { .. } | DataError::Gzip { .. });
        assert!(told, "cut at {end}: {error}");
    }
    // Ten bytes of gzip header, and nothing of the content.
    let error = refusal(&whole[..10]).to_string();
    assert!(error.contains("expected 4 bytes (decompressed), found 0"), "{error}");
}

#[test]
fn a_damaged_gzip_stream_is_refused() {
    let whole = gzip(&two_images());
    let checksum = whole.len() - 8;
    for at in [2, 10, checksum, checksum + 4] {
        let mut bytes = whole.clone();
        bytes[at] ^= 0xff;
        let error = refusal(&bytes);
        assert!(matches!(error, DataError::Gzip { .. }), "byte {at}: {error}");
    }
    let mut bytes = whole;
    bytes.extend(b"more");
    assert!(matches!(refusal(&bytes), DataError::Gzip { .. }));
}

#[test]
fn bytes_after_the_end_are_refused() {
    let mut bytes = two_images();
    bytes.push(0);
    for bytes in [gzip(&bytes), bytes] {
        let error = refusal(&bytes);
        assert!(matches!(error, DataError::TrailingBytes { expected: 28, .. }), "{error}");
    }
}

#[test]
fn another_magic_number_is_told_with_the_expected_one() {
    for magic in [0x801, 0x800, 0x0706, 0x0100_0803] {
        let error = refusal(&header(magic, &[1, 1, 1])).to_string();
        assert!(error.contains(&format!("starts with 0x{magic:08x}")), "{error}");
        assert!(error.contains("expected 0x00000803 (images)"), "{error}");
    }
    assert!(matches!(refusal(&header(0x804, &[1, 1, 1, 3])), DataError::Dimensions { rank: 4, .. }));
    let picture = refusal(&header(0x4749_4638, &[1, 1, 1]));
    assert!(matches!(picture, DataError::OtherFormat { what: "a GIF picture", .. }), "{picture}");
    let page = refusal(&gzip(b"<!doctype html>"));
    assert!(page.to_string().contains("a web page"), "{page}");
    let dir = TempDir::new().unwrap();
    let error = read_labels(&save(&dir, &two_images())).unwrap_err();
    assert!(error.to_string().contains("expected 0x00000801 (labels)"));
}

/// A file of the element type, with these numbers.
fn of_type(code: u8, dims: &[u32], numbers: &[f64]) -> Vec<u8> {
    let mut bytes = header(u32::from(code) << 8 | dims.len() as u32, dims);
    for &x in numbers {
        match code {
            0x08 => bytes.push(x as u8),
            0x09 => bytes.extend((x as i8).to_be_bytes()),
            0x0b => bytes.extend((x as i16).to_be_bytes()),
            0x0c => bytes.extend((x as i32).to_be_bytes()),
            0x0d => bytes.extend((x as f32).to_be_bytes()),
            0x0e => bytes.extend(x.to_be_bytes()),
            other => panic!("no element type {other:#x}"),
        }
    }
    bytes
}

/// The refusal of labels.
fn no_labels(bytes: &[u8]) -> String {
    parse_labels(bytes, Path::new("the-labels")).unwrap_err().to_string()
}

#[test]
fn every_element_type_is_read() {
    for (code, numbers) in [
        (0x09, [-128.0, -1.0, 0.0, 127.0]),
        (0x0b, [-32768.0, 258.0, 1.0, 32767.0]),
        (0x0c, [-16777216.0, 65536.0, 2.0, 1.0]),
        (0x0d, [-0.25, 1e30, 0.5, 3.0]),
        (0x0e, [-0.125, 0.1, 1e-30, 7.0]),
    ] {
        let bytes = of_type(code, &[2, 2], &numbers);
        let images = parse_images(&bytes, Path::new("a file")).unwrap();
        assert_eq!(images.values(), &Values::Numbers(numbers.map(|x| x as f32).to_vec()), "{code:x}");
        let labels = parse_labels(&of_type(code, &[2], &[3.0, 0.0]), Path::new("the-labels")).unwrap();
        assert_eq!(join(&images, &labels, 4).unwrap().inputs()[1], numbers[1] as f32);
        for end in [bytes.len() - 1, 13] {
            let cut = parse_images(&bytes[..end], Path::new("a file")).unwrap_err();
            assert!(matches!(cut, DataError::Truncated { .. }), "{cut}");
        }
    }
    assert!(ELEMENTS.iter().all(|element| (0x08..=0x0e).contains(&element.code)));
    assert!(matches!(refusal(&header(0xa03, &[1, 1, 1])), DataError::WrongMagic { .. }));
}

#[test]
fn what_is_not_finite_is_refused_with_its_row() {
    for (code, x) in [(0x0d, f64::NAN), (0x0d, f64::NEG_INFINITY), (0x0e, 1e300)] {
        let error = refusal(&of_type(code, &[2, 2], &[0.0, 0.0, 1.0, x]));
        assert!(matches!(error, DataError::InfiniteElement { row: 1, .. }), "{error}");
    }
}

#[test]
fn labels_of_qmnist_are_the_first_of_eight_columns() {
    let rows = [[4.0, 0.0, 107.0, 1.0, 2.0, 3.0, 0.0, 0.0], [1.0, 1.0, 70000.0, 5.0, 4.0, 9.0, -1.0, 0.0]];
    let labels = parse_labels(&of_type(0x0c, &[2, 8], &rows.concat()), Path::new("the-labels")).unwrap();
    assert_eq!((labels.values(), labels.count()), (&[4, 1][..], 2));
    assert_eq!(parse_labels(&of_type(0x0c, &[2, 1], &[4.0, 1.0]), Path::new("l")).unwrap().values(), [4, 1]);
    let error = no_labels(&of_type(0x08, &[2, 3], &[0.0; 6]));
    assert!(error.contains("[2, 3]") && error.contains("8 columns") && error.contains("Keep one column"), "{error}");
}

#[test]
fn what_is_no_class_is_refused_with_its_row() {
    for (code, x) in [(0x09, -1.0), (0x0b, 256.0), (0x0d, 1.5), (0x0d, f64::NAN), (0x0e, 1e300)] {
        let error = no_labels(&of_type(code, &[2], &[0.0, x]));
        assert!(error.contains("the label of row 1") && error.contains("from 0 to 255"), "{error}");
    }
    // Class 5 in the other order of bytes, behind a right header.
    let error = no_labels(&of_type(0x0c, &[1], &[f64::from(5i32.swap_bytes())]));
    assert!(error.contains("83886080") && error.contains("highest byte first"), "{error}");
    let error = refusal(&header(0x0c02, &[60_000u32.swap_bytes(), 8u32.swap_bytes()])).to_string();
    assert!(error.contains("little-endian"), "{error}");
}

#[test]
fn an_absurd_header_is_refused_before_any_memory_is_taken() {
    let max = u32::MAX;
    for dims in [[max, max, max], [max, 1, 1], [1 << 16, 1 << 14, 2]] {
        let error = refusal(&header(0x803, &dims));
        assert!(matches!(error, DataError::TooLarge { .. }), "{error}");
        assert!(error.to_string().contains("bound of 1073741824 values"), "{error}");
    }
    // At the bound the header may be right, so the payload decides.
    let error = refusal(&header(0x803, &[1 << 16, 1 << 14, 1]));
    assert!(matches!(error, DataError::Truncated { found: 16, .. }), "{error}");
}

#[test]
fn a_file_of_nothing_is_refused() {
    for dims in [[0, 28, 28], [1, 0, 28], [1, 28, 0]] {
        let error = refusal(&header(0x803, &dims));
        assert!(matches!(error, DataError::Empty { .. }), "{error}");
    }
}

/// Joins two 1 x 1 images with the given labels.
fn join_two(labels: &[u8], classes: usize) -> Result<Dataset, DataError> {
    let file = |name: &str| PathBuf::from(name);
    let values = Values::Bytes(vec![0, 255]);
    let images = Images { file: file("the-images"), dims: vec![2, 1, 1], values };
    let labels = Labels { file: file("the-labels"), values: labels.to_vec() };
    join(&images, &labels, classes)
}

#[test]
fn images_and_labels_must_agree() {
    assert_eq!(join_two(&[1, 0], 2).unwrap().inputs(), [0.0, 1.0]);
    let error = join_two(&[0, 1, 0], 2).unwrap_err().to_string();
    assert!(error.contains("the-images holds 2 images, but the-labels holds 3 labels"));
    let error = join_two(&[1, 2], 2).unwrap_err().to_string();
    assert!(error.contains("the-labels: the label of row 1 is 2"), "{error}");
    assert!(error.contains("labels end at 1"), "{error}");
}

#[test]
fn the_writer_refuses_a_part_of_an_image() {
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("images");
    for (shape, n) in [((2, 2), 5), ((0, 2), 4)] {
        let error = write_images(&file, shape, &vec![0; n], Encoding::Plain).unwrap_err();
        assert!(matches!(error, DataError::LengthMismatch { .. }));
        assert!(!file.exists());
    }
    let nowhere = dir.path().join("no/such/folder");
    let error = write_labels(&nowhere, &[0], Encoding::Plain).unwrap_err();
    assert!(matches!(error, DataError::Io { action: "create", .. }));
}

#[test]
fn content_is_bounded_by_the_expected_size() {
    let dir = TempDir::new().unwrap();
    for bytes in [two_images(), gzip(&two_images())] {
        let file = save(&dir, &bytes);
        assert_eq!(content(&file, 28).unwrap(), two_images());
        assert_eq!(content(&file, 99).unwrap(), two_images());
        let error = content(&file, 27).unwrap_err();
        assert!(matches!(error, DataError::TrailingBytes { expected: 27, .. }));
    }
    let cut = save(&dir, &gzip(&two_images())[..20]);
    let error = content(&cut, 28).unwrap_err();
    assert!(matches!(error, DataError::Truncated { expected: 28, .. }), "{error}");
}
