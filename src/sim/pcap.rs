//! Packets of a world in a file that tcpdump and Wireshark read.

use std::fs;
use std::io;
use std::net::IpAddr;
use std::path::Path;

use super::{LanId, What, World};
use crate::base::IfIndex;
use crate::wire::ip;

/// Ethernet, as pcap counts link types.
const LINKTYPE_ETHERNET: u32 = 1;

impl World {
    /// Writes what nodes sent on `lan` into a pcap file, VRRP packets with the Ethernet header they would have.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write_pcap(&self, lan: LanId, path: &Path) -> io::Result<()> {
        let mut file = Vec::new();
        // Magic number, version 2.4 (minor, major), time zone, accuracy, longest packet, link type.
        for word in [0xa1b2_c3d4_u32, 0x0004_0002, 0, 0, 65_535, LINKTYPE_ETHERNET] {
            file.extend(word.to_le_bytes());
        }
        for record in self.records() {
            let bytes = match &record.what {
                What::Advert { lan: on, packet } if *on == lan => {
                    let mut frame = self.ethernet_header(&record, packet);
                    frame.extend(packet.iter());
                    frame
                }
                What::Announcement { lan: on, frame, .. } if *on == lan => frame.to_vec(),
                _ => continue,
            };
            let micros = record.at.as_micros();
            let len = bytes.len() as u32;
            for word in [(micros / 1_000_000) as u32, (micros % 1_000_000) as u32, len, len] {
                file.extend(word.to_le_bytes());
            }
            file.extend(bytes);
        }
        fs::write(path, file)
    }

    /// Multicast destination of the packet (RFC 1112, RFC 2464), or all for unicast; MAC address of the node's first
    /// interface; type.
    fn ethernet_header(&self, record: &super::Record, packet: &[u8]) -> Vec<u8> {
        let destination = ip::Header::parse(packet).map(|header| header.destination);
        let (mut header, kind) = match destination {
            Ok(IpAddr::V4(ip)) if ip.is_multicast() => {
                let [_, a, b, c] = ip.octets();
                (vec![1, 0, 0x5e, a & 0x7f, b, c], [0x08, 0x00])
            }
            Ok(IpAddr::V6(ip)) if ip.is_multicast() => {
                let [.., a, b, c, d] = ip.octets();
                (vec![0x33, 0x33, a, b, c, d], [0x86, 0xdd])
            }
            Ok(IpAddr::V6(_)) => (vec![0xff; 6], [0x86, 0xdd]),
            _ => (vec![0xff; 6], [0x08, 0x00]),
        };
        let mac = record.node.and_then(|node| {
            let mut state = self.state.borrow_mut();
            state.node(node).kernel.port(IfIndex(2)).and_then(|(_, link)| link.mac)
        });
        header.extend(mac.unwrap_or_default().0);
        header.extend(kind);
        header
    }
}
