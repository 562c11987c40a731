//! Checkers: the blocks, and the keywords that they have in common.

use std::net::{IpAddr, Ipv6Addr};

use super::super::{Build, Once, script};
use super::number;
use crate::base::Family;
use crate::config::lines::Line;
use crate::config::model::checkers::{Check, Checker, Connection, HttpCheck, MiscCheck, UdpCheck};
use crate::config::model::lvs::Timing;
use crate::config::model::{Script, User};
use crate::config::tree::Stmt;

/// A checker being read.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) checker: Checker,
    /// What is written of its connection so far.
    connection: Connection,
    /// Its keyword.
    at: Line,
    /// The family it connects to, once that is known.
    to: Option<Family>,
    /// Something is so wrong with it that it is removed; that has been told.
    pub(crate) removed: bool,
    /// `misc_path`.
    pub(crate) path: Option<(String, Line)>,
    /// `user` of `MISC_CHECK`.
    pub(crate) user: Option<User>,
}

pub(crate) fn block(b: &mut Build<'_>, stmt: &Stmt) {
    let Some(real) = &b.lvs.real else { return };
    let name = stmt.row.name;
    let check = match name {
        "TCP_CHECK" => Check::Tcp,
        "PING_CHECK" => Check::Ping,
        "UDP_CHECK" => Check::Udp(Box::default()),
        "SMTP_CHECK" => Check::Smtp { helo_name: None },
        "HTTP_GET" => Check::Http(Box::default()),
        "SSL_GET" => Check::Http(Box::new(HttpCheck { tls: true, ..HttpCheck::default() })),
        "DNS_CHECK" => Check::Dns { record: None, name: None },
        "MISC_CHECK" => {
            let script = Script::Open("".into());
            Check::Misc(Box::new(MiscCheck { script, timeout: None, dynamic: false }))
        }
        "FILE_CHECK" => Check::File { file: String::new(), weight: None, reverse: None },
        _ => Check::Bfd { name: String::new() },
    };
    let checker =
        Checker { check, timing: Timing::default(), alpha: None, log_all_failures: None, connection: None };
    // SMTP_CHECK learns the server's address late: its bindto may be of any family.
    let to = (name != "SMTP_CHECK").then_some(Family::of(real.real.ip));
    let at = stmt.place(0);
    let connection = Connection::default();
    b.lvs.checker = Some(Draft { checker, connection, at, to, removed: false, path: None, user: None });
    b.run(name, &stmt.body);
    if let Some(mut draft) = b.lvs.checker.take()
        && !draft.removed
        && complete(b, &draft, stmt)
    {
        bind_family(b, &mut draft);
        // Most have none, and there may be tens of thousands.
        let connection = Some(std::mem::take(&mut draft.connection));
        draft.checker.connection = connection.filter(|c| *c != Connection::default()).map(Box::new);
        keep(b, draft);
    }
}

/// `bindto` and `host` of `SMTP_CHECK` are not compared where they stand; what does not fit could never connect.
fn bind_family(b: &mut Build<'_>, draft: &mut Draft) {
    let connection = &mut draft.connection;
    let to = connection.ip.or(b.lvs.real.as_ref().map(|r| r.real.ip)).map(Family::of);
    if let Some(ip) = connection.bind_ip.filter(|ip| Some(Family::of(*ip)) != to) {
        let text = format!("bindto address {ip} is not of the family of the server - ignoring");
        b.report.warning(&draft.at, text);
        connection.bind_ip = None;
    }
}

/// At the end of the block: whether it has what it needs.
fn complete(b: &mut Build<'_>, draft: &Draft, stmt: &Stmt) -> bool {
    let missing = match &draft.checker.check {
        Check::Misc(_) if draft.path.is_none() => "misc_path",
        Check::Http(http) if http.urls.is_empty() => "url",
        Check::File { file, .. } if file.is_empty() => "track_file",
        Check::Bfd { name } if name.is_empty() => "name",
        Check::Udp(udp) => return reply_fits(b, draft, udp) && link_local(b, draft),
        Check::Misc(_) | Check::File { .. } | Check::Bfd { .. } => return true,
        _ => return link_local(b, draft),
    };
    // If it is there but was of no use, that has been told.
    if !stmt.body.iter().any(|s| s.row.name == missing) {
        b.report.lacks(&draft.at, missing, format!("{} has no {missing} - ignoring", stmt.row.name));
    }
    false
}

/// Says when no reply could ever be right. The checker stays, and fails.
fn reply_fits(b: &mut Build<'_>, draft: &Draft, udp: &UdpCheck) -> bool {
    let (min, max) = (udp.min_reply.unwrap_or(0), udp.max_reply.unwrap_or(UdpCheck::MAX_REPLY));
    if min > max {
        let text = format!("UDP_CHECK min_reply_length {min} > max_reply_length {max} - will always fail");
        b.report.error(&draft.at, text);
    }
    true
}

/// A link-local address does not say which link.
fn link_local(b: &mut Build<'_>, draft: &Draft) -> bool {
    let connection = &draft.connection;
    let ip = connection.ip.or(b.lvs.real.as_ref().map(|r| r.real.ip));
    match ip {
        Some(IpAddr::V6(ip)) if is_link_local(ip) && connection.bind_if.is_none() => {
            let text = format!("Checker link local address {ip} requires a bind_if");
            b.report.error(&draft.at, text);
            false
        }
        _ => true,
    }
}

/// Whether `ip` is in fe80::/10.
const fn is_link_local(ip: Ipv6Addr) -> bool {
    ip.segments()[0] & 0xffc0 == 0xfe80
}

/// Adds a finished checker to its real server, with the command that is to be looked for.
fn keep(b: &mut Build<'_>, draft: Draft) {
    let mut command = None;
    if let Some((text, line)) = draft.path {
        let user = draft.user.or_else(|| script::default_user(b, "misc_path", &line));
        let Some(user) = user else { return };
        command = Some(script::Command { text, user, line, keyword: "misc_path" });
    }
    let Some(real) = &mut b.lvs.real else { return };
    if let Some(command) = command {
        real.commands.push((Some(real.real.checkers.len()), command));
    }
    let session = match &draft.checker.check {
        Check::Bfd { name } => Some(name.clone()),
        _ => None,
    };
    real.real.checkers.push(draft.checker);
    if let Some(name) = session {
        b.is_new(Once::Session(name));
    }
}

pub(super) fn draft(b: &mut Build<'_>, set: impl FnOnce(&mut Draft)) {
    if let Some(draft) = &mut b.lvs.checker {
        set(draft);
    }
}

/// `alpha`, `log_all_failures`.
pub(crate) fn boolean(b: &mut Build<'_>, stmt: &Stmt) {
    let Some(on) = b.boolean(stmt) else { return };
    draft(b, |d| match stmt.row.name {
        "alpha" => d.checker.alpha = Some(on),
        _ => d.checker.log_all_failures = Some(on),
    });
}

pub(crate) fn connect_ip(b: &mut Build<'_>, stmt: &Stmt) {
    let Some(ip) = b.address(stmt) else { return };
    let Some(d) = &mut b.lvs.checker else { return };
    if d.connection.bind_ip.is_some_and(|bind| Family::of(bind) != Family::of(ip)) {
        let text = format!("connect_ip address {ip} does not match address family of bindto - skipping");
        b.report.error(&stmt.place(1), text);
        return;
    }
    d.connection.ip = Some(ip);
    d.to = Some(Family::of(ip));
}

pub(crate) fn bindto(b: &mut Build<'_>, stmt: &Stmt) {
    let Some(ip) = b.address(stmt) else { return };
    let Some(d) = &mut b.lvs.checker else { return };
    if d.to.is_some_and(|to| to != Family::of(ip)) {
        let text = format!("bindto address {ip} does not match address family of connect_ip - skipping");
        b.report.error(&stmt.place(1), text).hint("connect_ip, if it is needed, must stand above it");
        return;
    }
    d.connection.bind_ip = Some(ip);
}

/// `connect_port`, `bind_port`, `fwmark`.
pub(crate) fn numbers(b: &mut Build<'_>, stmt: &Stmt) {
    let Some(n) = number(b, stmt) else { return };
    let port = u16::try_from(n).ok();
    draft(b, |d| match stmt.row.name {
        "connect_port" => d.connection.port = port,
        "bind_port" => d.connection.bind_port = port,
        _ => d.connection.mark = Some(n),
    });
}

pub(crate) fn bind_if(b: &mut Build<'_>, stmt: &Stmt) {
    if let Some(name) = b.interface_name(stmt, 1) {
        draft(b, |d| d.connection.bind_if = Some(name));
    }
}

/// `host` of `SMTP_CHECK`. Its keywords act on the checker, but their families are compared among themselves.
pub(crate) fn host(b: &mut Build<'_>, stmt: &Stmt) {
    let real = b.lvs.real.as_ref().map(|r| Family::of(r.real.ip));
    let mut outside = None;
    draft(b, |d| {
        outside = d.connection.bind_ip.take();
        d.to = real;
    });
    b.run("host", &stmt.body);
    draft(b, |d| {
        let connection = &mut d.connection;
        connection.bind_ip = connection.bind_ip.or(outside);
        d.to = None;
    });
}
