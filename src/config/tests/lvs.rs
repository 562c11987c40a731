//! Virtual servers: what is understood, and what the checks make of it.

use std::net::IpAddr;
use std::time::Duration;

use super::*;
use crate::base::{Cidr, Family, IfName};
use crate::config::model::Script;
use crate::config::model::ipvs::*;
use crate::config::model::lvs::*;

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// What is said of a virtual server that needs nothing more than this, and the model of it.
fn server(text: &str) -> (VirtualServer, Vec<String>) {
    with_header("192.0.2.1 80", &format!("protocol TCP\nlb_algo rr\nlb_kind NAT\n{text}"))
}

fn with_header(header: &str, text: &str) -> (VirtualServer, Vec<String>) {
    let loaded = load_text(&format!("virtual_server {header} {{\n{text}\n}}\n"));
    let [server] = &loaded.config.lvs.servers[..] else { panic!("{:?}", lines(&loaded)) };
    (server.clone(), told(&loaded))
}

/// The diagnostics, without those of what is not in effect.
fn told(loaded: &Loaded) -> Vec<String> {
    lines(loaded).into_iter().filter(|l| !l.contains("not in effect")).collect()
}

const REAL: &str = "real_server 192.0.2.2 80 { }";

#[test]
fn a_virtual_server_in_full() {
    let text = "\
        retry 2\ndelay_before_retry 0.5\nwarmup 0\ndelay_loop 6\nconnect_timeout 1.25\ninhibit_on_failure\n\
        lb_algo mh\nmh-port\nmh-fallback\nflag-3\nlb_kind TUN port 6080 type gue remcsum\npersistence_engine sip\n\
        persistence_timeout 600\npersistence_granularity 255.255.255.0\nha_suspend\nsmtp_alert off\n\
        virtualhost www.example\nsnmp_name web\nalpha\nomega\nquorum 3\nhysteresis 1\nweight 2\n\
        sorry_server 192.0.2.9 81\nsorry_server_inhibit\nsorry_server_lvs_method NAT\n\
        real_server 192.0.2.2 80 {\n weight 4\n lvs_method TUN type gre csum\n uthreshold 9\n lthreshold 3\n \
        inhibit_on_failure off\n alpha off\n retry 1\n smtp_alert\n virtualhost a.example\n snmp_name one\n}";
    let (server, told) = server(text);
    assert_eq!(told, Vec::<String>::new());
    let real = RealServer {
        weight: Some(4),
        forwarding: Some(Forwarding::Tunnel(Tunnel::Gre { checksum: Checksum::Full })),
        upper_threshold: Some(9),
        lower_threshold: Some(3),
        inhibit_on_failure: Some(false),
        alpha: Some(false),
        timing: Timing { retry: Some(1), ..Timing::default() },
        smtp_alert: Some(true),
        virtualhost: Some("a.example".into()),
        snmp_name: Some("one".into()),
        ..RealServer::new(ip("192.0.2.2"), 80)
    };
    let expected = VirtualServer {
        service: Service::Address { ip: ip("192.0.2.1"), port: 80 },
        family: Some(Family::V4),
        protocol: Some(Protocol::Tcp),
        scheduler: Some(Scheduler::Mh),
        flag1: true,
        flag2: true,
        flag3: true,
        ops: false,
        forwarding: Some(Forwarding::Tunnel(Tunnel::Gue { port: 6080, checksum: Checksum::Remote })),
        persistence_engine: Some("sip".into()),
        persistence_timeout: Some(Duration::from_secs(600)),
        persistence_granularity: Some(Granularity::V4(0xffff_ff00)),
        timing: Timing {
            retry: Some(2),
            delay_before_retry: Some(Duration::from_millis(500)),
            warmup: Some(Duration::ZERO),
            delay_loop: Some(Duration::from_secs(6)),
            connect_timeout: Some(Duration::from_millis(1_250)),
        },
        alpha: true,
        omega: true,
        inhibit_on_failure: true,
        ha_suspend: true,
        smtp_alert: Some(false),
        virtualhost: Some("www.example".into()),
        snmp_name: Some("web".into()),
        quorum: Some(3),
        hysteresis: Some(1),
        quorum_up: None,
        quorum_down: None,
        weight: Some(2),
        sorry: Some(SorryServer {
            ip: ip("192.0.2.9"),
            port: 81,
            forwarding: Some(Forwarding::Nat),
            inhibit: true,
        }),
        real_servers: vec![real],
    };
    assert_eq!(server, expected);
}

#[test]
fn a_bad_method_keeps_the_tunnel() {
    let first = "lb_kind TUN type gre csum";
    for (text, expected) in [
        ("lb_kind NAT foo", Forwarding::Nat),
        ("lb_kind DR port 3", Forwarding::Direct),
        ("lb_kind FOO", Forwarding::Tunnel(Tunnel::Gre { checksum: Checksum::Full })),
        ("lb_kind TUN type gue", Forwarding::Tunnel(Tunnel::Gre { checksum: Checksum::Full })),
        ("lb_kind TUN type ipip csum", Forwarding::Tunnel(Tunnel::Gre { checksum: Checksum::Full })),
        ("lb_kind TUN type", Forwarding::Tunnel(Tunnel::Gre { checksum: Checksum::Full })),
    ] {
        let (server, told) = server(&format!("{first}\n{text}\n{REAL}"));
        assert_eq!(server.forwarding, Some(expected), "{text}");
        assert_eq!(told.len(), 1, "{text}: {told:?}");
    }
}

#[test]
fn addresses_of_a_group() {
    let text = "virtual_server_group G {\n192.0.2.1 80\n192.0.2.10-20\n192.0.2.64/26 443\n192.0.2.30-192.0.2.40 1\n\
                fwmark 7 inet\n2001:db8::1-ff 80\n2001:db8:1::/64\n fwmark 8 inet6\n}";
    let loaded = load_text(text);
    let [group] = &loaded.config.lvs.groups[..] else { panic!("{:?}", lines(&loaded)) };
    assert_eq!(told(&loaded), Vec::<String>::new());
    let range = |first, last, port| GroupEntry::Range { first: ip(first), last: ip(last), port };
    let network =
        |cidr, prefix, port| GroupEntry::Network { cidr: Cidr::new(ip(cidr), prefix).unwrap(), port };
    assert_eq!(
        group.entries,
        [
            range("192.0.2.1", "192.0.2.1", 80),
            range("192.0.2.10", "192.0.2.20", 0),
            network("192.0.2.64", 26, 443),
            range("192.0.2.30", "192.0.2.40", 1),
            GroupEntry::Mark { mark: 7, family: Some(Family::V4) },
            range("2001:db8::1", "2001:db8::ff", 80),
            network("2001:db8:1::", 64, 0),
            GroupEntry::Mark { mark: 8, family: Some(Family::V6) },
        ]
    );
}

#[test]
fn a_virtual_server_of_a_group_takes_its_family() {
    let group = |text| {
        format!(
            "virtual_server_group G {{\n{text}\n}}\nvirtual_server group G {{\nlb_algo rr\nlb_kind TUN\nprotocol TCP\n{REAL}\n}}"
        )
    };
    let loaded = load_text(&group("2001:db8::1 80"));
    assert_eq!(loaded.config.lvs.servers.iter().map(|s| s.family).collect::<Vec<_>>(), [Some(Family::V6)]);
    let loaded = load_text(&group("2001:db8::1 80\n192.0.2.1 80"));
    assert_eq!(loaded.config.lvs.servers.iter().map(|s| s.family).collect::<Vec<_>>(), [None]);
    let loaded = load_text(&group("2001:db8::1 80").replace("TUN", "NAT"));
    assert_eq!(loaded.config.lvs.servers, []);
    assert_eq!((loaded.test_status(), told(&loaded).len()), (0, 1));
    let loaded = load_text(&group("192.0.2.1 80").replace("group G {\nlb", "group H {\nlb"));
    assert_eq!(loaded.config.lvs.servers, []);
    assert_eq!(loaded.test_status(), 0);
}

#[test]
fn what_is_missing_is_filled_in() {
    let (server, told) = with_header("192.0.2.1", REAL);
    assert_eq!(server.protocol, Some(Protocol::Udp));
    assert_eq!(server.scheduler, Some(Scheduler::Wlc));
    assert_eq!(server.forwarding, Some(Forwarding::Nat));
    assert_eq!(server.persistence_timeout, Some(Duration::from_secs(360)));
    let said: Vec<_> = told.iter().map(|l| l.rsplit_once(": ").unwrap().1).collect();
    assert_eq!(
        said,
        [
            "no protocol set - defaulting to UDP",
            "zero port only valid for persistent services - setting",
            "no scheduler set, setting default 'wlc'",
            "no forwarding method set, setting default NAT",
        ]
    );
}

#[test]
fn marks_have_no_protocol_and_no_address() {
    let (server, told) =
        with_header("fwmark 3", &format!("protocol TCP\nha_suspend\nlb_algo rr\nlb_kind DR\n{REAL}"));
    assert_eq!(server.service, Service::Mark(3));
    assert_eq!((server.protocol, server.ha_suspend, server.family), (None, false, Some(Family::V4)));
    assert_eq!(server.real_servers, [RealServer::new(ip("192.0.2.2"), 0)]);
    assert_eq!(told.len(), 3, "{told:?}");
}

#[test]
fn single_packets_are_of_udp() {
    let (server, told) = server(&format!("ops\n{REAL}"));
    assert!(!server.ops && told.len() == 1, "{told:?}");
    let (server, told) = self::server(&format!("protocol udp\nops\n{REAL}"));
    assert!(server.ops && told.is_empty(), "{told:?}");
}

#[test]
fn a_real_server_counts_once() {
    let (server, told) =
        server(&format!("{REAL}\nreal_server 192.0.2.3 80 {{ }}\n{REAL}\nreal_server 192.0.2.2 {{ }}"));
    let reals: Vec<_> = server.real_servers.iter().map(|r| (r.ip, r.port)).collect();
    assert_eq!(reals, [(ip("192.0.2.2"), 80), (ip("192.0.2.3"), 80), (ip("192.0.2.2"), 0)]);
    assert_eq!(
        told,
        [
            "(x: Line 7) VS [192.0.2.1]:tcp:80: real server [192.0.2.2]:tcp:80 is duplicated - removing second rs"
        ]
    );
}

#[test]
fn only_a_tunnel_joins_families() {
    let text = "real_server 2001:db8::2 80 {\nMETHOD\n}";
    let (server, told) = server(&format!("{REAL}\n{}\n", text.replace("METHOD", "")));
    assert_eq!((server.real_servers.len(), told.len()), (1, 1), "{told:?}");
    let (server, told) = self::server(&format!("{REAL}\n{}\n", text.replace("METHOD", "lvs_method TUN")));
    assert_eq!((server.real_servers.len(), told.len()), (2, 0), "{told:?}");
    let sorry = "sorry_server 2001:db8::9";
    let (server, told) = self::server(&format!("{REAL}\n{sorry}"));
    assert_eq!((server.sorry, told.len()), (None, 1), "{told:?}");
}

#[test]
fn quorum_and_hysteresis_fit_the_weights() {
    let reals = format!("{REAL}\nreal_server 192.0.2.3 80 {{\nweight 3\n}}");
    for (text, quorum, hysteresis, errors) in [
        ("", None, None, 0),
        ("quorum 4\nhysteresis 3", Some(4), Some(3), 0),
        ("quorum 9", Some(4), None, 1),
        ("weight 7\nquorum 9", Some(9), None, 0),
        ("quorum 9\nhysteresis 8", Some(4), Some(3), 2),
        ("hysteresis 1", None, Some(0), 1),
    ] {
        let (server, told) = server(&format!("{text}\n{reals}"));
        assert_eq!(
            (server.quorum, server.hysteresis, told.len()),
            (quorum, hysteresis, errors),
            "{text} {told:?}"
        );
    }
    let (server, told) = server("real_server 192.0.2.2 80 {\nweight 0\n}");
    assert_eq!((server.quorum, server.hysteresis, told.len()), (Some(0), None, 1), "{told:?}");
}

#[test]
fn only_nat_changes_the_port() {
    let text = "lb_kind DR\nsorry_server 192.0.2.9 82\nreal_server 192.0.2.2 81 { }\nreal_server 192.0.2.3 81 {\nlvs_method NAT\n}";
    let (server, told) = server(text);
    assert_eq!(server.real_servers.iter().map(|r| r.port).collect::<Vec<_>>(), [80, 81]);
    assert_eq!((server.sorry.map(|s| s.port), told.len()), (Some(80), 2), "{told:?}");
}

#[test]
fn the_sorry_server_is_like_its_real_server() {
    let text = format!("inhibit_on_failure\nsorry_server 192.0.2.2 80\n{REAL}");
    let (server, told) = server(&text);
    assert_eq!((server.sorry.map(|s| s.inhibit), told.len()), (Some(true), 1), "{told:?}");
}

#[test]
fn commands_of_what_is_dropped_are_not_looked_for() {
    let up = "quorum_up /bin/notify.sh";
    let open = "virtual_server 192.0.2.1 80 {\nprotocol TCP\nlb_algo rr\nlb_kind NAT\n";
    assert_eq!(load_text(&format!("{open}{up}\n}}")).test_status(), 5);
    let loaded = load_text(&format!("{open}{up}\n{REAL}\n}}"));
    assert_eq!(loaded.test_status(), 6);
    let [server] = &loaded.config.lvs.servers[..] else { panic!() };
    let Some(Script::Run(run)) = &server.quorum_up else { panic!("{server:?}") };
    assert_eq!(run.program, "/bin/notify.sh");
}

#[test]
fn numbers_as_netmasks() {
    for (text, expected) in [
        ("255.255.255.0", Some(Granularity::V4(0xffff_ff00))),
        ("24", Some(Granularity::V4(24))),
        ("255.255.255", Some(Granularity::V4(0xffff_00ff))),
        ("256.0.0.0", None),
        ("0.0.0.0.0", None),
        ("4294967296", None),
    ] {
        let (server, _) = server(&format!("persistence_granularity {text}\n{REAL}"));
        assert_eq!(server.persistence_granularity, expected, "{text}");
    }
}

#[test]
fn global_settings() {
    let text = "global_defs {\n lvs_timeouts tcp 1 tcpfin 2 udp 3\n lvs_flush\n lvs_flush_on_stop VS\n \
        lvs_sync_daemon eth0 VI_1 id 7 maxlen 1400 port 8849 ttl 3 group 224.0.0.82\n nftables_ipvs\n \
        nftables_ipvs_priority -5\n nftables_ipvs_start_fwmark 5000\n checker_log_all_failures\n rs_init_notifies\n \
        no_checker_emails off\n smtp_alert_checker\n enable_snmp_checker\n snmp_vs_stats_update_interval 2.5\n \
        lvs_netlink_cmd_rcv_bufs 4096\n lvs_netlink_monitor_rcv_bufs_force\n checker_process_name check\n \
        checker_priority -3\n checker_rt_priority 300\n checker_no_swap\n checker_cpu_affinity 0 1\n \
        checker_rlimit_rttime 1\n lvs_notify_fifo /run/fifo nobody\n lvs_notify_fifo_script /bin/check\n}";
    let loaded = load_text(text);
    let lvs = &loaded.config.globals.lvs;
    // Without virtual servers the script of the FIFO does not count.
    assert_eq!(told(&loaded).len(), 1, "{:?}", told(&loaded));
    let expected = SyncDaemon {
        interface: IfName::new("eth0").unwrap(),
        instance: Some("VI_1".into()),
        id: Some(7),
        max_len: Some(1400),
        port: Some(8849),
        ttl: Some(3),
        group: Some(ip("224.0.0.82")),
    };
    assert_eq!(lvs.sync_daemon, Some(expected));
    let second = |n| Some(Duration::from_secs(n));
    assert_eq!(lvs.timeouts, Timeouts { tcp: second(1), tcpfin: second(2), udp: second(3) });
    assert!(lvs.flush && lvs.snmp && lvs.process.no_swap);
    assert_eq!(lvs.flush_on_stop, Some(Flush::Servers));
    assert_eq!(lvs.nftables.as_deref(), Some("keepalived_ipvs"));
    assert_eq!((lvs.nftables_priority, lvs.nftables_start_mark), (Some(-5), Some(5000)));
    assert_eq!((lvs.log_all_failures, lvs.init_notifies), (Some(true), Some(true)));
    assert_eq!((lvs.no_emails, lvs.smtp_alert), (Some(false), Some(true)));
    assert_eq!(lvs.snmp_servers_interval, Some(Duration::from_millis(2_500)));
    assert_eq!((lvs.netlink.command, lvs.netlink.monitor_force), (Some(4096), Some(true)));
    assert_eq!(lvs.process.name.as_deref(), Some("check"));
    assert_eq!((lvs.process.priority, lvs.process.rt_priority), (Some(-3), Some(99)));
    assert_eq!((&lvs.process.cpus[..], lvs.process.rlimit_rttime), (&[0, 1][..], Some(2)));
    assert_eq!(lvs.fifo.path.as_deref(), Some("/run/fifo"));
    assert!(lvs.fifo.user.is_some() && lvs.fifo.script.is_some());
}
