//! What the log says about why a router cannot take part, and why it can again.

use crate::harness::*;
use keepalived_rs::host::LinkState;
use keepalived_rs::sim::{NodeId, World, cidr};
use keepalived_rs::vrrp::event::{Fault, Source};

/// What router 0 said of its state since it had said it `skip` times, with the cause.
#[track_caller]
fn said(cluster: &Cluster, skip: usize, state: &str) -> String {
    let log = cluster.world.log(cluster.nodes[0]);
    let mut lines = log.iter().filter_map(|line| line.split_once(&format!("Entering {state} STATE")));
    let (_, rest) = lines.nth(skip).unwrap_or_else(|| panic!("not so often {state}: {log:#?}"));
    rest.split_once("cause=").map(|(_, cause)| cause.to_owned()).unwrap_or_default()
}

/// The last reason for FAULT that router 0 gave. The kernel tells the end of an interface in pieces.
fn last_fault(cluster: &Cluster) -> String {
    let log = cluster.world.log(cluster.nodes[0]);
    let last = log.iter().rfind(|line| line.contains("FAULT STATE")).expect("it is in FAULT");
    last.split_once("cause=").map(|(_, cause)| cause.to_owned()).unwrap_or_default()
}

/// A change, undone again, and what is said of both.
type Trouble = (fn(&mut Cluster), fn(&mut Cluster), &'static str, &'static str);

fn eth0(cluster: &mut Cluster, change: impl FnOnce(&mut World, NodeId)) {
    let node = cluster.nodes[0];
    change(&mut cluster.world, node);
}

/// A new interface of the old name.
fn anew(cluster: &mut Cluster) {
    let node = cluster.nodes[0];
    cluster.world.attach(node, cluster.lan, "eth0", cidr("10.0.0.1/24"));
    cluster.world.overrun(node);
}

const TROUBLES: &[Trouble] = &[
    (
        |c| eth0(c, |w, n| w.link_down(n, "eth0")),
        |c| eth0(c, |w, n| w.link_up(n, "eth0")),
        "interface eth0 is down",
        "interface eth0 is up again",
    ),
    (
        |c| eth0(c, |w, n| w.carrier(n, "eth0", false)),
        |c| eth0(c, |w, n| w.carrier(n, "eth0", true)),
        "interface eth0 has no carrier",
        "interface eth0 has a carrier again",
    ),
    (
        |c| eth0(c, |w, n| w.rename_link(n, "eth0", "lan0")),
        |c| eth0(c, |w, n| w.rename_link(n, "lan0", "eth0")),
        "interface eth0 was renamed",
        "interface eth0 exists again",
    ),
    (
        |c| eth0(c, |w, n| w.delete_link(n, "eth0")),
        anew,
        "interface eth0 was deleted",
        "interface eth0 exists again",
    ),
    (
        |c| eth0(c, |w, n| w.move_link(n, "eth0")),
        anew,
        "interface eth0 was moved to another network namespace",
        "interface eth0 exists again",
    ),
    (
        |c| eth0(c, |w, n| assert!(w.delete_address(n, own_address(0, false)))),
        |c| {
            eth0(c, |w, n| w.configure(n, "eth0", cidr("10.0.0.1/24")));
            let node = c.nodes[0];
            c.world.overrun(node);
        },
        "interface eth0 lacks an IPv4 address",
        "interface eth0 has an IPv4 address now",
    ),
];

#[test]
fn every_trouble_with_an_interface_has_its_own_words() {
    for (begin, end, wrong, right) in TROUBLES {
        let mut cluster = Cluster::pair(instance(1, 150), instance(1, 100));
        begin(&mut cluster);
        cluster.run(5.0);
        assert_eq!(cluster.holders(1), [1], "{wrong}");
        assert_eq!(last_fault(&cluster), *wrong);
        end(&mut cluster);
        cluster.run(10.0);
        assert_eq!(said(&cluster, 1, "BACKUP"), *right);
        cluster.assert_master(0, 1);
    }
}

#[test]
fn an_interface_that_was_tracked_says_what_has_become_of_it() {
    let tracking = instance(1, 150).with("track_interface {\n eth1\n }").text();
    for (begin, wrong) in [
        ("down", "interface eth1 is down"),
        ("renamed", "interface eth1 was renamed"),
        ("deleted", "interface eth1 was deleted"),
    ] {
        let mut cluster = Cluster::new(1, vec![tracking.clone()]);
        let node = cluster.nodes[0];
        cluster.world.attach(node, cluster.lan, "eth1", cidr("10.0.5.1/24"));
        cluster.start(0);
        cluster.run(5.0);
        match begin {
            "down" => cluster.world.link_down(node, "eth1"),
            "renamed" => cluster.world.rename_link(node, "eth1", "lan1"),
            _ => cluster.world.delete_link(node, "eth1"),
        }
        cluster.run(5.0);
        assert_eq!(last_fault(&cluster), wrong);
    }
}

/// What is said of each kind of fault. Without an arm for each this does not compile.
fn words(fault: Fault) -> &'static str {
    match fault {
        Fault::Link(_) => "interface eth5 does not exist",
        // In [`TROUBLES`].
        Fault::NoAddress(Source::Any(_)) => "interface eth0 lacks an IPv4 address",
        Fault::NoAddress(Source::Only(_)) => "interface eth0 does not have the source address 10.0.0.77",
        Fault::NoPeers => "no unicast peers",
        Fault::NoKey => "auth_hmac has no key to sign with",
        Fault::NoSocket => "the sockets cannot be opened",
        Fault::NoVmac => "VMAC interface vrrp.1 is not there",
        Fault::VmacNameTaken => "a foreign link has the name of VMAC interface vrrp.1",
        Fault::VmacAddressTaken => "another macvlan has the hardware address of VMAC interface vrrp.1",
        Fault::Group => "another member of the sync group",
    }
}

#[test]
fn a_vmac_that_somebody_else_has_is_a_fault() {
    let mut cluster = Cluster::new(1, vec![instance(1, 150).with("use_vmac").text()]);
    cluster.world.attach(cluster.nodes[0], cluster.lan, "vrrp.1", cidr("10.0.7.1/24"));
    cluster.start(0);
    cluster.run(10.0);
    assert_eq!(said(&cluster, 0, "FAULT"), words(Fault::VmacNameTaken));
    cluster.errors_expected = true;
}

#[test]
fn a_member_of_a_group_is_in_fault_with_the_others() {
    let group = "vrrp_sync_group G {\n group {\n VI_1\n VI_2\n }\n}\n".to_owned();
    let text = [group, instance(1, 150).text(), instance(2, 150).on("eth5").text()].concat();
    let mut cluster = Cluster::new(1, vec![text]);
    cluster.start(0);
    cluster.run(1.0);
    let log = cluster.world.log(cluster.nodes[0]);
    let link = words(Fault::Link(LinkState::Missing));
    for text in [
        format!("(VI_2) Entering FAULT STATE (init) cause={link}"),
        format!("(VI_1) Entering FAULT STATE cause=Instance VI_2: {link}"),
    ] {
        assert!(log.contains(&text), "{text}: {log:#?}");
    }
}

/// Whoever starts in FAULT is told why at once.
#[test]
fn a_start_in_fault_says_why() {
    let elsewhere = "virtual_ipaddress_excluded {\n 10.0.9.9 dev eth7\n }";
    let keyless = "auth_hmac {\n active_key 1\n }";
    let tracked_source = "mcast_src_ip 10.0.0.77\n track_src_ip";
    let source = Source::Only([10, 0, 0, 77].into());
    for (line, why) in [
        (elsewhere, "interface eth7 does not exist"),
        (keyless, words(Fault::NoKey)),
        (tracked_source, words(Fault::NoAddress(source))),
        ("unicast_fault_no_peer\n unicast_src_ip 10.0.0.1", words(Fault::NoPeers)),
    ] {
        let mut cluster = Cluster::new(1, vec![instance(1, 150).with(line).text()]);
        cluster.start(0);
        cluster.run(10.0);
        assert_eq!(said(&cluster, 0, "FAULT"), why);
        assert_eq!(cluster.world.adverts(), [], "{why}");
    }
    let mut cluster = Cluster::new(1, vec![instance(1, 150).on("eth5").text()]);
    cluster.start(0);
    cluster.run(5.0);
    assert_eq!(said(&cluster, 0, "FAULT"), words(Fault::Link(LinkState::Missing)));
    let node = cluster.nodes[0];
    cluster.world.attach(node, cluster.lan, "eth5", cidr("10.0.0.5/24"));
    cluster.world.overrun(node);
    cluster.run(1.0);
    assert_eq!(said(&cluster, 0, "BACKUP"), "interface eth5 exists now");
}
