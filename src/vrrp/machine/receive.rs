//! A packet: checked, counted, judged.

use std::net::IpAddr;

use super::{Machine, Output, State};
use crate::base::{Instant, Priority};
use crate::vrrp::auth::Authentication;
use crate::vrrp::check::{self, Packet};
use crate::vrrp::event::{Event, Reject};

impl Machine {
    /// A packet: checked, counted, then judged by the state.
    pub(super) fn packet(&mut self, now: Instant, packet: &Packet, out: &mut Vec<Output>) {
        if !matches!(self.state, State::Backup | State::Master) {
            return;
        }
        let mut odd = Vec::new();
        let known = self.params.skip_check_adv_addr && self.master == Some(packet.source);
        // Packets that are dropped leave no trace: what is wrong with one may have been put in on its way.
        let mut memory = self.memory.clone();
        let verdict = check::check(&self.params, packet, known, &mut memory, &mut odd);
        let told = self.reported;
        for reject in odd.iter().chain(verdict.as_ref().err()) {
            self.reject(*reject, packet.source, out);
        }
        let news = self.reported & !told;
        let Ok(advert) = verdict else { return };
        self.memory = memory;
        if advert.old_checksum && self.learn_old_checksum() {
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
        // Not again, if this advert has just changed the state or the master.
        self.reported |= news;
        // Whoever is followed may have another interval in version 3, and it is told that it was learned. Of somebody else
        // one may want to know.
        if advert.interval != self.params.advert_int && advert.interval != self.master_interval {
            let cs = advert.interval.as_millis() / 10;
            self.reject(Reject::IntervalDiffers(cs as u16), advert.source, out);
        }
    }

    /// Counts always, reports each kind once until the state or the master changes: a stream of bad packets must not
    /// fill the log.
    pub(super) fn reject(&mut self, reject: Reject, from: IpAddr, out: &mut Vec<Output>) {
        let kind = reject.kind();
        *self.counters.rejects.entry(kind).or_default() += 1;
        if self.reported & (1 << kind) == 0 {
            self.reported |= 1 << kind;
            out.push(Output::Event(Event::Rejected { reject, from }));
        }
    }
}
