//! `HTTP_GET` and `SSL_GET`.

use std::ops::RangeInclusive;

use super::super::{Build, script};
use super::checker::draft;
use super::{again, text};
use crate::config::grammar;
use crate::config::model::checkers::{Check, HttpCheck, HttpProtocol, Url};
use crate::config::tree::Stmt;

fn http(b: &mut Build<'_>, set: impl FnOnce(&mut HttpCheck)) {
    draft(b, |d| {
        if let Check::Http(http) = &mut d.checker.check {
            set(http);
        }
    });
}

pub(crate) fn virtualhost(b: &mut Build<'_>, stmt: &Stmt) {
    let mut was = false;
    http(b, |h| {
        was = h.virtualhost.is_some();
        h.virtualhost = text(stmt);
    });
    again(b, stmt, was);
}

pub(crate) fn http_protocol(b: &mut Build<'_>, stmt: &Stmt) {
    let protocol = match stmt.word(1) {
        Some("1.0") => HttpProtocol::V10,
        Some("1.0C" | "1.0c") => HttpProtocol::V10Close,
        Some("1.1") => HttpProtocol::V11,
        other => {
            let text = format!("Invalid http_protocol version '{}'", other.unwrap_or_default());
            b.report.error(&stmt.place(1), text).hint("1.0, 1.0C or 1.1");
            return;
        }
    };
    http(b, |h| h.protocol = Some(protocol));
}

/// `enable_sni`, `fast_recovery`, `tls_compliant`.
pub(crate) fn boolean(b: &mut Build<'_>, stmt: &Stmt) {
    let Some(on) = b.boolean(stmt) else { return };
    http(b, |h| match stmt.row.name {
        "enable_sni" => h.enable_sni = Some(on),
        "fast_recovery" => h.fast_recovery = Some(on),
        _ => h.tls_compliant = Some(on),
    });
}

pub(crate) fn sni_name(b: &mut Build<'_>, stmt: &Stmt) {
    let mut problem = None;
    http(b, |h| match (text(stmt), &h.sni_name) {
        (None, Some(_)) => problem = Some("without a name, after one - ignoring"),
        (name, was) => {
            problem = was.is_some().then_some("is there already; this one replaces it");
            h.enable_sni = Some(true);
            h.sni_name = name;
        }
    });
    if let Some(problem) = problem {
        b.report.error(&stmt.line, format!("sni_name {problem}"));
    }
}

/// `url`.
pub(crate) fn url_block(b: &mut Build<'_>, stmt: &Stmt) {
    b.lvs.url = Some(Url::default());
    b.run("url", &stmt.body);
    let Some(url) = b.lvs.url.take() else { return };
    let tried = stmt.body.iter().any(|s| s.row.name == "path");
    if url.path.is_empty() && !tried {
        b.report.lacks(&stmt.place(0), "path", "url has no path - ignoring");
        return;
    }
    if url.min_offset.zip(url.max_offset).is_some_and(|(min, max)| min >= max) {
        b.report.warning(&stmt.place(0), "regex_min_offset is not below regex_max_offset - ignoring both");
        http(b, |h| h.urls.push(Url { min_offset: None, max_offset: None, ..url }));
        return;
    }
    http(b, |h| h.urls.push(url));
}

fn url(b: &mut Build<'_>, set: impl FnOnce(&mut Url)) {
    if let Some(url) = &mut b.lvs.url {
        set(url);
    }
}

pub(crate) fn path(b: &mut Build<'_>, stmt: &Stmt) {
    let was = b.lvs.url.as_ref().is_some_and(|u| !u.path.is_empty());
    again(b, stmt, was);
    url(b, |u| u.path = text(stmt).unwrap_or_default());
}

pub(crate) fn digest(b: &mut Build<'_>, stmt: &Stmt) {
    let word = stmt.word(1).unwrap_or_default();
    let problem = if b.lvs.url.as_ref().is_some_and(|u| u.digest.is_some()) {
        "is there already"
    } else if word.len() == 32
        && word.bytes().all(|c| c.is_ascii_hexdigit())
        && let Ok(digest) = u128::from_str_radix(word, 16)
    {
        url(b, |u| u.digest = Some(digest.to_be_bytes()));
        return;
    } else {
        "must be 32 hexadecimal digits"
    };
    let text = format!("digest {problem} - ignoring '{word}'");
    b.report.error(&stmt.place(1), text).hint("genhash tells the digest of a page");
}

/// `status_code`: codes and ranges of them, which accumulate.
pub(crate) fn status_code(b: &mut Build<'_>, stmt: &Stmt) {
    for n in 1..stmt.len() {
        let word = stmt.word(n).unwrap_or_default();
        match codes(word) {
            Some(codes) => url(b, |u| u.status.push(codes)),
            None => {
                let text = format!("Invalid status code '{word}'");
                b.report.error(&stmt.place(n), text).hint("a number from 100 to 599, or two with '-'");
            }
        }
    }
}

fn codes(word: &str) -> Option<RangeInclusive<u16>> {
    let code = |text: &str| match grammar::integer(text) {
        (Some(n @ 100..=599), "") => u16::try_from(n).ok(),
        _ => None,
    };
    let (first, last) = match word.split_once('-') {
        Some((first, last)) => (code(first)?, code(last)?),
        None => (code(word)?, code(word)?),
    };
    (first <= last).then_some(first..=last)
}

pub(crate) fn url_virtualhost(b: &mut Build<'_>, stmt: &Stmt) {
    let was = b.lvs.url.as_ref().is_some_and(|u| u.virtualhost.is_some());
    again(b, stmt, was);
    url(b, |u| u.virtualhost = text(stmt));
}

/// Debian builds 2.2.7 without regular expressions: it takes whatever is written, so nothing here is an error.
pub(crate) fn regex(b: &mut Build<'_>, stmt: &Stmt) {
    let words = script::protected_words(b, stmt).unwrap_or_default();
    let [_, pattern] = &words[..] else {
        let text = "regex must have one pattern - ignoring";
        b.report.warning(&stmt.line, text).hint("a pattern with blanks must be quoted");
        return;
    };
    let was = b.lvs.url.as_ref().is_some_and(|u| u.regex.is_some());
    again(b, stmt, was);
    url(b, |u| u.regex = Some(pattern.clone()));
}

pub(crate) fn regex_no_match(b: &mut Build<'_>, _stmt: &Stmt) {
    url(b, |u| u.no_match = true);
}

pub(crate) fn regex_options(b: &mut Build<'_>, stmt: &Stmt) {
    for n in 1..stmt.len() {
        let word = stmt.word(n).unwrap_or_default();
        match stmt.row.words.and_then(|t| t.row(word)) {
            Some(row) => url(b, |u| u.regex_options.push(row.name)),
            None => {
                let text = format!("Unknown regex option '{word}' - ignoring");
                b.report.warning(&stmt.place(n), text);
            }
        }
    }
}

/// `regex_min_offset`, `regex_max_offset`. What is not a number counts as 0.
pub(crate) fn regex_offset(b: &mut Build<'_>, stmt: &Stmt) {
    let word = stmt.word(1).unwrap_or_default();
    let (number, rest) = grammar::integer(word);
    let offset = number.filter(|_| rest.is_empty()).and_then(|n| u32::try_from(n).ok());
    if offset.is_none() {
        let text = format!("{} must be a number, not '{word}'; 0 used", stmt.row.name);
        b.report.warning(&stmt.place(1), text);
    }
    let offset = Some(offset.unwrap_or(0));
    url(b, |u| match stmt.row.name {
        "regex_min_offset" => u.min_offset = offset,
        _ => u.max_offset = offset,
    });
}

pub(crate) fn regex_stack(b: &mut Build<'_>, stmt: &Stmt) {
    let size = |n| match stmt.word(n).map(grammar::integer) {
        Some((Some(size), "")) => u32::try_from(size).ok(),
        _ => None,
    };
    match size(1).zip(size(2)).filter(|(start, max)| start <= max) {
        Some(sizes) => url(b, |u| u.regex_stack = Some(sizes)),
        None => {
            let text = "regex_stack must be two numbers, the second not below the first - ignoring";
            b.report.warning(&stmt.line, text);
        }
    }
}

/// `tls_compliant` of a `url`.
pub(crate) fn url_tls(b: &mut Build<'_>, stmt: &Stmt) {
    if let Some(on) = b.boolean(stmt) {
        url(b, |u| u.tls_compliant = Some(on));
    }
}
