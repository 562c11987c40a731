//! Two routers that are both configured as the owner of the addresses: a mistake, of which one has to make the best.
//!
//! The one with the lower address yields at once. If the other one does not hear it, or insists, this one gives way
//! with priority 254 until the other falls silent.

use super::{Machine, Output};
use crate::base::Instant;
use crate::vrrp::check::Advert;
use crate::vrrp::event::{Cause, Event};

/// Another owner that should have yielded to us.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rival {
    /// When we give way.
    until: Instant,
    /// When it was heard last.
    heard: Instant,
}

impl Machine {
    /// An advert of another owner, whose address is lower than ours.
    pub(super) fn rival_owner(&mut self, now: Instant, advert: &Advert, out: &mut Vec<Output>) {
        let silence = self.params.shortest_master_down().max(advert.interval * 2);
        let known = self.rival.filter(|rival| now - rival.heard <= silence);
        let Some(rival) = known else {
            let slowest = self.params.advert_int.max(advert.interval);
            let until = now + self.params.advert_int * 2 + slowest * 6 / 5;
            self.rival = Some(Rival { until, heard: now });
            out.push(Output::Event(Event::OwnerConflict(advert.source)));
            self.insist(now, advert, out);
            return;
        };
        if now < rival.until {
            self.rival = Some(Rival { heard: now, ..rival });
            self.insist(now, advert, out);
            return;
        }
        out.push(Output::Event(Event::OwnerReduced(advert.source)));
        self.reduced = true;
        self.priority = self.effective_priority();
        self.yield_to(now, advert, Cause::OwnerConflict(advert.source), out);
    }

    /// Nobody else claims to own the addresses any more.
    pub(super) fn restore_owner(&mut self, out: &mut Vec<Output>) {
        if std::mem::take(&mut self.reduced) {
            self.priority = self.effective_priority();
            out.push(Output::Event(Event::OwnerRestored));
        }
    }
}
