//! Routers that were not run for a while. Ours only: stock speaks first, and listens later.

use std::time::Duration;

use crate::lab::{Kind, wait_until};
use crate::support::{A, B, Two, config, holds, holds_any, side_by_side};

/// Longer than anybody's master-down time in these tests, twice.
const LONG: Duration = Duration::from_secs(4);

/// Ours, beside either kind.
fn beside_each(scenario: impl Fn(Kind) + Sync) {
    side_by_side(vec![Kind::Ours, Kind::Stock], scenario);
}

/// Without preemption a master that was stopped leaves the address to whoever took over, and says not one word.
#[test]
fn a_stopped_master_without_preemption_gives_the_address_up() {
    beside_each(|peer| {
        let two = Two::new();
        let (first, _second) =
            two.started((Kind::Ours, peer), &config(3, 150, "nopreempt"), &config(3, 100, "nopreempt"));
        first.freeze();
        wait_until("the backup takes over", || holds(&two.b));
        let mark = two.capture.mark();
        two.wait_adverts(mark, B, 3);
        let thawed = two.capture.mark();
        first.thaw();
        wait_until("the old master gives its addresses up", || !holds_any(&two.a));
        two.wait_adverts(thawed, B, 8);
        assert_eq!(two.capture.adverts_since(thawed, A).len(), 0, "it says nothing: {}", first.log());
        assert!(holds(&two.b) && !holds_any(&two.a));
        assert!(two.capture.adverts_since(thawed, B).iter().all(|advert| advert.priority == 100));
    });
}

/// With preemption it takes the address back, and there is one master in the end.
#[test]
fn a_stopped_master_with_preemption_takes_the_address_back() {
    beside_each(|peer| {
        let two = Two::new();
        let (first, _second) = two.started((Kind::Ours, peer), &config(3, 150, ""), &config(3, 100, ""));
        first.freeze();
        wait_until("the backup takes over", || holds(&two.b));
        first.thaw();
        two.wait_master_a();
    });
}

/// A master alone that was stopped cannot know that it is alone: it listens before it speaks.
#[test]
fn a_stopped_master_listens_before_it_speaks() {
    let two = Two::new();
    let daemon = two.a.start(Kind::Ours, &config(3, 150, ""));
    wait_until("it is master", || holds(&two.a));
    daemon.freeze();
    std::thread::sleep(LONG);
    let mark = two.capture.mark();
    daemon.thaw();
    daemon.wait_log("listening before speaking");
    two.wait_adverts(mark, A, 3);
    assert!(holds(&two.a), "nobody came forward");
    assert_eq!(daemon.log().matches("Entering").count(), 2, "BACKUP and MASTER: {}", daemon.log());
}

/// A backup that was stopped for longer than its master-down time finds adverts waiting, and believes those rather than
/// its timer.
#[test]
fn a_stopped_backup_does_not_take_over_while_adverts_wait() {
    beside_each(|peer| {
        let two = Two::new();
        let (_first, second) = two.started((peer, Kind::Ours), &config(3, 150, ""), &config(3, 100, ""));
        for _ in 0..3 {
            let mark = two.capture.mark();
            second.freeze();
            std::thread::sleep(LONG / 2);
            second.thaw();
            two.wait_adverts(mark, A, 10);
            assert_eq!(two.capture.adverts_since(mark, B).len(), 0, "{}", second.log());
        }
        assert!(holds(&two.a) && !holds_any(&two.b));
    });
}

/// A master that was stopped and is told to stop leaves without taking its addresses back for a moment.
#[test]
fn a_stopped_master_that_is_to_leave_leaves() {
    beside_each(|peer| {
        let two = Two::new();
        let (first, _second) = two.started((Kind::Ours, peer), &config(3, 150, ""), &config(3, 100, ""));
        first.freeze();
        wait_until("the backup takes over", || holds(&two.b));
        two.wait_adverts(two.capture.mark(), B, 3);
        let mark = two.capture.mark();
        first.signal(nix::sys::signal::Signal::SIGTERM);
        first.thaw();
        assert_eq!(first.wait().code(), Some(0));
        two.wait_adverts(mark, B, 3);
        let said = two.capture.adverts_since(mark, A);
        assert!(said.iter().all(|advert| advert.priority == 0), "{said:?}: {}", first.log());
        assert_eq!(two.capture.garps_since(mark, crate::support::MAC_A).len(), 0);
        assert!(holds(&two.b) && !holds_any(&two.a));
    });
}
