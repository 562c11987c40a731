//! AH and `auth_hmac`.

use std::collections::BTreeMap;

use super::*;
use crate::config::model::HmacMode;
use crate::vrrp::auth::{Doubt, Hmac, SkewWarning};
use crate::wire::tests::hex;
use crate::wire::trailer::Stamp;

const KEY: &[u8; 32] = b"0123456789abcdef0123456789abcdef";
const NOW: Duration = Duration::from_secs(1_800_000_000);
/// What a clock that was never set says.
const UNSET: Duration = Duration::ZERO;
const OWN: Ipv4Addr = Ipv4Addr::new(10, 9, 0, 1);

fn ah(priority: u8) -> Params {
    let authentication = Authentication::Ah(*b"secret12");
    Params { version: Version::V2, authentication, ..params(priority) }
}

fn hmac(mode: HmacMode) -> Hmac {
    let keys = BTreeMap::from([(1, KEY.to_vec()), (7, KEY.to_vec())]);
    Hmac { keys, active: 1, mode, window: Some(Duration::from_secs(5)) }
}

fn signed(priority: u8) -> Params {
    Params { authentication: Authentication::Hmac(hmac(HmacMode::Enforce)), ..params(priority) }
}

/// The advert of priority 200 that was signed `secs` seconds from now.
fn signed_advert(router: &Router, secs: u64) -> Packet {
    let mark = Mark::Stamp(Stamp::at(NOW + Duration::from_secs(secs)));
    let packet = marked(&router.machine.params, HIGH, 200, router.now, mark);
    Packet { unix_time: NOW, ..packet }
}

fn rejects(router: &mut Router) -> Vec<Reject> {
    let rejects = router.events().into_iter().filter_map(|e| match e {
        Event::Rejected { reject, .. } => Some(*reject),
        _ => None,
    });
    let rejects = rejects.collect();
    router.out.clear();
    rejects
}

fn sent(params: &Params, from: IpAddr, mark: Mark) -> Vec<u8> {
    let mut adverts = Adverts::new(from);
    let (bytes, _) = adverts.next(params, 150, mark).next().unwrap();
    bytes.to_vec()
}

#[test]
fn ah_is_sent_as_by_stock() {
    let params = Params { vrid: Vrid::new(31).unwrap(), addresses: vec![[10, 9, 0, 31].into()], ..ah(150) };
    let stock = "45c0004000010000ff33d0ad0a090001e0000012\
         700400000a09000100000001ce25ca3b318185d8f9129b0b\
         211f960102013cb60a09001f0000000000000000";
    assert_eq!(sent(&params, OWN.into(), Mark::Sequence(1)), hex(stock));
}

#[test]
fn a_trailer_is_sent_as_by_stock() {
    let params =
        Params { vrid: Vrid::new(32).unwrap(), addresses: vec![[10, 9, 0, 32].into()], ..signed(150) };
    let packet = sent(&params, OWN.into(), Mark::Stamp(Stamp(0x6b01_5810_3e8c_0000)));
    assert_eq!(packet[2..4], 60_u16.to_be_bytes(), "the trailer counts");
    let stock = "31209601006443b80a090020 010100006b0158103e8c000044d42d8f97204a7ded6a732311235f51";
    assert_eq!(packet[20..], hex(stock));
}

#[test]
fn a_trailer_over_ipv6_is_sent_as_by_stock() {
    let params = Params {
        vrid: Vrid::new(33).unwrap(),
        family: Family::V6,
        delivery: Delivery::Multicast("ff02::12".parse().unwrap()),
        addresses: vec!["fe80::33".parse().unwrap(), "2001:db8::33".parse().unwrap()],
        authentication: Authentication::Hmac(Hmac { active: 7, ..hmac(HmacMode::Enforce) }),
        ..params(150)
    };
    let source = "fe80::b825:33ff:fe29:ed14".parse().unwrap();
    let packet = sent(&params, source, Mark::Stamp(Stamp(0x6b01_5810_3ecf_0000)));
    assert_eq!(packet[4..6], 68_u16.to_be_bytes(), "the trailer counts");
    let stock = "312196020064126d fe800000000000000000000000000033 20010db8000000000000000000000033 \
         010700006b0158103ecf0000cdd81f105d5c782bdb62c10b785449a1";
    assert_eq!(packet[40..], hex(stock), "the checksum covers it");
}

#[test]
fn who_only_receives_does_not_sign() {
    let params = |mode| Params { authentication: Authentication::Hmac(hmac(mode)), ..params(150) };
    let mark = Mark::Stamp(Stamp::at(NOW));
    assert_eq!(sent(&params(HmacMode::ReceiveOnly), OURS, mark).len(), 32);
    assert_eq!(sent(&params(HmacMode::Permissive), OURS, mark).len(), 60);
}

#[test]
fn an_advert_that_is_not_believed_has_no_effect() {
    type Break = fn(&mut Packet);
    let cases: [(Break, Reject); 8] = [
        (|p| p.pdu.truncate(12), Reject::Length { received: 32, expected: 32 }),
        (|p| *p.pdu.last_mut().unwrap() ^= 1, Reject::Trailer(Doubt::WrongCode)),
        (|p| p.pdu[2] = 201, Reject::Trailer(Doubt::WrongCode)),
        (|p| p.source = LOW, Reject::Trailer(Doubt::WrongCode)),
        (|p| p.pdu[12] = 2, Reject::Trailer(Doubt::Malformed)),
        (|p| p.pdu[13] = 9, Reject::Trailer(Doubt::UnknownKey(9))),
        (|p| p.unix_time += Duration::from_secs(6), Reject::Trailer(Doubt::Stale { skew: 6, window: 5 })),
        (|p| p.pdu[6] ^= 1, Reject::Checksum),
    ];
    for (damage, reject) in cases {
        let mut router = Router::new(signed(100));
        let deadline = router.election();
        router.out.clear();
        router.now += ms(100);
        let advert = signed_advert(&router, 0);
        let mut damaged = advert.clone();
        damage(&mut damaged);
        router.tell(Input::Packet(damaged));
        assert_eq!(rejects(&mut router), [reject]);
        let seen = router.machine.snapshot();
        assert_eq!((seen.master, seen.counters.advert_rcvd), (None, 0), "{reject:?}");
        assert_eq!(seen.counters.rejects[&reject.kind()], 1, "{reject:?}");
        assert_eq!(router.election(), deadline, "{reject:?}");
        // Nor does it make the true one a replay.
        router.tell(Input::Packet(advert.clone()));
        assert_eq!(rejects(&mut router), [], "{reject:?}");
        assert_eq!(router.machine.snapshot().master, Some(HIGH), "{reject:?}");
        router.tell(Input::Packet(advert));
        assert_eq!(rejects(&mut router), [Reject::Trailer(Doubt::Replayed)], "{reject:?}");
    }
}

#[test]
fn unsigned_adverts_count_unless_signing_is_enforced() {
    for (mode, believed) in
        [(HmacMode::Enforce, false), (HmacMode::Permissive, true), (HmacMode::ReceiveOnly, true)]
    {
        let authentication = Authentication::Hmac(hmac(mode));
        let mut router = Router::new(Params { authentication, ..params(100) });
        router.out.clear();
        router.tell(Input::Packet(packet(&params(200), HIGH, 200, router.now)));
        assert_eq!(rejects(&mut router), [Reject::Trailer(Doubt::Missing)], "{mode:?}");
        assert_eq!(router.machine.snapshot().master.is_some(), believed, "{mode:?}");
        router.tell(Input::Packet(packet(&params(200), HIGH, 200, router.now)));
        assert_eq!(rejects(&mut router), [], "{mode:?}: it has been told, also of this master");
        router.tell(Input::Packet(packet(&params(250), LOW, 250, router.now)));
        assert_eq!(rejects(&mut router), [], "{mode:?}: not yet of the next one");
        router.tell(Input::Packet(packet(&params(250), LOW, 250, router.now)));
        let expected: &[Reject] = if believed { &[Reject::Trailer(Doubt::Missing)] } else { &[] };
        assert_eq!(rejects(&mut router), expected, "{mode:?}");
    }
}

#[test]
fn without_auth_hmac_a_trailer_makes_an_advert_too_long() {
    let mut router = Router::new(params(100));
    router.out.clear();
    let advert = marked(&signed(200), HIGH, 200, router.now, Mark::Stamp(Stamp::at(NOW)));
    router.tell(Input::Packet(advert));
    assert_eq!(rejects(&mut router), [Reject::Length { received: 60, expected: 32 }]);
}

#[test]
fn clocks_that_drift_apart_are_reported_in_time() {
    let mut router = Router::new(signed(100));
    router.out.clear();
    router.tell(Input::Packet(signed_advert(&router, 4)));
    assert_eq!(rejects(&mut router), [Reject::ClockSkew(SkewWarning { skew: 4, window: 5 })]);
    assert_eq!(router.machine.snapshot().master, Some(HIGH));
}

/// The advert of priority 200 with this number.
fn numbered(params: &Params, priority: u8, number: u32) -> Packet {
    marked(params, HIGH, priority, Instant::ZERO, Mark::Sequence(number))
}

#[test]
fn a_backup_takes_over_the_masters_numbers() {
    let mut router = Router::new(ah(100));
    router.out.clear();
    for (number, believed) in [(41, true), (41, false), (40, false), (43, true)] {
        router.tell(Input::Packet(numbered(&ah(200), 200, number)));
        let expected = if believed { vec![] } else { vec![Reject::Ah(Doubt::Replayed)] };
        // Each kind is reported once.
        let expected = if number == 40 { vec![] } else { expected };
        assert_eq!(rejects(&mut router), expected, "{number}");
    }
    assert_eq!(router.machine.snapshot().counters.advert_rcvd, 2);
    assert_eq!(router.machine.mark(UNSET), Mark::Sequence(44));
}

#[test]
fn a_master_goes_on_from_the_number_of_a_lower_priority() {
    let mut router = Router::master(ah(150));
    assert_eq!(router.machine.mark(UNSET), Mark::Sequence(1));
    router.tell(Input::Packet(numbered(&ah(100), 100, 500)));
    assert!(router.events().contains(&&Event::SequenceSynced));
    assert_eq!(router.state(), State::Master);
    assert_eq!(router.machine.mark(UNSET), Mark::Sequence(501));
}

/// Two masters that send at the same moment must not be deaf to each other.
#[test]
fn a_number_that_only_we_have_used_is_no_replay() {
    let mut router = Router::master(ah(100));
    assert_eq!(router.machine.mark(UNSET), Mark::Sequence(1));
    router.tell(Input::Packet(numbered(&ah(200), 200, 1)));
    assert_eq!(router.state(), State::Backup);
}

#[test]
fn a_wrong_ah_advert_has_no_effect() {
    type Break = fn(&mut Packet);
    let cases: [(Break, Reject); 5] = [
        (|p| p.sealed.as_mut().unwrap()[40] ^= 1, Reject::Ah(Doubt::WrongCode)),
        (|p| p.sealed.as_mut().unwrap()[27] ^= 1, Reject::Ah(Doubt::Malformed)),
        (|p| p.source = LOW, Reject::Ah(Doubt::Malformed)),
        (|p| p.sealed = None, Reject::AuthTypeMismatch(2)),
        (|p| p.pdu[4] = 0, Reject::AuthTypeMismatch(0)),
    ];
    for (damage, reject) in cases {
        let mut router = Router::master(ah(100));
        let mut packet = numbered(&ah(200), 200, 9);
        damage(&mut packet);
        router.tell(Input::Packet(packet));
        assert_eq!(rejects(&mut router), [reject]);
        assert_eq!(
            (router.state(), router.machine.mark(UNSET)),
            (State::Master, Mark::Sequence(1)),
            "{reject:?}"
        );
    }
    // Nor does one that is wrong in what AH has nothing to do with, and one that we do not expect.
    let mut router = Router::master(ah(100));
    let other = Params { advert_int: Duration::from_secs(2), ..ah(200) };
    router.tell(Input::Packet(numbered(&other, 200, 9)));
    assert_eq!(rejects(&mut router), [Reject::Interval(2)]);
    assert_eq!(router.machine.mark(UNSET), Mark::Sequence(1));
    let mut plain = Router::master(Params { authentication: Authentication::None, ..ah(100) });
    plain.tell(Input::Packet(numbered(&ah(200), 200, 9)));
    assert_eq!(rejects(&mut plain), [Reject::AuthTypeMismatch(2)]);
}

#[test]
fn stamps_go_on_when_the_clock_is_set_back() {
    let mut router = Router::new(signed(100));
    let at = |router: &mut Router, secs: u64| match router.machine.mark(Duration::from_secs(secs)) {
        Mark::Stamp(stamp) => stamp,
        other => panic!("{other:?}"),
    };
    let first = at(&mut router, 1_000);
    let same = at(&mut router, 1_000);
    let back = at(&mut router, 997);
    assert!(same.is_after(first) && back.is_after(same), "{first:?} {same:?} {back:?}");
    assert_eq!(at(&mut router, 1_001).secs(), 1_001);
    // Nobody believed us then.
    assert_eq!(at(&mut router, 500).secs(), 500);
}
