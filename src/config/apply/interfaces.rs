//! `garp_group`, `linkbeat_interfaces`, `interface_up_down_delays`.

use std::time::Duration;

use super::super::diagnostic::{Class, Severity};
use super::super::grammar;
use super::super::model::{GarpGroup, LinkDelay, Linkbeat, LinkbeatMethod};
use super::super::tree::Stmt;
use super::{Build, put};
use crate::base::IfName;

pub(crate) fn garp_group(b: &mut Build<'_>, stmt: &Stmt) {
    b.drafts.garp_group = Some(GarpGroup::default());
    b.run("garp_group", &stmt.body);
    let Some(group) = b.drafts.garp_group.take() else { return };
    if group.garp_interval.is_none() && group.gna_interval.is_none() {
        group.interfaces.iter().for_each(|name| _ = b.defined.garp_interfaces.remove(name));
        let text = "garp group does not have any delay set - removing";
        b.report.lacks_one_of(&stmt.line, &["garp_interval", "gna_interval"], text);
        return;
    }
    b.config.garp_groups.push(group);
}

pub(crate) fn garp_interval(b: &mut Build<'_>, stmt: &Stmt) {
    let time = b.seconds(stmt);
    if let Some(group) = &mut b.drafts.garp_group {
        put(time, &mut group.garp_interval);
    }
}

pub(crate) fn gna_interval(b: &mut Build<'_>, stmt: &Stmt) {
    let time = b.seconds(stmt);
    if let Some(group) = &mut b.drafts.garp_group {
        put(time, &mut group.gna_interval);
    }
}

pub(crate) fn interface(b: &mut Build<'_>, stmt: &Stmt) {
    grouped(b, stmt, 1);
}

pub(crate) fn interfaces(b: &mut Build<'_>, stmt: &Stmt) {
    if stmt.body.is_empty() {
        b.report.error(&stmt.line, "Warning - empty garp_group interfaces block");
    }
    for entry in &stmt.body {
        for n in 0..entry.len() {
            grouped(b, entry, n);
        }
    }
}

/// Adds an interface to the group being read.
fn grouped(b: &mut Build<'_>, stmt: &Stmt, n: usize) {
    let Some(name) = b.interface(stmt, n, "garp_group") else { return };
    if !b.defined.garp_interfaces.insert(name.clone()) {
        b.report.error(&stmt.place(n), format!("garp_group already specified for {name} - ignoring"));
    } else if let Some(group) = &mut b.drafts.garp_group {
        group.interfaces.push(name);
    }
}

/// The interface that a line begins with. Stock goes on without one that does not exist.
fn existing(b: &mut Build<'_>, entry: &Stmt, what: &str) -> Option<IfName> {
    let word = entry.word(0)?;
    let found = IfName::new(word)
        .filter(|name| b.config.globals.dynamic_interfaces || b.loader.interface_exists(name));
    if found.is_none() {
        let text = format!("unknown interface {word} specified for {what}");
        b.report.at(&entry.place(0), Severity::Error, Class::Missing, text);
    }
    found
}

pub(crate) fn linkbeats(b: &mut Build<'_>, stmt: &Stmt) {
    for entry in &stmt.body {
        let Some(interface) = existing(b, entry, "linkbeat interface") else { continue };
        let method = match entry.word(1) {
            Some("MII") => Some(LinkbeatMethod::Mii),
            Some("ETHTOOL") => Some(LinkbeatMethod::Ethtool),
            Some("IOCTL") => Some(LinkbeatMethod::Ioctl),
            _ => None,
        };
        let surplus = if method.is_some() { 2 } else { 1 };
        if let Some(word) = entry.word(surplus) {
            let text = format!("extra characters {word} in linkbeat interface");
            b.report.error(&entry.place(surplus), text).hint("MII, ETHTOOL or IOCTL, in capitals");
        }
        b.config.linkbeats.push(Linkbeat { interface, method });
    }
}

pub(crate) fn delays(b: &mut Build<'_>, stmt: &Stmt) {
    for entry in &stmt.body {
        let Some(interface) = existing(b, entry, "up/down delay") else { continue };
        if entry.len() == 1 {
            b.report.warning(&entry.place(0), format!("no delay for {interface} - ignoring"));
            continue;
        }
        if entry.len() > 3 {
            b.report.warning(&entry.place(3), "more than two delays - ignoring the surplus");
        }
        let (Some(down), Some(up)) = (delay(b, entry, 1), delay(b, entry, 2)) else { continue };
        b.config.link_delays.push(LinkDelay { interface, down, up });
    }
}

/// Word `n` as a delay from 0 to 255 s; 0 if there is no such word.
fn delay(b: &mut Build<'_>, entry: &Stmt, n: usize) -> Option<Duration> {
    const MOST: u64 = 255_000_000;
    let Some(word) = entry.word(n) else { return Some(Duration::ZERO) };
    let found = grammar::decimal(word, 1);
    let good = found.filter(|d| !d.trailing && d.millionths <= MOST);
    if good.is_none() {
        b.report.error(&entry.place(n), format!("a delay must be a number from 0 to 255, not '{word}'"));
    } else if good.is_some_and(|d| d.rounded) {
        b.report.error(&entry.place(n), format!("'{word}' is too precise; it is rounded to microseconds"));
    }
    good.map(|d| Duration::from_micros(d.millionths))
}
