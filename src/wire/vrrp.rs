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
//! Version 2 knows IPv4 only; keepalived can send it over IPv6 all the same, with a pseudo header and without
//! authentication data.

use std::net::IpAddr;

use super::{Error, finish, pseudo_header, sum};
use crate::base::Family;
use crate::wire::ip::PROTO_VRRP;

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

    /// Bytes the PDU of this header has with addresses of `family`.
    pub fn pdu_len(&self, family: Family) -> usize {
        let auth = if self.version == 2 && family == Family::V4 { AUTH_DATA_LEN } else { 0 };
        HEADER_LEN + usize::from(self.count) * family.bytes() + auth
    }
}

/// The addresses of `pdu`, which are of `family`: as many as its header counts and its length holds.
pub fn addresses(pdu: &[u8], family: Family) -> impl Iterator<Item = IpAddr> + '_ {
    let count = pdu.get(3).copied().map_or(0, usize::from);
    let body = pdu.get(HEADER_LEN..).unwrap_or_default();
    body.chunks_exact(family.bytes()).take(count).filter_map(address)
}

/// An address of 4 or 16 bytes.
fn address(bytes: &[u8]) -> Option<IpAddr> {
    let v4 = <[u8; 4]>::try_from(bytes).map(IpAddr::from);
    v4.or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from)).ok()
}

/// The authentication data of a version 2 advert: its last eight bytes.
pub fn auth_data(pdu: &[u8]) -> [u8; AUTH_DATA_LEN] {
    pdu.last_chunk().copied().unwrap_or_default()
}

/// What a checksum covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cover {
    /// The PDU alone.
    Pdu,
    /// A pseudo header as well, of a packet that goes from the first address to the second.
    Packet(IpAddr, IpAddr),
}

impl Cover {
    /// The sum of what it covers besides a PDU of `len` bytes.
    fn beside(self, len: usize) -> u32 {
        match self {
            Self::Pdu => 0,
            Self::Packet(source, destination) => pseudo_header(source, destination, PROTO_VRRP, len),
        }
    }
}

/// Whether the checksum of `pdu` is right, provided that it covers that.
pub fn checksum_is_right(pdu: &[u8], cover: Cover) -> bool {
    finish(sum(cover.beside(pdu.len()), pdu)) == 0
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
    /// The password, zero-padded; `None`: no authentication. There is none over IPv6.
    pub password: Option<[u8; AUTH_DATA_LEN]>,
    /// The family of the addresses.
    pub family: Family,
    /// Addresses; at most 255.
    pub addresses: &'a [IpAddr],
    /// What the checksum covers.
    pub cover: Cover,
}

impl V2<'_> {
    /// The whole PDU.
    pub fn emit(&self) -> Vec<u8> {
        let password = self.password.filter(|_| self.family == Family::V4);
        let auth = if password.is_some() { AUTH_PASS } else { AUTH_NONE };
        let mut pdu = header(2, self.vrid, self.priority, self.addresses, [auth, self.interval_secs]);
        if self.family == Family::V4 {
            pdu.extend_from_slice(&password.unwrap_or_default());
        }
        seal(&mut pdu, self.cover);
        pdu
    }
}

/// What a version 3 advert says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct V3<'a> {
    /// Virtual router id.
    pub vrid: u8,
    /// Priority.
    pub priority: u8,
    /// Interval in centiseconds, at most [`MAX_INTERVAL_CS`].
    pub interval_cs: u16,
    /// Addresses, all of one family; at most 255.
    pub addresses: &'a [IpAddr],
    /// What the checksum covers.
    pub cover: Cover,
}

impl V3<'_> {
    /// The whole PDU.
    pub fn emit(&self) -> Vec<u8> {
        let interval = (self.interval_cs & MAX_INTERVAL_CS).to_be_bytes();
        let mut pdu = header(3, self.vrid, self.priority, self.addresses, interval);
        seal(&mut pdu, self.cover);
        pdu
    }
}

/// Header and addresses, checksum 0.
fn header(version: u8, vrid: u8, priority: u8, addresses: &[IpAddr], word: [u8; 2]) -> Vec<u8> {
    let addresses = &addresses[..addresses.len().min(255)];
    let mut pdu = Vec::with_capacity(HEADER_LEN + addresses.len() * 16 + AUTH_DATA_LEN);
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
        match address {
            IpAddr::V4(address) => pdu.extend_from_slice(&address.octets()),
            IpAddr::V6(address) => pdu.extend_from_slice(&address.octets()),
        }
    }
    pdu
}

/// Writes the checksum of `pdu`, whatever it was before, unless it is shorter than a header.
pub fn seal(pdu: &mut [u8], cover: Cover) {
    if pdu.len() < HEADER_LEN {
        return;
    }
    pdu[6..8].fill(0);
    let checksum = finish(sum(cover.beside(pdu.len()), pdu));
    pdu[6..8].copy_from_slice(&checksum.to_be_bytes());
}

#[cfg(test)]
mod tests;
