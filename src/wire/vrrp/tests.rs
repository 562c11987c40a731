use super::*;
use crate::wire::ip::{TOS_INTERNETWORK_CONTROL, V4Header, VRRP_TTL};
use crate::wire::tests::hex;
use proptest::prelude::*;

const SOURCE: Ipv4Addr = Ipv4Addr::new(10, 9, 0, 1);
const GROUP: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 18);

/// Adverts captured from stock 2.4.3, source 10.9.0.1.
#[test]
fn version_2_as_stock_sends_it() {
    let v2 = |priority| {
        let addresses = [Ipv4Addr::new(10, 9, 0, 34)];
        V2 { vrid: 34, priority, interval_secs: 1, password: Some(*b"secret12"), addresses: &addresses }
            .emit()
    };
    assert_eq!(v2(150), hex("212296010101d0310a0900227365637265743132"));
    assert_eq!(v2(0), hex("21220001010166320a0900227365637265743132"));
    assert!(checksum_is_right_v2(&v2(150)));
    assert_eq!(auth_data(&v2(150)), *b"secret12");
}

#[test]
fn version_3_as_stock_sends_it() {
    let v3 = |priority| {
        let addresses = [Ipv4Addr::new(10, 9, 0, 36)];
        V3 { vrid: 36, priority, interval_cs: 50, addresses: &addresses, source: SOURCE, destination: GROUP }
            .emit()
    };
    assert_eq!(v3(150), hex("3124960100 3243e20a090024".replace(' ', "").as_str()));
    assert_eq!(v3(0), hex("312400010032d9e20a090024"));
    assert!(checksum_is_right_v3(&v3(150), SOURCE, GROUP));
    assert!(!checksum_is_right_v3(&v3(150), SOURCE, SOURCE));
}

#[test]
fn version_3_to_a_unicast_peer_as_stock_sends_it() {
    let destination = Ipv4Addr::new(10, 9, 0, 2);
    let addresses = [Ipv4Addr::new(10, 9, 0, 35)];
    let pdu =
        V3 { vrid: 35, priority: 150, interval_cs: 100, addresses: &addresses, source: SOURCE, destination }
            .emit();
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

fn any_addresses() -> impl Strategy<Value = Vec<Ipv4Addr>> {
    prop::collection::vec(any::<u32>().prop_map(Ipv4Addr::from), 0..=255)
}

proptest! {
    #[test]
    fn what_version_2_says_is_read_back(
        vrid in 1u8.., priority: u8, interval_secs: u8, password: Option<[u8; 8]>, addresses in any_addresses()
    ) {
        let pdu = V2 { vrid, priority, interval_secs, password, addresses: &addresses }.emit();
        let header = Header::parse(&pdu).unwrap();
        prop_assert_eq!((header.version, header.kind, header.vrid, header.priority), (2, 1, vrid, priority));
        prop_assert_eq!(header.interval_secs(), interval_secs);
        prop_assert_eq!(header.auth_type(), u8::from(password.is_some()));
        prop_assert_eq!(header.pdu_len_v4(), pdu.len());
        prop_assert_eq!(auth_data(&pdu), password.unwrap_or_default());
        prop_assert_eq!(addresses_v4(&pdu).collect::<Vec<_>>(), addresses);
        prop_assert!(checksum_is_right_v2(&pdu));
    }

    #[test]
    fn what_version_3_says_is_read_back(
        vrid in 1u8.., priority: u8, interval_cs in 0..=MAX_INTERVAL_CS, addresses in any_addresses()
    ) {
        let pdu = V3 { vrid, priority, interval_cs, addresses: &addresses, source: SOURCE, destination: GROUP }.emit();
        let header = Header::parse(&pdu).unwrap();
        prop_assert_eq!((header.version, header.kind, header.vrid, header.priority), (3, 1, vrid, priority));
        prop_assert_eq!(header.interval_cs(), interval_cs);
        prop_assert_eq!(header.pdu_len_v4(), pdu.len());
        prop_assert_eq!(addresses_v4(&pdu).collect::<Vec<_>>(), addresses);
        prop_assert!(checksum_is_right_v3(&pdu, SOURCE, GROUP));
    }

    #[test]
    fn a_flipped_bit_breaks_the_checksum(at in 0usize..20, bit in 0u32..8) {
        let addresses = [Ipv4Addr::new(10, 9, 0, 34)];
        let mut pdu = V2 { vrid: 34, priority: 150, interval_secs: 1, password: None, addresses: &addresses }.emit();
        pdu[at] ^= 1 << bit;
        prop_assert!(!checksum_is_right_v2(&pdu));
    }

    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        let _ = Header::parse(&bytes).map(|h| h.pdu_len_v4());
        let _ = addresses_v4(&bytes).count();
        let _ = auth_data(&bytes);
        let _ = checksum_is_right_v2(&bytes);
        let _ = checksum_is_right_v3(&bytes, SOURCE, GROUP);
        let _ = V4Header::parse(&bytes);
    }
}
