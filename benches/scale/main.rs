//! Many virtual routers, many addresses, many foreign packets: ours against stock's, in one run.
//!
//! ```text
//! cargo bench --bench scale [-- crash cpu many-addresses flood vmacs]
//! ```
//!
//! Without words all parts run. Times are taken from the timestamps the kernel gives the frames as they enter the
//! bridges; processor time from `/proc`, of all processes of a daemon together.
//!
//! Environment: `INSTANCES` (1000), on 16 LANs; `ROUNDS` (3) of crashes and stops; `SECONDS` (10) of processor time;
//! `ADDRESSES` (2000); `ONLY` (`ours` or `stock`, where the other one cannot cope); `KEEPALIVED_RS`, a binary to measure
//! instead of this build's. Needs root and keepalived.

// Measuring is its purpose.
#![allow(clippy::disallowed_methods, unreachable_pub)]

mod fleet;
mod flood;
#[path = "../../tests/netns/lab/mod.rs"]
mod lab;
mod vmacs;

use std::time::{Duration, Instant};

use fleet::{Fleet, Late};
use lab::Kind;

/// Who is compared.
fn kinds() -> Vec<Kind> {
    match std::env::var("ONLY").as_deref() {
        Ok("ours") => vec![Kind::Ours],
        Ok("stock") => vec![Kind::Stock],
        Ok(other) => panic!("ONLY is ours or stock, not `{other}`"),
        Err(_) => vec![Kind::Ours, Kind::Stock],
    }
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let wanted = |part: &str| words.is_empty() || words.iter().any(|word| word == part);
    if wanted("crash") {
        crash();
    }
    if wanted("cpu") {
        for interval in [Duration::from_secs(1), Duration::from_millis(100)] {
            cpu(interval);
        }
    }
    if wanted("many-addresses") {
        many_addresses();
    }
    if wanted("flood") {
        flood::run(&kinds());
    }
    if wanted("vmacs") {
        vmacs::run(kinds());
    }
}

fn number(name: &str, default: usize) -> usize {
    std::env::var(name)
        .map_or(default, |n| n.parse().unwrap_or_else(|_| panic!("{name} is a number, not `{n}`")))
}

/// All masters die, then all are stopped.
fn crash() {
    let count = number("INSTANCES", 1000);
    println!(
        "{count} instances on {} LANs, advert_int 1, version 3; ms from the end of each one's timer",
        fleet::LANS
    );
    println!("              first advert of the new master    its first gratuitous ARP      stop of all");
    println!("                   median    worst                 median    worst");
    for kind in kinds() {
        let fleet = Fleet::new(kind, Duration::from_secs(1), count);
        let (mut late, mut stops) = (Vec::new(), Vec::new());
        for _ in 0..number("ROUNDS", 3) {
            let master = fleet.start_master();
            late.extend(fleet.take_over(|| master.crash()));
            let master = fleet.start_master();
            let begin = Instant::now();
            master.stop();
            stops.push(begin.elapsed().as_secs_f64() * 1000.0);
        }
        let advert = summary(late.iter().map(|l: &Late| l.advert).collect());
        let arp = summary(late.iter().map(|l: &Late| l.arp).collect());
        println!(
            "    {:<10}   {:>8.2} {:>8.2}               {:>8.2} {:>8.2}              {:>8.1} ms",
            format!("{kind:?}"),
            advert.0,
            advert.1,
            arp.0,
            arp.1,
            summary(stops).0
        );
    }
}

/// A pair of routers that have nothing to do but their adverts.
fn cpu(interval: Duration) {
    let (count, time) = (number("INSTANCES", 1000), Duration::from_secs(number("SECONDS", 10) as u64));
    println!(
        "{count} instances, advert_int {}: processor time in % of one, and memory (PSS)",
        interval.as_secs_f64()
    );
    println!("                    master    backup        master            backup");
    for kind in kinds() {
        let mut fleet = Fleet::new(kind, interval, count);
        let master = fleet.start_master();
        fleet.stop_capturing();
        let daemons = [&master, &fleet.backup];
        let before = daemons.map(fleet::ticks);
        std::thread::sleep(time);
        let used = [0, 1].map(|i| {
            (fleet::ticks(daemons[i]) - before[i]) as f64 / fleet::TICKS_PER_SECOND / time.as_secs_f64()
                * 100.0
        });
        println!(
            "    {:<10}     {:>6.2}    {:>6.2}       {:>6} KiB        {:>6} KiB",
            format!("{kind:?}"),
            used[0],
            used[1],
            master.pss(),
            fleet.backup.pss()
        );
    }
}

/// One instance with many addresses.
fn many_addresses() {
    let count = number("ADDRESSES", 2000);
    println!("one instance with {count} excluded addresses; ms from the end of its timer to the ARP of");
    println!("                  the first     the last");
    for kind in kinds() {
        let fleet = Fleet::of_addresses(kind, Duration::from_secs(1), count);
        let (mut first, mut last) = (Vec::new(), Vec::new());
        for _ in 0..number("ROUNDS", 3) {
            let master = fleet.start_master();
            let late = fleet.take_over(|| master.crash());
            let of_arps = summary(late.iter().map(|l| l.arp).collect());
            first.push(late.iter().map(|l| l.arp).fold(f64::MAX, f64::min));
            last.push(of_arps.1);
        }
        println!(
            "    {:<10}     {:>8.2}     {:>8.2}",
            format!("{kind:?}"),
            summary(first).0,
            summary(last).0
        );
    }
}

/// Median and worst.
fn summary(mut values: Vec<f64>) -> (f64, f64) {
    values.sort_by(f64::total_cmp);
    (values[values.len() / 2], values[values.len() - 1])
}
