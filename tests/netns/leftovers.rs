//! What a daemon that was killed has left, and a configuration that has changed meanwhile.

use nix::sys::signal::Signal;

use crate::lab::{Daemon, Kind, Lan, Router, wait_until};
use crate::support::{B, Two};
use crate::vmac::{has, instance, router, traces};

/// An instance of another virtual router than that of [`instance`].
fn other(name: &str, vrid: u8, more: &str, addresses: &str) -> String {
    let vrid = format!("virtual_router_id {vrid}");
    instance(name, "eth0", 100, more, addresses).replace("virtual_router_id 51", &vrid)
}

/// The VMACs of a router: name, hardware address and addresses, in the order of their names.
fn vmacs(router: &Router) -> Vec<String> {
    let links = router.run("ip -o link show type macvlan");
    let mut vmacs: Vec<String> = links
        .lines()
        .map(|line| {
            let name = line.split_whitespace().nth(1).unwrap().split('@').next().unwrap();
            let mac = line.split("link/ether ").nth(1).unwrap().split(' ').next().unwrap();
            let shown = router.run(&format!("ip -4 -o addr show dev {name} 2> /dev/null || true"));
            let mut words = shown.split_whitespace();
            let mut addresses = Vec::new();
            while words.find(|word| *word == "inet").is_some() {
                addresses.extend(words.next());
            }
            addresses.sort_unstable();
            format!("{name} {mac} {}", addresses.join(" "))
        })
        .collect();
    vmacs.sort();
    vmacs
}

/// Sends SIGHUP after a change of the configuration.
fn reload(router: &Router, daemon: &Daemon, config: &str) {
    router.write("/etc/keepalived/keepalived.conf", config);
    daemon.signal(Signal::SIGHUP);
}

/// Whatever names and VRIDs are exchanged, after a crash and at a reload, it is in the end as if it had been started so.
#[test]
fn names_and_vrids_of_vmacs_are_exchanged() {
    let pair = |a: (u8, &str), b: (u8, &str)| {
        other("V", a.0, &format!("use_vmac {}", a.1), "10.7.0.100/24")
            + &other("W", b.0, &format!("use_vmac {}", b.1), "10.7.0.200/24")
    };
    let first = pair((51, "va"), (52, "vb"));
    let others = [
        pair((51, "vb"), (52, "va")),
        pair((52, "va"), (51, "vb")),
        pair((52, "va"), (53, "vb")),
        pair((51, "vb"), (52, "vc")),
        pair((53, "vb"), (51, "")),
        pair((51, ""), (52, "va")),
    ];
    crate::support::side_by_side(others.to_vec(), |second| {
        let lan = Lan::new();
        let router = router(&lan);
        let before = traces(&router);
        let both = || has(&router, "10.7.0.100") && has(&router, "10.7.0.200");
        let whole = |config: &str| {
            let daemon = router.start(Kind::Ours, config);
            wait_until("both are masters", both);
            let whole = vmacs(&router);
            daemon.stop();
            whole
        };
        let (start, end) = (whole(&first), whole(&second));
        // Without a name that somebody wrote, what there is keeps the one that it has.
        let nameless = second.contains("use_vmac \n");
        let compared = |mut lines: Vec<String>| {
            for line in lines.iter_mut().filter(|_| nameless) {
                *line = line.split_once(' ').unwrap().1.to_owned();
            }
            lines.sort();
            lines
        };
        let end = compared(end);
        for killed in [true, false] {
            let mut daemon = router.start(Kind::Ours, &first);
            wait_until("it is as at a start", || vmacs(&router) == start);
            if killed {
                daemon.crash();
                daemon = router.start(Kind::Ours, &second);
            } else {
                daemon.wait_log("(W) Entering MASTER STATE");
                reload(&router, &daemon, &second);
            }
            wait_until("it is as if started so", || compared(vmacs(&router)) == end);
            wait_until("both are masters", both);
            let log = daemon.log();
            for wrong in ["File exists", "another macvlan", "a foreign link", "is not there"] {
                assert!(!log.contains(wrong), "{wrong}: {log}");
            }
            daemon.stop();
            assert_eq!(traces(&router), before, "killed: {killed}");
        }
    });
}

/// The settings of an interface go with it when it gets another name: a stop finds them there, and so does the start after
/// a crash.
#[test]
fn settings_follow_an_interface_that_is_renamed() {
    for killed in [false, true] {
        let lan = Lan::new();
        let router = router(&lan);
        let settings = |name: &str| {
            let values = "arp_ignore,arp_filter,rp_filter,promote_secondaries";
            router.run(&format!(
                "for s in $(echo {values} | tr , ' '); do cat /proc/sys/net/ipv4/conf/{name}/$s; done | xargs"
            ))
        };
        let before = settings("eth0");
        let config = "global_defs {\n dynamic_interfaces\n}\n".to_owned()
            + &instance("V", "eth0", 100, "use_vmac\n promote_secondaries", "10.7.0.100/24");
        let daemon = router.start(Kind::Ours, &config);
        wait_until("it is master", || has(&router, "10.7.0.100"));
        assert_ne!(settings("eth0"), before);
        if killed {
            daemon.crash();
            router.run("ip link set eth0 down && ip link set eth0 name lan0 && ip link set lan0 up");
            let daemon = router.start(Kind::Ours, "global_defs {\n}\n");
            daemon.wait_log("Startup complete");
            daemon.stop();
        } else {
            router.run("ip link set eth0 down && ip link set eth0 name lan0 && ip link set lan0 up");
            daemon.wait_log("(interface eth0 was renamed)");
            daemon.stop();
        }
        assert_eq!(settings("lan0"), before, "killed: {killed}");
    }
}

/// A VMAC of IPv6 does not answer for the IPv4 address of the same VRID: the switch may know its address at another port.
/// Stock's does.
#[test]
fn a_vmac_of_ipv6_says_nothing_of_ipv4_addresses() {
    let two = Two::new();
    let four = instance("V", "eth0", 100, "use_vmac", "10.7.0.100/24");
    let six = instance("V6", "eth0", 100, "use_vmac", "fe80::100/64\n 2001:db8::100/64");
    let daemon = two.a.start(Kind::Ours, &(four + &six));
    wait_until("all are masters", || has(&two.a, "10.7.0.100") && has(&two.a, "2001:db8::100"));
    // Who asks for the other router tells where he is himself, from the address that he answers for.
    for dev in ["eth0", "vrrp.51"] {
        two.a.run(&format!("ip neigh replace {B} lladdr 02:00:00:00:00:01 dev {dev} nud permanent"));
    }
    for _ in 0..10 {
        two.b.run("ip neigh flush all; ping -c 1 -W 1 10.7.0.100 || true");
        let known = two.b.run("ip neigh show 10.7.0.100");
        assert!(known.contains("lladdr 00:00:5e:00:01:33"), "{known}");
    }
    daemon.stop();
}

/// What a daemon that was killed had, and the next one is not configured to have, goes at its start. Stock leaves it. What an
/// administrator has made stays.
#[test]
fn what_is_configured_no_more_goes_after_a_crash() {
    let lan = Lan::new();
    let router = router(&lan);
    let before = traces(&router);
    let routing = |router: &Router| {
        router.run("ip route show table all proto keepalived; ip rule show | grep -v 'lookup \\(local\\|main\\|default\\)' || true")
    };
    let rich = instance(
        "V",
        "eth0",
        100,
        "use_vmac\n no_accept\n virtual_routes {\n 10.77.0.0/16 via 10.8.0.9 dev eth1\n }\n virtual_rules {\n from 10.66.0.0/16 \
         table 77 priority 777\n }",
        "10.7.0.100/24\n 10.8.0.100/24 dev eth1",
    );
    let plain = other("W", 52, "", "10.7.0.200/24\n 10.7.0.201/32");
    let statics = "static_ipaddress {\n 10.8.0.150/24 dev eth1\n}\n";
    let both = format!("{statics}{rich}{plain}");
    let daemon = router.start(Kind::Ours, &both);
    wait_until("both are masters", || has(&router, "10.8.0.100") && has(&router, "10.7.0.201"));
    wait_until("route and rule are there", || {
        let there = routing(&router);
        there.contains("10.77.0.0/16") && there.contains("777:")
    });
    daemon.crash();
    assert!(has(&router, "10.7.0.100") && has(&router, "10.8.0.150"));
    // Like what is left, but nobody's of ours.
    router.run("ip addr add 10.8.0.199/24 dev eth1");
    // An address whose prefix has changed is another one.
    let fewer = other("W", 52, "", "10.7.0.201/24");
    let daemon = router.start(Kind::Ours, &fewer);
    let shown = || router.run("ip -o addr show");
    wait_until("it is master", || shown().contains("10.7.0.201/24"));
    for gone in ["10.7.0.100/", "10.7.0.200/", "10.7.0.201/32", "10.8.0.100/", "10.8.0.150/"] {
        assert!(!shown().contains(gone), "{gone}: {}", daemon.log());
    }
    wait_until("route and rule are gone", || routing(&router).is_empty());
    assert_eq!(vmacs(&router), [""; 0]);
    assert_eq!(router.run("nft list ruleset"), "");
    assert!(has(&router, "10.8.0.199"), "it was not ours");
    daemon.stop();
    router.run("ip addr del 10.8.0.199/24 dev eth1");
    assert_eq!(traces(&router), before);
    assert_eq!(router.run("ls /run | grep claims || true"), "");
}
