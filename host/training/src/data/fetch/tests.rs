//! Downloads from a small server on this machine: no test needs a network.

use super::*;
use std::io::{BufRead, BufReader};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use tempfile::TempDir;

/// Two small files; their checksums are the well-known ones of "abc" and of "hello".
const FILES: [KnownFile; 2] = [
    KnownFile { name: "first", size: 3, sha256: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
    KnownFile { name: "second", size: 5, sha256: "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824" },
];
const NAMES: [&[&str]; 2] = [&["first"], &["second"]];

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// What the server does with a request.
type Answer = fn(&str) -> Response;

/// A whole HTTP response: status, stated length of the body, body.
struct Response(&'static str, usize, Vec<u8>);

fn ok(body: Vec<u8>) -> Response {
    Response("200 OK", body.len(), body)
}

/// The right answers.
fn good(path: &str) -> Response {
    match path {
        "/first.gz" => ok(gzip(b"abc")),
        "/second.gz" => ok(gzip(b"hello")),
        _ => absent(path),
    }
}

fn absent(_: &str) -> Response {
    Response("404 Not Found", 4, b"none".to_vec())
}

/// A server on 127.0.0.1 that lives as long as the test process, and the paths it was asked for.
struct Server {
    mirror: String,
    asked: Arc<Mutex<Vec<String>>>,
}

fn serve(answer: Answer) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mirror = format!("http://{}/", listener.local_addr().unwrap());
    let asked = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&asked);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            respond(stream, answer, &log);
        }
    });
    Server { mirror, asked }
}

/// Reads one request, notes its path, answers it and closes the connection.
fn respond(mut stream: TcpStream, answer: Answer, log: &Mutex<Vec<String>>) {
    let lines = BufReader::new(stream.try_clone().unwrap()).lines();
    let head: Vec<String> = lines.map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
    let path = head[0].split(' ').nth(1).unwrap().to_owned();
    let Response(status, length, body) = answer(&path);
    log.lock().unwrap().push(path);
    let head = format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
    // The client may hang up early; that is its right.
    let _ = stream.write_all(head.as_bytes());
    let _ = stream.write_all(&body);
}

fn fetch(folder: &Path, mirrors: &[&str]) -> Result<Vec<Fetched>, DataError> {
    let request = Request {
        options: &["--noproxy", "*"],
        mirrors,
        files: &FILES,
        names: &NAMES,
        folder: folder.to_path_buf(),
        progress: Progress::Silent,
    };
    request.fetch_all()
}

/// The names of all files in a folder, sorted: a leftover would show.
fn names_in(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// The failure of a fetch from one server, which must leave the folder empty.
fn failure(answer: Answer) -> String {
    let dir = TempDir::new().unwrap();
    let server = serve(answer);
    let error = fetch(dir.path(), &[&server.mirror]).unwrap_err();
    assert!(matches!(error, DataError::Download { .. }), "{error}");
    assert_eq!(names_in(dir.path()), [""; 0]);
    let text = error.to_string();
    assert!(text.contains(&format!("{}first.gz: ", server.mirror)), "{text}");
    text
}

#[test]
fn files_are_downloaded_then_kept() {
    let dir = TempDir::new().unwrap();
    let folder = dir.path().join("new/mnist");
    let server = serve(good);
    let fetched = fetch(&folder, &[&server.mirror]).unwrap();
    let from = format!("{}first.gz", server.mirror);
    assert_eq!(fetched[0].outcome, Outcome::Downloaded(from.clone()));
    assert!(fetched[0].to_string().ends_with(&format!("from {from}")));
    assert_eq!(names_in(&folder), ["first.gz", "second.gz"]);
    assert_eq!(known_content(&FILES[1], &fetched[1].file).unwrap(), b"hello");

    let again = fetch(&folder, &[&server.mirror]).unwrap();
    assert!(again.iter().all(|f| f.outcome == Outcome::Kept));
    assert!(again[0].to_string().contains("already there, checksum correct"));
    assert_eq!(server.asked.lock().unwrap().len(), 2);
}

#[test]
fn a_file_placed_by_hand_is_kept_and_a_damaged_one_replaced() {
    let dir = TempDir::new().unwrap();
    fs::write(dir.path().join("first"), "abc").unwrap();
    fs::write(dir.path().join("second.gz"), "damaged").unwrap();
    let fetched = fetch(dir.path(), &[&serve(good).mirror]).unwrap();
    assert_eq!(fetched[0].outcome, Outcome::Kept);
    assert!(matches!(fetched[1].outcome, Outcome::Replaced(_)));
    assert_eq!(names_in(dir.path()), ["first", "second.gz"]);
    assert_eq!(known_content(&FILES[1], &fetched[1].file).unwrap(), b"hello");
}

#[test]
fn a_whole_file_of_another_set_is_left_alone() {
    let dir = TempDir::new().unwrap();
    let other = [0, 0, 8, 1, 0, 0, 0, 2, 4, 7];
    fs::write(dir.path().join("first"), other).unwrap();
    let server = serve(good);
    let error = fetch(dir.path(), &[&server.mirror]).unwrap_err();
    assert!(matches!(error, DataError::OtherSet { .. }), "{error}");
    assert_eq!(fs::read(dir.path().join("first")).unwrap(), other);
    assert!(server.asked.lock().unwrap().is_empty(), "nothing was downloaded");
    // Cut off it is damage, and replaced.
    fs::write(dir.path().join("first"), &other[..9]).unwrap();
    assert!(matches!(fetch(dir.path(), &[&server.mirror]).unwrap()[0].outcome, Outcome::Replaced(_)));
}

#[test]
fn the_second_mirror_helps_when_the_first_has_nothing() {
    let dir = TempDir::new().unwrap();
    let (first, second) = (serve(absent), serve(good));
    let fetched = fetch(dir.path(), &[&first.mirror, &second.mirror]).unwrap();
    let from = format!("{}second.gz", second.mirror);
    assert_eq!(fetched[1].outcome, Outcome::Downloaded(from));
    assert_eq!(*first.asked.lock().unwrap(), ["/first.gz", "/second.gz"]);
}

#[test]
fn wrong_content_is_refused() {
    let text = failure(|_| ok(gzip(b"abd")));
    let expected = format!("wrong content: expected SHA-256 {}", FILES[0].sha256);
    assert!(text.contains(&expected), "{text}");
    let text = failure(|_| ok(gzip(b"abcd")));
    assert!(text.contains("goes on after byte 3"), "{text}");
}

#[test]
fn a_truncated_body_is_refused() {
    // The connection ends before the stated length.
    let text = failure(|_| Response("200 OK", 1000, gzip(b"abc")));
    assert!(text.contains("transfer closed with"), "{text}");
    // The stated length is that of the truncated body.
    let text = failure(|_| ok(gzip(b"abc")[..11].to_vec()));
    assert!(text.contains("truncated: expected 3 bytes"), "{text}");
    let text = failure(|_| ok(b"<html>".to_vec()));
    assert!(text.contains("after byte 3"), "{text}");
}

#[test]
fn an_endless_body_is_cut_off() {
    let text = failure(|_| ok(vec![0; 1 << 20]));
    assert!(text.contains("sent more than 65539 bytes"), "{text}");
}

#[test]
fn without_a_network_every_mirror_is_named_and_the_way_by_hand_shown() {
    let dir = TempDir::new().unwrap();
    // No service has this port, and no other test gets it.
    let closed = "http://127.0.0.1:1/";
    let absent = serve(absent);
    let error = fetch(dir.path(), &[closed, &absent.mirror]).unwrap_err();
    let text = error.to_string();
    assert!(text.contains(&format!("{closed}first.gz: ")), "{text}");
    assert!(text.contains(&format!("{}first.gz: ", absent.mirror)), "{text}");
    assert!(text.contains("404"), "{text}");
    assert!(text.contains(&dir.path().display().to_string()), "{text}");
    for file in FILES {
        assert!(text.contains(&format!("{}.gz", file.name)), "{text}");
        assert!(text.contains(file.sha256), "{text}");
    }
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let dir = TempDir::new().unwrap();
    let blocked = dir.path().join("file");
    fs::write(&blocked, "").unwrap();
    let error = fetch(&blocked.join("mnist"), &[]).unwrap_err();
    assert!(matches!(error, DataError::Io { action: "create", .. }), "{error}");
}
