//! Writes `docs/man/keepalived-rs.conf.5` from the tables and `docs/man/keywords.tsv`, which has for each keyword what
//! the tables do not: its arguments in the reader's words, default, unit, meaning.
//!
//! `UPDATE=1 cargo test --lib manual` writes the page anew.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::super::Table;
use super::super::top::TOP;

/// Arguments, default, unit and meaning by block and keyword; `-` for what there is not.
type Texts = BTreeMap<(&'static str, &'static str), [&'static str; 4]>;

const TEXTS: &str = include_str!("../../../../docs/man/keywords.tsv");
const INTRODUCTION: &str = include_str!("../../../../docs/man/conf-introduction.roff");

fn texts() -> Texts {
    let row = |line: &'static str| {
        let columns: Vec<_> = line.split('\t').collect();
        let [block, keyword, arguments, default, unit, meaning] = columns[..] else {
            panic!("not six columns: {line}")
        };
        ((block, keyword), [arguments, default, unit, meaning])
    };
    TEXTS.lines().skip(1).map(row).collect()
}

/// The page.
struct Page {
    out: String,
    texts: Texts,
    /// Entries of the texts that have found their rows.
    used: BTreeSet<(String, String)>,
    /// Rows without an entry.
    missing: Vec<String>,
}

impl Page {
    fn write() -> Self {
        let mut page =
            Self { out: INTRODUCTION.to_owned(), texts: texts(), used: BTreeSet::new(), missing: Vec::new() };
        let general: Vec<_> = page.texts.keys().filter(|k| k.0 == "(any)").map(|k| k.1).collect();
        page.heading("SH", "LINES ANYWHERE");
        for keyword in general {
            page.entry("(any)", keyword, true);
        }
        page.heading("SH", "OUTSIDE ANY BLOCK");
        page.rows("-", &TOP, true);
        for row in TOP.rows {
            if let Some(inside) = row.inside() {
                page.table("SH", row.name, inside, row.in_effect);
            }
        }
        page.out.push_str(".SH SEE ALSO\n.BR keepalived\\-rs (8)\n");
        page
    }

    /// A table under a heading, and then those below it. `in_effect`: what it stands in is.
    fn table(&mut self, heading: &str, path: &str, table: &'static Table, in_effect: bool) {
        self.heading(heading, path);
        self.rows(path, table, in_effect);
        for row in table.rows {
            if let Some(inside) = row.inside().or(row.words).filter(|t| !t.rows.is_empty()) {
                self.table("SS", &format!("{path}/{}", row.name), inside, in_effect && row.in_effect);
            }
        }
    }

    fn rows(&mut self, path: &str, table: &'static Table, in_effect: bool) {
        // What stands in parentheses is not a keyword but stands for the lack of one.
        for row in table.rows.iter().filter(|r| !r.name.starts_with('(')) {
            self.entry(path, row.name, in_effect && row.in_effect);
        }
    }

    fn heading(&mut self, kind: &str, text: &str) {
        let _ = writeln!(self.out, ".{kind} \"{}\"", escaped(text));
    }

    fn entry(&mut self, path: &str, name: &str, in_effect: bool) {
        // The words of a value may be listed as `keyword/word` of its block.
        let nested =
            path.rsplit_once('/').map(|(block, keyword)| (block.to_owned(), format!("{keyword}/{name}")));
        let keys = std::iter::once((path.to_owned(), name.to_owned())).chain(nested);
        let found = keys.into_iter().find_map(|key| {
            let text = *self.texts.get(&(key.0.as_str(), key.1.as_str()))?;
            Some((key, text))
        });
        let Some((key, [arguments, default, unit, meaning])) = found else {
            self.missing.push(format!("{path}\t{name}"));
            return;
        };
        self.used.insert(key);
        let _ = writeln!(self.out, ".TP\n\\fB{}\\fR {}", escaped(name), escaped(given(arguments, name)));
        let mut text = sentence(meaning);
        if unit != "-" {
            let _ = write!(text, " In {unit}.");
        }
        if default != "-" {
            let _ = write!(text, " Default: {default}.");
        }
        if !in_effect {
            text.push_str(" Not in effect yet.");
        }
        let _ = writeln!(self.out, "{}", escaped(&text));
    }
}

/// The arguments without the keyword in front.
fn given<'a>(arguments: &'a str, name: &str) -> &'a str {
    match arguments.strip_prefix(name) {
        Some(rest) if rest.is_empty() || rest.starts_with([' ', '=', '(']) => rest.trim(),
        _ if arguments == "-" => "",
        _ => arguments,
    }
}

fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first: String = letters.next().map(|c| c.to_uppercase().collect()).unwrap_or_default();
    // Names of keywords and constants stay as they are.
    let keeps = text.split(' ').next().is_some_and(|w| w.contains(['_', '/']));
    let text = if keeps { text.to_owned() } else { first + letters.as_str() };
    if text.ends_with(['.', ')']) { text } else { text + "." }
}

/// Text that means itself to roff.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for (n, c) in text.chars().enumerate() {
        match c {
            '\\' => out.push_str("\\e"),
            '-' => out.push_str("\\-"),
            '"' => out.push_str("\\(dq"),
            '\'' => out.push_str("\\(aq"),
            '^' => out.push_str("\\(ha"),
            '~' => out.push_str("\\(ti"),
            '.' if n == 0 => out.push_str("\\&."),
            c if c.is_ascii() => out.push(c),
            c => {
                let _ = write!(out, "\\[u{:04X}]", u32::from(c));
            }
        }
    }
    out
}

#[test]
fn every_keyword_has_its_meaning_and_every_meaning_its_keyword() {
    let page = Page::write();
    assert_eq!(page.missing, Vec::<String>::new(), "add them to docs/man/keywords.tsv");
    let unused = |key: &&(&str, &str)| !page.used.contains(&(key.0.to_owned(), key.1.to_owned()));
    assert_eq!(page.texts.keys().filter(unused).collect::<Vec<_>>(), Vec::<&(&str, &str)>::new());
    let meaningless = page.texts.iter().filter(|(_, t)| t[3].len() < 4).map(|(k, _)| k);
    assert_eq!(meaningless.collect::<Vec<_>>(), Vec::<&(&str, &str)>::new());
}

#[test]
fn the_manual_page_is_current() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/man/keepalived-rs.conf.5");
    let page = Page::write().out;
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(path, &page).unwrap();
    }
    let current = std::fs::read_to_string(path).is_ok_and(|text| text == page);
    assert!(current, "write it anew: UPDATE=1 cargo test --lib manual");
}
