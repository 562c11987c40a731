//! What a predecessor that was killed has left, and nobody claims any more.

use std::sync::Arc;

use super::Ledger;
use super::words::Output;
use crate::base::{Family, IfIndex};
use crate::host::{Address, FirewallTable, KernelOp, Link, Setting, VirtualLink};
use crate::kernel::claim::{Claim, Key, RouteClaim, RuleClaim};
use crate::kernel::inventory::Inventory;
use crate::kernel::mirror::Mirror;

impl Ledger {
    /// Takes away what `left` names and nobody claims, as soon as the kernel's tables are known.
    pub fn clear_away(&mut self, left: Inventory) {
        self.left = left;
    }

    /// The kernel's tables are known.
    pub(super) fn find_leftovers(&mut self, mirror: &Mirror) {
        let left = std::mem::take(&mut self.left);
        if left.is_empty() {
            return;
        }
        let mut strays = Vec::new();
        for rule in mirror.rules().filter(|rule| left.has_rule(rule) && !self.rules.contains_key(*rule)) {
            let claim = RuleClaim { rule: rule.clone(), tracked: false };
            strays.push((Key::Rule(Arc::new(claim)), KernelOp::DeleteRule(Box::new(rule.clone()))));
        }
        for route in mirror.routes().filter(|route| left.has_route(&route.key())) {
            if !self.routes.contains_key(&route.key()) {
                let name = |index: &IfIndex| mirror.link_at(*index).map(|link| link.name.clone()).ok_or(());
                let Ok(named) = route.resolve(name) else { continue };
                let claim = RouteClaim { route: named, tracked: false };
                strays.push((Key::Route(Arc::new(claim)), KernelOp::DeleteRoute(Box::new(route.clone()))));
            }
        }
        for address in mirror.all_addresses().filter(|a| a.protocol == Address::PROTO_KEEPALIVED) {
            let Some(link) = mirror.link_at(address.link) else { continue };
            let key = Key::Address(link.name.clone(), address.cidr);
            if left.has_address(&link.name, address.cidr) && !self.entries.contains_key(&key) {
                strays.push((key, KernelOp::DeleteAddress(address)));
            }
        }
        for link in mirror.links() {
            if let Some(kind) = left.link(link, mirror)
                && let Some(base) = link.stacking.base
                && !self.wants(mirror, link)
            {
                let gone = VirtualLink {
                    name: link.name.clone(),
                    instance: "left".to_owned(),
                    base,
                    real_base: base,
                    kind,
                    group: link.stacking.group,
                    vrf: None,
                    family: Family::V4,
                    ipv6: false,
                };
                strays.push((Key::Link(link.name.clone()), KernelOp::DeleteLink(gone, Some(link.index))));
            }
        }
        // Last: nobody is to reach an address that accepts nothing.
        let is_used = |table: &FirewallTable| {
            self.entries
                .keys()
                .any(|key| matches!(key, Key::Setting(Setting::Filter(used)) if used.name == table.name))
        };
        for table in left.tables().filter(|table| !is_used(table)) {
            let setting = Setting::Filter(Arc::new(table));
            strays.push((Key::Setting(setting.clone()), KernelOp::Unset(setting)));
        }
        self.found.extend(strays.iter().map(|(key, _)| Output::Leftover { key: key.clone() }));
        self.strays.extend(strays);
    }

    /// Whether a VMAC is to be made out of this link.
    fn wants(&self, mirror: &Mirror, link: &Link) -> bool {
        let wanted = self.entries.values().filter_map(|entry| match &entry.claim {
            Claim::Link(claim) => claim.wanted(mirror).ok(),
            _ => None,
        });
        self.entries.contains_key(&Key::Link(link.name.clone()))
            || wanted.into_iter().any(|wanted| wanted.adopts(link))
    }
}
