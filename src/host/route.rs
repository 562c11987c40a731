//! Routes and rules of the kernel.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use crate::base::{Cidr, Family, IfIndex, IfName};

/// A route. `L` is what its interfaces are known by: their index in the kernel, their name in a configuration.
///
/// Numbers are rtnetlink's; what is `None` is left to the kernel.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Route<L = IfIndex> {
    /// Its family.
    pub family: Family,
    /// The routing table.
    pub table: u32,
    /// The destination; a default route has a prefix of 0 bits.
    pub destination: Cidr,
    /// Only packets from this network use it (IPv6).
    pub from: Option<Cidr>,
    /// Only packets with this type of service use it (IPv4).
    pub tos: u8,
    /// The lower, the better. `None` is 0 for IPv4 and 1,024 for IPv6.
    pub metric: Option<u32>,
    /// Its type (`RTN_*`): 1 unicast, 6 blackhole and so on.
    pub kind: u8,
    /// Who made it (`RTPROT_*`): [`Route::PROTO_KEEPALIVED`] is ours.
    pub protocol: u8,
    /// Its scope (`RT_SCOPE_*`); `None` is global, and any scope when it is deleted.
    pub scope: Option<u8>,
    /// The source address of packets that use it.
    pub source: Option<IpAddr>,
    /// The only way, or nothing when there are `nexthops`.
    pub hop: Hop<L>,
    /// Several ways.
    pub nexthops: Vec<Hop<L>>,
    /// What does not tell routes apart.
    pub options: RouteOptions,
}

/// One way of a route.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hop<L = IfIndex> {
    /// The next router, which may be of the other family; `None`: the destination is on the link.
    pub via: Option<IpAddr>,
    /// The interface; `None`: the one that leads to `via`.
    pub link: Option<L>,
    /// Its share, 1 to 256.
    pub weight: u16,
    /// `via` is taken to be on the link.
    pub onlink: bool,
    /// Packets leave inside others.
    pub encap: Option<Encap>,
    /// Realms.
    pub realms: Option<Realms>,
}

impl<L> Default for Hop<L> {
    fn default() -> Self {
        Self { via: None, link: None, weight: 1, onlink: false, encap: None, realms: None }
    }
}

/// What a route has besides its ways; none of it tells one route from another.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct RouteOptions {
    /// What becomes of an equal one.
    pub order: RouteOrder,
    /// When it ends (IPv6), whole seconds.
    pub expires: Option<Duration>,
    /// Preference of a router (IPv6, RFC 4191 section 2.1).
    pub pref: Option<u8>,
    /// Whether the TTL is copied from and to MPLS labels.
    pub ttl_propagate: Option<bool>,
    /// MTU and its kin.
    pub metrics: Vec<Metric>,
    /// Name of a congestion control algorithm, and whether it is locked.
    pub congestion: Option<(String, bool)>,
}

/// What the kernel finds a route by, before it looks at type and ways: family, table, destination, `from`, type of
/// service, metric.
pub type RouteKey = (Family, u32, Cidr, Option<Cidr>, u8, u32);

impl<L> Route<L> {
    /// The number keepalived's routes and rules carry.
    pub const PROTO_KEEPALIVED: u8 = 18;

    /// What the kernel finds it by.
    pub fn key(&self) -> RouteKey {
        let default = if self.family == Family::V6 { 1024 } else { 0 };
        // A metric of 0 is none to IPv6.
        let metric = self.metric.filter(|m| *m != 0).unwrap_or(default);
        (self.family, self.table, self.destination, self.from, self.tos, metric)
    }

    /// All its ways.
    pub fn hops(&self) -> &[Hop<L>] {
        if self.nexthops.is_empty() { std::slice::from_ref(&self.hop) } else { &self.nexthops }
    }

    /// Whether packets go nowhere: blackhole, unreachable, prohibit, throw.
    pub fn is_dead_end(&self) -> bool {
        (6..=9).contains(&self.kind)
    }

    /// The same route with its interfaces known by something else.
    ///
    /// # Errors
    /// What `resolve` answered for an interface.
    pub fn resolve<M, E>(&self, mut resolve: impl FnMut(&L) -> Result<M, E>) -> Result<Route<M>, E> {
        let mut hop = |hop: &Hop<L>| -> Result<Hop<M>, E> {
            Ok(Hop {
                via: hop.via,
                link: hop.link.as_ref().map(&mut resolve).transpose()?,
                weight: hop.weight,
                onlink: hop.onlink,
                encap: hop.encap.clone(),
                realms: hop.realms,
            })
        };
        Ok(Route {
            family: self.family,
            table: self.table,
            destination: self.destination,
            from: self.from,
            tos: self.tos,
            metric: self.metric,
            kind: self.kind,
            protocol: self.protocol,
            scope: self.scope,
            source: self.source,
            hop: hop(&self.hop)?,
            nexthops: self.nexthops.iter().map(hop).collect::<Result<_, E>>()?,
            options: self.options.clone(),
        })
    }
}

impl Route {
    /// Whether the two are one route to the kernel. An interface that was left open may be any.
    pub fn is_same(&self, other: &Self) -> bool {
        let same_hop = |(a, b): (&Hop, &Hop)| {
            a.via == b.via && (a.link == b.link || a.link.is_none() || b.link.is_none())
        };
        let (ours, theirs) = (self.hops(), other.hops());
        self.key() == other.key()
            && (self.kind, self.protocol) == (other.kind, other.protocol)
            && (self.is_dead_end() || (ours.len() == theirs.len() && ours.iter().zip(theirs).all(same_hop)))
    }
}

impl<L> fmt::Display for Route<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.destination {
            Cidr { prefix: 0, .. } => f.write_str("default")?,
            Cidr { ip, prefix } if prefix == self.family.bits() => write!(f, "{ip}")?,
            destination => destination.fmt(f)?,
        }
        self.from.iter().try_for_each(|from| write!(f, " from {from}"))?;
        let vias = self.hops().iter().filter_map(|hop| hop.via);
        vias.into_iter().try_for_each(|via| write!(f, " via {via}"))?;
        self.metric.iter().try_for_each(|metric| write!(f, " metric {metric}"))?;
        if self.table == 254 { Ok(()) } else { write!(f, " table {}", self.table) }
    }
}

/// A rule: which table, or which other fate, packets of some kind get. Interfaces are known by name, and need not
/// exist.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rule {
    /// Its family.
    pub family: Family,
    /// Rules are tried in the order of this number.
    pub preference: u32,
    /// It applies to what does not match.
    pub inverted: bool,
    /// Source network.
    pub from: Option<Cidr>,
    /// Destination network.
    pub to: Option<Cidr>,
    /// Type of service.
    pub tos: u8,
    /// Mark and mask.
    pub mark: Option<(u32, u32)>,
    /// Where packets come in.
    pub iif: Option<IfName>,
    /// Where they are bound to go out.
    pub oif: Option<IfName>,
    /// Tunnel id.
    pub tunnel: Option<u64>,
    /// User ids, both ends included.
    pub users: Option<(u32, u32)>,
    /// IP protocol.
    pub ip_protocol: Option<u8>,
    /// Source ports, both ends included.
    pub source_ports: Option<(u16, u16)>,
    /// Destination ports, both ends included.
    pub destination_ports: Option<(u16, u16)>,
    /// Realms.
    pub realms: Option<Realms>,
    /// Routes with prefixes up to this length do not count.
    pub suppress_prefix: Option<u32>,
    /// Routes by way of interfaces of this group do not count.
    pub suppress_group: Option<u32>,
    /// What it does.
    pub action: RuleAction,
    /// Who made it: [`Route::PROTO_KEEPALIVED`] is ours.
    pub protocol: u8,
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.preference)?;
        self.from.iter().try_for_each(|from| write!(f, " from {from}"))?;
        self.to.iter().try_for_each(|to| write!(f, " to {to}"))?;
        match self.action {
            RuleAction::Table(table) => write!(f, " lookup {table}"),
            RuleAction::Goto(target) => write!(f, " goto {target}"),
            RuleAction::Nop => f.write_str(" nop"),
            RuleAction::L3mdev => f.write_str(" l3mdev"),
            RuleAction::Blackhole => f.write_str(" blackhole"),
            RuleAction::Unreachable => f.write_str(" unreachable"),
            RuleAction::Prohibit => f.write_str(" prohibit"),
        }
    }
}

/// What becomes of a route when there is an equal one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum RouteOrder {
    /// It is an error.
    Add,
    /// It comes before that.
    #[default]
    Prepend,
    /// It comes behind that.
    Append,
}

/// One metric of a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Metric {
    /// Which.
    pub kind: MetricKind,
    /// Its value, in the kernel's unit: bytes, packets, milliseconds; `rtt` in 1/8 ms and `rttvar` in 1/4 ms.
    pub value: u32,
    /// `lock`: the kernel does not change it.
    pub locked: bool,
}

/// The metrics a route may have; the numbers are rtnetlink's (`RTAX_*`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum MetricKind {
    /// `mtu`, bytes.
    Mtu = 2,
    /// `window`, bytes.
    Window = 3,
    /// `rtt`, 1/8 ms.
    Rtt = 4,
    /// `rttvar`, 1/4 ms.
    RttVar = 5,
    /// `ssthresh`, packets.
    SsThresh = 6,
    /// `cwnd`, packets.
    Cwnd = 7,
    /// `advmss`, bytes.
    AdvMss = 8,
    /// `reordering`, packets.
    Reordering = 9,
    /// `hoplimit`, 0 to 255.
    HopLimit = 10,
    /// `initcwnd`, packets.
    InitCwnd = 11,
    /// `features`: 1 for `ecn`.
    Features = 12,
    /// `rto_min`, ms.
    RtoMin = 13,
    /// `initrwnd`, packets.
    InitRwnd = 14,
    /// `quickack`, 0 or 1.
    QuickAck = 15,
    /// `fastopen_no_cookie`, 0 or 1.
    FastOpenNoCookie = 17,
}

/// `realms FROM/TO`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Realms {
    /// 0 unless written.
    pub from: u8,
    /// Where to.
    pub to: u8,
}

/// `encap`: packets leave inside others.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Encap {
    /// `ip` or `ip6`.
    Ip(IpEncap),
    /// `mpls`: labels of 20 bits, outermost first.
    Mpls(Vec<u32>),
    /// `ila`: the locator.
    Ila(u64),
}

/// `encap ip` and `encap ip6`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct IpEncap {
    /// The family outside.
    pub family: Family,
    /// `id`.
    pub id: Option<u64>,
    /// `dst`.
    pub destination: Option<IpAddr>,
    /// `src`.
    pub source: Option<IpAddr>,
    /// `tos` or `tc`.
    pub tos: Option<u8>,
    /// `ttl` or `hoplimit`.
    pub ttl: Option<u8>,
    /// `flags`.
    pub flags: Option<u16>,
}

/// What a rule does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RuleAction {
    /// `table` or `lookup`.
    Table(u32),
    /// `goto`: goes on at the rule of this preference.
    Goto(u32),
    /// `nop`.
    Nop,
    /// `l3mdev`: the table of the interface's VRF.
    L3mdev,
    /// `blackhole`.
    Blackhole,
    /// `unreachable`.
    Unreachable,
    /// `prohibit`.
    Prohibit,
}
