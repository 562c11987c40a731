//! Routes and rules, static ones and those of instances.

use std::net::IpAddr;
use std::time::Duration;

use super::VirtualAddress;
use crate::base::{Cidr, Family, IfName};

pub use crate::host::route::{Encap, IpEncap, Metric, MetricKind, Realms, RouteOrder, RuleAction};

/// A line of `static_ipaddress`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StaticAddress {
    /// The address; its `dev` is the default interface unless written.
    pub address: VirtualAddress,
    /// `track_group`: the name of a group.
    pub track_group: Option<String>,
}

/// A line of `virtual_routes` or `static_routes`.
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
    /// Without `no_track`: it is put back when somebody removes it, and the instance needs its `dev`.
    pub tracked: bool,
    /// `track_group` (static routes): the name of a group.
    pub track_group: Option<String>,
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

/// A line of `virtual_rules` or `static_rules`.
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
    /// Without `no_track`: it is put back when somebody removes it.
    pub tracked: bool,
    /// `track_group` (static rules): the name of a group.
    pub track_group: Option<String>,
}
