//! Writes a survey down: `survey.json`, a table in Markdown, pictures, one page.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use super::pictures::{FILES, Picture, left_out, pictures};
use super::record::{Against, By, Survey};
use super::words;
use crate::files::write_atomically;
use crate::report::overview::{Overview, Section};

/// Writes everything into a directory; returns the path of the page.
///
/// # Errors
/// A picture that cannot be drawn, a file that cannot be written.
pub fn write(out: &Path, survey: &Survey) -> Result<PathBuf> {
    write_atomically(&out.join("survey.json"), (serde_json::to_string(survey)? + "\n").as_bytes())?;
    write_atomically(&out.join("table.md"), markdown(survey).as_bytes())?;
    let pictures = pictures(survey)?;
    // What an earlier survey in this folder had, and this one has not.
    for file in FILES.iter().filter(|file| !pictures.iter().any(|picture| picture.file == **file)) {
        let path = out.join(file);
        if path.is_file() {
            std::fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.display()))?;
        }
    }
    pictures.iter().try_for_each(|picture| write_atomically(&out.join(picture.file), picture.svg.as_bytes()))?;
    let page = out.join("survey.html");
    write_atomically(&page, overview(survey, pictures).html().as_bytes())?;
    Ok(page)
}

/// The table for the terminal.
#[must_use]
pub fn markdown(survey: &Survey) -> String {
    words::main_table(survey).markdown()
}

fn overview(survey: &Survey, pictures: Vec<Picture>) -> Overview {
    let mut pictures = pictures.into_iter().map(|picture| (picture.svg, picture.caption));
    let first = pictures.next();
    let section = |title: &str| Section { title: title.to_owned(), level: 2, ..Section::default() };
    Overview {
        title: "lgl2o: a survey of optimizers".to_owned(),
        lead: [words::headline(survey), words::lead(survey)].concat(),
        picture: first,
        table: words::main_table(survey),
        sections: vec![
            Section { pictures: pictures.collect(), text: left_out(survey), ..section("More pictures") },
            Section {
                tables: vec![
                    words::more_table(survey, Against::Oracle, By::Cost, words::BY_COST),
                    words::more_table(survey, Against::Strong, By::Step, words::STRONG),
                ],
                ..section("At the same cost, and against a stronger oracle")
            },
            Section { tables: vec![words::worst_table(survey)], ..section("Where it goes wrong") },
            Section {
                tables: vec![words::task_table(survey)],
                more: Some(["survey.json", "Every loss and every factor"].map(str::to_owned)),
                ..section("The tasks")
            },
        ],
        command: survey.command.clone(),
    }
}
