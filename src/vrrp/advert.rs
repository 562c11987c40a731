//! The adverts a router sends, prepared beforehand so that sending one costs next to nothing.

use std::net::Ipv4Addr;
use std::time::Duration;

use super::params::Params;
use crate::config::model::Version;
use crate::wire::ip::{PROTO_VRRP, TOS_INTERNETWORK_CONTROL, V4_HEADER_LEN, V4Header, VRRP_TTL};
use crate::wire::vrrp::{MAX_INTERVAL_CS, V2, V3};

/// Makes the complete packets of one router.
#[derive(Clone, Debug)]
pub struct Adverts {
    header: V4Header,
    packet: Vec<u8>,
    /// Priority in `packet`; `None`: nothing made yet.
    priority: Option<u8>,
}

impl Adverts {
    /// Adverts sent from `source`.
    pub fn new(source: Ipv4Addr, destination: Ipv4Addr) -> Self {
        let header = V4Header {
            header_len: V4_HEADER_LEN as u8,
            tos: TOS_INTERNETWORK_CONTROL,
            total_len: 0,
            id: 0,
            ttl: VRRP_TTL,
            protocol: PROTO_VRRP,
            source,
            destination,
        };
        Self { header, packet: Vec::new(), priority: None }
    }

    /// Where they are sent from.
    pub fn source(&self) -> Ipv4Addr {
        self.header.source
    }

    /// The next packet, IP header included. Its identification is one more than the last one's, never 0.
    pub fn next(&mut self, params: &Params, priority: u8) -> &[u8] {
        if self.priority != Some(priority) {
            let pdu = self.pdu(params, priority);
            self.packet.clear();
            self.packet.resize(V4_HEADER_LEN, 0);
            self.packet.extend_from_slice(&pdu);
            // At most 20 + 8 + 255 * 4 + 8 bytes.
            self.header.total_len = self.packet.len() as u16;
            self.priority = Some(priority);
        }
        self.header.id = self.header.id.checked_add(1).unwrap_or(1);
        self.header.emit(&mut self.packet);
        &self.packet
    }

    fn pdu(&self, params: &Params, priority: u8) -> Vec<u8> {
        let vrid = params.vrid.get();
        let addresses = &params.addresses;
        match params.version {
            Version::V2 => {
                let interval_secs = u8::try_from(params.advert_int.as_secs()).unwrap_or(u8::MAX);
                V2 { vrid, priority, interval_secs, password: params.password, addresses }.emit()
            }
            Version::V3 => {
                let (source, destination) = (self.header.source, self.header.destination);
                let interval_cs = centiseconds(params.advert_int);
                V3 { vrid, priority, interval_cs, addresses, source, destination }.emit()
            }
        }
    }
}

/// Whole centiseconds, at most what a packet can tell.
fn centiseconds(interval: Duration) -> u16 {
    u16::try_from(interval.as_millis() / 10).unwrap_or(MAX_INTERVAL_CS).min(MAX_INTERVAL_CS)
}
