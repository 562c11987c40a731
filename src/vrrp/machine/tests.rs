mod auth;
mod delivery;
mod options;

use std::net::Ipv4Addr;
use std::time::Duration;

use super::*;
use crate::base::{Family, Vrid};
use crate::config::model::Version;
use crate::vrrp::advert::Adverts;
use crate::vrrp::params::{Delivery, GarpSchedule};
use crate::wire::ip::Header;

const OURS: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 9, 0, 5));
const LOW: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 9, 0, 1));
const HIGH: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 9, 0, 9));
const VIP: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 9, 0, 100));
const GROUP: IpAddr = IpAddr::V4(Ipv4Addr::new(224, 0, 0, 18));

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
        startup_delay: Duration::ZERO,
        ignores_adverts: false,
        skip_check_adv_addr: false,
        timer_expired_backup: None,
    }
}

/// A machine with a clock that the test winds.
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
            machine: Machine::new(params, tracked.collect()),
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

#[test]
fn a_lone_router_becomes_master_after_the_master_down_time() {
    let mut router = Router::new(params(100));
    assert_eq!(router.state(), State::Backup);
    assert_eq!(router.election(), Some(router.now + Duration::from_micros(3_609_375)));
    router.pass(ms(3_609));
    assert_eq!(router.state(), State::Backup);
    router.pass(ms(1));
    assert_eq!(router.state(), State::Master);
}

#[test]
fn on_becoming_master_the_advert_comes_first_and_the_script_last() {
    let mut router = Router::new(params(100));
    router.confirm();
    router.out.clear();
    router.sleep_until_master();
    let claim = router.machine.claim;
    let master = Event::Master(Cause::MasterDown);
    assert_eq!(
        router.out,
        [
            Output::Event(Event::AdvertTimeout),
            Output::Advert(100),
            Output::Event(master),
            Output::Claim { hold: true, number: claim },
        ]
    );
    router.out.clear();
    router.confirm();
    let notice = Notice::State(State::Master, Priority::DEFAULT);
    assert_eq!(router.out, [Output::Announce(5), Output::Notify(notice)]);
}

#[test]
fn the_address_owner_does_not_wait() {
    let mut router = Router::new(params(255));
    router.pass(Duration::from_micros(1));
    assert_eq!(router.state(), State::Master);
}

#[test]
fn adverts_keep_the_beat_when_handled_late() {
    let mut router = Router::master(params(100));
    let first = router.machine.timers.get(Timer::Advert).unwrap();
    router.wake(first + ms(300));
    assert_eq!(router.machine.timers.get(Timer::Advert), Some(first + ms(1000)));
    // A beat that was missed altogether is not made up for.
    router.wake(first + ms(2100));
    assert_eq!(router.adverts(), [100, 100]);
    assert_eq!(router.machine.timers.get(Timer::Advert), Some(first + ms(3100)));
}

#[test]
fn a_backup_follows_adverts_of_its_priority_or_higher_only() {
    for (priority, follows) in [(99, false), (100, true), (101, true)] {
        let mut router = Router::new(params(100));
        router.pass(ms(3000));
        router.hear(LOW, priority);
        router.pass(ms(3000));
        assert_eq!(router.state() == State::Backup, follows, "{priority}");
    }
}

#[test]
fn without_preemption_a_backup_follows_anybody() {
    let mut router = Router::new(Params { preempt: false, ..params(100) });
    for _ in 0..10 {
        router.pass(ms(3000));
        router.hear(LOW, 1);
    }
    assert_eq!(router.state(), State::Backup);
}

#[test]
fn preemption_waits_for_the_delay() {
    let mut router = Router::new(Params { preempt_delay: ms(4000), ..params(150) });
    router.out.clear();
    let begin = router.now;
    router.hear(LOW, 100);
    assert_eq!(
        router.events(),
        [&Event::PreemptDelayStarted(ms(4000)), &Event::MasterIs { before: None, now: LOW }]
    );
    while router.state() == State::Backup {
        router.pass(ms(1000));
        router.hear(LOW, 100);
    }
    // The last advert that counted came after 3 s; the master-down time of priority 150 is 3.414 s.
    assert_eq!(router.machine.master_since - begin, Duration::from_micros(3_000_000 + 3_414_062));
    let mut router = Router::new(Params { preempt_delay: ms(4000), ..params(150) });
    router.hear(LOW, 100);
    router.pass(ms(3000));
    router.hear(HIGH, 200);
    assert!(router.events().contains(&&Event::PreemptDelayStopped));
}

#[test]
fn a_resigning_master_is_replaced_after_the_skew() {
    let mut router = Router::new(params(100));
    router.hear(LOW, 200);
    router.hear(LOW, 0);
    assert_eq!(router.election(), Some(router.now + Duration::from_micros(609_375)));
    router.pass(ms(610));
    assert_eq!(router.state(), State::Master);
    assert_eq!(router.machine.snapshot().cause, Cause::MasterResigned);
}

#[test]
fn a_backup_learns_the_interval_of_version_3() {
    let mut router = Router::new(params(100));
    let theirs = Params { advert_int: ms(200), ..params(200) };
    let packet = packet(&theirs, LOW, 200, router.now);
    router.tell(Input::Packet(packet));
    assert_eq!(router.election(), Some(router.now + Duration::from_micros(600_000 + 121_875)));
}

#[test]
fn a_master_yields_to_a_higher_priority_and_to_a_higher_address() {
    for (from, priority, state) in [
        (LOW, 101, State::Backup),
        (HIGH, 100, State::Backup),
        (LOW, 100, State::Master),
        (HIGH, 99, State::Master),
        (OURS, 100, State::Master),
    ] {
        let mut router = Router::master(params(100));
        router.pass(ms(10_000));
        router.adverts();
        router.hear(from, priority);
        assert_eq!(router.state(), state, "{from} {priority}");
        let insists = state == State::Master && from != OURS;
        let announced = router.announced();
        // Who yields says goodbye.
        assert_eq!(router.adverts(), if from == OURS { vec![] } else { vec![100] }, "{from} {priority}");
        assert_eq!(announced, if insists { vec![5] } else { vec![] }, "{from} {priority}");
    }
}

#[test]
fn a_master_says_goodbye_before_it_yields() {
    let speaks = |higher_prio_send_advert, after| {
        let mut router = Router::master(Params { higher_prio_send_advert, ..params(100) });
        router.pass(after);
        router.adverts();
        router.hear(HIGH, 200);
        assert_eq!(router.state(), State::Backup);
        !router.adverts().is_empty()
    };
    assert!(speaks(None, ms(500)));
    assert!(speaks(None, ms(500)));
    assert!(speaks(None, ms(5000)));
    assert!(speaks(Some(true), ms(5000)));
    assert!(!speaks(Some(false), ms(500)));
}

#[test]
fn the_goodbye_of_the_last_master_is_answered_and_not_reported() {
    let mut router = Router::master(params(100));
    router.pass(ms(1));
    router.hear(LOW, 50);
    assert_eq!(router.out, [Output::Advert(100), Output::Announce(5)]);
    router.pass(ms(1500));
    router.out.clear();
    router.hear(LOW, 50);
    assert!(router.out.contains(&Output::Notify(Notice::MasterRxLowerPri(Priority::new(100).unwrap()))));
}

#[test]
fn a_resigning_rival_is_answered_at_once() {
    let mut router = Router::master(params(100));
    router.pass(ms(500));
    router.hear(HIGH, 0);
    assert_eq!(router.state(), State::Master);
    assert_eq!(router.adverts(), [100]);
}

#[test]
fn a_master_that_was_away_listens_before_it_speaks() {
    let mut router = Router::master(params(100));
    router.stall(ms(10_000));
    assert!(router.adverts().is_empty(), "first it listens");
    router.pass(ms(500));
    router.hear(HIGH, 101);
    assert_eq!(router.state(), State::Backup);
    assert!(router.adverts().is_empty(), "and yields without a word");

    let mut router = Router::master(params(100));
    router.stall(ms(10_000));
    router.out.clear();
    router.pass(ms(1_700));
    assert_eq!(router.announced(), [5], "nobody came forward: caches may be wrong all the same");
    assert_eq!(router.adverts(), [100]);
}

#[test]
fn a_master_that_was_away_takes_back_only_with_preemption() {
    for (preempt, state) in [(true, State::Master), (false, State::Backup)] {
        let mut router = Router::master(Params { preempt, ..params(100) });
        // The driver tells what arrived meanwhile before it tells that a deadline has come.
        router.now += ms(10_000);
        router.hear(LOW, 50);
        assert_eq!(router.state(), state, "preempt {preempt}");
    }
}

#[test]
fn a_backup_that_was_away_waits_once_more() {
    let mut router = Router::new(params(100));
    router.hear(LOW, 200);
    router.stall(ms(60_000));
    assert_eq!(router.state(), State::Backup);
    router.hear(LOW, 200);
    router.pass(ms(3_600));
    assert_eq!(router.state(), State::Backup, "the master is alive");
    router.pass(ms(10));
    assert_eq!(router.state(), State::Master, "the master is dead");

    let mut router = Router::new(params(100));
    router.stall(ms(60_000));
    router.stall(ms(60_000));
    assert_eq!(router.state(), State::Backup, "away again: what was sent may be lost");
    router.stall(ms(4_000));
    assert_eq!(router.state(), State::Master, "not for ever: an overloaded router must take over some time");
}

#[test]
fn a_master_that_was_away_announces_nothing_before_it_has_listened() {
    let garp = GarpSchedule { refresh: ms(7_000), ..GarpSchedule::default() };
    let mut router = Router::master(Params { garp, ..params(100) });
    router.now += ms(60_000);
    router.tell(Input::Restored);
    router.tell(Input::Deadline);
    router.tell(Input::Restored);
    router.pass(ms(1_000));
    assert!(router.announced().is_empty(), "neither what is due nor what is back in place");
    router.hear(HIGH, 101);
    router.pass(ms(1_000));
    assert!(router.announced().is_empty());
}

#[test]
fn a_master_that_is_away_again_while_it_listens_begins_anew() {
    let mut router = Router::master(params(100));
    router.stall(ms(60_000));
    router.stall(ms(60_000));
    assert!(router.adverts().is_empty());
    router.pass(ms(1_700));
    assert_eq!(router.adverts(), [100]);
}

#[test]
fn a_backup_that_was_away_until_just_before_the_election_listens_first() {
    let mut router = Router::new(params(100));
    router.pass(ms(1_000));
    // The machine was paused, and what was sent to it is lost.
    router.stall(ms(2_600));
    assert!(router.events().contains(&&Event::Stalled(ms(2_100))));
    router.pass(ms(1_000));
    assert_eq!(router.state(), State::Backup, "the election would have been due after 9 ms");
    router.hear(LOW, 200);
    router.pass(ms(3_600));
    assert_eq!(router.state(), State::Backup);
    router.pass(ms(10));
    assert_eq!(router.state(), State::Master);

    let mut router = Router::new(params(100));
    for _ in 0..3 {
        router.stall(ms(900));
    }
    assert_eq!(
        router.election(),
        Some(Instant::from_micros(1_000_000 + 3_609_375)),
        "short delays do not count"
    );
}

#[test]
fn a_fault_resigns_and_recovery_starts_over() {
    let mut router = Router::master(params(100));
    router.tell(Input::Fault(Fault::InterfaceDown, true));
    router.tell(Input::Fault(Fault::NoAddress(Family::V4), true));
    assert_eq!(router.state(), State::Fault);
    assert_eq!(router.adverts(), [0, 0], "twice, as stock");
    assert_eq!(router.machine.next_deadline(), None);
    router.hear(HIGH, 200);
    assert_eq!(router.machine.snapshot().counters.advert_rcvd, 0, "deaf");
    router.tell(Input::Fault(Fault::InterfaceDown, false));
    assert_eq!(router.state(), State::Fault, "one reason is left");
    router.tell(Input::Fault(Fault::NoAddress(Family::V4), false));
    assert_eq!(router.state(), State::Backup);
    assert_eq!(router.election(), Some(router.now + Duration::from_micros(3_609_375)));
    let mut owner = Router::master(params(255));
    owner.tell(Input::Fault(Fault::InterfaceDown, true));
    owner.tell(Input::Fault(Fault::InterfaceDown, false));
    owner.pass(Duration::from_micros(1));
    assert_eq!(owner.state(), State::Master);
}

#[test]
fn a_router_waits_for_the_first_result_of_a_script_that_can_fault_it() {
    for (status, state, init) in [(Status::Good, State::Backup, true), (Status::Bad, State::Fault, true)] {
        let mut router = Router::tracking(params(100), &[0, 20]);
        assert_eq!(router.state(), State::Init);
        assert_eq!(router.out, [], "no log, no notice");
        router.hear(LOW, 200);
        router.tell(Input::Tracked(0, status));
        assert_eq!(router.state(), state);
        let cause = Cause::Tracked("script s".to_owned());
        let tracked = Event::TrackedFault { what: "script s".to_owned(), fault: true };
        let expected = match state {
            State::Fault => vec![tracked, Event::Fault { init, cause }],
            _ => vec![Event::Backup { init, cause: Cause::Start }],
        };
        assert_eq!(router.events(), expected.iter().collect::<Vec<_>>());
    }
}

#[test]
fn a_change_of_priority_moves_the_election() {
    let mut router = Router::tracking(params(100), &[20]);
    let before = router.election().unwrap();
    router.tell(Input::Tracked(0, Status::Good));
    assert_eq!(router.election(), Some(before.saturating_back(Duration::from_micros(78_125))));
    router.tell(Input::Tracked(0, Status::Bad));
    assert_eq!(router.election(), Some(before));
}

#[test]
fn announcements_keep_to_their_schedule() {
    let garp = GarpSchedule { refresh: ms(60_000), refresh_repeat: 2, ..GarpSchedule::default() };
    let mut router = Router::new(Params { garp, ..params(100) });
    router.sleep_until_master();
    router.pass(ms(4000));
    assert_eq!(router.announced(), [0; 0], "not before the addresses are there");
    router.confirm();
    router.pass(ms(70_000));
    assert_eq!(router.announced(), [5, 5, 2]);
    router.pass(ms(120_000));
    assert_eq!(router.announced(), [5, 5, 2, 2, 2]);
}

#[test]
fn addresses_put_back_are_announced_by_a_master_only() {
    let mut router = Router::master(params(100));
    router.tell(Input::Restored);
    assert_eq!(router.announced(), [5]);
    let mut router = Router::new(params(100));
    router.tell(Input::Restored);
    assert_eq!(router.announced(), [0; 0]);
}

#[test]
fn a_stop_resigns_once_and_is_final() {
    let mut router = Router::master(params(100));
    router.tell(Input::Stop);
    assert_eq!(router.adverts(), [0]);
    router.confirm();
    assert_eq!(router.notices(), [Notice::State(State::Stopped, Priority::DEFAULT)]);
    router.tell(Input::Fault(Fault::InterfaceDown, true));
    router.hear(LOW, 1);
    assert_eq!((router.state(), router.machine.next_deadline()), (State::Stopped, None));
}

#[test]
fn notices_keep_their_order_when_the_kernel_is_slow() {
    let mut router = Router::new(params(100));
    router.out.clear();
    router.sleep_until_master();
    router.hear(HIGH, 200);
    router.confirm();
    let states = [State::Backup, State::Master, State::Backup];
    assert_eq!(router.notices(), states.map(|s| Notice::State(s, Priority::DEFAULT)));
}

#[test]
fn bad_packets_are_dropped_counted_and_reported_once() {
    type Break = fn(&mut Packet);
    let v2 = || Params {
        version: Version::V2,
        authentication: Authentication::Password(*b"secret12"),
        ..params(100)
    };
    let cases: [(Params, Break, Reject); 10] = [
        (params(100), |p| p.ttl = 254, Reject::Ttl(254)),
        (params(100), |p| p.pdu[0] = 0x21, Reject::Length { received: 32, expected: 40 }),
        (params(100), |p| p.pdu[0] = 0x32, Reject::Type(2)),
        (params(100), |p| p.pdu[0] = 0x41, Reject::Version(4)),
        (params(100), |p| p.pdu[6] ^= 1, Reject::Checksum),
        (params(100), |p| p.pdu.push(0), Reject::Length { received: 33, expected: 32 }),
        (v2(), |p| p.pdu[4] = 3, Reject::AuthTypeInvalid(3)),
        (v2(), |p| p.pdu[4] = 0, Reject::AuthTypeMismatch(0)),
        (v2(), |p| *p.pdu.last_mut().unwrap() ^= 1, Reject::Password),
        (v2(), |p| p.pdu[5] = 2, Reject::Interval(2)),
    ];
    for (params, damage, reject) in cases {
        let mut router = Router::new(params);
        router.out.clear();
        let deadline = router.election();
        let mut packet = packet(&router.machine.params, HIGH, 200, router.now);
        damage(&mut packet);
        router.now += ms(100);
        for _ in 0..3 {
            router.tell(Input::Packet(packet.clone()));
        }
        assert_eq!(router.events(), [&Event::Rejected { reject, from: HIGH }]);
        let counters = router.machine.snapshot().counters;
        assert_eq!(counters.rejects[reject.kind() as usize], 3, "{reject:?}");
        assert_eq!(counters.advert_rcvd, 0, "{reject:?}");
        assert_eq!(router.election(), deadline, "{reject:?}");
    }
}

#[test]
fn other_addresses_are_odd_but_accepted() {
    let mut router = Router::new(params(100));
    router.out.clear();
    let theirs = Params { addresses: vec![LOW, HIGH], ..params(200) };
    let packet = packet(&theirs, HIGH, 200, router.now);
    router.tell(Input::Packet(packet));
    let rejects = router.events().into_iter().filter_map(|e| match e {
        Event::Rejected { reject, .. } => Some(*reject),
        _ => None,
    });
    assert_eq!(rejects.collect::<Vec<_>>(), [Reject::AddressCount(2), Reject::AddressMissing(VIP)]);
    assert_eq!(router.machine.snapshot().master, Some(HIGH));
}

#[test]
fn a_version_3_interval_of_0_does_not_make_everybody_master() {
    let mut router = Router::new(params(100));
    let mut packet = packet(&router.machine.params, HIGH, 200, router.now);
    // The interval was 100 (0x64): the checksum makes up for it.
    packet.pdu[5] = 0;
    let checksum = u16::from_be_bytes([packet.pdu[6], packet.pdu[7]]) + 100;
    packet.pdu[6..8].copy_from_slice(&checksum.to_be_bytes());
    router.tell(Input::Packet(packet));
    assert_eq!(router.machine.snapshot().counters.advert_rcvd, 1);
    router.pass(ms(3_000));
    assert_eq!(router.state(), State::Backup);
}
