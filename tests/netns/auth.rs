//! Authentication: AH, also against stock; `auth_hmac`, which stock's 2.2.7 does not have.

use nix::sys::signal::Signal;

use crate::lab::{Advert, Kind, wait_until};
use crate::support::{A, B, Two, config, each_pair, holds, subject};

fn ah(priority: u8) -> String {
    config(2, priority, "").replace("auth_type PASS", "auth_type AH")
}

fn hmac(version: u8, priority: u8) -> String {
    let text =
        config(version, priority, "auth_hmac {\n key 1 0123456789abcdef0123456789abcdef\n active_key 1\n }");
    text.replace("authentication {\n auth_type PASS\n auth_pass secret12\n }", "")
}

/// The addresses move to the backup, by a crash or a stop, and back.
fn life((a, b): (Kind, Kind), text: fn(u8) -> String) {
    for crash in [true, false] {
        let two = Two::new();
        let (first, _second) = two.started((a, b), &text(150), &text(100));
        let mark = two.capture.mark();
        if crash {
            first.crash();
            two.wait_adverts(mark, B, 2);
        } else {
            first.stop();
            two.wait_master_b();
        }
        let _again = two.a.start(a, &text(150));
        two.wait_master_a();
    }
}

#[test]
fn addresses_move_between_any_pair_with_ah() {
    each_pair(|a, b| life((a, b), ah));
}

#[test]
fn addresses_move_with_auth_hmac() {
    life((Kind::Ours, Kind::Ours), |priority| hmac(3, priority));
    life((Kind::Ours, Kind::Ours), |priority| hmac(2, priority));
}

/// The first adverts of a master, without what stock counts from 1 and we by the clock: numbers, and the codes over them.
fn first_adverts(kind: Kind) -> Vec<String> {
    const COUNTED: std::ops::Range<usize> = 20 + 8..20 + 24;
    let two = Two::new();
    let _daemon = two.a.start(kind, &ah(150));
    let adverts = two.wait_adverts(0, A, 3);
    wait_until("the router is master", || holds(&two.a));
    let uncounted = |advert: &Advert| {
        let bytes = advert.bytes.iter().enumerate().filter(|(at, _)| !COUNTED.contains(at));
        bytes.map(|(_, byte)| format!("{byte:02x}")).collect()
    };
    adverts[..3].iter().map(uncounted).collect()
}

#[test]
fn every_byte_of_ah_is_stocks() {
    let ours = first_adverts(subject());
    assert_eq!(ours[0].len(), 2 * (20 + 8 + 8 + 8 + 8), "IP, AH, VRRP, two addresses, no password");
    assert_eq!(ours, first_adverts(Kind::Stock));
}

/// A stock master that takes an advert for a replay sends nothing itself for another second: as long as it does not believe
/// an owner that starts beside it, there are two masters.
#[test]
fn an_owner_is_believed_by_whoever_has_long_been_master() {
    each_pair(|peer, owner| {
        let two = Two::new();
        let _master = two.b.start(peer, &ah(100));
        two.wait_adverts(0, B, 8);
        let mark = two.capture.mark();
        let _owner = two.a.start(owner, &ah(255));
        two.wait_adverts(mark, A, 5);
        assert!(holds(&two.a) && !holds(&two.b), "only the owner is master");
    });
}

/// The usual instance with a key in a file.
fn hmac_of_a_file(priority: u8) -> String {
    hmac(3, priority).replace("0123456789abcdef0123456789abcdef", "file:/etc/keepalived/key")
}

/// Whoever is to sign and has lost his key is silent. While he runs, he keeps the one that he has.
#[test]
fn nothing_leaves_unsigned_when_the_key_is_gone() {
    const SIGNED: usize = 20 + 8 + 2 * 4 + 28;
    const KEY: &str = "/etc/keepalived/key";
    let two = Two::new();
    for router in [&two.a, &two.b] {
        router.write(KEY, "0123456789abcdef0123456789abcdef\n");
        router.run(&format!("chmod 600 {KEY}"));
    }
    let (first, second) = two.started((Kind::Ours, Kind::Ours), &hmac_of_a_file(150), &hmac_of_a_file(100));
    two.a.run(&format!("mv {KEY} /run/key"));
    first.signal(Signal::SIGHUP);
    first.wait_log(&format!("cannot be read from {KEY}"));
    first.wait_log("the configuration stays as it was");
    let mark = two.capture.mark();
    two.wait_adverts(mark, A, 3);
    assert!(holds(&two.a));

    // One that starts without it waits in FAULT until a reload finds it.
    first.stop();
    wait_until("B is master", || holds(&two.b));
    let mark = two.capture.mark();
    let again = two.a.start(Kind::Ours, &hmac_of_a_file(150));
    again.wait_log("Entering FAULT STATE (init) (auth_hmac has no key to sign with)");
    two.wait_adverts(mark, B, 10);
    assert_eq!(two.capture.adverts_since(mark, A).len(), 0, "it has nothing to say");
    two.a.run(&format!("mv /run/key {KEY}"));
    again.signal(Signal::SIGHUP);
    two.wait_master_a();
    again.wait_log("(auth_hmac has a key to sign with)");

    // Another key in the file counts after a reload: who does not know it hears nobody, and the log says so.
    two.a.write(KEY, "ffffffffffffffffffffffffffffffff");
    again.signal(Signal::SIGHUP);
    wait_until("both are master", || holds(&two.a) && holds(&two.b));
    again.wait_log(&format!("invalid authentication HMAC from {B}"));
    two.b.write(KEY, "ffffffffffffffffffffffffffffffff");
    second.signal(Signal::SIGHUP);
    two.wait_master_a();
    let unsigned = [A, B].map(|from| two.capture.adverts(from)).concat();
    assert!(unsigned.iter().all(|advert| advert.bytes.len() == SIGNED), "nothing was ever sent unsigned");
}
