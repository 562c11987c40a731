//! VMACs on the real kernel: next to stock's, with stock on either side, and when somebody meddles.

use crate::lab::{Kind, Lan, Router, wait_until};
use crate::support::{Two, each_pair, side_by_side};

/// What an instance of these tests begins with.
pub fn instance(name: &str, interface: &str, priority: u8, more: &str, addresses: &str) -> String {
    format!(
        "vrrp_instance {name} {{\n state BACKUP\n interface {interface}\n virtual_router_id 51\n priority {priority}\n \
         version 3\n advert_int 0.3\n {more}\n virtual_ipaddress {{\n {addresses}\n }}\n}}\n"
    )
}

/// Configurations whose traces in the kernel are compared, with the addresses that tell that all are masters.
const CASES: [(&str, &str, &str, &[&str]); 6] = [
    ("", "use_vmac", "10.7.0.100/24\n 10.8.0.100/24 dev eth1", &["10.8.0.100"]),
    ("", "use_vmac\n vmac_xmit_base", "10.7.0.100/24", &["10.7.0.100"]),
    ("", "use_vmac\n no_accept", "fe80::100/64\n 2001:db8::100/64", &["2001:db8::100"]),
    (
        "nftables kk\n nftables_priority 5\n nftables_counters",
        "use_vmac vip0\n no_accept\n use_vmac_addr\n virtual_ipaddress_excluded {\n fe80::5\n 2001:db8::7\n }",
        "10.7.0.100/24\n 10.8.0.100/24 dev eth1",
        &["10.8.0.100", "2001:db8::7"],
    ),
    (
        "vmac_prefix vm\n vmac_addr_prefix va",
        "use_vmac 02:11:22:33:44",
        "10.7.0.100/24\n 10.8.0.100/24 dev eth1 use_vmac\n 10.8.0.101/24 dev eth1",
        &["10.8.0.101"],
    ),
    ("nftables", "strict_mode on\n use_vmac", "10.7.0.100/24", &["10.7.0.100"]),
];

/// A router with two interfaces; what applies to all of them checks where packets come from.
pub fn router(lan: &Lan) -> Router {
    let router = lan.router("eth0", "10.7.0.2/24");
    router.attach(lan, "eth1", "10.8.0.2/24");
    router.run("echo 1 > /proc/sys/net/ipv4/conf/all/rp_filter");
    for interface in ["eth0", "eth1"] {
        wait_until("its link-local address can be used", || {
            let addresses = router.run(&format!("ip -6 -o addr show dev {interface}"));
            addresses.contains("fe80") && !addresses.contains("tentative")
        });
    }
    router
}

/// All that a daemon can leave in the kernel: interfaces with their addresses and settings, and the packet filter.
pub fn traces(router: &Router) -> String {
    router.run(
        "nft -v > /dev/null || { echo 'nft is missing: apt-get install nftables' >&2; exit 1; }
         ip -d -o link show | grep -o '^[0-9]*: [^ ]*\\|link/ether [0-9a-f:]*\\|macvlan mode [a-z]*\\|addrgenmode [a-z0-9]*\\|group [a-z0-9]*\\|state [A-Z]*\\|mtu [0-9]*'
         ip -o addr show | sort
         for family in ip ip6; do
             for table in $(nft list tables $family | cut -d' ' -f3); do
                 nft list table $family $table | sed 's/counter packets [0-9]* bytes [0-9]*/counter/'
                 nft --debug=netlink list table $family $table | grep '^  \\[' | sed 's/counter pkts.*//'
             done
         done
         cd /proc/sys/net
         grep -H . ipv4/conf/*/arp_* ipv4/conf/*/rp_filter ipv4/conf/*/accept_local ipv4/conf/*/promote_secondaries
         grep -H . ipv6/conf/*/disable_ipv6 ipv6/conf/*/addr_gen_mode",
    )
}

#[test]
fn the_kernel_looks_as_with_stock_and_afterwards_as_before() {
    side_by_side((0..CASES.len()).collect(), |case| {
        let (global, more, addresses, last) = CASES[case];
        let config =
            format!("global_defs {{\n {global}\n}}\n{}", instance("VI_1", "eth0", 100, more, addresses));
        let during = [Kind::Stock, Kind::Ours].map(|kind| {
            let lan = Lan::new();
            let router = router(&lan);
            let before = traces(&router);
            let daemon = router.start(kind, &config);
            wait_until("the addresses are there", || {
                let there = router.run("ip -o addr show");
                last.iter().all(|ip| there.contains(&format!(" {ip}/")))
            });
            let during = traces(&router);
            daemon.stop();
            if kind == Kind::Ours {
                assert_eq!(traces(&router), before, "{config}");
            }
            during
        });
        let [stock, ours] = during.map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>());
        // Stock does not give what applied to all interfaces to each of them, lets VMACs of IPv6 answer for IPv4, and
        // sets `promote_secondaries` of other interfaces only if it is asked to.
        let is_six = ours.iter().any(|line| line.contains("link/ether 00:00:5e:00:02:"));
        let differs = |line: &&String| {
            let ignores = line.contains("vrrp") && line.contains("/arp_ignore:");
            let promotes = !line.contains("vrrp") && line.contains("/promote_secondaries:");
            !(promotes || is_six && ignores)
                && (!line.contains("rp_filter") || line.contains("vrrp") || line.contains("/all/"))
        };
        let only = |a: &[String], b: &[String]| -> Vec<String> {
            a.iter().filter(differs).filter(|line| !b.contains(line)).cloned().collect()
        };
        assert_eq!((only(&ours, &stock), only(&stock, &ours)), (Vec::new(), Vec::new()), "{config}");
    });
}

/// The port of the LAN that a switch believes this hardware address to be at.
fn learned(lan: &Lan, mac: &str) -> Option<String> {
    let table = lan.namespace().run("bridge fdb show br lan");
    let line = table.lines().find(|line| line.starts_with(mac))?;
    line.split_whitespace().skip_while(|word| *word != "dev").nth(1).map(str::to_owned)
}

const MAC: &str = "00:00:5e:00:01:33";

/// Whether a router has this address.
pub fn has(router: &Router, ip: &str) -> bool {
    router.run("ip -o addr show").contains(&format!(" {ip}/"))
}

#[test]
fn the_hardware_address_moves_between_any_pair() {
    each_pair(|a, b| {
        for more in ["use_vmac", "use_vmac\n vmac_xmit_base"] {
            let two = Two::new();
            let config = |priority| instance("VI_1", "eth0", priority, more, "10.7.0.100/24");
            let first = two.a.start(a, &config(150));
            wait_until("the first router is master", || has(&two.a, "10.7.0.100"));
            let second = two.b.start(b, &config(100));
            second.wait_log("(VI_1) Entering BACKUP STATE");
            let mark = two.capture.mark();
            two.wait_adverts(mark, crate::support::A, 5);
            assert!(!has(&two.b, "10.7.0.100"), "{a:?} is heard by {b:?}");
            // What the backup has to say of its groups does not come from there.
            assert_eq!(learned(&two.lan, MAC).as_deref(), Some("port0"), "{more}");
            first.stop();
            wait_until("the second router is master", || has(&two.b, "10.7.0.100"));
            wait_until("switches have learned it", || learned(&two.lan, MAC).as_deref() == Some("port1"));
            let first = two.a.start(a, &config(150));
            wait_until("the first router is master again", || has(&two.a, "10.7.0.100"));
            wait_until("the second one is not", || !has(&two.b, "10.7.0.100"));
            wait_until("switches have learned it", || learned(&two.lan, MAC).as_deref() == Some("port0"));
            first.crash();
            wait_until("the second router is master", || has(&two.b, "10.7.0.100"));
            // What a crash has left is taken over.
            let first = two.a.start(a, &config(150));
            first.wait_log("Entering MASTER STATE");
            wait_until("the second router has given way", || !has(&two.b, "10.7.0.100"));
            wait_until("switches have learned it", || learned(&two.lan, MAC).as_deref() == Some("port0"));
            first.stop();
            second.stop();
            if a == Kind::Ours {
                assert!(!two.a.run("ip link show").contains("vrrp"), "nothing is left");
                assert_eq!(two.a.run("nft list ruleset"), "");
            }
        }
    });
}

#[test]
fn a_vmac_of_ipv6_moves_between_any_pair() {
    each_pair(|a, b| {
        let two = Two::new();
        for router in [&two.a, &two.b] {
            wait_until("it has a link-local address", || {
                let addresses = router.run("ip -6 -o addr show dev eth0");
                addresses.contains("fe80") && !addresses.contains("tentative")
            });
        }
        let config =
            |priority| instance("VI_1", "eth0", priority, "use_vmac", "fe80::100/64\n 2001:db8::100/64");
        let first = two.a.start(a, &config(150));
        wait_until("the first router is master", || has(&two.a, "2001:db8::100"));
        let second = two.b.start(b, &config(100));
        second.wait_log("(VI_1) Entering BACKUP STATE");
        let mac = "00:00:5e:00:02:33";
        wait_until("switches have learned it", || learned(&two.lan, mac).as_deref() == Some("port0"));
        first.stop();
        wait_until("the second router is master", || has(&two.b, "2001:db8::100"));
        wait_until("switches have learned it", || learned(&two.lan, mac).as_deref() == Some("port1"));
        let first = two.a.start(a, &config(150));
        wait_until("the first router is master again", || has(&two.a, "2001:db8::100"));
        wait_until("the second one is not", || !has(&two.b, "2001:db8::100"));
        wait_until("switches have learned it", || learned(&two.lan, mac).as_deref() == Some("port0"));
        first.stop();
        second.stop();
    });
}

#[test]
fn what_somebody_takes_away_is_back_and_the_master_stays() {
    // Stock gives up mastership.
    let lan = Lan::new();
    let router = router(&lan);
    let four = instance("VI_1", "eth0", 100, "use_vmac group 7\n no_accept", "10.7.0.100/24");
    let six = instance("VI_6", "eth0", 100, "use_vmac\n no_accept", "fe80::100/64\n 2001:db8::100/64");
    let daemon = router.start(Kind::Ours, &(four + &six));
    wait_until("all are masters", || has(&router, "10.7.0.100") && has(&router, "2001:db8::100"));
    // Interfaces made anew have other numbers, and places in sets.
    let shape = |router: &Router| {
        let text = traces(router);
        let mut lines: Vec<String> = text
            .lines()
            .map(|line| line.trim_start_matches(|c: char| c.is_ascii_digit()).trim().to_owned())
            .collect();
        lines.sort();
        lines
    };
    assert!(router.run("ip -d link show vrrp.51").contains("group 7"));
    let whole = shape(&router);
    for meddling in [
        "ip link del vrrp.51",
        "ip link set vrrp.51 down",
        "ip link del vrrp6.51 && nft flush ruleset",
        "nft delete table ip keepalived",
        "nft flush set ip6 keepalived vips",
        "nft flush chain ip keepalived in",
        "ip addr del 10.7.0.100/24 dev vrrp.51",
        "ip -6 addr flush dev vrrp6.51",
        "ip link set vrrp.51 address 02:00:00:00:00:77",
    ] {
        router.run(meddling);
        wait_until(&format!("all is as before `{meddling}`"), || shape(&router) == whole);
    }
    let log = daemon.log();
    assert_eq!(log.matches("Entering MASTER STATE").count(), 2, "{log}");
    assert_eq!(log.matches("Entering FAULT STATE").count(), 0, "{log}");
    daemon.stop();
}

#[test]
fn what_is_not_accepted_is_not_answered() {
    each_pair(|a, _| {
        let two = Two::new();
        for (router, own) in [(&two.a, 2), (&two.b, 1)] {
            router.run(&format!("ip addr add 2001:db8::{own}/64 dev eth0 nodad"));
        }
        for vmac in ["", "use_vmac"] {
            let check = |more: &str, address: &str| {
                let config = instance("VI_1", "eth0", 150, &format!("{vmac}\n {more}"), address);
                let daemon = two.a.start(a, &config);
                let first = address.lines().last().unwrap().trim().split('/').next().unwrap().to_owned();
                wait_until("it is master", || has(&two.a, &first));
                let answers = || {
                    let ping = format!("ping -c 1 -W 1 {first} > /dev/null && echo yes || echo no");
                    two.b.run(&ping).trim() == "yes"
                };
                if more == "accept" {
                    wait_until("it answers", answers);
                } else {
                    // It is there all the same.
                    wait_until("its hardware address is known", || {
                        let neighbours = || two.b.run("ip neigh show");
                        let is_it = |line: &str| line.starts_with(&first) && line.contains("lladdr");
                        answers() || neighbours().lines().any(is_it)
                    });
                    assert!(!answers(), "{vmac}: {address} answers");
                }
                daemon.stop();
                two.b.run("ip neigh flush all");
            };
            for address in ["10.7.0.100/24", "fe80::100/64\n 2001:db8::100/64"] {
                check("no_accept", address);
                check("accept", address);
            }
        }
    });
}
