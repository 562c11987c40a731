//! The checks a received packet has to pass, in stock's order.

use std::net::IpAddr;
use std::time::Duration;

use super::auth::{Authentication, Doubt, Memory};
use super::event::Reject;
use super::params::{Delivery, Params};
use crate::base::{Family, Instant};
use crate::config::model::{HmacMode, Version};
use crate::wire::ip::VRRP_TTL;
use crate::wire::trailer::TRAILER_LEN;
use crate::wire::vrrp::{self, Cover, Header};

/// A packet for one virtual router, as the demux hands it over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    /// When it was read.
    pub at: Instant,
    /// Source of the IP header.
    pub source: IpAddr,
    /// Destination of the IP header.
    pub destination: IpAddr,
    /// TTL or hop limit of the IP header.
    pub ttl: u8,
    /// The wall clock at that time: since 1970.
    pub unix_time: Duration,
    /// Bytes of the IP header, and of the authentication header if there is one; 0 for IPv6, where it does not count.
    pub ip_header_len: usize,
    /// Total length by the IP header, counted likewise.
    pub ip_total_len: usize,
    /// The whole packet, if it has an authentication header.
    pub sealed: Option<Vec<u8>>,
    /// The VRRP PDU: everything behind those headers.
    pub pdu: Vec<u8>,
}

/// What an acceptable advert says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Advert {
    /// Who sent it.
    pub source: IpAddr,
    /// Its priority; 0: it resigns.
    pub priority: u8,
    /// The sender's interval.
    pub interval: Duration,
    /// Its checksum is that of very old routers: see [`UnicastChecksum`](super::params::UnicastChecksum).
    pub old_checksum: bool,
}

/// Judges `packet`. Oddities that do not make it unacceptable go to `odd`; with `known`, addresses are not compared.
/// `memory` is as it has to be from now on if the packet is accepted, and is not to be used if it is not.
///
/// # Errors
/// Why it is dropped.
pub fn check(
    params: &Params,
    packet: &Packet,
    known: bool,
    memory: &mut Memory,
    odd: &mut Vec<Reject>,
) -> Result<Advert, Reject> {
    let too_short = Reject::Length {
        received: packet.ip_header_len + packet.pdu.len(),
        expected: packet.ip_header_len + 8,
    };
    let header = Header::parse(&packet.pdu).map_err(|_| too_short)?;
    let uses_ah = matches!(params.authentication, Authentication::Ah(_));
    if packet.sealed.is_some() != uses_ah {
        return Err(Reject::AuthTypeMismatch(if uses_ah { header.auth_type() } else { vrrp::AUTH_AH }));
    }
    let (pdu, trailer) = check_length(params, packet, &header)?;
    if packet.ttl != VRRP_TTL && !params.delivery.is_unicast() {
        return Err(Reject::Ttl(packet.ttl));
    }
    if header.version != version_number(params.version) {
        return Err(Reject::Version(header.version));
    }
    check_trailer(params, packet, pdu, trailer, memory, odd)?;
    if params.version == Version::V2 {
        check_v2(params, packet, pdu, &header, memory)?;
    }
    if header.kind != vrrp::TYPE_ADVERTISEMENT {
        return Err(Reject::Type(header.kind));
    }
    let interval = match params.version {
        Version::V2 => params.advert_int,
        // An interval of 0 would make every backup a master at once; take such a packet as if it agreed with us.
        Version::V3 if header.interval_cs() == 0 => params.advert_int,
        Version::V3 => Duration::from_millis(u64::from(header.interval_cs()) * 10),
    };
    // Over IPv6, the checksum covers the trailer.
    let covered = if params.family == Family::V6 { &packet.pdu } else { pdu };
    let old_checksum = check_checksum(params, packet, covered)?;
    check_delivery(params, packet)?;
    if !known {
        check_addresses(params, packet, &header, odd);
    }
    Ok(Advert { source: packet.source, priority: header.priority, interval, old_checksum })
}

/// The number in the packet.
pub fn version_number(version: Version) -> u8 {
    match version {
        Version::V2 => 2,
        Version::V3 => 3,
    }
}

/// The PDU is as long as its own header says, and the IP header agrees. With `auth_hmac` a trailer may follow, which is
/// recognised by nothing else. Gives both.
fn check_length<'a>(
    params: &Params,
    packet: &'a Packet,
    header: &Header,
) -> Result<(&'a [u8], Option<&'a [u8; TRAILER_LEN]>), Reject> {
    let len = header.pdu_len(params.family);
    let received = packet.ip_header_len + packet.pdu.len();
    let wrong = Reject::Length { received, expected: packet.ip_header_len + len };
    if packet.ip_total_len != received {
        return Err(wrong);
    }
    let (pdu, rest) = packet.pdu.split_at_checked(len).ok_or(wrong)?;
    if rest.is_empty() {
        return Ok((pdu, None));
    }
    let signed = matches!(params.authentication, Authentication::Hmac(_));
    rest.try_into().ok().filter(|_| signed).map(|trailer| (pdu, Some(trailer))).ok_or(wrong)
}

/// `auth_hmac`: signed by whom we know, lately, and not heard before.
fn check_trailer(
    params: &Params,
    packet: &Packet,
    pdu: &[u8],
    trailer: Option<&[u8; TRAILER_LEN]>,
    memory: &mut Memory,
    odd: &mut Vec<Reject>,
) -> Result<(), Reject> {
    let Authentication::Hmac(hmac) = &params.authentication else { return Ok(()) };
    let Some(trailer) = trailer else {
        let missing = Reject::Trailer(Doubt::Missing);
        if hmac.mode == HmacMode::Enforce {
            return Err(missing);
        }
        // Worth knowing before the mode is changed.
        odd.push(missing);
        return Ok(());
    };
    let peers = match &params.delivery {
        Delivery::Multicast(_) => 0,
        Delivery::Unicast(unicast) => unicast.peers.len(),
    };
    let verdict = memory.stamps.verify(hmac, packet.source, pdu, trailer, peers, packet.unix_time);
    odd.extend(verdict.map_err(Reject::Trailer)?.map(Reject::ClockSkew));
    Ok(())
}

/// Gives whether it is right in the way of very old routers only.
fn check_checksum(params: &Params, packet: &Packet, covered: &[u8]) -> Result<bool, Reject> {
    let right = |cover| vrrp::checksum_is_right(covered, cover);
    let whole = Cover::Packet(packet.source, packet.destination);
    let v3_over_v4 = (params.family, params.version) == (Family::V4, Version::V3);
    let good = match (params.family, params.version) {
        (Family::V4, Version::V2) => right(Cover::Pdu),
        _ => right(whole) || (v3_over_v4 && params.v3_checksum_as_v2 && right(Cover::Pdu)),
    };
    let old = || params.delivery.old_group().is_some_and(|group| right(Cover::Packet(packet.source, group)));
    match good {
        true => Ok(false),
        false if v3_over_v4 && old() => Ok(true),
        false => Err(Reject::Checksum),
    }
}

/// Sent to where we listen, and by whom we listen to.
fn check_delivery(params: &Params, packet: &Packet) -> Result<(), Reject> {
    match &params.delivery {
        Delivery::Multicast(group) if packet.destination != *group => {
            Err(Reject::Destination(packet.destination))
        }
        Delivery::Multicast(_) => Ok(()),
        // To which of our addresses does not matter: the demux has seen to that.
        Delivery::Unicast(_) if packet.destination.is_multicast() => {
            Err(Reject::Destination(packet.destination))
        }
        Delivery::Unicast(unicast) => match unicast.peers.iter().find(|p| p.address == packet.source) {
            Some(peer) if !(peer.min_ttl..=peer.max_ttl).contains(&packet.ttl) => {
                Err(Reject::Ttl(packet.ttl))
            }
            None if unicast.check_source => Err(Reject::NotAPeer),
            _ => Ok(()),
        },
    }
}

/// Authentication and interval, which only version 2 has to agree on.
fn check_v2(
    params: &Params,
    packet: &Packet,
    pdu: &[u8],
    header: &Header,
    memory: &mut Memory,
) -> Result<(), Reject> {
    let kind = header.auth_type();
    if !matches!(kind, vrrp::AUTH_NONE | vrrp::AUTH_PASS | vrrp::AUTH_AH) {
        return Err(Reject::AuthTypeInvalid(kind));
    }
    if kind != params.authentication.auth_type() {
        return Err(Reject::AuthTypeMismatch(kind));
    }
    match (&params.authentication, &packet.sealed, packet.source) {
        (Authentication::Password(password), ..) if vrrp::auth_data(pdu) != *password => {
            return Err(Reject::Password);
        }
        (Authentication::Ah(key), Some(sealed), IpAddr::V4(source)) => {
            let heard = memory.sequence.verify(sealed, key, source).map_err(Reject::Ah)?;
            memory.sequence.follow(heard);
        }
        _ => {}
    }
    if Duration::from_secs(u64::from(header.interval_secs())) != params.advert_int {
        return Err(Reject::Interval(header.interval_secs()));
    }
    Ok(())
}

/// A difference of addresses is worth a word but no reason to drop an advert (RFC 9568 section 7.1): two masters
/// would be worse.
fn check_addresses(params: &Params, packet: &Packet, header: &Header, odd: &mut Vec<Reject>) {
    if usize::from(header.count) != params.addresses.len() {
        odd.push(Reject::AddressCount(header.count));
    }
    // Identical lists, the usual case, are told apart without a search.
    if vrrp::addresses(&packet.pdu, params.family).eq(params.addresses.iter().copied()) {
        return;
    }
    let mut theirs: Vec<IpAddr> = vrrp::addresses(&packet.pdu, params.family).collect();
    theirs.sort_unstable();
    if let Some(missing) = params.addresses.iter().find(|a| theirs.binary_search(a).is_err()) {
        odd.push(Reject::AddressMissing(*missing));
    }
}
