//! `static_ipaddress`, `static_routes`, `static_rules`.

use super::super::diagnostic::{Class, Severity};
use super::super::lines::Line;
use super::super::model::StaticAddress;
use super::super::schema::addresses::STATIC_IPADDRESS;
use super::super::schema::routes::{STATIC_ROUTES, STATIC_RULES};
use super::super::tree::Stmt;
use super::{Build, address, route, rule};
use crate::base::IfName;

/// The interface of addresses that name none, unless `default_interface` says otherwise.
const DEFAULT_INTERFACE: &str = "eth0";

pub(crate) fn addresses(b: &mut Build<'_>, stmt: &Stmt) {
    for entry in &stmt.body {
        if let Some(found) = address(b, entry) {
            b.config.static_addresses.push(found);
        }
    }
}

fn address(b: &mut Build<'_>, entry: &Stmt) -> Option<StaticAddress> {
    let mut address = address::line(b, entry, &STATIC_IPADDRESS)?;
    if address.dev.is_none() {
        address.dev = default_interface(b);
    }
    if address.dev.is_none() {
        let ip = address.cidr.ip;
        let text =
            format!("Static address {ip} requires either an interface or default interface must exist");
        b.report
            .at(&entry.place(0), Severity::Error, Class::Missing, text)
            .hint("add dev, or default_interface to global_defs");
        return None;
    }
    let mut track_group: Option<String> = None;
    for n in 1..entry.len() {
        let Some(name) = entry.word(n).filter(|_| entry.word(n - 1) == Some("track_group")) else { continue };
        if track_group.is_some() {
            b.report.error(&entry.place(n), format!("track_group {name} is a duplicate - ignoring it"));
        } else if known_group(b, &entry.place(n), name) {
            track_group = Some(name.to_owned());
        }
    }
    Some(StaticAddress { address, track_group })
}

/// The default interface, if it exists.
fn default_interface(b: &Build<'_>) -> Option<IfName> {
    let configured = b.config.globals.options.default_interface.clone();
    configured.or_else(|| IfName::new(DEFAULT_INTERFACE)).filter(|name| b.loader.interface_exists(name))
}

/// Whether there is such a track group yet; says so if not.
pub(super) fn known_group(b: &mut Build<'_>, place: &Line, name: &str) -> bool {
    let known = b.defined.track_groups.contains(name);
    if !known {
        let hint = "a track_group must come before the addresses, routes and rules that name it";
        b.report.error(place, format!("track_group {name} not found - ignoring it")).hint(hint);
        b.report.misses(name);
    }
    known
}

pub(crate) fn routes(b: &mut Build<'_>, stmt: &Stmt) {
    for entry in &stmt.body {
        if let Some(route) = route::line(b, entry, &STATIC_ROUTES) {
            b.config.static_routes.push(route);
        }
    }
}

pub(crate) fn rules(b: &mut Build<'_>, stmt: &Stmt) {
    for entry in &stmt.body {
        if let Some(rule) = rule::line(b, entry, &STATIC_RULES) {
            b.config.static_rules.push(rule);
        }
    }
}
