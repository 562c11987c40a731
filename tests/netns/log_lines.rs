//! The log of a life, next to stock's: the same things happen to both, and whatever stock says, ours says at the same
//! moment, in the same order and the same words, behind which it may give a cause. What differs is listed in
//! [`DIFFERENCES`]; an entry that nothing matches any more fails.

use std::net::Ipv4Addr;

use nix::sys::signal::Signal;

use crate::lab::{Daemon, Kind, Router, checksum, inject, wait_until};
use crate::support::{A, GROUP, Two, config, subject};

/// Where crafted adverts come from: a higher address than A's.
const PEER: Ipv4Addr = Ipv4Addr::new(10, 7, 0, 66);

/// Lines of stock that ours does not have: at which moment (empty: at any), how they begin, and why.
const DIFFERENCES: &[(&str, &str, &str)] = &[
    ("", "NOTICE: setting config option max_auto_priority", "VRRP has a thread that nothing else delays"),
    ("", "Starting VRRP child process", "there is one process"),
    ("", "VRRP sockpool", "it numbers stock's descriptors"),
    ("", "Script user 'keepalived_script' does not exist", "nobody has asked for that user"),
    (STARTS, "(VI_1) removing Virtual Routes", "said after the state: it is the state that wants it"),
    (STARTS, "(VI_1) removing VIPs.", "said after the state: it is the state that wants it"),
    (OWN_DOWN, "Netlink: error: No such process", "the route went with its interface, which ours knows"),
    (OWN_DOWN, "(VI_1) sent 0 priority", "it could not be sent, as the line before says"),
    (RELOAD, "Reloading", "there is one process, which has said it"),
    (RELOAD, "Assigned address", "nothing has been assigned"),
    (RELOAD, "(VI_1) setting", "what is there is not set again"),
    (STOP, "Stopped - used", "there is one process, whose last line says it"),
];

const STARTS: &str = "it starts";
const OWN_DOWN: &str = "its own interface goes down";
const RELOAD: &str = "reload with another priority";
const STOP: &str = "stop";

/// What is said of the process, the configuration and the interfaces: stock has several processes, whose lines are in no
/// particular order.
const UNORDERED: &[&str] = &[
    "Starting Keepalived",
    "Running on",
    "Command line",
    "Opening file",
    "Configuration file",
    "Printing parent",
    "Startup complete",
    "Reloading ...",
    "Reload complete",
    "Stopping",
    "Stopped Keepalived",
    "CPU usage",
    "SECURITY VIOLATION",
    "VRRP_Script(wanted)",
    "Registering",
    "Assigned address",
    "Deassigned address",
];

/// What was logged, moment by moment.
type Moments = Vec<(&'static str, Vec<String>)>;

/// A daemon that things happen to.
struct Life {
    two: Two,
    peer: Router,
    daemon: Daemon,
    /// How much of its log belongs to the moments so far.
    seen: usize,
    moments: Moments,
}

impl Life {
    fn new(kind: Kind) -> Self {
        let two = Two::new();
        let peer = two.lan.router("eth0", &format!("{PEER}/24"));
        two.a.run("ip link add side0 type veth peer name side1; ip link set side0 up; ip link set side1 up");
        for name in ["needed", "wanted"] {
            two.a.write_script(&format!("/etc/keepalived/{name}.sh"), &format!("! test -e /run/{name}"));
        }
        let daemon = two.a.start(kind, &text(100));
        Self { two, peer, daemon, seen: 0, moments: Vec::new() }
    }

    /// A moment is over when `last` has been logged `times` times since it began.
    #[track_caller]
    fn until(&mut self, moment: &'static str, last: &str, times: usize) {
        let daemon = &self.daemon;
        let since = |seen: usize| daemon.log().get(seen..).unwrap_or_default().to_owned();
        wait_until(&format!("`{last}` is logged {times} times: {moment}"), || {
            since(self.seen).lines().filter(|line| line.contains(last)).count() >= times
        });
        // What is said together.
        std::thread::sleep(std::time::Duration::from_millis(150));
        let log = since(self.seen);
        self.seen += log.len();
        // The machine may be busy.
        let lines = log.lines().map(reduced).filter(|line| !line.starts_with("A thread timer expired"));
        self.moments.push((moment, lines.collect()));
    }

    /// The peer says that it is master with this priority.
    fn hear(&self, priority: u8) {
        self.hear_spoilt(priority, 255, |_| (), |_| ());
    }

    /// As [`hear`](Self::hear), with something wrong: before the checksum is made, or after.
    fn hear_spoilt(&self, priority: u8, ttl: u32, spoil: fn(&mut Vec<u8>), spoil_after: fn(&mut Vec<u8>)) {
        let heard = self.two.wait_adverts(0, A, 1);
        let mut message = heard[0].message().to_vec();
        message[2] = priority;
        spoil(&mut message);
        message[6..8].fill(0);
        let sum = checksum(&[&message]);
        message[6..8].copy_from_slice(&sum.to_be_bytes());
        spoil_after(&mut message);
        inject(&self.peer, PEER, GROUP, ttl, &message);
    }
}

fn text(priority: u8) -> String {
    let script = |name: &str, weight: &str| {
        format!("vrrp_script {name} {{\n script /etc/keepalived/{name}.sh\n interval 1\n {weight}\n}}\n")
    };
    let instance = config(
        2,
        priority,
        "garp_master_delay 1\n garp_master_repeat 1\n garp_lower_prio_repeat 1\n garp_lower_prio_delay 0\n \
         track_script {\n needed\n wanted\n }\n \
         track_interface {\n side0\n }\n virtual_routes {\n 10.99.0.0/16 via 10.7.0.1 dev eth0\n }",
    );
    [
        "global_defs {\n log_unknown_vrids\n}\n".to_owned(),
        script("needed", ""),
        script("wanted", "weight -7"),
        instance,
    ]
    .concat()
}

/// A line without its time, and without what differs from run to run or from stock by design: versions, process ids,
/// times, addresses made up by the kernel, and where an advert came from, which stock says from 2.4 on.
fn reduced(line: &str) -> String {
    // `Sat Nov 21 08:32:24 2026: `
    let text = line.get(26..).filter(|_| line.get(24..26) == Some(": ")).unwrap_or(line);
    for start in
        ["Starting Keepalived v", "Running on Linux ", "Command line: '", "CPU usage (self/children) user: "]
            .into_iter()
            .chain(["Stopped Keepalived v", "Deassigned address fe80::", "Assigned address fe80::"])
    {
        if text.starts_with(start) {
            return start.to_owned();
        }
    }
    let text = match text.find(" data for process(").or_else(|| text.find(" stats for process(")) {
        Some(place) => &text[..place],
        None => text,
    };
    [" from 10.7.0.66", " with 10.7.0.66"].iter().fold(text.to_owned(), |text, source| match text {
        text if text.contains("advert from") => text,
        text => text.replacen(source, "", 1),
    })
}

/// All that happens, in its order.
fn life(kind: Kind) -> Moments {
    let mut life = Life::new(kind);
    let announced = "Sending gratuitous ARP on eth0 for";
    life.until(STARTS, announced, 4);
    life.hear(50);
    life.until("a lower priority is heard", announced, 2);
    life.hear(200);
    life.until("a higher priority is heard, and then nothing", announced, 4);
    life.hear(200);
    life.until("a higher priority is heard", "removing VIPs", 1);
    life.hear(0);
    life.until("the other one resigns", announced, 4);
    life.hear(0);
    life.until("a resigning master is heard", "priority 0", 1);
    life.hear_spoilt(200, 255, |m| *m.last_mut().unwrap() ^= 1, |_| ());
    life.until("a wrong password", "passwd", 1);
    life.hear_spoilt(200, 254, |_| (), |_| ());
    life.until("a wrong TTL", "TTL", 1);
    life.hear_spoilt(200, 255, |m| m[4] = 0, |_| ());
    life.until("no authentication", "auth", 1);
    life.hear_spoilt(200, 255, |m| m[5] = 3, |_| ());
    life.until("another interval", "interval", 1);
    life.hear_spoilt(200, 255, |m| m[0] = 0x22, |_| ());
    life.until("another type", "type", 1);
    life.hear_spoilt(200, 255, |_| (), |m| m[7] ^= 0x40);
    life.until("a wrong checksum", "checksum", 1);
    life.hear_spoilt(200, 255, |m| m[1] ^= 1, |_| ());
    life.until("an unknown virtual router", "VRID", 1);
    life.hear_spoilt(200, 255, |_| (), |m| m.truncate(18));
    life.until("too short", "too short", 1);
    life.two.a.run(
        "ip link add other0 type veth peer name other1; ip link set other0 up; ip link set other1 up
         ip addr add 10.8.0.1/24 dev other0; ip link del other0; ip addr add 10.7.0.77/24 dev eth0
         ip addr del 10.7.0.77/24 dev eth0",
    );
    life.two.a.write("/run/wanted", "");
    life.until(
        "a foreign interface comes and goes, and a script with a weight fails",
        "Changing effective priority",
        1,
    );
    std::fs::remove_file(life.two.a.path("/run/wanted")).unwrap();
    life.until("it succeeds again", "Changing effective priority", 1);
    life.two.a.write("/run/needed", "");
    life.until("a script that is needed fails", "removing VIPs", 1);
    std::fs::remove_file(life.two.a.path("/run/needed")).unwrap();
    life.until("that succeeds again", announced, 4);
    life.two.a.run("ip link set side0 down");
    life.until("a tracked interface goes down", "removing VIPs", 1);
    life.two.a.run("ip link set side0 up");
    life.until("it comes up again", announced, 4);
    life.two.a.run("ip link set eth0 down");
    life.until(OWN_DOWN, "Deassigned address", 1);
    life.two.a.run("ip link set eth0 up");
    life.until("that comes up again", announced, 4);
    life.two.a.write("/etc/keepalived/keepalived.conf", &text(90));
    life.daemon.signal(Signal::SIGHUP);
    life.until(RELOAD, "Reload", 2);
    life.daemon.signal(Signal::SIGUSR1);
    life.until("a dump", "Printing VRRP data", 1);
    life.daemon.signal(Signal::SIGUSR2);
    life.until("statistics", "Printing VRRP stats", 1);
    life.daemon.signal(Signal::SIGTERM);
    life.until(STOP, "Stopped Keepalived", 1);
    life.daemon.wait();
    life.moments
}

/// Whether ours says what stock says, and perhaps why.
fn says(ours: &str, stock: &str) -> bool {
    ours.strip_prefix(stock).is_some_and(|rest| rest.is_empty() || rest.starts_with(" ("))
}

/// The lines of stock's that ours lacks. What instances and trackers say must be in the same order; listed lines are
/// left out, but for those of difference `suspect`.
fn missing(ours: &Moments, stock: &Moments, suspect: Option<usize>) -> Vec<String> {
    let mut missing = Vec::new();
    for ((moment, ours), (_, stock)) in ours.iter().zip(stock) {
        let is_listed = |line: &str| {
            let listed = |(n, (at, start, _)): (usize, &(&str, &str, &str))| {
                Some(n) != suspect && (at.is_empty() || at == moment) && line.starts_with(start)
            };
            DIFFERENCES.iter().enumerate().any(listed)
        };
        let mut rest = ours.iter();
        for line in stock.iter().filter(|line| !is_listed(line)) {
            let mut from_here = rest.clone();
            let found = if UNORDERED.iter().any(|start| line.starts_with(start)) {
                ours.iter().any(|our| says(our, line))
            } else if from_here.any(|our| says(our, line)) {
                rest = from_here;
                true
            } else {
                false
            };
            if !found {
                missing.push(format!("{moment}: {line}"));
            }
        }
    }
    missing
}

#[test]
fn whatever_stock_logs_ours_logs_too() {
    let (ours, stock) = std::thread::scope(|scope| {
        let stock = scope.spawn(|| life(Kind::Stock));
        (life(subject()), stock.join().expect("stock's life"))
    });
    assert_eq!(missing(&ours, &stock, None), Vec::<String>::new(), "of {stock:#?}, ours being {ours:#?}");
    for (n, difference) in DIFFERENCES.iter().enumerate() {
        assert_ne!(
            missing(&ours, &stock, Some(n)),
            Vec::<String>::new(),
            "{difference:?} is not one any more"
        );
    }
}
