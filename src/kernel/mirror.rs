//! Links, addresses, routes and rules as the kernel last reported them.
//!
//! The kernel does not report every route that disappears. Silently go IPv4 routes whose interfaces are all down, whose
//! source address is deleted, or whose interface loses its last address; so the mirror forgets them by itself.

mod made;

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};

use self::made::Registry;
use super::claim::Object;
use crate::base::{Cidr, Family, IfIndex, IfName};
use crate::host::route::RouteKey;
use crate::host::{
    Address, AddressOptions, FirewallEntry, KernelEvent, Link, LinkState, Route, Rule, Setting,
};

/// A copy of the kernel's tables.
#[derive(Clone, Debug, Default)]
pub struct Mirror {
    links: BTreeMap<IfIndex, Link>,
    names: BTreeMap<IfName, IfIndex>,
    /// With the order in which they came, which is the kernel's: the first one of an interface is its primary.
    addresses: BTreeMap<(IfIndex, Cidr), Known>,
    arrivals: u64,
    /// keepalived's.
    routes: BTreeMap<RouteKey, Vec<Route>>,
    rules: BTreeSet<Rule>,
    /// Links that we have made.
    registry: Registry,
    /// Settings that we have changed; the kernel does not report it.
    settings: BTreeSet<(Option<IfIndex>, Setting)>,
    /// Entries of the packet filter that we have made; the kernel reports only what others do to them.
    firewall: BTreeSet<FirewallEntry>,
    /// Addresses that move; whose they are is not decided here.
    virtuals: BTreeSet<IpAddr>,
    /// How many routes were forgotten without a report.
    forgotten: u64,
    /// The name that the last report took from a link, and why nothing is called so any more.
    vacated: Option<(IfName, LinkState)>,
}

/// Of an address that is there, what anybody asks for; there may be thousands.
#[derive(Clone, Copy, Debug)]
struct Known {
    arrival: u64,
    peer: Option<IpAddr>,
    protocol: u8,
    is_fleeting: bool,
}

/// Links and addresses at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Survey {
    /// Links, in the order of their indices.
    pub links: Vec<Link>,
    /// Addresses, in the kernel's order.
    pub addresses: Vec<(IfIndex, Cidr)>,
}

impl Mirror {
    /// Follows a report.
    pub fn apply(&mut self, event: &KernelEvent) {
        self.vacated = None;
        match event {
            KernelEvent::Resync(dump) => {
                *self = Self {
                    forgotten: self.forgotten,
                    settings: std::mem::take(&mut self.settings),
                    firewall: std::mem::take(&mut self.firewall),
                    virtuals: std::mem::take(&mut self.virtuals),
                    registry: self.registry.survivors(),
                    ..Self::default()
                };
                for link in &dump.links {
                    self.add_link(link);
                }
                for address in &dump.addresses {
                    self.add(address);
                }
                for route in &dump.routes {
                    self.add_route(route);
                }
                self.rules.extend(dump.rules.iter().cloned());
                self.review_made();
            }
            KernelEvent::Link(link) => self.add_link(link),
            KernelEvent::LinkGone { index, moved } => {
                let how = if *moved { LinkState::Moved } else { LinkState::Deleted };
                self.vacated = self.link_at(*index).map(|link| (link.name.clone(), how));
                self.remove_link(*index);
            }
            KernelEvent::Address(address) => self.add(address),
            KernelEvent::AddressGone(address) => self.remove(address.link, address.cidr),
            KernelEvent::Route(route) => self.add_route(route),
            KernelEvent::RouteGone(route) => self.remove_route(route),
            KernelEvent::RouteReplaced(route) => {
                self.routes.remove(&route.key());
                if route.protocol == Route::<IfIndex>::PROTO_KEEPALIVED {
                    self.add_route(route);
                }
            }
            KernelEvent::Rule(rule) => self.add_rule(rule),
            KernelEvent::RuleGone(rule) => self.remove_rule(rule),
            KernelEvent::FirewallLost => self.firewall.clear(),
        }
    }

    /// Records what we added.
    pub(super) fn record(&mut self, object: &Object) {
        match object {
            Object::Address(address) => self.add(address),
            Object::Route(route) => self.add_route(route),
            Object::Rule(rule) => self.add_rule(rule),
            Object::Link(link) => {
                let origin = self.origin(link);
                self.made(link, origin);
            }
            Object::Firewall(entry) => {
                self.firewall.insert(entry.clone());
            }
            Object::Setting(link, setting) => {
                self.settings.insert((*link, setting.clone()));
            }
        }
    }

    /// Records what we deleted.
    pub(super) fn erase(&mut self, object: &Object) {
        match object {
            Object::Address(address) => self.remove(address.link, address.cidr),
            Object::Route(route) => self.remove_route(route),
            Object::Rule(rule) => self.remove_rule(rule),
            Object::Link(link) => self.unmade(link),
            Object::Firewall(entry) => {
                self.firewall.remove(entry);
            }
            Object::Setting(link, setting) => {
                self.settings.remove(&(*link, setting.clone()));
            }
        }
    }

    /// Records a route as present.
    pub fn add_route(&mut self, route: &Route) {
        let known = self.routes.entry(route.key()).or_default();
        match known.iter_mut().find(|r| r.is_same(route)) {
            None => known.push(route.clone()),
            // The kernel tells the interfaces that we had left to it.
            Some(r) if route.hops().iter().all(|hop| hop.link.is_some()) => r.clone_from(route),
            Some(_) => {}
        }
    }

    /// Records a route as absent. Of several ways of an IPv6 route, one may disappear: what is left is not what it was.
    pub fn remove_route(&mut self, route: &Route) {
        if let Some(known) = self.routes.get_mut(&route.key()) {
            let is_part = |r: &Route| {
                r.family == Family::V6
                    && r.hops().iter().any(|hop| hop.via.is_some() && hop.via == route.hop.via)
            };
            known.retain(|r| !r.is_same(route) && !is_part(r));
        }
    }

    /// Records a rule as present.
    pub fn add_rule(&mut self, rule: &Rule) {
        self.rules.insert(rule.clone());
    }

    /// Records a rule as absent.
    pub fn remove_rule(&mut self, rule: &Rule) {
        self.rules.remove(rule);
    }

    /// All of keepalived's routes.
    pub(super) fn routes(&self) -> impl Iterator<Item = &Route> {
        self.routes.values().flatten()
    }

    /// All of keepalived's rules.
    pub(super) fn rules(&self) -> impl Iterator<Item = &Rule> {
        self.rules.iter()
    }

    /// Whether the kernel has this route.
    pub fn has_route(&self, route: &Route) -> bool {
        self.routes.get(&route.key()).is_some_and(|known| known.iter().any(|r| r.is_same(route)))
    }

    /// Whether the kernel has this rule.
    pub fn has_rule(&self, rule: &Rule) -> bool {
        self.rules.contains(rule)
    }

    /// Whether we have made this entry of the packet filter.
    pub fn has_firewall(&self, entry: &FirewallEntry) -> bool {
        self.firewall.contains(entry)
    }

    /// Whether we have changed this setting, which is about that interface.
    pub fn is_set(&self, link: Option<IfIndex>, setting: &Setting) -> bool {
        self.settings.contains(&(link, setting.clone()))
    }

    /// Notes an address that moves.
    pub fn note_virtual(&mut self, ip: IpAddr) {
        self.virtuals.insert(ip);
    }

    /// Whether an address is one that moves.
    pub fn is_virtual(&self, ip: IpAddr) -> bool {
        self.virtuals.contains(&ip)
    }

    /// Forgets routes that disappear without a report.
    fn forget_routes(&mut self, is_lost: impl Fn(&Self, &Route) -> bool) {
        let mut routes = std::mem::take(&mut self.routes);
        for known in routes.values_mut() {
            let before = known.len();
            known.retain(|route| !is_lost(self, route));
            self.forgotten += (before - known.len()) as u64;
        }
        self.routes = routes;
    }

    /// Changes whenever routes disappear without a report.
    pub fn forgotten(&self) -> u64 {
        self.forgotten
    }

    /// Records an address as present.
    pub fn add(&mut self, address: &Address) {
        self.arrivals += 1;
        let Address { peer, protocol, .. } = *address;
        let fresh =
            Known { arrival: self.arrivals, peer, protocol, is_fleeting: address.options.valid.is_some() };
        let known = self.addresses.entry(address.key()).or_insert(fresh);
        *known = Known { arrival: known.arrival, ..fresh };
    }

    /// Records an address as absent.
    pub fn remove(&mut self, link: IfIndex, cidr: Cidr) {
        if self.addresses.remove(&(link, cidr)).is_none() || cidr.ip.is_ipv6() || self.routes.is_empty() {
            return;
        }
        let is_orphan = !self.addresses.keys().any(|(_, other)| other.ip == cidr.ip);
        let mut on_link = self.addresses.keys().filter(|(on, other)| *on == link && other.ip.is_ipv4());
        let is_bare = on_link.next().is_none();
        self.forget_routes(|_, route| {
            let source = is_orphan && route.source == Some(cidr.ip);
            let link = is_bare && route.hops().iter().all(|hop| hop.link == Some(link));
            route.family == Family::V4 && !route.is_dead_end() && (source || link)
        });
    }

    fn add_link(&mut self, link: &Link) {
        let known = self.links.insert(link.index, link.clone());
        if let Some(known) = known.as_ref().filter(|known| known.name != link.name) {
            self.release(&known.name, known.index);
            self.vacated = Some((known.name.clone(), LinkState::Renamed));
        }
        self.names.insert(link.name.clone(), link.index);
        self.registry.reported(link, known.as_ref());
        if !link.up {
            let is_down = |mirror: &Self, on: Option<IfIndex>| {
                on.is_some_and(|on| mirror.links.get(&on).is_none_or(|l| !l.up))
            };
            self.forget_routes(|mirror, route| {
                !route.is_dead_end() && route.hops().iter().all(|hop| is_down(mirror, hop.link))
            });
        }
    }

    fn remove_link(&mut self, index: IfIndex) {
        if let Some(link) = self.links.remove(&index) {
            self.release(&link.name, index);
            self.registry.gone(&link);
        }
        self.addresses.retain(|(link, _), _| *link != index);
        self.settings.retain(|(link, _)| *link != Some(index));
        self.forget_routes(|_, route| {
            !route.is_dead_end() && route.hops().iter().any(|hop| hop.link == Some(index))
        });
    }

    /// The link with this number is not called so any more; another one may be already.
    fn release(&mut self, name: &IfName, index: IfIndex) {
        if self.names.get(name) == Some(&index) {
            self.names.remove(name);
        }
    }

    /// The link of this name.
    pub fn link(&self, name: &IfName) -> Option<&Link> {
        self.link_at(*self.names.get(name)?)
    }

    /// The link with this index.
    pub fn link_at(&self, index: IfIndex) -> Option<&Link> {
        self.links.get(&index)
    }

    /// The name that the last report took from a link, and why nothing is called so any more.
    pub fn vacated(&self) -> Option<&(IfName, LinkState)> {
        self.vacated.as_ref()
    }

    /// All links.
    pub fn links(&self) -> impl Iterator<Item = &Link> {
        self.links.values()
    }

    /// The addresses of a link, in the kernel's order: what they can be deleted by, and who made them.
    pub fn addresses(&self, link: IfIndex) -> Vec<Address> {
        let mut found: Vec<_> = self.on(link).collect();
        found.sort_by_key(|(_, known)| known.arrival);
        found.into_iter().map(address).collect()
    }

    /// All addresses, likewise.
    pub(super) fn all_addresses(&self) -> impl Iterator<Item = Address> {
        self.addresses.iter().map(address)
    }

    /// The first address of a link, in the kernel's order, of which `is_wanted` is true.
    pub fn first_address(&self, link: IfIndex, is_wanted: impl Fn(IpAddr) -> bool) -> Option<IpAddr> {
        let wanted = self.on(link).filter(|((_, cidr), _)| is_wanted(cidr.ip));
        wanted.min_by_key(|(_, known)| known.arrival).map(|((_, cidr), _)| cidr.ip)
    }

    /// What is known of the addresses of a link.
    fn on(&self, link: IfIndex) -> impl Iterator<Item = (&(IfIndex, Cidr), &Known)> {
        let lowest = Cidr { ip: Ipv4Addr::UNSPECIFIED.into(), prefix: 0 };
        self.addresses.range((link, lowest)..).take_while(move |((on, _), _)| *on == link)
    }

    /// What there is, for those who ask from elsewhere.
    pub fn survey(&self) -> Survey {
        let mut all: Vec<_> = self.addresses.iter().map(|(key, known)| (known.arrival, *key)).collect();
        all.sort_unstable();
        Survey {
            links: self.links.values().cloned().collect(),
            addresses: all.into_iter().map(|(_, key)| key).collect(),
        }
    }

    /// Whether the link has this address, with whatever prefix.
    pub fn has_ip(&self, link: IfIndex, ip: IpAddr) -> bool {
        let whole = (link, Cidr { ip, prefix: 0 })..=(link, Cidr { ip, prefix: u8::MAX });
        self.addresses.range(whole).next().is_some()
    }

    /// Whether the kernel will take this address away by itself.
    pub(super) fn is_fleeting(&self, link: IfIndex, cidr: Cidr) -> bool {
        self.addresses.get(&(link, cidr)).is_some_and(|known| known.is_fleeting)
    }

    /// Whether the link has this address and prefix.
    pub fn has(&self, link: IfIndex, cidr: Cidr) -> bool {
        self.addresses.contains_key(&(link, cidr))
    }
}

/// What is known of an address, as the kernel's tables have it.
fn address((&(link, cidr), known): (&(IfIndex, Cidr), &Known)) -> Address {
    Address {
        link,
        cidr,
        peer: known.peer,
        broadcast: None,
        label: None,
        scope: 0,
        protocol: known.protocol,
        options: AddressOptions::default(),
    }
}
