//! What ours does is what stock does, byte by byte: each comparison runs both on a LAN of their own, where they
//! have the same addresses.

use crate::lab::{Daemon, Kind, wait_until};
use crate::support::{A, B, MAC_A, Two, VIPS, config, holds, subject};

/// The adverts of a master from its first to the one with which it resigns, IPv4 header included.
fn adverts(kind: Kind, config: &str) -> Vec<Vec<u8>> {
    let two = Two::new();
    let daemon = two.a.start(kind, config);
    two.wait_adverts(0, A, 3);
    wait_until("the router is master", || holds(&two.a));
    daemon.stop();
    let mut adverts: Vec<_> = two.capture.adverts(A).into_iter().map(|advert| advert.bytes).collect();
    // How many there were in between is a matter of when it was stopped, and so is the counter in the last one.
    let mut last = adverts.pop().unwrap();
    adverts.truncate(3);
    last[4..6].fill(0);
    last[10..12].fill(0);
    adverts.push(last);
    adverts
}

#[track_caller]
fn same_adverts(config: &str) {
    assert_eq!(hex(&adverts(subject(), config)), hex(&adverts(Kind::Stock, config)));
}

fn hex(packets: &[Vec<u8>]) -> Vec<String> {
    let line = |bytes: &Vec<u8>| bytes.iter().map(|b| format!("{b:02x}")).collect();
    packets.iter().map(line).collect()
}

#[test]
fn adverts_v2_with_password() {
    same_adverts(&config(2, 100, ""));
}

#[test]
fn adverts_v2_with_long_password() {
    same_adverts(&config(2, 100, "").replace("secret12", "longer-than-eight"));
}

#[test]
fn adverts_v2_without_password() {
    let config = config(2, 100, "");
    let (start, end) = (config.find("authentication").unwrap(), config.find("virtual_ip").unwrap());
    same_adverts(&format!("{}{}", &config[..start], &config[end..]));
}

#[test]
fn adverts_v3() {
    same_adverts(&config(3, 254, ""));
}

#[test]
fn adverts_v3_of_the_owner() {
    same_adverts(&config(3, 255, ""));
}

#[test]
fn adverts_with_excluded_addresses() {
    same_adverts(&config(3, 1, "virtual_ipaddress_excluded {\n 10.7.0.200/24\n }"));
}

#[test]
fn adverts_from_another_source() {
    let two_sources = config(3, 100, "mcast_src_ip 10.7.0.2").replace("priority 100", "priority 123");
    same_adverts(&two_sources);
}

/// The gratuitous ARPs of a new master, first burst and second, and those of a stop: none.
fn garps(kind: Kind, config: &str, expected: usize) -> Vec<Vec<u8>> {
    let two = Two::new();
    let daemon = two.a.start(kind, config);
    wait_until("all gratuitous ARPs are sent", || two.capture.garps_since(0, MAC_A).len() >= expected);
    // If more follow, these adverts give them the time.
    two.wait_adverts(two.capture.mark(), A, 5);
    daemon.stop();
    two.capture.garps_since(0, MAC_A).into_iter().map(|garp| garp.bytes).collect()
}

#[test]
fn gratuitous_arps() {
    let config = config(
        3,
        100,
        "garp_master_delay 1\n virtual_ipaddress_excluded {\n 10.7.0.200/24\n 10.7.0.201/24\n }",
    );
    let (ours, stock) = (garps(subject(), &config, 40), garps(Kind::Stock, &config, 40));
    assert_eq!(ours.len(), 40, "two bursts of five for each address");
    assert_eq!(hex(&ours), hex(&stock));
}

#[test]
fn gratuitous_arps_as_configured() {
    let config = config(3, 100, "garp_master_delay 1\n garp_master_repeat 2\n garp_master_refresh 1");
    let (ours, stock) = (garps(subject(), &config, 12), garps(Kind::Stock, &config, 12));
    // The refresh goes on for ever, so both are cut where the comparison ends.
    assert_eq!(hex(&ours[..12]), hex(&stock[..12]));
}

/// What the notify scripts of a life are called with: start, becoming master, FAULT, recovery, stop. In order of
/// their process ids, which is the order they were started in.
fn notifications(kind: Kind) -> Vec<String> {
    let two = Two::new();
    let body = "echo \"$$ ${0##*/} $*\" >>/run/notified";
    for script in ["master", "backup", "fault", "stop", "any", "group", "group-any"] {
        two.a.write_script(&format!("/etc/keepalived/{script}"), body);
    }
    two.a.write_script("/etc/keepalived/check.sh", "! test -e /run/bad");
    let instance = config(
        3,
        100,
        "track_script {\n check\n }
         notify_master \"/etc/keepalived/master one 'two words'\"
         notify_backup /etc/keepalived/backup
         notify_fault \"/etc/keepalived/fault x\"
         notify_stop /etc/keepalived/stop
         notify \"/etc/keepalived/any extra\"",
    );
    let daemon = two.a.start(
        kind,
        &format!("vrrp_script check {{\n script /etc/keepalived/check.sh\n interval 1\n}}\n{instance}"),
    );
    let count = || two.a.read("/run/notified").unwrap_or_default().lines().count();
    wait_until("start and master are notified", || count() == 4);
    two.a.write("/run/bad", "");
    wait_until("FAULT is notified", || count() == 6);
    std::fs::remove_file(two.a.path("/run/bad")).unwrap();
    wait_until("backup and master are notified", || count() == 10);
    daemon.stop();
    wait_until("the stop is notified", || count() == 12);
    in_order_of_start(&two.a.read("/run/notified").unwrap())
}

fn in_order_of_start(notified: &str) -> Vec<String> {
    let mut lines: Vec<(u32, String)> = notified
        .lines()
        .map(|line| line.split_once(' ').unwrap())
        .map(|(pid, call)| (pid.parse().unwrap(), call.to_owned()))
        .collect();
    lines.sort();
    lines.into_iter().map(|(_, call)| call).collect()
}

/// What the readers of both pipes get in a life: start, becoming master, a changed priority, FAULT, recovery, stop.
fn piped(kind: Kind) -> [String; 2] {
    let two = Two::new();
    two.a.write_script("/etc/keepalived/reader", "exec cat <\"$2\" >\"/run/$1\"");
    two.a.write_script("/etc/keepalived/check.sh", "! test -e /run/bad");
    two.a.write_script("/etc/keepalived/weak.sh", "! test -e /run/weak");
    let instance = config(3, 100, "track_script {\n check\n weak\n }\n notify_priority_changes true");
    let daemon = two.a.start(
        kind,
        &format!(
            "global_defs {{\n notify_fifo /run/all.fifo\n notify_fifo_script \"/etc/keepalived/reader all\"\n \
             vrrp_notify_fifo /run/vrrp.fifo\n vrrp_notify_fifo_script \"/etc/keepalived/reader vrrp\"\n}}\n\
             vrrp_script check {{\n script /etc/keepalived/check.sh\n interval 1\n}}\n\
             vrrp_script weak {{\n script /etc/keepalived/weak.sh\n interval 1\n weight -7\n}}\n\
             vrrp_sync_group G {{\n group {{\n VI_1\n }}\n sync_group_tracking_weight\n}}\n{instance}"
        ),
    );
    let read = || ["all", "vrrp"].map(|of| two.a.read(&format!("/run/{of}")).unwrap_or_default());
    let wait = |line: &str, times: usize| {
        wait_until(&format!("`{line}` is read {times} times"), || {
            read().iter().all(|text| text.lines().filter(|l| *l == line).count() == times)
        });
    };
    wait("INSTANCE \"VI_1\" MASTER 100", 1);
    two.a.write("/run/weak", "");
    wait("INSTANCE \"VI_1\" MASTER_PRIORITY 93", 1);
    std::fs::remove_file(two.a.path("/run/weak")).unwrap();
    wait("INSTANCE \"VI_1\" MASTER_PRIORITY 100", 1);
    two.a.write("/run/bad", "");
    wait("GROUP \"G\" FAULT 0", 1);
    std::fs::remove_file(two.a.path("/run/bad")).unwrap();
    wait("INSTANCE \"VI_1\" MASTER 100", 2);
    daemon.stop();
    // Stock's readers may be ended before they have read these.
    if kind == Kind::Ours {
        wait("GROUP \"G\" STOP 0", 1);
    }
    assert!(
        !two.a.has_file("/run/all.fifo") && !two.a.has_file("/run/vrrp.fifo"),
        "pipes go with the daemon"
    );
    read()
}

#[test]
fn notify_pipes() {
    let stock = piped(Kind::Stock);
    let stop = ["INSTANCE \"VI_1\" STOP 100\n", "GROUP \"G\" STOP 0\n"].concat();
    for (ours, stock) in piped(subject()).iter().zip(&stock) {
        assert_eq!(ours.strip_suffix(&stop), Some(stock.strip_suffix(&stop).unwrap_or(stock)));
    }
}

#[test]
fn notify_scripts() {
    let ours = notifications(subject());
    let expected = [
        "backup ",
        "any extra INSTANCE VI_1 BACKUP 100",
        "master one two words",
        "any extra INSTANCE VI_1 MASTER 100",
        "fault x",
        "any extra INSTANCE VI_1 FAULT 100",
        "backup ",
        "any extra INSTANCE VI_1 BACKUP 100",
        "master one two words",
        "any extra INSTANCE VI_1 MASTER 100",
        "stop ",
        "any extra INSTANCE VI_1 STOP 100",
    ];
    assert_eq!(ours, expected);
    assert_eq!(ours, notifications(Kind::Stock));
}

/// The lines people's tools look for, in the order they appear: of a backup, of its becoming master, of its stop.
fn states(kind: Kind) -> Vec<String> {
    let two = Two::new();
    let master = two.a.start(kind, &config(2, 150, ""));
    wait_until("the router is master", || holds(&two.a));
    let backup = two.b.start(kind, &config(2, 100, ""));
    backup.wait_log("(VI_1) Entering BACKUP STATE");
    two.wait_adverts(two.capture.mark(), A, 2);
    master.stop();
    two.wait_adverts(0, B, 2);
    wait_until("the router is master", || holds(&two.b));
    let again = two.a.start(kind, &config(2, 150, ""));
    two.wait_master_a();
    again.stop();
    two.wait_master_b();
    backup.stop();
    interesting(&backup)
}

fn interesting(daemon: &Daemon) -> Vec<String> {
    let known = ["Entering", "sent 0 priority", "Master received advert", "Backup received"];
    let message = |line: &str| {
        let message = line[line.find("(VI_1) ")?..].to_owned();
        known.iter().any(|k| message["(VI_1) ".len()..].starts_with(k)).then_some(message)
    };
    daemon.log().lines().filter_map(message).map(without_cause).collect()
}

/// Ours gives the cause of a line behind stock's text, in parentheses.
fn without_cause(message: String) -> String {
    let end = [" STATE (init)", " STATE", " advertisement"]
        .iter()
        .find_map(|end| Some(message.find(end)? + end.len()));
    message[..end.unwrap_or(message.len())].to_owned()
}

#[test]
fn log_of_a_life() {
    let ours = states(subject());
    assert_eq!(ours.first().map(String::as_str), Some("(VI_1) Entering BACKUP STATE (init)"));
    assert_eq!(ours.last().map(String::as_str), Some("(VI_1) sent 0 priority"));
    assert_eq!(ours, states(Kind::Stock));
}

/// No advert of a lower priority moves a master, and it answers each at once, as stock does.
#[test]
fn master_answers_a_lower_priority() {
    let answered = |kind: Kind| {
        let two = Two::new();
        let low = two.b.start(kind, &config(3, 100, "garp_master_delay 1"));
        wait_until("the router is master", || holds(&two.b));
        let mark = two.capture.mark();
        let high = two.a.start(kind, &config(3, 150, "garp_master_delay 1"));
        two.wait_master_a();
        high.wait_log("(VI_1) Entering MASTER STATE");
        drop((low, high));
        two.capture.adverts_since(mark, A)[0].bytes.clone()
    };
    assert_eq!(hex(&[answered(subject())]), hex(&[answered(Kind::Stock)]));
    assert_eq!(VIPS.len(), 2);
}
