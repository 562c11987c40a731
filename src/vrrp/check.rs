//! The checks a received packet has to pass, in stock's order.

use std::net::IpAddr;
use std::time::Duration;

use super::event::Reject;
use super::params::{Delivery, Params};
use crate::base::{Family, Instant};
use crate::config::model::Version;
use crate::wire::ip::VRRP_TTL;
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
    /// Bytes of the IP header; 0 for IPv6, where it does not count.
    pub ip_header_len: usize,
    /// Total length by the IP header, counted likewise.
    pub ip_total_len: usize,
    /// The VRRP PDU: everything behind the IP header.
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
///
/// # Errors
/// Why it is dropped.
pub fn check(params: &Params, packet: &Packet, known: bool, odd: &mut Vec<Reject>) -> Result<Advert, Reject> {
    let too_short = Reject::Length {
        received: packet.ip_header_len + packet.pdu.len(),
        expected: packet.ip_header_len + 8,
    };
    let header = Header::parse(&packet.pdu).map_err(|_| too_short)?;
    check_length(params, packet, &header)?;
    if packet.ttl != VRRP_TTL && !params.delivery.is_unicast() {
        return Err(Reject::Ttl(packet.ttl));
    }
    if header.version != version_number(params.version) {
        return Err(Reject::Version(header.version));
    }
    if params.version == Version::V2 {
        check_v2(params, packet, &header)?;
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
    if interval != params.advert_int {
        odd.push(Reject::IntervalDiffers(header.interval_cs()));
    }
    let old_checksum = check_checksum(params, packet)?;
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

/// The PDU is as long as its own header says, and the IP header agrees.
fn check_length(params: &Params, packet: &Packet, header: &Header) -> Result<(), Reject> {
    let expected = packet.ip_header_len + header.pdu_len(params.family);
    let received = packet.ip_header_len + packet.pdu.len();
    if received == expected && packet.ip_total_len == expected {
        Ok(())
    } else {
        Err(Reject::Length { received, expected })
    }
}

/// Gives whether it is right in the way of very old routers only.
fn check_checksum(params: &Params, packet: &Packet) -> Result<bool, Reject> {
    let right = |cover| vrrp::checksum_is_right(&packet.pdu, cover);
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
fn check_v2(params: &Params, packet: &Packet, header: &Header) -> Result<(), Reject> {
    let kind = header.auth_type();
    if !matches!(kind, vrrp::AUTH_NONE | vrrp::AUTH_PASS | vrrp::AUTH_AH) {
        return Err(Reject::AuthTypeInvalid(kind));
    }
    match params.password {
        Some(_) if kind != vrrp::AUTH_PASS => return Err(Reject::AuthTypeMismatch(kind)),
        None if kind != vrrp::AUTH_NONE => return Err(Reject::AuthTypeMismatch(kind)),
        Some(password) if vrrp::auth_data(&packet.pdu) != password => return Err(Reject::Password),
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
