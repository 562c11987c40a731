//! Mail about changes, whatever mail servers do meanwhile.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use keepalived_rs::host::Signal;
use keepalived_rs::sim::{MailServer, Record, What};

use crate::harness::*;

const SERVERS: [IpAddr; 2] =
    [IpAddr::V4(Ipv4Addr::new(10, 0, 0, 25)), IpAddr::V4(Ipv4Addr::new(10, 0, 0, 26))];

/// Globals with mail through `server`, and a pipe that is told the same.
fn globals(server: IpAddr, more: &str) -> String {
    format!(
        "global_defs {{\n router_id R\n notify_fifo /run/told\n smtp_server {server}\n smtp_connect_timeout 5\n \
         smtp_alert_vrrp\n notification_email {{\n a@b.c\n }}\n {more}\n}}\n"
    )
}

/// The subjects of what router `i` has mailed, without the name of the router.
fn mailed(cluster: &Cluster, i: usize) -> Vec<String> {
    let mails = cluster.world.mails(cluster.nodes[i]);
    mails.iter().map(|(_, mail)| mail.subject().trim_start_matches("[R] ").to_owned()).collect()
}

/// The subjects that follow from what router `i` has written to its pipe: without what is the same as the last of its
/// instance or group.
fn told(cluster: &Cluster, i: usize) -> Vec<String> {
    let mut last = BTreeMap::new();
    let mut subject = |line: &str| {
        let mut words = line.split_whitespace();
        let (kind, name, state) = (words.next()?, words.next()?.trim_matches('"'), words.next()?);
        if last.insert((kind.to_owned(), name.to_owned()), state.to_owned()).as_deref() == Some(state) {
            return None;
        }
        let kind = if kind == "GROUP" { "Group" } else { "Instance" };
        let change = match state {
            "STOP" => "Stopping".to_owned(),
            "DELETED" => "Deleted".to_owned(),
            state => format!("Entering {state} state"),
        };
        Some(format!("VRRP {kind} {name} - {change}"))
    };
    let written = |record: &Record| match &record.what {
        What::Piped { text, .. } if record.node == Some(cluster.nodes[i]) => subject(text),
        _ => None,
    };
    cluster.world.records_since(keepalived_rs::base::Instant::ZERO, written)
}

#[test]
fn every_transition_is_mailed_once_in_order() {
    let group = "vrrp_sync_group G {\n group {\n VI_1\n VI_2\n }\n}\n";
    let members = |priority| instance(1, priority).text() + &instance(2, priority).text();
    let a = globals(SERVERS[0], "") + group + &members(150);
    let mut cluster = Cluster::running(1, vec![a, members(100)]);
    let node = cluster.nodes[0];
    cluster.world.link_down(node, "eth0");
    cluster.run(5.0);
    cluster.world.link_up(node, "eth0");
    cluster.run(10.0);
    cluster.world.signal(node, Signal::Stop);
    cluster.run(5.0);
    let expected = told(&cluster, 0);
    assert_eq!(mailed(&cluster, 0), expected);
    for what in [
        "VRRP Group G - Entering BACKUP state",
        "VRRP Instance VI_1 - Entering MASTER state",
        "VRRP Instance VI_2 - Entering FAULT state",
        "VRRP Group G - Entering FAULT state",
        "VRRP Group G - Entering MASTER state",
        "VRRP Instance VI_2 - Stopping",
        "VRRP Group G - Stopping",
    ] {
        assert!(expected.iter().any(|subject| subject == what), "{what} is not in {expected:#?}");
    }
}

#[test]
fn who_is_mailed_about() {
    // Faults are not told, and then the BACKUP behind one is nothing new.
    let globals = globals(SERVERS[0], "smtp_alert_vrrp off\n no_email_faults");
    let quiet = instance(2, 150).text();
    let a = globals + &instance(1, 150).with("smtp_alert").text() + &quiet;
    let mut cluster = Cluster::running(1, vec![a, instance(1, 100).text() + &instance(2, 100).text()]);
    for _ in 0..2 {
        let node = cluster.nodes[0];
        cluster.world.link_down(node, "eth0");
        cluster.run(1.0);
        cluster.world.link_up(node, "eth0");
        cluster.run(8.0);
    }
    let subject = |state| format!("VRRP Instance VI_1 - Entering {state} state");
    let [backup, master] = ["BACKUP", "MASTER"].map(subject);
    assert_eq!(
        mailed(&cluster, 0),
        [&backup, &master, &backup, &master, &backup, &master].map(String::clone)
    );
}

#[test]
fn a_deletion_is_mailed_as_it_is_configured() {
    for (more, expected) in [("notify_deleted", "Deleted"), ("", "Entering FAULT state")] {
        let globals = globals(SERVERS[0], "");
        let doomed = instance(2, 150).with(more).text();
        let text = globals.clone() + &instance(1, 150).text() + &doomed;
        let mut cluster = Cluster::running(1, vec![text]);
        cluster.reload(0, globals + &instance(1, 150).text());
        cluster.run(5.0);
        assert_eq!(mailed(&cluster, 0).last(), Some(&format!("VRRP Instance VI_2 - {expected}")));
        assert_eq!(mailed(&cluster, 0), told(&cluster, 0));
    }
}

/// Servers come and go, the configuration names now this one, now that one, the network fails: when a server works in
/// the end, everything has been mailed once and in order.
#[test]
fn nothing_is_lost_and_nothing_told_twice() {
    const TROUBLES: [MailServer; 8] = [
        MailServer::Works,
        MailServer::Refuses,
        MailServer::Unreachable,
        MailServer::Silent,
        MailServer::Slow(std::time::Duration::from_millis(700)),
        MailServer::Answers("MAIL", 451),
        MailServer::Answers(".", 452),
        MailServer::HangsUp("DATA"),
    ];
    for seed in 0..25 {
        let mut rng = rng(seed);
        let text = |server: IpAddr| globals(server, "") + &instance(1, 150).text() + &instance(2, 50).text();
        let peer = instance(1, 100).text() + &instance(2, 100).text();
        let mut cluster = Cluster::new(seed, vec![text(SERVERS[0]), peer]);
        let node = cluster.nodes[0];
        cluster.start(0);
        cluster.start(1);
        for _ in 0..30 {
            let server = *rng.one_of(&SERVERS);
            match rng.pick(0..=3) {
                0 | 1 => cluster.world.set_mail_server(node, server, *rng.one_of(&TROUBLES)),
                2 => cluster.reload(0, text(*rng.one_of(&SERVERS))),
                _ => {
                    cluster.world.link_down(node, "eth0");
                    cluster.run(rng.pick(0..=4_000) as f64 / 1_000.0);
                    cluster.world.link_up(node, "eth0");
                }
            }
            cluster.run(rng.pick(0..=20_000) as f64 / 1_000.0);
            assert!(cluster.world.open_connections(node) <= 1, "seed {seed}");
        }
        for server in SERVERS {
            cluster.world.set_mail_server(node, server, MailServer::Works);
        }
        // Who has begun to wait for one that hangs is not waiting any more; what waits is tried at the stop.
        cluster.run(if rng.chance(500_000) { 310.0 } else { 6.0 });
        cluster.world.signal(node, Signal::Stop);
        cluster.run(10.0);
        assert_eq!(cluster.world.exit_status(node), Some(0), "seed {seed}");
        let (mailed, told) = (mailed(&cluster, 0), told(&cluster, 0));
        assert!(told.len() > 4, "seed {seed}: {told:?}");
        assert_eq!(mailed, told, "seed {seed}");
    }
}

#[test]
fn a_stop_is_not_held_up_by_a_server_that_hangs() {
    let a = globals(SERVERS[0], "") + &instance(1, 150).text();
    let mut cluster = Cluster::running(1, vec![a, instance(1, 100).text()]);
    let node = cluster.nodes[0];
    cluster.world.set_mail_server(node, SERVERS[0], MailServer::Silent);
    let stop = cluster.now();
    cluster.world.signal(node, Signal::Stop);
    cluster.run(0.1);
    assert_eq!(cluster.holders(1), [0; 0], "the address does not wait for mail");
    cluster.run(9.9);
    let exit = cluster.world.records_since(stop, |r| matches!(r.what, What::Exit(_)).then_some(r.at));
    assert!((exit[0] - stop) < secs(5.5), "it has ended after {:?}", exit[0] - stop);
    cluster.assert_logged(0, "1 SMTP alerts were not sent");
}
