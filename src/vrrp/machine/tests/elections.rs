//! Who becomes master, and when.

use super::*;

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

/// Another interval is worth a line once, and none if that of its being learned tells it. Who is master has its own again.
#[test]
fn other_intervals_of_version_3_are_told_once() {
    let mut router = Router::new(params(100));
    let hear = |router: &mut Router, priority, interval| {
        let theirs = Params { advert_int: ms(interval), ..params(200) };
        router.out.clear();
        router.tell(Input::Packet(packet(&theirs, HIGH, priority, router.now)));
        let told = router.events().into_iter().filter_map(|event| match event {
            Event::Rejected { reject: Reject::IntervalDiffers(cs), .. } => Some(format!("differs {cs}")),
            Event::IntervalLearned { now, .. } => Some(format!("learned {}", now.as_millis())),
            _ => None,
        });
        told.collect::<Vec<_>>().join(", ")
    };
    let cases = [(50, 1000, ""), (50, 3000, "differs 300"), (50, 3000, ""), (200, 3000, "learned 3000")];
    for (priority, interval, told) in cases.into_iter().chain([(200, 3000, ""), (200, 2000, "learned 2000")])
    {
        assert_eq!(hear(&mut router, priority, interval), told, "{priority} {interval}");
    }
    router.sleep_until_master();
    let own = Event::IntervalOwn { before: ms(2000), now: ms(1000) };
    assert!(router.events().contains(&&own), "{:?}", router.events());
    assert_eq!(hear(&mut router, 50, 3000), "differs 300");
    assert_eq!(hear(&mut router, 200, 3000), "learned 3000");
    assert_eq!(hear(&mut router, 200, 3000), "");
    let mut router = Router::new(params(100));
    router.sleep_until_master();
    assert!(!router.events().iter().any(|event| matches!(event, Event::IntervalOwn { .. })));
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
