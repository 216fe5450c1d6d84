//! Puts the files of a report in place: all of them complete first, then all of them renamed.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::{File, ReportError};
use crate::files::{behind_links, check_place, folder_of};

/// The files that not every report has.
pub(super) const BOUNDARY: &str = "boundary.svg";
pub(super) const VERDICTS: &str = "verdicts.svg";

/// Writes the files into `dir`; nothing there changes before all of them are complete.
pub(super) fn store(dir: &Path, files: &[File]) -> Result<Vec<PathBuf>, ReportError> {
    let _whole = crate::interrupt::writing();
    prepare(dir, files)?;
    let mut waiting = Vec::new();
    for file in files {
        let path = dir.join(file.name);
        // A link stays a link.
        let behind = |source| ReportError::Write { path: path.clone(), source };
        let place = behind_links(&path).map_err(behind)?;
        match write_beside(folder_of(&place), &file.content) {
            Ok(temporary) => waiting.push((temporary, place, path)),
            Err(source) => return Err(ReportError::Write { path, source }),
        }
    }
    let mut written = Vec::new();
    for (temporary, place, path) in waiting {
        match temporary.persist(&place) {
            Ok(_) => written.push(path),
            Err(e) => {
                let source = e.error;
                return Err(ReportError::Write { path, source });
            }
        }
    }
    [BOUNDARY, VERDICTS].into_iter().try_for_each(|name| remove_stale(dir, files, name))?;
    Ok(written)
}

/// Creates the directory if need be, and looks whether the files can take their places in it.
fn prepare(dir: &Path, files: &[File]) -> Result<(), ReportError> {
    let path = || dir.to_path_buf();
    if let Some(folder) = crate::lock::lost(&dir.join("results.json")) {
        let words = crate::lock::lost_words(&folder);
        return Err(ReportError::NoPlace(format!("cannot write the report to {}: {words}.", dir.display())));
    }
    if dir.exists() && !dir.is_dir() {
        return Err(ReportError::NotADirectory { path: path() });
    }
    fs::create_dir_all(dir).map_err(|source| ReportError::CreateDirectory { path: path(), source })?;
    check(dir, files.iter().map(|file| file.name))
}

/// Whether files of these names can take their places.
pub(super) fn check(dir: &Path, names: impl IntoIterator<Item = &'static str>) -> Result<(), ReportError> {
    let mut places = names.into_iter().map(|name| dir.join(name));
    places.try_for_each(|path| check_place(&path)).map_err(|error| ReportError::NoPlace(error.to_string()))
}

/// Writes a temporary file next to where it will be needed; it goes away if it is not used.
fn write_beside(dir: &Path, content: &str) -> io::Result<NamedTempFile> {
    let mut file = crate::files::temporary_in(dir)?;
    file.write_all(content.as_bytes())?;
    file.as_file().sync_all()?;
    Ok(file)
}

/// Removes a picture of an earlier report where this one has none.
fn remove_stale(dir: &Path, files: &[File], name: &str) -> Result<(), ReportError> {
    let path = dir.join(name);
    if files.iter().any(|f| f.name == name) || !path.is_file() {
        return Ok(());
    }
    fs::remove_file(&path).map_err(|source| ReportError::Write { path, source })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(text: &str) -> Vec<File> {
        ["results.json", "table.md"].map(|name| File { name, content: format!("{text} {name}") }).into()
    }

    fn listing(dir: &Path) -> Vec<String> {
        let entries = fs::read_dir(dir).expect("readable").flatten();
        let mut names: Vec<String> = entries.map(|e| e.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    #[test]
    fn files_are_replaced_and_nothing_is_left_over() {
        let home = tempfile::tempdir().expect("temporary directory");
        store(home.path(), &files("old")).expect("stored");
        fs::write(home.path().join(BOUNDARY), "old").expect("written");
        fs::write(home.path().join("mine.txt"), "kept").expect("written");
        store(home.path(), &files("new")).expect("stored");
        assert_eq!(listing(home.path()), ["mine.txt", "results.json", "table.md"]);
        let table = fs::read_to_string(home.path().join("table.md")).expect("readable");
        assert_eq!(table, "new table.md");
    }

    #[test]
    fn a_path_that_is_a_file_is_its_own_error() {
        let home = tempfile::tempdir().expect("temporary directory");
        let path = home.path().join("file");
        fs::write(&path, "precious").expect("written");
        let error = store(&path, &files("new")).expect_err("refused");
        assert!(matches!(error, ReportError::NotADirectory { .. }));
        assert!(error.to_string().contains(&path.display().to_string()));
        assert_eq!(fs::read_to_string(&path).expect("readable"), "precious");
    }

    #[test]
    fn a_directory_below_a_file_cannot_be_created() {
        let home = tempfile::tempdir().expect("temporary directory");
        fs::write(home.path().join("file"), "precious").expect("written");
        let error = store(&home.path().join("file/below"), &files("new")).expect_err("refused");
        assert!(matches!(error, ReportError::CreateDirectory { .. }));
        assert!(error.to_string().contains("below"));
    }

    #[test]
    fn a_name_that_is_taken_leaves_every_file_as_it_was() {
        let home = tempfile::tempdir().expect("temporary directory");
        fs::write(home.path().join("results.json"), "old").expect("written");
        fs::create_dir(home.path().join("table.md")).expect("created");
        let error = store(home.path(), &files("new")).expect_err("refused");
        assert!(matches!(error, ReportError::NoPlace(_)));
        let kept = fs::read_to_string(home.path().join("results.json")).expect("readable");
        assert_eq!(kept, "old");
        assert_eq!(listing(home.path()), ["results.json", "table.md"]);
    }

    #[cfg(unix)]
    #[test]
    fn a_read_only_directory_is_reported_and_left_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let home = tempfile::tempdir().expect("temporary directory");
        store(home.path(), &files("old")).expect("stored");
        fs::set_permissions(home.path(), fs::Permissions::from_mode(0o555)).expect("set");
        let outcome = store(home.path(), &files("new"));
        fs::set_permissions(home.path(), fs::Permissions::from_mode(0o755)).expect("set");
        // The superuser may write everywhere; then there is nothing to see here.
        if let Err(error) = outcome {
            assert!(matches!(error, ReportError::Write { .. }));
            let kept = fs::read_to_string(home.path().join("table.md")).expect("readable");
            assert_eq!(kept, "old table.md");
        }
    }
}
