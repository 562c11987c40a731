//! The tables as stock lays them out: sets of addresses and interfaces, and rules that look into them.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::super::attribute::{Attribute, text};
use super::message::{Batch, Element, Hook, INTERFACE, Set, nested, number};
use crate::base::Family;
use crate::host::{FirewallEntry, FirewallRule, FirewallTable};

/// How nftables numbers types of values, with their bytes.
const IPV4: (u32, u32) = (7, 4);
const IPV6: (u32, u32) = (8, 16);
const ICMPV6_TYPE: (u32, u32) = (29, 1);
/// One behind the other.
const IPV6_AND_INTERFACE: (u32, u32) = (IPV6.0 << 6 | INTERFACE.0, IPV6.1 + INTERFACE.1);

/// Which interface a VMAC stands on.
const MAP: Set = Set { name: "vmac_map", key: INTERFACE, data: Some(INTERFACE), constant: false };
/// VMACs.
const VMACS: Set = Set { name: "vmac_set", key: INTERFACE, data: None, constant: false };
/// Addresses that are not to be reached.
const VIPS: &str = "vips";
/// Link-local ones, with their interfaces.
const LOCALS: Set = Set { name: "vips_link_local", key: IPV6_AND_INTERFACE, data: None, constant: false };
/// What they answer all the same.
const DISCOVERY: Set = Set { name: "neighbor-discovery", key: ICMPV6_TYPE, data: None, constant: true };

/// Types of ICMPv6 (RFC 4861 section 4, RFC 3810 section 5.2).
const ROUTER_SOLICITATION: u8 = 133;
const NEIGHBOUR: [u8; 2] = [135, 136];
const MLD2_REPORT: u8 = 143;
/// Protocols of IP.
const IGMP: u8 = 2;
const ICMPV6: u8 = 58;

/// The entries of a family in one table.
pub(super) struct Contents<'a> {
    pub(super) table: &'a FirewallTable,
    pub(super) family: Family,
    pub(super) rules: BTreeSet<&'a FirewallRule>,
}

impl<'a> Contents<'a> {
    /// Those of `entries` that are in that table and family.
    pub(super) fn of(entries: &'a BTreeSet<FirewallEntry>, table: &'a FirewallTable, family: Family) -> Self {
        let ours = entries.iter().filter(|e| *e.table == *table && e.rule.family() == family);
        Self { table, family, rules: ours.map(|e| &e.rule).collect() }
    }

    /// Which rules there have to be: those that divert, those that drop.
    pub(super) fn layout(&self) -> (bool, bool) {
        let diverts = |rule: &&FirewallRule| matches!(rule, FirewallRule::Divert { .. });
        (self.rules.iter().any(diverts), !self.rules.iter().all(diverts))
    }

    /// Makes the table anew.
    pub(super) fn build(&self, batch: &mut Batch) {
        let (family, table) = (self.family, self.table.name.as_str());
        let (diverts, drops) = self.layout();
        // Whatever may be left of it; one that is not there could not be deleted.
        batch.table(family, table);
        batch.delete_table(family, table);
        batch.table(family, table);
        for (id, set) in (1..).zip(self.sets()) {
            batch.set(family, table, &set, id);
            let elements: Vec<_> = self.elements(&set).into_iter().collect();
            batch.elements(family, table, set.name, true, &elements);
        }
        let hook = |hook| Some((hook, self.table.priority));
        batch.chain(family, table, "out", hook(Hook::Output));
        if drops {
            batch.chain(family, table, "in", hook(Hook::Input));
        }
        if drops && family == Family::V6 {
            batch.chain(family, table, "in_link_local", None);
            batch.chain(family, table, "out_link_local", None);
        }
        if diverts {
            self.diversion(batch);
        }
        if drops {
            for (chain, side) in [("out", Side::Source), ("in", Side::Destination)] {
                self.dropping(batch, chain, side);
            }
        }
    }

    /// Makes the difference to `before`, which has the same layout.
    pub(super) fn change(&self, before: &Self, batch: &mut Batch) {
        for set in self.sets() {
            let (old, new) = (before.elements(&set), self.elements(&set));
            let (family, table) = (self.family, &self.table.name);
            let gone: Vec<_> = old.iter().filter(|e| !new.contains(e)).cloned().collect();
            let come: Vec<_> = new.iter().filter(|e| !old.contains(e)).cloned().collect();
            batch.elements(family, table, set.name, false, &gone);
            batch.elements(family, table, set.name, true, &come);
        }
    }

    fn sets(&self) -> Vec<Set> {
        let (diverts, drops) = self.layout();
        let v6 = self.family == Family::V6;
        let key = if v6 { IPV6 } else { IPV4 };
        let vips = Set { name: VIPS, key, data: None, constant: false };
        let all = [
            (MAP, diverts),
            (VMACS, diverts && v6),
            (vips, drops),
            (DISCOVERY, drops && v6),
            (LOCALS, drops && v6),
        ];
        all.into_iter().filter_map(|(set, there)| there.then_some(set)).collect()
    }

    fn elements(&self, set: &Set) -> BTreeSet<Element> {
        if *set == DISCOVERY {
            return NEIGHBOUR.iter().map(|kind| (vec![*kind], None)).collect();
        }
        self.rules.iter().filter_map(|rule| element(set, rule)).collect()
    }

    /// Reports of group memberships leave by the base; over IPv6, VMACs do not look for routers.
    fn diversion(&self, batch: &mut Batch) {
        let (family, table) = (self.family, self.table.name.as_str());
        let dup = expression("dup", &[number(1, REG_1), number(2, REG_2)]);
        let to_base = [meta(META_OIF, REG_2), lookup(MAP.name, REG_2, Some(REG_2)), dup];
        match family {
            Family::V4 => {
                let report = [payload(NETWORK, 9, 1), equals(REG_1, vec![IGMP]), payload(NETWORK, 16, 4)];
                let rule = [&report[..], &is_macvlan(), &to_base, &self.counter(), &[verdict(NF_DROP)]];
                batch.rule(family, table, "out", &rule.concat());
            }
            Family::V6 => {
                let icmp = |kind: u8| {
                    [
                        meta(META_L4PROTO, REG_1),
                        equals(REG_1, vec![ICMPV6]),
                        payload(TRANSPORT, 0, 1),
                        equals(REG_1, vec![kind]),
                    ]
                };
                let report = [&icmp(MLD2_REPORT)[..], &[payload(NETWORK, 24, 16)]].concat();
                let rule = [&report[..], &is_macvlan(), &to_base, &self.counter(), &[verdict(NF_DROP)]];
                batch.rule(family, table, "out", &rule.concat());
                let ours = [meta(META_OIF, REG_2), lookup(VMACS.name, REG_2, None)];
                let asking = &icmp(ROUTER_SOLICITATION)[..];
                let rule = [asking, &is_macvlan(), &ours, &self.counter(), &[verdict(NF_DROP)]];
                batch.rule(family, table, "out", &rule.concat());
            }
        }
    }

    /// Nothing gets to the addresses or comes from them, but for neighbour discovery.
    fn dropping(&self, batch: &mut Batch, chain: &str, side: Side) {
        let (family, table) = (self.family, self.table.name.as_str());
        let address = match (family, side) {
            (Family::V4, Side::Source) => payload(NETWORK, 12, 4),
            (Family::V4, Side::Destination) => payload(NETWORK, 16, 4),
            (Family::V6, Side::Source) => payload(NETWORK, 8, 16),
            (Family::V6, Side::Destination) => payload(NETWORK, 24, 16),
        };
        let end = |last: Attribute| [&self.counter()[..], &[last]].concat();
        if family == Family::V6 {
            let discovery = [
                payload(NETWORK, 6, 1),
                equals(REG_1, vec![ICMPV6]),
                payload(TRANSPORT, 0, 1),
                lookup(DISCOVERY.name, REG_1, None),
            ];
            batch.rule(family, table, chain, &[&discovery[..], &end(verdict(NF_ACCEPT))].concat());
            let locals = format!("{chain}_link_local");
            let is_local = [address.clone(), masked(&LINK_LOCAL_MASK), equals(REG_1, LINK_LOCAL.to_vec())];
            batch.rule(family, table, chain, &[&is_local[..], &end(go_to(&locals))].concat());
            let key = if side == Side::Source { META_OIF } else { META_IIF };
            let here = [address.clone(), meta(key, REG_2), lookup(LOCALS.name, REG_1, None)];
            batch.rule(family, table, &locals, &[&here[..], &end(verdict(NF_DROP))].concat());
        }
        let known = [address, lookup(VIPS, REG_1, None)];
        batch.rule(family, table, chain, &[&known[..], &end(verdict(NF_DROP))].concat());
    }

    fn counter(&self) -> Vec<Attribute> {
        self.table.counters.then(|| expression("counter", &[])).into_iter().collect()
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Source,
    Destination,
}

/// What an entry has in a set.
fn element(set: &Set, rule: &FirewallRule) -> Option<Element> {
    let index = |link: &crate::base::IfIndex| link.0.to_ne_bytes().to_vec();
    match rule {
        FirewallRule::Divert { link, base, .. } if *set == MAP => Some((index(link), Some(index(base)))),
        FirewallRule::Divert { link, .. } if *set == VMACS => Some((index(link), None)),
        FirewallRule::Drop { ip: IpAddr::V4(ip), .. } if set.name == VIPS => {
            Some((ip.octets().to_vec(), None))
        }
        FirewallRule::Drop { ip: IpAddr::V6(ip), link: None } if set.name == VIPS => {
            Some((ip.octets().to_vec(), None))
        }
        FirewallRule::Drop { ip: IpAddr::V6(ip), link: Some(link) } if *set == LOCALS => {
            Some(([&ip.octets()[..], &index(link)].concat(), None))
        }
        _ => None,
    }
}

/// Registers of 16 bytes, one behind the other.
const REG_VERDICT: u32 = 0;
const REG_1: u32 = 1;
const REG_2: u32 = 2;
/// What offsets count from.
const NETWORK: u32 = 1;
const TRANSPORT: u32 = 2;
/// What is known of a packet besides its bytes (`NFT_META_…`).
const META_IIF: u32 = 4;
const META_OIF: u32 = 5;
const META_L4PROTO: u32 = 16;
const META_OIFKIND: u32 = 27;
/// What becomes of a packet.
const NF_DROP: u32 = 0;
const NF_ACCEPT: u32 = 1;
/// `NFT_GOTO`.
const GOTO: u32 = (-4_i32).cast_unsigned();
/// fe80::/10.
const LINK_LOCAL: [u8; 16] = [0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
const LINK_LOCAL_MASK: [u8; 16] = [0xff, 0xc0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

fn expression(name: &str, parts: &[Attribute]) -> Attribute {
    nested(1, &[text(1, name), nested(2, parts)])
}

/// Bytes of the packet, into the first register.
fn payload(base: u32, offset: u32, len: u32) -> Attribute {
    expression("payload", &[number(1, REG_1), number(2, base), number(3, offset), number(4, len)])
}

/// Something else about the packet, into a register.
fn meta(key: u32, register: u32) -> Attribute {
    expression("meta", &[number(1, register), number(2, key)])
}

/// Goes on if the register is `value`.
fn equals(register: u32, value: Vec<u8>) -> Attribute {
    expression("cmp", &[number(1, register), number(2, 0), nested(3, &[(1, value)])])
}

/// Goes on if the register is in a set; of a map, takes what it is mapped to.
fn lookup(set: &str, register: u32, into: Option<u32>) -> Attribute {
    let mut parts = vec![text(1, set), number(2, register)];
    parts.extend(into.map(|into| number(3, into)));
    expression("lookup", &parts)
}

/// The first register, without the bits that are not in `mask`.
fn masked(mask: &[u8; 16]) -> Attribute {
    let zero = nested(5, &[(1, vec![0; mask.len()])]);
    let mask = nested(4, &[(1, mask.to_vec())]);
    expression("bitwise", &[number(1, REG_1), number(2, REG_1), number(3, 16), mask, zero])
}

/// The packet leaves by a macvlan.
fn is_macvlan() -> [Attribute; 2] {
    let mut kind = b"macvlan".to_vec();
    kind.resize(libc::IFNAMSIZ, 0);
    [meta(META_OIFKIND, REG_2), equals(REG_2, kind)]
}

fn verdict(code: u32) -> Attribute {
    let verdict = nested(2, &[number(1, code)]);
    expression("immediate", &[number(1, REG_VERDICT), nested(2, &[verdict])])
}

fn go_to(chain: &str) -> Attribute {
    let verdict = nested(2, &[number(1, GOTO), text(2, chain)]);
    expression("immediate", &[number(1, REG_VERDICT), nested(2, &[verdict])])
}
