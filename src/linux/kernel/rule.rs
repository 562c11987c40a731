//! Rules ⇄ messages of rtnetlink.

use std::net::IpAddr;

use netlink_packet_core::DefaultNla;
use netlink_packet_route::AddressFamily;
use netlink_packet_route::rule::{RuleAttribute, RuleFlags, RuleMessage};

use super::attribute::{self, Attribute};
use crate::base::{Cidr, Family, IfName};
use crate::host::route::{Realms, Rule, RuleAction};

const FRA_DST: u16 = 1;
const FRA_SRC: u16 = 2;
const FRA_IIFNAME: u16 = 3;
const FRA_GOTO: u16 = 4;
const FRA_PRIORITY: u16 = 6;
const FRA_FWMARK: u16 = 10;
const FRA_FLOW: u16 = 11;
const FRA_TUN_ID: u16 = 12;
const FRA_SUPPRESS_IFGROUP: u16 = 13;
const FRA_SUPPRESS_PREFIXLEN: u16 = 14;
const FRA_TABLE: u16 = 15;
const FRA_FWMASK: u16 = 16;
const FRA_OIFNAME: u16 = 17;
const FRA_L3MDEV: u16 = 19;
const FRA_UID_RANGE: u16 = 20;
const FRA_PROTOCOL: u16 = 21;
const FRA_IP_PROTO: u16 = 22;
const FRA_SPORT_RANGE: u16 = 23;
const FRA_DPORT_RANGE: u16 = 24;

/// `FIB_RULE_INVERT`.
const INVERT: u32 = 2;
/// What the kernel reports for a suppressor that is not set.
const NOT_SET: u32 = u32::MAX;

/// The message that adds or deletes `rule`: to find one, the kernel compares all that is given.
pub(super) fn message(rule: &Rule) -> RuleMessage {
    let mut message = RuleMessage::default();
    let header = &mut message.header;
    header.family = match rule.family {
        Family::V4 => AddressFamily::Inet,
        Family::V6 => AddressFamily::Inet6,
    };
    header.dst_len = rule.to.map_or(0, |to| to.prefix);
    header.src_len = rule.from.map_or(0, |from| from.prefix);
    header.tos = rule.tos;
    header.flags = RuleFlags::from_bits_retain(if rule.inverted { INVERT } else { 0 });
    let (action, extra) = match rule.action {
        RuleAction::Table(table) => (1, Some(attribute::word(FRA_TABLE, table))),
        RuleAction::L3mdev => (1, Some(attribute::byte(FRA_L3MDEV, 1))),
        RuleAction::Goto(target) => (2, Some(attribute::word(FRA_GOTO, target))),
        RuleAction::Nop => (3, None),
        RuleAction::Blackhole => (6, None),
        RuleAction::Unreachable => (7, None),
        RuleAction::Prohibit => (8, None),
    };
    header.action = action.into();
    let optional = [
        extra,
        rule.to.map(|to| attribute::address(FRA_DST, to.ip)),
        rule.from.map(|from| attribute::address(FRA_SRC, from.ip)),
        rule.iif.as_ref().map(|name| attribute::text(FRA_IIFNAME, name.as_str())),
        rule.oif.as_ref().map(|name| attribute::text(FRA_OIFNAME, name.as_str())),
        rule.mark.map(|(mark, _)| attribute::word(FRA_FWMARK, mark)),
        rule.mark.map(|(_, mask)| attribute::word(FRA_FWMASK, mask)),
        rule.realms.map(|r| attribute::word(FRA_FLOW, u32::from(r.from) << 16 | u32::from(r.to))),
        rule.tunnel.map(|id| (FRA_TUN_ID, id.to_be_bytes().to_vec())),
        rule.suppress_group.map(|group| attribute::word(FRA_SUPPRESS_IFGROUP, group)),
        rule.suppress_prefix.map(|bits| attribute::word(FRA_SUPPRESS_PREFIXLEN, bits)),
        rule.users.map(|(start, end)| range(FRA_UID_RANGE, start.to_ne_bytes(), end.to_ne_bytes())),
        rule.ip_protocol.map(|number| attribute::byte(FRA_IP_PROTO, number)),
        rule.source_ports.map(|(start, end)| range(FRA_SPORT_RANGE, start.to_ne_bytes(), end.to_ne_bytes())),
        rule.destination_ports
            .map(|(start, end)| range(FRA_DPORT_RANGE, start.to_ne_bytes(), end.to_ne_bytes())),
    ];
    let always =
        [attribute::word(FRA_PRIORITY, rule.preference), attribute::byte(FRA_PROTOCOL, rule.protocol)];
    let attributes = always.into_iter().chain(optional.into_iter().flatten());
    let other = |(kind, value): Attribute| RuleAttribute::Other(DefaultNla::new(kind, value));
    message.attributes = attributes.map(other).collect();
    message
}

fn range<const N: usize>(kind: u16, start: [u8; N], end: [u8; N]) -> Attribute {
    (kind, start.into_iter().chain(end).collect())
}

/// The rule described; `None`: of another family, or with an action that we do not know.
pub(super) fn parse(message: &RuleMessage) -> Option<Rule> {
    let header = &message.header;
    let family = match header.family {
        AddressFamily::Inet => Family::V4,
        AddressFamily::Inet6 => Family::V6,
        _ => return None,
    };
    let (mut table, mut target, mut l3mdev) = (u32::from(header.table), 0, false);
    let (mut mark, mut mask) = (None, None);
    let mut rule = Rule {
        family,
        preference: 0,
        inverted: header.flags.bits() & INVERT != 0,
        from: None,
        to: None,
        tos: header.tos,
        mark: None,
        iif: None,
        oif: None,
        tunnel: None,
        users: None,
        ip_protocol: None,
        source_ports: None,
        destination_ports: None,
        realms: None,
        suppress_prefix: None,
        suppress_group: None,
        action: RuleAction::Nop,
        protocol: 0,
    };
    let net = |ip: &IpAddr, prefix| Cidr::new(*ip, prefix).filter(|net| net.prefix > 0);
    for attribute in &message.attributes {
        match attribute {
            RuleAttribute::Destination(ip) => rule.to = net(ip, header.dst_len),
            RuleAttribute::Source(ip) => rule.from = net(ip, header.src_len),
            RuleAttribute::Iifname(name) => rule.iif = IfName::new(name),
            RuleAttribute::Oifname(name) => rule.oif = IfName::new(name),
            RuleAttribute::Goto(preference) => target = *preference,
            RuleAttribute::Priority(preference) => rule.preference = *preference,
            RuleAttribute::FwMark(number) => mark = Some(*number),
            RuleAttribute::FwMask(number) => mask = Some(*number),
            RuleAttribute::Realm(realms) => {
                // Larger ones cannot be written in a configuration.
                let (from, to) = (u8::try_from(realms.source), u8::try_from(realms.destination));
                rule.realms = from.ok().zip(to.ok()).map(|(from, to)| Realms { from, to });
            }
            RuleAttribute::TunId(id) => rule.tunnel = Some(*id),
            RuleAttribute::SuppressIfGroup(n) => rule.suppress_group = Some(*n).filter(|n| *n != NOT_SET),
            RuleAttribute::SuppressPrefixLen(n) => rule.suppress_prefix = Some(*n).filter(|n| *n != NOT_SET),
            RuleAttribute::Table(number) => table = *number,
            RuleAttribute::L3MDev(on) => l3mdev = *on,
            RuleAttribute::UidRange(range) => rule.users = Some((range.start, range.end)),
            RuleAttribute::Protocol(number) => rule.protocol = (*number).into(),
            RuleAttribute::IpProtocol(number) => rule.ip_protocol = u8::try_from(i32::from(*number)).ok(),
            RuleAttribute::SourcePortRange(range) => rule.source_ports = Some((range.start, range.end)),
            RuleAttribute::DestinationPortRange(range) => {
                rule.destination_ports = Some((range.start, range.end));
            }
            _ => {}
        }
    }
    rule.mark = mark.or(mask).is_some().then(|| (mark.unwrap_or(0), mask.unwrap_or(0)));
    rule.action = match u8::from(header.action) {
        1 if l3mdev => RuleAction::L3mdev,
        1 => RuleAction::Table(table),
        2 => RuleAction::Goto(target),
        3 => RuleAction::Nop,
        6 => RuleAction::Blackhole,
        7 => RuleAction::Unreachable,
        8 => RuleAction::Prohibit,
        _ => return None,
    };
    Some(rule)
}

#[cfg(test)]
mod tests {
    use netlink_packet_core::{Emitable, Parseable};

    use super::*;

    #[test]
    fn a_rule_survives_the_way_there_and_back() {
        let net = |text: &str, prefix| Cidr::new(text.parse().unwrap(), prefix);
        let full = Rule {
            family: Family::V4,
            preference: 500,
            inverted: true,
            from: net("192.0.2.0", 24),
            to: net("198.51.100.0", 24),
            tos: 0x10,
            mark: Some((5, 0xff)),
            iif: IfName::new("eth0"),
            oif: IfName::new("eth1"),
            tunnel: Some(77),
            users: Some((1, 1000)),
            ip_protocol: Some(6),
            source_ports: Some((80, 90)),
            destination_ports: Some((443, 443)),
            realms: Some(Realms { from: 3, to: 4 }),
            suppress_prefix: Some(8),
            suppress_group: Some(3),
            action: RuleAction::Table(1000),
            protocol: 18,
        };
        let actions = [
            RuleAction::Table(77),
            RuleAction::Goto(900),
            RuleAction::Nop,
            RuleAction::L3mdev,
            RuleAction::Blackhole,
            RuleAction::Unreachable,
            RuleAction::Prohibit,
        ];
        let mut rules: Vec<Rule> = actions.map(|action| Rule { action, ..full.clone() }).to_vec();
        let to = net("2001:db8::", 32);
        rules.push(Rule { family: Family::V6, from: None, to, mark: None, inverted: false, ..full.clone() });
        rules.push(full);
        for rule in rules {
            let message = message(&rule);
            let mut bytes = vec![0xa5; message.buffer_len()];
            message.emit(&mut bytes);
            assert_eq!(parse(&RuleMessage::parse(&bytes).unwrap()), Some(rule));
        }
    }
}
