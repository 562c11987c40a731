//! The IPv4 header (RFC 791), as far as VRRP needs it.
//!
//! ```text
//!  0 version (4) and header length in words | 1 type of service | 2 total length
//!  4 identification                         | 6 flags and fragment offset
//!  8 time to live | 9 protocol              | 10 header checksum
//! 12 source                                 | 16 destination     | 20 options
//! ```

use std::net::Ipv4Addr;

use super::{Error, finish, sum};

/// Bytes of a header without options, which is what we send.
pub const V4_HEADER_LEN: usize = 20;
/// Type of service of adverts: internetwork control (RFC 9568 has no word on it; stock sends it).
pub const TOS_INTERNETWORK_CONTROL: u8 = 0xc0;
/// The TTL a VRRP packet must have on sending and on receipt (RFC 9568 section 5.1.1.3).
pub const VRRP_TTL: u8 = 255;
/// Protocol number of VRRP.
pub const PROTO_VRRP: u8 = 112;

/// An IPv4 header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct V4Header {
    /// Bytes of the header, options included: 20 to 60.
    pub header_len: u8,
    /// Type of service.
    pub tos: u8,
    /// Bytes of the packet, header included, as the header says.
    pub total_len: u16,
    /// Identification.
    pub id: u16,
    /// Time to live.
    pub ttl: u8,
    /// Protocol of the payload.
    pub protocol: u8,
    /// Source address.
    pub source: Ipv4Addr,
    /// Destination address.
    pub destination: Ipv4Addr,
}

impl V4Header {
    /// Reads the header at the start of `bytes`. The checksum is not looked at: the kernel did that.
    ///
    /// # Errors
    /// Too short, not version 4, or a header length that does not fit.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let h: &[u8; V4_HEADER_LEN] = bytes.first_chunk().ok_or(Error::TooShort)?;
        let header_len = (h[0] & 0x0f) * 4;
        if h[0] >> 4 != 4 || usize::from(header_len) < V4_HEADER_LEN {
            return Err(Error::Malformed);
        }
        if bytes.len() < usize::from(header_len) {
            return Err(Error::TooShort);
        }
        Ok(Self {
            header_len,
            tos: h[1],
            total_len: u16::from_be_bytes([h[2], h[3]]),
            id: u16::from_be_bytes([h[4], h[5]]),
            ttl: h[8],
            protocol: h[9],
            source: Ipv4Addr::new(h[12], h[13], h[14], h[15]),
            destination: Ipv4Addr::new(h[16], h[17], h[18], h[19]),
        })
    }

    /// Writes the header, checksum included, over the first 20 bytes of `out`. Options are not written.
    ///
    /// # Panics
    /// If `out` is shorter than 20 bytes.
    pub fn emit(&self, out: &mut [u8]) {
        let h = &mut out[..V4_HEADER_LEN];
        h[0] = 0x45;
        h[1] = self.tos;
        h[2..4].copy_from_slice(&self.total_len.to_be_bytes());
        h[4..6].copy_from_slice(&self.id.to_be_bytes());
        h[6..8].fill(0);
        h[8] = self.ttl;
        h[9] = self.protocol;
        h[10..12].fill(0);
        h[12..16].copy_from_slice(&self.source.octets());
        h[16..20].copy_from_slice(&self.destination.octets());
        let checksum = finish(sum(0, h));
        h[10..12].copy_from_slice(&checksum.to_be_bytes());
    }
}
