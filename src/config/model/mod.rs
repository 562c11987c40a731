//! What was written: the configuration after the language has been understood, before defaults are applied.
//!
//! `None` means "not written". Defaults and resolution belong to `plan`.

mod bfd;
pub mod checkers;
mod globals;
mod group;
mod instance;
pub mod ipvs;
pub mod lvs;
pub mod process;
mod rare;
mod routes;
mod track;

pub use bfd::*;
pub use globals::*;
pub use group::*;
pub use instance::*;
pub use rare::*;
pub use routes::*;
pub use track::*;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::time::Duration;

use crate::base::{Cidr, Family, IfName, Priority, Vrid};

/// A whole configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Config {
    /// `global_defs`, all blocks merged.
    pub globals: Globals,
    /// `vrrp_script` blocks that are usable, in order.
    pub scripts: Vec<VrrpScript>,
    /// `vrrp_instance` blocks that are usable, in order.
    pub instances: Vec<VrrpInstance>,
    /// Virtual servers.
    pub lvs: lvs::Lvs,
    /// `vrrp_instance` blocks that are sound but ask what their interfaces cannot do, in order.
    pub left_out: Vec<VrrpInstance>,
    /// Keywords outside any block.
    pub top: TopLevel,
    /// `vrrp_sync_group` blocks that are usable, in order.
    pub sync_groups: Vec<SyncGroup>,
    /// `track_group` blocks that are usable, in order.
    pub track_groups: Vec<TrackGroup>,
    /// `garp_group` blocks that are usable, in order.
    pub garp_groups: Vec<GarpGroup>,
    /// `linkbeat_interfaces`.
    pub linkbeats: Vec<Linkbeat>,
    /// `interface_up_down_delays`.
    pub link_delays: Vec<LinkDelay>,
    /// `static_ipaddress`.
    pub static_addresses: Vec<StaticAddress>,
    /// `static_routes`.
    pub static_routes: Vec<Route>,
    /// `static_rules`.
    pub static_rules: Vec<Rule>,
    /// `track_file` blocks that are usable, in order.
    pub track_files: Vec<TrackFile>,
    /// `vrrp_track_process` blocks that are usable, in order.
    pub track_processes: Vec<TrackProcess>,
    /// `bfd_instance` blocks that are usable, in order.
    pub bfd: Vec<BfdInstance>,
}

/// `global_defs`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Globals {
    /// `router_id`.
    pub router_id: Option<String>,
    /// `vrrp_version`.
    pub vrrp_version: Option<Version>,
    /// `vrrp_mcast_group4`.
    pub mcast_group4: Option<Ipv4Addr>,
    /// `vrrp_mcast_group6`.
    pub mcast_group6: Option<Ipv6Addr>,
    /// `v3_checksum_as_v2`.
    pub v3_checksum_as_v2: bool,
    /// `vrrp_garp_master_delay` and its kin: the defaults of the instances.
    pub garp: Garp,
    /// `vrrp_down_timer_adverts`, 1 to 100.
    pub down_timer_adverts: Option<u8>,
    /// `vrrp_lower_prio_no_advert`.
    pub lower_prio_no_advert: Option<bool>,
    /// `vrrp_higher_prio_send_advert`.
    pub higher_prio_send_advert: Option<bool>,
    /// `script_user`.
    pub script_user: Option<User>,
    /// `enable_script_security`.
    pub script_security: bool,
    /// `dynamic_interfaces`.
    pub dynamic_interfaces: bool,
    /// `log_unknown_vrids`.
    pub log_unknown_vrids: bool,
    /// What concerns virtual servers and their checkers.
    pub lvs: ipvs::LvsGlobals,
    /// What is not in effect yet.
    pub options: GlobalOptions,
}

/// VRRP protocol version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// RFC 3768.
    V2,
    /// RFC 9568.
    V3,
}

/// The gratuitous ARP settings, of an instance or as defaults.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Garp {
    /// `garp_master_delay`, whole seconds, 0 to 4,294; 0: no second burst.
    pub master_delay: Option<Duration>,
    /// `garp_master_repeat`, 1 to 4,294,967,295.
    pub master_repeat: Option<u32>,
    /// `garp_master_refresh`, whole seconds; 0: none.
    pub master_refresh: Option<Duration>,
    /// `garp_master_refresh_repeat`, 1 to 4,294,967,295.
    pub master_refresh_repeat: Option<u32>,
    /// `garp_lower_prio_delay`, whole seconds, 0 to 4,294.
    pub lower_prio_delay: Option<Duration>,
    /// `garp_lower_prio_repeat`.
    pub lower_prio_repeat: Option<u32>,
}

/// A user and group, resolved to numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// User id.
    pub uid: u32,
    /// Group id.
    pub gid: u32,
    /// Supplementary groups.
    pub groups: Vec<u32>,
}

/// A command, found and judged usable (but for [`Script::Sought`]).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Script {
    /// Execute a program.
    Run(Arc<Run>),
    /// A track script whose program cannot be executed yet: it is looked for whenever it is to run, and fails until then.
    Sought(Arc<Sought>),
    /// `</PATH`: succeeds if this path can be opened for reading.
    Open(Arc<str>),
}

impl Script {
    /// Who runs it; `None`: no program does.
    pub fn user(&self) -> Option<&User> {
        match self {
            Self::Run(run) => Some(&run.user),
            Self::Sought(sought) => Some(&sought.user),
            Self::Open(_) => None,
        }
    }
}

/// A program that is looked for each time it is to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sought {
    /// What to look for, absolute if it has a path at all.
    pub name: String,
    /// Arguments as configured, `argv[0]` included.
    pub argv: Vec<String>,
    /// Who it runs as.
    pub user: User,
    /// It is not run if others than root can change it (`enable_script_security`).
    pub safe_only: bool,
    /// Symbolic links stay in its path (`use_symlink_paths`).
    pub keeps_links: bool,
}

/// A program to execute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// The file to execute.
    pub program: String,
    /// Arguments as configured, `argv[0]` included.
    pub argv: Vec<String>,
    /// Who it runs as.
    pub user: User,
}

/// `vrrp_script`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VrrpScript {
    /// Its name.
    pub name: String,
    /// `script`.
    pub script: Script,
    /// `interval`, 1 ms to 4,294 s.
    pub interval: Option<Duration>,
    /// `timeout`, 1 ms to 4,294 s.
    pub timeout: Option<Duration>,
    /// `weight`, -253 to 253.
    pub weight: Option<i16>,
    /// `weight N reverse`.
    pub reverse: bool,
    /// `rise`, at least 1.
    pub rise: Option<u32>,
    /// `fall`, at least 1.
    pub fall: Option<u32>,
    /// `init_fail`.
    pub init_fail: bool,
}

/// `vrrp_instance`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VrrpInstance {
    /// Its name.
    pub name: String,
    /// `state`.
    pub state: Option<InitialState>,
    /// `interface`.
    pub interface: Option<IfName>,
    /// `virtual_router_id`.
    pub vrid: Option<Vrid>,
    /// `version`.
    pub version: Option<Version>,
    /// `priority`.
    pub priority: Option<Priority>,
    /// `advert_int`, as written: 10 ms to 255 s, not yet adjusted to the version.
    pub advert_int: Option<Duration>,
    /// `nopreempt`.
    pub nopreempt: bool,
    /// `preempt_delay`, 0 to 1,000 s.
    pub preempt_delay: Option<Duration>,
    /// `authentication`.
    pub authentication: Option<Authentication>,
    /// The address family, once something has told: `native_ipv6`, or the first address of any kind but an excluded one.
    pub family: Option<Family>,
    /// `mcast_src_ip` or `unicast_src_ip`, which set the same; the later one counts.
    pub source: Option<IpAddr>,
    /// `track_src_ip`.
    pub track_src_ip: bool,
    /// `mcast_dst_ip`.
    pub mcast_dst_ip: Option<IpAddr>,
    /// `unicast_peer`, in order.
    pub peers: Vec<UnicastPeer>,
    /// `unicast_fault_no_peer`, where it applies: something else of unicast is written, and no peer.
    pub fault_without_peers: bool,
    /// `check_unicast_src`.
    pub check_unicast_src: bool,
    /// `unicast_ttl`.
    pub unicast_ttl: Option<u8>,
    /// `old_unicast_checksum`.
    pub old_unicast_checksum: Option<OldChecksum>,
    /// `v3_checksum_as_v2`.
    pub v3_checksum_as_v2: Option<bool>,
    /// `virtual_ipaddress`, in order, all of one family.
    pub addresses: Vec<VirtualAddress>,
    /// `virtual_ipaddress_excluded`, in order, of both families.
    pub excluded: Vec<VirtualAddress>,
    /// `track_script`, in order.
    pub track_scripts: Vec<TrackScript>,
    /// `track_interface`, `track_file`, `track_process`, `track_bfd`.
    pub tracks: Rare<Tracks>,
    /// `dont_track_primary`.
    pub dont_track_primary: bool,
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
    /// `notify_master_rx_lower_pri`.
    pub notify_master_rx_lower_pri: Option<Script>,
    /// `garp_*`.
    pub garp: Rare<Garp>,
    /// `down_timer_adverts`, 1 to 100.
    pub down_timer_adverts: Option<u8>,
    /// `lower_prio_no_advert`.
    pub lower_prio_no_advert: Option<bool>,
    /// `higher_prio_send_advert`.
    pub higher_prio_send_advert: Option<bool>,
    /// What is not in effect yet.
    pub options: Rare<InstanceOptions>,
}

/// `state`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InitialState {
    /// `MASTER`.
    Master,
    /// `BACKUP`.
    Backup,
}

/// `authentication`, VRRPv2 only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Authentication {
    /// `auth_type PASS`: the password, zero-padded to 8 bytes.
    Pass([u8; 8]),
}

/// A line of `virtual_ipaddress` or `virtual_ipaddress_excluded`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VirtualAddress {
    /// The address; the prefix is `/32` or `/128` unless written.
    pub cidr: Cidr,
    /// `dev`; `None`: the instance's interface.
    pub dev: Option<IfName>,
    /// `label`.
    pub label: Option<String>,
    /// `scope`, as a number.
    pub scope: Option<u8>,
    /// `brd ADDRESS`, or `brd +` and `brd -` already computed.
    pub broadcast: Option<Ipv4Addr>,
    /// `peer`.
    pub peer: Option<Cidr>,
    /// Words that stand alone, and `preferred_lft`.
    pub flags: AddressFlags,
    /// What is not in effect yet.
    pub pending: PendingAddress,
}

/// How an address is to be treated by the kernel.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AddressFlags {
    /// `home`.
    pub home: bool,
    /// `-nodad`: duplicate address detection takes place.
    pub dad: bool,
    /// `mngtmpaddr`.
    pub manage_temporary: bool,
    /// `noprefixroute`.
    pub no_prefix_route: bool,
    /// `autojoin`.
    pub autojoin: bool,
    /// `preferred_lft`, whole seconds (IPv6).
    pub preferred: Option<PreferredLifetime>,
    /// `no_track`: its disappearance is no fault, and it is not put back.
    pub no_track: bool,
}

/// What an address line says that nothing acts on yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PendingAddress {
    /// `use_vmac`: the address is on a VMAC.
    pub use_vmac: bool,
}

/// `preferred_lft`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PreferredLifetime {
    /// `forever`.
    Forever,
    /// Whole seconds.
    For(Duration),
}

/// A line of `track_script`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrackScript {
    /// Name of a script in [`Config::scripts`].
    pub script: String,
    /// `weight`, -253 to 253, if it differs from the script's own.
    pub weight: Option<i16>,
    /// `reverse` or `noreverse`, if written.
    pub reverse: Option<bool>,
}
