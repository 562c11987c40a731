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
        // The kernel takes them in network order; stock sends them in the machine's, and so do we.
        ip.flags.map(|flags| attribute::short(6, flags)),
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

#[cfg(test)]
mod tests {
    use netlink_packet_core::{Emitable, Parseable};

    use super::*;
    use crate::host::route::{Metric, Realms};

    /// Through the bytes, as the kernel would send them.
    fn back(message: &RouteMessage) -> Route {
        let mut bytes = vec![0xa5; message.buffer_len()];
        message.emit(&mut bytes);
        parse(&RouteMessage::parse(&bytes).unwrap()).unwrap()
    }

    fn sample() -> Route {
        Route {
            family: Family::V4,
            table: 1000,
            destination: Cidr { ip: [198, 51, 100, 0].into(), prefix: 24 },
            from: None,
            tos: 0x10,
            metric: Some(7),
            kind: 1,
            protocol: 18,
            scope: Some(0),
            source: Some([192, 0, 2, 1].into()),
            hop: Hop { via: Some([192, 0, 2, 9].into()), link: Some(IfIndex(3)), ..Hop::default() },
            nexthops: vec![],
            options: RouteOptions::default(),
        }
    }

    #[test]
    fn what_tells_routes_apart_survives_the_way_there_and_back() {
        let ways = [2, 3].map(|n| Hop {
            via: Some([192, 0, 2, n].into()),
            link: Some(IfIndex(n.into())),
            weight: u16::from(n),
            ..Hop::default()
        });
        let v6 = Route {
            family: Family::V6,
            destination: Cidr { ip: "2001:db8::".parse().unwrap(), prefix: 32 },
            from: Cidr::new("2001:db8:1::".parse().unwrap(), 48),
            tos: 0,
            source: None,
            hop: Hop { via: "2001:db8::9".parse().ok(), ..Hop::default() },
            ..sample()
        };
        let other_family = Hop { via: "fe80::1".parse().ok(), ..sample().hop };
        let routes = [
            sample(),
            Route { table: 254, hop: Hop::default(), nexthops: ways.to_vec(), ..sample() },
            Route { hop: other_family, ..sample() },
            v6,
        ];
        for route in routes {
            assert_eq!(back(&add(&route)), route);
            assert!(back(&delete(&route)).is_same(&route));
        }
    }

    #[test]
    fn options_and_locks() {
        let mut route = sample();
        route.hop.realms = Some(Realms { from: 3, to: 4 });
        route.hop.encap = Some(Encap::Mpls(vec![16, 17]));
        route.options.metrics = vec![Metric { kind: MetricKind::Mtu, value: 1400, locked: true }];
        route.options.congestion = Some(("reno".to_owned(), true));
        let find = |wanted: u16| {
            let message = add(&route);
            message.attributes.iter().find_map(|attribute| match attribute {
                RouteAttribute::Other(nla) if netlink_packet_core::Nla::kind(nla) == wanted => {
                    let mut value = vec![0; netlink_packet_core::Nla::value_len(nla)];
                    netlink_packet_core::Nla::emit_value(nla, &mut value);
                    Some(value)
                }
                _ => None,
            })
        };
        assert_eq!(find(RTA_FLOW), Some(0x3_0004_u32.to_ne_bytes().to_vec()));
        let labels = [0x00, 0x01, 0x00, 0x00, 0x00, 0x01, 0x11, 0x00].to_vec();
        assert_eq!(find(RTA_ENCAP), Some(attribute::bytes(&[(1, labels)])));
        let lock = attribute::word(RTAX_LOCK, 1 << 2 | 1 << 16);
        let expected = [attribute::word(2, 1400), attribute::text(RTAX_CC_ALGO, "reno"), lock];
        assert_eq!(find(RTA_METRICS), Some(attribute::bytes(&expected)));
    }
}
