//! A daemon that is told to restart: its addresses stay, or are gone before anybody else has them.

use std::process::Command;

use crate::lab::{Daemon, Kind, Router, wait_for, wait_until};
use crate::support::{A, B, MAC_A, Two, VIPS, config, holds, holds_any, side_by_side};

/// `SIGRTMIN+5`.
const HAND_OVER: i32 = 39;
/// An address of the other family.
const V6: &str = "2001:db8::99";

/// [`config`] of version 2 with [`V6`] beside it, and with an advert every so many seconds.
fn configured(priority: u8, interval: u32, more: &str) -> String {
    let more = format!("virtual_ipaddress_excluded {{\n {V6}/64\n }}\n {more}");
    config(2, priority, &more).replace("advert_int 1", &format!("advert_int {interval}"))
}

/// Tells the daemon to restart, and waits for the end of its process.
fn leave(daemon: &Daemon) {
    let pid = wait_for("the daemon runs", || daemon.processes().first().copied());
    let kill = format!("kill -{HAND_OVER} {pid}");
    assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success(), "{kill}");
    let status = daemon.wait();
    assert_eq!(status.code(), Some(0), "{status}");
}

/// Router A, master and ready to be restarted, with B as its backup.
fn started(two: &Two, peer: Kind, interval: u32, more: &str) -> (Daemon, Daemon) {
    let first = two.a.start_with(Kind::Ours, &configured(150, interval, more), &["--hand-over"]);
    wait_until("A is master", || holds(&two.a));
    let second = two.b.start(peer, &configured(100, interval, more));
    second.wait_log("(VI_1) Entering BACKUP STATE");
    two.wait_master_a();
    for router in [&two.a, &two.b] {
        router.run("ip -ts -o monitor address >/tmp/moves 2>/dev/null & sleep 0.2");
    }
    (first, second)
}

/// What became of the virtual addresses of a router: lines that begin with the time.
fn moves(router: &Router) -> Vec<String> {
    let virtuals: Vec<String> = VIPS.iter().map(ToString::to_string).chain([V6.to_owned()]).collect();
    let text = router.read("/tmp/moves").unwrap_or_default();
    let is_one = |line: &&str| virtuals.iter().any(|ip| line.contains(&format!(" {ip}/")));
    text.lines().filter(is_one).map(str::to_owned).collect()
}

fn restarts(more: &str) {
    side_by_side(vec![Kind::Ours, Kind::Stock], |peer| {
        let two = Two::new();
        let (mut daemon, second) = started(&two, peer, 2, more);
        let links = two.a.run("ip -o link show | cut -d: -f1,2");
        let mark = two.capture.mark();
        for _ in 0..3 {
            leave(&daemon);
            assert!(holds(&two.a), "nobody takes them away");
            let restarted = two.capture.mark();
            daemon = two.a.start_with(Kind::Ours, &configured(150, 2, more), &["--hand-over"]);
            daemon.wait_log("(VI_1) Entering MASTER STATE (handed over by the process before this one)");
            wait_until("the addresses are announced", || {
                let garps = two.capture.garps_since(restarted, MAC_A);
                more.contains("use_vmac") || VIPS.iter().all(|ip| garps.iter().any(|garp| garp.ip == *ip))
            });
            wait_until("they stay for ever", || {
                let there = two.a.run("ip -o addr show scope global");
                there.matches("valid_lft forever").count() == there.lines().count()
            });
            two.wait_adverts(restarted, A, 3);
        }
        assert_eq!(two.a.run("ip -o link show | cut -d: -f1,2"), links, "no link was made anew");
        let moves = moves(&two.a);
        assert!(moves.iter().any(|line| line.contains("dynamic")), "{moves:#?}");
        assert!(moves.iter().all(|line| !line.contains("Deleted")), "{moves:#?}");
        assert_eq!(two.capture.adverts_since(mark, B).len(), 0, "nobody takes over");
        assert!(two.capture.adverts_since(mark, A).iter().all(|advert| advert.priority == 150));
        assert!(!second.log().contains("Entering MASTER STATE"));
        assert!(!two.a.has_file("/run/keepalived.hand-over"));
        // A plain stop is what it always was.
        let mark = two.capture.mark();
        assert_eq!(daemon.stop().code(), Some(0));
        assert!(!holds_any(&two.a));
        wait_until("it resigns", || {
            two.capture.adverts_since(mark, A).last().is_some_and(|advert| advert.priority == 0)
        });
        two.wait_master_b();
        assert!(!two.a.run("ip -o link show").contains("vrrp."));
    });
}

#[test]
fn a_restart_leaves_the_addresses_where_they_are() {
    restarts("");
}

#[test]
fn a_restart_leaves_a_vmac_where_it_is() {
    restarts("use_vmac");
}

/// The kernel takes them away, and only then the other router has them.
#[test]
fn a_router_that_does_not_come_back_is_no_second_master() {
    side_by_side(vec![Kind::Ours, Kind::Stock], |peer| {
        let two = Two::new();
        let (daemon, _second) = started(&two, peer, 1, "");
        leave(&daemon);
        daemon.wait_log("(VI_1) handed over: the addresses stay for 2 s, for the next start");
        assert!(two.a.has_file("/run/keepalived.hand-over"));
        two.wait_master_b();
        let time = |line: &str| line.split(']').next().unwrap_or_default().to_owned();
        let (left, came) = (moves(&two.a), moves(&two.b));
        let gone: Vec<String> =
            left.iter().filter(|line| line.contains("Deleted")).map(|l| time(l)).collect();
        assert_eq!(gone.len(), 3, "{left:#?}");
        let first = came.iter().map(|line| time(line)).min();
        assert!(gone.iter().max() < first.as_ref(), "{left:#?} {came:#?}");
        // Whoever starts now finds nothing to go on with.
        let late = two.a.start_with(Kind::Ours, &configured(150, 1, "nopreempt"), &["--hand-over"]);
        late.wait_log("(VI_1) Entering BACKUP STATE (init)");
        assert!(!two.a.has_file("/run/keepalived.hand-over"));
    });
}
