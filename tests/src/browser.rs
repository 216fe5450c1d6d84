//! A headless Chromium without a network, driven by the Chrome DevTools Protocol over its standard input and output.
//!
//! Source: <https://chromedevtools.github.io/devtools-protocol/>, `--remote-debugging-pipe`: messages in JSON, a zero byte behind each.

use std::fs::OpenOptions;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

/// Flags by which Chromium neither shows a window nor asks a network for anything.
const QUIET: &str = "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking \
                     --disable-component-update --disable-sync --host-resolver-rules=MAP*~NOTFOUND";

/// The browser, if there is one.
#[must_use]
pub fn chromium() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut all = std::env::split_paths(&path).flat_map(|dir| [dir.join("chromium"), dir.join("google-chrome")]);
    all.find(|program| program.is_file())
}

/// Chromium with a profile of its own, to which arguments may be added.
#[must_use]
pub fn quiet(program: &Path, profile: &Path) -> Command {
    let mut command = Command::new(program);
    command.args(QUIET.split_whitespace()).arg(format!("--user-data-dir={}", profile.display()));
    command
}

/// Says that something was not tried, and why, also to `tests/run.sh`.
///
/// # Panics
/// If the file that `LGL2O_SKIPPED` names cannot be written.
pub fn skipped(why: &str) {
    println!("skipped: {why}");
    if let Some(path) = std::env::var_os("LGL2O_SKIPPED") {
        let mut file = OpenOptions::new().append(true).create(true).open(path).expect("a file for what is skipped");
        writeln!(file, "{why}").expect("written");
    }
}

/// A page in a browser; both end with it.
#[derive(Debug)]
pub struct Page {
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
    session: Option<Value>,
    sent: u64,
    events: Vec<Value>,
}

impl Drop for Page {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Page {
    /// Starts a browser with an empty page.
    ///
    /// # Panics
    /// If that fails.
    #[must_use]
    pub fn start(program: &Path, profile: &Path) -> Self {
        // The browser reads messages from descriptor 3 and writes them to descriptor 4; a shell makes these of its own streams.
        let browser = quiet(program, profile);
        let mut child = Command::new("sh")
            .args(["-c", "exec \"$0\" \"$@\" 3<&0 4>&1 >/dev/null"])
            .arg(browser.get_program())
            .args(browser.get_args())
            .args(["--remote-debugging-pipe", "about:blank"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("a shell");
        let (to, from) = (child.stdin.take().expect("piped"), child.stdout.take().expect("piped"));
        let mut page = Self { child, to, from: BufReader::new(from), session: None, sent: 0, events: Vec::new() };
        let target = page.call("Target.createTarget", &json!({ "url": "about:blank" }));
        let id = json!({ "targetId": target["targetId"], "flatten": true });
        page.session = Some(page.call("Target.attachToTarget", &id)["sessionId"].clone());
        for domain in ["Page", "Runtime", "Log", "Network"] {
            page.call(&format!("{domain}.enable"), &json!({}));
        }
        page
    }

    /// Calls a method; returns its result.
    ///
    /// # Panics
    /// If the browser refuses, or ends.
    pub fn call(&mut self, method: &str, params: &Value) -> Value {
        self.sent += 1;
        let mut message = json!({ "id": self.sent, "method": method, "params": params });
        if let Some(session) = &self.session {
            message["sessionId"] = session.clone();
        }
        write!(self.to, "{message}\0").and_then(|()| self.to.flush()).expect("the browser listens");
        loop {
            let answer = self.message();
            if answer["id"] == self.sent {
                assert!(answer.get("error").is_none(), "{method}: {answer}");
                return answer["result"].clone();
            }
        }
    }

    /// The next message, which is kept if it is an event.
    fn message(&mut self) -> Value {
        let mut bytes = Vec::new();
        self.from.read_until(0, &mut bytes).expect("the browser speaks");
        assert_eq!(bytes.pop(), Some(0), "the browser has ended");
        let message: Value = serde_json::from_slice(&bytes).expect("JSON");
        if message.get("id").is_none() {
            self.events.push(message.clone());
        }
        message
    }

    /// Makes the window so wide, in pixels.
    pub fn resize(&mut self, width: u32) {
        let size = json!({ "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false });
        self.call("Emulation.setDeviceMetricsOverride", &size);
    }

    /// Opens a file, and waits until it is there.
    pub fn open(&mut self, file: &Path) {
        self.events.retain(|event| event["method"] != "Page.loadEventFired");
        self.call("Page.navigate", &json!({ "url": format!("file://{}", file.display()) }));
        while !self.events.iter().any(|event| event["method"] == "Page.loadEventFired") {
            self.message();
        }
    }

    /// The value of an expression in the page.
    ///
    /// # Panics
    /// If it throws.
    pub fn value(&mut self, expression: &str) -> Value {
        let asked = json!({ "expression": expression, "returnByValue": true });
        let found = self.call("Runtime.evaluate", &asked);
        assert!(found.get("exceptionDetails").is_none(), "{expression}: {found}");
        found["result"]["value"].clone()
    }

    /// Presses a key and lets it go, as a keyboard does.
    pub fn press(&mut self, key: &str, code: u32, text: &str) {
        for kind in ["keyDown", "keyUp"] {
            let text = if kind == "keyDown" { text } else { "" };
            let pressed = json!({ "type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code, "text": text });
            self.call("Input.dispatchKeyEvent", &pressed);
        }
    }

    /// Clicks at a place in the window, as a mouse does.
    pub fn click(&mut self, [x, y]: [f64; 2]) {
        for kind in ["mousePressed", "mouseReleased"] {
            let pressed = json!({ "type": kind, "x": x, "y": y, "button": "left", "clickCount": 1 });
            self.call("Input.dispatchMouseEvent", &pressed);
        }
    }

    /// What went wrong so far: exceptions, errors on the console, and requests for anything that is not on disk.
    #[must_use]
    pub fn faults(&self) -> Vec<String> {
        let is_fault = |event: &&Value| match event["method"].as_str() {
            Some("Runtime.exceptionThrown" | "Log.entryAdded" | "Runtime.consoleAPICalled") => true,
            Some("Network.requestWillBeSent") => {
                let url = event["params"]["request"]["url"].as_str().unwrap_or_default();
                !["file:", "data:", "about:"].iter().any(|scheme| url.starts_with(scheme))
            }
            _ => false,
        };
        self.events.iter().filter(is_fault).map(Value::to_string).collect()
    }
}
