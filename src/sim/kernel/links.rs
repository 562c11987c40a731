//! Links that are made, go, or go down, and what goes with them.

use super::{By, Kernel, report};
use crate::base::{Family, IfIndex};
use crate::host::kernel::Errno;
use crate::host::loader::LinkKind;
use crate::host::{Address, KernelEvent, KernelOp, Link, Route, Stacking, VirtualKind, VirtualLink};
use crate::sim::NodeId;
use crate::sim::observe::What;
use crate::sim::state::State;

/// Makes a VMAC or ipvlan, or brings up the one that is there.
pub(super) fn make_link(
    state: &mut State,
    node: NodeId,
    wanted: VirtualLink,
    origin: Option<IfIndex>,
    by: By,
) -> Result<(), Errno> {
    let kernel = &mut state.node(node).kernel;
    let Some((base, _)) = kernel.links.get(&wanted.base) else { return Err(Errno::NODEV) };
    let origin = origin.filter(|index| kernel.links.contains_key(index));
    let named = kernel.links.values().find(|(link, _)| link.name == wanted.name);
    let index = match (origin, named.map(|(link, _)| link)) {
        (Some(origin), None) => origin,
        (Some(origin), Some(link)) if link.index == origin => origin,
        (None, Some(link)) if wanted.is_like(link) => link.index,
        (_, Some(_)) => return Err(Errno::EXIST),
        (None, None) => {
            IfIndex(kernel.last_index.max(kernel.links.keys().next_back().map_or(0, |last| last.0)) + 1)
        }
    };
    kernel.last_index = kernel.last_index.max(index.0);
    let (mac, kind) = match wanted.kind {
        VirtualKind::Macvlan(mac) => (Some(mac), LinkKind::Macvlan { private: true }),
        VirtualKind::Ipvlan(_) => (base.mac, LinkKind::Ipvlan { l2: true }),
    };
    let stacking = Stacking { kind, base: Some(wanted.base), master: None, group: wanted.group };
    let link = Link { index, name: wanted.name.clone(), up: true, mac, stacking, ..base.clone() };
    kernel.links.insert(index, (link.clone(), None));
    state.record(Some(node), What::Changed { op: KernelOp::AddLink(wanted, origin), by });
    report(state, node, KernelEvent::Link(link));
    Ok(())
}

/// An interface goes, with its addresses and what stands on it.
pub(in crate::sim) fn remove_link(state: &mut State, node: NodeId, index: IfIndex) {
    take_link(state, node, index, false);
}

/// An interface goes to another network namespace, as [`remove_link`].
pub(in crate::sim) fn move_link(state: &mut State, node: NodeId, index: IfIndex) {
    take_link(state, node, index, true);
}

fn take_link(state: &mut State, node: NodeId, index: IfIndex, moved: bool) {
    let kernel = &state.node(node).kernel;
    let stacked = kernel.links.values().filter(|(link, _)| link.stacking.base == Some(index));
    for above in stacked.map(|(link, _)| link.index).collect::<Vec<_>>() {
        remove_link(state, node, above);
    }
    let kernel = &mut state.node(node).kernel;
    let (gone, kept) = std::mem::take(&mut kernel.addresses).into_iter().partition(|a| a.link == index);
    kernel.addresses = kept;
    let gone: Vec<Address> = gone;
    for address in gone {
        state.node(node).kernel.ends.remove(&address.key());
        forget_routes(&mut state.node(node).kernel, &address);
        state.record(Some(node), What::AddressDeleted { address: address.clone(), by: By::Administrator });
        report(state, node, KernelEvent::AddressGone(address));
    }
    went_down(state, node, index);
    state.node(node).kernel.links.remove(&index);
    report(state, node, KernelEvent::LinkGone { index, moved });
}

/// IPv4 routes that go with an address, without a report: those it is the source of, and all of an interface that has
/// no other address.
pub(super) fn forget_routes(kernel: &mut Kernel, gone: &Address) {
    if gone.cidr.ip.is_ipv6() {
        return;
    }
    let is_orphan = !kernel.has_ip(gone.cidr.ip);
    let is_bare = !kernel.addresses.iter().any(|a| a.link == gone.link && a.cidr.ip.is_ipv4());
    kernel.routes.retain(|route| {
        let source = is_orphan && route.source == Some(gone.cidr.ip);
        let link = is_bare && route.hops().iter().all(|hop| hop.link == Some(gone.link));
        route.family == Family::V6 || !(source || link)
    });
}

/// An interface went down: its IPv4 routes go without a report, its IPv6 routes with one.
pub(in crate::sim) fn went_down(state: &mut State, node: NodeId, index: IfIndex) {
    let kernel = &mut state.node(node).kernel;
    let (gone, kept) = std::mem::take(&mut kernel.routes)
        .into_iter()
        .partition(|route| route.hops().iter().all(|hop| hop.link == Some(index)));
    kernel.routes = kept;
    let gone: Vec<Route> = gone;
    for route in gone.into_iter().filter(|route| route.family == Family::V6) {
        report(state, node, KernelEvent::RouteGone(Box::new(route)));
    }
}
