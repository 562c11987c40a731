//! What happens to instances and sync groups.

use std::net::IpAddr;
use std::time::Duration;

use tracing::{debug, info, warn};

use super::cause::{cause, state_word};
use super::packets::{and, rejected};
use crate::base::IfName;
use crate::host::Error;
use crate::plan::InstancePlan;
use crate::vrrp::event::Event;
use crate::vrrp::machine::State;
use crate::vrrp::params::Params;

/// Something happened to an instance.
pub fn vrrp(plan: &InstancePlan, params: &Params, event: &Event) {
    let name = &plan.name;
    let cause = |why| cause(why, plan);
    let interface = plan.device().map(IfName::as_str);
    let priority = params.priority.get();
    match event {
        Event::AdvertTimeout => {
            debug!(target: "vrrp", instance = name, "({name}) Receive advertisement timeout")
        }
        Event::Master(why) => {
            info!(target: "vrrp", instance = name, interface, state = "MASTER", priority, cause = cause(why), "({name}) Entering MASTER STATE")
        }
        Event::Backup { init, cause: why } => {
            info!(target: "vrrp", instance = name, interface, state = "BACKUP", priority, cause = cause(why), "({name}) Entering BACKUP STATE{}", suffix(*init));
        }
        Event::Fault { init, cause: why } => {
            info!(target: "vrrp", instance = name, interface, state = "FAULT", priority, cause = cause(why), "({name}) Entering FAULT STATE{}", suffix(*init));
        }
        Event::StillFault(why) => {
            info!(target: "vrrp", instance = name, interface, state = "FAULT", priority, cause = cause(why), "({name}) Still in FAULT STATE")
        }
        Event::Stopped => debug!(target: "vrrp", instance = name, "({name}) Stopped"),
        Event::SentPriorityZero => info!(target: "vrrp", instance = name, "({name}) sent 0 priority"),
        Event::Lent(time) => info!(
            target: "vrrp",
            instance = name,
            "({name}) handed over: the addresses stay for {} s, for the next start",
            time.as_secs()
        ),
        Event::NotLent => {
            warn!(target: "vrrp", instance = name, "({name}) cannot be handed over - resigning");
        }
        Event::BackupHeardPriorityZero(from) => {
            debug!(target: "vrrp", instance = name, cause = from.to_string(), "({name}) Backup received priority 0 advertisement");
        }
        Event::MasterHeardPriorityZero(from) => {
            debug!(target: "vrrp", instance = name, cause = from.to_string(), "({name}) Master received priority 0 message");
        }
        Event::LowerPriorityDiscarded { from, priority } => {
            info!(target: "vrrp", instance = name, "({name}) received lower priority ({priority}) advert from {from} - discarding");
        }
        Event::LowerPriorityHeard { from, priority, ours, election } => {
            let suffix = if *election { ", forcing new election" } else { "" };
            info!(
                target: "vrrp", instance = name,
                "({name}) Received advert from {from} with lower priority {priority}, ours {ours}{suffix}"
            );
        }
        Event::HigherPriorityHeard { from, priority, ours } => info!(
            target: "vrrp", instance = name,
            "({name}) Master received advert from {from} with higher priority {priority}, ours {ours}"
        ),
        Event::HigherAddressHeard { from, priority } => info!(
            target: "vrrp", instance = name,
            "({name}) Master received advert from {from} with same priority {priority} but higher IP address than ours"
        ),
        Event::SequenceSynced => {
            info!(target: "vrrp", instance = name, "({name}) IPSEC-AH : Syncing seq_num - Increment seq");
        }
        Event::OwnAddressHeard => warn!(
            target: "vrrp", instance = name,
            "({name}) WARNING - equal priority advert received from remote host with our IP address."
        ),
        Event::OwnerConflict(from) => warn!(
            target: "vrrp", instance = name,
            "({name}) CONFIGURATION ERROR: local instance and {from} are both configured as address owner, please resolve"
        ),
        Event::OwnerReduced(from) => warn!(
            target: "vrrp", instance = name,
            "({name}) CONFIGURATION ERROR: {from} is still advertising as address owner, please resolve - reducing our priority to 254"
        ),
        Event::OwnerRestored => info!(
            target: "vrrp", instance = name,
            "({name}) Restoring our priority to 255 since no other address owner is advertising"
        ),
        Event::TimerExpired(late) => warn!(
            target: "vrrp", instance = name,
            "({name}) VRRP thread timer expired {}.{:06} seconds ago",
            late.as_secs(),
            late.subsec_micros()
        ),
        Event::MasterIs { before: None, now } => {
            debug!(target: "vrrp", instance = name, "({name}) master set to {now}")
        }
        Event::MasterIs { before: Some(before), now } => {
            debug!(target: "vrrp", instance = name, "({name}) master changed from {before} to {now}");
        }
        Event::IntervalLearned { before, now } => info!(
            target: "vrrp", instance = name,
            "({name}) advertisement interval updated from {}ms to {}ms by master",
            before.as_millis(),
            now.as_millis()
        ),
        Event::IntervalOwn { before, now } => debug!(
            target: "vrrp", instance = name,
            "({name}) changing advert interval from {}ms to locally configured {}ms",
            before.as_millis(),
            now.as_millis()
        ),
        Event::PreemptDelayStarted(delay) => {
            info!(target: "vrrp", instance = name, "({name}) start preempt delay ({}.{:06})", delay.as_secs(), delay.subsec_micros());
        }
        Event::PreemptDelayStopped => info!(target: "vrrp", instance = name, "({name}) stop preempt delay"),
        Event::TrackedFault { what, fault } => {
            let change = if *fault { "now" } else { "leaving" };
            debug!(target: "vrrp", instance = name, "({name}): tracked {what} {change} FAULT state");
        }
        Event::PriorityChanged { before, now, what } => info!(
            target: "vrrp", instance = name,
            cause = what.as_str(),
            "({name}) Changing effective priority from {before} to {now}"
        ),
        Event::PrioritySet { now, what } => info!(
            target: "vrrp", instance = name,
            cause = what.as_str(),
            "({name}) Setting effective priority to {now}"
        ),
        Event::OldChecksum => {
            info!(target: "vrrp", instance = name, "({name}) Setting unicast VRRPv3 checksum to old version");
        }
        Event::Rejected { reject, from } => rejected(name, params, reject, *from),
        Event::Stalled(late) => warn!(
            target: "vrrp", instance = name,
            "({name}) A thread timer expired {}.{:06} seconds ago - listening before speaking",
            late.as_secs(),
            late.subsec_micros()
        ),
    }
}

/// Lines like the one before were left out.
pub fn left_out(name: &str, count: u64) {
    if count > 0 {
        info!(target: "vrrp", instance = name, "({name}) {count} more like this before it");
    }
}

fn suffix(init: bool) -> &'static str {
    if init { " (init)" } else { "" }
}

/// Nobody takes part in elections for a while.
pub fn startup_delayed(delay: Duration) {
    info!(target: "vrrp", "Delaying startup for {} seconds", delay.as_secs_f64());
}

/// From now on everybody does.
pub fn startup_delay_over() {
    info!(target: "vrrp", "Delayed start completed");
}

/// The members of a sync group are brought into a state; of FAULT it may be known which of them is to blame, and why.
pub fn group(name: &str, state: State, trouble: Option<&str>) {
    if let Some(word) = state_word(state) {
        let cause = trouble.unwrap_or_default();
        info!(target: "vrrp", cause, "VRRP_Group({name}) Syncing instances to {word} state");
    }
}

/// What an instance holds in the kernel is about to change.
pub fn claim(plan: &InstancePlan, hold: bool) {
    let verb = if hold { "setting" } else { "removing" };
    let name = &plan.name;
    let mut claimed = [
        ("firewall drop rule", !plan.drops.is_empty()),
        ("VIPs.", plan.advertised > 0),
        ("E-VIPs.", plan.addresses.len() > plan.advertised),
        ("Virtual Routes", !plan.routes.is_empty()),
        ("Virtual Rules", !plan.rules.is_empty()),
    ];
    if !hold {
        claimed.reverse();
        // The addresses go in the same order as they came.
        claimed.swap(2, 3);
        // But for this, which is logged last of all.
    }
    for (what, _) in claimed.into_iter().filter(|(_, any)| *any) {
        debug!(target: "vrrp", instance = name, "({name}) {verb} {what}");
    }
}

/// A burst of announcements begins, for one address.
pub fn announcing(name: &str, dev: &IfName, ip: IpAddr) {
    let what = if ip.is_ipv4() { "gratuitous ARPs" } else { "Unsolicited Neighbour Adverts" };
    debug!(target: "vrrp", instance = name, "({name}) Sending/queueing {what} on {dev} for {ip}");
}

/// One announcement.
pub fn announced(dev: &IfName, ip: IpAddr) {
    let what = if ip.is_ipv4() { "gratuitous ARP" } else { "unsolicited Neighbour Advert" };
    debug!(target: "vrrp", "Sending {what} on {dev} for {ip}");
}

/// Announcements could not be sent.
pub fn announcement_failed(error: &Error) {
    warn!(target: "vrrp", "{error}");
}

/// An advert could not be sent.
pub fn send_failed(name: &str, error: &Error, left_out: u64) {
    let number = error.source.raw_os_error().unwrap_or(0);
    info!(target: "vrrp", instance = name, "({name}): send advert error {number} ({}){}", error.reason(), and(left_out));
}

/// A master has resigned, but its interface is gone (`None`), or does not send: peers have to find out by themselves.
pub fn not_resigned(name: &str, error: Option<&Error>) {
    let cause = error.map(Error::reason);
    info!(target: "vrrp", instance = name, cause, "({name}) could not send 0 priority");
}

/// An instance cannot open its sockets.
pub fn no_socket(name: &str, error: &Error) {
    warn!(target: "vrrp", instance = name, "({name}) {error}");
}
