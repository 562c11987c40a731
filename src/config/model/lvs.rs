//! Virtual servers, their real servers, and how those are checked.

use std::net::IpAddr;
use std::time::Duration;

use super::Script;
use super::checkers::Checker;
use crate::base::{Cidr, Family};

/// All that concerns the load balancer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lvs {
    /// The last `SSL` block.
    pub ssl: Option<Ssl>,
    /// `virtual_server_group` blocks that are usable, in order.
    pub groups: Vec<ServerGroup>,
    /// `virtual_server` blocks that are usable, in order.
    pub servers: Vec<VirtualServer>,
}

/// `SSL`: what `SSL_GET` shows and trusts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ssl {
    /// `password` of the key.
    pub password: Option<String>,
    /// `ca`: a file with certificates in PEM.
    pub ca: Option<String>,
    /// `certificate`: a file with a chain in PEM.
    pub certificate: Option<String>,
    /// `key`: a file in PEM.
    pub key: Option<String>,
}

/// `virtual_server_group`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerGroup {
    /// Its name. References find the first group of a name.
    pub name: String,
    /// Its lines, at least one.
    pub entries: Vec<GroupEntry>,
}

impl ServerGroup {
    /// Whether it has firewall marks.
    pub fn has_marks(&self) -> bool {
        self.entries.iter().any(|e| matches!(e, GroupEntry::Mark { .. }))
    }

    /// Whether it has addresses.
    pub fn has_addresses(&self) -> bool {
        self.entries.iter().any(|e| !matches!(e, GroupEntry::Mark { .. }))
    }

    /// Whether one of its lines is of this family.
    pub fn has(&self, family: Family) -> bool {
        self.entries.iter().any(|e| e.family() == Some(family))
    }
}

/// A line of `virtual_server_group`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GroupEntry {
    /// `ADDRESS [PORT]`, `FIRST-LAST [PORT]`: addresses that differ in the last byte (IPv4) or the last 16 bits.
    Range {
        /// First address.
        first: IpAddr,
        /// Last address; the first one if there is only one.
        last: IpAddr,
        /// 1 to 65,535; 0: all ports.
        port: u16,
    },
    /// `ADDRESS/PREFIX [PORT]`: all addresses of a network.
    Network {
        /// The network, without host bits.
        cidr: Cidr,
        /// 1 to 65,535; 0: all ports.
        port: u16,
    },
    /// `fwmark MARK [inet|inet6]`.
    Mark {
        /// What packets are marked with.
        mark: u32,
        /// `inet` or `inet6`.
        family: Option<Family>,
    },
}

impl GroupEntry {
    /// Its family, as far as written.
    pub fn family(&self) -> Option<Family> {
        match self {
            Self::Range { first, .. } => Some(Family::of(*first)),
            Self::Network { cidr, .. } => Some(Family::of(cidr.ip)),
            Self::Mark { family, .. } => *family,
        }
    }

    /// Its port; `None` for a mark.
    pub fn port(&self) -> Option<u16> {
        match self {
            Self::Range { port, .. } | Self::Network { port, .. } => Some(*port),
            Self::Mark { .. } => None,
        }
    }
}

/// What packets a virtual server takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Service {
    /// Those to an address and port.
    Address {
        /// The address.
        ip: IpAddr,
        /// 1 to 65,535; 0: all ports.
        port: u16,
    },
    /// Those with a firewall mark.
    Mark(u32),
    /// Those of a group, by name.
    Group(String),
}

/// `virtual_server`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VirtualServer {
    /// What packets it takes.
    pub service: Service,
    /// Its family: of the address, `ip_family`, or else of what first told.
    pub family: Option<Family>,
    /// `protocol`; `None` for firewall marks, where there is none.
    pub protocol: Option<Protocol>,
    /// `lb_algo`.
    pub scheduler: Option<Scheduler>,
    /// `flag-1`, `sh-fallback`, `mh-fallback`.
    pub flag1: bool,
    /// `flag-2`, `sh-port`, `mh-port`.
    pub flag2: bool,
    /// `flag-3`.
    pub flag3: bool,
    /// `ops`: each packet is scheduled by itself (UDP).
    pub ops: bool,
    /// `lb_kind`: how packets reach the real servers that do not say it themselves.
    pub forwarding: Option<Forwarding>,
    /// `persistence_engine`, at most 15 bytes.
    pub persistence_engine: Option<String>,
    /// `persistence_timeout`, 1 to 2,678,400 seconds; also set by what implies persistence.
    pub persistence_timeout: Option<Duration>,
    /// `persistence_granularity`.
    pub persistence_granularity: Option<Granularity>,
    /// `retry`, `delay_loop` and their kin, for checkers that do not say it themselves. `retry` is at least 1.
    pub timing: Timing,
    /// `alpha`: servers are down until their checks succeed.
    pub alpha: bool,
    /// `omega`: notify about servers and quorum at the stop.
    pub omega: bool,
    /// `inhibit_on_failure`: a failed server stays, with weight 0.
    pub inhibit_on_failure: bool,
    /// `ha_suspend`: checks only while the address is on this host.
    pub ha_suspend: bool,
    /// `smtp_alert`.
    pub smtp_alert: Option<bool>,
    /// `virtualhost`: the `Host` of HTTP checks.
    pub virtualhost: Option<String>,
    /// `snmp_name`.
    pub snmp_name: Option<String>,
    /// `quorum`, 1 to 4,294,967,295 units of weight; never above the total weight.
    pub quorum: Option<u32>,
    /// `hysteresis`, 0 to 4,294,967,295 units of weight; below the quorum.
    pub hysteresis: Option<u32>,
    /// `quorum_up`.
    pub quorum_up: Option<Script>,
    /// `quorum_down`.
    pub quorum_down: Option<Script>,
    /// `weight` of real servers that do not say it themselves, 1 to 2,147,483,647.
    pub weight: Option<u32>,
    /// `sorry_server`.
    pub sorry: Option<SorryServer>,
    /// Its real servers, in order, no address and port twice.
    pub real_servers: Vec<RealServer>,
}

/// `protocol`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
    /// SCTP.
    Sctp,
}

/// `lb_algo`: how the kernel chooses a real server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheduler {
    /// Round robin.
    Rr,
    /// Weighted round robin.
    Wrr,
    /// Least connections.
    Lc,
    /// Weighted least connections.
    Wlc,
    /// Least connections, by locality.
    Lblc,
    /// Least connections with replication, by locality.
    Lblcr,
    /// Source hashing.
    Sh,
    /// Maglev hashing.
    Mh,
    /// Destination hashing.
    Dh,
    /// Weighted failover.
    Fo,
    /// Weighted overflow.
    Ovf,
    /// Shortest expected delay.
    Sed,
    /// Never queue.
    Nq,
    /// Power of two choices.
    Twos,
}

impl Scheduler {
    /// All of them, in the order of the reference.
    pub const ALL: [Self; 14] = [
        Self::Rr,
        Self::Wrr,
        Self::Lc,
        Self::Wlc,
        Self::Lblc,
        Self::Sh,
        Self::Mh,
        Self::Dh,
        Self::Fo,
        Self::Ovf,
        Self::Lblcr,
        Self::Sed,
        Self::Nq,
        Self::Twos,
    ];

    /// Its name, in the configuration and in the kernel.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rr => "rr",
            Self::Wrr => "wrr",
            Self::Lc => "lc",
            Self::Wlc => "wlc",
            Self::Lblc => "lblc",
            Self::Lblcr => "lblcr",
            Self::Sh => "sh",
            Self::Mh => "mh",
            Self::Dh => "dh",
            Self::Fo => "fo",
            Self::Ovf => "ovf",
            Self::Sed => "sed",
            Self::Nq => "nq",
            Self::Twos => "twos",
        }
    }
}

/// `lb_kind`, `lvs_method`: how packets reach a real server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forwarding {
    /// Addresses are rewritten.
    Nat,
    /// The frame is sent on to the server's hardware address.
    Direct,
    /// Through a tunnel.
    Tunnel(Tunnel),
}

/// The tunnel of `TUN`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tunnel {
    /// IP in IP.
    Ipip,
    /// Generic UDP encapsulation.
    Gue {
        /// UDP port, 1 to 65,535.
        port: u16,
        /// What is summed.
        checksum: Checksum,
    },
    /// Generic routing encapsulation.
    Gre {
        /// Never [`Checksum::Remote`].
        checksum: Checksum,
    },
}

/// The checksum of a tunnel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Checksum {
    /// `nocsum`.
    #[default]
    None,
    /// `csum`.
    Full,
    /// `remcsum`: offloaded to the receiver.
    Remote,
}

/// `persistence_granularity`: clients that differ only outside of it are one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Granularity {
    /// A netmask of IPv4, as a number.
    V4(u32),
    /// A prefix length of IPv6, 1 to 128.
    V6(u8),
}

/// `sorry_server`: takes the packets while there is no quorum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SorryServer {
    /// Its address.
    pub ip: IpAddr,
    /// 1 to 65,535; 0: as the virtual server.
    pub port: u16,
    /// `sorry_server_lvs_method`, or else the `lb_kind` that stood above it.
    pub forwarding: Option<Forwarding>,
    /// `sorry_server_inhibit`.
    pub inhibit: bool,
}

/// What virtual servers, real servers and checkers say about when to check.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Timing {
    /// `retry`: further failures before a server is down, 0 to 4,294,967,295.
    pub retry: Option<u32>,
    /// `delay_before_retry`.
    pub delay_before_retry: Option<Duration>,
    /// `warmup`: the longest random delay before the first check.
    pub warmup: Option<Duration>,
    /// `delay_loop`: at least 1 µs.
    pub delay_loop: Option<Duration>,
    /// `connect_timeout`, 1 µs to 4,294.967295 s.
    pub connect_timeout: Option<Duration>,
}

/// `real_server`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RealServer {
    /// Its address.
    pub ip: IpAddr,
    /// 1 to 65,535; 0: as the virtual server.
    pub port: u16,
    /// `weight`, 0 to 2,147,483,647.
    pub weight: Option<u32>,
    /// `lvs_method`.
    pub forwarding: Option<Forwarding>,
    /// `uthreshold`: no new connections above it; 0: no limit.
    pub upper_threshold: Option<u32>,
    /// `lthreshold`: new connections again below it.
    pub lower_threshold: Option<u32>,
    /// `inhibit_on_failure`.
    pub inhibit_on_failure: Option<bool>,
    /// `notify_up`.
    pub notify_up: Option<Box<Script>>,
    /// `notify_down`.
    pub notify_down: Option<Box<Script>>,
    /// `alpha`.
    pub alpha: Option<bool>,
    /// `retry`, `delay_loop` and their kin. `retry` is at least 1.
    pub timing: Timing,
    /// `smtp_alert`.
    pub smtp_alert: Option<bool>,
    /// `virtualhost`.
    pub virtualhost: Option<String>,
    /// `snmp_name`.
    pub snmp_name: Option<String>,
    /// Its checkers, in order.
    pub checkers: Vec<Checker>,
}

impl RealServer {
    /// One at an address of which nothing else is written.
    pub const fn new(ip: IpAddr, port: u16) -> Self {
        Self {
            ip,
            port,
            weight: None,
            forwarding: None,
            upper_threshold: None,
            lower_threshold: None,
            inhibit_on_failure: None,
            notify_up: None,
            notify_down: None,
            alpha: None,
            timing: Timing {
                retry: None,
                delay_before_retry: None,
                warmup: None,
                delay_loop: None,
                connect_timeout: None,
            },
            smtp_alert: None,
            virtualhost: None,
            snmp_name: None,
            checkers: Vec::new(),
        }
    }
}
