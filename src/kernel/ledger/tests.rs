use std::sync::Arc;
use std::time::Duration;

use super::super::claim::{AddressClaim, FirewallClaim, LinkClaim, RouteClaim, RuleClaim};
use super::entry::{FIRST_PAUSE, PEACE};
use super::*;
use crate::base::{Cidr, Family, MacAddr};
use crate::host::loader::LinkKind;
use crate::host::route::{Hop, Route, RouteOptions, RuleAction};
use crate::host::{
    Address, AddressOptions, Dump, FirewallRule, FirewallTable, Link, Setting, Stacking, VirtualKind,
};

mod vmac;

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
    AddressClaim {
        dev: name("eth0"),
        cidr: cidr(ip),
        peer: None,
        broadcast: None,
        label: None,
        scope: 0,
        options: AddressOptions::default(),
        tracked: true,
    }
}

fn watch(interface: &str) -> Watch {
    let interface = Some(name(interface));
    Watch { interface, vmac: None, from_vmac: false, vrf: None, family: Family::V4, source: None }
}

fn claims(ips: &[&str]) -> Vec<Claim> {
    ips.iter().map(|ip| Claim::Address(claim(ip))).collect()
}

/// `ROUTE via 10.0.0.9 dev eth0`, or by way of whatever interface leads there.
fn route(to: &str, dev: Option<&str>, tracked: bool) -> Arc<RouteClaim> {
    let route = Route {
        family: Family::V4,
        table: 254,
        destination: cidr(to),
        from: None,
        tos: 0,
        metric: None,
        kind: 1,
        protocol: 18,
        scope: None,
        source: None,
        hop: Hop { via: "10.0.0.9".parse().ok(), link: dev.map(name), ..Hop::default() },
        nexthops: vec![],
        options: RouteOptions::default(),
    };
    Arc::new(RouteClaim { route, tracked })
}

fn rule(preference: u32) -> Arc<RuleClaim> {
    let rule = Rule {
        family: Family::V4,
        preference,
        inverted: false,
        from: Some(cidr("10.1.0.0")),
        to: None,
        tos: 0,
        mark: None,
        iif: None,
        oif: None,
        tunnel: None,
        users: None,
        ip_protocol: None,
        source_ports: None,
        destination_ports: None,
        realms: None,
        suppress_prefix: None,
        suppress_group: None,
        action: RuleAction::Table(7),
        protocol: 18,
    };
    Arc::new(RuleClaim { rule, tracked: true })
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
        stacking: Stacking::default(),
    }
}

fn rule_text(rule: &FirewallRule) -> String {
    match rule {
        FirewallRule::Divert { link, family, .. } => format!("{family} of {}", link.0),
        FirewallRule::Drop { ip, .. } => ip.to_string(),
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
        ledger.register(ONE, watch("eth0"), &claims(&["10.0.0.1", "10.0.0.2"]));
        ledger.register(TWO, watch("eth0"), &claims(&["10.0.0.2"]));
        Self::of(ledger, present)
    }

    fn of(ledger: Ledger, present: &[&str]) -> Self {
        let addresses = present.iter().map(|ip| claim(ip).on(ETH0)).collect();
        Self::on(ledger, Dump { links: vec![link(true)], addresses, ..Dump::default() })
    }

    fn on(ledger: Ledger, dump: Dump) -> Self {
        let now = Instant::from_micros(60_000_000);
        let mut bench = Self { ledger, mirror: Mirror::default(), now, open: Vec::new(), out: Vec::new() };
        bench.event(&KernelEvent::Resync(dump));
        bench
    }

    fn event(&mut self, event: &KernelEvent) {
        self.mirror.apply(event);
        self.ledger.event(&self.mirror, event);
        self.settle();
    }

    fn claim(&mut self, owner: InstanceId, hold: bool, number: u64) {
        self.ledger.claim(Owner::Instance(owner), hold, number);
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
            KernelOp::AddRoute(route) => format!("add {}", route.destination.ip),
            KernelOp::DeleteRoute(route) => format!("delete {}", route.destination.ip),
            KernelOp::AddRule(rule) => format!("add {}", rule.preference),
            KernelOp::DeleteRule(rule) => format!("delete {}", rule.preference),
            KernelOp::AddLink(link, _) => format!("make {}", link.name),
            KernelOp::DeleteLink(link, _) => format!("unmake {}", link.name),
            KernelOp::AddFirewall(entry) => format!("filter {}", rule_text(&entry.rule)),
            KernelOp::DeleteFirewall(entry) => format!("unfilter {}", rule_text(&entry.rule)),
            KernelOp::Set(setting) => format!("set {setting}"),
            KernelOp::Unset(setting) => format!("unset {setting}"),
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
    bench.event(&KernelEvent::LinkGone { index: ETH0, moved: false });
    let gone = Interface { state: LinkState::Deleted, ..Interface::default() };
    assert_eq!(
        bench.out,
        [
            Output::NoInterface { key: claim("10.0.0.2").key() },
            Output::Interface(ONE, gone),
            Output::Interface(TWO, gone),
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
    let interface = |source: &str, state| Interface {
        index: Some(ETH0),
        state,
        source: source.parse().ok(),
        occupied: None,
    };
    let both = |i: Interface| vec![Output::Interface(ONE, i), Output::Interface(TWO, i)];
    assert_eq!(std::mem::take(&mut bench.out), both(interface("10.0.0.7", LinkState::Up)));
    bench.event(&KernelEvent::Link(link(false)));
    assert_eq!(std::mem::take(&mut bench.out), both(interface("10.0.0.7", LinkState::NoCarrier)));
    bench.event(&KernelEvent::Address(claim("10.0.0.3").on(ETH0)));
    bench.event(&KernelEvent::Link(link(false)));
    assert_eq!(std::mem::take(&mut bench.out), [], "nothing new");
    bench.delete("10.0.0.7");
    assert_eq!(std::mem::take(&mut bench.out), both(interface("10.0.0.8", LinkState::NoCarrier)));
    bench.delete("10.0.0.8");
    bench.delete("10.0.0.3");
    assert_eq!(bench.out.split_off(2), both(interface("", LinkState::NoCarrier)));
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
    ledger.register(ONE, watch("eth1"), &[]);
    ledger.track(ONE, name("eth0"));
    ledger.track(TWO, name("eth0"));
    let mut mirror = Mirror::default();
    let mut tell = |event: &KernelEvent| {
        mirror.apply(event);
        ledger.event(&mirror, event);
        let mut out = ledger.settle(Instant::ZERO, &mirror);
        out.retain(|o| matches!(o, Output::Tracked(..)));
        out
    };
    let both = |state| [ONE, TWO].map(|id| Output::Tracked(id, name("eth0"), state)).to_vec();
    assert_eq!(tell(&KernelEvent::Resync(Dump::default())), both(LinkState::Missing));
    assert_eq!(tell(&KernelEvent::Link(link(true))), both(LinkState::Up));
    assert_eq!(tell(&KernelEvent::Link(link(true))), []);
    assert_eq!(tell(&KernelEvent::Link(link(false))), both(LinkState::NoCarrier));
    assert_eq!(tell(&KernelEvent::Link(Link { up: false, ..link(false) })), both(LinkState::Down));
    for (moved, state) in [(false, LinkState::Deleted), (true, LinkState::Moved)] {
        tell(&KernelEvent::Link(link(true)));
        assert_eq!(tell(&KernelEvent::LinkGone { index: ETH0, moved }), both(state));
    }
    tell(&KernelEvent::Link(link(true)));
    let renamed = KernelEvent::Link(Link { name: name("lan0"), ..link(true) });
    assert_eq!(tell(&renamed), both(LinkState::Renamed));
    assert_eq!(tell(&KernelEvent::Link(link(true))), both(LinkState::Up), "it has its name back");
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

/// A bench with a route and a rule, an address and a route that is not tracked, in this order; held by `ONE`, answered.
fn routed() -> Bench {
    let mut ledger = Ledger::default();
    let list = [
        Claim::Rule(rule(5)),
        Claim::Route(route("10.2.0.0", Some("eth0"), true)),
        Claim::Route(route("10.1.0.0", None, false)),
        Claim::Address(claim("10.0.0.1")),
    ];
    ledger.register(ONE, watch("eth0"), &list);
    let mut bench = Bench::of(ledger, &[]);
    bench.claim(ONE, true, 1);
    assert_eq!(bench.ops(), ["add 10.0.0.1", "add 10.2.0.0", "add 10.1.0.0", "add 5"]);
    bench.answer(Ok(()));
    bench.out.clear();
    bench
}

fn in_kernel(claim: &RouteClaim) -> Box<Route> {
    let mut route = claim.route.resolve(|_| Ok::<_, ()>(ETH0)).unwrap();
    // The kernel tells the interface also where it was left to it.
    route.hop.link = Some(ETH0);
    Box::new(route)
}

#[test]
fn addresses_come_first_and_rules_go_first() {
    let mut bench = routed();
    bench.claim(ONE, false, 2);
    assert_eq!(bench.ops(), ["delete 5", "delete 10.2.0.0", "delete 10.1.0.0", "delete 10.0.0.1"]);
    bench.answer(Ok(()));
    assert_eq!(bench.out, [Output::Confirmed { owner: ONE, number: 2 }]);
}

#[test]
fn a_route_that_somebody_removes_is_put_back_unless_it_is_not_tracked() {
    let mut bench = routed();
    let (tracked, untracked) = (route("10.2.0.0", Some("eth0"), true), route("10.1.0.0", None, false));
    bench.event(&KernelEvent::RouteGone(in_kernel(&untracked)));
    assert_eq!(bench.ops(), [""; 0]);
    bench.event(&KernelEvent::RouteGone(in_kernel(&tracked)));
    assert_eq!(bench.ops(), ["add 10.2.0.0"]);
    bench.answer(Ok(()));
    let restored = Output::Restored { owners: vec![ONE], key: Key::Route(tracked), times: 1 };
    assert_eq!(std::mem::take(&mut bench.out), [restored]);
    bench.event(&KernelEvent::RuleGone(Box::new(rule(5).rule.clone())));
    assert_eq!(bench.ops(), ["add 5"]);
    bench.answer(Ok(()));
    bench.claim(ONE, false, 2);
    assert_eq!(bench.ops(), ["delete 5", "delete 10.2.0.0", "delete 10.0.0.1"], "what is gone is gone");
    bench.answer(Ok(()));
    bench.claim(ONE, true, 3);
    assert_eq!(bench.open.len(), 4, "a new claim wants all of it");
}

#[test]
fn a_route_that_somebody_replaces_is_put_back() {
    let mut bench = routed();
    let mut other = in_kernel(&route("10.2.0.0", None, true));
    other.protocol = 4;
    bench.event(&KernelEvent::RouteReplaced(other));
    assert_eq!(bench.ops(), ["add 10.2.0.0"]);
}

#[test]
fn a_route_or_rule_of_somebody_else_is_not_deleted_with_ours() {
    let mut bench = routed();
    bench.claim(ONE, false, 2);
    bench.answer(Ok(()));
    bench.claim(ONE, true, 3);
    bench.out.clear();
    bench.answer(Err(Errno::EXIST));
    let told = |o: &Output| matches!(o, Output::Failed { errno: Errno::EXIST, .. });
    assert_eq!(bench.out.iter().filter(|o| told(o)).count(), 3, "of the address nobody needs to know");
    bench.pass(FIRST_PAUSE);
    bench.answer(Err(Errno::EXIST));
    assert_eq!(bench.out.iter().filter(|o| told(o)).count(), 3, "and nobody is told twice");
    bench.claim(ONE, false, 4);
    assert_eq!(bench.ops(), ["delete 10.0.0.1"]);
}

#[test]
fn routes_of_an_interface_that_goes_down_come_back_with_it() {
    let mut bench = routed();
    for (claim, to) in
        [(route("10.2.0.0", Some("eth0"), true), "10.2.0.0"), (route("10.1.0.0", None, false), "10.1.0.0")]
    {
        bench.event(&KernelEvent::Route(in_kernel(&claim)));
        assert!(bench.mirror.has_route(&in_kernel(&claim)), "{to}");
    }
    let down = Link { up: false, ..link(false) };
    bench.event(&KernelEvent::Link(down));
    // The route without an interface of its own may lead elsewhere now.
    assert_eq!(bench.ops(), ["add 10.1.0.0"]);
    bench.answer(Err(Errno(101)));
    assert!(bench.out.iter().any(|o| matches!(o, Output::Failed { .. })), "{:?}", bench.out);
    bench.event(&KernelEvent::Link(link(true)));
    assert_eq!(bench.ops(), ["add 10.2.0.0", "add 10.1.0.0"]);
    bench.out.clear();
    bench.answer(Ok(()));
    assert_eq!(bench.out, [], "nobody has removed them");
}

#[test]
fn routes_go_with_their_source_and_with_the_last_address_of_an_interface() {
    let mut mirror = Mirror::default();
    let addresses = ["10.0.0.1", "10.0.0.2"].map(|ip| claim(ip).on(ETH0)).to_vec();
    mirror.apply(&KernelEvent::Resync(Dump { links: vec![link(true)], addresses, ..Dump::default() }));
    let plain = in_kernel(&route("10.1.0.0", Some("eth0"), true));
    let sourced = Box::new(Route {
        destination: cidr("10.2.0.0"),
        source: "10.0.0.2".parse().ok(),
        ..(*plain).clone()
    });
    mirror.apply(&KernelEvent::Route(plain.clone()));
    mirror.apply(&KernelEvent::Route(sourced.clone()));
    mirror.remove(ETH0, cidr("10.0.0.2"));
    assert_eq!((mirror.has_route(&plain), mirror.has_route(&sourced)), (true, false));
    mirror.remove(ETH0, cidr("10.0.0.1"));
    assert!(!mirror.has_route(&plain));
    assert_eq!(mirror.forgotten(), 2);
}

#[test]
fn instances_hear_of_their_interface_when_the_static_items_are_there() {
    let mut ledger = Ledger::default();
    ledger.register(ONE, watch("eth0"), &[]);
    ledger.register_static(&claims(&["10.0.0.7"]));
    ledger.claim(Owner::Static, true, 1);
    let mut bench = Bench::of(ledger, &[]);
    assert_eq!((bench.ops(), &bench.out[..]), (vec!["add 10.0.0.7".to_owned()], &[][..]));
    bench.answer(Ok(()));
    let told = Interface {
        index: Some(ETH0),
        state: LinkState::Up,
        source: "10.0.0.7".parse().ok(),
        occupied: None,
    };
    assert_eq!(bench.out, [Output::Interface(ONE, told)]);
    bench.ledger.claim(Owner::Static, false, 2);
    assert!(!bench.ledger.is_idle());
    bench.settle();
    bench.answer(Ok(()));
    assert!(bench.ledger.is_idle());
}

#[test]
fn left_over_routes_and_rules_are_removed_at_once() {
    let mut ledger = Ledger::default();
    let (held, rule) = (route("10.2.0.0", Some("eth0"), true), rule(5));
    ledger.register(ONE, watch("eth0"), &[Claim::Route(Arc::clone(&held)), Claim::Rule(Arc::clone(&rule))]);
    let mut mirror = Mirror::default();
    let dump = Dump {
        links: vec![link(true)],
        routes: vec![*in_kernel(&held)],
        rules: vec![rule.rule.clone()],
        ..Dump::default()
    };
    let event = KernelEvent::Resync(dump);
    mirror.apply(&event);
    ledger.event(&mirror, &event);
    let out = ledger.settle(Instant::ZERO, &mirror);
    let Some(Output::Apply(changes)) = out.first() else { panic!("{out:?}") };
    let ops: Vec<_> = changes.iter().map(|(_, op)| op.clone()).collect();
    assert_eq!(
        ops,
        [KernelOp::DeleteRule(Box::new(rule.rule.clone())), KernelOp::DeleteRoute(in_kernel(&held))]
    );
}

#[test]
fn secondaries_are_promoted_while_there_are_addresses() {
    let mut ledger = Ledger::default();
    let list = [Claim::Address(claim("10.0.0.1")), Claim::Setting(Setting::Promotion(name("eth0")))];
    ledger.register(ONE, watch("eth0"), &list);
    let mut bench = Bench::of(ledger, &[]);
    bench.claim(ONE, true, 1);
    assert_eq!(bench.ops(), ["set promote_secondaries on eth0", "add 10.0.0.1"]);
    bench.answer(Ok(()));
    bench.event(&KernelEvent::Resync(Dump {
        links: vec![link(true)],
        addresses: vec![claim("10.0.0.1").on(ETH0)],
        ..Dump::default()
    }));
    assert_eq!(bench.ops(), [""; 0], "a setting outlives lost reports");
    bench.claim(ONE, false, 2);
    assert_eq!(bench.ops(), ["delete 10.0.0.1", "unset promote_secondaries on eth0"]);
}

#[test]
fn an_untracked_address_is_left_alone_until_it_is_claimed_anew_or_its_interface_returns() {
    let untracked = AddressClaim { tracked: false, ..claim("10.0.0.1") };
    let mut ledger = Ledger::default();
    ledger.register(ONE, watch("eth0"), &[Claim::Address(untracked)]);
    let mut bench = Bench::of(ledger, &[]);
    bench.claim(ONE, true, 1);
    bench.answer(Ok(()));
    bench.delete("10.0.0.1");
    bench.pass(Duration::from_secs(60));
    assert_eq!(bench.ops(), [""; 0], "somebody wants it so");
    bench.claim(ONE, false, 2);
    bench.claim(ONE, true, 3);
    assert_eq!(bench.ops(), ["add 10.0.0.1"]);
    bench.answer(Ok(()));
    bench.event(&KernelEvent::Link(Link { up: false, running: false, ..link(false) }));
    bench.delete("10.0.0.1");
    bench.answer(Err(Errno::IO));
    bench.event(&KernelEvent::Link(link(true)));
    assert_eq!(bench.ops(), ["add 10.0.0.1"], "the kernel took it with its interface");
}
