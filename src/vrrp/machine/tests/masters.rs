//! What a master says, and to whom it yields.

use super::*;

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
    router.tell(Input::Fault(Fault::Link(LinkState::Down), true));
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

/// With `-V` the addresses stay, and nobody is told.
#[test]
fn who_is_to_stay_stops_without_a_word() {
    let mut router = Router::master(Params { stays: true, ..params(100) });
    router.out.clear();
    router.tell(Input::Stop);
    assert_eq!(router.state(), State::Stopped);
    let stopped = Notice::State(State::Stopped, Priority::new(100).unwrap());
    assert_eq!(router.out, [Output::Event(Event::Stopped), Output::Notify(stopped)]);
    // Whoever is taken out of the configuration does go.
    let mut router = Router::master(Params { stays: true, ..params(100) });
    router.tell(Input::Delete);
    assert_eq!(router.adverts(), [0]);
}

#[test]
fn what_is_placed_is_announced_while_the_claim_is_under_way_and_we_are_master() {
    let placed = |router: &mut Router, number| {
        router.out.clear();
        router.tell(Input::Placed(number));
        router.out.contains(&Output::AnnouncePlaced)
    };
    let mut router = Router::new(params(100));
    router.sleep_until_master();
    let claim = router.machine.claim;
    assert!(placed(&mut router, claim));
    assert!(!placed(&mut router, claim - 1), "that claim is over");
    // A router that was away listens first.
    let mut stalled = router.clone();
    stalled.now += ms(10_000);
    assert!(!placed(&mut stalled, claim));
    router.confirm();
    assert!(!placed(&mut router, claim), "all of it has been announced");
    router.hear(HIGH, 200);
    let claim = router.machine.claim;
    assert!(!placed(&mut router, claim), "nothing is claimed any more");
}

#[test]
fn an_owner_yields_to_another_without_a_word() {
    let mut router = Router::master(params(255));
    router.adverts();
    router.hear(HIGH, 255);
    assert_eq!((router.state(), router.adverts()), (State::Backup, vec![]));
}
