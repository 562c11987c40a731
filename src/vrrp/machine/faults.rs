//! Reasons not to take part, and what is tracked.

use super::{Machine, Notice, Output, State};
use crate::base::{Instant, Priority};
use crate::vrrp::event::{Cause, Event, Fault};
use crate::vrrp::group::Blame;
use crate::vrrp::timers::{self, Timer};
use crate::vrrp::tracking::Status;

impl Machine {
    /// Something tracked changed.
    pub(super) fn tracked(&mut self, now: Instant, index: usize, status: Status, out: &mut Vec<Output>) {
        let Some((item, fault)) = self.tracking.update(index, status) else { return };
        let (what, words, points) = (item.what.clone(), item.words(), item.points());
        let is_fault = item.is_fault();
        if let Some(fault) = fault {
            out.push(Output::Event(Event::TrackedFault { what, fault }));
        }
        let before = self.priority;
        // Stock tells scripts and dumps the priority from before the fault.
        if !is_fault {
            self.priority = self.effective_priority();
        }
        if fault == Some(false) {
            // As stock says it: of a number that counts for nothing, nothing. Scripts hear of it with the next state.
            if points != 0 {
                out.push(Output::Event(Event::PrioritySet { now: self.priority, what: words.clone() }));
            }
        } else if self.priority != before {
            self.priority_changed(now, before, words.clone(), out);
        }
        self.reconsider(now, &Cause::Tracked(words), out);
    }

    /// As configured and tracked, unless we gave way to another owner.
    pub(super) fn effective_priority(&self) -> Priority {
        if self.reduced { Priority::HIGHEST } else { self.tracking.effective(self.params.priority) }
    }

    /// A backup that waits waits that much longer or shorter.
    pub(super) fn priority_changed(
        &mut self,
        now: Instant,
        before: Priority,
        what: String,
        out: &mut Vec<Output>,
    ) {
        let after = self.priority;
        if let Some(at) = self.timers.get(Timer::Election) {
            let skew = |p| timers::skew(self.params.version, p, self.master_interval);
            let moved = (at + skew(after)).saturating_back(skew(before));
            // Not into the past: that would look like a stall.
            self.timers.set(Timer::Election, Some(moved.max(now).max(self.elects_from)));
        }
        out.push(Output::Event(Event::PriorityChanged { before, now: after, what }));
        out.push(Output::Notify(Notice::Priority { master: self.state == State::Master, priority: after }));
    }

    /// A reason not to take part appeared, is another one of its kind, or went.
    pub(super) fn fault(&mut self, now: Instant, fault: Fault, present: bool, out: &mut Vec<Output>) {
        let known = self.faults.iter().position(|f| f.is_like(&fault)).map(|at| self.faults.remove(at));
        if present {
            self.faults.push(fault);
            self.faults.sort_unstable();
        }
        let cause = match (known, present) {
            (None, false) => return,
            (Some(known), true) if known == fault => return,
            (_, true) => self.blamed(fault),
            (Some(known), false) => Cause::Over(known),
        };
        self.reconsider(now, &cause, out);
    }

    /// Another member of the sync group is in FAULT, it is another one than before, or none is any more.
    pub(super) fn dragged(&mut self, now: Instant, by: Option<Blame>, out: &mut Vec<Output>) {
        let before = std::mem::replace(&mut self.dragged_by, by.clone());
        match by {
            Some(by) if before.as_ref().is_some_and(|before| *before != by) => {
                self.reconsider(now, &Cause::Member(by), out);
            }
            by => self.fault(now, Fault::Group, by.is_some(), out),
        }
    }

    /// The cause that a fault is.
    fn blamed(&self, fault: Fault) -> Cause {
        match &self.dragged_by {
            Some(by) if fault == Fault::Group => Cause::Member(by.clone()),
            _ => Cause::Fault(fault),
        }
    }

    /// What is wrong with the router itself, and not with its sync group.
    fn own_trouble(&self) -> Option<Cause> {
        let own = self.faults.iter().find(|f| **f != Fault::Group).map(|f| Cause::Fault(*f));
        own.or_else(|| self.tracking.faults().next().map(|t| Cause::Tracked(t.words())))
    }

    /// Enters or leaves FAULT and INIT as the facts now demand.
    pub(super) fn reconsider(&mut self, now: Instant, news: &Cause, out: &mut Vec<Output>) {
        if !self.started {
            return;
        }
        let init = self.state == State::Init;
        let reason = self.faults.first().map(|f| self.blamed(*f));
        let reason = reason.or_else(|| self.tracking.faults().next().map(|t| Cause::Tracked(t.words())));
        match (reason, self.state) {
            // Worth knowing when it is asked why the fault lasts.
            (Some(cause), State::Fault) => {
                self.record(now, State::Fault, news.clone());
                if cause != self.cause {
                    self.cause = cause.clone();
                    out.push(Output::Event(Event::StillFault(cause)));
                }
            }
            (Some(cause), _) => self.enter_fault(now, init, cause, out),
            // A script that has not run yet may well fail: nobody starts on hope.
            (None, State::Init | State::Fault) if self.tracking.is_awaited() => {}
            // The sync group knows what it wants.
            (None, State::Init) if self.wants.is_some() => {}
            (None, State::Init) => self.first_state(now, news.clone(), out),
            (None, State::Fault) => {
                self.master_interval = self.params.advert_int;
                self.enter_backup(now, false, news.clone(), out);
                if self.params.delivery.is_unicast() {
                    out.push(Output::AnnounceSource);
                }
                self.owner_at_once(now);
            }
            (None, _) => {}
        }
        self.report_trouble(out);
    }

    /// Tells the sync group when something of our own goes wrong, in another way, or is right again.
    pub(super) fn report_trouble(&mut self, out: &mut Vec<Output>) {
        if !self.params.grouped {
            return;
        }
        let own = self.own_trouble();
        if own != self.trouble {
            self.trouble.clone_from(&own);
            out.push(Output::Trouble(own));
        }
    }

    pub(super) fn enter_fault(&mut self, now: Instant, init: bool, cause: Cause, out: &mut Vec<Output>) {
        let was_master = self.state == State::Master;
        self.restore_owner(out);
        self.inherits = None;
        self.leave(now, State::Fault, cause.clone());
        out.push(Output::Event(Event::Fault { init, cause: cause.clone() }));
        if was_master {
            self.resign(out);
            // Twice, as stock, but for those whom their sync group drags along: the message that makes a peer take
            // over at once is worth a second chance.
            if !matches!(cause, Cause::Member(_)) {
                self.resign(out);
                out.push(Output::Event(Event::SentPriorityZero));
            }
        }
        self.claim(false, Notice::State(State::Fault, self.priority), out);
    }
}
