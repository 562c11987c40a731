//! Telling the network where addresses are: gratuitous ARP and unsolicited neighbour advertisements.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

use super::Instance;
use crate::base::IfName;
use crate::host::Frame;
use crate::kernel::{AddressClaim, Mirror};
use crate::report::wording;
use crate::vrrp::bursts::{Announcement, Burst};
use crate::wire::{arp, ndisc};

impl Instance {
    /// Announces these addresses, `rounds` times round. For those in `early` the first round is over.
    pub(super) fn announce<'a>(&self, addresses: impl Iterator<Item = &'a AddressClaim>, rounds: u32) {
        let (early, fresh): (Vec<_>, Vec<_>) = addresses.partition(|a| self.early.contains(&a.place()));
        self.send_burst(fresh, rounds, false);
        self.send_burst(early, rounds.saturating_sub(1), true);
    }

    /// Announces for the first time those addresses that have just been placed, while others are still on their way.
    pub(super) fn announce_placed(&mut self) {
        let placed: BTreeSet<_> = std::mem::take(&mut self.placed).into_iter().collect();
        let fresh: Vec<&AddressClaim> =
            self.plan.addresses.iter().map(Arc::as_ref).filter(|a| placed.contains(&a.place())).collect();
        self.send_burst(fresh, 1, false);
        self.early.extend(placed);
    }

    fn send_burst(&self, addresses: Vec<&AddressClaim>, rounds: u32, repeats: bool) {
        let mirror = self.ports.mirror.borrow();
        let mut routers = BTreeMap::new();
        let mut forwards = |dev: &IfName| {
            *routers.entry(dev.clone()).or_insert_with(|| self.ports.announcer.forwards_v6(dev))
        };
        let mut announcements = Vec::with_capacity(addresses.len());
        for AddressClaim { dev, cidr, .. } in addresses {
            if let Some(frame) = frame(&mirror, dev, cidr.ip, &mut forwards) {
                announcements.push(Announcement { ip: cidr.ip, frame });
            }
        }
        let plan = Arc::clone(&self.plan);
        self.ports.pacer.announce(Burst { plan, announcements, rounds, repeats });
    }

    /// Announces the address that adverts come from.
    pub(super) fn announce_source(&self) {
        let (Some(dev), Some(adverts)) = (self.plan.device(), &self.adverts) else { return };
        let forwards = |dev: &IfName| self.ports.announcer.forwards_v6(dev);
        if let Some(frame) = frame(&self.ports.mirror.borrow(), dev, adverts.source(), forwards) {
            wording::announced(dev, adverts.source());
            if let Err(error) = self.ports.announcer.announce(&[frame]) {
                wording::announcement_failed(&error);
            }
        }
    }
}

/// What announces `ip` on `dev`, if that is an interface that resolves addresses: gratuitous ARP, or an unsolicited
/// neighbour advertisement, which tells whether the interface `forwards` packets.
fn frame(
    mirror: &Mirror,
    dev: &IfName,
    ip: IpAddr,
    mut forwards: impl FnMut(&IfName) -> bool,
) -> Option<Frame> {
    let link = mirror.link(dev).filter(|l| l.arp)?;
    let bytes = match ip {
        IpAddr::V4(ip) => arp::gratuitous(link.mac?, ip).to_vec(),
        IpAddr::V6(ip) => ndisc::unsolicited(link.mac?, ip, forwards(dev)).to_vec(),
    };
    Some(Frame { link: link.index, name: dev.clone(), bytes })
}
