//! Interfaces that are asked for their carrier, because their driver does not report it.

use crate::base::IfName;

/// How an interface is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CarrierMethod {
    /// The registers of its transceiver (IEEE 802.3 clause 22, register 1).
    Mii,
    /// Ethtool.
    Ethtool,
    /// Its flags.
    Flags,
}

/// Asks interfaces.
pub trait Carriers {
    /// Whether the interface has a carrier; `None` if it cannot be asked this way, or does not exist.
    fn carrier(&self, interface: &IfName, method: CarrierMethod) -> Option<bool>;
}
