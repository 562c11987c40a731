//! VRRP adverts: version 2 (RFC 3768, with RFC 2338's password) and version 3 (RFC 9568).
//!
//! ```text
//! version 2                                      version 3
//!  0 version (4) | type (4)                       0 version (4) | type (4)
//!  1 VRID                                         1 VRID
//!  2 priority                                     2 priority
//!  3 number of addresses                          3 number of addresses
//!  4 auth type                                    4 reserved (4) | interval in centiseconds (12)
//!  5 interval in seconds
//!  6 checksum (2)                                 6 checksum (2)
//!  8 addresses (4 each)                           8 addresses (4 or 16 each)
//!    authentication data (8), always there
//! ```
//!
//! The checksum of version 2 covers the whole PDU. That of version 3 covers a pseudo header as well (source,
//! destination, 0, protocol, length), which RFC 9568 wants for IPv6 only and keepalived sends for IPv4 too.

use std::net::Ipv4Addr;

use super::ip::PROTO_VRRP;
use super::{Error, finish, sum};

/// Bytes before the addresses.
pub const HEADER_LEN: usize = 8;
/// Bytes of authentication data behind the addresses of a version 2 advert.
pub const AUTH_DATA_LEN: usize = 8;
/// The only packet type: advertisement.
pub const TYPE_ADVERTISEMENT: u8 = 1;
/// Auth type: none.
pub const AUTH_NONE: u8 = 0;
/// Auth type: simple text password.
pub const AUTH_PASS: u8 = 1;
/// Auth type: IP authentication header.
pub const AUTH_AH: u8 = 2;
/// Longest interval version 3 can tell, in centiseconds.
pub const MAX_INTERVAL_CS: u16 = 0x0fff;

/// The first eight bytes of an advert, of whichever version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Version, 0 to 15.
    pub version: u8,
    /// Packet type, 0 to 15.
    pub kind: u8,
    /// Virtual router id.
    pub vrid: u8,
    /// Priority; 0: the sender resigns.
    pub priority: u8,
    /// Number of addresses.
    pub count: u8,
    /// Version 2: auth type and interval. Version 3: reserved bits and interval.
    pub word: [u8; 2],
}

impl Header {
    /// Reads the header at the start of `pdu`.
    ///
    /// # Errors
    /// Fewer than eight bytes.
    pub fn parse(pdu: &[u8]) -> Result<Self, Error> {
        let h: &[u8; HEADER_LEN] = pdu.first_chunk().ok_or(Error::TooShort)?;
        Ok(Self {
            version: h[0] >> 4,
            kind: h[0] & 0x0f,
            vrid: h[1],
            priority: h[2],
            count: h[3],
            word: [h[4], h[5]],
        })
    }

    /// Auth type (version 2).
    pub fn auth_type(&self) -> u8 {
        self.word[0]
    }

    /// Interval in seconds (version 2).
    pub fn interval_secs(&self) -> u8 {
        self.word[1]
    }

    /// Interval in centiseconds, the reserved bits ignored (version 3).
    pub fn interval_cs(&self) -> u16 {
        u16::from_be_bytes(self.word) & MAX_INTERVAL_CS
    }

    /// Bytes the PDU of this header has with IPv4 addresses.
    pub fn pdu_len_v4(&self) -> usize {
        let auth = if self.version == 2 { AUTH_DATA_LEN } else { 0 };
        HEADER_LEN + usize::from(self.count) * 4 + auth
    }
}

/// The IPv4 addresses of `pdu`, as many as its header counts and its length holds.
pub fn addresses_v4(pdu: &[u8]) -> impl Iterator<Item = Ipv4Addr> + '_ {
    let count = pdu.get(3).copied().map_or(0, usize::from);
    let body = pdu.get(HEADER_LEN..).unwrap_or_default();
    body.as_chunks::<4>().0.iter().take(count).map(|a| Ipv4Addr::from(*a))
}

/// The authentication data of a version 2 advert: its last eight bytes.
pub fn auth_data(pdu: &[u8]) -> [u8; AUTH_DATA_LEN] {
    pdu.last_chunk().copied().unwrap_or_default()
}

/// Whether the checksum of a version 2 advert is right.
pub fn checksum_is_right_v2(pdu: &[u8]) -> bool {
    finish(sum(0, pdu)) == 0
}

/// Whether the checksum of a version 3 advert over IPv4 is right, pseudo header included.
pub fn checksum_is_right_v3(pdu: &[u8], source: Ipv4Addr, destination: Ipv4Addr) -> bool {
    finish(sum(pseudo_header_v4(source, destination, pdu.len()), pdu)) == 0
}

/// What a version 2 advert says besides the priority.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct V2<'a> {
    /// Virtual router id.
    pub vrid: u8,
    /// Priority.
    pub priority: u8,
    /// Interval in seconds.
    pub interval_secs: u8,
    /// The password, zero-padded; `None`: no authentication.
    pub password: Option<[u8; AUTH_DATA_LEN]>,
    /// Addresses; at most 255.
    pub addresses: &'a [Ipv4Addr],
}

impl V2<'_> {
    /// The whole PDU.
    pub fn emit(&self) -> Vec<u8> {
        let auth = if self.password.is_some() { AUTH_PASS } else { AUTH_NONE };
        let mut pdu = header(2, self.vrid, self.priority, self.addresses, [auth, self.interval_secs]);
        pdu.extend_from_slice(&self.password.unwrap_or_default());
        seal(&mut pdu, 0);
        pdu
    }
}

/// What a version 3 advert over IPv4 says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct V3<'a> {
    /// Virtual router id.
    pub vrid: u8,
    /// Priority.
    pub priority: u8,
    /// Interval in centiseconds, at most [`MAX_INTERVAL_CS`].
    pub interval_cs: u16,
    /// Addresses; at most 255.
    pub addresses: &'a [Ipv4Addr],
    /// Source of the packet, for the pseudo header.
    pub source: Ipv4Addr,
    /// Destination of the packet, for the pseudo header.
    pub destination: Ipv4Addr,
}

impl V3<'_> {
    /// The whole PDU.
    pub fn emit(&self) -> Vec<u8> {
        let interval = (self.interval_cs & MAX_INTERVAL_CS).to_be_bytes();
        let mut pdu = header(3, self.vrid, self.priority, self.addresses, interval);
        let pseudo = pseudo_header_v4(self.source, self.destination, pdu.len());
        seal(&mut pdu, pseudo);
        pdu
    }
}

/// Header and addresses, checksum 0.
fn header(version: u8, vrid: u8, priority: u8, addresses: &[Ipv4Addr], word: [u8; 2]) -> Vec<u8> {
    let addresses = &addresses[..addresses.len().min(255)];
    let mut pdu = Vec::with_capacity(HEADER_LEN + addresses.len() * 4 + AUTH_DATA_LEN);
    let count = addresses.len() as u8;
    pdu.extend_from_slice(&[
        version << 4 | TYPE_ADVERTISEMENT,
        vrid,
        priority,
        count,
        word[0],
        word[1],
        0,
        0,
    ]);
    for address in addresses {
        pdu.extend_from_slice(&address.octets());
    }
    pdu
}

/// Fills in the checksum, `pseudo` being the sum of a pseudo header.
fn seal(pdu: &mut [u8], pseudo: u32) {
    let checksum = finish(sum(pseudo, pdu));
    pdu[6..8].copy_from_slice(&checksum.to_be_bytes());
}

/// The sum of the IPv4 pseudo header for a PDU of `len` bytes.
fn pseudo_header_v4(source: Ipv4Addr, destination: Ipv4Addr, len: usize) -> u32 {
    let acc = sum(sum(0, &source.octets()), &destination.octets());
    sum(acc, &[0, PROTO_VRRP, (len >> 8) as u8, len as u8])
}

#[cfg(test)]
mod tests;
