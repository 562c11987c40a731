//! What must be true of one `vrrp_instance`.

use std::time::Duration;

use crate::base::Priority;
use crate::config::apply::Build;
use crate::config::apply::instance::Draft;
use crate::config::diagnostic::{Class, Severity};
use crate::config::model::{InitialState, Version};

/// The most addresses an advert has room to count.
const MAX_ADDRESSES: usize = 255;

/// Whether it has what no instance can do without. Stock does not start otherwise.
pub(crate) fn complete(b: &mut Build<'_>, draft: &Draft) -> bool {
    let name = &draft.instance.name;
    let mut missing = Vec::new();
    if draft.instance.vrid.is_none() {
        let hint = "add virtual_router_id with a number from 1 to 255, the same on all routers";
        missing.push((format!("VRRP_Instance({name}) the virtual id must be set"), hint));
    }
    if draft.instance.interface.is_none() {
        missing.push((format!("VRRP_Instance({name}) has no interface"), "add interface"));
    }
    for (text, hint) in &missing {
        b.report.error(&draft.name, text).refuses(2).hint(*hint);
    }
    missing.is_empty()
}

/// Checks an instance by itself, and takes away from it what cannot be.
pub(crate) fn check(b: &mut Build<'_>, draft: &mut Draft) {
    master_without_priority(b, draft);
    authentication(b, draft);
    unicast_without_peers(b, draft);
    too_many_addresses(b, draft);
    preemption(b, draft);
    interval(b, draft);
    no_address(b, draft);
    weights_of_owner(b, draft);
}

fn version(b: &Build<'_>, draft: &Draft) -> Version {
    draft.instance.version.or(b.config.globals.vrrp_version).unwrap_or(Version::V2)
}

/// What the priority is when none is written: 255 with `state MASTER`, else 100.
fn is_owner(draft: &Draft) -> bool {
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

/// Rule 5.4: VRRPv3 has no authentication.
fn authentication(b: &mut Build<'_>, draft: &mut Draft) {
    if version(b, draft) == Version::V3 && draft.instance.authentication.is_some() {
        let name = &draft.instance.name;
        let text = format!("({name}) VRRP version 3 does not support authentication. Ignoring.");
        b.report.error(draft.line("authentication"), text);
        draft.instance.authentication = None;
    }
}

/// Rule 5.5: settings of unicast adverts when there is nobody to send them to; they go to the multicast group.
fn unicast_without_peers(b: &mut Build<'_>, draft: &Draft) {
    if draft.lines.contains_key("unicast_peer") {
        return;
    }
    let settings = ["unicast_src_ip", "check_unicast_src", "old_unicast_checksum", "unicast_ttl"];
    if let Some(line) = settings.iter().find_map(|s| draft.lines.get(s)) {
        let text =
            format!("({}) has unicast settings but no unicast_peer - using multicast", draft.instance.name);
        b.report.error(line, text).hint("list the other routers in unicast_peer, or remove the setting");
    }
}

/// Rule 5.11: what an advert cannot count is excluded from it.
fn too_many_addresses(b: &mut Build<'_>, draft: &mut Draft) {
    let instance = &mut draft.instance;
    if instance.addresses.len() > MAX_ADDRESSES {
        let surplus = instance.addresses.split_off(MAX_ADDRESSES);
        let text = format!(
            "({}) more than {MAX_ADDRESSES} addresses: the last {} become excluded ones",
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

/// Rule 5.17: the interval must be one the version can send. `plan` adjusts it.
fn interval(b: &mut Build<'_>, draft: &Draft) {
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

/// Rule 5.22: an instance without address; version 3 does not allow it.
fn no_address(b: &mut Build<'_>, draft: &Draft) {
    if !draft.instance.addresses.is_empty() || draft.no_addresses {
        return;
    }
    let name = &draft.instance.name;
    let text = format!("({name}) has no virtual_ipaddress");
    match version(b, draft) {
        Version::V2 => {
            b.report.at(&draft.name, Severity::Warning, Class::Config, text);
        }
        Version::V3 => {
            b.report.error(&draft.name, text).refuses(2);
        }
    }
}

/// Rule 5.23: the address owner's priority is fixed.
fn weights_of_owner(b: &mut Build<'_>, draft: &mut Draft) {
    if !is_owner(draft) {
        return;
    }
    let scripts = &b.config.scripts;
    let weight = |name: &str| scripts.iter().find(|s| s.name == name).and_then(|s| s.weight).unwrap_or(0);
    let (kept, dropped): (Vec<_>, Vec<_>) = std::mem::take(&mut draft.instance.track_scripts)
        .into_iter()
        .partition(|t| t.weight.unwrap_or_else(|| weight(&t.script)) == 0);
    draft.instance.track_scripts = kept;
    for track in dropped {
        let text = format!(
            "({}) track script {} has a weight, which priority 255 does not allow - ignoring it",
            draft.instance.name, track.script
        );
        b.report.error(draft.line("track_script"), text);
    }
}
