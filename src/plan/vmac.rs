//! VMACs and ipvlans: which there are, what they are called, and which addresses are on them.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

use crate::base::{Family, IfName, MacAddr, Vrid};
use crate::config::model::{Config, Globals, IpvlanMode, VirtualAddress, VmacAddress, VrrpInstance};
use crate::host::loader::LinkKind;
use crate::host::{FirewallRule, FirewallTable, Isolation, Link, Setting, VirtualKind};
use crate::kernel::{AddressClaim, Claim, FirewallClaim, LinkClaim};

/// The table of the packet filter, unless named.
const TABLE: &str = "keepalived";
/// Before ordinary filters.
const FIREWALL_PRIORITY: i32 = -1;
/// What the names of VMACs begin with, unless told otherwise.
const PREFIX: &str = "vrrp";

/// What an instance has of its own, apart from its interface.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VmacPlan {
    /// The VMAC or ipvlan.
    pub name: Option<IfName>,
    /// It is an ipvlan: adverts come from its own address, and the virtual addresses are on the interface.
    pub is_ipvlan: bool,
    /// Whether adverts leave through the interface all the same.
    pub xmit_base: bool,
}

/// The links that are there when a configuration is looked at.
#[derive(Clone, Debug, Default)]
pub struct Present {
    /// All of them.
    pub links: Vec<Link>,
    /// Those that the plan which is in force has made.
    pub ours: BTreeSet<IfName>,
}

/// Whether something in a configuration stands on links that are made for it.
pub fn makes_links(config: &Config) -> bool {
    let makes = |instance: &VrrpInstance| {
        let options = &instance.options;
        let mut addresses = instance.addresses.iter().chain(&instance.excluded);
        options.vmac.is_some()
            || options.ipvlan.is_some()
            || options.vmac_addresses
            || addresses.any(|address| address.pending.use_vmac)
    };
    config.instances.iter().any(makes)
}

/// The links that instances need.
pub(super) struct Links<'a> {
    globals: &'a Globals,
    /// Links that are there.
    there: BTreeMap<&'a IfName, &'a Link>,
    /// Of these, those that the plan which is in force has made.
    ours: &'a BTreeSet<IfName>,
    table: Arc<FirewallTable>,
    /// By base, family and address: two macvlans with one address cannot be on one link.
    known: BTreeMap<(IfName, Family, VirtualKind), IfName>,
    /// The packet filter is used anyway.
    filters: bool,
    names: BTreeSet<IfName>,
    claims: Vec<Claim>,
    /// What belongs to each link.
    parts: BTreeMap<IfName, Vec<Claim>>,
}

/// The table that entries of the packet filter are in.
pub(super) fn table(globals: &Globals) -> Arc<FirewallTable> {
    let firewall = &globals.options.firewall;
    Arc::new(FirewallTable {
        name: firewall.nftables.clone().unwrap_or_else(|| TABLE.to_owned()),
        priority: firewall.priority.unwrap_or(FIREWALL_PRIORITY),
        counters: firewall.counters,
    })
}

impl<'a> Links<'a> {
    /// No link yet; names that are written in `config` are kept free for who wrote them.
    pub(super) fn new(config: &'a Config, present: &'a Present) -> Self {
        let options = config.instances.iter().map(|instance| &instance.options);
        let vmac = |p: &crate::config::model::InstanceOptions| p.vmac.as_ref().and_then(|v| v.name.clone());
        let ipvlan =
            |p: &crate::config::model::InstanceOptions| p.ipvlan.as_ref().and_then(|i| i.name.clone());
        let names = options.flat_map(|p| [vmac(p), ipvlan(p)]).flatten().collect();
        let globals = &config.globals;
        let firewall = &globals.options.firewall;
        let filters = |i: &VrrpInstance| i.options.vmac.is_some() || !super::instance::accepts(globals, i);
        Self {
            globals,
            filters: firewall.nftables.is_some()
                || firewall.iptables.is_some()
                || config.instances.iter().any(filters),
            there: present.links.iter().map(|link| (&link.name, link)).collect(),
            ours: &present.ours,
            table: table(globals),
            known: BTreeMap::new(),
            names,
            claims: Vec::new(),
            parts: BTreeMap::new(),
        }
    }

    /// `garp_extra_if`: an address of each VMAC that no adverts leave by; with `all`, of each such interface.
    pub(super) fn extra_garp(
        &self,
        instance: &VrrpInstance,
        seat: Option<&IfName>,
        addresses: &[Arc<AddressClaim>],
    ) -> Vec<usize> {
        let Some(extra) = instance.options.garp_extra.or(self.globals.options.garp_extra) else {
            return Vec::new();
        };
        let mut seen: BTreeSet<&IfName> = seat.into_iter().collect();
        let is_wanted = |dev: &IfName| extra.all || self.known.values().any(|vmac| vmac == dev);
        let mut chosen = Vec::new();
        for (n, address) in addresses.iter().enumerate() {
            if is_wanted(&address.dev) && seen.insert(&address.dev) {
                chosen.push(n);
            }
        }
        chosen
    }

    /// What belongs to these links: an instance holds it while it is master, so that it can still say that it resigns
    /// when nobody else wants it any more.
    pub(super) fn parts(&self, links: &BTreeSet<&IfName>) -> Vec<Claim> {
        links.iter().filter_map(|link| self.parts.get(*link)).flatten().cloned().collect()
    }

    /// All that is wanted from start to stop.
    pub(super) fn claims(self) -> Vec<Claim> {
        self.claims
    }

    /// The VMAC or ipvlan of an instance.
    pub(super) fn of_instance(&mut self, instance: &VrrpInstance, family: Family, vrid: Vrid) -> VmacPlan {
        let options = &instance.options;
        let Some(base) = instance.interface.clone() else { return VmacPlan::default() };
        let (kind, name, group) = if let Some(vmac) = &options.vmac {
            (VirtualKind::Macvlan(mac(instance, family, vrid)), vmac.name.clone(), vmac.group)
        } else if let Some(ipvlan) = &options.ipvlan {
            let mode = match ipvlan.mode {
                None | Some(IpvlanMode::Bridge) => Isolation::Bridge,
                Some(IpvlanMode::Private) => Isolation::Private,
                Some(IpvlanMode::Vepa) => Isolation::Vepa,
            };
            (VirtualKind::Ipvlan(mode), ipvlan.name.clone(), ipvlan.group)
        } else {
            return VmacPlan::default();
        };
        let xmit_base = options.vmac_xmit_base;
        let all = instance.addresses.iter().chain(&instance.excluded);
        let mut families = vec![family];
        let other = if family == Family::V4 { Family::V6 } else { Family::V4 };
        if all.into_iter().any(|a| Family::of(a.cidr.ip) == other) {
            families.push(other);
        }
        let wanted = LinkClaim {
            name: name.clone().unwrap_or_else(|| base.clone()),
            base,
            kind,
            group,
            family,
            ipv6: families.contains(&Family::V6),
            instance: instance.name.clone(),
        };
        let prefix = self.globals.options.vmac_prefix.as_deref().unwrap_or(PREFIX);
        let name = self.link(wanted, name, prefix, vrid, &families, family == Family::V6 && !xmit_base);
        let is_ipvlan = matches!(kind, VirtualKind::Ipvlan(_));
        if let Some(cidr) = options.ipvlan.as_ref().and_then(|ipvlan| ipvlan.address).filter(|_| is_ipvlan) {
            self.claims.push(Claim::Address(AddressClaim::new(name.clone(), cidr).into()));
        }
        VmacPlan { name: Some(name), is_ipvlan, xmit_base }
    }

    /// The interface that an address of an instance is on; `None`: it has none, which `config` has said.
    pub(super) fn device(
        &mut self,
        instance: &VrrpInstance,
        own: (&VmacPlan, Family, Vrid),
        address: &VirtualAddress,
    ) -> Option<IfName> {
        let (vmac, own_family, vrid) = own;
        let base = address.dev.as_ref().or(instance.interface.as_ref())?.clone();
        let family = Family::of(address.cidr.ip);
        let elsewhere = instance.interface.as_ref() != Some(&base);
        if let Some(name) = &vmac.name
            && !vmac.is_ipvlan
            && !elsewhere
            && family == own_family
        {
            return Some(name.clone());
        }
        let options = &instance.options;
        let everywhere = options.vmac_addresses && (options.vmac.is_some() || elsewhere);
        if !address.pending.use_vmac && !everywhere {
            return Some(base);
        }
        let wanted = LinkClaim {
            name: base.clone(),
            base,
            kind: VirtualKind::Macvlan(mac(instance, family, vrid)),
            group: None,
            family,
            ipv6: family == Family::V6,
            instance: instance.name.clone(),
        };
        let globals = &self.globals.options;
        let prefix = globals.vmac_addr_prefix.as_deref().or(globals.vmac_prefix.as_deref()).unwrap_or(PREFIX);
        Some(self.link(wanted, None, prefix, vrid, &[family], family == Family::V6))
    }

    /// Adds a link with all that belongs to it, unless there is one like it; gives its name.
    fn link(
        &mut self,
        wanted: LinkClaim,
        name: Option<IfName>,
        prefix: &str,
        vrid: Vrid,
        families: &[Family],
        link_local: bool,
    ) -> IfName {
        let is_macvlan = matches!(wanted.kind, VirtualKind::Macvlan(_));
        let known = (wanted.base.clone(), wanted.family, wanted.kind);
        if is_macvlan && let Some(name) = self.known.get(&known) {
            return name.clone();
        }
        let left = || self.left(&wanted.base, wanted.kind).filter(|name| !self.names.contains(*name));
        let name = (name.or_else(|| left().cloned()))
            .or_else(|| self.free_name(prefix, &wanted, vrid))
            .unwrap_or(wanted.name.clone());
        self.known.insert(known, name.clone());
        self.names.insert(name.clone());
        let (base, family) = (wanted.base.clone(), wanted.family);
        let link = Arc::new(LinkClaim { name: name.clone(), ..wanted });
        let first = self.claims.len();
        if is_macvlan && family == Family::V4 {
            self.claims.push(Claim::Setting(Setting::SourceChecks));
            self.claims.push(Claim::Setting(Setting::ArpIsolation(base.clone())));
        }
        self.claims.push(Claim::Link(Arc::clone(&link)));
        // Of a VMAC for addresses only, nothing is said of IPv4 groups: without need no filter for it, as with stock.
        // Over IPv6 there is, each address has a group of its own.
        let families = families.iter().filter(|f| is_macvlan && (self.filters || **f == Family::V6));
        self.claims.extend(families.map(|family| {
            let rule = FirewallRule::Divert { link: name.clone(), base: base.clone(), family: *family };
            Claim::Firewall(Arc::new(FirewallClaim { table: Arc::clone(&self.table), rule }))
        }));
        if link_local && is_macvlan {
            self.claims.push(Claim::LinkLocal(link));
        }
        let parts = self.claims.get(first..).unwrap_or_default().to_vec();
        self.parts.insert(name.clone(), parts);
        name
    }

    /// The macvlan that keepalived would have made for this: it is taken over, under the name that it has.
    fn left(&self, base: &IfName, kind: VirtualKind) -> Option<&IfName> {
        let base = self.there.get(base)?;
        let below = match base.stacking.kind {
            LinkKind::Macvlan { .. } => base.stacking.base,
            _ => None,
        };
        let is_left = |link: &&&Link| {
            let on = link.stacking.base;
            matches!(kind, VirtualKind::Macvlan(mac) if link.mac == Some(mac))
                && link.stacking.kind == LinkKind::Macvlan { private: true }
                && (on == Some(base.index) || (on.is_some() && on == below))
        };
        self.there.values().find(is_left).map(|link| &link.name)
    }

    /// Whether somebody else's link has this name. What is an ipvlan may be what a predecessor has left.
    fn is_taken(&self, name: &IfName, kind: VirtualKind) -> bool {
        let is_ipvlan = |link: &Link| matches!(link.stacking.kind, LinkKind::Ipvlan { .. });
        let may_be_left = |link: &Link| matches!(kind, VirtualKind::Ipvlan(_)) && is_ipvlan(link);
        self.there.get(name).is_some_and(|link| !self.ours.contains(name) && !may_be_left(link))
    }

    /// `vrrp.51`; if that is taken, `vrrp6.51` for IPv6, then `vrrp1.51` and so on. Names have 15 bytes: of a long
    /// prefix as much as there is room for.
    fn free_name(&self, prefix: &str, wanted: &LinkClaim, vrid: Vrid) -> Option<IfName> {
        const LONGEST: usize = 15;
        let six = (wanted.family == Family::V6).then(|| "6".to_owned());
        let middles = std::iter::once(String::new()).chain(six).chain((1..).map(|n: u32| n.to_string()));
        let make = |middle: String| {
            let end = format!("{middle}.{vrid}");
            let room = LONGEST.saturating_sub(end.len());
            let room = (0..=room).rev().find(|n| prefix.is_char_boundary(*n)).unwrap_or(0);
            IfName::new(&format!("{}{end}", prefix.get(..room).unwrap_or(prefix)))
        };
        // There are more numbers than names: the first will do when they end.
        let mut names = middles.filter_map(make).peekable();
        let first = names.peek().cloned();
        let is_free = |name: &IfName| !self.names.contains(name) && !self.is_taken(name, wanted.kind);
        names.find(is_free).or(first)
    }
}

/// What keeps everybody from addresses of an instance that accepts nothing, while it has them.
pub(super) fn drops(table: &Arc<FirewallTable>, addresses: &[Arc<AddressClaim>]) -> Vec<Claim> {
    let drop = |address: &Arc<AddressClaim>| {
        let ip = address.cidr.ip;
        let local = matches!(ip, IpAddr::V6(ip) if ip.is_unicast_link_local());
        let rule = FirewallRule::Drop { ip, link: local.then(|| address.dev.clone()) };
        Claim::Firewall(Arc::new(FirewallClaim { table: Arc::clone(table), rule }))
    };
    addresses.iter().map(drop).collect()
}

/// The hardware address of VMACs of an instance: as written, or that of RFC 9568 section 7.3.
fn mac(instance: &VrrpInstance, family: Family, vrid: Vrid) -> MacAddr {
    match instance.options.vmac.as_ref().and_then(|vmac| vmac.mac) {
        Some(VmacAddress::Whole(mac)) => mac,
        Some(VmacAddress::Prefix([a, b, c, d, e])) => MacAddr([a, b, c, d, e, vrid.get()]),
        None => {
            let fifth = if family == Family::V4 { 1 } else { 2 };
            MacAddr([0x00, 0x00, 0x5e, 0x00, fifth, vrid.get()])
        }
    }
}

#[cfg(test)]
mod tests;
