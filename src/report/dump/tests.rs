//! Dumps.

use std::time::Duration;

use super::*;
use crate::base::Instant;
use crate::config::{self, Options};
use crate::report::{state_json, stats};
use crate::sim::loader::MemoryLoader;
use crate::vrrp::Machine;
use crate::vrrp::event::{Cause, Change, Reject};
use crate::vrrp::machine::State;
use crate::vrrp::observed::Observed;

#[test]
fn a_configuration_in_effect() {
    let text = "track_file F {\n file /run/f\n}\nglobal_defs {\n router_id R\n enable_script_security\n script_user root\n}\nvrrp_script S {\n script \"/bin/check a\"\n \
                weight 5\n}\nvrrp_instance A {\n interface eth0\n virtual_router_id 7\n authentication {\n \
                auth_type PASS\n auth_pass secret\n }\n virtual_ipaddress {\n 192.0.2.1/24 brd + label eth0:1\n \
                }\n track_script {\n S\n }\n track_file {\n F\n }\n notify \"/bin/check b\"\n}\nstatic_ipaddress {\n 198.51.100.1/24 dev eth1\n}\nbfd_instance B {\n neighbor_ip 192.0.2.9\n}\nvirtual_server 192.0.2.1 80 {\n \
                lb_algo rr\n lb_kind DR\n real_server 192.0.2.7 80 {\n weight 3\n TCP_CHECK {\n }\n }\n}\n";
    let loader = MemoryLoader::with_main(text).program("/bin/check");
    let options = Options { main: MemoryLoader::MAIN.into(), config_id: None, all_files: false };
    let config = config::load(&loader, &options).config;
    let lines = lines(&config, &crate::plan::resolve(&config), "node");
    for line in [
        "------< Global definitions >------",
        " Router ID = R",
        "------< VRRP Topology >------",
        " VRRP Instance = A",
        "   Virtual Router ID = 7",
        "   Priority = 100",
        "   Advert interval = 1 sec",
        "   Gratuitous ARP delay = 5",
        "   Password = ********",
        "   Virtual IP (1):",
        "     192.0.2.1/24 brd 192.0.2.255 dev eth0 scope global label eth0:1",
        "   Tracked scripts :",
        "     S weight 5",
        "   Generic state transition script = '/bin/check' 'b', uid:gid 0:0",
        "------< VRRP Scripts >------",
        "   Interval = 1 sec",
        "------< Static Addresses >------",
        "     198.51.100.1/24 dev eth1 scope global",
        "------< VRRP Track files >------",
        " Track file = F",
        "   File = /run/f",
        "------< BFD Topology >------",
        "   Neighbor IP = 192.0.2.9",
        "   Desired idle TX interval = 1000000 us",
        "------< LVS Topology >------",
        "   VS VIP = 192.0.2.1, VPORT = 80",
        "   lvs_sched = rr",
        "   default forwarding method = DR",
        "   RIP = 192.0.2.7, RPORT = 80, WEIGHT = 3",
        "     Keepalive method = TCP_CHECK",
    ] {
        assert!(lines.iter().any(|l| l == line), "{line} is not in\n{}", lines.join("\n"));
    }
    assert!(!lines.iter().any(|l| l.contains("secret")), "a password is told");
}

/// A daemon with this configuration, of which nothing is known.
fn configured(text: &str) -> (Config, Plan) {
    let options = Options { main: MemoryLoader::MAIN.into(), config_id: None, all_files: false };
    let config = config::load(&MemoryLoader::with_main(text), &options).config;
    let plan = crate::plan::resolve(&config);
    (config, plan)
}

/// The lines behind the one that says `title`, as long as they are list items.
fn list(text: &str, title: &str) -> Vec<String> {
    let lines = text.lines().skip_while(|line| *line != title).skip(1);
    lines.take_while(|line| line.starts_with("     ")).map(|line| line.trim().to_owned()).collect()
}

/// Written as stock 2.2.7 writes them, when it was watched.
#[test]
fn addresses_routes_and_rules_as_in_stock() {
    let (config, plan) = configured(
        "vrrp_instance A {\n interface eth0\n virtual_router_id 7\n virtual_ipaddress {\n 10.7.0.100/24\n }\n \
         virtual_ipaddress_excluded {\n 10.7.1.1 peer 10.7.1.2 dev eth1\n 10.7.1.3/24 scope 5 dev eth1\n \
         10.7.1.4/24 dev eth1 noprefixroute home\n 2001:db8:1::1/64 preferred_lft 30 dev eth1\n \
         2001:db8:1::2 -nodad mngtmpaddr dev eth1\n 2001:db8:1::3 preferred_lft forever dev eth1\n \
         239.1.1.1/24 autojoin dev eth1\n 10.7.0.102/32 dev eth1 no_track\n fe80::77/64 dev eth1\n }\n \
         virtual_routes {\n 10.55.0.0/16 dev eth0 scope link\n \
         10.54.0.0/16 dev eth0 congctl cubic mtu 1400 ssthresh 5 hoplimit 8 features ecn realms 3 metric 4 onlink\n \
         10.56.0.0/16 via 10.7.0.9 dev eth0 tos 16 metric 3 mtu lock 1400 hoplimit 5 advmss 1000 realms 4/5\n \
         10.57.0.0/16 nexthop via 10.7.0.9 dev eth0 weight 4 nexthop via 10.7.0.10 dev eth0 onlink\n \
         unreachable 10.58.0.0/16\n prohibit 10.59.0.0/16 table 44\n default via 10.7.0.9\n \
         2001:db8:5::/64 via fe80::9 dev eth0 pref high expires 30\n \
         10.62.0.0/16 encap ip id 5 dst 1.2.3.4 src 2.3.4.5 tos 3 ttl 4 dev eth0\n \
         2001:db8:6::/64 from 2001:db8:7::/64 src 2001:db8:1::1 via fe80::9 dev eth0\n \
         10.63.0.0/16 dev eth0 append\n \
         10.64.0.0/16 dev eth0 add onlink table 300 ttl-propagate enabled fastopen_no_cookie 1\n \
         src 10.7.0.100 to 192.0.3.0/24 via 10.7.0.254 dev eth0 metric 5 table 7 no_track\n }\n \
         virtual_rules {\n not from 10.1.0.0/16 table main priority 10\n \
         to 10.2.0.0/16 fwmark 3/7 iif eth0 oif eth1 lookup 5 priority 11\n from 10.4.0.0/16 prohibit priority 14\n \
         from 10.5.0.0/16 goto 16 priority 15\n from 10.6.0.0/16 nop priority 16\n \
         from 10.7.0.0/16 ipproto tcp sport 5-5 dport 6-9 table 8 priority 17\n \
         from 10.8.0.0/16 uidrange 5-6 suppress_prefixlength 4 suppress_ifgroup 5 realms 3/4 table 9 priority 18\n \
         iif eth0 l3mdev priority 19\n from 192.0.2.0/24 table 100\n \
         from 192.0.6.0/24 to 1.2.3.4 priority 700 table 8 no_track\n }\n}\n",
    );
    let text = lines(&config, &plan, "node").join("\n");
    assert_eq!(
        list(&text, "   Virtual IP Excluded :"),
        [
            "10.7.1.1 dev eth1 scope global peer 10.7.1.2/32",
            "10.7.1.3/24 dev eth1 scope 5",
            "10.7.1.4/24 dev eth1 scope global home noprefixroute",
            "2001:db8:1::1/64 dev eth1 scope global preferred_lft 30",
            "2001:db8:1::2 dev eth1 scope global -nodad mngtmpaddr deprecated",
            "2001:db8:1::3 dev eth1 scope global preferred_lft forever",
            "239.1.1.1/24 dev eth1 scope global autojoin",
            "10.7.0.102 dev eth1 scope global no_track",
            "fe80::77/64 dev eth1 scope global preferred_lft forever",
        ]
    );
    assert_eq!(
        list(&text, "   Virtual Routes :"),
        [
            "prepend 10.55.0.0/16 dev eth0 proto 18 scope 253",
            "prepend 10.54.0.0/16 dev eth0 proto 18 metric 4 onlink realm 3 congctl cubic features ecn mtu 1400 ssthresh 5 \
             hoplimit 8",
            "prepend 10.56.0.0/16 tos 16 via inet 10.7.0.9 dev eth0 proto 18 metric 3 realms 4/5 mtu lock 1400 advmss \
             1000 hoplimit 5",
            "prepend 10.57.0.0/16 proto 18 nexthop via inet 10.7.0.9 dev eth0 weight 4 nexthop via inet 10.7.0.10 dev \
             eth0 onlink no_track",
            "add unreachable 10.58.0.0/16 proto 18 no_track",
            "add prohibit 10.59.0.0/16 table 44 proto 18 no_track",
            "prepend 0.0.0.0/0 via inet 10.7.0.9 proto 18 no_track",
            "prepend 2001:db8:5::/64 via inet6 fe80::9 dev eth0 proto 18 expires 30sec pref high",
            "prepend 10.62.0.0/16 encap ip id 5 dst 1.2.3.4 src 2.3.4.5 tos 3 ttl 4 dev eth0 proto 18",
            "prepend 2001:db8:6::/64 from 2001:db8:7::/64 src 2001:db8:1::1 via inet6 fe80::9 dev eth0 proto 18",
            "append 10.63.0.0/16 dev eth0 proto 18",
            "add 10.64.0.0/16 dev eth0 table 300 proto 18 onlink fastopen_no_cookie 1 ttl-propagate enabled",
            "prepend 192.0.3.0/24 src 10.7.0.100 via inet 10.7.0.254 dev eth0 table 7 metric 5 no_track",
        ]
    );
    assert_eq!(
        list(&text, "   Virtual Rules :"),
        [
            "not from 10.1.0.0/16 priority 10 tos 0x0 protocol 18 lookup 254",
            "from all to 10.2.0.0/16 priority 11 tos 0x0 fwmark 0x3/0x7 iif eth0 oif eth1 protocol 18 lookup 5",
            "from 10.4.0.0/16 priority 14 tos 0x0 protocol 18 type prohibit",
            "from 10.5.0.0/16 priority 15 tos 0x0 protocol 18 goto 16",
            "from 10.6.0.0/16 priority 16 tos 0x0 protocol 18 nop",
            "from 10.7.0.0/16 priority 17 tos 0x0 protocol 18 ipproto 6 sport 5-5 dport 6-9 lookup 8",
            "from 10.8.0.0/16 priority 18 tos 0x0 suppress_prefixlen 4 suppress_ifgroup 5 uidrange 5-6 protocol 18 \
             realms 3/4 lookup 9",
            "from all priority 19 tos 0x0 iif eth0 l3mdev protocol 18 lookup 0",
            "from 192.0.2.0/24 priority 16384 tos 0x0 protocol 18 lookup 100",
            "from 192.0.6.0/24 to 1.2.3.4 priority 700 tos 0x0 lookup 8 no_track",
        ]
    );
}

/// One instance that is master, and one that does not answer.
fn found(plan: &Plan) -> Findings {
    let instance = &plan.instances[0];
    let mut snapshot = Machine::new(instance.params.clone(), instance.tracked()).snapshot();
    snapshot.state = State::Master;
    snapshot.cause = Cause::MasterDown;
    snapshot.deadline = Some(Instant::from_micros(2_500_000));
    snapshot.counters.advert_sent = 12;
    let rejects = [(Reject::Password, 3), (Reject::Checksum, 4), (Reject::AddressCount(1), 5)];
    snapshot.counters.rejects = rejects.map(|(reject, count)| (reject.kind(), count)).into();
    let history = vec![
        Change { at: Instant::from_micros(0), state: State::Backup, cause: Cause::Start },
        Change { at: Instant::from_micros(1_500_000), state: State::Master, cause: Cause::MasterDown },
    ];
    let observed = Observed {
        id: instance.id,
        at: Instant::from_micros(2_000_000),
        unix_time: Duration::from_secs(1_000_000_002),
        since: Duration::from_micros(1_000_000_001_500_000),
        source: Some("10.0.0.1".parse().unwrap()),
        snapshot,
        history,
    };
    Findings { observed: [(instance.id, observed)].into(), ..Findings::default() }
}

fn two_instances(globals: &str) -> (Config, Plan) {
    let instance = |name: &str, vrid: u8| {
        format!(
            "vrrp_instance {name} {{\n interface eth0\n virtual_router_id {vrid}\n version 2\n \
             authentication {{\n auth_type PASS\n auth_pass secret\n }}\n \
             virtual_ipaddress {{\n 10.0.1.{vrid}/24\n }}\n}}\n"
        )
    };
    configured(&format!("global_defs {{\n {globals}\n}}\n{}{}", instance("A", 1), instance("B", 2)))
}

#[test]
fn a_daemon_that_runs() {
    let (config, plan) = two_instances("router_id R");
    let findings = found(&plan);
    let view = View::new(&plan, &config, &findings, "node", TimeZone::UTC);
    let text = data(&view);
    for line in [
        "   State = MASTER",
        "   Last transition = 1000000001.500000 (Sun Sep  9 01:46:41.500000 2001)",
        "   Read timeout = 1000000002.500000 (Sun Sep  9 01:46:42.500000 2001)",
        "   Master down timer = 3609375 usecs",
        "   Using src_ip = 10.0.0.1",
        " History of A",
        "   Cause = no advert for the master-down time",
        "   Rejected, password = 3",
        "     1000000000.000000 (Sun Sep  9 01:46:40.000000 2001) BACKUP: start",
        "     1000000001.500000 (Sun Sep  9 01:46:41.500000 2001) MASTER: no advert for the master-down time",
        " History of B",
        "   It did not answer",
    ] {
        assert!(text.lines().any(|l| l == line), "{line} is not in\n{text}");
    }
    assert!(!text.contains("secret"), "{text}");
    assert!(parent(&view).lines().count() > 70 && !parent(&view).contains("VRRP Instance"));
}

#[test]
fn statistics_under_the_names_of_stock() {
    let (config, plan) = two_instances("");
    let findings = found(&plan);
    let text = stats::text(&View::new(&plan, &config, &findings, "node", TimeZone::UTC));
    assert_eq!(
        text,
        "VRRP Instance: A\n  Advertisements:\n    Received: 0\n    Sent: 12\n  Became master: 0\n  Released master: 0\n  \
         Packet Errors:\n    Length: 0\n    TTL: 0\n    Invalid Type: 0\n    Advertisement Interval: 0\n    \
         Address List: 5\n  Authentication Errors:\n    Invalid Type: 0\n    Type Mismatch: 0\n    Failure: 3\n  \
         Priority Zero:\n    Received: 0\n    Sent: 0\n",
        "B did not answer"
    );
}

#[test]
fn both_versions_of_json() {
    for (globals, prefix) in
        [("router_id R", r#"[{"data":{"iname":"A","#), ("json_version 2", r#"{"vrrp":[{"data":{"#)]
    {
        let (config, plan) = two_instances(globals);
        let findings = found(&plan);
        let text = state_json::text(&View::new(&plan, &config, &findings, "node", TimeZone::UTC));
        assert!(text.starts_with(prefix), "{text}");
        assert!(text.ends_with("}\n") || text.ends_with("]\n"), "{text}");
        for part in [
            r#""last_transition":1000000001.500000,"garp_delay":5,"#,
            r#""adver_int":1,"master_adver_int":1,"#,
            r#""vips":["10.0.1.1\/24 dev eth0 scope global"],"auth_type":1,"auth_data":"********"}"#,
            r#""addr_list_err":5,"invalid_authtype":0,"authtype_mismatch":0,"auth_failure":3,"pri_zero_rcvd":0"#,
        ] {
            assert!(text.contains(part), "{part} is not in {text}");
        }
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        let list = value.get("vrrp").unwrap_or(&value);
        assert_eq!(list.as_array().unwrap().len(), 1, "B did not answer");
    }
}
