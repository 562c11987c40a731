//! The headers of IPv4 (RFC 791) and IPv6 (RFC 8200), as far as VRRP needs them.
//!
//! ```text
//! IPv4
//!  0 version (4) and header length in words | 1 type of service | 2 total length
//!  4 identification                         | 6 flags and fragment offset
//!  8 time to live | 9 protocol              | 10 header checksum
//! 12 source                                 | 16 destination     | 20 options
//!
//! IPv6
//!  0 version (4), traffic class (8), flow label (20)
//!  4 length of the payload | 6 next header | 7 hop limit
//!  8 source                | 24 destination
//! ```

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::{Error, finish, sum};

/// Bytes of a header without options, which is what we send.
pub const V4_HEADER_LEN: usize = 20;
/// Bytes of an IPv6 header.
pub const V6_HEADER_LEN: usize = 40;
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

/// An IPv6 header. The flow label is 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct V6Header {
    /// Traffic class.
    pub class: u8,
    /// Bytes behind the header.
    pub payload_len: u16,
    /// Protocol of the payload, or the number of an extension header.
    pub next: u8,
    /// Hop limit.
    pub hops: u8,
    /// Source address.
    pub source: Ipv6Addr,
    /// Destination address.
    pub destination: Ipv6Addr,
}

impl V6Header {
    /// Reads the header at the start of `bytes`, whatever its flow label.
    ///
    /// # Errors
    /// Too short, or not version 6.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let h: &[u8; V6_HEADER_LEN] = bytes.first_chunk().ok_or(Error::TooShort)?;
        if h[0] >> 4 != 6 {
            return Err(Error::Malformed);
        }
        let (source, destination) = (h[8..].first_chunk::<16>(), h[24..].first_chunk::<16>());
        let (Some(source), Some(destination)) = (source, destination) else { return Err(Error::TooShort) };
        Ok(Self {
            class: h[0] << 4 | h[1] >> 4,
            payload_len: u16::from_be_bytes([h[4], h[5]]),
            next: h[6],
            hops: h[7],
            source: Ipv6Addr::from(*source),
            destination: Ipv6Addr::from(*destination),
        })
    }

    /// Writes the header over the first 40 bytes of `out`.
    ///
    /// # Panics
    /// If `out` is shorter than 40 bytes.
    pub fn emit(&self, out: &mut [u8]) {
        let h = &mut out[..V6_HEADER_LEN];
        h[..4].copy_from_slice(&[0x60 | self.class >> 4, self.class << 4, 0, 0]);
        h[4..6].copy_from_slice(&self.payload_len.to_be_bytes());
        h[6] = self.next;
        h[7] = self.hops;
        h[8..24].copy_from_slice(&self.source.octets());
        h[24..].copy_from_slice(&self.destination.octets());
    }
}

/// What the headers of both families have in common, of a packet as it is on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Bytes of the header, 20 to 60. Extension headers of IPv6 are not understood.
    pub len: usize,
    /// Bytes of the packet, header included, as the header says.
    pub total_len: usize,
    /// Time to live, or hop limit.
    pub ttl: u8,
    /// Protocol of the payload.
    pub protocol: u8,
    /// Source address.
    pub source: IpAddr,
    /// Destination address.
    pub destination: IpAddr,
}

impl Header {
    /// Reads the header at the start of `bytes`, of whichever version.
    ///
    /// # Errors
    /// Those of the version's own header.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        if bytes.first().is_some_and(|b| b >> 4 == 6) {
            let header = V6Header::parse(bytes)?;
            return Ok(Self {
                len: V6_HEADER_LEN,
                total_len: V6_HEADER_LEN + usize::from(header.payload_len),
                ttl: header.hops,
                protocol: header.next,
                source: header.source.into(),
                destination: header.destination.into(),
            });
        }
        let header = V4Header::parse(bytes)?;
        Ok(Self {
            len: header.header_len.into(),
            total_len: header.total_len.into(),
            ttl: header.ttl,
            protocol: header.protocol,
            source: header.source.into(),
            destination: header.destination.into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const V6: V6Header = V6Header {
        class: TOS_INTERNETWORK_CONTROL,
        payload_len: 24,
        next: PROTO_VRRP,
        hops: VRRP_TTL,
        source: Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 1),
        destination: Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0x12),
    };

    #[test]
    fn a_version_6_header_on_the_wire() {
        let mut bytes = [0xa5; V6_HEADER_LEN];
        V6.emit(&mut bytes);
        #[rustfmt::skip]
        let expected = [
            0x6c, 0x00, 0x00, 0x00, 0x00, 0x18, 0x70, 0xff,
            0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x01,
            0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x12,
        ];
        assert_eq!(bytes, expected);
        assert_eq!(V6Header::parse(&bytes), Ok(V6));
        // A flow label, as other senders have it.
        bytes[1..4].copy_from_slice(&[0x0b, 0xcd, 0xef]);
        assert_eq!(V6Header::parse(&bytes), Ok(V6));
        assert_eq!(V6Header::parse(&bytes[..39]), Err(Error::TooShort));
        bytes[0] = 0x45;
        assert_eq!(V6Header::parse(&bytes), Err(Error::Malformed));
    }

    #[test]
    fn both_versions_are_one() {
        let mut bytes = [0; V6_HEADER_LEN];
        V6.emit(&mut bytes);
        let six = Header::parse(&bytes).unwrap();
        assert_eq!((six.len, six.total_len, six.ttl, six.protocol), (40, 64, 255, 112));
        assert_eq!((six.source, six.destination), (V6.source.into(), V6.destination.into()));
        let (source, destination) = (Ipv4Addr::new(192, 0, 2, 1), Ipv4Addr::new(224, 0, 0, 18));
        let (header_len, tos, id, ttl, protocol, total_len) = (20, 0, 1, 255, 112, 40);
        V4Header { header_len, tos, total_len, id, ttl, protocol, source, destination }.emit(&mut bytes);
        let four = Header::parse(&bytes).unwrap();
        assert_eq!((four.len, four.total_len, four.ttl, four.protocol), (20, 40, 255, 112));
        assert_eq!((four.source, four.destination), (source.into(), destination.into()));
        assert_eq!(Header::parse(&[]), Err(Error::TooShort));
    }
}
