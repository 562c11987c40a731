//! VMACs: what is claimed on them waits for them, and who sends by them for all that belongs to them.

use std::net::IpAddr;

use super::Ledger;
use crate::base::IfName;
use crate::kernel::claim::Key;
use crate::kernel::mirror::Mirror;

impl Ledger {
    /// An address came or went: it may have been one to be copied to a VMAC, or the copy.
    pub(super) fn link_local_changed(&mut self, mirror: &Mirror, on: &IfName, ip: IpAddr) {
        if !matches!(ip, IpAddr::V6(ip) if ip.is_unicast_link_local()) {
            return;
        }
        for name in self.vmacs.keys().cloned().collect::<Vec<_>>() {
            let key = Key::LinkLocal(name);
            if let Some(entry) = self.entries.get_mut(&key).filter(|entry| entry.claim.is_on(on)) {
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

    /// Whether something is claimed on a VMAC that is not there at present, whatever the mirror still has of that name.
    pub(super) fn waits_for_vmac(&self, mirror: &Mirror, key: &Key) -> bool {
        let dev = match key {
            Key::Address(dev, _) | Key::LinkLocal(dev) => dev,
            _ => return false,
        };
        self.vmacs.contains_key(dev)
            && self.entries.get(&Key::Link(dev.clone())).is_some_and(|link| !link.is_present(mirror))
    }
}
