//! Settings below `/proc/sys` that we change for a time.

use std::collections::BTreeSet;
use std::{fs, io};

use crate::base::IfName;
use crate::host::KernelOp;
use crate::host::kernel::Errno;

/// What we have changed, and have to change back.
#[derive(Debug, Default)]
pub(super) struct Settings {
    promoted: BTreeSet<IfName>,
}

impl Settings {
    /// Whether `op` is a setting.
    pub(super) fn concerns(op: &KernelOp) -> bool {
        matches!(op, KernelOp::SetPromotion(_) | KernelOp::UnsetPromotion(_))
    }

    /// Does `op`; `None`: it is no setting.
    pub(super) fn apply(&mut self, op: &KernelOp) -> Option<Result<(), Errno>> {
        let done = match op {
            KernelOp::SetPromotion(dev) => self.promote(dev),
            KernelOp::UnsetPromotion(dev) => self.demote(dev),
            _ => return None,
        };
        Some(done.map_err(|error| match error.raw_os_error() {
            // The interface has gone.
            Some(2) => Errno::NODEV,
            Some(number) => Errno(number),
            None => Errno::IO,
        }))
    }

    fn promote(&mut self, dev: &IfName) -> io::Result<()> {
        if fs::read_to_string(path(dev))?.trim() == "0" {
            fs::write(path(dev), "1")?;
            self.promoted.insert(dev.clone());
        }
        Ok(())
    }

    fn demote(&mut self, dev: &IfName) -> io::Result<()> {
        if self.promoted.remove(dev) { fs::write(path(dev), "0") } else { Ok(()) }
    }
}

fn path(dev: &IfName) -> String {
    format!("/proc/sys/net/ipv4/conf/{dev}/promote_secondaries")
}
