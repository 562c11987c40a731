//! Conditions, definitions, repetition and substitution (sections 5.1 to 5.5 of the language).
//!
//! All of it is text; nothing here knows keywords. What a configuration can make grow is bounded: the depth of
//! definitions in definitions, the references of one line, its length, and the text that comes of all of it.

mod repeat;
mod substitute;

use std::cell::Cell;
use std::collections::BTreeMap;

use super::lines::{self, Line, is_blank};
use super::reader::Reader;
use super::report::Report;
use super::suggest;
pub(crate) use repeat::Repeat;

/// What each piece of text counts beside its length, in bytes: what it costs to handle it at all.
const EACH: usize = 64;

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
#[derive(Clone, Debug)]
enum Definition {
    /// A piece of a line.
    Text(String),
    /// Lines, where they were written.
    Lines(Vec<Line>),
}

/// The definitions so far.
#[derive(Debug)]
pub(crate) struct Expander {
    definitions: BTreeMap<String, Definition>,
    /// A definition that goes on on the next line.
    open: Option<(String, Vec<Line>)>,
    /// How many bytes may still come of expansions; `None` once there were too many.
    left: Option<usize>,
    /// How often names may still be compared with those that are defined.
    comparisons: Cell<u32>,
}

impl Expander {
    /// Knows nothing yet. `growth`: how many bytes may come of definitions, repetition and files that are read
    /// again, in all. The time that loading takes is bounded by the length of the files and this.
    pub(crate) fn new(growth: usize) -> Self {
        Self {
            definitions: BTreeMap::new(),
            open: None,
            left: Some(growth),
            comparisons: Cell::new(suggest::MOST),
        }
    }

    /// Takes a physical line if it belongs to the body of a definition.
    pub(crate) fn continues(&mut self, line: &Line) -> bool {
        let Some((name, mut body)) = self.open.take() else { return false };
        let raw = line.text().trim_end_matches('\r');
        if raw.is_empty() {
            self.define(name, Definition::Lines(body));
            return true;
        }
        let more = raw.trim_end_matches(is_blank).ends_with('\\');
        let stored = line.part(0..lines::strip_comment(raw, false).end).trimmed();
        let text = stored.text();
        let stored = stored.part(0..text.strip_suffix('\\').unwrap_or(text).len()).trimmed();
        let nothing = stored.text().is_empty();
        if !nothing {
            body.push(stored);
        }
        // A line of blanks or a comment alone does not end it.
        let only_comment = nothing && !more;
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

    /// The name that is defined and closest to this one.
    fn similar(&self, name: &str) -> Option<&str> {
        self.comparisons.set(self.comparisons.get().checked_sub(1)?);
        suggest::closest(name, self.definitions.keys().map(String::as_str))
    }

    /// Counts pieces of text of these lengths that are to come; `false` if it is too much, which is said once.
    pub(crate) fn allow(
        &mut self,
        lengths: impl IntoIterator<Item = usize>,
        at: &Line,
        report: &mut Report,
    ) -> bool {
        let Some(left) = self.left else { return false };
        self.left = lengths.into_iter().try_fold(left, |left, l| left.checked_sub(l.saturating_add(EACH)));
        if self.left.is_none() {
            let text = "Definitions, repetition and files read again make too much text - ignoring what is left of it";
            report.error(at, text);
        }
        self.left.is_some()
    }

    /// Whether nothing more may come of expansions.
    fn is_exhausted(&self) -> bool {
        self.left.is_none()
    }

    /// The line for the next values of a repetition.
    pub(crate) fn repeat(&mut self, repeat: &mut Repeat, report: &mut Report) -> Option<Line> {
        if self.is_exhausted() {
            return None;
        }
        let (line, values) = repeat.next()?;
        let lengths = values.iter().map(|(name, value)| name.len() + value.len());
        let allowed = self.allow(lengths.chain([line.text().len()]), &line, report);
        for (name, value) in values {
            self.define(name, Definition::Text(value));
        }
        allowed.then_some(line)
    }
}

/// Takes a line through conditions, definitions, repetition and substitution.
pub(crate) fn step(reader: &mut Reader<'_>, line: Line, report: &mut Report) -> Step {
    let Some(mut line) = condition(&reader.config_id, line) else { return Step::Gone };
    let text = line.text();
    if let Some((name, value)) = definition(text) {
        let name = name.to_owned();
        let value = line.part(text.len() - value.len()..text.len()).trimmed();
        match value.text().strip_suffix('\\') {
            None => reader.expander.define(name, Definition::Text(value.text().to_owned())),
            Some(first) => {
                let first = value.part(0..first.len()).trimmed();
                let body = if first.text().is_empty() { Vec::new() } else { vec![first] };
                reader.expander.open = Some((name, body));
            }
        }
        return Step::Gone;
    }
    if text.starts_with("~SEQ") || text.starts_with("~LST") {
        return repeat::parse(reader, &line, report);
    }
    if line.substituted || !text.contains('$') {
        // What is split off it need not be looked through again.
        line.substituted = true;
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
    let text = text.strip_prefix('$')?;
    // Not a search for '=': of a line with many braces that would look through the rest at each of them.
    let (name, value) = text.split_at(text.find(|c| !is_name_char(c))?);
    Some((name, value.strip_prefix('=')?)).filter(|_| is_name(name))
}

/// A letter or `_`, then letters, digits and `_`.
fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') && name.chars().all(is_name_char)
}

const fn is_name_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests;
