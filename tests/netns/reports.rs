//! Where what the daemon says goes: log files, systemd's journal, the service manager.

use std::os::unix::net::UnixDatagram;
use std::process::Stdio;
use std::time::Duration;

use crate::lab::{Kind, Router, wait_for, wait_until};
use crate::support::{Two, config, holds};

/// Somebody who listens on the router at `path`.
fn listener(router: &Router, path: &str) -> UnixDatagram {
    router.run(&format!("mkdir -p $(dirname {path})"));
    let socket = UnixDatagram::bind(router.path(path)).expect("bind a socket on the router");
    socket.set_read_timeout(Some(Duration::from_secs(30))).expect("set a timeout");
    socket
}

fn next(socket: &UnixDatagram) -> String {
    let mut buf = [0; 4096];
    let len = socket.recv(&mut buf).expect("hear something within 30 s");
    String::from_utf8_lossy(&buf[..len]).into_owned()
}

/// What VRRP says is in a file of its own, as with stock, if that is built with log files; and when somebody moves one
/// away, there is a new one.
#[test]
fn log_files() {
    let two = Two::new();
    let daemon = two.a.start_with(Kind::Ours, &config(3, 100, ""), &["-G", "-g/run/logs/k.log"]);
    assert_eq!(daemon.wait().code(), Some(1), "there is no such folder");
    two.a.run("mkdir /run/logs");
    let daemon = two.a.start_with(Kind::Ours, &config(3, 100, ""), &["-G", "-g/run/logs/k.log"]);
    let log = |name: &str| two.a.read(&format!("/run/logs/{name}")).unwrap_or_default();
    wait_until("VRRP's lines are written", || {
        log("k_vrrp.log").contains("(VI_1) Entering MASTER STATE (no advert for the master-down time)\n")
    });
    assert!(log("k.log").contains("Startup complete\n") && !log("k.log").contains("VI_1"));
    assert_eq!(two.a.run("stat -c %a /run/logs/k.log"), "600\n");
    two.a.run("mv /run/logs/k.log /run/logs/k.1");
    daemon.stop();
    assert!(log("k.log").starts_with(char::is_alphabetic) && log("k.log").contains("Stopping\n"));
    assert!(!log("k.1").contains("Stopping"));
}

#[test]
fn the_journal_gets_fields() {
    let two = Two::new();
    let journal = listener(&two.a, "/run/systemd/journal/socket");
    let _daemon = two.a.start(Kind::Ours, &config(3, 100, ""));
    let entry = wait_for("the journal gets the line", || {
        Some(next(&journal)).filter(|entry| entry.contains("Entering MASTER STATE"))
    });
    for line in [
        "MESSAGE=(VI_1) Entering MASTER STATE (no advert for the master-down time)",
        "PRIORITY=6",
        "SYSLOG_IDENTIFIER=Keepalived_vrrp",
        "SYSLOG_FACILITY=3",
        "VRRP_INSTANCE=VI_1",
        "VRRP_INTERFACE=eth0",
        "VRRP_STATE=MASTER",
        "VRRP_PRIORITY=100",
        "VRRP_CAUSE=no advert for the master-down time",
    ] {
        assert!(entry.lines().any(|l| l == line), "{line} is missing: {entry}");
    }
}

/// systemd hears that the daemon is ready, then again and again that it is alive, and then that it stops.
#[test]
fn the_service_manager_gets_signs_of_life() {
    let two = Two::new();
    let manager = listener(&two.a, "/run/notify");
    two.a.write("/etc/keepalived/keepalived.conf", &config(3, 100, ""));
    let mut command = two.a.namespace().command(Kind::Ours.program());
    command.arg("-n").env("NOTIFY_SOCKET", "/run/notify").env("WATCHDOG_USEC", "400000");
    let mut daemon = command.stdin(Stdio::null()).spawn().expect("run nsenter");
    let ready = next(&manager);
    assert!(ready.starts_with("READY=1\nMAINPID="), "{ready}");
    for _ in 0..5 {
        assert_eq!(next(&manager).trim_end(), "WATCHDOG=1");
    }
    wait_until("the router is master", || holds(&two.a));
    let pid = two.a.run("cat /run/keepalived.pid");
    two.a.run(&format!("kill -TERM {pid}"));
    wait_for("it says that it stops", || Some(next(&manager)).filter(|said| said.trim_end() == "STOPPING=1"));
    let ended = wait_for("it ends", || daemon.try_wait().expect("wait for a child"));
    assert!(ended.success());
}
