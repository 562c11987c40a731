//! The findings of `lint` as text.

use std::fmt::Write as _;

use super::diagnostics::Texts;
use crate::config::lint::Lint;

/// All findings, a paragraph each: what is the matter, what each node has and where, and advice.
pub fn text(lint: &Lint) -> String {
    let texts: Vec<_> = lint.nodes.iter().map(|n| Texts::new(&n.sources)).collect();
    let mut out = String::new();
    // Writing to a String does not fail.
    for finding in &lint.findings {
        let _ = writeln!(out, "{}: {} [{}]", finding.severity, finding.text, finding.rule);
        for place in &finding.places {
            let Some((node, texts)) = lint.nodes.get(place.node).zip(texts.get(place.node)) else { continue };
            let file = place.span.as_ref().map(|span| (texts.name(span), span.line));
            let name = match file {
                Some((file, line)) if file == node.name => format!("{file}:{line}"),
                Some((file, line)) => format!("{}: {file}:{line}", node.name),
                None => node.name.clone(),
            };
            let colon = if place.value.is_empty() { "" } else { ": " };
            let _ = writeln!(out, "  {name}{colon}{}", place.value);
        }
        if let Some(hint) = &finding.hint {
            let _ = writeln!(out, "  help: {hint}");
        }
    }
    out
}
