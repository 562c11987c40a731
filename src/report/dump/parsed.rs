//! What was read and does not run yet: BFD sessions, virtual servers.

use std::fmt::Display;
use std::time::Duration;

use super::view::{command, seconds};
use crate::config::model::checkers::{Check, Checker};
use crate::config::model::lvs::{
    Forwarding, GroupEntry, Protocol, RealServer, ServerGroup, Service, Tunnel, VirtualServer,
};
use crate::config::model::{BfdInstance, Config};

/// The sections.
pub(super) fn sections(config: &Config, out: &mut Vec<String>) {
    section(out, "BFD Topology", &config.bfd, bfd);
    section(out, "Virtual server groups", &config.lvs.groups, group);
    section(out, "LVS Topology", &config.lvs.servers, server);
}

/// An attribute.
fn put(out: &mut Vec<String>, key: &str, value: impl Display) {
    out.push(format!("   {key} = {value}"));
}

/// A section, unless it is empty.
fn section<T>(out: &mut Vec<String>, title: &str, items: &[T], each: impl Fn(&T, &mut Vec<String>)) {
    if !items.is_empty() {
        out.push(format!("------< {title} >------"));
        items.iter().for_each(|item| each(item, out));
    }
}

fn bfd(session: &BfdInstance, out: &mut Vec<String>) {
    let micros = |time: Option<Duration>, default: u64| {
        format!("{} us", time.map_or(default.into(), |t| t.as_micros()))
    };
    let yes = |on| if on { "Yes" } else { "No" };
    out.push(format!(" BFD Instance = {}", session.name));
    put(out, "Neighbor IP", session.neighbor);
    if let Some(source) = session.source {
        put(out, "Source IP", source);
    }
    put(out, "Required min RX interval", micros(session.min_rx, 10_000));
    put(out, "Desired min TX interval", micros(session.min_tx, 10_000));
    put(out, "Desired idle TX interval", micros(session.idle_tx, 1_000_000));
    put(out, "Detection multiplier", session.multiplier.unwrap_or(5));
    let ipv6 = session.neighbor.is_ipv6();
    let hops = session.ttl.unwrap_or(if ipv6 { 64 } else { 255 });
    put(out, if ipv6 { "hoplimit" } else { "TTL" }, hops);
    put(out, "max_hops", session.max_hops.unwrap_or(0));
    put(out, "passive", session.passive);
    put(out, "send event to VRRP process", yes(session.for_vrrp));
    put(out, "send event to checker process", yes(session.for_checker));
}

fn group(group: &ServerGroup, out: &mut Vec<String>) {
    out.push(format!(" Virtual Server Group = {}", group.name));
    out.extend(group.entries.iter().map(|entry| match entry {
        GroupEntry::Range { first, last, port } if first == last => format!("     {first}, VPORT = {port}"),
        GroupEntry::Range { first, last, port } => format!("     {first}-{last}, VPORT = {port}"),
        GroupEntry::Network { cidr, port } => format!("     {cidr}, VPORT = {port}"),
        GroupEntry::Mark { mark, .. } => format!("     FWMARK = {mark}"),
    }));
}

fn server(server: &VirtualServer, out: &mut Vec<String>) {
    out.push(" ------< Virtual server >------".to_owned());
    out.push(match &server.service {
        Service::Address { ip, port } => format!("   VS VIP = {ip}, VPORT = {port}"),
        Service::Mark(mark) => format!("   VS FWMARK = {mark}"),
        Service::Group(name) => format!("   VS GROUP = {name}"),
    });
    if let Some(delay) = server.timing.delay_loop {
        put(out, "delay_loop", seconds(delay));
    }
    if let Some(scheduler) = server.scheduler {
        put(out, "lvs_sched", scheduler.name());
    }
    if let Some(timeout) = server.persistence_timeout {
        put(out, "persistence timeout", seconds(timeout));
    }
    if let Some(protocol) = server.protocol {
        let name = match protocol {
            Protocol::Tcp => "TCP",
            Protocol::Udp => "UDP",
            Protocol::Sctp => "SCTP",
        };
        put(out, "protocol", name);
    }
    out.push(format!("   alpha is {}", if server.alpha { "ON" } else { "OFF" }));
    out.push(format!("   omega is {}", if server.omega { "ON" } else { "OFF" }));
    out.push(format!("   Inhibit on failure is {}", if server.inhibit_on_failure { "ON" } else { "OFF" }));
    let (quorum, hysteresis) = (server.quorum.unwrap_or(1), server.hysteresis.unwrap_or(0));
    out.push(format!("   quorum = {quorum}, hysteresis = {hysteresis}"));
    for (name, script) in [("up", &server.quorum_up), ("down", &server.quorum_down)] {
        if let Some(script) = script {
            out.push(format!("   Quorum {name} notify script = {}", command(script)));
        }
    }
    if let Some(method) = server.forwarding {
        put(out, "default forwarding method", forwarding(method));
    }
    if let Some(sorry) = &server.sorry {
        out.push(format!("   sorry server = {}, RPORT = {}", sorry.ip, sorry.port));
    }
    for server in &server.real_servers {
        real(server, out);
    }
}

fn real(server: &RealServer, out: &mut Vec<String>) {
    out.push("   ------< Real server >------".to_owned());
    let RealServer { ip, port, .. } = server;
    out.push(format!("   RIP = {ip}, RPORT = {port}, WEIGHT = {}", server.weight.unwrap_or(1)));
    if let Some(method) = server.forwarding {
        put(out, "forwarding method", forwarding(method));
    }
    for (name, script) in [("up", &server.notify_up), ("down", &server.notify_down)] {
        if let Some(script) = script {
            out.push(format!("   RS {name} notify script = {}", command(script)));
        }
    }
    out.extend(server.checkers.iter().map(|checker| format!("     {}", method(checker))));
}

fn method(checker: &Checker) -> String {
    let name = match &checker.check {
        Check::Tcp => "TCP_CHECK",
        Check::Ping => "PING_CHECK",
        Check::Udp(_) => "UDP_CHECK",
        Check::Smtp { .. } => "SMTP_CHECK",
        Check::Http(http) if http.tls => "SSL_GET",
        Check::Http(_) => "HTTP_GET",
        Check::Dns { .. } => "DNS_CHECK",
        Check::Misc(_) => "MISC_CHECK",
        Check::File { file, .. } => return format!("Keepalive method = FILE_CHECK, file {file}"),
        Check::Bfd { name } => return format!("Keepalive method = BFD_CHECK, session {name}"),
    };
    format!("Keepalive method = {name}")
}

const fn forwarding(method: Forwarding) -> &'static str {
    match method {
        Forwarding::Nat => "NAT",
        Forwarding::Direct => "DR",
        Forwarding::Tunnel(Tunnel::Ipip) => "TUN",
        Forwarding::Tunnel(Tunnel::Gue { .. }) => "TUN, type GUE",
        Forwarding::Tunnel(Tunnel::Gre { .. }) => "TUN, type GRE",
    }
}
