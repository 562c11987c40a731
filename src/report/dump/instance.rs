//! `VRRP Topology`: an instance.

use std::time::Duration;

use super::items;
use super::view::{Lines, View, command, enabled, seconds, truth, yes};
use crate::base::Family;
use crate::config::model::{HmacMode, Version, VirtualAddress, VrrpInstance};
use crate::plan::{InstancePlan, Subject, TrackPlan};
use crate::vrrp::auth::Authentication;
use crate::vrrp::machine::State;
use crate::vrrp::observed::Observed;
use crate::vrrp::params::{Delivery, UnicastChecksum};

/// What passwords are shown as.
const SECRET: &str = "********";

/// All instances.
pub(super) fn section(view: &View<'_>, out: &mut Lines) {
    if view.plan.instances.is_empty() {
        return;
    }
    out.section("VRRP Topology");
    for plan in &view.plan.instances {
        let observed = view.findings.observed.get(&plan.id);
        let nothing = VrrpInstance::default();
        let written = view.written(&plan.name).unwrap_or(&nothing);
        out.add(format_args!(" VRRP Instance = {}", plan.name));
        head(view, plan, observed, out);
        source(view, plan, written, observed, out);
        announcements(plan, out);
        election(view, plan, written, observed, out);
        secrets(plan, written, out);
        addresses(view, plan, written, out);
        unicast(plan, out);
        if observed.is_some() {
            // Descriptors are shared by all instances of an interface, and nobody's business.
            out.add("   fd_in -1, fd_out -1");
        }
        routes(plan, written, out);
        tracked(plan, written, out);
        notify(view, plan, written, out);
    }
}

/// What stock calls a state here.
pub(super) fn word(state: State) -> &'static str {
    match state {
        State::Init => "INIT",
        State::Backup => "BACKUP",
        State::Master => "MASTER",
        State::Fault => "FAULT",
        State::Stopped => "unknown",
    }
}

const fn number(version: Version) -> u8 {
    match version {
        Version::V2 => 2,
        Version::V3 => 3,
    }
}

/// How the version tells intervals.
fn interval(version: Version, time: Duration) -> String {
    match version {
        Version::V2 => format!("{} sec", time.as_secs()),
        Version::V3 => format!("{} milli-sec", time.as_millis()),
    }
}

fn head(view: &View<'_>, plan: &InstancePlan, observed: Option<&Observed>, out: &mut Lines) {
    let params = &plan.params;
    out.put("VRRP Version", number(params.version));
    if let Some(group) = view.plan.groups.iter().find(|group| group.members.contains(&plan.id)) {
        out.put("Sync group", &group.name);
    }
    if params.family == Family::V6 {
        out.add("   Using Native IPv6");
    }
    let Some(observed) = observed else { return };
    let seen = &observed.snapshot;
    out.put("State", word(seen.state));
    if let (State::Backup, Some(master)) = (seen.state, seen.master) {
        out.put("Master router", master);
        out.put("Master priority", seen.master_priority);
        if params.version == Version::V3 {
            let interval = seen.master_interval;
            let centis = interval.subsec_millis() / 10;
            out.put("Master advert int", format_args!("{}.{centis:02} sec", interval.as_secs()));
        }
    }
    match params.delivery.is_unicast() {
        true => {
            out.add("   Flags:");
            out.add("     Using unicast");
        }
        false => out.add("   Flags: none"),
    }
    out.put("Wantstate", word(seen.wanted));
    out.put("Number of config faults", 0);
    out.put("Number of interface and track script faults", seen.faults.len() + seen.tracked_faults);
    out.put("Number of track scripts init", seen.awaited);
    out.put("Last transition", view.moment(observed.since));
    match seen.deadline {
        Some(at) => out.put("Read timeout", view.moment(observed.unix(at))),
        None => out.put("Read timeout", "DISABLED"),
    }
    out.put("Master down timer", format_args!("{} usecs", seen.master_down.as_micros()));
    if let Some(vmac) = &plan.vmac.name {
        let kind = if plan.vmac.is_ipvlan { "IPVLAN" } else { "VMAC" };
        let (up, xmit) = (truth(view.link(vmac).is_some_and(|link| link.up)), truth(plan.vmac.xmit_base));
        out.add(format_args!("   Use {kind}, i/f name {vmac}, is_up = {up}, xmit_base = {xmit}"));
    }
}

fn source(
    view: &View<'_>,
    plan: &InstancePlan,
    written: &VrrpInstance,
    observed: Option<&Observed>,
    out: &mut Lines,
) {
    match (&plan.vmac.name, &plan.interface) {
        (Some(vmac), Some(interface)) => {
            let kind = if plan.vmac.is_ipvlan { "ipvlan" } else { "vmac" };
            let xmit = if plan.vmac.xmit_base { ", xmit base i/f" } else { "" };
            out.put("Interface", format_args!("{vmac}, {kind} on {interface}{xmit}"));
        }
        (_, Some(interface)) => out.put("Interface", interface),
        _ => {}
    }
    if let Some(vrf) = &written.options.vrf {
        out.put("VRF", vrf);
    }
    if plan.dont_track_primary {
        out.add("   VRRP interface tracking disabled");
    }
    if plan.params.skip_check_adv_addr {
        out.add("   Skip checking advert IP addresses");
    }
    if is_strict(view, written) {
        out.add("   Enforcing strict VRRP compliance");
    }
    let used = plan.source.or(observed.and_then(|o| o.source));
    if let Some(source) = used {
        let from = if plan.source.is_some() { " (from configuration)" } else { "" };
        out.put("Using src_ip", format_args!("{source}{from}"));
    }
    if let Delivery::Multicast(group) = plan.params.delivery {
        let link = plan.interface.as_ref().and_then(|dev| view.index(dev)).filter(|_| group.is_ipv6());
        let index = link.map(|index| format!(", ifindex {}", index.0)).unwrap_or_default();
        out.add(format_args!("   Multicast address {group}{index}"));
    }
}

/// Whether it or `vrrp_strict` asks for it.
pub fn is_strict(view: &View<'_>, written: &VrrpInstance) -> bool {
    written.options.strict.or(view.config.globals.options.strict).unwrap_or(false)
}

/// Whether it answers to its addresses.
pub fn accepts(view: &View<'_>, plan: &InstancePlan, written: &VrrpInstance) -> bool {
    written.options.accept.unwrap_or(!is_strict(view, written) || plan.params.is_owner())
}

/// Whether mails are sent about it.
pub fn mails(view: &View<'_>, written: &VrrpInstance) -> bool {
    view.config.globals.options.mail.tells_of(written.options.smtp_alert)
}

/// Whether its changes of priority are told.
fn tells_priorities(view: &View<'_>, written: &VrrpInstance) -> bool {
    let group = view.config.sync_groups.iter().find(|group| group.members.contains(&written.name));
    let of_group = group.and_then(|group| group.notify_priority_changes);
    let globally = view.config.globals.options.notify_priority_changes;
    written.options.notify_priority_changes.or(of_group).or(globally).unwrap_or(false)
}

fn announcements(plan: &InstancePlan, out: &mut Lines) {
    let garp = &plan.params.garp;
    out.put("Gratuitous ARP delay", seconds(garp.delay));
    out.put("Gratuitous ARP repeat", garp.repeat);
    out.put("Gratuitous ARP refresh", seconds(garp.refresh));
    out.put("Gratuitous ARP refresh repeat", garp.refresh_repeat);
    out.put("Gratuitous ARP lower priority delay", seconds(garp.lower_prio_delay));
    out.put("Gratuitous ARP lower priority repeat", garp.lower_prio_repeat);
}

fn election(
    view: &View<'_>,
    plan: &InstancePlan,
    written: &VrrpInstance,
    observed: Option<&Observed>,
    out: &mut Lines,
) {
    let params = &plan.params;
    out.put("Down timer adverts", params.down_timer_adverts);
    out.put("Send advert after receive lower priority advert", truth(!params.lower_prio_no_advert));
    let speaks = params.higher_prio_send_advert.unwrap_or(true);
    out.put("Send advert after receive higher priority advert", truth(speaks));
    if params.ignores_adverts {
        out.add("   Address owner ignores received adverts");
    }
    out.put("Virtual Router ID", params.vrid);
    out.put("Priority", params.priority);
    if let Some(observed) = observed {
        out.put("Effective priority", observed.snapshot.priority);
        out.put("Total priority", observed.snapshot.priority);
    }
    if let Some(highest) = params.timer_expired_backup {
        out.put("Highest other priority", highest);
    }
    out.put("Advert interval", interval(params.version, params.advert_int));
    if let Some(Observed { snapshot, .. }) = observed
        && snapshot.state == State::Backup
        && params.version == Version::V3
    {
        out.put("Master advert interval", interval(params.version, snapshot.master_interval));
    }
    out.put("Accept", enabled(accepts(view, plan, written)));
    out.put("Preempt", enabled(params.preempt));
    if !params.preempt_delay.is_zero() {
        out.put("Preempt delay", format_args!("{} secs", seconds(params.preempt_delay)));
    }
    out.put("Promote_secondaries", enabled(plan.promote_secondaries));
}

fn secrets(plan: &InstancePlan, written: &VrrpInstance, out: &mut Lines) {
    match &plan.params.authentication {
        Authentication::Password(_) => {
            out.put("Authentication type", "SIMPLE_PASSWORD");
            out.put("Password", SECRET);
        }
        // No password here: so it is in stock.
        Authentication::Ah(_) => out.put("Authentication type", "IPSEC_AH"),
        Authentication::Hmac(hmac) => {
            out.put("Authentication type", "HMAC");
            out.put("Active key", hmac.active);
            out.put(
                "Mode",
                match hmac.mode {
                    HmacMode::Enforce => "enforce",
                    HmacMode::Permissive => "permissive",
                    HmacMode::ReceiveOnly => "receive-only",
                },
            );
            match hmac.window {
                Some(window) => out.put("Time window", format!("{} sec", seconds(window))),
                None => out.put("Anti replay", "monotonic"),
            }
        }
        Authentication::None if plan.params.version == Version::V2 => out.put("Authentication type", "none"),
        Authentication::None => {}
    }
    if plan.params.v3_checksum_as_v2 {
        out.add("   VRRPv3 uses VRRPv2 checksum");
    }
    if let Some(bytes) = written.options.receive_buffer {
        out.put("Kernel rx buffer size", bytes);
    }
    if let Some(level) = written.options.debug.filter(|level| *level > 0) {
        out.put("Debug level", level);
    }
}

fn addresses(view: &View<'_>, plan: &InstancePlan, written: &VrrpInstance, out: &mut Lines) {
    out.add(format_args!("   Virtual IP ({}):", written.addresses.len()));
    let (advertised, excluded) = address_lines(view, plan, written);
    advertised.iter().for_each(|line| out.add(format_args!("     {line}")));
    out.list("Virtual IP Excluded", &excluded, String::clone);
}

/// The addresses of an instance, those that are advertised and those that are not, with the interfaces they are on.
pub fn address_lines(
    view: &View<'_>,
    plan: &InstancePlan,
    written: &VrrpInstance,
) -> (Vec<String>, Vec<String>) {
    let mut devices = plan.addresses.iter().map(|claim| &claim.dev);
    let mut line = |a: &VirtualAddress| {
        let dev = devices.next().or(plan.interface.as_ref());
        let mut text = items::address(view, a, dev, None);
        if !plan.drops.is_empty() && text.ends_with(" set") {
            text.push_str(" nftable_set");
        }
        text
    };
    let advertised = written.addresses.iter().map(&mut line).collect();
    (advertised, written.excluded.iter().map(line).collect())
}

fn unicast(plan: &InstancePlan, out: &mut Lines) {
    let Delivery::Unicast(unicast) = &plan.params.delivery else { return };
    out.put("Unicast TTL", unicast.ttl);
    out.add(format_args!("   Check unicast src : {}", yes(unicast.check_source)));
    out.list("Unicast Peer", &unicast.peers, |peer| {
        format!("{} min_ttl {} max_ttl {}", peer.address, peer.min_ttl, peer.max_ttl)
    });
    out.put(
        "Unicast checksum compatibility",
        match unicast.checksum {
            UnicastChecksum::Old(_) => "config",
            UnicastChecksum::New => "never",
            UnicastChecksum::Learns(_) => "no",
        },
    );
}

fn routes(plan: &InstancePlan, written: &VrrpInstance, out: &mut Lines) {
    out.list("Virtual Routes", &written.options.routes, items::route);
    let rules: Vec<_> = rules(plan, written);
    out.list("Virtual Rules", &rules, String::clone);
}

/// The rules of an instance, with the preferences that were chosen.
pub fn rules(plan: &InstancePlan, written: &VrrpInstance) -> Vec<String> {
    let chosen = plan.rules.iter().map(|claim| Some(claim.rule.preference)).chain(std::iter::repeat(None));
    written.options.rules.iter().zip(chosen).map(|(rule, chosen)| items::rule(rule, chosen)).collect()
}

/// `weight 5 reverse`.
pub(super) fn weight(track: &TrackPlan) -> String {
    format!("weight {}{}", track.weight, if track.reverse { " reverse" } else { "" })
}

/// What an instance tracks itself, not by way of its group or of its routes.
pub fn own_tracks<'a>(plan: &'a InstancePlan, written: &VrrpInstance) -> Vec<&'a TrackPlan> {
    let tracks = &written.tracks;
    let own = |track: &&TrackPlan| match &track.what {
        Subject::Script(name) => written.track_scripts.iter().any(|t| t.script == *name),
        Subject::Interface(name) => tracks.interfaces.iter().any(|t| t.interface == *name),
        Subject::File(name) => tracks.files.iter().any(|t| t.name == *name),
        Subject::Process(name) => tracks.processes.iter().any(|t| t.name == *name),
    };
    plan.tracks.iter().filter(own).collect()
}

fn tracked(plan: &InstancePlan, written: &VrrpInstance, out: &mut Lines) {
    let tracks = own_tracks(plan, written);
    // Scripts and interfaces have a blank behind their names, the others a comma.
    let lines = |pick: fn(&Subject) -> Option<&str>, comma: &str| -> Vec<String> {
        let picked = tracks.iter().filter_map(|track| Some((pick(&track.what)?, track)));
        picked.map(|(name, track)| format!("{name}{comma} {}", weight(track))).collect()
    };
    out.list("Tracked interfaces", &lines(interface_name, ""), String::clone);
    out.list("Tracked scripts", &lines(script_name, ""), String::clone);
    out.list("Tracked files", &lines(file_name, ","), String::clone);
    out.list("Tracked processes", &lines(process_name, ","), String::clone);
}

/// The name of a tracked interface.
pub fn interface_name(what: &Subject) -> Option<&str> {
    if let Subject::Interface(name) = what { Some(name.as_str()) } else { None }
}

/// The name of a tracked script.
pub fn script_name(what: &Subject) -> Option<&str> {
    if let Subject::Script(name) = what { Some(name) } else { None }
}

/// The name of a tracked file.
pub(super) fn file_name(what: &Subject) -> Option<&str> {
    if let Subject::File(name) = what { Some(name) } else { None }
}

/// The name of a tracked process.
pub fn process_name(what: &Subject) -> Option<&str> {
    if let Subject::Process(name) = what { Some(name) } else { None }
}

fn notify(view: &View<'_>, plan: &InstancePlan, written: &VrrpInstance, out: &mut Lines) {
    let options = &written.options;
    out.put("Using smtp notification", yes(mails(view, written)));
    out.put("Notify deleted", if options.notify_deleted.is_some() { "Deleted" } else { "Fault" });
    let scripts = &plan.notify;
    let deleted = options.notify_deleted.as_ref().and_then(Option::as_ref);
    for (name, script) in [
        ("Backup", scripts.backup.as_ref()),
        ("Master", scripts.master.as_ref()),
        ("Fault", scripts.fault.as_ref()),
        ("Stop", scripts.stop.as_ref()),
        ("Deleted", deleted),
        ("Generic", scripts.any.as_ref()),
        ("Master rx lower pri", scripts.master_rx_lower_pri.as_ref()),
    ] {
        if let Some(script) = script {
            out.put(&format!("{name} state transition script"), command(script));
        }
    }
    out.put("Notify priority changes", truth(tells_priorities(view, written)));
}
