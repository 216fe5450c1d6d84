//! A report of several experiments: one page, and the same in Markdown.
//!
//! What it says is decided elsewhere; here it is only laid out.

use super::html::{command, figure, foot, head};
use super::text::{escape, printable};

/// A report.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Overview {
    /// Its title.
    pub title: String,
    /// What comes first, a paragraph each.
    pub lead: Vec<String>,
    /// A picture right after it, with its caption.
    pub picture: Option<(String, String)>,
    /// A table after that.
    pub table: Table,
    /// The rest.
    pub sections: Vec<Section>,
    /// The command that makes it again; empty for none.
    pub command: String,
}

/// A part of a report with a heading of its own.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Section {
    /// The heading.
    pub title: String,
    /// 2 for a heading of the report, 3 for one within it.
    pub level: u8,
    /// Paragraphs.
    pub text: Vec<String>,
    /// Tables.
    pub tables: Vec<Table>,
    /// Pictures, as SVG, each with its caption.
    pub pictures: Vec<(String, String)>,
    /// A file or folder beside the report that holds more, with what it holds.
    pub more: Option<[String; 2]>,
}

/// A table; texts between backticks are code, those between two asterisks are bold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Table {
    /// What it shows.
    pub caption: String,
    /// Titles of the columns.
    pub head: Vec<String>,
    /// Rows of as many cells.
    pub rows: Vec<Vec<String>>,
    /// Whether cells hold words rather than numbers.
    pub words: bool,
}

impl Overview {
    /// The page: one file that opens from disk, with nothing to fetch; a small script sorts its tables.
    #[must_use]
    pub fn html(&self) -> String {
        let mut out = head(&self.title);
        self.lead.iter().for_each(|text| out.push_str(&paragraph(text)));
        let first = self.picture.iter().map(|(picture, caption)| figure(picture, &escape(caption)));
        first.for_each(|picture| out.push_str(&picture));
        out.push_str(&self.table.html());
        self.sections.iter().for_each(|section| out.push_str(&section.html()));
        if !self.command.is_empty() {
            out.push_str(&command(&self.command));
        }
        out + &foot()
    }

    /// The same in Markdown, without the pictures.
    #[must_use]
    pub fn markdown(&self) -> String {
        let mut out = format!("# {}\n\n", self.title);
        self.lead.iter().for_each(|text| out.push_str(&format!("{text}\n\n")));
        out.push_str(&self.table.markdown());
        self.sections.iter().for_each(|section| out.push_str(&section.markdown()));
        if !self.command.is_empty() {
            out.push_str(&format!("## Make it again\n\n    {}\n", printable(&self.command)));
        }
        out
    }
}

impl Section {
    fn html(&self) -> String {
        let mut out = format!("<h{0}>{1}</h{0}>\n", self.level, escape(&self.title));
        self.text.iter().for_each(|text| out.push_str(&paragraph(text)));
        self.pictures.iter().for_each(|(picture, caption)| out.push_str(&figure(picture, &escape(caption))));
        self.tables.iter().for_each(|table| out.push_str(&table.html()));
        if let Some([path, what]) = &self.more {
            let (path, what) = (escape(path), escape(what));
            out.push_str(&format!("<p class=\"small\">{what}: <a href=\"{path}\"><code>{path}</code></a></p>\n"));
        }
        out
    }

    fn markdown(&self) -> String {
        let mut out = format!("{} {}\n\n", "#".repeat(self.level.into()), self.title);
        self.text.iter().for_each(|text| out.push_str(&format!("{text}\n\n")));
        self.tables.iter().for_each(|table| out.push_str(&table.markdown()));
        if let Some([path, what]) = &self.more {
            out.push_str(&format!("{what}: [{path}]({path})\n\n"));
        }
        out
    }
}

impl Table {
    fn html(&self) -> String {
        if self.rows.is_empty() {
            return String::new();
        }
        let head: String = self.head.iter().map(|title| format!("<th scope=\"col\">{}</th>", inline(title))).collect();
        let row = |cells: &Vec<String>| {
            let first = cells.first().map(|cell| format!("<th scope=\"row\">{}</th>", inline(cell)));
            let rest = cells.iter().skip(1).map(|cell| cell_html(cell));
            format!("<tr>{}</tr>\n", first.into_iter().chain(rest).collect::<String>())
        };
        let rows: String = self.rows.iter().map(row).collect();
        let caption = paragraph(&self.caption);
        let class = if self.words { "words" } else { "numbers" };
        format!(
            "{caption}<div class=\"scroll\">\n<table class=\"{class}\">\n<thead><tr>{head}</tr></thead>\n\
             <tbody>\n{rows}</tbody>\n</table>\n</div>\n"
        )
    }

    /// The table in Markdown.
    #[must_use]
    pub fn markdown(&self) -> String {
        if self.rows.is_empty() {
            return String::new();
        }
        let line = |cells: &Vec<String>| {
            format!("| {} |\n", cells.iter().map(|cell| cell.replace('|', "\\|")).collect::<Vec<_>>().join(" | "))
        };
        let rest = if self.words { ":---|" } else { "---:|" };
        let rule = format!("|:---|{}\n", rest.repeat(self.head.len().saturating_sub(1)));
        let rows: String = self.rows.iter().map(line).collect();
        let caption = if self.caption.is_empty() { String::new() } else { format!("{}\n\n", self.caption) };
        format!("{caption}{}{rule}{rows}\n", line(&self.head))
    }
}

fn paragraph(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("<p>{}</p>\n", inline(text)) }
}

/// A cell: the spread below the mean, what went wrong in its colour.
fn cell_html(cell: &str) -> String {
    let class = match cell.trim_matches('*') {
        "diverged" | "no" => " class=\"bad\"",
        _ if cell.starts_with("**") => " class=\"best\"",
        _ => "",
    };
    let text = match cell.split_once(" ± ") {
        Some((mean, spread)) => {
            let (mean, spread) = (inline(mean.trim_matches('*')), inline(spread.trim_matches('*')));
            format!("{mean} <span class=\"spread\">± {spread}</span>")
        }
        None => inline(cell),
    };
    format!("<td{class}>{text}</td>")
}

/// Escapes a text, makes code of what stands between backticks, bold of what stands between double asterisks.
fn inline(text: &str) -> String {
    let marked = |text: String, mark: &str, tag: &str| {
        let mut parts = text.split(mark);
        let mut out = parts.next().unwrap_or_default().to_owned();
        for (i, part) in parts.enumerate() {
            let slash = if i % 2 == 0 { "" } else { "/" };
            out.push_str(&format!("<{slash}{tag}>{part}"));
        }
        let open = text.matches(mark).count() % 2 == 1;
        if open { out + &format!("</{tag}>") } else { out }
    };
    marked(marked(escape(text), "`", "code"), "**", "b")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Overview {
        Overview {
            title: "All <of> it".to_owned(),
            lead: vec!["What was `run`.".to_owned()],
            table: Table {
                caption: "Claims".to_owned(),
                head: ["claim", "reached"].map(str::to_owned).to_vec(),
                words: false,
                rows: vec![
                    ["a < b", "no"].map(str::to_owned).to_vec(),
                    ["c|d", "**1 ± 2**"].map(str::to_owned).to_vec(),
                ],
            },
            sections: vec![Section {
                title: "One".to_owned(),
                level: 2,
                text: vec!["An `open code".to_owned()],
                pictures: vec![("<svg xmlns=\"http://www.w3.org/2000/svg\"/>\n".to_owned(), "A & B".to_owned())],
                more: Some(["1/report.html", "Everything"].map(str::to_owned)),
                ..Section::default()
            }],
            picture: None,
            command: "lgl2o survey --data 'a `b`**'".to_owned(),
        }
    }

    #[test]
    fn the_page_is_well_formed_and_stands_alone() {
        let page = sample().html();
        let options = roxmltree::ParsingOptions { allow_dtd: true, ..Default::default() };
        let doc = roxmltree::Document::parse_with_options(&page, options).expect("well-formed");
        let count = |tag: &str| doc.descendants().filter(|e| e.tag_name().name() == tag).count();
        assert_eq!((count("figure"), count("table"), count("tr"), count("code"), count("script")), (1, 1, 3, 4, 1));
        // What a command quotes stays as it is.
        assert!(page.contains("<pre><code>lgl2o survey --data &#39;a `b`**&#39;</code></pre>"));
        assert!(page.contains("<td class=\"bad\">no</td>") && page.contains("± 2</span>"));
    }

    #[test]
    fn the_markdown_has_the_same_texts() {
        let text = sample().markdown();
        for part in
            ["# All <of> it\n", "| claim | reached |\n|:---|---:|\n", "| c\\|d |", "## One\n", "(1/report.html)"]
        {
            assert!(text.contains(part), "{part} in {text}");
        }
    }
}
