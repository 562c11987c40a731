//! Groups of instances and of interfaces, and what is said about interfaces outside instances.

use std::time::Duration;

use super::{Script, TrackScript, Tracks};
use crate::base::IfName;

/// `vrrp_sync_group`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SyncGroup {
    /// Its name.
    pub name: String,
    /// `group`: names of instances; those that exist and are in no other group.
    pub members: Vec<String>,
    /// `track_script`, in order.
    pub track_scripts: Vec<TrackScript>,
    /// `track_interface`, `track_file`, `track_process`, `track_bfd`.
    pub tracks: Tracks,
    /// `notify_master`.
    pub notify_master: Option<Script>,
    /// `notify_backup`.
    pub notify_backup: Option<Script>,
    /// `notify_fault`.
    pub notify_fault: Option<Script>,
    /// `notify_stop`.
    pub notify_stop: Option<Script>,
    /// `notify`.
    pub notify: Option<Script>,
    /// `smtp_alert`.
    pub smtp_alert: Option<bool>,
    /// `notify_priority_changes`.
    pub notify_priority_changes: Option<bool>,
    /// `global_tracking`, which is deprecated.
    pub global_tracking: bool,
    /// `sync_group_tracking_weight`: members may have weighted trackers of their own.
    pub tracking_weight: bool,
}

/// `track_group`: static addresses, routes and rules that name it change the state of its instances.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrackGroup {
    /// Its name.
    pub name: String,
    /// `group`: names of instances, which need not exist.
    pub members: Vec<String>,
}

/// `garp_group`: pauses between the announcements on a set of interfaces.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GarpGroup {
    /// `garp_interval`, 0 to 4,294.967295 s.
    pub garp_interval: Option<Duration>,
    /// `gna_interval`, 0 to 4,294.967295 s.
    pub gna_interval: Option<Duration>,
    /// `interface` and `interfaces`, none of which is in another group.
    pub interfaces: Vec<IfName>,
}

/// A line of `linkbeat_interfaces`: an interface whose carrier is polled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Linkbeat {
    /// The interface.
    pub interface: IfName,
    /// How it is asked; `None`: whichever way works.
    pub method: Option<LinkbeatMethod>,
}

/// How an interface is asked for its carrier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkbeatMethod {
    /// `MII`: the registers of the transceiver.
    Mii,
    /// `ETHTOOL`.
    Ethtool,
    /// `IOCTL`: the interface's flags.
    Ioctl,
}

/// A line of `interface_up_down_delays`: how long a change must last before it counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkDelay {
    /// The interface.
    pub interface: IfName,
    /// 0 to 255 s.
    pub down: Duration,
    /// 0 to 255 s; 0 unless written.
    pub up: Duration,
}
