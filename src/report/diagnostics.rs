//! Diagnostics as text: one line in stock's form, or the offending line with a caret.

use std::cell::OnceCell;
use std::ops::Range;

use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Renderer, Snippet};

use crate::config::diagnostic::{Diagnostic, Severity, Sources, Span};

/// Stock's form: `(FILE: Line N) text`, or the text alone if it concerns no line.
pub fn one_line(diagnostic: &Diagnostic, sources: &Sources) -> String {
    match &diagnostic.span {
        Some(span) => format!("({}: Line {}) {}", name(sources, span), span.line, diagnostic.text),
        None => diagnostic.text.clone(),
    }
}

/// For a terminal: the line with a caret under what is wrong, the expansions it came from, and advice. Several
/// lines, without a line feed at the end. `colours`: with escape sequences. For more than a few diagnostics of one
/// configuration, make one [`Texts`].
pub fn snippet(diagnostic: &Diagnostic, sources: &Sources, colours: bool) -> String {
    Texts::new(sources).snippet(diagnostic, colours)
}

/// The files of a configuration, with the places of their lines once they have been asked for.
#[derive(Debug)]
pub struct Texts<'a> {
    sources: &'a Sources,
    /// For each file where its lines begin, in bytes.
    starts: Vec<OnceCell<Vec<usize>>>,
}

impl<'a> Texts<'a> {
    /// Nothing is looked at yet.
    pub fn new(sources: &'a Sources) -> Self {
        Self { sources, starts: sources.files.iter().map(|_| OnceCell::new()).collect() }
    }

    /// See [`snippet`].
    pub fn snippet(&self, diagnostic: &Diagnostic, colours: bool) -> String {
        let level = match diagnostic.severity {
            Severity::Note => Level::NOTE,
            Severity::Warning => Level::WARNING,
            Severity::Error => Level::ERROR,
        };
        let title = level.primary_title(diagnostic.text.as_str());
        let mut first = match &diagnostic.span {
            Some(span) => title.element(self.quote(span, AnnotationKind::Primary)),
            None => Group::with_title(title),
        };
        if let Some(hint) = &diagnostic.hint {
            first = first.element(Level::HELP.message(hint.as_str()));
        }
        let mut groups = vec![first];
        groups.extend(diagnostic.trail.iter().map(|(span, what)| {
            let title = Level::NOTE.secondary_title(what.as_str());
            title.element(self.quote(span, AnnotationKind::Context))
        }));
        let renderer = if colours { Renderer::styled() } else { Renderer::plain() };
        renderer.render(&groups)
    }

    /// The line of a span with the span marked.
    fn quote(&self, span: &Span, kind: AnnotationKind) -> Snippet<'a, Annotation<'a>> {
        let line = self.line(span);
        let start = usize::try_from(span.line).unwrap_or(1);
        Snippet::source(line)
            .line_start(start)
            .path(self.name(span))
            .annotation(kind.span(marked(line, span)))
    }

    /// The name of a span's file.
    pub fn name(&self, span: &Span) -> &'a str {
        name(self.sources, span)
    }

    /// The text of a span's line.
    pub fn line(&self, span: &Span) -> &'a str {
        let number = span.file.0 as usize;
        let Some((file, starts)) = self.sources.files.get(number).zip(self.starts.get(number)) else {
            return "";
        };
        let text = file.text.as_str();
        let starts = starts.get_or_init(|| {
            std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect()
        });
        let start = starts.get((span.line as usize).saturating_sub(1)).copied();
        let rest = start.and_then(|start| text.get(start..)).unwrap_or_default();
        rest.split('\n').next().unwrap_or_default().trim_end_matches('\r')
    }
}

/// What to mark of a line: the columns, as far as they are characters of it; else all of it but blanks around.
pub(crate) fn marked(line: &str, span: &Span) -> Range<usize> {
    let columns = span.columns.start as usize..span.columns.end as usize;
    if !columns.is_empty() && line.get(columns.clone()).is_some() {
        return columns;
    }
    let start = line.len() - line.trim_start().len();
    start..line.trim_end().len().max(start)
}

fn name<'a>(sources: &'a Sources, span: &Span) -> &'a str {
    sources.files.get(span.file.0 as usize).map_or("?", |f| f.name.as_str())
}

#[cfg(test)]
mod tests;
