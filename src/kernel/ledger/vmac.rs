//! VMACs: what is claimed on them waits for them, and who sends by them for all that belongs to them.

use std::net::IpAddr;

use super::Ledger;
use crate::base::IfName;
use crate::host::{Address, FirewallRule, KernelOp, Link};
use crate::kernel::claim::{Claim, Key, Obstacle, Occupied};
use crate::kernel::mirror::Mirror;

impl Ledger {
    /// An address came or went: it may have been one to be copied to a VMAC, or the copy.
    pub(super) fn link_local_changed(&mut self, mirror: &Mirror, on: &IfName, ip: IpAddr) {
        if !matches!(ip, IpAddr::V6(ip) if ip.is_unicast_link_local()) {
            return;
        }
        let copies: Vec<Key> =
            self.index.claims(on).filter(|key| matches!(key, Key::LinkLocal(_))).cloned().collect();
        for key in copies {
            if let Some(entry) = self.entries.get_mut(&key) {
                entry.given_up = false;
                self.gone(mirror, key);
            }
        }
    }

    /// Whether a VMAC is there, as it should be, with all that belongs to it, as far as that can be had. Another link of
    /// its name, or one that cannot come up, is none: a master must not be without its addresses.
    pub(super) fn is_fit(&self, mirror: &Mirror, vmac: &IfName) -> bool {
        let link = self.entries.get(&Key::Link(vmac.clone()));
        let parts = self.vmacs.get(vmac).into_iter().flatten();
        link.is_none_or(|link| link.is_present(mirror))
            && parts.filter_map(|key| self.entries.get(key)).all(|entry| entry.is_settled(mirror))
    }

    /// Why a VMAC is not there, if somebody else's link is in its way.
    pub(super) fn occupied(&self, mirror: &Mirror, vmac: &IfName) -> Option<Occupied> {
        match self.entries.get(&Key::Link(vmac.clone()))?.obstacle {
            Some(Obstacle::Occupied(what)) if !self.makes_room(mirror, vmac) => Some(what),
            _ => None,
        }
    }

    /// Whether what is in the way of a VMAC is our own, and about to go or to change: after a reload, names and virtual
    /// routers of VMACs may be others than before.
    pub(super) fn makes_room(&self, mirror: &Mirror, vmac: &IfName) -> bool {
        let Some(Claim::Link(claim)) = self.entries.get(&Key::Link(vmac.clone())).map(|entry| &entry.claim)
        else {
            return false;
        };
        let goes = |name: &IfName| {
            let entry = self.entries.get(&Key::Link(name.clone()));
            entry.is_none_or(|entry| {
                let wanted = entry.claim.resolve(mirror).ok();
                let stays = entry.placed.as_ref().zip(wanted).is_some_and(|(is, to_be)| is.is_same(&to_be));
                entry.holders.is_empty() || !stays
            })
        };
        let goes = |link: &Link| mirror.made_as(link.index).is_some_and(goes);
        let named = mirror.link(vmac).into_iter();
        claim.wanted(mirror).is_ok_and(|wanted| {
            let mut others = named.filter(|link| !wanted.replaces(link)).chain(mirror.keeping_down(&wanted));
            others.next().is_some_and(goes) && others.all(goes)
        })
    }

    /// A link that a predecessor has left is ours now: what is claimed of its addresses is ours as well, and what else
    /// keepalived has left on it goes.
    pub(super) fn take_over(&mut self, mirror: &Mirror, name: &IfName) {
        let Some(link) = mirror.link(name) else { return };
        for address in mirror.addresses(link.index) {
            let key = Key::Address(name.clone(), address.cidr);
            match self.entries.get_mut(&key) {
                Some(entry) => {
                    entry.placed = entry.claim.resolve(mirror).ok().map(Box::new);
                    entry.given_up = false;
                    self.dirty.insert(key);
                }
                None if address.protocol == Address::PROTO_KEEPALIVED => {
                    self.strays.push((key, KernelOp::DeleteAddress(address)));
                }
                None => {}
            }
        }
    }

    /// Whether something is claimed on a VMAC that is not there at present, whatever the mirror still has of that name.
    pub(super) fn waits_for_vmac(&self, mirror: &Mirror, key: &Key) -> bool {
        let dev = match key {
            Key::Address(dev, _) | Key::LinkLocal(dev) => dev,
            Key::Firewall(claim) => match &claim.rule {
                FirewallRule::Divert { link, .. } => return self.diversion_waits(mirror, key, link),
                FirewallRule::Drop { .. } => return false,
            },
            _ => return false,
        };
        self.vmacs.contains_key(dev)
            && self.entries.get(&Key::Link(dev.clone())).is_some_and(|link| !link.is_present(mirror))
    }

    /// Whether the diversion of a VMAC is not to be looked at now. What has only its name is not diverted; and under
    /// another name it is still the same link, so that what is in force for it stays.
    fn diversion_waits(&self, mirror: &Mirror, key: &Key, vmac: &IfName) -> bool {
        let Some(link) = self.entries.get(&Key::Link(vmac.clone())) else { return false };
        let is_there = link.placed.as_ref().is_some_and(|placed| placed.is_left_in(mirror));
        let is_placed = self.entries.get(key).is_some_and(|entry| entry.placed.is_some());
        if is_placed { is_there && !link.is_present(mirror) } else { !is_there }
    }
}
