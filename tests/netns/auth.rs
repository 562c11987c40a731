//! Authentication: AH, also against stock; `auth_hmac`, which stock's 2.2.7 does not have.

use crate::lab::{Kind, wait_until};
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

/// The first adverts of a master.
fn first_adverts(kind: Kind) -> Vec<String> {
    let two = Two::new();
    let _daemon = two.a.start(kind, &ah(150));
    let adverts = two.wait_adverts(0, A, 3);
    wait_until("the router is master", || holds(&two.a));
    adverts[..3].iter().map(|a| a.bytes.iter().map(|b| format!("{b:02x}")).collect()).collect()
}

#[test]
fn every_byte_of_ah_is_stocks() {
    let ours = first_adverts(subject());
    assert_eq!(ours[0].len(), 2 * (20 + 24 + 8 + 8 + 8), "IP, AH, VRRP, two addresses, no password");
    assert_eq!(ours, first_adverts(Kind::Stock));
}
