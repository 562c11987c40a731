//! Settings of `global_defs` for virtual servers and their checkers.

use std::net::IpAddr;
use std::time::Duration;

use super::super::Build;
use super::super::process;
use super::number;
use crate::config::diagnostic::{Class, Severity};
use crate::config::grammar;
use crate::config::model::ipvs::{Flush, LvsGlobals, SyncDaemon};
use crate::config::tree::Stmt;

fn globals<'b>(b: &'b mut Build<'_>) -> &'b mut LvsGlobals {
    &mut b.config.globals.lvs
}

pub(crate) fn timeouts(b: &mut Build<'_>, stmt: &Stmt) {
    if stmt.len() < 3 {
        b.report.error(&stmt.line, "lvs_timeouts requires at least one option");
        return;
    }
    let mut n = 1;
    while let Some(word) = stmt.word(n) {
        let Some(row) = stmt.row.words.and_then(|t| t.row(word)) else {
            let text = format!("Unknown option {word} specified for lvs_timeouts");
            b.report.error(&stmt.place(n), text).hint("tcp, tcpfin and udp are understood");
            n += 1;
            continue;
        };
        n += 1;
        if stmt.word(n).is_none() {
            b.report
                .error(&stmt.place(n - 1), format!("No value specified for lvs_timeout {word} - ignoring"));
            return;
        }
        let time = b.integer_at(stmt, n, row).and_then(|t| u64::try_from(t).ok()).map(Duration::from_secs);
        n += 1;
        let timeouts = &mut globals(b).timeouts;
        let timeout = match row.name {
            "tcp" => &mut timeouts.tcp,
            "tcpfin" => &mut timeouts.tcpfin,
            _ => &mut timeouts.udp,
        };
        *timeout = time.or(*timeout);
    }
}

/// A keyword without argument.
pub(crate) fn flag(b: &mut Build<'_>, stmt: &Stmt) {
    match stmt.row.name {
        "lvs_flush" => globals(b).flush = true,
        _ => globals(b).snmp = true,
    }
}

pub(crate) fn flush_on_stop(b: &mut Build<'_>, stmt: &Stmt) {
    let flush = match stmt.word(1) {
        None => Flush::All,
        Some("VS") => Flush::Servers,
        Some(word) => {
            let text = format!("Unknown {} type {word} - ignoring", stmt.row.name);
            b.report.error(&stmt.place(1), text).hint("VS, or nothing");
            return;
        }
    };
    globals(b).flush_on_stop = Some(flush);
}

pub(crate) fn boolean(b: &mut Build<'_>, stmt: &Stmt) {
    let Some(on) = b.boolean(stmt) else { return };
    let lvs = globals(b);
    let setting = match stmt.row.name {
        "checker_log_all_failures" => &mut lvs.log_all_failures,
        "rs_init_notifies" => &mut lvs.init_notifies,
        "no_checker_emails" => &mut lvs.no_emails,
        "lvs_netlink_cmd_rcv_bufs_force" => &mut lvs.netlink.command_force,
        "lvs_netlink_monitor_rcv_bufs_force" => &mut lvs.netlink.monitor_force,
        _ => &mut lvs.smtp_alert,
    };
    *setting = Some(on);
}

pub(crate) fn buffers(b: &mut Build<'_>, stmt: &Stmt) {
    let Some(n) = number(b, stmt) else { return };
    let netlink = &mut globals(b).netlink;
    match stmt.row.name {
        "lvs_netlink_cmd_rcv_bufs" => netlink.command = Some(n),
        _ => netlink.monitor = Some(n),
    }
}

pub(crate) fn snmp_interval(b: &mut Build<'_>, stmt: &Stmt) {
    let Some(time) = b.seconds(stmt) else { return };
    match stmt.row.name {
        "snmp_vs_stats_update_interval" => globals(b).snmp_servers_interval = Some(time),
        _ => globals(b).snmp_real_servers_interval = Some(time),
    }
}

pub(crate) fn nftables(b: &mut Build<'_>, stmt: &Stmt) {
    /// What it is called if nothing is written.
    const TABLE: &str = "keepalived_ipvs";
    let name = stmt.word(1).unwrap_or(TABLE);
    if globals(b).nftables.is_some() {
        b.report.error(&stmt.line, "nftables_ipvs is there already - ignoring this one");
        return;
    }
    if !(1..=254).contains(&name.len()) {
        b.report.warning(&stmt.place(1), "the name of a table has 1 to 254 bytes - ignoring");
        return;
    }
    globals(b).nftables = Some(name.to_owned());
}

pub(crate) fn nftables_priority(b: &mut Build<'_>, stmt: &Stmt) {
    if let Some(n) = b.integer(stmt).and_then(|n| i32::try_from(n).ok()) {
        globals(b).nftables_priority = Some(n);
    }
}

pub(crate) fn nftables_start_mark(b: &mut Build<'_>, stmt: &Stmt) {
    if let Some(n) = number(b, stmt) {
        globals(b).nftables_start_mark = Some(n);
    }
}

/// One of the `checker_*` keywords that each process has.
pub(crate) fn process(b: &mut Build<'_>, stmt: &Stmt) {
    process::setting(b, stmt, |b| &mut globals(b).process);
}

/// `lvs_notify_fifo` and `lvs_notify_fifo_script`.
pub(crate) fn fifo(b: &mut Build<'_>, stmt: &Stmt) {
    process::fifo(b, stmt, |b| &mut globals(b).fifo);
}

pub(crate) fn sync_daemon(b: &mut Build<'_>, stmt: &Stmt) {
    if globals(b).sync_daemon.is_some() {
        b.report.error(&stmt.line, "lvs_sync_daemon is there already - ignoring this one");
        return;
    }
    let Some(interface) = b.interface_name(stmt, 1) else { return };
    let (instance, id, max_len, port, ttl, group) = (None, None, None, None, None, None);
    let mut daemon = SyncDaemon { interface, instance, id, max_len, port, ttl, group };
    let is_option = |word: &str| stmt.row.words.is_some_and(|t| t.row(word).is_some());
    let mut n = 2;
    // Of old, the instance and the id stood there without keywords.
    if let Some(word) = stmt.word(n).filter(|w| !is_option(w)) {
        daemon.instance = Some(word.to_owned());
        n += 1;
        if stmt.word(n).is_some_and(|w| !is_option(w)) {
            daemon.id = positional_id(b, stmt, n);
            n += 1;
        }
    }
    while let Some(word) = stmt.word(n) {
        if !is_option(word) {
            let text = format!("Unknown option {word} specified for lvs_sync_daemon");
            b.report.error(&stmt.place(n), text);
            n += 1;
            continue;
        }
        option(b, stmt, n, &mut daemon);
        n += 2;
    }
    globals(b).sync_daemon = Some(daemon);
}

/// An id without its keyword.
fn positional_id(b: &mut Build<'_>, stmt: &Stmt, n: usize) -> Option<u8> {
    let word = stmt.word(n).unwrap_or_default();
    let id = match grammar::integer(word) {
        (Some(id), "") => u8::try_from(id).ok(),
        _ => None,
    };
    let text = match id {
        Some(_) => "Please use keyword \"id\" before lvs_sync_daemon SYNCID".to_owned(),
        None => format!("Invalid syncid ({word}) - defaulting to vrid"),
    };
    b.report.error(&stmt.place(n), text);
    id
}

/// The option in word `n` and its value behind it.
fn option(b: &mut Build<'_>, stmt: &Stmt, n: usize, daemon: &mut SyncDaemon) {
    let Some(row) = stmt.word(n).and_then(|w| stmt.row.words?.row(w)) else { return };
    let Some(value) = stmt.word(n + 1) else {
        let text = format!("No value specified for lvs_sync_daemon {} - ignoring", row.name);
        if row.name == "inst" {
            b.report.at(&stmt.place(n), Severity::Error, Class::Fatal, text).refuses(2);
        } else {
            b.report.error(&stmt.place(n), text);
        }
        return;
    };
    match row.name {
        "inst" => {
            daemon.instance = Some(value.to_owned());
            return;
        }
        "group" => {
            match value.parse::<IpAddr>() {
                Ok(group) if group.is_multicast() => daemon.group = Some(group),
                _ => {
                    let text = format!("lvs_sync_daemon group {value} is not a multicast address - ignoring");
                    b.report.error(&stmt.place(n + 1), text);
                }
            }
            return;
        }
        _ => {}
    }
    let Some(number) = b.integer_at(stmt, n + 1, row) else { return };
    let (byte, short) = (u8::try_from(number).ok(), u16::try_from(number).ok());
    match row.name {
        "id" => daemon.id = byte,
        "ttl" => daemon.ttl = byte,
        "maxlen" => daemon.max_len = short,
        _ => daemon.port = short,
    }
}
