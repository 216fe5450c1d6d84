//! The pages that the program writes, in headless Chromium: from disk, without a network.
//!
//! Of every kind of page: tables sort by mouse and keyboard, nothing is wider than a narrow window, nothing is asked of a network, and
//! nothing stands on the console. Ignored unless asked for, since it needs Chromium:
//!
//! ```text
//! cargo test -p lgl2o-tests --test pages -- --ignored
//! ```

use std::fs;
use std::path::Path;

use lgl2o_tests::browser::{Page, chromium, skipped};
use lgl2o_tests::program::{folder, lgl2o};
use serde_json::{Value, json};

/// Widths of a phone, a tablet and a desktop.
const WIDTHS: [u32; 3] = [390, 768, 1280];

/// Each kind of page: the call that writes it into `o`, and its file.
const PAGES: [(&[&str], &str); 6] = [
    (
        &[
            "compare",
            "--task",
            "spirals",
            "--optimizers",
            "auto,sgd:0.3,adam:30",
            "--steps",
            "30",
            "--seeds",
            "2",
            "--out",
            "o",
        ],
        "report.html",
    ),
    (&["survey", "--quick", "--optimizers", "auto,adam:0.03", "--flat", "none", "--out", "o"], "survey.html"),
    (&["reproduce", "--quick", "--data", "nowhere", "--only", "2,7", "--seeds", "1", "--out", "o"], "report.html"),
    (
        &[
            "bench",
            "--networks",
            "S1,S4",
            "--optimizers",
            "sgd:0.3,auto",
            "--rounds",
            "1",
            "--steps",
            "20",
            "--out",
            "o",
        ],
        "report.html",
    ),
    (&["train", "--data", "c.csv", "--target", "kind", "--steps", "60", "--out", "o"], "report.html"),
    (&["train", "--data", "v.csv", "--target", "y", "--regression", "--steps", "60", "--out", "o"], "report.html"),
];

/// Rows of three classes, and of a value.
fn tables(dir: &Path) {
    let row = |i: u32| [f64::from(i % 13) / 3.0, f64::from(i * i % 17), f64::from(i % 3)];
    let rows = || (0..120).map(row);
    let classes: String = rows().map(|[a, b, c]| format!("{},{b},kind {c}\n", a + 9.0 * c)).collect();
    let values: String = rows().map(|[a, b, c]| format!("{a},{b},{}\n", 0.7 * a - 0.3 * b + c)).collect();
    fs::write(dir.join("c.csv"), format!("a,b,kind\n{classes}")).expect("written");
    fs::write(dir.join("v.csv"), format!("a,b,y\n{values}")).expect("written");
}

/// The table that is tried: the first one that can be sorted.
const TABLE: &str = "[...document.querySelectorAll('table')].find(t => t.querySelector('thead button'))";

/// The numbers of the second column, from above; what is no number as null.
fn column(page: &mut Page) -> Vec<Option<f64>> {
    let cells = page.value(&format!("[...{TABLE}.tBodies[0].rows].map(r => parseFloat(r.cells[1].textContent))"));
    cells.as_array().expect("cells").iter().map(Value::as_f64).collect()
}

/// How the second column is sorted, and the order of the table's rows.
fn order(page: &mut Page) -> (Value, Value) {
    let sorted = page.value(&format!("{TABLE}.tHead.rows[0].cells[1].getAttribute('aria-sort')"));
    (sorted, page.value(&format!("[...{TABLE}.tBodies[0].rows].map(r => r.textContent)")))
}

/// Sorts by the second column, first by mouse, then by keyboard.
fn assert_sorts(page: &mut Page) {
    let before = order(page);
    assert_eq!(before.0, Value::Null);
    let button = format!("{TABLE}.tHead.rows[0].cells[1].querySelector('button')");
    let place = page.value(&format!(
        "(b => {{ b.scrollIntoView({{ block: 'center', inline: 'center' }}); const r = b.getBoundingClientRect(); \
         return [r.x + r.width / 2, r.y + 4]; }})({button})"
    ));
    page.click([0, 1].map(|i| place[i].as_f64().expect("a place")));
    let up = order(page);
    let numbers: Vec<f64> = column(page).into_iter().map_while(|x| x).collect();
    assert!(up.0 == "ascending" && numbers.is_sorted(), "by mouse: {up:?} {numbers:?}");
    // From the first column's button by Tab, then Enter.
    page.value(&format!("{TABLE}.tHead.rows[0].cells[0].querySelector('button').focus()"));
    page.press("Tab", 9, "");
    assert_eq!(page.value(&format!("document.activeElement === {button}")), json!(true), "Tab");
    page.press("Enter", 13, "\r");
    let down = order(page);
    let numbers: Vec<f64> = column(page).into_iter().map_while(|x| x).collect();
    assert!(down.0 == "descending" && numbers.is_sorted_by(|a, b| a >= b), "by keyboard: {down:?} {numbers:?}");
    let is_same = numbers.first() == numbers.last();
    assert!(is_same || up.1 != down.1, "rows stay where they were");
}

#[test]
#[ignore = "needs Chromium"]
fn every_page_sorts_fits_and_needs_no_network() {
    let Some(program) = chromium() else { return skipped("reports in a browser: they need Chromium") };
    let home = folder();
    let mut page = Page::start(&program, &home.path().join("profile"));
    let mut sorted = 0;
    for (call, file) in PAGES {
        let dir = folder();
        tables(dir.path());
        lgl2o(dir.path(), call).expect(0, &[]);
        for width in WIDTHS {
            page.resize(width);
            page.open(&dir.path().join("o").join(file));
            let wide = page.value("document.documentElement.scrollWidth - window.innerWidth");
            assert!(wide.as_i64() <= Some(0), "{call:?} is {wide} pixels too wide at {width}");
            assert!(page.value("document.querySelectorAll('svg').length").as_u64() > Some(0), "{call:?}");
            if page.value(&format!("{TABLE} !== undefined")) == json!(true) {
                assert_sorts(&mut page);
                sorted += 1;
            }
        }
        assert_eq!(page.faults(), Vec::<String>::new(), "{call:?}");
    }
    assert_eq!(sorted, WIDTHS.len() * PAGES.len());
}
