//! The kernel's tables of links, addresses, routes and rules, and its packet filter: what they hold, how they change, how we change them.

use std::net::{IpAddr, Ipv4Addr};
use std::task::{Context, Poll};
use std::time::Duration;

use super::firewall::FirewallEntry;
use super::link::{Setting, Stacking, VirtualLink};
use super::{LocalBoxFuture, Route, Rule};
use crate::base::{Cidr, IfIndex, IfName, MacAddr};

/// A network interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Kernel index.
    pub index: IfIndex,
    /// Name.
    pub name: IfName,
    /// Administratively up (`IFF_UP`).
    pub up: bool,
    /// Operational (`IFF_RUNNING`): the carrier is there.
    pub running: bool,
    /// Can send multicast (`IFF_MULTICAST`).
    pub multicast: bool,
    /// Resolves addresses by ARP: neither `IFF_NOARP` nor `IFF_POINTOPOINT` nor `IFF_LOOPBACK`.
    pub arp: bool,
    /// The loopback interface.
    pub loopback: bool,
    /// Largest IP packet, in bytes.
    pub mtu: u32,
    /// Hardware address, where it is an Ethernet one.
    pub mac: Option<MacAddr>,
    /// How it stands on others.
    pub stacking: Stacking,
}

impl Link {
    /// Whether adverts can leave: up and running.
    pub fn usable(&self) -> bool {
        self.state() == LinkState::Up
    }

    /// How it is.
    pub fn state(&self) -> LinkState {
        match (self.up, self.running) {
            (true, true) => LinkState::Up,
            (true, false) => LinkState::NoCarrier,
            (false, _) => LinkState::Down,
        }
    }
}

/// How the interface of a name is, or why there is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum LinkState {
    /// Up and running.
    Up,
    /// Up, but not running: the cable, or the other end, is missing.
    NoCarrier,
    /// Administratively down.
    Down,
    /// There is none.
    #[default]
    Missing,
    /// It was deleted.
    Deleted,
    /// It has another name now.
    Renamed,
    /// It was moved to another network namespace.
    Moved,
}

impl LinkState {
    /// What is to be said behind `interface eth0`.
    pub fn words(self) -> &'static str {
        match self {
            Self::Up => "is up",
            Self::NoCarrier => "has no carrier",
            Self::Down => "is down",
            Self::Missing => "does not exist",
            Self::Deleted => "was deleted",
            Self::Renamed => "was renamed",
            Self::Moved => "was moved to another network namespace",
        }
    }

    /// Whether there is an interface.
    pub fn exists(self) -> bool {
        matches!(self, Self::Up | Self::NoCarrier | Self::Down)
    }
}

/// An address on an interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// The interface.
    pub link: IfIndex,
    /// The address with its prefix; with a `peer`, the prefix belongs to the peer's network.
    pub cidr: Cidr,
    /// The other end of a point-to-point link.
    pub peer: Option<IpAddr>,
    /// Broadcast address (IPv4).
    pub broadcast: Option<Ipv4Addr>,
    /// Label (IPv4), `eth0:1`; at most 15 bytes.
    pub label: Option<String>,
    /// Scope number: 0 global, 253 link, 254 host.
    pub scope: u8,
    /// Who made it (`IFA_PROTO`): [`Address::PROTO_KEEPALIVED`] is ours; 0 is unknown.
    pub protocol: u8,
    /// How to add it. Of an address that the kernel reports, the default, but for `valid`.
    pub options: AddressOptions,
}

/// What the kernel is to do about an address that is added.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct AddressOptions {
    /// Look for somebody else who has it before it is used (IPv6).
    pub dad: bool,
    /// `home`: a mobile node's home address (IPv6).
    pub home: bool,
    /// `mngtmpaddr`: make temporary addresses of its prefix (IPv6).
    pub manage_temporary: bool,
    /// `noprefixroute`: no route to its prefix.
    pub no_prefix_route: bool,
    /// `autojoin`: join it, if it is a multicast group.
    pub autojoin: bool,
    /// For how long new connections may come from it, whole seconds; `None`: for ever. Zero: never, unless a program
    /// asks for it ("deprecated").
    pub preferred: Option<Duration>,
    /// After how long the kernel takes it away by itself, whole seconds (it may be a second late); `None`: never. Of an
    /// address that the kernel reports, what is left of it.
    pub valid: Option<Duration>,
}

impl Address {
    /// The number keepalived's addresses carry in `IFA_PROTO`.
    pub const PROTO_KEEPALIVED: u8 = 18;

    /// What the kernel tells addresses apart by: interface, address and prefix.
    pub fn key(&self) -> (IfIndex, Cidr) {
        (self.link, self.cidr)
    }
}

/// All there is at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dump {
    /// Links in the order of their indices.
    pub links: Vec<Link>,
    /// Addresses in the kernel's order.
    pub addresses: Vec<Address>,
    /// keepalived's routes.
    pub routes: Vec<Route>,
    /// Rules.
    pub rules: Vec<Rule>,
}

/// A change the kernel reports, whoever made it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KernelEvent {
    /// Forget everything known so far: this is what there is. Always the first event, and again after events
    /// were lost.
    Resync(Dump),
    /// A link is new or has changed.
    Link(Link),
    /// A link is gone, and its addresses with it.
    LinkGone {
        /// Its index.
        index: IfIndex,
        /// It was moved to another network namespace, not deleted.
        moved: bool,
    },
    /// An address is new or has changed.
    Address(Address),
    /// An address is gone.
    AddressGone(Address),
    /// One of keepalived's routes is new or has changed. Not all are reported that disappear: see
    /// the mirror of the room `kernel`.
    Route(Box<Route>),
    /// One of keepalived's routes is gone.
    RouteGone(Box<Route>),
    /// A route, whoever made it, has taken the place of one with the same [`Route::key`].
    RouteReplaced(Box<Route>),
    /// A rule is new.
    Rule(Box<Rule>),
    /// A rule is gone.
    RuleGone(Box<Rule>),
    /// Somebody else has changed our tables of the packet filter: what was in there cannot be relied on.
    FirewallLost,
}

/// The stream of changes.
pub trait KernelEvents {
    /// The next change.
    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<KernelEvent>;
}

/// A change to make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KernelOp {
    /// Add an address; [`Errno::EXIST`] if it is there already.
    AddAddress(Address),
    /// Give an address that is there these lifetimes, with nothing else about it changed; one that is not there is added.
    ChangeAddress(Address),
    /// Delete an address; [`Errno::ADDRNOTAVAIL`] if it is not there.
    DeleteAddress(Address),
    /// Add a route; [`Errno::EXIST`] if it is there already, whoever made it.
    AddRoute(Box<Route>),
    /// Delete a route, provided that its protocol is this one; [`Errno::SRCH`] if there is none.
    DeleteRoute(Box<Route>),
    /// Add a rule; [`Errno::EXIST`] if it is there already, whoever made it.
    AddRule(Box<Rule>),
    /// Delete a rule, provided that its protocol is this one; [`Errno::NOENT`] if there is none.
    DeleteRule(Box<Rule>),
    /// Make a link and bring it up: out of the one with this number, as long as that is there. Otherwise a new one;
    /// what has its name and is of its kind is made to be so, or takes its place; [`Errno::EXIST`] if it is something
    /// else. What cannot be brought up is not left behind.
    AddLink(VirtualLink, Option<IfIndex>),
    /// Delete a link that we made, by its number if that is known; [`Errno::NODEV`] if there is none.
    DeleteLink(VirtualLink, Option<IfIndex>),
    /// Add an entry to the packet filter. One that is there already, as far as the writer knows, has been lost, and all
    /// are made again.
    AddFirewall(FirewallEntry),
    /// Delete an entry of the packet filter; the last one takes the tables with it.
    DeleteFirewall(FirewallEntry),
    /// Change a setting.
    Set(Setting),
    /// Undo [`KernelOp::Set`]: as it was found, so it is left.
    Unset(Setting),
}

/// What the kernel answered to one operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", std::io::Error::from_raw_os_error(*.0))]
pub struct Errno(pub i32);

impl Errno {
    /// `ENOENT`: no such rule.
    pub const NOENT: Self = Self(2);
    /// `ESRCH`: no such route.
    pub const SRCH: Self = Self(3);
    /// `EIO`: no answer came.
    pub const IO: Self = Self(5);
    /// `EEXIST`: already there.
    pub const EXIST: Self = Self(17);
    /// `ENODEV`: no such interface.
    pub const NODEV: Self = Self(19);
    /// `EADDRNOTAVAIL`: no such address.
    pub const ADDRNOTAVAIL: Self = Self(99);
}

/// Makes changes, away from the fast plane's thread.
pub trait KernelWriter {
    /// Makes the changes in order as one batch; one answer each, in the same order. A failed one does not stop
    /// those behind it. The work begins with the call, not with the first poll of the future.
    fn apply(&self, ops: Vec<KernelOp>) -> LocalBoxFuture<Vec<Result<(), Errno>>>;
}
