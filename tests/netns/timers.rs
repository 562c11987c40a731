//! Options of elections: what a router does when it hears crafted adverts, next to stock.

use std::net::Ipv4Addr;

use crate::lab::{Daemon, Kind, Lan, Packet, Router, checksum, inject, wait_for, wait_until};
use crate::support::{A, GROUP, MAC_A, VRID, holds, side_by_side, subject};

/// Where the crafted adverts come from: a lower address than ours.
const OTHER: Ipv4Addr = Ipv4Addr::new(10, 7, 0, 1);

/// A router on a LAN with somebody who says whatever a test wants.
struct Scene {
    daemon: Daemon,
    router: Router,
    other: Router,
    capture: crate::lab::Capture,
    // Last, as it must outlive the routers.
    _lan: Lan,
}

impl Scene {
    /// `more`: lines of the instance; adverts each 1.5 seconds, so that an answer is told from the next one in turn.
    fn new(kind: Kind, more: &str) -> Self {
        Self::with(kind, "", more)
    }

    /// `globals`: lines of `global_defs`.
    fn with(kind: Kind, globals: &str, more: &str) -> Self {
        let lan = Lan::new();
        let capture = lan.capture();
        let router = lan.router("eth0", &format!("{A}/24"));
        let other = lan.router("eth0", &format!("{OTHER}/24"));
        let text = format!(
            "global_defs {{\n vrrp_garp_master_repeat 2\n vrrp_garp_master_delay 0\n {globals}\n}}\n\
             vrrp_instance VI_1 {{\n interface eth0\n virtual_router_id {VRID}\n priority 150\n version 3\n \
             advert_int 1.5\n {more}\n virtual_ipaddress {{\n 10.7.0.100/24\n 10.7.0.101/24\n }}\n}}\n"
        );
        let daemon = router.start(kind, &text);
        daemon.wait_log("(VI_1) Entering BACKUP STATE (init)");
        Self { daemon, router, other, capture, _lan: lan }
    }

    /// One that is master.
    fn master(kind: Kind, more: &str) -> Self {
        let scene = Self::new(kind, more);
        // A master that gives up: one need not wait for its silence.
        scene.hears(200);
        scene.hears(0);
        wait_until("it is master", || holds(&scene.router));
        wait_until("it has announced", || scene.capture.garps_since(0, MAC_A).len() == 4);
        scene.next_advert(0);
        scene
    }

    /// It hears an advert of this priority.
    fn hears(&self, priority: u8) {
        self.hears_of(priority, 150);
    }

    /// With an interval of less than 256 centiseconds.
    fn hears_of(&self, priority: u8, interval: u8) {
        let mut message = vec![0x31, VRID, priority, 2, 0, interval, 0, 0, 10, 7, 0, 100, 10, 7, 0, 101];
        let pseudo = [&OTHER.octets()[..], &GROUP.octets(), &[0, 112, 0, 16]].concat();
        let sum = checksum(&[&pseudo, &message]);
        message[6..8].copy_from_slice(&sum.to_be_bytes());
        inject(&self.other, OTHER, GROUP, 255, &message);
    }

    /// Waits until it has advertised after the mark.
    fn next_advert(&self, mark: usize) {
        wait_until("an advert", || !self.capture.adverts_since(mark, A).is_empty());
    }

    /// What was said after the mark: adverts with their priorities, and how many announcements.
    fn said(&self, mark: usize) -> Vec<String> {
        let mut said: Vec<String> = Vec::new();
        let mut announced = 0;
        for packet in self.capture.packets().into_iter().skip(mark) {
            match packet {
                Packet::Advert(advert) if advert.source == A => {
                    said.push(format!("advert {}", advert.priority))
                }
                Packet::Advert(advert) => said.push(format!("heard {}", advert.priority)),
                Packet::Garp(garp) if garp.mac == MAC_A => {
                    announced += 1;
                    if announced > 1 && said.last().is_some_and(|last| last.starts_with("announced")) {
                        said.pop();
                    }
                    said.push(format!("announced {announced}"));
                }
                _ => {}
            }
        }
        said
    }
}

/// What a master says from an advert of this priority until its next one in turn.
fn answer(kind: Kind, more: &str, priority: u8) -> Vec<String> {
    let scene = Scene::master(kind, more);
    // Just after one in turn there is time enough.
    scene.next_advert(scene.capture.mark());
    let mark = scene.capture.mark();
    scene.hears(priority);
    let in_turn = if more.contains("lower_prio_no_advert") { 1 } else { 2 };
    wait_until("the next advert in turn", || scene.capture.adverts_since(mark, A).len() == in_turn);
    scene.said(mark)
}

/// Runs `scene` with both daemons and gives what was the same; fails if it is not.
fn same<T: PartialEq + std::fmt::Debug + Send>(scene: impl Fn(Kind) -> T + Sync) -> T {
    let scene = &scene;
    let (ours, stock) = std::thread::scope(|scope| {
        let ours = scope.spawn(move || scene(subject()));
        let stock = scope.spawn(move || scene(Kind::Stock));
        (ours.join().expect("ours"), stock.join().expect("stock"))
    });
    assert_eq!(ours, stock);
    ours
}

#[test]
fn a_lower_priority_is_answered_as_configured() {
    let cases = [
        ("", vec!["heard 50", "advert 150", "announced 4", "advert 150"]),
        ("lower_prio_no_advert", vec!["heard 50", "announced 4", "advert 150"]),
        ("garp_lower_prio_repeat 3", vec!["heard 50", "advert 150", "announced 6", "advert 150"]),
        (
            "garp_lower_prio_repeat 1\n garp_lower_prio_delay 1",
            vec!["heard 50", "advert 150", "announced 4", "advert 150"],
        ),
    ];
    side_by_side(cases.to_vec(), |(more, expected)| {
        assert_eq!(same(|kind| answer(kind, more, 50)), expected, "{more}");
    });
}

/// A master that yields says one more word if it is told to; unlike stock, ours does so unless it is told not to.
#[test]
fn a_higher_priority_is_answered_as_configured() {
    let last_word = |kind: Kind, more: &str| {
        let scene = Scene::master(kind, more);
        scene.next_advert(scene.capture.mark());
        let mark = scene.capture.mark();
        scene.hears(200);
        wait_until("it has yielded", || !holds(&scene.router));
        scene
            .daemon
            .wait_log("(VI_1) Master received advert from 10.7.0.1 with higher priority 200, ours 150");
        scene.said(mark)
    };
    let cases = [
        ("higher_prio_send_advert", vec!["heard 200", "advert 150"]),
        ("higher_prio_send_advert off", vec!["heard 200"]),
    ];
    side_by_side(cases.to_vec(), |(more, expected)| {
        assert_eq!(same(|kind| last_word(kind, more)), expected, "{more}");
    });
    assert_eq!(last_word(subject(), ""), ["heard 200", "advert 150"]);
    assert_eq!(last_word(Kind::Stock, ""), ["heard 200"]);
}

/// Another one's priority 0 is answered by a master, and followed by a backup.
#[test]
fn a_goodbye_is_answered() {
    assert_eq!(same(|kind| answer(kind, "", 0)), ["heard 0", "advert 150", "advert 150"]);
}

/// What the log says while somebody of lower priority, then of higher, then again of lower is master.
#[test]
fn preemption_is_put_off_and_again() {
    let lines = same(|kind| {
        let scene = Scene::new(kind, "preempt_delay 2");
        let heard = |priority, text: &str| {
            wait_for(text, || {
                scene.hears(priority);
                std::thread::sleep(std::time::Duration::from_millis(200));
                scene.daemon.log().contains(text).then_some(())
            });
        };
        heard(100, "start preempt delay (2.000000)");
        heard(200, "stop preempt delay");
        heard(100, "received lower priority (100) advert from 10.7.0.1 - discarding");
        wait_until("it is master", || holds(&scene.router));
        let told = ["preempt delay", "Entering"];
        let log = scene.daemon.log();
        let lines = log.lines().filter(|line| told.iter().any(|text| line.contains(text)));
        let text = |line: &str| line.split_once("(VI_1) ").map(|(_, text)| text.to_owned());
        lines
            .filter_map(text)
            .map(|text| text.replace(" (no advert for the master-down time)", ""))
            .collect::<Vec<_>>()
    });
    let expected = [
        "Entering BACKUP STATE (init)",
        "start preempt delay (2.000000)",
        "stop preempt delay",
        "start preempt delay (2.000000)",
        "Entering MASTER STATE",
    ];
    assert_eq!(lines, expected);
}

/// What is heard during the start-up delay counts, and other intervals are told when they are learned, and when they are
/// left again.
#[test]
fn a_newcomer_that_waits_learns() {
    let lines = same(|kind| {
        let scene = Scene::with(kind, "vrrp_startup_delay 2", "");
        scene.hears_of(200, 200);
        scene.daemon.wait_log("advertisement interval updated");
        scene.hears_of(0, 200);
        wait_until("it is master", || holds(&scene.router));
        scene.hears_of(200, 100);
        wait_until("it is not master any more", || !holds(&scene.router));
        let log = scene.daemon.log();
        let told = ["Delaying", "nterval", "Entering", "priority 0"];
        let lines = log.lines().filter(|line| told.iter().any(|text| line.contains(text)));
        let text = |line: &str| {
            let start = line.find("(VI_1) ").or_else(|| line.find("Delaying"))?;
            line[start..].split(" (").next().map(|text| text.trim_start_matches("(VI_1) ").to_owned())
        };
        lines.filter_map(text).collect::<Vec<_>>()
    });
    let expected = [
        "Delaying startup for 2 seconds",
        "Entering BACKUP STATE",
        "advertisement interval updated from 1500ms to 2000ms by master",
        "Backup received priority 0 advertisement",
        "Entering MASTER STATE",
        "changing advert interval from 2000ms to locally configured 1500ms",
        "advertisement interval updated from 1500ms to 1000ms by master",
        "Entering BACKUP STATE",
    ];
    assert_eq!(lines, expected);
}

/// `vrrp_delay_after_boot` counts from the boot of the machine, here of a time namespace that has been up for as long as
/// it says. Stock has it since 2.4.0 and takes the same time, from `/proc/uptime`.
#[test]
fn nobody_takes_part_before_the_machine_has_been_up_long_enough() {
    let config =
        "global_defs {\n vrrp_delay_after_boot 33\n}\n".to_owned() + &crate::support::config(3, 150, "");
    side_by_side(vec![30, 100], |up| {
        let lan = Lan::new();
        let router = lan.router("eth0", &format!("{A}/24"));
        router.write("/etc/keepalived/keepalived.conf", &config);
        router.run(&format!(
            "since=$(cut -d. -f1 /proc/uptime)
             unshare --time --boottime=$(({up} - since)) --fork --kill-child -- {} -n -l -D \
             -f /etc/keepalived/keepalived.conf > /run/log 2>&1 < /dev/null &",
            Kind::Ours.program()
        ));
        let log = || router.read("/run/log").unwrap_or_default();
        wait_until("it is master", || holds(&router));
        wait_until("it says so", || log().contains("Entering MASTER STATE"));
        let log = log();
        let at = |text: &str| log.find(text);
        if up == 30 {
            let rest = log.split_once("Delaying startup for ").expect(&log).1;
            let delay: f64 = rest.split_once(" seconds").expect(rest).0.parse().expect(rest);
            assert!(delay > 0.0 && delay <= 3.0, "{delay}");
            assert!(at("Delayed start completed") < at("Entering MASTER STATE"), "{log}");
        } else {
            assert_eq!(at("Delaying startup"), None, "{log}");
        }
    });
}
