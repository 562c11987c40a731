//! What is understood of VRRP, globals, static items and BFD, whether or not anything acts on it yet.

use std::time::Duration;

use super::*;
use crate::base::{Cidr, Family, IfName, MacAddr};
use crate::config::diagnostic::{Effect, Severity};
use crate::config::model::*;

fn cidr(ip: &str, prefix: u8) -> Cidr {
    Cidr::new(ip.parse().unwrap(), prefix).unwrap()
}

fn eth(n: u8) -> Option<IfName> {
    IfName::new(&format!("eth{n}"))
}

/// The configuration of a text without mistakes.
#[track_caller]
fn good(text: &str) -> Config {
    let loaded = load_text(text);
    assert_eq!(loaded.test_status(), 0, "{:?}", lines(&loaded));
    loaded.config
}

/// What the only instance says with these lines.
#[track_caller]
fn pending(text: &str) -> InstanceOptions {
    let mut config = good(&instance(text));
    config.instances.append(&mut config.left_out);
    InstanceOptions::clone(&config.instances.remove(0).options)
}

#[test]
fn routes() {
    let text = "static_routes {\n to 198.51.100.0/24 via 192.0.2.254 dev eth0 src 192.0.2.1 tos 0x10 table 100 metric 5 \
                scope link mtu lock 1400 rtt 1.5s realms 1/2 features ecn congctl lock reno onlink append\n \
                blackhole default6 dev eth1 no_track protocol static pref high expires 60\n \
                203.0.113.0/24 no_track nexthop via 192.0.2.254 weight 2 nexthop dev eth1 onlink encap mpls 16/17\n}";
    let config = good(text);
    let [first, second, third] = &config.static_routes[..] else { panic!("{:?}", config.static_routes) };
    assert_eq!(first.destination, Some(cidr("198.51.100.0", 24)));
    assert_eq!((first.via, first.dev.clone()), (Some("192.0.2.254".parse().unwrap()), eth(0)));
    assert_eq!(
        (first.tos, first.table, first.metric, first.scope),
        (Some(16), Some(100), Some(5), Some(253))
    );
    assert_eq!(
        first.metrics,
        [
            Metric { kind: MetricKind::Mtu, value: 1400, locked: true },
            Metric { kind: MetricKind::Rtt, value: 12_000, locked: false },
            Metric { kind: MetricKind::Features, value: 1, locked: false },
        ]
    );
    assert_eq!(first.realms, Some(Realms { from: 1, to: 2 }));
    assert_eq!(first.congestion, Some(("reno".to_owned(), true)));
    assert!(first.tracked && first.onlink && first.order == RouteOrder::Append);
    assert_eq!((second.kind, second.family, second.destination), (6, Family::V6, None));
    assert_eq!((second.protocol, second.pref, second.tracked), (Some(4), Some(1), false));
    assert_eq!(second.expires, Some(Duration::from_secs(60)));
    let hop = NextHop { via: Some("192.0.2.254".parse().unwrap()), weight: Some(2), ..NextHop::default() };
    let other =
        NextHop { dev: eth(1), onlink: true, encap: Some(Encap::Mpls(vec![16, 17])), ..NextHop::default() };
    assert_eq!(third.nexthops, [hop, other]);
}

#[test]
fn rules() {
    let text = "static_rules {\n not from 192.0.2.0/24 iif eth0 fwmark 0x1/0xff sport 80-90 dport 443 ipproto sctp table main \
                preference 0x10\n inet6 to 2001:db8::/32 uidrange 1-2 tunnel-id 7 goto 20 priority 10\n}";
    let config = good(text);
    let [first, second] = &config.static_rules[..] else { panic!("{:?}", config.static_rules) };
    assert!(first.inverted && first.tracked);
    assert_eq!((first.from, first.iif.clone()), (Some(cidr("192.0.2.0", 24)), eth(0)));
    assert_eq!((first.mark, first.preference), (Some((1, 255)), Some(16)));
    assert_eq!((first.source_ports, first.destination_ports), (Some((80, 90)), Some((443, 443))));
    assert_eq!((first.ip_protocol, first.action), (Some(132), RuleAction::Table(254)));
    assert_eq!((second.family, second.users, second.tunnel), (Family::V6, Some((1, 2)), Some(7)));
    assert_eq!(second.action, RuleAction::Goto(20));
}

#[test]
fn instances() {
    let found = pending(
        "use_vmac name v0 02:00:00:00:00 group 5\nuse_vmac_addr\nvirtual_routes { default dev eth0 }",
    );
    let vmac = Vmac {
        name: IfName::new("v0"),
        mac: Some(VmacAddress::Prefix([2, 0, 0, 0, 0])),
        notify_netlink: false,
        group: Some(5),
    };
    assert_eq!(found.vmac, Some(vmac));
    assert!(found.vmac_addresses && found.routes.len() == 1);
    let whole = pending("use_vmac 02:00:00:00:00:09").vmac.unwrap().mac;
    assert_eq!(whole, Some(VmacAddress::Whole(MacAddr([2, 0, 0, 0, 0, 9]))));
    let text = "unicast_src_ip 192.0.2.9\nunicast_peer {\n192.0.2.10 min_ttl 5\n}\nunicast_ttl 64";
    let found = good(&instance(text)).instances.remove(0);
    assert_eq!(
        found.peers,
        [UnicastPeer { address: "192.0.2.10".parse().unwrap(), min_ttl: 5, max_ttl: 255 }]
    );
    assert_eq!((found.unicast_ttl, found.source), (Some(64), Some("192.0.2.9".parse().unwrap())));
    let key = "0123456789012345678901234567890123456789";
    let found = pending(&format!(
        "auth_hmac {{\nkey 1 {key}\nkey 2 hex:{}\nactive_key 2\nmode permissive\n}}",
        "ab".repeat(32)
    ));
    let hmac = found.hmac.unwrap();
    assert_eq!((hmac.keys.len(), hmac.active, hmac.mode), (2, Some(2), HmacMode::Permissive));
    assert!(!format!("{hmac:?}").contains(key));
}

#[test]
fn nothing_is_left_out_that_can_run() {
    for text in [
        "authentication {\nauth_type AH\nauth_pass x\n}",
        "auth_hmac {\nkey 1 0123456789abcdef0123456789abcdef\nactive_key 1\n}",
        "unicast_peer { 192.0.2.9 }",
        "mcast_dst_ip 224.0.0.99",
        "use_vmac",
        "track_interface { eth1 }",
        "promote_secondaries",
    ] {
        assert_eq!(good(&instance(text)).instances.len(), 1, "{text}");
    }
}

#[test]
fn groups_and_trackers() {
    let text = "vrrp_track_file F {\n file /tmp/f\n weight 2 reverse\n init_file 5 overwrite\n}\n\
                vrrp_track_process P {\n process sshd -D\n quorum 2\n delay 1.5\n param_match initial\n}\n\
                bfd_instance B {\n neighbor_ip 192.0.2.99\n min_rx 50\n max_hops 3\n}\n\
                track_group T { group { A } }\n\
                static_ipaddress {\n 192.0.2.77/24 dev eth1 track_group T\n 192.0.2.78\n}\n\
                vrrp_sync_group G {\n group { A A2 }\n sync_group_tracking_weight\n track_file { F weight 3 noreverse }\n}\n\
                garp_group {\n garp_interval 0.5\n interfaces { eth0 eth1 }\n}\n\
                linkbeat_interfaces {\n eth0 MII\n}\ninterface_up_down_delays {\n eth1 1.5\n}\n";
    let tracks = "track_file { F }\ntrack_process { P weight -5 }\ntrack_bfd { B }\ntrack_interface { eth1 weight 5 reverse }";
    let second =
        "vrrp_instance A2 {\n interface eth1\n virtual_router_id 2\n virtual_ipaddress { 192.0.2.2 }\n}\n";
    let config = good(&format!("{text}{}{second}", instance(tracks)));
    let file = &config.track_files[0];
    assert_eq!((file.path.as_str(), file.weight, file.reverse), ("/tmp/f", 2, true));
    assert_eq!(file.init, Some(InitFile { value: 5, overwrite: true }));
    let process = &config.track_processes[0];
    assert_eq!((process.program.as_str(), &process.arguments[..]), ("sshd", &["-D".to_owned()][..]));
    assert_eq!((process.quorum, process.matching), (2, Some(ArgumentMatch::Initial)));
    assert_eq!(process.terminate_delay, Some(Duration::from_millis(1_500)));
    let bfd = &config.bfd[0];
    assert_eq!((bfd.min_rx, bfd.max_hops), (Some(Duration::from_millis(50)), Some(3)));
    assert!(bfd.for_vrrp && bfd.for_checker);
    assert_eq!(config.static_addresses[0].track_group.as_deref(), Some("T"));
    assert_eq!(config.static_addresses[1].address.dev, eth(0));
    let group = &config.sync_groups[0];
    assert_eq!(group.members, ["A", "A2"]);
    assert_eq!(group.tracks.files, [Track { name: "F".into(), weight: Some(3), reverse: Some(false) }]);
    let tracks = &config.instances[0].tracks;
    assert_eq!(tracks.processes, [Track { name: "P".into(), weight: Some(-5), reverse: None }]);
    assert_eq!(tracks.interfaces, [TrackInterface { interface: eth(1).unwrap(), weight: 5, reverse: true }]);
    assert_eq!(tracks.bfds.len(), 1);
    assert_eq!(config.garp_groups[0].interfaces.len(), 2);
    assert_eq!(config.linkbeats[0].method, Some(LinkbeatMethod::Mii));
    assert_eq!(config.link_delays[0].down, Duration::from_millis(1_500));
}

#[test]
fn real_time_priorities_out_of_range() {
    let what = "process real-time priority";
    for (written, used, said) in [
        ("99", Some(99), None),
        ("\" +1\"", Some(1), None),
        ("100", Some(99), Some("100 greater than maximum 99 - setting to maximum")),
        ("2147483647", Some(99), Some("2147483647 greater than maximum 99 - setting to maximum")),
        ("-5", Some(1), Some("-5 less than minimum 1 - setting to minimum")),
        ("\"\"", Some(1), Some("0 less than minimum 1 - setting to minimum")),
        ("2147483648", None, Some("'2147483648' invalid")),
        ("50x", None, Some("'50x' invalid")),
        ("abc", None, Some("'abc' invalid")),
    ] {
        for process in ["vrrp", "bfd", "checker"] {
            let loaded = load_text(&format!("global_defs {{\n {process}_rt_priority {written}\n}}\n"));
            let globals = &loaded.config.globals;
            let found = match process {
                "vrrp" => globals.options.vrrp_scheduling.realtime,
                "bfd" => globals.options.bfd_scheduling.realtime,
                _ => globals.lvs.process.rt_priority,
            };
            assert_eq!(found, used, "{process} {written}");
            let expected: Vec<_> = said.iter().map(|said| format!("{process} {what} {said}")).collect();
            let told: Vec<_> =
                loaded.diagnostics.iter().filter(|d| !d.not_in_effect).map(|d| d.text.clone()).collect();
            assert_eq!(told, expected, "{process} {written}");
        }
    }
}

#[test]
fn globals() {
    let text = "global_defs {\n notification_email { a@b \"C D <c@d>\" }\n smtp_server mail.example 587\n vrrp_strict off\n \
                umask IRWXG|IROTH\n vrrp_rt_priority 50\n vrrp_cpu_affinity 0 1\n nftables\n vrrp_garp_extra_if all 5\n \
                vrrp_rx_bufs_policy mtu\n enable_snmp_rfc\n notify_fifo /run/f nobody\n}\ninstance one\n";
    let config = good(text);
    let globals = config.globals.options;
    assert_eq!(globals.mail.to, ["a@b", "C D <c@d>"]);
    let host = MailHost::Name("mail.example".into());
    assert_eq!(globals.mail.server, Some(MailServer { host, port: 587 }));
    assert_eq!((globals.strict, globals.umask), (Some(false), Some(0o074)));
    assert_eq!(globals.vrrp_scheduling.realtime, Some(50));
    assert_eq!(globals.vrrp_scheduling.cpus, [0, 1]);
    assert_eq!(globals.firewall.nftables.as_deref(), Some("keepalived"));
    assert_eq!(globals.garp_extra, Some(GarpExtra { interval: Duration::from_secs(5), all: true }));
    assert_eq!(globals.buffers.receive, Some(ReceivePolicy::Mtu));
    assert!(globals.snmp.rfc_v2 && globals.snmp.rfc_v3);
    assert_eq!(globals.fifo.owner, Some(User { uid: 65_534, gid: 65_534, groups: Vec::new() }));
    assert_eq!(config.top.instance.as_deref(), Some("one"));
}

/// Groups of the user of `notify`, `users` being about users in `global_defs`.
fn groups_of_notify(users: &str, command: &str) -> Vec<u32> {
    let mut machine = machine(&format!(
        "global_defs {{\n enable_script_security\n{users}\n}}\nvrrp_instance A {{\n interface eth0\n \
         virtual_router_id 1\n virtual_ipaddress {{ 192.0.2.1 }}\n notify {command}\n}}\n"
    ));
    machine.users.insert("eve".to_owned(), (7, 7));
    machine.groups.extend([("eve".to_owned(), 7), ("eve-more".to_owned(), 8), ("mail".to_owned(), 12)]);
    let loaded = load_from(&machine);
    match &loaded.config.instances[0].notify {
        Some(Script::Run(run)) => run.user.groups.clone(),
        other => panic!("{other:?}: {:?}", lines(&loaded)),
    }
}

#[test]
fn supplementary_groups_are_given_where_asked_for() {
    let all = "set_supplementary_groups\n";
    assert_eq!(groups_of_notify("script_user eve", "/bin/notify.sh"), [0; 0]);
    assert_eq!(groups_of_notify("script_user eve :", "/bin/notify.sh"), [8]);
    assert_eq!(groups_of_notify("script_user eve :mail", "/bin/notify.sh"), [7, 8]);
    assert_eq!(groups_of_notify("", "'/bin/notify.sh' eve :"), [8]);
    assert_eq!(groups_of_notify(&format!("{all}script_user eve"), "/bin/notify.sh"), [8]);
    assert_eq!(groups_of_notify(&format!("script_user eve\n{all}"), "/bin/notify.sh"), [8]);
    assert_eq!(groups_of_notify(all, "'/bin/notify.sh' eve mail"), [7, 8]);
}

#[test]
fn a_bad_router_id_is_one_mistake() {
    let text =
        "vrrp_instance A {\n interface eth0\n virtual_router_id 300\n virtual_ipaddress { 192.0.2.1 }\n}\n";
    let loaded = load_text(text);
    let [only] = &loaded.diagnostics[..] else { panic!("{:?}", lines(&loaded)) };
    assert_eq!((only.span.as_ref().map(|s| s.line), only.effect), (Some(3), Effect::Refuses(2)));
}

#[test]
fn a_missing_brace_is_where_the_indentation_says() {
    let whole = "vrrp_instance A {\n    interface eth0\n    virtual_router_id 1\n    virtual_ipaddress {\n        192.0.2.1\n    }\n";
    // Of the instance, with another one behind it.
    let other = whole.replace("instance A", "instance B").replace("_id 1", "_id 2");
    let loaded = load_text(&format!("{whole}{other}}}\n"));
    let first = &loaded.diagnostics[0];
    assert_eq!(first.text, "Missing '}' at the end, probably to close 'vrrp_instance'");
    assert_eq!(first.hint.as_deref(), Some("line 7 is not indented as if it were inside"));
    // Of the list in it.
    let loaded = load_text(&format!(
        "{}    priority 5\n}}\n",
        whole.trim_end().trim_end_matches('}').trim_end().to_owned() + "\n"
    ));
    let found = loaded.diagnostics.iter().find(|d| d.text.starts_with("Missing")).unwrap();
    assert_eq!(found.text, "Missing '}' at the end, probably to close 'virtual_ipaddress'");
    assert_eq!(found.span.as_ref().map(|s| s.line), Some(4));
    assert_eq!(found.hint.as_deref(), Some("line 6 is not indented as if it were inside"));
    // Without indentation nothing can be said.
    let loaded = load_text(
        "vrrp_instance A {\ninterface eth0\nvirtual_router_id 1\nvirtual_ipaddress {\n192.0.2.1\n}\n",
    );
    let found = loaded.diagnostics.iter().find(|d| d.text.starts_with("Missing")).unwrap();
    assert_eq!(found.text, "Missing '}' at the end, to close 'vrrp_instance'");
}

#[test]
fn random_numbers() {
    let id = |text: &str| {
        let loaded = load_text(&format!("instance ${{_RANDOM{text}}}\n"));
        (loaded.config.top.instance.clone(), loaded.test_status())
    };
    // The machine's random number is always 4.
    assert_eq!(id(""), (Some("4".into()), 0));
    assert_eq!(id(" 10"), (Some("14".into()), 0));
    assert_eq!(id(" 10 12"), (Some("11".into()), 0));
    assert_eq!(id(" 10 10"), (Some("10".into()), 0));
    assert_eq!(id(" 10 5"), (Some("10".into()), 5));
    assert_eq!(id(" 0 18446744073709551615"), (Some("4".into()), 0));
    assert_eq!(id(" x").1, 5);
    assert_eq!(id(" 1 2 3").1, 5);
}

#[test]
fn names_come_from_iproute2() {
    let text = "static_routes {\n default dev eth0 table blue\n}\n";
    let loader = machine(text).file("/etc/iproute2/rt_tables.d/own.conf", "7 blue\n");
    let loaded = load_from(&loader);
    assert_eq!(loaded.config.static_routes[0].table, Some(7));
    assert_eq!(load_text(text).test_status(), 5);
}

#[test]
fn what_does_not_fit_into_a_packet_is_excluded() {
    let addresses: String = (1..=100).map(|n| format!(" fe80::{n:x}\n")).collect();
    let text = format!(
        "vrrp_instance A {{\n interface eth0\n virtual_router_id 1\n virtual_ipaddress {{\n{addresses} }}\n}}\n"
    );
    let instance = load_text(&text).config.instances.remove(0);
    assert_eq!((instance.addresses.len(), instance.excluded.len()), (89, 11));
}

#[test]
fn a_bad_value_of_an_encapsulation_drops_the_route() {
    for (encap, routes) in [
        ("ip dst 192.0.2.9 flags 1", 2),
        ("ip dst 192.0.2.9 flags x", 1),
        ("ip dst 192.0.2.9 ttl 256", 1),
        ("ip dst x", 1),
        ("ip6 dst 2001:db8::1 hoplimit x", 1),
        ("mpls x", 1),
        // Without it, as in stock.
        ("foo", 2),
    ] {
        let text = format!(
            "static_routes {{\n 198.51.100.0/24 dev eth0 encap {encap}\n 203.0.113.0/24 dev eth0\n}}\n"
        );
        let loaded = load_text(&text);
        assert_eq!(loaded.config.static_routes.len(), routes, "{encap}: {:?}", lines(&loaded));
    }
}

#[test]
fn a_check_that_cannot_be_run_yet_is_looked_for_later() {
    let text = |script: &str| {
        format!("global_defs {{\n enable_script_security\n}}\nvrrp_script S {{\n{script}\n}}\n")
    };
    let loaded = load_text(&text("script \"late.sh a\"\nuser nobody nogroup"));
    let [script] = &loaded.config.scripts[..] else { panic!("{:?}", loaded.config.scripts) };
    let Script::Sought(sought) = &script.script else { panic!("{script:?}") };
    assert_eq!((sought.name.as_str(), sought.user.uid, sought.safe_only), ("late.sh", 65_534, true));
    assert_eq!(sought.argv, ["late.sh", "a"]);
    let loaded = load_text(&text("script ./late.sh\nuser nobody nogroup"));
    let found = lines(&loaded).into_iter().find(|line| line.contains("late.sh"));
    assert_eq!(
        found.as_deref(),
        Some(
            "(x: Line 5) Script ./late.sh cannot be accessed - No such file or directory; \
             track script S counts as failed until it can be executed"
        )
    );
    let Script::Sought(sought) = &loaded.config.scripts[0].script else {
        panic!("{:?}", loaded.config.scripts)
    };
    assert!(sought.name.starts_with('/'), "the directory of the daemon is another one: {}", sought.name);
    // With a weight it is forgotten, so that priorities agree with those of stock.
    assert!(load_text(&text("script late.sh\nuser nobody nogroup\nweight 5")).config.scripts.is_empty());
}

#[test]
fn what_stock_tells_the_log_alone() {
    let text = "global_defs {\n vrrp_rlimit_rtime 5000\n}\nvrrp_track_file F {\n file /tmp/f\n}\n\
                vrrp_script used {\n script check a\n user nobody nogroup\n}\n\
                vrrp_script other {\n script /bin/check\n user nobody nogroup\n}\n";
    let noted = |text: &str| {
        let loaded = load_with_notes(&machine(text).program("check"));
        let notes = loaded.diagnostics.iter().filter(|d| d.severity == Severity::Note);
        assert!(notes.clone().all(|note| !note.shown_by_test()));
        notes.map(|note| note.text.clone()).collect::<Vec<_>>()
    };
    let tracked = text.to_owned() + &instance("track_script {\n used\n}");
    let found = [
        "Keyword 'vrrp_rlimit_rtime' is deprecated - please use 'vrrp_rlimit_rttime'",
        r#""vrrp_track_file" is deprecated, please use "track_file""#,
        "WARNING - script `check` resolved by path search to `check`. Please specify full path.",
        "Warning - script other is not used",
        "Warning - script S is not used",
    ];
    assert_eq!(noted(&tracked), found);
    // Of scripts that are not looked at without instances nothing is said.
    assert_eq!(noted(text)[..], found[..3]);
}
