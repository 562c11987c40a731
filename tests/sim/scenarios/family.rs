//! IPv6, and adverts to single routers.

use crate::harness::*;
use keepalived_rs::sim::{Advert, cidr};

/// A pair of IPv6 routers, by number of the virtual router.
const SIX: u8 = FIRST_V6;

fn destinations(adverts: &[Advert]) -> Vec<String> {
    let mut found: Vec<String> = adverts
        .iter()
        .map(|a| keepalived_rs::wire::ip::Header::parse(&a.packet).unwrap().destination.to_string())
        .collect();
    found.sort();
    found.dedup();
    found
}

#[test]
fn an_ipv6_address_moves_and_is_announced() {
    let mut cluster = Cluster::pair(instance(SIX, 150), instance(SIX, 100));
    cluster.assert_master(0, SIX);
    assert_eq!(destinations(&cluster.world.adverts()), ["ff02::12"]);
    cluster.world.crash(cluster.nodes[0]);
    cluster.world.delete_address(cluster.nodes[0], vip(SIX));
    cluster.run(10.0);
    cluster.assert_master(1, SIX);
    cluster.start(0);
    cluster.run(10.0);
    cluster.assert_master(0, SIX);
}

#[test]
fn a_dual_stack_pair_shares_a_number() {
    let both = |priority| {
        let six = instance(SIX, priority).text().replace(&Instance::name(SIX), "VI_SIX");
        let four = six.replace("VI_SIX", "VI_FOUR").replace(&vip(SIX).to_string(), &vip(1).to_string());
        four.replace("/64", "/24") + &six
    };
    let mut cluster = Cluster::running(1, vec![both(150), both(100)]);
    for (master, backup) in [(0, 1), (1, 0)] {
        let (node, other) = (cluster.nodes[master], cluster.nodes[backup]);
        for ip in [vip(SIX), vip(1)] {
            assert!(
                cluster.world.has_ip(node, ip) && !cluster.world.has_ip(other, ip),
                "{ip} is on {master}"
            );
        }
        if master == 0 {
            cluster.world.link_down(node, "eth0");
            cluster.run(10.0);
        }
    }
}

#[test]
fn without_a_link_local_address_there_is_no_router() {
    let mut cluster = Cluster::new(1, vec![instance(SIX, 150).text(), instance(SIX, 100).text()]);
    cluster.world.delete_address(cluster.nodes[0], own_address(0, true));
    cluster.start(0);
    cluster.start(1);
    cluster.run(10.0);
    cluster.assert_master(1, SIX);
    cluster.assert_logged(0, "Entering FAULT STATE (init)");
    cluster.world.configure(cluster.nodes[0], "eth0", keepalived_rs::sim::cidr("fe80::99/64"));
    cluster.world.overrun(cluster.nodes[0]);
    cluster.run(10.0);
    cluster.assert_master(0, SIX);
}

#[test]
fn unicast_adverts_go_to_the_peers_alone() {
    for vrid in [1, SIX] {
        let router = |priority| instance(vrid, priority).with("version 3").unicast(3).text();
        let mut cluster = Cluster::running(1, vec![router(150), router(100), router(50)]);
        cluster.assert_master(0, vrid);
        let others = [1, 2].map(|i| own_address(i, vrid >= FIRST_V6).to_string());
        assert_eq!(destinations(&cluster.world.adverts()), others);
        cluster.world.link_down(cluster.nodes[0], "eth0");
        cluster.run(10.0);
        assert_eq!(cluster.holders(vrid), [1]);
        cluster.world.link_up(cluster.nodes[0], "eth0");
        cluster.run(10.0);
        cluster.assert_master(0, vrid);
    }
}

#[test]
fn strangers_count_unless_the_source_is_checked() {
    // Router 2 sends to both others, which do not know it.
    for (check, master) in [("check_unicast_src", 0), ("unicast_ttl 9", 2)] {
        let known = |priority| instance(1, priority).unicast(2).with(check).text();
        let stranger = instance(1, 200).unicast(2).text();
        let cluster = Cluster::running(1, vec![known(150), known(100), stranger]);
        let holders = if master == 2 { vec![2] } else { vec![0, 2] };
        assert_eq!(cluster.holders(1), holders, "{check}");
    }
}

#[test]
fn an_instance_without_an_interface_takes_part() {
    let router = |i: usize, priority| {
        let text = instance(1, priority)
            .with(&format!("unicast_src_ip {}", own_address(i, false)))
            .unicast(2)
            .text();
        text.replace("    interface eth0\n", "").replace("/24\n", "/24 dev eth0\n")
    };
    let mut cluster = Cluster::running(1, vec![router(0, 150), router(1, 100)]);
    cluster.assert_master(0, 1);
    cluster.world.crash(cluster.nodes[0]);
    cluster.world.delete_address(cluster.nodes[0], vip(1));
    cluster.run(10.0);
    cluster.assert_master(1, 1);
}

#[test]
fn a_tracked_source_that_is_gone_is_a_fault() {
    let source = |i: usize| format!("mcast_src_ip {}\n    track_src_ip", own_address(i, false));
    let mut cluster = Cluster::pair(instance(1, 150).with(&source(0)), instance(1, 100).with(&source(1)));
    cluster.assert_master(0, 1);
    cluster.world.delete_address(cluster.nodes[0], own_address(0, false));
    cluster.run(5.0);
    cluster.assert_master(1, 1);
    cluster.assert_logged(0, "Entering FAULT STATE");
}

/// It would hear no answer, and think that it is alone.
#[test]
fn unicast_from_an_address_that_is_not_there_is_a_fault() {
    for interface in [true, false] {
        let text = |i: usize, source: &str, priority| {
            let to =
                format!("unicast_src_ip {source}\n    unicast_peer {{\n {}\n }}", own_address(1 - i, false));
            let text = instance(1, priority).with(&to).text();
            if interface {
                text
            } else {
                text.replace("interface eth0\n", "").replace("/24\n", "/24 dev eth0\n")
            }
        };
        let mut cluster = Cluster::new(2, vec![text(0, "10.0.0.77", 200), text(1, "10.0.0.2", 100)]);
        (0..2).for_each(|i| cluster.start(i));
        cluster.run(10.0);
        cluster.assert_master(1, 1);
        cluster.assert_logged(
            0,
            "Entering FAULT STATE (init) cause=no interface has the source address 10.0.0.77",
        );
        cluster.world.configure(cluster.nodes[0], "eth0", cidr("10.0.0.77/24"));
        cluster.world.overrun(cluster.nodes[0]);
        cluster.run(10.0);
        cluster.assert_logged(0, "Entering BACKUP STATE cause=the source address 10.0.0.77 is there now");
    }
}

#[test]
fn unicast_without_peers_fails_if_told_to() {
    let cluster =
        Cluster::running(1, vec![instance(1, 150).with("unicast_fault_no_peer\n    unicast_ttl 9").text()]);
    assert_eq!(cluster.holders(1), [0; 0]);
    cluster.assert_logged(0, "Entering FAULT STATE (init)");
}

#[test]
fn an_excluded_address_may_be_of_the_other_family() {
    let excluded = |ip| format!("virtual_ipaddress_excluded {{\n        {ip}\n    }}");
    let four = instance(1, 150).with(&excluded("2001:db8::77"));
    let six = instance(SIX, 150).with(&excluded("10.0.1.77"));
    let cluster = Cluster::running(1, vec![four.text() + &six.text()]);
    for ip in ["2001:db8::77", "10.0.1.77"] {
        let ip = ip.parse().unwrap();
        assert!(cluster.world.has_ip(cluster.nodes[0], ip), "{ip}");
        assert!(cluster.world.announced(cluster.lan, ip).is_some(), "{ip}");
    }
}
