//! The real servers of a virtual server.

use std::collections::BTreeSet;

use super::{name, real_name};
use crate::config::apply::Build;
use crate::config::apply::lvs::Server;
use crate::config::model::lvs::{Forwarding, ServerGroup, Service};

/// A virtual server without real servers is dropped.
pub(super) fn none(b: &mut Build<'_>, draft: &Server) -> bool {
    if draft.reals.is_empty() {
        let text = format!("Virtual server {} has no real servers - ignoring", name(draft));
        b.report.lacks(&draft.at, "real_server", text);
    }
    draft.reals.is_empty()
}

/// Rule 6: each server has a forwarding method.
pub(super) fn method(b: &mut Build<'_>, draft: &mut Server) {
    let without = draft.reals.iter().any(|r| r.real.forwarding.is_none())
        || draft.server.sorry.as_ref().is_some_and(|s| s.forwarding.is_none());
    if draft.server.forwarding.is_none() && without {
        let text = format!("Virtual server {}: no forwarding method set, setting default NAT", name(draft));
        b.report.lacks_one_of(&draft.at, &["lb_kind", "lvs_method"], text).hint("add lb_kind NAT, DR or TUN");
        draft.server.forwarding = Some(Forwarding::Nat);
    }
}

/// Rule 6: an address and port can be only one server.
pub(super) fn twice(b: &mut Build<'_>, draft: &mut Server) {
    let mut seen = BTreeSet::new();
    let fresh: Vec<bool> = draft.reals.iter().map(|r| seen.insert((r.real.ip, r.real.port))).collect();
    for n in (0..fresh.len()).filter(|n| fresh.get(*n) == Some(&false)) {
        let text = format!(
            "VS {}: real server {} is duplicated - removing second rs",
            name(draft),
            real_name(draft, n)
        );
        if let Some(real) = draft.reals.get(n) {
            b.report.error(&real.at, text);
        }
    }
    let mut fresh = fresh.into_iter();
    draft.reals.retain(|_| fresh.next().unwrap_or(true));
}

/// Rule 6: the sorry server is one of the real servers: the kernel has one entry for both.
pub(super) fn like_sorry(b: &mut Build<'_>, draft: &mut Server) {
    for n in 0..draft.reals.len() {
        let (Some(sorry), Some(real)) = (&draft.server.sorry, draft.reals.get(n)) else { return };
        let inhibit = real.real.inhibit_on_failure.unwrap_or(draft.server.inhibit_on_failure);
        if (sorry.ip, sorry.port) != (real.real.ip, real.real.port) || sorry.inhibit == inhibit {
            continue;
        }
        let text = format!(
            "Virtual server {}: real server {} matches sorry server, but inhibit setting differs, {} on sorry server",
            name(draft),
            real_name(draft, n),
            if inhibit { "setting" } else { "clearing" }
        );
        b.report.error(draft.line("sorry_server"), text);
        if let Some(sorry) = &mut draft.server.sorry {
            sorry.inhibit = inhibit;
        }
    }
}

/// Rule 7: the quorum can be reached.
pub(super) fn quorum(b: &mut Build<'_>, draft: &mut Server) {
    let usual = draft.server.weight.unwrap_or(1);
    let weights = draft.reals.iter().map(|r| u64::from(r.real.weight.unwrap_or(usual)));
    let total = u32::try_from(weights.sum::<u64>()).unwrap_or(u32::MAX);
    let quorum = draft.server.quorum.unwrap_or(1);
    if quorum > total {
        let text = format!(
            "Warning - quorum {quorum} for {} exceeds total weight of real servers {total}, reducing quorum to {total}",
            name(draft)
        );
        b.report.error(draft.line("quorum"), text);
        draft.server.quorum = Some(total);
    }
}

/// Rule 7: hysteresis is below the quorum.
pub(super) fn hysteresis(b: &mut Build<'_>, draft: &mut Server) {
    let quorum = draft.server.quorum.unwrap_or(1);
    let hysteresis = draft.server.hysteresis.unwrap_or(0);
    if hysteresis < quorum {
        return;
    }
    let new = quorum.saturating_sub(1);
    // Stock complains of 0 when the quorum is 0, too, and wraps around.
    if hysteresis > 0 {
        let text = format!(
            "Virtual server {}: hysteresis {hysteresis} >= quorum {quorum}; setting hysteresis to {new}",
            name(draft)
        );
        b.report.error(draft.line("hysteresis"), text);
        draft.server.hysteresis = Some(new);
    }
}

/// Rule 8, of the sorry server.
pub(super) fn sorry_port(b: &mut Build<'_>, draft: &mut Server, group: Option<&ServerGroup>) {
    let Some(sorry) = &draft.server.sorry else { return };
    let forwarding = sorry.forwarding.or(draft.server.forwarding);
    if sorry.port == 0 || forwarding == Some(Forwarding::Nat) {
        return;
    }
    let (problem, port) = match &draft.server.service {
        Service::Address { port, .. } if *port == sorry.port => return,
        Service::Address { port, .. } => ("and sorry server ports don't match - resetting", *port),
        Service::Mark(_) => ("- the sorry server has a port - clearing", 0),
        Service::Group(_) if group.is_none() => return,
        Service::Group(_) => ("- the sorry server has a port, which is ignored", sorry.port),
    };
    let text = format!("WARNING - virtual server {} {problem}", name(draft));
    b.report.error(draft.line("sorry_server"), text).hint("only NAT can change the port");
    if let Some(sorry) = &mut draft.server.sorry {
        sorry.port = port;
    }
}

/// Rule 8: only with NAT can the port of a server differ.
pub(super) fn ports(b: &mut Build<'_>, draft: &mut Server, group: Option<&ServerGroup>) {
    for n in 0..draft.reals.len() {
        let Some(real) = draft.reals.get(n) else { return };
        let own = real.real.port;
        if own == 0 || real.real.forwarding.or(draft.server.forwarding) == Some(Forwarding::Nat) {
            continue;
        }
        let (problem, port) = match (&draft.server.service, group) {
            (Service::Address { port, .. }, _) if *port == own => continue,
            (Service::Address { port, .. }, _) => ("ports don't match - resetting", *port),
            (Service::Mark(_), _) => ("has port specified - clearing", 0),
            (Service::Group(_), Some(group)) if group.has_addresses() => {
                if group.entries.iter().all(|e| e.port().is_none_or(|p| p == own)) {
                    continue;
                }
                ("ports don't match", own)
            }
            (Service::Group(_), _) => ("has port specified - port will be ignored", own),
        };
        let text = format!(
            "WARNING - virtual server {} and real server {} {problem}",
            name(draft),
            real_name(draft, n)
        );
        b.report.error(&real.at, text).hint("only NAT can change the port");
        if let Some(real) = draft.reals.get_mut(n) {
            real.real.port = port;
        }
    }
}
