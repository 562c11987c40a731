//! Carries out what the machine has decided.

use std::sync::Arc;

use super::Instance;
use crate::base::Priority;
use crate::host::Error;
use crate::kernel::reconciler::{Claim, Hold, Request};
use crate::notify;
use crate::report::wording;
use crate::vrrp::event::Event;
use crate::vrrp::group::Report;
use crate::vrrp::machine::{Notice, Output, State};

impl Instance {
    /// Carries out decisions: adverts and claims first, since others wait for them; then the rest in order.
    pub(super) fn perform(&mut self, out: &mut Vec<Output>) {
        if self.since.0 != self.machine.since() {
            self.since = (self.machine.since(), self.ports.plane.unix_time());
        }
        let (mut resigned, mut reason) = (false, None);
        for output in &*out {
            match output {
                Output::Advert(priority) => {
                    let goodbye = *priority == Priority::RESIGN;
                    let told = goodbye && out.contains(&Output::Event(Event::SentPriorityZero));
                    match self.send(*priority, told) {
                        Ok(()) => resigned |= goodbye,
                        Err(error) => reason = error,
                    }
                }
                Output::Claim { hold, number } => {
                    self.claim(if *hold { Hold::Take } else { Hold::Release }, *number);
                }
                Output::Lend { time, number } => self.claim(Hold::Lend(*time), *number),
                _ => {}
            }
        }
        for output in out.drain(..) {
            match output {
                Output::Advert(_) => {}
                Output::Lend { .. } => self.ports.pacer.forget(self.plan.id),
                Output::HandedOver(until) => {
                    self.stopped = true;
                    // It may be gone when the daemon is in a hurry.
                    let _ = self.ports.handed_over.send((self.plan.id, self.machine.leaves(until)));
                }
                Output::Claim { hold, .. } => {
                    if !hold {
                        self.ports.pacer.forget(self.plan.id);
                    }
                    // At the start something may be left of a run before.
                    if hold || self.claimed != Some(false) {
                        wording::claim(&self.plan, hold);
                    }
                    self.claimed = Some(hold);
                    self.early.clear();
                }
                Output::Announce(rounds) => {
                    self.announce(self.plan.addresses.iter().map(Arc::as_ref), rounds);
                    self.early.clear();
                }
                Output::AnnouncePlaced => self.announce_placed(),
                Output::AnnounceExtra => self.announce(self.plan.extra_announced(), 1),
                Output::AnnounceSource => self.announce_source(),
                Output::Group(report) => self.report(report),
                Output::Trouble(what) => {
                    let words = what.map(|cause| wording::trouble(&self.plan, &cause).into());
                    self.report(Report::Faulty(words));
                }
                Output::Notify(notice) => self.notify(notice),
                Output::Event(Event::SentPriorityZero) if !resigned => {
                    wording::not_resigned(&self.plan.name, reason.as_ref());
                }
                Output::Event(event) => self.log(&event),
            }
        }
        self.lost_seat = None;
    }

    /// What others can bring about is logged once a second, and then how often it happened.
    fn log(&mut self, event: &Event) {
        let now = self.ports.plane.now();
        let left_out = match event.provoked() {
            Some(kind) => self.provoked.entry(kind).or_default().turn(now),
            None => Some(0),
        };
        if let Some(left_out) = left_out {
            wording::vrrp(&self.plan, self.machine.params(), event);
            wording::left_out(&self.plan.name, left_out);
        }
    }

    fn claim(&self, hold: Hold, number: u64) {
        // The reconciler outlives all instances.
        let _ = self.ports.claims.send(Request::Claim(Claim { owner: self.plan.id, hold, number }));
    }

    /// Sends an advert to all it is for. `told`: that it has left for none of them, and why, is told by who asks.
    ///
    /// # Errors
    /// It has left for none of them; `None`: there is nothing to send it with.
    fn send(&mut self, priority: u8, told: bool) -> Result<(), Option<Error>> {
        let seat = self.seat.as_ref().or(self.lost_seat.as_ref()).ok_or(None)?;
        let adverts = self.adverts.as_mut().ok_or(None)?;
        let mark = self.machine.mark(self.ports.plane.unix_time());
        let (mut sent, mut errors) = (false, Vec::new());
        for (packet, destination) in adverts.next(self.machine.params(), priority, mark) {
            match seat.endpoint().send(packet, destination) {
                Ok(()) => sent = true,
                Err(error) => errors.push(error),
            }
        }
        if sent || !told {
            errors.iter().for_each(|error| seat.endpoint().not_sent(&self.plan.name, error));
        }
        if sent { Ok(()) } else { Err(errors.pop()) }
    }

    /// Scripts are told; after the last notice there is nothing left to do.
    fn notify(&mut self, notice: Notice) {
        self.stopped |= matches!(notice, Notice::State(State::Stopped, _));
        if matches!(notice, Notice::Deleted(_)) {
            self.stopped = true;
            self.facts.borrow_mut().deleted = true;
        }
        let group = self.facts.borrow().group();
        match (group, notice) {
            // The group tells them, in its order.
            (Some(group), Notice::State(state, priority)) => {
                group.report(self.plan.id, Report::Told(state, priority));
            }
            _ => {
                // The queue may be gone when the daemon is stopping; then there is nobody left to tell.
                let _ = self.ports.notices.send(notify::Message::Instance(self.plan.id, notice));
            }
        }
    }

    fn report(&self, report: Report) {
        let group = self.facts.borrow().group();
        if let Some(group) = group {
            group.report(self.plan.id, report);
        }
    }
}
