//! Rules about what decides whether routers hear each other.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::super::Place;
use super::super::view::{Authentication, Router};
use super::{Rules, differs, list, name, place, places};

impl Rules<'_> {
    pub(super) fn version(&mut self, group: &[&Router]) {
        if differs(group, |r| r.version.value) {
            let text =
                format!("{}: the VRRP version differs; adverts of the other one are dropped", name(group));
            let places = places(group, |r| (&r.version.span, format!("version {}", r.version.value)));
            self.splits("version", text, "set the same version, or vrrp_version in global_defs", places);
        }
    }

    pub(super) fn interval(&mut self, group: &[&Router]) {
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

    pub(super) fn authentication(&mut self, group: &[&Router]) {
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

    pub(super) fn addresses(&mut self, group: &[&Router]) {
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

    pub(super) fn checksum(&mut self, group: &[&Router]) {
        if group.iter().all(|r| r.version.value == 3) && differs(group, |r| r.old_checksum.value) {
            let places = places(group, |r| {
                (&r.old_checksum.span, if r.old_checksum.value { "on" } else { "off" }.to_owned())
            });
            let text =
                format!("{}: v3_checksum_as_v2 differs; the checksums of the others are wrong", name(group));
            self.splits("checksum", text, "", places);
        }
    }

    pub(super) fn destination(&mut self, group: &[&Router]) {
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
    pub(super) fn peers(&mut self, group: &[&Router]) {
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
}

fn ips(group: &Router) -> BTreeSet<IpAddr> {
    group.addresses.iter().map(|a| a.value.ip).collect()
}

fn peers_of(router: &Router) -> Place {
    let span = router.peers.first().map_or(&router.name.span, |p| &p.span);
    Place {
        node: router.node,
        span: Some(span.clone()),
        value: format!("peers {}", list(router.peers.iter().map(|p| p.value))),
    }
}
