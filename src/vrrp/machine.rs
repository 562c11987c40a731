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
mod master;
mod owner;
mod reload;

use std::collections::VecDeque;
use std::net::IpAddr;
use std::time::Duration;

use super::auth::{Authentication, Mark, Memory};
use super::check::{self, Packet};
use super::event::{Cause, Change, Event, Fault, Reject};
use super::group::{Order, Report};
use super::params::Params;
use super::timers::{self, Timer, Timers};
use owner::Rival;
pub use reload::Reload;

use super::tracking::{Status, Tracked, Tracking};
use crate::base::{Instant, Priority};

/// How many changes are kept.
const HISTORY: usize = 100;

/// The state of a virtual router.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum State {
    /// Not started yet, or waiting for the first result of something tracked.
    #[default]
    Init,
    /// Listening.
    Backup,
    /// Holding the addresses.
    Master,
    /// Unable to take part.
    Fault,
    /// Stopped for good.
    Stopped,
}

/// A fact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// The drivers are ready; faults known by then have been told.
    Start,
    /// A packet has arrived.
    Packet(Packet),
    /// [`Machine::next_deadline`] has come. Everything that had arrived before has been told.
    Deadline,
    /// Something tracked changed: its place in the list, and what is known now.
    Tracked(usize, Status),
    /// A reason not to take part appeared (`true`) or went (`false`).
    Fault(Fault, bool),
    /// Adverts leave from this address.
    Source(IpAddr),
    /// The kernel holds what the claim with this number asked for.
    Confirmed(u64),
    /// Addresses that somebody else had removed are back in place.
    Restored,
    /// The sync group wants this.
    Group(Order),
    /// The configuration has changed.
    Reload(Box<Reload>),
    /// The configuration has it no more: stop.
    Delete,
    /// Stop.
    Stop,
}

/// A decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Send an advert with this priority.
    Advert(u8),
    /// Hold the addresses (`true`) or do not; to be answered by [`Input::Confirmed`] with `number`.
    Claim {
        /// Whether to hold them.
        hold: bool,
        /// Counts the claims.
        number: u64,
    },
    /// Announce every address this many times.
    Announce(u32),
    /// Announce, on each interface with addresses that is not the router's own, one of them.
    AnnounceExtra,
    /// Announce the address adverts come from, so that peers who send to it can reach us.
    AnnounceSource,
    /// Tell the sync group.
    Group(Report),
    /// Tell the scripts.
    Notify(Notice),
    /// Tell the log.
    Event(Event),
}

/// What scripts are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice {
    /// The state is now this, with this effective priority.
    State(State, Priority),
    /// A master heard an advert of lower priority.
    MasterRxLowerPri(Priority),
    /// The effective priority is another one.
    Priority {
        /// Whether it is master.
        master: bool,
        /// What it is now.
        priority: Priority,
    },
    /// A reload has removed it; it had this effective priority.
    Deleted(Priority),
}

/// What has been counted since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Valid adverts received.
    pub advert_rcvd: u64,
    /// Adverts sent, priority 0 included.
    pub advert_sent: u64,
    /// Times the router became master.
    pub become_master: u64,
    /// Times it ceased to be.
    pub release_master: u64,
    /// Adverts with priority 0 received.
    pub pri_zero_rcvd: u64,
    /// Adverts with priority 0 sent.
    pub pri_zero_sent: u64,
    /// Packets judged, by [`Reject::kind`].
    pub rejects: [u64; Reject::KINDS],
}

/// What an observer may see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// State.
    pub state: State,
    /// The state it is after: another one only while its sync group has not decided.
    pub wanted: State,
    /// Since when it has been in this state.
    pub since: Instant,
    /// Effective priority.
    pub priority: Priority,
    /// The master, as far as a backup knows.
    pub master: Option<IpAddr>,
    /// The priority of the last advert that was followed; 0: none was.
    pub master_priority: u8,
    /// The master's interval.
    pub master_interval: Duration,
    /// How long a backup hears nothing before it takes over.
    pub master_down: Duration,
    /// When the next advert is due, or the election.
    pub deadline: Option<Instant>,
    /// Why the state is what it is.
    pub cause: Cause,
    /// Reasons for FAULT besides tracking.
    pub faults: Vec<Fault>,
    /// What is tracked and keeps it in FAULT.
    pub tracked_faults: usize,
    /// What is tracked and has to say something before the start.
    pub awaited: usize,
    /// What has been counted.
    pub counters: Counters,
}

/// One virtual router.
#[derive(Clone, Debug)]
pub struct Machine {
    params: Params,
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
    source: Option<IpAddr>,
    /// Adverts that come earlier are not heard, and timers count from here.
    listens_from: Instant,
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
    /// The sync group knows that something of our own is wrong.
    own_fault: bool,
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
    /// Kinds of [`Reject`] reported since the state or the master changed, as bits.
    reported: u32,
    /// What keeps adverts from counting twice.
    memory: Memory,
    counters: Counters,
    /// The last changes, oldest first.
    history: VecDeque<Change>,
}

impl Machine {
    /// A router that has not started.
    pub fn new(params: Params, tracked: Vec<Tracked>) -> Self {
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
            source: None,
            listens_from: Instant::ZERO,
            master: None,
            master_priority: 0,
            preempt_at: None,
            resigned: false,
            put_off: false,
            wants: None,
            undecided: true,
            own_fault: false,
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
            counters: self.counters,
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
            if let Input::Confirmed(number) = input {
                self.confirmed(now, number, out);
            }
            return;
        }
        match input {
            Input::Start => {
                self.started = true;
                self.listens_from = now + self.params.startup_delay;
                self.reconsider(now, &Cause::Start, out);
            }
            Input::Packet(packet) => self.packet(now, &packet, out),
            Input::Deadline => self.deadline(now, out),
            Input::Tracked(index, status) => self.tracked(now, index, status, out),
            Input::Fault(fault, present) => self.fault(now, fault, present, out),
            Input::Source(source) => self.source = Some(source),
            Input::Confirmed(number) => self.confirmed(now, number, out),
            Input::Restored => self.announce(now, self.params.garp.repeat, out),
            Input::Group(order) => self.order(now, order, out),
            Input::Reload(reload) => self.reload(now, *reload, out),
            Input::Delete => self.stop(now, Cause::Deleted, out),
            Input::Stop => self.stop(now, Cause::Stop, out),
        }
    }

    /// A packet: checked, counted, then judged by the state.
    fn packet(&mut self, now: Instant, packet: &Packet, out: &mut Vec<Output>) {
        if !matches!(self.state, State::Backup | State::Master) || now < self.listens_from {
            return;
        }
        let mut odd = Vec::new();
        let known = self.params.skip_check_adv_addr && self.master == Some(packet.source);
        // Packets that are dropped leave no trace: what is wrong with one may have been put in on its way.
        let mut memory = self.memory.clone();
        let verdict = check::check(&self.params, packet, known, &mut memory, &mut odd);
        for reject in odd.iter().chain(verdict.as_ref().err()) {
            self.reject(*reject, packet.source, out);
        }
        let Ok(advert) = verdict else { return };
        self.memory = memory;
        if advert.old_checksum && self.params.delivery.learn_old_checksum() {
            out.push(Output::Event(Event::OldChecksum));
        }
        if self.params.ignores_adverts {
            return;
        }
        self.counters.advert_rcvd += 1;
        if advert.priority == Priority::RESIGN {
            self.counters.pri_zero_rcvd += 1;
        }
        match self.state {
            State::Master => {
                let lower = advert.priority != Priority::RESIGN && advert.priority < self.priority.get();
                if lower && matches!(self.params.authentication, Authentication::Ah(_)) {
                    out.push(Output::Event(Event::SequenceSynced));
                }
                self.advert_as_master(now, &advert, out);
            }
            _ => self.advert_as_backup(now, &advert, out),
        }
    }

    /// Counts always, reports each kind once until the state or the master changes: a stream of bad packets must not
    /// fill the log.
    fn reject(&mut self, reject: Reject, from: IpAddr, out: &mut Vec<Output>) {
        let kind = reject.kind();
        if let Some(counter) = self.counters.rejects.get_mut(kind as usize) {
            *counter += 1;
        }
        if self.reported & (1 << kind) == 0 {
            self.reported |= 1 << kind;
            out.push(Output::Event(Event::Rejected { reject, from }));
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

    /// Something tracked changed.
    fn tracked(&mut self, now: Instant, index: usize, status: Status, out: &mut Vec<Output>) {
        let Some((item, fault)) = self.tracking.update(index, status) else { return };
        let what = item.what.clone();
        if let Some(fault) = fault {
            out.push(Output::Event(Event::TrackedFault { what: what.clone(), fault }));
        }
        let before = self.priority;
        self.priority = self.effective_priority();
        if self.priority != before {
            self.priority_changed(now, before, what.clone(), out);
        }
        self.reconsider(now, &Cause::Tracked(what), out);
    }

    /// As configured and tracked, unless we gave way to another owner.
    fn effective_priority(&self) -> Priority {
        if self.reduced { Priority::HIGHEST } else { self.tracking.effective(self.params.priority) }
    }

    /// A backup that waits waits that much longer or shorter.
    fn priority_changed(&mut self, now: Instant, before: Priority, what: String, out: &mut Vec<Output>) {
        let after = self.priority;
        if let Some(at) = self.timers.get(Timer::Election) {
            let skew = |p| timers::skew(self.params.version, p, self.master_interval);
            let moved = (at + skew(after)).saturating_back(skew(before));
            // Not into the past: that would look like a stall.
            self.timers.set(Timer::Election, Some(moved.max(now)));
        }
        out.push(Output::Event(Event::PriorityChanged { before, now: after, what }));
        out.push(Output::Notify(Notice::Priority { master: self.state == State::Master, priority: after }));
    }

    /// A reason not to take part appeared or went.
    fn fault(&mut self, now: Instant, fault: Fault, present: bool, out: &mut Vec<Output>) {
        match (self.faults.binary_search(&fault), present) {
            (Err(at), true) => self.faults.insert(at, fault),
            (Ok(at), false) => {
                self.faults.remove(at);
            }
            _ => return,
        }
        let cause = if present { Cause::Fault(fault) } else { Cause::Recovered };
        self.reconsider(now, &cause, out);
    }

    /// Enters or leaves FAULT and INIT as the facts now demand.
    fn reconsider(&mut self, now: Instant, news: &Cause, out: &mut Vec<Output>) {
        if !self.started {
            return;
        }
        let init = self.state == State::Init;
        let reason = self.faults.first().map(|f| Cause::Fault(*f));
        let reason = reason.or_else(|| self.tracking.faults().next().map(|t| Cause::Tracked(t.what.clone())));
        match (reason, self.state) {
            // Worth knowing when it is asked why the fault lasts.
            (Some(_), State::Fault) => self.record(now, State::Fault, news.clone()),
            (Some(cause), _) => self.enter_fault(now, init, cause, out),
            // A script that has not run yet may well fail: nobody starts on hope.
            (None, State::Init | State::Fault) if self.tracking.is_awaited() => {}
            (None, State::Init) => self.first_state(now, news.clone(), out),
            (None, State::Fault) => {
                self.master_interval = self.params.advert_int;
                self.enter_backup(now, false, Cause::Recovered, out);
                if self.params.delivery.is_unicast() {
                    out.push(Output::AnnounceSource);
                }
                self.owner_at_once(now);
            }
            (None, _) => {}
        }
        self.report_fault(out);
    }

    /// Tells the sync group when something of our own goes wrong, or is right again.
    fn report_fault(&mut self, out: &mut Vec<Output>) {
        let own = self.faults.iter().any(|f| *f != Fault::Group) || self.tracking.faults().next().is_some();
        if self.params.grouped && own != std::mem::replace(&mut self.own_fault, own) {
            out.push(Output::Group(Report::Faulty(own)));
        }
    }

    /// Does what the sync group wants.
    fn order(&mut self, now: Instant, order: Order, out: &mut Vec<Output>) {
        match (order, self.state) {
            // Without a wish, because an advert came meanwhile: the group knows already, and calls the others back.
            (Order::Master, State::Backup) => {
                if let Some(cause) = self.wants.take() {
                    self.enter_master(now, cause, out);
                    out.push(Output::Group(Report::Mastered));
                }
            }
            (Order::Announce, State::Master) => self.announce_to_lower(now, out),
            (Order::Backup, State::Master) => self.enter_backup(now, false, Cause::Group, out),
            (Order::Backup, State::Backup) => self.wants = None,
            (Order::Fault(present), _) => self.fault(now, Fault::Group, present, out),
            _ => {}
        }
    }

    /// The first state without a fault: BACKUP, also for `state MASTER`, which gives no head start.
    fn first_state(&mut self, now: Instant, news: Cause, out: &mut Vec<Output>) {
        let awaited = matches!(news, Cause::Tracked(_));
        if awaited && self.params.grouped {
            out.push(Output::Group(Report::Awaited));
        }
        let cause = if awaited { Cause::Start } else { news };
        self.enter_backup(now, true, cause, out);
        self.owner_at_once(now);
    }

    /// An address owner need not wait for anybody.
    fn owner_at_once(&mut self, now: Instant) {
        if self.params.is_owner() {
            let at = now.max(self.listens_from) + Duration::from_micros(1);
            self.timers.set(Timer::Election, Some(at));
        }
    }

    fn enter_fault(&mut self, now: Instant, init: bool, cause: Cause, out: &mut Vec<Output>) {
        let was_master = self.state == State::Master;
        self.restore_owner(out);
        self.leave(now, State::Fault, cause.clone());
        out.push(Output::Event(Event::Fault { init, cause: cause.clone() }));
        if was_master {
            self.resign(out);
            // Twice, as stock, but for those whom their sync group drags along: the message that makes a peer take
            // over at once is worth a second chance.
            if cause != Cause::Fault(Fault::Group) {
                self.resign(out);
                out.push(Output::Event(Event::SentPriorityZero));
            }
        }
        self.claim(false, Notice::State(State::Fault, self.priority), out);
    }

    /// Stops for good.
    fn stop(&mut self, now: Instant, cause: Cause, out: &mut Vec<Output>) {
        let was_master = self.state == State::Master;
        let notice = match cause {
            Cause::Deleted => Notice::Deleted(self.priority),
            _ => Notice::State(State::Stopped, self.priority),
        };
        self.leave(now, State::Stopped, cause);
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

    /// Changes what is claimed; `notice` is given when the kernel has followed, so that a script finds the
    /// addresses as it is told they are.
    fn claim(&mut self, hold: bool, notice: Notice, out: &mut Vec<Output>) {
        if let Some(overtaken) = self.pending.take() {
            out.push(Output::Notify(overtaken));
        }
        self.claim += 1;
        self.renewed = false;
        self.pending = Some(notice);
        out.push(Output::Claim { hold, number: self.claim });
    }

    /// The kernel has followed.
    fn confirmed(&mut self, now: Instant, number: u64, out: &mut Vec<Output>) {
        if number != self.claim {
            return;
        }
        let notice = self.pending.take();
        if notice.is_some() || std::mem::take(&mut self.renewed) {
            self.announce(now, self.params.garp.repeat, out);
        }
        out.extend(notice.map(Output::Notify));
    }

    /// Announces the addresses, provided that they are there and nobody can have taken over while we were stalled:
    /// when we have listened, we announce them anyway.
    fn announce(&self, now: Instant, rounds: u32, out: &mut Vec<Output>) {
        if self.may_announce(now) {
            out.push(Output::Announce(rounds));
        }
    }

    fn may_announce(&self, now: Instant) -> bool {
        self.state == State::Master && self.pending.is_none() && !self.is_stalled(now)
    }
}

#[cfg(test)]
mod tests;
