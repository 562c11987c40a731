use super::*;
use crate::config::diagnostic::{Class, FileId};

fn add(report: &mut Report, line: u32, text: &str) {
    let span = Span { file: FileId(0), line, columns: 0..0 };
    report.add(Some(span), Severity::Warning, Class::Log, text);
}

fn texts(report: Report) -> Vec<String> {
    report.finish().into_iter().map(|d| d.text).collect()
}

#[test]
fn a_follow_up_counts_for_its_root() {
    let mut report = Report::default();
    add(&mut report, 2, "cause");
    report.is_cause();
    let span = Span { file: FileId(0), line: 2, columns: 3..4 };
    report.add(Some(span), Severity::Error, Class::Security, "follow-up").refuses(6);
    add(&mut report, 9, "further");
    report.comes_from(1);
    let [found] = &report.finish()[..] else { panic!() };
    assert_eq!(
        (&*found.text, found.severity, found.class, found.effect),
        ("cause", Severity::Error, Class::Security, Effect::Refuses(6))
    );
}

#[test]
fn what_leads_in_a_circle_is_kept() {
    let mut report = Report::default();
    add(&mut report, 1, "a");
    add(&mut report, 2, "b");
    report.comes_from(0);
    report.roots.insert(0, 1);
    assert!(!texts(report).is_empty());
}

#[test]
fn the_order_is_that_of_lines() {
    let mut report = Report::default();
    report.add(None, Severity::Warning, Class::Log, "nowhere");
    add(&mut report, 7, "seven");
    add(&mut report, 3, "three");
    assert_eq!(texts(report), ["three", "seven", "nowhere"]);
}
