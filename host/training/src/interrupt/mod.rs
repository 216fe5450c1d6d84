//! Signals that ask the program to end: Ctrl-C (SIGINT), SIGTERM, a terminal that closes (SIGHUP), and the end of the allowed
//! processor time (SIGXCPU). Nothing computed is lost, and nothing is left running.
//!
//! The first signal asks. Work that can stop in good order holds a [`Grace`], looks at [`asked`], writes what it has, and
//! fails with [`Interrupted`]; it has a minute for that. All other work ends at once, and a second signal ends any work
//! at once: no file is cut in the middle, child processes are killed, and what is [`Ours`] is removed. The exit status is
//! 128 plus the number of the signal, as shells have it: 130 or 143 for SIGINT and SIGTERM.
//!
//! A file that grows beyond the allowed size is an error of its write, and does not end the program (SIGXFSZ). An allocation that fails
//! ends it as a failure does, with exit status 1.

#[cfg(unix)]
mod abort;
mod ending;
mod signals;
mod watch;

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};
use std::thread;
use std::time::{Duration, Instant};

pub use self::ending::wait_if_ending;
use self::watch::Watch;
use crate::say;

/// How often they are looked for.
const EVERY: Duration = Duration::from_millis(20);
/// So long the end waits for files that are being written.
const WRITES: Duration = Duration::from_secs(5);

/// So long work may take to stop in good order. Then the program ends with what is kept.
const GRACE: Duration = Duration::from_secs(60);

/// The first signal that came; 0 is none.
static ASKED: AtomicI32 = AtomicI32::new(0);
/// How many works stop in good order.
static GRACES: AtomicUsize = AtomicUsize::new(0);
/// Held while a file is written.
static WRITING: RwLock<()> = RwLock::new(());
/// What ends with this program.
static OURS: Mutex<Vec<(usize, Thing)>> = Mutex::new(Vec::new());
/// What is said at an end that no work has seen coming.
static LAST_WORDS: Mutex<Option<String>> = Mutex::new(None);

/// The work was interrupted; its message says what became of what was computed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("interrupted: {said}")]
pub struct Interrupted {
    signal: i32,
    said: String,
}

impl Interrupted {
    /// The error of work that was [`asked`] to end; `said` is what became of its results.
    #[must_use]
    pub fn new(said: impl Into<String>) -> Self {
        Self { signal: ASKED.load(Ordering::SeqCst), said: said.into() }
    }

    /// The exit status that says so.
    #[must_use]
    pub fn status(&self) -> u8 {
        status(self.signal)
    }
}

fn status(signal: i32) -> u8 {
    u8::try_from(128 + signal).unwrap_or(1)
}

/// Whether a signal has asked this program to end.
#[must_use]
pub fn asked() -> bool {
    ASKED.load(Ordering::SeqCst) != 0
}

/// Looks out for signals from now on.
///
/// # Errors
/// If the system does not allow it.
pub fn listen() -> io::Result<()> {
    let mut flags = Vec::new();
    for signal in signals::that_end() {
        let flag = Arc::new(AtomicBool::new(false));
        signal_hook::flag::register(signal, Arc::clone(&flag))?;
        flags.push((signal, flag));
    }
    signals::keep_going()?;
    #[cfg(unix)]
    let abort = abort::Abort::listen()?;
    thread::Builder::new().name("signals".to_owned()).spawn(move || {
        let mut since = None;
        loop {
            thread::sleep(EVERY);
            #[cfg(unix)]
            abort.look();
            let signal = ASKED.load(Ordering::SeqCst);
            if signal != 0 && is_over(*since.get_or_insert_with(Instant::now), Instant::now()) {
                say::note(format_args!("a minute has gone by, and the work has not stopped: it ends here"));
                end(signal);
            }
            flags
                .iter()
                .filter(|(_, flag)| flag.swap(false, Ordering::SeqCst))
                .for_each(|(signal, _)| receive(*signal));
        }
    })?;
    Ok(())
}

/// Whether work that was asked to stop at one moment has had its time at another.
fn is_over(since: Instant, now: Instant) -> bool {
    now.duration_since(since) >= GRACE
}

fn receive(signal: i32) {
    let first = ASKED.compare_exchange(0, signal, Ordering::SeqCst, Ordering::SeqCst).is_ok();
    if !first && signals::repeats(signal) {
        return;
    }
    if first && GRACES.load(Ordering::SeqCst) > 0 {
        say::note(format_args!("interrupted: stopping in good order; a second signal stops at once"));
    } else {
        end(signal);
    }
}

/// Ends the program.
fn end(signal: i32) -> ! {
    let begun = Instant::now();
    // Held to the end, so that no other file is begun.
    let _writing = loop {
        match WRITING.try_write() {
            Ok(guard) => break Some(guard),
            Err(_) if begun.elapsed() > WRITES => break None,
            Err(_) => thread::sleep(EVERY),
        }
    };
    ending::begin();
    lock(&OURS).drain(..).rev().for_each(|(_, thing)| thing.remove());
    let words = lock(&LAST_WORDS).take().unwrap_or_else(|| "nothing is kept".to_owned());
    say::note(format_args!("interrupted: {words}"));
    std::process::exit(i32::from(status(signal)))
}

/// A poisoned lock still holds what is to be cleaned up.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Keeps the end away while a file is written.
pub fn writing() -> RwLockReadGuard<'static, ()> {
    WRITING.read().unwrap_or_else(PoisonError::into_inner)
}

/// What is to be said at an end that no work has seen coming: what is kept, and where.
pub fn last_words(words: impl Into<String>) {
    *lock(&LAST_WORDS) = Some(words.into());
}

/// While it lives, a first signal leaves it to the work to stop.
#[derive(Debug)]
pub struct Grace(());

impl Grace {
    /// Work that looks at [`asked`] begins.
    #[must_use]
    pub fn begin() -> Self {
        GRACES.fetch_add(1, Ordering::SeqCst);
        Self(())
    }
}

impl Drop for Grace {
    fn drop(&mut self) {
        GRACES.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Something that does not outlive this program.
#[derive(Debug)]
enum Thing {
    /// A process and those that it has started, which are a group.
    Child(u32, Watch),
    /// The file of a lock, which goes if nobody else shares it.
    Lock(PathBuf, Arc<File>),
    Folder(PathBuf),
    /// Folders that stay if there is something in them.
    Empty(Vec<PathBuf>),
    /// Files and folders in a folder whose names begin like this.
    Begun(PathBuf, String),
}

impl Thing {
    /// What cannot be removed stays: there is no one to report it to.
    fn remove(self) {
        match self {
            // The watch, whose number the group may have, is waited for after it.
            Self::Child(group, _watch) => kill(group),
            Self::Lock(path, file) => crate::lock::remove(&path, &file),
            Self::Folder(path) => drop(std::fs::remove_dir_all(path)),
            Self::Empty(paths) => paths.iter().for_each(|path| drop(std::fs::remove_dir(path))),
            Self::Begun(folder, prefix) => remove_begun(&folder, &prefix),
        }
    }
}

/// Removes the files and folders in a folder whose names begin like this.
fn remove_begun(folder: &Path, prefix: &str) {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let begun = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(prefix));
    begun.map(|entry| entry.path()).for_each(|path| {
        let _ = std::fs::remove_file(&path).or_else(|_| std::fs::remove_dir_all(&path));
    });
}

/// Removes the files and folders in a folder whose names begin like this when the program ends. Call it before the first
/// of them is made: an abort may stop a thread in the middle of its write, and that thread never removes its file.
pub fn remove_at_end(folder: &Path, prefix: &str) {
    let mut all = lock(&OURS);
    if !all.iter().any(|(_, thing)| matches!(thing, Thing::Begun(other, _) if other == folder)) {
        all.push((number(), Thing::Begun(folder.to_path_buf(), prefix.to_owned())));
    }
}

/// Kills a group of processes.
#[cfg(unix)]
fn kill(id: u32) {
    use rustix::process::{Pid, Signal, kill_process_group};
    if let Some(pid) = i32::try_from(id).ok().and_then(Pid::from_raw) {
        // It may have ended already.
        let _ = kill_process_group(pid, Signal::KILL);
    }
}

/// Kills a process and those that it has started.
#[cfg(not(unix))]
fn kill(id: u32) {
    // It may have ended already.
    let _ = Command::new("taskkill").args(["/F", "/T", "/PID", &id.to_string()]).output();
}

/// A number that no other thing has.
fn number() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    NEXT.fetch_add(1, Ordering::SeqCst)
}

/// Something that ends with this program, or before it with this value.
#[derive(Debug)]
pub struct Ours(usize);

impl Ours {
    fn keep(thing: Thing) -> Self {
        let number = number();
        lock(&OURS).push((number, thing));
        Self(number)
    }

    /// Starts a process in a group that is not this program's, with which everything that it starts ends, also where this
    /// program is killed. Once it has been waited for, its number may be another's: the value must go before that, or be
    /// [forgotten](Self::forget).
    ///
    /// # Errors
    /// If it cannot be started.
    pub fn spawn(command: &mut Command) -> io::Result<(Child, Self)> {
        let watch = Watch::begin();
        let group = watch.group();
        // Of its own where there is no watch.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(
            command,
            group.and_then(|id| id.try_into().ok()).unwrap_or(0),
        );
        let child = command.spawn()?;
        let ours = Self::keep(Thing::Child(group.unwrap_or_else(|| child.id()), watch));
        Ok((child, ours))
    }

    /// Leaves it alone: it has ended by itself.
    pub fn forget(self) {
        lock(&OURS).retain(|(number, _)| *number != self.0);
    }

    /// The file of a lock.
    #[must_use]
    pub fn lock(path: &Path, file: &Arc<File>) -> Self {
        Self::keep(Thing::Lock(path.to_path_buf(), Arc::clone(file)))
    }

    /// A folder with everything in it.
    #[must_use]
    pub fn folder(path: &Path) -> Self {
        Self::keep(Thing::Folder(path.to_path_buf()))
    }

    /// Folders that go if they are empty, the innermost first.
    #[must_use]
    pub fn empty(paths: Vec<PathBuf>) -> Self {
        Self::keep(Thing::Empty(paths))
    }
}

impl Drop for Ours {
    fn drop(&mut self) {
        let mut all = lock(&OURS);
        let place = all.iter().position(|(number, _)| *number == self.0);
        let thing = place.map(|place| all.remove(place).1);
        drop(all);
        if let Some(thing) = thing {
            thing.remove();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_ours_goes_with_its_value() {
        let home = tempfile::tempdir().expect("temporary directory");
        let [file, folder, full, empty] = ["file", "folder", "full", "empty"].map(|name| home.path().join(name));
        std::fs::write(&file, "x").expect("written");
        for dir in [&folder, &full, &empty] {
            std::fs::create_dir(dir).expect("made");
        }
        for dir in [&folder, &full] {
            std::fs::write(dir.join("f"), "x").expect("written");
        }
        let lock = Arc::new(File::open(&file).expect("there"));
        let ours = [Ours::lock(&file, &lock), Ours::folder(&folder), Ours::empty(vec![empty.clone(), full.clone()])];
        assert!(file.exists() && folder.exists() && empty.exists());
        drop(ours);
        assert!(!file.exists() && !folder.exists() && !empty.exists());
        assert!(full.join("f").exists(), "somebody else's");
    }

    #[test]
    fn files_that_were_begun_go_at_the_end() {
        let home = tempfile::tempdir().expect("temporary directory");
        for name in ["begun-1", "begun-2/in", "whole"].map(|name| home.path().join(name)) {
            std::fs::create_dir_all(name.parent().expect("a folder")).expect("made");
            std::fs::write(name, "x").expect("written");
        }
        let begun = || {
            let all = lock(&OURS);
            let is = |thing: &Thing| matches!(thing, Thing::Begun(folder, _) if folder == home.path());
            all.iter().filter(|(_, thing)| is(thing)).count()
        };
        for _ in 0..2 {
            remove_at_end(home.path(), "begun-");
            assert_eq!(begun(), 1, "once for each folder");
        }
        Thing::Begun(home.path().to_path_buf(), "begun-".to_owned()).remove();
        let names: Vec<_> = std::fs::read_dir(home.path()).expect("there").flatten().map(|e| e.file_name()).collect();
        assert_eq!(names, ["whole"]);
    }

    #[cfg(unix)]
    #[test]
    fn a_child_ends_with_everything_that_it_has_started() {
        let mut command = Command::new("sh");
        // The inner process would write a word. The pipe is closed once neither is there.
        command.args(["-c", "(sleep 60; echo late) & wait"]).stdout(std::process::Stdio::piped());
        let (mut child, ours) = Ours::spawn(&mut command).expect("started");
        drop(ours);
        assert!(!child.wait().expect("ended").success());
        let said = std::io::read_to_string(child.stdout.take().expect("a pipe")).expect("text");
        assert_eq!(said, "");
    }

    #[test]
    fn a_grace_period_has_an_end() {
        let since = Instant::now();
        assert!(!is_over(since, since + GRACE / 2) && is_over(since, since + GRACE));
        assert!(GRACE <= Duration::from_secs(60));
    }

    #[test]
    fn statuses_are_those_of_shells() {
        use signal_hook::consts::{SIGINT, SIGTERM};
        assert_eq!([SIGINT, SIGTERM].map(status), [130, 143]);
        // Tests may run where Ctrl-C is ignored.
        assert!(signals::that_end().contains(&SIGTERM));
        assert!(!asked());
    }
}
