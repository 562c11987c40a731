//! Packets that must not count.

use crate::harness::*;
use keepalived_rs::sim::Advert;

/// The last advert of router 0, changed by `change`, and its checksums set right again.
fn forged(cluster: &Cluster, change: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let since = cluster.now().saturating_back(secs(1.5));
    let advert: Advert = cluster.adverts(0, 1, since).pop().unwrap();
    let mut packet = advert.packet.to_vec();
    packet[15] = 99;
    change(&mut packet);
    // A version 2 checksum covers the VRRP message only.
    packet[26..28].fill(0);
    let mut sum: u32 =
        packet[20..].chunks(2).map(|w| u32::from(u16::from_be_bytes([w[0], *w.get(1).unwrap_or(&0)]))).sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    packet[26..28].copy_from_slice(&(!(sum as u16)).to_be_bytes());
    packet
}

#[test]
fn a_valid_forgery_of_higher_priority_does_win() {
    // What the other tests of this file rely on.
    let mut cluster = Cluster::pair(instance(1, 150), instance(1, 100));
    let packet = forged(&cluster, |p| p[22] = 200);
    cluster.world.inject(cluster.lan, &packet);
    cluster.run(0.1);
    assert_eq!(cluster.holders(1), [0; 0]);
    cluster.run(10.0);
    cluster.assert_master(0, 1);
}

/// What a forger does to a packet.
type Change = fn(&mut Vec<u8>);

#[test]
fn packets_that_are_not_right_change_nothing() {
    let mut cluster = Cluster::pair(instance(1, 150), instance(1, 100));
    let start = cluster.now();
    let changes: [(&str, Change); 7] = [
        ("TTL", |p| p[8] = 254),
        ("version", |p| p[20] = 0x31),
        ("type", |p| p[20] = 0x22),
        ("interval", |p| p[25] = 2),
        ("authentication", |p| p[24] = 1),
        ("protocol", |p| p[9] = 17),
        ("cut off", |p| p.truncate(30)),
    ];
    for (what, change) in changes {
        let packet = forged(&cluster, |p| {
            p[22] = 200;
            change(p);
        });
        cluster.world.inject(cluster.lan, &packet);
        cluster.run(0.1);
        assert_eq!(cluster.holders(1), [0], "wrong {what}");
    }
    let mut packet = forged(&cluster, |p| p[22] = 200);
    packet[26] ^= 1;
    cluster.world.inject(cluster.lan, &packet);
    cluster.run(10.0);
    assert_eq!(cluster.priorities(0, 1, start), [150]);
    cluster.assert_master(0, 1);
}

#[test]
fn routers_with_different_passwords_do_not_know_each_other() {
    let with = |priority, password| {
        let block = format!("authentication {{\n auth_type PASS\n auth_pass {password}\n }}");
        instance(1, priority).with(&block)
    };
    let mut cluster = Cluster::pair(with(150, "abc"), with(100, "abc"));
    cluster.assert_master(0, 1);
    let mut cluster = Cluster::pair(with(150, "abc"), with(100, "abd"));
    cluster.run(60.0);
    assert_eq!(cluster.holders(1), [0, 1]);
    cluster.assert_logged(1, "received an invalid passwd");
    assert!(cluster.logged(1, "received an invalid passwd") < 5, "not once for every packet");
}

#[test]
fn adverts_get_through_a_lan_that_loses_a_fifth() {
    let v3 = |priority| instance(1, priority).with("version 3").with("down_timer_adverts 20");
    let mut cluster = Cluster::pair(v3(150), v3(100));
    let options = keepalived_rs::sim::LanOptions { loss_ppm: 200_000, ..Default::default() };
    cluster.world.set_lan(cluster.lan, options);
    let start = cluster.now();
    cluster.run(3600.0);
    assert_eq!(cluster.adverts(1, 1, start), []);
}
