//! Parts of a `vrrp_instance` that are not in effect yet.

use std::net::IpAddr;
use std::time::Duration;

use super::{Route, Rule};
use crate::base::{Cidr, IfName, MacAddr};

/// What an instance says that nothing acts on yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InstanceOptions {
    /// `vrf`.
    pub vrf: Option<IfName>,
    /// `use_vmac`.
    pub vmac: Option<Vmac>,
    /// `use_vmac_addr`: addresses on other interfaces get a VMAC, too.
    pub vmac_addresses: bool,
    /// `vmac_xmit_base`: adverts leave through the underlying interface.
    pub vmac_xmit_base: bool,
    /// `use_ipvlan`.
    pub ipvlan: Option<Ipvlan>,
    /// `accept` is true, `no_accept` false.
    pub accept: Option<bool>,
    /// `skip_check_adv_addr`.
    pub skip_check_adv_addr: Option<bool>,
    /// `strict_mode`.
    pub strict: Option<bool>,
    /// `debug`, 0 to 4.
    pub debug: Option<u8>,
    /// `notify_deleted`: without a script, the one for faults is run.
    pub notify_deleted: Option<Option<super::Script>>,
    /// `smtp_alert`.
    pub smtp_alert: Option<bool>,
    /// `notify_priority_changes`.
    pub notify_priority_changes: Option<bool>,
    /// `lvs_sync_daemon_interface`, which is deprecated.
    pub lvs_sync_daemon: Option<IfName>,
    /// `linkbeat_use_polling`, which is deprecated.
    pub linkbeat_polling: bool,
    /// `garp_extra_if` or `vmac_garp_intvl`.
    pub garp_extra: Option<GarpExtra>,
    /// `owner_ignore_adverts`.
    pub owner_ignore_adverts: Option<bool>,
    /// `timer_expired_backup` or `thread_timer_expired`, 1 to 254; 254 without a number.
    pub timer_expired_backup: Option<u8>,
    /// `kernel_rx_buf_size`, bytes.
    pub receive_buffer: Option<u32>,
    /// `authentication` with `auth_type AH`: the password, zero-padded.
    pub auth_ah: Option<[u8; 8]>,
    /// `auth_hmac`.
    pub hmac: Option<Hmac>,
    /// `no_virtual_ipaddress`.
    pub no_addresses: bool,
    /// `promote_secondaries`.
    pub promote_secondaries: bool,
    /// `virtual_routes`, in order.
    pub routes: Vec<Route>,
    /// `virtual_rules`, in order.
    pub rules: Vec<Rule>,
}

/// `use_vmac`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Vmac {
    /// Its name, unless it is to be made of the prefix and the virtual router id.
    pub name: Option<IfName>,
    /// Its address, unless it is RFC 9568's.
    pub mac: Option<VmacAddress>,
    /// `netlink_notify_msg`.
    pub notify_netlink: bool,
    /// `group`: the interface group.
    pub group: Option<u32>,
}

/// The hardware address of a VMAC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VmacAddress {
    /// All of it.
    Whole(MacAddr),
    /// Its first five bytes; the last one is the virtual router id.
    Prefix([u8; 5]),
}

/// `use_ipvlan`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ipvlan {
    /// Its name.
    pub name: Option<IfName>,
    /// Its address.
    pub address: Option<Cidr>,
    /// `bridge`, `private` or `vepa`.
    pub mode: Option<IpvlanMode>,
    /// `group`: the interface group.
    pub group: Option<u32>,
}

/// Who an ipvlan speaks to on its own link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IpvlanMode {
    /// Everybody.
    Bridge,
    /// Nobody.
    Private,
    /// Others by way of the switch.
    Vepa,
}

/// A line of `unicast_peer`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnicastPeer {
    /// Its address.
    pub address: IpAddr,
    /// `min_ttl`, 0 unless written.
    pub min_ttl: u8,
    /// `max_ttl`, 255 unless written.
    pub max_ttl: u8,
}

/// `old_unicast_checksum`: the checksum that very old routers use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OldChecksum {
    /// Always.
    Always,
    /// `never`.
    Never,
}

/// `garp_extra_if`: announcements on other interfaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GarpExtra {
    /// How often, 1 s to 86,400 s; zero: not.
    pub interval: Duration,
    /// `all`: on all interfaces that have a VMAC's address.
    pub all: bool,
}

/// `auth_hmac`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hmac {
    /// `key`: numbers from 1 to 255 and 32 to 64 bytes each.
    pub keys: Vec<(u8, HmacKey)>,
    /// `active_key`: one of these numbers.
    pub active: Option<u8>,
    /// `time_window`, 1 s to 300 s.
    pub window: Option<Duration>,
    /// `anti_replay`; true: `monotonic`.
    pub monotonic: bool,
    /// `mode`.
    pub mode: HmacMode,
}

/// A key of `auth_hmac`. Its debug form does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct HmacKey(pub Vec<u8>);

impl std::fmt::Debug for HmacKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "HmacKey({} bytes)", self.0.len())
    }
}

/// What becomes of adverts without a valid code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HmacMode {
    /// `enforce`: they are dropped.
    #[default]
    Enforce,
    /// `permissive`: they count.
    Permissive,
    /// `receive-only`: they count, and none is sent.
    ReceiveOnly,
}
