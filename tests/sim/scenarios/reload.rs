//! A changed configuration while routers run: what is not about the change goes on as if nothing had happened.

use crate::harness::*;
use keepalived_rs::host::Signal;

/// Router `i` never did without the address of `vrid` since `since`.
fn assert_never_without(cluster: &Cluster, i: usize, vrid: u8, since: keepalived_rs::base::Instant) {
    assert!(cluster.holders(vrid).contains(&i), "{vrid} is not on router {i}");
    assert_eq!(cluster.address_added(i, vrid, since), None, "it was added again");
}

#[test]
fn an_unchanged_configuration_changes_nothing() {
    let text = [instance(1, 150).with("notify /n/any").text(), instance(2, 50).text()].concat();
    let peer = [instance(1, 100).text(), instance(2, 100).text()].concat();
    let mut cluster = Cluster::running(1, vec![text.clone(), peer]);
    let start = cluster.now();
    for _ in 0..10 {
        cluster.reload(0, text.clone());
        cluster.run(0.37);
    }
    cluster.run(6.3);
    assert_never_without(&cluster, 0, 1, start);
    assert_eq!(cluster.adverts(0, 1, start).len(), 10, "on the beat, and not one more");
    assert_eq!(cluster.announcements(0, 1, start), []);
    assert_eq!(cluster.programs(0, start), [""; 0]);
    assert_eq!(cluster.adverts(1, 1, start), []);
    cluster.assert_logged(0, "Reload complete");
}

#[test]
fn another_priority_counts_at_once() {
    let mut cluster = Cluster::pair(instance(1, 150), instance(1, 100));
    let start = cluster.now();
    cluster.reload(0, instance(1, 120).text());
    cluster.run(5.0);
    assert_never_without(&cluster, 0, 1, start);
    assert_eq!(cluster.priorities(0, 1, start)[0], 120);
    cluster.reload(0, instance(1, 50).text());
    cluster.run(5.0);
    assert_eq!(cluster.holders(1), [1], "the other one is better now");
}

/// Neither for what is saved around it, nor for the file that says what is claimed, as long as that is right.
#[test]
fn a_reload_does_not_wait_for_a_disk() {
    let text =
        |priority| format!("global_defs {{\n config_save_dir /save\n}}\n{}", instance(1, priority).text());
    for folder in ["/save", "/run"] {
        let mut cluster = Cluster::new(1, vec![text(150)]);
        cluster.start(0);
        cluster.run(10.0);
        cluster.world.hang_disk(cluster.nodes[0], folder);
        for priority in [120, 110, 100] {
            let start = cluster.now();
            cluster.reload(0, text(priority));
            cluster.run(2.0);
            assert_eq!(cluster.priorities(0, 1, start)[0], priority, "{folder}");
            cluster.world.signal(cluster.nodes[0], Signal::Data);
            cluster.run(0.1);
            let data = cluster.world.file(cluster.nodes[0], "/tmp/keepalived.data");
            assert_eq!(data.is_some(), folder == "/run", "dumps come one after the other");
        }
        assert_eq!(cluster.logged(0, "Reload complete"), 3, "{folder}");
        cluster.world.signal(cluster.nodes[0], Signal::Stop);
        cluster.run(1.0);
        assert_eq!(cluster.world.exit_status(cluster.nodes[0]), Some(0), "nor does a stop");
    }
}

#[test]
fn a_backup_waits_as_the_new_configuration_says() {
    let v2 = |priority: u8, interval: u8| {
        instance(1, priority).with("version 2").with(&format!("advert_int {interval}"))
    };
    let mut cluster = Cluster::pair(v2(150, 10), v2(100, 10));
    cluster.run(40.0);
    assert_eq!(cluster.holders(1), [0]);
    cluster.reload(0, v2(150, 1).text());
    cluster.reload(1, v2(100, 1).text());
    cluster.run(5.0);
    assert_eq!(cluster.holders(1), [0]);
    let crash = cluster.now();
    cluster.world.crash(cluster.nodes[0]);
    cluster.run(4.0);
    assert_eq!(cluster.holders(1), [0, 1][1..], "after {:?}", cluster.now() - crash);
}

#[test]
fn addresses_come_and_go_without_a_gap_for_the_others() {
    let one =
        |more: &str| instance(1, 150).with(&format!("virtual_ipaddress_excluded {{\n{more}\n}}")).text();
    let mut cluster = Cluster::new(1, vec![one("10.0.7.1/24\n10.0.7.2/24"), one("10.0.7.1/24")]);
    cluster.start(0);
    cluster.run(10.0);
    let node = cluster.nodes[0];
    let start = cluster.now();
    cluster.reload(0, one("10.0.7.2/24\n10.0.7.3/24"));
    cluster.run(0.1);
    let has = |cluster: &Cluster, ip: &str| cluster.world.has_ip(node, ip.parse().unwrap());
    assert!(!has(&cluster, "10.0.7.1") && has(&cluster, "10.0.7.2") && has(&cluster, "10.0.7.3"));
    assert_never_without(&cluster, 0, 1, start);
    assert!(!cluster.announcements(0, 1, start).is_empty(), "all are announced with the new one");
}

#[test]
fn an_address_moves_between_two_masters_without_a_gap() {
    let with = |vrid, more: &str| {
        instance(vrid, 150).with(&format!("virtual_ipaddress_excluded {{\n{more}\n}}")).text()
    };
    let text = |one, two| [with(1, one), with(2, two)].concat();
    let mut cluster = Cluster::new(1, vec![text("10.0.7.1/24", "10.0.7.2/24")]);
    cluster.start(0);
    cluster.run(10.0);
    let start = cluster.now();
    cluster.reload(0, text("10.0.7.2/24", "10.0.7.1/24"));
    cluster.run(1.0);
    assert_eq!(cluster.kernel_changes(0, start), [""; 0], "nothing to do for the kernel");
}

#[test]
fn an_instance_may_have_another_name() {
    let text = instance(1, 150).text();
    let mut cluster = Cluster::running(1, vec![text.clone(), instance(1, 100).text()]);
    let start = cluster.now();
    cluster.reload(0, text.replace("VI_1", "gateway"));
    cluster.run(5.0);
    assert_never_without(&cluster, 0, 1, start);
    assert_eq!(cluster.adverts(1, 1, start), []);
    cluster.world.link_down(cluster.nodes[0], "eth0");
    cluster.run(0.1);
    cluster.assert_logged(0, "(gateway) Entering FAULT STATE");
}

#[test]
fn instances_come_and_go() {
    let both = |a: u8, b: u8| [instance(a, 150).text(), instance(b, 150).text()].concat();
    let mut cluster = Cluster::running(1, vec![both(1, 2), instance(2, 100).text()]);
    let start = cluster.now();
    cluster.reload(0, both(1, 3));
    cluster.run(0.1);
    assert_eq!(cluster.priorities(0, 2, start), [0], "it says goodbye");
    assert!(!cluster.world.has_ip(cluster.nodes[0], vip(2)));
    cluster.run(10.0);
    assert_never_without(&cluster, 0, 1, start);
    assert_eq!((cluster.holders(2), cluster.holders(3)), (vec![1], vec![0]));
    cluster.reload(0, both(1, 2));
    cluster.run(10.0);
    assert_eq!((cluster.holders(2), cluster.holders(3)), (vec![0], vec![]), "and back");
    cluster.world.signal(cluster.nodes[0], Signal::Stop);
    cluster.run(0.1);
    assert_eq!(cluster.world.exit_status(cluster.nodes[0]), Some(0));
}

#[test]
fn what_a_script_said_is_still_known() {
    let text = |interval: u8, fall: u8| {
        let script = format!("vrrp_script c {{\n script {CHECK}\n interval {interval}\n fall {fall}\n}}\n");
        script + &instance(1, 150).with("track_script {\n c weight -60\n }").text()
    };
    let mut cluster = Cluster::running(1, vec![text(1, 1), instance(1, 100).text()]);
    cluster.world.set_program(cluster.nodes[0], CHECK, keepalived_rs::sim::Behaviour::exits(1));
    cluster.run(6.0);
    assert_eq!(cluster.holders(1), [1]);
    let start = cluster.now();
    cluster.reload(0, text(2, 3));
    cluster.run(20.0);
    assert_eq!(cluster.adverts(0, 1, start), [], "it does not hope anew");
}

#[test]
fn a_member_that_is_new_in_a_group_does_not_cost_the_others_their_addresses() {
    let group = |members: &str| format!("vrrp_sync_group G {{\n group {{\n{members}\n }}\n}}\n");
    let text = |priority, third: bool| {
        let mut text = group(if third { "VI_1\nVI_2\nVI_3" } else { "VI_1\nVI_2" });
        for vrid in 1..=if third { 3 } else { 2 } {
            text += &instance(vrid, priority).text();
        }
        text
    };
    let mut cluster = Cluster::running(1, vec![text(150, false), text(100, false)]);
    assert_eq!((cluster.holders(1), cluster.holders(2)), (vec![0], vec![0]));
    let start = cluster.now();
    cluster.reload(1, text(100, true));
    cluster.run(10.0);
    cluster.reload(0, text(150, true));
    cluster.run(10.0);
    assert_never_without(&cluster, 0, 1, start);
    assert_never_without(&cluster, 0, 2, start);
    assert_eq!(cluster.holders(3), [0]);
    cluster.world.crash(cluster.nodes[0]);
    cluster.run(5.0);
    assert!(cluster.holders(1).contains(&1) && cluster.holders(3).contains(&1), "and they move as one");
}
