//! Options of timers and announcements.

use crate::harness::*;
use keepalived_rs::host::Signal;

/// `global` in front of one router with one instance.
fn alone(global: &str) -> Cluster {
    Cluster::new(1, vec![format!("{global}\n{}", instance(1, 100).text())])
}

#[test]
fn the_startup_delay_comes_before_everything_else() {
    let mut cluster = alone("global_defs {\n    vrrp_startup_delay 4\n}");
    let start = cluster.now();
    cluster.start(0);
    cluster.run(20.0);
    let first = cluster.adverts(0, 1, start)[0].at;
    assert_eq!((first - start).as_millis(), 7609);
    cluster.assert_logged(0, "Delaying startup for 4 seconds");
    cluster.assert_logged(0, "Delayed start completed");
    cluster.assert_master(0, 1);
}

/// The master stops during the delay of a newcomer: that has heard it, but waits for the end.
#[test]
fn a_goodbye_during_the_startup_delay_is_heard() {
    let late = format!("global_defs {{\n    vrrp_startup_delay 4\n}}\n{}", instance(1, 150).text());
    let mut cluster = Cluster::new(1, vec![late, instance(1, 100).text()]);
    cluster.start(1);
    cluster.run(5.0);
    cluster.assert_master(1, 1);
    let start = cluster.now();
    cluster.start(0);
    cluster.run(2.0);
    cluster.world.signal(cluster.nodes[1], Signal::Stop);
    cluster.run(5.0);
    // Priority 150: a skew of 414 ms.
    let first = cluster.adverts(0, 1, start)[0].at;
    assert_eq!((first - start).as_millis(), 4414);
    cluster.assert_master(0, 1);
}

#[test]
fn announcements_are_spaced_out() {
    let group = "garp_group {\n    garp_interval 0.25\n    interface eth0\n}";
    for text in ["global_defs {\n    vrrp_garp_interval 0.25\n}", group] {
        let mut cluster = alone(text);
        let start = cluster.now();
        cluster.start(0);
        cluster.run(5.5);
        let sent = cluster.announcements(0, 1, start);
        assert_eq!(sent.len(), 5, "{text}");
        assert!(sent.windows(2).all(|w| w[1] - w[0] == secs(0.25)), "{text}: {sent:?}");
    }
}

#[test]
fn announcements_that_wait_are_forgotten_with_the_address() {
    let mut cluster = alone("global_defs {\n    vrrp_garp_interval 1\n}");
    let start = cluster.now();
    cluster.start(0);
    cluster.run(5.0);
    let before = cluster.announcements(0, 1, start).len();
    assert!((1..5).contains(&before), "{before}");
    cluster.world.signal(cluster.nodes[0], Signal::Stop);
    cluster.run(10.0);
    assert_eq!(cluster.announcements(0, 1, start).len(), before);
}
