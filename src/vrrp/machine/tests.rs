//! What the tests share: a router that is told facts, and keeps the answers.

mod auth;
mod causes;
mod delivery;
mod elections;
mod faults;
mod hand_over;
mod masters;
mod options;
mod stalls;

use std::net::Ipv4Addr;
use std::time::Duration;

use super::*;
use crate::base::{Family, Vrid};
use crate::config::model::Version;
use crate::host::LinkState;
use crate::vrrp::advert::Adverts;
use crate::vrrp::auth::Authentication;
use crate::vrrp::check::Packet;
use crate::vrrp::event::{Reject, Source};
use crate::vrrp::params::{Delivery, GarpSchedule};
use crate::vrrp::tracking::Status;
use crate::wire::ip::Header;

const OURS: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 9, 0, 5));
const LOW: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 9, 0, 1));
const HIGH: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 9, 0, 9));
const VIP: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 9, 0, 100));
const GROUP: IpAddr = IpAddr::V4(Ipv4Addr::new(224, 0, 0, 18));

const NO_ADDRESS: Fault = Fault::NoAddress(Source::Any(Family::V4));

/// What a sync group says of one other member.
fn blame(trouble: &str) -> Blame {
    Blame { trouble: trouble.into(), others: false }
}

fn params(priority: u8) -> Params {
    Params {
        vrid: Vrid::new(51).unwrap(),
        version: Version::V3,
        priority: Priority::new(priority).unwrap(),
        advert_int: Duration::from_secs(1),
        down_timer_adverts: 3,
        preempt: true,
        preempt_delay: Duration::ZERO,
        authentication: Authentication::None,
        family: Family::V4,
        delivery: Delivery::Multicast(GROUP),
        v3_checksum_as_v2: false,
        addresses: vec![VIP],
        lower_prio_no_advert: false,
        higher_prio_send_advert: None,
        garp: GarpSchedule::default(),
        grouped: false,
        awaits_scripts: false,
        stays: false,
        lease: None,
        startup_delay: Duration::ZERO,
        ignores_adverts: false,
        skip_check_adv_addr: false,
        timer_expired_backup: None,
    }
}

/// A machine with a clock that the test winds.
#[derive(Clone)]
struct Router {
    machine: Machine,
    now: Instant,
    out: Vec<Output>,
}

impl Router {
    fn new(params: Params) -> Self {
        Self::tracking(params, &[])
    }

    /// Tracks scripts of these weights.
    fn tracking(params: Params, weights: &[i16]) -> Self {
        let tracked = weights.iter().map(|w| Tracked {
            what: "script s".to_owned(),
            weight: *w,
            reverse: false,
            status: Status::Pending,
        });
        let mut router = Self {
            machine: Machine::new(params.into(), tracked.collect()),
            now: Instant::from_micros(1_000_000),
            out: Vec::new(),
        };
        router.tell(Input::Source(OURS));
        router.tell(Input::Start);
        router
    }

    /// A master of that long standing.
    fn master(params: Params) -> Self {
        let mut router = Self::new(params);
        router.sleep_until_master();
        router.confirm();
        router.out.clear();
        router
    }

    fn sleep_until_master(&mut self) {
        while self.state() != State::Master {
            let at = self.machine.next_deadline().expect("a deadline");
            self.wake(at);
        }
    }

    /// When the master is given up.
    fn election(&self) -> Option<Instant> {
        self.machine.timers.get(Timer::Election)
    }

    fn state(&self) -> State {
        self.machine.snapshot().state
    }

    fn tell(&mut self, input: Input) {
        self.machine.handle(self.now, input, &mut self.out);
    }

    fn confirm(&mut self) {
        self.tell(Input::Confirmed(self.machine.claim));
    }

    /// Handles what is due at `at`, whenever that was due.
    fn wake(&mut self, at: Instant) {
        self.now = at;
        self.tell(Input::Deadline);
    }

    /// Lets `time` pass, with every deadline handled when it is due.
    fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(at) = self.machine.next_deadline().filter(|at| *at <= end) {
            self.wake(at);
        }
        self.now = end;
    }

    /// Lets `time` pass without being run; then everything that is due is handled.
    fn stall(&mut self, time: Duration) {
        self.wake(self.now + time);
    }

    /// Hears an advert of a router that is configured as we are but for the priority.
    fn hear(&mut self, from: IpAddr, priority: u8) {
        let packet = packet(&self.machine.params, from, priority, self.now);
        self.tell(Input::Packet(packet));
    }

    fn adverts(&mut self) -> Vec<u8> {
        let sent = self.out.iter().filter_map(|o| match o {
            Output::Advert(priority) => Some(*priority),
            _ => None,
        });
        let sent = sent.collect();
        self.out.clear();
        sent
    }

    fn events(&self) -> Vec<&Event> {
        self.out.iter().filter_map(|o| if let Output::Event(e) = o { Some(e) } else { None }).collect()
    }

    fn notices(&self) -> Vec<Notice> {
        self.out.iter().filter_map(|o| if let Output::Notify(n) = o { Some(*n) } else { None }).collect()
    }

    fn announced(&self) -> Vec<u32> {
        self.out.iter().filter_map(|o| if let Output::Announce(n) = o { Some(*n) } else { None }).collect()
    }
}

/// The advert a router with these parameters sends from `from`.
fn packet(params: &Params, from: IpAddr, priority: u8, at: Instant) -> Packet {
    marked(params, from, priority, at, Mark::None)
}

/// That advert with a mark.
fn marked(params: &Params, from: IpAddr, priority: u8, at: Instant, mark: Mark) -> Packet {
    let mut adverts = Adverts::new(from);
    let (bytes, _) = adverts.next(params, priority, mark).next().unwrap();
    let header = Header::parse(bytes).unwrap();
    let front = params.authentication.header_len();
    Packet {
        at,
        unix_time: Duration::ZERO,
        sealed: (front > 0).then(|| bytes.to_vec()),
        source: header.source,
        destination: header.destination,
        ttl: header.ttl,
        ip_header_len: if header.source.is_ipv4() { header.len + front } else { 0 },
        ip_total_len: if header.source.is_ipv4() { header.total_len } else { header.total_len - header.len },
        pdu: bytes[header.len + front..].to_vec(),
    }
}

const fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}
