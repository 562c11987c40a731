//! What the plan has beside addresses: routes and rules, pauses, pipes, links and delays.

use std::time::Duration;

use super::{command, put, seconds};
use crate::config::model::HmacMode;
use crate::host::carrier::CarrierMethod;
use crate::kernel::{Claim, RouteClaim, RuleClaim};
use crate::plan::{InstancePlan, Intervals, PipePlan, Plan};
use crate::vrrp::auth::Hmac;

/// What concerns all instances.
pub(super) fn globals(plan: &Plan, out: &mut Vec<String>) {
    let mut time = |key, time: Duration| {
        if !time.is_zero() {
            put(out, key, seconds(time));
        }
    };
    time("VRRP startup delay", plan.startup_delay);
    time("Delay after boot", plan.delay_after_boot);
    time("Gratuitous ARP interval", plan.pacing.intervals.arp);
    time("Gratuitous NA interval", plan.pacing.intervals.na);
    plan.pipes.iter().for_each(|p| pipe(p, out));
    if plan.pipes_repeat_states {
        put(out, "FIFO write vrrp states on reload", "true");
    }
}

fn pipe(plan: &PipePlan, out: &mut Vec<String>) {
    let owner =
        plan.owner.as_ref().map(|user| format!(", uid:gid {}:{}", user.uid, user.gid)).unwrap_or_default();
    put(out, &format!("{} fifo", plan.name), format!("{}{owner}", plan.path));
    if let Some(script) = &plan.script {
        put(out, &format!("{} fifo script", plan.name), command(script));
    }
}

/// Static routes and rules, groups of pauses, and how links are watched.
pub(super) fn statics(plan: &Plan, out: &mut Vec<String>) {
    let routes = plan.statics.iter().filter_map(|claim| match claim {
        Claim::Route(claim) => Some(route(claim)),
        _ => None,
    });
    section(out, "Static Routes", routes.collect());
    let rules = plan.statics.iter().filter_map(|claim| match claim {
        Claim::Rule(claim) => Some(rule(claim)),
        _ => None,
    });
    section(out, "Static Rules", rules.collect());
    let groups = plan.pacing.groups.iter().map(|group| {
        let interfaces: Vec<String> = group.interfaces.iter().map(ToString::to_string).collect();
        format!("     {} {}", interfaces.join(" "), intervals(group.intervals))
    });
    section(out, "Gratuitous ARP groups", groups.collect());
    let beats = plan.linkbeats.iter().map(|linkbeat| {
        let method = match linkbeat.method {
            CarrierMethod::Mii => "MII",
            CarrierMethod::Ethtool => "ETHTOOL",
            CarrierMethod::Flags => "IOCTL",
        };
        format!("     {} {method}", linkbeat.interface)
    });
    section(out, "Linkbeat interfaces", beats.collect());
    let delays = plan.link_delays.delays.iter();
    let delays = delays.map(|(dev, d)| format!("     {dev} down {} up {}", seconds(d.down), seconds(d.up)));
    section(out, "Interface up/down delays", delays.collect());
}

fn section(out: &mut Vec<String>, title: &str, lines: Vec<String>) {
    if !lines.is_empty() {
        out.push(format!("------< {title} >------"));
        out.extend(lines);
    }
}

fn intervals(intervals: Intervals) -> String {
    format!("garp_interval {} gna_interval {}", seconds(intervals.arp), seconds(intervals.na))
}

/// Routes and rules of an instance.
pub(super) fn instance(plan: &InstancePlan, out: &mut Vec<String>) {
    if plan.promote_secondaries {
        put(out, "Promote_secondaries", "enabled");
    }
    if !plan.routes.is_empty() {
        out.push(format!("   Virtual Routes ({}):", plan.routes.len()));
        out.extend(plan.routes.iter().map(|claim| route(claim)));
    }
    if !plan.rules.is_empty() {
        out.push(format!("   Virtual Rules ({}):", plan.rules.len()));
        out.extend(plan.rules.iter().map(|claim| rule(claim)));
    }
}

/// `auth_hmac` without its keys.
pub(super) fn hmac(hmac: &Hmac) -> [(&'static str, String); 5] {
    let mode = match hmac.mode {
        HmacMode::Enforce => "enforce",
        HmacMode::Permissive => "permissive",
        HmacMode::ReceiveOnly => "receive-only",
    };
    let keys: Vec<String> = hmac.keys.keys().map(ToString::to_string).collect();
    let window = hmac.window.map_or("none".to_owned(), |window| format!("{} sec", seconds(window)));
    let replay = if hmac.window.is_some() { "time" } else { "monotonic" };
    [
        ("Keys", keys.join(" ")),
        ("Active key", hmac.active.to_string()),
        ("Mode", mode.to_owned()),
        ("Time window", window),
        ("Anti replay", replay.to_owned()),
    ]
}

fn route(claim: &RouteClaim) -> String {
    format!("     {}{}", claim.route, untracked(claim.tracked))
}

fn rule(claim: &RuleClaim) -> String {
    format!("     {}{}", claim.rule, untracked(claim.tracked))
}

const fn untracked(tracked: bool) -> &'static str {
    if tracked { "" } else { " no_track" }
}
