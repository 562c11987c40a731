//! What the kernel reports, and what it was asked for.

use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use tracing::{debug, info, trace, warn};

use crate::base::{Family, IfName};
use crate::host::{Address, KernelEvent, KernelOp, VirtualKind, VirtualLink};
use crate::kernel::claim::Key;
use crate::kernel::ledger::Loss;
use crate::kernel::{Mirror, Output};
use crate::plan::ShortenedDelay;

/// The VRRP part has opened its ways to the kernel.
pub fn channels_open() {
    debug!(target: "vrrp", "Registering Kernel netlink reflector");
    debug!(target: "vrrp", "Registering Kernel netlink command channel");
    debug!(target: "vrrp", "Registering gratuitous ARP shared channel");
}

/// The kernel reported something; `mirror` has not followed yet. Of interfaces that are not `watched` it matters only
/// that they come and go.
pub fn kernel_event(event: &KernelEvent, mirror: &Mirror, watched: impl Fn(&IfName) -> bool) {
    match event {
        KernelEvent::Link(link) => match mirror.link_at(link.index) {
            Some(known) if known.usable() != link.usable() => {
                if watched(&link.name) {
                    let how = if link.usable() { "up" } else { "down" };
                    info!(target: "vrrp", "Netlink reports {} {how}", link.name);
                }
            }
            None => info!(target: "vrrp", "Interface {} added", link.name),
            Some(known) if known.name != link.name => {
                info!(target: "vrrp", "Interface name has changed from {} to {}", known.name, link.name);
            }
            Some(_) => {}
        },
        KernelEvent::LinkGone { index, moved } => {
            if let Some(known) = mirror.link_at(*index) {
                let why = if *moved { "moved to another network namespace" } else { "" };
                info!(target: "vrrp", cause = why, "Interface {} deleted", known.name);
            }
        }
        KernelEvent::FirewallLost => {
            warn!(target: "vrrp", "nftables entries were removed by somebody else - restoring them");
        }
        KernelEvent::Resync(dump) => {
            for link in dump.links.iter().filter(|link| watched(&link.name)) {
                for family in [Family::V4, Family::V6] {
                    let mut addresses = dump.addresses.iter().filter(|a| a.link == link.index);
                    let first = addresses.find(|a| may_be_source(a, family, mirror));
                    if let Some(first) = first.filter(|a| !mirror.has(a.link, a.cidr)) {
                        assigned(first, &link.name);
                    }
                }
            }
        }
        KernelEvent::Address(address) => {
            if let Some(link) = mirror.link_at(address.link).filter(|link| watched(&link.name))
                && may_be_source(address, Family::of(address.cidr.ip), mirror)
                && primary(mirror, address).is_none()
            {
                assigned(address, &link.name);
            }
        }
        KernelEvent::AddressGone(address) => {
            if let Some(link) = mirror.link_at(address.link).filter(|link| watched(&link.name))
                && primary(mirror, address) == Some(address.cidr.ip)
            {
                let ip = address.cidr.ip;
                debug!(target: "vrrp", "Deassigned address {ip} from interface {}", link.name);
            }
        }
        _ => {}
    }
}

/// An interface has an address that adverts can come from.
fn assigned(address: &Address, interface: &IfName) {
    debug!(target: "vrrp", "Assigned address {} for interface {interface}", address.cidr.ip);
}

/// Of IPv6 link-local ones only.
fn may_be_source(address: &Address, family: Family, mirror: &Mirror) -> bool {
    let ip = address.cidr.ip;
    let is_local = |ip| matches!(ip, IpAddr::V6(ip) if Ipv6Addr::is_unicast_link_local(&ip));
    Family::of(ip) == family && (family == Family::V4 || is_local(ip)) && !mirror.is_virtual(ip)
}

/// The first such address that the interface of `address` has.
fn primary(mirror: &Mirror, address: &Address) -> Option<IpAddr> {
    let family = Family::of(address.cidr.ip);
    let mut addresses = mirror.addresses(address.link).into_iter();
    addresses.find(|a| may_be_source(a, family, mirror)).map(|a| a.cidr.ip)
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

/// What is put back again and again is put back later each time.
fn backs_off(key: &Key, times: u32, pause: Option<Duration>) {
    if let Some(pause) = pause {
        let pause = pause.as_secs_f64();
        let what = match key {
            Key::Firewall(_) => "nftables entries".to_owned(),
            key => key.to_string(),
        };
        warn!(
            target: "vrrp",
            times,
            "Somebody keeps removing {what}: restored {times} times - next time not before {pause} s have passed"
        );
    }
}

/// The ledger decided or learned something.
pub fn kernel(output: &Output) {
    match output {
        Output::Restored { owners, key, loss, times, pause } => {
            let role = if owners.is_empty() { "" } else { ", remaining master" };
            let removed = match key {
                Key::Address(dev, cidr) => format!("Address {} was removed from {dev}", cidr.ip),
                Key::Route(claim) => format!("Route {} was removed", claim.route),
                Key::Rule(claim) => format!("Rule {} was removed", claim.rule),
                Key::Link(name) => format!("VMAC interface {name} was removed or changed"),
                Key::LinkLocal(name) => format!("The link-local address of {name} was removed"),
                Key::Firewall(claim) => {
                    debug!(target: "vrrp", "{} is back", claim.rule);
                    backs_off(key, *times, *pause);
                    return;
                }
                Key::Setting(setting) => format!("{setting} was unset"),
            };
            match loss {
                Loss::Removed => warn!(target: "vrrp", times, "{removed} by somebody else - restored{role}"),
                Loss::WithInterface => {
                    info!(target: "vrrp", "{removed} when its interface went away - restored now that it is back{role}");
                }
            }
            backs_off(key, *times, *pause);
        }
        Output::Failed { op, key, errno } => {
            let verb = match op {
                KernelOp::AddAddress(_)
                | KernelOp::AddRoute(_)
                | KernelOp::AddRule(_)
                | KernelOp::AddLink(..)
                | KernelOp::AddFirewall(_) => "add",
                KernelOp::ChangeAddress(_) => "change the lifetime of",
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
        Output::Leftover { key } => {
            info!(target: "vrrp", "Removing {key}, left by a predecessor and no longer configured");
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
        Output::Placed { owner, number, addresses } => {
            trace!(target: "vrrp", "{} addresses of claim {number} of instance {} placed", addresses.len(), owner.0)
        }
        Output::NotLent { owner, number } => {
            trace!(target: "vrrp", "claim {number} of instance {} cannot be left", owner.0)
        }
        Output::Apply(changes) => trace!(target: "vrrp", "{} changes to the kernel", changes.len()),
        Output::Tracked(owner, name, state) => {
            trace!(target: "vrrp", "interface {name} tracked by instance {}: {state:?}", owner.0);
        }
        Output::Interface(owner, interface) => {
            trace!(target: "vrrp", "interface of instance {}: {interface:?}", owner.0);
        }
    }
}
