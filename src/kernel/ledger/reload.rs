//! A changed configuration: other owners, other claims, while what stays the same is not touched.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::entry::Entry;
use super::{Awaited, Ledger, Watch};
use crate::base::{IfName, InstanceId};
use crate::kernel::claim::{Claim, Key, Owner};

impl Ledger {
    /// From now on `owner` may claim this. What it holds and may claim no more is given up; what is new, taken, if it
    /// holds the rest. What moves from one owner to another, both told of before the next [`Ledger::settle`], stays.
    pub fn reconfigure(&mut self, owner: Owner, claims: &[Claim]) {
        let before: BTreeSet<Key> = self.keys.get(&owner).into_iter().flatten().cloned().collect();
        self.enter(owner, claims);
        let now: BTreeSet<Key> = claims.iter().map(Claim::key).collect();
        for key in before.difference(&now) {
            if let Some(entry) = self.entries.get_mut(key) {
                entry.owners.remove(&owner);
                entry.reserved.remove(&owner);
                if entry.holders.remove(&owner) {
                    entry.start_afresh();
                }
                self.dirty.insert(key.clone());
            }
        }
        for claim in claims {
            let key = claim.key();
            let Some(entry) = self.entries.get_mut(&key) else { continue };
            let is_new = self.holding.contains(&owner) && entry.holders.insert(owner);
            // An address keeps its key when its label changes.
            let differs = std::mem::replace(&mut entry.claim, claim.clone()) != *claim;
            if is_new || differs {
                entry.start_afresh();
                self.dirty.insert(key);
            }
        }
        // Instances that are new may need a VMAC that is.
        if owner == Owner::Static && self.holding.contains(&owner) {
            self.awaiting.insert(owner, Awaited::new(0));
        }
        self.unconfirmed.insert(owner);
    }

    /// All that was to be [reconfigured](Ledger::reconfigure) has been.
    pub fn reconfigured(&mut self) {
        self.forget_unclaimed();
        self.review_sources();
    }

    /// An instance that is known watches this from now on, and tracks these interfaces.
    pub fn rewatch(&mut self, owner: InstanceId, watch: Watch, tracked: &[IfName]) {
        let known = self.watched.remove(&owner).and_then(|(_, known)| known);
        self.index.watch(owner, &watch);
        self.watched.insert(owner, (watch, known));
        self.stale_watches.insert(owner);
        for (_, owners) in self.tracked.values_mut() {
            owners.remove(&owner);
        }
        for interface in tracked {
            let (state, owners) = self.tracked.entry(interface.clone()).or_default();
            owners.insert(owner);
            // Told to all of them again: it is news to this one.
            *state = None;
        }
    }

    /// An instance that has stopped is known no more. What it may still hold is given up.
    pub fn unregister(&mut self, owner: InstanceId) {
        self.reconfigure(Owner::Instance(owner), &[]);
        self.reconfigured();
        self.keys.remove(&Owner::Instance(owner));
        self.holding.remove(&Owner::Instance(owner));
        self.watched.remove(&owner);
        self.index.unwatch(owner);
        for (_, owners) in self.tracked.values_mut() {
            owners.remove(&owner);
        }
    }

    /// Drops what nobody may claim and the kernel does not hold for us.
    fn forget_unclaimed(&mut self) {
        let gone =
            |entry: &Entry| entry.owners.is_empty() && entry.placed.is_none() && entry.in_flight.is_none();
        self.entries.retain(|_, entry| !gone(entry));
        let known = |keys: &mut Vec<Key>| {
            keys.retain(|key| self.entries.contains_key(key));
            !keys.is_empty()
        };
        self.routes.retain(|_, keys| known(keys));
        self.rules.retain(|_, keys| known(keys));
        self.vmacs.retain(|_, keys| known(keys));
        let entries = &self.entries;
        self.index.retain(|key| entries.contains_key(key));
    }

    /// Which addresses move with an instance may have changed, and so what adverts may be sent from.
    fn review_sources(&mut self) {
        let of_instance = |entry: &Entry| entry.owners.iter().any(|owner| owner.instance().is_some());
        let claimed = self.entries.values().filter(|e| of_instance(e)).filter_map(|e| match &e.claim {
            Claim::Address(address) => Some(address.cidr.ip),
            _ => None,
        });
        let claimed: BTreeSet<IpAddr> = claimed.collect();
        if claimed != self.claimed {
            self.claimed = claimed;
            self.stale_watches.extend(self.watched.keys());
        }
    }
}
