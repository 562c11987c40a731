//! How soon a new master speaks, ours against stock's, in one run and in turns.
//!
//! ```text
//! cargo bench --bench failover
//! ```
//!
//! A pair of routers of each make runs on a LAN of its own (see `tests/netns/lab`). In each round the master of
//! one pair is killed or stopped, then that of the other. What is measured is the time from the moment at which
//! the protocol lets the backup become master (last advert + master-down time, or priority-0 advert + skew time)
//! to its first advert and to its first gratuitous ARP, all by the timestamps the kernel gives the frames as they
//! enter the bridge. Then the proportional share of memory (PSS) of one idle instance.
//!
//! Environment: `ROUNDS` (15) of the variants with an advert each 0.1 s, `SLOW_ROUNDS` (5) of those with one each
//! second; `KEEPALIVED_RS`, a binary to measure instead of this build's; `SUBJECT=stock`, to compare stock with
//! itself. Needs root and keepalived.

// Measuring is its purpose.
#![allow(clippy::disallowed_methods, unreachable_pub)]

#[path = "../../tests/netns/lab/mod.rs"]
mod lab;

use std::net::Ipv4Addr;
use std::time::Duration;

use lab::{Advert, Capture, Daemon, Kind, Lan, Router, wait_until};

const A: Ipv4Addr = Ipv4Addr::new(10, 7, 0, 2);
const B: Ipv4Addr = Ipv4Addr::new(10, 7, 0, 1);
const MAC_B: [u8; 6] = [2, 0, 0, 0, 0, 1];
/// Priority of the backup, which its skew time is made of.
const PRIORITY: u32 = 100;

/// How the adverts go.
#[derive(Clone, Copy, Debug)]
struct Wire {
    version: u8,
    interval: Duration,
}

/// How the master ends.
#[derive(Clone, Copy, Debug)]
enum End {
    Crash,
    Stop,
}

/// What one round shows.
#[derive(Clone, Copy, Debug)]
struct Sample {
    advert: f64,
    arp: f64,
}

fn main() {
    let subject = std::env::var("SUBJECT").map_or(Kind::Ours, |kind| Kind::parse(&kind));
    let kinds = [subject, Kind::Stock];
    let fast = Wire { version: 3, interval: Duration::from_millis(100) };
    let slow = Wire { version: 2, interval: Duration::from_secs(1) };
    println!("milliseconds from the end of the protocol's timer to the new master's first");
    println!("                              advert                  gratuitous ARP");
    println!("                        n     median  worst           median  worst");
    for (wire, rounds) in [(fast, number("ROUNDS", 15)), (slow, number("SLOW_ROUNDS", 5))] {
        let mut pairs = kinds.map(|kind| Pair::new(kind, wire));
        for end in [End::Crash, End::Stop] {
            let mut samples = [Vec::new(), Vec::new()];
            for _ in 0..rounds {
                for (pair, samples) in pairs.iter_mut().zip(&mut samples) {
                    samples.push(pair.round(end));
                }
            }
            report(wire, end, kinds, &samples);
        }
    }
    memory(kinds);
}

fn number(name: &str, default: usize) -> usize {
    std::env::var(name)
        .map_or(default, |n| n.parse().unwrap_or_else(|_| panic!("{name} is a number, not `{n}`")))
}

/// Two routers of one make. The higher one's daemon is started anew in each round.
#[derive(Debug)]
struct Pair {
    kind: Kind,
    wire: Wire,
    a: Router,
    b: Router,
    _backup: Daemon,
    capture: Capture,
    // Last, as it must outlive the routers.
    _lan: Lan,
}

impl Pair {
    fn new(kind: Kind, wire: Wire) -> Self {
        let lan = Lan::new();
        let capture = lan.capture();
        let a = lan.router("eth0", &format!("{A}/24"));
        let b = lan.router("eth0", &format!("{B}/24"));
        let backup = b.start(kind, &config(wire, PRIORITY));
        Self { kind, wire, a, b, _backup: backup, capture, _lan: lan }
    }

    /// Lets A become master and end, and measures B.
    fn round(&mut self, end: End) -> Sample {
        let mark = self.capture.mark();
        let master = self.a.start(self.kind, &config(self.wire, 150));
        wait_until("A is the only master", || {
            let adverts = self.capture.adverts_since(mark, A);
            let since = adverts.iter().rev().nth(4).map(|a| a.at);
            since.is_some_and(|since| self.capture.adverts_since(mark, B).iter().all(|b| b.at < since))
        });
        assert!(!self.b.has(Ipv4Addr::new(10, 7, 0, 100)), "the backup has left the address");
        let mark = self.capture.mark();
        match end {
            End::Crash => master.crash(),
            End::Stop => master.signal(nix::sys::signal::Signal::SIGTERM),
        }
        wait_until("the new master has announced itself", || {
            !self.capture.adverts_since(mark, B).is_empty()
                && !self.capture.garps_since(mark, MAC_B).is_empty()
        });
        let last = self.capture.adverts(A).pop().expect("A was master");
        let due = last.at + self.wire.wait_after(&last);
        let late = |at: Duration| (at.as_secs_f64() - due.as_secs_f64()) * 1000.0;
        if matches!(end, End::Stop) {
            assert_eq!(last.priority, 0, "the master resigns");
            master.wait();
        }
        Sample {
            advert: late(self.capture.adverts_since(mark, B)[0].at),
            arp: late(self.capture.garps_since(mark, MAC_B)[0].at),
        }
    }
}

impl Wire {
    /// How long a backup waits after this advert: RFC 9568 section 6.1, and RFC 3768 section 6.1 for version 2.
    fn wait_after(self, last: &Advert) -> Duration {
        let skew = match self.version {
            2 => Duration::from_secs(1),
            _ => self.interval,
        } * (256 - PRIORITY)
            / 256;
        if last.priority == 0 { skew } else { self.interval * 3 + skew }
    }
}

fn config(wire: Wire, priority: u32) -> String {
    format!(
        "vrrp_instance VI_1 {{\n interface eth0\n virtual_router_id 51\n version {}\n priority {priority}\n \
         advert_int {}\n virtual_ipaddress {{\n 10.7.0.100/24\n }}\n}}\n",
        wire.version,
        wire.interval.as_secs_f64()
    )
}

fn report(wire: Wire, end: End, kinds: [Kind; 2], samples: &[Vec<Sample>; 2]) {
    println!("v{}, {:?} s, {end:?}", wire.version, wire.interval.as_secs_f64());
    let advert = |s: &Sample| s.advert;
    let arp = |s: &Sample| s.arp;
    for (kind, samples) in kinds.iter().zip(samples) {
        let ((advert, worst_advert), (arp, worst_arp)) = (summary(samples, advert), summary(samples, arp));
        println!(
            "    {:<18} {:>4}   {advert:>7.3} {worst_advert:>7.3}         {arp:>7.3} {worst_arp:>7.3}",
            format!("{kind:?}"),
            samples.len()
        );
    }
    let [ours, stock] = samples;
    let ratio = |of: fn(&Sample) -> f64| summary(ours, of).0 / summary(stock, of).0;
    println!(
        "    ratio of medians         {:>7.2}                 {:>7.2}",
        ratio(|s| s.advert),
        ratio(|s| s.arp)
    );
}

/// Median and worst.
fn summary(samples: &[Sample], of: impl Fn(&Sample) -> f64) -> (f64, f64) {
    let mut values: Vec<f64> = samples.iter().map(of).collect();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    let median =
        if values.len() % 2 == 1 { values[middle] } else { (values[middle - 1] + values[middle]) / 2.0 };
    (median, values[values.len() - 1])
}

fn memory(kinds: [Kind; 2]) {
    println!("memory of one idle instance, PSS of all processes");
    let shares = kinds.map(|kind| {
        let lan = Lan::new();
        let capture = lan.capture();
        let router = lan.router("eth0", &format!("{B}/24"));
        let daemon =
            router.start(kind, &config(Wire { version: 3, interval: Duration::from_millis(100) }, 100));
        wait_until("the router is master", || capture.adverts(B).len() >= 20);
        let (share, processes) = (daemon.pss(), daemon.processes().len());
        println!("    {:<18} {share:>6} KiB in {processes} process(es)", format!("{kind:?}"));
        share as f64
    });
    println!("    ratio              {:>6.2}", shares[0] / shares[1]);
}
