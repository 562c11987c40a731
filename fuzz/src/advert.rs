//! What must hold for any packet whatever. The fuzz target and the test that replays the corpus both call it.

use std::net::IpAddr;

use keepalived_rs::base::Family;
use keepalived_rs::wire::ip::{V4_HEADER_LEN, V4Header, V6_HEADER_LEN, V6Header};
use keepalived_rs::wire::vrrp::{self, AUTH_NONE, AUTH_PASS, Cover, HEADER_LEN, Header, V2, V3};

/// Takes `packet`, from its IP header on, apart in every way, and puts together again what it says.
///
/// # Panics
/// If something does not hold.
pub(crate) fn check(packet: &[u8]) {
    if let Ok(ip) = V6Header::parse(packet) {
        let mut again = [0xa5; V6_HEADER_LEN];
        ip.emit(&mut again);
        assert_eq!(V6Header::parse(&again), Ok(ip));
        check_advert(&packet[V6_HEADER_LEN..], ip.source.into(), ip.destination.into());
    }
    let Ok(ip) = V4Header::parse(packet) else { return };
    let header_len = usize::from(ip.header_len);
    assert!((V4_HEADER_LEN..=60).contains(&header_len) && header_len <= packet.len());
    let mut again = [0xa5; V4_HEADER_LEN];
    ip.emit(&mut again);
    let without_options = V4Header { header_len: 20, ..ip };
    assert_eq!(V4Header::parse(&again), Ok(without_options));
    check_advert(&packet[header_len..], ip.source.into(), ip.destination.into());
}

fn check_advert(pdu: &[u8], source: IpAddr, destination: IpAddr) {
    let Ok(header) = Header::parse(pdu) else { return };
    let family = Family::of(source);
    let addresses: Vec<_> = vrrp::addresses(pdu, family).collect();
    let room = HEADER_LEN + addresses.len() * family.bytes();
    assert!(addresses.len() <= usize::from(header.count) && room <= pdu.len());
    let cover = Cover::Packet(source, destination);
    let _ = vrrp::checksum_is_right(pdu, Cover::Pdu);
    let _ = vrrp::checksum_is_right(pdu, cover);
    if pdu.len() != header.pdu_len(family) || header.kind != vrrp::TYPE_ADVERTISEMENT {
        return;
    }
    let (vrid, priority, addresses) = (header.vrid, header.priority, addresses.as_slice());
    let again = match header.version {
        2 => {
            let password = match header.auth_type() {
                AUTH_NONE if family == Family::V6 || vrrp::auth_data(pdu) == [0; 8] => None,
                AUTH_PASS if family == Family::V4 => Some(vrrp::auth_data(pdu)),
                _ => return,
            };
            let interval_secs = header.interval_secs();
            V2 { vrid, priority, interval_secs, password, family, addresses, cover }.emit()
        }
        3 if u16::from_be_bytes(header.word) == header.interval_cs() => {
            let interval_cs = header.interval_cs();
            V3 { vrid, priority, interval_cs, addresses, cover }.emit()
        }
        _ => return,
    };
    assert!(vrrp::checksum_is_right(&again, cover), "the checksum of an own advert is wrong");
    assert_eq!((&again[..6], &again[8..]), (&pdu[..6], &pdu[8..]));
}
