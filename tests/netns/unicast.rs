//! Adverts to single routers: who may send them, how far they may have come, and what their checksum covers.

use std::net::Ipv4Addr;

use crate::lab::{Advert, Kind, checksum, inject, wait_until};
use crate::support::{A, B, GROUP, Two, config, each_pair, holds, holds_any, side_by_side, subject};

/// Where the crafted adverts come from.
const STRANGER: Ipv4Addr = Ipv4Addr::new(10, 7, 0, 66);

/// The usual instance, which sends to `peer` with the words behind it.
fn to(peer: Ipv4Addr, words: &str, priority: u8, more: &str) -> String {
    config(3, priority, &format!("{more}\n unicast_peer {{\n {peer} {words}\n }}"))
}

/// What an advert says in its IPv4 header.
fn ttl(advert: &Advert) -> u8 {
    advert.bytes[8]
}

/// The checksum over a pseudo header with this destination is right.
fn covers(advert: &Advert, destination: Ipv4Addr) -> bool {
    let message = advert.message();
    let length = u16::try_from(message.len()).unwrap().to_be_bytes();
    let pseudo = [&advert.source.octets()[..], &destination.octets(), &[0, 112], &length].concat();
    checksum(&[&pseudo, message]) == 0
}

/// An advert of a router that is no peer counts, unless only those of peers do.
#[test]
fn strangers() {
    let ways = ["", "check_unicast_src", "vrrp_check_unicast_src"];
    let kinds: Vec<_> = [subject(), Kind::Stock].into_iter().flat_map(|k| ways.map(|way| (k, way))).collect();
    side_by_side(kinds, |(kind, way)| {
        let two = Two::new();
        let stranger = two.lan.router("eth0", &format!("{STRANGER}/24"));
        let text = match way {
            "vrrp_check_unicast_src" => format!("global_defs {{\n {way}\n}}\n{}", to(B, "", 100, "")),
            _ => to(B, "", 100, way),
        };
        let _daemon = two.a.start(kind, &text);
        wait_until("the router is master", || holds(&two.a));
        let mark = two.capture.mark();
        let mut message = two.wait_adverts(mark, A, 1)[0].message().to_vec();
        message[2] = 200;
        message[6..8].fill(0);
        let length = u16::try_from(message.len()).unwrap().to_be_bytes();
        let pseudo = [&STRANGER.octets()[..], &A.octets(), &[0, 112], &length].concat();
        let sum = checksum(&[&pseudo, &message]);
        message[6..8].copy_from_slice(&sum.to_be_bytes());
        if !way.is_empty() {
            let mark = two.capture.mark();
            for _ in 0..5 {
                inject(&stranger, STRANGER, A, 255, &message);
            }
            two.wait_adverts(mark, A, 4);
            assert!(holds(&two.a), "a stranger has no effect");
        } else {
            wait_until("the stranger ends the master's reign", || {
                inject(&stranger, STRANGER, A, 255, &message);
                !holds_any(&two.a)
            });
        }
    });
}

/// Adverts carry the TTL that is asked for; one outside of a peer's limits is not heard.
#[test]
fn limits_of_the_ttl() {
    each_pair(|a, b| {
        for (words, heard) in [("min_ttl 7 max_ttl 7", true), ("min_ttl 8", false), ("max_ttl 6", false)] {
            let two = Two::new();
            let text = |peer, priority| to(peer, words, priority, "unicast_ttl 7");
            let _first = two.a.start(a, &text(B, 150));
            wait_until("A is master", || holds(&two.a));
            let second = two.b.start(b, &text(A, 100));
            second.wait_log("(VI_1) Entering BACKUP STATE");
            let mark = two.capture.mark();
            if heard {
                two.wait_adverts(mark, A, 6);
                assert!(!holds_any(&two.b), "{words}");
            } else {
                wait_until("both are master", || holds(&two.a) && holds(&two.b));
            }
            assert!(two.capture.adverts_since(mark, A).iter().all(|advert| ttl(advert) == 7), "{words}");
        }
    });
}

/// A router that is told to use the old checksum and one of ours that is not understand each other, and the second one
/// changes over. Stock's 2.2.7 does not, whoever sends; it has to be told.
#[test]
fn the_old_checksum_is_learnt() {
    each_pair(|a, b| {
        let two = Two::new();
        let first = two.a.start(a, &to(B, "", 150, "old_unicast_checksum"));
        wait_until("A is master", || holds(&two.a));
        let told = if b == Kind::Stock { "old_unicast_checksum" } else { "" };
        let second = two.b.start(b, &to(A, "", 100, told));
        if b == Kind::Ours {
            second.wait_log("(VI_1) Setting unicast VRRPv3 checksum to old version");
        }
        let mark = two.capture.mark();
        let adverts = two.wait_adverts(mark, A, 6);
        assert!(adverts.iter().all(|advert| covers(advert, GROUP)), "the old checksum");
        assert!(holds(&two.a) && !holds_any(&two.b));
        first.stop();
        wait_until("B takes over", || holds(&two.b));
        let mark = two.capture.mark();
        let adverts = two.wait_adverts(mark, B, 3);
        assert!(adverts.iter().all(|advert| covers(advert, GROUP)), "it has learnt it");
    });
}

/// `never` neither learns nor understands the old checksum, so both are master.
#[test]
fn the_old_checksum_is_refused() {
    each_pair(|a, b| {
        let two = Two::new();
        let _first = two.a.start(a, &to(B, "", 150, "old_unicast_checksum"));
        wait_until("A is master", || holds(&two.a));
        let _second = two.b.start(b, &to(A, "", 100, "old_unicast_checksum never"));
        wait_until("both are master", || holds(&two.a) && holds(&two.b));
        // One: stock may fall silent, as each advert that it rejects puts its own next one off.
        let adverts = two.wait_adverts(0, B, 1);
        assert!(adverts.iter().all(|advert| covers(advert, A)), "the checksum of RFC 9568");
    });
}

/// Who sends from an address that he does not have hears no answer, and would think that he is alone. Stock 2.2.7 wants
/// an interface, and notices only at the start.
#[test]
fn the_source_address_is_watched() {
    for interface in [true, false] {
        source_is_watched(interface);
    }
}

fn source_is_watched(interface: bool) {
    let two = Two::new();
    let text = |source: Ipv4Addr, peer, priority| {
        let text = to(peer, "", priority, &format!("unicast_src_ip {source}"));
        let named = if interface { " interface eth0\n" } else { "" };
        text.replace(" interface eth0\n", named).replace("/24\n", "/24 dev eth0\n")
    };
    for router in [&two.a, &two.b] {
        router.run("sysctl -qw net.ipv4.conf.all.promote_secondaries=1");
    }
    let kinds = (Kind::Ours, Kind::Ours);
    let (first, _second) = two.started(kinds, &text(A, B, 150), &text(B, A, 100));
    two.a.run(&format!("ip addr del {A}/24 dev eth0"));
    first.wait_log(&format!("Entering FAULT STATE (no interface has the source address {A})"));
    wait_until("B takes over", || holds(&two.b) && !holds_any(&two.a));
    two.a.run(&format!("ip addr add {A}/24 dev eth0"));
    first.wait_log(&format!("Entering BACKUP STATE (the source address {A} is there now)"));
    two.wait_master_a();
}
