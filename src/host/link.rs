//! Links that stand on others, and what of a link's settings we change for a time.

use std::sync::Arc;

use super::firewall::FirewallTable;
use super::kernel::Link;
use super::loader::LinkKind;
use crate::base::{Family, IfIndex, IfName, MacAddr};

/// How a link stands on others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stacking {
    /// What kind of link it is.
    pub kind: LinkKind,
    /// What it stands on (`IFLA_LINK`). Of a link whose base is in another namespace, its index there.
    pub base: Option<IfIndex>,
    /// What it is a part of: a bridge, a bond, a VRF.
    pub master: Option<IfIndex>,
    /// Its group (`ip link … group`), 0 unless somebody set one.
    pub group: u32,
}

/// A link that we make: a VMAC or an ipvlan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VirtualLink {
    /// Its name.
    pub name: IfName,
    /// The virtual router it is for, for messages.
    pub instance: String,
    /// What it is made on.
    pub base: IfIndex,
    /// What the kernel says it stands on: that, or what that stands on if it is a macvlan itself.
    pub real_base: IfIndex,
    /// Its kind.
    pub kind: VirtualKind,
    /// Its group.
    pub group: u32,
    /// The VRF it is in.
    pub vrf: Option<IfIndex>,
    /// What its virtual router speaks: decides on its settings.
    pub family: Family,
    /// Whether it has IPv6 at all.
    pub ipv6: bool,
}

/// What kind of link we make.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum VirtualKind {
    /// A macvlan in private mode, with this hardware address.
    Macvlan(MacAddr),
    /// An ipvlan in mode L2.
    Ipvlan(Isolation),
}

/// Who an ipvlan speaks to on its own link.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Isolation {
    /// Everybody.
    #[default]
    Bridge,
    /// Nobody.
    Private,
    /// Others by way of the switch.
    Vepa,
}

impl VirtualLink {
    /// Whether `link` is this one, up and as it should be.
    pub fn is(&self, link: &Link) -> bool {
        self.is_like(link)
            && link.up
            && (self.vrf.is_none() || link.stacking.master == self.vrf)
            && match self.kind {
                VirtualKind::Macvlan(mac) => link.mac == Some(mac),
                VirtualKind::Ipvlan(_) => true,
            }
    }

    /// Whether `link` has its name and kind and is on the same base: it can be made into this one.
    pub fn is_like(&self, link: &Link) -> bool {
        link.name == self.name && self.is_alike(link)
    }

    /// Whether `link`, whatever its name, is what a predecessor would have made in its place: a macvlan of this kind and
    /// hardware address on the same base.
    pub fn adopts(&self, link: &Link) -> bool {
        self.is_alike(link) && self.has_mac_of(link)
    }

    /// Whether `link`, which has its name, is this one in another shape: nothing of its identity has to change.
    pub fn continues(&self, link: &Link) -> bool {
        let same = matches!(self.kind, VirtualKind::Ipvlan(_)) || self.has_mac_of(link);
        self.is_like(link) && same
    }

    /// Whether `link` may be made into this one or deleted in its favour: it was made to be a VMAC of this name.
    pub fn replaces(&self, link: &Link) -> bool {
        let is_vmac = link.stacking.kind == LinkKind::Macvlan { private: true };
        self.is_like(link)
            || (link.name == self.name && is_vmac && matches!(self.kind, VirtualKind::Macvlan(_)))
    }

    /// Whether `link` keeps it from coming up: the kernel has no two macvlans of one hardware address up on one base.
    pub fn is_kept_down_by(&self, link: &Link) -> bool {
        let is_macvlan = matches!(link.stacking.kind, LinkKind::Macvlan { .. });
        is_macvlan && link.up && self.is_on_base_of(link) && self.has_mac_of(link)
    }

    fn is_alike(&self, link: &Link) -> bool {
        let kind = match self.kind {
            VirtualKind::Macvlan(_) => LinkKind::Macvlan { private: true },
            VirtualKind::Ipvlan(_) => LinkKind::Ipvlan { l2: true },
        };
        link.stacking.kind == kind && self.is_on_base_of(link)
    }

    fn is_on_base_of(&self, link: &Link) -> bool {
        let base = link.stacking.base;
        base == Some(self.base) || base == Some(self.real_base)
    }

    fn has_mac_of(&self, link: &Link) -> bool {
        matches!(self.kind, VirtualKind::Macvlan(mac) if link.mac == Some(mac))
    }
}

/// A setting of the kernel's that is changed for a time: as it was found, so it is left.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Setting {
    /// The checks of source addresses that apply to all interfaces (`all/rp_filter`) are off; each interface gets
    /// them for itself. Otherwise they would apply to VMACs, too.
    SourceChecks,
    /// `promote_secondaries`: who deletes the first address of a network does not delete the others with it.
    Promotion(IfName),
    /// `arp_ignore` and `arp_filter`: it does not answer for addresses of the VMACs that stand on it.
    ArpIsolation(IfName),
    /// This table of the packet filter is ours alone: what a predecessor left in it is gone, and nothing is left in the
    /// end.
    Filter(Arc<FirewallTable>),
}

impl Setting {
    /// The interface it is about.
    pub fn dev(&self) -> Option<&IfName> {
        match self {
            Self::SourceChecks | Self::Filter(_) => None,
            Self::Promotion(dev) | Self::ArpIsolation(dev) => Some(dev),
        }
    }
}

impl std::fmt::Display for Setting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::SourceChecks => f.write_str("rp_filter of all interfaces"),
            Self::Filter(table) => write!(f, "table {} of the packet filter", table.name),
            Self::Promotion(dev) => write!(f, "promote_secondaries on {dev}"),
            Self::ArpIsolation(dev) => write!(f, "arp_ignore and arp_filter on {dev}"),
        }
    }
}
