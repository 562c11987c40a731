//! `Interfaces`.

use std::net::IpAddr;
use std::time::Duration;

use super::view::{Lines, View, is_virtual, seconds, truth};
use crate::base::{Cidr, MacAddr};
use crate::host::loader::LinkKind;
use crate::host::{CarrierMethod, Link};
use crate::kernel::Survey;
use crate::plan::{InstancePlan, Intervals, Subject};

/// The weight that stock shows of an instance's own interface if that is not tracked.
const NOT_TRACKED: i16 = 255;

/// The section, if the machine was looked at.
pub(super) fn section(view: &View<'_>, out: &mut Lines) {
    let Some(survey) = &view.findings.survey else { return };
    out.section("Interfaces");
    survey.links.iter().for_each(|link| one(view, survey, link, out));
}

fn one(view: &View<'_>, survey: &Survey, link: &Link, out: &mut Lines) {
    out.add(format_args!(" Name = {}", link.name));
    out.put("index", link.index.0);
    addresses(view, survey, link, out);
    if let Some(mac) = link.mac.filter(|_| !link.loopback) {
        out.put("MAC", mac);
        out.put("MAC broadcast", MacAddr::BROADCAST);
    }
    out.put("State", state(link));
    out.put("Seen up", 1);
    out.put("Delayed state change running", truth(false));
    let delay = view.plan.link_delays.delays.get(&link.name).copied().unwrap_or_default();
    out.put("Up debounce timer", format_args!("{}us", delay.up.as_micros()));
    out.put("Down debounce timer", format_args!("{}us", delay.down.as_micros()));
    if is_virtual(link) {
        vmac(view, survey, link, out);
    }
    out.put("MTU", link.mtu);
    out.put(
        "HW Type",
        match link {
            Link { loopback: true, .. } => "LOOPBACK",
            Link { mac: Some(_), .. } => "ETHERNET",
            _ => "UNKNOWN",
        },
    );
    let linkbeat = view.plan.linkbeats.iter().find(|linkbeat| linkbeat.interface == link.name);
    out.add(match linkbeat.map(|linkbeat| linkbeat.method) {
        Some(CarrierMethod::Mii) => "   NIC support MII BMSR interface",
        Some(CarrierMethod::Ethtool) => "   NIC support ETHTOOL GLINK interface",
        Some(CarrierMethod::Flags) => "   NIC ioctl refresh polling",
        None => "   NIC netlink status update",
    });
    pauses(view, link, out);
    let promoted = view.plan.instances.iter().filter(|i| promotes(i, link)).count();
    out.add("   Reset ARP config counter 0");
    out.add("   Original arp_ignore 0");
    out.add("   Original arp_filter 0");
    out.add(format_args!("   Original promote_secondaries {}", u8::from(promoted > 0)));
    out.add(format_args!("   Reset promote_secondaries counter {promoted}"));
    let users: Vec<String> = view.plan.instances.iter().filter_map(|i| uses(i, link)).collect();
    out.list("Tracking VRRP instances", &users, String::clone);
}

/// A VMAC or ipvlan and what it stands on.
fn vmac(view: &View<'_>, survey: &Survey, link: &Link, out: &mut Lines) {
    let base = survey.links.iter().find(|base| Some(base.index) == link.stacking.base);
    let (name, state) = base.map_or(("unknown".to_owned(), String::new()), |base| {
        (base.name.to_string(), format!(", state = {}", state(base)))
    });
    let kind = match link.stacking.kind {
        LinkKind::Macvlan { private: true } => "VMAC type private",
        LinkKind::Macvlan { private: false } => "VMAC",
        _ => "IPVLAN",
    };
    out.add(format_args!("   {kind}, underlying interface = {name}{state}"));
    if view.plan.instances.iter().any(|i| i.vmac.name.as_ref() == Some(&link.name)) {
        out.add("   I/f created by keepalived");
    }
}

/// The addresses that were not brought by us: the first of each family, and further ones of IPv4.
fn addresses(view: &View<'_>, survey: &Survey, link: &Link, out: &mut Lines) {
    let is_virtual = |cidr: &Cidr| {
        let mut claimed = view.plan.instances.iter().flat_map(|i| &i.addresses);
        let mut fixed = view.config.static_addresses.iter().map(|item| item.address.cidr.ip);
        claimed.any(|claim| claim.cidr.ip == cidr.ip) || fixed.any(|ip| ip == cidr.ip)
    };
    let own = survey.addresses.iter().filter(|(on, cidr)| *on == link.index && !is_virtual(cidr));
    let (v4, v6): (Vec<IpAddr>, Vec<IpAddr>) = own.map(|(_, cidr)| cidr.ip).partition(|ip| ip.is_ipv4());
    let shown = |ip: Option<&IpAddr>| ip.map_or("(none)".to_owned(), ToString::to_string);
    out.put("IPv4 address", shown(v4.first()));
    out.list("Additional IPv4 addresses", v4.get(1..).unwrap_or_default(), ToString::to_string);
    // The one that adverts come from: a link-local one.
    let local = v6.iter().find(|ip| matches!(ip, IpAddr::V6(ip) if ip.is_unicast_link_local()));
    out.put("IPv6 address", shown(local));
}

fn state(link: &Link) -> String {
    let mut text =
        format!("{}UP, {}RUNNING", if link.up { "" } else { "not " }, if link.running { "" } else { "not " });
    for (word, on) in [
        (", no broadcast", link.loopback),
        (", loopback", link.loopback),
        (", no ARP", !link.arp && !link.loopback),
        (", no multicast", !link.multicast),
    ] {
        text.push_str(if on { word } else { "" });
    }
    text
}

fn pauses(view: &View<'_>, link: &Link, out: &mut Lines) {
    let pacing = &view.plan.pacing;
    let group = pacing.groups.iter().position(|group| group.interfaces.contains(&link.name));
    let used =
        || view.plan.instances.iter().any(|i| i.addresses.iter().any(|a| *i.paced_on(&a.dev) == link.name));
    let intervals = match group.and_then(|place| pacing.groups.get(place)) {
        Some(group) => group.intervals,
        None if used() => pacing.intervals,
        None => Intervals::default(),
    };
    for (kind, interval) in [("ARP", intervals.arp), ("NA", intervals.na)] {
        if !interval.is_zero() {
            out.add(format_args!("   Gratuitous {kind} interval {}", pause(interval)));
        }
    }
    if let Some(place) = group {
        out.add(format_args!("   Gratuitous ARP aggregation group {}", place + 1));
    }
}

fn pause(time: Duration) -> String {
    if time < Duration::from_millis(1) {
        return format!("{}us", time.as_micros());
    }
    format!("{}ms", seconds(time * 1000))
}

fn promotes(plan: &InstancePlan, link: &Link) -> bool {
    plan.promote_secondaries && plan.addresses.iter().any(|a| a.dev == link.name)
}

/// What an instance wants to know of an interface.
fn uses(plan: &InstancePlan, link: &Link) -> Option<String> {
    let tracked = plan.tracks.iter().find(|t| t.what == Subject::Interface(link.name.clone()));
    let names = [&plan.interface, &plan.vmac.name];
    let own = names.into_iter().any(|name| name.as_ref() == Some(&link.name));
    let (weight, reverse) = match tracked {
        Some(track) => (track.weight, track.reverse),
        None if own && plan.dont_track_primary => (NOT_TRACKED, false),
        None if own => (0, false),
        None => return None,
    };
    Some(format!("{}, weight {weight}{}", plan.name, if reverse { " reverse" } else { "" }))
}
