use std::net::{Ipv4Addr, Ipv6Addr};

use super::*;
use crate::wire::ip::{TOS_INTERNETWORK_CONTROL, V4Header, VRRP_TTL};
use crate::wire::tests::hex;
use proptest::prelude::*;

const SOURCE: Ipv4Addr = Ipv4Addr::new(10, 9, 0, 1);
const GROUP: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 18);
const TO_GROUP: Cover = Cover::Packet(IpAddr::V4(SOURCE), IpAddr::V4(GROUP));

/// Adverts captured from stock 2.4.3, source 10.9.0.1.
#[test]
fn version_2_as_stock_sends_it() {
    let v2 = |priority| {
        let addresses = &[IpAddr::from([10, 9, 0, 34])];
        let (password, family, cover) = (Some(*b"secret12"), Family::V4, Cover::Pdu);
        V2 { vrid: 34, priority, interval_secs: 1, password, family, addresses, cover }.emit()
    };
    assert_eq!(v2(150), hex("212296010101d0310a0900227365637265743132"));
    assert_eq!(v2(0), hex("21220001010166320a0900227365637265743132"));
    assert!(checksum_is_right(&v2(150), Cover::Pdu));
    assert_eq!(auth_data(&v2(150)), *b"secret12");
}

#[test]
fn version_3_as_stock_sends_it() {
    let v3 = |priority| {
        let addresses = &[IpAddr::from([10, 9, 0, 36])];
        V3 { vrid: 36, priority, interval_cs: 50, addresses, cover: TO_GROUP }.emit()
    };
    assert_eq!(v3(150), hex("3124960100 3243e20a090024".replace(' ', "").as_str()));
    assert_eq!(v3(0), hex("312400010032d9e20a090024"));
    assert!(checksum_is_right(&v3(150), TO_GROUP));
    assert!(!checksum_is_right(&v3(150), Cover::Packet(SOURCE.into(), SOURCE.into())));
    assert!(!checksum_is_right(&v3(150), Cover::Pdu));
}

#[test]
fn version_3_to_a_unicast_peer_as_stock_sends_it() {
    let destination = Ipv4Addr::new(10, 9, 0, 2);
    let addresses = &[IpAddr::from([10, 9, 0, 35])];
    let cover = Cover::Packet(SOURCE.into(), destination.into());
    let pdu = V3 { vrid: 35, priority: 150, interval_cs: 100, addresses, cover }.emit();
    assert_eq!(pdu, hex("31239601006419ba0a090023"));
    assert_eq!(ip_header(pdu.len(), destination), hex("45c0002000010000ff70a6980a0900010a090002"));
}

#[test]
fn ip_header_as_stock_sends_it() {
    assert_eq!(ip_header(20, GROUP), hex("45c0002800010000ff70d0880a090001e0000012"));
}

fn ip_header(payload: usize, destination: Ipv4Addr) -> Vec<u8> {
    let header = V4Header {
        header_len: 20,
        tos: TOS_INTERNETWORK_CONTROL,
        total_len: 20 + payload as u16,
        id: 1,
        ttl: VRRP_TTL,
        protocol: PROTO_VRRP,
        source: SOURCE,
        destination,
    };
    let mut bytes = vec![0xa5; 20];
    header.emit(&mut bytes);
    assert_eq!(V4Header::parse(&bytes), Ok(header));
    bytes
}

/// Of an advert with an authentication trailer, which the IPv6 checksum covers: without it this is the sum of the rest.
#[test]
fn version_3_over_ipv6() {
    let source: Ipv6Addr = "fe80::b825:33ff:fe29:ed14".parse().unwrap();
    let group: Ipv6Addr = "ff02::12".parse().unwrap();
    let addresses: &[IpAddr] = &["fe80::33".parse().unwrap(), "2001:db8::33".parse().unwrap()];
    let cover = Cover::Packet(source.into(), group.into());
    let pdu = V3 { vrid: 33, priority: 150, interval_cs: 100, addresses, cover }.emit();
    let mut signed = pdu.clone();
    signed.extend(hex("010700006b0158103ecf0000cdd81f105d5c782bdb62c10b785449a1"));
    signed[6..8].copy_from_slice(&hex("126d"));
    assert!(checksum_is_right(&signed, cover));
    assert_eq!((&signed[..6], &signed[8..40]), (&pdu[..6], &pdu[8..]));
    assert!(checksum_is_right(&pdu, cover));
}

fn any_addresses() -> impl Strategy<Value = (Family, Vec<IpAddr>)> {
    let v4 = prop::collection::vec(any::<[u8; 4]>().prop_map(IpAddr::from), 0..=255);
    let v6 = prop::collection::vec(any::<[u8; 16]>().prop_map(IpAddr::from), 0..=255);
    prop_oneof![v4.prop_map(|a| (Family::V4, a)), v6.prop_map(|a| (Family::V6, a))]
}

proptest! {
    #[test]
    fn what_version_2_says_is_read_back(
        vrid in 1u8.., priority: u8, interval_secs: u8, password: Option<[u8; 8]>,
        (family, addresses) in any_addresses()
    ) {
        let cover = if family == Family::V4 { Cover::Pdu } else { TO_GROUP };
        let pdu = V2 { vrid, priority, interval_secs, password, family, addresses: &addresses, cover }.emit();
        let header = Header::parse(&pdu).unwrap();
        prop_assert_eq!((header.version, header.kind, header.vrid, header.priority), (2, 1, vrid, priority));
        prop_assert_eq!(header.interval_secs(), interval_secs);
        let password = password.filter(|_| family == Family::V4);
        prop_assert_eq!(header.auth_type(), u8::from(password.is_some()));
        prop_assert_eq!(header.pdu_len(family), pdu.len());
        if family == Family::V4 {
            prop_assert_eq!(auth_data(&pdu), password.unwrap_or_default());
        }
        prop_assert_eq!(super::addresses(&pdu, family).collect::<Vec<_>>(), addresses);
        prop_assert!(checksum_is_right(&pdu, cover));
    }

    #[test]
    fn what_version_3_says_is_read_back(
        vrid in 1u8.., priority: u8, interval_cs in 0..=MAX_INTERVAL_CS, (family, addresses) in any_addresses()
    ) {
        let pdu = V3 { vrid, priority, interval_cs, addresses: &addresses, cover: TO_GROUP }.emit();
        let header = Header::parse(&pdu).unwrap();
        prop_assert_eq!((header.version, header.kind, header.vrid, header.priority), (3, 1, vrid, priority));
        prop_assert_eq!(header.interval_cs(), interval_cs);
        prop_assert_eq!(header.pdu_len(family), pdu.len());
        prop_assert_eq!(super::addresses(&pdu, family).collect::<Vec<_>>(), addresses);
        prop_assert!(checksum_is_right(&pdu, TO_GROUP));
    }

    #[test]
    fn a_flipped_bit_breaks_the_checksum(at in 0usize..20, bit in 0u32..8) {
        let addresses = &[IpAddr::from([10, 9, 0, 34])];
        let (password, family, cover) = (None, Family::V4, Cover::Pdu);
        let advert = V2 { vrid: 34, priority: 150, interval_secs: 1, password, family, addresses, cover };
        let mut pdu = advert.emit();
        pdu[at] ^= 1 << bit;
        prop_assert!(!checksum_is_right(&pdu, Cover::Pdu));
    }

    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        for family in [Family::V4, Family::V6] {
            let _ = Header::parse(&bytes).map(|h| h.pdu_len(family));
            let _ = addresses(&bytes, family).count();
        }
        let _ = auth_data(&bytes);
        let _ = checksum_is_right(&bytes, Cover::Pdu);
        let _ = checksum_is_right(&bytes, TO_GROUP);
        let _ = crate::wire::ip::Header::parse(&bytes);
    }
}
