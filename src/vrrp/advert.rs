//! The adverts a router sends, prepared beforehand so that sending one costs next to nothing.

use std::net::IpAddr;
use std::ops::Range;
use std::time::Duration;

use super::auth::{Authentication, Mark};
use super::params::{Delivery, Params};
use crate::base::Family;
use crate::config::model::Version;
use crate::wire::ah::{self, AH_LEN, Ah};
use crate::wire::ip::{
    PROTO_VRRP, TOS_INTERNETWORK_CONTROL, V4_HEADER_LEN, V4Header, V6_HEADER_LEN, V6Header, VRRP_TTL,
};
use crate::wire::trailer::TRAILER_LEN;
use crate::wire::vrrp::{self, AUTH_AH, Cover, MAX_INTERVAL_CS, V2, V3};

/// Makes the complete packets of one router.
#[derive(Clone, Debug)]
pub struct Adverts {
    source: IpAddr,
    /// The last identification of an IPv4 header.
    id: u16,
    /// One for each destination.
    packets: Vec<Packet>,
    /// What they say that can change: priority, and whether the checksum is the old one. `None`: nothing made yet.
    made: Option<(u8, bool)>,
}

/// A complete packet.
#[derive(Clone, Debug)]
struct Packet {
    destination: IpAddr,
    /// Its IPv4 header, to be written anew each time.
    header: Option<V4Header>,
    /// Headers, authentication header, PDU, trailer.
    bytes: Vec<u8>,
    /// Where the PDU is in there.
    pdu: Range<usize>,
}

impl Packet {
    /// Writes the authentication header, which covers the IP header.
    fn authenticate(&mut self, sequence: u32, key: &[u8; 8]) {
        let (Some(V4Header { source, .. }), Some(room)) =
            (self.header, self.bytes.get_mut(V4_HEADER_LEN..V4_HEADER_LEN + AH_LEN))
        else {
            return;
        };
        room.copy_from_slice(&Ah { spi: source, sequence }.emit());
        // It fails only for want of the room that has just been found.
        let _ = ah::seal(&mut self.bytes, key);
    }

    /// Writes the trailer, which over IPv6 is covered by the checksum.
    fn sign(&mut self, source: IpAddr, trailer: &[u8; TRAILER_LEN]) {
        if let Some(room) = self.bytes.get_mut(self.pdu.end..) {
            room.copy_from_slice(trailer);
        }
        if let (IpAddr::V6(_), Some(covered)) = (source, self.bytes.get_mut(self.pdu.start..)) {
            vrrp::seal(covered, Cover::Packet(source, self.destination));
        }
    }
}

impl Adverts {
    /// Adverts sent from `source`.
    pub fn new(source: IpAddr) -> Self {
        Self { source, id: 0, packets: Vec::new(), made: None }
    }

    /// The configuration has changed: nothing that was made before is of use any more.
    pub fn renew(&mut self) {
        self.made = None;
    }

    /// Where they are sent from.
    pub fn source(&self) -> IpAddr {
        self.source
    }

    /// The next advert: a packet, IP header included, for each destination. All have the same identification, which is
    /// one more than the last one's, never 0. `mark`: see [`Memory`](super::auth::Memory).
    pub fn next(
        &mut self,
        params: &Params,
        priority: u8,
        mark: Mark,
    ) -> impl Iterator<Item = (&[u8], IpAddr)> {
        let content = (priority, params.delivery.sends_old_checksum());
        if self.made != Some(content) {
            self.packets = self.make(params, priority);
            self.made = Some(content);
        }
        self.id = self.id.checked_add(1).unwrap_or(1);
        // The same for all peers, as the checksum, which tells their PDUs apart, is not signed.
        let mut trailer = None;
        for packet in &mut self.packets {
            if let Some(header) = &mut packet.header {
                header.id = self.id;
                header.emit(&mut packet.bytes);
            }
            match (&params.authentication, mark) {
                (Authentication::Ah(key), Mark::Sequence(sequence)) => packet.authenticate(sequence, key),
                (Authentication::Hmac(hmac), Mark::Stamp(stamp)) if hmac.signs() => {
                    let pdu = packet.bytes.get(packet.pdu.clone()).unwrap_or_default();
                    trailer = trailer.or_else(|| hmac.sign(stamp, self.source, pdu));
                    if let Some(trailer) = &trailer {
                        packet.sign(self.source, trailer);
                    }
                }
                _ => {}
            }
        }
        self.packets.iter().map(|packet| (packet.bytes.as_slice(), packet.destination))
    }

    fn make(&self, params: &Params, priority: u8) -> Vec<Packet> {
        // Whoever is to sign and cannot is in FAULT; without a signature nothing leaves even so.
        if params.authentication.lacks_key() {
            return Vec::new();
        }
        match &params.delivery {
            Delivery::Multicast(group) => {
                self.packet(params, priority, *group, VRRP_TTL).into_iter().collect()
            }
            // People give all routers the same list; nobody needs to hear from himself.
            Delivery::Unicast(unicast) => unicast
                .peers
                .iter()
                .filter(|peer| peer.address != self.source)
                .filter_map(|peer| self.packet(params, priority, peer.address, unicast.ttl))
                .collect(),
        }
    }

    /// `None` if source and destination are not of one family, which no configuration says.
    fn packet(&self, params: &Params, priority: u8, destination: IpAddr, ttl: u8) -> Option<Packet> {
        let pdu = self.pdu(params, priority, destination);
        let authentication = &params.authentication;
        // At most 24 + 8 + 255 * 16 + 8 + 28 bytes.
        let payload_len = (authentication.header_len() + pdu.len() + authentication.trailer_len()) as u16;
        let (header, mut bytes) = match (self.source, destination) {
            (IpAddr::V4(source), IpAddr::V4(destination)) => {
                let header = V4Header {
                    header_len: V4_HEADER_LEN as u8,
                    tos: TOS_INTERNETWORK_CONTROL,
                    total_len: V4_HEADER_LEN as u16 + payload_len,
                    id: 0,
                    ttl,
                    protocol: authentication.protocol(),
                    source,
                    destination,
                };
                (Some(header), vec![0; V4_HEADER_LEN])
            }
            (IpAddr::V6(source), IpAddr::V6(destination)) => {
                let class = TOS_INTERNETWORK_CONTROL;
                let mut bytes = vec![0; V6_HEADER_LEN];
                V6Header { class, payload_len, next: PROTO_VRRP, hops: ttl, source, destination }
                    .emit(&mut bytes);
                (None, bytes)
            }
            _ => return None,
        };
        let start = bytes.len() + authentication.header_len();
        let range = start..start + pdu.len();
        bytes.resize(start, 0);
        bytes.extend_from_slice(&pdu);
        bytes.resize(range.end + authentication.trailer_len(), 0);
        Some(Packet { destination, header, bytes, pdu: range })
    }

    fn pdu(&self, params: &Params, priority: u8, destination: IpAddr) -> Vec<u8> {
        let (vrid, family) = (params.vrid.get(), params.family);
        let addresses = &params.addresses;
        let cover = cover(params, self.source, destination);
        match params.version {
            Version::V2 => {
                let interval_secs = u8::try_from(params.advert_int.as_secs()).unwrap_or(u8::MAX);
                let password = match params.authentication {
                    Authentication::Password(password) => Some(password),
                    _ => None,
                };
                let mut pdu = V2 { vrid, priority, interval_secs, password, family, addresses, cover }.emit();
                if matches!(params.authentication, Authentication::Ah(_)) {
                    pdu[4] = AUTH_AH;
                    vrrp::seal(&mut pdu, cover);
                }
                pdu
            }
            Version::V3 => {
                let interval_cs = centiseconds(params.advert_int);
                V3 { vrid, priority, interval_cs, addresses, cover }.emit()
            }
        }
    }
}

/// What the checksum of our adverts covers.
fn cover(params: &Params, source: IpAddr, destination: IpAddr) -> Cover {
    match (params.family, params.version) {
        (Family::V6, _) => Cover::Packet(source, destination),
        (Family::V4, Version::V2) => Cover::Pdu,
        (Family::V4, Version::V3) if params.v3_checksum_as_v2 => Cover::Pdu,
        (Family::V4, Version::V3) => {
            let old = params.delivery.old_group().filter(|_| params.delivery.sends_old_checksum());
            Cover::Packet(source, old.unwrap_or(destination))
        }
    }
}

/// Whole centiseconds, at most what a packet can tell.
fn centiseconds(interval: Duration) -> u16 {
    u16::try_from(interval.as_millis() / 10).unwrap_or(MAX_INTERVAL_CS).min(MAX_INTERVAL_CS)
}
