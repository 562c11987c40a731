//! When the configuration is read again, and what is seen of that.

use std::rc::Rc;

use crate::harness::*;
use keepalived_rs::base::Instant;
use keepalived_rs::host::Signal;
use keepalived_rs::sim::What;
use keepalived_rs::{daemon, plan::Plan};
use tokio::sync::Notify;

const WHEN: &str = "/run/when";
const MARK: &str = "/run/keepalived.reload";

fn text(globals: &str, priority: u8) -> String {
    format!("global_defs {{\n{globals}\n}}\n{}", instance(1, priority).text())
}

/// One router whose configuration has these globals, and another priority than the one that runs.
fn changed(globals: &str) -> Cluster {
    let mut cluster = Cluster::new(1, vec![text(globals, 150)]);
    cluster.start(0);
    cluster.run(10.0);
    cluster.write_config(0, text(globals, 160));
    cluster
}

/// The time of a day in `seconds` from now, in UTC.
fn clock(cluster: &Cluster, seconds: i64) -> String {
    // Where the simulated wall clock begins.
    let beginning = jiff::Timestamp::from_second(1_800_000_000).unwrap();
    let since = i64::try_from((cluster.now() - Instant::ZERO).as_secs()).unwrap();
    (beginning + jiff::SignedDuration::from_secs(since + seconds)).strftime("%H:%M:%SZ").to_string()
}

fn write(cluster: &mut Cluster, time: Option<&str>) {
    let text = time.map(|time| format!("{time}\n"));
    cluster.world.set_file(cluster.nodes[0], WHEN, text.as_deref());
}

fn priority(cluster: &mut Cluster) -> u8 {
    let since = cluster.now();
    cluster.run(2.5);
    cluster.priorities(0, 1, since)[0]
}

#[test]
fn it_is_read_when_it_is_time() {
    let mut cluster = changed(&format!("reload_time_file {WHEN}"));
    let time = clock(&cluster, 100);
    write(&mut cluster, Some(&time));
    cluster.run(95.0);
    assert_eq!(priority(&mut cluster), 150);
    cluster.run(5.0);
    assert_eq!(priority(&mut cluster), 160);
    assert_eq!(cluster.world.file(cluster.nodes[0], WHEN), None, "it has done what it was for");
    assert_eq!(cluster.logged(0, "Reloading ..."), 1);
    assert_eq!(cluster.logged(0, "Scheduling reload"), 1, "not for the next day");
}

#[test]
fn a_time_without_a_date_may_come_each_day() {
    let globals = format!("global_defs {{\nreload_time_file {WHEN}\nreload_repeat\n}}\n");
    let mut cluster = Cluster::running(1, vec![globals]);
    let time = clock(&cluster, 100);
    write(&mut cluster, Some(&time));
    cluster.run(3.0 * 86_400.0);
    assert_eq!(cluster.logged(0, "Reload complete"), 3);
    assert_eq!(cluster.logged(0, "Scheduling reload"), 4);
    assert_eq!(cluster.world.file(cluster.nodes[0], WHEN), Some(format!("{time}\n")));
}

#[test]
fn a_time_may_be_changed_and_withdrawn() {
    let mut cluster = changed(&format!("reload_time_file {WHEN}"));
    for seconds in [100, 50] {
        let time = clock(&cluster, seconds);
        write(&mut cluster, Some(&time));
        cluster.run(1.0);
    }
    write(&mut cluster, None);
    cluster.run(200.0);
    for what in ["Scheduling reload for", "Reload time updated from", "Cancelling reload scheduled for"] {
        assert_eq!(cluster.logged(0, what), 1, "{what}");
    }
    write(&mut cluster, Some("noon"));
    cluster.run(1.0);
    cluster.assert_logged(0, "Reload time noon format is incorrect - ignoring");
    write(&mut cluster, Some("26-01-01 00:00:00Z"));
    cluster.run(1.0);
    cluster.assert_logged(0, "Reload time 26-01-01 00:00:00Z is in the past - ignoring");
    let time = clock(&cluster, 50);
    write(&mut cluster, Some(&time));
    cluster.run(1.0);
    let unscheduled = text("", 160);
    cluster.reload(0, unscheduled);
    cluster.run(100.0);
    assert_eq!(cluster.logged(0, "Reloading ..."), 1, "the keyword is gone, and with it the time");
    assert!(cluster.world.file(cluster.nodes[0], WHEN).is_some());
}

#[test]
fn the_wall_clock_may_be_set_meanwhile() {
    let mut cluster = changed(&format!("reload_time_file {WHEN}"));
    let time = clock(&cluster, 3600);
    write(&mut cluster, Some(&time));
    cluster.run(10.0);
    cluster.world.set_clock(cluster.nodes[0], secs(1800.0), secs(0.0));
    cluster.run(1700.0);
    assert_eq!(priority(&mut cluster), 150);
    cluster.run(130.0);
    assert_eq!(priority(&mut cluster), 160);
}

/// Router 0 with a configuration that is read when `gate` opens, and the answers it gets.
fn gated(answers: Vec<Result<Plan, String>>, globals: &str) -> (Cluster, Rc<Notify>) {
    let mut cluster = Cluster::new(1, vec![text(globals, 150)]);
    let (plan, gate) = (plan_of(&cluster.configs[0]), Rc::new(Notify::new()));
    let (opened, mut answers) = (Rc::clone(&gate), answers.into_iter());
    let reread: daemon::Reread = Box::new(move || {
        let (opened, answer) = (Rc::clone(&opened), answers.next().expect("another answer"));
        Box::pin(async move {
            opened.notified().await;
            answer
        })
    });
    cluster.world.start(cluster.nodes[0], |host| Box::pin(daemon::run(host, plan, reread)));
    cluster.run(10.0);
    (cluster, gate)
}

fn supervised(cluster: &Cluster, since: Instant) -> Vec<String> {
    cluster.world.records_since(since, |record| match &record.what {
        What::Ready => Some("ready".to_owned()),
        What::Reloading => Some("reloading".to_owned()),
        What::Status(text) => Some(text.clone()),
        _ => None,
    })
}

#[test]
fn who_asks_while_it_is_read_gets_it_read_again() {
    let answers = [160, 170].map(|priority| Ok(plan_of(&text("", priority))));
    let (mut cluster, gate) = gated(answers.into(), "reload_file");
    let start = cluster.now();
    let mark = |cluster: &Cluster| cluster.world.file(cluster.nodes[0], MARK).is_some();
    assert!(!mark(&cluster));
    for _ in 0..3 {
        cluster.world.signal(cluster.nodes[0], Signal::Reload);
        cluster.run(1.0);
    }
    assert!(mark(&cluster), "whoever writes configurations can see that it is being read");
    cluster.world.signal(cluster.nodes[0], Signal::Data);
    cluster.run(0.1);
    assert!(cluster.world.file(cluster.nodes[0], "/tmp/keepalived.data").is_some(), "a dump does not wait");
    gate.notify_one();
    assert_eq!(priority(&mut cluster), 160);
    assert_eq!(cluster.logged(0, "Reload already in progress, request queued"), 2);
    cluster.assert_logged(0, "Processing queued reload");
    gate.notify_one();
    assert_eq!(priority(&mut cluster), 170);
    assert!(!mark(&cluster));
    assert_eq!(supervised(&cluster, start), ["reloading", "ready", "reloading", "ready"]);
}

#[test]
fn a_stop_does_not_wait_for_the_configuration() {
    let (mut cluster, _gate) = gated(vec![Err("never".to_owned())], "reload_file");
    cluster.world.signal(cluster.nodes[0], Signal::Reload);
    cluster.run(1.0);
    cluster.world.signal(cluster.nodes[0], Signal::Stop);
    cluster.run(0.1);
    assert_eq!(cluster.world.exit_status(cluster.nodes[0]), Some(0));
    assert_eq!(cluster.world.file(cluster.nodes[0], MARK), None);
}

#[test]
fn a_refused_configuration_is_told_to_the_service_manager() {
    let answers = vec![Err("(f: Line 3) no".to_owned()), Ok(plan_of(&text("", 160)))];
    let (mut cluster, gate) = gated(answers, "");
    cluster.errors_expected = true;
    let start = cluster.now();
    for expected in [150, 160] {
        cluster.world.signal(cluster.nodes[0], Signal::Reload);
        gate.notify_one();
        assert_eq!(priority(&mut cluster), expected);
    }
    cluster.assert_logged(0, "(f: Line 3) no - the configuration stays as it was");
    let told =
        ["reloading", "Reload refused: (f: Line 3) no", "ready", "reloading", "Reload complete", "ready"];
    assert_eq!(supervised(&cluster, start), told);
}
