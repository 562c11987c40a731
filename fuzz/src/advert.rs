//! What must hold for any packet whatever. The fuzz target and the test that replays the corpus both call it.

use std::net::Ipv4Addr;

use keepalived_rs::wire::ip::{V4_HEADER_LEN, V4Header};
use keepalived_rs::wire::vrrp::{self, AUTH_NONE, AUTH_PASS, HEADER_LEN, Header, V2, V3};

/// Takes `packet`, from its IPv4 header on, apart in every way, and puts together again what it says.
///
/// # Panics
/// If something does not hold.
pub(crate) fn check(packet: &[u8]) {
    let Ok(ip) = V4Header::parse(packet) else { return };
    let header_len = usize::from(ip.header_len);
    assert!((V4_HEADER_LEN..=60).contains(&header_len) && header_len <= packet.len());
    let mut again = [0xa5; V4_HEADER_LEN];
    ip.emit(&mut again);
    let without_options = V4Header { header_len: 20, ..ip };
    assert_eq!(V4Header::parse(&again), Ok(without_options));
    check_advert(&packet[header_len..], ip.source, ip.destination);
}

fn check_advert(pdu: &[u8], source: Ipv4Addr, destination: Ipv4Addr) {
    let Ok(header) = Header::parse(pdu) else { return };
    let addresses: Vec<_> = vrrp::addresses_v4(pdu).collect();
    assert!(addresses.len() <= usize::from(header.count) && HEADER_LEN + addresses.len() * 4 <= pdu.len());
    let _ = vrrp::checksum_is_right_v2(pdu);
    let _ = vrrp::checksum_is_right_v3(pdu, source, destination);
    if pdu.len() != header.pdu_len_v4() || header.kind != vrrp::TYPE_ADVERTISEMENT {
        return;
    }
    let (vrid, priority, addresses) = (header.vrid, header.priority, addresses.as_slice());
    let (again, right) = match header.version {
        2 => {
            let password = match header.auth_type() {
                AUTH_NONE if vrrp::auth_data(pdu) == [0; 8] => None,
                AUTH_PASS => Some(vrrp::auth_data(pdu)),
                _ => return,
            };
            let interval_secs = header.interval_secs();
            let again = V2 { vrid, priority, interval_secs, password, addresses }.emit();
            let right = vrrp::checksum_is_right_v2(&again);
            (again, right)
        }
        3 if u16::from_be_bytes(header.word) == header.interval_cs() => {
            let interval_cs = header.interval_cs();
            let again = V3 { vrid, priority, interval_cs, addresses, source, destination }.emit();
            let right = vrrp::checksum_is_right_v3(&again, source, destination);
            (again, right)
        }
        _ => return,
    };
    assert!(right, "the checksum of an own advert is wrong");
    assert_eq!((&again[..6], &again[8..]), (&pdu[..6], &pdu[8..]));
}
