//! A digest of the sources that results depend on: the core, and what runs experiments. Results that were kept by another
//! program are then not taken for this one's.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

use sha2::{Digest, Sha256};

/// What results depend on.
const SOURCES: [&str; 11] = [
    "../../core/src",
    "../vectors/src",
    "src/data",
    "src/experiment",
    "src/meta/distribution/task.rs",
    "src/meta/full_horizon/episode.rs",
    "src/network",
    "src/optimizer",
    "src/survey/oracle.rs",
    "src/survey/run.rs",
    "src/task.rs",
];
/// Those of other packages: beside this one in the repository, or released ones, which have its version.
const OTHERS: [&str; 2] = [SOURCES[0], SOURCES[1]];

fn main() -> io::Result<()> {
    let mut digest = Sha256::new();
    for source in
        SOURCES.into_iter().filter(|source| !OTHERS.contains(source) || Path::new(source).exists()).map(Path::new)
    {
        println!("cargo:rerun-if-changed={}", source.display());
        // One that was moved is an error: what it decides would be left out of the digest.
        for file in
            files(source).map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", source.display())))?
        {
            digest.update(file.display().to_string());
            digest.update(fs::read(&file)?);
        }
    }
    digest.update(env::var("CARGO_FEATURE_MICROMATH").is_ok().to_string());
    let digest: String = digest.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    println!("cargo:rustc-env=LGL2O_SOURCES={digest}");
    Ok(())
}

/// A file, or all files below a folder, in order.
fn files(path: &Path) -> io::Result<Vec<PathBuf>> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut entries = fs::read_dir(path)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    entries.sort();
    let mut all = Vec::new();
    for entry in entries {
        all.extend(files(&entry)?);
    }
    Ok(all)
}
