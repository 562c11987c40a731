//! `global_defs`.

use super::{Arg, NO_WORDS, Table, boolean, decimal, flag, int, list, loose, table, value};
use crate::config::apply::{self, settings};

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
        flag("process_names").does(|b, _| settings::flag(b, |g| &mut g.processes.default_names)),
        value("process_name", Arg::Text)
            .fatal()
            .does(|b, s| settings::process_name(b, s, |g| &mut g.processes.parent)),
        value("vrrp_process_name", Arg::Text)
            .fatal()
            .does(|b, s| settings::process_name(b, s, |g| &mut g.processes.vrrp)),
        value("checker_process_name", Arg::Text).fatal().stores(apply::lvs::globals::process),
        value("lvs_process_name", Arg::Text).fatal().stores(apply::lvs::globals::process),
        value("bfd_process_name", Arg::Text)
            .fatal()
            .stores(|b, s| settings::process_name(b, s, |g| &mut g.processes.bfd)),
        boolean("use_symlink_paths").does(|b, s| settings::boolean(b, s, |g| &mut g.use_symlink_paths)),
        boolean("set_supplementary_groups")
            .does(|b, s| settings::boolean(b, s, |g| &mut g.set_supplementary_groups)),
        value("router_id", Arg::Text).required().does(apply::globals::router_id),
        value("notification_email_from", Arg::Text).required().does(settings::notification_email_from),
        value("smtp_server", Arg::Text).fatal().does(settings::smtp_server),
        value("smtp_helo_name", Arg::Text).does(|b, s| settings::text(b, s, |g| &mut g.mail.helo)),
        value("smtp_connect_timeout", loose(0, 4_294)).fatal().does(settings::smtp_connect_timeout),
        list("notification_email", &NO_WORDS).does(settings::notification_email),
        boolean("smtp_alert").does(|b, s| settings::boolean(b, s, |g| &mut g.mail.alert)),
        boolean("smtp_alert_vrrp").does(|b, s| settings::boolean(b, s, |g| &mut g.mail.alert_vrrp)),
        boolean("smtp_alert_checker").stores(apply::lvs::globals::boolean),
        value("startup_script", Arg::Command)
            .required()
            .does(|b, s| settings::stage_script(b, s, |g| &mut g.startup)),
        value("startup_script_timeout", loose(1, 1_000))
            .required()
            .does(|b, s| settings::whole_seconds(b, s, |g| &mut g.startup.timeout)),
        value("shutdown_script", Arg::Command)
            .required()
            .does(|b, s| settings::stage_script(b, s, |g| &mut g.shutdown)),
        value("shutdown_script_timeout", loose(1, 1_000))
            .required()
            .does(|b, s| settings::whole_seconds(b, s, |g| &mut g.shutdown.timeout)),
        value("max_auto_priority", loose(-1, 99)).does(settings::max_auto_priority),
        value("min_auto_priority_delay", loose(1, 10_000_000))
            .required()
            .does(settings::min_auto_priority_delay),
        boolean("checker_log_all_failures").stores(apply::lvs::globals::boolean),
        value("dynamic_interfaces", Arg::Text)
            .words(&DYNAMIC_INTERFACES)
            .does(apply::globals::dynamic_interfaces),
        flag("no_email_faults").does(|b, _| settings::flag(b, |g| &mut g.mail.no_faults)),
        value("default_interface", Arg::Interface).required().does(settings::default_interface),
        flag("disable_local_igmp").stores(|b, _| settings::flag(b, |g| &mut g.disable_local_igmp)),
        flag("v3_checksum_as_v2").does(|b, _| b.config.globals.v3_checksum_as_v2 = true),
        value("lvs_timeouts", Arg::Text)
            .words(&GLOBAL_DEFS_LVS_TIMEOUTS)
            .required()
            .stores(apply::lvs::globals::timeouts),
        flag("lvs_flush").stores(apply::lvs::globals::flag),
        value("lvs_flush_on_stop", Arg::Text).stores(apply::lvs::globals::flush_on_stop),
        value("lvs_flush_onstop", Arg::Text).stores(apply::lvs::globals::flush_on_stop),
        value("lvs_sync_daemon", Arg::Interface)
            .words(&GLOBAL_DEFS_LVS_SYNC_DAEMON)
            .required()
            .stores(apply::lvs::globals::sync_daemon),
        value("vrrp_mcast_group4", Arg::Text).fatal().does(apply::globals::vrrp_mcast_group4),
        value("vrrp_mcast_group6", Arg::Text).fatal().does(settings::mcast_group6),
        value("vrrp_garp_master_delay", loose(0, 4_294)).fatal().does(apply::globals::vrrp_garp),
        value("vrrp_garp_master_repeat", loose(0, 4_294_967_295)).fatal().does(apply::globals::vrrp_garp),
        value("vrrp_garp_master_refresh", loose(0, 4_294_967_295)).fatal().does(apply::globals::vrrp_garp),
        value("vrrp_garp_master_refresh_repeat", loose(0, 4_294_967_295))
            .fatal()
            .does(apply::globals::vrrp_garp),
        value("vrrp_garp_lower_prio_delay", loose(0, 4_294)).fatal().does(apply::globals::vrrp_garp),
        value("vrrp_garp_lower_prio_repeat", loose(0, 2_147_483_647)).fatal().does(apply::globals::vrrp_garp),
        value("vrrp_down_timer_adverts", loose(1, 100)).fatal().does(apply::globals::vrrp_down_timer_adverts),
        value("vrrp_garp_interval", decimal(1, 4_294_967_295, 1))
            .fatal()
            .does(|b, s| settings::seconds(b, s, |g| &mut g.garp_interval)),
        value("vrrp_gna_interval", decimal(1, 4_294_967_295, 1))
            .fatal()
            .does(|b, s| settings::seconds(b, s, |g| &mut g.gna_interval)),
        boolean("vrrp_min_garp").does(|b, s| settings::boolean(b, s, |g| &mut g.min_garp)),
        value("vrrp_garp_extra_if", int(1, 86_400)).required().does(settings::garp_extra),
        value("vrrp_vmac_garp_intvl", int(1, 86_400))
            .required()
            .deprecated("please use vrrp_garp_extra_if")
            .does(settings::garp_extra),
        boolean("vrrp_lower_prio_no_advert").does(apply::globals::vrrp_lower_prio_no_advert),
        boolean("vrrp_higher_prio_send_advert").does(apply::globals::vrrp_higher_prio_send_advert),
        value("vrrp_version", loose(2, 3)).fatal().does(apply::globals::vrrp_version),
        value("vrrp_iptables", Arg::Text).does(settings::iptables),
        value("vrrp_ipsets", Arg::Text).does(settings::ipsets),
        value("nftables", Arg::Text).does(settings::nftables),
        value("nftables_priority", int(-2_147_483_648, 2_147_483_647))
            .fatal()
            .does(|b, s| settings::number(b, s, |g| &mut g.firewall.priority)),
        flag("nftables_ifindex").does(|b, _| settings::flag(b, |g| &mut g.firewall.by_index)),
        flag("nftables_counters").does(|b, _| settings::flag(b, |g| &mut g.firewall.counters)),
        value("nftables_ipvs", Arg::Text).stores(apply::lvs::globals::nftables),
        value("nftables_ipvs_priority", int(-2_147_483_648, 2_147_483_647))
            .fatal()
            .stores(apply::lvs::globals::nftables_priority),
        value("nftables_ipvs_start_fwmark", int(1, 4_294_967_295))
            .fatal()
            .stores(apply::lvs::globals::nftables_start_mark),
        flag("vrrp_check_unicast_src").does(|b, _| settings::flag(b, |g| &mut g.check_unicast_src)),
        boolean("vrrp_skip_check_adv_addr")
            .does(|b, s| settings::lenient_boolean(b, s, |g| &mut g.skip_check_adv_addr)),
        boolean("vrrp_strict").does(|b, s| settings::lenient_boolean(b, s, |g| &mut g.strict)),
        value("vrrp_priority", loose(-20, 19))
            .required()
            .does(|b, s| settings::nice(b, s, |g| &mut g.vrrp_scheduling)),
        flag("vrrp_no_swap").does(|b, _| settings::no_swap(b, |g| &mut g.vrrp_scheduling)),
        value("vrrp_rt_priority", loose(1, 99))
            .required()
            .does(|b, s| settings::realtime(b, s, |g| &mut g.vrrp_scheduling)),
        value("vrrp_cpu_affinity", Arg::Text)
            .required()
            .does(|b, s| settings::cpu_affinity(b, s, |g| &mut g.vrrp_scheduling)),
        value("vrrp_rlimit_rttime", loose(1, 4_294_967_295))
            .fatal()
            .does(|b, s| settings::rttime(b, s, |g| &mut g.vrrp_scheduling)),
        value("vrrp_rlimit_rtime", int(1, 4_294_967_295))
            .fatal()
            .does(|b, s| settings::rttime(b, s, |g| &mut g.vrrp_scheduling)),
        value("checker_priority", loose(-20, 19)).required().stores(apply::lvs::globals::process),
        flag("checker_no_swap").stores(apply::lvs::globals::process),
        value("checker_rt_priority", loose(1, 99)).required().stores(apply::lvs::globals::process),
        value("checker_cpu_affinity", Arg::Text).required().stores(apply::lvs::globals::process),
        value("checker_rlimit_rttime", loose(1, 4_294_967_295)).fatal().stores(apply::lvs::globals::process),
        value("checker_rlimit_rtime", int(1, 4_294_967_295)).fatal().stores(apply::lvs::globals::process),
        value("bfd_priority", loose(-20, 19))
            .required()
            .stores(|b, s| settings::nice(b, s, |g| &mut g.bfd_scheduling)),
        flag("bfd_no_swap").stores(|b, _| settings::no_swap(b, |g| &mut g.bfd_scheduling)),
        value("bfd_rt_priority", loose(1, 99))
            .required()
            .stores(|b, s| settings::realtime(b, s, |g| &mut g.bfd_scheduling)),
        value("bfd_cpu_affinity", Arg::Text)
            .required()
            .stores(|b, s| settings::cpu_affinity(b, s, |g| &mut g.bfd_scheduling)),
        value("bfd_rlimit_rttime", loose(1, 4_294_967_295))
            .fatal()
            .stores(|b, s| settings::rttime(b, s, |g| &mut g.bfd_scheduling)),
        value("bfd_rlimit_rtime", int(1, 4_294_967_295))
            .fatal()
            .stores(|b, s| settings::rttime(b, s, |g| &mut g.bfd_scheduling)),
        value("notify_fifo", Arg::Text).required().does(|b, s| settings::fifo(b, s, |g| &mut g.fifo)),
        value("notify_fifo_script", Arg::Command)
            .required()
            .does(|b, s| settings::fifo_script(b, s, |g| &mut g.fifo)),
        value("vrrp_notify_fifo", Arg::Text)
            .required()
            .does(|b, s| settings::fifo(b, s, |g| &mut g.vrrp_fifo)),
        value("vrrp_notify_fifo_script", Arg::Command)
            .required()
            .does(|b, s| settings::fifo_script(b, s, |g| &mut g.vrrp_fifo)),
        value("lvs_notify_fifo", Arg::Text).required().stores(apply::lvs::globals::fifo),
        value("lvs_notify_fifo_script", Arg::Command).required().stores(apply::lvs::globals::fifo),
        boolean("vrrp_notify_priority_changes")
            .does(|b, s| settings::boolean(b, s, |g| &mut g.notify_priority_changes)),
        flag("fifo_write_vrrp_states_on_reload")
            .does(|b, _| settings::flag(b, |g| &mut g.fifo_states_on_reload)),
        value("snmp_socket", Arg::Text).required().stores(settings::snmp_socket),
        flag("enable_traps").stores(|b, _| settings::flag(b, |g| &mut g.snmp.traps)),
        flag("enable_snmp_vrrp").stores(|b, _| settings::flag(b, |g| &mut g.snmp.vrrp)),
        flag("enable_snmp_keepalived").stores(|b, _| settings::flag(b, |g| &mut g.snmp.keepalived)),
        flag("enable_snmp_rfc").stores(settings::snmp_rfc),
        flag("enable_snmp_rfcv2").stores(|b, _| settings::flag(b, |g| &mut g.snmp.rfc_v2)),
        flag("enable_snmp_rfcv3").stores(|b, _| settings::flag(b, |g| &mut g.snmp.rfc_v3)),
        flag("enable_snmp_checker").stores(apply::lvs::globals::flag),
        value("snmp_vs_stats_update_interval", decimal(1_000, 30_000_000, 1_000))
            .fatal()
            .stores(apply::lvs::globals::snmp_interval),
        value("snmp_rs_stats_update_interval", decimal(1_000, 30_000_000, 1_000))
            .fatal()
            .stores(apply::lvs::globals::snmp_interval),
        flag("enable_dbus").stores(|b, _| settings::flag(b, |g| &mut g.dbus.enabled)),
        value("dbus_service_name", Arg::Text)
            .required()
            .stores(|b, s| settings::text(b, s, |g| &mut g.dbus.service)),
        value("dbus_no_interface_name", Arg::Text)
            .required()
            .stores(|b, s| settings::text(b, s, |g| &mut g.dbus.no_interface)),
        value("script_user", Arg::Text).required().does(apply::globals::script_user),
        flag("enable_script_security").does(apply::globals::enable_script_security),
        value("vrrp_netlink_cmd_rcv_bufs", int(0, 4_294_967_295))
            .required()
            .stores(|b, s| settings::number(b, s, |g| &mut g.buffers.netlink_command)),
        boolean("vrrp_netlink_cmd_rcv_bufs_force")
            .stores(|b, s| settings::boolean(b, s, |g| &mut g.buffers.netlink_command_force)),
        value("vrrp_netlink_monitor_rcv_bufs", int(0, 4_294_967_295))
            .required()
            .stores(|b, s| settings::number(b, s, |g| &mut g.buffers.netlink_monitor)),
        boolean("vrrp_netlink_monitor_rcv_bufs_force")
            .stores(|b, s| settings::boolean(b, s, |g| &mut g.buffers.netlink_monitor_force)),
        value("process_monitor_rcv_bufs", int(0, 4_294_967_295))
            .required()
            .stores(|b, s| settings::number(b, s, |g| &mut g.buffers.process_monitor)),
        boolean("process_monitor_rcv_bufs_force")
            .stores(|b, s| settings::boolean(b, s, |g| &mut g.buffers.process_monitor_force)),
        value("lvs_netlink_cmd_rcv_bufs", int(0, 4_294_967_295))
            .required()
            .stores(apply::lvs::globals::buffers),
        boolean("lvs_netlink_cmd_rcv_bufs_force").stores(apply::lvs::globals::boolean),
        value("lvs_netlink_monitor_rcv_bufs", int(0, 4_294_967_295))
            .required()
            .stores(apply::lvs::globals::buffers),
        boolean("lvs_netlink_monitor_rcv_bufs_force").stores(apply::lvs::globals::boolean),
        boolean("rs_init_notifies").stores(apply::lvs::globals::boolean),
        boolean("no_checker_emails").stores(apply::lvs::globals::boolean),
        value("vrrp_rx_bufs_policy", Arg::Text).required().stores(settings::receive_policy),
        value("vrrp_rx_bufs_multiplier", int(1, 4_294_967_295))
            .required()
            .stores(settings::receive_multiplier),
        value("vrrp_startup_delay", decimal(1_000, 4_294_967_295, 1))
            .fatal()
            .does(|b, s| settings::longest(b, s, |g| &mut g.startup_delay)),
        value("vrrp_delay_after_boot", decimal(1_000, 4_294_967_295, 1))
            .fatal()
            .does(|b, s| settings::longest(b, s, |g| &mut g.delay_after_boot)),
        flag("log_unknown_vrids").does(apply::globals::log_unknown_vrids),
        boolean("vrrp_owner_ignore_adverts")
            .does(|b, s| settings::boolean(b, s, |g| &mut g.owner_ignore_adverts)),
        value("vmac_prefix", Arg::Text)
            .fatal()
            .does(|b, s| settings::text_once(b, s, |g| &mut g.vmac_prefix)),
        value("vmac_addr_prefix", Arg::Text)
            .fatal()
            .does(|b, s| settings::text_once(b, s, |g| &mut g.vmac_addr_prefix)),
        value("umask", Arg::Text).fatal().does(settings::umask),
        value("random_seed", int(0, 4_294_967_295))
            .fatal()
            .stores(|b, s| settings::number(b, s, |g| &mut g.random_seed)),
        value("reload_check_config", Arg::Text).does(settings::reload_check),
        value("reload_time_file", Arg::Text)
            .required()
            .does(|b, s| settings::one_path(b, s, |g| &mut g.reload.time_file)),
        flag("reload_repeat").does(|b, _| settings::flag(b, |g| &mut g.reload.repeat)),
        value("reload_file", Arg::Text).does(settings::reload_file),
        value("include_check", Arg::Text)
            .words(&GLOBAL_DEFS_INCLUDE_CHECK)
            .does(apply::globals::include_check),
        value("config_save_dir", Arg::Text).fatal().does(settings::config_save_dir),
        value("tmp_config_directory", Arg::Text).required().does(settings::tmp_config_directory),
        boolean("data_use_instance").does(|b, s| settings::boolean(b, s, |g| &mut g.files.use_instance)),
        value("json_version", loose(1, 2))
            .required()
            .does(|b, s| settings::number(b, s, |g| &mut g.files.json_version)),
        value("iproute_usr_dir", Arg::Text)
            .required()
            .does(|b, s| settings::one_path(b, s, |g| &mut g.files.iproute_usr)),
        value("iproute_etc_dir", Arg::Text)
            .required()
            .does(|b, s| settings::one_path(b, s, |g| &mut g.files.iproute_etc)),
        value("state_dump_file", Arg::Text)
            .required()
            .does(|b, s| settings::one_path(b, s, |g| &mut g.files.state)),
        value("stats_dump_file", Arg::Text)
            .required()
            .stores(|b, s| settings::one_path(b, s, |g| &mut g.files.stats)),
        value("json_dump_file", Arg::Text)
            .required()
            .stores(|b, s| settings::one_path(b, s, |g| &mut g.files.json)),
    ],
);
