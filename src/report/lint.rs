//! The findings of `lint` as text.

use std::fmt::Write as _;

use super::diagnostics::Texts;
use crate::config::lint::{FILE, Finding, Lint};

/// All findings: those of each file by itself, how many more `-t` has about it, and then, apart from them, those of the
/// nodes together. A paragraph each: what is the matter, what each node has and where, and advice.
pub fn text(lint: &Lint) -> String {
    let texts: Vec<_> = lint.nodes.iter().map(|n| Texts::new(&n.sources)).collect();
    let mut out = String::new();
    let (files, cluster): (Vec<_>, Vec<_>) = lint.findings.iter().partition(|f| f.rule == FILE);
    files.iter().for_each(|f| finding(&mut out, lint, &texts, f));
    for node in lint.nodes.iter().filter(|n| n.further > 0) {
        let file = node.sources.files.first().map_or(node.name.as_str(), |f| f.name.as_str());
        let (count, s) = (node.further, if node.further == 1 { "" } else { "s" });
        // Writing to a String does not fail.
        let _ = writeln!(out, "{}: {count} further finding{s}; see keepalived-rs -t -f {file}", node.name);
    }
    if !out.is_empty() {
        out.insert_str(0, "Each file by itself:\n");
        out.push_str("\nThe nodes together:\n");
        if cluster.is_empty() {
            out.push_str("nothing\n");
        }
    }
    cluster.iter().for_each(|f| finding(&mut out, lint, &texts, f));
    out
}

/// One finding.
fn finding(out: &mut String, lint: &Lint, texts: &[Texts<'_>], finding: &Finding) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::diagnostic::{Severity, Sources};
    use crate::config::lint::Text;

    fn node(name: &str, further: usize) -> Text {
        Text { name: name.to_owned(), further, sources: Sources::default() }
    }

    fn found(rule: &'static str) -> Finding {
        Finding { severity: Severity::Error, rule, text: rule.to_uppercase(), hint: None, places: Vec::new() }
    }

    #[test]
    fn what_is_about_the_cluster_stands_apart() {
        let mut lint =
            Lint { nodes: vec![node("a", 2), node("b", 0)], findings: vec![found(FILE), found("interval")] };
        assert_eq!(
            text(&lint),
            "Each file by itself:\nerror: FILE [file]\na: 2 further findings; see keepalived-rs -t -f a\n\n\
             The nodes together:\nerror: INTERVAL [interval]\n"
        );
        lint.findings.clear();
        assert!(text(&lint).ends_with("\nThe nodes together:\nnothing\n"));
        lint.nodes.clear();
        assert_eq!(text(&lint), "");
    }
}
