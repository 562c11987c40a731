//! Pauses between announcements.

use std::time::Duration;

use crate::base::IfName;
use crate::config::model::Config;

/// Pauses between announcements.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PacingPlan {
    /// On each interface that is in no group.
    pub intervals: Intervals,
    /// Interfaces that share their pauses; none is in two groups.
    pub groups: Vec<PacingGroup>,
}

/// `garp_group`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PacingGroup {
    /// Its interfaces.
    pub interfaces: Vec<IfName>,
    /// On all of them together.
    pub intervals: Intervals,
}

/// The pause after an announcement; zero: none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Intervals {
    /// After a gratuitous ARP.
    pub arp: Duration,
    /// After an unsolicited neighbour advertisement.
    pub na: Duration,
}

/// The pauses of a configuration.
pub(super) fn resolve(config: &Config) -> PacingPlan {
    let globals = &config.globals.options;
    let intervals = Intervals {
        arp: globals.garp_interval.unwrap_or_default(),
        na: globals.gna_interval.unwrap_or_default(),
    };
    let groups = config.garp_groups.iter().map(|group| PacingGroup {
        interfaces: group.interfaces.clone(),
        intervals: Intervals {
            arp: group.garp_interval.unwrap_or(intervals.arp),
            na: group.gna_interval.unwrap_or(intervals.na),
        },
    });
    PacingPlan { groups: groups.collect(), intervals }
}
