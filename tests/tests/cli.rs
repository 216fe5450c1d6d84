//! `lgl2o compare` and `lgl2o data`, end to end: what they write, and what they say when asked wrongly.

use std::fs;
use std::io::Read as _;
use std::path::Path;

use lgl2o_tests::program::{command, folder, lgl2o, ran, write_idx};

const SHORT: [&str; 5] = ["compare", "--quick", "--steps", "20", "--optimizers"];

fn short<'a>(optimizers: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    SHORT.iter().copied().chain([optimizers]).chain(more.iter().copied()).collect()
}

fn read(path: impl AsRef<Path>) -> Vec<u8> {
    let path = path.as_ref();
    fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Everything that the report consists of is there, and the record has the documented shape.
#[test]
fn compare_writes_a_whole_report() {
    let dir = folder();
    let ran = lgl2o(dir.path(), &short("sgd,l2o,lgl2o(l2o,sgd,paper),gl2o(l2o,sgd),blend(l2o,adam,share=0.5)", &[]));
    ran.expect(0, &[]);
    assert!(ran.out.contains("lgl2o(l2o,sgd:1,paper)"), "{}", ran.out);
    let out = dir.path().join("out/spirals");
    for file in ["table.md", "loss-by-step.svg", "loss-by-cost.svg", "verdicts.svg", "boundary.svg", "report.html"] {
        assert!(!read(out.join(file)).is_empty(), "{file}");
    }
    let page = String::from_utf8(read(out.join("report.html"))).unwrap();
    assert!(!page.contains("src=\"http") && !page.contains("href=\"http"), "the page needs the network");
    let json: serde_json::Value = serde_json::from_slice(&read(out.join("results.json"))).unwrap();
    assert_eq!(json["version"], 1);
    assert_eq!((&json["task"], &json["parameters"], &json["batch"]), (&"spirals".into(), &1218.into(), &128.into()));
    let runs = json["runs"].as_array().unwrap();
    assert_eq!(runs.len(), 10);
    for run in runs {
        let curve = run["curve"].as_array().unwrap();
        assert_eq!(curve.first().unwrap()["step"], 0);
        assert_eq!(curve.last().unwrap()["step"], 20);
        for key in ["cost", "train_loss", "test_loss", "test_accuracy"] {
            assert!(curve.iter().all(|point| point[key].is_number()), "{key}");
        }
    }
    // A plain rule spends one gradient a step; the paper's LGL2O with n_t = n_c = 10 spends 19 gradients and 20 forwards a round.
    assert_eq!(runs[0]["curve"].as_array().unwrap().last().unwrap()["cost"], 60.0);
    assert_eq!(runs[4]["curve"].as_array().unwrap().last().unwrap()["cost"], 2.0 * (19.0 * 3.0 + 20.0));
    assert!(json["summary"].as_array().unwrap().iter().all(|row| row["test_loss_mean"].is_number()));
}

/// One seed, one record: byte for byte, whatever the number of threads.
#[test]
fn one_thread_and_two_give_the_same_bytes() {
    let dir = folder();
    let optimizers = "sgd,adam,lgl2o(l2o,sgd),gl2o(l2o,sgd)";
    for threads in ["1", "2"] {
        lgl2o(dir.path(), &short(optimizers, &["--threads", threads, "--out", threads])).expect(0, &[]);
    }
    for file in ["results.json", "table.md", "loss-by-cost.svg", "verdicts.svg", "boundary.svg", "report.html"] {
        assert!(read(dir.path().join("1").join(file)) == read(dir.path().join("2").join(file)), "{file} differs");
    }
}

/// A run that leaves the finite numbers is a result, not a failure: its losses are null.
#[test]
fn a_diverged_run_is_null_in_the_record() {
    let dir = folder();
    lgl2o(dir.path(), &short("sgd:1e38,sgd:0.1", &["--out", "o"])).expect(0, &[]);
    let json: serde_json::Value = serde_json::from_slice(&read(dir.path().join("o/results.json"))).unwrap();
    let last = |run: usize| json["runs"][run]["curve"].as_array().unwrap().last().unwrap().clone();
    assert!(last(0)["test_loss"].is_null() && last(0)["test_accuracy"].is_null());
    assert!(last(2)["test_loss"].is_number());
    assert!(String::from_utf8(read(dir.path().join("o/table.md"))).unwrap().contains("diverged"));
}

/// Any folder of IDX files is a task, whatever its image size and number of classes.
#[test]
fn any_idx_folder_is_a_task() {
    let dir = folder();
    write_idx(dir.path(), 6, 3, 300, 60);
    let data = dir.path().to_str().unwrap();
    let ran = lgl2o(dir.path(), &short("adam:0.03", &["--task", "idx", "--data", data, "--batch", "32", "--out", "o"]));
    ran.expect(0, &[]);
    let json: serde_json::Value = serde_json::from_slice(&read(dir.path().join("o/results.json"))).unwrap();
    assert_eq!(json["model"], "36-20-3 sigmoid, softmax cross-entropy");
}

/// A network of one's own, on any task.
#[test]
fn hidden_layers_can_be_chosen() {
    let dir = folder();
    lgl2o(dir.path(), &short("sgd", &["--hidden", "8,4", "--activation", "relu", "--out", "o"])).expect(0, &[]);
    let json: serde_json::Value = serde_json::from_slice(&read(dir.path().join("o/results.json"))).unwrap();
    assert_eq!(json["model"], "2-8-4-2 relu, softmax cross-entropy");
    let page = String::from_utf8(read(dir.path().join("o/report.html"))).unwrap();
    assert!(page.contains("--hidden 8,4 --activation relu") && page.contains("not on this task"));
}

/// Wrong arguments: exit status 2, what is wrong, and what would be right.
#[test]
fn wrong_arguments_are_explained() {
    let dir = folder();
    let cases: [(&[&str], &[&str]); 20] = [
        (&["compare", "--task", "spiral"], &["spiral", "spirals"]),
        (&["compare", "--optimizers", "adm"], &["unknown optimizer `adm`", "did you mean `adam`", "known:"]),
        (&["compare", "--optimizers", "lgl2o(l2o,sgd,marge=2)"], &["did you mean `margin`"]),
        (&["compare", "--optimizers", "sgd:1,"], &["cannot read the optimizer expression"]),
        (&["compare", "--optimizers", "sgd:1,sgd:1"], &["listed twice"]),
        (&["compare", "--optimizers", "sgd:-3"], &["no rate"]),
        (&["compare", "--steps", "0"], &["0 is not in 1.."]),
        (&["compare", "--steps", "15", "--optimizers", "lgl2o(l2o,sgd,paper)"], &["multiple of 10"]),
        (
            &["compare", "--optimizers", "controller"],
            &["unknown optimizer `controller`", "known: auto,", "l2o, learned-ngn"],
        ),
        (&["compare", "--seeds", "0"], &["0 is not in 1.."]),
        (&["compare", "--quick", "--batch", "5000"], &["larger than the training data"]),
        (
            &["compare", "--quick", "--batch", "1001", "--optimizers", "lgl2o(l2o,sgd)"],
            &["no batch would be left to check with"],
        ),
        (&["compare", "--sted", "1"], &["--sted", "--seed"]),
        (&["compare", "--hidden", "8,0"], &["0 is not in 1.."]),
        (&["compare", "--activation", "softplus"], &["softplus", "sigmoid"]),
        (&["reproduce", "--only", "2,99"], &["unknown experiment `99`", "known: in-distribution"]),
        (&["reproduce", "--only", "spiral"], &["did you mean `spirals`?"]),
        (&["comare"], &["comare", "compare"]),
        (&["meta-train"], &["--config"]),
        (&["data", "fetch", "mist"], &["mist", "mnist"]),
    ];
    for (arguments, says) in cases {
        lgl2o(dir.path(), arguments).expect(2, says);
    }
}

/// Data that are missing: exit status 1, where they were looked for, and how to get them.
#[test]
fn missing_data_are_explained() {
    let dir = folder();
    let ran = lgl2o(dir.path(), &short("sgd", &["--task", "mnist", "--data", "nowhere"]));
    ran.expect(1, &["nowhere", "lgl2o data fetch mnist"]);
    let ran = lgl2o(dir.path(), &["data"]);
    ran.expect(0, &[]);
    assert!(ran.out.contains("data directory:") && ran.out.contains("spirals: built in"), "{}", ran.out);
}

/// Damaged data: exit status 1, the file and what is wrong with it; results that are there stay as they are.
#[test]
fn damaged_data_are_refused_and_results_kept() {
    let dir = folder();
    write_idx(dir.path(), 4, 2, 64, 16);
    let out = dir.path().join("o");
    fs::create_dir(&out).unwrap();
    fs::write(out.join("results.json"), "precious").unwrap();
    let data = dir.path().to_str().unwrap().to_owned();
    let run = || lgl2o(dir.path(), &short("sgd:1", &["--task", "idx", "--data", &data, "--batch", "8", "--out", "o"]));
    let images = dir.path().join("train-images-idx3-ubyte");
    let labels = dir.path().join("train-labels-idx1-ubyte");
    let (good_images, good_labels) = (read(&images), read(&labels));
    let damage = |path: &Path, bytes: &[u8], says: &[&str]| {
        let good = read(path);
        fs::write(path, bytes).unwrap();
        run().expect(1, says);
        fs::write(path, good).unwrap();
    };
    damage(&images, &good_images[..100], &["train-images-idx3-ubyte"]);
    damage(&images, b"not an IDX file at all", &["train-images-idx3-ubyte", "not the expected kind of IDX file"]);
    damage(&labels, &good_labels[..40], &["train-labels-idx1-ubyte"]);
    let mut fewer = good_labels[..good_labels.len() - 1].to_vec();
    fewer[7] -= 1;
    damage(&labels, &fewer, &["63", "64"]);
    assert_eq!(read(out.join("results.json")), b"precious");
    run().expect(0, &[]);
    assert_ne!(read(out.join("results.json")), b"precious");
}

/// A place that cannot be written to is found out before the work, not after it.
#[test]
fn an_output_directory_that_is_a_file_is_refused() {
    let dir = folder();
    fs::write(dir.path().join("taken"), "a file").unwrap();
    lgl2o(dir.path(), &short("sgd", &["--out", "taken"])).expect(1, &["output directory", "taken"]);
    assert_eq!(read(dir.path().join("taken")), b"a file");
}

/// A weights file that is damaged or foreign is refused by name, one that is whole is used.
#[test]
fn weights_files_are_checked() {
    let dir = folder();
    let good = read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../core/src/learned/ngn.l2o"));
    let file = dir.path().join("w.l2o");
    fs::write(&file, &good).unwrap();
    lgl2o(dir.path(), &short("l2o,l2o:w.l2o", &["--out", "o"])).expect(0, &[]);
    let json: serde_json::Value = serde_json::from_slice(&read(dir.path().join("o/results.json"))).unwrap();
    assert_eq!(json["runs"][0]["curve"], json["runs"][2]["curve"], "the built-in rule and its file");
    let mut damaged = good.clone();
    damaged[40] ^= 1;
    fs::write(&file, &damaged).unwrap();
    lgl2o(dir.path(), &short("l2o:w.l2o", &[])).expect(2, &["w.l2o", "checksum"]);
    let mut old = good;
    old[5] = 1;
    fs::write(&file, &old).unwrap();
    lgl2o(dir.path(), &short("l2o:w.l2o", &[])).expect(2, &["w.l2o", "kind 1, which this version no longer has"]);
    fs::write(&file, b"something else").unwrap();
    lgl2o(dir.path(), &short("l2o:w.l2o", &[])).expect(2, &["w.l2o", "it is text, and no file of weights"]);
    lgl2o(dir.path(), &short("l2o:gone.l2o", &[])).expect(2, &["gone.l2o", "cannot be read"]);
}

/// Help shows examples, for the program and for each command.
#[test]
fn help_shows_examples() {
    let dir = folder();
    for arguments in [&["--help"][..], &["compare", "--help"], &["reproduce", "--help"]] {
        let ran = lgl2o(dir.path(), arguments);
        ran.expect(0, &[]);
        assert!(ran.out.contains("Examples:"), "{}", ran.out);
    }
}

/// With MNIST at hand, the main job runs on it.
#[test]
fn mnist_is_a_task_where_it_stands() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    if !data.join("mnist").is_dir() {
        eprintln!("skipped: no MNIST beside the checkout");
        return;
    }
    let dir = folder();
    let ran =
        lgl2o(dir.path(), &short("momentum,lgl2o(l2o,sgd)", &["--task", "mnist", "--data", data.to_str().unwrap()]));
    ran.expect(0, &[]);
    let json: serde_json::Value = serde_json::from_slice(&read(dir.path().join("out/mnist/results.json"))).unwrap();
    assert_eq!(
        (&json["model"], &json["parameters"]),
        (&"784-20-10 sigmoid, softmax cross-entropy".into(), &15_910.into())
    );
    let last = json["summary"].as_array().unwrap().last().unwrap()["test_loss_mean"].as_f64().unwrap();
    assert!(last < 1.5, "20 guarded steps leave a loss of {last}, no better than guessing");
}

/// Without the program that downloads, one line says so, and the rest how to do without it; nothing is left behind.
#[test]
fn a_download_without_curl_says_what_is_missing() {
    let dir = folder();
    let mut fetch = command(dir.path(), &["data", "fetch", "mnist", "--data", "d"]);
    let fetched = ran(fetch.env("PATH", ""));
    fetched.expect(1, &["`curl` does not start", "install it", "by hand", "d/mnist", "train-images-idx3-ubyte.gz"]);
    assert_eq!(fetched.err.matches("does not start").count(), 1, "{}", fetched.err);
    assert!(!dir.path().join("d").exists());
    let mut doctor = command(dir.path(), &["doctor", "data", "--data", "d"]);
    let looked = ran(doctor.env("PATH", ""));
    assert!(looked.status == 1 && looked.out.contains("MISSING  curl"), "{looked:#?}");
}

/// A download ends with the program, also where that is killed: its connection is closed.
#[test]
fn a_download_ends_with_the_program() {
    let dir = folder();
    // A proxy that never answers. A curl that is left alone gives up after 15 seconds or more.
    let proxy = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", proxy.local_addr().unwrap());
    let mut fetch = command(dir.path(), &["data", "fetch", "mnist", "--data", "d"]);
    let fetch = fetch.env("https_proxy", address).env("no_proxy", "").stderr(std::process::Stdio::null());
    let mut program = fetch.spawn().unwrap();
    let (mut connection, _) = proxy.accept().unwrap();
    connection.set_read_timeout(Some(std::time::Duration::from_secs(10))).unwrap();
    program.kill().unwrap();
    program.wait().unwrap();
    connection.read_to_end(&mut Vec::new()).expect("nobody holds the connection");
}

/// The times themselves are the machine's; what is around them is not.
#[test]
fn bench_prints_what_it_was_asked_for() {
    let dir = folder();
    let few = ["bench", "--networks", "S1", "--optimizers", "sgd:0.3,l2o,lgl2o(l2o,sgd:0.3)", "--steps", "10"];
    let run = lgl2o(dir.path(), &[&few[..], &["--rounds", "3", "--json"]].concat());
    run.expect(0, &[]);
    let json: serde_json::Value = serde_json::from_str(&run.out).expect("JSON and nothing else");
    let figures = json["measurements"].as_array().expect("figures");
    assert_eq!((&json["version"], figures.len()), (&1.into(), 3));
    for figure in figures {
        let [least, median, greatest] = ["least", "median", "greatest"].map(|key| figure["step"][key].as_f64());
        assert!(least > Some(0.0) && least <= median && median <= greatest, "{figure}");
        assert_eq!(figure["update"].is_null(), figure["optimizer"] == "lgl2o(l2o,sgd:0.3)");
    }
    let table = lgl2o(dir.path(), &[&few[..], &["--rounds", "1"]].concat());
    assert!(table.out.contains("| S1: 2-32-32-2 tanh") && table.out.contains("`l2o`"), "{}", table.out);
    assert!(table.out.contains("report: out/bench/report.html"), "{}", table.out);
    let drawn = dir.path().join("pictures/growth.svg");
    let growth = "bench --networks S1 --optimizers sgd:0.3,lean --rounds 1 --steps 2 --growth pictures/growth.svg";
    lgl2o(dir.path(), &growth.split(' ').collect::<Vec<_>>()).expect(0, &[]);
    let picture = std::fs::read_to_string(drawn).expect("a picture");
    let page = std::fs::read_to_string(dir.path().join("out/bench/report.html")).expect("a page");
    for part in ["Hidden units", "Hidden layers", "Examples in a batch", "sgd:0.3", "lean"] {
        assert!(picture.contains(part) && page.contains(part), "{part}");
    }
    for part in
        ["A step of <code>lean</code> takes", "--growth &#39;pictures/growth.svg&#39; --rounds 1 --steps 2</code>"]
    {
        assert!(page.contains(part), "{part}");
    }
    lgl2o(dir.path(), &["bench", "--networks", "S9"]).expect(2, &["S1"]);
    lgl2o(dir.path(), &["bench", "--optimizers", "sgdd"]).expect(2, &["sgd"]);
    lgl2o(dir.path(), &["bench", "--rounds", "0"]).expect(2, &["--rounds"]);
}
