//! Mail.

use std::time::Duration;

use super::super::super::grammar;
use super::super::super::model::{MailHost, MailServer};
use super::super::super::tree::Stmt;
use super::super::words::decimal;
use super::super::{Build, put};

/// `notification_email { ADDRESS… }`.
pub(crate) fn notification_email(b: &mut Build<'_>, stmt: &Stmt) {
    if stmt.body.is_empty() {
        b.report.error(&stmt.line, "Warning - empty notification_email block");
    }
    for entry in &stmt.body {
        b.config.globals.options.mail.to.extend(entry.words_from(0).map(str::to_owned));
    }
}

/// `notification_email_from ADDRESS`.
pub(crate) fn notification_email_from(b: &mut Build<'_>, stmt: &Stmt) {
    if stmt.len() > 2 {
        // Stock 2.2.7 does not mind.
        let text = "notification_email_from takes one address - ignoring the rest";
        b.report.warning(&stmt.place(2), text).hint("quote an address that has a display name");
    }
    put(stmt.word(1).map(str::to_owned), &mut b.config.globals.options.mail.from);
}

/// `smtp_server HOST [PORT]`.
pub(crate) fn smtp_server(b: &mut Build<'_>, stmt: &Stmt) {
    let word = stmt.word(1).unwrap_or_default();
    let port = stmt.word(2).map_or(Some(25), |p| decimal(p).and_then(|p| u16::try_from(p).ok()));
    let Some(port) = port.filter(|p| *p > 0) else {
        let text =
            format!("the port must be a number from 1 to 65535, not '{}'", stmt.word(2).unwrap_or_default());
        b.report.error(&stmt.place(2), text);
        return;
    };
    let host = match grammar::address(word) {
        Some((ip, None)) => MailHost::Address(ip),
        _ if is_host_name(word) => MailHost::Name(word.to_owned()),
        _ => {
            let text = format!("Invalid smtp server {word}");
            b.report.error(&stmt.place(1), text).hint("an address or the name of a host, and perhaps a port");
            return;
        }
    };
    b.config.globals.options.mail.server = Some(MailServer { host, port });
}

/// Whether it can be the name of a host (RFC 1123 section 2.1), which an unfinished address cannot.
fn is_host_name(word: &str) -> bool {
    let label = |l: &str| {
        (1..=63).contains(&l.len()) && l.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
    };
    let name = word.strip_suffix('.').unwrap_or(word);
    let numeric = name.rsplit('.').next().is_some_and(|last| last.bytes().all(|c| c.is_ascii_digit()));
    name.len() <= 253 && name.split('.').all(label) && !numeric
}

/// `smtp_connect_timeout SECONDS`.
pub(crate) fn smtp_connect_timeout(b: &mut Build<'_>, stmt: &Stmt) {
    let mut time = b.whole_seconds(stmt);
    if time.is_some_and(|t| t.is_zero()) {
        if stmt.word(1).is_some_and(|w| decimal(w).is_some()) {
            b.report.error(&stmt.place(1), "'smtp_connect_timeout' must be at least 1; 1 used");
        }
        time = Some(Duration::from_secs(1));
    }
    put(time, &mut b.config.globals.options.mail.timeout);
}
