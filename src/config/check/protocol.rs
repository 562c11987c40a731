//! Versions, families, intervals, destinations.

use std::net::IpAddr;

use crate::base::Family;
use crate::config::apply::Build;
use crate::config::apply::instance::Draft;
use crate::config::diagnostic::Class;
use crate::config::model::{InitialState, Version};

use super::instance::{is_owner, version};

/// Rule 5.2: version 2 has no IPv6.
pub(super) fn ipv6_version(b: &mut Build<'_>, draft: &mut Draft, strict: bool) {
    if strict && draft.family == Some(Family::V6) && version(b, draft) == Version::V2 {
        let text =
            format!("({}) Strict mode requires VRRP version 3 for IPv6 - using it", draft.instance.name);
        b.report.error(draft.line("version"), text);
        draft.instance.version = Some(Version::V3);
    }
}

/// Rule 5.4: VRRPv3 has no authentication, and AH has its own conditions.
pub(super) fn authentication(b: &mut Build<'_>, draft: &mut Draft) {
    let instance = &mut draft.instance;
    let name = instance.name.clone();
    if instance.authentication.is_some() || instance.options.auth_ah.is_some() {
        let why = if version(b, draft) == Version::V3 {
            "VRRP version 3 does not support authentication. Ignoring."
        } else if draft.instance.options.hmac.is_some() {
            "authentication and auth_hmac exclude each other. Ignoring authentication."
        } else if draft.instance.options.auth_ah.is_some() && draft.family == Some(Family::V6) {
            "Cannot use AH authentication with VRRPv2 and IPv6. Ignoring."
        } else {
            ""
        };
        if !why.is_empty() {
            b.report.error(draft.line("authentication"), format!("({name}) {why}"));
            draft.instance.authentication = None;
            draft.instance.options.auth_ah = None;
        }
    }
    let master = draft.instance.state == Some(InitialState::Master);
    if draft.instance.options.auth_ah.is_some() && master && !is_owner(draft) {
        let text = format!("({name}) Initial state master is incompatible with AH authentication - clearing");
        b.report.error(draft.line("state"), text);
        draft.instance.state = Some(InitialState::Backup);
    }
}

/// Rule 5.5: settings of unicast adverts when there is nobody to send them to; they go to the multicast group.
pub(super) fn unicast_without_peers(b: &mut Build<'_>, draft: &mut Draft) {
    let fails = std::mem::take(&mut draft.instance.fault_without_peers);
    if !draft.instance.peers.is_empty() {
        return;
    }
    let settings =
        ["unicast_src_ip", "check_unicast_src", "old_unicast_checksum", "unicast_ttl", "unicast_peer"];
    let Some(line) = settings.iter().find_map(|s| draft.lines.get(s)) else { return };
    if fails {
        // Stock counts nothing; the instance stays in its fault state.
        draft.instance.fault_without_peers = true;
        return;
    }
    if draft.instance.interface.is_none() {
        let text = format!("({}) has neither unicast_peer nor interface", draft.instance.name);
        let hint = "list the other routers in unicast_peer, or add interface";
        b.report.error(line, text).refuses(2).hint(hint);
        return;
    }
    let text =
        format!("({}) has unicast settings but no unicast_peer - using multicast", draft.instance.name);
    b.report.error(line, text).hint("list the other routers in unicast_peer, or remove the setting");
}

/// Rule 5.7: without an interface, the source address says where adverts leave.
pub(super) fn source_without_interface(b: &mut Build<'_>, draft: &Draft) {
    let instance = &draft.instance;
    let Some(ip) = instance.source else { return };
    if instance.interface.is_some() || instance.options.vrf.is_some() {
        return;
    }
    let link_local = matches!(ip, IpAddr::V6(v6) if v6.is_unicast_link_local());
    let (why, hint) = match ip {
        _ if link_local => {
            ("is link-local, which says nothing without interface", "add interface, or use a global address")
        }
        _ if !b.loader.has_address(ip) => ("is not configured on any interface", "add interface"),
        _ => return,
    };
    let text = format!("({}) source address {ip} {why}", instance.name);
    let finding = b.report.error(draft.line("unicast_src_ip"), text).hint(hint);
    if link_local {
        finding.refuses(2);
    } else {
        // It may come; until then the instance is in FAULT.
        finding.class = Class::Log;
    }
}

/// Rule 5.9: the first address of an IPv6 instance is link-local (RFC 9568 section 5.2.9).
pub(super) fn link_local_first(b: &mut Build<'_>, draft: &Draft, strict: bool) {
    let first = draft.instance.addresses.first().map(|a| a.cidr.ip);
    let Some(IpAddr::V6(first)) = first else { return };
    if first.is_unicast_link_local() || !draft.instance.peers.is_empty() {
        return;
    }
    let text = format!("({}) the first IPv6 VIP address must be link local", draft.instance.name);
    let added = b.report.error(draft.line("virtual_ipaddress"), text);
    if !strict {
        added.class = Class::Log;
    }
}

/// Rule 5.14: unicast adverts go to the peers.
pub(super) fn destination(b: &mut Build<'_>, draft: &mut Draft) {
    if !draft.instance.peers.is_empty() && draft.instance.mcast_dst_ip.take().is_some() {
        let text =
            format!("({}) multicast destination specified with unicast - ignoring", draft.instance.name);
        b.report.error(draft.line("mcast_dst_ip"), text);
    }
}

/// Rule 5.16: whether an address owner listens to others.
pub(super) fn owner_ignores(b: &mut Build<'_>, draft: &mut Draft) {
    let wrong = match draft.instance.options.owner_ignore_adverts {
        Some(true) if !is_owner(draft) => "owner_ignore_adverts is for priority 255 only - ignoring it",
        Some(false) if is_owner(draft) => {
            "an address owner ignores adverts - ignoring owner_ignore_adverts off"
        }
        _ => return,
    };
    let text = format!("({}) {wrong}", draft.instance.name);
    b.report.error(draft.line("owner_ignore_adverts"), text);
    draft.instance.options.owner_ignore_adverts = None;
}

/// Rule 5.17: the interval must be one the version can send. `plan` adjusts it.
pub(super) fn interval(b: &mut Build<'_>, draft: &Draft) {
    let Some(interval) = draft.instance.advert_int else { return };
    let version = version(b, draft);
    let micros = interval.as_micros();
    let bad = match version {
        Version::V2 if micros % 1_000_000 != 0 => "must be whole seconds in VRRP version 2 - rounding",
        Version::V3 if micros > 40_950_000 => "must be at most 40.95 seconds in VRRP version 3 - 40.95 used",
        Version::V3 if micros % 10_000 != 0 => {
            "must be a multiple of 0.01 seconds in VRRP version 3 - rounding"
        }
        _ => return,
    };
    let text = format!("({}) advert_int {bad}", draft.instance.name);
    b.report.error(draft.line("advert_int"), text);
}
