//! Routers that are not run for a while, ours next to stock's: how often two are master at once, and for how long.
//!
//! ```text
//! cargo bench --bench stall [-- master backup busy]
//! ```
//!
//! Without words all parts run. `master`: a master is stopped (SIGSTOP) for longer than its peer waits, with and without
//! preemption. `backup`: a backup is stopped again and again for twice its master-down time, while adverts wait unread.
//! `busy`: many instances beside busy processes, more of them than there are cores.
//!
//! Two are master at once while each of them sends adverts: a reign lasts from the first to the last of adverts that
//! follow one another, by the timestamps the kernel gives them as they enter the bridge.
//!
//! Environment: `INTERVAL` (100) of adverts in ms; `ROUNDS` (10) of the stops; `INSTANCES` (200), `BUSY` (16) processes and
//! `SECONDS` (20) of the last part; `KEEPALIVED_RS`, a binary to measure instead of this build's. Needs root and keepalived.

// Measuring is its purpose.
#![allow(clippy::disallowed_methods, unreachable_pub)]

#[path = "../../tests/netns/lab/mod.rs"]
mod lab;

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use lab::{Advert, Capture, Daemon, Kind, Lan, Router, wait_until};

const A: Ipv4Addr = Ipv4Addr::new(10, 7, 0, 2);
const B: Ipv4Addr = Ipv4Addr::new(10, 7, 0, 1);
/// Who is compared.
const KINDS: [Kind; 2] = [Kind::Ours, Kind::Stock];

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let wanted = |part: &str| words.is_empty() || words.iter().any(|word| word == part);
    println!("advert_int {} s, version 3; two masters: ms in all, and at worst", interval().as_secs_f64());
    println!("                                                 times   takeovers   two masters");
    if wanted("master") {
        for more in ["", "nopreempt"] {
            KINDS.into_iter().for_each(|kind| stopped_master(kind, more));
        }
    }
    if wanted("backup") {
        KINDS.into_iter().for_each(stopped_backup);
    }
    if wanted("busy") {
        KINDS.into_iter().for_each(busy);
    }
}

/// Between adverts.
fn interval() -> Duration {
    Duration::from_millis(number("INTERVAL", 100) as u64)
}

fn number(name: &str, default: usize) -> usize {
    std::env::var(name)
        .map_or(default, |n| n.parse().unwrap_or_else(|_| panic!("{name} is a number, not `{n}`")))
}

/// A line of the table: how often somebody was stopped, how often he took over afterwards though he should not have
/// (with preemption a master should), and the times with two masters.
fn line(what: &str, kind: Kind, times: usize, takeovers: usize, double: &[Duration]) {
    let ms = |time: Duration| time.as_secs_f64() * 1000.0;
    let worst = double.iter().max().copied().unwrap_or_default();
    println!(
        "{what:<40} {:<6} {times:>6}   {takeovers:>9}   {:>8.0} {:>7.0}",
        format!("{kind:?}"),
        ms(double.iter().sum()),
        ms(worst)
    );
}

/// Two routers of one make, A being master.
struct Pair {
    first: Daemon,
    second: Daemon,
    capture: Capture,
    _routers: (Router, Router),
    // Last, as it must outlive the routers.
    _lan: Lan,
}

impl Pair {
    fn new(kind: Kind, count: usize, more: &str) -> Self {
        let lan = Lan::new();
        let capture = lan.capture();
        let a = lan.router("eth0", &format!("{A}/24"));
        let b = lan.router("eth0", &format!("{B}/24"));
        let first = a.start(kind, &config(count, 150, more));
        wait_until("A is master of all", || {
            a.run("ip -o -4 addr show dev eth0").lines().count() == count + 1
        });
        let second = b.start(kind, &config(count, 100, more));
        second.wait_log(&format!("(VI_{count}) Entering BACKUP STATE"));
        Self { first, second, capture, _routers: (a, b), _lan: lan }
    }

    /// Waits until A alone has sent adverts for a while.
    fn wait_master_a(&self) {
        let mark = self.capture.mark();
        wait_until("A is the only master", || {
            let adverts = self.capture.adverts_since(mark, A);
            let since = adverts.iter().rev().nth(9).map(|a| a.at);
            since.is_some_and(|since| self.capture.adverts_since(mark, B).iter().all(|b| b.at < since))
        });
    }

    /// How long both were master of something since the mark, for each router that both were master of.
    fn double(&self, mark: usize) -> Vec<Duration> {
        let reigns = [A, B].map(|from| reigns(&self.capture.adverts_since(mark, from)));
        let [ours, theirs] = &reigns;
        let both = ours.iter().filter_map(|(vrid, ours)| Some((ours, theirs.get(vrid)?)));
        both.map(|(ours, theirs)| overlap(ours, theirs)).filter(|time| !time.is_zero()).collect()
    }
}

fn config(count: usize, priority: u8, more: &str) -> String {
    let instance = |n: usize| {
        format!(
            "vrrp_instance VI_{n} {{\n interface eth0\n virtual_router_id {n}\n version 3\n priority {priority}\n \
             advert_int {}\n garp_master_repeat 1\n {more}\n virtual_ipaddress {{\n 10.8.0.{n}/32\n }}\n}}\n",
            interval().as_secs_f64()
        )
    };
    (1..=count).map(instance).collect()
}

/// From when to when somebody was master.
type Reign = (Duration, Duration);

/// By virtual router, the reigns that these adverts are of.
fn reigns(adverts: &[Advert]) -> BTreeMap<u8, Vec<Reign>> {
    let mut all: BTreeMap<u8, Vec<Reign>> = BTreeMap::new();
    for advert in adverts.iter().filter(|advert| advert.priority > 0) {
        let reigns = all.entry(advert.vrid).or_default();
        match reigns.last_mut() {
            Some(last) if advert.at - last.1 < interval() * 5 / 2 => last.1 = advert.at,
            _ => reigns.push((advert.at, advert.at)),
        }
    }
    all
}

fn overlap(ours: &[Reign], theirs: &[Reign]) -> Duration {
    let both = |(from, to): &Reign, (since, until): &Reign| (*to.min(until)).saturating_sub(*from.max(since));
    ours.iter().map(|one| theirs.iter().map(|other| both(one, other)).sum::<Duration>()).sum()
}

fn stopped_master(kind: Kind, more: &str) {
    let rounds = number("ROUNDS", 10);
    let (mut takeovers, mut double) = (0, Vec::new());
    for _ in 0..rounds {
        let pair = Pair::new(kind, 1, more);
        pair.wait_master_a();
        pair.first.freeze();
        std::thread::sleep(interval() * 10);
        let mark = pair.capture.mark();
        pair.first.thaw();
        std::thread::sleep(interval() * 20);
        takeovers += usize::from(pair.capture.adverts_since(mark, A).iter().any(|a| a.priority > 0));
        double.extend(pair.double(mark));
    }
    let what = if more.is_empty() { "a master stopped for 1 s" } else { "the same, nopreempt" };
    line(what, kind, rounds, takeovers, &double);
}

fn stopped_backup(kind: Kind) {
    let rounds = number("ROUNDS", 10);
    let pair = Pair::new(kind, 1, "");
    let (mut takeovers, mut double) = (0, Vec::new());
    for _ in 0..rounds {
        pair.wait_master_a();
        let mark = pair.capture.mark();
        pair.second.freeze();
        // Twice its master-down time.
        std::thread::sleep(interval() * 72 / 10);
        pair.second.thaw();
        std::thread::sleep(interval() * 10);
        takeovers += usize::from(pair.capture.adverts_since(mark, B).iter().any(|a| a.priority > 0));
        double.extend(pair.double(mark));
    }
    line("a backup stopped for 0.72 s", kind, rounds, takeovers, &double);
}

/// Processes that do nothing but keep cores busy, all in one session. They end when dropped.
struct Busy(Child);

impl Busy {
    fn new(count: usize) -> Self {
        let mut command = Command::new("setsid");
        let script = format!("for i in $(seq {count}); do while :; do :; done & done; read end; kill 0");
        command.args(["bash", "-c", &script]).stdin(Stdio::piped());
        Self(command.spawn().expect("run setsid"))
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        // The end of its input ends them.
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

fn busy(kind: Kind) {
    let (count, seconds) = (number("INSTANCES", 200).min(250), number("SECONDS", 20));
    let pair = Pair::new(kind, count, "");
    pair.wait_master_a();
    let mark = pair.capture.mark();
    let crowd = number("BUSY", 16);
    let processes = Busy::new(crowd);
    std::thread::sleep(Duration::from_secs(seconds as u64));
    drop(processes);
    let takeovers = reigns(&pair.capture.adverts_since(mark, B)).values().map(Vec::len).sum();
    let what = format!("{count} instances, {crowd} busy processes, {seconds} s");
    line(&what, kind, 1, takeovers, &pair.double(mark));
}
