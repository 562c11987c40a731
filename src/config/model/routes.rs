//! Routes and rules, static ones and those of instances.

use std::net::IpAddr;
use std::time::Duration;

use super::VirtualAddress;
use crate::base::{Cidr, Family, IfName};

/// A line of `static_ipaddress`. Not in effect yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StaticAddress {
    /// The address; its `dev` is the default interface unless written.
    pub address: VirtualAddress,
    /// `track_group`: the name of a group.
    pub track_group: Option<String>,
}

/// A line of `virtual_routes` or `static_routes`. Not in effect yet.
///
/// Numbers that the kernel takes as they are keep its meaning; `None` leaves them to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// Its type, a number of rtnetlink's (`RTN_UNICAST` and so on).
    pub kind: u8,
    /// Its family.
    pub family: Family,
    /// The destination; `None`: the default route.
    pub destination: Option<Cidr>,
    /// `src`: the source address of packets that use it.
    pub source: Option<IpAddr>,
    /// `from`: packets with such a source address use it (IPv6).
    pub from: Option<Cidr>,
    /// `via`.
    pub via: Option<IpAddr>,
    /// `dev`.
    pub dev: Option<IfName>,
    /// `onlink`.
    pub onlink: bool,
    /// `tos` or `dsfield`.
    pub tos: Option<u8>,
    /// `table`.
    pub table: Option<u32>,
    /// `protocol`; `None`: keepalived's own, 18.
    pub protocol: Option<u8>,
    /// `scope`.
    pub scope: Option<u8>,
    /// `metric`, `priority` or `preference`.
    pub metric: Option<u32>,
    /// `encap`.
    pub encap: Option<Encap>,
    /// `expires` (IPv6).
    pub expires: Option<Duration>,
    /// `realms`.
    pub realms: Option<Realms>,
    /// `pref`: a number of the kernel's (IPv6).
    pub pref: Option<u8>,
    /// `ttl-propagate`.
    pub ttl_propagate: Option<bool>,
    /// `mtu` and its kin, by rtnetlink's number.
    pub metrics: Vec<Metric>,
    /// `congctl`, and whether it is locked.
    pub congestion: Option<(String, bool)>,
    /// `add`, `prepend` or `append`.
    pub order: RouteOrder,
    /// `vrf`.
    pub vrf: Option<IfName>,
    /// `nexthop`, in order.
    pub nexthops: Vec<NextHop>,
    /// Without `no_track`: its disappearance is a fault.
    pub tracked: bool,
    /// `track_group` (static routes): the name of a group.
    pub track_group: Option<String>,
}

/// What becomes of a route when there is an equal one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Realms {
    /// 0 unless written.
    pub from: u8,
    /// Where to.
    pub to: u8,
}

/// `nexthop`: one way of several.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NextHop {
    /// `via`.
    pub via: Option<IpAddr>,
    /// `dev`.
    pub dev: Option<IfName>,
    /// `weight`, 1 to 256.
    pub weight: Option<u16>,
    /// `onlink`.
    pub onlink: bool,
    /// `encap`.
    pub encap: Option<Encap>,
    /// `realms`.
    pub realms: Option<Realms>,
}

/// `encap`: packets leave inside others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Encap {
    /// `ip` or `ip6`.
    Ip(IpEncap),
    /// `mpls`: labels of 20 bits, outermost first.
    Mpls(Vec<u32>),
    /// `ila`: the locator.
    Ila(u64),
}

/// `encap ip` and `encap ip6`.
#[derive(Clone, Debug, PartialEq, Eq)]
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

/// A line of `virtual_rules` or `static_rules`. Not in effect yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its family.
    pub family: Family,
    /// `not`: it applies to what does not match.
    pub inverted: bool,
    /// `from`.
    pub from: Option<Cidr>,
    /// `to`.
    pub to: Option<Cidr>,
    /// `preference`, `order` or `priority`; `None`: one is chosen, counting down from 16,384.
    pub preference: Option<u32>,
    /// `tos` or `dsfield`.
    pub tos: Option<u8>,
    /// `fwmark`: mark and mask.
    pub mark: Option<(u32, u32)>,
    /// `iif` or `dev`.
    pub iif: Option<IfName>,
    /// `oif`.
    pub oif: Option<IfName>,
    /// `tunnel-id`.
    pub tunnel: Option<u64>,
    /// `uidrange`, both ends included.
    pub users: Option<(u32, u32)>,
    /// `ipproto`.
    pub ip_protocol: Option<u8>,
    /// `sport`, both ends included.
    pub source_ports: Option<(u16, u16)>,
    /// `dport`, both ends included.
    pub destination_ports: Option<(u16, u16)>,
    /// `realms`.
    pub realms: Option<Realms>,
    /// `suppress_prefixlength`.
    pub suppress_prefix: Option<u32>,
    /// `suppress_ifgroup`.
    pub suppress_group: Option<u32>,
    /// What it does.
    pub action: RuleAction,
    /// `protocol`; `None`: keepalived's own, 18.
    pub protocol: Option<u8>,
    /// Without `no_track`: its disappearance is a fault.
    pub tracked: bool,
    /// `track_group` (static rules): the name of a group.
    pub track_group: Option<String>,
}

/// What a rule does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
