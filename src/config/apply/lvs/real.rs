//! The keywords of `real_server`.

use super::super::Build;
use super::server::{endpoint, header};
use super::{Real, first_command, forwarding, number, text};
use crate::base::Family;
use crate::config::model::lvs::{Forwarding, RealServer};
use crate::config::tree::Stmt;

pub(crate) fn block(b: &mut Build<'_>, stmt: &Stmt) {
    let Some((ip, port)) = endpoint(stmt, 1) else { return };
    b.nothing_given();
    b.lvs.real = Some(Real { real: RealServer::new(ip, port), at: header(stmt), commands: Vec::new() });
    b.run("real_server", &stmt.body);
    let Some(mut real) = b.lvs.real.take() else { return };
    // Most have one checker; there may be tens of thousands.
    real.real.checkers.shrink_to_fit();
    let Some(server) = &mut b.lvs.server else { return };
    // Only through a tunnel can the families differ. The first server that tells decides.
    let family = Family::of(ip);
    let tunnelled = matches!(real.real.forwarding.or(server.server.forwarding), Some(Forwarding::Tunnel(_)));
    if !tunnelled && *server.server.family.get_or_insert(family) != family {
        let text = format!(
            "Address family of virtual server and real server {ip} don't match - skipping real server."
        );
        b.report.error(&real.at, text).hint("only servers behind TUN may be of the other family");
        let of_checkers = real.commands.into_iter().filter(|c| c.0.is_some());
        server.skipped.extend(of_checkers.map(|c| c.1));
        return;
    }
    server.reals.push(real);
}

fn set(b: &mut Build<'_>, set: impl FnOnce(&mut RealServer)) {
    if let Some(draft) = &mut b.lvs.real {
        set(&mut draft.real);
    }
}

/// `weight`, `uthreshold`, `lthreshold`.
pub(crate) fn count(b: &mut Build<'_>, stmt: &Stmt) {
    let Some(n) = number(b, stmt) else { return };
    set(b, |r| {
        let count = match stmt.row.name {
            "uthreshold" => &mut r.upper_threshold,
            "lthreshold" => &mut r.lower_threshold,
            _ => &mut r.weight,
        };
        *count = Some(n);
    });
}

/// `inhibit_on_failure`, `smtp_alert`.
pub(crate) fn boolean(b: &mut Build<'_>, stmt: &Stmt) {
    let Some(on) = b.boolean(stmt) else { return };
    set(b, |r| match stmt.row.name {
        "inhibit_on_failure" => r.inhibit_on_failure = Some(on),
        "alpha" => r.alpha = Some(on),
        _ => r.smtp_alert = Some(on),
    });
}

pub(crate) fn method(b: &mut Build<'_>, stmt: &Stmt) {
    let old = b.lvs.real.as_ref().and_then(|d| d.real.forwarding);
    let new = forwarding::read(b, stmt, old);
    set(b, |r| r.forwarding = new);
}

/// `notify_up` and `notify_down`.
pub(crate) fn notify(b: &mut Build<'_>, stmt: &Stmt) {
    let is_this = |c: &(_, super::script::Command)| c.1.keyword == stmt.row.name;
    let taken = b.lvs.real.as_ref().is_some_and(|d| d.commands.iter().any(is_this));
    if let Some(command) = first_command(b, stmt, taken)
        && let Some(draft) = &mut b.lvs.real
    {
        draft.commands.push((None, command));
    }
}

pub(crate) fn virtualhost(b: &mut Build<'_>, stmt: &Stmt) {
    let was = b.lvs.real.as_ref().is_some_and(|d| d.real.virtualhost.is_some());
    super::again(b, stmt, was);
    set(b, |r| r.virtualhost = text(stmt));
}

pub(crate) fn snmp_name(b: &mut Build<'_>, stmt: &Stmt) {
    if let Some(name) = super::snmp_name(b, stmt) {
        set(b, |r| r.snmp_name = Some(name));
    }
}
