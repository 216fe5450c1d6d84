//! The packages that are published: what their manifests say, and that nothing in them reaches out of its folder.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Component, Path, PathBuf};

use lgl2o_tests::documents::{read, root};
use toml::{Table, Value};

/// Their folders.
const PUBLISHED: [&str; 6] = ["core/vfp", "core", "firmware/shared", "host", "host/training", "host/vectors"];
/// Folders that no package of the repository is in.
const OTHER: [&str; 4] = ["target", "out", ".git", "corpus"];

/// All files below a folder of the repository, as paths from its root.
fn files(folder: &str) -> Vec<PathBuf> {
    let (mut folders, mut found) = (vec![PathBuf::from(folder)], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(root().join(&folder)).expect("a folder").map(|entry| entry.expect("an entry")) {
            let path = folder.join(entry.file_name());
            if !entry.path().is_dir() {
                found.push(path);
            } else if !OTHER.iter().any(|other| path.ends_with(other)) {
                folders.push(path);
            }
        }
    }
    found
}

fn manifest(folder: &str) -> Table {
    read(&format!("{folder}/Cargo.toml")).parse().expect("a manifest")
}

/// The paths that a source file includes, as it names them.
fn included(source: &str) -> Vec<&str> {
    let of = |name: &'static str| source.split(name).skip(1).filter_map(|rest| rest.split('"').next());
    ["include_str!(\"", "include_bytes!(\"", "include!(\""].into_iter().flat_map(of).collect()
}

/// Whether a path, from a file of a package, stays in the package.
fn stays(package: &str, file: &Path, named: &str) -> bool {
    let mut whole = PathBuf::new();
    for part in file.parent().into_iter().flat_map(Path::components).chain(Path::new(named).components()) {
        match part {
            Component::ParentDir => drop(whole.pop()),
            part => whole.push(part),
        }
    }
    whole.starts_with(package)
}

#[test]
fn nothing_reaches_out_of_a_package() {
    let mut seen = 0;
    for package in PUBLISHED {
        for file in files(package).into_iter().filter(|file| file.extension().is_some_and(|e| e == "rs")) {
            let source = fs::read_to_string(root().join(&file)).expect("a source");
            for named in included(&source) {
                seen += 1;
                assert!(stays(package, &file, named), "{} includes {named}, which is not published", file.display());
            }
        }
    }
    assert!(seen > 15, "only {seen}");
    assert!(!stays("core", Path::new("core/src/lib.rs"), "../../README.md"));
}

#[test]
fn a_published_package_says_what_it_is() {
    for package in PUBLISHED {
        let manifest = manifest(package);
        let own = &manifest["package"];
        for key in ["name", "description", "documentation", "readme", "license", "authors", "rust-version"] {
            assert!(own.get(key).is_some(), "{package} has no {key}");
        }
        let list = |key: &str| own[key].as_array().expect("a list").len();
        assert!((1..=5).contains(&list("keywords")) && (1..=5).contains(&list("categories")), "{package}");
        for licence in ["LICENSE-MIT", "LICENSE-APACHE"] {
            assert_eq!(read(&format!("{package}/{licence}")), read(licence), "{package}");
        }
        // On a registry no relative link of a README leads anywhere.
        let readme = read(&format!("{package}/README.md"));
        let links = readme.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        let relative: Vec<&str> = links.filter(|link| !link.contains("://")).collect();
        assert_eq!(relative, [""; 0], "{package}");
    }
}

/// What a published package builds with is published, too: each path to another package has a version.
#[test]
fn packages_depend_on_versions() {
    let workspace: Table = read("Cargo.toml").parse().expect("a manifest");
    let (own, shared) = (&workspace["workspace"]["package"]["version"], &workspace["workspace"]["dependencies"]);
    for (name, dependency) in shared.as_table().expect("dependencies") {
        assert_eq!(dependency.get("version"), Some(own), "{name}");
    }
    for package in PUBLISHED {
        let manifest = manifest(package);
        let of = |table: &Table| table.get("dependencies").and_then(Value::as_table).cloned().unwrap_or_default();
        let targets = manifest.get("target").and_then(Value::as_table).into_iter().flatten();
        let all = targets.filter_map(|(_, target)| target.as_table()).map(of).chain([of(&manifest)]);
        assert!(all.flatten().all(|(_, dependency)| dependency.get("path").is_none()), "{package}");
    }
}

#[test]
fn all_other_packages_are_not_published() {
    let all: BTreeMap<PathBuf, Table> = files("")
        .into_iter()
        .filter(|file| file.ends_with("Cargo.toml") && !file.starts_with("shared"))
        .map(|file| (file.clone(), fs::read_to_string(root().join(file)).expect("there").parse().expect("a manifest")))
        .collect();
    assert!(all.len() >= 8, "{:?}", all.keys());
    for (file, manifest) in all {
        let Some(own) = manifest.get("package") else { continue };
        let is_published = own.get("publish") != Some(&Value::Boolean(false));
        let is_named = PUBLISHED.iter().any(|package| file.parent() == Some(Path::new(package)));
        assert_eq!(is_published, is_named, "{}", file.display());
    }
}

/// The version stands in several places.
#[test]
fn the_version_is_one() {
    let workspace: Table = read("Cargo.toml").parse().expect("a manifest");
    let version = workspace["workspace"]["package"]["version"].as_str().expect("a version");
    assert!(read("CITATION.cff").contains(&format!("\nversion: {version}\n")), "CITATION.cff");
    assert!(read("CHANGELOG.md").contains(&format!("\n## [{version}]")), "CHANGELOG.md");
}
