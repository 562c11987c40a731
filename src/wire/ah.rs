//! The IP authentication header (RFC 2402) that VRRPv2 used (RFC 2338 section 5.3.6), with HMAC-MD5-96 (RFC 2403).
//!
//! ```text
//!  0 next header | 1 payload length (words - 2) | 2 reserved (2)
//!  4 SPI: the source address, as keepalived has it
//!  8 sequence number
//! 12 integrity check value (12)
//! ```
//!
//! The check value covers the IP header with its mutable fields zeroed, this header with the value itself zeroed, and
//! the VRRP PDU. The TTL is one of the mutable fields only when the destination is a unicast address.

use std::net::Ipv4Addr;

use hmac::{Hmac, KeyInit as _, Mac as _};
use md5::Md5;

use super::Error;
use super::ip::{PROTO_VRRP, V4_HEADER_LEN, V4Header};

/// Protocol number of the header.
pub const PROTO_AH: u8 = 51;
/// Its bytes.
pub const AH_LEN: usize = 24;
/// Bytes of the check value.
const ICV_LEN: usize = 12;
/// Where it begins.
const ICV_AT: usize = 12;

/// An authentication header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ah {
    /// Security parameter index, which is the address of the sender.
    pub spi: Ipv4Addr,
    /// One more for each advert, from 1.
    pub sequence: u32,
}

impl Ah {
    /// Reads the header at the start of `bytes`. The check value is not looked at.
    ///
    /// # Errors
    /// Too short, followed by something else than VRRP, or of another length.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let h: &[u8; AH_LEN] = bytes.first_chunk().ok_or(Error::TooShort)?;
        if h[0] != PROTO_VRRP || h[1] != 4 {
            return Err(Error::Malformed);
        }
        Ok(Self {
            spi: Ipv4Addr::new(h[4], h[5], h[6], h[7]),
            sequence: u32::from_be_bytes([h[8], h[9], h[10], h[11]]),
        })
    }

    /// The header without its check value; see [`seal`].
    pub fn emit(&self) -> [u8; AH_LEN] {
        let mut h = [0; AH_LEN];
        h[0] = PROTO_VRRP;
        h[1] = 4;
        h[4..8].copy_from_slice(&self.spi.octets());
        h[8..12].copy_from_slice(&self.sequence.to_be_bytes());
        h
    }
}

/// Writes the check value into `packet`: an IP header of 20 bytes, an authentication header, a PDU.
///
/// # Errors
/// The packet is shorter than its headers, or its IP header is malformed.
pub fn seal(packet: &mut [u8], key: &[u8; 8]) -> Result<(), Error> {
    let code = code(packet, key)?.finalize().into_bytes();
    let at = V4_HEADER_LEN + ICV_AT;
    let (Some(icv), Some(code)) = (packet.get_mut(at..at + ICV_LEN), code.get(..ICV_LEN)) else {
        return Err(Error::TooShort);
    };
    icv.copy_from_slice(code);
    Ok(())
}

/// Whether the check value of `packet` is right. Takes as long whatever is wrong with it.
pub fn is_right(packet: &[u8], key: &[u8; 8]) -> bool {
    let at = V4_HEADER_LEN + ICV_AT;
    let (Ok(code), Some(icv)) = (code(packet, key), packet.get(at..at + ICV_LEN)) else { return false };
    code.verify_truncated_left(icv).is_ok()
}

/// What is sealed.
fn code(packet: &[u8], key: &[u8; 8]) -> Result<Hmac<Md5>, Error> {
    let header = V4Header::parse(packet)?;
    let mut ip: [u8; V4_HEADER_LEN] = *packet.first_chunk().ok_or(Error::TooShort)?;
    let mut ah: [u8; AH_LEN] =
        *packet.get(V4_HEADER_LEN..).and_then(|b| b.first_chunk()).ok_or(Error::TooShort)?;
    let pdu = packet.get(V4_HEADER_LEN + AH_LEN..).ok_or(Error::TooShort)?;
    // Type of service, flags and fragment offset, checksum.
    ip[1] = 0;
    ip[6..8].fill(0);
    ip[10..12].fill(0);
    if !header.destination.is_multicast() {
        ip[8] = 0;
    }
    ah[ICV_AT..].fill(0);
    // Keys of any length will do.
    let mut code = Hmac::<Md5>::new_from_slice(key).map_err(|_| Error::Malformed)?;
    code.update(&ip);
    code.update(&ah);
    code.update(pdu);
    Ok(code)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::tests::hex;

    /// Password `secret12`, VRID 31, as stock sends it.
    const STOCK: &str = "45c0004000010000ff33d0ad0a090001e0000012\
         700400000a09000100000001ce25ca3b318185d8f9129b0b\
         211f960102013cb60a09001f0000000000000000";
    const KEY: &[u8; 8] = b"secret12";

    #[test]
    fn the_code_is_stocks() {
        let stock = hex(STOCK);
        assert!(is_right(&stock, KEY));
        let mut ours = stock.clone();
        ours[32..44].fill(0xff);
        seal(&mut ours, KEY).unwrap();
        assert_eq!(ours, stock);
    }

    #[test]
    fn the_header_is_stocks() {
        let stock = hex(STOCK);
        let ah = Ah::parse(&stock[20..]).unwrap();
        assert_eq!(ah, Ah { spi: Ipv4Addr::new(10, 9, 0, 1), sequence: 1 });
        assert_eq!(ah.emit()[..12], stock[20..32]);
    }

    #[test]
    fn any_changed_bit_is_noticed_but_in_mutable_fields() {
        let stock = hex(STOCK);
        for byte in 0..stock.len() {
            let mut changed = stock.clone();
            changed[byte] ^= 0x10;
            let mutable = matches!(byte, 1 | 6 | 7 | 10 | 11);
            assert_eq!(is_right(&changed, KEY), mutable, "byte {byte}");
        }
        assert!(!is_right(&stock, b"secret13"));
    }

    #[test]
    fn a_unicast_packet_may_have_lost_hops() {
        let mut packet = hex(STOCK);
        packet[16..20].copy_from_slice(&[10, 9, 0, 2]);
        seal(&mut packet, KEY).unwrap();
        packet[8] = 64;
        assert!(is_right(&packet, KEY));
    }

    #[test]
    fn short_packets_are_not_right() {
        let stock = hex(STOCK);
        for len in 0..44 {
            assert!(!is_right(&stock[..len], KEY), "{len}");
            assert!(seal(&mut stock[..len].to_vec(), KEY).is_err(), "{len}");
        }
        assert_eq!(Ah::parse(&stock[20..43]), Err(Error::TooShort));
        assert_eq!(Ah::parse(&[0; 24]), Err(Error::Malformed));
    }
}
