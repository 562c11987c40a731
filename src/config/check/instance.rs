//! What must be true of one `vrrp_instance`.

use std::time::Duration;

use crate::base::{Family, Priority};
use crate::config::apply::Build;
use crate::config::apply::instance::Draft;
use crate::config::diagnostic::Severity;
use crate::config::model::{InitialState, SyncGroup, Version};

use super::{link, protocol, strict, weights};

/// Whether it has what no instance can do without. Stock does not start otherwise.
pub(crate) fn complete(b: &mut Build<'_>, draft: &Draft) -> bool {
    let name = &draft.instance.name;
    let mut missing = Vec::new();
    let reported = |b: &mut Build<'_>, at: Option<usize>| match at.and_then(|n| b.report.list.get_mut(n)) {
        Some(diagnostic) => {
            diagnostic.refuses(2);
            true
        }
        None => false,
    };
    let mut complete = true;
    if draft.instance.vrid.is_none() {
        complete = false;
        if !reported(b, draft.bad_vrid) {
            let hint = "add virtual_router_id with a number from 1 to 255, the same on all routers";
            missing.push((
                "virtual_router_id",
                format!("VRRP_Instance({name}) the virtual id must be set"),
                hint,
            ));
        }
    }
    let options = &draft.instance.options;
    let own = draft.instance.source.is_some() && draft.lines.contains_key("unicast_src_ip");
    let unicast = !draft.instance.peers.is_empty() || own;
    if draft.instance.interface.is_none() && (!unicast || options.vmac.is_some()) {
        complete = false;
        if !reported(b, draft.bad_interface) {
            missing.push(("interface", format!("VRRP_Instance({name}) has no interface"), "add interface"));
        }
    }
    for (keyword, text, hint) in missing {
        b.report.lacks(&draft.name, keyword, text).refuses(2).hint(hint);
    }
    complete
}

/// Checks an instance by itself, and takes away from it what cannot be. `group` is its sync group.
pub(crate) fn check(
    b: &mut Build<'_>,
    draft: &mut Draft,
    group: Option<&SyncGroup>,
    weights: &weights::Weights,
    names: &mut link::Names,
) {
    master_without_priority(b, draft);
    let strict = strict::is_strict(b, draft);
    protocol::ipv6_version(b, draft, strict);
    if strict {
        strict::state(b, draft);
        strict::authentication(b, draft);
    }
    protocol::authentication(b, draft);
    protocol::unicast_without_peers(b, draft);
    if strict {
        strict::unicast(b, draft);
    }
    protocol::source_without_interface(b, draft);
    if strict {
        strict::hardware_address(b, draft);
    }
    link::capable(b, draft);
    protocol::link_local_first(b, draft, strict);
    link::vrf(b, draft);
    too_many_addresses(b, draft);
    preemption(b, draft);
    if strict {
        strict::timers(b, draft);
    }
    expiry(b, draft);
    if strict {
        strict::accept(b, draft);
    }
    protocol::destination(b, draft);
    if strict {
        strict::messages(b, draft);
    }
    protocol::owner_ignores(b, draft);
    protocol::interval(b, draft);
    link::debounce(b, draft);
    link::virtual_links(b, draft, strict, names);
    link::own_interface(b, draft);
    link::addresses(b, draft);
    if strict {
        strict::addresses(b, draft);
    }
    no_address(b, draft, strict);
    weights::useless(b, draft, group, weights);
    weights::needed(b, draft);
}

/// The version an instance speaks: IPv6 is version 3 unless it says otherwise.
pub(super) fn version(b: &Build<'_>, draft: &Draft) -> Version {
    let global = match draft.family {
        Some(Family::V6) => Some(Version::V3),
        _ => b.config.globals.vrrp_version,
    };
    draft.instance.version.or(global).unwrap_or(Version::V2)
}

/// What the priority is when none is written: 255 with `state MASTER`, else 100.
pub(super) fn is_owner(draft: &Draft) -> bool {
    match draft.instance.priority {
        Some(priority) => priority.is_owner(),
        None => draft.instance.state == Some(InitialState::Master),
    }
}

/// What surprises most of those who write it.
fn master_without_priority(b: &mut Build<'_>, draft: &Draft) {
    if draft.instance.state == Some(InitialState::Master) && draft.instance.priority.is_none() {
        let text = format!("({}) state MASTER without priority means priority 255", draft.instance.name);
        let hint = "with 255 it never gives way; set a priority from 1 to 254";
        b.report.warning(draft.line("state"), text).hint(hint);
    }
}

/// Rule 5.11: what an advert cannot count or carry is excluded from it.
fn too_many_addresses(b: &mut Build<'_>, draft: &mut Draft) {
    let room = link::room(b, draft);
    let instance = &mut draft.instance;
    if instance.addresses.len() > room {
        let surplus = instance.addresses.split_off(room);
        let text = format!(
            "({}) an advert has room for {room} addresses: the last {} become excluded ones",
            instance.name,
            surplus.len()
        );
        instance.excluded.splice(0..0, surplus);
        b.report.error(draft.line("virtual_ipaddress"), text);
    }
}

/// Rule 5.12: what contradicts `nopreempt` and `preempt_delay`.
fn preemption(b: &mut Build<'_>, draft: &mut Draft) {
    let name = draft.instance.name.clone();
    let master = draft.instance.state == Some(InitialState::Master)
        || (draft.instance.state.is_none() && draft.instance.priority == Some(Priority::OWNER));
    if draft.instance.nopreempt && is_owner(draft) {
        let text = format!("({name}) nopreempt is incompatible with priority 255 - resetting nopreempt");
        let hint = (draft.instance.priority.is_none()).then_some("state MASTER without priority means 255");
        let added = b.report.error(draft.line("nopreempt"), text);
        added.hint = hint.map(Into::into);
        draft.instance.nopreempt = false;
    }
    if draft.instance.nopreempt && master {
        let text = format!("({name}) nopreempt is incompatible with state MASTER - resetting nopreempt");
        let hint = "give all routers state BACKUP; the priorities decide who begins";
        b.report.error(draft.line("nopreempt"), text).hint(hint);
        draft.instance.nopreempt = false;
    }
    if draft.instance.preempt_delay.is_some_and(|d| d > Duration::ZERO) {
        let why = if master {
            "state MASTER"
        } else if draft.instance.nopreempt {
            "nopreempt"
        } else {
            return;
        };
        let text = format!("({name}) preempt_delay is incompatible with {why} - resetting preempt_delay");
        b.report.error(draft.line("preempt_delay"), text);
        draft.instance.preempt_delay = None;
    }
}

/// Rule 5.12: a backup whose timer expired needs `nopreempt` to be remembered.
fn expiry(b: &mut Build<'_>, draft: &mut Draft) {
    if draft.instance.options.timer_expired_backup.is_some() && !draft.instance.nopreempt {
        let text = format!("({}) timer_expired_backup requires nopreempt - ignoring it", draft.instance.name);
        b.report.error(draft.line("timer_expired_backup"), text);
        draft.instance.options.timer_expired_backup = None;
    }
}

/// Rule 5.22: an instance without address; version 3 and strict mode do not allow it.
fn no_address(b: &mut Build<'_>, draft: &Draft, strict: bool) {
    if !draft.instance.addresses.is_empty() || draft.instance.options.no_addresses {
        return;
    }
    let name = &draft.instance.name;
    let text = format!("({name}) has no virtual_ipaddress");
    if strict || version(b, draft) == Version::V3 {
        b.report.lacks(&draft.name, "virtual_ipaddress", text).refuses(2);
    } else {
        let added = b.report.lacks(&draft.name, "virtual_ipaddress", text);
        added.severity = Severity::Warning;
    }
}
