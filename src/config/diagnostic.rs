//! What is wrong with a configuration, where, and what stock would have made of it.

use std::fmt;
use std::ops::Range;

/// A file that was read; an index into [`Sources`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(pub u32);

/// A piece of a file.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Span {
    /// The file.
    pub file: FileId,
    /// Line number, counted from 1.
    pub line: u32,
    /// Bytes within that line; empty for the line as a whole.
    pub columns: Range<u32>,
}

/// How much a diagnostic matters to the one who reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// For information.
    Note,
    /// Accepted, but worth a look.
    Warning,
    /// Wrong.
    Error,
}

/// What a diagnostic does to the exit status of `-t`, as stock has it.
///
/// Ordered by rank: when several occur, the highest one wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// Does not count. Stock does not show these under `-t`.
    Log,
    /// Status 4: a file, an interface that is not there.
    Missing,
    /// Status 5: an error that the daemon can run in spite of.
    Config,
    /// Status 6: scripts without script security, or a failed include check.
    Security,
    /// Status 2: a keyword lacks its argument; stock examines nothing behind it.
    Fatal,
}

/// What a diagnostic means for a daemon that is about to start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It runs.
    Runs,
    /// It does not run, and exits with this status.
    Refuses(u8),
}

/// One thing that is wrong, or worth saying.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Where; `None` for what concerns the whole configuration.
    pub span: Option<Span>,
    /// How much it matters.
    pub severity: Severity,
    /// What it does to the exit status of `-t`.
    pub class: Class,
    /// What it does to a start.
    pub effect: Effect,
    /// It says that something written is not in effect yet, which must not be hidden.
    pub not_in_effect: bool,
    /// One sentence, in stock's words where it has some.
    pub text: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// Where the text came from when it was expanded, innermost first: `in the definition of $VI`.
    pub trail: Vec<(Span, String)>,
}

impl Diagnostic {
    /// Whether `-t` shows it: what counts, what is not in effect yet, and what a person should know. Stock hides most
    /// of the last.
    pub fn shown_by_test(&self) -> bool {
        self.class != Class::Log || self.not_in_effect || self.severity >= Severity::Warning
    }
}

/// The text of one file that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceFile {
    /// Its path as it was opened.
    pub name: String,
    /// Its text.
    pub text: String,
}

/// All files that were read, in the order of their opening.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sources {
    /// The files; a [`FileId`] is an index.
    pub files: Vec<SourceFile>,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}
