//! Addresses, routes and rules, one line each.

use std::fmt::Write as _;
use std::net::IpAddr;

use super::view::View;
use crate::base::{Cidr, Family, IfName};
use crate::config::model::{
    Encap, IpEncap, Metric, MetricKind, NextHop, PreferredLifetime, Realms, Route, RouteOrder, Rule,
    RuleAction, VirtualAddress,
};

/// `RTN_UNICAST` and its kin (linux/rtnetlink.h) by the names that ip-route(8) uses.
const KINDS: [(u8, &str); 10] = [
    (2, "local"),
    (3, "broadcast"),
    (4, "anycast"),
    (5, "multicast"),
    (6, "blackhole"),
    (7, "unreachable"),
    (8, "prohibit"),
    (9, "throw"),
    (10, "nat"),
    (11, "xresolve"),
];
/// `RTN_BLACKHOLE`: this kind and those behind it lead nowhere.
const FIRST_DEAD_END: u8 = 6;
/// `RT_TABLE_MAIN`.
const MAIN: u32 = 254;
/// Metrics in the order in which they are shown.
const METRICS: [MetricKind; 15] = [
    MetricKind::Rtt,
    MetricKind::RttVar,
    MetricKind::RtoMin,
    MetricKind::Features,
    MetricKind::Mtu,
    MetricKind::Window,
    MetricKind::SsThresh,
    MetricKind::Cwnd,
    MetricKind::AdvMss,
    MetricKind::Reordering,
    MetricKind::HopLimit,
    MetricKind::InitCwnd,
    MetricKind::InitRwnd,
    MetricKind::QuickAck,
    MetricKind::FastOpenNoCookie,
];
/// keepalived's own number of a routing protocol.
const OWN: u8 = 18;

/// A virtual or static address; `of`: the interface of its instance.
pub fn address(
    view: &View<'_>,
    address: &VirtualAddress,
    of: Option<&IfName>,
    group: Option<&str>,
) -> String {
    let dev = address.dev.as_ref().or(of);
    let mut text = match address.cidr.prefix == Family::of(address.cidr.ip).bits() {
        true => address.cidr.ip.to_string(),
        false => address.cidr.to_string(),
    };
    let mut add = |word: &str, value: &str| {
        text.push(' ');
        text.push_str(word);
        if !value.is_empty() {
            text.push(' ');
            text.push_str(value);
        }
    };
    if let Some(broadcast) = address.broadcast {
        add("brd", &broadcast.to_string());
    }
    if let Some(dev) = dev {
        let base = view.base(dev).map(|base| format!("@{base}")).unwrap_or_default();
        add("dev", &format!("{dev}{base}"));
    }
    if address.pending.use_vmac {
        add("use_vmac", "");
    }
    add("scope", &scope(address.scope.unwrap_or(0)));
    if let Some(label) = &address.label {
        add("label", label);
    }
    if let Some(peer) = address.peer {
        add("peer", &peer.to_string());
    }
    let flags = &address.flags;
    let words = [
        ("home", flags.home),
        ("-nodad", flags.dad),
        ("mngtmpaddr", flags.manage_temporary),
        ("noprefixroute", flags.no_prefix_route),
        ("autojoin", flags.autojoin),
    ];
    for (word, _) in words.iter().filter(|(_, on)| *on) {
        add(word, "");
    }
    match flags.preferred {
        Some(PreferredLifetime::For(time)) if time.is_zero() => add("deprecated", ""),
        Some(PreferredLifetime::For(time)) => add("preferred_lft", &time.as_secs().to_string()),
        Some(PreferredLifetime::Forever) => add("preferred_lft", "forever"),
        // A host address is not to be chosen as a source; one with a network is.
        None if address.cidr.ip.is_ipv6() && address.cidr.prefix == 128 => add("deprecated", ""),
        None if address.cidr.ip.is_ipv6() => add("preferred_lft", "forever"),
        None => {}
    }
    if address.flags.no_track {
        add("no_track", "");
    }
    if let Some(group) = group {
        add("track_group", group);
    }
    if dev.is_some_and(|dev| view.is_set(dev, address.cidr)) {
        add("set", "");
    }
    text
}

/// The scopes that iproute2 has names for.
fn scope(number: u8) -> String {
    match number {
        0 => "global".to_owned(),
        200 => "site".to_owned(),
        253 => "link".to_owned(),
        254 => "host".to_owned(),
        255 => "nowhere".to_owned(),
        n => n.to_string(),
    }
}

/// A virtual or static route.
pub fn route(route: &Route) -> String {
    let mut out = Words::default();
    let dead_end = route.kind >= FIRST_DEAD_END;
    out.add(match route.order {
        _ if dead_end => "add",
        RouteOrder::Add => "add",
        RouteOrder::Prepend => "prepend",
        RouteOrder::Append => "append",
    });
    if let Some((_, kind)) = KINDS.iter().find(|(number, _)| *number == route.kind) {
        out.add(kind);
    }
    out.add(&match (route.destination, route.family) {
        (Some(destination), _) => network(destination),
        (None, Family::V4) => "0.0.0.0/0".to_owned(),
        (None, Family::V6) => "::/0".to_owned(),
    });
    out.option("from", route.from.map(network));
    out.option("src", route.source);
    if let Some(encap) = &route.encap {
        out.add(&self::encap(encap));
    }
    out.option("tos", route.tos);
    if let Some(via) = route.via {
        out.via(via);
    }
    out.option("dev", route.dev.as_ref());
    out.option("table", route.table.filter(|table| *table != MAIN));
    // What is not watched bears nobody's name unless one is written.
    let own = (route.tracked || dead_end).then_some(OWN);
    out.option("proto", route.protocol.or(own));
    out.option("scope", route.scope.filter(|scope| *scope != 0));
    out.option("metric", route.metric);
    if route.onlink {
        out.add("onlink");
    }
    if let Some(Realms { from, to }) = route.realms {
        out.add(&if from == 0 { format!("realm {to}") } else { format!("realms {from}/{to}") });
    }
    out.option("expires", route.expires.map(|time| format!("{}sec", time.as_secs())));
    out.option("congctl", route.congestion.as_ref().map(|(name, locked)| lock(*locked, name)));
    let mut metrics = route.metrics.clone();
    metrics.sort_by_key(|metric| METRICS.iter().position(|kind| *kind == metric.kind));
    for metric in metrics {
        out.add(&self::metric(metric));
    }
    out.option(
        "pref",
        route.pref.map(|pref| match pref {
            1 => "high",
            3 => "low",
            _ => "medium",
        }),
    );
    out.option("ttl-propagate", route.ttl_propagate.map(super::view::enabled));
    for hop in &route.nexthops {
        next_hop(hop, &mut out);
    }
    if !route.tracked || dead_end || !has_device(route) {
        out.add("no_track");
    }
    out.option("track_group", route.track_group.as_ref());
    out.0
}

/// Only what leaves by an interface that is known can be watched.
fn has_device(route: &Route) -> bool {
    route.dev.is_some()
}

fn next_hop(hop: &NextHop, out: &mut Words) {
    out.add("nexthop");
    if let Some(encap) = &hop.encap {
        out.add(&self::encap(encap));
    }
    if let Some(via) = hop.via {
        out.via(via);
    }
    out.option("dev", hop.dev.as_ref());
    out.option("weight", hop.weight);
    if hop.onlink {
        out.add("onlink");
    }
    out.option("realms", hop.realms.map(|r| format!("{}/{}", r.from, r.to)));
}

fn encap(encap: &Encap) -> String {
    let mut out = Words::default();
    out.add("encap");
    match encap {
        Encap::Ip(IpEncap { family, id, destination, source, tos, ttl, flags }) => {
            let v4 = *family == Family::V4;
            out.add(if v4 { "ip" } else { "ip6" });
            out.option("id", *id);
            out.option("dst", *destination);
            out.option("src", *source);
            out.option(if v4 { "tos" } else { "tc" }, *tos);
            out.option(if v4 { "ttl" } else { "hoplimit" }, *ttl);
            out.option("flags", flags.map(|flags| format!("{flags:#x}")));
        }
        Encap::Mpls(labels) => {
            let labels: Vec<_> = labels.iter().map(u32::to_string).collect();
            out.option("mpls", Some(labels.join("/")));
        }
        Encap::Ila(locator) => out.option("ila", Some(format!("{locator:#x}"))),
    }
    out.0
}

fn metric(Metric { kind, value, locked }: Metric) -> String {
    let (name, value) = match kind {
        MetricKind::Mtu => ("mtu", value.to_string()),
        MetricKind::Window => ("window", value.to_string()),
        MetricKind::Rtt => ("rtt", format!("{}ms", value / 8)),
        MetricKind::RttVar => ("rttvar", format!("{}ms", value / 4)),
        MetricKind::SsThresh => ("ssthresh", value.to_string()),
        MetricKind::Cwnd => ("cwnd", value.to_string()),
        MetricKind::AdvMss => ("advmss", value.to_string()),
        MetricKind::Reordering => ("reordering", value.to_string()),
        MetricKind::HopLimit => ("hoplimit", value.to_string()),
        MetricKind::InitCwnd => ("initcwnd", value.to_string()),
        MetricKind::Features => ("features", "ecn".to_owned()),
        MetricKind::RtoMin => ("rto_min", format!("{value}ms")),
        MetricKind::InitRwnd => ("initrwnd", value.to_string()),
        MetricKind::QuickAck => ("quickack", value.to_string()),
        MetricKind::FastOpenNoCookie => ("fastopen_no_cookie", value.to_string()),
    };
    format!("{name} {}", lock(locked, &value))
}

fn lock(locked: bool, value: &str) -> String {
    if locked { format!("lock {value}") } else { value.to_owned() }
}

/// A virtual or static rule, whose preference is `preference` unless it is written.
pub fn rule(rule: &Rule, preference: Option<u32>) -> String {
    let mut out = Words::default();
    if rule.inverted {
        out.add("not");
    }
    out.option("from", Some(rule.from.map_or("all".to_owned(), network)));
    out.option("to", rule.to.map(network));
    out.option("priority", rule.preference.or(preference));
    out.option("tos", Some(format!("{:#x}", rule.tos.unwrap_or(0))));
    out.option(
        "fwmark",
        rule.mark.map(|(mark, mask)| match mask {
            u32::MAX => format!("{mark:#x}"),
            mask => format!("{mark:#x}/{mask:#x}"),
        }),
    );
    out.option("iif", rule.iif.as_ref());
    out.option("oif", rule.oif.as_ref());
    out.option("suppress_prefixlen", rule.suppress_prefix);
    out.option("suppress_ifgroup", rule.suppress_group);
    out.option("tunnel-id", rule.tunnel);
    out.option("uidrange", rule.users.map(|(from, to)| format!("{from}-{to}")));
    if rule.action == RuleAction::L3mdev {
        out.add("l3mdev");
    }
    out.option("protocol", rule.protocol.or(rule.tracked.then_some(OWN)));
    out.option("ipproto", rule.ip_protocol);
    out.option("sport", rule.source_ports.map(|(from, to)| format!("{from}-{to}")));
    out.option("dport", rule.destination_ports.map(|(from, to)| format!("{from}-{to}")));
    out.option("realms", rule.realms.map(|r| format!("{}/{}", r.from, r.to)));
    out.add(&match rule.action {
        RuleAction::Table(table) => format!("lookup {table}"),
        RuleAction::Goto(target) => format!("goto {target}"),
        RuleAction::Nop => "nop".to_owned(),
        RuleAction::L3mdev => "lookup 0".to_owned(),
        RuleAction::Blackhole => "type blackhole".to_owned(),
        RuleAction::Unreachable => "type unreachable".to_owned(),
        RuleAction::Prohibit => "type prohibit".to_owned(),
    });
    if !rule.tracked {
        out.add("no_track");
    }
    out.option("track_group", rule.track_group.as_ref());
    out.0
}

/// A single address without its prefix.
fn network(cidr: Cidr) -> String {
    match cidr.prefix == Family::of(cidr.ip).bits() {
        true => cidr.ip.to_string(),
        false => cidr.to_string(),
    }
}

/// Words with blanks between them.
#[derive(Default)]
struct Words(String);

impl Words {
    fn add(&mut self, word: &str) {
        if !self.0.is_empty() {
            self.0.push(' ');
        }
        self.0.push_str(word);
    }

    fn option(&mut self, name: &str, value: Option<impl std::fmt::Display>) {
        if let Some(value) = value {
            self.add(name);
            // A String takes everything.
            let _ = write!(self.0, " {value}");
        }
    }

    fn via(&mut self, via: IpAddr) {
        self.option(if via.is_ipv4() { "via inet" } else { "via inet6" }, Some(via));
    }
}
