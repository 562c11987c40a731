//! VMACs and the packet filter.

use std::net::IpAddr;

use crate::harness::*;
use keepalived_rs::base::{Instant, MacAddr};
use keepalived_rs::host::{FirewallRule, KernelOp, Signal};
use keepalived_rs::sim::What;

fn vmac(vrid: u8, priority: u8) -> Instance {
    instance(vrid, priority).with("use_vmac")
}

/// The operations on the kernel of router `i` since `since`, with when they were done.
fn ops(cluster: &Cluster, i: usize, since: Instant) -> Vec<(Instant, KernelOp)> {
    cluster.world.records_since(since, |record| match &record.what {
        What::Changed { op, .. } if record.node == Some(cluster.nodes[i]) => Some((record.at, op.clone())),
        _ => None,
    })
}

/// Who the last announcement of the address of `vrid` said that it is.
fn announced_mac(cluster: &Cluster, vrid: u8) -> Option<MacAddr> {
    let (ip, from) = (vip(vrid), if vrid < FIRST_V6 { 22 } else { 80 });
    let macs = cluster.world.records_since(Instant::ZERO, |record| match &record.what {
        What::Announcement { ip: announced, frame, .. } if *announced == ip => {
            Some(MacAddr(*frame.get(from..)?.first_chunk()?))
        }
        _ => None,
    });
    macs.last().copied()
}

#[test]
fn an_address_moves_with_its_hardware_address() {
    for (vrid, mac) in [(51, [0, 0, 0x5e, 0, 1, 51]), (FIRST_V6, [0, 0, 0x5e, 0, 2, FIRST_V6])] {
        let mut cluster = Cluster::pair(vmac(vrid, 150), vmac(vrid, 100));
        cluster.assert_master(0, vrid);
        assert_eq!(announced_mac(&cluster, vrid), Some(MacAddr(mac)));
        cluster.world.crash(cluster.nodes[0]);
        cluster.world.power_off(cluster.nodes[0]);
        cluster.run(10.0);
        cluster.assert_master(1, vrid);
        assert_eq!(announced_mac(&cluster, vrid), Some(MacAddr(mac)));
        cluster.assert_logged(1, &format!("Success creating VMAC interface vrrp.{vrid}"));
    }
}

#[test]
fn a_vmac_that_somebody_removes_is_back_before_anybody_notices() {
    let mut cluster = Cluster::pair(vmac(51, 150), vmac(51, 100));
    cluster.assert_master(0, 51);
    let node = cluster.nodes[0];
    for round in 1..=3 {
        let since = cluster.now();
        cluster.world.delete_link(node, "vrrp.51");
        cluster.run(20.0);
        cluster.assert_master(0, 51);
        let back = cluster.address_added(0, 51, since).unwrap();
        assert!(back - since < secs(0.05), "{:?}", back - since);
        assert!(!cluster.announcements(0, 51, since).is_empty(), "it is announced anew");
        assert_eq!(cluster.logged(0, "VMAC interface vrrp.51 was removed or changed"), round);
    }
    cluster.world.link_down(node, "vrrp.51");
    cluster.assert_master(0, 51);
    assert_eq!(cluster.logged(0, "Entering MASTER STATE"), 1);
    assert_eq!(cluster.logged(0, "Entering FAULT STATE"), 0);
}

#[test]
fn a_vmac_follows_its_interface() {
    let mut cluster = Cluster::pair(vmac(51, 150), vmac(51, 100));
    cluster.world.link_down(cluster.nodes[0], "eth0");
    cluster.run(10.0);
    cluster.assert_master(1, 51);
    cluster.world.link_up(cluster.nodes[0], "eth0");
    cluster.run(10.0);
    cluster.assert_master(0, 51);
}

#[test]
fn adverts_may_leave_by_the_interface_all_the_same() {
    let router = |priority| vmac(51, priority).with("vmac_xmit_base");
    let mut cluster = Cluster::pair(router(150), router(100));
    cluster.assert_master(0, 51);
    cluster.world.delete_link(cluster.nodes[0], "vrrp.51");
    cluster.run(10.0);
    cluster.assert_master(0, 51);
    assert_eq!(announced_mac(&cluster, 51), Some(MacAddr([0, 0, 0x5e, 0, 1, 51])));
}

/// What drops packets to an address.
fn drops(op: &KernelOp, ip: IpAddr) -> Option<bool> {
    let is_it =
        |rule: &FirewallRule| matches!(rule, FirewallRule::Drop { ip: dropped, .. } if *dropped == ip);
    match op {
        KernelOp::AddFirewall(entry) if is_it(&entry.rule) => Some(true),
        KernelOp::DeleteFirewall(entry) if is_it(&entry.rule) => Some(false),
        _ => None,
    }
}

#[test]
fn an_address_that_accepts_nothing_is_never_reached() {
    for option in ["no_accept", "strict_mode on"] {
        let router = |priority| instance(51, priority).with("version 3").with(option);
        let mut cluster = Cluster::pair(router(150), router(100));
        cluster.assert_master(0, 51);
        cluster.world.signal(cluster.nodes[0], Signal::Stop);
        cluster.run(10.0);
        let node = cluster.nodes[0];
        let mut story = cluster.world.records_since(Instant::ZERO, |record| match &record.what {
            _ if record.node != Some(node) => None,
            What::Changed { op, .. } => {
                drops(op, vip(51)).map(|add| if add { "dropped" } else { "let through" })
            }
            What::AddressAdded { address, .. } if address.cidr.ip == vip(51) => Some("there"),
            What::AddressDeleted { address, .. } if address.cidr.ip == vip(51) => Some("gone"),
            _ => None,
        });
        story.dedup();
        assert_eq!(story, ["dropped", "there", "gone", "let through"], "{option}");
    }
}

#[test]
fn a_filter_that_somebody_flushes_is_back() {
    let router = |priority| vmac(51, priority).with("version 3").with("no_accept");
    let mut cluster = Cluster::pair(router(150), router(100));
    let node = cluster.nodes[0];
    let whole = cluster.world.firewall(node);
    assert_eq!(whole.len(), 2, "reports are diverted, packets dropped: {whole:?}");
    cluster.world.flush_firewall(node);
    cluster.run(0.01);
    assert_eq!(cluster.world.firewall(node), whole);
    assert_eq!(cluster.logged(0, "Entering MASTER STATE"), 1);
    assert_eq!(cluster.logged(0, "nftables entries were removed by somebody else"), 1);
}

#[test]
fn an_owner_accepts() {
    let owner = instance(51, 255).with("version 3").with("no_accept");
    let cluster = Cluster::pair(owner, instance(51, 100).with("version 3"));
    assert!(ops(&cluster, 0, Instant::ZERO).iter().all(|(_, op)| drops(op, vip(51)).is_none()));
}

#[test]
fn switches_without_adverts_are_reminded() {
    let router = instance(51, 150)
        .with("use_vmac")
        .with("garp_extra_if all 30")
        .with("vmac_xmit_base")
        .with("garp_master_delay 1");
    let mut cluster = Cluster::running(1, vec![router.text()]);
    cluster.run(100.0);
    let all = cluster.announcements(0, 51, Instant::ZERO);
    assert_eq!(all.len(), 5 + 5 + 3, "{all:?}");
    let late: Vec<_> = all.iter().skip(10).collect();
    assert!(late.windows(2).all(|pair| *pair[1] - *pair[0] == secs(30.0)), "{late:?}");
}
