//! MASTER: advertise, announce, and decide when to yield.

use std::cmp::Ordering;
use std::time::Duration;

use super::{Machine, Notice, Output, State};
use crate::base::{Instant, Priority};
use crate::vrrp::check::Advert;
use crate::vrrp::event::{Cause, Event};
use crate::vrrp::group::Report;
use crate::vrrp::timers::{self, Timer};

impl Machine {
    /// Becomes MASTER: advert first, then the claim; announcements and scripts follow when the kernel confirms it.
    pub(super) fn enter_master(&mut self, now: Instant, cause: Cause, out: &mut Vec<Output>) {
        if cause == Cause::HandedOver {
            // The process before this one had been listening.
            self.elects_from = now;
        } else {
            out.push(Output::Event(Event::AdvertTimeout));
        }
        self.leave(now, State::Master, cause.clone());
        self.counters.become_master += 1;
        self.master_since = now;
        self.master = None;
        let learned = std::mem::replace(&mut self.master_interval, self.params.advert_int);
        self.advertise(now, out);
        out.push(Output::Event(Event::Master(cause)));
        if learned != self.master_interval {
            out.push(Output::Event(Event::IntervalOwn { before: learned, now: self.master_interval }));
        }
        self.claim(true, Notice::State(State::Master, self.priority), out);
        let garp = &self.params.garp;
        self.second_burst = garp.repeat;
        self.timers.set(Timer::Announce, (!garp.delay.is_zero()).then(|| now + garp.delay));
        let first_refresh = now + garp.delay + garp.refresh;
        self.timers.set(Timer::Refresh, (!garp.refresh.is_zero()).then_some(first_refresh));
        self.timers.set(Timer::Extra, (!garp.extra.is_zero()).then(|| now + garp.extra));
    }

    /// Sends an advert; the next one is due an interval later.
    pub(super) fn advertise(&mut self, now: Instant, out: &mut Vec<Output>) {
        self.send(now, out);
        self.timers.set(Timer::Advert, Some(timers::beat(now, self.params.advert_int)));
    }

    pub(super) fn send(&mut self, now: Instant, out: &mut Vec<Output>) {
        self.counters.advert_sent += 1;
        self.last_sent = now;
        self.listening = false;
        out.push(Output::Advert(self.priority.get()));
    }

    /// Whether peers may have given us up: we have sent nothing for as long as the quickest of them waits.
    pub(super) fn is_stalled(&self, now: Instant) -> bool {
        self.listening || now - self.last_sent >= self.params.shortest_master_down()
    }

    /// Time for the next advert.
    pub(super) fn advert_due(&mut self, now: Instant, due: Instant, out: &mut Vec<Output>) {
        let expired = !self.listening || self.was_away(now - due);
        if expired && self.must_have_been_replaced(now) {
            out.push(Output::Event(Event::TimerExpired(now - due)));
            self.give_up(now, Cause::TimerExpired(now - due), out);
            return;
        }
        if self.listening && !self.was_away(now - due) {
            // Nobody came forward. Others may hold our addresses in their caches all the same.
            self.advertise(now, out);
            self.announce(now, self.params.garp.repeat, out);
            return;
        }
        if self.is_stalled(now) && !self.listening && now - self.last_sent < self.longest_master_down() {
            // Whoever has taken over has said so before this, and we would have heard it. Whoever has not is about to.
            self.advertise(now, out);
            self.announce(now, self.params.garp.repeat, out);
            return;
        }
        if self.is_stalled(now) {
            self.listening = true;
            out.push(Output::Event(Event::Stalled(now - due)));
            let listen = self.params.advert_int + self.skew();
            self.timers.set(Timer::Advert, Some(now + listen));
            return;
        }
        self.send(now, out);
        // On the beat, also after a beat was missed.
        let interval = self.params.advert_int;
        let next = if due + interval > now { due + interval } else { timers::beat(now, interval) };
        self.timers.set(Timer::Advert, Some(next));
    }

    /// Whether one of the other routers, of whose priorities the configuration says the highest, must have become
    /// master meanwhile.
    fn must_have_been_replaced(&self, now: Instant) -> bool {
        let Some(peer) = self.params.timer_expired_backup.filter(|_| !self.params.preempt) else {
            return false;
        };
        let skew = timers::skew(self.params.version, peer, self.params.advert_int);
        now - self.last_sent >= self.params.shortest_master_down() + skew
    }

    /// How long the most patient of our peers waits: the one of the lowest priority.
    fn longest_master_down(&self) -> Duration {
        let skew = timers::skew(self.params.version, Priority::LOWEST, self.params.advert_int);
        self.params.shortest_master_down() + skew
    }

    /// Time for a periodic announcement.
    pub(super) fn refresh_due(&mut self, now: Instant, due: Instant, out: &mut Vec<Output>) {
        let garp = &self.params.garp;
        self.announce(now, garp.refresh_repeat, out);
        let next = due + garp.refresh;
        self.timers.set(Timer::Refresh, Some(if next > now { next } else { now + garp.refresh }));
    }

    /// Time to announce on other interfaces, so that switches there do not forget us.
    pub(super) fn extra_due(&mut self, now: Instant, due: Instant, out: &mut Vec<Output>) {
        if self.may_announce(now) {
            out.push(Output::AnnounceExtra);
        }
        let next = due + self.params.garp.extra;
        self.timers.set(Timer::Extra, Some(if next > now { next } else { now + self.params.garp.extra }));
    }

    /// A valid advert while we are master: one of us has to yield.
    pub(super) fn advert_as_master(&mut self, now: Instant, advert: &Advert, out: &mut Vec<Output>) {
        let (from, priority) = (advert.source, advert.priority);
        if priority == Priority::RESIGN {
            out.push(Output::Event(Event::MasterHeardPriorityZero(from)));
            self.advertise(now, out);
            return;
        }
        let order = priority.cmp(&self.priority.get());
        let higher = order.then_with(|| self.source.map_or(Ordering::Less, |ours| from.cmp(&ours)));
        match (order, higher) {
            _ if self.is_stalled(now) && !self.params.preempt && !self.params.is_owner() => {
                self.yield_to(now, advert, Cause::Stalled(from, priority), out);
            }
            (Ordering::Greater, _) => {
                out.push(Output::Event(Event::HigherPriorityHeard { from, priority, ours: self.priority }));
                self.yield_to(now, advert, Cause::HigherPriority(from, priority), out);
            }
            (Ordering::Equal, Ordering::Greater) => {
                out.push(Output::Event(Event::HigherAddressHeard { from, priority }));
                self.yield_to(now, advert, Cause::HigherAddress(from, priority), out);
            }
            (Ordering::Equal, Ordering::Equal) => out.push(Output::Event(Event::OwnAddressHeard)),
            (Ordering::Equal, Ordering::Less) if self.params.is_owner() => self.rival_owner(now, advert, out),
            _ => self.insist(now, advert, out),
        }
    }

    /// After a stall somebody of lower priority has taken over: he has to yield, but not at once. What else has waited to be
    /// heard meanwhile, the order to stop above all, is to be heard first.
    fn insist_later(&mut self, now: Instant, advert: &Advert, out: &mut Vec<Output>) {
        const LATER: Duration = Duration::from_millis(50);
        if !self.listening {
            self.listening = true;
            let (from, priority, ours) = (advert.source, advert.priority, self.priority);
            out.push(Output::Event(Event::Stalled(now - self.last_sent)));
            out.push(Output::Event(Event::LowerPriorityHeard { from, priority, ours, election: false }));
        }
        let at = now + LATER.min(self.params.advert_int / 4);
        if self.timers.get(Timer::Advert).is_none_or(|due| due > at || due < now) {
            self.timers.set(Timer::Advert, Some(at));
        }
    }

    /// The other one has to yield. It may have announced the addresses, so announce them again.
    pub(super) fn insist(&mut self, now: Instant, advert: &Advert, out: &mut Vec<Output>) {
        // An honest router sends one an interval. Who sends more must not make us flood the network and the log.
        if self.insisted.is_some_and(|at| now - at < self.params.advert_int / 2) {
            return;
        }
        if self.is_stalled(now) {
            self.insist_later(now, advert, out);
            return;
        }
        self.insisted = Some(now);
        let election = !self.params.lower_prio_no_advert;
        // The router that we have just taken over from says goodbye: that is no news.
        let goodbye = now - self.master_since < self.params.advert_int;
        if !goodbye {
            let (from, priority, ours) = (advert.source, advert.priority, self.priority);
            out.push(Output::Event(Event::LowerPriorityHeard { from, priority, ours, election }));
        }
        if election {
            self.advertise(now, out);
        }
        self.announce_to_lower(now, out);
        if self.params.grouped {
            out.push(Output::Group(Report::HeardLower));
        }
        if !goodbye {
            out.push(Output::Notify(Notice::MasterRxLowerPri(self.priority)));
        }
    }

    /// Somebody of lower priority may have announced the addresses of this router, or of its sync group.
    pub(super) fn announce_to_lower(&mut self, now: Instant, out: &mut Vec<Output>) {
        let garp = &self.params.garp;
        if garp.lower_prio_repeat > 0 {
            self.announce(now, garp.lower_prio_repeat, out);
            if !garp.lower_prio_delay.is_zero() {
                self.second_burst = garp.lower_prio_repeat;
                self.timers.set(Timer::Announce, Some(now + garp.lower_prio_delay));
            }
        }
    }

    /// Gives the addresses to the sender of `advert`.
    pub(super) fn yield_to(&mut self, now: Instant, advert: &Advert, cause: Cause, out: &mut Vec<Output>) {
        // Another owner would take it for a reason to give way as well.
        let to_owner = self.priority.is_owner() && advert.priority == self.priority.get();
        if self.speaks_before_yielding(now) && !to_owner {
            self.send(now, out);
        }
        self.follow(advert, out);
        self.give_up(now, cause, out);
    }

    /// Becomes BACKUP, and the sync group with us.
    fn give_up(&mut self, now: Instant, cause: Cause, out: &mut Vec<Output>) {
        self.enter_backup(now, false, cause, out);
        if self.params.grouped {
            out.push(Output::Group(Report::Lost));
        }
    }

    /// The other one may have been master all the time, unheard (a partition, a lost advert), and would not announce
    /// its addresses again although ours was the last announcement. One advert from us makes it do so. After a stall
    /// we say nothing any more.
    fn speaks_before_yielding(&self, now: Instant) -> bool {
        !self.is_stalled(now) && self.params.higher_prio_send_advert.unwrap_or(true)
    }
}
