//! What others do to the kernel's tables, and a kernel that takes its time.

use std::time::Duration;

use crate::harness::*;
use keepalived_rs::base::Instant;
use keepalived_rs::host::Signal;
use keepalived_rs::host::{Address, AddressOptions};
use keepalived_rs::sim::{What, cidr};

#[test]
fn an_address_deleted_by_somebody_else_is_back_at_once() {
    let mut cluster = Cluster::pair(instance(1, 150), instance(1, 100));
    let start = cluster.now();
    assert!(cluster.world.delete_address(cluster.nodes[0], vip(1)));
    assert_eq!(cluster.holders(1), [0; 0]);
    cluster.run(0.001);
    assert_eq!(cluster.holders(1), [0]);
    let announced = cluster.world.announced(cluster.lan, vip(1)).unwrap();
    assert!(announced.0 >= start, "and announced again");
    cluster.run(10.0);
    assert_eq!(cluster.priorities(0, 1, start), [150]);
    assert_eq!(cluster.logged(0, "removed from eth0 by somebody else"), 1);
    cluster.assert_master(0, 1);
}

#[test]
fn somebody_who_keeps_deleting_is_answered_with_patience() {
    let mut cluster = Cluster::pair(instance(1, 150), instance(1, 100));
    let start = cluster.now();
    let mut deleted = 0;
    for _ in 0..3000 {
        deleted += u32::from(cluster.world.delete_address(cluster.nodes[0], vip(1)));
        cluster.run(0.01);
    }
    assert!((3..300).contains(&deleted), "put back {deleted} times in 30 s");
    cluster.run(10.0);
    assert_eq!(cluster.priorities(0, 1, start), [150], "still master");
    assert_eq!(cluster.adverts(1, 1, start), []);
    cluster.assert_master(0, 1);
}

#[test]
fn an_address_that_is_there_already_is_no_obstacle() {
    let mut cluster = Cluster::new(1, vec![instance(1, 150).text()]);
    let (a, link) = (cluster.nodes[0], cluster.world.index(cluster.nodes[0], "eth0"));
    cluster.start(0);
    cluster.run(1.0);
    let address = Address {
        link,
        cidr: cidr("10.0.1.1/24"),
        peer: None,
        broadcast: None,
        label: None,
        scope: 0,
        protocol: 0,
        options: AddressOptions::default(),
    };
    cluster.world.add_address(a, address).unwrap();
    cluster.run(10.0);
    cluster.assert_master(0, 1);
    cluster.world.signal(a, Signal::Stop);
    cluster.run(1.0);
    assert_eq!(cluster.world.exit_status(a), Some(0));
}

#[test]
fn lost_reports_lead_to_a_fresh_look() {
    let mut cluster = Cluster::pair(instance(1, 150), instance(1, 100));
    let start = cluster.now();
    cluster.world.freeze(cluster.nodes[0]);
    cluster.world.delete_address(cluster.nodes[0], vip(1));
    cluster.run(0.1);
    cluster.world.overrun(cluster.nodes[0]);
    cluster.world.thaw(cluster.nodes[0]);
    cluster.run(0.01);
    assert_eq!(cluster.holders(1), [0]);
    cluster.run(5.0);
    assert_eq!(cluster.priorities(0, 1, start), [150]);
}

#[test]
fn a_slow_kernel_delays_the_address_and_no_advert() {
    let mut cluster = Cluster::new(1, vec![instance(1, 150).text(), instance(1, 100).text()]);
    cluster.world.slow_kernel(cluster.nodes[0], secs(7.0));
    let start = cluster.now();
    cluster.start(0);
    cluster.start(1);
    cluster.run(30.0);
    let adverts = cluster.adverts(0, 1, start);
    // The first interval ends on a whole millisecond.
    let second = adverts[1].at - adverts[0].at;
    assert!(second <= secs(1.0) && second > secs(0.999));
    assert!(adverts[1..].windows(2).all(|w| w[1].at - w[0].at == secs(1.0)));
    let added = cluster.address_added(0, 1, start).unwrap();
    assert!(added - adverts[0].at >= secs(7.0));
    let announcements = |record: &keepalived_rs::sim::Record| {
        matches!(record.what, What::Announcement { .. }).then_some(record.at)
    };
    let announced: Vec<Instant> = cluster.world.records_since(start, announcements);
    assert!(announced.iter().all(|at| *at >= added), "nothing is announced that is not there");
    assert!(!announced.is_empty());
    assert_eq!(cluster.adverts(1, 1, start), []);
    cluster.assert_master(0, 1);
}

#[test]
fn a_link_that_goes_down_is_a_fault_until_it_is_back() {
    let mut cluster = Cluster::pair(instance(1, 150), instance(1, 100));
    let (a, start) = (cluster.nodes[0], cluster.now());
    cluster.world.link_down(a, "eth0");
    cluster.run(0.01);
    assert!(!cluster.world.has_ip(a, vip(1)));
    cluster.assert_logged(0, "(VI_1) Entering FAULT STATE");
    cluster.run(5.0);
    assert_eq!(cluster.holders(1), [1]);
    cluster.world.link_up(a, "eth0");
    cluster.run(10.0);
    cluster.assert_master(0, 1);
    assert!(!cluster.priorities(1, 1, start).contains(&0));
    cluster.world.carrier(a, "eth0", false);
    cluster.run(5.0);
    assert_eq!(cluster.holders(1), [1]);
    cluster.world.carrier(a, "eth0", true);
    cluster.run(10.0);
    cluster.assert_master(0, 1);
}

#[test]
fn a_router_whose_own_address_is_gone_cannot_take_part() {
    let mut cluster = Cluster::pair(instance(1, 150), instance(1, 100));
    let a = cluster.nodes[0];
    let own = cluster.world.addresses(a).into_iter().find(|x| x.cidr == cidr("10.0.0.1/24")).unwrap();
    assert!(cluster.world.delete_address(a, own.cidr.ip));
    cluster.run(10.0);
    assert_eq!(cluster.holders(1), [1]);
    cluster.world.add_address(a, own).unwrap();
    cluster.run(10.0);
    cluster.assert_master(0, 1);
}

#[test]
fn a_deleted_interface_is_a_fault() {
    let mut cluster = Cluster::pair(instance(1, 150), instance(1, 100));
    cluster.world.delete_link(cluster.nodes[0], "eth0");
    cluster.run(10.0);
    assert_eq!(cluster.holders(1), [1]);
    cluster.assert_logged(0, "(VI_1) Entering FAULT STATE");
    cluster.world.signal(cluster.nodes[0], Signal::Stop);
    cluster.run(1.0);
    assert_eq!(cluster.world.exit_status(cluster.nodes[0]), Some(0));
}

#[test]
fn a_stop_waits_for_a_slow_kernel() {
    let mut cluster = Cluster::pair(instance(1, 150), instance(1, 100));
    let a = cluster.nodes[0];
    cluster.world.slow_kernel(a, Duration::from_millis(300));
    cluster.world.signal(a, Signal::Stop);
    cluster.run(0.2);
    assert!(cluster.world.is_running(a) && cluster.world.has_ip(a, vip(1)));
    cluster.run(0.2);
    assert_eq!(cluster.world.exit_status(a), Some(0));
    assert!(!cluster.world.has_ip(a, vip(1)));
}
