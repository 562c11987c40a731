//! Options that few use: start-up delay, two owners, `timer_expired_backup`; and what is kept of the past.

use super::*;

/// What is heard during the start-up delay of 5 s: after how long, whose priority, at which interval. Then silence; when it
/// is master, in microseconds after the end of the delay. All but the lower master's cases as stock was measured.
#[test]
fn nobody_is_master_before_the_startup_delay_is_over_but_everybody_learns() {
    let down = |interval: u64| interval * 3_609_375 / 1000;
    let after = |heard: &[(u64, u8, u64)], ours: Params| {
        let mut router = Router::new(Params { startup_delay: ms(5000), ..ours });
        let end = router.now + ms(5000);
        for (pause, priority, interval) in heard {
            router.pass(ms(*pause));
            let theirs = Params { advert_int: ms(*interval), ..params(200) };
            router.tell(Input::Packet(packet(&theirs, HIGH, *priority, router.now)));
        }
        router.pass((end - router.now).saturating_sub(Duration::from_micros(1)));
        assert_eq!(router.state(), State::Backup, "{heard:?}");
        router.sleep_until_master();
        (router.now - end).as_micros() as u64
    };
    for (heard, expected) in [
        (&[][..], down(1000)),
        (&[(1000, 200, 1000)], down(1000)),
        (&[(1000, 200, 5000)], down(5000)),
        (&[(1000, 0, 1000)], 609_375),
        (&[(1000, 200, 5000), (500, 0, 5000)], 5 * 609_375),
        (&[(1000, 0, 1000), (500, 200, 1000)], down(1000)),
        (&[(1000, 0, 1000), (500, 50, 1000)], 609_375),
        (&[(1000, 50, 1000), (1000, 50, 1000)], down(1000)),
        (&[(5000, 200, 1000)], down(1000)),
    ] {
        assert_eq!(after(heard, params(100)), expected, "{heard:?}");
    }
    // The delay before preempting counts from the first advert: here it is over 2 s after the end.
    let patient = || Params { preempt_delay: ms(6000), ..params(100) };
    assert_eq!(after(&[(1000, 50, 1000); 4], patient()), down(1000));
    let mut router = Router::new(Params { startup_delay: ms(5000), ..patient() });
    for _ in 0..9 {
        router.pass(ms(1000));
        router.hear(LOW, 50);
    }
    assert_eq!(router.election(), Some(router.now + (Duration::from_micros(down(1000)) - ms(3000))));
    // An owner's wait ends with the delay, unless it hears another owner.
    for (heard, expected) in [(&[][..], 1), (&[(1000, 200, 1000)], 1), (&[(1000, 0, 1000)], 3906)] {
        assert_eq!(after(heard, params(255)), expected, "{heard:?}");
    }
    assert_eq!(after(&[(1000, 255, 1000)], params(255)), 3_003_906);
}

/// Who was away during the delay may not have heard who took over from the one that said goodbye.
#[test]
fn whoever_is_away_during_the_startup_delay_listens_after_it() {
    let mut router = Router::new(Params { startup_delay: ms(5000), ..params(100) });
    let end = router.now + ms(5000);
    router.pass(ms(1000));
    router.hear(HIGH, 0);
    router.stall(ms(3900));
    assert!(router.events().iter().any(|event| matches!(event, Event::Stalled(_))));
    router.pass(ms(800));
    assert!(router.now > end + ms(609) && router.state() == State::Backup, "an interval has not passed");
    router.sleep_until_master();
}

/// Whatever moves the end of a wait moves it to the end of the delay at most.
#[test]
fn a_reload_does_not_shorten_the_startup_delay() {
    let mut router = Router::new(Params { startup_delay: ms(5000), ..params(255) });
    let end = router.now + ms(5000);
    router.pass(ms(1000));
    let quicker = Params { down_timer_adverts: 1, ..params(255) };
    let reload = Reload { params: quicker.into(), tracked: Vec::new(), claims: false, regrouped: false };
    router.tell(Input::Reload(Box::new(reload)));
    assert_eq!(router.election(), Some(end));
}

#[test]
fn of_two_owners_one_gives_way_in_the_end() {
    let mut router = Router::master(params(255));
    // 2 own intervals and 1.2 of the slower one's.
    for _ in 0..4 {
        router.hear(LOW, 255);
        assert_eq!(router.state(), State::Master);
        router.pass(ms(1000));
    }
    assert!(router.events().contains(&&Event::OwnerConflict(LOW)));
    router.out.clear();
    router.hear(LOW, 255);
    assert_eq!(router.state(), State::Backup);
    assert!(router.events().contains(&&Event::OwnerReduced(LOW)));
    assert_eq!(router.machine.snapshot().priority, Priority::HIGHEST);
    // It is heard no more: back to what was configured.
    router.sleep_until_master();
    assert!(router.events().contains(&&Event::OwnerRestored));
    assert_eq!(router.machine.snapshot().priority, Priority::OWNER);
}

#[test]
fn another_owner_that_is_heard_now_and_then_is_not_given_way_to() {
    let mut router = Router::master(params(255));
    for _ in 0..4 {
        router.hear(LOW, 255);
        router.pass(ms(10_000));
    }
    assert_eq!(router.state(), State::Master);
}

#[test]
fn an_owner_may_be_deaf() {
    let mut router = Router::master(Params { ignores_adverts: true, ..params(255) });
    router.hear(HIGH, 255);
    assert_eq!(router.state(), State::Master);
    assert_eq!(router.machine.snapshot().counters.advert_rcvd, 0);
}

#[test]
fn a_router_that_was_away_long_enough_for_the_others_does_not_listen_first() {
    let peer = Priority::new(200).unwrap();
    let without = Params { preempt: false, ..params(100) };
    let with = Params { timer_expired_backup: Some(peer), ..without.clone() };
    // 3 intervals, and the skew of priority 200.
    for (params, away, state, adverts) in [
        (&with, 3300, State::Backup, &[][..]),
        (&with, 3100, State::Master, &[100]),
        (&without, 3300, State::Master, &[100]),
    ] {
        let mut router = Router::master(params.clone());
        let sent = router.machine.last_sent;
        router.wake(sent + ms(away));
        assert_eq!(router.state(), state, "{away} ms, {:?}", params.timer_expired_backup);
        assert_eq!(router.adverts(), adverts, "{away} ms");
    }
}

#[test]
fn addresses_of_a_known_master_need_not_be_looked_at() {
    for (skip, odd) in [(true, 0), (false, 1)] {
        let mut router = Router::new(Params { skip_check_adv_addr: skip, ..params(100) });
        router.hear(HIGH, 200);
        let others = Params { addresses: vec![LOW], ..router.machine.params().clone() };
        router.tell(Input::Packet(packet(&others, HIGH, 200, router.now)));
        let missing = |router: &Router| {
            let counters = router.machine.snapshot().counters;
            counters.rejects.get(&Reject::AddressMissing(VIP).kind()).copied().unwrap_or_default()
        };
        assert_eq!(missing(&router), odd);
        // Another sender is looked at all the same.
        router.tell(Input::Packet(packet(&others, LOW, 200, router.now)));
        assert_eq!(missing(&router), odd + 1);
    }
}

#[test]
fn the_last_hundred_changes_are_kept_with_their_causes() {
    let mut router = Router::new(params(100));
    assert_eq!(router.machine.history()[0].cause, Cause::Start);
    router.tell(Input::Fault(Fault::Link(LinkState::Down), true));
    router.tell(Input::Fault(NO_ADDRESS, true));
    let kept: Vec<_> = router.machine.history().iter().map(|c| (c.state, c.cause.clone())).collect();
    assert_eq!(
        kept,
        [
            (State::Backup, Cause::Start),
            (State::Fault, Cause::Fault(Fault::Link(LinkState::Down))),
            (State::Fault, Cause::Fault(NO_ADDRESS)),
        ]
    );
    for _ in 0..200 {
        router.tell(Input::Fault(NO_ADDRESS, false));
        router.tell(Input::Fault(NO_ADDRESS, true));
    }
    assert_eq!(router.machine.history().len(), 100);
}

#[test]
fn addresses_on_other_interfaces_are_announced_now_and_then() {
    let garp = GarpSchedule { extra: ms(1500), ..GarpSchedule::default() };
    let mut router = Router::master(Params { garp, ..params(100) });
    let extra = |router: &Router| router.out.iter().filter(|o| **o == Output::AnnounceExtra).count();
    router.pass(ms(1499));
    assert_eq!(extra(&router), 0);
    for _ in 0..30 {
        router.pass(ms(100));
    }
    assert_eq!(extra(&router), 2, "after 1.5 s and 3 s, not before the first interval is over");
    router.hear(HIGH, 200);
    router.out.clear();
    router.pass(ms(1500));
    assert_eq!(extra(&router), 0, "not as a backup");
}

#[test]
fn a_flood_of_lower_priorities_is_answered_as_often_as_an_honest_router_sends() {
    let mut router = Router::master(params(200));
    router.pass(ms(10_000));
    router.out.clear();
    for _ in 0..1000 {
        router.hear(LOW, 100);
        router.pass(ms(2));
    }
    let count = |wanted: fn(&Output) -> bool| router.out.iter().filter(|o| wanted(o)).count();
    let logged = count(|o| matches!(o, Output::Event(Event::LowerPriorityHeard { .. })));
    let announced = count(|o| matches!(o, Output::Announce(_)));
    let sent = count(|o| matches!(o, Output::Advert(_)));
    // 2 s at 1 s an advert: one answer each half interval at most.
    assert_eq!((logged, announced, sent), (4, 4, 4));
    assert_eq!(router.machine.snapshot().counters.advert_rcvd, 1000);
}
