//! Resolution of the data directory, folders of every kind, and the real MNIST where it is.

use super::*;
use crate::data::idx::{Encoding, write_images, write_labels};
use std::fs;
use tempfile::TempDir;

const GZ: Encoding = Encoding::Gzip;

/// A folder of 3 training and 2 test images of 2 x 2, with the given training labels.
fn make_set(folder: &Path, train_labels: &[u8]) {
    fs::create_dir_all(folder).unwrap();
    let file = |i: usize| folder.join(format!("{}.gz", PARTS[i][0]));
    write_images(&file(0), (2, 2), &[0; 12], GZ).unwrap();
    write_labels(&file(1), train_labels, GZ).unwrap();
    write_images(&file(2), (2, 2), &[255; 8], GZ).unwrap();
    write_labels(&file(3), &[0, 0], Encoding::Plain).unwrap();
}

/// The data directory for the given environment.
fn dir_for(os: &str, flag: Option<&str>, environment: &[(&str, &str)]) -> PathBuf {
    resolve(flag.map(Path::new), os, |name| {
        let found = environment.iter().find(|(n, _)| *n == name)?;
        Some(OsString::from(found.1))
    })
}

#[test]
fn the_flag_wins_then_the_variable_then_the_cache() {
    let all = [("LGL2O_DATA", "env"), ("XDG_CACHE_HOME", "/xdg"), ("HOME", "/home/u")];
    assert_eq!(dir_for("linux", Some("flag"), &all), Path::new("flag"));
    assert_eq!(dir_for("linux", None, &all), Path::new("env"));
    let home = Path::new("/home/u/.cache/lgl2o");
    if cfg!(unix) {
        assert_eq!(dir_for("linux", None, &all[1..]), Path::new("/xdg/lgl2o"));
    }
    assert_eq!(dir_for("linux", None, &all[2..]), home);
    let odd = [("LGL2O_DATA", ""), ("XDG_CACHE_HOME", "relative"), all[2]];
    assert_eq!(dir_for("linux", None, &odd), home);
    assert_eq!(dir_for("linux", None, &[]), Path::new("lgl2o-data"));
}

#[test]
fn each_system_has_its_cache_directory() {
    let home = [("HOME", "/Users/u"), ("LOCALAPPDATA", "local")];
    let mac = Path::new("/Users/u/Library/Caches/lgl2o");
    assert_eq!(dir_for("macos", None, &home), mac);
    assert_eq!(dir_for("windows", None, &home), Path::new("local/lgl2o"));
}

#[test]
fn any_folder_loads_with_its_own_size_and_classes() {
    let dir = TempDir::new().unwrap();
    let folder = dir.path().join("shapes");
    make_set(&folder, &[0, 6, 1]);
    let sets = load_folder(&folder).unwrap();
    assert_eq!(sets.name, "shapes");
    assert_eq!((sets.train.len(), sets.test.len()), (3, 2));
    assert_eq!((sets.train.classes(), sets.test.classes()), (7, 7));
    assert_eq!(sets.test.image(), Some((2, 2)));
    assert_eq!(sets.test.inputs(), [1.0; 8]);
    // By name, from the data directory and from the folder itself.
    assert_eq!(load_named(dir.path(), "shapes").unwrap(), sets);
    assert_eq!(load_named(&folder, "shapes").unwrap(), sets);
}

#[test]
fn names_with_a_dot_and_without_gz_are_found() {
    let dir = TempDir::new().unwrap();
    make_set(dir.path(), &[0, 1, 1]);
    for names in PARTS {
        let old = dir.path().join(format!("{}.gz", names[0]));
        fs::rename(old, dir.path().join(names[1])).unwrap();
    }
    assert_eq!(load_folder(dir.path()).unwrap().train.len(), 3);
}

/// A whole set under other names: what files begin with, and what the half for tests is called.
fn make_named(folder: &Path, prefix: &str, labels: &[u8]) {
    make_set(folder, labels);
    for names in PARTS {
        let (old, new) = (folder.join(names[0]), format!("{prefix}{}", names[0].replace("t10k", "test")));
        let suffix = if old.exists() { "" } else { ".gz" };
        fs::rename(folder.join(format!("{}{suffix}", names[0])), folder.join(format!("{new}{suffix}"))).unwrap();
    }
}

#[test]
fn sets_of_emnist_stand_in_one_folder_and_are_named_as_folders_in_it() {
    let dir = TempDir::new().unwrap();
    for folder in [dir.path().join("EMNIST/raw"), dir.path().join("gzip")] {
        make_named(&folder, "emnist-letters-", &[1, 26, 2]);
        make_named(&folder, "emnist-digits-", &[0, 9, 2]);
        fs::write(folder.join("emnist-letters-mapping.txt"), "1 65 97").unwrap();
    }
    for folder in [dir.path().join("EMNIST"), dir.path().join("EMNIST/raw"), dir.path().to_path_buf()] {
        let error = load_folder(&folder).unwrap_err();
        assert!(matches!(error, DataError::Several { .. }), "{error}");
        let named = folder.join("emnist-letters");
        assert!(error.to_string().contains(&format!("\n  {}", named.display())), "{error}");
        let sets = load_folder(&named).unwrap();
        assert_eq!((sets.name.as_str(), sets.train.classes(), sets.test.len()), ("emnist-letters", 27, 2));
        assert!(is_folder(&named) && !is_folder(&folder.join("emnist-letter")));
        let all: Vec<_> = load_all(&folder).unwrap().into_iter().map(|(path, sets)| (path, sets.name)).collect();
        let both = ["emnist-digits", "emnist-letters"].map(|name| (folder.join(name), name.to_owned()));
        assert_eq!(all, both);
    }
    fs::remove_file(dir.path().join("gzip/emnist-letters-test-images-idx3-ubyte.gz")).unwrap();
    let error = load_folder(&dir.path().join("emnist-letters")).unwrap_err();
    assert!(error.to_string().contains("the file `emnist-letters-test-images-idx3-ubyte`"), "{error}");
    assert!(matches!(load_folder(&dir.path().join("emnist-letter")).unwrap_err(), DataError::NotFound { .. }));
}

#[test]
fn labels_of_qmnist_have_a_name_of_their_own() {
    let dir = TempDir::new().unwrap();
    make_named(dir.path(), "qmnist-", &[0, 9, 2]);
    for half in ["train", "test"] {
        let old = |suffix| dir.path().join(format!("qmnist-{half}-labels-idx1-ubyte{suffix}"));
        let old = if old("").exists() { old("") } else { old(".gz") };
        fs::remove_file(old).unwrap();
        let classes = if half == "train" { &[0i32, 9, 2][..] } else { &[3, 3] };
        let mut bytes = vec![0, 0, 0x0c, 2, 0, 0, 0, classes.len() as u8, 0, 0, 0, 8];
        bytes.extend(classes.iter().flat_map(|&class| [class, 1, 2, 3, 4, 5, 6, 7]).flat_map(i32::to_be_bytes));
        fs::write(dir.path().join(format!("qmnist-{half}-labels-idx2-int")), bytes).unwrap();
    }
    let sets = load_folder(dir.path()).unwrap();
    assert_eq!((sets.name.as_str(), sets.train.labels(), sets.test.labels()), ("qmnist", &[0, 9, 2][..], &[3, 3][..]));
    fs::remove_file(dir.path().join("qmnist-test-labels-idx2-int")).unwrap();
    let error = load_folder(dir.path()).unwrap_err();
    assert!(error.to_string().contains("`qmnist-test-labels-idx2-int`"), "{error}");
}

#[test]
fn folders_of_torchvision_are_looked_into() {
    let dir = TempDir::new().unwrap();
    make_set(&dir.path().join("MNIST/raw"), &[0, 1, 1]);
    make_set(&dir.path().join("FashionMNIST/raw"), &[0, 9, 1]);
    for folder in ["FashionMNIST", "FashionMNIST/raw"] {
        let sets = load_folder(&dir.path().join(folder)).unwrap();
        assert_eq!((sets.name.as_str(), sets.train.classes()), ("FashionMNIST", 10), "{folder}");
    }
    let all = load_all(dir.path()).unwrap();
    assert_eq!(all.iter().map(|(_, sets)| sets.name.as_str()).collect::<Vec<_>>(), ["FashionMNIST", "MNIST"]);
    // It is found, and its content looked at.
    assert!(matches!(load_mnist(dir.path()).unwrap_err(), DataError::OtherSet { .. }));
    // The usual names stand for a folder that has other files besides.
    make_named(&dir.path().join("other"), "mine-", &[0, 1, 1]);
    make_set(&dir.path().join("other"), &[0, 4, 1]);
    assert_eq!(load_folder(&dir.path().join("other")).unwrap().train.classes(), 5);
}

#[test]
fn nothing_found_lists_where_it_was_looked_for() {
    let dir = TempDir::new().unwrap();
    let inner = dir.path().join("mnist");
    for error in [
        load_mnist(dir.path()).unwrap_err(),
        load_named(dir.path(), "mnist").unwrap_err(),
        load_folder(&inner).unwrap_err(),
    ] {
        assert!(matches!(error, DataError::NotFound { .. }));
        let text = error.to_string();
        assert!(text.contains(&format!("\n  {}\n", inner.display())), "{text}");
        assert!(text.contains("lgl2o data fetch mnist"), "{text}");
        assert!(text.contains("--data DIR"), "{text}");
    }
}

#[test]
fn each_missing_file_is_named() {
    for names in PARTS {
        let dir = TempDir::new().unwrap();
        make_set(dir.path(), &[0, 1, 1]);
        fs::remove_file(dir.path().join(format!("{}.gz", names[0]))).unwrap();
        let error = load_folder(dir.path()).unwrap_err();
        assert!(matches!(&error, DataError::Missing { file, .. } if file == names[0]));
        assert!(error.to_string().contains(names[0]), "{error}");
    }
}

#[test]
fn the_halves_must_have_one_shape() {
    let dir = TempDir::new().unwrap();
    make_set(dir.path(), &[0, 1, 1]);
    let test = dir.path().join("t10k-images-idx3-ubyte.gz");
    write_images(&test, (1, 4), &[0; 8], GZ).unwrap();
    let error = load_folder(dir.path()).unwrap_err();
    assert!(matches!(error, DataError::ShapeMismatch { .. }));
    let text = error.to_string();
    assert!(text.contains("[2, 2]") && text.contains("[1, 4]"), "{text}");
}

#[test]
fn counts_must_agree_and_one_class_is_not_enough() {
    let dir = TempDir::new().unwrap();
    make_set(dir.path(), &[0, 1]);
    let error = load_folder(dir.path()).unwrap_err();
    assert!(matches!(error, DataError::CountMismatch { .. }));
    for label in [0, 1, 255] {
        make_set(dir.path(), &[label; 3]);
        let error = load_folder(dir.path()).unwrap_err();
        assert!(matches!(error, DataError::TooFewClasses { label: found, .. } if found == label));
    }
}

#[test]
fn mnist_of_other_content_is_refused_with_both_checksums() {
    let dir = TempDir::new().unwrap();
    make_set(&dir.path().join("mnist"), &[0, 1, 1]);
    let error = load_mnist(dir.path()).unwrap_err();
    // It is whole, so it may be somebody's; what is not whole is damage.
    assert!(matches!(error, DataError::OtherSet { .. }));
    let text = error.to_string();
    assert!(text.contains("train-images-idx3-ubyte.gz"), "{text}");
    assert!(text.contains(MNIST_FILES[0].sha256), "{text}");
    assert!(text.contains("--task idx") && !text.contains("Delete"), "{text}");
}

#[test]
fn the_checksum_is_of_the_content_not_of_the_file() {
    // SHA-256 of "abc", from FIPS 180-2.
    let abc =
        KnownFile { name: "abc", size: 3, sha256: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" };
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("abc");
    fs::write(&file, "abc").unwrap();
    assert_eq!(known_content(&abc, &file).unwrap(), b"abc");
    for (content, problem) in [("abd", "wrong content"), ("ab", "wrong content"), ("abcd", "after byte 3")] {
        fs::write(&file, content).unwrap();
        let error = known_content(&abc, &file).unwrap_err().to_string();
        assert!(error.contains(problem), "{error}");
    }
}

#[test]
fn the_real_mnist_loads() {
    let dir = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data"));
    if !dir.join("mnist").is_dir() {
        eprintln!("skipped: no MNIST beside the repository");
        return;
    }
    let sets = load_mnist(dir).unwrap();
    assert_eq!((sets.train.len(), sets.test.len()), (60_000, 10_000));
    assert_eq!((sets.train.image(), sets.train.classes()), (Some((28, 28)), 10));
    assert_eq!(sets.train.labels()[..5], [5, 0, 4, 1, 9]);
    assert_eq!(sets.test.labels()[..5], [7, 2, 1, 0, 4]);
    // The mean pixel of the training images is 0.1307, as commonly published.
    let sum: f64 = sets.train.inputs().iter().map(|&x| f64::from(x)).sum();
    let mean = sum / sets.train.inputs().len() as f64;
    assert!((mean - 0.1307).abs() < 1e-4, "{mean}");
    let small = sets.test.average_pool(2).unwrap();
    assert_eq!((small.image(), small.width()), (Some((14, 14)), 196));
}
