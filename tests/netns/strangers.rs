//! VMACs beside links that are not ours: in the way, left by a predecessor, or changed by somebody else.

use crate::lab::{Kind, Lan, Router, wait_until};
use crate::support::{A, B, Two, side_by_side};
use crate::vmac::{has, instance, router, traces};

/// The hardware address of the VMAC of these tests.
const MAC: &str = "00:00:5e:00:01:33";

/// What is there before, the instance's words and its address: as stock calls and makes its VMAC, so do we.
fn cases() -> Vec<(String, &'static str, &'static str)> {
    let macvlan = |name: &str, base: &str, mac: &str, mode: &str| {
        format!("ip link add {name} link {base} address {mac} type macvlan mode {mode}")
    };
    let veth = |name: &str| format!("ip link add {name} type veth peer name {name}p");
    let v4 = "10.7.0.100/24";
    vec![
        (veth("vrrp.51"), "use_vmac", v4),
        (format!("{} && {}", veth("vrrp.51"), veth("vrrp1.51")), "use_vmac", v4),
        (veth("vip0"), "use_vmac vip0", v4),
        (veth("vrrp.51"), "use_vmac", "2001:db8::100/64"),
        (macvlan("vrrp.51", "eth0", "02:00:00:00:00:77", "private"), "use_vmac", v4),
        (macvlan("vrrp.51", "eth1", MAC, "private"), "use_vmac", v4),
        (macvlan("vrrp.51", "eth0", MAC, "bridge"), "use_vmac", v4),
        (macvlan("other", "eth0", MAC, "bridge"), "use_vmac", v4),
        (macvlan("vip0", "eth1", MAC, "private"), "use_vmac vip0", v4),
        (macvlan("vip0", "eth0", "02:00:00:00:00:77", "private"), "use_vmac vip0", v4),
        (macvlan("other", "eth0", MAC, "private") + " && ip link set other up", "use_vmac", v4),
        // Adverts leave by the interface: without IPv4 groups there is nothing to filter.
        ("true".to_owned(), "use_vmac_addr", "10.8.0.100/24 dev eth1"),
        ("true".to_owned(), "accept", "10.8.0.100/24 dev eth1 use_vmac"),
        ("true".to_owned(), "use_vmac_addr", v4),
    ]
}

/// Names, kinds and tables, without what is made up anew each time.
fn shape(router: &Router) -> String {
    router.run(
        "ip -o link show | sed 's/^[0-9]*: \\([^ ]*\\) .*/\\1/' | sort
         ip -d -o link show type macvlan | grep -o '[^ ]*: <\\|link/ether [0-9a-f:]*\\|macvlan mode [a-z]*\\|state [A-Z]*'
         ip -o addr show | grep -o 'vrrp.* inet6\\? [^ ]*\\|other.* inet [^ ]*\\|vip0.* inet [^ ]*\\|eth.* inet [^ ]*' | sort
         nft list tables",
    )
}

#[test]
fn a_vmac_is_called_and_made_as_with_stock_whatever_is_there_before() {
    side_by_side(cases(), |(before, words, address)| {
        let config = instance("V", "eth0", 100, words, address);
        let ip = address.split('/').next().unwrap();
        let seen = [Kind::Stock, Kind::Ours].map(|kind| {
            let lan = Lan::new();
            let router = router(&lan);
            router.run(&before);
            let daemon = router.start(kind, &config);
            wait_until("it is master", || has(&router, ip));
            let mut during = shape(&router);
            // Stock does not divert what a VMAC says that it has found.
            if before.contains(MAC) && before.contains("private") {
                during = during.replace("table ip keepalived\n", "");
            }
            daemon.stop();
            (during, shape(&router))
        });
        let [stock, ours] = seen;
        assert_eq!(ours, stock, "{before}: {config}");
    });
}

/// Stock calls it by the name that it finds.
#[test]
fn what_a_crash_has_left_is_taken_over_under_the_name_that_is_written() {
    let two = Two::new();
    let addresses = "10.7.0.100/24\n 10.7.0.101/24";
    let config = |priority, words, addresses| instance("V", "eth0", priority, words, addresses);
    let first = two.a.start(Kind::Ours, &config(150, "use_vmac", addresses));
    wait_until("the first router is master", || has(&two.a, "10.7.0.101"));
    let _second = two.b.start(Kind::Ours, &config(100, "use_vmac", addresses));
    first.crash();
    wait_until("the second router is master", || has(&two.b, "10.7.0.100"));
    assert!(has(&two.a, "10.7.0.100"), "a crash leaves everything");
    // Neither what it had nor what is not claimed any more stays on a backup.
    let first = two.a.start(Kind::Ours, &config(50, "use_vmac vip7", "10.7.0.100/24"));
    first.wait_log("(V) Entering BACKUP STATE");
    wait_until("nothing is left of it", || !has(&two.a, "10.7.0.100") && !has(&two.a, "10.7.0.101"));
    let links = two.a.run("ip -o link show");
    assert!(links.contains("vip7@") && !links.contains("vrrp.51"), "{links}");
    first.stop();
    assert!(!two.a.run("ip -o link show").contains("vip7"), "it is ours, and goes with us");
}

/// Once while it is master, and once so that the stop comes in between.
#[test]
fn a_vmac_in_another_shape_is_put_right_and_goes_at_the_stop() {
    let meddling = [
        "ip link set vrrp.51 type macvlan mode bridge",
        "ip link set vrrp.51 type macvlan mode vepa",
        "ip link set vrrp.51 name renamed",
        "ip link set vrrp.51 down && ip link set vrrp.51 name renamed",
    ];
    side_by_side(meddling.to_vec(), |meddling| {
        let lan = Lan::new();
        let router = router(&lan);
        let before = traces(&router);
        let daemon = router.start(Kind::Ours, &instance("V", "eth0", 100, "use_vmac", "10.7.0.100/24"));
        wait_until("it is master", || has(&router, "10.7.0.100"));
        let whole = traces(&router);
        router.run(meddling);
        wait_until(&format!("all is as before `{meddling}`"), || traces(&router) == whole);
        let log = daemon.log();
        assert_eq!(log.matches("Entering").count(), 2, "{log}");
        router.run(meddling);
        daemon.stop();
        assert_eq!(traces(&router), before, "{meddling}");
    });
}

/// Somebody else's link keeps the VMAC from being there: that is said, the other router is not kept from being master,
/// and at the stop only that link is left.
#[test]
fn what_is_in_the_way_of_a_vmac_is_said_and_left_alone() {
    let two = Two::new();
    two.a.run(&format!("ip link add other link eth0 address {MAC} type macvlan mode bridge"));
    two.a.run("ip link set other up");
    wait_until("its addresses can be used", || !two.a.run("ip -6 -o addr show").contains("tentative"));
    let before = traces(&two.a);
    let first = two.a.start(Kind::Ours, &instance("V", "eth0", 150, "use_vmac", "10.7.0.100/24"));
    first.wait_log("(another macvlan has the hardware address of VMAC interface vrrp.51)");
    let _second = two.b.start(Kind::Ours, &instance("V", "eth0", 100, "use_vmac", "10.7.0.100/24"));
    wait_until("the other one is master", || has(&two.b, "10.7.0.100"));
    two.wait_adverts(two.capture.mark(), B, 5);
    assert!(two.capture.adverts(A).iter().all(|advert| advert.priority == 0));
    first.stop();
    assert_eq!(traces(&two.a), before);
}

/// An interface that comes when its VMAC's name has been taken: a fault until the name is free.
#[test]
fn a_name_that_is_taken_while_we_run_is_waited_for() {
    let lan = Lan::new();
    let router = lan.router("eth0", "10.7.0.2/24");
    let config = "global_defs {\n dynamic_interfaces\n}\n".to_owned()
        + &instance("V", "eth5", 100, "use_vmac", "10.8.0.100/24");
    let daemon = router.start(Kind::Ours, &config);
    daemon.wait_log("(V) Entering FAULT STATE");
    router.run("ip link add vrrp.51 type veth peer name other");
    router.attach(&lan, "eth5", "10.8.0.2/24");
    daemon.wait_log("Cannot add VMAC interface vrrp.51: a foreign link has this name");
    router.run("ip link del vrrp.51");
    wait_until("it is master", || has(&router, "10.8.0.100"));
    assert!(!daemon.log().contains("File exists"), "{}", daemon.log());
    daemon.stop();
}

/// Stock leaves them changed, even after an orderly stop.
#[test]
fn settings_are_as_before_after_a_crash_a_start_and_a_stop() {
    let lan = Lan::new();
    let router = router(&lan);
    let before = traces(&router);
    let config = instance("V", "eth0", 100, "use_vmac", "10.7.0.100/24")
        + &instance("W", "eth1", 100, "promote_secondaries", "10.8.0.100/24")
            .replace("virtual_router_id 51", "virtual_router_id 52");
    for vrrp in [config.as_str(), "global_defs {\n}\n"] {
        let daemon = router.start(Kind::Ours, &config);
        wait_until("both are masters", || has(&router, "10.7.0.100") && has(&router, "10.8.0.100"));
        daemon.crash();
        assert!(router.run("sysctl -n net.ipv4.conf.eth0.arp_ignore").starts_with('1'));
        let daemon = router.start(Kind::Ours, vrrp);
        daemon.wait_log("Startup complete");
        daemon.stop();
        if vrrp == config {
            assert_eq!(traces(&router), before);
        } else {
            // Without VRRP nobody knows what else there was; the settings are noted.
            let settings = |text: &str| {
                text.lines()
                    .filter(|l| l.contains("ipv4/conf/") && !l.contains("vrrp"))
                    .map(str::to_owned)
                    .collect::<Vec<_>>()
            };
            assert_eq!(settings(&traces(&router)), settings(&before));
        }
        assert_eq!(router.run("ls /run | grep settings || true"), "");
    }
}
