//! Address lines: `ADDRESS[/PREFIX] dev IF label NAME scope SCOPE brd ADDRESS peer ADDRESS`.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use super::super::grammar;
use super::super::model::{AddressFlags, PendingAddress, PreferredLifetime, VirtualAddress};
use super::super::names::NameTable;
use super::super::schema::{Kind, Table};
use super::super::tree::Stmt;
use super::Build;
use super::words::decimal;
use crate::base::{Cidr, Family};

/// Reads an address line of a list whose words are those of `table`; `None` if the line is to be dropped.
pub(crate) fn line(b: &mut Build<'_>, stmt: &Stmt, table: &'static Table) -> Option<VirtualAddress> {
    let mut found = VirtualAddress {
        cidr: cidr(b, stmt)?,
        dev: None,
        label: None,
        scope: None,
        broadcast: None,
        peer: None,
        flags: AddressFlags::default(),
        pending: PendingAddress::default(),
    };
    let mut brd = None;
    let mut n = 1;
    while let Some(word) = stmt.word(n) {
        let Some(row) = table.row(word) else {
            b.report.error(&stmt.place(n), format!("Unknown address keyword '{word}'"));
            n += 1;
            continue;
        };
        let value = match row.kind {
            Kind::Value(_) => {
                let Some(value) = stmt.word(n + 1) else {
                    let text = format!("'{word}' is missing its value - dropping the address");
                    b.report.error(&stmt.place(n), text);
                    return None;
                };
                value
            }
            _ => "",
        };
        if !row.in_effect {
            b.word_not_in_effect(table.name, row.name, &stmt.place(n));
        }
        match word {
            "dev" if found.dev.is_some() => {
                b.report.error(&stmt.place(n), "'dev' is given twice - dropping the address");
                return None;
            }
            "dev" => found.dev = Some(b.interface(stmt, n + 1, &format!("ip address {}", found.cidr))?),
            "label" if value.len() > 15 => {
                let text = format!("label '{value}' is longer than 15 bytes - dropping the address");
                b.report.error(&stmt.place(n + 1), text);
                return None;
            }
            "label" if found.cidr.ip.is_ipv6() => {
                b.report.error(&stmt.place(n), "IPv6 addresses have no label - ignoring it");
            }
            "label" => found.label = Some(value.to_owned()),
            "scope" => found.scope = scope(b, stmt, n + 1, found.cidr).or(found.scope),
            "brd" | "broadcast" => brd = Some((n + 1, broadcast(b, stmt, n + 1, found.cidr)?)),
            "peer" => peer(b, stmt, n + 1, &mut found),
            "preferred_lft" => {
                found.flags.preferred = preferred(b, stmt, n + 1).or(found.flags.preferred);
            }
            _ => flag(word, &mut found),
        }
        n += if matches!(row.kind, Kind::Value(_)) { 2 } else { 1 };
    }
    if let Some((n, brd)) = brd {
        set_broadcast(b, stmt, n, brd, &mut found);
    }
    Some(found)
}

/// The address a line begins with.
fn cidr(b: &mut Build<'_>, stmt: &Stmt) -> Option<Cidr> {
    let word = stmt.word(0)?;
    let Some((ip, prefix)) = grammar::address(word) else {
        b.report.error(&stmt.place(0), format!("'{word}' is not an address - dropping the line"));
        return None;
    };
    let Some(prefix) = prefix else { return Some(Cidr::host(ip)) };
    let (number, tail) = grammar::integer(prefix);
    let cidr = number.and_then(|p| u8::try_from(p).ok()).and_then(|p| Cidr::new(ip, p));
    if cidr.is_none() || !tail.is_empty() {
        let bits = Family::of(ip).bits();
        b.report.error(&stmt.place(0), format!("the prefix of '{word}' must be a number from 0 to {bits}"));
    }
    Some(cidr.unwrap_or(Cidr::host(ip)))
}

/// A scope by name or number.
fn scope(b: &mut Build<'_>, stmt: &Stmt, n: usize, cidr: Cidr) -> Option<u8> {
    if cidr.ip.is_ipv6() {
        b.report.error(&stmt.place(n), "the scope of an IPv6 address cannot be set - ignoring it");
        return None;
    }
    let word = stmt.word(n)?;
    let found = b.named(NameTable::Scopes, word).and_then(|n| u8::try_from(n).ok());
    if found.is_none() {
        let text = format!("Unknown scope '{word}' - ignoring it");
        let hint = "global, site, link, host, nowhere or a number from 0 to 255";
        b.report.error(&stmt.place(n), text).hint(hint);
    }
    found
}

/// One of the words that stand alone.
fn flag(word: &str, found: &mut VirtualAddress) {
    let (flags, pending) = (&mut found.flags, &mut found.pending);
    match word {
        "home" => flags.home = true,
        "-nodad" => flags.dad = true,
        "mngtmpaddr" => flags.manage_temporary = true,
        "noprefixroute" => flags.no_prefix_route = true,
        "autojoin" => flags.autojoin = true,
        "no_track" => flags.no_track = true,
        "use_vmac" => pending.use_vmac = true,
        // `track_group` is read by what knows of groups.
        _ => {}
    }
}

/// `preferred_lft forever|SECONDS`.
fn preferred(b: &mut Build<'_>, stmt: &Stmt, n: usize) -> Option<PreferredLifetime> {
    let word = stmt.word(n)?;
    if word == "forever" {
        return Some(PreferredLifetime::Forever);
    }
    let seconds = decimal(word).and_then(|s| u32::try_from(s).ok());
    if seconds.is_none() {
        let text = format!("preferred_lft {word} is invalid - ignoring it");
        b.report.error(&stmt.place(n), text).hint("forever, or a number of seconds");
    }
    seconds.map(|s| PreferredLifetime::For(Duration::from_secs(s.into())))
}

/// What `brd` may be followed by.
enum Broadcast {
    /// An address.
    Is(Ipv4Addr),
    /// `+`: all host bits set.
    Ones,
    /// `-`: all host bits clear.
    Zeros,
}

fn broadcast(b: &mut Build<'_>, stmt: &Stmt, n: usize, cidr: Cidr) -> Option<Broadcast> {
    let word = stmt.word(n)?;
    if cidr.ip.is_ipv6() {
        b.report.error(&stmt.place(n), "IPv6 has no broadcast address - dropping the address");
        return None;
    }
    match (word, word.parse()) {
        ("+", _) => Some(Broadcast::Ones),
        ("-", _) => Some(Broadcast::Zeros),
        (_, Ok(ip)) => Some(Broadcast::Is(ip)),
        (_, Err(_)) => {
            let text = format!("'{word}' is not a broadcast address - dropping the address");
            b.report.error(&stmt.place(n), text);
            None
        }
    }
}

/// Sets the broadcast address, which depends on the prefix and on there being no peer.
fn set_broadcast(b: &mut Build<'_>, stmt: &Stmt, n: usize, brd: Broadcast, found: &mut VirtualAddress) {
    if found.peer.is_some() {
        b.report.error(&stmt.place(n), "an address with a peer has no broadcast address - ignoring it");
        return;
    }
    let IpAddr::V4(ip) = found.cidr.ip else { return };
    let hosts = u32::MAX.checked_shr(found.cidr.prefix.into()).unwrap_or(0);
    let computed = match brd {
        Broadcast::Is(ip) => {
            found.broadcast = Some(ip);
            return;
        }
        Broadcast::Ones => u32::from(ip) | hosts,
        Broadcast::Zeros => u32::from(ip) & !hosts,
    };
    if found.cidr.prefix > 30 {
        b.report.error(&stmt.place(n), "there is no broadcast address with a prefix above 30 - ignoring it");
    } else {
        found.broadcast = Some(computed.into());
    }
}

fn peer(b: &mut Build<'_>, stmt: &Stmt, n: usize, found: &mut VirtualAddress) {
    let Some(word) = stmt.word(n) else { return };
    if found.peer.is_some() {
        b.report.error(&stmt.place(n), "'peer' is given twice - ignoring the second one");
        return;
    }
    let cidr = match grammar::address(word) {
        Some((ip, None)) if Family::of(ip) == Family::of(found.cidr.ip) => Cidr::host(ip),
        _ => {
            b.report.error(
                &stmt.place(n),
                format!("'{word}' cannot be the peer of {} - ignoring it", found.cidr.ip),
            );
            return;
        }
    };
    if found.cidr.prefix != Family::of(found.cidr.ip).bits() {
        let text = format!("an address with a peer has no prefix of its own; {cidr} used");
        b.report.error(&stmt.place(0), text);
        found.cidr = Cidr::host(found.cidr.ip);
    }
    found.peer = Some(cidr);
}
