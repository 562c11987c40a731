//! A reload while adverts are due every tenth of a second: how late the latest of them is, ours next to stock's.
//!
//! ```text
//! cargo bench --bench reload [-- unchanged addresses priority]
//! ```
//!
//! Without words all parts run. `unchanged`: the file is the same, and there are many instances. `addresses`: the same with
//! one instance that has many addresses. `priority`: one of many instances gets another priority.
//!
//! Lateness is what an advert of a router comes later than an interval after the one before, by the timestamps the kernel
//! gives them as they enter the bridges; of each reload the worst of all instances counts, from the signal on for a second.
//! Beside it stands the same for as many seconds without a reload: what the machine does to adverts anyway.
//!
//! Environment: `INSTANCES` (1000) on 16 LANs, `ADDRESSES` (2000), `ROUNDS` (10) of reloads; `REALTIME` (0), the
//! `vrrp_rt_priority` of both, with which other programs do not count; `KEEPALIVED_RS`, a binary to measure instead of this
//! build's. Needs root and keepalived.

// Measuring is its purpose.
#![allow(clippy::disallowed_methods, unreachable_pub)]

#[path = "../../tests/netns/lab/mod.rs"]
mod lab;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use lab::{Capture, Daemon, Kind, Lan, Packet, Router, wait_longer, wait_until};
use nix::sys::signal::Signal;

/// Who is compared.
const KINDS: [Kind; 2] = [Kind::Ours, Kind::Stock];
/// Between adverts.
const INTERVAL: Duration = Duration::from_millis(100);
/// How long is measured after each signal.
const WINDOW: Duration = Duration::from_secs(1);
const LANS: usize = 16;
const CONFIG: &str = "/etc/keepalived/keepalived.conf";

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let wanted = |part: &str| words.is_empty() || words.iter().any(|word| word == part);
    let (instances, addresses) = (number("INSTANCES", 1000), number("ADDRESSES", 2000));
    println!("ms by which the latest advert was late (advert_int {} s)", INTERVAL.as_secs_f64());
    println!("                                              reload            no reload");
    println!("                                         median    worst     median    worst");
    for kind in KINDS {
        if wanted("unchanged") {
            let what = format!("{instances} instances, nothing changed");
            measure(kind, &what, &many(instances, None), &many(instances, None));
        }
        if wanted("addresses") {
            let what = format!("{addresses} addresses, nothing changed");
            measure(kind, &what, &one(addresses), &one(addresses));
        }
        if wanted("priority") {
            let what = format!("{instances} instances, one priority");
            measure(kind, &what, &many(instances, None), &many(instances, Some(151)));
        }
    }
}

fn number(name: &str, default: usize) -> usize {
    std::env::var(name)
        .map_or(default, |n| n.parse().unwrap_or_else(|_| panic!("{name} is a number, not `{n}`")))
}

/// Many instances with one address each; the first has this priority, if one is given.
fn many(count: usize, priority: Option<u8>) -> String {
    (0..count).fold(String::new(), |mut text, i| {
        let (lan, vrid) = (i % LANS, i / LANS + 1);
        let priority = priority.filter(|_| i == 0).unwrap_or(150);
        instance(&mut text, (lan, vrid), priority, &format!("10.{}.0.{vrid}", 100 + lan), "");
        text
    })
}

/// One instance with many addresses.
fn one(count: usize) -> String {
    let address = |i: usize| format!("10.100.{}.{}/16\n", 1 + i / 250, i % 250 + 1);
    let excluded: String = (1..count).map(address).collect();
    let mut text = String::new();
    let more = format!("virtual_ipaddress_excluded {{\n{excluded}}}\n");
    instance(&mut text, (0, 1), 150, "10.100.0.1", &more);
    text
}

fn instance(text: &mut String, (lan, vrid): (usize, usize), priority: u8, address: &str, more: &str) {
    let _ = write!(
        text,
        "vrrp_instance VI_{lan}_{vrid} {{\n interface eth{lan}\n virtual_router_id {vrid}\n version 3\n \
         priority {priority}\n advert_int {}\n virtual_ipaddress {{\n  {address}/16\n }}\n{more}}}\n",
        INTERVAL.as_secs_f64(),
    );
}

fn with_globals(text: &str) -> String {
    match number("REALTIME", 0) {
        0 => text.to_owned(),
        priority => {
            format!("global_defs {{\n vrrp_rt_priority {priority}\n vrrp_rlimit_rttime 9000000\n}}\n{text}")
        }
    }
}

/// A router that is master of everything.
struct Master {
    router: Router,
    daemon: Daemon,
    captures: Vec<Capture>,
    // Last, as they must outlive the router.
    _lans: Vec<Lan>,
}

impl Master {
    fn start(kind: Kind, text: &str) -> Self {
        let lans: Vec<Lan> = (0..LANS).map(|_| Lan::new()).collect();
        let router = Router::new();
        for (i, lan) in lans.iter().enumerate() {
            router.attach(lan, &format!("eth{i}"), &format!("10.{}.255.2/16", 100 + i));
        }
        let captures: Vec<Capture> = lans.iter().map(Lan::capture).collect();
        let daemon = router.start(kind, &with_globals(text));
        let instances = text.matches("vrrp_instance").count();
        let master = Self { router, daemon, captures, _lans: lans };
        wait_longer(Duration::from_secs(120), "the router is master of all", || {
            std::thread::sleep(WINDOW);
            let sent = master.sent(&master.marks(WINDOW));
            (sent.len() == instances && sent.values().all(|times| times.len() >= 5)).then_some(())
        });
        // What follows a takeover, such as the second round of gratuitous ARP, is none of it.
        std::thread::sleep(Duration::from_secs(8));
        master
    }

    /// Where the captures are after that time.
    fn marks(&self, after: Duration) -> Vec<usize> {
        let marks = self.captures.iter().map(Capture::mark).collect();
        std::thread::sleep(after);
        marks
    }

    /// When each instance has sent an advert since then.
    fn sent(&self, marks: &[usize]) -> BTreeMap<(usize, u8), Vec<Duration>> {
        let mut sent: BTreeMap<_, Vec<Duration>> = BTreeMap::new();
        for (lan, (capture, mark)) in self.captures.iter().zip(marks).enumerate() {
            for packet in capture.packets().into_iter().skip(*mark) {
                if let Packet::Advert(advert) = packet {
                    sent.entry((lan, advert.vrid)).or_default().push(advert.at);
                }
            }
        }
        sent
    }

    /// In ms, how late the latest advert is from now on, after `act`.
    fn worst(&self, act: impl FnOnce()) -> f64 {
        // One advert of each before the signal is needed.
        let marks = self.marks(INTERVAL * 2);
        act();
        std::thread::sleep(WINDOW);
        let late = |times: Vec<Duration>| {
            let gaps =
                times.windows(2).map(|pair| (pair[1] - pair[0]).as_secs_f64() - INTERVAL.as_secs_f64());
            gaps.fold(f64::MIN, f64::max)
        };
        let worst = self.sent(&marks).into_values().map(late).fold(f64::MIN, f64::max) * 1000.0;
        assert!(worst.is_finite(), "nothing was advertised:\n{}", self.daemon.log());
        worst
    }
}

/// Goes from one configuration to the other and back, and prints a line.
fn measure(kind: Kind, what: &str, text: &str, other: &str) {
    let master = Master::start(kind, text);
    let (mut reloads, mut quiet) = (Vec::new(), Vec::new());
    for round in 0..number("ROUNDS", 10) {
        quiet.push(master.worst(|| {}));
        master.router.write(CONFIG, &with_globals(if round % 2 == 0 { other } else { text }));
        let done = |daemon: &Daemon| daemon.log().matches("Reload complete").count();
        let before = done(&master.daemon);
        reloads.push(master.worst(|| master.daemon.signal(Signal::SIGHUP)));
        wait_until("the configuration is in effect", || done(&master.daemon) > before);
    }
    let ((median, worst), (calm, calm_worst)) = (summary(reloads), summary(quiet));
    println!(
        "{:<6} {what:<32}  {median:>6.2}   {worst:>6.2}     {calm:>6.2}   {calm_worst:>6.2}",
        format!("{kind:?}")
    );
}

/// Median and worst.
fn summary(mut values: Vec<f64>) -> (f64, f64) {
    values.sort_by(f64::total_cmp);
    (values[values.len() / 2], values[values.len() - 1])
}
