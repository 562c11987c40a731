//! What is said of statements that are not as they should be.

use super::{Open, Stmt, Suspect};
use crate::config::diagnostic::{Class, Severity};
use crate::config::grammar;
use crate::config::lines::Line;
use crate::config::report::Report;
use crate::config::schema::{Head, Missing, Table};
use crate::config::suggest;

/// Looks for what editors, web pages and other languages bring into configurations.
pub(super) fn unseen(report: &mut Report, stmt: &Stmt, is_list: bool) {
    let first = usize::from(!is_list);
    if is_list && stmt.words_from(0).any(|w| w.ends_with(',')) {
        report.if_wrong(&stmt.line, "lists have no commas: write one entry a line");
    }
    if !is_list && stmt.word(1).is_some_and(|w| w.starts_with('=')) {
        let (keyword, value) = (stmt.word(0).unwrap_or_default(), stmt.word(1).unwrap_or_default());
        let value = value.strip_prefix('=').filter(|v| !v.is_empty()).or(stmt.word(2)).unwrap_or("VALUE");
        report.if_wrong(&stmt.line, format!("no '=' stands before a value: write '{keyword} {value}'"));
    }
    if stmt.line.text().is_ascii() {
        return;
    }
    for (n, word) in stmt.words_from(first).enumerate() {
        let Some(hint) = suggest::characters::hint(word) else { continue };
        // Inside a text such a character may be meant; in front of a word it hardly is.
        let in_front = word.chars().next().is_some_and(suggest::characters::is_unwanted);
        if in_front {
            report.warning(&stmt.place(first + n), hint);
            report.is_cause();
        } else {
            report.if_wrong(&stmt.line, hint);
        }
        return;
    }
}

/// The address of a virtual or real server.
pub(super) fn service(report: &mut Report, stmt: &Stmt) -> bool {
    let Some(first) = stmt.word(1) else {
        missing_argument(report, stmt, Missing::Fatal);
        return false;
    };
    let group = stmt.row.head == Head::VirtualServer;
    let good = match (first, stmt.word(2)) {
        ("group" | "fwmark", None) if group => false,
        ("group", Some(_)) if group => true,
        ("fwmark", Some(mark)) if group => {
            matches!(grammar::integer(mark), (Some(0..=0xffff_ffff), ""))
        }
        (address, port) => {
            // Stock cuts off everything from the first '-' or '/' on.
            let address = address.split(['-', '/']).next().unwrap_or_default();
            let port = port.is_none_or(|p| matches!(grammar::integer(p), (Some(0..=65535), "")));
            grammar::address(address).is_some() && port
        }
    };
    if !good {
        let text = format!("{} has an invalid address or port - skipping block", stmt.row.name);
        report.error(&stmt.line, text).hint(format!("'{}' takes {}", stmt.row.name, stmt.row.argument()));
    }
    good
}

/// Says that an argument is missing.
pub(crate) fn missing_argument(report: &mut Report, stmt: &Stmt, missing: Missing) {
    let class = if missing == Missing::Fatal { Class::Fatal } else { Class::Config };
    let name = stmt.row.name;
    let text = match missing {
        Missing::Fatal => format!(
            "*** Configuration line starting `{name}` is missing a parameter after keyword `{name}` at word position 2"
        ),
        _ => format!("{name} is missing its parameter - ignoring"),
    };
    let added = report.at(&stmt.line, Severity::Error, class, text);
    added.hint(format!("'{name}' takes {}", stmt.row.argument()));
    if missing == Missing::Fatal {
        added.refuses(2);
    }
}

pub(super) fn missing_brace(report: &mut Report, open: &Open, line: &Line) {
    // Of a list stock only logs it, but then counts the '}' that is too many.
    let name = open.stmt.row.name;
    report.error(line, format!("Missing '{{' after '{name}'")).hint(format!("'{name}' begins a block"));
}

/// Says that a keyword is unknown, and tells the one of the same block that was probably meant.
pub(super) fn unknown_keyword(
    report: &mut Report,
    stmt: &Stmt,
    table: &'static Table,
    lacking: Option<&Suspect>,
    advices: &mut suggest::Advices,
) -> Option<&'static str> {
    let keyword = stmt.word(0).unwrap_or_default();
    let mut meant = None;
    let hint = match lacking {
        Some(block) => Some(format!(
            "the '}}' of '{}' in line {} is probably missing before this line",
            block.keyword,
            block.line.span().line
        )),
        None if report.is_full() => None,
        None => advices.on(keyword, table).map(|advice| {
            meant = advice.meant;
            advice.text
        }),
    };
    let added = report.error(&stmt.place(0), format!("Unknown keyword '{keyword}'"));
    added.hint = hint;
    meant
}
