//! Routers that were not run for a while.

use crate::harness::*;

#[test]
fn a_master_stopped_for_long_listens_before_it_speaks() {
    let mut cluster = Cluster::pair(instance(1, 150), instance(1, 100));
    let a = cluster.nodes[0];
    cluster.world.freeze(a);
    cluster.run(20.0);
    assert!(cluster.world.has_ip(a, vip(1)), "its kernel does not know");
    cluster.assert_master(1, 1);
    let thaw = cluster.now();
    cluster.world.thaw(a);
    cluster.run(10.0);
    // What it found in its socket told it of the other; having preempt, it may take the address back.
    assert_eq!(cluster.priorities(0, 1, thaw), [150]);
    assert!(!cluster.priorities(1, 1, thaw).contains(&0));
    cluster.assert_master(0, 1);
}

#[test]
fn a_stopped_master_without_preemption_leaves_the_address_where_it_is() {
    let high = instance(1, 150).with("state BACKUP").with("nopreempt");
    let mut cluster = Cluster::pair(high, instance(1, 100));
    let a = cluster.nodes[0];
    cluster.world.freeze(a);
    cluster.run(20.0);
    let thaw = cluster.now();
    cluster.world.thaw(a);
    cluster.run(0.1);
    assert!(!cluster.world.has_ip(a, vip(1)), "given up at once");
    cluster.run(20.0);
    assert_eq!(cluster.adverts(0, 1, thaw), [], "not one advert");
    cluster.assert_master(1, 1);
}

#[test]
fn a_paused_machine_that_has_missed_everything_listens_too() {
    for seed in 0..20 {
        let high = instance(1, 150).with("state BACKUP").with("nopreempt");
        let mut cluster = Cluster::running(seed, vec![high.text(), instance(1, 100).text()]);
        let a = cluster.nodes[0];
        cluster.world.pause_vm(a);
        cluster.run(20.0 + seed as f64 / 20.0);
        let resume = cluster.now();
        cluster.world.resume_vm(a);
        cluster.run(20.0);
        assert_eq!(cluster.adverts(0, 1, resume), [], "not one advert");
        cluster.assert_master(1, 1);
    }
}

#[test]
fn a_master_that_nobody_replaced_goes_on_after_listening() {
    let mut cluster = Cluster::new(1, vec![instance(1, 150).text()]);
    cluster.start(0);
    cluster.run(10.0);
    cluster.world.freeze(cluster.nodes[0]);
    cluster.run(20.0);
    let thaw = cluster.now();
    cluster.world.thaw(cluster.nodes[0]);
    cluster.run(10.0);
    let first = cluster.adverts(0, 1, thaw)[0].at - thaw;
    assert!(first >= secs(1.0) && first < secs(2.0), "{first:?}");
    assert_eq!(cluster.logged(0, "Entering BACKUP STATE"), 1, "only at the start");
    cluster.assert_master(0, 1);
}

#[test]
fn a_short_stall_of_the_master_is_not_noticed() {
    let mut cluster = Cluster::pair(instance(1, 150), instance(1, 100));
    let start = cluster.now();
    for _ in 0..10 {
        cluster.world.freeze(cluster.nodes[0]);
        cluster.run(2.0);
        cluster.world.thaw(cluster.nodes[0]);
        cluster.run(2.0);
    }
    assert_eq!(cluster.adverts(1, 1, start), []);
    cluster.assert_master(0, 1);
}

#[test]
fn a_starved_backup_believes_what_has_arrived_and_not_its_timer() {
    for seed in 0..20 {
        let mut cluster = Cluster::running(seed, vec![instance(1, 150).text(), instance(1, 100).text()]);
        let start = cluster.now();
        for stall in [3.6, 3.7, 5.0, 20.0, 300.0] {
            cluster.world.freeze(cluster.nodes[1]);
            cluster.run(stall);
            cluster.world.thaw(cluster.nodes[1]);
            cluster.run(10.0);
        }
        assert_eq!(cluster.adverts(1, 1, start), []);
        cluster.assert_master(0, 1);
    }
}

#[test]
fn a_paused_backup_gives_the_master_time_to_be_heard() {
    for seed in 0..20 {
        let mut cluster = Cluster::running(seed, vec![instance(1, 150).text(), instance(1, 100).text()]);
        let start = cluster.now();
        for stall in [5.0, 20.3, 60.7] {
            cluster.world.pause_vm(cluster.nodes[1]);
            cluster.run(stall);
            cluster.world.resume_vm(cluster.nodes[1]);
            cluster.run(10.0);
        }
        assert_eq!(cluster.adverts(1, 1, start), []);
        cluster.assert_master(0, 1);
    }
}

#[test]
fn all_stalled_at_once_come_back_with_one_master() {
    for seed in 0..20 {
        let configs = vec![instance(1, 150).text(), instance(1, 100).text(), instance(1, 100).text()];
        let mut cluster = Cluster::running(seed, configs);
        for i in 0..3 {
            cluster.world.freeze(cluster.nodes[i]);
        }
        cluster.run(30.0);
        for i in [2, 0, 1] {
            cluster.world.thaw(cluster.nodes[i]);
            cluster.run(0.1);
        }
        cluster.run(20.0);
        cluster.assert_master(0, 1);
    }
}
