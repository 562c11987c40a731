//! What the kernel's packet filter does for us.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use crate::base::{Family, IfIndex};

/// The table of the filter that our entries are in, one of each family.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FirewallTable {
    /// Its name, 1 to 254 bytes.
    pub name: String,
    /// When its turn comes among others that filter, as nftables counts: 0 is that of ordinary filters.
    pub priority: i32,
    /// Whether its rules count packets.
    pub counters: bool,
}

/// One entry of the filter.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FirewallEntry<I = IfIndex> {
    /// The table it is in.
    pub table: Arc<FirewallTable>,
    /// What it does.
    pub rule: FirewallRule<I>,
}

/// What an entry of the filter does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FirewallRule<I = IfIndex> {
    /// Reports of multicast groups of this family leave by the base of a VMAC instead of the VMAC, and router
    /// solicitations not at all: switches are to learn its hardware address from the master alone.
    Divert {
        /// The VMAC.
        link: I,
        /// What it stands on.
        base: I,
        /// The family.
        family: Family,
    },
    /// Packets to and from an address are dropped, but for neighbour discovery.
    Drop {
        /// The address.
        ip: IpAddr,
        /// The interface it is on, if it is a link-local one.
        link: Option<I>,
    },
}

impl<I> FirewallRule<I> {
    /// The family it is about.
    pub fn family(&self) -> Family {
        match self {
            Self::Divert { family, .. } => *family,
            Self::Drop { ip, .. } => Family::of(*ip),
        }
    }

    /// With other names for its interfaces.
    ///
    /// # Errors
    /// The first that `find` gives.
    pub fn resolve<J, E>(&self, find: impl Fn(&I) -> Result<J, E>) -> Result<FirewallRule<J>, E> {
        Ok(match self {
            Self::Divert { link, base, family } => {
                FirewallRule::Divert { link: find(link)?, base: find(base)?, family: *family }
            }
            Self::Drop { ip, link } => {
                FirewallRule::Drop { ip: *ip, link: link.as_ref().map(find).transpose()? }
            }
        })
    }
}

impl<I: fmt::Display> fmt::Display for FirewallRule<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Divert { link, base, family } => {
                write!(f, "diversion of {family} group reports of {link} to {base}")
            }
            Self::Drop { ip, .. } => write!(f, "drop rule for {ip}"),
        }
    }
}
