//! Interfaces that come, go and change.

use crate::lab::{Kind, wait_until};
use crate::support::{A, B, MAC_A, Two, config, each_pair, holds, holds_any};

/// The usual instance, on an interface that need not exist.
fn dynamic(priority: u8, more: &str) -> String {
    format!("global_defs {{\n dynamic_interfaces\n}}\n{}", config(3, priority, more))
}

/// An interface that is deleted is FAULT; one of the same name, with another index, is an election.
#[test]
fn deleted_and_created_anew() {
    each_pair(|a, b| {
        let two = Two::new();
        let (first, _second) = two.started((a, b), &dynamic(150, ""), &dynamic(100, ""));
        two.a.run("ip link del eth0");
        first.wait_log("(VI_1) Entering FAULT STATE");
        wait_until("the backup takes over", || holds(&two.b));
        two.a.attach(&two.lan, "eth0", &format!("{A}/24"));
        two.wait_master_a();
    });
}

/// An interface with another name is not the one that is meant, until it has its name back.
#[test]
fn renamed_and_named_back() {
    each_pair(|a, b| {
        let two = Two::new();
        let (first, _second) = two.started((a, b), &dynamic(150, ""), &dynamic(100, ""));
        two.a.run("ip link set eth0 down && ip link set eth0 name lan0 && ip link set lan0 up");
        first.wait_log("(VI_1) Entering FAULT STATE");
        wait_until("the backup takes over", || holds(&two.b));
        wait_until("no address stays on the interface of another name", || !holds_any(&two.a));
        two.a.run("ip link set lan0 down && ip link set lan0 name eth0 && ip link set eth0 up");
        two.wait_master_a();
    });
}

/// An interface that is not there at the start.
#[test]
fn created_after_the_start() {
    each_pair(|a, b| {
        let two = Two::new();
        let _second = two.b.start(b, &dynamic(100, ""));
        wait_until("B is master", || holds(&two.b));
        two.a.run("ip link set eth0 down && ip link set eth0 name later");
        let first = two.a.start(a, &dynamic(150, ""));
        first.wait_log("FAULT");
        two.a.run("ip link set later name eth0 && ip link set eth0 up");
        two.wait_master_a();
    });
}

/// A hardware address that changes is the one that is announced from then on.
#[test]
fn another_hardware_address() {
    each_pair(|a, b| {
        let two = Two::new();
        let more = "garp_master_refresh 1";
        let (_first, _second) = two.started((a, b), &config(3, 150, more), &config(3, 100, more));
        let mark = two.capture.mark();
        let mac = [2, 0, 0, 0, 0, 0x77];
        two.a.run("ip link set eth0 address 02:00:00:00:00:77");
        wait_until("it announces the new address", || two.capture.garps_since(mark, mac).len() >= 4);
        let changed = two.capture.mark();
        two.wait_adverts(changed, A, 6);
        assert_eq!(two.capture.garps_since(changed, MAC_A).len(), 0, "the old one is forgotten");
        assert!(holds(&two.a) && !holds_any(&two.b));
    });
}

/// A change of the MTU disturbs nobody.
#[test]
fn another_mtu() {
    each_pair(|a, b| {
        let two = Two::new();
        let (first, _second) = two.started((a, b), &config(3, 150, ""), &config(3, 100, ""));
        for mtu in [1400, 9000, 1500] {
            let mark = two.capture.mark();
            two.a.run(&format!("ip link set eth0 mtu {mtu}"));
            two.wait_adverts(mark, A, 3);
            assert!(holds(&two.a) && !holds_any(&two.b), "MTU {mtu}");
        }
        assert_eq!(first.log().matches("Entering").count(), 2, "BACKUP and MASTER: {}", first.log());
    });
}

/// Without an address to speak from, an instance waits in FAULT for one.
#[test]
fn no_source_address_yet() {
    each_pair(|a, b| {
        let two = Two::new();
        let _second = two.b.start(b, &config(3, 100, ""));
        wait_until("B is master", || holds(&two.b));
        two.a.run("ip addr flush dev eth0");
        let first = two.a.start(a, &config(3, 150, ""));
        first.wait_log("FAULT");
        let mark = two.capture.mark();
        two.wait_adverts(mark, B, 6);
        two.a.run(&format!("ip addr add {A}/24 dev eth0"));
        two.wait_master_a();
    });
}

/// A master whose address is replaced by another one goes on from there, without an election.
#[test]
fn another_source_address_while_master() {
    each_pair(|a, b| {
        let two = Two::new();
        two.a.run("sysctl -qw net.ipv4.conf.all.promote_secondaries=1");
        let (first, _second) = two.started((a, b), &config(3, 150, ""), &config(3, 100, ""));
        let new = "10.7.0.9".parse().unwrap();
        two.a.run(&format!("ip addr add {new}/24 dev eth0"));
        let mark = two.capture.mark();
        two.a.run(&format!("ip addr del {A}/24 dev eth0"));
        let adverts = two.wait_adverts(mark, new, 6);
        assert!(adverts.iter().all(|advert| advert.priority == 150), "it does not resign");
        assert_eq!(two.capture.adverts_since(mark, B).len(), 0, "the backup notices nothing");
        assert!(holds(&two.a) && !holds_any(&two.b));
        assert_eq!(first.log().matches("Entering").count(), 2, "BACKUP and MASTER: {}", first.log());
    });
}

/// An address on another interface is as good as that interface, unless it is not tracked.
#[test]
fn the_interface_of_an_address_goes_down() {
    each_pair(|a, b| {
        let text = |priority, words: &str| {
            config(3, priority, "").replacen("/24\n", &format!("/24\n 10.9.0.100/24 dev eth1 {words}\n"), 1)
        };
        for words in ["", "no_track"] {
            let two = Two::new();
            two.a.attach(&two.lan, "eth1", "10.9.0.2/24");
            two.b.attach(&two.lan, "eth1", "10.9.0.1/24");
            let (first, _second) = two.started((a, b), &text(150, words), &text(100, words));
            let mark = two.capture.mark();
            two.a.run("ip link set eth1 down");
            if words.is_empty() {
                first.wait_log("(VI_1) Entering FAULT STATE");
                wait_until("the backup takes over", || holds(&two.b));
                two.a.run("ip link set eth1 up");
            } else {
                two.wait_adverts(mark, A, 6);
                assert!(holds(&two.a) && !holds_any(&two.b), "{words}");
            }
            two.wait_master_a();
        }
    });
}

/// What somebody deletes stays deleted with `no_track`, and nobody's state changes.
#[test]
fn an_untracked_address_stays_deleted() {
    each_pair(|a, b| {
        let text = |priority| config(3, priority, "").replacen("/24\n", "/24\n 10.9.0.100/24 no_track\n", 1);
        let two = Two::new();
        let (first, _second) = two.started((a, b), &text(150), &text(100));
        let vip = "10.9.0.100".parse().unwrap();
        wait_until("it has all addresses", || two.a.has(vip));
        let mark = two.capture.mark();
        two.a.run(&format!("ip addr del {vip}/24 dev eth0"));
        let adverts = two.wait_adverts(mark, A, 6);
        assert!(adverts.iter().all(|advert| advert.priority == 150));
        assert!(!two.a.has(vip), "it stays deleted");
        assert_eq!(first.log().matches("Entering").count(), 2, "BACKUP and MASTER: {}", first.log());
    });
}

/// `garp_extra_if all`: one address of each other interface is announced now and then, and none of the own one's.
#[test]
fn announcements_on_other_interfaces() {
    let announced = |kind: Kind| {
        let more = "garp_master_delay 0\n garp_master_repeat 1\n garp_extra_if all 1";
        let addresses = "/24\n 10.9.0.100/24 dev eth1\n 10.9.0.101/24 dev eth1\n";
        let two = Two::new();
        two.a.attach(&two.lan, "eth1", "10.9.0.2/24");
        let _daemon = two.a.start(kind, &config(3, 150, more).replacen("/24\n", addresses, 1));
        wait_until("the router is master", || holds(&two.a));
        let mac = [2, 0, 0, 0, 0, 2];
        wait_until("eth1 is announced again and again", || two.capture.garps_since(0, mac).len() >= 5);
        let garps = two.capture.garps_since(0, mac);
        let ips: Vec<_> = garps.iter().take(5).map(|garp| garp.ip.to_string()).collect();
        (ips, two.capture.garps_since(0, MAC_A).len())
    };
    let expected = ["10.9.0.100", "10.9.0.101", "10.9.0.100", "10.9.0.100", "10.9.0.100"];
    for kind in [crate::support::subject(), Kind::Stock] {
        let (ips, own) = announced(kind);
        assert_eq!((ips, own), (expected.map(str::to_owned).to_vec(), 2), "{kind:?}");
    }
}

/// Every word of a static address has the effect that it has in stock.
#[test]
fn words_of_static_addresses() {
    let text = "static_ipaddress {\n 10.9.1.1/24 dev eth0 noprefixroute label eth0:s\n 2001:db8:9::1/64 dev eth0 home\n \
                2001:db8:9::2/64 dev eth0 -nodad mngtmpaddr\n 2001:db8:9::3/64 dev eth0 preferred_lft 0\n \
                2001:db8:9::4/128 dev eth0\n 2001:db8:9::5/64 dev eth0 noprefixroute preferred_lft forever\n \
                10.9.1.2/32 dev eth0 no_track\n}\n";
    let shown = |kind: Kind| {
        let two = Two::new();
        let daemon = two.a.start(kind, &format!("{text}{}", config(3, 100, "")));
        wait_until("the router is master", || holds(&two.a));
        wait_until("nothing is tentative", || two.a.run("ip -6 addr show tentative").is_empty());
        let all = two.a.run("ip -o addr show dev eth0");
        let mut lines: Vec<String> =
            all.lines().filter(|l| l.contains("9::") || l.contains("10.9.1")).map(str::to_owned).collect();
        lines.sort();
        two.a.run("ip addr del 10.9.1.2/32 dev eth0; ip addr del 2001:db8:9::1/64 dev eth0");
        wait_until("what is tracked is back", || two.a.run("ip addr show dev eth0").contains("db8:9::1/"));
        assert!(!two.a.run("ip addr show dev eth0").contains("10.9.1.2/"), "what is not tracked is not");
        daemon.stop();
        let left = two.a.run("ip -o addr show dev eth0");
        assert!(!left.contains("db8:9::") && !left.contains("10.9.1."), "{left}");
        lines
    };
    let words = |lines: Vec<String>| -> Vec<String> {
        lines.iter().map(|l| l.split_once("inet").unwrap().1.to_owned()).collect()
    };
    assert_eq!(words(shown(crate::support::subject())), words(shown(Kind::Stock)));
}

/// The log says what has become of an interface, and when it is over.
#[test]
fn what_becomes_of_an_interface_is_told() {
    let two = Two::new();
    let first = two.a.start(Kind::Ours, &dynamic(150, ""));
    wait_until("A is master", || holds(&two.a));
    two.lan.namespace().run("ip link set port0 down");
    first.wait_log("Entering FAULT STATE (interface eth0 has no carrier)");
    two.lan.namespace().run("ip link set port0 up");
    first.wait_log("Entering BACKUP STATE (interface eth0 has a carrier again)");
    wait_until("A is master again", || holds(&two.a));
    two.a.run("ip link set eth0 down");
    first.wait_log("FAULT STATE (interface eth0 is down)");
    two.a.run("ip link set eth0 name lan0");
    first.wait_log("Still in FAULT STATE (interface eth0 was renamed)");
    two.a.run("ip link set lan0 name eth0");
    first.wait_log("Still in FAULT STATE (interface eth0 is down)");
    two.a.run("ip link set eth0 up");
    first.wait_log("Entering BACKUP STATE (interface eth0");
    wait_until("A is master again", || holds(&two.a));
    two.a.run(
        "unshare -n sleep 60 >/dev/null 2>&1 & there=$!
         until [ \"$(readlink /proc/$there/ns/net)\" != \"$(readlink /proc/self/ns/net)\" ]; do sleep 0.05; done
         ip link set eth0 netns $there && kill $there",
    );
    first.wait_log("Interface eth0 deleted (moved to another network namespace)");
    first.wait_log("FAULT STATE (interface eth0 was moved to another network namespace)");
    two.a.attach(&two.lan, "eth0", &format!("{A}/24"));
    wait_until("A is master again", || holds(&two.a));
    two.a.run("ip link del eth0");
    first.wait_log("FAULT STATE (interface eth0 was deleted)");
}

/// A master whose interface is renamed says goodbye by it all the same; without an interface, or when that is down, that
/// cannot be, and is not claimed to have been.
#[test]
fn a_goodbye_that_does_not_leave_is_not_told() {
    let changes =
        [("ip link set eth0 name lan0", true), ("ip link del eth0", false), ("ip link set eth0 down", false)];
    for (change, leaves) in changes {
        let two = Two::new();
        let (first, _second) = two.started((Kind::Ours, Kind::Ours), &dynamic(150, ""), &dynamic(100, ""));
        let mark = two.capture.mark();
        two.a.run(change);
        first.wait_log("(VI_1) Entering FAULT STATE");
        wait_until("the backup takes over", || holds(&two.b));
        let heard = two.capture.adverts_since(mark, A).iter().any(|advert| advert.priority == 0);
        assert_eq!(heard, leaves, "{change}");
        let log = first.log();
        assert_eq!(log.contains("(VI_1) sent 0 priority"), leaves, "{change}: {log}");
        assert_eq!(log.contains("(VI_1) could not send 0 priority"), !leaves, "{change}: {log}");
        assert!(!log.contains("send advert error"), "not told twice: {log}");
    }
}

/// What went with its interface is put back on the next one of that name, at once each time, and nobody is accused of it.
#[test]
fn what_was_on_an_interface_that_is_made_anew() {
    let two = Two::new();
    two.a.attach(&two.lan, "eth1", "10.8.0.2/24");
    let statics = "static_ipaddress {\n 10.8.0.150/24 dev eth1\n 2001:db8:8::1/64 dev eth1\n}\n\
                   static_routes {\n 192.0.2.0/24 dev eth1\n 2001:db8:9::/64 dev eth1\n}\n";
    let daemon = two.a.start(Kind::Ours, &format!("{statics}{}", config(3, 150, "")));
    let is_there = || {
        let shown = two.a.run("ip -o addr show; ip route; ip -6 route");
        ["10.8.0.150/", "db8:8::1/", "192.0.2.0/24 ", "db8:9::/64 "].iter().all(|item| shown.contains(item))
    };
    wait_until("static items are there", is_there);
    for _ in 0..6 {
        two.a.run("ip link del eth1");
        two.a.attach(&two.lan, "eth1", "10.8.0.2/24");
        wait_until("static items are back", is_there);
    }
    daemon.wait_log("Address 10.8.0.150 was removed from eth1 when its interface went away");
    let log = daemon.log();
    assert!(!log.contains("somebody"), "{log}");
    two.a.run("ip addr del 10.8.0.150/24 dev eth1");
    daemon.wait_log("Address 10.8.0.150 was removed from eth1 by somebody else");
}
