//! What an instance wants in the kernel while it is master, and what is wanted as long as the daemon runs.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use super::mirror::Mirror;
use crate::base::{Cidr, Family, IfIndex, IfName, InstanceId};
use crate::host::loader::LinkKind;
use crate::host::{
    Address, AddressOptions, FirewallEntry, FirewallRule, FirewallTable, KernelOp, Link, Route, Rule,
    Setting, VirtualKind, VirtualLink,
};

/// The scope of link-local addresses, as the kernel counts.
const SCOPE_LINK: u8 = 253;

/// Who claims.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Owner {
    /// The static items: from start to stop.
    Static,
    /// An instance: while it is master.
    Instance(InstanceId),
}

impl Owner {
    /// The instance, if it is one.
    pub fn instance(&self) -> Option<InstanceId> {
        match self {
            Self::Static => None,
            Self::Instance(id) => Some(*id),
        }
    }
}

/// Something that is wanted in the kernel.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Claim {
    /// An address.
    Address(Arc<AddressClaim>),
    /// A route.
    Route(Arc<RouteClaim>),
    /// A rule.
    Rule(Arc<RuleClaim>),
    /// A VMAC or ipvlan.
    Link(Arc<LinkClaim>),
    /// The link-local address of a VMAC's base, on the VMAC, which sends from it.
    LinkLocal(Arc<LinkClaim>),
    /// An entry of the packet filter.
    Firewall(Arc<FirewallClaim>),
    /// A setting that is changed.
    Setting(Setting),
}

/// A link to be made on another one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LinkClaim {
    /// Its name.
    pub name: IfName,
    /// What it stands on.
    pub base: IfName,
    /// Its kind.
    pub kind: VirtualKind,
    /// Its group; `None`: that of its base.
    pub group: Option<u32>,
    /// What its virtual router speaks.
    pub family: Family,
    /// Whether it has IPv6 at all.
    pub ipv6: bool,
    /// The virtual router it is for, for the log.
    pub instance: String,
}

/// An entry of the packet filter, by way of interfaces known by name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FirewallClaim {
    /// The table.
    pub table: Arc<FirewallTable>,
    /// What it does.
    pub rule: FirewallRule<IfName>,
}

/// An address on an interface, which is known by name: it may not exist yet, or come back with another index.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AddressClaim {
    /// The interface.
    pub dev: IfName,
    /// The address with its prefix.
    pub cidr: Cidr,
    /// The other end of a point-to-point link.
    pub peer: Option<IpAddr>,
    /// Broadcast address.
    pub broadcast: Option<Ipv4Addr>,
    /// Label.
    pub label: Option<String>,
    /// Scope number.
    pub scope: u8,
    /// What the kernel is to do about it.
    pub options: AddressOptions,
    /// Whether it is put back when somebody removes it.
    pub tracked: bool,
}

/// An interface, and an address with its prefix.
pub type Place = (IfName, Cidr);

/// A route by way of interfaces known by name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RouteClaim {
    /// The route.
    pub route: Route<IfName>,
    /// Whether it is put back when somebody removes it.
    pub tracked: bool,
}

/// A rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RuleClaim {
    /// The rule.
    pub rule: Rule,
    /// Whether it is put back when somebody removes it.
    pub tracked: bool,
}

/// What tells one claim from another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// Interface, address and prefix.
    Address(IfName, Cidr),
    /// A route, with everything it has.
    Route(Arc<RouteClaim>),
    /// A rule, with everything it has.
    Rule(Arc<RuleClaim>),
    /// A VMAC or ipvlan.
    Link(IfName),
    /// The link-local address of a VMAC.
    LinkLocal(IfName),
    /// An entry of the packet filter.
    Firewall(Arc<FirewallClaim>),
    /// A setting.
    Setting(Setting),
}

/// A claim whose interfaces exist, as it goes to the kernel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Object {
    Address(Address),
    Route(Box<Route>),
    Rule(Box<Rule>),
    Link(VirtualLink),
    Firewall(FirewallEntry),
    /// With the interface it is about.
    Setting(Option<IfIndex>, Setting),
}

/// Why a claim cannot go to the kernel at present.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Obstacle {
    /// An interface does not exist.
    Missing,
    /// All interfaces of a route are down, so that the kernel would refuse it.
    Down,
    /// What it follows is to come, or has nothing that could be followed.
    Waiting,
    /// Somebody else's link is in the way of a VMAC or ipvlan.
    Occupied(Occupied),
}

/// What of a VMAC or ipvlan somebody else's link has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occupied {
    /// Its name.
    Name,
    /// Its hardware address, on its base.
    HardwareAddress,
}

impl fmt::Display for Occupied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Name => "a foreign link has this name",
            Self::HardwareAddress => "another macvlan has its hardware address",
        })
    }
}

impl AddressClaim {
    /// What tells it from all others.
    pub fn place(&self) -> Place {
        (self.dev.clone(), self.cidr)
    }

    /// An address about which nothing special is wanted.
    pub fn new(dev: IfName, cidr: Cidr) -> Self {
        let options = AddressOptions::default();
        Self { dev, cidr, peer: None, broadcast: None, label: None, scope: 0, options, tracked: true }
    }

    /// The address to add to the interface with this index.
    pub fn on(&self, link: IfIndex) -> Address {
        Address {
            link,
            cidr: self.cidr,
            peer: self.peer,
            broadcast: self.broadcast,
            label: self.label.clone(),
            scope: self.scope,
            protocol: Address::PROTO_KEEPALIVED,
            options: self.options.clone(),
        }
    }

    /// What tells one claimed address from another.
    pub fn key(&self) -> Key {
        Key::Address(self.dev.clone(), self.cidr)
    }
}

impl RouteClaim {
    fn resolve(&self, mirror: &Mirror) -> Result<Route, Obstacle> {
        let route =
            self.route.resolve(|name| mirror.link(name).map(|link| link.index).ok_or(Obstacle::Missing))?;
        let is_down =
            |link: Option<IfIndex>| link.and_then(|index| mirror.link_at(index)).is_some_and(|link| !link.up);
        match route.hops().iter().all(|hop| is_down(hop.link)) && !route.is_dead_end() {
            true => Err(Obstacle::Down),
            false => Ok(route),
        }
    }
}

impl LinkClaim {
    /// The link to make, if nothing is in its way.
    fn resolve(&self, mirror: &Mirror) -> Result<VirtualLink, Obstacle> {
        let link = self.wanted(mirror)?;
        mirror.occupied(&link).map_or(Ok(link), |what| Err(Obstacle::Occupied(what)))
    }

    /// The link that is wanted.
    pub(super) fn wanted(&self, mirror: &Mirror) -> Result<VirtualLink, Obstacle> {
        let base = mirror.link(&self.base).ok_or(Obstacle::Missing)?;
        let is_vrf = |master: &Link| matches!(master.stacking.kind, LinkKind::Vrf { .. });
        let on_macvlan = matches!(base.stacking.kind, LinkKind::Macvlan { .. });
        Ok(VirtualLink {
            name: self.name.clone(),
            instance: self.instance.clone(),
            base: base.index,
            real_base: base.stacking.base.filter(|_| on_macvlan).unwrap_or(base.index),
            kind: self.kind,
            group: self.group.unwrap_or(base.stacking.group),
            vrf: base.stacking.master.filter(|master| mirror.link_at(*master).is_some_and(is_vrf)),
            family: self.family,
            ipv6: self.ipv6,
        })
    }

    /// The address to copy to it.
    fn link_local(&self, mirror: &Mirror) -> Result<Address, Obstacle> {
        let (base, link) = (mirror.link(&self.base), mirror.link(&self.name));
        let (base, link) = base.zip(link).ok_or(Obstacle::Waiting)?;
        let is_local = |ip: IpAddr| matches!(ip, IpAddr::V6(ip) if ip.is_unicast_link_local());
        let ip = mirror.first_address(base.index, |ip| is_local(ip) && !mirror.is_virtual(ip));
        Ok(Address {
            link: link.index,
            cidr: Cidr { ip: ip.ok_or(Obstacle::Waiting)?, prefix: 64 },
            peer: None,
            broadcast: None,
            label: None,
            scope: SCOPE_LINK,
            protocol: 0,
            options: AddressOptions { preferred: Some(Duration::ZERO), ..AddressOptions::default() },
        })
    }
}

impl FirewallClaim {
    fn resolve(&self, mirror: &Mirror) -> Result<FirewallEntry, Obstacle> {
        let index = |name: &IfName| mirror.link(name).map(|link| link.index).ok_or(Obstacle::Waiting);
        Ok(FirewallEntry { table: Arc::clone(&self.table), rule: self.rule.resolve(index)? })
    }
}

impl Claim {
    /// What tells it from others.
    pub fn key(&self) -> Key {
        match self {
            Self::Address(claim) => claim.key(),
            Self::Route(claim) => Key::Route(Arc::clone(claim)),
            Self::Rule(claim) => Key::Rule(Arc::clone(claim)),
            Self::Link(claim) => Key::Link(claim.name.clone()),
            Self::LinkLocal(claim) => Key::LinkLocal(claim.name.clone()),
            Self::Firewall(claim) => Key::Firewall(Arc::clone(claim)),
            Self::Setting(setting) => Key::Setting(setting.clone()),
        }
    }

    /// What to ask of the kernel, with interfaces as they are now.
    pub(super) fn resolve(&self, mirror: &Mirror) -> Result<Object, Obstacle> {
        match self {
            Self::Address(claim) => {
                let link = mirror.link(&claim.dev).ok_or(Obstacle::Missing)?;
                Ok(Object::Address(claim.on(link.index)))
            }
            Self::Route(claim) => claim.resolve(mirror).map(|route| Object::Route(Box::new(route))),
            Self::Rule(claim) => Ok(Object::Rule(Box::new(claim.rule.clone()))),
            Self::Link(claim) => claim.resolve(mirror).map(Object::Link),
            Self::LinkLocal(claim) => claim.link_local(mirror).map(Object::Address),
            Self::Firewall(claim) => claim.resolve(mirror).map(Object::Firewall),
            Self::Setting(setting) => {
                let find = |dev| mirror.link(dev).map(|link| link.index).ok_or(Obstacle::Missing);
                Ok(Object::Setting(setting.dev().map(find).transpose()?, setting.clone()))
            }
        }
    }

    /// The interfaces that it depends on.
    pub(super) fn devices(&self) -> Vec<&IfName> {
        match self {
            Self::Address(claim) => vec![&claim.dev],
            Self::Route(claim) => claim.route.hops().iter().filter_map(|hop| hop.link.as_ref()).collect(),
            Self::Rule(_) => Vec::new(),
            Self::Link(claim) | Self::LinkLocal(claim) => vec![&claim.name, &claim.base],
            Self::Firewall(claim) => match &claim.rule {
                FirewallRule::Divert { link, base, .. } => vec![link, base],
                FirewallRule::Drop { link, .. } => link.iter().collect(),
            },
            Self::Setting(setting) => setting.dev().into_iter().collect(),
        }
    }

    /// Whether it is put back when somebody removes it.
    pub(super) fn is_tracked(&self) -> bool {
        match self {
            Self::Address(claim) => claim.tracked,
            Self::Route(claim) => claim.tracked,
            Self::Rule(claim) => claim.tracked,
            _ => true,
        }
    }

    /// Whether nobody but a person or a program removes it: the kernel takes IPv6 addresses from an interface that goes
    /// down.
    pub(super) fn can_stay(&self, mirror: &Mirror) -> bool {
        match self {
            Self::Address(claim) => mirror.link(&claim.dev).is_some_and(|link| link.up),
            _ => true,
        }
    }

    /// The VMAC it is a part of, without which that is not fit to be used.
    pub(super) fn vmac(&self) -> Option<&IfName> {
        match self {
            Self::Link(claim) | Self::LinkLocal(claim) => Some(&claim.name),
            Self::Firewall(claim) => match &claim.rule {
                FirewallRule::Divert { link, .. } => Some(link),
                FirewallRule::Drop { .. } => None,
            },
            _ => None,
        }
    }

    /// What comes first goes last: addresses need links, routes may need addresses, and these may need to outlive one
    /// another. Nobody is to reach an address before the filter knows of it. Rules come last, as in stock.
    pub(super) fn rank(&self, is_add: bool) -> u8 {
        match self {
            Self::Setting(_) => 0,
            // What a link has to say when it goes must not leave by it either.
            Self::Firewall(claim) if !is_add && matches!(claim.rule, FirewallRule::Divert { .. }) => 1,
            Self::Link(_) => 2,
            Self::Firewall(_) => 3,
            Self::Address(_) | Self::LinkLocal(_) => 4,
            Self::Route(_) => 5,
            Self::Rule(_) => 6,
        }
    }
}

impl Object {
    /// The change that makes it.
    pub(super) fn add(&self, mirror: &Mirror) -> KernelOp {
        match self.clone() {
            Self::Address(address) => KernelOp::AddAddress(address),
            Self::Route(route) => KernelOp::AddRoute(route),
            Self::Rule(rule) => KernelOp::AddRule(rule),
            Self::Link(link) => {
                let origin = mirror.origin(&link);
                KernelOp::AddLink(link, origin)
            }
            Self::Firewall(entry) => KernelOp::AddFirewall(entry),
            Self::Setting(_, setting) => KernelOp::Set(setting),
        }
    }

    /// The change that removes it.
    pub(super) fn delete(&self, mirror: &Mirror) -> KernelOp {
        match self.clone() {
            Self::Address(address) => KernelOp::DeleteAddress(address),
            Self::Route(route) => KernelOp::DeleteRoute(route),
            Self::Rule(rule) => KernelOp::DeleteRule(rule),
            Self::Link(link) => {
                let number = mirror.number(&link);
                KernelOp::DeleteLink(link, number)
            }
            Self::Firewall(entry) => KernelOp::DeleteFirewall(entry),
            Self::Setting(_, setting) => KernelOp::Unset(setting),
        }
    }

    /// The same, and for how long the kernel keeps it; nothing but an address has an end.
    pub(super) fn lasting(mut self, valid: Option<Duration>) -> Self {
        if let Self::Address(address) = &mut self {
            address.options.valid = valid;
        }
        self
    }

    /// The change that gives it another end, once the kernel has it; only of an address.
    pub(super) fn change(&self) -> Option<KernelOp> {
        match self {
            Self::Address(address) => Some(KernelOp::ChangeAddress(address.clone())),
            _ => None,
        }
    }

    /// The interfaces that it is on.
    pub(super) fn links(&self) -> impl Iterator<Item = IfIndex> {
        let (one, hops) = match self {
            Self::Address(address) => (Some(address.link), None),
            Self::Route(route) => (None, Some(route.hops())),
            Self::Link(link) => (Some(link.base), None),
            Self::Setting(link, _) => (*link, None),
            Self::Rule(_) | Self::Firewall(_) => (None, None),
        };
        one.into_iter().chain(hops.into_iter().flatten().filter_map(|hop| hop.link))
    }

    /// Whether the kernel is asked for the same. Who a link is for is for messages only.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Link(link), Self::Link(other)) => {
                *link == VirtualLink { instance: link.instance.clone(), ..other.clone() }
            }
            _ => self == other,
        }
    }

    /// Whether the kernel will take it away by itself.
    pub(super) fn is_fleeting(&self, mirror: &Mirror) -> bool {
        matches!(self, Self::Address(address) if mirror.is_fleeting(address.link, address.cidr))
    }

    /// Whether the kernel has what was made of it, in whatever shape: it can be deleted.
    pub(super) fn is_left_in(&self, mirror: &Mirror) -> bool {
        match self {
            Self::Link(link) => mirror.number(link).is_some(),
            other => other.is_in(mirror),
        }
    }

    /// Whether the kernel has it as it should be.
    pub(super) fn is_in(&self, mirror: &Mirror) -> bool {
        match self {
            Self::Address(address) => mirror.has(address.link, address.cidr),
            Self::Route(route) => mirror.has_route(route),
            Self::Rule(rule) => mirror.has_rule(rule),
            Self::Link(link) => mirror.has_link(link),
            Self::Firewall(entry) => mirror.has_firewall(entry),
            Self::Setting(link, setting) => mirror.is_set(*link, setting),
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(dev, cidr) => write!(f, "address {cidr} on {dev}"),
            Self::Route(claim) => write!(f, "route {}", claim.route),
            Self::Rule(claim) => write!(f, "rule {}", claim.rule),
            Self::Link(name) => write!(f, "VMAC interface {name}"),
            Self::LinkLocal(name) => write!(f, "link-local address on {name}"),
            Self::Firewall(claim) => write!(f, "{}", claim.rule),
            Self::Setting(setting) => write!(f, "{setting}"),
        }
    }
}
