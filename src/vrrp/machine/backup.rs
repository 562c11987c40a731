//! BACKUP: listen, and decide when the master is gone.

use std::time::Duration;

use super::{Machine, Notice, Output, State};
use crate::base::{Instant, Priority};
use crate::config::model::Version;
use crate::vrrp::check::Advert;
use crate::vrrp::event::{Cause, Event};
use crate::vrrp::group::Report;
use crate::vrrp::timers::{self, Timer};

impl Machine {
    /// Becomes BACKUP, with a full master-down wait.
    pub(super) fn enter_backup(&mut self, now: Instant, init: bool, cause: Cause, out: &mut Vec<Output>) {
        self.leave(now, State::Backup, cause.clone());
        self.restart_election(now);
        out.push(Output::Event(Event::Backup { init, cause }));
        self.claim(false, Notice::State(State::Backup, self.priority), out);
    }

    /// The skew at the present priority.
    pub(super) fn skew(&self) -> Duration {
        timers::skew(self.params.version, self.priority, self.master_interval)
    }

    /// How long silence has to last before the master is down.
    pub(super) fn master_down(&self) -> Duration {
        self.master_interval * u32::from(self.params.down_timer_adverts) + self.skew()
    }

    /// Whether a deadline was handled so late that the whole machine may have been away, and what was sent to it
    /// lost. Mere overload does not last that long each time; it must not keep a router from ever being master.
    pub(super) fn was_away(&self, late: Duration) -> bool {
        late >= self.master_down().max(Duration::from_secs(1))
    }

    pub(super) fn restart_election(&mut self, now: Instant) {
        self.resigned = false;
        self.put_off = false;
        let from = now.max(self.elects_from);
        self.timers.set(Timer::Election, Some(from + self.master_down()));
        self.timers.set(Timer::Watch, Some(from + self.master_interval * 3 / 2));
    }

    /// An advert is overdue. If we notice that late, we were away, and adverts may have been lost with us: the silence
    /// that the election counts on begins now. While all is well this timer is set anew before it is due.
    pub(super) fn watch_due(&mut self, now: Instant, due: Instant, out: &mut Vec<Output>) {
        let late = now - due;
        let Some(election) = self.timers.get(Timer::Election) else { return };
        // Also when the election is due as well, though not so late that this would tell by itself; but only once.
        let due = election <= now;
        if due && (late <= self.master_interval || std::mem::replace(&mut self.put_off, true)) {
            return;
        }
        if late > self.master_interval {
            out.push(Output::Event(Event::Stalled(late)));
            let listened = now + self.master_interval + self.skew();
            self.timers.set(Timer::Election, Some(election.max(listened)));
        }
        self.timers.set(Timer::Watch, Some(now + self.master_interval));
    }

    /// A valid advert.
    pub(super) fn advert_as_backup(&mut self, now: Instant, advert: &Advert, out: &mut Vec<Output>) {
        if advert.priority == Priority::RESIGN {
            out.push(Output::Event(Event::BackupHeardPriorityZero(advert.source)));
            self.resigned = true;
            self.put_off = false;
            let from = now.max(self.elects_from);
            self.timers.set(Timer::Election, Some(from + self.skew()));
            // That is soon, but for the start-up delay, in which we may be away and hear nothing of who takes over.
            self.timers.set(Timer::Watch, (from > now).then(|| now + self.master_interval * 3 / 2));
            return;
        }
        let lower = advert.priority < self.priority.get();
        let patient = self.preempt_delay(now, lower, out);
        if lower && self.params.preempt && !patient {
            // Its adverts do not count: the timer runs down, and then we take over.
            let (from, priority) = (advert.source, advert.priority);
            out.push(Output::Event(Event::LowerPriorityDiscarded { from, priority }));
            return;
        }
        // Somebody who gives way says goodbye, perhaps with a shorter interval: the one to whom it gives way still has
        // the time that its own interval gives it.
        let other = self.master.is_some_and(|master| master != advert.source) && !self.resigned;
        let promised = self.timers.get(Timer::Election).filter(|_| other);
        self.follow(advert, out);
        if self.wants.take().is_some() {
            out.push(Output::Group(Report::Withdraws));
        }
        if self.params.grouped && std::mem::take(&mut self.undecided) {
            out.push(Output::Group(Report::Follows));
        }
        self.restart_election(now);
        self.timers.set(Timer::Election, self.timers.get(Timer::Election).max(promised));
    }

    /// Runs the wait before preempting. Gives whether it is on.
    fn preempt_delay(&mut self, now: Instant, lower: bool, out: &mut Vec<Output>) -> bool {
        let delay = self.params.preempt_delay;
        if delay.is_zero() || !self.params.preempt {
            return false;
        }
        if !lower {
            if self.preempt_at.take().is_some() {
                out.push(Output::Event(Event::PreemptDelayStopped));
            }
            return false;
        }
        let at = *self.preempt_at.get_or_insert_with(|| {
            out.push(Output::Event(Event::PreemptDelayStarted(delay)));
            now + delay
        });
        now < at
    }

    /// Takes the sender for the master.
    pub(super) fn follow(&mut self, advert: &Advert, out: &mut Vec<Output>) {
        if self.master != Some(advert.source) {
            let event = Event::MasterIs { before: self.master, now: advert.source };
            out.push(Output::Event(event));
            self.master = Some(advert.source);
            self.reported = 0;
        }
        self.master_priority = advert.priority;
        if self.params.version == Version::V3 && advert.interval != self.master_interval {
            let event = Event::IntervalLearned { before: self.master_interval, now: advert.interval };
            out.push(Output::Event(event));
            self.master_interval = advert.interval;
        }
    }

    /// Nothing was heard for the master-down time. The driver has told all that had arrived, so this is silence
    /// and not a full socket; but if we ourselves were away, packets may have been lost with us.
    pub(super) fn election_due(&mut self, now: Instant, due: Instant, out: &mut Vec<Output>) {
        if self.state == State::Init {
            self.disinherit(now, out);
            return;
        }
        let late = now - due;
        if self.was_away(late) || (late > self.master_interval && !self.put_off) {
            self.put_off = true;
            out.push(Output::Event(Event::Stalled(late)));
            self.timers.set(Timer::Election, Some(now + self.master_interval + self.skew()));
            return;
        }
        let cause = match (self.params.is_owner(), self.resigned) {
            (true, _) => Cause::Owner,
            (_, true) => Cause::MasterResigned,
            _ => Cause::MasterDown,
        };
        self.restore_owner(out);
        if self.params.grouped {
            // All members together or none: ask, and in the meantime wait again.
            self.wants = Some(cause);
            out.push(Output::Group(Report::Wants));
            self.timers.set(Timer::Election, Some(now + self.master_down()));
            return;
        }
        self.enter_master(now, cause, out);
    }
}
