//! The difference between what is claimed and what is there.
//!
//! For each claim (an address, a route, a rule) the ledger knows who holds it, whether it is ours to delete, and whether a change is on
//! its way. Changes follow from comparing, never from remembering what happened; so an answer that comes late, or a
//! report that the change it describes has overtaken, does no harm.

mod entry;
mod hand_over;
mod index;
mod leftovers;
mod owners;
mod reload;
mod reports;
mod telling;
mod view;
mod vmac;
mod words;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;

use self::entry::{Change, Entry, Reported, Step};
use self::index::Index;
use super::claim::{Claim, Key, Owner, Place};
use super::inventory::Inventory;
use super::mirror::Mirror;
use crate::base::{IfName, InstanceId, Instant};
use crate::host::kernel::Errno;
use crate::host::route::RouteKey;
use crate::host::{KernelOp, LinkState, Rule};

pub use self::words::{Interface, Loss, Output, Watch};

/// All claims, and what is known of the kernel.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    entries: BTreeMap<Key, Entry>,
    /// What each may claim.
    keys: BTreeMap<Owner, Vec<Key>>,
    /// Who claims it at present.
    holding: BTreeSet<Owner>,
    /// Who of them leaves, and how long the kernel keeps what they leave.
    lending: BTreeMap<Owner, Duration>,
    /// Numbers claims in the order in which they became known.
    places: usize,
    /// Claimed routes and rules, by what the kernel calls them.
    routes: BTreeMap<RouteKey, Vec<Key>>,
    rules: BTreeMap<Rule, Vec<Key>>,
    /// What [`Mirror::forgotten`] said last.
    forgotten: u64,
    /// The addresses that are claimed at all, on whatever interface.
    claimed: BTreeSet<IpAddr>,
    /// What is found by the name of a link.
    index: Index,
    /// VMACs, with all that makes them fit to be used.
    vmacs: BTreeMap<IfName, Vec<Key>>,
    watched: BTreeMap<InstanceId, (Watch, Option<Interface>)>,
    /// Interfaces that instances track, how they are, and who wants to know.
    tracked: BTreeMap<IfName, (Option<LinkState>, BTreeSet<InstanceId>)>,
    /// Of interfaces that matter and were there: why they are not.
    vacated: BTreeMap<IfName, LinkState>,
    /// Claims that the kernel has not followed yet.
    awaiting: BTreeMap<Owner, Awaited>,
    retries: BTreeSet<(Instant, Key)>,
    /// What the next [`Ledger::settle`] has to look at.
    dirty: BTreeSet<Key>,
    unconfirmed: BTreeSet<Owner>,
    stale_watches: BTreeSet<InstanceId>,
    /// Addresses that nobody claims, to be taken from links that were taken over.
    strays: Vec<(Key, KernelOp)>,
    /// What a predecessor that was killed may have left; until the kernel's tables are known.
    left: Inventory,
    /// What of it was there, to be told.
    found: Vec<Output>,
    synced: bool,
    in_flight: usize,
}

/// A claim that the kernel has not followed yet.
#[derive(Clone, Debug)]
struct Awaited {
    number: u64,
    /// The first of its owner's keys that was seen to be unsettled.
    first: usize,
    /// Addresses that were added since its owner was last told.
    placed: Vec<Place>,
}

impl Awaited {
    fn new(number: u64) -> Self {
        Self { number, first: 0, placed: Vec::new() }
    }
}

impl Ledger {
    /// Tells the ledger of an instance, its interface and what it may claim. Before its first claim.
    pub fn register(&mut self, owner: InstanceId, watch: Watch, claims: &[Claim]) {
        self.index.watch(owner, &watch);
        self.watched.insert(owner, (watch, None));
        self.stale_watches.insert(owner);
        for claim in claims {
            // An instance must not send from an address that moves.
            if let Claim::Address(address) = claim {
                self.claimed.insert(address.cidr.ip);
            }
        }
        self.enter(Owner::Instance(owner), claims);
    }

    /// Tells the ledger of the static items. Before they are claimed.
    pub fn register_static(&mut self, claims: &[Claim]) {
        self.enter(Owner::Static, claims);
    }

    fn enter(&mut self, owner: Owner, claims: &[Claim]) {
        self.keys.insert(owner, claims.iter().map(Claim::key).collect());
        for claim in claims {
            let key = claim.key();
            let place = self.places;
            self.places += 1;
            if !self.entries.contains_key(&key) {
                match claim {
                    Claim::Route(c) => self.routes.entry(c.route.key()).or_default().push(key.clone()),
                    Claim::Rule(c) => self.rules.entry(c.rule.clone()).or_default().push(key.clone()),
                    _ => {}
                }
                if let Some(vmac) = claim.vmac() {
                    self.vmacs.entry(vmac.clone()).or_default().push(key.clone());
                }
            }
            self.index.add(&key, claim);
            let entry = self.entries.entry(key).or_insert_with(|| Entry::new(claim.clone(), place));
            entry.owners.insert(owner);
        }
    }

    /// Tells the ledger that an instance tracks an interface.
    pub fn track(&mut self, owner: InstanceId, interface: IfName) {
        self.tracked.entry(interface).or_default().1.insert(owner);
    }

    /// All that there is at the start, or after a reload, has been told. A map that was filled key after key has half empty
    /// nodes; made of all that it has at once, it has full ones.
    pub fn compact(&mut self) {
        fn pack<K: Ord, V>(map: &mut BTreeMap<K, V>) {
            *map = std::mem::take(map).into_iter().collect();
        }
        pack(&mut self.entries);
        pack(&mut self.keys);
        pack(&mut self.watched);
        self.index.compact();
        self.claimed = std::mem::take(&mut self.claimed).into_iter().collect();
    }

    /// Somebody claims all that they may claim, or gives it up.
    pub fn claim(&mut self, owner: Owner, hold: bool, number: u64) {
        self.lending.remove(&owner);
        for key in self.keys.get(&owner).into_iter().flatten() {
            let Some(entry) = self.entries.get_mut(key) else { continue };
            let changed = if hold { entry.holders.insert(owner) } else { entry.holders.remove(&owner) };
            let decided = entry.reserved.remove(&owner);
            let before = entry.lent;
            entry.lent = entry.holders.iter().filter_map(|holder| self.lending.get(holder)).min().copied();
            if changed || decided || entry.lent != before {
                entry.start_afresh();
                self.dirty.insert(key.clone());
            }
        }
        if hold {
            self.holding.insert(owner);
        } else {
            self.holding.remove(&owner);
        }
        self.awaiting.insert(owner, Awaited::new(number));
        self.unconfirmed.insert(owner);
    }

    /// The kernel's answer to a change, which `mirror` does not know of yet.
    pub fn answer(
        &mut self,
        now: Instant,
        mirror: &mut Mirror,
        key: Key,
        op: &KernelOp,
        answer: Result<(), Errno>,
    ) -> Option<Output> {
        let entry = self.entries.get_mut(&key)?;
        // `None` would be the answer to a change that nobody asked for.
        let Change { object, is_add, reported } = *entry.in_flight.take()?;
        let is_gone = reported == Reported::Gone;
        self.in_flight -= 1;
        // A report that it has gone is as good as an answer.
        let is_deleted = !is_add && (is_nothing_left(answer) || !object.is_left_in(mirror));
        let (mut out, mut taken_over) = (None, false);
        match answer {
            Ok(()) | Err(Errno::EXIST) if is_add && (answer.is_ok() || entry.is_ours(&object, mirror)) => {
                if !is_gone {
                    mirror.record(&object);
                }
                taken_over = entry.placed.is_none() && matches!(op, KernelOp::AddLink(_, Some(_)));
                entry.added(now, object, mirror);
                if let Some(loss) = entry.missed.take()
                    && answer.is_ok()
                {
                    let pause = if loss == Loss::Removed { entry.restored(now) } else { None };
                    let owners = entry.holders.iter().filter_map(Owner::instance).collect();
                    let (key, times) = (key.clone(), entry.restored);
                    out = Some(Output::Restored { owners, key, loss, times, pause });
                }
                if let Key::Address(dev, cidr) = &key {
                    for holder in &entry.holders {
                        if let Some(awaited) = self.awaiting.get_mut(holder) {
                            awaited.placed.push((dev.clone(), *cidr));
                        }
                    }
                }
            }
            _ if is_deleted => {
                mirror.erase(&object);
                entry.placed = None;
                entry.failed = None;
            }
            // Deleted: the report was quicker, or there is no answer.
            Err(_) if !is_add && !object.is_left_in(mirror) => entry.placed = None,
            Ok(()) => {}
            // The interface is gone, or another one by now.
            Err(Errno::NODEV) if entry.claim.resolve(mirror).ok().as_ref() != Some(&object) => {}
            Err(errno) => {
                let retry = entry.put_off(now);
                self.retries.insert((retry, key.clone()));
                if entry.failed.replace(errno) != Some(errno) {
                    out = Some(Output::Failed { op: op.clone(), key: key.clone(), errno });
                }
            }
        }
        if let Some(vmac) = entry.claim.vmac() {
            self.stale_watches.extend(self.index.watchers(vmac));
        }
        self.index.note(&key, entry);
        self.unconfirmed.extend(&entry.owners);
        // Entries of the packet filter are lost together: one of them speaks for all.
        if let Some(Output::Restored { key: Key::Firewall(_), pause, .. }) = &mut out
            && pause.is_some()
        {
            let mut held = self.entries.iter().filter(|(_, entry)| !entry.holders.is_empty());
            let first = held.find(|(key, _)| matches!(key, Key::Firewall(_)));
            pause.take_if(|_| first.is_some_and(|(first, _)| *first != key));
        }
        if let Key::Link(name) = &key {
            if taken_over {
                self.take_over(mirror, name);
            }
            // What belongs to it has waited for this.
            for part in self.vmacs.get(name).into_iter().flatten() {
                if let Some(entry) = self.entries.get_mut(part).filter(|entry| entry.failed.is_none()) {
                    entry.given_up = false;
                    self.dirty.insert(part.clone());
                }
            }
        }
        match is_gone {
            // Somebody was quicker than the answer.
            true => self.gone(mirror, key),
            false => drop(self.dirty.insert(key)),
        }
        out
    }

    /// When the next [`Ledger::settle`] is due, whatever happens.
    pub fn next_deadline(&self) -> Option<Instant> {
        self.retries.first().map(|(at, _)| *at)
    }

    /// The changes that take away all that is ours, in order. For when nothing else of this can be relied on.
    pub fn abandon(&self, mirror: &Mirror) -> Vec<KernelOp> {
        let mut removals: Vec<_> = self.entries.values().filter_map(|entry| entry.removal(mirror)).collect();
        removals.sort_by_key(|(turn, _)| *turn);
        removals.into_iter().map(|(_, op)| op).collect()
    }

    /// Whether every claim has been followed.
    pub fn is_idle(&self) -> bool {
        self.in_flight == 0 && self.awaiting.is_empty()
    }

    /// Compares what has changed since the last time with what is there.
    pub fn settle(&mut self, now: Instant, mirror: &Mirror) -> Vec<Output> {
        if !self.synced {
            return Vec::new();
        }
        let mut out = std::mem::take(&mut self.found);
        if self.forgotten != mirror.forgotten() {
            self.forgotten = mirror.forgotten();
            self.dirty.extend(self.routes.values().flatten().cloned());
        }
        while let Some((at, key)) = self.retries.pop_first() {
            if at > now {
                self.retries.insert((at, key));
                break;
            }
            if let Some(entry) = self.entries.get_mut(&key) {
                entry.given_up = false;
                self.dirty.insert(key);
            }
        }
        let (mut ops, mut occupied) = (Vec::new(), Vec::new());
        ops.extend(std::mem::take(&mut self.strays).into_iter().map(|stray| ((false, 0, 0), stray)));
        for key in std::mem::take(&mut self.dirty) {
            let waits = self.waits_for_vmac(mirror, &key);
            let Some(entry) = self.entries.get_mut(&key) else { continue };
            self.unconfirmed.extend(&entry.owners);
            if waits && entry.in_flight.is_none() && !entry.holders.is_empty() {
                // It will be looked at again when that is reported.
                entry.given_up = true;
                continue;
            }
            let step = entry.next_step(now, mirror);
            self.index.note(&key, entry);
            match step {
                Step::Rest => {}
                Step::Change(op) => {
                    self.in_flight += 1;
                    ops.push((entry.turn(), (key, op)));
                }
                Step::Later(at) => {
                    self.retries.insert((at, key));
                }
                Step::NoInterface => out.push(Output::NoInterface { key }),
                Step::Occupied(what) => occupied.push((key, what)),
            }
        }
        for (key, what) in occupied {
            if !matches!(&key, Key::Link(vmac) if self.makes_room(mirror, vmac)) {
                out.push(Output::Occupied { key, what });
            }
        }
        if !ops.is_empty() {
            ops.sort_by_key(|(turn, _)| *turn);
            out.push(Output::Apply(ops.into_iter().map(|(_, change)| change).collect()));
        }
        self.confirm(mirror, &mut out);
        // Instances may depend on static addresses: they begin when these are there.
        if !self.awaiting.contains_key(&Owner::Static) {
            self.watch(mirror, &mut out);
        }
        out
    }
}

/// Whether what was to be deleted is no more, or was not there.
fn is_nothing_left(answer: Result<(), Errno>) -> bool {
    matches!(answer, Ok(()) | Err(Errno::ADDRNOTAVAIL | Errno::NODEV | Errno::SRCH | Errno::NOENT))
}

#[cfg(test)]
mod tests;
