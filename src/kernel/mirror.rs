//! Links and addresses as the kernel last reported them.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::base::{Cidr, IfIndex, IfName};
use crate::host::{Address, KernelEvent, Link};

/// A copy of the kernel's tables.
#[derive(Clone, Debug, Default)]
pub struct Mirror {
    links: BTreeMap<IfIndex, Link>,
    names: BTreeMap<IfName, IfIndex>,
    /// With the order in which they came, which is the kernel's: the first one of an interface is its primary.
    addresses: BTreeMap<(IfIndex, Cidr), (u64, Address)>,
    arrivals: u64,
}

impl Mirror {
    /// Follows a report.
    pub fn apply(&mut self, event: &KernelEvent) {
        match event {
            KernelEvent::Resync(dump) => {
                *self = Self::default();
                for link in &dump.links {
                    self.add_link(link);
                }
                for address in &dump.addresses {
                    self.add(address);
                }
            }
            KernelEvent::Link(link) => self.add_link(link),
            KernelEvent::LinkGone(index) => self.remove_link(*index),
            KernelEvent::Address(address) => self.add(address),
            KernelEvent::AddressGone(address) => self.remove(address.link, address.cidr),
        }
    }

    /// Records an address as present.
    pub fn add(&mut self, address: &Address) {
        self.arrivals += 1;
        let arrival = self.arrivals;
        let known = self.addresses.entry(address.key()).or_insert_with(|| (arrival, address.clone()));
        known.1.clone_from(address);
    }

    /// Records an address as absent.
    pub fn remove(&mut self, link: IfIndex, cidr: Cidr) {
        self.addresses.remove(&(link, cidr));
    }

    fn add_link(&mut self, link: &Link) {
        if let Some(known) = self.links.insert(link.index, link.clone())
            && known.name != link.name
        {
            self.names.remove(&known.name);
        }
        self.names.insert(link.name.clone(), link.index);
    }

    fn remove_link(&mut self, index: IfIndex) {
        if let Some(link) = self.links.remove(&index) {
            self.names.remove(&link.name);
        }
        self.addresses.retain(|(link, _), _| *link != index);
    }

    /// The link of this name.
    pub fn link(&self, name: &IfName) -> Option<&Link> {
        self.link_at(*self.names.get(name)?)
    }

    /// The link with this index.
    pub fn link_at(&self, index: IfIndex) -> Option<&Link> {
        self.links.get(&index)
    }

    /// All links.
    pub fn links(&self) -> impl Iterator<Item = &Link> {
        self.links.values()
    }

    /// The addresses of a link, in the kernel's order.
    pub fn addresses(&self, link: IfIndex) -> Vec<&Address> {
        let mut found: Vec<_> =
            self.addresses.iter().filter(|((on, _), _)| *on == link).map(|(_, known)| known).collect();
        found.sort_by_key(|(arrival, _)| *arrival);
        found.into_iter().map(|(_, address)| address).collect()
    }

    /// Whether the link has this address, with whatever prefix.
    pub fn has_ip(&self, link: IfIndex, ip: IpAddr) -> bool {
        let whole = (link, Cidr { ip, prefix: 0 })..=(link, Cidr { ip, prefix: u8::MAX });
        self.addresses.range(whole).next().is_some()
    }

    /// Whether the link has this address and prefix.
    pub fn has(&self, link: IfIndex, cidr: Cidr) -> bool {
        self.addresses.contains_key(&(link, cidr))
    }
}
