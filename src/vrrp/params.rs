//! What the machine of one virtual router is told once and for all.

use std::net::IpAddr;
use std::time::Duration;

use super::auth::Authentication;
use crate::base::{Family, Priority, Vrid};
use crate::config::model::{UnicastPeer, Version};

/// A virtual router, all defaults applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Params {
    /// Virtual router id.
    pub vrid: Vrid,
    /// Protocol version.
    pub version: Version,
    /// Configured priority, before tracking.
    pub priority: Priority,
    /// Own advert interval. Version 2: whole seconds, 1 to 255. Version 3: 10 ms to 40.95 s in steps of 10 ms.
    pub advert_int: Duration,
    /// Intervals without an advert, skew aside, after which the master is down; 1 to 100.
    pub down_timer_adverts: u8,
    /// Whether to take over from a living master of lower priority.
    pub preempt: bool,
    /// How long to put up with one first.
    pub preempt_delay: Duration,
    /// How adverts are authenticated: by password or AH only in version 2 over IPv4.
    pub authentication: Authentication,
    /// What adverts are sent over.
    pub family: Family,
    /// Where adverts go.
    pub delivery: Delivery,
    /// Version 3 over IPv4: our checksum covers no pseudo header, and others need not either.
    pub v3_checksum_as_v2: bool,
    /// Addresses listed in adverts, in configuration order, all of the family.
    pub addresses: Vec<IpAddr>,
    /// Whether a master stays silent when it hears a lower priority.
    pub lower_prio_no_advert: bool,
    /// Whether a master sends one more advert before it yields to a higher priority. `None`: yes, unless it was
    /// stalled. Stock does so only when told to, and after a partition the caches of half the network stay wrong.
    pub higher_prio_send_advert: Option<bool>,
    /// Gratuitous ARP.
    pub garp: GarpSchedule,
    /// How long after the start the router only listens; silence counts from then on.
    pub startup_delay: Duration,
    /// Whether adverts are dropped; only of an address owner.
    pub ignores_adverts: bool,
    /// Whether the addresses in adverts are not looked at while the master stays the same.
    pub skip_check_adv_addr: bool,
    /// The highest priority of the other routers: a master that was away so long that one of them must have taken
    /// over becomes a backup at once, without listening first. Only without preemption.
    pub timer_expired_backup: Option<Priority>,
    /// Whether a sync group decides when to become master.
    pub grouped: bool,
    /// Whether it tracks scripts: it starts when they have ended for the first time, even if that was before all else was
    /// known.
    pub awaits_scripts: bool,
    /// When the daemon stops, its addresses stay, and it does not say goodbye (`-V`).
    pub stays: bool,
    /// When the daemon stops to be started again, the kernel keeps the addresses of a master for this long, whole seconds;
    /// `None`: it stops as at any other time.
    pub lease: Option<Duration>,
}

impl Params {
    /// Whether this router owns the addresses: configured priority 255.
    pub fn is_owner(&self) -> bool {
        self.priority.is_owner()
    }

    /// For how long the kernel may keep the addresses of a master that says nothing any more: it takes them away up to a
    /// second too late, which has to be before anybody else may take over. `None`: the adverts come too often for that.
    pub fn longest_lease(&self) -> Option<Duration> {
        let seconds = self.shortest_master_down().as_secs().checked_sub(1)?;
        (seconds > 0).then_some(Duration::from_secs(seconds))
    }

    /// How long a router of the smallest skew that hears nothing waits before it takes over: the shortest silence
    /// after which we cannot be sure any more that we are the only master.
    pub fn shortest_master_down(&self) -> Duration {
        self.advert_int * u32::from(self.down_timer_adverts)
    }
}

/// Where adverts go, and where they may come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// To a multicast group.
    Multicast(IpAddr),
    /// To each of a list of routers.
    Unicast(Unicast),
}

/// How adverts are sent to single routers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unicast {
    /// These, and the TTLs with which theirs may arrive.
    pub peers: Vec<UnicastPeer>,
    /// Whether adverts of others are dropped.
    pub check_source: bool,
    /// TTL or hop limit of our adverts.
    pub ttl: u8,
    /// What the checksum of version 3 over IPv4 covers.
    pub checksum: UnicastChecksum,
}

/// What the checksum of a version 3 advert to one router covers, over IPv4. Very old keepaliveds put the multicast group
/// into the pseudo header, whoever the packet goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnicastChecksum {
    /// The packet's own destination.
    New,
    /// That, until somebody is heard who has this group there.
    Learns(IpAddr),
    /// This group. What others send may have either.
    Old(IpAddr),
}

impl Delivery {
    /// Whether adverts go to single routers.
    pub fn is_unicast(&self) -> bool {
        matches!(self, Self::Unicast(_))
    }

    /// The group of the old checksum, if adverts may have or do have it.
    pub fn old_group(&self) -> Option<IpAddr> {
        match self {
            Self::Unicast(Unicast {
                checksum: UnicastChecksum::Learns(group) | UnicastChecksum::Old(group),
                ..
            }) => Some(*group),
            _ => None,
        }
    }

    /// Whether our adverts have the old checksum.
    pub fn sends_old_checksum(&self) -> bool {
        matches!(self, Self::Unicast(Unicast { checksum: UnicastChecksum::Old(_), .. }))
    }

    /// From now on with the old checksum. Gives whether that is news.
    pub fn learn_old_checksum(&mut self) -> bool {
        match self {
            Self::Unicast(unicast) => match unicast.checksum {
                UnicastChecksum::Learns(group) => {
                    unicast.checksum = UnicastChecksum::Old(group);
                    true
                }
                _ => false,
            },
            Self::Multicast(_) => false,
        }
    }
}

/// When a master announces its addresses. Rounds cover every address once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GarpSchedule {
    /// Rounds on becoming master, at least 1.
    pub repeat: u32,
    /// Then once more as many after this; zero: not.
    pub delay: Duration,
    /// Interval of further announcements; zero: none.
    pub refresh: Duration,
    /// Rounds of each of those, at least 1.
    pub refresh_repeat: u32,
    /// Rounds when an advert of lower priority was heard.
    pub lower_prio_repeat: u32,
    /// Then once more as many after this; zero: not.
    pub lower_prio_delay: Duration,
    /// Interval of announcements on the interfaces of addresses that are not the instance's own; zero: none.
    pub extra: Duration,
}

impl Default for GarpSchedule {
    fn default() -> Self {
        let delay = Duration::from_secs(5);
        Self {
            repeat: 5,
            delay,
            refresh: Duration::ZERO,
            refresh_repeat: 1,
            lower_prio_repeat: 5,
            lower_prio_delay: delay,
            extra: Duration::ZERO,
        }
    }
}
