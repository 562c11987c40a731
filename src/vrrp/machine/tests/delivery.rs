//! Unicast, IPv6, and the checksums of others.

use super::*;
use crate::config::model::UnicastPeer;
use crate::vrrp::params::{Unicast, UnicastChecksum};

fn unicast(checksum: UnicastChecksum) -> Params {
    let peers = vec![UnicastPeer { address: HIGH, min_ttl: 254, max_ttl: 255 }];
    let to = Unicast { peers, check_source: true, ttl: 254, checksum };
    Params { version: Version::V3, delivery: Delivery::Unicast(to), ..params(100) }
}

/// What a peer of a router with these parameters sends to it.
fn from_peer(router: &Router, params: &Params, source: IpAddr) -> Packet {
    let mut theirs = params.clone();
    if let Delivery::Unicast(to) = &mut theirs.delivery {
        to.peers = vec![UnicastPeer { address: OURS, min_ttl: 0, max_ttl: 255 }];
    }
    packet(&theirs, source, 200, router.now)
}

fn rejects(router: &Router) -> Vec<Reject> {
    let reject = |e: &&Event| if let Event::Rejected { reject, .. } = e { Some(*reject) } else { None };
    router.events().iter().filter_map(reject).collect()
}

#[test]
fn a_peer_is_heard_with_the_ttl_that_is_expected_of_it() {
    let params = unicast(UnicastChecksum::New);
    let mut router = Router::new(params.clone());
    let mut heard = from_peer(&router, &params, HIGH);
    assert_eq!(heard.ttl, 254);
    router.tell(Input::Packet(heard.clone()));
    assert_eq!(router.machine.snapshot().master, Some(HIGH));
    assert_eq!(rejects(&router), []);
    heard.ttl = 253;
    router.tell(Input::Packet(heard));
    assert_eq!(rejects(&router), [Reject::Ttl(253)]);
    let stranger = from_peer(&router, &params, LOW);
    router.tell(Input::Packet(stranger));
    assert!(rejects(&router).contains(&Reject::NotAPeer));
}

#[test]
fn the_old_checksum_is_learned_unless_it_is_forbidden() {
    let old = unicast(UnicastChecksum::Old(GROUP));
    let mut router = Router::new(unicast(UnicastChecksum::Learns(GROUP)));
    let packet = from_peer(&router, &old, HIGH);
    router.tell(Input::Packet(packet.clone()));
    assert!(router.events().contains(&&Event::OldChecksum));
    assert!(router.machine.params().delivery.sends_old_checksum());
    let new = from_peer(&router, &unicast(UnicastChecksum::New), HIGH);
    router.tell(Input::Packet(new));
    assert_eq!(rejects(&router), [], "both are understood from now on");

    let mut strict = Router::new(unicast(UnicastChecksum::New));
    strict.tell(Input::Packet(packet));
    assert_eq!(rejects(&strict), [Reject::Checksum]);
}

#[test]
fn the_checksum_of_version_2_in_version_3_is_understood_where_it_is_sent() {
    let plain = Params { version: Version::V3, ..params(100) };
    let as_v2 = Params { v3_checksum_as_v2: true, ..plain.clone() };
    for (ours, theirs, good) in [(&as_v2, &as_v2, true), (&as_v2, &plain, true), (&plain, &as_v2, false)] {
        let mut router = Router::new(ours.clone());
        let heard = packet(theirs, HIGH, 200, router.now);
        router.tell(Input::Packet(heard));
        assert_eq!(router.machine.snapshot().master.is_some(), good);
    }
}

#[test]
fn an_ipv6_router_hears_its_like() {
    let group = IpAddr::from([0xff02, 0, 0, 0, 0, 0, 0, 0x12]);
    let (vip, peer) =
        (IpAddr::from([0xfe80, 0, 0, 0, 0, 0, 0, 0x51]), IpAddr::from([0xfe80, 0, 0, 0, 0, 0, 0, 9]));
    for version in [Version::V3, Version::V2] {
        let delivery = Delivery::Multicast(group);
        let six = Params { version, family: Family::V6, delivery, addresses: vec![vip], ..params(100) };
        let mut router = Router::new(six.clone());
        let mut heard = packet(&six, peer, 200, router.now);
        router.tell(Input::Packet(heard.clone()));
        assert_eq!(router.machine.snapshot().master, Some(peer));
        assert_eq!(rejects(&router), []);
        heard.pdu[20] ^= 1;
        router.tell(Input::Packet(heard));
        assert_eq!(rejects(&router), [Reject::Checksum]);
    }
}

#[test]
fn nobody_writes_to_himself() {
    let own = unicast(UnicastChecksum::New);
    assert_eq!(Adverts::new(HIGH).next(&own, 100, Mark::None).count(), 0);
    assert_eq!(Adverts::new(OURS).next(&own, 100, Mark::None).count(), 1);
}

#[test]
fn who_recovers_tells_his_peers_where_he_is() {
    let mut router = Router::new(unicast(UnicastChecksum::New));
    router.tell(Input::Fault(Fault::Link(LinkState::Down), true));
    router.out.clear();
    router.tell(Input::Fault(Fault::Link(LinkState::Down), false));
    assert!(router.out.contains(&Output::AnnounceSource));
}
