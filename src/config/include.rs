//! `include` and its five stricter forms.

use std::path::{Path, PathBuf};

use super::diagnostic::{Class, Severity};
use super::lines::Line;
use super::reader::{Opened, Reader, phrase};
use super::report::Report;
use super::tree::Stmt;
use crate::host::Loader;

/// What an include is to be checked for. A check that fails makes stock refuse the configuration with status 6.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Checks {
    /// Each match can be read.
    pub(crate) readable: bool,
    /// A path without wildcards exists.
    pub(crate) exists: bool,
    /// A pattern with wildcards matches something.
    pub(crate) wildcard: bool,
    /// Each alternative of a brace list exists.
    pub(crate) braces: bool,
}

impl Checks {
    pub(crate) const NONE: Self = Self { readable: false, exists: false, wildcard: false, braces: false };
    pub(crate) const ALL: Self = Self { readable: true, exists: true, wildcard: true, braces: true };

    /// All that either asks for.
    pub(crate) const fn or(self, other: Self) -> Self {
        Self {
            readable: self.readable || other.readable,
            exists: self.exists || other.exists,
            wildcard: self.wildcard || other.wildcard,
            braces: self.braces || other.braces,
        }
    }
}

/// An include line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Include {
    checks: Checks,
    pattern: String,
}

/// Reads an include line; `None` if the line is something else.
pub(crate) fn parse(line: &Line) -> Option<Include> {
    let after = line.text().strip_prefix("include")?;
    let (checks, pattern) = match after.strip_prefix(['r', 'm', 'w', 'b', 'a']) {
        None => (Checks::NONE, after),
        Some(pattern) => {
            let readable = Checks { readable: true, ..Checks::NONE };
            let exists = Checks { exists: true, ..readable };
            let checks = match after.as_bytes().first() {
                Some(b'm') => exists,
                Some(b'w') => Checks { wildcard: true, ..exists },
                Some(b'b') => Checks { braces: true, ..readable },
                Some(b'a') => Checks::ALL,
                _ => readable,
            };
            (checks, pattern)
        }
    };
    let pattern = pattern.strip_prefix([' ', '\t'])?.trim();
    Some(Include { checks, pattern: pattern.to_owned() })
}

/// Opens the files of an include, the first one to be read next.
pub(crate) fn run(reader: &mut Reader<'_>, line: &Line, include: &Include, report: &mut Report) {
    let checks = reader.checks().or(include.checks);
    let alternatives = braces(&include.pattern);
    let several = alternatives.len() > 1;
    // The first alternative is about as long as the line itself.
    if several && !reader.expander.allow(alternatives.iter().skip(1).map(String::len), line, report) {
        return;
    }
    let mut found = Vec::new();
    for alternative in &alternatives {
        let paths = glob(reader.loader(), reader.dir(), alternative);
        if paths.is_empty() {
            let wild = alternative.contains(['*', '?', '[']);
            let fatal =
                if wild { checks.wildcard } else { checks.exists && !several } || (several && checks.braces);
            if fatal || !wild {
                complain(report, line, fatal, format!("Config files missing '{alternative}'."));
            }
        }
        found.extend(paths);
    }
    let place = reader.place();
    for path in found.iter().rev() {
        // Files that include others twice could be read without end.
        if let Some(length) = reader.length_if_known(path, &place)
            && !reader.expander.allow([length], line, report)
        {
            return;
        }
        match reader.open(path, &place) {
            Ok(Opened::Reading { id, utf8 }) => reader.note_encoding(id, utf8, report),
            Ok(Opened::Refused(why)) => {
                report.error(line, format!("Include file '{}' not read: {why}", path.display()));
            }
            Err(e) => {
                let text = format!("Include file '{}' {}", path.display(), phrase(&e));
                complain(report, line, checks.readable, text);
            }
        }
    }
}

/// The checks after an `include_check` line: words with `+` or `-` change what there is, others replace it; no word
/// means all of them.
pub(crate) fn checks(before: Checks, stmt: &Stmt, report: &mut Report) -> Checks {
    let mut checks = if stmt.len() == 1 { Checks::ALL } else { before };
    let mut unsigned = false;
    for (n, word) in stmt.words_from(1).enumerate() {
        let (on, name) = match (word.strip_prefix('+'), word.strip_prefix('-')) {
            (Some(name), _) => (true, name),
            (_, Some(name)) => (false, name),
            _ if unsigned => {
                let text = format!("a second include check without sign, '{word}' - ignoring it");
                report.error(&stmt.place(n + 1), text).hint("+ adds a check, - takes one away");
                continue;
            }
            _ => {
                unsigned = true;
                if n == 0 {
                    checks = Checks::NONE;
                }
                (true, word)
            }
        };
        match name {
            "read" => checks.readable = on,
            "match" => checks.exists = on,
            "wildcard_match" => checks.wildcard = on,
            "brace_match" => checks.braces = on,
            _ => {
                report.error(&stmt.place(n + 1), format!("Unknown include check '{word}'"));
            }
        }
    }
    checks
}

fn complain(report: &mut Report, line: &Line, fatal: bool, text: String) {
    let quoted = line.text().contains(['"', '\'']);
    let added = if fatal {
        report.at(line, Severity::Error, Class::Security, text).refuses(6)
    } else {
        report.warning(line, text)
    };
    if quoted {
        added.hint("quotes are part of the path here: write it without");
    }
}

/// The files that a pattern with brace lists stands for, in order.
pub(crate) fn matches(loader: &dyn Loader, dir: &Path, pattern: &str) -> Vec<PathBuf> {
    braces(pattern).iter().flat_map(|p| glob(loader, dir, p)).collect()
}

/// The files that a pattern without brace lists stands for, written as the pattern is.
fn glob(loader: &dyn Loader, dir: &Path, pattern: &str) -> Vec<PathBuf> {
    if pattern.is_empty() {
        return Vec::new();
    }
    if Path::new(pattern).is_absolute() {
        return loader.glob(Path::new(pattern));
    }
    let full = format!("{}/{pattern}", literal(dir));
    let found = loader.glob(Path::new(&full));
    found.into_iter().map(|p| p.strip_prefix(dir).map_or(p.clone(), Path::to_path_buf)).collect()
}

/// A pattern that stands for this directory and nothing else.
fn literal(dir: &Path) -> String {
    let mut out = String::new();
    for c in dir.display().to_string().chars() {
        match c {
            '*' | '?' | '[' => out.extend(['[', c, ']']),
            c => out.push(c),
        }
    }
    out.trim_end_matches('/').to_owned()
}

/// The alternatives of the brace lists of a pattern: `a{b,c}` is `ab` and `ac`. Lists may be nested.
fn braces(pattern: &str) -> Vec<String> {
    /// How many there may be, and how many bytes may be made to find them.
    const LIMIT: usize = 1_000;
    const BYTES: usize = 1 << 20;
    let mut done = Vec::new();
    let mut open = vec![pattern.to_owned()];
    let mut made = 0;
    while let Some(pattern) = open.pop() {
        match first_list(&pattern) {
            Some((before, items, after))
                if open.len() + done.len() + items.len() <= LIMIT
                    && made + items.len() * pattern.len() <= BYTES =>
            {
                made += items.len() * pattern.len();
                open.extend(items.iter().rev().map(|item| format!("{before}{item}{after}")));
            }
            _ => done.push(pattern),
        }
    }
    done
}

/// The first brace list of a pattern: what is before it, its items, what is after it.
fn first_list(pattern: &str) -> Option<(&str, Vec<&str>, &str)> {
    let start = pattern.find('{')?;
    let mut depth = 0;
    let mut item = start + 1;
    let mut items = Vec::new();
    for (i, c) in pattern.char_indices().skip_while(|(i, _)| *i < start) {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if (c == ',' && depth == 1) || depth == 0 {
            items.push(pattern.get(item..i)?);
            item = i + 1;
        }
        if depth == 0 {
            return Some((pattern.get(..start)?, items, pattern.get(i + 1..)?));
        }
    }
    None
}
