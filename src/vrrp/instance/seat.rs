//! The interface of an instance, and its place at the sockets there.

use std::time::Duration;

use super::Instance;
use crate::host::kernel::Errno;
use crate::kernel::Occupied;
use crate::kernel::ledger::Interface;
use crate::report::wording;
use crate::vrrp::advert::Adverts;
use crate::vrrp::demux::{Hears, Place};
use crate::vrrp::event::{Fault, Source};
use crate::vrrp::machine::{Input, Output};
use crate::vrrp::params::Delivery;

/// The pause before sockets that could not be opened are tried again.
const SEAT_PAUSE: Duration = Duration::from_secs(1);

impl Instance {
    /// The interface changed, or is told of for the first time, which starts the machine.
    pub(super) fn interface(&mut self, interface: Interface, out: &mut Vec<Output>) {
        self.facts.borrow_mut().interface = Some(interface);
        let before = self.interface.replace(interface);
        if before.is_none_or(|b| b.index != interface.index) {
            // What has another name can still be sent by; what is gone says so.
            self.lost_seat = self.seat.take();
        }
        let params = &self.plan.params;
        let unicast = params.delivery.is_unicast();
        let keyless = params.authentication.lacks_key();
        let wanted = self.plan.source.filter(|_| self.plan.track_source);
        let wanted = wanted.map_or(Source::Any(params.family), Source::Only);
        let no_peers = matches!(&params.delivery, Delivery::Unicast(to) if to.peers.is_empty());
        let source = self.plan.source.filter(|_| !self.plan.track_source).or(interface.source);
        if let Some(source) = source
            && self.adverts.as_ref().is_none_or(|a| a.source() != source)
        {
            if unicast {
                // It listens to another address from now on.
                self.seat = None;
            }
            self.adverts = Some(Adverts::new(source));
            self.handle(Input::Source(source), out);
        }
        self.take_seat(before.is_none(), out);
        // Of what is usable, only a VMAC can be missing; it will be back.
        let there = interface.index.is_some() || self.plan.device().is_none();
        let tracked = !(there && self.plan.dont_track_primary);
        let mut faults = [
            (Fault::Link(interface.state), tracked && !interface.is_usable()),
            (Fault::NoAddress(wanted), interface.state.exists() && source.is_none()),
            (Fault::NoPeers, no_peers),
            (Fault::NoKey, keyless),
        ];
        // Those that appear first: one that goes must not leave a moment without any.
        faults.sort_by_key(|(_, present)| !present);
        for (fault, present) in faults {
            self.handle(Input::Fault(fault, present), out);
        }
        if before.is_none() {
            self.handle(Input::Start, out);
        }
    }

    /// Opens the sockets if the interface is there and they are not; after a failure again and again. `overdue`: a VMAC
    /// that is missing has had its time to come back.
    pub(super) fn take_seat(&mut self, overdue: bool, out: &mut Vec<Output>) {
        if self.seat.is_some() {
            return;
        }
        let params = &self.plan.params;
        let hears = match (&params.delivery, &self.adverts) {
            (Delivery::Multicast(group), _) => Hears::Group(*group),
            (Delivery::Unicast(to), Some(adverts)) => {
                Hears::Unicast(adverts.source(), to.peers.iter().map(|peer| peer.address).collect())
            }
            (Delivery::Unicast(_), None) => return,
        };
        let known = self.interface.unwrap_or_default();
        let interface = match (self.plan.device(), known.index) {
            (Some(name), Some(index)) => Some((index, name.clone())),
            (Some(_), None) => {
                if known.is_usable() && (overdue || known.occupied.is_some()) {
                    self.vmac_fault(Some(known.occupied), out);
                } else if known.is_usable() {
                    self.try_again = Some(self.ports.plane.now() + SEAT_PAUSE);
                }
                return;
            }
            (None, _) => None,
        };
        let place = Place { interface, family: params.family, protocol: params.authentication.protocol() };
        match self.ports.endpoints.seat(place, params.vrid, hears, self.inbox_post.clone()) {
            Ok(seat) => self.seat = Some(seat),
            // It has just been removed again, of which the kernel's report is still to come.
            Err(error)
                if !overdue
                    && self.plan.vmac.name.is_some()
                    && error.source.raw_os_error() == Some(Errno::NODEV.0) =>
            {
                self.try_again = Some(self.ports.plane.now() + SEAT_PAUSE);
                return;
            }
            Err(error) => {
                wording::no_socket(&self.plan.name, &error);
                self.try_again = Some(self.ports.plane.now() + SEAT_PAUSE);
            }
        }
        self.handle(Input::Fault(Fault::NoSocket, self.seat.is_none()), out);
        self.vmac_fault(None, out);
    }

    /// Why there is no VMAC; `None`: there is.
    fn vmac_fault(&mut self, missing: Option<Option<Occupied>>, out: &mut Vec<Output>) {
        let present = missing.map(|occupied| match occupied {
            None => Fault::NoVmac,
            Some(Occupied::Name) => Fault::VmacNameTaken,
            Some(Occupied::HardwareAddress) => Fault::VmacAddressTaken,
        });
        if let Some(fault) = present {
            self.handle(Input::Fault(fault, true), out);
        }
        for fault in [Fault::NoVmac, Fault::VmacNameTaken, Fault::VmacAddressTaken] {
            if present != Some(fault) {
                self.handle(Input::Fault(fault, false), out);
            }
        }
    }
}
