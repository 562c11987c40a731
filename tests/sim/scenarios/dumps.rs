//! Signals that ask for dumps.

use std::rc::Rc;

use super::panic::with_trap;
use crate::harness::*;
use keepalived_rs::base::Instant;
use keepalived_rs::daemon;
use keepalived_rs::host::Signal;

const ALL: [Signal; 4] = [Signal::Data, Signal::Stats, Signal::Json, Signal::StatsClear];

fn file(cluster: &Cluster, name: &str) -> String {
    cluster.world.file(cluster.nodes[0], &format!("/tmp/keepalived{name}")).unwrap_or_default()
}

fn ask(cluster: &mut Cluster, what: Signal) {
    cluster.world.signal(cluster.nodes[0], what);
    cluster.run(0.05);
}

/// Many instances at a short interval, of which router 0 is master.
fn many() -> Cluster {
    let text = |priority| {
        (1..=100)
            .map(|vrid| instance(vrid, priority).with("version 3").with("advert_int 0.1").text())
            .collect()
    };
    Cluster::running(1, vec![text(150), text(100)])
}

/// When each advert was sent, with dumps asked for meanwhile or without.
fn beats(dumps: bool) -> Vec<(Instant, u8)> {
    let mut cluster = many();
    let start = cluster.now();
    for turn in 0..40 {
        if dumps {
            cluster.world.signal(cluster.nodes[0], ALL[turn % ALL.len()]);
        }
        cluster.run(0.073);
    }
    cluster.world.adverts_since(start).iter().map(|advert| (advert.at, advert.vrid)).collect()
}

#[test]
fn no_advert_waits_for_a_dump() {
    let beats = [beats(true), beats(false)];
    assert!(beats[1].len() >= 2_800, "{}", beats[1].len());
    assert_eq!(beats[0], beats[1]);
}

#[test]
fn everybody_is_in_the_dumps() {
    let mut cluster = many();
    for what in [Signal::Data, Signal::Stats, Signal::Json] {
        ask(&mut cluster, what);
    }
    let (data, stats, json) = (file(&cluster, ".data"), file(&cluster, ".stats"), file(&cluster, ".json"));
    for (text, mark) in [(&data, " VRRP Instance = "), (&stats, "VRRP Instance: "), (&json, "\"iname\":")] {
        assert_eq!(text.matches(mark).count(), 100);
    }
    assert_eq!(data.matches("   State = MASTER\n").count(), 100);
    assert_eq!(data.matches(" dev eth0 scope global set\n").count(), 100);
    assert!(file(&cluster, "_parent.data").starts_with("------< Global definitions >------\n"));
}

#[test]
fn counters_begin_anew_when_they_are_cleared() {
    let mut cluster = Cluster::pair(instance(1, 150), instance(1, 100));
    ask(&mut cluster, Signal::StatsClear);
    assert!(file(&cluster, ".stats").contains("Became master: 1\n"), "{}", file(&cluster, ".stats"));
    cluster.run(3.0);
    ask(&mut cluster, Signal::Stats);
    let stats = file(&cluster, ".stats");
    assert!(stats.contains("    Sent: 3\n  Became master: 0\n"), "{stats}");
}

#[test]
fn a_dump_shows_what_a_reload_has_made_of_it() {
    let mut cluster = Cluster::pair(instance(1, 150), instance(1, 100));
    cluster.reload(0, [instance(1, 140).text(), instance(2, 150).text()].concat());
    cluster.run(5.0);
    ask(&mut cluster, Signal::Data);
    let data = file(&cluster, ".data");
    assert!(data.contains("   Priority = 140\n"), "{data}");
    assert!(data.contains(" VRRP Instance = VI_2\n"), "{data}");
    assert!(data.contains(" MASTER: no advert for the master-down time\n"), "{data}");
}

#[test]
fn a_dump_waits_for_an_instance_that_starts_again() {
    let text = [instance(1, 150).text(), instance(2, 150).text()].join("\n");
    let mut cluster = Cluster::new(1, vec![text.clone()]);
    let plan = plan_of(&text);
    cluster
        .world
        .start(cluster.nodes[0], |host| Box::pin(daemon::run(with_trap(host), plan, reread(&Rc::default()))));
    // Master after 3.4 s; five seconds later the first instance falls into the trap, and is away for one.
    cluster.run(8.9);
    cluster.assert_logged(0, "Task VI_1 panicked");
    ask(&mut cluster, Signal::Stats);
    assert_eq!(file(&cluster, ".stats"), "");
    cluster.run(1.0);
    assert_eq!(file(&cluster, ".stats").matches("VRRP Instance: ").count(), 2);
    cluster.errors_expected = true;
}

#[test]
fn without_instances_only_the_parents_file() {
    let mut cluster = Cluster::running(1, vec![String::new()]);
    for what in ALL {
        ask(&mut cluster, what);
    }
    assert!(!file(&cluster, "_parent.data").is_empty());
    assert_eq!(["", ".data", ".stats", ".json"].map(|name| file(&cluster, name)), [""; 4]);
}
