//! What an instance wants in the kernel while it is master.

use std::net::{IpAddr, Ipv4Addr};

use crate::base::{Cidr, IfIndex, IfName};
use crate::host::{Address, AddressOptions};

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
        (self.dev.clone(), self.cidr)
    }
}

/// Interface, address and prefix.
pub type Key = (IfName, Cidr);
