//! Track scripts and notify scripts.

use crate::harness::*;
use keepalived_rs::host::Signal;
use keepalived_rs::sim::Behaviour;

fn with_script(script_lines: &str, instance: Instance) -> String {
    let script = format!("vrrp_script check {{\n script {CHECK}\n interval 1\n {script_lines}\n}}\n");
    script + &instance.with("track_script {\n check\n }").text()
}

#[test]
fn a_failing_script_moves_the_address_and_a_good_one_brings_it_back() {
    let configs = vec![with_script("", instance(1, 150)), instance(1, 100).text()];
    let mut cluster = Cluster::running(1, configs);
    cluster.assert_master(0, 1);
    let failure = cluster.now();
    cluster.world.set_program(cluster.nodes[0], CHECK, Behaviour::exits(1));
    cluster.run(3.0);
    assert_eq!(cluster.holders(1), [1]);
    assert_eq!(cluster.priorities(0, 1, failure), [150, 0]);
    cluster.assert_logged(0, "VRRP_Script(check) failed (exited with status 1)");
    cluster.assert_logged(0, "(VI_1) Entering FAULT STATE");
    cluster.world.set_program(cluster.nodes[0], CHECK, Behaviour::exits(0));
    cluster.run(10.0);
    cluster.assert_master(0, 1);
}

#[test]
fn a_weight_changes_the_priority_and_the_election_follows() {
    let configs = vec![with_script("weight -60", instance(1, 150)), instance(1, 100).text()];
    let mut cluster = Cluster::running(1, configs);
    cluster.assert_master(0, 1);
    let failure = cluster.now();
    cluster.world.set_program(cluster.nodes[0], CHECK, Behaviour::exits(1));
    cluster.run(10.0);
    assert_eq!(cluster.priorities(0, 1, failure), [150, 90]);
    cluster.assert_logged(0, "Changing effective priority from 150 to 90");
    cluster.assert_master(1, 1);
    cluster.world.set_program(cluster.nodes[0], CHECK, Behaviour::exits(0));
    cluster.run(10.0);
    cluster.assert_master(0, 1);
}

#[test]
fn a_script_that_cannot_be_executed_fails() {
    let configs = vec![with_script("", instance(1, 150)), instance(1, 100).text()];
    let mut cluster = Cluster::new(1, configs);
    cluster.world.set_program(cluster.nodes[0], CHECK, Behaviour::CannotExecute);
    cluster.start(0);
    cluster.start(1);
    cluster.run(10.0);
    cluster.assert_master(1, 1);
}

#[test]
fn a_script_that_hangs_or_resists_fails_after_its_timeout_and_does_not_pile_up() {
    for behaviour in [Behaviour::Hangs, Behaviour::Stubborn] {
        let configs = vec![with_script("timeout 2", instance(1, 150)), instance(1, 100).text()];
        let mut cluster = Cluster::running(1, configs);
        cluster.world.set_program(cluster.nodes[0], CHECK, behaviour);
        for _ in 0..60 {
            cluster.run(1.0);
            assert!(cluster.world.running_programs(cluster.nodes[0]) <= 1);
        }
        cluster.assert_master(1, 1);
        cluster.assert_logged(0, "is already running, expect idle - skipping run");
        cluster.world.set_program(cluster.nodes[0], CHECK, Behaviour::exits(0));
        cluster.run(20.0);
        cluster.assert_master(0, 1);
    }
}

#[test]
fn fall_and_rise_are_counted() {
    let configs = vec![with_script("fall 3\n rise 2", instance(1, 150)), instance(1, 100).text()];
    let mut cluster = Cluster::running(1, configs);
    let start = cluster.now();
    for _ in 0..5 {
        cluster.world.set_program(cluster.nodes[0], CHECK, Behaviour::exits(1));
        cluster.run(2.0);
        cluster.world.set_program(cluster.nodes[0], CHECK, Behaviour::exits(0));
        cluster.run(4.0);
    }
    assert_eq!(cluster.priorities(0, 1, start), [150], "two failures are not three");
    cluster.world.set_program(cluster.nodes[0], CHECK, Behaviour::exits(1));
    cluster.run(4.0);
    assert_eq!(cluster.priorities(0, 1, start), [150, 0]);
}

#[test]
fn notify_scripts_run_in_order_and_find_the_addresses_as_they_are_told() {
    let words = ["master", "backup", "fault", "stop"];
    let notify = |i: Instance| {
        let own = words.iter().fold(i, |i, w| i.with(&format!("notify_{w} \"/n/{w} {w}\"")));
        own.with("notify /n/any")
    };
    let configs = vec![notify(instance(1, 150)).text(), instance(1, 100).text()];
    let mut cluster = Cluster::running(1, configs);
    let a = cluster.nodes[0];
    cluster.world.link_down(a, "eth0");
    cluster.run(5.0);
    cluster.world.link_up(a, "eth0");
    cluster.run(10.0);
    cluster.world.signal(a, Signal::Stop);
    cluster.run(5.0);
    let ran: Vec<String> = cluster.world.programs(a).into_iter().map(|(_, c)| c.argv.join(" ")).collect();
    let mut expected = Vec::new();
    for (word, state) in [
        ("backup", "BACKUP"),
        ("master", "MASTER"),
        ("fault", "FAULT"),
        ("backup", "BACKUP"),
        ("master", "MASTER"),
        ("stop", "STOP"),
    ] {
        expected.push(format!("/n/{word} {word}"));
        expected.push(format!("/n/any INSTANCE VI_1 {state} 150"));
    }
    assert_eq!(ran, expected);
    assert_eq!(cluster.world.exit_status(a), Some(0));
}
