//! Files, processes and interfaces that are tracked, and how they move the addresses.

use crate::lab::{Lan, wait_until};
use crate::support::{A, Two, config, each_pair, holds, holds_any};

fn file(path: &str, more: &str) -> String {
    format!("track_file f {{\n file {path}\n {more}\n}}\n")
}

/// A file that is written, replaced and removed.
#[test]
fn numbers_in_a_file() {
    each_pair(|a, b| {
        let two = Two::new();
        two.a.write("/run/tracked/f", "-4\n");
        let first = file("/run/tracked/f", "") + &config(3, 150, "track_file {\n f weight 2\n }");
        let (first, _second) = two.started((a, b), &first, &config(3, 100, ""));
        let mark = two.capture.mark();
        two.a.write("/run/tracked/f", "-30 and no more");
        two.wait_master_b();
        two.a.write("/run/tracked/new", "0x10\n");
        two.a.run("mv /run/tracked/new /run/tracked/f");
        two.wait_master_a();
        two.a.write("/run/tracked/f", "-127");
        two.wait_master_b();
        first.wait_log("(VI_1): tracked file f now FAULT state");
        two.a.run("rm /run/tracked/f");
        two.wait_master_a();
        let mut priorities: Vec<u8> =
            two.capture.adverts_since(mark, A).iter().map(|advert| advert.priority).collect();
        priorities.dedup();
        // What lasts for less than an interval may never be sent.
        priorities.retain(|p| ![142, 90].contains(p));
        assert_eq!(priorities, [182, 0, 150]);
    });
}

/// A file is made at the start, and what it says without a weight is a fault.
#[test]
fn a_file_that_is_made_at_the_start() {
    each_pair(|a, b| {
        let two = Two::new();
        two.a.write("/run/tracked/f", "1\n");
        let first = file("/run/tracked/f", "weight 0\n init_file 0 overwrite");
        let first = first + &config(3, 150, "track_file {\n f\n }");
        let (_first, _second) = two.started((a, b), &first, &config(3, 100, ""));
        assert_eq!(two.a.read("/run/tracked/f").as_deref().map(str::trim), Some("0"));
        two.a.write("/run/tracked/f", "1\n");
        two.wait_master_b();
        two.a.write("/run/tracked/f", "0\n");
        two.wait_master_a();
    });
}

/// The directory of a file may come later, and may be replaced. Stock forgets such a file.
#[test]
fn a_directory_that_comes_later() {
    use crate::lab::Kind::Ours;
    let two = Two::new();
    let first = file("/run/later/on/f", "") + &config(3, 150, "track_file {\n f\n }");
    let (_first, _second) = two.started((Ours, Ours), &first, &config(3, 100, ""));
    two.a.write("/run/later/on/f", "-60");
    two.wait_master_b();
    two.a.run("mv /run/later/on /run/later/gone");
    two.wait_master_a();
    two.a.write("/run/later/on/f", "-60");
    two.wait_master_b();
}

/// An interface that is tracked, with and without a weight.
fn interface(track: &str) {
    each_pair(|a, b| {
        let two = Two::new();
        let other = Lan::new();
        two.a.attach(&other, "eth1", "10.9.0.1/24");
        let first = config(3, 150, &format!("track_interface {{\n {track}\n }}"));
        let (_first, _second) = two.started((a, b), &first, &config(3, 100, ""));
        other.namespace().run("ip link set port0 down");
        two.wait_master_b();
        other.namespace().run("ip link set port0 up");
        two.wait_master_a();
    });
}

#[test]
fn an_interface_that_fails_is_a_fault() {
    interface("eth1");
}

#[test]
fn an_interface_that_fails_costs_priority() {
    interface("eth1 weight -60");
}

/// A weight has no effect on an interface with one of the instance's own addresses: it cannot do without.
#[test]
fn the_interface_of_an_address_has_no_weight() {
    each_pair(|a, b| {
        let two = Two::new();
        let other = Lan::new();
        two.a.attach(&other, "eth1", "10.9.0.1/24");
        let more =
            "track_interface {\n eth1 weight 20\n }\n virtual_ipaddress_excluded {\n 10.9.0.9 dev eth1\n }";
        let (first, _second) = two.started((a, b), &config(3, 150, more), &config(3, 100, ""));
        let mark = two.capture.mark();
        assert!(two.wait_adverts(mark, A, 3).iter().all(|advert| advert.priority == 150));
        other.namespace().run("ip link set port0 down");
        first.wait_log("(VI_1) Entering FAULT STATE");
        two.wait_master_b();
        other.namespace().run("ip link set port0 up");
        two.wait_master_a();
    });
}

/// Routers of the laboratory are like containers: the kernel does not report processes there, and stock counts none.
#[test]
fn processes_are_counted_in_a_container() {
    use crate::lab::Kind::Ours;
    let two = Two::new();
    two.a.run("cp /bin/sleep /usr/local/bin/a-very-long-name");
    let start = "a-very-long-name 7777 >/dev/null 2>&1 & echo $!";
    let pid = two.a.run(start);
    let block = "vrrp_track_process p {\n process a-very-long-name\n}\n\
                 vrrp_track_process q {\n process a-very-long-name 7777\n weight -60\n}\n";
    let first = block.to_owned() + &config(3, 150, "track_process {\n p\n q\n }");
    let (first, _second) = two.started((Ours, Ours), &first, &config(3, 100, ""));
    first.wait_log("tracked processes are counted every 1 s instead");
    two.a.run(&format!("kill {pid}"));
    first.wait_log("Quorum lost for tracked process p");
    two.wait_master_b();
    two.a.run(start);
    first.wait_log("Quorum gained for tracked process q");
    two.wait_master_a();
    wait_until("the addresses stay", || holds(&two.a) && !holds_any(&two.b));
}

/// An interface that is asked for its carrier: each second, so it takes a little longer.
#[test]
fn a_link_that_is_asked() {
    each_pair(|a, b| {
        for how in [
            "linkbeat_interfaces {\n eth0\n}",
            "linkbeat_interfaces {\n eth0 IOCTL\n}",
            "linkbeat_use_polling",
        ] {
            let two = Two::new();
            let first = format!("{how}\n{}", config(3, 150, ""));
            let (first, _second) = two.started((a, b), &first, &config(3, 100, ""));
            two.lan.namespace().run("ip link set port0 down");
            first.wait_log("Linkbeat reports eth0 down");
            two.wait_master_b();
            two.lan.namespace().run("ip link set port0 up");
            first.wait_log("Linkbeat reports eth0 up");
            two.wait_master_a();
        }
    });
}

/// A link that fails for less than its delay does not count.
#[test]
fn a_link_that_fails_for_a_moment() {
    each_pair(|a, b| {
        let two = Two::new();
        let block = "interface_up_down_delays {\n eth0 1.5\n}\n";
        let first = block.to_owned() + &config(2, 150, "");
        let (first, _second) = two.started((a, b), &first, &config(2, 100, ""));
        let mark = two.capture.mark();
        two.lan.namespace().run("ip link set port0 down && sleep 0.3 && ip link set port0 up");
        two.wait_adverts(mark, A, 4);
        assert_eq!(two.capture.adverts_since(mark, crate::support::B).len(), 0);
        assert!(!first.log().contains("Entering FAULT STATE"));
        two.lan.namespace().run("ip link set port0 down");
        first.wait_log("(VI_1) Entering FAULT STATE");
        wait_until("the other one is master", || holds(&two.b));
    });
}
