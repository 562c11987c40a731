//! Scripts that track, and how their verdicts move the addresses.

use nix::sys::signal::Signal;

use crate::lab::{Kind, wait_until};
use crate::support::{A, B, Two, config, each_pair, holds, holds_any, subject};

const SCRIPT: &str = "vrrp_script check {\n script /etc/keepalived/check.sh\n interval 1\n ";

fn tracked(version: u8, priority: u8, weight: &str) -> String {
    format!("{SCRIPT}{weight}\n}}\n{}", config(version, priority, "track_script {\n check\n }"))
}

/// A failing script with a weight lowers the priority until the other router's is higher.
fn weight(version: u8) {
    each_pair(|a, b| {
        let two = Two::new();
        two.a.write_script("/etc/keepalived/check.sh", "! test -e /run/bad");
        let (_first, _second) =
            two.started((a, b), &tracked(version, 150, "weight -100"), &config(version, 100, ""));
        two.a.write("/run/bad", "");
        two.wait_master_b();
        std::fs::remove_file(two.a.path("/run/bad")).unwrap();
        two.wait_master_a();
        let priorities: Vec<_> = two.capture.adverts(A).iter().map(|advert| advert.priority).collect();
        assert_eq!(priorities.last(), Some(&150));
        assert!(priorities.iter().all(|p| [150, 50].contains(p)), "{priorities:?}");
    });
}

#[test]
fn weight_v2() {
    weight(2);
}

#[test]
fn weight_v3() {
    weight(3);
}

/// A failing script without a weight puts the instance into FAULT, which the other one is told.
fn fault(version: u8) {
    each_pair(|a, b| {
        let two = Two::new();
        two.a.write_script("/etc/keepalived/check.sh", "! test -e /run/bad");
        let (first, _second) =
            two.started((a, b), &tracked(version, 150, "fall 2\n rise 2"), &config(version, 100, ""));
        let mark = two.capture.mark();
        two.a.write("/run/bad", "");
        two.wait_master_b();
        first.wait_log("(VI_1) Entering FAULT STATE");
        let last = two.capture.adverts_since(mark, A).pop();
        assert_eq!(last.map(|advert| advert.priority), Some(0), "FAULT resigns");
        std::fs::remove_file(two.a.path("/run/bad")).unwrap();
        two.wait_master_a();
    });
}

#[test]
fn fault_v2() {
    fault(2);
}

#[test]
fn fault_v3() {
    fault(3);
}

/// A script that takes longer than its timeout counts as failed, and is not left behind.
#[test]
fn script_times_out() {
    each_pair(|a, b| {
        let two = Two::new();
        two.a.write_script("/etc/keepalived/check.sh", "test -e /run/slow && exec sleep 7777\nexit 0");
        let (first, _second) =
            two.started((a, b), &tracked(3, 150, "timeout 1\n fall 1"), &config(3, 100, ""));
        two.a.write("/run/slow", "");
        two.wait_master_b();
        std::fs::remove_file(two.a.path("/run/slow")).unwrap();
        wait_until("the slow script is killed", || {
            !two.a.run("ps -eo args").lines().any(|args| args == "sleep 7777")
        });
        two.wait_master_a();
        drop(first);
    });
}

/// A script that cannot be executed is a failure. Stock takes it for a success, which nobody can want.
#[test]
fn script_that_cannot_run() {
    let two = Two::new();
    two.a.write_script("/etc/keepalived/check.sh", "exit 0");
    let daemon = two.a.start(subject(), &tracked(3, 150, ""));
    wait_until("the router is master", || holds(&two.a));
    two.a.write("/etc/keepalived/check.sh", "#!/nonexistent/interpreter\n");
    match subject() {
        Kind::Ours => {
            daemon.wait_log("(VI_1) Entering FAULT STATE");
            wait_until("the addresses are gone", || !holds_any(&two.a));
        }
        Kind::Stock => {
            let mark = two.capture.mark();
            two.wait_adverts(mark, A, 10);
            assert!(holds(&two.a));
        }
    }
    assert_eq!(two.capture.adverts(B).len(), 0);
}

/// What cannot be run at the start runs as soon as it can be, without a reload, if it is safe to run then.
#[test]
fn scripts_that_are_there_later() {
    let two = Two::new();
    let script = |name: &str, command: &str| {
        format!("vrrp_script {name} {{\n script \"{command}\"\n interval 1\n user root\n }}\n")
    };
    let late = "/etc/keepalived/late.sh";
    let text = "global_defs {\n enable_script_security\n }\n".to_owned()
        + &script("mode", "/etc/keepalived/mode.sh x")
        + &script("late", late)
        + &script("deep", "/etc/keepalived/d/deep.sh")
        + &config(3, 150, "track_script {\n mode\n late\n deep\n }");
    two.a.write_script("/etc/keepalived/mode.sh", "test $1 = x");
    two.a.run("chmod 644 /etc/keepalived/mode.sh");
    let daemon = two.a.start(Kind::Ours, &text);
    for line in [
        "script '/etc/keepalived/mode.sh' is not executable for uid:gid 0:0; track script mode counts as failed until",
        "Script `mode`: script '/etc/keepalived/mode.sh' is not executable for uid:gid 0:0",
        "Script `late`: Script /etc/keepalived/late.sh cannot be accessed - No such file or directory",
        "(VI_1) Entering FAULT STATE",
    ] {
        daemon.wait_log(line);
    }
    two.a.run("chmod 755 /etc/keepalived/mode.sh");
    two.a.run("mkdir /etc/keepalived/d");
    for path in [late, "/etc/keepalived/d/deep.sh"] {
        two.a.write_script(path, "exit 0");
    }
    wait_until("the router is master", || holds(&two.a));
    two.a.run(&format!("chmod 777 {late}"));
    daemon.wait_log(
        "Script `late`: Unsafe permissions found for script '/etc/keepalived/late.sh' (it runs as root",
    );
    wait_until("the addresses are gone", || !holds_any(&two.a));
    two.a.run(&format!("chmod 755 {late}"));
    wait_until("the router is master again", || holds(&two.a));
}

/// Scripts that never end do not pile up: at the stop, which starts all that wait, the oldest are ended, and what they
/// have started with them.
#[test]
fn notify_scripts_that_hang_are_ended_with_their_groups() {
    let two = Two::new();
    two.a.write_script("/etc/keepalived/hang.sh", "sleep 100 & echo $! >>/run/sleepers; wait");
    two.a.write("/run/up", "0");
    let hang = "notify /etc/keepalived/hang.sh\n notify_fault /etc/keepalived/hang.sh\n \
                notify_backup /etc/keepalived/hang.sh\n track_file {\n up weight 0\n }";
    let text = format!("track_file up {{\n file /run/up\n weight 0\n}}\n{}", config(3, 100, hang));
    let daemon = two.a.start(subject(), &text);
    daemon.wait_log("(VI_1) Entering BACKUP STATE");
    let times = |what: &str| daemon.log().matches(what).count();
    for round in 1..=3 {
        two.a.write("/run/up", "1");
        wait_until("the router is in fault", || times("Entering FAULT STATE") >= round);
        two.a.write("/run/up", "0");
        wait_until("the router is a backup", || times("Entering BACKUP STATE") > round);
    }
    let sleepers = || two.a.read("/run/sleepers").unwrap_or_default();
    wait_until("the first script runs", || sleepers().ends_with('\n'));
    let first = sleepers().lines().next().unwrap().to_owned();
    assert!(two.a.has_file(&format!("/proc/{first}")), "it hangs");
    daemon.stop();
    // Whoever adopted it may not have reaped it.
    let state = format!("sed 's/.*) //; s/ .*//' /proc/{first}/stat 2>/dev/null || true");
    wait_until("what the first one has started is gone", || matches!(two.a.run(&state).trim(), "" | "Z"));
    two.a.run("kill $(cat /run/sleepers) 2>/dev/null || true");
}

/// `startup_script` has ended before anything else begins, `shutdown_script` runs when everything is given up; the daemon
/// goes on whatever becomes of them, and one that hangs is ended with all that it has started.
#[test]
fn scripts_of_the_start_and_the_stop() {
    for kind in [subject(), Kind::Stock] {
        let two = Two::new();
        let there = "$(ip -o addr show | grep -c 10.7.0.100/) $(ls /run/keepalived.pid | wc -l)";
        two.a.write_script(
            "/etc/keepalived/stage.sh",
            &format!(
                "echo $1 {there} >>/run/stages; test $1 = up && exit 3; sleep 7778 & sleep 7778; echo late >>/run/stages"
            ),
        );
        let stages = "global_defs {\n startup_script \"/etc/keepalived/stage.sh up\"\n \
                      shutdown_script \"/etc/keepalived/stage.sh down\"\n shutdown_script_timeout 1\n}\n";
        let daemon = two.a.start(kind, &format!("{stages}{}", config(3, 100, "")));
        wait_until("the router is master", || holds(&two.a));
        daemon.wait_log("startup script script failed, status 3");
        assert_eq!(two.a.read("/run/stages").as_deref(), Some("up 0 1\n"), "{kind:?}");
        assert_eq!(daemon.stop().code(), Some(0), "{kind:?}");
        assert_eq!(two.a.read("/run/stages").as_deref(), Some("up 0 1\ndown 0 1\n"), "{kind:?}");
        let log = daemon.log();
        let of_stages = |line: &&str| line.contains("startup script") || line.contains("shutdown script ");
        let said: Vec<_> = log.lines().map(|line| &line[26..]).filter(of_stages).collect();
        let expected = [
            "Running startup script /etc/keepalived/stage.sh",
            "startup script script failed, status 3",
            "Running shutdown script /etc/keepalived/stage.sh",
            "shutdown script timed out",
        ];
        assert_eq!(said, expected, "{kind:?}");
        if kind == Kind::Ours {
            wait_until("what hung is gone", || {
                !two.a.run("ps -eo args").lines().any(|args| args == "sleep 7778")
            });
        }
    }
}

/// A stop does not wait for the script of the start, even if that minds no signal; nothing has begun then.
#[test]
fn a_stop_in_the_script_of_the_start() {
    for kind in [subject(), Kind::Stock] {
        let two = Two::new();
        two.a.write_script("/etc/keepalived/stage.sh", "trap '' TERM\necho $$ >/run/begun\nsleep 7779");
        let stages =
            "global_defs {\n startup_script /etc/keepalived/stage.sh\n startup_script_timeout 600\n}\n";
        let daemon = two.a.start(kind, &format!("{stages}{}", config(3, 100, "")));
        wait_until("the script runs", || two.a.has_file("/run/begun"));
        daemon.signal(Signal::SIGTERM);
        assert_eq!(daemon.wait().code(), Some(0), "{kind:?}: {}", daemon.log());
        let log = daemon.log();
        assert!(!log.contains(" STATE") && log.contains("Stopping\n"), "{kind:?}: {log}");
        assert!(!two.a.has_file("/run/keepalived.pid"), "{kind:?}");
        if kind == Kind::Ours {
            wait_until("the script is gone", || {
                !two.a.run("ps -eo args").lines().any(|args| args == "sleep 7779")
            });
        }
    }
}

/// Stock begins to reload what has not started yet.
#[test]
fn a_reload_in_the_script_of_the_start_comes_after_it() {
    let two = Two::new();
    let script = "echo $$ >/run/begun\nwhile ! test -e /run/go; do sleep 0.05; done";
    two.a.write_script("/etc/keepalived/stage.sh", script);
    let stages = "global_defs {\n startup_script /etc/keepalived/stage.sh\n startup_script_timeout 600\n}\n";
    let text = |priority| format!("{stages}{}", config(3, priority, ""));
    let daemon = two.a.start(subject(), &text(100));
    wait_until("the script runs", || two.a.has_file("/run/begun"));
    two.a.write("/etc/keepalived/keepalived.conf", &text(110));
    daemon.signal(Signal::SIGHUP);
    daemon.signal(Signal::SIGUSR1);
    two.a.write("/run/go", "");
    daemon.wait_log("startup script script succeeded");
    daemon.wait_log("Reload complete");
    wait_until("the priority is the new one", || {
        two.wait_adverts(two.capture.mark(), A, 1)[0].priority == 110
    });
}
