//! What an instance wants in the kernel while it is master, and what is wanted as long as the daemon runs.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use super::mirror::Mirror;
use crate::base::{Cidr, IfIndex, IfName, InstanceId};
use crate::host::{Address, AddressOptions, KernelOp, Route, Rule};

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
    Address(AddressClaim),
    /// A route.
    Route(Arc<RouteClaim>),
    /// A rule.
    Rule(Arc<RuleClaim>),
    /// `promote_secondaries` of an interface.
    Promotion(IfName),
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
    /// `promote_secondaries` of an interface.
    Promotion(IfName),
}

/// A claim whose interfaces exist, as it goes to the kernel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Object {
    Address(Address),
    Route(Box<Route>),
    Rule(Box<Rule>),
    Promotion(IfIndex, IfName),
}

/// Why a claim cannot go to the kernel at present.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Obstacle {
    /// An interface does not exist.
    Missing,
    /// All interfaces of a route are down, so that the kernel would refuse it.
    Down,
}

impl AddressClaim {
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

impl Claim {
    /// What tells it from others.
    pub fn key(&self) -> Key {
        match self {
            Self::Address(claim) => claim.key(),
            Self::Route(claim) => Key::Route(Arc::clone(claim)),
            Self::Rule(claim) => Key::Rule(Arc::clone(claim)),
            Self::Promotion(dev) => Key::Promotion(dev.clone()),
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
            Self::Promotion(dev) => {
                let link = mirror.link(dev).ok_or(Obstacle::Missing)?;
                Ok(Object::Promotion(link.index, dev.clone()))
            }
        }
    }

    /// Whether it depends on this interface.
    pub(super) fn is_on(&self, dev: &IfName) -> bool {
        match self {
            Self::Address(claim) => claim.dev == *dev,
            Self::Route(claim) => claim.route.hops().iter().any(|hop| hop.link.as_ref() == Some(dev)),
            Self::Rule(_) => false,
            Self::Promotion(on) => on == dev,
        }
    }

    /// Whether it is put back when somebody removes it.
    pub(super) fn is_tracked(&self) -> bool {
        match self {
            Self::Promotion(_) => true,
            Self::Address(claim) => claim.tracked,
            Self::Route(claim) => claim.tracked,
            Self::Rule(claim) => claim.tracked,
        }
    }

    /// Whether nobody but a person or a program removes it: the kernel takes IPv6 addresses from an interface that goes
    /// down.
    pub(super) fn can_stay(&self, mirror: &Mirror) -> bool {
        match self {
            Self::Address(claim) => mirror.link(&claim.dev).is_some_and(|link| link.up),
            Self::Route(_) | Self::Rule(_) | Self::Promotion(_) => true,
        }
    }

    /// What comes first goes last: routes may need addresses, and these may need to outlive one another. Rules come last,
    /// as in stock.
    pub(super) fn rank(&self) -> u8 {
        match self {
            Self::Promotion(_) => 0,
            Self::Address(_) => 1,
            Self::Route(_) => 2,
            Self::Rule(_) => 3,
        }
    }
}

impl Object {
    /// The change that makes it.
    pub(super) fn add(&self) -> KernelOp {
        match self.clone() {
            Self::Address(address) => KernelOp::AddAddress(address),
            Self::Route(route) => KernelOp::AddRoute(route),
            Self::Rule(rule) => KernelOp::AddRule(rule),
            Self::Promotion(_, dev) => KernelOp::SetPromotion(dev),
        }
    }

    /// The change that removes it.
    pub(super) fn delete(&self) -> KernelOp {
        match self.clone() {
            Self::Address(address) => KernelOp::DeleteAddress(address),
            Self::Route(route) => KernelOp::DeleteRoute(route),
            Self::Rule(rule) => KernelOp::DeleteRule(rule),
            Self::Promotion(_, dev) => KernelOp::UnsetPromotion(dev),
        }
    }

    /// Whether the kernel has it.
    pub(super) fn is_in(&self, mirror: &Mirror) -> bool {
        match self {
            Self::Address(address) => mirror.has(address.link, address.cidr),
            Self::Route(route) => mirror.has_route(route),
            Self::Rule(rule) => mirror.has_rule(rule),
            Self::Promotion(link, _) => mirror.is_promoted(*link),
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(dev, cidr) => write!(f, "address {cidr} on {dev}"),
            Self::Route(claim) => write!(f, "route {}", claim.route),
            Self::Rule(claim) => write!(f, "rule {}", claim.rule),
            Self::Promotion(dev) => write!(f, "promote_secondaries on {dev}"),
        }
    }
}
