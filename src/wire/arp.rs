//! Gratuitous ARP (RFC 826, RFC 5227 section 3): a router tells a network segment that an address is its own now.
//!
//! ```text
//!  0 destination ff:ff:ff:ff:ff:ff | 6 source | 12 type 0x0806           Ethernet
//! 14 hardware 1 | 16 protocol 0x0800 | 18 length 6 | 19 length 4 | 20 operation 1 (request)
//! 22 sender hardware | 28 sender protocol | 32 target hardware ff:… | 38 target protocol
//! ```

use std::net::Ipv4Addr;

use pnet_base::MacAddr as PnetMac;
use pnet_packet::arp::{ArpHardwareTypes, ArpOperations, MutableArpPacket};
use pnet_packet::ethernet::{EtherTypes, MutableEthernetPacket};

use crate::base::MacAddr;

/// Bytes of the frame, without padding and frame check sequence.
pub const FRAME_LEN: usize = 42;

/// The frame in which the interface with the address `mac` announces `ip`: a broadcast request in which sender and
/// target are both `ip`. The target hardware address is all ones, as stock has it.
pub fn gratuitous(mac: MacAddr, ip: Ipv4Addr) -> [u8; FRAME_LEN] {
    let mut frame = [0; FRAME_LEN];
    fill(&mut frame, mac, ip);
    frame
}

/// Writes every byte of `frame`.
fn fill(frame: &mut [u8; FRAME_LEN], mac: MacAddr, ip: Ipv4Addr) {
    let own = PnetMac::from(mac.0);
    let (ethernet, arp) = frame.split_at_mut(MutableEthernetPacket::minimum_packet_size());
    // 14 and 28 bytes: both views exist.
    if let Some(mut header) = MutableEthernetPacket::new(ethernet) {
        header.set_destination(PnetMac::broadcast());
        header.set_source(own);
        header.set_ethertype(EtherTypes::Arp);
    }
    if let Some(mut request) = MutableArpPacket::new(arp) {
        request.set_hardware_type(ArpHardwareTypes::Ethernet);
        request.set_protocol_type(EtherTypes::Ipv4);
        request.set_hw_addr_len(6);
        request.set_proto_addr_len(4);
        request.set_operation(ArpOperations::Request);
        request.set_sender_hw_addr(own);
        request.set_sender_proto_addr(ip);
        request.set_target_hw_addr(PnetMac::broadcast());
        request.set_target_proto_addr(ip);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rustfmt::skip]
    const VECTOR: [u8; FRAME_LEN] = [
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02, 0x00, 0x5e, 0x10, 0x20, 0x30, 0x08, 0x06,
        0x00, 0x01, 0x08, 0x00, 0x06, 0x04, 0x00, 0x01,
        0x02, 0x00, 0x5e, 0x10, 0x20, 0x30, 192, 0, 2, 9,
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 192, 0, 2, 9,
    ];
    const MAC: MacAddr = MacAddr([0x02, 0x00, 0x5e, 0x10, 0x20, 0x30]);

    #[test]
    fn announces_an_address() {
        assert_eq!(gratuitous(MAC, Ipv4Addr::new(192, 0, 2, 9)), VECTOR);
    }

    #[test]
    fn leaves_no_byte_as_it_was() {
        let mut frame = [0xa5; FRAME_LEN];
        fill(&mut frame, MAC, Ipv4Addr::new(192, 0, 2, 9));
        assert_eq!(frame, VECTOR);
    }
}
