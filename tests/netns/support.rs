//! What the scenarios share: who runs, and with which configuration.

use std::net::Ipv4Addr;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use crate::lab::{Advert, Capture, Daemon, Kind, Lan, Router, wait_until};

/// The router with the higher priority, and the higher address.
pub const A: Ipv4Addr = Ipv4Addr::new(10, 7, 0, 2);
/// The other router.
pub const B: Ipv4Addr = Ipv4Addr::new(10, 7, 0, 1);
/// The MAC address of the first router on a LAN.
pub const MAC_A: [u8; 6] = [2, 0, 0, 0, 0, 0];
/// The MAC address of the second router on a LAN.
pub const MAC_B: [u8; 6] = [2, 0, 0, 0, 0, 1];
/// The virtual addresses of [`config`].
pub const VIPS: [Ipv4Addr; 2] = [Ipv4Addr::new(10, 7, 0, 100), Ipv4Addr::new(10, 7, 0, 101)];
/// The group of VRRP.
pub const GROUP: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 18);
/// The virtual router id of [`config`].
pub const VRID: u8 = 51;

/// Runs a scenario for each pair (subject, peer).
pub fn each_pair(scenario: impl Fn(Kind, Kind) + Sync) {
    use Kind::{Ours, Stock};
    let asked = |name| std::env::var(name).ok().map(|kind| Kind::parse(&kind));
    let (subject, peer) = (asked("SUBJECT"), asked("PEER"));
    let pairs: Vec<_> = match (subject, peer) {
        (Some(subject), Some(peer)) => vec![(subject, peer)],
        _ => [(Ours, Ours), (Ours, Stock), (Stock, Ours)]
            .into_iter()
            .filter(|pair| subject.is_none_or(|s| s == pair.0) && peer.is_none_or(|p| p == pair.1))
            .collect(),
    };
    side_by_side(pairs, |(subject, peer)| scenario(subject, peer));
}

/// Runs a scenario that needs one daemon only: ours, or what `SUBJECT` says.
pub fn subject() -> Kind {
    std::env::var("SUBJECT").map_or(Kind::Ours, |kind| Kind::parse(&kind))
}

/// Runs `work` for all `items` at once and fails if one of them does, naming it.
pub fn side_by_side<T: Send + std::fmt::Debug + Clone>(items: Vec<T>, work: impl Fn(T) + Sync) {
    let work = &work;
    let failures: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = items
            .into_iter()
            .map(|item| {
                let run = move || {
                    let name = format!("{item:?}");
                    catch_unwind(AssertUnwindSafe(|| work(item))).map_err(|panic| (name, panic))
                };
                scope.spawn(run)
            })
            .collect();
        threads.into_iter().filter_map(|t| t.join().expect("panics are caught").err()).collect()
    });
    for (name, _) in &failures {
        eprintln!("failed for {name}");
    }
    if let Some((_, panic)) = failures.into_iter().next() {
        resume_unwind(panic);
    }
}

/// A configuration of one instance, `VI_1` on `eth0`, with [`VIPS`]: v2 with a password and adverts each second,
/// or v3 with an advert every 0.3 seconds.
pub fn config(version: u8, priority: u8, more: &str) -> String {
    let wire = match version {
        2 => "version 2\n advert_int 1\n authentication {\n auth_type PASS\n auth_pass secret12\n }",
        _ => "version 3\n advert_int 0.3",
    };
    let [first, second] = VIPS;
    format!(
        "vrrp_instance VI_1 {{\n state BACKUP\n interface eth0\n virtual_router_id {VRID}\n \
         priority {priority}\n {wire}\n virtual_ipaddress {{\n {first}/24\n {second}/24\n }}\n {more}\n}}\n"
    )
}

/// Two routers on a LAN that is being recorded.
#[derive(Debug)]
pub struct Two {
    pub a: Router,
    pub b: Router,
    pub capture: Capture,
    // Last, as it must outlive the routers.
    pub lan: Lan,
}

impl Two {
    pub fn new() -> Self {
        let lan = Lan::new();
        let capture = lan.capture();
        let a = lan.router("eth0", &format!("{A}/24"));
        let b = lan.router("eth0", &format!("{B}/24"));
        Self { a, b, capture, lan }
    }

    /// Starts A, waits until it is master, starts B and waits until it has heard A.
    pub fn started(&self, kinds: (Kind, Kind), a: &str, b: &str) -> (Daemon, Daemon) {
        let daemon_a = self.a.start(kinds.0, a);
        wait_until("A is master", || holds(&self.a));
        let daemon_b = self.b.start(kinds.1, b);
        daemon_b.wait_log("(VI_1) Entering BACKUP STATE");
        self.wait_master_a();
        (daemon_a, daemon_b)
    }

    /// Waits until the addresses are on A alone and A has advertised thrice in a row.
    #[track_caller]
    pub fn wait_master_a(&self) {
        self.wait_master(&self.a, &self.b, A, B);
    }

    /// Waits until the addresses are on B alone and B has advertised thrice in a row.
    #[track_caller]
    pub fn wait_master_b(&self) {
        self.wait_master(&self.b, &self.a, B, A);
    }

    #[track_caller]
    fn wait_master(&self, master: &Router, backup: &Router, from: Ipv4Addr, other: Ipv4Addr) {
        wait_holder(master, backup);
        // The other one's last word may not have been captured yet; it is when a later advert has been.
        self.wait_adverts(self.capture.mark(), from, 1);
        let mark = self.capture.mark();
        self.wait_adverts(mark, from, 3);
        assert_eq!(self.capture.adverts_since(mark, other).len(), 0, "one master only");
        assert!(holds(master) && !holds_any(backup), "the addresses stay on one router");
    }

    /// Waits until there are `count` adverts from `source` after the mark, and returns them.
    #[track_caller]
    pub fn wait_adverts(&self, mark: usize, source: Ipv4Addr, count: usize) -> Vec<Advert> {
        wait_until(&format!("{source} sends {count} adverts"), || {
            self.capture.adverts_since(mark, source).len() >= count
        });
        self.capture.adverts_since(mark, source)
    }
}

/// Waits until the virtual addresses are on the one router and not on the other.
#[track_caller]
pub fn wait_holder(master: &Router, backup: &Router) {
    wait_until("the addresses are on the new master", || holds(master));
    wait_until("the addresses are off the old master", || !holds_any(backup));
}

/// Whether a router has all virtual addresses.
pub fn holds(router: &Router) -> bool {
    let addresses = router.addresses();
    VIPS.iter().all(|vip| addresses.iter().any(|a| a.ip == *vip))
}

/// Whether a router has one of the virtual addresses.
pub fn holds_any(router: &Router) -> bool {
    router.addresses().iter().any(|a| VIPS.contains(&a.ip))
}
