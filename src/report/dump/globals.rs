//! `Global definitions`.

use std::fmt::Display;
use std::time::Duration;

use super::view::{Lines, View, command, enabled, seconds, seconds_6, truth, yes};
use crate::config::model::ipvs::Flush;
use crate::config::model::{Fifo, MailHost, ReceivePolicy, Scheduling, Script, StageScript, User, Version};
use crate::plan::{VRRP_GROUP_V4, VRRP_GROUP_V6};
use crate::vrrp::params::GarpSchedule;

/// What `smtp_server` means without a port.
const SMTP_PORT: u16 = 25;
/// Seconds that stock waits for a mail server, and for a script of the start or the end.
const MAIL_TIMEOUT: Duration = Duration::from_secs(30);
const STAGE_TIMEOUT: Duration = Duration::from_secs(10);
/// Stock's limit for a real-time process, in µs.
const RTTIME: u32 = 10_000;
/// Stock's umask.
const UMASK: u16 = 0o177;

/// The section. `whole`: as the process shows it that runs the instances; else as the parent does.
pub(super) fn section(view: &View<'_>, whole: bool, out: &mut Lines) {
    out.section("Global definitions");
    files_and_names(view, out);
    mail(view, out);
    process(view, whole, out);
    vrrp(view, out);
    priorities(view, out);
    services(view, out);
    buffers(view, out);
}

/// ` KEY = VALUE`.
fn put(out: &mut Lines, key: &str, value: impl Display) {
    out.add(format_args!(" {key} = {value}"));
}

fn put_some(out: &mut Lines, key: &str, value: Option<impl Display>) {
    if let Some(value) = value {
        put(out, key, value);
    }
}

fn files_and_names(view: &View<'_>, out: &mut Lines) {
    let (globals, top) = (&view.config.globals, &view.config.top);
    let options = &globals.options;
    put_some(out, "Config save dir", options.files.config_save.as_ref());
    put(out, "Network namespace", top.net_namespace.as_deref().unwrap_or("(default)"));
    put(
        out,
        "Network namespace ipvs",
        match top.net_namespace_ipvs.as_deref() {
            None => "(main namespace)",
            Some("") => "(default)",
            Some(name) => name,
        },
    );
    put_some(out, "Instance name", top.instance.as_ref());
    let names = &options.processes;
    let or_default = |name: &Option<String>, default: &str| {
        name.clone().or_else(|| names.default_names.then(|| default.to_owned()))
    };
    put_some(out, "Process name", names.parent.as_ref());
    put_some(out, "VRRP process name", or_default(&names.vrrp, "keepalived_vrrp"));
    put_some(out, "LVS process name", or_default(&globals.lvs.process.name, "keepalived_lvs"));
    put_some(out, "BFD process name", or_default(&names.bfd, "keepalived_bfd"));
    put(out, "Router ID", globals.router_id.as_deref().unwrap_or(view.node));
}

fn mail(view: &View<'_>, out: &mut Lines) {
    let mail = &view.config.globals.options.mail;
    if let Some(server) = &mail.server {
        match &server.host {
            MailHost::Address(address) => put(out, "Smtp server", address),
            MailHost::Name(name) => put(out, "Smtp server", name),
        }
        put(out, "Smtp server port", if server.port == 0 { SMTP_PORT } else { server.port });
    }
    if mail.server.is_some() || mail.helo.is_some() {
        put(out, "Smtp HELO name", mail.helo.as_deref().unwrap_or(view.node));
    }
    if mail.server.is_some() || mail.timeout.is_some() {
        put(out, "Smtp server connection timeout", mail.timeout.unwrap_or(MAIL_TIMEOUT).as_secs());
    }
    if mail.from.is_some() || !mail.to.is_empty() {
        let from = mail.from.clone().unwrap_or_else(|| format!("root@{}", view.node));
        put(out, "Email notification from", from);
    }
    if !mail.to.is_empty() {
        out.add(" Email notification to:");
        mail.to.iter().for_each(|to| out.add(format_args!("   {to}")));
    }
    let on = |on: Option<bool>| on.map_or("unset", |on| if on { "on" } else { "off" });
    put(out, "Default smtp_alert", on(mail.alert));
    put(out, "Default smtp_alert_vrrp", on(mail.alert_vrrp));
    put(out, "Default smtp_alert_checker", on(mail.alert_checker.or(view.config.globals.lvs.smtp_alert)));
}

fn process(view: &View<'_>, whole: bool, out: &mut Lines) {
    let globals = &view.config.globals;
    let options = &globals.options;
    put(out, "Checkers log all failures", truth(globals.lvs.log_all_failures.unwrap_or(false)));
    let reload = &options.reload;
    match &reload.check {
        Some(file) => out.add(format_args!(" Test config before reload, log to {file}")),
        None => out.add(" No test config before reload"),
    }
    if let Some(file) = &reload.time_file {
        put(out, "Reload time file", format_args!("{file}{}", if reload.repeat { " (repeat)" } else { "" }));
        match &view.findings.scheduled {
            Some((time, dated)) => {
                // Stock's parenthesis, which it does not close.
                let dated = if *dated { " (date specified" } else { "" };
                out.add(format_args!(" Reload scheduled for {time}{dated}"));
            }
            None => out.add(" No reload scheduled"),
        }
    }
    put_some(out, "Reload_file", reload.file.as_ref());
    put_some(out, "config save directory", options.files.temporary.as_ref());
    if options.files.use_instance.unwrap_or(false) {
        out.add(" Use instance name in data dumps");
    }
    stage("Startup", ",", &options.startup, out);
    stage("Shutdown", "", &options.shutdown, out);
    put(out, "Dynamic interfaces", truth(globals.dynamic_interfaces));
    if globals.dynamic_interfaces {
        put(out, "Allow interface changes", truth(options.allow_interface_changes));
    }
    if options.mail.no_faults {
        put(out, "Send emails for fault transitions", "off");
    }
    let default = options.default_interface.as_ref().map_or("eth0", |name| name.as_str());
    // The parent does not look at interfaces.
    if whole && (options.default_interface.is_some() || view.is_there(default)) {
        put(out, "Default interface", default);
    }
    put(out, "Disable local IGMP", yes(options.disable_local_igmp));
    if let Some(daemon) = &globals.lvs.sync_daemon {
        put_some(out, "LVS syncd vrrp name", daemon.instance.as_ref());
        put(out, "LVS syncd interface", daemon.interface.as_str());
        put_some(out, "LVS syncd syncid", daemon.id);
    }
    put(out, "LVS flush", truth(globals.lvs.flush));
    put(
        out,
        "LVS flush on stop",
        match globals.lvs.flush_on_stop {
            None => "disabled",
            Some(Flush::Servers) => "VS",
            Some(Flush::All) => "all",
        },
    );
    fifo("Global", &options.fifo, globals.script_user.as_ref(), out);
    fifo("VRRP", &options.vrrp_fifo, globals.script_user.as_ref(), out);
    let lvs = &globals.lvs.fifo;
    let lvs = Fifo { path: lvs.path.clone(), owner: lvs.user.clone(), script: lvs.script.clone() };
    fifo("LVS", &lvs, globals.script_user.as_ref(), out);
    put(out, "FIFO write vrrp states on reload", truth(options.fifo_states_on_reload));
}

fn stage(name: &str, comma: &str, stage: &StageScript, out: &mut Lines) {
    if let Some(script) = &stage.script {
        let timeout = stage.timeout.unwrap_or(STAGE_TIMEOUT).as_secs();
        put(out, &format!("{name} script"), format_args!("{}{comma} timeout {timeout}", command(script)));
    }
}

fn fifo(name: &str, fifo: &Fifo, default: Option<&User>, out: &mut Lines) {
    if let Some(path) = &fifo.path {
        let (uid, gid) = fifo.owner.as_ref().or(default).map_or((0, 0), |user| (user.uid, user.gid));
        put(out, &format!("{name} notify fifo"), format_args!("{path}, uid:gid {uid}:{gid}"));
    }
    let script: Option<&Script> = fifo.script.as_ref();
    put_some(out, &format!("{name} notify fifo script"), script.map(command));
}

fn vrrp(view: &View<'_>, out: &mut Lines) {
    let globals = &view.config.globals;
    let (options, garp) = (&globals.options, &globals.garp);
    put(out, "VRRP notify priority changes", truth(options.notify_priority_changes.unwrap_or(false)));
    put(out, "VRRP IPv4 mcast group", globals.mcast_group4.unwrap_or(VRRP_GROUP_V4));
    put(out, "VRRP IPv6 mcast group", globals.mcast_group6.unwrap_or(VRRP_GROUP_V6));
    let default = GarpSchedule::default();
    let (delay, repeat) =
        (garp.master_delay.unwrap_or(default.delay), garp.master_repeat.unwrap_or(default.repeat));
    put(out, "Gratuitous ARP delay", seconds(delay));
    put(out, "Gratuitous ARP repeat", repeat);
    put(out, "Gratuitous ARP refresh timer", seconds(garp.master_refresh.unwrap_or(default.refresh)));
    put(out, "Gratuitous ARP refresh repeat", garp.master_refresh_repeat.unwrap_or(default.refresh_repeat));
    put(out, "Gratuitous ARP lower priority delay", seconds(garp.lower_prio_delay.unwrap_or(delay)));
    put(out, "Gratuitous ARP lower priority repeat", garp.lower_prio_repeat.unwrap_or(repeat));
    put(out, "Num adverts before down", globals.down_timer_adverts.unwrap_or(3));
    let extra = options.garp_extra.map(|extra| extra.interval).unwrap_or_default();
    put(out, "Gratuitous ARP for each secondary VMAC", format_args!("{}s", extra.as_secs()));
    let silent = globals.lower_prio_no_advert.unwrap_or(false);
    put(out, "Send advert after receive lower priority advert", truth(!silent));
    let speaks = globals.higher_prio_send_advert.unwrap_or(false);
    put(out, "Send advert after receive higher priority advert", truth(speaks));
    put(out, "Gratuitous ARP interval", seconds_6(options.garp_interval.unwrap_or_default()));
    put(out, "Gratuitous NA interval", seconds_6(options.gna_interval.unwrap_or_default()));
    put(
        out,
        "VRRP default protocol version",
        match globals.vrrp_version {
            Some(Version::V3) => 3,
            Some(Version::V2) | None => 2,
        },
    );
    let firewall = &options.firewall;
    let asked = firewall.nftables.is_some() || firewall.iptables.is_some();
    if asked || view.plan.filters_unasked {
        put(out, "nftables table name", firewall.nftables.as_deref().unwrap_or("keepalived"));
        put(out, "nftables base chain priority", firewall.priority.unwrap_or(-1));
        let force = if firewall.by_index { "" } else { "don't " };
        out.add(format_args!(" nftables {force}force use ifindex for link local IPv6"));
    }
    out.add(if firewall.counters { " nftables with counters" } else { " nftables without counters" });
    put(out, "VRRP check unicast_src", truth(options.check_unicast_src));
    put(out, "VRRP skip check advert addresses", truth(options.skip_check_adv_addr.unwrap_or(false)));
    put(out, "VRRP strict mode", truth(options.strict.unwrap_or(false)));
    put(out, "Max auto priority", options.max_auto_priority.unwrap_or(0));
    let delay = options.min_auto_priority_delay.unwrap_or(Duration::from_secs(1));
    put(out, "Min auto priority delay", format_args!("{} usecs", delay.as_micros()));
}

fn priorities(view: &View<'_>, out: &mut Lines) {
    let globals = &view.config.globals;
    let lvs = &globals.lvs.process;
    let checker = Scheduling {
        nice: lvs.priority,
        no_swap: lvs.no_swap,
        realtime: lvs.rt_priority,
        cpus: lvs.cpus.clone(),
        rttime: lvs.rlimit_rttime,
    };
    let parts = [
        ("VRRP", &globals.options.vrrp_scheduling),
        ("Checker", &checker),
        ("BFD", &globals.options.bfd_scheduling),
    ];
    for (name, part) in parts {
        put(out, &format!("{name} process priority"), part.nice.unwrap_or(0));
        put(out, &format!("{name} don't swap"), truth(part.no_swap));
        put(out, &format!("{name} realtime priority"), part.realtime.unwrap_or(0));
        if !part.cpus.is_empty() {
            let cpus: String = part.cpus.iter().map(|cpu| format!(" {cpu}")).collect();
            put(out, &format!("{name} CPU Affinity"), format_args!("{cpus} "));
        }
        put(out, &format!("{name} realtime limit"), part.rttime.unwrap_or(RTTIME));
    }
}

fn services(view: &View<'_>, out: &mut Lines) {
    let globals = &view.config.globals;
    let (snmp, dbus) = (&globals.options.snmp, &globals.options.dbus);
    for (name, on) in [
        ("vrrp", snmp.vrrp || snmp.keepalived),
        ("checker", snmp.checker || snmp.keepalived || globals.lvs.snmp),
        ("RFCv2", snmp.rfc_v2),
        ("RFCv3", snmp.rfc_v3),
        ("traps", snmp.traps),
    ] {
        out.add(format_args!(" SNMP {name} {}", enabled(on)));
    }
    put(out, "SNMP socket", snmp.socket.as_deref().unwrap_or("default (unix:/var/agentx/master)"));
    out.add(format_args!(" DBus {}", enabled(dbus.enabled)));
    put(out, "DBus service name", dbus.service.as_deref().unwrap_or(""));
    out.add(format_args!(" Script security {}", enabled(globals.script_security)));
    let (uid, gid) = globals.script_user.as_ref().map_or((0, 0), |user| (user.uid, user.gid));
    out.add(format_args!(" Default script uid:gid {uid}:{gid}"));
}

fn buffers(view: &View<'_>, out: &mut Lines) {
    let globals = &view.config.globals;
    let (options, lvs) = (&globals.options, &globals.lvs);
    let buffers = &options.buffers;
    let number = |on: Option<bool>| u32::from(on.unwrap_or(false));
    for (key, value) in [
        ("vrrp_netlink_cmd_rcv_bufs", buffers.netlink_command.unwrap_or(0)),
        ("vrrp_netlink_cmd_rcv_bufs_force", number(buffers.netlink_command_force)),
        ("vrrp_netlink_monitor_rcv_bufs", buffers.netlink_monitor.unwrap_or(0)),
        ("vrrp_netlink_monitor_rcv_bufs_force", number(buffers.netlink_monitor_force)),
        ("process_monitor_rcv_bufs", buffers.process_monitor.unwrap_or(0)),
        ("process_monitor_rcv_bufs_force", number(buffers.process_monitor_force)),
        ("lvs_netlink_cmd_rcv_bufs", lvs.netlink.command.unwrap_or(0)),
        ("lvs_netlink_cmd_rcv_bufs_force", number(lvs.netlink.command_force)),
        ("lvs_netlink_monitor_rcv_bufs", lvs.netlink.monitor.unwrap_or(0)),
        ("lvs_netlink_monitor_rcv_bufs_force", number(lvs.netlink.monitor_force)),
        ("rs_init_notifies", number(options.rs_init_notifies.or(lvs.init_notifies))),
        ("no_checker_emails", number(options.mail.no_checkers.or(lvs.no_emails))),
    ] {
        put(out, key, value);
    }
    match buffers.receive {
        None => {}
        Some(ReceivePolicy::Mtu) => put(out, "rx_bufs_policy", "MTU"),
        Some(ReceivePolicy::Advert) => put(out, "rx_bufs_policy", "ADVERT"),
        Some(ReceivePolicy::Bytes(bytes)) => put(out, "rx_bufs_size", bytes),
    }
    put(out, "rx_bufs_multiples", buffers.receive_multiplier.unwrap_or(3));
    put(out, "umask", format_args!("0{:02o}", options.umask.unwrap_or(UMASK)));
    put_some(out, "vrrp_startup_delay", options.startup_delay.map(seconds));
    if globals.log_unknown_vrids {
        out.add(" log_unknown_vrids");
    }
    put_some(out, "VMAC prefix", options.vmac_prefix.as_ref());
    put_some(out, "VMAC address prefix", options.vmac_addr_prefix.as_ref());
}
