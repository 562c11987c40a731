//! Which claims and instances a change of a link concerns: with thousands of links nobody has the time to look at all.

use std::collections::{BTreeMap, BTreeSet};

use super::entry::Entry;
use super::{Ledger, Loss, Watch};
use crate::base::{IfIndex, IfName, InstanceId};
use crate::host::Link;
use crate::kernel::claim::{Claim, Key, Obstacle};
use crate::kernel::mirror::Mirror;

/// What is found by the name of a link. It may hold more than there is, never less.
#[derive(Clone, Debug, Default)]
pub(super) struct Index {
    claims: BTreeMap<IfName, BTreeSet<Key>>,
    watchers: BTreeMap<IfName, BTreeSet<InstanceId>>,
    /// Instances without an interface: every link is their concern.
    anywhere: BTreeSet<InstanceId>,
    /// The names that links had when they were last reported.
    names: BTreeMap<IfIndex, IfName>,
    /// Claims that failed, or that somebody else's link is in the way of.
    troubled: BTreeSet<Key>,
}

impl Index {
    /// A claim is new, or has changed.
    pub(super) fn add(&mut self, key: &Key, claim: &Claim) {
        for dev in claim.devices() {
            self.claims.entry(dev.clone()).or_default().insert(key.clone());
        }
    }

    /// Only claims for which `is_known` is true are there any more.
    pub(super) fn retain(&mut self, is_known: impl Fn(&Key) -> bool) {
        self.claims.retain(|_, keys| {
            keys.retain(&is_known);
            !keys.is_empty()
        });
        self.troubled.retain(is_known);
    }

    /// As [`Ledger::compact`].
    pub(super) fn compact(&mut self) {
        for keys in self.claims.values_mut() {
            *keys = std::mem::take(keys).into_iter().collect();
        }
    }

    /// An instance watches this.
    pub(super) fn watch(&mut self, id: InstanceId, watch: &Watch) {
        self.unwatch(id);
        if watch.interface.is_none() {
            self.anywhere.insert(id);
        }
        for name in watch.interface.iter().chain(&watch.vmac) {
            self.watchers.entry(name.clone()).or_default().insert(id);
        }
    }

    /// An instance watches nothing any more.
    pub(super) fn unwatch(&mut self, id: InstanceId) {
        self.anywhere.remove(&id);
        self.watchers.retain(|_, ids| {
            ids.remove(&id);
            !ids.is_empty()
        });
    }

    /// Those that a link of this name concerns.
    pub(super) fn watchers(&self, name: &IfName) -> impl Iterator<Item = InstanceId> {
        self.watchers.get(name).into_iter().flatten().chain(&self.anywhere).copied()
    }

    /// Claims on a link of this name.
    pub(super) fn claims(&self, name: &IfName) -> impl Iterator<Item = &Key> {
        self.claims.get(name).into_iter().flatten()
    }

    /// Whether a claim is in trouble has been looked at.
    pub(super) fn note(&mut self, key: &Key, entry: &Entry) {
        let is_troubled = entry.failed.is_some() || matches!(entry.obstacle, Some(Obstacle::Occupied(_)));
        if !is_troubled {
            self.troubled.remove(key);
        } else if !self.troubled.contains(key) {
            self.troubled.insert(key.clone());
        }
    }
}

impl Ledger {
    /// All links are as `mirror` says.
    pub(super) fn links_known(&mut self, mirror: &Mirror) {
        self.index.names = mirror.links().map(|link| (link.index, link.name.clone())).collect();
    }

    /// A link is new or has changed: what had been given up can be tried.
    pub(super) fn link_changed(&mut self, mirror: &Mirror, link: &Link) {
        let before = self.index.names.insert(link.index, link.name.clone());
        // A VMAC may have another name now.
        let made = mirror.made_as(link.index);
        let vmac = made.or(Some(&link.name)).filter(|name| self.vmacs.contains_key(*name)).cloned();
        if let Some(vmac) = &vmac {
            self.gone(mirror, Key::Link(vmac.clone()));
        }
        let before = before.filter(|before| *before != link.name);
        let names: BTreeSet<&IfName> =
            [Some(&link.name), before.as_ref(), vmac.as_ref()].into_iter().flatten().collect();
        for name in names {
            self.revive_on(name, vmac.is_some());
        }
        // What we do to a VMAC that cannot be had is no reason to try again.
        self.revive_troubled(|entry| vmac.is_none() || !is_failed_link(entry));
    }

    /// A link is gone.
    pub(super) fn link_gone(&mut self, mirror: &Mirror, index: IfIndex) {
        if let Some(name) = self.index.names.remove(&index) {
            if self.vmacs.contains_key(&name) {
                self.gone(mirror, Key::Link(name.clone()));
            }
            // What was on it has been reported before. A link did not go with itself.
            for key in self.index.claims(&name).filter(|key| **key != Key::Link(name.clone())) {
                if let Some(entry) = self.entries.get_mut(key) {
                    entry.missed = entry.missed.map(|_| Loss::WithInterface);
                }
            }
            self.revive_on(&name, false);
        }
        self.revive_troubled(|entry| entry.failed.is_none());
    }

    /// What is claimed on a link of this name is looked at, and who watches it is told.
    fn revive_on(&mut self, name: &IfName, by_us: bool) {
        for key in self.index.claims(name) {
            if let Some(entry) = self.entries.get_mut(key).filter(|entry| !(by_us && is_failed_link(entry))) {
                entry.given_up = false;
                self.dirty.insert(key.clone());
            }
        }
        self.stale_watches.extend(self.index.watchers(name));
    }

    /// What is in trouble may work now.
    pub(super) fn revive_troubled(&mut self, which: impl Fn(&Entry) -> bool) {
        for key in &self.index.troubled {
            if let Some(entry) = self.entries.get_mut(key).filter(|entry| which(entry)) {
                entry.given_up = false;
                self.dirty.insert(key.clone());
            }
        }
    }
}

fn is_failed_link(entry: &Entry) -> bool {
    matches!(entry.claim, Claim::Link(_)) && entry.failed.is_some()
}
