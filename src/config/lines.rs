//! Lines: where they came from, comments, braces.

use std::ops::Range;
use std::rc::Rc;

use super::diagnostic::{FileId, Span};

/// Characters that separate words.
pub(crate) const fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\x0c' | '\x0b' | '\r' | '\n')
}

/// The same of a byte of a text: blanks are ASCII.
const fn is_blank_byte(b: u8) -> bool {
    is_blank(b as char)
}

/// Why a line is there although no file has it literally; a list, innermost first.
#[derive(Debug)]
pub(crate) struct Trail {
    /// Where the expansion was asked for.
    pub(crate) at: Span,
    /// What was expanded: `in the definition of $VI`.
    pub(crate) what: String,
    /// The expansion that this one happened in.
    pub(crate) outer: Option<Rc<Trail>>,
    /// How many expansions are around it, itself included.
    pub(crate) depth: u32,
}

/// The text is not a file's own.
const NO_COLUMN: u32 = u32::MAX;

/// A piece of text with its origin. Cheap to copy: the text is shared.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    // A configuration has hundreds of thousands of lines: thin pointers and small numbers.
    text: Rc<String>,
    start: u32,
    end: u32,
    file: FileId,
    number: u32,
    /// Where in its physical line the text begins; [`NO_COLUMN`] once it is not the file's own any more.
    column: u32,
    pub(crate) trail: Option<Rc<Trail>>,
    /// Parameters have been substituted in it, which happens only once.
    pub(crate) substituted: bool,
}

impl Line {
    /// A physical line: `range` of the whole file's `text`, of which only the first 4 GiB count.
    pub(crate) fn physical(text: &Rc<String>, range: Range<usize>, file: FileId, line: u32) -> Self {
        Self {
            text: text.clone(),
            start: number(range.start),
            end: number(range.end),
            file,
            number: line,
            column: 0,
            trail: None,
            substituted: false,
        }
    }

    /// The same place with other text.
    pub(crate) fn with_text(&self, text: impl Into<String>) -> Self {
        let text: String = text.into();
        let end = number(text.len());
        Self { text: Rc::new(text), start: 0, end, column: NO_COLUMN, trail: self.trail.clone(), ..*self }
    }

    /// Its text.
    pub(crate) fn text(&self) -> &str {
        self.text.get(self.start as usize..self.end as usize).unwrap_or_default()
    }

    /// The part of it that `range` (bytes of [`Line::text`]) says.
    pub(crate) fn part(&self, range: Range<usize>) -> Self {
        self.clone().into_part(range)
    }

    /// What is left of it within `range` (bytes of [`Line::text`]).
    pub(crate) fn into_part(mut self, range: Range<usize>) -> Self {
        let start = self.start.saturating_add(number(range.start)).min(self.end);
        self.end = self.start.saturating_add(number(range.end)).clamp(start, self.end);
        if self.column != NO_COLUMN {
            self.column = self.column.saturating_add(start - self.start);
        }
        self.start = start;
        self
    }

    /// How far it is indented, if it begins its line of a file.
    pub(crate) fn indent(&self) -> Option<usize> {
        /// Further in nobody begins a line; and all pieces of a line look at what is before them.
        const MOST: u32 = 1_000;
        if self.column > MOST {
            return None;
        }
        let before = self.text.get(self.start.checked_sub(self.column)? as usize..self.start as usize)?;
        before.bytes().all(is_blank_byte).then_some(self.column as usize)
    }

    /// Without blanks around it.
    pub(crate) fn trimmed(self) -> Self {
        let text = self.text().as_bytes();
        let end = text.iter().rposition(|b| !is_blank_byte(*b)).map_or(0, |last| last + 1);
        let start = text.iter().position(|b| !is_blank_byte(*b)).unwrap_or(0).min(end);
        if start == 0 && end == text.len() { self } else { self.into_part(start..end) }
    }

    /// Where it is.
    pub(crate) fn span(&self) -> Span {
        self.span_of(0..(self.end - self.start) as usize)
    }

    /// Where `range` (bytes of [`Line::text`]) is; the whole line if it was expanded.
    pub(crate) fn span_of(&self, range: Range<usize>) -> Span {
        let columns = match self.column {
            NO_COLUMN => 0..0,
            c => c.saturating_add(number(range.start))..c.saturating_add(number(range.end)),
        };
        Span { file: self.file, line: self.number, columns }
    }

    /// Whether it came from this expansion.
    pub(crate) fn is_from(&self, what: &str) -> bool {
        self.expansions().any(|t| t.what == what)
    }

    fn expansions(&self) -> impl Iterator<Item = &Trail> {
        std::iter::successors(self.trail.as_deref(), |t| t.outer.as_deref())
    }

    /// The expansions it came from, innermost first.
    pub(crate) fn trail(&self) -> Vec<(Span, String)> {
        self.expansions().map(|t| (t.at.clone(), t.what.clone())).collect()
    }
}

/// A column or line number, or a place in a text; nobody has files that do not fit.
pub(crate) fn number(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// A line without its comment.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Stripped {
    /// Bytes of the line before the comment.
    pub(crate) end: usize,
    /// Positions of backslashes that protected a comment character and are to be taken out.
    pub(crate) escapes: Vec<usize>,
    /// A double quote was opened and not closed: where.
    pub(crate) open_quote: Option<usize>,
}

/// Finds the comment of a line: from `#` or `!` outside double quotes on. `\#` and `\!` protect the character if
/// `escapes` says so; otherwise only the backslash is taken away, as stock does outside `global_defs`.
pub(crate) fn strip_comment(text: &str, escapes: bool) -> Stripped {
    let bytes = text.as_bytes();
    let mut found = Stripped { end: text.len(), escapes: Vec::new(), open_quote: None };
    let mut i = 0;
    while let Some(&b) = bytes.get(i) {
        match b {
            b'"' => found.open_quote = if found.open_quote.is_some() { None } else { Some(i) },
            _ if found.open_quote.is_some() => {}
            b'\\' if matches!(bytes.get(i + 1), Some(b'#' | b'!')) => {
                if !escapes {
                    found.end = i;
                    break;
                }
                found.escapes.push(i);
                i += 1;
            }
            b'#' | b'!' => {
                found.end = i;
                break;
            }
            _ => {}
        }
        i += 1;
    }
    found
}

/// Position of the first brace outside double quotes.
pub(crate) fn find_brace(text: &str) -> Option<usize> {
    let mut quoted = false;
    text.bytes().position(|b| {
        quoted ^= b == b'"';
        !quoted && (b == b'{' || b == b'}')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stripped(text: &str, escapes: bool) -> String {
        let found = strip_comment(text, escapes);
        text.char_indices()
            .filter(|(i, _)| *i < found.end && !found.escapes.contains(i))
            .map(|(_, c)| c)
            .collect()
    }

    #[test]
    fn comments_end_lines_outside_double_quotes() {
        assert_eq!(stripped("priority 150!comment", false), "priority 150");
        assert_eq!(stripped("router_id \"a#b!c\" # x", false), "router_id \"a#b!c\" ");
        assert_eq!(stripped("router_id 'a#b'", false), "router_id 'a");
        assert_eq!(stripped("# \"", false), "");
        assert_eq!(strip_comment("a # \"", false).open_quote, None);
        assert_eq!(strip_comment("a \" # b", false).open_quote, Some(2));
    }

    #[test]
    fn escapes_work_where_the_parent_reads() {
        assert_eq!(stripped(r"router_id a\#b\!c#d", true), "router_id a#b!c");
        assert_eq!(stripped(r"router_id a\#b", false), "router_id a");
    }

    #[test]
    fn only_double_quotes_protect_braces() {
        assert_eq!(find_brace("a \"{\" {"), Some(6));
        assert_eq!(find_brace("'{'"), Some(1));
        assert_eq!(find_brace("a \"}"), None);
    }
}
