//! VRRP sockets and the announcement of addresses.

use std::net::IpAddr;
use std::ops::Range;
use std::rc::Rc;
use std::task::{Context, Poll};

use super::Error;
use crate::base::{Family, IfIndex, IfName};

/// Which VRRP packets an endpoint receives, and where it sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointSpec {
    /// The interface: its index, and its name for messages and for kernels that want one. `None`: all interfaces,
    /// which is for unicast only.
    pub interface: Option<(IfIndex, IfName)>,
    /// Address family.
    pub family: Family,
    /// IP protocol: 112, or 51 for those that come behind an authentication header (IPv4 only).
    pub protocol: u8,
    /// Multicast groups of this family to join, without repetition. None without an interface.
    pub groups: Vec<IpAddr>,
}

/// The two sides of an open endpoint.
pub type Endpoint = (Box<dyn VrrpReceiver>, Rc<dyn VrrpSender>);

/// Opens VRRP endpoints.
pub trait VrrpNet {
    /// One receiving and one sending socket on an interface. Own packets are not looped back.
    ///
    /// # Errors
    /// What the system refused: no such device, no permission.
    fn open(&self, spec: &EndpointSpec) -> Result<Endpoint, Error>;
}

/// One received VRRP packet; its bytes are in the buffer the caller gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Datagram {
    /// Source address of the IP header.
    pub source: IpAddr,
    /// Destination address of the IP header.
    pub destination: IpAddr,
    /// TTL or hop limit as received.
    pub ttl: u8,
    /// Protocol of the IP header: 112, or 51 when an authentication header comes first.
    pub protocol: u8,
    /// IPv4: total length by the IP header, in bytes. IPv6: length of the payload received.
    pub declared_len: usize,
    /// IPv4: bytes of the IP header. IPv6: 0.
    pub header_len: usize,
    /// Where in the buffer the payload is: all that was received behind the IP header, padding included.
    pub payload: Range<usize>,
}

/// The receiving side of an endpoint.
pub trait VrrpReceiver {
    /// The next packet, into `buf`, which should hold 4,200 bytes. Malformed IP headers are skipped.
    /// An error is transient (the link went down); the endpoint stays usable.
    fn poll_recv(&mut self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<Result<Datagram, Error>>;

    /// A packet that has already arrived, without waiting; `None` if there is none.
    fn try_recv(&mut self, buf: &mut [u8]) -> Option<Result<Datagram, Error>>;

    /// Drop packets of all VRIDs but these before they reach the daemon, where the system can.
    fn set_vrids(&mut self, vrids: &[u8]);
}

/// The sending side of an endpoint.
pub trait VrrpSender {
    /// Sends one packet, which is complete from the IP header on; the checksum of an IPv4 header may be left 0. Never
    /// blocks.
    ///
    /// # Errors
    /// What the system answered, for example `ENODEV` when the interface is gone.
    fn send(&self, packet: &[u8], destination: IpAddr) -> Result<(), Error>;
}

/// A link-layer frame to send as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The interface it leaves by.
    pub link: IfIndex,
    /// What that is called.
    pub name: IfName,
    /// The frame from the destination MAC address on, without frame check sequence.
    pub bytes: Vec<u8>,
}

/// Sends gratuitous ARP and neighbour advertisements.
pub trait Announcer {
    /// Whether an interface forwards IPv6 packets, which neighbour advertisements tell; `false` if that is not known.
    fn forwards_v6(&self, interface: &IfName) -> bool;

    /// Sends all of `frames` in order, in as few system calls as the system allows. Never blocks.
    ///
    /// # Errors
    /// The first failure; the other frames are tried all the same.
    fn announce(&self, frames: &[Frame]) -> Result<(), Error>;
}
