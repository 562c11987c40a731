//! What there is to know of an instance's interface.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::{Interface, Watch};
use crate::base::{Family, IfName};
use crate::host::{Link, LinkState};
use crate::kernel::mirror::Mirror;

/// What there is to know of an interface. The source address stays `before` while that is there.
pub(super) fn view(
    mirror: &Mirror,
    watch: &Watch,
    before: Option<IpAddr>,
    claimed: &BTreeSet<IpAddr>,
    vacated: &BTreeMap<IfName, LinkState>,
) -> Interface {
    let there = |ip: &IpAddr| mirror.links().any(|link| mirror.has_ip(link.index, *ip));
    let Some(name) = &watch.interface else {
        let vrf = watch.vrf.as_ref().map(|name| mirror.link(name));
        return Interface {
            index: vrf.flatten().map(|link| link.index),
            state: watch.vrf.as_ref().map_or(LinkState::Up, |name| state(mirror, name, vacated)),
            source: watch.source.filter(there),
            occupied: None,
        };
    };
    let state = state(mirror, name, vacated);
    let Some(link) = mirror.link(name) else { return Interface { state, ..Interface::default() } };
    let place = watch.vmac.as_ref().map_or(Some(link), |vmac| mirror.link(vmac));
    let has =
        |ip: &IpAddr| [Some(link), place].into_iter().flatten().any(|link| mirror.has_ip(link.index, *ip));
    let source = match watch.source {
        Some(wanted) if watch.anywhere => Some(wanted).filter(there),
        Some(wanted) => Some(wanted).filter(has),
        None => match place.filter(|_| watch.from_vmac) {
            Some(ipvlan) => source(mirror, ipvlan, watch.family, before, claimed),
            // It will be back with the same address.
            None if watch.from_vmac => before,
            None => source(mirror, link, watch.family, before, claimed),
        },
    };
    Interface { index: place.map(|place| place.index), state, source, occupied: None }
}

/// How the interface of this name is, or why there is none; `vacated`: those that there were.
pub(super) fn state(mirror: &Mirror, name: &IfName, vacated: &BTreeMap<IfName, LinkState>) -> LinkState {
    let gone = || vacated.get(name).copied().unwrap_or_default();
    mirror.link(name).map_or_else(gone, Link::state)
}

/// An address of its own that adverts may come from. Of IPv6 only link-local ones (RFC 9568 section 5.1.2.1).
fn source(
    mirror: &Mirror,
    link: &Link,
    family: Family,
    before: Option<IpAddr>,
    claimed: &BTreeSet<IpAddr>,
) -> Option<IpAddr> {
    let is_usable = |ip: IpAddr| {
        let fits = match ip {
            IpAddr::V4(_) => family == Family::V4,
            IpAddr::V6(ip) => family == Family::V6 && ip.is_unicast_link_local(),
        };
        fits && !claimed.contains(&ip)
    };
    let stays = before.filter(|ip| is_usable(*ip) && mirror.has_ip(link.index, *ip));
    stays.or_else(|| mirror.first_address(link.index, is_usable))
}
