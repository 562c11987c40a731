//! Routes and rules.

use super::*;

/// A bench with a route and a rule, an address and a route that is not tracked, in this order; held by `ONE`, answered.
fn routed() -> Bench {
    let mut ledger = Ledger::default();
    let list = [
        Claim::Rule(rule(5)),
        Claim::Route(route("10.2.0.0", Some("eth0"), true)),
        Claim::Route(route("10.1.0.0", None, false)),
        Claim::Address(claim("10.0.0.1").into()),
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
    let restored = Output::Restored {
        owners: vec![ONE],
        key: Key::Route(tracked),
        loss: Loss::Removed,
        times: 1,
        pause: None,
    };
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
