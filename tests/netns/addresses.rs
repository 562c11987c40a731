//! What the daemon does to the addresses of the kernel, and what it does when others do.

use crate::lab::{Address, Kind, wait_until};
use crate::support::{A, B, Two, VIPS, config, each_pair, holds, holds_any, side_by_side, subject};

/// Addresses with every attribute, as the kernel shows them, are the same as stock's.
#[test]
fn attributes_are_those_of_stock() {
    let rich = config(3, 100, "").replace(
        "virtual_ipaddress {",
        "virtual_ipaddress {
            10.8.0.1/28 dev eth0 label eth0:web
            10.8.0.2 brd 10.8.0.255 dev eth0 scope link
            10.8.0.3/32 dev eth1 scope host
            10.8.0.4/24 brd + dev eth1",
    );
    let rich = format!(
        "{} virtual_ipaddress_excluded {{\n 10.8.1.1/24 dev eth1 label eth1:x\n 10.8.1.2\n }}\n}}\n",
        rich.trim_end().trim_end_matches('}')
    );
    let addresses = |kind: Kind| {
        let two = Two::new();
        two.a.attach(&two.lan, "eth1", "10.9.0.1/24");
        let before = two.a.addresses();
        let daemon = two.a.start(kind, &rich);
        two.wait_adverts(0, A, 2);
        wait_until("all addresses are there", || two.a.addresses().len() == before.len() + 8);
        let held = two.a.addresses();
        daemon.stop();
        assert_eq!(two.a.addresses(), before, "a stopped daemon leaves what it found");
        held
    };
    let shown = |kind| addresses(kind).into_iter().map(line).collect::<Vec<_>>();
    assert_eq!(shown(subject()), shown(Kind::Stock));
}

fn line(address: Address) -> String {
    format!("{} {}", address.dev, address.rest)
}

/// A router whose daemon was killed still has the addresses when another is master long since. The daemon's next
/// start removes them.
#[test]
fn left_overs_are_removed() {
    each_pair(|a, b| {
        let two = Two::new();
        let (first, _second) = two.started((a, b), &config(3, 150, ""), &config(3, 100, ""));
        first.crash();
        wait_until("the backup takes over", || holds(&two.b));
        assert!(holds(&two.a));
        // It comes back humble, so it has no right to them.
        let again = two.a.start(a, &config(3, 50, ""));
        wait_until("the left-overs are gone", || !holds_any(&two.a));
        again.wait_log("(VI_1) Entering BACKUP STATE");
        let mark = two.capture.mark();
        two.wait_adverts(mark, B, 6);
        assert!(holds(&two.b) && !holds_any(&two.a));
    });
}

/// A router alone whose daemon was killed has its addresses again when the daemon is back, and loses them all
/// when it stops.
#[test]
fn left_overs_are_adopted() {
    let two = Two::new();
    let first = two.a.start(subject(), &config(3, 150, ""));
    wait_until("the router is master", || holds(&two.a));
    first.crash();
    let mark = two.capture.mark();
    let again = two.a.start(subject(), &config(3, 150, ""));
    two.wait_adverts(mark, A, 2);
    wait_until("the router is master again", || holds(&two.a));
    again.stop();
    assert!(!holds_any(&two.a));
}

/// An address that somebody else deletes is back. Ours stays master meanwhile; stock resigns and is elected anew.
#[test]
fn deleted_address_is_back() {
    each_pair(|a, b| {
        let two = Two::new();
        let (first, _second) = two.started((a, b), &config(2, 150, ""), &config(2, 100, ""));
        let mark = two.capture.mark();
        let vip = VIPS[1];
        two.a.run(&format!("ip addr del {vip}/24 dev eth0"));
        match a {
            Kind::Ours => {
                wait_until("the address is back", || holds(&two.a));
                let adverts = two.wait_adverts(mark, A, 3);
                assert!(adverts.iter().all(|advert| advert.priority == 150), "it does not resign");
                assert_eq!(two.capture.adverts_since(mark, B).len(), 0, "the other one notices nothing");
                let log = first.log();
                assert!(
                    log.lines().any(|l| l.contains(&vip.to_string()) && l.contains("eth0")),
                    "it says so"
                );
            }
            Kind::Stock => {
                wait_until("it resigns", || {
                    two.capture.adverts_since(mark, A).iter().any(|p| p.priority == 0)
                });
                two.wait_master_a();
            }
        }
    });
}

/// An address that is there before the daemon starts is not in its way.
#[test]
fn address_that_exists_already() {
    let two = Two::new();
    two.a.run(&format!("ip addr add {}/24 dev eth0", VIPS[0]));
    let daemon = two.a.start(subject(), &config(3, 100, ""));
    two.wait_adverts(0, A, 3);
    wait_until("the router is master", || holds(&two.a));
    daemon.stop();
    assert!(!holds_any(&two.a));
}

/// The interface going down is FAULT, with the addresses leaving; its return is an election.
#[test]
fn interface_goes_down_and_up() {
    each_pair(|a, b| {
        let two = Two::new();
        let (first, _second) = two.started((a, b), &config(3, 150, ""), &config(3, 100, ""));
        two.a.run("ip link set eth0 down");
        first.wait_log("(VI_1) Entering FAULT STATE");
        wait_until("the backup takes over", || holds(&two.b));
        two.a.run("ip link set eth0 up");
        two.wait_master_a();
    });
}

/// The router's own address going away is FAULT, for it has none to speak from; its return is an election.
#[test]
fn source_address_goes_and_returns() {
    each_pair(|a, b| {
        let two = Two::new();
        // Else the virtual addresses would go with the router's own, being secondary to it.
        two.a.run("sysctl -qw net.ipv4.conf.all.promote_secondaries=1");
        let (first, _second) = two.started((a, b), &config(3, 150, ""), &config(3, 100, ""));
        two.a.run(&format!("ip addr del {A}/24 dev eth0"));
        first.wait_log("(VI_1) Entering FAULT STATE");
        wait_until("the backup takes over", || holds(&two.b));
        two.a.run(&format!("ip addr add {A}/24 dev eth0"));
        two.wait_master_a();
    });
}

/// Many addresses of many instances move together.
#[test]
fn hundred_instances() {
    let of = |priority: u8| {
        let instance = |n: u8| {
            format!(
                "vrrp_instance VI_{n} {{\n interface eth0\n virtual_router_id {n}\n priority {priority}\n \
                 version 3\n advert_int 1\n garp_master_repeat 1\n virtual_ipaddress {{\n 10.8.{n}.1/32\n 10.8.{n}.2/32\n }}\n}}\n"
            )
        };
        (1..=100).map(instance).collect::<String>()
    };
    side_by_side(vec![(subject(), subject())], |(a, b)| {
        let two = Two::new();
        let count = |router: &crate::lab::Router| router.addresses().len() - 1;
        let second = two.b.start(b, &of(100));
        let first = two.a.start(a, &of(150));
        wait_until("A has all addresses", || count(&two.a) == 200 && count(&two.b) == 0);
        first.stop();
        assert_eq!(count(&two.a), 0);
        wait_until("B has all addresses", || count(&two.b) == 200);
        let _again = two.a.start(a, &of(150));
        wait_until("A has all addresses again", || count(&two.a) == 200 && count(&two.b) == 0);
        drop(second);
    });
}

/// What somebody keeps removing is put back later each time, and that is said, once for each stage.
#[test]
fn that_restoring_backs_off_is_told() {
    let what = [
        ("ip addr del 10.7.0.100/24 dev eth0", "address 10.7.0.100/24 on eth0"),
        ("ip route del 10.77.0.0/16", "route 10.77.0.0/16 via 10.7.0.1"),
        ("ip rule del pref 777", "rule 777: from 10.66.0.0/16 lookup 77"),
        ("ip link del vrrp.52", "VMAC interface vrrp.52"),
        ("nft flush ruleset", "nftables entries"),
    ];
    side_by_side(what.to_vec(), |(remove, told)| {
        let two = Two::new();
        let more = "no_accept\n virtual_routes {\n 10.77.0.0/16 via 10.7.0.1\n }\n virtual_rules {\n from 10.66.0.0/16 table 77 \
                    priority 777\n }";
        let vmac = "vrrp_instance V2 {\n interface eth0\n virtual_router_id 52\n use_vmac\n virtual_ipaddress {\n 10.7.0.200/24\n }\n}\n";
        let daemon = two.a.start(Kind::Ours, &format!("{}{vmac}", config(3, 150, more)));
        wait_until("both are masters", || holds(&two.a) && two.a.has([10, 7, 0, 200].into()));
        two.wait_adverts(two.capture.mark(), A, 3);
        let line = format!(
            "Somebody keeps removing {told}: restored 5 times - next time not before 0.04 s have passed"
        );
        // Until it is back, there is nothing to remove.
        wait_until(&format!("it says `{line}`"), || {
            two.a.run(&format!("{remove} 2> /dev/null || true"));
            daemon.log().contains(&line)
        });
        let log = daemon.log();
        let first = format!(
            "Somebody keeps removing {told}: restored 4 times - next time not before 0.02 s have passed"
        );
        assert_eq!(log.matches(&first).count(), 1, "{log}");
        assert_eq!(log.matches("Entering").count(), 4, "both are BACKUP and MASTER once: {log}");
        daemon.stop();
    });
}
