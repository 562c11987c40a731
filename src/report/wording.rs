//! Log lines, in stock's words: people's tools match on them.
//!
//! The target `vrrp` marks what stock's VRRP process says. A `cause` is a field of its own.

use std::net::IpAddr;
use std::time::Duration;

use tracing::{debug, error, info, trace, warn};

use crate::base::{Family, IfName};
use crate::config::model::Version;
use crate::host::{Address, Error, Exit, KernelEvent, KernelOp, Pid, Signal, VirtualKind, VirtualLink};
use crate::kernel::claim::Key;
use crate::kernel::{Mirror, Output};
use crate::plan::{InstancePlan, ShortenedDelay};
use crate::track::script::Outcome;
use crate::vrrp::auth::{Doubt, SkewWarning};
use crate::vrrp::check::version_number;
use crate::vrrp::event::{Cause, Event, Fault, Reject};
use crate::vrrp::machine::State;
use crate::vrrp::params::{Delivery, Params};
use crate::wire::ip::VRRP_TTL;

/// Something happened to an instance.
pub fn vrrp(name: &str, params: &Params, event: &Event) {
    match event {
        Event::AdvertTimeout => debug!(target: "vrrp", "({name}) Receive advertisement timeout"),
        Event::Master(why) => info!(target: "vrrp", cause = cause(why), "({name}) Entering MASTER STATE"),
        Event::Backup { init, cause: why } => {
            info!(target: "vrrp", cause = cause(why), "({name}) Entering BACKUP STATE{}", suffix(*init));
        }
        Event::Fault { init, cause: why } => {
            info!(target: "vrrp", cause = cause(why), "({name}) Entering FAULT STATE{}", suffix(*init));
        }
        Event::Stopped => debug!(target: "vrrp", "({name}) Stopped"),
        Event::SentPriorityZero => info!(target: "vrrp", "({name}) sent 0 priority"),
        Event::BackupHeardPriorityZero(from) => {
            debug!(target: "vrrp", cause = from.to_string(), "({name}) Backup received priority 0 advertisement");
        }
        Event::MasterHeardPriorityZero(from) => {
            debug!(target: "vrrp", cause = from.to_string(), "({name}) Master received priority 0 message");
        }
        Event::LowerPriorityDiscarded { from, priority } => {
            info!(target: "vrrp", "({name}) received lower priority ({priority}) advert from {from} - discarding");
        }
        Event::LowerPriorityHeard { from, priority, ours, election } => {
            let suffix = if *election { ", forcing new election" } else { "" };
            info!(
                target: "vrrp",
                "({name}) Received advert from {from} with lower priority {priority}, ours {ours}{suffix}"
            );
        }
        Event::HigherPriorityHeard { from, priority, ours } => info!(
            target: "vrrp",
            "({name}) Master received advert from {from} with higher priority {priority}, ours {ours}"
        ),
        Event::HigherAddressHeard { from, priority } => info!(
            target: "vrrp",
            "({name}) Master received advert from {from} with same priority {priority} but higher IP address than ours"
        ),
        Event::SequenceSynced => {
            info!(target: "vrrp", "({name}) IPSEC-AH : Syncing seq_num - Increment seq");
        }
        Event::OwnAddressHeard => warn!(
            target: "vrrp",
            "({name}) WARNING - equal priority advert received from remote host with our IP address."
        ),
        Event::OwnerConflict(from) => warn!(
            target: "vrrp",
            "({name}) CONFIGURATION ERROR: local instance and {from} are both configured as address owner, please resolve"
        ),
        Event::OwnerReduced(from) => warn!(
            target: "vrrp",
            "({name}) CONFIGURATION ERROR: {from} is still advertising as address owner, please resolve - reducing our priority to 254"
        ),
        Event::OwnerRestored => info!(
            target: "vrrp",
            "({name}) Restoring our priority to 255 since no other address owner is advertising"
        ),
        Event::TimerExpired(late) => warn!(
            target: "vrrp",
            "({name}) VRRP thread timer expired {}.{:06} seconds ago",
            late.as_secs(),
            late.subsec_micros()
        ),
        Event::MasterIs { before: None, now } => debug!(target: "vrrp", "({name}) master set to {now}"),
        Event::MasterIs { before: Some(before), now } => {
            debug!(target: "vrrp", "({name}) master changed from {before} to {now}");
        }
        Event::IntervalLearned { before, now } => info!(
            target: "vrrp",
            "({name}) advertisement interval updated from {}ms to {}ms by master",
            before.as_millis(),
            now.as_millis()
        ),
        Event::PreemptDelayStarted(delay) => {
            info!(target: "vrrp", "({name}) start preempt delay ({}.{:06})", delay.as_secs(), delay.subsec_micros());
        }
        Event::PreemptDelayStopped => info!(target: "vrrp", "({name}) stop preempt delay"),
        Event::TrackedFault { what, fault } => {
            let change = if *fault { "now" } else { "leaving" };
            debug!(target: "vrrp", "({name}): tracked {what} {change} FAULT state");
        }
        Event::PriorityChanged { before, now, what } => info!(
            target: "vrrp",
            cause = what.as_str(),
            "({name}) Changing effective priority from {before} to {now}"
        ),
        Event::OldChecksum => {
            info!(target: "vrrp", "({name}) Setting unicast VRRPv3 checksum to old version");
        }
        Event::Rejected { reject, from } => rejected(name, params, reject, *from),
        Event::Stalled(late) => warn!(
            target: "vrrp",
            "({name}) A thread timer expired {}.{:06} seconds ago - listening before speaking",
            late.as_secs(),
            late.subsec_micros()
        ),
    }
}

fn suffix(init: bool) -> &'static str {
    if init { " (init)" } else { "" }
}

/// A packet that is not as it should be. Once per kind until the state or the master changes.
fn rejected(name: &str, params: &Params, reject: &Reject, from: IpAddr) {
    let version = version_number(params.version);
    match reject {
        Reject::Length { received, expected } => {
            let how = if received < expected { "short" } else { "long" };
            info!(
                target: "vrrp",
                "({name}) vrrp packet from {from} too {how}, length {received} and expect {expected}"
            );
        }
        Reject::Ttl(ttl) => {
            let expected = expected_ttl(params, from);
            info!(target: "vrrp", "({name}) invalid TTL/HL from {from}. Received {ttl} and expect {expected}");
        }
        Reject::Version(theirs) => info!(
            target: "vrrp",
            "({name}) wrong VRRP version from {from}. Received {theirs} and expect {version}"
        ),
        Reject::AuthTypeInvalid(kind) => {
            info!(target: "vrrp", "({name}) Invalid auth type from {from}: {kind}");
        }
        Reject::AuthTypeMismatch(kind) => {
            let ours = params.authentication.auth_type();
            info!(target: "vrrp", "({name}) received a {kind} auth from {from}, expecting {ours}!");
        }
        Reject::Password => info!(target: "vrrp", "({name}) received an invalid passwd from {from}!"),
        Reject::Interval(theirs) => info!(
            target: "vrrp",
            "({name}) advertisement interval mismatch with {from} mine={} sec rcv'd={theirs} sec",
            params.advert_int.as_secs()
        ),
        Reject::Type(kind) => {
            info!(target: "vrrp", "({name}) Invalid packet type from {from}. {kind} and expect 1");
        }
        Reject::Checksum => {
            let word = if params.version == Version::V2 { "VRRPv2" } else { "VRRPv3" };
            info!(target: "vrrp", "({name}) Invalid {word} checksum from {from}");
        }
        Reject::Destination(to) => {
            let expected = match &params.delivery {
                Delivery::Multicast(group) => group.to_string(),
                Delivery::Unicast(_) => "unicast".to_owned(),
            };
            info!(target: "vrrp", "({name}) advert from {from} was sent to {to}, expecting {expected}");
        }
        Reject::NotAPeer => {
            info!(target: "vrrp", "({name}) unicast source address {from} not a unicast peer");
        }
        Reject::AddressCount(count) => info!(
            target: "vrrp",
            "({name}) expected {} VIPs but received {count}",
            params.addresses.len()
        ),
        Reject::AddressMissing(vip) => info!(
            target: "vrrp",
            "({name}) ip address associated with VRID {} not present in advert from {from}: {vip}",
            params.vrid
        ),
        Reject::IntervalDiffers(cs) => info!(
            target: "vrrp",
            "({name}) advertisement interval mismatch ours = {} centi-sec rcv'd={cs} centi-sec",
            params.advert_int.as_millis() / 10
        ),
        Reject::Ah(Doubt::Replayed) => {
            info!(target: "vrrp", "({name}) IPSEC-AH : replayed sequence number from {from}. Packet dropped");
        }
        Reject::Ah(Doubt::WrongCode) => info!(
            target: "vrrp",
            "({name}) IPSEC-AH : invalid IPSEC HMAC-MD5 value. Due to fields mutation or bad password ! (from {from})"
        ),
        Reject::Ah(_) => {
            info!(target: "vrrp", "({name}) IPSEC-AH : invalid authentication header from {from}. Packet dropped");
        }
        Reject::Trailer(doubt) => info!(target: "vrrp", "({name}) {}", trailer_doubt(*doubt, from)),
        Reject::ClockSkew(SkewWarning { skew, window }) => warn!(
            target: "vrrp",
            "({name}) authentication clock skew {skew} sec from {from} approaching window {window} sec"
        ),
    }
}

/// Why a trailer of `auth_hmac` is not believed.
fn trailer_doubt(doubt: Doubt, from: IpAddr) -> String {
    match doubt {
        Doubt::Missing => format!("missing authentication trailer from {from}"),
        Doubt::Malformed => format!("malformed authentication trailer from {from}"),
        Doubt::UnknownKey(id) => format!("unknown authentication key id {id} from {from}"),
        Doubt::WrongCode => format!("invalid authentication HMAC from {from}"),
        Doubt::Stale { skew, window } => format!(
            "stale authentication trailer from {from}, clock skew {skew} sec exceeds window {window} sec"
        ),
        Doubt::Replayed => format!("replayed authentication trailer from {from}"),
    }
}

/// Nobody takes part in elections for a while.
pub fn startup_delayed(delay: Duration) {
    info!(target: "vrrp", "Delaying startup for {} seconds", delay.as_secs_f64());
}

/// From now on everybody does.
pub fn startup_delay_over() {
    info!(target: "vrrp", "Delayed start completed");
}

/// The TTL that an advert of `from` should have had.
fn expected_ttl(params: &Params, from: IpAddr) -> String {
    let peers = match &params.delivery {
        Delivery::Unicast(unicast) => unicast.peers.as_slice(),
        Delivery::Multicast(_) => &[],
    };
    let peer = peers.iter().find(|peer| peer.address == from);
    peer.map_or_else(|| VRRP_TTL.to_string(), |peer| format!("{} to {}", peer.min_ttl, peer.max_ttl))
}

/// What brought a change about, in a few words; nothing where the text of the event says it all.
pub fn cause(cause: &Cause) -> String {
    match cause {
        Cause::Start => String::new(),
        Cause::Reload => "the configuration has changed".to_owned(),
        Cause::Deleted => "removed from the configuration".to_owned(),
        Cause::MasterDown => "no advert for the master-down time".to_owned(),
        Cause::MasterResigned => "the master resigned".to_owned(),
        Cause::Owner => "address owner".to_owned(),
        Cause::HigherPriority(from, priority) => {
            format!("advert from {from} with higher priority {priority}")
        }
        Cause::HigherAddress(from, priority) => {
            format!("advert from {from} with the same priority {priority} and a higher address")
        }
        Cause::Stalled(from, priority) => {
            format!("{from} with priority {priority} took over while this router was stalled")
        }
        Cause::TimerExpired(late) => {
            format!(
                "stalled for {}.{:06} s, so another router must have taken over",
                late.as_secs(),
                late.subsec_micros()
            )
        }
        Cause::OwnerConflict(from) => {
            format!("{from} is configured as address owner, too, and does not yield")
        }
        Cause::Group => "another member of the sync group lost an election".to_owned(),
        Cause::Fault(fault) => fault_words(*fault).to_owned(),
        Cause::Tracked(what) => format!("{what} failed"),
        Cause::Recovered => "recovered".to_owned(),
        Cause::Stop => "stop".to_owned(),
    }
}

fn fault_words(fault: Fault) -> &'static str {
    match fault {
        Fault::InterfaceMissing => "the interface does not exist",
        Fault::InterfaceDown => "the interface is down",
        Fault::NoAddress(Family::V4) => "no IPv4 address for interface",
        Fault::NoAddress(Family::V6) => "no IPv6 address for interface",
        Fault::NoPeers => "no unicast peers",
        Fault::NoSocket => "the sockets cannot be opened",
        Fault::NoVmac => "the VMAC interface is not there",
        Fault::VmacNameTaken => "a foreign link has the name of the VMAC interface",
        Fault::VmacAddressTaken => "another macvlan has the hardware address of the VMAC interface",
        Fault::Group => "another member of the sync group",
    }
}

/// The members of a sync group are brought into a state.
pub fn group(name: &str, state: State) {
    if let Some(word) = state_word(state) {
        info!(target: "vrrp", "VRRP_Group({name}) Syncing instances to {word} state");
    }
}

/// What scripts and the log call a state; nothing before the first one.
pub fn state_word(state: State) -> Option<&'static str> {
    match state {
        State::Init => None,
        State::Backup => Some("BACKUP"),
        State::Master => Some("MASTER"),
        State::Fault => Some("FAULT"),
        State::Stopped => Some("STOP"),
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
        debug!(target: "vrrp", "({name}) {verb} {what}");
    }
}

/// A burst of announcements begins, for one address.
pub fn announcing(name: &str, dev: &IfName, ip: IpAddr) {
    let what = if ip.is_ipv4() { "gratuitous ARPs" } else { "Unsolicited Neighbour Adverts" };
    debug!(target: "vrrp", "({name}) Sending/queueing {what} on {dev} for {ip}");
}

/// One announcement.
pub fn announced(dev: &IfName, ip: IpAddr) {
    let what = if ip.is_ipv4() { "gratuitous ARP" } else { "unsolicited Neighbour Advert" };
    debug!(target: "vrrp", "Sending {what} on {dev} for {ip}");
}

/// Announcements could not be sent.
pub fn announce_failed(name: &str, error: &Error) {
    warn!(target: "vrrp", "({name}) {error}");
}

/// An announcement that had to wait its turn could not be sent.
pub fn paced_announcement_failed(error: &Error) {
    warn!(target: "vrrp", "{error}");
}

/// An advert could not be sent.
pub fn send_failed(name: &str, error: &Error) {
    let number = error.source.raw_os_error().unwrap_or(0);
    info!(target: "vrrp", "({name}): send advert error {number} ({})", error.source);
}

/// An instance cannot open its sockets.
pub fn no_socket(name: &str, error: &Error) {
    warn!(target: "vrrp", "({name}) {error}");
}

/// A packet too short to tell its VRID.
pub fn packet_too_short(family: Family, len: usize, left_out: u64) {
    debug!(target: "vrrp", "{family} VRRP packet too short - {len} bytes{}", and(left_out));
}

/// That `count` lines like this one were left out before it.
fn and(count: u64) -> String {
    if count == 0 { String::new() } else { format!(" (and {count} more before it)") }
}

/// A packet of a virtual router that is not ours.
pub fn unknown_vrid(vrid: u8, interface: Option<&IfName>, left_out: u64) {
    let interface = interface.map_or("any", IfName::as_str);
    info!(target: "vrrp", "Unknown VRID({vrid}) received on interface({interface}). ignoring...{}", and(left_out));
}

/// The kernel reported something; `mirror` has not followed yet.
pub fn kernel_event(event: &KernelEvent, mirror: &Mirror) {
    match event {
        KernelEvent::Link(link) => match mirror.link_at(link.index) {
            Some(known) if known.usable() != link.usable() => {
                let how = if link.usable() { "up" } else { "down" };
                info!(target: "vrrp", "Netlink reports {} {how}", link.name);
            }
            None => info!(target: "vrrp", "Interface {} added", link.name),
            Some(known) if known.name != link.name => {
                info!(target: "vrrp", "Interface name has changed from {} to {}", known.name, link.name);
            }
            Some(_) => {}
        },
        KernelEvent::LinkGone(index) => {
            if let Some(known) = mirror.link_at(*index) {
                info!(target: "vrrp", "Interface {} deleted", known.name);
            }
        }
        KernelEvent::FirewallLost => {
            warn!(target: "vrrp", "nftables entries were removed by somebody else - restoring them");
        }
        _ => {}
    }
}

/// The kernel reported addresses that come or go, which `mirror` has not followed yet. Ours are told of elsewhere.
pub fn addresses(event: &KernelEvent, mirror: &Mirror) {
    let told = |address: &Address, how: &str, name: Option<&IfName>| {
        if let Some(name) = name
            && address.protocol != Address::PROTO_KEEPALIVED
        {
            info!(target: "vrrp", "Netlink reflector reports IP {} {how} {name}", address.cidr.ip);
        }
    };
    let name = |address: &Address| mirror.link_at(address.link).map(|link| &link.name);
    match event {
        KernelEvent::Resync(dump) => {
            for address in dump.addresses.iter().filter(|address| !mirror.has(address.link, address.cidr)) {
                let link = dump.links.iter().find(|link| link.index == address.link);
                told(address, "added to", link.map(|link| &link.name));
            }
        }
        KernelEvent::Address(address) if !mirror.has(address.link, address.cidr) => {
            told(address, "added to", name(address));
        }
        KernelEvent::AddressGone(address) if mirror.has(address.link, address.cidr) => {
            told(address, "removed from", name(address));
        }
        _ => {}
    }
}

/// Delays of links are so long that peers would give up a master whose link is down.
pub fn delays_shortened(shortened: &[ShortenedDelay]) {
    for ShortenedDelay { instance, interface, adverts } in shortened {
        info!(
            target: "vrrp",
            "{instance}: interface {interface} debounce timer(s) not less that {adverts} * advert_int - resetting"
        );
    }
}

/// The packet filter is used without having been asked for.
pub fn filters_unasked() {
    info!(
        target: "vrrp",
        "use_vmac or no_accept/strict specified, but no firewall configured - using nftables"
    );
}

/// The kernel has done what it was asked for.
pub fn kernel_done(op: &KernelOp) {
    match op {
        KernelOp::AddLink(VirtualLink { name, instance, .. }, Some(_)) => {
            info!(target: "vrrp", "({instance}): Success updating VMAC interface {name}");
        }
        KernelOp::AddLink(VirtualLink { name, instance, kind, .. }, None) => {
            let what = if matches!(kind, VirtualKind::Macvlan(_)) { "VMAC" } else { "ipvlan" };
            info!(target: "vrrp", "({instance}): Success creating {what} interface {name}");
        }
        KernelOp::DeleteLink(VirtualLink { name, instance, .. }, _) => {
            info!(target: "vrrp", "({instance}) Success removing VMAC interface {name}");
        }
        _ => {}
    }
}

/// The ledger decided or learned something.
pub fn kernel(output: &Output) {
    match output {
        Output::Restored { owners, key, times } => {
            let role = if owners.is_empty() { "" } else { ", remaining master" };
            let removed = match key {
                Key::Address(dev, cidr) => format!("Address {} was removed from {dev}", cidr.ip),
                Key::Route(claim) => format!("Route {} was removed", claim.route),
                Key::Rule(claim) => format!("Rule {} was removed", claim.rule),
                Key::Link(name) => format!("VMAC interface {name} was removed or changed"),
                Key::LinkLocal(name) => format!("The link-local address of {name} was removed"),
                Key::Firewall(claim) => {
                    debug!(target: "vrrp", "{} is back", claim.rule);
                    return;
                }
                Key::Setting(setting) => format!("{setting} was unset"),
            };
            warn!(target: "vrrp", times, "{removed} by somebody else - restored{role}");
        }
        Output::Failed { op, key, errno } => {
            let verb = match op {
                KernelOp::AddAddress(_)
                | KernelOp::AddRoute(_)
                | KernelOp::AddRule(_)
                | KernelOp::AddLink(..)
                | KernelOp::AddFirewall(_) => "add",
                KernelOp::DeleteAddress(_)
                | KernelOp::DeleteRoute(_)
                | KernelOp::DeleteRule(_)
                | KernelOp::DeleteLink(..)
                | KernelOp::DeleteFirewall(_) => "delete",
                KernelOp::Set(_) => "set",
                KernelOp::Unset(_) => "unset",
            };
            warn!(target: "vrrp", "Cannot {verb} {key}: {errno}");
        }
        Output::Occupied { key, what } => warn!(target: "vrrp", "Cannot add {key}: {what}"),
        Output::NoInterface { key: Key::Address(dev, cidr) } => info!(
            target: "vrrp",
            "Not adding address {} to {dev} since interface doesn't exist",
            cidr.ip
        ),
        Output::NoInterface { key } => {
            info!(target: "vrrp", "Not adding {key} since interface doesn't exist");
        }
        Output::Confirmed { owner, number } => {
            trace!(target: "vrrp", "claim {number} of instance {} followed", owner.0)
        }
        Output::Apply(changes) => trace!(target: "vrrp", "{} changes to the kernel", changes.len()),
        Output::Tracked(owner, name, usable) => {
            trace!(target: "vrrp", "interface {name} tracked by instance {}: usable {usable}", owner.0);
        }
        Output::Interface(owner, interface) => {
            trace!(target: "vrrp", "interface of instance {}: {interface:?}", owner.0);
        }
    }
}

/// A track script ended otherwise than the last time.
pub fn script_returned(name: &str, outcome: Outcome) {
    if let Outcome::Ended(Exit::Status(status)) = outcome {
        info!(target: "vrrp", "Script `{name}` now returning {status}");
    }
}

/// The verdict on a track script changed.
pub fn script_verdict(name: &str, outcome: Outcome) {
    match outcome {
        Outcome::Ended(Exit::Status(0)) => info!(target: "vrrp", "VRRP_Script({name}) succeeded"),
        Outcome::Ended(Exit::Status(status)) => {
            info!(target: "vrrp", "VRRP_Script({name}) failed (exited with status {status})");
        }
        Outcome::Ended(Exit::Signal(signal)) => {
            info!(target: "vrrp", "VRRP_Script({name}) failed (due to signal {signal})");
        }
        Outcome::TimedOut => info!(target: "vrrp", "VRRP_Script({name}) timed_out"),
        Outcome::NotExecuted => info!(target: "vrrp", "VRRP_Script({name}) failed (could not be executed)"),
    }
}

/// A track script could not be executed.
pub fn script_not_executed(name: &str, error: &Error) {
    warn!(target: "vrrp", "Script `{name}`: {error}");
}

/// An interface that is asked for its carrier has one now, or no longer.
pub fn linkbeat(interface: &IfName, carrier: bool) {
    let how = if carrier { "up" } else { "down" };
    info!(target: "vrrp", "Linkbeat reports {interface} {how}");
}

/// A tracked file says a number that nobody can use.
pub fn file_number_ignored(path: &str, number: i64) {
    info!(target: "vrrp", "Invalid number {number} read from {path} - ignoring");
}

/// A tracked file could not be made at the start.
pub fn file_not_made(name: &str, error: &Error) {
    warn!(target: "vrrp", "track_file {name}: {error}");
}

/// Changes of tracked files are not reported by the system.
pub fn files_not_watched(error: &Error, interval: Duration) {
    warn!(target: "vrrp", "{error} - tracked files are looked at every {} s instead", interval.as_secs());
}

/// The kernel does not report processes.
pub fn processes_not_reported(error: &Error, interval: Duration) {
    warn!(
        target: "vrrp",
        "{error} - tracked processes are counted every {} s instead (the kernel reports them in the initial \
         namespaces only, not in containers)",
        interval.as_secs()
    );
}

/// There are as many of the tracked processes as there have to be now, or no longer.
pub fn quorum(name: &str, met: bool) {
    let change = if met { "gained" } else { "lost" };
    info!(target: "vrrp", "Quorum {change} for tracked process {name}");
}

/// A notify script could not be executed.
pub fn notify_not_executed(name: &str, error: &Error) {
    warn!(target: "vrrp", "({name}) {error}");
}

/// A named pipe could not be made, or is not ours.
pub fn pipe_not_made(name: &str, error: &Error) {
    error!(target: "vrrp", "Unable to use {name} fifo: {error}");
}

/// What was to be written to a named pipe is lost.
pub fn pipe_not_written(name: &str, error: &Error) {
    warn!(target: "vrrp", "{name} fifo: {error}");
}

/// The script that reads a named pipe has ended.
pub fn pipe_reader_ended(name: &str, exit: Exit) {
    match exit {
        Exit::Signal(signal) => info!(target: "vrrp", "{name} fifo script terminated due to signal {signal}"),
        Exit::Status(status) => info!(target: "vrrp", "{name} fifo script terminated with status {status}"),
    }
}

/// A task panicked.
pub fn panicked(task: &str) {
    error!(target: "vrrp", "Task {task} panicked; its addresses are released and it starts again");
}

/// A task panicked: which one, and what becomes of it.
pub fn task_panicked(task: &str, then: &str) {
    error!("Task {task} panicked; it {then}");
}

/// A task panicked that nothing works without.
pub fn part_failed(task: &str) {
    error!("Task {task} panicked - giving up all addresses and terminating");
}

/// The fast plane did not stop in time.
pub fn stop_overdue(limit: Duration) {
    warn!("The VRRP plane has not stopped within {} s - terminating", limit.as_secs());
}

/// The daemon is up.
pub fn started() {
    info!("Startup complete");
}

/// The configuration is to be read again.
pub fn reloading() {
    info!("Reloading ...");
}

/// What was read is in effect.
pub fn reloaded() {
    info!("Reload complete");
}

/// The daemon was told to stop.
pub fn stopping() {
    info!("Stopping");
}

/// There is no instance.
pub fn nothing_to_run() {
    info!("Warning - keepalived has no configuration to run");
}

/// The fast plane cannot start.
pub fn cannot_start(error: &Error) {
    error!("{error}");
}

/// The fast plane ended though nobody had stopped it.
pub fn fast_plane_ended() {
    error!("The VRRP plane ended unexpectedly - terminating");
}

/// A dump is to be written.
pub fn printing(what: Signal, process: Pid) {
    let Pid(process) = process;
    match what {
        Signal::Stop | Signal::Reload => {}
        Signal::Data => {
            info!("Printing parent data for process({process}) on signal");
            info!(target: "vrrp", "Printing VRRP data for process({process}) on signal");
        }
        Signal::Stats => info!(target: "vrrp", "Printing VRRP stats for process({process}) on signal"),
        Signal::StatsClear => {
            info!(target: "vrrp", "Printing and clearing VRRP stats for process({process}) on signal");
        }
        Signal::Json => info!(target: "vrrp", "Printing VRRP as json for process({process}) on signal"),
    }
}

/// Some instances did not say in time what can be seen of them.
pub fn silent_instances(count: usize) {
    warn!(target: "vrrp", "{count} instances did not answer in time and are left out of the dump");
}

/// A dump was not written.
pub fn not_dumped(error: &Error) {
    warn!(cause = %error, "Unable to write a dump");
}
