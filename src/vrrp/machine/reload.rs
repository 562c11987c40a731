//! A changed configuration: the state stays, and what follows from it changes.

use std::sync::Arc;

use super::{Machine, Notice, Output, State};
use crate::base::{Instant, Priority};
use crate::config::model::Version;
use crate::vrrp::event::{Cause, Event};
use crate::vrrp::group::Report;
use crate::vrrp::params::Params;
use crate::vrrp::timers::Timer;
use crate::vrrp::tracking::{Tracked, Tracking};

/// What a reload changes for one virtual router.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reload {
    /// As it is configured now.
    pub params: Arc<Params>,
    /// What it tracks now, with what is known of it.
    pub tracked: Vec<Tracked>,
    /// Whether what it claims differs.
    pub claims: bool,
    /// Whether its sync group is another one, or has other members.
    pub regrouped: bool,
}

impl Machine {
    /// Goes on with another configuration. What was learned and counted stays.
    pub(super) fn reload(&mut self, now: Instant, reload: Reload, out: &mut Vec<Output>) {
        let Reload { params, tracked, claims, regrouped } = reload;
        let before = (self.priority, self.skew(), self.master_down());
        let old = std::mem::replace(&mut self.params, params);
        if old.delivery.sends_old_checksum() {
            self.learn_old_checksum();
        }
        self.tracking = Tracking::new(tracked);
        self.reduced &= old.priority == self.params.priority;
        self.priority = self.effective_priority();
        if old.preempt_delay != self.params.preempt_delay || old.preempt != self.params.preempt {
            self.preempt_at = None;
        }
        let learned =
            self.params.version == Version::V3 && old.version == Version::V3 && self.master.is_some();
        if self.state != State::Backup || !learned {
            self.master_interval = self.params.advert_int;
        }
        let (priority, ..) = before;
        if self.priority != priority {
            let what = "the configuration".to_owned();
            let (master, after) = (self.state == State::Master, self.priority);
            out.push(Output::Event(Event::PriorityChanged { before: priority, now: after, what }));
            out.push(Output::Notify(Notice::Priority { master, priority: after }));
        }
        match self.state {
            State::Backup => {
                let (_, skew, down) = before;
                if understands_the_same(&old, &self.params) {
                    self.shift_election(now, skew, down);
                } else {
                    // What others said may not have been understood: the silence that counts begins now.
                    self.restart_election(now);
                }
                if self.params.is_owner() && !old.is_owner() {
                    self.owner_at_once(now);
                }
            }
            State::Master => self.reload_master(now, &old, priority, claims, out),
            State::Init | State::Fault | State::Stopped => {}
        }
        if regrouped {
            self.join(now, out);
        }
        self.reconsider(now, &Cause::Reload, out);
    }

    /// A backup that waits has waited as long as it has: the end of its wait moves by what that is longer or shorter now.
    fn shift_election(&mut self, now: Instant, skew: std::time::Duration, down: std::time::Duration) {
        let Some(at) = self.timers.get(Timer::Election) else { return };
        let (before, after) = if self.resigned { (skew, self.skew()) } else { (down, self.master_down()) };
        // Not into the past: that would look like a stall.
        let moved = (at + after).saturating_back(before);
        self.timers.set(Timer::Election, Some(moved.max(now).max(self.elects_from)));
    }

    /// Peers hear at once of what concerns them; what is new is announced when it is there.
    fn reload_master(
        &mut self,
        now: Instant,
        old: &Params,
        priority: Priority,
        claims: bool,
        out: &mut Vec<Output>,
    ) {
        let is_news = *old != *self.params || priority != self.priority;
        if is_news && !self.is_stalled(now) {
            self.advertise(now, out);
        }
        if !understands_the_same(old, &self.params) {
            // There may have been another master, neither of us hearing the other.
            self.announce(now, self.params.garp.repeat, out);
        }
        let refresh = self.params.garp.refresh;
        if refresh != old.garp.refresh {
            self.timers.set(Timer::Refresh, (!refresh.is_zero()).then(|| now + refresh));
        }
        let extra = self.params.garp.extra;
        if extra != old.garp.extra {
            self.timers.set(Timer::Extra, (!extra.is_zero()).then(|| now + extra));
        }
        if claims {
            self.claim += 1;
            self.renewed = true;
            out.push(Output::Claim { hold: true, number: self.claim });
        }
    }

    /// The members of a sync group get to know each other.
    fn join(&mut self, now: Instant, out: &mut Vec<Output>) {
        self.wants = None;
        self.trouble = None;
        self.undecided = true;
        if self.params.grouped {
            out.push(Output::Group(Report::Joined(self.state)));
        }
        // The group says so if it is still true.
        self.dragged(now, None, out);
    }
}

/// Whether adverts that count now did so before.
fn understands_the_same(old: &Params, new: &Params) -> bool {
    let of = |p: &Params| (p.version, p.advert_int, p.authentication.clone(), p.delivery.clone());
    of(old) == of(new)
}
