//! One claim in the ledger: what is known of it, and what to do about it next.

use std::time::Duration;

use super::super::claim::{Claim, Object, Obstacle, Occupied};
use super::super::mirror::Mirror;
use super::owners::Owners;
use super::words::Loss;
use crate::base::{IfIndex, Instant};
use crate::host::KernelOp;
use crate::host::kernel::Errno;

/// First pause before a change that failed, or that somebody keeps undoing, is tried again; doubled each time.
pub(super) const FIRST_PAUSE: Duration = Duration::from_millis(20);
/// Longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// What somebody removes is put back at once this often; then with pauses.
const PATIENCE: u32 = 3;
/// How long the report of a link that we made may take.
const REPORT_LIMIT: Duration = Duration::from_secs(1);
/// What stays this long in place is no longer considered fought over.
pub(super) const PEACE: Duration = Duration::from_secs(10);

/// One claimed address, route or rule.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) claim: Claim,
    /// Its place in the configuration.
    place: usize,
    /// Everybody who may claim it.
    pub(super) owners: Owners,
    /// Those that do.
    pub(super) holders: Owners,
    /// Those for whom it stays if it is there, until they have said whether they claim it.
    pub(super) reserved: Owners,
    /// The holders leave: it is not put back any more, and the kernel takes it away after this unless somebody else claims it.
    pub(super) lent: Option<Duration>,
    /// What is ours to delete: we added it, or found it when we started. By index: the interface may be renamed.
    pub(super) placed: Option<Box<Object>>,
    /// The change on its way.
    pub(super) in_flight: Option<Box<Change>>,
    /// The last change failed, or the interface is missing: nothing to wait for at present.
    pub(super) given_up: bool,
    /// What was in its way when it was last looked at.
    pub(super) obstacle: Option<Obstacle>,
    /// How the last change failed.
    pub(super) failed: Option<Errno>,
    /// Somebody removed it, and it is not tracked: left alone until it is claimed anew.
    pub(super) renounced: bool,
    /// Before a change that failed is tried again.
    pause: Duration,
    /// It was in place, and we did not take it away.
    pub(super) missed: Option<Loss>,
    /// How often it was put back lately, when last, and not before when again.
    pub(super) restored: u32,
    restored_at: Instant,
    truce: Instant,
    /// The pause that was told last.
    told: Duration,
    /// A link was made, and the kernel's report of it is still to come; it should, before this.
    pub(super) report_due: Option<Instant>,
}

/// A change that the kernel has not answered yet.
#[derive(Clone, Debug)]
pub(super) struct Change {
    pub(super) object: Object,
    /// Whether it is added or changed, or deleted.
    pub(super) is_add: bool,
    pub(super) reported: Reported,
}

/// What was reported while an addition was on its way. Reports come in the order in which things happened, but an answer
/// may come before or after any of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reported {
    /// Nothing, or what happened before it was added.
    Nothing,
    /// It is there.
    There,
    /// It was there, and is no more.
    Gone,
}

/// What to do about one entry.
pub(super) enum Step {
    Rest,
    Change(KernelOp),
    Later(Instant),
    NoInterface,
    Occupied(Occupied),
}

impl Entry {
    pub(super) fn new(claim: Claim, place: usize) -> Self {
        Self {
            claim,
            place,
            owners: Owners::default(),
            holders: Owners::default(),
            reserved: Owners::default(),
            lent: None,
            placed: None,
            in_flight: None,
            given_up: false,
            obstacle: None,
            failed: None,
            renounced: false,
            pause: FIRST_PAUSE,
            missed: None,
            restored: 0,
            restored_at: Instant::ZERO,
            truce: Instant::ZERO,
            told: Duration::ZERO,
            report_due: None,
        }
    }

    pub(super) fn is_present(&self, mirror: &Mirror) -> bool {
        self.claim.resolve(mirror).is_ok_and(|object| object.is_in(mirror))
    }

    fn is_fleeting(&self, mirror: &Mirror) -> bool {
        self.claim.resolve(mirror).is_ok_and(|object| object.is_fleeting(mirror))
    }

    /// Whether it is as it is to be without us: an address has its end, or is not there.
    pub(super) fn is_left(&self, mirror: &Mirror) -> bool {
        let is_address = matches!(self.claim, Claim::Address(_));
        !is_address || !self.is_present(mirror) || self.is_fleeting(mirror)
    }

    /// We had put it there, hold it, could have it, and have not taken it away.
    fn is_missed(&self, mirror: &Mirror) -> bool {
        self.placed.is_some()
            && self.in_flight.is_none()
            && !self.holders.is_empty()
            && self.report_due.is_none()
            && self.claim.resolve(mirror).is_ok_and(|object| !object.is_in(mirror))
    }

    /// How it was lost, if it [is missed](Self::is_missed).
    pub(super) fn loss(&self, mirror: &Mirror) -> Option<Loss> {
        let is_there = |link: &IfIndex| mirror.link_at(*link).is_some();
        let placed = self.placed.as_ref().filter(|_| self.is_missed(mirror))?;
        Some(if placed.links().all(|link| is_there(&link)) { Loss::Removed } else { Loss::WithInterface })
    }

    pub(super) fn is_settled(&self, mirror: &Mirror) -> bool {
        let as_claimed = match self.holders.is_empty() {
            true => self.placed.is_none(),
            false if self.lent.is_some() => self.is_left(mirror),
            false => self.renounced || (self.is_present(mirror) && !self.is_fleeting(mirror)),
        };
        self.in_flight.is_none() && (self.given_up || as_claimed)
    }

    /// Whether what the kernel has already is ours. An address is, whoever added it; a route or rule may be somebody
    /// else's, and must then not be deleted with ours; a link that is not made out of ours is.
    pub(super) fn is_ours(&self, object: &Object, mirror: &Mirror) -> bool {
        match object {
            Object::Address(_) => true,
            Object::Link(_) => false,
            _ => self.placed.is_some() || object.is_in(mirror),
        }
    }

    /// When its turn comes among other changes: removals go first, rules, then routes, then addresses; then what is
    /// added, the other way round. Within each in the order of the configuration.
    pub(super) fn turn(&self) -> (bool, u8, usize) {
        let is_add = self.in_flight.as_ref().is_some_and(|change| change.is_add);
        let rank = self.claim.rank(is_add);
        (is_add, if is_add { rank } else { u8::MAX - rank }, self.place)
    }

    /// The change that takes it away if it is ours, or on its way to be, and its turn among others.
    pub(super) fn removal(&self, mirror: &Mirror) -> Option<((u8, usize), KernelOp)> {
        let placed = self.placed.as_ref().filter(|object| object.is_left_in(mirror));
        let coming = self.in_flight.as_ref().filter(|change| change.is_add).map(|change| &change.object);
        let object = placed.map(Box::as_ref).or(coming)?;
        Some(((u8::MAX - self.claim.rank(false), self.place), object.delete(mirror)))
    }

    /// A new claim owes nothing to the past, but for this: that somebody keeps removing it is not the claim's doing.
    pub(super) fn start_afresh(&mut self) {
        self.given_up = false;
        self.failed = None;
        self.renounced = false;
        self.missed.take_if(|_| self.holders.is_empty());
        self.pause = FIRST_PAUSE;
    }

    /// Tries a failed change again later, each time later than before.
    pub(super) fn put_off(&mut self, now: Instant) -> Instant {
        self.given_up = true;
        let pause = self.pause;
        self.pause = (pause * 2).min(LONGEST_PAUSE);
        now + pause
    }

    /// It was added. Of a link, only its report tells the number by which to know it.
    pub(super) fn added(&mut self, now: Instant, object: Object, mirror: &Mirror) {
        let unreported = matches!(object, Object::Link(_)) && !object.is_in(mirror);
        self.report_due = unreported.then_some(now + REPORT_LIMIT);
        self.placed = Some(Box::new(object.lasting(None)));
        self.failed = None;
        self.pause = FIRST_PAUSE;
    }

    /// It was put back. At once for the first few times; then somebody is fighting over it, and it has to wait. Gives for
    /// how long, if that is news.
    pub(super) fn restored(&mut self, now: Instant) -> Option<Duration> {
        if now - self.restored_at > PEACE {
            self.restored = 0;
            self.told = Duration::ZERO;
        }
        self.restored += 1;
        self.restored_at = now;
        let fought_over = self.restored.checked_sub(PATIENCE + 1)?;
        let pause = (FIRST_PAUSE * (1 << fought_over.min(16))).min(LONGEST_PAUSE);
        self.truce = now + pause;
        (std::mem::replace(&mut self.told, pause) != pause).then_some(pause)
    }

    pub(super) fn next_step(&mut self, now: Instant, mirror: &Mirror) -> Step {
        if self.in_flight.is_some() || self.given_up {
            return Step::Rest;
        }
        let wanted = self.claim.resolve(mirror);
        if let Some(old) = self.placed.take_if(|old| !wanted.as_ref().is_ok_and(|wanted| old.is_same(wanted)))
            && old.is_left_in(mirror)
        {
            // The interface has another name now, and this is not its address any more.
            self.placed = Some(old.clone());
            return self.change(*old, false, mirror);
        }
        let object = match wanted {
            Ok(object) => object,
            Err(obstacle) => {
                self.given_up = true;
                let before = self.obstacle.replace(obstacle);
                return match obstacle {
                    _ if self.holders.is_empty() => Step::Rest,
                    Obstacle::Missing => Step::NoInterface,
                    Obstacle::Occupied(what) if before != Some(obstacle) => Step::Occupied(what),
                    _ => Step::Rest,
                };
            }
        };
        self.obstacle = None;
        let present = object.is_in(mirror);
        let is_deletable = self.holders.is_empty() && object.is_left_in(mirror);
        self.report_due = self.report_due.filter(|due| !present && !is_deletable && now < *due);
        if let Some(due) = self.report_due {
            return Step::Later(due);
        }
        match self.holders.is_empty() {
            false if self.lent.is_some() && self.is_left(mirror) => Step::Rest,
            false if self.lent.is_some() => self.change_end(object.lasting(self.lent)),
            false if present && object.is_fleeting(mirror) => self.change_end(object),
            false if !present && self.renounced => Step::Rest,
            false if !present && self.missed == Some(Loss::Removed) && now < self.truce => {
                Step::Later(self.truce)
            }
            false if !present => self.change(object, true, mirror),
            false => {
                // Found in place when it became ours to hold: ours from now on.
                self.placed = Some(Box::new(object));
                Step::Rest
            }
            true if self.placed.is_some() && object.is_left_in(mirror) => match self.reserved.is_empty() {
                true => self.change(object, false, mirror),
                false => Step::Rest,
            },
            true => {
                self.placed = None;
                Step::Rest
            }
        }
    }

    /// The kernel is to keep it for as long as `object` says.
    fn change_end(&mut self, object: Object) -> Step {
        let Some(op) = object.change() else { return Step::Rest };
        self.send(object, true);
        Step::Change(op)
    }

    fn change(&mut self, object: Object, is_add: bool, mirror: &Mirror) -> Step {
        let op = if is_add { object.add(mirror) } else { object.delete(mirror) };
        self.send(object, is_add);
        Step::Change(op)
    }

    fn send(&mut self, object: Object, is_add: bool) {
        self.in_flight = Some(Box::new(Change { object, is_add, reported: Reported::Nothing }));
    }

    /// Something was reported of it.
    pub(super) fn reported(&mut self, mirror: &Mirror) {
        if let Some(change) = self.addition() {
            change.reported = match (change.object.is_in(mirror), change.reported) {
                (true, _) => Reported::There,
                (false, Reported::Nothing) => Reported::Nothing,
                (false, _) => Reported::Gone,
            };
        }
    }

    /// Everything was read anew, and reports are lost. If it is not there, it may have been: better added twice than never.
    pub(super) fn read_anew(&mut self, mirror: &Mirror) {
        if let Some(change) = self.addition() {
            change.reported = if change.object.is_in(mirror) { Reported::There } else { Reported::Gone };
        }
    }

    /// What is on its way to be added, if the kernel reports all there are of its kind.
    fn addition(&mut self) -> Option<&mut Change> {
        let is_listed =
            |object: &Object| matches!(object, Object::Address(_) | Object::Route(_) | Object::Rule(_));
        self.in_flight.as_deref_mut().filter(|change| change.is_add && is_listed(&change.object))
    }
}
