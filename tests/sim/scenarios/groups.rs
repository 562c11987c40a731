//! Sync groups: instances that are master together or not at all.

use crate::harness::*;
use keepalived_rs::sim::{Behaviour, LanOptions, cidr};

/// Two routers between two LANs, instance 1 inside on eth0 and instance 2 outside on eth1, both in one group, which has
/// these lines in its block, and the configuration this before it.
fn between_two_lans(more: &str, before: &str) -> Cluster {
    let group = format!("{before}\nvrrp_sync_group G {{\n    group {{\n VI_2\n VI_1\n }}\n{more}\n}}\n");
    let both = |priority| {
        let notify = |vrid| instance(vrid, priority).with("notify_master /n/master");
        [group.clone(), notify(1).text(), notify(2).on("eth1").text()].concat()
    };
    let mut cluster = Cluster::new(1, vec![both(150), both(100)]);
    let outside = cluster.world.lan(LanOptions::default());
    for i in 0..2 {
        cluster.world.attach(cluster.nodes[i], outside, "eth1", cidr(&format!("10.0.2.{}/24", i + 1)));
        cluster.start(i);
    }
    cluster.run(10.0);
    cluster
}

fn holders(cluster: &Cluster) -> [Vec<usize>; 2] {
    [cluster.holders(1), cluster.holders(2)]
}

#[test]
fn a_group_moves_as_a_whole() {
    let mut cluster = between_two_lans("", "");
    assert_eq!(holders(&cluster), [[0], [0]]);
    cluster.world.link_down(cluster.nodes[0], "eth1");
    cluster.run(5.0);
    assert_eq!(holders(&cluster), [[1], [1]], "the inside follows the outside");
    cluster.assert_logged(0, "VRRP_Group(G) Syncing instances to FAULT state");
    cluster.assert_logged(1, "VRRP_Group(G) Syncing instances to MASTER state");
    cluster.world.link_up(cluster.nodes[0], "eth1");
    cluster.run(10.0);
    assert_eq!(holders(&cluster), [[0], [0]], "and back");
    cluster.assert_logged(1, "VRRP_Group(G) Syncing instances to BACKUP state");
}

/// A cause stays true while the fault lasts, for those too who only share it.
#[test]
fn whom_the_others_blame_is_true_while_the_fault_lasts() {
    let group = "vrrp_sync_group G {\n group {\n VI_1\n VI_2\n VI_3\n }\n}\n".to_owned();
    let on = |vrid, interface: &str| instance(vrid, 150).on(interface).text();
    let text = [group, instance(1, 150).text(), on(2, "eth1"), on(3, "eth2")].concat();
    let mut cluster = Cluster::new(1, vec![text]);
    let node = cluster.nodes[0];
    for i in 1..=2 {
        let lan = cluster.world.lan(LanOptions::default());
        cluster.world.attach(node, lan, &format!("eth{i}"), cidr(&format!("10.0.2{i}.1/24")));
    }
    cluster.start(0);
    cluster.run(10.0);
    let step = |cluster: &mut Cluster, change: &dyn Fn(&mut Cluster)| {
        let before = cluster.world.log(node).len();
        change(cluster);
        cluster.run(5.0);
        let log = cluster.world.log(node).split_off(before);
        let of_first = log.iter().filter(|line| line.contains("(VI_1) ") && line.contains("cause="));
        of_first.cloned().collect::<Vec<_>>()
    };
    let down = |name: &'static str| move |cluster: &mut Cluster| cluster.world.link_down(node, name);
    let up = |name: &'static str| move |cluster: &mut Cluster| cluster.world.link_up(node, name);
    let still = |why: &str| vec![format!("(VI_1) Still in FAULT STATE cause=Instance {why}")];
    let entered = "(VI_1) Entering FAULT STATE cause=Instance VI_2: interface eth1 is down";
    assert_eq!(step(&mut cluster, &down("eth1")), [entered]);
    assert_eq!(step(&mut cluster, &down("eth2")), still("VI_2: interface eth1 is down, and with others"));
    assert_eq!(step(&mut cluster, &up("eth1")), still("VI_3: interface eth2 is down"));
    let renamed = |cluster: &mut Cluster| cluster.world.rename_link(node, "eth2", "lan2");
    assert_eq!(step(&mut cluster, &renamed), still("VI_3: interface eth2 was renamed"));
    let back = |cluster: &mut Cluster| cluster.world.rename_link(node, "lan2", "eth2");
    assert_eq!(step(&mut cluster, &back), still("VI_3: interface eth2 is down"));
    let last = step(&mut cluster, &up("eth2"));
    assert!(last[0].starts_with("(VI_1) Entering BACKUP STATE"), "{last:?}");
    assert_eq!(cluster.holders(1), [0]);
}

#[test]
fn a_group_does_not_become_master_by_half() {
    let mut cluster = between_two_lans("", "");
    let start = cluster.now();
    // The inside LAN is cut in two; outside, both still hear each other.
    let (a, b) = (cluster.nodes[0], cluster.nodes[1]);
    cluster.world.partition(cluster.lan, &[&[a], &[b]]);
    cluster.run(30.0);
    assert_eq!(holders(&cluster), [[0], [0]]);
    assert_eq!(cluster.adverts(1, 1, start), []);
    cluster.world.heal(cluster.lan);
    cluster.run(10.0);
    assert_eq!(holders(&cluster), [[0], [0]]);
    cluster.world.crash(a);
    cluster.run(5.0);
    assert_eq!(holders(&cluster), [[1], [1]]);
    cluster.start(0);
    cluster.run(10.0);
    assert_eq!(holders(&cluster), [[0], [0]]);
}

/// What router 0 ran since the mark, and the mark after that.
fn ran(cluster: &Cluster, mark: &mut usize) -> Vec<String> {
    let programs = cluster.world.programs(cluster.nodes[0]);
    let new = programs.iter().skip(*mark).map(|(_, command)| command.argv.join(" ")).collect();
    *mark = programs.len();
    new
}

#[test]
fn scripts_of_members_and_group_run_in_stocks_order() {
    let mut cluster = between_two_lans("notify /n/any\nnotify_fault /n/fault", "");
    let mut mark = 0;
    let master = ["/n/any GROUP G BACKUP 0", "/n/master", "/n/master", "/n/any GROUP G MASTER 0"];
    assert_eq!(ran(&cluster, &mut mark), master);
    cluster.world.link_down(cluster.nodes[0], "eth1");
    cluster.run(5.0);
    assert_eq!(ran(&cluster, &mut mark), ["/n/fault", "/n/any GROUP G FAULT 0"]);
    cluster.world.link_up(cluster.nodes[0], "eth1");
    cluster.run(10.0);
    assert_eq!(ran(&cluster, &mut mark), master);
    // The log: the member that begins, the group, the others.
    let log: Vec<String> = cluster.world.log(cluster.nodes[0]).iter().map(ToString::to_string).collect();
    let of = |what: &str| log.iter().rposition(|line| line.contains(what)).expect("it is logged");
    for state in ["FAULT", "BACKUP"] {
        let places = [
            "(VI_2) Entering S STATE",
            "VRRP_Group(G) Syncing instances to S state",
            "(VI_1) Entering S STATE",
        ]
        .map(|line| of(&line.replace(" S ", &format!(" {state} "))));
        assert!(places.is_sorted(), "{state}: {places:?} in {log:#?}");
    }
    assert_eq!(cluster.logged(0, "(VI_2) could not send 0 priority"), 1, "its interface is down");
    assert_eq!(cluster.logged(0, "(VI_1) sent 0 priority"), 0, "who is dragged along says nothing of it");
}

#[test]
fn what_a_group_tracks_concerns_all_its_members() {
    let script = format!("vrrp_script check {{\n    script {CHECK}\n    interval 1\n}}\n");
    let mut cluster = between_two_lans("track_script {\n check weight -60\n }", &script);
    assert_eq!(holders(&cluster), [[0], [0]]);
    cluster.world.set_program(cluster.nodes[0], CHECK, Behaviour::exits(1));
    cluster.run(10.0);
    assert_eq!(holders(&cluster), [[1], [1]]);
    for name in ["VI_1", "VI_2"] {
        cluster.assert_logged(0, &format!("({name}) Changing effective priority from 150 to 90"));
    }
    let mut cluster = between_two_lans("track_script {\n check\n }", &script);
    cluster.world.set_program(cluster.nodes[0], CHECK, Behaviour::exits(1));
    cluster.run(10.0);
    assert_eq!(holders(&cluster), [[1], [1]]);
    cluster.world.set_program(cluster.nodes[0], CHECK, Behaviour::exits(0));
    cluster.run(10.0);
    assert_eq!(holders(&cluster), [[0], [0]]);
}

#[test]
fn weights_of_members_count_only_if_the_group_says_so() {
    for (more, expected) in [("", [[0], [0]]), ("sync_group_tracking_weight", [[1], [1]])] {
        let group = format!("vrrp_sync_group G {{\n group {{\n VI_1\n VI_2\n }}\n{more}\n}}\n");
        let both = |priority| {
            let track = "track_interface {\n eth2 weight 60\n }";
            let inside = instance(1, priority).with(track).text();
            [group.clone(), inside, instance(2, priority).on("eth1").with(track).text()].concat()
        };
        let mut cluster = Cluster::new(1, vec![both(150), both(100)]);
        for (n, name) in ["eth1", "eth2"].into_iter().enumerate() {
            let lan = cluster.world.lan(LanOptions::default());
            for i in 0..2 {
                let address = cidr(&format!("10.0.{}.{}/24", n + 2, i + 1));
                cluster.world.attach(cluster.nodes[i], lan, name, address);
            }
        }
        cluster.start(0);
        cluster.start(1);
        cluster.run(10.0);
        cluster.world.link_down(cluster.nodes[0], "eth2");
        cluster.run(10.0);
        assert_eq!(holders(&cluster), expected, "{more}");
    }
}
