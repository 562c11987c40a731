//! Messages of rtnetlink ⇄ our data.

use std::net::IpAddr;
use std::time::Duration;

use netlink_packet_core::{NLM_F_REPLACE, NetlinkPayload};
use netlink_packet_route::address::{
    AddressAttribute, AddressFlags, AddressMessage, AddressProtocol, CacheInfo,
};
use netlink_packet_route::link::{LinkAttribute, LinkFlags, LinkLayerType, LinkMessage};
use netlink_packet_route::route::RouteMessage;
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};

use super::{Message, route, rule};
use crate::base::{Cidr, IfIndex, IfName, MacAddr};
use crate::host::{Address, AddressOptions, KernelEvent, Link, Route, Stacking};
use crate::linux::loader::link::kind;

/// keepalived's routes.
const KEEPALIVED: u8 = Route::<IfIndex>::PROTO_KEEPALIVED;

/// What a notification says, if it is about something we keep.
pub(super) fn event(message: &Message) -> Option<KernelEvent> {
    let replaces = message.header.flags & NLM_F_REPLACE != 0;
    let NetlinkPayload::InnerMessage(message) = &message.payload else { return None };
    match message {
        RouteNetlinkMessage::NewLink(message) => link(message).map(KernelEvent::Link),
        RouteNetlinkMessage::DelLink(message) if is_about_link(message) => {
            let moved = |attribute: &LinkAttribute| matches!(attribute, LinkAttribute::NewNetnsId(_));
            let moved = message.attributes.iter().any(moved);
            Some(KernelEvent::LinkGone { index: IfIndex(message.header.index), moved })
        }
        // One that is still being examined for duplicates can be neither sent from nor announced; it is reported
        // again when it can.
        RouteNetlinkMessage::NewAddress(message) if is_tentative(message) => None,
        RouteNetlinkMessage::NewAddress(message) => address(message).map(KernelEvent::Address),
        RouteNetlinkMessage::DelAddress(message) => address(message).map(KernelEvent::AddressGone),
        RouteNetlinkMessage::NewRoute(message) => new_route(message, replaces),
        RouteNetlinkMessage::DelRoute(message) => {
            route::parse(message).filter(is_keepalived).map(|route| KernelEvent::RouteGone(Box::new(route)))
        }
        RouteNetlinkMessage::NewRule(message) => {
            rule::parse(message).map(|rule| KernelEvent::Rule(Box::new(rule)))
        }
        RouteNetlinkMessage::DelRule(message) => {
            rule::parse(message).map(|rule| KernelEvent::RuleGone(Box::new(rule)))
        }
        _ => None,
    }
}

/// Others' routes may be hundreds of thousands; they are no news unless they take the place of one.
fn new_route(message: &RouteMessage, replaces: bool) -> Option<KernelEvent> {
    if !replaces && u8::from(message.header.protocol) != KEEPALIVED {
        return None;
    }
    let route = Box::new(route::parse(message)?);
    Some(if replaces { KernelEvent::RouteReplaced(route) } else { KernelEvent::Route(route) })
}

fn is_keepalived(route: &Route) -> bool {
    route.protocol == KEEPALIVED
}

/// A bridge tells about its ports in link messages of its own family; there "deleted" means "left the bridge".
fn is_about_link(message: &LinkMessage) -> bool {
    message.header.interface_family == AddressFamily::Unspec
}

/// The link described; `None` for partial descriptions (wireless events) and other families' views of it.
pub(in crate::linux) fn link(message: &LinkMessage) -> Option<Link> {
    if !is_about_link(message) {
        return None;
    }
    let (mut name, mut mtu, mut mac) = (None, 0, None);
    let mut stacking = Stacking::default();
    for attribute in &message.attributes {
        match attribute {
            LinkAttribute::IfName(text) => name = IfName::new(text),
            LinkAttribute::Mtu(bytes) => mtu = *bytes,
            LinkAttribute::Link(index) => stacking.base = Some(IfIndex(*index)),
            LinkAttribute::Controller(index) => stacking.master = Some(IfIndex(*index)),
            LinkAttribute::Group(group) => stacking.group = *group,
            LinkAttribute::LinkInfo(info) => stacking.kind = kind(info),
            LinkAttribute::Address(bytes) if message.header.link_layer_type == LinkLayerType::Ether => {
                mac = <[u8; 6]>::try_from(bytes.as_slice()).ok().map(MacAddr);
            }
            _ => {}
        }
    }
    let flags = message.header.flags;
    let without_arp = LinkFlags::Noarp | LinkFlags::Pointopoint | LinkFlags::Loopback;
    Some(Link {
        index: IfIndex(message.header.index),
        name: name?,
        up: flags.contains(LinkFlags::Up),
        running: flags.contains(LinkFlags::Running),
        multicast: flags.contains(LinkFlags::Multicast),
        arp: !flags.intersects(without_arp),
        loopback: flags.contains(LinkFlags::Loopback),
        mtu,
        mac,
        stacking,
    })
}

/// Whether duplicate address detection is under way, or has failed (IPv6).
fn is_tentative(message: &AddressMessage) -> bool {
    let flags = message.attributes.iter().find_map(|attribute| match attribute {
        AddressAttribute::Flags(flags) => Some(*flags),
        _ => None,
    });
    let flags = flags.unwrap_or_else(AddressFlags::empty);
    flags.contains(AddressFlags::Tentative) && !flags.contains(AddressFlags::Optimistic)
}

/// The address described.
pub(super) fn address(message: &AddressMessage) -> Option<Address> {
    let (mut local, mut remote, mut broadcast, mut label, mut protocol) = (None, None, None, None, 0);
    let mut valid = None;
    for attribute in &message.attributes {
        match attribute {
            AddressAttribute::Local(ip) => local = Some(*ip),
            AddressAttribute::Address(ip) => remote = Some(*ip),
            AddressAttribute::Broadcast(ip) => broadcast = Some(*ip),
            AddressAttribute::Label(text) => label = Some(text.clone()),
            AddressAttribute::Protocol(number) => protocol = u8::from(*number),
            AddressAttribute::CacheInfo(times) if times.ifa_valid != FOREVER => {
                valid = Some(Duration::from_secs(times.ifa_valid.into()));
            }
            _ => {}
        }
    }
    // IFA_ADDRESS is the other end; without one it repeats the address (IPv4) or is the only one (IPv6).
    let ip = local.or(remote)?;
    Some(Address {
        link: IfIndex(message.header.index),
        cidr: Cidr::new(ip, message.header.prefix_len)?,
        peer: remote.filter(|remote| *remote != ip),
        broadcast,
        label,
        scope: message.header.scope.into(),
        protocol,
        options: AddressOptions { valid, ..AddressOptions::default() },
    })
}

/// The message that adds `address`.
pub(super) fn add(address: &Address) -> AddressMessage {
    let mut message = identify(address);
    message.header.scope = address.scope.into();
    let flags = flags(address);
    if !flags.is_empty() {
        message.attributes.push(AddressAttribute::Flags(flags));
    }
    let AddressOptions { preferred, valid, .. } = address.options;
    if preferred.is_some() || valid.is_some() {
        message.attributes.push(AddressAttribute::CacheInfo(lifetimes(preferred, valid)));
    }
    message.attributes.extend(address.broadcast.map(AddressAttribute::Broadcast));
    message.attributes.extend(address.label.clone().map(AddressAttribute::Label));
    if address.protocol != 0 {
        // Linux before 5.18 skips it.
        message.attributes.push(AddressAttribute::Protocol(AddressProtocol::Other(address.protocol)));
    }
    message
}

/// A lifetime that does not end.
const FOREVER: u32 = u32::MAX;

/// For how long for new connections, and for how long at all: the kernel refuses more of the first than of the second.
fn lifetimes(preferred: Option<Duration>, valid: Option<Duration>) -> CacheInfo {
    let seconds =
        |time: Option<Duration>| time.and_then(|time| u32::try_from(time.as_secs()).ok()).unwrap_or(FOREVER);
    let mut lifetimes = CacheInfo::default();
    lifetimes.ifa_valid = seconds(valid);
    lifetimes.ifa_preferred = seconds(preferred).min(lifetimes.ifa_valid);
    lifetimes
}

/// How the kernel is to treat the address. Unless asked for there is no duplicate address detection: the virtual
/// router's election decides who has it, and detection would only delay it.
fn flags(address: &Address) -> AddressFlags {
    let (options, v6) = (&address.options, address.cidr.ip.is_ipv6());
    [
        (v6 && !options.dad, AddressFlags::Nodad),
        (v6 && options.home, AddressFlags::Homeaddress),
        (v6 && options.manage_temporary, AddressFlags::Managetempaddr),
        (options.no_prefix_route, AddressFlags::Noprefixroute),
        (options.autojoin, AddressFlags::Mcautojoin),
    ]
    .into_iter()
    .filter_map(|(wanted, flag)| wanted.then_some(flag))
    .collect()
}

/// The message that deletes `address`: only what identifies it, so that a label somebody changed does not save it.
pub(super) fn delete(address: &Address) -> AddressMessage {
    identify(address)
}

fn identify(address: &Address) -> AddressMessage {
    let ip = address.cidr.ip;
    let mut message = AddressMessage::default();
    message.header.family = match ip {
        IpAddr::V4(_) => AddressFamily::Inet,
        IpAddr::V6(_) => AddressFamily::Inet6,
    };
    message.header.prefix_len = address.cidr.prefix;
    message.header.index = address.link.0;
    message.attributes =
        vec![AddressAttribute::Local(ip), AddressAttribute::Address(address.peer.unwrap_or(ip))];
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(ip: &str, prefix: u8, peer: Option<&str>) -> Address {
        Address {
            link: IfIndex(7),
            cidr: Cidr { ip: ip.parse().unwrap(), prefix },
            peer: peer.map(|peer| peer.parse().unwrap()),
            broadcast: None,
            label: None,
            scope: 253,
            protocol: Address::PROTO_KEEPALIVED,
            options: AddressOptions::default(),
        }
    }

    #[test]
    fn options_become_flags_and_lifetimes() {
        let mut address = sample("2001:db8::9", 128, None);
        let attributes = |address: &Address| add(address).attributes;
        let has = |address: &Address, flags| attributes(address).contains(&AddressAttribute::Flags(flags));
        assert!(has(&address, AddressFlags::Nodad));
        let times = |address: &Address| {
            attributes(address).into_iter().find_map(|attribute| match attribute {
                AddressAttribute::CacheInfo(times) => Some((times.ifa_preferred, times.ifa_valid)),
                _ => None,
            })
        };
        assert_eq!(times(&address), None);
        address.options.preferred = Some(Duration::ZERO);
        assert_eq!(times(&address), Some((0, FOREVER)));
        address.options.preferred = None;
        address.options.valid = Some(Duration::from_secs(2));
        assert_eq!(times(&address), Some((2, 2)));
        address.options =
            AddressOptions { dad: true, home: true, no_prefix_route: true, ..AddressOptions::default() };
        assert!(has(&address, AddressFlags::Homeaddress | AddressFlags::Noprefixroute));
        address.options = AddressOptions { dad: true, ..AddressOptions::default() };
        assert!(!attributes(&address).iter().any(|a| matches!(a, AddressAttribute::Flags(_))));
    }

    #[test]
    fn an_address_survives_the_way_there_and_back() {
        let with_label = Address {
            broadcast: Some([192, 0, 2, 255].into()),
            label: Some("eth0:1".to_owned()),
            ..sample("192.0.2.9", 24, None)
        };
        let mut lent = sample("192.0.2.8", 24, None);
        lent.options.valid = Some(Duration::from_secs(2));
        let addresses =
            [with_label, lent, sample("192.0.2.9", 32, Some("192.0.2.10")), sample("2001:db8::9", 64, None)];
        for sent in addresses {
            assert_eq!(address(&add(&sent)), Some(sent));
        }
    }

    #[test]
    fn a_deletion_names_neither_label_nor_broadcast() {
        let mut labelled = sample("192.0.2.9", 24, None);
        labelled.label = Some("eth0:1".to_owned());
        let bare = Address { label: None, scope: 0, protocol: 0, ..labelled.clone() };
        assert_eq!(address(&delete(&labelled)), Some(bare));
    }

    #[test]
    fn an_address_counts_when_nobody_else_has_it() {
        let reported = |flags| {
            let mut message = add(&sample("fe80::1", 64, None));
            message.attributes.push(AddressAttribute::Flags(flags));
            message.attributes.retain(|a| *a != AddressAttribute::Flags(AddressFlags::Nodad));
            event(&Message::from(RouteNetlinkMessage::NewAddress(message))).is_some()
        };
        assert!(reported(AddressFlags::Permanent));
        assert!(!reported(AddressFlags::Permanent | AddressFlags::Tentative));
        assert!(reported(AddressFlags::Tentative | AddressFlags::Optimistic));
        assert!(!reported(AddressFlags::Tentative | AddressFlags::Dadfailed));
    }

    #[test]
    fn leaving_a_bridge_is_not_the_end_of_a_link() {
        let mut message = LinkMessage::default();
        message.header.index = 3;
        let gone =
            |message: &LinkMessage| event(&Message::from(RouteNetlinkMessage::DelLink(message.clone())));
        assert_eq!(gone(&message), Some(KernelEvent::LinkGone { index: IfIndex(3), moved: false }));
        message.header.interface_family = AddressFamily::Bridge;
        assert_eq!(gone(&message), None);
    }

    #[test]
    fn only_an_ethernet_address_is_a_mac() {
        let mut message = LinkMessage::default();
        message.header.link_layer_type = LinkLayerType::Ether;
        message.attributes =
            vec![LinkAttribute::IfName("eth0".to_owned()), LinkAttribute::Address(vec![2, 0, 0, 0, 0, 1])];
        assert_eq!(link(&message).unwrap().mac, Some(MacAddr([2, 0, 0, 0, 0, 1])));
        message.header.link_layer_type = LinkLayerType::Ipgre;
        assert_eq!(link(&message).unwrap().mac, None);
    }
}
