//! Every cause and every event comes up: what nothing produces, nobody would miss.

use std::collections::BTreeSet;

use super::*;
use crate::config::model::UnicastPeer;
use crate::vrrp::params::{Unicast, UnicastChecksum};

/// The names of a type's variants, and which one a value is. Without an arm for each the match does not compile.
macro_rules! variants {
    ($name:ident, $list:ident, $type:ident: $($variant:ident)*) => {
        const $list: &[&str] = &[$(stringify!($variant)),*];

        fn $name(value: &$type) -> &'static str {
            match value {
                $($type::$variant { .. } => stringify!($variant)),*
            }
        }
    };
}

variants!(cause, CAUSES, Cause:
    Start Reload Deleted MasterDown MasterResigned Owner HigherPriority HigherAddress Stalled Group Member Fault Over
    Tracked TimerExpired OwnerConflict HandedOver Stop);

variants!(event, EVENTS, Event:
    AdvertTimeout Master Backup Fault StillFault Stopped Lent NotLent SentPriorityZero BackupHeardPriorityZero
    MasterHeardPriorityZero LowerPriorityDiscarded LowerPriorityHeard HigherPriorityHeard HigherAddressHeard SequenceSynced OwnAddressHeard
    OwnerConflict OwnerReduced OwnerRestored TimerExpired MasterIs IntervalLearned IntervalOwn PreemptDelayStarted
    PreemptDelayStopped TrackedFault PriorityChanged PrioritySet Rejected OldChecksum Stalled);

/// A master whose past is not forgotten.
fn mastered(params: Params) -> Router {
    let mut router = Router::new(params);
    router.sleep_until_master();
    router
}

/// Short lives of a backup.
fn backups() -> Vec<Router> {
    let mut waiting = Router::new(params(100));
    waiting.hear(LOW, 50);
    let theirs = Params { advert_int: ms(2000), ..params(200) };
    waiting.tell(Input::Packet(packet(&theirs, HIGH, 200, waiting.now)));
    waiting.hear(HIGH, 0);
    waiting.sleep_until_master();
    waiting.tell(Input::Delete);

    let mut patient = Router::new(Params { preempt_delay: ms(5000), ..params(100) });
    patient.hear(LOW, 50);
    patient.hear(HIGH, 200);
    patient.stall(ms(60_000));

    let peers = vec![UnicastPeer { address: HIGH, min_ttl: 0, max_ttl: 255 }];
    let to = |checksum| {
        let to = Unicast { peers: peers.clone(), check_source: false, ttl: 255, checksum };
        Params { delivery: Delivery::Unicast(to), ..params(100) }
    };
    let mut old = Router::new(to(UnicastChecksum::Learns(GROUP)));
    let mut theirs = to(UnicastChecksum::Old(GROUP));
    if let Delivery::Unicast(to) = &mut theirs.delivery {
        to.peers[0].address = OURS;
    }
    old.tell(Input::Packet(packet(&theirs, HIGH, 200, old.now)));

    let mut member = Router::new(Params { grouped: true, ..params(100) });
    member.pass(ms(4000));
    member.tell(Input::Group(Order::Master));
    member.tell(Input::Group(Order::Backup));
    member.tell(Input::Group(Order::Fault(Some(blame("Instance B: interface eth1 is down")))));
    vec![waiting, patient, old, member]
}

/// Short lives of a master.
fn masters() -> Vec<Router> {
    let mut lost = mastered(params(100));
    lost.hear(LOW, 50);
    lost.hear(OURS, 100);
    lost.hear(HIGH, 0);
    lost.hear(LOW, 200);
    let mut equal = mastered(params(100));
    equal.hear(HIGH, 100);

    let mut owner = mastered(params(255));
    for _ in 0..5 {
        owner.hear(LOW, 255);
        owner.pass(ms(1000));
    }
    owner.sleep_until_master();

    let mut stalled = mastered(Params { preempt: false, ..params(100) });
    stalled.now += ms(10_000);
    stalled.hear(LOW, 50);
    let highest = Priority::new(200);
    let mut expired = mastered(Params { preempt: false, timer_expired_backup: highest, ..params(100) });
    expired.stall(ms(10_000));

    let secret = Authentication::Ah(*b"secret12");
    let ah = |priority| Params { version: Version::V2, authentication: secret.clone(), ..params(priority) };
    let mut counting = mastered(ah(100));
    counting.tell(Input::Packet(marked(&ah(50), HIGH, 50, counting.now, Mark::Sequence(500))));
    vec![lost, equal, owner, stalled, expired, counting]
}

/// Short lives of a router with something wrong.
fn faulty() -> Vec<Router> {
    let mut down = mastered(params(100));
    down.tell(Input::Fault(Fault::Link(LinkState::Down), true));
    down.tell(Input::Fault(Fault::Link(LinkState::Down), false));
    down.tell(Input::Fault(Fault::Link(LinkState::Down), true));
    down.tell(Input::Fault(Fault::Link(LinkState::Deleted), true));
    let mut tracking = Router::tracking(params(100), &[0, 20]);
    tracking.tell(Input::Tracked(1, Status::Good));
    tracking.tell(Input::Tracked(0, Status::Bad));
    tracking.tell(Input::Tracked(1, Status::Number(-20)));
    tracking.tell(Input::Tracked(1, Status::Number(1)));
    let reload = Reload { params: params(100).into(), tracked: Vec::new(), claims: false, regrouped: false };
    tracking.tell(Input::Reload(Box::new(reload)));
    tracking.tell(Input::Packet(Packet { ttl: 9, ..packet(&params(200), HIGH, 200, tracking.now) }));
    tracking.tell(Input::Stop);
    vec![down, tracking]
}

/// A master that is handed over, the one it is handed to, and one that cannot be.
fn restarted() -> Vec<Router> {
    let lease = Some(ms(2000));
    let mut leaving = mastered(Params { lease, ..params(100) });
    let mut unable = leaving.clone();
    for router in [&mut leaving, &mut unable] {
        router.confirm();
        router.tell(Input::HandOver);
    }
    leaving.confirm();
    unable.tell(Input::NotLent(unable.machine.claim));
    let mut heir = Router::new(params(100));
    heir.machine = Machine::new(params(100).into(), Vec::new());
    heir.machine.inherits(leaving.machine.leaves(heir.now + ms(2000)));
    heir.tell(Input::Start);
    vec![leaving, unable, heir]
}

#[test]
fn every_cause_and_every_event_comes_up() {
    let routers = [backups(), masters(), faulty(), restarted()].concat();
    let events: BTreeSet<_> = routers.iter().flat_map(Router::events).map(event).collect();
    assert_eq!(events, EVENTS.iter().copied().collect());
    let changes = routers.iter().flat_map(|router| router.machine.history());
    let causes: BTreeSet<_> = changes.map(|change| cause(&change.cause)).collect();
    assert_eq!(causes, CAUSES.iter().copied().collect());
}

/// A link that fails in another way is the same fault, and what it was last is what is over in the end.
#[test]
fn a_fault_may_change() {
    let mut router = mastered(params(100));
    for state in [LinkState::NoCarrier, LinkState::NoCarrier, LinkState::Down, LinkState::Deleted] {
        router.tell(Input::Fault(Fault::Link(state), true));
    }
    router.tell(Input::Fault(Fault::Link(LinkState::Up), false));
    let causes: Vec<_> = router.machine.history().iter().skip(2).map(|change| change.cause.clone()).collect();
    let expected = [
        Cause::Fault(Fault::Link(LinkState::NoCarrier)),
        Cause::Fault(Fault::Link(LinkState::Down)),
        Cause::Fault(Fault::Link(LinkState::Deleted)),
        Cause::Over(Fault::Link(LinkState::Deleted)),
    ];
    assert_eq!(causes, expected);
    assert_eq!(router.state(), State::Backup);
}
