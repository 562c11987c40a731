use super::*;
use crate::config::diagnostic::{Class, Effect, FileId, SourceFile};

fn sources() -> Sources {
    let text = "global_defs {\r\n\tpriorty 150 # ü\r\n}\n".into();
    Sources { files: vec![SourceFile { name: "a.conf".into(), text }] }
}

fn diagnostic(span: Option<Span>) -> Diagnostic {
    Diagnostic {
        span,
        severity: Severity::Error,
        class: Class::Config,
        effect: Effect::Runs,
        not_in_effect: false,
        text: "Unknown keyword 'priorty'".into(),
        hint: Some("did you mean 'priority'?".into()),
        trail: Vec::new(),
    }
}

fn span(line: u32, columns: Range<u32>) -> Span {
    Span { file: FileId(0), line, columns }
}

#[test]
fn one_line_is_stocks() {
    assert_eq!(
        one_line(&diagnostic(Some(span(2, 1..8))), &sources()),
        "(a.conf: Line 2) Unknown keyword 'priorty'"
    );
    assert_eq!(one_line(&diagnostic(None), &sources()), "Unknown keyword 'priorty'");
}

#[test]
fn a_snippet_points_at_the_word() {
    let text = snippet(&diagnostic(Some(span(2, 1..8))), &sources(), false);
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    assert_eq!(
        lines,
        [
            "error: Unknown keyword 'priorty'",
            " --> a.conf:2:2",
            "  |",
            "2 |     priorty 150 # ü",
            "  |     ^^^^^^^",
            "  |",
            "  = help: did you mean 'priority'?",
        ]
    );
}

#[test]
fn a_snippet_shows_where_text_came_from() {
    let mut diagnostic = diagnostic(Some(span(2, 0..0)));
    diagnostic.trail.push((span(1, 0..11), "in the definition of $VI".into()));
    let text = snippet(&diagnostic, &sources(), false);
    assert!(text.contains("note: in the definition of $VI"), "{text}");
    assert!(text.contains("1 | global_defs {"), "{text}");
}

#[test]
fn no_span_can_make_it_panic() {
    for line in [0, 1, 2, 3, 99] {
        for (start, end) in [(0, 0), (0, 1), (14, 15), (15, 16), (5, 2), (90, 91)] {
            let at = Span { file: FileId(line % 2), line, columns: start..end };
            assert!(!snippet(&diagnostic(Some(at.clone())), &sources(), true).is_empty());
            assert!(!one_line(&diagnostic(Some(at)), &sources()).is_empty());
        }
    }
    assert!(snippet(&diagnostic(None), &Sources::default(), false).contains("help"));
}
