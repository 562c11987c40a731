//! Telling the network where addresses are: gratuitous ARP and unsolicited neighbour advertisements.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::Instance;
use crate::base::{Family, IfName};
use crate::host::Frame;
use crate::kernel::{AddressClaim, Mirror};
use crate::report::wording;
use crate::vrrp::pacer::Waiting;
use crate::wire::{arp, ndisc};

/// Frames handed to the kernel at once.
const FRAMES_AT_ONCE: usize = 1024;

impl Instance {
    /// Announces these addresses, `rounds` times round.
    pub(super) fn announce<'a>(&self, addresses: impl Iterator<Item = &'a AddressClaim>, rounds: u32) {
        let mirror = self.ports.mirror.borrow();
        let mut routers = BTreeMap::new();
        let mut forwards = |dev: &IfName| {
            *routers.entry(dev.clone()).or_insert_with(|| self.ports.announcer.forwards_v6(dev))
        };
        let announcement = |a: &AddressClaim| {
            let frame = frame(&mirror, &a.dev, a.cidr.ip, &mut forwards)?;
            Some((a.dev.clone(), a.cidr.ip, frame))
        };
        let round: Vec<(IfName, IpAddr, Frame)> = addresses.filter_map(announcement).collect();
        let mut frames = Vec::new();
        for n in 0..rounds {
            for (dev, ip, frame) in &round {
                if n == 0 {
                    wording::announcing(&self.plan.name, dev, *ip);
                }
                wording::announced(dev, *ip);
                let patience = self.plan.params.shortest_master_down();
                let waiting = Waiting { owner: self.plan.id, patience, frame: frame.clone() };
                frames.extend(self.ports.pacer.take(dev, Family::of(*ip), waiting));
                if frames.len() == FRAMES_AT_ONCE {
                    self.send_frames(&frames);
                    frames.clear();
                }
            }
        }
        self.send_frames(&frames);
    }

    /// Announces the address that adverts come from.
    pub(super) fn announce_source(&self) {
        let (Some(dev), Some(adverts)) = (self.plan.device(), &self.adverts) else { return };
        let forwards = |dev: &IfName| self.ports.announcer.forwards_v6(dev);
        if let Some(frame) = frame(&self.ports.mirror.borrow(), dev, adverts.source(), forwards) {
            wording::announced(dev, adverts.source());
            self.send_frames(&[frame]);
        }
    }

    fn send_frames(&self, frames: &[Frame]) {
        if !frames.is_empty()
            && let Err(error) = self.ports.announcer.announce(frames)
        {
            wording::announce_failed(&self.plan.name, &error);
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
