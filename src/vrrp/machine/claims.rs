//! What is held in the kernel, and announced when it is there.

use super::{Machine, Notice, Output, State};
use crate::base::Instant;

impl Machine {
    /// Changes what is claimed; `notice` is given when the kernel has followed, so that a script finds the
    /// addresses as it is told they are.
    pub(super) fn claim(&mut self, hold: bool, notice: Notice, out: &mut Vec<Output>) {
        if let Some(overtaken) = self.pending.take() {
            out.push(Output::Notify(overtaken));
        }
        self.claim += 1;
        self.renewed = false;
        self.pending = Some(notice);
        out.push(Output::Claim { hold, number: self.claim });
    }

    /// The kernel has followed.
    pub(super) fn confirmed(&mut self, now: Instant, number: u64, out: &mut Vec<Output>) {
        if number != self.claim {
            return;
        }
        if let Some(until) = self.lends_until.take() {
            self.lent(now, until, out);
            return;
        }
        let notice = self.pending.take();
        if notice.is_some() || std::mem::take(&mut self.renewed) {
            self.announce(now, self.params.garp.repeat, out);
        }
        out.extend(notice.map(Output::Notify));
    }

    /// The kernel has followed in part: who is there need not wait for the others.
    pub(super) fn placed(&self, now: Instant, number: u64, out: &mut Vec<Output>) {
        let awaited = number == self.claim && self.pending.is_some();
        if awaited && self.state == State::Master && self.params.garp.repeat > 0 && !self.is_stalled(now) {
            out.push(Output::AnnouncePlaced);
        }
    }

    /// Announces the addresses, provided that they are there and nobody can have taken over while we were stalled:
    /// when we have listened, we announce them anyway.
    pub(super) fn announce(&self, now: Instant, rounds: u32, out: &mut Vec<Output>) {
        if self.may_announce(now) {
            out.push(Output::Announce(rounds));
        }
    }

    pub(super) fn may_announce(&self, now: Instant) -> bool {
        self.state == State::Master && self.pending.is_none() && !self.is_stalled(now)
    }
}
