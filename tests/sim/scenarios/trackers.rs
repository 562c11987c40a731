//! Files, processes and interfaces that are tracked.

use crate::harness::*;
use keepalived_rs::sim::{LanOptions, cidr};

/// Two routers, of priorities 150 and 100, the first of which tracks something.
fn tracking(block: &str, track: &str, prepare: impl FnOnce(&mut Cluster)) -> Cluster {
    let first = [block, &instance(1, 150).with(track).text()].concat();
    let mut cluster = Cluster::new(1, vec![first, instance(1, 100).text()]);
    prepare(&mut cluster);
    cluster.start(0);
    cluster.start(1);
    cluster.run(10.0);
    cluster
}

const FILE: &str = "track_file f {\n file /run/f\n}\n";

#[test]
fn a_number_in_a_file_changes_the_priority() {
    let mut cluster = tracking(FILE, "track_file {\n f weight -2\n }", |_| {});
    cluster.run(6.0);
    cluster.assert_master(0, 1);
    let node = cluster.nodes[0];
    let since = cluster.now();
    cluster.world.set_file(node, "/run/f", Some("30\n"));
    cluster.run(6.0);
    cluster.assert_master(1, 1);
    cluster.world.set_file(node, "/run/f", Some("10"));
    cluster.run(6.0);
    cluster.assert_master(0, 1);
    cluster.world.set_file(node, "/run/f", None);
    cluster.run(2.0);
    // At 90 it yields to 100, and says so once; 0 is never sent.
    assert_eq!(cluster.priorities(0, 1, since), [90, 130, 150]);
}

#[test]
fn what_a_file_says_counts_from_the_start() {
    let mut cluster = tracking(FILE, "track_file {\n f weight -2\n }", |cluster| {
        cluster.world.set_file(cluster.nodes[0], "/run/f", Some("30"));
    });
    assert_eq!(cluster.holders(1), [1]);
    assert_eq!(cluster.logged(0, "Entering MASTER STATE"), 0);
    // Without weight any number but 0 is a fault.
    cluster = tracking(FILE, "track_file {\n f weight 0\n }", |cluster| {
        cluster.world.set_file(cluster.nodes[0], "/run/f", Some("1"));
    });
    assert_eq!(cluster.holders(1), [1]);
    cluster.assert_logged(0, "(VI_1) Entering FAULT STATE (init)");
    cluster.world.set_file(cluster.nodes[0], "/run/f", Some("0"));
    cluster.run(6.0);
    cluster.assert_master(0, 1);
}

#[test]
fn a_number_out_of_range_is_ignored() {
    let mut cluster = tracking(FILE, "track_file {\n f weight -2\n }", |cluster| {
        cluster.world.set_file(cluster.nodes[0], "/run/f", Some("5"));
    });
    cluster.world.set_file(cluster.nodes[0], "/run/f", Some("99999999999"));
    cluster.run(5.0);
    let since = cluster.now();
    cluster.run(5.0);
    assert_eq!(cluster.priorities(0, 1, since), [140]);
    cluster.assert_logged(0, "Invalid number 99999999999 read from /run/f - ignoring");
}

#[test]
fn files_are_made_at_the_start() {
    for (overwrite, there, expected) in
        [("", None, "7\n"), ("", Some("9"), "9"), ("overwrite", Some("9"), "7\n")]
    {
        let block = format!("track_file f {{\n file /run/f\n init_file 7 {overwrite}\n}}\n");
        let cluster = tracking(&block, "track_file {\n f\n }", |cluster| {
            cluster.world.set_file(cluster.nodes[0], "/run/f", there);
        });
        assert_eq!(cluster.world.file(cluster.nodes[0], "/run/f").as_deref(), Some(expected));
        assert_eq!(cluster.holders(1), [0]);
    }
}

/// With process events and, as in a container, without.
#[test]
fn processes_are_counted() {
    for reports in [true, false] {
        let block = "vrrp_track_process p {\n process httpd\n quorum 2\n delay 1.5\n}\n";
        let mut cluster = tracking(block, "track_process {\n p\n }", |cluster| {
            cluster.world.set_process_reports(cluster.nodes[0], reports);
            cluster.world.set_processes(cluster.nodes[0], "httpd", 2);
        });
        let (node, polls) = (cluster.nodes[0], usize::from(!reports));
        assert_eq!(cluster.logged(0, "tracked processes are counted every 1 s instead"), polls);
        cluster.run(6.0);
        cluster.assert_master(0, 1);
        cluster.world.set_processes(node, "httpd", 1);
        cluster.run(0.3);
        cluster.world.set_processes(node, "httpd", 2);
        cluster.run(5.0);
        assert_eq!(cluster.logged(0, "Quorum lost"), 0, "it is back before the delay is over");
        cluster.world.set_processes(node, "httpd", 1);
        cluster.run(5.0);
        cluster.assert_logged(0, "Quorum lost for tracked process p");
        cluster.assert_logged(0, "(VI_1) Entering FAULT STATE");
        cluster.run(6.0);
        cluster.assert_master(1, 1);
        cluster.world.set_processes(node, "httpd", 3);
        cluster.run(5.0);
        cluster.assert_logged(0, "Quorum gained for tracked process p");
        cluster.run(6.0);
        cluster.assert_master(0, 1);
    }
}

#[test]
fn an_interface_that_is_tracked_may_come_later() {
    let block = "global_defs {\n dynamic_interfaces\n}\n";
    let mut cluster = tracking(block, "track_interface {\n eth1\n }", |_| {});
    assert_eq!(cluster.holders(1), [1]);
    let lan = cluster.world.lan(LanOptions::default());
    let node = cluster.nodes[0];
    cluster.world.attach(node, lan, "eth1", cidr("10.0.9.1/24"));
    // Somebody who is there already is told of it when it changes.
    cluster.world.link_down(node, "eth1");
    cluster.world.link_up(node, "eth1");
    cluster.run(6.0);
    cluster.assert_master(0, 1);
    cluster.world.link_down(cluster.nodes[0], "eth1");
    cluster.run(6.0);
    cluster.assert_master(1, 1);
}

#[test]
fn a_link_that_fails_for_a_moment_does_not_count() {
    let block = "interface_up_down_delays {\n eth0 0.5 30\n}\n";
    let mut cluster = tracking(block, "", |_| {});
    let node = cluster.nodes[0];
    cluster
        .assert_logged(0, "VI_1: interface eth0 debounce timer(s) not less that 2 * advert_int - resetting");
    cluster.world.link_down(node, "eth0");
    cluster.run(0.4);
    cluster.world.link_up(node, "eth0");
    cluster.run(2.0);
    cluster.assert_master(0, 1);
    assert_eq!(cluster.logged(0, "Netlink reports eth0 down"), 0);
    cluster.world.link_down(node, "eth0");
    cluster.run(0.4);
    assert_eq!(cluster.logged(0, "Entering FAULT STATE"), 0);
    cluster.run(0.2);
    cluster.assert_logged(0, "Entering FAULT STATE");
    cluster.world.link_up(node, "eth0");
    cluster.run(1.9);
    assert_eq!(cluster.logged(0, "(VI_1) Entering BACKUP STATE"), 1);
    cluster.run(0.2);
    assert_eq!(cluster.logged(0, "(VI_1) Entering BACKUP STATE"), 2);
    cluster.run(5.0);
    cluster.assert_master(0, 1);
}
