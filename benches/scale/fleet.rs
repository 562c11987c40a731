//! Two routers of one make with many instances, and the LANs between them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::Ipv4Addr;
use std::time::Duration;

use crate::lab::{Capture, Daemon, Kind, Lan, Packet, Router, wait_longer};

/// The LANs that instances are spread over.
pub const LANS: usize = 16;
/// Clock ticks in `/proc/PID/stat`.
pub const TICKS_PER_SECOND: f64 = 100.0;
/// The router attached second has this address on each LAN.
const MAC_B: [u8; 6] = [2, 0, 0, 0, 0, 1];
/// How long a thousand instances may take to settle on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);
const PRIORITIES: [u32; 2] = [150, 100];

/// Two routers, the second of which runs as backup.
#[derive(Debug)]
pub struct Fleet {
    kind: Kind,
    interval: Duration,
    /// LAN, VRID and addresses of each instance.
    instances: Vec<(usize, u8, Vec<Ipv4Addr>)>,
    a: Router,
    pub backup: Daemon,
    captures: Vec<Capture>,
    // Last, as they must outlive the routers.
    _lans: Vec<Lan>,
}

/// How late one address was, in ms from the end of the protocol's timer.
#[derive(Clone, Copy, Debug)]
pub struct Late {
    /// The advert.
    pub advert: f64,
    /// The gratuitous ARP.
    pub arp: f64,
}

impl Fleet {
    /// `count` instances with one address each.
    pub fn new(kind: Kind, interval: Duration, count: usize) -> Self {
        let instance = |i: usize| {
            let (lan, vrid) = (i % LANS, (i / LANS + 1) as u8);
            (lan, vrid, vec![Ipv4Addr::new(10, 100 + lan as u8, 0, vrid)])
        };
        Self::start(kind, interval, (0..count).map(instance).collect())
    }

    /// One instance with `count` addresses that adverts do not list.
    pub fn of_addresses(kind: Kind, interval: Duration, count: usize) -> Self {
        let address = |i: usize| Ipv4Addr::new(10, 100, 1 + (i / 250) as u8, (i % 250 + 1) as u8);
        Self::start(kind, interval, vec![(0, 1, (0..count).map(address).collect())])
    }

    fn start(kind: Kind, interval: Duration, instances: Vec<(usize, u8, Vec<Ipv4Addr>)>) -> Self {
        let lans: Vec<Lan> = (0..LANS).map(|_| Lan::new()).collect();
        let (a, b) = (Router::new(), Router::new());
        for (i, lan) in lans.iter().enumerate() {
            a.attach(lan, &format!("eth{i}"), &format!("10.{}.255.2/16", 100 + i));
            b.attach(lan, &format!("eth{i}"), &format!("10.{}.255.1/16", 100 + i));
        }
        let captures = lans.iter().map(Lan::capture).collect();
        let backup = b.start_as_packaged(kind, &config(&instances, interval, PRIORITIES[1]));
        Self { kind, interval, instances, a, backup, captures, _lans: lans }
    }

    /// Starts the router of higher priority, and waits until it is master of all.
    pub fn start_master(&self) -> Daemon {
        let marks: Vec<usize> = self.captures.iter().map(Capture::mark).collect();
        let daemon =
            self.a.start_as_packaged(self.kind, &config(&self.instances, self.interval, PRIORITIES[0]));
        wait_longer(PATIENCE, "the first router is master of all", || {
            let all = (self.captures.iter().zip(&marks).enumerate())
                .all(|(lan, (capture, mark))| self.is_master(lan, capture, *mark));
            std::thread::sleep(Duration::from_millis(200));
            all.then_some(())
        });
        daemon
    }

    /// No longer looks at what is on the LANs. Whoever sends a frame pays for delivering it, to a capture as well.
    pub fn stop_capturing(&mut self) {
        self.captures.clear();
    }

    /// Whether the first router has sent two adverts for each instance after the last one of the other's.
    fn is_master(&self, lan: usize, capture: &Capture, mark: usize) -> bool {
        let mut sent = BTreeMap::<u8, u32>::new();
        let ours = source(lan, 2);
        for advert in capture.packets().into_iter().skip(mark).filter_map(advert) {
            let count = sent.entry(advert.vrid).or_default();
            *count = if advert.source == ours { *count + 1 } else { 0 };
        }
        self.instances.iter().filter(|i| i.0 == lan).all(|i| sent.get(&i.1).is_some_and(|n| *n >= 2))
    }

    /// Lets `end` end the master, and says how late the other router was for each address.
    pub fn take_over(&self, end: impl FnOnce()) -> Vec<Late> {
        let marks: Vec<usize> = self.captures.iter().map(Capture::mark).collect();
        end();
        wait_longer(PATIENCE, "the other router has announced all", || {
            std::thread::sleep(Duration::from_millis(200));
            let announced: usize = (self.captures.iter().zip(&marks))
                .map(|(capture, mark)| first_announcements(capture, *mark).len())
                .sum();
            let wanted: usize = self.instances.iter().map(|i| i.2.len()).sum();
            (announced >= wanted).then_some(())
        });
        let mut late = Vec::new();
        for (lan, (capture, mark)) in self.captures.iter().zip(&marks).enumerate() {
            late.extend(self.late(lan, capture, *mark));
        }
        late
    }

    fn late(&self, lan: usize, capture: &Capture, mark: usize) -> Vec<Late> {
        let (mut last, mut first) = (BTreeMap::new(), BTreeMap::new());
        for (n, advert) in capture.packets().into_iter().filter_map(advert).enumerate() {
            if advert.source == source(lan, 2) {
                last.insert(advert.vrid, (n, advert.at));
                first.remove(&advert.vrid);
            } else {
                first.entry(advert.vrid).or_insert(advert.at);
            }
        }
        let announced = first_announcements(capture, mark);
        // RFC 9568 section 6.1.
        let wait = self.interval * 3 + self.interval * (256 - PRIORITIES[1]) / 256;
        let ms = |at: Duration, due: Duration| (at.as_secs_f64() - due.as_secs_f64()) * 1000.0;
        let of_lan = self.instances.iter().filter(|i| i.0 == lan);
        let late = of_lan.flat_map(|(_, vrid, addresses)| {
            let due = last[vrid].1 + wait;
            let advert = ms(first[vrid], due);
            addresses.iter().map(move |ip| (*ip, due, advert))
        });
        late.map(|(ip, due, advert)| Late { advert, arp: ms(announced[&ip], due) }).collect()
    }
}

/// When the second router first announced each address.
fn first_announcements(capture: &Capture, mark: usize) -> BTreeMap<Ipv4Addr, Duration> {
    let mut announced = BTreeMap::new();
    for garp in capture.garps_since(mark, MAC_B) {
        announced.entry(garp.ip).or_insert(garp.at);
    }
    announced
}

fn advert(packet: Packet) -> Option<crate::lab::Advert> {
    if let Packet::Advert(advert) = packet { Some(advert) } else { None }
}

fn source(lan: usize, host: u8) -> Ipv4Addr {
    Ipv4Addr::new(10, 100 + lan as u8, 255, host)
}

fn config(instances: &[(usize, u8, Vec<Ipv4Addr>)], interval: Duration, priority: u32) -> String {
    let mut text = String::new();
    for (lan, vrid, addresses) in instances {
        let _ = write!(
            text,
            "vrrp_instance VI_{lan}_{vrid} {{\n interface eth{lan}\n virtual_router_id {vrid}\n version 3\n \
             priority {priority}\n advert_int {}\n virtual_ipaddress {{\n  {}/16\n }}\n",
            interval.as_secs_f64(),
            addresses[0]
        );
        if addresses.len() > 1 {
            text.push_str(" virtual_ipaddress_excluded {\n");
            for address in &addresses[1..] {
                let _ = writeln!(text, "  {address}/16");
            }
            text.push_str(" }\n");
        }
        text.push_str("}\n");
    }
    text
}

/// Processor time that a daemon has used so far, in ticks.
pub fn ticks(daemon: &Daemon) -> u64 {
    let of = |pid: &i32| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        // The name, which may hold blanks, is in parentheses.
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        let field = |n: usize| fields.get(n).and_then(|f| f.parse::<u64>().ok()).unwrap_or(0);
        field(11) + field(12)
    };
    daemon.processes().iter().map(of).sum()
}
