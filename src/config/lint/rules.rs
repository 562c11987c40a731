//! The rules, one function each. First those that split a cluster, then those that surprise.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::view::{At, Authentication, Router, View};
use super::{Finding, Place};
use crate::config::diagnostic::{Severity, Span};

/// What the rules work on, and where they put what they find.
struct Rules<'a> {
    view: &'a View,
    /// One virtual router each.
    groups: Vec<Vec<&'a Router>>,
    nodes: usize,
    findings: &'a mut Vec<Finding>,
}

/// Applies all rules. `virtual_routers`: indices into the routers of `view`.
pub(super) fn check(view: &View, virtual_routers: &[Vec<usize>], nodes: usize, findings: &mut Vec<Finding>) {
    let members = |group: &Vec<usize>| group.iter().filter_map(|n| view.routers.get(*n)).collect();
    let groups: Vec<Vec<&Router>> = virtual_routers.iter().map(members).collect();
    let mut rules = Rules { view, groups, nodes, findings };
    let told = rules.addresses_in_two();
    for number in 0..rules.groups.len() {
        let Some(group) = rules.groups.get(number).cloned() else { continue };
        if group.len() < 2 {
            rules.alone(&group, told.contains(&number));
            continue;
        }
        rules.version(&group);
        rules.interval(&group);
        rules.authentication(&group);
        rules.addresses(&group);
        rules.checksum(&group);
        rules.destination(&group);
        rules.peers(&group);
        rules.owners(&group);
        rules.priorities(&group);
        rules.masters(&group);
        rules.preemption(&group);
        rules.weights(&group);
        rules.prefixes(&group);
        rules.excluded(&group);
        rules.vmac(&group);
    }
    rules.sync_groups();
}

/// A virtual router as its owner calls it.
fn name(group: &[&Router]) -> String {
    let names: BTreeSet<_> = group.iter().map(|r| r.name.value.as_str()).collect();
    let names: Vec<_> = names.into_iter().collect();
    format!("{} (VRID {})", names.join(", "), group.first().map_or(0, |r| r.vrid.value))
}

/// Whether `value` is not the same everywhere.
fn differs<T: PartialEq>(group: &[&Router], value: impl Fn(&Router) -> T) -> bool {
    group.windows(2).any(|w| matches!(w, [a, b] if value(a) != value(b)))
}

/// What each node has.
fn places<'a>(group: &[&'a Router], value: impl Fn(&'a Router) -> (&'a Span, String)) -> Vec<Place> {
    let place = |r: &&'a Router| {
        let (span, value) = value(r);
        Place { node: r.node, span: Some(span.clone()), value }
    };
    group.iter().map(place).collect()
}

fn list<T: ToString>(items: impl IntoIterator<Item = T>) -> String {
    let items: Vec<String> = items.into_iter().map(|i| i.to_string()).collect();
    if items.is_empty() { "none".to_owned() } else { items.join(", ") }
}

fn ips(group: &Router) -> BTreeSet<IpAddr> {
    group.addresses.iter().map(|a| a.value.ip).collect()
}

impl Rules<'_> {
    fn add(&mut self, severity: Severity, rule: &'static str, text: String, hint: &str, places: Vec<Place>) {
        let hint = (!hint.is_empty()).then(|| hint.to_owned());
        self.findings.push(Finding { severity, rule, text, hint, places });
    }

    fn splits(&mut self, rule: &'static str, text: String, hint: &str, places: Vec<Place>) {
        self.add(Severity::Error, rule, text, hint, places);
    }

    fn surprises(&mut self, rule: &'static str, text: String, hint: &str, places: Vec<Place>) {
        self.add(Severity::Warning, rule, text, hint, places);
    }

    /// One address in two virtual routers. Gives the numbers of these.
    fn addresses_in_two(&mut self) -> BTreeSet<usize> {
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

    /// A virtual router that one node has alone.
    fn alone(&mut self, group: &[&Router], told: bool) {
        if self.nodes > 1 && !told {
            let text = format!("{} is on one node only: nobody takes over", name(group));
            let places = places(group, |r| (&r.name.span, r.name.value.clone()));
            self.surprises("alone", text, "", places);
        }
    }

    fn version(&mut self, group: &[&Router]) {
        if differs(group, |r| r.version.value) {
            let text =
                format!("{}: the VRRP version differs; adverts of the other one are dropped", name(group));
            let places = places(group, |r| (&r.version.span, format!("version {}", r.version.value)));
            self.splits("version", text, "set the same version, or vrrp_version in global_defs", places);
        }
    }

    fn interval(&mut self, group: &[&Router]) {
        if !differs(group, |r| r.interval.value) {
            return;
        }
        let places = places(group, |r| (&r.interval.span, format!("{} ms", r.interval.value)));
        let hint = "set the same advert_int";
        if group.iter().any(|r| r.version.value == 2) {
            let text = format!(
                "{}: advert_int differs; with VRRP version 2 adverts with another interval are dropped",
                name(group)
            );
            self.splits("interval", text, hint, places);
        } else {
            let text = format!(
                "{}: advert_int differs; how fast a backup takes over depends on who was master",
                name(group)
            );
            self.surprises("interval", text, hint, places);
        }
    }

    fn authentication(&mut self, group: &[&Router]) {
        if !differs(group, |r| r.authentication.value.clone()) {
            return;
        }
        let first = group.first().map(|r| &r.authentication.value);
        let places = places(group, |r| {
            let kind = match &r.authentication.value {
                Authentication::None => "no authentication",
                Authentication::Pass(_) => "PASS",
                Authentication::Ah(_) => "AH",
                Authentication::Hmac(_) => "auth_hmac",
            };
            let same_kind = first.is_some_and(|f| {
                std::mem::discriminant(f) == std::mem::discriminant(&r.authentication.value)
            });
            let other = same_kind && first != Some(&r.authentication.value);
            (&r.authentication.span, format!("{kind}{}", if other { ", with another key" } else { "" }))
        });
        let text = format!("{}: authentication differs; the adverts of the others are dropped", name(group));
        self.splits("authentication", text, "", places);
    }

    fn addresses(&mut self, group: &[&Router]) {
        if !differs(group, ips) {
            return;
        }
        let common = group.iter().map(|r| ips(r)).reduce(|a, b| a.intersection(&b).copied().collect());
        let common = common.unwrap_or_default();
        let hint = if common.is_empty() {
            "they have no address in common: if these are two virtual routers, give one of them another virtual_router_id"
        } else {
            "an address that is only to be on one node belongs into virtual_ipaddress_excluded"
        };
        let places = places(group, |r| {
            let own = r.addresses.iter().find(|a| !common.contains(&a.value.ip));
            let span = own.map_or(&r.name.span, |a| &a.span);
            (span, format!("besides the common ones: {}", list(ips(r).difference(&common))))
        });
        let text = format!(
            "{}: virtual_ipaddress differs; keepalived 2.2 drops adverts with other addresses than its own",
            name(group)
        );
        self.splits("addresses", text, hint, places);
    }

    fn checksum(&mut self, group: &[&Router]) {
        if group.iter().all(|r| r.version.value == 3) && differs(group, |r| r.old_checksum.value) {
            let places = places(group, |r| {
                (&r.old_checksum.span, if r.old_checksum.value { "on" } else { "off" }.to_owned())
            });
            let text =
                format!("{}: v3_checksum_as_v2 differs; the checksums of the others are wrong", name(group));
            self.splits("checksum", text, "", places);
        }
    }

    fn destination(&mut self, group: &[&Router]) {
        let unicast = |r: &Router| !r.peers.is_empty();
        if differs(group, unicast) {
            let places = places(group, |r| match r.peers.first() {
                Some(peer) => (&peer.span, "unicast".to_owned()),
                None => (&r.name.span, "multicast".to_owned()),
            });
            let text = format!(
                "{}: some send unicast, others multicast, and do not accept the other kind",
                name(group)
            );
            self.splits(
                "destination",
                text,
                "list the other routers in unicast_peer on all, or on none",
                places,
            );
        } else if !group.iter().any(|r| unicast(r)) && differs(group, |r| r.destination.value) {
            let places = places(group, |r| (&r.destination.span, r.destination.value.to_string()));
            let text = format!("{}: the multicast group differs", name(group));
            self.splits(
                "destination",
                text,
                "see mcast_dst_ip, vrrp_mcast_group4 and vrrp_mcast_group6",
                places,
            );
        }
    }

    /// Everybody must send to everybody else.
    fn peers(&mut self, group: &[&Router]) {
        for from in group.iter().filter(|r| !r.peers.is_empty()) {
            let listed = |ip: IpAddr| from.peers.iter().find(|p| p.value == ip);
            for to in group.iter().filter(|r| r.node != from.node) {
                let Some(source) = to.source.as_ref().filter(|s| listed(s.value).is_none()) else { continue };
                let text = format!(
                    "{}: a router is not among the peers of another, and does not hear it",
                    name(group)
                );
                let places = vec![peers_of(from), place(to, source, source.value.to_string())];
                self.splits(
                    "peers",
                    text,
                    "add the unicast_src_ip of each router to unicast_peer of all others",
                    places,
                );
            }
            if let Some(own) = from.source.as_ref().and_then(|s| listed(s.value)) {
                let text = format!("{}: a router is its own unicast_peer", name(group));
                self.surprises(
                    "peers",
                    text,
                    "list only the others",
                    vec![place(from, own, own.value.to_string())],
                );
            }
            let others = group.len() - 1;
            if from.peers.len() < others {
                let text =
                    format!("{}: fewer peers than other routers, of which there are {others}", name(group));
                self.splits("peers", text, "list all others", vec![peers_of(from)]);
            }
        }
    }

    fn owners(&mut self, group: &[&Router]) {
        let owners: Vec<&Router> = group.iter().filter(|r| r.priority.value == 255).copied().collect();
        if owners.len() > 1 {
            let hint = match owners
                .iter()
                .any(|r| r.master.as_ref().is_some() && r.priority.span == r.name.span)
            {
                true => {
                    "state MASTER without priority means 255; give each router a priority of its own below that"
                }
                false => "priority 255 is for the one router whose own address it is",
            };
            let text =
                format!("{}: two routers have priority 255, and neither ever gives way at once", name(group));
            self.splits(
                "owner",
                text,
                hint,
                places(&owners, |r| (&r.priority.span, "priority 255".to_owned())),
            );
        }
    }

    fn priorities(&mut self, group: &[&Router]) {
        let mut routers: BTreeMap<u8, Vec<&Router>> = BTreeMap::new();
        for router in group.iter().filter(|r| r.priority.value != 255) {
            routers.entry(router.priority.value).or_default().push(router);
        }
        for (priority, routers) in routers.into_iter().filter(|(_, r)| r.len() > 1) {
            let text = format!(
                "{}: the same priority {priority}; who is master depends on the addresses of the interfaces",
                name(group)
            );
            let places = places(&routers, |r| (&r.priority.span, format!("priority {priority}")));
            self.surprises("priority", text, "give each router a priority of its own", places);
        }
    }

    fn masters(&mut self, group: &[&Router]) {
        let masters: Vec<&Router> = group.iter().filter(|r| r.master.is_some()).copied().collect();
        let owners = masters.iter().filter(|r| r.priority.value == 255).count();
        if masters.len() > 1 && owners < 2 {
            let text =
                format!("{}: state MASTER on more than one; the priorities decide all the same", name(group));
            let hint = "give all routers state BACKUP, or all but the one with the highest priority";
            let places =
                places(&masters, |r| (r.master.as_ref().unwrap_or(&r.name.span), "state MASTER".to_owned()));
            self.surprises("state", text, hint, places);
        }
        let highest = group.iter().map(|r| r.priority.value).max();
        if let [master] = masters.as_slice()
            && Some(master.priority.value) < highest
        {
            let text =
                format!("{}: state MASTER on a router that does not have the highest priority", name(group));
            let places = places(group, |r| (&r.priority.span, format!("priority {}", r.priority.value)));
            self.surprises("state", text, "the one with the highest priority takes over", places);
        }
    }

    /// `nopreempt` keeps a router from taking over from one with a lower priority: it does nothing on the lowest.
    fn preemption(&mut self, group: &[&Router]) {
        let best = group.iter().max_by_key(|r| r.priority.value);
        if let Some(best) = best.filter(|b| b.nopreempt.is_none())
            && group.iter().any(|r| r.nopreempt.is_some())
        {
            let text = format!(
                "{}: nopreempt is not on the router with the highest priority, which takes over",
                name(group)
            );
            let places = places(group, |r| match &r.nopreempt {
                Some(span) => (span, format!("nopreempt, priority {}", r.priority.value)),
                None => (&r.priority.span, format!("priority {}", r.priority.value)),
            });
            let hint = if best.master.is_some() {
                "nopreempt needs state BACKUP; put both on all routers"
            } else {
                "put nopreempt on all routers"
            };
            self.surprises("preemption", text, hint, places);
        }
    }

    /// A script that fails on the master must bring it below somebody else.
    fn weights(&mut self, group: &[&Router]) {
        let good = |r: &Router| i32::from(r.priority.value) + r.weights.iter().map(|w| w.good).sum::<i32>();
        let Some(best) = group.iter().max_by_key(|r| good(r)).filter(|r| r.priority.value != 255) else {
            return;
        };
        let Some(next) = group.iter().filter(|r| r.node != best.node).max_by_key(|r| good(r)) else { return };
        for weight in &best.weights {
            let left = good(best) - weight.good + weight.failed;
            if left.clamp(1, 254) < good(next).clamp(1, 254) {
                continue;
            }
            let text = format!(
                "{}: the failure of {} leaves priority {left}, which is not below that of the next router: no failover",
                name(group),
                weight.script
            );
            let places = vec![
                Place {
                    node: best.node,
                    span: Some(weight.span.clone()),
                    value: format!("priority {left} when it fails"),
                },
                place(next, &next.priority, format!("priority {}", good(next))),
            ];
            self.surprises("weight", text, "use a larger weight, or closer priorities", places);
        }
    }

    fn prefixes(&mut self, group: &[&Router]) {
        let Some((first, others)) = group.split_first() else { return };
        for address in &first.addresses {
            let differs = |a: &&At<crate::base::Cidr>| {
                a.value.ip == address.value.ip && a.value.prefix != address.value.prefix
            };
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

    fn excluded(&mut self, group: &[&Router]) {
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

    fn vmac(&mut self, group: &[&Router]) {
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
    fn sync_groups(&mut self) {
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

/// The place of a setting of a router.
fn place<T>(router: &Router, setting: &At<T>, value: String) -> Place {
    Place { node: router.node, span: Some(setting.span.clone()), value }
}

fn peers_of(router: &Router) -> Place {
    let span = router.peers.first().map_or(&router.name.span, |p| &p.span);
    Place {
        node: router.node,
        span: Some(span.clone()),
        value: format!("peers {}", list(router.peers.iter().map(|p| p.value))),
    }
}
