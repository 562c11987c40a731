//! Two instances that would be one to the world.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::base::{Family, IfName, Vrid};
use crate::config::apply::Build;
use crate::config::apply::instance::Draft;
use crate::config::diagnostic::Class;

/// Who is known so far.
#[derive(Debug, Default)]
pub(crate) struct Taken {
    /// Which instance has a virtual router id on an interface and in a multicast group.
    multicast: BTreeMap<(Vrid, IfName, IpAddr), String>,
    /// The same for each peer of an instance that has some, with its own address.
    unicast: BTreeMap<(Vrid, IpAddr), Vec<Unicast>>,
}

/// An instance that speaks to a peer.
#[derive(Debug)]
struct Unicast {
    name: String,
    interface: Option<IfName>,
    source: Option<IpAddr>,
}

/// Where IPv4 adverts go unless told otherwise (RFC 9568 section 5.1.1.2).
const GROUP4: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 18);

/// Where IPv6 adverts go unless told otherwise (RFC 9568 section 5.1.2.2).
const GROUP6: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0x12);

/// Rule 6: the same virtual router twice. Stock does not start with that.
pub(crate) fn clash(b: &mut Build<'_>, draft: &Draft, taken: &mut Taken) -> bool {
    let Some(vrid) = draft.instance.vrid else { return false };
    let found = if draft.instance.peers.is_empty() {
        multicast(b, draft, vrid, taken)
    } else {
        unicast(draft, vrid, taken)
    };
    let Some((other, whereabouts)) = found else { return false };
    let text = format!("VRID {vrid} is used by {other} and {} {whereabouts}", draft.instance.name);
    let changes = b.config.globals.options.allow_interface_changes;
    let added = b.report.error(draft.line("virtual_router_id"), text);
    added.hint("give one of them another number");
    // With `allow_if_changes` the interfaces may part; until then the instance cannot run.
    if changes {
        added.class = Class::Log;
    } else {
        added.refuses(2);
    }
    true
}

fn multicast(b: &Build<'_>, draft: &Draft, vrid: Vrid, taken: &mut Taken) -> Option<(String, String)> {
    let interface = draft.instance.interface.clone()?;
    let globals = &b.config.globals;
    let default = match draft.family {
        Some(Family::V6) => IpAddr::V6(globals.mcast_group6.unwrap_or(GROUP6)),
        _ => IpAddr::V4(globals.mcast_group4.unwrap_or(GROUP4)),
    };
    let group = draft.instance.mcast_dst_ip.unwrap_or(default);
    let whereabouts = format!("on interface {interface}, both to {group}");
    match taken.multicast.insert((vrid, interface.clone(), group), draft.instance.name.clone()) {
        None => None,
        Some(first) => {
            taken.multicast.insert((vrid, interface, group), first.clone());
            Some((first, whereabouts))
        }
    }
}

fn unicast(draft: &Draft, vrid: Vrid, taken: &mut Taken) -> Option<(String, String)> {
    let instance = &draft.instance;
    let source = instance.source;
    let peers: BTreeSet<IpAddr> = instance.peers.iter().map(|p| p.address).collect();
    let found = peers.iter().find_map(|peer| {
        let others = taken.unicast.get(&(vrid, *peer))?;
        let same = others.iter().find(|o| {
            source.is_some()
                && o.source == source
                && (o.interface.is_none()
                    || instance.interface.is_none()
                    || o.interface == instance.interface)
        });
        same.map(|o| (o.name.clone(), format!("both with peer {peer}")))
    });
    if found.is_none() {
        for peer in peers {
            let this = Unicast { name: instance.name.clone(), interface: instance.interface.clone(), source };
            taken.unicast.entry((vrid, peer)).or_default().push(this);
        }
    }
    found
}
