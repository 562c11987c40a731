//! `virtual_server_group`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::super::Build;
use super::server::family;
use crate::base::{Cidr, Family};
use crate::config::diagnostic::{Class, Severity};
use crate::config::grammar;
use crate::config::model::lvs::{GroupEntry, ServerGroup};
use crate::config::tree::Stmt;

pub(crate) fn block(b: &mut Build<'_>, stmt: &Stmt) {
    let name = stmt.word(1).unwrap_or_default().to_owned();
    if stmt.len() > 2 {
        let text = format!("virtual_server_group {name} must have one name - ignoring the others");
        b.report.error(&stmt.place(2), text);
    }
    let entries = stmt.body.iter().filter_map(|entry| line(b, entry)).collect();
    let group = ServerGroup { name, entries };
    let name = &group.name;
    if group.entries.is_empty() {
        let text = format!("virtual server group {name} has no entries - removing");
        b.report.error(&stmt.place(1), text);
        return;
    }
    let untold = group.entries.iter().any(|e| matches!(e, GroupEntry::Mark { family: None, .. }));
    if untold && group.has(Family::V4) && group.has(Family::V6) {
        let text = format!(
            "virtual server group {name} cannot have IPv4, IPv6 and fwmark without family - removing"
        );
        b.report.error(&stmt.place(1), text).hint("write inet or inet6 behind the mark");
        return;
    }
    if !b.lvs.groups.insert(name.clone()) {
        let text = format!("virtual_server_group '{name}' is there already; this one is never used");
        b.report.warning(&stmt.place(1), text);
        return;
    }
    b.config.lvs.groups.push(group);
}

fn line(b: &mut Build<'_>, entry: &Stmt) -> Option<GroupEntry> {
    if entry.word(0) == Some("fwmark") {
        return mark(b, entry);
    }
    let read = addresses(entry.word(0).unwrap_or_default()).and_then(|found| {
        let port = match entry.word(1).map(grammar::integer) {
            None => 0,
            Some((Some(port), "")) => u16::try_from(port).map_err(|_| Bad::Port)?,
            Some(_) => return Err(Bad::Port),
        };
        Ok(match found {
            Found::Range(first, last) => GroupEntry::Range { first, last, port },
            Found::Network(cidr) => GroupEntry::Network { cidr, port },
        })
    });
    let text = match read {
        Ok(entry) => return Some(entry),
        Err(Bad::Port) => "not a port",
        Err(Bad::Address) => "not an address",
        Err(Bad::Prefix) => "not a prefix length",
        Err(Bad::HostBits) => "address has bits beyond its prefix",
        Err(Bad::End) => "not the end of a range",
        Err(Bad::Backwards) => "the range does not end above its start",
    };
    let word = usize::from(text == "not a port");
    let written = entry.word(word).unwrap_or_default();
    b.report.error(&entry.place(word), format!("'{written}': {text} - skipping"));
    None
}

fn mark(b: &mut Build<'_>, entry: &Stmt) -> Option<GroupEntry> {
    let Some(word) = entry.word(1) else {
        let text = "fwmark is missing its number";
        b.report.at(&entry.line, Severity::Error, Class::Fatal, text).refuses(2);
        return None;
    };
    let number = match grammar::integer(word) {
        (Some(n), "") => u32::try_from(n).ok(),
        _ => None,
    };
    let Some(mark) = number else {
        let text = format!("fwmark '{word}' must be a number from 0 to {} - ignoring", u32::MAX);
        b.report.error(&entry.place(1), text);
        return None;
    };
    let family = match entry.word(2) {
        None => None,
        Some(word) => match family(word) {
            Some(family) => Some(family),
            None => {
                let text = format!("fwmark '{mark}' family {word} unknown - ignoring");
                b.report.error(&entry.place(2), text).hint("inet or inet6");
                return None;
            }
        },
    };
    Some(GroupEntry::Mark { mark, family })
}

/// The addresses of an entry.
enum Found {
    Range(IpAddr, IpAddr),
    Network(Cidr),
}

/// What is wrong with an entry.
enum Bad {
    Port,
    Address,
    Prefix,
    HostBits,
    End,
    Backwards,
}

fn addresses(word: &str) -> Result<Found, Bad> {
    let ip = |text: &str| text.parse::<IpAddr>().map_err(|_| Bad::Address);
    if let Some((first, last)) = word.split_once('-') {
        let first = ip(first)?;
        let last = range_end(first, last).ok_or(Bad::End)?;
        return if last > first { Ok(Found::Range(first, last)) } else { Err(Bad::Backwards) };
    }
    if let Some((address, prefix)) = word.split_once('/') {
        let address = ip(address)?;
        let prefix = prefix.parse().ok().filter(|p| *p > 0).ok_or(Bad::Prefix)?;
        let cidr = Cidr::new(address, prefix).ok_or(Bad::Prefix)?;
        return if has_host_bits(cidr) { Err(Bad::HostBits) } else { Ok(Found::Network(cidr)) };
    }
    ip(word).map(|ip| Found::Range(ip, ip))
}

/// The end of a range: an address of the same family, or its last part (decimal byte, 16 bits in hex).
fn range_end(first: IpAddr, last: &str) -> Option<IpAddr> {
    if let Ok(ip) = last.parse::<IpAddr>() {
        return (Family::of(ip) == Family::of(first)).then_some(ip);
    }
    match first {
        IpAddr::V4(first) => {
            let [a, b, c, _] = first.octets();
            last.parse().ok().map(|d| Ipv4Addr::new(a, b, c, d).into())
        }
        IpAddr::V6(first) => {
            let last = u16::from_str_radix(last, 16).ok()?;
            let bits = first.to_bits() & !0xffff | u128::from(last);
            Some(Ipv6Addr::from_bits(bits).into())
        }
    }
}

fn has_host_bits(cidr: Cidr) -> bool {
    let host = |bits: u32| 1_u128.checked_shl(bits).map_or(u128::MAX, |n| n - 1);
    let hosts = host(u32::from(Family::of(cidr.ip).bits() - cidr.prefix));
    match cidr.ip {
        IpAddr::V4(ip) => u128::from(ip.to_bits()) & hosts != 0,
        IpAddr::V6(ip) => ip.to_bits() & hosts != 0,
    }
}
