//! Conditions, definitions, repetition and substitution (sections 5.1 to 5.5 of the language).
//!
//! All of it is text; nothing here knows keywords. What a configuration can make grow is bounded: the depth of
//! definitions in definitions, the references of one line, its length, and the lines that come of all of it.

mod repeat;
mod substitute;

use std::collections::BTreeMap;

use super::lines::{self, Line, is_blank};
use super::reader::Reader;
use super::report::Report;
pub(crate) use repeat::Repeat;

/// How many lines may come of definitions and repetition, in all.
const LINES: u32 = 1_000_000;

/// What became of a line.
pub(crate) enum Step {
    /// Nothing is left of it.
    Gone,
    /// It stands for itself, parameters substituted.
    Line(Line),
    /// It stands for these, which go through all steps.
    Lines(Vec<Line>),
    /// It is to be repeated.
    Repeat(Repeat),
}

/// What a name stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Definition {
    /// A piece of a line.
    Text(String),
    /// Lines.
    Lines(Vec<String>),
}

/// The definitions so far.
#[derive(Debug, Default)]
pub(crate) struct Expander {
    definitions: BTreeMap<String, Definition>,
    /// A definition that goes on on the next line.
    open: Option<(String, Vec<String>)>,
    /// Lines that came of expansions so far.
    lines: u32,
}

impl Expander {
    /// Takes a physical line if it belongs to the body of a definition.
    pub(crate) fn continues(&mut self, line: &Line) -> bool {
        let Some((name, mut body)) = self.open.take() else { return false };
        let raw = line.text().trim_end_matches('\r');
        if raw.is_empty() {
            self.define(name, Definition::Lines(body));
            return true;
        }
        let more = raw.trim_end_matches(is_blank).ends_with('\\');
        let text = raw.get(..lines::strip_comment(raw, false).end).unwrap_or_default().trim_matches(is_blank);
        let text = text.strip_suffix('\\').unwrap_or(text).trim_end_matches(is_blank);
        if !text.is_empty() {
            body.push(text.to_owned());
        }
        // A line of blanks or a comment alone does not end it.
        let only_comment = text.is_empty() && !more;
        if more || only_comment {
            self.open = Some((name, body));
        } else {
            self.define(name, Definition::Lines(body));
        }
        true
    }

    fn define(&mut self, name: String, definition: Definition) {
        self.definitions.insert(name, definition);
    }

    /// Counts lines that are to come; `false` if there are too many, which is said once.
    fn allow(&mut self, lines: usize, at: &Line, report: &mut Report) -> bool {
        let before = self.lines;
        self.lines = before.saturating_add(u32::try_from(lines).unwrap_or(u32::MAX));
        if before <= LINES && self.lines > LINES {
            let text = format!("Definitions and repetition make more than {LINES} lines - ignoring the rest");
            report.error(at, text);
        }
        self.lines <= LINES
    }

    /// The line for the next values of a repetition.
    pub(crate) fn repeat(&mut self, repeat: &mut Repeat, report: &mut Report) -> Option<Line> {
        let (line, values) = repeat.next()?;
        for (name, value) in values {
            self.define(name, Definition::Text(value));
        }
        self.allow(1, &line, report).then_some(line)
    }
}

/// Takes a line through conditions, definitions, repetition and substitution.
pub(crate) fn step(reader: &mut Reader<'_>, line: Line, report: &mut Report) -> Step {
    let Some(line) = condition(&reader.config_id, line) else { return Step::Gone };
    let text = line.text();
    if let Some((name, value)) = definition(text) {
        let (name, value) = (name.to_owned(), value.trim_start_matches(is_blank));
        match value.strip_suffix('\\') {
            None => reader.expander.define(name, Definition::Text(value.to_owned())),
            Some(first) => {
                let first = first.trim_end_matches(is_blank);
                let body = if first.is_empty() { Vec::new() } else { vec![first.to_owned()] };
                reader.expander.open = Some((name, body));
            }
        }
        return Step::Gone;
    }
    if text.starts_with("~SEQ") || text.starts_with("~LST") {
        return repeat::parse(reader, &line, report);
    }
    if line.substituted || !text.contains('$') {
        return Step::Line(line);
    }
    substitute::line(reader, &line, report)
}

/// Whether a line with `@id` or `@^id` in front counts, and what is left of it.
fn condition(config_id: &str, line: Line) -> Option<Line> {
    let Some(after) = line.text().strip_prefix('@') else { return Some(line) };
    let (except, id) = match after.strip_prefix('^') {
        Some(id) => (true, id),
        None => (false, after),
    };
    let end = id.find(is_blank)?;
    let start = line.text().len() - id.len() + end;
    let counts = (id.get(..end) == Some(config_id)) != except;
    counts.then(|| line.part(start..line.text().len()).trimmed()).filter(|l| !l.text().is_empty())
}

/// The name and value of `$NAME=VALUE`.
fn definition(text: &str) -> Option<(&str, &str)> {
    let (name, value) = text.strip_prefix('$')?.split_once('=')?;
    is_name(name).then_some((name, value))
}

/// A letter or `_`, then letters, digits and `_`.
fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

#[cfg(test)]
mod tests;
