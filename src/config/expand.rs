//! Conditions, definitions, repetition and substitution.

use super::lines::Line;
use super::reader::Reader;
use super::report::Report;

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

/// A line that is to be repeated with different values of its parameters.
pub(crate) struct Repeat;

/// The definitions so far.
#[derive(Debug, Default)]
pub(crate) struct Expander;

impl Expander {
    /// Takes a physical line that belongs to the body of a definition.
    pub(crate) fn continues(&mut self, _line: &Line) -> bool {
        false
    }

    /// The line for the next values.
    pub(crate) fn repeat(&mut self, _repeat: &mut Repeat, _report: &mut Report) -> Option<Line> {
        None
    }
}

/// Takes a line through conditions, definitions, repetition and substitution.
pub(crate) fn step(_reader: &mut Reader<'_>, line: Line, report: &mut Report) -> Step {
    let text = line.text();
    let what = if text.starts_with('@') {
        "Conditions ('@id')"
    } else if text.starts_with("~SEQ") || text.starts_with("~LST") {
        "Repetition ('~SEQ', '~LST')"
    } else if text.starts_with('$') {
        "Definitions"
    } else {
        return Step::Line(line);
    };
    report.error(&line, format!("{what} are not in effect yet - line ignored"));
    Step::Gone
}
