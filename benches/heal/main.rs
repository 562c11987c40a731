//! How soon a master puts back what somebody else has removed or changed, ours only: stock gives up mastership instead.
//!
//! ```text
//! cargo bench --bench heal
//! ```
//!
//! `ip monitor` says what came and went, with timestamps of when it heard of it: from the report of the damage to that of
//! the restoration. Entries of nftables are looked for in a loop, which adds the time that `nft list` takes. Before each
//! round is a pause long enough for the daemon not to take it for a fight, in which it would wait on purpose.
//!
//! Environment: `ROUNDS` (20); `PAUSE` (11) in seconds; all kinds of damage are done in each round. `KEEPALIVED_RS`, a binary to measure instead of this build's. Needs root, nftables and keepalived.

// Measuring is its purpose.
#![allow(clippy::disallowed_methods, unreachable_pub)]

#[path = "../../tests/netns/lab/mod.rs"]
mod lab;

use std::collections::BTreeMap;
use std::process::{Child, Stdio};
use std::time::Duration;

use lab::{Kind, Lan, Router, wait_until};

/// What is done, what its report holds, and what that of the restoration holds, apart from the removal's.
const DAMAGE: [Damage; 6] = [
    Damage {
        what: "address removed",
        by: "ip addr del 10.7.0.101/24 dev eth0",
        lost: &["Deleted", "10.7.0.101/24"],
        back: &["inet 10.7.0.101/24"],
    },
    Damage {
        what: "route removed",
        by: "ip route del 192.0.2.0/24",
        lost: &["Deleted", "192.0.2.0/24"],
        back: &["192.0.2.0/24 "],
    },
    Damage {
        what: "rule removed",
        by: "ip rule del priority 7000",
        lost: &["Deleted", "7000:"],
        back: &["7000:"],
    },
    Damage {
        what: "macvlan removed",
        by: "ip link del vrrp.51",
        lost: &["Deleted", "vrrp.51@", "link/ether"],
        back: &["10.7.0.100/24"],
    },
    Damage {
        what: "macvlan's mode changed",
        by: "ip link set vrrp.52 type macvlan mode bridge",
        lost: &["vrrp.52@", "mode bridge"],
        back: &["vrrp.52@", "mode private"],
    },
    Damage {
        what: "macvlan renamed",
        by: "ip link set vrrp.53 name renamed",
        lost: &[" renamed@"],
        back: &[" vrrp.53@"],
    },
];

/// Where the reports are in the router.
const EVENTS: &str = "/tmp/events";

/// Something that somebody else does.
struct Damage {
    what: &'static str,
    by: &'static str,
    lost: &'static [&'static str],
    back: &'static [&'static str],
}

fn main() {
    let lan = Lan::new();
    let router = lan.router("eth0", "10.7.0.2/24");
    let daemon = router.start(Kind::Ours, &config());
    wait_until("it is master of all", || {
        let addresses = router.run("ip -o addr show");
        (100..104).all(|last| addresses.contains(&format!(" 10.7.0.{last}/24")))
    });
    wait_until("its routes are there", || router.run("ip route").contains("192.0.2.0/24"));
    let mut monitor = watch(&router);
    let pause = Duration::from_secs(number("PAUSE", 11));
    let mut samples: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for _ in 0..number("ROUNDS", 20) {
        std::thread::sleep(pause);
        for damage in &DAMAGE {
            samples.entry(damage.what).or_default().push(round(&router, damage));
        }
        samples.entry("entries of nftables flushed").or_default().push(filter(&router));
    }
    println!("ms from the report of the damage to that of the restoration");
    println!("                                     n    median     worst");
    for (what, mut times) in samples {
        times.sort_by(f64::total_cmp);
        let (count, median, worst) = (times.len(), times[times.len() / 2], times[times.len() - 1]);
        println!("    {what:<30} {count:>4}  {median:>8.2}  {worst:>8.2}");
    }
    let _ = monitor.kill();
    let _ = monitor.wait();
    let log = daemon.log();
    assert!(!log.contains("Entering FAULT"), "it has not stayed master:\n{log}");
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name)
        .map_or(default, |n| n.parse().unwrap_or_else(|_| panic!("{name} is a number, not `{n}`")))
}

fn config() -> String {
    let instance = |vrid: u8, last: u8, more: &str| {
        format!(
            "vrrp_instance V{vrid} {{\n interface eth0\n virtual_router_id {vrid}\n version 3\n priority 100\n \
             advert_int 0.1\n virtual_ipaddress {{\n 10.7.0.{last}/24\n }}\n {more}\n}}\n"
        )
    };
    let items = "virtual_routes {\n 192.0.2.0/24 via 10.7.0.1 dev eth0\n }\n virtual_rules {\n from 192.0.2.7 table 7 \
                 priority 7000\n }";
    [
        instance(51, 100, "use_vmac\n no_accept"),
        instance(50, 101, items),
        instance(52, 102, "use_vmac"),
        instance(53, 103, "use_vmac"),
    ]
    .concat()
}

/// What `ip monitor` has written so far. It ends with the router's namespaces.
fn events(router: &Router) -> String {
    std::fs::read_to_string(router.path(EVENTS)).unwrap_or_default()
}

fn watch(router: &Router) -> Child {
    let mut shell = router.namespace().command("sh");
    let monitor = "exec stdbuf -oL ip -d -o -ts monitor link address route rule";
    shell.args(["-c", &format!("{monitor} > {EVENTS} 2> /dev/null")]);
    let child = shell.stdin(Stdio::null()).spawn().expect("run a shell");
    let mut mtu = 60_000;
    // What it tells of this shows that it listens.
    wait_until("the monitor listens", || {
        mtu += 1;
        router.run(&format!("ip link set lo mtu {mtu}"));
        events(router).contains(&format!("mtu {mtu}"))
    });
    child
}

fn round(router: &Router, damage: &Damage) -> f64 {
    let before = events(router).len();
    router.run(damage.by);
    let mut found = None;
    wait_until(&format!("{} is mended", damage.what), || {
        found = times(events(router).get(before..).unwrap_or_default(), damage);
        found.is_some()
    });
    found.unwrap_or_default()
}

/// Milliseconds between the two reports.
fn times(text: &str, damage: &Damage) -> Option<f64> {
    let has = |line: &str, all: &[&str]| all.iter().all(|part| line.contains(part));
    let mut lines = text.lines();
    let lost = time(lines.find(|line| has(line, damage.lost))?)?;
    let back = time(lines.find(|line| has(line, damage.back) && !line.contains("Deleted"))?)?;
    Some((back - lost) * 1000.0)
}

/// The time of day in `[2026-11-21T20:30:00.123456] …`, in seconds. A round at midnight is out of luck.
fn time(line: &str) -> Option<f64> {
    let clock = line.split(['T', ']']).nth(1)?;
    clock.split(':').try_fold(0.0, |sum, part| Some(sum * 60.0 + part.parse::<f64>().ok()?))
}

/// The whole filter is flushed; from there to the return of its last element, by one loop in the router that looks as
/// fast as it can.
fn filter(router: &Router) -> f64 {
    let script = "nft flush ruleset; begin=$(date +%s%N)
        until nft list ruleset 2> /dev/null | grep -q 'elements = { 10.7.0.100 }'; do :; done
        echo $(( $(date +%s%N) - begin ))";
    let nanos: f64 = router.run(script).trim().parse().expect("a number of nanoseconds");
    nanos / 1e6
}
