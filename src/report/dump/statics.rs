//! What is there whatever becomes of the instances, and the pauses between announcements.

use std::time::Duration;

use super::items;
use super::view::{Lines, View, seconds};
use crate::base::IfName;
use crate::host::carrier::CarrierMethod;
use crate::kernel::Claim;
use crate::plan::Intervals;

/// How links are watched: linkbeat, and how long their changes have to last.
pub(super) fn links(view: &View<'_>, out: &mut Lines) {
    if !view.plan.linkbeats.is_empty() {
        out.section("Linkbeat interfaces");
    }
    for linkbeat in &view.plan.linkbeats {
        let method = match linkbeat.method {
            CarrierMethod::Mii => "MII",
            CarrierMethod::Ethtool => "ETHTOOL",
            CarrierMethod::Flags => "IOCTL",
        };
        out.add(format_args!("     {} {method}", linkbeat.interface));
    }
    let delays = &view.plan.link_delays.delays;
    if !delays.is_empty() {
        out.section("Interface up/down delays");
    }
    for (dev, delay) in delays {
        out.add(format_args!("     {dev} down {} up {}", seconds(delay.down), seconds(delay.up)));
    }
}

/// `Gratuitous ARP delays`.
pub(super) fn pacing(view: &View<'_>, out: &mut Lines) {
    let pacing = &view.plan.pacing;
    let in_a_group = |dev: &IfName| pacing.groups.iter().any(|group| group.interfaces.contains(dev));
    let mut alone: Vec<&IfName> = Vec::new();
    if pacing.intervals != Intervals::default() {
        let devices = view.plan.instances.iter().flat_map(|i| i.addresses.iter().map(|a| i.paced_on(&a.dev)));
        for dev in devices.filter(|dev| !in_a_group(dev)) {
            if !alone.contains(&dev) {
                alone.push(dev);
            }
        }
    }
    if pacing.groups.is_empty() && alone.is_empty() {
        return;
    }
    out.section("Gratuitous ARP delays");
    for (number, written) in pacing.groups.iter().enumerate() {
        group(view, number + 1, written.intervals, &written.interfaces.iter().collect::<Vec<_>>(), out);
    }
    for dev in alone {
        group(view, 0, pacing.intervals, &[dev], out);
    }
}

fn group(view: &View<'_>, number: usize, intervals: Intervals, interfaces: &[&IfName], out: &mut Lines) {
    out.section(&format!("GARP delay group {number}"));
    for (kind, interval) in [("GARP", intervals.arp), ("GNA", intervals.na)] {
        if !interval.is_zero() {
            out.add(format_args!(" {kind} interval = {}", seconds(interval)));
            out.add(format_args!(" {kind} next time {}", view.moment_without_year(Duration::ZERO)));
        }
    }
    out.add(" Interfaces");
    interfaces.iter().for_each(|dev| out.add(format_args!("  {dev}")));
}

/// Static addresses, routes and rules.
pub(super) fn sections(view: &View<'_>, out: &mut Lines) {
    let config = view.config;
    section(out, "Static Addresses", &config.static_addresses, |a| {
        items::address(view, &a.address, None, a.track_group.as_deref())
    });
    section(out, "Static Routes", &config.static_routes, items::route);
    let mut chosen = view.plan.statics.iter().filter_map(|claim| match claim {
        Claim::Rule(claim) => Some(claim.rule.preference),
        _ => None,
    });
    let rules: Vec<_> = config.static_rules.iter().map(|rule| items::rule(rule, chosen.next())).collect();
    section(out, "Static Rules", &rules, String::clone);
}

fn section<T>(out: &mut Lines, title: &str, items: &[T], each: impl Fn(&T) -> String) {
    if !items.is_empty() {
        out.section(title);
        items.iter().for_each(|item| out.add(format_args!("     {}", each(item))));
    }
}
