//! Who becomes master, and when.

use crate::harness::*;
use keepalived_rs::host::Signal;

/// Time that LAN and kernel may take from the moment a timer ends: a packet's way, a batch, a report.
const WAY: f64 = 0.001;

/// Asserts that `measured` is `expected` seconds, and at most [`WAY`] more.
#[track_caller]
fn assert_time(measured: std::time::Duration, expected: f64) {
    let measured = measured.as_secs_f64();
    assert!((expected..expected + WAY).contains(&measured), "{measured} s instead of {expected} s");
}

#[test]
fn the_higher_priority_starts_as_master_after_the_master_down_time() {
    let mut cluster = Cluster::new(1, vec![instance(1, 150).text(), instance(1, 100).text()]);
    let start = cluster.now();
    cluster.start(0);
    cluster.start(1);
    cluster.run(10.0);
    // 3 intervals and a skew of (256 - 150) / 256 s.
    let first = cluster.adverts(0, 1, start)[0].at;
    assert_time(first - start, 3.414_062);
    assert_time(cluster.address_added(0, 1, start).unwrap() - first, 0.0);
    cluster.assert_master(0, 1);
    assert_eq!(cluster.adverts(1, 1, start), []);
    cluster.assert_logged(0, "(VI_1) Entering BACKUP STATE (init)");
    cluster.assert_logged(0, "(VI_1) Entering MASTER STATE");
}

#[test]
fn adverts_keep_their_beat() {
    let mut cluster = Cluster::pair(instance(1, 150), instance(1, 100));
    let start = cluster.now();
    cluster.run(100.0);
    let adverts = cluster.adverts(0, 1, start);
    assert_eq!(adverts.len(), 100);
    assert!(adverts.windows(2).all(|w| w[1].at - w[0].at == secs(1.0)));
}

#[test]
fn after_a_crash_the_backup_takes_over_and_gives_back_to_a_restarted_router() {
    let mut cluster = Cluster::pair(instance(1, 150), instance(1, 100));
    let before = cluster.now();
    let (a, b) = (cluster.nodes[0], cluster.nodes[1]);
    let last = cluster.adverts(0, 1, before.saturating_back(secs(1.0))).last().unwrap().at;
    cluster.world.crash(a);
    cluster.run(10.0);
    let first = cluster.adverts(1, 1, before)[0].at;
    assert_time(first - last, 3.609_375);
    assert!(cluster.address_added(1, 1, before).unwrap() - first < secs(WAY));
    let announced = cluster.world.announced(cluster.lan, vip(1)).unwrap();
    assert_eq!(announced.1, b);
    // The dead daemon's kernel still has the address. Its successor removes it, and takes over in order.
    assert!(cluster.world.has_ip(a, vip(1)));
    let restart = cluster.now();
    cluster.start(0);
    cluster.run(1.0);
    assert!(!cluster.world.has_ip(a, vip(1)), "left behind by the predecessor");
    assert_eq!(cluster.holders(1), [1]);
    cluster.run(9.0);
    assert_eq!(cluster.priorities(0, 1, restart), [150]);
    assert!(!cluster.priorities(1, 1, restart).contains(&0));
    cluster.assert_master(0, 1);
}

#[test]
fn a_stop_hands_over_within_the_skew_time() {
    let mut cluster = Cluster::pair(instance(1, 150), instance(1, 100));
    let stop = cluster.now();
    cluster.world.signal(cluster.nodes[0], Signal::Stop);
    cluster.run(0.1);
    assert_eq!(cluster.world.exit_status(cluster.nodes[0]), Some(0));
    assert!(!cluster.world.has_ip(cluster.nodes[0], vip(1)));
    assert_eq!(cluster.priorities(0, 1, stop), [0]);
    assert_eq!(cluster.adverts(0, 1, stop).len(), 1);
    cluster.run(5.0);
    assert_time(cluster.adverts(1, 1, stop)[0].at - stop, 0.609_375);
    cluster.assert_logged(0, "(VI_1) sent 0 priority");
    cluster.world.signal(cluster.nodes[1], Signal::Stop);
    cluster.run(1.0);
    assert_eq!(cluster.world.exit_status(cluster.nodes[1]), Some(0));
    assert!(!cluster.world.has_ip(cluster.nodes[1], vip(1)));
}

#[test]
fn a_higher_priority_preempts_and_the_loser_leaves_without_resigning() {
    let mut cluster = Cluster::new(1, vec![instance(1, 150).text(), instance(1, 100).text()]);
    cluster.start(1);
    cluster.run(10.0);
    cluster.assert_master(1, 1);
    let start = cluster.now();
    cluster.start(0);
    cluster.run(10.0);
    assert_time(cluster.adverts(0, 1, start)[0].at - start, 3.414_062);
    assert!(!cluster.priorities(1, 1, start).contains(&0));
    cluster.assert_master(0, 1);
    cluster.assert_logged(1, "Master received advert from 10.0.0.1 with higher priority 150, ours 100");
}

#[test]
fn nopreempt_leaves_the_master_alone_until_it_is_gone() {
    let high = instance(1, 150).with("state BACKUP").with("nopreempt");
    let mut cluster = Cluster::new(1, vec![high.text(), instance(1, 100).text()]);
    cluster.start(1);
    cluster.run(10.0);
    let start = cluster.now();
    cluster.start(0);
    cluster.run(60.0);
    assert_eq!(cluster.adverts(0, 1, start), []);
    cluster.assert_master(1, 1);
    cluster.world.crash(cluster.nodes[1]);
    cluster.run(10.0);
    cluster.assert_master(0, 1);
}

#[test]
fn preempt_delay_counts_from_the_first_lower_advert() {
    let high = instance(1, 150).with("state BACKUP").with("preempt_delay 20");
    let mut cluster = Cluster::new(1, vec![high.text(), instance(1, 100).text()]);
    cluster.start(1);
    cluster.run(10.0);
    let start = cluster.now();
    cluster.start(0);
    cluster.run(60.0);
    let first = (cluster.adverts(0, 1, start)[0].at - start).as_secs_f64();
    // The delay, at most one interval before it and a master-down time behind.
    assert!((20.0..20.0 + 1.0 + 3.42).contains(&first), "{first}");
    cluster.assert_master(0, 1);
}

#[test]
fn both_sides_of_a_partition_have_a_master_and_one_remains_when_it_heals() {
    for seed in 0..20 {
        let configs = vec![instance(1, 150).text(), instance(1, 100).text(), instance(1, 50).text()];
        let mut cluster = Cluster::running(seed, configs);
        cluster.world.partition(cluster.lan, &[&[cluster.nodes[1], cluster.nodes[2]]]);
        cluster.run(20.0 + seed as f64 / 20.0);
        assert_eq!(cluster.holders(1), [0, 1]);
        let heal = cluster.now();
        cluster.world.heal(cluster.lan);
        cluster.run(5.0);
        assert!(!cluster.priorities(1, 1, heal).contains(&0));
        cluster.assert_master(0, 1);
    }
}

#[test]
fn of_equal_priorities_the_higher_address_wins_and_the_first_one_stays() {
    let mut cluster = Cluster::pair(instance(1, 100), instance(1, 100));
    cluster.assert_master(1, 1);
    cluster.world.crash(cluster.nodes[1]);
    cluster.run(10.0);
    cluster.start(1);
    cluster.run(10.0);
    cluster.assert_master(0, 1);
    // Two masters of equal priority: only the address decides.
    cluster.world.partition(cluster.lan, &[&[cluster.nodes[1]]]);
    cluster.run(10.0);
    assert_eq!(cluster.holders(1), [0, 1]);
    cluster.world.heal(cluster.lan);
    cluster.run(5.0);
    cluster.assert_master(1, 1);
}

#[test]
fn an_owner_takes_its_addresses_at_once() {
    let mut cluster = Cluster::new(1, vec![instance(1, 255).text(), instance(1, 100).text()]);
    cluster.start(1);
    cluster.run(10.0);
    let start = cluster.now();
    cluster.start(0);
    cluster.run(1.0);
    assert!(cluster.adverts(0, 1, start)[0].at - start < secs(WAY));
    cluster.assert_master(0, 1);
}

#[test]
fn version_3_takes_over_in_hundredths_of_the_interval() {
    let v3 = |priority| instance(1, priority).with("version 3").with("advert_int 0.1");
    let mut cluster = Cluster::pair(v3(150), v3(100));
    let before = cluster.now();
    let last = cluster.adverts(0, 1, before.saturating_back(secs(0.1))).last().unwrap().at;
    cluster.world.crash(cluster.nodes[0]);
    cluster.run(1.0);
    assert_time(cluster.adverts(1, 1, before)[0].at - last, 0.360_937);
    cluster.assert_master(1, 1);
}

#[test]
fn a_version_3_backup_learns_the_interval_of_the_master() {
    let v3 =
        |priority, interval| instance(1, priority).with("version 3").with(&format!("advert_int {interval}"));
    let mut cluster = Cluster::pair(v3(150, "1"), v3(100, "0.1"));
    cluster.assert_master(0, 1);
    let before = cluster.now();
    let last = cluster.adverts(0, 1, before.saturating_back(secs(1.0))).last().unwrap().at;
    cluster.world.crash(cluster.nodes[0]);
    cluster.run(10.0);
    assert_time(cluster.adverts(1, 1, before)[0].at - last, 3.609_375);
}

#[test]
fn every_instance_decides_for_itself() {
    let configs = [[150, 100, 120], [100, 150, 110], [50, 50, 130]];
    let configs = configs.map(|priorities| {
        [1, 2, 3].map(|vrid| instance(vrid, priorities[usize::from(vrid) - 1]).text()).concat()
    });
    let mut cluster = Cluster::running(1, configs.into());
    for (vrid, master) in [(1, 0), (2, 1), (3, 2)] {
        cluster.assert_master(master, vrid);
    }
    cluster.world.power_off(cluster.nodes[0]);
    cluster.run(5.0);
    for (vrid, master) in [(1, 1), (2, 1), (3, 2)] {
        cluster.assert_master(master, vrid);
    }
}

/// An instance that the next start is not configured to have has another owner: nobody else may answer for its address.
#[test]
fn what_a_crash_has_left_of_a_removed_instance_goes() {
    let both = |priority| instance(1, priority).text() + &instance(2, priority).text();
    let mut cluster = Cluster::running(1, vec![both(150), both(100)]);
    cluster.assert_master(0, 2);
    let a = cluster.nodes[0];
    cluster.world.crash(a);
    cluster.run(10.0);
    assert!(cluster.world.has_ip(a, vip(1)) && cluster.world.has_ip(a, vip(2)), "a crash leaves everything");
    cluster.write_config(0, instance(1, 150).text());
    cluster.start(0);
    cluster.run(1.0);
    assert!(!cluster.world.has_ip(a, vip(2)));
    assert_eq!(cluster.logged(0, "left by a predecessor and no longer configured"), 1);
    cluster.run(9.0);
    cluster.assert_master(0, 1);
    cluster.assert_master(1, 2);
    // After a stop there is nothing to take away, and nobody to remember it.
    cluster.world.signal(a, Signal::Stop);
    cluster.run(1.0);
    cluster.write_config(0, both(150));
    cluster.start(0);
    cluster.run(10.0);
    assert_eq!(cluster.logged(0, "left by a predecessor"), 1);
}
