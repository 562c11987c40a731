//! Routes, rules and static items: they move with the address, come back, and go.

use crate::harness::*;
use keepalived_rs::host::{KernelOp, Signal};
use keepalived_rs::sim::cidr;

/// A route that needs the address, one that is not tracked, and a rule.
fn with_routes(priority: u8) -> Instance {
    instance(1, priority).with(&format!(
        "virtual_routes {{
        192.0.1.0/25 dev eth0 src {}
        192.0.1.128/25 via 10.0.0.99 dev eth0 no_track
    }}
    virtual_rules {{
        from 192.0.1.0/24 table 1
    }}",
        vip(1)
    ))
}

fn held(cluster: &Cluster, i: usize) -> (usize, usize) {
    let node = cluster.nodes[i];
    (cluster.routes(node, 1).len(), cluster.rules(node, 1).len())
}

#[test]
fn routes_and_rules_move_with_the_address() {
    let mut cluster = Cluster::pair(with_routes(150), with_routes(100));
    assert_eq!((held(&cluster, 0), held(&cluster, 1)), ((2, 1), (0, 0)));
    let [rule] = &cluster.rules(cluster.nodes[0], 1)[..] else { panic!("no rule") };
    assert_eq!((rule.preference, rule.protocol), (16_384, 18));
    cluster.world.signal(cluster.nodes[0], Signal::Stop);
    cluster.run(2.0);
    assert_eq!((held(&cluster, 0), held(&cluster, 1)), ((0, 0), (2, 1)));
}

#[test]
fn what_somebody_removes_is_back_at_once_unless_it_is_not_tracked() {
    let mut cluster = Cluster::pair(with_routes(150), with_routes(100));
    let (start, node) = (cluster.now(), cluster.nodes[0]);
    for route in cluster.routes(node, 1) {
        cluster.world.change(node, KernelOp::DeleteRoute(Box::new(route))).unwrap();
    }
    for rule in cluster.rules(node, 1) {
        cluster.world.change(node, KernelOp::DeleteRule(Box::new(rule))).unwrap();
    }
    assert_eq!(held(&cluster, 0), (0, 0));
    cluster.run(0.001);
    assert_eq!(held(&cluster, 0), (1, 1));
    cluster.run(5.0);
    assert_eq!((held(&cluster, 0), cluster.priorities(0, 1, start)), ((1, 1), vec![150]));
    assert_eq!(cluster.logged(0, "was removed by somebody else - restored, remaining master"), 2);
}

#[test]
fn a_route_that_goes_with_its_source_address_comes_back_with_it() {
    let mut cluster = Cluster::pair(with_routes(150), with_routes(100));
    let (start, node) = (cluster.now(), cluster.nodes[0]);
    assert!(cluster.world.delete_address(node, vip(1)));
    assert_eq!(held(&cluster, 0), (1, 1), "the kernel dropped it without a word");
    cluster.run(0.001);
    assert_eq!((held(&cluster, 0), cluster.priorities(0, 1, start).len()), ((2, 1), 0));
}

#[test]
fn a_tracked_route_needs_its_interface() {
    let through =
        |priority| instance(1, priority).with("virtual_routes {\n        192.0.1.0/24 dev eth1\n    }");
    let configs = vec![through(150).text(), through(100).text()];
    let mut cluster = Cluster::new(1, configs);
    for i in 0..2 {
        let (node, lan) = (cluster.nodes[i], cluster.lan);
        cluster.world.attach(node, lan, "eth1", cidr(&format!("10.1.0.{}/24", i + 1)));
        cluster.start(i);
    }
    cluster.run(10.0);
    cluster.assert_master(0, 1);
    cluster.world.link_down(cluster.nodes[0], "eth1");
    cluster.run(5.0);
    cluster.assert_master(1, 1);
    cluster.assert_logged(0, "Entering FAULT STATE");
    cluster.world.link_up(cluster.nodes[0], "eth1");
    cluster.run(10.0);
    cluster.assert_master(0, 1);
    assert_eq!((held(&cluster, 0).0, held(&cluster, 1).0), (1, 0));
}

/// Static items come before the instances, which may depend on them, and go after them.
#[test]
fn static_items_are_there_from_start_to_stop() {
    let statics = "static_ipaddress {\n    10.0.9.1/24 dev eth1\n}\n\
                   static_routes {\n    192.0.1.0/24 via 10.0.9.9 dev eth1\n}\n\
                   static_rules {\n    from 192.0.1.0/24 table 1 priority 7\n}\n";
    let config = format!("{statics}{}", instance(2, 150).on("eth1").text());
    let mut cluster = Cluster::new(1, vec![config]);
    let (node, lan) = (cluster.nodes[0], cluster.lan);
    // Without an address, so that the instance has none to send from but the static one.
    cluster.world.attach(node, lan, "eth1", cidr("10.1.0.1/24"));
    assert!(cluster.world.delete_address(node, "10.1.0.1".parse().unwrap()));
    cluster.start(0);
    cluster.run(10.0);
    cluster.assert_master(0, 2);
    assert_eq!(cluster.logged(0, "FAULT"), 0);
    assert_eq!(held(&cluster, 0), (1, 1));
    cluster.world.link_down(node, "eth1");
    cluster.run(1.0);
    assert_eq!(held(&cluster, 0), (0, 1));
    cluster.world.link_up(node, "eth1");
    cluster.run(0.001);
    assert_eq!(held(&cluster, 0), (1, 1));
    cluster.world.signal(node, Signal::Stop);
    cluster.run(1.0);
    assert_eq!(cluster.world.exit_status(node), Some(0));
    assert_eq!((held(&cluster, 0), cluster.world.has_ip(node, "10.0.9.1".parse().unwrap())), ((0, 0), false));
}

/// Nobody is accused of what went with its interface.
#[test]
fn static_items_come_back_with_their_interface() {
    let statics = "static_ipaddress {\n    10.0.9.1/24 dev eth1\n}\n\
                   static_routes {\n    192.0.1.0/24 via 10.0.9.9 dev eth1\n}\n";
    let mut cluster = Cluster::new(1, vec![format!("{statics}{}", instance(2, 150).text())]);
    let (node, lan) = (cluster.nodes[0], cluster.lan);
    cluster.world.attach(node, lan, "eth1", cidr("10.1.0.1/24"));
    cluster.start(0);
    cluster.run(10.0);
    for times in 1..=10 {
        cluster.world.delete_link(node, "eth1");
        cluster.run(0.5);
        assert_eq!(held(&cluster, 0).0, 0);
        cluster.world.attach(node, lan, "eth1", cidr("10.1.0.1/24"));
        cluster.world.overrun(node);
        cluster.run(0.002);
        assert!(
            cluster.world.has_ip(node, "10.0.9.1".parse().unwrap()),
            "at once, also for the {times}. time"
        );
        assert_eq!(held(&cluster, 0).0, 1);
        let told = "Address 10.0.9.1 was removed from eth1 when its interface went away - restored now that it is back";
        assert_eq!(cluster.logged(0, told), times);
    }
    assert_eq!(cluster.logged(0, "by somebody else"), 0);
    cluster.assert_master(0, 2);
}

#[test]
fn static_items_need_no_instance() {
    let config = "static_routes {\n    192.0.1.0/24 via 10.0.0.9 dev eth0\n}\n".to_owned();
    let mut cluster = Cluster::new(1, vec![config]);
    cluster.start(0);
    cluster.run(100.0);
    assert_eq!(held(&cluster, 0), (1, 0));
    cluster.world.signal(cluster.nodes[0], Signal::Stop);
    cluster.run(1.0);
    assert_eq!((cluster.world.exit_status(cluster.nodes[0]), held(&cluster, 0)), (Some(0), (0, 0)));
}

/// Without its group an interface of a static item concerns nobody.
#[test]
fn members_of_a_track_group_need_the_interfaces_of_its_static_items() {
    let statics = "track_group T {\n    group {\n        VI_1\n    }\n}\n\
                   static_routes {\n    192.0.1.0/24 dev eth1 track_group T\n}\n";
    let config = format!("{statics}{}{}", instance(1, 150).text(), instance(2, 150).text());
    let mut cluster = Cluster::new(1, vec![config]);
    let (node, lan) = (cluster.nodes[0], cluster.lan);
    cluster.world.attach(node, lan, "eth1", cidr("10.1.0.1/24"));
    cluster.start(0);
    cluster.run(10.0);
    cluster.world.link_down(node, "eth1");
    cluster.run(1.0);
    assert_eq!((cluster.holders(1), cluster.holders(2)), (vec![], vec![0]));
    cluster.world.link_up(node, "eth1");
    cluster.run(10.0);
    cluster.assert_master(0, 1);
}
