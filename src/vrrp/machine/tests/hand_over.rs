//! Stops with a next start in mind, and starts with a last stop in mind.

use super::*;
use crate::vrrp::group::{Order, Report};

const LEASE: Duration = Duration::from_secs(2);

/// One that may be handed over.
fn leaving(priority: u8) -> Params {
    Params { lease: Some(LEASE), ..params(priority) }
}

fn left(until: Instant) -> Inheritance {
    Inheritance { until, sequence: 0, old_checksum: false }
}

/// A router that was left to us for this time, before its start.
fn heir(params: Params, weights: &[i16], time: Duration) -> Router {
    let tracked = weights.iter().map(|w| Tracked {
        what: "script s".to_owned(),
        weight: *w,
        reverse: false,
        status: Status::Pending,
    });
    let now = Instant::from_micros(1_000_000);
    let mut machine = Machine::new(params.into(), tracked.collect());
    machine.inherits(left(now + time));
    Router { machine, now, out: Vec::new() }
}

fn start(router: &mut Router) {
    router.tell(Input::Source(OURS));
    router.tell(Input::Start);
}

#[test]
fn a_master_leaves_its_addresses_and_then_says_so_to_nobody() {
    let mut router = Router::master(leaving(100));
    let until = router.now + LEASE;
    router.tell(Input::HandOver);
    let number = router.machine.claim;
    assert_eq!(router.out, [Output::Lend { time: LEASE, number }], "nothing is said before it is true");
    router.now += ms(30);
    router.tell(Input::Confirmed(number));
    assert_eq!(
        router.out.split_off(1),
        [
            Output::Advert(100),
            Output::Event(Event::Lent(LEASE)),
            Output::Event(Event::Stopped),
            Output::HandedOver(until)
        ]
    );
    assert_eq!((router.state(), router.machine.next_deadline()), (State::Stopped, None));
    router.out.clear();
    router.tell(Input::Confirmed(number));
    router.tell(Input::NotLent(number));
    assert_eq!(router.out, []);
}

#[test]
fn who_has_nothing_to_leave_stops_as_ever() {
    let backup = Router::new(leaving(100));
    let mut listening = Router::master(leaving(100));
    listening.now += ms(3000);
    for mut router in [Router::master(params(100)), backup, listening] {
        let (mut same, number) = (router.clone(), router.machine.claim + 1);
        same.tell(Input::Stop);
        router.tell(Input::HandOver);
        assert_eq!(router.out, same.out);
        assert!(router.out.contains(&Output::Claim { hold: false, number }));
    }
    let mut router = Router::master(Params { stays: true, ..leaving(100) });
    router.tell(Input::HandOver);
    assert_eq!(router.notices().len(), 1, "with -V they stay for ever");
}

#[test]
fn what_cannot_be_left_is_given_up() {
    for late in [false, true] {
        let mut router = Router::master(leaving(100));
        router.tell(Input::HandOver);
        let number = router.machine.claim;
        router.out.clear();
        if late {
            // As long as the quickest peer waits.
            router.now += ms(3000);
            router.tell(Input::Confirmed(number));
        } else {
            router.tell(Input::NotLent(number));
        }
        assert!(router.out.contains(&Output::Claim { hold: false, number: number + 1 }));
        assert!(!router.out.iter().any(|o| matches!(o, Output::HandedOver(_))));
        assert_eq!(router.notices(), []);
        let out = std::mem::take(&mut router.out);
        assert_eq!(out.iter().filter(|o| matches!(o, Output::Advert(0))).count(), 1);
        router.confirm();
        assert_eq!(router.notices(), [Notice::State(State::Stopped, Priority::DEFAULT)]);
    }
}

#[test]
fn whom_it_is_left_to_is_master_at_once_and_listens_at_once() {
    let delay = Duration::from_secs(20);
    let mut router = heir(Params { startup_delay: delay, ..leaving(100) }, &[], LEASE);
    start(&mut router);
    assert_eq!(router.out[0], Output::Advert(100), "before all else");
    assert_eq!(router.out[1], Output::Event(Event::Master(Cause::HandedOver)));
    assert!(matches!(router.out[2], Output::Claim { hold: true, .. }));
    router.confirm();
    assert_eq!(router.notices(), [Notice::State(State::Master, Priority::DEFAULT)]);
    assert_eq!(router.announced(), [5]);
    router.hear(HIGH, 200);
    assert_eq!(router.state(), State::Backup, "who is better is heard");
}

#[test]
fn whoever_comes_too_late_or_is_not_well_starts_as_ever() {
    let delay = Duration::from_secs(20);
    let mut late = heir(Params { startup_delay: delay, ..leaving(100) }, &[], LEASE);
    late.now += LEASE;
    start(&mut late);
    assert_eq!(late.state(), State::Backup);
    assert!(late.election().is_some_and(|at| at > late.now + delay));
    let mut ill = heir(leaving(100), &[], LEASE);
    ill.tell(Input::Fault(Fault::NoSocket, true));
    start(&mut ill);
    assert_eq!(ill.state(), State::Fault);
    assert!(matches!(ill.out.last(), Some(Output::Claim { hold: false, .. })), "what was left is given up");
    ill.tell(Input::Fault(Fault::NoSocket, false));
    assert_eq!(ill.state(), State::Backup);
}

#[test]
fn what_it_tracks_is_waited_for() {
    let good = Input::Tracked(0, Status::Good);
    for (time, state) in [(ms(1999), State::Master), (ms(2000), State::Backup)] {
        let mut router = heir(leaving(100), &[0], LEASE);
        start(&mut router);
        assert_eq!((router.state(), router.adverts()), (State::Init, vec![]));
        router.now += time;
        router.tell(good.clone());
        assert_eq!(router.state(), state, "{time:?}");
    }
}

#[test]
fn a_sync_group_goes_on_when_all_are_ready() {
    let grouped = Params { grouped: true, ..leaving(100) };
    let mut router = heir(grouped.clone(), &[], LEASE);
    start(&mut router);
    assert_eq!(router.out, [Output::Group(Report::Wants)]);
    assert_eq!(router.state(), State::Init);
    let mut lonely = router.clone();
    router.tell(Input::Group(Order::Master));
    assert_eq!(router.state(), State::Master);
    assert_eq!(router.adverts(), [100]);
    // Nobody else comes.
    let until = lonely.machine.next_deadline().expect("it does not wait for ever");
    assert_eq!(until, lonely.now + LEASE);
    lonely.wake(until);
    assert_eq!(lonely.out[1], Output::Group(Report::Withdraws));
    assert_eq!((lonely.state(), lonely.adverts()), (State::Backup, vec![]));
    lonely.tell(Input::Group(Order::Master));
    assert_eq!(lonely.state(), State::Backup, "that is over");
    // Somebody of the group is ill.
    let mut dragged = heir(grouped, &[], LEASE);
    start(&mut dragged);
    dragged.tell(Input::Group(Order::Fault(Some(blame("Instance B: interface eth1 is down")))));
    dragged.tell(Input::Group(Order::Fault(None)));
    assert_eq!(dragged.state(), State::Backup);
}

/// Peers take no number twice.
#[test]
fn numbers_of_adverts_go_on() {
    let secret = Authentication::Ah(*b"secret12");
    let params = Params { version: Version::V2, authentication: secret, ..leaving(100) };
    let mut router = Router::master(params.clone());
    let last = router.machine.mark(Duration::ZERO);
    router.tell(Input::HandOver);
    router.confirm();
    let left = router.machine.leaves(router.now + LEASE);
    let mut next = Machine::new(params.into(), Vec::new());
    next.inherits(left);
    let mut out = Vec::new();
    next.handle(router.now, Input::Start, &mut out);
    let Mark::Sequence(last) = last else { panic!("{last:?}") };
    assert_eq!(next.mark(Duration::ZERO), Mark::Sequence(last + 1));
}

#[test]
fn the_checksum_that_peers_want_is_still_known() {
    use crate::config::model::UnicastPeer;
    use crate::vrrp::params::{Unicast, UnicastChecksum};
    let peers = vec![UnicastPeer { address: HIGH, min_ttl: 0, max_ttl: 255 }];
    let to = |checksum| {
        Delivery::Unicast(Unicast { peers: peers.clone(), check_source: false, ttl: 255, checksum })
    };
    let old = Router::master(Params { delivery: to(UnicastChecksum::Old(GROUP)), ..leaving(100) });
    let left = old.machine.leaves(old.now + LEASE);
    assert!(left.old_checksum);
    let learns = Params { delivery: to(UnicastChecksum::Learns(GROUP)), ..leaving(100) };
    let mut next = heir(learns, &[], LEASE);
    next.machine.inherits(Inheritance { until: next.now + LEASE, ..left });
    start(&mut next);
    assert!(next.machine.params.delivery.sends_old_checksum());
}
