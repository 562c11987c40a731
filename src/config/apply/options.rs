//! Keywords of `vrrp_instance` that are not in effect yet and stand for one value each.

use std::time::Duration;

use super::super::model::{GarpExtra, InstanceOptions};
use super::super::schema::routes::{VIRTUAL_ROUTES, VIRTUAL_RULES};
use super::super::schema::{Arg, Kind};
use super::super::tree::Stmt;
use super::instance::set_options;
use super::{Build, put, route, rule, script};

/// A flag: its slot becomes true.
pub(crate) fn flag(b: &mut Build<'_>, slot: fn(&mut InstanceOptions) -> &mut bool) {
    set_options(b, |p| *slot(p) = true);
}

/// An optional boolean.
pub(crate) fn boolean(b: &mut Build<'_>, stmt: &Stmt, slot: fn(&mut InstanceOptions) -> &mut Option<bool>) {
    let on = b.boolean(stmt);
    set_options(b, |p| put(on, slot(p)));
}

/// A number.
pub(crate) fn number<T: TryFrom<i64>>(
    b: &mut Build<'_>,
    stmt: &Stmt,
    slot: fn(&mut InstanceOptions) -> &mut Option<T>,
) {
    let number = b.number(stmt);
    set_options(b, |p| put(number, slot(p)));
}

pub(crate) fn accept(b: &mut Build<'_>, _stmt: &Stmt) {
    set_options(b, |p| p.accept = Some(true));
}

pub(crate) fn no_accept(b: &mut Build<'_>, _stmt: &Stmt) {
    set_options(b, |p| p.accept = Some(false));
}

/// Stock sets it whatever the argument says, unless that is no boolean.
pub(crate) fn skip_check_adv_addr(b: &mut Build<'_>, stmt: &Stmt) {
    let Some(on) = b.boolean(stmt) else { return };
    if !on {
        let text = "keepalived takes 'skip_check_adv_addr off' for on; so do we";
        b.report.warning(&stmt.place(1), text).hint("remove the line to have addresses checked");
    }
    set_options(b, |p| p.skip_check_adv_addr = Some(true));
}

pub(crate) fn vrf(b: &mut Build<'_>, stmt: &Stmt) {
    let Some(draft) = &b.instance else { return };
    let clash = draft.lines.contains_key("interface");
    if clash || draft.instance.options.vrf.is_some() {
        let text = "Cannot specify vrf together with interface, or twice - ignoring it";
        b.report.error(&stmt.line, text);
        return;
    }
    if let Some(name) = b.interface(stmt, 1, "vrf") {
        set_options(b, |p| p.vrf = Some(name));
    }
}

pub(crate) fn lvs_sync_daemon(b: &mut Build<'_>, stmt: &Stmt) {
    let name = b.interface_name(stmt, 1);
    set_options(b, |p| put(name, &mut p.lvs_sync_daemon));
}

/// `[all] SECONDS`, in any order.
pub(crate) fn garp_extra(b: &mut Build<'_>, stmt: &Stmt) {
    let extra = extra(b, stmt);
    set_options(b, |p| put(extra, &mut p.garp_extra));
}

/// The arguments of `garp_extra_if` and its kin. Their row says how many seconds there may be.
pub(crate) fn extra(b: &mut Build<'_>, stmt: &Stmt) -> Option<GarpExtra> {
    let Kind::Value(Arg::Integer { min, max, .. }) = stmt.row.kind else { return None };
    let all = stmt.words_from(1).any(|w| w == "all");
    let Some(n) = (1..stmt.len()).find(|n| stmt.word(*n) != Some("all")) else {
        b.report.error(&stmt.line, format!("{} specified without time - ignoring", stmt.row.name));
        return None;
    };
    let word = stmt.word(n)?;
    let seconds =
        super::words::decimal(word).filter(|s| i64::try_from(*s).is_ok_and(|s| (min..=max).contains(&s)));
    if seconds.is_none() {
        let text = format!("'{}' must be a number from {min} to {max}, not '{word}'", stmt.row.name);
        b.report.error(&stmt.place(n), text);
    }
    seconds.map(|s| GarpExtra { interval: Duration::from_secs(s), all })
}

/// `timer_expired_backup [N]`.
pub(crate) fn timer_expired(b: &mut Build<'_>, stmt: &Stmt) {
    let number = if stmt.len() > 1 { b.number(stmt) } else { Some(254) };
    set_options(b, |p| put(number, &mut p.timer_expired_backup));
}

/// `kernel_rx_buf_size BYTES` and nothing else.
pub(crate) fn kernel_rx_buf_size(b: &mut Build<'_>, stmt: &Stmt) {
    if stmt.len() > 2 {
        b.report.error(&stmt.place(2), "kernel_rx_buf_size must have one number - ignoring");
        return;
    }
    number(b, stmt, |p| &mut p.receive_buffer);
}

/// `notify_deleted [COMMAND]`.
pub(crate) fn notify_deleted(b: &mut Build<'_>, stmt: &Stmt) {
    if b.instance.as_ref().is_some_and(|d| d.instance.options.notify_deleted.is_some()) {
        b.report.error(&stmt.line, "notify_deleted is given twice - ignoring the second one");
        return;
    }
    let script = if stmt.has_more() { script::notify(b, stmt) } else { Some(None) };
    set_options(b, |p| p.notify_deleted = script);
}

pub(crate) fn virtual_routes(b: &mut Build<'_>, stmt: &Stmt) {
    for entry in &stmt.body {
        if let Some(route) = route::line(b, entry, &VIRTUAL_ROUTES) {
            set_options(b, |p| p.routes.push(route));
        }
    }
}

pub(crate) fn virtual_rules(b: &mut Build<'_>, stmt: &Stmt) {
    for entry in &stmt.body {
        if let Some(rule) = rule::line(b, entry, &VIRTUAL_RULES) {
            set_options(b, |p| p.rules.push(rule));
        }
    }
}
