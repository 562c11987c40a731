//! What the checkers have of their own, other than HTTP.

use std::time::Duration;

use super::super::{Build, Once, script, user};
use super::checker::draft;
use super::{number, text};
use crate::config::model::checkers::{Check, DnsType, MiscCheck, UdpCheck};
use crate::config::tree::Stmt;

fn udp(b: &mut Build<'_>, set: impl FnOnce(&mut UdpCheck)) {
    draft(b, |d| {
        if let Check::Udp(udp) = &mut d.checker.check {
            set(udp);
        }
    });
}

pub(crate) fn payload(b: &mut Build<'_>, stmt: &Stmt) {
    match pattern(stmt, false) {
        Some(bytes) => udp(b, |u| u.payload = Some(bytes.into_iter().map(|p| p.0).collect())),
        None => {
            let text = "Invalid hex string for UDP_CHECK payload - ignoring";
            b.report.error(&stmt.place(1), text);
        }
    }
}

pub(crate) fn require_reply(b: &mut Build<'_>, stmt: &Stmt) {
    let pattern = pattern(stmt, true);
    if pattern.is_none() {
        let text = "Invalid hex string for UDP_CHECK reply - any reply will do";
        b.report.error(&stmt.place(1), text).hint("an X stands for any digit");
    }
    udp(b, |u| {
        u.require_reply = true;
        u.reply = pattern.unwrap_or_default();
    });
}

/// Bytes in hexadecimal digits and which of their bits count. Blanks may separate bytes; a digit alone is a byte.
fn pattern(stmt: &Stmt, wild: bool) -> Option<Vec<(u8, u8)>> {
    let digit = |c: char| match c.to_digit(16) {
        Some(d) => u8::try_from(d).ok().map(|d| (d, 0x0f)),
        None => (wild && matches!(c, 'x' | 'X')).then_some((0, 0)),
    };
    let mut bytes = Vec::new();
    for word in stmt.words_from(1).flat_map(str::split_whitespace) {
        let digits: Vec<(u8, u8)> = word.chars().map(digit).collect::<Option<_>>()?;
        bytes.extend(digits.chunks(2).map(|pair| {
            let high = if pair.len() == 2 { pair.first().copied() } else { None };
            let (high, low) = (high.unwrap_or((0, 0x0f)), pair.last().copied().unwrap_or_default());
            (high.0 << 4 | low.0, high.1 << 4 | low.1)
        }));
    }
    Some(bytes)
}

/// `min_reply_length`, `max_reply_length`.
pub(crate) fn reply_length(b: &mut Build<'_>, stmt: &Stmt) {
    let Some(n) = number(b, stmt).and_then(|n| u16::try_from(n).ok()) else { return };
    udp(b, |u| match stmt.row.name {
        "min_reply_length" => u.min_reply = Some(n),
        _ => u.max_reply = Some(n),
    });
}

pub(crate) fn helo_name(b: &mut Build<'_>, stmt: &Stmt) {
    let mut was = false;
    draft(b, |d| {
        if let Check::Smtp { helo_name } = &mut d.checker.check {
            was = helo_name.is_some();
            *helo_name = text(stmt);
        }
    });
    super::again(b, stmt, was);
}

pub(crate) fn dns_type(b: &mut Build<'_>, stmt: &Stmt) {
    let word = stmt.word(1).unwrap_or_default();
    let Some((found, _)) = DnsType::ALL.into_iter().find(|t| t.1.eq_ignore_ascii_case(word)) else {
        let names = DnsType::ALL.map(|t| t.1).join(", ");
        let text = format!("Unknown DNS check type {word} - ignoring");
        b.report.error(&stmt.place(1), text).hint(format!("one of {names}"));
        return;
    };
    draft(b, |d| {
        if let Check::Dns { record, .. } = &mut d.checker.check {
            *record = Some(found);
        }
    });
}

pub(crate) fn dns_name(b: &mut Build<'_>, stmt: &Stmt) {
    /// Longest name and label, RFC 1035 section 2.3.4; the name without its last dot.
    const MAX: (usize, usize) = (253, 63);
    let word = stmt.word(1).unwrap_or_default();
    let Some(d) = &mut b.lvs.checker else { return };
    let Check::Dns { name, .. } = &mut d.checker.check else { return };
    let plain = word.strip_suffix('.').unwrap_or(word);
    let problem = if name.is_some() {
        "is there already"
    } else if !plain.is_empty() && plain.split('.').any(str::is_empty) {
        "has an empty label"
    } else if plain.len() > MAX.0 {
        "is longer than 253 characters"
    } else {
        if plain.split('.').any(|label| label.len() > MAX.1) {
            let text = format!("DNS_CHECK name '{word}' has a label of more than 63 characters");
            b.report.warning(&stmt.place(1), text).hint("no such name exists: the check would always fail");
        }
        *name = Some(word.to_owned());
        return;
    };
    b.report.error(&stmt.place(1), format!("DNS_CHECK name '{word}' {problem} - ignoring"));
}

fn misc(b: &mut Build<'_>, set: impl FnOnce(&mut MiscCheck)) {
    draft(b, |d| {
        if let Check::Misc(misc) = &mut d.checker.check {
            set(misc);
        }
    });
}

pub(crate) fn misc_path(b: &mut Build<'_>, stmt: &Stmt) {
    if let Some(words) = script::command_words(b, stmt) {
        let path = words.into_iter().nth(1).unwrap_or_default();
        let place = stmt.place(1);
        draft(b, |d| d.path = Some((path, place)));
    }
}

pub(crate) fn misc_timeout(b: &mut Build<'_>, stmt: &Stmt) {
    if let Some(n) = number(b, stmt) {
        misc(b, |m| m.timeout = Some(Duration::from_secs(n.into())));
    }
}

pub(crate) fn misc_dynamic(b: &mut Build<'_>, _stmt: &Stmt) {
    misc(b, |m| m.dynamic = true);
}

pub(crate) fn misc_user(b: &mut Build<'_>, stmt: &Stmt) {
    match user::named(b, stmt, 1) {
        Ok(user) => draft(b, |d| d.user = Some(user)),
        Err(why) => {
            b.report.error(&stmt.place(1), format!("{why} - removing the MISC_CHECK"));
            draft(b, |d| d.removed = true);
        }
    }
}

pub(crate) fn track_file(b: &mut Build<'_>, stmt: &Stmt) {
    let name = stmt.word(1).unwrap_or_default();
    let known = b.defined.files.get(name).copied();
    if known != Some(true) {
        // What is wrong with a block that is there has been said.
        if known.is_none() {
            let text = format!("track_file {name} not found");
            b.report.error(&stmt.place(1), text).hint("its block must stand above this one");
        }
        // Stock says again that there is none; once is enough.
        draft(b, |d| d.removed = true);
        return;
    }
    draft(b, |d| {
        if let Check::File { file, .. } = &mut d.checker.check {
            name.clone_into(file);
        }
    });
}

pub(crate) fn file_weight(b: &mut Build<'_>, stmt: &Stmt) {
    let Some(n) = b.integer(stmt).and_then(|n| i32::try_from(n).ok()) else { return };
    let to = match stmt.word(2) {
        None => None,
        Some("reverse") => Some(true),
        Some("noreverse") => Some(false),
        Some(word) => {
            let text = format!("unknown track file weight option {word} - ignoring the weight");
            b.report.error(&stmt.place(2), text).hint("reverse or noreverse");
            return;
        }
    };
    draft(b, |d| {
        if let Check::File { weight, reverse, .. } = &mut d.checker.check {
            (*weight, *reverse) = (Some(n), to);
        }
    });
}

pub(crate) fn bfd_name(b: &mut Build<'_>, stmt: &Stmt) {
    let word = stmt.word(1).unwrap_or_default();
    let taken = b.has(&Once::Session(word.to_owned()));
    let Some(d) = &mut b.lvs.checker else { return };
    let Check::Bfd { name } = &mut d.checker.check else { return };
    let known = b.defined.bfds.get(word).copied();
    let problem = if stmt.len() != 2 {
        "must be one name".to_owned()
    } else if !name.is_empty() {
        format!("is there already, as {name}")
    } else if taken {
        format!("{word} is followed by another BFD_CHECK of this server")
    } else if known == Some(false) {
        // What is wrong with that block has been said.
        d.removed = true;
        return;
    } else if known.is_none() {
        format!("{word} is not configured above")
    } else {
        word.clone_into(name);
        return;
    };
    // Stock says again that there is no name; once is enough.
    d.removed = true;
    b.report.error(&stmt.line, format!("BFD_CHECK - name {problem} - skipping checker"));
}
