//! Rules about what moves on a failover.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::super::Place;
use super::super::view::{At, Router};
use super::{Rules, differs, list, name, place, places};
use crate::base::Cidr;
use crate::config::diagnostic::Span;

impl Rules<'_> {
    /// One address in two virtual routers. Gives the numbers of these.
    pub(super) fn addresses_in_two(&mut self) -> BTreeSet<usize> {
        let mut holders: BTreeMap<IpAddr, Vec<(usize, &Router, &Span)>> = BTreeMap::new();
        for (number, group) in self.groups.iter().enumerate() {
            for router in group {
                for address in router.addresses.iter().chain(&router.excluded) {
                    holders.entry(address.value.ip).or_default().push((number, router, &address.span));
                }
            }
        }
        // Of two virtual routers one finding, with their first common address.
        let mut told: BTreeMap<BTreeSet<usize>, (String, Vec<Place>)> = BTreeMap::new();
        for (ip, found) in &holders {
            let groups: BTreeSet<usize> = found.iter().map(|f| f.0).collect();
            if groups.len() > 1 {
                let places = found.iter().map(|(_, r, span)| Place {
                    node: r.node,
                    span: Some((*span).clone()),
                    value: format!("{} (VRID {})", r.name.value, r.vrid.value),
                });
                told.entry(groups).or_insert_with(|| (ip.to_string(), places.collect()));
            }
        }
        let numbers = told.keys().flatten().copied().collect();
        for (ip, places) in told.into_values() {
            let text =
                format!("{ip} is in more than one virtual router, and the master of each would hold it");
            self.splits(
                "vrid",
                text,
                "routers with the same addresses need the same virtual_router_id",
                places,
            );
        }
        numbers
    }

    pub(super) fn prefixes(&mut self, group: &[&Router]) {
        let Some((first, others)) = group.split_first() else { return };
        for address in &first.addresses {
            let differs =
                |a: &&At<Cidr>| a.value.ip == address.value.ip && a.value.prefix != address.value.prefix;
            let other = others.iter().find_map(|r| Some((r, r.addresses.iter().find(differs)?)));
            if let Some((router, other)) = other {
                let text = format!("{}: the prefix length of {} differs", name(group), address.value.ip);
                let places = vec![
                    place(first, address, address.value.to_string()),
                    place(router, other, other.value.to_string()),
                ];
                self.surprises("prefix", text, "", places);
            }
        }
    }

    pub(super) fn excluded(&mut self, group: &[&Router]) {
        let ips = |r: &Router| -> BTreeSet<IpAddr> { r.excluded.iter().map(|a| a.value.ip).collect() };
        if differs(group, ips) {
            let places =
                places(group, |r| (r.excluded.first().map_or(&r.name.span, |a| &a.span), list(ips(r))));
            let text = format!(
                "{}: virtual_ipaddress_excluded differs; not all of it moves on a failover",
                name(group)
            );
            self.surprises("excluded", text, "", places);
        }
    }

    pub(super) fn vmac(&mut self, group: &[&Router]) {
        if differs(group, |r| r.vmac.value) {
            let places = places(group, |r| {
                (&r.vmac.span, if r.vmac.value { "use_vmac" } else { "no use_vmac" }.to_owned())
            });
            let text =
                format!("{}: use_vmac is not on all; the MAC address changes on a failover", name(group));
            self.surprises("vmac", text, "", places);
        }
    }

    /// What moves together on one node must do so on the others.
    pub(super) fn sync_groups(&mut self) {
        // Virtual routers by number, as far as both nodes have them.
        let number = |node: usize, name: &str| {
            self.groups.iter().position(|g| g.iter().any(|r| r.node == node && r.name.value == name))
        };
        let has =
            |node: usize, n: usize| self.groups.get(n).is_some_and(|g| g.iter().any(|r| r.node == node));
        let sets: Vec<(usize, &At<String>, BTreeSet<usize>)> = (self.view.groups.iter())
            .map(|g| (g.node, &g.name, g.members.iter().filter_map(|m| number(g.node, m)).collect()))
            .collect();
        let mut found = Vec::new();
        for (at, (node, group, set)) in sets.iter().enumerate() {
            for other in (0..self.nodes).filter(|other| other != node) {
                let mine: BTreeSet<usize> = set.iter().copied().filter(|n| has(other, *n)).collect();
                let theirs = sets.iter().enumerate().filter(|(_, s)| s.0 == other);
                let theirs: Vec<_> =
                    theirs.filter(|(_, s)| s.2.intersection(&mine).next().is_some()).collect();
                let same = |s: &BTreeSet<usize>| s.iter().filter(|n| has(*node, **n)).eq(mine.iter());
                let good = mine.len() < 2 || matches!(theirs.as_slice(), [(_, one)] if same(&one.2));
                // Of two groups that differ, the first one tells.
                if good || theirs.first().is_some_and(|(n, _)| *n < at) {
                    continue;
                }
                let mut places =
                    vec![Place { node: *node, span: Some(group.span.clone()), value: group.value.clone() }];
                match theirs.first() {
                    Some((_, (_, group, _))) => places.push(Place {
                        node: other,
                        span: Some(group.span.clone()),
                        value: group.value.clone(),
                    }),
                    None => places.push(Place { node: other, span: None, value: "no such group".to_owned() }),
                }
                found.push((
                    format!(
                        "vrrp_sync_group {}: its instances do not move together on all nodes",
                        group.value
                    ),
                    places,
                ));
            }
        }
        for (text, places) in found {
            self.surprises("sync_group", text, "give all nodes the same sync groups", places);
        }
    }
}
