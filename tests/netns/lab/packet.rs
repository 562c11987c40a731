//! What the laboratory understands of the frames it sees. Written apart from `src/wire`, so that a mistake there
//! is not repeated here.

use std::net::Ipv4Addr;
use std::time::Duration;

/// A frame that matters to VRRP.
#[derive(Clone, Debug)]
pub enum Packet {
    /// A VRRP advert.
    Advert(Advert),
    /// A gratuitous ARP.
    Garp(Garp),
    /// The IPv6 packet of a VRRP advert, without its flow label: stock lets the kernel make one up.
    Advert6(Vec<u8>),
    /// The frame of a neighbour advertisement that nobody asked for.
    Advertisement(Vec<u8>),
}

/// A VRRP advert over IPv4, version 2 or 3.
#[derive(Clone, Debug)]
pub struct Advert {
    /// When the kernel saw it enter the bridge, since 1970.
    pub at: Duration,
    /// Source address.
    pub source: Ipv4Addr,
    /// The IPv4 packet.
    pub bytes: Vec<u8>,
    /// Virtual router.
    pub vrid: u8,
    /// Priority; 0 when the master resigns.
    pub priority: u8,
}

/// An ARP packet whose sender and target address are the same.
#[derive(Clone, Debug)]
pub struct Garp {
    /// When the kernel saw it enter the bridge, since 1970.
    pub at: Duration,
    /// The announced address.
    pub ip: Ipv4Addr,
    /// Its announced hardware address.
    pub mac: [u8; 6],
    /// The whole Ethernet frame.
    pub bytes: Vec<u8>,
}

impl Packet {
    /// `None` for frames that are neither.
    pub fn parse(at: Duration, frame: &[u8]) -> Option<Self> {
        let payload = frame.get(14..)?;
        match frame.get(12..14)? {
            [0x08, 0x00] => Advert::parse(at, payload).map(Self::Advert),
            [0x08, 0x06] => {
                let ip = ipv4(payload.get(14..18)?)?;
                let target = ipv4(payload.get(24..28)?)?;
                let mac = payload.get(8..14)?.try_into().ok()?;
                (ip == target).then(|| Self::Garp(Garp { at, ip, mac, bytes: frame.to_vec() }))
            }
            [0x86, 0xdd] => match *payload.get(6)? {
                112 => {
                    let mut packet = payload.to_vec();
                    let class = *packet.get(1)? & 0xf0;
                    packet.get_mut(1..4)?.copy_from_slice(&[class, 0, 0]);
                    Some(Self::Advert6(packet))
                }
                // To all nodes: the others answer questions.
                58 if *payload.get(40)? == 136 && payload.get(24..26)? == [0xff, 2] => {
                    Some(Self::Advertisement(frame.to_vec()))
                }
                _ => None,
            },
            _ => None,
        }
    }
}

impl Advert {
    fn parse(at: Duration, packet: &[u8]) -> Option<Self> {
        let total = usize::from(u16::from_be_bytes([*packet.get(2)?, *packet.get(3)?]));
        let packet = packet.get(..total)?;
        // Behind an authentication header (51), or not.
        let front = match (*packet.first()?, *packet.get(9)?) {
            (0x45, 112) => 20,
            (0x45, 51) => 44,
            _ => return None,
        };
        let (vrid, priority) = (*packet.get(front + 1)?, *packet.get(front + 2)?);
        Some(Self { at, source: ipv4(packet.get(12..16)?)?, bytes: packet.to_vec(), vrid, priority })
    }

    /// The VRRP message, without the IPv4 header; of an advert without authentication header.
    pub fn message(&self) -> &[u8] {
        &self.bytes[20..]
    }
}

fn ipv4(bytes: &[u8]) -> Option<Ipv4Addr> {
    <[u8; 4]>::try_from(bytes).ok().map(Ipv4Addr::from)
}

/// The Internet checksum (RFC 1071) of `parts` put one after the other; each must be of even length.
pub fn checksum(parts: &[&[u8]]) -> u16 {
    let words = parts.iter().flat_map(|part| part.chunks(2));
    let mut sum: u32 =
        words.map(|w| u32::from(u16::from_be_bytes([w[0], w.get(1).copied().unwrap_or(0)]))).sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !u16::try_from(sum).expect("folded to 16 bits")
}
