//! What instances are told: that the kernel has followed their claims, and how their interfaces are.

use super::view::{self, view};
use super::words::Output;
use super::{Awaited, Ledger};
use crate::base::IfName;
use crate::kernel::claim::{Key, Owner};
use crate::kernel::mirror::Mirror;

impl Ledger {
    /// Tells instances that the kernel has followed their claims.
    pub(super) fn confirm(&mut self, mirror: &Mirror, out: &mut Vec<Output>) {
        for owner in std::mem::take(&mut self.unconfirmed) {
            let Some(awaited) = self.awaiting.get_mut(&owner) else { continue };
            let is_settled = |key: &Key| self.entries.get(key).is_none_or(|entry| entry.is_settled(mirror));
            let keys = self.keys.get(&owner).map(Vec::as_slice).unwrap_or_default();
            let unsettled = |from: usize| {
                let left = keys.get(from..).unwrap_or_default();
                left.iter().position(|key| !is_settled(key)).map(|n| from + n)
            };
            // What it waited for when it was last looked at, most likely it still waits for. What comes before that may
            // have been undone meanwhile.
            if let Some(first) = unsettled(awaited.first).or_else(|| unsettled(0)) {
                awaited.first = first;
                let addresses = std::mem::take(&mut awaited.placed);
                if let Owner::Instance(owner) = owner
                    && !addresses.is_empty()
                {
                    out.push(Output::Placed { owner, number: awaited.number, addresses });
                }
                continue;
            }
            if let Some(Awaited { number, .. }) = self.awaiting.remove(&owner) {
                let left = !self.lending.contains_key(&owner) || self.is_left(mirror, owner);
                match owner {
                    Owner::Instance(owner) if left => out.push(Output::Confirmed { owner, number }),
                    Owner::Instance(owner) => out.push(Output::NotLent { owner, number }),
                    Owner::Static => {}
                }
            }
        }
    }

    /// Tells instances what changed about their interfaces.
    pub(super) fn watch(&mut self, mirror: &Mirror, out: &mut Vec<Output>) {
        // First, so that an instance that is about to start knows what it tracks.
        for (name, (known, owners)) in &mut self.tracked {
            let state = view::state(mirror, name, &self.vacated);
            if known.replace(state) != Some(state) {
                out.extend(owners.iter().map(|owner| Output::Tracked(*owner, name.clone(), state)));
            }
        }
        for owner in std::mem::take(&mut self.stale_watches) {
            let Some((watch, known)) = self.watched.get(&owner) else { continue };
            let before = known.and_then(|i| i.source);
            let mut now = view(mirror, watch, before, &self.claimed, &self.vacated);
            if let Some(vmac) = watch.vmac.as_ref().filter(|vmac| !self.is_fit(mirror, vmac)) {
                now.index = None;
                now.occupied = self.occupied(mirror, vmac);
            }
            if *known != Some(now) {
                if let Some((_, known)) = self.watched.get_mut(&owner) {
                    *known = Some(now);
                }
                out.push(Output::Interface(owner, now));
            }
        }
    }

    /// Whether an instance is on the interface of this name, or tracks it.
    pub fn is_watched(&self, name: &IfName) -> bool {
        let mut watches = self.watched.values().map(|(watch, _)| watch);
        self.tracked.contains_key(name)
            || watches.any(|w| w.interface.as_ref().or(w.vrf.as_ref()) == Some(name))
    }
}
