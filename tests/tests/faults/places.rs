//! Where results go: links stay links, devices and write-protected files are left alone, and a name may be any.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _, symlink};
use std::process::Command;

use lgl2o_tests::program::ran;

use crate::commands::{COMMANDS, call, place};
use crate::{leftovers, no_panic};

/// A result whose place is a link is written to where the link leads.
#[test]
fn links_stay_links() {
    for case in COMMANDS.iter().filter(|case| case.writes) {
        let (Some(result), dir) = (case.result, place()) else { continue };
        let (link, target) = (dir.path().join(result), dir.path().join("elsewhere/file"));
        fs::create_dir_all(link.parent().expect("a folder")).expect("made");
        symlink("../elsewhere/file", &link).expect("linked");
        // The link leads to a folder that is not there.
        let refused = ran(&mut call(dir.path(), case.short));
        no_panic(&refused);
        refused.expect(1, &["cannot write", result, "leads nowhere", "Remove the link"]);
        fs::create_dir(dir.path().join("elsewhere")).expect("made");
        ran(&mut call(dir.path(), case.short)).expect(0, &[]);
        assert!(link.is_symlink() && target.is_file() && !target.is_symlink(), "{}", case.name);
        assert_eq!(leftovers(dir.path()), [""; 0], "{}", case.name);
    }
}

/// A result that is write-protected is not replaced.
#[test]
fn write_protected_results_are_left_alone() {
    for case in COMMANDS.iter().filter(|case| case.writes) {
        let (Some(result), dir) = (case.result, place()) else { continue };
        let file = dir.path().join(result);
        fs::create_dir_all(file.parent().expect("a folder")).expect("made");
        fs::write(&file, "precious").expect("written");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o444)).expect("set");
        let anew = match case.name {
            "train" | "meta-train" => " --restart",
            "export" | "import" => " --force",
            _ => "",
        };
        let ran = ran(&mut call(dir.path(), &format!("{}{anew}", case.short)));
        no_panic(&ran);
        ran.expect(1, &["cannot write", result, "write-protected", "Make it writable"]);
        assert_eq!(fs::read(&file).expect("there"), b"precious", "{}", case.name);
    }
}

/// A device is no place of a result; `-` is standard output where results are text.
#[test]
fn devices_are_left_alone() {
    let dir = place();
    // As /dev/stdout is one, to what /proc says of this process.
    symlink("/proc/self/fd/1", dir.path().join("stdout")).expect("linked");
    symlink("/dev/null", dir.path().join("null")).expect("linked");
    for place in ["/dev/null", "/dev/full", "/proc/self/fd/1", "stdout", "null"] {
        for line in ["predict --model in/m.lgl2o --data in/t.csv --out", "playground --out", "bench --growth"] {
            let ran = ran(&mut call(dir.path(), &format!("{line} {place}")));
            no_panic(&ran);
            ran.expect(1, &["cannot write", place, "something that is not a file"]);
        }
    }
    assert!(fs::metadata("/dev/null").expect("there").file_type().is_char_device());
    assert!(dir.path().join("stdout").is_symlink() && dir.path().join("null").is_symlink());
    for name in ["..", "/", "x/", "."] {
        for line in ["predict --model in/m.lgl2o --data in/t.csv --out", "playground --out", "bench --growth"] {
            ran(&mut call(dir.path(), &format!("{line} {name}"))).expect(1, &[name, "add the name of the file"]);
        }
    }
    let line = "predict --model in/m.lgl2o --data in/t.csv";
    let [plain, dash] = ["", " --out -"].map(|more| ran(&mut call(dir.path(), &format!("{line}{more}"))));
    assert_eq!((plain.expect(0, &[]).out.as_str(), dash.expect(0, &[]).status), (dash.out.as_str(), 0));
    assert!(!dir.path().join("-").exists() && plain.out.starts_with("class,"));
}

/// Names that a shell, a terminal or Unicode has trouble with.
#[test]
fn any_name_will_do() {
    for name in
        ["my files", "-x", "a\nb", "it's", "\u{1b}[31mred", "\u{30c7}"].map(str::as_bytes).iter().chain([&&b"\xff"[..]])
    {
        let dir = place();
        let name = OsStr::from_bytes(name);
        fs::copy(dir.path().join("in/t.csv"), dir.path().join(name)).expect("copied");
        let with = |line: &str, flag: &str, value: &OsStr| -> Command {
            let mut command = call(dir.path(), line);
            let mut argument = OsStr::new(flag).to_owned();
            argument.push(value);
            command.arg(argument);
            command
        };
        ran(&mut with("train --hidden 2 --steps 5 --out m", "--data=", name)).expect(0, &[]);
        let mut out = name.to_owned();
        out.push(".out");
        ran(&mut with("predict --data in/t.csv --model m/model.lgl2o", "--out=", &out)).expect(0, &[]);
        assert!(dir.path().join(&out).is_file());
        ran(&mut with("compare --steps 5 --seeds 1 --optimizers sgd:0.1", "--out=", &{
            let mut folder = name.to_owned();
            folder.push(".d");
            folder
        }))
        .expect(0, &[]);
        assert_eq!(leftovers(dir.path()), [""; 0]);
        // What was not found is told without what a terminal would obey.
        let mut gone = name.to_owned();
        gone.push(".gone");
        let ran = ran(&mut with("train --hidden 2 --out n", "--data=", &gone));
        ran.expect(1, &["cannot read", "Correct the path."]);
        assert!(!ran.err.contains('\u{1b}'), "{ran:#?}");
        // The command line in the report can be typed.
        let json = fs::read_to_string(dir.path().join("m/metrics.json")).expect("written");
        assert!(!json.contains("--data -"), "{json}");
    }
}

/// A call that fails before its work leaves no folder behind.
#[test]
fn what_was_not_begun_leaves_nothing() {
    let dir = place();
    for line in [
        "survey --data nowhere --synthetic 0 --out out",
        "survey --data in --synthetic 0 --networks 4:relu --batch 65 --steps 9 --optimizers sgd:1 --flat none --out out",
        "reproduce --only 1 --data nowhere --out out",
        "reproduce --quick --only 4 --data nowhere --idx nowhere --out out",
        "bench --networks S2 --data nowhere --out out",
        "compare --task mnist --data nowhere --out out",
        "train --data nowhere --out out",
        "meta-train --config nowhere --out out",
        "predict --model nowhere --data in/t.csv --out out/p.csv",
        "import --from nowhere --out out",
    ] {
        let ran = ran(&mut call(dir.path(), line));
        no_panic(&ran);
        assert!(matches!(ran.status, 1 | 2), "{line}: {ran:#?}");
        assert!(!dir.path().join("out").exists(), "{line}");
    }
    // Nobody answers at this address.
    let mut fetch = call(dir.path(), "data fetch mnist --data out");
    for name in ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "http_proxy", "HTTP_PROXY"] {
        fetch.env(name, "http://127.0.0.1:9");
    }
    ran(fetch.env_remove("NO_PROXY").env_remove("no_proxy")).expect(1, &["by hand"]);
    assert!(!dir.path().join("out").exists(), "a download that failed");
}
