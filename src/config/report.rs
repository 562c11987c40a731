//! Collects diagnostics: one for each mistake, whatever follows from it.

mod fold;

use std::collections::BTreeMap;

use super::diagnostic::{Class, Diagnostic, Effect, FileId, Severity, Span};
use super::lines::Line;
pub(crate) use fold::REPEATED;

/// How many diagnostics are kept. Nobody reads more, and a small file can make millions of lines.
const LIMIT: usize = 10_000;

/// The diagnostics so far.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) list: Vec<Diagnostic>,
    /// Beyond the limit the last one is overwritten; this is what those before it amount to.
    rest: Option<(Severity, Class, Effect)>,
    /// Follow-ups by number, with the numbers of the mistakes that they come from.
    roots: BTreeMap<usize, usize>,
    /// Lines on which everything comes from one mistake: its number.
    causes: BTreeMap<Place, usize>,
    /// Keywords of a block, known by its first line, that were written and could not be used: why.
    attempts: BTreeMap<(Place, &'static str), usize>,
    /// Names of blocks that could not be read: why.
    lost: BTreeMap<String, usize>,
    /// Advice for lines on which something turns out to be wrong.
    hints: BTreeMap<Place, String>,
}

/// A line of a file.
pub(crate) type Place = (FileId, u32);

/// The line that a piece of text is from.
pub(crate) fn place_of(line: &Line) -> Place {
    let span = line.span();
    (span.file, span.line)
}

impl Report {
    /// Adds one that concerns `line`.
    pub(crate) fn at(
        &mut self,
        line: &Line,
        severity: Severity,
        class: Class,
        text: impl Into<String>,
    ) -> &mut Diagnostic {
        // What is not kept needs no history, which may be long.
        let trail = if self.is_full() { Vec::new() } else { line.trail() };
        let added = self.add(Some(line.span()), severity, class, text);
        added.trail = trail;
        added
    }

    /// Adds one.
    pub(crate) fn add(
        &mut self,
        span: Option<Span>,
        severity: Severity,
        class: Class,
        text: impl Into<String>,
    ) -> &mut Diagnostic {
        if self.list.len() > LIMIT
            && let Some(last) = self.list.pop()
        {
            let (severity, class, effect) = self.rest.unwrap_or((last.severity, last.class, last.effect));
            let effect = if effect == Effect::Runs { last.effect } else { effect };
            self.rest = Some((severity.max(last.severity), class.max(last.class), effect));
        }
        self.list.push(Diagnostic {
            span,
            severity,
            class,
            effect: Effect::Runs,
            not_in_effect: false,
            text: text.into(),
            hint: None,
            trail: Vec::new(),
        });
        let last = self.list.len() - 1;
        &mut self.list[last]
    }

    /// Whether further diagnostics are not kept.
    pub(crate) fn is_full(&self) -> bool {
        self.list.len() > LIMIT
    }

    /// The number of the diagnostic that was added last, if it is kept.
    fn last(&self) -> Option<usize> {
        self.list.len().checked_sub(1).filter(|_| !self.is_full())
    }

    /// Whatever else is found on its line comes from the diagnostic that was added last.
    pub(crate) fn is_cause(&mut self) {
        if let Some((last, place)) = self.last().and_then(|n| Some((n, fold::place(self.list.get(n)?)?))) {
            self.causes.entry(place).or_insert(last);
        }
    }

    /// Whatever is found on these lines comes from the diagnostic that was added last.
    pub(crate) fn is_cause_of(&mut self, lines: impl IntoIterator<Item = Place>) {
        if let Some(last) = self.last() {
            self.causes.extend(lines.into_iter().map(|l| (l, last)));
        }
    }

    /// What everything on this line comes from.
    pub(crate) fn cause_on(&self, line: &Line) -> Option<usize> {
        self.causes.get(&place_of(line)).copied()
    }

    /// The diagnostic that was added last comes from the one of this number.
    pub(crate) fn comes_from(&mut self, root: usize) {
        if let Some(last) = self.last().filter(|n| *n != root) {
            self.roots.insert(last, root);
        }
    }

    /// The diagnostic that was added last is why `keyword` of the block that begins on a line is not set.
    pub(crate) fn attempt(&mut self, block: Place, keyword: &'static str) {
        if let Some(last) = self.last() {
            self.attempt_at(block, keyword, last);
        }
    }

    /// The diagnostic of this number is why `keyword` of the block that begins on a line is not set.
    pub(crate) fn attempt_at(&mut self, block: Place, keyword: &'static str, number: usize) {
        if !self.is_full() {
            self.attempts.entry((block, keyword)).or_insert(number);
        }
    }

    /// The diagnostic that was added last is why there is no block of this name.
    pub(crate) fn loses(&mut self, name: &str) {
        if let Some(last) = self.last() {
            self.lost.entry(name.to_owned()).or_insert(last);
        }
    }

    /// The diagnostic that was added last says that there is no block of this name. If there is one that could not be
    /// read, that has been said.
    pub(crate) fn misses(&mut self, name: &str) {
        if let Some(root) = self.lost.get(name).copied() {
            self.comes_from(root);
        }
    }

    /// Adds an error of the block at `line`: `keyword` is not set. If it could not be used, that has been said.
    pub(crate) fn lacks(
        &mut self,
        line: &Line,
        keyword: &'static str,
        text: impl Into<String>,
    ) -> &mut Diagnostic {
        self.lacks_one_of(line, &[keyword], text)
    }

    /// The same of keywords of which one would do.
    pub(crate) fn lacks_one_of(
        &mut self,
        line: &Line,
        keywords: &[&'static str],
        text: impl Into<String>,
    ) -> &mut Diagnostic {
        self.error(line, text);
        let block = place_of(line);
        if let Some(root) = keywords.iter().find_map(|k| self.attempts.get(&(block, *k)).copied()) {
            self.comes_from(root);
        }
        let last = self.list.len() - 1;
        &mut self.list[last]
    }

    /// The diagnostic that was added last says that `keyword` is nowhere set. If it could not be used, that has been said.
    pub(crate) fn lacks_anywhere(&mut self, keyword: &'static str) {
        let tried = self.attempts.iter().find(|((_, k), _)| *k == keyword).map(|(_, root)| *root);
        if let Some(root) = tried {
            self.comes_from(root);
        }
    }

    /// Advice for this line, should something on it turn out to be wrong.
    pub(crate) fn if_wrong(&mut self, line: &Line, hint: impl Into<String>) {
        if !self.is_full() {
            self.hints.entry(place_of(line)).or_insert_with(|| hint.into());
        }
    }

    /// All diagnostics in the order of files and lines, without follow-ups; those beyond the limit have become one.
    pub(crate) fn finish(mut self) -> Vec<Diagnostic> {
        if self.list.len() > LIMIT {
            let text = format!("More than {LIMIT} diagnostics; the others are not shown");
            let (severity, class, effect) = self.rest.unwrap_or((Severity::Note, Class::Log, Effect::Runs));
            // Adding folds the last one into the rest.
            self.add(None, severity, class, text).effect = effect;
            if let (Some((severity, class, effect)), Some(last)) = (self.rest, self.list.last_mut()) {
                (last.severity, last.class, last.effect) = (severity, class, effect);
            }
        }
        fold::fold(self)
    }

    /// An error that counts for the status of `-t`.
    pub(crate) fn error(&mut self, line: &Line, text: impl Into<String>) -> &mut Diagnostic {
        self.at(line, Severity::Error, Class::Config, text)
    }

    /// Something for the log, which does not count and which `-t` does not show.
    pub(crate) fn note(&mut self, line: &Line, text: impl Into<String>) -> &mut Diagnostic {
        self.at(line, Severity::Note, Class::Log, text)
    }

    /// Something worth saying that does not count.
    pub(crate) fn warning(&mut self, line: &Line, text: impl Into<String>) -> &mut Diagnostic {
        self.at(line, Severity::Warning, Class::Log, text)
    }
}

impl Diagnostic {
    /// With advice.
    pub(crate) fn hint(&mut self, hint: impl Into<String>) -> &mut Self {
        self.hint = Some(hint.into());
        self
    }

    /// It says that something is not in effect yet.
    pub(crate) fn not_in_effect(&mut self) -> &mut Self {
        self.not_in_effect = true;
        self
    }

    /// A daemon does not start with it.
    pub(crate) fn refuses(&mut self, status: u8) -> &mut Self {
        self.effect = Effect::Refuses(status);
        self
    }
}
