//! Routes ⇄ messages of rtnetlink.

use std::net::IpAddr;

use netlink_packet_core::{DefaultNla, NLM_F_APPEND, NLM_F_EXCL};
use netlink_packet_route::AddressFamily;
use netlink_packet_route::route::{
    RouteAddress, RouteAttribute, RouteFlags, RouteMessage, RouteNextHop, RouteVia,
};

use super::attribute::{self, Attribute};
use crate::base::{Cidr, Family, IfIndex};
use crate::host::route::{Encap, Hop, IpEncap, MetricKind, Route, RouteOptions, RouteOrder};

const RTA_DST: u16 = 1;
const RTA_SRC: u16 = 2;
const RTA_OIF: u16 = 4;
const RTA_GATEWAY: u16 = 5;
const RTA_PRIORITY: u16 = 6;
const RTA_PREFSRC: u16 = 7;
const RTA_METRICS: u16 = 8;
const RTA_MULTIPATH: u16 = 9;
const RTA_FLOW: u16 = 11;
const RTA_TABLE: u16 = 15;
const RTA_VIA: u16 = 18;
const RTA_PREF: u16 = 20;
const RTA_ENCAP_TYPE: u16 = 21;
const RTA_ENCAP: u16 = 22;
const RTA_EXPIRES: u16 = 23;
const RTA_TTL_PROPAGATE: u16 = 26;

const RTAX_LOCK: u16 = 1;
const RTAX_CC_ALGO: u16 = 16;

/// `RTNH_F_ONLINK`, also in the header's flags.
const ONLINK: u8 = 4;
/// Any scope, of a route to be deleted.
const SCOPE_NOWHERE: u8 = 255;

/// Flags of the message that adds `route`, besides those of every such message.
pub(super) fn flags(route: &Route) -> u16 {
    match route.options.order {
        RouteOrder::Add => NLM_F_EXCL,
        RouteOrder::Append => NLM_F_APPEND,
        RouteOrder::Prepend => 0,
    }
}

/// The message that adds `route`.
pub(super) fn add(route: &Route) -> RouteMessage {
    let mut message = identify(route);
    message.header.scope = route.scope.unwrap_or(0).into();
    let options = &route.options;
    let mut attributes = hop_extras(&route.hop);
    attributes.extend(metrics(options));
    attributes.extend(options.pref.map(|pref| attribute::byte(RTA_PREF, pref)));
    let seconds = options.expires.map(|time| u32::try_from(time.as_secs()).unwrap_or(u32::MAX));
    attributes.extend(seconds.map(|seconds| attribute::word(RTA_EXPIRES, seconds)));
    attributes.extend(options.ttl_propagate.map(|on| attribute::byte(RTA_TTL_PROPAGATE, on.into())));
    push(&mut message, attributes);
    message
}

/// The message that deletes `route`, provided that its protocol is still the same.
pub(super) fn delete(route: &Route) -> RouteMessage {
    let mut message = identify(route);
    message.header.scope = route.scope.unwrap_or(SCOPE_NOWHERE).into();
    message
}

/// What tells the route from others.
fn identify(route: &Route) -> RouteMessage {
    let mut message = RouteMessage::default();
    let header = &mut message.header;
    header.address_family = match route.family {
        Family::V4 => AddressFamily::Inet,
        Family::V6 => AddressFamily::Inet6,
    };
    header.destination_prefix_length = route.destination.prefix;
    header.source_prefix_length = route.from.map_or(0, |from| from.prefix);
    header.tos = route.tos;
    header.protocol = route.protocol.into();
    header.kind = route.kind.into();
    let mut attributes = Vec::new();
    // The header has room for one byte.
    match u8::try_from(route.table) {
        Ok(table) => header.table = table,
        Err(_) => attributes.push(attribute::word(RTA_TABLE, route.table)),
    }
    if route.hop.onlink {
        header.flags = RouteFlags::from_bits_retain(ONLINK.into());
    }
    attributes.push(attribute::address(RTA_DST, route.destination.ip));
    attributes.extend(route.from.map(|from| attribute::address(RTA_SRC, from.ip)));
    attributes.extend(route.source.map(|ip| attribute::address(RTA_PREFSRC, ip)));
    attributes.extend(route.metric.map(|metric| attribute::word(RTA_PRIORITY, metric)));
    attributes.extend(gateway(route.family, &route.hop));
    attributes.extend(route.hop.link.map(|link| attribute::word(RTA_OIF, link.0)));
    if !route.nexthops.is_empty() {
        let hops = route.nexthops.iter().flat_map(|hop| nexthop(route.family, hop)).collect();
        attributes.push((RTA_MULTIPATH, hops));
    }
    push(&mut message, attributes);
    message
}

fn push(message: &mut RouteMessage, attributes: Vec<Attribute>) {
    let other = |(kind, value)| RouteAttribute::Other(DefaultNla::new(kind, value));
    message.attributes.extend(attributes.into_iter().map(other));
}

/// The next router. One of the other family has a form of its own: its family (2 bytes), then its address.
fn gateway(family: Family, hop: &Hop) -> Option<Attribute> {
    let ip = hop.via?;
    if Family::of(ip) == family {
        return Some(attribute::address(RTA_GATEWAY, ip));
    }
    let number = u16::from(u8::from(if ip.is_ipv4() { AddressFamily::Inet } else { AddressFamily::Inet6 }));
    let (_, address) = attribute::address(RTA_VIA, ip);
    Some((RTA_VIA, number.to_ne_bytes().into_iter().chain(address).collect()))
}

/// `struct rtnexthop`: length (2 bytes), flags, weight - 1, interface (4); then attributes.
fn nexthop(family: Family, hop: &Hop) -> Vec<u8> {
    let mut attributes: Vec<Attribute> = gateway(family, hop).into_iter().collect();
    attributes.extend(hop_extras(hop));
    let attributes = attribute::bytes(&attributes);
    let mut bytes = Vec::with_capacity(8 + attributes.len());
    // As short as its few attributes.
    bytes.extend((8 + attributes.len() as u16).to_ne_bytes());
    bytes.push(if hop.onlink { ONLINK } else { 0 });
    bytes.push(u8::try_from(hop.weight.saturating_sub(1)).unwrap_or(u8::MAX));
    bytes.extend(hop.link.map_or(0, |link| link.0).to_ne_bytes());
    bytes.extend(attributes);
    bytes
}

/// Realms and encapsulation of a way.
fn hop_extras(hop: &Hop) -> Vec<Attribute> {
    let realms = hop.realms.map(|r| u32::from(r.from) << 16 | u32::from(r.to));
    let mut attributes: Vec<Attribute> =
        realms.map(|realms| attribute::word(RTA_FLOW, realms)).into_iter().collect();
    if let Some(encap) = &hop.encap {
        let (number, parts) = encapsulation(encap);
        attributes.push(attribute::nested(RTA_ENCAP, &parts));
        attributes.push(attribute::short(RTA_ENCAP_TYPE, number));
    }
    attributes
}

/// The number of an encapsulation (`LWTUNNEL_ENCAP_*`) and what belongs to it.
fn encapsulation(encap: &Encap) -> (u16, Vec<Attribute>) {
    match encap {
        Encap::Mpls(labels) => {
            // 20 bits of label; bit 8 marks the innermost one (RFC 3032 section 2.1).
            let last = labels.len().saturating_sub(1);
            let entry = |(n, label): (usize, &u32)| (label << 12 | u32::from(n == last) << 8).to_be_bytes();
            (1, vec![(1, labels.iter().enumerate().flat_map(entry).collect())])
        }
        Encap::Ip(ip) => {
            let number = match ip.family {
                Family::V4 => 2,
                Family::V6 => 4,
            };
            (number, ip_encapsulation(ip))
        }
        Encap::Ila(locator) => (3, vec![(1, locator.to_be_bytes().to_vec())]),
    }
}

fn ip_encapsulation(ip: &IpEncap) -> Vec<Attribute> {
    let parts = [
        ip.id.map(|id| (1, id.to_be_bytes().to_vec())),
        ip.destination.map(|ip| attribute::address(2, ip)),
        ip.source.map(|ip| attribute::address(3, ip)),
        ip.ttl.map(|ttl| attribute::byte(4, ttl)),
        ip.tos.map(|tos| attribute::byte(5, tos)),
        ip.flags.map(|flags| (6, flags.to_be_bytes().to_vec())),
    ];
    parts.into_iter().flatten().collect()
}

fn metrics(options: &RouteOptions) -> Option<Attribute> {
    let mut parts: Vec<Attribute> =
        options.metrics.iter().map(|metric| attribute::word(number(metric.kind), metric.value)).collect();
    parts.extend(options.congestion.iter().map(|(name, _)| attribute::text(RTAX_CC_ALGO, name)));
    let locked = options.metrics.iter().filter(|metric| metric.locked).map(|metric| number(metric.kind));
    let congestion = options.congestion.iter().filter(|(_, locked)| *locked).map(|_| RTAX_CC_ALGO);
    let locks = locked.chain(congestion).fold(0, |locks, number| locks | 1_u32 << number);
    if locks != 0 {
        parts.push(attribute::word(RTAX_LOCK, locks));
    }
    (!parts.is_empty()).then(|| attribute::nested(RTA_METRICS, &parts))
}

fn number(kind: MetricKind) -> u16 {
    kind as u16
}

/// The route described, as far as it tells routes apart; `None`: of another family, or one the kernel cloned for a
/// single destination.
pub(super) fn parse(message: &RouteMessage) -> Option<Route> {
    let header = &message.header;
    let family = match header.address_family {
        AddressFamily::Inet => Family::V4,
        AddressFamily::Inet6 => Family::V6,
        _ => return None,
    };
    if header.flags.contains(RouteFlags::Cloned) {
        return None;
    }
    let everywhere = match family {
        Family::V4 => IpAddr::from([0; 4]),
        Family::V6 => IpAddr::from([0; 16]),
    };
    let (mut destination, mut from) = (everywhere, None);
    let mut route = Route {
        family,
        table: header.table.into(),
        destination: Cidr { ip: everywhere, prefix: 0 },
        from: None,
        tos: header.tos,
        metric: None,
        kind: header.kind.into(),
        protocol: header.protocol.into(),
        scope: Some(header.scope.into()),
        source: None,
        hop: Hop::default(),
        nexthops: Vec::new(),
        options: RouteOptions::default(),
    };
    for attribute in &message.attributes {
        match attribute {
            RouteAttribute::Destination(address) => destination = ip(address)?,
            RouteAttribute::Source(address) => from = ip(address),
            RouteAttribute::PrefSource(address) => route.source = ip(address),
            RouteAttribute::Table(table) => route.table = *table,
            RouteAttribute::Priority(metric) => route.metric = Some(*metric),
            RouteAttribute::Oif(index) => route.hop.link = Some(IfIndex(*index)),
            RouteAttribute::MultiPath(hops) => route.nexthops = hops.iter().map(parse_hop).collect(),
            other => route.hop.via = router(other).or(route.hop.via),
        }
    }
    route.destination = Cidr::new(destination, header.destination_prefix_length)?;
    route.from = from.and_then(|ip| Cidr::new(ip, header.source_prefix_length));
    Some(route)
}

fn parse_hop(hop: &RouteNextHop) -> Hop {
    Hop {
        via: hop.attributes.iter().find_map(router),
        link: Some(IfIndex(hop.interface_index)),
        weight: u16::from(hop.hops) + 1,
        ..Hop::default()
    }
}

/// The next router, if this attribute tells it.
fn router(attribute: &RouteAttribute) -> Option<IpAddr> {
    match attribute {
        RouteAttribute::Gateway(address) => ip(address),
        RouteAttribute::Via(RouteVia::Inet(ip)) => Some((*ip).into()),
        RouteAttribute::Via(RouteVia::Inet6(ip)) => Some((*ip).into()),
        _ => None,
    }
}

fn ip(address: &RouteAddress) -> Option<IpAddr> {
    match address {
        RouteAddress::Inet(ip) => Some((*ip).into()),
        RouteAddress::Inet6(ip) => Some((*ip).into()),
        _ => None,
    }
}
