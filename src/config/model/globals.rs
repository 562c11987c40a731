//! `global_defs` and the keywords outside any block, as far as nothing acts on them yet.

use std::net::IpAddr;
use std::time::Duration;

use super::{GarpExtra, Script, User};
use crate::base::IfName;

/// What `global_defs` says that nothing acts on yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GlobalOptions {
    /// Names of processes.
    pub processes: ProcessNames,
    /// Mail.
    pub mail: Mail,
    /// `use_symlink_paths`.
    pub use_symlink_paths: Option<bool>,
    /// `set_supplementary_groups`.
    pub set_supplementary_groups: Option<bool>,
    /// `startup_script`, run before anything else.
    pub startup: StageScript,
    /// `shutdown_script`, run after everything else.
    pub shutdown: StageScript,
    /// `max_auto_priority`, -1 to 99; 99 without a number.
    pub max_auto_priority: Option<i8>,
    /// `min_auto_priority_delay`, 1 µs to 10 s.
    pub min_auto_priority_delay: Option<Duration>,
    /// `dynamic_interfaces allow_if_changes`.
    pub allow_interface_changes: bool,
    /// `default_interface`.
    pub default_interface: Option<IfName>,
    /// `disable_local_igmp`.
    pub disable_local_igmp: bool,
    /// `vrrp_garp_interval`, 1 µs to 4,294.967295 s.
    pub garp_interval: Option<Duration>,
    /// `vrrp_gna_interval`, 1 µs to 4,294.967295 s.
    pub gna_interval: Option<Duration>,
    /// `vrrp_min_garp`.
    pub min_garp: Option<bool>,
    /// `vrrp_garp_extra_if` or `vrrp_vmac_garp_intvl`.
    pub garp_extra: Option<GarpExtra>,
    /// The firewall.
    pub firewall: Firewall,
    /// `vrrp_check_unicast_src`.
    pub check_unicast_src: bool,
    /// `vrrp_skip_check_adv_addr`.
    pub skip_check_adv_addr: Option<bool>,
    /// `vrrp_strict`.
    pub strict: Option<bool>,
    /// `vrrp_owner_ignore_adverts`.
    pub owner_ignore_adverts: Option<bool>,
    /// `vrrp_priority` and its kin.
    pub vrrp_scheduling: Scheduling,
    /// `bfd_priority` and its kin.
    pub bfd_scheduling: Scheduling,
    /// `notify_fifo` and `notify_fifo_script`.
    pub fifo: Fifo,
    /// `vrrp_notify_fifo` and `vrrp_notify_fifo_script`.
    pub vrrp_fifo: Fifo,
    /// `vrrp_notify_priority_changes`.
    pub notify_priority_changes: Option<bool>,
    /// `fifo_write_vrrp_states_on_reload`.
    pub fifo_states_on_reload: bool,
    /// SNMP.
    pub snmp: Snmp,
    /// D-Bus.
    pub dbus: Dbus,
    /// Sizes of buffers.
    pub buffers: Buffers,
    /// `rs_init_notifies`.
    pub rs_init_notifies: Option<bool>,
    /// `vrrp_startup_delay`, 1 ms to 4,294.967295 s.
    pub startup_delay: Option<Duration>,
    /// `vrrp_delay_after_boot`, 1 ms to 4,294.967295 s since boot.
    pub delay_after_boot: Option<Duration>,
    /// `vmac_prefix`.
    pub vmac_prefix: Option<String>,
    /// `vmac_addr_prefix`.
    pub vmac_addr_prefix: Option<String>,
    /// `umask`, 0 to 0o777.
    pub umask: Option<u16>,
    /// `random_seed`.
    pub random_seed: Option<u32>,
    /// Reloading.
    pub reload: Reload,
    /// Files that are written.
    pub files: Files,
}

/// Keywords outside any block.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TopLevel {
    /// `net_namespace`.
    pub net_namespace: Option<String>,
    /// `net_namespace_ipvs`; an empty name is the namespace keepalived was started in.
    pub net_namespace_ipvs: Option<String>,
    /// `namespace_with_ipsets`.
    pub namespace_with_ipsets: bool,
    /// `use_pid_dir`.
    pub use_pid_dir: bool,
    /// `instance`.
    pub instance: Option<String>,
    /// `linkbeat_use_polling`.
    pub linkbeat_polling: bool,
    /// `child_wait_time`, whole seconds.
    pub child_wait: Option<Duration>,
}

/// Names of processes, at most 15 bytes each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProcessNames {
    /// `process_names`: they get names that tell what they do.
    pub default_names: bool,
    /// `process_name`.
    pub parent: Option<String>,
    /// `vrrp_process_name`.
    pub vrrp: Option<String>,
    /// `bfd_process_name`.
    pub bfd: Option<String>,
}

/// Mail.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mail {
    /// `notification_email`, in order.
    pub to: Vec<String>,
    /// `notification_email_from`.
    pub from: Option<String>,
    /// `smtp_server`.
    pub server: Option<MailServer>,
    /// `smtp_helo_name`.
    pub helo: Option<String>,
    /// `smtp_connect_timeout`, 1 s to 4,294 s.
    pub timeout: Option<Duration>,
    /// `smtp_alert`.
    pub alert: Option<bool>,
    /// `smtp_alert_vrrp`.
    pub alert_vrrp: Option<bool>,
    /// `smtp_alert_checker`.
    pub alert_checker: Option<bool>,
    /// `no_email_faults`.
    pub no_faults: bool,
    /// `no_checker_emails`.
    pub no_checkers: Option<bool>,
}

impl Mail {
    /// Whether mail tells of an instance or a sync group, with its own `smtp_alert` or without.
    pub fn tells_of(&self, own: Option<bool>) -> bool {
        own.or(self.alert_vrrp).or(self.alert).unwrap_or(false)
    }
}

/// `smtp_server`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailServer {
    /// Who.
    pub host: MailHost,
    /// 25 unless written.
    pub port: u16,
}

/// A mail server's address, or its name, which has not been looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MailHost {
    /// An address.
    Address(IpAddr),
    /// A name.
    Name(String),
}

/// `startup_script` or `shutdown_script`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StageScript {
    /// The script.
    pub script: Option<Script>,
    /// Its timeout, 1 s to 1,000 s.
    pub timeout: Option<Duration>,
}

/// The firewall that keeps traffic to addresses away that are not to be answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Firewall {
    /// `vrrp_iptables`: names of chains for input and output; without names `INPUT` and `OUTPUT`.
    pub iptables: Option<(String, Option<String>)>,
    /// `vrrp_ipsets`: up to six names; none: no sets are used.
    pub ipsets: Option<Vec<String>>,
    /// `nftables`: the table, `keepalived` without a name.
    pub nftables: Option<String>,
    /// `nftables_priority`.
    pub priority: Option<i32>,
    /// `nftables_ifindex`.
    pub by_index: bool,
    /// `nftables_counters`.
    pub counters: bool,
}

/// How the processes of a part are scheduled.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scheduling {
    /// `…_priority`, a nice value from -20 to 19.
    pub nice: Option<i8>,
    /// `…_no_swap`.
    pub no_swap: bool,
    /// `…_rt_priority`, 1 to 99.
    pub realtime: Option<u8>,
    /// `…_cpu_affinity`.
    pub cpus: Vec<u32>,
    /// `…_rlimit_rttime`, µs; at least 2.
    pub rttime: Option<u32>,
}

/// A named pipe that events are written to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fifo {
    /// `…_fifo`.
    pub path: Option<String>,
    /// Who owns it.
    pub owner: Option<User>,
    /// `…_fifo_script`, which reads it.
    pub script: Option<Script>,
}

/// SNMP.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snmp {
    /// `snmp_socket`.
    pub socket: Option<String>,
    /// `enable_traps`.
    pub traps: bool,
    /// `enable_snmp_vrrp`.
    pub vrrp: bool,
    /// `enable_snmp_keepalived`.
    pub keepalived: bool,
    /// `enable_snmp_rfc` or `enable_snmp_rfcv2` (RFC 2787).
    pub rfc_v2: bool,
    /// `enable_snmp_rfc` or `enable_snmp_rfcv3` (RFC 6527).
    pub rfc_v3: bool,
    /// `enable_snmp_checker`.
    pub checker: bool,
    /// `snmp_vs_stats_update_interval`, 1 ms to 30 s.
    pub vs_interval: Option<Duration>,
    /// `snmp_rs_stats_update_interval`, 1 ms to 30 s.
    pub rs_interval: Option<Duration>,
}

/// D-Bus.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dbus {
    /// `enable_dbus`.
    pub enabled: bool,
    /// `dbus_service_name`.
    pub service: Option<String>,
    /// `dbus_no_interface_name`.
    pub no_interface: Option<String>,
}

/// Sizes of buffers, in bytes; 0: the kernel's own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Buffers {
    /// `vrrp_netlink_cmd_rcv_bufs`.
    pub netlink_command: Option<u32>,
    /// `vrrp_netlink_cmd_rcv_bufs_force`.
    pub netlink_command_force: Option<bool>,
    /// `vrrp_netlink_monitor_rcv_bufs`.
    pub netlink_monitor: Option<u32>,
    /// `vrrp_netlink_monitor_rcv_bufs_force`.
    pub netlink_monitor_force: Option<bool>,
    /// `process_monitor_rcv_bufs`.
    pub process_monitor: Option<u32>,
    /// `process_monitor_rcv_bufs_force`.
    pub process_monitor_force: Option<bool>,
    /// `vrrp_rx_bufs_policy`.
    pub receive: Option<ReceivePolicy>,
    /// `vrrp_rx_bufs_multiplier`, at least 1.
    pub receive_multiplier: Option<u32>,
}

/// `vrrp_rx_bufs_policy`: what the size of a receive buffer is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReceivePolicy {
    /// The interface's MTU.
    Mtu,
    /// The size of an advert.
    Advert,
    /// This many bytes.
    Bytes(u32),
}

/// Reloading.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reload {
    /// `reload_check_config`: the file that diagnostics go to.
    pub check: Option<String>,
    /// `reload_time_file`.
    pub time_file: Option<String>,
    /// `reload_repeat`.
    pub repeat: bool,
    /// `reload_file`; an empty path is the one in the directory of pid files.
    pub file: Option<String>,
}

/// Files that are written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Files {
    /// `config_save_dir`.
    pub config_save: Option<String>,
    /// `tmp_config_directory`.
    pub temporary: Option<String>,
    /// `data_use_instance`.
    pub use_instance: Option<bool>,
    /// `json_version`, 1 or 2.
    pub json_version: Option<u8>,
    /// `iproute_usr_dir`.
    pub iproute_usr: Option<String>,
    /// `iproute_etc_dir`.
    pub iproute_etc: Option<String>,
    /// `state_dump_file`.
    pub state: Option<String>,
    /// `stats_dump_file`.
    pub stats: Option<String>,
    /// `json_dump_file`.
    pub json: Option<String>,
}
