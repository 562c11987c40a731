//! A daemon that is started again: a master leaves its addresses to the next process, which goes on in its place.
//!
//! Nobody else takes over meanwhile, and nobody has the addresses with another one. The kernel is asked first to take
//! them away after a time; only then goes the last advert, from which on peers wait. So they are gone before anybody may
//! take over, whether or not there is a next process. It may speak only as long as that time has not passed.

use super::{Machine, Notice, Output, State};
use crate::base::Instant;
use crate::vrrp::event::{Cause, Event};
use crate::vrrp::group::Report;
use crate::vrrp::timers::Timer;

/// What a master leaves to the next process, so that to its peers nothing has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inheritance {
    /// Until when the next process may go on.
    pub until: Instant,
    /// `auth_type AH`: the number of the last advert, which peers take none without a higher one after; 0: none.
    pub sequence: u32,
    /// Whether peers want the old checksum, which was found out when they were heard.
    pub old_checksum: bool,
}

impl Machine {
    /// The process before this one was master. Before [`Input::Start`](super::Input::Start): if nothing keeps the router
    /// from taking part in time, it is master at once.
    pub fn inherits(&mut self, left: Inheritance) {
        self.inherits = Some(left);
    }

    /// What the next process needs to go on, when the last advert has been sent.
    pub fn leaves(&self, until: Instant) -> Inheritance {
        Inheritance {
            until,
            sequence: self.memory.sequence.last(),
            old_checksum: self.params.delivery.sends_old_checksum(),
        }
    }

    /// Goes on as master. A sync group does so with all of its members, or not at all.
    pub(super) fn inherit(&mut self, now: Instant, left: Inheritance, out: &mut Vec<Output>) {
        self.memory.sequence.follow(left.sequence);
        if left.old_checksum {
            self.learn_old_checksum();
        }
        if self.params.grouped {
            self.wants = Some(Cause::HandedOver);
            self.timers.set(Timer::Election, Some(left.until));
            out.push(Output::Group(Report::Wants));
            return;
        }
        self.enter_master(now, Cause::HandedOver, out);
    }

    /// The other members of the sync group did not come in time.
    pub(super) fn disinherit(&mut self, now: Instant, out: &mut Vec<Output>) {
        if self.wants.take().is_some() {
            out.push(Output::Group(Report::Withdraws));
            self.first_state(now, Cause::Start, out);
        }
    }

    /// Stops, if it can be with the kernel keeping the addresses.
    pub(super) fn hand_over(&mut self, now: Instant, out: &mut Vec<Output>) {
        let able = self.state == State::Master && !self.params.stays && !self.is_stalled(now);
        let Some(time) = self.params.lease.filter(|_| able) else {
            self.stop(now, Cause::Stop, out);
            return;
        };
        self.leave(now, State::Stopped, Cause::Stop);
        out.extend(self.pending.take().map(Output::Notify));
        self.claim += 1;
        self.lends_until = Some(now + time);
        out.push(Output::Lend { time, number: self.claim });
    }

    /// The kernel takes the addresses away in time: peers hear of us for the last time.
    pub(super) fn lent(&mut self, now: Instant, until: Instant, out: &mut Vec<Output>) {
        if self.is_stalled(now) {
            // They may have given us up meanwhile.
            self.give_back(out);
            return;
        }
        self.send(now, out);
        out.extend(self.params.lease.map(|time| Output::Event(Event::Lent(time))));
        out.push(Output::Event(Event::Stopped));
        out.push(Output::HandedOver(until));
    }

    /// The kernel cannot take all of them away.
    pub(super) fn not_lent(&mut self, number: u64, out: &mut Vec<Output>) {
        if number == self.claim && self.lends_until.take().is_some() {
            self.give_back(out);
        }
    }

    /// Stops as at any other time.
    fn give_back(&mut self, out: &mut Vec<Output>) {
        out.push(Output::Event(Event::NotLent));
        self.resign(out);
        out.push(Output::Event(Event::SentPriorityZero));
        self.claim(false, Notice::State(State::Stopped, self.priority), out);
        out.push(Output::Event(Event::Stopped));
    }
}
