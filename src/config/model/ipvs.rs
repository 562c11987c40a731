//! Settings of `global_defs` for virtual servers and their checkers.

use std::net::IpAddr;
use std::time::Duration;

use super::process::{Fifo, Netlink, Process};
use crate::base::IfName;

/// All of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LvsGlobals {
    /// `lvs_timeouts`.
    pub timeouts: Timeouts,
    /// `lvs_flush`: begins with an empty table.
    pub flush: bool,
    /// `lvs_flush_on_stop`.
    pub flush_on_stop: Option<Flush>,
    /// `lvs_sync_daemon`.
    pub sync_daemon: Option<SyncDaemon>,
    /// `nftables_ipvs`: the table in which the addresses of groups are marked, 1 to 254 bytes.
    pub nftables: Option<String>,
    /// `nftables_ipvs_priority` of its chains.
    pub nftables_priority: Option<i32>,
    /// `nftables_ipvs_start_fwmark`: the first mark to use, at least 1.
    pub nftables_start_mark: Option<u32>,
    /// `checker_log_all_failures`.
    pub log_all_failures: Option<bool>,
    /// `rs_init_notifies`: notify about servers at the start, too.
    pub init_notifies: Option<bool>,
    /// `no_checker_emails`.
    pub no_emails: Option<bool>,
    /// `smtp_alert_checker`.
    pub smtp_alert: Option<bool>,
    /// `enable_snmp_checker`.
    pub snmp: bool,
    /// `snmp_vs_stats_update_interval`, 1 ms to 30 s.
    pub snmp_servers_interval: Option<Duration>,
    /// `snmp_rs_stats_update_interval`, 1 ms to 30 s.
    pub snmp_real_servers_interval: Option<Duration>,
    /// `lvs_netlink_*`.
    pub netlink: Netlink,
    /// `lvs_notify_fifo`.
    pub fifo: Fifo,
    /// `checker_*`, `lvs_process_name`.
    pub process: Process,
}

/// `lvs_timeouts`, whole seconds, 0 to 2,678,400; 0: unchanged.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Timeouts {
    /// `tcp`: of an idle connection.
    pub tcp: Option<Duration>,
    /// `tcpfin`: after FIN.
    pub tcpfin: Option<Duration>,
    /// `udp`: since the last packet.
    pub udp: Option<Duration>,
}

/// `lvs_flush_on_stop`: what is removed at the stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flush {
    /// The whole table.
    All,
    /// `VS`: the configured virtual servers, each as a whole.
    Servers,
}

/// `lvs_sync_daemon`: connections are told to the other router.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyncDaemon {
    /// Where they are told.
    pub interface: IfName,
    /// The `vrrp_instance` whose state decides who tells; `None`: both tell and listen.
    pub instance: Option<String>,
    /// `id`, 0 to 255; `None`: the instance's virtual router id.
    pub id: Option<u8>,
    /// `maxlen` of a packet, 1 to 65,507 bytes.
    pub max_len: Option<u16>,
    /// `port`, 1 to 65,535.
    pub port: Option<u16>,
    /// `ttl`, 1 to 255.
    pub ttl: Option<u8>,
    /// `group`: a multicast address.
    pub group: Option<IpAddr>,
}
