//! The difference between what is claimed and what is there.
//!
//! For each claim (an address, a route, a rule) the ledger knows who holds it, whether it is ours to delete, and whether a change is on
//! its way. Changes follow from comparing, never from remembering what happened; so an answer that comes late, or a
//! report that the change it describes has overtaken, does no harm.

mod entry;
mod hand_over;
mod index;
mod reload;
mod view;
mod vmac;
mod words;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;

use self::entry::{Entry, Step};
use self::index::Index;
use self::view::view;
use super::claim::{Claim, Key, Owner, Place};
use super::mirror::Mirror;
use crate::base::{IfName, InstanceId, Instant};
use crate::host::kernel::Errno;
use crate::host::route::RouteKey;
use crate::host::{KernelEvent, KernelOp, LinkState, Rule};

pub use self::words::{Interface, Output, Watch};

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

    /// The kernel reported a change, which `mirror` has followed already.
    pub fn event(&mut self, mirror: &Mirror, event: &KernelEvent) {
        if let Some((name, how)) = mirror.vacated() {
            self.vacated_if_known(name, *how);
        }
        match event {
            KernelEvent::Resync(_) => {
                if !self.synced {
                    self.synced = true;
                    // Left behind by a predecessor that was killed: as if we had added them.
                    for entry in self.entries.values_mut() {
                        entry.placed = entry.claim.resolve(mirror).ok().filter(|object| object.is_in(mirror));
                    }
                }
                for entry in self.entries.values_mut() {
                    entry.missed |= entry.is_missed(mirror);
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
                self.dirty.insert(Key::Address(link.name.clone(), address.cidr));
                self.link_local_changed(mirror, &link.name, address.cidr.ip);
                self.source_changed(&link.name, address.cidr.ip);
                // What leads to a router may be there now.
                if !self.claimed.contains(&address.cidr.ip) {
                    self.revive_troubled(|entry| entry.failed.is_some());
                }
            }
            KernelEvent::Route(route) => {
                self.dirty.extend(self.routes.get(&route.key()).into_iter().flatten().cloned())
            }
            KernelEvent::RouteGone(route) | KernelEvent::RouteReplaced(route) => {
                for key in self.routes.get(&route.key()).cloned().unwrap_or_default() {
                    self.gone(mirror, key);
                }
            }
            KernelEvent::Rule(rule) => self.dirty.extend(self.rules.get(rule).into_iter().flatten().cloned()),
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

    /// Somebody, perhaps we, removed something.
    fn gone(&mut self, mirror: &Mirror, key: Key) {
        if let Some(entry) = self.entries.get_mut(&key) {
            let missed = entry.is_missed(mirror);
            entry.missed |= missed && entry.claim.is_tracked();
            entry.renounced |= missed && !entry.claim.is_tracked() && entry.claim.can_stay(mirror);
            self.dirty.insert(key);
        }
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
        let (object, is_add) = entry.in_flight.take()?;
        self.in_flight -= 1;
        let (mut out, mut taken_over) = (None, false);
        match answer {
            Ok(()) | Err(Errno::EXIST) if is_add && (answer.is_ok() || entry.is_ours(&object, mirror)) => {
                mirror.record(&object);
                taken_over = entry.placed.is_none() && matches!(op, KernelOp::AddLink(_, Some(_)));
                entry.added(now, object, mirror);
                if std::mem::take(&mut entry.missed) && answer.is_ok() {
                    entry.restored(now);
                    let owners = entry.holders.iter().filter_map(Owner::instance).collect();
                    out = Some(Output::Restored { owners, key: key.clone(), times: entry.restored });
                }
                if let Key::Address(dev, cidr) = &key {
                    for holder in &entry.holders {
                        if let Some(awaited) = self.awaiting.get_mut(holder) {
                            awaited.placed.push((dev.clone(), *cidr));
                        }
                    }
                }
            }
            Ok(()) | Err(Errno::ADDRNOTAVAIL | Errno::NODEV | Errno::SRCH | Errno::NOENT) if !is_add => {
                mirror.erase(&object);
                entry.placed = None;
                entry.failed = None;
            }
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
        self.dirty.insert(key);
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
        let mut out = Vec::new();
        if !self.synced {
            return out;
        }
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
        let mut ops = Vec::new();
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
                Step::Occupied(what) => out.push(Output::Occupied { key, what }),
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

    /// Tells instances that the kernel has followed their claims.
    fn confirm(&mut self, mirror: &Mirror, out: &mut Vec<Output>) {
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
    fn watch(&mut self, mirror: &Mirror, out: &mut Vec<Output>) {
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
                now.occupied = self.occupied(vmac);
            }
            if *known != Some(now) {
                if let Some((_, known)) = self.watched.get_mut(&owner) {
                    *known = Some(now);
                }
                out.push(Output::Interface(owner, now));
            }
        }
    }

    /// A link has lost its name. If somebody wants to know of links of that name, it is remembered why.
    fn vacated_if_known(&mut self, name: &IfName, how: LinkState) {
        if self.is_watched(name) {
            self.vacated.insert(name.clone(), how);
        }
    }

    /// Whether an instance is on the interface of this name, or tracks it.
    pub fn is_watched(&self, name: &IfName) -> bool {
        let mut watches = self.watched.values().map(|(watch, _)| watch);
        self.tracked.contains_key(name)
            || watches.any(|w| w.interface.as_ref().or(w.vrf.as_ref()) == Some(name))
    }

    /// What had been given up may work now.
    fn revive(&mut self, which: impl Fn(&Entry) -> bool) {
        for (key, entry) in self.entries.iter_mut().filter(|(_, e)| which(e)) {
            entry.given_up = false;
            self.dirty.insert(key.clone());
        }
    }

    /// An address that nobody claims came or went: instances on that interface may send from another one now.
    fn source_changed(&mut self, interface: &IfName, ip: IpAddr) {
        if !self.claimed.contains(&ip) {
            let there = self.watched.iter().filter(|(_, (watch, _))| watch.is_about(interface));
            self.stale_watches.extend(there.map(|(owner, _)| *owner));
        }
    }
}

#[cfg(test)]
mod tests;
