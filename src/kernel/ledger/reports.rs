//! What the kernel reports: which claims and instances it concerns.

use std::net::IpAddr;

use super::Ledger;
use super::entry::Entry;
use crate::base::IfName;
use crate::host::{KernelEvent, LinkState};
use crate::kernel::claim::Key;
use crate::kernel::mirror::Mirror;

impl Ledger {
    /// The kernel reported a change, which `mirror` has followed already.
    pub fn event(&mut self, mirror: &Mirror, event: &KernelEvent) {
        if let Some((name, how)) = mirror.vacated() {
            self.vacated_if_known(name, *how);
        }
        match event {
            KernelEvent::Resync(_) => {
                if !self.synced {
                    self.synced = true;
                    self.find_leftovers(mirror);
                    // Left behind by a predecessor that was killed: as if we had added them.
                    for entry in self.entries.values_mut() {
                        let found = entry.claim.resolve(mirror).ok().filter(|object| object.is_in(mirror));
                        entry.placed = found.map(Box::new);
                    }
                }
                for entry in self.entries.values_mut() {
                    entry.read_anew(mirror);
                    entry.missed = entry.missed.or(entry.loss(mirror));
                }
                self.links_known(mirror);
                self.revive(|_| true);
                self.stale_watches.extend(self.watched.keys());
            }
            KernelEvent::AddressGone(address) => {
                let Some(link) = mirror.link_at(address.link) else { return };
                self.gone(mirror, Key::Address(link.name.clone(), address.cidr));
                self.link_local_changed(mirror, &link.name, address.cidr.ip);
                self.source_changed(&link.name, address.cidr.ip);
            }
            KernelEvent::Address(address) => {
                let Some(link) = mirror.link_at(address.link) else { return };
                self.there(mirror, Key::Address(link.name.clone(), address.cidr));
                self.link_local_changed(mirror, &link.name, address.cidr.ip);
                self.source_changed(&link.name, address.cidr.ip);
                // What leads to a router may be there now.
                if !self.claimed.contains(&address.cidr.ip) {
                    self.revive_troubled(|entry| entry.failed.is_some());
                }
            }
            KernelEvent::Route(route) => {
                for key in self.routes.get(&route.key()).cloned().unwrap_or_default() {
                    self.there(mirror, key);
                }
            }
            KernelEvent::RouteGone(route) | KernelEvent::RouteReplaced(route) => {
                for key in self.routes.get(&route.key()).cloned().unwrap_or_default() {
                    self.gone(mirror, key);
                }
            }
            KernelEvent::Rule(rule) => {
                for key in self.rules.get(rule).cloned().unwrap_or_default() {
                    self.there(mirror, key);
                }
            }
            KernelEvent::RuleGone(rule) => {
                for key in self.rules.get(rule).cloned().unwrap_or_default() {
                    self.gone(mirror, key);
                }
            }
            KernelEvent::FirewallLost => {
                let ours = |key: &&Key| matches!(key, Key::Firewall(_));
                for key in self.entries.keys().filter(ours).cloned().collect::<Vec<_>>() {
                    self.gone(mirror, key);
                }
            }
            KernelEvent::Link(link) => {
                self.vacated.remove(&link.name);
                self.link_changed(mirror, link);
            }
            KernelEvent::LinkGone { index, .. } => self.link_gone(mirror, *index),
        }
    }

    /// Somebody, perhaps we, added or changed something.
    fn there(&mut self, mirror: &Mirror, key: Key) {
        if let Some(entry) = self.entries.get_mut(&key) {
            entry.reported(mirror);
            self.dirty.insert(key);
        }
    }

    /// Somebody, perhaps we, removed something.
    pub(super) fn gone(&mut self, mirror: &Mirror, key: Key) {
        if let Some(entry) = self.entries.get_mut(&key) {
            entry.reported(mirror);
            let loss = entry.loss(mirror);
            if entry.claim.is_tracked() {
                entry.missed = entry.missed.or(loss);
            } else {
                entry.renounced |= loss.is_some() && entry.claim.can_stay(mirror);
            }
            self.dirty.insert(key);
        }
    }

    /// A link has lost its name. If somebody wants to know of links of that name, it is remembered why.
    pub(super) fn vacated_if_known(&mut self, name: &IfName, how: LinkState) {
        if self.is_watched(name) {
            self.vacated.insert(name.clone(), how);
        }
    }

    /// What had been given up may work now.
    pub(super) fn revive(&mut self, which: impl Fn(&Entry) -> bool) {
        for (key, entry) in self.entries.iter_mut().filter(|(_, e)| which(e)) {
            entry.given_up = false;
            self.dirty.insert(key.clone());
        }
    }

    /// An address that nobody claims came or went: instances on that interface may send from another one now.
    pub(super) fn source_changed(&mut self, interface: &IfName, ip: IpAddr) {
        if !self.claimed.contains(&ip) {
            let there = self.watched.iter().filter(|(_, (watch, _))| watch.is_about(interface));
            self.stale_watches.extend(there.map(|(owner, _)| *owner));
        }
    }
}
