//! What the ledger is told to watch, and what it tells.

use std::net::IpAddr;
use std::time::Duration;

use crate::base::{Family, IfIndex, IfName, InstanceId};
use crate::host::kernel::Errno;
use crate::host::{KernelOp, LinkState};
use crate::kernel::claim::{Key, Occupied, Place};

/// A decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Make these changes; each is to be answered by [`Ledger::answer`](super::Ledger::answer).
    Apply(Vec<(Key, KernelOp)>),
    /// The kernel holds what claim `number` of `owner` asked for, as far as it can.
    Confirmed {
        /// Whose claim.
        owner: InstanceId,
        /// Its number.
        number: u64,
    },
    /// Of what claim `number` of `owner` asked for, the kernel has these addresses now, and others not yet.
    Placed {
        /// Whose claim.
        owner: InstanceId,
        /// Its number.
        number: u64,
        /// The addresses.
        addresses: Vec<Place>,
    },
    /// What claim `number` of `owner` asked for is given up, but not all of it can be left to the kernel.
    NotLent {
        /// Whose claim.
        owner: InstanceId,
        /// Its number.
        number: u64,
    },
    /// What was lost, by no change of ours, is back.
    Restored {
        /// The instances that hold it.
        owners: Vec<InstanceId>,
        /// What.
        key: Key,
        /// How it was lost.
        loss: Loss,
        /// How many times somebody removed it lately.
        times: u32,
        /// From now on not before this has passed, if that is longer than before: somebody keeps removing it.
        pause: Option<Duration>,
    },
    /// A predecessor that was killed has left this, and nobody claims it: it goes.
    Leftover {
        /// What.
        key: Key,
    },
    /// A change failed, otherwise than the last time.
    Failed {
        /// The change.
        op: KernelOp,
        /// What it is about.
        key: Key,
        /// Why.
        errno: Errno,
    },
    /// Something is claimed on an interface that does not exist.
    NoInterface {
        /// What.
        key: Key,
    },
    /// Somebody else's link is in the way of a VMAC or ipvlan.
    Occupied {
        /// The VMAC or ipvlan.
        key: Key,
        /// What that link has.
        what: Occupied,
    },
    /// What an instance has to know of its interface has changed.
    Interface(InstanceId, Interface),
    /// An interface that an instance tracks is like this now.
    Tracked(InstanceId, IfName, LinkState),
}

/// How something was lost that is put back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// Somebody removed it.
    Removed,
    /// Its interface went away, and is back.
    WithInterface,
}

/// What an instance has to know of its interface.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Interface {
    /// The index of what it sends and listens on: its VMAC, if it has one, or itself; `None`: that does not exist.
    pub index: Option<IfIndex>,
    /// How it is; with a VMAC, how its base is.
    pub state: LinkState,
    /// Where adverts may come from: its first address of the wanted family that no instance claims, or the one that
    /// is wanted, if it is there.
    pub source: Option<IpAddr>,
    /// Why its VMAC is not there, if somebody else's link is in its way.
    pub occupied: Option<Occupied>,
}

impl Interface {
    /// Whether it exists, and is up and running.
    pub fn is_usable(&self) -> bool {
        self.state == LinkState::Up
    }
}

/// What an instance wants to know of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watch {
    /// Its interface; `None`: it has none, and what happens to all of them matters.
    pub interface: Option<IfName>,
    /// The VMAC it sends and listens on instead.
    pub vmac: Option<IfName>,
    /// Whether it is to send from an address of that.
    pub from_vmac: bool,
    /// Without an interface, the VRF it is in.
    pub vrf: Option<IfName>,
    /// The family its adverts are sent over.
    pub family: Family,
    /// The only address they may be sent from.
    pub source: Option<IpAddr>,
    /// Whether that may be on any interface.
    pub anywhere: bool,
}

impl Watch {
    pub(super) fn is_about(&self, interface: &IfName) -> bool {
        self.anywhere
            || self.interface.as_ref().is_none_or(|own| own == interface)
            || self.vmac.as_ref() == Some(interface)
    }
}
