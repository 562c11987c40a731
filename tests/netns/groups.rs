//! Sync groups: routers between two LANs whose sides move together.

use std::net::Ipv4Addr;

use crate::lab::{Kind, Lan, Router, wait_for, wait_until};
use crate::support::{each_pair, side_by_side};

const INSIDE: Ipv4Addr = Ipv4Addr::new(10, 7, 0, 100);
const OUTSIDE: Ipv4Addr = Ipv4Addr::new(10, 8, 0, 100);
/// Writes down what it is told; process ids tell in which order its runs were started.
const LOG: &str = "echo \"$$ $*\" >> /run/notified";

/// Two routers between two LANs, or one of them.
struct Between {
    a: Router,
    b: Router,
    outside: Lan,
    _inside: Lan,
}

impl Between {
    fn new() -> Self {
        let (inside, outside) = (Lan::new(), Lan::new());
        let router = |n: u8| {
            let router = inside.router("eth0", &format!("10.7.0.{n}/24"));
            router.attach(&outside, "eth1", &format!("10.8.0.{n}/24"));
            router.write_script("/etc/keepalived/log.sh", LOG);
            router
        };
        let (a, b) = (router(2), router(1));
        Self { a, b, outside, _inside: inside }
    }

    /// The first router's link to the outside.
    fn link(&self, state: &str) {
        self.outside.namespace().run(&format!("ip link set port0 {state}"));
    }

    #[track_caller]
    fn wait_holder(&self, master: &Router, backup: &Router) {
        wait_until("both addresses are on one router", || master.has(INSIDE) && master.has(OUTSIDE));
        wait_until("neither is on the other", || !backup.has(INSIDE) && !backup.has(OUTSIDE));
    }
}

fn scripts(name: &str) -> String {
    let script = |state: &str| format!("notify_{state} \"/etc/keepalived/log.sh {state} {name}\"\n");
    let states: String = ["master", "backup", "fault", "stop"].map(script).concat();
    format!("{states} notify /etc/keepalived/log.sh\n")
}

fn config(priority: u8) -> String {
    let instance = |name: &str, interface: &str, vrid: u8, priority: u8, address: Ipv4Addr| {
        format!(
            "vrrp_instance {name} {{\n interface {interface}\n virtual_router_id {vrid}\n priority {priority}\n \
             version 3\n advert_int 0.3\n virtual_ipaddress {{\n {address}/24\n }}\n {} }}\n",
            scripts(name)
        )
    };
    // The inside waits a little less, so that the outside is the one that everybody waits for.
    let inside = instance("IN", "eth0", 51, priority + 50, INSIDE);
    let outside = instance("OUT", "eth1", 52, priority, OUTSIDE);
    let group = format!("vrrp_sync_group G {{\n group {{\n OUT\n IN\n }}\n {} }}\n", scripts("G"));
    format!("global_defs {{\n script_user root\n enable_script_security\n}}\n{group}{inside}{outside}")
}

/// When one side of a router fails, both sides move, and back.
#[test]
fn both_sides_move_together() {
    each_pair(|kind_a, kind_b| {
        let net = Between::new();
        let first = net.a.start(kind_a, &config(150));
        wait_until("the first router is master", || net.a.has(INSIDE) && net.a.has(OUTSIDE));
        let second = net.b.start(kind_b, &config(100));
        second.wait_log("(OUT) Entering BACKUP STATE");
        net.link("down");
        net.wait_holder(&net.b, &net.a);
        first.wait_log("VRRP_Group(G) Syncing instances to FAULT state");
        if kind_a == Kind::Ours {
            // Which of them it is, and why.
            first.wait_log("Syncing instances to FAULT state (Instance OUT: interface eth1 has no carrier)");
            first.wait_log("(IN) Entering FAULT STATE (Instance OUT: interface eth1 has no carrier)");
        }
        second.wait_log("VRRP_Group(G) Syncing instances to MASTER state");
        net.link("up");
        net.wait_holder(&net.a, &net.b);
        second.wait_log("VRRP_Group(G) Syncing instances to BACKUP state");
        // The inside of a router that is gone is not left behind either.
        first.crash();
        wait_until("the second router is master", || net.b.has(INSIDE) && net.b.has(OUTSIDE));
    });
}

/// What was told since the mark, in order; waits until the group has been told of `state` by its last script.
#[track_caller]
fn told(router: &Router, mark: &mut usize, state: &str) -> Vec<String> {
    let last = format!("GROUP G {state} 0");
    let lines = wait_for(&format!("the group is told of {state}"), || {
        let text = router.read("/run/notified").unwrap_or_default();
        let mut lines: Vec<(u32, String)> = text
            .lines()
            .filter_map(|line| line.split_once(' '))
            .map(|(pid, rest)| (pid.parse().expect("a process id"), rest.to_owned()))
            .collect();
        lines.sort();
        let new: Vec<String> = lines.into_iter().skip(*mark).map(|(_, line)| line).collect();
        // Two for each instance and for the group.
        (new.len() >= 6 && new.contains(&last)).then_some(new)
    });
    let new: Vec<String> = lines.into_iter().take(6).collect();
    *mark += new.len();
    new
}

/// The scripts of a state, for each of these in order.
fn expected(state: &str, order: [&str; 3]) -> Vec<String> {
    let of = |name: &str| {
        let told = match name {
            "G" => format!("GROUP G {state} 0"),
            "IN" => format!("INSTANCE IN {state} 200"),
            _ => format!("INSTANCE OUT {state} 150"),
        };
        [format!("{} {name}", state.to_lowercase()), told]
    };
    order.map(of).concat()
}

/// Of these, the scripts for one state. Ours starts those for all states when they have ended, each by itself.
fn of_one_state(told: &[String]) -> Vec<&String> {
    let is_general = |line: &&String| line.starts_with("GROUP") || line.starts_with("INSTANCE");
    told.iter().filter(|line| !is_general(line)).collect()
}

/// Which scripts are started with which arguments, and in which order.
#[test]
fn scripts_are_started_in_stocks_order() {
    side_by_side(vec![Kind::Ours, Kind::Stock], |kind| {
        let net = Between::new();
        let daemon = net.a.start(kind, &config(150));
        let mut mark = 0;
        let mut check = |state: &str, order| {
            let (told, expected) = (told(&net.a, &mut mark, state), expected(state, order));
            // Of stock's members either may be first on a busy machine.
            if kind == Kind::Ours {
                assert_eq!(of_one_state(&told), of_one_state(&expected));
            }
            let (mut told, mut expected) = (told, expected);
            told.sort();
            expected.sort();
            assert_eq!(told, expected);
        };
        check("BACKUP", ["G", "IN", "OUT"]);
        check("MASTER", ["OUT", "IN", "G"]);
        net.link("down");
        check("FAULT", ["OUT", "IN", "G"]);
        net.link("up");
        check("BACKUP", ["OUT", "IN", "G"]);
        check("MASTER", ["OUT", "IN", "G"]);
        assert_eq!(daemon.stop().code(), Some(0));
        check("STOP", ["IN", "OUT", "G"]);
        net.link("down");
        wait_until("the link is down", || net.a.run("ip link show eth1").contains("NO-CARRIER"));
        let _again = net.a.start(kind, &config(150));
        check("FAULT", ["IN", "OUT", "G"]);
    });
}
