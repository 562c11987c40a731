//! BFD sessions (RFC 5880).

use std::net::IpAddr;
use std::time::Duration;

/// `bfd_instance`. Not in effect yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BfdInstance {
    /// Its name, at most 31 bytes.
    pub name: String,
    /// `neighbor_ip`.
    pub neighbor: IpAddr,
    /// `source_ip`, of the neighbour's family.
    pub source: Option<IpAddr>,
    /// `min_rx`, 1 ms to 4,294,967 ms.
    pub min_rx: Option<Duration>,
    /// `min_tx`, 1 ms to 4,294,967 ms.
    pub min_tx: Option<Duration>,
    /// `idle_tx`, 1,000 ms to 4,294,967 ms.
    pub idle_tx: Option<Duration>,
    /// `multiplier`, 1 to 255.
    pub multiplier: Option<u8>,
    /// `passive`.
    pub passive: bool,
    /// `ttl` or `hoplimit`, 1 to 255.
    pub ttl: Option<u8>,
    /// `max_hops`, -1 to 255, and not above `ttl`; -1: any number.
    pub max_hops: Option<i16>,
    /// `multihop` (RFC 5883).
    pub multihop: bool,
    /// `weight`, -253 to 253.
    pub weight: i16,
    /// `weight N reverse`.
    pub reverse: bool,
    /// `vrrp`: its state is for instances; both unless one of the two is written.
    pub for_vrrp: bool,
    /// `checker`: its state is for real servers.
    pub for_checker: bool,
}
