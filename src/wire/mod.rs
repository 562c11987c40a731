//! Bytes ⇄ values, pure.
//!
//! Every decoder takes any bytes whatever and answers with a value or an [`Error`]; every encoder writes whole
//! packets. Layouts are given with each type, from the RFC that defines them.

pub mod ah;
pub mod arp;
pub mod http;
pub mod ip;
pub mod ndisc;
pub mod smtp;
pub mod trailer;
pub mod vrrp;

use std::net::IpAddr;

/// Why bytes cannot be what they should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Fewer bytes than the format needs at least.
    #[error("too short")]
    TooShort,
    /// A field has a value the format does not allow.
    #[error("malformed")]
    Malformed,
}

/// Adds `bytes` to a ones-complement sum of big-endian 16-bit words (RFC 1071), an odd last byte padded with 0.
pub(crate) fn sum(mut acc: u32, bytes: &[u8]) -> u32 {
    let (words, rest) = bytes.as_chunks::<2>();
    for word in words {
        acc += u32::from(u16::from_be_bytes(*word));
    }
    if let [last] = rest {
        acc += u32::from(*last) << 8;
    }
    // No packet is long enough to overflow: 65,535 bytes add less than 2^31.
    (acc & 0xffff) + (acc >> 16)
}

/// The sum of the pseudo header of a packet with `len` bytes behind its IP header: addresses, protocol and length. Those
/// of IPv4 (RFC 793) and IPv6 (RFC 8200 section 8.1) give the same sum, as their fields differ in width only.
pub(crate) fn pseudo_header(source: IpAddr, destination: IpAddr, protocol: u8, len: usize) -> u32 {
    let add = |acc, ip| match ip {
        IpAddr::V4(ip) => sum(acc, &ip.octets()),
        IpAddr::V6(ip) => sum(acc, &ip.octets()),
    };
    let acc = add(add(0, source), destination);
    sum(acc, &[0, protocol, (len >> 8) as u8, len as u8])
}

/// The Internet checksum for a sum made by [`sum`].
pub(crate) fn finish(mut acc: u32) -> u16 {
    while acc > 0xffff {
        acc = (acc & 0xffff) + (acc >> 16);
    }
    !(acc as u16)
}

#[cfg(test)]
pub(crate) mod tests {
    /// Bytes from hexadecimal digits, blanks between them ignored.
    pub(crate) fn hex(text: &str) -> Vec<u8> {
        let digits: Vec<u8> = text.bytes().filter(|b| !b.is_ascii_whitespace()).collect();
        let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
        digits.chunks(2).map(byte).collect()
    }
}
