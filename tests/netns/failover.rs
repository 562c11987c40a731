//! Take-over and give-back.

use crate::lab::{Capture, wait_until};
use crate::support::{A, B, MAC_A, MAC_B, Two, VIPS, config, each_pair, holds, holds_any};

/// The master vanishes; the backup announces and holds its addresses; the returned one takes them back.
fn crash(version: u8) {
    each_pair(|a, b| {
        let two = Two::new();
        let (first, _second) = two.started((a, b), &config(version, 150, ""), &config(version, 100, ""));
        let mark = two.capture.mark();
        first.crash();
        assert!(holds(&two.a), "nobody removes the addresses of a killed daemon");
        two.wait_adverts(mark, B, 2);
        assert!(two.capture.adverts(A).iter().all(|advert| advert.priority > 0), "a crash says nothing");
        wait_announced(&two.capture, mark, MAC_B);
        wait_until("the addresses are on the new master", || holds(&two.b));

        let mark = two.capture.mark();
        let _again = two.a.start(a, &config(version, 150, ""));
        two.wait_master_a();
        wait_announced(&two.capture, mark, MAC_A);
        let resigned = two.capture.adverts_since(mark, B).iter().any(|advert| advert.priority == 0);
        assert!(!resigned, "a master that hears a higher one just falls silent");
    });
}

#[test]
fn crash_v2() {
    crash(2);
}

#[test]
fn crash_v3() {
    crash(3);
}

/// The master is stopped: it says so, once, and leaves nothing behind; later it takes the addresses back.
fn stop(version: u8) {
    each_pair(|a, b| {
        let two = Two::new();
        let (first, _second) = two.started((a, b), &config(version, 150, ""), &config(version, 100, ""));
        let mark = two.capture.mark();
        let status = first.stop();
        assert_eq!(status.code(), Some(0), "{status}");
        assert!(!holds_any(&two.a), "a stopped daemon leaves no address");
        two.wait_master_b();
        wait_announced(&two.capture, mark, MAC_B);
        let last = two.capture.adverts_since(mark, A);
        assert_eq!(last.iter().filter(|advert| advert.priority == 0).count(), 1);
        assert_eq!(last.last().map(|advert| advert.priority), Some(0), "priority 0 is the last word");

        let mark = two.capture.mark();
        let _again = two.a.start(a, &config(version, 150, ""));
        two.wait_master_a();
        wait_announced(&two.capture, mark, MAC_A);
    });
}

#[test]
fn stop_v2() {
    stop(2);
}

#[test]
fn stop_v3() {
    stop(3);
}

/// With `nopreempt` a router of higher priority that returns leaves the addresses where they are.
fn nopreempt(version: u8) {
    each_pair(|a, b| {
        let two = Two::new();
        let (high, low) = (config(version, 150, "nopreempt"), config(version, 100, ""));
        let (first, _second) = two.started((a, b), &high, &low);
        first.stop();
        two.wait_master_b();
        let again = two.a.start(a, &high);
        again.wait_log("(VI_1) Entering BACKUP STATE");
        let mark = two.capture.mark();
        // Longer than any master-down time.
        two.wait_adverts(mark, B, 6);
        assert!(holds(&two.b) && !holds_any(&two.a));
        assert_eq!(two.capture.adverts_since(mark, A).len(), 0);
    });
}

#[test]
fn nopreempt_v2() {
    nopreempt(2);
}

#[test]
fn nopreempt_v3() {
    nopreempt(3);
}

/// Equal priorities: who is master stays master, whichever address is higher.
#[test]
fn equal_priority_does_not_preempt() {
    each_pair(|a, b| {
        let two = Two::new();
        let same = config(3, 100, "");
        let first = two.b.start(b, &same);
        wait_until("the lower address is master", || holds(&two.b));
        let second = two.a.start(a, &same);
        second.wait_log("(VI_1) Entering BACKUP STATE");
        let mark = two.capture.mark();
        two.wait_adverts(mark, B, 8);
        assert!(holds(&two.b) && !holds_any(&two.a));
        drop((first, second));
    });
}

/// Two masters that come to see each other: the one with the higher address stays, and announces again.
#[test]
fn healed_partition() {
    each_pair(|a, b| {
        let two = Two::new();
        let same = config(3, 100, "");
        let _daemons = two.started((a, b), &same, &same);
        two.lan.namespace().run("ip link set port1 nomaster");
        wait_until("both are master", || holds(&two.a) && holds(&two.b));
        let mark = two.capture.mark();
        two.lan.namespace().run("ip link set port1 master lan");
        two.wait_master_a();
        wait_announced(&two.capture, mark, MAC_A);
    });
}

#[track_caller]
fn wait_announced(capture: &Capture, mark: usize, mac: [u8; 6]) {
    wait_until("every address is announced by its new owner", || {
        let garps = capture.garps_since(mark, mac);
        VIPS.iter().all(|vip| garps.iter().any(|garp| garp.ip == *vip))
    });
}
