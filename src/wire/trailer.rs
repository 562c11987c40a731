//! The authentication trailer that `auth_hmac` puts behind an advert, of version 2 or 3, over IPv4 or IPv6, as
//! keepalived 2.4.2 introduced it.
//!
//! ```text
//!  0 type: 1 | 1 key id: 1 to 255 | 2 reserved: 0 (2)
//!  4 seconds since 1970 (4)
//!  8 fraction in 1/65,536 s (2)   | 10 counter, for equal times (2)
//! 12 HMAC-SHA-256, its first 16 bytes
//! ```
//!
//! The code covers 20 bytes that say who sends (4 or 6, version, VRID, 0, and the source address, zero-padded to 16
//! bytes), the PDU with its checksum zeroed, the first 12 bytes of the trailer, and 16 bytes of 0.

use std::net::IpAddr;
use std::time::Duration;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use super::Error;

/// Its bytes.
pub const TRAILER_LEN: usize = 28;
/// Bytes before the code.
const STAMP_END: usize = 12;
/// Bytes of the code.
const CODE_LEN: usize = 16;
/// The only type.
const TYPE: u8 = 1;

/// When an advert was signed: seconds (upper 32 bits), fraction (16 bits), counter (16 bits). Compared as a serial
/// number, so that the year 2106 does no harm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp(pub u64);

impl Stamp {
    /// The first stamp of this moment, which is the time since 1970.
    pub fn at(unix_time: Duration) -> Self {
        let fraction = (u64::from(unix_time.subsec_nanos()) << 16) / 1_000_000_000;
        Self(unix_time.as_secs() << 32 | fraction << 16)
    }

    /// Whole seconds since 1970, modulo 2³².
    pub const fn secs(self) -> u32 {
        (self.0 >> 32) as u32
    }

    /// Whether this one is newer than `other`, by less than half the number circle.
    pub const fn is_after(self, other: Self) -> bool {
        let ahead = self.0.wrapping_sub(other.0);
        ahead != 0 && ahead < 1 << 63
    }
}

/// A trailer without its code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trailer {
    /// Which key signed, 1 to 255.
    pub key_id: u8,
    /// When.
    pub stamp: Stamp,
}

impl Trailer {
    /// Reads a trailer.
    ///
    /// # Errors
    /// Another type, a key id of 0, or something in the reserved bytes.
    pub fn parse(bytes: &[u8; TRAILER_LEN]) -> Result<Self, Error> {
        let [TYPE, key_id, 0, 0, ..] = *bytes else { return Err(Error::Malformed) };
        if key_id == 0 {
            return Err(Error::Malformed);
        }
        let stamp = bytes[4..STAMP_END].iter().fold(0, |acc, byte| acc << 8 | u64::from(*byte));
        Ok(Self { key_id, stamp: Stamp(stamp) })
    }

    /// The whole trailer for `pdu` from `source`.
    pub fn sign(&self, key: &[u8], source: IpAddr, pdu: &[u8]) -> [u8; TRAILER_LEN] {
        let mut bytes = [0; TRAILER_LEN];
        bytes[0] = TYPE;
        bytes[1] = self.key_id;
        bytes[4..STAMP_END].copy_from_slice(&self.stamp.0.to_be_bytes());
        let code = code(key, source, pdu, &bytes).finalize().into_bytes();
        for (to, from) in bytes[STAMP_END..].iter_mut().zip(code) {
            *to = from;
        }
        bytes
    }
}

/// Whether the code of `trailer` is right. Takes as long whatever is wrong with it.
pub fn is_right(trailer: &[u8; TRAILER_LEN], key: &[u8], source: IpAddr, pdu: &[u8]) -> bool {
    code(key, source, pdu, trailer).verify_truncated_left(&trailer[STAMP_END..]).is_ok()
}

/// What is signed.
fn code(key: &[u8], source: IpAddr, pdu: &[u8], trailer: &[u8; TRAILER_LEN]) -> Hmac<Sha256> {
    let mut prefix = [0; 20];
    prefix[1] = pdu.first().map_or(0, |byte| byte >> 4);
    prefix[2] = pdu.get(1).copied().unwrap_or_default();
    match source {
        IpAddr::V4(ip) => {
            prefix[0] = 4;
            prefix[4..8].copy_from_slice(&ip.octets());
        }
        IpAddr::V6(ip) => {
            prefix[0] = 6;
            prefix[4..20].copy_from_slice(&ip.octets());
        }
    }
    let (before, rest) = pdu.split_at(pdu.len().min(6));
    let (checksum, after) = rest.split_at(rest.len().min(2));
    #[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
    let mut code = Hmac::<Sha256>::new_from_slice(key).expect("a key of any length");
    code.update(&prefix);
    code.update(before);
    code.update(&[0; 2][..checksum.len()]);
    code.update(after);
    code.update(&trailer[..STAMP_END]);
    code.update(&[0; CODE_LEN]);
    code
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::tests::hex;

    const KEY: &[u8] = b"0123456789abcdef0123456789abcdef";
    /// Key 1, VRID 32, from 10.9.0.1, as stock 2.4.3 sends it.
    const PDU: &str = "31209601006443b80a090020";
    const TRAILER: &str = "010100006b0158103e8c000044d42d8f97204a7ded6a732311235f51";

    fn source() -> IpAddr {
        [10, 9, 0, 1].into()
    }

    fn trailer() -> [u8; TRAILER_LEN] {
        hex(TRAILER).try_into().unwrap()
    }

    #[test]
    fn the_code_is_stocks() {
        let read = Trailer::parse(&trailer()).unwrap();
        assert_eq!(read, Trailer { key_id: 1, stamp: Stamp(0x6b01_5810_3e8c_0000) });
        assert_eq!(read.sign(KEY, source(), &hex(PDU)), trailer());
        assert!(is_right(&trailer(), KEY, source(), &hex(PDU)));
    }

    #[test]
    fn the_code_over_ipv6_is_stocks() {
        // Key 7, VRID 33.
        let pdu = "312196020064126d fe800000000000000000000000000033 20010db8000000000000000000000033";
        let trailer = hex("010700006b0158103ecf0000cdd81f105d5c782bdb62c10b785449a1").try_into().unwrap();
        let source = "fe80::b825:33ff:fe29:ed14".parse().unwrap();
        assert!(is_right(&trailer, KEY, source, &hex(pdu)));
    }

    #[test]
    fn any_changed_bit_is_noticed_but_in_the_checksum() {
        for byte in 0..12 {
            let mut pdu = hex(PDU);
            pdu[byte] ^= 1;
            // Its type is not part of the prefix, but of the PDU.
            assert_eq!(is_right(&trailer(), KEY, source(), &pdu), matches!(byte, 6 | 7), "byte {byte}");
        }
        for byte in 0..TRAILER_LEN {
            let mut changed = trailer();
            changed[byte] ^= 1;
            assert!(!is_right(&changed, KEY, source(), &hex(PDU)), "byte {byte}");
        }
        assert!(!is_right(&trailer(), KEY, [10, 9, 0, 2].into(), &hex(PDU)));
        assert!(!is_right(&trailer(), &KEY[1..], source(), &hex(PDU)));
    }

    #[test]
    fn malformed_trailers() {
        for (byte, value) in [(0, 0), (0, 2), (1, 0), (2, 1), (3, 1)] {
            let mut changed = trailer();
            changed[byte] = value;
            assert_eq!(Trailer::parse(&changed), Err(Error::Malformed), "byte {byte}");
        }
    }

    #[test]
    fn short_adverts_do_no_harm() {
        for len in 0..12 {
            assert!(!is_right(&trailer(), KEY, source(), &hex(PDU)[..len]));
        }
    }

    #[test]
    fn stamps_go_round() {
        let (last, first) = (Stamp(u64::MAX), Stamp(0));
        assert!(first.is_after(last) && !last.is_after(first) && !first.is_after(first));
        assert_eq!(Stamp(0x6b01_5810_3e8c_0000).secs(), 0x6b01_5810);
    }
}
