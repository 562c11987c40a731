//! The unsolicited neighbour advertisement (RFC 4861 section 4.4): what gratuitous ARP is to IPv4.
//!
//! ```text
//!  0 destination 33:33:00:00:00:01 | 6 source | 12 type 0x86dd                            Ethernet
//! 14 IPv6 header: hop limit 255, from the announced address to all nodes
//! 54 type 136 | 55 code 0 | 56 checksum | 58 flags: router, solicited, override; reserved
//! 62 the announced address | 78 option 2, target link-layer address | 79 length 1 | 80 hardware address
//! ```

use std::net::Ipv6Addr;

use super::ip::{V6_HEADER_LEN, V6Header};
use super::{finish, pseudo_header, sum};
use crate::base::MacAddr;

/// Bytes of the frame, without frame check sequence.
pub const FRAME_LEN: usize = ETHERNET_LEN + V6_HEADER_LEN + MESSAGE_LEN;
/// All nodes of a link.
pub const ALL_NODES: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);

const ETHERNET_LEN: usize = 14;
/// The advertisement with its option.
const MESSAGE_LEN: usize = 32;
const PROTO_ICMPV6: u8 = 58;
const NEIGHBOUR_ADVERTISEMENT: u8 = 136;
/// The sender forwards packets.
const FLAG_ROUTER: u8 = 0x80;
/// What neighbours have in their caches is to be replaced.
const FLAG_OVERRIDE: u8 = 0x20;
const OPTION_TARGET_LINK_LAYER_ADDRESS: u8 = 2;

/// The frame in which the interface with the address `mac` announces `ip`; `router`: it forwards packets.
pub fn unsolicited(mac: MacAddr, ip: Ipv6Addr, router: bool) -> [u8; FRAME_LEN] {
    let mut frame = [0; FRAME_LEN];
    fill(&mut frame, mac, ip, router);
    frame
}

/// Writes every byte of `frame`.
fn fill(frame: &mut [u8; FRAME_LEN], mac: MacAddr, ip: Ipv6Addr, router: bool) {
    let (ethernet, packet) = frame.split_at_mut(ETHERNET_LEN);
    let (header, message) = packet.split_at_mut(V6_HEADER_LEN);
    ethernet[..6].copy_from_slice(&[0x33, 0x33, 0, 0, 0, 1]);
    ethernet[6..12].copy_from_slice(&mac.0);
    ethernet[12..].copy_from_slice(&[0x86, 0xdd]);
    V6Header {
        class: 0,
        payload_len: MESSAGE_LEN as u16,
        next: PROTO_ICMPV6,
        hops: 255,
        source: ip,
        destination: ALL_NODES,
    }
    .emit(header);
    let flags = if router { FLAG_ROUTER | FLAG_OVERRIDE } else { FLAG_OVERRIDE };
    message[..8].copy_from_slice(&[NEIGHBOUR_ADVERTISEMENT, 0, 0, 0, flags, 0, 0, 0]);
    message[8..24].copy_from_slice(&ip.octets());
    message[24..26].copy_from_slice(&[OPTION_TARGET_LINK_LAYER_ADDRESS, 1]);
    message[26..].copy_from_slice(&mac.0);
    let pseudo = pseudo_header(ip.into(), ALL_NODES.into(), PROTO_ICMPV6, MESSAGE_LEN);
    let checksum = finish(sum(pseudo, message));
    message[2..4].copy_from_slice(&checksum.to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAC: MacAddr = MacAddr([0x02, 0x00, 0x00, 0x00, 0x00, 0x01]);
    const IP: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0x51);

    /// What stock 2.2.7 sends where nothing is forwarded.
    #[rustfmt::skip]
    const VECTOR: [u8; FRAME_LEN] = [
        0x33, 0x33, 0x00, 0x00, 0x00, 0x01, 0x02, 0x00, 0x00, 0x00, 0x00, 0x01, 0x86, 0xdd,
        0x60, 0x00, 0x00, 0x00, 0x00, 0x20, 0x3a, 0xff,
        0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x51,
        0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x01,
        0x88, 0x00, 0xf8, 0x8a, 0x20, 0x00, 0x00, 0x00,
        0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x51,
        0x02, 0x01, 0x02, 0x00, 0x00, 0x00, 0x00, 0x01,
    ];

    #[test]
    fn announces_an_address() {
        assert_eq!(unsolicited(MAC, IP, false), VECTOR);
    }

    #[test]
    fn a_router_says_so() {
        let mut expected = VECTOR;
        (expected[58], expected[56]) = (0xa0, 0x78);
        assert_eq!(unsolicited(MAC, IP, true), expected);
    }

    #[test]
    fn leaves_no_byte_as_it_was() {
        let mut frame = [0xa5; FRAME_LEN];
        fill(&mut frame, MAC, IP, false);
        assert_eq!(frame, VECTOR);
    }
}
