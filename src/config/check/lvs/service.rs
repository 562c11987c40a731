//! What packets a virtual server takes, and how they are distributed.

use super::name;
use crate::config::apply::Build;
use crate::config::apply::lvs::{Server, server};
use crate::config::model::lvs::{Protocol, Scheduler, ServerGroup, Service};

/// Whether it takes packets by address, and whether by firewall mark.
fn kinds(draft: &Server, group: Option<&ServerGroup>) -> (bool, bool) {
    match (&draft.server.service, group) {
        (Service::Address { .. }, _) => (true, false),
        (Service::Mark(_), _) => (false, true),
        (Service::Group(_), group) => {
            (group.is_some_and(ServerGroup::has_addresses), group.is_some_and(ServerGroup::has_marks))
        }
    }
}

/// Rule 1: a mark has no address that could be on this host.
pub(super) fn suspend(b: &mut Build<'_>, draft: &mut Server, group: Option<&ServerGroup>) {
    if draft.server.ha_suspend && kinds(draft, group).1 {
        let text = format!(
            "Virtual server {}: cannot use ha_suspend with fwmarks - clearing ha_suspend",
            name(draft)
        );
        b.report.error(draft.line("ha_suspend"), text);
        draft.server.ha_suspend = false;
    }
}

/// Rules 2 and 3: addresses need a protocol, marks have none.
pub(super) fn protocol(b: &mut Build<'_>, draft: &mut Server, group: Option<&ServerGroup>) {
    let by_address = kinds(draft, group).0;
    if by_address && draft.server.protocol.is_none() {
        let text = format!("Virtual server {}: no protocol set - defaulting to UDP", name(draft));
        b.report.lacks(&draft.at, "protocol", text).hint("add protocol TCP, UDP or SCTP");
        draft.server.protocol = Some(Protocol::Udp);
    }
    if !by_address && draft.server.protocol.is_some() {
        let text = format!(
            "Warning: Virtual server {}: protocol specified for fwmark - protocol will be ignored",
            name(draft)
        );
        b.report.error(draft.line("protocol"), text);
        draft.server.protocol = None;
    }
}

/// Rule 2: only packets of UDP can be scheduled one by one.
pub(super) fn single_packets(b: &mut Build<'_>, draft: &mut Server) {
    if draft.server.ops && !matches!(draft.server.protocol, None | Some(Protocol::Udp)) {
        let text = format!("Virtual server {}: one packet scheduling requires UDP - resetting", name(draft));
        b.report.error(draft.line("ops"), text);
        draft.server.ops = false;
    }
}

/// Rule 2: the kernel takes all ports only of persistent services.
pub(super) fn port_zero(b: &mut Build<'_>, draft: &mut Server, group: Option<&ServerGroup>) {
    let zero = match &draft.server.service {
        Service::Address { port, .. } => *port == 0,
        Service::Mark(_) => false,
        Service::Group(_) => group.is_some_and(|g| g.entries.iter().any(|e| e.port() == Some(0))),
    };
    if zero && draft.server.persistence_timeout.is_none() {
        let text =
            format!("Virtual server {}: zero port only valid for persistent services - setting", name(draft));
        b.report.error(&draft.at, text).hint("write a port, or add persistence_timeout");
        draft.server.persistence_timeout = Some(server::PERSISTENCE);
    }
}

/// Rule 4: there is a scheduler.
pub(super) fn scheduler(b: &mut Build<'_>, draft: &mut Server) {
    if draft.server.scheduler.is_none() {
        let text = format!("Virtual server {}: no scheduler set, setting default 'wlc'", name(draft));
        b.report.lacks_one_of(&draft.at, &["lb_algo", "lvs_sched"], text).hint("add lb_algo");
        draft.server.scheduler = Some(Scheduler::Wlc);
    }
}
