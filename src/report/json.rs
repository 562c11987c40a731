//! Findings as JSON, for editors and deployment tools. `docs/JSON.md` describes the document.

use serde::Serialize;

use super::diagnostics::{Texts, marked};
use crate::config::Loaded;
use crate::config::diagnostic::{Class, Diagnostic, Effect, Severity, Span};
use crate::config::lint::{Finding, Lint};

/// Version of the document. It grows when something is taken away or changes its meaning, not when something is added.
const VERSION: u32 = 1;

/// What `-t` found.
#[derive(Serialize)]
struct Test<'a> {
    version: u32,
    status: u8,
    refuses: Option<u8>,
    files: Vec<&'a str>,
    diagnostics: Vec<Entry<'a>>,
}

/// One diagnostic.
#[derive(Serialize)]
struct Entry<'a> {
    #[serde(flatten)]
    place: Option<Place<'a>>,
    severity: &'static str,
    class: &'static str,
    refuses: Option<u8>,
    not_in_effect: bool,
    text: &'a str,
    hint: Option<&'a str>,
    trail: Vec<Step<'a>>,
}

/// A place in a file.
#[derive(Serialize)]
struct Place<'a> {
    file: &'a str,
    line: u32,
    column: usize,
    end_column: usize,
}

/// One expansion that a text came from.
#[derive(Serialize)]
struct Step<'a> {
    #[serde(flatten)]
    place: Place<'a>,
    text: &'a str,
}

/// What `lint` found.
#[derive(Serialize)]
struct Cluster<'a> {
    version: u32,
    status: u8,
    nodes: Vec<&'a str>,
    further: Vec<usize>,
    findings: Vec<Found<'a>>,
}

/// One finding.
#[derive(Serialize)]
struct Found<'a> {
    severity: &'static str,
    rule: &'static str,
    text: &'a str,
    hint: Option<&'a str>,
    places: Vec<Seen<'a>>,
}

/// Where a finding shows.
#[derive(Serialize)]
struct Seen<'a> {
    node: &'a str,
    #[serde(flatten)]
    place: Option<Place<'a>>,
    value: &'a str,
}

/// All that loading found, in one line without a line feed. `status`: what `-t` exits with.
pub fn test(loaded: &Loaded, status: u8) -> String {
    let texts = Texts::new(&loaded.sources);
    print(&Test {
        version: VERSION,
        status,
        refuses: loaded.refusal(),
        files: loaded.sources.files.iter().map(|f| f.name.as_str()).collect(),
        diagnostics: loaded.diagnostics.iter().map(|d| entry(d, &texts)).collect(),
    })
}

/// All that `lint` found, in one line without a line feed.
pub fn lint(lint: &Lint) -> String {
    let texts: Vec<_> = lint.nodes.iter().map(|n| Texts::new(&n.sources)).collect();
    let seen = |finding: &'_ Finding| -> Vec<_> { finding.places.iter().map(|p| p.node).collect() };
    let found = lint.findings.iter().map(|finding| Found {
        severity: severity(finding.severity),
        rule: finding.rule,
        text: &finding.text,
        hint: finding.hint.as_deref(),
        places: (finding.places.iter().zip(seen(finding)))
            .filter_map(|(p, n)| {
                let (node, texts) = lint.nodes.get(n).zip(texts.get(n))?;
                let place = p.span.as_ref().map(|span| place(span, texts));
                Some(Seen { node: &node.name, place, value: &p.value })
            })
            .collect(),
    });
    let nodes = lint.nodes.iter().map(|n| n.name.as_str()).collect();
    let further = lint.nodes.iter().map(|n| n.further).collect();
    print(&Cluster { version: VERSION, status: lint.status(), nodes, further, findings: found.collect() })
}

/// Nothing in these documents can fail to be written: no map has keys that are not text.
fn print(document: &impl Serialize) -> String {
    serde_json::to_string(document).unwrap_or_default()
}

fn entry<'a>(diagnostic: &'a Diagnostic, texts: &Texts<'a>) -> Entry<'a> {
    let trail = diagnostic.trail.iter().map(|(span, text)| Step { place: place(span, texts), text });
    Entry {
        place: diagnostic.span.as_ref().map(|span| place(span, texts)),
        severity: severity(diagnostic.severity),
        class: class(diagnostic.class),
        refuses: match diagnostic.effect {
            Effect::Refuses(status) => Some(status),
            Effect::Runs => None,
        },
        not_in_effect: diagnostic.not_in_effect,
        text: &diagnostic.text,
        hint: diagnostic.hint.as_deref(),
        trail: trail.collect(),
    }
}

/// A span with columns as people count them: characters from 1, the end not included.
fn place<'a>(span: &Span, texts: &Texts<'a>) -> Place<'a> {
    let line = texts.line(span);
    let marked = marked(line, span);
    let column = |end: usize| line.get(..end).map_or(1, |before| before.chars().count() + 1);
    Place {
        file: texts.name(span),
        line: span.line,
        column: column(marked.start),
        end_column: column(marked.end),
    }
}

const fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Note => "note",
        Severity::Warning => "warning",
        Severity::Error => "error",
    }
}

const fn class(class: Class) -> &'static str {
    match class {
        Class::Log => "log",
        Class::Missing => "missing",
        Class::Config => "config",
        Class::Security => "security",
        Class::Fatal => "fatal",
    }
}

#[cfg(test)]
mod tests;
