//! Many VMACs on few interfaces: made, held, taken away.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use crate::lab::{Daemon, Kind, Lan, Router, wait_longer};
use crate::{fleet, number, summary};

/// How long the slower daemon may take.
const PATIENCE: Duration = Duration::from_secs(300);
/// How exactly times are known.
const LOOK: Duration = Duration::from_millis(10);
/// 224.0.0.18, as `/proc/net/igmp` writes it on a machine whose bytes come lowest first.
const GROUP: &str = "120000E0";

/// One router: from its start to the last VMAC that listens, to the last address; memory; the stop.
pub fn run(kinds: Vec<Kind>) {
    let count = number("INSTANCES", 1000);
    println!(
        "{count} instances with VMACs on {} interfaces; s from the start of the daemon until",
        fleet::LANS
    );
    println!("                 all VMACs listen    all are masters      memory (PSS)   stop of all");
    for kind in kinds {
        let (mut listen, mut masters, mut stops, mut memory) =
            (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for _ in 0..number("ROUNDS", 3) {
            let lans: Vec<Lan> = (0..fleet::LANS).map(|_| Lan::new()).collect();
            let router = Router::new();
            for (i, lan) in lans.iter().enumerate() {
                router.attach(lan, &format!("eth{i}"), &format!("10.{}.255.2/16", 100 + i));
            }
            let begin = Instant::now();
            let daemon = router.start(kind, &config(count));
            listen.push(until(begin, "all VMACs listen", || listening(&daemon) >= count));
            masters.push(until(begin, "all are masters", || addresses(&daemon) >= count));
            memory.push(daemon.pss() as f64);
            let begin = Instant::now();
            daemon.stop();
            stops.push(begin.elapsed().as_secs_f64());
        }
        println!(
            "    {:<10}     {:>8.2}            {:>8.2}         {:>8.0} KiB      {:>7.2} s",
            format!("{kind:?}"),
            summary(listen).0,
            summary(masters).0,
            summary(memory).0,
            summary(stops).0
        );
    }
}

fn config(count: usize) -> String {
    let mut text = String::new();
    for i in 0..count {
        let (lan, vrid) = (i % fleet::LANS, i / fleet::LANS + 1);
        let _ = write!(
            text,
            "vrrp_instance VI_{lan}_{vrid} {{\n interface eth{lan}\n virtual_router_id {vrid}\n use_vmac\n version 3\n \
             priority 100\n advert_int 1\n virtual_ipaddress {{\n  10.{}.0.{vrid}/16\n }}\n}}\n",
            100 + lan
        );
    }
    text
}

/// Seconds since `begin` when `what` has come true.
fn until(begin: Instant, what: &str, mut is_so: impl FnMut() -> bool) -> f64 {
    wait_longer(PATIENCE, what, || {
        std::thread::sleep(LOOK);
        is_so().then_some(())
    });
    begin.elapsed().as_secs_f64()
}

/// A table of the daemon's network namespace.
fn table(daemon: &Daemon, name: &str) -> String {
    let pid = daemon.processes().first().copied().unwrap_or_default();
    std::fs::read_to_string(format!("/proc/{pid}/net/{name}")).unwrap_or_default()
}

/// How many VMACs are members of the group of VRRP.
fn listening(daemon: &Daemon) -> usize {
    let mut on_vmac = false;
    let is_member = |line: &&str| {
        if !line.starts_with('\t') {
            on_vmac = line.contains("vrrp");
        }
        on_vmac && line.contains(GROUP)
    };
    table(daemon, "igmp").lines().filter(is_member).count()
}

/// How many of the virtual addresses there are: each has a route of its own in the table of local ones.
fn addresses(daemon: &Daemon) -> usize {
    let trie = table(daemon, "fib_trie");
    let is_virtual = |line: &str| {
        line.trim_start()
            .strip_prefix("|-- 10.")
            .is_some_and(|ip| ip.split('.').nth(1) == Some("0") && !ip.ends_with(".0"))
    };
    let local = trie.split("Local:").nth(1).unwrap_or(&trie);
    local.lines().filter(|line| is_virtual(line)).count()
}
