//! Scripts that track, and how their verdicts move the addresses.

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
