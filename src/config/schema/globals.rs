//! `global_defs`.

use super::{Arg, NO_WORDS, Table, boolean, decimal, flag, int, list, loose, table, value};
use crate::config::apply;

/// `global_defs/dynamic_interfaces`.
pub(crate) static DYNAMIC_INTERFACES: Table = table("dynamic_interfaces", &[flag("allow_if_changes")]);

/// `global_defs/lvs_timeouts`.
pub(crate) static GLOBAL_DEFS_LVS_TIMEOUTS: Table = table(
    "lvs_timeouts",
    &[value("tcp", int(0, 2_678_400)), value("tcpfin", int(0, 2_678_400)), value("udp", int(0, 2_678_400))],
);

/// `global_defs/lvs_sync_daemon`.
pub(crate) static GLOBAL_DEFS_LVS_SYNC_DAEMON: Table = table(
    "lvs_sync_daemon",
    &[
        value("inst", Arg::Text),
        value("id", int(0, 255)),
        value("maxlen", int(1, 65_507)),
        value("port", int(1, 65_535)),
        value("ttl", int(1, 255)),
        value("group", Arg::Address),
    ],
);

/// `global_defs/include_check`.
pub(crate) static GLOBAL_DEFS_INCLUDE_CHECK: Table =
    table("include_check", &[flag("read"), flag("match"), flag("wildcard_match"), flag("brace_match")]);

/// `global_defs`.
pub(crate) static GLOBAL_DEFS: Table = table(
    "global_defs",
    &[
        flag("process_names"),
        value("process_name", Arg::Text).fatal(),
        value("vrrp_process_name", Arg::Text).fatal(),
        value("checker_process_name", Arg::Text).fatal().later(apply::lvs::globals::process),
        value("lvs_process_name", Arg::Text).fatal().later(apply::lvs::globals::process),
        value("bfd_process_name", Arg::Text).fatal(),
        boolean("use_symlink_paths"),
        boolean("set_supplementary_groups"),
        value("router_id", Arg::Text).required().does(apply::globals::router_id),
        value("notification_email_from", Arg::Text).required(),
        value("smtp_server", Arg::Text).fatal(),
        value("smtp_helo_name", Arg::Text),
        value("smtp_connect_timeout", loose(0, 4_294)).fatal(),
        list("notification_email", &NO_WORDS),
        boolean("smtp_alert"),
        boolean("smtp_alert_vrrp"),
        boolean("smtp_alert_checker").later(apply::lvs::globals::boolean),
        value("startup_script", Arg::Command).required(),
        value("startup_script_timeout", loose(1, 1_000)).required(),
        value("shutdown_script", Arg::Command).required(),
        value("shutdown_script_timeout", loose(1, 1_000)).required(),
        value("max_auto_priority", loose(-1, 99)),
        value("min_auto_priority_delay", loose(1, 10_000_000)).required(),
        boolean("checker_log_all_failures").later(apply::lvs::globals::boolean),
        value("dynamic_interfaces", Arg::Text)
            .words(&DYNAMIC_INTERFACES)
            .does(apply::globals::dynamic_interfaces),
        flag("no_email_faults"),
        value("default_interface", Arg::Interface).required(),
        flag("disable_local_igmp"),
        flag("v3_checksum_as_v2").vital(),
        value("lvs_timeouts", Arg::Text)
            .words(&GLOBAL_DEFS_LVS_TIMEOUTS)
            .required()
            .later(apply::lvs::globals::timeouts),
        flag("lvs_flush").later(apply::lvs::globals::flag),
        value("lvs_flush_on_stop", Arg::Text).later(apply::lvs::globals::flush_on_stop),
        value("lvs_flush_onstop", Arg::Text).later(apply::lvs::globals::flush_on_stop),
        value("lvs_sync_daemon", Arg::Interface)
            .words(&GLOBAL_DEFS_LVS_SYNC_DAEMON)
            .required()
            .later(apply::lvs::globals::sync_daemon),
        value("vrrp_mcast_group4", Arg::Text).fatal().does(apply::globals::vrrp_mcast_group4),
        value("vrrp_mcast_group6", Arg::Text).fatal(),
        value("vrrp_garp_master_delay", loose(0, 4_294)).fatal().does(apply::globals::vrrp_garp),
        value("vrrp_garp_master_repeat", loose(0, 4_294_967_295)).fatal().does(apply::globals::vrrp_garp),
        value("vrrp_garp_master_refresh", loose(0, 4_294_967_295)).fatal().does(apply::globals::vrrp_garp),
        value("vrrp_garp_master_refresh_repeat", loose(0, 4_294_967_295))
            .fatal()
            .does(apply::globals::vrrp_garp),
        value("vrrp_garp_lower_prio_delay", loose(0, 4_294)).fatal().does(apply::globals::vrrp_garp),
        value("vrrp_garp_lower_prio_repeat", loose(0, 2_147_483_647)).fatal().does(apply::globals::vrrp_garp),
        value("vrrp_down_timer_adverts", loose(1, 100)).fatal().does(apply::globals::vrrp_down_timer_adverts),
        value("vrrp_garp_interval", decimal(1, 4_294_967_295, 1)).fatal(),
        value("vrrp_gna_interval", decimal(1, 4_294_967_295, 1)).fatal(),
        boolean("vrrp_min_garp"),
        value("vrrp_garp_extra_if", Arg::Text).required(),
        value("vrrp_vmac_garp_intvl", Arg::Text).required().deprecated("please use vrrp_garp_extra_if"),
        boolean("vrrp_lower_prio_no_advert").does(apply::globals::vrrp_lower_prio_no_advert),
        boolean("vrrp_higher_prio_send_advert").does(apply::globals::vrrp_higher_prio_send_advert),
        value("vrrp_version", loose(2, 3)).fatal().does(apply::globals::vrrp_version),
        value("vrrp_iptables", Arg::Text),
        value("vrrp_ipsets", Arg::Text),
        value("nftables", Arg::Text),
        value("nftables_priority", int(-2_147_483_648, 2_147_483_647)).fatal(),
        flag("nftables_ifindex"),
        flag("nftables_counters"),
        value("nftables_ipvs", Arg::Text).later(apply::lvs::globals::nftables),
        value("nftables_ipvs_priority", int(-2_147_483_648, 2_147_483_647))
            .fatal()
            .later(apply::lvs::globals::nftables_priority),
        value("nftables_ipvs_start_fwmark", int(1, 4_294_967_295))
            .fatal()
            .later(apply::lvs::globals::nftables_start_mark),
        flag("vrrp_check_unicast_src"),
        boolean("vrrp_skip_check_adv_addr"),
        boolean("vrrp_strict"),
        value("vrrp_priority", loose(-20, 19)).required(),
        flag("vrrp_no_swap"),
        value("vrrp_rt_priority", loose(1, 99)).required(),
        value("vrrp_cpu_affinity", Arg::Text).required(),
        value("vrrp_rlimit_rttime", loose(1, 4_294_967_295)).fatal(),
        value("vrrp_rlimit_rtime", int(1, 4_294_967_295)).fatal(),
        value("checker_priority", loose(-20, 19)).required().later(apply::lvs::globals::process),
        flag("checker_no_swap").later(apply::lvs::globals::process),
        value("checker_rt_priority", loose(1, 99)).required().later(apply::lvs::globals::process),
        value("checker_cpu_affinity", Arg::Text).required().later(apply::lvs::globals::process),
        value("checker_rlimit_rttime", loose(1, 4_294_967_295)).fatal().later(apply::lvs::globals::process),
        value("checker_rlimit_rtime", int(1, 4_294_967_295)).fatal().later(apply::lvs::globals::process),
        value("bfd_priority", loose(-20, 19)).required(),
        flag("bfd_no_swap"),
        value("bfd_rt_priority", loose(1, 99)).required(),
        value("bfd_cpu_affinity", Arg::Text).required(),
        value("bfd_rlimit_rttime", loose(1, 4_294_967_295)).fatal(),
        value("bfd_rlimit_rtime", int(1, 4_294_967_295)).fatal(),
        value("notify_fifo", Arg::Text).required(),
        value("notify_fifo_script", Arg::Command).required(),
        value("vrrp_notify_fifo", Arg::Text).required(),
        value("vrrp_notify_fifo_script", Arg::Command).required(),
        value("lvs_notify_fifo", Arg::Text).required().later(apply::lvs::globals::fifo),
        value("lvs_notify_fifo_script", Arg::Command).required().later(apply::lvs::globals::fifo),
        boolean("vrrp_notify_priority_changes"),
        flag("fifo_write_vrrp_states_on_reload"),
        value("snmp_socket", Arg::Text).required(),
        flag("enable_traps"),
        flag("enable_snmp_vrrp"),
        flag("enable_snmp_keepalived"),
        flag("enable_snmp_rfc"),
        flag("enable_snmp_rfcv2"),
        flag("enable_snmp_rfcv3"),
        flag("enable_snmp_checker").later(apply::lvs::globals::flag),
        value("snmp_vs_stats_update_interval", decimal(1_000, 30_000_000, 1_000))
            .fatal()
            .later(apply::lvs::globals::snmp_interval),
        value("snmp_rs_stats_update_interval", decimal(1_000, 30_000_000, 1_000))
            .fatal()
            .later(apply::lvs::globals::snmp_interval),
        flag("enable_dbus"),
        value("dbus_service_name", Arg::Text).required(),
        value("dbus_no_interface_name", Arg::Text).required(),
        value("script_user", Arg::Text).required().does(apply::globals::script_user),
        flag("enable_script_security").does(apply::globals::enable_script_security),
        value("vrrp_netlink_cmd_rcv_bufs", int(0, 4_294_967_295)).required(),
        boolean("vrrp_netlink_cmd_rcv_bufs_force"),
        value("vrrp_netlink_monitor_rcv_bufs", int(0, 4_294_967_295)).required(),
        boolean("vrrp_netlink_monitor_rcv_bufs_force"),
        value("process_monitor_rcv_bufs", int(0, 4_294_967_295)).required(),
        boolean("process_monitor_rcv_bufs_force"),
        value("lvs_netlink_cmd_rcv_bufs", int(0, 4_294_967_295))
            .required()
            .later(apply::lvs::globals::buffers),
        boolean("lvs_netlink_cmd_rcv_bufs_force").later(apply::lvs::globals::boolean),
        value("lvs_netlink_monitor_rcv_bufs", int(0, 4_294_967_295))
            .required()
            .later(apply::lvs::globals::buffers),
        boolean("lvs_netlink_monitor_rcv_bufs_force").later(apply::lvs::globals::boolean),
        boolean("rs_init_notifies").later(apply::lvs::globals::boolean),
        boolean("no_checker_emails").later(apply::lvs::globals::boolean),
        value("vrrp_rx_bufs_policy", Arg::Text).required(),
        value("vrrp_rx_bufs_multiplier", int(1, 4_294_967_295)).required(),
        value("vrrp_startup_delay", decimal(1_000, 4_294_967_295, 1_000)).fatal(),
        value("vrrp_delay_after_boot", decimal(1_000, 4_294_967_295, 1_000)).fatal(),
        flag("log_unknown_vrids").does(apply::globals::log_unknown_vrids),
        boolean("vrrp_owner_ignore_adverts"),
        value("vmac_prefix", Arg::Text).fatal(),
        value("vmac_addr_prefix", Arg::Text).fatal(),
        value("umask", Arg::Text).fatal(),
        value("random_seed", int(0, 4_294_967_295)).fatal(),
        value("reload_check_config", Arg::Text),
        value("reload_time_file", Arg::Text).required(),
        flag("reload_repeat"),
        value("reload_file", Arg::Text),
        value("include_check", Arg::Text)
            .words(&GLOBAL_DEFS_INCLUDE_CHECK)
            .does(apply::globals::include_check),
        value("config_save_dir", Arg::Text).fatal(),
        value("tmp_config_directory", Arg::Text).required(),
        boolean("data_use_instance"),
        value("json_version", loose(1, 2)).required(),
        value("iproute_usr_dir", Arg::Text).required(),
        value("iproute_etc_dir", Arg::Text).required(),
        value("state_dump_file", Arg::Text).required(),
        value("stats_dump_file", Arg::Text).required(),
        value("json_dump_file", Arg::Text).required(),
    ],
);
