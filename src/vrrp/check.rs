//! The checks a received packet has to pass, in stock's order.

use std::net::Ipv4Addr;
use std::time::Duration;

use super::event::Reject;
use super::params::Params;
use crate::base::Instant;
use crate::config::model::Version;
use crate::wire::ip::VRRP_TTL;
use crate::wire::vrrp::{self, Header};

/// A packet for one virtual router, as the demux hands it over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    /// When it was read.
    pub at: Instant,
    /// Source of the IP header.
    pub source: Ipv4Addr,
    /// Destination of the IP header.
    pub destination: Ipv4Addr,
    /// TTL of the IP header.
    pub ttl: u8,
    /// Bytes of the IP header.
    pub ip_header_len: usize,
    /// Total length by the IP header.
    pub ip_total_len: usize,
    /// The VRRP PDU: everything behind the IP header.
    pub pdu: Vec<u8>,
}

/// What an acceptable advert says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Advert {
    /// Who sent it.
    pub source: Ipv4Addr,
    /// Its priority; 0: it resigns.
    pub priority: u8,
    /// The sender's interval.
    pub interval: Duration,
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
    check_length(packet, &header)?;
    if packet.ttl != VRRP_TTL {
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
    let right = match params.version {
        Version::V2 => vrrp::checksum_is_right_v2(&packet.pdu),
        Version::V3 => vrrp::checksum_is_right_v3(&packet.pdu, packet.source, packet.destination),
    };
    if !right {
        return Err(Reject::Checksum);
    }
    if packet.destination != params.destination {
        return Err(Reject::Destination(packet.destination));
    }
    if !known {
        check_addresses(params, packet, &header, odd);
    }
    Ok(Advert { source: packet.source, priority: header.priority, interval })
}

/// The number in the packet.
pub fn version_number(version: Version) -> u8 {
    match version {
        Version::V2 => 2,
        Version::V3 => 3,
    }
}

/// The PDU is as long as its own header says, and the IP header agrees.
fn check_length(packet: &Packet, header: &Header) -> Result<(), Reject> {
    let expected = packet.ip_header_len + header.pdu_len_v4();
    let received = packet.ip_header_len + packet.pdu.len();
    if received == expected && packet.ip_total_len == expected {
        Ok(())
    } else {
        Err(Reject::Length { received, expected })
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
    if vrrp::addresses_v4(&packet.pdu).eq(params.addresses.iter().copied()) {
        return;
    }
    let mut theirs: Vec<Ipv4Addr> = vrrp::addresses_v4(&packet.pdu).collect();
    theirs.sort_unstable();
    if let Some(missing) = params.addresses.iter().find(|a| theirs.binary_search(a).is_err()) {
        odd.push(Reject::AddressMissing(*missing));
    }
}
