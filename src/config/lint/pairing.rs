//! Which instances of different nodes are one virtual router.

use super::view::Router;

/// The instances that are one virtual router each, at most one of a node: indices into `routers`.
///
/// On the wire a virtual router is its VRID and family on one network. Files do not say which interfaces of two nodes
/// are on one network; where a node has the same VRID more than once, common addresses, names of interfaces and names
/// of instances decide, in this order.
pub(super) fn virtual_routers(routers: &[Router]) -> Vec<Vec<usize>> {
    let mut found: Vec<Vec<usize>> = Vec::new();
    for (number, router) in routers.iter().enumerate() {
        let members =
            |group: &[usize]| -> Vec<&Router> { group.iter().filter_map(|n| routers.get(*n)).collect() };
        let open = found.iter_mut().filter(|group| {
            let members = members(group);
            members.iter().all(|m| m.node != router.node)
                && members
                    .first()
                    .is_some_and(|m| (m.vrid.value, m.family) == (router.vrid.value, router.family))
        });
        let mut open: Vec<_> = open
            .map(|group| {
                let likeness = members(group).iter().map(|m| likeness(m, router)).max().unwrap_or(0);
                (likeness, group)
            })
            .collect();
        // Of equals the first; one that has nothing in common only if there is no other.
        let only = open.len() == 1;
        open.sort_by_key(|(likeness, _)| std::cmp::Reverse(*likeness));
        match open.into_iter().next() {
            Some((likeness, group)) if likeness > 0 || only => group.push(number),
            _ => found.push(vec![number]),
        }
    }
    found
}

/// How much speaks for two instances of one VRID being one virtual router.
fn likeness(a: &Router, b: &Router) -> u8 {
    let address = a.addresses.iter().any(|x| b.addresses.iter().any(|y| x.value.ip == y.value.ip));
    let interface = a.interface.is_some() && a.interface == b.interface;
    let name = a.name.value == b.name.value;
    4 * u8::from(address) + 2 * u8::from(interface) + u8::from(name)
}
