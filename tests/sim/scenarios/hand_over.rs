//! A daemon that is started again: its masters go on, and nobody is master beside them.

use crate::harness::*;
use keepalived_rs::base::Instant;
use keepalived_rs::host::{FirewallRule, KernelOp, Signal};
use keepalived_rs::sim::{Behaviour, LanOptions, What, cidr};

/// Where masters are handed over.
const FILE: &str = "/run/keepalived.hand-over";

/// Two routers, `a` of which is master.
fn pair(more: &str) -> Cluster {
    Cluster::pair(instance(1, 150).with(more), instance(1, 100))
}

/// Router 0 is told to restart, and its process ends.
fn leave(cluster: &mut Cluster) {
    cluster.world.signal(cluster.nodes[0], Signal::HandOver);
    cluster.run(0.1);
    assert_eq!(cluster.world.exit_status(cluster.nodes[0]), Some(0));
}

/// When an address of `vrid` went from router `i` since `since`.
fn gone(cluster: &Cluster, i: usize, vrid: u8, since: Instant) -> Option<Instant> {
    let gone = |record: &keepalived_rs::sim::Record| match &record.what {
        What::AddressDeleted { address, .. }
            if record.node == Some(cluster.nodes[i]) && address.cidr.ip == vip(vrid) =>
        {
            Some(record.at)
        }
        _ => None,
    };
    cluster.world.records_since(since, gone).first().copied()
}

#[test]
fn a_master_that_is_back_in_time_was_never_away() {
    for vrid in [1, FIRST_V6] {
        let scripts =
            |priority| instance(vrid, priority).with("version 3\n notify /n/any\n notify_stop /n/stop");
        let mut cluster = Cluster::pair(scripts(150), scripts(100));
        let begin = cluster.now();
        leave(&mut cluster);
        assert!(cluster.world.has_ip(cluster.nodes[0], vip(vrid)));
        assert_eq!(cluster.programs(0, begin), [""; 0], "it does not stop being master");
        assert!(cluster.world.file(cluster.nodes[0], FILE).is_some());
        cluster.run(1.7);
        cluster.start(0);
        cluster.run(0.01);
        assert_eq!(cluster.world.file(cluster.nodes[0], FILE), None, "it counts once");
        cluster.assert_logged(0, "Entering MASTER STATE cause=handed over by the process before this one");
        assert_eq!(cluster.programs(0, begin).len(), 1, "what is told at a start");
        cluster.assert_master(0, vrid);
        assert_eq!(gone(&cluster, 0, vrid, begin), None);
        assert_eq!(cluster.adverts(1, vrid, begin), []);
        assert_eq!(cluster.priorities(0, vrid, begin), [150], "it has not resigned");
        assert!(!cluster.announcements(0, vrid, begin).is_empty());
    }
}

/// Whenever the kernel gets to it, the addresses are gone before the other one has them.
#[test]
fn nobody_has_the_addresses_with_another_one_when_there_is_no_next_start() {
    for seed in 0..50 {
        for interval in ["1", "0.67", "2.5"] {
            let router =
                |priority| instance(1, priority).with(&format!("version 3\n advert_int {interval}")).text();
            let mut cluster = Cluster::running(seed, vec![router(150), router(254)]);
            // The one of the shortest wait is backup.
            cluster.world.crash(cluster.nodes[1]);
            cluster.run(20.0);
            cluster.write_config(1, router(254).replace("priority 254", "priority 254\n nopreempt"));
            cluster.start(1);
            cluster.run(5.0);
            assert_eq!(cluster.holders(1), [0]);
            let begin = cluster.now();
            leave(&mut cluster);
            cluster.run(20.0);
            let gone = gone(&cluster, 0, 1, begin).expect("the kernel takes it away");
            let there = cluster.address_added(1, 1, begin).expect("the other one takes over");
            assert!(gone < there, "{gone} {there}");
            cluster.assert_logged(0, "handed over");
            assert_eq!(cluster.priorities(0, 1, begin), [150]);
        }
    }
}

#[test]
fn who_comes_too_late_or_after_a_boot_starts_as_ever() {
    for boot in [false, true] {
        let mut cluster = pair("");
        leave(&mut cluster);
        let file = cluster.world.file(cluster.nodes[0], FILE);
        if boot {
            cluster.world.power_off(cluster.nodes[0]);
            cluster.world.power_on(cluster.nodes[0]);
            cluster.world.set_file(cluster.nodes[0], FILE, file.as_deref());
        } else {
            cluster.run(2.5);
        }
        let begin = cluster.now();
        cluster.start(0);
        cluster.run(0.5);
        assert_eq!(cluster.adverts(0, 1, begin), []);
        assert!(!cluster.world.has_ip(cluster.nodes[0], vip(1)), "left-overs go");
        cluster.assert_logged(0, "(VI_1) Entering BACKUP STATE (init)");
        assert_eq!(cluster.world.file(cluster.nodes[0], FILE), None);
        cluster.run(10.0);
        cluster.assert_master(0, 1);
    }
}

#[test]
fn a_plain_stop_resigns() {
    let mut cluster = pair("");
    let begin = cluster.now();
    cluster.world.signal(cluster.nodes[0], Signal::Stop);
    cluster.run(0.1);
    assert_eq!(cluster.priorities(0, 1, begin), [0]);
    assert!(!cluster.world.has_ip(cluster.nodes[0], vip(1)));
    assert_eq!(cluster.world.file(cluster.nodes[0], FILE), None);
}

#[test]
fn a_backup_and_who_speaks_too_often_stop_as_ever() {
    let fast = |priority| instance(1, priority).with("version 3\n advert_int 0.5");
    let mut cluster = Cluster::pair(fast(150), fast(100));
    cluster.assert_logged(0, "(VI_1) --hand-over: not handed over");
    let begin = cluster.now();
    cluster.world.signal(cluster.nodes[1], Signal::HandOver);
    leave(&mut cluster);
    assert_eq!(cluster.priorities(0, 1, begin).last(), Some(&0));
    for node in cluster.nodes.clone() {
        assert!(!cluster.world.has_ip(node, vip(1)));
        assert_eq!(cluster.world.file(node, FILE), None);
    }
}

#[test]
fn another_configuration_counts_at_once() {
    let mut cluster = pair("");
    let begin = cluster.now();
    leave(&mut cluster);
    cluster.write_config(0, instance(1, 50).text());
    cluster.start(0);
    cluster.run(0.5);
    assert_eq!(cluster.priorities(0, 1, begin), [150, 50]);
    assert_eq!(cluster.holders(1), [0]);
    cluster.run(10.0);
    cluster.assert_master(1, 1);
    // What moved to another virtual router is not ours.
    let mut cluster = pair("");
    leave(&mut cluster);
    cluster.write_config(0, instance(2, 150).text());
    cluster.start(0);
    cluster.run(0.1);
    assert_eq!(cluster.holders(2), [] as [usize; 0]);
}

#[test]
fn who_is_better_takes_over_as_from_any_master() {
    let mut cluster = Cluster::new(1, vec![instance(1, 100).text(), instance(1, 150).text()]);
    cluster.start(0);
    cluster.run(10.0);
    leave(&mut cluster);
    cluster.start(1);
    cluster.run(0.5);
    let begin = cluster.now();
    cluster.start(0);
    cluster.run(0.5);
    assert_eq!(cluster.priorities(0, 1, begin), [100]);
    cluster.run(10.0);
    cluster.assert_master(1, 1);
}

#[test]
fn what_keeps_it_from_taking_part_keeps_it_from_going_on() {
    let script = format!("vrrp_script check {{\n script {CHECK}\n interval 1\n}}\n");
    let tracks = |priority| script.clone() + &instance(1, priority).with("track_script {\n check\n }").text();
    for (exit, master) in [(0, true), (1, false)] {
        let mut cluster = Cluster::running(1, vec![tracks(150), instance(1, 100).text()]);
        let begin = cluster.now();
        leave(&mut cluster);
        let after = secs(0.3);
        let exit = keepalived_rs::host::Exit::Status(exit);
        cluster.world.set_program(cluster.nodes[0], CHECK, Behaviour::Ends { after, exit });
        cluster.start(0);
        cluster.run(0.2);
        assert!(cluster.world.has_ip(cluster.nodes[0], vip(1)), "until that is known");
        cluster.run(0.2);
        assert_eq!(cluster.world.has_ip(cluster.nodes[0], vip(1)), master);
        assert_eq!(gone(&cluster, 0, 1, begin).is_none(), master);
        cluster.run(10.0);
        cluster.assert_master(usize::from(!master), 1);
    }
    let mut cluster = pair("");
    leave(&mut cluster);
    cluster.world.link_down(cluster.nodes[0], "eth0");
    cluster.start(0);
    cluster.run(0.1);
    assert!(!cluster.world.has_ip(cluster.nodes[0], vip(1)));
    cluster.run(10.0);
    assert_eq!(cluster.holders(1), [1]);
}

/// Two routers between two LANs, as in the scenarios of groups.
fn group(members: &[u8]) -> String {
    let names: Vec<String> = members.iter().map(|vrid| Instance::name(*vrid)).collect();
    format!("vrrp_sync_group G {{\n group {{\n {}\n }}\n}}\n", names.join("\n"))
}

#[test]
fn a_sync_group_goes_on_with_all_members_or_not_at_all() {
    let both = |priority| {
        let one = instance(1, priority).with("notify_master /n/master").text();
        one + &instance(2, priority).on("eth1").with("notify_master /n/master").text()
    };
    for new_member in [false, true] {
        let text = |priority| both(priority) + &group(if new_member { &[1] } else { &[1, 2] });
        let mut cluster = Cluster::new(1, vec![text(150), text(100)]);
        let outside = cluster.world.lan(LanOptions::default());
        for i in 0..2 {
            cluster.world.attach(cluster.nodes[i], outside, "eth1", cidr(&format!("10.0.2.{}/24", i + 1)));
            cluster.start(i);
        }
        cluster.run(10.0);
        assert_eq!((cluster.holders(1), cluster.holders(2)), (vec![0], vec![0]));
        let begin = cluster.now();
        leave(&mut cluster);
        let new = if new_member { instance(3, 150).text() } else { String::new() };
        let members: &[u8] = if new_member { &[1, 2, 3] } else { &[1, 2] };
        cluster.write_config(0, both(150) + &new + &group(members));
        cluster.start(0);
        cluster.run(0.5);
        for vrid in [1, 2] {
            assert_eq!(gone(&cluster, 0, vrid, begin).is_some(), new_member, "{vrid}");
        }
        if !new_member {
            assert_eq!(cluster.programs(0, begin).len(), 2);
            cluster.run(10.0);
            assert_eq!(cluster.logged(1, "Entering MASTER STATE"), 0);
        }
        cluster.run(20.0);
        assert_eq!((cluster.holders(1), cluster.holders(2)), (vec![0], vec![0]));
    }
}

#[test]
fn a_vmac_stays_with_its_address_and_what_it_does_not_accept() {
    let router = |priority| instance(51, priority).with("version 3\n use_vmac\n no_accept");
    let mut cluster = Cluster::pair(router(150), router(100));
    let node = cluster.nodes[0];
    let whole = cluster.world.firewall(node);
    let begin = cluster.now();
    leave(&mut cluster);
    assert_eq!(cluster.world.firewall(node), whole);
    cluster.start(0);
    cluster.run(0.1);
    assert_eq!(cluster.world.firewall(node), whole);
    assert_eq!(gone(&cluster, 0, 51, begin), None);
    let removed = cluster.world.records_since(begin, |record| match &record.what {
        What::Changed { op: KernelOp::DeleteFirewall(entry), .. } if record.node == Some(node) => {
            Some(matches!(entry.rule, FirewallRule::Drop { .. }))
        }
        What::Changed { op: KernelOp::DeleteLink(..), .. } if record.node == Some(node) => Some(true),
        _ => None,
    });
    assert_eq!(removed, [] as [bool; 0]);
    cluster.assert_master(0, 51);
    cluster.world.signal(node, Signal::Stop);
    cluster.run(0.1);
    assert!(
        cluster.world.links(node).iter().all(|link| link.stacking.base.is_none()),
        "the last one tidies up"
    );
    assert!(cluster.world.firewall(node).is_empty());
}

#[test]
fn routes_are_made_again() {
    let routes = "virtual_routes {\n 192.0.1.0/24 via 10.0.1.1\n }";
    let mut cluster = pair(routes);
    assert_eq!(cluster.routes(cluster.nodes[0], 1).len(), 1);
    leave(&mut cluster);
    assert_eq!(cluster.routes(cluster.nodes[0], 1).len(), 0);
    cluster.start(0);
    cluster.run(0.1);
    assert_eq!(cluster.routes(cluster.nodes[0], 1).len(), 1);
}

#[test]
fn ten_restarts_in_a_row() {
    let mut cluster = pair("");
    let begin = cluster.now();
    for _ in 0..10 {
        leave(&mut cluster);
        cluster.run(0.2);
        cluster.start(0);
        cluster.run(0.7);
    }
    cluster.assert_master(0, 1);
    assert_eq!(gone(&cluster, 0, 1, begin), None);
    assert_eq!(cluster.adverts(1, 1, begin), []);
}
