//! `global_defs`.

use std::net::IpAddr;
use std::time::Duration;

use super::super::model::{Garp, Version};
use super::super::tree::Stmt;
use super::{Build, user};

pub(crate) fn block(b: &mut Build<'_>, stmt: &Stmt) {
    b.run("global_defs", &stmt.body);
}

pub(crate) fn router_id(b: &mut Build<'_>, stmt: &Stmt) {
    b.config.globals.router_id = stmt.word(1).map(str::to_owned);
}

pub(crate) fn vrrp_version(b: &mut Build<'_>, stmt: &Stmt) {
    if let Some(version) = version(b, stmt) {
        b.config.globals.vrrp_version = Some(version);
    }
}

/// The argument of `version` and `vrrp_version`.
pub(crate) fn version(b: &mut Build<'_>, stmt: &Stmt) -> Option<Version> {
    match b.integer(stmt)? {
        2 => Some(Version::V2),
        _ => Some(Version::V3),
    }
}

pub(crate) fn vrrp_mcast_group4(b: &mut Build<'_>, stmt: &Stmt) {
    let word = stmt.word(1).unwrap_or_default();
    // Stock cuts off everything from the first '-' or '/' on.
    match word.split(['-', '/']).next().unwrap_or_default().parse() {
        Ok(IpAddr::V4(group)) if group.is_multicast() => b.config.globals.mcast_group4 = Some(group),
        _ => {
            let text = format!("'{}' needs an IPv4 multicast address, not '{word}'", stmt.row.name);
            b.report.error(&stmt.place(1), text);
        }
    }
}

/// One of the `vrrp_garp_*` keywords.
pub(crate) fn vrrp_garp(b: &mut Build<'_>, stmt: &Stmt) {
    garp(b, stmt, |b| &mut b.config.globals.garp);
}

/// One of the `garp_*` keywords, which are the same in `global_defs` but for a prefix.
pub(crate) fn garp(b: &mut Build<'_>, stmt: &Stmt, get: impl for<'x> Fn(&'x mut Build<'_>) -> &'x mut Garp) {
    let name = stmt.row.name.trim_start_matches("vrrp_").trim_start_matches("garp_");
    let number = b.integer(stmt).and_then(|n| u32::try_from(n).ok());
    // Only this one takes a bad value for 0; the others keep what was there.
    let Some(mut number) = (if name == "master_refresh" { Some(number.unwrap_or(0)) } else { number }) else {
        return;
    };
    if number == 0 && matches!(name, "master_repeat" | "master_refresh_repeat") {
        b.report.error(&stmt.place(1), format!("'{}' must be at least 1; 1 used", stmt.row.name));
        number = 1;
    }
    let time = Duration::from_secs(number.into());
    let garp = get(b);
    match name {
        "master_delay" => garp.master_delay = Some(time),
        "master_repeat" => garp.master_repeat = Some(number),
        "master_refresh" => garp.master_refresh = Some(time),
        "master_refresh_repeat" => garp.master_refresh_repeat = Some(number),
        "lower_prio_delay" => garp.lower_prio_delay = Some(time),
        _ => garp.lower_prio_repeat = Some(number),
    }
}

pub(crate) fn vrrp_down_timer_adverts(b: &mut Build<'_>, stmt: &Stmt) {
    if let Some(n) = b.integer(stmt).and_then(|n| u8::try_from(n).ok()) {
        b.config.globals.down_timer_adverts = Some(n);
    }
}

pub(crate) fn vrrp_lower_prio_no_advert(b: &mut Build<'_>, stmt: &Stmt) {
    if let Some(on) = b.boolean(stmt) {
        b.config.globals.lower_prio_no_advert = Some(on);
    }
}

pub(crate) fn vrrp_higher_prio_send_advert(b: &mut Build<'_>, stmt: &Stmt) {
    if let Some(on) = b.boolean(stmt) {
        b.config.globals.higher_prio_send_advert = Some(on);
    }
}

pub(crate) fn script_user(b: &mut Build<'_>, stmt: &Stmt) {
    match user::named(b, stmt, 1) {
        Ok(found) => {
            b.config.globals.script_user = Some(found.clone());
            b.default_user = user::Default::Set(found, stmt.word(1).unwrap_or_default().to_owned());
        }
        Err(why) => {
            b.report.error(&stmt.place(1), why);
            b.default_user = user::Default::Bad;
        }
    }
}

pub(crate) fn enable_script_security(b: &mut Build<'_>, _stmt: &Stmt) {
    b.config.globals.script_security = true;
}

pub(crate) fn dynamic_interfaces(b: &mut Build<'_>, stmt: &Stmt) {
    b.config.globals.dynamic_interfaces = true;
    let known = stmt.word(1).and_then(|word| stmt.row.words?.row(word));
    match stmt.word(1) {
        None => {}
        Some("allow_if_changes") => {
            b.config.globals.options.allow_interface_changes = true;
            if known.is_some_and(|r| !r.in_effect) {
                b.word_not_in_effect("dynamic_interfaces", "allow_if_changes", &stmt.place(1));
            }
        }
        Some(word) => {
            let text = format!("Unknown option '{word}' of '{}'", stmt.row.name);
            b.report.error(&stmt.place(1), text).hint("'allow_if_changes' is understood");
        }
    }
}

pub(crate) fn log_unknown_vrids(b: &mut Build<'_>, _stmt: &Stmt) {
    b.config.globals.log_unknown_vrids = true;
}

/// Already done: it concerns the reading of files.
pub(crate) fn include_check(_b: &mut Build<'_>, _stmt: &Stmt) {}
