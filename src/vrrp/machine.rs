//! The election machine of one virtual router (RFC 3768 and RFC 9568 section 6, as keepalived does it).
//!
//! It is told facts with the time they are handled at, and answers with an ordered list of decisions. It reads no
//! clock and touches nothing. Times are absolute: an advert is due at the previous deadline plus the interval,
//! whatever the delay with which the previous one was handled.
//!
//! Two rules go beyond the RFCs, so that a router that was not run for a while never makes a second master:
//! - a **backup** whose master-down timer is handled late by more than an advert interval waits once more;
//! - a **master** that has sent nothing for its peers' master-down time listens before it speaks, and without
//!   preemption yields to whoever took over meanwhile.

mod backup;
mod claims;
mod faults;
mod hand_over;
mod master;
mod owner;
mod receive;
mod reload;
mod words;

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use super::auth::{Mark, Memory};
use super::event::{Cause, Change, Event, Fault};
use super::group::{Blame, Order, Report};
use super::params::Params;
use super::timers::{Timer, Timers};
use super::tracking::{Tracked, Tracking};
pub use hand_over::Inheritance;
use owner::Rival;
pub use reload::Reload;
pub use words::{Counters, Input, Notice, Output, Snapshot, State};

use crate::base::{Instant, Priority};

/// How many changes are kept.
const HISTORY: usize = 100;

/// One virtual router.
#[derive(Clone, Debug)]
pub struct Machine {
    /// Shared with the plan, as long as nothing was learned.
    params: Arc<Params>,
    tracking: Tracking,
    state: State,
    since: Instant,
    started: bool,
    cause: Cause,
    /// Effective priority.
    priority: Priority,
    timers: Timers,
    /// Reasons for FAULT besides tracking; sorted, without repetition.
    faults: Vec<Fault>,
    /// Which other member of the sync group is in FAULT, and why: there while [`Fault::Group`] is.
    dragged_by: Option<Blame>,
    source: Option<IpAddr>,
    /// Nobody is elected earlier: silence counts from here. What is heard before is learned from all the same.
    elects_from: Instant,
    /// Last known master and its interval.
    master: Option<IpAddr>,
    master_priority: u8,
    master_interval: Duration,
    /// End of the wait before preempting, once begun.
    preempt_at: Option<Instant>,
    /// BACKUP: the master resigned last.
    resigned: bool,
    /// BACKUP: the election was put off once because we were stalled.
    put_off: bool,
    /// BACKUP in a sync group: we want to become master, and why.
    wants: Option<Cause>,
    /// The sync group does not know yet whether we hear another master.
    undecided: bool,
    /// What the sync group knows to be wrong with the router itself.
    trouble: Option<Cause>,
    /// MASTER: since when, and when the last advert left.
    master_since: Instant,
    last_sent: Instant,
    /// MASTER: when we last answered an advert of lower priority.
    insisted: Option<Instant>,
    /// MASTER: we were stalled and listen before we speak.
    listening: bool,
    /// MASTER: another address owner is heard.
    rival: Option<Rival>,
    /// We own the addresses but gave way to another owner.
    reduced: bool,
    /// Rounds of the second burst.
    second_burst: u32,
    /// Number of the last claim, and the notice that waits for it.
    claim: u64,
    pending: Option<Notice>,
    /// A reload has changed what the last claim asks for: to be announced, and nobody to be told.
    renewed: bool,
    /// What a process before this one has left that was master.
    inherits: Option<Inheritance>,
    /// STOPPED: until when the next process may, once the kernel has followed.
    lends_until: Option<Instant>,
    /// Kinds of [`Reject`](super::event::Reject) reported since the state or the master changed, as bits.
    reported: u32,
    /// What keeps adverts from counting twice.
    memory: Memory,
    counters: Counters,
    /// The last changes, oldest first.
    history: VecDeque<Change>,
}

impl Machine {
    /// A router that has not started.
    pub fn new(params: Arc<Params>, tracked: Vec<Tracked>) -> Self {
        Self {
            priority: params.priority,
            master_interval: params.advert_int,
            params,
            tracking: Tracking::new(tracked),
            state: State::Init,
            since: Instant::ZERO,
            started: false,
            cause: Cause::Start,
            timers: Timers::default(),
            faults: Vec::new(),
            dragged_by: None,
            source: None,
            elects_from: Instant::ZERO,
            master: None,
            master_priority: 0,
            preempt_at: None,
            resigned: false,
            put_off: false,
            wants: None,
            undecided: true,
            trouble: None,
            master_since: Instant::ZERO,
            last_sent: Instant::ZERO,
            insisted: None,
            listening: false,
            rival: None,
            reduced: false,
            second_burst: 0,
            claim: 0,
            pending: None,
            renewed: false,
            inherits: None,
            lends_until: None,
            reported: 0,
            memory: Memory::default(),
            counters: Counters::default(),
            history: VecDeque::new(),
        }
    }

    /// What the router was configured with.
    pub fn params(&self) -> &Params {
        &self.params
    }

    /// The last 100 changes of state and of the reasons for FAULT, oldest first.
    pub fn history(&self) -> &VecDeque<Change> {
        &self.history
    }

    /// From now on unicast adverts have the old checksum. Gives whether that is news.
    fn learn_old_checksum(&mut self) -> bool {
        Arc::make_mut(&mut self.params).delivery.learn_old_checksum()
    }

    /// What tells our next advert from all others. `unix_time`: now, since 1970.
    pub fn mark(&mut self, unix_time: Duration) -> Mark {
        self.memory.mark(&self.params.authentication, unix_time)
    }

    /// When [`Input::Deadline`] is due.
    pub fn next_deadline(&self) -> Option<Instant> {
        self.timers.next()
    }

    /// What an observer may see.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot {
            state: self.state,
            wanted: if self.wants.is_some() { State::Master } else { self.state },
            since: self.since,
            priority: self.priority,
            master: self.master,
            master_priority: self.master_priority,
            master_interval: self.master_interval,
            master_down: self.master_down(),
            deadline: self.timers.get(Timer::Advert).or(self.timers.get(Timer::Election)),
            cause: self.cause.clone(),
            faults: self.faults.clone(),
            tracked_faults: self.tracking.faults().count(),
            awaited: self.tracking.awaited(),
            counters: self.counters.clone(),
        }
    }

    /// Since when it has been in the state it is in.
    pub fn since(&self) -> Instant {
        self.since
    }

    /// Counts from nothing again.
    pub fn clear_counters(&mut self) {
        self.counters = Counters::default();
    }

    /// Takes a fact and appends the decisions it leads to.
    pub fn handle(&mut self, now: Instant, input: Input, out: &mut Vec<Output>) {
        if self.state == State::Stopped {
            match input {
                Input::Confirmed(number) => self.confirmed(now, number, out),
                Input::NotLent(number) => self.not_lent(number, out),
                _ => {}
            }
            return;
        }
        match input {
            Input::Start => {
                self.started = true;
                self.elects_from = now + self.params.startup_delay;
                self.reconsider(now, &Cause::Start, out);
            }
            Input::Packet(packet) => self.packet(now, &packet, out),
            Input::Deadline => self.deadline(now, out),
            Input::Tracked(index, status) => self.tracked(now, index, status, out),
            Input::Fault(fault, present) => self.fault(now, fault, present, out),
            Input::Source(source) => self.source = Some(source),
            Input::Confirmed(number) => self.confirmed(now, number, out),
            Input::Placed(number) => self.placed(now, number, out),
            Input::Restored => self.announce(now, self.params.garp.repeat, out),
            Input::Group(order) => self.order(now, order, out),
            Input::Reload(reload) => self.reload(now, *reload, out),
            Input::Delete => self.stop(now, Cause::Deleted, out),
            Input::Stop => self.stop(now, Cause::Stop, out),
            Input::HandOver => self.hand_over(now, out),
            // Nothing is lent before the stop.
            Input::NotLent(_) => {}
        }
    }

    /// Every deadline that has come.
    fn deadline(&mut self, now: Instant, out: &mut Vec<Output>) {
        while let Some((timer, due)) = self.timers.expire(now) {
            match timer {
                Timer::Watch => self.watch_due(now, due, out),
                Timer::Election => self.election_due(now, due, out),
                Timer::Advert => self.advert_due(now, due, out),
                Timer::Announce => self.announce(now, self.second_burst, out),
                Timer::Refresh => self.refresh_due(now, due, out),
                Timer::Extra => self.extra_due(now, due, out),
            }
        }
    }

    /// Does what the sync group wants.
    fn order(&mut self, now: Instant, order: Order, out: &mut Vec<Output>) {
        match (order, self.state) {
            // Without a wish, because an advert came meanwhile: the group knows already, and calls the others back.
            (Order::Master, State::Backup | State::Init) => {
                if let Some(cause) = self.wants.take() {
                    self.enter_master(now, cause, out);
                    out.push(Output::Group(Report::Mastered));
                }
            }
            (Order::Announce, State::Master) => self.announce_to_lower(now, out),
            (Order::Backup, State::Master) => self.enter_backup(now, false, Cause::Group, out),
            (Order::Backup, State::Backup) => self.wants = None,
            (Order::Backup, State::Init) => self.disinherit(now, out),
            (Order::Fault(by), _) => self.dragged(now, by, out),
            _ => {}
        }
    }

    /// The first state without a fault, unless one was handed over: BACKUP, also for `state MASTER`, which gives no head start.
    fn first_state(&mut self, now: Instant, news: Cause, out: &mut Vec<Output>) {
        if let Some(left) = self.inherits.take().filter(|left| now < left.until) {
            self.inherit(now, left, out);
            return;
        }
        let awaited = matches!(news, Cause::Tracked(_));
        if (awaited || self.params.awaits_scripts) && self.params.grouped {
            out.push(Output::Group(Report::Awaited));
        }
        let cause = if awaited { Cause::Start } else { news };
        if self.params.is_owner() && !self.params.grouped && now >= self.elects_from {
            // MASTER in a moment: nobody is told of anything before.
            self.leave(now, State::Backup, cause);
        } else {
            self.enter_backup(now, true, cause, out);
        }
        self.owner_at_once(now);
    }

    /// An address owner need not wait for anybody.
    fn owner_at_once(&mut self, now: Instant) {
        if self.params.is_owner() {
            let at = now.max(self.elects_from) + Duration::from_micros(1);
            self.timers.set(Timer::Election, Some(at));
        }
    }

    /// Stops for good.
    fn stop(&mut self, now: Instant, cause: Cause, out: &mut Vec<Output>) {
        let was_master = self.state == State::Master;
        let notice = match cause {
            Cause::Deleted => Notice::Deleted(self.priority),
            _ => Notice::State(State::Stopped, self.priority),
        };
        let stays = self.params.stays && cause == Cause::Stop;
        self.leave(now, State::Stopped, cause);
        if stays {
            // What the last claim was for is as true as it will be.
            out.extend(self.pending.take().map(Output::Notify));
            out.push(Output::Event(Event::Stopped));
            out.push(Output::Notify(notice));
            return;
        }
        if was_master {
            self.resign(out);
            out.push(Output::Event(Event::SentPriorityZero));
        }
        self.claim(false, notice, out);
        out.push(Output::Event(Event::Stopped));
    }

    /// Sends an advert with priority 0.
    fn resign(&mut self, out: &mut Vec<Output>) {
        self.counters.pri_zero_sent += 1;
        self.counters.advert_sent += 1;
        out.push(Output::Advert(Priority::RESIGN));
    }

    /// Keeps what happened.
    fn record(&mut self, at: Instant, state: State, cause: Cause) {
        if self.history.len() == HISTORY {
            self.history.pop_front();
        }
        self.history.push_back(Change { at, state, cause });
    }

    /// What every change of state has in common.
    fn leave(&mut self, now: Instant, next: State, cause: Cause) {
        self.record(now, next, cause.clone());
        if self.state == State::Master && next != State::Master {
            self.counters.release_master += 1;
        }
        self.state = next;
        self.since = now;
        self.cause = cause;
        self.timers.clear();
        self.preempt_at = None;
        self.resigned = false;
        self.put_off = false;
        self.wants = None;
        self.insisted = None;
        self.listening = false;
        self.rival = None;
        self.reported = 0;
    }
}

#[cfg(test)]
mod tests;
