//! IPv6, and adverts to single routers: with stock on either side, and byte by byte.

use std::net::IpAddr;

use crate::lab::{Daemon, Kind, Router, wait_until};
use crate::support::{Two, each_pair, subject};

/// One instance of each kind, `VI_6` (IPv6), `VI_U4` (version 3), `VI_U2` (version 2) and `VI_U6` (unicast), of the
/// router with this address at the end of its networks.
fn config(own: u8, peer: u8, priority: u8) -> String {
    let instance = |name: &str, vrid: u8, lines: &str, addresses: &str| {
        format!(
            "vrrp_instance {name} {{\n interface eth0\n virtual_router_id {vrid}\n priority {priority}\n {lines}\n \
             virtual_ipaddress {{\n {addresses}\n }}\n}}\n"
        )
    };
    let to = |peer: String| format!("unicast_peer {{\n {peer}\n }}\n check_unicast_src");
    let v4 = to(format!("10.7.0.{peer}"));
    let v6 =
        format!("garp_master_delay 1\n unicast_src_ip 2001:db8::{own}\n {}", to(format!("2001:db8::{peer}")));
    [
        instance(
            "VI_6",
            51,
            "advert_int 0.3\n garp_master_delay 1",
            "fe80::51/64\n 2001:db8::51/64\n 2001:db8::52",
        ),
        instance("VI_U4", 52, &format!("version 3\n advert_int 0.3\n {v4}"), "10.7.0.52/24"),
        instance("VI_U2", 53, &format!("version 2\n advert_int 1\n {v4}"), "10.7.0.53/24"),
        instance("VI_U6", 54, &format!("advert_int 0.3\n {v6}"), "2001:db8::54/64"),
    ]
    .concat()
}

/// All virtual addresses.
const VIPS: [&str; 6] =
    ["fe80::51", "2001:db8::51", "2001:db8::52", "10.7.0.52", "10.7.0.53", "2001:db8::54"];

/// Two routers with IPv6 addresses that can be used at once.
fn two() -> Two {
    let two = Two::new();
    for (router, own) in [(&two.a, 2), (&two.b, 1)] {
        router.run(&format!(
            "ip addr add 2001:db8::{own}/64 dev eth0 nodad && ip addr add fe80::{own}/64 dev eth0 nodad"
        ));
        wait_until("no address is tentative", || router.run("ip -6 addr show tentative").is_empty());
    }
    two
}

/// How many of the virtual addresses a router has.
fn held(router: &Router) -> usize {
    let addresses = router.run("ip -o addr show dev eth0");
    VIPS.iter().filter(|vip| addresses.contains(&format!(" {vip}/"))).count()
}

#[track_caller]
fn wait_moved(master: &Router, backup: &Router) {
    wait_until("the new master has all addresses", || held(master) == VIPS.len());
    wait_until("the old master has none", || held(backup) == 0);
}

fn backup_of_all(daemon: &Daemon) {
    for name in ["VI_6", "VI_U4", "VI_U2", "VI_U6"] {
        daemon.wait_log(&format!("({name}) Entering BACKUP STATE"));
    }
}

#[test]
fn addresses_move_between_any_pair() {
    each_pair(|a, b| {
        let two = two();
        let first = two.a.start(a, &config(2, 1, 150));
        wait_until("the first router is master", || held(&two.a) == VIPS.len());
        let second = two.b.start(b, &config(1, 2, 100));
        backup_of_all(&second);
        // Longer than anybody's master-down time would take.
        two.wait_unicast_adverts("10.7.0.2", 5);
        assert_eq!((held(&two.a), held(&two.b)), (VIPS.len(), 0), "{a:?} is heard by {b:?}");
        first.stop();
        wait_moved(&two.b, &two.a);
        let again = two.a.start(a, &config(2, 1, 150));
        wait_moved(&two.a, &two.b);
        assert!(!second.log().contains("checksum"), "{}", second.log());
        again.stop();
        second.stop();
        assert_eq!((held(&two.a), held(&two.b)), (0, 0));
    });
}

/// What a router sends from becoming master to its stop: adverts of the first kinds, then all announcements of `VI_6`.
fn life(kind: Kind) -> (Vec<String>, Vec<String>) {
    let two = two();
    let daemon = two.a.start(kind, &config(2, 1, 150));
    wait_until("all announcements are sent", || two.capture.advertisements().len() >= 40);
    two.wait_unicast_adverts("10.7.0.2", 8);
    daemon.stop();
    let adverts = two.capture.adverts_any();
    let mut kinds: Vec<String> = adverts.iter().map(|bytes| hex(bytes)).collect();
    kinds.sort();
    kinds.dedup();
    let mut announcements: Vec<String> = two.capture.advertisements().iter().map(|f| hex(f)).collect();
    announcements.sort();
    (kinds, announcements)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

#[test]
fn every_byte_is_stocks() {
    let (ours, stock) = (life(subject()), life(Kind::Stock));
    assert!(ours.0.len() >= 6, "adverts of three kinds, and their goodbyes: {:#?}", ours.0);
    assert_eq!(ours.0, stock.0);
    assert_eq!(ours.1, stock.1);
}

/// What the kernel says of the addresses.
fn addresses(kind: Kind) -> Vec<String> {
    let two = two();
    let excluded = "virtual_ipaddress_excluded {\n 10.7.0.200/24\n 2001:db8::61/64 preferred_lft forever noprefixroute\n \
                    2001:db8::62/64 home mngtmpaddr\n 2001:db8::63 preferred_lft forever\n 2001:db8::64/64 preferred_lft 0\n }";
    let text = config(2, 1, 150).replacen("garp_master_delay 1", excluded, 1);
    let _daemon = two.a.start(kind, &text);
    wait_until("all addresses are there", || {
        held(&two.a) == VIPS.len() && two.a.run("ip addr show dev eth0").contains("2001:db8::64/")
    });
    let text = two.a.run("ip -o addr show dev eth0");
    let mut lines: Vec<String> = text.lines().map(|l| l.split_once("inet").unwrap().1.to_owned()).collect();
    lines.sort();
    lines
}

#[test]
fn the_kernel_has_the_addresses_as_stock_adds_them() {
    assert_eq!(addresses(subject()), addresses(Kind::Stock));
}

/// Only ours can do without an interface: stock's 2.2.7 has no such thing.
#[test]
fn an_instance_without_an_interface() {
    let two = two();
    let text = |own: u8, peer: u8, priority: u8| {
        format!(
            "vrrp_instance VI_N {{\n virtual_router_id 60\n version 3\n advert_int 0.3\n priority {priority}\n unicast_src_ip \
             10.7.0.{own}\n unicast_ttl 7\n unicast_peer {{\n 10.7.0.{peer} min_ttl 7 max_ttl 7\n }}\n virtual_ipaddress {{\n \
             10.7.0.60/24 dev eth0\n }}\n}}\n"
        )
    };
    let vip: std::net::Ipv4Addr = [10, 7, 0, 60].into();
    let first = two.a.start(Kind::Ours, &text(2, 1, 150));
    wait_until("the first router is master", || two.a.has(vip));
    let _second = two.b.start(Kind::Ours, &text(1, 2, 100));
    two.wait_unicast_adverts("10.7.0.2", 12);
    assert!(two.a.has(vip) && !two.b.has(vip));
    first.stop();
    wait_until("the address moves", || two.b.has(vip) && !two.a.has(vip));
}

impl Two {
    /// Waits until there are so many more IPv4 adverts from this address.
    #[track_caller]
    fn wait_unicast_adverts(&self, from: &str, count: usize) {
        let IpAddr::V4(from) = from.parse().unwrap() else { panic!("{from} is not IPv4") };
        let mark = self.capture.mark();
        wait_until("adverts pass", || self.capture.adverts_since(mark, from).len() >= count);
    }
}
