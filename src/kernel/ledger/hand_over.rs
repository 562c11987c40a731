//! What is left to the next start of the daemon, and what was left to this one.

use std::time::Duration;

use super::{Awaited, Ledger};
use crate::kernel::claim::{Claim, Owner};
use crate::kernel::mirror::Mirror;

impl Ledger {
    /// Somebody who holds all that they may claim leaves it as it is: addresses, which the kernel takes away after
    /// `time` (whole seconds) unless they are claimed again, and whatever these need. Routes and rules have no such end:
    /// they are given up.
    pub fn lend(&mut self, owner: Owner, time: Duration, number: u64) {
        self.lending.insert(owner, time);
        for key in self.keys.get(&owner).into_iter().flatten() {
            let Some(entry) = self.entries.get_mut(key).filter(|entry| entry.holders.contains(&owner)) else {
                continue;
            };
            match entry.claim {
                Claim::Route(_) | Claim::Rule(_) => {
                    entry.holders.remove(&owner);
                }
                _ => entry.lent = Some(entry.lent.map_or(time, |before| before.min(time))),
            }
            entry.start_afresh();
            self.dirty.insert(key.clone());
        }
        self.awaiting.insert(owner, Awaited::new(number));
        self.unconfirmed.insert(owner);
    }

    /// The longest time for which something is [lent](Ledger::lend).
    pub fn lent(&self) -> Option<Duration> {
        self.lending.values().max().copied()
    }

    /// What this instance may claim was left to it: it stays until the instance [claims](Ledger::claim) it or says that it
    /// does not. What keeps its addresses from accepting anything is claimed at once, since they are there already.
    pub fn reserve(&mut self, owner: Owner) {
        for key in self.keys.get(&owner).into_iter().flatten() {
            let Some(entry) = self.entries.get_mut(key) else { continue };
            entry.reserved.insert(owner);
            if matches!(entry.claim, Claim::Firewall(_)) {
                entry.holders.insert(owner);
                self.dirty.insert(key.clone());
            }
        }
    }

    /// Whether all of `owner` that is still held is as it is to be when we are gone.
    pub(super) fn is_left(&self, mirror: &Mirror, owner: Owner) -> bool {
        let keys = self.keys.get(&owner).into_iter().flatten();
        keys.filter_map(|key| self.entries.get(key))
            .all(|entry| entry.lent.is_none() || entry.is_left(mirror))
    }
}
