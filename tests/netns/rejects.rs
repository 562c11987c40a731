//! Adverts that must have no effect. Each case sends a run of unacceptable adverts of a higher priority to a
//! master, and then the acceptable form of the same advert, which has to end its reign: so the former were seen
//! and ignored, and had nothing else wrong with them.

use std::net::Ipv4Addr;

use crate::lab::{Advert, Kind, Router, checksum, inject, wait_until};
use crate::support::{A, B, GROUP, Two, config, each_pair, holds, holds_any, subject};

/// Where the crafted adverts come from.
const INTRUDER: Ipv4Addr = Ipv4Addr::new(10, 7, 0, 66);

/// `spoil` gets an acceptable advert of priority 200 (TTL 255, message without a checksum) and makes it
/// unacceptable; the checksum is set afterwards unless `spoil_after` is to work on the finished one.
fn rejected(version: u8, spoil: impl Fn(&mut u32, &mut Vec<u8>), spoil_after: impl Fn(&mut Vec<u8>)) {
    let two = Two::new();
    let intruder = two.lan.router("eth0", &format!("{INTRUDER}/24"));
    let daemon = two.a.start(subject(), &config(version, 100, ""));
    let heard = two.wait_adverts(0, A, 2);
    wait_until("the router is master", || holds(&two.a));

    let (mut ttl, mut message) = (255, template(&heard[0]));
    spoil(&mut ttl, &mut message);
    sum(version, &mut message);
    spoil_after(&mut message);
    let mark = two.capture.mark();
    for _ in 0..3 {
        inject(&intruder, INTRUDER, GROUP, ttl, &message);
    }
    two.wait_adverts(mark, A, 3);
    assert!(holds(&two.a), "an unacceptable advert has no effect");
    assert!(!daemon.log().contains("Master received advert"));

    let mut message = template(&heard[0]);
    sum(version, &mut message);
    yields(&two.a, || inject(&intruder, INTRUDER, GROUP, 255, &message));
    assert_eq!(two.capture.adverts(B).len(), 0);
}

/// Sends an acceptable advert until the router gives its addresses up.
fn yields(router: &Router, send: impl Fn()) {
    wait_until("an acceptable advert ends the master's reign", || {
        send();
        !holds_any(router)
    });
}

/// What a router heard, as a higher priority would say it.
fn template(heard: &Advert) -> Vec<u8> {
    let mut message = heard.message().to_vec();
    message[2] = 200;
    message
}

fn sum(version: u8, message: &mut [u8]) {
    message[6..8].fill(0);
    let length = u16::try_from(message.len()).unwrap().to_be_bytes();
    let pseudo = [&INTRUDER.octets()[..], &GROUP.octets(), &[0, 112], &length].concat();
    let sum = match version {
        2 => checksum(&[message]),
        _ => checksum(&[&pseudo, message]),
    };
    message[6..8].copy_from_slice(&sum.to_be_bytes());
}

#[test]
fn wrong_ttl_v2() {
    rejected(2, |ttl, _| *ttl = 254, |_| ());
}

#[test]
fn wrong_ttl_v3() {
    rejected(3, |ttl, _| *ttl = 254, |_| ());
}

#[test]
fn wrong_password_v2() {
    rejected(2, |_, message| *message.last_mut().unwrap() ^= 1, |_| ());
}

#[test]
fn no_password_v2() {
    rejected(
        2,
        |_, message| {
            message[4] = 0;
            let password = message.len() - 8;
            message[password..].fill(0);
        },
        |_| (),
    );
}

#[test]
fn wrong_interval_v2() {
    rejected(2, |_, message| message[5] = 3, |_| ());
}

#[test]
fn wrong_checksum_v2() {
    rejected(2, |_, _| (), |message| message[7] ^= 0x40);
}

#[test]
fn wrong_checksum_v3() {
    rejected(3, |_, _| (), |message| message[7] ^= 0x40);
}

#[test]
fn wrong_version() {
    rejected(3, |_, message| message[0] = 0x21, |_| ());
}

#[test]
fn wrong_type_v2() {
    rejected(2, |_, message| message[0] = 0x22, |_| ());
}

#[test]
fn other_vrid_v3() {
    rejected(3, |_, message| message[1] ^= 1, |_| ());
}

#[test]
fn truncated_v2() {
    rejected(2, |_, _| (), |message| message.truncate(20));
}

#[test]
fn too_long_v3() {
    rejected(3, |_, message| message.extend([0; 4]), |_| ());
}

/// Two routers with different passwords do not hear each other: both are master. Ours goes on to advertise, while
/// stock's next advert is put off by each one it rejects, which can silence it for good.
#[test]
fn passwords_differ() {
    each_pair(|a, b| {
        let two = Two::new();
        let first = two.a.start(a, &config(2, 150, ""));
        let second = two.b.start(b, &config(2, 100, "").replace("secret12", "other"));
        wait_until("both are master", || holds(&two.a) && holds(&two.b));
        let mark = two.capture.mark();
        for (kind, source) in [(a, A), (b, B)] {
            if kind == Kind::Ours {
                two.wait_adverts(mark, source, 3);
            }
        }
        assert!(holds(&two.a) && holds(&two.b));
        drop((first, second));
    });
}
