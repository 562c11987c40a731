//! Keywords of unicast adverts, and the addresses adverts come from and go to.

use std::net::IpAddr;

use super::super::grammar;
use super::super::model::{OldChecksum, UnicastPeer};
use super::super::tree::Stmt;
use super::instance::set;
use super::{Build, Once};
use crate::base::Family;

/// Notes the family of an address of the instance being read; `false`, and says so, if it is another one.
pub(super) fn same_family(b: &mut Build<'_>, stmt: &Stmt, n: usize, ip: IpAddr) -> bool {
    let Some(draft) = &mut b.instance else { return false };
    let family = *draft.family.get_or_insert(Family::of(ip));
    let same = family == Family::of(ip);
    if !same {
        b.report.error(&stmt.place(n), format!("{ip} is not of the instance's address family - ignoring"));
    }
    same
}

pub(crate) fn peers(b: &mut Build<'_>, stmt: &Stmt) {
    for entry in &stmt.body {
        let Some(word) = entry.word(0) else { continue };
        // Stock cuts off everything from the first '-' or '/' on.
        let address = word.split(['-', '/']).next().unwrap_or_default();
        let Some((ip, _)) = grammar::address(address) else {
            b.report
                .error(&entry.place(0), format!("'{word}' is not the address of a peer - dropping the line"));
            continue;
        };
        if !same_family(b, entry, 0, ip) {
            continue;
        }
        let mut peer = UnicastPeer { address: ip, min_ttl: 0, max_ttl: 255 };
        ttls(b, entry, &mut peer);
        if !b.is_new(Once::Peer(ip)) {
            // Stock 2.2.7 keeps it, later ones count an error.
            b.report.warning(&entry.place(0), format!("peer {ip} is given twice - ignoring the second one"));
        } else if let Some(draft) = &mut b.instance {
            draft.instance.peers.push(peer);
        }
    }
}

/// `[min_ttl N] [max_ttl N]`.
fn ttls(b: &mut Build<'_>, entry: &Stmt, peer: &mut UnicastPeer) {
    let mut n = 1;
    while let Some(keyword) = entry.word(n) {
        let slot = match keyword {
            "min_ttl" => &mut peer.min_ttl,
            "max_ttl" => &mut peer.max_ttl,
            _ => {
                let text = format!("Unknown word '{keyword}' behind a peer - ignoring the rest of the line");
                b.report.error(&entry.place(n), text).hint("min_ttl N and max_ttl N; one peer a line");
                break;
            }
        };
        let Some(word) = entry.word(n + 1) else {
            b.report.error(&entry.place(n), format!("{keyword} is missing a value - ignoring it"));
            break;
        };
        match grammar::integer(word) {
            (Some(ttl @ 0..=255), "") => *slot = u8::try_from(ttl).unwrap_or(*slot),
            _ => {
                let text = format!("'{keyword}' must be a number from 0 to 255, not '{word}'");
                b.report.error(&entry.place(n + 1), text);
            }
        }
        n += 2;
    }
    if peer.min_ttl > peer.max_ttl {
        let text =
            format!("min_ttl {} > max_ttl {} - all packets will be discarded", peer.min_ttl, peer.max_ttl);
        b.report.error(&entry.place(1), text);
    }
}

/// `unicast_src_ip` and `mcast_src_ip`.
pub(crate) fn source(b: &mut Build<'_>, stmt: &Stmt) {
    let Some(ip) = b.address(stmt) else { return };
    if same_family(b, stmt, 1, ip) {
        set(b, |i| i.source = Some(ip));
    }
}

pub(crate) fn v3_checksum_as_v2(b: &mut Build<'_>, stmt: &Stmt) {
    if let Some(on) = b.boolean(stmt) {
        set(b, |i| i.v3_checksum_as_v2 = Some(on));
    }
}

pub(crate) fn mcast_dst_ip(b: &mut Build<'_>, stmt: &Stmt) {
    let Some(ip) = b.address(stmt) else { return };
    if !same_family(b, stmt, 1, ip) {
        return;
    }
    let good = match ip {
        IpAddr::V4(ip) => ip.is_multicast(),
        IpAddr::V6(ip) => is_link_local_group(ip),
    };
    if good {
        set(b, |i| i.mcast_dst_ip = Some(ip));
    } else {
        let text = format!("mcast_dst_ip {ip} is not a (link-local) multicast address - ignoring");
        b.report.error(&stmt.place(1), text).hint("224.0.0.0 to 239.255.255.255, or ff02::/16");
    }
}

/// Whether this is a multicast address of link-local scope (RFC 4291 section 2.7).
pub(super) const fn is_link_local_group(ip: std::net::Ipv6Addr) -> bool {
    ip.is_multicast() && ip.segments()[0] & 0xf == 2
}

pub(crate) fn ttl(b: &mut Build<'_>, stmt: &Stmt) {
    let ttl = b.number(stmt);
    set(b, |i| super::put(ttl, &mut i.unicast_ttl));
}

pub(crate) fn old_checksum(b: &mut Build<'_>, stmt: &Stmt) {
    let old = match stmt.word(1) {
        None => OldChecksum::Always,
        Some("never") => OldChecksum::Never,
        Some(word) => {
            let text = format!("Unknown old_unicast_checksum mode {word} - ignoring");
            b.report.error(&stmt.place(1), text).hint("never, or nothing");
            return;
        }
    };
    set(b, |i| i.old_unicast_checksum = Some(old));
}

pub(crate) fn native_ipv6(b: &mut Build<'_>, stmt: &Stmt) {
    let Some(draft) = &mut b.instance else { return };
    if draft.family == Some(Family::V4) {
        b.report.error(&stmt.line, "Cannot specify native_ipv6 with IPv4 addresses - ignoring");
        return;
    }
    draft.family = Some(Family::V6);
}
