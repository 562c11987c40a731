//! Diagnostics as text: one line in stock's form, or the offending line with a caret.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use crate::config::diagnostic::{Diagnostic, Severity, Sources, Span};

/// Stock's form: `(FILE: Line N) text`, or the text alone if it concerns no line.
pub fn one_line(diagnostic: &Diagnostic, sources: &Sources) -> String {
    match &diagnostic.span {
        Some(span) => format!("({}: Line {}) {}", name(sources, span), span.line, diagnostic.text),
        None => diagnostic.text.clone(),
    }
}

/// For a terminal: the line with a caret under what is wrong, the expansions it came from, and advice. Several
/// lines, without a line feed at the end. `colours`: with escape sequences.
pub fn snippet(diagnostic: &Diagnostic, sources: &Sources, colours: bool) -> String {
    let level = match diagnostic.severity {
        Severity::Note => Level::NOTE,
        Severity::Warning => Level::WARNING,
        Severity::Error => Level::ERROR,
    };
    let title = level.primary_title(diagnostic.text.as_str());
    let mut first = match &diagnostic.span {
        Some(span) => title.element(quote(sources, span, AnnotationKind::Primary)),
        None => Group::with_title(title),
    };
    if let Some(hint) = &diagnostic.hint {
        first = first.element(Level::HELP.message(hint.as_str()));
    }
    let mut groups = vec![first];
    groups.extend(diagnostic.trail.iter().map(|(span, what)| {
        let title = Level::NOTE.secondary_title(what.as_str());
        title.element(quote(sources, span, AnnotationKind::Context))
    }));
    let renderer = if colours { Renderer::styled() } else { Renderer::plain() };
    renderer.render(&groups)
}

/// The line of a span with the span marked.
fn quote<'a>(
    sources: &'a Sources,
    span: &Span,
    kind: AnnotationKind,
) -> Snippet<'a, annotate_snippets::Annotation<'a>> {
    let line = line(sources, span);
    let start = usize::try_from(span.line).unwrap_or(1);
    Snippet::source(line)
        .line_start(start)
        .path(name(sources, span))
        .annotation(kind.span(marked(line, span)))
}

/// What to mark of a line: the columns, as far as they are characters of it; else all of it but blanks around.
fn marked(line: &str, span: &Span) -> Range<usize> {
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

/// The text of a span's line.
fn line<'a>(sources: &'a Sources, span: &Span) -> &'a str {
    let text = sources.files.get(span.file.0 as usize).map_or("", |f| f.text.as_str());
    let number = usize::try_from(span.line).unwrap_or(1).saturating_sub(1);
    text.split('\n').nth(number).unwrap_or_default().trim_end_matches('\r')
}

#[cfg(test)]
mod tests;
