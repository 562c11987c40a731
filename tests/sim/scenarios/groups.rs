//! Sync groups: instances that are master together or not at all.

use crate::harness::*;
use keepalived_rs::base::InstanceId;
use keepalived_rs::config::model::{Script, User};
use keepalived_rs::daemon;
use keepalived_rs::plan::{GroupPlan, NotifyPlan, Plan};
use keepalived_rs::sim::{LanOptions, cidr};

/// Two routers between two LANs, instance 1 inside on eth0 and instance 2 outside on eth1, both in one group.
fn between_two_lans(notify: &NotifyPlan) -> Cluster {
    let both = |priority| {
        let outside = instance(2, priority).on("eth1").with("notify_master /n/master");
        [instance(1, priority).with("notify_master /n/master").text(), outside.text()].join("\n")
    };
    let mut cluster = Cluster::new(1, vec![both(150), both(100)]);
    let outside = cluster.world.lan(LanOptions::default());
    for i in 0..2 {
        cluster.world.attach(cluster.nodes[i], outside, "eth1", cidr(&format!("10.0.2.{}/24", i + 1)));
        start_grouped(&mut cluster, i, notify);
    }
    cluster.run(10.0);
    cluster
}

fn start_grouped(cluster: &mut Cluster, i: usize, notify: &NotifyPlan) {
    let mut plan: Plan = plan_of(&cluster.configs[i]);
    for instance in &mut plan.instances {
        instance.params.grouped = true;
    }
    let members = vec![InstanceId(0), InstanceId(1)];
    plan.groups.push(GroupPlan { name: "G".to_owned(), members, notify: notify.clone() });
    cluster.world.start(cluster.nodes[i], |host| Box::pin(daemon::run(host, plan)));
}

fn holders(cluster: &Cluster) -> [Vec<usize>; 2] {
    [cluster.holders(1), cluster.holders(2)]
}

#[test]
fn a_group_moves_as_a_whole() {
    let mut cluster = between_two_lans(&NotifyPlan::default());
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

#[test]
fn a_group_does_not_become_master_by_half() {
    let mut cluster = between_two_lans(&NotifyPlan::default());
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
    start_grouped(&mut cluster, 0, &NotifyPlan::default());
    cluster.run(10.0);
    assert_eq!(holders(&cluster), [[0], [0]]);
}

#[test]
fn the_scripts_of_a_group_run_after_those_of_its_members() {
    let any = Script::Run {
        program: "/n/any".to_owned(),
        argv: vec!["/n/any".to_owned()],
        user: User { uid: 0, gid: 0 },
    };
    let notify = NotifyPlan { any: Some(any), ..NotifyPlan::default() };
    let cluster = between_two_lans(&notify);
    let ran = cluster.world.programs(cluster.nodes[0]);
    let ran: Vec<String> = ran.iter().map(|(_, command)| command.argv.join(" ")).collect();
    let expected =
        ["/n/any GROUP G BACKUP 0", "/n/master", "/n/master", "/n/any GROUP G MASTER 0"].map(str::to_owned);
    assert_eq!(ran, expected);
}
