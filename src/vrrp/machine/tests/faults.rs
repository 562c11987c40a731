//! Reasons not to take part, and packets that are wrong.

use super::*;

#[test]
fn a_fault_resigns_and_recovery_starts_over() {
    let mut router = Router::master(params(100));
    router.tell(Input::Fault(Fault::Link(LinkState::Down), true));
    router.tell(Input::Fault(NO_ADDRESS, true));
    assert_eq!(router.state(), State::Fault);
    assert_eq!(router.adverts(), [0, 0], "twice, as stock");
    assert_eq!(router.machine.next_deadline(), None);
    router.hear(HIGH, 200);
    assert_eq!(router.machine.snapshot().counters.advert_rcvd, 0, "deaf");
    router.tell(Input::Fault(Fault::Link(LinkState::Down), false));
    assert_eq!(router.state(), State::Fault, "one reason is left");
    router.tell(Input::Fault(NO_ADDRESS, false));
    assert_eq!(router.state(), State::Backup);
    assert_eq!(router.election(), Some(router.now + Duration::from_micros(3_609_375)));
    let mut owner = Router::master(params(255));
    owner.tell(Input::Fault(Fault::Link(LinkState::Down), true));
    owner.tell(Input::Fault(Fault::Link(LinkState::Down), false));
    owner.pass(Duration::from_micros(1));
    assert_eq!(owner.state(), State::Master);
}

/// Of what is wrong with others, the last that was told counts; of what is wrong here, others learn each time.
#[test]
fn the_cause_of_a_fault_is_true_while_it_lasts() {
    let mut router = Router::new(Params { grouped: true, ..params(100) });
    router.pass(Duration::from_secs(4));
    router.tell(Input::Group(Order::Master));
    let drag = |by: Option<&str>| Input::Group(Order::Fault(by.map(blame)));
    let tell = |router: &mut Router, input| {
        router.out.clear();
        router.tell(input);
        std::mem::take(&mut router.out)
    };
    let out = tell(&mut router, drag(Some("b")));
    assert_eq!(out.iter().filter(|out| matches!(out, Output::Advert(0))).count(), 1);
    let cause = Cause::Member(blame("c"));
    assert_eq!(tell(&mut router, drag(Some("c"))), [Output::Event(Event::StillFault(cause.clone()))]);
    assert_eq!(router.machine.snapshot().cause, cause);
    assert_eq!(router.machine.history().back().map(|change| &change.cause), Some(&cause));
    assert_eq!(tell(&mut router, drag(Some("c"))), []);
    for state in [LinkState::Down, LinkState::Deleted] {
        let own = Cause::Fault(Fault::Link(state));
        let out = tell(&mut router, Input::Fault(Fault::Link(state), true));
        assert_eq!(router.machine.snapshot().cause, own, "its own comes first");
        assert!(out.contains(&Output::Trouble(Some(own))), "{out:?}");
    }
    assert_eq!(tell(&mut router, drag(Some("d"))), []);
    let out = tell(&mut router, Input::Fault(Fault::Link(LinkState::Up), false));
    assert!(out.contains(&Output::Trouble(None)), "{out:?}");
    assert_eq!(router.machine.snapshot().cause, Cause::Member(blame("d")));
    router.tell(drag(None));
    assert_eq!((router.state(), router.machine.snapshot().cause), (State::Backup, Cause::Over(Fault::Group)));
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
        let cause = Cause::Tracked("script s failed".to_owned());
        let tracked = Event::TrackedFault { what: "script s".to_owned(), fault: true };
        let expected = match state {
            State::Fault => vec![tracked, Event::Fault { init, cause }],
            _ => vec![Event::Backup { init, cause: Cause::Start }],
        };
        assert_eq!(router.events(), expected.iter().collect::<Vec<_>>());
    }
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
        assert_eq!(counters.rejects[&reject.kind()], 3, "{reject:?}");
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

/// What the log says of the priority when numbers in files become faults and cease to be, as stock was seen to say it.
/// Named pipes are told of none of it that the next state says as well.
#[test]
fn the_priority_is_set_after_a_fault_that_a_number_was() {
    let file = |name: &str, weight| Tracked {
        what: name.to_owned(),
        weight,
        reverse: false,
        status: Status::Number(0),
    };
    let mut router = Router::new(params(100));
    router.machine = Machine::new(params(100).into(), vec![file("a", 2), file("b", 3), file("c", 0)]);
    router.tell(Input::Start);
    router.confirm();
    for (index, number, said, told) in [
        (0, 10, "Changed 120", &[120][..]),
        (0, -3000, "fault", &[120]),
        (0, -4000, "", &[]),
        (0, 10, "no fault, Set 120", &[120]),
        (0, -3000, "fault", &[120]),
        (0, 200, "no fault, Set 254", &[254]),
        (0, -3000, "fault", &[254]),
        (0, 0, "no fault", &[100]),
        (0, 5, "Changed 110", &[110]),
        (1, -3000, "fault", &[110]),
        (0, -3000, "fault", &[]),
        (1, 1, "no fault, Set 103", &[]),
        (1, 2, "Changed 106", &[106]),
        (0, 1, "no fault, Set 108", &[108]),
        (2, 1, "fault", &[108]),
        (0, 2, "Changed 110", &[110]),
        (2, 0, "no fault", &[110]),
    ] {
        router.out.clear();
        router.tell(Input::Tracked(index, Status::Number(number)));
        router.confirm();
        let words = |event: &&Event| match event {
            Event::TrackedFault { fault, .. } => Some(if *fault { "fault" } else { "no fault" }.to_owned()),
            Event::PriorityChanged { now, .. } => Some(format!("Changed {now}")),
            Event::PrioritySet { now, .. } => Some(format!("Set {now}")),
            _ => None,
        };
        let events = router.events();
        let heard: Vec<String> = events.iter().filter_map(words).collect();
        assert_eq!(heard.join(", "), said, "{index} {number}");
        let priorities: Vec<u8> = router
            .notices()
            .iter()
            .map(|notice| match notice {
                Notice::State(_, priority) | Notice::Priority { priority, .. } => priority.get(),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(priorities, told, "{index} {number}");
    }
}
