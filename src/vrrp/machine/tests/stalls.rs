//! Routers that were not run for a while.

use super::*;

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

/// An order to stop may wait as well, and comes a little later than what the network has to say.
#[test]
fn a_master_that_was_away_does_not_insist_before_it_can_have_been_told_to_stop() {
    let mut told = Router::master(params(100));
    told.now += ms(10_000);
    told.hear(LOW, 50);
    told.tell(Input::Deadline);
    told.pass(ms(49));
    assert!(told.adverts().is_empty() && told.announced().is_empty());
    let mut left_alone = told.clone();
    told.tell(Input::Stop);
    assert_eq!(told.adverts(), [0], "and not one word more");
    left_alone.hear(LOW, 50);
    left_alone.pass(ms(1));
    assert_eq!(left_alone.announced(), [5]);
    assert_eq!(left_alone.adverts(), [100]);
    left_alone.hear(LOW, 50);
    assert_eq!(left_alone.adverts(), [100], "from then on at once");
}

#[test]
fn a_master_that_was_away_speaks_at_once_while_its_peers_may_still_wait() {
    // The peer of the lowest priority waits for 3 intervals and 255/256.
    for (away, adverts) in [(3000, &[100][..]), (3990, &[100]), (4000, &[])] {
        for preempt in [true, false] {
            let mut router = Router::master(Params { preempt, ..params(100) });
            let sent = router.machine.last_sent;
            router.wake(sent + ms(away));
            assert_eq!(!router.announced().is_empty(), !adverts.is_empty(), "{away} ms");
            assert_eq!(router.adverts(), adverts, "{away} ms");
        }
    }
}
