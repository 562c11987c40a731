use super::*;
use crate::base::{Cidr, MacAddr};
use crate::host::{Address, Dump, Link};

const ONE: InstanceId = InstanceId(0);
const TWO: InstanceId = InstanceId(1);
const ETH0: IfIndex = IfIndex(2);

fn name(text: &str) -> IfName {
    IfName::new(text).unwrap()
}

fn cidr(text: &str) -> Cidr {
    Cidr { ip: text.parse().unwrap(), prefix: 24 }
}

fn claim(ip: &str) -> AddressClaim {
    AddressClaim { dev: name("eth0"), cidr: cidr(ip), peer: None, broadcast: None, label: None, scope: 0 }
}

fn link(running: bool) -> Link {
    Link {
        index: ETH0,
        name: name("eth0"),
        up: true,
        running,
        multicast: true,
        arp: true,
        loopback: false,
        mtu: 1500,
        mac: Some(MacAddr([2, 0, 0, 0, 0, 1])),
    }
}

/// A ledger with a kernel that does as it is told.
struct Bench {
    ledger: Ledger,
    mirror: Mirror,
    now: Instant,
    /// Changes the kernel has not answered yet.
    open: Vec<(Key, KernelOp)>,
    out: Vec<Output>,
}

impl Bench {
    /// Two instances, with `10.0.0.1` and `10.0.0.2`, the second one shared; the kernel has `present` on eth0.
    fn new(present: &[&str]) -> Self {
        let mut ledger = Ledger::default();
        ledger.register(ONE, name("eth0"), &[claim("10.0.0.1"), claim("10.0.0.2")]);
        ledger.register(TWO, name("eth0"), &[claim("10.0.0.2")]);
        let now = Instant::from_micros(60_000_000);
        let mut bench = Self { ledger, mirror: Mirror::default(), now, open: Vec::new(), out: Vec::new() };
        let addresses = present.iter().map(|ip| claim(ip).on(ETH0)).collect();
        bench.event(&KernelEvent::Resync(Dump { links: vec![link(true)], addresses, ..Dump::default() }));
        bench
    }

    fn event(&mut self, event: &KernelEvent) {
        self.mirror.apply(event);
        self.ledger.event(&self.mirror, event);
        self.settle();
    }

    fn claim(&mut self, owner: InstanceId, hold: bool, number: u64) {
        self.ledger.claim(owner, hold, number);
        self.settle();
    }

    fn settle(&mut self) {
        for output in self.ledger.settle(self.now, &self.mirror) {
            match output {
                Output::Apply(changes) => self.open.extend(changes),
                output => self.out.push(output),
            }
        }
    }

    /// The kernel answers everything that is open.
    fn answer(&mut self, answer: Result<(), Errno>) {
        for (key, op) in std::mem::take(&mut self.open) {
            self.out.extend(self.ledger.answer(self.now, &mut self.mirror, key, &op, answer));
        }
        self.settle();
    }

    /// Somebody deletes an address.
    fn delete(&mut self, ip: &str) {
        self.event(&KernelEvent::AddressGone(claim(ip).on(ETH0)));
    }

    fn pass(&mut self, time: Duration) {
        self.now += time;
        self.settle();
    }

    fn ops(&self) -> Vec<String> {
        let text = |(_, op): &(Key, KernelOp)| match op {
            KernelOp::AddAddress(Address { cidr, .. }) => format!("add {}", cidr.ip),
            KernelOp::DeleteAddress(Address { cidr, .. }) => format!("delete {}", cidr.ip),
        };
        self.open.iter().map(text).collect()
    }

    fn present(&self) -> Vec<String> {
        self.mirror.addresses(ETH0).iter().map(|a| a.cidr.ip.to_string()).collect()
    }
}

#[test]
fn a_claim_is_confirmed_when_the_kernel_has_followed() {
    let mut bench = Bench::new(&[]);
    bench.out.clear();
    bench.claim(ONE, true, 1);
    assert_eq!(bench.ops(), ["add 10.0.0.1", "add 10.0.0.2"]);
    assert_eq!(bench.out, []);
    bench.answer(Ok(()));
    assert_eq!(bench.out, [Output::Confirmed { owner: ONE, number: 1 }]);
    assert!(bench.ledger.is_idle());
    bench.claim(ONE, false, 2);
    assert_eq!(bench.ops(), ["delete 10.0.0.1", "delete 10.0.0.2"]);
    bench.answer(Ok(()));
    assert_eq!(bench.present(), [""; 0]);
}

#[test]
fn a_claim_that_changes_nothing_is_confirmed_at_once() {
    let mut bench = Bench::new(&[]);
    bench.out.clear();
    bench.claim(ONE, false, 1);
    assert_eq!((bench.out, bench.open), (vec![Output::Confirmed { owner: ONE, number: 1 }], vec![]));
}

#[test]
fn left_overs_of_a_predecessor_are_removed_at_once() {
    let mut bench = Bench::new(&["10.0.0.1", "10.0.0.9"]);
    assert_eq!(bench.ops(), ["delete 10.0.0.1"], "not what no instance claims");
    bench.answer(Ok(()));
    assert_eq!(bench.present(), ["10.0.0.9"]);
}

#[test]
fn an_address_that_two_hold_stays_until_both_have_given_it_up() {
    let mut bench = Bench::new(&[]);
    bench.claim(ONE, true, 1);
    bench.claim(TWO, true, 1);
    bench.answer(Ok(()));
    bench.claim(ONE, false, 2);
    assert_eq!(bench.ops(), ["delete 10.0.0.1"]);
    bench.answer(Ok(()));
    bench.claim(TWO, false, 2);
    assert_eq!(bench.ops(), ["delete 10.0.0.2"]);
}

#[test]
fn a_deleted_address_is_put_back_at_once_and_then_less_and_less_often() {
    let mut bench = Bench::new(&[]);
    bench.claim(TWO, true, 1);
    bench.answer(Ok(()));
    bench.out.clear();
    for times in 1..=4 {
        bench.delete("10.0.0.2");
        assert_eq!(bench.ops(), ["add 10.0.0.2"], "{times}");
        bench.answer(Ok(()));
        let restored = Output::Restored { owners: vec![TWO], key: claim("10.0.0.2").key(), times };
        assert_eq!(std::mem::take(&mut bench.out), [restored]);
    }
    bench.delete("10.0.0.2");
    assert_eq!(bench.ops(), [""; 0], "somebody is fighting over it");
    assert_eq!(bench.ledger.next_deadline(), Some(bench.now + FIRST_PAUSE));
    bench.pass(FIRST_PAUSE);
    assert_eq!(bench.ops(), ["add 10.0.0.2"]);
    bench.answer(Ok(()));
    bench.pass(PEACE + FIRST_PAUSE);
    bench.delete("10.0.0.2");
    assert_eq!(bench.ops(), ["add 10.0.0.2"], "a new story");
}

#[test]
fn news_that_the_answer_has_overtaken_do_no_harm() {
    let mut bench = Bench::new(&[]);
    bench.claim(TWO, true, 1);
    bench.answer(Ok(()));
    bench.out.clear();
    // The report of a deletion of our own, long ago.
    bench.delete("10.0.0.2");
    assert_eq!(bench.ops(), ["add 10.0.0.2"]);
    bench.answer(Err(Errno::EXIST));
    assert_eq!(bench.out, [], "it was there all the time: nothing to tell");
    // Changing one's mind while a change is on its way.
    bench.claim(TWO, false, 2);
    assert_eq!(bench.ops(), ["delete 10.0.0.2"]);
    bench.claim(TWO, true, 3);
    bench.answer(Err(Errno::ADDRNOTAVAIL));
    assert_eq!(bench.ops(), ["add 10.0.0.2"]);
    bench.answer(Ok(()));
    assert_eq!(bench.out, [Output::Confirmed { owner: TWO, number: 3 }]);
}

#[test]
fn what_fails_is_told_confirmed_and_tried_again() {
    let mut bench = Bench::new(&[]);
    bench.out.clear();
    bench.claim(TWO, true, 1);
    bench.answer(Err(Errno(1)));
    assert!(matches!(
        bench.out[..],
        [Output::Failed { errno: Errno(1), .. }, Output::Confirmed { owner: TWO, number: 1 }]
    ));
    bench.pass(FIRST_PAUSE);
    assert_eq!(bench.ops(), ["add 10.0.0.2"]);
    bench.answer(Ok(()));
    assert_eq!(bench.present(), ["10.0.0.2"]);
}

#[test]
fn addresses_follow_an_interface_that_goes_and_comes_back() {
    let mut bench = Bench::new(&[]);
    bench.claim(TWO, true, 1);
    bench.answer(Ok(()));
    bench.out.clear();
    bench.event(&KernelEvent::LinkGone(ETH0));
    assert_eq!(
        bench.out,
        [
            Output::NoInterface { key: claim("10.0.0.2").key() },
            Output::Interface(ONE, Interface::default()),
            Output::Interface(TWO, Interface::default()),
        ]
    );
    bench.event(&KernelEvent::Link(Link { index: IfIndex(9), ..link(true) }));
    assert_eq!(
        bench.open,
        [(claim("10.0.0.2").key(), KernelOp::AddAddress(claim("10.0.0.2").on(IfIndex(9))))]
    );
}

#[test]
fn an_address_that_an_administrator_adds_to_a_backup_is_left_alone() {
    let mut bench = Bench::new(&[]);
    bench.claim(TWO, false, 1);
    bench.event(&KernelEvent::Address(claim("10.0.0.2").on(ETH0)));
    assert_eq!(bench.ops(), [""; 0]);
}

#[test]
fn instances_hear_of_their_interface_and_its_first_address_that_is_no_virtual_one() {
    let mut bench = Bench::new(&["10.0.0.2", "10.0.0.7", "10.0.0.8"]);
    let interface =
        |source: &str, usable| Interface { index: Some(ETH0), usable, source: source.parse().ok() };
    let both = |i: Interface| vec![Output::Interface(ONE, i), Output::Interface(TWO, i)];
    assert_eq!(std::mem::take(&mut bench.out), both(interface("10.0.0.7", true)));
    bench.event(&KernelEvent::Link(link(false)));
    assert_eq!(std::mem::take(&mut bench.out), both(interface("10.0.0.7", false)));
    bench.event(&KernelEvent::Address(claim("10.0.0.3").on(ETH0)));
    bench.event(&KernelEvent::Link(link(false)));
    assert_eq!(std::mem::take(&mut bench.out), [], "nothing new");
    bench.delete("10.0.0.7");
    assert_eq!(std::mem::take(&mut bench.out), both(interface("10.0.0.8", false)));
    bench.delete("10.0.0.8");
    bench.delete("10.0.0.3");
    assert_eq!(bench.out.split_off(2), both(interface("", false)));
}

#[test]
fn a_lost_report_is_made_up_for_by_a_resync() {
    let mut bench = Bench::new(&[]);
    bench.claim(TWO, true, 1);
    bench.answer(Ok(()));
    bench.event(&KernelEvent::Resync(Dump { links: vec![link(true)], ..Dump::default() }));
    assert_eq!(bench.ops(), ["add 10.0.0.2"]);
    bench.answer(Ok(()));
    assert!(bench.out.iter().any(|o| matches!(o, Output::Restored { .. })), "and announced again");
}

#[test]
fn instances_hear_of_interfaces_they_track() {
    let mut ledger = Ledger::default();
    ledger.register(ONE, name("eth1"), &[]);
    ledger.track(ONE, 3, name("eth0"));
    ledger.track(TWO, 0, name("eth0"));
    let mut mirror = Mirror::default();
    let mut tell = |event: &KernelEvent| {
        mirror.apply(event);
        ledger.event(&mirror, event);
        let mut out = ledger.settle(Instant::ZERO, &mirror);
        out.retain(|o| matches!(o, Output::Tracked(..)));
        out
    };
    let both = |usable| vec![Output::Tracked(ONE, 3, usable), Output::Tracked(TWO, 0, usable)];
    assert_eq!(tell(&KernelEvent::Resync(Dump::default())), both(false), "it does not exist");
    assert_eq!(tell(&KernelEvent::Link(link(true))), both(true));
    assert_eq!(tell(&KernelEvent::Link(link(true))), []);
    assert_eq!(tell(&KernelEvent::Link(link(false))), both(false));
    tell(&KernelEvent::Link(link(true)));
    assert_eq!(tell(&KernelEvent::LinkGone(ETH0)), both(false));
}

#[test]
fn an_address_does_not_stay_behind_on_an_interface_that_is_renamed() {
    let mut bench = Bench::new(&[]);
    bench.claim(TWO, true, 1);
    bench.answer(Ok(()));
    bench.event(&KernelEvent::Link(Link { name: name("lan0"), ..link(true) }));
    assert_eq!(bench.ops(), ["delete 10.0.0.2"]);
    bench.answer(Ok(()));
    assert_eq!(bench.present(), [""; 0]);
    bench.event(&KernelEvent::Link(link(true)));
    assert_eq!(bench.ops(), ["add 10.0.0.2"], "and the name is back");
}
