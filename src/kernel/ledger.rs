//! The difference between what is claimed and what is there.
//!
//! For each claimed address the ledger knows who holds it, whether it is ours to delete, and whether a change is on
//! its way. Changes follow from comparing, never from remembering what happened; so an answer that comes late, or a
//! report that the change it describes has overtaken, does no harm.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;

use super::claim::{AddressClaim, Key};
use super::mirror::Mirror;
use crate::base::{Family, IfIndex, IfName, InstanceId, Instant};
use crate::host::kernel::Errno;
use crate::host::{KernelEvent, KernelOp, Link};

/// First pause before a change that failed, or that somebody keeps undoing, is tried again; doubled each time.
const FIRST_PAUSE: Duration = Duration::from_millis(20);
/// Longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// An address is put back at once this often; then with pauses.
const PATIENCE: u32 = 3;
/// An address that stays this long in place is no longer considered fought over.
const PEACE: Duration = Duration::from_secs(10);

/// A decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Make these changes; each is to be answered by [`Ledger::answer`].
    Apply(Vec<(Key, KernelOp)>),
    /// The kernel holds what claim `number` of `owner` asked for, as far as it can.
    Confirmed {
        /// Whose claim.
        owner: InstanceId,
        /// Its number.
        number: u64,
    },
    /// An address that somebody else had removed is back.
    Restored {
        /// Who holds it.
        owners: Vec<InstanceId>,
        /// The address.
        key: Key,
        /// How many times lately.
        times: u32,
    },
    /// A change failed.
    Failed {
        /// The change.
        op: KernelOp,
        /// The interface by name.
        dev: IfName,
        /// Why.
        errno: Errno,
    },
    /// An address is claimed on an interface that does not exist.
    NoInterface {
        /// The address.
        key: Key,
    },
    /// What an instance has to know of its interface has changed.
    Interface(InstanceId, Interface),
    /// An interface that an instance tracks, given as its place in the instance's list, is usable now or not.
    Tracked(InstanceId, usize, bool),
}

/// What an instance has to know of its interface.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Interface {
    /// Its index; `None`: it does not exist.
    pub index: Option<IfIndex>,
    /// Up and running.
    pub usable: bool,
    /// Where adverts may come from: its first address of the wanted family that no instance claims, or the one that
    /// is wanted, if it is there.
    pub source: Option<IpAddr>,
}

/// What an instance wants to know of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watch {
    /// Its interface; `None`: it has none, and what happens to all of them matters.
    pub interface: Option<IfName>,
    /// The family its adverts are sent over.
    pub family: Family,
    /// The only address they may be sent from.
    pub source: Option<IpAddr>,
}

impl Watch {
    fn is_about(&self, interface: &IfName) -> bool {
        self.interface.as_ref().is_none_or(|own| own == interface)
    }
}

/// An instance that tracks an interface, and the place of that in its list.
type Tracker = (InstanceId, usize);

/// All claims, and what is known of the kernel.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    entries: BTreeMap<Key, Entry>,
    /// The addresses each instance may claim.
    keys: BTreeMap<InstanceId, Vec<Key>>,
    /// The addresses that are claimed at all, on whatever interface.
    claimed: BTreeSet<IpAddr>,
    watched: BTreeMap<InstanceId, (Watch, Option<Interface>)>,
    /// Interfaces that instances track, whether they are usable, and who wants to know.
    tracked: BTreeMap<IfName, (Option<bool>, Vec<Tracker>)>,
    /// Claims that the kernel has not followed yet.
    awaiting: BTreeMap<InstanceId, u64>,
    retries: BTreeSet<(Instant, Key)>,
    /// What the next [`Ledger::settle`] has to look at.
    dirty: BTreeSet<Key>,
    unconfirmed: BTreeSet<InstanceId>,
    stale_watches: BTreeSet<InstanceId>,
    synced: bool,
    in_flight: usize,
}

impl Ledger {
    /// Tells the ledger of an instance, its interface and the addresses it may claim. Before anything else.
    pub fn register(&mut self, owner: InstanceId, watch: Watch, claims: &[AddressClaim]) {
        self.watched.insert(owner, (watch, None));
        self.stale_watches.insert(owner);
        self.keys.insert(owner, claims.iter().map(AddressClaim::key).collect());
        for claim in claims {
            self.claimed.insert(claim.cidr.ip);
            let entry = self.entries.entry(claim.key()).or_insert_with(|| Entry::new(claim.clone()));
            entry.owners.insert(owner);
        }
    }

    /// Tells the ledger that an instance tracks an interface. Before anything else.
    pub fn track(&mut self, owner: InstanceId, index: usize, interface: IfName) {
        self.tracked.entry(interface).or_default().1.push((owner, index));
    }

    /// An instance claims its addresses, or gives them up.
    pub fn claim(&mut self, owner: InstanceId, hold: bool, number: u64) {
        for key in self.keys.get(&owner).into_iter().flatten() {
            let Some(entry) = self.entries.get_mut(key) else { continue };
            let changed = if hold { entry.holders.insert(owner) } else { entry.holders.remove(&owner) };
            if changed {
                entry.start_afresh();
                self.dirty.insert(key.clone());
            }
        }
        self.awaiting.insert(owner, number);
        self.unconfirmed.insert(owner);
    }

    /// The kernel reported a change, which `mirror` has followed already.
    pub fn event(&mut self, mirror: &Mirror, event: &KernelEvent) {
        match event {
            KernelEvent::Resync(_) => {
                if !self.synced {
                    self.synced = true;
                    // Left behind by a predecessor that was killed: as if we had added them.
                    for entry in self.entries.values_mut() {
                        let home = mirror.link(&entry.claim.dev).map(|l| l.index);
                        entry.placed = home.filter(|_| entry.is_present(mirror));
                    }
                }
                for entry in self.entries.values_mut() {
                    entry.missed |= entry.is_missed(mirror);
                }
                self.revive(|_| true);
                self.stale_watches.extend(self.watched.keys());
            }
            KernelEvent::AddressGone(address) => {
                let Some(link) = mirror.link_at(address.link) else { return };
                let key = (link.name.clone(), address.cidr);
                if let Some(entry) = self.entries.get_mut(&key) {
                    entry.missed |= entry.is_missed(mirror);
                    self.dirty.insert(key);
                }
                self.source_changed(&link.name, address.cidr.ip);
            }
            KernelEvent::Address(address) => {
                let Some(link) = mirror.link_at(address.link) else { return };
                self.dirty.insert((link.name.clone(), address.cidr));
                self.source_changed(&link.name, address.cidr.ip);
            }
            // A link may be new, or up again: what had been given up can be tried.
            KernelEvent::Link(link) => {
                self.revive(|entry| entry.claim.dev == link.name || entry.placed == Some(link.index));
                self.stale_watches.extend(self.watched.keys());
            }
            KernelEvent::LinkGone(_) => {
                self.revive(|entry| mirror.link(&entry.claim.dev).is_none());
                self.stale_watches.extend(self.watched.keys());
            }
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
        entry.in_flight = false;
        self.in_flight -= 1;
        let mut out = None;
        match (op, answer) {
            (KernelOp::AddAddress(address), Ok(()) | Err(Errno::EXIST)) => {
                mirror.add(address);
                entry.placed = Some(address.link);
                if std::mem::take(&mut entry.missed) && answer.is_ok() {
                    entry.restored(now);
                    let owners = entry.holders.iter().copied().collect();
                    out = Some(Output::Restored { owners, key: key.clone(), times: entry.restored });
                }
            }
            (KernelOp::DeleteAddress(address), Ok(()) | Err(Errno::ADDRNOTAVAIL | Errno::NODEV)) => {
                mirror.remove(address.link, address.cidr);
                entry.placed = None;
            }
            (_, Err(errno)) => {
                let retry = entry.put_off(now);
                self.retries.insert((retry, key.clone()));
                out = Some(Output::Failed { op: op.clone(), dev: key.0.clone(), errno });
            }
        }
        self.unconfirmed.extend(&entry.owners);
        self.dirty.insert(key);
        out
    }

    /// When the next [`Ledger::settle`] is due, whatever happens.
    pub fn next_deadline(&self) -> Option<Instant> {
        self.retries.first().map(|(at, _)| *at)
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
        for key in std::mem::take(&mut self.dirty) {
            let Some(entry) = self.entries.get_mut(&key) else { continue };
            self.unconfirmed.extend(&entry.owners);
            match entry.next_step(now, mirror) {
                Step::Rest => {}
                Step::Change(op) => {
                    self.in_flight += 1;
                    ops.push((key, op));
                }
                Step::Later(at) => {
                    self.retries.insert((at, key));
                }
                Step::NoInterface => out.push(Output::NoInterface { key }),
            }
        }
        if !ops.is_empty() {
            out.push(Output::Apply(ops));
        }
        self.confirm(mirror, &mut out);
        self.watch(mirror, &mut out);
        out
    }

    /// Tells instances that the kernel has followed their claims.
    fn confirm(&mut self, mirror: &Mirror, out: &mut Vec<Output>) {
        for owner in std::mem::take(&mut self.unconfirmed) {
            let keys = self.keys.get(&owner).into_iter().flatten();
            let settled = keys.filter_map(|key| self.entries.get(key)).all(|e| e.is_settled(mirror));
            if settled && let Some(number) = self.awaiting.remove(&owner) {
                out.push(Output::Confirmed { owner, number });
            }
        }
    }

    /// Tells instances what changed about their interfaces.
    fn watch(&mut self, mirror: &Mirror, out: &mut Vec<Output>) {
        // First, so that an instance that is about to start knows what it tracks.
        for (name, (known, owners)) in &mut self.tracked {
            let usable = mirror.link(name).is_some_and(Link::usable);
            if known.replace(usable) != Some(usable) {
                out.extend(owners.iter().map(|(owner, index)| Output::Tracked(*owner, *index, usable)));
            }
        }
        for owner in std::mem::take(&mut self.stale_watches) {
            let Some((watch, known)) = self.watched.get_mut(&owner) else { continue };
            let before = known.and_then(|i| i.source);
            let now = view(mirror, watch, before, &self.claimed);
            if *known != Some(now) {
                *known = Some(now);
                out.push(Output::Interface(owner, now));
            }
        }
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

/// What there is to know of an interface. The source address stays `before` while that is there.
fn view(mirror: &Mirror, watch: &Watch, before: Option<IpAddr>, claimed: &BTreeSet<IpAddr>) -> Interface {
    let Some(name) = &watch.interface else {
        let there = |ip: &IpAddr| mirror.links().any(|link| mirror.has_ip(link.index, *ip));
        return Interface { index: None, usable: true, source: watch.source.filter(there) };
    };
    let Some(link) = mirror.link(name) else { return Interface::default() };
    let source = match watch.source {
        Some(wanted) => Some(wanted).filter(|ip| mirror.has_ip(link.index, *ip)),
        None => source(mirror, link, watch.family, before, claimed),
    };
    Interface { index: Some(link.index), usable: link.usable(), source }
}

/// An address of its own that adverts may come from. Of IPv6 only link-local ones (RFC 9568 section 5.1.2.1).
fn source(
    mirror: &Mirror,
    link: &Link,
    family: Family,
    before: Option<IpAddr>,
    claimed: &BTreeSet<IpAddr>,
) -> Option<IpAddr> {
    let is_usable = |ip: &IpAddr| match ip {
        IpAddr::V4(_) => family == Family::V4,
        IpAddr::V6(ip) => family == Family::V6 && ip.is_unicast_link_local(),
    };
    let addresses = mirror.addresses(link.index);
    let mut candidates =
        addresses.iter().map(|a| a.cidr.ip).filter(|ip| is_usable(ip) && !claimed.contains(ip));
    candidates.clone().find(|ip| Some(*ip) == before).or_else(|| candidates.next())
}

/// One claimed address.
#[derive(Clone, Debug)]
struct Entry {
    claim: AddressClaim,
    /// Every instance that may claim it.
    owners: BTreeSet<InstanceId>,
    /// Those that do.
    holders: BTreeSet<InstanceId>,
    /// Where it is ours to delete: we added it, or found it when we started. By index: the interface may be renamed.
    placed: Option<IfIndex>,
    in_flight: bool,
    /// The last change failed, or the interface is missing: nothing to wait for at present.
    given_up: bool,
    pause: Duration,
    /// It was in place, and we did not take it away.
    missed: bool,
    /// How often it was put back lately, when last, and not before when again.
    restored: u32,
    restored_at: Instant,
    truce: Instant,
}

/// What to do about one entry.
enum Step {
    Rest,
    Change(KernelOp),
    Later(Instant),
    NoInterface,
}

impl Entry {
    fn new(claim: AddressClaim) -> Self {
        Self {
            claim,
            owners: BTreeSet::new(),
            holders: BTreeSet::new(),
            placed: None,
            in_flight: false,
            given_up: false,
            pause: FIRST_PAUSE,
            missed: false,
            restored: 0,
            restored_at: Instant::ZERO,
            truce: Instant::ZERO,
        }
    }

    fn is_present(&self, mirror: &Mirror) -> bool {
        mirror.link(&self.claim.dev).is_some_and(|l| mirror.has(l.index, self.claim.cidr))
    }

    /// We had put it there, hold it, and have not taken it away.
    fn is_missed(&self, mirror: &Mirror) -> bool {
        self.placed.is_some() && !self.in_flight && !self.holders.is_empty() && !self.is_present(mirror)
    }

    fn is_settled(&self, mirror: &Mirror) -> bool {
        let as_claimed = match self.holders.is_empty() {
            true => self.placed.is_none(),
            false => self.is_present(mirror),
        };
        !self.in_flight && (self.given_up || as_claimed)
    }

    /// A new claim owes nothing to the past.
    fn start_afresh(&mut self) {
        self.given_up = false;
        self.missed = false;
        self.pause = FIRST_PAUSE;
    }

    /// The next pause: each is longer than the one before.
    fn next_pause(&mut self) -> Duration {
        let pause = self.pause;
        self.pause = (pause * 2).min(LONGEST_PAUSE);
        pause
    }

    /// Tries a failed change again later.
    fn put_off(&mut self, now: Instant) -> Instant {
        self.given_up = true;
        now + self.next_pause()
    }

    /// It was put back. At once for the first few times; then somebody is fighting over it, and it has to wait.
    fn restored(&mut self, now: Instant) {
        if now - self.restored_at > PEACE {
            self.restored = 0;
            self.pause = FIRST_PAUSE;
        }
        self.restored += 1;
        self.restored_at = now;
        if self.restored > PATIENCE {
            self.truce = now + self.next_pause();
        }
    }

    fn next_step(&mut self, now: Instant, mirror: &Mirror) -> Step {
        if self.in_flight || self.given_up {
            return Step::Rest;
        }
        let link = mirror.link(&self.claim.dev);
        if let Some(old) = self.placed.filter(|old| link.is_none_or(|l| l.index != *old)) {
            if mirror.has(old, self.claim.cidr) {
                // The interface has another name now, and this is not its address any more.
                self.in_flight = true;
                return Step::Change(KernelOp::DeleteAddress(self.claim.on(old)));
            }
            self.placed = None;
        }
        let Some(link) = link else {
            self.given_up = true;
            return if self.holders.is_empty() { Step::Rest } else { Step::NoInterface };
        };
        let address = self.claim.on(link.index);
        let present = mirror.has(link.index, self.claim.cidr);
        let op = match self.holders.is_empty() {
            false if !present && self.missed && now < self.truce => return Step::Later(self.truce),
            false if !present => KernelOp::AddAddress(address),
            false => {
                // Found in place when it became ours to hold: ours from now on.
                self.placed = Some(link.index);
                return Step::Rest;
            }
            true if present && self.placed.is_some() => KernelOp::DeleteAddress(address),
            true => {
                self.placed = self.placed.filter(|_| present);
                return Step::Rest;
            }
        };
        self.in_flight = true;
        Step::Change(op)
    }
}

#[cfg(test)]
mod tests;
