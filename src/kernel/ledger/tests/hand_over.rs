//! What is left to the next start, and what was left to this one.

use super::*;

const TIME: Duration = Duration::from_secs(2);

impl Bench {
    fn lend(&mut self, owner: InstanceId, number: u64) {
        self.ledger.lend(Owner::Instance(owner), TIME, number);
        self.settle();
    }
}

/// One master with two addresses, a route and a rule, all of them there.
fn master() -> Bench {
    let mut ledger = Ledger::default();
    let mut all = claims(&["10.0.0.1", "10.0.0.2"]);
    all.extend([Claim::Route(route("10.2.0.0", Some("eth0"), true)), Claim::Rule(rule(7))]);
    ledger.register(ONE, watch("eth0"), &all);
    ledger.register(TWO, watch("eth0"), &claims(&["10.0.0.2"]));
    let mut bench = Bench::of(ledger, &[]);
    bench.claim(ONE, true, 1);
    bench.answer(Ok(()));
    bench.out.clear();
    bench
}

/// An address as the kernel reports it that will take it away.
fn fleeting(ip: &str) -> Address {
    let mut address = claim(ip).on(ETH0);
    address.options.valid = Some(Duration::from_secs(1));
    address
}

#[test]
fn addresses_get_an_end_and_the_rest_goes() {
    let mut bench = master();
    bench.lend(ONE, 2);
    assert_eq!(bench.ops(), ["delete 7", "delete 10.2.0.0", "10.0.0.1 for 2 s", "10.0.0.2 for 2 s"]);
    assert_eq!(bench.out, []);
    bench.answer(Ok(()));
    assert_eq!(bench.out, [Output::Confirmed { owner: ONE, number: 2 }]);
    assert!(bench.ledger.is_idle());
    // Whatever happens to them now, they are not ours any more.
    bench.event(&KernelEvent::Address(fleeting("10.0.0.1")));
    bench.delete("10.0.0.1");
    bench.event(&KernelEvent::Link(link(true)));
    assert_eq!(bench.ops(), [""; 0]);
    assert_eq!(bench.ledger.lent(), Some(TIME));
}

#[test]
fn what_the_kernel_does_not_take_is_not_left() {
    let mut bench = master();
    bench.lend(ONE, 2);
    for (key, op) in std::mem::take(&mut bench.open) {
        let changes = matches!(op, KernelOp::ChangeAddress(_));
        let answer = if changes { Err(Errno(95)) } else { Ok(()) };
        bench.out.extend(bench.ledger.answer(bench.now, &mut bench.mirror, key, &op, answer));
    }
    bench.settle();
    assert!(bench.out.contains(&Output::NotLent { owner: ONE, number: 2 }), "{:?}", bench.out);
    assert!(!bench.out.contains(&Output::Confirmed { owner: ONE, number: 2 }));
    bench.out.clear();
    bench.claim(ONE, false, 3);
    assert_eq!(bench.ops(), ["delete 10.0.0.1", "delete 10.0.0.2"]);
    bench.answer(Ok(()));
    assert_eq!(bench.out, [Output::Confirmed { owner: ONE, number: 3 }]);
    assert_eq!(bench.ledger.lent(), None);
}

#[test]
fn an_address_that_somebody_has_removed_needs_no_end() {
    let mut bench = master();
    bench.delete("10.0.0.1");
    bench.answer(Err(Errno(1)));
    bench.lend(ONE, 2);
    bench.answer(Ok(()));
    assert!(bench.out.contains(&Output::Confirmed { owner: ONE, number: 2 }), "{:?}", bench.out);
    assert_eq!(bench.present(), ["10.0.0.2"]);
}

#[test]
fn what_was_left_stays_until_it_is_claimed_and_then_for_ever() {
    let mut ledger = Ledger::default();
    ledger.register(ONE, watch("eth0"), &claims(&["10.0.0.1", "10.0.0.2"]));
    ledger.register(TWO, watch("eth0"), &claims(&["10.0.0.2", "10.0.0.3"]));
    ledger.reserve(Owner::Instance(ONE));
    let mut bench = Bench::of(ledger, &[]);
    let addresses = ["10.0.0.1", "10.0.0.2", "10.0.0.3"].map(fleeting).to_vec();
    bench.event(&KernelEvent::Resync(Dump { links: vec![link(true)], addresses, ..Dump::default() }));
    assert_eq!(bench.ops(), [""; 0], "the dump was read before");
    bench.claim(TWO, false, 1);
    assert_eq!(bench.ops(), [""; 0], "one is another one's as well");
    bench.claim(ONE, true, 1);
    assert_eq!(bench.ops(), ["10.0.0.1 for ever", "10.0.0.2 for ever"]);
    bench.out.clear();
    bench.answer(Ok(()));
    assert_eq!(bench.out, [Output::Confirmed { owner: ONE, number: 1 }], "nothing had been missed");
    bench.event(&KernelEvent::Address(claim("10.0.0.1").on(ETH0)));
    assert_eq!(bench.ops(), [""; 0]);
}

#[test]
fn what_was_left_and_is_not_claimed_goes() {
    let mut ledger = Ledger::default();
    ledger.register(ONE, watch("eth0"), &claims(&["10.0.0.1"]));
    ledger.register(TWO, watch("eth0"), &claims(&["10.0.0.2"]));
    ledger.reserve(Owner::Instance(ONE));
    let mut bench = Bench::of(ledger, &["10.0.0.1", "10.0.0.2"]);
    assert_eq!(bench.ops(), ["delete 10.0.0.2"]);
    bench.answer(Ok(()));
    bench.claim(ONE, false, 1);
    assert_eq!(bench.ops(), ["delete 10.0.0.1"]);
}

#[test]
fn nobody_else_puts_an_end_to_an_address_of_a_master() {
    let mut bench = master();
    bench.event(&KernelEvent::Address(fleeting("10.0.0.1")));
    assert_eq!(bench.ops(), ["10.0.0.1 for ever"]);
    bench.answer(Ok(()));
    assert_eq!(bench.out, [], "it was there all the time");
}
